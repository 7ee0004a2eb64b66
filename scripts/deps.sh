#!/usr/bin/env bash
# Installs the Debian packages that are missing; does nothing when all are there.
# usage: scripts/deps.sh GROUP...     groups: build test demo check interop chaos mutants
set -euo pipefail

build="gcc make pkg-config libc6-dev libsodium-dev nettle-dev liblmdb-dev libzmq3-dev
       libmicrohttpd-dev libjansson-dev libconfuse-dev libcurl4-openssl-dev"
test="libcriterion-dev nodejs python3 python3-cbor2 python3-cryptography curl"
demo="nodejs python3 curl"
check="clang clang-format clang-tidy cppcheck libclang-rt-14-dev gcovr spin"
interop="nodejs npm"
chaos="iproute2 nftables faketime mount"
mutants="git" # the tree is copied as git lists it

wanted=""
for group in "${@:-build}"; do
    case $group in
    build | test | demo | check | interop | chaos | mutants) wanted="$wanted ${!group}" ;;
    *)
        echo "deps.sh: no group '$group'; groups are build test demo check interop chaos mutants" >&2
        exit 64
        ;;
    esac
done

if ! command -v dpkg-query >/dev/null; then
    echo "deps.sh: this is no Debian; install what corresponds to:" $wanted >&2
    exit 69
fi

missing=""
for package in $wanted; do
    # Another source's node brings npm along, and Debian's would conflict with it.
    case $package in
    nodejs) ! command -v node >/dev/null || continue ;;
    npm) ! command -v npm >/dev/null || continue ;;
    esac
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=""
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "deps.sh: as root, run: apt-get install$missing" >&2
        exit 77
    }
    sudo=sudo
fi
echo "deps.sh: installing$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -q update
$sudo apt-get -q install -y --no-install-recommends $missing
