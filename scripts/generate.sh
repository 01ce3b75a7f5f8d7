#!/usr/bin/env bash
# Writes everything that is generated and committed. `generate.sh --check` writes nothing and fails if something differs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python3 bindings/generator "$@"
