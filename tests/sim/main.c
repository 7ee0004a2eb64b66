/* main.c: command line of the simulator.
 *   sim --seeds N [--from S]   seeds S .. S+N-1 (default 1) on two processes, and all scenarios
 *   sim --seed S [--trace]     one seed, with every event of note
 *   sim --scenario NAME|all [--trace] */
#include "sim.h"

#include "hub/sign.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 2 };

static const char *const treasons[SIM_TREASONS] = {"equivocator", "silent",  "skipper",
                                                   "forger",      "garbler", "flooder"};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool run_seed(struct sim *s, uint64_t seed, bool trace, uint64_t *events)
{
    struct sim_plan plan;
    sim_plan_of(&plan, seed);
    sim_open(s, seed, &plan);
    s->trace = trace;
    if (trace)
        printf("seed %llu: n %u loss %u delay %llu+%llu crash %llu split %llu traitor %d (%s) "
               "wiped %d records %u%s\n",
               (unsigned long long)seed, plan.n, plan.loss, (unsigned long long)plan.delay_ms,
               (unsigned long long)plan.jitter_ms, (unsigned long long)plan.crash_every_ms,
               (unsigned long long)plan.split_every_ms, plan.traitor, treasons[plan.treason],
               plan.wiped, plan.records, plan.real_signatures ? " real signatures" : "");
    bool good = sim_run(s);
    *events += s->events;
    if (trace)
        printf("seed %llu: %s at %llu ms, height %llu, %u records final, %llu events\n",
               (unsigned long long)seed, good ? "ok" : "FAILED", (unsigned long long)s->now_ms,
               (unsigned long long)s->checker.top, s->checker.finals,
               (unsigned long long)s->events);
    if (!good)
        printf("seed %llu FAILED at %llu ms: %s\n  again with: sim --seed %llu --trace\n",
               (unsigned long long)seed, (unsigned long long)s->now_ms, s->why,
               (unsigned long long)seed);
    fflush(stdout);
    sim_close(s);
    return good;
}

/* Every second seed; returns the number of failures through the exit status, events through the pipe. */
static void worker(struct sim *s, unsigned number, uint64_t from, uint64_t count, int out)
{
    uint64_t result[2] = {0, 0};
    for (uint64_t i = number; i < count; i += WORKERS)
        result[1] += !run_seed(s, from + i, false, &result[0]);
    if (write(out, result, sizeof result) != sizeof result)
        _exit(2);
    free(s);
    exit(0);
}

static bool run_seeds(struct sim *s, uint64_t from, uint64_t count)
{
    uint64_t events = 0, failed = 0, result[2];
    double began = seconds();
    int ends[2];
    if (pipe(ends))
        return false;
    fflush(stdout);
    for (unsigned i = 0; i < WORKERS; i++) {
        pid_t pid = fork();
        if (pid < 0)
            return false;
        if (!pid)
            worker(s, i, from, count, ends[1]);
    }
    close(ends[1]);
    for (unsigned i = 0; i < WORKERS; i++) {
        if (read(ends[0], result, sizeof result) != sizeof result)
            failed++; /* a worker died: an assert or a sanitizer said why */
        else
            events += result[0], failed += result[1];
    }
    while (wait(NULL) > 0) {
    }
    close(ends[0]);
    double took = seconds() - began;
    printf("sim: %llu seeds, %llu failed, %llu events in %.1f s (%.0f a second)\n",
           (unsigned long long)count, (unsigned long long)failed, (unsigned long long)events, took,
           (double)events / took);
    return !failed;
}

int main(int argc, char **argv)
{
    uint64_t seed = 0, seeds = 0, from = 1, events = 0;
    const char *scenario = NULL;
    bool trace = false, good = true;
    for (int i = 1; i < argc; i++) {
        bool value = i + 1 < argc;
        if (!strcmp(argv[i], "--trace"))
            trace = true;
        else if (!strcmp(argv[i], "--seed") && value)
            seed = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--seeds") && value)
            seeds = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--from") && value)
            from = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--scenario") && value)
            scenario = argv[++i];
        else
            argc = 0;
    }
    if (argc < 2 || hub_crypto_self_test() != HUB_OK) {
        fprintf(stderr, "usage: sim --seeds N [--from S] | --seed S [--trace] | --scenario "
                        "NAME|all [--trace]\n");
        return 2;
    }
    struct sim *s = malloc(sizeof *s);
    if (!s)
        return 2;
    if (seed)
        good = run_seed(s, seed, trace, &events);
    if (seeds || scenario)
        good = sim_scenarios(scenario && strcmp(scenario, "all") ? scenario : NULL, trace);
    if (seeds)
        good = run_seeds(s, from, seeds) && good;
    free(s);
    return good ? 0 : 1;
}
