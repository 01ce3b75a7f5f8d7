#!/usr/bin/env bash
# Measures what is shipped and prints figure, limit, ours, reference, ratio and spread. Limits are told, not enforced: see whether the ratio
# is above its limit. A language whose tools are missing is left out and said to be.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=build/release
mkdir -p build
log=build/bench.log
results=build/bench.tsv
: >"$results"

run() { "$@" >>"$results"; }
missing() { printf '%s\t-\tmissing: %s\t-\t-\t-\n' "$1" "$2" >>"$results"; }

configure=(-DFLEETAUTH_BUILD_TOOLS=ON)
targets=(fleetauth-bench)
if [[ -d python ]]; then configure+=(-DFLEETAUTH_BUILD_PYTHON=ON) && targets+=(fleetauth_python); fi
if [[ -d node ]]; then configure+=(-DFLEETAUTH_BUILD_NODE=ON) && targets+=(fleetauth_node); fi
if [[ -d java ]]; then configure+=(-DFLEETAUTH_BUILD_JAVA=ON) && targets+=(fleetauth_jni); fi

stage=build
trap 'if (($? != 0)) && [[ $stage == build ]]; then tail -n 30 "$log" >&2; echo "bench: the build failed; the whole log: $log" >&2; fi' EXIT
echo "bench: building (log: $log)" >&2
{
  scripts/venv.sh
  if [[ -d node && ! -d node/node_modules ]]; then npm --prefix node ci --no-audit --no-fund --silent; fi
  cmake --preset release -Wno-dev "${configure[@]}"
  cmake --build --preset release --target "${targets[@]}"
  if [[ -d node && ! -f node/dist/index.js ]]; then npm --prefix node run build; fi
  # Classes only: the tests' jar is made in the same folder, and is to keep the tests' library.
  if [[ -d java ]]; then mvn -q -B -ntp -f java/pom.xml compile -Dmaven.resources.skip "-Dfleetauth.build=$PWD/$build"; fi
} >"$log" 2>&1
stage=measure

run "$build/tools/bench/fleetauth-bench"
if [[ -d $build/python ]]; then
  run env PYTHONPATH="$build/python" build/venv/bin/python python/bench/cached_headers.py
else
  missing "Python: headers" "not built"
fi
if [[ -f $build/node/fleetauth.node ]]; then
  run env FLEETAUTH_NODE_NATIVE="$PWD/$build/node/fleetauth.node" node node/bench/cached-headers.mjs
else
  missing "Node: headers" "not built"
fi
if [[ -d $build/java ]]; then
  run java -cp "$build/java/native:java/target/classes" java/bench/CachedHeaders.java
else
  missing "Java: headers" "not built"
fi

awk -F '\t' '
  BEGIN { print_row("figure", "limit", "ours", "reference", "ratio", "spread") }
  { print_row($1, $2, $3, $4, $5, $6) }
  function print_row(figure, limit, ours, reference, ratio, spread) {
    printf "%-62s %9s %12s %12s %9s  %s\n", figure, limit, ours, reference, ratio, spread
  }' "$results"
