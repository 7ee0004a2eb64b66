#include "node/guard.h"

#include "hub/hash.h"
#include "node/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    SLOT_BYTES = 512,
    SEAL_AT = 480,
    PATH_BYTES = 1100,
    AT_SERIAL = 8,
    AT_KID = 16,
    AT_CHAIN = 48,
    AT_EPOCH = 80,
    AT_VIEW = 88,
    AT_VOTES = 96,
    AT_HEAD = 104,
    AT_SIGNED = 136
};
static const uint8_t magic[8] = {'h', 'u', 'b', 'g', 'u', 'a', 'r', 'd'};
static const struct hub_hash no_chain; /* of a guard that was never used */

struct slot {
    uint64_t serial;
    struct hub_hash kid, chain;
    struct hub_vote_mark mark;
};

struct hub_guard {
    char path[PATH_BYTES];
    int held; /* the file, locked: of two processes with one guard each would overwrite what the other remembers; -1: none */
    struct slot now; /* as on disk; the thread's alone once it runs */
    enum hub_status
        status; /* of what was found at open, or noted since; with found, the owner's thread alone */
    struct hub_vote_mark found;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    struct hub_vote_mark next;
    bool waiting, closing, failing;
};

/* ---- one slot */

static void seal_of(struct hub_hash *out, const uint8_t slot[SLOT_BYTES])
{
    hub_hash_tagged(out, "hubledger/guard/1", (struct hub_span){slot, SEAL_AT});
}

static void encode(uint8_t out[SLOT_BYTES], const struct slot *s)
{
    struct hub_hash seal;
    memset(out, 0, SLOT_BYTES);
    memcpy(out, magic, sizeof magic);
    hub_put_be64(out + AT_SERIAL, s->serial);
    memcpy(out + AT_KID, s->kid.b, 32);
    memcpy(out + AT_CHAIN, s->chain.b, 32);
    hub_put_be64(out + AT_EPOCH, s->mark.epoch);
    hub_put_be64(out + AT_VIEW, s->mark.view);
    hub_put_be64(out + AT_VOTES, s->mark.votes);
    memcpy(out + AT_HEAD, s->mark.head.b, 32);
    memcpy(out + AT_SIGNED, s->mark.signed_.b, 32);
    seal_of(&seal, out);
    memcpy(out + SEAL_AT, seal.b, sizeof seal.b);
}

static bool decode(struct slot *out, const uint8_t in[SLOT_BYTES])
{
    struct hub_hash seal;
    seal_of(&seal, in);
    if (memcmp(in, magic, sizeof magic) != 0 || memcmp(in + SEAL_AT, seal.b, sizeof seal.b) != 0)
        return false;
    out->serial = hub_get_be64(in + AT_SERIAL);
    memcpy(out->kid.b, in + AT_KID, 32);
    memcpy(out->chain.b, in + AT_CHAIN, 32);
    out->mark.epoch = hub_get_be64(in + AT_EPOCH);
    out->mark.view = hub_get_be64(in + AT_VIEW);
    out->mark.votes = hub_get_be64(in + AT_VOTES);
    memcpy(out->mark.head.b, in + AT_HEAD, 32);
    memcpy(out->mark.signed_.b, in + AT_SIGNED, 32);
    return true;
}

/* ---- the file */

static bool sync_folder(const char *path)
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    const int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* The slot of s->serial; its neighbour stays. flags: O_CREAT or O_CREAT | O_EXCL where the file may be missing. */
static bool write_slot(const char *path, const struct slot *s, int flags)
{
    uint8_t bytes[SLOT_BYTES];
    encode(bytes, s);
    const int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);
    if (fd < 0)
        return false;
    bool ok = pwrite(fd, bytes, sizeof bytes, (off_t)(s->serial % 2 * SLOT_BYTES)) ==
                  (ssize_t)sizeof bytes &&
              fdatasync(fd) == 0;
    ok = close(fd) == 0 && ok;
    return ok && (!(flags & O_CREAT) || sync_folder(path));
}

static enum hub_status read_newest(struct slot *out, const char *path)
{
    uint8_t bytes[2 * SLOT_BYTES] = {0};
    struct slot s[2] = {{.serial = 0}, {.serial = 0}};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? HUB_NOT_FOUND : HUB_CORRUPT;
    const ssize_t got = pread(fd, bytes, sizeof bytes, 0);
    close(fd);
    const bool first = got >= SLOT_BYTES && decode(&s[0], bytes);
    const bool second = got >= 2 * SLOT_BYTES && decode(&s[1], bytes + SLOT_BYTES);
    if (!first && !second)
        return HUB_CORRUPT;
    *out = second && (!first || s[1].serial > s[0].serial) ? s[1] : s[0];
    return HUB_OK;
}

bool hub_guard_path(char *out, size_t cap, const char *keyfile)
{
    const int n = snprintf(out, cap, "%s.guard", keyfile);
    return n > 0 && (size_t)n < cap;
}

enum hub_status hub_guard_create(const char *path, const struct hub_hash *kid, char *why)
{
    const struct slot s = {.kid = *kid, .chain = no_chain};
    if (write_slot(path, &s, O_CREAT | O_EXCL))
        return HUB_OK;
    const bool exists = errno == EEXIST;
    snprintf(why, HUB_GUARD_WHY_BYTES, "cannot make the guard file %s: %s; %s", path,
             strerror(errno),
             exists ? "one is there already, of another key: give the new key another name"
                    : "free space there, or name another folder");
    return exists ? HUB_CONFLICT : HUB_IO;
}

/* ---- the thread */

/* Silence goes into both slots: no later mark tells of it again. */
static bool write_slots(struct hub_guard *g, struct slot *s)
{
    s->serial++;
    if (!write_slot(g->path, s, O_CREAT))
        return false;
    if (s->mark.view != HUB_VIEW_SILENT)
        return true;
    s->serial++;
    return write_slot(g->path, s, 0);
}

static void write_mark(struct hub_guard *g, const struct hub_vote_mark *m)
{
    struct slot s = g->now;
    s.mark = *m;
    const bool ok = write_slots(g, &s);
    if (ok)
        g->now = s;
    else if (!hub_guard_failing(g))
        HUB_LOG(ERROR, "guard_not_written", HUB_LOG_TEXT("file", g->path),
                HUB_LOG_TEXT("why", strerror(errno)),
                HUB_LOG_TEXT("remedy", "mend or free this volume: until then a lost disk would be "
                                       "noticed by the peers alone"));
    pthread_mutex_lock(&g->lock);
    g->failing = !ok;
    g->waiting |= !ok && !g->closing; /* again, with the newest mark */
    pthread_mutex_unlock(&g->lock);
}

/* With the lock held: waits until there is something to write (false: until the end). */
static bool take_mark(struct hub_guard *g, struct hub_vote_mark *out)
{
    while (!g->waiting && !g->closing)
        pthread_cond_wait(&g->wake, &g->lock);
    if (!g->waiting)
        return false;
    *out = g->next;
    g->waiting = false;
    return true;
}

/* With the lock held: a second goes by, or the end has come. */
static void rest(struct hub_guard *g)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += HUB_GUARD_PERIOD_MS / 1000;
    while (!g->closing && pthread_cond_timedwait(&g->wake, &g->lock, &until) != ETIMEDOUT)
        ;
}

static void *run(void *arg)
{
    struct hub_guard *g = arg;
    struct hub_vote_mark m;
    pthread_mutex_lock(&g->lock);
    while (take_mark(g, &m)) {
        pthread_mutex_unlock(&g->lock);
        write_mark(g, &m);
        pthread_mutex_lock(&g->lock);
        rest(g);
    }
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

static bool start(struct hub_guard *g)
{
    pthread_condattr_t attr;
    pthread_mutex_init(&g->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&g->wake, &attr);
    pthread_condattr_destroy(&attr);
    return pthread_create(&g->thread, NULL, run, g) == 0;
}

/* ---- opening */

static enum hub_status check_owner(const struct slot *s, char *why, const char *path,
                                   const struct hub_hash *kid, const struct hub_hash *chain)
{
    const bool other_key = !hub_hash_equal(&s->kid, kid);
    if (!other_key && (hub_hash_equal(&s->chain, chain) || hub_hash_equal(&s->chain, &no_chain)))
        return HUB_OK;
    snprintf(why, HUB_GUARD_WHY_BYTES,
             "guard file %s is of another %s: name the right one with `guard` in the configuration",
             path, other_key ? "key" : "network");
    return HUB_CONFLICT;
}

static void let_go(struct hub_guard *g)
{
    if (g->held >= 0)
        close(g->held);
    free(g);
}

enum hub_status hub_guard_open(struct hub_guard **out, char *why, const char *path,
                               const struct hub_hash *kid, const struct hub_hash *chain)
{
    struct hub_guard *g = calloc(1, sizeof *g);
    snprintf(why, HUB_GUARD_WHY_BYTES, "no memory or thread for the guard file");
    if (!g)
        return HUB_IO;
    snprintf(g->path, sizeof g->path, "%s", path);
    g->held = open(path, O_RDONLY | O_CLOEXEC);
    if (g->held >= 0 && flock(g->held, LOCK_EX | LOCK_NB) != 0) {
        snprintf(
            why, HUB_GUARD_WHY_BYTES,
            "guard file %s is in use by another process: two nodes must never run with one key",
            path);
        close(g->held);
        free(g);
        return HUB_NOT_NOW;
    }
    g->status = read_newest(&g->now, path);
    if (g->status == HUB_OK && check_owner(&g->now, why, path, kid, chain) != HUB_OK) {
        let_go(g);
        return HUB_CONFLICT;
    }
    g->found = g->now.mark;
    g->now.kid = *kid;
    g->now.chain = *chain;
    if (!start(g)) {
        let_go(g);
        return HUB_IO;
    }
    *out = g;
    return HUB_OK;
}

bool hub_guard_failing(struct hub_guard *g)
{
    pthread_mutex_lock(&g->lock);
    const bool failing = g->failing;
    pthread_mutex_unlock(&g->lock);
    return failing;
}

bool hub_guard_close(struct hub_guard *g)
{
    if (!g)
        return true;
    pthread_mutex_lock(&g->lock);
    g->closing = true;
    pthread_cond_signal(&g->wake);
    pthread_mutex_unlock(&g->lock);
    pthread_join(g->thread, NULL);
    const bool written = !g->failing;
    pthread_cond_destroy(&g->wake);
    pthread_mutex_destroy(&g->lock);
    let_go(g);
    return written;
}

/* ---- ports */

static enum hub_status guard_read(void *guard, struct hub_vote_mark *out)
{
    const struct hub_guard *g = guard;
    if (g->status == HUB_OK)
        *out = g->found;
    return g->status;
}

static void guard_note(void *guard, const struct hub_vote_mark *m)
{
    struct hub_guard *g = guard;
    g->found = *m; /* what a later epoch of this run is compared with */
    g->status = HUB_OK;
    pthread_mutex_lock(&g->lock);
    g->next = *m;
    g->waiting = true;
    pthread_cond_signal(&g->wake);
    pthread_mutex_unlock(&g->lock);
}

void hub_guard_ports(struct hub_guard *g, struct hub_ports *p)
{
    p->guard = g;
    p->guard_read = guard_read;
    p->guard_note = guard_note;
}
