/* journal.c: the disk of one node. Puts are seen at once and durable after a commit, unless the disk lies; a crash
 * cuts every list back to what was durable. Refuses what the real store refuses; what a flipped bit hit is lost or
 * corrupt as there: tests/sim/calibrate.c compares the two. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

/* ---- lists and indexes */

void *sim_grow(void *list, size_t *cap, size_t len, size_t item)
{
    if (len < *cap)
        return list;
    *cap = *cap ? 2 * *cap : 64;
    list = realloc(list, *cap * item);
    HUB_ASSERT(list);
    return list;
}

uint64_t sim_index_key(uint64_t epoch, uint64_t view, uint8_t kind)
{
    uint64_t mixed = epoch << 48 ^ view << 2 ^ kind;
    return sim_random(&mixed);
}

static size_t slot_of(const struct sim_index *x, uint64_t key)
{
    size_t at = key & (x->cap - 1);
    while (x->place[at] && x->key[at] != key)
        at = (at + 1) & (x->cap - 1);
    return at;
}

int64_t sim_index_find(const struct sim_index *x, uint64_t key)
{
    return x->cap ? (int64_t)x->place[slot_of(x, key)] - 1 : -1;
}

void sim_index_free(struct sim_index *x)
{
    free(x->key);
    free(x->place);
    *x = (struct sim_index){0};
}

static void index_double(struct sim_index *x)
{
    struct sim_index old = *x;
    x->cap = old.cap ? 2 * old.cap : 128;
    x->key = calloc(x->cap, sizeof *x->key);
    x->place = calloc(x->cap, sizeof *x->place);
    HUB_ASSERT(x->key && x->place);
    for (size_t i = 0; i < old.cap; i++)
        if (old.place[i]) {
            size_t at = slot_of(x, old.key[i]);
            x->key[at] = old.key[i];
            x->place[at] = old.place[i];
        }
    free(old.key);
    free(old.place);
}

void sim_index_put(struct sim_index *x, uint64_t key, size_t place)
{
    if (2 * x->len >= x->cap)
        index_double(x);
    size_t at = slot_of(x, key);
    x->len += !x->place[at];
    x->key[at] = key;
    x->place[at] = (uint32_t)place + 1;
}

static uint64_t key_of(const struct hub_subject *s)
{
    return sim_index_key(s->epoch, s->view, s->kind);
}

static void index_clear(struct sim_index *x)
{
    if (x->cap)
        memset(x->place, 0, x->cap * sizeof *x->place);
    x->len = 0;
}

/* After lists were cut back. */
static void index_again(struct sim_journal *j)
{
    index_clear(&j->block_at);
    index_clear(&j->vote_at);
    index_clear(&j->certificate_at);
    for (size_t i = 0; i < j->now.blocks; i++)
        sim_index_put(&j->block_at, hub_get_be64(j->block[i].hash.b), i);
    for (size_t i = 0; i < j->now.votes; i++)
        sim_index_put(&j->vote_at, key_of(&j->vote[i].subject), i);
    for (size_t i = 0; i < j->now.certificates; i++)
        sim_index_put(&j->certificate_at, key_of(&j->certificate[i].subject), i);
}

static struct sim_journal *journal_of(void *store)
{
    return &((struct sim_node *)store)->journal;
}

/* ---- puts */

const struct sim_block *sim_journal_find(const struct sim_journal *j, const struct hub_hash *hash)
{
    int64_t i = sim_index_find(&j->block_at, hub_get_be64(hash->b));
    return i >= 0 && hub_hash_equal(&j->block[i].hash, hash) ? &j->block[i] : NULL;
}

static enum hub_status put_block(void *store, const struct hub_header *h,
                                 const struct hub_hash *hash, struct hub_span bytes)
{
    struct sim_journal *j = journal_of(store);
    if (!sim_node_port(store))
        return HUB_IO;
    sim_check_block(store, h, hash);
    const struct sim_block *held = sim_journal_find(j, hash);
    if (held && !held->damaged)
        return HUB_OK;
    j->block = sim_grow(j->block, &j->blocks_cap, j->now.blocks, sizeof *j->block);
    uint8_t *copy = malloc(bytes.len);
    HUB_ASSERT(copy);
    memcpy(copy, bytes.data, bytes.len);
    sim_index_put(&j->block_at, hub_get_be64(hash->b), j->now.blocks);
    j->block[j->now.blocks++] =
        (struct sim_block){.header = *h, .hash = *hash, .bytes = copy, .len = bytes.len};
    return HUB_OK;
}

/* As docs/protocol.md 4: one vote a kind; Z and F exclude each other; F is for the block of N. */
static bool excludes(const struct hub_subject *a, const struct hub_subject *b)
{
    if (a->kind == b->kind)
        return !hub_subject_equal(a, b);
    if (a->kind == HUB_NULLIFY || b->kind == HUB_NULLIFY)
        return a->kind == HUB_FINALIZE || b->kind == HUB_FINALIZE;
    return !hub_hash_equal(&a->block_hash, &b->block_hash);
}

const struct hub_vote *sim_journal_vote(const struct sim_journal *j, uint64_t epoch, uint64_t view,
                                        uint8_t kind)
{
    int64_t i = sim_index_find(&j->vote_at, sim_index_key(epoch, view, kind));
    return i >= 0 ? &j->vote[i] : NULL;
}

static const struct hub_vote *find_vote(const struct sim_journal *j, const struct hub_subject *s,
                                        uint8_t kind)
{
    return sim_journal_vote(j, s->epoch, s->view, kind);
}

static enum hub_status put_vote(void *store, const struct hub_vote *v)
{
    struct sim_journal *j = journal_of(store);
    if (!sim_node_port(store))
        return HUB_IO;
    for (uint8_t kind = HUB_NOTARIZE; kind <= HUB_FINALIZE; kind++) {
        const struct hub_vote *held = find_vote(j, &v->subject, kind);
        if (held && excludes(&held->subject, &v->subject) &&
            !sim_guard_off(((struct sim_node *)store)->sim, SIM_RULES))
            return HUB_CONFLICT;
    }
    if (find_vote(j, &v->subject, v->subject.kind))
        return HUB_OK;
    j->vote = sim_grow(j->vote, &j->votes_cap, j->now.votes, sizeof *j->vote);
    j->head = sim_grow(j->head, &j->heads_cap, j->now.votes, sizeof *j->head);
    struct hub_hash *head = &j->head[j->now.votes];
    for (size_t i = 0; i < sizeof head->b; i++) /* a chain: each depends on all before it */
        head->b[i] =
            (uint8_t)((j->now.votes ? head[-1].b[(i + 1) % sizeof head->b] : 0) ^ v->sig.b[i]);
    sim_index_put(&j->vote_at, key_of(&v->subject), j->now.votes);
    j->vote[j->now.votes++] = *v;
    if (v->subject.epoch > j->now.voted.epoch)
        j->now.voted = (struct hub_vote_mark){.epoch = v->subject.epoch};
    if (v->subject.epoch == j->now.voted.epoch && v->subject.view > j->now.voted.view)
        j->now.voted.view = v->subject.view;
    j->now.voted.votes = j->now.votes;
    j->now.voted.head = *head;
    return HUB_OK;
}

/* ---- what the guard is compared with, and a halt */

static enum hub_status get_mark(void *store, struct hub_vote_mark *out)
{
    *out = journal_of(store)->now.voted;
    return HUB_OK;
}

static enum hub_status has_mark(void *store, const struct hub_vote_mark *m)
{
    const struct sim_journal *j = journal_of(store);
    if (m->votes > j->now.votes)
        return HUB_NOT_FOUND;
    return !m->votes || hub_hash_equal(&m->head, &j->head[m->votes - 1]) ? HUB_OK : HUB_NOT_FOUND;
}

static enum hub_status put_halt(void *store, const struct hub_halt *h)
{
    if (!sim_node_port(store))
        return HUB_IO;
    journal_of(store)->now.halt = *h;
    return HUB_OK;
}

static enum hub_status get_halt(void *store, struct hub_halt *out)
{
    *out = journal_of(store)->now.halt;
    return HUB_OK;
}

/* The guard learns of votes up to a second late, or never if the node crashes first. */
static enum hub_status guard_read(void *guard, struct hub_vote_mark *out)
{
    const struct sim_guard *g = &((struct sim_node *)guard)->guard;
    if (g->missing)
        return HUB_NOT_FOUND;
    *out = g->mark;
    return HUB_OK;
}

void sim_guard_settle(struct sim_guard *g, uint64_t now_ms, bool crash)
{
    if (g->waits && now_ms >= g->written_ms + SIM_GUARD_MS) {
        g->mark = g->pending;
        g->written_ms += SIM_GUARD_MS;
        g->missing = g->waits = false;
    }
    g->waits &= !crash;
}

static void guard_note(void *guard, const struct hub_vote_mark *m)
{
    struct sim_node *n = guard;
    struct sim_guard *g = &n->guard;
    uint64_t now = n->sim->now_ms;
    sim_guard_settle(g, now, false);
    if (g->written_ms && now < g->written_ms + SIM_GUARD_MS) {
        g->pending = *m;
        g->waits = true;
    } else {
        *g = (struct sim_guard){.mark = *m, .written_ms = now};
    }
}

static const struct sim_kept *find_certificate(const struct sim_journal *j, uint64_t epoch,
                                               uint64_t view, uint8_t kind)
{
    int64_t i = sim_index_find(&j->certificate_at, sim_index_key(epoch, view, kind));
    return i >= 0 && !j->certificate[i].damaged ? &j->certificate[i] : NULL;
}

static void keep_certificate(struct sim_kept *out, const struct hub_certificate *c,
                             uint8_t bitmap_bytes)
{
    unsigned count = 0;
    *out = (struct sim_kept){
        .subject = c->subject, .signers = c->signers, .bitmap_bytes = bitmap_bytes};
    out->sig = malloc((hub_bits_set(c->signers) + 1) * sizeof *out->sig);
    HUB_ASSERT(out->sig);
    for (unsigned i = 0; i < HUB_VALIDATORS_MAX; i++)
        if (c->signers >> i & 1)
            out->sig[count++] = c->sig[i];
}

void sim_kept_read(struct hub_certificate *out, const struct sim_kept *k)
{
    unsigned count = 0;
    memset(out, 0, sizeof *out);
    out->subject = k->subject;
    out->signers = k->signers;
    out->bitmap_bytes = k->bitmap_bytes;
    for (unsigned i = 0; i < HUB_VALIDATORS_MAX; i++)
        if (k->signers >> i & 1)
            out->sig[i] = k->sig[count++];
}

static enum hub_status put_certificate(void *store, const struct hub_certificate *c, uint8_t n)
{
    struct sim_journal *j = journal_of(store);
    if (!sim_node_port(store))
        return HUB_IO;
    sim_check_kept(store, c);
    const struct hub_subject *s = &c->subject;
    const struct sim_kept *held = find_certificate(j, s->epoch, s->view, s->kind);
    if (held)
        return hub_subject_equal(&held->subject, s) ? HUB_OK : HUB_CONFLICT;
    j->certificate =
        sim_grow(j->certificate, &j->certificates_cap, j->now.certificates, sizeof *j->certificate);
    sim_index_put(&j->certificate_at, key_of(s), j->now.certificates);
    keep_certificate(&j->certificate[j->now.certificates++], c, (uint8_t)((n + 7) / 8));
    return HUB_OK;
}

static enum hub_status put_tip(void *store, const struct hub_point *fin,
                               const struct hub_edge *edge)
{
    struct sim_journal *j = journal_of(store);
    if (!sim_node_port(store))
        return HUB_IO;
    if (j->now.has_tip && fin->height <= j->now.tip.height) /* once more, past a damaged block */
        return hub_hash_equal(&j->height[fin->height], &fin->block_hash) ? HUB_OK : HUB_CONFLICT;
    size_t from = j->now.heights;
    while (j->now.heights <= fin->height) {
        j->height = sim_grow(j->height, &j->heights_cap, j->now.heights, sizeof *j->height);
        j->height[j->now.heights++] = (struct hub_hash){{0}};
    }
    struct hub_hash at = fin->block_hash;
    for (uint64_t h = fin->height; h >= (from ? from : 1); h--) {
        const struct sim_block *b = sim_journal_find(j, &at);
        if (!b)
            return HUB_CORRUPT; /* a final block was never stored */
        j->height[h] = at;
        at = b->header.parent;
    }
    j->now.tip = *fin;
    j->now.edge = *edge;
    j->now.has_tip = true;
    return HUB_OK;
}

static enum hub_status put_link(void *store, uint64_t epoch, struct hub_span link)
{
    struct sim_journal *j = journal_of(store);
    if (!sim_node_port(store))
        return HUB_IO;
    if (epoch <= j->now.links) /* once more, past a damaged block */
        return HUB_OK;
    HUB_ASSERT(epoch == j->now.links + 1);
    sim_check_link(store, epoch, link);
    j->link = sim_grow(j->link, &j->links_cap, j->now.links, sizeof *j->link);
    uint8_t *copy = malloc(link.len);
    HUB_ASSERT(copy);
    memcpy(copy, link.data, link.len);
    j->link[j->now.links++] = (struct sim_link){copy, link.len};
    return HUB_OK;
}

struct hub_span sim_journal_link(const struct sim_journal *j, uint64_t epoch)
{
    if (epoch == 0 || epoch > j->now.links)
        return (struct hub_span){NULL, 0};
    return (struct hub_span){j->link[epoch - 1].bytes, j->link[epoch - 1].len};
}

static enum hub_status get_link(void *store, uint64_t epoch, struct hub_span *link)
{
    *link = sim_journal_link(journal_of(store), epoch);
    return link->len ? HUB_OK : HUB_NOT_FOUND;
}

static enum hub_status commit(void *store)
{
    struct sim_node *n = store;
    struct sim_journal *j = &n->journal;
    uint64_t now = n->sim->now_ms;
    if (!sim_node_port(n))
        return HUB_IO;
    if (sim_guard_off(n->sim, SIM_COMMIT))
        return HUB_OK;
    j->committed = j->now;
    if (now >= n->lies_until_ms)
        j->durable = j->now;
    else
        n->sim->struck[SIM_LIE]++;
    if (now < n->slow_until_ms) {
        n->busy_until_ms = now + n->slow_ms;
        n->sim->struck[SIM_SLOW]++;
    }
    sim_check_commit(n);
    sim_node_may_crash(n);
    return HUB_OK;
}

/* ---- what disks do */

static void cut_back(struct sim_journal *j, const struct sim_mark *to)
{
    while (j->now.certificates > to->certificates)
        free(j->certificate[--j->now.certificates].sig);
    while (j->now.blocks > to->blocks)
        free(j->block[--j->now.blocks].bytes);
    while (j->now.links > to->links)
        free(j->link[--j->now.links].bytes);
    j->now = j->committed = j->durable = *to;
    index_again(j);
}

bool sim_journal_crash(struct sim_journal *j)
{
    const struct sim_mark to = j->durable;
    bool lost = j->committed.blocks > to.blocks || j->committed.votes > to.votes ||
                j->committed.certificates > to.certificates;
    cut_back(j, &to);
    return lost;
}

void sim_journal_shoot(struct sim_journal *j, uint32_t shot)
{
    j->shot[shot] = j->durable;
    j->shot_taken[shot] = true;
}

bool sim_journal_rewind(struct sim_journal *j, uint32_t shot)
{
    const struct sim_mark to = j->shot[shot];
    if (!j->shot_taken[shot] || to.votes > j->now.votes || to.blocks > j->now.blocks ||
        to.certificates > j->now.certificates || to.heights > j->now.heights ||
        (to.votes == j->now.votes && to.blocks == j->now.blocks))
        return false;
    cut_back(j, &to);
    return true;
}

bool sim_journal_flip(struct sim_journal *j, uint64_t choice)
{
    uint64_t kind = choice % 8, which = choice / 8;
    const struct sim_mark *d = &j->durable;
    if (kind < 3 && d->blocks) {
        j->block[which % d->blocks].damaged = true;
        j->damaged++;
    } else if (kind < 6 && d->certificates) {
        j->certificate[which % d->certificates].damaged = true;
        j->damaged++;
    } else if (kind == 6 && d->votes) {
        j->damaged_votes = true;
    } else if (kind == 7 && d->has_tip) {
        j->damaged_tip = true;
    } else {
        return false;
    }
    return true;
}

void sim_journal_free(struct sim_journal *j)
{
    while (j->now.certificates)
        free(j->certificate[--j->now.certificates].sig);
    while (j->now.blocks)
        free(j->block[--j->now.blocks].bytes);
    while (j->now.links)
        free(j->link[--j->now.links].bytes);
    free(j->link);
    free(j->block);
    free(j->vote);
    free(j->head);
    free(j->certificate);
    free(j->height);
    sim_index_free(&j->block_at);
    sim_index_free(&j->vote_at);
    sim_index_free(&j->certificate_at);
    *j = (struct sim_journal){0};
}

static void *copy_of(const void *list, size_t len, size_t item, size_t *cap)
{
    void *copy = malloc((len + 1) * item);
    HUB_ASSERT(copy);
    if (len)
        memcpy(copy, list, len * item);
    *cap = len + 1;
    return copy;
}

void sim_journal_copy(struct sim_journal *out, const struct sim_journal *j)
{
    const struct sim_mark to = j->committed;
    size_t bytes;
    *out = (struct sim_journal){.now = to, .committed = to, .durable = to};
    out->block = copy_of(j->block, to.blocks, sizeof *j->block, &out->blocks_cap);
    out->link = copy_of(j->link, to.links, sizeof *j->link, &out->links_cap);
    out->vote = copy_of(j->vote, to.votes, sizeof *j->vote, &out->votes_cap);
    out->head = copy_of(j->head, to.votes, sizeof *j->head, &out->heads_cap);
    out->certificate =
        copy_of(j->certificate, to.certificates, sizeof *j->certificate, &out->certificates_cap);
    for (size_t i = 0; i < to.certificates; i++) {
        struct hub_certificate c;
        sim_kept_read(&c, &j->certificate[i]);
        keep_certificate(&out->certificate[i], &c, c.bitmap_bytes);
        out->certificate[i].damaged = j->certificate[i].damaged;
    }
    out->height = copy_of(j->height, to.heights, sizeof *j->height, &out->heights_cap);
    for (size_t i = 0; i < to.blocks; i++)
        out->block[i].bytes = copy_of(j->block[i].bytes, j->block[i].len, 1, &bytes);
    for (size_t i = 0; i < to.links; i++)
        out->link[i].bytes = copy_of(j->link[i].bytes, j->link[i].len, 1, &bytes);
    out->damaged = j->damaged;
    out->damaged_votes = j->damaged_votes;
    out->damaged_tip = j->damaged_tip;
    index_again(out);
}

/* ---- gets */

static enum hub_status get_block(void *store, const struct hub_hash *hash, struct hub_span *bytes)
{
    const struct sim_block *b = sim_journal_find(journal_of(store), hash);
    if (!b || b->damaged)
        return HUB_NOT_FOUND;
    *bytes = (struct hub_span){b->bytes, b->len};
    return HUB_OK;
}

const struct sim_block *sim_journal_at(const struct sim_journal *j, uint64_t height)
{
    return height && height < j->now.heights ? sim_journal_find(j, &j->height[height]) : NULL;
}

static enum hub_status get_block_at(void *store, uint64_t height, struct hub_span *bytes)
{
    const struct sim_block *b = sim_journal_at(journal_of(store), height);
    if (!b || b->damaged)
        return HUB_NOT_FOUND;
    *bytes = (struct hub_span){b->bytes, b->len};
    return HUB_OK;
}

bool sim_journal_certificate(const struct sim_journal *j, uint64_t epoch, uint64_t view,
                             uint8_t kind, struct hub_certificate *out)
{
    const struct sim_kept *k = find_certificate(j, epoch, view, kind);
    if (k)
        sim_kept_read(out, k);
    return k != NULL;
}

static enum hub_status get_certificate(void *store, uint64_t epoch, uint64_t view, uint8_t kind,
                                       struct hub_certificate *out)
{
    return sim_journal_certificate(journal_of(store), epoch, view, kind, out) ? HUB_OK
                                                                              : HUB_NOT_FOUND;
}

static enum hub_status get_tip(void *store, struct hub_point *fin, struct hub_edge *edge)
{
    const struct sim_journal *j = journal_of(store);
    if (j->damaged_tip)
        return HUB_CORRUPT;
    if (!j->now.has_tip)
        return HUB_NOT_FOUND;
    *fin = j->now.tip;
    *edge = j->now.edge;
    return HUB_OK;
}

/* By view, then kind, as the real store's keys are ordered. */
static int by_view(const void *a, const void *b)
{
    const struct hub_subject *x = *(const struct hub_subject *const *)a;
    const struct hub_subject *y = *(const struct hub_subject *const *)b;
    if (x->view != y->view)
        return x->view < y->view ? -1 : 1;
    return (int)x->kind - (int)y->kind;
}

static enum hub_status each_vote(void *store, uint64_t epoch, uint64_t from_view,
                                 hub_store_visit_vote *visit, void *ctx)
{
    const struct sim_journal *j = journal_of(store);
    uint64_t last = epoch == j->now.voted.epoch ? j->now.voted.view : 0;
    for (size_t i = 0; i < j->now.votes && epoch < j->now.voted.epoch;
         i++) /* an epoch that ended */
        if (j->vote[i].subject.epoch == epoch && j->vote[i].subject.view > last)
            last = j->vote[i].subject.view;
    for (struct hub_subject s = {.epoch = epoch, .view = from_view}; s.view <= last; s.view++)
        for (uint8_t kind = HUB_NOTARIZE; kind <= HUB_FINALIZE; kind++)
            if (find_vote(j, &s, kind))
                visit(ctx, find_vote(j, &s, kind));
    return HUB_OK;
}

static enum hub_status each_certificate(void *store, uint64_t epoch, uint64_t from_view,
                                        hub_store_visit_certificate *visit, void *ctx)
{
    const struct sim_journal *j = journal_of(store);
    const struct hub_subject **found = calloc(j->now.certificates + 1, sizeof *found);
    size_t count = 0;
    HUB_ASSERT(found);
    for (size_t i = 0; i < j->now.certificates; i++) {
        const struct hub_subject *s = &j->certificate[i].subject;
        if (s->epoch == epoch && s->view >= from_view && !j->certificate[i].damaged)
            found[count++] = s;
    }
    qsort(found, count, sizeof *found, by_view);
    for (size_t i = 0; i < count; i++) {
        struct hub_certificate c;
        if (sim_journal_certificate(j, found[i]->epoch, found[i]->view, found[i]->kind, &c))
            visit(ctx, &c);
    }
    free(found);
    return HUB_OK;
}

void sim_journal_ports(struct hub_ports *p)
{
    p->put_block = put_block;
    p->put_vote = put_vote;
    p->put_certificate = put_certificate;
    p->put_tip = put_tip;
    p->put_link = put_link;
    p->get_link = get_link;
    p->commit = commit;
    p->get_block = get_block;
    p->get_block_at = get_block_at;
    p->get_certificate = get_certificate;
    p->get_tip = get_tip;
    p->each_vote = each_vote;
    p->each_certificate = each_certificate;
    p->get_mark = get_mark;
    p->has_mark = has_mark;
    p->put_halt = put_halt;
    p->get_halt = get_halt;
    p->guard_read = guard_read;
    p->guard_note = guard_note;
}
