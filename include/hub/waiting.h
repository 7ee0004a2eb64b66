/* waiting.h: what the core waits for, for people: a pure look at its state, bounded, that changes nothing. Names of
 * members, addresses and words are the caller's (node/standing.h). */
#ifndef HUB_WAITING_H
#define HUB_WAITING_H

#include "hub/simplex.h"

enum hub_waits { /* the first thing in the way of the current view; numbers in the order of its life */
                 HUB_WAITS_WORK,         /* the gate is closed: no record, nothing unfinished */
                 HUB_WAITS_HALTED,       /* divergence: own voting stopped for good */
                 HUB_WAITS_OWN_PROPOSAL, /* this node leads, and has not proposed */
                 HUB_WAITS_PROPOSAL,     /* the leader has not proposed, as far as seen here */
                 HUB_WAITS_CERTIFICATES, /* the proposal stands on views first..last, unknown here */
                 HUB_WAITS_BLOCK, /* `block` of `block_view` or an ancestor is not here; who has it: `holders` */
                 HUB_WAITS_CLOCK,   /* the proposal is ahead_ms ahead of this node's clock */
                 HUB_WAITS_REFUSED, /* the proposal breaks a rule: NULLIFY is asked for */
                 HUB_WAITS_VOTES    /* the proposal is good */
};

/* Who voted in a view above the frontier; bit i: validator i. The row of the current view comes first. */
struct hub_waiting_view {
    uint64_t view;
    uint8_t leader;
    bool certified; /* NOTARIZATION held: FINALIZE is what is missing */
    uint64_t notarize, nullify,
        finalize; /* voters of the block most have voted for; all NULLIFYs */
};

struct hub_waiting {
    enum hub_waits what;
    uint64_t since_ms; /* monotonic: this view was entered, or the missing block certified */
    uint64_t first, last;
    struct hub_hash block;
    uint64_t block_view, holders;
    uint64_t ahead_ms;
    uint32_t views;
    struct hub_waiting_view view[HUB_VIEWS_MAX];
};

/* now_wall_ms: Unix time. out->views >= 1. */
void hub_cons_waiting(const struct hub_cons *c, uint64_t now_wall_ms, struct hub_waiting *out);

#endif
