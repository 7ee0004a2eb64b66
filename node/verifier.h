/* verifier.h: threads that check record signatures, and the cache of leaves already checked.
 *  1. A cache entry is a log leaf hash, which covers every byte of a record: what was verified once, at
 *     admission or in another block, is not verified again.
 *  2. Threads read only the records and keys handed to them; the caller keeps those in place until the
 *     answer. Everything else, the cache included, belongs to the calling thread.
 *  3. Queues are bounded; a full one refuses (HUB_VERIFIER_JOBS_MAX). */
#ifndef HUB_VERIFIER_H
#define HUB_VERIFIER_H

#include "hub/record.h"

enum {
    HUB_VERIFIER_JOBS_MAX = 8192, /* half a second of one core's checks */
    HUB_VERIFIER_CHUNK =
        32, /* records a thread takes at once: about 2 ms, so that no core idles long */
    HUB_VERIFIER_CACHE_BITS = 17, /* 131,072 leaves, 4 MiB: twice the mempool */
    HUB_VERIFIER_THREADS_MAX = 64
};

struct hub_verifier; /* owned by the caller, released by hub_verifier_close */

/* threads: 1..HUB_VERIFIER_THREADS_MAX. HUB_IO: threads or descriptors cannot be had. */
HUB_MUST_USE enum hub_status hub_verifier_open(struct hub_verifier **out, unsigned threads);
void hub_verifier_close(struct hub_verifier *v);

/* Checks record[count] now, on all threads and this one, and marks them verified; keys[i] belongs to
 * record[i]. UINT32_MAX when all are good, else the index of a bad one and its code in *why. */
uint32_t hub_verifier_check(struct hub_verifier *v, struct hub_record *record,
                            const struct hub_record_keys *keys, uint32_t count, uint16_t *why);

/* Queues one record; the answer comes through hub_verifier_done. False when the queue is full. */
bool hub_verifier_submit(struct hub_verifier *v, struct hub_record *record,
                         const struct hub_record_keys *keys, uint64_t ticket);
int hub_verifier_fd(const struct hub_verifier *v); /* readable while answers wait */
/* The next answer; false when none waits. why is 0 for a good record. */
bool hub_verifier_done(struct hub_verifier *v, uint64_t *ticket, uint16_t *why);

#endif
