/* cbor.h: strict deterministic CBOR (RFC 8949 4.2.1, formats.cddl). A cursor over borrowed bytes and a
 * writer into caller memory; no allocation, no recursion.
 *  1. at <= end always. A failed read sets bad and every later read fails, returning 0 or an empty
 *     span; a decoder reads straight on and asks hub_cbor_done() once at the end.
 *  2. Accepted are exactly the bytes the writer would produce: shortest heads, definite lengths, keys in
 *     bytewise order of their encoding and unique, no floats, simple values false, true, null only.
 *  3. A count is checked against the bytes left before anything else. */
#ifndef HUB_CBOR_H
#define HUB_CBOR_H

#include "hub/base.h"

struct hub_cbor {
    const uint8_t *at, *end;
    bool bad;
};

enum hub_cbor_kind {
    HUB_CBOR_UINT = 0,
    HUB_CBOR_NEGATIVE = 1,
    HUB_CBOR_BYTES = 2,
    HUB_CBOR_TEXT = 3,
    HUB_CBOR_ARRAY = 4,
    HUB_CBOR_MAP = 5,
    HUB_CBOR_TAG = 6,
    HUB_CBOR_SIMPLE = 7,
    HUB_CBOR_END = 8 /* no bytes left, or bad */
};

struct hub_cbor hub_cbor_open(struct hub_span bytes);
enum hub_cbor_kind hub_cbor_peek(const struct hub_cbor *c);
uint64_t hub_cbor_uint(struct hub_cbor *c, uint64_t min, uint64_t max);
/* -1 - n for major type 1; also accepts unsigned. Range of int64_t. */
int64_t hub_cbor_int(struct hub_cbor *c);
bool hub_cbor_bool(struct hub_cbor *c);
void hub_cbor_null(struct hub_cbor *c);
struct hub_span hub_cbor_bytes(struct hub_cbor *c, size_t min, size_t max);
/* UTF-8 checked, forbidden characters refused (formats.cddl `remark`). Length in bytes. */
struct hub_span hub_cbor_text(struct hub_cbor *c, size_t min, size_t max);
/* bstr of exactly n bytes copied to out (zeroed on failure). */
void hub_cbor_copy(struct hub_cbor *c, uint8_t *out, size_t n);
void hub_cbor_hash(struct hub_cbor *c, struct hub_hash *out);
uint32_t hub_cbor_array(struct hub_cbor *c, uint32_t min, uint32_t max);
uint32_t hub_cbor_map(struct hub_cbor *c, uint32_t min, uint32_t max);
void hub_cbor_tag(struct hub_cbor *c, uint64_t tag);
/* The next key must be exactly this one; order is the caller's to write down in encoding order. */
void hub_cbor_key(struct hub_cbor *c, const char *text);
void hub_cbor_label(struct hub_cbor *c, int64_t label);
/* True and consumed if the next item is this text key; else false and nothing read: for optional keys. */
bool hub_cbor_has_key(struct hub_cbor *c, const char *text);
/* Skips one whole item, checking rule 2; returns its bytes. */
struct hub_span hub_cbor_item(struct hub_cbor *c);
/* Everything was read and nothing failed. */
bool hub_cbor_done(const struct hub_cbor *c);
/* bytes are exactly one deterministic item. Nesting at most HUB_CBOR_DEPTH_MAX. */
bool hub_cbor_ok(struct hub_span bytes);
/* In a map that hub_cbor_ok accepted: positions *value at the value of a text key; false if absent. */
bool hub_cbor_find(struct hub_cbor *value, struct hub_span map, const char *key);
/* Text rules of formats.cddl: UTF-8, no control or bidirectional characters. */
bool hub_text_ok(struct hub_span text);

/* Writer. Each put appends one item or head to buf, or sets buf->full. */
void hub_put_uint(struct hub_buf *b, uint64_t v);
void hub_put_int(struct hub_buf *b, int64_t v);
void hub_put_bytes(struct hub_buf *b, struct hub_span v);
void hub_put_hash(struct hub_buf *b, const struct hub_hash *v);
void hub_put_text(struct hub_buf *b, const char *v);
void hub_put_text_span(struct hub_buf *b, struct hub_span v);
void hub_put_bool(struct hub_buf *b, bool v);
void hub_put_null(struct hub_buf *b);
void hub_put_array(struct hub_buf *b, uint64_t n);
void hub_put_map(struct hub_buf *b, uint64_t n);
void hub_put_tag(struct hub_buf *b, uint64_t tag);
/* Head of a byte string of n bytes, which the caller then appends with hub_put_raw. */
void hub_put_bytes_head(struct hub_buf *b, size_t n);
/* Already encoded items, or the inside of a byte string. */
void hub_put_raw(struct hub_buf *b, struct hub_span v);

#endif
