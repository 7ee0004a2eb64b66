/* enact.c: what the actions of a proposal do to the state. Actions are done one after the other, each on what
 * the ones before it left; the set of validators is put together on the way and judged once at the end. */
#include "ledger/epoch.h"
#include "ledger/governance.h"
#include "ledger/member.h"
#include "ledger/wallet.h"

#include "hub/cbor.h"

#include <string.h>

enum { FEW_VOTERS = 5, VOTERS_MIN = 2, VERSION_NAME_BYTES = 16 };

struct enactment {
    struct hub_apply *a;
    struct hub_validators set; /* the newest, as changed by the actions so far */
    bool set_changed, left;    /* left: somebody was suspended or removed */
    uint32_t removed[HUB_ACTIONS_MAX], removed_count;
};

/* ---- members */

struct voters {
    uint32_t all, suspended;
};

static struct voters count_voters(const struct hub_state *s)
{
    struct voters v = {0, 0};

    for (uint32_t row = 0; row < s->count[HUB_TABLE_MEMBERS]; row++) {
        struct hub_member m;

        hub_member_get(&m, s, row);
        if (!m.voting || m.removed)
            continue;
        v.all++;
        v.suspended += m.suspended;
    }
    return v;
}

/* The member an action names; members that were removed are none. */
static uint16_t named_member(struct hub_member *out, const struct enactment *e,
                             struct hub_span action, const char *field)
{
    if (!hub_member_find(out, e->a->state, hub_field_span(action, field)) || out->removed)
        return HUB_CODE_member_unknown;
    return 0;
}

static uint16_t add_grant(struct hub_key *k, const struct enactment *e, struct hub_span grant,
                          uint32_t member)
{
    struct hub_key known;

    hub_key_from_grant(k, grant, member);
    if (hub_key_find(&known, e->a->state, &k->kid))
        return HUB_CODE_key_exists;
    return hub_key_register(e->a->state, k, e->a->time_ms) ? 0 : HUB_CODE_too_many_governors;
}

/* Adds the key to the set, with the quorum that n gives; three validators must say in words what they want,
 * in an action of their own. */
static uint16_t join_set(struct enactment *e, const struct hub_key *k, struct hub_span code)
{
    struct hub_validators *set = &e->set;

    if (set->n == HUB_VALIDATORS_MAX || set->n + 1 == 3)
        return HUB_CODE_quorum_unsafe;
    memset(&set->v[set->n], 0, sizeof set->v[set->n]);
    set->v[set->n].key = k->key;
    set->v[set->n].kid = k->kid;
    memcpy(set->v[set->n].transport, k->transport.data, sizeof set->v[set->n].transport);
    memcpy(set->v[set->n].member, code.data, code.len);
    set->n++;
    set->q = hub_quorum_default(set->n);
    set->fault_model = HUB_FAULT_BFT;
    e->set_changed = true;
    return 0;
}

static uint16_t add_member(struct hub_member *m, const struct enactment *e, struct hub_span map)
{
    struct hub_state *s = e->a->state;
    struct hub_member other;

    hub_member_from_map(m, map);
    if (hub_member_code_used(s, m->code) ||
        (m->institution != 0 && hub_member_of_institution(&other, s, m->institution)))
        return HUB_CODE_member_exists;
    if (m->kind == HUB_KIND_AUTHORITY)
        return HUB_CODE_authority_protected;
    if (m->voting && count_voters(s).all >= HUB_VOTERS_MAX)
        return HUB_CODE_table_full;
    hub_member_add(s, m);
    if (m->institution != 0 && s->count[HUB_TABLE_WALLETS] > 0)
        hub_wallet_genesis(s, (uint16_t)m->institution, 0, false);
    return 0;
}

static uint16_t admit(struct enactment *e, struct hub_span action)
{
    struct hub_span chosen = hub_field_span(action, "validator");
    struct hub_member m;
    struct hub_cbor c;
    uint32_t n = 0;
    uint16_t code = add_member(&m, e, hub_field_item(action, "admit"));
    bool has = hub_field_array(action, "keys", &c, &n);

    HUB_ASSERT(has);
    for (uint32_t i = 0; i < n && code == 0; i++) {
        struct hub_key k;

        if (m.row == UINT32_MAX)
            return HUB_CODE_table_full; /* state.h 6: the record will be undone */
        code = add_grant(&k, e, hub_cbor_item(&c), m.row);
        if (code == 0 && hub_span_equal(chosen, (struct hub_span){k.kid.b, sizeof k.kid.b}))
            code = join_set(e, &k, m.code);
    }
    return code;
}

static uint16_t suspend(struct enactment *e, struct hub_span action)
{
    struct hub_member m;
    struct voters v = count_voters(e->a->state);
    uint16_t code = named_member(&m, e, action, "suspend");

    if (code != 0)
        return code;
    if (m.kind == HUB_KIND_AUTHORITY)
        return HUB_CODE_authority_protected;
    if (m.suspended)
        return HUB_CODE_member_state;
    if (m.voting && v.all < FEW_VOTERS && v.suspended > 0)
        return HUB_CODE_suspended_already;
    m.suspended = true;
    m.since_ms = e->a->time_ms;
    hub_member_put(e->a->state, &m);
    e->left = true;
    return 0;
}

static uint16_t restore(struct enactment *e, struct hub_span action)
{
    struct hub_member m;
    uint16_t code = named_member(&m, e, action, "restore");

    if (code != 0)
        return code;
    if (!m.suspended)
        return HUB_CODE_member_state;
    m.suspended = false;
    m.since_ms = 0;
    hub_member_put(e->a->state, &m);
    return 0;
}

/* An institution leaves when all money it brought out has come back. */
static bool owes(const struct hub_state *s, const struct hub_member *m)
{
    struct hub_institution i;

    if (m->institution == 0)
        return false;
    if (hub_institution_find(&i, s, m->institution) && i.issued != i.retired)
        return true;
    for (uint32_t slot = 0; slot < s->count[HUB_TABLE_WALLETS]; slot++) {
        const uint8_t *row = hub_wallet_row(s, slot);

        if (hub_wallet_u16(row, HUB_WALLET_CUSTODIAN) == m->institution &&
            hub_wallet_u32(row, HUB_WALLET_KEY) == 0 && hub_wallet_balance(row) > 0)
            return true;
    }
    return false;
}

static uint16_t remove_member(struct enactment *e, struct hub_span action)
{
    struct hub_member m;
    uint16_t code = named_member(&m, e, action, "remove");

    if (code != 0)
        return code;
    if (m.kind == HUB_KIND_AUTHORITY)
        return HUB_CODE_authority_protected;
    if (owes(e->a->state, &m))
        return HUB_CODE_balance_not_zero;
    m.removed = true;
    m.suspended = false;
    m.since_ms = e->a->time_ms;
    hub_member_put(e->a->state, &m);
    e->removed[e->removed_count++] = m.row;
    e->left = true;
    return 0;
}

static uint16_t succeed(struct enactment *e, struct hub_span action)
{
    struct hub_span code = hub_field_span(action, "code");
    struct hub_span names = hub_field_item(action, "names");
    struct hub_member m;
    uint16_t why = named_member(&m, e, action, "succeed");

    if (hub_member_code_used(e->a->state, code) && !hub_span_equal(code, m.code))
        return HUB_CODE_member_exists; /* the same code with new names is a change of name */
    if (why != 0)
        return why;
    m.name_zh = hub_field_span(names, "zh");
    m.name_en = hub_field_span(names, "en");
    hub_member_rename(e->a->state, &m, code);
    return 0;
}

static uint16_t governor(struct enactment *e, struct hub_span action)
{
    struct hub_member m;
    struct hub_key k;
    uint16_t code = named_member(&m, e, action, "governor");

    if (code != 0)
        return code;
    if (m.kind == HUB_KIND_AUTHORITY)
        return HUB_CODE_authority_protected;
    return add_grant(&k, e, hub_field_item(action, "key"), m.row);
}

/* ---- validators */

static bool same_transport(const struct hub_validators *set, unsigned i, unsigned j)
{
    return memcmp(set->v[i].transport, set->v[j].transport, sizeof set->v[i].transport) == 0;
}

/* One validator of a new set: an acting validator key of a member that was not removed. */
static bool take_validator(struct hub_validators *set, const struct hub_apply *a,
                           struct hub_span kid)
{
    struct hub_hash id;
    struct hub_member m;
    struct hub_key k;
    unsigned i = set->n;

    memcpy(id.b, kid.data, sizeof id.b);
    if (!hub_key_find(&k, a->state, &id) || k.roles != HUB_ROLE_VALIDATOR ||
        hub_key_standing(&k, a->time_ms) != HUB_KEY_ACTIVE)
        return false;
    hub_member_get(&m, a->state, k.member);
    if (m.removed)
        return false;
    set->v[i].key = k.key;
    set->v[i].kid = k.kid;
    memcpy(set->v[i].transport, k.transport.data, sizeof set->v[i].transport);
    memcpy(set->v[i].member, m.code.data, m.code.len);
    for (unsigned j = 0; j < i; j++)
        if (same_transport(set, i, j))
            return false;
    set->n++;
    return true;
}

uint16_t hub_validators_named(struct hub_validators *out, const struct hub_apply *a,
                              struct hub_span map)
{
    struct hub_cbor c;
    uint32_t n = 0;
    bool has = hub_field_array(map, "validators", &c, &n);

    HUB_ASSERT(has && n <= HUB_VALIDATORS_MAX);
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < n; i++)
        if (!take_validator(out, a, hub_cbor_bytes(&c, 32, 32)))
            return HUB_CODE_validator_unknown;
    out->q = (uint8_t)hub_field_uint(map, "quorum", 0);
    out->fault_model =
        (enum hub_fault_model)hub_field_enum(map, "fault_model", hub_fault_model_names);
    return 0;
}

static uint16_t validators(struct enactment *e, struct hub_span action)
{
    struct hub_validators next;
    uint16_t code = hub_validators_named(&next, e->a, action);

    if (code != 0)
        return code;
    e->set = next;
    e->set_changed = true;
    return 0;
}

/* ---- parameters and versions */

static void put_parameter(struct hub_state *s, struct hub_span name, uint64_t value)
{
    uint8_t bytes[128];
    struct hub_buf b = {bytes, 0, sizeof bytes - 2, false};
    uint32_t row;

    hub_put_array(&b, 2);
    hub_put_text_span(&b, name);
    hub_put_uint(&b, value);
    HUB_ASSERT(!b.full);
    if (hub_state_find(s, HUB_TABLE_PARAMETERS, name, &row))
        hub_state_put(s, HUB_TABLE_PARAMETERS, row, hub_span_of(&b));
    else
        hub_state_add(s, HUB_TABLE_PARAMETERS, hub_span_of(&b));
}

static uint16_t parameter(struct enactment *e, struct hub_span action)
{
    struct hub_span name = hub_field_span(action, "parameter");
    uint64_t value = hub_field_uint(action, "value", 0), min, max;

    if (hub_parameter_named(name, NULL, &min, &max) < 0)
        return HUB_CODE_parameter_unknown;
    if (value < min || value > max)
        return HUB_CODE_parameter_out_of_range;
    put_parameter(e->a->state, name, value);
    return 0;
}

/* "protocol.<version>" */
static struct hub_span version_name(char out[VERSION_NAME_BYTES], uint64_t version)
{
    static const char prefix[] = "protocol.";
    size_t len = sizeof prefix - 1;
    uint64_t scale = 1;

    HUB_ASSERT(version <= UINT16_MAX + (uint64_t)1);
    memcpy(out, prefix, len);
    while (version / scale >= 10)
        scale *= 10;
    for (; scale > 0; scale /= 10)
        out[len++] = (char)('0' + version / scale % 10);
    return (struct hub_span){(const uint8_t *)out, len};
}

uint64_t hub_version_height(const struct hub_state *s, uint64_t version)
{
    char name[VERSION_NAME_BYTES];
    struct hub_cbor c;
    uint64_t height;
    uint32_t row;

    if (!hub_state_find(s, HUB_TABLE_PARAMETERS, version_name(name, version), &row))
        return 0;
    c = hub_cbor_open(hub_state_row(s, HUB_TABLE_PARAMETERS, row));
    hub_cbor_array(&c, 2, 2);
    hub_cbor_item(&c);
    height = hub_cbor_uint(&c, 1, HUB_UINT_MAX);
    HUB_ASSERT(hub_cbor_done(&c));
    return height;
}

/* The next version, once a quorum of the set has said that its software speaks it. */
static uint16_t version(struct enactment *e, struct hub_span action)
{
    const uint64_t wanted = hub_field_uint(action, "version", 0);
    const uint64_t from = hub_field_uint(action, "height", 0);
    struct hub_state *s = e->a->state;
    char name[VERSION_NAME_BYTES];

    if (hub_ready_count(s, &e->set, e->a->time_ms, wanted) < e->set.q)
        return HUB_CODE_ready_missing;
    if (wanted < 2 || hub_version_height(s, wanted) != 0 ||
        (wanted > 2 && hub_version_height(s, wanted - 1) == 0))
        return HUB_CODE_parameter_out_of_range;
    if (from < e->a->height + HUB_SEAL_GAP ||
        (wanted > 2 && from <= hub_version_height(s, wanted - 1)))
        return HUB_CODE_height_too_soon;
    put_parameter(s, version_name(name, wanted), from);
    return 0;
}

/* ---- all of them */

static uint16_t (*const enact[HUB_ACTIONS])(struct enactment *, struct hub_span) = {
    [HUB_ACTION_ADMIT] = admit,         [HUB_ACTION_SUSPEND] = suspend,
    [HUB_ACTION_RESTORE] = restore,     [HUB_ACTION_REMOVE] = remove_member,
    [HUB_ACTION_SUCCEED] = succeed,     [HUB_ACTION_VALIDATORS] = validators,
    [HUB_ACTION_PARAMETER] = parameter, [HUB_ACTION_GOVERNOR] = governor,
    [HUB_ACTION_VERSION] = version,
};

/* A member that was removed here runs a validator of the set that will vote. */
static bool removed_validates(const struct enactment *e)
{
    for (unsigned i = 0; i < e->set.n; i++) {
        struct hub_key k;

        if (!hub_key_find(&k, e->a->state, &e->set.v[i].kid))
            continue;
        for (uint32_t r = 0; r < e->removed_count; r++)
            if (k.member == e->removed[r])
                return true;
    }
    return false;
}

/* The guards that look at what all actions together left, in the order of the codes. */
static uint16_t guards(const struct enactment *e)
{
    const struct hub_state *s = e->a->state;
    uint64_t num = hub_parameter(s, HUB_PARAM_GOVERNANCE_THRESHOLD_NUM);
    uint64_t den = hub_parameter(s, HUB_PARAM_GOVERNANCE_THRESHOLD_DEN);
    struct voters v = count_voters(s);
    uint16_t code = 0;

    if (2 * num <= den || num > den)
        return HUB_CODE_threshold_form;
    if (e->left && v.all - v.suspended < VOTERS_MIN)
        return HUB_CODE_last_voter;
    if (e->set_changed)
        code = hub_epoch_guard(e->a, &e->set);
    if (code != 0 && code < HUB_CODE_member_validates)
        return code;
    return removed_validates(e) ? HUB_CODE_member_validates : code;
}

uint16_t hub_actions_enact(struct hub_apply *a, struct hub_span actions)
{
    struct enactment e = {.a = a};
    struct hub_cbor c = hub_cbor_open(actions);
    uint32_t n = hub_cbor_array(&c, 1, HUB_ACTIONS_MAX);
    uint16_t code = 0;

    hub_epoch_newest(&e.set, a->state);
    for (uint32_t i = 0; i < n && code == 0; i++) {
        struct hub_span action = hub_cbor_item(&c);
        int kind = hub_action_kind(action);

        HUB_ASSERT(!c.bad && kind >= 0); /* checked when it was proposed */
        code = enact[kind](&e, action);
    }
    if (code == 0)
        code = guards(&e);
    if (code == 0 && e.set_changed)
        hub_epoch_append(a, &e.set);
    return code;
}

bool hub_guard_code(uint16_t code)
{
    switch (code) {
    case HUB_CODE_threshold_form:
    case HUB_CODE_last_voter:
    case HUB_CODE_quorum_unsafe:
    case HUB_CODE_ready_missing:
    case HUB_CODE_member_validates:
    case HUB_CODE_parameter_out_of_range:
    case HUB_CODE_height_too_soon:
    case HUB_CODE_validator_unknown:
    case HUB_CODE_member_state:
    case HUB_CODE_suspended_already:
    case HUB_CODE_balance_not_zero:
        return true;
    default:
        return false;
    }
}
