#!/usr/bin/env bash
# Installs what fleetauth needs to be built and tested on Debian 12.
#
#   scripts/bootstrap.sh            install what is missing (as root); otherwise name it and exit 1
#   scripts/bootstrap.sh --check    only report: exit 0 if everything is there, else 1
#
# Does nothing, quickly, when nothing is missing. This file is the one list of the machine's packages.
set -euo pipefail

# Debian packages, one a line, with the reason where the name does not tell it.
packages=(
  build-essential
  cmake
  ninja-build
  ccache
  pkg-config
  git
  ca-certificates
  xz-utils              # source packages of curl and simdjson
  dpkg-dev              # apt-get source unpacks with dpkg-source
  libssl-dev            # also libssl.a and libcrypto.a
  libtomlplusplus-dev   # profiles
  libgtest-dev
  libgmock-dev
  nlohmann-json3-dev    # emulator only
  libcpp-httplib-dev    # emulator only
  swig
  python3-dev
  python3-venv
  clang-14
  libclang-rt-14-dev    # sanitizers and libFuzzer
  clang-tidy-14
  clang-format-14
  abigail-tools         # abidiff
  llvm-14               # llvm-cov
  binutils
  openssl
  gdb                   # gcore
)

# Tools which often come from elsewhere than Debian: "command:package", installed only when the command is absent.
commands=(
  python3:python3
  node:nodejs
  npm:npm
  javac:openjdk-17-jdk-headless
  mvn:maven
)

missing_packages() {
  local installed name
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' 2>/dev/null | sed -n 's/ installed$//p')
  for name in "${packages[@]}"; do
    grep -qxF -- "$name" <<<"$installed" || echo "$name"
  done
  for name in "${commands[@]}"; do
    command -v -- "${name%%:*}" >/dev/null || echo "${name#*:}"
  done
}

if ! command -v apt-get >/dev/null; then
  echo "bootstrap: this script knows Debian 12 only; elsewhere install the packages listed in scripts/bootstrap.sh by hand" >&2
  exit 1
fi

mapfile -t missing < <(missing_packages)
if ((${#missing[@]} == 0)); then
  echo "bootstrap: everything needed is installed"
  exit 0
fi
if [[ ${1:-} == --check || $(id -u) != 0 ]]; then
  {
    echo "bootstrap: missing: ${missing[*]}"
    echo "bootstrap: install with: sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
  } >&2
  exit 1
fi

echo "bootstrap: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=600 update -qq
apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null

mapfile -t missing < <(missing_packages)
if ((${#missing[@]} > 0)); then
  echo "bootstrap: still missing after the installation: ${missing[*]}" >&2
  exit 1
fi
echo "bootstrap: done"
