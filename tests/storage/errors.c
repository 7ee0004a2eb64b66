/* errors.c: the k-th call that writes, syncs or makes a name in one node's directory fails, for every k: once as a
 * broken disk (EIO, that call alone: a later one would succeed, as the kernel does after a lost page), once as
 * a full one (ENOSPC, from then on, a write cut in half). The node must stop at once with a sentence and send
 * nothing after the call; then the disk works again, the node starts, and nothing sent or told is missing. */
#include "tests/storage/storage.h"
#include "tests/support/ledger_dir.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { ROUNDS = 12 };

struct trial {
    const char *dir;
    uint64_t seed;
    struct disk_fault fault;
    uint64_t *calls; /* shared: of the node, when nothing fails */
};

/* The same run every time, up to the failing call. */
static void run(struct four *f, const struct trial *t)
{
    for (unsigned round = 0; round < ROUNDS && !f->failure[0]; round++) {
        four_submit(f, 3);
        if (round % 3 == 2)
            four_checkpoint(f, t->fault.owner);
        four_run(f, f->now_ms + 150);
        if (disk_fault_struck())
            return;
    }
}

/* The disk works again. */
static void come_back(struct four *f, const struct trial *t)
{
    disk_fault_set(NULL);
    if (four_boot(f, t->fault.owner) != HUB_OK)
        storage_judged(f->why);
    storage_judge_node(f, t->fault.owner, 0);
    storage_judge_progress(f);
}

static void try_fault(void *ctx)
{
    struct trial *t = ctx;
    static struct disk_log log;
    struct four *f = four_open(t->dir, t->seed, 0);
    struct four_node *n = &f->node[t->fault.owner];
    disk_log_start(&log, t->dir);
    disk_fault_set(t->fault.k ? &t->fault : NULL);
    enum hub_status st = HUB_OK;
    for (uint8_t i = 0; i < FOUR; i++) {
        const enum hub_status booted = four_boot(f, i);
        st = booted ? booted : st;
    }
    if (st && (!disk_fault_struck() || n->up || !strlen(f->why)))
        storage_judged("a start fails without a cause, or without a sentence");
    if (!st && t->fault.k && disk_fault_struck())
        storage_judged("a start succeeds though a call of it failed");
    storage_count(&storage_totals->refused, st != HUB_OK);
    run(f, t);
    if (f->failure[0])
        storage_judged(f->failure);
    if (!t->fault.k) {
        *t->calls = disk_calls(t->fault.owner);
        return;
    }
    if (!disk_fault_struck())
        storage_judged("the call to fail never came: the run is not reproducible");
    if (n->up && (!n->failed || n->stopped != HUB_IO))
        storage_judged("the node goes on after a call failed");
    if (n->up && !strlen(hub_store_why(n->store)))
        storage_judged("the node stops without a sentence");
    come_back(f, t);
}

void storage_errors(const struct storage_options *o, const char *scratch, uint64_t seed)
{
    char dir[80], name[120];
    uint64_t calls_known = 0, *calls = &storage_totals->operations;
    struct trial t = {.dir = dir, .seed = seed, .fault = {.owner = (uint8_t)(seed % FOUR)}};
    t.calls = calls;
    snprintf(dir, sizeof dir, "%s/run", scratch);
    for (uint64_t i = 0; i <= 2 * calls_known && !storage_enough(o); i += i ? o->every : 1) {
        t.fault.k = (i + 1) / 2; /* 0: none, to count the calls */
        t.fault.stays = i % 2;
        t.fault.error = i % 2 ? ENOSPC : EIO;
        snprintf(name, sizeof name, "seed %llu, node %u, call %llu, %s", (unsigned long long)seed,
                 t.fault.owner, (unsigned long long)t.fault.k, i % 2 ? "full" : "broken");
        storage_must(mkdir(dir, 0750) == 0, dir);
        storage_count(&storage_totals->images, 1);
        if (storage_try(try_fault, &t, name) != STORAGE_GOOD && !i)
            break;
        test_dir_remove(dir);
        calls_known = i ? calls_known : *calls;
    }
}
