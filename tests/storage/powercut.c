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
#include <sys/mman.h>
#include <sys/stat.h>

enum { IMAGES = 3, REVIVE_EACH = 16, BATCH = 200, ROUNDS = 60, PATH_BYTES = 80, NAME_BYTES = 120 };

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

static void judge(struct cut *c)
{
    struct four *f = four_open(c->dir, c->seed, 0);
    f->guard_beside = guards_beside(c->seed);
    const uint64_t least = tell(f, c);
    f->now_ms += 3600000; /* clocks went on */
    storage_must(mkdir(c->dir, 0750) == 0, c->dir);
    for (uint8_t i = 0; i < FOUR; i++)
        if (i == c->node || c->revive)
            disk_image_build(c->state, c->dir, i, c->loss, &c->random);
    if (four_boot(f, c->node) != HUB_OK)
        storage_judged(f->why);
    storage_judge_node(f, c->node, least);
    judge_guard(f, c->node, &f->guard[c->node]);
    for (uint8_t i = 0; i < FOUR && c->revive; i++)
        if (i != c->node && four_boot(f, i) != HUB_OK)
            storage_judged(f->why);
    if (c->revive)
        storage_judge_progress(f);
    four_close(f);
    test_dir_remove(c->dir);
}

/* ---- all images of one recording
 * One process tries them one after the other until one is bad, or BATCH are done: a process for each would copy every
 * page that it touches, and that is most of the time. */

struct place { /* operation, and which of its images */
    size_t at;
    unsigned image;
    char name[NAME_BYTES];
};
struct run {
    const struct storage_options *o;
    struct disk_state *state;
    const char *dir;
    uint64_t seed;
    size_t born, first;
    struct place *now; /* shared with the process that tries */
};

/* Everything kept and everything lost always, of the rest one. What is drawn hangs on the place alone. */
static void try_image(struct run *r, unsigned image)
{
    struct disk_state *s = r->state;
    struct cut c = {.state = s, .dir = r->dir, .seed = r->seed, .node = s->log->op[s->at].owner};
    uint64_t random = (r->seed << 24 ^ s->at) * IMAGES + image;
    c.loss = image < 2
                 ? (enum disk_loss)image
                 : (enum disk_loss)(DISK_SOME + disk_random(&random) % (DISK_LOSSES - DISK_SOME));
    c.random = disk_random(&random);
    c.revive = disk_random(&random) % REVIVE_EACH == 0;
    r->now->at = s->at;
    r->now->image = image;
    snprintf(r->now->name, sizeof r->now->name, "seed %llu, operation %zu, node %u, loss %u",
             (unsigned long long)c.seed, s->at, c.node, (unsigned)c.loss);
    storage_count(&storage_totals->images, 1);
    storage_count(&storage_totals->cuts, image == 0);
    storage_count(&storage_totals->revived, c.revive);
    storage_count(&storage_totals->by_loss[c.loss], 1);
    storage_clock();
    judge(&c);
}

static bool is_cut(const struct run *r)
{
    const struct disk_state *s = r->state;
    const struct disk_op *op = &s->log->op[s->at];
    return s->at >= r->born && op->kind != DISK_MARK && s->at % r->o->every == r->first &&
           disk_state_open_ends(s, op->owner);
}

static void try_batch(void *ctx)
{
    struct run *r = ctx;
    unsigned image = r->now->image, tried = 0;
    while (r->state->at < r->state->log->ops && tried < BATCH && !storage_enough(r->o)) {
        disk_state_issue(r->state);
        for (; is_cut(r) && image < IMAGES; image++, tried++)
            try_image(r, image);
        image = 0;
        disk_state_return(r->state);
    }
    r->now->at = r->state->at;
    r->now->image = 0;
}

void storage_powercut(const struct storage_options *o, const char *scratch, uint64_t seed)
{
    static struct disk_log log;
    static struct disk_state state;
    char dir[PATH_BYTES];
    uint64_t random = seed;
    struct run r = {.o = o, .state = &state, .dir = dir, .seed = seed};
    r.now = mmap(NULL, sizeof *r.now, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    storage_must(r.now != MAP_FAILED, "memory");
    snprintf(dir, sizeof dir, "%s/run", scratch);
    r.born = record_run(&log, dir, seed);
    snprintf(dir, sizeof dir, "%s/image", scratch);
    disk_state_open(&state, &log, o->lie);
    r.first = disk_random(&random) % o->every;
    while (state.at < log.ops && !storage_enough(o)) {
        if (storage_try(try_batch, &r, r.now->name) != STORAGE_GOOD) {
            test_dir_remove(dir);
            r.now->image++; /* on behind the bad one */
        }
        while (state.at < r.now->at) {
            disk_state_issue(&state);
            disk_state_return(&state);
        }
    }
    storage_count(&storage_totals->operations, log.ops);
    disk_state_close(&state);
    disk_log_free(&log);
    munmap(r.now, sizeof *r.now);
}
