/* mempool.c: see mempool.h. Entries and signers live in two fixed arrays made at start; links are
 * indices, NONE ends a list. */
#include "node/mempool.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = UINT32_MAX >> 1, BUCKETS = 2 * HUB_POOL_RECORDS_MAX, ENTRY_OVERHEAD = 16 };

struct signer {
    struct hub_hash kid;
    uint32_t first, last; /* its entries in number order */
    uint32_t next_kid;    /* hash chain, or free list */
    uint32_t next, prev;  /* ring of signers with entries */
    uint32_t count, cursor;
};
struct hub_mempool {
    struct hub_hash chain;
    struct hub_pool_entry entry[HUB_POOL_RECORDS_MAX];
    bool used[HUB_POOL_RECORDS_MAX];
    struct signer signer[HUB_POOL_RECORDS_MAX];
    uint32_t by_id[BUCKETS],
        by_kid[BUCKETS]; /* as their chains: place + 1, 0 ends; nothing to fill at start */
    uint32_t free_entry, free_signer, turn; /* turn: the signer whose turn it is */
    uint32_t entries, signers; /* places ever used: those above are free and untouched */
    uint32_t fresh, fresh_at,
        share_at; /* local records not shared yet; where the two rounds stand */
    uint32_t count;
    size_t bytes;
    uint64_t generation;
};

static uint32_t bucket(const struct hub_hash *h)
{
    return hub_get_be32(h->b) % BUCKETS;
}

enum hub_status hub_mempool_open(struct hub_mempool **out, const struct hub_hash *chain)
{
    struct hub_mempool *p = calloc(1, sizeof *p);
    if (!p)
        return HUB_IO;
    p->chain = *chain;
    p->turn = NONE;
    *out = p;
    return HUB_OK;
}

void hub_mempool_close(struct hub_mempool *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->entries; i++)
        if (p->used[i])
            free(p->entry[i].bytes);
    free(p);
}

/* What follows place i in a free list of which the first `*used` places were used before. */
static uint32_t next_free(uint32_t *used, uint32_t i, uint32_t link)
{
    if (i < *used)
        return link;
    ++*used;
    return *used < HUB_POOL_RECORDS_MAX ? *used : NONE;
}

static uint32_t index_of(const struct hub_mempool *p, const struct hub_pool_entry *e)
{
    return (uint32_t)(e - p->entry);
}

struct hub_pool_entry *hub_mempool_find(struct hub_mempool *p, const struct hub_hash *id)
{
    for (uint32_t i = p->by_id[bucket(id)]; i != 0; i = p->entry[i - 1].next_id)
        if (hub_hash_equal(&p->entry[i - 1].record.id, id))
            return &p->entry[i - 1];
    return NULL;
}

static uint32_t find_signer(const struct hub_mempool *p, const struct hub_hash *kid)
{
    uint32_t i = p->by_kid[bucket(kid)];
    while (i != 0 && !hub_hash_equal(&p->signer[i - 1].kid, kid))
        i = p->signer[i - 1].next_kid;
    return i != 0 ? i - 1 : NONE;
}

static uint32_t add_signer(struct hub_mempool *p, const struct hub_hash *kid)
{
    const uint32_t i = p->free_signer; /* as many as entries: never empty while an entry is free */
    struct signer *s = &p->signer[i];
    HUB_ASSERT(i != NONE);
    p->free_signer = next_free(&p->signers, i, s->next_kid);
    *s = (struct signer){
        .kid = *kid, .first = NONE, .last = NONE, .next = i, .prev = i, .cursor = NONE};
    s->next_kid = p->by_kid[bucket(kid)];
    p->by_kid[bucket(kid)] = i + 1;
    if (p->turn == NONE) {
        p->turn = i;
    } else { /* last in the ring: its turn comes after everybody else's */
        s->next = p->turn;
        s->prev = p->signer[p->turn].prev;
        p->signer[s->prev].next = i;
        p->signer[p->turn].prev = i;
    }
    return i;
}

static void remove_signer(struct hub_mempool *p, uint32_t i)
{
    struct signer *s = &p->signer[i];
    uint32_t *link = &p->by_kid[bucket(&s->kid)];
    while (*link != i + 1)
        link = &p->signer[*link - 1].next_kid;
    *link = s->next_kid;
    p->signer[s->prev].next = s->next;
    p->signer[s->next].prev = s->prev;
    if (p->turn == i)
        p->turn = s->next == i ? NONE : s->next;
    s->next_kid = p->free_signer;
    p->free_signer = i;
}

/* Into the signer's queue by number; most come in order, so from the end. */
static void enqueue(struct hub_mempool *p, uint32_t i)
{
    struct hub_pool_entry *e = &p->entry[i];
    uint32_t s = find_signer(p, &e->record.kid);
    if (s == NONE)
        s = add_signer(p, &e->record.kid);
    struct signer *q = &p->signer[s];
    uint32_t after = q->last;
    while (after != NONE && p->entry[after].record.seq > e->record.seq)
        after = p->entry[after].prev_signer;
    e->signer = s;
    e->prev_signer = after;
    e->next_signer = after == NONE ? q->first : p->entry[after].next_signer;
    *(after == NONE ? &q->first : &p->entry[after].next_signer) = i;
    *(e->next_signer == NONE ? &q->last : &p->entry[e->next_signer].prev_signer) = i;
    q->count++;
}

static void dequeue(struct hub_mempool *p, uint32_t i)
{
    struct hub_pool_entry *e = &p->entry[i];
    struct signer *q = &p->signer[e->signer];
    *(e->prev_signer == NONE ? &q->first : &p->entry[e->prev_signer].next_signer) = e->next_signer;
    *(e->next_signer == NONE ? &q->last : &p->entry[e->next_signer].prev_signer) = e->prev_signer;
    if (q->cursor == i)
        q->cursor = e->next_signer;
    if (--q->count == 0)
        remove_signer(p, e->signer);
}

/* Room for one more record of this size, from this signer? */
static bool has_room(const struct hub_mempool *p, size_t len)
{
    return p->free_entry != NONE && len <= HUB_POOL_BYTES_MAX - p->bytes;
}

enum hub_status hub_mempool_add(struct hub_mempool *p, struct hub_pool_entry **entry, uint16_t *why,
                                struct hub_span record, struct hub_span attachment, bool local,
                                uint64_t now_ms)
{
    const size_t len = record.len + attachment.len;
    *why = 0;
    if (record.len > HUB_RECORD_BYTES_MAX || attachment.len > HUB_ATTACHMENT_BYTES_MAX) {
        *why = HUB_CODE_too_large;
        return HUB_REFUSED;
    }
    if (!has_room(p, len))
        return HUB_LIMIT;
    uint8_t *bytes = malloc(len ? len : 1);
    if (!bytes)
        return HUB_LIMIT;
    if (record.len)
        memcpy(bytes, record.data, record.len);
    if (attachment.len)
        memcpy(bytes + record.len, attachment.data, attachment.len);
    struct hub_record r;
    enum hub_status st =
        hub_record_decode(&r, why, (struct hub_span){bytes, record.len},
                          (struct hub_span){bytes + record.len, attachment.len}, &p->chain);
    if (st == HUB_OK && (*entry = hub_mempool_find(p, &r.id)) != NULL)
        st = HUB_CONFLICT;
    const uint32_t s = st == HUB_OK ? find_signer(p, &r.kid) : NONE;
    if (s != NONE && p->signer[s].count >= HUB_POOL_SIGNER_MAX)
        st = HUB_LIMIT;
    if (st != HUB_OK) {
        free(bytes);
        return st;
    }
    const uint32_t i = p->free_entry;
    p->free_entry = next_free(&p->entries, i, p->entry[i].next_id);
    p->entry[i] = (struct hub_pool_entry){.record = r,
                                          .bytes = bytes,
                                          .bytes_len = len,
                                          .added_ms = now_ms,
                                          .generation = ++p->generation,
                                          .park_ms = HUB_POOL_PARK_MS,
                                          .checking = true,
                                          .local = local};
    p->used[i] = true;
    p->entry[i].next_id = p->by_id[bucket(&r.id)];
    p->by_id[bucket(&r.id)] = i + 1;
    enqueue(p, i);
    p->count++;
    p->bytes += len;
    *entry = &p->entry[i];
    return HUB_OK;
}

uint64_t hub_mempool_ticket(const struct hub_mempool *p, const struct hub_pool_entry *e)
{
    return e->generation << 16 | index_of(p, e);
}

struct hub_pool_entry *hub_mempool_of_ticket(struct hub_mempool *p, uint64_t ticket)
{
    _Static_assert(HUB_POOL_RECORDS_MAX <= 1 << 16, "an index fits a ticket's low bits");
    const uint32_t i = (uint32_t)(ticket & 0xffff);
    return p->used[i] && p->entry[i].generation == ticket >> 16 ? &p->entry[i] : NULL;
}

static void set_shared(struct hub_mempool *p, struct hub_pool_entry *e)
{
    p->fresh -= e->local && !e->checking && !e->shared;
    e->shared = true;
}

void hub_mempool_ready(struct hub_mempool *p, struct hub_pool_entry *e)
{
    HUB_ASSERT(e->checking);
    HUB_ASSERT(e->record.verified);
    e->checking = false;
    p->fresh += e->local;
}

void hub_mempool_remove(struct hub_mempool *p, struct hub_pool_entry *e)
{
    const uint32_t i = index_of(p, e);
    HUB_ASSERT(p->used[i]);
    uint32_t *link = &p->by_id[bucket(&e->record.id)];
    while (*link != i + 1)
        link = &p->entry[*link - 1].next_id;
    *link = e->next_id;
    set_shared(p, e);
    dequeue(p, i);
    p->count--;
    p->bytes -= e->bytes_len;
    free(e->bytes);
    e->bytes = NULL;
    p->used[i] = false;
    e->next_id = p->free_entry;
    p->free_entry = i;
}

static bool eligible(const struct hub_pool_entry *e, uint64_t now_ms)
{
    return !e->checking && e->again_ms <= now_ms && e->parked_until_ms <= now_ms;
}

static void mark_handed_out(struct hub_pool_entry *e, uint64_t now_ms)
{
    e->again_ms = now_ms + HUB_POOL_AGAIN_MS;
    if (++e->tries < HUB_POOL_PARK_TRIES)
        return;
    e->parked_until_ms = now_ms + e->park_ms;
    e->park_ms = e->park_ms * 2 < HUB_POOL_PARK_MAX_MS ? e->park_ms * 2 : HUB_POOL_PARK_MAX_MS;
    e->tries = 0;
}

struct taking { /* one call of hub_mempool_take */
    struct hub_record *out;
    uint32_t count, max;
    size_t bytes, bytes_max;
    uint64_t now_ms;
    hub_mempool_admit *admit;
    void *ctx;
};

/* Can this one go into the block the caller builds or would build? */
static bool ask(struct hub_pool_entry *e, uint64_t now_ms, hub_mempool_admit *admit, void *ctx)
{
    const enum hub_pool_advice advice = admit ? admit(ctx, &e->record) : HUB_POOL_TAKE;
    if (advice == HUB_POOL_TAKE)
        return true;
    if (advice == HUB_POOL_DROP)
        e->record.valid_until_ms = 0; /* the next expire frees it: never inside take */
    e->again_ms = now_ms + HUB_POOL_AGAIN_MS;
    return false;
}

/* The signer's next record into the block. False when it has no more to give. */
static bool take_from(struct hub_mempool *p, struct signer *s, struct taking *t)
{
    while (s->cursor != NONE) {
        struct hub_pool_entry *e = &p->entry[s->cursor];
        s->cursor = e->next_signer;
        if (!eligible(e, t->now_ms))
            continue;
        if (e->bytes_len + ENTRY_OVERHEAD > t->bytes_max - t->bytes)
            return s->cursor = NONE, false; /* its later ones must not overtake it */
        if (!ask(e, t->now_ms, t->admit, t->ctx))
            continue;
        mark_handed_out(e, t->now_ms);
        t->out[t->count++] = e->record;
        t->bytes += e->bytes_len + ENTRY_OVERHEAD;
        return true;
    }
    return false;
}

uint32_t hub_mempool_take(struct hub_mempool *p, struct hub_record *out, uint32_t max,
                          size_t bytes_max, uint64_t now_ms, hub_mempool_admit *admit, void *ctx)
{
    struct taking t = {.out = out,
                       .max = max,
                       .bytes_max = bytes_max,
                       .now_ms = now_ms,
                       .admit = admit,
                       .ctx = ctx};
    if (p->turn == NONE)
        return 0;
    uint32_t i = p->turn;
    do {
        p->signer[i].cursor = p->signer[i].first;
        i = p->signer[i].next;
    } while (i != p->turn);
    /* Rounds of one record a signer, until a whole round gave nothing. */
    for (bool gave = true; gave && t.count < max;) {
        gave = false;
        i = p->turn;
        do {
            gave = take_from(p, &p->signer[i], &t) || gave;
            i = p->signer[i].next;
        } while (i != p->turn && t.count < max);
        p->turn = i;
    }
    return t.count;
}

bool hub_mempool_has_work(struct hub_mempool *p, uint64_t now_ms, hub_mempool_admit *admit,
                          void *ctx)
{
    uint32_t s = p->turn;
    if (s == NONE)
        return false;
    do {
        for (uint32_t i = p->signer[s].first; i != NONE; i = p->entry[i].next_signer)
            if (eligible(&p->entry[i], now_ms) && ask(&p->entry[i], now_ms, admit, ctx))
                return true;
        s = p->signer[s].next;
    } while (s != p->turn);
    return false;
}

void hub_mempool_expire(struct hub_mempool *p, uint64_t block_time_ms, bool finalized)
{
    for (uint32_t i = 0; i < p->entries; i++) {
        struct hub_pool_entry *e = &p->entry[i];
        if (!p->used[i])
            continue;
        if (finalized)
            e->parked_until_ms = 0;
        if (!e->checking && e->record.valid_until_ms <= block_time_ms)
            hub_mempool_remove(p, e);
    }
}

uint32_t hub_mempool_share(struct hub_mempool *p, bool fresh, struct hub_span *record,
                           struct hub_span *attachment, uint32_t max, size_t bytes_max)
{
    uint32_t count = 0, *at = fresh ? &p->fresh_at : &p->share_at;
    size_t bytes = 0;
    for (uint32_t steps = 0; steps < p->entries && count < max && (!fresh || p->fresh); steps++) {
        struct hub_pool_entry *e = &p->entry[*at];
        if (p->used[*at] && !e->checking && (!fresh || (e->local && !e->shared))) {
            if (count && e->bytes_len + ENTRY_OVERHEAD > bytes_max - bytes)
                break;
            record[count] = e->record.bytes;
            attachment[count++] = e->record.attachment;
            bytes += e->bytes_len + ENTRY_OVERHEAD;
            set_shared(p, e);
            if (bytes >= bytes_max)
                break;
        }
        *at = (*at + 1) % p->entries;
    }
    return count;
}

uint32_t hub_mempool_count(const struct hub_mempool *p)
{
    return p->count;
}

size_t hub_mempool_bytes(const struct hub_mempool *p)
{
    return p->bytes;
}

uint32_t hub_mempool_of_signer(const struct hub_mempool *p, const struct hub_hash *kid,
                               uint64_t *lowest_seq, uint64_t *highest_seq)
{
    const uint32_t s = find_signer(p, kid);
    *lowest_seq = s == NONE ? UINT64_MAX : p->entry[p->signer[s].first].record.seq;
    *highest_seq = s == NONE ? 0 : p->entry[p->signer[s].last].record.seq;
    return s == NONE ? 0 : p->signer[s].count;
}
