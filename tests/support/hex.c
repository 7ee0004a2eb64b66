#include "tests/support/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = strchr(digits, c | 0x20);

    if (c == '\0' || at == NULL) {
        fprintf(stderr, "not a hex digit in a test vector: '%c'\n", c);
        abort();
    }
    return (unsigned)(at - digits);
}

size_t test_unhex(uint8_t *out, size_t cap, const char *hex)
{
    size_t n = 0;

    for (; *hex != '\0'; hex++) {
        if (strchr(" \n", *hex) != NULL)
            continue;
        if (n == cap) {
            fprintf(stderr, "test vector longer than %zu bytes\n", cap);
            abort();
        }
        out[n++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
        hex++;
    }
    return n;
}

struct hub_hash test_hash(const char *hex)
{
    struct hub_hash h;

    if (test_unhex(h.b, sizeof h.b, hex) != sizeof h.b)
        abort();
    return h;
}

struct hub_span test_bytes(const char *hex)
{
    static uint8_t buffers[16][4096];
    static unsigned next;
    uint8_t *buffer = buffers[next++ % 16];

    return (struct hub_span){buffer, test_unhex(buffer, sizeof buffers[0], hex)};
}

struct hub_span test_text(const char *s)
{
    return (struct hub_span){(const uint8_t *)s, strlen(s)};
}
