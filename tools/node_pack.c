/* node_pack.c: a node moves to another machine: `node pack` puts its folder, key, journal and guard included, into
 * one file and takes the guard out of the folder, so that what stays behind follows and serves but never votes
 * again; `node unpack` makes the folder on the new machine. One key votes in one place (docs/hazards.md H12). */
#include "tools/node_folder.h"

#include "node/config.h"
#include "node/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { PATH_BYTES = HUB_NODE_PATH_BYTES };
static const char packed_suffix[] = ".packed";

/* Runs tar, which every Debian has; its messages go to standard error. */
static bool run_tar(const struct hub_cli *cli, const char *const *argv)
{
    pid_t pid;
    int status;
    const int failed =
        posix_spawnp(&pid, "tar", NULL, NULL, (char *const *)(const void *)argv, environ);
    if (failed) {
        hub_cli_fail(cli, 0, "tar: %s", strerror(failed));
        return false;
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    hub_cli_fail(cli, 0, HUB_T(cli, "tar failed", "tar 执行失败"));
    return false;
}

static bool sync_path(const struct hub_cli *cli, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok)
        hub_cli_fail(cli, 0, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool inside(const struct hub_cli *cli, const char *dir, const char *path)
{
    const size_t n = strlen(dir);
    if (!strncmp(path, dir, n) && path[n] == '/' && !strstr(path + n, "/../"))
        return true;
    hub_cli_fail(cli, 0,
                 HUB_T(cli,
                       "%s lies outside %s: move it into the folder and name it so in node.conf",
                       "%s 不在 %s 内：请移入该目录并在 node.conf 中改正"),
                 path, dir);
    return false;
}

static bool move_file(const struct hub_cli *cli, const char *from, const char *to, const char *dir)
{
    if (rename(from, to) == 0)
        return sync_path(cli, dir);
    hub_cli_fail(cli, 0, "%s: %s", from, strerror(errno));
    return false;
}

/* The folder without the lock and the reserve, the guard under its own name, into FILE.part; then FILE. */
static bool write_pack(const struct hub_cli *cli, const char *dir, const char *passphrase_file)
{
    char part[PATH_BYTES], without[PATH_BYTES + 16] = "--exclude=./data/lock";
    const size_t prefix = strlen(dir);
    const int n = snprintf(part, sizeof part, "%s.part", cli->output);
    if (n < 0 || (size_t)n >= sizeof part)
        return false;
    if (!strncmp(passphrase_file, dir, prefix) && passphrase_file[prefix] == '/')
        snprintf(without, sizeof without, "--exclude=.%s", passphrase_file + prefix);
    const char *const argv[] = {"tar",
                                "--create",
                                "--sparse",
                                "--exclude=./data/lock",
                                "--exclude=./data/reserve",
                                "--exclude=./data/snapshot",
                                without,
                                "--transform=s,\\.packed$,,",
                                "--force-local",
                                "--file",
                                part,
                                "--directory",
                                dir,
                                ".",
                                NULL};
    const mode_t old = umask(077); /* it holds the key file */
    const bool ok = run_tar(cli, argv) && sync_path(cli, part) && rename(part, cli->output) == 0;
    umask(old);
    if (!ok)
        unlink(part);
    return ok;
}

static int pack(const struct hub_cli *cli, const char *dir, const struct hub_config *config)
{
    char why[512], packed[PATH_BYTES + sizeof packed_suffix];
    struct stat there;
    int fd;
    if (!inside(cli, dir, config->genesis) || !inside(cli, dir, config->data) ||
        !inside(cli, dir, config->key) || !inside(cli, dir, config->guard))
        return HUB_EXIT_USAGE;
    snprintf(packed, sizeof packed, "%s%s", config->guard, packed_suffix);
    if (stat(cli->output, &there) == 0)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "%s exists; name a new file", "%s 已存在，请指定新文件"),
                            cli->output);
    if (hub_disk_lock(config->data, &fd, why, sizeof why) != HUB_OK)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE,
                            HUB_T(cli, "%s; stop the node first", "%s；请先停止节点"), why);
    if (stat(config->guard, &there) != 0 && stat(packed, &there) == 0) {
        close(fd);
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli,
                                  "%s is there: this folder was packed, or a pack was cut off. If "
                                  "there is no pack, move it back to %s",
                                  "%s 已存在：此目录已打包，或打包曾中断。若无打包文件，请移回 %s"),
                            packed, config->guard);
    }
    bool ok = move_file(cli, config->guard, packed, dir);
    if (ok && !(ok = write_pack(cli, dir, config->passphrase_file)))
        move_file(cli, packed, config->guard, dir); /* nothing was packed: it may vote on here */
    close(fd);
    if (!ok)
        return HUB_EXIT_UNREACHABLE;
    hub_cli_say(cli,
                HUB_T(cli,
                      "%s: the node's folder with its key; unpack it once, on one machine, then "
                      "destroy it. %s votes no more%s%s",
                      "%s：节点目录（含密钥）；请仅在一台机器上解包一次，然后销毁。%s "
                      "不再参与表决%s%s"),
                cli->output, dir,
                *config->passphrase_file ? HUB_T(cli, "; not in it: ", "；未包含：") : "",
                config->passphrase_file);
    return HUB_EXIT_OK;
}

int hub_node_run_pack(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    char path[PATH_BYTES], error[512] = "";
    const struct hub_node_options *o = own;
    struct hub_config *config = calloc(1, sizeof *config);
    int code = HUB_EXIT_USAGE;
    (void)argc, (void)argv;
    if (!cli->output)
        hub_cli_fail(cli, 0, HUB_T(cli, "name the file with -o FILE", "请用 -o 文件 指定输出文件"));
    else if (config && hub_node_path(cli, path, o, "node.conf"))
        code = hub_config_read(config, error, path)
                   ? pack(cli, o->dir, config)
                   : hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s", error);
    free(config);
    return code;
}

int hub_node_run_unpack(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    char path[PATH_BYTES], error[512] = "";
    const struct hub_node_options *o = own;
    struct hub_config *config = calloc(1, sizeof *config);
    int code = HUB_EXIT_UNREACHABLE;
    (void)argc;
    if (!config || !hub_node_path(cli, path, o, "node.conf")) {
        free(config);
        return HUB_EXIT_USAGE;
    }
    const char *const tar[] = {"tar",           "--extract", "--no-same-owner",
                               "--force-local", "--file",    argv[0],
                               "--directory",   o->dir,      NULL};
    if (mkdir(o->dir, 0700) != 0)
        hub_cli_fail(cli, 0,
                     HUB_T(cli, "cannot make the folder %s: %s; name a new one with --dir",
                           "无法创建目录 %s：%s；请用 --dir 指定新目录"),
                     o->dir, strerror(errno));
    else if (run_tar(cli, tar) && !hub_config_read(config, error, path))
        hub_cli_fail(cli, 0,
                     HUB_T(cli, "%s; this is no whole pack: copy it again, into a new folder",
                           "%s；文件不完整：请重新复制，并解包到新目录"),
                     error);
    else if (*config->key) {
        sync(); /* the pack may be destroyed now */
        hub_cli_say(cli,
                    HUB_T(cli,
                          "%s is this node's folder now%s%s; set listen and the peers' addresses "
                          "in %s, destroy the pack, then start: hubledgerd --config %s",
                          "%s 即为节点目录%s%s；请在 %s "
                          "中改好监听与对端地址，销毁打包文件，然后启动：hubledgerd --config %s"),
                    o->dir,
                    *config->passphrase_file
                        ? HUB_T(cli, "; bring its passphrase file: ", "；请另行放置口令文件：")
                        : "",
                    config->passphrase_file, path, path);
        code = HUB_EXIT_OK;
    }
    free(config);
    return code;
}
