/* currency_records.c: currency.issue, currency.transfer and currency.redeem (docs/currency.md). A reference is
 * unique to the paying wallet, across these types; without one, which only a transfer may do, the record's
 * own sequence number is all that stops a repetition. */
#include "ledger/wallet.h"

enum { PURPOSE_MAX = 899 }; /* 900 and above are the ledger's own: no record may claim them */

const struct hub_field hub_currency_issue_fields[] = {
    {.name = "amount", .kind = HUB_FIELD_AMOUNT, .required = true},
    {.name = "document", .kind = HUB_FIELD_HASH},
    {.name = "reference", .kind = HUB_FIELD_REF, .required = true},
    {.name = "institution", .kind = HUB_FIELD_UINT, .required = true, .min = 1, .max = UINT16_MAX},
    {.name = NULL},
};

uint16_t hub_currency_issue_apply(struct hub_apply *a)
{
    struct hub_span body = a->record->body;
    struct hub_institution i;
    struct hub_turn t;
    uint16_t code = hub_turn_cosigned(a, HUB_ROLE_ISSUER,
                                      hub_parameter(a->state, HUB_PARAM_CURRENCY_COSIGN_ISSUE));
    if (code == 0)
        code = hub_turn_begin(&t, a);
    if (code != 0)
        return code;
    t.reference = hub_field_span(body, "reference").data;
    if (!hub_institution_find(&i, a->state, hub_field_uint(body, "institution", 0)) ||
        i.reserve == 0)
        return HUB_CODE_credit_unknown;
    code = hub_turn_issue(&t, &i, hub_field_uint(body, "amount", 0));
    if (code == 0)
        hub_turn_end(&t);
    return code;
}

const struct hub_field hub_currency_transfer_fields[] = {
    {.name = "debit", .kind = HUB_FIELD_WALLET, .required = true},
    {.name = "amount", .kind = HUB_FIELD_AMOUNT, .required = true},
    {.name = "credit", .kind = HUB_FIELD_WALLET, .required = true},
    {.name = "purpose", .kind = HUB_FIELD_UINT, .max = PURPOSE_MAX},
    {.name = "reference", .kind = HUB_FIELD_REF},
    {.name = NULL},
};

uint16_t hub_currency_transfer_check(const struct hub_record *r)
{
    bool same = hub_field_uint(r->body, "debit", 0) == hub_field_uint(r->body, "credit", 0);
    return same ? HUB_CODE_same_wallet : 0;
}

uint16_t hub_currency_transfer_apply(struct hub_apply *a)
{
    struct hub_span body = a->record->body;
    struct hub_turn t;
    uint16_t code = hub_turn_begin(&t, a);
    if (code != 0)
        return code;
    t.reference = hub_field_span(body, "reference").data;
    code = hub_turn_pay(&t, hub_field_uint(body, "debit", 0), hub_field_uint(body, "credit", 0),
                        hub_field_uint(body, "amount", 0));
    if (code == 0)
        hub_turn_end(&t);
    return code;
}

const struct hub_field hub_currency_redeem_fields[] = {
    {.name = "amount", .kind = HUB_FIELD_AMOUNT, .required = true},
    {.name = "wallet", .kind = HUB_FIELD_WALLET, .required = true},
    {.name = "reference", .kind = HUB_FIELD_REF, .required = true},
    {.name = NULL},
};

uint16_t hub_currency_redeem_apply(struct hub_apply *a)
{
    struct hub_span body = a->record->body;
    struct hub_institution i;
    struct hub_turn t;
    uint32_t slot;
    uint16_t code = hub_turn_begin(&t, a);
    if (code != 0)
        return code;
    t.reference = hub_field_span(body, "reference").data;
    if (!hub_wallet_slot(&slot, a->state, hub_field_uint(body, "wallet", 0)))
        return HUB_CODE_debit_unknown;
    uint16_t institution = hub_wallet_u16(hub_wallet_row(a->state, slot), HUB_WALLET_INSTITUTION);
    if (!hub_institution_find(&i, a->state, institution) || i.reserve == 0)
        return HUB_CODE_credit_unknown;
    code = hub_turn_redeem(&t, slot, i.reserve - 1, hub_field_uint(body, "amount", 0));
    if (code == 0)
        hub_turn_end(&t);
    return code;
}
