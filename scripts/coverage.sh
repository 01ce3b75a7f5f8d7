#!/usr/bin/env bash
# Coverage of core/ and capi/ by the C++ and C tests: sums on the terminal, pages in build/coverage/report.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=build/coverage
cmake --preset coverage >/dev/null
cmake --build --preset coverage
rm -rf "$build/raw"
# %m: one file for each program, into which all its processes count. %c: as they run, so that those who are killed count too.
LLVM_PROFILE_FILE="$PWD/$build/raw/%c%m.profraw" ctest --preset coverage --quiet || {
  echo "coverage: tests failed: $(sed 's/^[0-9]*://' $build/Testing/Temporary/LastTestsFailed.log | paste -sd ' ')" >&2
  exit 1
}
llvm-profdata-14 merge -sparse -o "$build/profile" "$build"/raw/*.profraw

mapfile -t programs < <(find "$build" -type f -executable -exec grep -lF __llvm_covmap {} +)
objects=("${programs[0]}")
for program in "${programs[@]:1}"; do objects+=(-object "$program"); done
evaluate() { llvm-cov-14 "$1" "${objects[@]}" -instr-profile "$build/profile" -compilation-dir "$PWD" "${@:2}" core capi; }
evaluate show -format html -output-dir "$build/report" -show-branches count 2>"$build/report.log"
evaluate export -summary-only >"$build/summary.json" 2>>"$build/report.log"
python3 - "$build/summary.json" <<'PY'
import json
import sys

files = json.load(open(sys.argv[1], encoding="utf-8"))["data"][0]["files"]


def percent(chosen, what):
    count = sum(file["summary"][what]["count"] for file in chosen)
    covered = sum(file["summary"][what]["covered"] for file in chosen)
    return f"{100 * covered / count:.1f} % of {count} {what}"


for part in ("core", "capi"):
    chosen = [file for file in files if f"/{part}/" in file["filename"]]
    print(f"{part}: {percent(chosen, 'lines')}, {percent(chosen, 'branches')}")
PY
