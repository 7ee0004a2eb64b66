/* record.c: records as such: submit signed ones, ask for their outcome, read any file of ours offline. */
#include "tools/cli.h"
#include "tools/draft.h"

#include "hub/cose.h"
#include "hub/json.h"
#include "hub/receipt.h"

#include <stdlib.h>
#include <string.h>

enum {
    FILE_BYTES_MAX = 16 << 20,
    TEXT_BYTES = 1 << 20,
    SUBMIT_BYTES_MAX = 1 << 20,
    SUBMIT_RECORDS_MAX = 256
};

struct options {
    uint64_t after, limit;
    bool has_after;
};
enum { OPT_AFTER = 1, OPT_LIMIT };

static error_t parse(int key, char *arg, void *own)
{
    struct options *o = own;
    switch (key) {
    case OPT_AFTER:
        o->has_after = true;
        return hub_parse_uint(&o->after, arg, HUB_UINT_MAX) ? 0 : EINVAL;
    case OPT_LIMIT:
        return hub_parse_uint(&o->limit, arg, 500) && o->limit ? 0 : EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* One outcome a line; the worst exit code of all. */
static int show_items(const struct hub_cli *cli, const json_t *items)
{
    size_t i;
    json_t *item;
    int worst = HUB_EXIT_OK;
    json_array_foreach(items, i, item)
    {
        int code;
        if (json_object_get(item, "status") &&
            !json_object_get(item, "state")) { /* a problem of its own */
            if (cli->json)
                hub_cli_json(item);
            code = hub_cli_fail(
                cli, json_object_get(item, "recorded") ? HUB_EXIT_REFUSED : HUB_EXIT_UNKNOWN,
                "%s: %s", hub_json_text(item, "name"), hub_json_text(item, HUB_T(cli, "en", "zh")));
        } else {
            code = hub_cli_show_outcome(cli, item);
            code = code == HUB_EXIT_UNKNOWN && !cli->wait ? HUB_EXIT_OK : code;
        }
        if (code > worst)
            worst = code;
    }
    return worst;
}

/* Waits for each pending outcome and puts the final one in its place. */
static void await_items(struct hub_cli *cli, json_t *items)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        struct hub_hash id;
        json_t *final = NULL;
        if (!strcmp(hub_json_text(item, "state"), "pending") &&
            hub_parse_hex(id.b, 32, hub_json_text(item, "record_id")) &&
            hub_cli_await(cli, &id, cli->wait_ms, &final) == HUB_EXIT_OK)
            json_array_set_new(items, i, final);
    }
}

static int submit_chunk(struct hub_cli *cli, struct hub_span chunk)
{
    json_t *items;
    int code = hub_cli_submit(cli, chunk, &items);
    if (code != HUB_EXIT_OK)
        return code;
    if (cli->wait)
        await_items(cli, items);
    code = show_items(cli, items);
    json_decref(items);
    return code;
}

/* Sends the entries of one file in requests of at most 256 records and 1 MiB. */
static int submit_file(struct hub_cli *cli, struct hub_span file, const char *path)
{
    struct hub_cbor c = hub_cbor_open(file);
    const uint8_t *from = file.data;
    uint32_t count = 0;
    int worst = HUB_EXIT_OK;
    while (c.at < c.end) {
        const uint8_t *before = c.at;
        hub_cbor_item(&c);
        if (c.bad)
            return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE,
                                HUB_T(cli, "%s: byte %zu: no CBOR entry [record, attachment]",
                                      "%s：第 %zu 字节：不是 CBOR 条目"),
                                path, (size_t)(before - file.data));
        if (count == SUBMIT_RECORDS_MAX || (count && (size_t)(c.at - from) > SUBMIT_BYTES_MAX)) {
            const int code = submit_chunk(cli, (struct hub_span){from, (size_t)(before - from)});
            worst = code > worst ? code : worst;
            from = before;
            count = 0;
        }
        count++;
    }
    const int code =
        count ? submit_chunk(cli, (struct hub_span){from, (size_t)(c.at - from)}) : HUB_EXIT_OK;
    return code > worst ? code : worst;
}

static int run_submit(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    int worst = HUB_EXIT_OK;
    (void)own;
    if (cli->offline || cli->draft)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "these records are signed: leave out --offline and --draft",
                                  "这些记录已签署：请去掉 --offline 和 --draft"));
    for (unsigned i = 0; i < argc; i++) {
        struct hub_buf file;
        int code = HUB_EXIT_UNREACHABLE;
        if (hub_cli_read_file(cli, &file, argv[i], FILE_BYTES_MAX)) {
            code = submit_file(cli, hub_span_of(&file), argv[i]);
            free(file.data);
        }
        worst = code > worst ? code : worst;
    }
    return worst;
}

static int run_show(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    char path[128];
    struct hub_hash id;
    struct hub_reply r;
    int code;
    (void)own, (void)argc;
    if (!hub_parse_hex(id.b, sizeof id.b, argv[0]))
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli,
                  "'%s' is no record id (64 hex digits); for a file use: hubledger record decode "
                  "FILE",
                  "“%s”不是记录标识（64 位十六进制）；查看文件请用：hubledger record decode 文件"),
            argv[0]);
    snprintf(path, sizeof path, "/v1/records/%s?include=body", argv[0]);
    if (!hub_cli_get(cli, &r, path, &code))
        return code;
    code = hub_cli_show_outcome(cli, r.json);
    if (!cli->json && json_object_get(r.json, "body")) {
        char *body = json_dumps(json_object_get(r.json, "body"), JSON_INDENT(2));
        hub_cli_say(cli, "%s %s\n%s", hub_json_text(r.json, "type"), hub_json_text(r.json, "time"),
                    body ? body : "");
        free(body);
    }
    hub_reply_free(&r);
    return code;
}

static int say_code(const struct hub_cli *cli, const struct hub_result_text *t)
{
    const char *remedy = HUB_T(cli, t->remedy_en, t->remedy_zh);
    if (cli->json)
        hub_cli_json(json_pack("{s:i, s:s, s:s, s:s, s:{s:s, s:s}}", "code", (int)t->code, "name",
                               t->name, "en", t->en, "zh", t->zh, "remedy", "en", t->remedy_en,
                               "zh", t->remedy_zh));
    hub_cli_say(cli, "%u %s: %s%s%s", t->code, t->name, HUB_T(cli, t->en, t->zh),
                *remedy ? "\n  " : "", remedy);
    return HUB_EXIT_OK;
}

/* A code by number or name, or the code a record got. */
static int run_why(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    size_t count;
    const struct hub_result_text *texts = hub_result_texts(&count);
    uint64_t number;
    struct hub_hash id;
    (void)own, (void)argc;
    if (hub_parse_hex(id.b, sizeof id.b, argv[0])) {
        char path[96];
        struct hub_reply r;
        int code;
        snprintf(path, sizeof path, "/v1/records/%s", argv[0]);
        if (!hub_cli_get(cli, &r, path, &code))
            return code;
        const uint64_t got = hub_json_number(json_object_get(r.json, "result"), "code", UINT64_MAX);
        hub_reply_free(&r);
        const struct hub_result_text *t = got <= UINT16_MAX ? hub_result_text((uint16_t)got) : NULL;
        return t ? say_code(cli, t)
                 : hub_cli_fail(cli, HUB_EXIT_UNKNOWN,
                                HUB_T(cli, "%s has no outcome yet", "%s 尚无结果"), argv[0]);
    }
    const bool is_number = hub_parse_uint(&number, argv[0], UINT16_MAX);
    for (size_t i = 0; i < count; i++)
        if (is_number ? texts[i].code == number : !strcmp(texts[i].name, argv[0]))
            return say_code(cli, &texts[i]);
    return hub_cli_fail(cli, HUB_EXIT_USAGE,
                        HUB_T(cli, "'%s' is no result code, name of one, or record id",
                              "“%s”不是结果代码、其名称或记录标识"),
                        argv[0]);
}

/* ---- decode: what a file of ours holds, offline */

/* The chain a protected header names: {1, 3, 4, 15, -70000: [chain, ..]}. */
static void chain_of(struct hub_hash *out, struct hub_span protected_)
{
    static const int64_t before[] = {1, 3, 4, 15};
    struct hub_cbor c = hub_cbor_open(protected_);
    hub_cbor_map(&c, 5, 5);
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        hub_cbor_label(&c, before[i]);
        hub_cbor_item(&c);
    }
    hub_cbor_label(&c, -70000);
    hub_cbor_array(&c, 3, 3);
    hub_cbor_hash(&c, out);
}

static void put_record(struct hub_buf *out, struct hub_span bytes, struct hub_span attachment,
                       const struct hub_genesis *g)
{
    struct hub_record r;
    uint16_t why = 0;
    const struct hub_result_text *t;
    struct hub_sign1 envelope;
    struct hub_hash chain = {{0}};
    /* Without a genesis the record's own chain is taken, so that any record can be read. */
    if (g)
        chain = g->chain;
    else if (hub_sign1_decode(&envelope, bytes))
        chain_of(&chain, envelope.protected_);
    hub_json_object(out);
    if (hub_record_decode(&r, &why, bytes, attachment, &chain) != HUB_OK) {
        t = hub_result_text(why);
        hub_json_string_member(out, "refused", t ? t->name : "not_canonical");
        hub_json_string_member(out, "en", t ? t->en : "");
    } else {
        hub_json_hash_member(out, "record_id", &r.id);
        hub_json_string_member(out, "type", hub_record_types[r.type].name);
        hub_json_hash_member(out, "chain", &chain);
        hub_json_hash_member(out, "kid", &r.kid);
        hub_json_text_member(out, "iss", r.iss);
        hub_json_text_member(out, "sub", r.sub);
        hub_json_u64_member(out, "seq", r.seq);
        hub_json_time_members(out, "valid_until", r.valid_until_ms);
        hub_json_key(out, "body");
        hub_json_body(out, r.body, hub_record_types[r.type].fields);
    }
    hub_json_object_end(out);
}

/* An entry [record, attachment], a bare record, or any strict CBOR item. */
static void put_item(struct hub_buf *out, struct hub_span item, const struct hub_genesis *g)
{
    struct hub_cbor c = hub_cbor_open(item);
    if (hub_cbor_peek(&c) == HUB_CBOR_TAG) {
        put_record(out, item, (struct hub_span){(const uint8_t *)"", 0}, g);
        return;
    }
    if (hub_cbor_peek(&c) == HUB_CBOR_ARRAY) {
        hub_cbor_array(&c, 2, 2);
        const struct hub_span record = hub_cbor_bytes(&c, 1, HUB_RECORD_BYTES_MAX);
        const struct hub_span attachment = hub_cbor_bytes(&c, 0, HUB_ATTACHMENT_BYTES_MAX);
        if (hub_cbor_done(&c)) {
            put_record(out, record, attachment, g);
            return;
        }
    }
    hub_json_item(out, item);
}

static int run_decode(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_buf file, text = {.data = malloc(TEXT_BYTES), .cap = TEXT_BYTES};
    int code = HUB_EXIT_OK;
    (void)own, (void)argc;
    if (!text.data || !hub_cli_read_file(cli, &file, argv[0], FILE_BYTES_MAX)) {
        free(text.data);
        return HUB_EXIT_UNREACHABLE;
    }
    if (cli->genesis_path && !hub_cli_genesis(cli))
        code = HUB_EXIT_UNREACHABLE;
    struct hub_cbor c = hub_cbor_open(hub_span_of(&file));
    while (code == HUB_EXIT_OK && c.at < c.end) {
        const size_t at = (size_t)(c.at - file.data);
        const struct hub_span item = hub_cbor_item(&c);
        text.len = 0;
        text.full = false;
        if (!c.bad)
            put_item(&text, item, cli->genesis);
        if (c.bad || text.full)
            code = hub_cli_fail(cli, HUB_EXIT_UNVERIFIED,
                                HUB_T(cli,
                                      "%s: byte %zu: not deterministic CBOR, or too large to show",
                                      "%s：第 %zu 字节：不是确定性 CBOR，或过大无法显示"),
                                argv[0], at);
        else
            printf("%.*s\n", (int)text.len, (const char *)text.data);
    }
    free(text.data);
    free(file.data);
    return code;
}

static int run_log(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    char path[128];
    struct hub_reply r;
    size_t i;
    json_t *item;
    int code;
    (void)argc, (void)argv;
    snprintf(path, sizeof path, "/v1/records?from_height=%llu&limit=%llu",
             o->has_after ? (unsigned long long)o->after + 1 : 1ull,
             (unsigned long long)(o->limit ? o->limit : 50));
    if (!hub_cli_get(cli, &r, path, &code))
        return code;
    json_array_foreach(json_object_get(r.json, "items"), i, item)
    {
        const json_t *result = json_object_get(item, "result");
        if (cli->json)
            hub_cli_json(item);
        hub_cli_say(cli, "%6s  %s  %-20s %-12s %.16s", hub_json_text(item, "height"),
                    hub_json_text(item, "time"), hub_json_text(item, "type"),
                    hub_json_text(result, "name"), hub_json_text(item, "record_id"));
    }
    const uint64_t next = strtoull(hub_json_text(r.json, "next"), NULL, 10);
    if (next)
        hub_cli_say(cli, HUB_T(cli, "  there is more: --after %llu", "  尚有更多：--after %llu"),
                    (unsigned long long)(next > 1 ? next - 1 : next));
    hub_reply_free(&r);
    return HUB_EXIT_OK;
}

static const struct argp_option log_options[] = {
    {"after", OPT_AFTER, "HEIGHT", 0, "only records above this height", 0},
    {"limit", OPT_LIMIT, "N", 0, "at most N records (default 50, at most 500)", 0},
    {0},
};

const struct hub_command hub_record_commands[] = {
    {.noun = "record",
     .verb = "submit",
     .args = "FILE...",
     .en = "send signed records",
     .zh = "提交已签名的记录",
     .examples =
         "  hubledger record submit pay.rec --wait\n  hubledger record submit a.rec b.rec --json",
     .args_min = 1,
     .args_max = HUB_CLI_ARGS_MAX,
     .run = run_submit},
    {.noun = "record",
     .verb = "cosign",
     .args = "DRAFT",
     .en = "sign a draft beside its maker, with an own key (--key)",
     .zh = "以本单位密钥复核签署草稿（--key）",
     .examples = "  hubledger record cosign admit.draft --key governor-1.key",
     .args_min = 1,
     .args_max = 1,
     .run = hub_draft_run_cosign},
    {.noun = "record",
     .verb = "sign",
     .args = "DRAFT",
     .en = "sign an own draft when all others have, and send it",
     .zh = "在其他人签署后签署本人的草稿并提交",
     .examples = "  hubledger record sign admit.draft --key governor-1.key --wait",
     .args_min = 1,
     .args_max = 1,
     .run = hub_draft_run_sign},
    {.noun = "record",
     .verb = "show",
     .args = "ID",
     .en = "the outcome of a record",
     .zh = "查询记录的结果",
     .examples = "  hubledger record show 7f3a..",
     .args_min = 1,
     .args_max = 1,
     .run = run_show},
    {.noun = "record",
     .verb = "why",
     .args = "ID|CODE",
     .en = "what a result code means and what to do",
     .zh = "结果代码的含义与处理办法",
     .examples = "  hubledger record why batch_exists\n  hubledger record why 322\n  hubledger "
                 "record why 7f3a..",
     .args_min = 1,
     .args_max = 1,
     .run = run_why},
    {.noun = "record",
     .verb = "decode",
     .args = "FILE",
     .en = "read a file of records, offline",
     .zh = "离线解读记录文件",
     .examples = "  hubledger record decode pay.rec",
     .args_min = 1,
     .args_max = 1,
     .run = run_decode},
    {.noun = "log",
     .verb = "",
     .args = "",
     .en = "records in the order of the ledger, from the first or behind --after",
     .zh = "按账本次序列出记录，自首条起或自 --after 高度之后",
     .examples = "  hubledger log\n  hubledger log --after 31 --limit 10",
     .options = log_options,
     .parse = parse,
     .own_bytes = sizeof(struct options),
     .run = run_log},
    {0},
};
