#!/usr/bin/env bash
# Runs every libFuzzer target built in build/fuzz/fuzz/ for MINUTES each, from tests/fuzz/corpus/NAME;
# what it finds new stays in build/fuzz/corpus/NAME. usage: scripts/fuzz.sh MINUTES [TARGET...]
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh
minutes=${1:?minutes}
shift
[ $# -gt 0 ] || set -- build/fuzz/fuzz/*

fuzz() {
    local target=$1 name
    name=$(basename "$target")
    mkdir -p "build/fuzz/corpus/$name" "build/fuzz/crashes"
    ASAN_OPTIONS=detect_leaks=1 "$target" -max_total_time=$((minutes * 60)) -max_len=70000 -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 -artifact_prefix="build/fuzz/crashes/$name-" \
        "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" && return 0
    echo "repeat it with: make fuzzers VARIANT=asan; build/asan/fuzz/$name build/fuzz/crashes/$name-..."
    echo "with the fix, put the input into tests/fuzz/corpus/$name/"
    return 1
}

for target in "$@"; do
    run "fuzz $(basename "$target")" fuzz "$target"
done
finish
