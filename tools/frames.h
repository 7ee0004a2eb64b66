/* frames.h: a ledger's history as a stream of blocks and certificates in order of height, whatever it comes
 * from: an export file (formats.cddl section 11) or the data directory of a node. The auditor and the exporter
 * read it; nothing here is checked but form, since finding out what is wrong is the reader's task.
 *  1. A source names its genesis bytes; whether they are the right ones, the reader says.
 *  2. Where one frame is damaged and the next can still be found, the stream goes on.
 *  3. A running node's directory is read in snapshots of at most 1,000 blocks or one second (H8), up to the tip
 *     it had when it was opened. */
#ifndef HUB_FRAMES_H
#define HUB_FRAMES_H

#include "hub/chain.h"

#include <stdio.h>

enum { HUB_FRAMES_WHY_BYTES = 1536 };

struct hub_frames; /* an open source; owned, released by hub_frames_close */

struct hub_chain_frame {         /* one height; spans borrowed until the next call on the source */
    uint64_t height;             /* the height its place says */
    uint64_t offset;             /* of its first byte in an export file; 0 for a directory */
    struct hub_span block;       /* encoded block; empty: it cannot be read, see hub_frames_why */
    struct hub_span certificate; /* encoded; empty: covered by a later one, or by the link */
    struct hub_span link;        /* encoded; of a SEAL block: what leads to the next epoch */
};

struct hub_frames_info {
    struct hub_span genesis; /* borrowed as long as the source */
    uint64_t first_height;   /* of the first frame */
    uint64_t
        last_height; /* a directory's tip; 0: a file, of which the end is not known before it is read */
    uint64_t bytes; /* size of a file; 0 for a directory */
};

/* path: an export file or a node's data directory. stopped: the directory's node does not run; its lock file is
 * not touched. On failure why names the source, the cause and the ways out. HUB_BAD_ENCODING: not an export
 * file; HUB_CORRUPT, HUB_IO. */
HUB_MUST_USE enum hub_status hub_frames_open(struct hub_frames **out,
                                             char why[HUB_FRAMES_WHY_BYTES], const char *path,
                                             bool stopped);
void hub_frames_close(struct hub_frames *f);
const struct hub_frames_info *hub_frames_info(const struct hub_frames *f);
/* HUB_NOT_FOUND: the end, reached whole (of a file: its count and hash fit). HUB_BAD_ENCODING: the file is cut or
 * damaged so that no further frame can be found. HUB_CORRUPT: at the end, its count or its hash do not fit what
 * was read. HUB_IO. hub_frames_why has the sentence. */
HUB_MUST_USE enum hub_status hub_frames_next(struct hub_frames *f, struct hub_chain_frame *out);
const char *hub_frames_why(const struct hub_frames *f);

/* If the source holds a checkpoint of exactly the final block of c, compares it with c's state, which the
 * blocks gave: HUB_OK or HUB_CORRUPT (hub_frames_why). HUB_NOT_FOUND: it holds none of this height. */
HUB_MUST_USE enum hub_status hub_frames_checkpoint(struct hub_frames *f, struct hub_chain *c);

/* Writes the frames of `in` from its first to `last` (0 = all) as an export file: head, frames, end. A block
 * that cannot be read ends it: HUB_CORRUPT, the file is then not whole. *frames counts what was written.
 * progress may be NULL; it is called after each frame. */
typedef void hub_export_progress(void *ctx, uint64_t height, uint64_t last);
HUB_MUST_USE enum hub_status hub_export_write(FILE *out, struct hub_frames *in, uint64_t last,
                                              uint64_t *frames, char why[HUB_FRAMES_WHY_BYTES],
                                              hub_export_progress *progress, void *ctx);

#endif
