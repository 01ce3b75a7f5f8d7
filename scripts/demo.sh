#!/usr/bin/env bash
# Builds the command, the emulator and the four languages, and shows them at work. Called by `make demo`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

log=build/demo.log
mkdir -p build
exec 3>&2
stage=build
trap 'if (($? != 0)) && [[ $stage == build ]]; then tail -n 30 "$log" >&3; echo "demo: the build failed; the whole log: $log" >&3; fi' EXIT

echo "Building the library, the command, the emulator and the packages (a few minutes the first time; log: $log) ..." >&2
{
  scripts/venv.sh
  npm --prefix node ci --no-audit --no-fund --silent
  cmake --preset dev -Wno-dev -DFLEETAUTH_BUILD_PYTHON=ON -DFLEETAUTH_BUILD_NODE=ON -DFLEETAUTH_BUILD_JAVA=ON
  cmake --build --preset dev --target fleetauth-command fleetauth-emulator example_token fleetauth_python fleetauth_node fleetauth_jni
  npm --prefix node run build
  mvn -q -B -ntp -f java/pom.xml package -DskipTests "-Dfleetauth.build=$PWD/build/dev"
} >"$log" 2>&1

stage=show
FLEETAUTH_NODE_NATIVE=$PWD/build/dev/node/fleetauth.node PYTHONPATH=build/dev/python build/venv/bin/python scripts/demo.py build/dev
