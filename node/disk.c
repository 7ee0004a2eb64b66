#include "node/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };
#define SHORTER "; name a shorter one with `data`"

/* f_type of file systems whose locks or memory maps another machine can break (statfs(2)). */
static const struct {
    unsigned long type;
    const char *name;
} remote_systems[] = {{0x6969, "NFS"},      {0x517b, "SMB"},     {0xff534d42, "CIFS"},
                      {0xfe534d42, "SMB2"}, {0x5346414f, "AFS"}, {0x73757245, "Coda"},
                      {0x00c36400, "Ceph"}, {0x01161970, "GFS2"}};

__attribute__((format(printf, 3, 4))) static enum hub_status fail(char *why, size_t cap,
                                                                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, cap, format, args);
    va_end(args);
    return HUB_IO;
}

const char *hub_disk_remedy(int code)
{
    switch (code) {
    case EACCES:
    case EPERM:
        return "; it must belong to the user that the node runs as: chown it, or start as that "
               "user";
    case EROFS:
        return "; mount the volume for writing";
    case ENOSPC:
    case EDQUOT:
        return "; free space on this volume";
    case ENOENT:
        return "; make the folder above it, or name another with `data`";
    case ENOTDIR:
    case EISDIR:
        return "; something else stands in the place of a file or folder of the node: move it away";
    default:
        return "; check this disk";
    }
}

static bool path_of(char out[PATH_BYTES], const char *dir, const char *name, const char *suffix)
{
    int n = snprintf(out, PATH_BYTES, "%s/%s%s", dir, name, suffix);
    return n > 0 && n < PATH_BYTES;
}

enum hub_disk_level hub_disk_level_of(uint64_t free, uint64_t total)
{
    uint64_t percent = total / 100;
    if (free <= 2 * percent)
        return HUB_DISK_STOP;
    if (free <= 5 * percent)
        return HUB_DISK_NO_PROPOSALS;
    return free <= 10 * percent ? HUB_DISK_NO_RECORDS : HUB_DISK_OK;
}

enum hub_status hub_disk_level(const char *dir, enum hub_disk_level *out)
{
    struct statvfs fs;
    if (statvfs(dir, &fs) != 0)
        return HUB_IO;
    *out = hub_disk_level_of(fs.f_bavail, fs.f_blocks);
    return HUB_OK;
}

uint64_t hub_disk_spare(const char *dir)
{
    struct statvfs fs;
    if (statvfs(dir, &fs) != 0 || !fs.f_frsize)
        return 0;
    const uint64_t keep = fs.f_blocks / 100 * 10 + 1;
    return fs.f_bavail > keep ? (fs.f_bavail - keep) * fs.f_frsize : 0;
}

static enum hub_status refuse_remote(const char *dir, char *why, size_t cap)
{
    struct statfs fs;
    if (statfs(dir, &fs) != 0)
        return fail(why, cap, "store: %s: %s%s", dir, strerror(errno), hub_disk_remedy(errno));
    for (size_t i = 0; i < sizeof remote_systems / sizeof *remote_systems; i++)
        if (((unsigned long)fs.f_type & 0xffffffff) == remote_systems[i].type)
            return fail(
                why, cap,
                "store: %s lies on %s; a network file system breaks the database: use a local disk",
                dir, remote_systems[i].name);
    return HUB_OK;
}

static enum hub_status held(int fd, const char *dir, char *why, size_t cap)
{
    char pid[16] = "";
    ssize_t n = read(fd, pid, sizeof pid - 1);
    if (n > 0)
        pid[strcspn(pid, "\n")] = 0;
    fail(why, cap,
         "store: another node (process %s) runs on %s: stop it, or give this node a directory of "
         "its own",
         n > 0 ? pid : "unknown", dir);
    return HUB_NOT_NOW;
}

enum hub_status hub_disk_lock(const char *dir, int *fd, char *why, size_t cap)
{
    char path[PATH_BYTES];
    if (mkdir(dir, 0750) != 0 && errno != EEXIST)
        return fail(why, cap, "store: cannot make %s: %s%s", dir, strerror(errno),
                    hub_disk_remedy(errno));
    enum hub_status status = refuse_remote(dir, why, cap);
    if (status)
        return status;
    if (!path_of(path, dir, "lock", ""))
        return fail(why, cap, "store: the path of the directory is longer than %d bytes%s",
                    PATH_BYTES, SHORTER);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (lock < 0)
        return fail(why, cap, "store: cannot open %s: %s%s", path, strerror(errno),
                    hub_disk_remedy(errno));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        status = errno == EWOULDBLOCK ? held(lock, dir, why, cap)
                                      : fail(why, cap, "store: cannot lock %s: %s%s", path,
                                             strerror(errno), hub_disk_remedy(errno));
        close(lock);
        return status;
    }
    char pid[16];
    int n = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    if (ftruncate(lock, 0) != 0 ||
        pwrite(lock, pid, (size_t)n, 0) != n) /* only a courtesy to the reader of `held` */
        errno = 0;
    *fd = lock;
    return HUB_OK;
}

static bool sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    return close(fd) == 0 && ok;
}

/* Calls act on each file in path; directories do not occur in what we stage. */
static bool each_file(const char *path, bool (*act)(const char *file))
{
    DIR *d = opendir(path);
    if (!d)
        return false;
    bool ok = true;
    struct dirent *entry;
    while (ok && (entry = readdir(d))) {
        char file[PATH_BYTES];
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ok = path_of(file, path, entry->d_name, "") && act(file);
    }
    closedir(d);
    return ok;
}

static bool remove_file(const char *file)
{
    return unlink(file) == 0;
}

static bool sync_file(const char *file)
{
    return sync_path(file, O_RDONLY);
}

/* The name of dir itself. A folder above that may not be read was not written by us just now either. */
static bool sync_name_of(const char *dir)
{
    char above[PATH_BYTES];
    return path_of(above, dir, "..", "") &&
           (sync_path(above, O_RDONLY | O_DIRECTORY) || errno == EACCES);
}

enum hub_status hub_disk_stage(const char *dir, const char *name, char *why, size_t cap)
{
    char path[PATH_BYTES];
    if (!path_of(path, dir, name, ".new"))
        return fail(why, cap, "store: the path of the directory is longer than %d bytes%s",
                    PATH_BYTES, SHORTER);
    if (!sync_name_of(dir))
        return fail(why, cap, "store: cannot sync the folder above %s: %s%s", dir, strerror(errno),
                    hub_disk_remedy(errno));
    if (mkdir(path, 0750) == 0)
        return HUB_OK;
    if (errno != EEXIST || !each_file(path, remove_file))
        return fail(why, cap, "store: cannot make an empty %s: %s%s", path, strerror(errno),
                    hub_disk_remedy(errno));
    return HUB_OK;
}

enum hub_status hub_disk_publish(const char *dir, const char *name, char *why, size_t cap)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    if (!path_of(from, dir, name, ".new") || !path_of(to, dir, name, ""))
        return fail(why, cap, "store: the path of the directory is longer than %d bytes%s",
                    PATH_BYTES, SHORTER);
    if (!each_file(from, sync_file) || !sync_path(from, O_RDONLY | O_DIRECTORY) ||
        rename(from, to) != 0 || !sync_path(dir, O_RDONLY | O_DIRECTORY))
        return fail(why, cap, "store: cannot put %s in its place: %s%s", from, strerror(errno),
                    hub_disk_remedy(errno));
    return HUB_OK;
}

bool hub_disk_exists(const char *dir, const char *name)
{
    char path[PATH_BYTES];
    struct stat st;
    return path_of(path, dir, name, "") && stat(path, &st) == 0;
}

/* Not made yet, and with it the node goes on working: else a small volume would swing for ever between a reserve
 * that stops the node and its release, after which it starts. */
static bool reserve_wanted(const struct statvfs *fs, const char *path)
{
    struct stat st;
    const uint64_t unit = fs->f_frsize ? fs->f_frsize : 1, free = fs->f_bavail;
    const uint64_t need = HUB_DISK_RESERVE_BYTES / unit + 1;
    if (stat(path, &st) == 0 && st.st_size >= HUB_DISK_RESERVE_BYTES)
        return false; /* made already */
    return free > need && hub_disk_level_of(free - need, fs->f_blocks) == HUB_DISK_OK;
}

enum hub_status hub_disk_reserve(const char *dir)
{
    struct statvfs fs;
    char path[PATH_BYTES];
    if (statvfs(dir, &fs) != 0 || !path_of(path, dir, "reserve", ""))
        return HUB_IO;
    if (!reserve_wanted(&fs, path))
        return HUB_OK;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return errno == ENOSPC ? HUB_OK : HUB_IO;
    int code = posix_fallocate(fd, 0, HUB_DISK_RESERVE_BYTES);
    if (close(fd) != 0 || code == ENOSPC)
        hub_disk_release(dir);
    return code == 0 || code == ENOSPC || code == EOPNOTSUPP || code == EINVAL ? HUB_OK : HUB_IO;
}

void hub_disk_release(const char *dir)
{
    char path[PATH_BYTES];
    if (path_of(path, dir, "reserve", ""))
        unlink(path); /* already given back: nothing to do */
}
