/* agreement.c: draft, propose and decide on agreements. Who signs gives the papers themselves, reads the sheet, and
 * types the phrase; the signature is over the body, and the record carries it. */
#include "tools/agreement.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    OPT_DOCUMENT = 1,
    OPT_FROM,
    OPT_REMARK,
    OPT_SIGN,
    OPT_REVISION,
    OPT_STATE,
    OPT_WAITING_ON,
    OPT_PARTY,
    OPT_LEAD,
    OPT_NUMBER,
    OPT_AREA,
    OPT_DUE_BEFORE,
    CORE_BYTES = HUB_RECORD_BYTES_MAX,
    PART_BYTES = 4096 /* 16 hashes, remark of 1,000 bytes, kid, signature */
};

static error_t parse_filter(int key, const char *arg, struct hub_agreement_options *o)
{
    uint64_t ms;
    switch (key) {
    case OPT_STATE:
        return o->state = arg, 0;
    case OPT_WAITING_ON:
        return o->waiting_on = arg, 0;
    case OPT_PARTY:
        return o->party = arg, 0;
    case OPT_LEAD:
        return o->lead = arg, 0;
    case OPT_NUMBER:
        return o->number = arg, 0;
    case OPT_AREA:
        return o->area = arg, 0;
    case OPT_DUE_BEFORE:
        return o->due_before = arg, hub_parse_time(&ms, arg, true) ? 0 : EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, void *own)
{
    struct hub_agreement_options *o = own;
    switch (key) {
    case OPT_DOCUMENT:
        if (o->documents == HUB_DOCUMENTS_MAX)
            return EINVAL;
        return o->document[o->documents++] = arg, 0;
    case OPT_FROM:
        return o->from = arg, 0;
    case OPT_REMARK:
        return o->remark = arg, strlen(arg) <= HUB_REMARK_BYTES_MAX ? 0 : EINVAL;
    case OPT_SIGN:
        return o->sign = true, 0;
    case OPT_REVISION:
        return hub_parse_uint(&o->revision, arg, UINT32_MAX) && o->revision ? 0 : EINVAL;
    default:
        return parse_filter(key, arg, o);
    }
}

static bool new_buffer(const struct hub_cli *cli, struct hub_buf *b, size_t cap)
{
    *b = (struct hub_buf){.data = malloc(cap), .cap = cap};
    if (!b->data)
        hub_cli_fail(cli, 0, "%s", strerror(ENOMEM));
    return b->data != NULL;
}

/* ---- signing */

/* The phrase, in the language the script or the person uses. */
static bool confirm(const struct hub_cli *cli, struct hub_span body)
{
    const struct hub_span number = hub_field_span(body, "number");
    char en[128], zh[128];
    snprintf(en, sizeof en, "sign %.*s", (int)number.len, (const char *)number.data);
    snprintf(zh, sizeof zh, "同意签署 %.*s", (int)number.len, (const char *)number.data);
    const char *phrase = HUB_T(cli, en, zh);
    if (cli->confirm && (!strcmp(cli->confirm, en) || !strcmp(cli->confirm, zh)))
        phrase = cli->confirm;
    return hub_cli_confirm(
        cli, HUB_T(cli, "A signature to an agreement is final.", "协议一经签署不可更改。"), phrase);
}

/* Papers, sheet, phrase, signature over the body, consent-part. An enum hub_exit. */
static int consent(struct hub_cli *cli, struct hub_buf *part, struct hub_span body,
                   const struct hub_agreement_options *o)
{
    struct hub_papers papers;
    struct hub_hash reviewed[HUB_DOCUMENTS_MAX];
    struct hub_buf message, item;
    uint8_t protected_bytes[HUB_REMARK_BYTES_MAX + 64], item_bytes[HUB_REMARK_BYTES_MAX + 256];
    struct hub_buf protected_ = {.data = protected_bytes, .cap = sizeof protected_bytes};
    struct hub_signature signature;
    if (!hub_papers_read(cli, &papers, o->document, o->documents))
        return HUB_EXIT_UNREACHABLE;
    const int code = hub_papers_match(cli, &papers, body);
    if (code != HUB_EXIT_OK)
        return code;
    hub_sheet_print(cli, body);
    if (!confirm(cli, body))
        return HUB_EXIT_USAGE;
    const struct hub_keyfile *key = hub_cli_key(cli);
    if (!key || !new_buffer(cli, &message, body.len + sizeof protected_bytes + 96))
        return HUB_EXIT_UNREACHABLE;
    item = (struct hub_buf){.data = item_bytes, .cap = sizeof item_bytes};
    hub_consent_protected(&protected_, &key->kid, hub_text_span(o->remark ? o->remark : ""));
    hub_consent_message(&message, body, hub_span_of(&protected_));
    HUB_ASSERT(!message.full && !protected_.full);
    hub_sign(&signature, key->secrets->sign, hub_span_of(&message));
    free(message.data);
    hub_consent_encode(&item, hub_span_of(&protected_), &signature);
    for (unsigned i = 0; i < papers.count; i++)
        reviewed[i] = papers.paper[i].sha256;
    hub_consent_part_encode(part, reviewed, papers.count, hub_span_of(&item));
    HUB_ASSERT(!part->full && !item.full);
    return HUB_EXIT_OK;
}

static int send_core(struct hub_cli *cli, enum hub_record_type_id type, const struct hub_buf *core)
{
    const struct hub_signing what = {.type = (uint16_t)type, .core = hub_span_of(core)};
    if (core->full)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "larger than the 65,535 bytes a record may have",
                                  "超过单条记录 65,535 字节的上限"));
    return hub_cli_sign_and_send(cli, &what, NULL);
}

/* ---- draft, propose, amend */

/* The public part of --key: an agreement's id holds the kid of its proposer. */
static bool proposer(const struct hub_cli *cli, struct hub_keyfile *key)
{
    const char *why = "";
    if (!cli->key_path) {
        hub_cli_fail(cli, 0,
                     HUB_T(cli, "name the key that will propose it: --key FILE",
                           "请用 --key 文件 指定发起人的密钥"));
        return false;
    }
    if (hub_keyfile_show(key, cli->key_path, &why) == HUB_OK)
        return true;
    hub_cli_fail(cli, 0, "%s: %s", cli->key_path, hub_cli_why(cli, why));
    return false;
}

static int write_draft(struct hub_cli *cli, const struct hub_buf *core,
                       const struct hub_draft_place *place)
{
    char id[65];
    hub_format_hex(id, place->agreement.b, 32);
    if (!hub_cli_write_file(cli, cli->output, hub_span_of(core), false))
        return HUB_EXIT_UNREACHABLE;
    if (cli->json) {
        json_t *told = json_pack("{s:s, s:s}", "id", id, "file", cli->output);
        hub_cli_json(told);
        json_decref(told);
    }
    hub_cli_say(cli,
                HUB_T(cli,
                      "draft of agreement %s in %s; next: hubledger agreement propose %s [--sign]",
                      "协议 %s 的草案已写入 %s；下一步：hubledger agreement propose %s [--sign]"),
                id, cli->output, cli->output);
    return HUB_EXIT_OK;
}

static int run_draft(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct hub_agreement_options *o = own;
    struct hub_draft_place place = {.revision = 1};
    struct hub_papers papers;
    struct hub_keyfile key;
    struct hub_buf body = {0}, core = {0};
    uint8_t nonce[16];
    int code = HUB_EXIT_USAGE;
    (void)argc, (void)argv;
    if (!o->from || !cli->output)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli,
                                  "name the text file with --from FILE and the draft with -o FILE",
                                  "请用 --from 文件 指定协议要素，用 -o 文件 指定草案"));
    if (!hub_cli_genesis(cli) || !proposer(cli, &key) ||
        !hub_papers_read(cli, &papers, o->document, o->documents))
        return HUB_EXIT_UNREACHABLE;
    if (getrandom(nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s", strerror(errno));
    place.chain = cli->genesis->chain;
    hub_agreement_id(&place.agreement, &place.chain, &key.kid, nonce);
    if (new_buffer(cli, &body, CORE_BYTES) && new_buffer(cli, &core, CORE_BYTES) &&
        hub_draft_from_file(cli, &body, o->from, &papers, &place)) {
        hub_propose_encode(&core, hub_span_of(&body), nonce, (struct hub_span){NULL, 0});
        if (!core.full &&
            hub_draft_check(cli, HUB_TYPE_AGREEMENT_PROPOSE, hub_span_of(&core), &key.kid))
            code = write_draft(cli, &core, &place);
    }
    free(body.data);
    free(core.data);
    return code;
}

/* The draft's id was made with the kid of the key that proposes it. */
static int check_proposer(struct hub_cli *cli, const struct hub_agreement_text *t)
{
    struct hub_hash id;
    const struct hub_keyfile *key = hub_cli_key(cli);
    if (!key)
        return HUB_EXIT_UNREACHABLE;
    hub_agreement_id(&id, &cli->genesis->chain, &key->kid, t->nonce);
    if (hub_hash_equal(&id, &t->id))
        return HUB_EXIT_OK;
    return hub_cli_fail(
        cli, HUB_EXIT_USAGE,
        HUB_T(cli, "this draft was made for another key than %s: draft it again with this key",
              "该草案不是为密钥 %s 生成的：请用此密钥重新起草"),
        cli->key_path);
}

static int run_propose(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct hub_agreement_options *o = own;
    struct hub_agreement_text t;
    struct hub_buf core = {0}, part = {0};
    (void)argc;
    int code = hub_text_load(cli, &t, argv[0], 0);
    if (code != HUB_EXIT_OK)
        return code;
    if (!t.has_nonce)
        code = hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "%s is on the ledger already", "%s 已在账本上"), argv[0]);
    if (code == HUB_EXIT_OK &&
        (!new_buffer(cli, &core, CORE_BYTES) || !new_buffer(cli, &part, PART_BYTES)))
        code = HUB_EXIT_UNREACHABLE;
    if (code == HUB_EXIT_OK)
        code = check_proposer(cli, &t);
    if (code == HUB_EXIT_OK && o->sign)
        code = consent(cli, &part, hub_span_of(&t.body), o);
    if (code == HUB_EXIT_OK) {
        hub_propose_encode(&core, hub_span_of(&t.body), t.nonce, hub_span_of(&part));
        code = send_core(cli, HUB_TYPE_AGREEMENT_PROPOSE, &core);
    }
    free(t.body.data);
    free(core.data);
    free(part.data);
    return code;
}

/* The successor of what is on the ledger now. */
static int make_amendment(struct hub_cli *cli, struct hub_buf *core, struct hub_buf *part,
                          const struct hub_agreement_text *was,
                          const struct hub_agreement_options *o)
{
    const struct hub_draft_place place = {.agreement = was->id,
                                          .chain = cli->genesis->chain,
                                          .previous = was->hash,
                                          .revision = was->revision + 1};
    struct hub_papers papers;
    struct hub_keyfile key;
    struct hub_buf body;
    int code = HUB_EXIT_USAGE;
    if (!proposer(cli, &key) || !hub_papers_read(cli, &papers, o->document, o->documents) ||
        !new_buffer(cli, &body, CORE_BYTES))
        return HUB_EXIT_UNREACHABLE;
    if (hub_draft_from_file(cli, &body, o->from, &papers, &place)) {
        code = o->sign ? consent(cli, part, hub_span_of(&body), o) : HUB_EXIT_OK;
        hub_amend_encode(core, &was->id, hub_span_of(&body), hub_span_of(part));
        if (code == HUB_EXIT_OK && !core->full &&
            !hub_draft_check(cli, HUB_TYPE_AGREEMENT_AMEND, hub_span_of(core), &key.kid))
            code = HUB_EXIT_USAGE;
    }
    free(body.data);
    return code;
}

static int run_amend(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct hub_agreement_options *o = own;
    struct hub_agreement_text was;
    struct hub_buf core = {0}, part = {0};
    (void)argc;
    if (!o->from)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "name the text file of the next draft with --from FILE",
                                  "请用 --from 文件 指定新一版协议要素"));
    int code = hub_text_load(cli, &was, argv[0], 0);
    if (code != HUB_EXIT_OK)
        return code;
    if (was.from_file)
        code =
            hub_cli_fail(cli, HUB_EXIT_USAGE,
                         HUB_T(cli, "%s is a draft that was not proposed: draft it again instead",
                               "%s 是尚未发起的草案：请直接重新起草"),
                         argv[0]);
    if (code == HUB_EXIT_OK &&
        (!new_buffer(cli, &core, CORE_BYTES) || !new_buffer(cli, &part, PART_BYTES)))
        code = HUB_EXIT_UNREACHABLE;
    if (code == HUB_EXIT_OK)
        code = make_amendment(cli, &core, &part, &was, o);
    if (code == HUB_EXIT_OK)
        code = send_core(cli, HUB_TYPE_AGREEMENT_AMEND, &core);
    free(was.body.data);
    free(core.data);
    free(part.data);
    return code;
}

/* ---- decide */

static int decide(struct hub_cli *cli, const char *what, const struct hub_agreement_options *o,
                  enum hub_decision decision)
{
    struct hub_agreement_text t;
    struct hub_buf core = {0}, part = {0};
    const struct hub_span remark = hub_text_span(o->remark ? o->remark : "");
    if (decision != HUB_DECISION_SIGN && remark.len == 0)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "say why with --remark TEXT", "请用 --remark 填写意见"));
    int code = hub_text_load(cli, &t, what, (uint32_t)o->revision);
    if (code != HUB_EXIT_OK)
        return code;
    if (!new_buffer(cli, &core, CORE_BYTES) || !new_buffer(cli, &part, PART_BYTES))
        code = HUB_EXIT_UNREACHABLE;
    if (code == HUB_EXIT_OK && decision == HUB_DECISION_SIGN)
        code = consent(cli, &part, hub_span_of(&t.body), o);
    if (code == HUB_EXIT_OK) {
        hub_consent_record_encode(&core, &t.id, t.revision, &t.hash, decision, remark,
                                  hub_span_of(&part));
        code = send_core(cli, HUB_TYPE_AGREEMENT_CONSENT, &core);
    }
    free(t.body.data);
    free(core.data);
    free(part.data);
    return code;
}

static int run_sign(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    (void)argc;
    return decide(cli, argv[0], own, HUB_DECISION_SIGN);
}

static int run_refuse(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    (void)argc;
    return decide(cli, argv[0], own, HUB_DECISION_REFUSE);
}

static int run_return(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    (void)argc;
    return decide(cli, argv[0], own, HUB_DECISION_RETURN);
}

static int run_review(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct hub_agreement_options *o = own;
    struct hub_agreement_text t;
    (void)argc;
    const int code = hub_text_load(cli, &t, argv[0], (uint32_t)o->revision);
    if (code != HUB_EXIT_OK)
        return code;
    hub_sheet_print(cli, hub_span_of(&t.body));
    free(t.body.data);
    return HUB_EXIT_OK;
}

/* ---- the table */

#define DOCUMENT                                                                                   \
    {                                                                                              \
        "document", OPT_DOCUMENT, "FILE", 0, "a file of the agreement; repeat for each", 0         \
    }
#define REMARK                                                                                     \
    {                                                                                              \
        "remark", OPT_REMARK, "TEXT", 0, "what you have to say, at most 1,000 bytes", 0            \
    }
#define REVISION                                                                                   \
    {                                                                                              \
        "rev", OPT_REVISION, "N", 0, "this revision (default: the current one)", 0                 \
    }
#define SIGN                                                                                       \
    {                                                                                              \
        "sign", OPT_SIGN, NULL, 0, "sign it, too; needs --document for each file", 0               \
    }
#define FROM                                                                                       \
    {                                                                                              \
        "from", OPT_FROM, "FILE", 0, "the text file that says what is agreed", 0                   \
    }

static const struct argp_option draft_options[] = {FROM, DOCUMENT, {0}};
static const struct argp_option propose_options[] = {SIGN, DOCUMENT, REMARK, {0}};
static const struct argp_option amend_options[] = {FROM, DOCUMENT, SIGN, REMARK, {0}};
static const struct argp_option sign_options[] = {DOCUMENT, REMARK, REVISION, {0}};
static const struct argp_option refuse_options[] = {REMARK, REVISION, {0}};
static const struct argp_option review_options[] = {REVISION, {0}};
static const struct argp_option list_options[] = {
    {"state", OPT_STATE, "S", 0, "proposed, refused, lapsed, signed, in_force, ..", 0},
    {"waiting-on", OPT_WAITING_ON, "M", 0, "what waits for this member", 0},
    {"party", OPT_PARTY, "M", 0, "what this member is a party of", 0},
    {"lead", OPT_LEAD, "M", 0, "what this member leads", 0},
    {"number", OPT_NUMBER, "N", 0, "of this number", 0},
    {"area", OPT_AREA, "C", 0, "of this area of cooperation", 0},
    {"due-before", OPT_DUE_BEFORE, "DATE", 0, "to be signed before this date", 0},
    {0}};

#define OWN .parse = parse, .own_bytes = sizeof(struct hub_agreement_options)
#define ONE .args_min = 1, .args_max = 1

const struct hub_command hub_agreement_commands[] = {
    {.noun = "agreement",
     .verb = "draft",
     .args = "",
     .en = "make a draft from a text file and the documents",
     .zh = "由要素文件和协议文件生成草案",
     .examples =
         "  hubledger agreement draft --from hongqiao.conf --document agreement.pdf "
         "--key seal.key -o hongqiao.draft\n"
         "  hubledger agreement draft --from a.conf --document main.pdf --document annex.pdf "
         "--key seal.key -o a.draft\n"
         "  the text file is described in docs/agreements.md; docs/examples/agreement.conf "
         "is one",
     .options = draft_options,
     OWN,
     .run = run_draft},
    {.noun = "agreement",
     .verb = "propose",
     .args = "DRAFT",
     .en = "put a draft on the ledger; --sign consents to it as well",
     .zh = "发起协议；--sign 同时签署",
     .examples = "  hubledger agreement propose hongqiao.draft --key seal.key --wait\n"
                 "  hubledger agreement propose hongqiao.draft --sign --document agreement.pdf\n"
                 "  hubledger agreement propose hongqiao.draft --offline --seq 7 -o propose.rec",
     .options = propose_options,
     OWN,
     ONE,
     .run = run_propose},
    {.noun = "agreement",
     .verb = "review",
     .args = "ID|DRAFT",
     .en = "read what is agreed, from the signed bytes",
     .zh = "审阅协议要素（取自签署文本）",
     .examples = "  hubledger agreement review hongqiao.draft\n  hubledger agreement review 8f3a\n"
                 "  hubledger agreement review 8f3a --rev 1",
     .options = review_options,
     OWN,
     ONE,
     .run = run_review},
    {.noun = "agreement",
     .verb = "sign",
     .args = "ID|DRAFT",
     .en = "sign; needs every document and a typed phrase",
     .zh = "同意签署；须提供全部文件并输入确认语",
     .examples =
         "  hubledger agreement sign 8f3a --document agreement.pdf --key seal.key\n"
         "  hubledger agreement sign 8f3a --document agreement.pdf --confirm 'sign HQ-1' "
         "--wait\n"
         "  hubledger agreement sign 8f3a --document agreement.pdf --cosign-by approver.key",
     .options = sign_options,
     OWN,
     ONE,
     .run = run_sign},
    {.noun = "agreement",
     .verb = "refuse",
     .args = "ID|DRAFT",
     .en = "refuse, with a reason; may turn into a signature later",
     .zh = "不同意，须附意见；签署截止前可改为同意",
     .examples = "  hubledger agreement refuse 8f3a --remark 'article 3 is not ours to promise'\n"
                 "  hubledger agreement refuse 8f3a --remark 不同意第三条 --wait\n"
                 "  hubledger agreement refuse 8f3a --remark .. --json",
     .options = refuse_options,
     OWN,
     ONE,
     .run = run_refuse},
    {.noun = "agreement",
     .verb = "return",
     .args = "ID|DRAFT",
     .en = "send the draft back for changes, with a remark",
     .zh = "退回修改，须附意见",
     .examples = "  hubledger agreement return 8f3a --remark 'please add the annex'\n"
                 "  hubledger agreement return 8f3a --remark 请补充附件 --wait\n"
                 "  hubledger agreement return 8f3a --remark .. --dry-run",
     .options = refuse_options,
     OWN,
     ONE,
     .run = run_return},
    {.noun = "agreement",
     .verb = "amend",
     .args = "ID",
     .en = "put the next draft on the ledger; earlier consents do not carry over",
     .zh = "发起新一版草案；此前的签署不延续",
     .examples =
         "  hubledger agreement amend 8f3a --from hongqiao-2.conf --document agreement.pdf\n"
         "  hubledger agreement amend 8f3a --from 2.conf --document a.pdf --sign --wait\n"
         "  hubledger agreement amend 'HQ-2026-1' --from 2.conf --document a.pdf",
     .options = amend_options,
     OWN,
     ONE,
     .run = run_amend},
    {.noun = "agreement",
     .verb = "show",
     .args = "ID",
     .en = "who has signed, who is late, what blocks it",
     .zh = "谁已签署、谁已逾期、卡在哪里",
     .examples = "  hubledger agreement show 8f3a\n  hubledger agreement show HQ-2026-1\n"
                 "  hubledger agreement show 8f3a --json",
     OWN,
     ONE,
     .run = hub_agreement_run_show},
    {.noun = "agreement",
     .verb = "list",
     .args = "",
     .en = "agreements, newest first",
     .zh = "协议列表，最新者在前",
     .examples = "  hubledger agreement list\n  hubledger agreement list --waiting-on JIADING\n"
                 "  hubledger agreement list --state in_force --json",
     .options = list_options,
     OWN,
     .run = hub_agreement_run_list},
    {.noun = "agreement",
     .verb = "check",
     .args = "ID FILE...",
     .en = "is this the paper we signed?",
     .zh = "这是我们签署的文件吗？",
     .examples = "  hubledger agreement check 8f3a agreement.pdf\n"
                 "  hubledger agreement check HQ-2026-1 main.pdf annex.pdf\n"
                 "  hubledger agreement check 8f3a agreement.pdf --json",
     OWN,
     .args_min = 2,
     .args_max = 1 + HUB_DOCUMENTS_MAX,
     .run = hub_agreement_run_check},
    {.noun = "agreement",
     .verb = "export",
     .args = "ID",
     .en = "the text and all signatures in one COSE_Sign file",
     .zh = "导出文本与全部签名（COSE_Sign 文件）",
     .examples = "  hubledger agreement export 8f3a -o agreement.cose\n"
                 "  hubledger agreement export 8f3a --rev 1 -o first.cose\n"
                 "  hubledger agreement export HQ-2026-1 -o agreement.cose --json",
     .options = review_options,
     OWN,
     ONE,
     .run = hub_agreement_run_export},
    {0},
};
