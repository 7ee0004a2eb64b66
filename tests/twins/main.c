/* main.c: command line of the twins.
 *   twins --scenarios N [--from K]   K .. K+N-1 (default 0) on two processes, then the negative controls
 *   twins --minutes M                as many as fit
 *   twins --scenario K               one, shown */
#include "twins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 2, CONTROLS_MAX = 400 };

struct totals {
    uint64_t run, failed, lied, early, ms;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void one(uint64_t number, struct totals *t, bool show)
{
    struct twins_scenario sc;
    struct twins_result r;
    twins_scenario_of(&sc, number);
    twins_run(&r, &sc);
    t->run++;
    t->failed += r.failure != NULL;
    t->lied += r.guilty != 0;
    t->early += r.early != 0;
    t->ms += r.ms;
    if (!r.failure && !show)
        return;
    twins_print(&sc);
    printf("  %s at %llu ms; guilty %llx; %llu blocks final in the scripted views\n",
           r.failure ? r.failure : "ok", (unsigned long long)r.ms, (unsigned long long)r.guilty,
           (unsigned long long)r.early);
    if (r.failure)
        printf("  again with: twins --scenario %llu\n", (unsigned long long)number);
    fflush(stdout);
}

static void worker(uint64_t first, uint64_t count, double until, int out)
{
    struct totals t = {0};
    for (uint64_t i = 0; i < count && (until <= 0 || seconds() < until); i++)
        one(first + i * WORKERS, &t, false);
    if (write(out, &t, sizeof t) != sizeof t)
        _exit(2);
    exit(0);
}

static bool many(uint64_t from, uint64_t count, double minutes)
{
    struct totals all = {0}, t;
    double began = seconds(), until = minutes > 0 ? began + 60 * minutes : 0;
    int ends[2];
    if (pipe(ends))
        return false;
    fflush(stdout);
    for (uint64_t i = 0; i < WORKERS; i++) {
        pid_t pid = fork();
        if (pid < 0)
            return false;
        if (!pid)
            worker(from + i, (count + WORKERS - 1 - i) / WORKERS, until, ends[1]);
    }
    close(ends[1]);
    for (unsigned i = 0; i < WORKERS; i++) {
        if (read(ends[0], &t, sizeof t) != sizeof t)
            t = (struct totals){.failed = 1}; /* it died: an assert or a sanitizer said why */
        all.run += t.run;
        all.failed += t.failed;
        all.lied += t.lied;
        all.early += t.early;
        all.ms += t.ms;
    }
    while (wait(NULL) > 0) {
    }
    close(ends[0]);
    double took = seconds() - began;
    printf("twins: %llu scenarios, %llu failed, in %.1f s (%.0f a second); twins provably lied in "
           "%llu, blocks became final in the scripted views in %llu; %.0f simulated s\n",
           (unsigned long long)all.run, (unsigned long long)all.failed, took,
           (double)all.run / took, (unsigned long long)all.lied, (unsigned long long)all.early,
           (double)all.ms / 1000);
    return !all.failed;
}

/* One liar too many: a fork must be found, and all of the twins convicted of it, and nobody else. */
static bool control(uint8_t n, uint8_t twins)
{
    uint64_t liars = (1u << n) - (1u << (n - twins)), forks = 0;
    struct twins_scenario sc;
    struct twins_result r;
    for (uint64_t i = 0; i < CONTROLS_MAX; i++) {
        twins_control(&sc, i, n, twins);
        twins_run(&r, &sc);
        forks += r.forked;
        if (r.failure || (r.guilty & ~liars) || (r.forked && r.guilty != liars)) {
            twins_print(&sc);
            printf("  %s; guilty %llx\n", r.failure ? r.failure : "the guilty are not the twins",
                   (unsigned long long)r.guilty);
            return false;
        }
    }
    printf("control: %u twins of %u: %llu of %u scenarios fork; the guilty are the twins%s\n",
           twins, n, (unsigned long long)forks, CONTROLS_MAX, forks ? "" : ": NO FORK FOUND");
    return forks;
}

int main(int argc, char **argv)
{
    uint64_t from = 0, count = 0, number = UINT64_MAX;
    double minutes = 0;
    struct totals t = {0};
    for (int i = 1; i < argc; i++) {
        bool value = i + 1 < argc;
        if (!strcmp(argv[i], "--scenarios") && value)
            count = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--from") && value)
            from = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--minutes") && value)
            minutes = strtod(argv[++i], NULL);
        else if (!strcmp(argv[i], "--scenario") && value)
            number = strtoull(argv[++i], NULL, 10);
        else
            argc = 0;
    }
    if (argc < 2) {
        fprintf(stderr, "usage: twins --scenarios N [--from K] | --minutes M | --scenario K\n");
        return 2;
    }
    if (number != UINT64_MAX) {
        one(number, &t, true);
        return t.failed ? 1 : 0;
    }
    bool good = many(from, minutes > 0 ? UINT64_MAX / 4 : count, minutes);
    good = control(4, 2) && good;
    good = control(7, 3) && good;
    return good ? 0 : 1;
}
