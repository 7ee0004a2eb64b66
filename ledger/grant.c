/* grant.c: key grants, as genesis, member cards, key.add and governance's actions hold them. */
#include "ledger/member.h"

#include "hub/genesis.h"

#include <string.h>

static const struct hub_field role_field = {.kind = HUB_FIELD_ENUM, .names = hub_role_names};

const struct hub_field hub_grant_fields[] = {
    {.name = "box", .kind = HUB_FIELD_BYTES, .min = 32, .max = 32},
    {.name = "key", .kind = HUB_FIELD_COSE_KEY, .required = true},
    {.name = "label", .kind = HUB_FIELD_TEXT, .required = true, .min = 1, .max = 64},
    {.name = "roles",
     .kind = HUB_FIELD_ARRAY,
     .required = true,
     .min = 1,
     .max = 4,
     .sub = &role_field},
    {.name = "not_after", .kind = HUB_FIELD_TIME},
    {.name = "transport", .kind = HUB_FIELD_BYTES, .min = 32, .max = 32},
    {.name = "not_before", .kind = HUB_FIELD_TIME},
    {.name = NULL},
};

/* Bits of the names under "roles"; *count of names, 0 where there are none. */
static uint32_t read_roles(uint32_t *count, struct hub_span grant)
{
    struct hub_cbor c;
    uint32_t roles = 0;

    if (!hub_field_array(grant, "roles", &c, count))
        return 0;
    for (uint32_t i = 0; i < *count; i++) {
        struct hub_span role = hub_cbor_text(&c, 0, SIZE_MAX);

        for (unsigned bit = 0; hub_role_names[bit] != NULL; bit++)
            if (hub_span_equal(role, hub_text_span(hub_role_names[bit])))
                roles |= 1u << bit;
    }
    return roles;
}

uint32_t hub_grant_roles(struct hub_span grant)
{
    uint32_t count = 0;

    return read_roles(&count, grant);
}

const char *hub_grant_fault(struct hub_span grant)
{
    uint32_t count = 0, roles = read_roles(&count, grant);
    uint32_t alone = HUB_ROLE_VALIDATOR | HUB_ROLE_OBSERVER | HUB_ROLE_WALLET;
    uint32_t endless = HUB_ROLE_GOVERNOR | HUB_ROLE_RECOVERY | HUB_ROLE_VALIDATOR;

    if (hub_bits_set(roles) != count)
        return "keys: a role stands twice in roles";
    if ((roles & alone) != 0 && count > 1)
        return "keys: validator, observer and wallet stand alone in roles";
    if (hub_field_has(grant, "wallet") != ((roles & HUB_ROLE_WALLET) != 0))
        return "keys: a wallet key needs wallet, and no other key has one";
    if (hub_field_has(grant, "box") != ((roles & HUB_ROLE_READER) != 0))
        return "keys: a reader key needs box, and no other key has one";
    if (hub_field_has(grant, "transport") !=
        ((roles & (HUB_ROLE_VALIDATOR | HUB_ROLE_OBSERVER)) != 0))
        return "keys: a validator or observer key needs transport, and no other key has one";
    if ((roles & endless) != 0 && hub_field_has(grant, "not_after"))
        return "keys: governor, recovery and validator keys have no not_after";
    if (hub_field_uint(grant, "not_before", 0) >= hub_field_uint(grant, "not_after", UINT64_MAX))
        return "keys: not_before must lie before not_after";
    return NULL;
}

void hub_key_from_grant(struct hub_key *out, struct hub_span grant, uint32_t member)
{
    bool good;

    memset(out, 0, sizeof *out);
    good = hub_cose_key_decode(&out->key, hub_field_span(grant, "key"));
    HUB_ASSERT(good);
    hub_kid_of(&out->kid, &out->key);
    out->roles = (uint16_t)hub_grant_roles(grant);
    out->wallet = hub_field_uint(grant, "wallet", 0);
    out->member = out->roles == HUB_ROLE_WALLET ? UINT32_MAX : member;
    out->from_ms = hub_field_uint(grant, "not_before", 0);
    out->until_ms = hub_field_uint(grant, "not_after", 0);
    out->label = hub_field_span(grant, "label");
    out->box = hub_field_span(grant, "box");
    out->transport = hub_field_span(grant, "transport");
}
