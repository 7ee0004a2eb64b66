#!/usr/bin/env bash
# Proves that crypto (without key files), ledger and consensus refer to
# nothing that has a clock, randomness, memory of its own, threads or I/O, and keep no global state.
# usage: scripts/check-pure.sh [BUILD_DIRECTORY]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}

objects=$(find "$build/crypto" "$build/ledger" "$build/consensus" -name '*.o' \
    ! -name keyfile.o 2>/dev/null | sort || true)
[ -n "$objects" ] || {
    echo "check-pure: no objects in $build: run make first" >&2
    exit 1
}

# What any of them may refer to. Compilers turn loops over strings into strlen; the _chk forms are
# what _FORTIFY_SOURCE makes of the first three.
memory='memcpy|memmove|memset|memcmp|strlen|__memcpy_chk|__memmove_chk|__memset_chk'
compiler='__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__popcountdi2'
ours='hub_assert_failed'
# What crypto/ alone may, by file: hash.c; sign.c and ed25519.c. sodium_init only opens the library.
nettle='nettle_sha256_(init|update|digest)'
sodium='crypto_sign_(detached|verify_detached|seed_keypair)|crypto_core_ed25519_is_valid_point'
sodium="$sodium|sodium_init|sodium_hex2bin"

status=0
complain() {
    echo "check-pure: $1" >&2
    status=1
}

whole=$(mktemp)
trap 'rm -f "$whole"' EXIT

undefined() { # names that the objects leave open once linked with each other
    # shellcheck disable=SC2086
    ld -r -o "$whole" $1
    nm -u "$whole" | awk '{print $NF}'
}

for name in $(undefined "$objects" | grep -vxE "$memory|$compiler|$ours|$nettle|$sodium" || true); do
    users=""
    for object in $objects; do
        ! nm -u "$object" | grep -qE " $name\$" || users="$users ${object#"$build"/}"
    done
    complain "$name is not allowed in the pure layers; used by$users"
done

# Libraries are called by crypto/ only; ledger and consensus see hub_hash_* and hub_verify.
for object in $objects; do
    case ${object#"$build"/} in crypto/*) continue ;; esac
    for name in $(nm -u "$object" | awk '{print $NF}' | grep -xE "$nettle|$sodium" || true); do
        complain "$name is called from ${object#"$build"/}: only crypto/ calls libraries"
    done
done

# .data.rel.ro holds constant tables with addresses; the loader makes it read-only.
for object in $objects; do
    for section in $(size -A "$object" | awk '
        $1 ~ /^\.(data|bss|tdata|tbss)(\.|$)/ && $1 !~ /^\.data\.rel\.ro/ && $2 > 0 {print $1}'); do
        complain "${object#"$build"/} has writable globals in $section: the caller gives storage"
    done
    ! nm "$object" | grep -q ' C ' || complain "${object#"$build"/} has a common symbol"
done

[ "$status" != 0 ] || echo "check-pure: $(echo "$objects" | wc -l) objects are pure"
exit "$status"
