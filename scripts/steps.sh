# Sourced by test.sh and check.sh: run NAME COMMAND... runs and counts a step, run_scripts SCRIPT... runs each as
# a step, finish prints the count as the last line and is the exit status of the whole.
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

# Two at a time: they wait for processes more than they work. Each prints as it ends.
run_scripts() {
    local dir script ok bad which
    dir=$(mktemp -d) || exit 1
    for script in "$@"; do
        while [ "$(jobs -pr | wc -l)" -ge 2 ]; do wait -n; done
        (
            passed=0 failed=0 names=""
            run "$script" "$script" >"$dir/log.$BASHPID" 2>&1
            flock "$dir" cat "$dir/log.$BASHPID"
            echo "$passed $failed $names" >"$dir/count.$BASHPID"
        ) &
    done
    wait
    while read -r ok bad which; do
        passed=$((passed + ok))
        failed=$((failed + bad))
        names="$names${which:+ $which}"
    done < <(cat "$dir"/count.*)
    [ "$(find "$dir" -name 'count.*' | wc -l)" = $# ] || run "every script came to its end" false
    rm -rf "$dir"
}

finish() {
    [ -z "$names" ] || echo "failed:$names"
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" != 0 ]
}
