/* disk_log.h: records what this process does to the files under one directory, so that the disk can be built
 * again as a power cut at any moment would have left it. The C library's calls that write, sync, make, rename
 * and remove files are defined here in its place; LMDB's calls and the node's bind to them.
 *  1. A write is durable once its file is synced (or its descriptor is O_DSYNC); until then any of its sectors
 *     of 512 bytes may be there or not, whatever came after it.
 *  2. A name is durable once its directory is synced. Names not synced survive as a prefix of what was done,
 *     as journalling file systems keep it.
 *  3. Preallocation is not modelled: posix_fallocate does nothing.
 *
 * The same calls can be told to fail: the k-th, from then on, or as a full disk. */
#ifndef TESTS_DISK_LOG_H
#define TESTS_DISK_LOG_H

#include "node/ports.h"

enum { DISK_FILES_MAX = 4096, DISK_NAME_BYTES = 32, DISK_SECTOR = 512, DISK_ROOT = 0 };

enum disk_op_kind {
    DISK_WRITE,    /* data[len] at `at` of file */
    DISK_TRUNCATE, /* file to `at` bytes */
    DISK_SYNC,     /* file or directory */
    DISK_ENTER,    /* file, or directory, `file` gets the name in dir */
    DISK_RENAME,   /* name in dir becomes `to` in dir */
    DISK_REMOVE,   /* name in dir */
    DISK_MARK      /* what the outside was told: struct disk_mark */
};

enum disk_mark_kind {
    DISK_MARK_VOTE,  /* a signature of this node's left it */
    DISK_MARK_FINAL, /* a client was told that the block is final */
    DISK_MARK_TIP,   /* a commit with this tip returned */
    DISK_MARK_GUARD /* the guard remembers these votes, on another volume or, synced, on this one */
};
struct disk_mark {
    enum disk_mark_kind kind;
    struct hub_subject subject; /* VOTE */
    uint64_t height;            /* FINAL, TIP */
    struct hub_hash hash;       /* FINAL */
    struct hub_vote_mark votes; /* GUARD */
};

struct disk_op {
    enum disk_op_kind kind;
    uint8_t owner;      /* the node whose directory it is in, or who is marked */
    bool synced;        /* WRITE: durable when it returns */
    uint32_t file, dir; /* numbers; DISK_ROOT is the recorded directory */
    uint64_t at;
    uint32_t len;
    uint8_t *data; /* owned */
    char name[DISK_NAME_BYTES], to[DISK_NAME_BYTES];
    struct disk_mark mark;
};

struct disk_log {
    struct disk_op *op;
    size_t ops, cap;
    uint32_t files; /* numbers given out */
    bool is_dir[DISK_FILES_MAX];
};

/* Empties the log and records everything under root, an existing directory of directories "0", "1", ...: one a
 * node. One recording at a time; log is borrowed until disk_log_stop. */
void disk_log_start(struct disk_log *log, const char *root);
void disk_log_stop(void);
void disk_log_mark(uint8_t owner, const struct disk_mark *mark);
void disk_log_free(struct disk_log *log);

/* Of the calls that write, sync, make or rename in node `owner`'s directory, while recording: the k-th (from 1)
 * and, if `stays`, all later ones fail with this errno. A failing write leaves the first half of its bytes.
 * The process id in the file "lock" is a courtesy to people: its calls do not count. */
struct disk_fault {
    uint8_t owner;
    uint64_t k;
    int error;
    bool stays;
};
void disk_fault_set(const struct disk_fault *f); /* NULL: none */
bool disk_fault_struck(void);
uint8_t disk_fault_owner(void);     /* of the fault last set */
uint64_t disk_calls(uint8_t owner); /* so far, since disk_log_start */

#endif
