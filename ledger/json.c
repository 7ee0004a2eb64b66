/* json.c: the writer. What it renders from field tables is in json_body.c. */
#include "hub/json.h"

static void put(struct hub_buf *out, const char *text, size_t len)
{
    hub_put_raw(out, (struct hub_span){(const uint8_t *)text, len});
}

static void put_char(struct hub_buf *out, char c)
{
    put(out, &c, 1);
}

/* Digits of v, padded with zeros in front to at least `width`. */
static void put_digits(struct hub_buf *out, uint64_t v, unsigned width)
{
    char digits[20];
    unsigned n = 0;

    HUB_ASSERT(width <= sizeof digits);
    do {
        digits[sizeof digits - ++n] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0 || n < width);
    put(out, digits + sizeof digits - n, n);
}

void hub_text_put(struct hub_buf *out, const char *text)
{
    hub_put_raw(out, hub_text_span(text));
}

void hub_text_put_u64(struct hub_buf *out, uint64_t v)
{
    put_digits(out, v, 1);
}

void hub_text_put_yuan(struct hub_buf *out, uint64_t fen)
{
    put_digits(out, fen / 100, 1);
    put_char(out, '.');
    put_digits(out, fen % 100, 2);
}

void hub_text_put_wallet(struct hub_buf *out, uint64_t number)
{
    put_digits(out, number >> 48, 5);
    put_char(out, '-');
    put_digits(out, number >> 16 & 0xffffffff, 10);
    put_char(out, '-');
    put_digits(out, number & 0xffff, 5);
}

void hub_text_put_hex(struct hub_buf *out, struct hub_span bytes)
{
    static const char digit[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes.len; i++) {
        put_char(out, digit[bytes.data[i] >> 4]);
        put_char(out, digit[bytes.data[i] & 15]);
    }
}

/* Civil date of a day number since 1970-01-01 in the proleptic Gregorian calendar. Years begin on
 * 1 March inside, so that the leap day is the last of its year; 146,097 days are 400 years. */
static void civil_date(uint64_t days, uint64_t *year, unsigned *month, unsigned *day)
{
    uint64_t z = days + 719468; /* days since 0000-03-01 */
    uint64_t era = z / 146097;
    unsigned of_era = (unsigned)(z % 146097);
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned m = (5 * of_year + 2) / 153; /* 0 = March */

    *day = of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = era * 400 + year_of_era + (*month <= 2);
}

void hub_text_put_time(struct hub_buf *out, uint64_t ms)
{
    uint64_t year, second = ms / 1000 % 86400;
    unsigned month, day;

    if (ms > 253402300799999) { /* 9999-12-31T23:59:59.999Z, the last moment of RFC 3339 */
        put_digits(out, ms, 1);
        return;
    }
    civil_date(ms / 86400000, &year, &month, &day);
    put_digits(out, year, 4);
    put_char(out, '-');
    put_digits(out, month, 2);
    put_char(out, '-');
    put_digits(out, day, 2);
    put_char(out, 'T');
    put_digits(out, second / 3600, 2);
    put_char(out, ':');
    put_digits(out, second / 60 % 60, 2);
    put_char(out, ':');
    put_digits(out, second % 60, 2);
    put_char(out, '.');
    put_digits(out, ms % 1000, 3);
    put_char(out, 'Z');
}

/* The comma rule of json.h. A string's own bytes cannot mislead it: a string ends in a quote. */
static void separate(struct hub_buf *out)
{
    char last;

    if (out->len == 0)
        return;
    last = (char)out->data[out->len - 1];
    if (last != '{' && last != '[' && last != ':' && last != ' ' && last != '\n')
        put_char(out, ',');
}

void hub_json_object(struct hub_buf *out)
{
    separate(out);
    put_char(out, '{');
}

void hub_json_object_end(struct hub_buf *out)
{
    put_char(out, '}');
}

void hub_json_array(struct hub_buf *out)
{
    separate(out);
    put_char(out, '[');
}

void hub_json_array_end(struct hub_buf *out)
{
    put_char(out, ']');
}

static void put_escaped(struct hub_buf *out, char c)
{
    if (c == '"' || c == '\\') {
        put_char(out, '\\');
        put_char(out, c);
    } else if ((unsigned char)c < 0x20) {
        uint8_t byte = (uint8_t)c;

        put(out, "\\u00", 4);
        hub_text_put_hex(out, (struct hub_span){&byte, 1});
    } else {
        put_char(out, c);
    }
}

void hub_json_string_span(struct hub_buf *out, struct hub_span text)
{
    separate(out);
    put_char(out, '"');
    for (size_t i = 0; i < text.len; i++)
        put_escaped(out, (char)text.data[i]);
    put_char(out, '"');
}

void hub_json_string(struct hub_buf *out, const char *text)
{
    hub_json_string_span(out, hub_text_span(text));
}

void hub_json_key_span(struct hub_buf *out, struct hub_span name)
{
    hub_json_string_span(out, name);
    put_char(out, ':');
}

void hub_json_key(struct hub_buf *out, const char *name)
{
    hub_json_string(out, name);
    put_char(out, ':');
}

void hub_json_u64(struct hub_buf *out, uint64_t v)
{
    separate(out);
    put_char(out, '"');
    put_digits(out, v, 1);
    put_char(out, '"');
}

void hub_json_int(struct hub_buf *out, int64_t v)
{
    separate(out);
    if (v < 0)
        put_char(out, '-');
    put_digits(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 1);
}

void hub_json_bool(struct hub_buf *out, bool v)
{
    separate(out);
    hub_text_put(out, v ? "true" : "false");
}

void hub_json_hex(struct hub_buf *out, struct hub_span bytes)
{
    separate(out);
    put_char(out, '"');
    hub_text_put_hex(out, bytes);
    put_char(out, '"');
}

void hub_json_hash(struct hub_buf *out, const struct hub_hash *hash)
{
    hub_json_hex(out, (struct hub_span){hash->b, sizeof hash->b});
}

void hub_json_yuan(struct hub_buf *out, uint64_t fen)
{
    separate(out);
    put_char(out, '"');
    hub_text_put_yuan(out, fen);
    put_char(out, '"');
}

void hub_json_time(struct hub_buf *out, uint64_t ms)
{
    separate(out);
    put_char(out, '"');
    hub_text_put_time(out, ms);
    put_char(out, '"');
}

void hub_json_wallet(struct hub_buf *out, uint64_t number)
{
    separate(out);
    put_char(out, '"');
    hub_text_put_wallet(out, number);
    put_char(out, '"');
}

void hub_json_raw(struct hub_buf *out, struct hub_span json)
{
    separate(out);
    hub_put_raw(out, json);
}

void hub_json_string_member(struct hub_buf *out, const char *name, const char *text)
{
    hub_json_key(out, name);
    hub_json_string(out, text);
}

void hub_json_text_member(struct hub_buf *out, const char *name, struct hub_span text)
{
    if (text.len == 0)
        return;
    hub_json_key(out, name);
    hub_json_string_span(out, text);
}

void hub_json_u64_member(struct hub_buf *out, const char *name, uint64_t v)
{
    hub_json_key(out, name);
    hub_json_u64(out, v);
}

void hub_json_int_member(struct hub_buf *out, const char *name, int64_t v)
{
    hub_json_key(out, name);
    hub_json_int(out, v);
}

void hub_json_bool_member(struct hub_buf *out, const char *name, bool v)
{
    hub_json_key(out, name);
    hub_json_bool(out, v);
}

void hub_json_hex_member(struct hub_buf *out, const char *name, struct hub_span bytes)
{
    hub_json_key(out, name);
    hub_json_hex(out, bytes);
}

void hub_json_hash_member(struct hub_buf *out, const char *name, const struct hub_hash *hash)
{
    hub_json_key(out, name);
    hub_json_hash(out, hash);
}

void hub_json_wallet_member(struct hub_buf *out, const char *name, uint64_t number)
{
    hub_json_key(out, name);
    hub_json_wallet(out, number);
}

void hub_json_names_member(struct hub_buf *out, const char *name, struct hub_span zh,
                           struct hub_span en)
{
    hub_json_key(out, name);
    hub_json_object(out);
    hub_json_text_member(out, "zh", zh);
    hub_json_text_member(out, "en", en);
    hub_json_object_end(out);
}

/* A key made of two parts: "amount" and "_fen". */
static void put_key(struct hub_buf *out, const char *name, const char *suffix)
{
    separate(out);
    put_char(out, '"');
    hub_text_put(out, name);
    hub_text_put(out, suffix);
    put(out, "\":", 2);
}

void hub_json_amount_members(struct hub_buf *out, const char *name, uint64_t fen)
{
    put_key(out, name, "_fen");
    hub_json_u64(out, fen);
    put_key(out, name, "");
    hub_json_yuan(out, fen);
}

void hub_json_time_members(struct hub_buf *out, const char *name, uint64_t ms)
{
    put_key(out, name, "");
    hub_json_time(out, ms);
    put_key(out, name, "_ms");
    hub_json_u64(out, ms);
}
