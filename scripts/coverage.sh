#!/usr/bin/env bash
# Coverage of core/ and capi/ by the C++ and C tests: sums on the terminal, pages in build/coverage/report.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake --preset coverage >/dev/null
cmake --build --preset coverage
find build/coverage -name '*.gcda' -delete
ctest --preset coverage --quiet
mkdir -p build/coverage/report
gcovr --root . --object-directory build/coverage --filter core/ --filter capi/ --exclude-throw-branches --exclude-unreachable-branches \
  --html-details build/coverage/report/index.html --print-summary --txt build/coverage/report/summary.txt
cat build/coverage/report/summary.txt
