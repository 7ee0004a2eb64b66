/* flips.c: a database that reads but is wrong (docs/hazards.md H4). One bit, or one sector, of every page of a real
 * node's LMDB file is changed, of every kind of page; then the node starts among its three peers and goes on. It may
 * notice nothing, build its checkpoint anew, fetch blocks again, cast no more votes, or end with a sentence; it may
 * not crash, hold or serve anything wrong, vote against an earlier vote, or keep the others from going on. */
#include "tests/storage/storage.h"
#include "tests/support/ledger_dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PAGE = 4096,
    PAGES_MAX = 4096,
    PLACES = 16,
    METAS = 2,
    META_PLACES = 256,
    ROUNDS = 40,
    MEND_MS = 12000,
    PATH_BYTES = 160
};

struct trial {
    const struct disk_state *state;
    const char *dir;
    uint64_t seed, at; /* at: offset of the byte */
    uint8_t node, bit; /* bit 8: the byte's whole sector */
};

static void record_run(struct disk_log *log, const char *dir, uint64_t seed)
{
    uint64_t random = seed;
    storage_must(mkdir(dir, 0750) == 0, dir);
    disk_log_start(log, dir);
    struct four *f = four_open(dir, seed, 30);
    for (uint8_t i = 0; i < FOUR; i++)
        storage_must(four_boot(f, i) == HUB_OK, f->why);
    for (unsigned round = 0; round < ROUNDS && !f->failure[0]; round++) {
        four_submit(f, round % 8 ? 1 : 24); /* large blocks lie on overflow pages */
        if (round % 10 == 9)
            four_checkpoint(f, (uint8_t)(round / 10 % FOUR));
        four_run(f, f->now_ms + 100 + disk_random(&random) % 100);
    }
    disk_log_stop();
    storage_must(!f->failure[0], f->failure);
    four_close(f);
    test_dir_remove(dir);
}

static void file_of(char out[PATH_BYTES], const struct trial *t)
{
    snprintf(out, PATH_BYTES, "%s/%u/ledger/data.mdb", t->dir, t->node);
}

static void damage(const struct trial *t)
{
    char path[PATH_BYTES];
    uint8_t bytes[DISK_SECTOR];
    file_of(path, t);
    const int fd = open(path, O_RDWR);
    const off_t from = (off_t)(t->bit < 8 ? t->at : t->at / DISK_SECTOR * DISK_SECTOR);
    const size_t len = t->bit < 8 ? 1 : DISK_SECTOR;
    storage_must(fd >= 0 && pread(fd, bytes, len, from) == (ssize_t)len, path);
    for (size_t i = 0; i < len; i++)
        bytes[i] ^= t->bit < 8 ? (uint8_t)(1u << t->bit) : (uint8_t)(37 * i + 1);
    storage_must(pwrite(fd, bytes, len, from) == (ssize_t)len, path);
    close(fd);
}

/* All votes and finality of the recording were told to somebody. */
static void tell(struct four *f, const struct disk_log *log)
{
    for (size_t i = 0; i < log->ops; i++) {
        const struct disk_mark *m = &log->op[i].mark;
        if (log->op[i].kind != DISK_MARK)
            continue;
        if (m->kind == DISK_MARK_VOTE) {
            four_said(f, log->op[i].owner, &m->subject);
        } else if (m->kind == DISK_MARK_GUARD) {
            f->guard[log->op[i].owner] = m->votes;
        } else if (m->kind == DISK_MARK_FINAL) {
            f->final[m->height] = m->hash;
            f->final_max = m->height > f->final_max ? m->height : f->final_max;
        }
    }
}

/* Three go on, whatever became of the fourth. */
static void judge_others(struct four *f, const struct trial *t)
{
    const uint64_t told = f->final_max, end_ms = f->now_ms + MEND_MS;
    f->loss_permille = 0;
    four_submit(f, 8);
    while (!f->failure[0] && f->now_ms < end_ms)
        four_run(f, f->now_ms + 500);
    if (f->failure[0])
        storage_judged(f->failure);
    for (uint8_t i = 0; i < FOUR; i++)
        if (i != t->node &&
            (f->node[i].failed || f->node[i].replica->chain.final_header.height <= told))
            storage_judged("the other nodes do not go on");
}

static bool holds_votes(struct four *f, struct four_node *n)
{
    for (uint32_t i = 0; i < f->said_count[n->index]; i++)
        if (!four_holds_vote(n, &f->said[n->index][i]))
            return false;
    return true;
}

static void try_flip(void *ctx)
{
    struct trial *t = ctx;
    uint64_t random = t->at;
    struct four *f = four_open(t->dir, t->seed, 0);
    struct four_node *n = &f->node[t->node];
    f->rots = true;
    tell(f, t->state->log);
    f->now_ms += 3600000;
    for (uint8_t i = 0; i < FOUR; i++)
        disk_image_build(t->state, t->dir, i, DISK_KEPT, &random);
    damage(t);
    const bool starts = four_boot(f, t->node) == HUB_OK;
    if (!starts && !f->why[0])
        storage_judged("a start is refused without a sentence");
    for (uint8_t i = 0; i < FOUR; i++)
        if (i != t->node && four_boot(f, i) != HUB_OK)
            storage_judged(f->why);
    judge_others(f, t);
    if (starts && n->failed && !strlen(hub_store_why(n->store)))
        storage_judged("the node stops without a sentence");
    if (!starts || n->failed)
        _exit(STORAGE_TOLD);
    if (n->replica->voting == HUB_VOTING_FORBIDDEN && n->replica->permit.why)
        _exit(
            STORAGE_TOLD); /* an older tree: its journal lacks votes, the guard or a peer knows, it casts none */
    if (!holds_votes(
            f,
            n)) { /* a pointer led to an older copy of its page, which was used again meanwhile */
        if (four_boot(f, t->node) == HUB_OK)
            storage_judged(
                "a vote that was sent is not in the journal, and the next start says nothing");
        _exit(STORAGE_TOLD);
    }
    storage_judge_node(f, t->node, f->final_max - 1);
    _exit(f->rebuilt ? STORAGE_REBUILT : n->replica->mend.mended ? STORAGE_MENDED : 0);
}

/* What lies on each page, by its header; the pages behind an overflow page have none. */
static size_t pages_of(enum storage_page kind[PAGES_MAX], const struct trial *t)
{
    char path[PATH_BYTES];
    uint8_t head[16];
    size_t count = 0;
    file_of(path, t);
    const int fd = open(path, O_RDONLY);
    storage_must(fd >= 0, path);
    while (count < PAGES_MAX &&
           pread(fd, head, sizeof head, (off_t)(count * PAGE)) == sizeof head) {
        const unsigned flags = head[10] + 256u * head[11], more = head[12] + 256u * head[13];
        const enum storage_page is = flags & 8   ? STORAGE_META
                                     : flags & 4 ? STORAGE_OVERFLOW
                                     : flags & 1 ? STORAGE_BRANCH
                                                 : STORAGE_LEAF;
        kind[count++] = is;
        for (unsigned i = 1; is == STORAGE_OVERFLOW && i < more && count < PAGES_MAX; i++)
            kind[count++] = STORAGE_OVERFLOW;
    }
    close(fd);
    return count;
}

void storage_flips(const struct storage_options *o, const char *scratch, uint64_t seed)
{
    static struct disk_log log;
    static struct disk_state state;
    static enum storage_page kind[PAGES_MAX];
    char dir[80], name[120];
    uint64_t random = seed;
    struct trial t = {.state = &state, .dir = dir, .seed = seed, .node = (uint8_t)(seed % FOUR)};
    snprintf(dir, sizeof dir, "%s/image", scratch);
    record_run(&log, dir, seed);
    disk_state_open(&state, &log, false);
    while (state.at < log.ops) {
        disk_state_issue(&state);
        disk_state_return(&state);
    }
    storage_must(mkdir(dir, 0750) == 0, dir);
    disk_image_build(&state, dir, t.node, DISK_KEPT, &random);
    const size_t pages = pages_of(kind, &t);
    test_dir_remove(dir);
    const size_t first = METAS * META_PLACES; /* which tree is the newest hangs on few bytes */
    for (size_t k = disk_random(&random) % o->every;
         k < first + (pages - METAS) * PLACES && !storage_enough(o); k += o->every) {
        const size_t page = k < first ? k / META_PLACES : METAS + (k - first) / PLACES;
        const uint64_t place = disk_random(&random);
        t.at = k < first ? place >> 8 & 255 : place & 3 ? place >> 8 & (PAGE - 1) : place >> 8 & 31;
        t.bit = (uint8_t)(disk_random(&random) % 9);
        snprintf(name, sizeof name, "seed %llu, node %u, page %zu, byte %llu, bit %u",
                 (unsigned long long)seed, t.node, page, (unsigned long long)t.at, t.bit);
        t.at += page * PAGE;
        storage_must(mkdir(dir, 0750) == 0, dir);
        storage_count(&storage_totals->images, 1);
        const enum storage_outcome outcome = storage_try(try_flip, &t, name);
        test_dir_remove(dir);
        storage_count(&storage_totals->flips[kind[page]][outcome], 1);
    }
    disk_state_close(&state);
    disk_log_free(&log);
}
