/* world.h: exhaustive search over the consensus core of the node (consensus/, the very archive the node links).
 *
 * One validator is a `node`: its core, and what its replica adds (bodies, kept certificates, journal). Everything
 * that can happen to it is an `action`. A node's next state depends on itself and the action only, so node states are
 * numbered and each (state, action) pair is computed once, by hub_cons_step; the search then runs over tuples of
 * numbers. No hash stands for a state: the visited set is exact.
 *
 * The network is the set of all that was ever sent: anything in it may be delivered at any time, in any order, again
 * or never, so loss, delay, repetition and partitions are all covered. Time is abstracted to "every armed timer may
 * fire now". A Byzantine validator's votes, for every block and view, are in the set from the start.
 *
 * Reductions. "exhaustive compare" runs a configuration without each: the same sets of votes are sent, the same is found.
 *  1. Moves that send nothing are merged with the next one of their node that sends (reach.c). Nobody else sees them, and
 *     as the network only grows they can be made later as well.
 *  2. What was sent never grows less, so tuples are taken by the number of votes sent, and those in which each node has
 *     sent the same, to whom the same can happen, together (search.c). A tuple is left out if another one covers it: each
 *     of its nodes is in a state that the other's node can reach alone without sending (cover.c).
 *  3. Node states that nothing later tells apart are made equal (settle.c), each with its reason there: what is left of a
 *     timer, proposals and votes of views that were left, certificates, votes and blocks up to the durable final block,
 *     which nothing asks for again (not where sinks are looked for: there others may ask), blocks that
 *     nobody asked for, which are fetched when somebody does.
 *  4. Sinks: once nobody crashes any more it makes no difference what is durable, and of a node that is gone for good only
 *     what it sent counts (rest.c).
 *
 * Statements ("subjects") and blocks of the views searched are numbered, so that sets of them are one word. */
#ifndef TESTS_EXHAUSTIVE_WORLD_H
#define TESTS_EXHAUSTIVE_WORLD_H

#include "hub/simplex.h"

enum {
    WORLD_NODES = 4,
    WORLD_SUBJECTS = 64, /* one bit each */
    WORLD_BLOCKS = 32,
    WORLD_VIEWS = 24,
    GENESIS = -1,
    NODE_NOW_MS = 1000000, /* every node's clock reads this between two actions */
    NODE_WALL_MS = 2000000,
    NODE_LONG_MS = 100000 /* longer than every timer */
};

struct world_config {
    const char *name;
    uint8_t n, q;
    uint8_t byzantine; /* bitmap of validators */
    uint8_t working;   /* bitmap of validators that have a record waiting */
    uint8_t views;     /* honest nodes cast votes of their own accord up to this view */
    bool single_votes; /* votes arrive one by one and are tallied; else certificates arrive whole */
    /* Only NULLIFY votes arrive one by one: what the gate and the leader's own NULLIFY need. */
    bool single_nullify;
    /* Byzantine validators vote FINALIZE with a wrong log_size too (E7), and FINALIZE votes arrive one by one as well. */
    bool wrong_numbers;
    bool invalid_blocks; /* the second block of a Byzantine leader is INVALID, and all upon it */
    bool seals;          /* blocks on genesis end the epoch, those upon them are TAILs */
    bool slow_build;     /* building a block takes as long as it likes */
    bool crashes;        /* any node may crash and restart, at every point, any number of times */
    bool sinks;          /* look for states from which the ledger cannot go on */
    bool only_forks;     /* the one fault looked for: two final blocks that are not on one chain */
    bool no_cover, no_forget; /* without these reductions: to see that they lose nothing */
    bool invariants;          /* hub_cons_assert after every step */
};

struct world_block {
    struct hub_header_facts facts;
    int parent;
    bool invalid;
    uint64_t ancestors; /* blocks, without itself */
};

struct world {
    struct world_config cfg;
    struct world_block block[WORLD_BLOCKS];
    struct hub_subject subject[WORLD_SUBJECTS];
    int subject_block[WORLD_SUBJECTS]; /* GENESIS for NULLIFY */
    int blocks, subjects, views;
    int nullify[WORLD_VIEWS + 1], notarize[WORLD_BLOCKS], finalize[WORLD_BLOCKS];
    uint64_t conflicts[WORLD_SUBJECTS]; /* certificates that must not exist beside this one */
    uint64_t of_kind[4];                /* subjects of each kind */
    uint64_t excluded[WORLD_SUBJECTS];  /* votes that the honest never cast beside this one */
    uint64_t invalid;                   /* subjects of INVALID blocks */
    uint64_t byzantine_blocks;          /* proposals in the network from the start */
    uint64_t steps;                     /* of hub_cons_step so far */
};

/* All blocks and subjects of views 1..cfg->views. */
void world_init(struct world *w, const struct world_config *cfg);
uint8_t world_leader(const struct world *w, uint64_t view);
bool world_honest(const struct world *w, uint8_t validator);
/* Adds NULLIFY of the next view. */
void world_add_view(struct world *w);
/* The block that `parent`'s child of `view` is, made if there is none. */
int world_block_of(struct world *w, uint64_t view, int parent, int variant);
int world_block_named(const struct hub_hash *h);
int world_subject_named(const struct world *w, const struct hub_subject *s);
struct hub_hash world_hash(int block);
/* The block and its ancestors. */
uint32_t world_chain(const struct world *w, int block);
void world_print_subject(const struct world *w, int subject);
/* Two certificates of these subjects together break safety. */
bool world_conflict(const struct world *w, int a, int b);

/* ---- a node */

struct node {
    struct hub_cons core;
    uint64_t journal;      /* own votes, durable */
    uint64_t sent;         /* own votes that left */
    uint64_t kept, stored; /* certificates: kept by the replica; durable */
    uint32_t bodies, stored_bodies;
    struct hub_point fin, stored_fin;
    bool alarmed;
};

enum action_kind {
    ACT_TICK,        /* every armed timer fires */
    ACT_CRASH,       /* and restart: what was not committed is lost */
    ACT_COMMIT,      /* the one that follows certificates within 50 ms */
    ACT_BUILT,       /* the block asked for is there */
    ACT_PROPOSE,     /* block */
    ACT_BLOCK,       /* block, asked for by hash, with its ancestors */
    ACT_CERTIFICATE, /* subject */
    ACT_VOTE         /* subject, signer */
};
struct action {
    enum action_kind kind;
    int which; /* block or subject */
    uint8_t signer;
    bool crash; /* between the commit and the sends */
};

void node_start(struct node *x, struct world *w, uint8_t me);
/* False: nothing would change; x may be clobbered then. */
bool node_act(struct node *x, struct world *w, const struct action *a);
/* What it would tell the checker about its own votes: false if two of them exclude each other. */
bool node_votes_agree(const struct node *x, const struct world *w);
/* Plain bytes of a node, equal for equal behaviour: unused room left out. */
enum { NODE_PACKED_MAX = 16384 };
size_t node_pack(const struct node *x, uint8_t out[NODE_PACKED_MAX]);
void node_unpack(struct node *x, const uint8_t *in);
/* Brings its clocks back to NODE_NOW_MS and forgets what nothing asks for any more; every action ends so. */
void node_settle(struct node *x, const struct world *w);

/* ---- the search */

struct search_result {
    uint64_t networks; /* sets of votes sent */
    uint64_t digest;   /* of them: equal for equal sets */
    uint64_t found;    /* tuples of node states right after a send */
    uint64_t states;   /* those followed */
    uint64_t transitions, local_states, steps, closures;
    uint32_t depth;        /* votes sent in all */
    double seconds;        /* of processor time */
    bool complete;         /* every reachable state was seen */
    const char *violation; /* NULL: none */
};
struct search_limits {
    double seconds; /* of processor time */
    uint64_t bytes;
};
void search_run(struct search_result *out, const struct world_config *cfg,
                const struct search_limits *limits);

/* Whether the nodes, from here on with a network that delivers, timers that fire and silent Byzantine validators,
 * finalize something new; dead: index of one that is gone for good, or -1. Nodes and world are clobbered. */
bool sink_escapes(struct world *w, struct node *nodes, int count, int dead);

#endif
