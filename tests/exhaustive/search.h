/* search.h: what the files of the search share: the numbered node states and the tuples found. Private to them. */
#ifndef TESTS_EXHAUSTIVE_SEARCH_H
#define TESTS_EXHAUSTIVE_SEARCH_H

#include "world.h"

enum {
    UNKNOWN = 0, /* of a move; node states are numbered from 1 */
    WORDS = 5 + 2 * WORLD_NODES,
    MOVES_MAX = 512
};

/* Moves of a node as bits: words of up to 64 of one sort, so that "can happen" and "would change something" meet in
 * one AND. Words: 0 the node's own; 1 PROPOSE (bit 32 + b: and crash); 2 BLOCK; 3, 4 CERTIFICATE; 5 + 2j, 6 + 2j VOTE of j. */
enum { OWN_TICK, OWN_TICK_CRASH, OWN_CRASH, OWN_CRASH_LATER, OWN_BUILT, OWN_BUILT_CRASH };

struct moves {
    uint64_t bit[WORDS];
};

struct local { /* what the search needs of a node state */
    uint64_t sent, kept;
    size_t packed; /* offset in the pool */
    uint32_t bodies;
    bool ticks, building, bad;
    struct moves useful;
};

/* What a node can do on its own, given what lies in the network: see `look`. */
struct reach {
    struct moves can, honest;
    uint32_t id;
    uint32_t sends, rests; /* counts, in `reached` from `first` */
    size_t first;
    bool bad;
};

struct search {
    struct world w;
    struct search_result *out;
    uint8_t who[WORLD_NODES]; /* the honest validators */
    int count, bits;
    uint64_t need; /* honest votes that make a certificate */

    struct local *local;
    uint32_t *local_slot; /* open addressing, 0 = free */
    uint32_t locals, locals_cap;
    uint32_t *next; /* [local][move] */
    uint8_t *pool;
    size_t pool_used, pool_cap;
    struct action action[MOVES_MAX];
    int16_t move_of[WORDS][64];
    int moves;

    uint64_t *state; /* in the order found: the queue too */
    uint32_t *parent, *slot;
    uint64_t states, states_cap, slots;
    struct reach *reach;
    uint32_t *reach_slot;
    size_t reaches, reaches_cap;
    uint32_t *list; /* of reaches */
    size_t listed, list_cap;
    uint32_t *found, *mark; /* of one look: node states, and the look that saw each */
    size_t found_cap;
    uint32_t looks;

    uint64_t *seen_sink; /* set of tuples known to escape; 0 = free */
    uint64_t sinks, sinks_cap;
};

void *search_grow(void *p, size_t count, size_t item);
uint64_t search_mix(uint64_t x);
uint64_t search_hash(const uint8_t *p, size_t len);

/* ---- locals.c: node states */

/* Names the moves of the configuration. */
void search_list_moves(struct search *s);
/* The number of this node state. */
uint32_t search_intern(struct search *s, const struct node *x);
void search_load(const struct search *s, uint32_t id, struct node *x);
/* The node state after a move; `id` itself if the move changes nothing. */
uint32_t search_move(struct search *s, uint32_t id, int word, int bit);

/* ---- reach.c: what lies in the network, and what one node can do alone */

/* Subjects with at least `need` of these votes. */
uint64_t search_reached(const uint64_t *votes, int count, uint64_t need);
/* Certificates that can be made of what was sent. */
uint64_t search_certificates(const struct search *s, const struct local *const l[WORLD_NODES]);
/* What can happen to the nodes in this tuple. */
void search_possible(const struct search *s, const struct local *const l[WORLD_NODES],
                     struct moves *out, uint64_t certificate);
/* Kept: it is asked for again and again. */
struct reach search_look(struct search *s, uint32_t id, const struct moves *can,
                         const struct moves *honest);

/* ---- trace.c */

void search_unpack(const struct search *s, uint64_t key, uint32_t id[WORLD_NODES]);
/* Prints a shortest way to the state. */
void search_print_trace(struct search *s, uint64_t at);

#endif
