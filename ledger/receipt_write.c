/* receipt_write.c: making bundles, receipts of single signers and transparent statements
 * (formats.cddl section 9). */
#include "hub/receipt.h"

#include "hub/cose.h"

enum {
    BUNDLE_VERSION = 1,
    LABEL_RECEIPTS = 394, /* RFC 9942 */
    LABEL_PROOFS = 396,
    PROOF_INCLUSION = -1,
    INCLUSION_BYTES_MAX = 32 + HUB_PATH_MAX * 34
};

static const uint8_t empty_map = 0xa0;

static void put_path(struct hub_buf *out, const struct hub_hash *path, unsigned len)
{
    hub_put_array(out, len);
    for (unsigned i = 0; i < len; i++)
        hub_put_hash(out, &path[i]);
}

static void put_inclusion(struct hub_buf *out, const struct hub_receipt_parts *p)
{
    hub_put_array(out, 3);
    hub_put_uint(out, p->tree_size);
    hub_put_uint(out, p->leaf_index);
    put_path(out, p->path, p->path_len);
}

static void put_entry_proof(struct hub_buf *out, const struct hub_receipt_parts *p)
{
    hub_put_text(out, "entry");
    hub_put_array(out, 3);
    hub_put_uint(out, p->entry_index);
    hub_put_bytes(out, p->entry);
    put_path(out, p->entry_path, p->entry_path_len);
}

static void put_result_proof(struct hub_buf *out, const struct hub_receipt_parts *p)
{
    hub_put_text(out, "result");
    hub_put_array(out, 3);
    hub_put_uint(out, p->result_index);
    put_path(out, p->result_path, p->result_path_len);
    hub_put_bytes(out, p->result);
}

static void put_headers(struct hub_buf *out, const struct hub_receipt_parts *p)
{
    hub_put_text(out, "headers");
    hub_put_array(out, p->headers);
    for (uint32_t i = 0; i < p->headers; i++)
        hub_put_bytes(out, p->header[i]);
}

void hub_receipt_encode(struct hub_buf *out, const struct hub_receipt_parts *p)
{
    uint8_t key[HUB_COSE_KEY_BYTES];

    HUB_ASSERT(p->headers >= 1 && p->headers <= HUB_BUNDLE_HEADERS_MAX);
    hub_put_map(out, 8u + (p->entry.len > 0) + (p->result.len > 0));
    hub_put_text(out, "chain");
    hub_put_hash(out, &p->chain);
    if (p->entry.len > 0)
        put_entry_proof(out, p);
    hub_put_text(out, "links");
    if (p->links.len > 0)
        hub_put_raw(out, p->links);
    else
        hub_put_array(out, 0);
    hub_put_text(out, "record");
    hub_put_bytes(out, p->record);
    if (p->result.len > 0)
        put_result_proof(out, p);
    hub_put_text(out, "signer");
    hub_cose_key_encode(key, &p->signer);
    hub_put_bytes(out, (struct hub_span){key, sizeof key});
    put_headers(out, p);
    hub_put_text(out, "version");
    hub_put_uint(out, BUNDLE_VERSION);
    hub_put_text(out, "inclusion");
    put_inclusion(out, p);
    hub_put_text(out, "certificate");
    hub_certificate_encode(out, p->certificate, p->validator_count);
}

void hub_receipt_single(struct hub_buf *out, const struct hub_receipt_parts *p,
                        const struct hub_validators *set, uint8_t signer)
{
    uint8_t header[320], proof[INCLUSION_BYTES_MAX], map[INCLUSION_BYTES_MAX + 16];
    struct hub_buf protected_ = {header, 0, sizeof header, false};
    struct hub_buf inclusion = {proof, 0, sizeof proof, false};
    struct hub_buf unprotected = {map, 0, sizeof map, false};

    HUB_ASSERT(p->certificate->subject.kind == HUB_FINALIZE && p->path_len <= HUB_PATH_MAX);
    HUB_ASSERT(p->certificate->signers >> signer & 1);
    hub_vote_protected(&protected_, set, &p->certificate->subject, signer);
    put_inclusion(&inclusion, p);
    hub_put_map(&unprotected, 1);
    hub_put_uint(&unprotected, LABEL_PROOFS);
    hub_put_map(&unprotected, 1);
    hub_put_int(&unprotected, PROOF_INCLUSION);
    hub_put_array(&unprotected, 1);
    hub_put_bytes(&unprotected, hub_span_of(&inclusion));
    HUB_ASSERT(!protected_.full && !inclusion.full && !unprotected.full);
    hub_sign1_encode(out, hub_span_of(&protected_), hub_span_of(&unprotected),
                     (struct hub_span){NULL, 0}, &p->certificate->sig[signer]);
}

void hub_statement_encode(struct hub_buf *out, struct hub_span record,
                          const struct hub_span *receipt, uint32_t n)
{
    struct hub_sign1 s;
    bool ok = hub_sign1_decode(&s, record);

    HUB_ASSERT(ok && s.payload.data != NULL && n >= 1 && n <= HUB_STATEMENT_RECEIPTS_MAX);
    hub_put_tag(out, 18);
    hub_put_array(out, 4);
    hub_put_bytes(out, s.protected_);
    hub_put_map(out, 1);
    hub_put_uint(out, LABEL_RECEIPTS);
    hub_put_array(out, n);
    for (uint32_t i = 0; i < n; i++)
        hub_put_bytes(out, receipt[i]);
    hub_put_bytes(out, s.payload);
    hub_put_bytes(out, (struct hub_span){s.signature->b, sizeof s.signature->b});
}

/* {394: [1*64 bstr]}, or the empty map. */
static bool holds_receipts_only(struct hub_span unprotected)
{
    struct hub_cbor c = hub_cbor_open(unprotected);
    uint32_t n;

    if (unprotected.len == 1)
        return true;
    hub_cbor_map(&c, 1, 1);
    hub_cbor_label(&c, LABEL_RECEIPTS);
    n = hub_cbor_array(&c, 1, HUB_STATEMENT_RECEIPTS_MAX);
    for (uint32_t i = 0; i < n; i++)
        (void)hub_cbor_bytes(&c, 1, SIZE_MAX);
    return hub_cbor_done(&c);
}

bool hub_statement_strip(struct hub_buf *out, struct hub_span bytes)
{
    struct hub_sign1 s;

    if (!hub_sign1_decode(&s, bytes) || s.payload.data == NULL ||
        !holds_receipts_only(s.unprotected))
        return false;
    hub_sign1_encode(out, s.protected_, (struct hub_span){&empty_map, 1}, s.payload, s.signature);
    return !out->full;
}
