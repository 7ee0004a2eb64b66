/* audit_damage.c: says what was changed in a block whose bytes do not fit together: which record, which entry
 * of a batch, and where it can be told, what stood there before. */
#include "tools/audit_impl.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct hub_span record, attachment;
};

/* A cursor at the first entry of an encoded block, and their number. */
static struct hub_cbor open_entries(struct hub_span block, uint32_t *count)
{
    struct hub_cbor c = hub_cbor_open(block);

    hub_cbor_array(&c, 2, 2);
    hub_cbor_bytes(&c, 1, HUB_HEADER_BYTES_MAX);
    *count = hub_cbor_array(&c, 0, HUB_BLOCK_RECORDS_MAX);
    return c;
}

static struct entry next_entry(struct hub_cbor *c)
{
    struct entry e;

    hub_cbor_array(c, 2, 2);
    e.record = hub_cbor_bytes(c, 1, HUB_RECORD_BYTES_MAX);
    e.attachment = hub_cbor_bytes(c, 0, HUB_ATTACHMENT_BYTES_MAX);
    return e;
}

static struct entry entry_at(struct hub_span block, uint32_t at)
{
    uint32_t count;
    struct hub_cbor c = open_entries(block, &count);
    struct entry e = {{NULL, 0}, {NULL, 0}};

    for (uint32_t i = 0; i <= at && i < count; i++)
        e = next_entry(&c);
    return e;
}

/* ---- entries of a batch */

struct batch {
    const uint8_t *entries;
    uint32_t count;
    struct hub_hash root;
    uint64_t total;
    struct hub_hash *leaf; /* [count], owned */
};

static uint64_t amount_of(const struct batch *b, uint32_t i)
{
    return hub_get_be64(b->entries + (size_t)i * HUB_BATCH_ENTRY_BYTES + 16);
}

/* Leaf of entry i as it is, or with another amount. */
static struct hub_hash leaf_with(const struct batch *b, uint32_t i, uint64_t amount)
{
    uint8_t entry[HUB_BATCH_ENTRY_BYTES];
    struct hub_hash leaf;

    memcpy(entry, b->entries + (size_t)i * HUB_BATCH_ENTRY_BYTES, sizeof entry);
    hub_put_be64(entry + 16, amount);
    hub_merkle_leaf(&leaf, (struct hub_span){entry, sizeof entry});
    return leaf;
}

/* If one amount was changed, the total still tells by how much, and the root whose it was. */
static bool find_amount(struct batch *b, uint32_t *entry, uint64_t *amount)
{
    uint64_t sum = 0;
    struct hub_hash root;

    for (uint32_t i = 0; i < b->count; i++)
        sum += amount_of(b, i);
    for (uint32_t i = 0; i < b->count; i++) {
        uint64_t was = amount_of(b, i) + b->total - sum; /* modulo 2^64, as the sum */
        struct hub_hash now = b->leaf[i];

        if (was == 0 || was > HUB_AMOUNT_MAX || was == amount_of(b, i))
            continue;
        b->leaf[i] = leaf_with(b, i, was);
        hub_merkle_root_of(&root, b->leaf, b->count);
        b->leaf[i] = now;
        if (hub_hash_equal(&root, &b->root)) {
            *entry = i;
            *amount = was;
            return true;
        }
    }
    return false;
}

/* A wallet number that nobody can have: its check digits are wrong. */
static bool find_number(const struct batch *b, uint32_t *entry, uint64_t *number)
{
    for (uint32_t i = 0; i < b->count; i++)
        for (unsigned at = 0; at <= 8; at += 8) {
            uint64_t n = hub_get_be64(b->entries + (size_t)i * HUB_BATCH_ENTRY_BYTES + at);

            if (!hub_wallet_number_ok(n)) {
                *entry = i;
                *number = n;
                return true;
            }
        }
    return false;
}

static void explain_batch(struct hub_finding *f, const struct hub_record *r,
                          struct hub_span attachment)
{
    struct hub_span root = hub_field_span(r->body, "root");
    struct batch b = {.entries = attachment.data,
                      .count = (uint32_t)hub_field_uint(r->body, "count", 0)};
    uint64_t value;
    struct hub_hash now;

    b.total = hub_field_uint(r->body, "total", 0);
    if (root.len != sizeof b.root.b || b.count == 0 ||
        attachment.len != (size_t)b.count * HUB_BATCH_ENTRY_BYTES)
        return;
    memcpy(b.root.b, root.data, sizeof b.root.b);
    b.leaf = malloc(b.count * sizeof *b.leaf);
    if (b.leaf == NULL)
        return;
    for (uint32_t i = 0; i < b.count; i++)
        b.leaf[i] = leaf_with(&b, i, amount_of(&b, i));
    hub_merkle_root_of(&now, b.leaf, b.count);
    hub_audit_field(f, "root");
    hub_audit_hex(f->expected, &b.root);
    hub_audit_hex(f->got, &now);
    if (find_amount(&b, &f->entry, &value)) {
        f->kind = HUB_FINDING_ENTRY;
        hub_audit_field(f, "amount");
        hub_audit_yuan(f->expected, value);
        hub_audit_yuan(f->got, amount_of(&b, f->entry));
    } else if (find_number(&b, &f->entry, &value)) {
        f->kind = HUB_FINDING_ENTRY;
        hub_audit_field(f, "wallet");
        hub_audit_text(f->expected, "");
        hub_audit_number(f->got, value);
    }
    free(b.leaf);
}

/* ---- records */

static void explain_refused(struct hub_audit *a, const struct hub_audit_job *j)
{
    struct hub_finding *f = hub_audit_add(a, HUB_FINDING_RECORD, j->height, j->offset);
    struct entry e = entry_at(hub_span_of(&j->bytes), j->bad_record);
    struct hub_record r;
    uint16_t why;

    f->record = j->bad_record;
    f->code = j->why;
    if (e.record.data == NULL || hub_record_peek(&r, &why, e.record, &a->genesis->chain) != HUB_OK)
        return;
    f->id = r.id;
    if (r.type == HUB_TYPE_CURRENCY_BATCH &&
        (j->why == HUB_CODE_batch_root || j->why == HUB_CODE_totals_mismatch ||
         j->why == HUB_CODE_check_digits))
        explain_batch(f, &r, e.attachment);
}

/* All records have the right form, but they are not those of the header. The ones whose signature fails were
 * changed; if none does, records were taken out, put in or moved. */
static void explain_root(struct hub_audit *a, const struct hub_audit_pool *pool,
                         const struct hub_audit_job *j, const struct hub_header *h, bool certified)
{
    uint32_t count;
    struct hub_cbor c = open_entries(hub_span_of(&j->bytes), &count);
    struct hub_edge edge = {0};
    struct hub_hash leaf, root;
    bool named = false;

    for (uint32_t i = 0; i < count; i++) {
        struct entry e = next_entry(&c);
        struct hub_record_keys keys;
        struct hub_record r;
        struct hub_finding *f;
        uint16_t why;

        hub_merkle_leaf(&leaf, e.record);
        hub_merkle_append(&edge, &leaf, NULL, NULL);
        if (hub_record_decode(&r, &why, e.record, e.attachment, &a->genesis->chain) != HUB_OK ||
            !hub_audit_pool_resolve(pool, &keys, &r) || hub_record_verify(&r, &why, &keys))
            continue;
        f = hub_audit_add(a, HUB_FINDING_RECORD, j->height, j->offset);
        f->record = i;
        f->id = r.id;
        f->code = why;
        hub_audit_field(f, hub_record_types[r.type].name);
        named = true;
    }
    hub_merkle_root(&root, &edge);
    if (!named) {
        struct hub_finding *f = hub_audit_add(a, HUB_FINDING_CLAIM, j->height, j->offset);
        bool number = count != h->record_count;

        hub_audit_field(f, number ? "record_count" : "records_root");
        if (number) {
            hub_audit_number(certified ? f->expected : f->got, h->record_count);
            hub_audit_number(certified ? f->got : f->expected, count);
        } else {
            hub_audit_hex(certified ? f->expected : f->got, &h->records_root);
            hub_audit_hex(certified ? f->got : f->expected, &root);
        }
    }
}

void hub_audit_explain(struct hub_audit *a, const struct hub_audit_pool *pool,
                       const struct hub_audit_job *j, bool header_is_certified)
{
    struct hub_header h;
    struct hub_hash hash;
    struct hub_span header_bytes;
    struct hub_finding *f;

    if (j->decoded == HUB_BAD_BLOCK && j->bad_record != UINT32_MAX) {
        explain_refused(a, j);
        return;
    }
    if (j->decoded != HUB_BAD_BLOCK ||
        !hub_block_peek(&h, &hash, &header_bytes, hub_span_of(&j->bytes))) {
        f = hub_audit_add(a, j->bytes.len == 0 ? HUB_FINDING_UNREADABLE : HUB_FINDING_FORM,
                          j->height, j->offset);
        memcpy(f->note, j->note, sizeof f->note);
        return;
    }
    if (j->why == 0) {
        explain_root(a, pool, j, &h, header_is_certified);
        return;
    }
    f = hub_audit_add(a, HUB_FINDING_CLAIM, j->height, j->offset);
    f->code = j->why;
    if (j->why == HUB_CODE_chain_mismatch) {
        hub_audit_field(f, "chain");
        hub_audit_hex(f->expected, &a->genesis->chain);
        hub_audit_hex(f->got, &h.chain);
    } else {
        hub_audit_field(f, "block_bytes");
        hub_audit_number(f->expected, HUB_BLOCK_BYTES_MAX);
        hub_audit_number(f->got, j->bytes.len);
    }
}
