/* simplex.h: the protocol, Simplex-H (docs/protocol.md), as one pure step: an event in, effects out.
 *  1. Plain old data without pointers, copied with memcpy by the checker; no clock, no randomness: time
 *     and the jitter seed are inputs.
 *  2. Knows subjects and header facts, never bodies or signatures: those lie in the replica.
 *  3. Bounded: HUB_VIEWS_MAX view slots, HUB_GAPS_MAX nullified intervals, HUB_EFFECTS_MAX effects a step.
 *  4. A signature is checked by the replica before its event, after asking hub_cons_wants. */
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
    uint64_t delta_ms, pace_ms, heartbeat_ms, block_send_ms; /* block_send_ms = max_block * (n-1) / uplink */
    uint64_t jitter_seed;
};

struct hub_tally { /* one subject of one kind in one view; who voted it. Signatures lie in the replica */
    struct hub_subject subject;
    uint64_t voted; /* bit i: validator i sent a verified vote of this kind, whatever its subject */
    uint64_t equal; /* bit i: it was for `subject` */
};

enum hub_slot { HUB_SLOT_NONE, HUB_SLOT_WANTED, HUB_SLOT_PENDING, HUB_SLOT_VALID, HUB_SLOT_INVALID };

/* What the core needs to know of a header. */
struct hub_header_facts {
    struct hub_hash hash, parent, log_root;
    uint64_t epoch, view, height, parent_view, time_ms, log_size;
    uint8_t proposer;
    bool empty;
};
void hub_header_facts_of(struct hub_header_facts *out, const struct hub_header *h, const struct hub_hash *hash);

enum hub_event_kind {
    HUB_EV_TICK,
    HUB_EV_VOTE,        /* a verified vote; also our own, once its record is committed */
    HUB_EV_CERTIFICATE, /* verified and kept by the replica */
    HUB_EV_PROPOSAL,    /* leader's signature good; its `just` was fed before */
    HUB_EV_BLOCK,       /* verdict on a block the core asked to execute; VALID blocks are durable with the next commit */
    HUB_EV_BUILT,       /* answer to HUB_FX_BUILD, or build failed / nothing to propose */
    HUB_EV_GATE,        /* driver's gate: eligible records wait, or heartbeat is due */
    HUB_EV_PEER,        /* a STATUS */
    HUB_EV_OWN_VOTE,    /* from the journal at start */
    HUB_EV_START        /* all journalled certificates and votes were fed: arm timers, resume */
};

struct hub_event {
    enum hub_event_kind kind;
    uint64_t now_mono_ms, now_wall_ms;
    union {
        struct {
            struct hub_subject subject;
            uint8_t signer;
        } vote; /* VOTE, OWN_VOTE */
        struct {
            struct hub_subject subject;
            uint64_t signers;
        } certificate;
        struct {
            struct hub_header_facts header;
            uint8_t from;
        } proposal;
        struct {
            struct hub_header_facts header;
            bool valid;
        } block;
        struct {
            struct hub_header_facts header;
            uint64_t view;
            bool failed;
        } built;
        struct {
            bool open, has_records;
        } gate;
        struct {
            uint8_t peer;
            uint64_t epoch, view, period_ms;
            struct hub_point fin, top;
            bool syncing;
        } peer;
    } u;
};

enum hub_effect_kind {
    HUB_FX_VOTE,         /* journal, sign, commit, then send to all and feed back as HUB_EV_VOTE */
    HUB_FX_KEEP_BLOCK,   /* block_hash: into the same commit */
    HUB_FX_CERTIFICATE,  /* formed from votes: assemble from kept signatures, keep, send once, feed back */
    HUB_FX_FINAL,        /* subject is final and its block and ancestors are VALID: hub_chain_finalize, answer waiters */
    HUB_FX_PROPOSE,      /* block_hash: send (again) the own proposal of `view` with its certificates */
    HUB_FX_BUILD,        /* build on parent (view first = parent_view) for `view`; empty: no records */
    HUB_FX_EXECUTE,      /* block_hash: decode, check, apply; answer with HUB_EV_BLOCK */
    HUB_FX_FETCH_BLOCK,  /* block_hash, ask `peers` (bitmap; 0 = any) */
    HUB_FX_FETCH_CERTS,  /* views first..last of the epoch, ask `peers` (bitmap; 0 = any) */
    HUB_FX_HELP,         /* peer lags at view `first`: send FINALIZATION >= it, else that view's and our entry certificate */
    HUB_FX_RETRY,        /* resend the bundle of consensus.md 2.8 for the current view */
    HUB_FX_RESEND_FINALIZE, /* standstill: resend own journalled FINALIZE votes of views first..last */
    HUB_FX_STATUS,       /* announce now */
    HUB_FX_EVIDENCE,     /* peer sent a vote conflicting with `subject` */
    HUB_FX_ALARM         /* divergence: a certified block is INVALID here; voting stopped */
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
    uint64_t wake_ms; /* monotonic time of the next TICK wanted; UINT64_MAX = none */
};

struct hub_view { /* view-1 .. view+2 and the 8 newest notarized above top */
    uint64_t view;
    struct hub_header_facts prop, cert_blk; /* two slots: one alone is a lock-up (consensus.md 2.4) */
    enum hub_slot prop_state, cert_state;
    struct hub_hash my_notarize, my_finalize;
    bool used, did_notarize, did_nullify, did_finalize;
    bool has_notarization, has_nullification, has_finalization;
    struct hub_hash notarized; /* block of the NOTARIZATION */
    struct hub_tally tally[3]; /* kind - 1 */
};
struct hub_range {
    uint64_t first, last;
};

struct hub_cons {
    struct hub_cons_config cfg;
    bool started, voting, syncing, gate_open, gate_records;
    uint64_t view, now_mono_ms, now_wall_ms;
    uint64_t view_entered_ms, gate_opened_ms, deadline_leader_ms, deadline_advance_ms, deadline_retry_ms, deadline_standstill_ms;
    struct hub_point fin, top;
    struct hub_view views[HUB_VIEWS_MAX];
    struct hub_range nullified[HUB_GAPS_MAX]; /* merged, ascending; bounded however long the outage */
    uint32_t nullified_count;
    struct {
        uint64_t view;
        struct hub_hash block_hash;
    } notarized[HUB_GAPS_MAX]; /* older than the view slots */
    uint32_t notarized_count;
    struct {
        uint64_t seen_ms, period_ms, opened_ms;
    } peer[HUB_VALIDATORS_MAX];
};

/* fin: the last final block (view 0 at the start of an epoch). Feed OWN_VOTE, CERTIFICATE and BLOCK events of the
 * journal, then START. */
void hub_cons_init(struct hub_cons *c, const struct hub_cons_config *cfg, const struct hub_point *fin);
uint8_t hub_cons_leader(const struct hub_cons *c, uint64_t view);
/* Ask BEFORE checking a signature: in window, not a duplicate, quorum not yet reached. */
bool hub_cons_wants_vote(const struct hub_cons *c, const struct hub_subject *s, uint8_t signer);
bool hub_cons_wants_certificate(const struct hub_cons *c, const struct hub_subject *s);
void hub_cons_step(struct hub_cons *c, const struct hub_event *ev, struct hub_effects *out);
/* All invariants; called after each step in tests. */
void hub_cons_assert(const struct hub_cons *c);

#endif
