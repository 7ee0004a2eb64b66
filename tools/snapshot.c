/* snapshot.c: `hubledger snapshot make` and `load`: a new node joins with the state of one final block instead of the
 * whole history, which it then does not have. */
#include "tools/cli.h"

#include "node/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
    bool stopped, verify;
};
enum { OPT_STOPPED = 1, OPT_VERIFY };
static const struct argp_option make_options[] = {
    {"stopped", OPT_STOPPED, NULL, 0, "the node does not run: leave its lock file alone", 0},
    {0},
};
static const struct argp_option load_options[] = {
    {"verify", OPT_VERIFY, NULL, 0, "only check it, from the genesis file on", 0},
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

struct memory { /* of one chain */
    struct hub_chain *chain;
    struct hub_chain_memory m;
};

static bool reserve(const struct hub_cli *cli, struct memory *out)
{
    memset(out, 0, sizeof *out);
    out->chain = calloc(1, sizeof *out->chain);
    if (out->chain && hub_chain_memory_map(&out->m, NULL) == HUB_OK)
        return true;
    free(out->chain);
    hub_cli_fail(cli, 0, HUB_T(cli, "not enough address space", "地址空间不足"));
    return false;
}

static void release(struct memory *m)
{
    hub_chain_memory_unmap(&m->m);
    free(m->chain);
}

static void tell(const struct hub_cli *cli, const struct hub_snapshot_facts *f, const char *path)
{
    char time[64], hash[65], root[65], height[24], from[24];
    hub_format_time(time, f->time_ms, cli->zh);
    hub_format_hex(hash, f->block.b, 32);
    hub_format_hex(root, f->state_root.b, 32);
    hub_cli_say(
        cli,
        HUB_T(cli,
              "%s: state of height %llu, %s, %llu rows\nblock       %s\nstate root  %s\na node "
              "that joins by it has history from height %llu on",
              "%s：高度 %llu 的状态，%s，%llu 行\n区块    %s\n状态根  %s\n由其加入的节点"
              "仅持有高度 %llu 起的历史"),
        path, (unsigned long long)f->height, time, (unsigned long long)f->rows, hash, root,
        (unsigned long long)f->height + 1);
    if (!cli->json)
        return;
    snprintf(height, sizeof height, "%llu", (unsigned long long)f->height);
    snprintf(from, sizeof from, "%llu", (unsigned long long)f->height + 1);
    json_t *answer = json_pack("{s:s, s:s, s:s, s:s, s:s}", "file", path, "height", height, "block",
                               hash, "state_root", root, "history_from", from);
    hub_cli_json(answer);
    json_decref(answer);
}

/* ---- make */

static int write_file(struct hub_cli *cli, struct hub_store *from, const struct hub_genesis *g)
{
    char why[HUB_WHY_BYTES] = "";
    struct memory m;
    struct hub_snapshot_facts facts;
    const int fd = open(cli->output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE,
                            HUB_T(cli, "cannot write %s: %s; name a new file with -o",
                                  "无法写入 %s：%s；请用 -o 指定新文件"),
                            cli->output, strerror(errno));
    enum hub_status status = HUB_IO;
    if (reserve(cli, &m)) {
        status = hub_snapshot_write(out, from, m.chain, &m.m, g, &facts, why);
        release(&m);
    }
    if (status == HUB_OK && fsync(fd) != 0)
        status = HUB_IO;
    if (fclose(out) != 0)
        status = HUB_IO;
    if (status) {
        unlink(cli->output); /* half a snapshot is none */
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s", why[0] ? why : strerror(errno));
    }
    tell(cli, &facts, cli->output);
    return HUB_EXIT_OK;
}

static int run_make(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    char why[HUB_WHY_BYTES] = "";
    struct hub_store *from;
    struct hub_span genesis = {NULL, 0};
    struct hub_genesis g;
    const char *bad = "";
    (void)argc;
    if (!cli->output)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "a snapshot goes into a file: name it with -o",
                                  "快照需要目标文件：请用 -o 指定"));
    if (hub_store_open_read(&from, why, argv[0], o->stopped, &genesis) != HUB_OK)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s", why);
    const int code = hub_genesis_decode(&g, &bad, genesis) == HUB_OK
                         ? write_file(cli, from, &g)
                         : hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s: %s", argv[0], bad);
    hub_store_close(from);
    return code;
}

/* ---- load */

static bool open_new(struct hub_cli *cli, struct hub_store **out)
{
    char why[HUB_WHY_BYTES] = "";
    if (mkdir(cli->output, 0750) != 0) {
        hub_cli_fail(cli, 0,
                     HUB_T(cli, "cannot make the folder %s: %s; name a new one with -o",
                           "无法创建目录 %s：%s；请用 -o 指定新目录"),
                     cli->output, strerror(errno));
        return false;
    }
    if (hub_store_open(out, why, cli->output, cli->genesis, HUB_STORE_MAP_BYTES) == HUB_OK)
        return true;
    hub_cli_fail(cli, 0, "%s", why);
    return false;
}

static int read_file(struct hub_cli *cli, FILE *in, struct hub_store *to, const char *path)
{
    char why[HUB_WHY_BYTES] = "";
    struct memory m;
    struct hub_snapshot_facts facts;
    if (!reserve(cli, &m))
        return HUB_EXIT_UNREACHABLE;
    const enum hub_status status =
        hub_snapshot_read(in, to, m.chain, &m.m, cli->genesis, &facts, why);
    release(&m);
    if (status)
        return hub_cli_fail(cli, status == HUB_IO ? HUB_EXIT_UNREACHABLE : HUB_EXIT_UNVERIFIED,
                            "%s: %s", path, why);
    tell(cli, &facts, path);
    return HUB_EXIT_OK;
}

/* Checked whole before the first byte goes into a directory. */
static int run_load(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    struct hub_store *to = NULL;
    (void)argc;
    if (!hub_cli_genesis(cli))
        return HUB_EXIT_USAGE;
    if (!o->verify && !cli->output)
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "name the new data directory with -o, or only check with --verify",
                  "请用 -o 指定新数据目录，或用 --verify 仅作检查"));
    FILE *in = fopen(argv[0], "rb");
    if (!in)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s: %s", argv[0], strerror(errno));
    const bool quiet = cli->quiet, json = cli->json;
    if (!o->verify)
        cli->quiet = true, cli->json = false; /* told once, at the end */
    int code = read_file(cli, in, NULL, argv[0]);
    cli->quiet = quiet, cli->json = json;
    if (code == HUB_EXIT_OK && !o->verify) {
        rewind(in);
        code = open_new(cli, &to) ? read_file(cli, in, to, argv[0]) : HUB_EXIT_UNREACHABLE;
        hub_store_close(to);
    }
    fclose(in);
    return code;
}

const struct hub_command hub_snapshot_commands[] = {
    {.noun = "snapshot",
     .verb = "make",
     .args = "DIRECTORY",
     .en = "the proven state of a node's last checkpoint in one file, beside the running node",
     .zh = "将节点最近检查点的可证明状态写入一个文件（节点可在运行中）",
     .examples = "  hubledger snapshot make /var/lib/hubledger -o state.snapshot\n  hubledger "
                 "snapshot make data --stopped -o state.snapshot\n"
                 "  hubledger snapshot load --verify --genesis genesis.cbor state.snapshot",
     .options = make_options,
     .parse = parse,
     .own_bytes = sizeof(struct options),
     .args_min = 1,
     .args_max = 1,
     .run = run_make},
    {.noun = "snapshot",
     .verb = "load",
     .args = "FILE",
     .en = "check a snapshot from the genesis file on, and make a data directory of it",
     .zh = "自创世文件起核验快照，并由其生成数据目录",
     .examples = "  hubledger snapshot load --verify --genesis genesis.cbor state.snapshot\n"
                 "  hubledger snapshot load --genesis genesis.cbor state.snapshot -o data\n"
                 "  hubledger snapshot load --genesis genesis.cbor state.snapshot -o data --json",
     .options = load_options,
     .parse = parse,
     .own_bytes = sizeof(struct options),
     .args_min = 1,
     .args_max = 1,
     .run = run_load},
    {0},
};
