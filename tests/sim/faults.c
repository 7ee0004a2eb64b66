/* faults.c: how each fault of a schedule strikes. Windows end by themselves, and all of them when faults end. */
#include "sim.h"

const char *const sim_fault_names[SIM_FAULT_KINDS] = {
    [SIM_CRASH] = "crash",   [SIM_ERROR] = "error", [SIM_PAUSE] = "pause", [SIM_SLOW] = "slow",
    [SIM_FULL] = "full",     [SIM_LIE] = "lie",     [SIM_FLIP] = "flip",   [SIM_WIPE] = "wipe",
    [SIM_REWIND] = "rewind", [SIM_SPLIT] = "split", [SIM_CLOG] = "clog",   [SIM_JUMP] = "jump",
    [SIM_APP] = "app",       [SIM_CLONE] = "clone",
};

/* The snapshot that belongs to this rewinding. */
static uint32_t shot_of(uint32_t fault)
{
    return fault % SIM_SHOTS_MAX;
}

void sim_schedule_faults(struct sim *s)
{
    for (uint32_t i = 0; i < s->plan.faults; i++) {
        const struct sim_fault *f = &s->plan.fault[i];
        sim_push(s, &(struct sim_event){.time_ms = f->at_ms, .kind = SIM_FAULT, .record = i});
        uint64_t age = (uint64_t)(f->what < 0 ? -f->what : f->what);
        if (f->kind == SIM_REWIND)
            sim_push(s, &(struct sim_event){.time_ms = f->at_ms > age ? f->at_ms - age : 0,
                                            .kind = SIM_SHOOT,
                                            .node = f->node,
                                            .record = shot_of(i)});
    }
}

static bool active(const struct sim *s, const struct sim_fault *f)
{
    return !s->healed && f->at_ms <= s->now_ms && s->now_ms < f->at_ms + f->for_ms;
}

static void cut_by(struct sim *s, const struct sim_fault *f)
{
    enum sim_split kind = (enum sim_split)(f->what & 0xff);
    uint64_t second = (uint64_t)f->what >> 8, all = ((uint64_t)1 << s->plan.n) - 1;
    for (uint8_t i = 0; i < s->plan.n; i++) {
        bool mine = second >> i & 1;
        if ((kind == SIM_ONE_WAY && !mine) || (kind == SIM_BRIDGE && i == f->node))
            continue;
        s->cut[i] |= all & (mine ? ~second : second);
        if (kind == SIM_BRIDGE && f->node < s->plan.n)
            s->cut[i] &= ~((uint64_t)1 << f->node);
    }
}

void sim_cut_links(struct sim *s)
{
    for (uint8_t i = 0; i < s->plan.n; i++)
        s->cut[i] = 0;
    for (uint32_t i = 0; i < s->plan.faults; i++)
        if (s->plan.fault[i].kind == SIM_SPLIT && active(s, &s->plan.fault[i]))
            cut_by(s, &s->plan.fault[i]);
}

static uint64_t later_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* It may sign against what it has forgotten, unless its guard knows better: then it must not, and stays among those
 * of whom everything is demanded. */
void sim_lost(struct sim_node *n, uint64_t votes_before)
{
    const struct sim_journal *j = &n->journal;
    bool guarded = !n->guard.missing && n->guard.mark.votes > j->now.votes;
    n->faulty |= j->now.votes < votes_before && !guarded && !sim_guard_off(n->sim, SIM_FORGIVEN);
    n->lost = true;
    n->checked_height = 0;
    n->sim->checker.cast[n->slot].votes = j->now.votes;
}

/* The disk of a node that is down, or goes down for it. */
static void lose_disk(struct sim_node *n, const struct sim_fault *f, uint32_t shot)
{
    struct sim *s = n->sim;
    size_t votes = n->journal.committed.votes;
    if (n->up)
        sim_crash(n, f->for_ms);
    bool rewound = f->kind == SIM_REWIND && sim_journal_rewind(&n->journal, shot);
    if (f->kind == SIM_REWIND && !rewound)
        return;
    if (!rewound)
        sim_journal_free(&n->journal);
    if (f->what < 0)
        n->guard = rewound ? n->guard_shot[shot] : (struct sim_guard){.missing = true};
    sim_trace(s, "node %u: disk %s", n->index, rewound ? "rewound" : "wiped");
    s->struck[f->kind]++;
    sim_lost(n, votes);
}

/* One in a run. From now on nothing can be said of what this key signs. */
static void clone_node(struct sim_node *n, const struct sim_fault *f)
{
    struct sim *s = n->sim;
    struct sim_node *c = &s->node[SIM_CLONE_SLOT];
    if (c->sim)
        return;
    sim_node_open(c, s, SIM_CLONE_SLOT, n->index);
    sim_journal_copy(&c->journal, &n->journal);
    sim_guard_settle(&n->guard, s->now_ms, false);
    c->guard = f->what < 0 ? (struct sim_guard){.missing = true} : n->guard;
    c->guard.waits = false;
    s->clone.hears = (uint64_t)(f->what < 0 ? -f->what : f->what);
    s->clone.guarded = !c->guard.missing;
    s->checker.cast[c->slot].votes = c->journal.now.votes;
    n->faulty = c->faulty = true;
    s->struck[SIM_CLONE]++;
    sim_push(s, &(struct sim_event){
                    .time_ms = s->now_ms + f->for_ms, .kind = SIM_BOOT, .node = c->slot});
}

static void strike_node(struct sim_node *n, const struct sim_fault *f, uint32_t shot)
{
    struct sim *s = n->sim;
    uint64_t until = s->now_ms + f->for_ms;
    switch (f->kind) {
    case SIM_CRASH:
    case SIM_ERROR:
        if (!n->up)
            return;
        n->fuse_kind = f->kind == SIM_CRASH ? SIM_FUSE_CRASH : SIM_FUSE_ERROR;
        n->fuse = f->what;
        n->down_ms = f->for_ms;
        return; /* counted when it strikes */
    case SIM_PAUSE:
        n->busy_until_ms = later_of(n->busy_until_ms, until);
        break;
    case SIM_SLOW:
        n->slow_until_ms = until;
        n->slow_ms = (uint64_t)f->what;
        return;
    case SIM_FULL:
        n->full_until_ms = until;
        return;
    case SIM_LIE:
        n->lies_until_ms = until;
        n->torn = f->what & 1;
        return;
    case SIM_FLIP:
        if (!sim_journal_flip(&n->journal, (uint64_t)f->what))
            return;
        break;
    case SIM_WIPE:
    case SIM_REWIND:
        lose_disk(n, f, shot);
        return;
    case SIM_CLONE:
        clone_node(n, f);
        return;
    case SIM_JUMP:
        n->jump_until_ms = until;
        n->jump_ms = f->what;
        break;
    case SIM_APP:
        n->app_until_ms = until;
        n->app = f->what;
        n->faulty |= f->what == SIM_APP_REFUSES;
        break;
    default:
        return;
    }
    s->struck[f->kind]++;
}

static void clog_links(struct sim *s, const struct sim_fault *f)
{
    for (uint8_t to = 0; to < s->plan.n && f->node < s->plan.n; to++)
        if ((uint64_t)f->what >> to & 1) {
            uint64_t *until = &s->clogged_until_ms[f->node][to];
            *until = later_of(*until, s->now_ms + f->for_ms);
        }
    s->struck[SIM_CLOG]++;
}

void sim_strike(struct sim *s, uint32_t fault)
{
    const struct sim_fault *f = &s->plan.fault[fault];
    sim_trace(s, "fault %s, node %d, for %llu ms: %lld", sim_fault_names[f->kind],
              f->node == SIM_ALL ? -1 : f->node, (unsigned long long)f->for_ms, (long long)f->what);
    if (f->kind == SIM_SPLIT) {
        s->struck[SIM_SPLIT]++;
        sim_cut_links(s);
        sim_push(s, &(struct sim_event){.time_ms = s->now_ms + f->for_ms, .kind = SIM_OVER});
    } else if (f->kind == SIM_CLOG) {
        clog_links(s, f);
    } else {
        for (uint8_t i = 0; i < s->plan.n; i++)
            if ((f->node == SIM_ALL || f->node == i) && !s->node[i].gone)
                strike_node(&s->node[i], f, shot_of(fault));
    }
}
