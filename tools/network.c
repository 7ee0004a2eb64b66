/* network.c: the founding of a network, step by step: `network init` puts the members' cards into a draft, a
 * governor of every voting member signs it (`network sign`), `network seal` makes the genesis file and the invite.
 * Also `network show`, `invite` and `fingerprint`, and the trial network of network_trial.c. */
#include "tools/network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct parameter {
    const char *name;
    size_t len;
    uint64_t value;
};

static bool shorter_first(const struct parameter *a, const struct parameter *b)
{
    return a->len != b->len ? a->len < b->len : memcmp(a->name, b->name, a->len) < 0;
}

/* NAME=VALUE, known and in its range. */
static bool parse_parameter(struct parameter *q, const char *text)
{
    const char *equals = strchr(text, '=');
    uint64_t min, max;
    *q = (struct parameter){text, equals ? (size_t)(equals - text) : 0, 0};
    return equals &&
           hub_parameter_named((struct hub_span){(const uint8_t *)text, q->len}, NULL, &min,
                               &max) >= 0 &&
           hub_parse_uint(&q->value, equals + 1, max) && q->value >= min;
}

bool hub_network_put_parameters(struct hub_buf *b, const struct hub_cli *cli,
                                const struct hub_network_options *o, const char *standing)
{
    struct parameter p[HUB_PARAMETER_OPTIONS_MAX + 1];
    unsigned n = 0;
    for (unsigned i = 0; i <= o->parameters; i++) {
        const char *text = i ? o->parameter[i - 1] : standing;
        struct parameter q;
        if (text && !parse_parameter(&q, text)) {
            hub_cli_fail(cli, 0,
                         HUB_T(cli,
                               "--parameter %s: no such parameter, or its value is out of range "
                               "(docs/protocol.md)",
                               "--parameter %s：无此参数，或取值超出范围（见 docs/protocol.md）"),
                         text);
            return false;
        }
        if (!text)
            continue;
        unsigned at = 0;
        while (at < n && (p[at].len != q.len || memcmp(p[at].name, q.name, q.len) != 0))
            at++;
        p[at] = q; /* a later one replaces */
        n += at == n;
    }
    hub_put_map(b, n);
    for (unsigned i = 0; i < n; i++) {
        unsigned least = i;
        for (unsigned j = i + 1; j < n; j++)
            if (shorter_first(&p[j], &p[least]))
                least = j;
        const struct parameter t = p[least];
        p[least] = p[i];
        p[i] = t;
        hub_put_text_span(b, (struct hub_span){(const uint8_t *)t.name, t.len});
        hub_put_uint(b, t.value);
    }
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

/* ---- files */

struct founding_file { /* a draft or invite as read */
    struct hub_buf bytes;
    struct hub_founding f;
};

static bool read_founding(const struct hub_cli *cli, struct founding_file *out, const char *path)
{
    const char *why = "";
    if (!hub_cli_read_file(cli, &out->bytes, path, HUB_FOUNDING_BYTES_MAX))
        return false;
    if (hub_founding_read(&out->f, &why, hub_span_of(&out->bytes)))
        return true;
    hub_cli_fail(cli, 0, "%s: %s", path, why);
    free(out->bytes.data);
    return false;
}

static int write_founding(const struct hub_cli *cli, const char *path, struct hub_span genesis,
                          struct hub_span endpoints, struct hub_span signatures, bool replace)
{
    struct hub_buf out = {.data = malloc(HUB_FOUNDING_BYTES_MAX), .cap = HUB_FOUNDING_BYTES_MAX};
    const bool ok = out.data && hub_founding_write(&out, genesis, endpoints, signatures) &&
                    hub_cli_write_file(cli, path, hub_span_of(&out), replace);
    free(out.data);
    return ok ? HUB_EXIT_OK : HUB_EXIT_UNREACHABLE;
}

static int say_and_free(const struct hub_cli *cli, const char *path, int code)
{
    struct founding_file file = {0};
    if (code != HUB_EXIT_OK || !read_founding(cli, &file, path))
        return code != HUB_EXIT_OK ? code : HUB_EXIT_UNREACHABLE;
    hub_founding_say(cli, &file.f);
    free(file.bytes.data);
    return HUB_EXIT_OK;
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
            hub_cli_fail(cli, 0, "%s: %s", path, why);
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
        return hub_cli_fail(cli, HUB_EXIT_USAGE, "%s", why);
    hub_founding_endpoints(&endpoints, c->card, c->n);
    return write_founding(cli, cli->output, hub_span_of(&genesis), hub_span_of(&endpoints),
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
    const int code = say_and_free(cli, cli->output, make_draft(cli, o, c));
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

/* ---- network sign, seal, show, invite */

static bool is_governor(const struct hub_genesis *g, const struct hub_keyfile *key)
{
    struct hub_cbor c = hub_cbor_open(g->keys);
    for (uint32_t n = hub_cbor_array(&c, 0, UINT32_MAX); n > 0; n--) {
        struct hub_hash kid;
        hub_cbor_array(&c, 2, 2);
        hub_cbor_text(&c, 0, SIZE_MAX);
        const struct hub_span grant = hub_cbor_item(&c);
        hub_hash_span(&kid, hub_field_span(grant, "key"));
        if (hub_hash_equal(&kid, &key->kid))
            return (hub_grant_roles(grant) & HUB_ROLE_GOVERNOR) != 0;
    }
    return false;
}

static int sign_draft(struct hub_cli *cli, const char *path, const struct hub_founding *f)
{
    uint8_t one_bytes[128];
    struct hub_buf one = {.data = one_bytes, .cap = sizeof one_bytes};
    struct hub_buf merged = {.data = malloc(HUB_FOUNDING_BYTES_MAX), .cap = HUB_FOUNDING_BYTES_MAX};
    char phrase[9];
    int code = HUB_EXIT_UNREACHABLE;
    const struct hub_keyfile *key = hub_cli_key(cli);
    hub_format_hex(phrase, f->genesis.chain.b, 4);
    if (key && !is_governor(&f->genesis, key))
        code = hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "%s is no governor key of this draft", "%s 不是该草案中的治理密钥"),
            cli->key_path);
    else if (key &&
             !hub_cli_confirm(cli,
                              HUB_T(cli, "You sign for your member that this is the network.",
                                    "您将代表本单位确认：以上即为该网络。"),
                              phrase))
        code = HUB_EXIT_USAGE;
    else if (key && merged.data) {
        hub_genesis_sign(&one, f->genesis.bytes, key);
        if (hub_signatures_merge(&merged, f->signatures, hub_span_of(&one)))
            code = write_founding(cli, cli->output ? cli->output : path, f->genesis.bytes,
                                  f->endpoints, hub_span_of(&merged), !cli->output);
    }
    free(merged.data);
    return code;
}

static int run_sign(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct founding_file file = {0};
    (void)own, (void)argc;
    if (!read_founding(cli, &file, argv[0]))
        return HUB_EXIT_UNREACHABLE;
    hub_founding_say(cli, &file.f);
    const int code = sign_draft(cli, argv[0], &file.f);
    free(file.bytes.data);
    if (code == HUB_EXIT_OK)
        hub_cli_say(cli, HUB_T(cli, "signed into %s", "已签署，写入 %s"),
                    cli->output ? cli->output : argv[0]);
    return code;
}

/* The signatures of all drafts, which must be of one genesis file, into the first's. */
static bool gather(const struct hub_cli *cli, struct founding_file *first, struct hub_buf *all,
                   unsigned argc, char **argv)
{
    struct hub_buf merged = {.data = malloc(HUB_FOUNDING_BYTES_MAX), .cap = HUB_FOUNDING_BYTES_MAX};
    bool ok = merged.data != NULL;
    if (!read_founding(cli, first, argv[0])) {
        free(merged.data);
        return false;
    }
    hub_put_raw(all, first->f.signatures);
    for (unsigned i = 1; i < argc && ok; i++) {
        struct founding_file next = {0};
        if (!(ok = read_founding(cli, &next, argv[i])))
            break;
        ok = hub_hash_equal(&next.f.genesis.chain, &first->f.genesis.chain);
        if (!ok)
            hub_cli_fail(cli, 0,
                         HUB_T(cli, "%s is a draft of another network than %s",
                               "%s 与 %s 不是同一网络的草案"),
                         argv[i], argv[0]);
        merged.len = 0;
        ok = ok && hub_signatures_merge(&merged, hub_span_of(all), next.f.signatures);
        if (ok) {
            all->len = 0;
            hub_put_raw(all, hub_span_of(&merged));
        }
        free(next.bytes.data);
    }
    free(merged.data);
    return ok && !all->full;
}

/* genesis.cbor, genesis.signatures and the invite, beside each other. */
static int write_sealed(const struct hub_cli *cli, const struct hub_founding *f)
{
    char path[1024], missing[1024];
    const char *base = cli->output;
    const size_t stem =
        strlen(base) - (strlen(base) > 5 && !strcmp(base + strlen(base) - 5, ".cbor") ? 5 : 0);
    if (hub_founding_unsigned(missing, f))
        return hub_cli_fail(cli, HUB_EXIT_COSIGN,
                            HUB_T(cli, "not sealed: no governor of %s has signed yet",
                                  "未封存：%s 的治理密钥尚未签署"),
                            missing);
    if (stem > sizeof path - 16)
        return hub_cli_fail(cli, HUB_EXIT_USAGE, HUB_T(cli, "%s: path too long", "%s：路径过长"),
                            base);
    if (!hub_cli_write_file(cli, base, f->genesis.bytes, false))
        return HUB_EXIT_UNREACHABLE;
    snprintf(path, sizeof path, "%.*s.signatures", (int)stem, base);
    if (!hub_cli_write_file(cli, path, f->signatures, false))
        return HUB_EXIT_UNREACHABLE;
    snprintf(path, sizeof path, "%.*s.invite", (int)stem, base);
    const int code =
        write_founding(cli, path, f->genesis.bytes, f->endpoints, f->signatures, false);
    if (code == HUB_EXIT_OK)
        hub_cli_say(cli,
                    HUB_T(cli,
                          "sealed: %s, its signatures, and the invite %s: every node joins "
                          "with hubledger node join %s",
                          "已封存：%s、签名文件及邀请文件 %s；各节点加入：hubledger node join %s"),
                    base, path, path);
    return code;
}

static int run_seal(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct founding_file first = {0};
    struct hub_buf all = {.data = malloc(HUB_FOUNDING_BYTES_MAX), .cap = HUB_FOUNDING_BYTES_MAX};
    int code = HUB_EXIT_UNREACHABLE;
    (void)own;
    if (!cli->output) {
        free(all.data);
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "name the genesis file with -o genesis.cbor",
                                  "请用 -o genesis.cbor 指定创世文件"));
    }
    if (all.data && gather(cli, &first, &all, argc, argv)) {
        first.f.signatures = hub_span_of(&all);
        hub_founding_say(cli, &first.f);
        code = write_sealed(cli, &first.f);
    }
    free(first.bytes.data);
    free(all.data);
    return code;
}

static int run_show(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    (void)own, (void)argc;
    return say_and_free(cli, argv[0], HUB_EXIT_OK);
}

struct endpoint {
    struct hub_span code, at;
};

static bool endpoint_before(const struct endpoint *a, const struct endpoint *b)
{
    return a->code.len != b->code.len ? a->code.len < b->code.len
                                      : memcmp(a->code.data, b->code.data, a->code.len) < 0;
}

/* The file's endpoints, replaced and joined by --endpoint CODE=HOST:PORT. */
static bool put_endpoints(const struct hub_cli *cli, struct hub_buf *out, struct hub_span map,
                          const struct hub_network_options *o)
{
    struct endpoint e[HUB_CARDS_MAX + HUB_PARAMETER_OPTIONS_MAX];
    struct hub_cbor c = hub_cbor_open(map);
    unsigned n = 0;
    for (uint32_t left = hub_cbor_map(&c, 0, HUB_CARDS_MAX); left > 0; left--, n++) {
        e[n].code = hub_cbor_text(&c, 0, SIZE_MAX);
        e[n].at = hub_cbor_text(&c, 0, SIZE_MAX);
    }
    for (unsigned i = 0; i < o->parameters; i++) {
        const char *text = o->parameter[i], *equals = strchr(text, '=');
        unsigned at = 0;
        if (!equals || equals == text || equals - text > HUB_MEMBER_CODE_MAX ||
            !strrchr(equals, ':') || strlen(equals + 1) > HUB_ENDPOINT_MAX) {
            hub_cli_fail(cli, 0,
                         HUB_T(cli, "--endpoint %s: must be CODE=HOST:PORT",
                               "--endpoint %s：应为 代码=主机:端口"),
                         text);
            return false;
        }
        const struct endpoint one = {{(const uint8_t *)text, (size_t)(equals - text)},
                                     hub_text_span(equals + 1)};
        while (at < n && !hub_span_equal(e[at].code, one.code))
            at++;
        n += at == n;
        e[at] = one;
    }
    hub_put_map(out, n);
    for (unsigned i = 0; i < n; i++) {
        unsigned least = i;
        for (unsigned j = i + 1; j < n; j++)
            if (endpoint_before(&e[j], &e[least]))
                least = j;
        const struct endpoint t = e[least];
        e[least] = e[i];
        e[i] = t;
        hub_put_text_span(out, t.code);
        hub_put_text_span(out, t.at);
    }
    return !out->full;
}

static int run_invite(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct founding_file file = {0};
    char missing[1024];
    uint8_t bytes[HUB_CARDS_MAX * (HUB_ENDPOINT_MAX + 24)];
    struct hub_buf endpoints = {.data = bytes, .cap = sizeof bytes};
    int code = HUB_EXIT_USAGE;
    (void)argc;
    if (!cli->output)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "name the file with -o FILE", "请用 -o 文件 指定输出文件"));
    if (!read_founding(cli, &file, argv[0]))
        return HUB_EXIT_UNREACHABLE;
    if (hub_founding_unsigned(missing, &file.f))
        hub_cli_fail(cli, 0,
                     HUB_T(cli, "%s is not sealed: %s has not signed", "%s 尚未封存：%s 未签署"),
                     argv[0], missing);
    else if (put_endpoints(cli, &endpoints, file.f.endpoints, own))
        code = say_and_free(cli, cli->output,
                            write_founding(cli, cli->output, file.f.genesis.bytes,
                                           hub_span_of(&endpoints), file.f.signatures, false));
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
     .run = run_sign},
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
     .run = run_seal},
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
