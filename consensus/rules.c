/* rules.c: the voting rules N, F and Z, and the leader's duty. The only file that decides about a vote. */
#include "rules.h"

#include "effects.h"
#include "round.h"
#include "timer.h"

enum {
    SYNCING_BEHIND = 1 /* more final blocks missing than this: our turn as leader is passed on */
};

static bool may_vote(const struct hub_cons *c)
{
    return c->started && c->allowed && !c->halted && !c->ended && c->cfg.me < c->cfg.n;
}

static bool is_leader(const struct hub_cons *c)
{
    return hub_cons_leader(c, c->view) == c->cfg.me;
}

static struct hub_view *current(struct hub_cons *c)
{
    struct hub_view *v = hub_round_find(c, c->view);
    HUB_ASSERT(v);
    return v;
}

/* ---- votes of ours */

static struct hub_subject subject_of(const struct hub_cons *c, uint8_t kind, uint64_t view)
{
    return (struct hub_subject){.kind = kind, .epoch = c->cfg.epoch, .view = view};
}

static void keep_block(const struct hub_header_facts *b, struct hub_effects *out)
{
    struct hub_effect *fx = hub_effects_add(out, HUB_FX_KEEP_BLOCK);
    fx->view = b->view;
    fx->block_hash = b->hash;
}

static void cast(const struct hub_subject *s, struct hub_effects *out)
{
    struct hub_effect *fx = hub_effects_add(out, HUB_FX_VOTE);
    fx->view = s->view;
    fx->subject = *s;
}

static void cast_notarize(struct hub_cons *c, struct hub_view *v, struct hub_effects *out)
{
    struct hub_subject s = subject_of(c, HUB_NOTARIZE, v->view);
    HUB_ASSERT(!v->did_notarize && !v->did_finalize && !v->closed && v->view == c->view);
    v->did_notarize = true;
    v->my_notarize = s.block_hash = v->prop.hash;
    keep_block(&v->prop, out);
    cast(&s, out);
    if (is_leader(c)) {
        struct hub_effect *fx = hub_effects_add(out, HUB_FX_PROPOSE);
        fx->view = v->view;
        fx->block_hash = v->prop.hash;
    }
}

static void cast_nullify(struct hub_cons *c, struct hub_view *v, struct hub_effects *out)
{
    struct hub_subject s = subject_of(c, HUB_NULLIFY, v->view);
    HUB_ASSERT(!v->did_nullify && !v->did_finalize && !v->closed && v->view == c->view);
    v->did_nullify = true;
    cast(&s, out);
}

static void cast_finalize(struct hub_cons *c, struct hub_view *v, struct hub_effects *out)
{
    struct hub_subject s = subject_of(c, HUB_FINALIZE, v->view);
    HUB_ASSERT(!v->did_nullify && !v->did_finalize && !v->closed && v->notarized);
    v->did_finalize = v->did_notarize = true;
    v->my_notarize = s.block_hash = v->cert_blk.hash;
    s.height = v->cert_blk.height;
    s.log_size = v->cert_blk.log_size;
    s.log_root = v->cert_blk.log_root;
    keep_block(&v->cert_blk, out);
    cast(&s, out);
}

/* ---- rule N */

enum parent { PARENT_GOOD, PARENT_WAIT, PARENT_WRONG };

/* "p = parent_view, top.view <= p < v; the parent is certified; b.height = parent's + 1 (TAIL: equal);
 * NULLIFICATION(u) held for every u in (p, v); parent VALID." WRONG can never become good; WAIT can. */
static enum parent judge_parent(const struct hub_cons *c, const struct hub_header_facts *b)
{
    uint64_t p = b->parent_view;
    /* Below top: it would skip a final block, which no NULLIFICATION can justify. */
    if (p < c->top.view || p >= b->view)
        return PARENT_WRONG;
    const struct hub_hash *certified = hub_round_certified(c, p);
    if (!certified)
        return PARENT_WAIT;
    if (!hub_hash_equal(certified, &b->parent))
        return PARENT_WRONG; /* one notarization a view: b.parent has none */
    const struct hub_view *parent = hub_round_get(c, p);
    const uint64_t below = b->height - !b->tail;
    if (parent && parent->cert_state == HUB_SLOT_VALID && below != parent->cert_blk.height)
        return PARENT_WRONG;
    if (p == c->top.view && below != c->top.height)
        return PARENT_WRONG;
    /* ava-labs#281: skipping a view without proof that it is empty. */
    if (!hub_round_skipped(c, p + 1, b->view - 1))
        return PARENT_WAIT;
    if (parent && parent->cert_state != HUB_SLOT_VALID)
        return PARENT_WAIT;
    /* A parent older than the slots has no state here; executing b needs it, so b VALID implies it. */
    return p == c->top.view && c->fin.view != p && !parent ? PARENT_WAIT : PARENT_GOOD;
}

void hub_rules_notarize(struct hub_cons *c, struct hub_effects *out)
{
    struct hub_view *v = current(c);
    if (!may_vote(c) || v->closed || v->did_notarize || v->did_finalize)
        return;
    if (v->prop_state == HUB_SLOT_NONE || v->prop_state == HUB_SLOT_INVALID)
        return;
    enum parent parent = judge_parent(c, &v->prop);
    if (parent == PARENT_WRONG) {
        v->prop_state = HUB_SLOT_INVALID;
        return;
    }
    if (parent == PARENT_WAIT)
        return;
    if (v->prop_state == HUB_SLOT_WANTED) {
        v->prop_state = HUB_SLOT_PENDING; /* asked for by hub_repair_blocks */
        v->ask_due_ms = c->now_mono_ms;
        v->ask_wait_ms = HUB_RETRY_MS;
    }
    if (v->prop_state != HUB_SLOT_VALID)
        return;
    if (v->prop.time_ms > c->now_wall_ms + HUB_CLOCK_AHEAD_MS) {
        uint64_t wait_ms = v->prop.time_ms - c->now_wall_ms - HUB_CLOCK_AHEAD_MS;
        (void)hub_effects_due(out, c, c->now_mono_ms + wait_ms);
        return;
    }
    cast_notarize(c, v, out);
}

/* ---- rule F */

/* "NOTARIZATION(b, v) held; cert_blk(v) = b is VALID; my_notarize(v) in {none, b}; my_nullify(v) == false;
 * my_finalize(v) == none; v > top.view. Any v, below, at or above view." Durable: KEEP_BLOCK, in the same commit. */
static bool may_finalize(const struct hub_cons *c, const struct hub_view *v)
{
    if (!v->notarized || v->cert_state != HUB_SLOT_VALID || v->view <= c->top.view)
        return false;
    if (v->closed || v->did_nullify || v->did_finalize)
        return false;
    return !v->did_notarize || hub_hash_equal(&v->my_notarize, &v->cert_blk.hash);
}

void hub_rules_finalize(struct hub_cons *c, struct hub_effects *out)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX && may_vote(c); i++)
        if (c->views[i].used && may_finalize(c, &c->views[i]))
            cast_finalize(c, &c->views[i], out);
}

/* ---- rule Z */

/* A leader without work passes its turn to a node that has some; so does one that cannot build: syncing, or its
 * build failed. */
static bool leader_gives_up(const struct hub_cons *c, struct hub_effects *out)
{
    const struct hub_view *v = hub_round_get(c, c->view);
    if (!is_leader(c) || v->did_notarize || c->building)
        return false;
    bool work = c->has_records || hub_timer_unfinalized(c, out) || hub_timer_heartbeat(c, out);
    bool syncing = c->top.height > c->fin.height + SYNCING_BEHIND;
    return c->build_failed || !work || syncing;
}

/* "Immediate triggers: invalid proposal from the leader; leader's own NULLIFY(v); own propose failure; skip rule"; else
 * t_l without a proposal, t_a in any case. */
static bool wants_nullify(const struct hub_cons *c, struct hub_effects *out)
{
    const struct hub_view *v = hub_round_get(c, c->view);
    uint8_t leader = hub_cons_leader(c, c->view);
    bool proposed = v->prop_state != HUB_SLOT_NONE || v->cert_state != HUB_SLOT_NONE;
    if (v->prop_state == HUB_SLOT_INVALID || v->nullifiers >> leader & 1)
        return true;
    if (leader_gives_up(c, out))
        return true;
    if (!proposed && (hub_effects_due(out, c, c->leader_due_ms) || hub_timer_skips_leader(c, out)))
        return true;
    return hub_effects_due(out, c, c->advance_due_ms);
}

void hub_rules_nullify(struct hub_cons *c, struct hub_effects *out)
{
    struct hub_view *v = current(c);
    if (!may_vote(c) || v->closed || v->did_nullify || v->did_finalize || !c->gate_open)
        return;
    if (wants_nullify(c, out))
        cast_nullify(c, v, out);
}

/* ---- leader */

struct base {
    const struct hub_hash *hash;
    uint64_t view, time_ms;
};

/* "base = highest p < v with NOTARIZATION or FINALIZATION(p), its block executed, and all of (p, v) nullified." */
static bool find_base(const struct hub_cons *c, struct base *out)
{
    uint64_t lowest = hub_round_reach(c, c->view);
    const struct hub_view *best = NULL;
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        const struct hub_view *v = &c->views[i];
        if (v->used && v->notarized && v->cert_state == HUB_SLOT_VALID && v->view > c->top.view &&
            v->view >= lowest && v->view < c->view && (!best || v->view > best->view))
            best = v;
    }
    if (best) {
        *out = (struct base){&best->cert_blk.hash, best->view, best->cert_blk.time_ms};
        return true;
    }
    if (lowest > c->top.view || c->fin.view != c->top.view)
        return false;
    *out = (struct base){&c->top.block_hash, c->top.view, c->fin_time_ms};
    return true;
}

const struct hub_hash *hub_cons_base(const struct hub_cons *c)
{
    struct base base;
    if (find_base(c, &base))
        return base.hash;
    const struct hub_view *best = NULL;
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        const struct hub_view *v = &c->views[i];
        if (v->used && v->notarized && v->cert_state == HUB_SLOT_VALID && v->view > c->top.view &&
            (!best || v->view > best->view))
            best = v;
    }
    return best ? &best->cert_blk.hash : &c->fin.block_hash;
}

/* The pace between the time stamps of parent and child, by either clock: a parent from a fast clock must not
 * make us wait longer than the pace itself. */
static bool paced(const struct hub_cons *c, uint64_t parent_time_ms, struct hub_effects *out)
{
    uint64_t from_ms = parent_time_ms + c->cfg.pace_ms;
    if (c->now_wall_ms >= from_ms)
        return true;
    uint64_t wait_ms = from_ms - c->now_wall_ms;
    if (wait_ms > c->cfg.pace_ms)
        wait_ms = c->cfg.pace_ms;
    uint64_t due_ms = c->now_mono_ms + wait_ms, latest_ms = c->entered_ms + c->cfg.pace_ms;
    return hub_effects_due(out, c, due_ms < latest_ms ? due_ms : latest_ms);
}

/* On entering v as leader, and again on every event until it succeeds or we nullify. A leader that has
 * nullified does not build; with the gate closed it waits. */
void hub_rules_build(struct hub_cons *c, struct hub_effects *out)
{
    const struct hub_view *v = current(c);
    struct base base;
    if (!may_vote(c) || !is_leader(c) || !c->gate_open || v->closed)
        return;
    if (v->did_notarize || v->did_nullify || v->prop_state != HUB_SLOT_NONE)
        return;
    if (c->building || leader_gives_up(c, out))
        return;
    if (!find_base(c, &base) || !paced(c, base.time_ms, out))
        return; /* missing pieces are being asked for; the view is not given up */
    c->building = true;
    struct hub_effect *fx = hub_effects_add(out, HUB_FX_BUILD);
    fx->view = c->view;
    fx->first = base.view;
    fx->parent = *base.hash;
    fx->empty = !c->has_records;
}
