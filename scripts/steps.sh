# Sourced by test.sh and check.sh: run NAME COMMAND... runs and counts a step, finish prints the count
# as the last line and is the exit status of the whole.
passed=0
failed=0
names=""

run() {
    local name=$1 began=$SECONDS
    shift
    printf '== %s\n' "$name"
    if "$@"; then
        passed=$((passed + 1))
        printf '== %s: ok, %s s\n' "$name" "$((SECONDS - began))"
    else
        failed=$((failed + 1))
        names="$names [$name]"
        printf '== %s: FAILED\n' "$name"
    fi
}

finish() {
    [ -z "$names" ] || echo "failed:$names"
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" != 0 ]
}
