#include "node/store_env.h"

#include "hub/hash.h"
#include "node/clock.h"
#include "node/disk.h"

#include <lmdb.h>

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_STORE = 70 };

/* Neither may ever be set: each gives up a sync or the lock (H1). */
#define FORBIDDEN_FLAGS (MDB_NOSYNC | MDB_NOMETASYNC | MDB_WRITEMAP | MDB_MAPASYNC)

static const char *const map_names[HUB_ENV_MAPS] = {
    "meta", "block", "height", "pending", "vote", "vote_order", "certificate",
    "row",  "node",  "record", "result",  "link", "evidence"};

struct hub_env {
    MDB_env *lmdb;
    MDB_dbi map[HUB_ENV_MAPS];
    MDB_txn *write; /* NULL between a commit and the next put */
    MDB_txn *read;  /* the owner's snapshot, reset while write is open */
    bool read_live, failed;
    pid_t pid;
    struct hub_env_commits commits;
    char why[HUB_WHY_BYTES];
};

/* ---- faults. LMDB maps the file: a disk that cannot be read is SIGBUS, a page number that rotted is
 * SIGSEGV. `inside` is set while this thread is in LMDB or reads what it returned for the first time. */
static _Thread_local volatile sig_atomic_t inside;
static char fault_text[HUB_WHY_BYTES];

static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored; /* nothing is left to do about it */
}

static void on_fault(int number)
{
    if (inside) {
        say(fault_text);
        _exit(EXIT_STORE);
    }
    signal(number, SIG_DFL); /* not ours: the instruction faults again and ends as it would have */
}

static void on_lmdb_assert(MDB_env *env, const char *text)
{
    (void)env;
    say(fault_text);
    say(text);
    say("\n");
    _exit(EXIT_STORE);
}

static void catch_faults(const char *dir)
{
    snprintf(fault_text, sizeof fault_text,
             "store: the database in %s cannot be read, its disk fails or a page is damaged. Keep "
             "a copy of the "
             "directory, check the disk, then start with an empty directory: the node fetches the "
             "chain from its peers.\n",
             dir);
    struct sigaction action = {.sa_handler = on_fault};
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

/* ---- errors */
static enum hub_status explain(char why[HUB_WHY_BYTES], enum hub_status status, const char *format,
                               ...) __attribute__((format(printf, 3, 4)));
static enum hub_status explain(char why[HUB_WHY_BYTES], enum hub_status status, const char *format,
                               ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, HUB_WHY_BYTES, format, args);
    va_end(args);
    return status;
}

/* What to do about it: LMDB's own words name no remedy. A page that rotted shows as a transaction that went bad. */
static const char *remedy_of(int code)
{
    if (code == EIO || code == ENOSPC)
        return ": the disk fails or is full. Free space or replace it, then start again";
    if (code == MDB_BAD_TXN || code == MDB_PANIC || code == MDB_CORRUPTED || code == MDB_INVALID ||
        code == MDB_PAGE_NOTFOUND || code == MDB_CURSOR_FULL)
        return ": a page of the database is damaged. Keep a copy of the directory, check the disk, "
               "then start with an empty directory: the node fetches the chain from its peers";
    if (code == MDB_VERSION_MISMATCH)
        return ": it was written with another version of the database library. Start the program "
               "that wrote it, or start with an empty directory";
    return "";
}

static enum hub_status status_of(struct hub_env *e, int code, const char *action,
                                 enum hub_env_map map)
{
    if (code == 0)
        return HUB_OK;
    if (code == MDB_NOTFOUND)
        return HUB_NOT_FOUND;
    if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_CURSOR_FULL ||
        code == MDB_BAD_VALSIZE)
        return explain(e->why, HUB_CORRUPT, "store: %s of map %s: %s%s", action, map_names[map],
                       mdb_strerror(code), remedy_of(code));
    return explain(e->why, HUB_IO, "store: %s of map %s: %s%s", action, map_names[map],
                   mdb_strerror(code), remedy_of(code));
}

/* ---- open and close */
static enum hub_status open_maps(struct hub_env *e, enum hub_env_mode mode)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(e->lmdb, NULL, mode == HUB_ENV_WRITE ? 0 : MDB_RDONLY, &txn);
    for (int i = 0; code == 0 && i < HUB_ENV_MAPS; i++) {
        code = mdb_dbi_open(txn, map_names[i], mode == HUB_ENV_WRITE ? MDB_CREATE : 0, &e->map[i]);
        if (code) {
            mdb_txn_abort(txn);
            return status_of(e, code, "opening", (enum hub_env_map)i);
        }
    }
    if (code == 0)
        code = mdb_txn_commit(txn);
    return status_of(e, code, "opening", HUB_MAP_META);
}

static enum hub_status open_lmdb(struct hub_env *e, const char *dir, uint64_t map_bytes,
                                 enum hub_env_mode mode)
{
    unsigned flags = MDB_NOTLS; /* a snapshot belongs to a request, not to a thread */
    if (mode != HUB_ENV_WRITE)
        flags |= MDB_RDONLY;
    if (mode == HUB_ENV_READ_ALONE)
        flags |= MDB_NOLOCK;
    int code = mdb_env_create(&e->lmdb);
    if (code == 0)
        code = mdb_env_set_maxdbs(e->lmdb, HUB_ENV_MAPS);
    if (code == 0)
        code = mdb_env_set_mapsize(e->lmdb, map_bytes);
    if (code == 0)
        code = mdb_env_set_assert(e->lmdb, on_lmdb_assert);
    if (code == 0)
        code = mdb_env_open(e->lmdb, dir, flags, 0660);
    unsigned got = 0;
    if (code == 0)
        code = mdb_env_get_flags(e->lmdb, &got);
    HUB_ASSERT((got & FORBIDDEN_FLAGS) == 0 && (mode == HUB_ENV_READ_ALONE || !(got & MDB_NOLOCK)));
    if (code == 0)
        return open_maps(e, mode);
    if (mode == HUB_ENV_READ && (code == EACCES || code == EROFS))
        return explain(
            e->why, HUB_IO,
            "store: the lock file of %s cannot be written (%s), so a running node would not know "
            "that it is being "
            "read: make an export with `hubledger export`, or stop the node and use --stopped",
            dir, mdb_strerror(code));
    return explain(e->why,
                   code == MDB_INVALID || code == MDB_CORRUPTED || code == MDB_VERSION_MISMATCH
                       ? HUB_CORRUPT
                       : HUB_IO,
                   "store: %s does not open: %s%s", dir, mdb_strerror(code),
                   code > 0 ? hub_disk_remedy(code) : remedy_of(code));
}

enum hub_status hub_env_open(struct hub_env **out, char why[HUB_WHY_BYTES], const char *dir,
                             uint64_t map_bytes, enum hub_env_mode mode)
{
    struct hub_env *e = calloc(1, sizeof *e);
    if (!e)
        return explain(why, HUB_IO, "store: no memory");
    e->pid = getpid();
    catch_faults(dir);
    inside = 1;
    enum hub_status status = open_lmdb(e, dir, map_bytes, mode);
    inside = 0;
    if (status) {
        explain(why, status, "%s",
                e->why[0] ? e->why
                          : "store: a map is missing: the directory was not made by this program");
        hub_env_close(e);
        return status == HUB_NOT_FOUND ? HUB_CORRUPT : status;
    }
    *out = e;
    return HUB_OK;
}

void hub_env_close(struct hub_env *e)
{
    if (!e)
        return;
    hub_env_abort(e);
    if (e->read)
        mdb_txn_abort(e->read);
    mdb_env_close(e->lmdb); /* takes NULL */
    free(e);
}

const char *hub_env_why(const struct hub_env *e)
{
    return e->why;
}

/* ---- seals */
static void seal_of(struct hub_hash *out, enum hub_env_map map, struct hub_span key,
                    struct hub_span value)
{
    uint8_t head[2] = {(uint8_t)map, (uint8_t)key.len};
    struct hub_hasher h;
    hub_hash_init(&h);
    hub_hash_add(&h, head, sizeof head);
    hub_hash_add(&h, key.data, key.len);
    hub_hash_add(&h, value.data, value.len);
    hub_hash_final(&h, out);
}

static bool take_seal(struct hub_span *value, enum hub_env_map map, struct hub_span key, bool check)
{
    if (value->len < HUB_SEAL_BYTES)
        return false;
    value->len -= HUB_SEAL_BYTES;
    if (!check)
        return true;
    struct hub_hash seal;
    seal_of(&seal, map, key, *value);
    return memcmp(seal.b, value->data + value->len, HUB_SEAL_BYTES) == 0;
}

/* ---- writing */
void hub_env_rest(struct hub_env *e)
{
    if (e->read_live)
        mdb_txn_reset(e->read);
    e->read_live = false;
}

static int begin_write(struct hub_env *e)
{
    HUB_ASSERT(e->pid == getpid()); /* H9 */
    hub_env_rest(e);
    return e->write ? 0 : mdb_txn_begin(e->lmdb, NULL, 0, &e->write);
}

static enum hub_status put(struct hub_env *e, enum hub_env_map map, struct hub_span key,
                           struct hub_span value, unsigned flags, struct hub_span *held)
{
    HUB_ASSERT(key.len > 0 && key.len <= HUB_ENV_KEY_MAX);
    if (e->failed)
        return HUB_IO;
    MDB_val k = {key.len, (void *)(uintptr_t)key.data};
    MDB_val v = {value.len + HUB_SEAL_BYTES, NULL};
    struct hub_hash seal;
    seal_of(&seal, map, key, value);
    inside = 1;
    int code = begin_write(e);
    if (code == 0)
        code = mdb_put(e->write, e->map[map], &k, &v, MDB_RESERVE | flags);
    if (code == 0) {
        memcpy(v.mv_data, value.data, value.len);
        memcpy((uint8_t *)v.mv_data + value.len, seal.b, HUB_SEAL_BYTES);
    }
    bool whole = false;
    if (code == MDB_KEYEXIST && held != NULL) { /* only a put that may not replace asks */
        *held = (struct hub_span){v.mv_data, v.mv_size};
        whole = take_seal(held, map, key, true);
    }
    inside = 0;
    if (code == MDB_KEYEXIST)
        return whole ? HUB_CONFLICT : HUB_CORRUPT;
    e->failed = code != 0;
    return status_of(e, code, "writing", map);
}

enum hub_status hub_env_put(struct hub_env *e, enum hub_env_map map, struct hub_span key,
                            struct hub_span value)
{
    return put(e, map, key, value, 0, NULL);
}

enum hub_status hub_env_add(struct hub_env *e, enum hub_env_map map, struct hub_span key,
                            struct hub_span value, struct hub_span *held)
{
    return put(e, map, key, value, MDB_NOOVERWRITE, held);
}

enum hub_status hub_env_del(struct hub_env *e, enum hub_env_map map, struct hub_span key)
{
    if (e->failed)
        return HUB_IO;
    MDB_val k = {key.len, (void *)(uintptr_t)key.data};
    inside = 1;
    int code = begin_write(e);
    if (code == 0)
        code = mdb_del(e->write, e->map[map], &k, NULL);
    inside = 0;
    e->failed = code != 0 && code != MDB_NOTFOUND;
    return status_of(e, code, "deleting", map);
}

enum hub_status hub_env_commit(struct hub_env *e)
{
    if (e->failed)
        return HUB_IO;
    if (!e->write)
        return HUB_OK;
    HUB_ASSERT(e->pid == getpid());
    const uint64_t began_us = hub_clock_mono_us();
    inside = 1;
    int code = mdb_txn_commit(e->write);
    inside = 0;
    e->write = NULL; /* LMDB frees it, also on failure */
    e->commits.count++;
    e->commits.us += hub_clock_mono_us() - began_us;
    if (code == 0)
        return HUB_OK;
    e->failed = true;
    return explain(
        e->why, HUB_IO,
        "store: commit failed: %s%s. What was not committed was not sent; the node stops",
        mdb_strerror(code), remedy_of(code));
}

struct hub_env_commits hub_env_commits(const struct hub_env *e)
{
    return e->commits;
}

void hub_env_abort(struct hub_env *e)
{
    if (e->write && e->pid == getpid())
        mdb_txn_abort(e->write);
    e->write = NULL;
}

/* ---- reading */
struct hub_reader hub_env_reader(struct hub_env *e)
{
    return (struct hub_reader){e, NULL};
}

enum hub_status hub_env_begin(struct hub_env *e, struct hub_reader *out)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(e->lmdb, NULL, MDB_RDONLY, &txn);
    if (code)
        return code == MDB_READERS_FULL ? HUB_NOT_NOW : HUB_IO;
    *out = (struct hub_reader){e, txn};
    return HUB_OK;
}

void hub_env_end(struct hub_reader *r)
{
    if (r->txn)
        mdb_txn_abort(r->txn);
    r->txn = NULL;
}

/* The transaction a reader sees: its own, or the owner's open one. */
static int txn_of(const struct hub_reader *r, MDB_txn **out)
{
    struct hub_env *e = r->env;
    int code = 0;
    if (!r->txn && !e->write && !e->read_live) {
        code =
            e->read ? mdb_txn_renew(e->read) : mdb_txn_begin(e->lmdb, NULL, MDB_RDONLY, &e->read);
        e->read_live = code == 0;
    }
    *out = r->txn ? r->txn : e->write ? e->write : e->read;
    return code;
}

/* A snapshot's reader may be on another thread than the owner of env->why. */
static enum hub_status read_failed(const struct hub_reader *r, int code, enum hub_env_map map)
{
    if (code == MDB_NOTFOUND)
        return HUB_NOT_FOUND;
    char discard[HUB_WHY_BYTES];
    return explain(r->txn ? discard : r->env->why,
                   code == MDB_CORRUPTED || code == MDB_CURSOR_FULL ? HUB_CORRUPT : HUB_IO,
                   "store: reading map %s: %s%s", map_names[map], mdb_strerror(code),
                   remedy_of(code));
}

static enum hub_status seal_broken(const struct hub_reader *r, enum hub_env_map map,
                                   struct hub_span key)
{
    if (r->txn)
        return HUB_CORRUPT;
    int at = snprintf(r->env->why, HUB_WHY_BYTES, "store: map %s, key ", map_names[map]);
    for (size_t i = 0; i < key.len && i < HUB_ENV_KEY_MAX; i++)
        at += snprintf(r->env->why + at, (size_t)(HUB_WHY_BYTES - at), "%02x", key.data[i]);
    snprintf(r->env->why + at, (size_t)(HUB_WHY_BYTES - at),
             ": the value does not match its seal: the disk returned other bytes");
    return HUB_CORRUPT;
}

static enum hub_status get(const struct hub_reader *r, enum hub_env_map map, struct hub_span key,
                           struct hub_span *value, bool check)
{
    HUB_ASSERT(key.len > 0 && key.len <= HUB_ENV_KEY_MAX);
    MDB_val k = {key.len, (void *)(uintptr_t)key.data}, v = {0, NULL};
    MDB_txn *txn;
    inside = 1;
    int code = txn_of(r, &txn);
    if (code == 0)
        code = mdb_get(txn, r->env->map[map], &k, &v);
    struct hub_span got = {v.mv_data, v.mv_size};
    bool sealed = code == 0 && take_seal(&got, map, key, check);
    inside = 0;
    if (code)
        return read_failed(r, code, map);
    if (!sealed)
        return seal_broken(r, map, key);
    *value = got;
    return HUB_OK;
}

enum hub_status hub_env_get(const struct hub_reader *r, enum hub_env_map map, struct hub_span key,
                            struct hub_span *value)
{
    return get(r, map, key, value, true);
}

enum hub_status hub_env_get_unsealed(const struct hub_reader *r, enum hub_env_map map,
                                     struct hub_span key, struct hub_span *value)
{
    return get(r, map, key, value, false);
}

enum hub_status hub_env_seek(const struct hub_reader *r, enum hub_env_map map, struct hub_span from,
                             struct hub_span *key, struct hub_span *value)
{
    MDB_val k = {from.len, (void *)(uintptr_t)from.data}, v = {0, NULL};
    MDB_cursor *cursor = NULL;
    MDB_txn *txn;
    *key = *value =
        (struct hub_span){NULL, 0}; /* where the database itself is damaged there is none */
    inside = 1;
    int code = txn_of(r, &txn);
    if (code == 0)
        code = mdb_cursor_open(txn, r->env->map[map], &cursor);
    if (code == 0)
        code = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    struct hub_span got = {v.mv_data, v.mv_size};
    struct hub_span at = {k.mv_data, k.mv_size};
    bool sealed = code == 0 && take_seal(&got, map, at, true);
    if (cursor)
        mdb_cursor_close(cursor);
    inside = 0;
    if (code)
        return read_failed(r, code, map);
    *key = at;
    if (!sealed)
        return seal_broken(r, map, at);
    *value = got;
    return HUB_OK;
}

enum hub_status hub_env_count(const struct hub_reader *r, enum hub_env_map map, uint64_t *count)
{
    MDB_stat stat = {0};
    MDB_txn *txn;
    inside = 1;
    int code = txn_of(r, &txn);
    if (code == 0)
        code = mdb_stat(txn, r->env->map[map], &stat);
    inside = 0;
    if (code)
        return read_failed(r, code, map);
    *count = stat.ms_entries;
    return HUB_OK;
}

enum hub_status hub_env_check_readers(struct hub_env *e, int *dead)
{
    int count = 0;
    int code = mdb_reader_check(e->lmdb, &count);
    if (code)
        return status_of(e, code, "checking readers", HUB_MAP_META);
    if (dead)
        *dead = count;
    return HUB_OK;
}
