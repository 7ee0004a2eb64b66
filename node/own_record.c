/* own_record.c: see own_record.h. */
#include "node/own_record.h"

#include "node/clock.h"

#include <string.h>

enum { RECORD_BYTES = HUB_EVIDENCE_BYTES_MAX + 1024, VALID_MS = 3600 * 1000 };

/* One above all numbers the key used or has waiting. */
static uint64_t next_seq(const struct hub_node *n, const struct hub_key *k)
{
    uint64_t lowest, highest;
    if (hub_mempool_of_signer(n->pool, &k->kid, &lowest, &highest) && highest > k->seq_high)
        return highest + 1;
    return k->seq_high + 1;
}

enum hub_status hub_own_record_submit(struct hub_node *n, uint16_t *why, uint16_t type,
                                      struct hub_span body)
{
    uint8_t bytes[RECORD_BYTES], scratch_bytes[RECORD_BYTES];
    struct hub_buf record = {bytes, 0, sizeof bytes, false};
    struct hub_buf scratch = {scratch_bytes, 0, sizeof scratch_bytes, false};
    struct hub_chain *c = &n->replica->chain;
    const uint64_t wall = hub_clock_wall_ms();
    char iss[24], sub[65];
    struct hub_key k;
    struct hub_hash id;
    HUB_ASSERT(!hub_record_types[type].cosigned);
    *why = HUB_CODE_key_unknown;
    if (hub_chain_move(c, &c->final_hash) != HUB_OK)
        return HUB_NOT_NOW;
    if (!hub_key_find(&k, &c->state, &n->key.kid))
        return HUB_REFUSED;
    hub_key_iss(iss, &c->state, &k);
    if (!hub_record_sub(sub, type, body, hub_text_span(iss)))
        return HUB_REFUSED;
    const struct hub_record_draft draft = {
        .type = type,
        .kid = n->key.kid,
        .chain = c->id,
        .iss = hub_text_span(iss),
        .sub = hub_text_span(sub),
        .payload = body,
        .seq = next_seq(n, &k),
        .valid_until_ms =
            (wall > c->final_header.time_ms ? wall : c->final_header.time_ms) + VALID_MS};
    const enum hub_status st = hub_record_build(&record, &scratch, &draft, n->key.secrets->sign);
    if (st != HUB_OK)
        return st;
    return hub_intake_submit(&n->intake, &id, why, hub_span_of(&record), (struct hub_span){NULL, 0},
                             true, hub_clock_mono_ms(), wall);
}
