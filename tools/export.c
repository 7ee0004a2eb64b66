/* export.c: `hubledger export`: the whole history in one file that an auditor can check anywhere. */
#include "tools/cli.h"
#include "tools/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct options {
    uint64_t to;
    bool stopped;
};

enum { OPT_TO = 1, OPT_STOPPED };
static const struct argp_option export_options[] = {
    {"to", OPT_TO, "HEIGHT", 0, "last height (default: the last final block)", 0},
    {"stopped", OPT_STOPPED, NULL, 0, "the node does not run: leave its lock file alone", 0},
    {0},
};

static error_t parse_export(int key, char *arg, void *own)
{
    struct options *o = own;
    switch (key) {
    case OPT_TO:
        return hub_parse_uint(&o->to, arg, HUB_UINT_MAX) && o->to ? 0 : EINVAL;
    case OPT_STOPPED:
        return o->stopped = true, 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* An existing file is never replaced. */
static FILE *open_output(const struct hub_cli *cli)
{
    if (strcmp(cli->output, "-") == 0)
        return stdout;
    const int fd = open(cli->output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        hub_cli_fail(cli, 0,
                     HUB_T(cli, "cannot write %s: %s; name a new file with -o",
                           "无法写入 %s：%s；请用 -o 指定新文件"),
                     cli->output, strerror(errno));
    return file;
}

static bool same_chain(struct hub_cli *cli, struct hub_span genesis)
{
    struct hub_hash chain;
    if (!cli->genesis_path)
        return true;
    if (!hub_cli_genesis(cli))
        return false;
    hub_hash_tagged(&chain, "hubledger/genesis/1", genesis);
    if (hub_hash_equal(&chain, &cli->genesis->chain))
        return true;
    hub_cli_fail(
        cli, 0,
        HUB_T(cli,
              "the directory belongs to another network than %s: name the directory of its node",
              "该目录与 %s 不属于同一网络：请指定该网络节点的数据目录"),
        cli->genesis_path);
    return false;
}

static int write_export(struct hub_cli *cli, struct hub_frames *in, uint64_t to)
{
    char why[HUB_FRAMES_WHY_BYTES] = "";
    uint64_t frames;
    FILE *out = same_chain(cli, hub_frames_info(in)->genesis) ? open_output(cli) : NULL;
    if (!out)
        return HUB_EXIT_UNREACHABLE;
    enum hub_status status = hub_export_write(out, in, to, &frames, why, NULL, NULL);
    if (out != stdout) {
        if (status == HUB_OK && fsync(fileno(out)) != 0)
            status = HUB_IO;
        if (fclose(out) != 0)
            status = HUB_IO;
        if (status)
            unlink(cli->output); /* half an export is none */
    }
    if (status)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s", why[0] ? why : strerror(errno));
    if (out == stdout)
        return HUB_EXIT_OK;
    hub_cli_say(cli, HUB_T(cli, "%s: %llu blocks", "%s：%llu 个区块"), cli->output,
                (unsigned long long)frames);
    if (cli->json) {
        char number[24];
        snprintf(number, sizeof number, "%llu", (unsigned long long)frames);
        json_t *answer = json_pack("{s:s, s:s}", "file", cli->output, "blocks", number);
        hub_cli_json(answer);
        json_decref(answer);
    }
    return HUB_EXIT_OK;
}

static int run_export(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    char why[HUB_FRAMES_WHY_BYTES] = "";
    struct hub_frames *in;
    (void)argc;
    if (!cli->output)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "an export goes into a file: name it with -o",
                                  "导出需要目标文件：请用 -o 指定"));
    if (hub_frames_open(&in, why, argv[0], o->stopped) != HUB_OK)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s", why);
    const int code = write_export(cli, in, o->to);
    hub_frames_close(in);
    return code;
}

const struct hub_command hub_export_commands[] = {
    {.noun = "export",
     .verb = "",
     .args = "DIRECTORY",
     .en = "the whole history of a data directory in one file, for an audit elsewhere",
     .zh = "将数据目录中的全部历史导出为一个文件，供异地审计",
     .examples = "  hubledger export /var/lib/hubledger -o ledger.hub\n  hubledger export data "
                 "--to 1000 -o first.hub\n"
                 "  hubledger-verify --genesis genesis.cbor ledger.hub",
     .options = export_options,
     .parse = parse_export,
     .own_bytes = sizeof(struct options),
     .args_min = 1,
     .args_max = 1,
     .run = run_export},
    {0},
};
