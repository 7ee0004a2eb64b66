/* main.c: trials of the store on disks that fail. See powercut.c and errors.c. */
#include "tests/storage/storage.h"
#include "tests/support/ledger_dir.h"

#include <argp.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PROGRESS_MS = 20000,
    MMAP_BYTES =
        512 << 10,        /* LMDB asks for 2 MiB of zeros at each open: fresh pages cost nothing */
    KEPT_BYTES = 64 << 20 /* what one trial frees the next one takes */
};

struct storage_totals *storage_totals;
static double began_s;
static bool quiet;    /* bad images are what is looked for */
static bool may_stop; /* the store may end the process, with a sentence */

void storage_must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

void storage_count(uint64_t *total, uint64_t add)
{
    __atomic_add_fetch(total, add, __ATOMIC_RELAXED);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

bool storage_enough(const struct storage_options *o)
{
    return (o->seconds && now_s() - began_s > (double)o->seconds) ||
           (o->images && storage_totals->images >= o->images) ||
           (!o->lie && storage_totals->bad >= STORAGE_FAILURES_MAX);
}

/* ---- one trial */

void storage_judged(const char *why)
{
    snprintf(storage_totals->why, sizeof storage_totals->why, "%s", why);
    _exit(1);
}

void storage_clock(void)
{
    alarm(STORAGE_TRIAL_SECONDS);
}

static enum storage_outcome outcome_of(int code)
{
    enum { STOPPED_BY_STORE = 70 };
    const int exit = WIFEXITED(code) ? WEXITSTATUS(code) : -1;
    if (exit == STOPPED_BY_STORE)
        return STORAGE_TOLD;
    return exit == STORAGE_GOOD || (exit >= STORAGE_TOLD && exit < STORAGE_OUTCOMES)
               ? (enum storage_outcome)exit
               : STORAGE_BAD;
}

enum storage_outcome storage_try(void (*try)(void *ctx), void *ctx, const char *name)
{
    int code;
    storage_totals->why[0] = 0;
    const pid_t child = fork();
    storage_must(child >= 0, "fork");
    if (child == 0) {
        storage_clock();
        storage_must(freopen("/dev/null", "w", stderr) != NULL, "stderr");
        try(ctx);
        _exit(0);
    }
    storage_must(waitpid(child, &code, 0) == child, "wait");
    const enum storage_outcome outcome = outcome_of(code);
    if (outcome != STORAGE_BAD && (outcome != STORAGE_TOLD || may_stop))
        return outcome;
    const bool judged = WIFEXITED(code) && WEXITSTATUS(code) == STORAGE_BAD;
    storage_count(&storage_totals->crashed, !judged);
    storage_count(&storage_totals->bad, 1);
    if (quiet || storage_totals->bad > STORAGE_FAILURES_MAX)
        return STORAGE_BAD;
    if (judged)
        printf("%s: %s\n", name, storage_totals->why);
    else
        printf("%s: ended by %s %d\n", name, WIFEXITED(code) ? "exit" : "signal",
               WIFEXITED(code) ? WEXITSTATUS(code) : WTERMSIG(code));
    return STORAGE_BAD;
}

void storage_judge_node(struct four *f, uint8_t node, uint64_t least)
{
    static const struct hub_hash none;
    struct four_node *n = &f->node[node];
    const uint64_t tip = n->replica->chain.final_header.height;
    const struct hub_reader r = hub_store_reader(n->store);
    char why[128];
    for (uint32_t i = 0; i < f->said_count[node]; i++)
        if (!four_holds_vote(n, &f->said[node][i]))
            storage_judged("a vote that was sent is not in the journal");
    if (tip < least) {
        snprintf(why, sizeof why, "the tip is %llu and was %llu", (unsigned long long)tip,
                 (unsigned long long)least);
        storage_judged(why);
    }
    for (uint64_t height = 1; height <= tip; height++) {
        struct hub_header header;
        struct hub_hash hash;
        struct hub_span bytes;
        snprintf(why, sizeof why, "final block at height %llu", (unsigned long long)height);
        if (hub_read_block(&r, height, &bytes) || hub_read_header(&r, height, &header, &hash))
            storage_judged(why);
        if (!hub_hash_equal(&f->final[height], &none) && !hub_hash_equal(&f->final[height], &hash))
            storage_judged(why);
    }
}

static bool all_above(const struct four *f, uint64_t height)
{
    bool above = true;
    for (uint8_t i = 0; i < FOUR; i++)
        above &= f->node[i].up && f->node[i].replica->chain.final_header.height > height;
    return above;
}

void storage_judge_progress(struct four *f)
{
    const uint64_t told = f->final_max, end_ms = f->now_ms + PROGRESS_MS;
    f->loss_permille = 0;
    four_submit(f, 8);
    while (!f->failure[0] && f->now_ms < end_ms && !all_above(f, told))
        four_run(f, f->now_ms + 250);
    if (f->failure[0])
        storage_judged(f->failure);
    for (uint8_t i = 0; i < FOUR; i++) {
        struct four_node *n = &f->node[i];
        if (!n->up || n->failed)
            storage_judged("a node stops after the restart");
        if (n->replica->voting != HUB_VOTING_ALLOWED)
            storage_judged("a node casts no votes after the restart");
        if (n->replica->chain.final_header.height <= told)
            storage_judged("no progress after the restart, or an acknowledged block is lost");
        storage_judge_node(f, i, told);
    }
}

/* ---- processes */

static void work(const struct storage_options *o, uint32_t job)
{
    char scratch[64];
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    test_dir_make(scratch);
    for (uint64_t i = job; i < o->seeds && !storage_enough(o); i += o->jobs) {
        (o->flips    ? storage_flips
         : o->errors ? storage_errors
                     : storage_powercut)(o, scratch, o->seed + i);
        storage_count(&storage_totals->seeds, 1);
    }
    test_dir_remove(scratch);
    fflush(stdout);
    _exit(0);
}

static int report_flips(const struct storage_options *o)
{
    static const char *const pages[STORAGE_PAGES] = {"meta", "branch", "leaf", "overflow"};
    const struct storage_totals *t = storage_totals;
    for (unsigned i = 0; i < STORAGE_PAGES; i++)
        printf("  %-8s pages: %llu harmless, %llu ended or voting stopped with a sentence, %llu "
               "checkpoints built anew, "
               "%llu blocks fetched again, %llu bad\n",
               pages[i], (unsigned long long)t->flips[i][STORAGE_GOOD],
               (unsigned long long)t->flips[i][STORAGE_TOLD],
               (unsigned long long)t->flips[i][STORAGE_REBUILT],
               (unsigned long long)t->flips[i][STORAGE_MENDED],
               (unsigned long long)t->flips[i][STORAGE_BAD]);
    printf("flips: %llu recordings from seed %llu, %llu pages changed, %llu bad; %.0f s\n",
           (unsigned long long)t->seeds, (unsigned long long)o->seed, (unsigned long long)t->images,
           (unsigned long long)t->bad, now_s() - began_s);
    return t->bad != 0;
}

static int report(const struct storage_options *o)
{
    static const char *const names[DISK_LOSSES] = {
        "kept", "lost", "some writes", "some sectors", "torn", "all but one", "one alone"};
    const struct storage_totals *t = storage_totals;
    const unsigned long long seeds = t->seeds, first = o->seed, images = t->images, bad = t->bad;
    if (o->flips)
        return report_flips(o);
    if (o->errors) {
        printf("disk errors: %llu recordings from seed %llu, %llu calls in the last, %llu made to "
               "fail, %llu of them in a start; %llu bad; %.0f s\n",
               seeds, first, (unsigned long long)t->operations, images,
               (unsigned long long)t->refused, bad, now_s() - began_s);
        return bad != 0;
    }
    printf("powercut%s: %llu recordings from seed %llu, %llu operations, %llu cuts, %llu images (",
           o->lie ? " with a disk that lies" : "", seeds, first, (unsigned long long)t->operations,
           (unsigned long long)t->cuts, images);
    for (unsigned i = 0; i < DISK_LOSSES; i++)
        printf("%s%s %llu", i ? ", " : "", names[i], (unsigned long long)t->by_loss[i]);
    printf("), %llu started as four nodes again; %llu bad, of them %llu ended by the store itself; "
           "%.0f s\n",
           (unsigned long long)t->revived, bad, (unsigned long long)t->crashed, now_s() - began_s);
    if (o->lie && !bad)
        printf("FAILED: a disk that ignores syncs lost nothing: the judge is blind\n");
    return o->lie ? bad == 0 : bad != 0;
}

static const struct argp_option argp_options[] = {
    {"seed", 's', "N", 0, "the first recording (1)", 0},
    {"seeds", 'n', "N", 0, "recordings (1)", 0},
    {"seconds", 't', "S", 0, "end after S seconds; recordings without end", 0},
    {"images", 'i', "N", 0, "end after N images", 0},
    {"every", 'k', "N", 0, "cut, or fail, at every N-th operation (1)", 0},
    {"jobs", 'j', "N", 0, "processes (2)", 0},
    {"lie", 'l', NULL, 0, "the disk ignores syncs: losses must be found", 0},
    {"flips", 'f', NULL, 0, "no cuts: a bit or a sector of every page is changed", 0},
    {"errors", 'e', NULL, 0, "no cuts: the k-th call fails, for every k", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct storage_options *o = state->input;
    const uint64_t number = arg ? strtoull(arg, NULL, 10) : 0;
    switch (key) {
    case 's':
        o->seed = number;
        return 0;
    case 'n':
        o->seeds = number;
        return 0;
    case 't':
    case 'i':
        *(key == 't' ? &o->seconds : &o->images) = number;
        o->seeds = UINT32_MAX;
        return 0;
    case 'k':
        o->every = number ? (uint32_t)number : 1;
        return 0;
    case 'j':
        o->jobs = number ? (uint32_t)number : 1;
        return 0;
    case 'l':
        o->lie = true;
        return 0;
    case 'f':
        o->flips = true;
        return 0;
    case 'e':
        o->errors = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    struct storage_options o = {.seed = 1, .seeds = 1, .every = 1, .jobs = 2};
    const struct argp argp = {
        argp_options, parse, NULL, "Power cuts at every write point; errors at every call.",
        NULL,         NULL,  NULL};
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    storage_totals = mmap(NULL, sizeof *storage_totals, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    storage_must(storage_totals != MAP_FAILED, "memory");
    storage_verified_open();
    mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    began_s = now_s();
    quiet = o.lie;
    may_stop = o.flips;
    int failed = 0, code;
    fflush(stdout);
    for (uint32_t job = 0; job < o.jobs; job++) {
        const pid_t child = fork();
        storage_must(child >= 0, "fork");
        if (child == 0)
            work(&o, job);
    }
    while (wait(&code) > 0)
        if (!WIFEXITED(code) || WEXITSTATUS(code) != 0) {
            printf("FAILED: a worker ended by %s %d\n", WIFEXITED(code) ? "exit" : "signal",
                   WIFEXITED(code) ? WEXITSTATUS(code) : WTERMSIG(code));
            failed = 1;
        }
    return report(&o) || failed;
}
