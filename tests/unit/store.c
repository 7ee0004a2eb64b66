/* The journal: what was committed is there, what was not is not, and what would contradict is refused. */
#include "tests/support/ledger_dir.h"
#include "tests/support/space.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEST_MAP_BYTES = 64 << 20 };

static char dir[64];
static struct hub_genesis genesis;
static struct hub_store *store;
static struct hub_ports ports;
static char why[HUB_WHY_BYTES];

static enum hub_status open_store(void)
{
    enum hub_status status = hub_store_open(&store, why, dir, &genesis, TEST_MAP_BYTES);
    if (status == HUB_OK)
        hub_store_ports(store, &ports);
    return status;
}

static void begin(void)
{
    test_dir_make(dir);
    test_dir_genesis(&genesis, "genesis of a test");
}

static void opened(void)
{
    begin();
    cr_assert_eq(open_store(), HUB_OK, "%s", why);
}

static void end(void)
{
    hub_store_close(store);
    test_dir_remove(dir);
}

static void reopen(void)
{
    hub_store_close(store);
    store = NULL;
    cr_assert_eq(open_store(), HUB_OK, "%s", why);
}

static void must(enum hub_status status)
{
    cr_assert_eq(status, HUB_OK, "status %d: %s", (int)status, hub_store_why(store));
}

static enum hub_status put_block(const struct test_block *b)
{
    return ports.put_block(store, &b->header, &b->hash, (struct hub_span){b->bytes, b->len});
}

static enum hub_status put_tip(const struct test_block *b)
{
    struct hub_point fin = {b->header.view, b->header.height, b->hash};
    struct hub_edge edge = {.size = 2};
    memset(edge.node[1].b, 9, 32);
    return ports.put_tip(store, &fin, &edge);
}

static bool holds(const struct test_block *b)
{
    struct hub_span bytes;
    return ports.get_block(store, &b->hash, &bytes) == HUB_OK && bytes.len == b->len &&
           memcmp(bytes.data, b->bytes, b->len) == 0;
}

static void count_vote(void *ctx, const struct hub_vote *v)
{
    struct hub_vote *last = ctx;
    last[0] = *v;
    last[1].signer++; /* the count */
}

/* Number of own votes from this view on; *last gets the last. */
static unsigned votes_from(uint64_t view, struct hub_vote *last)
{
    struct hub_vote seen[2] = {{.signer = 0}, {.signer = 0}};
    must(ports.each_vote(store, 1, view, count_vote, seen));
    *last = seen[0];
    return seen[1].signer;
}

Test(store, keeps_what_was_committed, .init = opened, .fini = end)
{
    struct test_block a, b;
    struct hub_vote vote, last;
    struct hub_certificate cert, got;
    test_dir_block(&a, &genesis, 1, &genesis.chain, 0);
    test_dir_block(&b, &genesis, 2, &a.hash, 0);
    vote = test_dir_vote(HUB_NOTARIZE, 1, &a);
    cert = test_dir_certificate(HUB_FINALIZE, 1, &a);
    must(put_block(&a));
    must(put_block(&b));
    must(ports.put_vote(store, &vote));
    must(ports.put_certificate(store, &cert, 4));
    must(put_tip(&a));
    must(ports.commit(store));
    reopen();
    cr_assert(holds(&a) && holds(&b));
    cr_assert_eq(votes_from(0, &last), 1);
    cr_assert(hub_subject_equal(&last.subject, &vote.subject));
    cr_assert_arr_eq(last.sig.b, vote.sig.b, sizeof vote.sig.b);
    cr_assert_eq(last.signer, 2);
    must(ports.get_certificate(store, 1, 1, HUB_FINALIZE, &got));
    cr_assert(hub_subject_equal(&got.subject, &cert.subject));
    cr_assert_eq(got.signers, 7);
    cr_assert_arr_eq(got.sig[2].b, cert.sig[2].b, 64);
    struct hub_point fin;
    struct hub_edge edge;
    must(ports.get_tip(store, &fin, &edge));
    cr_assert_eq(fin.height, 1);
    cr_assert(hub_hash_equal(&fin.block_hash, &a.hash));
    cr_assert_eq(edge.size, 2);
    cr_assert_eq(edge.node[1].b[31], 9);
    struct hub_span bytes;
    must(ports.get_block_at(store, 1, &bytes));
    cr_assert_eq(bytes.len, a.len);
    cr_assert_eq(ports.get_block_at(store, 2, &bytes), HUB_NOT_FOUND, "height 2 is not final");
}

Test(store, sees_its_own_uncommitted_puts_and_loses_them_without_commit, .init = opened,
     .fini = end)
{
    struct test_block a;
    struct hub_vote vote, last;
    test_dir_block(&a, &genesis, 1, &genesis.chain, 0);
    vote = test_dir_vote(HUB_NOTARIZE, 1, &a);
    must(put_block(&a));
    must(ports.put_vote(store, &vote));
    cr_assert(holds(&a));
    cr_assert_eq(votes_from(0, &last), 1);
    reopen();
    cr_assert_not(holds(&a));
    cr_assert_eq(votes_from(0, &last), 0);
}

Test(store, answers_not_found_in_an_empty_store, .init = opened, .fini = end)
{
    struct hub_point fin;
    struct hub_edge edge;
    struct hub_span bytes;
    static struct hub_certificate cert;
    cr_assert_eq(ports.get_tip(store, &fin, &edge), HUB_NOT_FOUND);
    cr_assert_eq(ports.get_block(store, &genesis.chain, &bytes), HUB_NOT_FOUND);
    cr_assert_eq(ports.get_block_at(store, 0, &bytes), HUB_NOT_FOUND);
    cr_assert_eq(ports.get_certificate(store, 1, 1, HUB_NOTARIZE, &cert), HUB_NOT_FOUND);
    must(ports.commit(store)); /* nothing to commit */
}

/* docs/protocol.md 9: E1 and E3 same kind, E2 nullify and finalize, E4 finalize and notarize of another block. */
Test(store, refuses_an_own_vote_that_contradicts_another, .init = opened, .fini = end)
{
    struct test_block a, b;
    test_dir_block(&a, &genesis, 5, &genesis.chain, 0);
    test_dir_block(&b, &genesis, 5, &genesis.chain, 1);
    struct hub_vote notarize = test_dir_vote(HUB_NOTARIZE, 5, &a),
                    other = test_dir_vote(HUB_NOTARIZE, 5, &b);
    struct hub_vote nullify = test_dir_vote(HUB_NULLIFY, 5, NULL),
                    finalize = test_dir_vote(HUB_FINALIZE, 5, &a);
    struct hub_vote other_final = test_dir_vote(HUB_FINALIZE, 5, &b),
                    next = test_dir_vote(HUB_NULLIFY, 6, NULL);
    must(ports.put_vote(store, &notarize));
    cr_assert_eq(ports.put_vote(store, &other), HUB_CONFLICT, "E1");
    cr_assert_eq(ports.put_vote(store, &other_final), HUB_CONFLICT, "E4");
    must(ports.put_vote(store, &finalize));
    must(ports.put_vote(store, &finalize)); /* the same again is no contradiction */
    cr_assert_eq(ports.put_vote(store, &other_final), HUB_CONFLICT, "E3");
    cr_assert_eq(ports.put_vote(store, &nullify), HUB_CONFLICT, "E2");
    cr_assert_not_null(strstr(hub_store_why(store), "epoch 1, view 5"));
    must(ports.put_vote(store, &next));
    must(ports.commit(store));
    reopen();
    cr_assert_eq(ports.put_vote(store, &other), HUB_CONFLICT, "after a restart as before");
    struct hub_vote last;
    cr_assert_eq(votes_from(0, &last), 3);
}

Test(store, allows_nullify_after_notarize, .init = opened, .fini = end)
{
    struct test_block a;
    test_dir_block(&a, &genesis, 5, &genesis.chain, 0);
    struct hub_vote notarize = test_dir_vote(HUB_NOTARIZE, 5, &a),
                    nullify = test_dir_vote(HUB_NULLIFY, 5, NULL);
    struct hub_vote finalize = test_dir_vote(HUB_FINALIZE, 5, &a);
    must(ports.put_vote(store, &notarize));
    must(ports.put_vote(store, &nullify));
    cr_assert_eq(ports.put_vote(store, &finalize), HUB_CONFLICT, "E2 the other way round");
}

/* What the guard is compared with: an old copy of the directory does not continue from a newer mark, and one that
 * went another way does not either. */
Test(store, knows_the_marks_of_its_own_votes_only, .init = opened, .fini = end)
{
    struct hub_vote_mark none, two, three, forged;
    must(ports.get_mark(store, &none));
    cr_assert(none.votes == 0 && none.view == 0);
    for (uint64_t view = 1; view <= 3; view++) {
        struct test_block b;
        test_dir_block(&b, &genesis, view, &genesis.chain, 0);
        struct hub_vote v = test_dir_vote(HUB_NULLIFY, view, &b);
        must(ports.put_vote(store, &v));
        if (view == 2)
            must(ports.get_mark(store, &two));
    }
    must(ports.commit(store));
    must(ports.get_mark(store, &three));
    cr_assert(three.votes == 3 && three.view == 3 && two.votes == 2 && two.view == 2);
    reopen();
    must(ports.has_mark(store, &none));
    must(ports.has_mark(store, &two));
    must(ports.has_mark(store, &three));
    forged = two;
    forged.head.b[7] ^= 1;
    cr_assert_eq(ports.has_mark(store, &forged), HUB_NOT_FOUND);
    forged = three;
    forged.votes = 4;
    cr_assert_eq(ports.has_mark(store, &forged), HUB_NOT_FOUND);
}

Test(store, a_halt_outlives_a_restart_until_it_is_taken_away, .init = opened, .fini = end)
{
    struct hub_halt got, h = {HUB_ABSTAIN_VOTE_UNKNOWN, 1, 9, 1700000000000, {{5}}};
    must(ports.get_halt(store, &got));
    cr_assert_eq(got.why, HUB_ABSTAIN_NOT);
    must(ports.put_halt(store, &h));
    must(ports.commit(store));
    reopen();
    must(ports.get_halt(store, &got));
    cr_assert(got.why == h.why && got.epoch == 1 && got.view == 9 && got.time_ms == h.time_ms &&
              hub_hash_equal(&got.block, &h.block));
    h.why = HUB_ABSTAIN_NOT;
    must(ports.put_halt(store, &h));
    must(ports.get_halt(store, &got));
    cr_assert_eq(got.why, HUB_ABSTAIN_NOT);
}

Test(store, refuses_two_certificates_for_different_blocks, .init = opened, .fini = end)
{
    struct test_block a, b;
    test_dir_block(&a, &genesis, 5, &genesis.chain, 0);
    test_dir_block(&b, &genesis, 5, &genesis.chain, 1);
    struct hub_certificate one = test_dir_certificate(HUB_NOTARIZE, 5, &a), again = one;
    struct hub_certificate two = test_dir_certificate(HUB_NOTARIZE, 5, &b);
    again.signers = 11; /* other signers, same subject */
    again.sig[3] = again.sig[2];
    memset(again.sig[2].b, 0, 64);
    must(ports.put_certificate(store, &one, 4));
    must(ports.put_certificate(store, &again, 4));
    cr_assert_eq(ports.put_certificate(store, &two, 4), HUB_CONFLICT);
}

Test(store, binds_heights_to_ancestors_and_forgets_the_losers, .init = opened, .fini = end)
{
    struct test_block a, b, c, loser;
    test_dir_block(&a, &genesis, 1, &genesis.chain, 0);
    test_dir_block(&b, &genesis, 2, &a.hash, 0);
    test_dir_block(&loser, &genesis, 2, &a.hash, 1);
    test_dir_block(&c, &genesis, 3, &b.hash, 0);
    must(put_block(&a));
    must(put_block(&loser));
    must(put_block(&b));
    must(put_block(&c));
    must(put_tip(&b));
    must(ports.commit(store));
    reopen();
    struct hub_header header;
    struct hub_hash hash;
    const struct hub_reader r = hub_store_reader(store);
    for (uint64_t height = 1; height <= 2; height++) {
        must(hub_read_header(&r, height, &header, &hash));
        cr_assert(hub_hash_equal(&hash, height == 1 ? &a.hash : &b.hash));
    }
    cr_assert_not(holds(&loser));
    cr_assert(holds(&c), "a block above the tip stays");
}

Test(store, keeps_the_link_to_an_epoch_with_the_tip_at_its_seal, .init = opened, .fini = end)
{
    static const uint8_t link[] = {0xa1, 0x01, 0x02};
    struct test_block a, b;
    struct hub_span bytes;
    struct hub_point tip;
    struct hub_edge edge;
    struct hub_validators set;
    test_dir_block(&a, &genesis, 1, &genesis.chain, 0);
    test_dir_block(&b, &genesis, 2, &a.hash, 0);
    must(put_block(&a));
    must(put_tip(&a));
    must(ports.commit(store));
    must(put_block(&b));
    must(ports.put_link(store, 2, (struct hub_span){link, sizeof link}));
    must(put_tip(&b));
    must(ports.get_link(store, 2, &bytes));
    reopen(); /* without a commit: neither link nor tip */
    cr_assert_eq(ports.get_link(store, 2, &bytes), HUB_NOT_FOUND);
    must(ports.get_tip(store, &tip, &edge));
    cr_assert_eq(tip.height, 1);
    must(put_block(&b));
    must(ports.put_link(store, 2, (struct hub_span){link, sizeof link}));
    must(put_tip(&b));
    must(ports.commit(store));
    reopen(); /* and now both */
    must(ports.get_link(store, 2, &bytes));
    cr_assert(bytes.len == sizeof link && memcmp(bytes.data, link, sizeof link) == 0);
    must(ports.get_tip(store, &tip, &edge));
    cr_assert_eq(tip.height, 2);
    cr_assert_eq(ports.get_link(store, 1, &bytes), HUB_NOT_FOUND);
    const struct hub_reader again = hub_store_reader(store);
    cr_assert_eq(hub_read_set(&again, &genesis, 2, &set), HUB_CORRUPT, "a link is missing");
}

Test(store, never_moves_the_tip_back_or_aside, .init = opened, .fini = end)
{
    struct test_block a, b, aside, gap;
    test_dir_block(&a, &genesis, 1, &genesis.chain, 0);
    test_dir_block(&b, &genesis, 2, &a.hash, 0);
    test_dir_block(&aside, &genesis, 2, &a.hash, 1);
    test_dir_block(&gap, &genesis, 4, &b.hash, 0);
    must(put_block(&a));
    must(put_block(&b));
    must(put_block(&aside));
    must(put_tip(&b));
    must(put_tip(&b)); /* the same is no move */
    must(put_tip(&a)); /* finality passes once more after a damaged block: the tip stays */
    struct hub_point tip;
    struct hub_edge edge;
    must(ports.get_tip(store, &tip, &edge));
    cr_assert(tip.height == 2 && hub_hash_equal(&tip.block_hash, &b.hash));
    cr_assert_eq(put_tip(&aside), HUB_CONFLICT, "aside");
    must(put_block(&gap));
    cr_assert_eq(put_tip(&gap), HUB_CONFLICT, "its parent has height 2, not 3");
}

/* The height's binding is damaged and so is the block: when it comes back from a peer, the block above says where it
 * belongs, and nothing else can take its place. */
Test(store, a_damaged_height_is_bound_again_to_its_own_block_only, .init = opened, .fini = end)
{
    struct test_block a, b, aside;
    uint8_t key[8];
    struct hub_span bytes;
    test_dir_block(&a, &genesis, 1, &genesis.chain, 0);
    test_dir_block(&aside, &genesis, 1, &genesis.chain, 1);
    test_dir_block(&b, &genesis, 2, &a.hash, 0);
    must(put_block(&a));
    must(put_block(&b));
    must(put_tip(&b));
    hub_put_be64(key, 1);
    must(hub_env_del(hub_store_env(store), HUB_MAP_HEIGHT, (struct hub_span){key, 8}));
    must(hub_env_put(hub_store_env(store), HUB_MAP_BLOCK, (struct hub_span){a.hash.b, 32},
                     (struct hub_span){aside.bytes, aside.len}));
    must(ports.commit(store));
    must(put_block(&aside));
    cr_assert_eq(ports.get_block_at(store, 1, &bytes), HUB_NOT_FOUND);
    must(put_block(&a));
    must(ports.get_block_at(store, 1, &bytes));
    cr_assert(bytes.len == a.len && memcmp(bytes.data, a.bytes, a.len) == 0);
    must(hub_env_del(hub_store_env(store), HUB_MAP_HEIGHT, (struct hub_span){key, 8}));
    must(put_tip(&b)); /* so does finality, when it passes again */
    must(ports.get_block_at(store, 1, &bytes));
    cr_assert_eq(put_tip(&aside), HUB_CONFLICT);
}

/* The block is whole, only the way to it is not: the same block once more mends that, too. */
Test(store, a_damaged_height_of_a_whole_block_is_bound_again, .init = opened, .fini = end)
{
    struct test_block a, b;
    uint8_t key[8];
    struct hub_span bytes;
    test_dir_block(&a, &genesis, 1, &genesis.chain, 0);
    test_dir_block(&b, &genesis, 2, &a.hash, 0);
    must(put_block(&a));
    must(put_block(&b));
    must(put_tip(&b));
    hub_put_be64(key, 1);
    must(hub_env_del(hub_store_env(store), HUB_MAP_HEIGHT, (struct hub_span){key, 8}));
    must(ports.commit(store));
    cr_assert_eq(ports.get_block_at(store, 1, &bytes), HUB_NOT_FOUND);
    must(put_block(&a));
    must(ports.get_block_at(store, 1, &bytes));
    cr_assert(bytes.len == a.len && memcmp(bytes.data, a.bytes, a.len) == 0);
}

/* A backup holds what peers could give, and nothing that lets a node vote. */
Test(store, a_backup_has_blocks_and_certificates_and_a_mark_but_no_votes, .init = opened,
     .fini = end)
{
    struct test_block a, b, c;
    struct hub_vote last;
    struct hub_store *from = store;
    struct hub_ports copy;
    struct hub_halt halt;
    struct hub_vote_mark voted;
    struct hub_span bytes;
    struct hub_point tip;
    struct hub_edge edge;
    static struct hub_certificate got;
    char other[64];
    uint64_t height = 0;
    test_dir_block(&a, &genesis, 1, &genesis.chain, 0);
    test_dir_block(&b, &genesis, 2, &a.hash, 0);
    test_dir_block(&c, &genesis, 3, &b.hash, 0); /* not final */
    struct hub_vote vote = test_dir_vote(HUB_NOTARIZE, 2, &b);
    struct hub_certificate fin = test_dir_certificate(HUB_FINALIZE, 2, &b),
                           nul = test_dir_certificate(HUB_NULLIFY, 3, NULL);
    must(put_block(&a));
    must(put_block(&b));
    must(ports.put_vote(store, &vote));
    must(ports.put_certificate(store, &fin, 4));
    must(ports.put_certificate(store, &nul, 4));
    must(put_tip(&b));
    must(put_block(&c));
    must(ports.commit(store));
    test_dir_make(other);
    cr_assert_eq(hub_store_open(&store, why, other, &genesis, TEST_MAP_BYTES), HUB_OK, "%s", why);
    must(hub_store_copy(store, from, &height, why));
    cr_assert_eq(height, 2);
    cr_assert_eq(hub_store_copy(store, from, &height, why), HUB_CONFLICT, "into a used one");
    hub_store_close(store);
    cr_assert_eq(hub_store_open(&store, why, other, &genesis, TEST_MAP_BYTES), HUB_OK, "%s", why);
    hub_store_ports(store, &copy);
    must(copy.get_halt(store, &halt));
    cr_assert_eq(halt.why, HUB_ABSTAIN_RESTORED);
    must(copy.get_mark(store, &voted));
    cr_assert_eq(voted.votes, 0);
    cr_assert_eq(votes_from(0, &last), 0);
    must(copy.get_tip(store, &tip, &edge));
    cr_assert(tip.height == 2 && hub_hash_equal(&tip.block_hash, &b.hash) && edge.size == 2);
    must(copy.get_block_at(store, 1, &bytes));
    cr_assert(bytes.len == a.len && memcmp(bytes.data, a.bytes, a.len) == 0);
    must(copy.get_certificate(store, 1, 2, HUB_FINALIZE, &got));
    must(copy.get_certificate(store, 1, 3, HUB_NULLIFY, &got));
    cr_assert_eq(copy.get_block(store, &c.hash, &bytes), HUB_NOT_FOUND);
    hub_store_close(store);
    test_dir_remove(other);
    store = from;
}

Test(store, refuses_a_tip_that_does_not_descend_from_the_last, .init = opened, .fini = end)
{
    struct test_block a, other, child;
    test_dir_block(&a, &genesis, 1, &genesis.chain, 0);
    test_dir_block(&other, &genesis, 1, &genesis.chain, 1);
    test_dir_block(&child, &genesis, 2, &other.hash, 0);
    must(put_block(&a));
    must(put_tip(&a));
    must(put_block(&child));
    cr_assert_eq(put_tip(&child), HUB_CONFLICT);
}

Test(store, refuses_a_tip_with_a_height_left_out, .init = opened, .fini = end)
{
    struct test_block a, gap;
    test_dir_block(&a, &genesis, 1, &genesis.chain, 0);
    test_dir_block(&gap, &genesis, 3, &a.hash, 0);
    must(put_block(&a));
    must(put_block(&gap));
    cr_assert_eq(put_tip(&gap), HUB_CONFLICT, "its parent has height 1, not 2");
}

Test(store, forgets_old_votes_in_order_and_keeps_their_chain, .init = opened, .fini = end)
{
    struct test_block tip;
    struct hub_vote last;
    const uint64_t far = HUB_STORE_VOTES_KEPT + 50;
    for (uint64_t view = 1; view <= 100; view++) {
        struct hub_vote v = test_dir_vote(HUB_NULLIFY, view, NULL);
        must(ports.put_vote(store, &v));
    }
    test_dir_block(&tip, &genesis, 1, &genesis.chain, 0);
    tip.header.view = far; /* the view of the tip, not of the block bytes, decides */
    must(put_block(&tip));
    must(put_tip(&tip));
    must(ports.commit(store));
    reopen(); /* checks the chain from its new base */
    cr_assert_eq(votes_from(0, &last), 51, "views 50 to 100");
    cr_assert_eq(votes_from(100, &last), 1);
}

/* ---- directories */
Test(store, refuses_the_directory_of_another_genesis, .init = opened, .fini = end)
{
    hub_store_close(store);
    store = NULL;
    test_dir_genesis(&genesis, "genesis of another network");
    cr_assert_eq(open_store(), HUB_CONFLICT);
    cr_assert_not_null(strstr(why, "genesis"), "%s", why);
    test_dir_genesis(&genesis, "genesis of a test");
    cr_assert_eq(open_store(), HUB_OK, "and is untouched: %s", why);
}

Test(store, refuses_a_newer_format, .init = opened, .fini = end)
{
    const uint8_t newer[4] = {0, 0, 0, HUB_STORE_FORMAT + 1};
    must(hub_env_put(hub_store_env(store), HUB_MAP_META,
                     (struct hub_span){(const uint8_t *)"format", 6}, (struct hub_span){newer, 4}));
    must(ports.commit(store));
    hub_store_close(store);
    store = NULL;
    cr_assert_eq(open_store(), HUB_BAD_ENCODING);
    cr_assert_not_null(strstr(why, "format 2"), "%s", why);
}

Test(store, refuses_a_second_node_on_one_directory, .init = begin, .fini = end)
{
    int ready[2], done[2];
    cr_assert_eq(pipe(ready) + pipe(done), 0);
    pid_t child = fork();
    if (child == 0) { /* the first node: holds the directory until told to end */
        char byte = open_store() == HUB_OK ? 'y' : 'n';
        close(done[1]);
        if (write(ready[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 0)
            _exit(1);
        _exit(0);
    }
    char byte = 0;
    close(done[0]);
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cr_assert_eq(byte, 'y');
    cr_assert_eq(open_store(), HUB_NOT_NOW);
    char pid[32];
    snprintf(pid, sizeof pid, "process %d", (int)child);
    cr_assert_not_null(strstr(why, pid), "%s", why);
    close(done[1]);
    int code;
    waitpid(child, &code, 0);
    cr_assert_eq(code, 0);
    cr_assert_eq(open_store(), HUB_OK, "free once the first has ended, however it ended: %s", why);
}

Test(store, finishes_a_creation_that_was_cut, .init = begin, .fini = end)
{
    char path[128];
    snprintf(path, sizeof path, "%s/ledger.new", dir);
    cr_assert_eq(mkdir(path, 0750), 0);
    snprintf(path, sizeof path, "%s/ledger.new/data.mdb", dir);
    int fd = open(path, O_WRONLY | O_CREAT, 0640);
    cr_assert_eq(write(fd, "half a page", 11), 11);
    close(fd);
    cr_assert_eq(open_store(), HUB_OK, "%s", why);
    snprintf(path, sizeof path, "%s/ledger.new", dir);
    cr_assert_neq(access(path, F_OK), 0);
}

Test(store, never_makes_a_store_anew_in_place_of_one_that_does_not_open, .init = opened,
     .fini = end)
{
    char path[128];
    hub_store_close(store);
    store = NULL;
    snprintf(path, sizeof path, "%s/ledger/data.mdb", dir);
    cr_assert_eq(truncate(path, 100), 0);
    cr_assert_neq(open_store(), HUB_OK);
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_size, 100);
}

Test(store, lets_an_auditor_read_beside_a_running_node, .init = opened, .fini = end)
{
    struct test_block a;
    test_dir_block(&a, &genesis, 1, &genesis.chain, 0);
    must(put_block(&a));
    must(put_tip(&a));
    must(ports.commit(store));
    pid_t child = fork();
    if (child == 0) { /* LMDB is not to be opened twice in one process */
        struct hub_store *reader;
        struct hub_span stored, bytes;
        struct hub_reader r;
        if (hub_store_open_read(&reader, why, dir, false, &stored) ||
            stored.len != genesis.bytes.len ||
            memcmp(stored.data, genesis.bytes.data, stored.len) != 0)
            _exit(1);
        if (hub_store_begin(reader, &r) || hub_read_block_raw(&r, 1, &bytes) || bytes.len != a.len)
            _exit(2);
        hub_env_end(&r);
        hub_store_close(reader);
        _exit(0);
    }
    int code;
    waitpid(child, &code, 0);
    cr_assert_eq(code, 0);
    must(ports.commit(store));
}

/* ---- hazards */
/* Under seals that fit, as if somebody had written them: the chain finds it. */
Test(store, refuses_to_open_when_an_own_vote_is_missing_or_changed, .init = opened, .fini = end)
{
    for (uint64_t view = 1; view <= 3; view++) {
        struct hub_vote v = test_dir_vote(HUB_NULLIFY, view, NULL);
        must(ports.put_vote(store, &v));
    }
    must(ports.commit(store));
    hub_store_close(store);
    for (uint64_t view = 1; view <= 3; view++) {
        for (int removed = 0; removed < 2; removed++) {
            uint8_t key[17] = {0}, saved[512], changed[512];
            char path[128];
            struct hub_env *env;
            struct hub_span value;
            hub_put_be64(key, 1);
            hub_put_be64(key + 8, view);
            key[16] = HUB_NULLIFY;
            snprintf(path, sizeof path, "%s/ledger", dir);
            cr_assert_eq(hub_env_open(&env, why, path, TEST_MAP_BYTES, HUB_ENV_WRITE), HUB_OK);
            struct hub_reader r = hub_env_reader(env);
            cr_assert_eq(hub_env_get(&r, HUB_MAP_VOTE, (struct hub_span){key, 17}, &value), HUB_OK);
            size_t len = value.len;
            memcpy(saved, value.data, len);
            memcpy(changed, value.data, len);
            changed[len - 1] ^= 1; /* a bit of the signature */
            cr_assert_eq(removed ? hub_env_del(env, HUB_MAP_VOTE, (struct hub_span){key, 17})
                                 : hub_env_put(env, HUB_MAP_VOTE, (struct hub_span){key, 17},
                                               (struct hub_span){changed, len}),
                         HUB_OK);
            cr_assert_eq(hub_env_commit(env), HUB_OK);
            hub_env_close(env);
            store = NULL;
            cr_expect_eq(open_store(), HUB_CORRUPT, "view %u, removed %d", (unsigned)view, removed);
            cr_expect_not_null(strstr(why, "own votes"), "%s", why);
            cr_assert_eq(hub_env_open(&env, why, path, TEST_MAP_BYTES, HUB_ENV_WRITE), HUB_OK);
            cr_assert_eq(hub_env_put(env, HUB_MAP_VOTE, (struct hub_span){key, 17},
                                     (struct hub_span){saved, len}),
                         HUB_OK);
            cr_assert_eq(hub_env_commit(env), HUB_OK);
            hub_env_close(env);
        }
    }
    cr_assert_eq(open_store(), HUB_OK, "as it was: %s", why);
}

Test(store, a_damaged_block_or_certificate_counts_as_lost_and_is_replaced, .init = opened,
     .fini = end)
{
    struct test_block a, other;
    static struct hub_certificate got;
    struct hub_span bytes;
    test_dir_block(&a, &genesis, 1, &genesis.chain, 0);
    test_dir_block(&other, &genesis, 1, &genesis.chain, 1);
    struct hub_certificate cert = test_dir_certificate(HUB_FINALIZE, 1, &a);
    must(put_block(&a));
    must(ports.put_certificate(store, &cert, 4));
    must(put_tip(&a));
    must(ports.commit(store));
    uint8_t key[17] = {0};
    hub_put_be64(key, 1);
    hub_put_be64(key + 8, 1);
    key[16] = HUB_FINALIZE;
    must(hub_env_put(hub_store_env(store), HUB_MAP_BLOCK, (struct hub_span){a.hash.b, 32},
                     (struct hub_span){other.bytes, other.len}));
    must(hub_env_put(hub_store_env(store), HUB_MAP_CERTIFICATE, (struct hub_span){key, 17},
                     (struct hub_span){other.bytes, 40}));
    must(ports.commit(store));
    cr_assert_eq(ports.get_block(store, &a.hash, &bytes), HUB_NOT_FOUND);
    cr_assert_eq(ports.get_block_at(store, 1, &bytes), HUB_NOT_FOUND);
    cr_assert_eq(ports.get_certificate(store, 1, 1, HUB_FINALIZE, &got), HUB_NOT_FOUND);
    const struct hub_reader r = hub_store_reader(store);
    cr_assert_eq(hub_read_final_certificate(&r, &a.header, &a.hash, &got), HUB_NOT_FOUND,
                 "a later block's proves as much");
    must(put_block(&a));
    must(ports.put_certificate(store, &cert, 4));
    must(ports.commit(store));
    cr_assert(holds(&a));
    must(ports.get_block_at(store, 1, &bytes));
    must(ports.get_certificate(store, 1, 1, HUB_FINALIZE, &got));
    cr_assert_eq(got.signers, cert.signers);
}

Test(store, a_full_map_fails_cleanly_and_for_good, .init = begin, .fini = end)
{
    cr_assert_eq(hub_store_open(&store, why, dir, &genesis, 256 << 10), HUB_OK, "%s", why);
    hub_store_ports(store, &ports);
    struct test_block first, b;
    test_dir_block(&first, &genesis, 1, &genesis.chain, 0);
    must(put_block(&first));
    must(ports.commit(store));
    enum hub_status status = HUB_OK;
    struct hub_hash parent = first.hash;
    for (uint64_t height = 2; height < 2000 && status == HUB_OK; height++) {
        test_dir_block(&b, &genesis, height, &parent, 0);
        parent = b.hash;
        status = put_block(&b);
        if (status == HUB_OK)
            status = ports.commit(store);
    }
    cr_assert_eq(status, HUB_IO);
    cr_assert_not_null(strstr(hub_store_why(store), "MDB_MAP_FULL"), "%s", hub_store_why(store));
    cr_assert_eq(ports.commit(store), HUB_IO, "no later commit may succeed");
    cr_assert_eq(put_block(&b), HUB_IO);
    reopen();
    cr_assert(holds(&first));
}

/* A write that fails (here: the file may not grow, as on a full disk) fails the commit and every later one (H3). */
Test(store, a_failed_commit_is_the_last, .init = opened, .fini = end)
{
    struct test_block a;
    char path[128];
    struct stat st;
    test_dir_block(&a, &genesis, 1, &genesis.chain, 0);
    snprintf(path, sizeof path, "%s/ledger/data.mdb", dir);
    cr_assert_eq(stat(path, &st), 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit old, limit;
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = (rlim_t)st.st_size;
    setrlimit(RLIMIT_FSIZE, &limit);
    enum { LARGE = 1 << 20 };
    must(put_block(&a));
    must(hub_env_put(hub_store_env(store), HUB_MAP_RESULT,
                     (struct hub_span){(const uint8_t *)"12345678", 8},
                     (struct hub_span){test_space(LARGE), LARGE}));
    cr_assert_eq(ports.commit(store), HUB_IO);
    setrlimit(RLIMIT_FSIZE, &old);
    cr_assert_eq(ports.commit(store), HUB_IO);
    cr_assert_eq(put_block(&a), HUB_IO);
    reopen();
    cr_assert_not(holds(&a), "nothing of the failed commit is there");
}

Test(store, a_snapshot_does_not_see_what_comes_later, .init = opened, .fini = end)
{
    struct test_block a;
    struct hub_reader r;
    struct hub_span bytes;
    test_dir_block(&a, &genesis, 1, &genesis.chain, 0);
    must(hub_store_begin(store, &r));
    must(put_block(&a));
    must(put_tip(&a));
    must(ports.commit(store));
    cr_assert_eq(hub_read_block(&r, 1, &bytes), HUB_NOT_FOUND);
    hub_env_end(&r);
    must(hub_store_begin(store, &r));
    must(hub_read_block(&r, 1, &bytes));
    hub_env_end(&r);
    int dead = -1;
    must(hub_store_tend(store, &dead));
    cr_assert_eq(dead, 0);
}

Test(store, names_what_a_node_may_still_do_as_the_disk_fills)
{
    cr_assert_eq(hub_disk_level_of(1000, 1000), HUB_DISK_OK);
    cr_assert_eq(hub_disk_level_of(101, 1000), HUB_DISK_OK);
    cr_assert_eq(hub_disk_level_of(100, 1000), HUB_DISK_NO_RECORDS);
    cr_assert_eq(hub_disk_level_of(51, 1000), HUB_DISK_NO_RECORDS);
    cr_assert_eq(hub_disk_level_of(50, 1000), HUB_DISK_NO_PROPOSALS);
    cr_assert_eq(hub_disk_level_of(21, 1000), HUB_DISK_NO_PROPOSALS);
    cr_assert_eq(hub_disk_level_of(20, 1000), HUB_DISK_STOP);
    cr_assert_eq(hub_disk_level_of(0, 0), HUB_DISK_STOP);
}

/* ---- kill at every boundary: a child runs the first `steps` calls and dies; what the last commit among them
 * held is there, nothing else. */
enum { STEPS = 12 };

/* One call each; commits are steps 3, 6, 9 and 11. */
static void step(unsigned i, const struct test_block b[4])
{
    struct hub_vote notarize = test_dir_vote(HUB_NOTARIZE, i / 3 + 1, &b[i / 3]);
    struct hub_certificate cert = test_dir_certificate(HUB_FINALIZE, i / 3 + 1, &b[i / 3]);
    if (i == 2 || i == 5 || i == 8 || i == 10)
        must(ports.commit(store));
    else if (i == 9)
        must(ports.put_certificate(store, &cert, 4));
    else if (i == 11)
        must(put_tip(&b[2]));
    else if (i % 3 == 0)
        must(put_block(&b[i / 3]));
    else
        must(ports.put_vote(store, &notarize));
}

Test(store, a_kill_at_any_call_loses_only_what_was_not_committed, .init = begin, .fini = end)
{
    struct test_block b[4];
    struct hub_hash parent = genesis.chain;
    for (unsigned i = 0; i < 4; i++) {
        test_dir_block(&b[i], &genesis, i + 1, &parent, 0);
        parent = b[i].hash;
    }
    for (unsigned steps = 0; steps <= STEPS; steps++) {
        test_dir_remove(dir);
        cr_assert_eq(mkdir(dir, 0750), 0);
        pid_t child = fork();
        if (child == 0) {
            if (open_store() != HUB_OK)
                _exit(1);
            for (unsigned i = 0; i < steps; i++)
                step(i, b);
            kill(getpid(), SIGKILL);
        }
        int code;
        waitpid(child, &code, 0);
        cr_assert(WIFSIGNALED(code) && WTERMSIG(code) == SIGKILL);
        cr_assert_eq(open_store(), HUB_OK, "after %u steps: %s", steps, why);
        unsigned committed = steps >= 9 ? 3 : steps / 3;
        struct hub_vote last;
        struct hub_point fin;
        struct hub_edge edge;
        static struct hub_certificate cert;
        for (unsigned i = 0; i < 4; i++)
            cr_assert_eq(holds(&b[i]), i < committed, "block %u after %u steps", i, steps);
        cr_assert_eq(votes_from(0, &last), committed, "after %u steps", steps);
        cr_assert_eq(ports.get_certificate(store, 1, 4, HUB_FINALIZE, &cert),
                     steps >= 11 ? HUB_OK : HUB_NOT_FOUND);
        cr_assert_eq(ports.get_tip(store, &fin, &edge), HUB_NOT_FOUND,
                     "the tip was never committed");
        hub_store_close(store);
        store = NULL;
    }
}
