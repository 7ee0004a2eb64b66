/* transport.c: who gets in, what moves. Each test is a process of its own and uses a port of its own. */
#include "node/transport.h"

#include "node/clock.h"
#include "tests/support/space.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

enum { WAIT_MS = 5000 };

struct keys {
    uint8_t public_key[32], secret_key[32];
};

/* A port that was free a moment ago. */
static void free_address(char out[HUB_ADDRESS_MAX + 1])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    const int s = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(bind(s, (struct sockaddr *)&a, sizeof a) == 0 &&
              getsockname(s, (struct sockaddr *)&a, &len) == 0);
    snprintf(out, HUB_ADDRESS_MAX + 1, "127.0.0.1:%u", ntohs(a.sin_port));
    close(s);
}

/* Configuration of node me of two. */
static struct hub_transport_config config(uint8_t me, const struct keys *k,
                                          char (*address)[HUB_ADDRESS_MAX + 1])
{
    struct hub_transport_config c = {0};
    strcpy(c.listen, address[me]);
    memcpy(c.public_key, k[me].public_key, 32);
    memcpy(c.secret_key, k[me].secret_key, 32);
    memcpy(c.peer[!me].key, k[!me].public_key, 32);
    strcpy(c.peer[!me].address, address[!me]);
    return c;
}

struct inbox {
    unsigned frames;
    uint8_t peer;
    size_t len;
    uint8_t first, last;
};

static void receive(void *ctx, uint8_t peer, struct hub_span frame)
{
    struct inbox *in = ctx;
    in->frames++;
    in->peer = peer;
    in->len = frame.len;
    in->first = frame.len ? frame.data[0] : 0;
    in->last = frame.len ? frame.data[frame.len - 1] : 0;
}

/* Turns both until `to` has got a frame or the time is up. */
static void run(struct hub_transport *from, struct hub_transport *to, struct inbox *in, uint64_t ms)
{
    struct inbox other = {0};
    unsigned ready;
    for (const uint64_t end = hub_clock_mono_ms() + ms; !in->frames && hub_clock_mono_ms() < end;) {
        cr_assert_eq(hub_transport_wait(from, 5, NULL, 0, &ready, receive, &other), HUB_OK);
        cr_assert_eq(hub_transport_wait(to, 5, NULL, 0, &ready, receive, in), HUB_OK);
    }
}

struct pair {
    struct keys k[2];
    char address[2][HUB_ADDRESS_MAX + 1];
    struct hub_transport *t[2];
};

static void open_pair(struct pair *p)
{
    const char *why = "";
    cr_assert(sodium_init() >= 0);
    for (int i = 0; i < 2; i++) {
        crypto_box_keypair(p->k[i].public_key, p->k[i].secret_key);
        free_address(p->address[i]);
    }
    for (uint8_t i = 0; i < 2; i++) {
        const struct hub_transport_config c = config(i, p->k, p->address);
        cr_assert_eq(hub_transport_open(&p->t[i], &why, &c), HUB_OK, "%s", why);
    }
}

Test(transport, delivers_a_frame_and_names_its_sender)
{
    struct pair p;
    struct inbox in = {0};
    static const uint8_t frame[] = {7, 8, 9};
    open_pair(&p);
    hub_transport_send(p.t[1], 0, (struct hub_span){frame, sizeof frame});
    run(p.t[1], p.t[0], &in, WAIT_MS);
    cr_assert_eq(in.frames, 1);
    cr_assert(in.peer == 1 && in.len == 3 && in.first == 7 && in.last == 9);
    hub_transport_close(p.t[0]);
    hub_transport_close(p.t[1]);
}

Test(transport, delivers_the_largest_frame)
{
    uint8_t *frame = test_space(HUB_FRAME_BYTES_MAX);
    struct pair p;
    struct inbox in = {0};
    open_pair(&p);
    frame[0] = 1, frame[HUB_FRAME_BYTES_MAX - 1] = 2;
    hub_transport_send(p.t[0], -1, (struct hub_span){frame, HUB_FRAME_BYTES_MAX});
    run(p.t[0], p.t[1], &in, WAIT_MS);
    cr_assert(in.frames == 1 && in.len == HUB_FRAME_BYTES_MAX && in.first == 1 && in.last == 2);
    hub_transport_close(p.t[0]);
    hub_transport_close(p.t[1]);
}

/* The stranger knows node 0's public key and address, and calls itself node 1; only its own key differs. */
Test(transport, a_key_that_is_not_listed_exchanges_no_byte)
{
    struct pair p;
    struct keys stranger[2];
    char address[2][HUB_ADDRESS_MAX + 1];
    struct hub_transport *t;
    struct inbox in = {0};
    const char *why = "";
    open_pair(&p);
    hub_transport_close(p.t[1]);
    stranger[0] = p.k[0];
    crypto_box_keypair(stranger[1].public_key, stranger[1].secret_key);
    strcpy(address[0], p.address[0]);
    free_address(address[1]);
    const struct hub_transport_config c = config(1, stranger, address);
    cr_assert_eq(hub_transport_open(&t, &why, &c), HUB_OK, "%s", why);
    hub_transport_send(t, 0, (struct hub_span){(const uint8_t *)"knock", 5});
    run(t, p.t[0], &in, 1500);
    cr_assert_eq(in.frames, 0);
    cr_assert_gt(hub_transport_stats(p.t[0]).refused_keys, 0);
    cr_assert_eq(hub_transport_stats(p.t[0]).frames_in, 0);
    hub_transport_close(t);
    hub_transport_close(p.t[0]);
}

Test(transport, drops_the_oldest_frames_of_a_peer_that_is_away)
{
    struct pair p;
    uint8_t frame[2] = {0, 0};
    open_pair(&p);
    hub_transport_close(p.t[1]);
    const uint64_t before = hub_transport_stats(p.t[0]).dropped;
    for (unsigned i = 0; i < 2 * HUB_OUT_FRAMES_MAX; i++) {
        frame[0] = (uint8_t)i;
        hub_transport_send(p.t[0], 1, (struct hub_span){frame, sizeof frame});
    }
    /* What is not in our queue is in libzmq's, whose pipe to a peer it knew may hold a few. */
    cr_assert_geq(hub_transport_stats(p.t[0]).dropped - before, HUB_OUT_FRAMES_MAX / 2);
    hub_transport_close(p.t[0]);
}

/* The bound on bytes: far fewer frames than the queue has places for. */
Test(transport, drops_the_oldest_bytes_of_a_peer_that_is_away)
{
    uint8_t *frame = test_space(HUB_FRAME_BYTES_MAX);
    const unsigned fit = HUB_OUT_BYTES_MAX / HUB_FRAME_BYTES_MAX, more = 8;
    struct pair p;
    open_pair(&p);
    hub_transport_close(p.t[1]);
    const uint64_t before = hub_transport_stats(p.t[0]).dropped;
    cr_assert_lt(2 * fit + more, HUB_OUT_FRAMES_MAX);
    for (unsigned i = 0; i < 2 * fit + more; i++)
        hub_transport_send(p.t[0], 1, (struct hub_span){frame, HUB_FRAME_BYTES_MAX});
    cr_assert_geq(hub_transport_stats(p.t[0]).dropped - before, more);
    hub_transport_close(p.t[0]);
}

/* H16: a listed peer that sends by other code than ours. libzmq ends the connection before a byte of the frame is kept:
 * it does not even reach the place where its length would be refused. */
Test(transport, a_frame_longer_than_any_message_does_not_arrive)
{
    enum { LONG = HUB_FRAME_BYTES_MAX + 4096 };
    struct pair p;
    struct inbox in = {0};
    char address[HUB_ADDRESS_MAX + 8];
    unsigned ready;
    const int no_linger = 0;
    open_pair(&p);
    hub_transport_close(p.t[1]);
    snprintf(address, sizeof address, "tcp://%s", p.address[0]);
    void *ctx = zmq_ctx_new(), *s = zmq_socket(ctx, ZMQ_DEALER);
    zmq_setsockopt(s, ZMQ_LINGER, &no_linger, sizeof no_linger);
    zmq_setsockopt(s, ZMQ_CURVE_SERVERKEY, p.k[0].public_key, 32);
    zmq_setsockopt(s, ZMQ_CURVE_PUBLICKEY, p.k[1].public_key, 32);
    zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, p.k[1].secret_key, 32);
    cr_assert(zmq_connect(s, address) == 0 && zmq_send(s, "hello", 5, 0) == 5);
    for (const uint64_t end = hub_clock_mono_ms() + WAIT_MS;
         !in.frames && hub_clock_mono_ms() < end;)
        cr_assert_eq(hub_transport_wait(p.t[0], 5, NULL, 0, &ready, receive, &in), HUB_OK);
    cr_assert_eq(in.frames, 1, "it is a listed peer");
    cr_assert_eq(zmq_send(s, test_space(LONG), LONG, 0), LONG);
    for (const uint64_t end = hub_clock_mono_ms() + 1000; hub_clock_mono_ms() < end;)
        cr_assert_eq(hub_transport_wait(p.t[0], 5, NULL, 0, &ready, receive, &in), HUB_OK);
    cr_assert_eq(in.frames, 1);
    cr_assert_eq(hub_transport_stats(p.t[0]).refused_frames, 0);
    zmq_close(s);
    zmq_ctx_term(ctx);
    hub_transport_close(p.t[0]);
}

Test(transport, an_address_in_use_is_named)
{
    struct pair p;
    struct hub_transport *again;
    const char *why = "";
    open_pair(&p);
    const struct hub_transport_config c = config(0, p.k, p.address);
    cr_assert_eq(hub_transport_open(&again, &why, &c), HUB_IO);
    cr_assert_not_null(strstr(why, p.address[0]));
    hub_transport_close(p.t[0]);
    hub_transport_close(p.t[1]);
}

/* ---- the table changes */

static void table(struct hub_transport_peer peer[HUB_PEERS_MAX], unsigned place,
                  const struct keys *k, const char *address)
{
    memset(peer, 0, HUB_PEERS_MAX * sizeof *peer);
    memcpy(peer[place].key, k->public_key, 32);
    strcpy(peer[place].address, address);
}

/* Node 0 knows no address of node 1: what it says goes back over the connection that node 1 made. */
Test(transport, a_link_is_up_when_one_side_reached_the_other)
{
    static const uint8_t frame[] = {5, 6};
    struct hub_transport_peer peer[HUB_PEERS_MAX];
    struct inbox in = {0}, back = {0};
    struct pair p;
    open_pair(&p);
    table(peer, 1, &p.k[1], "");
    hub_transport_set_peers(p.t[0], peer);
    hub_transport_send(p.t[0], 1, (struct hub_span){frame, sizeof frame});
    run(p.t[0], p.t[1], &back, 300);
    cr_assert_eq(back.frames, 0, "nobody has come yet");
    hub_transport_send(p.t[1], 0, (struct hub_span){frame, sizeof frame});
    run(p.t[1], p.t[0], &in, WAIT_MS);
    cr_assert_eq(in.frames, 1);
    hub_transport_send(p.t[0], 1, (struct hub_span){frame, sizeof frame});
    run(p.t[0], p.t[1], &back, WAIT_MS);
    cr_assert(back.frames == 1 && back.peer == 0 && back.first == 5 && back.last == 6);
    hub_transport_close(p.t[0]);
    hub_transport_close(p.t[1]);
}

/* A new node may dial before the others have heard of its key: libzmq takes the refusal for the last word. */
Test(transport, a_key_that_is_listed_later_gets_in)
{
    static const uint8_t frame[] = {5, 6};
    struct hub_transport_peer peer[HUB_PEERS_MAX];
    struct inbox in = {0};
    struct pair p;
    open_pair(&p);
    hub_transport_close(p.t[1]);
    memset(peer, 0, sizeof peer);
    hub_transport_set_peers(p.t[0], peer);
    const char *why = "";
    const struct hub_transport_config c = config(1, p.k, p.address);
    cr_assert_eq(hub_transport_open(&p.t[1], &why, &c), HUB_OK, "%s", why);
    hub_transport_send(p.t[1], 0, (struct hub_span){frame, sizeof frame});
    run(p.t[1], p.t[0], &in, 500);
    cr_assert_eq(in.frames, 0);
    cr_assert_gt(hub_transport_stats(p.t[0]).refused_keys, 0);
    table(peer, 1, &p.k[1], "");
    hub_transport_set_peers(p.t[0], peer);
    run(p.t[1], p.t[0], &in, WAIT_MS);
    cr_assert_eq(in.frames, 1);
    hub_transport_close(p.t[0]);
    hub_transport_close(p.t[1]);
}

/* H24: the connection still stands; what comes over it is refused from the next frame on. */
Test(transport, a_key_taken_out_of_the_table_is_not_heard_any_more)
{
    static const uint8_t frame[] = {5};
    struct hub_transport_peer peer[HUB_PEERS_MAX];
    struct keys other;
    struct inbox in = {0};
    struct pair p;
    open_pair(&p);
    hub_transport_send(p.t[1], 0, (struct hub_span){frame, sizeof frame});
    run(p.t[1], p.t[0], &in, WAIT_MS);
    cr_assert_eq(in.frames, 1);
    crypto_box_keypair(other.public_key, other.secret_key);
    table(peer, 1, &other, "");
    hub_transport_set_peers(p.t[0], peer);
    in.frames = 0;
    for (int i = 0; i < 5; i++)
        hub_transport_send(p.t[1], 0, (struct hub_span){frame, sizeof frame});
    run(p.t[1], p.t[0], &in, 500);
    cr_assert_eq(in.frames, 0);
    cr_assert_gt(hub_transport_stats(p.t[0]).refused_frames, 0);
    hub_transport_close(p.t[0]);
    hub_transport_close(p.t[1]);
}

Test(transport, a_peer_keeps_its_link_in_another_place)
{
    static const uint8_t frame[] = {9};
    struct hub_transport_peer peer[HUB_PEERS_MAX];
    struct inbox in = {0};
    struct pair p;
    open_pair(&p);
    hub_transport_send(p.t[1], 0, (struct hub_span){frame, sizeof frame});
    run(p.t[1], p.t[0], &in, WAIT_MS);
    table(peer, 70, &p.k[1], p.address[1]);
    hub_transport_set_peers(p.t[0], peer);
    cr_assert_gt(hub_transport_seen_ms(p.t[0], 70), 0);
    cr_assert_eq(hub_transport_seen_ms(p.t[0], 1), 0);
    in = (struct inbox){0};
    hub_transport_send(p.t[1], 0, (struct hub_span){frame, sizeof frame});
    run(p.t[1], p.t[0], &in, WAIT_MS);
    cr_assert(in.frames == 1 && in.peer == 70);
    hub_transport_close(p.t[0]);
    hub_transport_close(p.t[1]);
}
