/* transport.h: ZeroMQ between nodes: who may speak, and how frames move.
 *  1. Fail closed. A ZAP handler is bound before any other socket, every connection is CURVE, the domain
 *     is enforced, and a self-test at start sees a random key being refused, or the node does not start
 *     (docs/hazards.md H14: without a handler CURVE lets any key in, silently).
 *  2. A peer is the transport key that CURVE proved, never a routing id it chose (H15); the allow-list is
 *     looked up again for each frame, so a session does not outlive its removal (H24).
 *  3. One ROUTER in, one DEALER out per peer; a link is up when either side reached the other: what cannot go
 *     out goes back over the connection the peer made. A silent peer is dialled anew. Nothing ever blocks. What does not fit the queue of a
 *     peer drops its oldest frame: the newest view wins, and the protocol repairs loss (H22).
 *  4. One frame is one message, at most HUB_FRAME_BYTES_MAX bytes; any other count of parts is refused (H16).
 * All sockets belong to the thread that calls these functions. The only files with zmq.h are transport*.c. */
#ifndef HUB_TRANSPORT_H
#define HUB_TRANSPORT_H

#include "hub/base.h"
#include "hub/limits.h"

enum {
    HUB_ADDRESS_MAX = 255,
    HUB_TRANSPORT_KEY_BYTES = 32,
    HUB_OUT_FRAMES_MAX = 512, /* waiting frames a peer: several views of a full network */
    HUB_OUT_BYTES_MAX =
        16 << 20, /* waiting bytes a peer: about eight full blocks and their votes */
    HUB_TRANSPORT_INPUTS_MAX = 128, /* frames handed over in one turn, so timers run in time */
    HUB_TRANSPORT_FDS_MAX = 8       /* further descriptors of the node's one poll loop */
};

struct hub_transport_peer {            /* its place in the table is the number it has here */
    char address[HUB_ADDRESS_MAX + 1]; /* "127.0.0.1:7001"; empty: it must reach us */
    uint8_t key[32];                   /* CURVE public key; zero: nobody, or ourselves */
};

struct hub_transport_config {
    char listen[HUB_ADDRESS_MAX + 1]; /* "127.0.0.1:7001" */
    uint8_t public_key[32], secret_key[32];
    struct hub_transport_peer peer[HUB_PEERS_MAX];
};

struct hub_transport_stats { /* since start */
    uint64_t frames_in, bytes_in, frames_out, bytes_out, dropped, refused_keys, refused_frames;
};

struct hub_transport; /* owned by the caller, released by hub_transport_close */

/* Binds, connects and runs the self-test. On failure *why names the address or the rule, static or in
 * the transport's own buffer valid until the next open. HUB_IO: address or socket; HUB_REFUSED: self-test. */
HUB_MUST_USE enum hub_status hub_transport_open(struct hub_transport **out, const char **why,
                                                const struct hub_transport_config *cfg);
void hub_transport_close(struct hub_transport *t);
/* Who may speak from now on. A peer whose key and address stay keeps its link and queue in its new place; frames
 * of one that is gone are refused at once. Not while hub_transport_wait hands over a frame. */
void hub_transport_set_peers(struct hub_transport *t,
                             const struct hub_transport_peer peer[HUB_PEERS_MAX]);

/* Queues a copy for this peer, -1 = all. Never blocks. */
void hub_transport_send(struct hub_transport *t, int peer, struct hub_span frame);

/* Waits until a frame or one of fd[fds] is readable or timeout_ms passed (negative: for ever), flushes
 * queues, answers ZAP, and hands over at most HUB_TRANSPORT_INPUTS_MAX frames. ready gets one bit a fd. */
typedef void hub_transport_receive(void *ctx, uint8_t peer, struct hub_span frame);
HUB_MUST_USE enum hub_status hub_transport_wait(struct hub_transport *t, int64_t timeout_ms,
                                                const int *fd, unsigned fds, unsigned *ready,
                                                hub_transport_receive *receive, void *ctx);
/* When the last frame from this peer came (monotonic ms), 0 = never. */
uint64_t hub_transport_seen_ms(const struct hub_transport *t, uint8_t peer);
/* Where this peer is dialled; "" = it is not. Borrowed until the peers change. */
const char *hub_transport_address(const struct hub_transport *t, uint8_t peer);
struct hub_transport_stats hub_transport_stats(const struct hub_transport *t);

#endif
