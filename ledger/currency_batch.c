/* currency_batch.c: currency.batch: up to 1,500 payments of one institution under one signature. The entries,
 * 40 bytes each (debit u64 | credit u64 | amount u64 | reference 16, big-endian), travel beside the record,
 * which holds their count, total and RFC 9162 root. A batch's own reference is unique to its institution;
 * the entries' references are for the payees and are not looked at. */
#include "hub/merkle.h"
#include "ledger/wallet.h"

enum { PURPOSE_MAX = 899 }; /* 900 and above are the ledger's own: no record may claim them */

static const struct hub_field part_field = {.kind = HUB_FIELD_UINT, .min = 1, .max = UINT16_MAX};
/* count is judged by the check below, whose codes say more than body_invalid. */
const struct hub_field hub_currency_batch_fields[] = {
    {.name = "part",
     .kind = HUB_FIELD_ARRAY,
     .min = 2,
     .max = 2,
     .sub = &part_field}, /* this one, of all */
    {.name = "root", .kind = HUB_FIELD_HASH, .required = true},
    {.name = "batch", .kind = HUB_FIELD_REF, .required = true},
    {.name = "count", .kind = HUB_FIELD_UINT, .required = true, .max = HUB_UINT_MAX},
    {.name = "total", .kind = HUB_FIELD_UINT, .required = true, .max = HUB_UINT_MAX},
    {.name = "atomic", .kind = HUB_FIELD_BOOL, .required = true},
    {.name = "purpose", .kind = HUB_FIELD_UINT, .required = true, .max = PURPOSE_MAX},
    {.name = "institution", .kind = HUB_FIELD_UINT, .required = true, .min = 1, .max = UINT16_MAX},
    {.name = "instruction", .kind = HUB_FIELD_HASH},
    {.name = NULL},
};

struct entry {
    uint64_t debit, credit, amount;
};

static struct entry entry_at(struct hub_span attachment, uint32_t i)
{
    const uint8_t *p = attachment.data + (size_t)i * HUB_BATCH_ENTRY_BYTES;
    return (struct entry){hub_get_be64(p), hub_get_be64(p + 8), hub_get_be64(p + 16)};
}

/* 0, or the first code of one entry. */
static uint16_t entry_check(struct entry e)
{
    if (e.amount == 0)
        return HUB_CODE_amount_zero;
    if (e.amount > HUB_AMOUNT_MAX)
        return HUB_CODE_amount_above_max;
    if (e.debit == e.credit)
        return HUB_CODE_same_wallet;
    return hub_wallet_number_ok(e.debit) && hub_wallet_number_ok(e.credit) ? 0
                                                                           : HUB_CODE_check_digits;
}

static bool root_fits(struct hub_span attachment, uint32_t count, struct hub_span claimed)
{
    struct hub_edge edge = {.size = 0};
    struct hub_hash hash;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = attachment.data + (size_t)i * HUB_BATCH_ENTRY_BYTES;
        hub_merkle_leaf(&hash, (struct hub_span){entry, HUB_BATCH_ENTRY_BYTES});
        hub_merkle_append(&edge, &hash, NULL, NULL);
    }
    hub_merkle_root(&hash, &edge);
    return hub_span_equal((struct hub_span){hash.b, sizeof hash.b}, claimed);
}

/* Entries that cannot be told apart are judged first; of what they break together the first code in
 * results.def, which is the lowest number, wins. */
uint16_t hub_currency_batch_check(const struct hub_record *r)
{
    uint64_t count = hub_field_uint(r->body, "count", 0), total = 0;
    if (count == 0)
        return HUB_CODE_batch_empty;
    if (count > HUB_BATCH_ENTRIES_MAX)
        return HUB_CODE_batch_too_large;
    if (r->attachment.len != count * HUB_BATCH_ENTRY_BYTES)
        return HUB_CODE_batch_length;
    uint16_t lowest = UINT16_MAX;
    for (uint32_t i = 0; i < count; i++) {
        struct entry e = entry_at(r->attachment, i);
        uint16_t code = entry_check(e);
        if (code != 0 && code < lowest)
            lowest = code;
        if (!hub_add_u64(&total, total, e.amount))
            total = UINT64_MAX; /* above every claim */
    }
    if (lowest > HUB_CODE_batch_root &&
        !root_fits(r->attachment, (uint32_t)count, hub_field_span(r->body, "root")))
        return HUB_CODE_batch_root;
    if (lowest > HUB_CODE_totals_mismatch && total != hub_field_uint(r->body, "total", 0))
        return HUB_CODE_totals_mismatch;
    return lowest == UINT16_MAX ? 0 : lowest;
}

/* The result's value: [[entry, code], ...] in ascending order. */
static void put_failures(struct hub_buf *value, const uint16_t *codes, uint32_t count)
{
    uint32_t failed = 0;
    for (uint32_t i = 0; i < count; i++)
        failed += codes[i] != 0;
    hub_put_array(value, failed);
    for (uint32_t i = 0; i < count; i++) {
        if (codes[i] == 0)
            continue;
        hub_put_array(value, 2);
        hub_put_uint(value, i);
        hub_put_uint(value, codes[i]);
    }
}

/* Entries succeed or fail alone. An atomic batch stops at its first failure, is undone, and the result names
 * that entry. */
static uint16_t pay_entries(struct hub_turn *t, bool atomic)
{
    struct hub_apply *a = t->apply;
    uint16_t codes[HUB_BATCH_ENTRIES_MAX];
    uint32_t count = (uint32_t)(a->record->attachment.len / HUB_BATCH_ENTRY_BYTES);
    size_t mark = a->state->undo->len;
    HUB_ASSERT(count <= HUB_BATCH_ENTRIES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct entry e = entry_at(a->record->attachment, i);
        codes[i] = hub_turn_pay(t, e.debit, e.credit, e.amount);
        if (codes[i] != 0 && atomic) {
            put_failures(a->value, codes, i + 1);
            hub_state_undo_to(a->state, mark);
            return HUB_CODE_batch_aborted;
        }
        if (a->state->undo->full || a->state->undo->table_full)
            return 0; /* the record will be undone: what followed would be judged by rows not written */
    }
    put_failures(a->value, codes, count);
    return 0;
}

static uint16_t batch_allowed(struct hub_turn *t, struct hub_apply *a, struct hub_span body)
{
    uint64_t above = hub_parameter(a->state, HUB_PARAM_CURRENCY_COSIGN_ABOVE);
    uint64_t need = hub_field_uint(body, "total", 0) > above ? 1 : 0;
    uint16_t institution = (uint16_t)hub_field_uint(body, "institution", 0);
    uint16_t code = hub_turn_cosigned(a, HUB_ROLE_OPERATOR | HUB_ROLE_CHECKER, need);
    if (code == 0)
        code = hub_turn_begin(t, a);
    if (code == 0 && t->institution != institution)
        code = HUB_CODE_not_custodian;
    if (code == 0 &&
        hub_batch_find(NULL, a->state, institution, hub_field_span(body, "batch").data))
        code = HUB_CODE_batch_exists;
    return code;
}

uint16_t hub_currency_batch_apply(struct hub_apply *a)
{
    struct hub_span body = a->record->body;
    struct hub_turn t;
    uint16_t code = batch_allowed(&t, a, body);
    if (code == 0)
        code = pay_entries(&t, hub_field_bool(body, "atomic", false));
    if (code != 0)
        return code;
    hub_batch_add(a, t.institution, hub_field_span(body, "batch").data);
    hub_turn_end(&t);
    return 0;
}
