/* store_impl.h: what the files of the store share: store.c (blocks, certificates, tip), store_votes.c,
 * store_open.c. Included by these only. */
#ifndef HUB_STORE_IMPL_H
#define HUB_STORE_IMPL_H

#include "node/store.h"

#include <string.h>

enum {
    HUB_STORE_PATH_BYTES = 4096,
    HUB_VIEW_KEY_BYTES = 17 /* be64 epoch || be64 view || kind */
};

struct
    hub_store_votes { /* the chain of own votes: numbers first..next-1; base = hash before the first, head = of the last */
    uint64_t first, next;
    struct hub_hash base, head;
    uint64_t epoch, view; /* the highest voted in, of those kept */
};

struct hub_store {
    struct hub_env *env;
    int lock; /* -1: none (an auditor) */
    char dir[HUB_STORE_PATH_BYTES];
    struct hub_store_votes votes;
    bool has_tip;
    struct hub_point tip;
    uint8_t *genesis; /* owned; auditors only */
    char why[HUB_WHY_BYTES];
};

/* Writes the sentence and returns status. */
enum hub_status hub_store_explain(char why[HUB_WHY_BYTES], enum hub_status status,
                                  const char *format, ...) __attribute__((format(printf, 3, 4)));
void hub_store_view_key(uint8_t key[HUB_VIEW_KEY_BYTES], uint64_t epoch, uint64_t view,
                        uint8_t kind);

enum hub_status hub_store_save_tip(struct hub_store *s, const struct hub_point *fin,
                                   const struct hub_edge *edge);

/* The votes' part of struct hub_ports. */
enum hub_status hub_store_put_vote(void *store, const struct hub_vote *v);
enum hub_status hub_store_each_vote(void *store, uint64_t epoch, uint64_t from_view,
                                    hub_store_visit_vote *visit, void *ctx);
enum hub_status hub_store_get_mark(void *store, struct hub_vote_mark *out);
enum hub_status hub_store_has_mark(void *store, const struct hub_vote_mark *m);
enum hub_status hub_store_put_halt(void *store, const struct hub_halt *h);
enum hub_status hub_store_get_halt(void *store, struct hub_halt *out);
/* At open: loads the chain of own votes and checks it whole. */
enum hub_status hub_store_check_votes(struct hub_store *s, char why[HUB_WHY_BYTES]);
/* Forgets the oldest votes that lie far below the final view: they can neither be cast again nor asked for. */
enum hub_status hub_store_prune_votes(struct hub_store *s, uint64_t epoch, uint64_t view);

static inline struct hub_span span(const void *data, size_t len)
{
    return (struct hub_span){data, len};
}

static inline struct hub_span name(const char *text)
{
    return span(text, strlen(text));
}

#endif
