/* pay.c: `pay transfer`; `pay batch` is in pay_batch.c. */
#include "tools/pay.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_BYTES = 256, PURPOSE_MAX = 899 };
enum {
    OPT_FROM = 1,
    OPT_TO,
    OPT_PURPOSE,
    OPT_REFERENCE,
    OPT_COUNT,
    OPT_TOTAL,
    OPT_ATOMIC,
    OPT_INSTRUCTION
};

struct options {
    struct hub_pay_batch batch; /* whose `from` and `purpose` a transfer uses too */
    uint64_t to;
    uint8_t reference[HUB_REFERENCE_BYTES];
    bool has_reference, from_reserve;
};

bool hub_purpose_of(uint64_t *out, const char *text)
{
    static const char *const names[] = {"wages", "goods",   "services", "rent",
                                        "tax",   "subsidy", "top-up",   "refund"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(text, names[i]))
            return *out = i + 1, true;
    return hub_parse_uint(out, text, PURPOSE_MAX);
}

static error_t parse(int key, char *arg, void *own)
{
    struct options *o = own;
    struct hub_pay_batch *b = &o->batch;
    switch (key) {
    case OPT_FROM:
        o->from_reserve = !strcmp(arg, "reserve");
        return o->from_reserve || hub_parse_wallet(&b->from, arg) ? 0 : EINVAL;
    case OPT_TO:
        return hub_parse_wallet(&o->to, arg) ? 0 : EINVAL;
    case OPT_PURPOSE:
        b->has_purpose = true;
        return hub_purpose_of(&b->purpose, arg) ? 0 : EINVAL;
    case OPT_REFERENCE:
        o->has_reference = true;
        return hub_reference_of(o->reference, arg) ? 0 : EINVAL;
    case OPT_COUNT:
        return hub_parse_uint(&b->expect_count, arg, UINT32_MAX) && b->expect_count ? 0 : EINVAL;
    case OPT_TOTAL:
        return hub_parse_amount(&b->expect_total, arg) ? 0 : EINVAL;
    case OPT_ATOMIC:
        return b->atomic = true, 0;
    case OPT_INSTRUCTION:
        return b->instruction = arg, 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* {debit, amount, credit, ? purpose, ? reference} */
static int run_transfer(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct options *o = own;
    uint8_t bytes[BODY_BYTES];
    struct hub_buf body = {.data = bytes, .cap = sizeof bytes};
    uint64_t amount;
    int code;
    (void)argc;
    if (o->from_reserve && !hub_own_reserve(cli, &o->batch.from, &code))
        return code;
    if (!o->batch.from || !o->to)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "name both wallets: --from NO --to NO",
                                  "请给出付款与收款钱包：--from 编号 --to 编号"));
    if (!hub_parse_amount(&amount, argv[0]))
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "'%s' is no amount: yuan with at most two decimals, 12500.00, or 1250000fen",
                  "“%s”不是金额：以元为单位，至多两位小数，如 12500.00；或 1250000fen"),
            argv[0]);
    hub_put_map(&body, 3u + o->batch.has_purpose + o->has_reference);
    hub_put_field_uint(&body, "debit", o->batch.from);
    hub_put_field_uint(&body, "amount", amount);
    hub_put_field_uint(&body, "credit", o->to);
    if (o->batch.has_purpose)
        hub_put_field_uint(&body, "purpose", o->batch.purpose);
    if (o->has_reference)
        hub_put_reference(&body, "reference", o->reference);
    HUB_ASSERT(!body.full);
    return hub_cli_sign_and_send(
        cli, &(struct hub_signing){.type = HUB_TYPE_CURRENCY_TRANSFER, .core = hub_span_of(&body)},
        NULL);
}

static int run_batch(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct options *o = own;
    int code;
    (void)argc;
    if (o->from_reserve && !hub_own_reserve(cli, &o->batch.from, &code))
        return code;
    if (!o->batch.from || !o->batch.expect_count || !o->batch.expect_total)
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(
                cli,
                "give the paying wallet and the control figures, taken from the order and not from "
                "the file: --from NO --expect-count N --expect-total AMOUNT",
                "请给出付款钱包及控制数（取自付款指令而非文件本身）：--from 编号 --expect-count "
                "笔数 "
                "--expect-total 金额"));
    return hub_pay_batch(cli, &o->batch, argv[0]);
}

static const struct argp_option transfer_options[] = {
    {"from", OPT_FROM, "NO", 0, "the wallet that pays; `reserve` is the signer's institution's", 0},
    {"to", OPT_TO, "NO", 0, "the wallet that is paid", 0},
    {"purpose", OPT_PURPOSE, "P", 0,
     "wages goods services rent tax subsidy top-up refund, or a number to 899", 0},
    {"ref", OPT_REFERENCE, "TEXT", 0, "business reference: this payer pays it once", 0},
    {0},
};
static const struct argp_option batch_options[] = {
    {"from", OPT_FROM, "NO", 0, "the wallet that pays; `reserve` is the signer's institution's", 0},
    {"expect-count", OPT_COUNT, "N", 0, "how many payments the order has", 0},
    {"expect-total", OPT_TOTAL, "AMOUNT", 0, "their sum", 0},
    {"atomic", OPT_ATOMIC, NULL, 0, "all or none (at most 1,500 payments)", 0},
    {"purpose", OPT_PURPOSE, "P", 0, "of all payments (default: the file's, else wages)", 0},
    {"instruction", OPT_INSTRUCTION, "FILE", 0, "the signed order; its hash is recorded", 0},
    {0},
};

#define OWN .parse = parse, .own_bytes = sizeof(struct options)
const struct hub_command hub_pay_commands[] = {
    {.noun = "pay",
     .verb = "transfer",
     .args = "AMOUNT",
     .en = "one payment",
     .zh = "单笔付款",
     .examples = "  hubledger pay transfer 12500.00 --from 00002-.. --to 00003-.. --key "
                 "operator.key --wait\n"
                 "  hubledger pay transfer 80.00 --from 00002-.. --to 00003-.. --ref invoice-17 "
                 "--key mine.key",
     .options = transfer_options,
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_transfer},
    {.noun = "pay",
     .verb = "batch",
     .args = "FILE.csv",
     .en = "pay a table (to, amount_yuan, reference[, purpose]) with one signature",
     .zh = "按表格批量付款（列：to、amount_yuan、reference[、purpose]），一次签名",
     .examples = "  hubledger pay batch wages.csv --from 00002-.. --expect-count 300 "
                 "--expect-total 2400000.00 "
                 "--key operator.key\n"
                 "  hubledger pay batch wages.csv --from 00002-.. --expect-count 300 "
                 "--expect-total 2400000.00 "
                 "--atomic --key operator.key --cosign-by checker.key",
     .options = batch_options,
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_batch},
    {0},
};
