/* main.c: command line of the simulator.
 *   sim --seeds N [--from S]   seeds S .. S+N-1 (default 1) on two processes, and all scenarios
 *   sim --seed S [--trace]     one seed, with every event of note
 *   sim --scenario NAME|all [--trace]
 *   --adversary NAME           with --seed or --seeds: b_safe validators of that kind in each; `list` names them */
#include "sim.h"

#include "hub/sign.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 2 };

static const struct sim_adversary *adversary; /* of the command line, or NULL */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct totals {
    uint64_t events, failed, betrayals;
};

static bool run_seed(struct sim *s, uint64_t seed, bool trace, struct totals *totals)
{
    struct sim_plan plan;
    sim_plan_of(&plan, seed);
    if (adversary)
        sim_plan_betray(&plan, adversary);
    sim_open(s, seed, &plan);
    s->trace = trace;
    if (trace)
        sim_plan_write(stdout, seed, &plan);
    bool good = sim_run(s);
    totals->events += s->events;
    totals->betrayals += s->betrayals;
    totals->failed += !good;
    if (trace)
        printf(
            "seed %llu: %s at %llu ms, height %llu, %u records final, %llu events, hash %016llx\n",
            (unsigned long long)seed, good ? "ok" : "FAILED", (unsigned long long)s->now_ms,
            (unsigned long long)s->checker.top, s->checker.finals, (unsigned long long)s->events,
            (unsigned long long)s->hash);
    if (!good)
        printf("seed %llu FAILED at %llu ms: %s\n  again with: sim --seed %llu%s%s --trace\n",
               (unsigned long long)seed, (unsigned long long)s->now_ms, s->why,
               (unsigned long long)seed, adversary ? " --adversary " : "",
               adversary ? adversary->name : "");
    fflush(stdout);
    sim_close(s);
    return good;
}

/* Every second seed; what it counted goes through the pipe. */
static void worker(struct sim *s, unsigned number, uint64_t from, uint64_t count, int out)
{
    struct totals result = {0, 0, 0};
    for (uint64_t i = number; i < count; i += WORKERS)
        (void)run_seed(s, from + i, false, &result);
    if (write(out, &result, sizeof result) != sizeof result)
        _exit(2);
    free(s);
    exit(0);
}

static bool run_seeds(struct sim *s, uint64_t from, uint64_t count)
{
    struct totals all = {0, 0, 0}, result;
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
        if (read(ends[0], &result, sizeof result) != sizeof result)
            result = (struct totals){0, 1, 0}; /* it died: an assert or a sanitizer said why */
        all.events += result.events;
        all.failed += result.failed;
        all.betrayals += result.betrayals;
    }
    while (wait(NULL) > 0) {
    }
    close(ends[0]);
    double took = seconds() - began;
    printf("sim: %llu seeds, %llu failed, %llu events in %.1f s (%.0f a second), %llu betrayals\n",
           (unsigned long long)count, (unsigned long long)all.failed,
           (unsigned long long)all.events, took, (double)all.events / took,
           (unsigned long long)all.betrayals);
    if (adversary && !all.betrayals)
        printf("%s did nothing\n", adversary->name);
    return !all.failed && (!adversary || all.betrayals);
}

/* Ends the program unless there is one. */
static const struct sim_adversary *find_adversary(const char *name)
{
    const struct sim_adversary *found = sim_adversary_find(name);
    for (uint32_t i = 0; !found && i < sim_adversary_count; i++)
        printf("%-18s %s\n", sim_adversaries[i].name, sim_adversaries[i].what);
    if (!found)
        exit(strcmp(name, "list") ? 2 : 0);
    return found;
}

int main(int argc, char **argv)
{
    uint64_t seed = 0, seeds = 0, from = 1;
    struct totals totals = {0, 0, 0};
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
        else if (!strcmp(argv[i], "--adversary") && value)
            adversary = find_adversary(argv[++i]);
        else
            argc = 0;
    }
    if (argc < 2 || hub_crypto_self_test() != HUB_OK) {
        fprintf(stderr, "usage: sim --seeds N [--from S] | --seed S [--trace] | --scenario "
                        "NAME|all [--trace]; --adversary NAME|list\n");
        return 2;
    }
    struct sim *s = malloc(sizeof *s);
    if (!s)
        return 2;
    if (seed)
        good = run_seed(s, seed, trace, &totals);
    if ((seeds && !adversary) || scenario)
        good = sim_scenarios(scenario && strcmp(scenario, "all") ? scenario : NULL, trace);
    if (seeds)
        good = run_seeds(s, from, seeds) && good;
    free(s);
    return good ? 0 : 1;
}
