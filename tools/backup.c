/* backup.c: `hubledger backup` and `restore`. A backup is a data directory without keys and votes that carries a
 * mark: a node started from it follows and serves, and does not vote (docs/operations.md, lost or rolled-back disk). */
#include "tools/cli.h"

#include "node/checkpoint.h"
#include "tools/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
    bool stopped, verify;
};
enum { OPT_STOPPED = 1, OPT_VERIFY, JOBS_MAX = 64, FINDINGS_MAX = 20 };
static const struct argp_option backup_options[] = {
    {"stopped", OPT_STOPPED, NULL, 0, "the node does not run: leave its lock file alone", 0},
    {0},
};
static const struct argp_option restore_options[] = {
    {"verify", OPT_VERIFY, NULL, 0, "only check that the backup is whole, from the genesis file on",
     0},
    {0},
};

static error_t parse(int key, char *arg, void *own)
{
    struct options *o = own;
    (void)arg;
    switch (key) {
    case OPT_STOPPED:
        return o->stopped = true, 0;
    case OPT_VERIFY:
        return o->verify = true, 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The directory is made here: nothing is ever written into one that exists. */
static bool make_folder(const struct hub_cli *cli)
{
    if (mkdir(cli->output, 0750) == 0)
        return true;
    hub_cli_fail(cli, 0,
                 HUB_T(cli, "cannot make the folder %s: %s; name a new one with -o",
                       "无法创建目录 %s：%s；请用 -o 指定新目录"),
                 cli->output, strerror(errno));
    return false;
}

static int copy(struct hub_cli *cli, const char *path, bool stopped)
{
    char why[HUB_WHY_BYTES] = "";
    struct hub_store *from = NULL, *to = NULL;
    struct hub_span genesis = {NULL, 0};
    struct hub_genesis g;
    const char *bad = "";
    uint64_t height = 0;
    enum hub_status status = hub_store_open_read(&from, why, path, stopped, &genesis);
    if (status == HUB_OK && (status = hub_genesis_decode(&g, &bad, genesis)))
        snprintf(why, sizeof why, "%s: %s", path, bad);
    if (status == HUB_OK && !make_folder(cli)) {
        hub_store_close(from);
        return HUB_EXIT_UNREACHABLE;
    }
    if (status == HUB_OK)
        status = hub_store_open(&to, why, cli->output, &g, HUB_STORE_MAP_BYTES);
    if (status == HUB_OK)
        status = hub_store_copy(to, from, &height, why);
    hub_store_close(to);
    hub_store_close(from);
    if (status)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s", why);
    hub_cli_say(cli,
                HUB_T(cli,
                      "%s: whole up to height %llu; it holds no keys and no votes, and a node "
                      "started from it does not vote",
                      "%s：完整至高度 %llu；不含密钥与投票记录，由其启动的节点不投票"),
                cli->output, (unsigned long long)height);
    if (cli->json) {
        char number[24];
        snprintf(number, sizeof number, "%llu", (unsigned long long)height);
        json_t *answer = json_pack("{s:s, s:s}", "directory", cli->output, "height", number);
        hub_cli_json(answer);
        json_decref(answer);
    }
    return HUB_EXIT_OK;
}

/* ---- checking: the same audit as hubledger-verify */

static int audit_frames(struct hub_cli *cli, struct hub_frames *frames, struct hub_chain *chain,
                        const char *path)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct hub_audit a = {.frames = frames,
                          .genesis = cli->genesis,
                          .chain = chain,
                          .jobs = cores < 1          ? 1
                                  : cores > JOBS_MAX ? JOBS_MAX
                                                     : (unsigned)cores,
                          .findings_max = FINDINGS_MAX};
    if (hub_audit_run(&a) != HUB_OK)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE,
                            HUB_T(cli, "not enough memory or threads", "内存或线程不足"));
    if (!cli->quiet && !cli->json)
        hub_audit_print(stdout, &a, path, 0, cli->zh);
    const int code = a.verdict == HUB_AUDIT_VERIFIED ? HUB_EXIT_OK : HUB_EXIT_UNVERIFIED;
    hub_audit_free(&a);
    return code;
}

static int check(struct hub_cli *cli, const char *path)
{
    char why[HUB_FRAMES_WHY_BYTES] = "";
    struct hub_chain_memory memory = {0};
    struct hub_frames *frames = NULL;
    struct hub_chain *chain = calloc(1, sizeof *chain);
    int code = HUB_EXIT_UNREACHABLE;
    if (!hub_cli_genesis(cli))
        code = HUB_EXIT_USAGE;
    else if (!chain || hub_chain_memory_map(&memory, NULL) != HUB_OK ||
             hub_chain_init(chain, cli->genesis, memory.state, NULL, memory.slots) != HUB_OK)
        hub_cli_fail(cli, 0, HUB_T(cli, "not enough address space", "地址空间不足"));
    else if (hub_frames_open(&frames, why, path, true) != HUB_OK)
        hub_cli_fail(cli, 0, "%s", why);
    else
        code = audit_frames(cli, frames, chain, path);
    hub_frames_close(frames);
    hub_chain_memory_unmap(&memory);
    free(chain);
    return code;
}

static int run_backup(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    (void)argc;
    if (!cli->output)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "a backup goes into a new folder: name it with -o",
                                  "备份需要新目录：请用 -o 指定"));
    return copy(cli, argv[0], o->stopped);
}

static int run_restore(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    (void)argc;
    if (!o->verify && !cli->output)
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "name the new data directory with -o, or only check with --verify",
                  "请用 -o 指定新数据目录，或用 --verify 仅作检查"));
    const int code = check(cli, argv[0]);
    return code || o->verify ? code : copy(cli, argv[0], true);
}

const struct hub_command hub_backup_commands[] = {
    {.noun = "backup",
     .verb = "",
     .args = "DIRECTORY",
     .en = "copy a node's ledger, beside the running node, without keys and votes",
     .zh = "备份节点账本（节点可在运行中），不含密钥与投票记录",
     .examples = "  hubledger backup /var/lib/hubledger -o /backup/2026-11-22\n  hubledger backup "
                 "data --stopped -o copy\n"
                 "  hubledger restore --verify --genesis genesis.cbor /backup/2026-11-22",
     .options = backup_options,
     .parse = parse,
     .own_bytes = sizeof(struct options),
     .args_min = 1,
     .args_max = 1,
     .run = run_backup},
    {.noun = "restore",
     .verb = "",
     .args = "BACKUP",
     .en = "check a backup from the genesis file on, and make a data directory of it",
     .zh = "自创世文件起核验备份，并由其生成数据目录",
     .examples = "  hubledger restore --verify --genesis genesis.cbor /backup/2026-11-22\n"
                 "  hubledger restore --genesis genesis.cbor /backup/2026-11-22 -o data\n"
                 "  hubledger restore --verify --genesis genesis.cbor copy --json",
     .options = restore_options,
     .parse = parse,
     .own_bytes = sizeof(struct options),
     .args_min = 1,
     .args_max = 1,
     .run = run_restore},
    {0},
};
