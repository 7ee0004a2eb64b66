/* frames_write.c: writes a history as an export file: one head, a frame a height, one end that carries the hash of all
 * before it (formats.cddl section 11). */
#include "tools/frames.h"

#include "hub/cbor.h"

#include <errno.h>
#include <string.h>

struct writer {
    FILE *file;
    struct hub_hasher hasher;
    bool failed;
};

static void put(struct writer *w, struct hub_span bytes)
{
    hub_hash_add(&w->hasher, bytes.data, bytes.len);
    if (bytes.len && fwrite(bytes.data, 1, bytes.len, w->file) != bytes.len)
        w->failed = true;
}

static void put_byte_string(struct writer *w, struct hub_span bytes)
{
    uint8_t head[9];
    struct hub_buf b = {head, 0, sizeof head, false};
    hub_put_bytes_head(&b, bytes.len);
    put(w, hub_span_of(&b));
    put(w, bytes);
}

static void put_head(struct writer *w, const struct hub_frames_info *info)
{
    uint8_t bytes[64];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_put_tag(&b, 55799);
    hub_put_array(&b, 5);
    hub_put_text(&b, "hubledger-export");
    hub_put_uint(&b, 1);
    put(w, hub_span_of(&b));
    put_byte_string(w, info->genesis);
    b.len = 0;
    hub_put_uint(&b, info->first_height);
    hub_put_array(&b, 0); /* links: none needed where the first epoch's blocks are in the file */
    put(w, hub_span_of(&b));
}

static void put_frame(struct writer *w, const struct hub_chain_frame *frame)
{
    static const uint8_t pair[] = {0x82}, null[] = {0xf6};
    put(w, (struct hub_span){pair, sizeof pair});
    put_byte_string(w, frame->block);
    put(w, frame->certificate.len ? frame->certificate : (struct hub_span){null, sizeof null});
    put(w, frame->link);
}

static void put_end(struct writer *w, uint64_t frames)
{
    uint8_t bytes[64];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    struct hub_hasher hasher = w->hasher;
    struct hub_hash hash;
    hub_hash_final(&hasher, &hash);
    hub_put_array(&b, 3);
    hub_put_text(&b, "end");
    hub_put_uint(&b, frames);
    hub_put_hash(&b, &hash);
    put(w, hub_span_of(&b));
}

enum hub_status hub_export_write(FILE *out, struct hub_frames *in, uint64_t last, uint64_t *frames,
                                 char why[HUB_FRAMES_WHY_BYTES], hub_export_progress *progress,
                                 void *ctx)
{
    const struct hub_frames_info *info = hub_frames_info(in);
    struct writer w = {.file = out};
    struct hub_chain_frame frame;
    uint64_t links = 0;
    enum hub_status status = HUB_OK;
    if (last == 0)
        last = info->last_height ? info->last_height : HUB_UINT_MAX;
    *frames = 0;
    hub_hash_init(&w.hasher);
    put_head(&w, info);
    for (uint64_t height = info->first_height; height <= last && status == HUB_OK && !w.failed;
         height++) {
        status = hub_frames_next(in, &frame);
        if (status == HUB_OK && frame.block.len == 0)
            status = HUB_CORRUPT;
        if (status)
            break;
        put_frame(&w, &frame);
        ++*frames;
        links += frame.link.len > 0;
        if (progress)
            progress(ctx, height, last);
    }
    if (status && status != HUB_NOT_FOUND) {
        snprintf(why, HUB_FRAMES_WHY_BYTES, "%s", hub_frames_why(in));
        return status;
    }
    put_end(&w, *frames + links);
    if (w.failed || fflush(out) != 0) {
        snprintf(why, HUB_FRAMES_WHY_BYTES, "the export cannot be written: %s", strerror(errno));
        return HUB_IO;
    }
    return HUB_OK;
}
