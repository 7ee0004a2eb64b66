/* The recovery epoch on a ledger: its block, what it makes final, and every rule of its record. Expected headers are
 * written out here from docs/protocol.md 16. */
#include "hub/recovery.h"

#include "tests/support/net.h"
#include "tests/support/space.h"

#include "ledger/recovery.h"
#include "node/replica_parts.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { FINAL_VIEW = 1, BASE_VIEW = 4, BASE_SECONDS = 9 };

static struct net *net;
static struct hub_block *first, *base; /* final; and one above that nobody's certificate covers */

static struct hub_record issue(uint64_t amount_fen)
{
    return net_record(net, HUB_TYPE_CURRENCY_ISSUE, NET_CA_ISSUER, net_body_issue(net, amount_fen),
                      NULL);
}

static void finalize(struct hub_chain *c, const struct hub_block *b)
{
    struct hub_certificate cert = net_certificate(net, b, 7);

    cr_assert_eq(hub_chain_finalize(c, &cert, NULL, NULL), HUB_OK);
}

static void open_ledger(void)
{
    static const char *const names[] = {"currency.cosign_issue", NULL};
    static const uint64_t values[] = {0};
    struct hub_record r;

    net = net_open(names, values);
    r = issue(100);
    first = net_build(net, net->chain, NULL, &r, 1);
    finalize(net->chain, first);
    r = issue(200);
    base =
        net_build_at(net, net->chain, &first->hash, &r, 1, BASE_VIEW, first->header.time_ms + 2000);
}

struct wish { /* what differs from a good recovery by validators 0 and 1 */
    const struct hub_hash *base;
    uint64_t epoch, quorum, time_ms, view[2]; /* 0: the good one; epoch: added */
    unsigned signers, next;                   /* 0: 2 */
    enum net_key other;                       /* in place of the second of the next set; 0: none */
    bool below, lone_member, lone_validator,
        stranger; /* below: the base of a lower view than they claim */
};

static struct hub_span body(const struct wish *w, struct net_wish *sign)
{
    const enum net_key second = w->other != 0 ? w->other : NET_VALIDATOR + 1;
    const unsigned signers = w->signers == 0 ? 2 : w->signers, next = w->next == 0 ? 2 : w->next;
    uint8_t *bytes = net_take(net, 1024);
    struct hub_buf b = {bytes, 0, 1024, false};

    *sign = (struct net_wish){.cosigns = 0};
    hub_put_map(&b, 8);
    hub_put_text(&b, "base");
    hub_put_hash(&b, w->base != NULL ? w->base : w->below ? &first->hash : &base->hash);
    hub_put_text(&b, "epoch");
    hub_put_uint(&b, w->epoch);
    hub_put_text(&b, "quorum");
    hub_put_uint(&b, w->quorum == 0 ? 2 : w->quorum);
    hub_put_text(&b, "reason");
    hub_put_map(&b, 1);
    hub_put_text(&b, "zh");
    hub_put_text(&b, "lost");
    hub_put_text(&b, "signers");
    hub_put_array(&b, signers);
    for (unsigned i = 0; i < signers; i++) {
        hub_put_map(&b, 2);
        hub_put_text(&b, "kid");
        hub_put_hash(&b, &net->key[w->stranger && i == 1 ? NET_XC_SEAL : NET_VALIDATOR + i].kid);
        hub_put_text(&b, "view");
        hub_put_uint(&b, i < 2 && w->view[i] != 0 ? w->view[i] : i == 0 ? FINAL_VIEW : BASE_VIEW);
    }
    hub_put_text(&b, "time_ms");
    hub_put_uint(&b, w->time_ms != 0 ? w->time_ms
                                     : first->header.time_ms + BASE_SECONDS * UINT64_C(1000));
    hub_put_text(&b, "validators");
    hub_put_array(&b, next);
    for (unsigned i = 0; i < next; i++)
        hub_put_hash(&b, &net->key[i == 1 ? second : NET_VALIDATOR + i].kid);
    hub_put_text(&b, "fault_model");
    hub_put_text(&b, "bft");
    if (!w->lone_member)
        sign->cosign[sign->cosigns++] = NET_CN_GOVERNOR;
    sign->cosign[sign->cosigns++] = NET_VALIDATOR;
    if (!w->lone_validator)
        sign->cosign[sign->cosigns++] = w->stranger ? NET_XC_SEAL : NET_VALIDATOR + 1;
    return hub_span_of(&b);
}

static struct hub_record recovery(const struct wish *w)
{
    struct net_wish sign;
    const struct hub_span b = body(w, &sign);

    return net_record(net, HUB_TYPE_EPOCH_RECOVER, NET_XC_GOVERNOR, b, &sign);
}

struct built {
    struct hub_record record[1];
    uint8_t bytes[HUB_RECORD_BYTES_MAX + 1024];
    struct hub_buf out;
    struct hub_block block;
    uint16_t why;
};

static enum hub_status build(struct built *x, struct hub_chain *c, const struct hub_record *r)
{
    x->out = (struct hub_buf){x->bytes, 0, sizeof x->bytes, false};
    x->block = (struct hub_block){.records = x->record};
    x->why = 0;
    return hub_chain_recovery(c, r, &x->block, &x->out, &x->why);
}

static unsigned visited;
static void visit(void *ctx, const struct hub_applied *final)
{
    struct hub_hash *last = ctx;

    *last = final->hash;
    visited++;
}

Test(recovery, its_block_is_the_one_that_the_record_describes)
{
    static struct built x, again;
    struct hub_record r, rest;
    struct hub_hash last, records_root;
    struct hub_edge leaf = {0};
    const struct hub_header *h = &x.block.header;

    open_ledger();
    r = recovery(&(struct wish){.epoch = 0});
    cr_assert_eq(build(&x, net->chain, &r), HUB_OK, "%u", x.why);
    hub_merkle_append(&leaf, &r.leaf, NULL, NULL);
    hub_merkle_root(&records_root, &leaf);
    cr_assert_eq(h->flags, HUB_FLAG_RECOVERY);
    cr_assert_eq(h->epoch, 0);
    cr_assert_eq(h->height, 3);
    cr_assert(hub_hash_equal(&h->parent, &base->hash));
    cr_assert_eq(h->parent_view, BASE_VIEW);
    cr_assert_eq(h->view, BASE_VIEW + 1);
    cr_assert_eq(h->proposer, 0);
    cr_assert_eq(h->record_count, 1);
    cr_assert_eq(h->time_ms, first->header.time_ms + BASE_SECONDS * UINT64_C(1000));
    cr_assert(hub_hash_equal(&h->records_root, &records_root));
    cr_assert(hub_hash_equal(&h->validators, &net->genesis.set.hash));
    cr_assert_not(hub_hash_equal(&h->next_validators, &h->validators));

    /* Building changes nothing; making it final does, at once and with its ancestors. */
    cr_assert_eq(net->chain->final_header.height, 1);
    cr_assert_eq(build(&again, net->chain, &r), HUB_OK);
    cr_assert(hub_hash_equal(&again.block.hash, &x.block.hash));
    hub_chain_recover(net->chain, &x.block, visit, &last);
    cr_assert_eq(visited, 2);
    cr_assert(hub_hash_equal(&last, &x.block.hash));
    cr_assert(hub_hash_equal(&net->chain->final_hash, &x.block.hash));
    cr_assert_eq(net->chain->set.epoch, 1);
    cr_assert_eq(net->chain->set.n, 2);
    cr_assert_eq(net->chain->set.q, 2);
    cr_assert(hub_hash_equal(&net->chain->set.hash, &h->next_validators));
    cr_assert(hub_hash_equal(&net->chain->set.v[1].kid, &net->key[NET_VALIDATOR + 1].kid));

    /* The next epoch goes on from there. */
    rest = issue(300);
    cr_assert_eq(net_build_at(net, net->chain, NULL, &rest, 1, 1, h->time_ms + 1)->header.epoch, 1);
}

/* Held and executed by another node, from bytes alone. */
Test(recovery, is_the_same_everywhere)
{
    static struct built x, y;
    struct hub_chain *other;
    struct hub_block *b;
    struct hub_fault fault;
    struct hub_record r;

    open_ledger();
    r = recovery(&(struct wish){.epoch = 0});
    cr_assert_eq(build(&x, net->chain, &r), HUB_OK);
    other = net_chain(net);
    b = net_receive(net, other, first->bytes);
    cr_assert_eq(hub_chain_append(other, b, &fault), HUB_OK);
    finalize(other, b);
    b = net_receive(net, other, base->bytes);
    cr_assert_eq(hub_chain_append(other, b, &fault), HUB_OK);
    b = net_receive(net, other, x.block.bytes);
    cr_assert_eq(hub_chain_append(other, b, &fault), HUB_BAD_BLOCK, "no vote makes it valid");
    cr_assert_eq(build(&y, other, &b->records[0]), HUB_OK);
    cr_assert(hub_hash_equal(&y.block.hash, &x.block.hash));
    hub_chain_recover(other, &y.block, NULL, NULL);
    cr_assert_eq(other->set.epoch, 1);
}

Test(recovery, each_rule_of_its_record)
{
    static struct built x;
    const struct hub_hash nowhere = {{9}};
    const struct {
        struct wish wish;
        enum hub_status status;
        uint16_t why;
    } refused[] = {
        {{.lone_validator = true}, HUB_REFUSED, HUB_CODE_cosign_missing},
        {{.signers = 1, .view = {BASE_VIEW}}, HUB_REFUSED, HUB_CODE_cosign_missing},
        {{.stranger = true}, HUB_REFUSED, HUB_CODE_cosign_missing},
        {{.lone_member = true}, HUB_REFUSED, HUB_CODE_cosign_missing},
        {{.base = &nowhere}, HUB_UNKNOWN_PARENT, HUB_CODE_recovery_base},
        {{.view = {BASE_VIEW - 1, BASE_VIEW - 1}}, HUB_REFUSED, HUB_CODE_recovery_base},
        {{.view = {BASE_VIEW + 1}}, HUB_REFUSED, HUB_CODE_recovery_base},
        {{.below = true}, HUB_REFUSED, HUB_CODE_recovery_base},
        {{.epoch = 1}, HUB_REFUSED, HUB_CODE_recovery_misplaced},
        {{.time_ms = 1}, HUB_REFUSED, HUB_CODE_recovery_misplaced},
        {{.other = NET_XC_SEAL}, HUB_REFUSED, HUB_CODE_validator_unknown},
        {{.other = NET_SPARE}, HUB_REFUSED, HUB_CODE_validator_unknown},
    };
    struct hub_hash state;

    open_ledger();
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct hub_record r = recovery(&refused[i].wish);

        cr_assert_eq(build(&x, net->chain, &r), refused[i].status, "%zu", i);
        cr_assert_eq(x.why, refused[i].why, "%zu: %u", i, x.why);
    }
    cr_assert_eq(hub_chain_move(net->chain, &base->hash), HUB_OK);
    hub_state_root(&net->chain->state, &state);
    cr_assert(hub_hash_equal(&state, &base->header.state_root), "nothing of them stays");
}

/* Told from the draft alone: nobody falls silent for it. */
Test(recovery, a_set_that_can_have_no_such_quorum_is_no_record)
{
    const struct wish bad[] = {{.quorum = 1},
                               {.next = 1, .quorum = 1}, /* one must say single */
                               {.quorum = 3}};

    open_ledger();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct net_wish sign;
        const struct hub_span b = body(&bad[i], &sign);
        const struct hub_span bytes =
            net_sign(net, HUB_TYPE_EPOCH_RECOVER, NET_XC_GOVERNOR, b, &sign);
        struct hub_record r;
        uint16_t why = 0;

        cr_assert_eq(
            hub_record_decode(&r, &why, bytes, (struct hub_span){NULL, 0}, &net->genesis.chain),
            HUB_REFUSED, "%zu", i);
        cr_assert_eq(why, HUB_CODE_quorum_unsafe, "%zu: %u", i, why);
    }
}

/* A machine is lost between its stand and its signature, or an observer's stand was added: enough others signed. */
Test(recovery, who_is_named_and_does_not_sign_is_not_counted)
{
    static struct built x;
    struct hub_record r;

    open_ledger();
    r = recovery(&(struct wish){.signers = 3});
    cr_assert_eq(build(&x, net->chain, &r), HUB_OK, "%u", x.why);
    r = recovery(&(struct wish){.signers = 3, .lone_validator = true});
    cr_assert_eq(build(&x, net->chain, &r), HUB_REFUSED);
    cr_assert_eq(x.why, HUB_CODE_cosign_missing);
}

/* Its number is spent, and nothing else happens: no leader can smuggle one in. */
Test(recovery, does_nothing_in_an_ordinary_block)
{
    struct hub_record r;
    struct hub_block *b;
    struct hub_cbor result;

    open_ledger();
    r = recovery(&(struct wish){.epoch = 0});
    b = net_build_at(net, net->chain, &base->hash, &r, 1, BASE_VIEW + 1,
                     first->header.time_ms + BASE_SECONDS * UINT64_C(1000));
    cr_assert_eq(b->header.flags, 0);
    cr_assert_eq(b->header.record_count, 1);
    result = hub_cbor_open(hub_span_of(&net->chain->slot[net->chain->at].results));
    hub_cbor_array(&result, 3, 3);
    hub_cbor_item(&result);
    cr_assert_eq(hub_cbor_uint(&result, 0, UINT16_MAX), HUB_CODE_recovery_misplaced);
}

/* ---- a node */

static struct hub_replica replica;
static struct hub_block *at_height_3; /* what the store gives; NULL: damaged */
static struct hub_span link_to_1;     /* and this; empty: damaged */
static unsigned links_put, halts_put;
static struct hub_halt halt;

static enum hub_status get_block_at(void *store, uint64_t height, struct hub_span *bytes)
{
    if (store != NULL || height != 3 || at_height_3 == NULL)
        return HUB_NOT_FOUND;
    *bytes = at_height_3->bytes;
    return HUB_OK;
}

static enum hub_status get_link(void *store, uint64_t epoch, struct hub_span *bytes)
{
    *bytes = link_to_1;
    return store == NULL && epoch == 1 && link_to_1.len > 0 ? HUB_OK : HUB_NOT_FOUND;
}

static enum hub_status put_link(void *store, uint64_t epoch, struct hub_span link)
{
    links_put += epoch == 1 && link.len > 0;
    return store == NULL ? HUB_OK : HUB_IO;
}

static enum hub_status get_halt(void *store, struct hub_halt *out)
{
    *out = halt;
    return store == NULL ? HUB_OK : HUB_IO;
}

static enum hub_status put_halt(void *store, const struct hub_halt *h)
{
    halt = *h;
    halts_put++;
    return store == NULL ? HUB_OK : HUB_IO;
}

static struct hub_vote_mark guard_mark;

static enum hub_status guard_read(void *guard, struct hub_vote_mark *out)
{
    *out = *(const struct hub_vote_mark *)guard;
    return HUB_OK;
}

static void guard_note(void *guard, const struct hub_vote_mark *m)
{
    *(struct hub_vote_mark *)guard = *m;
}

static void alarm(void *client, const char *what, const struct hub_hash *block)
{
    cr_assert(client == NULL && what != NULL && block != NULL);
}

/* At the chain of `net`; observer, so that no guard is asked. */
static void open_node(void)
{
    static struct hub_record records[1];
    static struct hub_record_keys keys[1];

    replica.chain = *net->chain;
    replica.cons.cfg.epoch = net->chain->set.epoch;
    replica.cfg.me = net->chain->set.n;
    replica.records = records;
    replica.keys = keys;
    replica.scratch =
        (struct hub_buf){test_space(HUB_BLOCK_BYTES_MAX), 0, HUB_BLOCK_BYTES_MAX, false};
    replica.port.get_block_at = get_block_at;
    replica.port.get_link = get_link;
    replica.port.put_link = put_link;
    replica.port.get_halt = get_halt;
    replica.port.put_halt = put_halt;
    replica.port.alarm = alarm;
    replica.port.guard = &guard_mark;
    replica.port.guard_read = guard_read;
    replica.port.guard_note = guard_note;
}

/* The link of a recovery block, with this root in its header. */
static struct hub_span link_with(const struct hub_block *b, const struct hub_hash *state_root)
{
    struct hub_buf next = {net_take(net, 1024), 0, 1024, false};
    struct hub_buf head = {net_take(net, 1024), 0, 1024, false};
    struct hub_buf out = {net_take(net, 8192), 0, 8192, false};
    struct hub_link l = {.headers.n = 1, .recovery = b->records[0].bytes};
    struct hub_header h = b->header;

    h.state_root = *state_root;
    hub_validators_encode(&next, &net->chain->set);
    hub_header_encode(&head, &h);
    l.next = hub_span_of(&next);
    l.headers.bytes[0] = hub_span_of(&head);
    hub_link_encode(&out, &l, 0);
    cr_assert_not(out.full);
    return hub_span_of(&out);
}

static bool takes(struct hub_span bytes)
{
    struct hub_link l;

    replica.mend.link.place = 1;
    cr_assert(hub_link_decode(&l, bytes));
    return hub_mend_take_link(&replica, &l, bytes);
}

/* No certificate stands behind such a header: with other roots the link holds for whoever has no state. */
Test(recovery, a_link_with_another_header_mends_nothing_and_moves_no_leader)
{
    static struct built x;
    static const struct hub_hash other = {{7}};
    struct hub_record r;
    struct hub_hash honest, forged, row;

    open_ledger();
    r = recovery(&(struct wish){.epoch = 0});
    cr_assert_eq(build(&x, net->chain, &r), HUB_OK);
    hub_chain_recover(net->chain, &x.block, NULL, NULL);
    open_node();
    at_height_3 = &x.block;
    cr_assert_not(takes(link_with(&x.block, &other)));
    cr_assert_eq(links_put, 0);
    cr_assert(takes(link_with(&x.block, &x.block.header.state_root)));
    cr_assert_eq(links_put, 1);

    /* One that came with a snapshot, below which there are no blocks to compare it with. */
    link_to_1 = link_with(&x.block, &x.block.header.state_root);
    cr_assert_eq(hub_epochs_seal_hash(&replica, &honest), HUB_OK);
    link_to_1 = link_with(&x.block, &other);
    cr_assert_eq(hub_epochs_seal_hash(&replica, &forged), HUB_OK);
    link_to_1.len = 0;
    cr_assert_eq(hub_epochs_seal_hash(&replica, &row), HUB_OK);
    cr_assert(hub_hash_equal(&honest, &forged));
    cr_assert(hub_hash_equal(&honest, &row));
}

/* A FINALIZATION above the base is here, its block perhaps not: what it says is final stays. */
Test(recovery, a_node_that_holds_a_finalization_above_the_base_refuses)
{
    struct hub_record r;

    open_ledger();
    r = recovery(&(struct wish){.epoch = 0});
    open_node();
    replica.cfg.recovery = &r;
    replica.cfg.recoveries = 1;
    replica.cons.top.view = BASE_VIEW + 1;
    cr_assert(hub_recover_record(&replica) == &r);
    hub_recover_cross(&replica);
    cr_assert_eq(replica.recover.why, HUB_CODE_recovery_base);
    replica.recover.why = 0;
    replica.cons.top.view = BASE_VIEW; /* of another block: more lied than a ledger is safe with */
    hub_recover_cross(&replica);
    cr_assert_eq(replica.recover.why, HUB_CODE_recovery_base);
    cr_assert_eq(replica.chain.set.epoch, 0);
}

/* Signed, and it can hold nowhere: the node stays silent, and its operator may sign another. One that others can still
 * complete binds it for good. */
Test(recovery, a_record_that_holds_nowhere_binds_to_silence_only)
{
    const struct hub_hash none = {{0}};
    struct hub_record lone, unknown;

    open_ledger();
    lone = recovery(&(struct wish){.lone_member = true});
    unknown = recovery(&(struct wish){.other = NET_SPARE});
    open_node();
    replica.cfg.recoveries = 1;
    halt.why = HUB_ABSTAIN_RECOVERY;
    replica.cfg.recovery = &lone;
    hub_epoch_recover_what(&halt.block, &lone);
    replica.permit.halt = halt;
    hub_recover_cross(&replica);
    cr_assert_eq(replica.recover.why, HUB_CODE_cosign_missing);
    cr_assert_eq(halts_put, 0);

    replica.recover.why = 0;
    replica.cfg.recovery = &unknown;
    hub_recover_cross(&replica);
    cr_assert_eq(replica.recover.why, HUB_CODE_validator_unknown);
    cr_assert_eq(halts_put, 0, "another was signed");
    hub_epoch_recover_what(&guard_mark.signed_, &unknown);
    hub_epoch_recover_what(&halt.block, &unknown);
    replica.permit.halt = halt;
    replica.recover.why = 0;
    hub_recover_cross(&replica);
    cr_assert_eq(halts_put, 1);
    cr_assert_eq(halt.why, HUB_ABSTAIN_RECOVERY);
    cr_assert(hub_hash_equal(&guard_mark.signed_, &none), "the guard follows");
    hub_epoch_recover_what(&guard_mark.signed_, &lone);
    replica.recover.why = 0;
    hub_recover_cross(&replica);
    cr_assert_not(hub_hash_equal(&guard_mark.signed_, &none), "an older directory frees nothing");
    cr_assert(hub_hash_equal(&halt.block, &none));
}

/* Its disk damaged, a node may begin in that epoch once more: it had promised silence. */
Test(recovery, the_silence_is_kept_after_its_epoch)
{
    open_ledger();
    open_node();
    halt = (struct hub_halt){.why = HUB_ABSTAIN_RECOVERY, .epoch = 0};
    replica.cons.cfg.epoch = 1;
    cr_assert_eq(hub_permit_begin(&replica), HUB_OK);
    cr_assert_eq(replica.permit.halt.why, HUB_ABSTAIN_NOT);
    cr_assert_eq(halts_put, 0);
    replica.cons.cfg.epoch = 0;
    cr_assert_eq(hub_permit_begin(&replica), HUB_OK);
    cr_assert_eq(replica.permit.halt.why, HUB_ABSTAIN_RECOVERY);
}

/* Without a file that would keep it silent by itself. */
Test(recovery, an_operators_word_does_not_end_the_silence)
{
    open_ledger();
    open_node();
    halt = (struct hub_halt){.why = HUB_ABSTAIN_RECOVERY, .epoch = 0};
    replica.cfg.acknowledge = true;
    cr_assert_eq(hub_permit_begin(&replica), HUB_OK);
    cr_assert_eq(replica.permit.halt.why, HUB_ABSTAIN_RECOVERY);
    cr_assert_eq(halts_put, 0);
}

static enum hub_status has_mark(void *store, const struct hub_vote_mark *m)
{
    return store == NULL && m != NULL ? HUB_OK : HUB_IO;
}

static enum hub_status no_mark(void *store, struct hub_vote_mark *out)
{
    (void)store;
    *out = (struct hub_vote_mark){.votes = 0};
    return HUB_OK;
}

/* Damage leads a node back into an epoch that its key has left: nobody waits for its vote there, and after a recovery it
 * must not be cast. */
Test(recovery, a_key_votes_in_no_epoch_that_it_has_left)
{
    open_ledger();
    open_node();
    replica.cfg.me = 0;
    guard_mark = (struct hub_vote_mark){.epoch = 1, .view = 4};
    replica.port.get_mark = no_mark;
    replica.port.has_mark = has_mark;
    cr_assert_eq(hub_permit_begin(&replica), HUB_OK);
    cr_assert_eq(replica.permit.why, HUB_ABSTAIN_LEFT);
    guard_mark.epoch = 0;
    cr_assert_eq(hub_permit_begin(&replica), HUB_OK);
    cr_assert_eq(replica.permit.why, HUB_ABSTAIN_ASKING);
}

/* The hash of a block covers its header only: a peer may have sent other entries behind it. */
Test(recovery, the_block_computed_here_takes_the_place_of_a_peers)
{
    static struct built x;
    struct hub_record r;
    struct hub_body *b;
    uint8_t *theirs;

    open_ledger();
    theirs = net_take(net, 8192);
    r = recovery(&(struct wish){.epoch = 0});
    cr_assert_eq(build(&x, net->chain, &r), HUB_OK);
    open_node();
    for (uint32_t i = 0; i < HUB_BODIES_MAX; i++)
        replica.body[i].bytes =
            (struct hub_buf){test_space(HUB_BODY_BYTES_MAX), 0, HUB_BODY_BYTES_MAX, false};
    memcpy(theirs, x.block.bytes.data, x.block.bytes.len);
    theirs[x.block.bytes.len - 2] ^= 1;
    b = hub_body_put(&replica, (struct hub_span){theirs, x.block.bytes.len});
    cr_assert_not_null(b);
    cr_assert(hub_hash_equal(&b->hash, &x.block.hash), "the header is the same");
    b = hub_body_put_own(&replica, x.block.bytes, &x.block.hash);
    cr_assert_not_null(b);
    cr_assert(hub_span_equal(hub_span_of(&b->bytes), x.block.bytes));
}

static struct hub_span stored_block;

static enum hub_status get_block(void *store, const struct hub_hash *hash, struct hub_span *bytes)
{
    *bytes = stored_block;
    return store == NULL && hub_hash_equal(hash, &replica.chain.final_hash) ? HUB_OK
                                                                            : HUB_NOT_FOUND;
}

/* What was applied is not looked at again: a peer that sends it once more, with other entries, changes nothing. */
Test(recovery, an_applied_block_is_what_was_checked_whatever_peers_send)
{
    static struct built x;
    struct hub_record r;
    struct hub_body *b;
    uint8_t *theirs;

    open_ledger();
    r = recovery(&(struct wish){.epoch = 0});
    cr_assert_eq(build(&x, net->chain, &r), HUB_OK);
    hub_chain_recover(net->chain, &x.block, NULL, NULL);
    open_node();
    for (uint32_t i = 0; i < HUB_BODIES_MAX; i++)
        replica.body[i].bytes =
            (struct hub_buf){test_space(HUB_BODY_BYTES_MAX), 0, HUB_BODY_BYTES_MAX, false};
    replica.port.get_block = get_block;
    stored_block = x.block.bytes;
    theirs = net_take(net, 8192);
    memcpy(theirs, x.block.bytes.data, x.block.bytes.len);
    theirs[x.block.bytes.len - 2] ^= 1;
    b = hub_body_take(&replica, (struct hub_span){theirs, x.block.bytes.len}, &x.block.hash);
    cr_assert_not_null(b);
    cr_assert(hub_span_equal(hub_span_of(&b->bytes), x.block.bytes));
    cr_assert(b->stored);
}

/* A directory of before the signature knows nothing of it. */
Test(recovery, the_guard_remembers_the_silence)
{
    open_ledger();
    open_node();
    replica.cfg.me = 0;
    replica.cfg.acknowledge = replica.cfg.resume = true;
    guard_mark = (struct hub_vote_mark){.epoch = 0, .view = HUB_VIEW_SILENT};
    replica.port.get_mark = no_mark;
    cr_assert_eq(hub_permit_begin(&replica), HUB_OK);
    cr_assert_eq(replica.permit.why, HUB_ABSTAIN_RECOVERY);
    halt = (struct hub_halt){.why = HUB_ABSTAIN_RESTORED};
    cr_assert_eq(hub_permit_begin(&replica), HUB_OK);
    cr_assert_eq(replica.permit.why, HUB_ABSTAIN_RECOVERY);
}
