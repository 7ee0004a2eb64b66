/* api_state.c: what the records add up to, as of the finalized block: agreements, wallets, members, keys, supply. */
#include "node/api_query.h"

#include "hub/agreement.h"
#include "hub/wallet.h"
#include "node/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAGE_MAX = 500, PAGE_DEFAULT = 50 };

const struct hub_state *hub_api_state(struct hub_api *a, uint64_t *time_ms)
{
    struct hub_chain *c = &a->node->replica->chain;
    const struct hub_hash final = c->final_hash;
    const enum hub_status st = hub_chain_move(c, &final);
    HUB_ASSERT(st == HUB_OK); /* the finalized block is always held */
    *time_ms = c->final_header.time_ms;
    return &c->state;
}

/* Time as it concerns people: deadlines pass even while no block is made. */
static uint64_t now_or(uint64_t block_ms)
{
    const uint64_t wall = hub_clock_wall_ms();
    return wall > block_ms ? wall : block_ms;
}

/* ---- agreements */

static bool waits_on(const struct hub_agreement_view *v, const char *code)
{
    for (uint32_t i = 0; i < v->is.party_count; i++)
        if (v->party[i].waited && v->party[i].member.code.len == strlen(code) &&
            !memcmp(v->party[i].member.code.data, code, strlen(code)))
            return true;
    return false;
}

static bool is_text(struct hub_span s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

static bool has_party(const struct hub_agreement_view *v, const char *code, bool lead_only)
{
    for (uint32_t i = 0; i < v->is.party_count; i++)
        if (is_text(v->party[i].member.code, code) &&
            (!lead_only || v->party[i].is.member == v->is.lead))
            return true;
    return false;
}

static bool has_area(const struct hub_agreement_view *v, const char *code)
{
    struct hub_cbor areas;
    uint32_t count;
    if (!hub_field_array(v->revision.body, "areas", &areas, &count))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (is_text(hub_field_span(hub_cbor_item(&areas), "code"), code))
            return true;
    return false;
}

static bool wanted(const struct hub_query *q, const struct hub_agreement_view *v,
                   uint64_t due_before)
{
    const char *state = hub_query_parameter(q, "state"),
               *waiting = hub_query_parameter(q, "waiting_on");
    const char *number = hub_query_parameter(q, "number"), *party = hub_query_parameter(q, "party");
    const char *lead = hub_query_parameter(q, "lead"), *area = hub_query_parameter(q, "area");
    return (!state || !strcmp(state, hub_agreement_state_names[v->state])) &&
           (!waiting || waits_on(v, waiting)) && (!number || is_text(v->is.number, number)) &&
           (!party || has_party(v, party, false)) && (!lead || has_party(v, lead, true)) &&
           (!area || has_area(v, area)) && v->is.sign_by_ms <= due_before;
}

/* Milliseconds, or a day as YYYY-MM-DD: its last millisecond in Beijing time. */
static bool due_before_of(struct hub_query *q, uint64_t *out)
{
    unsigned y, m, d;
    int used = 0;
    const char *text = hub_query_parameter(q, "due_before");
    if (!text || !strchr(text, '-'))
        return hub_query_number(q, "due_before", out, UINT64_MAX, HUB_UINT_MAX);
    if (sscanf(text, "%4u-%2u-%2u%n", &y, &m, &d, &used) != 3 || text[used] || y < 1970 || m < 1 ||
        m > 12 || d < 1 || d > 31)
        return false;
    struct tm day = {.tm_year = (int)y - 1900, .tm_mon = (int)m - 1, .tm_mday = (int)d + 1};
    *out = (uint64_t)(timegm(&day) - 8 * 3600) * 1000 - 1;
    return true;
}

/* Newest first; the cursor is the row to go on with. */
void hub_api_get_agreements(struct hub_api *a, struct hub_query *q)
{
    uint64_t time_ms, limit, due, from, shown = 0;
    const struct hub_state *s = hub_api_state(a, &time_ms);
    struct hub_agreement_view *v = malloc(sizeof *v);
    if (!v || !hub_query_number(q, "limit", &limit, PAGE_DEFAULT, PAGE_MAX) || !limit ||
        !due_before_of(q, &due) ||
        !hub_query_number(q, "cursor", &from, s->count[HUB_TABLE_AGREEMENTS],
                          s->count[HUB_TABLE_AGREEMENTS])) {
        free(v);
        hub_answer_problem(a, q, "bad_parameter",
                           "limit: 1 to 500; due_before: YYYY-MM-DD or milliseconds; cursor: as an "
                           "answer gave it");
        return;
    }
    hub_json_object(&q->out);
    hub_json_key(&q->out, "items");
    hub_json_array(&q->out);
    uint64_t row = from;
    while (row > 0 && shown < limit && q->out.len <= q->out.cap / 2) {
        hub_agreement_read(v, s, (uint32_t)--row, now_or(time_ms));
        if (wanted(q, v, due)) {
            hub_agreement_json(&q->out, v, false);
            shown++;
        }
    }
    hub_json_array_end(&q->out);
    if (row > 0)
        hub_json_u64_member(&q->out, "next", row);
    hub_json_u64_member(&q->out, "height", a->node->replica->chain.final_header.height);
    hub_json_object_end(&q->out);
    free(v);
    hub_answer_json(a, q, 200);
}

/* By id, or by a unique beginning of at least four digits, or by number. */
static bool find_agreement(const struct hub_state *s, const char *text, uint32_t *row)
{
    uint32_t found = 0;
    const size_t len = strlen(text);
    for (uint32_t i = 0; i < s->count[HUB_TABLE_AGREEMENTS]; i++) {
        struct hub_agreement g;
        char hex[65];
        hub_agreement_get(&g, s, i);
        for (unsigned b = 0; b < 32; b++)
            snprintf(hex + 2 * b, 3, "%02x", g.id.b[b]);
        if ((len >= 4 && !strncmp(hex, text, len)) ||
            (g.number.len == len && !memcmp(g.number.data, text, len))) {
            *row = i;
            found++;
        }
    }
    return found == 1;
}

void hub_api_get_agreement(struct hub_api *a, struct hub_query *q)
{
    uint64_t time_ms;
    uint32_t row;
    const struct hub_state *s = hub_api_state(a, &time_ms);
    struct hub_agreement_view *v = malloc(sizeof *v);
    if (v && find_agreement(s, q->arg[0], &row)) {
        hub_agreement_read(v, s, row, now_or(time_ms));
        hub_agreement_json(&q->out, v, true);
        hub_answer_json(a, q, 200);
    } else {
        hub_answer_problem(a, q, "not_found",
                           "no agreement, or several, with this id, beginning of an id, or number");
    }
    free(v);
}

/* With body_cbor, the bytes the parties sign, and what each said; revision 0: the current one. */
void hub_api_get_revision(struct hub_api *a, struct hub_query *q)
{
    uint64_t time_ms;
    uint32_t row;
    const struct hub_state *s = hub_api_state(a, &time_ms);
    struct hub_agreement g;
    const unsigned long revision = strtoul(q->arg[1], NULL, 10);
    bool found = find_agreement(s, q->arg[0], &row);
    if (found) {
        hub_agreement_get(&g, s, row);
        found = revision <= UINT32_MAX &&
                hub_revision_json(&q->out, s, &g.id, revision ? (uint32_t)revision : g.revision);
    }
    if (found)
        hub_answer_json(a, q, 200);
    else
        hub_answer_problem(a, q, "not_found", "no such agreement or revision");
}

/* ---- wallets */

static void put_limit(struct hub_buf *out, const char *name, uint64_t value)
{
    if (value != HUB_LIMIT_NONE)
        hub_json_u64_member(out, name, value);
}

static void put_use(struct hub_buf *out, const char *key, const struct hub_limit_use *u)
{
    hub_json_key(out, key);
    hub_json_object(out);
    hub_json_u64_member(out, "paid_fen", u->sum);
    hub_json_u64_member(out, "count", u->count);
    put_limit(out, "left_fen", u->left);
    hub_json_object_end(out);
}

static void put_flags(struct hub_buf *out, uint16_t flags)
{
    static const char *const names[] = {"stop_out", "stop_in",     "closed",
                                        "no_p2p",   "part_frozen", "has_children"};
    hub_json_key(out, "flags");
    hub_json_array(out);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (flags >> i & 1)
            hub_json_string(out, names[i]);
    hub_json_array_end(out);
}

static void put_wallet(struct hub_buf *out, const struct hub_wallet *w)
{
    hub_json_object(out);
    hub_json_wallet_member(out, "number", w->number);
    hub_json_u64_member(out, "decimal", w->number);
    hub_json_int_member(out, "institution", w->institution);
    hub_json_string_member(out, "kind", hub_wallet_kind_names[w->kind]);
    hub_json_int_member(out, "tier", w->tier);
    hub_json_amount_members(out, "balance", w->balance);
    hub_json_amount_members(out, "available", w->available);
    hub_json_u64_member(out, "pending_out_fen", w->pending_out);
    hub_json_u64_member(out, "pending_in_fen", w->pending_in);
    put_use(out, "today", &w->pay_day);
    put_use(out, "year", &w->pay_year);
    put_use(out, "redeem_today", &w->redeem_day);
    put_use(out, "redeem_year", &w->redeem_year);
    hub_json_key(out, "limits");
    hub_json_object(out);
    for (unsigned i = 0; i < HUB_LIMIT_COUNT; i++)
        put_limit(out, hub_limit_names[i], w->limits.value[i]);
    hub_json_object_end(out);
    put_flags(out, w->flags);
    if (w->parent)
        hub_json_wallet_member(out, "parent", w->parent);
    hub_json_bool_member(out, "custodied", w->key == 0);
    hub_json_u64_member(out, "last_height", w->last_height);
    hub_json_object_end(out);
}

/* 00003-0000001896-38139, or the number in decimal. */
static bool read_wallet_number(const char *text, uint64_t *number)
{
    unsigned institution, crc;
    unsigned long long slot, decimal;
    int used = 0;
    if (sscanf(text, "%5u-%10llu-%5u%n", &institution, &slot, &crc, &used) == 3 && !text[used]) {
        *number = (uint64_t)institution << 48 | (uint64_t)slot << 16 | crc;
        return institution <= UINT16_MAX && slot <= UINT32_MAX && crc <= UINT16_MAX;
    }
    char *end;
    decimal = strtoull(text, &end, 10);
    *number = decimal;
    return *text >= '0' && *text <= '9' && !*end;
}

static void answer_wallet(struct hub_api *a, struct hub_query *q, const struct hub_state *s,
                          uint64_t number, uint64_t time_ms)
{
    struct hub_wallet w;
    if (!hub_wallet_read(&w, s, NULL, 0, number, now_or(time_ms))) {
        hub_answer_problem(a, q, "not_found", "no wallet of this number");
        return;
    }
    put_wallet(&q->out, &w);
    hub_answer_json(a, q, 200);
}

void hub_api_get_wallet(struct hub_api *a, struct hub_query *q)
{
    uint64_t time_ms, number;
    const struct hub_state *s = hub_api_state(a, &time_ms);
    if (!read_wallet_number(q->arg[0], &number) || !hub_wallet_number_ok(number)) {
        hub_answer_problem(
            a, q, "bad_request",
            "a wallet number is written 00003-0000001896-38139; its last part are check digits");
        return;
    }
    answer_wallet(a, q, s, number, time_ms);
}

static bool read_reference(struct hub_query *q, uint16_t *institution, uint8_t reference[16])
{
    static const char digits[] = "0123456789abcdef";
    char *end;
    const unsigned long n = strtoul(q->arg[0], &end, 10);
    if (*end || n > UINT16_MAX || strlen(q->arg[1]) != 32)
        return false;
    for (unsigned i = 0; i < 32; i++) {
        const char *at = strchr(digits, q->arg[1][i]);
        if (!at)
            return false;
        reference[i / 2] = (uint8_t)(i % 2 ? reference[i / 2] | (at - digits) : (at - digits) << 4);
    }
    *institution = (uint16_t)n;
    return true;
}

/* The idempotency question: what became of the opening with this reference? */
void hub_api_get_opening(struct hub_api *a, struct hub_query *q)
{
    uint64_t time_ms;
    uint16_t institution;
    uint8_t reference[16];
    struct hub_posting p;
    const struct hub_state *s = hub_api_state(a, &time_ms);
    if (!read_reference(q, &institution, reference))
        hub_answer_problem(a, q, "bad_request",
                           "institution number, then 32 lower-case hex digits");
    else if (!hub_opening_find(&p, s, institution, reference))
        hub_answer_problem(a, q, "not_found", "no wallet was opened with this reference");
    else
        answer_wallet(a, q, s, hub_wallet_number(institution, p.slot), time_ms);
}

void hub_api_get_batch(struct hub_api *a, struct hub_query *q)
{
    uint64_t time_ms;
    uint16_t institution;
    uint8_t reference[16];
    struct hub_posting p;
    struct hub_header h;
    struct hub_hash hash;
    const struct hub_state *s = hub_api_state(a, &time_ms);
    const struct hub_reader r = hub_store_reader(a->node->store);
    if (!read_reference(q, &institution, reference)) {
        hub_answer_problem(a, q, "bad_request",
                           "institution number, then 32 lower-case hex digits");
        return;
    }
    const bool there = hub_batch_find(&p, s, institution, reference);
    if (there && p.height <= a->node->floor.height) {
        hub_answer_problem(a, q, "before_history", "");
        return;
    }
    if (!there || hub_read_header(&r, p.height, &h, &hash) != HUB_OK) {
        hub_answer_problem(a, q, "not_found", "no batch of this institution has this reference");
        return;
    }
    const struct hub_place place = {.height = p.height,
                                    .position = p.index,
                                    .log_index = h.log_size - h.record_count + p.index};
    if (hub_put_outcome(a, &q->out, &place, false, true))
        hub_answer_json(a, q, 200);
    else
        hub_answer_problem(a, q, "damaged", "");
}

void hub_api_get_supply(struct hub_api *a, struct hub_query *q)
{
    uint64_t time_ms;
    struct hub_supply t;
    const struct hub_state *s = hub_api_state(a, &time_ms);
    if (!hub_supply_read(&t, s, NULL, 0)) {
        hub_answer_problem(a, q, "not_found", "this network has no currency authority");
        return;
    }
    hub_json_object(&q->out);
    hub_json_string_member(
        &q->out, "note",
        "pilot bookkeeping, not an issue of legal tender / 试点记账，不构成法定货币发行");
    hub_json_amount_members(&q->out, "issued", t.issued);
    hub_json_amount_members(&q->out, "retired", t.retired);
    hub_json_amount_members(&q->out, "outstanding", t.issued - t.retired);
    hub_json_key(&q->out, "by_kind");
    hub_json_array(&q->out);
    for (unsigned i = 1; i < HUB_WALLET_KINDS; i++) {
        hub_json_object(&q->out);
        hub_json_string_member(&q->out, "kind", hub_wallet_kind_names[i]);
        hub_json_int_member(&q->out, "wallets", t.wallets[i]);
        hub_json_amount_members(&q->out, "balance", t.balance[i]);
        hub_json_object_end(&q->out);
    }
    hub_json_array_end(&q->out);
    hub_json_u64_member(&q->out, "height", a->node->replica->chain.final_header.height);
    hub_json_hash_member(&q->out, "state_root", &a->node->replica->chain.final_header.state_root);
    hub_json_object_end(&q->out);
    hub_answer_json(a, q, 200);
}

/* An operating institution's share of the supply, and the wallet it tops up its customers from. */
void hub_api_get_institution(struct hub_api *a, struct hub_query *q)
{
    uint64_t time_ms;
    struct hub_institution i;
    char *end;
    const struct hub_state *s = hub_api_state(a, &time_ms);
    const unsigned long number = strtoul(q->arg[0], &end, 10);
    if (*end || number == 0 || number > UINT16_MAX) {
        hub_answer_problem(a, q, "bad_request", "an institution number is 1 to 65535");
        return;
    }
    if (!hub_institution_find(&i, s, number)) {
        hub_answer_problem(a, q, "not_found", "no operating institution of this number");
        return;
    }
    hub_json_object(&q->out);
    hub_json_int_member(&q->out, "institution", (int64_t)i.number);
    hub_json_amount_members(&q->out, "quota", i.quota);
    hub_json_amount_members(&q->out, "issued", i.issued);
    hub_json_amount_members(&q->out, "retired", i.retired);
    if (i.reserve > 0)
        hub_json_wallet_member(&q->out, "reserve",
                               hub_wallet_number((uint16_t)i.number, i.reserve - 1));
    hub_json_u64_member(&q->out, "height", a->node->replica->chain.final_header.height);
    hub_json_object_end(&q->out);
    hub_answer_json(a, q, 200);
}

/* ---- members and keys */

void hub_api_get_members(struct hub_api *a, struct hub_query *q)
{
    uint64_t time_ms;
    const struct hub_state *s = hub_api_state(a, &time_ms);
    hub_json_object(&q->out);
    hub_json_key(&q->out, "items");
    hub_json_array(&q->out);
    for (uint32_t i = 0; i < s->count[HUB_TABLE_MEMBERS]; i++) {
        struct hub_member m;
        hub_member_get(&m, s, i);
        hub_json_object(&q->out);
        hub_json_text_member(&q->out, "code", m.code);
        hub_json_names_member(&q->out, "names", m.name_zh, m.name_en);
        hub_json_string_member(&q->out, "kind", hub_member_kind_names[m.kind]);
        hub_json_bool_member(&q->out, "voting", m.voting);
        hub_json_bool_member(&q->out, "suspended", m.suspended);
        hub_json_int_member(&q->out, "seal_needs", (int64_t)m.seal_needs);
        hub_json_int_member(&q->out, "governors_needed", (int64_t)m.governors_needed);
        if (m.removed)
            hub_json_bool_member(&q->out, "removed", true);
        if (m.since_ms)
            hub_json_time_members(&q->out, "since", m.since_ms);
        if (m.institution)
            hub_json_int_member(&q->out, "institution", (int64_t)m.institution);
        hub_json_text_member(&q->out, "contact", m.contact);
        hub_json_object_end(&q->out);
    }
    hub_json_array_end(&q->out);
    hub_json_object_end(&q->out);
    hub_answer_json(a, q, 200);
}

/* What a signer needs before it signs: the next number that neither the ledger nor this node's queue has seen. */
void hub_api_get_hints(struct hub_api *a, struct hub_query *q)
{
    static const char *const standings[] = {"active", "pending", "not_yet", "ended", "revoked"};
    uint64_t time_ms, lowest, highest;
    struct hub_hash kid;
    struct hub_key key;
    char iss[24];
    const struct hub_state *s = hub_api_state(a, &time_ms);
    if (!hub_query_hash(q, 0, &kid)) {
        hub_answer_problem(a, q, "bad_request", "a key id is 64 lower-case hex digits");
        return;
    }
    if (!hub_key_find(&key, s, &kid)) {
        hub_answer_code(a, q, HUB_CODE_key_unknown, q->arg[0]);
        return;
    }
    const uint32_t queued = hub_mempool_of_signer(a->node->pool, &kid, &lowest, &highest);
    const uint64_t top = queued && highest > key.seq_high ? highest : key.seq_high;
    hub_key_iss(iss, s, &key);
    enum hub_key_standing standing = hub_key_standing(&key, time_ms);
    struct hub_member owner = {0};
    if (key.member != UINT32_MAX)
        hub_member_get(&owner, s, key.member);
    if (owner.removed) /* its keys act no more */
        standing = HUB_KEY_REVOKED;
    hub_json_object(&q->out);
    hub_json_hash_member(&q->out, "kid", &kid);
    hub_json_string_member(&q->out, "iss", iss);
    hub_json_hash_member(&q->out, "chain", &a->node->genesis.chain);
    hub_json_u64_member(&q->out, "next_seq", top + 1);
    hub_json_u64_member(&q->out, "highest_seq", key.seq_high);
    hub_json_int_member(&q->out, "queued", queued);
    hub_json_u64_member(&q->out, "window", HUB_SEQ_WINDOW);
    hub_json_key(&q->out, "roles");
    hub_json_array(&q->out);
    for (unsigned i = 0; hub_role_names[i]; i++)
        if (key.roles >> i & 1)
            hub_json_string(&q->out, hub_role_names[i]);
    hub_json_array_end(&q->out);
    hub_json_string_member(&q->out, "standing", standings[standing]);
    hub_json_time_members(&q->out, "time", time_ms);
    hub_json_object_end(&q->out);
    hub_answer_json(a, q, 200);
}
