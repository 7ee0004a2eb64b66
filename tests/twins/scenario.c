/* scenario.c: which scenario a number stands for. */
#include "twins.h"

#include <stdio.h>
#include <string.h>

enum {
    PARTITIONS_MAX = 64, /* Bell(5) = 52 of five nodes */
    FIVE = 5,
    STRIDE = 1000003 /* prime: a short run of numbers is spread over the whole enumeration */
};

static uint64_t next(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint8_t nodes_of(const struct twins_scenario *sc)
{
    return (uint8_t)(sc->n + sc->twins);
}

static uint8_t validator_of(const struct twins_scenario *sc, uint8_t node)
{
    return (uint8_t)(node < sc->n ? node : node - sc->twins);
}

/* ---- one view */

/* Everybody hears those of its own group. */
static void split(struct twins_scenario *sc, uint8_t view, const uint8_t group[CLUSTER_NODES])
{
    for (uint8_t to = 0; to < nodes_of(sc); to++)
        for (uint8_t from = 0; from < nodes_of(sc); from++)
            if (group[from] == group[to])
                sc->hears[view][to] |= (uint16_t)(1u << from);
}

/* A group with q different validators can end the view; without one it lasts until all are joined. */
static bool productive(const struct twins_scenario *sc, const uint8_t group[CLUSTER_NODES])
{
    for (uint8_t g = 0; g < nodes_of(sc); g++) {
        uint32_t validators = 0;
        uint8_t count = 0;
        for (uint8_t i = 0; i < nodes_of(sc); i++)
            if (group[i] == g)
                validators |= 1u << validator_of(sc, i);
        for (; validators; validators &= validators - 1)
            count++;
        if (count >= sc->q)
            return true;
    }
    return false;
}

static void random_groups(const struct twins_scenario *sc, uint8_t group[CLUSTER_NODES],
                          uint64_t *r)
{
    uint64_t groups = next(r) % 10 < 7 ? 2 : 3;
    bool any = next(r) % 8 == 0;
    do
        for (uint8_t i = 0; i < nodes_of(sc); i++)
            group[i] = (uint8_t)(next(r) % groups);
    while (!any && !productive(sc, group));
}

/* Honest nodes hear each other; the halves of twins are each heard by, and hear, whom they like. At times one honest
 * node hears nobody. */
static void mask(struct twins_scenario *sc, uint8_t view, uint64_t *r)
{
    uint8_t honest = (uint8_t)(sc->n - sc->twins), deaf = (uint8_t)(next(r) % (honest * 3u));
    for (uint8_t to = 0; to < nodes_of(sc); to++)
        for (uint8_t from = 0; from < nodes_of(sc); from++) {
            bool heard = (from < honest && to < honest) || next(r) & 1;
            if (to == deaf && from != to)
                heard = false;
            if (heard)
                sc->hears[view][to] |= (uint16_t)(1u << from);
        }
}

/* ---- all partitions of five nodes over a few views */

/* As restricted growth strings: group[0] = 0, group[i] <= 1 + the largest before. */
static uint32_t partitions_of_five(uint8_t out[PARTITIONS_MAX][CLUSTER_NODES])
{
    uint32_t count = 0;
    uint8_t g[FIVE] = {0};
    for (uint32_t code = 0; code < 3125; code++) {
        uint32_t rest = code;
        bool good = true;
        uint8_t largest = 0;
        for (uint8_t i = 0; i < FIVE; i++, rest /= FIVE)
            g[i] = (uint8_t)(rest % FIVE);
        for (uint8_t i = 0; i < FIVE && good; i++) {
            good = g[i] <= (i ? largest + 1 : 0);
            largest = g[i] > largest ? g[i] : largest;
        }
        if (good)
            memcpy(out[count++], g, sizeof g);
    }
    return count;
}

/* Two views in full first: 4 x 52 x 52; then three: 4 x 52 x 52 x 52. */
static void enumerate(struct twins_scenario *sc, uint64_t index)
{
    static uint8_t partition[PARTITIONS_MAX][CLUSTER_NODES];
    uint64_t count = partitions_of_five(partition), two = 4 * count * count;
    sc->views = index < two ? 2 : 3;
    uint64_t code = index < two ? index * STRIDE % two : (index - two) * STRIDE % (two * count);
    sc->first_leader = (uint8_t)(code % sc->n);
    code /= sc->n;
    for (uint8_t v = 0; v < sc->views; v++, code /= count)
        split(sc, v, partition[code % count]);
}

/* ---- */

/* Three to six views; at times one lasts for several. */
static void sample(struct twins_scenario *sc, uint64_t *r, bool masks)
{
    uint8_t group[CLUSTER_NODES] = {0};
    sc->first_leader = (uint8_t)(next(r) % sc->n);
    sc->views = (uint8_t)(3 + next(r) % (TWINS_VIEWS_MAX - 2));
    for (uint8_t v = 0; v < sc->views; v++) {
        if (v && next(r) % 10 < 3) {
            memcpy(sc->hears[v], sc->hears[v - 1], sizeof sc->hears[v]);
            continue;
        }
        if (masks) {
            mask(sc, v, r);
            continue;
        }
        random_groups(sc, group, r);
        split(sc, v, group);
    }
}

static void set_up(struct twins_scenario *sc, uint64_t number, uint8_t n, uint8_t twins)
{
    *sc = (struct twins_scenario){.number = number, .n = n, .twins = twins};
    sc->q = (uint8_t)(n - (n - 1) / 3);
}

void twins_scenario_of(struct twins_scenario *out, uint64_t number)
{
    uint64_t state = number;
    set_up(out, number, 4, 1);
    switch (number % 4) {
    case 0:
        enumerate(out, number / 4);
        break;
    case 1:
        sample(out, &state, false);
        break;
    case 2:
        sample(out, &state, true);
        break;
    default:
        set_up(out, number, 7, 2);
        sample(out, &state, next(&state) & 1);
    }
}

void twins_control(struct twins_scenario *out, uint64_t number, uint8_t n, uint8_t twins)
{
    uint64_t state = number;
    set_up(out, number, n, twins);
    out->control = true;
    sample(out, &state, false);
}

void twins_print(const struct twins_scenario *sc)
{
    printf("scenario %llu: %u validators, quorum %u, the last %u twins (%u' = second half), view 1 "
           "led by %u\n",
           (unsigned long long)sc->number, sc->n, sc->q, sc->twins, sc->n - sc->twins,
           sc->first_leader);
    for (uint8_t v = 0; v < sc->views; v++) {
        printf("  view %u:", v + 1u);
        for (uint8_t to = 0; to < nodes_of(sc); to++) {
            printf(" %u%s<", validator_of(sc, to), to < sc->n ? "" : "'");
            for (uint8_t from = 0; from < nodes_of(sc); from++)
                if (from != to && sc->hears[v][to] >> from & 1)
                    printf("%u%s", validator_of(sc, from), from < sc->n ? "" : "'");
        }
        printf("\n");
    }
}
