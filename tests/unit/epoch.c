/* Epochs in the chain: the block that seals, the TAILs upon it, links, the first block of the next set. Expected
 * headers are written out here field by field from docs/formats.cddl and docs/protocol.md 14. */
#include "tests/support/net.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { LEAVING = 1 }; /* index of the validator whose key is replaced: Changning's */

static struct net *net;

static struct hub_record ready(unsigned validator)
{
    uint8_t *bytes = net_take(net, 128);
    struct hub_buf b = {bytes, 0, 128, false};

    hub_put_map(&b, 3);
    hub_put_text(&b, "endpoint");
    hub_put_text(&b, "127.0.0.1:7001");
    hub_put_text(&b, "protocol");
    hub_put_uint(&b, 1);
    hub_put_text(&b, "software");
    hub_put_text(&b, "test");
    return net_record(net, HUB_TYPE_VALIDATOR_READY, NET_VALIDATOR + validator, hub_span_of(&b),
                      NULL);
}

static struct hub_record replace(void)
{
    const struct net_wish wish = {.cosign = {NET_SPARE}, .cosigns = 1};
    const struct net_key_pair *spare = &net->key[NET_SPARE];
    uint8_t *bytes = net_take(net, 256), cose[HUB_COSE_KEY_BYTES];
    struct hub_buf b = {bytes, 0, 256, false};

    hub_cose_key_encode(cose, &spare->key);
    hub_put_map(&b, 3);
    hub_put_text(&b, "key");
    hub_put_map(&b, 4);
    hub_put_text(&b, "key");
    hub_put_bytes(&b, (struct hub_span){cose, sizeof cose});
    hub_put_text(&b, "label");
    hub_put_text(&b, "new");
    hub_put_text(&b, "roles");
    hub_put_array(&b, 1);
    hub_put_text(&b, "validator");
    hub_put_text(&b, "transport");
    hub_put_bytes(&b, (struct hub_span){spare->key.b, sizeof spare->key.b});
    hub_put_text(&b, "old");
    hub_put_hash(&b, &net->key[NET_VALIDATOR + LEAVING].kid);
    hub_put_text(&b, "reason");
    hub_put_text(&b, "superseded");
    return net_record(net, HUB_TYPE_VALIDATOR_REPLACE, NET_CN_GOVERNOR, hub_span_of(&b), &wish);
}

/* FINALIZE by these validators of this set, of which the second has the spare key from epoch 1 on. */
static struct hub_certificate certify(const struct hub_validators *set, const struct hub_header *h,
                                      const struct hub_hash *hash, uint64_t signers)
{
    struct hub_certificate c = {.signers = signers};

    c.subject = (struct hub_subject){HUB_FINALIZE, h->epoch, h->view,    h->height,
                                     h->log_size,  *hash,    h->log_root};
    for (uint8_t i = 0; i < 4; i++) {
        uint8_t bytes[700];
        struct hub_buf message = {bytes, 0, sizeof bytes, false};
        unsigned key = set->epoch > 0 && i == LEAVING ? NET_SPARE : NET_VALIDATOR + i;

        if ((signers >> i & 1) == 0)
            continue;
        hub_vote_message(&message, set, &c.subject, i);
        hub_sign(&c.sig[i], net->key[key].secret, hub_span_of(&message));
    }
    return c;
}

static enum hub_status finalize(struct hub_chain *c, const struct hub_block *b, uint64_t signers)
{
    struct hub_certificate cert = certify(&c->set, &b->header, &b->hash, signers);

    return hub_chain_finalize(c, &cert, NULL, NULL);
}

/* The block that seals, on a final block in which all four said that they are ready. */
static struct hub_block *seal(void)
{
    struct hub_record r[4];
    struct hub_block *b;

    net = net_open(NULL, NULL);
    for (unsigned i = 0; i < 4; i++)
        r[i] = ready(i);
    b = net_build(net, net->chain, NULL, r, 4);
    cr_assert_eq(finalize(net->chain, b, 7), HUB_OK);
    r[0] = replace();
    return net_build(net, net->chain, NULL, r, 1);
}

static struct hub_hash next_hash(void)
{
    struct hub_validators set = net->genesis.set;
    uint8_t bytes[HUB_EPOCH_BYTES_MAX];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    struct hub_hash hash;

    set.epoch = 1;
    set.v[LEAVING].key = net->key[NET_SPARE].key;
    memcpy(set.v[LEAVING].transport, net->key[NET_SPARE].key.b, 32);
    hub_validators_encode(&b, &set);
    hub_hash_tagged(&hash, "hubledger/epoch/1", hub_span_of(&b));
    return hash;
}

/* A block with this header and no records, as another node would receive it. */
static struct hub_block *empty(const struct hub_header *h)
{
    struct hub_block *b = calloc(1, sizeof *b);
    uint8_t *bytes = net_take(net, 1024);
    struct hub_buf out = {bytes, 0, 1024, false};
    struct hub_span header_bytes;
    struct hub_header again;

    hub_block_encode(&out, h, NULL, 0);
    b->header = *h;
    b->bytes = hub_span_of(&out);
    cr_assert(hub_block_peek(&again, &b->hash, &header_bytes, b->bytes));
    return b;
}

static struct hub_header tail_of(const struct hub_block *parent, uint64_t view)
{
    struct hub_header h = parent->header;

    h.view = view;
    h.parent = parent->hash;
    h.parent_view = parent->header.view;
    h.time_ms++;
    h.record_count = 0;
    hub_hash_span(&h.records_root, (struct hub_span){NULL, 0});
    hub_hash_span(&h.results_root, (struct hub_span){NULL, 0});
    h.next_validators = h.validators;
    h.flags = 2;
    return h;
}

Test(epoch, a_block_that_enacts_a_set_seals_and_names_it)
{
    struct hub_block *b = seal();
    struct hub_hash next = next_hash();

    cr_assert_eq(b->header.flags, 1);
    cr_assert(hub_hash_equal(&b->header.next_validators, &next));
    cr_assert(hub_hash_equal(&b->header.validators, &net->genesis.set.hash));
    cr_assert_eq(b->header.epoch, 0);
    cr_assert_eq(net->chain->set.epoch, 0, "nothing is final yet");
}

Test(epoch, a_seal_without_a_row_and_a_row_without_a_seal_are_invalid)
{
    struct hub_block *b = seal(), *plain = net_build(net, net->chain, NULL, NULL, 0);
    struct hub_header h = plain->header;
    struct hub_fault fault;

    h.flags = 1;
    h.view++;
    h.next_validators = next_hash();
    cr_assert_eq(hub_chain_append(net->chain, empty(&h), &fault), HUB_BAD_BLOCK);
    cr_assert_str_eq(fault.field, "next_validators");
    cr_assert_eq(fault.wrong >> 17 & 1, 1, "flags too");
    b->header.flags = 0;
    b->header.next_validators = b->header.validators;
    b->hash.b[0] ^= 1;
    cr_assert_eq(hub_chain_append(net->chain, b, &fault), HUB_BAD_BLOCK);
    cr_assert_str_eq(fault.field, "next_validators");
}

Test(epoch, only_a_tail_stands_on_a_seal_and_it_executes_nothing)
{
    struct hub_block *b = seal(), *tail, *second;
    struct hub_header want = tail_of(b, b->header.view + 1);
    struct hub_record transfer = ready(0);
    struct hub_fault fault;
    struct hub_header h;

    tail = net_build(net, net->chain, &b->hash, &transfer, 1);
    cr_assert_eq(memcmp(&tail->header, &want, sizeof want), 0, "records wait, and stay out");
    second = net_build(net, net->chain, &tail->hash, NULL, 0);
    want = tail_of(tail, tail->header.view + 1);
    cr_assert_eq(memcmp(&second->header, &want, sizeof want), 0);
    h = b->header;
    h.height++;
    h.view += 4;
    h.parent = b->hash;
    h.parent_view = b->header.view;
    h.time_ms += 1000;
    h.flags = 0;
    h.record_count = 0;
    h.next_validators = h.validators;
    cr_assert_eq(hub_chain_append(net->chain, empty(&h), &fault), HUB_BAD_BLOCK, "a plain block");
    h = tail_of(b, b->header.view + 5);
    cr_assert_eq(hub_chain_append(net->chain, empty(&h), &fault), HUB_BAD_BLOCK, "no history");
    cr_assert_eq(hub_chain_tail(net->chain, empty(&h), &fault), HUB_OK);
}

Test(epoch, a_tail_with_any_other_claim_is_invalid)
{
    struct hub_block *b = seal(), *plain;
    struct hub_fault fault;

    for (unsigned i = 0; i < 12; i++) {
        struct hub_header h = tail_of(b, b->header.view + 1);
        uint8_t *field[] = {h.parent.b,     h.log_root.b,   h.records_root.b,   h.results_root.b,
                            h.state_root.b, h.validators.b, h.next_validators.b};

        if (i < 7)
            field[i][3] ^= 1;
        else if (i == 7)
            h.height++;
        else if (i == 8)
            h.time_ms++;
        else if (i == 9)
            h.log_size++;
        else if (i == 10)
            h.epoch++;
        else
            h.flags = 1;
        cr_assert_eq(hub_chain_tail(net->chain, empty(&h), &fault),
                     i == 0 ? HUB_UNKNOWN_PARENT : HUB_BAD_BLOCK, "%u", i);
    }
    plain = net_build(net, net->chain, NULL, NULL, 0);
    struct hub_header h = tail_of(plain, plain->header.view + 1);
    cr_assert_eq(hub_chain_tail(net->chain, empty(&h), &fault), HUB_BAD_BLOCK, "on no seal");
}

/* 64 headers are all that a link holds: the SEAL and 63 TAILs. */
Test(epoch, tails_in_a_row_are_as_many_as_a_link_can_show)
{
    struct hub_block *b = seal(), next = {.records = NULL};
    uint8_t bytes[2048];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};
    struct hub_header h;
    struct hub_fault fault;

    for (unsigned i = 0; i < 63; i++)
        b = net_build(net, net->chain, &b->hash, NULL, 0);
    h = tail_of(b, b->header.view + 1);
    cr_assert_eq(hub_chain_tail(net->chain, empty(&h), &fault), HUB_BAD_BLOCK);
    next.header = (struct hub_header){
        .view = b->header.view + 1, .parent_view = b->header.view, .time_ms = h.time_ms};
    cr_assert_eq(hub_chain_build(net->chain, &b->hash, &next, &out), HUB_BAD_BLOCK);
    cr_assert_eq(finalize(net->chain, b, 7), HUB_OK, "the last of them can be final");
    cr_assert_eq(net->chain->set.epoch, 1);
}

static void check_new_epoch(struct hub_chain *c, const struct hub_block *sealing)
{
    struct hub_hash next = next_hash();
    struct hub_certificate old;
    struct hub_block *first;

    cr_assert(hub_hash_equal(&c->final_hash, &sealing->hash), "the SEAL, whatever covered it");
    cr_assert(c->set.epoch == 1 && hub_hash_equal(&c->set.hash, &next));
    first = net_build_at(net, c, NULL, NULL, 0, 1, sealing->header.time_ms + 1);
    cr_assert_eq(first->header.height, sealing->header.height + 1);
    cr_assert_eq(first->header.epoch, 1);
    cr_assert_eq(first->header.parent_view, 0);
    cr_assert(hub_hash_equal(&first->header.parent, &sealing->hash));
    cr_assert(hub_hash_equal(&first->header.validators, &next));
    cr_assert(hub_hash_equal(&first->header.next_validators, &next));
    old = certify(&net->genesis.set, &first->header, &first->hash, 15);
    cr_assert_eq(hub_chain_finalize(c, &old, NULL, NULL), HUB_BAD_CERTIFICATE,
                 "the key that left counts no more");
    cr_assert_eq(finalize(c, first, 11), HUB_OK);
    cr_assert(hub_hash_equal(&c->final_hash, &first->hash));
}

Test(epoch, begins_when_the_seal_is_final)
{
    struct hub_block *b = seal();

    cr_assert_eq(finalize(net->chain, b, 3), HUB_BAD_CERTIFICATE, "two of three needed");
    cr_assert_eq(finalize(net->chain, b, 7), HUB_OK);
    check_new_epoch(net->chain, b);
}

Test(epoch, begins_when_a_tail_is_final)
{
    struct hub_block *b = seal(), *t = net_build(net, net->chain, &b->hash, NULL, 0);

    t = net_build(net, net->chain, &t->hash, NULL, 0);
    cr_assert_eq(finalize(net->chain, t, 7), HUB_OK);
    check_new_epoch(net->chain, b);
}

static struct hub_link link_over(const struct hub_block *tail, const struct hub_block *sealing)
{
    struct hub_link l = {.certificate = certify(&net->genesis.set, &tail->header, &tail->hash, 7)};
    uint8_t *bytes = net_take(net, HUB_EPOCH_BYTES_MAX);
    struct hub_buf b = {bytes, 0, HUB_EPOCH_BYTES_MAX, false};
    struct hub_validators set = net->genesis.set;
    const struct hub_header *h[2] = {&tail->header, &sealing->header};

    set.epoch = 1;
    set.v[LEAVING].key = net->key[NET_SPARE].key;
    memcpy(set.v[LEAVING].transport, net->key[NET_SPARE].key.b, 32);
    hub_validators_encode(&b, &set);
    l.next = hub_span_of(&b);
    for (l.headers.n = 0; l.headers.n < 2; l.headers.n++) {
        struct hub_buf out = {net_take(net, HUB_HEADER_BYTES_MAX), 0, HUB_HEADER_BYTES_MAX, false};

        hub_header_encode(&out, h[l.headers.n]);
        l.headers.bytes[l.headers.n] = hub_span_of(&out);
    }
    return l;
}

Test(epoch, is_crossed_by_a_link_without_the_tail)
{
    struct hub_block *b = seal(), *t = net_build(net, net->chain, &b->hash, NULL, 0);
    struct hub_chain *other = net_chain(net);
    struct hub_link l = link_over(t, b), again;
    uint8_t bytes[4096];
    struct hub_buf out = {bytes, 0, sizeof bytes, false}, twice = {bytes, 0, sizeof bytes, false};
    uint8_t copy[4096];
    struct hub_record r[4];
    struct hub_fault fault;

    hub_link_encode(&out, &l, 4);
    memcpy(copy, bytes, out.len);
    cr_assert(hub_link_decode(&again, (struct hub_span){copy, out.len}));
    hub_link_encode(&twice, &again, 4);
    cr_assert(twice.len == out.len && memcmp(copy, bytes, out.len) == 0, "encode(decode(x)) == x");
    cr_assert_eq(hub_chain_cross(other, &again, NULL, NULL), HUB_NOT_FOUND, "no SEAL is held");
    for (unsigned i = 0; i < 4; i++) {
        net->seq[NET_VALIDATOR + i] = 0; /* the block below again: building is deterministic */
        r[i] = ready(i);
    }
    cr_assert(hub_hash_equal(&net_build(net, other, NULL, r, 4)->hash, &b->header.parent));
    cr_assert_eq(hub_chain_append(other, net_receive(net, other, b->bytes), &fault), HUB_OK);
    cr_assert_eq(hub_chain_cross(other, &again, NULL, NULL), HUB_OK);
    check_new_epoch(other, b);
}

Test(epoch, a_link_that_is_not_what_was_sealed_leads_nowhere)
{
    struct hub_block *b = seal(), *t = net_build(net, net->chain, &b->hash, NULL, 0);
    struct hub_link good = link_over(t, b);
    struct hub_link_facts facts;
    const char *what;

    cr_assert_eq(hub_link_check(&facts, &what, &good, &net->genesis.set, &hub_accept_none),
                 HUB_VERDICT_OK);
    for (unsigned i = 0; i < 5; i++) {
        struct hub_link l = good;
        enum hub_verdict want = HUB_VERDICT_TAMPERED;
        uint8_t *next = net_take(net, l.next.len);

        memcpy(next, l.next.data, l.next.len);
        l.next.data = next;
        switch (i) {
        case 0:
            next[2] ^= 1; /* epoch number */
            break;
        case 1:
            next[l.next.len - 1] ^= 1; /* a transport key */
            break;
        case 2:
            l.headers.n = 1; /* ends at the TAIL */
            break;
        case 3:
            l.certificate.sig[1].b[5] ^= 1;
            break;
        default:
            l.certificate = certify(&net->genesis.set, &t->header, &t->hash, 3);
            want = HUB_VERDICT_PENDING;
        }
        cr_assert_eq(hub_link_check(&facts, &what, &l, &net->genesis.set, &hub_accept_none), want,
                     "%u", i);
        cr_assert_eq(hub_chain_cross(net->chain, &l, NULL, NULL), HUB_BAD_CERTIFICATE, "%u", i);
    }
    cr_assert_eq(net->chain->set.epoch, 0);
}

Test(epoch, a_seal_that_loses_leaves_no_trace)
{
    struct hub_block *b = seal();
    struct hub_block *plain =
        net_build_at(net, net->chain, NULL, NULL, 0, b->header.view + 3, b->header.time_ms + 5);

    cr_assert_eq(finalize(net->chain, plain, 7), HUB_OK);
    cr_assert(net->chain->set.epoch == 0 && hub_chain_header(net->chain, &b->hash) == NULL);
    cr_assert_eq(net->chain->state.count[HUB_TABLE_EPOCHS], 1);
}
