#!/usr/bin/env bash
# Include direction (README.md): tools -> node -> consensus -> ledger -> crypto -> base;
# each library in the files named for it; a .c begins with its own header (tools: with cli.h).
set -euo pipefail
cd "$(dirname "$0")/.."

# REPLY: how high a header or folder stands. (Functions that print would be a process for each #include.)
rank() {
    case $1 in
    hub/base.h | hub/limits.h) REPLY=0 ;;
    hub/hash.h | hub/sign.h | hub/merkle.h | hub/keyfile.h | crypto/*) REPLY=1 ;;
    hub/simplex.h | hub/waiting.h | hub/message.h | consensus/*) REPLY=3 ;;
    hub/* | ledger/*) REPLY=2 ;;
    node/*) REPLY=4 ;;
    tools/*) REPLY=5 ;;
    *) REPLY=none ;;
    esac
}

# REPLY: the files that may include a library's header.
home_of() {
    case $1 in
    nettle/*) REPLY='^crypto/hash\.c$' ;;
    sodium.h) REPLY='^(crypto/.*|node/transport\.c)$' ;;
    lmdb.h) REPLY='^node/store_env\.c$' ;;
    zmq.h) REPLY='^node/transport\.c$' ;;
    microhttpd.h) REPLY='^node/api(_[a-z]+)?\.[ch]$' ;;
    confuse.h) REPLY='^(node/config|tools/agreement_file)\.c$' ;; # files people write
    jansson.h) REPLY='^(tools/.*|node/api(_[a-z]+)?\.c)$' ;;
    curl/*) REPLY='^tools/(http|hubledger)\.c$' ;;
    string.h | stdbool.h | stddef.h | stdint.h | stdalign.h | limits.h) REPLY=. ;;
    *) REPLY='^(node|tools)/|^crypto/keyfile\.c$' ;; # the rest of the system
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
    folder=${file%/*} stem=${file##*/} stem=${stem%.c}
    rank "${file#include/}"
    mine=$REPLY
    first=""
    while read -r quote name; do
        [ "$quote" = '<' ] || [[ $name == */* ]] || name=$folder/$name # beside the file
        [ -n "$first" ] || first=$name
        if [ "$quote" = '<' ]; then
            home_of "$name"
            [[ $file =~ $REPLY ]] || complain "$file includes <$name>, which belongs elsewhere"
        else
            rank "$name"
            if [ "$REPLY" = none ]; then
                complain "$file includes \"$name\", which is in no folder of the product"
            elif [ "$REPLY" -gt "$mine" ]; then
                complain "$file includes \"$name\", which is above it"
            fi
        fi
    done < <(sed -nE 's/^ *# *include *([<"])([^>"]+)[>"].*/\1 \2/p' "$file")
    # Its own header is beside it or in include/hub/; one for a group of files may stand in for it.
    if [ "$file" != "${file%.c}" ] && { [ -f "$folder/$stem.h" ] || [ -f "include/hub/$stem.h" ]; }; then
        case $first in
        "$folder/$stem.h" | "hub/$stem.h" | "$folder/${stem}_"*.h) ;;
        *) [ "$folder" = tools ] || complain "$file begins with \"$first\", not with its own header" ;;
        esac
    fi
done

[ "$status" != 0 ] || echo "check-includes: $(echo "$sources" | wc -l) files"
exit "$status"
