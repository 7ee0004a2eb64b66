#include "tests/support/oracle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cast { /* the first vote of each kind */
    bool notarized, nullified, finalized;
    struct hub_hash block; /* of NOTARIZE */
    struct hub_subject finalize;
};
struct view {
    uint64_t epoch, view;
    bool notarized, nullified, finalized;
    struct hub_hash block, final; /* notarized; finalized */
};
struct index { /* open addressing: item + 1, 0 = free; at most half full */
    uint32_t *slot;
    size_t size;
};
enum { EPOCHS_MAX = 16 };
struct oracle {
    uint8_t n; /* the most */
    struct {
        uint64_t from;
        uint8_t n, q;
    } set[EPOCHS_MAX]; /* who votes from an epoch on */
    size_t sets;
    uint64_t liars, guilty;
    struct view *view;
    struct cast *cast; /* n a view */
    struct oracle_block *block;
    struct hub_hash *final; /* by height; all zero = not known */
    size_t views, blocks, views_cap, casts_cap, blocks_cap, finals;
    struct index by_view, by_hash;
    bool forked;
    char failure[200];
};

static void fail(struct oracle *o, const char *format, ...)
{
    va_list args;
    if (o->failure[0])
        return;
    va_start(args, format);
    vsnprintf(o->failure, sizeof o->failure, format, args);
    va_end(args);
}

static unsigned long long number(uint64_t v)
{
    return v;
}

/* ---- storage */

static void *grown(void *list, size_t items, size_t *cap, size_t bytes)
{
    if (items < *cap)
        return list;
    *cap = *cap ? 2 * *cap : 32;
    list = realloc(list, *cap * bytes);
    if (!list)
        abort();
    return list;
}

static uint64_t view_key(uint64_t epoch, uint64_t view)
{
    return (epoch * 1000003 + view) * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t hash_key(const struct hub_hash *hash)
{
    uint64_t k = 0;
    for (size_t i = 0; i < sizeof hash->b; i++)
        k = (k ^ hash->b[i]) * UINT64_C(0x100000001b3);
    return k;
}

static void index_put(struct index *x, uint64_t key, uint32_t item)
{
    size_t at = (key >> 20) % x->size;
    while (x->slot[at])
        at = (at + 1) % x->size;
    x->slot[at] = item + 1;
}

/* Room for one more; true if everything must be put again. */
static bool index_grow(struct index *x, size_t items)
{
    if (2 * (items + 1) < x->size)
        return false;
    free(x->slot);
    x->size = x->size ? 4 * x->size : 128;
    x->slot = calloc(x->size, sizeof *x->slot);
    if (!x->slot)
        abort();
    return true;
}

static struct view *find_view(struct oracle *o, uint64_t epoch, uint64_t view)
{
    if (!o->views)
        return NULL;
    for (size_t at = (view_key(epoch, view) >> 20) % o->by_view.size; o->by_view.slot[at];
         at = (at + 1) % o->by_view.size) {
        struct view *v = &o->view[o->by_view.slot[at] - 1];
        if (v->epoch == epoch && v->view == view)
            return v;
    }
    return NULL;
}

static struct view *view_of(struct oracle *o, uint64_t epoch, uint64_t view)
{
    struct view *v = find_view(o, epoch, view);
    if (v)
        return v;
    if (index_grow(&o->by_view, o->views))
        for (size_t i = 0; i < o->views; i++)
            index_put(&o->by_view, view_key(o->view[i].epoch, o->view[i].view), (uint32_t)i);
    o->view = grown(o->view, o->views, &o->views_cap, sizeof *o->view);
    o->cast = grown(o->cast, o->views, &o->casts_cap, o->n * sizeof *o->cast);
    memset(o->cast + o->views * o->n, 0, o->n * sizeof *o->cast);
    index_put(&o->by_view, view_key(epoch, view), (uint32_t)o->views);
    v = &o->view[o->views++];
    memset(v, 0, sizeof *v);
    v->epoch = epoch;
    v->view = view;
    return v;
}

static const struct oracle_block *find_block(const struct oracle *o, const struct hub_hash *hash)
{
    if (!o->blocks)
        return NULL;
    for (size_t at = (hash_key(hash) >> 20) % o->by_hash.size; o->by_hash.slot[at];
         at = (at + 1) % o->by_hash.size) {
        const struct oracle_block *b = &o->block[o->by_hash.slot[at] - 1];
        if (!memcmp(&b->hash, hash, sizeof *hash))
            return b;
    }
    return NULL;
}

void oracle_block(struct oracle *o, const struct oracle_block *b)
{
    if (find_block(o, &b->hash))
        return;
    if (index_grow(&o->by_hash, o->blocks))
        for (size_t i = 0; i < o->blocks; i++)
            index_put(&o->by_hash, hash_key(&o->block[i].hash), (uint32_t)i);
    o->block = grown(o->block, o->blocks, &o->blocks_cap, sizeof *o->block);
    index_put(&o->by_hash, hash_key(&b->hash), (uint32_t)o->blocks);
    o->block[o->blocks++] = *b;
}

struct oracle *oracle_open(uint8_t n, uint8_t q, uint64_t liars)
{
    struct oracle *o = calloc(1, sizeof *o);
    if (!o)
        abort();
    o->n = n;
    o->liars = liars;
    oracle_epoch(o, 0, n, q);
    return o;
}

void oracle_epoch(struct oracle *o, uint64_t epoch, uint8_t n, uint8_t q)
{
    if (o->sets == EPOCHS_MAX || n > o->n)
        abort();
    o->set[o->sets].from = epoch;
    o->set[o->sets].n = n;
    o->set[o->sets++].q = q;
}

void oracle_close(struct oracle *o)
{
    if (!o)
        return;
    free(o->view);
    free(o->cast);
    free(o->block);
    free(o->final);
    free(o->by_view.slot);
    free(o->by_hash.slot);
    free(o);
}

const char *oracle_failure(const struct oracle *o)
{
    return o->failure[0] ? o->failure : NULL;
}

bool oracle_forked(const struct oracle *o)
{
    return o->forked;
}

uint64_t oracle_guilty(const struct oracle *o)
{
    return o->guilty;
}

void oracle_distrust(struct oracle *o, uint8_t validator)
{
    o->liars |= UINT64_C(1) << validator;
}

static bool lies(const struct oracle *o, unsigned validator)
{
    return o->liars >> validator & 1;
}

/* The two smallest overlapping quorums, counted out: everybody is in the first or in the second or in both. */
int oracle_bearable(uint8_t n, uint8_t q)
{
    int shared = 0;
    for (int i = 0; i < n; i++)
        shared += i < q && i >= n - q;
    return shared - 1;
}

/* ---- votes */

static bool same(const struct hub_hash *a, const struct hub_hash *b)
{
    return !memcmp(a, b, sizeof *a);
}

static bool same_finalize(const struct hub_subject *a, const struct hub_subject *b)
{
    return same(&a->block_hash, &b->block_hash) && same(&a->log_root, &b->log_root) &&
           a->height == b->height && a->log_size == b->log_size;
}

static struct cast *cast_of(const struct oracle *o, const struct view *v, unsigned signer)
{
    return &o->cast[(size_t)(v - o->view) * o->n + signer];
}

/* What of an earlier vote in the view excludes this one; NULL: nothing. */
static const char *excluded(const struct cast *c, const struct hub_subject *s)
{
    switch (s->kind) {
    case HUB_NOTARIZE:
        if (c->notarized && !same(&c->block, &s->block_hash))
            return "two NOTARIZE";
        return c->finalized && !same(&c->finalize.block_hash, &s->block_hash)
                   ? "NOTARIZE beside FINALIZE of another block"
                   : NULL;
    case HUB_NULLIFY:
        return c->finalized ? "NULLIFY beside FINALIZE" : NULL;
    default:
        if (c->finalized && !same_finalize(&c->finalize, s))
            return "two FINALIZE";
        if (c->nullified)
            return "FINALIZE beside NULLIFY";
        return c->notarized && !same(&c->block, &s->block_hash)
                   ? "FINALIZE beside NOTARIZE of another block"
                   : NULL;
    }
}

void oracle_vote(struct oracle *o, uint8_t signer, const struct hub_subject *s)
{
    struct cast *c = cast_of(o, view_of(o, s->epoch, s->view), signer);
    const char *wrong = excluded(c, s);
    if (wrong)
        o->guilty |= UINT64_C(1) << signer;
    if (wrong && !lies(o, signer))
        fail(o, "honest_votes: validator %u signed %s in view %llu", signer, wrong,
             number(s->view));
    if (s->kind == HUB_NULLIFY) {
        c->nullified = true;
    } else if (s->kind == HUB_FINALIZE) {
        if (!c->finalized)
            c->finalize = *s;
        c->finalized = true;
    } else {
        if (!c->notarized)
            c->block = s->block_hash;
        c->notarized = true;
    }
}

static bool was_cast(const struct cast *c, const struct hub_subject *s)
{
    if (s->kind == HUB_NULLIFY)
        return c->nullified;
    if (s->kind == HUB_NOTARIZE)
        return c->notarized && same(&c->block, &s->block_hash);
    return c->finalized && same_finalize(&c->finalize, s);
}

/* ---- certificates */

static void check_signers(struct oracle *o, const struct view *v, const struct hub_subject *s,
                          uint64_t signers)
{
    int count = 0;
    size_t at = o->sets - 1;
    while (o->set[at].from > s->epoch)
        at--;
    const uint8_t n = o->set[at].n, q = o->set[at].q;
    for (unsigned i = 0; i < 64; i++) {
        if (!(signers >> i & 1))
            continue;
        count++;
        if (i >= n)
            fail(o, "certificates_are_valid: signer %u of %u validators", i, n);
        else if (!lies(o, i) && !was_cast(cast_of(o, v, i), s))
            fail(o,
                 "certificates_are_valid: kind %u of view %llu counts a vote that validator %u did "
                 "not cast",
                 s->kind, number(s->view), i);
    }
    if (count < q)
        fail(o, "certificates_are_valid: kind %u of view %llu with %d of %u signers", s->kind,
             number(s->view), count, q);
}

static void check_skips(struct oracle *o, const struct oracle_block *b)
{
    const struct oracle_block *parent = find_block(o, &b->parent);
    if (b->parent_view) {
        const struct view *p = find_view(o, b->epoch, b->parent_view);
        if (!p || !p->notarized || !same(&p->block, &b->parent))
            fail(o, "skips_are_proven: the parent of the block of view %llu is not notarized",
                 number(b->view));
        if (!parent || parent->height + !b->tail != b->height)
            fail(o, "skips_are_proven: height %llu of view %llu does not follow its parent's",
                 number(b->height), number(b->view));
    }
    for (uint64_t u = b->parent_view + 1; u < b->view && !o->failure[0]; u++) {
        const struct view *skipped = find_view(o, b->epoch, u);
        if (!skipped || !skipped->nullified)
            fail(o,
                 "skips_are_proven: view %llu is notarized past view %llu, which is not nullified",
                 number(b->view), number(u));
    }
}

static void on_notarization(struct oracle *o, struct view *v, const struct hub_hash *block)
{
    if (v->notarized && !same(&v->block, block))
        fail(o, "no_conflicting_quorum_notarizations: two blocks in view %llu", number(v->view));
    if (v->finalized && !same(&v->final, block))
        fail(o, "no_conflicting_notarization_in_finalized_view: view %llu", number(v->view));
    if (v->notarized)
        return;
    v->notarized = true;
    v->block = *block;
    const struct oracle_block *b = find_block(o, block);
    if (b && b->view == v->view)
        check_skips(o, b);
    else
        fail(o, "skips_are_proven: view %llu notarizes a block that is not of it", number(v->view));
}

/* The final block of every height below follows from its parent links. */
static void chain_final(struct oracle *o, const struct hub_hash *tip, uint64_t height,
                        const char *invariant)
{
    struct hub_hash at = *tip;
    static const struct hub_hash none;
    for (const struct oracle_block *b = find_block(o, &at); b && b->tail; b = find_block(o, &at))
        at = b->parent;
    if (height >= o->finals) {
        size_t finals = 2 * height + 64;
        o->final = realloc(o->final, finals * sizeof *o->final);
        if (!o->final)
            abort();
        memset(o->final + o->finals, 0, (finals - o->finals) * sizeof *o->final);
        o->finals = finals;
    }
    for (uint64_t h = height;; h--) {
        if (!same(&o->final[h], &none)) {
            o->forked |= !same(&o->final[h], &at);
            if (!same(&o->final[h], &at))
                fail(o, "%s: two final blocks at height %llu", invariant, number(h));
            return;
        }
        o->final[h] = at;
        if (h == 0)
            return; /* genesis */
        const struct oracle_block *b = find_block(o, &at);
        if (!b || b->height != h) {
            fail(o, "%s: the final block of height %llu is unknown or of another height", invariant,
                 number(h));
            return;
        }
        at = b->parent;
    }
}

static void on_finalization(struct oracle *o, struct view *v, const struct hub_subject *s)
{
    if (v->nullified)
        fail(o, "no_nullification_in_finalized_view: view %llu", number(v->view));
    if (!v->notarized)
        fail(o, "finalization_requires_notarization: view %llu", number(v->view));
    else if (!same(&v->block, &s->block_hash))
        fail(o, "no_conflicting_notarization_in_finalized_view: view %llu", number(v->view));
    v->finalized = true;
    v->final = s->block_hash;
    chain_final(o, &s->block_hash, s->height, "finalization_ancestry");
}

void oracle_certificate(struct oracle *o, const struct hub_subject *s, uint64_t signers)
{
    struct view *v = view_of(o, s->epoch, s->view);
    check_signers(o, v, s, signers);
    if (s->kind == HUB_NOTARIZE)
        on_notarization(o, v, &s->block_hash);
    else if (s->kind == HUB_FINALIZE)
        on_finalization(o, v, s);
    else {
        if (v->finalized)
            fail(o, "no_nullification_in_finalized_view: view %llu", number(v->view));
        v->nullified = true;
    }
}

void oracle_final(struct oracle *o, uint8_t node, uint64_t height, const struct hub_hash *hash)
{
    char who[40];
    snprintf(who, sizeof who, "agreement of node %u", node);
    chain_final(o, hash, height, who);
}
