/* governance.c: proposals of the members: `governance propose`, `approve`, `reject`, `withdraw`, `list`, `show`. */
#include "tools/governance.h"

#include "hub/body.h"
#include "hub/governance.h"
#include "hub/json.h"
#include "ledger/governance.h"
#include "tools/money.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BODY_BYTES = HUB_ACTIONS_BYTES_MAX + 1024, ID_DIGITS = 32 };
#define DEADLINE_DEFAULT_MS (UINT64_C(14) * 86400000)

struct options {
    const char *zh, *en, *document, *remark, *reference;
    uint64_t deadline, within;
    bool open;
};
enum {
    OPT_ZH = 1,
    OPT_EN,
    OPT_DEADLINE,
    OPT_WITHIN,
    OPT_DOCUMENT,
    OPT_REMARK,
    OPT_REFERENCE,
    OPT_OPEN
};

static error_t parse(int key, char *arg, void *own)
{
    struct options *o = own;
    switch (key) {
    case OPT_ZH:
        return o->zh = arg, 0;
    case OPT_EN:
        return o->en = arg, 0;
    case OPT_DOCUMENT:
        return o->document = arg, 0;
    case OPT_REMARK:
        return o->remark = arg, 0;
    case OPT_REFERENCE:
        return o->reference = arg, 0;
    case OPT_OPEN:
        return o->open = true, 0;
    case OPT_DEADLINE:
        return hub_parse_time(&o->deadline, arg, true) ? 0 : EINVAL;
    case OPT_WITHIN:
        return hub_parse_duration(&o->within, arg) ? 0 : EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- showing */

static const char *state_word(const struct hub_cli *cli, const char *state)
{
    static const char *const words[][3] = {
        {"open", "open", "表决中"},       {"enacted", "enacted", "已通过并生效"},
        {"refused", "refused", "未通过"}, {"withdrawn", "withdrawn", "已撤回"},
        {"failed", "failed", "未能执行"}, {"lapsed", "lapsed", "逾期失效"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcmp(words[i][0], state))
            return HUB_T(cli, words[i][1], words[i][2]);
    return state;
}

static const char *title_of(const struct hub_cli *cli, const json_t *p)
{
    const json_t *title = json_object_get(p, "title");
    const char *en = hub_json_text(title, "en");
    return !cli->zh && *en ? en : hub_json_text(title, "zh");
}

/* "2 of 3 needed, 1 so far; waiting for JIADING, HUBOFFICE" */
static void say_arithmetic(const struct hub_cli *cli, const json_t *p)
{
    char waiting[512] = "";
    size_t i;
    json_t *member;
    json_array_foreach(json_object_get(p, "waiting_on"), i, member)
    {
        const size_t len = strlen(waiting);
        const char *code = json_string_value(member);
        snprintf(waiting + len, sizeof waiting - len, "%s%s", len ? ", " : "", code ? code : "?");
    }
    hub_cli_say(cli,
                HUB_T(cli, "  %lld of %lld needed, %lld so far, %lld against%s%s",
                      "  需 %lld/%lld 家同意，现 %lld 家同意、%lld 家反对%s%s"),
                json_integer_value(json_object_get(p, "needed")),
                json_integer_value(json_object_get(p, "entitled")),
                json_integer_value(json_object_get(p, "approvals")),
                json_integer_value(json_object_get(p, "rejections")),
                *waiting ? HUB_T(cli, "; no vote yet: ", "；尚未表决：") : "", waiting);
}

static void say_proposal(const struct hub_cli *cli, const json_t *p)
{
    char when[64];
    hub_format_time(when, hub_json_number(p, "deadline_ms", 0), cli->zh);
    hub_cli_say(cli, HUB_T(cli, "%s  %s  (%s, by %s, until %s)", "%s  %s（%s，%s 发起，截止 %s）"),
                hub_json_text(p, "id"), title_of(cli, p),
                state_word(cli, hub_json_text(p, "state")), hub_json_text(p, "proposer"), when);
    if (json_object_get(p, "code"))
        hub_cli_say(cli, "  %s: %s", hub_json_text(p, "name"),
                    hub_json_text(p, cli->zh ? "zh" : "en"));
    say_arithmetic(cli, p);
}

static void say_actions(const struct hub_cli *cli, const json_t *p)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(p, "actions"), i, item)
    {
        char *text = json_dumps(item, JSON_COMPACT | JSON_PRESERVE_ORDER);
        hub_cli_say(cli, "  %zu. %s", i + 1, text ? text : "?");
        free(text);
    }
}

static void say_votes(const struct hub_cli *cli, const json_t *p)
{
    size_t i;
    json_t *item;
    char when[64];
    json_array_foreach(json_object_get(p, "votes"), i, item)
    {
        const bool yes = !strcmp(hub_json_text(item, "vote"), "approve");
        hub_format_time(when, hub_json_number(item, "at_ms", 0), cli->zh);
        hub_cli_say(cli, "  %s %s  %s", yes ? "+" : "x", hub_json_text(item, "member"), when);
    }
}

/* Too few nodes of a proposed set are up: the deciding vote would close it as failed. */
static void say_readiness(const struct hub_cli *cli, const json_t *p)
{
    const json_t *r = json_object_get(p, "readiness");
    const long long ready = json_integer_value(json_object_get(r, "ready"));
    const long long needed = json_integer_value(json_object_get(r, "needed"));
    if (!r || strcmp(hub_json_text(p, "state"), "open") != 0)
        return;
    hub_cli_say(cli,
                HUB_T(cli, "  nodes of the new set that reported ready: %lld of %lld needed%s",
                      "  新共识节点集已报告就绪：%lld，至少需要 %lld%s"),
                ready, needed,
                ready < needed ? HUB_T(cli, "; decided now, it would fail with ready_missing",
                                       "；若此时表决通过，将因 ready_missing 而未能执行")
                               : "");
}

/* ---- finding */

/* The proposal of this reference, or of the one that begins so. */
static int fetch(struct hub_cli *cli, struct hub_reply *r, const char *id)
{
    char path[96] = "/v1/proposals/";
    int code;
    *r = (struct hub_reply){0};
    if (strspn(id, "0123456789abcdef") != strlen(id) || strlen(id) > ID_DIGITS)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "'%s' is no proposal: see `governance list`",
                                  "“%s”不是提案编号：请查看 governance list"),
                            id);
    if (strlen(id) == ID_DIGITS) {
        strcat(path, id);
        return hub_cli_get(cli, r, path, &code) ? HUB_EXIT_OK : code;
    }
    struct hub_reply list;
    const char *found = NULL;
    size_t i, matches = 0;
    json_t *item;
    if (!hub_cli_get(cli, &list, "/v1/proposals?limit=500", &code))
        return code;
    json_array_foreach(json_object_get(list.json, "items"), i, item)
    {
        if (strncmp(hub_json_text(item, "id"), id, strlen(id)) == 0) {
            found = hub_json_text(item, "id");
            matches++;
        }
    }
    if (matches == 1)
        strncat(path, found, ID_DIGITS);
    hub_reply_free(&list);
    if (matches != 1)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "%zu proposals begin with %s: name one of them",
                                  "有 %zu 个提案以 %s 开头：请指明其一"),
                            matches, id);
    return hub_cli_get(cli, r, path, &code) ? HUB_EXIT_OK : code;
}

static int run_show(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_reply r;
    int code = fetch(cli, &r, argv[0]);
    (void)own, (void)argc;
    if (code != HUB_EXIT_OK)
        return code;
    if (cli->json)
        hub_cli_json(json_incref(r.json));
    say_proposal(cli, r.json);
    say_actions(cli, r.json);
    say_votes(cli, r.json);
    say_readiness(cli, r.json);
    hub_reply_free(&r);
    return HUB_EXIT_OK;
}

static int run_list(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    struct hub_reply r;
    size_t i;
    json_t *item;
    int code;
    (void)argc, (void)argv;
    if (!hub_cli_get(cli, &r, o->open ? "/v1/proposals?state=open&limit=500" : "/v1/proposals",
                     &code))
        return code;
    json_array_foreach(json_object_get(r.json, "items"), i, item)
    {
        if (cli->json)
            hub_cli_json(json_incref(item));
        else
            say_proposal(cli, item);
    }
    if (!json_array_size(json_object_get(r.json, "items")))
        hub_cli_say(cli, "%s", HUB_T(cli, "no proposals", "没有提案"));
    hub_reply_free(&r);
    return HUB_EXIT_OK;
}

static int run_parameters(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_reply r;
    size_t i;
    json_t *item;
    int code;
    (void)own, (void)argc, (void)argv;
    if (!hub_cli_get(cli, &r, "/v1/parameters", &code))
        return code;
    if (cli->json)
        hub_cli_json(json_incref(r.json));
    json_array_foreach(json_object_get(r.json, "items"), i, item)
    {
        hub_cli_say(cli, "%-30s %s  (%s..%s, %s)", hub_json_text(item, "name"),
                    hub_json_text(item, "value"), hub_json_text(item, "min"),
                    hub_json_text(item, "max"), hub_json_text(item, "owner"));
    }
    hub_reply_free(&r);
    return HUB_EXIT_OK;
}

/* ---- proposing */

static void put_body(struct hub_buf *b, const struct options *o, struct hub_span actions,
                     uint64_t deadline, const struct hub_hash *document,
                     const uint8_t reference[HUB_REFERENCE_BYTES])
{
    hub_put_map(b, 4u + (document != NULL));
    hub_put_text(b, "title");
    hub_put_map(b, o->en ? 2 : 1);
    if (o->en) {
        hub_put_text(b, "en");
        hub_put_text(b, o->en);
    }
    hub_put_text(b, "zh");
    hub_put_text(b, o->zh);
    hub_put_text(b, "actions");
    hub_put_raw(b, actions);
    hub_put_text(b, "deadline");
    hub_put_uint(b, deadline);
    if (document) {
        hub_put_text(b, "document");
        hub_put_hash(b, document);
    }
    hub_put_text(b, "proposal");
    hub_put_bytes(b, (struct hub_span){reference, HUB_REFERENCE_BYTES});
}

static int run_propose(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    static uint8_t action_bytes[HUB_ACTIONS_BYTES_MAX], body_bytes[BODY_BYTES];
    struct hub_buf actions = {action_bytes, 0, sizeof action_bytes, false};
    struct hub_buf body = {body_bytes, 0, sizeof body_bytes, false};
    uint8_t reference[HUB_REFERENCE_BYTES];
    char id[2 * HUB_REFERENCE_BYTES + 1];
    struct hub_hash document;
    int code;
    if (!o->zh)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "give it a title: --title-zh TEXT [--title-en TEXT]",
                                  "请给出标题：--title-zh 文本 [--title-en 文本]"));
    code = hub_actions_parse(cli, &actions, argc, argv);
    if (code != HUB_EXIT_OK)
        return code;
    if (o->document && !hub_cli_hash_file(cli, &document, o->document))
        return HUB_EXIT_UNREACHABLE;
    if (!(o->reference ? hub_reference_of(reference, o->reference) : hub_reference_new(reference)))
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "--reference: 32 hex digits, or any text",
                                  "--reference：32 位十六进制或任意文本"));
    const uint64_t deadline =
        o->deadline ? o->deadline
                    : (uint64_t)time(NULL) * 1000 + (o->within ? o->within : DEADLINE_DEFAULT_MS);
    put_body(&body, o, hub_span_of(&actions), deadline, o->document ? &document : NULL, reference);
    hub_format_hex(id, reference, sizeof reference);
    hub_cli_say(cli, HUB_T(cli, "proposal %s", "提案 %s"), id);
    return hub_cli_sign_and_send(
        cli, &(struct hub_signing){.type = HUB_TYPE_GOVERNANCE_PROPOSE, .core = hub_span_of(&body)},
        NULL);
}

/* ---- voting */

/* A vote signs the hash of the actions, and the ledger compares it with the proposal's. The bytes are hashed and shown here,
 * whatever else the node says of them. False: they are not well formed, or not of the hash that it names. */
static bool show_signed(const struct hub_cli *cli, struct hub_hash *hash, const json_t *p)
{
    static uint8_t bytes[HUB_ACTIONS_BYTES_MAX], text[8 * HUB_ACTIONS_BYTES_MAX];
    const char *hex = hub_json_text(p, "actions_cbor"), *field;
    const struct hub_span actions = {bytes, strlen(hex) / 2};
    struct hub_hash said;
    if (actions.len > sizeof bytes || !hub_parse_hex(bytes, actions.len, hex) ||
        !hub_parse_hex(said.b, sizeof said.b, hub_json_text(p, "actions_hash")))
        return false;
    hub_actions_hash(hash, actions);
    struct hub_cbor c = hub_cbor_open(actions);
    const uint32_t n = hub_cbor_array(&c, 1, HUB_ACTIONS_MAX);
    for (uint32_t i = 0; i < n && !c.bad; i++) {
        struct hub_buf out = {text, 0, sizeof text, false};
        const struct hub_span action = hub_cbor_item(&c);
        if (c.bad || hub_body_check(action, hub_action_fields, &field))
            return false;
        hub_json_body(&out, action, hub_action_fields);
        hub_cli_say(cli, "  %u. %.*s", i + 1, (int)out.len, (const char *)text);
    }
    return hub_cbor_done(&c) && hub_hash_equal(hash, &said);
}

static int vote(struct hub_cli *cli, const struct options *o, const char *id, uint16_t type)
{
    uint8_t bytes[1024];
    struct hub_buf body = {bytes, 0, sizeof bytes, false};
    uint8_t reference[HUB_REFERENCE_BYTES];
    struct hub_hash hash;
    struct hub_reply r;
    int code = fetch(cli, &r, id);
    if (code != HUB_EXIT_OK)
        return code;
    say_proposal(cli, r.json);
    const bool good = hub_parse_hex(reference, sizeof reference, hub_json_text(r.json, "id")) &&
                      !strncmp(hub_json_text(r.json, "id"), id, strlen(id)) &&
                      show_signed(cli, &hash, r.json);
    say_votes(cli, r.json);
    say_readiness(cli, r.json);
    hub_reply_free(&r);
    if (!good)
        return hub_cli_fail(
            cli, HUB_EXIT_UNVERIFIED,
            HUB_T(cli,
                  "the node's answer is not of this proposal, or its actions are not those of "
                  "their hash: nothing was signed; ask another node (--node)",
                  "节点应答不是该提案，或其事项与哈希不符：未签署任何内容；请改用其他节点（--"
                  "node）"));
    if (!hub_cli_ask(cli, HUB_T(cli, "sign this vote?", "签署该表决？")))
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "nothing was signed", "未签署任何内容"));
    hub_put_map(&body, o->remark ? 3 : 2);
    if (o->remark) {
        hub_put_text(&body, "remark");
        hub_put_text(&body, o->remark);
    }
    hub_put_text(&body, "proposal");
    hub_put_bytes(&body, (struct hub_span){reference, sizeof reference});
    hub_put_text(&body, "actions_hash");
    hub_put_hash(&body, &hash);
    if (body.full)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "--remark: at most 500 bytes", "--remark：至多 500 字节"));
    return hub_cli_sign_and_send(
        cli, &(struct hub_signing){.type = type, .core = hub_span_of(&body)}, NULL);
}

static int run_approve(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    (void)argc;
    return vote(cli, own, argv[0], HUB_TYPE_GOVERNANCE_APPROVE);
}

static int run_reject(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    (void)argc;
    return vote(cli, own, argv[0], HUB_TYPE_GOVERNANCE_REJECT);
}

static int run_withdraw(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    (void)argc;
    return vote(cli, own, argv[0], HUB_TYPE_GOVERNANCE_WITHDRAW);
}

static const struct argp_option propose_options[] = {
    {"title-zh", OPT_ZH, "TEXT", 0, "what it is called, in Chinese (required)", 0},
    {"title-en", OPT_EN, "TEXT", 0, "and in English", 0},
    {"deadline", OPT_DEADLINE, "DATE", 0, "votes until then (default: 14 days)", 0},
    {"within", OPT_WITHIN, "TIME", 0, "votes for so long: 2h, 7d", 0},
    {"document", OPT_DOCUMENT, "FILE", 0, "a document behind it; only its hash is recorded", 0},
    {"reference", OPT_REFERENCE, "HEX", 0,
     "its number: 32 hex digits, or a text it is made of (default: random)", 0},
    {0},
};
static const struct argp_option vote_options[] = {
    {"remark", OPT_REMARK, "TEXT", 0, "why", 0},
    {0},
};
static const struct argp_option list_options[] = {
    {"open", OPT_OPEN, NULL, 0, "only those that can be voted on", 0},
    {0},
};

#define OWN .parse = parse, .own_bytes = sizeof(struct options)
const struct hub_command hub_governance_commands[] = {
    {.noun = "governance",
     .verb = "propose",
     .args = "ACTION WORD.. [+ ACTION WORD..]",
     .en = "propose to the members: admit, suspend, restore, remove, succeed, validators, "
           "parameter, governor, version",
     .zh = "向成员单位发起提案：接纳、中止、恢复、移除、承继、共识节点、参数、治理密钥、版本",
     .examples =
         "  hubledger governance propose parameter ready.max_age_h 48 --title-zh 延长就绪期 --key "
         "governor-1.key --wait\n"
         "  hubledger governance propose admit qingpu.card validating --cosign-by g1.key "
         "--cosign-by g2.key --cosign-by node.key --title-zh 接纳青浦区\n"
         "  hubledger governance propose remove BANK + validators 3 bft a.key b.key c.key d.key "
         "--title-zh 移除银行节点",
     .options = propose_options,
     OWN,
     .args_min = 1,
     .args_max = HUB_CLI_ARGS_MAX,
     .run = run_propose},
    {.noun = "governance",
     .verb = "approve",
     .args = "ID",
     .en = "vote for a proposal",
     .zh = "对提案投赞成票",
     .examples = "  hubledger governance approve 5f0c --key governor-1.key --wait",
     .options = vote_options,
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_approve},
    {.noun = "governance",
     .verb = "reject",
     .args = "ID",
     .en = "vote against a proposal",
     .zh = "对提案投反对票",
     .examples = "  hubledger governance reject 5f0c --remark 条件未成熟 --key governor-1.key",
     .options = vote_options,
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_reject},
    {.noun = "governance",
     .verb = "withdraw",
     .args = "ID",
     .en = "take back an own proposal",
     .zh = "撤回本单位的提案",
     .examples = "  hubledger governance withdraw 5f0c --key governor-1.key",
     .options = vote_options,
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_withdraw},
    {.noun = "governance",
     .verb = "list",
     .args = "",
     .en = "the proposals, newest first, with votes needed and missing",
     .zh = "列出提案及所需、所缺的票",
     .examples = "  hubledger governance list --open",
     .options = list_options,
     OWN,
     .run = run_list},
    {.noun = "governance",
     .verb = "show",
     .args = "ID",
     .en = "one proposal: its actions, votes and arithmetic",
     .zh = "显示提案的事项、表决和计票",
     .examples = "  hubledger governance show 5f0c",
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_show},
    {.noun = "governance",
     .verb = "parameters",
     .args = "",
     .en = "the ledger's parameters, their ranges and who decides on them",
     .zh = "列出账本参数、范围及决定方",
     .examples = "  hubledger governance parameters",
     OWN,
     .run = run_parameters},
    {0},
};
