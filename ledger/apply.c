/* apply.c: one record and one block onto a state. */
#include "hub/apply.h"

#include "ledger/wallet.h"

#include <string.h>

#define HOUR_MS ((uint64_t)3600 * 1000)

/* The head of a block's array of entries, at its longest: counted in every block. */
enum { ENTRIES_HEAD_BYTES = 3 };

_Static_assert(HUB_BLOCK_RECORDS_MAX *(1 + 34 + 3 + 9) +
                       HUB_BLOCK_BYTES_MAX / HUB_BATCH_ENTRY_BYTES * 7 <=
                   HUB_BLOCK_RESULT_BYTES_MAX,
               "id, code and wallet number of each record, and [entry, code] of each batch entry");
_Static_assert(HUB_RECORD_RESULT_BYTES_MAX >= 3 + HUB_BATCH_ENTRIES_MAX * 7,
               "a batch that fails whole");

/* ---- co-signatures */

/* True if the key's member was removed: its keys act no more, from the next block on. */
static bool owner_left(const struct hub_state *s, const struct hub_key *k, uint64_t parent_time_ms)
{
    struct hub_member m;

    if (k->member == UINT32_MAX)
        return false;
    hub_member_get(&m, s, k->member);
    return m.removed && parent_time_ms >= m.since_ms;
}

/* A key that was there, and acted, in the parent block's state. */
static bool acting_key(struct hub_key *out, const struct hub_apply *a, const struct hub_hash *kid)
{
    return hub_key_find(out, a->state, kid) && out->row < a->keys_before &&
           hub_key_standing(out, a->parent_time_ms) == HUB_KEY_ACTIVE &&
           !owner_left(a->state, out, a->parent_time_ms);
}

bool hub_apply_cosigned(const struct hub_apply *a, uint32_t member, uint32_t roles, uint64_t need)
{
    struct hub_hash kid;
    struct hub_key k;
    uint64_t found = 0;

    for (uint32_t i = 0; i < HUB_COSIGN_MAX && hub_record_cosigner(a->record, i, &kid); i++)
        if (acting_key(&k, a, &kid) && k.member == member && (k.roles & roles) != 0)
            found++;
    return found >= need;
}

bool hub_apply_cosigned_by(const struct hub_apply *a, const struct hub_hash *kid)
{
    struct hub_hash other;

    for (uint32_t i = 0; i < HUB_COSIGN_MAX && hub_record_cosigner(a->record, i, &other); i++)
        if (hub_hash_equal(kid, &other))
            return true;
    return false;
}

/* ---- refusals */

/* Every co-signer is registered in the parent's state, or is the new key that the body brings. */
static uint16_t cosigners_code(const struct hub_state *s, uint32_t keys_before,
                               const struct hub_record *r)
{
    struct hub_public_key brought;
    struct hub_hash kid;
    uint32_t row;

    for (uint32_t i = 0; i < HUB_COSIGN_MAX && hub_record_cosigner(r, i, &kid); i++) {
        struct hub_span key = {kid.b, sizeof kid.b};

        if (hub_state_find(s, HUB_TABLE_KEYS, key, &row) && row < keys_before)
            continue;
        if (!hub_record_brings_key(r, &kid, &brought))
            return HUB_CODE_cosign_invalid;
    }
    return 0;
}

static uint16_t standing_code(const struct hub_key *k, uint64_t parent_time_ms)
{
    switch (hub_key_standing(k, parent_time_ms)) {
    case HUB_KEY_ACTIVE:
        return 0;
    case HUB_KEY_PENDING:
        return HUB_CODE_key_pending;
    case HUB_KEY_NOT_YET:
        return HUB_CODE_key_not_yet_valid;
    case HUB_KEY_ENDED:
    case HUB_KEY_REVOKED:
        break;
    }
    return HUB_CODE_key_revoked;
}

static uint16_t validity_code(const struct hub_state *s, const struct hub_record *r,
                              uint64_t time_ms)
{
    static const enum hub_parameter maximum[] = {
        [HUB_FAMILY_GOVERNANCE] = HUB_PARAM_VALID_MAX_H_GOVERNANCE,
        [HUB_FAMILY_AGREEMENT] = HUB_PARAM_VALID_MAX_H_AGREEMENT,
        [HUB_FAMILY_MONEY] = HUB_PARAM_VALID_MAX_H_MONEY,
    };
    uint64_t most = hub_parameter(s, maximum[hub_record_types[r->type].family]) * HOUR_MS;

    if (r->valid_until_ms <= time_ms)
        return HUB_CODE_expired;
    return r->valid_until_ms - time_ms > most ? HUB_CODE_valid_until_too_far : 0;
}

/* Why the record can be in no block with this parent and time, or 0, with its signer. In the order of the list
 * of codes. Keys from keys_before on were added by the block itself. Whether the key acts is asked at the
 * parent's time, so a revocation by this block, which carries this block's time, is not seen yet. */
static uint16_t refusal(struct hub_key *signer, const struct hub_state *s, uint32_t keys_before,
                        const struct hub_record *r, uint64_t parent_time_ms, uint64_t time_ms)
{
    char iss[24];
    uint16_t code = cosigners_code(s, keys_before, r);

    if (code != 0)
        return code;
    if (!hub_key_find(signer, s, &r->kid) || signer->row >= keys_before)
        return HUB_CODE_key_unknown;
    hub_key_iss(iss, s, signer);
    if (!hub_span_equal(r->iss, hub_text_span(iss)))
        return HUB_CODE_iss_mismatch;
    code = owner_left(s, signer, parent_time_ms) ? HUB_CODE_key_revoked
                                                 : standing_code(signer, parent_time_ms);
    if (code == 0)
        code = hub_key_seq_check(signer, r->seq);
    return code != 0 ? code : validity_code(s, r, time_ms);
}

uint16_t hub_apply_admit(const struct hub_state *s, const struct hub_record *r,
                         uint64_t parent_time_ms, uint64_t time_ms)
{
    struct hub_key signer;

    return refusal(&signer, s, UINT32_MAX, r, parent_time_ms, time_ms);
}

/* ---- one record */

struct turn { /* one block being applied */
    struct hub_state *s;
    const struct hub_header *parent;
    const struct hub_header *header;
    struct hub_outcome *out;
    struct hub_edge records, results;
    uint64_t bytes, bytes_max; /* of the entries */
    uint32_t keys_before;
};

/* A member may ask that several of its governors sign (its row's governors_needed): so does every record that speaks
 * for it by a governor, but key.cancel, which has one signer: the brake that any one of them may pull. */
static bool governors_signed(const struct hub_apply *a)
{
    const struct hub_record_type *type = &hub_record_types[a->record->type];
    struct hub_member m;

    if (!type->cosigned || (a->signer->roles & type->roles & HUB_ROLE_GOVERNOR) == 0)
        return true;
    hub_member_get(&m, a->state, a->signer->member);
    return m.governors_needed < 2 ||
           hub_apply_cosigned(a, m.row, HUB_ROLE_GOVERNOR, m.governors_needed - 1);
}

/* A suspended member keeps the care of its keys and its node and may do nothing else: it does not vote. */
static bool is_suspended(const struct hub_apply *a)
{
    const struct hub_record_type *type = &hub_record_types[a->record->type];
    struct hub_member m;

    if (a->signer->member == UINT32_MAX ||
        (type->family == HUB_FAMILY_GOVERNANCE && type->sub != HUB_SUB_GOVERNANCE &&
         type->sub != HUB_SUB_PROPOSAL))
        return false;
    hub_member_get(&m, a->state, a->signer->member);
    return m.suspended;
}

/* The code of the first rule that the record breaks. Rules run before further governors and the suspension are asked
 * for, so that codes before theirs win; the caller undoes what they wrote. */
static uint16_t run_rules(struct hub_apply *a)
{
    const struct hub_record_type *type = &hub_record_types[a->record->type];
    uint16_t code;

    if ((a->signer->roles & type->roles) == 0)
        return HUB_CODE_role_missing;
    code = type->apply(a);
    if ((code == 0 || code > HUB_CODE_cosign_missing) && !governors_signed(a))
        code = HUB_CODE_cosign_missing;
    if ((code == 0 || code > HUB_CODE_member_suspended) && is_suspended(a))
        code = HUB_CODE_member_suspended;
    if (code == HUB_CODE_cosign_missing || code == HUB_CODE_member_suspended)
        a->value->len = 0;
    return code;
}

static void keep_result(struct turn *t, const struct hub_record *r, uint16_t code,
                        struct hub_span value)
{
    struct hub_buf *results = &t->out->results;
    size_t at = results->len;
    struct hub_hash leaf;

    hub_result_encode(results, &r->id, code, value);
    HUB_ASSERT(!results->full);
    hub_merkle_leaf(&leaf, (struct hub_span){results->data + at, results->len - at});
    hub_merkle_append(&t->results, &leaf, NULL, NULL);
    hub_merkle_append(&t->records, &r->leaf, NULL, NULL);
    hub_merkle_append(&t->out->edge, &r->leaf, NULL, NULL);
    t->out->kept++;
}

/* Bytes of [record, attachment] in a block. */
static uint64_t entry_bytes(const struct hub_record *r)
{
    const size_t len[2] = {r->bytes.len, r->attachment.len};
    uint64_t sum = 1;

    for (int i = 0; i < 2; i++)
        sum += len[i] + (len[i] < 24 ? 1u : len[i] < 256 ? 2u : len[i] < 65536 ? 3u : 5u);
    return sum;
}

/* *why: the code of a refusal, of a failure, or of the bound that left no room. */
static enum hub_fate apply_record(struct turn *t, const struct hub_record *r, uint16_t *why)
{
    uint8_t bytes[HUB_RECORD_RESULT_BYTES_MAX];
    struct hub_buf value = {bytes, 0, sizeof bytes, false};
    struct hub_undo *log = t->s->undo;
    struct hub_key signer;
    struct hub_apply a = {t->s,
                          r,
                          &signer,
                          t->header,
                          t->header->height,
                          t->header->time_ms,
                          t->parent->time_ms,
                          t->out->kept,
                          t->header->chain,
                          &value,
                          t->keys_before};
    size_t start = log->len, spent;

    *why = r->verified ? refusal(&signer, t->s, t->keys_before, r, a.parent_time_ms, a.time_ms)
                       : HUB_CODE_signature_invalid;
    if (*why != 0)
        return HUB_FATE_REFUSED;
    *why = HUB_CODE_too_large;
    if (entry_bytes(r) > t->bytes_max - t->bytes)
        return HUB_FATE_NO_ROOM;

    hub_key_seq_mark(&signer, r->seq);
    hub_key_put(t->s, &signer);
    spent = log->len;
    *why = run_rules(&a);
    HUB_ASSERT(!value.full);
    if (log->full) {
        hub_state_undo_to(t->s, start);
        log->full = log->table_full = false;
        *why = 0;
        return HUB_FATE_NO_ROOM;
    }
    HUB_ASSERT(log->len - start <= HUB_RECORD_UNDO_BYTES_MAX);
    if (log->table_full) {
        *why = HUB_CODE_table_full;
        log->table_full = false;
        value.len = 0;
    }
    if (*why != 0)
        hub_state_undo_to(t->s, spent);
    t->bytes += entry_bytes(r);
    keep_result(t, r, *why, hub_span_of(&value));
    return *why == 0 ? HUB_FATE_APPLIED : HUB_FATE_FAILED;
}

/* ---- one block */

static void outcome_of_nothing(struct hub_outcome *out, const struct hub_header *parent,
                               const struct hub_edge *edge)
{
    const struct hub_span nothing = {NULL, 0};

    out->edge = *edge;
    out->results.len = 0;
    out->kept = 0;
    hub_hash_span(&out->records_root, nothing);
    hub_hash_span(&out->results_root, nothing);
    out->state_root = parent->state_root;
}

enum hub_status hub_state_apply(struct hub_state *s, struct hub_undo *log,
                                const struct hub_header *parent, const struct hub_edge *parent_edge,
                                struct hub_block *block, bool strict, struct hub_outcome *out,
                                uint32_t *bad_record, uint16_t *why)
{
    struct turn t = {.s = s, .parent = parent, .header = &block->header, .out = out};
    uint16_t code;

    HUB_ASSERT(s->undo == NULL && log->len == 0 && block->count <= HUB_BLOCK_RECORDS_MAX);
    HUB_ASSERT(block->header.time_ms > parent->time_ms &&
               block->header.height == parent->height + 1);
    outcome_of_nothing(out, parent, parent_edge);
    if (block->count == 0)
        return HUB_OK;
    t.bytes = ENTRIES_HEAD_BYTES;
    t.bytes_max = hub_parameter(s, HUB_PARAM_CONSENSUS_BLOCK_BYTES);
    t.keys_before = s->count[HUB_TABLE_KEYS];
    s->undo = log;
    for (uint32_t i = 0; i < block->count; i++) {
        enum hub_fate fate = apply_record(&t, &block->records[i], &code);

        if (fate == HUB_FATE_APPLIED || fate == HUB_FATE_FAILED) {
            block->records[out->kept - 1] = block->records[i];
            continue;
        }
        if (!strict)
            continue;
        hub_state_undo_to(s, 0);
        s->undo = NULL;
        *bad_record = i;
        *why = code;
        return HUB_BAD_BLOCK;
    }
    s->undo = NULL;
    HUB_ASSERT(!strict || out->kept == block->count);
    HUB_ASSERT(hub_wallet_invariants_ok(
        s, log)); /* only a bug or bad memory: the node stops before it votes */
    block->count = out->kept;
    hub_merkle_root(&out->records_root, &t.records);
    hub_merkle_root(&out->results_root, &t.results);
    hub_state_root(s, &out->state_root);
    return HUB_OK;
}
