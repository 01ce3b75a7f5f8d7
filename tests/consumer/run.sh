#!/usr/bin/env bash
# run.sh cmake|pkg-config BUILD_DIR WORK_DIR VERSION
set -euo pipefail
way=$1 build=$2 work=$3 version=$4
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/project" && pwd)

rm -rf "$work"
mkdir -p "$work"
cmake --install "$build" --prefix "$work/installed" >/dev/null
mv "$work/installed" "$work/prefix" # an installation can be moved

case $way in
  cmake)
    cmake -S "$project" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix"
    cmake --build "$work/build"
    "$work/build/consumer" "$version"
    ;;
  pkg-config)
    export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig:$work/prefix/lib/$(cc -print-multiarch)/pkgconfig
    [[ $(pkg-config --modversion fleetauth) == "$version" ]]
    read -ra flags <<<"$(pkg-config --cflags --libs fleetauth)"
    cc -std=c99 -Wall -Wextra -Wpedantic -Werror -o "$work/consumer" "$project/main.c" "${flags[@]}" -Wl,-rpath,"$(pkg-config --variable=libdir fleetauth)"
    "$work/consumer" "$version"
    ;;
esac
