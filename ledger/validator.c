/* validator.c: validator.ready and validator.replace (docs/governance.md). */
#include "ledger/epoch.h"
#include "ledger/member.h"

#include "hub/cbor.h"
#include "hub/genesis.h"

#include <string.h>

enum { READY_ROW_BYTES = 400, PORT_DIGITS = 5 };

#define DAY_MS ((uint64_t)24 * 3600 * 1000)

const struct hub_field hub_validator_ready_fields[] = {
    {.name = "endpoint", .kind = HUB_FIELD_TEXT, .required = true, .min = 3, .max = 255},
    {.name = "protocol", .kind = HUB_FIELD_UINT, .required = true, .min = 1, .max = UINT16_MAX},
    {.name = "software", .kind = HUB_FIELD_TEXT, .required = true, .min = 1, .max = 32},
    {.name = NULL},
};

const struct hub_field hub_validator_replace_fields[] = {
    {.name = "key", .kind = HUB_FIELD_MAP, .required = true, .sub = hub_grant_fields},
    {.name = "old", .kind = HUB_FIELD_HASH, .required = true},
    {.name = "reason", .kind = HUB_FIELD_ENUM, .required = true, .names = hub_revoke_reasons},
    {.name = NULL},
};

/* ---- validator.ready */

/* host:port with a port of 1 to 65535. Who has no address for this node in its configuration dials it here. */
static bool endpoint_ok(struct hub_span text)
{
    size_t colon = text.len;
    uint32_t port = 0;

    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon < 2 || text.len == colon || text.len - colon > PORT_DIGITS)
        return false;
    for (size_t i = colon; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(text.data[i] - '0');
    }
    return port >= 1 && port <= UINT16_MAX;
}

uint16_t hub_validator_ready_check(const struct hub_record *r)
{
    return endpoint_ok(hub_field_span(r->body, "endpoint")) ? 0 : HUB_CODE_body_invalid;
}

uint16_t hub_validator_ready_apply(struct hub_apply *a)
{
    const struct hub_span kid = {a->signer->kid.b, sizeof a->signer->kid.b};
    uint8_t bytes[READY_ROW_BYTES];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    uint32_t row;

    hub_put_array(&b, 8);
    hub_put_hash(&b, &a->signer->kid);
    hub_put_uint(&b, a->signer->member);
    hub_put_text_span(&b, hub_field_span(a->record->body, "software"));
    hub_put_uint(&b, hub_field_uint(a->record->body, "protocol", 0));
    hub_put_text_span(&b, hub_field_span(a->record->body, "endpoint"));
    hub_put_uint(&b, a->time_ms);
    hub_put_uint(&b, a->height);
    hub_put_uint(&b, a->index);
    HUB_ASSERT(!b.full && a->signer->member != UINT32_MAX);
    if (hub_state_find(a->state, HUB_TABLE_READY, kid, &row))
        hub_state_put(a->state, HUB_TABLE_READY, row, hub_span_of(&b));
    else
        hub_state_add(a->state, HUB_TABLE_READY, hub_span_of(&b));
    return 0;
}

/* ---- validator.replace */

uint16_t hub_validator_replace_check(const struct hub_record *r)
{
    struct hub_span grant = hub_field_item(r->body, "key");

    return hub_grant_fault(grant) == NULL && hub_grant_roles(grant) == HUB_ROLE_VALIDATOR
               ? 0
               : HUB_CODE_body_invalid;
}

/* The set with this key in place i. */
static void put_validator(struct hub_validators *set, int i, const struct hub_key *k)
{
    HUB_ASSERT(i >= 0 && i < set->n && k->transport.len == sizeof set->v[i].transport);
    set->v[i].key = k->key;
    set->v[i].kid = k->kid;
    memcpy(set->v[i].transport, k->transport.data, k->transport.len);
}

/* A key that is registered already may take the place if it is the member's own, unused validator key: where
 * the quorum is all of the set, it must have posted validator.ready before. */
static bool key_free(const struct hub_apply *a, const struct hub_validators *set,
                     const struct hub_key *k, const struct hub_key *known, int leaving)
{
    if (known != NULL &&
        (known->member != a->signer->member || known->roles != HUB_ROLE_VALIDATOR ||
         hub_key_standing(known, a->time_ms) != HUB_KEY_ACTIVE ||
         !hub_span_equal(known->transport, k->transport)))
        return false;
    for (int i = 0; i < set->n; i++)
        if (hub_hash_equal(&set->v[i].kid, &k->kid) ||
            (i != leaving &&
             memcmp(set->v[i].transport, k->transport.data, sizeof set->v[i].transport) == 0))
            return false;
    return true;
}

/* The old key: its place in the set, or why it cannot be replaced. */
static uint16_t find_old(int *place, struct hub_key *old, const struct hub_apply *a,
                         const struct hub_validators *set)
{
    struct hub_span kid = hub_field_span(a->record->body, "old");
    struct hub_hash id;

    memcpy(id.b, kid.data, sizeof id.b);
    *place = hub_epoch_index(set, &id);
    if (!hub_key_find(old, a->state, &id) || old->member != a->signer->member)
        *place = -1;
    if (*place >= 0)
        return 0;
    return old->member == a->signer->member ? HUB_CODE_validator_unknown : HUB_CODE_key_not_own;
}

static void replace(struct hub_apply *a, struct hub_validators *set, struct hub_key *old,
                    struct hub_key *k, bool known)
{
    struct hub_member m;

    if (!known)
        hub_key_add(a->state, k);
    old->revoked_at_ms = a->time_ms;
    hub_key_put(a->state, old);
    hub_member_get(&m, a->state, a->signer->member);
    m.replaced_ms = a->time_ms;
    hub_member_put(a->state, &m);
    hub_epoch_append(a, set);
}

uint16_t hub_validator_replace_apply(struct hub_apply *a)
{
    struct hub_key k, known, old = {.member = UINT32_MAX - 1};
    struct hub_validators set;
    struct hub_member m;
    int place;
    uint16_t not_found, guard = 0;

    hub_key_from_grant(&k, hub_field_item(a->record->body, "key"), a->signer->member);
    hub_epoch_newest(&set, a->state);
    not_found = find_old(&place, &old, a, &set);
    hub_member_get(&m, a->state, a->signer->member);
    const bool is_known = hub_key_find(&known, a->state, &k.kid);
    if (!hub_apply_cosigned_by(a, &k.kid))
        return HUB_CODE_cosign_missing;
    if (!key_free(a, &set, &k, is_known ? &known : NULL, place))
        return HUB_CODE_key_exists;
    if (place >= 0) {
        put_validator(&set, place, &k);
        guard = hub_epoch_guard(a, &set);
    }
    if (guard != 0 && guard < HUB_CODE_replace_too_soon)
        return guard;
    if (m.replaced_ms != 0 && a->time_ms - m.replaced_ms < DAY_MS)
        return HUB_CODE_replace_too_soon;
    if (guard != 0)
        return guard;
    if (not_found != 0)
        return not_found;
    replace(a, &set, &old, &k, is_known);
    return 0;
}
