/* frames_dir.c: a node's data directory as a source of frames. It is opened for reading only; a running node is
 * told by its lock file which pages may not be reused, so snapshots are short. */
#include "node/checkpoint.h"
#include "tools/frames_impl.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SNAPSHOT_BLOCKS = 1000, SNAPSHOT_MS = 1000 };

struct directory {
    struct hub_store *store;
    struct hub_reader reader; /* the snapshot; txn NULL between two */
    uint64_t next, blocks;    /* height of the next frame; blocks read in this snapshot */
    uint64_t began_ms;
};

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static enum hub_status snapshot(struct hub_frames *f)
{
    struct directory *d = f->own;
    if (d->reader.txn && d->blocks < SNAPSHOT_BLOCKS && now_ms() - d->began_ms < SNAPSHOT_MS)
        return HUB_OK;
    hub_env_end(&d->reader);
    d->blocks = 0;
    d->began_ms = now_ms();
    enum hub_status status = hub_store_begin(d->store, &d->reader);
    return status
               ? hub_frames_explain(
                     f, HUB_IO, "the data directory: no place for another reader; try again later")
               : HUB_OK;
}

/* The certificate of this block's own view; one that cannot be decoded too, for the reader to find. */
static struct hub_span certificate_of(const struct directory *d, const struct hub_header *h,
                                      const struct hub_hash *hash)
{
    static struct hub_certificate cert; /* 4 KiB */
    const struct hub_span none = {NULL, 0};
    struct hub_span bytes;
    if (hub_read_certificate_raw(&d->reader, h->epoch, h->view, HUB_FINALIZE, &bytes))
        return none;
    if (hub_certificate_decode(&cert, bytes) && !hub_hash_equal(&cert.subject.block_hash, hash))
        return none;
    return bytes;
}

static enum hub_status directory_next(struct hub_frames *f, struct hub_chain_frame *out)
{
    struct directory *d = f->own;
    struct hub_header header = {.flags = 0};
    struct hub_hash hash;
    struct hub_span header_bytes;
    if (d->next > f->info.last_height)
        return HUB_NOT_FOUND;
    enum hub_status status = snapshot(f);
    if (status)
        return status;
    struct hub_chain_frame frame = {.height = d->next};
    status = hub_read_block_raw(&d->reader, d->next, &frame.block);
    if (status == HUB_IO)
        return hub_frames_explain(f, HUB_IO,
                                  "the block at height %llu cannot be read: the disk fails",
                                  (unsigned long long)d->next);
    if (status)
        hub_frames_explain(f, status, "the block at height %llu is %s in the data directory",
                           (unsigned long long)d->next,
                           status == HUB_NOT_FOUND ? "missing" : "damaged");
    else if (hub_block_peek(&header, &hash, &header_bytes, frame.block))
        frame.certificate = certificate_of(d, &header, &hash);
    if (!status && hub_header_begins_epoch(&header) &&
        hub_read_link(&d->reader, header.epoch + 1, &frame.link))
        frame.link = (struct hub_span){NULL, 0}; /* the reader will miss it */
    d->next++;
    d->blocks++;
    *out = frame;
    return HUB_OK;
}

static enum hub_status directory_checkpoint(struct hub_frames *f, struct hub_chain *c)
{
    struct directory *d = f->own;
    uint64_t height;
    struct hub_hash block;
    enum hub_status status = snapshot(f);
    if (status)
        return status;
    status = hub_checkpoint_height(&d->reader, &height, &block);
    if (status == HUB_CORRUPT)
        return hub_frames_explain(f, HUB_CORRUPT,
                                  "checkpoint: which block it is of cannot be read");
    if (status || height != c->final_header.height)
        return status ? status : HUB_NOT_FOUND;
    return hub_checkpoint_compare(&d->reader, c, f->why);
}

static void directory_close(struct hub_frames *f)
{
    struct directory *d = f->own;
    hub_env_end(&d->reader);
    hub_store_close(d->store);
    free(d);
}

static const struct hub_frames_kind directory_kind = {directory_next, directory_checkpoint,
                                                      directory_close};

enum hub_status hub_frames_open_directory(struct hub_frames *f, const char *path, bool stopped)
{
    struct directory *d = calloc(1, sizeof *d);
    struct hub_point tip;
    struct hub_edge edge;
    f->kind = &directory_kind;
    f->own = d;
    if (!d)
        return hub_frames_explain(f, HUB_IO, "no memory");
    _Static_assert(sizeof f->why == HUB_WHY_BYTES, "the store's sentences fit");
    enum hub_status status =
        hub_store_open_read(&d->store, f->why, path, stopped, &f->info.genesis);
    if (status)
        return status;
    struct hub_floor floor;
    status = snapshot(f);
    if (status)
        return status;
    if (hub_read_floor(&d->reader, &floor) != HUB_OK)
        return hub_frames_explain(f, HUB_CORRUPT, "%s: where its history begins cannot be read",
                                  path);
    d->next = f->info.first_height = floor.height ? floor.height : 1; /* joined by a snapshot */
    status = hub_read_tip(&d->reader, &tip, &edge);
    if (status == HUB_OK)
        f->info.last_height = tip.height;
    else if (status != HUB_NOT_FOUND) /* only genesis is there */
        return hub_frames_explain(f, status, "%s: which block is the last final one cannot be read",
                                  path);
    return HUB_OK;
}
