/* snapshot_write.c: a snapshot out of a store; what it must hold to be taken is in snapshot.c. */
#include "node/snapshot_impl.h"

#include "hub/hash.h"

#include <stdlib.h>
#include <string.h>

static bool put_string(struct hub_snapshot_work *w, struct hub_span bytes)
{
    uint8_t head[9];
    struct hub_buf b = {head, 0, sizeof head, false};
    hub_put_bytes_head(&b, bytes.len);
    return fwrite(head, 1, b.len, w->file) == b.len &&
           fwrite(bytes.data, 1, bytes.len, w->file) == bytes.len;
}

/* ---- rows and manifest */

/* As many rows from `first` on as fit into one part. */
static struct hub_span fill_part(struct hub_snapshot_work *w, unsigned t, uint32_t first,
                                 uint32_t *count)
{
    const struct hub_state *s = &w->chain->state;
    struct hub_buf b = {w->part, 0, PART_BYTES_MAX, false};
    for (*count = 0; first + *count < s->count[t] && b.len < PART_BYTES; ++*count)
        hub_put_bytes(&b, hub_state_row(s, (enum hub_table)t, first + *count));
    HUB_ASSERT(!b.full);
    return hub_span_of(&b);
}

static bool list_parts(struct hub_snapshot_work *w, struct hub_snapshot_facts *facts)
{
    for (unsigned t = 0; t < HUB_TABLES; t++)
        for (uint32_t first = 0, count; first < w->chain->state.count[t]; first += count) {
            const struct hub_span rows = fill_part(w, t, first, &count);
            if (w->m.parts == PARTS_MAX)
                return false;
            struct hub_snapshot_part *p = &w->m.part[w->m.parts++];
            *p = (struct hub_snapshot_part){.table = t, .first = first, .count = count};
            hub_hash_span(&p->sha256, rows);
            facts->rows += count;
            facts->bytes += rows.len;
        }
    return true;
}

static void put_edge(struct hub_buf *b, const struct hub_edge *e)
{
    hub_put_array(b, hub_bits_set(e->size));
    for (unsigned level = 64; level-- > 0;)
        if (e->size >> level & 1)
            hub_put_hash(b, &e->node[level]);
}

static struct hub_span encode_manifest(struct hub_snapshot_work *w)
{
    const struct hub_state *s = &w->chain->state;
    struct hub_buf b = {w->manifest, 0, MANIFEST_BYTES_MAX, false};
    hub_put_map(&b, 8);
    hub_put_text(&b, "edge");
    put_edge(&b, &w->chain->final_edge);
    hub_put_text(&b, "chain");
    hub_put_hash(&b, &w->chain->id);
    hub_put_text(&b, "links");
    hub_put_raw(&b, w->m.links);
    hub_put_text(&b, "parts");
    hub_put_array(&b, w->m.parts);
    for (uint32_t i = 0; i < w->m.parts; i++) {
        hub_put_array(&b, 4);
        hub_put_uint(&b, w->m.part[i].table);
        hub_put_uint(&b, w->m.part[i].first);
        hub_put_uint(&b, w->m.part[i].count);
        hub_put_hash(&b, &w->m.part[i].sha256);
    }
    hub_put_text(&b, "tables");
    hub_put_array(&b, HUB_TABLES);
    for (unsigned t = 0; t < HUB_TABLES; t++) {
        hub_put_array(&b, 3);
        hub_put_uint(&b, t);
        hub_put_uint(&b, s->count[t]);
        hub_put_hash(&b, &s->table_root[t]);
    }
    hub_put_text(&b, "headers");
    hub_headers_put(&b, &w->m.headers);
    hub_put_text(&b, "version");
    hub_put_uint(&b, HUB_SNAPSHOT_VERSION);
    hub_put_text(&b, "certificate");
    hub_certificate_encode(&b, &w->m.certificate, w->set.n);
    HUB_ASSERT(!b.full);
    return hub_span_of(&b);
}

/* ---- out of a store */

/* The link out of the epoch certifies its SEAL: what lies above that in the link comes first. */
static enum hub_status certify_seal(struct hub_snapshot_work *w, const struct hub_reader *r,
                                    struct hub_buf *b, const struct hub_span *up, uint32_t n)
{
    static struct hub_link link;
    struct hub_span bytes;
    if (hub_read_link(r, w->header.epoch + 1, &bytes) || !hub_link_decode(&link, bytes))
        return hub_snapshot_say(w, HUB_CORRUPT, "the link out of epoch %llu is damaged",
                                (unsigned long long)w->header.epoch);
    w->sealed = true;
    w->top = link.headers.n - 1;
    w->m.certificate = link.certificate;
    if (w->top + n > HUB_BUNDLE_HEADERS_MAX)
        return hub_snapshot_say(w, HUB_NOT_NOW,
                                "the checkpoint lies too far below the end of its epoch: a later "
                                "one will do");
    for (uint32_t i = 0; i < w->top; i++) { /* copied: the reader goes on */
        const size_t start = b->len;
        hub_put_raw(b, link.headers.bytes[i]);
        w->m.headers.bytes[i] = (struct hub_span){b->data + start, b->len - start};
    }
    for (uint32_t i = 0; i < n; i++)
        w->m.headers.bytes[w->top + i] = up[n - 1 - i];
    w->m.headers.n = w->top + n;
    return HUB_OK;
}

/* Headers from the first certified block at or above the snapshot's down to it. */
static enum hub_status certify(struct hub_snapshot_work *w, const struct hub_reader *r,
                               struct hub_buf *b)
{
    struct hub_span up[HUB_BUNDLE_HEADERS_MAX];
    struct hub_header at = w->header;
    struct hub_hash hash = w->hash;
    for (uint32_t n = 0; n < HUB_BUNDLE_HEADERS_MAX;) {
        const size_t start = b->len;
        hub_header_encode(b, &at);
        up[n++] = (struct hub_span){b->data + start, b->len - start};
        if (at.flags == HUB_FLAG_RECOVERY)
            break; /* final by its record: only what stands on it is certified */
        if (at.flags == HUB_FLAG_SEAL)
            return certify_seal(w, r, b, up, n);
        if (hub_read_final_certificate(r, &at, &hash, &w->m.certificate) == HUB_OK) {
            w->m.headers.n = n;
            for (uint32_t i = 0; i < n; i++)
                w->m.headers.bytes[i] = up[n - 1 - i];
            return HUB_OK;
        }
        if (hub_read_header(r, at.height + 1, &at, &hash) != HUB_OK)
            break;
    }
    return hub_snapshot_say(w, HUB_NOT_NOW,
                            "the checkpoint of height %llu is not certified near by: make the "
                            "snapshot again after the next block",
                            (unsigned long long)w->header.height);
}

/* To the set that certified, and out of its epoch if a SEAL is among the blocks. */
static enum hub_status collect_links(struct hub_snapshot_work *w, const struct hub_reader *r,
                                     struct hub_buf *b)
{
    const uint64_t links = w->header.epoch + w->sealed;
    hub_put_array(b, links);
    for (uint64_t e = 1; e <= links; e++) {
        struct hub_span link;
        if (hub_read_link(r, e, &link))
            return hub_snapshot_say(w, HUB_CORRUPT, "the link to epoch %llu is damaged",
                                    (unsigned long long)e);
        hub_put_raw(b, link);
    }
    w->m.links = hub_span_of(b);
    return b->full || links > HUB_BUNDLE_LINKS_MAX
               ? hub_snapshot_say(w, HUB_LIMIT, "more epochs than a snapshot holds")
               : HUB_OK;
}

static enum hub_status write_all(struct hub_snapshot_work *w, const struct hub_reader *r,
                                 struct hub_snapshot_facts *facts)
{
    struct hub_hash root;
    hub_state_root(&w->chain->state, &root);
    if (!list_parts(w, facts))
        return hub_snapshot_say(w, HUB_LIMIT, "the state is larger than a snapshot holds");
    bool ok = fwrite(hub_snapshot_magic, 1, sizeof hub_snapshot_magic, w->file) ==
                  sizeof hub_snapshot_magic &&
              put_string(w, encode_manifest(w));
    for (uint32_t i = 0; i < w->m.parts && ok; i++) {
        uint32_t count;
        ok = put_string(
            w, fill_part(w, (unsigned)w->m.part[i].table, (uint32_t)w->m.part[i].first, &count));
    }
    for (uint32_t i = 0; i < w->m.headers.n - w->top && ok; i++) {
        struct hub_span block;
        if (hub_read_block(r, w->header.height + i, &block))
            return hub_snapshot_say(w, HUB_CORRUPT,
                                    "the block of height %llu is damaged on this disk",
                                    (unsigned long long)w->header.height + i);
        ok = put_string(w, block);
    }
    return ok && fflush(w->file) == 0 ? HUB_OK
                                      : hub_snapshot_say(w, HUB_IO, "the file cannot be written");
}

static enum hub_status write_from(struct hub_snapshot_work *w, struct hub_store *from,
                                  struct hub_snapshot_facts *facts)
{
    static uint8_t bytes[2 * HUB_BUNDLE_HEADERS_MAX * HUB_HEADER_BYTES_MAX];
    struct hub_buf headers = {bytes, 0, sizeof bytes, false};
    const struct hub_reader r = hub_store_reader(from);
    struct hub_buf links = {malloc(LINKS_BYTES_MAX), 0, LINKS_BYTES_MAX, false};
    w->header = w->chain->final_header;
    w->hash = w->chain->final_hash;
    enum hub_status status = links.data ? certify(w, &r, &headers) : HUB_IO;
    if (status == HUB_OK)
        status = hub_read_set(&r, w->genesis, w->header.epoch, &w->set);
    if (status == HUB_OK)
        status = collect_links(w, &r, &links);
    hub_env_rest(hub_store_env(from)); /* H8: what is final does not change meanwhile */
    if (status == HUB_OK)
        status = write_all(w, &r, facts);
    hub_snapshot_facts_of(facts, w);
    free(links.data);
    return status;
}

enum hub_status hub_snapshot_write(FILE *out, struct hub_store *from, struct hub_chain *c,
                                   struct hub_chain_memory *m, const struct hub_genesis *g,
                                   struct hub_snapshot_facts *facts, char why[HUB_WHY_BYTES])
{
    static struct hub_snapshot_work w;
    struct hub_checkpoint_report report;
    struct hub_history *h = hub_history_new();
    w = (struct hub_snapshot_work){.file = out, .chain = c, .genesis = g, .why = why};
    memset(facts, 0, sizeof *facts);
    if (!h || !hub_snapshot_begin(&w)) {
        hub_history_free(h);
        return hub_snapshot_end(&w, hub_snapshot_say(&w, HUB_IO, "not enough memory"));
    }
    enum hub_status status = hub_checkpoint_load(from, c, h, g, m, &report);
    hub_history_free(h);
    if (status == HUB_OK && !report.height)
        status = hub_snapshot_say(
            &w, report.damaged ? HUB_CORRUPT : HUB_NOT_FOUND, "%s",
            report.damaged ? report.why
                           : "the node has written no checkpoint yet: it does so when it "
                             "has been idle for 2 s");
    else if (status)
        hub_snapshot_say(&w, status, "%s", report.why);
    if (status == HUB_OK)
        status = write_from(&w, from, facts);
    return hub_snapshot_end(&w, status);
}
