#!/usr/bin/env bash
# Runs Spin over tests/model/rules.pml: what has to hold, and what has to fork.
# usage: tests/model/check.sh [BUILD_DIR]
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=${1:-build}/model
megabytes=${MEGABYTES:-5000}
status=0
mkdir -p "$dir"

# model NAME holds|forks DEFINES...
model() {
    local name=$1 wanted=$2 out errors
    shift 2
    mkdir -p "$dir/$name"
    (
        cd "$dir/$name"
        spin -a "$@" "$OLDPWD/tests/model/rules.pml" >spin.log 2>&1 || { cat spin.log; exit 1; }
        ${CC:-gcc} -O2 -w -DSAFETY -DNOREDUCE -DMEMLIM="$megabytes" -o pan pan.c
        ./pan -E -m2000000 -w24 -n >log 2>&1 || true
    )
    out=$dir/$name/log
    errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' "$out")
    printf '%-26s %s: %s states, %s transitions, %s s: ' "$name" "$*" \
        "$(awk '/states, stored/ { print $1 }' "$out")" "$(awk '/transitions \(=/ { print $1 }' "$out")" \
        "$(sed -n 's/.*elapsed time \([0-9.]*\).*/\1/p' "$out")"
    if grep -qE 'max search depth too small|out of memory|reached -DMEMLIM' "$out"; then
        echo "NOT COMPLETE"
        status=1
    elif [ "$wanted" = holds ] && [ "$errors" = 0 ]; then
        echo "holds"
    elif [ "$wanted" = forks ] && [ "$errors" = 1 ]; then
        echo "forks, as it must"
    else
        echo "WRONG: has to be: $wanted; see $out"
        status=1
    fi
}

# Only H = N - B and Q - B enter the model: n = 4, q = 3 with one Byzantine validator is n = 3, q = 2 with none.
model n4_b1_and_n3_q2_b0_v2 holds -DN=4 -DB=1 -DQ=3 -DV=2
model n3_q3_b2_v3 holds -DN=3 -DB=2 -DQ=3 -DV=3
model n3_q3_b1_v3 holds -DN=3 -DB=1 -DQ=3 -DV=3
model n3_q3_b0_v3 holds -DN=3 -DB=0 -DQ=3 -DV=3
model n4_b2 forks -DN=4 -DB=2 -DQ=3 -DV=2 -DONLY_FORKS
model n6_q3_b1 forks -DN=6 -DB=1 -DQ=3 -DV=1 -DONLY_FORKS # q = 2f+1, as Besu's legacy helper computes it
model n3_q2_b1 forks -DN=3 -DB=1 -DQ=2 -DV=2 -DONLY_FORKS
model f_ignores_nullify forks -DN=4 -DB=1 -DQ=3 -DV=2 -DONLY_FORKS -DF_IGNORES_NULLIFY
model n_skips_unproven forks -DN=4 -DB=1 -DQ=3 -DV=2 -DONLY_FORKS -DN_SKIPS_UNPROVEN
# The long one: ten million states.
model n4_b1_and_n3_q2_b0_v3 holds -DN=4 -DB=1 -DQ=3 -DV=3
exit $status
