/* shrink.c: cuts a failing plan down: first what can be switched off as a whole, then the faults of the schedule, by
 * halves and then one by one (Zeller's ddmin), then time. What is left must fail in the same way: the same sentence,
 * whatever the numbers in it. */
#include "sim.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

enum { TRIES_MAX = 400, SECONDS_MAX = 90 };

struct shrinking {
    uint64_t seed;
    struct sim_plan *plan;
    struct sim_result *result; /* of *plan */
    uint32_t tries;
    time_t until;
};

/* Digits do not count, nor what follows a colon: where the nodes stood. */
static bool same_failure(const char *a, const char *b)
{
    for (;;) {
        while (isdigit((unsigned char)*a))
            a++;
        while (isdigit((unsigned char)*b))
            b++;
        if (*a != *b)
            return false;
        if (!*a || *a == ';')
            return true;
        a++, b++;
    }
}

/* Keeps the smaller plan if it still fails. */
static bool keep_if_it_fails(struct shrinking *k, const struct sim_plan *smaller)
{
    struct sim_result r;
    if (k->tries >= TRIES_MAX || time(NULL) >= k->until ||
        !memcmp(smaller, k->plan, sizeof *smaller))
        return false;
    k->tries++;
    sim_try_apart(&r, k->seed, smaller);
    if (r.good || !same_failure(r.why, k->result->why))
        return false;
    *k->plan = *smaller;
    *k->result = r;
    return true;
}

enum { SWITCHES = 16 };

static void switch_off(struct sim_plan *p, unsigned which)
{
    switch (which) {
    case 0:
        p->loss = 0;
        break;
    case 1:
        p->duplicate = 0;
        break;
    case 2:
        p->uneven = false;
        break;
    case 3:
        p->jitter_ms = 0;
        break;
    case 4:
        p->late_checks = false;
        break;
    case 5:
        p->real_pool = false;
        break;
    case 6:
        p->real_signatures = false;
        break;
    case 7:
        memset(p->skew_ms, 0, sizeof p->skew_ms);
        break;
    case 8:
        memset(p->drift_ppm, 0, sizeof p->drift_ppm);
        break;
    case 9:
        p->absent = -1;
        break;
    case 10:
        p->stubborn = false;
        break;
    case 11:
        p->delay_ms = 10;
        break;
    case 12:
        memset(&p->ruin[1], 0, sizeof p->ruin[1]);
        break;
    case 13:
        memset(p->ruin, 0, sizeof p->ruin);
        break;
    case 14:
        p->records = p->records > 30 ? p->records / 2 : p->records;
        break;
    default:
        p->records = 1;
    }
}

static bool drop_switches(struct shrinking *k)
{
    bool any = false;
    for (unsigned i = 0; i < SWITCHES; i++) {
        struct sim_plan p = *k->plan;
        switch_off(&p, i);
        any |= keep_if_it_fails(k, &p);
    }
    for (uint8_t i = 0; i < k->plan->n; i++) {
        struct sim_plan p = *k->plan;
        p.traitor[i] = NULL;
        any |= keep_if_it_fails(k, &p);
    }
    return any;
}

static void remove_faults(struct sim_plan *p, uint32_t from, uint32_t count)
{
    memmove(&p->fault[from], &p->fault[from + count],
            (p->faults - from - count) * sizeof p->fault[0]);
    p->faults -= count;
    memset(&p->fault[p->faults], 0, count * sizeof p->fault[0]);
}

static bool drop_kinds(struct shrinking *k)
{
    bool any = false;
    for (unsigned kind = 0; kind < SIM_FAULT_KINDS; kind++) {
        struct sim_plan p = *k->plan;
        for (uint32_t i = p.faults; i-- > 0;)
            if (p.fault[i].kind == kind)
                remove_faults(&p, i, 1);
        any |= keep_if_it_fails(k, &p);
    }
    return any;
}

static bool drop_faults(struct shrinking *k)
{
    bool any = false;
    for (uint32_t size = k->plan->faults; size; size /= 2)
        for (uint32_t at = 0; at + size <= k->plan->faults;) {
            struct sim_plan p = *k->plan;
            remove_faults(&p, at, size);
            if (keep_if_it_fails(k, &p))
                any = true;
            else
                at += size;
        }
    return any;
}

static bool drop_time(struct shrinking *k)
{
    struct sim_plan p = *k->plan;
    uint64_t end = k->result->ms + 1;
    if (end < p.limit_ms)
        p.limit_ms = end;
    if (end < p.heal_ms)
        p.heal_ms = end;
    bool any = keep_if_it_fails(k, &p);
    for (unsigned i = 0; i < 3; i++) {
        p = *k->plan;
        p.heal_ms = p.heal_ms * 2 / 3;
        if (p.work_ms > p.heal_ms && p.heal_ms > 4000)
            p.work_ms = p.heal_ms;
        any |= keep_if_it_fails(k, &p);
    }
    return any;
}

void sim_shrink(uint64_t seed, struct sim_plan *p, struct sim_result *result)
{
    struct shrinking k = {
        .seed = seed, .plan = p, .result = result, .until = time(NULL) + SECONDS_MAX};
    struct sim_result first;
    sim_try_apart(&first, seed, p);
    if (first.good) /* it took a process that had run other seeds: that is worth knowing */
        return;
    *result = first;
    for (bool any = true; any;) {
        any = drop_kinds(&k);
        any = drop_switches(&k) || any;
        any = drop_faults(&k) || any;
        any = drop_time(&k) || any;
    }
}
