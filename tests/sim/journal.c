/* journal.c: the disk of one node. Puts are seen at once and durable after a commit; a crash cuts every list
 * back to what was committed. Refuses the own votes that the real store refuses. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

static void *grow(void *list, size_t *cap, size_t len, size_t item)
{
    if (len < *cap)
        return list;
    *cap = *cap ? 2 * *cap : 64;
    list = realloc(list, *cap * item);
    HUB_ASSERT(list);
    return list;
}

static struct sim_journal *journal_of(void *store)
{
    return &((struct sim_node *)store)->journal;
}

static const struct sim_block *find_block(const struct sim_journal *j, const struct hub_hash *hash)
{
    for (size_t i = j->blocks; i-- > 0;)
        if (hub_hash_equal(&j->block[i].hash, hash))
            return &j->block[i];
    return NULL;
}

static enum hub_status put_block(void *store, const struct hub_header *h,
                                 const struct hub_hash *hash, struct hub_span bytes)
{
    struct sim_journal *j = journal_of(store);
    if (!sim_node_port(store))
        return HUB_IO;
    if (find_block(j, hash))
        return HUB_OK;
    j->block = grow(j->block, &j->blocks_cap, j->blocks, sizeof *j->block);
    uint8_t *copy = malloc(bytes.len);
    HUB_ASSERT(copy);
    memcpy(copy, bytes.data, bytes.len);
    j->block[j->blocks++] =
        (struct sim_block){.header = *h, .hash = *hash, .bytes = copy, .len = bytes.len};
    return HUB_OK;
}

/* As docs/protocol.md 4: one vote a kind; Z and F exclude each other; F is for the block of N. */
static bool excludes(const struct hub_subject *a, const struct hub_subject *b)
{
    if (a->epoch != b->epoch || a->view != b->view)
        return false;
    if (a->kind == b->kind)
        return !hub_subject_equal(a, b);
    if (a->kind == HUB_NULLIFY || b->kind == HUB_NULLIFY)
        return a->kind == HUB_FINALIZE || b->kind == HUB_FINALIZE;
    return !hub_hash_equal(&a->block_hash, &b->block_hash);
}

static enum hub_status put_vote(void *store, const struct hub_vote *v)
{
    struct sim_journal *j = journal_of(store);
    if (!sim_node_port(store))
        return HUB_IO;
    for (size_t i = j->votes; i-- > 0;) {
        if (excludes(&j->vote[i].subject, &v->subject))
            return HUB_CONFLICT;
        if (hub_subject_equal(&j->vote[i].subject, &v->subject))
            return HUB_OK;
    }
    j->vote = grow(j->vote, &j->votes_cap, j->votes, sizeof *j->vote);
    j->vote[j->votes++] = *v;
    return HUB_OK;
}

static enum hub_status put_certificate(void *store, const struct hub_certificate *c, uint8_t n)
{
    struct sim_journal *j = journal_of(store);
    (void)n;
    if (!sim_node_port(store))
        return HUB_IO;
    HUB_ASSERT(c->subject.view < SIM_VIEWS_MAX);
    sim_check_kept(store, c);
    if (!j->by_view)
        j->by_view = calloc(SIM_VIEWS_MAX, sizeof *j->by_view);
    HUB_ASSERT(j->by_view);
    uint32_t *slot = &j->by_view[c->subject.view][c->subject.kind - 1];
    if (*slot)
        return HUB_OK;
    j->certificate =
        grow(j->certificate, &j->certificates_cap, j->certificates, sizeof *j->certificate);
    j->certificate[j->certificates++] = *c;
    *slot = (uint32_t)j->certificates;
    return HUB_OK;
}

static enum hub_status put_tip(void *store, const struct hub_point *fin,
                               const struct hub_edge *edge)
{
    struct sim_journal *j = journal_of(store);
    if (!sim_node_port(store))
        return HUB_IO;
    HUB_ASSERT(!j->has_tip || fin->height >= j->tip.height);
    size_t from = j->heights;
    while (j->heights <= fin->height) {
        j->height = grow(j->height, &j->heights_cap, j->heights, sizeof *j->height);
        j->height[j->heights++] = (struct hub_hash){{0}};
    }
    struct hub_hash at = fin->block_hash;
    for (uint64_t h = fin->height; h >= (from ? from : 1); h--) {
        const struct sim_block *b = find_block(j, &at);
        if (!b)
            return HUB_CORRUPT; /* a final block was never stored */
        j->height[h] = at;
        at = b->header.parent;
    }
    j->tip = *fin;
    j->edge = *edge;
    j->has_tip = true;
    return HUB_OK;
}

static enum hub_status commit(void *store)
{
    struct sim_node *n = store;
    struct sim_journal *j = &n->journal;
    if (!sim_node_port(n))
        return HUB_IO;
    j->safe_blocks = j->blocks;
    j->safe_votes = j->votes;
    j->safe_certificates = j->certificates;
    j->safe_heights = j->heights;
    j->safe_tip = j->tip;
    j->safe_edge = j->edge;
    j->safe_has_tip = j->has_tip;
    sim_check_commit(n);
    sim_node_may_crash(n);
    return HUB_OK;
}

void sim_journal_crash(struct sim_journal *j)
{
    while (j->blocks > j->safe_blocks)
        free(j->block[--j->blocks].bytes);
    j->votes = j->safe_votes;
    while (j->certificates > j->safe_certificates) {
        const struct hub_subject *s = &j->certificate[--j->certificates].subject;
        j->by_view[s->view][s->kind - 1] = 0;
    }
    j->heights = j->safe_heights;
    j->tip = j->safe_tip;
    j->edge = j->safe_edge;
    j->has_tip = j->safe_has_tip;
}

void sim_journal_back_up(struct sim_journal *j)
{
    j->old.blocks = j->safe_blocks;
    j->old.votes = j->safe_votes;
    j->old.certificates = j->safe_certificates;
    j->old.heights = j->safe_heights;
    j->old.tip = j->safe_tip;
    j->old.edge = j->safe_edge;
    j->old.has_tip = j->safe_has_tip;
    j->old.taken = true;
}

void sim_journal_roll_back(struct sim_journal *j)
{
    j->safe_blocks = j->old.blocks;
    j->safe_votes = j->old.votes;
    j->safe_certificates = j->old.certificates;
    j->safe_heights = j->old.heights;
    j->safe_tip = j->old.tip;
    j->safe_edge = j->old.edge;
    j->safe_has_tip = j->old.has_tip;
    sim_journal_crash(j);
}

void sim_journal_free(struct sim_journal *j)
{
    while (j->blocks)
        free(j->block[--j->blocks].bytes);
    free(j->block);
    free(j->vote);
    free(j->certificate);
    free(j->height);
    free(j->by_view);
    *j = (struct sim_journal){0};
}

static enum hub_status get_block(void *store, const struct hub_hash *hash, struct hub_span *bytes)
{
    const struct sim_block *b = find_block(journal_of(store), hash);
    if (!b)
        return HUB_NOT_FOUND;
    *bytes = (struct hub_span){b->bytes, b->len};
    return HUB_OK;
}

const struct sim_block *sim_journal_at(const struct sim_journal *j, uint64_t height)
{
    return height && height < j->heights ? find_block(j, &j->height[height]) : NULL;
}

static enum hub_status get_block_at(void *store, uint64_t height, struct hub_span *bytes)
{
    const struct sim_block *b = sim_journal_at(journal_of(store), height);
    if (!b)
        return HUB_NOT_FOUND;
    *bytes = (struct hub_span){b->bytes, b->len};
    return HUB_OK;
}

static enum hub_status get_certificate(void *store, uint64_t epoch, uint64_t view, uint8_t kind,
                                       struct hub_certificate *out)
{
    const struct sim_journal *j = journal_of(store);
    (void)epoch;
    if (!j->by_view || view >= SIM_VIEWS_MAX || !j->by_view[view][kind - 1])
        return HUB_NOT_FOUND;
    *out = j->certificate[j->by_view[view][kind - 1] - 1];
    return HUB_OK;
}

static enum hub_status get_tip(void *store, struct hub_point *fin, struct hub_edge *edge)
{
    const struct sim_journal *j = journal_of(store);
    if (!j->has_tip)
        return HUB_NOT_FOUND;
    *fin = j->tip;
    *edge = j->edge;
    return HUB_OK;
}

static enum hub_status each_vote(void *store, uint64_t epoch, uint64_t from_view,
                                 hub_store_visit_vote *visit, void *ctx)
{
    const struct sim_journal *j = journal_of(store);
    (void)epoch;
    uint64_t last = 0;
    size_t first = j->votes;
    for (size_t i = j->votes; i-- > 0;) {
        if (j->vote[i].subject.view > last)
            last = j->vote[i].subject.view;
        if (j->vote[i].subject.view >= from_view)
            first = i;
    }
    for (uint64_t v = from_view; v <= last; v++)
        for (uint8_t kind = 1; kind <= 3; kind++)
            for (size_t i = first; i < j->votes; i++)
                if (j->vote[i].subject.view == v && j->vote[i].subject.kind == kind)
                    visit(ctx, &j->vote[i]);
    return HUB_OK;
}

static enum hub_status each_certificate(void *store, uint64_t epoch, uint64_t from_view,
                                        hub_store_visit_certificate *visit, void *ctx)
{
    const struct sim_journal *j = journal_of(store);
    (void)epoch;
    for (uint64_t v = from_view; j->by_view && v < SIM_VIEWS_MAX; v++)
        for (unsigned kind = 0; kind < 3; kind++)
            if (j->by_view[v][kind])
                visit(ctx, &j->certificate[j->by_view[v][kind] - 1]);
    return HUB_OK;
}

bool sim_journal_has_vote(const struct sim_journal *j, const struct hub_subject *s)
{
    for (size_t i = j->safe_votes; i-- > 0;)
        if (hub_subject_equal(&j->vote[i].subject, s))
            return true;
    return false;
}

void sim_journal_ports(struct hub_ports *p)
{
    p->put_block = put_block;
    p->put_vote = put_vote;
    p->put_certificate = put_certificate;
    p->put_tip = put_tip;
    p->commit = commit;
    p->get_block = get_block;
    p->get_block_at = get_block_at;
    p->get_certificate = get_certificate;
    p->get_tip = get_tip;
    p->each_vote = each_vote;
    p->each_certificate = each_certificate;
}
