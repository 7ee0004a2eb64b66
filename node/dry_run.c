/* dry_run.c: see dry_run.h. */
#include "node/dry_run.h"

#include <stdlib.h>

enum { RESULT_BYTES = HUB_RECORD_RESULT_BYTES_MAX + 64 };

struct hub_dry_run {
    uint8_t log[2 * HUB_RECORD_UNDO_BYTES_MAX]; /* the record's writes and its key's row */
    uint8_t results[RESULT_BYTES];
};

enum hub_status hub_dry_run_open(struct hub_dry_run **out)
{
    *out = malloc(sizeof **out);
    return *out ? HUB_OK : HUB_IO;
}

void hub_dry_run_close(struct hub_dry_run *d)
{
    free(d);
}

static uint16_t code_of(const struct hub_buf *results)
{
    struct hub_cbor c = hub_cbor_open(hub_span_of(results));
    hub_cbor_array(&c, 3, 3);
    hub_cbor_item(&c);
    return (uint16_t)hub_cbor_uint(&c, 0, UINT16_MAX);
}

uint16_t hub_dry_run(struct hub_dry_run *d, struct hub_chain *c, struct hub_span record,
                     struct hub_span attachment, uint64_t now_wall_ms)
{
    struct hub_record r;
    uint16_t why = 0;
    uint32_t bad = 0;
    if (hub_record_decode(&r, &why, record, attachment, &c->id) != HUB_OK)
        return why ? why : HUB_CODE_not_canonical;
    if (hub_chain_move(c, &c->final_hash) != HUB_OK)
        return 0;               /* cannot be judged now; the network will */
    hub_record_trust_cache(&r); /* the caller has checked it */
    struct hub_undo log = {.log = d->log, .cap = sizeof d->log};
    struct hub_outcome out = {.results = {.data = d->results, .cap = sizeof d->results}};
    struct hub_block block = {.header = c->final_header, .records = &r, .count = 1};
    block.header.height = c->final_header.height + 1;
    block.header.time_ms =
        now_wall_ms > c->final_header.time_ms ? now_wall_ms : c->final_header.time_ms + 1;
    block.header.record_count = 1;
    const enum hub_status st = hub_state_apply(&c->state, &log, &c->final_header, &c->final_edge,
                                               &block, true, &out, &bad, &why);
    if (st != HUB_OK)
        return why;
    why = code_of(&out.results);
    hub_state_swap_back(&c->state, &log);
    return why;
}
