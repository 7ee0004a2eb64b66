/* wallet_open.c: wallet.open (docs/currency.md): an institution's operator opens a wallet. */
#include "ledger/wallet.h"

#include <string.h>

const struct hub_field hub_wallet_open_fields[] = {
    {.name = "key", .kind = HUB_FIELD_COSE_KEY},
    {.name = "kind", .kind = HUB_FIELD_ENUM, .required = true, .names = hub_wallet_kind_names + 1},
    {.name = "tier", .kind = HUB_FIELD_UINT, .required = true, .max = HUB_TIERS - 1},
    {.name = "owner", .kind = HUB_FIELD_BYTES, .required = true, .min = 16, .max = 16},
    {.name = "limits", .kind = HUB_FIELD_MAP, .sub = hub_limits_fields},
    {.name = "no_p2p", .kind = HUB_FIELD_BOOL},
    {.name = "parent", .kind = HUB_FIELD_WALLET},
    {.name = "reference", .kind = HUB_FIELD_REF, .required = true},
    {.name = "institution", .kind = HUB_FIELD_UINT, .required = true, .min = 1, .max = UINT16_MAX},
    {.name = NULL},
};

static enum hub_wallet_kind kind_of(struct hub_span body)
{
    return (enum hub_wallet_kind)(1 + hub_field_enum(body, "kind", hub_wallet_kind_names + 1));
}

static bool is_sub(enum hub_wallet_kind kind)
{
    return kind == HUB_WALLET_KIND_SUB || kind == HUB_WALLET_KIND_SUB_CORPORATE;
}

/* Which optional fields a kind has: a parent exactly the sub-wallets, limits of its own only a corporate
 * wallet, no key of its own what belongs to the institution. */
uint16_t hub_wallet_open_check(const struct hub_record *r)
{
    enum hub_wallet_kind kind = kind_of(r->body);
    bool institutions = kind == HUB_WALLET_KIND_RESERVE || kind == HUB_WALLET_KIND_FEE;
    bool fit = is_sub(kind) == hub_field_has(r->body, "parent") &&
               (kind == HUB_WALLET_KIND_CORPORATE || !hub_field_has(r->body, "limits")) &&
               !(institutions && hub_field_has(r->body, "key"));
    return fit ? 0 : HUB_CODE_body_invalid;
}

struct opening {
    struct hub_span body;
    enum hub_wallet_kind kind;
    uint8_t tier;
    uint16_t number;                               /* of the institution */
    const uint8_t *owner, *reference, *parent_row; /* parent_row NULL: no sub-wallet */
    uint32_t parent;
    bool has_key;
    struct hub_public_key key;
    struct hub_hash kid;
    struct hub_institution institution;
};

static struct opening read_opening(struct hub_span body)
{
    struct opening o = {.body = body, .kind = kind_of(body)};
    o.tier = (uint8_t)hub_field_uint(body, "tier", 0);
    o.number = (uint16_t)hub_field_uint(body, "institution", 0);
    o.owner = hub_field_span(body, "owner").data;
    o.reference = hub_field_span(body, "reference").data;
    o.has_key =
        hub_field_has(body, "key") && hub_cose_key_decode(&o.key, hub_field_span(body, "key"));
    if (o.has_key)
        hub_kid_of(&o.kid, &o.key);
    return o;
}

/* The holder's key signs that it is held (proof of possession) and is registered nowhere yet. */
static uint16_t key_rules(const struct hub_apply *a, const struct opening *o)
{
    if (!o->has_key)
        return 0;
    if (!hub_apply_cosigned_by(a, &o->kid))
        return HUB_CODE_cosign_missing;
    struct hub_key known;
    return hub_key_find(&known, a->state, &o->kid) ? HUB_CODE_key_exists : 0;
}

/* A parent funds its sub-wallets and lends them its limits: same institution, same owner, the kind above. */
static uint16_t parent_fits(struct opening *o, const struct hub_state *s)
{
    if (!is_sub(o->kind))
        return 0;
    if (!hub_wallet_slot(&o->parent, s, hub_field_uint(o->body, "parent", 0)))
        return HUB_CODE_debit_unknown;
    const uint8_t *parent = hub_wallet_row(s, o->parent);
    bool fits =
        parent[HUB_WALLET_KIND] == (o->kind == HUB_WALLET_KIND_SUB ? HUB_WALLET_KIND_PERSONAL
                                                                   : HUB_WALLET_KIND_CORPORATE) &&
        hub_wallet_u16(parent, HUB_WALLET_INSTITUTION) == o->number &&
        memcmp(parent + HUB_WALLET_OWNER, o->owner, 16) == 0;
    o->parent_row = parent;
    return fits ? 0 : HUB_CODE_debit_kind;
}

static uint16_t parent_open(const struct opening *o)
{
    if (o->parent_row == NULL)
        return 0;
    uint16_t flags = hub_wallet_u16(o->parent_row, HUB_WALLET_FLAGS);
    if (flags & HUB_WALLET_CLOSED)
        return HUB_CODE_parent_closed;
    return flags & HUB_WALLET_STOP_OUT ? HUB_CODE_parent_frozen : 0;
}

static uint32_t owner_scope(const struct opening *o)
{
    return (uint32_t)o->tier << 16 | o->number;
}

/* One opening a reference, one personal wallet of a tier an owner, one reserve an institution. */
static uint16_t not_there_yet(const struct opening *o, const struct hub_state *s)
{
    if (hub_reference_find(NULL, s, HUB_REFERENCE_OPENING, o->number, o->reference))
        return HUB_CODE_reference_exists;
    if (o->kind == HUB_WALLET_KIND_PERSONAL &&
        hub_reference_find(NULL, s, HUB_REFERENCE_OWNER, owner_scope(o), o->owner))
        return HUB_CODE_owner_exists;
    return o->kind == HUB_WALLET_KIND_RESERVE && o->institution.reserve > 0 ? HUB_CODE_wallet_exists
                                                                            : 0;
}

static bool tier_fits(const struct opening *o)
{
    if (o->parent_row != NULL)
        return o->tier == o->parent_row[HUB_WALLET_TIER];
    bool has_tier = o->kind == HUB_WALLET_KIND_PERSONAL || o->kind == HUB_WALLET_KIND_HARD;
    return has_tier == (o->tier > 0);
}

static uint16_t may_open(struct opening *o, struct hub_turn *t, struct hub_apply *a)
{
    uint16_t code = key_rules(a, o);
    if (code == 0)
        code = hub_turn_begin(t, a);
    if (code == 0)
        code = parent_fits(o, a->state);
    if (code == 0 && (t->institution != o->number ||
                      !hub_institution_find(&o->institution, a->state, o->number)))
        code = HUB_CODE_not_custodian;
    if (code == 0)
        code = parent_open(o);
    if (code == 0)
        code = not_there_yet(o, a->state);
    if (code == 0 && !tier_fits(o))
        code = HUB_CODE_kind_tier;
    return code;
}

static uint32_t add_key(struct hub_apply *a, const struct opening *o, uint64_t number)
{
    struct hub_key k = {.kid = o->kid,
                        .key = o->key,
                        .roles = HUB_ROLE_WALLET,
                        .member = UINT32_MAX,
                        .wallet = number,
                        .from_ms = a->time_ms};
    return hub_key_add(a->state, &k);
}

static void write_parent(struct hub_apply *a, uint32_t parent)
{
    struct hub_children c;
    hub_children_get(&c, a->state, parent);
    c.count++;
    hub_children_put(a->state, &c);
    uint8_t *row = hub_state_wallet_write(a->state, parent);
    if (row == NULL)
        return;
    hub_put_be16(row + HUB_WALLET_FLAGS,
                 hub_wallet_u16(row, HUB_WALLET_FLAGS) | HUB_WALLET_HAS_CHILDREN);
    hub_put_be64(row + HUB_WALLET_LAST_HEIGHT, a->height);
}

static void write_wallet(struct hub_turn *t, const struct opening *o, uint32_t slot)
{
    struct hub_apply *a = t->apply;
    uint8_t row[HUB_WALLET_ROW_BYTES];
    hub_wallet_new(row, a->state, o->number, o->kind, o->tier, o->owner);
    hub_put_be64(row + HUB_WALLET_LAST_HEIGHT, a->height);
    if (hub_field_bool(o->body, "no_p2p", false))
        hub_put_be16(row + HUB_WALLET_FLAGS, HUB_WALLET_NO_P2P);
    if (o->parent_row != NULL)
        hub_put_be32(row + HUB_WALLET_PARENT, o->parent + 1);
    if (o->has_key)
        hub_put_be32(row + HUB_WALLET_KEY, add_key(a, o, hub_wallet_number(o->number, slot)) + 1);
    if (hub_field_has(o->body, "limits"))
        hub_put_be32(row + HUB_WALLET_LIMITS,
                     hub_limits_add(a->state, slot, hub_field_item(o->body, "limits")) + 1);
    hub_wallet_add(a->state, &t->totals, row);
}

uint16_t hub_wallet_open_apply(struct hub_apply *a)
{
    struct opening o = read_opening(a->record->body);
    struct hub_turn t;
    uint16_t code = may_open(&o, &t, a);
    if (code != 0)
        return code;
    uint32_t slot = a->state->count[HUB_TABLE_WALLETS];
    write_wallet(&t, &o, slot);
    if (o.parent_row != NULL)
        write_parent(a, o.parent);
    hub_reference_add(a, HUB_REFERENCE_OPENING, o.number, o.reference, slot);
    if (o.kind == HUB_WALLET_KIND_PERSONAL)
        hub_reference_add(a, HUB_REFERENCE_OWNER, owner_scope(&o), o.owner, slot);
    if (o.kind == HUB_WALLET_KIND_RESERVE) {
        o.institution.reserve = slot + 1;
        hub_institution_put(a->state, &o.institution);
    }
    hub_turn_end(&t);
    hub_put_uint(a->value, hub_wallet_number(o.number, slot));
    return 0;
}
