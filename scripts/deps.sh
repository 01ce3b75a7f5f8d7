#!/usr/bin/env bash
# Builds what the core links statically and the distribution does not ship in a usable form: a minimal libcurl
# (HTTP/1.1 over TLS only), and the source of simdjson. Both are Debian source packages, checked by apt against the
# signed index of the machine's own package sources. The machine's apt state is not touched; root is not needed.
#
#   scripts/deps.sh             build into build/deps unless that is up to date (then no network is used)
#   scripts/deps.sh --refresh   fetch and build again, for instance after a security update of curl
#
# FLEETAUTH_DEPS_DIR names another folder. What was built is listed in its file "versions".
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deps=${FLEETAUTH_DEPS_DIR:-$root/build/deps}

fail() { echo "deps: $*" >&2; exit 1; }

mkdir -p "$deps"
exec 9>"$deps/lock"
flock 9 # somebody else may be building the same

# The stamp changes with everything the result depends on.
wanted=$({
  cat "${BASH_SOURCE[0]}" "$root/cmake/simdjson_ndebug.h" "$root/cmake/curl_hooks.h"
  ${CC:-cc} --version
  dpkg-query -W -f='${Version}' libssl-dev libtomlplusplus-dev
} | sha256sum | cut -d' ' -f1)
if [[ ${1:-} != --refresh && $(cat "$deps/stamp" 2>/dev/null) == "$wanted" ]]; then
  echo "deps: up to date ($(paste -sd' ' "$deps/versions"))"
  exit 0
fi
rm -f "$deps/stamp"

work=$deps/work
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/parts" "$work/src"

# The machine's package sources, each turned into the source-package kind: deb822 files and one-line files.
shopt -s nullglob
for file in /etc/apt/sources.list.d/*.sources; do
  sed -E 's/^Types:.*/Types: deb-src/I' "$file" >"$work/parts/${file##*/}"
done
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  [[ -f $file ]] && sed -nE 's/^[[:space:]]*deb(-src)?[[:space:]]/deb-src /p' "$file" | sort -u >"$work/parts/${file##*/}.list"
done
shopt -u nullglob
cat >"$work/apt.conf" <<CONF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$work/parts";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "$(id -un)";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
export APT_CONFIG=$work/apt.conf

echo "deps: fetching the sources of curl and simdjson"
apt-get update -qq >"$work/apt.log" 2>&1 || true # one unreachable third-party source must not stop us
for package in curl simdjson; do
  (cd "$work/src" && apt-get source -qq --only-source "$package") >>"$work/apt.log" 2>&1 || {
    tail -n 20 "$work/apt.log" >&2
    fail "the source package '$package' could not be fetched. The package sources in /etc/apt must offer source" \
      "packages (deb-src) for this release, and be reachable. The whole log: $work/apt.log"
  }
done
version_of() { sed -n 's/^Version: //p' "$work"/src/"$1"_*.dsc | head -n 1; }
curl_source=$(echo "$work"/src/curl-*/)
simdjson_source=$(echo "$work"/src/simdjson-*/)

echo "deps: building libcurl $(version_of curl)"
curl_options=(
  -DBUILD_SHARED_LIBS=OFF -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DENABLE_MANUAL=OFF
  -DHTTP_ONLY=ON -DCURL_USE_OPENSSL=ON -DENABLE_THREADED_RESOLVER=ON
  # Nothing that decodes, remembers or authenticates behind the core's back.
  -DUSE_NGHTTP2=OFF -DCURL_ZLIB=OFF -DCURL_BROTLI=OFF -DCURL_ZSTD=OFF
  -DCURL_USE_LIBPSL=OFF -DCURL_USE_LIBSSH2=OFF -DCURL_USE_GSSAPI=OFF -DUSE_LIBIDN2=OFF -DENABLE_UNIX_SOCKETS=OFF
  -DCURL_DISABLE_LDAP=ON -DCURL_DISABLE_LDAPS=ON -DCURL_DISABLE_ALTSVC=ON -DCURL_DISABLE_HSTS=ON
  -DCURL_DISABLE_COOKIES=ON -DCURL_DISABLE_CRYPTO_AUTH=ON -DCURL_DISABLE_NTLM=ON -DCURL_DISABLE_NETRC=ON
  -DCURL_DISABLE_DOH=ON -DCURL_DISABLE_SRP=ON -DCURL_DISABLE_OPENSSL_AUTO_LOAD_CONFIG=ON
  # No certificate folder is compiled in: the core names the CA certificates, and without them nothing verifies.
  -DCURL_CA_BUNDLE=none -DCURL_CA_PATH=none
)
{
  cmake -S "$curl_source" -B "$work/curl" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$deps" \
    -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_C_VISIBILITY_PRESET=hidden \
    "-DCMAKE_C_FLAGS=-O2 -g1 -ffunction-sections -fdata-sections -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -ffile-prefix-map=$work/src/= -include $root/cmake/curl_hooks.h -D_GNU_SOURCE -DCURL_DISABLE_HEADERS_API" \
    "${curl_options[@]}" &&
    cmake --build "$work/curl" && cmake --install "$work/curl"
} >"$work/curl.log" 2>&1 || { tail -n 30 "$work/curl.log" >&2; fail "libcurl did not build; the whole log: $work/curl.log"; }

echo "deps: copying simdjson $(version_of simdjson)"
mkdir -p "$deps/src" "$deps/include/simdjson"
cp "$simdjson_source/singleheader/simdjson.cpp" "$deps/src/"
cp "$simdjson_source/singleheader/simdjson.h" "$deps/include/simdjson/simdjson_unguarded.h"
cp "$root/cmake/simdjson_ndebug.h" "$deps/include/simdjson/simdjson.h"

# The texts that the packages' third-party notices are made from.
rm -rf "$deps/licenses"
mkdir -p "$deps/licenses"
cp "$curl_source/COPYING" "$deps/licenses/curl.txt"
cp "$simdjson_source/LICENSE" "$deps/licenses/simdjson.txt"
cp /usr/share/doc/libssl-dev/copyright "$deps/licenses/openssl.txt"
cp /usr/share/doc/libtomlplusplus-dev/copyright "$deps/licenses/tomlplusplus.txt"

{
  echo "curl=$(version_of curl)"
  echo "simdjson=$(version_of simdjson)"
  dpkg-query -W -f='openssl=${Version}\n' libssl-dev
  dpkg-query -W -f='tomlplusplus=${Version}\n' libtomlplusplus-dev
} >"$deps/versions"
rm -rf "$work"
echo "$wanted" >"$deps/stamp"
echo "deps: done ($(paste -sd' ' "$deps/versions"))"
