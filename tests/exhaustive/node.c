/* node.c: one validator: the node's core, and around it what its replica does, in the replica's order: step, one
 * commit, sends, own votes back into the own tally (node/replica.h). */
#include "world.h"

#include "consensus/round.h"

#include <string.h>

enum { QUEUE = 64 };

struct turn {
    struct node *x;
    struct world *w;
    struct hub_effects fx;
    struct hub_event queue[QUEUE];
    uint32_t first, count;
    uint64_t cast;   /* own votes to commit */
    uint64_t resend; /* own journalled votes to send again */
    uint32_t keep;   /* blocks to commit */
    bool started, crash;
};

static struct hub_event *push(struct turn *t, enum hub_event_kind kind)
{
    HUB_ASSERT(t->count < QUEUE);
    struct hub_event *ev = &t->queue[(t->first + t->count++) % QUEUE];
    memset(ev, 0, sizeof *ev);
    ev->kind = kind;
    ev->now_mono_ms = NODE_NOW_MS;
    ev->now_wall_ms = NODE_WALL_MS;
    return ev;
}

static uint64_t everyone(const struct world *w)
{
    return (UINT64_C(1) << w->cfg.n) - 1;
}

/* ---- effects */

static void give_verdict(struct turn *t, int block)
{
    if (block == GENESIS || world_chain(t->w, block) & ~t->x->bodies)
        return; /* not held, or an ancestor is missing: no verdict */
    struct hub_event *ev = push(t, HUB_EV_BLOCK);
    ev->u.block.header = t->w->block[block].facts;
    ev->u.block.valid = !t->w->block[block].invalid;
}

static void build(struct turn *t)
{
    struct node *x = t->x;
    const struct hub_hash *base = hub_cons_base(&x->core);
    int b = world_block_of(t->w, x->core.view, world_block_named(base), 0);
    x->bodies |= world_chain(t->w, b);
    struct hub_event *ev = push(t, HUB_EV_BUILT);
    ev->u.built.view = x->core.view;
    ev->u.built.outcome = HUB_BUILT_OK;
    ev->u.built.header = t->w->block[b].facts;
}

static void form_certificate(struct turn *t, const struct hub_effect *fx)
{
    t->x->kept |= UINT64_C(1) << world_subject_named(t->w, &fx->subject);
    struct hub_event *ev = push(t, HUB_EV_CERTIFICATE);
    ev->u.certificate.subject = fx->subject;
    ev->u.certificate.signers = fx->peers;
}

static void make_final(struct turn *t, const struct hub_effect *fx)
{
    int s = world_subject_named(t->w, &fx->subject);
    HUB_ASSERT(t->x->kept >> s & 1); /* the replica takes the certificate from its store */
    HUB_ASSERT(!(world_chain(t->w, t->w->subject_block[s]) & ~t->x->bodies));
    t->x->fin = t->x->core.fin;
}

/* Own votes of `view`, and own FINALIZEs of views first..last, as the journal has them. */
static uint64_t bundle(const struct turn *t, uint64_t view, uint64_t first, uint64_t last)
{
    uint64_t votes = 0;
    for (int s = 0; s < t->w->subjects; s++) {
        const struct hub_subject *of = &t->w->subject[s];
        bool finalize = of->kind == HUB_FINALIZE && of->view >= first && of->view <= last;
        if ((of->kind != HUB_FINALIZE && of->view == view) || finalize)
            votes |= UINT64_C(1) << s;
    }
    return votes & t->x->journal;
}

static void run_effect(struct turn *t, const struct hub_effect *fx)
{
    switch (fx->kind) {
    case HUB_FX_KEEP_BLOCK:
        t->keep |= world_chain(t->w, world_block_named(&fx->block_hash));
        HUB_ASSERT(!(t->keep & ~t->x->bodies));
        break;
    case HUB_FX_VOTE:
        t->cast |= UINT64_C(1) << world_subject_named(t->w, &fx->subject);
        break;
    case HUB_FX_CERTIFICATE:
        form_certificate(t, fx);
        break;
    case HUB_FX_FINAL:
        make_final(t, fx);
        break;
    case HUB_FX_BUILD:
        if (!t->w->cfg.slow_build && fx->view <= t->w->cfg.views)
            build(t);
        break;
    case HUB_FX_EXECUTE:
    case HUB_FX_FETCH_BLOCK:
        give_verdict(t, world_block_named(&fx->block_hash));
        break;
    case HUB_FX_RETRY:
        t->resend |= bundle(t, fx->view, fx->first, fx->last);
        break;
    case HUB_FX_RESEND_FINALIZE:
        t->resend |= bundle(t, 0, fx->first, fx->last);
        break;
    case HUB_FX_PROPOSE: /* sent with the leader's own NOTARIZE, which stands for it */
        break;
    case HUB_FX_EVIDENCE:
        t->x->alarmed |= world_honest(t->w, fx->peer);
        break;
    case HUB_FX_ALARM:
        t->x->alarmed = true;
        break;
    default: /* questions and help: whatever was sent can arrive anyway */
        break;
    }
}

/* ---- one turn */

static void drain(struct turn *t)
{
    for (; t->count; t->count--, t->first++) {
        hub_cons_step(&t->x->core, &t->queue[t->first % QUEUE], &t->fx);
        t->w->steps++;
        if (t->w->cfg.invariants)
            hub_cons_assert(&t->x->core);
        for (uint32_t i = 0; i < t->fx.count; i++)
            run_effect(t, &t->fx.item[i]);
    }
}

static void commit(struct turn *t)
{
    struct node *x = t->x;
    x->journal |= t->cast;
    x->stored = x->kept;
    x->stored_bodies |= t->keep;
    x->stored_fin = x->fin;
    t->keep = 0;
}

/* Runs what is queued to its end. False: the crash asked for found nothing between a commit and a send. */
static bool run(struct turn *t)
{
    for (;;) {
        drain(t);
        uint64_t votes = t->cast;
        if (!votes)
            break;
        commit(t);
        t->cast = 0;
        if (t->crash)
            return true;
        t->x->sent |= votes;
        for (int s = 0; s < t->w->subjects; s++)
            if (votes >> s & 1) {
                struct hub_event *ev = push(t, HUB_EV_VOTE);
                ev->u.vote.subject = t->w->subject[s];
                ev->u.vote.signer = t->x->core.cfg.me;
            }
    }
    t->x->sent |= t->resend;
    return !t->crash;
}

/* ---- start and restart: node/start.c */

static void feed_journal(struct turn *t)
{
    struct node *x = t->x;
    for (uint64_t view = 1; view <= (uint64_t)t->w->views; view++)
        for (int s = 0; s < t->w->subjects; s++) {
            if (t->w->subject[s].view != view || !(x->stored >> s & 1) ||
                !hub_cons_wants_certificate(&x->core, &t->w->subject[s]))
                continue;
            struct hub_event *ev = push(t, HUB_EV_CERTIFICATE);
            ev->u.certificate.subject = t->w->subject[s];
            ev->u.certificate.signers = everyone(t->w);
            drain(t);
        }
    for (uint64_t view = x->fin.view + 1; view <= (uint64_t)t->w->views; view++)
        for (int s = 0; s < t->w->subjects; s++) {
            if (t->w->subject[s].view != view || !(x->journal >> s & 1))
                continue;
            struct hub_event *ev = push(t, HUB_EV_OWN_VOTE);
            ev->u.vote.subject = t->w->subject[s];
            ev->u.vote.signer = x->core.cfg.me;
            drain(t);
        }
}

static void restart(struct node *x, struct world *w, uint8_t me)
{
    struct turn t = {.x = x, .w = w};
    struct hub_cons_config cfg = {.n = w->cfg.n, .q = w->cfg.q, .me = me, .delta_ms = 250};
    x->kept = x->stored;
    x->bodies = x->stored_bodies;
    x->fin = x->stored_fin;
    hub_cons_init(&x->core, &cfg, &x->fin, NODE_WALL_MS - 60000);
    push(&t, HUB_EV_VOTING)->u.voting.allowed = false;
    drain(&t);
    feed_journal(&t);
    push(&t, HUB_EV_START);
    (void)run(&t);
    push(&t, HUB_EV_VOTING)->u.voting.allowed = true;
    (void)run(&t);
    push(&t, HUB_EV_GATE)->u.gate.has_records = w->cfg.working >> me & 1;
    (void)run(&t);
}

void node_start(struct node *x, struct world *w, uint8_t me)
{
    memset(x, 0, sizeof *x);
    x->stored_fin = (struct hub_point){0, 0, world_hash(GENESIS)};
    restart(x, w, me);
    node_settle(x, w);
}

/* ---- actions */

static bool wants_block(const struct node *x, const struct hub_hash *hash)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        const struct hub_view *v = &x->core.views[i];
        if (v->used && (v->cert_state == HUB_SLOT_WANTED || v->cert_state == HUB_SLOT_PENDING) &&
            hub_hash_equal(&v->cert_blk.hash, hash))
            return true;
    }
    return false;
}

static bool begin(struct turn *t, const struct action *a)
{
    struct node *x = t->x;
    const struct world_block *b = &t->w->block[a->which];
    const struct hub_subject *s = &t->w->subject[a->which];
    struct hub_event *ev;
    switch (a->kind) {
    case ACT_TICK:
        ev = push(t, HUB_EV_TICK);
        ev->now_mono_ms += NODE_LONG_MS;
        return true;
    case ACT_BUILT:
        if (!x->core.building)
            return false;
        build(t);
        return true;
    case ACT_PROPOSE:
        if (!hub_cons_wants_proposal(&x->core, &b->facts))
            return false;
        x->bodies |= UINT32_C(1) << a->which;
        ev = push(t, HUB_EV_PROPOSAL);
        ev->u.proposal.header = b->facts;
        ev->u.proposal.from = b->facts.proposer;
        return true;
    case ACT_BLOCK:
        if (!wants_block(x, &b->facts.hash))
            return false;
        x->bodies |= world_chain(t->w, a->which);
        give_verdict(t, a->which);
        return true;
    case ACT_CERTIFICATE:
        if (!hub_cons_wants_certificate(&x->core, s))
            return false;
        x->kept |= UINT64_C(1) << a->which;
        ev = push(t, HUB_EV_CERTIFICATE);
        ev->u.certificate.subject = *s;
        ev->u.certificate.signers = everyone(t->w);
        return true;
    case ACT_VOTE:
        if (!hub_cons_wants_vote(&x->core, s, a->signer))
            return false;
        ev = push(t, HUB_EV_VOTE);
        ev->u.vote.subject = *s;
        ev->u.vote.signer = a->signer;
        return true;
    default:
        return false;
    }
}

bool node_act(struct node *x, struct world *w, const struct action *a)
{
    static struct turn t; /* 30 KB of queue */
    t.x = x;
    t.w = w;
    t.first = t.count = t.keep = 0;
    t.cast = t.resend = 0;
    t.crash = a->crash;
    const uint8_t me = x->core.cfg.me;
    if (a->kind == ACT_CRASH) {
        restart(x, w, me);
    } else if (a->kind == ACT_COMMIT) {
        commit(&t);
    } else {
        if (!begin(&t, a) || !run(&t))
            return false;
        if (a->crash)
            restart(x, w, me);
    }
    node_settle(x, w);
    return true;
}

bool node_votes_agree(const struct node *x, const struct world *w)
{
    for (int s = 0; s < w->subjects; s++)
        if (x->journal >> s & 1 && x->journal & w->excluded[s])
            return false;
    return true;
}
