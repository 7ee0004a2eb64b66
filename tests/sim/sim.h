/* sim.h: a seeded cluster of real nodes on simulated network, disk and clock. One thread, one heap of events
 * ordered by (time, number); every random choice comes from the seed, through one stream a concern, so that
 * taking one fault away does not reshuffle the others.
 *
 *   main.c      command line      plan.c     what a seed decides      cluster.c  the heap, crashes, the run
 *   node.c      one node          net.c      links                    journal.c  the disk
 *   pool.c      waiting records   world.c    genesis, keys, records   checker.c  what must hold
 *   sign.c      signatures        scenarios.c  scripted lock-ups
 *   adversary.c  the lying validators by name, each in a file of its own
 *
 * Crashes strike at port calls: before and after a commit, between two sends, before a put. */
#ifndef SIM_H
#define SIM_H

#include "node/intake.h"
#include "node/replica.h"

#include <setjmp.h>
#include <stdio.h>

enum {
    SIM_NODES_MAX = 7,
    SIM_WALLETS = 12,
    SIM_RECORDS_MAX = 512,
    SIM_HEIGHTS_MAX = 8192,
    SIM_VIEWS_MAX = 16384
};
#define SIM_EPOCH_MS 1779415200000u /* 2026-05-22 10:00 in UTC+8: wall clock at simulated time 0 */
#define SIM_NEVER UINT64_MAX

/* ---- random numbers (splitmix64, public domain, Vigna) */
enum sim_concern { SIM_PLAN, SIM_NET, SIM_FAULTS, SIM_WORK, SIM_TRAITOR, SIM_CONCERNS };
static inline uint64_t sim_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
static inline uint64_t sim_below(uint64_t *state, uint64_t n)
{
    return n ? sim_random(state) % n : 0;
}
static inline bool sim_chance(uint64_t *state, uint32_t permille)
{
    return sim_below(state, 1000) < permille;
}

/* ---- what a seed decides */
struct sim_adversary;
struct sim_plan {
    uint8_t n;
    bool real_signatures;
    bool real_pool;                          /* node/intake.c and mempool.c in place of pool.c */
    bool late_checks;                        /* ports.check answers after some ms, not at once */
    uint32_t loss, duplicate;                /* per mille */
    uint64_t delay_ms, jitter_ms;            /* jitter reorders */
    uint64_t crash_every_ms, split_every_ms; /* mean; 0 = never */
    bool io_errors;                          /* some crashes are failing commits */
    int wiped;                               /* node, or -1 */
    bool rolled_back; /* `wiped` comes back with an old disk, not an empty one */
    const struct sim_adversary *traitor[SIM_NODES_MAX]; /* NULL = honest */
    bool stubborn;                  /* traitors go on when the other faults end */
    int64_t skew_ms[SIM_NODES_MAX]; /* of wall clocks */
    uint32_t records;               /* 1 = a single one */
    uint64_t work_ms, heal_ms,
        limit_ms;       /* records come until; faults end; everything must be final */
    int only, absent;   /* the node that gets all records; one that boots when faults end; or -1 */
    uint64_t linger_ms; /* goes on for so long after everything is final */
};

/* ---- records and keys */
struct sim_signer {
    uint8_t secret[HUB_SECRET_BYTES];
    struct hub_public_key key;
    struct hub_hash kid;
    uint64_t seq;
};
enum sim_expect {
    SIM_VALID,  /* must become final, once */
    SIM_RIVAL,  /* shares its number with another: at most one of the two */
    SIM_EXPIRED /* must never */
};
struct sim_record {
    uint8_t *bytes;
    size_t len;
    struct hub_hash id;
    enum sim_expect expect;
    bool submitted, final;
    uint64_t first_ms, rivals; /* rivals: number of the other one + 1 */
};
struct sim_world { /* one for each n; the same for every seed */
    uint8_t n;
    uint8_t genesis_bytes[HUB_GENESIS_BYTES_MAX];
    struct hub_genesis genesis;
    struct sim_signer validator[SIM_NODES_MAX], issuer, operator_;
};
const struct sim_world *sim_world_get(uint8_t n);
/* Fills record[] with what the plan asks: opening of wallets and money first, then transfers. */
struct sim;
void sim_world_records(struct sim *s);
extern bool sim_real_signatures;
void sim_sign_register(const struct hub_public_key *key, const uint8_t secret[HUB_SECRET_BYTES]);

/* ---- disk: what was put since the last commit vanishes in a crash */
struct sim_block {
    struct hub_header header;
    struct hub_hash hash;
    uint8_t *bytes;
    size_t len;
};
struct sim_journal {
    struct sim_block *block;
    struct hub_vote *vote;
    struct hub_certificate *certificate;
    struct hub_hash *height; /* final block at height i */
    size_t blocks, votes, certificates, heights;
    size_t blocks_cap, votes_cap, certificates_cap, heights_cap;
    size_t safe_blocks, safe_votes, safe_certificates, safe_heights; /* committed */
    uint32_t (*by_view)[3];                                          /* certificate + 1 */
    struct hub_point tip, safe_tip;
    struct hub_edge edge, safe_edge;
    bool has_tip, safe_has_tip;
    struct { /* what a backup would have held: the lists only grow, so their lengths say it */
        size_t blocks, votes, certificates, heights;
        struct hub_point tip;
        struct hub_edge edge;
        bool has_tip, taken;
    } old;
};
void sim_journal_ports(struct hub_ports *p);
void sim_journal_crash(struct sim_journal *j);
void sim_journal_back_up(struct sim_journal *j);
void sim_journal_roll_back(struct sim_journal *j); /* to the backup; after a crash */
void sim_journal_free(struct sim_journal *j);
const struct sim_block *sim_journal_at(const struct sim_journal *j, uint64_t height);
bool sim_journal_has_vote(const struct sim_journal *j, const struct hub_subject *s);

/* ---- waiting records of one node; lost in a crash */
struct sim_entry {
    struct hub_record record;
    uint8_t *bytes;
    bool local, shared;
};
struct sim_pool {
    struct sim_entry entry[SIM_RECORDS_MAX];
    uint32_t count, next;
};
void sim_pool_ports(struct hub_ports *p);
void sim_pool_clear(struct sim_pool *p);
/* Signatures of a foreign block, now or a few milliseconds later. */
struct sim_node;
void sim_pool_check(struct sim_node *n, const struct hub_hash *hash, struct hub_record *records,
                    const struct hub_record_keys *keys, uint32_t count);

/* ---- intake.c: the node's own intake and mempool, with threads and clock simulated */
void sim_intake_ports(struct sim_node *n, struct hub_ports *p);
void sim_intake_close(struct sim_node *n);
void sim_intake_submit(struct sim_node *n, struct hub_span record);
/* Takes the answers of the simulated signature threads. */
void sim_intake_collect(struct sim_node *n);
/* The node whose code runs now, for its clock. */
extern const struct sim_node *sim_current;

/* ---- nodes */
enum sim_fuse { SIM_FUSE_CRASH, SIM_FUSE_ERROR };
struct sim_node {
    struct sim *sim;
    uint8_t index;
    bool up, failed,
        faulty; /* failed: a port has refused, nothing may be sent; faulty: no claims about its votes */
    bool gone; /* never comes back */
    struct hub_replica *replica;
    void *memory, *chain_memory, *state_memory;
    struct sim_journal journal;
    struct sim_pool pool;
    struct hub_intake intake; /* of a real pool */
    uint64_t turn_ms, boot;
    int64_t fuse; /* port calls until it strikes; < 0 = none */
    enum sim_fuse fuse_kind;
    jmp_buf crash;
    uint64_t final_height, checked_height; /* in this boot; ever */
};
void sim_node_open(struct sim_node *n, struct sim *s, uint8_t index);
void sim_node_close(struct sim_node *n);
void sim_node_boot(struct sim_node *n);
void sim_node_down(struct sim_node *n); /* crash: volatile state and uncommitted puts are gone */
void sim_node_message(struct sim_node *n, uint8_t from, struct hub_span frame);
void sim_node_turn(struct sim_node *n);
void sim_node_checked(struct sim_node *n, const struct hub_hash *hash, bool valid);
void sim_node_submit(struct sim_node *n, const struct sim_record *r);
struct hub_now sim_node_now(const struct sim_node *n);
/* Port calls pass here: may not return. False: the call must answer HUB_IO. */
bool sim_node_port(struct sim_node *n);
void sim_node_may_crash(struct sim_node *n);

/* ---- events */
enum sim_event_kind {
    SIM_FRAME,
    SIM_TURN,
    SIM_CHECKED,
    SIM_SUBMIT,
    SIM_CRASH,
    SIM_BOOT,
    SIM_SPLIT,
    SIM_JOIN,
    SIM_HEAL,
    SIM_BACK_UP,
    SIM_SCRIPT
};
struct sim_event {
    uint64_t time_ms, number, boot;
    enum sim_event_kind kind;
    uint8_t node, from;
    bool good;
    uint8_t *bytes;
    size_t len;
    struct hub_hash hash;
    uint32_t record;
};

/* ---- what must hold */
struct sim_height {
    struct hub_hash hash, state_root, log_root;
    bool known;
};
struct sim_cast { /* what one node signed in one view, ever, and whether its journal had it */
    bool journalled[3], sent[3];
    struct hub_hash block[3];
};
struct sim_checker {
    struct sim_height height[SIM_HEIGHTS_MAX];
    uint64_t top;
    struct sim_cast *cast[SIM_NODES_MAX]; /* SIM_VIEWS_MAX */
    size_t votes[SIM_NODES_MAX];          /* of the journal: seen */
    uint64_t record_top;                  /* highest height with a record */
    uint32_t finals;                      /* records final */
    uint64_t evidence;
};

struct sim {
    uint64_t seed, random[SIM_CONCERNS], now_ms, events, numbers;
    struct sim_plan plan;
    const struct sim_world *world;
    struct sim_node node[SIM_NODES_MAX];
    struct sim_event *heap;
    size_t heap_len, heap_cap;
    struct sim_record record[SIM_RECORDS_MAX];
    uint32_t records;
    struct sim_checker checker;
    uint64_t progress_view,
        done_ms; /* progress_view: of the newest final block, or when faults ended */
    uint8_t side[SIM_NODES_MAX]; /* of the split; bit 0 only */
    bool split, one_way, healed, failed, trace;
    char why[400];
    /* Scenario: true = the frame is lost. */
    bool (*lose)(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m);
    void (*script)(struct sim *s, uint32_t step);
    uint64_t betrayals; /* frames that a traitor changed, kept or added to */
    uint64_t faces;     /* equivocator: bit i: validator i sees the second face; 0 = by chance */
};

void sim_open(struct sim *s, uint64_t seed, const struct sim_plan *plan);
void sim_close(struct sim *s);
void sim_push(struct sim *s, const struct sim_event *ev);
void sim_turn_at(struct sim_node *n, uint64_t time_ms);
/* Runs until everything is final everywhere (true), a check fails, or the limit passes (false; s->why). */
bool sim_run(struct sim *s);
void sim_crash(struct sim_node *n, uint64_t down_ms);
bool sim_done(const struct sim *s);
__attribute__((format(printf, 2, 3))) void sim_fail(struct sim *s, const char *format, ...);
__attribute__((format(printf, 2, 3))) void sim_trace(const struct sim *s, const char *format, ...);

void sim_plan_of(struct sim_plan *p, uint64_t seed);
/* The same, with as many validators as can bear one traitor at least, all traitors of this kind. */
void sim_plan_betray(struct sim_plan *p, const struct sim_adversary *kind);

void sim_net_ports(struct hub_ports *p);
/* Onto the link, past the traitors: loss, delay and duplication apply. */
void sim_net_put(struct sim *s, uint8_t from, uint8_t to, struct hub_span frame);

/* ---- lying validators. Each sees every frame its node sends, and deals with it in its place when it answers
 * true. Votes of its own key never reach it: it shall not learn that its journal lacks some, and fall silent. */
typedef bool sim_act(struct sim_node *n, int peer, struct hub_span frame);
struct sim_adversary {
    const char *name, *what;
    sim_act *act;
    bool signs; /* statements that its journal does not hold */
};
extern const struct sim_adversary sim_adversaries[];
extern const uint32_t sim_adversary_count;
const struct sim_adversary *sim_adversary_find(const char *name); /* NULL: none */
sim_act sim_equivocator, sim_conflicter, sim_impersonator, sim_nuller, sim_nullify_only,
    sim_outdated, sim_reconfigurer, sim_corrupt_signature, sim_disrupter, sim_mutator, sim_garbler,
    sim_withholder, sim_silent, sim_skipper, sim_invalid_block, sim_flooder, sim_lying_syncer;
/* A vote of n's key, whatever its journal says. */
void sim_traitor_vote(struct sim_node *n, uint8_t to, const struct hub_subject *s);
/* To `peer`, or to all others if it is -1: a vote, a frame. */
void sim_traitor_votes(struct sim_node *n, int peer, const struct hub_subject *s);
void sim_traitor_put(struct sim_node *n, int peer, struct hub_span frame);
/* That its node has put, or NULL. */
const struct sim_block *sim_traitor_block(const struct sim_node *n, const struct hub_hash *hash);
struct hub_hash sim_traitor_hash(struct sim_node *n); /* of nothing that exists */
/* PROPOSE with this header and these entries, signed by n, and the just of m; valid until the next call. */
struct hub_span sim_traitor_propose(struct sim_node *n, struct hub_subject *notarize,
                                    const struct hub_header *h, struct hub_span entries,
                                    const struct hub_message *m);

void sim_check_commit(struct sim_node *n);
void sim_check_kept(struct sim_node *n, const struct hub_certificate *c);
void sim_check_send(struct sim_node *n, struct hub_span frame);
void sim_check_turn(struct sim_node *n);
void sim_check_alarm(struct sim_node *n, const char *what);

/* Runs the named one, or all when name is NULL. Failures are printed. */
bool sim_scenarios(const char *name, bool trace);

#endif
