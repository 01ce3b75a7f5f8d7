#!/usr/bin/env bash
# Builds the command, the emulator and the four languages, and shows them at work. Called by `make demo`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '== %s\n' "$*" >&2; }

say "building the library, the command, the emulator and the bindings (a few minutes the first time)"
scripts/venv.sh >&2
npm --prefix node ci --no-audit --no-fund --silent >&2
cmake --preset dev -Wno-dev -DFLEETAUTH_BUILD_PYTHON=ON -DFLEETAUTH_BUILD_NODE=ON -DFLEETAUTH_BUILD_JAVA=ON >/dev/null
cmake --build --preset dev --target fleetauth-command fleetauth-emulator example_c_token fleetauth_python fleetauth_node fleetauth_jni >&2
npm --prefix node run --silent build >&2
mvn -q -B -ntp -f java/pom.xml package -DskipTests >&2

PYTHONPATH=build/dev/python build/venv/bin/python scripts/demo.py build/dev
