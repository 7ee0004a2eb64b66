/* store_env.h: the LMDB environment as a handful of ordered maps of sealed values. Knows nothing of blocks or
 * votes; store.c, checkpoint.c and the readers are written on it. H numbers: docs/hazards.md.
 *  1. Synchronous commits only: the flags that weaken them are asserted to be off (H1).
 *  2. Every value ends in a seal, the first 16 bytes of SHA-256(map || key length || key || value), checked
 *     on every get: LMDB 0.9 has no checksums, and a flipped bit reads like any other (H4). The seal finds
 *     accidents; forgery is found by the hashes and signatures of the ledger itself.
 *  3. The first put opens the one write transaction, commit ends it. After the first failure of a put or a
 *     commit every later call fails: LMDB may acknowledge a commit that follows a lost sync (H3).
 *  4. One environment of one directory a process, never used across fork (H9).
 *  5. No DUPSORT, no nested transactions; the caller bounds what one transaction writes (H10).
 *
 * A page LMDB follows into nowhere ends the process with a sentence and exit code 70, not with a bare
 * signal: see hub_env_open. */
#ifndef HUB_STORE_ENV_H
#define HUB_STORE_ENV_H

#include "hub/base.h"

enum hub_env_map {
    HUB_MAP_META,        /* name -> format, genesis, tip, votes, halt, floor, checkpoint */
    HUB_MAP_BLOCK,       /* block hash -> block bytes */
    HUB_MAP_HEIGHT,      /* be64 height -> block hash: final blocks */
    HUB_MAP_PENDING,     /* be64 height || block hash -> nothing: blocks not final */
    HUB_MAP_VOTE,        /* be64 epoch || be64 view || kind -> own vote */
    HUB_MAP_VOTE_ORDER,  /* be64 number -> key of HUB_MAP_VOTE: the order they were cast in */
    HUB_MAP_CERTIFICATE, /* be64 epoch || be64 view || kind -> certificate */
    HUB_MAP_ROW,         /* table || be32 page || be16 part -> rows of the state */
    HUB_MAP_NODE,        /* level || be64 index / 32 -> 32 nodes of the log's tree */
    HUB_MAP_RECORD,   /* be32 log index >> 16 || first 8 bytes of record id -> be64 log indexes */
    HUB_MAP_RESULT,   /* be64 height -> result items of a block */
    HUB_MAP_LINK,     /* be64 epoch -> the link that leads to it */
    HUB_MAP_EVIDENCE, /* be64 epoch || be64 view || validator -> evidence without links (docket.h) */
    HUB_ENV_MAPS
};

enum hub_env_mode {
    HUB_ENV_WRITE,
    HUB_ENV_READ, /* beside a running node: takes part in its lock file, which must be writable */
    HUB_ENV_READ_ALONE, /* no lock file: only while no node runs */
};

enum {
    HUB_WHY_BYTES = 1536 /* a path of a configuration, 1,023, and a sentence */,
    HUB_SEAL_BYTES = 16,
    HUB_ENV_KEY_MAX = 48
};
#define HUB_STORE_MAP_BYTES                                                                        \
    (UINT64_C(1) << 40) /* address space, not disk: alarms watch the disk (H7) */

struct hub_env;

/* A view of the maps. The owner's (hub_env_reader) sees its own uncommitted puts; one of hub_env_begin is a
 * snapshot of its own that any one thread may use. H8: end it within one request. */
struct hub_reader {
    struct hub_env *env;
    void *txn; /* owned by hub_env_begin .. hub_env_end; NULL: the owner's view */
};

/* dir exists; creates the maps in an empty directory when mode is HUB_ENV_WRITE. On failure why holds a
 * sentence that names directory, cause and remedy. Installs handlers for SIGSEGV and SIGBUS that speak only
 * for faults inside a call of this file. HUB_IO, HUB_CORRUPT. */
HUB_MUST_USE enum hub_status hub_env_open(struct hub_env **out, char why[HUB_WHY_BYTES],
                                          const char *dir, uint64_t map_bytes,
                                          enum hub_env_mode mode);
/* Drops what was not committed. NULL is allowed. */
void hub_env_close(struct hub_env *e);
/* The sentence for the last failure; empty before the first. */
const char *hub_env_why(const struct hub_env *e);

HUB_MUST_USE enum hub_status hub_env_put(struct hub_env *e, enum hub_env_map map,
                                         struct hub_span key, struct hub_span value);
/* Only if the key is new. HUB_CONFLICT: it is not, and *held is what it holds; HUB_CORRUPT: that is damaged. */
HUB_MUST_USE enum hub_status hub_env_add(struct hub_env *e, enum hub_env_map map,
                                         struct hub_span key, struct hub_span value,
                                         struct hub_span *held);
HUB_MUST_USE enum hub_status hub_env_del(struct hub_env *e, enum hub_env_map map,
                                         struct hub_span key); /* HUB_NOT_FOUND */
/* Synced when it returns HUB_OK; nothing to commit is HUB_OK too. HUB_IO: end the process with code 70. */
HUB_MUST_USE enum hub_status hub_env_commit(struct hub_env *e);
struct hub_env_commits { /* since the environment was opened */
    uint64_t count, us;  /* us: of the owner's thread, in writing pages and syncing */
};
struct hub_env_commits hub_env_commits(const struct hub_env *e);
/* Forgets every put since the last commit. */
void hub_env_abort(struct hub_env *e);
/* Lets go of the owner's snapshot: what it has read may go. For owners that never write. */
void hub_env_rest(struct hub_env *e);

struct hub_reader hub_env_reader(struct hub_env *e);
HUB_MUST_USE enum hub_status hub_env_begin(struct hub_env *e, struct hub_reader *out);
void hub_env_end(struct hub_reader *r);

/* Values are borrowed: valid until the next put, del, commit or abort (owner's view), or until hub_env_end.
 * HUB_NOT_FOUND; HUB_CORRUPT: the seal does not match. */
HUB_MUST_USE enum hub_status hub_env_get(const struct hub_reader *r, enum hub_env_map map,
                                         struct hub_span key, struct hub_span *value);
/* Without looking at the seal, for values that carry their own hash: headers, and what an auditor reads. */
HUB_MUST_USE enum hub_status hub_env_get_unsealed(const struct hub_reader *r, enum hub_env_map map,
                                                  struct hub_span key, struct hub_span *value);
/* The first entry whose key is not below `from`; *key borrowed like *value. On HUB_CORRUPT *key is set. */
HUB_MUST_USE enum hub_status hub_env_seek(const struct hub_reader *r, enum hub_env_map map,
                                          struct hub_span from, struct hub_span *key,
                                          struct hub_span *value);
HUB_MUST_USE enum hub_status hub_env_count(const struct hub_reader *r, enum hub_env_map map,
                                           uint64_t *count);

/* Frees the slots of readers that died; *dead may be NULL. Each minute (H8). */
HUB_MUST_USE enum hub_status hub_env_check_readers(struct hub_env *e, int *dead);

#endif
