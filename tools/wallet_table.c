/* wallet_table.c: `wallet open --csv`: one record a row. A row's reference makes it resumable: rows whose wallet
 * is there are not opened again, whatever became of the last run. */
#include "tools/csv.h"
#include "tools/wallet.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 20000 };
enum { COLUMN_OWNER, COLUMN_KIND, COLUMN_TIER, COLUMN_REFERENCE, COLUMN_PARENT, COLUMN_NO_P2P };
static const char *const columns[] = {"owner",  "kind",   "tier", "reference",
                                      "parent", "no_p2p", NULL};
enum { COLUMNS_NEEDED = 3 };

struct row {
    unsigned line;
    struct hub_opening opening;
    const char *owner; /* as the table has it; borrowed from the file's bytes */
    uint8_t core[HUB_BULK_CORE_MAX];
    char number[24]; /* of the wallet, once known */
    bool was_there;
};

struct table {
    struct row *row;
    struct hub_bulk_item *item;
    unsigned rows;
};

static int bad_row(const struct hub_cli *cli, const char *path, unsigned line, const char *en,
                   const char *zh)
{
    return hub_cli_fail(cli, HUB_EXIT_USAGE, HUB_T(cli, "%s, line %u: %s", "%s 第 %u 行：%s"), path,
                        line, HUB_T(cli, en, zh));
}

static int read_row(const struct hub_cli *cli, struct row *r, const struct hub_csv *c,
                    const char *path, uint16_t institution, const struct hub_owner_key *key)
{
    struct hub_opening *o = &r->opening;
    const char *reference = hub_csv_get(c, COLUMN_REFERENCE),
               *parent = hub_csv_get(c, COLUMN_PARENT);
    const char *no_p2p = hub_csv_get(c, COLUMN_NO_P2P);
    *r = (struct row){.line = c->line, .owner = hub_csv_get(c, COLUMN_OWNER)};
    o->institution = institution;
    o->kind = hub_csv_get(c, COLUMN_KIND);
    for (unsigned i = 0; i < HUB_LIMIT_COUNT; i++)
        o->limits.value[i] = HUB_LIMIT_NONE;
    if (!hub_owner_of(o->owner, key, r->owner))
        return bad_row(cli, path, r->line,
                       "owner: 32 hex digits, or any text together with --owner-key FILE",
                       "owner：32 位十六进制，或任意文字并同时给出 --owner-key 文件");
    if (!hub_kind_ok(o->kind))
        return bad_row(cli, path, r->line,
                       "kind: personal, corporate, sub, sub-corporate, hard, fee or reserve",
                       "kind：personal、corporate、sub、sub-corporate、hard、fee 或 reserve");
    if (!hub_parse_uint(&o->tier, hub_csv_get(c, COLUMN_TIER), HUB_TIERS - 1))
        return bad_row(cli, path, r->line, "tier: 1 to 4, or 0 for wallets without one",
                       "tier：1 至 4；无等级的钱包为 0");
    o->has_reference = *reference != 0;
    if (*reference && !hub_reference_of(o->reference, reference))
        return bad_row(cli, path, r->line, "reference: any text, or 32 hex digits, not all zero",
                       "reference：任意文字，或 32 位十六进制（不全为零）");
    if (*parent && !hub_parse_wallet(&o->parent, parent))
        return bad_row(cli, path, r->line, "parent: a wallet number with its check digits",
                       "parent：带校验码的钱包编号");
    o->no_p2p = !strcmp(no_p2p, "1") || !strcmp(no_p2p, "yes") || !strcmp(no_p2p, "true");
    hub_opening_reference(o);
    return HUB_EXIT_OK;
}

static int compare_references(const void *a, const void *b)
{
    const struct row *const *x = a, *const *y = b;
    const int order = memcmp((*x)->opening.reference, (*y)->opening.reference, HUB_REFERENCE_BYTES);
    return order ? order : (*x)->line < (*y)->line ? -1 : 1;
}

/* The same reference twice would open one wallet for two rows. */
static int check_references(const struct hub_cli *cli, const struct table *t, const char *path)
{
    const struct row **sorted = calloc(t->rows, sizeof *sorted);
    int code = sorted ? HUB_EXIT_OK : HUB_EXIT_UNREACHABLE;
    for (unsigned i = 0; sorted && i < t->rows; i++)
        sorted[i] = &t->row[i];
    if (sorted)
        qsort(sorted, t->rows, sizeof *sorted, compare_references);
    for (unsigned i = 1; code == HUB_EXIT_OK && i < t->rows; i++)
        if (!memcmp(sorted[i]->opening.reference, sorted[i - 1]->opening.reference,
                    HUB_REFERENCE_BYTES))
            code = bad_row(
                cli, path, sorted[i]->line,
                "opens the same as an earlier row; if both are meant, give each a reference",
                "与前面某行重复；如确需分别开立，请在 reference 列区分");
    free(sorted);
    return code;
}

static int read_table(const struct hub_cli *cli, struct table *t, struct hub_buf *file,
                      const char *path, uint16_t institution, const struct hub_owner_key *key)
{
    struct hub_csv csv;
    int code = HUB_EXIT_OK;
    bool more = hub_csv_open(&csv, (char *)file->data, file->len, columns, COLUMNS_NEEDED);
    while (more && code == HUB_EXIT_OK && hub_csv_next(&csv)) {
        if (t->rows == ROWS_MAX)
            return bad_row(cli, path, csv.line, "more than 20,000 rows; split the table",
                           "超过 20,000 行；请拆分表格");
        code = read_row(cli, &t->row[t->rows++], &csv, path, institution, key);
    }
    if (csv.why)
        return bad_row(cli, path, csv.line, csv.why, csv.why_zh);
    if (code == HUB_EXIT_OK && t->rows == 0)
        return bad_row(cli, path, csv.line, "no rows", "没有数据行");
    return code == HUB_EXIT_OK ? check_references(cli, t, path) : code;
}

/* Asks for each row's reference whether its wallet is there. */
static int find_opened(struct hub_cli *cli, struct table *t)
{
    for (unsigned i = 0; i < t->rows; i++) {
        struct row *r = &t->row[i];
        char path[96], hex[33];
        struct hub_reply reply;
        hub_format_hex(hex, r->opening.reference, HUB_REFERENCE_BYTES);
        snprintf(path, sizeof path, "/v1/wallets/by-reference/%u/%s", r->opening.institution, hex);
        if (!hub_cli_try_get(cli, &reply, path))
            return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE,
                                HUB_T(cli, "no node answers", "节点无应答"));
        r->was_there = reply.status == 200;
        if (r->was_there)
            snprintf(r->number, sizeof r->number, "%s", hub_json_text(reply.json, "number"));
        hub_reply_free(&reply);
    }
    return HUB_EXIT_OK;
}

static void put_result(FILE *out, const struct row *r, const struct hub_bulk_item *item)
{
    const json_t *result = json_object_get(item->outcome, "result");
    const json_t *said = result ? result : item->outcome; /* a refusal has its code at the top */
    char line[16], tier[24], reference[33], id[65] = "", code[24] = "";
    const char *name = r->was_there    ? "ok"
                       : item->outcome ? hub_json_text(said, "name")
                                       : "unknown";
    snprintf(line, sizeof line, "%u", r->line);
    snprintf(tier, sizeof tier, "%u", (unsigned)r->opening.tier);
    hub_format_hex(reference, r->opening.reference, HUB_REFERENCE_BYTES);
    if (item->outcome || item->core.data)
        hub_format_hex(id, item->id.b, sizeof item->id.b);
    if (r->was_there || item->outcome)
        snprintf(code, sizeof code, "%u",
                 r->was_there ? 0 : (unsigned)hub_json_number(said, "code", 0));
    hub_csv_put(out,
                (const char *[]){line, r->owner, r->opening.kind, tier, reference, r->number, code,
                                 name, r->was_there ? "" : hub_json_text(said, "zh"), id},
                10);
}

static void take_numbers(struct table *t)
{
    for (unsigned i = 0; i < t->rows; i++) {
        const json_t *value =
            json_object_get(json_object_get(t->item[i].outcome, "result"), "value");
        if (value)
            snprintf(t->row[i].number, sizeof t->row[i].number, "%s",
                     hub_json_text(value, "wallet"));
    }
}

static bool write_results(const struct hub_cli *cli, const struct table *t, const char *path)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return false;
    hub_csv_put(out,
                (const char *[]){"line", "owner", "kind", "tier", "reference", "wallet", "code",
                                 "name", "说明", "record"},
                10);
    for (unsigned i = 0; i < t->rows; i++)
        put_result(out, &t->row[i], &t->item[i]);
    const bool ok = fclose(out) == 0 && hub_csv_write_result(cli, path, text, len);
    free(text);
    return ok;
}

static int say_totals(const struct hub_cli *cli, const struct table *t, int code)
{
    unsigned opened = 0, there = 0, failed = 0;
    for (unsigned i = 0; i < t->rows; i++) {
        there += t->row[i].was_there;
        opened += !t->row[i].was_there && t->row[i].number[0] != 0;
        failed += t->item[i].outcome != NULL && !t->row[i].number[0];
    }
    const unsigned open = t->rows - opened - there - failed;
    if (cli->json)
        hub_cli_json(json_pack("{s:i, s:i, s:i, s:i}", "opened", (int)opened, "already_open",
                               (int)there, "failed", (int)failed, "unknown", (int)open));
    hub_cli_say(cli,
                HUB_T(cli, "%u opened, %u were open already, %u without effect, %u not known yet",
                      "新开 %u 个，此前已开 %u 个，未生效 %u 个，结果待查 %u 个"),
                opened, there, failed, open);
    if (code != HUB_EXIT_OK)
        return code;
    return failed ? HUB_EXIT_NO_EFFECT : HUB_EXIT_OK;
}

static int run_table(struct hub_cli *cli, struct table *t, const char *path)
{
    int code = HUB_EXIT_OK;
    if (cli->offline || cli->dry_run || cli->draft)
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "a table is opened online: leave out --offline, --dry-run and --draft",
                  "批量开立须联机：请去掉 --offline、--dry-run 和 --draft"));
    if (hub_csv_result_exists(path))
        code = find_opened(cli, t);
    if (code == HUB_EXIT_OK &&
        !write_results(cli, t, path)) /* an interrupted run is seen by the next */
        code = HUB_EXIT_UNREACHABLE;
    for (unsigned i = 0; i < t->rows; i++) {
        struct hub_buf core = {.data = t->row[i].core, .cap = sizeof t->row[i].core};
        if (t->row[i].was_there)
            continue;
        hub_opening_encode(&core, &t->row[i].opening);
        HUB_ASSERT(!core.full);
        t->item[i].core = core;
    }
    if (code == HUB_EXIT_OK)
        code = hub_bulk_run(cli, HUB_TYPE_WALLET_OPEN, t->item, t->rows);
    take_numbers(t);
    if (!write_results(cli, t, path) && code == HUB_EXIT_OK)
        code = HUB_EXIT_UNREACHABLE;
    return say_totals(cli, t, code);
}

int hub_wallet_open_table(struct hub_cli *cli, const char *path, uint16_t institution,
                          const struct hub_owner_key *key)
{
    struct hub_buf file;
    struct table t = {.row = calloc(ROWS_MAX, sizeof *t.row),
                      .item = calloc(ROWS_MAX, sizeof *t.item)};
    int code = HUB_EXIT_UNREACHABLE;
    if (t.row && t.item && hub_cli_read_file(cli, &file, path, HUB_CSV_BYTES_MAX)) {
        code = read_table(cli, &t, &file, path, institution, key);
        if (code == HUB_EXIT_OK)
            code = run_table(cli, &t, path);
        free(file.data);
    }
    for (unsigned i = 0; t.item && i < t.rows; i++)
        json_decref(t.item[i].outcome);
    free(t.row);
    free(t.item);
    return code;
}
