/* ports.h: what the replica needs of the world: the only place of function pointers with effects. The node
 * fills it with LMDB, ZeroMQ and threads, the simulator with arrays.
 *
 * One turn of the replica: drain at most K inputs, step each, ONE commit of all blocks and votes, then all
 * sends; then own votes are fed back. Persist, commit, send: in that order, nowhere else. */
#ifndef HUB_PORTS_H
#define HUB_PORTS_H

#include "hub/chain.h"
#include "hub/evidence.h"
#include "hub/message.h"

/* The view of a guard whose key signed a recovery of the mark's epoch: it votes no more in it. */
#define HUB_VIEW_SILENT UINT64_MAX

/* How far the votes of this node's key go: by this, guard and journal are compared (docs/hazards.md H12). */
struct hub_vote_mark {
    uint64_t epoch, view; /* the highest view voted in */
    uint64_t votes;       /* cast in this journal so far */
    struct hub_hash head; /* of the journal's hash chain behind them; zero when there are none */
    struct hub_hash
        signed_; /* of a guard that is silent: what recovery (hub_epoch_recover_what); zero: it holds nowhere */
};

/* Why this node casts no vote; node/abstain.h has the words. Numbers are stored and never change. */
enum hub_abstain {
    HUB_ABSTAIN_NOT = 0,
    HUB_ABSTAIN_ASKING = 1,   /* peers are asked for the votes of our key */
    HUB_ABSTAIN_OBSERVER = 2, /* its key is no validator's */
    HUB_ABSTAIN_ANCHOR = 3,   /* the chain does not reach the anchor yet */
    HUB_ABSTAIN_RESUMING = 4, /* --resume-after-loss waits for the chain to pass the lost votes */
    /* A way back: --resume-after-loss, or a new key. */
    HUB_ABSTAIN_GUARD_MISSING = 5,
    HUB_ABSTAIN_GUARD_AHEAD = 6,  /* the guard knows of votes that the journal lacks */
    HUB_ABSTAIN_VOTE_UNKNOWN = 7, /* a peer does */
    HUB_ABSTAIN_RESTORED = 8,     /* the directory came from a backup */
    /* A way back: the operator's acknowledgement. */
    HUB_ABSTAIN_DIVERGENCE = 9, /* a certified block breaks a rule here */
    HUB_ABSTAIN_BREAKER = 10,   /* fault model crash-1of3, and a validator signed two votes */
    HUB_ABSTAIN_FORK = 11,      /* two certificates of one view exclude each other */
    /* The way on: the recovery. */
    HUB_ABSTAIN_RECOVERY = 12, /* it signed, or follows, a recovery of this epoch */
    /* Passes by itself. */
    HUB_ABSTAIN_LEFT = 13, /* its key has voted in a later epoch than the one the chain stands in */
    HUB_ABSTAIN_REASONS
};

/* A reason that outlives a restart. */
struct hub_halt {
    enum hub_abstain why; /* HUB_ABSTAIN_NOT: none */
    uint64_t epoch, view, time_ms;
    struct hub_hash block;
};

/* What a restart finds. */
typedef void hub_store_visit_vote(void *ctx, const struct hub_vote *v);
typedef void hub_store_visit_certificate(void *ctx, const struct hub_certificate *c);

struct hub_ports {
    /* Store: the journal of what cannot be derived. Everything put since the last commit is one synced
     * transaction. Any status but HUB_OK (and HUB_NOT_FOUND from a get) ends the process. */
    void *store;
    enum hub_status (*put_block)(void *store, const struct hub_header *h,
                                 const struct hub_hash *hash, struct hub_span bytes);
    enum hub_status (*put_vote)(
        void *store,
        const struct hub_vote *v); /* own; HUB_CONFLICT: another subject for (epoch, view, kind) */
    enum hub_status (*put_certificate)(void *store, const struct hub_certificate *c, uint8_t n);
    enum hub_status (*put_tip)(
        void *store, const struct hub_point *fin,
        const struct hub_edge *
            edge); /* never moves back; binds heights up to it to its ancestors. At or below it: HUB_OK if
                     * it is the block bound there, and bindings that were damaged are made again */
    /* The link that leads to this epoch; together with the tip at its SEAL. Kept for ever. */
    enum hub_status (*put_link)(void *store, uint64_t epoch, struct hub_span link);
    enum hub_status (*commit)(void *store);
    /* Reads see uncommitted puts. Spans are valid until the next call on the store. Hash-checked: a damaged block or
     * certificate is HUB_NOT_FOUND, and putting it again replaces it; a damaged vote or tip is HUB_CORRUPT. */
    enum hub_status (*get_block)(void *store, const struct hub_hash *hash, struct hub_span *bytes);
    enum hub_status (*get_block_at)(void *store, uint64_t height,
                                    struct hub_span *bytes); /* final ones only */
    enum hub_status (*get_certificate)(void *store, uint64_t epoch, uint64_t view, uint8_t kind,
                                       struct hub_certificate *out);
    enum hub_status (*get_tip)(void *store, struct hub_point *fin,
                               struct hub_edge *edge); /* HUB_NOT_FOUND: only genesis */
    enum hub_status (*get_link)(void *store, uint64_t epoch, struct hub_span *link);
    enum hub_status (*each_vote)(void *store, uint64_t epoch, uint64_t from_view,
                                 hub_store_visit_vote *visit, void *ctx);
    enum hub_status (*each_certificate)(void *store, uint64_t epoch, uint64_t from_view,
                                        hub_store_visit_certificate *visit, void *ctx);
    /* Of all votes put so far. */
    enum hub_status (*get_mark)(void *store, struct hub_vote_mark *out);
    /* The journal continues from this mark: HUB_OK, also when votes that old were forgotten. HUB_NOT_FOUND: it
     * does not. */
    enum hub_status (*has_mark)(void *store, const struct hub_vote_mark *m);
    enum hub_status (*put_halt)(void *store, const struct hub_halt *h); /* why NOT: takes it away */
    enum hub_status (*get_halt)(void *store, struct hub_halt *out);     /* none: why NOT */

    /* Guard: how far the key has voted, kept apart from the store. It can only refuse. */
    void *guard;
    /* HUB_NOT_FOUND: there is none; HUB_CORRUPT: it cannot be read. */
    enum hub_status (*guard_read)(void *guard, struct hub_vote_mark *out);
    /* Remembered soon, at most once a second; never waits, cannot fail. Makes a guard that is missing. */
    void (*guard_note)(void *guard, const struct hub_vote_mark *m);

    /* Network: never blocks, may drop. peer = index of a validator, or HUB_VALIDATORS_MAX and above: another
     * node; -1 = all. */
    void *net;
    void (*send)(void *net, int peer, struct hub_span frame);

    /* Records. A record waits while its number is unspent in `s`, the state it would be built on: so one that lies
     * in an unfinalized ancestor neither waits nor is taken twice. */
    void *pool;
    /* An eligible record, not parked, waits (docs/protocol.md 7). view: the current one, to count missed views for parking. */
    bool (*waiting)(void *pool, const struct hub_state *s, uint64_t view, uint64_t now_mono_ms);
    /* Candidates for a block of this time on state `s`, in signer order, all verified; their bytes stay valid until the
     * pool is next told of a final block. */
    uint32_t (*take)(void *pool, const struct hub_state *s, uint64_t time_ms,
                     struct hub_record *out, uint32_t max, size_t bytes_max);
    /* Records to send to peers: fresh = from own clients and not sent yet; else any unfinalized, in turn. Borrowed until
     * the next call on the pool. */
    uint32_t (*share)(void *pool, bool fresh, struct hub_span *record, struct hub_span *attachment,
                      uint32_t max, size_t bytes_max);
    /* Checks the signatures of a foreign block's records, marks them verified and answers with
     * hub_replica_on_block_checked, at once or later; records and keys stay untouched until then. */
    void (*check)(void *pool, const struct hub_hash *hash, struct hub_record *records,
                  const struct hub_record_keys *keys, uint32_t count);
    void (*offer)(void *pool, uint8_t peer, struct hub_span record,
                  struct hub_span attachment); /* forwarded by a peer */

    /* The rest of the node: called for each newly final block with records, in order, before its slot is freed; at
     * start also for those above the checkpoint, which were final before. It may commit the store. */
    void *client;
    void (*final)(void *client, const struct hub_applied *applied, struct hub_span block);
    void (*alarm)(void *client, const char *what, const struct hub_hash *block);
    /* A validator is convicted, for the first time in this process: item is to be kept (the turn commits the store) and
     * recorded. Borrowed. NULL: nobody is interested. */
    void (*evidence)(void *client, const struct hub_offence *o, struct hub_span item);
    /* Who votes from now on, at start and when an epoch has ended; me = set->n: not this node. Peers have these
     * indices from now on. */
    void (*epoch)(void *client, const struct hub_validators *set, uint8_t me);

    /* What this node has of the file of a snapshot (node/offer.h); out->piece borrowed until the next call. NULL: this node
     * offers none. */
    void (*snapshot)(void *client, const struct hub_hash *id, uint64_t offset,
                     struct hub_snapshot_message *out);

    /* The only reader of the secret key. */
    void *signer;
    void (*sign)(void *signer, struct hub_signature *out, struct hub_span message);
};

#endif
