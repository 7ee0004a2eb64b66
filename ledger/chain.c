/* chain.c: the one way history grows. Where its blocks stand in memory is in chain_places.c. */
#include "ledger/chain_places.h"

#include "hub/recovery.h"
#include "ledger/claims.h"
#include "ledger/epoch.h"

#include <string.h>

/* ---- start */

size_t hub_chain_memory_bytes(void)
{
    return (size_t)HUB_CHAIN_SLOTS * (HUB_BLOCK_UNDO_BYTES_MAX + HUB_BLOCK_RESULT_BYTES_MAX);
}

enum hub_status hub_chain_init(struct hub_chain *c, const struct hub_genesis *g, void *state_memory,
                               const uint32_t caps[HUB_TABLES], void *memory)
{
    uint8_t *at = memory;
    enum hub_status status;

    memset(c, 0, sizeof *c);
    c->id = g->chain;
    c->set = g->set;
    c->at = HUB_SLOT_FINAL;
    for (int8_t i = 0; i < HUB_CHAIN_SLOTS; i++) {
        c->slot[i].undo = (struct hub_undo){at, 0, HUB_BLOCK_UNDO_BYTES_MAX, false, false};
        at += HUB_BLOCK_UNDO_BYTES_MAX;
        c->slot[i].results = (struct hub_buf){at, 0, HUB_BLOCK_RESULT_BYTES_MAX, false};
        at += HUB_BLOCK_RESULT_BYTES_MAX;
    }
    hub_state_init(&c->state, state_memory, caps);
    status = hub_genesis_apply(g, &c->state);
    if (status == HUB_OK)
        hub_genesis_header(&c->final_header, &c->final_hash, &c->final_edge, g, &c->state);
    return status;
}

enum hub_status hub_chain_resume(struct hub_chain *c, const struct hub_header *header,
                                 const struct hub_hash *hash, const struct hub_edge *edge,
                                 const struct hub_validators *set)
{
    struct hub_hash state_root, log_root;

    HUB_ASSERT(c->state.undo == NULL);
    hub_state_root(&c->state, &state_root);
    hub_merkle_root(&log_root, edge);
    if (!hub_hash_equal(&state_root, &header->state_root) ||
        !hub_hash_equal(&log_root, &header->log_root) || edge->size != header->log_size ||
        !hub_hash_equal(&set->hash, &header->next_validators))
        return HUB_CORRUPT;
    for (int8_t i = 0; i < HUB_CHAIN_SLOTS; i++)
        hub_slot_free(c, i);
    memset(c->empty, 0, sizeof c->empty);
    c->at = HUB_SLOT_FINAL;
    c->set = *set;
    c->final_header = *header;
    c->final_hash = *hash;
    c->final_edge = *edge;
    return HUB_OK;
}

/* ---- append and build */

/* The header a block with these choices (view, time_ms, proposer) must have on this parent, as far as that is
 * known without execution; a choice that is not allowed is replaced by the nearest that is. Whether it seals,
 * execution says. */
static struct hub_header expected_header(const struct hub_chain *c,
                                         const struct hub_chain_place *parent,
                                         const struct hub_header *got)
{
    struct hub_header want = *got;

    want.version = 1;
    want.chain = c->id;
    want.epoch = c->set.epoch;
    want.height = parent->header->height + 1;
    want.parent = *parent->hash;
    /* The sealing block of the epoch before is the view 0 of this one. */
    want.parent_view = parent->header->epoch == c->set.epoch ? parent->header->view : 0;
    want.validators = c->set.hash;
    if (want.flags != HUB_FLAG_SEAL) {
        want.flags = 0;
        want.next_validators = c->set.hash;
    }
    if (want.view <= want.parent_view)
        want.view = want.parent_view + 1;
    if (want.time_ms <= parent->header->time_ms)
        want.time_ms = parent->header->time_ms + 1;
    if (want.proposer >= c->set.n)
        want.proposer = c->set.n - 1;
    return want;
}

/* The whole header of a TAIL: nothing in it is free but view and proposer. */
static struct hub_header expected_tail(const struct hub_chain *c,
                                       const struct hub_chain_place *parent,
                                       const struct hub_header *got)
{
    struct hub_header want = expected_header(c, parent, got);
    const struct hub_span nothing = {NULL, 0};

    want.height = parent->header->height;
    want.time_ms = parent->header->time_ms + 1;
    want.log_size = parent->header->log_size;
    want.log_root = parent->header->log_root;
    want.record_count = 0;
    hub_hash_span(&want.records_root, nothing);
    hub_hash_span(&want.results_root, nothing);
    want.state_root = parent->header->state_root;
    want.next_validators = c->set.hash;
    want.flags = HUB_FLAG_TAIL;
    return want;
}

/* The epoch in the newest row of the table. Rules write only epochs that hold. */
static void newest_epoch(const struct hub_chain *c, struct hub_validators *out)
{
    struct hub_epoch_row row;
    enum hub_status status;

    hub_epoch_get(&row, &c->state, c->state.count[HUB_TABLE_EPOCHS] - 1);
    status = hub_validators_decode(out, row.bytes, &c->id, hub_text_span(c->set.network));
    HUB_ASSERT(status == HUB_OK && out->epoch == c->set.epoch + 1);
}

/* What execution adds; the state stands behind the block, which began with that many epochs. */
static void add_outcome(const struct hub_chain *c, struct hub_header *want,
                        const struct hub_outcome *out, uint32_t epochs)
{
    want->log_size = out->edge.size;
    hub_merkle_root(&want->log_root, &out->edge);
    want->record_count = (uint16_t)out->kept;
    want->records_root = out->records_root;
    want->results_root = out->results_root;
    want->state_root = out->state_root;
    want->flags = 0;
    want->next_validators = c->set.hash;
    if (out->kept > 0 && c->state.count[HUB_TABLE_EPOCHS] > epochs) {
        struct hub_validators next;

        newest_epoch(c, &next);
        want->flags = HUB_FLAG_SEAL;
        want->next_validators = next.hash;
    }
}

/* Applies the block to its parent in the free slot: the one execution behind append and build. The state
 * then stands behind the block, with its log in that slot; *epochs: how many it had before. */
static enum hub_status execute(struct hub_chain *c, const struct hub_chain_place *parent,
                               struct hub_block *block, bool strict, struct hub_outcome *out,
                               uint32_t *epochs, struct hub_fault *fault)
{
    struct hub_applied *slot = &c->slot[hub_slot_unused(c)];
    enum hub_status status;

    if (block->count > 0)
        hub_slot_enter(c, parent->state);
    *epochs = c->state.count[HUB_TABLE_EPOCHS];
    out->results = slot->results;
    status =
        hub_state_apply(&c->state, &slot->undo, parent->header, hub_slot_edge(c, parent->state),
                        block, strict, out, &fault->record, &fault->why);
    if (status != HUB_OK) {
        HUB_ASSERT(slot->undo.len == 0);
        if (fault->why == 0)
            fault->field = "block_writes";
        else if (fault->why == HUB_CODE_too_large)
            fault->field = "block_bytes";
        return status;
    }
    HUB_ASSERT((out->kept == 0) ==
               (slot->undo.len == 0)); /* every record in a block spends its number */
    return HUB_OK;
}

/* The execution did not give what was claimed. */
static void take_back(struct hub_chain *c)
{
    struct hub_applied *slot = &c->slot[hub_slot_unused(c)];

    hub_state_swap_back(&c->state, &slot->undo);
    slot->undo.len = 0;
}

static void keep_empty(struct hub_chain *c, const struct hub_chain_place *parent,
                       const struct hub_block *block)
{
    struct hub_empty *e = &c->empty[c->empty_next];

    /* parent->header may lie in the place that is overwritten: nothing of it is read any more. */
    *e = (struct hub_empty){block->header, block->hash, parent->state, true};
    c->empty_next = (c->empty_next + 1) % HUB_EMPTY_MAX;
}

/* Keeps the block just executed; the state stands behind it. */
static void keep(struct hub_chain *c, const struct hub_chain_place *parent,
                 const struct hub_block *block, const struct hub_outcome *out)
{
    int8_t i = hub_slot_unused(c);
    struct hub_applied *slot = &c->slot[i];

    if (block->count == 0) {
        keep_empty(c, parent, block);
        return;
    }
    slot->header = block->header;
    slot->hash = block->hash;
    slot->edge = out->edge;
    slot->results = out->results;
    slot->parent = parent->state;
    slot->used = true;
    c->at = i;
    if (hub_slots_used(c) > HUB_UNFINAL_MAX)
        hub_slot_give_up(c, hub_slot_victim(c, i));
    HUB_ASSERT(hub_slots_used(c) <= HUB_UNFINAL_MAX);
}

/* On a block that ends the epoch only a TAIL can stand until it is final. */
static enum hub_status no_block_here(const struct hub_chain *c,
                                     const struct hub_chain_place *parent,
                                     const struct hub_header *got, struct hub_fault *fault)
{
    struct hub_header want = expected_tail(c, parent, got);

    if (hub_claims_hold(&want, got, fault))
        fault->field = "flags"; /* a TAIL is no part of the history */
    return HUB_BAD_BLOCK;
}

enum hub_status hub_chain_append(struct hub_chain *c, struct hub_block *block,
                                 struct hub_fault *fault)
{
    struct hub_outcome out;
    struct hub_chain_place parent, same;
    struct hub_header want;
    uint32_t epochs;
    enum hub_status status;

    memset(fault, 0, sizeof *fault);
    fault->record = UINT32_MAX;
    if (hub_place_find(c, &same, &block->hash))
        return HUB_OK;
    if (!hub_place_find(c, &parent, &block->header.parent))
        return HUB_UNKNOWN_PARENT;
    if (hub_chain_ends_epoch(c, parent.header))
        return no_block_here(c, &parent, &block->header, fault);
    want = expected_header(c, &parent, &block->header);
    if (!hub_claims_hold(&want, &block->header, fault))
        return HUB_BAD_BLOCK;
    if (block->count > 0 && !hub_slots_room(c, parent.state))
        return HUB_LIMIT;
    status = execute(c, &parent, block, true, &out, &epochs, fault);
    if (status != HUB_OK)
        return status;
    add_outcome(c, &want, &out, epochs);
    if (!hub_claims_hold(&want, &block->header, fault)) {
        take_back(c);
        return HUB_BAD_BLOCK;
    }
    keep(c, &parent, block, &out);
    return HUB_OK;
}

/* A link shows every header from the certified one down to SEAL, so TAILs in a row are bounded. */
static bool tail_has_room(const struct hub_chain *c, const struct hub_chain_place *parent)
{
    uint64_t tails = parent->header->time_ms - c->slot[parent->state].header.time_ms;

    return tails + 2 <= HUB_BUNDLE_HEADERS_MAX;
}

enum hub_status hub_chain_tail(struct hub_chain *c, const struct hub_block *block,
                               struct hub_fault *fault)
{
    struct hub_chain_place parent, same;
    struct hub_header want;

    memset(fault, 0, sizeof *fault);
    fault->record = UINT32_MAX;
    if (hub_place_find(c, &same, &block->hash))
        return HUB_OK;
    if (!hub_place_find(c, &parent, &block->header.parent))
        return HUB_UNKNOWN_PARENT;
    if (!hub_chain_ends_epoch(c, parent.header)) {
        want = expected_header(c, &parent, &block->header);
        if (hub_claims_hold(&want, &block->header, fault))
            fault->field = "flags";
        return HUB_BAD_BLOCK;
    }
    want = expected_tail(c, &parent, &block->header);
    if (!hub_claims_hold(&want, &block->header, fault))
        return HUB_BAD_BLOCK;
    if (!tail_has_room(c, &parent)) {
        fault->field = "time_ms";
        return HUB_BAD_BLOCK;
    }
    HUB_ASSERT(block->count == 0); /* hub_block_decode compares it with the header */
    keep_empty(c, &parent, block);
    return HUB_OK;
}

static void encode_block(struct hub_block *block, struct hub_buf *out)
{
    struct hub_header header;
    struct hub_span header_bytes;
    bool good;

    out->len = 0;
    out->full = false;
    hub_block_encode(out, &block->header, block->records, block->count);
    HUB_ASSERT(!out->full);
    block->bytes = hub_span_of(out);
    good = hub_block_peek(&header, &block->hash, &header_bytes, block->bytes);
    HUB_ASSERT(good);
}

static enum hub_status build_tail(struct hub_chain *c, const struct hub_chain_place *parent,
                                  struct hub_block *block, struct hub_buf *out)
{
    struct hub_header want = expected_tail(c, parent, &block->header);
    struct hub_chain_place same;

    if (want.view != block->header.view || want.parent_view != block->header.parent_view ||
        want.proposer != block->header.proposer || !tail_has_room(c, parent))
        return HUB_BAD_BLOCK;
    block->header = want;
    block->count = 0;
    encode_block(block, out);
    if (!hub_place_find(c, &same, &block->hash))
        keep_empty(c, parent, block);
    return HUB_OK;
}

enum hub_status hub_chain_build(struct hub_chain *c, const struct hub_hash *parent_hash,
                                struct hub_block *block, struct hub_buf *out)
{
    struct hub_outcome outcome;
    struct hub_fault fault;
    struct hub_chain_place parent, same;
    struct hub_header want;
    uint32_t epochs;
    enum hub_status status;

    if (!hub_place_find(c, &parent, parent_hash))
        return HUB_UNKNOWN_PARENT;
    if (hub_chain_ends_epoch(c, parent.header))
        return build_tail(c, &parent, block, out);
    block->header.flags = 0;
    want = expected_header(c, &parent, &block->header);
    if (want.view != block->header.view || want.parent_view != block->header.parent_view ||
        want.time_ms != block->header.time_ms || want.proposer != block->header.proposer)
        return HUB_BAD_BLOCK;
    block->header = want;
    if (!hub_slots_room(c, parent.state))
        block->count = 0;
    status = execute(c, &parent, block, false, &outcome, &epochs, &fault);
    HUB_ASSERT(status == HUB_OK); /* what cannot be applied was left out */
    add_outcome(c, &block->header, &outcome, epochs);
    encode_block(block, out);
    if (hub_place_find(c, &same, &block->hash))
        take_back(c);
    else
        keep(c, &parent, block, &outcome);
    return HUB_OK;
}

/* ---- recovery: a block that its record describes */

/* In the free slot, on its base; the state then stands behind it. *why: HUB_REFUSED's. */
static enum hub_status execute_recovery(struct hub_chain *c, const struct hub_record *record,
                                        struct hub_block *block, struct hub_chain_place *base,
                                        struct hub_outcome *out, uint16_t *why)
{
    struct hub_recovery r;
    struct hub_fault fault;
    struct hub_cbor result;
    uint32_t epochs;
    enum hub_status status;

    hub_recovery_read(&r, record);
    *why = HUB_CODE_recovery_base;
    if (!hub_place_find(c, base, &r.base))
        return HUB_UNKNOWN_PARENT;
    *why = HUB_CODE_recovery_misplaced;
    if (r.epoch != c->set.epoch || hub_chain_ends_epoch(c, base->header) ||
        r.time_ms <= base->header->time_ms)
        return HUB_REFUSED;
    memset(&block->header, 0, sizeof block->header);
    block->header.time_ms = r.time_ms;
    block->header = expected_header(c, base, &block->header);
    block->header.flags = HUB_FLAG_RECOVERY;
    block->records[0] = *record;
    block->count = 1;
    status = execute(c, base, block, true, out, &epochs, &fault);
    *why = fault.why;
    if (status != HUB_OK)
        return HUB_REFUSED;
    result = hub_cbor_open(hub_span_of(&out->results));
    hub_cbor_array(&result, 3, 3);
    hub_cbor_item(&result);
    *why = (uint16_t)hub_cbor_uint(&result, 0, UINT16_MAX);
    if (*why != 0) {
        take_back(c);
        return HUB_REFUSED;
    }
    add_outcome(c, &block->header, out, epochs);
    HUB_ASSERT(block->header.flags == HUB_FLAG_SEAL);
    block->header.flags = HUB_FLAG_RECOVERY;
    return HUB_OK;
}

enum hub_status hub_chain_recovery(struct hub_chain *c, const struct hub_record *record,
                                   struct hub_block *block, struct hub_buf *out, uint16_t *why)
{
    struct hub_outcome outcome;
    struct hub_chain_place base;
    enum hub_status status = execute_recovery(c, record, block, &base, &outcome, why);

    if (status != HUB_OK)
        return status;
    take_back(c);
    encode_block(block, out);
    return HUB_OK;
}

static void make_final(struct hub_chain *c, const struct hub_chain_place *x, hub_chain_visit *visit,
                       void *ctx);

/* It needs no slot that is given up for it: all that stands beside its path goes now. */
void hub_chain_recover(struct hub_chain *c, struct hub_block *block, hub_chain_visit *visit,
                       void *ctx)
{
    const struct hub_record record = block->records[0];
    const struct hub_header built = block->header;
    const int8_t i = hub_slot_unused(c);
    struct hub_applied *slot = &c->slot[i];
    struct hub_outcome outcome;
    struct hub_chain_place base, place;
    uint16_t why;
    enum hub_status status = execute_recovery(c, &record, block, &base, &outcome, &why);

    HUB_ASSERT(status == HUB_OK && /* hub_chain_recovery built it here */
               hub_hash_equal(&block->header.state_root, &built.state_root));
    slot->header = block->header;
    slot->hash = block->hash;
    slot->edge = outcome.edge;
    slot->results = outcome.results;
    slot->parent = base.state;
    slot->used = true;
    c->at = i;
    place = hub_place_of_slot(c, i);
    make_final(c, &place, visit, ctx);
}

/* ---- finalize */

/* True if b is x or stands on it. Where the empty blocks between b and its nearest ancestor with records were
 * forgotten and x is an empty block on that same ancestor, b is taken to stand on x if its parent's view allows
 * it: at worst a dead block is kept until a later one is final, and its own certificate can never exist. */
static bool stands_on(const struct hub_chain *c, struct hub_chain_place b,
                      const struct hub_chain_place *x)
{
    struct hub_chain_place up;

    for (;;) {
        if (hub_hash_equal(b.hash, x->hash))
            return true;
        if (b.header->height <= x->header->height)
            return false;
        if (!hub_place_find(c, &up, &b.header->parent)) {
            up = hub_place_of_slot(c, b.below);
            if (up.header->height < x->header->height)
                return x->empty && x->state == b.below && b.header->parent_view >= x->header->view;
        }
        b = up;
    }
}

/* Frees everything that does not stand on x; what stood on a freed slot now stands on the final block. */
static void prune(struct hub_chain *c, const struct hub_chain_place *x)
{
    bool stays[HUB_CHAIN_SLOTS] = {false}, empty_stays[HUB_EMPTY_MAX] = {false};

    for (int8_t i = 0; i < HUB_CHAIN_SLOTS; i++)
        stays[i] = c->slot[i].used && i != x->state && stands_on(c, hub_place_of_slot(c, i), x);
    for (uint32_t i = 0; i < HUB_EMPTY_MAX; i++)
        empty_stays[i] = c->empty[i].used && c->empty[i].header.height > x->header->height &&
                         stands_on(c, hub_place_of_empty(c, i), x);
    if (c->at == HUB_SLOT_FINAL || !stays[c->at]) {
        hub_slot_enter(c, x->state);
        c->at = HUB_SLOT_FINAL; /* the state of x is now the final one */
    }
    for (int8_t i = 0; i < HUB_CHAIN_SLOTS; i++) {
        if (!stays[i])
            hub_slot_free(c, i);
        else if (c->slot[i].parent != HUB_SLOT_FINAL && !stays[c->slot[i].parent])
            c->slot[i].parent = HUB_SLOT_FINAL;
    }
    for (uint32_t i = 0; i < HUB_EMPTY_MAX; i++) {
        c->empty[i].used = empty_stays[i];
        if (empty_stays[i] && c->empty[i].base != HUB_SLOT_FINAL && !stays[c->empty[i].base])
            c->empty[i].base = HUB_SLOT_FINAL;
    }
}

static void visit_final(const struct hub_chain *c, int8_t last, hub_chain_visit *visit, void *ctx)
{
    int8_t path[HUB_CHAIN_SLOTS], depth = 0;

    for (int8_t i = last; i != HUB_SLOT_FINAL; i = c->slot[i].parent)
        path[depth++] = i;
    while (depth > 0 && visit != NULL)
        visit(ctx, &c->slot[path[--depth]]);
}

static bool certifies(const struct hub_certificate *cert, const struct hub_header *h)
{
    const struct hub_subject *s = &cert->subject;

    return s->epoch == h->epoch && s->view == h->view && s->height == h->height &&
           s->log_size == h->log_size && hub_hash_equal(&s->log_root, &h->log_root);
}

/* x and its ancestors are final. A block that ends the epoch makes its SEAL the final one, and the next set vote. */
static void make_final(struct hub_chain *c, const struct hub_chain_place *x, hub_chain_visit *visit,
                       void *ctx)
{
    bool ends = hub_chain_ends_epoch(c, x->header);
    struct hub_chain_place last =
        ends ? hub_place_of_slot(c, x->state) : *x; /* a SEAL has records, so a slot */
    struct hub_header header = *last.header;
    struct hub_hash hash = *last.hash;
    struct hub_edge edge = *hub_slot_edge(c, last.state);

    HUB_ASSERT(!ends || hub_header_begins_epoch(&header));
    visit_final(c, last.state, visit, ctx);
    prune(c, &last);
    c->final_header = header;
    c->final_hash = hash;
    c->final_edge = edge;
    HUB_ASSERT(c->final_header.log_size == c->final_edge.size);
    if (ends) {
        struct hub_validators next;

        HUB_ASSERT(c->at == HUB_SLOT_FINAL &&
                   hub_slots_used(c) == 0); /* only TAILs stand on a SEAL */
        newest_epoch(c, &next);
        HUB_ASSERT(hub_hash_equal(&next.hash, &header.next_validators));
        c->set = next;
    }
}

enum hub_status hub_chain_finalize(struct hub_chain *c, const struct hub_certificate *cert,
                                   hub_chain_visit *visit, void *ctx)
{
    struct hub_chain_place x;

    if (cert->subject.kind != HUB_FINALIZE)
        return HUB_BAD_CERTIFICATE;
    if (!hub_place_find(c, &x, &cert->subject.block_hash))
        return HUB_NOT_FOUND;
    if (!certifies(cert, x.header) || !hub_certificate_ok(cert, &c->set))
        return HUB_BAD_CERTIFICATE;
    if (!hub_hash_equal(x.hash, &c->final_hash))
        make_final(c, &x, visit, ctx);
    return HUB_OK;
}

enum hub_status hub_chain_cross(struct hub_chain *c, const struct hub_link *link,
                                hub_chain_visit *visit, void *ctx)
{
    struct hub_link_facts facts;
    const char *what;
    struct hub_chain_place x;

    if (link->recovery.len > 0 ||
        hub_link_check(&facts, &what, link, &c->set, &hub_accept_none) != HUB_VERDICT_OK)
        return HUB_BAD_CERTIFICATE;
    if (!hub_place_find(c, &x, &facts.seal_hash))
        return HUB_NOT_FOUND;
    make_final(c, &x, visit, ctx);
    return HUB_OK;
}
