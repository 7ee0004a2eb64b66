/* values.c: what people type and read: amounts, times, wallet numbers, hex. Parsers are strict and silent. */
#include "tools/cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { UTC8_MS = 8 * 3600 * 1000, DAY_MS = 86400000 };

bool hub_parse_uint(uint64_t *out, const char *text, uint64_t max)
{
    uint64_t v = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        const uint64_t digit = (uint64_t)(*text - '0');
        if (*text < '0' || *text > '9' || v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return v <= max;
}

bool hub_parse_amount(uint64_t *fen, const char *text)
{
    char digits[32];
    size_t len = strlen(text), n = 0;
    if (len > 3 && !strcmp(text + len - 3, "fen")) {
        if (len - 3 >= sizeof digits)
            return false;
        memcpy(digits, text, len - 3);
        digits[len - 3] = 0;
        return hub_parse_uint(fen, digits, HUB_AMOUNT_MAX) && *fen > 0;
    }
    int decimals = -1;
    for (; *text; text++) {
        if (*text == '.' && decimals < 0 && n > 0) {
            decimals = 0;
            continue;
        }
        if (*text < '0' || *text > '9' || decimals == 2 || n + 3 >= sizeof digits)
            return false;
        digits[n++] = *text;
        decimals += decimals >= 0;
    }
    if (decimals == 0 || n == 0)
        return false; /* "12." and "." */
    for (int i = decimals < 0 ? 0 : decimals; i < 2; i++)
        digits[n++] = '0';
    digits[n] = 0;
    return hub_parse_uint(fen, digits, HUB_AMOUNT_MAX) && *fen > 0;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant, days_from_civil). */
static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    const int64_t era = (y >= 0 ? y : y - 399) / 400;
    const unsigned yoe = (unsigned)(y - era * 400);
    const unsigned doy = (153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;
    const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

static unsigned month_days(unsigned y, unsigned m)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 29 : days[m - 1];
}

bool hub_parse_time(uint64_t *ms, const char *text, bool end_of_day)
{
    unsigned y, mo, d, h = 0, mi = 0, s = 0;
    int used = 0;
    char rest[8] = "";
    if (sscanf(text, "%4u-%2u-%2u%n", &y, &mo, &d, &used) != 3 || used != 10 || y < 1970 ||
        mo < 1 || mo > 12 || d < 1 || d > month_days(y, mo))
        return false;
    const uint64_t day = (uint64_t)days_from_civil(y, mo, d) * DAY_MS;
    const char *at = text + used;
    if (!*at) { /* a day of Beijing time */
        if (day < UTC8_MS)
            return false;
        *ms = day - UTC8_MS + (end_of_day ? DAY_MS - 1 : 0);
        return true;
    }
    used = 0;
    if ((*at != ' ' && *at != 'T') || sscanf(at + 1, "%2u:%2u%n", &h, &mi, &used) != 2 || used != 5)
        return false;
    at += 1 + used;
    if (*at == ':') {
        if (sscanf(at + 1, "%2u%n", &s, &used) != 1 || used != 2)
            return false;
        at += 3;
    }
    if (strlen(at) >= sizeof rest || h > 23 || mi > 59 || s > 59)
        return false;
    strcpy(rest, at);
    const bool utc = !strcmp(rest, "Z");
    if (!utc && strcmp(rest, "") != 0 && strcmp(rest, "+08:00") != 0)
        return false;
    const uint64_t t = day + ((uint64_t)h * 60 + mi) * 60000 + (uint64_t)s * 1000;
    if (!utc && t < UTC8_MS)
        return false;
    *ms = utc ? t : t - UTC8_MS;
    return true;
}

bool hub_parse_wallet(uint64_t *number, const char *text)
{
    unsigned institution, crc;
    uint64_t slot;
    int used = 0;
    if (sscanf(text, "%5u-%10" SCNu64 "-%5u%n", &institution, &slot, &crc, &used) == 3 &&
        !text[used]) {
        if (institution > 65535 || slot > UINT32_MAX || crc > 65535)
            return false;
        *number = (uint64_t)institution << 48 | slot << 16 | crc;
    } else if (!hub_parse_uint(number, text, UINT64_MAX)) {
        return false;
    }
    return hub_wallet_number_ok(*number);
}

bool hub_parse_hex(uint8_t *out, size_t n, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(text) != 2 * n)
        return false;
    for (size_t i = 0; i < 2 * n; i++) {
        const char c = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] + 32 : text[i]);
        const char *at = strchr(digits, c);
        if (!at)
            return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | (at - digits) : (at - digits) << 4);
    }
    return true;
}

bool hub_parse_duration(uint64_t *ms, const char *text)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", DAY_MS}};
    char digits[16];
    const size_t n = strspn(text, "0123456789");
    if (n == 0 || n >= sizeof digits)
        return false;
    memcpy(digits, text, n);
    digits[n] = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(text + n, units[i].unit) &&
            hub_parse_uint(ms, digits, 3650 * (uint64_t)DAY_MS / units[i].ms)) {
            *ms *= units[i].ms;
            return true;
        }
    return false;
}

void hub_format_yuan(char out[32], uint64_t fen)
{
    char digits[24];
    const int n = snprintf(digits, sizeof digits, "%" PRIu64, fen / 100);
    char *at = out;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    snprintf(at, (size_t)(out + 32 - at), ".%02u", (unsigned)(fen % 100));
}

void hub_format_wallet(char out[24], uint64_t number)
{
    snprintf(out, 24, "%05u-%010u-%05u", (unsigned)(number >> 48),
             (unsigned)(number >> 16 & UINT32_MAX), (unsigned)(number & 0xffff));
}

/* Inverse of days_from_civil. */
static void civil_from_days(int64_t z, int64_t *y, unsigned *m, unsigned *d)
{
    z += 719468;
    const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    const unsigned doe = (unsigned)(z - era * 146097);
    const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    *d = doy - (153 * mp + 2) / 5 + 1;
    *m = mp < 10 ? mp + 3 : mp - 9;
    *y = (int64_t)yoe + era * 400 + (*m <= 2);
}

void hub_format_time(char out[64], uint64_t ms, bool zh)
{
    int64_t y;
    unsigned m, d;
    if (ms > UINT64_C(253402300799999) - UTC8_MS) { /* behind the year 9999 */
        snprintf(out, 64, "%" PRIu64 " ms", ms);
        return;
    }
    const uint64_t local = ms + UTC8_MS;
    civil_from_days((int64_t)(local / DAY_MS), &y, &m, &d);
    const unsigned minute = (unsigned)(local % DAY_MS / 60000);
    snprintf(out, 64, "%04d-%02u-%02u %02u:%02u%s", (int)y, m, d, minute / 60, minute % 60,
             zh ? "（北京时间）" : " (Beijing time)");
}

void hub_format_hex(char *out, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = 0;
}

uint64_t hub_json_number(const json_t *object, const char *name, uint64_t absent)
{
    const json_t *v = json_object_get(object, name);
    uint64_t number;
    if (json_is_integer(v) && json_integer_value(v) >= 0)
        return (uint64_t)json_integer_value(v);
    return json_is_string(v) && hub_parse_uint(&number, json_string_value(v), UINT64_MAX) ? number
                                                                                          : absent;
}

const char *hub_json_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}
