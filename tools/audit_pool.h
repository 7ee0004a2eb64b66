/* audit_pool.h: decodes blocks and checks the signatures of their records on all cores, a window of blocks at a
 * time, while the main thread applies the window before. Threads share the window and the key book, which nobody
 * writes while they work. */
#ifndef HUB_AUDIT_POOL_H
#define HUB_AUDIT_POOL_H

#include "tools/audit.h"

enum { HUB_WINDOW_JOBS = 64, HUB_WINDOW_BYTES = 4 << 20 };

struct hub_audit_job { /* one frame */
    uint64_t height, offset;
    struct hub_buf bytes, certificate_bytes, link_bytes; /* copies of the frame's; owned */
    char note[HUB_FRAMES_WHY_BYTES];                     /* why bytes is empty */
    /* What the threads make of it. */
    struct hub_block block; /* records: HUB_BLOCK_RECORDS_MAX of our own */
    enum hub_status decoded;
    uint32_t bad_record;
    uint16_t why;
    bool certificate_ok; /* its form */
    struct hub_certificate certificate;
};

struct hub_audit_window {
    struct hub_audit_job job[HUB_WINDOW_JOBS];
    unsigned jobs;
};

struct hub_audit_pool;
/* NULL: no memory or no thread. */
struct hub_audit_pool *hub_audit_pool_open(unsigned threads, const struct hub_hash *chain);
void hub_audit_pool_close(struct hub_audit_pool *p);
/* Takes the keys the state has got since the last call into the key book. Only between two windows. */
bool hub_audit_pool_keys(struct hub_audit_pool *p, const struct hub_state *s);
/* Starts the threads on a window; it is theirs until hub_audit_pool_wait. A record is verified then, unless its
 * signature is bad or one of its keys was not in the book. */
void hub_audit_pool_start(struct hub_audit_pool *p, struct hub_audit_window *w);
void hub_audit_pool_wait(struct hub_audit_pool *p);
/* Keys of a record from the book, or those its body brings. False: one is not known. */
bool hub_audit_pool_resolve(const struct hub_audit_pool *p, struct hub_record_keys *out,
                            const struct hub_record *r);

#endif
