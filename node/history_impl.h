/* history_impl.h: the memory of a history, for history.c and history_find.c only. */
#ifndef HUB_HISTORY_IMPL_H
#define HUB_HISTORY_IMPL_H

#include "node/history.h"

enum {
    HUB_HISTORY_SLOTS = 2 * HUB_HISTORY_RECORDS_MAX, /* open addressing, at most half full */
    HUB_RECORD_LIST_MAX = 64 /* log indexes under one key of HUB_MAP_RECORD */
};

struct hub_history_block {
    uint64_t height, log_size; /* log_size after it */
    uint64_t results_at, results_len;
};

struct hub_history_level { /* nodes first .. first + count - 1 of one level; first begins a page */
    struct hub_hash *node;
    uint64_t first;
    uint32_t count, cap;
};

struct hub_history {
    bool whole;          /* from genesis on, and not saved yet */
    uint64_t first_leaf; /* records below it are found on disk */
    struct hub_edge edge;
    struct hub_history_block *block; /* in order of height, only blocks with records */
    uint32_t blocks;                 /* held */
    struct hub_hash *id;             /* of log index first_leaf + i */
    uint32_t records;                /* held */
    uint32_t *slot;                  /* by record id: i + 1; 0 = free */
    uint8_t *results;
    uint64_t results_len;
    struct hub_history_size size;
    struct hub_history_level level[64];
};

static inline uint32_t hub_history_slot(const struct hub_hash *id)
{
    return hub_get_be32(id->b + 8) % HUB_HISTORY_SLOTS;
}

/* Empty, behind a log of this size. */
void hub_history_clear(struct hub_history *h, uint64_t log_size);

#endif
