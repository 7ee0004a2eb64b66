#include "node/store_impl.h"

#include "node/log.h"

#include <stdarg.h>
#include <stdio.h>

enum { TIP_BYTES_MAX = 64 * 32 + 128 };

enum hub_status hub_store_explain(char why[HUB_WHY_BYTES], enum hub_status status,
                                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, HUB_WHY_BYTES, format, args);
    va_end(args);
    return status;
}

void hub_store_view_key(uint8_t key[HUB_VIEW_KEY_BYTES], uint64_t epoch, uint64_t view,
                        uint8_t kind)
{
    hub_put_be64(key, epoch);
    hub_put_be64(key + 8, view);
    key[16] = kind;
}

const char *hub_store_why(const struct hub_store *s)
{
    return s->why[0] ? s->why : hub_env_why(s->env);
}

enum hub_status hub_store_lost(enum hub_status status, const char *what,
                               const struct hub_hash *hash, uint64_t place)
{
    char digits[17] = "";
    if (status != HUB_CORRUPT)
        return status;
    HUB_LOG(WARNING, "store_damaged", HUB_LOG_TEXT("what", what),
            HUB_LOG_TEXT("hash", hash ? hub_log_hash(digits, hash) : ""),
            HUB_LOG_NUMBER("place", place),
            HUB_LOG_TEXT("why", "the disk returned other bytes than were written"),
            HUB_LOG_TEXT("remedy", "peers are asked for it; check this disk"));
    return HUB_NOT_FOUND;
}

void hub_store_log_mended(const char *what, const struct hub_hash *hash, uint64_t place)
{
    char digits[17] = "";
    HUB_LOG(INFO, "store_mended", HUB_LOG_TEXT("what", what),
            HUB_LOG_TEXT("hash", hash ? hub_log_hash(digits, hash) : ""),
            HUB_LOG_NUMBER("place", place));
}

/* ---- blocks */
static enum hub_status block_by_hash(const struct hub_reader *r, const struct hub_hash *hash,
                                     bool check, struct hub_header *header, struct hub_span *bytes)
{
    struct hub_span found, header_bytes;
    struct hub_hash got;
    enum hub_status status = (check ? hub_env_get : hub_env_get_unsealed)(
        r, HUB_MAP_BLOCK, span(hash->b, sizeof hash->b), &found);
    if (status)
        return status;
    if (!hub_block_peek(header, &got, &header_bytes, found) || !hub_hash_equal(&got, hash))
        return HUB_CORRUPT;
    *bytes = found;
    return HUB_OK;
}

static enum hub_status hash_at(const struct hub_reader *r, uint64_t height, struct hub_hash *out)
{
    uint8_t key[8];
    struct hub_span value;
    hub_put_be64(key, height);
    enum hub_status status = hub_env_get(r, HUB_MAP_HEIGHT, span(key, sizeof key), &value);
    if (status)
        return status;
    if (value.len != sizeof out->b)
        return HUB_CORRUPT;
    memcpy(out->b, value.data, sizeof out->b);
    return HUB_OK;
}

enum hub_status hub_read_block(const struct hub_reader *r, uint64_t height, struct hub_span *bytes)
{
    struct hub_hash hash;
    struct hub_header header;
    struct hub_span found;
    enum hub_status status = hash_at(r, height, &hash);
    if (status == HUB_OK)
        status = block_by_hash(r, &hash, true, &header, &found);
    if (status)
        return status;
    if (header.height != height)
        return HUB_CORRUPT;
    *bytes = found;
    return HUB_OK;
}

enum hub_status hub_read_block_raw(const struct hub_reader *r, uint64_t height,
                                   struct hub_span *bytes)
{
    struct hub_hash hash;
    enum hub_status status = hash_at(r, height, &hash);
    return status ? status
                  : hub_env_get_unsealed(r, HUB_MAP_BLOCK, span(hash.b, sizeof hash.b), bytes);
}

enum hub_status hub_read_header(const struct hub_reader *r, uint64_t height, struct hub_header *out,
                                struct hub_hash *hash)
{
    struct hub_hash at;
    struct hub_header header;
    struct hub_span bytes;
    enum hub_status status = hash_at(r, height, &at);
    if (status == HUB_OK)
        status = block_by_hash(r, &at, false, &header, &bytes);
    if (status)
        return status;
    if (header.height != height)
        return HUB_CORRUPT;
    *out = header;
    *hash = at;
    return HUB_OK;
}

static void pending_key(uint8_t key[40], uint64_t height, const struct hub_hash *hash)
{
    hub_put_be64(key, height);
    memcpy(key + 8, hash->b, 32);
}

static enum hub_status bind_height(struct hub_store *s, uint64_t height,
                                   const struct hub_hash *hash)
{
    uint8_t key[8];
    hub_put_be64(key, height);
    return hub_env_put(s->env, HUB_MAP_HEIGHT, span(key, sizeof key),
                       span(hash->b, sizeof hash->b));
}

/* A final block that comes back: if the binding of its height is damaged too, the block above says that it is the
 * one. */
static enum hub_status bind_again(struct hub_store *s, uint64_t height, const struct hub_hash *hash)
{
    const struct hub_reader r = hub_env_reader(s->env);
    struct hub_hash at = s->tip.block_hash, above;
    struct hub_header header;
    if (hash_at(&r, height, &at) == HUB_OK)
        return HUB_OK;
    if (height < s->tip.height) {
        if (hub_read_header(&r, height + 1, &header, &above) != HUB_OK)
            return HUB_OK;
        at = header.parent;
    }
    return hub_hash_equal(&at, hash) ? bind_height(s, height, hash) : HUB_OK;
}

static enum hub_status put_block(void *store, const struct hub_header *h,
                                 const struct hub_hash *hash, struct hub_span bytes)
{
    struct hub_store *s = store;
    const struct hub_reader r = hub_env_reader(s->env);
    struct hub_header header;
    struct hub_span found;
    uint8_t key[40];
    pending_key(key, h->height, hash);
    enum hub_status status = block_by_hash(&r, hash, true, &header, &found);
    const bool is_final = s->has_tip && h->height <= s->tip.height;
    if (status == HUB_OK)
        return is_final ? bind_again(s, h->height, hash) : HUB_OK;
    if (status != HUB_NOT_FOUND && status != HUB_CORRUPT) /* a damaged one is replaced */
        return status;
    const bool mends = status == HUB_CORRUPT;
    status = hub_env_put(s->env, HUB_MAP_BLOCK, span(hash->b, sizeof hash->b), bytes);
    if (mends && status == HUB_OK)
        hub_store_log_mended("block", hash, h->height);
    if (status || is_final)
        return status ? status : bind_again(s, h->height, hash);
    return hub_env_put(s->env, HUB_MAP_PENDING, span(key, sizeof key), span("", 0));
}

static enum hub_status get_block(void *store, const struct hub_hash *hash, struct hub_span *bytes)
{
    struct hub_store *s = store;
    const struct hub_reader r = hub_env_reader(s->env);
    struct hub_header header;
    return hub_store_lost(block_by_hash(&r, hash, true, &header, bytes), "block", hash, 0);
}

static enum hub_status get_block_at(void *store, uint64_t height, struct hub_span *bytes)
{
    struct hub_store *s = store;
    const struct hub_reader r = hub_env_reader(s->env);
    return hub_store_lost(hub_read_block(&r, height, bytes), "final block at height", NULL, height);
}

/* ---- tip */
enum hub_status hub_read_tip(const struct hub_reader *r, struct hub_point *fin,
                             struct hub_edge *edge)
{
    struct hub_span value;
    struct hub_point point;
    struct hub_edge read;
    enum hub_status status = hub_env_get(r, HUB_MAP_META, name("tip"), &value);
    if (status)
        return status;
    struct hub_cbor c = hub_cbor_open(value);
    memset(&read, 0, sizeof read);
    hub_cbor_array(&c, 5, 5);
    point.view = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    point.height = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    hub_cbor_hash(&c, &point.block_hash);
    read.size = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    hub_cbor_copy(&c, (uint8_t *)read.node, sizeof read.node);
    if (!hub_cbor_done(&c))
        return HUB_CORRUPT;
    *fin = point;
    *edge = read;
    return HUB_OK;
}

enum hub_status hub_store_save_tip(struct hub_store *s, const struct hub_point *fin,
                                   const struct hub_edge *edge)
{
    uint8_t bytes[TIP_BYTES_MAX];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_put_array(&b, 5);
    hub_put_uint(&b, fin->view);
    hub_put_uint(&b, fin->height);
    hub_put_hash(&b, &fin->block_hash);
    hub_put_uint(&b, edge->size);
    hub_put_bytes_head(&b, sizeof edge->node);
    for (int level = 0; level < 64;
         level++) { /* unset ones as zeros: what lies there in memory is no one's promise */
        static const struct hub_hash none;
        const struct hub_hash *node = edge->size >> level & 1 ? &edge->node[level] : &none;
        hub_put_raw(&b, span(node->b, sizeof node->b));
    }
    HUB_ASSERT(!b.full);
    return hub_env_put(s->env, HUB_MAP_META, name("tip"), hub_span_of(&b));
}

/* Binds the heights above the old tip to fin and its ancestors, newest first. */
static enum hub_status bind_heights(struct hub_store *s, const struct hub_point *fin,
                                    uint64_t *epoch)
{
    const struct hub_reader r = hub_env_reader(s->env);
    uint64_t floor = s->has_tip ? s->tip.height : 0;
    struct hub_hash hash = fin->block_hash;
    for (uint64_t height = fin->height; height > floor; height--) {
        struct hub_header header;
        struct hub_span bytes;
        enum hub_status status = block_by_hash(&r, &hash, false, &header, &bytes);
        if (status)
            return hub_store_explain(
                s->why, status, "store: the block at height %llu is to be final and is not held",
                (unsigned long long)height);
        if (header.height != height)
            return hub_store_explain(
                s->why, HUB_CONFLICT,
                "store: heights of final blocks do not follow each other at %llu",
                (unsigned long long)height);
        if (height == fin->height)
            *epoch = header.epoch;
        status = bind_height(s, height, &hash);
        if (status)
            return status;
        hash = header.parent;
    }
    if (s->has_tip && !hub_hash_equal(&hash, &s->tip.block_hash))
        return hub_store_explain(
            s->why, HUB_CONFLICT,
            "store: the block at height %llu does not descend from the final block at %llu",
            (unsigned long long)fin->height, (unsigned long long)floor);
    return HUB_OK;
}

/* Blocks that lost against a final one of their height are forgotten. */
static enum hub_status drop_losers(struct hub_store *s, uint64_t height)
{
    const struct hub_reader r = hub_env_reader(s->env);
    for (;;) {
        const uint8_t first[1] = {0};
        struct hub_span key, value;
        enum hub_status status =
            hub_env_seek(&r, HUB_MAP_PENDING, span(first, sizeof first), &key, &value);
        if (status == HUB_NOT_FOUND || (status == HUB_OK && hub_get_be64(key.data) > height))
            return HUB_OK;
        uint8_t copy[40];
        struct hub_hash bound;
        if (status == HUB_IO || key.len != sizeof copy)
            return status == HUB_IO ? HUB_IO : HUB_CORRUPT;
        memcpy(copy, key.data, sizeof copy);
        status = hash_at(&r, hub_get_be64(copy), &bound);
        if (status == HUB_OK && memcmp(bound.b, copy + 8, 32) != 0)
            status = hub_env_del(s->env, HUB_MAP_BLOCK, span(copy + 8, 32));
        if (status == HUB_OK)
            status = hub_env_del(s->env, HUB_MAP_PENDING, span(copy, sizeof copy));
        if (status)
            return status;
    }
}

/* After a damaged block was met at start, finality passes once more through heights that were bound before: to the
 * same blocks, and bindings that were damaged too are made again. */
static enum hub_status put_tip_again(struct hub_store *s, const struct hub_point *fin)
{
    const struct hub_reader r = hub_env_reader(s->env);
    struct hub_hash hash = fin->block_hash, bound;
    for (uint64_t height = fin->height; height && height + HUB_BODIES_MAX > fin->height; height--) {
        enum hub_status status = hash_at(&r, height, &bound);
        if (status == HUB_OK && !hub_hash_equal(&bound, &hash))
            return hub_store_explain(
                s->why, HUB_CONFLICT,
                "store: height %llu is bound to a final block, for ever, and not to another",
                (unsigned long long)height);
        if ((status == HUB_NOT_FOUND || status == HUB_CORRUPT) &&
            (status = bind_height(s, height, &hash)))
            return status;
        struct hub_header header;
        struct hub_span bytes;
        if (status || block_by_hash(&r, &hash, false, &header, &bytes))
            return status;
        hash = header.parent;
    }
    return HUB_OK;
}

static enum hub_status put_tip(void *store, const struct hub_point *fin,
                               const struct hub_edge *edge)
{
    struct hub_store *s = store;
    if (s->has_tip && fin->height <= s->tip.height)
        return put_tip_again(s, fin);
    if (fin->height == 0) /* genesis lies in its file */
        return HUB_OK;
    uint64_t epoch = 0;
    enum hub_status status = bind_heights(s, fin, &epoch);
    if (status == HUB_OK)
        status = drop_losers(s, fin->height);
    if (status == HUB_OK)
        status = hub_store_prune_votes(s, epoch, fin->view);
    if (status == HUB_OK)
        status = hub_store_save_tip(s, fin, edge);
    if (status)
        return status;
    s->has_tip = true;
    s->tip = *fin;
    return HUB_OK;
}

/* ---- a beginning other than genesis */
enum hub_status hub_read_floor(const struct hub_reader *r, struct hub_floor *out)
{
    struct hub_span value;
    enum hub_status status = hub_env_get(r, HUB_MAP_META, name("floor"), &value);
    *out = (struct hub_floor){0, 0};
    if (status)
        return status == HUB_NOT_FOUND ? HUB_OK : status;
    if (value.len != 16)
        return HUB_CORRUPT;
    *out = (struct hub_floor){hub_get_be64(value.data), hub_get_be64(value.data + 8)};
    return HUB_OK;
}

enum hub_status hub_store_begin_at(struct hub_store *s, const struct hub_header *h,
                                   const struct hub_point *tip, const struct hub_edge *edge)
{
    uint8_t floor[16];
    if (s->has_tip || s->votes.next || !h->height)
        return hub_store_explain(s->why, HUB_CONFLICT, "store: %s is in use: name a new directory",
                                 s->dir);
    hub_put_be64(floor, h->height);
    hub_put_be64(floor + 8, h->log_size);
    const enum hub_status status =
        hub_env_put(s->env, HUB_MAP_META, name("floor"), span(floor, sizeof floor));
    if (status)
        return status;
    s->has_tip = true;
    s->tip = (struct hub_point){h->parent_view, h->height - 1, h->parent};
    return put_tip(s, tip, edge);
}

static enum hub_status get_tip(void *store, struct hub_point *fin, struct hub_edge *edge)
{
    struct hub_store *s = store;
    const struct hub_reader r = hub_env_reader(s->env);
    return hub_read_tip(&r, fin, edge);
}

static enum hub_status commit(void *store)
{
    struct hub_store *s = store;
    return hub_env_commit(s->env);
}

struct hub_env_commits hub_store_commits(const struct hub_store *s)
{
    return hub_env_commits(s->env);
}

void hub_store_ports(struct hub_store *s, struct hub_ports *p)
{
    p->store = s;
    p->put_block = put_block;
    p->put_vote = hub_store_put_vote;
    p->put_certificate = hub_store_put_certificate;
    p->put_tip = put_tip;
    p->put_link = hub_store_put_link;
    p->commit = commit;
    p->get_block = get_block;
    p->get_block_at = get_block_at;
    p->get_certificate = hub_store_get_certificate;
    p->get_tip = get_tip;
    p->get_link = hub_store_get_link;
    p->each_vote = hub_store_each_vote;
    p->each_certificate = hub_store_each_certificate;
    p->get_mark = hub_store_get_mark;
    p->has_mark = hub_store_has_mark;
    p->put_halt = hub_store_put_halt;
    p->get_halt = hub_store_get_halt;
}

struct hub_reader hub_store_reader(struct hub_store *s)
{
    return hub_env_reader(s->env);
}

enum hub_status hub_store_begin(struct hub_store *s, struct hub_reader *out)
{
    return hub_env_begin(s->env, out);
}

struct hub_env *hub_store_env(struct hub_store *s)
{
    return s->env;
}

enum hub_status hub_store_disk(struct hub_store *s, enum hub_disk_level *out)
{
    enum hub_status status = hub_disk_level(s->dir, out);
    if (status == HUB_OK && *out == HUB_DISK_STOP)
        hub_disk_release(s->dir);
    return status;
}

enum hub_status hub_store_tend(struct hub_store *s, int *dead)
{
    enum hub_status status = hub_env_check_readers(s->env, dead);
    return status ? status : hub_disk_reserve(s->dir);
}
