/* network.c: the founding of a network, step by step: `network init` puts the members' cards into a draft, a
 * governor of every voting member signs it and it is sealed (network_seal.c). Also `network show`, `invite` and
 * `fingerprint`, and the trial network of network_trial.c. */
#include "tools/network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- maps by name: parameters and endpoints */

struct named { /* an entry of a map: a text, or a number where there is none */
    struct hub_span name, text;
    uint64_t number;
};

/* Adds an entry; a later one of the same name replaces. */
static void set_named(struct named *e, unsigned *n, struct named one)
{
    unsigned at = 0;
    while (at < *n && !hub_span_equal(e[at].name, one.name))
        at++;
    *n += at == *n;
    e[at] = one;
}

/* The map in the order of its encoding; moves the entries. */
static void put_named(struct hub_buf *out, struct named *e, unsigned n)
{
    hub_put_map(out, n);
    for (unsigned i = 0; i < n; i++) {
        unsigned first = i;
        for (unsigned j = i + 1; j < n; j++)
            if (hub_name_before(e[j].name, e[first].name))
                first = j;
        const struct named next = e[first];
        e[first] = e[i];
        hub_put_text_span(out, next.name);
        if (next.text.data)
            hub_put_text_span(out, next.text);
        else
            hub_put_uint(out, next.number);
    }
}

/* NAME=VALUE, known and in its range. */
static bool parse_parameter(struct named *out, const char *text)
{
    const char *equals = strchr(text, '=');
    uint64_t min, max;
    *out = (struct named){.name = {(const uint8_t *)text, equals ? (size_t)(equals - text) : 0}};
    return equals && hub_parameter_named(out->name, NULL, &min, &max) >= 0 &&
           hub_parse_uint(&out->number, equals + 1, max) && out->number >= min;
}

bool hub_network_put_parameters(struct hub_buf *b, const struct hub_cli *cli,
                                const struct hub_network_options *o, const char *standing)
{
    struct named all[HUB_PARAMETER_OPTIONS_MAX + 1];
    unsigned n = 0;
    for (unsigned i = 0; i <= o->parameters; i++) {
        const char *text = i ? o->parameter[i - 1] : standing;
        struct named one;
        if (!text)
            continue;
        if (!parse_parameter(&one, text)) {
            hub_cli_fail(
                cli, 0,
                HUB_T(cli,
                      "--parameter %s: no such parameter, or its value is out of range "
                      "(docs/formats.cddl section 2)",
                      "--parameter %s：无此参数，或取值超出范围（见 docs/formats.cddl 第 2 节）"),
                text);
            return false;
        }
        set_named(all, &n, one);
    }
    put_named(b, all, n);
    return true;
}

uint64_t hub_network_time_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000;
}

enum {
    OPT_LOCAL = 1,
    OPT_DIR,
    OPT_PORT,
    OPT_NAME,
    OPT_PARAMETER,
    OPT_NO_CURRENCY,
    OPT_CARD,
    OPT_QUORUM,
    OPT_FAULT_MODEL,
    OPT_ENDPOINT
};

static const struct argp_option init_options[] = {
    {"card", OPT_CARD, "FILE", 0,
     "a member's card (`member card`), one per member; validators stand in this order", 0},
    {"name", OPT_NAME, "TEXT", 0, "the network's name; (trial) is added with --local", 0},
    {"quorum", OPT_QUORUM, "Q", 0, "votes that decide (default: more than two thirds)", 0},
    {"fault-model", OPT_FAULT_MODEL, "MODEL", 0,
     "with three validators: all-of-3 (no node may be down) or crash-1of3 (no node may lie)", 0},
    {"parameter", OPT_PARAMETER, "NAME=VALUE", 0,
     "a ledger parameter other than its default; repeatable", 0},
    {"local", OPT_LOCAL, "N", 0, "a trial network of N nodes on this machine, 1 to 15", 0},
    {"dir", OPT_DIR, "DIR", 0, "with --local: the new folder it goes into", 0},
    {"port", OPT_PORT, "P", 0,
     "with --local: first of 2N ports on 127.0.0.1: N for peers, then N for the API (default 7101)",
     0},
    {"no-currency", OPT_NO_CURRENCY, NULL, 0,
     "with --local: no currency authority and no institution", 0},
    {0},
};
static const struct argp_option invite_options[] = {
    {"endpoint", OPT_ENDPOINT, "CODE=HOST:PORT", 0,
     "where a member's node is reached now; repeatable", 0},
    {0},
};

static bool parse_fault_model(int *out, const char *arg)
{
    for (int i = 0; hub_fault_model_names[i]; i++)
        if (!strcmp(hub_fault_model_names[i], arg))
            return *out = i + 1, true;
    return false;
}

static error_t parse(int key, char *arg, void *own)
{
    struct hub_network_options *o = own;
    switch (key) {
    case OPT_LOCAL:
        return hub_parse_uint(&o->local, arg, 31) && o->local ? 0 : EINVAL;
    case OPT_DIR:
        return o->dir = arg, 0;
    case OPT_PORT:
        return hub_parse_uint(&o->port, arg, 65535 - 62) && o->port ? 0 : EINVAL;
    case OPT_NAME:
        return *arg && strlen(arg) <= HUB_NETWORK_NAME_MAX - 8 ? (o->name = arg, 0) : EINVAL;
    case OPT_QUORUM:
        return hub_parse_uint(&o->quorum, arg, HUB_VALIDATORS_MAX) && o->quorum ? 0 : EINVAL;
    case OPT_FAULT_MODEL:
        return parse_fault_model(&o->fault_model, arg) ? 0 : EINVAL;
    case OPT_CARD:
        return o->cards < HUB_NETWORK_CARDS_MAX ? (o->card[o->cards++] = arg, 0) : EINVAL;
    case OPT_PARAMETER:
    case OPT_ENDPOINT:
        return o->parameters < HUB_PARAMETER_OPTIONS_MAX ? (o->parameter[o->parameters++] = arg, 0)
                                                         : EINVAL;
    case OPT_NO_CURRENCY:
        return o->no_currency = true, 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- network init from cards */

struct cards {
    struct hub_buf bytes[HUB_NETWORK_CARDS_MAX];
    struct hub_card card[HUB_NETWORK_CARDS_MAX];
    unsigned n;
};

static void free_cards(struct cards *c)
{
    for (unsigned i = 0; i < HUB_NETWORK_CARDS_MAX; i++)
        free(c->bytes[i].data);
    free(c);
}

static bool read_cards(const struct hub_cli *cli, struct cards *c,
                       const struct hub_network_options *o)
{
    const char *why = "";
    for (; c->n < o->cards; c->n++) {
        const char *path = o->card[c->n];
        if (!hub_cli_read_file(cli, &c->bytes[c->n], path, HUB_CARD_BYTES_MAX))
            return false;
        if (!hub_card_read(&c->card[c->n], &why, hub_span_of(&c->bytes[c->n]))) {
            hub_cli_fail(cli, 0, "%s: %s", path, hub_cli_why(cli, why));
            return false;
        }
    }
    return true;
}

static int make_draft(struct hub_cli *cli, const struct hub_network_options *o, struct cards *c)
{
    uint8_t parameter_bytes[2048], genesis_bytes[HUB_GENESIS_BYTES_MAX],
        endpoint_bytes[HUB_CARDS_MAX * (HUB_ENDPOINT_MAX + 24)];
    struct hub_buf parameters = {.data = parameter_bytes, .cap = sizeof parameter_bytes};
    struct hub_buf genesis = {.data = genesis_bytes, .cap = sizeof genesis_bytes};
    struct hub_buf endpoints = {.data = endpoint_bytes, .cap = sizeof endpoint_bytes};
    static const uint8_t none = 0x80; /* the empty array */
    const char *why = "";
    if (!read_cards(cli, c, o) || !hub_network_put_parameters(&parameters, cli, o, NULL))
        return HUB_EXIT_UNREACHABLE;
    const struct hub_founding_plan plan = {
        .name = o->name,
        .fault_model = o->fault_model ? (enum hub_fault_model)(o->fault_model - 1) : HUB_FAULT_BFT,
        .quorum = (uint8_t)o->quorum,
        .time_ms = hub_network_time_ms(),
        .parameters = hub_span_of(&parameters),
        .card = c->card,
        .cards = c->n};
    if (!hub_founding_genesis(&genesis, &why, &plan))
        return hub_cli_fail(cli, HUB_EXIT_USAGE, "%s", hub_cli_why(cli, why));
    hub_founding_endpoints(&endpoints, c->card, c->n);
    return hub_founding_file_write(cli, cli->output, hub_span_of(&genesis), hub_span_of(&endpoints),
                                   (struct hub_span){&none, 1}, false);
}

static int run_init(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_network_options *o = own;
    (void)argc, (void)argv;
    if (o->local && o->dir && !o->cards) {
        if (!o->port)
            o->port = 7101;
        return hub_network_make_trial(cli, o);
    }
    if (!o->cards || !o->name || !cli->output || o->local)
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(
                cli,
                "a real network: --card FILE for every member, --name TEXT and -o genesis.draft; a "
                "trial: --local N and --dir DIR",
                "正式网络：每个成员单位一个 --card 文件，并给出 --name 名称与 -o "
                "genesis.draft；试验网络：--local N 与 --dir 目录"));
    struct cards *c = calloc(1, sizeof *c);
    if (!c)
        return HUB_EXIT_UNREACHABLE;
    const int code = hub_founding_file_say(cli, cli->output, make_draft(cli, o, c));
    free_cards(c);
    if (code == HUB_EXIT_OK)
        hub_cli_say(cli,
                    HUB_T(cli,
                          "next: every voting member signs it: hubledger network sign %s --key "
                          "GOVERNOR.key",
                          "下一步：各表决成员单位签署：hubledger network sign %s --key 治理密钥"),
                    cli->output);
    return code;
}

/* ---- network show, invite, fingerprint */

static int run_show(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    (void)own, (void)argc;
    return hub_founding_file_say(cli, argv[0], HUB_EXIT_OK);
}

/* The file's endpoints, replaced and joined by --endpoint CODE=HOST:PORT. */
static bool put_endpoints(const struct hub_cli *cli, struct hub_buf *out, struct hub_span map,
                          const struct hub_network_options *o)
{
    struct named all[HUB_CARDS_MAX + HUB_PARAMETER_OPTIONS_MAX];
    struct hub_cbor c = hub_cbor_open(map);
    unsigned n = 0;
    for (uint32_t left = hub_cbor_map(&c, 0, HUB_CARDS_MAX); left > 0; left--, n++) {
        all[n].name = hub_cbor_text(&c, 0, SIZE_MAX);
        all[n].text = hub_cbor_text(&c, 0, SIZE_MAX);
    }
    for (unsigned i = 0; i < o->parameters; i++) {
        const char *text = o->parameter[i], *equals = strchr(text, '=');
        if (!equals || equals == text || equals - text > HUB_MEMBER_CODE_MAX ||
            !strrchr(equals, ':') || strlen(equals + 1) > HUB_ENDPOINT_MAX) {
            hub_cli_fail(cli, 0,
                         HUB_T(cli, "--endpoint %s: must be CODE=HOST:PORT",
                               "--endpoint %s：应为 代码=主机:端口"),
                         text);
            return false;
        }
        set_named(all, &n,
                  (struct named){.name = {(const uint8_t *)text, (size_t)(equals - text)},
                                 .text = hub_text_span(equals + 1)});
    }
    put_named(out, all, n);
    return !out->full;
}

static int run_invite(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_founding_file file = {0};
    char missing[1024];
    uint8_t bytes[HUB_CARDS_MAX * (HUB_ENDPOINT_MAX + 24)];
    struct hub_buf endpoints = {.data = bytes, .cap = sizeof bytes};
    int code = HUB_EXIT_USAGE;
    (void)argc;
    if (!cli->output)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "name the file with -o FILE", "请用 -o 文件 指定输出文件"));
    if (!hub_founding_file_read(cli, &file, argv[0]))
        return HUB_EXIT_UNREACHABLE;
    if (hub_founding_unsigned(missing, &file.f))
        hub_cli_fail(cli, 0,
                     HUB_T(cli, "%s is not sealed: %s has not signed", "%s 尚未封存：%s 未签署"),
                     argv[0], missing);
    else if (put_endpoints(cli, &endpoints, file.f.endpoints, own))
        code = hub_founding_file_say(cli, cli->output,
                                     hub_founding_file_write(cli, cli->output, file.f.genesis.bytes,
                                                             hub_span_of(&endpoints),
                                                             file.f.signatures, false));
    free(file.bytes.data);
    return code;
}

/* A chain id in groups people can read to each other over the phone. */
static int run_fingerprint(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    char hex[65], text[128];
    (void)own;
    if (argc)
        cli->genesis_path = argv[0];
    if (!hub_cli_genesis(cli))
        return HUB_EXIT_UNREACHABLE;
    const struct hub_genesis *g = cli->genesis;
    hub_format_hex(hex, g->chain.b, 32);
    hub_format_fingerprint(text, &g->chain);
    if (cli->json)
        hub_cli_json(json_pack("{s:s, s:s%}", "chain", hex, "name", (const char *)g->name.data,
                               g->name.len));
    hub_cli_say(cli, "%.*s\n%s", (int)g->name.len, (const char *)g->name.data, text);
    return HUB_EXIT_OK;
}

#define OWN .parse = parse, .own_bytes = sizeof(struct hub_network_options)
const struct hub_command hub_network_commands[] = {
    {.noun = "network",
     .verb = "init",
     .args = "",
     .en = "found a network from its members' cards, or make a trial network on this machine",
     .zh = "由成员单位名片创建网络草案；或在本机创建试验网络",
     .examples = "  hubledger network init --card xc.card --card cn.card --card jd.card --card "
                 "hub.card --name 'hongqiao pilot' -o genesis.draft\n"
                 "  hubledger network init --local 4 --dir trial\n"
                 "  hubledger network init --local 4 --dir fast --parameter consensus.pace_ms=0",
     .options = init_options,
     OWN,
     .run = run_init},
    {.noun = "network",
     .verb = "sign",
     .args = "DRAFT",
     .en = "sign a draft as governor of the own member, after reading what it says",
     .zh = "核对并以本单位治理密钥签署草案",
     .examples = "  hubledger network sign genesis.draft --key governor-1.key --passphrase-file "
                 "p.txt\n  hubledger network sign genesis.draft --key governor-1.key -o "
                 "xc-signed.draft\n  hubledger network sign genesis.draft --key governor-1.key "
                 "--confirm 5f0c11aa",
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = hub_network_sign},
    {.noun = "network",
     .verb = "seal",
     .args = "DRAFT...",
     .en = "make the genesis file and the invite once every voting member has signed",
     .zh = "各方签署后封存：生成创世文件与邀请文件",
     .examples = "  hubledger network seal genesis.draft -o genesis.cbor\n  hubledger network seal "
                 "xc-signed.draft cn-signed.draft jd-signed.draft hub-signed.draft -o genesis.cbor",
     OWN,
     .args_min = 1,
     .args_max = HUB_CLI_ARGS_MAX,
     .run = hub_network_seal},
    {.noun = "network",
     .verb = "show",
     .args = "FILE",
     .en = "what a draft or an invite says, and who has signed it",
     .zh = "显示草案或邀请文件的内容与签署情况",
     .examples = "  hubledger network show genesis.draft\n  hubledger network show genesis.invite",
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_show},
    {.noun = "network",
     .verb = "invite",
     .args = "INVITE",
     .en = "an invite with the nodes' addresses of today",
     .zh = "更新邀请文件中的节点地址",
     .examples = "  hubledger network invite genesis.invite --endpoint JIADING=10.0.0.9:7101 -o "
                 "today.invite",
     .options = invite_options,
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_invite},
    {.noun = "network",
     .verb = "fingerprint",
     .args = "[GENESIS]",
     .en = "the chain id, to compare over the phone",
     .zh = "显示链标识，供电话核对",
     .examples = "  hubledger network fingerprint trial/genesis.cbor",
     OWN,
     .args_max = 1,
     .run = run_fingerprint},
    {0},
};
