/* network.c: `network init --local N`: a whole trial network in one folder, with the keys of every member in a
 * folder of its own, a genesis file signed by all voting members, and a configuration for each node. The name
 * says (trial): its keys are unprotected files on one machine. Also `network fingerprint`. */
#include "tools/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    PATH_MAX_BYTES = 1024,
    GRANTS_MAX = 256,
    PARAMETERS_MAX = 32,
    MEMBERS_MAX = 40
};

/* The fourteen districts and counties of the Hongqiao International Open Hub; the hub office comes behind. */
static const struct seat {
    const char *code, *zh, *en;
} seats[] = {
    {"XIANGCHENG", "苏州市相城区", "Xiangcheng District, Suzhou"},
    {"CHANGNING", "上海市长宁区", "Changning District, Shanghai"},
    {"JIADING", "上海市嘉定区", "Jiading District, Shanghai"},
    {"MINHANG", "上海市闵行区", "Minhang District, Shanghai"},
    {"QINGPU", "上海市青浦区", "Qingpu District, Shanghai"},
    {"SONGJIANG", "上海市松江区", "Songjiang District, Shanghai"},
    {"JINSHAN", "上海市金山区", "Jinshan District, Shanghai"},
    {"KUNSHAN", "昆山市", "Kunshan"},
    {"TAICANG", "太仓市", "Taicang"},
    {"SIP", "苏州工业园区", "Suzhou Industrial Park"},
    {"NANHU", "嘉兴市南湖区", "Nanhu District, Jiaxing"},
    {"PINGHU", "平湖市", "Pinghu"},
    {"HAIYAN", "海盐县", "Haiyan County"},
    {"HAINING", "海宁市", "Haining"},
};
enum { SEATS = sizeof seats / sizeof *seats };
static const struct seat hub_office = {"HUBOFFICE", "虹桥国际开放枢纽办公室",
                                       "Hongqiao International Open Hub Office"};
static const struct seat authority = {"AUTHORITY", "发行机构（模拟）",
                                      "Currency authority (simulated)"};
static const struct seat bank = {"BANK", "运营机构（模拟）", "Operating institution (simulated)"};
enum { AUTHORITY_NUMBER = 1, BANK_NUMBER = 3 };
#define BANK_QUOTA_FEN UINT64_C(10000000000000) /* 100 billion yuan: no trial runs into it */

struct options {
    const char *dir, *name, *parameter[PARAMETERS_MAX];
    uint64_t local, port;
    unsigned parameters;
    bool no_currency;
};

enum { OPT_LOCAL = 1, OPT_DIR, OPT_PORT, OPT_NAME, OPT_PARAMETER, OPT_NO_CURRENCY };
static const struct argp_option init_options[] = {
    {"local", OPT_LOCAL, "N", 0, "a trial network of N nodes on this machine, 1 to 31", 0},
    {"dir", OPT_DIR, "DIR", 0, "the new folder it goes into", 0},
    {"port", OPT_PORT, "P", 0,
     "first of 2N ports on 127.0.0.1: N for peers, then N for the API (default 7101)", 0},
    {"name", OPT_NAME, "TEXT", 0, "the network's name; (trial) is added", 0},
    {"parameter", OPT_PARAMETER, "NAME=VALUE", 0,
     "a ledger parameter other than its default; repeatable", 0},
    {"no-currency", OPT_NO_CURRENCY, NULL, 0, "no currency authority and no institution", 0},
    {0},
};

static error_t parse_init(int key, char *arg, void *own)
{
    struct options *o = own;
    switch (key) {
    case OPT_LOCAL:
        return hub_parse_uint(&o->local, arg, 31) && o->local ? 0 : EINVAL;
    case OPT_DIR:
        return o->dir = arg, 0;
    case OPT_PORT:
        return hub_parse_uint(&o->port, arg, 65535 - 62) && o->port ? 0 : EINVAL;
    case OPT_NAME:
        return strlen(arg) <= HUB_NETWORK_NAME_MAX - 8 && *arg ? (o->name = arg, 0) : EINVAL;
    case OPT_PARAMETER:
        return o->parameters < PARAMETERS_MAX ? (o->parameter[o->parameters++] = arg, 0) : EINVAL;
    case OPT_NO_CURRENCY:
        return o->no_currency = true, 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct parameter {
    const char *name;
    size_t len;
    uint64_t value;
};

struct making { /* one network being made; large, on the heap */
    const struct hub_cli *cli;
    const struct options *o;
    uint8_t members[16384], keys[49152], epoch[16384], file[HUB_GENESIS_BYTES_MAX],
        signatures[8192];
    struct hub_buf member_buf, key_buf;
    uint32_t member_count, key_count;
    struct hub_validators set;
    char governor[MEMBERS_MAX][PATH_MAX_BYTES]; /* the voting members' first governor key files */
    uint32_t governors;
};

static bool path_of(char out[PATH_MAX_BYTES], const struct making *m, const char *folder,
                    const char *file)
{
    const int n = snprintf(out, PATH_MAX_BYTES, "%s%s%s%s%s", m->o->dir, *folder ? "/" : "", folder,
                           *file ? "/" : "", file);
    if (n > 0 && n < PATH_MAX_BYTES)
        return true;
    hub_cli_fail(m->cli, 0, HUB_T(m->cli, "%s: path too long", "%s：路径过长"), m->o->dir);
    return false;
}

static bool make_folder(const struct making *m, const char *folder)
{
    char path[PATH_MAX_BYTES];
    if (!path_of(path, m, folder, ""))
        return false;
    if (mkdir(path, 0700) == 0)
        return true;
    hub_cli_fail(m->cli, 0,
                 HUB_T(m->cli, "cannot make the folder %s: %s; name a new one with --dir",
                       "无法创建目录 %s：%s；请用 --dir 指定新目录"),
                 path, strerror(errno));
    return false;
}

/* Makes a key file and appends its grant [code, {key, label, roles, ? transport}]. */
static bool add_key(struct making *m, const struct seat *seat, const char *file,
                    const char *label_suffix, const char *const *roles, unsigned role_count,
                    struct hub_keyfile *shown)
{
    char path[PATH_MAX_BYTES], label[HUB_KEY_LABEL_MAX + 1];
    const char *why = "";
    uint8_t cose_key[HUB_COSE_KEY_BYTES];
    const bool node = !strcmp(roles[0], "validator");
    snprintf(label, sizeof label, "%s %s", seat->code, label_suffix);
    if (!path_of(path, m, seat->code, file))
        return false;
    if (hub_keyfile_create_unprotected(path, label, &why) != HUB_OK ||
        hub_keyfile_show(shown, path, &why) != HUB_OK) {
        hub_cli_fail(m->cli, 0, "%s: %s", path, why);
        return false;
    }
    struct hub_buf *b = &m->key_buf;
    hub_cose_key_encode(cose_key, &shown->key);
    hub_put_array(b, 2);
    hub_put_text(b, seat->code);
    hub_put_map(b, node ? 4 : 3);
    hub_put_text(b, "key");
    hub_put_bytes(b, (struct hub_span){cose_key, sizeof cose_key});
    hub_put_text(b, "label");
    hub_put_text(b, label);
    hub_put_text(b, "roles");
    hub_put_array(b, role_count);
    for (unsigned i = 0; i < role_count; i++)
        hub_put_text(b, roles[i]);
    if (node) {
        hub_put_text(b, "transport");
        hub_put_bytes(b, (struct hub_span){shown->transport, HUB_TRANSPORT_BYTES});
    }
    m->key_count++;
    return !b->full;
}

static void add_member(struct making *m, const struct seat *seat, const char *kind,
                       unsigned institution)
{
    struct hub_buf *b = &m->member_buf;
    hub_put_map(b, 3 + (institution ? 2 : 0));
    hub_put_text(b, "code");
    hub_put_text(b, seat->code);
    hub_put_text(b, "kind");
    hub_put_text(b, kind);
    hub_put_text(b, "names");
    hub_put_map(b, 2);
    hub_put_text(b, "en");
    hub_put_text(b, seat->en);
    hub_put_text(b, "zh");
    hub_put_text(b, seat->zh);
    if (institution) {
        hub_put_text(b, "quota");
        hub_put_uint(b, BANK_QUOTA_FEN);
        hub_put_text(b, "institution");
        hub_put_uint(b, institution);
    }
    m->member_count++;
}

static bool add_governors(struct making *m, const struct seat *seat)
{
    struct hub_keyfile shown;
    return make_folder(m, seat->code) &&
           add_key(m, seat, "governor-1.key", "governor 1", (const char *const[]){"governor"}, 1,
                   &shown) &&
           add_key(m, seat, "governor-2.key", "governor 2", (const char *const[]){"governor"}, 1,
                   &shown);
}

static bool add_validator(struct making *m, const struct seat *seat, const char *kind)
{
    struct hub_keyfile shown;
    add_member(m, seat, kind, 0);
    if (!add_governors(m, seat) ||
        !add_key(m, seat, "seal.key", "seal", (const char *const[]){"seal"}, 1, &shown) ||
        !add_key(m, seat, "node.key", "node", (const char *const[]){"validator"}, 1, &shown))
        return false;
    const uint8_t i = m->set.n++;
    m->set.v[i].key = shown.key;
    m->set.v[i].kid = shown.kid;
    memcpy(m->set.v[i].transport, shown.transport, HUB_TRANSPORT_BYTES);
    snprintf(m->set.v[i].member, sizeof m->set.v[i].member, "%s", seat->code);
    return path_of(m->governor[m->governors++], m, seat->code, "governor-1.key");
}

static bool add_currency(struct making *m)
{
    struct hub_keyfile shown;
    add_member(m, &authority, "authority", AUTHORITY_NUMBER);
    add_member(m, &bank, "institution", BANK_NUMBER);
    return add_governors(m, &authority) && add_governors(m, &bank) &&
           add_key(m, &authority, "issuer-1.key", "issuer 1", (const char *const[]){"issuer"}, 1,
                   &shown) &&
           add_key(m, &authority, "issuer-2.key", "issuer 2", (const char *const[]){"issuer"}, 1,
                   &shown) &&
           add_key(m, &bank, "operator.key", "operator", (const char *const[]){"operator"}, 1,
                   &shown) &&
           add_key(m, &bank, "operator-2.key", "operator 2", (const char *const[]){"operator"}, 1,
                   &shown) &&
           add_key(m, &bank, "checker.key", "checker", (const char *const[]){"checker"}, 1, &shown);
}

static struct seat seat_of(uint64_t i, uint64_t n)
{
    return n > 3 && i == n - 1 ? hub_office : seats[i];
}

static bool add_all(struct making *m)
{
    const uint64_t n = m->o->local;
    if (n > SEATS + 1) {
        hub_cli_fail(m->cli, 0,
                     HUB_T(m->cli,
                           "--local %u: at most %u, the districts of the hub and its office",
                           "--local %u：至多 %u（枢纽各区县及办公室）"),
                     (unsigned)n, (unsigned)SEATS + 1);
        return false;
    }
    for (uint64_t i = 0; i < n; i++) {
        const struct seat seat = seat_of(i, n);
        if (!add_validator(m, &seat, !strcmp(seat.code, hub_office.code) ? "hub" : "district"))
            return false;
    }
    m->set.q = hub_quorum_default(m->set.n);
    m->set.fault_model = n == 1 ? HUB_FAULT_SINGLE : n == 3 ? HUB_FAULT_ALL_OF_3 : HUB_FAULT_BFT;
    return m->o->no_currency || add_currency(m);
}

static bool shorter_first(const struct parameter *a, const struct parameter *b)
{
    return a->len != b->len ? a->len < b->len : memcmp(a->name, b->name, a->len) < 0;
}

/* --parameter NAME=VALUE into a map in the order of its encoding. */
static bool put_parameters(struct hub_buf *b, const struct making *m)
{
    static const char cosign[] = "currency.cosign_issue"; /* a trial's authority is one person */
    struct parameter p[PARAMETERS_MAX + 1] = {{cosign, sizeof cosign - 1, 0}};
    unsigned n = 1;
    for (unsigned i = 0; i < m->o->parameters; i++) {
        const char *text = m->o->parameter[i], *equals = strchr(text, '=');
        struct parameter q = {text, equals ? (size_t)(equals - text) : 0, 0};
        uint64_t min, max;
        if (!equals ||
            hub_parameter_named((struct hub_span){(const uint8_t *)text, q.len}, NULL, &min, &max) <
                0 ||
            !hub_parse_uint(&q.value, equals + 1, max) || q.value < min) {
            hub_cli_fail(m->cli, 0,
                         HUB_T(m->cli,
                               "--parameter %s: no such parameter, or its value is out of range "
                               "(docs/protocol.md)",
                               "--parameter %s：无此参数，或取值超出范围（见 docs/protocol.md）"),
                         text);
            return false;
        }
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

static bool put_genesis(struct hub_buf *b, struct making *m)
{
    struct hub_buf epoch = {.data = m->epoch, .cap = sizeof m->epoch};
    char name[HUB_NETWORK_NAME_MAX + 1];
    snprintf(name, sizeof name, "%s (trial)", m->o->name ? m->o->name : "hongqiao pilot");
    hub_validators_encode(&epoch, &m->set);
    hub_put_map(b, 8);
    hub_put_text(b, "keys");
    hub_put_array(b, m->key_count);
    hub_put_raw(b, hub_span_of(&m->key_buf));
    hub_put_text(b, "name");
    hub_put_text(b, name);
    hub_put_text(b, "epoch");
    hub_put_raw(b, hub_span_of(&epoch));
    hub_put_text(b, "suite");
    hub_put_uint(b, 1);
    hub_put_text(b, "format");
    hub_put_uint(b, 1);
    hub_put_text(b, "members");
    hub_put_array(b, m->member_count);
    hub_put_raw(b, hub_span_of(&m->member_buf));
    hub_put_text(b, "time_ms");
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    hub_put_uint(b, (uint64_t)ts.tv_sec * 1000);
    hub_put_text(b, "parameters");
    return put_parameters(b, m) && !b->full;
}

/* One COSE_Signature per voting member's first governor, in order of kid. */
static bool put_signatures(struct hub_buf *out, const struct making *m, struct hub_span file)
{
    static uint8_t message_bytes[HUB_GENESIS_BYTES_MAX + 256];
    struct hub_buf message = {.data = message_bytes, .cap = sizeof message_bytes};
    struct hub_cosignature s[MEMBERS_MAX];
    for (uint32_t i = 0; i < m->governors; i++) {
        struct hub_keyfile key;
        const char *why = "";
        if (hub_keyfile_open(&key, m->governor[i], NULL, &why) != HUB_OK) {
            hub_cli_fail(m->cli, 0, "%s: %s", m->governor[i], why);
            return false;
        }
        hub_cosign(&s[i], &message, hub_text_span(""), file, &key.key, key.secrets->sign);
        hub_keyfile_close(&key);
    }
    hub_cosignatures_sort(s, m->governors);
    hub_put_array(out, m->governors);
    for (uint32_t i = 0; i < m->governors; i++)
        hub_cosignature_put(out, &s[i]);
    return !out->full;
}

static bool write_config(const struct making *m, uint64_t i)
{
    char path[PATH_MAX_BYTES], text[8192];
    const struct seat seat = seat_of(i, m->o->local);
    const unsigned port = (unsigned)m->o->port, n = (unsigned)m->o->local;
    int len = snprintf(text, sizeof text,
                       "# %s, node %u of a trial network. docs/operations.md explains each line.\n"
                       "genesis = \"../genesis.cbor\"\ndata = \"data\"\nkey = \"node.key\"\n"
                       "listen = \"127.0.0.1:%u\"\napi = \"127.0.0.1:%u\"\n",
                       seat.en, (unsigned)i + 1, port + (unsigned)i, port + n + (unsigned)i);
    for (unsigned j = 0; j < n; j++)
        if (j != i && len > 0 && (size_t)len < sizeof text)
            len +=
                snprintf(text + len, sizeof text - (size_t)len,
                         "peer %s { address = \"127.0.0.1:%u\" }\n", seat_of(j, n).code, port + j);
    return len > 0 && (size_t)len < sizeof text && path_of(path, m, seat.code, "node.conf") &&
           hub_cli_write_file(m->cli, path, (struct hub_span){(const uint8_t *)text, (size_t)len},
                              false);
}

static bool write_all(struct making *m)
{
    char path[PATH_MAX_BYTES], why_text[65];
    const char *why = "";
    struct hub_buf file = {.data = m->file, .cap = sizeof m->file},
                   sigs = {.data = m->signatures, .cap = sizeof m->signatures};
    struct hub_genesis g;
    if (!put_genesis(&file, m))
        return false;
    if (hub_genesis_decode(&g, &why, hub_span_of(&file)) != HUB_OK ||
        !put_signatures(&sigs, m, hub_span_of(&file)) ||
        hub_genesis_signatures_ok(&g, &why, hub_span_of(&sigs)) != HUB_OK) {
        hub_cli_fail(m->cli, 0, "genesis: %s", why);
        return false;
    }
    if (!path_of(path, m, "", "genesis.cbor") ||
        !hub_cli_write_file(m->cli, path, hub_span_of(&file), false))
        return false;
    hub_format_hex(why_text, g.chain.b, 32);
    hub_cli_say(m->cli, HUB_T(m->cli, "genesis   %s  chain %s", "创世文件  %s  链标识 %s"), path,
                why_text);
    if (!path_of(path, m, "", "genesis.signatures") ||
        !hub_cli_write_file(m->cli, path, hub_span_of(&sigs), false))
        return false;
    hub_cli_say(m->cli,
                HUB_T(m->cli, "signed by %u of %u voting members", "已由 %u / %u 个表决成员签名"),
                m->governors, m->governors);
    for (uint64_t i = 0; i < m->o->local; i++)
        if (!write_config(m, i))
            return false;
    return true;
}

static int run_init(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct options *o = own;
    (void)argc, (void)argv;
    if (!o->local || !o->dir)
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "say --local N and --dir DIR", "请给出 --local N 与 --dir 目录"));
    if (!o->port)
        o->port = 7101;
    struct making *m = calloc(1, sizeof *m);
    if (!m)
        return HUB_EXIT_UNREACHABLE;
    m->cli = cli;
    m->o = o;
    m->member_buf = (struct hub_buf){.data = m->members, .cap = sizeof m->members};
    m->key_buf = (struct hub_buf){.data = m->keys, .cap = sizeof m->keys};
    const bool ok = make_folder(m, "") && add_all(m) && write_all(m);
    if (ok)
        hub_cli_say(cli,
                    HUB_T(cli, "start a node: hubledgerd --config %s/%s/node.conf",
                          "启动节点：hubledgerd --config %s/%s/node.conf"),
                    o->dir, seat_of(0, o->local).code);
    if (ok && cli->json)
        hub_cli_json(json_pack("{s:s, s:i, s:i}", "dir", o->dir, "nodes", (int)o->local, "port",
                               (int)o->port));
    free(m);
    return ok ? HUB_EXIT_OK : HUB_EXIT_UNREACHABLE;
}

/* A chain id in groups people can read to each other over the phone. */
static int run_fingerprint(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    char hex[65], text[128] = "";
    (void)own;
    if (argc)
        cli->genesis_path = argv[0];
    if (!hub_cli_genesis(cli))
        return HUB_EXIT_UNREACHABLE;
    const struct hub_genesis *g = cli->genesis;
    hub_format_hex(hex, g->chain.b, 32);
    for (unsigned i = 0; i < 16; i++)
        snprintf(text + 5 * i, sizeof text - 5 * i, "%.4s%s", hex + 4 * i, i < 15 ? " " : "");
    if (cli->json)
        hub_cli_json(json_pack("{s:s, s:s%}", "chain", hex, "name", (const char *)g->name.data,
                               g->name.len));
    hub_cli_say(cli, "%.*s\n%s", (int)g->name.len, (const char *)g->name.data, text);
    return HUB_EXIT_OK;
}

const struct hub_command hub_network_commands[] = {
    {.noun = "network",
     .verb = "init",
     .args = "",
     .en = "make a trial network on this machine: keys, genesis, configurations",
     .zh = "在本机创建试验网络：密钥、创世文件、节点配置",
     .examples = "  hubledger network init --local 4 --dir trial\n  hubledger network init --local "
                 "1 --dir alone --no-currency\n"
                 "  hubledger network init --local 4 --dir fast --parameter consensus.pace_ms=0",
     .options = init_options,
     .parse = parse_init,
     .own_bytes = sizeof(struct options),
     .run = run_init},
    {.noun = "network",
     .verb = "fingerprint",
     .args = "[GENESIS]",
     .en = "the chain id, to compare over the phone",
     .zh = "显示链标识，供电话核对",
     .examples = "  hubledger network fingerprint trial/genesis.cbor",
     .args_max = 1,
     .run = run_fingerprint},
    {0},
};
