/* history_find.c: questions, answered from the memory of the history first and from the checkpoint else. */
#include "node/history_impl.h"
#include "node/store.h"

#include <string.h>

/* ---- parts of blocks and results */
enum hub_status hub_block_entry(struct hub_span *record, struct hub_span *attachment,
                                struct hub_span block, uint32_t position)
{
    struct hub_cbor c = hub_cbor_open(block);
    hub_cbor_array(&c, 2, 2);
    hub_cbor_bytes(&c, 0, HUB_HEADER_BYTES_MAX);
    uint32_t count = hub_cbor_array(&c, 0, HUB_BLOCK_RECORDS_MAX);
    if (c.bad)
        return HUB_CORRUPT;
    if (position >= count)
        return HUB_NOT_FOUND;
    for (uint32_t i = 0; i < position; i++)
        hub_cbor_item(&c);
    hub_cbor_array(&c, 2, 2);
    struct hub_span found = hub_cbor_bytes(&c, 1, HUB_RECORD_BYTES_MAX);
    struct hub_span beside = hub_cbor_bytes(&c, 0, HUB_ATTACHMENT_BYTES_MAX);
    if (c.bad)
        return HUB_CORRUPT;
    *record = found;
    *attachment = beside;
    return HUB_OK;
}

enum hub_status hub_result_at(struct hub_span *item, struct hub_span results, uint32_t position)
{
    struct hub_cbor c = hub_cbor_open(results);
    for (uint32_t i = 0; i < position && hub_cbor_peek(&c) != HUB_CBOR_END; i++)
        hub_cbor_item(&c);
    if (hub_cbor_peek(&c) == HUB_CBOR_END)
        return c.bad ? HUB_CORRUPT : HUB_NOT_FOUND;
    struct hub_span found = hub_cbor_item(&c);
    if (c.bad)
        return HUB_CORRUPT;
    *item = found;
    return HUB_OK;
}

/* ---- leaves */
static bool leaf_in_memory(const struct hub_history *h, uint64_t log_index, struct hub_place *out)
{
    if (!h || log_index < h->first_leaf || log_index >= h->first_leaf + h->records)
        return false;
    uint32_t low = 0, high = h->blocks - 1; /* the first block whose log is longer than log_index */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (h->block[middle].log_size > log_index)
            high = middle;
        else
            low = middle + 1;
    }
    uint64_t before = low == 0 ? h->first_leaf : h->block[low - 1].log_size;
    *out = (struct hub_place){log_index, h->block[low].height, (uint32_t)(log_index - before)};
    return true;
}

enum hub_status hub_find_leaf(const struct hub_reader *r, const struct hub_history *h,
                              uint64_t log_index, struct hub_place *out)
{
    struct hub_point tip;
    struct hub_edge edge;
    if (leaf_in_memory(h, log_index, out))
        return HUB_OK;
    enum hub_status status = hub_read_tip(r, &tip, &edge);
    if (status || log_index >= edge.size)
        return status ? status : HUB_NOT_FOUND;
    struct hub_floor floor;
    status = hub_read_floor(r, &floor);
    if (status || log_index < floor.log_size)
        return status ? status : HUB_NOT_FOUND;
    uint64_t low = floor.height + 1, high = tip.height;
    struct hub_header header;
    struct hub_hash hash;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        status = hub_read_header(r, middle, &header, &hash);
        if (status)
            return status == HUB_NOT_FOUND ? HUB_CORRUPT : status;
        if (header.log_size > log_index)
            high = middle;
        else
            low = middle + 1;
    }
    status = hub_read_header(r, low, &header, &hash);
    if (status)
        return status == HUB_NOT_FOUND ? HUB_CORRUPT : status;
    if (header.log_size <= log_index || header.log_size < header.record_count)
        return HUB_CORRUPT;
    uint64_t first = header.log_size - header.record_count;
    if (log_index < first) /* below the first block: the leaves of genesis */
        return low == 1 ? HUB_NOT_FOUND : HUB_CORRUPT;
    *out = (struct hub_place){log_index, low, (uint32_t)(log_index - first)};
    return HUB_OK;
}

/* ---- results */
static const struct hub_history_block *block_in_memory(const struct hub_history *h, uint64_t height)
{
    uint32_t low = 0, high = h ? h->blocks : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (h->block[middle].height == height)
            return &h->block[middle];
        if (h->block[middle].height > height)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

enum hub_status hub_find_results(const struct hub_reader *r, const struct hub_history *h,
                                 uint64_t height, struct hub_span *out)
{
    const struct hub_history_block *b = block_in_memory(h, height);
    if (b) {
        HUB_ASSERT(h != NULL); /* b is one of its blocks */
        *out = (struct hub_span){h->results + b->results_at, b->results_len};
        return HUB_OK;
    }
    uint8_t key[8];
    hub_put_be64(key, height);
    enum hub_status status =
        hub_env_get(r, HUB_MAP_RESULT, (struct hub_span){key, sizeof key}, out);
    if (status == HUB_NOT_FOUND)
        *out = (struct hub_span){NULL, 0};
    return status == HUB_NOT_FOUND ? HUB_OK : status;
}

/* ---- records by id */
static bool id_in_memory(const struct hub_history *h, const struct hub_hash *id,
                         struct hub_place *out)
{
    if (!h)
        return false;
    for (uint32_t at = hub_history_slot(id); h->slot[at]; at = (at + 1) % HUB_HISTORY_SLOTS)
        if (hub_hash_equal(&h->id[h->slot[at] - 1], id))
            return leaf_in_memory(h, h->first_leaf + h->slot[at] - 1, out);
    return false;
}

/* The index holds part of the id: the result of that leaf names all of it. */
static enum hub_status check_id(const struct hub_reader *r, const struct hub_hash *id,
                                uint64_t log_index, struct hub_place *out)
{
    struct hub_span results, item;
    struct hub_place place;
    struct hub_hash found;
    enum hub_status status = hub_find_leaf(r, NULL, log_index, &place);
    if (status == HUB_OK)
        status = hub_find_results(r, NULL, place.height, &results);
    if (status == HUB_OK)
        status = hub_result_at(&item, results, place.position);
    if (status)
        return status == HUB_NOT_FOUND ? HUB_CORRUPT : status;
    struct hub_cbor c = hub_cbor_open(item);
    hub_cbor_array(&c, 3, 3);
    hub_cbor_hash(&c, &found);
    if (c.bad)
        return HUB_CORRUPT;
    if (!hub_hash_equal(&found, id))
        return HUB_NOT_FOUND;
    *out = place;
    return HUB_OK;
}

static enum hub_status id_in_group(const struct hub_reader *r, const struct hub_hash *id,
                                   uint64_t group, struct hub_place *out)
{
    uint8_t key[HUB_RECORD_KEY_BYTES], list[HUB_RECORD_LIST_MAX * 8];
    struct hub_span value;
    hub_record_key(key, group << 16, id);
    enum hub_status status =
        hub_env_get(r, HUB_MAP_RECORD, (struct hub_span){key, sizeof key}, &value);
    if (status)
        return status;
    if (value.len > sizeof list || value.len % 8 != 0)
        return HUB_CORRUPT;
    size_t len = value.len;
    memcpy(list, value.data, len); /* the next read may move it */
    status = HUB_NOT_FOUND;
    for (size_t at = 0; at < len && status == HUB_NOT_FOUND; at += 8)
        status = check_id(r, id, hub_get_be64(list + at), out);
    return status;
}

enum hub_status hub_find_record(const struct hub_reader *r, const struct hub_history *h,
                                const struct hub_hash *id, struct hub_place *out)
{
    struct hub_point tip;
    struct hub_edge edge;
    enum hub_status status = hub_read_tip(r, &tip, &edge);
    if (status && status != HUB_NOT_FOUND)
        return status;
    uint64_t groups = status ? 0 : (edge.size >> 16) + 1;
    for (uint64_t group = 0; group < groups;
         group++) { /* oldest first: a later equal id is a replay */
        status = id_in_group(r, id, group, out);
        if (status != HUB_NOT_FOUND)
            return status;
    }
    return id_in_memory(h, id, out) ? HUB_OK : HUB_NOT_FOUND;
}

/* ---- the log's tree */
struct nodes {
    const struct hub_reader *r;
    const struct hub_history *h;
    enum hub_status status;
};

static bool get_node(void *ctx, unsigned level, uint64_t index, struct hub_hash *node)
{
    struct nodes *n = ctx;
    const struct hub_history_level *l = n->h && level < 64 ? &n->h->level[level] : NULL;
    if (l && index >= l->first && index - l->first < l->count) {
        *node = l->node[index - l->first];
        return true;
    }
    uint8_t key[HUB_NODE_KEY_BYTES];
    struct hub_span page;
    hub_node_key(key, level, index / HUB_NODE_PAGE);
    n->status = hub_env_get(n->r, HUB_MAP_NODE, (struct hub_span){key, sizeof key}, &page);
    size_t at = (size_t)(index % HUB_NODE_PAGE) * sizeof node->b;
    if (n->status || page.len < at + sizeof node->b)
        return false;
    memcpy(node->b, page.data + at, sizeof node->b);
    return true;
}

enum hub_status hub_log_inclusion(const struct hub_reader *r, const struct hub_history *h,
                                  struct hub_hash path[64], unsigned *len, uint64_t index,
                                  uint64_t size)
{
    struct nodes n = {r, h, HUB_OK};
    struct hub_floor floor;
    if (hub_read_floor(r, &floor) || index >= size || index < floor.log_size)
        return HUB_NOT_FOUND;
    enum hub_status status = hub_merkle_inclusion(path, len, index, size, get_node, &n);
    return n.status && n.status != HUB_NOT_FOUND ? n.status : status;
}

enum hub_status hub_log_consistency(const struct hub_reader *r, const struct hub_history *h,
                                    struct hub_hash path[64], unsigned *len, uint64_t size1,
                                    uint64_t size2)
{
    struct nodes n = {r, h, HUB_OK};
    struct hub_floor floor;
    if (hub_read_floor(r, &floor) || size1 == 0 || size1 > size2 || size1 < floor.log_size)
        return HUB_NOT_FOUND;
    enum hub_status status = hub_merkle_consistency(path, len, size1, size2, get_node, &n);
    return n.status && n.status != HUB_NOT_FOUND ? n.status : status;
}
