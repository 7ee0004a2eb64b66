/* record_types.c: the table of record types, and the two questions asked of it that read a body: what
 * sub must be, and whose keys a record is verified with. */
#include "hub/apply.h"

#include "ledger/agreement.h"
#include "ledger/epoch.h"
#include "ledger/governance.h"
#include "ledger/evidence_record.h"
#include "ledger/member.h"
#include "ledger/recovery.h"
#include "ledger/wallet.h"

const struct hub_record_type hub_record_types[HUB_RECORD_TYPES] = {
#define HUB_RECORD_TYPE(id, name, family, fields, cosigned, attachment, roles, sub, check, apply)  \
    [HUB_TYPE_##id] = {name, family, fields, cosigned, attachment, roles, sub, check, apply},
#include "hub/record_types.def"
#undef HUB_RECORD_TYPE
};

/* Copies text, NUL-terminated; false if it is absent or longer than 64 bytes. */
static bool copy_text(char out[65], struct hub_span text)
{
    if (text.data == NULL || text.len > 64)
        return false;
    for (size_t i = 0; i < text.len; i++)
        out[i] = (char)text.data[i];
    out[text.len] = '\0';
    return true;
}

static bool hex_text(char out[65], struct hub_span bytes, size_t len)
{
    static const char digit[] = "0123456789abcdef";

    if (bytes.len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digit[bytes.data[i] >> 4];
        out[2 * i + 1] = digit[bytes.data[i] & 15];
    }
    out[2 * len] = '\0';
    return true;
}

static bool decimal_text(char out[65], struct hub_span body, const char *name)
{
    uint64_t v = hub_field_uint(body, name, 0);
    char digits[20];
    unsigned n = 0;

    if (!hub_field_has(body, name))
        return false;
    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    for (unsigned i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    out[n] = '\0';
    return true;
}

bool hub_record_sub(char out[65], uint16_t type, struct hub_span body, struct hub_span iss)
{
    HUB_ASSERT(type < HUB_RECORD_TYPES);
    switch (hub_record_types[type].sub) {
    case HUB_SUB_ISS:
        return copy_text(out, iss);
    case HUB_SUB_MEMBER:
        return copy_text(out, hub_field_span(body, "member"));
    case HUB_SUB_GOVERNANCE:
        return copy_text(out, hub_text_span("governance"));
    case HUB_SUB_PROPOSAL:
        return hex_text(out, hub_field_span(body, "proposal"), 16);
    case HUB_SUB_AGREEMENT:
        return hex_text(out, hub_field_span(body, "agreement"), 32);
    case HUB_SUB_BODY_AGREEMENT:
        return hex_text(out, hub_field_span(hub_field_span(body, "body"), "agreement"), 32);
    case HUB_SUB_DEBIT:
        return decimal_text(out, body, "debit");
    case HUB_SUB_WALLET:
        return decimal_text(out, body, "wallet");
    case HUB_SUB_INSTITUTION:
        return decimal_text(out, body, "institution");
    case HUB_SUB_EVIDENCE:
        return copy_text(out, hub_text_span("evidence"));
    case HUB_SUB_RECOVERY:
        return copy_text(out, hub_text_span("recovery"));
    }
    return false;
}

/* The key of a co-signer: registered, or the new one that the body brings (proof of possession). */
static bool cosigner_key(struct hub_public_key *out, const struct hub_state *s,
                         const struct hub_record *r, const struct hub_hash *kid)
{
    struct hub_key known;

    if (!hub_key_find(&known, s, kid))
        return hub_record_brings_key(r, kid, out);
    *out = known.key;
    return true;
}

uint16_t hub_record_resolve(struct hub_record_keys *out, const struct hub_state *s,
                            const struct hub_record *r)
{
    struct hub_hash kid;
    struct hub_key signer;

    if (!hub_key_find(&signer, s, &r->kid))
        return HUB_CODE_key_unknown;
    out->key[0] = signer.key;
    out->count = 1;
    for (uint32_t i = 0; hub_record_cosigner(r, i, &kid); i++) {
        if (!cosigner_key(&out->key[1 + i], s, r, &kid))
            return HUB_CODE_cosign_invalid;
        out->count++;
    }
    return 0;
}
