/* recover.c: an epoch ends without a quorum, by a record that people signed and that the operator of this node accepted
 * (hub/recovery.h, docs/protocol.md 16). What the record needs is its base: fetched like any block. Whoever was not
 * given the file stays where it is, and says that there is one. */
#include "node/replica_parts.h"

#include <string.h>

enum { ASK_EVERY_MS = 1000 };

/* Below a damaged block a node begins in an epoch that it had left: its own store says how. */
void hub_recover_begin(struct hub_replica *r)
{
    struct hub_link link;
    struct hub_span bytes;
    uint16_t why;
    memset(&r->recover, 0, sizeof r->recover);
    if (!hub_replica_found(r, r->port.get_link(r->port.store, r->chain.set.epoch + 1, &bytes)) ||
        !hub_link_decode(&link, bytes) || !link.recovery.len ||
        link.recovery.len > sizeof r->recover.bytes)
        return;
    memcpy(r->recover.bytes, link.recovery.data, link.recovery.len);
    bytes = (struct hub_span){r->recover.bytes, link.recovery.len};
    r->recover.has_own = hub_record_decode(&r->recover.own, &why, bytes, (struct hub_span){NULL, 0},
                                           &r->chain.id) == HUB_OK;
}

const struct hub_record *hub_recover_record(const struct hub_replica *r)
{
    struct hub_recovery recovery;
    if (r->recover.has_own && !r->recover.why)
        return &r->recover.own;
    for (uint32_t i = 0; i < r->cfg.recoveries && !r->recover.why; i++) {
        hub_recovery_read(&recovery, &r->cfg.recovery[i]);
        if (recovery.epoch == r->chain.set.epoch)
            return &r->cfg.recovery[i];
    }
    return NULL;
}

/* Said once, looked at once; and not what this node was given itself. */
bool hub_recover_knows(const struct hub_replica *r, struct hub_span record)
{
    const struct hub_record *own = hub_recover_record(r);
    return r->recover.shown_by || (own && hub_span_equal(own->bytes, record));
}

bool hub_recover_asks(struct hub_replica *r)
{
    if (r->now.mono_ms < r->recover.ask_due_ms)
        return false;
    r->recover.ask_due_ms = r->now.mono_ms + ASK_EVERY_MS;
    return true;
}

void hub_recover_shown(struct hub_replica *r, const struct hub_link_facts *facts)
{
    const struct hub_record *own = hub_recover_record(r);
    if (own && hub_hash_equal(&own->id, &facts->recovery.id))
        return;
    if (!r->recover.shown_by)
        r->port.alarm(r->port.client,
                      "peers follow a recovery epoch, an override of the quorum, that was not "
                      "given to this node (--recovery)",
                      &facts->recovery.id);
    r->recover.shown_by = facts->signers;
    r->recover.shown = facts->recovery.id;
}

/* Built of the record on its base, the signatures checked with the keys of its state. 0, or why it does not hold.
 * *never: whoever signs besides, it can hold nowhere. */
static uint16_t build(struct hub_replica *r, const struct hub_record *of, struct hub_block *block,
                      bool *never)
{
    struct hub_record record = *of;
    struct hub_recovery recovery;
    uint16_t why;
    *never = false;
    hub_recovery_read(&recovery, of);
    const uint64_t view = hub_recovery_view(&recovery);
    const struct hub_point *top = &r->cons.top; /* is final, and would be lost */
    if (hub_chain_move(&r->chain, &recovery.base) != HUB_OK || top->view > view ||
        (view && top->view == view && !hub_hash_equal(&top->block_hash, &recovery.base)))
        return HUB_CODE_recovery_base;
    if ((why = hub_record_resolve(&r->keys[0], &r->chain.state, &record)) ||
        !hub_record_verify(&record, &why, &r->keys[0]))
        return why;
    block->records = r->records;
    r->scratch.len = 0;
    if (hub_chain_recovery(&r->chain, &record, block, &r->scratch, &why) == HUB_OK)
        return 0;
    *never = why != HUB_CODE_cosign_missing && why != HUB_CODE_cosign_invalid;
    return why;
}

/* The link to the set that the chain now has. */
static void write_link(struct hub_replica *r, const struct hub_block *block)
{
    uint8_t epoch[HUB_EPOCH_BYTES_MAX], header[HUB_HEADER_BYTES_MAX];
    struct hub_buf next = {.data = epoch, .cap = sizeof epoch};
    struct hub_buf head = {.data = header, .cap = sizeof header};
    struct hub_link link = {.headers.n = 1, .recovery = block->records[0].bytes};
    hub_validators_encode(&next, &r->chain.set);
    hub_header_encode(&head, &block->header);
    link.next = hub_span_of(&next);
    link.headers.bytes[0] = hub_span_of(&head);
    r->proof.bytes.len = 0;
    hub_link_encode(&r->proof.bytes, &link, 0);
    HUB_ASSERT(!next.full && !head.full && !r->proof.bytes.full);
}

void hub_recover_cross(struct hub_replica *r)
{
    const struct hub_record *record = hub_recover_record(r);
    struct hub_block block = {.count = 0};
    bool never;
    HUB_ASSERT(record);
    r->recover.why = build(r, record, &block, &never);
    if (r->recover.why) {
        if (never)
            hub_permit_recovery_failed(r, record);
        r->port.alarm(
            r->port.client,
            "the recovery given to this node does not hold on its chain: hubledger status says "
            "which rule it breaks",
            &record->id);
        return;
    }
    struct hub_body *b = hub_body_put_own(r, block.bytes, &block.hash);
    if (!b) /* all in use now */
        return;
    hub_chain_recover(&r->chain, &block, hub_catchup_visit, r);
    write_link(r, &block);
    hub_epochs_close(r);
}

enum hub_status hub_recover_replay(struct hub_replica *r, struct hub_block *block)
{
    const struct hub_hash stored = block->hash;
    const struct hub_record record = block->records[0];
    uint16_t why;
    r->scratch.len = 0;
    if (block->count != 1 || record.type != HUB_TYPE_EPOCH_RECOVER ||
        hub_chain_recovery(&r->chain, &record, block, &r->scratch, &why) ||
        !hub_hash_equal(&block->hash, &stored))
        return HUB_CORRUPT;
    hub_chain_recover(&r->chain, block, hub_catchup_visit, r);
    return HUB_OK;
}
