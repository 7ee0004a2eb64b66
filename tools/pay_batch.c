/* pay_batch.c: `pay batch`: reads the table, compares it with the control figures, pays it part by part, and
 * writes what became of each row beside it. */
#include "tools/csv.h"
#include "tools/pay.h"

#include "hub/merkle.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 150000, BODY_BYTES = 512, WAGES = 1 };
enum { COLUMN_TO, COLUMN_AMOUNT, COLUMN_REFERENCE, COLUMN_PURPOSE };
static const char *const columns[] = {"to", "amount_yuan", "reference", "purpose", NULL};
enum { COLUMNS_NEEDED = 3 };

struct payment {
    unsigned line;
    uint64_t to, amount;
    const char *reference; /* borrowed from the file's bytes */
    uint8_t ref[HUB_REFERENCE_BYTES];
    uint16_t code;
    bool known; /* code is the outcome */
};

struct part {
    uint8_t reference[HUB_REFERENCE_BYTES];
    char record[65]; /* id, once known */
    bool was_there;
};

struct run {
    struct hub_cli *cli;
    const struct hub_pay_batch *batch;
    const char *path;
    struct hub_hash file, instruction;
    uint16_t institution;
    uint64_t purpose;
    struct payment *row;
    unsigned rows, parts;
    struct part *part;
    uint8_t *attachment; /* of the part being sent: HUB_ATTACHMENT_BYTES_MAX */
};

void hub_batch_reference(uint8_t out[HUB_REFERENCE_BYTES], const struct hub_hash *file,
                         uint64_t from, unsigned part)
{
    uint8_t bytes[64];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    struct hub_hash hash;
    hub_put_array(&b, 3);
    hub_put_hash(&b, file);
    hub_put_uint(&b, from);
    hub_put_uint(&b, part);
    HUB_ASSERT(!b.full);
    hub_hash_tagged(&hash, "hubledger/batch/1", hub_span_of(&b));
    memcpy(out, hash.b, HUB_REFERENCE_BYTES);
}

/* ---- reading */

static int bad_row(const struct run *r, unsigned line, const char *en, const char *zh)
{
    return hub_cli_fail(
        r->cli, HUB_EXIT_USAGE,
        HUB_T(r->cli, "%s, line %u: %s; nothing was paid", "%s 第 %u 行：%s；未付款"), r->path,
        line, HUB_T(r->cli, en, zh));
}

static int read_row(struct run *r, struct payment *p, const struct hub_csv *c)
{
    const char *purpose = hub_csv_get(c, COLUMN_PURPOSE);
    uint64_t number;
    *p = (struct payment){.line = c->line, .reference = hub_csv_get(c, COLUMN_REFERENCE)};
    if (!hub_parse_wallet(&p->to, hub_csv_get(c, COLUMN_TO)))
        return bad_row(r, c->line,
                       "to: a wallet number with its check digits (00003-0000001896-38139)",
                       "to：带校验码的钱包编号（00003-0000001896-38139）");
    if (p->to == r->batch->from)
        return bad_row(r, c->line, "to: the paying wallet itself", "to：与付款钱包相同");
    if (!hub_parse_amount(&p->amount, hub_csv_get(c, COLUMN_AMOUNT)))
        return bad_row(r, c->line, "amount_yuan: yuan above zero with at most two decimals",
                       "amount_yuan：大于零的金额，以元为单位，至多两位小数");
    if (!hub_reference_of(p->ref, p->reference))
        return bad_row(r, c->line, "reference: any text, for the payee's books",
                       "reference：任意文字，供收款方对账");
    if (!*purpose)
        return HUB_EXIT_OK;
    if (!hub_purpose_of(&number, purpose))
        return bad_row(r, c->line, "purpose: wages, goods, .. or a number up to 899",
                       "purpose：wages、goods 等，或不超过 899 的数字");
    if (r->purpose != 0 && r->purpose != number)
        return bad_row(r, c->line,
                       "purpose: another than before; a batch has one purpose, split the file",
                       "purpose：与前面不同；一批付款只能有一种用途，请拆分文件");
    r->purpose = number;
    return HUB_EXIT_OK;
}

/* Count and total come from the order, not from the file: that is what they are for. */
static int check_controls(const struct run *r)
{
    uint64_t total = 0;
    char expected[32], found[32];
    for (unsigned i = 0; i < r->rows; i++)
        total += r->row[i].amount; /* 150,000 times 10^15 fits */
    hub_format_yuan(expected, r->batch->expect_total);
    hub_format_yuan(found, total);
    if (r->rows == r->batch->expect_count && total == r->batch->expect_total)
        return HUB_EXIT_OK;
    return hub_cli_fail(r->cli, HUB_EXIT_USAGE,
                        HUB_T(r->cli,
                              "%s: %u payments, %s yuan; expected were %" PRIu64
                              " payments, %s yuan; nothing was paid",
                              "%s：共 %u 笔、%s 元；控制数为 %" PRIu64 " 笔、%s 元；未付款"),
                        r->path, r->rows, found, r->batch->expect_count, expected);
}

static int read_table(struct run *r, struct hub_buf *file)
{
    struct hub_csv csv;
    int code = HUB_EXIT_OK;
    r->purpose = r->batch->purpose;
    hub_hash_span(&r->file, hub_span_of(file)); /* before the reader changes the bytes */
    bool more = hub_csv_open(&csv, (char *)file->data, file->len, columns, COLUMNS_NEEDED);
    while (more && code == HUB_EXIT_OK && hub_csv_next(&csv)) {
        if (r->rows == ROWS_MAX)
            return bad_row(r, csv.line, "more than 150,000 rows; split the file",
                           "超过 150,000 行；请拆分文件");
        code = read_row(r, &r->row[r->rows++], &csv);
    }
    if (csv.why)
        return bad_row(r, csv.line, csv.why, csv.why_zh);
    if (code != HUB_EXIT_OK)
        return code;
    if (r->purpose == 0)
        r->purpose = WAGES;
    r->parts = (r->rows + HUB_BATCH_ENTRIES_MAX - 1) / HUB_BATCH_ENTRIES_MAX;
    return check_controls(r);
}

/* ---- one part: rows [first, first + count) */

static unsigned first_row(unsigned part)
{
    return part * HUB_BATCH_ENTRIES_MAX;
}

static unsigned part_rows(const struct run *r, unsigned part)
{
    const unsigned left = r->rows - first_row(part);
    return left < HUB_BATCH_ENTRIES_MAX ? left : HUB_BATCH_ENTRIES_MAX;
}

/* Entries into r->attachment; their root and sum. */
static uint64_t put_entries(struct run *r, unsigned part, struct hub_hash *root)
{
    struct hub_edge edge = {.size = 0};
    uint64_t total = 0;
    for (unsigned i = 0; i < part_rows(r, part); i++) {
        const struct payment *p = &r->row[first_row(part) + i];
        uint8_t *at = r->attachment + (size_t)i * HUB_BATCH_ENTRY_BYTES;
        struct hub_hash leaf;
        hub_put_be64(at, r->batch->from);
        hub_put_be64(at + 8, p->to);
        hub_put_be64(at + 16, p->amount);
        memcpy(at + 24, p->ref, HUB_REFERENCE_BYTES);
        hub_merkle_leaf(&leaf, (struct hub_span){at, HUB_BATCH_ENTRY_BYTES});
        hub_merkle_append(&edge, &leaf, NULL, NULL);
        total += p->amount;
    }
    hub_merkle_root(root, &edge);
    return total;
}

/* {? part, root, batch, count, total, atomic, purpose, institution, ? instruction} */
static void put_body(struct run *r, struct hub_buf *b, unsigned part)
{
    struct hub_hash root;
    const uint64_t total = put_entries(r, part, &root);
    hub_put_map(b, 7u + (r->parts > 1) + (r->batch->instruction != NULL));
    if (r->parts > 1) {
        hub_put_text(b, "part");
        hub_put_array(b, 2);
        hub_put_uint(b, part + 1);
        hub_put_uint(b, r->parts);
    }
    hub_put_text(b, "root");
    hub_put_hash(b, &root);
    hub_put_reference(b, "batch", r->part[part].reference);
    hub_put_field_uint(b, "count", part_rows(r, part));
    hub_put_field_uint(b, "total", total);
    hub_put_text(b, "atomic");
    hub_put_bool(b, r->batch->atomic);
    hub_put_field_uint(b, "purpose", r->purpose);
    hub_put_field_uint(b, "institution", r->institution);
    if (r->batch->instruction) {
        hub_put_text(b, "instruction");
        hub_put_hash(b, &r->instruction);
    }
    HUB_ASSERT(!b->full);
}

/* What an outcome says of the rows of a part: all have the record's code, but for the entries it names. */
static void take_outcome(struct run *r, unsigned part, const json_t *outcome)
{
    const json_t *result = json_object_get(outcome, "result");
    size_t i;
    json_t *entry;
    if (!result)
        return;
    snprintf(r->part[part].record, sizeof r->part[part].record, "%s",
             hub_json_text(outcome, "record_id"));
    for (unsigned n = 0; n < part_rows(r, part); n++) {
        r->row[first_row(part) + n].code = (uint16_t)hub_json_number(result, "code", 0);
        r->row[first_row(part) + n].known = true;
    }
    json_array_foreach(json_object_get(outcome, "entries"), i, entry)
    {
        const uint64_t n = hub_json_number(entry, "n", UINT64_MAX);
        if (n < part_rows(r, part))
            r->row[first_row(part) + n].code = (uint16_t)hub_json_number(entry, "code", 0);
    }
}

/* True when this part is recorded already, by whatever run of whatever clerk. */
static bool find_part(struct run *r, unsigned part, int *code)
{
    char path[96], hex[33];
    struct hub_reply reply;
    hub_format_hex(hex, r->part[part].reference, HUB_REFERENCE_BYTES);
    snprintf(path, sizeof path, "/v1/batches/%u/%s", r->institution, hex);
    *code = HUB_EXIT_OK;
    if (!hub_cli_try_get(r->cli, &reply, path)) {
        *code = hub_cli_fail(r->cli, HUB_EXIT_UNREACHABLE,
                             HUB_T(r->cli, "no node answers", "节点无应答"));
        return false;
    }
    r->part[part].was_there = reply.status == 200;
    if (r->part[part].was_there) {
        take_outcome(r, part, reply.json);
        hub_cli_say(
            r->cli,
            HUB_T(r->cli,
                  "part %u of %u was paid before: record %s at height %s; it is not paid again",
                  "第 %u/%u 部分此前已提交：记录 %s，高度 %s；不会重复付款"),
            part + 1, r->parts, r->part[part].record, hub_json_text(reply.json, "height"));
    }
    hub_reply_free(&reply);
    return r->part[part].was_there;
}

static int send_part(struct run *r, unsigned part)
{
    uint8_t bytes[BODY_BYTES];
    struct hub_buf body = {.data = bytes, .cap = sizeof bytes};
    json_t *outcome = NULL;
    int code = HUB_EXIT_OK;
    const bool alone = r->cli->offline || r->cli->dry_run;
    if (!r->cli->offline && (find_part(r, part, &code) || code != HUB_EXIT_OK))
        return code;
    put_body(r, &body, part);
    const struct hub_signing what = {
        .type = HUB_TYPE_CURRENCY_BATCH,
        .core = hub_span_of(&body),
        .attachment = {r->attachment, (size_t)part_rows(r, part) * HUB_BATCH_ENTRY_BYTES}};
    r->cli->wait = !alone; /* the results are what a batch is sent for */
    code = hub_cli_sign_and_send(r->cli, &what, &outcome);
    take_outcome(r, part, outcome);
    json_decref(outcome);
    return code;
}

/* ---- results */

static bool write_results(const struct run *r)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return false;
    hub_csv_put(out,
                (const char *[]){"line", "to", "amount_yuan", "reference", "code", "name", "说明",
                                 "record", "entry"},
                9);
    for (unsigned i = 0; i < r->rows; i++) {
        const struct payment *p = &r->row[i];
        const struct hub_result_text *t = p->known ? hub_result_text(p->code) : NULL;
        char line[16], to[24], amount[32], code[16] = "", entry[16];
        snprintf(line, sizeof line, "%u", p->line);
        if (p->known)
            snprintf(code, sizeof code, "%u", (unsigned)p->code);
        snprintf(entry, sizeof entry, "%u", i % HUB_BATCH_ENTRIES_MAX);
        snprintf(amount, sizeof amount, "%" PRIu64 ".%02u", p->amount / 100,
                 (unsigned)(p->amount % 100));
        hub_format_wallet(to, p->to);
        hub_csv_put(out,
                    (const char *[]){line, to, amount, p->reference, code, t ? t->name : "unknown",
                                     t ? t->zh : "结果待查",
                                     r->part[i / HUB_BATCH_ENTRIES_MAX].record, entry},
                    9);
    }
    const bool ok = fclose(out) == 0 && hub_csv_write_result(r->cli, r->path, text, len);
    free(text);
    return ok;
}

static int say_totals(const struct run *r, int code, bool nothing_new)
{
    unsigned paid = 0, failed = 0;
    uint64_t sum = 0;
    char yuan[32];
    for (unsigned i = 0; i < r->rows; i++) {
        const bool ok = r->row[i].known && r->row[i].code == 0;
        paid += ok;
        failed += r->row[i].known && !ok;
        sum += ok ? r->row[i].amount : 0;
    }
    hub_format_yuan(yuan, sum);
    if (r->cli->json)
        hub_cli_json(json_pack("{s:i, s:i, s:i, s:o}", "paid", (int)paid, "failed", (int)failed,
                               "unknown", (int)(r->rows - paid - failed), "paid_fen",
                               json_sprintf("%" PRIu64, sum)));
    hub_cli_say(r->cli,
                HUB_T(r->cli, "%u paid, %s yuan; %u without effect; %u not known yet",
                      "已付 %u 笔，共 %s 元；未生效 %u 笔；结果待查 %u 笔"),
                paid, yuan, failed, r->rows - paid - failed);
    if (code != HUB_EXIT_OK)
        return code;
    if (nothing_new) {
        const struct hub_result_text *t = hub_result_text(HUB_CODE_batch_exists);
        return hub_cli_fail(r->cli, HUB_EXIT_REFUSED, "%s: %s %s", t->name,
                            HUB_T(r->cli, t->en, t->zh), HUB_T(r->cli, t->remedy_en, t->remedy_zh));
    }
    return failed ? HUB_EXIT_NO_EFFECT : HUB_EXIT_OK;
}

static int pay_parts(struct run *r)
{
    const bool alone = r->cli->offline || r->cli->dry_run,
               resumed = hub_csv_result_is_open(r->path);
    bool all_there = true;
    int code = HUB_EXIT_OK;
    for (unsigned i = 0; i < r->parts; i++)
        hub_batch_reference(r->part[i].reference, &r->file, r->batch->from, i + 1);
    if (!alone &&
        !write_results(r)) /* before anything is sent: an interrupted run is seen by the next */
        return HUB_EXIT_UNREACHABLE;
    for (unsigned i = 0; i < r->parts && (code == HUB_EXIT_OK || code == HUB_EXIT_NO_EFFECT); i++) {
        code = send_part(r, i);
        all_there = all_there && r->part[i].was_there;
    }
    if (alone)
        return code;
    if (!write_results(r) && code == HUB_EXIT_OK)
        code = HUB_EXIT_UNREACHABLE;
    return say_totals(r, code, all_there && !resumed);
}

static int prepare(struct run *r)
{
    if ((r->batch->atomic || r->cli->offline) && r->parts > 1)
        return hub_cli_fail(
            r->cli, HUB_EXIT_USAGE,
            HUB_T(r->cli, "%s: %u payments; --atomic and --offline take at most 1,500 in one file",
                  "%s：%u 笔；--atomic 与 --offline 每个文件至多 1,500 笔"),
            r->path, r->rows);
    if (r->batch->instruction && !hub_cli_hash_file(r->cli, &r->instruction, r->batch->instruction))
        return HUB_EXIT_UNREACHABLE;
    r->institution = (uint16_t)(r->batch->from >> 48); /* whose wallet pays, its operator signs */
    return HUB_EXIT_OK;
}

int hub_pay_batch(struct hub_cli *cli, const struct hub_pay_batch *b, const char *path)
{
    struct hub_buf file;
    struct run r = {.cli = cli, .batch = b, .path = path};
    int code = HUB_EXIT_UNREACHABLE;
    r.row = calloc(ROWS_MAX, sizeof *r.row);
    r.part = calloc(ROWS_MAX / HUB_BATCH_ENTRIES_MAX, sizeof *r.part);
    r.attachment = malloc(HUB_ATTACHMENT_BYTES_MAX);
    if (r.row && r.part && r.attachment && hub_cli_read_file(cli, &file, path, HUB_CSV_BYTES_MAX)) {
        code = read_table(&r, &file);
        if (code == HUB_EXIT_OK)
            code = prepare(&r);
        if (code == HUB_EXIT_OK)
            code = pay_parts(&r);
        free(file.data);
    }
    free(r.row);
    free(r.part);
    free(r.attachment);
    return code;
}
