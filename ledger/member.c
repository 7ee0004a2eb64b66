/* member.c: rows of members and keys, and the standing and sequence window of a key.
 *
 *   member row [birth code, code, name zh, name en, contact, kind, voting, suspended, removed, institution,
 *               quota, seal_needs, governors_needed, [key row, ..], since, replaced]
 *               texts not given and a code that never changed are empty; since: of suspended or removed
 *   key row    [kid, key, roles, member row / null, wallet, from, until, pending_until, revoked_at,
 *               seq_high, window, label, box, transport]          times 0 and strings empty: not given */
#include "ledger/member.h"

#include "hub/cbor.h"

#include <string.h>

enum { TEXT_MAX = 200, MEMBER_ITEMS = 16, KEY_ITEMS = 14 };

const char *const hub_role_names[] = {"governor", "seal",     "operator", "issuer",   "auditor",
                                      "checker",  "approver", "reader",   "recovery", "validator",
                                      "observer", "wallet",   NULL};
const char *const hub_member_kind_names[] = {"district", "hub",   "authority", "institution",
                                             "auditor",  "other", NULL};

/* ---- members */

void hub_member_get(struct hub_member *out, const struct hub_state *s, uint32_t row)
{
    struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_MEMBERS, row));

    memset(out, 0, sizeof *out);
    out->row = row;
    hub_cbor_array(&c, MEMBER_ITEMS, MEMBER_ITEMS);
    out->birth_code = hub_cbor_text(&c, 1, HUB_MEMBER_CODE_MAX);
    out->code = hub_cbor_text(&c, 0, HUB_MEMBER_CODE_MAX);
    if (out->code.len == 0)
        out->code = out->birth_code;
    out->name_zh = hub_cbor_text(&c, 0, TEXT_MAX);
    out->name_en = hub_cbor_text(&c, 0, TEXT_MAX);
    out->contact = hub_cbor_text(&c, 0, TEXT_MAX);
    out->kind = (enum hub_member_kind)hub_cbor_uint(&c, 0, HUB_KIND_OTHER);
    out->voting = hub_cbor_bool(&c);
    out->suspended = hub_cbor_bool(&c);
    out->removed = hub_cbor_bool(&c);
    out->institution = hub_cbor_uint(&c, 0, UINT16_MAX);
    out->quota = hub_cbor_uint(&c, 0, HUB_AMOUNT_MAX);
    out->seal_needs = hub_cbor_uint(&c, 0, 3);
    out->governors_needed = hub_cbor_uint(&c, 0, 3);
    out->governors = hub_cbor_array(&c, 0, HUB_GOVERNORS_MAX);
    for (uint32_t i = 0; i < out->governors; i++)
        out->governor[i] = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    out->since_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->replaced_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    HUB_ASSERT(hub_cbor_done(&c));
}

static void member_encode(struct hub_buf *b, const struct hub_member *m)
{
    const struct hub_span born = m->birth_code.len > 0 ? m->birth_code : m->code;
    const struct hub_span none = {NULL, 0};

    hub_put_array(b, MEMBER_ITEMS);
    hub_put_text_span(b, born);
    hub_put_text_span(b, hub_span_equal(born, m->code) ? none : m->code);
    hub_put_text_span(b, m->name_zh);
    hub_put_text_span(b, m->name_en);
    hub_put_text_span(b, m->contact);
    hub_put_uint(b, m->kind);
    hub_put_bool(b, m->voting);
    hub_put_bool(b, m->suspended);
    hub_put_bool(b, m->removed);
    hub_put_uint(b, m->institution);
    hub_put_uint(b, m->quota);
    hub_put_uint(b, m->seal_needs);
    hub_put_uint(b, m->governors_needed);
    hub_put_array(b, m->governors);
    for (uint32_t i = 0; i < m->governors; i++)
        hub_put_uint(b, m->governor[i]);
    hub_put_uint(b, m->since_ms);
    hub_put_uint(b, m->replaced_ms);
    HUB_ASSERT(!b->full);
}

uint32_t hub_member_add(struct hub_state *s, struct hub_member *m)
{
    uint8_t bytes[HUB_MEMBER_ROW_BYTES];
    struct hub_buf b = {bytes, 0, sizeof bytes - 2, false};

    member_encode(&b, m);
    m->row = hub_state_add(s, HUB_TABLE_MEMBERS, hub_span_of(&b));
    return m->row;
}

void hub_member_put(struct hub_state *s, const struct hub_member *m)
{
    uint8_t bytes[HUB_MEMBER_ROW_BYTES];
    struct hub_buf b = {bytes, 0, sizeof bytes - 2, false};

    member_encode(&b, m);
    hub_state_put(s, HUB_TABLE_MEMBERS, m->row, hub_span_of(&b));
}

/* A member that changed its code is not in the index under the new one: the few rows are walked. */
static bool find_renamed(struct hub_member *out, const struct hub_state *s, struct hub_span code)
{
    for (uint32_t row = 0; row < s->count[HUB_TABLE_MEMBERS]; row++) {
        struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_MEMBERS, row));

        hub_cbor_array(&c, MEMBER_ITEMS, MEMBER_ITEMS);
        hub_cbor_item(&c);
        if (hub_span_equal(hub_cbor_text(&c, 0, HUB_MEMBER_CODE_MAX), code)) {
            hub_member_get(out, s, row);
            return true;
        }
    }
    return false;
}

bool hub_member_find(struct hub_member *out, const struct hub_state *s, struct hub_span code)
{
    struct hub_member m;
    uint32_t row;

    if (code.len == 0)
        return false;
    if (!hub_state_find(s, HUB_TABLE_MEMBERS, code, &row))
        return find_renamed(out, s, code);
    hub_member_get(&m, s, row);
    if (!hub_span_equal(m.code, code))
        return false; /* it has another code today, and a code is never given twice */
    *out = m;
    return true;
}

/* What a succession gave is remembered in a row of references: between its first code and that of today a member may
 * have had others, which its own row does not tell. */
static struct hub_hash given_code(struct hub_span code)
{
    uint8_t bytes[HUB_MEMBER_CODE_MAX + 4];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    struct hub_hash key;

    hub_put_array(&b, 1);
    hub_put_text_span(&b, code);
    HUB_ASSERT(!b.full);
    hub_hash_tagged(&key, "hubledger/member-code/1", hub_span_of(&b));
    return key;
}

bool hub_member_code_used(const struct hub_state *s, struct hub_span code)
{
    const struct hub_hash given = given_code(code);
    uint32_t row;

    return hub_state_find(s, HUB_TABLE_MEMBERS, code, &row) ||
           hub_state_find(s, HUB_TABLE_REFERENCES, (struct hub_span){given.b, sizeof given.b},
                          &row);
}

void hub_member_rename(struct hub_state *s, struct hub_member *m, struct hub_span code)
{
    const struct hub_hash given = given_code(code);
    uint8_t bytes[HUB_REFERENCE_ROW_BYTES - 2];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};

    if (!hub_member_code_used(s, code)) {
        hub_put_array(&b, 2);
        hub_put_hash(&b, &given);
        hub_put_uint(&b, m->row);
        HUB_ASSERT(!b.full);
        hub_state_add(s, HUB_TABLE_REFERENCES, hub_span_of(&b));
    }
    m->code = code;
    hub_member_put(s, m);
}

bool hub_member_of_institution(struct hub_member *out, const struct hub_state *s,
                               uint64_t institution)
{
    struct hub_member m;

    if (institution == 0)
        return false;
    for (uint32_t row = 0; row < s->count[HUB_TABLE_MEMBERS]; row++) {
        hub_member_get(&m, s, row);
        if (m.institution == institution) {
            *out = m;
            return true;
        }
    }
    return false;
}

/* ---- keys */

void hub_key_get(struct hub_key *out, const struct hub_state *s, uint32_t row)
{
    struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_KEYS, row));

    memset(out, 0, sizeof *out);
    out->row = row;
    hub_cbor_array(&c, KEY_ITEMS, KEY_ITEMS);
    hub_cbor_hash(&c, &out->kid);
    hub_cbor_copy(&c, out->key.b, sizeof out->key.b);
    out->roles = (uint16_t)hub_cbor_uint(&c, 1, UINT16_MAX);
    out->member = UINT32_MAX;
    if (hub_cbor_peek(&c) == HUB_CBOR_UINT)
        out->member = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX - 1);
    else
        hub_cbor_null(&c);
    out->wallet = hub_cbor_uint(&c, 0, UINT64_MAX);
    out->from_ms = hub_cbor_uint(&c, 0, UINT64_MAX);
    out->until_ms = hub_cbor_uint(&c, 0, UINT64_MAX);
    out->pending_until_ms = hub_cbor_uint(&c, 0, UINT64_MAX);
    out->revoked_at_ms = hub_cbor_uint(&c, 0, UINT64_MAX);
    out->seq_high = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    hub_cbor_copy(&c, out->window, sizeof out->window);
    out->label = hub_cbor_text(&c, 0, 64);
    out->box = hub_cbor_bytes(&c, 0, 32);
    out->transport = hub_cbor_bytes(&c, 0, 32);
    HUB_ASSERT(hub_cbor_done(&c));
}

static void key_encode(struct hub_buf *b, const struct hub_key *k)
{
    hub_put_array(b, KEY_ITEMS);
    hub_put_hash(b, &k->kid);
    hub_put_bytes(b, (struct hub_span){k->key.b, sizeof k->key.b});
    hub_put_uint(b, k->roles);
    if (k->member == UINT32_MAX)
        hub_put_null(b);
    else
        hub_put_uint(b, k->member);
    hub_put_uint(b, k->wallet);
    hub_put_uint(b, k->from_ms);
    hub_put_uint(b, k->until_ms);
    hub_put_uint(b, k->pending_until_ms);
    hub_put_uint(b, k->revoked_at_ms);
    hub_put_uint(b, k->seq_high);
    hub_put_bytes(b, (struct hub_span){k->window, sizeof k->window});
    hub_put_text_span(b, k->label);
    hub_put_bytes(b, k->box);
    hub_put_bytes(b, k->transport);
    HUB_ASSERT(!b->full);
}

bool hub_key_find(struct hub_key *out, const struct hub_state *s, const struct hub_hash *kid)
{
    uint32_t row;

    if (!hub_state_find(s, HUB_TABLE_KEYS, (struct hub_span){kid->b, sizeof kid->b}, &row))
        return false;
    hub_key_get(out, s, row);
    return true;
}

void hub_key_put(struct hub_state *s, const struct hub_key *k)
{
    uint8_t bytes[HUB_KEY_ROW_BYTES];
    struct hub_buf b = {bytes, 0, sizeof bytes - 2, false};

    key_encode(&b, k);
    hub_state_put(s, HUB_TABLE_KEYS, k->row, hub_span_of(&b));
}

uint32_t hub_key_add(struct hub_state *s, struct hub_key *k)
{
    uint8_t bytes[HUB_KEY_ROW_BYTES];
    struct hub_buf b = {bytes, 0, sizeof bytes - 2, false};

    HUB_ASSERT(k->roles != 0);
    key_encode(&b, k);
    k->row = hub_state_add(s, HUB_TABLE_KEYS, hub_span_of(&b));
    return k->row;
}

enum hub_key_standing hub_key_standing(const struct hub_key *k, uint64_t time_ms)
{
    if (k->revoked_at_ms != 0 && time_ms >= k->revoked_at_ms)
        return HUB_KEY_REVOKED;
    if (k->until_ms != 0 && time_ms > k->until_ms)
        return HUB_KEY_ENDED;
    if (time_ms < k->pending_until_ms)
        return HUB_KEY_PENDING;
    if (time_ms < k->from_ms)
        return HUB_KEY_NOT_YET;
    return HUB_KEY_ACTIVE;
}

/* ---- sequence window (RFC 4303 section 3.4.3) */

static bool window_bit(const struct hub_key *k, uint64_t seq)
{
    return k->window[seq % HUB_SEQ_WINDOW / 8] >> (seq % 8) & 1;
}

uint16_t hub_key_seq_check(const struct hub_key *k, uint64_t seq)
{
    if (seq > k->seq_high)
        return seq - k->seq_high > HUB_SEQ_AHEAD ? HUB_CODE_seq_too_far : 0;
    if (k->seq_high - seq >= HUB_SEQ_WINDOW)
        return HUB_CODE_seq_too_old;
    return window_bit(k, seq) ? HUB_CODE_seq_replayed : 0;
}

void hub_key_seq_mark(struct hub_key *k, uint64_t seq)
{
    HUB_ASSERT(hub_key_seq_check(k, seq) == 0);
    if (seq > k->seq_high) {
        /* Numbers between are in the window now and not used. */
        if (seq - k->seq_high >= HUB_SEQ_WINDOW)
            memset(k->window, 0, sizeof k->window);
        for (uint64_t n = seq; n > k->seq_high && seq - n < HUB_SEQ_WINDOW; n--)
            k->window[n % HUB_SEQ_WINDOW / 8] &= (uint8_t) ~(1u << (n % 8));
        k->seq_high = seq;
    }
    k->window[seq % HUB_SEQ_WINDOW / 8] |= (uint8_t)(1u << (seq % 8));
    HUB_ASSERT(hub_key_seq_check(k, seq) == HUB_CODE_seq_replayed);
}

/* ---- names */

void hub_key_iss(char out[24], const struct hub_state *s, const struct hub_key *k)
{
    char digits[24];
    size_t n = 0;
    uint64_t v = k->wallet;

    if (k->member != UINT32_MAX) {
        struct hub_member m;

        hub_member_get(&m, s, k->member);
        memcpy(out, m.code.data, m.code.len);
        out[m.code.len] = '\0';
        return;
    }
    do
        digits[n++] = (char)('0' + v % 10);
    while ((v /= 10) != 0);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    out[n] = '\0';
}
