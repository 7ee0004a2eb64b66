/* powercut.c: power cuts at every write point. Four validators run while every write, sync and name they make
 * is logged; then, for each operation of that log, the directory of the node at work is built as a cut at that
 * moment may have left it, and opened by the node's own code.
 *
 * A good image: it opens; every vote that had left the node is in its journal; the tip is no lower than the
 * last one committed; every final block is there with the right hash and is the one clients were told. Of one
 * image in REVIVE_EACH all four nodes start again: they make progress, what clients were told is final on all
 * of them, and nobody votes against an earlier vote. In every other recording the guard files lie in the same
 * directories: each must hold the newest mark whose write had ended, and allow its node to vote.
 *
 * With --lie the disk ignores syncs: then losses must be found, or the judge is blind. */
#include "tests/storage/storage.h"
#include "tests/support/ledger_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { REVIVE_EACH = 16, ROUNDS = 60, PATH_BYTES = 80 };

static bool guards_beside(uint64_t seed)
{
    return seed % 2 == 0;
}

static void act(struct four *f, uint64_t *random)
{
    const uint8_t node = (uint8_t)(disk_random(random) % FOUR);
    const uint64_t choice = disk_random(random) % 32;
    if (choice < 16)
        four_submit(f, (uint32_t)(1 + disk_random(random) % 4));
    else if (choice < 22)
        four_checkpoint(f, node);
    else if (choice == 22) /* a kill; the machine stays up */
        storage_must(four_boot(f, node) == HUB_OK, f->why);
}

/* In every other seed the guard files lie in the nodes' directories. Returns where the life of the nodes begins: before
 * it keys are made. */
static size_t record_run(struct disk_log *log, const char *dir, uint64_t seed)
{
    uint64_t random = seed * 77 + 5;
    const uint32_t loss = seed % 4 == 0 ? 0 : (uint32_t)(disk_random(&random) % 120);
    storage_must(mkdir(dir, 0750) == 0, dir);
    disk_log_start(log, dir);
    struct four *f = four_open(dir, seed, loss);
    if (guards_beside(seed))
        four_make_guards(f);
    const size_t born = log->ops;
    for (uint8_t i = 0; i < FOUR; i++)
        storage_must(four_boot(f, i) == HUB_OK, f->why);
    for (unsigned round = 0; round < ROUNDS && !f->failure[0]; round++) {
        act(f, &random);
        four_run(f, f->now_ms + 20 + disk_random(&random) % 200);
    }
    disk_log_stop();
    storage_must(!f->failure[0], f->failure);
    four_close(f);
    test_dir_remove(dir);
    return born;
}

struct cut {
    const struct disk_state *state;
    const char *dir;
    uint64_t seed, random;
    uint8_t node;
    enum disk_loss loss;
    bool revive;
};

/* What the outside knew at the cut; returns the tip that was durable. */
static uint64_t tell(struct four *f, const struct cut *c)
{
    uint64_t tip = 0;
    for (size_t i = 0; i < c->state->at; i++) {
        const struct disk_op *op = &c->state->log->op[i];
        if (op->kind != DISK_MARK)
            continue;
        if (op->mark.kind == DISK_MARK_VOTE) {
            four_said(f, op->owner, &op->mark.subject);
        } else if (op->mark.kind == DISK_MARK_TIP) {
            tip = op->owner == c->node && op->mark.height > tip ? op->mark.height : tip;
        } else if (op->mark.kind == DISK_MARK_GUARD) {
            f->guard[op->owner] = op->mark.votes;
        } else {
            f->final[op->mark.height] = op->mark.hash;
            f->final_max = op->mark.height > f->final_max ? op->mark.height : f->final_max;
        }
    }
    return tip;
}

/* A guard in the same image holds the newest mark that was written whole, and allows the node to vote. */
static void judge_guard(struct four *f, uint8_t node, const struct hub_vote_mark *written)
{
    struct hub_vote_mark found;
    if (four_guard(&f->node[node], &found) != HUB_OK)
        storage_judged("the guard cannot be read");
    if (found.votes < written->votes)
        storage_judged("the guard has forgotten votes");
    if (f->node[node].replica->permit.why > HUB_ABSTAIN_ASKING)
        storage_judged("the guard does not allow the node to vote");
}

static void judge(void *ctx)
{
    struct cut *c = ctx;
    struct four *f = four_open(c->dir, c->seed, 0);
    f->guard_beside = guards_beside(c->seed);
    const uint64_t least = tell(f, c);
    f->now_ms += 3600000; /* clocks went on */
    for (uint8_t i = 0; i < FOUR; i++)
        if (i == c->node || c->revive)
            disk_image_build(c->state, c->dir, i, c->loss, &c->random);
    if (four_boot(f, c->node) != HUB_OK)
        storage_judged(f->why);
    storage_judge_node(f, c->node, least);
    judge_guard(f, c->node, &f->guard[c->node]);
    if (!c->revive)
        return;
    for (uint8_t i = 0; i < FOUR; i++)
        if (i != c->node && four_boot(f, i) != HUB_OK)
            storage_judged(f->why);
    storage_judge_progress(f);
}

static void try_cut(struct cut *c)
{
    char name[120];
    snprintf(name, sizeof name, "seed %llu, operation %zu, node %u, loss %u",
             (unsigned long long)c->seed, c->state->at, c->node, (unsigned)c->loss);
    storage_must(mkdir(c->dir, 0750) == 0, c->dir);
    storage_try(judge, c, name);
    test_dir_remove(c->dir);
    storage_count(&storage_totals->revived, c->revive);
    storage_count(&storage_totals->by_loss[c->loss], 1);
}

/* A cut during this operation: everything kept and everything lost always, of the rest one. */
static void cut_here(struct disk_state *s, const char *dir, uint64_t seed, uint64_t *random)
{
    struct cut c = {.state = s, .dir = dir, .seed = seed, .node = s->log->op[s->at].owner};
    for (unsigned i = 0; i < 3; i++) {
        c.loss =
            i < 2 ? (enum disk_loss)i
                  : (enum disk_loss)(DISK_SOME + disk_random(random) % (DISK_LOSSES - DISK_SOME));
        c.random = disk_random(random);
        c.revive = disk_random(random) % REVIVE_EACH == 0;
        try_cut(&c);
    }
    storage_count(&storage_totals->cuts, 1);
}

void storage_powercut(const struct storage_options *o, const char *scratch, uint64_t seed)
{
    static struct disk_log log;
    static struct disk_state state;
    char dir[PATH_BYTES];
    uint64_t random = seed;
    snprintf(dir, sizeof dir, "%s/run", scratch);
    const size_t born = record_run(&log, dir, seed);
    snprintf(dir, sizeof dir, "%s/image", scratch);
    disk_state_open(&state, &log, o->lie);
    const size_t first = disk_random(&random) % o->every;
    for (size_t i = 0; i < log.ops && !storage_enough(o); i++) {
        const struct disk_op *op = &log.op[i];
        disk_state_issue(&state);
        if (i >= born && op->kind != DISK_MARK && i % o->every == first &&
            disk_state_open_ends(&state, op->owner))
            cut_here(&state, dir, seed, &random);
        disk_state_return(&state);
    }
    storage_count(&storage_totals->operations, log.ops);
    disk_state_close(&state);
    disk_log_free(&log);
}
