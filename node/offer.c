#include "node/offer.h"

#include "hub/hash.h"
#include "node/log.h"
#include "node/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    OFFER_AGE_MS = 600000, /* what a newcomer then still fetches as blocks is little */
    AGAIN_MS = 60000,      /* after a maker that failed */
    MAKE_MS = 600000,
    NICE = 10,
    PATH_BYTES = 1100
};

static void path_of(const struct hub_offer *o, char out[PATH_BYTES], const char *name)
{
    snprintf(out, PATH_BYTES, "%s/%s", o->dir, name);
}

static void drop(struct hub_offer_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    *f = (struct hub_offer_file){.fd = -1};
}

/* The head is proven again: what the disk has damaged there is not offered. The recoveries it leads over were accepted
 * when this node crossed them. */
static bool open_file(const struct hub_offer *o, struct hub_offer_file *out)
{
    char path[PATH_BYTES], why[HUB_WHY_BYTES] = "";
    struct hub_genesis genesis = *o->genesis;
    struct stat st;
    genesis.accepted = hub_accept_all;
    path_of(o, path, "snapshot");
    FILE *f = fopen(path, "rbe");
    if (!f)
        return false;
    *out = (struct hub_offer_file){.fd = -1};
    if (fstat(fileno(f), &st) == 0 && (uint64_t)st.st_size <= HUB_SNAPSHOT_BYTES_MAX &&
        hub_snapshot_head(f, &genesis, &out->id, &out->height, why) == HUB_OK) {
        out->bytes = (uint64_t)st.st_size;
        out->fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 0);
    }
    fclose(f);
    return out->fd >= 0;
}

enum hub_status hub_offer_open(struct hub_offer *o, const char *dir, const struct hub_genesis *g)
{
    char unfinished[PATH_BYTES];
    memset(o, 0, sizeof *o);
    o->now.fd = o->before.fd = -1;
    o->genesis = g;
    o->program = "/proc/self/exe";
    o->piece = malloc(HUB_SNAPSHOT_PIECE_BYTES);
    if (!o->piece || strlen(dir) >= sizeof o->dir)
        return HUB_IO;
    strcpy(o->dir, dir);
    path_of(o, unfinished, "snapshot.new");
    unlink(unfinished); /* of a maker that was killed */
    open_file(o, &o->now);
    return HUB_OK;
}

static void end_maker(struct hub_offer *o)
{
    if (!o->maker)
        return;
    kill(o->maker, SIGKILL);
    waitpid(o->maker, NULL, 0);
    o->maker = 0;
}

void hub_offer_close(struct hub_offer *o)
{
    end_maker(o);
    if (!o->piece)
        return;
    drop(&o->now);
    drop(&o->before);
    free(o->piece);
    o->piece = NULL;
}

/* ---- serving */

void hub_offer_answer(struct hub_offer *o, const struct hub_hash *id, uint64_t offset,
                      struct hub_snapshot_message *out)
{
    const bool known = o->before.fd >= 0 && hub_hash_equal(id, &o->before.id);
    struct hub_offer_file *f = known ? &o->before : &o->now;
    static const struct hub_hash newest;
    const bool meant = hub_hash_equal(id, &f->id) || hub_hash_equal(id, &newest);
    o->wanted |= !known && !(f->fd >= 0 && hub_hash_equal(id, &f->id));
    *out = (struct hub_snapshot_message){.height = o->maker ? o->making_height : 0};
    if (f->fd < 0)
        return;
    *out = (struct hub_snapshot_message){f->id, f->height, f->bytes, 0, {NULL, 0}};
    if (!meant || offset >= f->bytes)
        return;
    const uint64_t left = f->bytes - offset;
    const size_t want = left < HUB_SNAPSHOT_PIECE_BYTES ? left : HUB_SNAPSHOT_PIECE_BYTES;
    if (pread(f->fd, o->piece, want, (off_t)offset) != (ssize_t)want) {
        drop(f); /* it cannot be read: the next who asks has a new one made */
        return;
    }
    out->offset = offset;
    out->piece = (struct hub_span){o->piece, want};
    o->served++;
}

/* ---- making */

static bool start_maker(struct hub_offer *o)
{
    char *argv[] = {"hubledgerd", "--make-snapshot", o->dir, NULL};
    extern char **environ;
    posix_spawnattr_t attr;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawnattr_init(&attr) != 0)
        return false;
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const int error = posix_spawn(&o->maker, o->program, NULL, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    if (error)
        o->maker = 0;
    return !error;
}

static void begin_maker(struct hub_offer *o, uint64_t height, uint64_t now_ms)
{
    o->wanted = false;
    o->began_ms = now_ms;
    o->making_height = height;
    o->failed = !start_maker(o);
}

static void take_made(struct hub_offer *o, uint64_t now_ms)
{
    struct hub_offer_file made;
    if (!open_file(o, &made)) {
        o->failed = true;
        return;
    }
    if (o->now.fd >= 0) {
        drop(&o->before);
        o->before = o->now;
    }
    o->now = made;
    HUB_LOG(INFO, "snapshot_made", HUB_LOG_NUMBER("height", made.height),
            HUB_LOG_NUMBER("bytes", made.bytes), HUB_LOG_NUMBER("ms", now_ms - o->began_ms));
}

static void look_after_maker(struct hub_offer *o, uint64_t now_ms)
{
    int code = 0;
    if (!o->maker)
        return;
    const pid_t ended = waitpid(o->maker, &code, WNOHANG);
    if (ended == 0 && now_ms - o->began_ms < MAKE_MS)
        return;
    if (ended == 0)
        end_maker(o);
    o->maker = 0;
    o->failed = ended <= 0 || !WIFEXITED(code) || WEXITSTATUS(code) != 0;
    if (!o->failed)
        take_made(o, now_ms);
    if (o->failed)
        HUB_LOG(WARNING, "snapshot_not_made",
                HUB_LOG_TEXT("remedy",
                             "peers that join fetch the whole history from this node; the "
                             "line before says why; it is tried again when one asks"));
}

static void give_back(struct hub_offer *o)
{
    char path[PATH_BYTES];
    end_maker(o);
    drop(&o->now);
    drop(&o->before);
    path_of(o, path, "snapshot");
    unlink(path);
    path_of(o, path, "snapshot.new");
    unlink(path);
}

void hub_offer_tend(struct hub_offer *o, uint64_t height, enum hub_disk_level disk, uint64_t now_ms)
{
    if (disk != HUB_DISK_OK) {
        if (o->maker || o->now.fd >= 0 || o->before.fd >= 0)
            give_back(o);
        o->wanted = false;
        return;
    }
    look_after_maker(o, now_ms);
    if (!o->wanted || o->maker)
        return;
    o->wanted = false; /* who still wants one asks again */
    const uint64_t age = now_ms - o->began_ms;
    if (!height || (o->now.fd >= 0 && (height <= o->now.height || age < OFFER_AGE_MS)) ||
        (o->failed && age < AGAIN_MS))
        return;
    begin_maker(o, height, now_ms);
}

/* ---- the maker */

/* It must not outlive or starve the node, and be the first to go when memory runs out. */
static void make_modest(const char *dir)
{
    const uint64_t spare = hub_disk_spare(dir);
    const struct rlimit size = {spare, spare};
    closefrom(3); /* whatever of the node's was not opened close-on-exec */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpriority(PRIO_PROCESS, 0, NICE);
    setrlimit(RLIMIT_FSIZE, &size);
    signal(SIGXFSZ, SIG_IGN); /* the write fails instead, and says so */
    FILE *f = fopen("/proc/self/oom_score_adj", "we");
    if (f) {
        fputs("1000", f);
        fclose(f);
    }
}

static enum hub_status write_snapshot(const char *dir, const char *path, char why[HUB_WHY_BYTES])
{
    static struct hub_chain chain; /* large; one a process */
    static struct hub_genesis genesis;
    struct hub_snapshot_facts facts;
    struct hub_chain_memory memory = {0};
    struct hub_store *from = NULL;
    struct hub_span bytes = {NULL, 0};
    const char *bad = "";
    enum hub_status status = hub_store_open_read(&from, why, dir, false, &bytes);
    if (status)
        return status;
    FILE *out = fopen(path, "wbe");
    status = HUB_IO;
    if (!out)
        snprintf(why, HUB_WHY_BYTES, "snapshot.new: %s", strerror(errno));
    else if (hub_genesis_decode(&genesis, &bad, bytes) != HUB_OK)
        snprintf(why, HUB_WHY_BYTES, "genesis: %s", bad);
    else if (hub_chain_memory_map(&memory, NULL) != HUB_OK)
        snprintf(why, HUB_WHY_BYTES, "no address space for the state");
    else
        status = hub_snapshot_write(out, from, &chain, &memory, &genesis, &facts, why);
    if (out && ((status == HUB_OK && fsync(fileno(out)) != 0) || fclose(out) != 0) &&
        status == HUB_OK) {
        snprintf(why, HUB_WHY_BYTES, "snapshot.new: %s", strerror(errno));
        status = HUB_IO;
    }
    hub_store_close(from);
    return status;
}

int hub_offer_make(const char *dir)
{
    char path[PATH_BYTES], to[PATH_BYTES], why[HUB_WHY_BYTES] = "";
    snprintf(path, sizeof path, "%s/snapshot.new", dir);
    snprintf(to, sizeof to, "%s/snapshot", dir);
    make_modest(dir);
    if (write_snapshot(dir, path, why) == HUB_OK && rename(path, to) == 0)
        return 0;
    HUB_LOG(WARNING, "snapshot_maker", HUB_LOG_TEXT("why", why[0] ? why : strerror(errno)));
    unlink(path);
    return 1;
}
