#!/usr/bin/env bash
# scripts/fuzz.sh [SECONDS]   builds the fuzz targets with clang and runs each for so long (30 s), two at a time.
# FUZZ_SEED=N: the same order of inputs in every run (default: another one each time).
# New inputs go to build/fuzz/corpus; an input that breaks a target is left in build/fuzz/findings, with the way to repeat it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-30}
export FUZZ_SEED=${FUZZ_SEED:-0}

if [[ ! -f tests/fuzz/CMakeLists.txt ]]; then
  echo "fuzz: no targets in tests/fuzz yet"
  exit 0
fi

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
mkdir -p build/fuzz/findings

run_one() {
  local target=$1 seconds=$2
  local name=${target##*/fuzz_}
  local corpus=build/fuzz/corpus/$name log=build/fuzz/$name.log
  local dict=()
  if [[ -f tests/fuzz/dict/$name ]]; then dict=("-dict=tests/fuzz/dict/$name"); fi
  mkdir -p "$corpus"
  if "$target" "${dict[@]}" -seed="$FUZZ_SEED" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/findings/$name-" "$corpus" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
    printf 'fuzz: %-24s %s runs\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  else
    tail -n 40 "$log"
    echo "fuzz: $name FAILED; repeat with: $target build/fuzz/findings/$name-..." >&2
    return 1
  fi
}
export -f run_one

printf '%s\n' build/fuzz/fuzzers/fuzz_* | xargs -P 2 -I{} bash -c 'run_one "$1" "$2"' _ {} "$seconds"
