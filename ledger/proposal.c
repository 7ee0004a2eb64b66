/* proposal.c: rows of proposals, and the arithmetic of their votes.
 *
 *   row [reference, title zh, title en, proposer, created, deadline, document, actions, actions hash,
 *        of authority, state, code, height, index, closed, closed height, closed index,
 *        [concerned member, ..], [[member, ballot, time, height, index], ..]] */
#include "ledger/governance.h"

#include "hub/cbor.h"

#include <string.h>

enum { ITEMS = 19, TITLE_MAX = 200, ROW_BYTES = 32768 - 2, VOTE_BYTES = 1 + 5 + 1 + 9 + 9 + 5 };

_Static_assert(HUB_VOTERS_MAX *VOTE_BYTES + HUB_ACTIONS_BYTES_MAX + HUB_ACTIONS_MAX * 5 +
                       2 * TITLE_MAX + 256 <=
                   ROW_BYTES,
               "the longest proposal fits its row");

const char *const hub_proposal_state_names[] = {"open",   "enacted", "refused", "withdrawn",
                                                "failed", "lapsed",  NULL};

static void read_votes(struct hub_proposal *out, struct hub_cbor *c)
{
    out->concerned_count = hub_cbor_array(c, 0, HUB_ACTIONS_MAX);
    for (uint32_t i = 0; i < out->concerned_count; i++)
        out->concerned[i] = (uint32_t)hub_cbor_uint(c, 0, UINT32_MAX);
    out->votes = hub_cbor_array(c, 0, HUB_VOTERS_MAX);
    for (uint32_t i = 0; i < out->votes; i++) {
        struct hub_vote_cast *v = &out->vote[i];

        hub_cbor_array(c, 5, 5);
        v->member = (uint32_t)hub_cbor_uint(c, 0, UINT32_MAX);
        v->ballot = (enum hub_ballot)hub_cbor_uint(c, HUB_BALLOT_APPROVE, HUB_BALLOT_REJECT);
        v->time_ms = hub_cbor_uint(c, 0, HUB_UINT_MAX);
        v->height = hub_cbor_uint(c, 0, HUB_UINT_MAX);
        v->index = (uint32_t)hub_cbor_uint(c, 0, UINT32_MAX);
    }
}

void hub_proposal_get(struct hub_proposal *out, const struct hub_state *s, uint32_t row)
{
    struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_PROPOSALS, row));

    memset(out, 0, sizeof *out);
    out->row = row;
    hub_cbor_array(&c, ITEMS, ITEMS);
    out->reference = hub_cbor_bytes(&c, 16, 16);
    out->title_zh = hub_cbor_text(&c, 1, TITLE_MAX);
    out->title_en = hub_cbor_text(&c, 0, TITLE_MAX);
    out->proposer = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    out->created_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->deadline_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->document = hub_cbor_bytes(&c, 0, 32);
    out->actions = hub_cbor_bytes(&c, 1, HUB_ACTIONS_BYTES_MAX);
    hub_cbor_hash(&c, &out->actions_hash);
    out->of_authority = hub_cbor_bool(&c);
    out->state = (enum hub_proposal_state)hub_cbor_uint(&c, 0, HUB_PROPOSAL_FAILED);
    out->code = (uint16_t)hub_cbor_uint(&c, 0, UINT16_MAX);
    out->height = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->index = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    out->closed_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->closed_height = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->closed_index = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    read_votes(out, &c);
    HUB_ASSERT(hub_cbor_done(&c));
}

static void put_votes(struct hub_buf *b, const struct hub_proposal *p)
{
    hub_put_array(b, p->concerned_count);
    for (uint32_t i = 0; i < p->concerned_count; i++)
        hub_put_uint(b, p->concerned[i]);
    hub_put_array(b, p->votes);
    for (uint32_t i = 0; i < p->votes; i++) {
        const struct hub_vote_cast *v = &p->vote[i];

        hub_put_array(b, 5);
        hub_put_uint(b, v->member);
        hub_put_uint(b, v->ballot);
        hub_put_uint(b, v->time_ms);
        hub_put_uint(b, v->height);
        hub_put_uint(b, v->index);
    }
}

static void encode(struct hub_buf *b, const struct hub_proposal *p)
{
    hub_put_array(b, ITEMS);
    hub_put_bytes(b, p->reference);
    hub_put_text_span(b, p->title_zh);
    hub_put_text_span(b, p->title_en);
    hub_put_uint(b, p->proposer);
    hub_put_uint(b, p->created_ms);
    hub_put_uint(b, p->deadline_ms);
    hub_put_bytes(b, p->document);
    hub_put_bytes(b, p->actions);
    hub_put_hash(b, &p->actions_hash);
    hub_put_bool(b, p->of_authority);
    hub_put_uint(b, p->state);
    hub_put_uint(b, p->code);
    hub_put_uint(b, p->height);
    hub_put_uint(b, p->index);
    hub_put_uint(b, p->closed_ms);
    hub_put_uint(b, p->closed_height);
    hub_put_uint(b, p->closed_index);
    put_votes(b, p);
    HUB_ASSERT(!b->full);
}

void hub_proposal_put(struct hub_state *s, const struct hub_proposal *p)
{
    uint8_t bytes[ROW_BYTES];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};

    encode(&b, p);
    hub_state_put(s, HUB_TABLE_PROPOSALS, p->row, hub_span_of(&b));
}

bool hub_proposal_add(struct hub_state *s, const struct hub_proposal *p)
{
    uint8_t bytes[ROW_BYTES];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};

    encode(&b, p);
    return hub_state_add(s, HUB_TABLE_PROPOSALS, hub_span_of(&b)) != UINT32_MAX;
}

bool hub_proposal_find(struct hub_proposal *out, const struct hub_state *s,
                       struct hub_span reference)
{
    uint32_t row;

    if (!hub_state_find(s, HUB_TABLE_PROPOSALS, reference, &row))
        return false;
    hub_proposal_get(out, s, row);
    return true;
}

/* ---- votes */

enum hub_proposal_state hub_proposal_standing(const struct hub_proposal *p, uint64_t time_ms)
{
    return p->state == HUB_PROPOSAL_OPEN && time_ms >= p->deadline_ms ? HUB_PROPOSAL_LAPSED
                                                                      : p->state;
}

bool hub_proposal_concerns(const struct hub_proposal *p, uint32_t member)
{
    for (uint32_t i = 0; i < p->concerned_count; i++)
        if (p->concerned[i] == member)
            return true;
    return false;
}

enum hub_ballot hub_proposal_ballot(const struct hub_proposal *p, uint32_t member)
{
    for (uint32_t i = 0; i < p->votes; i++)
        if (p->vote[i].member == member)
            return p->vote[i].ballot;
    return HUB_BALLOT_NONE;
}

bool hub_proposal_entitled(const struct hub_proposal *p, const struct hub_member *m)
{
    if (m->removed)
        return false;
    if (p->of_authority)
        return m->kind == HUB_KIND_AUTHORITY;
    return m->voting && !hub_proposal_concerns(p, m->row);
}

void hub_proposal_count(struct hub_ballot_count *out, const struct hub_state *s,
                        const struct hub_proposal *p)
{
    const uint64_t num = hub_parameter(s, HUB_PARAM_GOVERNANCE_THRESHOLD_NUM);
    const uint64_t den = hub_parameter(s, HUB_PARAM_GOVERNANCE_THRESHOLD_DEN);
    struct hub_ballot_count t = {0};

    for (uint32_t row = 0; row < s->count[HUB_TABLE_MEMBERS]; row++) {
        struct hub_member m;
        enum hub_ballot ballot;

        hub_member_get(&m, s, row);
        if (!hub_proposal_entitled(p, &m))
            continue;
        ballot = hub_proposal_ballot(p, row);
        t.entitled++;
        t.approvals += ballot == HUB_BALLOT_APPROVE;
        t.rejections += ballot == HUB_BALLOT_REJECT;
    }
    t.needed = (uint32_t)((t.entitled * num + den - 1) / den);
    if (p->concerned_count > 0 && t.needed < 2)
        t.needed = 2;
    if (t.needed == 0)
        t.needed = 1; /* nobody is entitled: it cannot be reached */
    *out = t;
}

void hub_actions_hash(struct hub_hash *out, struct hub_span actions)
{
    hub_hash_tagged(out, "hubledger/actions/1", actions);
}

/* ---- protocol versions */

uint64_t hub_protocol_version(const struct hub_state *s, uint64_t height)
{
    uint64_t version = 1, from;

    while ((from = hub_version_height(s, version + 1)) != 0 && from <= height)
        version++;
    return version;
}
