/* plan.c: what a seed decides: size, who lies or may lose its disk, faults, work. Which kinds of fault a seed has is
 * itself a matter of chance (swarm testing), and each kind draws from a stream of its own. */
#include "sim.h"

#include <string.h>

enum {
    WORK_MS = 18000,
    FAULTS_MS = 26000,
    LIMIT_MS = 200000,
    FIRST_MS = 300,
    SMALL_JUMP_MS = 2000
};

/* How many may lie or lose their disk without a fork (b_safe = 2q - n - 1), and be lost for good without a halt
 * (c_live = n - q). Three nodes are safe with two liars, but need all three to go on. */
static uint8_t spare_of(uint8_t n)
{
    uint8_t q = (uint8_t)(2 * n / 3 + 1), safe = (uint8_t)(2 * q - n - 1), live = (uint8_t)(n - q);
    return safe < live ? safe : live;
}

static uint64_t stream(uint64_t seed, uint64_t what)
{
    uint64_t state = seed * 0x2545f4914f6cdd1du + what;
    return sim_random(&state);
}

/* ---- who */

struct roles {
    uint8_t order[SIM_NODES_MAX]; /* the first ones lie, the next ones may lose their disk */
    uint8_t liars, lossy;
};

static void shuffle(struct roles *who, uint8_t n, uint64_t *r)
{
    for (uint8_t i = 0; i < n; i++) {
        uint8_t at = (uint8_t)sim_below(r, i + 1u);
        who->order[i] = who->order[at];
        who->order[at] = i;
    }
}

static void pick_traitors(struct sim_plan *p, struct roles *who, uint64_t *r)
{
    uint8_t spare = spare_of(p->n);
    const struct sim_adversary *kind = &sim_adversaries[sim_below(r, sim_adversary_count)];
    shuffle(who, p->n, r);
    p->stubborn = sim_chance(r, 500) && p->n > 3;
    if (sim_chance(r, 600) && p->n >= 3)
        who->liars = p->n > 3 ? (uint8_t)(1 + sim_below(r, spare)) : !kind->signs;
    for (uint8_t i = 0; i < who->liars; i++) {
        p->traitor[who->order[i]] = kind;
        if (sim_chance(r, 500))
            kind = &sim_adversaries[sim_below(r, sim_adversary_count)];
    }
    if (p->n > 3 && who->liars < spare && sim_chance(r, 400))
        who->lossy = (uint8_t)(1 + sim_below(r, (uint64_t)(spare - who->liars)));
}

void sim_plan_betray(struct sim_plan *p, const struct sim_adversary *kind)
{
    uint32_t kept = 0;
    if (p->n < 4)
        p->n = 4;
    memset(p->traitor, 0, sizeof p->traitor);
    p->absent = -1;
    p->founders = p->second = p->third = 0;
    memset(p->ruin, 0, sizeof p->ruin);
    for (uint8_t i = 0; i < spare_of(p->n); i++)
        p->traitor[(p->records + i) % p->n] = kind;
    for (uint32_t i = 0; i < p->faults; i++) /* their place in the budget is taken */
        if (p->fault[i].kind != SIM_CLONE &&
            (p->fault[i].kind < SIM_LIE || p->fault[i].kind > SIM_REWIND))
            p->fault[kept++] = p->fault[i];
    p->faults = kept;
    p->safety_only = false;
}

/* ---- faults */

struct drawing {
    struct sim_plan *plan;
    const struct roles *who;
    uint64_t *r;
};

static uint8_t anybody(const struct drawing *d)
{
    return (uint8_t)sim_below(d->r, d->plan->n);
}

static uint8_t lossy(const struct drawing *d)
{
    return d->who->order[d->who->liars + sim_below(d->r, d->who->lossy)];
}

static uint64_t some_ms(const struct drawing *d, uint64_t least, uint64_t most)
{
    return least + sim_below(d->r, most - least);
}

typedef void draw(const struct drawing *d, struct sim_fault *f);

static void draw_crash(const struct drawing *d, struct sim_fault *f)
{
    f->node = sim_chance(d->r, 100) ? SIM_ALL : anybody(d);
    f->what = (int64_t)sim_below(d->r, 24);
    f->for_ms = sim_chance(d->r, 100) ? some_ms(d, 1000, 10000) : some_ms(d, 50, 1000);
}

static void draw_stop(const struct drawing *d, struct sim_fault *f) /* pause, full disk */
{
    f->node = anybody(d);
    f->for_ms = some_ms(d, 100, 6000);
}

static void draw_slow(const struct drawing *d, struct sim_fault *f)
{
    f->node = sim_chance(d->r, 200) ? SIM_ALL : anybody(d);
    f->for_ms = some_ms(d, 1000, 8000);
    f->what = (int64_t)some_ms(d, 5, 600);
}

static void draw_lie(const struct drawing *d, struct sim_fault *f)
{
    f->node = lossy(d);
    f->for_ms = some_ms(d, 100, 4000);
    f->what = sim_chance(d->r, 200);
}

/* Blocks and certificates are fetched again, by all but a network of one; own votes and the tip cannot be. */
static void draw_flip(const struct drawing *d, struct sim_fault *f)
{
    bool own = d->who->lossy && sim_chance(d->r, 300);
    uint64_t which = sim_below(d->r, 1u << 20);
    f->node = own ? lossy(d) : anybody(d);
    f->what = (int64_t)(which * 8 + (own ? 6 + which % 2 : which % 6));
}

static void draw_loss(const struct drawing *d, struct sim_fault *f) /* wiped, rewound */
{
    f->node = lossy(d);
    f->for_ms = some_ms(d, 100, 5000);
    f->what = f->kind == SIM_REWIND ? (int64_t)some_ms(d, 100, 8000) : 1;
    if (sim_chance(d->r, 500))
        f->what = -f->what;
}

static void draw_split(const struct drawing *d, struct sim_fault *f)
{
    uint64_t sides = sim_random(d->r) >> 12;
    enum sim_split kind = (enum sim_split)sim_below(d->r, 3);
    f->node = anybody(d);
    if (sim_chance(d->r, 300)) /* one against all */
        sides = (uint64_t)1 << f->node;
    f->what = sim_split_of(kind, sides & (((uint64_t)1 << d->plan->n) - 1));
    f->for_ms = some_ms(d, 500, 4500);
}

static void draw_clog(const struct drawing *d, struct sim_fault *f)
{
    f->node = anybody(d);
    f->what = (int64_t)(sim_random(d->r) >> 12);
    f->for_ms = some_ms(d, 100, 3000);
}

/* Small jumps strike anybody. A large one takes a node out of the voting while it lasts, and if a quorum jumped
 * ahead together, the chain would have to wait until the clocks of the world have caught up. */
static void draw_jump(const struct drawing *d, struct sim_fault *f)
{
    bool large = d->plan->n > 3 && sim_chance(d->r, 400);
    f->node = large ? d->who->order[d->plan->n - 1] : anybody(d);
    uint64_t most = large ? 3600 * 1000 : SMALL_JUMP_MS;
    f->what = (int64_t)sim_below(d->r, 2 * most) - (int64_t)most;
    f->for_ms = some_ms(d, 500, 10000);
}

static void draw_app(const struct drawing *d, struct sim_fault *f)
{
    f->node = sim_chance(d->r, 200) ? SIM_ALL : anybody(d);
    f->for_ms = some_ms(d, 500, 6000);
    f->what = sim_chance(d->r, 300) ? SIM_APP_NOTHING : (int64_t)some_ms(d, 20, 3000);
}

/* The copy hears everybody, or some. */
static void draw_clone(const struct drawing *d, struct sim_fault *f)
{
    const uint64_t all = ((uint64_t)1 << d->plan->n) - 1;
    f->node = lossy(d);
    f->for_ms = some_ms(d, 50, 5000);
    f->what = (int64_t)(sim_chance(d->r, 500) ? all : sim_random(d->r) & all);
    if (sim_chance(d->r, 150))
        f->what = -f->what;
}

static const struct {
    draw *draw;
    uint32_t permille; /* of the seeds have it */
    uint64_t every_ms; /* mean, at the most frequent */
} kinds[SIM_FAULT_KINDS] = {
    [SIM_CRASH] = {draw_crash, 700, 1000}, [SIM_ERROR] = {draw_crash, 300, 2000},
    [SIM_PAUSE] = {draw_stop, 250, 3000},  [SIM_SLOW] = {draw_slow, 200, 4000},
    [SIM_FULL] = {draw_stop, 150, 6000},   [SIM_LIE] = {draw_lie, 400, 3000},
    [SIM_FLIP] = {draw_flip, 300, 4000},   [SIM_WIPE] = {draw_loss, 400, 12000},
    [SIM_REWIND] = {draw_loss, 400, 6000}, [SIM_SPLIT] = {draw_split, 500, 2000},
    [SIM_CLOG] = {draw_clog, 250, 2000},   [SIM_JUMP] = {draw_jump, 250, 3000},
    [SIM_APP] = {draw_app, 250, 3000},     [SIM_CLONE] = {draw_clone, 300, 9000},
};

static void draw_faults(struct sim_plan *p, const struct roles *who, uint64_t seed)
{
    for (unsigned k = 0; k < SIM_FAULT_KINDS; k++) {
        uint64_t state = stream(seed, 100 + k);
        const struct drawing d = {p, who, &state};
        bool costs_a_disk = (k >= SIM_LIE && k <= SIM_REWIND && k != SIM_FLIP) || k == SIM_CLONE;
        if (!sim_chance(&state, kinds[k].permille) || (costs_a_disk && !who->lossy) ||
            (k == SIM_FLIP && p->n == 1))
            continue;
        uint64_t mean = kinds[k].every_ms * (1 + sim_below(&state, 6));
        uint64_t at = FIRST_MS + sim_below(&state, mean);
        for (; at < p->heal_ms && p->faults < SIM_FAULTS_MAX;
             at += mean / 2 + sim_below(&state, mean)) {
            struct sim_fault *f = &p->fault[p->faults++];
            *f = (struct sim_fault){.kind = (enum sim_fault_kind)k, .at_ms = at};
            kinds[k].draw(&d, f);
        }
    }
}

static uint8_t smallest_set(const struct sim_plan *p)
{
    uint8_t n = p->founders && p->founders < p->n ? p->founders : p->n;
    n = p->second && p->second < n ? p->second : n;
    return p->third && p->third < n ? p->third : n;
}

/* Any of the disks go back in time at once, all guards stay: whoever lost a vote must know it. */
static void draw_great_rewind(struct sim_plan *p, const struct roles *who, uint64_t seed)
{
    uint64_t state = stream(seed, 99), *r = &state, at = 8000 + sim_below(r, 12000);
    uint8_t lost = who->liars;
    if (!sim_chance(r, 60) || p->n < 3 || who->lossy || p->ruin[0].survivors)
        return;
    for (uint8_t i = 0; i < p->n && p->faults < SIM_FAULTS_MAX; i++) {
        if (p->traitor[i] || sim_chance(r, 400))
            continue;
        p->fault[p->faults++] =
            (struct sim_fault){SIM_REWIND, i, at + sim_below(r, 1500), 200 + sim_below(r, 2000),
                               (int64_t)(2500 + sim_below(r, 5000))};
        lost++;
    }
    const uint8_t n = smallest_set(p);
    p->safety_only = lost > n - (2 * n / 3 + 1);
}

static bool bearable_by_few(const struct sim_fault *f)
{
    return f->kind != SIM_FLIP &&
           (f->kind != SIM_JUMP || (f->what <= SMALL_JUMP_MS && -f->what <= SMALL_JUMP_MS));
}

/* So many of n are no quorum, and share a validator with each; 0 if there is no such number. */
static uint8_t draw_survivors(uint8_t n, uint64_t *r)
{
    const uint8_t q = hub_quorum_default(n), least = (uint8_t)(n - q + 1);
    return least < q ? (uint8_t)(least + sim_below(r, (uint64_t)(q - least))) : 0;
}

/* The quorum is lost for good, and a recovery epoch begins; in some seeds again. Its signers must be honest and have
 * their disks whole: who signs for less than it has cast may undo what was final (docs/protocol.md 16), and of what was,
 * one of them may have the only copy. A few are soon a quorum whose clock is wrong. */
static void draw_ruins(struct sim_plan *p, const struct roles *who, uint64_t seed)
{
    uint64_t state = stream(seed, 11), *r = &state, at = 0;
    uint8_t n = p->n;
    if (!sim_chance(r, 200) || n < 4 || n > 10 || p->founders)
        return;
    for (uint32_t i = 0; i < SIM_RUINS_MAX && (i == 0 || sim_chance(r, 400)); i++) {
        const uint64_t gone_ms = at + 3000 + sim_below(r, i ? 5000 : 12000);
        at = gone_ms + 500 + sim_below(r, 6000);
        n = draw_survivors(n, r);
        if (!n || at >= p->heal_ms)
            break;
        p->ruin[i] = (struct sim_ruin){n, gone_ms, at};
    }
    bool fit = true;
    for (uint8_t i = 0; i < who->liars + who->lossy; i++)
        fit &= who->order[i] >= p->ruin[0].survivors;
    for (uint32_t i = 0; i < p->faults; i++)
        fit &= p->fault[i].node >= p->ruin[0].survivors || bearable_by_few(&p->fault[i]);
    if (!fit)
        memset(p->ruin, 0, sizeof p->ruin);
}

/* ---- the whole plan */

static void draw_clocks(struct sim_plan *p, uint64_t seed)
{
    uint64_t state = stream(seed, 2), *r = &state;
    for (uint8_t i = 0; i < p->n; i++) {
        p->skew_ms[i] = sim_chance(r, 300) ? (int64_t)sim_below(r, 4000) - 2000 : 0;
        p->drift_ppm[i] = sim_chance(r, 300) ? (int64_t)sim_below(r, 6000) - 3000 : 0;
    }
}

static void draw_links(struct sim_plan *p, uint64_t seed)
{
    static const uint32_t losses[] = {0, 0, 20, 50, 100, 200, 400, 600};
    uint64_t state = stream(seed, 3), *r = &state;
    p->loss = losses[sim_below(r, sizeof losses / sizeof losses[0])];
    p->duplicate = sim_chance(r, 500) ? 100 : 0;
    p->delay_ms = 1 + sim_below(r, 60);
    p->jitter_ms = sim_below(r, 2) ? sim_below(r, 150) : 5;
    p->uneven = sim_chance(r, 200);
}

/* In one seed of six the set of validators changes half-way. */
static void draw_new_set(struct sim_plan *p, uint64_t seed)
{
    uint64_t state = stream(seed, 9), *r = &state;
    const uint8_t node = (uint8_t)sim_below(r, p->n);
    if (sim_below(r, 6) == 0 && p->n > 3 && !p->traitor[node] && !p->second &&
        !p->ruin[0].survivors)
        p->rekeyed = node + 1;
}

/* One of the `sizes` from `least` up that is not this one. */
static uint8_t other_size(uint8_t size, uint8_t least, uint64_t sizes, uint64_t *r)
{
    const uint64_t step = 1 + sim_below(r, sizes - 1);
    return (uint8_t)(least + ((uint64_t)(size - least) + step) % sizes);
}

/* In a third of the seeds with five nodes or more the set grows or shrinks, and in some of them it does so twice:
 * between two changes there must be HUB_SEAL_GAP heights, so these last longer and have more to do. Whoever lies or may
 * lose his disk does so in the smallest set as well. */
static void draw_sizes(struct sim_plan *p, const struct roles *who, uint64_t seed)
{
    uint64_t state = stream(seed, 10), *r = &state;
    uint8_t least = 4;
    while (spare_of(least) < who->liars + who->lossy)
        least++;
    if (p->n < 5 || p->n > 10 || least == p->n || !sim_chance(r, 350))
        return;
    const uint64_t sizes = p->n - least + 1u;
    p->founders = (uint8_t)(least + sim_below(r, sizes));
    p->second = other_size(p->founders, least, sizes, r);
    if (!sim_chance(r, 150))
        return;
    p->third = other_size(p->second, least, sizes, r);
    p->records = 300;
    p->work_ms = 3 * WORK_MS;
    p->heal_ms = 3 * FAULTS_MS;
    p->limit_ms = 2 * LIMIT_MS;
}

void sim_plan_of(struct sim_plan *p, uint64_t seed)
{
    static const uint8_t sizes[] = {1, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 7, 7, 7, 7, 10, 10};
    uint64_t state = stream(seed, 0), *r = &state;
    struct roles who = {.liars = 0};
    *p = (struct sim_plan){.n = sizes[sim_below(r, sizeof sizes)]};
    p->real_signatures = seed % 16 == 5;
    p->real_pool = seed % 4 == 3;
    p->late_checks = sim_chance(r, 500);
    p->records = 30 + (uint32_t)sim_below(r, 90);
    p->load = (uint32_t)sim_random(r) & (uint32_t)sim_random(r) & 15;
    if (seed % 128 == 77) {
        p->n = 31;
        p->records = 20;
    }
    p->work_ms = WORK_MS;
    p->heal_ms = FAULTS_MS;
    p->limit_ms = LIMIT_MS;
    p->only = p->absent = -1;
    if (p->n >= 3 && sim_chance(r, 150))
        p->absent = (int)sim_below(r, p->n);
    uint64_t roles = stream(seed, 1);
    pick_traitors(p, &who, &roles);
    p->resume = sim_chance(&roles, 500);
    draw_clocks(p, seed);
    draw_links(p, seed);
    draw_sizes(p, &who, seed);
    draw_faults(p, &who, seed);
    draw_ruins(p, &who, seed);
    draw_great_rewind(p, &who, seed);
    draw_new_set(p, seed);
}
