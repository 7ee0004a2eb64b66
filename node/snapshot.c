#include "node/snapshot.h"

#include "hub/hash.h"
#include "hub/link.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    VERSION = 1,
    PART_BYTES = 1 << 20,
    PART_BYTES_MAX = PART_BYTES + HUB_ROW_BYTES_MAX + 8,
    PARTS_MAX = 65536,
    MANIFEST_BYTES_MAX = 16 << 20, /* 64 links of at most 100 KB, and the parts of 64 GiB of rows */
    MAGIC_BYTES = 24
};

/* Tag 55799 [ "hubledger-snapshot", 1, .. */
static const uint8_t magic[MAGIC_BYTES] = {0xd9, 0xd9, 0xf7, 0x83, 0x72, 'h', 'u', 'b',
                                           'l',  'e',  'd',  'g',  'e',  'r', '-', 's',
                                           'n',  'a',  'p',  's',  'h',  'o', 't', 1};

struct part {
    uint64_t table, first, count;
    struct hub_hash sha256;
};

struct manifest {
    struct hub_edge edge;
    struct hub_hash chain;
    struct hub_span links; /* encoded array */
    struct part *part;     /* [parts], owned */
    uint32_t parts;
    uint64_t row_count[HUB_TABLES];
    struct hub_hash table_root[HUB_TABLES];
    struct hub_headers headers; /* first the certified one, last the snapshot's */
    struct hub_certificate certificate;
};

struct work { /* of one file, either way */
    FILE *file;
    struct hub_chain *chain;
    const struct hub_genesis *genesis;
    char *why;
    struct manifest m;
    struct hub_validators set;        /* that certified the block and votes behind it */
    uint8_t *manifest, *part, *block; /* owned buffers */
    struct hub_header header, certified;
    struct hub_hash hash, certified_hash;
};

__attribute__((format(printf, 3, 4))) static enum hub_status say(const struct work *w,
                                                                 enum hub_status status,
                                                                 const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(w->why, HUB_WHY_BYTES, format, args);
    va_end(args);
    return status;
}

static bool begin(struct work *w)
{
    w->manifest = malloc(MANIFEST_BYTES_MAX);
    w->part = malloc(PART_BYTES_MAX);
    w->block = malloc(HUB_BODY_BYTES_MAX);
    w->m.part = calloc(PARTS_MAX, sizeof *w->m.part);
    return w->manifest && w->part && w->block && w->m.part;
}

static enum hub_status end(struct work *w, enum hub_status status)
{
    free(w->manifest);
    free(w->part);
    free(w->block);
    free(w->m.part);
    return status;
}

/* ---- the file: byte strings one behind the other */

static bool put_string(struct work *w, struct hub_span bytes)
{
    uint8_t head[9];
    struct hub_buf b = {head, 0, sizeof head, false};
    hub_put_bytes_head(&b, bytes.len);
    return fwrite(head, 1, b.len, w->file) == b.len &&
           fwrite(bytes.data, 1, bytes.len, w->file) == bytes.len;
}

/* A byte string of at most max bytes, its head the shortest. */
static bool get_string(struct work *w, uint8_t *out, size_t max, struct hub_span *bytes)
{
    uint8_t head[5];
    uint32_t len;
    if (fread(head, 1, 1, w->file) != 1 || head[0] < 0x40 || head[0] > 0x5a)
        return false;
    const uint32_t more = head[0] < 0x58 ? 0 : 1u << (head[0] - 0x58);
    if (fread(head + 1, 1, more, w->file) != more)
        return false;
    len = more == 0   ? head[0] - 0x40u
          : more == 1 ? head[1]
          : more == 2 ? hub_get_be16(head + 1)
                      : hub_get_be32(head + 1);
    const uint32_t least = more == 0 ? 0 : more == 1 ? 24 : more == 2 ? 256 : 65536;
    if (len < least || len > max || fread(out, 1, len, w->file) != len)
        return false;
    *bytes = (struct hub_span){out, len};
    return true;
}

/* ---- rows in parts */

/* As many rows from `first` on as fit into one part. */
static struct hub_span fill_part(struct work *w, unsigned t, uint32_t first, uint32_t *count)
{
    const struct hub_state *s = &w->chain->state;
    struct hub_buf b = {w->part, 0, PART_BYTES_MAX, false};
    for (*count = 0; first + *count < s->count[t] && b.len < PART_BYTES; ++*count)
        hub_put_bytes(&b, hub_state_row(s, (enum hub_table)t, first + *count));
    HUB_ASSERT(!b.full);
    return hub_span_of(&b);
}

static bool list_parts(struct work *w, struct hub_snapshot_facts *facts)
{
    for (unsigned t = 0; t < HUB_TABLES; t++)
        for (uint32_t first = 0, count; first < w->chain->state.count[t]; first += count) {
            const struct hub_span rows = fill_part(w, t, first, &count);
            if (w->m.parts == PARTS_MAX)
                return false;
            struct part *p = &w->m.part[w->m.parts++];
            *p = (struct part){.table = t, .first = first, .count = count};
            hub_hash_span(&p->sha256, rows);
            facts->rows += count;
            facts->bytes += rows.len;
        }
    return true;
}

static enum hub_status take_part(struct work *w, const struct part *p)
{
    struct hub_state *s = &w->chain->state;
    struct hub_span rows;
    struct hub_hash sha256;
    if (!get_string(w, w->part, PART_BYTES_MAX, &rows))
        return say(w, HUB_BAD_ENCODING, "the file ends inside the rows of table %s, or is damaged",
                   hub_table_kinds[p->table].name);
    hub_hash_span(&sha256, rows);
    if (!hub_hash_equal(&sha256, &p->sha256))
        return say(w, HUB_CORRUPT, "rows %llu and behind of table %s are not those of the manifest",
                   (unsigned long long)p->first, hub_table_kinds[p->table].name);
    struct hub_cbor c = hub_cbor_open(rows);
    for (uint64_t i = 0; i < p->count; i++) {
        const struct hub_span row = hub_cbor_bytes(&c, 1, HUB_ROW_BYTES_MAX);
        if (c.bad || !hub_state_row_ok((enum hub_table)p->table, row) ||
            hub_state_add(s, (enum hub_table)p->table, row) != p->first + i)
            return say(w, HUB_CORRUPT, "row %llu of table %s is not one",
                       (unsigned long long)(p->first + i), hub_table_kinds[p->table].name);
    }
    return hub_cbor_done(&c) ? HUB_OK
                             : say(w, HUB_CORRUPT, "table %s: a part holds more than it says",
                                   hub_table_kinds[p->table].name);
}

/* ---- the manifest */

static void put_edge(struct hub_buf *b, const struct hub_edge *e)
{
    hub_put_array(b, hub_bits_set(e->size));
    for (unsigned level = 64; level-- > 0;)
        if (e->size >> level & 1)
            hub_put_hash(b, &e->node[level]);
}

static struct hub_span encode_manifest(struct work *w)
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
    hub_put_uint(&b, VERSION);
    hub_put_text(&b, "certificate");
    hub_certificate_encode(&b, &w->m.certificate, w->set.n);
    HUB_ASSERT(!b.full);
    return hub_span_of(&b);
}

static void read_edge(struct hub_edge *out, struct hub_cbor *c, struct hub_hash node[64],
                      uint32_t *nodes)
{
    memset(out, 0, sizeof *out);
    *nodes = hub_cbor_array(c, 0, 64);
    for (uint32_t i = 0; i < *nodes; i++)
        hub_cbor_hash(c, &node[i]);
}

static void read_tables(struct manifest *m, struct hub_cbor *c)
{
    m->parts = hub_cbor_array(c, 0, PARTS_MAX);
    for (uint32_t i = 0; i < m->parts; i++) {
        struct part *p = &m->part[i];
        hub_cbor_array(c, 4, 4);
        p->table = hub_cbor_uint(c, 0, HUB_TABLES - 1);
        p->first = hub_cbor_uint(c, 0, hub_table_kinds[p->table].rows_max);
        p->count = hub_cbor_uint(c, 1, hub_table_kinds[p->table].rows_max);
        hub_cbor_hash(c, &p->sha256);
    }
    hub_cbor_key(c, "tables");
    hub_cbor_array(c, HUB_TABLES, HUB_TABLES);
    for (unsigned t = 0; t < HUB_TABLES; t++) {
        hub_cbor_array(c, 3, 3);
        hub_cbor_uint(c, t, t);
        m->row_count[t] = hub_cbor_uint(c, 0, hub_table_kinds[t].rows_max);
        hub_cbor_hash(c, &m->table_root[t]);
    }
}

static bool decode_manifest(struct work *w, struct hub_span bytes)
{
    struct manifest *m = &w->m;
    struct hub_hash node[64];
    struct hub_header first, last = {.version = 0};
    uint32_t nodes, at = 0;
    struct hub_cbor c = hub_cbor_open(bytes);
    hub_cbor_map(&c, 8, 8);
    hub_cbor_key(&c, "edge");
    read_edge(&m->edge, &c, node, &nodes);
    hub_cbor_key(&c, "chain");
    hub_cbor_hash(&c, &m->chain);
    hub_cbor_key(&c, "links");
    m->links = hub_cbor_item(&c);
    hub_cbor_key(&c, "parts");
    read_tables(m, &c);
    hub_cbor_key(&c, "headers");
    hub_headers_read(&m->headers, &c);
    hub_cbor_key(&c, "version");
    hub_cbor_uint(&c, VERSION, VERSION);
    hub_cbor_key(&c, "certificate");
    hub_certificate_read(&m->certificate, &c);
    if (!hub_cbor_done(&c) || !m->headers.n ||
        !hub_header_decode(&last, m->headers.bytes[m->headers.n - 1]) ||
        !hub_header_decode(&first, m->headers.bytes[0]) || nodes != hub_bits_set(last.log_size))
        return false;
    m->edge.size = last.log_size;
    for (unsigned level = 64; level-- > 0;)
        if (last.log_size >> level & 1)
            m->edge.node[level] = node[at++];
    return true;
}

/* ---- what proves it */

/* From genesis over the links to the set of the block's epoch. */
static enum hub_status walk_links(struct work *w)
{
    const char *what = "links: not of the expected form";
    w->set = w->genesis->set;
    return hub_links_walk(&w->set, &what, w->m.links) == HUB_VERDICT_OK
               ? HUB_OK
               : say(w, HUB_CORRUPT, "%s", what);
}

static enum hub_status check_manifest(struct work *w)
{
    const char *what = "";
    if (!hub_hash_equal(&w->m.chain, &w->genesis->chain))
        return say(w, HUB_CONFLICT, "the snapshot is of another network than the genesis file");
    if (hub_headers_check(&w->m.headers, &w->m.chain, &w->certified, &w->certified_hash, &w->header,
                          &w->hash, &what) != HUB_VERDICT_OK)
        return say(w, HUB_CORRUPT, "%s", what);
    if (w->header.flags || w->certified.flags || !w->header.height)
        return say(w, HUB_CORRUPT, "no snapshot is made of genesis or of the end of an epoch");
    const enum hub_status status = walk_links(w);
    if (status)
        return status;
    if (!hub_certificate_covers(&w->m.certificate, &w->certified, &w->certified_hash, &w->set) ||
        !hub_certificate_ok(&w->m.certificate, &w->set))
        return say(w, HUB_CORRUPT,
                   "the certificate is not that of a quorum over the first header: nothing proves "
                   "this snapshot");
    return HUB_OK;
}

static enum hub_status take_rows(struct work *w, struct hub_chain_memory *m,
                                 struct hub_snapshot_facts *facts)
{
    struct hub_hash root;
    hub_chain_memory_clear(m); /* the rows of genesis are among those of the snapshot */
    hub_state_init(&w->chain->state, m->state, m->caps);
    hub_genesis_name(w->genesis, &w->chain->state);
    for (uint32_t i = 0; i < w->m.parts; i++) {
        const enum hub_status status = take_part(w, &w->m.part[i]);
        if (status)
            return status;
        facts->rows += w->m.part[i].count;
    }
    hub_state_root(&w->chain->state, &root);
    for (unsigned t = 0; t < HUB_TABLES; t++)
        if (w->chain->state.count[t] != w->m.row_count[t] ||
            !hub_hash_equal(&w->chain->state.table_root[t], &w->m.table_root[t]))
            return say(w, HUB_CORRUPT, "the rows of table %s do not give the root of the manifest",
                       hub_table_kinds[t].name);
    return hub_chain_resume(w->chain, &w->header, &w->hash, &w->m.edge, &w->set)
               ? say(w, HUB_CORRUPT, "rows or log do not give the roots of the certified header")
               : HUB_OK;
}

/* ---- into a new store */

/* One block, of which the manifest has the header. edge: of the log before it, and then behind it. */
static enum hub_status take_block(struct work *w, uint32_t i, struct hub_ports *p,
                                  struct hub_edge *edge)
{
    static struct hub_record records[HUB_BLOCK_RECORDS_MAX]; /* large; one snapshot a process */
    struct hub_block b = {.records = records};
    struct hub_span bytes;
    struct hub_hash want, root;
    uint32_t bad;
    uint16_t code;
    hub_header_hash(&want, w->m.headers.bytes[i]);
    if (!get_string(w, w->block, HUB_BODY_BYTES_MAX, &bytes) ||
        hub_block_decode(&b, &bad, &code, bytes, &w->m.chain) != HUB_OK ||
        !hub_hash_equal(&b.hash, &want))
        return say(w, HUB_CORRUPT, "a block is missing, or is not the one that was certified");
    for (uint32_t n = 0; n < b.count && i + 1 < w->m.headers.n; n++)
        hub_merkle_append(edge, &b.records[n].leaf, NULL, NULL);
    hub_merkle_root(&root, edge);
    if (b.header.flags || !hub_hash_equal(&root, &b.header.log_root))
        return say(w, HUB_CORRUPT, "the log does not give the root of the header at height %llu",
                   (unsigned long long)b.header.height);
    return p->put_block && p->put_block(p->store, &b.header, &b.hash, bytes)
               ? say(w, HUB_IO, "%s", hub_store_why(p->store))
               : HUB_OK;
}

/* Lowest first: from the snapshot's own block up to the certified one. */
static enum hub_status take_blocks(struct work *w, struct hub_store *to, struct hub_edge *edge)
{
    struct hub_ports p = {0};
    *edge = w->m.edge;
    if (to)
        hub_store_ports(to, &p);
    for (uint32_t i = w->m.headers.n; i-- > 0;) {
        const enum hub_status status = take_block(w, i, &p, edge);
        if (status)
            return status;
    }
    return fgetc(w->file) == EOF ? HUB_OK
                                 : say(w, HUB_BAD_ENCODING, "bytes follow behind the last block");
}

/* ---- into a new store */

static enum hub_status put_links(struct work *w, struct hub_ports *p)
{
    struct hub_cbor c = hub_cbor_open(w->m.links);
    const uint32_t links = hub_cbor_array(&c, 0, HUB_BUNDLE_LINKS_MAX);
    enum hub_status status = HUB_OK;
    for (uint32_t i = 0; i < links && status == HUB_OK; i++)
        status = p->put_link(p->store, i + 1, hub_cbor_item(&c));
    return status;
}

static enum hub_status fill_store(struct work *w, struct hub_store *to, const struct hub_edge *edge)
{
    struct hub_ports p = {0};
    struct hub_history *h = hub_history_new();
    const struct hub_point tip = {w->certified.view, w->certified.height, w->certified_hash};
    hub_store_ports(to, &p);
    enum hub_status status = h ? put_links(w, &p) : HUB_IO;
    if (status == HUB_OK)
        status = p.put_certificate(to, &w->m.certificate, w->set.n);
    if (status == HUB_OK)
        status = hub_store_begin_at(to, &w->header, &tip, edge);
    if (status == HUB_OK) {
        hub_history_begin(h, &w->m.edge);
        status = hub_checkpoint_write(to, w->chain, h); /* commits all of it */
    }
    hub_history_free(h);
    return status ? say(w, status, "%s", hub_store_why(to)) : HUB_OK;
}

static void tell(struct hub_snapshot_facts *facts, const struct work *w)
{
    facts->height = w->header.height;
    facts->log_size = w->header.log_size;
    facts->time_ms = w->header.time_ms;
    facts->block = w->hash;
    facts->state_root = w->header.state_root;
}

static enum hub_status read_all(struct work *w, struct hub_store *to, struct hub_chain_memory *m,
                                struct hub_snapshot_facts *facts)
{
    uint8_t head[MAGIC_BYTES];
    struct hub_span manifest;
    struct hub_edge edge;
    if (fread(head, 1, sizeof head, w->file) != sizeof head ||
        memcmp(head, magic, sizeof head) != 0)
        return say(w, HUB_BAD_ENCODING, "this is no snapshot of a ledger");
    if (!get_string(w, w->manifest, MANIFEST_BYTES_MAX, &manifest) || !decode_manifest(w, manifest))
        return say(w, HUB_BAD_ENCODING, "the manifest is cut or not of the expected form");
    enum hub_status status = check_manifest(w);
    if (status == HUB_OK)
        status = take_rows(w, m, facts);
    if (status == HUB_OK)
        status = take_blocks(w, to, &edge);
    if (status == HUB_OK && to)
        status = fill_store(w, to, &edge);
    tell(facts, w);
    return status;
}

enum hub_status hub_snapshot_read(FILE *in, struct hub_store *to, struct hub_chain *c,
                                  struct hub_chain_memory *m, const struct hub_genesis *g,
                                  struct hub_snapshot_facts *facts, char why[HUB_WHY_BYTES])
{
    static struct work w; /* certificates and sets: too large for a stack */
    w = (struct work){.file = in, .chain = c, .genesis = g, .why = why};
    memset(facts, 0, sizeof *facts);
    if (!begin(&w) || hub_chain_init(c, g, m->state, m->caps, m->slots) != HUB_OK)
        return end(&w, say(&w, HUB_IO, "not enough memory"));
    return end(&w, read_all(&w, to, m, facts));
}

/* ---- out of a store */

/* Headers from the first certified block at or above the snapshot's down to it. */
static enum hub_status certify(struct work *w, const struct hub_reader *r, uint8_t *bytes,
                               size_t cap)
{
    struct hub_buf b = {bytes, 0, cap, false};
    struct hub_span up[HUB_BUNDLE_HEADERS_MAX];
    uint32_t n = 0;
    struct hub_header at = w->header;
    struct hub_hash hash = w->hash;
    for (; n < HUB_BUNDLE_HEADERS_MAX; n++) {
        const size_t start = b.len;
        hub_header_encode(&b, &at);
        up[n] = (struct hub_span){bytes + start, b.len - start};
        if (!at.flags && hub_read_final_certificate(r, &at, &hash, &w->m.certificate) == HUB_OK)
            break;
        if (at.flags || hub_read_header(r, at.height + 1, &at, &hash) != HUB_OK)
            return say(w, HUB_NOT_NOW,
                       "the checkpoint of height %llu ends an epoch, or is not certified by itself "
                       "yet: make the snapshot again after the next block",
                       (unsigned long long)w->header.height);
    }
    if (n == HUB_BUNDLE_HEADERS_MAX || b.full)
        return say(w, HUB_NOT_NOW, "the checkpoint lies too far below a certificate: try again");
    w->m.headers.n = n + 1;
    for (uint32_t i = 0; i <= n; i++)
        w->m.headers.bytes[i] = up[n - i];
    return HUB_OK;
}

static enum hub_status collect_links(struct work *w, const struct hub_reader *r, struct hub_buf *b)
{
    hub_put_array(b, w->chain->set.epoch);
    for (uint64_t e = 1; e <= w->chain->set.epoch; e++) {
        struct hub_span link;
        if (hub_read_link(r, e, &link))
            return say(w, HUB_CORRUPT, "the link to epoch %llu is damaged", (unsigned long long)e);
        hub_put_raw(b, link);
    }
    w->m.links = hub_span_of(b);
    return b->full ? say(w, HUB_LIMIT, "more epochs than a snapshot holds") : HUB_OK;
}

static enum hub_status write_all(struct work *w, const struct hub_reader *r,
                                 struct hub_snapshot_facts *facts)
{
    struct hub_hash root;
    hub_state_root(&w->chain->state, &root);
    if (!list_parts(w, facts))
        return say(w, HUB_LIMIT, "the state is larger than a snapshot holds");
    bool ok = fwrite(magic, 1, sizeof magic, w->file) == sizeof magic &&
              put_string(w, encode_manifest(w));
    for (uint32_t i = 0; i < w->m.parts && ok; i++) {
        uint32_t count;
        ok = put_string(
            w, fill_part(w, (unsigned)w->m.part[i].table, (uint32_t)w->m.part[i].first, &count));
    }
    for (uint32_t i = 0; i < w->m.headers.n && ok; i++) {
        struct hub_span block;
        if (hub_read_block(r, w->header.height + i, &block))
            return say(w, HUB_CORRUPT, "the block of height %llu is damaged on this disk",
                       (unsigned long long)(w->header.height + i));
        ok = put_string(w, block);
    }
    return ok && fflush(w->file) == 0 ? HUB_OK : say(w, HUB_IO, "the file cannot be written");
}

static enum hub_status write_from(struct work *w, struct hub_store *from,
                                  struct hub_snapshot_facts *facts)
{
    static uint8_t headers[HUB_BUNDLE_HEADERS_MAX * HUB_HEADER_BYTES_MAX];
    const struct hub_reader r = hub_store_reader(from);
    struct hub_buf links = {malloc(MANIFEST_BYTES_MAX / 2), 0, MANIFEST_BYTES_MAX / 2, false};
    w->header = w->chain->final_header;
    w->hash = w->chain->final_hash;
    w->set = w->chain->set;
    enum hub_status status = links.data ? certify(w, &r, headers, sizeof headers) : HUB_IO;
    if (status == HUB_OK)
        status = collect_links(w, &r, &links);
    if (status == HUB_OK)
        status = write_all(w, &r, facts);
    tell(facts, w);
    free(links.data);
    return status;
}

enum hub_status hub_snapshot_write(FILE *out, struct hub_store *from, struct hub_chain *c,
                                   struct hub_chain_memory *m, const struct hub_genesis *g,
                                   struct hub_snapshot_facts *facts, char why[HUB_WHY_BYTES])
{
    static struct work w;
    struct hub_checkpoint_report report;
    struct hub_history *h = hub_history_new();
    w = (struct work){.file = out, .chain = c, .genesis = g, .why = why};
    memset(facts, 0, sizeof *facts);
    if (!h || !begin(&w)) {
        hub_history_free(h);
        return end(&w, say(&w, HUB_IO, "not enough memory"));
    }
    enum hub_status status = hub_checkpoint_load(from, c, h, g, m, &report);
    hub_history_free(h);
    if (status == HUB_OK && !report.height)
        status = say(&w, report.damaged ? HUB_CORRUPT : HUB_NOT_FOUND, "%s",
                     report.damaged ? report.why
                                    : "the node has written no checkpoint yet: it does so when it "
                                      "has been idle for 2 s");
    else if (status)
        say(&w, status, "%s", report.why);
    if (status == HUB_OK)
        status = write_from(&w, from, facts);
    return end(&w, status);
}
