#include "node/snapshot_impl.h"

#include "hub/hash.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Tag 55799 [ "hubledger-snapshot", 1, .. */
const uint8_t hub_snapshot_magic[HUB_SNAPSHOT_MAGIC_BYTES] = {
    0xd9, 0xd9, 0xf7, 0x83, 0x72, 'h', 'u', 'b', 'l', 'e', 'd', 'g',
    'e',  'r',  '-',  's',  'n',  'a', 'p', 's', 'h', 'o', 't', 1};

enum hub_status hub_snapshot_say(const struct hub_snapshot_work *w, enum hub_status status,
                                 const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(w->why, HUB_WHY_BYTES, format, args);
    va_end(args);
    return status;
}

bool hub_snapshot_begin(struct hub_snapshot_work *w)
{
    w->manifest = malloc(MANIFEST_BYTES_MAX);
    w->part = malloc(PART_BYTES_MAX);
    w->block = malloc(HUB_BODY_BYTES_MAX);
    w->m.part = calloc(PARTS_MAX, sizeof *w->m.part);
    return w->manifest && w->part && w->block && w->m.part;
}

enum hub_status hub_snapshot_end(struct hub_snapshot_work *w, enum hub_status status)
{
    free(w->manifest);
    free(w->part);
    free(w->block);
    free(w->m.part);
    return status;
}

/* ---- the file: byte strings one behind the other */

/* A byte string of at most max bytes, its head the shortest. */
static bool get_string(struct hub_snapshot_work *w, uint8_t *out, size_t max,
                       struct hub_span *bytes)
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

static enum hub_status take_part(struct hub_snapshot_work *w, const struct hub_snapshot_part *p)
{
    struct hub_state *s = &w->chain->state;
    struct hub_span rows;
    struct hub_hash sha256;
    if (!get_string(w, w->part, PART_BYTES_MAX, &rows))
        return hub_snapshot_say(w, HUB_BAD_ENCODING,
                                "the file ends inside the rows of table %s, or is damaged",
                                hub_table_kinds[p->table].name);
    hub_hash_span(&sha256, rows);
    if (!hub_hash_equal(&sha256, &p->sha256))
        return hub_snapshot_say(w, HUB_CORRUPT,
                                "rows %llu and behind of table %s are not those of the manifest",
                                (unsigned long long)p->first, hub_table_kinds[p->table].name);
    struct hub_cbor c = hub_cbor_open(rows);
    for (uint64_t i = 0; i < p->count; i++) {
        const struct hub_span row = hub_cbor_bytes(&c, 1, HUB_ROW_BYTES_MAX);
        if (c.bad || !hub_state_row_new(s, (enum hub_table)p->table, row) ||
            hub_state_add(s, (enum hub_table)p->table, row) != p->first + i)
            return hub_snapshot_say(w, HUB_CORRUPT, "row %llu of table %s is not one",
                                    (unsigned long long)p->first + i,
                                    hub_table_kinds[p->table].name);
    }
    return hub_cbor_done(&c)
               ? HUB_OK
               : hub_snapshot_say(w, HUB_CORRUPT, "table %s: a part holds more than it says",
                                  hub_table_kinds[p->table].name);
}

/* ---- the manifest */

static void read_edge(struct hub_edge *out, struct hub_cbor *c, struct hub_hash node[64],
                      uint32_t *nodes)
{
    memset(out, 0, sizeof *out);
    *nodes = hub_cbor_array(c, 0, 64);
    for (uint32_t i = 0; i < *nodes; i++)
        hub_cbor_hash(c, &node[i]);
}

static void read_tables(struct hub_snapshot_manifest *m, struct hub_cbor *c)
{
    m->parts = hub_cbor_array(c, 0, PARTS_MAX);
    for (uint32_t i = 0; i < m->parts; i++) {
        struct hub_snapshot_part *p = &m->part[i];
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
        m->row_count[t] = (uint32_t)hub_cbor_uint(c, 0, hub_table_kinds[t].rows_max);
        hub_cbor_hash(c, &m->table_root[t]);
    }
}

static bool decode_manifest(struct hub_snapshot_work *w, struct hub_span bytes)
{
    struct hub_snapshot_manifest *m = &w->m;
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
    hub_cbor_uint(&c, HUB_SNAPSHOT_VERSION, HUB_SNAPSHOT_VERSION);
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

/* Headers above a SEAL are of TAILs upon it, which nobody keeps: the SEAL is then the highest block. */
static bool find_top(struct hub_snapshot_work *w)
{
    w->top = 0;
    w->sealed = false;
    for (uint32_t i = 0; i < w->m.headers.n; i++) {
        struct hub_header h = {.version = 0};
        if (!hub_header_decode(&h, w->m.headers.bytes[i]) || (w->sealed && h.flags) ||
            h.flags == HUB_FLAG_RECOVERY) /* no link binds its hash: nobody begins at or below it */
            return false;
        if (h.flags == HUB_FLAG_SEAL) {
            w->sealed = true;
            w->top = i;
        }
        if (i == w->top) {
            w->top_header = h;
            hub_header_hash(&w->top_hash, w->m.headers.bytes[i]);
        }
    }
    for (uint32_t i = 0; i < w->top; i++) { /* a TAIL without its SEAL is found by the line below */
        struct hub_header h = {.version = 0};
        if (!hub_header_decode(&h, w->m.headers.bytes[i]) || h.flags != HUB_FLAG_TAIL)
            return false;
    }
    return w->sealed || !w->top_header.flags;
}

/* From genesis over the links to the set that certified; if it sealed its epoch, the last link leads out of that. */
static enum hub_status walk_links(struct hub_snapshot_work *w)
{
    static struct hub_link l; /* two certificates and their sets: too large for a stack */
    static struct hub_link_facts facts;
    struct hub_cbor c = hub_cbor_open(w->m.links);
    const uint32_t links = hub_cbor_array(&c, w->sealed, HUB_BUNDLE_LINKS_MAX);
    const char *what = "links: not of the expected form";
    w->set = w->genesis->set;
    for (uint32_t i = 0; i < links; i++) {
        hub_link_read(&l, &c);
        if (c.bad ||
            hub_link_check(&facts, &what, &l, &w->set, &w->genesis->accepted) != HUB_VERDICT_OK)
            return hub_snapshot_say(w, HUB_CORRUPT, "%s", what);
        if (w->sealed && i + 1 == links)
            w->next = facts.next;
        else
            w->set = facts.next;
    }
    if (!hub_cbor_done(&c) || (w->sealed && !hub_hash_equal(&facts.seal_hash, &w->top_hash)))
        return hub_snapshot_say(w, HUB_CORRUPT, "%s",
                                "links: the last does not belong to the seal");
    return HUB_OK;
}

/* Before a row is taken: the tables are those of the certified header, and the parts are their rows, each once. */
static bool tables_proven(const struct hub_snapshot_work *w)
{
    const struct hub_snapshot_manifest *m = &w->m;
    uint64_t rows[HUB_TABLES] = {0};
    struct hub_hash root;
    for (uint32_t i = 0; i < m->parts; i++) {
        if (m->part[i].first != rows[m->part[i].table])
            return false;
        rows[m->part[i].table] += m->part[i].count;
    }
    for (unsigned t = 0; t < HUB_TABLES; t++)
        if (rows[t] != m->row_count[t])
            return false;
    hub_state_root_of(&root, m->row_count, m->table_root);
    return hub_hash_equal(&root, &w->header.state_root);
}

static enum hub_status check_manifest(struct hub_snapshot_work *w)
{
    struct hub_hash log_root;
    const char *what = "";
    if (!hub_hash_equal(&w->m.chain, &w->genesis->chain))
        return hub_snapshot_say(w, HUB_CONFLICT,
                                "the snapshot is of another network than the genesis file");
    if (hub_headers_check(&w->m.headers, &w->m.chain, &w->certified, &w->certified_hash, &w->header,
                          &w->hash, &what) != HUB_VERDICT_OK)
        return hub_snapshot_say(w, HUB_CORRUPT, "%s", what);
    hub_merkle_root(&log_root, &w->m.edge);
    if (!w->header.height || !hub_hash_equal(&log_root, &w->header.log_root) || !find_top(w))
        return hub_snapshot_say(w, HUB_CORRUPT,
                                "headers: they do not lead from a block with this log to what "
                                "certifies it");
    if (!tables_proven(w))
        return hub_snapshot_say(w, HUB_CORRUPT,
                                "the tables of the manifest are not those of the certified header");
    const enum hub_status status = walk_links(w);
    if (status)
        return status;
    if (!hub_certificate_covers(&w->m.certificate, &w->certified, &w->certified_hash, &w->set) ||
        !hub_certificate_ok(&w->m.certificate, &w->set))
        return hub_snapshot_say(
            w, HUB_CORRUPT,
            "the certificate is not that of a quorum over the first header: nothing proves "
            "this snapshot");
    return HUB_OK;
}

static enum hub_status take_rows(struct hub_snapshot_work *w, struct hub_chain_memory *m,
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
            return hub_snapshot_say(w, HUB_CORRUPT,
                                    "the rows of table %s do not give the root of the manifest",
                                    hub_table_kinds[t].name);
    const struct hub_validators *set = w->header.flags == HUB_FLAG_SEAL ? &w->next : &w->set;
    return hub_chain_resume(w->chain, &w->header, &w->hash, &w->m.edge, set)
               ? hub_snapshot_say(w, HUB_CORRUPT,
                                  "rows or log do not give the roots of the certified header")
               : HUB_OK;
}

/* ---- blocks */

/* One block, of which the manifest has the header. edge: of the log before it, and then behind it. */
static enum hub_status take_block(struct hub_snapshot_work *w, uint32_t i, struct hub_ports *p,
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
        return hub_snapshot_say(w, HUB_CORRUPT,
                                "a block is missing, or is not the one that was certified");
    for (uint32_t n = 0; n < b.count && i + 1 < w->m.headers.n; n++)
        hub_merkle_append(edge, &b.records[n].leaf, NULL, NULL);
    hub_merkle_root(&root, edge);
    if (!hub_hash_equal(&root, &b.header.log_root))
        return hub_snapshot_say(w, HUB_CORRUPT,
                                "the log does not give the root of the header at height %llu",
                                (unsigned long long)b.header.height);
    return p->put_block && p->put_block(p->store, &b.header, &b.hash, bytes)
               ? hub_snapshot_say(w, HUB_IO, "%s", hub_store_why(p->store))
               : HUB_OK;
}

/* Lowest first: from the snapshot's own block up to the certified one, or to the one that seals. */
static enum hub_status take_blocks(struct hub_snapshot_work *w, struct hub_store *to,
                                   struct hub_edge *edge)
{
    struct hub_ports p = {0};
    *edge = w->m.edge;
    if (to)
        hub_store_ports(to, &p);
    for (uint32_t i = w->m.headers.n; i-- > w->top;) {
        const enum hub_status status = take_block(w, i, &p, edge);
        if (status)
            return status;
    }
    return fgetc(w->file) == EOF
               ? HUB_OK
               : hub_snapshot_say(w, HUB_BAD_ENCODING, "bytes follow behind the last block");
}

/* ---- into a new store */

static enum hub_status put_links(struct hub_snapshot_work *w, struct hub_ports *p)
{
    struct hub_cbor c = hub_cbor_open(w->m.links);
    const uint32_t links = hub_cbor_array(&c, 0, HUB_BUNDLE_LINKS_MAX);
    enum hub_status status = HUB_OK;
    for (uint32_t i = 0; i < links && status == HUB_OK; i++)
        status = p->put_link(p->store, i + 1, hub_cbor_item(&c));
    return status;
}

static enum hub_status fill_store(struct hub_snapshot_work *w, struct hub_store *to,
                                  const struct hub_edge *edge)
{
    struct hub_ports p = {0};
    struct hub_history *h = hub_history_new();
    const struct hub_point tip = {w->top_header.view, w->top_header.height, w->top_hash};
    hub_store_ports(to, &p);
    enum hub_status status = h ? put_links(w, &p) : HUB_IO;
    if (status == HUB_OK && !w->sealed) /* of a SEAL the link is kept */
        status = p.put_certificate(to, &w->m.certificate, w->set.n);
    if (status == HUB_OK)
        status = hub_store_begin_at(to, &w->header, &tip, edge);
    if (status == HUB_OK) {
        hub_history_begin(h, &w->m.edge);
        status = hub_checkpoint_write(to, w->chain, h); /* commits all of it */
    }
    hub_history_free(h);
    return status ? hub_snapshot_say(w, status, "%s", hub_store_why(to)) : HUB_OK;
}

void hub_snapshot_facts_of(struct hub_snapshot_facts *facts, const struct hub_snapshot_work *w)
{
    facts->height = w->header.height;
    facts->log_size = w->header.log_size;
    facts->time_ms = w->header.time_ms;
    facts->block = w->hash;
    facts->state_root = w->header.state_root;
}

/* Magic and manifest, whole and proven. HUB_NOT_NOW: the file ends before the manifest does. */
static enum hub_status read_head(struct hub_snapshot_work *w, struct hub_span *manifest)
{
    uint8_t head[HUB_SNAPSHOT_MAGIC_BYTES];
    const size_t got = fread(head, 1, sizeof head, w->file);
    if (memcmp(head, hub_snapshot_magic, got) != 0)
        return hub_snapshot_say(w, HUB_BAD_ENCODING, "this is no snapshot of a ledger");
    if (got < sizeof head || !get_string(w, w->manifest, MANIFEST_BYTES_MAX, manifest))
        return feof(w->file)
                   ? hub_snapshot_say(w, HUB_NOT_NOW, "the manifest is cut")
                   : hub_snapshot_say(w, HUB_BAD_ENCODING, "the manifest is too long or damaged");
    if (!decode_manifest(w, *manifest))
        return hub_snapshot_say(w, HUB_BAD_ENCODING, "the manifest is not of the expected form");
    return check_manifest(w);
}

static enum hub_status read_all(struct hub_snapshot_work *w, struct hub_store *to,
                                struct hub_chain_memory *m, struct hub_snapshot_facts *facts)
{
    struct hub_span manifest;
    struct hub_edge edge;
    enum hub_status status = read_head(w, &manifest);
    if (status == HUB_OK)
        status = take_rows(w, m, facts);
    if (status == HUB_OK)
        status = take_blocks(w, to, &edge);
    if (status == HUB_OK && to)
        status = fill_store(w, to, &edge);
    hub_snapshot_facts_of(facts, w);
    return status;
}

enum hub_status hub_snapshot_read(FILE *in, struct hub_store *to, struct hub_chain *c,
                                  struct hub_chain_memory *m, const struct hub_genesis *g,
                                  struct hub_snapshot_facts *facts, char why[HUB_WHY_BYTES])
{
    static struct hub_snapshot_work w; /* certificates and sets: too large for a stack */
    w = (struct hub_snapshot_work){.file = in, .chain = c, .genesis = g, .why = why};
    memset(facts, 0, sizeof *facts);
    if (!hub_snapshot_begin(&w) || hub_chain_init(c, g, m->state, m->caps, m->slots) != HUB_OK)
        return hub_snapshot_end(&w, hub_snapshot_say(&w, HUB_IO, "not enough memory"));
    return hub_snapshot_end(&w, read_all(&w, to, m, facts));
}

enum hub_status hub_snapshot_head(FILE *in, const struct hub_genesis *g, struct hub_hash *id,
                                  uint64_t *height, char why[HUB_WHY_BYTES])
{
    static struct hub_snapshot_work w;
    struct hub_span manifest = {0};
    w = (struct hub_snapshot_work){.file = in, .genesis = g, .why = why};
    rewind(in);
    if (!hub_snapshot_begin(&w))
        return hub_snapshot_end(&w, hub_snapshot_say(&w, HUB_IO, "not enough memory"));
    const enum hub_status status = read_head(&w, &manifest);
    if (status == HUB_OK) {
        hub_hash_span(id, manifest);
        *height = w.header.height;
    }
    return hub_snapshot_end(&w, status);
}
