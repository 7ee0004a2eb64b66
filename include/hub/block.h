/* block.h: headers and blocks (formats.cddl section 7).
 *  1. block_hash = SHA-256("hubledger/header/1" || header bytes).
 *  2. log_size, log_root and state_root are those after the block.
 *  3. An empty block executes nothing: its roots are its parent's. */
#ifndef HUB_BLOCK_H
#define HUB_BLOCK_H

#include "hub/record.h"

enum { HUB_FLAG_SEAL = 1, HUB_FLAG_TAIL = 2, HUB_FLAG_RECOVERY = 4, HUB_HEADER_BYTES_MAX = 512 };

struct hub_header {
    struct hub_hash chain, parent, log_root, records_root, results_root, state_root, validators,
        next_validators;
    uint64_t epoch, view, height, parent_view, time_ms, log_size;
    uint16_t version, proposer, record_count, flags;
};

/* The set of the next epoch votes on what stands on it. */
static inline bool hub_header_begins_epoch(const struct hub_header *h)
{
    return h->flags == HUB_FLAG_SEAL || h->flags == HUB_FLAG_RECOVERY;
}

/* A block in memory. bytes is the encoded block and owns nothing: the holder of the buffer does. */
struct hub_block {
    struct hub_header header;
    struct hub_hash hash;
    struct hub_span bytes;
    struct hub_record *records; /* caller's array of HUB_BLOCK_RECORDS_MAX; views into bytes */
    uint32_t count;
};

void hub_header_encode(struct hub_buf *out, const struct hub_header *h);
HUB_MUST_USE bool hub_header_decode(struct hub_header *out, struct hub_span bytes);
void hub_header_hash(struct hub_hash *out, struct hub_span header_bytes);

/* Encodes header and the records' (bytes, attachment). */
void hub_block_encode(struct hub_buf *out, const struct hub_header *h,
                      const struct hub_record *records, uint32_t count);
/* Decodes header and every record (form and static rules; no signature). out->records must point to
 * the caller's array. Checks record_count and records_root. *bad_record, *why name what is wrong. */
HUB_MUST_USE enum hub_status hub_block_decode(struct hub_block *out, uint32_t *bad_record,
                                              uint16_t *why, struct hub_span bytes,
                                              const struct hub_hash *chain);
/* Only the header, its bytes and hash, and where the records array begins: for walking and serving. */
HUB_MUST_USE bool hub_block_peek(struct hub_header *out, struct hub_hash *hash,
                                 struct hub_span *header_bytes, struct hub_span bytes);

/* result = [record_id, code, value]; value is one encoded item, empty span = null. */
void hub_result_encode(struct hub_buf *out, const struct hub_hash *id, uint16_t code,
                       struct hub_span value);

#endif
