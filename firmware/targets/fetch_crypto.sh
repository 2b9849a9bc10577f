#!/bin/sh
# Fetch the sources of mbed TLS and libsodium as Debian has them, for images without an operating system: a library
# compiled for this machine's Linux is of no use there. fetch_crypto.sh FOLDER; what is there already stays.
set -eu
folder=$1
mkdir -p "$folder"
cd "$folder"

cat >wanted <<'SUMS'
3b4953aa55a681e084d31892d9904cc5328d6b4958ea57b90ae4b4f94ae69a8d  mbedtls_2.28.3.orig.tar.gz
d59323c6b712a1519a5daf710b68f5e7fde57040845ffec53850911f10a5d4f4  libsodium_1.0.18.orig.tar.gz
SUMS

# This system's own package sources, as deb-src: nothing of the system's configuration is changed.
fetch() {
    command -v apt-get >/dev/null || return 1
    apt=$(mktemp -d)
    mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        [ -e "$file" ] || continue
        sed -e 's/^deb /deb-src /' -e 's/^Types:.*/Types: deb-src/' "$file" >"$apt/parts/$(basename "$file")"
    done
    if [ -e "$apt/parts/sources.list" ]; then mv "$apt/parts/sources.list" "$apt/parts/main.list"; fi
    set -- -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/parts" \
        -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root
    apt-get "$@" update && apt-get "$@" source --download-only --tar-only mbedtls libsodium >&2
    done=$?
    rm -rf "$apt"
    return $done
}

if ! sha256sum --quiet --check wanted >/dev/null 2>&1; then
    fetch || echo "no Debian sources to be had here" >&2
    sha256sum --quiet --check wanted >&2 || {
        echo "put those two files into $folder yourself (packages mbedtls and libsodium of Debian 12)" >&2
        exit 1
    }
fi
[ -e mbedtls/library ] || { mkdir -p mbedtls && tar -xzf mbedtls_*.tar.gz -C mbedtls --strip-components=1; }
[ -e libsodium/src ] || { mkdir -p libsodium && tar -xzf libsodium_*.tar.gz -C libsodium --strip-components=1; }
