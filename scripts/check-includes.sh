#!/usr/bin/env bash
# Include direction (architecture.md section 4): tools -> node -> consensus -> ledger -> crypto -> base;
# each library in the files named for it; a .c begins with its own header.
set -euo pipefail
cd "$(dirname "$0")/.."

rank() {
    case $1 in
    hub/base.h | hub/limits.h) echo 0 ;;
    hub/hash.h | hub/sign.h | hub/merkle.h | hub/keyfile.h | hub/seal.h | crypto/*) echo 1 ;;
    hub/simplex.h | hub/message.h | consensus/*) echo 3 ;;
    hub/* | ledger/*) echo 2 ;;
    node/*) echo 4 ;;
    tools/*) echo 5 ;;
    *) echo none ;;
    esac
}

# Files that may include a library's header.
home_of() {
    case $1 in
    nettle/*) echo '^crypto/hash\.c$' ;;
    sodium.h) echo '^(crypto/.*|node/transport\.c)$' ;;
    lmdb.h) echo '^node/store_env\.c$' ;;
    zmq.h) echo '^node/transport\.c$' ;;
    microhttpd.h) echo '^node/api(_[a-z]+)?\.[ch]$' ;;
    confuse.h) echo '^node/config\.c$' ;;
    jansson.h) echo '^(tools/.*|node/api(_[a-z]+)?\.c)$' ;;
    curl/*) echo '^tools/(http|hubledger)\.c$' ;;
    string.h | stdbool.h | stddef.h | stdint.h | stdalign.h | limits.h) echo . ;;
    *) echo '^(node|tools)/|^crypto/keyfile\.c$|^crypto/seal\.c$' ;; # the rest of the system
    esac
}

status=0
complain() {
    echo "check-includes: $1" >&2
    status=1
}

sources=$(find include/hub crypto ledger consensus node tools -name '*.[ch]' 2>/dev/null | sort || true)
[ -n "$sources" ] || exit 1
for file in $sources; do
    mine=$(rank "${file#include/}")
    own=${file%.c}.h
    [ -f "$own" ] || own=include/hub/$(basename "$own")
    own=${own#include/}
    first=""
    while read -r quote name; do
        [ -n "$first" ] || first=$name
        if [ "$quote" = '<' ]; then
            [[ $file =~ $(home_of "$name") ]] || complain "$file includes <$name>, which belongs elsewhere"
        else
            theirs=$(rank "$name")
            [ "$theirs" != none ] || complain "$file includes \"$name\": write it with its folder"
            [ "$theirs" = none ] || [ "$theirs" -le "$mine" ] ||
                complain "$file includes \"$name\", which is above it"
        fi
    done < <(sed -nE 's/^ *# *include *([<"])([^>"]+)[>"].*/\1 \2/p' "$file")
    case $file in
    *.c)
        if [ -f "include/$own" ] || [ -f "$own" ]; then
            [ "$first" = "$own" ] || complain "$file begins with \"$first\", not its own header \"$own\""
        fi
        ;;
    esac
done

[ "$status" != 0 ] || echo "check-includes: $(echo "$sources" | wc -l) files"
exit "$status"
