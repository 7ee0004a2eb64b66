#include "node/store_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_EMPTY                                                                                \
    "; keep a copy of the directory, check the disk, then start with an empty one: the node "      \
    "fetches the chain from its peers"
static const char environment[] = "ledger"; /* DIR/ledger */

static enum hub_status path_in(char out[HUB_STORE_PATH_BYTES], char why[HUB_WHY_BYTES],
                               const char *dir, const char *file)
{
    int n = snprintf(out, HUB_STORE_PATH_BYTES, "%s/%s", dir, file);
    return n > 0 && n < HUB_STORE_PATH_BYTES
               ? HUB_OK
               : hub_store_explain(why, HUB_IO, "store: the path of the directory is too long");
}

/* Readers of the group register in the lock file (README.md); the data stays read-only to them. */
static bool set_modes(const char *path)
{
    char file[HUB_STORE_PATH_BYTES + 16];
    snprintf(file, sizeof file, "%s/data.mdb", path);
    if (chmod(file, 0640) != 0)
        return false;
    snprintf(file, sizeof file, "%s/lock.mdb", path);
    return chmod(file, 0660) == 0;
}

static enum hub_status write_birth(struct hub_env *env, const struct hub_genesis *g)
{
    uint8_t format[4];
    hub_put_be32(format, HUB_STORE_FORMAT);
    enum hub_status status =
        hub_env_put(env, HUB_MAP_META, name("format"), span(format, sizeof format));
    if (status == HUB_OK)
        status = hub_env_put(env, HUB_MAP_META, name("genesis"), g->bytes);
    return status ? status : hub_env_commit(env);
}

/* H2: LMDB's own creation can be cut in half, so it happens aside and is put in place whole. */
static enum hub_status create(char why[HUB_WHY_BYTES], const char *dir, const struct hub_genesis *g,
                              uint64_t map_bytes)
{
    char path[HUB_STORE_PATH_BYTES];
    struct hub_env *env;
    enum hub_status status = hub_disk_stage(dir, environment, why, HUB_WHY_BYTES);
    if (status == HUB_OK)
        status = path_in(path, why, dir, "ledger.new");
    if (status == HUB_OK)
        status = hub_env_open(&env, why, path, map_bytes, HUB_ENV_WRITE);
    if (status)
        return status;
    status = write_birth(env, g);
    if (status)
        hub_store_explain(why, status, "%s", hub_env_why(env));
    hub_env_close(env);
    if (status == HUB_OK && !set_modes(path))
        status =
            hub_store_explain(why, HUB_IO, "store: cannot set the modes of the files in %s: %s%s",
                              path, strerror(errno), hub_disk_remedy(errno));
    return status ? status : hub_disk_publish(dir, environment, why, HUB_WHY_BYTES);
}

static enum hub_status check_birth(const struct hub_reader *r, char why[HUB_WHY_BYTES],
                                   const char *dir, struct hub_span *genesis)
{
    struct hub_span format;
    enum hub_status status = hub_env_get(r, HUB_MAP_META, name("format"), &format);
    if (status || format.len != 4)
        return hub_store_explain(why, HUB_CORRUPT,
                                 "store: the format number of %s cannot be read" START_EMPTY, dir);
    if (hub_get_be32(format.data) != HUB_STORE_FORMAT)
        return hub_store_explain(why, HUB_BAD_ENCODING,
                                 "store: %s has format %u and this program knows %d: use the "
                                 "version that wrote it, or a newer one",
                                 dir, hub_get_be32(format.data), HUB_STORE_FORMAT);
    status = hub_env_get(r, HUB_MAP_META, name("genesis"), genesis);
    return status
               ? hub_store_explain(why, HUB_CORRUPT,
                                   "store: the genesis file kept in %s cannot be read" START_EMPTY,
                                   dir)
               : HUB_OK;
}

static enum hub_status check_genesis(const struct hub_reader *r, char why[HUB_WHY_BYTES],
                                     const char *dir, const struct hub_genesis *g)
{
    struct hub_span stored = {NULL, 0};
    enum hub_status status = check_birth(r, why, dir, &stored);
    if (status)
        return status;
    HUB_ASSERT(stored.data != NULL);
    struct hub_hash chain;
    hub_hash_tagged(&chain, "hubledger/genesis/1", stored);
    if (hub_hash_equal(&chain, &g->chain))
        return HUB_OK;
    return hub_store_explain(why, HUB_CONFLICT,
                             "store: %s holds the chain %02x%02x%02x%02x, the genesis file is of "
                             "%02x%02x%02x%02x: give this network a "
                             "directory of its own, or the node its right genesis file",
                             dir, chain.b[0], chain.b[1], chain.b[2], chain.b[3], g->chain.b[0],
                             g->chain.b[1], g->chain.b[2], g->chain.b[3]);
}

static enum hub_status check_tip(struct hub_store *s, char why[HUB_WHY_BYTES])
{
    const struct hub_reader r = hub_env_reader(s->env);
    struct hub_edge edge;
    enum hub_status status = hub_read_tip(&r, &s->tip, &edge);
    s->has_tip = status == HUB_OK;
    return status == HUB_NOT_FOUND ? HUB_OK
           : status
               ? hub_store_explain(
                     why, HUB_CORRUPT,
                     "store: the place of the final block in %s cannot be read" START_EMPTY, s->dir)
               : HUB_OK;
}

static enum hub_status open_own(struct hub_store *s, char why[HUB_WHY_BYTES],
                                const struct hub_genesis *g, uint64_t map_bytes)
{
    char path[HUB_STORE_PATH_BYTES];
    enum hub_status status = hub_disk_lock(s->dir, &s->lock, why, HUB_WHY_BYTES);
    if (status == HUB_OK && !hub_disk_exists(s->dir, environment))
        status = create(why, s->dir, g, map_bytes);
    if (status == HUB_OK)
        status = path_in(path, why, s->dir, environment);
    if (status == HUB_OK)
        status = hub_env_open(&s->env, why, path, map_bytes, HUB_ENV_WRITE);
    if (status)
        return status;
    const struct hub_reader r = hub_env_reader(s->env);
    status = check_genesis(&r, why, s->dir, g);
    if (status == HUB_OK)
        status = hub_store_check_votes(s, why);
    if (status == HUB_OK)
        status = check_tip(s, why);
    if (status == HUB_OK && hub_store_tend(s, NULL))
        status =
            hub_store_explain(why, HUB_IO, "store: cannot make the reserve file in %s", s->dir);
    return status;
}

static enum hub_status new_store(struct hub_store **out, char why[HUB_WHY_BYTES], const char *dir)
{
    struct hub_store *s = calloc(1, sizeof *s);
    if (!s)
        return hub_store_explain(why, HUB_IO, "store: no memory");
    s->lock = -1;
    if (snprintf(s->dir, sizeof s->dir, "%s", dir) >= (int)sizeof s->dir - 32) {
        free(s);
        return hub_store_explain(why, HUB_IO, "store: the path of the directory is too long");
    }
    *out = s;
    return HUB_OK;
}

enum hub_status hub_store_open(struct hub_store **out, char why[HUB_WHY_BYTES], const char *dir,
                               const struct hub_genesis *g, uint64_t map_bytes)
{
    struct hub_store *s = NULL;
    enum hub_status status = new_store(&s, why, dir);
    if (status)
        return status;
    HUB_ASSERT(s != NULL);
    status = open_own(s, why, g, map_bytes);
    if (status) {
        hub_store_close(s);
        return status;
    }
    *out = s;
    return HUB_OK;
}

/* A copy, so that no snapshot stays open for it (H8). */
static enum hub_status keep_genesis(struct hub_store *s, char why[HUB_WHY_BYTES],
                                    struct hub_span *genesis)
{
    const struct hub_reader r = hub_env_reader(s->env);
    struct hub_span stored = {NULL, 0};
    enum hub_status status = check_birth(&r, why, s->dir, &stored);
    if (status)
        return status;
    HUB_ASSERT(stored.data != NULL);
    s->genesis = malloc(stored.len ? stored.len : 1);
    if (!s->genesis)
        return hub_store_explain(why, HUB_IO, "store: no memory");
    memcpy(s->genesis, stored.data, stored.len);
    *genesis = span(s->genesis, stored.len);
    hub_env_rest(s->env);
    return HUB_OK;
}

enum hub_status hub_store_open_read(struct hub_store **out, char why[HUB_WHY_BYTES],
                                    const char *dir, bool alone, struct hub_span *genesis)
{
    struct hub_store *s = NULL;
    char path[HUB_STORE_PATH_BYTES];
    enum hub_status status = new_store(&s, why, dir);
    if (status)
        return status;
    HUB_ASSERT(s != NULL);
    status = path_in(path, why, dir, environment);
    if (status == HUB_OK && !hub_disk_exists(dir, environment))
        status = hub_store_explain(
            why, HUB_IO, "store: %s holds no ledger: name the data directory of a node", dir);
    if (status == HUB_OK)
        status = hub_env_open(&s->env, why, path, HUB_STORE_MAP_BYTES,
                              alone ? HUB_ENV_READ_ALONE : HUB_ENV_READ);
    if (status == HUB_OK)
        status = keep_genesis(s, why, genesis);
    if (status) {
        hub_store_close(s);
        return status;
    }
    *out = s;
    return HUB_OK;
}

void hub_store_close(struct hub_store *s)
{
    if (!s)
        return;
    hub_env_close(s->env);
    if (s->lock >= 0)
        close(s->lock); /* gives the lock back */
    free(s->genesis);
    free(s);
}
