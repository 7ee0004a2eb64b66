/* four.h: four validators in one process: the node's replica, chain, store, history and checkpoints, each on a
 * directory of its own, over a simulated network and clock. One seed decides everything but what the disk does.
 * What the outside is told (votes, finality) is judged here and written into the disk log, if one records.
 *
 * Checked on the way: no node signs two votes that exclude each other, over all restarts; one block a height;
 * a record is final at most once; nothing is sent after a port has failed. A broken rule fills `failure`. */
#ifndef TESTS_FOUR_H
#define TESTS_FOUR_H

#include "node/checkpoint.h"
#include "node/replica.h"
#include "tests/storage/disk_log.h"

enum { FOUR = 4, FOUR_RECORDS = 400, FOUR_HEIGHTS = 2048, FOUR_VOTES = 16384, FOUR_MAP = 1 << 28 };

struct four_node {
    struct four *all; /* borrowed */
    uint8_t index;
    bool up, failed; /* failed: a port refused; nothing may be sent any more */
    struct hub_store *store;
    struct hub_history *history;
    struct hub_replica *replica;
    struct hub_chain_memory memory;
    void *work;
    struct hub_ports port;
    uint64_t wake_ms, told;  /* told: height of the newest block a client was told is final */
    uint64_t guard_due_ms;   /* when its guard file may be written again */
    enum hub_status stopped; /* why it failed */
};

struct four {
    char dir[128];
    uint64_t random, now_ms;
    uint32_t loss_permille;
    bool rots;          /* a damaged checkpoint is no failure: counted in rebuilt */
    uint32_t rebuilt;   /* checkpoints */
    uint32_t submitted; /* records known to all: the first so many */
    struct four_node node[FOUR];
    struct four_frame *frame; /* owned: under way, in no order */
    uint32_t frames;
    struct hub_subject *said[FOUR]; /* votes that left, ever; FOUR_VOTES each */
    uint32_t said_count[FOUR];
    struct hub_hash final[FOUR_HEIGHTS]; /* what clients were told; zero = nothing */
    uint64_t final_max;
    bool guard_beside;                /* guard files lie in the nodes' directories */
    struct hub_vote_mark guard[FOUR]; /* else on volumes that never fail: the marks themselves */
    char failure[256], why[HUB_WHY_BYTES];
};

/* dir holds, or gets, the directories "0" to "3". Nodes are down. */
struct four *four_open(const char *dir, uint64_t seed, uint32_t loss_permille);
void four_close(struct four *f);
/* Makes the directories, each with the guard file of a key that never voted, durably. */
void four_make_guards(struct four *f);
/* What the guard remembers. HUB_NOT_FOUND, HUB_CORRUPT: as of a guard's port. */
enum hub_status four_guard(struct four_node *n, struct hub_vote_mark *out);
/* Opens store, checkpoint and replica as the node does. On failure f->why tells and the node stays down. */
enum hub_status four_boot(struct four *f, uint8_t node);
/* As a kill: what was not committed is gone. */
void four_kill(struct four *f, uint8_t node);
/* Until the simulated time is `until_ms`, a rule is broken, or a node's port fails. */
void four_run(struct four *f, uint64_t until_ms);
void four_submit(struct four *f, uint32_t records);
/* A checkpoint now, as a node writes one when it is idle. */
void four_checkpoint(struct four *f, uint8_t node);

/* Records a vote that left the node in an earlier life. */
void four_said(struct four *f, uint8_t node, const struct hub_subject *s);
/* Own vote of the node in its journal. */
bool four_holds_vote(struct four_node *n, const struct hub_subject *s);
void four_fail(struct four *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
