/* What the disk costs: one commit of a turn, a checkpoint after 32 MiB of blocks, a restart with 100,000 wallets
 * from its checkpoint and from genesis. */
#include "tests/bench/bench.h"
#include "tests/support/ledger_dir.h"
#include "tests/support/stored_ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    WALLETS = 100000,
    COMMITS = 400,
    SEED = 20260522,
    RESERVE = 1 /* slot of the bank's wallet */
};

static struct stored_ledger s;
static char dir[64];

static double ms_since(uint64_t began_ns)
{
    return (double)(bench_now_ns() - began_ns) / 1e6;
}

/* What of it this process computed: on a busy machine the better measure of the work. */
static double cpu_ms_since(clock_t began)
{
    return (double)(clock() - began) * 1e3 / CLOCKS_PER_SEC;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static uint32_t wallet(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407u; /* Knuth, MMIX */
    return SMALL_FIRST_WALLET + (uint32_t)((*random >> 33) % WALLETS);
}

static double file_mib(void)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "%s/ledger/data.mdb", dir);
    return stat(path, &st) == 0 ? (double)st.st_size / (1 << 20) : 0;
}

static void report(const char *name, double *ms, unsigned n)
{
    char label[96];
    qsort(ms, n, sizeof *ms, compare);
    snprintf(label, sizeof label, "%s, median", name);
    bench_line(label, ms[n / 2], "ms");
    snprintf(label, sizeof label, "%s, 99 of 100", name);
    bench_line(label, ms[n * 99 / 100], "ms");
}

/* A follower's turn: a block of one record, a vote, the certificate before it, the tip. */
static void commits(void)
{
    static double ms[COMMITS], bare[COMMITS];
    for (unsigned i = 0; i < COMMITS; i++) {
        struct hub_vote v = {.subject = {.kind = HUB_NOTARIZE, .epoch = 1, .view = i + 1}};
        small_ledger_open_wallet(s.ledger);
        if (s.ports.put_vote(s.store, &v))
            abort();
        small_ledger_block(s.ledger, s.chain, NULL, NULL);
        uint64_t began = bench_now_ns();
        const struct hub_block *b = &s.ledger->block;
        struct hub_point fin = {b->header.view, b->header.height, b->hash};
        if (s.ports.put_block(s.store, &b->header, &b->hash, b->bytes) ||
            s.ports.put_certificate(s.store, &s.ledger->certificate, 1) ||
            s.ports.put_tip(s.store, &fin, &s.chain->final_edge) || s.ports.commit(s.store))
            abort();
        ms[i] = ms_since(began);
    }
    report("commit of block, vote, certificate and tip", ms, COMMITS);
    for (unsigned i = 0; i < COMMITS; i++) {
        struct hub_vote v = {.subject = {.kind = HUB_NULLIFY, .epoch = 1, .view = COMMITS + i + 1}};
        uint64_t began = bench_now_ns();
        if (s.ports.put_vote(s.store, &v) || s.ports.commit(s.store))
            abort();
        bare[i] = ms_since(began);
    }
    report("commit of one vote", bare, COMMITS);
}

static void checkpoint(const char *label)
{
    char text[96];
    struct hub_history_size size = hub_history_size(s.history);
    double before = file_mib();
    uint64_t began = bench_now_ns();
    clock_t cpu = clock();
    if (hub_checkpoint_write(s.store, s.chain, s.history))
        abort();
    double ms = ms_since(began);
    snprintf(text, sizeof text, "checkpoint %s (%llu records, %.1f MiB of blocks)", label,
             (unsigned long long)size.held_records, (double)size.block_bytes / (1 << 20));
    bench_line(text, ms, "ms");
    bench_line("  of it computing", cpu_ms_since(cpu), "ms");
    bench_line("  the file grew by", file_mib() - before, "MiB");
}

static void save_log(void)
{
    char text[96];
    struct hub_history_size size = hub_history_size(s.history);
    uint64_t began = bench_now_ns();
    clock_t cpu = clock();
    if (hub_checkpoint_write_log(s.store, s.history))
        abort();
    snprintf(text, sizeof text, "log of %llu records ahead", (unsigned long long)size.held_records);
    bench_line(text, ms_since(began), "ms");
    bench_line("  of it computing", cpu_ms_since(cpu), "ms");
}

static void fill(bool wallets, unsigned count)
{
    uint64_t random = SEED;
    for (unsigned i = 0; i < count; i++) {
        bool taken = wallets ? small_ledger_open_wallet(s.ledger)
                             : small_ledger_transfer(s.ledger, RESERVE, wallet(&random), 1);
        if (taken)
            continue;
        stored_block(&s);
        i--;
        if (hub_checkpoint_due(s.chain, s.history, false) == HUB_DUE_LOG)
            save_log();
    }
    stored_block(&s);
}

static void restart(const char *label)
{
    char text[96];
    struct hub_hash before, after;
    hub_state_root(&s.chain->state, &before);
    stored_stop(&s);
    uint64_t began = bench_now_ns();
    clock_t cpu = clock();
    stored_start(&s);
    double loaded = ms_since(began), computing = cpu_ms_since(cpu);
    if (s.report.damaged)
        printf("  the checkpoint was not used: %s\n", s.report.why);
    stored_catch_up(&s);
    double all = ms_since(began);
    hub_state_root(&s.chain->state, &after);
    if (!hub_hash_equal(&before, &after))
        abort();
    snprintf(text, sizeof text, "restart %s, to the checkpoint", label);
    bench_line(text, loaded, "ms");
    bench_line("  of it computing", computing, "ms");
    snprintf(text, sizeof text, "restart %s, to the tip (signatures not checked again here)",
             label);
    bench_line(text, all, "ms");
}

int bench_store(void)
{
    test_dir_make(dir);
    stored_new(&s, dir, SEED, WALLETS + COMMITS);
    stored_start(&s);
    commits();
    stored_stop(&s);
    test_dir_remove(dir);
    if (mkdir(dir, 0750) != 0)
        return 1;
    stored_free(&s);
    stored_new(&s, dir, SEED, WALLETS);
    stored_start(&s);
    small_ledger_issue(s.ledger, 100000000);
    fill(true, WALLETS);
    restart("from genesis, 100,000 openings");
    checkpoint("after the openings");
    restart("with 100,000 wallets, nothing above");
    fill(false, 8);
    checkpoint("when idle");
    fill(false, 110000);
    restart("with 32 MiB of transfers above");
    checkpoint("after the transfers");
    restart("with 100,000 wallets, nothing above");
    stored_stop(&s);
    stored_free(&s);
    test_dir_remove(dir);
    return 0;
}
