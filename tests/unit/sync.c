/* Catch-up by height: whom it asks for what, and when. A replica with no ports and no core: what it asks for lies in its
 * outbox, and the tests move its final block as execution would. Peers 1 to 3 told of final block 1,000. */
#include "node/replica_parts.h"

#include <criterion/criterion.h>

#include <string.h>

enum { AHEAD = 1000, OUTBOX = 1 << 16 };

static struct hub_replica r;
static uint8_t outbox[OUTBOX];

struct asked { /* one GET_BLOCKS in the outbox */
    int peer;
    uint64_t from, to;
};

static void open(void)
{
    r.chain.set.n = 4;
    r.chain.set.q = 3;
    r.outbox = (struct hub_buf){.data = outbox, .cap = sizeof outbox};
    r.now.mono_ms = 100000;
    for (uint8_t i = 1; i < 4; i++) {
        r.peer[i].fin.height = AHEAD;
        r.peer[i].seen_ms = r.now.mono_ms;
    }
}
TestSuite(sync, .init = open);

/* What is asked for when the timer runs `later_ms` later; returns how many requests. */
static uint32_t requests(struct asked out[4], uint64_t later_ms)
{
    uint32_t n = 0;
    r.now.mono_ms += later_ms;
    hub_sync_timer(&r);
    for (uint32_t i = 0; i < r.frame_count; i++) {
        struct hub_message m;
        cr_assert(
            hub_message_decode(&m, (struct hub_span){outbox + r.frame[i].at, r.frame[i].len}));
        cr_assert_eq(m.kind, HUB_MSG_GET_BLOCKS);
        cr_assert_lt(n, 4);
        out[n++] = (struct asked){r.frame[i].peer, m.u.get_blocks.from, m.u.get_blocks.to};
    }
    r.frame_count = 0;
    r.outbox.len = 0;
    return n;
}

/* All that was asked for came, and is final. */
static void answered(void)
{
    r.sync.got = 1;
    r.chain.final_header.height = r.sync.asked;
}

static uint32_t begin(struct asked a[4])
{
    cr_assert_eq(requests(a, 0), 0, "a STATUS may be faster than the block");
    return requests(a, 300);
}

/* The newest block came by its hash with its certificate long before what lies below it. */
Test(sync, a_certified_block_far_above_does_not_hold_up_the_next_request)
{
    struct asked a[4];
    cr_assert_geq(begin(a), 1);
    cr_assert_eq(a[0].from, 1);
    r.body[0].used = r.body[0].certified = true;
    r.body[0].header.height = AHEAD;
    answered();
    const uint64_t next = r.sync.asked + 1;
    cr_assert_geq(requests(a, 10), 1, "at once, not when the time of the last request is over");
    cr_assert_eq(a[0].from, next);
}

/* A frozen peer costs one time-out of a second and rests then; meanwhile two others are asked. */
Test(sync, a_silent_peer_costs_one_time_out_and_rests)
{
    struct asked a[4];
    cr_assert_eq(begin(a), 1);
    const int frozen = a[0].peer;
    cr_assert_eq(requests(a, 990), 0);
    cr_assert_eq(requests(a, 10), 2, "one second is over");
    cr_assert(a[0].peer != frozen && a[1].peer != frozen && a[0].peer != a[1].peer);
    cr_assert(a[0].from == 1 && a[1].from == 1);
    for (uint64_t rounds = 0; rounds < 20; rounds++) { /* 20 answers in 4 s */
        answered();
        cr_assert_eq(requests(a, 200), 1);
        cr_assert_neq(a[0].peer, frozen, "it rests for 5 s");
    }
}

/* A liar claims a height that nobody has, sends nothing, and is not kept for what the others' votes make final. */
Test(sync, finality_by_votes_is_no_merit_of_who_was_asked)
{
    struct asked a[4];
    cr_assert_eq(begin(a), 1);
    const int liar = a[0].peer;
    for (unsigned i = 0; i < 4; i++) {
        r.chain.final_header.height++;
        cr_assert_eq(requests(a, 200), 0);
    }
    r.chain.final_header.height++;
    cr_assert_eq(requests(a, 200), 2, "one second is over");
    cr_assert(a[0].peer != liar && a[1].peer != liar);
}

/* ---- what lies on the own disk */

static uint8_t block_bytes[1024];
static struct hub_buf stored = {block_bytes, 0, sizeof block_bytes, false}; /* of height 1 */
static struct hub_hash stored_hash;

static enum hub_status get_block_at(void *store, uint64_t height, struct hub_span *bytes)
{
    *bytes = hub_span_of(&stored);
    return store == NULL && height == 1 ? HUB_OK : HUB_NOT_FOUND;
}

/* Of epoch 1. */
static enum hub_status get_certificate(void *store, uint64_t epoch, uint64_t view, uint8_t kind,
                                       struct hub_certificate *out)
{
    *out = (struct hub_certificate){
        .subject = {.kind = kind, .epoch = epoch, .view = view, .block_hash = stored_hash}};
    return store == NULL && epoch == 1 ? HUB_OK : HUB_NOT_FOUND;
}

/* Tried before its epoch began, when only a TAIL may stand on the SEAL, it would be called bad for good, and with it
 * whatever stands on it: the node would stop voting. */
Test(sync, a_stored_block_of_the_next_epoch_is_not_tried_before_it)
{
    static uint8_t body[sizeof block_bytes];
    struct asked a[4];
    struct hub_header h = {.version = 1, .epoch = 1, .view = 1, .height = 1}, again;
    struct hub_span header_bytes;
    hub_hash_span(&h.records_root, (struct hub_span){NULL, 0});
    hub_block_encode(&stored, &h, NULL, 0);
    cr_assert(hub_block_peek(&again, &stored_hash, &header_bytes, hub_span_of(&stored)));
    r.port.get_block_at = get_block_at;
    r.port.get_certificate = get_certificate;
    for (uint32_t i = 0; i < HUB_BODIES_MAX; i++)
        r.body[i].bytes = (struct hub_buf){body, 0, sizeof body, false};
    r.chain.at = -1; /* the state is the final one */
    r.sync.stored = 1;
    cr_assert_eq(begin(a), 0, "it lies on the own disk");
    cr_assert_not(hub_catchup_run(&r));
    const struct hub_body *b = hub_body_find(&r, &stored_hash);
    cr_assert(b && !b->invalid);
    r.cons.cfg.epoch = r.chain.set.epoch = 1; /* the node has gone over to it */
    memset(&r.sync, 0, sizeof r.sync);
    r.sync.stored = 1;
    cr_assert_eq(begin(a), 0);
    cr_assert(b->certified, "now it is next");
}
