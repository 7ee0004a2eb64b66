#include "tests/storage/disk_image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 512, NAMES_MAX = 256 };

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

uint64_t disk_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static bool heads(uint64_t *random)
{
    return disk_random(random) & 1;
}

/* ---- the state before a cut */

void disk_state_open(struct disk_state *s, const struct disk_log *log, bool lies)
{
    memset(s, 0, sizeof *s);
    s->log = log;
    s->lies = lies;
}

void disk_state_close(struct disk_state *s)
{
    for (uint32_t i = 0; i < s->log->files; i++) {
        free(s->file[i].base);
        free(s->file[i].pending);
    }
    free(s->names);
    free(s->name_safe);
}

/* A write or a truncation. */
static void apply(struct disk_file *f, const struct disk_op *op)
{
    const size_t end = op->at + (op->kind == DISK_TRUNCATE ? 0 : op->len);
    if (end > f->cap) {
        f->cap = end * 2;
        f->base = realloc(f->base, f->cap);
        must(f->base != NULL, "memory");
    }
    if (end > f->len) {
        memset(f->base + f->len, 0, end - f->len);
        f->len = end;
    }
    if (op->kind == DISK_TRUNCATE)
        f->len = op->at;
    else
        memcpy(f->base + op->at, op->data, op->len);
}

static void settle(struct disk_state *s, struct disk_file *f, size_t count)
{
    for (size_t i = 0; i < count; i++)
        apply(f, &s->log->op[f->pending[i]]);
    memmove(f->pending, f->pending + count, (f->count - count) * sizeof *f->pending);
    f->count -= count;
}

static void add_pending(struct disk_state *s, struct disk_file *f)
{
    if (f->count == f->room) {
        f->room = f->room ? 2 * f->room : 64;
        f->pending = realloc(f->pending, f->room * sizeof *f->pending);
        must(f->pending != NULL, "memory");
    }
    f->pending[f->count++] = s->at;
}

static void add_name(struct disk_state *s)
{
    if (s->name_count == s->name_room) {
        s->name_room = s->name_room ? 2 * s->name_room : 64;
        s->names = realloc(s->names, s->name_room * sizeof *s->names);
        s->name_safe = realloc(s->name_safe, s->name_room * sizeof *s->name_safe);
        must(s->names && s->name_safe, "memory");
    }
    s->names[s->name_count] = s->at;
    s->name_safe[s->name_count++] = false;
}

void disk_state_issue(struct disk_state *s)
{
    const struct disk_op *op = &s->log->op[s->at];
    if (op->kind == DISK_WRITE || op->kind == DISK_TRUNCATE)
        add_pending(s, &s->file[op->file]);
    else if (op->kind == DISK_ENTER || op->kind == DISK_RENAME || op->kind == DISK_REMOVE)
        add_name(s);
}

void disk_state_return(struct disk_state *s)
{
    const struct disk_op *op = &s->log->op[s->at++];
    struct disk_file *f = &s->file[op->file];
    if (s->lies) {
        if (f->count > DISK_LIE_OPS)
            settle(s, f, f->count - DISK_LIE_OPS);
        if (op->kind != DISK_SYNC || !s->log->is_dir[op->file])
            return; /* names are kept in order even by a disk that lies about data */
    }
    if (op->kind == DISK_WRITE && op->synced) {
        apply(f, op);
        f->count--; /* it is the last */
    } else if (op->kind == DISK_SYNC && s->log->is_dir[op->file]) {
        for (size_t i = 0; i < s->name_count; i++)
            s->name_safe[i] |= s->log->op[s->names[i]].dir == op->file;
    } else if (op->kind == DISK_SYNC) {
        settle(s, f, f->count);
    }
}

bool disk_state_open_ends(const struct disk_state *s, uint8_t owner)
{
    for (uint32_t i = 0; i < s->log->files; i++)
        if (s->file[i].count && s->log->op[s->file[i].pending[0]].owner == owner)
            return true;
    for (size_t i = 0; i < s->name_count; i++)
        if (!s->name_safe[i] && s->log->op[s->names[i]].owner == owner)
            return true;
    return false;
}

/* ---- one image */

struct tree { /* names after the cut */
    struct {
        uint32_t dir, file;
        char name[DISK_NAME_BYTES];
    } entry[NAMES_MAX];
    uint32_t count;
};

static uint32_t find(const struct tree *t, uint32_t dir, const char *name)
{
    uint32_t i = 0;
    while (i < t->count && (t->entry[i].dir != dir || strcmp(t->entry[i].name, name) != 0))
        i++;
    return i;
}

static void drop(struct tree *t, uint32_t at)
{
    if (at < t->count)
        t->entry[at] = t->entry[--t->count];
}

static void apply_name(struct tree *t, const struct disk_op *op)
{
    const uint32_t at = find(t, op->dir, op->name);
    if (op->kind == DISK_REMOVE) {
        drop(t, at);
    } else if (op->kind == DISK_RENAME && at < t->count) {
        const uint32_t file = t->entry[at].file;
        drop(t, at);
        drop(t, find(t, op->dir, op->to));
        t->entry[t->count].dir = op->dir;
        t->entry[t->count].file = file;
        memcpy(t->entry[t->count++].name, op->to, DISK_NAME_BYTES);
    } else if (op->kind == DISK_ENTER) {
        must(t->count < NAMES_MAX, "names");
        t->entry[t->count].dir = op->dir;
        t->entry[t->count].file = op->file;
        memcpy(t->entry[t->count++].name, op->name, DISK_NAME_BYTES);
    }
}

static void names_after(struct tree *t, const struct disk_state *s, uint8_t owner,
                        enum disk_loss loss, uint64_t *random)
{
    size_t unsafe = 0, kept = SIZE_MAX;
    for (size_t i = 0; i < s->name_count; i++)
        unsafe += !s->name_safe[i] && s->log->op[s->names[i]].owner == owner;
    if (loss == DISK_LOST)
        kept = 0;
    else if (loss != DISK_KEPT)
        kept = disk_random(random) % (unsafe + 1);
    t->count = 0;
    for (size_t i = 0, n = 0; i < s->name_count; i++) {
        const struct disk_op *op = &s->log->op[s->names[i]];
        if (op->owner == owner && (s->name_safe[i] || n++ < kept))
            apply_name(t, op);
    }
}

/* Straight into the file: a copy in memory costs the child a page fault for every page. */
static void put_bytes(int fd, const uint8_t *data, size_t at, size_t len)
{
    while (len) {
        const ssize_t n = pwrite(fd, data, len, (off_t)at);
        must(n > 0, "a file of an image");
        data += n;
        at += (size_t)n;
        len -= (size_t)n;
    }
}

static void put_op(int fd, const struct disk_op *op)
{
    if (op->kind == DISK_TRUNCATE)
        must(ftruncate(fd, (off_t)op->at) == 0, "a file of an image");
    else
        put_bytes(fd, op->data, op->at, op->len);
}

static void put_sectors(int fd, const struct disk_op *op, uint64_t *random)
{
    for (size_t from = 0; from < op->len;) {
        size_t to = from + DISK_SECTOR - (op->at + from) % DISK_SECTOR;
        to = to > op->len ? op->len : to;
        if (heads(random))
            put_bytes(fd, op->data + from, op->at + from, to - from);
        from = to;
    }
}

static void put_file(const struct disk_state *s, const char *path, uint32_t file,
                     enum disk_loss loss, uint64_t *random)
{
    const struct disk_file *f = &s->file[file];
    const size_t chosen = f->count ? disk_random(random) % f->count : 0;
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    must(fd >= 0, path);
    put_bytes(fd, f->base, 0, f->len);
    for (size_t i = 0; i < f->count; i++) {
        const struct disk_op *op = &s->log->op[f->pending[i]];
        const bool whole = loss == DISK_KEPT || (loss == DISK_SOME && heads(random)) ||
                           (loss == DISK_TORN && i < chosen) ||
                           (loss == DISK_ALL_BUT && i != chosen) ||
                           (loss == DISK_ONE && i == chosen);
        if (whole || (op->kind == DISK_TRUNCATE && loss == DISK_SECTORS && heads(random)))
            put_op(fd, op);
        else if (op->kind == DISK_WRITE && loss == DISK_SECTORS)
            put_sectors(fd, op, random);
        else if (op->kind == DISK_WRITE && loss == DISK_TORN && i == chosen && op->len)
            put_bytes(fd, op->data, op->at,
                      disk_random(random) % op->len / DISK_SECTOR * DISK_SECTOR);
    }
    close(fd);
}

bool disk_image_build(const struct disk_state *s, const char *dir, uint8_t owner,
                      enum disk_loss loss, uint64_t *random)
{
    struct tree t;
    char path[DISK_FILES_MAX / 16][PATH_BYTES]; /* of directories, by position in t */
    uint32_t todo[DISK_FILES_MAX / 16], count = 0;
    const char top[2] = {(char)('0' + owner), 0};
    names_after(&t, s, owner, loss, random);
    const uint32_t first = find(&t, DISK_ROOT, top);
    if (first == t.count)
        return false;
    snprintf(path[0], PATH_BYTES, "%s/%s", dir, top);
    todo[count++] = t.entry[first].file;
    for (uint32_t d = 0; d < count; d++) {
        must(mkdir(path[d], 0750) == 0, path[d]);
        for (uint32_t i = 0; i < t.count; i++) {
            char at[2 * PATH_BYTES];
            if (t.entry[i].dir != todo[d])
                continue;
            snprintf(at, sizeof at, "%s/%s", path[d], t.entry[i].name);
            if (s->log->is_dir[t.entry[i].file]) {
                must(count < DISK_FILES_MAX / 16 && strlen(at) < PATH_BYTES, "directories");
                memcpy(path[count], at, strlen(at) + 1);
                todo[count++] = t.entry[i].file;
            } else {
                put_file(s, at, t.entry[i].file, loss, random);
            }
        }
    }
    return true;
}
