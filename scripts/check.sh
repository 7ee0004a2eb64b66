#!/usr/bin/env bash
# What `make check` adds to `make test`: a second compiler, static analysis, formatting. Each step runs
# even if one before it failed; the last line is the count.
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

sources() { # sources FOLDER...
    find "$@" -name '*.c' 2>/dev/null | sort
}

tidy() {
    sources crypto ledger consensus node tools |
        xargs -P 2 -n 4 sh -c \
            'clang-tidy --quiet "$@" -- -std=c11 -Iinclude -I. -D_DEFAULT_SOURCE= 2>/dev/null' tidy
}

analyse() {
    # Uninitialised variables are left to the compilers, clang-tidy and the sanitizers: cppcheck takes
    # an array that is about to be written for one that is read.
    cppcheck --quiet --std=c11 --platform=unix64 --enable=warning,portability,performance \
        --inline-suppr --suppress=missingIncludeSystem --suppress=uninitvar \
        --suppress=legacyUninitvar --error-exitcode=1 -j 2 \
        -D'json_array_foreach(a, i, v)=while ((v = json_array_get(a, i)))' \
        -Iinclude -I. -D_DEFAULT_SOURCE= $(sources crypto ledger consensus node tools)
}

formatted() {
    clang-format --dry-run -Werror include/hub/*.h \
        $(find crypto ledger consensus node tools tests -name '*.[ch]' 2>/dev/null | sort)
}

run "clang build" make -s -j2 tests VARIANT=clang
run "clang unit tests" build/clang/unit-tests --jobs 2
# The simulator's runs do not depend on the compiler (gcc's are checked against asan's by make test).
same_hashes() {
    make -s -j2 build/release/sim VARIANT=release &&
        cmp <(build/release/sim --hashes 40) <(build/clang/sim --hashes 40)
}
run "simulator, same hashes under clang" same_hashes
run "clang-tidy" tidy
run "cppcheck" analyse
run "clang-format" formatted
finish
