/* campaign.c: seeds on all cores, for a number of them or for a time. Each worker is a process: one that dies fails
 * the seed it was at, and another takes its place. */
#include "sim.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS_MAX = 64, FAILURES_MAX = 16, SHRUNK_MAX = 4, SEED_SECONDS_MAX = 200 };

struct failure {
    uint64_t seed;
    char why[400];
};
struct board { /* shared by parent and workers */
    atomic_uint_fast64_t next, failures;
    struct failure failure[FAILURES_MAX];
    struct {
        uint64_t seed; /* under way; 0 = none */
        uint64_t seeds, stopped, sizes[SIM_NODES_MAX + 1], with[SIM_FAULT_KINDS],
            changed[SIM_EPOCHS_MAX]; /* seeds by the changes of the set */
        struct sim_result sum;
    } worker[WORKERS_MAX];
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *share(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    HUB_ASSERT(p != MAP_FAILED);
    return p;
}

/* ---- one run */

/* A seed that never ends is ended by a signal; time that others have the processor does not count. */
static void limit_cpu(void)
{
    const struct itimerval most = {.it_value = {.tv_sec = SEED_SECONDS_MAX}};
    HUB_ASSERT(setitimer(ITIMER_PROF, &most, NULL) == 0);
}

void sim_try(struct sim_result *out, uint64_t seed, const struct sim_plan *p, bool trace)
{
    static struct sim *s;
    if (!s)
        s = malloc(sizeof *s);
    HUB_ASSERT(s);
    sim_open(s, seed, p);
    s->trace = trace;
    *out = (struct sim_result){.good = sim_run(s), .stopped = s->stopped, .n = p->n};
    memcpy(out->why, s->why, sizeof out->why);
    out->events = s->events;
    out->ms = s->now_ms;
    out->height = s->checker.top;
    out->finals = s->checker.finals;
    out->betrayals = s->betrayals;
    out->changes = s->epochs - 1;
    out->recoveries = s->recovery.signed_ < s->epochs ? s->recovery.signed_ : s->epochs - 1;
    out->hash = s->hash;
    memcpy(out->struck, s->struck, sizeof out->struck);
    sim_close(s);
}

void sim_try_apart(struct sim_result *out, uint64_t seed, const struct sim_plan *p)
{
    static struct sim_result *result;
    int status = 0;
    if (!result)
        result = share(sizeof *result);
    *result = (struct sim_result){.why = "it did not even start"};
    fflush(stdout);
    pid_t pid = fork();
    HUB_ASSERT(pid >= 0);
    if (!pid) {
        limit_cpu();
        if (!freopen("/dev/null", "w", stderr))
            _exit(2);
        sim_try(result, seed, p, false);
        _exit(0);
    }
    HUB_ASSERT(waitpid(pid, &status, 0) == pid);
    *out = *result;
    if (WIFSIGNALED(status)) {
        out->good = false;
        snprintf(out->why, sizeof out->why, "ended by signal %d", WTERMSIG(status));
    }
}

/* ---- workers */

static void note_failure(struct board *b, uint64_t seed, const char *why)
{
    uint64_t at = atomic_fetch_add(&b->failures, 1);
    printf("seed %llu FAILED: %s\n", (unsigned long long)seed, why);
    fflush(stdout);
    if (at < FAILURES_MAX) {
        b->failure[at].seed = seed;
        snprintf(b->failure[at].why, sizeof b->failure[at].why, "%s", why);
    }
}

static void add_up(struct sim_result *sum, const struct sim_result *r)
{
    sum->events += r->events;
    sum->ms += r->ms;
    sum->height += r->height;
    sum->finals += r->finals;
    sum->betrayals += r->betrayals;
    sum->changes += r->changes;
    sum->recoveries += r->recoveries;
    for (unsigned k = 0; k < SIM_FAULT_KINDS; k++)
        sum->struck[k] += r->struck[k];
}

static void work(struct board *b, unsigned number, const struct sim_campaign *c, double until)
{
    for (;;) {
        static struct sim_plan plan;
        struct sim_result r;
        uint64_t i = atomic_fetch_add(&b->next, 1);
        if ((c->count && i >= c->count) || (c->seconds && seconds() >= until))
            break;
        b->worker[number].seed = c->from + i;
        c->plan(&plan, c->from + i);
        limit_cpu();
        sim_try(&r, c->from + i, &plan, false);
        if (!r.good)
            note_failure(b, c->from + i, r.why);
        add_up(&b->worker[number].sum, &r);
        b->worker[number].seeds++;
        b->worker[number].stopped += r.stopped;
        b->worker[number].changed[r.changes]++;
        if (r.stopped)
            printf("seed %llu %s\n", (unsigned long long)(c->from + i), r.why);
        b->worker[number].sizes[r.n]++;
        for (unsigned k = 0; k < SIM_FAULT_KINDS; k++)
            b->worker[number].with[k] += r.struck[k] > 0;
    }
    b->worker[number].seed = 0;
    fflush(stdout);
    exit(0); /* a leak is found here */
}

static pid_t start(struct board *b, unsigned number, const struct sim_campaign *c, double until)
{
    fflush(stdout);
    pid_t pid = fork();
    HUB_ASSERT(pid >= 0);
    if (!pid)
        work(b, number, c, until);
    return pid;
}

static void run_all(struct board *b, unsigned workers, const struct sim_campaign *c, double until)
{
    pid_t pid[WORKERS_MAX];
    for (unsigned i = 0; i < workers; i++)
        pid[i] = start(b, i, c, until);
    for (unsigned left = workers; left;) {
        int status = 0;
        pid_t ended = wait(&status);
        HUB_ASSERT(ended > 0);
        for (unsigned i = 0; i < workers; i++) {
            if (pid[i] != ended)
                continue;
            uint64_t seed = b->worker[i].seed;
            if (seed || status) { /* an assert or a sanitizer said why */
                char why[64];
                snprintf(why, sizeof why, "its process ended with status %d", status);
                note_failure(b, seed, why);
            }
            if (seed && atomic_load(&b->failures) < FAILURES_MAX) {
                b->worker[i].seed = 0;
                pid[i] = start(b, i, c, until);
            } else {
                left--;
            }
        }
    }
}

/* ---- what is said at the end */

static void say_faults(const struct board *b, unsigned workers, const struct sim_result *sum)
{
    printf("faults that struck (times / seeds):");
    for (unsigned k = 0; k < SIM_FAULT_KINDS; k++) {
        uint64_t with = 0;
        for (unsigned i = 0; i < workers; i++)
            with += b->worker[i].with[k];
        printf("%s %s %llu / %llu", k ? "," : "", sim_fault_names[k],
               (unsigned long long)sum->struck[k], (unsigned long long)with);
    }
    uint64_t changed[SIM_EPOCHS_MAX] = {0};
    for (unsigned i = 0; i < workers; i++)
        for (unsigned k = 0; k < SIM_EPOCHS_MAX; k++)
            changed[k] += b->worker[i].changed[k];
    printf("\nnodes (seeds):");
    for (unsigned n = 1; n <= SIM_NODES_MAX; n++) {
        uint64_t seeds = 0;
        for (unsigned i = 0; i < workers; i++)
            seeds += b->worker[i].sizes[n];
        if (seeds)
            printf(" %u (%llu)", n, (unsigned long long)seeds);
    }
    printf("\nchanges of the set: %llu in all, %llu of them recovery epochs; %llu seeds with one, "
           "%llu with two\n",
           (unsigned long long)sum->changes, (unsigned long long)sum->recoveries,
           (unsigned long long)changed[1], (unsigned long long)changed[2]);
}

static uint64_t say_figures(const struct board *b, unsigned workers, const struct sim_campaign *c,
                            double took)
{
    struct sim_result sum = {.good = true};
    struct rusage used;
    uint64_t seeds = 0, stopped = 0, failed = atomic_load(&b->failures);
    for (unsigned i = 0; i < workers; i++) {
        add_up(&sum, &b->worker[i].sum);
        seeds += b->worker[i].seeds;
        stopped += b->worker[i].stopped;
    }
    getrusage(RUSAGE_CHILDREN, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    double hours = (double)sum.ms / 3.6e6;
    if (c->seconds) {
        char date[32];
        time_t now = time(NULL);
        strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime(&now));
        printf("%s, commit %s, %u cores, seeds %llu to %llu\n", date,
               c->commit ? c->commit : "unknown", workers, (unsigned long long)c->from,
               (unsigned long long)(c->from + seeds - 1));
        say_faults(b, workers, &sum);
    }
    printf("sim: %llu seeds, %llu failed, %llu stopped by design, %llu events, %.1f cluster-hours, "
           "%llu blocks, %llu "
           "records, %llu betrayals in %.1f s; a core-second: %.0f events, %.2f cluster-hours\n",
           (unsigned long long)seeds, (unsigned long long)failed, (unsigned long long)stopped,
           (unsigned long long)sum.events, hours, (unsigned long long)sum.height,
           (unsigned long long)sum.finals, (unsigned long long)sum.betrayals, took,
           (double)sum.events / cpu, hours / cpu);
    return sum.betrayals;
}

static void keep(const struct sim_campaign *c, const struct failure *f)
{
    static struct sim_plan plan;
    struct sim_result r;
    char path[512];
    c->plan(&plan, f->seed);
    snprintf(r.why, sizeof r.why, "%s", f->why);
    sim_shrink(f->seed, &plan, &r);
    mkdir(c->keep, 0777);
    snprintf(path, sizeof path, "%s/seed-%llu.sim", c->keep, (unsigned long long)f->seed);
    FILE *to = fopen(path, "w");
    if (!to)
        return;
    fprintf(to, "# commit %s, cut down: %s\n", c->commit ? c->commit : "unknown", r.why);
    sim_plan_write(to, f->seed, &plan);
    fclose(to);
    printf("seed %llu, commit %s, cut down to %u faults: sim --replay %s\n  %s\n",
           (unsigned long long)f->seed, c->commit ? c->commit : "unknown", plan.faults, path,
           r.why);
}

bool sim_campaign(const struct sim_campaign *c, bool betrayed)
{
    struct board *b = share(sizeof *b);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned workers = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (unsigned)cores;
    double began = seconds();
    run_all(b, workers, c, began + (double)c->seconds);
    uint64_t betrayals = say_figures(b, workers, c, seconds() - began);
    uint64_t failed = atomic_load(&b->failures);
    for (uint64_t i = 0; c->keep && i < failed && i < SHRUNK_MAX; i++)
        keep(c, &b->failure[i]);
    munmap(b, sizeof *b);
    if (betrayed && !betrayals)
        printf("the adversary did nothing\n");
    return !failed && (!betrayed || betrayals);
}
