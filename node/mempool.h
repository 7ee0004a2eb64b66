/* mempool.h: records that wait for a block: bounded, one queue per signer in number order.
 *  1. An entry owns its bytes from hub_mempool_add until hub_mempool_remove; a record's id is in the pool once.
 *  2. CHECKING entries are being read by a verifier thread and are removed only after its answer.
 *  3. take never frees: what it hands out stays valid until the next remove, expire or close.
 *  4. Signers take turns, and each gives its records in the order of their numbers, so that nobody's
 *     accepted record is pushed out of its sequence window and no signer starves another.
 *  5. The caller's admit, asked with the state a block would be built on, says whether a record can go into
 *     that block: one that lies in an unfinalized ancestor has its number spent there. After a `not now` a
 *     record is not asked again for HUB_POOL_AGAIN_MS, so that a full pool costs little to look at.
 *  6. One handed out again and again without becoming final is parked, longer each time, so that it cannot
 *     keep the network producing views for ever; every finalization unparks all (docs/protocol.md, gate). */
#ifndef HUB_MEMPOOL_H
#define HUB_MEMPOOL_H

#include "hub/record.h"

enum {
    HUB_POOL_RECORDS_MAX = 65536,   /* ten seconds of single transfers at 6,500 a second */
    HUB_POOL_BYTES_MAX = 128 << 20, /* 1,000 full batches; full = clean refusal */
    HUB_POOL_SIGNER_MAX =
        HUB_SEQ_WINDOW / 2,  /* half a window of one key's numbers, as the API promises */
    HUB_POOL_AGAIN_MS = 300, /* a block's way to finality in a healthy network */
    HUB_POOL_PARK_TRIES = 8, /* handed out so often without being final: parked */
    HUB_POOL_PARK_MS = 60000,
    HUB_POOL_PARK_MAX_MS = 600000
};

struct hub_pool_entry {
    struct hub_record record; /* its spans point into bytes */
    struct hub_record_keys keys;
    uint8_t *bytes;
    size_t bytes_len;
    uint64_t added_ms, again_ms, parked_until_ms, generation;
    uint32_t tries, park_ms;
    bool checking, local, shared; /* local: from our own clients; shared: sent to the peers once */
    uint32_t next_id, next_signer, prev_signer; /* hash chain; the signer's queue */
    uint32_t signer;
};

struct hub_mempool; /* owned by the caller, released by hub_mempool_close */
HUB_MUST_USE enum hub_status hub_mempool_open(struct hub_mempool **out,
                                              const struct hub_hash *chain);
void hub_mempool_close(struct hub_mempool *p);

/* Copies, decodes and queues a record as CHECKING. HUB_REFUSED: *why. HUB_CONFLICT: the id is here already;
 * *entry is that one. HUB_LIMIT: pool or signer's queue full. On HUB_OK *entry is the new one. */
HUB_MUST_USE enum hub_status hub_mempool_add(struct hub_mempool *p, struct hub_pool_entry **entry,
                                             uint16_t *why, struct hub_span record,
                                             struct hub_span attachment, bool local,
                                             uint64_t now_ms);
struct hub_pool_entry *hub_mempool_find(struct hub_mempool *p, const struct hub_hash *id);
/* Tickets name entries to verifier threads: index and generation in one number. NULL if it is gone. */
uint64_t hub_mempool_ticket(const struct hub_mempool *p, const struct hub_pool_entry *e);
struct hub_pool_entry *hub_mempool_of_ticket(struct hub_mempool *p, uint64_t ticket);
/* The verifier's answer: ready to be taken. */
void hub_mempool_ready(struct hub_mempool *p, struct hub_pool_entry *e);
void hub_mempool_remove(struct hub_mempool *p, struct hub_pool_entry *e);

/* Candidates for a block. admit (may be NULL) is asked first: HUB_POOL_TAKE, _SKIP for now, or _DROP for ever. */
enum hub_pool_advice { HUB_POOL_TAKE, HUB_POOL_SKIP, HUB_POOL_DROP };
typedef enum hub_pool_advice hub_mempool_admit(void *ctx, const struct hub_record *r);
uint32_t hub_mempool_take(struct hub_mempool *p, struct hub_record *out, uint32_t max,
                          size_t bytes_max, uint64_t now_ms, hub_mempool_admit *admit, void *ctx);
/* True while some record is ready, not parked and admitted: what the gate is told. */
bool hub_mempool_has_work(struct hub_mempool *p, uint64_t now_ms, hub_mempool_admit *admit,
                          void *ctx);
/* Drops what no block later than block_time_ms can hold; unparks all when `finalized`. */
void hub_mempool_expire(struct hub_mempool *p, uint64_t block_time_ms, bool finalized);
/* Records to send to peers, borrowed until the next remove or expire: fresh = local ones not sent before; else
 * any, going round. At most max and bytes_max, but a larger one alone. */
uint32_t hub_mempool_share(struct hub_mempool *p, bool fresh, struct hub_span *record,
                           struct hub_span *attachment, uint32_t max, size_t bytes_max);

uint32_t hub_mempool_count(const struct hub_mempool *p);
size_t hub_mempool_bytes(const struct hub_mempool *p);
/* Records of this key in the pool, and the lowest number among them (UINT64_MAX if none). */
uint32_t hub_mempool_of_signer(const struct hub_mempool *p, const struct hub_hash *kid,
                               uint64_t *lowest_seq, uint64_t *highest_seq);

#endif
