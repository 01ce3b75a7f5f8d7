#!/usr/bin/env bash
# Coverage of core/ and capi/ by the C++ and C tests: sums on the terminal, pages in build/coverage/report. Fails where the core is
# below the limits.
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
{
  evaluate show -format html -output-dir "$build/report" -show-branches count && evaluate export -summary-only >"$build/summary.json"
} 2>"$build/report.log" || {
  tail -n 20 "$build/report.log" >&2
  echo "coverage: llvm-cov failed; the whole log: $build/report.log" >&2
  exit 1
}
python3 scripts/coverage_sums.py "$build/summary.json"
