/* An empty node and its peers, in virtual time and without sockets: the client of node/join.c against the server of
 * node/offer.c, and against peers that are silent, stop, lie or offer rubbish. */
#include "node/join.h"

#include "hub/hash.h"
#include "node/offer.h"
#include "node/snapshot.h"
#include "tests/support/ledger_dir.h"
#include "tests/support/space.h"
#include "tests/support/stored_ledger.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WALLETS = 2500, PEERS = 3, QUEUE = 64, STEP_MS = 10 };

enum manner {
    ABSENT,  /* answers nothing */
    NONE,    /* has no snapshot */
    MAKING,  /* says that it makes one */
    HONEST,  /* node/offer.c */
    STOPS,   /* after the second piece of a file */
    HIGHER,  /* offers a height that its head does not have */
    GARBAGE, /* bytes that are no snapshot */
    FORGED,  /* the right head, a changed row behind it */
    HUGE     /* more than a node takes */
};

static char home[64], made[64];
static struct stored_ledger s;
static struct hub_offer offer;
static struct hub_join join;
static enum manner manner[PEERS];
static uint64_t now, asked[PEERS]; /* asked: pieces */
static char why[HUB_WHY_BYTES];
static struct hub_chain *chain; /* of the node that joins */
static struct hub_chain_memory memory;

static struct { /* frames on their way to the node */
    uint8_t peer, bytes[HUB_SNAPSHOT_PIECE_BYTES + 128];
    size_t len;
} * queue; /* QUEUE of them */
static unsigned queued;

static void put_snapshot(void)
{
    char path[128];
    struct hub_snapshot_facts facts;
    struct hub_chain *c = calloc(1, sizeof *c);
    struct hub_chain_memory m = {0};
    snprintf(path, sizeof path, "%s/snapshot", made);
    FILE *f = fopen(path, "wb");
    cr_assert(c && f && hub_chain_memory_map(&m, s.caps) == HUB_OK);
    cr_assert_eq(hub_snapshot_write(f, s.store, c, &m, &s.ledger->genesis, &facts, why), HUB_OK,
                 "%s", why);
    cr_assert_gt(facts.bytes, 3 * HUB_SNAPSHOT_PIECE_BYTES, "a file of several pieces");
    fclose(f);
    hub_chain_memory_unmap(&m);
    free(c);
}

static void begin(void)
{
    queue = test_space(QUEUE * sizeof *queue);
    test_dir_make(home);
    test_dir_make(made);
    stored_new(&s, made, 1, WALLETS);
    stored_start(&s);
    cr_assert(small_ledger_issue(s.ledger, 1000000));
    for (unsigned i = 0; i < WALLETS; i++)
        if (!small_ledger_open_wallet(s.ledger)) {
            stored_block(&s);
            i--;
        }
    stored_block(&s);
    cr_assert_eq(hub_checkpoint_write(s.store, s.chain, s.history), HUB_OK);
    put_snapshot();
    cr_assert_eq(hub_offer_open(&offer, made, &s.ledger->genesis), HUB_OK);
    cr_assert(offer.now.fd >= 0 && offer.now.height == s.heights);
    chain = calloc(1, sizeof *chain);
    cr_assert(chain && hub_chain_memory_map(&memory, s.caps) == HUB_OK);
    memset(&join, 0, sizeof join);
    now = 1000;
    queued = 0;
}

static void end(void)
{
    hub_join_close(&join);
    hub_offer_close(&offer);
    hub_chain_memory_unmap(&memory);
    free(chain);
    stored_stop(&s);
    stored_free(&s);
    test_dir_remove(home);
    test_dir_remove(made);
}
TestSuite(join, .init = begin, .fini = end);

/* What a peer of this manner makes of the honest answer; false: it says nothing. */
static bool spoil(uint8_t peer, struct hub_snapshot_message *m)
{
    static uint8_t piece[HUB_SNAPSHOT_PIECE_BYTES];
    asked[peer] += m->piece.len > 0;
    if (m->piece.len)
        m->piece.data = memcpy(piece, m->piece.data, m->piece.len);
    switch (manner[peer]) {
    case ABSENT:
        return false;
    case NONE:
    case MAKING:
        *m = (struct hub_snapshot_message){.height = manner[peer] == MAKING ? 9 : 0};
        return true;
    case HONEST:
        return true;
    case STOPS:
        return m->piece.len == 0 || m->offset < 2 * HUB_SNAPSHOT_PIECE_BYTES;
    case HIGHER:
        m->height++;
        return true;
    case GARBAGE:
        m->height += 2;
        memset(piece, 0xff, m->piece.len);
        return true;
    case FORGED:
        if (m->offset == 2 * HUB_SNAPSHOT_PIECE_BYTES)
            piece[100] ^= 1;
        return true;
    case HUGE:
        m->height += 3;
        m->bytes = HUB_SNAPSHOT_BYTES_MAX + 1;
        m->offset = 0;
        m->piece.len = 0;
        return true;
    }
    return false;
}

static void send(void *net, int to, struct hub_span frame)
{
    static struct hub_message m;
    (void)net;
    cr_assert(hub_message_decode(&m, frame) && m.kind == HUB_MSG_GET_SNAPSHOT);
    for (uint8_t peer = 0; peer < PEERS; peer++) {
        struct hub_snapshot_message answer;
        if (to >= 0 && to != peer)
            continue;
        hub_offer_answer(&offer, &m.u.get_snapshot.id, m.u.get_snapshot.offset, &answer);
        if (!spoil(peer, &answer))
            continue;
        cr_assert_lt(queued, QUEUE);
        struct hub_buf b = {queue[queued].bytes, 0, sizeof queue[queued].bytes, false};
        hub_message_snapshot(&b, &answer);
        cr_assert(!b.full);
        queue[queued].peer = peer;
        queue[queued++].len = b.len;
    }
}

static const char *name(void *net, uint8_t peer)
{
    static const char *const names[] = {"A", "B", "C"};
    (void)net;
    return names[peer];
}

static void start(enum manner a, enum manner b, enum manner c)
{
    manner[0] = a;
    manner[1] = b;
    manner[2] = c;
    memset(asked, 0, sizeof asked);
    memset(&join, 0, sizeof join);
    join.dir = home;
    join.genesis = &s.ledger->genesis;
    join.send = send;
    join.name = name;
    hub_join_begin(&join, now);
}

static void step(void)
{
    const unsigned n = queued;
    queued = 0; /* answers to answers do not exist */
    for (unsigned i = 0; i < n; i++)
        hub_join_receive(&join, queue[i].peer, (struct hub_span){queue[i].bytes, queue[i].len},
                         now);
    now += STEP_MS;
    hub_join_turn(&join, now);
    if (join.state == HUB_JOIN_WHOLE) {
        struct hub_snapshot_facts facts;
        rewind(join.file);
        const bool good =
            hub_snapshot_read(join.file, NULL, chain, &memory, join.genesis, &facts, why) == HUB_OK;
        hub_join_verdict(&join, good, why, now);
    }
}

static void run(uint64_t for_ms)
{
    for (const uint64_t until = now + for_ms; now < until && hub_join_busy(&join);)
        step();
}

static void joined(void)
{
    cr_assert_eq(join.state, HUB_JOIN_JOINED, "state %d", join.state);
    cr_assert(hub_hash_equal(&chain->final_hash, &s.chain->final_hash));
    cr_assert_eq(chain->final_header.height, s.heights);
    cr_assert(access(join.path, F_OK) != 0, "the file is not needed any more");
}

Test(join, fetches_the_snapshot_of_a_peer)
{
    start(NONE, HONEST, ABSENT);
    run(5000);
    joined();
    cr_assert_eq(asked[1],
                 (offer.now.bytes + HUB_SNAPSHOT_PIECE_BYTES - 1) / HUB_SNAPSHOT_PIECE_BYTES,
                 "each piece was asked for once");
}

Test(join, passes_from_a_peer_that_stops_to_one_that_goes_on)
{
    start(STOPS, ABSENT, ABSENT);
    run(3000);
    cr_assert_eq(join.have, 2 * HUB_SNAPSHOT_PIECE_BYTES);
    manner[2] = HONEST;
    run(60000);
    joined();
    cr_assert_eq(asked[2], (offer.now.bytes - 1) / HUB_SNAPSHOT_PIECE_BYTES - 1,
                 "the two pieces that were there are not fetched again");
}

Test(join, goes_on_after_a_restart)
{
    start(STOPS, ABSENT, ABSENT);
    run(3000);
    hub_join_close(&join); /* as when the process is killed: nothing else happens to the file */
    queued = 0;
    start(HONEST, ABSENT, ABSENT);
    cr_assert_eq(join.have, 2 * HUB_SNAPSHOT_PIECE_BYTES);
    run(5000);
    joined();
    cr_assert_eq(asked[0], (offer.now.bytes - 1) / HUB_SNAPSHOT_PIECE_BYTES - 1);
}

Test(join, forgets_what_a_restart_finds_damaged)
{
    start(STOPS, ABSENT, ABSENT);
    run(3000);
    hub_join_close(&join);
    queued = 0;
    FILE *f = fopen(join.path, "r+b"); /* behind the head: only the whole shows it */
    cr_assert(f && fseek(f, HUB_SNAPSHOT_PIECE_BYTES + 5, SEEK_SET) == 0 && fputc(0x5a, f) != EOF &&
              fputc(0xa5, f) != EOF);
    fclose(f);
    start(HONEST, ABSENT, ABSENT);
    run(20000);
    joined(); /* from the same peer, which is not to blame */
}

Test(join, refuses_a_height_that_the_head_does_not_have)
{
    start(HIGHER, HONEST, ABSENT);
    run(10000);
    joined();
    cr_assert_leq(asked[0], 4, "no more than what was under way when the head came");
}

Test(join, refuses_rubbish_at_its_first_piece)
{
    start(GARBAGE, HONEST, NONE);
    run(10000);
    joined();
    cr_assert_leq(asked[0], 4);
}

Test(join, refuses_a_forged_row_and_does_not_ask_its_peer_again)
{
    start(FORGED, ABSENT, ABSENT);
    run(20000);
    const uint64_t once = asked[0];
    cr_assert(join.state == HUB_JOIN_ASKING && join.offer[0].strikes >= 3);
    manner[1] = HONEST;
    run(10000);
    joined();
    cr_assert_eq(asked[0], once);
}

Test(join, takes_no_more_than_the_bound)
{
    start(HUGE, ABSENT, ABSENT);
    run(20000);
    cr_assert_eq(asked[0], 0);
    cr_assert_eq(join.state, HUB_JOIN_ASKING);
    run(20000);
    cr_assert_eq(join.state, HUB_JOIN_HISTORY);
}

Test(join, falls_back_to_history_when_nobody_has_one)
{
    start(NONE, ABSENT, NONE);
    run(29000);
    cr_assert_eq(join.state, HUB_JOIN_ASKING);
    run(2000);
    cr_assert_eq(join.state, HUB_JOIN_HISTORY);
    cr_assert(access(join.path, F_OK) != 0);
}

Test(join, falls_back_when_all_were_tried)
{
    start(FORGED, GARBAGE, STOPS);
    run(300000);
    cr_assert_eq(join.state, HUB_JOIN_HISTORY);
    cr_assert(join.offer[0].strikes >= 3 && join.offer[1].strikes >= 3 &&
              join.offer[2].strikes >= 3);
}

Test(join, waits_for_a_peer_that_makes_one)
{
    start(MAKING, ABSENT, ABSENT);
    run(60000);
    cr_assert_eq(join.state, HUB_JOIN_ASKING);
    manner[0] = HONEST;
    run(5000);
    joined();
}

Test(join, does_not_wait_for_ever)
{
    start(MAKING, ABSENT, ABSENT);
    run(601000);
    cr_assert_eq(join.state, HUB_JOIN_HISTORY);
}

/* ---- the server alone */

static struct hub_snapshot_message answer_of(struct hub_hash id, uint64_t offset)
{
    struct hub_snapshot_message m;
    hub_offer_answer(&offer, &id, offset, &m);
    return m;
}

Test(join, offers_pieces_inside_the_file_only)
{
    const struct hub_hash id = offer.now.id, zero = {{0}}, other = {{1}};
    const uint64_t bytes = offer.now.bytes;
    struct hub_snapshot_message m = answer_of(zero, 0);
    cr_assert(m.piece.len == HUB_SNAPSHOT_PIECE_BYTES && hub_hash_equal(&m.id, &id));
    cr_assert(m.bytes == bytes && m.height == s.heights);
    m = answer_of(id, bytes - 1);
    cr_assert(m.piece.len == 1 && m.offset == bytes - 1);
    m = answer_of(id, bytes);
    cr_assert(m.piece.len == 0 && m.bytes == bytes);
    m = answer_of(id, HUB_UINT_MAX);
    cr_assert_eq(m.piece.len, 0);
    m = answer_of(other, 0);
    cr_assert(m.piece.len == 0 && hub_hash_equal(&m.id, &id), "it tells what it has");
    cr_assert(offer.wanted, "and that a newer one may be made");
}

Test(join, keeps_serving_a_file_that_was_replaced)
{
    const struct hub_hash old = offer.now.id, zero = {{0}};
    offer.program = "/bin/true"; /* a maker that makes nothing: the new file is put by hand */
    cr_assert(small_ledger_issue(s.ledger, 5));
    stored_block(&s);
    cr_assert_eq(hub_checkpoint_write(s.store, s.chain, s.history), HUB_OK);
    char path[128];
    snprintf(path, sizeof path, "%s/snapshot", made);
    unlink(path); /* as a rename does: the old file stays open */
    put_snapshot();
    answer_of(zero, 0);
    hub_offer_tend(&offer, s.heights, HUB_DISK_OK, 700000);
    cr_assert(offer.maker > 0);
    for (unsigned i = 0; i < 5000 && offer.maker; i++) {
        usleep(1000); /* a process of the system: the only clock here that is not virtual */
        hub_offer_tend(&offer, s.heights, HUB_DISK_OK, 700000 + i);
    }
    cr_assert(!offer.maker && offer.now.height == s.heights);
    struct hub_snapshot_message m = answer_of(old, 0);
    cr_assert(m.piece.len == HUB_SNAPSHOT_PIECE_BYTES && hub_hash_equal(&m.id, &old));
    m = answer_of(zero, 0);
    cr_assert(m.height == s.heights && !hub_hash_equal(&m.id, &old));
}

Test(join, makes_none_that_is_not_needed)
{
    const struct hub_hash zero = {{0}};
    offer.program = "/bin/true";
    answer_of(zero, 0);
    hub_offer_tend(&offer, s.heights, HUB_DISK_OK, 700000); /* no newer checkpoint */
    cr_assert_eq(offer.maker, 0);
    answer_of(zero, 0);
    hub_offer_tend(&offer, s.heights + 1, HUB_DISK_OK, 599999); /* the last is ten minutes old */
    cr_assert_eq(offer.maker, 0);
    hub_offer_tend(&offer, s.heights + 1, HUB_DISK_OK, 600000); /* nobody asked */
    cr_assert_eq(offer.maker, 0);
}

Test(join, gives_the_file_back_when_the_disk_fills)
{
    const struct hub_hash zero = {{0}};
    char path[128];
    snprintf(path, sizeof path, "%s/snapshot", made);
    hub_offer_tend(&offer, s.heights, HUB_DISK_NO_RECORDS, 1000);
    cr_assert(access(path, F_OK) != 0);
    cr_assert_eq(answer_of(zero, 0).bytes, 0);
    hub_offer_tend(&offer, s.heights, HUB_DISK_NO_RECORDS, 700000);
    cr_assert_eq(offer.maker, 0, "none is made then");
}

Test(join, offers_no_file_whose_head_is_damaged)
{
    char path[128];
    snprintf(path, sizeof path, "%s/snapshot", made);
    hub_offer_close(&offer);
    FILE *f = fopen(path, "r+b");
    cr_assert(f && fseek(f, 60, SEEK_SET) == 0 && fputc(0xee, f) != EOF);
    fclose(f);
    cr_assert_eq(hub_offer_open(&offer, made, &s.ledger->genesis), HUB_OK);
    cr_assert_eq(offer.now.fd, -1);
}
