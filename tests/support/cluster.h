/* cluster.h: n cores in one process over a simulated network: no signatures, no bytes, only facts. Virtual time;
 * one seed decides everything. Each node has a journal with commit points, so that a crash loses exactly what
 * was not committed. Checked on the way: hub_cons_assert after each step, agreement on every final height, no
 * two conflicting votes by an honest node, over all restarts. A broken rule fills `failure`. */
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
    uint64_t delta_ms, pace_ms, heartbeat_ms;
};

struct cluster;
struct cluster *cluster_open(const struct cluster_config *cfg);
void cluster_close(struct cluster *k);
void cluster_faults(struct cluster *k, const struct cluster_faults *f); /* from now on */
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
uint32_t cluster_proposed(const struct cluster *k); /* blocks built by honest nodes */
uint32_t cluster_evidence(
    const struct cluster *k); /* EVIDENCE effects; against honest nodes: a failure */
uint64_t cluster_messages(const struct cluster *k);   /* sent so far */
const char *cluster_failure(const struct cluster *k); /* NULL while all is well */

/* A whole random run: faults, crashes, partitions; then healed. NULL, or what went wrong: a broken safety
 * rule, records not final on every honest node 300 s after healing, or an idle network that does not rest. */
const char *cluster_random_run(uint64_t seed, uint8_t n, uint8_t q, uint8_t traitors);

#endif
