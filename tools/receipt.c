/* receipt.c: proofs for strangers: `receipt get`, `verify`, `show`. Checking needs the genesis file and nothing
 * else. */
#include "tools/cli.h"

#include "hub/json.h"
#include "hub/receipt.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 1 << 18 };

struct options {
    const char *record, *format;
    uint64_t entry;
    bool has_entry;
};
enum { OPT_ENTRY = 1, OPT_FORMAT, OPT_RECORD };

static error_t parse(int key, char *arg, void *own)
{
    struct options *o = own;
    switch (key) {
    case OPT_ENTRY:
        o->has_entry = true;
        return hub_parse_uint(&o->entry, arg, HUB_BATCH_ENTRIES_MAX - 1) ? 0 : EINVAL;
    case OPT_FORMAT:
        o->format = arg;
        return !strcmp(arg, "bundle") || !strcmp(arg, "statement") ? 0 : EINVAL;
    case OPT_RECORD:
        return o->record = arg, 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int run_get(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    char path[160], entry[24] = "", name[96];
    struct hub_hash id;
    struct hub_reply r;
    int code;
    (void)argc;
    if (!hub_parse_hex(id.b, sizeof id.b, argv[0]))
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "'%s' is no record id: 64 hex digits",
                                  "“%s”不是记录标识：应为 64 位十六进制"),
                            argv[0]);
    if (o->has_entry)
        snprintf(entry, sizeof entry, "&entry=%" PRIu64, o->entry);
    snprintf(path, sizeof path, "/v1/receipts/%s?format=%s%s", argv[0],
             o->format ? o->format : "bundle", entry);
    if (!hub_cli_get(cli, &r, path, &code))
        return code;
    snprintf(name, sizeof name, "%.16s.receipt", argv[0]);
    code = hub_cli_write_file(cli, cli->output ? cli->output : name, hub_span_of(&r.body), false)
               ? HUB_EXIT_OK
               : HUB_EXIT_UNREACHABLE;
    if (code == HUB_EXIT_OK && (!cli->output || strcmp(cli->output, "-") != 0))
        hub_cli_say(
            cli,
            HUB_T(cli,
                  "%s  %zu bytes; check it anywhere: hubledger receipt verify %s --genesis GENESIS",
                  "%s  %zu 字节；可在任何地方核验：hubledger receipt verify %s --genesis 创世文件"),
            cli->output ? cli->output : name, r.body.len, cli->output ? cli->output : name);
    hub_reply_free(&r);
    return code;
}

static const char *const verdict_names[] = {"ok",           "pending",   "tampered",
                                            "other_ledger", "malformed", "override"};

static const char *verdict_text(const struct hub_cli *cli, enum hub_verdict v)
{
    switch (v) {
    case HUB_VERDICT_OK:
        return HUB_T(cli, "OK: recorded and final", "核验通过：已记录且已最终确认");
    case HUB_VERDICT_PENDING:
        return HUB_T(cli,
                     "PENDING: fewer signatures than the quorum; ask a node for a newer receipt",
                     "未达法定签名数；请向节点索取新的回执");
    case HUB_VERDICT_TAMPERED:
        return HUB_T(cli, "TAMPERED: do not rely on this file", "已被篡改：请勿采信此文件");
    case HUB_VERDICT_OTHER_LEDGER:
        return HUB_T(cli, "OTHER LEDGER: it belongs to another genesis file",
                     "属于另一账本（创世文件不同）");
    case HUB_VERDICT_OVERRIDE:
        return HUB_T(cli,
                     "OVERRIDE: all holds, but by a recovery epoch that replaces a quorum; whoever "
                     "follows it says so with --accept-recovery",
                     "存在恢复届次：其余均成立，但以恢复替代了法定数；认可者请以 --accept-recovery "
                     "明示");
    default:
        return HUB_T(cli, "MALFORMED: not a receipt of ours", "格式错误：不是本系统的回执");
    }
}

static void say_signers(const struct hub_cli *cli, const struct hub_receipt_facts *f)
{
    char names[1600] = "";
    for (unsigned i = 0; i < f->set.n; i++)
        if (f->signers >> i & 1) {
            const size_t len = strlen(names);
            snprintf(names + len, sizeof names - len, "%s%s", len ? ", " : "", f->set.v[i].member);
        }
    hub_cli_say(cli,
                HUB_T(cli, "signed by   %u of %u validators (%u needed)  %s",
                      "签名节点  %u / %u（需要 %u）  %s"),
                f->signer_count, f->validator_count, f->quorum, names);
    if (f->newest_epoch > 0)
        hub_cli_say(cli,
                    HUB_T(cli, "validators  epoch %" PRIu64 ", linked to the genesis file",
                          "共识节点  第 %" PRIu64 " 届，已逐届核验至创世文件"),
                    f->newest_epoch);
    if (f->set.fault_model == HUB_FAULT_CRASH_1_OF_3)
        hub_cli_say(
            cli, HUB_T(cli,
                       "note        crash-fault-only certificate (2 of 3): it proves finality "
                       "while no validator lies; ask for one from two districts",
                       "注意      仅防停机的证书（2/3）：仅在没有节点作恶时证明最终性；请向两个区"
                       "分别索取"));
    if (f->validator_count == 1)
        hub_cli_say(cli, HUB_T(cli, "note        single signer: one node alone vouches for this",
                               "注意      单一签名者：仅由一个节点担保"));
}

static void say_facts(const struct hub_cli *cli, const struct hub_receipt_facts *f, bool body)
{
    char id[65], time[64];
    hub_format_hex(id, f->record.id.b, 32);
    hub_format_time(time, f->header.time_ms, cli->zh);
    hub_cli_say(cli,
                HUB_T(cli,
                      "record      %s\ntype        %s\nby          %.*s\nheight      %" PRIu64
                      "\ntime        %s",
                      "记录      %s\n类型      %s\n签发者    %.*s\n高度      %" PRIu64
                      "\n时间      %s"),
                id, hub_record_types[f->record.type].name, (int)f->record.iss.len,
                (const char *)f->record.iss.data, f->header.height, time);
    if (f->has_result) {
        const struct hub_result_text *t = hub_result_text(f->code);
        hub_cli_say(cli, HUB_T(cli, "result      %u %s: %s", "结果      %u %s：%s"), f->code,
                    t ? t->name : "?", t ? HUB_T(cli, t->en, t->zh) : "");
    }
    if (f->has_entry) {
        char wallet[24], yuan[32];
        hub_format_wallet(wallet, hub_get_be64(f->entry.data + 8));
        hub_format_yuan(yuan, hub_get_be64(f->entry.data + 16));
        hub_cli_say(cli, HUB_T(cli, "entry %-5u %s yuan to %s", "第 %u 笔   %s 元 → %s"),
                    f->entry_index, yuan, wallet);
    }
    say_signers(cli, f);
    struct hub_buf text = {.data = malloc(TEXT_BYTES), .cap = TEXT_BYTES};
    if (body && text.data) {
        hub_json_body(&text, f->record.body, hub_record_types[f->record.type].fields);
        hub_cli_say(cli, "%.*s", (int)text.len, (const char *)text.data);
    }
    free(text.data);
}

static void json_facts(const struct hub_receipt_facts *f, enum hub_verdict v, const char *what)
{
    char id[65];
    json_t *o = json_pack("{s:s}", "verdict", verdict_names[v]);
    if (v == HUB_VERDICT_OK) {
        hub_format_hex(id, f->record.id.b, 32);
        json_object_set_new(o, "record_id", json_string(id));
        json_object_set_new(o, "type", json_string(hub_record_types[f->record.type].name));
        json_object_set_new(o, "iss",
                            json_stringn((const char *)f->record.iss.data, f->record.iss.len));
        json_object_set_new(o, "height", json_sprintf("%" PRIu64, f->header.height));
        json_object_set_new(o, "time_ms", json_sprintf("%" PRIu64, f->header.time_ms));
        json_object_set_new(o, "log_index", json_sprintf("%" PRIu64, f->leaf_index));
        json_object_set_new(o, "signers", json_integer(f->signer_count));
        json_object_set_new(o, "quorum", json_integer(f->quorum));
        json_object_set_new(o, "epoch", json_sprintf("%" PRIu64, f->newest_epoch));
        json_object_set_new(o, "crash_fault_only",
                            json_boolean(f->set.fault_model == HUB_FAULT_CRASH_1_OF_3));
        if (f->has_result)
            json_object_set_new(o, "code", json_integer(f->code));
    } else {
        json_object_set_new(o, "what", json_string(what));
    }
    hub_cli_json(o);
    json_decref(o);
}

static int check(struct hub_cli *cli, const char *path, const struct options *o, bool body)
{
    struct hub_buf file;
    struct hub_receipt_facts f;
    struct hub_hash wanted;
    const char *what = "";
    if (!hub_cli_genesis(cli) || !hub_cli_read_file(cli, &file, path, HUB_BUNDLE_BYTES_MAX))
        return HUB_EXIT_UNREACHABLE;
    enum hub_verdict v = hub_receipt_verify(&f, &what, hub_span_of(&file), cli->genesis);
    if (v == HUB_VERDICT_OK && o->record &&
        (!hub_parse_hex(wanted.b, 32, o->record) || !hub_hash_equal(&wanted, &f.record.id))) {
        v = HUB_VERDICT_TAMPERED;
        what = "this receipt is of another record";
    }
    if (cli->json)
        json_facts(&f, v, what);
    hub_cli_say(cli, "%s", verdict_text(cli, v));
    if (v == HUB_VERDICT_OK)
        say_facts(cli, &f, body);
    else
        hub_cli_fail(cli, 0, "%s: %s", path, hub_cli_why(cli, what));
    free(file.data);
    return v == HUB_VERDICT_OK ? HUB_EXIT_OK : HUB_EXIT_UNVERIFIED;
}

static int run_verify(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    (void)argc;
    return check(cli, argv[0], own, false);
}

static int run_show(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    (void)argc;
    return check(cli, argv[0], own, true);
}

static const struct argp_option get_options[] = {
    {"entry", OPT_ENTRY, "N", 0, "prove entry N of a batch, and no other", 0},
    {"format", OPT_FORMAT, "bundle|statement", 0,
     "bundle (default), or a COSE statement with standard receipts", 0},
    {0},
};
static const struct argp_option verify_options[] = {
    {"record", OPT_RECORD, "ID", 0, "it must be the receipt of this record", 0},
    {0},
};
#define OWN .parse = parse, .own_bytes = sizeof(struct options)
const struct hub_command hub_receipt_commands[] = {
    {.noun = "receipt",
     .verb = "get",
     .args = "ID",
     .en = "fetch the proof that a record is on the ledger",
     .zh = "获取存证回执",
     .examples =
         "  hubledger receipt get 7f3a.. -o wages.receipt\n  hubledger receipt get 7f3a.. --entry "
         "12 -o payee.receipt\n  hubledger receipt get 7f3a.. --format statement -o s.cose",
     .options = get_options,
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_get},
    {.noun = "receipt",
     .verb = "verify",
     .args = "FILE",
     .en = "check a receipt with the genesis file alone",
     .zh = "仅凭创世文件核验回执",
     .examples = "  hubledger receipt verify wages.receipt --genesis genesis.cbor\n  hubledger "
                 "receipt verify wages.receipt --record 7f3a..",
     .options = verify_options,
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_verify},
    {.noun = "receipt",
     .verb = "show",
     .args = "FILE",
     .en = "check a receipt and show what it proves",
     .zh = "核验并显示回执内容",
     .examples = "  hubledger receipt show wages.receipt --genesis genesis.cbor",
     .options = verify_options,
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_show},
    {0},
};
