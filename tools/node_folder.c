/* node_folder.c: the folder a node lives in: `node new` makes it with a key, `node join` puts a network's invite
 * into it, `node firewall` says who may reach it. `node pack` and `unpack` are in node_pack.c. */
#include "tools/node_folder.h"

#include "tools/network.h"

#include "node/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = HUB_NODE_PATH_BYTES, CONFIG_BYTES = 32768 };

enum { OPT_DIR = 1, OPT_LISTEN, OPT_API, OPT_LABEL, OPT_UNPROTECTED, OPT_FORMAT };
static const struct argp_option new_options[] = {
    {"dir", OPT_DIR, "DIR", 0, "the new folder", 0},
    {"listen", OPT_LISTEN, "HOST:PORT", 0, "where it listens for peers (default 0.0.0.0:7101)", 0},
    {"api", OPT_API, "HOST:PORT", 0, "where it serves HTTP (default 127.0.0.1:7105)", 0},
    {"label", OPT_LABEL, "TEXT", 0, "what people call the key (default: node)", 0},
    {"unprotected", OPT_UNPROTECTED, NULL, 0, "a key without passphrase: trial networks only", 0},
    {0},
};
static const struct argp_option dir_options[] = {
    {"dir", OPT_DIR, "DIR", 0, "the node's folder, made by `node new`", 0},
    {0},
};
static const struct argp_option firewall_options[] = {
    {"dir", OPT_DIR, "DIR", 0, "the node's folder, made by `node new`", 0},
    {"format", OPT_FORMAT, "nft", 0, "the only form there is", 0},
    {0},
};

static error_t parse(int key, char *arg, void *own)
{
    struct hub_node_options *o = own;
    switch (key) {
    case OPT_DIR:
        return o->dir = arg, 0;
    case OPT_LISTEN:
        return hub_address_ok(arg) ? (o->listen = arg, 0) : EINVAL;
    case OPT_API:
        return hub_address_ok(arg) ? (o->api = arg, 0) : EINVAL;
    case OPT_LABEL:
        return o->label = arg, 0;
    case OPT_UNPROTECTED:
        return o->unprotected = true, 0;
    case OPT_FORMAT:
        return strcmp(arg, "nft") ? EINVAL : 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

bool hub_node_path(const struct hub_cli *cli, char out[HUB_NODE_PATH_BYTES],
                   const struct hub_node_options *o, const char *file)
{
    if (!o->dir) {
        hub_cli_fail(cli, 0,
                     HUB_T(cli, "name the node's folder: --dir DIR", "请用 --dir 指定节点目录"));
        return false;
    }
    const int n = snprintf(out, PATH_BYTES, "%s/%s", o->dir, file);
    if (n > 0 && n < PATH_BYTES)
        return true;
    hub_cli_fail(cli, 0, HUB_T(cli, "%s: path too long", "%s：路径过长"), o->dir);
    return false;
}

static bool write_text(const struct hub_cli *cli, const char *path, const char *text, bool replace)
{
    return hub_cli_write_file(cli, path, hub_text_span(text), replace);
}

/* A passphrase file's path as the configuration wants it: absolute, since the folder may move. */
static bool passphrase_line(const struct hub_cli *cli, char out[PATH_BYTES + 32])
{
    char absolute[4096];
    *out = 0;
    if (!cli->passphrase_file)
        return true;
    if (!realpath(cli->passphrase_file, absolute) || strlen(absolute) >= PATH_BYTES) {
        hub_cli_fail(cli, 0, "%s: %s", cli->passphrase_file, strerror(errno));
        return false;
    }
    snprintf(out, PATH_BYTES + 32, "passphrase_file = \"%.*s\"\n", PATH_BYTES, absolute);
    return true;
}

static int run_new(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct hub_node_options *o = own;
    char key_path[PATH_BYTES], path[PATH_BYTES], passphrase[PATH_BYTES + 32], text[CONFIG_BYTES],
        kid[65];
    const char *why = "", *label = o->label ? o->label : "node";
    struct hub_keyfile shown;
    (void)argc, (void)argv;
    if (!hub_node_path(cli, key_path, o, "node.key") || !hub_node_path(cli, path, o, "node.conf"))
        return HUB_EXIT_USAGE;
    if (!cli->passphrase_file && !o->unprotected)
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "give --passphrase-file FILE, or, for a trial network only, --unprotected",
                  "请给出 --passphrase-file 文件；仅试验网络可用 --unprotected"));
    if (!passphrase_line(cli, passphrase))
        return HUB_EXIT_UNREACHABLE;
    if (mkdir(o->dir, 0700) != 0)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "cannot make the folder %s: %s; name a new one with --dir",
                                  "无法创建目录 %s：%s；请用 --dir 指定新目录"),
                            o->dir, strerror(errno));
    const enum hub_status made =
        o->unprotected ? hub_keyfile_create_unprotected(key_path, label, &why)
                       : hub_keyfile_create(key_path, label, cli->passphrase_file, &why);
    if (made != HUB_OK || hub_keyfile_show(&shown, key_path, &why) != HUB_OK)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s: %s", key_path, hub_cli_why(cli, why));
    if (!hub_cli_guard(cli, key_path, &shown.kid))
        return HUB_EXIT_UNREACHABLE;
    snprintf(text, sizeof text,
             "# docs/operations.md explains each line\ngenesis = \"genesis.cbor\"\n"
             "data = \"data\"\nkey = \"node.key\"\n%slisten = \"%s\"\napi = \"%s\"\n",
             passphrase, o->listen ? o->listen : "0.0.0.0:7101",
             o->api ? o->api : "127.0.0.1:7105");
    if (!write_text(cli, path, text, false))
        return HUB_EXIT_UNREACHABLE;
    hub_format_hex(kid, shown.kid.b, 32);
    if (cli->json)
        hub_cli_json(json_pack("{s:s, s:s}", "dir", o->dir, "kid", kid));
    hub_cli_say(
        cli,
        HUB_T(cli,
              "key id  %s\nnext: `member card --grant validator=%s ...`, and `node join "
              "INVITE --dir %s` once the network is sealed",
              "密钥标识  %s\n下一步：member card --grant validator=%s ...；网络封存后：node "
              "join 邀请文件 --dir %s"),
        kid, key_path, o->dir);
    return HUB_EXIT_OK;
}

/* The configuration without peers and endpoint: they are written anew from the invite. */
static bool config_without_peers(const struct hub_cli *cli, char out[CONFIG_BYTES],
                                 const char *path)
{
    struct hub_buf file = {0};
    size_t len = 0;
    if (!hub_cli_read_file(cli, &file, path, CONFIG_BYTES - 1))
        return false;
    const char *at = (const char *)file.data, *end = at + file.len;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        const size_t n = (size_t)((line_end ? line_end + 1 : end) - at);
        if ((n < 5 || memcmp(at, "peer ", 5) != 0) && (n < 9 || memcmp(at, "endpoint ", 9) != 0)) {
            memcpy(out + len, at, n);
            len += n;
        }
        at += n;
    }
    out[len] = 0;
    free(file.data);
    return true;
}

/* The member whose node key this is in the genesis file; empty: one that joins later. */
static const char *own_code(const struct hub_founding *f, const struct hub_hash *kid)
{
    const struct hub_validators *set = &f->genesis.set;
    for (unsigned i = 0; i < set->n; i++)
        if (hub_hash_equal(&set->v[i].kid, kid))
            return set->v[i].member;
    return "";
}

/* No signature covers the endpoints, and they become lines of the configuration: nothing but a code and an address
 * may stand in them. */
static bool endpoint_ok(struct hub_span code, struct hub_span at)
{
    char address[HUB_ENDPOINT_MAX + 1];
    for (size_t i = 0; i < code.len; i++)
        if (!strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", code.data[i]))
            return false;
    if (at.len > HUB_ENDPOINT_MAX)
        return false;
    memcpy(address, at.data, at.len);
    address[at.len] = 0;
    return hub_address_ok(address);
}

/* Who comes later begins with a snapshot, unless the operator has said otherwise: founders have nobody to ask. */
static bool append_join(char text[CONFIG_BYTES])
{
    static const char line[] =
        "join = \"snapshot\" # or \"history\": all blocks, to audit and back up\n";
    const size_t len = strlen(text);
    if (!strncmp(text, "join ", 5) || strstr(text, "\njoin "))
        return true;
    if (len + sizeof line > CONFIG_BYTES)
        return false;
    memcpy(text + len, line, sizeof line);
    return true;
}

static bool append_peers(const struct hub_cli *cli, char text[CONFIG_BYTES],
                         const struct hub_founding *f, const char *own, unsigned *peers)
{
    struct hub_cbor c = hub_cbor_open(f->endpoints);
    size_t len = strlen(text);
    *peers = 0;
    for (uint32_t n = hub_cbor_map(&c, 0, HUB_CARDS_MAX); n > 0; n--) {
        const struct hub_span code = hub_cbor_text(&c, 0, SIZE_MAX),
                              at = hub_cbor_text(&c, 0, SIZE_MAX);
        const bool mine = hub_span_equal(code, hub_text_span(own));
        if (!endpoint_ok(code, at)) {
            hub_cli_fail(cli, 0,
                         HUB_T(cli,
                               "the invite's endpoint of %.*s is no CODE and HOST:PORT: let its "
                               "sender make it anew (network invite --endpoint)",
                               "邀请文件中 %.*s 的地址不是 代码 与 主机:端口：请发送方重新生成"
                               "（network invite --endpoint）"),
                         (int)code.len, (const char *)code.data);
            return false;
        }
        const int k = mine ? snprintf(text + len, CONFIG_BYTES - len, "endpoint = \"%.*s\"\n",
                                      (int)at.len, (const char *)at.data)
                           : snprintf(text + len, CONFIG_BYTES - len,
                                      "peer %.*s { address = \"%.*s\" }\n", (int)code.len,
                                      (const char *)code.data, (int)at.len, (const char *)at.data);
        if (k < 0 || (size_t)k >= CONFIG_BYTES - len)
            return false;
        len += (size_t)k;
        *peers += !mine;
    }
    return true;
}

/* genesis.cbor and its signatures: written once, or the same as before. */
static bool keep_genesis(const struct hub_cli *cli, const struct hub_node_options *o,
                         const struct hub_founding *f)
{
    char path[PATH_BYTES];
    struct stat there;
    struct hub_buf old = {0};
    if (!hub_node_path(cli, path, o, "genesis.cbor"))
        return false;
    if (stat(path, &there) == 0) {
        bool same = hub_cli_read_file(cli, &old, path, HUB_GENESIS_BYTES_MAX);
        if (same && !(same = hub_span_equal(hub_span_of(&old), f->genesis.bytes)))
            hub_cli_fail(cli, 0,
                         HUB_T(cli,
                               "%s is of another network; a node has one network for ever: "
                               "make another folder with `node new`",
                               "%s 属于另一网络；一个节点只属于一个网络，请用 node new 另建目录"),
                         path);
        free(old.data);
        return same;
    }
    return hub_cli_write_file(cli, path, f->genesis.bytes, false) &&
           hub_node_path(cli, path, o, "genesis.signatures") &&
           hub_cli_write_file(cli, path, f->signatures, false);
}

static int join(struct hub_cli *cli, const struct hub_node_options *o, const struct hub_founding *f)
{
    char key_path[PATH_BYTES], path[PATH_BYTES], text[CONFIG_BYTES], print[128], phrase[9];
    const char *why = "";
    struct hub_keyfile shown;
    unsigned peers;
    if (!hub_node_path(cli, key_path, o, "node.key") || !hub_node_path(cli, path, o, "node.conf"))
        return HUB_EXIT_USAGE;
    if (hub_keyfile_show(&shown, key_path, &why) != HUB_OK)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s: %s", key_path, hub_cli_why(cli, why));
    hub_format_hex(phrase, f->genesis.chain.b, 4);
    hub_format_fingerprint(print, &f->genesis.chain);
    hub_cli_say(cli, "%.*s\n%s", (int)f->genesis.name.len, (const char *)f->genesis.name.data,
                print);
    if (!hub_cli_confirm(cli,
                         HUB_T(cli,
                               "Compare the chain id above with another member by telephone: this "
                               "node will trust it alone.",
                               "请与其他成员单位电话核对以上链标识：本节点将只信任它。"),
                         phrase))
        return HUB_EXIT_USAGE;
    const char *own = own_code(f, &shown.kid);
    if (!keep_genesis(cli, o, f) || !config_without_peers(cli, text, path) ||
        !(*own || append_join(text)) || !append_peers(cli, text, f, own, &peers) ||
        !write_text(cli, path, text, true))
        return HUB_EXIT_UNREACHABLE;
    hub_cli_say(
        cli,
        *own ? HUB_T(cli, "node of %s, %u peers; start it: hubledgerd --config %s",
                     "%s 的节点，%u 个对端；启动：hubledgerd --config %s")
             : HUB_T(cli,
                     "%sno validator of the genesis file: it follows once a governor has "
                     "registered its key, and begins with a peer's snapshot, without the "
                     "history before it (join in node.conf); %u peers; start it: "
                     "hubledgerd --config %s",
                     "%s不是创世文件中的共识节点：其密钥经登记后即可同步，并以对端的状态快照起步，"
                     "不含此前的历史（见 node.conf 的 join）；%u 个对端；启动：hubledgerd "
                     "--config %s"),
        own, peers, path);
    return HUB_EXIT_OK;
}

static int run_join(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_buf bytes = {0};
    struct hub_founding f;
    const char *why = "";
    int code = HUB_EXIT_UNREACHABLE;
    (void)argc;
    if (!hub_cli_read_file(cli, &bytes, argv[0], HUB_FOUNDING_BYTES_MAX))
        return HUB_EXIT_UNREACHABLE;
    if (!hub_founding_read(&f, &why, hub_span_of(&bytes)) ||
        hub_genesis_signatures_ok(&f.genesis, &why, f.signatures) != HUB_OK)
        hub_cli_fail(cli, 0, "%s: %s", argv[0], hub_cli_why(cli, why));
    else
        code = join(cli, own, &f);
    free(bytes.data);
    return code;
}

/* Rules for nft: the peers' addresses may reach the peer port, others not. */
static int run_firewall(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    char path[PATH_BYTES], error[512] = "";
    struct hub_config *config = calloc(1, sizeof *config);
    (void)argc, (void)argv;
    if (!config || !hub_node_path(cli, path, own, "node.conf") ||
        !hub_config_read(config, error, path)) {
        free(config);
        return *error ? hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s", error) : HUB_EXIT_USAGE;
    }
    /* What an earlier run made goes: rules added to it would stand behind its drop. */
    printf("table inet hubledger\ndelete table inet hubledger\n");
    printf("table inet hubledger {\n  chain peers {\n    type filter hook input priority 0;\n");
    for (unsigned i = 0; i < config->peers; i++) {
        const char *address = config->peer[i].address, *colon = strrchr(address, ':');
        const bool six = *address == '['; /* [2001:db8::1]:7101 */
        printf("    %s saddr %.*s tcp dport %s accept # %s\n", six ? "ip6" : "ip",
               (int)(colon - address) - 2 * six, address + six, strrchr(config->listen, ':') + 1,
               config->peer[i].name);
    }
    printf("    tcp dport %s drop\n  }\n}\n", strrchr(config->listen, ':') + 1);
    free(config);
    return HUB_EXIT_OK;
}

#define OWN .parse = parse, .own_bytes = sizeof(struct hub_node_options)
const struct hub_command hub_node_commands[] = {
    {.noun = "node",
     .verb = "new",
     .args = "",
     .en = "make a node's folder with its key and configuration",
     .zh = "创建节点目录：密钥与配置",
     .examples = "  hubledger node new --dir node --listen 0.0.0.0:7101 --passphrase-file "
                 "/etc/hubledger/node.pass\n  hubledger node new --dir trial-node --unprotected",
     .options = new_options,
     OWN,
     .run = run_new},
    {.noun = "node",
     .verb = "join",
     .args = "INVITE",
     .en = "put a network's genesis file and peers into a node's folder",
     .zh = "加入网络：写入创世文件与对端地址",
     .examples = "  hubledger node join genesis.invite --dir node\n  hubledger node join "
                 "genesis.invite --dir node --confirm 5f0c11aa",
     .options = dir_options,
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_join},
    {.noun = "node",
     .verb = "pack",
     .args = "",
     .en = "put a stopped node into one file, to move it; the folder left behind votes no more",
     .zh = "将已停止的节点打包以便迁移；原目录不再参与表决",
     .examples = "  hubledger node pack --dir node -o node.pack",
     .options = dir_options,
     OWN,
     .run = hub_node_run_pack},
    {.noun = "node",
     .verb = "unpack",
     .args = "FILE",
     .en = "make a node's folder from a pack, on the machine it moves to",
     .zh = "在新机器上由打包文件恢复节点目录",
     .examples = "  hubledger node unpack node.pack --dir node",
     .options = dir_options,
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = hub_node_run_unpack},
    {.noun = "node",
     .verb = "firewall",
     .args = "",
     .en = "rules for nft: only peers reach the peer port",
     .zh = "输出 nft 防火墙规则：仅对端可访问共识端口",
     .examples = "  hubledger node firewall --dir node | nft -f -",
     .options = firewall_options,
     OWN,
     .run = run_firewall},
    {0},
};
