/* api_receipt.c: GET /v1/receipts/{id}: the proof that a record is in the log, final, for strangers with the genesis
 * file. ?format=bundle (default) or statement; ?entry=N adds the proof of one batch entry. */
#include "node/api_query.h"

#include "hub/receipt.h"

#include <stdlib.h>
#include <string.h>

struct gathering { /* one receipt being put together; large, on the heap */
    struct hub_receipt_parts parts;
    struct hub_certificate certificate;
    uint8_t headers[HUB_BUNDLE_HEADERS_MAX][HUB_HEADER_BYTES_MAX];
    struct hub_hash path[64], result_path[64], entry_path[64];
    struct hub_hash leaf[HUB_BLOCK_RECORDS_MAX];
    struct hub_validators set; /* of the certificate's epoch */
    uint8_t *record, *links;   /* owned copies: reads of the store invalidate each other */
    uint8_t result[HUB_RECORD_RESULT_BYTES_MAX + 64], entry[HUB_BATCH_ENTRY_BYTES];
    uint32_t result_count;
};

/* Before the headers below a SEAL, of which there are count, those of the link out of its epoch: what certifies a
 * SEAL may be a TAIL that is in no history. The first of the link's last header is the SEAL itself. */
static enum hub_status put_sealed(struct gathering *g, const struct hub_reader *r, uint64_t epoch,
                                  uint32_t count)
{
    struct hub_link link;
    struct hub_span bytes;
    enum hub_status st = hub_read_link(r, epoch + 1, &bytes);
    if (st != HUB_OK || !hub_link_decode(&link, bytes))
        return st != HUB_OK ? st : HUB_CORRUPT;
    const uint32_t tails = link.headers.n - 1;
    if (count + tails > HUB_BUNDLE_HEADERS_MAX)
        return HUB_NOT_FOUND;
    for (uint32_t i = count + tails; i-- > tails;)
        g->parts.header[i] = g->parts.header[i - tails];
    for (uint32_t i = 0; i < tails; i++) {
        struct hub_buf out = {.data = g->headers[count + i], .cap = HUB_HEADER_BYTES_MAX};
        hub_put_raw(&out, link.headers.bytes[i]);
        g->parts.header[i] = hub_span_of(&out);
    }
    g->parts.headers = count + tails;
    g->certificate = link.certificate;
    return HUB_OK;
}

/* Headers from the first certified block at or above the record's, down to it: first the certified one. */
static enum hub_status gather_headers(struct gathering *g, const struct hub_reader *r,
                                      uint64_t height, uint64_t *epoch)
{
    for (uint64_t top = height; top < height + HUB_BUNDLE_HEADERS_MAX; top++) {
        struct hub_header h;
        struct hub_hash hash;
        enum hub_status st = hub_read_header(r, top, &h, &hash);
        if (st != HUB_OK)
            return st;
        struct hub_buf out = {.data = g->headers[top - height], .cap = HUB_HEADER_BYTES_MAX};
        hub_header_encode(&out, &h);
        g->parts.header[top - height] = hub_span_of(&out);
        st = hub_read_final_certificate(r, &h, &hash, &g->certificate);
        const bool sealed = st == HUB_NOT_FOUND && h.flags == HUB_FLAG_SEAL;
        if (st == HUB_NOT_FOUND && !sealed)
            continue;
        *epoch = h.epoch;
        g->parts.headers = (uint32_t)(top - height + 1);
        g->parts.tree_size = h.log_size;
        for (uint32_t i = 0; i < g->parts.headers / 2; i++) { /* newest first */
            const struct hub_span t = g->parts.header[i];
            g->parts.header[i] = g->parts.header[g->parts.headers - 1 - i];
            g->parts.header[g->parts.headers - 1 - i] = t;
        }
        return sealed ? put_sealed(g, r, h.epoch, g->parts.headers) : st;
    }
    return HUB_NOT_FOUND;
}

static enum hub_status gather_result(struct gathering *g, const struct hub_reader *r,
                                     const struct hub_history *h, const struct hub_place *p)
{
    struct hub_span results, item;
    enum hub_status st = hub_find_results(r, h, p->height, &results);
    if (st != HUB_OK)
        return st;
    struct hub_cbor c = hub_cbor_open(results);
    g->result_count = 0;
    while (!c.bad && c.at < c.end && g->result_count < HUB_BLOCK_RECORDS_MAX)
        hub_merkle_leaf(&g->leaf[g->result_count++], hub_cbor_item(&c));
    if (c.bad || p->position >= g->result_count ||
        hub_result_at(&item, results, p->position) != HUB_OK || item.len > sizeof g->result)
        return HUB_CORRUPT;
    memcpy(g->result, item.data, item.len);
    g->parts.result = (struct hub_span){g->result, item.len};
    g->parts.result_index = p->position;
    hub_merkle_inclusion_of(g->result_path, &g->parts.result_path_len, p->position, g->leaf,
                            g->result_count);
    g->parts.result_path = g->result_path;
    return HUB_OK;
}

/* One entry of a batch against the root in its record. */
static bool gather_entry(struct gathering *g, struct hub_span attachment, uint64_t entry)
{
    const uint64_t count = attachment.len / HUB_BATCH_ENTRY_BYTES;
    if (entry >= count || count > HUB_BATCH_ENTRIES_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++)
        hub_merkle_leaf(&g->leaf[i], (struct hub_span){attachment.data + i * HUB_BATCH_ENTRY_BYTES,
                                                       HUB_BATCH_ENTRY_BYTES});
    memcpy(g->entry, attachment.data + entry * HUB_BATCH_ENTRY_BYTES, sizeof g->entry);
    g->parts.entry = (struct hub_span){g->entry, sizeof g->entry};
    g->parts.entry_index = (uint32_t)entry;
    hub_merkle_inclusion_of(g->entry_path, &g->parts.entry_path_len, entry, g->leaf, count);
    g->parts.entry_path = g->entry_path;
    return true;
}

/* How a stranger gets from the genesis file to the set that certified. */
static enum hub_status gather_links(struct hub_api *a, struct gathering *g,
                                    const struct hub_reader *r, uint64_t epoch)
{
    enum hub_status st = hub_read_set(r, &a->node->genesis, epoch, &g->set);
    g->links = st == HUB_OK ? malloc(HUB_BUNDLE_BYTES_MAX) : NULL;
    if (!g->links)
        return st == HUB_OK ? HUB_IO : st;
    struct hub_buf out = {.data = g->links, .cap = HUB_BUNDLE_BYTES_MAX};
    st = hub_read_links(r, epoch, &out);
    g->parts.links = hub_span_of(&out);
    g->parts.validator_count = g->set.n;
    return st;
}

/* HUB_NOT_NOW: final, but no certificate of its own or above is stored yet. */
static enum hub_status gather(struct hub_api *a, struct gathering *g, const struct hub_place *p,
                              uint64_t entry)
{
    const struct hub_reader r = hub_store_reader(a->node->store);
    const struct hub_chain *chain = &a->node->replica->chain;
    struct hub_span block, record, attachment;
    struct hub_record decoded;
    struct hub_key key;
    uint16_t why;
    enum hub_status st = hub_read_block(&r, p->height, &block);
    if (st != HUB_OK || hub_block_entry(&record, &attachment, block, p->position) != HUB_OK ||
        hub_record_decode(&decoded, &why, record, attachment, &chain->id) != HUB_OK ||
        !hub_key_find(&key, &chain->state, &decoded.kid))
        return st != HUB_OK ? st : HUB_CORRUPT;
    g->record = malloc(record.len);
    if (!g->record)
        return HUB_IO;
    memcpy(g->record, record.data, record.len);
    if (entry != UINT64_MAX && !gather_entry(g, attachment, entry))
        return HUB_NOT_FOUND;
    g->parts.chain = chain->id;
    g->parts.record = (struct hub_span){g->record, record.len};
    g->parts.signer = key.key;
    g->parts.certificate = &g->certificate;
    g->parts.leaf_index = p->log_index;
    uint64_t epoch = 0;
    st = gather_headers(g, &r, p->height, &epoch);
    if (st != HUB_OK)
        return st == HUB_NOT_FOUND ? HUB_NOT_NOW : st;
    st = gather_links(a, g, &r, epoch);
    if (st != HUB_OK)
        return st;
    st = hub_log_inclusion(&r, a->node->history, g->path, &g->parts.path_len, p->log_index,
                           g->parts.tree_size);
    g->parts.path = g->path;
    return st == HUB_OK ? gather_result(g, &r, a->node->history, p) : st;
}

/* The record with one standard receipt a validator of the certificate. */
static void put_statement(struct hub_buf *out, const struct gathering *g)
{
    const struct hub_validators *set = &g->set;
    enum { ROOM = 4096 }; /* one receipt: a path of 64 hashes and its headers */
    struct hub_span receipt[HUB_VALIDATORS_MAX];
    uint32_t n = 0;
    uint8_t *room = malloc((size_t)ROOM * HUB_VALIDATORS_MAX);
    for (uint8_t i = 0; room && i < set->n; i++) {
        struct hub_buf one = {.data = room + (size_t)n * ROOM, .cap = ROOM};
        if (!(g->certificate.signers >> i & 1))
            continue;
        hub_receipt_single(&one, &g->parts, set, i);
        out->full = out->full || one.full;
        receipt[n++] = hub_span_of(&one);
    }
    if (room)
        hub_statement_encode(out, g->parts.record, receipt, n);
    free(room);
}

void hub_api_get_receipt(struct hub_api *a, struct hub_query *q)
{
    const struct hub_reader r = hub_store_reader(a->node->store);
    const char *format = hub_query_parameter(q, "format");
    struct hub_hash id;
    struct hub_place place;
    uint64_t entry;
    if (!hub_query_hash(q, 0, &id) ||
        !hub_query_number(q, "entry", &entry, UINT64_MAX, HUB_BATCH_ENTRIES_MAX - 1) ||
        (format && strcmp(format, "bundle") != 0 && strcmp(format, "statement") != 0)) {
        hub_answer_problem(a, q, "bad_request",
                           "a record id is 64 lower-case hex digits; format: bundle or statement; "
                           "entry: 0 to 1499");
        return;
    }
    if (hub_find_record(&r, a->node->history, &id, &place) != HUB_OK) {
        hub_answer_problem(
            a, q, hub_mempool_find(a->node->pool, &id) ? "not_final" : "record_unknown", q->arg[0]);
        return;
    }
    struct gathering *g = calloc(1, sizeof *g);
    const enum hub_status st = g ? gather(a, g, &place, entry) : HUB_IO;
    if (st == HUB_OK) {
        if (format && *format == 's')
            put_statement(&q->out, g);
        else
            hub_receipt_encode(&q->out, &g->parts);
        q->content_type = format && *format == 's' ? "application/cose" : "application/cbor";
        hub_answer_json(a, q, 200);
    } else {
        hub_answer_problem(a, q,
                           st == HUB_NOT_NOW     ? "not_final"
                           : st == HUB_NOT_FOUND ? "not_found"
                                                 : "damaged",
                           q->arg[0]);
    }
    if (g) {
        free(g->record);
        free(g->links);
    }
    free(g);
}
