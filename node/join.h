/* join.h: how an empty node comes by the snapshot of a peer: asks all, fetches the file of one in pieces of 128 KiB
 * into DIR/joining, and hands it over whole. Virtual time, no sockets: the node and the unit tests drive it alike.
 *
 *     ASKING --offers for 1 s--> FETCHING --all bytes--> WHOLE --owner verified--> JOINED
 *       ^  \--none for 30 s--> HISTORY       |             |
 *       +---- its peer is silent for 5 s, slow, gone, or its head is no good; or the owner found it wrong
 *
 *  1. Nothing of it is believed before the owner has verified it whole from genesis (snapshot.h); as soon as the head is there,
 *     links, headers and certificate are, and that the height is the one that was offered. So rubbish costs at most
 *     4 MiB, and a forged state behind a true head one file: what the peer said it is long, at most
 *     HUB_SNAPSHOT_BYTES_MAX and what leaves a tenth of the volume free (H6).
 *  2. A peer that sent what is wrong is not asked again; one that failed to send, three times. So it ends. A peer must bring
 *     32 KB a second on the average, after the first 30 s.
 *  3. What was fetched survives a restart: the file's own head says what it is of, and whoever has the same goes on.
 *     A file that was begun before a restart and is wrong accuses nobody: the disk may have lost a part.
 *  4. HISTORY: the owner fetches all blocks instead. A peer that says that it is making a snapshot is waited for, 10 min. */
#ifndef HUB_JOIN_H
#define HUB_JOIN_H

#include "hub/genesis.h"
#include "hub/message.h"

#include <stdio.h>

enum hub_join_state {
    HUB_JOIN_OFF, /* nothing was to be done */
    HUB_JOIN_ASKING,
    HUB_JOIN_FETCHING,
    HUB_JOIN_WHOLE, /* the owner verifies DIR/joining and says hub_join_verdict */
    HUB_JOIN_JOINED,
    HUB_JOIN_HISTORY
};

struct hub_join_offer { /* of one peer */
    struct hub_hash id;
    uint64_t height, bytes; /* bytes 0: none */
    uint8_t strikes;
};

struct hub_join {
    enum hub_join_state state;
    char path[1100];                                          /* DIR/joining */
    const char *dir;                                          /* borrowed */
    const struct hub_genesis *genesis;                        /* borrowed */
    void (*send)(void *net, int peer, struct hub_span frame); /* peer -1: all */
    const char *(*name)(void *net, uint8_t peer);             /* for the log */
    void *net;
    FILE *file;         /* owned */
    struct hub_hash id; /* of what is in the file; zeros: not known */
    uint64_t have, bytes, height, requested,
        look_at;  /* look_at: bytes at which the head may be there */
    uint8_t peer; /* it is fetched from */
    bool head_ok, resumed;
    uint64_t began_ms, asked_ms, offered_ms, making_ms, fetch_ms, fetch_have, progress_ms,
        request_ms, told_ms;
    struct hub_join_offer offer[HUB_PEERS_MAX];
    const char *why; /* HISTORY: static storage */
};

/* dir, genesis, send, name and net are set, all else zero. Takes up DIR/joining if there is one. */
void hub_join_begin(struct hub_join *j, uint64_t now_ms);
/* True while the node does nothing else. */
bool hub_join_busy(const struct hub_join *j);
/* A frame of the authenticated link of `peer`; anything may be in it. */
void hub_join_receive(struct hub_join *j, uint8_t peer, struct hub_span frame, uint64_t now_ms);
/* Asks, gives up. Returns when it wants to be called again. */
uint64_t hub_join_turn(struct hub_join *j, uint64_t now_ms);
/* WHOLE -> JOINED, or on to another peer; why: of a file that is wrong. */
void hub_join_verdict(struct hub_join *j, bool good, const char *why, uint64_t now_ms);
/* Closes the file, which stays unless the state is JOINED or HISTORY. */
void hub_join_close(struct hub_join *j);

#endif
