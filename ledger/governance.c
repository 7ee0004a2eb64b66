/* governance.c: governance.propose, .approve, .reject and .withdraw (docs/governance.md). */
#include "ledger/governance.h"

#include "ledger/member.h"

#include "hub/cbor.h"

#include <string.h>

#define HOUR_MS ((uint64_t)3600 * 1000)
#define DEADLINE_MIN_MS HOUR_MS
#define DEADLINE_MAX_MS (90 * 24 * HOUR_MS)

enum { CONCERNED_OTHERS = 2 }; /* a proposal about a member needs two others */

/* ---- what a proposal is about */

static bool begins_with(struct hub_span text, const char *prefix)
{
    const struct hub_span p = hub_text_span(prefix);

    return text.len >= p.len && memcmp(text.data, p.data, p.len) == 0;
}

/* Parameters of the currency belong to the authority, all others to the members. */
static bool authority_owns(struct hub_span action)
{
    struct hub_span name = hub_field_span(action, "parameter");

    return hub_action_kind(action) == HUB_ACTION_PARAMETER &&
           (begins_with(name, "currency.") || begins_with(name, "hold."));
}

/* The member that has no vote on this action; false if there is none. */
static bool concerned_member(struct hub_member *out, const struct hub_state *s,
                             struct hub_span action)
{
    static const enum hub_action_kind about[] = {HUB_ACTION_SUSPEND, HUB_ACTION_RESTORE,
                                                 HUB_ACTION_REMOVE, HUB_ACTION_SUCCEED,
                                                 HUB_ACTION_GOVERNOR};
    int kind = hub_action_kind(action);

    for (size_t i = 0; i < sizeof about / sizeof about[0]; i++)
        if (kind == (int)about[i])
            return hub_member_find(out, s, hub_field_span(action, hub_action_names[kind]));
    return false;
}

/* Fills concerned and of_authority. False: parameters of the currency beside anything else. */
static bool read_actions(struct hub_proposal *p, const struct hub_state *s)
{
    struct hub_cbor c = hub_cbor_open(p->actions);
    uint32_t n = hub_cbor_array(&c, 1, HUB_ACTIONS_MAX), owned = 0;

    for (uint32_t i = 0; i < n; i++) {
        struct hub_span action = hub_cbor_item(&c);
        struct hub_member m;

        owned += authority_owns(action);
        if (concerned_member(&m, s, action) && !hub_proposal_concerns(p, m.row))
            p->concerned[p->concerned_count++] = m.row;
    }
    p->of_authority = owned == n;
    return owned == 0 || owned == n;
}

/* Every key under `grants` or the one grant signed beside the proposer. */
static bool grant_cosigned(const struct hub_apply *a, struct hub_span grant)
{
    struct hub_hash kid;

    hub_hash_span(&kid, hub_field_span(grant, "key"));
    return hub_apply_cosigned_by(a, &kid);
}

static bool new_keys_cosigned(const struct hub_apply *a, struct hub_span actions)
{
    struct hub_cbor c = hub_cbor_open(actions), keys;
    uint32_t n = hub_cbor_array(&c, 1, HUB_ACTIONS_MAX), grants;
    bool all = true;

    for (uint32_t i = 0; i < n; i++) {
        struct hub_span action = hub_cbor_item(&c);

        if (hub_field_has(action, "key"))
            all = all && grant_cosigned(a, hub_field_item(action, "key"));
        if (!hub_field_array(action, "keys", &keys, &grants))
            continue;
        for (uint32_t k = 0; k < grants; k++)
            all = all && grant_cosigned(a, hub_cbor_item(&keys));
    }
    return all;
}

/* ---- governance.propose */

static struct hub_proposal read_proposal(const struct hub_apply *a)
{
    struct hub_span body = a->record->body, title = hub_field_item(body, "title");
    struct hub_proposal p = {
        .reference = hub_field_span(body, "proposal"),
        .title_zh = hub_field_span(title, "zh"),
        .title_en = hub_field_span(title, "en"),
        .document = hub_field_span(body, "document"),
        .actions = hub_field_item(body, "actions"),
        .proposer = a->signer->member,
        .created_ms = a->time_ms,
        .deadline_ms = hub_field_uint(body, "deadline", 0),
        .height = a->height,
        .index = a->index,
    };

    hub_actions_hash(&p.actions_hash, p.actions);
    return p;
}

/* Tries the actions on the state as it is, and takes them back. Codes of guards may be others by the time of
 * the deciding vote; the rest never will. */
static uint16_t try_actions(struct hub_apply *a, struct hub_span actions)
{
    size_t mark = a->state->undo->len;
    uint16_t code = hub_actions_enact(a, actions);

    hub_state_undo_to(a->state, mark);
    return hub_guard_code(code) ? 0 : code;
}

uint16_t hub_governance_propose_apply(struct hub_apply *a)
{
    struct hub_proposal p = read_proposal(a);
    const bool one_owner = read_actions(&p, a->state);
    struct hub_ballot_count tally;
    struct hub_member m;
    uint64_t ahead = p.deadline_ms < a->time_ms ? 0 : p.deadline_ms - a->time_ms;
    uint16_t code;
    uint32_t row;

    hub_member_get(&m, a->state, a->signer->member);
    if (!m.voting && !(p.of_authority && m.kind == HUB_KIND_AUTHORITY))
        return HUB_CODE_role_missing;
    if (!new_keys_cosigned(a, p.actions))
        return HUB_CODE_cosign_missing;
    code = try_actions(a, p.actions);
    hub_proposal_count(&tally, a->state, &p);
    if (p.concerned_count > 0 && tally.entitled < CONCERNED_OTHERS)
        code = hub_first_code(code, HUB_CODE_last_voter);
    if (!one_owner || (p.of_authority && m.kind != HUB_KIND_AUTHORITY))
        code = hub_first_code(code, HUB_CODE_authority_protected);
    if (hub_state_find(a->state, HUB_TABLE_PROPOSALS, p.reference, &row))
        code = hub_first_code(code, HUB_CODE_proposal_exists);
    if (ahead < DEADLINE_MIN_MS || ahead > DEADLINE_MAX_MS)
        code = hub_first_code(code, HUB_CODE_deadline_range);
    if (code == 0)
        (void)hub_proposal_add(a->state, &p); /* a full table fails the record: state.h 6 */
    return code;
}

/* ---- votes */

/* Why this member may not vote on the proposal, or 0. */
static uint16_t entitled_code(const struct hub_proposal *p, const struct hub_member *m)
{
    if (hub_proposal_entitled(p, m))
        return 0;
    if (!m->voting && !p->of_authority)
        return HUB_CODE_role_missing;
    return p->of_authority ? HUB_CODE_authority_protected : HUB_CODE_concerned_cannot_vote;
}

/* The open proposal a vote or a withdrawal names. */
static uint16_t open_proposal(struct hub_proposal *p, const struct hub_apply *a)
{
    if (!hub_proposal_find(p, a->state, hub_field_span(a->record->body, "proposal")))
        return HUB_CODE_proposal_unknown;
    return hub_proposal_standing(p, a->time_ms) == HUB_PROPOSAL_OPEN ? 0 : HUB_CODE_proposal_closed;
}

/* The vote is on what the proposal says, not on what somebody showed the voter. */
static uint16_t actions_code(const struct hub_proposal *p, const struct hub_apply *a)
{
    const struct hub_span hash = {p->actions_hash.b, sizeof p->actions_hash.b};

    return hub_span_equal(hub_field_span(a->record->body, "actions_hash"), hash)
               ? 0
               : HUB_CODE_actions_mismatch;
}

/* One vote a member; a rejection may become an approval. */
static uint16_t cast(struct hub_proposal *p, const struct hub_apply *a, enum hub_ballot ballot)
{
    uint32_t i = 0;

    while (i < p->votes && p->vote[i].member != a->signer->member)
        i++;
    if (i < p->votes && (p->vote[i].ballot == HUB_BALLOT_APPROVE || ballot == HUB_BALLOT_REJECT))
        return HUB_CODE_already_voted;
    if (i == HUB_VOTERS_MAX)
        return HUB_CODE_table_full; /* members came, voted and left: more than the row holds */
    p->vote[i] = (struct hub_vote_cast){a->signer->member, ballot, a->time_ms, a->height, a->index};
    if (i == p->votes)
        p->votes++;
    return 0;
}

static void close(struct hub_proposal *p, const struct hub_apply *a, enum hub_proposal_state state,
                  uint16_t code)
{
    p->state = state;
    p->code = code;
    p->closed_ms = a->time_ms;
    p->closed_height = a->height;
    p->closed_index = a->index;
}

/* The deciding approval enacts, all or nothing: what fails leaves the vote and nothing else. */
static void enact(struct hub_proposal *p, struct hub_apply *a)
{
    size_t mark = a->state->undo->len;
    uint16_t code = hub_actions_enact(a, p->actions);

    if (code != 0)
        hub_state_undo_to(a->state, mark);
    close(p, a, code == 0 ? HUB_PROPOSAL_ENACTED : HUB_PROPOSAL_FAILED, code);
}

static uint16_t vote(struct hub_apply *a, enum hub_ballot ballot)
{
    struct hub_proposal p;
    struct hub_ballot_count tally;
    struct hub_member m;
    uint16_t code = open_proposal(&p, a), not_entitled = 0;

    hub_member_get(&m, a->state, a->signer->member);
    if (code != HUB_CODE_proposal_unknown)
        not_entitled = entitled_code(&p, &m);
    if (not_entitled == HUB_CODE_role_missing)
        return not_entitled;
    if (code == 0)
        code = not_entitled;
    if (code == 0)
        code = cast(&p, a, ballot);
    if (code == 0)
        code = actions_code(&p, a);
    if (code != 0)
        return code;
    hub_proposal_count(&tally, a->state, &p);
    if (tally.approvals >= tally.needed)
        enact(&p, a);
    else if (tally.entitled - tally.rejections < tally.needed)
        close(&p, a, HUB_PROPOSAL_REFUSED, 0);
    hub_proposal_put(a->state, &p);
    return 0;
}

uint16_t hub_governance_approve_apply(struct hub_apply *a)
{
    return vote(a, HUB_BALLOT_APPROVE);
}

uint16_t hub_governance_reject_apply(struct hub_apply *a)
{
    return vote(a, HUB_BALLOT_REJECT);
}

uint16_t hub_governance_withdraw_apply(struct hub_apply *a)
{
    struct hub_proposal p;
    uint16_t code = open_proposal(&p, a);

    if (code == 0)
        code = actions_code(&p, a);
    if (code != 0)
        return code;
    if (p.proposer != a->signer->member)
        return HUB_CODE_not_proposer;
    close(&p, a, HUB_PROPOSAL_WITHDRAWN, 0);
    hub_proposal_put(a->state, &p);
    return 0;
}
