/* currency.c: `currency issue`, `currency redeem`, `currency supply`. */
#include "tools/money.h"

#include "hub/wallet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_BYTES = 256 };

struct options {
    uint8_t reference[HUB_REFERENCE_BYTES];
    bool has_reference;
    const char *document;
};
enum { OPT_REFERENCE = 1, OPT_DOCUMENT };

static error_t parse(int key, char *arg, void *own)
{
    struct options *o = own;
    switch (key) {
    case OPT_REFERENCE:
        o->has_reference = true;
        return hub_reference_of(o->reference, arg) ? 0 : EINVAL;
    case OPT_DOCUMENT:
        return o->document = arg, 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Without --ref a new one, which is told: whoever repeats the command after an unknown outcome gives it again. */
static bool choose_reference(const struct hub_cli *cli, struct options *o)
{
    char hex[33];
    if (o->has_reference)
        return true;
    if (!hub_reference_new(o->reference)) {
        hub_cli_fail(cli, 0, HUB_T(cli, "the system gives no random bytes", "系统无法提供随机数"));
        return false;
    }
    hub_format_hex(hex, o->reference, sizeof o->reference);
    hub_cli_say(cli,
                HUB_T(cli, "reference %s (to repeat this safely: --ref %s)",
                      "业务参考号 %s（如需安全重试：--ref %s）"),
                hex, hex);
    return true;
}

static int no_amount(const struct hub_cli *cli, const char *text)
{
    return hub_cli_fail(
        cli, HUB_EXIT_USAGE,
        HUB_T(cli, "'%s' is no amount: yuan with at most two decimals, 12500.00, or 1250000fen",
              "“%s”不是金额：以元为单位，至多两位小数，如 12500.00；或 1250000fen"),
        text);
}

/* {amount, ? document, reference, institution} */
static int run_issue(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct options *o = own;
    uint8_t bytes[BODY_BYTES];
    struct hub_buf body = {.data = bytes, .cap = sizeof bytes};
    struct hub_hash document;
    uint64_t institution, amount;
    (void)argc;
    if (!hub_parse_uint(&institution, argv[0], UINT16_MAX) || institution == 0)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "'%s' is no institution number (1 to 65535)",
                                  "“%s”不是运营机构编号（1 至 65535）"),
                            argv[0]);
    if (!hub_parse_amount(&amount, argv[1]))
        return no_amount(cli, argv[1]);
    if (!choose_reference(cli, o) ||
        (o->document && !hub_cli_hash_file(cli, &document, o->document)))
        return HUB_EXIT_UNREACHABLE;
    hub_put_map(&body, 3u + (o->document != NULL));
    hub_put_field_uint(&body, "amount", amount);
    if (o->document) {
        hub_put_text(&body, "document");
        hub_put_hash(&body, &document);
    }
    hub_put_reference(&body, "reference", o->reference);
    hub_put_field_uint(&body, "institution", institution);
    HUB_ASSERT(!body.full);
    return hub_cli_sign_and_send(
        cli, &(struct hub_signing){.type = HUB_TYPE_CURRENCY_ISSUE, .core = hub_span_of(&body)},
        NULL);
}

/* {amount, wallet, reference} */
static int run_redeem(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct options *o = own;
    uint8_t bytes[BODY_BYTES];
    struct hub_buf body = {.data = bytes, .cap = sizeof bytes};
    uint64_t wallet, amount;
    (void)argc;
    if (!hub_parse_wallet(&wallet, argv[0]))
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "'%s' is no wallet number (00003-0000001896-38139)",
                                  "“%s”不是钱包编号（如 00003-0000001896-38139）"),
                            argv[0]);
    if (!hub_parse_amount(&amount, argv[1]))
        return no_amount(cli, argv[1]);
    if (!choose_reference(cli, o))
        return HUB_EXIT_UNREACHABLE;
    hub_put_map(&body, 3);
    hub_put_field_uint(&body, "amount", amount);
    hub_put_field_uint(&body, "wallet", wallet);
    hub_put_reference(&body, "reference", o->reference);
    HUB_ASSERT(!body.full);
    return hub_cli_sign_and_send(
        cli, &(struct hub_signing){.type = HUB_TYPE_CURRENCY_REDEEM, .core = hub_span_of(&body)},
        NULL);
}

/* ---- supply */

static void say_kind(const struct hub_cli *cli, const json_t *kind)
{
    char yuan[32];
    hub_format_yuan(yuan, hub_json_number(kind, "balance_fen", 0));
    hub_cli_say(
        cli, HUB_T(cli, "  %-14s %6" PRIu64 " wallets  %22s", "  %-14s %6" PRIu64 " 个钱包  %22s"),
        hub_json_text(kind, "kind"), hub_json_number(kind, "wallets", 0), yuan);
}

static int show_institution(struct hub_cli *cli, const char *number)
{
    struct hub_reply r;
    char path[64], quota[32], issued[32], retired[32];
    int code;
    snprintf(path, sizeof path, "/v1/institutions/%.20s", number);
    if (!hub_cli_get(cli, &r, path, &code))
        return code;
    if (cli->json)
        hub_cli_json(r.json);
    hub_format_yuan(quota, hub_json_number(r.json, "quota_fen", 0));
    hub_format_yuan(issued, hub_json_number(r.json, "issued_fen", 0));
    hub_format_yuan(retired, hub_json_number(r.json, "retired_fen", 0));
    hub_cli_say(cli,
                HUB_T(cli, "institution %s: issued %s, retired %s, quota %s\nreserve wallet %s",
                      "运营机构 %s：发行 %s，回笼 %s，额度 %s\n准备金钱包 %s"),
                number, issued, retired, quota, hub_json_text(r.json, "reserve"));
    hub_reply_free(&r);
    return HUB_EXIT_OK;
}

static int run_supply(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_reply r;
    char issued[32], retired[32], out[32];
    uint64_t held = 0;
    size_t i;
    json_t *kind;
    int code;
    (void)own;
    if (argc > 0)
        return show_institution(cli, argv[0]);
    if (!hub_cli_get(cli, &r, "/v1/supply", &code))
        return code;
    const uint64_t outstanding = hub_json_number(r.json, "outstanding_fen", 0);
    if (cli->json)
        hub_cli_json(r.json);
    hub_format_yuan(issued, hub_json_number(r.json, "issued_fen", 0));
    hub_format_yuan(retired, hub_json_number(r.json, "retired_fen", 0));
    hub_format_yuan(out, outstanding);
    hub_cli_say(cli,
                HUB_T(cli,
                      "pilot bookkeeping, not an issue of legal tender; at height %s\n"
                      "issued %s, retired %s, outstanding %s",
                      "试点记账，不构成法定货币发行；高度 %s\n发行 %s，回笼 %s，流通 %s"),
                hub_json_text(r.json, "height"), issued, retired, out);
    json_array_foreach(json_object_get(r.json, "by_kind"), i, kind)
    {
        if (hub_json_number(kind, "wallets", 0) > 0)
            say_kind(cli, kind);
        held += hub_json_number(kind, "balance_fen", 0);
    }
    hub_reply_free(&r);
    if (held != outstanding)
        return hub_cli_fail(cli, HUB_EXIT_UNVERIFIED,
                            HUB_T(cli,
                                  "the wallets hold %" PRIu64 " fen, but %" PRIu64
                                  " fen are outstanding: audit this node with hubledger-verify",
                                  "钱包合计 %" PRIu64 " 分，与流通 %" PRIu64
                                  " 分不符：请用 hubledger-verify 审计该节点"),
                            held, outstanding);
    hub_cli_say(
        cli, HUB_T(cli, "balances of all wallets = outstanding", "全部钱包余额合计与流通额一致"));
    return HUB_EXIT_OK;
}

static const struct argp_option issue_options[] = {
    {"ref", OPT_REFERENCE, "TEXT", 0,
     "business reference; the same one is not issued twice (default: random)", 0},
    {"document", OPT_DOCUMENT, "FILE", 0, "its hash is recorded with the issue", 0},
    {0},
};
static const struct argp_option redeem_options[] = {
    {"ref", OPT_REFERENCE, "TEXT", 0,
     "business reference; the same one is not redeemed twice (default: random)", 0},
    {0},
};

const struct hub_command hub_currency_commands[] = {
    {.noun = "currency",
     .verb = "issue",
     .args = "INSTITUTION AMOUNT",
     .en = "the authority issues to an institution's reserve",
     .zh = "发行机构向运营机构准备金钱包发行",
     .examples = "  hubledger currency issue 2 1000000.00 --key issuer-1.key --cosign-by "
                 "issuer-2.key --wait\n"
                 "  hubledger currency issue 2 1000000.00 --ref 2026-05/1 --document order.pdf "
                 "--key issuer-1.key",
     .options = issue_options,
     .parse = parse,
     .own_bytes = sizeof(struct options),
     .args_min = 2,
     .args_max = 2,
     .run = run_issue},
    {.noun = "currency",
     .verb = "redeem",
     .args = "WALLET AMOUNT",
     .en = "a wallet gives back to its institution's reserve",
     .zh = "钱包兑回至其运营机构准备金钱包",
     .examples =
         "  hubledger currency redeem 00002-0000000007-15241 500.00 --key operator.key --wait\n"
         "  hubledger currency redeem 00002-0000000007-15241 500.00 --ref R-1 --key mine.key",
     .options = redeem_options,
     .parse = parse,
     .own_bytes = sizeof(struct options),
     .args_min = 2,
     .args_max = 2,
     .run = run_redeem},
    {.noun = "currency",
     .verb = "supply",
     .args = "[INSTITUTION]",
     .en = "issued, retired, outstanding, by kind of wallet; or one institution's share",
     .zh = "发行、回笼、流通总额及按钱包类型的分布；或某运营机构的份额",
     .examples = "  hubledger currency supply\n  hubledger currency supply 3",
     .args_max = 1,
     .run = run_supply},
    {0},
};
