#!/usr/bin/env bash
# The ABI as it was last agreed (baseline.abi, baseline.constants) against the ABI of today's header.
#
#   capi/abi/baseline.sh check DIR    exit 1 if anything that existed changed; 77 (skipped) without abidiff
#   capi/abi/baseline.sh update DIR   make today's ABI the baseline
#
# DIR takes the stub library that is built for it. CC is the compiler to use.
set -euo pipefail

usage() { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[[ $# -eq 2 && ( $1 == check || $1 == update ) ]] || usage
abi=$(cd "$(dirname "$0")" && pwd)
stub=$2/libfleetauth-stub.so

if ! command -v abidiff >/dev/null || ! command -v abidw >/dev/null; then
  echo "abidiff is not installed (Debian: abigail-tools)" >&2
  exit 77
fi

mkdir -p "$2"
"${CC:-cc}" -std=c99 -g -O0 -w -fPIC -fvisibility=hidden -shared -I "$abi/../include" "$abi/stub.c" -o "$stub" \
  "-ffile-prefix-map=$abi/=" "-Wl,--version-script=$abi/fleetauth.map"

if [[ $1 == update ]]; then
  abidw --no-show-locs --no-comp-dir-path --no-corpus-path --out-file "$abi/baseline.abi" "$stub"
  cp "$abi/constants.txt" "$abi/baseline.constants"
  exit
fi

status=0
abidiff --no-architecture --no-added-syms "$abi/baseline.abi" "$stub" || status=1
# abidiff does not see anonymous enums: every number there was must still be there.
gone=$(grep -vxFf "$abi/constants.txt" "$abi/baseline.constants" || true)
if [[ -n $gone ]]; then
  printf 'Constants that were removed or renumbered:\n%s\n' "$gone" >&2
  status=1
fi
if [[ $status -ne 0 ]]; then
  echo "The ABI changed incompatibly. Before the first release: make abi-baseline. After it: add, do not change." >&2
fi
exit $status
