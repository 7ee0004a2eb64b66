/* sim.h: a seeded cluster of real nodes on simulated network, disk and clock. One thread, one heap of events
 * ordered by (time, number); every random choice comes from the seed, through one stream a concern, so that
 * taking one fault away does not reshuffle the others.
 *
 *   main.c      command line      plan.c     what a seed decides      cluster.c  the heap, crashes, the run
 *   node.c      one node          net.c      links                    journal.c  the disk
 *   pool.c      waiting records   world.c    genesis, keys            checker.c  what must hold
 *   sign.c      signatures        faults.c   how faults strike        plan_file.c  a plan as text
 *   work.c      records              intake.c   the real record pool  recovery.c  a quorum lost for good
 *   scenarios*.c  scripted lock-ups          campaign.c  many seeds on all cores
 *   controls.c  guards taken away    long.c     idle days, speed      calibrate.c  the disk against the real store
 *   shrink.c    failing plans cut down       audit.c    execution again, money, receipts
 *   adversary.c   the lying validators by name, a file each    accountability.c   forks, and who is convicted
 *   stopped.c   damage that no cluster bears
 *
 * Crashes strike at port calls: before and after a commit, between two sends, before a put. */
#ifndef SIM_H
#define SIM_H

#include "node/intake.h"
#include "node/replica.h"
#include "tests/support/oracle.h"

#include <setjmp.h>
#include <stdio.h>

enum {
    SIM_NODES_MAX = 31,
    SIM_WALLETS = 12,
    SIM_POOL_MAX = 4096,
    SIM_AGREEMENTS_MAX = 3,
    SIM_BANK = 2, /* its institution number */
    SIM_FAULTS_MAX = 256,
    SIM_SHOTS_MAX = 8, /* snapshots of one disk */
    SIM_CLONE_SLOT = SIM_NODES_MAX,
    SIM_EPOCHS_MAX = 4,
    SIM_RUINS_MAX = 2
};
#define SIM_EPOCH_MS 1779415200000u /* 2026-05-22 10:00 in UTC+8: wall clock at simulated time 0 */
/* Of records that have expired: genesis is 5 s older, so a leader whose clock is far behind may take them still. */
#define SIM_EXPIRED_MS (SIM_EPOCH_MS - 5000)
#define SIM_NEVER UINT64_MAX

/* ---- random numbers (splitmix64, public domain, Vigna) */
enum sim_concern {
    SIM_LOSS,
    SIM_DELAY,
    SIM_TWICE,
    SIM_BOOTS,
    SIM_RECORDS, /* what the records say */
    SIM_WORK,    /* who gets them when */
    SIM_TRAITOR,
    SIM_CONCERNS
};
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

/* ---- faults: a schedule made before the run, so that it can be read, kept in a file, and cut down */
enum sim_fault_kind {
    SIM_CRASH, /* `what` port calls after its time: between any two effects; down for for_ms */
    SIM_ERROR, /* the store call after `what` others fails; down for for_ms */
    SIM_PAUSE, /* runs no code for for_ms, as if stopped; its clocks go on */
    SIM_SLOW,  /* a commit takes `what` ms */
    SIM_FULL,  /* the disk takes nothing */
    SIM_LIE, /* commits return and are not durable; what & 1: votes among what is lost are torn, not absent */
    SIM_FLIP, /* a bit of something stored: `what` says of what */
    SIM_WIPE, /* crash, and the disk is empty; what < 0: and the guard is gone */
    SIM_REWIND, /* crash, and the disk is as it was `what` ms before; what < 0: -what, and the guard too */
    SIM_SPLIT, /* links are cut: sim_split_of */
    SIM_CLOG,  /* frames of `node` to those in the bit set `what` wait, and come all at once */
    SIM_JUMP,  /* the wall clock jumps by `what` ms, and back at the end */
    SIM_APP,   /* the application: block checks take `what` ms more; or enum sim_app */
    SIM_CLONE, /* disk and key are copied, and for_ms later a second node runs on the copy to the end; it hears those
                  in the bit set `what`; what < 0: in -what, and without the guard */
    SIM_FAULT_KINDS
};
enum sim_app {
    SIM_APP_NOTHING = -1, /* gives the leader no record, though it says that some wait */
    SIM_APP_REFUSES = -2  /* calls every block bad: the node is lost for the rest of the run */
};
enum sim_split { SIM_BOTH_WAYS, SIM_ONE_WAY, SIM_BRIDGE }; /* bridge: `node` sees both sides */
enum { SIM_ALL = 255 };                                    /* node: everybody */
struct sim_fault {
    enum sim_fault_kind kind;
    uint8_t node;
    uint64_t at_ms, for_ms;
    int64_t what;
};
extern const char *const sim_fault_names[SIM_FAULT_KINDS];
/* sides: bit i = node i is on the second one. */
static inline int64_t sim_split_of(enum sim_split kind, uint64_t sides)
{
    return (int64_t)(sides << 8 | kind);
}

/* ---- controls.c: guards taken away, to see the checks fail */
struct sim_plan;
struct sim_node;
struct sim_control {
    const char *name, *removed;
    void (*plan)(struct sim_plan *p);
    void (*tamper)(struct sim_node *n); /* before each call of a node; may be NULL */
    struct {
        bool rules;      /* the journal takes any vote */
        bool commit;     /* nothing is written */
        bool forgiven;   /* who lost votes is held to them nevertheless */
        bool signatures; /* all are good */
    } off;
    const char *caught; /* part of what the check says */
};
enum sim_guard_kind { SIM_RULES, SIM_COMMIT, SIM_FORGIVEN };

/* ---- what a seed decides */
enum sim_load { /* beside valid, rival, overdrawn, replayed and expired transfers */
                SIM_LOAD_HOT = 1,    /* nearly all from one wallet */
                SIM_LOAD_BURSTS = 2, /* all at a few moments */
                SIM_LOAD_LARGE = 4,  /* some of the largest size */
                SIM_LOAD_PARTIES = 8 /* agreements signed by several members */
};
struct sim_adversary;
struct sim_plan {
    uint8_t n;
    bool real_signatures;
    bool real_pool;               /* node/intake.c and mempool.c in place of pool.c */
    bool late_checks;             /* ports.check answers after some ms, not at once */
    bool uneven;                  /* links differ in delay, up to eight times */
    uint32_t loss, duplicate;     /* per mille */
    uint64_t delay_ms, jitter_ms; /* jitter reorders */
    const struct sim_adversary *traitor[SIM_NODES_MAX]; /* NULL = honest */
    bool resume;      /* operators restart a node that lost its journal with --resume-after-loss */
    bool safety_only; /* more disks are lost than progress can bear: nothing is asked of it */
    bool stubborn;    /* traitors go on when faults end */
    bool stops;       /* a schedule that was kept because the chain must stop: sim_is_stopped */
    int64_t skew_ms[SIM_NODES_MAX], drift_ppm[SIM_NODES_MAX]; /* of clocks; drift of both */
    uint32_t load;                                            /* set of enum sim_load */
    bool by_default;  /* consensus parameters as a network has them */
    uint32_t records; /* 1 = a single one */
    uint64_t work_ms, heal_ms,
        limit_ms;     /* records come until; faults end; everything must be final */
    int only, absent; /* the node that gets all records; one that boots when faults end; or -1 */
    uint8_t
        rekeyed; /* node + 1 whose validator key is replaced half-way, by one it has after a restart */
    uint8_t founders, second,
        third; /* so many of the nodes vote at first, then, and then: the first ones; 0 = no change */
    struct
        sim_ruin { /* all but the first ones are lost for good, later these go on by themselves */
        uint8_t survivors; /* 0 = nothing of it */
        uint64_t gone_ms, recover_ms;
    } ruin[SIM_RUINS_MAX];
    uint64_t linger_ms; /* goes on for so long after everything is final */
    struct sim_fault fault[SIM_FAULTS_MAX];
    uint32_t faults;
    const struct sim_control *control; /* NULL, but in a test of the checks */
};

/* ---- lists and indexes */
struct sim_index { /* 64-bit key to place in a list; the newest wins */
    uint64_t *key;
    uint32_t *place; /* + 1; 0 = free */
    size_t cap, len;
};
uint64_t sim_index_key(uint64_t epoch, uint64_t view, uint8_t kind);
/* The place, or -1. */
int64_t sim_index_find(const struct sim_index *x, uint64_t key);
void sim_index_put(struct sim_index *x, uint64_t key, size_t place);
void sim_index_free(struct sim_index *x);
void *sim_grow(void *list, size_t *cap, size_t len, size_t item); /* room for one more */

/* ---- records and keys */
struct sim_signer {
    uint8_t secret[HUB_SECRET_BYTES];
    struct hub_public_key key;
    struct hub_hash kid;
    uint64_t seq;
};
enum sim_expect {
    SIM_VALID,  /* must become final, once */
    SIM_RIVAL,  /* need not; of two that share their number at most one may */
    SIM_EXPIRED /* must not in a block of SIM_EXPIRED_MS or later */
};
enum sim_act_kind {
    SIM_ISSUE,
    SIM_OPEN,
    SIM_TRANSFER,
    SIM_BATCH,
    SIM_PROPOSAL,
    SIM_CONSENT,
    SIM_GOVERNANCE
};
enum { SIM_RESERVE = 1, SIM_FIRST_WALLET = 2 }; /* slots of wallets; 0 is the issuer's */
struct sim_record {
    uint8_t *bytes; /* and behind them the attachment */
    size_t len, attachment_len;
    struct hub_hash id;
    enum sim_expect expect;
    enum sim_act_kind act;
    uint32_t debit, credit; /* slots of wallets */
    uint64_t amount;
    uint32_t agreement;
    const struct sim_signer *signer;
    bool submitted, final;
    uint64_t told_height;      /* the node a client gave it to said final, at this height; 0: not */
    uint64_t given_to;         /* bit i: node i, by a client */
    uint64_t first_ms, rivals; /* rivals: number of the other one + 1 */
    uint64_t height, position; /* when final */
};
struct sim_agreement {
    struct hub_hash id;
    uint32_t parties, proposed, signed_; /* records that were final and successful */
};
struct sim_world {       /* one for each n; the same for every seed */
    uint8_t n, founders; /* nodes; and those of them that vote at first */
    uint8_t genesis_bytes[HUB_GENESIS_BYTES_MAX];
    struct hub_genesis genesis;
    struct sim_signer validator[SIM_NODES_MAX], seal[SIM_NODES_MAX], issuer, operator_;
    struct sim_signer spare[SIM_NODES_MAX], governor[SIM_NODES_MAX]; /* of plan.rekeyed */
};
const struct sim_world *sim_world_get(uint8_t n, uint8_t founders, bool by_default);
const char *sim_member_code(unsigned i);
struct sim;
/* Who votes in this epoch; the newest set for one that no node has reached. */
void sim_set_of(const struct sim *s, uint64_t epoch, struct hub_validators *out);
/* Whether the plan changes the set to this one at some time. */
bool sim_is_planned(const struct sim *s, const struct hub_validators *set);
/* The quorum is gone for good; later governors and the surviving validators sign what goes on from the newest block that
 * one of these stands for, and start their nodes with it. */
void sim_gone(struct sim *s, uint32_t ruin);
void sim_recover(struct sim *s, uint32_t ruin);
/* ---- work.c. Fills record[] with what the plan asks: opening of wallets and money first, then the rest. */
void sim_work_write(struct sim *s);
static inline struct hub_span sim_record_bytes(const struct sim_record *r)
{
    return (struct hub_span){r->bytes, r->len};
}
static inline struct hub_span sim_record_attachment(const struct sim_record *r)
{
    return (struct hub_span){r->bytes + r->len, r->attachment_len};
}
uint64_t sim_wallet_number(uint32_t slot);
/* A signed record joins the others; the bytes are copied. */
struct sim_record *sim_record_keep(struct sim *s, struct hub_span record,
                                   struct hub_span attachment, const struct sim_signer *signer,
                                   uint64_t first_ms, enum sim_expect expect);
struct sim_record *sim_record_find(struct sim *s, const struct hub_hash *id); /* NULL: nobody's */
extern bool sim_real_signatures, sim_unchecked_signatures;
void sim_sign_register(const struct hub_public_key *key, const uint8_t secret[HUB_SECRET_BYTES]);

/* ---- disk: what was put since the last commit vanishes in a crash */
struct sim_block {
    struct hub_header header;
    struct hub_hash hash;
    uint8_t *bytes;
    size_t len;
    bool damaged;
};
struct
    sim_kept { /* a certificate: the signatures of its signers alone, which is a tenth of the memory */
    struct hub_subject subject;
    uint64_t signers;
    struct hub_signature *sig;
    uint8_t bitmap_bytes; /* as the store says of what it reads */
    bool damaged;
};
void sim_kept_read(struct hub_certificate *out, const struct sim_kept *k);
struct sim_mark { /* how far the lists, which only grow, had come */
    size_t blocks, votes, certificates, heights, links;
    struct hub_point tip;
    struct hub_edge edge;
    bool has_tip;
    struct hub_vote_mark voted;
    struct hub_halt halt;
};
struct sim_link { /* of epoch i + 1 */
    uint8_t *bytes;
    size_t len;
};
struct sim_journal {
    struct sim_block *block;
    struct sim_link *link;
    size_t links_cap;
    struct hub_vote *vote;
    struct hub_hash *head; /* of the chain of votes, behind vote i */
    struct sim_kept *certificate;
    struct hub_hash *height; /* final block at height i */
    size_t blocks_cap, votes_cap, heads_cap, certificates_cap, heights_cap;
    struct sim_index block_at, vote_at, certificate_at;
    struct sim_mark now, committed, durable; /* committed is more than durable on a lying disk */
    struct sim_mark shot[SIM_SHOTS_MAX];
    bool shot_taken[SIM_SHOTS_MAX];
    bool damaged_votes, damaged_tip; /* a flipped bit: what is read is refused */
    uint32_t damaged;                /* blocks and certificates: as good as lost */
};
struct sim_guard { /* the guard file, on a disk of its own: written at most once a second */
    struct hub_vote_mark mark, pending;
    uint64_t written_ms;
    bool missing, waits; /* waits: pending is written a second after the last */
};
enum { SIM_GUARD_MS = 1000 };
void sim_journal_ports(struct hub_ports *p);
/* What was to be written by now is; the rest is lost in a crash. */
void sim_guard_settle(struct sim_guard *g, uint64_t now_ms, bool crash);
/* What is not durable is gone. True: some of it had been committed. */
bool sim_journal_crash(struct sim_journal *j);
void sim_journal_shoot(struct sim_journal *j, uint32_t shot);
/* To the snapshot, after a crash. False: there is none, or it is no older. */
bool sim_journal_rewind(struct sim_journal *j, uint32_t shot);
/* Flips a bit of what `choice` picks among the durable. False: nothing was there. */
bool sim_journal_flip(struct sim_journal *j, uint64_t choice);
void sim_journal_free(struct sim_journal *j);
/* As the disk of a running node is copied: what was committed. *out is empty before. */
void sim_journal_copy(struct sim_journal *out, const struct sim_journal *j);
struct hub_span sim_journal_link(const struct sim_journal *j, uint64_t epoch); /* empty: none */
const struct sim_block *sim_journal_find(const struct sim_journal *j, const struct hub_hash *hash);
const struct sim_block *sim_journal_at(const struct sim_journal *j, uint64_t height);
bool sim_journal_certificate(const struct sim_journal *j, uint64_t epoch, uint64_t view,
                             uint8_t kind, struct hub_certificate *out);
/* NULL: none. */
const struct hub_vote *sim_journal_vote(const struct sim_journal *j, uint64_t epoch, uint64_t view,
                                        uint8_t kind);

/* ---- waiting records of one node; lost in a crash */
struct sim_entry {
    struct hub_record record;
    uint8_t *bytes;
    bool local, shared;
};
struct sim_pool {
    struct sim_entry *entry;
    size_t cap;
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
void sim_intake_submit(struct sim_node *n, struct hub_span record, struct hub_span attachment);
/* Takes the answers of the simulated signature threads. */
void sim_intake_collect(struct sim_node *n);
/* The node whose code runs now, for its clock. */
extern const struct sim_node *sim_current;

/* ---- nodes */
enum sim_fuse { SIM_FUSE_CRASH, SIM_FUSE_ERROR };
struct sim_node {
    struct sim *sim;
    uint8_t index, slot; /* validator; place in sim.node, another one for a clone alone */
    bool up, failed,
        faulty; /* failed: a port has refused, nothing may be sent; faulty: no claims about its votes */
    bool gone; /* never comes back */
    struct hub_replica *replica;
    void *memory, *chain_memory, *state_memory;
    struct sim_journal journal;
    struct sim_guard guard, guard_shot[SIM_SHOTS_MAX];
    struct sim_pool pool;
    struct hub_intake intake; /* of a real pool */
    uint64_t turn_ms, boot;
    int64_t fuse; /* port calls until it strikes; < 0 = none */
    enum sim_fuse fuse_kind;
    uint64_t down_ms; /* of the crash it brings */
    uint64_t busy_until_ms, slow_until_ms, slow_ms, full_until_ms, lies_until_ms, jump_until_ms;
    int64_t jump_ms, app;
    uint64_t app_until_ms;
    bool torn, refused; /* refused: it does not start from its disk */
    bool lost;          /* some of its journal, at some time */
    jmp_buf crash;
    uint64_t final_height, checked_height; /* in this boot; ever */
    bool new_key;                          /* of plan.rekeyed, in this boot */
    uint64_t swap_ms; /* when its operator puts the new key in; 0: not known yet */
};
void sim_node_open(struct sim_node *n, struct sim *s, uint8_t slot, uint8_t index);
void sim_node_close(struct sim_node *n);
void sim_node_boot(struct sim_node *n);
/* Crash: volatile state and what is not durable are gone. True: some of it had been committed. */
bool sim_node_down(struct sim_node *n);
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
    SIM_BOOT,
    SIM_FAULT, /* record: which */
    SIM_OVER,  /* a split ends */
    SIM_SHOOT, /* snapshot for fault `record` */
    SIM_HEAL,
    SIM_GONE, /* the quorum, for good: plan.ruin[`record`] */
    SIM_RECOVER,
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
    struct oracle *oracle;
    struct sim_height *height;
    size_t heights, heights_cap; /* heights 1 to heights - 1 are known */
    uint64_t top;
    struct {
        struct sim_cast *list;
        size_t len, cap;
        struct sim_index index; /* by (epoch, view) */
        size_t votes;           /* of the journal: seen */
    } cast[SIM_NODES_MAX + 1];
    uint64_t record_top; /* highest height with a record */
    uint32_t finals;     /* records final */
    uint64_t evidence;
};

struct sim {
    uint64_t seed, random[SIM_CONCERNS], now_ms, events, numbers;
    struct sim_plan plan;
    const struct sim_world *world;
    struct hub_validators set[SIM_EPOCHS_MAX]; /* by epoch, as the first node to reach it says */
    uint32_t epochs;
    struct sim_node node[SIM_NODES_MAX + 1]; /* the last one: a clone, if it has a sim */
    struct {
        uint64_t hears; /* bit i: node i */
        bool guarded;
    } clone;
    struct sim_heap_item {
        uint64_t time_ms, number;
        uint32_t slot;
    } * heap;
    struct sim_event *event; /* by slot */
    uint32_t *free_slot, slots, free_slots;
    size_t heap_len, heap_cap, events_cap;
    uint32_t done_records; /* those before it are final, or need not be */
    struct sim_record *record;
    uint32_t records, records_cap;
    struct sim_agreement agreement[SIM_AGREEMENTS_MAX + 1]; /* from 1 */
    uint32_t agreements;
    struct sim_index record_at; /* by id */
    struct sim_checker checker;
    struct sim_auditor *auditor;
    struct {
        struct hub_record record[SIM_RUINS_MAX]; /* views into record[] of the simulator */
        struct hub_hash id[SIM_RUINS_MAX];
        struct hub_genesis genesis; /* which accepts them */
        uint32_t signed_, given;    /* so many; given: to each node that boots */
    } recovery;
    uint64_t progress_view,
        done_ms; /* progress_view: of the newest final block, or when faults ended */
    uint64_t cut[SIM_NODES_MAX + 1]; /* bit i: no frame reaches node i */
    uint64_t clogged_until_ms[SIM_NODES_MAX + 1][SIM_NODES_MAX];
    uint64_t struck[SIM_FAULT_KINDS], hash; /* faults that had an effect; of all that happened */
    bool healed, failed, trace;
    bool stopped;  /* see sim_is_stopped */
    char why[400]; /* of failed, or of stopped */
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
void sim_schedule_faults(struct sim *s);
void sim_strike(struct sim *s, uint32_t fault);
/* n's journal lost something; it had so many votes before. */
void sim_lost(struct sim_node *n, uint64_t votes_before);
void sim_cut_links(struct sim *s); /* as the splits of now say */
static inline bool sim_is_clone(const struct sim_node *n)
{
    return n->slot == SIM_CLONE_SLOT;
}
/* Folds bytes into the hash of the run: equal seeds must end with equal hashes, whoever compiled us. */
void sim_fold(struct sim *s, const void *bytes, size_t len);
bool sim_done(struct sim *s);
/* Asked where progress is missing. True: faults took a block from every honest disk and its view cannot be nullified, or
 * damaged all that shows how a view ended; s->stopped and s->why say so, and from then on only safety is asked for. */
bool sim_is_stopped(struct sim *s);
__attribute__((format(printf, 2, 3))) void sim_fail(struct sim *s, const char *format, ...);
__attribute__((format(printf, 2, 3))) void sim_trace(const struct sim *s, const char *format, ...);

void sim_plan_of(struct sim_plan *p, uint64_t seed);
/* As text: the form in which a failure is kept (tests/regress/). read: false, and *line is the wrong one. */
void sim_plan_write(FILE *to, uint64_t seed, const struct sim_plan *p);
bool sim_plan_read(FILE *from, uint64_t *seed, struct sim_plan *p, unsigned *line);
/* The same, with as many validators as can bear one traitor at least, all traitors of this kind. */
void sim_plan_betray(struct sim_plan *p, const struct sim_adversary *kind);

void sim_net_ports(struct hub_ports *p);
/* The number under which n's replica knows a node now: a validator's, or one of those that may listen. */
uint8_t sim_peer_of(const struct sim_node *n, uint8_t node);
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
    sim_withholder, sim_silent, sim_skipper, sim_invalid_block, sim_flooder, sim_lying_syncer,
    sim_framer, sim_swapper, sim_replayer;
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

/* ---- audit.c: a final block that nobody had before; what must hold at the end */
extern const uint32_t sim_table_rows[HUB_TABLES];
void sim_audit_open(struct sim *s);
void sim_audit_close(struct sim *s);
void sim_audit_block(struct sim_node *n, const struct sim_block *b);
void sim_audit_end(struct sim *s);

void sim_check_commit(struct sim_node *n);
/* The node goes over to an epoch: its set is planned, and the same for all. */
void sim_check_link(struct sim_node *n, uint64_t epoch, struct hub_span link);
void sim_check_block(struct sim_node *n, const struct hub_header *h, const struct hub_hash *hash);
/* The node tells its clients that the records of this block are final; these bytes it puts into its log. */
void sim_check_acknowledged(struct sim_node *n, const struct hub_applied *applied,
                            struct hub_span block);
void sim_check_kept(struct sim_node *n, const struct hub_certificate *c);
void sim_check_send(struct sim_node *n, struct hub_span frame);
void sim_check_turn(struct sim_node *n);
void sim_check_alarm(struct sim_node *n, const char *what);
/* A validator was convicted: by an item that holds, and it is no honest one. */
void sim_check_evidence(struct sim_node *n, const struct hub_offence *o, struct hub_span item);

void sim_tamper(struct sim_node *n);
bool sim_guard_off(const struct sim *s, enum sim_guard_kind which);
/* False: one of them is not caught by the check that is there for it. */
bool sim_controls(void);
/* accountability.c: forks by one liar too many; true if all of them, and nobody else, are convicted in each seed. */
bool sim_accountability(uint64_t from, uint64_t count, bool trace);

/* ---- long.c: days with three records each; an hour with a record a second, timed */
bool sim_idle(uint32_t days);
bool sim_speed(void);

/* ---- calibrate.c: the simulated journal and the real store, given the same calls. False: they differ. */
bool sim_calibrate(uint64_t seed);

/* ---- many runs */
typedef void sim_planner(struct sim_plan *p, uint64_t seed);
struct sim_result { /* of one run, or the sum of many */
    bool good, stopped;
    char why[400];
    uint8_t n;
    uint64_t events, ms, height, finals, betrayals, hash, changes, recoveries,
        struck[SIM_FAULT_KINDS];
};
/* trace: with every event of note. */
void sim_try(struct sim_result *out, uint64_t seed, const struct sim_plan *p, bool trace);
/* In a process of its own: an assert or a signal is a failure like any other. */
void sim_try_apart(struct sim_result *out, uint64_t seed, const struct sim_plan *p);
struct sim_campaign {
    sim_planner *plan;
    uint64_t from, count,
        seconds;               /* seeds from .. from + count - 1, or for so long; 0 = no bound */
    const char *commit, *keep; /* printed; folder for failures, cut down. NULL = none */
};
/* On all cores. Prints failures, then the figures. False: a seed failed, or `betrayed` and no frame was. */
bool sim_campaign(const struct sim_campaign *c, bool betrayed);
/* Cuts a failing plan down to what still fails in the same way. */
void sim_shrink(uint64_t seed, struct sim_plan *p, struct sim_result *result);

/* Runs the named one, or all when name is NULL. Failures are printed. */
bool sim_scenarios(const char *name, bool trace);

#endif
