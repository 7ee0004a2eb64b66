/* fuzz.h: a fuzz target is one .c here with this one function. `make fuzz` links it with libFuzzer;
 * `make test` links it with replay.c and feeds it tests/fuzz/corpus/<name>/. A target checks what must
 * hold of an accepted input and ends with FUZZ_CHECK; a refusal is always right. */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FUZZ_CHECK(cond)                                                                           \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
