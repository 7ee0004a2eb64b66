/* body.h: the shape of every record body as data. One table of fields serves the strict check, the JSON
 * and text a person sees, and docs/formats.cddl (a test compares them). A new record type is one row
 * in hub_record_types and one apply function.
 *  1. Field names stand in the order of their encoding (shorter first, then bytewise).
 *  2. A body that hub_body_check accepted is deterministic CBOR of the described shape; only then may
 *     hub_field_* read it. */
#ifndef HUB_BODY_H
#define HUB_BODY_H

#include "hub/cbor.h"

enum hub_field_kind {
    HUB_FIELD_UINT,   /* min..max */
    HUB_FIELD_AMOUNT, /* uint, fen; 0 and above HUB_AMOUNT_MAX have codes of their own */
    HUB_FIELD_TIME,   /* uint, Unix ms UTC */
    HUB_FIELD_WALLET, /* uint64, wallet number with check digits */
    HUB_FIELD_BOOL,
    HUB_FIELD_TEXT,     /* min..max bytes, trimmed */
    HUB_FIELD_CODE,     /* member code */
    HUB_FIELD_DATE,     /* YYYY-MM-DD or --MM-DD */
    HUB_FIELD_BYTES,    /* min..max */
    HUB_FIELD_HASH,     /* bstr 32 */
    HUB_FIELD_REF,      /* bstr 16, not zero */
    HUB_FIELD_COSE_KEY, /* bstr 40, a valid key */
    HUB_FIELD_ENUM,     /* text, one of names */
    HUB_FIELD_MAP,      /* closed map of sub */
    HUB_FIELD_ARRAY,    /* min..max items, each like *sub (whose name is NULL) */
    HUB_FIELD_NESTED,   /* bstr .cbor map of sub; min..max bytes */
    HUB_FIELD_RAW       /* any strict item; the type's check function looks at it */
};

struct hub_field {
    const char *name;
    enum hub_field_kind kind;
    bool required;
    uint64_t min, max;
    const struct hub_field *sub; /* MAP, NESTED: ends with name NULL. ARRAY: one element */
    const char *const *names;    /* ENUM: ends with NULL; a value's number is its place */
};

/* 0, or the result code of the first broken rule (body_invalid, amount_zero, check_digits, ...);
 * *field (may be NULL) then names the field, static storage or NULL. */
uint16_t hub_body_check(struct hub_span body, const struct hub_field *fields, const char **field);

/* Reading a checked map. Absent optional fields give the default, an empty span, or false. */
bool hub_field_has(struct hub_span map, const char *name);
uint64_t hub_field_uint(struct hub_span map, const char *name, uint64_t absent);
bool hub_field_bool(struct hub_span map, const char *name, bool absent);
struct hub_span hub_field_span(struct hub_span map,
                               const char *name); /* bytes or text, without head */
struct hub_span hub_field_item(struct hub_span map, const char *name); /* whole encoded item */
/* Place of an enum's text in names, or -1. */
int hub_field_enum(struct hub_span map, const char *name, const char *const *names);
/* Array under name: *count items; open a cursor at the first. False if absent. */
bool hub_field_array(struct hub_span map, const char *name, struct hub_cbor *items,
                     uint32_t *count);

/* A wallet number's check digits: CRC-16/IBM-3740 of its first six bytes. */
uint64_t hub_wallet_number(uint16_t institution, uint32_t slot);
bool hub_wallet_number_ok(uint64_t number);

#endif
