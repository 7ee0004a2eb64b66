/* simplex.h: the protocol, Simplex-H (docs/protocol.md), as one pure step: an event in, effects out.
 *  1. Plain old data without pointers, copied with memcpy by the checker; no clock, no randomness: time
 *     and the jitter seed are inputs.
 *  2. Knows subjects and header facts, never bodies or signatures: those lie in the replica.
 *  3. Bounded: HUB_VIEWS_MAX view slots, HUB_CANDIDATES_MAX subjects a tally, HUB_GAPS_MAX nullified
 *     intervals, HUB_EFFECTS_MAX effects a step.
 *  4. A signature is checked by the replica before its event, after asking hub_cons_wants_*.
 *  5. Level-triggered: every event changes the state, then all rules are tried. An answer that comes late,
 *     twice or never is legal; what is still missing is asked for again.
 *  6. Never asks for a vote that conflicts with one it asked for before or was told of by OWN_VOTE. */
#ifndef HUB_SIMPLEX_H
#define HUB_SIMPLEX_H

#include "hub/block.h"
#include "hub/vote.h"

struct hub_point { /* a block on the certified path */
    uint64_t view, height;
    struct hub_hash block_hash;
};

struct hub_cons_config {
    uint64_t epoch;
    uint8_t n, q, me; /* me = n: not a validator (observer), never votes */
    uint64_t leader_offset;
    uint64_t delta_ms, pace_ms, heartbeat_ms; /* heartbeat 0 = never */
    uint64_t block_send_ms;                   /* max_block * (n-1) / uplink */
    uint64_t jitter_seed;
};

/* Who voted for one subject. Fields a kind does not sign are zero, as in struct hub_subject. */
struct hub_candidate {
    struct hub_hash block_hash, log_root;
    uint64_t height, log_size;
    uint64_t signers; /* bit i: a verified vote of validator i. Signatures lie in the replica */
};

struct hub_tally { /* one kind in one view */
    struct hub_candidate candidate[HUB_CANDIDATES_MAX];
    uint32_t count;
};

/* WANTED: its hash is known. PENDING: the replica was asked to execute or fetch it. VALID: applied on its
 * parent, which is VALID. INVALID: breaks a rule, on every node alike. */
enum hub_slot {
    HUB_SLOT_NONE,
    HUB_SLOT_WANTED,
    HUB_SLOT_PENDING,
    HUB_SLOT_VALID,
    HUB_SLOT_INVALID
};

/* What the core needs to know of a header. */
struct hub_header_facts {
    struct hub_hash hash, parent, log_root;
    uint64_t epoch, view, height, parent_view, time_ms, log_size;
    uint8_t proposer;
    bool empty;            /* holds no record */
    bool ends_epoch, tail; /* SEAL or TAIL; TAIL: its height is its parent's */
};
void hub_header_facts_of(struct hub_header_facts *out, const struct hub_header *h,
                         const struct hub_hash *hash);

enum hub_event_kind {
    HUB_EV_TICK,
    HUB_EV_VOTE, /* a verified vote; also our own, once its record is committed */
    HUB_EV_LATE_VOTE, /* not wanted and of a view below ours: signature not checked, from the signer's own link */
    HUB_EV_CERTIFICATE, /* verified and kept by the replica; also one formed on HUB_FX_CERTIFICATE */
    HUB_EV_PROPOSAL, /* hub_cons_wants_proposal said yes, leader's signature good; `just` was fed before; the
                         * leader's NOTARIZE follows as HUB_EV_VOTE if wanted. Not for our own proposals */
    HUB_EV_BLOCK, /* verdict on a block. VALID: applied, and its ancestors too. INVALID: breaks a rule, or its
                         * ancestors miss the final block. Anything else (records not checked yet, ancestor missing,
                         * HUB_LIMIT) is no verdict: send no event */
    HUB_EV_BUILT, /* answer to HUB_FX_BUILD */
    HUB_EV_GATE, /* whether a record waits that is eligible on hub_cons_base; send when it changes, at the end of a
                         * turn, and before HUB_BUILT_NOTHING. The heartbeat is the core's */
    HUB_EV_PEER, /* a STATUS of our epoch */
    HUB_EV_VOTING, /* the replica forbids or allows own votes (questions at start open, journal doubtful). Allowed
                         * at first; send before START if not */
    HUB_EV_OWN_VOTE, /* from the journal at start */
    HUB_EV_START /* journal fed: CERTIFICATEs by rising view, then OWN_VOTEs by rising view. No effects before START;
                         * stored blocks above fin come as BLOCKs later, when asked for */
};
enum hub_built {
    HUB_BUILT_OK,
    HUB_BUILT_NOTHING /* no eligible record on that parent */,
    HUB_BUILT_FAILED
};

struct hub_event {
    enum hub_event_kind kind;
    uint64_t now_mono_ms, now_wall_ms;
    union {
        struct {
            struct hub_subject subject;
            uint8_t signer;
        } vote; /* VOTE, LATE_VOTE, OWN_VOTE */
        struct {
            struct hub_subject subject;
            uint64_t signers;
        } certificate;
        struct {
            struct hub_header_facts header;
            uint8_t from; /* validator whose link it came by; n = not a validator's */
        } proposal;
        struct {
            struct hub_header_facts header;
            bool valid;
        } block;
        struct {
            struct hub_header_facts header; /* OK only; applied, so VALID */
            uint64_t view;
            enum hub_built outcome;
        } built;
        struct {
            bool has_records;
        } gate;
        struct {
            uint8_t peer;
            uint64_t view, period_ms;
            struct hub_point fin, top;
            bool syncing;
        } peer;
        struct {
            bool allowed;
        } voting;
    } u;
};

enum hub_effect_kind {
    /* Into this turn's commit. */
    HUB_FX_KEEP_BLOCK, /* block_hash: the block and every ancestor above fin that is not durable yet */
    HUB_FX_VOTE, /* subject: sign, journal; after the commit send to all (not a leader's NOTARIZE: PROPOSE
                         * carries it) and feed back as HUB_EV_VOTE */
    HUB_FX_CERTIFICATE, /* subject: assemble from kept signatures of the voters, keep, feed back; send once to all */
    HUB_FX_FINAL, /* subject is final, its block and ancestors VALID: hub_chain_finalize, answer waiters */
    /* At once; answered with an event. */
    HUB_FX_BUILD, /* on `parent` of view `first` for view `view`; empty: no records. Answer HUB_EV_BUILT. A full
                     * chain (HUB_LIMIT) is answered by building empty */
    HUB_FX_EXECUTE, /* block_hash, held: decode, check, append; not applied ancestors that are held first. Answer
                     * HUB_EV_BLOCK when there is a verdict. Repeated while there is none */
    HUB_FX_FETCH_BLOCK, /* block_hash: unless held, get it and its missing ancestors down to fin from `peers` (bitmap
                         * of its signers without us; 0 = any), another pair of them at each repetition; then as EXECUTE */
    /* After the commit. */
    HUB_FX_PROPOSE, /* block_hash: send (again) the own proposal of `view`: block, own NOTARIZE, and as `just` the
                         * newest FINALIZATION, the parent's certificate, NULLIFICATIONs of (parent_view, view) */
    HUB_FX_FETCH_CERTS, /* GET_CERTS for views first..last, all kinds, to `peer` (n = any, another each time) */
    HUB_FX_HELP, /* to `peer`: the newest FINALIZATION if its view >= first, else the certificates of view `first`;
                         * and the entry certificate of our view */
    HUB_FX_RETRY, /* to all: newest FINALIZATION, entry certificate of `view` (FINALIZATION, else NULLIFICATION, else
                         * NOTARIZATION of view-1), NOTARIZATION of `view`, own journalled NOTARIZE and NULLIFY of `view`,
                         * own journalled FINALIZEs of views first..last */
    HUB_FX_RESEND_FINALIZE, /* standstill: own journalled FINALIZE votes of views first..last, to all */
    HUB_FX_STATUS,          /* announce now */
    HUB_FX_EVIDENCE, /* subject: the second of two conflicting votes of validator `peer`, both verified */
    HUB_FX_ALARM /* divergence: block_hash is certified (subject) and INVALID here, or contradicts another
                             * certificate; own voting has stopped for good */
};

struct hub_effect {
    enum hub_effect_kind kind;
    struct hub_subject subject;
    struct hub_hash block_hash, parent;
    uint64_t view, first, last, peers;
    uint8_t peer;
    bool empty;
};
struct hub_effects {
    struct hub_effect item[HUB_EFFECTS_MAX];
    uint32_t count;
    uint64_t wake_ms; /* monotonic time of the next TICK wanted, in the future; UINT64_MAX = none */
};

/* One view: view-1 .. view+2, the 8 newest notarized above top, and top's own until its block is final. */
struct hub_view {
    uint64_t view;
    bool used;
    bool closed; /* made again after it was dropped with own votes in it: cast none here */
    struct hub_header_facts prop,
        cert_blk; /* two slots: one alone is a lock-up (docs/protocol.md) */
    enum hub_slot prop_state, cert_state;
    bool did_notarize, did_nullify, did_finalize; /* own votes */
    struct hub_hash my_notarize; /* set by FINALIZE too: its block is ours for good */
    bool notarized;              /* NOTARIZATION(cert_blk) held */
    uint8_t formed;              /* bit kind-1: HUB_FX_CERTIFICATE was asked for */
    uint64_t cert_signers;       /* who certified cert_blk, so who can serve it */
    uint64_t cert_since_ms, ask_due_ms, ask_wait_ms;
    uint64_t nullifiers; /* verified NULLIFY voters */
    uint64_t accused;    /* evidence against them in this view was reported: no more is verified */
    struct hub_tally notarize, finalize;
};
struct hub_range {
    uint64_t first, last;
};

struct hub_cons {
    struct hub_cons_config cfg;
    bool started, allowed;
    bool halted, alarmed; /* voting stopped for good; ALARM raised */
    bool ended; /* fin ends the epoch: no vote any more; the next epoch has a core of its own */
    struct hub_subject why_halted;
    bool has_records, gate_open, building, build_failed;
    uint64_t view, now_mono_ms, now_wall_ms;
    uint64_t entered_ms, opened_ms, last_block_ms; /* view; gate; newest certificate of a block */
    uint64_t leader_due_ms, advance_due_ms; /* t_l, t_a; UINT64_MAX while the gate is closed */
    uint64_t retry_due_ms, retry_wait_ms, standstill_due_ms;
    uint64_t certs_due_ms, certs_wait_ms;
    uint8_t certs_peer;
    struct hub_point fin, top;
    uint64_t fin_time_ms;     /* of fin's header */
    struct hub_subject final; /* FINALIZATION held for top; view 0: none in this epoch */
    uint64_t closed_below;    /* highest view dropped with own votes in it */
    struct hub_view views[HUB_VIEWS_MAX];
    struct hub_range
        nullified[HUB_GAPS_MAX]; /* above top; disjoint, ascending; oldest dropped when full */
    uint32_t nullified_count;
    struct hub_point
        notarized[HUB_GAPS_MAX]; /* older than the view slots, ascending; height unused */
    uint32_t notarized_count;
    struct hub_peer_seen {
        uint64_t seen_ms, period_ms, view, top_view;
        uint64_t opened_ms, opened_view; /* its NULLIFY opened our gate */
        uint64_t helped_ms;
        bool helped, opened;
    } peer[HUB_VALIDATORS_MAX];
};

/* fin: the last final block of this epoch, or the sealing block with view 0; fin_time_ms: its header's time. */
void hub_cons_init(struct hub_cons *c, const struct hub_cons_config *cfg,
                   const struct hub_point *fin, uint64_t fin_time_ms);
uint8_t hub_cons_leader(const struct hub_cons *c, uint64_t view);
/* The block the next one is built on now: records in it and its unfinalized ancestors are not eligible. */
const struct hub_hash *hub_cons_base(const struct hub_cons *c);
/* Ask BEFORE checking a signature: in window, not a duplicate, quorum not yet reached. A second, different vote
 * is wanted once, as evidence. */
bool hub_cons_wants_vote(const struct hub_cons *c, const struct hub_subject *s, uint8_t signer);
bool hub_cons_wants_certificate(const struct hub_cons *c, const struct hub_subject *s);
/* The vote is in the tally of its view: HUB_FX_CERTIFICATE may ask for its signature. */
bool hub_cons_counted(const struct hub_cons *c, const struct hub_subject *s, uint8_t signer);
/* Of view or view+1 by its leader and the first, or of a block a certificate asks for. */
bool hub_cons_wants_proposal(const struct hub_cons *c, const struct hub_header_facts *h);
/* out is overwritten. */
void hub_cons_step(struct hub_cons *c, const struct hub_event *ev, struct hub_effects *out);
/* All invariants; called after each step in tests. */
void hub_cons_assert(const struct hub_cons *c);

#endif
