/* cluster.h: n cores in one process over a simulated network: no signatures, no bytes, only facts. Virtual time;
 * one seed decides everything. Each node has a journal with commit points, so that a crash loses exactly what
 * was not committed. Checked on the way: hub_cons_assert after each step, and everything in oracle.h, over all
 * restarts. A broken rule fills `failure`.
 * Twins (arXiv 2004.10617): the last validators may run twice, as nodes n, n + 1, ... with keys of their own validator:
 * both halves follow the protocol, and together they lie. Neither is told of votes of its own key. */
#ifndef TESTS_CLUSTER_H
#define TESTS_CLUSTER_H

#include "hub/simplex.h"

enum { CLUSTER_NODES = 10, CLUSTER_BLOCKS = 4000, CLUSTER_CERTS = 40000, CLUSTER_VOTES = 4000 };

struct cluster_faults {
    uint32_t loss_permille, duplicate_permille;
    uint64_t delay_min_ms, delay_max_ms;
    uint32_t crash_permille;     /* of turns, at a random point of the turn */
    uint32_t bad_block_permille; /* a built block is invalid on every other node */
    uint64_t groups;             /* partition: bit i = side of node i; 0 = none */
};
struct cluster_config {
    uint64_t seed;
    uint8_t n, q, traitors; /* the last `traitors` validators are Byzantine */
    uint8_t twins;          /* the last `twins` validators run twice; no traitors then */
    bool one_record;        /* a block takes one record, so that work lasts */
    bool unbearable;        /* more liars than can be borne: a broken rule ends nothing */
    uint64_t delta_ms, pace_ms, heartbeat_ms;
};

struct cluster;
struct
    cluster_link { /* a message on its way, as scripts see it: nodes, kind and what it is about */
    uint8_t from, to;
    enum cluster_talk {
        CLUSTER_PROPOSE,
        CLUSTER_VOTE,
        CLUSTER_CERT,
        CLUSTER_STATUS,
        CLUSTER_GET_CERTS,
        CLUSTER_GET_BLOCK,
        CLUSTER_BLOCK,
        CLUSTER_RECORD
    } talk;
    uint8_t kind;  /* of the VOTE or CERT */
    uint64_t view; /* of the statement; else the sender's */
};
/* True: it is lost. */
typedef bool cluster_lose(void *ctx, const struct cluster_link *l);

struct cluster *cluster_open(const struct cluster_config *cfg);
void cluster_close(struct cluster *k);
void cluster_faults(struct cluster *k, const struct cluster_faults *f); /* from now on */
void cluster_script(struct cluster *k, cluster_lose *lose, void *ctx);  /* NULL: no more */
/* A record (0..63) reaches one node, which forwards it to all and again until it is final. */
void cluster_submit(struct cluster *k, uint8_t node, uint8_t record);
/* Only that node knows of it: nothing is forwarded. */
void cluster_submit_alone(struct cluster *k, uint8_t node, uint8_t record);
void cluster_crash(struct cluster *k, uint8_t node);   /* now, between turns */
void cluster_restart(struct cluster *k, uint8_t node); /* no effect on a running node */
void cluster_run(struct cluster *k, uint64_t ms);

uint64_t cluster_now(const struct cluster *k);
bool cluster_up(const struct cluster *k, uint8_t node);
const struct hub_cons *cluster_core(const struct cluster *k, uint8_t node);
uint64_t cluster_final_records(const struct cluster *k, uint8_t node); /* bitmap */
uint64_t cluster_final_height(const struct cluster *k, uint8_t node);
bool cluster_forked(const struct cluster *k);
uint64_t cluster_guilty(
    const struct cluster *k); /* bitmap: provably signed what excludes each other */
uint8_t cluster_nodes(const struct cluster *k); /* n and the second halves of twins */
bool cluster_honest(const struct cluster *k, uint8_t node);
uint32_t cluster_proposed(const struct cluster *k); /* blocks built by honest nodes */
uint32_t cluster_evidence(
    const struct cluster *k); /* EVIDENCE effects; against honest nodes: a failure */
uint64_t cluster_messages(const struct cluster *k);   /* sent so far */
const char *cluster_failure(const struct cluster *k); /* NULL while all is well */

/* A whole random run: faults, crashes, partitions; then healed. NULL, or what went wrong: a broken safety
 * rule, records not final on every honest node 300 s after healing, or an idle network that does not rest. */
const char *cluster_random_run(uint64_t seed, uint8_t n, uint8_t q, uint8_t traitors);

#endif
