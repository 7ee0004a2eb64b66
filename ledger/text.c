/* text.c: which texts the ledger holds: UTF-8 (RFC 3629) without characters that make what a person
 * reads differ from what is signed: controls, bidirectional overrides and isolates, and the byte
 * order mark (formats.cddl, `remark`). */
#include "hub/cbor.h"

static bool forbidden(uint32_t c)
{
    return c <= 0x1f || (c >= 0x7f && c <= 0x9f) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* Length in bytes of the sequence that b begins, 0 if none begins so; *min is the least code point
 * that needs this length: less would be an overlong form. */
static unsigned sequence(uint8_t b, uint32_t *bits, uint32_t *min)
{
    if (b < 0x80) {
        *bits = b, *min = 0;
        return 1;
    }
    if (b >= 0xc0 && b < 0xe0) {
        *bits = b & 0x1f, *min = 0x80;
        return 2;
    }
    if (b >= 0xe0 && b < 0xf0) {
        *bits = b & 0x0f, *min = 0x800;
        return 3;
    }
    if (b >= 0xf0 && b < 0xf8) {
        *bits = b & 0x07, *min = 0x10000;
        return 4;
    }
    return 0;
}

/* Bytes of the one character at p, of which left are there; 0 if it is malformed or forbidden. */
static unsigned character(const uint8_t *p, size_t left)
{
    uint32_t c, min;
    unsigned n = sequence(p[0], &c, &min);

    if (n == 0 || n > left)
        return 0;
    for (unsigned i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || forbidden(c))
        return 0;
    return n;
}

bool hub_text_ok(struct hub_span text)
{
    for (size_t at = 0; at < text.len;) {
        unsigned n = character(text.data + at, text.len - at);

        if (n == 0)
            return false;
        at += n;
    }
    return true;
}
