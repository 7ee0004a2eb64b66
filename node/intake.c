/* intake.c: see intake.h. */
#include "node/intake.h"

#include "node/clock.h"
#include "node/log.h"

enum {
    LOOK_EVERY_MS = 20
}; /* a pool that had no work is not searched again sooner, unless something came */

/* The parent a block built now would have: where the state stands. */
static uint64_t parent_time_ms(const struct hub_chain *c)
{
    return c->at < 0 ? c->final_header.time_ms : c->slot[c->at].header.time_ms;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Within half a window of the key's lowest waiting number, so that no accepted record is pushed out of the
 * window by those around it. */
static bool near_others(const struct hub_intake *in, const struct hub_record *r)
{
    uint64_t lowest, highest;
    if (!hub_mempool_of_signer(in->pool, &r->kid, &lowest, &highest))
        return true;
    return r->seq < lowest || r->seq - lowest < HUB_SEQ_WINDOW / 2;
}

static uint16_t admit_now(const struct hub_intake *in, const struct hub_record *r,
                          uint64_t now_wall_ms)
{
    const uint64_t parent = parent_time_ms(in->chain);
    return hub_apply_admit(&in->chain->state, r, parent, later(now_wall_ms, parent + 1));
}

enum hub_status hub_intake_submit(struct hub_intake *in, struct hub_hash *id, uint16_t *why,
                                  struct hub_span record, struct hub_span attachment, bool local,
                                  uint64_t now_mono_ms, uint64_t now_wall_ms)
{
    struct hub_pool_entry *e = NULL;
    if (in->closed && local)
        return HUB_NOT_NOW;
    enum hub_status st = hub_mempool_add(in->pool, &e, why, record, attachment, local, now_mono_ms);
    if (e)
        *id = e->record.id;
    if (st == HUB_OK) {
        HUB_ASSERT(e != NULL);
        *why = admit_now(in, &e->record, now_wall_ms);
        if (!*why)
            *why = hub_record_resolve(&e->keys, &in->chain->state, &e->record);
        if (*why)
            st = HUB_REFUSED;
        else if (!near_others(in, &e->record) ||
                 !hub_verifier_submit(in->verifier, &e->record, &e->keys,
                                      hub_mempool_ticket(in->pool, e)))
            st = HUB_LIMIT;
        if (st != HUB_OK)
            hub_mempool_remove(in->pool, e);
    }
    in->refused += st == HUB_REFUSED;
    in->full += st == HUB_LIMIT;
    return st;
}

uint16_t hub_intake_check(const struct hub_intake *in, struct hub_span record,
                          struct hub_span attachment, uint64_t now_wall_ms)
{
    struct hub_record r;
    struct hub_record_keys keys;
    uint16_t why = 0;
    if (hub_record_decode(&r, &why, record, attachment, &in->chain->id) != HUB_OK)
        return why ? why : HUB_CODE_not_canonical;
    why = admit_now(in, &r, now_wall_ms);
    if (!why)
        why = hub_record_resolve(&keys, &in->chain->state, &r);
    if (!why && !hub_record_verify(&r, &why, &keys) && !why)
        why = HUB_CODE_signature_invalid;
    return why;
}

void hub_intake_collect(struct hub_intake *in)
{
    uint64_t ticket;
    uint16_t why;
    while (hub_verifier_done(in->verifier, &ticket, &why)) {
        struct hub_pool_entry *e = hub_mempool_of_ticket(in->pool, ticket);
        HUB_ASSERT(e); /* an entry being checked is never removed */
        const struct hub_hash id = e->record.id;
        const bool local = e->local;
        if (why) {
            hub_mempool_remove(in->pool, e);
            in->refused++;
        } else {
            hub_mempool_ready(in->pool, e);
            in->admitted++;
            in->idle = false;
        }
        if (local && in->settled)
            in->settled(in->ctx, &id, why);
    }
}

void hub_intake_final(struct hub_intake *in, const struct hub_applied *applied)
{
    /* results: a sequence of [record_id, code, value]; the ids of the block's records in order. */
    struct hub_cbor c = hub_cbor_open(hub_span_of(&applied->results));
    while (!c.bad && c.at < c.end) {
        struct hub_hash id;
        hub_cbor_array(&c, 3, 3);
        hub_cbor_hash(&c, &id);
        hub_cbor_item(&c);
        hub_cbor_item(&c);
        struct hub_pool_entry *e = c.bad ? NULL : hub_mempool_find(in->pool, &id);
        if (e && e->checking)
            e->record.valid_until_ms = 0; /* expires once its thread has let go of it */
        else if (e)
            hub_mempool_remove(in->pool, e);
    }
    hub_mempool_expire(in->pool, applied->header.time_ms, true);
    in->idle = false;
}

/* ---- ports */

struct advice {
    const struct hub_state *state;
    uint64_t parent_ms, time_ms;
};

static enum hub_pool_advice advise(void *ctx, const struct hub_record *r)
{
    const struct advice *a = ctx;
    switch (hub_apply_admit(a->state, r, a->parent_ms, a->time_ms)) {
    case 0:
        return HUB_POOL_TAKE;
    case HUB_CODE_expired:
        return HUB_POOL_DROP;
    default: /* its number is spent by an unfinalized block, or its key is on the way */
        return HUB_POOL_SKIP;
    }
}

static bool port_waiting(void *pool, const struct hub_state *s, uint64_t view, uint64_t now_mono_ms)
{
    struct hub_intake *in = pool;
    (void)
        view; /* parking counts hand-outs, not views: a view that gave the record no chance does not count */
    if (in->resting || (in->idle && now_mono_ms < in->look_again_ms))
        return false;
    const uint64_t parent = parent_time_ms(in->chain);
    struct advice a = {s, parent, later(hub_clock_wall_ms(), parent + 1)};
    const bool work = hub_mempool_has_work(in->pool, now_mono_ms, advise, &a);
    in->idle = !work;
    in->look_again_ms = now_mono_ms + LOOK_EVERY_MS;
    return work;
}

static uint32_t port_take(void *pool, const struct hub_state *s, uint64_t time_ms,
                          struct hub_record *out, uint32_t max, size_t bytes_max)
{
    struct hub_intake *in = pool;
    struct advice a = {s, parent_time_ms(in->chain), time_ms};
    if (in->resting)
        return 0;
    return hub_mempool_take(in->pool, out, max, bytes_max, hub_clock_mono_ms(), advise, &a);
}

static uint32_t port_share(void *pool, bool fresh, struct hub_span *record,
                           struct hub_span *attachment, uint32_t max, size_t bytes_max)
{
    struct hub_intake *in = pool;
    return hub_mempool_share(in->pool, fresh, record, attachment, max, bytes_max);
}

static void port_offer(void *pool, uint8_t peer, struct hub_span record, struct hub_span attachment)
{
    struct hub_hash id;
    uint16_t why;
    const enum hub_status st = hub_intake_submit(pool, &id, &why, record, attachment, false,
                                                 hub_clock_mono_ms(), hub_clock_wall_ms());
    if (st == HUB_REFUSED)
        HUB_LOG(DEBUG, "record_refused", HUB_LOG_NUMBER("peer", peer), HUB_LOG_NUMBER("code", why));
}

void hub_intake_ports(struct hub_intake *in, struct hub_ports *ports)
{
    ports->pool = in;
    ports->waiting = port_waiting;
    ports->take = port_take;
    ports->share = port_share;
    ports->offer = port_offer;
}
