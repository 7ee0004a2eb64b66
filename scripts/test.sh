#!/usr/bin/env bash
# Everything that must hold, run on what `make test` has built; the last line is the count.
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

# Prints the first findings of a sanitizer's log that count: everything but memory that a test itself
# allocated and left to the end of its process (the caller of malloc, frame 1, stands in tests/).
findings() {
    awk '
        /^(Direct|Indirect) leak of/ { block = $0; next }
        block != "" { block = block "\n" $0 }
        block != "" && /^ *#1 / { if ($0 !~ / tests\/[^ ]*$/) { print block; n++ } block = ""; next }
        /ERROR: AddressSanitizer|runtime error:|WARNING: / { print FILENAME ": " $0; n++; all = 1 }
        all { print }
        n > 20 { exit }' "$@"
}

# A finding fails the run even where the test that caused it passed. exitcode=0 is for leaks, which are
# judged from the log; everything else aborts.
sanitized() {
    local log status=0
    log=$(mktemp -d) || return 1
    ASAN_OPTIONS="abort_on_error=1:exitcode=0:log_path=$log/asan" \
        UBSAN_OPTIONS="print_stacktrace=1:log_path=$log/ubsan" "$@" || status=$?
    if [ -n "$(ls -A "$log")" ]; then
        findings "$log"/* >"$log/findings"
        [ ! -s "$log/findings" ] || {
            cat "$log/findings"
            status=1
        }
    fi
    rm -rf "$log"
    return "$status"
}

if [ -x build/release/unit-tests ]; then
    run "unit tests, release" build/release/unit-tests --jobs 2
    run "unit tests, asan" sanitized build/asan/unit-tests --jobs 2
fi
# The verdicts the unit tests compare with are those of the installed cbor2, not only of an old one.
vectors() {
    "tests/vectors/$1.py" | cmp - "tests/vectors/$1.txt"
}
run "python cbor2 gives tests/vectors/cbor.txt" vectors cbor
run "the second writer gives tests/vectors/golden.txt" vectors golden
run "the second model gives tests/vectors/votes.txt" vectors votes
run "golden.txt follows docs/formats.cddl" tests/vectors/cddl.py
run "the second judge of evidence agrees" tests/vectors/evidence.py --golden
for check in scripts/check-pure.sh scripts/check-includes.sh; do
    [ ! -x "$check" ] || run "$check" "$check"
done
for target in build/asan/fuzz/*; do
    [ -x "$target" ] || continue
    run "corpus $(basename "$target")" sanitized "$target" tests/fuzz/corpus/"$(basename "$target")"/*
done
# Equal seeds end with equal hashes of all that happened, whoever compiled the program. (What the auditor keeps
# lies in mapped pages, where the leak checker does not look for pointers.)
same_hashes() {
    cmp <(build/release/sim --hashes 12 --from 30) <(ASAN_OPTIONS=detect_leaks=0 build/asan/sim --hashes 12 --from 30)
}
run "simulator" build/release/sim --seeds "${SEEDS:-150}"
[ ! -x build/release/twins ] || run "twins" build/release/twins --scenarios 400
run "simulator, forks by one liar too many" build/release/sim --accountability 16
run "simulator, asan" sanitized build/asan/sim --seeds 6
run "simulator, guards taken away" build/release/sim --controls
run "simulator, same hashes under asan" same_hashes
run "simulator, an idle day" build/release/sim --idle 1
run "simulator, its disk beside the real store" build/release/sim --calibrate 1
run "simulator, failures that were" build/release/sim --replay tests/regress/*.sim
if [ -x build/release/powercut ]; then
    run "power cuts" build/release/powercut --every 61 --seeds 2
    run "power cuts, disk lies" build/release/powercut --every 401 --lie
    run "flipped bits" build/release/powercut --flips --every 83
    run "failing disk calls" build/release/powercut --errors --every 43 --seeds 2
fi
if [ -x build/release/exhaustive ]; then
    run "every state of small clusters" build/release/exhaustive quick
    run "and of clusters with a guard removed" tests/exhaustive/controls.sh build/release
fi
run "the judge of histories" tests/chaos/history_test.py
run "the judge of readings" tests/chaos/reading_test.py
if [ -x build/release/fault_at.so ]; then
    run "nodes killed at disk calls" tests/storage/killpoints.py --trials 12
    run "a volume filled and freed" tests/storage/full.py
fi
run_scripts tests/e2e/*.sh

finish
