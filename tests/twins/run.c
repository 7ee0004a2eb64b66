/* run.c: plays one scenario: the scripted views, then everybody hears everybody until all is final. */
#include "twins.h"

#include <stdio.h>

enum {
    STEP_MS = 250,
    SCRIPT_MS = 30000, /* views that cannot end last until then */
    HEAL_MS = 120000,  /* time-outs are at most 20 times 2 s, and the twins lead 2 of 7 turns */
    RECORDS_MORE = 4   /* than scripted views: work for the end */
};

static bool deaf(void *ctx, const struct cluster_link *l)
{
    const struct twins_scenario *sc = ctx;
    return l->view >= 1 && l->view <= sc->views && !(sc->hears[l->view - 1][l->to] >> l->from & 1);
}

static bool scripted_views_are_over(const struct cluster *k, const struct twins_scenario *sc)
{
    for (uint8_t i = 0; i < cluster_nodes(k); i++)
        if (cluster_honest(k, i) && cluster_core(k, i)->view <= sc->views)
            return false;
    return true;
}

static bool all_final(const struct cluster *k, uint64_t records)
{
    for (uint8_t i = 0; i < cluster_nodes(k); i++)
        if (cluster_honest(k, i) && cluster_final_records(k, i) != records)
            return false;
    return true;
}

static uint64_t highest(const struct cluster *k)
{
    uint64_t height = 0;
    for (uint8_t i = 0; i < cluster_nodes(k); i++)
        if (cluster_honest(k, i) && cluster_final_height(k, i) > height)
            height = cluster_final_height(k, i);
    return height;
}

static struct cluster *start(const struct twins_scenario *sc, uint8_t records)
{
    struct cluster_config cfg = {.n = sc->n,
                                 .q = sc->q,
                                 .twins = sc->twins,
                                 .delta_ms = 100,
                                 .one_record = true,
                                 .unbearable = sc->control};
    struct cluster_faults calm = {.delay_min_ms = 1, .delay_max_ms = 40};
    /* The seed is the leader's offset too: view 1 is led by (seed + 1) mod n. */
    cfg.seed = (sc->number << 8) * sc->n + sc->first_leader + sc->n - 1u;
    struct cluster *k = cluster_open(&cfg);
    cluster_faults(k, &calm);
    cluster_script(k, deaf, (void *)(uintptr_t)sc);
    for (uint8_t r = 0; r < records; r++)
        for (uint8_t i = 0; i < cluster_nodes(k); i++)
            cluster_submit_alone(k, i, r);
    return k;
}

void twins_run(struct twins_result *out, const struct twins_scenario *sc)
{
    static char failure[240];
    uint8_t records = (uint8_t)(sc->views + RECORDS_MORE);
    uint64_t all = (UINT64_C(1) << records) - 1,
             twins = (1u << sc->n) - (1u << (sc->n - sc->twins));
    struct cluster *k = start(sc, records);
    while (!cluster_failure(k) && cluster_now(k) < SCRIPT_MS && !scripted_views_are_over(k, sc))
        cluster_run(k, STEP_MS);
    *out = (struct twins_result){.early = highest(k)};
    cluster_script(k, NULL, NULL);
    uint64_t began = cluster_now(k);
    while (!cluster_failure(k) && !sc->control && cluster_now(k) < began + HEAL_MS &&
           !all_final(k, all))
        cluster_run(k, STEP_MS);
    out->ms = cluster_now(k);
    out->guilty = cluster_guilty(k);
    out->forked = cluster_forked(k);
    const char *wrong = cluster_failure(k);
    if (!wrong && !sc->control && !all_final(k, all))
        wrong = "records are not final two minutes after everybody hears everybody";
    if (!wrong && out->guilty & ~twins)
        wrong = "an honest validator can be convicted";
    if (wrong) {
        snprintf(failure, sizeof failure, "%s", wrong);
        out->failure = failure;
    }
    cluster_close(k);
}
