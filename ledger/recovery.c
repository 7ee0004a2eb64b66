/* recovery.c: the record epoch.recover (hub/recovery.h). */
#include "hub/recovery.h"

#include "ledger/epoch.h"
#include "ledger/governance.h"
#include "ledger/member.h"
#include "ledger/recovery.h"

#include "hub/cose.h"

#include <string.h>

/* ---- shape */

static const struct hub_field reason_names[] = {
    {.name = "en", .kind = HUB_FIELD_TEXT, .min = 1, .max = 300},
    {.name = "zh", .kind = HUB_FIELD_TEXT, .required = true, .min = 1, .max = 300},
    {.name = NULL},
};
static const struct hub_field signer_fields[] = {
    {.name = "kid", .kind = HUB_FIELD_HASH, .required = true},
    {.name = "view", .kind = HUB_FIELD_UINT, .required = true, .max = HUB_UINT_MAX},
    {.name = NULL},
};
static const struct hub_field signer_element = {.kind = HUB_FIELD_MAP, .sub = signer_fields};
static const struct hub_field kid_element = {.kind = HUB_FIELD_HASH};

const struct hub_field hub_epoch_recover_fields[] = {
    {.name = "base", .kind = HUB_FIELD_HASH, .required = true},
    {.name = "epoch", .kind = HUB_FIELD_UINT, .required = true, .max = HUB_UINT_MAX},
    {.name = "quorum",
     .kind = HUB_FIELD_UINT,
     .required = true,
     .min = 1,
     .max = HUB_VALIDATORS_MAX},
    {.name = "reason", .kind = HUB_FIELD_MAP, .required = true, .sub = reason_names},
    {.name = "signers",
     .kind = HUB_FIELD_ARRAY,
     .required = true,
     .min = 1,
     .max = HUB_COSIGN_MAX,
     .sub = &signer_element},
    {.name = "time_ms", .kind = HUB_FIELD_TIME, .required = true},
    {.name = "validators",
     .kind = HUB_FIELD_ARRAY,
     .required = true,
     .min = 1,
     .max = HUB_VALIDATORS_MAX,
     .sub = &kid_element},
    {.name = "fault_model",
     .kind = HUB_FIELD_ENUM,
     .required = true,
     .names = hub_fault_model_names},
    {.name = NULL},
};

void hub_recovery_read(struct hub_recovery *out, const struct hub_record *of)
{
    struct hub_span base = hub_field_span(of->body, "base");

    HUB_ASSERT(of->type == HUB_TYPE_EPOCH_RECOVER && base.len == sizeof out->base.b);
    memcpy(out->base.b, base.data, sizeof out->base.b);
    out->epoch = hub_field_uint(of->body, "epoch", 0);
    out->time_ms = hub_field_uint(of->body, "time_ms", 0);
    out->signers = hub_field_item(of->body, "signers");
}

void hub_epoch_recover_what(struct hub_hash *out, const struct hub_record *r)
{
    struct hub_hasher h;

    hub_hash_init(&h);
    hub_hash_add(&h, r->protected_.data, r->protected_.len);
    hub_hash_add(&h, r->body.data, r->body.len);
    hub_hash_final(&h, out);
}

bool hub_recovery_signer(const struct hub_recovery *r, uint32_t i, struct hub_hash *kid,
                         uint64_t *view)
{
    struct hub_cbor c = hub_cbor_open(r->signers);
    struct hub_span signer = {NULL, 0}, bytes;

    if (i >= hub_cbor_array(&c, 1, HUB_COSIGN_MAX))
        return false;
    for (uint32_t at = 0; at <= i; at++)
        signer = hub_cbor_item(&c);
    bytes = hub_field_span(signer, "kid");
    memcpy(kid->b, bytes.data, sizeof kid->b);
    *view = hub_field_uint(signer, "view", 0);
    return true;
}

uint64_t hub_recovery_view(const struct hub_recovery *r)
{
    struct hub_hash kid;
    uint64_t view, highest = 0;

    for (uint32_t i = 0; hub_recovery_signer(r, i, &kid, &view); i++)
        highest = view > highest ? view : highest;
    return highest;
}

/* Nobody signs twice, no key votes twice in the next set, and that can have its quorum. */
uint16_t hub_epoch_recover_check(const struct hub_record *r)
{
    struct hub_recovery v;
    struct hub_hash kid, other;
    struct hub_cbor c;
    uint64_t view;
    uint32_t n = 0;

    if (r->bytes.len > HUB_RECOVERY_BYTES_MAX)
        return HUB_CODE_too_large;
    hub_recovery_read(&v, r);
    for (uint32_t i = 0; hub_recovery_signer(&v, i, &kid, &view); i++)
        for (uint32_t j = 0; j < i; j++)
            if (hub_recovery_signer(&v, j, &other, &view) && hub_hash_equal(&kid, &other))
                return HUB_CODE_body_invalid;
    if (!hub_kids_differ(r->body, "validators") || !hub_field_array(r->body, "validators", &c, &n))
        return HUB_CODE_body_invalid;
    return hub_quorum_ok(
               n, (unsigned)hub_field_uint(r->body, "quorum", 0),
               (enum hub_fault_model)hub_field_enum(r->body, "fault_model", hub_fault_model_names))
               ? 0
               : HUB_CODE_quorum_unsafe;
}

/* ---- the validators' bench, without any state */

/* At least one honest vote of each quorum is among them, and no quorum is left without them. */
static bool enough(uint64_t who, const struct hub_validators *set)
{
    return hub_bits_set(who) >= (unsigned)(set->n - set->q + 1);
}

static bool is_named(const struct hub_recovery *r, const struct hub_hash *kid)
{
    struct hub_hash named;
    uint64_t view;

    for (uint32_t i = 0; hub_recovery_signer(r, i, &named, &view); i++)
        if (hub_hash_equal(&named, kid))
            return true;
    return false;
}

bool hub_recovery_names(const struct hub_record *of, const struct hub_hash *kid)
{
    struct hub_recovery r;

    hub_recovery_read(&r, of);
    return is_named(&r, kid);
}

bool hub_recovery_signed(const struct hub_record *of, const struct hub_validators *set,
                         uint64_t *who)
{
    struct hub_recovery r;
    struct hub_hash kid;
    uint64_t good = 0;

    hub_recovery_read(&r, of);
    for (uint32_t i = 0; hub_record_cosigner(of, i, &kid); i++) {
        const int at = hub_epoch_index(set, &kid);

        if (at >= 0 && is_named(&r, &kid) && hub_record_cosignature_ok(of, i, &set->v[at].key))
            good |= (uint64_t)1 << at;
    }
    if (who != NULL)
        *who = good;
    return r.epoch == set->epoch && enough(good, set);
}

bool hub_recovery_leads_to(const struct hub_record *of, const struct hub_validators *next)
{
    struct hub_cbor c;
    struct hub_hash kid;
    uint32_t n = 0;

    if (!hub_field_array(of->body, "validators", &c, &n) || n != next->n ||
        hub_field_uint(of->body, "quorum", 0) != next->q ||
        hub_field_enum(of->body, "fault_model", hub_fault_model_names) != (int)next->fault_model)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        hub_cbor_hash(&c, &kid);
        if (!hub_hash_equal(&kid, &next->v[i].kid))
            return false;
    }
    return true;
}

/* ---- acceptance */

const struct hub_accepted hub_accept_none = {NULL, 0, false}, hub_accept_all = {NULL, 0, true};

bool hub_is_accepted(const struct hub_accepted *a, const struct hub_hash *id)
{
    for (uint32_t i = 0; i < a->n; i++)
        if (hub_hash_equal(&a->id[i], id))
            return true;
    return a->all;
}

/* ---- the rules */

/* In the block that the record describes, where it is alone: nowhere else does it mean anything. */
static bool is_placed(const struct hub_apply *a, const struct hub_recovery *r)
{
    const struct hub_header *h = a->header;

    return h->flags == HUB_FLAG_RECOVERY && h->epoch == r->epoch && h->time_ms == r->time_ms &&
           hub_hash_equal(&h->parent, &r->base);
}

/* The validators whose signatures are under the record; their kids were checked with their keys before. Who is named and
 * did not sign, like one whose machine was lost meanwhile, is not counted. */
static bool validators_signed(const struct hub_apply *a, const struct hub_recovery *r,
                              const struct hub_validators *set)
{
    struct hub_hash kid;
    uint64_t view, who = 0;

    for (uint32_t i = 0; hub_recovery_signer(r, i, &kid, &view); i++) {
        const int at = hub_epoch_index(set, &kid);

        if (at >= 0 && hub_apply_cosigned_by(a, &kid))
            who |= (uint64_t)1 << at;
    }
    return enough(who, set);
}

/* The member speaks: as many of its governors signed as it asks for, the record's own signer counted. */
static bool member_signed(const struct hub_apply *a, const struct hub_member *m)
{
    const uint64_t own = a->signer->member == m->row;

    return hub_apply_cosigned(a, m->row, HUB_ROLE_GOVERNOR,
                              m->governors_needed > own ? m->governors_needed - own : 0);
}

/* As many as an ordinary change of the set needs (hub_proposal_count). */
static bool members_signed(const struct hub_apply *a)
{
    const struct hub_state *s = a->state;
    struct hub_proposal of_nobody = {.concerned_count = 0};
    struct hub_ballot_count count;
    uint32_t signed_ = 0;

    hub_proposal_count(&count, s, &of_nobody);
    for (uint32_t row = 0; row < s->count[HUB_TABLE_MEMBERS]; row++) {
        struct hub_member m;

        hub_member_get(&m, s, row);
        signed_ += hub_proposal_entitled(&of_nobody, &m) && !m.suspended && member_signed(a, &m);
    }
    return signed_ >= count.needed;
}

uint16_t hub_epoch_recover_apply(struct hub_apply *a)
{
    struct hub_recovery r;
    struct hub_validators set, next;
    uint16_t code;

    hub_recovery_read(&r, a->record);
    hub_epoch_newest(&set, a->state);
    if (!validators_signed(a, &r, &set) || !members_signed(a))
        return HUB_CODE_cosign_missing;
    code = hub_validators_named(&next, a, a->record->body); /* its quorum was checked before */
    code = hub_first_code(
        code, is_placed(a, &r) && set.epoch == r.epoch ? 0 : HUB_CODE_recovery_misplaced);
    if (hub_recovery_view(&r) != a->header->parent_view)
        code = hub_first_code(code, HUB_CODE_recovery_base);
    if (code == 0)
        hub_epoch_append(a, &next);
    return code;
}
