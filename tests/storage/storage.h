/* storage.h: what the trials of the disk share: options, counts, one judge for a node that has come back. */
#ifndef TESTS_STORAGE_H
#define TESTS_STORAGE_H

#include "tests/storage/disk_image.h"
#include "tests/storage/four.h"

enum { STORAGE_WHY_BYTES = 600, STORAGE_FAILURES_MAX = 10, STORAGE_TRIAL_SECONDS = 60 };

struct storage_options {
    uint64_t seed, seeds, seconds, images;
    uint32_t every, jobs;
    bool lie, errors, flips;
};

enum storage_outcome { /* of a trial; a process may end with the first four as exit codes, or with 70: told */
                       STORAGE_GOOD,
                       STORAGE_BAD = 1, /* storage_judged */
                       STORAGE_TOLD = 3,
                       STORAGE_REBUILT = 4, /* the checkpoint, from the blocks */
                       STORAGE_MENDED = 5,  /* blocks fetched again */
                       STORAGE_OUTCOMES
};
enum storage_page { STORAGE_META, STORAGE_BRANCH, STORAGE_LEAF, STORAGE_OVERFLOW, STORAGE_PAGES };

struct storage_totals { /* shared by all processes */
    uint64_t seeds, operations, cuts, images, revived, bad, crashed, refused;
    uint64_t by_loss[DISK_LOSSES];
    uint64_t flips[STORAGE_PAGES][STORAGE_OUTCOMES];
    char why[STORAGE_WHY_BYTES];
};
extern struct storage_totals *storage_totals;

void storage_verified_open(void);             /* once, before any process is forked */
void storage_must(bool ok, const char *what); /* perror and abort */
void storage_count(uint64_t *total, uint64_t add);
/* The budget is used up, or too much has failed. */
bool storage_enough(const struct storage_options *o);

/* A trial in a process of its own: try(ctx) returns (good), ends it with an outcome, or is ended by the store with a
 * sentence and code 70. What is bad is counted and, for the first few, printed. */
enum storage_outcome storage_try(void (*try)(void *ctx), void *ctx, const char *name);
_Noreturn void storage_judged(const char *why);
void storage_clock(void); /* STORAGE_TRIAL_SECONDS from now, or the process is ended */

/* The node has come back: every vote it ever sent is in its journal, its tip is at least `least`, and its final
 * blocks are whole and those that clients were told. Ends through storage_judged if not. */
void storage_judge_node(struct four *f, uint8_t node, uint64_t least);
/* All nodes are up: they make progress, and what clients were told is final on all of them. */
void storage_judge_progress(struct four *f);

/* One recording, in scratch (an empty directory): all its cuts; all its failing calls; all its pages damaged. */
void storage_powercut(const struct storage_options *o, const char *scratch, uint64_t seed);
void storage_flips(const struct storage_options *o, const char *scratch, uint64_t seed);
void storage_errors(const struct storage_options *o, const char *scratch, uint64_t seed);

#endif
