/* cluster_impl.h: the data of a simulated cluster, shared by cluster.c, cluster_node.c and cluster_net.c. */
#ifndef TESTS_CLUSTER_IMPL_H
#define TESTS_CLUSTER_IMPL_H

#include "cluster.h"
#include "oracle.h"

enum { QUEUE_MAX = 65536, JUST = 34, INBOX_MAX = 256, OUTBOX_MAX = 4096, WANTED_MAX = 32 };

struct message {
    uint64_t at_ms, order;
    uint8_t to, from;
    enum cluster_talk type;
    struct hub_subject subject; /* VOTE */
    uint8_t signer;
    uint32_t block; /* index; PROPOSE, GET_BLOCK, BLOCK */
    uint32_t cert, just[JUST], just_count;
    uint64_t first, last; /* GET_CERTS; RECORD: bitmap in first */
    uint64_t view;        /* STATUS */
    struct hub_point fin, top;
};

struct cluster_block {
    struct hub_header_facts facts;
    uint32_t parent;
    uint64_t records;
    bool bad;
    uint8_t builder;
};
struct cluster_cert {
    struct hub_subject subject;
    uint64_t signers;
};

/* What a commit makes durable. */
struct journal {
    struct hub_subject vote[CLUSTER_VOTES];
    uint32_t votes;
    uint32_t cert[CLUSTER_CERTS / 4];
    uint32_t certs;
    struct hub_point fin;
    uint64_t fin_time_ms;
    uint32_t fin_block;
    bool block[CLUSTER_BLOCKS];
};

struct node {
    struct hub_cons core;
    uint8_t me; /* validator */
    bool up, honest, runs;
    uint64_t wake_ms, status_ms, forward_ms, restart_ms;
    struct journal disk, memory; /* memory is copied to disk by a commit */
    bool held[CLUSTER_BLOCKS];
    uint64_t pool, own_pool, final_records; /* own_pool: forwarded again by us */
    bool gate;
    uint32_t wanted[WANTED_MAX], wanted_count;
    struct hub_event inbox[INBOX_MAX];
    uint32_t inbox_count;
    struct message outbox[OUTBOX_MAX];
    uint32_t outbox_count;
    struct hub_subject
        fresh[HUB_EFFECTS_MAX * 4]; /* own votes of this turn, fed back after the commit */
    uint32_t fresh_count;
};

struct cluster {
    struct cluster_config cfg;
    struct cluster_faults faults;
    uint64_t random, now_ms, sent, order;
    struct node node[CLUSTER_NODES];
    struct cluster_block block[CLUSTER_BLOCKS];
    uint32_t blocks, proposed, evidence;
    struct cluster_cert cert[CLUSTER_CERTS];
    uint32_t certs;
    struct oracle *oracle;
    uint8_t nodes;
    cluster_lose *lose;
    void *lose_ctx;
    struct message *queue[QUEUE_MAX]; /* heap by (at_ms, order) */
    uint32_t queued;
    uint64_t traitor_ms;
    char failure[200];
};

/* nodes */
uint8_t cluster_node_index_of(const struct cluster *k, const struct node *x);
void cluster_node_feed(struct cluster *k, struct node *x,
                       const struct hub_event *ev); /* for the next turn */
void cluster_node_turn(struct cluster *k,
                       struct node *x); /* steps, one commit, sends, own votes fed back */
void cluster_node_start(struct cluster *k, struct node *x); /* from its disk */
void cluster_node_power_off(struct cluster *k, struct node *x);
void cluster_node_deliver(struct cluster *k, const struct message *m);
void cluster_node_update_gate(struct cluster *k, struct node *x);
void cluster_node_status(struct cluster *k, struct node *x);
void cluster_node_post_all(struct cluster *k, struct node *x,
                           struct message *m); /* with the next turn */

uint64_t cluster_random(struct cluster *k);
bool cluster_chance(struct cluster *k, uint32_t permille);
void cluster_fail(struct cluster *k, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* net */
void cluster_post(struct cluster *k, const struct message *m); /* loses, duplicates, delays */
struct message *cluster_next(struct cluster *k,
                             uint64_t until_ms); /* caller frees; NULL: none until then */
uint32_t cluster_add_block(struct cluster *k, const struct cluster_block *b);
uint32_t cluster_add_cert(struct cluster *k, const struct hub_subject *s, uint64_t signers);
uint32_t cluster_find_block(const struct cluster *k,
                            const struct hub_hash *hash); /* UINT32_MAX: none */
/* traitors */
void cluster_treason(struct cluster *k);

#endif
