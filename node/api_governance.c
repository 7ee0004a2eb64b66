/* api_governance.c: proposals with the arithmetic of their votes, and the parameters, as of the finalized block. */
#include "node/api_query.h"

#include "hub/governance.h"
#include "ledger/epoch.h"
#include "ledger/governance.h"
#include "node/clock.h"

#include <string.h>

enum { REFERENCE_BYTES = 16 };

static struct hub_span code_of(const struct hub_state *s, uint32_t member)
{
    struct hub_member m;

    hub_member_get(&m, s, member);
    return m.code;
}

/* Deadlines pass for people even while no block is made. */
static uint64_t now_or(uint64_t block_ms)
{
    const uint64_t wall = hub_clock_wall_ms();
    return wall > block_ms ? wall : block_ms;
}

/* ---- proposals */

/* Needed, so far, and who has said nothing yet. */
static void put_tally(struct hub_buf *out, const struct hub_state *s, const struct hub_proposal *p)
{
    struct hub_ballot_count t;

    hub_proposal_count(&t, s, p);
    hub_json_int_member(out, "entitled", t.entitled);
    hub_json_int_member(out, "needed", t.needed);
    hub_json_int_member(out, "approvals", t.approvals);
    hub_json_int_member(out, "rejections", t.rejections);
    hub_json_key(out, "waiting_on");
    hub_json_array(out);
    for (uint32_t row = 0; p->state == HUB_PROPOSAL_OPEN && row < s->count[HUB_TABLE_MEMBERS];
         row++) {
        struct hub_member m;

        hub_member_get(&m, s, row);
        if (hub_proposal_entitled(p, &m) && !m.suspended &&
            hub_proposal_ballot(p, row) == HUB_BALLOT_NONE)
            hub_json_string_span(out, m.code);
    }
    hub_json_array_end(out);
}

static void put_head(struct hub_buf *out, const struct hub_state *s, const struct hub_proposal *p,
                     uint64_t now_ms)
{
    hub_json_hex_member(out, "id", p->reference);
    hub_json_names_member(out, "title", p->title_zh, p->title_en);
    hub_json_string_member(out, "state",
                           hub_proposal_state_names[hub_proposal_standing(p, now_ms)]);
    if (p->state == HUB_PROPOSAL_FAILED) {
        const struct hub_result_text *text = hub_result_text(p->code);
        hub_json_int_member(out, "code", p->code);
        if (text) {
            hub_json_string_member(out, "name", text->name);
            hub_json_string_member(out, "zh", text->zh);
            hub_json_string_member(out, "en", text->en);
        }
    }
    hub_json_text_member(out, "proposer", code_of(s, p->proposer));
    hub_json_time_members(out, "proposed", p->created_ms);
    hub_json_time_members(out, "deadline", p->deadline_ms);
    if (p->closed_height) {
        hub_json_time_members(out, "closed", p->closed_ms);
        hub_json_u64_member(out, "closed_height", p->closed_height);
    }
    put_tally(out, s, p);
}

static void put_votes(struct hub_buf *out, const struct hub_state *s, const struct hub_proposal *p)
{
    hub_json_key(out, "votes");
    hub_json_array(out);
    for (uint32_t i = 0; i < p->votes; i++) {
        const struct hub_vote_cast *v = &p->vote[i];

        hub_json_object(out);
        hub_json_text_member(out, "member", code_of(s, v->member));
        hub_json_string_member(out, "vote", v->ballot == HUB_BALLOT_APPROVE ? "approve" : "reject");
        hub_json_time_members(out, "at", v->time_ms);
        hub_json_u64_member(out, "height", v->height);
        hub_json_object_end(out);
    }
    hub_json_array_end(out);
}

static void put_actions(struct hub_buf *out, const struct hub_state *s,
                        const struct hub_proposal *p)
{
    struct hub_cbor c = hub_cbor_open(p->actions);
    const uint32_t n = hub_cbor_array(&c, 1, HUB_ACTIONS_MAX);

    hub_json_key(out, "actions");
    hub_json_array(out);
    for (uint32_t i = 0; i < n; i++)
        hub_json_body(out, hub_cbor_item(&c), hub_action_fields);
    hub_json_array_end(out);
    hub_json_hash_member(out, "actions_hash", &p->actions_hash);
    hub_json_hex_member(out, "actions_cbor", p->actions); /* what the hash, and so a vote, is of */
    hub_json_key(out, "concerned");
    hub_json_array(out);
    for (uint32_t i = 0; i < p->concerned_count; i++)
        hub_json_string_span(out, code_of(s, p->concerned[i]));
    hub_json_array_end(out);
    hub_json_bool_member(out, "of_authority", p->of_authority);
    if (p->document.len)
        hub_json_hex_member(out, "document", p->document);
}

/* Who of a proposed set has reported ready of late: what the guard will ask at the deciding vote. */
static void put_readiness(struct hub_buf *out, const struct hub_state *s, struct hub_span action,
                          uint64_t now_ms)
{
    const uint64_t age = hub_parameter(s, HUB_PARAM_READY_MAX_AGE_H) * 3600 * 1000;
    struct hub_cbor c;
    uint32_t n = 0, ready_count = 0;

    if (!hub_field_array(action, "validators", &c, &n))
        return;
    hub_json_key(out, "readiness");
    hub_json_object(out);
    hub_json_key(out, "validators");
    hub_json_array(out);
    for (uint32_t i = 0; i < n; i++) {
        const struct hub_span kid = hub_cbor_bytes(&c, 32, 32);
        struct hub_hash id;
        struct hub_ready ready;
        struct hub_key k;

        memcpy(id.b, kid.data, sizeof id.b);
        hub_json_object(out);
        hub_json_hex_member(out, "kid", kid);
        if (hub_key_find(&k, s, &id) && k.member != UINT32_MAX)
            hub_json_text_member(out, "member", code_of(s, k.member));
        const bool reported = hub_ready_find(&ready, s, &id);
        const bool is = reported && now_ms < ready.time_ms + age;
        ready_count += is;
        hub_json_bool_member(out, "ready", is);
        if (reported)
            hub_json_time_members(out, "reported", ready.time_ms);
        hub_json_object_end(out);
    }
    hub_json_array_end(out);
    hub_json_int_member(out, "ready", ready_count);
    hub_json_int_member(out, "needed", (int64_t)hub_field_uint(action, "quorum", 0));
    hub_json_object_end(out);
}

/* Newest first; ?state=open for those that can be voted on; at most 500, which a network has in decades. */
void hub_api_get_proposals(struct hub_api *a, struct hub_query *q)
{
    const char *state = hub_query_parameter(q, "state");
    uint64_t time_ms, limit;
    const struct hub_state *s = hub_api_state(a, &time_ms);
    if (!hub_query_number(q, "limit", &limit, 50, 500)) {
        hub_answer_problem(a, q, "bad_parameter", "limit: a number, at most 500");
        return;
    }
    hub_json_object(&q->out);
    hub_json_key(&q->out, "items");
    hub_json_array(&q->out);
    for (uint32_t row = s->count[HUB_TABLE_PROPOSALS]; row-- > 0 && limit > 0;) {
        struct hub_proposal p;
        hub_proposal_get(&p, s, row);
        const enum hub_proposal_state is = hub_proposal_standing(&p, now_or(time_ms));
        if (state && strcmp(state, hub_proposal_state_names[is]) != 0)
            continue;
        hub_json_object(&q->out);
        put_head(&q->out, s, &p, now_or(time_ms));
        hub_json_object_end(&q->out);
        limit--;
    }
    hub_json_array_end(&q->out);
    hub_json_object_end(&q->out);
    hub_answer_json(a, q, 200);
}

static bool read_reference(uint8_t out[REFERENCE_BYTES], const char *text)
{
    for (unsigned i = 0; i < 2 * REFERENCE_BYTES; i++) {
        const char *digits = "0123456789abcdef";
        const char *at = text[i] ? strchr(digits, text[i]) : NULL;
        if (!at)
            return false;
        const unsigned half = (unsigned)(at - digits);
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | half : half << 4);
    }
    return text[2 * REFERENCE_BYTES] == '\0';
}

void hub_api_get_proposal(struct hub_api *a, struct hub_query *q)
{
    uint8_t reference[REFERENCE_BYTES];
    struct hub_proposal p;
    uint64_t time_ms;
    const struct hub_state *s = hub_api_state(a, &time_ms);
    if (!read_reference(reference, q->arg[0])) {
        hub_answer_problem(a, q, "bad_request",
                           "a proposal's reference is 32 lower-case hex digits");
        return;
    }
    if (!hub_proposal_find(&p, s, (struct hub_span){reference, sizeof reference})) {
        hub_answer_code(a, q, HUB_CODE_proposal_unknown, q->arg[0]);
        return;
    }
    hub_json_object(&q->out);
    put_head(&q->out, s, &p, now_or(time_ms));
    put_actions(&q->out, s, &p);
    struct hub_cbor actions = hub_cbor_open(p.actions);
    for (uint32_t n = hub_cbor_array(&actions, 1, HUB_ACTIONS_MAX); n > 0; n--)
        put_readiness(&q->out, s, hub_cbor_item(&actions), now_or(time_ms));
    put_votes(&q->out, s, &p);
    hub_json_object_end(&q->out);
    hub_answer_json(a, q, 200);
}

/* ---- parameters */

static void put_parameter(struct hub_buf *out, const char *name, uint64_t value, uint64_t absent,
                          uint64_t min, uint64_t max)
{
    const bool authority = !strncmp(name, "currency.", 9) || !strncmp(name, "hold.", 5);

    hub_json_object(out);
    hub_json_string_member(out, "name", name);
    hub_json_u64_member(out, "value", value);
    hub_json_u64_member(out, "default", absent);
    hub_json_u64_member(out, "min", min);
    hub_json_u64_member(out, "max", max);
    hub_json_string_member(out, "owner", authority ? "authority" : "governance");
    hub_json_object_end(out);
}

/* The value of every parameter, its range and who decides on it; and the protocol versions agreed on. */
void hub_api_get_parameters(struct hub_api *a, struct hub_query *q)
{
    uint64_t time_ms, height;
    const struct hub_state *s = hub_api_state(a, &time_ms);
    const uint64_t now = a->node->replica->chain.final_header.height;
    hub_json_object(&q->out);
    hub_json_key(&q->out, "items");
    hub_json_array(&q->out);
#define HUB_PARAMETER(id, name, value, min, max)                                                   \
    put_parameter(&q->out, name, hub_parameter(s, HUB_PARAM_##id), value, min, max);
#include "hub/parameters.def"
#undef HUB_PARAMETER
    hub_json_array_end(&q->out);
    hub_json_u64_member(&q->out, "protocol_version", hub_protocol_version(s, now + 1));
    hub_json_key(&q->out, "versions");
    hub_json_array(&q->out);
    for (uint64_t version = 2; (height = hub_version_height(s, version)) != 0; version++) {
        hub_json_object(&q->out);
        hub_json_u64_member(&q->out, "version", version);
        hub_json_u64_member(&q->out, "height", height);
        hub_json_object_end(&q->out);
    }
    hub_json_array_end(&q->out);
    hub_json_object_end(&q->out);
    hub_answer_json(a, q, 200);
}

/* ---- what a vote or a proposal did, for events (struct hub_facts) */

static const char *action_event(int kind)
{
    switch (kind) {
    case HUB_ACTION_ADMIT:
        return "member.admitted";
    case HUB_ACTION_SUSPEND:
        return "member.suspended";
    case HUB_ACTION_RESTORE:
        return "member.restored";
    case HUB_ACTION_REMOVE:
        return "member.removed";
    default:
        return NULL;
    }
}

static bool sealed_at(const struct hub_state *s, uint64_t height)
{
    struct hub_epoch_row row;

    for (uint32_t i = s->count[HUB_TABLE_EPOCHS]; i-- > 1;) {
        hub_epoch_get(&row, s, i);
        if (row.height <= height)
            return row.height == height;
    }
    return false;
}

uint32_t hub_facts_of_governance(const char **type, uint32_t max, const struct hub_state *s,
                                 const struct hub_record *r, const struct hub_place *place)
{
    struct hub_proposal p;
    uint32_t n = 0;

    if (r->type == HUB_TYPE_GOVERNANCE_PROPOSE) {
        type[n++] = "governance.proposed";
        return n;
    }
    if (r->type != HUB_TYPE_VALIDATOR_REPLACE) {
        if (r->type != HUB_TYPE_GOVERNANCE_WITHDRAW)
            type[n++] = "governance.voted";
        if (!hub_proposal_find(&p, s, hub_field_span(r->body, "proposal")) ||
            p.closed_height != place->height || p.closed_index != place->position)
            return n;
        type[n++] = p.state == HUB_PROPOSAL_ENACTED   ? "governance.enacted"
                    : p.state == HUB_PROPOSAL_REFUSED ? "governance.refused"
                    : p.state == HUB_PROPOSAL_FAILED  ? "governance.failed"
                                                      : "governance.withdrawn";
        if (p.state != HUB_PROPOSAL_ENACTED)
            return n;
        struct hub_cbor c = hub_cbor_open(p.actions);
        for (uint32_t left = hub_cbor_array(&c, 1, HUB_ACTIONS_MAX); left > 0 && n + 1 < max;
             left--) {
            const char *event = action_event(hub_action_kind(hub_cbor_item(&c)));
            if (event)
                type[n++] = event;
        }
    } else {
        type[n++] = "validator.replaced";
    }
    if (sealed_at(s, place->height))
        type[n++] = "epoch.started";
    HUB_ASSERT(n <= max);
    return n;
}
