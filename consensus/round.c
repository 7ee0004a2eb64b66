/* round.c: view slots, tallies and the certificates held. */
#include "round.h"

#include <string.h>

enum { NOTARIZED_KEPT = 8 }; /* newest notarized views above top that keep a slot (limits.h) */

const struct hub_view *hub_round_get(const struct hub_cons *c, uint64_t view)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++)
        if (c->views[i].used && c->views[i].view == view)
            return &c->views[i];
    return NULL;
}

struct hub_view *hub_round_find(struct hub_cons *c, uint64_t view)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++)
        if (c->views[i].used && c->views[i].view == view)
            return &c->views[i];
    return NULL;
}

/* ---- slots */

static bool in_window(const struct hub_cons *c, uint64_t view)
{
    return view > c->top.view && view + 1 >= c->view && view <= c->view + 2;
}

static struct hub_view *make(struct hub_cons *c, uint64_t view)
{
    struct hub_view *v = NULL;
    for (uint32_t i = 0; i < HUB_VIEWS_MAX && !v; i++)
        if (!c->views[i].used)
            v = &c->views[i];
    HUB_ASSERT(v); /* 4 of the window, 8 notarized, top's: 13 of 16 */
    memset(v, 0, sizeof *v);
    v->used = true;
    v->view = view;
    v->closed = view <= c->closed_below;
    return v;
}

struct hub_view *hub_round_open(struct hub_cons *c, uint64_t view)
{
    struct hub_view *v = hub_round_find(c, view);
    return v || !in_window(c, view) ? v : make(c, view);
}

/* How many views newer than this one are notarized and above top. */
static uint32_t notarized_above(const struct hub_cons *c, uint64_t view)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        const struct hub_view *v = &c->views[i];
        count += v->used && v->notarized && v->view > c->top.view && v->view > view;
    }
    return count;
}

/* A notarized view that loses its slot stays known as a parent. */
static void remember(struct hub_cons *c, uint64_t view, const struct hub_hash *block)
{
    uint32_t i = c->notarized_count;
    while (i > 0 && c->notarized[i - 1].view > view)
        i--;
    if (i > 0 && c->notarized[i - 1].view == view)
        return;
    if (c->notarized_count == HUB_GAPS_MAX) {
        if (i == 0)
            return; /* older than all */
        memmove(&c->notarized[0], &c->notarized[1], (i - 1) * sizeof c->notarized[0]);
        i--;
    } else {
        memmove(&c->notarized[i + 1], &c->notarized[i],
                (c->notarized_count - i) * sizeof c->notarized[0]);
        c->notarized_count++;
    }
    c->notarized[i] = (struct hub_point){.view = view, .block_hash = *block};
}

struct hub_view *hub_round_open_certified(struct hub_cons *c, uint64_t view)
{
    struct hub_view *v = hub_round_find(c, view);
    if (v)
        return v;
    if (view != c->top.view && notarized_above(c, view) >= NOTARIZED_KEPT && !in_window(c, view))
        return NULL;
    v = make(c, view);
    return v;
}

static bool keeps_slot(const struct hub_cons *c, const struct hub_view *v)
{
    if (v->view == c->top.view)
        return c->fin.view != c->top.view; /* its block is still waited for */
    if (v->view < c->top.view)
        return false;
    return v->view + 1 >= c->view || (v->notarized && notarized_above(c, v->view) < NOTARIZED_KEPT);
}

static void prune_lists(struct hub_cons *c)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->nullified_count; i++) {
        struct hub_range r = c->nullified[i];
        if (r.last <= c->top.view)
            continue;
        if (r.first <= c->top.view)
            r.first = c->top.view + 1;
        c->nullified[kept++] = r;
    }
    c->nullified_count = kept;
    kept = 0;
    for (uint32_t i = 0; i < c->notarized_count; i++)
        if (c->notarized[i].view > c->top.view)
            c->notarized[kept++] = c->notarized[i];
    c->notarized_count = kept;
}

void hub_round_prune(struct hub_cons *c)
{
    prune_lists(c);
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        struct hub_view *v = &c->views[i];
        if (!v->used || keeps_slot(c, v))
            continue;
        /* ava-labs#280: a pruned "I nullified this" let a later FINALIZE through. */
        if ((hub_round_own_vote(v) || v->closed) && v->view > c->closed_below)
            c->closed_below = v->view;
        if (v->notarized && v->view > c->top.view)
            remember(c, v->view, &v->cert_blk.hash);
        v->used = false;
    }
}

/* ---- tallies */

static struct hub_tally *tally_of(struct hub_view *v, uint8_t kind)
{
    return kind == HUB_NOTARIZE ? &v->notarize : &v->finalize;
}

static bool is_for(const struct hub_candidate *k, const struct hub_subject *s)
{
    return hub_hash_equal(&k->block_hash, &s->block_hash) &&
           hub_hash_equal(&k->log_root, &s->log_root) && k->height == s->height &&
           k->log_size == s->log_size;
}

static const struct hub_candidate *candidate_of(const struct hub_tally *t, uint8_t signer)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (t->candidate[i].signers >> signer & 1)
            return &t->candidate[i];
    return NULL;
}

static uint64_t tally_voters(const struct hub_tally *t)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < t->count; i++)
        all |= t->candidate[i].signers;
    return all;
}

uint64_t hub_round_voters(const struct hub_view *v, uint8_t kind)
{
    if (kind == HUB_NULLIFY)
        return v->nullifiers;
    return tally_voters(kind == HUB_NOTARIZE ? &v->notarize : &v->finalize);
}

bool hub_round_has_vote(const struct hub_view *v, const struct hub_subject *s, uint8_t signer)
{
    if (s->kind == HUB_NULLIFY)
        return v->nullifiers >> signer & 1;
    const struct hub_candidate *k =
        candidate_of(s->kind == HUB_NOTARIZE ? &v->notarize : &v->finalize, signer);
    return k && is_for(k, s);
}

static struct hub_candidate *candidate_for(struct hub_tally *t, const struct hub_subject *s)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (is_for(&t->candidate[i], s))
            return &t->candidate[i];
    if (t->count == HUB_CANDIDATES_MAX)
        return NULL;
    struct hub_candidate *k = &t->candidate[t->count++];
    *k = (struct hub_candidate){s->block_hash, s->log_root, s->height, s->log_size, 0};
    return k;
}

enum hub_ballot hub_round_count(struct hub_view *v, const struct hub_subject *s, uint8_t signer)
{
    const uint64_t bit = UINT64_C(1) << signer;
    HUB_ASSERT(signer < HUB_VALIDATORS_MAX && v->view == s->view);
    bool again = hub_round_has_vote(v, s, signer);
    if (!again && hub_round_voters(v, s->kind) & bit)
        return HUB_BALLOT_CONFLICT;
    if (s->kind == HUB_NULLIFY) {
        v->nullifiers |= bit;
        return again ? HUB_BALLOT_AGAIN : HUB_BALLOT_COUNTED;
    }
    struct hub_candidate *k = candidate_for(tally_of(v, s->kind), s);
    if (!k)
        return HUB_BALLOT_FULL;
    k->signers |= bit;
    return again ? HUB_BALLOT_AGAIN : HUB_BALLOT_COUNTED;
}

uint64_t hub_round_quorum(const struct hub_view *v, struct hub_subject *s, uint8_t q)
{
    if (s->kind == HUB_NULLIFY)
        return hub_bits_set(v->nullifiers) >= q ? v->nullifiers : 0;
    const struct hub_tally *t = s->kind == HUB_NOTARIZE ? &v->notarize : &v->finalize;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct hub_candidate *k = &t->candidate[i];
        if (hub_bits_set(k->signers) < q)
            continue;
        s->block_hash = k->block_hash;
        s->log_root = k->log_root;
        s->height = k->height;
        s->log_size = k->log_size;
        return k->signers;
    }
    return 0;
}

bool hub_round_contradicts(const struct hub_view *v, const struct hub_subject *s, uint8_t signer)
{
    const struct hub_candidate *notarized = candidate_of(&v->notarize, signer);
    const struct hub_candidate *finalized = candidate_of(&v->finalize, signer);
    switch (s->kind) {
    case HUB_NOTARIZE:
        return finalized && !hub_hash_equal(&finalized->block_hash, &s->block_hash);
    case HUB_NULLIFY:
        return finalized != NULL;
    default:
        return v->nullifiers >> signer & 1 ||
               (notarized && !hub_hash_equal(&notarized->block_hash, &s->block_hash));
    }
}

/* ---- certificates */

bool hub_round_certify(struct hub_cons *c, struct hub_view *v, const struct hub_hash *block,
                       uint64_t signers)
{
    if (v->cert_state != HUB_SLOT_NONE) {
        v->cert_signers |= signers;
        return hub_hash_equal(&v->cert_blk.hash, block);
    }
    /* Whatever the proposal is: it may be another block of an equivocating leader. */
    if (v->prop_state != HUB_SLOT_NONE && hub_hash_equal(&v->prop.hash, block)) {
        v->cert_blk = v->prop;
        /* "Fetched by hash whatever `prop` is, INVALID included": the verdict is execution's. */
        v->cert_state = v->prop_state == HUB_SLOT_INVALID ? HUB_SLOT_WANTED : v->prop_state;
    } else {
        v->cert_blk = (struct hub_header_facts){.hash = *block, .view = v->view};
        v->cert_state = HUB_SLOT_WANTED;
    }
    v->cert_signers = signers;
    v->cert_since_ms = c->now_mono_ms;
    return true;
}

const struct hub_hash *hub_round_certified(const struct hub_cons *c, uint64_t view)
{
    if (view == c->top.view)
        return &c->top.block_hash;
    const struct hub_view *v = hub_round_get(c, view);
    if (v && v->notarized)
        return &v->cert_blk.hash;
    for (uint32_t i = 0; i < c->notarized_count; i++)
        if (c->notarized[i].view == view)
            return &c->notarized[i].block_hash;
    return NULL;
}

/* Inserts [view, view] before range i, dropping the oldest when full. */
static void insert_range(struct hub_cons *c, uint32_t i, uint64_t view)
{
    if (c->nullified_count == HUB_GAPS_MAX) {
        if (i == 0)
            return; /* older than all that is kept */
        memmove(&c->nullified[0], &c->nullified[1], (i - 1) * sizeof c->nullified[0]);
        i--;
    } else {
        memmove(&c->nullified[i + 1], &c->nullified[i],
                (c->nullified_count - i) * sizeof c->nullified[0]);
        c->nullified_count++;
    }
    c->nullified[i] = (struct hub_range){view, view};
}

void hub_round_nullify(struct hub_cons *c, uint64_t view)
{
    if (view <= c->top.view || hub_round_skipped(c, view, view))
        return;
    uint32_t i = 0;
    while (i < c->nullified_count && c->nullified[i].last < view)
        i++;
    bool joins_left = i > 0 && c->nullified[i - 1].last + 1 == view;
    bool joins_right = i < c->nullified_count && c->nullified[i].first == view + 1;
    if (joins_left && joins_right) {
        c->nullified[i - 1].last = c->nullified[i].last;
        memmove(&c->nullified[i], &c->nullified[i + 1],
                (c->nullified_count - i - 1) * sizeof c->nullified[0]);
        c->nullified_count--;
    } else if (joins_left) {
        c->nullified[i - 1].last = view;
    } else if (joins_right) {
        c->nullified[i].first = view;
    } else {
        insert_range(c, i, view);
    }
}

bool hub_round_skipped(const struct hub_cons *c, uint64_t first, uint64_t last)
{
    if (first > last)
        return true;
    for (uint32_t i = 0; i < c->nullified_count; i++)
        if (c->nullified[i].first <= first && last <= c->nullified[i].last)
            return true;
    return false;
}

uint64_t hub_round_reach(const struct hub_cons *c, uint64_t view)
{
    HUB_ASSERT(view > c->top.view);
    for (uint32_t i = 0; i < c->nullified_count; i++)
        if (c->nullified[i].first < view && view - 1 <= c->nullified[i].last)
            return c->nullified[i].first - 1;
    return view - 1;
}
