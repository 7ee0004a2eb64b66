/* offer.h: the snapshot that this node offers to its peers: DIR/snapshot, the file of snapshot.h.
 *  1. It is made when a peer asks and none is there, or a newer checkpoint is and the last was made OFFER_AGE_MS ago; by a
 *     process of its own (`hubledgerd --make-snapshot`), nice, at most one at a time and for MAKE_MS: the main loop
 *     starts it, looks whether it has ended, and reads pieces of 128 KiB, nothing else.
 *  2. What is served never changes: the file is replaced by rename, and the one before stays open for those who are
 *     in the middle of it. So at most three are on the disk.
 *  3. H6: the maker may not write what would leave less than a tenth of the volume free; as soon as the volume has less, files
 *     and maker go, and nothing is offered.
 *  4. A request costs its sender a token like any other service (node/receive.c).
 *
 * H9: the maker is a new program, not a fork that goes on: it opens the environment as any auditor does. */
#ifndef HUB_OFFER_H
#define HUB_OFFER_H

#include "hub/genesis.h"
#include "hub/message.h"
#include "node/disk.h"

#include <sys/types.h>

struct hub_offer {
    char dir[1024];                    /* data directory */
    const char *program;               /* borrowed; "/proc/self/exe" */
    const struct hub_genesis *genesis; /* borrowed */
    struct hub_offer_file {
        int fd; /* owned; -1: none */
        struct hub_hash id;
        uint64_t height, bytes;
    } now, before;
    uint8_t *piece; /* owned */
    pid_t maker;    /* 0: none runs */
    uint64_t making_height, began_ms,
        served;          /* began: the last maker, monotonic; served: pieces since start */
    bool wanted, failed; /* a peer asked; the last maker failed */
};

/* Takes up what an earlier run left. HUB_IO: no memory. */
HUB_MUST_USE enum hub_status hub_offer_open(struct hub_offer *o, const char *dir,
                                            const struct hub_genesis *g);
/* Ends a maker; the file stays. */
void hub_offer_close(struct hub_offer *o);
/* What there is of the file with this id, zeros: of the newest. out->piece is borrowed until the next call. */
void hub_offer_answer(struct hub_offer *o, const struct hub_hash *id, uint64_t offset,
                      struct hub_snapshot_message *out);
/* Each turn. height: of the last checkpoint, 0: none. */
void hub_offer_tend(struct hub_offer *o, uint64_t height, enum hub_disk_level disk,
                    uint64_t now_ms);
/* The maker: the whole of `hubledgerd --make-snapshot DIR`. Returns an exit code. */
HUB_MUST_USE int hub_offer_make(const char *dir);

#endif
