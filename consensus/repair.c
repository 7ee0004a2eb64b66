/* repair.c: questions, help and resends. Every wait is bounded below by 1 s and above by 10 s, every answer
 * by the replica's limits, so that repair never costs more than the traffic it repairs. */
#include "repair.h"

#include "effects.h"
#include "round.h"
#include "timer.h"

enum { HELP_EVERY_MS = 250, FINALIZES_RESENT = 8 };

/* ---- blocks */

static bool lacks_verdict(enum hub_slot s)
{
    return s == HUB_SLOT_WANTED || s == HUB_SLOT_PENDING;
}

static void ask_block(struct hub_cons *c, struct hub_view *v, struct hub_effects *out)
{
    /* A proposal is WANTED until rule N may use it; then it is PENDING. */
    bool prop = v->prop_state == HUB_SLOT_PENDING && v->view == c->view;
    bool cert = lacks_verdict(v->cert_state);
    if (!prop && !cert)
        return;
    if (v->cert_state == HUB_SLOT_WANTED) {
        v->ask_due_ms = c->now_mono_ms;
        v->ask_wait_ms = HUB_RETRY_MS;
    }
    if (!hub_effects_due(out, c, v->ask_due_ms))
        return;
    if (cert) {
        struct hub_effect *fx = hub_effects_add(out, HUB_FX_FETCH_BLOCK);
        fx->view = v->view;
        fx->block_hash = v->cert_blk.hash;
        fx->peers = v->cert_signers;
        if (c->cfg.me < c->cfg.n)
            fx->peers &= ~(UINT64_C(1) << c->cfg.me);
        v->cert_state = HUB_SLOT_PENDING;
    }
    if (prop && !(cert && hub_hash_equal(&v->prop.hash, &v->cert_blk.hash))) {
        struct hub_effect *fx = hub_effects_add(out, HUB_FX_EXECUTE);
        fx->view = v->view;
        fx->block_hash = v->prop.hash;
    }
    if (v->ask_wait_ms == 0)
        v->ask_wait_ms = HUB_RETRY_MS;
    v->ask_due_ms = c->now_mono_ms + v->ask_wait_ms;
    v->ask_wait_ms = hub_timer_longer(v->ask_wait_ms);
    (void)hub_effects_due(out, c, v->ask_due_ms);
}

void hub_repair_blocks(struct hub_cons *c, struct hub_effects *out)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++)
        if (c->views[i].used)
            ask_block(c, &c->views[i], out);
}

void hub_repair_hurry(struct hub_cons *c, uint64_t view)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++)
        if (c->views[i].used && c->views[i].view > view)
            c->views[i].ask_due_ms = c->now_mono_ms;
}

/* ---- certificates */

struct hub_range hub_repair_proposal_gap(const struct hub_cons *c)
{
    const struct hub_range none = {1, 0};
    const struct hub_view *v = hub_round_get(c, c->view);
    if (!v || v->prop_state != HUB_SLOT_WANTED || v->prop.parent_view < c->top.view)
        return none;
    const uint64_t p = v->prop.parent_view, last = hub_round_reach(c, c->view);
    const bool certified = hub_round_certified(c, p) != NULL;
    if (last > p) /* the newest view that is not nullified */
        return (struct hub_range){certified ? p + 1 : p, last};
    if (!certified)
        return (struct hub_range){p, p};
    return none;
}

static bool unknown(const struct hub_cons *c, uint64_t view)
{
    return !hub_round_skipped(c, view, view) && !hub_round_certified(c, view);
}

/* The newest run of views between top and ours of which we hold no certificate: we jumped over them. */
static struct hub_range unknown_views(const struct hub_cons *c)
{
    uint64_t last = c->view - 1;
    /* Newest first: the leader builds on what is nearest. Bounded by the ranges and notarized views held. */
    while (last > c->top.view) {
        uint64_t below = hub_round_reach(c, last + 1);
        if (below < last)
            last = below; /* below+1 .. last are nullified */
        else if (hub_round_certified(c, last))
            last--;
        else
            break;
    }
    if (last <= c->top.view)
        return (struct hub_range){1, 0};
    uint64_t first = last;
    while (last - first + 1 < HUB_GET_VIEWS_MAX && first - 1 > c->top.view && unknown(c, first - 1))
        first--;
    return (struct hub_range){first, last};
}

static void ask_views(struct hub_effects *out, struct hub_range views, uint8_t peer)
{
    struct hub_effect *fx = hub_effects_add(out, HUB_FX_FETCH_CERTS);
    if (views.last - views.first >= HUB_GET_VIEWS_MAX)
        views.first = views.last - HUB_GET_VIEWS_MAX + 1;
    fx->first = views.first;
    fx->last = views.last;
    fx->peer = peer;
}

static bool is_ahead(const struct hub_cons *c, uint8_t peer)
{
    const struct hub_peer_seen *p = &c->peer[peer];
    return peer != c->cfg.me && (p->view > c->view || p->top_view > c->top.view);
}

/* The next peer ahead of us after the one asked last; n = none. */
static uint8_t peer_ahead(const struct hub_cons *c)
{
    for (uint8_t i = 1; i <= c->cfg.n; i++) {
        uint8_t peer = (uint8_t)((c->certs_peer + i) % c->cfg.n);
        if (is_ahead(c, peer))
            return peer;
    }
    return c->cfg.n;
}

static void ask_peer_ahead(struct hub_cons *c, uint8_t peer, struct hub_effects *out)
{
    const struct hub_peer_seen *p = &c->peer[peer];
    uint64_t last = p->view > p->top_view + 1 ? p->view - 1 : p->top_view;
    struct hub_range views = {c->top.view + 1, last};
    ask_views(out, views, peer);
    /* Its finalization may lie below the newest HUB_GET_VIEWS_MAX views. */
    if (p->top_view > c->top.view && last - p->top_view >= HUB_GET_VIEWS_MAX)
        ask_views(out, (struct hub_range){p->top_view, p->top_view}, peer);
    c->certs_peer = peer;
}

void hub_repair_certificates(struct hub_cons *c, struct hub_effects *out)
{
    const struct hub_range lacks = hub_repair_proposal_gap(c), jumped = unknown_views(c);
    uint8_t ahead = peer_ahead(c);
    if (lacks.first > lacks.last && jumped.first > jumped.last && ahead == c->cfg.n) {
        c->certs_due_ms = 0;
        c->certs_wait_ms = HUB_RETRY_MS;
        return;
    }
    if (!hub_effects_due(out, c, c->certs_due_ms))
        return;
    bool first_time = c->certs_wait_ms == HUB_RETRY_MS;
    if (lacks.first <= lacks.last)
        ask_views(out, lacks, first_time ? hub_cons_leader(c, c->view) : c->cfg.n);
    if (jumped.first <= jumped.last)
        ask_views(out, jumped, c->cfg.n);
    if (ahead < c->cfg.n)
        ask_peer_ahead(c, ahead, out);
    c->certs_due_ms = c->now_mono_ms + c->certs_wait_ms;
    c->certs_wait_ms = hub_timer_longer(c->certs_wait_ms);
    (void)hub_effects_due(out, c, c->certs_due_ms);
}

void hub_repair_reset(struct hub_cons *c)
{
    c->certs_due_ms = 0;
    c->certs_wait_ms = HUB_RETRY_MS;
}

/* ---- help */

void hub_repair_help(struct hub_cons *c, const struct hub_subject *s, uint8_t peer,
                     struct hub_effects *out)
{
    struct hub_peer_seen *p = &c->peer[peer];
    /* A FINALIZE above top is no sign of lagging: it is what top waits for. */
    bool old = s->kind == HUB_FINALIZE ? s->view <= c->top.view : s->view < c->view;
    /* The last voters of a view are late by nature; those a Delta late lack something. */
    bool late = s->view + 2 < c->view || c->now_mono_ms >= c->entered_ms + c->cfg.delta_ms;
    if (peer == c->cfg.me || !old || !late)
        return;
    if (p->helped && c->now_mono_ms < p->helped_ms + HELP_EVERY_MS)
        return;
    p->helped = true;
    p->helped_ms = c->now_mono_ms;
    struct hub_effect *fx = hub_effects_add(out, HUB_FX_HELP);
    fx->peer = peer;
    fx->view = c->view;
    fx->first = fx->last = s->view;
}

/* ---- resending */

static bool voted_above_top(const struct hub_cons *c)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++)
        if (c->views[i].used && c->views[i].view > c->top.view && hub_round_own_vote(&c->views[i]))
            return true;
    return c->closed_below > c->top.view;
}

static bool non_empty_above_top(const struct hub_cons *c)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        const struct hub_view *v = &c->views[i];
        if (v->used && v->notarized && v->view > c->top.view &&
            !(v->cert_state == HUB_SLOT_VALID && v->cert_blk.empty))
            return true;
    }
    return false;
}

/* The 8 newest views above top in which we cast FINALIZE, as a range; first > last: none. */
static struct hub_range own_finalizes(const struct hub_cons *c)
{
    struct hub_range r = {1, 0};
    uint64_t below = UINT64_MAX;
    for (uint32_t n = 0; n < FINALIZES_RESENT; n++) {
        const struct hub_view *best = NULL;
        for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
            const struct hub_view *v = &c->views[i];
            if (v->used && v->did_finalize && v->view > c->top.view && v->view < below &&
                (!best || v->view > best->view))
                best = v;
        }
        if (!best)
            break;
        r.first = below = best->view;
        if (n == 0)
            r.last = best->view;
    }
    return r;
}

void hub_repair_retry(struct hub_cons *c, struct hub_effects *out)
{
    const struct hub_view *v = hub_round_get(c, c->view);
    HUB_ASSERT(v);
    if (!c->gate_open && !voted_above_top(c) && !non_empty_above_top(c)) {
        c->retry_due_ms = HUB_NEVER;
        return;
    }
    if (c->retry_due_ms == HUB_NEVER)
        c->retry_due_ms = c->now_mono_ms + hub_timer_jitter(c, c->retry_wait_ms);
    if (!hub_effects_due(out, c, c->retry_due_ms))
        return;
    struct hub_range finalizes = own_finalizes(c);
    struct hub_effect *fx = hub_effects_add(out, HUB_FX_RETRY);
    fx->view = c->view;
    fx->first = finalizes.first;
    fx->last = finalizes.last;
    if (v->did_notarize && hub_cons_leader(c, c->view) == c->cfg.me) {
        fx = hub_effects_add(out, HUB_FX_PROPOSE); /* sent again, never built again */
        fx->view = c->view;
        fx->block_hash = v->my_notarize;
    }
    c->retry_wait_ms = hub_timer_longer(c->retry_wait_ms);
    c->retry_due_ms = c->now_mono_ms + hub_timer_jitter(c, c->retry_wait_ms);
    (void)hub_effects_due(out, c, c->retry_due_ms);
}

static bool notarized_above_top(const struct hub_cons *c)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++)
        if (c->views[i].used && c->views[i].notarized && c->views[i].view > c->top.view)
            return true;
    return c->notarized_count > 0;
}

void hub_repair_standstill(struct hub_cons *c, struct hub_effects *out)
{
    if (!notarized_above_top(c)) {
        c->standstill_due_ms = HUB_NEVER;
        return;
    }
    if (c->standstill_due_ms == HUB_NEVER)
        c->standstill_due_ms = c->now_mono_ms + HUB_STANDSTILL_MS;
    if (!hub_effects_due(out, c, c->standstill_due_ms))
        return;
    struct hub_range finalizes = own_finalizes(c);
    if (finalizes.first <= finalizes.last) {
        struct hub_effect *fx = hub_effects_add(out, HUB_FX_RESEND_FINALIZE);
        fx->first = finalizes.first;
        fx->last = finalizes.last;
    }
    ask_views(out, (struct hub_range){c->top.view + 1, c->view}, c->cfg.n);
    c->standstill_due_ms = c->now_mono_ms + HUB_STANDSTILL_MS;
    (void)hub_effects_due(out, c, c->standstill_due_ms);
}
