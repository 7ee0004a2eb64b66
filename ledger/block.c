/* block.c: headers, blocks and results (formats.cddl section 7). */
#include "hub/block.h"

#include "hub/merkle.h"

enum { FORMAT_VERSION = 1, HEADER_ITEMS = 18 };

void hub_header_encode(struct hub_buf *out, const struct hub_header *h)
{
    hub_put_array(out, HEADER_ITEMS);
    hub_put_uint(out, h->version);
    hub_put_hash(out, &h->chain);
    hub_put_uint(out, h->epoch);
    hub_put_uint(out, h->view);
    hub_put_uint(out, h->height);
    hub_put_hash(out, &h->parent);
    hub_put_uint(out, h->parent_view);
    hub_put_uint(out, h->time_ms);
    hub_put_uint(out, h->proposer);
    hub_put_uint(out, h->log_size);
    hub_put_hash(out, &h->log_root);
    hub_put_uint(out, h->record_count);
    hub_put_hash(out, &h->records_root);
    hub_put_hash(out, &h->results_root);
    hub_put_hash(out, &h->state_root);
    hub_put_hash(out, &h->validators);
    hub_put_hash(out, &h->next_validators);
    hub_put_uint(out, h->flags);
}

bool hub_header_decode(struct hub_header *out, struct hub_span bytes)
{
    struct hub_cbor c = hub_cbor_open(bytes);
    struct hub_header h;

    hub_cbor_array(&c, HEADER_ITEMS, HEADER_ITEMS);
    h.version = (uint16_t)hub_cbor_uint(&c, FORMAT_VERSION, FORMAT_VERSION);
    hub_cbor_hash(&c, &h.chain);
    h.epoch = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    h.view = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    h.height = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    hub_cbor_hash(&c, &h.parent);
    h.parent_view = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    h.time_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    h.proposer = (uint16_t)hub_cbor_uint(&c, 0, HUB_VALIDATORS_MAX - 1);
    h.log_size = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    hub_cbor_hash(&c, &h.log_root);
    h.record_count = (uint16_t)hub_cbor_uint(&c, 0, UINT16_MAX);
    hub_cbor_hash(&c, &h.records_root);
    hub_cbor_hash(&c, &h.results_root);
    hub_cbor_hash(&c, &h.state_root);
    hub_cbor_hash(&c, &h.validators);
    hub_cbor_hash(&c, &h.next_validators);
    h.flags = (uint16_t)hub_cbor_uint(&c, 0, HUB_FLAG_RECOVERY);
    if (!hub_cbor_done(&c) || h.flags == (HUB_FLAG_SEAL | HUB_FLAG_TAIL))
        return false;
    *out = h;
    return true;
}

void hub_header_hash(struct hub_hash *out, struct hub_span header_bytes)
{
    hub_hash_tagged(out, "hubledger/header/1", header_bytes);
}

void hub_block_encode(struct hub_buf *out, const struct hub_header *h,
                      const struct hub_record *records, uint32_t count)
{
    uint8_t bytes[HUB_HEADER_BYTES_MAX];
    struct hub_buf header = {bytes, 0, sizeof bytes, false};

    HUB_ASSERT(count <= HUB_BLOCK_RECORDS_MAX);
    hub_header_encode(&header, h);
    HUB_ASSERT(!header.full);
    hub_put_array(out, 2);
    hub_put_bytes(out, hub_span_of(&header));
    hub_put_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        hub_put_array(out, 2);
        hub_put_bytes(out, records[i].bytes);
        hub_put_bytes(out, records[i].attachment);
    }
}

/* The cursor stands behind the header then. */
static bool open_block(struct hub_cbor *c, struct hub_span *header_bytes, struct hub_header *header,
                       struct hub_span bytes)
{
    *c = hub_cbor_open(bytes);
    hub_cbor_array(c, 2, 2);
    *header_bytes = hub_cbor_bytes(c, 1, HUB_HEADER_BYTES_MAX);
    return !c->bad && hub_header_decode(header, *header_bytes);
}

static enum hub_status fault(uint32_t *bad_record, uint16_t *why, uint32_t record, uint16_t code)
{
    *bad_record = record;
    *why = code;
    return HUB_BAD_BLOCK;
}

enum hub_status hub_block_decode(struct hub_block *out, uint32_t *bad_record, uint16_t *why,
                                 struct hub_span bytes, const struct hub_hash *chain)
{
    struct hub_span header_bytes;
    struct hub_header header;
    struct hub_edge leaves = {0};
    struct hub_hash root;
    struct hub_cbor c;
    uint32_t count;

    if (!open_block(&c, &header_bytes, &header, bytes))
        return HUB_BAD_ENCODING;
    if ((size_t)(c.end - c.at) > HUB_BLOCK_BYTES_MAX)
        return fault(bad_record, why, UINT32_MAX, HUB_CODE_too_large);
    if (!hub_hash_equal(&header.chain, chain))
        return fault(bad_record, why, UINT32_MAX, HUB_CODE_chain_mismatch);
    count = hub_cbor_array(&c, 0, HUB_BLOCK_RECORDS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct hub_span record, attachment;

        hub_cbor_array(&c, 2, 2);
        record = hub_cbor_bytes(&c, 1, HUB_RECORD_BYTES_MAX);
        attachment = hub_cbor_bytes(&c, 0, HUB_ATTACHMENT_BYTES_MAX);
        if (c.bad)
            return HUB_BAD_ENCODING;
        if (hub_record_decode(&out->records[i], why, record, attachment, chain) != HUB_OK)
            return fault(bad_record, why, i, *why);
        hub_merkle_append(&leaves, &out->records[i].leaf, NULL, NULL);
    }
    if (!hub_cbor_done(&c))
        return HUB_BAD_ENCODING;
    hub_merkle_root(&root, &leaves);
    if (count != header.record_count || !hub_hash_equal(&root, &header.records_root))
        return fault(bad_record, why, UINT32_MAX, 0);
    out->header = header;
    hub_header_hash(&out->hash, header_bytes);
    out->bytes = bytes;
    out->count = count;
    return HUB_OK;
}

bool hub_block_peek(struct hub_header *out, struct hub_hash *hash, struct hub_span *header_bytes,
                    struct hub_span bytes)
{
    struct hub_cbor c;

    if (!open_block(&c, header_bytes, out, bytes))
        return false;
    hub_header_hash(hash, *header_bytes);
    return true;
}

void hub_result_encode(struct hub_buf *out, const struct hub_hash *id, uint16_t code,
                       struct hub_span value)
{
    hub_put_array(out, 3);
    hub_put_hash(out, id);
    hub_put_uint(out, code);
    if (value.len == 0)
        hub_put_null(out);
    else
        hub_put_raw(out, value);
}
