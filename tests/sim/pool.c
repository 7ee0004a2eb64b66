/* pool.c: the records that wait at one node: a list in the order of signers and numbers. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

static struct sim_pool *pool_of(void *pool)
{
    return &((struct sim_node *)pool)->pool;
}

static bool app(const struct sim_node *n, enum sim_app what)
{
    return n->app == (int64_t)what && n->sim->now_ms < n->app_until_ms;
}

static bool admitted(const struct hub_state *s, const struct hub_record *r, uint64_t time_ms)
{
    return hub_apply_admit(s, r, time_ms - 1, time_ms) == 0;
}

static bool waiting(void *pool, const struct hub_state *s, uint64_t view, uint64_t now_mono_ms)
{
    const struct sim_pool *p = pool_of(pool);
    uint64_t now = sim_node_now(pool).wall_ms;
    (void)view, (void)now_mono_ms;
    for (uint32_t i = 0; i < p->count; i++)
        if (admitted(s, &p->entry[i].record, now))
            return true;
    return false;
}

static size_t bytes_of(const struct hub_record *r)
{
    enum { HEADS = 16 };
    return r->bytes.len + r->attachment.len + HEADS;
}

static uint32_t take(void *pool, const struct hub_state *s, uint64_t time_ms,
                     struct hub_record *out, uint32_t max, size_t bytes_max)
{
    const struct sim_pool *p = pool_of(pool);
    uint32_t count = 0;
    size_t bytes = 0;
    if (app(pool, SIM_APP_NOTHING))
        return 0;
    for (uint32_t i = 0; i < p->count && count < max; i++) {
        const struct hub_record *r = &p->entry[i].record;
        if (!admitted(s, r, time_ms) || bytes_of(r) > bytes_max - bytes)
            continue;
        bytes += bytes_of(r);
        out[count++] = *r;
    }
    return count;
}

static uint32_t share(void *pool, bool fresh, struct hub_span *record, struct hub_span *attachment,
                      uint32_t max, size_t bytes_max)
{
    struct sim_pool *p = pool_of(pool);
    uint32_t count = 0;
    size_t bytes = 0;
    for (uint32_t i = 0; i < p->count && count < max; i++) {
        struct sim_entry *e = &p->entry[fresh ? i : (p->next + i) % p->count];
        if ((fresh && (!e->local || e->shared)) || bytes_of(&e->record) > bytes_max - bytes)
            continue;
        bytes += bytes_of(&e->record);
        record[count] = e->record.bytes;
        attachment[count++] = e->record.attachment;
        e->shared = true;
    }
    p->next = p->count ? (p->next + count) % p->count : 0;
    return count;
}

static int order(const struct hub_record *a, const struct hub_record *b)
{
    int by_kid = memcmp(&a->kid, &b->kid, sizeof a->kid);
    return by_kid ? by_kid : a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* The very same bytes: most of what peers forward. */
static bool is_held(const struct sim_pool *p, struct hub_span bytes)
{
    for (uint32_t i = 0; i < p->count; i++) {
        const struct hub_span *held = &p->entry[i].record.bytes;
        if (held->len == bytes.len && !memcmp(held->data, bytes.data, bytes.len))
            return true;
    }
    return false;
}

/* Decoded, its signature checked, and eligible now; each id once. */
static void add(struct sim_node *n, struct hub_span bytes, struct hub_span attachment, bool local)
{
    struct sim_pool *p = &n->pool;
    const struct hub_state *s = &n->replica->chain.state;
    struct sim_entry e = {.local = local};
    struct hub_record_keys keys;
    uint16_t why;
    if (is_held(p, bytes))
        return;
    if (p->count == SIM_POOL_MAX || !(e.bytes = malloc(bytes.len + attachment.len)))
        return;
    memcpy(e.bytes, bytes.data, bytes.len);
    if (attachment.len)
        memcpy(e.bytes + bytes.len, attachment.data, attachment.len);
    struct hub_span own = {e.bytes, bytes.len}, behind = {e.bytes + bytes.len, attachment.len};
    bool good = hub_record_decode(&e.record, &why, own, behind, &n->replica->chain.id) == HUB_OK &&
                !hub_record_resolve(&keys, s, &e.record) &&
                hub_record_verify(&e.record, &why, &keys) &&
                admitted(s, &e.record, sim_node_now(n).wall_ms);
    uint32_t at = 0;
    for (uint32_t i = 0; good && i < p->count; i++) {
        good = !hub_hash_equal(&p->entry[i].record.id, &e.record.id);
        at = order(&p->entry[i].record, &e.record) < 0 ? i + 1 : at;
    }
    if (!good) {
        free(e.bytes);
        return;
    }
    p->entry = sim_grow(p->entry, &p->cap, p->count, sizeof *p->entry);
    memmove(&p->entry[at + 1], &p->entry[at], (p->count - at) * sizeof e);
    p->entry[at] = e;
    p->count++;
}

static void offer(void *pool, uint8_t peer, struct hub_span record, struct hub_span attachment)
{
    (void)peer;
    add(pool, record, attachment, false);
}

void sim_node_submit(struct sim_node *n, const struct sim_record *r)
{
    if (n->sim->plan.real_pool)
        sim_intake_submit(n, sim_record_bytes(r), sim_record_attachment(r));
    else
        add(n, sim_record_bytes(r), sim_record_attachment(r), true);
    hub_replica_on_records(n->replica);
    sim_turn_at(n, n->sim->now_ms);
}

/* Records that no block can take any more leave with the next final one. */
static void final(void *client, const struct hub_applied *applied, struct hub_span block)
{
    struct sim_node *n = client;
    struct sim_pool *p = &n->pool;
    uint32_t kept = 0;
    sim_check_acknowledged(n, applied, block);
    for (uint32_t i = 0; i < p->count; i++) {
        const struct hub_record *r = &p->entry[i].record;
        bool spent = false;
        struct hub_cbor c = hub_cbor_open(hub_span_of(&applied->results));
        while (!spent && !c.bad && c.at < c.end) {
            struct hub_hash id;
            hub_cbor_array(&c, 3, 3);
            hub_cbor_hash(&c, &id);
            hub_cbor_item(&c);
            hub_cbor_item(&c);
            spent = hub_hash_equal(&id, &r->id);
        }
        if (spent || r->valid_until_ms <= applied->header.time_ms)
            free(p->entry[i].bytes);
        else
            p->entry[kept++] = p->entry[i];
    }
    p->count = kept;
}

void sim_pool_clear(struct sim_pool *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        free(p->entry[i].bytes);
    free(p->entry);
    *p = (struct sim_pool){0};
}

void sim_pool_check(struct sim_node *n, const struct hub_hash *hash, struct hub_record *records,
                    const struct hub_record_keys *keys, uint32_t count)
{
    bool good = true;
    uint16_t why;
    for (uint32_t i = 0; i < count && good; i++)
        good = hub_record_verify(&records[i], &why, &keys[i]);
    if (app(n, SIM_APP_REFUSES))
        good = false;
    uint64_t late_ms = n->sim->plan.late_checks ? 1 + count / 8 : 0;
    if (n->app > 0 && n->sim->now_ms < n->app_until_ms)
        late_ms += (uint64_t)n->app;
    if (!late_ms) {
        hub_replica_on_block_checked(n->replica, hash, good);
        return;
    }
    sim_push(n->sim, &(struct sim_event){.time_ms = n->sim->now_ms + late_ms,
                                         .kind = SIM_CHECKED,
                                         .node = n->slot,
                                         .boot = n->boot,
                                         .good = good,
                                         .hash = *hash});
}

static void check(void *pool, const struct hub_hash *hash, struct hub_record *records,
                  const struct hub_record_keys *keys, uint32_t count)
{
    sim_pool_check(pool, hash, records, keys, count);
}

void sim_pool_ports(struct hub_ports *p)
{
    p->waiting = waiting;
    p->take = take;
    p->share = share;
    p->check = check;
    p->offer = offer;
    p->final = final;
}
