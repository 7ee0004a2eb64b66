/* receipt.c: verifying a bundle (formats.cddl section 9) with nothing but the genesis file.
 *
 * Decode strictly, within limits; walk the links from the genesis epoch (each: certificate by the set
 * before, headers down to SEAL, next epoch by its hash); SHA-256(signer) = kid; leaf hash over the
 * record's exact bytes; path to a root; tree_size = signed log_size; signatures over that root, distinct
 * signers >= quorum or else PENDING; headers chain; the leaf lies in the record's block: only then may
 * height and time be printed; the record's own signature; result, entry and state proofs. */
#include "hub/receipt.h"

#include "hub/apply.h"

enum { BUNDLE_VERSION = 1 };

struct path {
    struct hub_hash node[HUB_PATH_MAX];
    uint32_t len;
};

struct bundle {
    struct hub_hash chain;
    struct hub_span rows, entry, links, record,
        result; /* empty: absent. rows, entry, links, result: items */
    struct hub_span signer;
    struct hub_headers headers;
    uint64_t tree_size, leaf_index;
    struct path path;
    struct hub_certificate certificate;
};

struct check {
    const struct hub_genesis *genesis;
    struct hub_receipt_facts *facts;
    const char *what;
    struct bundle b;
    struct hub_validators set; /* of the newest epoch walked to */
    struct hub_header certified;
};

static enum hub_verdict fail(struct check *k, enum hub_verdict verdict, const char *what)
{
    k->what = what;
    return verdict;
}

static void read_path(struct path *out, struct hub_cbor *c, uint32_t max)
{
    out->len = hub_cbor_array(c, 0, max);
    for (uint32_t i = 0; i < out->len; i++)
        hub_cbor_hash(c, &out->node[i]);
}

static struct hub_span optional_item(struct hub_cbor *c, const char *key)
{
    return hub_cbor_has_key(c, key) ? hub_cbor_item(c) : (struct hub_span){NULL, 0};
}

static bool read_bundle(struct bundle *b, struct hub_span bytes)
{
    struct hub_cbor c = hub_cbor_open(bytes);
    uint32_t entries = hub_cbor_map(&c, 8, 11);

    b->rows = optional_item(&c, "rows");
    hub_cbor_key(&c, "chain");
    hub_cbor_hash(&c, &b->chain);
    b->entry = optional_item(&c, "entry");
    hub_cbor_key(&c, "links");
    b->links = hub_cbor_item(&c);
    hub_cbor_key(&c, "record");
    b->record = hub_cbor_bytes(&c, 1, HUB_RECORD_BYTES_MAX);
    b->result = optional_item(&c, "result");
    hub_cbor_key(&c, "signer");
    b->signer = hub_cbor_bytes(&c, HUB_COSE_KEY_BYTES, HUB_COSE_KEY_BYTES);
    hub_cbor_key(&c, "headers");
    hub_headers_read(&b->headers, &c);
    hub_cbor_key(&c, "version");
    hub_cbor_uint(&c, BUNDLE_VERSION, BUNDLE_VERSION);
    hub_cbor_key(&c, "inclusion");
    hub_cbor_array(&c, 3, 3);
    b->tree_size = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    b->leaf_index = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    read_path(&b->path, &c, HUB_PATH_MAX);
    hub_cbor_key(&c, "certificate");
    hub_certificate_read(&b->certificate, &c);
    return hub_cbor_done(&c) &&
           entries == 8u + (b->rows.len > 0) + (b->entry.len > 0) + (b->result.len > 0);
}

/* Enough distinct good signatures; a bad one of a known validator is no accident. */
static enum hub_verdict check_signatures(struct check *k, const struct hub_certificate *c)
{
    unsigned bad, good;

    if (c->subject.kind != HUB_FINALIZE || !hub_certificate_form_ok(c, &k->set))
        return fail(k, HUB_VERDICT_MALFORMED,
                    "certificate: no finalization of the newest epoch that the links lead to");
    good = hub_certificate_good(c, &k->set, &bad);
    k->facts->signers = c->signers;
    k->facts->signer_count = good;
    k->facts->quorum = k->set.q;
    k->facts->validator_count = k->set.n;
    k->facts->set = k->set;
    k->facts->newest_epoch = k->set.epoch;
    if (bad > 0)
        return fail(k, HUB_VERDICT_TAMPERED, "certificate: the signature of a validator is wrong");
    if (good < k->set.q)
        return fail(k, HUB_VERDICT_PENDING, "certificate: fewer signatures than the quorum");
    return HUB_VERDICT_OK;
}

/* k->set becomes the newest epoch that the links lead to. */
static enum hub_verdict walk_links(struct check *k)
{
    enum hub_verdict verdict;

    k->set = k->genesis->set;
    verdict = hub_links_walk(&k->set, &k->what, k->b.links, &k->genesis->accepted, NULL);
    k->facts->newest_epoch = k->set.epoch;
    k->facts->quorum = k->set.q;
    k->facts->validator_count = k->set.n;
    return verdict;
}

static enum hub_verdict check_record(struct check *k, struct hub_public_key *signer)
{
    struct hub_hash kid;
    uint16_t code = 0;

    if (hub_record_peek(&k->facts->record, &code, k->b.record, &k->b.chain) != HUB_OK)
        return code == HUB_CODE_chain_mismatch
                   ? fail(k, HUB_VERDICT_OTHER_LEDGER, "record: of another ledger")
                   : fail(k, HUB_VERDICT_MALFORMED, "record: not of the expected form");
    hub_hash_span(&kid, k->b.signer);
    if (!hub_hash_equal(&kid, &k->facts->record.kid) || !hub_cose_key_decode(signer, k->b.signer))
        return fail(k, HUB_VERDICT_TAMPERED, "signer: not the key that the record names");
    return HUB_VERDICT_OK;
}

/* The record is in the tree whose root the validators signed. */
static enum hub_verdict check_inclusion(struct check *k)
{
    const struct hub_subject *signed_ = &k->b.certificate.subject;
    struct hub_hash root;

    if (!hub_merkle_inclusion_root(&root, &k->facts->record.leaf, k->b.leaf_index, k->b.tree_size,
                                   k->b.path.node, k->b.path.len))
        return fail(k, HUB_VERDICT_MALFORMED, "inclusion: the path does not fit index and size");
    if (k->b.tree_size != signed_->log_size)
        return fail(k, HUB_VERDICT_TAMPERED, "inclusion: tree_size is not the signed log_size");
    if (!hub_hash_equal(&root, &signed_->log_root))
        return fail(k, HUB_VERDICT_TAMPERED,
                    "inclusion: the path does not lead to the signed root");
    k->facts->leaf_index = k->b.leaf_index;
    return HUB_VERDICT_OK;
}

/* Height and time belong to the record only because its leaf lies among those of this block. */
static enum hub_verdict check_place(struct check *k)
{
    struct hub_header *h = &k->facts->header;
    struct hub_hash hash, last;
    enum hub_verdict verdict =
        hub_headers_check(&k->b.headers, &k->b.chain, &k->certified, &hash, h, &last, &k->what);

    if (verdict != HUB_VERDICT_OK)
        return verdict;
    if (!hub_certificate_covers(&k->b.certificate, &k->certified, &hash, &k->set))
        return fail(k, HUB_VERDICT_TAMPERED, "certificate: does not belong to the first header");
    if (h->record_count > h->log_size || k->b.leaf_index < h->log_size - h->record_count ||
        k->b.leaf_index >= h->log_size)
        return fail(k, HUB_VERDICT_TAMPERED,
                    "headers: the record is not in the last header's block");
    return HUB_VERDICT_OK;
}

/* result-proof = [index, path, result bytes], in the records of the record's own block. */
static enum hub_verdict check_result(struct check *k)
{
    const struct hub_header *h = &k->facts->header;
    struct hub_cbor c = hub_cbor_open(k->b.result), r;
    struct hub_span result;
    struct hub_hash leaf, root, id;
    struct path path;
    uint64_t index;

    hub_cbor_array(&c, 3, 3);
    index = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    read_path(&path, &c, HUB_PATH_MAX);
    result = hub_cbor_bytes(&c, 1, HUB_RECORD_RESULT_BYTES_MAX);
    r = hub_cbor_open(result);
    hub_cbor_array(&r, 3, 3);
    hub_cbor_hash(&r, &id);
    k->facts->code = (uint16_t)hub_cbor_uint(&r, 0, UINT16_MAX);
    k->facts->value = hub_cbor_item(&r);
    hub_merkle_leaf(&leaf, result);
    if (!hub_cbor_done(&c) || !hub_cbor_done(&r))
        return fail(k, HUB_VERDICT_MALFORMED, "result: not of the expected form");
    if (index != k->b.leaf_index - (h->log_size - h->record_count) ||
        !hub_merkle_inclusion_root(&root, &leaf, index, h->record_count, path.node, path.len) ||
        !hub_hash_equal(&root, &h->results_root) || !hub_hash_equal(&id, &k->facts->record.id))
        return fail(k, HUB_VERDICT_TAMPERED, "result: not the one of this record in its block");
    k->facts->has_result = true;
    return HUB_VERDICT_OK;
}

/* entry-proof = [index, entry, path]: one entry of a batch, against the root in the record's body. */
static enum hub_verdict check_entry(struct check *k)
{
    const struct hub_record *r = &k->facts->record;
    struct hub_cbor c = hub_cbor_open(k->b.entry);
    struct hub_span root_field;
    struct hub_hash leaf, root;
    struct path path;

    hub_cbor_array(&c, 3, 3);
    k->facts->entry_index = (uint32_t)hub_cbor_uint(&c, 0, HUB_BATCH_ENTRIES_MAX - 1);
    k->facts->entry = hub_cbor_bytes(&c, HUB_BATCH_ENTRY_BYTES, HUB_BATCH_ENTRY_BYTES);
    read_path(&path, &c, HUB_PATH_MAX);
    if (!hub_cbor_done(&c) || !hub_record_types[r->type].attachment)
        return fail(k, HUB_VERDICT_MALFORMED, "entry: not of the expected form, or of no batch");
    root_field = hub_field_span(r->body, "root");
    hub_merkle_leaf(&leaf, k->facts->entry);
    if (!hub_merkle_inclusion_root(&root, &leaf, k->facts->entry_index,
                                   hub_field_uint(r->body, "count", 0), path.node, path.len) ||
        !hub_span_equal(root_field, (struct hub_span){root.b, sizeof root.b}))
        return fail(k, HUB_VERDICT_TAMPERED, "entry: not in the batch that the record names");
    k->facts->has_entry = true;
    return HUB_VERDICT_OK;
}

/* state-proof = [table, row_count, index, row, row_path, table_path]. The table's leaf names its number,
 * so a row cannot be shown as one of another table. */
static bool row_ok(struct check *k, struct hub_cbor *c)
{
    uint8_t bytes[48];
    struct hub_buf table_leaf = {bytes, 0, sizeof bytes, false};
    struct hub_hash leaf, root;
    struct path row_path, table_path;
    uint64_t table, count, index;
    struct hub_span row;

    hub_cbor_array(c, 6, 6);
    table = hub_cbor_uint(c, 0, HUB_TABLES - 1);
    count = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    index = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    row = hub_cbor_bytes(c, 1, HUB_ROW_BYTES_MAX);
    read_path(&row_path, c, HUB_PATH_MAX);
    read_path(&table_path, c, 8);
    if (c->bad)
        return false;
    hub_merkle_leaf(&leaf, row);
    if (!hub_merkle_inclusion_root(&root, &leaf, index, count, row_path.node, row_path.len))
        return false;
    hub_put_array(&table_leaf, 3);
    hub_put_uint(&table_leaf, table);
    hub_put_uint(&table_leaf, count);
    hub_put_hash(&table_leaf, &root);
    hub_merkle_leaf(&leaf, hub_span_of(&table_leaf));
    return hub_merkle_inclusion_root(&root, &leaf, table, HUB_TABLES, table_path.node,
                                     table_path.len) &&
           hub_hash_equal(&root, &k->certified.state_root);
}

static enum hub_verdict check_rows(struct check *k)
{
    struct hub_cbor c = hub_cbor_open(k->b.rows);
    uint32_t n = hub_cbor_array(&c, 1, HUB_BUNDLE_ROWS_MAX);

    for (uint32_t i = 0; i < n; i++)
        if (!row_ok(k, &c))
            return fail(k, HUB_VERDICT_TAMPERED, "rows: a row is not in the certified state");
    if (!hub_cbor_done(&c))
        return fail(k, HUB_VERDICT_MALFORMED, "rows: not of the expected form");
    k->facts->rows = n;
    return HUB_VERDICT_OK;
}

static enum hub_verdict check_proofs(struct check *k)
{
    enum hub_verdict verdict = HUB_VERDICT_OK;

    if (k->b.result.len > 0)
        verdict = check_result(k);
    if (verdict == HUB_VERDICT_OK && k->b.entry.len > 0)
        verdict = check_entry(k);
    if (verdict == HUB_VERDICT_OK && k->b.rows.len > 0)
        verdict = check_rows(k);
    return verdict;
}

static enum hub_verdict run(struct check *k, struct hub_span bundle)
{
    struct hub_public_key signer;
    enum hub_verdict verdict;

    if (bundle.len > HUB_BUNDLE_BYTES_MAX || !read_bundle(&k->b, bundle))
        return fail(k, HUB_VERDICT_MALFORMED, "bundle: not of the expected form");
    if (!hub_hash_equal(&k->b.chain, &k->genesis->chain))
        return fail(k, HUB_VERDICT_OTHER_LEDGER, "bundle: of a ledger with another genesis file");
    verdict = walk_links(k);
    if (verdict == HUB_VERDICT_OK)
        verdict = check_record(k, &signer);
    if (verdict == HUB_VERDICT_OK)
        verdict = check_inclusion(k);
    if (verdict == HUB_VERDICT_OK)
        verdict = check_signatures(k, &k->b.certificate);
    if (verdict == HUB_VERDICT_OK)
        verdict = check_place(k);
    if (verdict == HUB_VERDICT_OK && !hub_record_signature_ok(&k->facts->record, &signer))
        return fail(k, HUB_VERDICT_TAMPERED, "record: its own signature is wrong");
    return verdict == HUB_VERDICT_OK ? check_proofs(k) : verdict;
}

enum hub_verdict hub_receipt_verify(struct hub_receipt_facts *facts, const char **what,
                                    struct hub_span bundle, const struct hub_genesis *genesis)
{
    struct hub_receipt_facts found = {0};
    struct check k = {.genesis = genesis, .facts = &found};
    enum hub_verdict verdict = run(&k, bundle);

    HUB_ASSERT((verdict == HUB_VERDICT_OK) == (k.what == NULL));
    *facts = found;
    if (k.what != NULL)
        *what = k.what;
    return verdict;
}
