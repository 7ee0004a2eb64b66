/* body.c: the strict check of a body against its field table, and reading a checked one. */
#include "hub/body.h"

#include "hub/limits.h"
#include "hub/results.h"
#include "hub/sign.h"
#include "ledger/body_walk.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static uint16_t amount_code(uint64_t fen)
{
    if (fen == 0)
        return HUB_CODE_amount_zero;
    return fen > HUB_AMOUNT_MAX ? HUB_CODE_amount_above_max : 0;
}

/* U+0020, or U+3000, the wide space of Chinese keyboards: neither may begin or end a text. */
static bool trimmed(struct hub_span t)
{
    const uint8_t *end = t.data + t.len;

    if (t.len == 0)
        return true;
    if (t.data[0] == ' ' || end[-1] == ' ')
        return false;
    if (t.len < 3)
        return true;
    return !(t.data[0] == 0xe3 && t.data[1] == 0x80 && t.data[2] == 0x80) &&
           !(end[-3] == 0xe3 && end[-2] == 0x80 && end[-1] == 0x80);
}

static uint16_t text_code(struct hub_span t, uint64_t min, uint64_t max)
{
    return t.len < min || t.len > max || !trimmed(t) ? HUB_CODE_text_form : 0;
}

static uint16_t member_code_code(struct hub_span t)
{
    if (t.len < 3 || t.len > HUB_MEMBER_CODE_MAX)
        return HUB_CODE_text_form;
    for (size_t i = 0; i < t.len; i++)
        if (!is_digit(t.data[i]) && (t.data[i] < 'A' || t.data[i] > 'Z'))
            return HUB_CODE_text_form;
    return 0;
}

static unsigned two_digits(const uint8_t *p)
{
    return is_digit(p[0]) && is_digit(p[1]) ? (unsigned)(p[0] - '0') * 10 + (p[1] - '0') : 99;
}

/* YYYY-MM-DD, or --MM-DD where the source names no year (29 February then passes). */
static uint16_t date_code(struct hub_span t)
{
    static const uint8_t days[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool with_year = t.len == 10;
    const uint8_t *p;
    unsigned month, day, year;

    if (!with_year && !(t.len == 7 && t.data[0] == '-' && t.data[1] == '-'))
        return HUB_CODE_date_form;
    p = t.data + (with_year ? 5 : 2);
    month = two_digits(p);
    day = two_digits(p + 3);
    if (p[2] != '-' || month < 1 || month > 12 || day < 1 || day > days[month - 1])
        return HUB_CODE_date_form;
    if (!with_year)
        return 0;
    if (t.data[4] != '-' || two_digits(t.data) == 99 || two_digits(t.data + 2) == 99)
        return HUB_CODE_date_form;
    year = two_digits(t.data) * 100 + two_digits(t.data + 2);
    if (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
        return HUB_CODE_date_form;
    return 0;
}

static bool all_zero(struct hub_span s)
{
    uint8_t any = 0;

    for (size_t i = 0; i < s.len; i++)
        any |= s.data[i];
    return any == 0;
}

static uint16_t key_code(struct hub_span cose_key)
{
    struct hub_public_key key;

    return hub_cose_key_decode(&key, cose_key) && hub_public_key_ok(&key)
               ? 0
               : HUB_CODE_key_form_invalid;
}

static int enum_place(struct hub_span text, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++) {
        size_t n = 0;

        while (n < text.len && names[i][n] != '\0' && names[i][n] == (char)text.data[n])
            n++;
        if (n == text.len && names[i][n] == '\0')
            return i;
    }
    return -1;
}

static uint16_t uint_code(const struct hub_field *f, uint64_t v)
{
    switch (f->kind) {
    case HUB_FIELD_AMOUNT:
        return amount_code(v);
    case HUB_FIELD_WALLET:
        return hub_wallet_number_ok(v) ? 0 : HUB_CODE_check_digits;
    case HUB_FIELD_TIME:
        return v <= HUB_UINT_MAX ? 0 : HUB_CODE_body_invalid;
    default:
        return v >= f->min && v <= f->max && v <= HUB_UINT_MAX ? 0 : HUB_CODE_body_invalid;
    }
}

static uint16_t string_code(const struct hub_field *f, struct hub_span s)
{
    switch (f->kind) {
    case HUB_FIELD_TEXT:
        return text_code(s, f->min, f->max);
    case HUB_FIELD_CODE:
        return member_code_code(s);
    case HUB_FIELD_DATE:
        return date_code(s);
    case HUB_FIELD_ENUM:
        return enum_place(s, f->names) >= 0 ? 0 : HUB_CODE_body_invalid;
    case HUB_FIELD_HASH:
        return s.len == 32 ? 0 : HUB_CODE_hash_form;
    case HUB_FIELD_REF:
        return s.len == 16 && !all_zero(s) ? 0 : HUB_CODE_hash_form;
    case HUB_FIELD_COSE_KEY:
        return key_code(s);
    default:
        return s.len >= f->min && s.len <= f->max ? 0 : HUB_CODE_body_invalid;
    }
}

/* Reads the one item of a scalar field. A wrong major type leaves the cursor bad, which the walk
 * reports as body_invalid. */
static uint16_t value_code(struct hub_cbor *c, const struct hub_field *f)
{
    uint64_t number;
    struct hub_span string;

    switch (f->kind) {
    case HUB_FIELD_UINT:
    case HUB_FIELD_AMOUNT:
    case HUB_FIELD_TIME:
    case HUB_FIELD_WALLET:
        number = hub_cbor_uint(c, 0, UINT64_MAX);
        return c->bad ? 0 : uint_code(f, number);
    case HUB_FIELD_TEXT:
    case HUB_FIELD_CODE:
    case HUB_FIELD_DATE:
    case HUB_FIELD_ENUM:
        string = hub_cbor_text(c, 0, SIZE_MAX);
        return c->bad ? 0 : string_code(f, string);
    case HUB_FIELD_BYTES:
    case HUB_FIELD_HASH:
    case HUB_FIELD_REF:
    case HUB_FIELD_COSE_KEY:
        string = hub_cbor_bytes(c, 0, SIZE_MAX);
        return c->bad ? 0 : string_code(f, string);
    case HUB_FIELD_BOOL:
        hub_cbor_bool(c);
        return 0;
    case HUB_FIELD_RAW:
    case HUB_FIELD_MAP:
    case HUB_FIELD_ARRAY:
    case HUB_FIELD_NESTED:
        break; /* containers never come here: the walk enters them */
    }
    hub_cbor_item(c);
    return 0;
}

uint16_t hub_body_check(struct hub_span body, const struct hub_field *fields, const char **field)
{
    struct hub_body_walk w;
    enum hub_walk_step step;
    uint16_t code = 0;

    if (field != NULL)
        *field = NULL;
    if (!hub_cbor_ok(body))
        return HUB_CODE_not_canonical;
    hub_body_walk_init(&w, body, fields);
    do {
        step = hub_body_walk_next(&w);
        if (step == HUB_WALK_VALUE)
            code = value_code(&w.at, w.field);
        else if (step == HUB_WALK_BROKEN)
            code = w.code;
    } while (code == 0 && step != HUB_WALK_END);
    if (code != 0 && field != NULL)
        *field = w.name;
    return code;
}

bool hub_field_has(struct hub_span map, const char *name)
{
    struct hub_cbor value;

    return hub_cbor_find(&value, map, name);
}

uint64_t hub_field_uint(struct hub_span map, const char *name, uint64_t absent)
{
    struct hub_cbor value;

    return hub_cbor_find(&value, map, name) ? hub_cbor_uint(&value, 0, UINT64_MAX) : absent;
}

bool hub_field_bool(struct hub_span map, const char *name, bool absent)
{
    struct hub_cbor value;

    return hub_cbor_find(&value, map, name) ? hub_cbor_bool(&value) : absent;
}

struct hub_span hub_field_span(struct hub_span map, const char *name)
{
    struct hub_cbor value;

    if (!hub_cbor_find(&value, map, name))
        return (struct hub_span){NULL, 0};
    if (hub_cbor_peek(&value) == HUB_CBOR_TEXT)
        return hub_cbor_text(&value, 0, SIZE_MAX);
    return hub_cbor_bytes(&value, 0, SIZE_MAX);
}

struct hub_span hub_field_item(struct hub_span map, const char *name)
{
    struct hub_cbor value;

    if (!hub_cbor_find(&value, map, name))
        return (struct hub_span){NULL, 0};
    return hub_cbor_item(&value);
}

int hub_field_enum(struct hub_span map, const char *name, const char *const *names)
{
    struct hub_span text = hub_field_span(map, name);

    return text.data == NULL ? -1 : enum_place(text, names);
}

bool hub_field_array(struct hub_span map, const char *name, struct hub_cbor *items, uint32_t *count)
{
    struct hub_cbor value;
    uint32_t n;

    if (!hub_cbor_find(&value, map, name))
        return false;
    n = hub_cbor_array(&value, 0, UINT32_MAX);
    if (value.bad)
        return false;
    *items = value;
    *count = n;
    return true;
}

/* CRC-16/IBM-3740: polynomial 0x1021, start 0xffff, not reflected; "123456789" gives 0x29b1. */
static uint16_t crc16(const uint8_t *data, size_t len)
{
    uint16_t crc = 0xffff;

    for (size_t i = 0; i < len; i++) {
        crc = (uint16_t)(crc ^ data[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

uint64_t hub_wallet_number(uint16_t institution, uint32_t slot)
{
    uint8_t b[8];

    hub_put_be16(b, institution);
    hub_put_be32(b + 2, slot);
    hub_put_be16(b + 6, crc16(b, 6));
    return hub_get_be64(b);
}

bool hub_wallet_number_ok(uint64_t number)
{
    return number == hub_wallet_number((uint16_t)(number >> 48), (uint32_t)(number >> 16));
}
