/* fuzz.h: a fuzz target is one .c here that defines fuzz_accepts. `make fuzz` links it with libFuzzer
 * (libfuzzer.c); `make test` links it with replay.c and feeds it tests/fuzz/corpus/<name>/, where an
 * input named ok-... must be accepted and one named bad-... refused. Whatever must hold of an accepted
 * input the target checks with FUZZ_CHECK. */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include "hub/base.h"

#include <stdio.h>
#include <stdlib.h>

#define FUZZ_CHECK(cond)                                                                           \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The chain of the inputs of record and block: 32 bytes of 0x11. */
#define FUZZ_CHAIN                                                                                 \
    ((struct hub_hash){{0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,          \
                        0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,          \
                        0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11}})

bool fuzz_accepts(struct hub_span input);

#endif
