/* frames_impl.h: what kinds of sources share; for tools/frames*.c only. */
#ifndef HUB_FRAMES_IMPL_H
#define HUB_FRAMES_IMPL_H

#include "tools/frames.h"

struct hub_frames {
    const struct hub_frames_kind *kind;
    void *own; /* of the kind; released by kind->close */
    struct hub_frames_info info;
    char why[HUB_FRAMES_WHY_BYTES];
};

struct hub_frames_kind {
    enum hub_status (*next)(struct hub_frames *f, struct hub_chain_frame *out);
    enum hub_status (*checkpoint)(struct hub_frames *f, struct hub_chain *c); /* NULL: has none */
    void (*close)(struct hub_frames *f);
};

/* Writes f->why and returns status. */
enum hub_status hub_frames_explain(struct hub_frames *f, enum hub_status status, const char *format,
                                   ...) __attribute__((format(printf, 3, 4)));

/* Each fills kind, own and info of a zeroed f, or f->why. */
enum hub_status hub_frames_open_file(struct hub_frames *f, const char *path);
enum hub_status hub_frames_open_directory(struct hub_frames *f, const char *path, bool stopped);

#endif
