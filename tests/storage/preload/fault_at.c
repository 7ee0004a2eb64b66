/* fault_at.c: preloaded into a real node (LD_PRELOAD): the k-th call with which it writes, syncs, makes or renames
 * something under one directory ends the process or fails. From the environment:
 *   FAULT_DIR   the directory    FAULT_AT  k, from 1
 *   FAULT_KIND  before | after: SIGKILL before the call or after it; EIO: this call fails; ENOSPC: it and all later
 * The process id in DIR/lock is a courtesy to people: its calls do not count.
 *   FAULT_FREE  a file with the percentage that statvfs says is free, of a volume of 4 GiB; read at each call */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FDS_MAX = 4096 };

static atomic_bool tracked[FDS_MAX];
static atomic_ulong calls;

/* Not at load time: the first call may come before any constructor of ours. */
static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static bool inside(const char *path)
{
    const char *dir = setting("FAULT_DIR");
    const size_t len = strlen(dir), whole = strlen(path);
    const bool courtesy = whole > 5 && strcmp(path + whole - 5, "/lock") == 0;
    return len && strncmp(path, dir, len) == 0 && !courtesy;
}

static void die(void)
{
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;)
        pause();
}

/* Counts a call. True: it is to fail, and errno says how. *after: the process ends once it is done. */
static bool fails(bool *after)
{
    const unsigned long at = strtoul(setting("FAULT_AT"), NULL, 10), now = ++calls;
    const char *kind = setting("FAULT_KIND");
    const bool full = strcmp(kind, "ENOSPC") == 0;
    *after = false;
    if (!at || now < at || (now > at && !full))
        return false;
    if (strcmp(kind, "before") == 0)
        die();
    *after = strcmp(kind, "after") == 0;
    errno = full ? ENOSPC : EIO;
    return !*after;
}

static long done(long code, bool after)
{
    if (after)
        die();
    return code;
}

static bool mine(int fd)
{
    return fd >= 0 && fd < FDS_MAX && tracked[fd];
}

static int open_any(const char *path, int flags, mode_t mode)
{
    const bool ours = inside(path);
    bool after = false;
    if (ours && (flags & O_CREAT) && fails(&after))
        return -1;
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && fd < FDS_MAX)
        tracked[fd] = ours;
    return (int)done(fd, after);
}

int fault_open(const char *path, int flags, ...) __asm__("open");
int fault_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_any(path, flags, mode);
}

int fault_open_2(const char *path, int flags) __asm__("__open_2");
int fault_open_2(const char *path, int flags)
{
    return open_any(path, flags, 0);
}

int fault_close(int fd) __asm__("close");
int fault_close(int fd)
{
    if (fd >= 0 && fd < FDS_MAX)
        tracked[fd] = false;
    return (int)syscall(SYS_close, fd);
}

#define FAULTY(type, ours, failed, call)                                                           \
    bool after = false;                                                                            \
    if ((ours) && fails(&after))                                                                   \
        return failed;                                                                             \
    return (type)done(call, after)

int fault_mkdir(const char *path, mode_t mode) __asm__("mkdir");
int fault_mkdir(const char *path, mode_t mode)
{
    FAULTY(int, inside(path), -1, syscall(SYS_mkdir, path, mode));
}

int fault_rename(const char *from, const char *to) __asm__("rename");
int fault_rename(const char *from, const char *to)
{
    FAULTY(int, inside(from), -1, syscall(SYS_rename, from, to));
}

int fault_unlink(const char *path) __asm__("unlink");
int fault_unlink(const char *path)
{
    FAULTY(int, inside(path), -1, syscall(SYS_unlink, path));
}

ssize_t fault_pwrite(int fd, const void *data, size_t len, off_t at) __asm__("pwrite");
ssize_t fault_pwrite(int fd, const void *data, size_t len, off_t at)
{
    FAULTY(ssize_t, mine(fd), -1, syscall(SYS_pwrite64, fd, data, len, at));
}

ssize_t fault_write(int fd, const void *data, size_t len) __asm__("write");
ssize_t fault_write(int fd, const void *data, size_t len)
{
    FAULTY(ssize_t, mine(fd), -1, syscall(SYS_write, fd, data, len));
}

ssize_t fault_writev(int fd, const struct iovec *v, int count) __asm__("writev");
ssize_t fault_writev(int fd, const struct iovec *v, int count)
{
    FAULTY(ssize_t, mine(fd), -1, syscall(SYS_writev, fd, v, count));
}

int fault_ftruncate(int fd, off_t len) __asm__("ftruncate");
int fault_ftruncate(int fd, off_t len)
{
    FAULTY(int, mine(fd), -1, syscall(SYS_ftruncate, fd, len));
}

int fault_fsync(int fd) __asm__("fsync");
int fault_fsync(int fd)
{
    FAULTY(int, mine(fd), -1, syscall(SYS_fsync, fd));
}

int fault_fdatasync(int fd) __asm__("fdatasync");
int fault_fdatasync(int fd)
{
    FAULTY(int, mine(fd), -1, syscall(SYS_fdatasync, fd));
}

int fault_posix_fallocate(int fd, off_t at, off_t len) __asm__("posix_fallocate");
int fault_posix_fallocate(int fd, off_t at, off_t len)
{
    FAULTY(int, mine(fd), errno, syscall(SYS_fallocate, fd, 0, at, len) == 0 ? 0 : errno);
}

int fault_statvfs(const char *path, struct statvfs *out) __asm__("statvfs");
int fault_statvfs(const char *path, struct statvfs *out)
{
    struct statfs fs;
    unsigned percent = 100;
    FILE *f = *setting("FAULT_FREE") ? fopen(setting("FAULT_FREE"), "r") : NULL;
    if (syscall(SYS_statfs, path, &fs) != 0)
        return -1;
    memset(out, 0, sizeof *out);
    out->f_bsize = out->f_frsize = (unsigned long)fs.f_bsize;
    out->f_blocks = (fsblkcnt_t)fs.f_blocks;
    out->f_bfree = (fsblkcnt_t)fs.f_bfree;
    out->f_bavail = (fsblkcnt_t)fs.f_bavail;
    if (!f)
        return 0;
    if (fscanf(f, "%u", &percent) != 1)
        percent = 100;
    fclose(f);
    out->f_bsize = out->f_frsize = 4096;
    out->f_blocks = 1 << 20;
    out->f_bavail = out->f_bfree = (fsblkcnt_t)(1 << 20) / 100 * percent;
    return 0;
}
