/* action.c: the shapes of what a proposal may do, and the checks of them that need no state. */
#include "ledger/governance.h"

#include "hub/genesis.h"
#include "hub/vote.h"
#include "ledger/member.h"

/* ---- fields */

static const struct hub_field member_names[] = {
    {.name = "en", .kind = HUB_FIELD_TEXT, .min = 1, .max = 100},
    {.name = "zh", .kind = HUB_FIELD_TEXT, .required = true, .min = 1, .max = 100},
    {.name = NULL},
};
static const struct hub_field title_names[] = {
    {.name = "en", .kind = HUB_FIELD_TEXT, .min = 1, .max = 200},
    {.name = "zh", .kind = HUB_FIELD_TEXT, .required = true, .min = 1, .max = 200},
    {.name = NULL},
};

static const struct hub_field grant_element = {.kind = HUB_FIELD_MAP, .sub = hub_grant_fields};
static const struct hub_field kid_element = {.kind = HUB_FIELD_HASH};

/* The places of the fields below, for the shapes. */
enum {
    F_KEY,
    F_CODE,
    F_KEYS,
    F_ADMIT,
    F_NAMES,
    F_VALUE,
    F_HEIGHT,
    F_QUORUM,
    F_REASON,
    F_REMOVE,
    F_RESTORE,
    F_SUCCEED,
    F_SUSPEND,
    F_VERSION,
    F_GOVERNOR,
    F_PARAMETER,
    F_VALIDATOR,
    F_VALIDATORS,
    F_FAULT_MODEL
};

const struct hub_field hub_action_fields[] = {
    [F_KEY] = {.name = "key", .kind = HUB_FIELD_MAP, .sub = hub_grant_fields},
    [F_CODE] = {.name = "code", .kind = HUB_FIELD_CODE},
    [F_KEYS] = {.name = "keys",
                .kind = HUB_FIELD_ARRAY,
                .min = 2,
                .max = HUB_ADMIT_KEYS_MAX,
                .sub = &grant_element},
    [F_ADMIT] = {.name = "admit", .kind = HUB_FIELD_MAP, .sub = hub_member_fields},
    [F_NAMES] = {.name = "names", .kind = HUB_FIELD_MAP, .sub = member_names},
    [F_VALUE] = {.name = "value", .kind = HUB_FIELD_UINT, .max = HUB_UINT_MAX},
    [F_HEIGHT] = {.name = "height", .kind = HUB_FIELD_UINT, .min = 1, .max = HUB_UINT_MAX},
    [F_QUORUM] = {.name = "quorum", .kind = HUB_FIELD_UINT, .min = 1, .max = HUB_VALIDATORS_MAX},
    [F_REASON] = {.name = "reason", .kind = HUB_FIELD_TEXT, .min = 1, .max = 300},
    [F_REMOVE] = {.name = "remove", .kind = HUB_FIELD_CODE},
    [F_RESTORE] = {.name = "restore", .kind = HUB_FIELD_CODE},
    [F_SUCCEED] = {.name = "succeed", .kind = HUB_FIELD_CODE},
    [F_SUSPEND] = {.name = "suspend", .kind = HUB_FIELD_CODE},
    [F_VERSION] = {.name = "version", .kind = HUB_FIELD_UINT, .min = 1, .max = UINT16_MAX},
    [F_GOVERNOR] = {.name = "governor", .kind = HUB_FIELD_CODE},
    [F_PARAMETER] = {.name = "parameter", .kind = HUB_FIELD_TEXT, .min = 1, .max = 64},
    [F_VALIDATOR] = {.name = "validator", .kind = HUB_FIELD_HASH},
    [F_VALIDATORS] = {.name = "validators",
                      .kind = HUB_FIELD_ARRAY,
                      .min = 1,
                      .max = HUB_VALIDATORS_MAX,
                      .sub = &kid_element},
    [F_FAULT_MODEL] = {.name = "fault_model",
                       .kind = HUB_FIELD_ENUM,
                       .names = hub_fault_model_names},
    [F_FAULT_MODEL + 1] = {.name = NULL},
};

static const struct hub_field action_element = {.kind = HUB_FIELD_MAP, .sub = hub_action_fields};

const struct hub_field hub_governance_propose_fields[] = {
    {.name = "title", .kind = HUB_FIELD_MAP, .required = true, .sub = title_names},
    {.name = "actions",
     .kind = HUB_FIELD_ARRAY,
     .required = true,
     .min = 1,
     .max = HUB_ACTIONS_MAX,
     .sub = &action_element},
    {.name = "deadline", .kind = HUB_FIELD_TIME, .required = true},
    {.name = "document", .kind = HUB_FIELD_HASH},
    {.name = "proposal", .kind = HUB_FIELD_REF, .required = true},
    {.name = NULL},
};

const struct hub_field hub_governance_vote_fields[] = {
    {.name = "remark", .kind = HUB_FIELD_TEXT, .min = 1, .max = 500},
    {.name = "proposal", .kind = HUB_FIELD_REF, .required = true},
    {.name = "actions_hash", .kind = HUB_FIELD_HASH, .required = true},
    {.name = NULL},
};

/* ---- shapes */

const char *const hub_action_names[] = {"admit",      "suspend",   "restore",  "remove",  "succeed",
                                        "validators", "parameter", "governor", "version", NULL};

static const struct {
    uint32_t all, may; /* fields it has, and those it may have */
} shapes[HUB_ACTIONS] = {
    [HUB_ACTION_ADMIT] = {1u << F_ADMIT | 1u << F_KEYS, 1u << F_VALIDATOR},
    [HUB_ACTION_SUSPEND] = {1u << F_SUSPEND | 1u << F_REASON, 0},
    [HUB_ACTION_RESTORE] = {1u << F_RESTORE, 0},
    [HUB_ACTION_REMOVE] = {1u << F_REMOVE, 0},
    [HUB_ACTION_SUCCEED] = {1u << F_SUCCEED | 1u << F_CODE | 1u << F_NAMES, 0},
    [HUB_ACTION_VALIDATORS] = {1u << F_VALIDATORS | 1u << F_QUORUM | 1u << F_FAULT_MODEL, 0},
    [HUB_ACTION_PARAMETER] = {1u << F_PARAMETER | 1u << F_VALUE, 0},
    [HUB_ACTION_GOVERNOR] = {1u << F_GOVERNOR | 1u << F_KEY, 0},
    [HUB_ACTION_VERSION] = {1u << F_VERSION | 1u << F_HEIGHT, 0},
};

int hub_action_kind(struct hub_span action)
{
    uint32_t has = 0;

    for (unsigned f = 0; hub_action_fields[f].name != NULL; f++)
        if (hub_field_has(action, hub_action_fields[f].name))
            has |= 1u << f;
    for (int kind = 0; kind < HUB_ACTIONS; kind++)
        if ((has & ~shapes[kind].may) == shapes[kind].all)
            return kind;
    return -1;
}

/* The member and its keys: two governors at least, a validator that is among them, no quota, which is the
 * authority's to give. */
static bool admit_ok(struct hub_span action)
{
    struct hub_span member = hub_field_item(action, "admit");
    struct hub_span chosen = hub_field_span(action, "validator");
    uint64_t needed = hub_field_uint(member, "governors_needed", 1), governors = 0;
    int kind = hub_field_enum(member, "kind", hub_member_kind_names);
    bool numbered = hub_field_has(member, "institution"), found = chosen.data == NULL;
    struct hub_cbor c;
    uint32_t n;

    if (hub_field_has(member, "quota") || !hub_field_array(action, "keys", &c, &n) ||
        ((kind == HUB_KIND_AUTHORITY || kind == HUB_KIND_INSTITUTION) && !numbered))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        struct hub_span grant = hub_cbor_item(&c);
        uint32_t roles = hub_grant_roles(grant);
        struct hub_hash kid;

        if (hub_grant_fault(grant) != NULL)
            return false;
        governors += (roles & HUB_ROLE_GOVERNOR) != 0;
        hub_hash_span(&kid, hub_field_span(grant, "key"));
        if (roles == HUB_ROLE_VALIDATOR &&
            hub_span_equal(chosen, (struct hub_span){kid.b, sizeof kid.b}))
            found = true;
    }
    return found && governors >= (needed > 2 ? needed : 2);
}

/* A validator votes once. */
bool hub_kids_differ(struct hub_span map, const char *name)
{
    struct hub_span kid[HUB_VALIDATORS_MAX];
    struct hub_cbor c;
    uint32_t n;

    if (!hub_field_array(map, name, &c, &n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        kid[i] = hub_cbor_bytes(&c, 32, 32);
        for (uint32_t j = 0; j < i; j++)
            if (hub_span_equal(kid[i], kid[j]))
                return false;
    }
    return true;
}

static bool governor_ok(struct hub_span action)
{
    struct hub_span grant = hub_field_item(action, "key");

    return hub_grant_fault(grant) == NULL && hub_grant_roles(grant) == HUB_ROLE_GOVERNOR;
}

uint16_t hub_governance_propose_check(const struct hub_record *r)
{
    struct hub_cbor c;
    uint32_t n, sets = 0;

    if (!hub_field_array(r->body, "actions", &c, &n))
        return HUB_CODE_body_invalid;
    if (hub_field_item(r->body, "actions").len > HUB_ACTIONS_BYTES_MAX)
        return HUB_CODE_too_large;
    for (uint32_t i = 0; i < n; i++) {
        struct hub_span action = hub_cbor_item(&c);
        int kind = hub_action_kind(action);

        if (kind < 0 || (kind == HUB_ACTION_ADMIT && !admit_ok(action)) ||
            (kind == HUB_ACTION_VALIDATORS &&
             (!hub_kids_differ(action, "validators") || ++sets > 1)) ||
            (kind == HUB_ACTION_GOVERNOR && !governor_ok(action)))
            return HUB_CODE_body_invalid;
    }
    return 0;
}
