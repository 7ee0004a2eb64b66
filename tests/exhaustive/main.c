/* main.c: the configurations and what each has to give.
 *   exhaustive quick                 the small ones, complete, in seconds
 *   exhaustive full MINUTES          all; those that do not end in their share of the processor time say so
 *   exhaustive run NAME [SECONDS]    one
 *   exhaustive compare NAME          one, with and without the reductions
 *   exhaustive control NAME          one, in a checker with a planted bug: has to fail */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALL = 0xf };
#define MEMORY_BYTES (UINT64_C(12) << 30)

static const struct run {
    struct world_config cfg;
    bool quick, fails;
    double share; /* of the full run's time, in proportion */
} runs[] = {
    /* Crash faults only; every node may crash at every point. */
    {{.name = "n3q3_v1", .n = 3, .q = 3, .views = 1, .crashes = true, .sinks = true},
     .quick = true},
    {{.name = "n3q2_v1", .n = 3, .q = 2, .views = 1, .crashes = true, .sinks = true},
     .quick = true},
    {{.name = "n3q3_v2", .n = 3, .q = 3, .views = 2, .crashes = true}, .quick = true},
    {{.name = "n3q3_v2_no_crash", .n = 3, .q = 3, .views = 2, .sinks = true}, .quick = true},
    /* Every vote arrives by itself and is tallied. */
    {{.name = "n3q3_v1_votes", .n = 3, .q = 3, .views = 1, .crashes = true, .single_votes = true},
     .quick = true},
    /* The block on genesis ends the epoch: SEAL, TAILs upon it, and nothing after it is final. */
    {{.name = "n3q3_v2_seal", .n = 3, .q = 3, .views = 2, .seals = true, .sinks = true},
     .quick = true},
    /* Only one has a record: the gate of the others is closed. */
    {{.name = "n3q2_one_working",
      .n = 3,
      .q = 2,
      .working = 1,
      .views = 1,
      .single_nullify = true,
      .sinks = true},
     .quick = true},
    /* One Byzantine validator of four: the leader of view 1; and of view 2. */
    {{.name = "n4q3_byzantine_1_v1", .n = 4, .q = 3, .byzantine = 2, .views = 1, .sinks = true},
     .quick = true},
    {{.name = "n4q3_byzantine_2_v1",
      .n = 4,
      .q = 3,
      .byzantine = 4,
      .views = 1,
      .crashes = true,
      .sinks = true},
     .quick = true},
    {{.name = "n3q3_two_byzantine", .n = 3, .q = 3, .byzantine = 6, .views = 2, .crashes = true},
     .quick = true},
    /* A Byzantine leader whose second block is INVALID; FINALIZE votes of wrong numbers, each vote by itself. */
    {{.name = "n4q3_invalid_block",
      .n = 4,
      .q = 3,
      .byzantine = 2,
      .views = 1,
      .crashes = true,
      .sinks = true,
      .invalid_blocks = true},
     .quick = true},
    {{.name = "n4q3_wrong_numbers",
      .n = 4,
      .q = 3,
      .byzantine = 2,
      .views = 1,
      .wrong_numbers = true},
     .quick = true},
    /* More Byzantine validators than the quorum stands: they fork, so the checker would see a fork. */
    {{.name = "n3q2_byzantine_1", .n = 3, .q = 2, .byzantine = 2, .views = 1, .only_forks = true},
     .quick = true,
     .fails = true},
    {{.name = "n4q3_two_byzantine", .n = 4, .q = 3, .byzantine = 6, .views = 1, .only_forks = true},
     .quick = true,
     .fails = true},

    {{.name = "n3q3_v2_sinks", .n = 3, .q = 3, .views = 2, .crashes = true, .sinks = true},
     .share = 5},
    {{.name = "n3q2_v2", .n = 3, .q = 2, .views = 2, .crashes = true, .slow_build = true},
     .share = 5},
    {{.name = "n3q2_v2_sinks", .n = 3, .q = 2, .views = 2, .crashes = true, .sinks = true},
     .share = 20},
    {{.name = "n3q3_v3", .n = 3, .q = 3, .views = 3, .crashes = true}, .share = 10},
    {{.name = "n3q3_v3_no_crash", .n = 3, .q = 3, .views = 3, .sinks = true}, .share = 30},
    {{.name = "n3q2_v3", .n = 3, .q = 2, .views = 3, .crashes = true}, .share = 400},
    {{.name = "n4q3_byzantine_1_v1_crashes",
      .n = 4,
      .q = 3,
      .views = 1,
      .byzantine = 2,
      .crashes = true,
      .sinks = true},
     .share = 10},
    {{.name = "n4q3_byzantine_2_v2_safety", .n = 4, .q = 3, .views = 2, .byzantine = 4},
     .share = 10},
    {{.name = "n4q3_byzantine_1_v2", .n = 4, .q = 3, .views = 2, .byzantine = 2, .crashes = true},
     .share = 40},
    {{.name = "n4q3_byzantine_2_v2", .n = 4, .q = 3, .views = 2, .byzantine = 4, .crashes = true},
     .share = 40},
    {{.name = "n4q3_byzantine_3_v2", .n = 4, .q = 3, .views = 2, .byzantine = 8, .crashes = true},
     .share = 40},
    {{.name = "n4q3_byzantine_2_v2_invalid",
      .n = 4,
      .q = 3,
      .views = 2,
      .byzantine = 4,
      .crashes = true,
      .invalid_blocks = true},
     .share = 30},
    {{.name = "n4q3_byzantine_2_v2_seal",
      .n = 4,
      .q = 3,
      .views = 2,
      .byzantine = 4,
      .seals = true},
     .share = 10},
    {{.name = "n4q3_byzantine_0_v3", .n = 4, .q = 3, .views = 3, .byzantine = 1}, .share = 60},
    {{.name = "n4q3_byzantine_3_v3", .n = 4, .q = 3, .views = 3, .byzantine = 8}, .share = 100},
    {{.name = "n4q3_one_working",
      .n = 4,
      .q = 3,
      .views = 1,
      .sinks = true,
      .working = 1,
      .single_nullify = true},
     .share = 10},
    /* By name only: one look for a sink takes minutes here, and no time is looked at within. */
    {{.name = "n4q3_one_working_v2",
      .n = 4,
      .q = 3,
      .views = 2,
      .sinks = true,
      .working = 1,
      .single_nullify = true},
     .share = 0},
    {{.name = "n4q3_byzantine_3_v2_no_crash",
      .n = 4,
      .q = 3,
      .views = 2,
      .byzantine = 8,
      .sinks = true},
     .share = 100},
    {{.name = "n4q3_byzantine_1_v2_no_crash",
      .n = 4,
      .q = 3,
      .views = 2,
      .byzantine = 2,
      .sinks = true},
     .share = 100},
    {{.name = "n4q3_byzantine_2_v2_no_crash",
      .n = 4,
      .q = 3,
      .views = 2,
      .byzantine = 4,
      .sinks = true},
     .share = 100},
    {{.name = "n3q2_v3_no_crash", .n = 3, .q = 2, .views = 3, .sinks = true}, .share = 200},
    {{.name = "n3q3_v3_sinks", .n = 3, .q = 3, .views = 3, .crashes = true, .sinks = true},
     .share = 60},
    {{.name = "n4q3_byzantine_2_v3", .n = 4, .q = 3, .views = 3, .byzantine = 4}, .share = 100},
    {{.name = "n4q3_byzantine_1_v3", .n = 4, .q = 3, .views = 3, .byzantine = 2}, .share = 100},
    {{.name = "n4q3_byzantine_3_v2_sinks",
      .n = 4,
      .q = 3,
      .views = 2,
      .byzantine = 8,
      .crashes = true,
      .sinks = true},
     .share = 40},
    {{.name = "n4q3_byzantine_1_v2_sinks",
      .n = 4,
      .q = 3,
      .views = 2,
      .byzantine = 2,
      .crashes = true,
      .sinks = true},
     .share = 100},
    {{.name = "n4q3_byzantine_2_v2_sinks",
      .n = 4,
      .q = 3,
      .views = 2,
      .byzantine = 4,
      .crashes = true,
      .sinks = true},
     .share = 100},
};
enum { RUNS = sizeof runs / sizeof runs[0] };

static void report(const struct world_config *cfg, const struct search_result *r)
{
    printf("%-30s n=%u q=%u byzantine=%d views=%u%s%s\n", cfg->name, cfg->n, cfg->q,
           __builtin_popcount(cfg->byzantine), cfg->views, cfg->crashes ? " crashes" : "",
           cfg->sinks ? " sinks" : "");
    printf(
        "    %llu networks, %llu states, %llu followed, %llu transitions, up to %u votes, %.1f s; "
        "%llu node states, %llu core steps",
        (unsigned long long)r->networks, (unsigned long long)r->found,
        (unsigned long long)r->states, (unsigned long long)r->transitions, r->depth, r->seconds,
        (unsigned long long)r->local_states, (unsigned long long)r->steps);
    if (cfg->sinks)
        printf(", %llu closures", (unsigned long long)r->closures);
    printf("\n    %s%s\n",
           r->violation  ? "VIOLATION: "
           : r->complete ? "complete: "
                         : "NOT COMPLETE: ",
           r->violation ? r->violation : "no violation");
    fflush(stdout);
}

/* True if the configuration gave what it has to. Takes what it used from *seconds. */
static bool run(const struct run *k, double *seconds, double share, bool planted)
{
    struct world_config cfg = k->cfg;
    struct search_limits limits = {*seconds * share, MEMORY_BYTES};
    struct search_result r;
    cfg.working = cfg.working ? cfg.working : ALL;
    cfg.invariants = !planted && !k->fails;
    search_run(&r, &cfg, &limits);
    *seconds -= r.seconds;
    report(&cfg, &r);
    bool fails = k->fails || planted;
    if (fails == (r.violation != NULL))
        return true;
    printf("    %s\n", fails ? "it had to fail" : "it had to hold");
    return false;
}

static const struct run *named(const char *name)
{
    for (int i = 0; i < RUNS; i++)
        if (!strcmp(runs[i].cfg.name, name))
            return &runs[i];
    fprintf(stderr, "exhaustive: no configuration %s\n", name);
    exit(64);
}

/* Each reduction left out in turn: the same votes must be sent, and the same found. */
static bool compare(const struct run *k)
{
    static const char *const without[] = {"all reductions", "no covering", "no forgetting",
                                          "neither"};
    const struct search_limits limits = {1e9, MEMORY_BYTES};
    struct search_result first = {0}, r;
    bool same = true;
    for (int i = 0; i < 4; i++) {
        struct world_config cfg = k->cfg;
        cfg.working = cfg.working ? cfg.working : ALL;
        cfg.no_cover = i & 1;
        cfg.no_forget = i & 2;
        printf("%s: ", without[i]);
        search_run(&r, &cfg, &limits);
        report(&cfg, &r);
        if (i == 0)
            first = r;
        same &= r.complete == first.complete && r.networks == first.networks &&
                r.digest == first.digest && !r.violation == !first.violation;
    }
    printf("%s: %s\n", k->cfg.name, same ? "the same" : "NOT THE SAME");
    return same;
}

/* What one does not use of its time is left to those after it. */
static int run_all(double minutes)
{
    double shares = 0, seconds = minutes * 60;
    int bad = 0;
    for (int i = 0; i < RUNS; i++)
        shares += runs[i].share;
    for (int i = 0; i < RUNS; i++) {
        double own = 60;
        if (runs[i].quick)
            bad += !run(&runs[i], &own, 1, false);
        else if (minutes > 0 && runs[i].share > 0)
            bad += !run(&runs[i], &seconds, runs[i].share / shares, false);
        shares -= runs[i].share;
    }
    printf("%s\n", bad ? "exhaustive: FAILED" : "exhaustive: all as they must be");
    return bad != 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "quick"))
        return run_all(0);
    if (argc == 3 && !strcmp(argv[1], "full"))
        return run_all(strtod(argv[2], NULL));
    double seconds = argc == 4 ? strtod(argv[3], NULL) : 1e9, minute = 60;
    if ((argc == 3 || argc == 4) && !strcmp(argv[1], "run"))
        return !run(named(argv[2]), &seconds, 1, false);
    if (argc == 3 && !strcmp(argv[1], "compare"))
        return !compare(named(argv[2]));
    if (argc == 3 && !strcmp(argv[1], "control"))
        return !run(named(argv[2]), &minute, 1, true);
    fprintf(stderr, "usage: exhaustive quick | full MINUTES | run NAME [SECONDS] | compare NAME | "
                    "control NAME\n");
    return 64;
}
