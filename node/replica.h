/* replica.h: runs the effects of the consensus core in their one legal order, against struct hub_ports. It
 * knows no database, socket or clock, so node and simulator run the same code.
 *  1. One turn: inputs are stepped as they come; then ONE commit of all blocks and votes, then all sends;
 *     then own votes are fed back. No signature of ours leaves, in whatever message, before that commit.
 *  2. An own vote is signed in one place; the journal refuses a second one for (epoch, view, kind).
 *  3. A port that fails stops the replica for good: nothing is sent after it, hub_replica_turn returns the
 *     status and the process must end.
 *  4. Votes and certificates are verified before the core sees them, blocks before they are applied; what
 *     comes from the disk as well.
 *  5. No allocation: all memory is handed in, every queue is bounded by limits.h.
 *
 * An epoch ends when its SEAL is final: in the commit that says so lies the link to the next epoch, and after the
 * sends of that turn the core of the next one begins. Exactly one core runs (ava-labs#552), and nothing of the old
 * one is fed to it (ava-labs#551).
 *
 * Before it votes, in each epoch, a node compares its journal with the guard, and asks q - 1 peers for the highest
 * votes of its own key (docs/hazards.md H12). A vote that its own journal does not have means a lost or rolled-back
 * disk: the node follows, but signs nothing.
 *
 *   start.c  beginning    replica.c  turn, effects    receive.c  messages in    outbox.c  messages out
 *   bodies.c  blocks in memory    catchup.c  execution, finality    sync.c  catch-up by height    accuse.c  evidence
 *   permit.c  may it vote?    mend.c  damage on disk    epochs.c  the next set
 *   recover.c  the next set without a quorum */
#ifndef HUB_NODE_REPLICA_H
#define HUB_NODE_REPLICA_H

#include "hub/message.h"
#include "node/ports.h"

struct hub_now {
    uint64_t mono_ms, wall_ms; /* monotonic; Unix time */
};

struct hub_replica_config {
    struct hub_hash kid; /* of this node's key; in no set of validators: an observer */
    uint8_t me; /* set by the replica: index in the set that votes now; its size: observer */
    uint64_t uplink_mbit;    /* 1..100000: how long a proposal takes to leave */
    uint64_t jitter_seed;    /* differs per node: retries must not fall together */
    const char *version;     /* 1..32 bytes, told to peers; borrowed for ever */
    struct hub_point anchor; /* a block kept elsewhere that must be on the chain; height 0: none */
    uint64_t floor;   /* the lowest height the store was given, by a snapshot; 0: all from 1 on */
    bool resume;      /* votes after a lost journal, once the chain has passed what was lost */
    bool acknowledge; /* the operator has seen why voting was halted, and takes that away */
    const struct hub_record
        *recovery; /* records epoch.recover that the operator accepted; borrowed for ever */
    uint32_t recoveries;
    void *memory; /* hub_replica_memory_bytes() long, 64-byte aligned; borrowed for ever */
};

enum hub_voting {
    HUB_VOTING_ASKING, /* peers are asked for votes of our key; nothing is signed */
    HUB_VOTING_ALLOWED,
    HUB_VOTING_FORBIDDEN /* hub_replica.permit.why says why */
};

struct hub_body { /* an encoded block in memory */
    uint8_t from; /* peer it came from + 1; 0: not from a peer */
    struct hub_hash hash;
    struct hub_header header;
    struct hub_buf bytes;
    uint64_t touched; /* larger = used later */
    bool used, stored, invalid;
    bool certified; /* came with its FINALIZATION, which is in the store */
    bool unproven;  /* came by height: nothing vouches for it yet */
};

struct hub_want {                /* a block whose verdict the core waits for */
    struct hub_hash hash, asked; /* asked: the block last requested for it, itself or an ancestor */
    uint64_t peers;              /* who has it; 0 = any */
    bool used, fetch;            /* fetch: request what is missing now, even if it was before */
    uint64_t again_ms;           /* else not before this time */
};

enum hub_check_state { HUB_CHECK_NONE, HUB_CHECK_RUNNING, HUB_CHECK_GOOD, HUB_CHECK_BAD };

struct
    hub_vote_set { /* verified votes of one view with signatures: certificates are made of these */
    uint64_t view; /* 0 = free */
    uint64_t held[3]; /* by kind - 1; bit i: vote[kind - 1][i] */
    struct hub_vote vote[3][HUB_VALIDATORS_MAX];
};

struct hub_peer { /* what is known of, and granted to, a peer */
    struct hub_point fin;
    uint64_t epoch; /* of its last STATUS */
    uint64_t seen_ms, refilled_ms;
    uint64_t links_asked_ms, links_told_ms; /* GET_EPOCHS, EPOCH_PROOF: one a second */
    uint64_t checks, services,
        looks; /* tokens, in thousandths: failed signature checks; requests answered; certificates
                * of the past compared with stored ones */
    uint64_t bad_messages, bad_signatures;
    bool answered; /* told us the votes of our key, since we ask */
    uint64_t rest_until_ms, failed_requests, sync_failures; /* sync.c; in a row; ever */
};

struct hub_accused { /* evidence is held: the same offence is not looked at again */
    uint64_t epoch, view;
    uint8_t signer;
};

struct hub_mend { /* something final that the disk damaged, and that is asked for */
    uint64_t place, due_ms,
        tries;            /* height of a block, view of a certificate, epoch of a link; 0 = free */
    struct hub_hash hash; /* of a block */
};

struct hub_frame { /* in the outbox; peer -1 = all */
    int peer;
    size_t at, len;
};

struct hub_replica {
    struct hub_chain chain; /* initialised by the caller before the start */
    struct hub_cons cons;
    struct hub_ports port;
    struct hub_replica_config cfg;
    enum hub_status failure;
    enum hub_voting voting;
    struct hub_now now;

    struct hub_event event[HUB_EVENTS_MAX]; /* ring */
    uint32_t event_first, event_count;
    struct hub_effects effects;
    uint64_t core_wake_ms;

    struct hub_vote
        own[2 * HUB_EFFECTS_MAX]; /* signed in this turn; tallied only after the commit */
    uint32_t own_count;
    struct hub_vote_set votes[HUB_VOTE_VIEWS_MAX];
    struct hub_vote highest[HUB_VALIDATORS_MAX]
                           [3]; /* answers to GET_VOTES; subject.kind 0 = none */

    struct { /* accuse.c */
        struct hub_accused known[HUB_ACCUSED_MAX];
        uint32_t count, next;                    /* next: of second[], a ring */
        struct hub_vote second[HUB_SECONDS_MAX]; /* different votes of one kind; kind 0 = free */
    } accuse;

    struct hub_body body[HUB_BODIES_MAX];
    struct hub_want want[HUB_WANTS_MAX];
    uint64_t touches;
    struct {
        enum hub_check_state state;
        struct hub_block block; /* its records lie in records[] */
    } check;
    bool chain_full, busy; /* HUB_LIMIT until something is final; HUB_TURN_STEPS_MAX was reached */
    struct hub_record *records,
        *candidates; /* of the block being checked; of the one being built */
    struct hub_record_keys *keys;

    struct hub_peer peer[HUB_PEERS_MAX];
    uint8_t rotate; /* the peer asked last */
    struct hub_hash
        seal_hash; /* of the block that sealed this epoch's set; epoch 0: the chain id */
    struct {       /* a checked link to the next epoch, whose SEAL is not final here yet */
        bool held;
        struct hub_hash seal_hash;
        struct hub_buf bytes;
    } proof;
    struct { /* recover.c */
        struct hub_record
            own; /* of the stored link out of this epoch: accepted when it was crossed; a view into bytes */
        uint8_t bytes[HUB_RECOVERY_BYTES_MAX];
        bool has_own;
        uint64_t ask_due_ms;
        uint16_t why; /* result code: the accepted record does not hold on its base; 0 */
        uint64_t
            shown_by; /* validators of this epoch that signed one which a peer showed and nobody accepted here */
        struct hub_hash shown; /* its id */
    } recover;
    bool ended; /* the final block ends the epoch: with this turn's commit the next begins */
    struct {    /* catch-up by height */
        uint64_t due_ms, tries, final; /* final: height when it last made progress */
        uint64_t got,
            patience; /* blocks that came for the last request; how often it gets more time */
        uint8_t source[2], sources; /* whom the last request went to */
        uint64_t stored; /* the tip found on disk: up to it blocks are at home, but damaged ones */
        uint64_t asked;  /* up to this height */
        bool active;
    } sync;
    struct { /* mend.c */
        struct hub_mend block[HUB_MENDS_MAX];
        struct hub_mend certificate, link;      /* of the newest final block; to an epoch */
        uint64_t next, next_link, scrub_due_ms; /* to be read: a height, an epoch */
        uint64_t found, mended;                 /* since start; found: blocks only */
    } mend;

    struct { /* what the core was told */
        struct hub_hash base;
        uint64_t view,
            look_ms; /* look_ms: when a record kept back for a while may be eligible again */
        bool waiting, stale;
    } gate;
    uint64_t status_due_ms;
    struct { /* permit.c */
        enum hub_abstain why;
        struct hub_halt halt; /* as stored */
        uint64_t ask_due_ms;
        uint64_t
            lost_view; /* resuming: the highest view any report, guard or journal has a vote in */
        bool anchored; /* the anchor was found in the chain */
    } permit;

    bool must_commit; /* a vote was put: commit before anything is sent */
    bool may_commit;  /* blocks, certificates or the tip were put: commit by commit_due_ms */
    uint64_t commit_due_ms;
    struct hub_frame frame[HUB_OUTBOX_FRAMES_MAX];
    uint32_t frame_count;
    struct hub_buf outbox, scratch;
    uint64_t frames_lost, events_lost;
};

size_t hub_replica_memory_bytes(void);

/* r: zeroed but for r->chain, which stands at genesis or at a checkpoint. Replays the stored final blocks above
 * it (each decoded, checked and applied like any other), feeds journalled certificates and votes to the core
 * and begins to ask the peers. HUB_CORRUPT: the store does not lead from there to its tip; or the status of a
 * port. */
HUB_MUST_USE enum hub_status hub_replica_start(struct hub_replica *r, const struct hub_ports *ports,
                                               const struct hub_replica_config *cfg,
                                               struct hub_now now);
/* A frame from the authenticated link of `peer` (ports.h); borrowed for the call. Anything may be in it. */
void hub_replica_on_message(struct hub_replica *r, uint8_t peer, struct hub_span frame,
                            struct hub_now now);
/* The answer to ports.check, also from inside that call: all signatures of the block's records are good, or not. */
void hub_replica_on_block_checked(struct hub_replica *r, const struct hub_hash *hash, bool valid);
/* Evidence of this offence is held from before the start, which this precedes. */
void hub_replica_knows_offence(struct hub_replica *r, uint64_t epoch, uint64_t view,
                               uint8_t signer);
/* An item that somebody recorded on the ledger, as if a peer had sent it. */
void hub_replica_on_evidence(struct hub_replica *r, struct hub_span item);
/* The pool changed: records came, or a parked one is due. */
void hub_replica_on_records(struct hub_replica *r);
/* Timers, the commit, the sends; then own votes are fed back. *wake_ms: monotonic time of the next call
 * wanted; <= now: at once. Any status but HUB_OK is final: end the process. */
HUB_MUST_USE enum hub_status hub_replica_turn(struct hub_replica *r, struct hub_now now,
                                              uint64_t *wake_ms);

/* Validators of this epoch whose last STATUS told that they are in it: with q of them a node that left the set
 * is not needed any more. */
uint8_t hub_replica_arrived(const struct hub_replica *r);
/* It catches up, and not by a peer's word alone: a certificate or a link says that there is more than it has. */
static inline bool hub_replica_is_behind(const struct hub_replica *r)
{
    return r->sync.active && (r->cons.top.height > r->chain.final_header.height || r->proof.held);
}

#endif
