#!/usr/bin/env bash
# Makes build/venv, the Python environment for building, testing and linting, with the versions pinned in
# packaging/deps/python-dev.txt. Does nothing when it is up to date. Uses the python3 on PATH.
#
#   scripts/venv.sh             make or update it
#   scripts/venv.sh --upgrade   pin the newest versions of packaging/deps/python-dev.in first
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/build/venv
input=$root/packaging/deps/python-dev.in
pins=$root/packaging/deps/python-dev.txt

mkdir -p "$root/build"
exec 9>"$root/build/venv.lock"
flock 9

if [[ ${1:-} == --upgrade ]]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q --upgrade --disable-pip-version-check -r "$input"
  {
    echo "# Pinned by scripts/venv.sh --upgrade from python-dev.in; do not edit."
    "$venv/bin/pip" freeze --all --disable-pip-version-check | grep -v '^pip=='
  } >"$pins"
fi

wanted=$({ cat "$pins"; python3 -VV; command -v python3; } | sha256sum | cut -d' ' -f1)
if [[ $(cat "$venv/stamp" 2>/dev/null) == "$wanted" ]]; then
  echo "venv: up to date"
  exit 0
fi

echo "venv: installing $(grep -vc '^#' "$pins") pinned packages into build/venv"
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install -q --disable-pip-version-check -r "$pins"
echo "$wanted" >"$venv/stamp"
echo "venv: done"
