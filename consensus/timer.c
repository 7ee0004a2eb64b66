/* timer.c: the idle gate and the time-outs.
 *
 * The gate of the current view is open iff
 *   (a) an eligible record waits, or the heartbeat is due;
 *   (b) a non-empty block above top has been certified and not final for t_f;
 *   (c) we cast NOTARIZE or NULLIFY in this view;
 *   (d) a verified NULLIFY of this view by any other validator is held: one peer opens it so at most once in
 *       10 s, a later one is held and opens it then.
 * One node alone with work, or waiting for f+1 NULLIFYs, is a lock-up; opening on any NULLIFY is none.
 * It governs exactly two things: closed, the leader does not build, and t_l and t_a do not run. */
#include "timer.h"

#include "effects.h"
#include "round.h"

/* 1.3^k in permille, capped at 20. */
static const uint16_t backoff_permille[13] = {1000, 1300, 1690,  2197,  2856,  3713, 4827,
                                              6275, 8157, 10604, 13786, 17922, 20000};

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void hub_timer_view(const struct hub_cons *c, uint64_t *leader_ms, uint64_t *advance_ms)
{
    const struct hub_cons_config *g = &c->cfg;
    uint64_t t = max_u64(1000, 2 * g->delta_ms + max_u64(g->block_send_ms, g->pace_ms));
    /* Only after more unfinalized views in a row than crashed leaders explain. */
    uint64_t failed = c->view - c->top.view - 1, excused = (uint64_t)(g->n - g->q) + 1;
    uint64_t k = failed > excused ? failed - excused : 0;
    uint64_t permille = backoff_permille[k < 12 ? k : 12];
    *leader_ms = t * permille / 1000;
    *advance_ms = (t + 1000) * permille / 1000;
}

uint64_t hub_timer_longer(uint64_t wait_ms)
{
    uint64_t longer = wait_ms + wait_ms / 2;
    return longer < HUB_RETRY_MAX_MS ? longer : HUB_RETRY_MAX_MS;
}

uint64_t hub_timer_jitter(const struct hub_cons *c, uint64_t wait_ms)
{
    /* splitmix64: one well mixed number of (seed, view, time). */
    uint64_t x = c->cfg.jitter_seed ^ c->view * UINT64_C(0x9e3779b97f4a7c15) ^ c->now_mono_ms << 20;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return wait_ms - wait_ms / 10 + x % (wait_ms / 5 + 1);
}

/* ---- gate */

bool hub_timer_unfinalized(const struct hub_cons *c, struct hub_effects *out)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        const struct hub_view *v = &c->views[i];
        if (v->used && v->notarized && v->view > c->top.view && v->cert_state == HUB_SLOT_VALID &&
            !v->cert_blk.empty && hub_effects_due(out, c, v->cert_since_ms + HUB_UNFINALIZED_MS))
            return true;
    }
    return false;
}

bool hub_timer_heartbeat(const struct hub_cons *c, struct hub_effects *out)
{
    return c->cfg.heartbeat_ms && hub_effects_due(out, c, c->last_block_ms + c->cfg.heartbeat_ms);
}

/* Rule (d). */
static bool opened_by_peer(struct hub_cons *c, const struct hub_view *v, struct hub_effects *out)
{
    uint64_t others = v->nullifiers;
    if (c->cfg.me < c->cfg.n)
        others &= ~(UINT64_C(1) << c->cfg.me);
    for (uint8_t i = 0; i < c->cfg.n; i++)
        if (others >> i & 1 && c->peer[i].opened && c->peer[i].opened_view == c->view)
            return true;
    for (uint8_t i = 0; i < c->cfg.n; i++) {
        struct hub_peer_seen *p = &c->peer[i];
        if (!(others >> i & 1))
            continue;
        if (p->opened && !hub_effects_due(out, c, p->opened_ms + HUB_OPENED_BY_PEER_MS))
            continue;
        p->opened = true;
        p->opened_ms = c->now_mono_ms;
        p->opened_view = c->view;
        return true;
    }
    return false;
}

void hub_timer_gate(struct hub_cons *c, struct hub_effects *out)
{
    const struct hub_view *v = hub_round_get(c, c->view);
    HUB_ASSERT(v);
    bool work = c->has_records || hub_timer_heartbeat(c, out) || hub_timer_unfinalized(c, out);
    bool own = v->did_notarize || v->did_nullify;
    bool open = work || own || opened_by_peer(c, v, out);
    if (open && !c->gate_open) {
        c->opened_ms = c->now_mono_ms;
        if (!own)
            hub_effects_add(out, HUB_FX_STATUS); /* so that a silent leader shows */
    }
    c->gate_open = open;
    if (!open) {
        c->leader_due_ms = c->advance_due_ms = HUB_NEVER;
    } else if (c->advance_due_ms == HUB_NEVER) {
        uint64_t leader_ms, advance_ms;
        hub_timer_view(c, &leader_ms, &advance_ms);
        c->leader_due_ms = c->now_mono_ms + leader_ms;
        c->advance_due_ms = c->now_mono_ms + advance_ms;
    }
}

/* ---- skip rule */

static uint64_t silent_from(const struct hub_cons *c, uint8_t peer)
{
    const struct hub_peer_seen *p = &c->peer[peer];
    return p->seen_ms + max_u64(HUB_SILENT_MS, 3 * p->period_ms);
}

bool hub_timer_skips_leader(const struct hub_cons *c, struct hub_effects *out)
{
    uint8_t leader = hub_cons_leader(c, c->view);
    uint32_t seen = 0;
    if (leader == c->cfg.me || !c->gate_open)
        return false;
    for (uint8_t i = 0; i < c->cfg.n; i++)
        seen += i != leader && i != c->cfg.me && c->now_mono_ms < silent_from(c, i);
    if (seen + 1 < c->cfg.q)
        return false;
    return hub_effects_due(out, c,
                           max_u64(silent_from(c, leader), c->opened_ms + HUB_SKIP_GATE_MS));
}

void hub_timer_enter(struct hub_cons *c)
{
    c->leader_due_ms = c->advance_due_ms = HUB_NEVER;
    c->retry_due_ms = HUB_NEVER;
    c->retry_wait_ms = HUB_RETRY_MS;
}
