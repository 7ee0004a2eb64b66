/* history.c: keeping what each final block adds, and writing it out. history_find.c answers from it. */
#include "node/history_impl.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROW_WRITE_BYTES = 12 + HUB_WALLET_ROW_BYTES, /* of undo log, for the commonest row (state.c) */
    RECORD_KEY_SHIFT = 16 /* log indexes that share the head of a key: inserts touch one subtree */
};

/* ---- memory: address space for the maximum, touched as it is used */
static bool reserve(struct hub_history *h)
{
    h->block = malloc(HUB_HISTORY_BLOCKS_MAX * sizeof *h->block);
    h->id = malloc(HUB_HISTORY_RECORDS_MAX * sizeof *h->id);
    h->slot = calloc(HUB_HISTORY_SLOTS, sizeof *h->slot);
    h->results = malloc(HUB_HISTORY_RESULT_BYTES_MAX);
    bool whole = h->block && h->id && h->slot && h->results;
    for (unsigned level = 0; level < 64; level++) {
        struct hub_history_level *l = &h->level[level];
        l->cap = 2u * HUB_NODE_PAGE + (level < 32 ? (uint32_t)HUB_HISTORY_RECORDS_MAX >> level : 0);
        l->node = malloc(l->cap * sizeof *l->node);
        whole = whole && l->node;
    }
    return whole;
}

struct hub_history *hub_history_new(void)
{
    struct hub_history *h = calloc(1, sizeof *h);
    if (h && !reserve(h)) {
        hub_history_free(h);
        return NULL;
    }
    return h;
}

void hub_history_free(struct hub_history *h)
{
    if (!h)
        return;
    for (unsigned level = 0; level < 64; level++)
        free(h->level[level].node);
    free(h->block);
    free(h->id);
    free(h->slot);
    free(h->results);
    free(h);
}

/* ---- keeping */
static void keep_node(void *ctx, unsigned level, uint64_t index, const struct hub_hash *node)
{
    struct hub_history *h = ctx;
    struct hub_history_level *l = &h->level[level];
    HUB_ASSERT(index == l->first + l->count && l->count < l->cap);
    l->node[l->count++] = *node;
}

/* A record may be in the log once, but its id twice (other signature bytes, refused effect): the first stays. */
static void keep_id(struct hub_history *h, const struct hub_hash *id)
{
    HUB_ASSERT(h->records < HUB_HISTORY_RECORDS_MAX);
    uint32_t at = hub_history_slot(id);
    while (h->slot[at] && !hub_hash_equal(&h->id[h->slot[at] - 1], id))
        at = (at + 1) % HUB_HISTORY_SLOTS;
    h->id[h->records++] = *id;
    if (!h->slot[at])
        h->slot[at] = h->records;
}

void hub_history_genesis(struct hub_history *h, const struct hub_genesis *g)
{
    struct hub_hash leaf;
    hub_history_clear(h, 0);
    h->whole = true;
    memset(&h->edge, 0, sizeof h->edge);
    hub_merkle_leaf(&leaf, g->bytes);
    hub_merkle_append(&h->edge, &leaf, keep_node, h);
    hub_merkle_leaf(&leaf, g->parameters);
    hub_merkle_append(&h->edge, &leaf, keep_node, h);
    h->first_leaf = h->edge.size;
}

/* Paths of later leaves need of what is older only the edge; the rest of its pages stays zero and is never served. */
void hub_history_begin(struct hub_history *h, const struct hub_edge *edge)
{
    hub_history_clear(h, edge->size);
    h->edge = *edge;
    h->whole = false;
    for (unsigned level = 0; level < 64; level++) {
        struct hub_history_level *l = &h->level[level];
        l->count = (uint32_t)((edge->size >> level) % HUB_NODE_PAGE);
        memset(l->node, 0, l->count * sizeof *l->node);
        if (edge->size >> level & 1)
            l->node[l->count - 1] = edge->node[level];
    }
}

void hub_history_add(struct hub_history *h, const struct hub_applied *final, struct hub_span block)
{
    const struct hub_header *header = &final->header;
    struct hub_cbor entries = hub_cbor_open(block),
                    results = hub_cbor_open(hub_span_of(&final->results));
    HUB_ASSERT(h->blocks < HUB_HISTORY_BLOCKS_MAX &&
               final->results.len <= HUB_HISTORY_RESULT_BYTES_MAX - h->results_len);
    hub_cbor_array(&entries, 2, 2);
    hub_cbor_bytes(&entries, 0, HUB_HEADER_BYTES_MAX);
    uint32_t count = hub_cbor_array(&entries, 1, HUB_BLOCK_RECORDS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct hub_hash leaf, id;
        hub_cbor_array(&entries, 2, 2);
        hub_merkle_leaf(&leaf, hub_cbor_bytes(&entries, 1, HUB_RECORD_BYTES_MAX));
        hub_cbor_bytes(&entries, 0, HUB_ATTACHMENT_BYTES_MAX);
        hub_merkle_append(&h->edge, &leaf, keep_node, h);
        struct hub_cbor result = hub_cbor_open(hub_cbor_item(&results));
        hub_cbor_array(&result, 3, 3);
        hub_cbor_hash(&result, &id);
        keep_id(h, &id);
        HUB_ASSERT(!result.bad);
    }
    HUB_ASSERT(hub_cbor_done(&entries) && hub_cbor_done(&results) &&
               h->edge.size == header->log_size);
    h->block[h->blocks++] = (struct hub_history_block){header->height, header->log_size,
                                                       h->results_len, final->results.len};
    memcpy(h->results + h->results_len, final->results.data, final->results.len);
    h->results_len += final->results.len;
    h->size.blocks++;
    h->size.block_bytes += block.len;
    h->size.held_bytes += block.len;
    h->size.row_writes += final->undo.len / ROW_WRITE_BYTES;
}

struct hub_history_size hub_history_size(const struct hub_history *h)
{
    struct hub_history_size size = h->size;
    size.held_blocks = h->blocks;
    size.held_records = h->records;
    return size;
}

const struct hub_edge *hub_history_edge(const struct hub_history *h)
{
    return &h->edge;
}

bool hub_history_whole(const struct hub_history *h)
{
    return h->whole;
}

/* ---- to and from the checkpoint */
void hub_node_key(uint8_t key[HUB_NODE_KEY_BYTES], unsigned level, uint64_t page)
{
    key[0] = (uint8_t)level;
    hub_put_be64(key + 1, page);
}

void hub_record_key(uint8_t key[HUB_RECORD_KEY_BYTES], uint64_t log_index,
                    const struct hub_hash *id)
{
    hub_put_be32(key, (uint32_t)(log_index >> RECORD_KEY_SHIFT));
    memcpy(key + 4, id->b, 8);
}

static enum hub_status save_level(const struct hub_history *h, struct hub_env *env, unsigned level)
{
    const struct hub_history_level *l = &h->level[level];
    HUB_ASSERT(l->first % HUB_NODE_PAGE == 0);
    for (uint32_t at = 0; at < l->count; at += HUB_NODE_PAGE) {
        uint32_t n = l->count - at < HUB_NODE_PAGE ? l->count - at : HUB_NODE_PAGE;
        uint8_t key[HUB_NODE_KEY_BYTES];
        hub_node_key(key, level, (l->first + at) / HUB_NODE_PAGE);
        enum hub_status status = hub_env_put(env, HUB_MAP_NODE, (struct hub_span){key, sizeof key},
                                             (struct hub_span){l->node[at].b, n * sizeof *l->node});
        if (status)
            return status;
    }
    return HUB_OK;
}

/* Eight bytes of an id can be made to collide: the value lists every log index of its key. Most keys are new. */
static enum hub_status save_id(const struct hub_history *h, struct hub_env *env, uint32_t i)
{
    uint8_t key[HUB_RECORD_KEY_BYTES], list[HUB_RECORD_LIST_MAX * 8];
    struct hub_span held;
    hub_record_key(key, h->first_leaf + i, &h->id[i]);
    hub_put_be64(list, h->first_leaf + i);
    enum hub_status status = hub_env_add(env, HUB_MAP_RECORD, (struct hub_span){key, sizeof key},
                                         (struct hub_span){list, 8}, &held);
    if (status == HUB_CORRUPT) /* damaged: made anew from the blocks, which are all replayed then */
        return hub_env_put(env, HUB_MAP_RECORD, (struct hub_span){key, sizeof key},
                           (struct hub_span){list, 8});
    if (status != HUB_CONFLICT)
        return status;
    if (held.len > sizeof list - 8)
        return HUB_OK; /* 64 records ground to one key: whoever did so is not found by it */
    for (size_t at = 0; at + 8 <= held.len; at += 8)
        if (hub_get_be64(held.data + at) == h->first_leaf + i)
            return HUB_OK; /* saved before the restart */
    memcpy(list, held.data, held.len);
    hub_put_be64(list + held.len, h->first_leaf + i);
    return hub_env_put(env, HUB_MAP_RECORD, (struct hub_span){key, sizeof key},
                       (struct hub_span){list, held.len + 8});
}

static enum hub_status save_results(const struct hub_history *h, struct hub_env *env,
                                    const struct hub_history_block *b)
{
    uint8_t key[8];
    hub_put_be64(key, b->height);
    return hub_env_put(env, HUB_MAP_RESULT, (struct hub_span){key, sizeof key},
                       (struct hub_span){h->results + b->results_at, b->results_len});
}

enum hub_status hub_history_save(const struct hub_history *h, struct hub_env *env)
{
    enum hub_status status = HUB_OK;
    for (unsigned level = 0; level < 64 && status == HUB_OK; level++)
        status = save_level(h, env, level);
    for (uint32_t i = 0; i < h->records && status == HUB_OK; i++)
        status = save_id(h, env, i);
    for (uint32_t i = 0; i < h->blocks && status == HUB_OK; i++)
        status = save_results(h, env, &h->block[i]);
    return status;
}

void hub_history_clear(struct hub_history *h, uint64_t log_size)
{
    if (h->records)
        memset(h->slot, 0, HUB_HISTORY_SLOTS * sizeof *h->slot);
    h->blocks = h->records = 0;
    h->results_len = h->size.held_bytes = 0;
    h->first_leaf = log_size;
    for (unsigned level = 0; level < 64; level++) {
        h->level[level].first = (log_size >> level) / HUB_NODE_PAGE * HUB_NODE_PAGE;
        h->level[level].count = 0;
    }
}

void hub_history_saved(struct hub_history *h, bool checkpoint)
{
    if (checkpoint) {
        memset(&h->size, 0, sizeof h->size);
        h->whole = false;
    }
    struct hub_hash tail[HUB_NODE_PAGE];
    uint32_t left[64];
    for (unsigned level = 0; level < 64;
         level++) { /* the last page moves to the front of its array */
        struct hub_history_level *l = &h->level[level];
        left[level] = l->count % HUB_NODE_PAGE;
        memcpy(tail, l->node + l->count - left[level], left[level] * sizeof *tail);
        memcpy(l->node, tail, left[level] * sizeof *tail);
    }
    hub_history_clear(h, h->edge.size);
    for (unsigned level = 0; level < 64; level++)
        h->level[level].count = left[level];
}

enum hub_status hub_history_resume(struct hub_history *h, const struct hub_reader *r,
                                   const struct hub_edge *edge)
{
    hub_history_clear(h, edge->size);
    h->edge = *edge;
    h->whole = false;
    for (unsigned level = 0; level < 64; level++) {
        struct hub_history_level *l = &h->level[level];
        uint32_t tail = (uint32_t)((edge->size >> level) % HUB_NODE_PAGE);
        uint8_t key[HUB_NODE_KEY_BYTES];
        struct hub_span page;
        if (tail == 0)
            continue;
        hub_node_key(key, level, l->first / HUB_NODE_PAGE);
        enum hub_status status =
            hub_env_get(r, HUB_MAP_NODE, (struct hub_span){key, sizeof key}, &page);
        if (status || page.len < tail * sizeof *l->node) /* longer: saved ahead of the checkpoint */
            return status == HUB_IO ? HUB_IO : HUB_CORRUPT;
        memcpy(l->node, page.data, tail * sizeof *l->node);
        l->count = tail;
    }
    return HUB_OK;
}
