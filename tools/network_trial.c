/* network_trial.c: `network init --local N`: a whole trial network in one folder: the keys of every member in a
 * folder of its own, the cards made from them, a genesis file signed by all voting members, and a configuration
 * for each node. The name says (trial): its keys are unprotected files on one machine. */
#include "tools/network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_MAX_BYTES = 1024, TRIAL_CARDS_MAX = 17 };

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

struct making { /* one network being made; large, on the heap */
    struct hub_cli *cli;
    const struct hub_network_options *o;
    uint8_t bytes[TRIAL_CARDS_MAX][HUB_CARD_BYTES_MAX];
    struct hub_card card[TRIAL_CARDS_MAX];
    unsigned cards;
    uint8_t parameters[2048], endpoints[4096], genesis[HUB_GENESIS_BYTES_MAX],
        signatures[2][HUB_FOUNDING_BYTES_MAX];
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

struct key_plan { /* one key of a member; file NULL ends a list */
    const char *file, *label, *role;
};
static const struct key_plan district_keys[] = {{"governor-1.key", "governor 1", "governor"},
                                                {"governor-2.key", "governor 2", "governor"},
                                                {"seal.key", "seal", "seal"},
                                                {"node.key", "node", "validator"},
                                                {NULL, NULL, NULL}};
static const struct key_plan authority_keys[] = {{"governor-1.key", "governor 1", "governor"},
                                                 {"governor-2.key", "governor 2", "governor"},
                                                 {"issuer-1.key", "issuer 1", "issuer"},
                                                 {"issuer-2.key", "issuer 2", "issuer"},
                                                 {NULL, NULL, NULL}};
static const struct key_plan bank_keys[] = {
    {"governor-1.key", "governor 1", "governor"}, {"governor-2.key", "governor 2", "governor"},
    {"operator.key", "operator", "operator"},     {"operator-2.key", "operator 2", "operator"},
    {"checker.key", "checker", "checker"},        {NULL, NULL, NULL}};

struct trial_key {
    struct hub_keyfile file;
    char label[HUB_KEY_LABEL_MAX + 1];
};

static bool make_key(const struct making *m, struct trial_key *out, const char *code,
                     const struct key_plan *plan)
{
    char path[PATH_MAX_BYTES];
    const char *why = "";
    snprintf(out->label, sizeof out->label, "%s %s", code, plan->label);
    if (!path_of(path, m, code, plan->file))
        return false;
    if (hub_keyfile_create_unprotected(path, out->label, &why) == HUB_OK &&
        hub_keyfile_open(&out->file, path, NULL, &why) == HUB_OK)
        return strcmp(plan->role, "validator") != 0 || hub_cli_guard(m->cli, path, &out->file.kid);
    hub_cli_fail(m->cli, 0, "%s: %s", path, hub_cli_why(m->cli, why));
    return false;
}

/* Makes a member's folder, its keys and its card. */
static bool add_member(struct making *m, const struct hub_card_text *text,
                       const struct key_plan *plan)
{
    struct trial_key made[HUB_CARD_KEYS_MAX] = {0};
    struct hub_card_key key[HUB_CARD_KEYS_MAX];
    struct hub_buf out = {.data = m->bytes[m->cards], .cap = HUB_CARD_BYTES_MAX};
    const char *why = "a card of a trial member does not fit";
    unsigned n = 0;
    bool ok = make_folder(m, text->code);
    for (; ok && plan[n].file; n++) {
        ok = make_key(m, &made[n], text->code, &plan[n]);
        key[n] = (struct hub_card_key){&made[n].file, made[n].label, {plan[n].role}, 1};
    }
    if (ok && !(hub_card_write(&out, text, key, n) &&
                hub_card_read(&m->card[m->cards], &why, hub_span_of(&out)))) {
        hub_cli_fail(m->cli, 0, "%s: %s", text->code, hub_cli_why(m->cli, why));
        ok = false;
    }
    m->cards++;
    for (unsigned i = 0; i < n; i++)
        hub_keyfile_close(&made[i].file);
    return ok;
}

static struct seat seat_of(uint64_t i, uint64_t n)
{
    return n > 3 && i == n - 1 ? hub_office : seats[i];
}

static bool add_district(struct making *m, uint64_t i)
{
    const struct seat seat = seat_of(i, m->o->local);
    char endpoint[32];
    snprintf(endpoint, sizeof endpoint, "127.0.0.1:%u", (unsigned)(m->o->port + i));
    return add_member(
        m,
        &(struct hub_card_text){.code = seat.code,
                                .zh = seat.zh,
                                .en = seat.en,
                                .kind = strcmp(seat.code, hub_office.code) ? "district" : "hub",
                                .endpoint = endpoint},
        district_keys);
}

static bool add_currency(struct making *m)
{
    return add_member(m,
                      &(struct hub_card_text){.code = authority.code,
                                              .zh = authority.zh,
                                              .en = authority.en,
                                              .kind = "authority",
                                              .institution = AUTHORITY_NUMBER,
                                              .quota = BANK_QUOTA_FEN},
                      authority_keys) &&
           add_member(m,
                      &(struct hub_card_text){.code = bank.code,
                                              .zh = bank.zh,
                                              .en = bank.en,
                                              .kind = "institution",
                                              .institution = BANK_NUMBER,
                                              .quota = BANK_QUOTA_FEN},
                      bank_keys);
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
    for (uint64_t i = 0; i < n; i++)
        if (!add_district(m, i))
            return false;
    return m->o->no_currency || add_currency(m);
}

static bool make_genesis(struct making *m, struct hub_buf *genesis)
{
    struct hub_buf parameters = {.data = m->parameters, .cap = sizeof m->parameters};
    char name[2 * HUB_NETWORK_NAME_MAX];
    const char *why = "";
    snprintf(name, sizeof name, "%s (trial)", m->o->name ? m->o->name : "hongqiao pilot");
    /* A trial's authority is one person. */
    if (!hub_network_put_parameters(&parameters, m->cli, m->o, "currency.cosign_issue=0"))
        return false;
    const struct hub_founding_plan plan = {
        .name = name,
        .fault_model = m->o->fault_model  ? (enum hub_fault_model)(m->o->fault_model - 1)
                       : m->o->local == 3 ? HUB_FAULT_ALL_OF_3
                                          : HUB_FAULT_BFT,
        .quorum = (uint8_t)m->o->quorum,
        .time_ms = hub_network_time_ms(),
        .parameters = hub_span_of(&parameters),
        .card = m->card,
        .cards = m->cards};
    if (hub_founding_genesis(genesis, &why, &plan))
        return true;
    hub_cli_fail(m->cli, 0, "%s", hub_cli_why(m->cli, why));
    return false;
}

/* A signature of every voting member's first governor; *which is the array they are in. */
static bool sign_all(struct making *m, struct hub_span genesis, struct hub_span *signatures)
{
    static const uint8_t none = 0x80; /* the empty array */
    *signatures = (struct hub_span){&none, 1};
    for (uint64_t i = 0; i < m->o->local; i++) {
        uint8_t one_bytes[128];
        struct hub_buf one = {.data = one_bytes, .cap = sizeof one_bytes};
        struct hub_buf merged = {.data = m->signatures[i % 2], .cap = sizeof m->signatures[0]};
        struct hub_keyfile key;
        char path[PATH_MAX_BYTES];
        const char *why = "";
        if (!path_of(path, m, seat_of(i, m->o->local).code, "governor-1.key"))
            return false;
        if (hub_keyfile_open(&key, path, NULL, &why) != HUB_OK) {
            hub_cli_fail(m->cli, 0, "%s: %s", path, hub_cli_why(m->cli, why));
            return false;
        }
        hub_genesis_sign(&one, genesis, &key);
        hub_keyfile_close(&key);
        if (!hub_signatures_merge(&merged, *signatures, hub_span_of(&one)))
            return false;
        *signatures = hub_span_of(&merged);
    }
    return true;
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

static bool write_file(const struct making *m, const char *name, struct hub_span bytes)
{
    char path[PATH_MAX_BYTES];
    return path_of(path, m, "", name) && hub_cli_write_file(m->cli, path, bytes, false);
}

static bool write_all(struct making *m)
{
    char path[PATH_MAX_BYTES], chain[65];
    struct hub_buf file = {.data = m->genesis, .cap = sizeof m->genesis};
    struct hub_buf endpoints = {.data = m->endpoints, .cap = sizeof m->endpoints};
    struct hub_buf invite = {.data = malloc(HUB_FOUNDING_BYTES_MAX), .cap = HUB_FOUNDING_BYTES_MAX};
    struct hub_founding check;
    struct hub_span signatures;
    const char *why = "";
    bool ok = invite.data && make_genesis(m, &file) && sign_all(m, hub_span_of(&file), &signatures);
    hub_founding_endpoints(&endpoints, m->card, m->cards);
    ok = ok &&
         hub_founding_write(&invite, hub_span_of(&file), hub_span_of(&endpoints), signatures) &&
         hub_founding_read(&check, &why, hub_span_of(&invite)) &&
         write_file(m, "genesis.cbor", hub_span_of(&file)) &&
         write_file(m, "genesis.signatures", signatures) &&
         write_file(m, "genesis.invite", hub_span_of(&invite));
    for (uint64_t i = 0; ok && i < m->o->local; i++)
        ok = write_config(m, i);
    if (ok && path_of(path, m, "", "genesis.cbor")) {
        hub_format_hex(chain, check.genesis.chain.b, 32);
        hub_cli_say(m->cli, HUB_T(m->cli, "genesis   %s  chain %s", "创世文件  %s  链标识 %s"),
                    path, chain);
        hub_cli_say(
            m->cli,
            HUB_T(m->cli, "signed by %u of %u voting members", "已由 %u / %u 个表决成员签名"),
            (unsigned)m->o->local, (unsigned)m->o->local);
    }
    free(invite.data);
    return ok;
}

int hub_network_make_trial(struct hub_cli *cli, const struct hub_network_options *o)
{
    struct making *m = calloc(1, sizeof *m);
    if (!m)
        return HUB_EXIT_UNREACHABLE;
    m->cli = cli;
    m->o = o;
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
