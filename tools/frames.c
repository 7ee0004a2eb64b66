/* frames.c: the kinds of sources behind one face, and the export file as a source. */
#include "tools/frames_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    EXPORT_TAG = 55799,
    EXPORT_VERSION = 1,
    LINKS_MAX = 64,
    HEADER_BYTES_MIN = 8 * 34 + 10 /* eight hashes and ten numbers */
};

enum hub_status hub_frames_explain(struct hub_frames *f, enum hub_status status, const char *format,
                                   ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(f->why, sizeof f->why, format, args);
    va_end(args);
    return status;
}

enum hub_status hub_frames_open(struct hub_frames **out, char why[HUB_FRAMES_WHY_BYTES],
                                const char *path, bool stopped)
{
    struct stat st;
    struct hub_frames *f = calloc(1, sizeof *f);
    if (!f || stat(path, &st) != 0) {
        snprintf(why, HUB_FRAMES_WHY_BYTES, "%s: %s", path, strerror(errno));
        free(f);
        return HUB_IO;
    }
    enum hub_status status = S_ISDIR(st.st_mode) ? hub_frames_open_directory(f, path, stopped)
                                                 : hub_frames_open_file(f, path);
    if (status) {
        memcpy(why, f->why, sizeof f->why);
        hub_frames_close(f);
        return status;
    }
    *out = f;
    return HUB_OK;
}

void hub_frames_close(struct hub_frames *f)
{
    if (!f)
        return;
    if (f->own)
        f->kind->close(f);
    free(f);
}

const struct hub_frames_info *hub_frames_info(const struct hub_frames *f)
{
    return &f->info;
}

const char *hub_frames_why(const struct hub_frames *f)
{
    return f->why;
}

enum hub_status hub_frames_next(struct hub_frames *f, struct hub_chain_frame *out)
{
    return f->kind->next(f, out);
}

enum hub_status hub_frames_checkpoint(struct hub_frames *f, struct hub_chain *c)
{
    return f->kind->checkpoint ? f->kind->checkpoint(f, c) : HUB_NOT_FOUND;
}

/* ---- export files: mapped whole, read once from front to back */
struct file {
    const uint8_t *bytes;
    size_t len, at;           /* at: behind the last item read */
    uint64_t frames, links;   /* blocks; links, which are frames of the format as well */
    struct hub_hasher hasher; /* over bytes[0..at) */
    uint64_t missing;         /* frames of a damaged stretch that are still to be told */
    bool ended;
};

static void advance(struct file *x, const struct hub_cbor *c)
{
    size_t at = (size_t)(c->at - x->bytes);
    hub_hash_add(&x->hasher, x->bytes + x->at, at - x->at);
    x->at = at;
}

static struct hub_cbor rest(const struct file *x)
{
    return hub_cbor_open((struct hub_span){x->bytes + x->at, x->len - x->at});
}

static enum hub_status damaged(struct hub_frames *f, const char *what)
{
    const struct file *x = f->own;
    return hub_frames_explain(
        f, HUB_BAD_ENCODING,
        "the file is damaged or cut at byte %zu, in %s number %llu: what follows cannot be read",
        x->at, what, (unsigned long long)x->frames + 1);
}

/* ["end", frames, sha256 of everything before it] */
static enum hub_status read_end(struct hub_frames *f, struct hub_cbor *c)
{
    struct file *x = f->own;
    struct hub_hash claimed, computed;
    struct hub_span word = hub_cbor_text(c, 3, 3);
    uint64_t frames = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    hub_cbor_hash(c, &claimed);
    if (c->bad || memcmp(word.data, "end", 3) != 0)
        return damaged(f, "end, after frame");
    if (c->at != c->end)
        return hub_frames_explain(f, HUB_CORRUPT, "%zu bytes follow the end of the export",
                                  (size_t)(c->end - c->at));
    struct hub_hasher hasher = x->hasher;
    hub_hash_final(&hasher, &computed);
    x->ended = true;
    if (frames != x->frames + x->links)
        return hub_frames_explain(
            f, HUB_CORRUPT, "the file ends after %llu frames, its end says %llu",
            (unsigned long long)x->frames + x->links, (unsigned long long)frames);
    if (!hub_hash_equal(&claimed, &computed))
        return hub_frames_explain(f, HUB_CORRUPT,
                                  "the hash at the end of the file is not that of its bytes: it "
                                  "was changed after it was written");
    return HUB_NOT_FOUND;
}

/* [block, certificate / null] */
static bool read_frame(struct hub_cbor *c, struct hub_chain_frame *frame)
{
    hub_cbor_array(c, 2, 2);
    frame->block = hub_cbor_bytes(c, 1, HUB_BLOCK_BYTES_MAX + HUB_HEADER_BYTES_MAX);
    if (hub_cbor_peek(c) == HUB_CBOR_SIMPLE)
        hub_cbor_null(c);
    else
        frame->certificate = hub_cbor_item(c);
    return !c->bad;
}

/* The frame that begins at byte `at`, if it holds a block of a height that may follow: each frame
 * between takes at least the bytes of a header. */
static bool frame_follows(const struct hub_frames *f, size_t at, uint64_t *missing)
{
    const struct file *x = f->own;
    const uint64_t due = f->info.first_height + x->frames;
    struct hub_cbor c = hub_cbor_open((struct hub_span){x->bytes + at, x->len - at});
    struct hub_chain_frame frame = {.height = 0};
    struct hub_header header;
    struct hub_hash hash;
    struct hub_span header_bytes;
    if (x->bytes[at] != 0x82 || !read_frame(&c, &frame) ||
        !hub_block_peek(&header, &hash, &header_bytes, frame.block) || header.height <= due ||
        header.height - due > (at - x->at) / HEADER_BYTES_MIN + 1)
        return false;
    *missing = header.height - due;
    return true;
}

/* Bytes that are no frame: finds the next that are. The heights between are told as unreadable. */
static enum hub_status resynchronise(struct hub_frames *f)
{
    struct file *x = f->own;
    for (size_t at = x->at + 1; at < x->len; at++) {
        if (!frame_follows(f, at, &x->missing))
            continue;
        hub_frames_explain(f, HUB_OK, "bytes %zu to %zu of the file are no frame", x->at, at - 1);
        hub_hash_add(&x->hasher, x->bytes + x->at, at - x->at);
        x->at = at;
        return HUB_OK;
    }
    return damaged(f, "frame");
}

/* A link stands behind the block that seals. */
static void take_link(struct file *x, struct hub_chain_frame *frame)
{
    struct hub_cbor c = rest(x);
    if (hub_cbor_peek(&c) != HUB_CBOR_MAP)
        return;
    struct hub_span link = hub_cbor_item(&c);
    if (c.bad)
        return; /* no frame either: the next call says so */
    frame->link = link;
    x->links++;
    advance(x, &c);
}

static enum hub_status file_next(struct hub_frames *f, struct hub_chain_frame *out)
{
    struct file *x = f->own;
    struct hub_chain_frame frame = {.height = f->info.first_height + x->frames, .offset = x->at};
    enum hub_status status = HUB_OK;
    if (x->ended)
        return HUB_NOT_FOUND;
    struct hub_cbor c = rest(x), head = c;
    if (x->missing == 0 && hub_cbor_array(&head, 2, 3) == 3 &&
        hub_cbor_peek(&head) == HUB_CBOR_TEXT)
        return read_end(f, &head);
    if (x->missing == 0 && read_frame(&c, &frame)) {
        advance(x, &c);
        take_link(x, &frame);
    } else {
        frame.block = frame.certificate = (struct hub_span){NULL, 0};
        status = x->missing > 0 ? HUB_OK : resynchronise(f);
        if (status)
            return status;
        x->missing--;
    }
    x->frames++;
    *out = frame;
    return HUB_OK;
}

static void file_close(struct hub_frames *f)
{
    struct file *x = f->own;
    if (x->len)
        munmap((void *)(uintptr_t)x->bytes, x->len);
    free(x);
}

/* 55799(["hubledger-export", version, genesis, first height, links]) */
static enum hub_status read_head(struct hub_frames *f, const char *path)
{
    struct file *x = f->own;
    struct hub_cbor c = rest(x);
    hub_cbor_tag(&c, EXPORT_TAG);
    hub_cbor_array(&c, 5, 5);
    struct hub_span name = hub_cbor_text(&c, 1, 64);
    if (c.bad || name.len != 16 || memcmp(name.data, "hubledger-export", 16) != 0)
        return hub_frames_explain(f, HUB_BAD_ENCODING, "%s: not an export file of hubledger", path);
    uint64_t version = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    if (!c.bad && version != EXPORT_VERSION)
        return hub_frames_explain(f, HUB_BAD_ENCODING,
                                  "%s: export version %llu, this program knows %d: use a newer one",
                                  path, (unsigned long long)version, EXPORT_VERSION);
    f->info.genesis = hub_cbor_bytes(&c, 1, HUB_GENESIS_BYTES_MAX);
    f->info.first_height = hub_cbor_uint(&c, 1, HUB_UINT_MAX);
    uint32_t links = hub_cbor_array(&c, 0, LINKS_MAX);
    for (uint32_t i = 0; i < links; i++)
        hub_cbor_item(&c);
    if (c.bad)
        return hub_frames_explain(f, HUB_BAD_ENCODING, "%s: the head of the export is damaged",
                                  path);
    advance(x, &c);
    return HUB_OK;
}

static const struct hub_frames_kind file_kind = {file_next, NULL, file_close};

enum hub_status hub_frames_open_file(struct hub_frames *f, const char *path)
{
    struct file *x = calloc(1, sizeof *x);
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    f->kind = &file_kind;
    f->own = x;
    if (!x || fd < 0 || fstat(fd, &st) != 0) {
        int cause = errno;
        if (fd >= 0)
            close(fd);
        return hub_frames_explain(f, HUB_IO, "%s: %s", path, strerror(cause));
    }
    void *at =
        st.st_size > 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    close(fd);
    if (at == MAP_FAILED)
        return hub_frames_explain(f, HUB_IO, "%s: %s", path, strerror(errno));
    x->bytes = at;
    x->len = (size_t)st.st_size;
    f->info.bytes = x->len;
    hub_hash_init(&x->hasher);
    return read_head(f, path);
}
