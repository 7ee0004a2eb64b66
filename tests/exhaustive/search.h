/* search.h: what the files of the search share: the numbered node states and the tuples found. Private to them. */
#ifndef TESTS_EXHAUSTIVE_SEARCH_H
#define TESTS_EXHAUSTIVE_SEARCH_H

#include "world.h"

enum {
    UNKNOWN = 0, /* of a move; node states are numbered from 1 */
    WORDS = 5 + 2 * WORLD_NODES,
    LAYERS = WORLD_NODES * WORLD_SUBJECTS + 1,
    MOVES_MAX = 512
};

/* Moves of a node as bits: words of up to 64 of one sort, so that "can happen" and "would change something" meet in
 * one AND. Words: 0 the node's own; 1 PROPOSE (bit 32 + b: and crash); 2 BLOCK; 3, 4 CERTIFICATE; 5 + 2j, 6 + 2j VOTE of j. */
enum { OWN_TICK, OWN_TICK_CRASH, OWN_CRASH, OWN_COMMIT, OWN_BUILT, OWN_BUILT_CRASH };

struct moves {
    uint64_t bit[WORDS];
};

struct local { /* what the search needs of a node state */
    uint64_t sent, kept;
    uint32_t sent_number; /* of `sent` among all that occur */
    size_t packed;        /* offset in the pool */
    uint32_t bodies;
    bool ticks, building, bad;
    struct moves ever;   /* may change something, now or later */
    struct moves useful; /* not yet seen to change nothing */
};

/* What a node can do on its own, given what lies in the network: see `look`. */
struct reach {
    struct moves can, honest;
    uint32_t id;
    uint32_t sends, rests, silent; /* counts, in this order in `list` from `first`; silent sorted */
    size_t first;
    bool bad;
};

/* Tuples in which as many votes were sent in all. A set until it is their turn. */
struct layer {
    uint64_t *key;
    uint64_t *parent; /* in `state` */
    uint32_t *slot;
    uint64_t count, cap;
};
struct found {
    uint64_t group; /* what each node has sent, in numbers */
    uint64_t key, parent;
};

struct set {
    uint64_t *key; /* 0 = free */
    uint64_t count, cap;
};

struct search {
    struct world w;
    struct search_result *out;
    double until;             /* of processor time */
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
    struct moves all;
    int16_t move_of[WORDS][64];
    int moves;

    uint64_t *sent; /* by sent_number */
    uint32_t sents, sents_cap;

    struct layer layer[LAYERS];
    uint64_t *state, *parent; /* those expanded, for the trace */
    uint64_t states, states_cap;
    struct reach *reach;
    uint32_t *reach_slot;
    size_t reaches, reaches_cap;
    uint32_t *list; /* of reaches */
    size_t listed, list_cap;
    uint32_t *found, *mark; /* of one look: node states, and the look that saw each */
    size_t found_cap;
    uint32_t looks;

    struct set at_rest,
        tried; /* for sinks: tuples known to escape, before and after all is delivered */
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
/* Moves not known to change nothing: of those that `can` happen, and its own ones (all, or what needs no trouble). */
struct moves search_own_and(const struct local *l, const struct moves *can, bool all);
/* What node state `id` can do alone. Kept, as it is asked for again and again; valid until the next look. */
const struct reach *search_look(struct search *s, uint32_t id, const struct moves *can,
                                const struct moves *honest);
void search_forget_looks(struct search *s);

/* ---- cover.c */

/* Leaves of tuples in which the same was sent those not covered by another: returns how many, moved to the front. */
size_t search_uncovered(struct search *s, struct found *f, size_t count, const struct moves *can,
                        const struct moves *honest);

/* ---- rest.c */

/* NULL: from all combinations of what the nodes can be in when nothing is left to receive, the ledger goes on. */
const char *search_sinks(struct search *s, const struct reach r[WORLD_NODES]);

/* ---- trace.c */

uint64_t search_pack(const struct search *s, const uint32_t id[WORLD_NODES]);

void search_unpack(const struct search *s, uint64_t key, uint32_t id[WORLD_NODES]);
/* Prints a shortest way to the state. */
void search_print_trace(struct search *s, uint64_t at);

#endif
