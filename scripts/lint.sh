#!/usr/bin/env bash
# Formatting and static checks.
#
#   scripts/lint.sh            all of: shell cpp-format cpp-tidy python node java
#   scripts/lint.sh NAME...    those named
#   scripts/lint.sh --fix      format the sources in place instead of checking
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Runs a command, and shows what it said only if it fails.
quietly() {
  local said
  said=$("$@" 2>&1) || { echo "$said"; return 1; }
}

cpp_files() { git ls-files --cached --others --exclude-standard -- '*.cpp' '*.h' '*.c' | grep -vE '\.gen\.(h|cpp|c)$'; }

lint_shell() {
  local file
  for file in .ci/run scripts/*.sh; do
    bash -n "$file"
  done
}

lint_cpp-format() { cpp_files | xargs -r clang-format-14 --dry-run -Werror; }
fix_cpp() { cpp_files | xargs -r clang-format-14 -i; }

# clang-tidy reads the compile commands of the preset clang; generated sources must exist, hence the build.
lint_cpp-tidy() {
  quietly scripts/deps.sh
  quietly cmake --preset clang
  quietly cmake --build --preset clang --target fleetauth_core
  mkdir -p build/clang/tidy
  TIDY_COMMON=$(git ls-files -z -- .clang-tidy 'core/*.h' 'capi/*.h' | xargs -0 cat | sha256sum)
  export TIDY_COMMON
  export -f tidy_one
  git ls-files -- 'core/*.cpp' 'capi/*.cpp' | grep -vE '\.gen\.cpp$' | xargs -r -n 1 -P 2 nice bash -c 'tidy_one "$1"' _
}

# A file that was clean is not looked at again until it, a header of ours or .clang-tidy changes.
tidy_one() {
  local file=$1 seen said
  seen=build/clang/tidy/$(echo "$TIDY_COMMON" | cat - "$file" | sha256sum | cut -d' ' -f1)
  [[ ! -e $seen ]] || return 0
  if said=$(clang-tidy-14 -p build/clang --quiet --warnings-as-errors='*' "$file" 2>/dev/null); then
    touch "$seen"
  else
    echo "$said"
    return 1
  fi
}

# Our own Python, whose type checks follow mypy.ini; tests are checked by ruff alone.
lint_python() {
  quietly scripts/venv.sh
  build/venv/bin/ruff format --check -q --output-format concise .
  build/venv/bin/ruff check -q --output-format concise .
  build/venv/bin/mypy scripts tests/structure bindings/generator python/src
}
fix_python() {
  quietly scripts/venv.sh
  build/venv/bin/ruff format -q .
  build/venv/bin/ruff check -q --fix .
}

lint_node() {
  [[ -d node/node_modules ]] || npm --prefix node ci --no-audit --no-fund --silent
  npm --prefix node run --silent lint
}
fix_node() {
  [[ ! -d node/node_modules ]] || npm --prefix node run --silent --if-present format
}

lint_java() { mvn -q -B -ntp -f java/pom.xml spotless:check; }
fix_java() { mvn -q -B -ntp -f java/pom.xml spotless:apply; }

if [[ ${1:-} == --fix ]]; then
  for language in cpp python node java; do
    "fix_$language"
  done
  exit 0
fi

checks=("$@")
((${#checks[@]})) || checks=(shell cpp-format cpp-tidy python node java)
failed=()
for check in "${checks[@]}"; do
  if ! declare -F "lint_$check" >/dev/null; then
    echo "lint: there is no check \"$check\"; see the head of scripts/lint.sh" >&2
    exit 2
  fi
  started=$SECONDS
  "lint_$check" & # not "if lint_…": that would switch "set -e" off inside the check
  if wait $!; then
    echo "lint: $check ok ($((SECONDS - started)) s)"
  else
    failed+=("$check")
    echo "lint: $check FAILED"
  fi
done
if ((${#failed[@]})); then
  echo "lint: failed: ${failed[*]} (make format repairs formatting)" >&2
  exit 1
fi
