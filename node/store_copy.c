/* store_copy.c: backups (docs/hazards.md H11): what cannot be derived, but own votes, read from a directory value by
 * value, each checked on the way, into a new one that is marked: whoever starts a node from it does not vote. */
#include "node/store_impl.h"

#include "node/clock.h"

enum {
    SNAPSHOT_VALUES = 1000, /* H8: read transactions are short, also beside a running node */
    SNAPSHOT_MS = 1000,
    COMMIT_BYTES = 8 << 20
};

struct copying {
    struct hub_store *to, *from;
    struct hub_reader reader; /* txn NULL between two snapshots */
    char *why;
    uint64_t values, began_ms;
    size_t waiting; /* bytes not committed yet */
};

static enum hub_status snapshot(struct copying *c)
{
    if (c->reader.txn && c->values++ < SNAPSHOT_VALUES &&
        hub_clock_mono_ms() - c->began_ms < SNAPSHOT_MS)
        return HUB_OK;
    hub_env_end(&c->reader);
    c->values = 0;
    c->began_ms = hub_clock_mono_ms();
    const enum hub_status status = hub_store_begin(c->from, &c->reader);
    return status
               ? hub_store_explain(c->why, status, "store: no place for another reader; try again")
               : HUB_OK;
}

static enum hub_status put(struct copying *c, enum hub_env_map map, struct hub_span key,
                           struct hub_span value)
{
    enum hub_status status = hub_env_put(c->to->env, map, key, value);
    c->waiting += value.len + key.len;
    if (status == HUB_OK && c->waiting > COMMIT_BYTES) {
        c->waiting = 0;
        status = hub_env_commit(c->to->env);
    }
    return status ? hub_store_explain(c->why, status, "%s", hub_env_why(c->to->env)) : HUB_OK;
}

/* A block and the binding of its height, from the newest down: each names the one below. */
static enum hub_status copy_blocks(struct copying *c, const struct hub_point *tip)
{
    struct hub_hash hash = tip->block_hash, got;
    for (uint64_t height = tip->height; height; height--) {
        struct hub_span bytes, header_bytes;
        struct hub_header h;
        uint8_t key[8];
        enum hub_status status = snapshot(c);
        if (status)
            return status;
        status = hub_env_get(&c->reader, HUB_MAP_BLOCK, span(hash.b, sizeof hash.b), &bytes);
        if (status || !hub_block_peek(&h, &got, &header_bytes, bytes) ||
            !hub_hash_equal(&got, &hash) || h.height != height)
            return hub_store_explain(
                c->why, status == HUB_IO ? HUB_IO : HUB_CORRUPT,
                "the block at height %llu is damaged on this disk: leave the node running until it "
                "has fetched it from its peers (log: store_mended), then back up again",
                (unsigned long long)height);
        hub_put_be64(key, height);
        status = put(c, HUB_MAP_BLOCK, span(hash.b, sizeof hash.b), bytes);
        if (status == HUB_OK)
            status = put(c, HUB_MAP_HEIGHT, span(key, sizeof key), span(hash.b, sizeof hash.b));
        if (status)
            return status;
        hash = h.parent;
    }
    return HUB_OK;
}

/* All of a map whose keys are numbers; a damaged value is as good as lost, as everywhere. */
static enum hub_status copy_map(struct copying *c, enum hub_env_map map, size_t key_len)
{
    uint8_t from[HUB_ENV_KEY_MAX] = {0};
    for (;;) {
        struct hub_span key, value;
        enum hub_status status = snapshot(c);
        if (status)
            return status;
        status = hub_env_seek(&c->reader, map, span(from, key_len), &key, &value);
        if (status == HUB_NOT_FOUND)
            return HUB_OK;
        if (status == HUB_IO || key.len != key_len)
            return hub_store_explain(c->why, HUB_IO,
                                     "store: a map of the directory cannot be read");
        memcpy(from, key.data, key_len);
        if (status == HUB_OK && (status = put(c, map, span(from, key_len), value)))
            return status;
        size_t at = key_len;
        while (at && ++from[at - 1] == 0)
            at--;
    }
}

static enum hub_status mark(struct hub_store *to)
{
    const struct hub_halt h = {.why = HUB_ABSTAIN_RESTORED, .time_ms = hub_clock_wall_ms()};
    const enum hub_status status = hub_store_put_halt(to, &h);
    return status ? status : hub_env_commit(to->env);
}

static enum hub_status copy_all(struct copying *c, uint64_t *height)
{
    struct hub_point tip;
    struct hub_edge edge;
    enum hub_status status = mark(c->to); /* before anything else: half a copy is marked too */
    if (status)
        return hub_store_explain(c->why, status, "%s", hub_env_why(c->to->env));
    status = snapshot(c);
    if (status)
        return status;
    struct hub_floor floor;
    status = hub_read_floor(&c->reader, &floor);
    if (status || floor.height)
        return hub_store_explain(c->why, HUB_NOT_FOUND,
                                 "store: this node joined by a snapshot and has no blocks below "
                                 "height %llu: back up a node that has them all",
                                 (unsigned long long)floor.height);
    status = hub_read_tip(&c->reader, &tip, &edge);
    if (status)
        return hub_store_explain(c->why, status, "store: the directory holds no final block");
    status = copy_blocks(c, &tip);
    if (status == HUB_OK)
        status = copy_map(c, HUB_MAP_CERTIFICATE, HUB_VIEW_KEY_BYTES);
    if (status == HUB_OK)
        status = copy_map(c, HUB_MAP_LINK, 8);
    if (status)
        return status;
    status = hub_store_save_tip(c->to, &tip, &edge); /* last: without it nothing is final */
    if (status == HUB_OK)
        status = hub_env_commit(c->to->env);
    c->to->has_tip = true;
    c->to->tip = tip;
    *height = tip.height;
    return status ? hub_store_explain(c->why, status, "%s", hub_env_why(c->to->env)) : HUB_OK;
}

enum hub_status hub_store_copy(struct hub_store *to, struct hub_store *from, uint64_t *height,
                               char why[HUB_WHY_BYTES])
{
    struct copying c = {.to = to, .from = from, .why = why};
    if (to->has_tip || to->votes.next)
        return hub_store_explain(why, HUB_CONFLICT, "store: %s is in use: name a new directory",
                                 to->dir);
    const enum hub_status status = copy_all(&c, height);
    hub_env_end(&c.reader);
    return status;
}
