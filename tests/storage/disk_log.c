/* disk_log.c: see disk_log.h. The functions carry their C library names by asm labels, because the headers
 * declare them with attributes and wrappers of their own. The real work is done by raw system calls. */
#include "tests/storage/disk_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FDS_MAX = 1024, PATH_BYTES = 4096, NODES_MAX = 16 };

static struct disk_log *recording;
static char root[PATH_BYTES];
static size_t root_len;
static struct {
    uint32_t file;
    bool known, synced, courtesy;
    uint8_t owner;
} fds[FDS_MAX];
static struct { /* living names */
    uint32_t dir, file;
    char name[DISK_NAME_BYTES];
} entry[DISK_FILES_MAX];
static uint32_t entries;
static struct disk_fault fault;
static bool fault_armed, fault_hit;
static uint64_t calls[NODES_MAX];

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "disk log: %s\n", what);
    abort();
}

/* ---- the log */

static struct disk_op *add(enum disk_op_kind kind, uint8_t owner)
{
    struct disk_log *l = recording;
    if (l->ops == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 4096;
        l->op = realloc(l->op, l->cap * sizeof *l->op);
        must(l->op != NULL, "no memory");
    }
    struct disk_op *op = &l->op[l->ops++];
    memset(op, 0, sizeof *op);
    op->kind = kind;
    op->owner = owner;
    return op;
}

void disk_log_start(struct disk_log *log, const char *dir)
{
    memset(log, 0, sizeof *log);
    memset(fds, 0, sizeof fds);
    memset(calls, 0, sizeof calls);
    entries = 0;
    root_len = strlen(dir);
    must(root_len < sizeof root, "path too long");
    memcpy(root, dir, root_len + 1);
    log->files = 1;
    log->is_dir[DISK_ROOT] = true;
    recording = log;
}

void disk_log_stop(void)
{
    recording = NULL;
    fault_armed = false;
}

void disk_log_free(struct disk_log *log)
{
    for (size_t i = 0; i < log->ops; i++)
        free(log->op[i].data);
    free(log->op);
    memset(log, 0, sizeof *log);
}

void disk_log_mark(uint8_t owner, const struct disk_mark *mark)
{
    if (recording)
        add(DISK_MARK, owner)->mark = *mark;
}

void disk_fault_set(const struct disk_fault *f)
{
    fault_armed = f != NULL;
    fault_hit = false;
    if (f)
        fault = *f;
}

bool disk_fault_struck(void)
{
    return fault_hit;
}

uint8_t disk_fault_owner(void)
{
    return fault.owner;
}

uint64_t disk_calls(uint8_t owner)
{
    return calls[owner];
}

/* Counts a call; true: it is to fail. */
static bool fails(uint8_t owner)
{
    const uint64_t now = ++calls[owner];
    if (!fault_armed || owner != fault.owner || now < fault.k || (now > fault.k && !fault.stays))
        return false;
    fault_hit = true;
    errno = fault.error;
    return true;
}

/* ---- names */

static uint32_t find(uint32_t dir, const char *name)
{
    for (uint32_t i = 0; i < entries; i++)
        if (entry[i].dir == dir && strcmp(entry[i].name, name) == 0)
            return i;
    return UINT32_MAX;
}

struct place { /* of a path under the root */
    uint32_t dir, at;
    uint8_t owner;
    char name[DISK_NAME_BYTES];
};

/* False: not recorded. A path whose folders are not known here is a defect of the harness. */
static bool resolve(struct place *out, const char *path)
{
    if (!recording || strncmp(path, root, root_len) != 0 ||
        (path[root_len] && path[root_len] != '/'))
        return false;
    out->dir = DISK_ROOT;
    out->at = UINT32_MAX;
    out->name[0] = 0;
    out->owner = 0;
    for (const char *p = path + root_len; *p;) {
        while (*p == '/')
            p++;
        size_t len = strcspn(p, "/");
        if (!len)
            break;
        must(len < DISK_NAME_BYTES, path);
        if (len == 2 && !memcmp(p, "..", 2)) { /* the node looks no further up than the root */
            must(out->dir == DISK_ROOT && !p[2], path);
            out->name[0] = 0;
            break;
        }
        if (out->name[0]) {
            must(out->at != UINT32_MAX, path);
            out->dir = entry[out->at].file;
        } else {
            out->owner = (uint8_t)(*p - '0');
        }
        memcpy(out->name, p, len);
        out->name[len] = 0;
        out->at = find(out->dir, out->name);
        p += len;
    }
    must(out->owner < NODES_MAX, path);
    return true;
}

static uint32_t enter(const struct place *p, bool is_dir)
{
    struct disk_op *op = add(DISK_ENTER, p->owner);
    must(recording->files < DISK_FILES_MAX && entries < DISK_FILES_MAX, "too many files");
    op->dir = entry[entries].dir = p->dir;
    op->file = entry[entries].file = recording->files++;
    recording->is_dir[op->file] = is_dir;
    memcpy(op->name, p->name, sizeof op->name);
    memcpy(entry[entries++].name, p->name, sizeof op->name);
    return op->file;
}

/* ---- the C library's names */
int rec_open(const char *path, int flags, ...) __asm__("open");
int rec_open_2(const char *path, int flags) __asm__("__open_2");
int rec_close(int fd) __asm__("close");
int rec_mkdir(const char *path, mode_t mode) __asm__("mkdir");
int rec_rename(const char *from, const char *to) __asm__("rename");
int rec_unlink(const char *path) __asm__("unlink");
ssize_t rec_write(int fd, const void *data, size_t len) __asm__("write");
ssize_t rec_pwrite(int fd, const void *data, size_t len, off_t at) __asm__("pwrite");
ssize_t rec_writev(int fd, const struct iovec *v, int count) __asm__("writev");
int rec_ftruncate(int fd, off_t len) __asm__("ftruncate");
int rec_fsync(int fd) __asm__("fsync");
int rec_fdatasync(int fd) __asm__("fdatasync");
int rec_posix_fallocate(int fd, off_t at, off_t len) __asm__("posix_fallocate");

static int open_real(const char *path, int flags, mode_t mode)
{
    struct place p;
    if (!resolve(&p, path))
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    const bool is_new = p.name[0] && p.at == UINT32_MAX;
    if (is_new && (flags & O_CREAT) && fails(p.owner))
        return -1;
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd < 0)
        return fd;
    must(fd < FDS_MAX, "descriptor");
    fds[fd].known = true;
    fds[fd].owner = p.owner;
    fds[fd].synced = (flags & O_DSYNC) != 0;
    fds[fd].courtesy = strcmp(p.name, "lock") == 0;
    fds[fd].file = !p.name[0] ? (uint32_t)DISK_ROOT : is_new ? enter(&p, false) : entry[p.at].file;
    return fd;
}

int rec_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_real(path, flags, mode);
}

int rec_open_2(const char *path, int flags)
{
    return open_real(path, flags, 0);
}

int rec_close(int fd)
{
    if (fd >= 0 && fd < FDS_MAX)
        fds[fd].known = false;
    return (int)syscall(SYS_close, fd);
}

int rec_mkdir(const char *path, mode_t mode)
{
    struct place p;
    const bool ours = resolve(&p, path);
    if (ours && fails(p.owner))
        return -1;
    const int code = (int)syscall(SYS_mkdir, path, mode);
    if (code == 0 && ours)
        enter(&p, true);
    return code;
}

int rec_rename(const char *from, const char *to)
{
    struct place a, b;
    const bool ours = resolve(&a, from) && resolve(&b, to);
    if (ours && fails(a.owner))
        return -1;
    const int code = (int)syscall(SYS_rename, from, to);
    if (code || !ours)
        return code;
    must(a.dir == b.dir && a.at != UINT32_MAX, "a rename across directories");
    struct disk_op *op = add(DISK_RENAME, a.owner);
    op->dir = a.dir;
    memcpy(op->name, a.name, sizeof op->name);
    memcpy(op->to, b.name, sizeof op->to);
    if (b.at != UINT32_MAX)
        entry[b.at].name[0] = 0; /* replaced; found by no path any more */
    memcpy(entry[a.at].name, b.name, sizeof b.name);
    return 0;
}

int rec_unlink(const char *path)
{
    struct place p;
    const bool ours = resolve(&p, path);
    const int code = (int)syscall(SYS_unlink, path);
    if (code || !ours)
        return code;
    must(p.at != UINT32_MAX, path);
    struct disk_op *op = add(DISK_REMOVE, p.owner);
    op->dir = p.dir;
    memcpy(op->name, p.name, sizeof op->name);
    entry[p.at] = entry[--entries];
    return 0;
}

static bool fd_fails(int fd)
{
    return !fds[fd].courtesy && fails(fds[fd].owner);
}

static bool known(int fd)
{
    return recording && fd >= 0 && fd < FDS_MAX && fds[fd].known;
}

static void log_write(int fd, const void *data, size_t len, off_t at, bool synced)
{
    struct disk_op *op = add(DISK_WRITE, fds[fd].owner);
    op->file = fds[fd].file;
    op->synced = synced;
    op->at = (uint64_t)at;
    op->len = (uint32_t)len;
    op->data = malloc(len ? len : 1);
    must(op->data != NULL, "no memory");
    memcpy(op->data, data, len);
}

ssize_t rec_pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (!known(fd))
        return syscall(SYS_pwrite64, fd, data, len, at);
    const bool bad = fd_fails(fd);
    const int error = errno;
    const ssize_t n = syscall(SYS_pwrite64, fd, data, bad ? len / 2 : len, at);
    if (n > 0)
        log_write(fd, data, (size_t)n, at, fds[fd].synced && !bad);
    errno = bad ? error : errno;
    return bad ? -1 : n;
}

ssize_t rec_write(int fd, const void *data, size_t len)
{
    if (!known(fd))
        return syscall(SYS_write, fd, data, len);
    const off_t at = (off_t)syscall(SYS_lseek, fd, (off_t)0, SEEK_CUR);
    const ssize_t n = rec_pwrite(fd, data, len, at);
    if (n > 0)
        syscall(SYS_lseek, fd, at + n, SEEK_SET);
    return n;
}

ssize_t rec_writev(int fd, const struct iovec *v, int count)
{
    if (!known(fd))
        return syscall(SYS_writev, fd, v, count);
    ssize_t sum = 0;
    for (int i = 0; i < count; i++) {
        const ssize_t n = rec_write(fd, v[i].iov_base, v[i].iov_len);
        if (n < 0)
            return sum ? sum : n;
        sum += n;
    }
    return sum;
}

int rec_ftruncate(int fd, off_t len)
{
    if (known(fd) && fd_fails(fd))
        return -1;
    const int code = (int)syscall(SYS_ftruncate, fd, len);
    if (code == 0 && known(fd)) {
        struct disk_op *op = add(DISK_TRUNCATE, fds[fd].owner);
        op->file = fds[fd].file;
        op->at = (uint64_t)len;
    }
    return code;
}

static int sync_real(int fd, long number)
{
    if (!known(fd))
        return (int)syscall(number, fd);
    if (fd_fails(fd))
        return -1;
    add(DISK_SYNC, fds[fd].owner)->file = fds[fd].file; /* tmpfs has nothing to sync */
    return 0;
}

int rec_fsync(int fd)
{
    return sync_real(fd, SYS_fsync);
}

int rec_fdatasync(int fd)
{
    return sync_real(fd, SYS_fdatasync);
}

int rec_posix_fallocate(int fd, off_t at, off_t len)
{
    (void)fd, (void)at, (void)len;
    return 0;
}
