#!/usr/bin/env bash
# Builds and runs tests, after scripts/bootstrap.sh and scripts/deps.sh.
#
#   scripts/test.sh                    everything there is
#   scripts/test.sh core [PRESET]      C++ and C tests through ctest, in the preset dev unless another is named
#   scripts/test.sh memory             want of memory, with every allocation in turn: minutes
#   scripts/test.sh tools              the command, with the preset dev's binaries
#   scripts/test.sh python|node|java   one language's package
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n== %s\n' "$*"; }

test_core() {
  local preset=${1:-dev}
  say "C++ and C, preset $preset"
  cmake --preset "$preset" -Wno-dev >/dev/null
  cmake --build --preset "$preset"
  ctest --preset "$preset"
}

test_memory() {
  say "Want of memory"
  cmake --preset dev -Wno-dev >/dev/null
  cmake --build --preset dev --target fault_memory fault_first_use
  for test in fault_memory fault_first_use; do
    FLEETAUTH_EVERY_ALLOCATION=1 "build/dev/tests/fault/$test" --gtest_brief=1
  done
}

test_tools() {
  say "The fleetauth command"
  scripts/venv.sh
  cmake --preset dev -Wno-dev >/dev/null
  cmake --build --preset dev --target fleetauth-command fleetauth-emulator
  build/venv/bin/python -m pytest -q tests/tools
}

test_python() {
  say Python
  scripts/venv.sh
  build/venv/bin/pip install -q --disable-pip-version-check --no-build-isolation --no-deps --force-reinstall ./python
  build/venv/bin/python -m pytest -q python/tests
}

test_node() {
  say Node
  npm --prefix node ci --no-audit --no-fund --silent
  npm --prefix node test
}

test_java() {
  say Java
  cmake --preset dev -Wno-dev -DFLEETAUTH_BUILD_JAVA=ON >/dev/null
  cmake --build --preset dev --target fleetauth_jni fleetauth-emulator
  mvn -q -B -ntp -f java/pom.xml verify "-Dfleetauth.build=$PWD/build/dev"
}

case ${1:-all} in
  core) test_core "${2:-}" ;;
  memory | tools | python | node | java) "test_$1" ;;
  all)
    test_core
    test_tools
    test_python
    test_node
    test_java
    say "all tests passed"
    ;;
  *)
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
