/* waiting.c: what the core waits for. Reads, decides nothing. */
#include "hub/waiting.h"

#include "repair.h"
#include "round.h"

#include <string.h>

static uint64_t most_voted(const struct hub_tally *t)
{
    uint64_t best = 0;
    for (uint32_t i = 0; i < t->count; i++)
        if (hub_bits_set(t->candidate[i].signers) > hub_bits_set(best))
            best = t->candidate[i].signers;
    return best;
}

static void add_view(const struct hub_cons *c, const struct hub_view *v, struct hub_waiting *out)
{
    HUB_ASSERT(out->views < HUB_VIEWS_MAX);
    out->view[out->views++] = (struct hub_waiting_view){.view = v->view,
                                                        .leader = hub_cons_leader(c, v->view),
                                                        .certified = v->notarized,
                                                        .notarize = most_voted(&v->notarize),
                                                        .nullify = v->nullifiers,
                                                        .finalize = most_voted(&v->finalize)};
}

static bool is_missing(enum hub_slot s)
{
    return s == HUB_SLOT_WANTED || s == HUB_SLOT_PENDING;
}

/* The lowest certified block without verdict: everything above waits for it. */
static const struct hub_view *missing_block(const struct hub_cons *c)
{
    const struct hub_view *lowest = NULL;
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        const struct hub_view *v = &c->views[i];
        if (v->used && v->view >= c->top.view && is_missing(v->cert_state) &&
            (!lowest || v->view < lowest->view))
            lowest = v;
    }
    return lowest;
}

static void set_block(struct hub_waiting *out, const struct hub_hash *hash, uint64_t view,
                      uint64_t holders)
{
    out->what = HUB_WAITS_BLOCK;
    out->block = *hash;
    out->block_view = view;
    out->holders = holders;
}

/* The proposal of the current view, as rule N looks at it. */
static void judge_proposal(const struct hub_cons *c, const struct hub_view *v, uint64_t now_wall_ms,
                           struct hub_waiting *out)
{
    const struct hub_range gap = hub_repair_proposal_gap(c);
    switch (v->prop_state) {
    case HUB_SLOT_NONE:
        out->what =
            hub_cons_leader(c, c->view) == c->cfg.me ? HUB_WAITS_OWN_PROPOSAL : HUB_WAITS_PROPOSAL;
        return;
    case HUB_SLOT_INVALID:
        out->what = HUB_WAITS_REFUSED;
        return;
    case HUB_SLOT_WANTED:
    case HUB_SLOT_PENDING:
        if (gap.first <= gap.last) {
            out->what = HUB_WAITS_CERTIFICATES;
            out->first = gap.first;
            out->last = gap.last;
        } else {
            set_block(out, &v->prop.hash, v->view, UINT64_C(1) << hub_cons_leader(c, v->view));
        }
        return;
    case HUB_SLOT_VALID:
        break;
    }
    out->what = HUB_WAITS_VOTES;
    if (!v->did_notarize && v->prop.time_ms > now_wall_ms + HUB_CLOCK_AHEAD_MS) {
        out->what = HUB_WAITS_CLOCK;
        out->ahead_ms = v->prop.time_ms - now_wall_ms;
    }
}

void hub_cons_waiting(const struct hub_cons *c, uint64_t now_wall_ms, struct hub_waiting *out)
{
    const struct hub_view *v = hub_round_get(c, c->view), *lacks = missing_block(c);
    memset(out, 0, sizeof *out);
    HUB_ASSERT(v);
    add_view(c, v, out);
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++)
        if (c->views[i].used && c->views[i].view > c->top.view && c->views[i].view != c->view)
            add_view(c, &c->views[i], out);
    out->since_ms = c->entered_ms;
    if (c->halted) {
        out->what = HUB_WAITS_HALTED;
    } else if (lacks) {
        set_block(out, &lacks->cert_blk.hash, lacks->view, lacks->cert_signers);
        out->since_ms = lacks->cert_since_ms;
    } else if (!c->gate_open) {
        out->what = HUB_WAITS_WORK;
    } else {
        judge_proposal(c, v, now_wall_ms, out);
    }
    HUB_ASSERT(out->views >= 1 && out->view[0].view == c->view);
}
