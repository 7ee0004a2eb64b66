/* store_impl.h: what the files of the store share: store.c (blocks, tip), store_certificate.c (certificates and links),
 * store_votes.c, store_open.c, store_copy.c. Included by these only. */
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

/* A block or certificate that the disk returned with other bytes is as good as lost: peers have it, and putting
 * it again replaces it. Own votes and the tip nobody else can give back: those stay HUB_CORRUPT. */
enum hub_status hub_store_lost(enum hub_status status, const char *what,
                               const struct hub_hash *hash, uint64_t place);
/* It was put again. hash may be NULL. */
void hub_store_log_mended(const char *what, const struct hub_hash *hash, uint64_t place);

enum hub_status hub_store_save_tip(struct hub_store *s, const struct hub_point *fin,
                                   const struct hub_edge *edge);

/* The certificates' and links' part of struct hub_ports. */
enum hub_status hub_store_put_certificate(void *store, const struct hub_certificate *c, uint8_t n);
enum hub_status hub_store_get_certificate(void *store, uint64_t epoch, uint64_t view, uint8_t kind,
                                          struct hub_certificate *out);
enum hub_status hub_store_each_certificate(void *store, uint64_t epoch, uint64_t from_view,
                                           hub_store_visit_certificate *visit, void *ctx);
enum hub_status hub_store_put_link(void *store, uint64_t epoch, struct hub_span link);
enum hub_status hub_store_get_link(void *store, uint64_t epoch, struct hub_span *link);

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
