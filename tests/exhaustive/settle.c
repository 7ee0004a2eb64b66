/* settle.c: the same behaviour, the same bytes: what no later move can tell apart is made equal, and packed. */
#include "world.h"

#include "consensus/round.h"
#include "consensus/timer.h"

#include <string.h>

/* ---- time */

/* The proposal of a view that was left serves one thing only: a certificate for it finds its block and verdict there,
 * where it would else ask for the block and get both in the same turn, since the body is held. So it is forgotten here. */
static void settle_view(const struct hub_cons *c, struct hub_view *v)
{
    if (v->view < c->view) {
        memset(&v->prop, 0, sizeof v->prop);
        v->prop_state = HUB_SLOT_NONE;
    }
    bool recent = c->now_mono_ms < v->cert_since_ms + HUB_UNFINALIZED_MS;
    v->cert_since_ms = v->cert_state == HUB_SLOT_NONE ? 0
                       : recent && !c->has_records    ? NODE_NOW_MS
                                                      : NODE_NOW_MS - HUB_UNFINALIZED_MS;
    v->ask_due_ms = NODE_NOW_MS + HUB_RETRY_MS;
    v->ask_wait_ms = HUB_RETRY_MS;
    if (v->cert_signers)
        v->cert_signers = (UINT64_C(1) << c->cfg.n) - 1;
}

static void settle_peer(const struct hub_cons *c, struct hub_peer_seen *p)
{
    bool recent = p->opened && c->now_mono_ms < p->opened_ms + HUB_OPENED_BY_PEER_MS;
    bool matters = p->opened && (recent || p->opened_view == c->view);
    uint64_t view = p->opened_view;
    memset(p, 0, sizeof *p);
    p->seen_ms = NODE_NOW_MS;
    if (!matters)
        return;
    p->opened = true;
    p->opened_view = view;
    p->opened_ms = recent ? NODE_NOW_MS : NODE_NOW_MS - HUB_OPENED_BY_PEER_MS;
}

static uint64_t armed(uint64_t due_ms, uint64_t in_ms)
{
    return due_ms == HUB_NEVER ? HUB_NEVER : NODE_NOW_MS + in_ms;
}

/* An armed timer may fire at any later moment, whatever is left of it: only whether it is armed counts. */
static void settle_time(struct hub_cons *c)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++)
        if (c->views[i].used)
            settle_view(c, &c->views[i]);
    for (uint8_t i = 0; i < c->cfg.n; i++)
        settle_peer(c, &c->peer[i]);
    c->now_mono_ms = c->entered_ms = c->opened_ms = c->last_block_ms = NODE_NOW_MS;
    c->now_wall_ms = NODE_WALL_MS;
    c->fin_time_ms = NODE_WALL_MS - 60000;
    c->leader_due_ms = armed(c->leader_due_ms, 1000);
    c->advance_due_ms = armed(c->advance_due_ms, 2000);
    c->retry_due_ms = armed(c->retry_due_ms, HUB_RETRY_MS);
    c->standstill_due_ms = armed(c->standstill_due_ms, HUB_STANDSTILL_MS);
    c->retry_wait_ms = c->certs_wait_ms = HUB_RETRY_MS;
    c->certs_due_ms = NODE_NOW_MS + HUB_RETRY_MS;
    c->certs_peer = 0;
}

/* ---- what is decided */

static uint64_t up_to(const struct world *w, uint64_t view)
{
    uint64_t subjects = 0;
    for (int s = 0; s < w->subjects; s++)
        subjects |= (uint64_t)(w->subject[s].view <= view) << s;
    return subjects;
}

/* Blocks up to this view that the final block does not stand on. */
static uint32_t beside(const struct world *w, const struct hub_point *fin)
{
    uint32_t blocks = 0;
    for (int b = 0; b < w->blocks; b++)
        blocks |= (uint32_t)(w->block[b].facts.view <= fin->view) << b;
    return blocks & ~world_chain(w, world_block_named(&fin->block_hash));
}

/* ---- views that were left */

static bool empty(const struct hub_view *v)
{
    return v->prop_state == HUB_SLOT_NONE && v->cert_state == HUB_SLOT_NONE && !v->did_notarize &&
           !v->did_nullify && !v->did_finalize && !v->notarized && !v->formed && !v->nullifiers &&
           !v->accused && !v->notarize.count && !v->finalize.count;
}

/* Of a view that was left only rule F asks. If it can say yes no more, all reasons why are the same; and if all votes of
 * others arrive as certificates, what was counted serves nothing. */
static void forget_votes(const struct node *x, const struct world *w, struct hub_view *v)
{
    v->notarize.count = v->finalize.count = 0;
    v->nullifiers = 0;
    bool sent = true; /* else it has to be sent again */
    for (int s = 0; s < w->subjects; s++)
        if (w->subject[s].view == v->view && w->subject[s].kind == HUB_FINALIZE)
            sent &= !((x->journal & ~x->sent) >> s & 1);
    if (!v->closed && !v->did_nullify && !v->did_finalize)
        return;
    if (v->did_finalize && !sent)
        return;
    v->closed = true;
    v->did_notarize = v->did_nullify = v->did_finalize = false;
    memset(&v->my_notarize, 0, sizeof v->my_notarize);
}

/* closed_below stands for the own votes in views that have no slot any more. */
static void lower_closed_below(struct hub_cons *c)
{
    uint64_t lowest = 0;
    for (uint64_t view = c->top.view + 1; view <= c->closed_below; view++) {
        const struct hub_view *v = hub_round_get(c, view);
        if (!v)
            lowest = view;
        else if (!v->closed && !hub_round_own_vote(v))
            return;
    }
    c->closed_below = lowest;
}

static void forget_left_views(struct node *x, const struct world *w)
{
    struct hub_cons *c = &x->core;
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        struct hub_view *v = &c->views[i];
        if (!v->used || v->view >= c->view)
            continue;
        if (!w->cfg.sinks && !w->cfg.single_votes && !w->cfg.single_nullify &&
            !w->cfg.wrong_numbers && c->has_records)
            forget_votes(x, w, v);
        if (empty(v) && v->closed == (v->view <= c->closed_below))
            v->used = false;
    }
    if (c->has_records) /* the gate is open, so own votes need not keep it open */
        lower_closed_below(c);
}

/* Blocks asked for by nobody are fetched when they are. */
static uint32_t at_work(const struct node *x, const struct world *w)
{
    uint32_t blocks = x->stored_bodies | world_chain(w, world_block_named(&x->fin.block_hash));
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        const struct hub_view *v = &x->core.views[i];
        if (v->used && v->prop_state != HUB_SLOT_NONE)
            blocks |= world_chain(w, world_block_named(&v->prop.hash));
        if (v->used && v->cert_state != HUB_SLOT_NONE)
            blocks |= world_chain(w, world_block_named(&v->cert_blk.hash));
    }
    return blocks;
}

static void forget_decided(struct node *x, const struct world *w)
{
    struct hub_cons *c = &x->core;
    if (c->closed_below <= c->top.view)
        c->closed_below = 0; /* asked only for views above top */
    if (c->fin.view == c->top.view)
        memset(&c->final, 0, sizeof c->final); /* serves to make top final */
    if (!w->cfg.crashes) {
        x->stored = 0;
        x->stored_fin = x->fin;
    }
    if (w->cfg.sinks)
        return; /* there a node serves others from what it keeps */
    /* fin never falls below the durable one: nothing asks for certificates, votes and blocks up to there. */
    uint64_t decided = up_to(w, x->stored_fin.view);
    uint32_t dead = beside(w, &x->stored_fin);
    x->kept &= ~decided;
    x->stored &= ~decided;
    x->bodies &= ~dead;
    x->stored_bodies &= ~dead;
    x->journal &= ~decided | x->sent;
    x->bodies &= at_work(x, w);
    if (!w->cfg.crashes)
        x->kept &=
            w->of_kind[HUB_FINALIZE]; /* the core holds the others, and only a restart asks here */
}

void node_settle(struct node *x, const struct world *w)
{
    x->alarmed |= !node_votes_agree(x, w);
    settle_time(&x->core);
    if (!w->cfg.no_forget) {
        forget_left_views(x, w);
        forget_decided(x, w);
    }
}

/* ---- bytes */

#define FRONT_BYTES offsetof(struct hub_cons, views)
#define VIEW_BYTES offsetof(struct hub_view, notarize)

struct writer {
    uint8_t *at, *end;
};
static void put(struct writer *p, const void *from, size_t bytes)
{
    HUB_ASSERT(bytes <= (size_t)(p->end - p->at));
    memcpy(p->at, from, bytes);
    p->at += bytes;
}
static void get(const uint8_t **at, void *to, size_t bytes)
{
    memcpy(to, *at, bytes);
    *at += bytes;
}

static void put_tally(struct writer *p, const struct hub_tally *t)
{
    put(p, &t->count, sizeof t->count);
    put(p, t->candidate, t->count * sizeof t->candidate[0]);
}
static void get_tally(const uint8_t **at, struct hub_tally *t)
{
    get(at, &t->count, sizeof t->count);
    get(at, t->candidate, t->count * sizeof t->candidate[0]);
}

/* The slots in use by rising view: which slot a view has means nothing. */
static uint32_t sorted_views(const struct hub_cons *c, const struct hub_view *out[HUB_VIEWS_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        if (!c->views[i].used)
            continue;
        uint32_t k = count++;
        for (; k > 0 && out[k - 1]->view > c->views[i].view; k--)
            out[k] = out[k - 1];
        out[k] = &c->views[i];
    }
    return count;
}

size_t node_pack(const struct node *x, uint8_t out[NODE_PACKED_MAX])
{
    struct writer p = {out, out + NODE_PACKED_MAX};
    const struct hub_cons *c = &x->core;
    const struct hub_view *views[HUB_VIEWS_MAX];
    uint32_t count = sorted_views(c, views);
    put(&p, c, FRONT_BYTES);
    put(&p, &count, sizeof count);
    for (uint32_t i = 0; i < count; i++) {
        put(&p, views[i], VIEW_BYTES);
        put_tally(&p, &views[i]->notarize);
        put_tally(&p, &views[i]->finalize);
    }
    put(&p, &c->nullified_count, sizeof c->nullified_count);
    put(&p, c->nullified, c->nullified_count * sizeof c->nullified[0]);
    put(&p, &c->notarized_count, sizeof c->notarized_count);
    put(&p, c->notarized, c->notarized_count * sizeof c->notarized[0]);
    put(&p, c->peer, c->cfg.n * sizeof c->peer[0]);
    put(&p, &x->journal, sizeof *x - offsetof(struct node, journal));
    return (size_t)(p.at - out);
}

void node_unpack(struct node *x, const uint8_t *in)
{
    struct hub_cons *c = &x->core;
    uint32_t count;
    memset(x, 0, sizeof *x);
    get(&in, c, FRONT_BYTES);
    get(&in, &count, sizeof count);
    for (uint32_t i = 0; i < count; i++) {
        get(&in, &c->views[i], VIEW_BYTES);
        get_tally(&in, &c->views[i].notarize);
        get_tally(&in, &c->views[i].finalize);
    }
    get(&in, &c->nullified_count, sizeof c->nullified_count);
    get(&in, c->nullified, c->nullified_count * sizeof c->nullified[0]);
    get(&in, &c->notarized_count, sizeof c->notarized_count);
    get(&in, c->notarized, c->notarized_count * sizeof c->notarized[0]);
    get(&in, c->peer, c->cfg.n * sizeof c->peer[0]);
    get(&in, &x->journal, sizeof *x - offsetof(struct node, journal));
}
