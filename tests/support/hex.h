/* hex.h: published test vectors are hexadecimal; tests quote them as published. */
#ifndef TEST_HEX_H
#define TEST_HEX_H

#include "hub/base.h"

/* Bytes of an even number of hex digits, white space ignored; aborts on anything else or on more than
 * cap bytes. Returns their number. */
size_t test_unhex(uint8_t *out, size_t cap, const char *hex);

/* The same, exactly 32 bytes. */
struct hub_hash test_hash(const char *hex);

/* The same, in one of 16 static buffers of 4,096 bytes, reused in turn. */
struct hub_span test_bytes(const char *hex);

/* The characters of a string, without its terminator. */
struct hub_span test_text(const char *s);

#endif
