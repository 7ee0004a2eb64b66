/* transport.c: see transport.h. */
#include "node/transport.h"

#include "node/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* ZMQ_ZAP_ENFORCE_DOMAIN is a draft name in zmq.h of 4.3.4; the option itself is stable. */
enum { ZAP_ENFORCE_DOMAIN = 93 };
enum {
    SEND_HWM = 64, /* frames inside libzmq; more wait in our queue, where the newest wins */
    RECEIVE_HWM = 1024,
    HANDSHAKE_MS = 3000, /* H17: half-open connections end */
    HEARTBEAT_MS = 1000,
    HEARTBEAT_TIMEOUT_MS = 5000,
    RECONNECT_MS = 100,
    RECONNECT_MAX_MS = 2000,
    REDIAL_MS = 3000,        /* nothing was heard since we dialled */
    REDIAL_QUIET_MS = 15000, /* since it was last heard: three idle STATUS periods */
    BACKLOG = 256,
    SELF_TEST_MS = 5000,
    CURVE_BYTES = 64, /* libzmq counts the sealed frame: 33 bytes more than ours */
    ZAP_PARTS_MAX = 8,
    KEY_BYTES = 32,
    Z85_KEY = 40, /* characters of a key in Z85 (ZeroMQ RFC 32) */
    ROUTE_MAX = 255,
    INPUTS_BACK_MAX = 16 /* frames of one peer's answers in one turn */
};
static const char ZAP_ADDRESS[] = "inproc://zeromq.zap.01";
static const char ZAP_DOMAIN[] = "hubledger";

struct out_frame {
    uint8_t *data; /* owned; released when sent or dropped */
    size_t len;
};
struct out_queue { /* ring, oldest at head */
    struct out_frame frame[HUB_OUT_FRAMES_MAX];
    unsigned head, count;
    size_t bytes;
};
struct link {
    struct hub_transport_peer peer;
    void *dealer; /* NULL: not dialled */
    struct out_queue queue;
    uint64_t seen_ms, dialled_ms;
    uint8_t route[ROUTE_MAX]; /* routing id of the connection that it made to us; len 0: none */
    size_t route_len;
};
struct hub_transport {
    void *ctx, *zap, *router;
    struct link *link, *spare; /* [HUB_PEERS_MAX], owned; spare: for the next table */
    uint8_t public_key[KEY_BYTES], secret_key[KEY_BYTES];
    struct hub_transport_stats stats;
};
static char why_text[HUB_ADDRESS_MAX + 160]; /* one node a process: the last open's reason */

static bool set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

/* What every socket of ours has, server or client. */
static bool harden(void *socket)
{
    const int64_t frame_max = HUB_FRAME_BYTES_MAX + CURVE_BYTES;
    return set_int(socket, ZMQ_LINGER, 0) &&
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max) == 0 &&
           set_int(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS) &&
           set_int(socket, ZMQ_SNDHWM, SEND_HWM) && set_int(socket, ZMQ_RCVHWM, RECEIVE_HWM) &&
           set_int(socket, ZMQ_IMMEDIATE, 1);
}

static bool make_server(struct hub_transport *t, const char *address)
{
    t->router = zmq_socket(t->ctx, ZMQ_ROUTER);
    return t->router && harden(t->router) && set_int(t->router, ZMQ_CURVE_SERVER, 1) &&
           zmq_setsockopt(t->router, ZMQ_CURVE_SECRETKEY, t->secret_key, 32) == 0 &&
           set_int(t->router, ZMQ_ROUTER_MANDATORY, 1) && /* a route that is gone says so */
           zmq_setsockopt(t->router, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, strlen(ZAP_DOMAIN)) == 0 &&
           set_int(t->router, ZAP_ENFORCE_DOMAIN, 1) && set_int(t->router, ZMQ_BACKLOG, BACKLOG) &&
           zmq_bind(t->router, address) == 0;
}

static void *make_client(const struct hub_transport *t, const char *address,
                         const uint8_t server_key[32], const uint8_t public_key[32],
                         const uint8_t secret_key[32])
{
    void *s = zmq_socket(t->ctx, ZMQ_DEALER);
    if (s && harden(s) && set_int(s, ZMQ_RECONNECT_IVL, RECONNECT_MS) &&
        set_int(s, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS) &&
        zmq_setsockopt(s, ZMQ_CURVE_SERVERKEY, server_key, 32) == 0 &&
        zmq_setsockopt(s, ZMQ_CURVE_PUBLICKEY, public_key, 32) == 0 &&
        zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, secret_key, 32) == 0 && zmq_connect(s, address) == 0)
        return s;
    if (s)
        zmq_close(s);
    return NULL;
}

static bool is_used(const struct hub_transport_peer *p)
{
    static const uint8_t none[KEY_BYTES];
    return memcmp(p->key, none, sizeof none) != 0;
}

/* Place of a transport key, or -1: the allow-list. */
static int peer_of_key(const struct hub_transport *t, const uint8_t key[32])
{
    for (unsigned i = 0; i < HUB_PEERS_MAX; i++)
        if (is_used(&t->link[i].peer) && memcmp(t->link[i].peer.key, key, KEY_BYTES) == 0)
            return (int)i;
    return -1;
}

/* The User-Id that the ZAP answer gave this connection: the proven key in Z85. */
static int peer_of_message(const struct hub_transport *t, zmq_msg_t *m)
{
    const char *z85 = zmq_msg_gets(m, "User-Id");
    uint8_t key[KEY_BYTES];
    if (!z85 || strlen(z85) != Z85_KEY || !zmq_z85_decode(key, z85))
        return -1;
    return peer_of_key(t, key);
}

/* Reads all parts of one message; parts beyond max are read and dropped. Returns the count, or 0. */
static unsigned receive_parts(void *socket, zmq_msg_t *part, unsigned max)
{
    unsigned count = 0;
    for (int more = 1; more; count++) {
        zmq_msg_t extra, *m = count < max ? &part[count] : &extra;
        zmq_msg_init(m);
        if (zmq_msg_recv(m, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(m);
            break;
        }
        more = zmq_msg_more(m);
        if (m == &extra)
            zmq_msg_close(&extra);
    }
    return count;
}

static bool part_is(zmq_msg_t *m, const char *text)
{
    return zmq_msg_size(m) == strlen(text) && memcmp(zmq_msg_data(m), text, strlen(text)) == 0;
}

static void zap_reply(struct hub_transport *t, zmq_msg_t *part, bool ok, const char *user)
{
    zmq_msg_send(&part[0], t->zap,
                 ZMQ_SNDMORE | ZMQ_DONTWAIT); /* routing id of the asking session */
    zmq_send(t->zap, "", 0, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(t->zap, "1.0", 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_msg_send(&part[3], t->zap, ZMQ_SNDMORE | ZMQ_DONTWAIT); /* request id */
    zmq_send(t->zap, ok ? "200" : "400", 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(t->zap, ok ? "OK" : "unlisted key", ok ? 2 : 12, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(t->zap, user, strlen(user), ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(t->zap, "", 0, ZMQ_DONTWAIT);
}

/* ZAP 1.0 (RFC 27): routing id, empty, version, request id, domain, address, identity, mechanism, then for CURVE the key.
 * Nothing but CURVE with a listed key gets 200. */
static void answer_zap(struct hub_transport *t)
{
    zmq_msg_t part[ZAP_PARTS_MAX + 2];
    const unsigned count = receive_parts(t->zap, part, ZAP_PARTS_MAX + 2);
    const unsigned held = count < ZAP_PARTS_MAX + 2 ? count : ZAP_PARTS_MAX + 2;
    if (count >= 8) {
        bool ok = count == 9 && part_is(&part[2], "1.0") && part_is(&part[4], ZAP_DOMAIN) &&
                  part_is(&part[7], "CURVE") && zmq_msg_size(&part[8]) == 32 &&
                  peer_of_key(t, zmq_msg_data(&part[8])) >= 0;
        char user[Z85_KEY + 1] = "";
        if (ok)
            zmq_z85_encode(user, zmq_msg_data(&part[8]), KEY_BYTES);
        else
            t->stats.refused_keys++;
        zap_reply(t, part, ok, user);
    }
    for (unsigned i = 0; i < held; i++)
        zmq_msg_close(&part[i]);
}

static bool readable(void *socket)
{
    int events = 0;
    size_t len = sizeof events;
    return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &len) == 0 && (events & ZMQ_POLLIN);
}

/* A random key must be refused by our own door, through our own handler. */
static bool self_test(struct hub_transport *t, const char *address)
{
    char public_z85[Z85_KEY + 1], secret_z85[Z85_KEY + 1];
    uint8_t public_key[KEY_BYTES], secret_key[KEY_BYTES], server_key[KEY_BYTES];
    if (zmq_curve_keypair(public_z85, secret_z85) != 0 || !zmq_z85_decode(public_key, public_z85) ||
        !zmq_z85_decode(secret_key, secret_z85))
        return false;
    memcpy(server_key, t->public_key, 32);
    void *stranger = make_client(t, address, server_key, public_key, secret_key);
    explicit_bzero(secret_key, sizeof secret_key);
    if (!stranger)
        return false;
    bool refused = false, entered = false;
    for (uint64_t end = hub_clock_mono_ms() + SELF_TEST_MS;
         !refused && !entered && hub_clock_mono_ms() < end;) {
        zmq_pollitem_t item[2] = {{t->zap, 0, ZMQ_POLLIN, 0}, {t->router, 0, ZMQ_POLLIN, 0}};
        zmq_send(stranger, "knock", 5, ZMQ_DONTWAIT);
        zmq_poll(item, 2, 20);
        if (readable(t->zap)) {
            const uint64_t before = t->stats.refused_keys;
            answer_zap(t);
            refused = t->stats.refused_keys > before;
        }
        if (readable(t->router)) {
            zmq_msg_t part[2];
            const unsigned count = receive_parts(t->router, part, 2);
            entered = count != 2 ||
                      peer_of_message(t, &part[1]) < 0; /* a listed peer may already be here */
            for (unsigned i = 0; i < count && i < 2; i++)
                zmq_msg_close(&part[i]);
        }
    }
    zmq_close(stranger);
    t->stats.refused_keys = 0;
    return refused && !entered;
}

static enum hub_status open_failed(struct hub_transport *t, const char **why, enum hub_status st,
                                   const char *text, const char *address)
{
    snprintf(why_text, sizeof why_text, "%s %s: %s", text, address,
             st == HUB_IO ? zmq_strerror(zmq_errno()) : "refusing to run");
    *why = why_text;
    hub_transport_close(t);
    return st;
}

static void release_links(struct hub_transport *t)
{
    free(t->link);
    free(t->spare);
}

static bool dial(struct hub_transport *t, struct link *l)
{
    char address[HUB_ADDRESS_MAX + 8];
    if (!l->peer.address[0])
        return true;
    l->dialled_ms = hub_clock_mono_ms();
    snprintf(address, sizeof address, "tcp://%s", l->peer.address);
    l->dealer = make_client(t, address, l->peer.key, t->public_key, t->secret_key);
    return l->dealer != NULL;
}

enum hub_status hub_transport_open(struct hub_transport **out, const char **why,
                                   const struct hub_transport_config *cfg)
{
    struct hub_transport *t = calloc(1, sizeof *t);
    if (t) {
        t->link = calloc(HUB_PEERS_MAX, sizeof *t->link);
        t->spare = calloc(HUB_PEERS_MAX, sizeof *t->spare);
    }
    if (!t || !t->link || !t->spare) {
        if (t)
            release_links(t);
        free(t);
        *why = "out of memory";
        return HUB_IO;
    }
    memcpy(t->public_key, cfg->public_key, sizeof t->public_key);
    memcpy(t->secret_key, cfg->secret_key, sizeof t->secret_key);
    for (unsigned i = 0; i < HUB_PEERS_MAX; i++)
        t->link[i].peer = cfg->peer[i];
    t->ctx = zmq_ctx_new();
    t->zap = t->ctx ? zmq_socket(t->ctx, ZMQ_ROUTER) : NULL;
    if (!t->zap || !set_int(t->zap, ZMQ_LINGER, 0) || zmq_bind(t->zap, ZAP_ADDRESS) != 0)
        return open_failed(t, why, HUB_IO, "cannot bind the authentication handler", ZAP_ADDRESS);
    char address[HUB_ADDRESS_MAX + 8];
    snprintf(address, sizeof address, "tcp://%s", cfg->listen);
    if (!make_server(t, address))
        return open_failed(t, why, HUB_IO, "cannot listen for peers on", cfg->listen);
    if (!self_test(t, address))
        return open_failed(t, why, HUB_REFUSED, "self-test: a stranger's key was not refused on",
                           cfg->listen);
    for (unsigned i = 0; i < HUB_PEERS_MAX; i++)
        if (is_used(&cfg->peer[i]) && !dial(t, &t->link[i]))
            return open_failed(t, why, HUB_IO, "cannot set up the link to peer",
                               cfg->peer[i].address);
    *out = t;
    return HUB_OK;
}

static void drop_oldest(struct out_queue *q)
{
    struct out_frame *f = &q->frame[q->head];
    q->bytes -= f->len;
    free(f->data);
    *f = (struct out_frame){NULL, 0};
    q->head = (q->head + 1) % HUB_OUT_FRAMES_MAX;
    q->count--;
}

static void close_link(struct link *l)
{
    while (l->queue.count)
        drop_oldest(&l->queue);
    if (l->dealer)
        zmq_close(l->dealer);
    l->dealer = NULL;
}

void hub_transport_close(struct hub_transport *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < HUB_PEERS_MAX; i++)
        close_link(&t->link[i]);
    if (t->router)
        zmq_close(t->router);
    if (t->zap)
        zmq_close(t->zap); /* last: while it lives nobody unlisted gets in */
    if (t->ctx)
        zmq_ctx_term(t->ctx);
    explicit_bzero(t->secret_key, sizeof t->secret_key);
    release_links(t);
    free(t);
}

void hub_transport_set_peers(struct hub_transport *t,
                             const struct hub_transport_peer peer[HUB_PEERS_MAX])
{
    struct link *old = t->link, *now = t->spare;
    memset(now, 0, HUB_PEERS_MAX * sizeof *now);
    for (unsigned i = 0; i < HUB_PEERS_MAX; i++) {
        now[i].peer = peer[i];
        for (unsigned k = 0; is_used(&peer[i]) && k < HUB_PEERS_MAX; k++)
            if (memcmp(old[k].peer.key, peer[i].key, KEY_BYTES) == 0) {
                now[i] = old[k];
                memset(&old[k], 0, sizeof old[k]);
                break;
            }
        if (strcmp(now[i].peer.address, peer[i].address) != 0) { /* it moved */
            close_link(&now[i]);
            now[i].peer = peer[i];
        }
        if (is_used(&peer[i]) && !now[i].dealer)
            (void)dial(t, &now[i]); /* an address that cannot be dialled: it may reach us */
    }
    for (unsigned k = 0; k < HUB_PEERS_MAX; k++)
        close_link(&old[k]);
    t->spare = old;
    t->link = now;
}

/* libzmq dials no more once a peer has refused our key; but the ledger may have named it to that peer a moment later. */
static void redial_silent(struct hub_transport *t)
{
    const uint64_t now = hub_clock_mono_ms();
    for (unsigned i = 0; i < HUB_PEERS_MAX; i++) {
        struct link *l = &t->link[i];
        const bool heard = l->seen_ms > l->dialled_ms;
        if (!l->peer.address[0] ||
            now - (heard ? l->seen_ms : l->dialled_ms) < (heard ? REDIAL_QUIET_MS : REDIAL_MS))
            continue;
        if (l->dealer)
            zmq_close(l->dealer);
        (void)dial(t, l);
    }
}

/* Back over the connection that the peer made. */
static bool send_back(struct hub_transport *t, struct link *l, const uint8_t *data, size_t len)
{
    if (!l->route_len)
        return false;
    if (zmq_send(t->router, l->route, l->route_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        if (errno == EHOSTUNREACH)
            l->route_len = 0;
        return false;
    }
    return zmq_send(t->router, data, len, ZMQ_DONTWAIT) >= 0;
}

static bool send_now(struct hub_transport *t, struct link *l, const uint8_t *data, size_t len)
{
    if (!(l->dealer && zmq_send(l->dealer, data, len, ZMQ_DONTWAIT) >= 0) &&
        !send_back(t, l, data, len))
        return false;
    t->stats.frames_out++;
    t->stats.bytes_out += len;
    return true;
}

static void flush(struct hub_transport *t, struct link *l)
{
    struct out_queue *q = &l->queue;
    while (q->count && send_now(t, l, q->frame[q->head].data, q->frame[q->head].len))
        drop_oldest(q);
}

static void send_one(struct hub_transport *t, struct link *l, struct hub_span frame)
{
    struct out_queue *q = &l->queue;
    if (!l->dealer && !l->route_len)
        return;
    flush(t, l);
    if (!q->count && send_now(t, l, frame.data, frame.len))
        return;
    while (q->count &&
           (q->count == HUB_OUT_FRAMES_MAX || q->bytes + frame.len > HUB_OUT_BYTES_MAX)) {
        drop_oldest(q);
        t->stats.dropped++;
    }
    uint8_t *copy = malloc(frame.len ? frame.len : 1);
    if (!copy) {
        t->stats.dropped++; /* as a link would: the protocol sends it again */
        return;
    }
    memcpy(copy, frame.data, frame.len);
    q->frame[(q->head + q->count) % HUB_OUT_FRAMES_MAX] = (struct out_frame){copy, frame.len};
    q->count++;
    q->bytes += frame.len;
}

void hub_transport_send(struct hub_transport *t, int peer, struct hub_span frame)
{
    HUB_ASSERT(frame.len <= HUB_FRAME_BYTES_MAX);
    HUB_ASSERT(peer >= -1 && peer < HUB_PEERS_MAX);
    for (int i = 0; i < HUB_PEERS_MAX; i++)
        if (is_used(&t->link[i].peer) && (peer == -1 || peer == i))
            send_one(t, &t->link[i], frame);
}

static void hand_over(struct hub_transport *t, unsigned peer, zmq_msg_t *m,
                      hub_transport_receive *receive, void *ctx)
{
    const struct hub_span frame = {zmq_msg_data(m), zmq_msg_size(m)};
    t->link[peer].seen_ms = hub_clock_mono_ms();
    t->stats.frames_in++;
    t->stats.bytes_in += frame.len;
    receive(ctx, (uint8_t)peer, frame);
}

/* One message from the ROUTER: routing id, frame. False when none is waiting. */
static bool receive_one(struct hub_transport *t, hub_transport_receive *receive, void *ctx)
{
    zmq_msg_t part[2];
    const unsigned count = receive_parts(t->router, part, 2);
    if (!count)
        return false;
    const bool one = count == 2 && zmq_msg_size(&part[1]) <= HUB_FRAME_BYTES_MAX;
    const int peer = one ? peer_of_message(t, &part[1]) : -1;
    if (peer < 0 || zmq_msg_size(&part[0]) > ROUTE_MAX) {
        t->stats.refused_frames++;
    } else {
        struct link *l = &t->link[peer];
        l->route_len = zmq_msg_size(&part[0]);
        memcpy(l->route, zmq_msg_data(&part[0]), l->route_len);
        hand_over(t, (unsigned)peer, &part[1], receive, ctx);
    }
    for (unsigned i = 0; i < count && i < 2; i++)
        zmq_msg_close(&part[i]);
    return true;
}

/* One message that came back over our own connection, whose far end CURVE proved to have the peer's key. */
static bool receive_back(struct hub_transport *t, unsigned peer, hub_transport_receive *receive,
                         void *ctx)
{
    zmq_msg_t part[1];
    const unsigned count = receive_parts(t->link[peer].dealer, part, 1);
    if (!count)
        return false;
    if (count == 1 && zmq_msg_size(&part[0]) <= HUB_FRAME_BYTES_MAX)
        hand_over(t, peer, &part[0], receive, ctx);
    else
        t->stats.refused_frames++;
    zmq_msg_close(&part[0]);
    return true;
}

static void receive_all(struct hub_transport *t, hub_transport_receive *receive, void *ctx)
{
    unsigned left = HUB_TRANSPORT_INPUTS_MAX;
    while (left && receive_one(t, receive, ctx))
        left--;
    /* Each has its share, or one that talks without end would be the only one heard. */
    for (unsigned i = 0; i < HUB_PEERS_MAX; i++)
        for (unsigned n = 0;
             n < INPUTS_BACK_MAX && t->link[i].dealer && receive_back(t, i, receive, ctx); n++)
            ;
}

enum hub_status hub_transport_wait(struct hub_transport *t, int64_t timeout_ms, const int *fd,
                                   unsigned fds, unsigned *ready, hub_transport_receive *receive,
                                   void *ctx)
{
    HUB_ASSERT(fds <= HUB_TRANSPORT_FDS_MAX);
    redial_silent(t);
    zmq_pollitem_t item[2 + HUB_TRANSPORT_FDS_MAX + HUB_PEERS_MAX] = {
        {t->zap, 0, ZMQ_POLLIN, 0}, {t->router, 0, ZMQ_POLLIN, 0}};
    int items = 2;
    for (unsigned i = 0; i < fds; i++)
        item[items++] = (zmq_pollitem_t){NULL, fd[i], ZMQ_POLLIN, 0};
    for (unsigned i = 0; i < HUB_PEERS_MAX; i++)
        if (t->link[i].dealer)
            item[items++] = (zmq_pollitem_t){
                t->link[i].dealer, 0,
                (short)(ZMQ_POLLIN | (t->link[i].queue.count ? ZMQ_POLLOUT : 0)), 0};
    if (zmq_poll(item, items, timeout_ms < 0 ? -1 : (long)timeout_ms) < 0 && errno != EINTR)
        return HUB_IO;
    *ready = 0;
    for (unsigned i = 0; i < fds; i++)
        if (item[2 + i].revents)
            *ready |= 1u << i;
    while (readable(t->zap))
        answer_zap(t);
    for (unsigned i = 0; i < HUB_PEERS_MAX; i++)
        flush(t, &t->link[i]);
    receive_all(t, receive, ctx);
    return HUB_OK;
}

uint64_t hub_transport_seen_ms(const struct hub_transport *t, uint8_t peer)
{
    return t->link[peer].seen_ms;
}

const char *hub_transport_address(const struct hub_transport *t, uint8_t peer)
{
    return t->link[peer].peer.address;
}

struct hub_transport_stats hub_transport_stats(const struct hub_transport *t)
{
    return t->stats;
}
