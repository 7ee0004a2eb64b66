/* base.h: what every folder needs: the status enum, borrowed and owned bytes, asserts, checked
 * arithmetic. Nothing here allocates, and nothing here knows what the bytes mean. */
#ifndef HUB_BASE_H
#define HUB_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HUB_MUST_USE __attribute__((warn_unused_result))

/* The one status enum: name, text. Grouped by who is wrong: input, limit, environment, not now. */
#define HUB_STATUS_LIST(X)                                                                         \
    X(HUB_OK, "ok")                                                                                \
    X(HUB_BAD_ENCODING, "not deterministic CBOR of the expected shape")                            \
    X(HUB_BAD_GENESIS, "genesis file breaks a rule")                                               \
    X(HUB_BAD_BLOCK, "block claims something that applying it does not give")                      \
    X(HUB_BAD_CERTIFICATE, "certificate is not a quorum of valid signatures")                      \
    X(HUB_BAD_KEY_FILE, "key file is damaged or the passphrase is wrong")                          \
    X(HUB_REFUSED, "record can be in no block")                                                    \
    X(HUB_UNKNOWN_PARENT, "parent block is not held")                                              \
    X(HUB_UNKNOWN_KEY, "no such key")                                                              \
    X(HUB_NOT_FOUND, "not found")                                                                  \
    X(HUB_CONFLICT, "contradicts what is already recorded")                                        \
    X(HUB_LIMIT, "a bound of limits.h is reached")                                                 \
    X(HUB_IO, "the operating system refused")                                                      \
    X(HUB_CORRUPT, "stored bytes do not match their hash")                                         \
    X(HUB_NOT_NOW, "try again later")

enum hub_status {
#define HUB_STATUS_ENUM(name, text) name,
    HUB_STATUS_LIST(HUB_STATUS_ENUM)
#undef HUB_STATUS_ENUM
};

/* Bytes that belong to somebody else: borrowed, valid as long as the owner says. */
struct hub_span {
    const uint8_t *data;
    size_t len;
};

/* Bytes being written. Storage is the caller's: data[cap], of which len are used. A writer that
 * finds no room sets full and writes nothing more, so a chain of puts is checked once, at its end. */
struct hub_buf {
    uint8_t *data;
    size_t len, cap;
    bool full;
};

/* Byte arrays are wrapped so that the compiler tells them apart. */
struct hub_hash {
    uint8_t b[32];
};
struct hub_public_key {
    uint8_t b[32];
};
struct hub_signature {
    uint8_t b[64];
};

/* Tripped only by a programmer's error, on in every build; ends the process. Defined once, in
 * node/assert.c, so that the pure layers need no library for it. */
_Noreturn void hub_assert_failed(const char *expr, const char *file, int line);
#define HUB_ASSERT(cond) ((cond) ? (void)0 : hub_assert_failed(#cond, __FILE__, __LINE__))

/* Checked arithmetic for untrusted values: false on overflow, *out untouched then. */
static inline bool hub_add_u64(uint64_t *out, uint64_t a, uint64_t b)
{
    if (a > UINT64_MAX - b)
        return false;
    *out = a + b;
    return true;
}

/* False when b > a, *out untouched then. */
static inline bool hub_sub_u64(uint64_t *out, uint64_t a, uint64_t b)
{
    if (b > a)
        return false;
    *out = a - b;
    return true;
}

static inline unsigned hub_bits_set(uint64_t bits)
{
    unsigned n = 0;
    for (; bits != 0; bits &= bits - 1)
        n++;
    return n;
}

static inline struct hub_span hub_span_of(const struct hub_buf *b)
{
    return (struct hub_span){b->data, b->len};
}

/* A C string as bytes, without its terminator; borrowed as long as the string. */
static inline struct hub_span hub_text_span(const char *text)
{
    size_t n = 0;
    while (text[n] != '\0')
        n++;
    return (struct hub_span){(const uint8_t *)text, n};
}

bool hub_span_equal(struct hub_span a, struct hub_span b);
bool hub_hash_equal(const struct hub_hash *a, const struct hub_hash *b);

/* Big-endian integers, as every format of ours stores them outside CBOR. */
static inline uint64_t hub_get_be64(const uint8_t p[8])
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

static inline void hub_put_be64(uint8_t p[8], uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        p[i] = (uint8_t)v;
}

static inline uint32_t hub_get_be32(const uint8_t p[4])
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void hub_put_be32(uint8_t p[4], uint32_t v)
{
    p[0] = (uint8_t)(v >> 24), p[1] = (uint8_t)(v >> 16), p[2] = (uint8_t)(v >> 8),
    p[3] = (uint8_t)v;
}

static inline uint16_t hub_get_be16(const uint8_t p[2])
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void hub_put_be16(uint8_t p[2], uint16_t v)
{
    p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v;
}

#endif
