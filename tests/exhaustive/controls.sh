#!/usr/bin/env bash
# The negative controls: the checker is built again around a core with one guard removed, and has to find it.
# usage: tests/exhaustive/controls.sh BUILD_DIR      (after `make`: links its objects)
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1
list=tests/exhaustive/controls.txt
plant=tests/mutants/plant.py
status=0

# control NAME: the file with the bug in it, linked ahead of the archive that has it without.
control() {
    local dir=$build/exhaustive-controls/$1 run file
    file=$(awk -v name="$1" '$1 == "mutant" { on = $2 == name } on && $1 == "file" { print $2 }' "$list")
    run=$(awk -v name="$1" '$1 == "mutant" { on = $2 == name } on && $1 == "kill" { print $2 }' "$list")
    rm -rf "$dir"
    mkdir -p "$dir"
    cp -r consensus "$dir/consensus"
    "$plant" "$dir" "$list" "$1"
    ${CC:-gcc} -std=c11 -O2 -w -Iinclude -I. -o "$dir/exhaustive" "$dir/$file" \
        "$build"/tests/exhaustive/*.o "$build/libhubledger.a" -lsodium -lnettle
    "$dir/exhaustive" control "$run" >"$dir/log" || return 1
}

names=$("$plant" --names "$list")
for name in $names; do
    if control "$name"; then
        echo "control $name: found: $(sed -n 's/^ *VIOLATION: //p' "$build/exhaustive-controls/$name/log")"
    else
        echo "control $name: NOT FOUND"
        cat "$build/exhaustive-controls/$name/log"
        status=1
    fi
done
exit $status
