/* cbor.c: one function reads heads, so every strictness about them is in one place; one walks whole
 * items, with a stack of the depth limit instead of recursion. */
#include "hub/cbor.h"

#include "hub/limits.h"

#include <string.h>

/* Tags that may stand inside an item: COSE_Sign1 and COSE_Sign. (55799 stands in front of files only,
 * where a reader asks for it by name.) */
enum { TAG_SIGN1 = 18, TAG_SIGN = 98 };

/* Simple values, as the byte that encodes them. */
enum { BYTE_FALSE = 0xf4, BYTE_TRUE = 0xf5, BYTE_NULL = 0xf6 };

static size_t left(const struct hub_cbor *c)
{
    return (size_t)(c->end - c->at);
}

struct hub_cbor hub_cbor_open(struct hub_span bytes)
{
    /* Adding zero to a null pointer is undefined. */
    const uint8_t *end = bytes.len == 0 ? bytes.data : bytes.data + bytes.len;

    return (struct hub_cbor){bytes.data, end, false};
}

enum hub_cbor_kind hub_cbor_peek(const struct hub_cbor *c)
{
    HUB_ASSERT(c->at <= c->end);
    if (c->bad || c->at == c->end)
        return HUB_CBOR_END;
    return (enum hub_cbor_kind)(*c->at >> 5);
}

/* The argument of a head: RFC 8949 3, with 4.2.1's shortest form and no indefinite lengths. Sets bad
 * and returns 0 when the next head is not of this kind. Not for HUB_CBOR_SIMPLE. */
static uint64_t read_head(struct hub_cbor *c, enum hub_cbor_kind kind)
{
    static const uint64_t least[4] = {24, 0x100, 0x10000, 0x100000000};
    unsigned info, bytes;
    uint64_t v = 0;

    HUB_ASSERT(kind < HUB_CBOR_SIMPLE);
    if (hub_cbor_peek(c) != kind) {
        c->bad = true;
        return 0;
    }
    info = *c->at & 0x1f;
    if (info < 24) {
        c->at++;
        return info;
    }
    bytes = info < 28 ? 1u << (info - 24) : 0;
    if (bytes == 0 || bytes >= left(c)) {
        c->bad = true;
        return 0;
    }
    for (unsigned i = 1; i <= bytes; i++)
        v = v << 8 | c->at[i];
    if (v < least[info - 24]) {
        c->bad = true;
        return 0;
    }
    c->at += 1 + bytes;
    return v;
}

/* The content of a byte or text string. */
static struct hub_span read_string(struct hub_cbor *c, enum hub_cbor_kind kind)
{
    uint64_t n = read_head(c, kind);
    struct hub_span s = {NULL, 0};

    if (c->bad)
        return s;
    if (n > left(c)) {
        c->bad = true;
        return s;
    }
    s = (struct hub_span){c->at, (size_t)n};
    c->at += n;
    if (kind == HUB_CBOR_TEXT && !hub_text_ok(s))
        c->bad = true;
    return s;
}

/* How many items follow the head of an array, map or tag: each takes a byte at least. */
static uint64_t read_count(struct hub_cbor *c, enum hub_cbor_kind kind)
{
    uint64_t n = read_head(c, kind);

    if (n > (kind == HUB_CBOR_MAP ? left(c) / 2 : left(c)))
        c->bad = true;
    return c->bad ? 0 : n;
}

uint64_t hub_cbor_uint(struct hub_cbor *c, uint64_t min, uint64_t max)
{
    uint64_t v = read_head(c, HUB_CBOR_UINT);

    HUB_ASSERT(min <= max);
    if (v < min || v > max)
        c->bad = true;
    return c->bad ? 0 : v;
}

int64_t hub_cbor_int(struct hub_cbor *c)
{
    bool negative = hub_cbor_peek(c) == HUB_CBOR_NEGATIVE;
    uint64_t v = read_head(c, negative ? HUB_CBOR_NEGATIVE : HUB_CBOR_UINT);

    if (v > INT64_MAX)
        c->bad = true;
    if (c->bad)
        return 0;
    return negative ? -1 - (int64_t)v : (int64_t)v;
}

bool hub_cbor_bool(struct hub_cbor *c)
{
    bool v = hub_cbor_peek(c) != HUB_CBOR_END && *c->at == BYTE_TRUE;

    if (!v && (hub_cbor_peek(c) == HUB_CBOR_END || *c->at != BYTE_FALSE)) {
        c->bad = true;
        return false;
    }
    c->at++;
    return v;
}

void hub_cbor_null(struct hub_cbor *c)
{
    if (hub_cbor_peek(c) != HUB_CBOR_END && *c->at == BYTE_NULL)
        c->at++;
    else
        c->bad = true;
}

static struct hub_span string_within(struct hub_cbor *c, enum hub_cbor_kind kind, size_t min,
                                     size_t max)
{
    struct hub_span s = read_string(c, kind);

    HUB_ASSERT(min <= max);
    if (s.len < min || s.len > max)
        c->bad = true;
    return c->bad ? (struct hub_span){NULL, 0} : s;
}

struct hub_span hub_cbor_bytes(struct hub_cbor *c, size_t min, size_t max)
{
    return string_within(c, HUB_CBOR_BYTES, min, max);
}

struct hub_span hub_cbor_text(struct hub_cbor *c, size_t min, size_t max)
{
    return string_within(c, HUB_CBOR_TEXT, min, max);
}

void hub_cbor_copy(struct hub_cbor *c, uint8_t *out, size_t n)
{
    struct hub_span s = hub_cbor_bytes(c, n, n);

    if (c->bad)
        memset(out, 0, n);
    else if (n > 0)
        memcpy(out, s.data, n);
}

void hub_cbor_hash(struct hub_cbor *c, struct hub_hash *out)
{
    hub_cbor_copy(c, out->b, sizeof out->b);
}

static uint32_t count_within(struct hub_cbor *c, enum hub_cbor_kind kind, uint32_t min,
                             uint32_t max)
{
    uint64_t n = read_count(c, kind);

    HUB_ASSERT(min <= max);
    if (n < min || n > max)
        c->bad = true;
    return c->bad ? 0 : (uint32_t)n;
}

uint32_t hub_cbor_array(struct hub_cbor *c, uint32_t min, uint32_t max)
{
    return count_within(c, HUB_CBOR_ARRAY, min, max);
}

uint32_t hub_cbor_map(struct hub_cbor *c, uint32_t min, uint32_t max)
{
    return count_within(c, HUB_CBOR_MAP, min, max);
}

void hub_cbor_tag(struct hub_cbor *c, uint64_t tag)
{
    if (read_head(c, HUB_CBOR_TAG) != tag)
        c->bad = true;
}

bool hub_cbor_has_key(struct hub_cbor *c, const char *text)
{
    struct hub_cbor ahead = *c;
    struct hub_span key = {NULL, 0};

    if (hub_cbor_peek(c) == HUB_CBOR_TEXT)
        key = read_string(&ahead, HUB_CBOR_TEXT);
    if (key.data == NULL || ahead.bad)
        return false;
    if (!hub_span_equal(key, (struct hub_span){(const uint8_t *)text, strlen(text)}))
        return false;
    *c = ahead;
    return true;
}

void hub_cbor_key(struct hub_cbor *c, const char *text)
{
    if (!hub_cbor_has_key(c, text))
        c->bad = true;
}

void hub_cbor_label(struct hub_cbor *c, int64_t label)
{
    if (hub_cbor_int(c) != label)
        c->bad = true;
}

/* An array, map or tag whose children are being read. */
struct level {
    uint64_t items; /* children still to come; a map's keys and values count separately */
    bool map, at_key;
    const uint8_t *child; /* first byte of the child being read; borrowed like the cursor */
    struct hub_span last_key;
};

/* Bytewise order of the encodings (RFC 8949 4.2.1). */
static bool key_before(struct hub_span a, struct hub_span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = 0;

    if (n > 0) {
        HUB_ASSERT(a.data != NULL && b.data != NULL);
        order = memcmp(a.data, b.data, n);
    }
    return order < 0 || (order == 0 && a.len < b.len);
}

static void finish_child(struct hub_cbor *c, struct level *in)
{
    HUB_ASSERT(in->items > 0);
    in->items--;
    if (!in->map)
        return;
    if (in->at_key) {
        struct hub_span key = {in->child, (size_t)(c->at - in->child)};

        if (!key_before(in->last_key, key))
            c->bad = true;
        in->last_key = key;
    }
    in->at_key = !in->at_key;
}

/* Reads one head, and the content if it is a scalar. True when children follow, described in *in. */
static bool read_node(struct hub_cbor *c, struct level *in)
{
    enum hub_cbor_kind kind = hub_cbor_peek(c);
    uint64_t tag;

    *in = (struct level){.map = kind == HUB_CBOR_MAP, .at_key = kind == HUB_CBOR_MAP};
    switch (kind) {
    case HUB_CBOR_UINT:
    case HUB_CBOR_NEGATIVE:
        read_head(c, kind);
        return false;
    case HUB_CBOR_BYTES:
    case HUB_CBOR_TEXT:
        read_string(c, kind);
        return false;
    case HUB_CBOR_ARRAY:
        in->items = read_count(c, kind);
        return true;
    case HUB_CBOR_MAP:
        in->items = 2 * read_count(c, kind);
        return true;
    case HUB_CBOR_TAG:
        tag = read_head(c, kind);
        if (tag != TAG_SIGN1 && tag != TAG_SIGN)
            c->bad = true;
        in->items = 1;
        return true;
    case HUB_CBOR_SIMPLE:
        if (*c->at == BYTE_NULL)
            hub_cbor_null(c);
        else
            hub_cbor_bool(c);
        return false;
    case HUB_CBOR_END:
        break;
    }
    c->bad = true;
    return false;
}

struct hub_span hub_cbor_item(struct hub_cbor *c)
{
    struct level stack[HUB_CBOR_DEPTH_MAX];
    const uint8_t *start = c->at;
    unsigned depth = 0;

    do {
        struct level in;

        if (depth > 0)
            stack[depth - 1].child = c->at;
        if (!read_node(c, &in)) {
            if (depth > 0)
                finish_child(c, &stack[depth - 1]);
        } else if (depth == HUB_CBOR_DEPTH_MAX) {
            c->bad = true;
        } else {
            stack[depth++] = in;
        }
        /* What was read may have been the last child of several. */
        while (depth > 0 && stack[depth - 1].items == 0)
            if (--depth > 0)
                finish_child(c, &stack[depth - 1]);
    } while (depth > 0 && !c->bad);
    if (c->bad)
        return (struct hub_span){NULL, 0};
    return (struct hub_span){start, (size_t)(c->at - start)};
}

bool hub_cbor_done(const struct hub_cbor *c)
{
    return !c->bad && c->at == c->end;
}

bool hub_cbor_ok(struct hub_span bytes)
{
    struct hub_cbor c = hub_cbor_open(bytes);

    hub_cbor_item(&c);
    return hub_cbor_done(&c);
}

bool hub_cbor_find(struct hub_cbor *value, struct hub_span map, const char *key)
{
    struct hub_cbor c = hub_cbor_open(map);
    uint64_t n = read_count(&c, HUB_CBOR_MAP);

    for (uint64_t i = 0; i < n && !c.bad; i++) {
        bool found = hub_cbor_has_key(&c, key);
        struct hub_span item;

        if (!found)
            hub_cbor_item(&c);
        item = hub_cbor_item(&c);
        if (found && !c.bad) {
            *value = hub_cbor_open(item);
            return true;
        }
    }
    return false;
}

/* Room for n more bytes, or full. */
static uint8_t *claim(struct hub_buf *b, size_t n)
{
    uint8_t *at;

    HUB_ASSERT(b->len <= b->cap);
    if (b->full || n > b->cap - b->len) {
        b->full = true;
        return NULL;
    }
    at = b->data + b->len;
    b->len += n;
    return at;
}

static void put_head(struct hub_buf *b, enum hub_cbor_kind kind, uint64_t v)
{
    unsigned info = v < 24            ? (unsigned)v
                    : v <= 0xff       ? 24
                    : v <= 0xffff     ? 25
                    : v <= 0xffffffff ? 26
                                      : 27;
    unsigned bytes = info < 24 ? 0 : 1u << (info - 24);
    uint8_t *at = claim(b, 1 + bytes);

    if (at == NULL)
        return;
    at[0] = (uint8_t)(kind << 5 | info);
    for (unsigned i = bytes; i > 0; i--, v >>= 8)
        at[i] = (uint8_t)v;
}

void hub_put_raw(struct hub_buf *b, struct hub_span v)
{
    uint8_t *at = claim(b, v.len);

    if (at != NULL && v.len > 0)
        memcpy(at, v.data, v.len);
}

void hub_put_uint(struct hub_buf *b, uint64_t v)
{
    put_head(b, HUB_CBOR_UINT, v);
}

void hub_put_int(struct hub_buf *b, int64_t v)
{
    if (v >= 0)
        put_head(b, HUB_CBOR_UINT, (uint64_t)v);
    else
        put_head(b, HUB_CBOR_NEGATIVE, (uint64_t)(-1 - v));
}

void hub_put_bytes_head(struct hub_buf *b, size_t n)
{
    put_head(b, HUB_CBOR_BYTES, n);
}

void hub_put_bytes(struct hub_buf *b, struct hub_span v)
{
    hub_put_bytes_head(b, v.len);
    hub_put_raw(b, v);
}

void hub_put_hash(struct hub_buf *b, const struct hub_hash *v)
{
    hub_put_bytes(b, (struct hub_span){v->b, sizeof v->b});
}

void hub_put_text_span(struct hub_buf *b, struct hub_span v)
{
    put_head(b, HUB_CBOR_TEXT, v.len);
    hub_put_raw(b, v);
}

void hub_put_text(struct hub_buf *b, const char *v)
{
    hub_put_text_span(b, (struct hub_span){(const uint8_t *)v, strlen(v)});
}

void hub_put_bool(struct hub_buf *b, bool v)
{
    const uint8_t byte = v ? BYTE_TRUE : BYTE_FALSE;

    hub_put_raw(b, (struct hub_span){&byte, 1});
}

void hub_put_null(struct hub_buf *b)
{
    const uint8_t byte = BYTE_NULL;

    hub_put_raw(b, (struct hub_span){&byte, 1});
}

void hub_put_array(struct hub_buf *b, uint64_t n)
{
    put_head(b, HUB_CBOR_ARRAY, n);
}

void hub_put_map(struct hub_buf *b, uint64_t n)
{
    put_head(b, HUB_CBOR_MAP, n);
}

void hub_put_tag(struct hub_buf *b, uint64_t tag)
{
    put_head(b, HUB_CBOR_TAG, tag);
}
