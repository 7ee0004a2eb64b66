/* key.c: key.add, key.revoke and key.cancel (docs/keys.md). */
#include "ledger/member.h"

#include "ledger/epoch.h"

#include "hub/wallet.h"

#include <string.h>

enum { GOVERNORS_LEFT = 2 }; /* a member has two from genesis, and two it keeps */

#define HOUR_MS ((uint64_t)3600 * 1000)
#define RECOVERY_DELAY_MS (7 * 24 * HOUR_MS) /* docs/keys.md: only a governor, after seven days */

static const struct hub_field role_field = {.kind = HUB_FIELD_ENUM, .names = hub_role_names};

const struct hub_field hub_key_add_fields[] = {
    {.name = "box", .kind = HUB_FIELD_BYTES, .min = 32, .max = 32},
    {.name = "key", .kind = HUB_FIELD_COSE_KEY, .required = true},
    {.name = "label", .kind = HUB_FIELD_TEXT, .required = true, .min = 1, .max = 64},
    {.name = "roles",
     .kind = HUB_FIELD_ARRAY,
     .required = true,
     .min = 1,
     .max = 4,
     .sub = &role_field},
    {.name = "member", .kind = HUB_FIELD_CODE, .required = true},
    {.name = "wallet", .kind = HUB_FIELD_WALLET},
    {.name = "not_after", .kind = HUB_FIELD_TIME},
    {.name = "transport", .kind = HUB_FIELD_BYTES, .min = 32, .max = 32},
    {.name = "not_before", .kind = HUB_FIELD_TIME},
    {.name = NULL},
};

const char *const hub_revoke_reasons[] = {"handover", "superseded", "lost", "compromised", NULL};
enum { REASON_COMPROMISED = 3 };

const struct hub_field hub_key_revoke_fields[] = {
    {.name = "kid", .kind = HUB_FIELD_HASH, .required = true},
    {.name = "note", .kind = HUB_FIELD_TEXT, .min = 1, .max = 300},
    {.name = "since", .kind = HUB_FIELD_TIME},
    {.name = "reason", .kind = HUB_FIELD_ENUM, .required = true, .names = hub_revoke_reasons},
    {.name = NULL},
};

const struct hub_field hub_key_cancel_fields[] = {
    {.name = "kid", .kind = HUB_FIELD_HASH, .required = true},
    {.name = NULL},
};

/* ---- grants */

/* Forgets governor keys that can never act again, to make place for a new one. */
static void drop_revoked(struct hub_member *m, const struct hub_state *s, uint64_t time_ms)
{
    struct hub_key k;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < m->governors; i++) {
        hub_key_get(&k, s, m->governor[i]);
        if (hub_key_standing(&k, time_ms) != HUB_KEY_REVOKED)
            m->governor[kept++] = m->governor[i];
    }
    m->governors = kept;
}

bool hub_key_register(struct hub_state *s, struct hub_key *k, uint64_t time_ms)
{
    struct hub_member m;

    if ((k->roles & HUB_ROLE_GOVERNOR) == 0) {
        hub_key_add(s, k);
        return true;
    }
    hub_member_get(&m, s, k->member);
    if (m.governors == HUB_GOVERNORS_MAX)
        drop_revoked(&m, s, time_ms);
    if (m.governors == HUB_GOVERNORS_MAX)
        return false;
    m.governor[m.governors++] = hub_key_add(s, k);
    hub_member_put(s, &m);
    return true;
}

/* ---- key.add */

uint16_t hub_key_add_check(const struct hub_record *r)
{
    return hub_grant_fault(r->body) == NULL ? 0 : HUB_CODE_body_invalid;
}

/* A key for a wallet is added by the governor of the institution that has the wallet in custody. */
static bool has_custody(const struct hub_apply *a, uint64_t number)
{
    uint32_t slot = (uint32_t)(number >> 16);
    uint16_t institution = (uint16_t)(number >> 48), custodian;
    struct hub_member m;
    struct hub_span row;

    if (slot >= a->state->count[HUB_TABLE_WALLETS])
        return false;
    row = hub_state_row(a->state, HUB_TABLE_WALLETS, slot);
    custodian = hub_get_be16(row.data + HUB_WALLET_CUSTODIAN);
    return hub_get_be16(row.data + HUB_WALLET_INSTITUTION) == institution &&
           hub_member_of_institution(&m, a->state, custodian) && m.row == a->signer->member;
}

uint16_t hub_key_add_apply(struct hub_apply *a)
{
    struct hub_span code = hub_field_span(a->record->body, "member");
    bool governs = (a->signer->roles & HUB_ROLE_GOVERNOR) != 0;
    struct hub_member m;
    struct hub_key k, old;
    bool known = hub_member_find(&m, a->state, code);

    hub_key_from_grant(&k, a->record->body, a->signer->member);
    if ((known && m.row != a->signer->member) || (!governs && k.roles != HUB_ROLE_GOVERNOR))
        return HUB_CODE_role_missing;
    if (!hub_apply_cosigned_by(a, &k.kid))
        return HUB_CODE_cosign_missing; /* whoever registers a key must show that it exists and is held */
    if (!known)
        return HUB_CODE_member_unknown;
    if (hub_key_find(&old, a->state, &k.kid))
        return HUB_CODE_key_exists;
    if (k.roles == HUB_ROLE_WALLET && !has_custody(a, k.wallet))
        return HUB_CODE_not_custodian;
    if (!governs)
        k.pending_until_ms = a->time_ms + RECOVERY_DELAY_MS;
    else if ((k.roles & HUB_ROLE_GOVERNOR) != 0)
        k.pending_until_ms =
            a->time_ms + hub_parameter(a->state, HUB_PARAM_GOVERNOR_DELAY_H) * HOUR_MS;
    return hub_key_register(a->state, &k, a->time_ms) ? 0 : HUB_CODE_too_many_governors;
}

/* ---- key.revoke */

uint16_t hub_key_revoke_check(const struct hub_record *r)
{
    int reason = hub_field_enum(r->body, "reason", hub_revoke_reasons);

    return hub_field_has(r->body, "since") && reason != REASON_COMPROMISED ? HUB_CODE_body_invalid
                                                                           : 0;
}

/* True if the member keeps enough acting governors without k, which acts now. */
static bool governors_left(const struct hub_apply *a, const struct hub_member *m,
                           const struct hub_key *k)
{
    uint64_t needed = m->governors_needed > GOVERNORS_LEFT ? m->governors_needed : GOVERNORS_LEFT;
    uint64_t left = 0;
    struct hub_key other;

    for (uint32_t i = 0; i < m->governors; i++) {
        if (m->governor[i] == k->row)
            continue;
        hub_key_get(&other, a->state, m->governor[i]);
        left += other.revoked_at_ms == 0 && hub_key_standing(&other, a->time_ms) == HUB_KEY_ACTIVE;
    }
    return left >= needed;
}

/* True if the key votes in the newest epoch. */
static bool validates(const struct hub_state *s, const struct hub_key *k)
{
    struct hub_validators set;

    hub_epoch_newest(&set, s);
    return hub_epoch_index(&set, &k->kid) >= 0;
}

/* The registered key of the signer's own member that the body names. */
static bool own_key(struct hub_key *out, const struct hub_apply *a)
{
    struct hub_span kid = hub_field_span(a->record->body, "kid");
    struct hub_hash id;

    HUB_ASSERT(kid.len == sizeof id.b);
    memcpy(id.b, kid.data, sizeof id.b);
    return hub_key_find(out, a->state, &id) && out->member == a->signer->member;
}

uint16_t hub_key_revoke_apply(struct hub_apply *a)
{
    struct hub_member m;
    struct hub_key k;
    bool acting;

    if (!own_key(&k, a) || k.revoked_at_ms != 0)
        return HUB_CODE_key_not_own;
    hub_member_get(&m, a->state, k.member);
    acting =
        (k.roles & HUB_ROLE_GOVERNOR) != 0 && hub_key_standing(&k, a->time_ms) == HUB_KEY_ACTIVE;
    if (acting && !governors_left(a, &m, &k))
        return HUB_CODE_last_governor;
    if ((k.roles & HUB_ROLE_VALIDATOR) != 0 && validates(a->state, &k))
        return HUB_CODE_member_validates;
    k.revoked_at_ms = a->time_ms;
    if (acting)
        k.revoked_at_ms += hub_parameter(a->state, HUB_PARAM_GOVERNOR_DELAY_H) * HOUR_MS;
    hub_key_put(a->state, &k);
    return 0;
}

/* ---- key.cancel */

/* A governor that was to be added never acts; one that was to be revoked stays. */
uint16_t hub_key_cancel_apply(struct hub_apply *a)
{
    struct hub_key k;

    if (!own_key(&k, a))
        return HUB_CODE_key_not_own;
    if (a->time_ms < k.revoked_at_ms) {
        if (hub_hash_equal(&k.kid, &a->signer->kid))
            return HUB_CODE_role_missing; /* it is for the others to say that it stays */
        k.revoked_at_ms = 0;
    } else if (k.revoked_at_ms == 0 && a->time_ms < k.pending_until_ms) {
        k.revoked_at_ms = a->time_ms;
    } else {
        return HUB_CODE_key_not_pending;
    }
    hub_key_put(a->state, &k);
    return 0;
}
