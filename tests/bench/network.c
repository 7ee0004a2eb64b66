/* network.c: a running network of four nodes under load: lone records, wallets opened, single transfers, batches.
 * scripts/bench.sh starts the nodes and says in the environment where they are; what is measured goes to standard
 * output for people and, as NAME=VALUE lines, to BENCH_RESULTS for its table. */
#include "tests/bench/bench.h"
#include "tests/bench/hops.h"
#include "tests/bench/load.h"

#include "hub/merkle.h"
#include "tools/wallet.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    FUND_FEN = 6000, /* a full batch of it stays below the sum that needs a second signature */
    PER_REQUEST = 64,
    BATCHES_PER_REQUEST = 4,
    WINDOW_KEY = 1024, /* of the 2,048 numbers a node lets one key have waiting */
    WINDOW_BATCHES = 96,
    LONE = 400, /* LONE and LONE_SECONDS in the environment ask for more: scripts/catchup.sh */
    LONE_MAX = 4000,
    CHECK_THREADS_MAX = 256,
    CHECK_BYTES = 330 /* the signed bytes of a transfer */
};

struct wallets { /* what records are made of */
    uint16_t institution;
    uint32_t first, count; /* slots opened */
    uint64_t reserve, salt;
    unsigned entries;
};

static struct load load;
static struct wallets wallets;
static FILE *results;

static void result(const char *name, double value)
{
    if (results)
        fprintf(results, "%s=%.6g\n", name, value);
}

static unsigned setting(const char *name, unsigned absent)
{
    const char *text = getenv(name);
    return text && *text ? (unsigned)strtoul(text, NULL, 10) : absent;
}

/* splitmix64: wallets are a function of the record's place, so that threads need no common state. */
static uint64_t random_of(uint64_t n)
{
    uint64_t z = n * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t number_of(const struct wallets *w, uint64_t i)
{
    return hub_wallet_number(w->institution, w->first + (uint32_t)i);
}

/* Two different wallets, uniformly. */
static void pair_of(const struct wallets *w, uint64_t n, uint64_t *from, uint64_t *to)
{
    const uint64_t a = random_of(2 * (n + w->salt)) % w->count,
                   b = random_of(2 * (n + w->salt) + 1) % (w->count - 1);
    *from = number_of(w, a);
    *to = number_of(w, b < a ? b : b + 1);
}

/* ---- signature checks this machine does in a second, over all cores */

struct checker {
    pthread_t thread;
    uint64_t done, processor_ns;
    const _Atomic bool *stop;
};

static void *check(void *arg)
{
    struct checker *c = arg;
    const uint8_t seed[HUB_SEED_BYTES] = {1}, bytes[CHECK_BYTES] = {2};
    const struct hub_span message = {bytes, sizeof bytes};
    struct hub_public_key key;
    struct hub_signature sig;
    uint8_t secret[HUB_SECRET_BYTES];
    hub_key_from_seed(&key, secret, seed);
    hub_sign(&sig, secret, message);
    while (!*c->stop) {
        if (!hub_verify(&sig, message, &key))
            abort();
        c->done++;
    }
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    c->processor_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    return NULL;
}

/* Twice: as many as the clock saw, which others' work on the machine lowers, and as many as all cores would have
 * done alone, from the processor time they took. */
static double checks_sum, checks_alone_sum;
static unsigned checks_taken;

static void measure_checks(void)
{
    static struct checker c[CHECK_THREADS_MAX];
    _Atomic bool stop = false;
    uint64_t done = 0, processor_ns = 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const unsigned n = cores < 1                   ? 1
                       : cores > CHECK_THREADS_MAX ? CHECK_THREADS_MAX
                                                   : (unsigned)cores;
    const uint64_t began = bench_now_ns();
    for (unsigned i = 0; i < n; i++) {
        c[i] = (struct checker){.stop = &stop};
        if (pthread_create(&c[i].thread, NULL, check, &c[i]))
            abort();
    }
    nanosleep(&(struct timespec){.tv_nsec = 700000000}, NULL);
    stop = true;
    for (unsigned i = 0; i < n; i++) {
        pthread_join(c[i].thread, NULL);
        done += c[i].done;
        processor_ns += c[i].processor_ns;
    }
    checks_sum += (double)done * 1e9 / (double)(bench_now_ns() - began);
    checks_alone_sum += processor_ns ? (double)done * n * 1e9 / (double)processor_ns : 0;
    checks_taken++;
}

/* ---- records */

static void make_opening(void *ctx, struct hub_buf *core, struct hub_buf *attachment, uint64_t n)
{
    const struct wallets *w = ctx;
    struct hub_opening o = {.institution = w->institution, .kind = "corporate"};
    (void)attachment;
    for (unsigned i = 0; i < HUB_LIMIT_COUNT; i++)
        o.limits.value[i] = HUB_LIMIT_NONE;
    hub_put_be64(o.owner, n + 1);
    hub_opening_reference(&o);
    hub_opening_encode(core, &o);
}

static void make_transfer(void *ctx, struct hub_buf *core, struct hub_buf *attachment, uint64_t n)
{
    uint64_t from, to;
    (void)attachment;
    pair_of(ctx, n, &from, &to);
    hub_put_map(core, 3);
    hub_put_field_uint(core, "debit", from);
    hub_put_field_uint(core, "amount", 1);
    hub_put_field_uint(core, "credit", to);
}

/* Entries are in the attachment: the head that names them. */
static void put_batch(struct hub_buf *core, struct hub_buf *attachment, const struct wallets *w,
                      uint64_t n, uint64_t total)
{
    const uint32_t count = (uint32_t)(attachment->len / HUB_BATCH_ENTRY_BYTES);
    uint8_t reference[HUB_REFERENCE_BYTES];
    struct hub_edge edge = {.size = 0};
    struct hub_hash leaf, root;
    for (uint32_t i = 0; i < count; i++) {
        hub_merkle_leaf(&leaf, (struct hub_span){attachment->data + i * HUB_BATCH_ENTRY_BYTES,
                                                 HUB_BATCH_ENTRY_BYTES});
        hub_merkle_append(&edge, &leaf, NULL, NULL);
    }
    hub_merkle_root(&root, &edge);
    hub_put_be64(reference, w->salt + 1);
    hub_put_be64(reference + 8, n + 1);
    hub_put_map(core, 7);
    hub_put_text(core, "root");
    hub_put_hash(core, &root);
    hub_put_reference(core, "batch", reference);
    hub_put_field_uint(core, "count", count);
    hub_put_field_uint(core, "total", total);
    hub_put_text(core, "atomic");
    hub_put_bool(core, false);
    hub_put_field_uint(core, "purpose", 1);
    hub_put_field_uint(core, "institution", w->institution);
}

static void put_entry(struct hub_buf *attachment, uint64_t from, uint64_t to, uint64_t amount,
                      uint64_t n)
{
    uint8_t *at = attachment->data + attachment->len;
    HUB_ASSERT(attachment->cap - attachment->len >= HUB_BATCH_ENTRY_BYTES);
    hub_put_be64(at, from);
    hub_put_be64(at + 8, to);
    hub_put_be64(at + 16, amount);
    hub_put_be64(at + 24, 1);
    hub_put_be64(at + 32, n + 1);
    attachment->len += HUB_BATCH_ENTRY_BYTES;
}

/* The reserve pays every wallet its first money. */
static void make_funding(void *ctx, struct hub_buf *core, struct hub_buf *attachment, uint64_t n)
{
    const struct wallets *w = ctx;
    uint64_t total = 0;
    for (uint64_t i = n * w->entries; i < (n + 1) * w->entries && i < w->count; i++) {
        put_entry(attachment, w->reserve, number_of(w, i), FUND_FEN, i);
        total += FUND_FEN;
    }
    put_batch(core, attachment, w, n, total);
}

static void make_batch(void *ctx, struct hub_buf *core, struct hub_buf *attachment, uint64_t n)
{
    const struct wallets *w = ctx;
    for (uint64_t i = n * w->entries; i < (n + 1) * w->entries; i++) {
        uint64_t from, to;
        pair_of(w, i, &from, &to);
        put_entry(attachment, from, to, 1, i);
    }
    put_batch(core, attachment, w, n, w->entries);
}

/* ---- time in commits, of the first node, and processor time, of all */

struct commits {
    uint64_t began_ns, count, us;
    double processor_s;
};

/* /proc/PID/stat: the 14th and 15th numbers, behind the name in parentheses. */
static double processor_seconds(void)
{
    char pids[256], path[64], line[1024], *rest = pids;
    const char *text = getenv("BENCH_PIDS");
    double sum = 0;
    snprintf(pids, sizeof pids, "%s", text ? text : "");
    for (char *t; (t = strtok_r(rest, " \n", &rest)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%.20s/stat", t);
        FILE *f = fopen(path, "r");
        const char *at = f && fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
        for (unsigned field = 2; at && field < 14; field++)
            at = strchr(at + 1, ' ');
        char *next = NULL;
        if (at) {
            sum += (double)strtoull(at, &next, 10);
            sum += (double)strtoull(next, NULL, 10);
        }
        if (f)
            fclose(f);
    }
    return sum / (double)sysconf(_SC_CLK_TCK);
}

static struct commits commits_begin(void)
{
    return (struct commits){bench_now_ns(), load_metric(&load, "commits_total"),
                            load_metric(&load, "commit_microseconds_total"), processor_seconds()};
}

static void commits_end(const struct commits *c, const char *name)
{
    char text[64];
    const double count = (double)(load_metric(&load, "commits_total") - c->count),
                 us = (double)(load_metric(&load, "commit_microseconds_total") - c->us);
    snprintf(text, sizeof text, "%s_commit_share", name);
    result(text, us * 1000 / (double)(bench_now_ns() - c->began_ns));
    snprintf(text, sizeof text, "%s_processor_s", name);
    result(text, processor_seconds() - c->processor_s);
    snprintf(text, sizeof text, "%s_commit_ms", name);
    result(text, count > 0 ? us / 1000 / count : 0);
}

/* ---- phases */

static bool sign(const char *what, uint16_t type, unsigned count, unsigned per_request,
                 void (*make)(void *, struct hub_buf *, struct hub_buf *, uint64_t))
{
    const uint64_t began = bench_now_ns();
    load.type = type;
    load.count = count;
    load.per_request = per_request;
    load.make = make;
    load.ctx = &wallets;
    wallets.salt += UINT64_C(1) << 32; /* other wallets, other references than any phase before */
    const bool ok = load_sign(&load);
    printf("  %u %s signed beforehand in %.1f s\n", count, what,
           (double)(bench_now_ns() - began) / 1e9);
    fflush(stdout);
    return ok;
}

/* Signature checks a second are taken right before and right after. */
static bool run(const char *what, const char *name, unsigned seconds_max, unsigned window,
                unsigned each, struct load_outcome *o)
{
    char line[64];
    load.window = window;
    measure_checks();
    const struct commits commits = commits_begin();
    const bool ok = load_send(&load, seconds_max, o);
    commits_end(&commits, name);
    measure_checks();
    load_forget(&load);
    const double rate = ok ? (double)o->records * each / o->seconds : 0;
    printf("  %llu %s final in %.1f s: %.0f a second%s (%llu requests put off)\n",
           (unsigned long long)(o->records * each), what, o->seconds, rate,
           o->all ? "" : "; NOT ALL OF THOSE SENT", (unsigned long long)o->put_off);
    fflush(stdout);
    snprintf(line, sizeof line, "%s_per_s", name);
    result(line, rate);
    snprintf(line, sizeof line, "%s_count", name);
    result(line, (double)(o->records * each));
    snprintf(line, sizeof line, "%s_s", name);
    result(line, o->seconds);
    return ok && o->all;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void percentiles(const char *what, const char *name, double *ms, unsigned n)
{
    char text[64];
    qsort(ms, n, sizeof *ms, compare);
    snprintf(text, sizeof text, "%s, median", what);
    bench_line(text, ms[n / 2], "ms");
    snprintf(text, sizeof text, "%s, 99 of 100", what);
    bench_line(text, ms[n * 99 / 100], "ms");
    snprintf(text, sizeof text, "%s_p50_ms", name);
    result(text, ms[n / 2]);
    snprintf(text, sizeof text, "%s_p99_ms", name);
    result(text, ms[n * 99 / 100]);
}

/* One record at a time on an idle network; after each, a round trip of the bare messages. */
static bool lone_records(unsigned seconds_max)
{
    static double lone[LONE_MAX], bare[LONE_MAX];
    const unsigned asked = setting("LONE", LONE), most = asked < LONE_MAX ? asked : LONE_MAX;
    unsigned n = 0;
    struct bench_hops *hops = bench_hops_open();
    bool ok = hops && sign("lone transfers", HUB_TYPE_CURRENCY_TRANSFER, most, 1, make_transfer);
    const struct commits commits = commits_begin();
    const uint64_t began = bench_now_ns();
    for (; ok && n < most && bench_now_ns() - began < seconds_max * UINT64_C(1000000000); n++) {
        const uint64_t record =
            load_alone(&load, n % load.streams, n / load.streams, n % load.nodes);
        const uint64_t trip = bench_hops_round(hops);
        lone[n] = (double)record / 1e6;
        bare[n] = (double)trip / 1e6;
        ok = record && trip;
    }
    commits_end(&commits, "lone");
    load_forget(&load);
    if (hops)
        bench_hops_close(hops);
    if (!ok || n == 0)
        return false;
    result("lone_count", n);
    percentiles("a lone record until final", "lone", lone, n);
    percentiles("the same messages without disk or work", "bare", bare, n);
    return true;
}

static bool open_wallets(unsigned wanted, unsigned seconds_max)
{
    struct load_outcome o;
    if (!sign("wallet openings", HUB_TYPE_WALLET_OPEN, wanted, PER_REQUEST, make_opening) ||
        !run("wallets opened,", "openings", seconds_max, load.streams * WINDOW_KEY, 1, &o))
        return false;
    wallets.count = (uint32_t)o.records;
    result("wallets", wallets.count);
    const unsigned batches = (wallets.count + wallets.entries - 1) / wallets.entries;
    return wallets.count > 1 &&
           sign("batches of first money", HUB_TYPE_CURRENCY_BATCH, batches, BATCHES_PER_REQUEST,
                make_funding) &&
           run("batches of first money", "funding", 60, WINDOW_BATCHES, 1, &o);
}

static bool prepare(void)
{
    char *nodes = getenv("BENCH_NODES"), *keys = getenv("BENCH_KEYS");
    const char *path = getenv("BENCH_RESULTS");
    struct hub_hints hints;
    int code;
    if (!nodes || !keys) {
        printf("  needs a running network: scripts/bench.sh\n");
        return false;
    }
    results = path ? fopen(path, "w") : NULL;
    if (hub_crypto_self_test() != HUB_OK ||
        !load_open(&load, nodes, keys, getenv("HUBLEDGER_GENESIS")))
        return false;
    struct hub_cli *cli = &load.stream[0].cli;
    return hub_cli_hints(cli, &hints, &code) &&
           hub_own_institution(cli, hints.iss, &wallets.institution, &code) &&
           hub_own_reserve(cli, &wallets.reserve, &code);
}

int bench_network(void)
{
    struct load_outcome o;
    const unsigned wanted = setting("WALLETS", 100000), transfers = setting("TRANSFERS", 30000),
                   batches = setting("BATCHES", 200), limit = setting("PHASE_SECONDS", 45);
    if (!prepare())
        return getenv("BENCH_NODES") != NULL;
    wallets.first =
        (uint32_t)(wallets.reserve >> 16 & UINT32_MAX) + 1; /* slots follow the reserve's */
    wallets.entries = HUB_BATCH_ENTRIES_MAX;
    const bool ok =
        open_wallets(wanted, setting("OPEN_SECONDS", 75)) &&
        lone_records(setting("LONE_SECONDS", 15)) &&
        sign("single transfers", HUB_TYPE_CURRENCY_TRANSFER, transfers, PER_REQUEST,
             make_transfer) &&
        run("single transfers", "singles", limit, load.streams * WINDOW_KEY, 1, &o) &&
        sign("batches", HUB_TYPE_CURRENCY_BATCH, batches, BATCHES_PER_REQUEST, make_batch) &&
        run("batch entries", "entries", limit, WINDOW_BATCHES, wallets.entries, &o);
    measure_checks();
    result("checks_per_s", checks_sum / checks_taken);
    result("check_processor_s",
           (double)sysconf(_SC_NPROCESSORS_ONLN) * checks_taken / checks_alone_sum);
    result("checks_alone_per_s", checks_alone_sum / checks_taken);
    load_close(&load);
    if (results)
        fclose(results);
    return !ok;
}
