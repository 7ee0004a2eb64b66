/* intake.c: what becomes of a record between its sender and the pool, with real signature threads. */
#include "node/intake.h"

#include "tests/support/net.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>

static struct net *net;
static struct hub_intake in;
static struct hub_ports ports;
static uint32_t settled_good, settled_bad;

static void settled(void *ctx, const struct hub_hash *id, uint16_t why)
{
    (void)ctx, (void)id;
    settled_good += why == 0;
    settled_bad += why != 0;
}

static void open_intake(void)
{
    net = net_open(NULL, NULL);
    in = (struct hub_intake){.chain = net->chain, .settled = settled};
    cr_assert_eq(hub_mempool_open(&in.pool, &net->genesis.chain), HUB_OK);
    cr_assert_eq(hub_verifier_open(&in.verifier, 1), HUB_OK);
    hub_intake_ports(&in, &ports);
}

TestSuite(intake, .init = open_intake);

/* A seal key for Xiangcheng, signed by its governor; spoiled: one bit of the signature is another. */
static struct hub_span key_add(bool spoiled)
{
    const unsigned spare = NET_SPARE + (unsigned)net->seq[NET_XC_GOVERNOR];
    const struct hub_span body = net_body_key_add(net, NET_XIANGCHENG, (enum net_key)spare, "seal");
    const struct hub_span good = net_sign(net, HUB_TYPE_KEY_ADD, NET_XC_GOVERNOR, body, NULL);
    uint8_t *bytes = net_take(net, good.len);
    memcpy(bytes, good.data, good.len);
    bytes[good.len - 1] ^= spoiled;
    return (struct hub_span){bytes, good.len};
}

static enum hub_status submit(struct hub_span record, bool local)
{
    struct hub_hash id;
    uint16_t why;
    return hub_intake_submit(&in, &id, &why, record, (struct hub_span){NULL, 0}, local, 1,
                             NET_GENESIS_MS);
}

static void collect(uint32_t answers)
{
    const uint64_t before = in.admitted + in.refused;
    while (in.admitted + in.refused < before + answers) {
        struct pollfd p = {hub_verifier_fd(in.verifier), POLLIN, 0};
        cr_assert_eq(poll(&p, 1, 10000), 1, "the verifier does not answer");
        hub_intake_collect(&in);
    }
}

static uint32_t share_fresh(void)
{
    struct hub_span record[4], attachment[4];
    return ports.share(ports.pool, true, record, attachment, 4, 1 << 16);
}

Test(intake, a_local_record_is_shared_once_it_is_checked)
{
    cr_assert_eq(submit(key_add(false), true), HUB_OK);
    collect(1);
    cr_assert_eq(settled_good, 1);
    cr_assert_eq(share_fresh(), 1);
    cr_assert_eq(share_fresh(), 0);
}

Test(intake, a_bad_signature_does_not_keep_the_next_record_from_being_shared)
{
    cr_assert_eq(submit(key_add(true), true), HUB_OK);
    collect(1);
    cr_assert_eq(settled_bad, 1);
    cr_assert_eq(hub_mempool_count(in.pool), 0);
    cr_assert_eq(submit(key_add(false), true), HUB_OK);
    collect(1);
    cr_assert_eq(share_fresh(), 1);
}

Test(intake, what_peers_sent_is_not_shared_as_fresh)
{
    cr_assert_eq(submit(key_add(false), false), HUB_OK);
    collect(1);
    cr_assert_eq(share_fresh(), 0);
}

Test(intake, a_closed_one_takes_from_peers_only)
{
    in.closed = true;
    cr_assert_eq(submit(key_add(false), true), HUB_NOT_NOW);
    cr_assert_eq(submit(key_add(false), false), HUB_OK);
}
