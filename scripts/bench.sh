#!/usr/bin/env bash
# Measures what is shipped and prints figure, limit, ours, reference, ratio and spread. Limits are told, not enforced: see whether the ratio
# is above its limit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=build/release
mkdir -p build
log=build/bench.log
results=build/bench.tsv
: >"$results"

run() { "$@" >>"$results"; }
# Figures that tests print; they fail above the limit.
run_tests() { "$build/tests/$1" --gtest_filter="$2" | awk -F '\t' 'NF == 6' >>"$results" || echo "bench: a test of $1 failed" >&2; }

stage=build
trap 'if (($? != 0)) && [[ $stage == build ]]; then tail -n 30 "$log" >&2; echo "bench: the build failed; the whole log: $log" >&2; fi' EXIT
echo "bench: building (log: $log)" >&2
{
  scripts/venv.sh
  [[ -d node/node_modules ]] || npm --prefix node ci --no-audit --no-fund --silent
  cmake --preset release -Wno-dev -DFLEETAUTH_BUILD_PYTHON=ON -DFLEETAUTH_BUILD_NODE=ON -DFLEETAUTH_BUILD_JAVA=ON
  cmake --build --preset release --target fleetauth-bench capi_network process_budget_test fleetauth_python fleetauth_node fleetauth_jni
  npm --prefix node run build
  # Classes only: the tests' jar is made in the same folder, and is to keep the tests' library.
  mvn -q -B -ntp -f java/pom.xml compile -Dmaven.resources.skip "-Dfleetauth.build=$PWD/$build"
} >"$log" 2>&1
stage=measure

run "$build/tools/bench/fleetauth-bench"
run_tests capi/capi_network '*OutageTest*'
run_tests process/process_budget_test '*'
run env PYTHONPATH="$build/python" build/venv/bin/python python/bench/cached_headers.py
run env FLEETAUTH_NODE_NATIVE="$PWD/$build/node/fleetauth.node" node node/bench/cached-headers.mjs
run java -cp "$build/java/native:java/target/classes" java/bench/CachedHeaders.java

awk -F '\t' '
  BEGIN { print_row("figure", "limit", "ours", "reference", "ratio", "spread") }
  { print_row($1, $2, $3, $4, $5, $6) }
  function print_row(figure, limit, ours, reference, ratio, spread) {
    printf "%-62s %9s %12s %12s %9s  %s\n", figure, limit, ours, reference, ratio, spread
  }' "$results"
