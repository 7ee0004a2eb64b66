/* node.h: one running node: its parts, in the order they are made, and the one loop that owns them. Everything
 * but the verifier threads and the HTTP thread runs on the main thread. */
#ifndef HUB_NODE_H
#define HUB_NODE_H

#include "hub/keyfile.h"
#include "node/checkpoint.h"
#include "node/config.h"
#include "node/docket.h"
#include "node/dry_run.h"
#include "node/guard.h"
#include "node/intake.h"
#include "node/join.h"
#include "node/offer.h"
#include "node/recovery_file.h"
#include "node/replica.h"
#include "node/scrub.h"
#include "node/standing.h"
#include "node/store.h"
#include "node/transport.h"

struct hub_api;

struct hub_node {
    struct hub_config cfg;
    struct hub_node_options { /* from the command line, for one start */
        const char
            *recovery[HUB_RECOVERIES_MAX]; /* files: records epoch.recover that are followed */
        unsigned recoveries;
        const char *anchor; /* file: a chain that does not contain it is refused; NULL: none */
        bool resume, acknowledge;
    } options;
    struct hub_buf genesis_bytes; /* owned */
    struct hub_genesis genesis;   /* view into genesis_bytes */
    struct hub_recovery_files recovery;
    struct hub_keyfile key; /* owned; its secrets are read by port_sign only */
    struct hub_store *store;
    struct hub_guard *guard;
    struct hub_floor floor; /* of the history this node has */
    struct hub_mempool *pool;
    struct hub_verifier *verifier;
    struct hub_transport *transport;
    struct hub_intake intake;
    struct hub_replica *replica;    /* mapped; its chain holds the state */
    struct hub_chain_memory memory; /* of the chain in replica */
    struct hub_history *history;
    struct hub_scrub scrub;
    struct hub_dry_run *dry_run;
    struct hub_docket docket;
    struct hub_offer offer; /* of a snapshot, to peers */
    struct hub_join join;   /* busy: the replica has not begun */
    struct hub_standing_facts facts;
    uint64_t ready_due_ms; /* monotonic: when ready.c looks again */
    struct hub_api *api;   /* NULL: no HTTP */
    uint8_t me;          /* index among the validators that vote now; their number: none of them */
    char member[24];     /* whose key this node has, by the ledger; "" while it is not there */
    bool peers_stale;    /* a final record may have changed who may listen */
    bool retiring, safe; /* its key was a validator's; and the next set does not need it any more */
    int signal_fd;
    bool stopping;
    enum hub_disk_level disk;
    uint64_t started_ms, tended_ms, disk_ms, scrubbed_ms, placed_ms,
        final_ms;                         /* monotonic; final_ms: the last final block */
    uint64_t final_blocks, final_records; /* since start */
};

/* Makes everything, or says why not in why[HUB_WHY_BYTES + 128] and releases what it made. Returns the
 * process's exit code: 0, or 65 bad file, 69 in use, 70 broken. */
HUB_MUST_USE int hub_node_open(struct hub_node *n, char *why, size_t cap);
/* Runs until SIGTERM or SIGINT (returns 0), until the disk is nearly full (75), or until something that must not be
 * survived (ends the process with 70). */
HUB_MUST_USE int hub_node_run(struct hub_node *n);
void hub_node_close(struct hub_node *n);
/* When an empty directory was filled by a snapshot, or was not: the chain to where the store stands; follow: and the replica
 * begins. As hub_node_open, but nothing is released. */
HUB_MUST_USE int hub_node_follow(struct hub_node *n, bool follow, char *why, size_t cap);

#endif
