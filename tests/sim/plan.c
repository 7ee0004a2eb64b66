/* plan.c: what a seed decides: size, faults, traitors, work. */
#include "sim.h"

#include <string.h>

enum { WORK_MS = 18000, FAULTS_MS = 26000, LIMIT_MS = 200000 };

/* b_safe = 2q - n - 1 for the default q: how many may lie without a fork. As many as that may be lost for good at 4
 * and 7. Three nodes are safe with two liars, but need all three to go on: no stubborn ones there. */
static uint8_t liars_max(uint8_t n)
{
    return n < 3 ? 0 : n < 7 ? 1 : 2;
}

static void betray(struct sim_plan *p, uint8_t first, uint8_t count,
                   const struct sim_adversary *kind)
{
    for (uint8_t i = 0; i < count; i++)
        p->traitor[(first + i) % p->n] = kind;
}

static void pick_traitors(struct sim_plan *p, uint64_t *r)
{
    uint8_t first = (uint8_t)sim_below(r, p->n);
    uint8_t second = (uint8_t)((first + 1 + sim_below(r, p->n - 1u)) % p->n);
    const struct sim_adversary *kind = &sim_adversaries[sim_below(r, sim_adversary_count)];
    p->wiped = -1;
    p->stubborn = sim_chance(r, 500) && p->n > 3;
    if (p->n >= 3 && sim_chance(r, 600) && (p->n > 3 || !kind->signs))
        betray(p, first, 1, kind);
    else if (p->n >= 4 && sim_chance(r, 400))
        p->wiped = first;
    p->rolled_back = sim_chance(r, 500);
    if (p->n < 7 || p->wiped >= 0)
        return;
    if (sim_chance(r, 300))
        p->wiped = second;
    else if (p->traitor[first] && sim_chance(r, 500))
        betray(p, second, 1, &sim_adversaries[sim_below(r, sim_adversary_count)]);
}

void sim_plan_betray(struct sim_plan *p, const struct sim_adversary *kind)
{
    if (p->n < 4)
        p->n = 4;
    memset(p->traitor, 0, sizeof p->traitor);
    p->wiped = p->absent = -1;
    betray(p, (uint8_t)(p->records % p->n), liars_max(p->n), kind);
}

void sim_plan_of(struct sim_plan *p, uint64_t seed)
{
    static const uint8_t sizes[] = {1, 3, 4, 4, 4, 4, 7, 7};
    static const uint32_t losses[] = {0, 0, 20, 50, 100, 200, 400, 600};
    uint64_t state = seed * 0x2545f4914f6cdd1du + SIM_PLAN, *r = &state;
    *p = (struct sim_plan){.n = sizes[sim_below(r, sizeof sizes)]};
    p->real_signatures = seed % 16 == 5;
    p->real_pool = seed % 8 == 3;
    p->late_checks = sim_chance(r, 500);
    p->loss = losses[sim_below(r, sizeof losses / sizeof losses[0])];
    p->duplicate = sim_chance(r, 500) ? 100 : 0;
    p->delay_ms = 1 + sim_below(r, 60);
    p->jitter_ms = sim_below(r, 2) ? sim_below(r, 150) : 5;
    p->crash_every_ms = sim_chance(r, 700) ? 1000 + sim_below(r, 6000) : 0;
    p->io_errors = sim_chance(r, 300);
    p->split_every_ms = sim_chance(r, 500) ? 2000 + sim_below(r, 6000) : 0;
    for (uint8_t i = 0; i < p->n; i++)
        p->skew_ms[i] = sim_chance(r, 300) ? (int64_t)sim_below(r, 4000) - 2000 : 0;
    p->records = 30 + (uint32_t)sim_below(r, 90);
    p->work_ms = WORK_MS;
    p->heal_ms = FAULTS_MS;
    p->limit_ms = LIMIT_MS;
    p->only = p->absent = -1;
    if (p->n >= 3 && sim_chance(r, 150))
        p->absent = (int)sim_below(r, p->n);
    pick_traitors(p, r);
    if (p->wiped >= 0 && !p->crash_every_ms)
        p->crash_every_ms = 3000;
}
