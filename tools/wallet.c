/* wallet.c: `wallet open`, `wallet show`, `wallet owner-key`. */
#include "tools/wallet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct options {
    struct hub_opening opening;
    const char *owner, *owner_key, *holder, *csv;
};
enum {
    OPT_KIND = 1,
    OPT_TIER,
    OPT_OWNER,
    OPT_OWNER_KEY,
    OPT_REFERENCE,
    OPT_PARENT,
    OPT_INSTITUTION,
    OPT_LIMIT,
    OPT_NO_P2P,
    OPT_HOLDER,
    OPT_CSV
};

bool hub_kind_ok(const char *kind)
{
    for (unsigned i = 1; hub_wallet_kind_names[i]; i++)
        if (!strcmp(kind, hub_wallet_kind_names[i]))
            return true;
    return false;
}

bool hub_limit_of(struct hub_limits *out, const char *text)
{
    for (unsigned i = 0; hub_limit_names[i]; i++) {
        const size_t n = strlen(hub_limit_names[i]);
        if (strncmp(text, hub_limit_names[i], n) != 0 || text[n] != '=')
            continue;
        const char *value = text + n + 1;
        const bool count = n > 6 && !strcmp(hub_limit_names[i] + n - 6, "_count");
        return !strcmp(value, "0") || count ? hub_parse_uint(&out->value[i], value, UINT32_MAX)
                                            : hub_parse_amount(&out->value[i], value);
    }
    return false;
}

static error_t parse_number(struct hub_opening *o, int key, const char *arg)
{
    uint64_t n;
    switch (key) {
    case OPT_TIER:
        return hub_parse_uint(&o->tier, arg, HUB_TIERS - 1) ? 0 : EINVAL;
    case OPT_PARENT:
        return hub_parse_wallet(&o->parent, arg) ? 0 : EINVAL;
    case OPT_INSTITUTION:
        if (!hub_parse_uint(&n, arg, UINT16_MAX) || n == 0)
            return EINVAL;
        return o->institution = (uint16_t)n, 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, void *own)
{
    struct options *o = own;
    if (!o->opening.kind) { /* the first option: nothing is set yet */
        o->opening.kind = "personal";
        for (unsigned i = 0; i < HUB_LIMIT_COUNT; i++)
            o->opening.limits.value[i] = HUB_LIMIT_NONE;
    }
    switch (key) {
    case OPT_KIND:
        return o->opening.kind = arg, hub_kind_ok(arg) ? 0 : EINVAL;
    case OPT_OWNER:
        return o->owner = arg, 0;
    case OPT_OWNER_KEY:
        return o->owner_key = arg, 0;
    case OPT_REFERENCE:
        o->opening.has_reference = true;
        return hub_reference_of(o->opening.reference, arg) ? 0 : EINVAL;
    case OPT_LIMIT:
        return hub_limit_of(&o->opening.limits, arg) ? 0 : EINVAL;
    case OPT_NO_P2P:
        return o->opening.no_p2p = true, 0;
    case OPT_HOLDER:
        return o->holder = arg, 0;
    case OPT_CSV:
        return o->csv = arg, 0;
    default:
        return parse_number(&o->opening, key, arg);
    }
}

/* ---- owners */

bool hub_owner_of(uint8_t out[16], const struct hub_owner_key *key, const char *text)
{
    static const char tag[] = "hubledger/owner/1";
    struct hub_hasher h;
    struct hub_hash hash;
    if (hub_parse_hex(out, 16, text))
        return true;
    if (!key->given || !*text)
        return false;
    hub_hash_init(&h);
    hub_hash_add(&h, tag, sizeof tag - 1);
    hub_hash_add(&h, key->key.b, sizeof key->key.b);
    hub_hash_add(&h, text, strlen(text));
    hub_hash_final(&h, &hash);
    memcpy(out, hash.b, 16);
    return true;
}

bool hub_owner_key_read(const struct hub_cli *cli, struct hub_owner_key *out, const char *path)
{
    struct hub_buf file;
    char digits[65] = "";
    if (!hub_cli_read_file(cli, &file, path, 66))
        return false;
    if (file.len >= 64)
        memcpy(digits, file.data, 64);
    free(file.data);
    out->given = hub_parse_hex(out->key.b, sizeof out->key.b, digits);
    if (!out->given)
        hub_cli_fail(cli, 0,
                     HUB_T(cli,
                           "%s is no owner key (64 hex digits); make one with: hubledger wallet "
                           "owner-key new -o FILE",
                           "%s 不是持有人标识密钥（64 位十六进制）；生成：hubledger wallet "
                           "owner-key new -o 文件"),
                     path);
    return out->given;
}

static int run_owner_key(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    uint8_t bytes[32];
    char text[66];
    (void)own, (void)argc;
    if (strcmp(argv[0], "new") != 0 || !cli->output)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "expected: hubledger wallet owner-key new -o FILE",
                                  "用法：hubledger wallet owner-key new -o 文件"));
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE,
                            HUB_T(cli, "the system gives no random bytes", "系统无法提供随机数"));
    hub_format_hex(text, bytes, sizeof bytes);
    text[64] = '\n';
    if (!hub_cli_write_secret(cli, cli->output, (struct hub_span){(const uint8_t *)text, 65}))
        return HUB_EXIT_UNREACHABLE;
    hub_cli_say(cli,
                HUB_T(cli,
                      "%s: keep it secret and keep it: with it the owner texts of your tables "
                      "become the same 16 "
                      "bytes again, without it nobody can guess a name from them",
                      "%s：请保密并妥善保存：凭此密钥，表中持有人文字总得到相同的 16 "
                      "字节标识；无此密钥者无法由标识推知姓名"),
                cli->output);
    return HUB_EXIT_OK;
}

/* ---- open */

void hub_opening_reference(struct hub_opening *o)
{
    uint8_t bytes[64];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    struct hub_hash hash;
    if (o->has_reference)
        return;
    hub_put_array(&b, 5);
    hub_put_uint(&b, o->institution);
    hub_put_text(&b, o->kind);
    hub_put_uint(&b, o->tier);
    hub_put_bytes(&b, (struct hub_span){o->owner, sizeof o->owner});
    hub_put_uint(&b, o->parent);
    HUB_ASSERT(!b.full);
    hub_hash_tagged(&hash, "hubledger/opening/1", hub_span_of(&b));
    memcpy(o->reference, hash.b, sizeof o->reference);
    o->has_reference = true;
}

static void put_limits(struct hub_buf *out, const struct hub_limits *l, unsigned count)
{
    const struct hub_field *fields = hub_record_types[HUB_TYPE_WALLET_OPEN].fields;
    while (strcmp(fields->name, "limits") != 0)
        fields++;
    hub_put_text(out, "limits");
    hub_put_map(out, count);
    for (const struct hub_field *f = fields->sub; f->name; f++) /* in the order of their encoding */
        for (unsigned i = 0; i < HUB_LIMIT_COUNT; i++)
            if (!strcmp(f->name, hub_limit_names[i]) && l->value[i] != HUB_LIMIT_NONE)
                hub_put_field_uint(out, f->name, l->value[i]);
}

void hub_opening_encode(struct hub_buf *out, const struct hub_opening *o)
{
    uint8_t cose_key[HUB_COSE_KEY_BYTES];
    unsigned limits = 0;
    for (unsigned i = 0; i < HUB_LIMIT_COUNT; i++)
        limits += o->limits.value[i] != HUB_LIMIT_NONE;
    hub_put_map(out, 5u + (o->holder != NULL) + (limits > 0) + o->no_p2p + (o->parent != 0));
    if (o->holder) {
        hub_cose_key_encode(cose_key, &o->holder->key);
        hub_put_text(out, "key");
        hub_put_bytes(out, (struct hub_span){cose_key, sizeof cose_key});
    }
    hub_put_text(out, "kind");
    hub_put_text(out, o->kind);
    hub_put_field_uint(out, "tier", o->tier);
    hub_put_reference(out, "owner", o->owner);
    if (limits > 0)
        put_limits(out, &o->limits, limits);
    if (o->no_p2p) {
        hub_put_text(out, "no_p2p");
        hub_put_bool(out, true);
    }
    if (o->parent != 0)
        hub_put_field_uint(out, "parent", o->parent);
    hub_put_reference(out, "reference", o->reference);
    hub_put_field_uint(out, "institution", o->institution);
}

static int open_one(struct hub_cli *cli, struct options *o)
{
    uint8_t bytes[HUB_BULK_CORE_MAX];
    struct hub_buf body = {.data = bytes, .cap = sizeof bytes};
    struct hub_keyfile holder = {0};
    const char *why = "";
    json_t *outcome = NULL;
    if (o->holder && hub_keyfile_open(&holder, o->holder, cli->passphrase_file, &why) != HUB_OK)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s: %s", o->holder, hub_cli_why(cli, why));
    o->opening.holder = o->holder ? &holder : NULL;
    hub_opening_reference(&o->opening);
    hub_opening_encode(&body, &o->opening);
    HUB_ASSERT(!body.full);
    const struct hub_signing what = {
        .type = HUB_TYPE_WALLET_OPEN, .core = hub_span_of(&body), .also = o->opening.holder};
    const int code = hub_cli_sign_and_send(cli, &what, &outcome);
    const char *number =
        hub_json_text(json_object_get(json_object_get(outcome, "result"), "value"), "wallet");
    if (*number)
        hub_cli_say(cli, HUB_T(cli, "wallet %s", "钱包 %s"), number);
    json_decref(outcome);
    hub_keyfile_close(&holder);
    return code;
}

static int run_open(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct options *o = own;
    struct hub_owner_key key = {0};
    struct hub_hints hints;
    int code = HUB_EXIT_USAGE;
    (void)argc, (void)argv;
    if (o->owner_key && !hub_owner_key_read(cli, &key, o->owner_key))
        return HUB_EXIT_UNREACHABLE;
    if (!o->csv && (!o->owner || !hub_owner_of(o->opening.owner, &key, o->owner)))
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(
                cli,
                "--owner: 32 hex digits, or any text together with --owner-key FILE: names of "
                "owners "
                "never go to the ledger",
                "--owner：32 位十六进制，或任意文字并同时给出 --owner-key 文件：持有人姓名不上账"));
    if (!o->opening.institution &&
        (!hub_cli_hints(cli, &hints, &code) ||
         !hub_own_institution(cli, hints.iss, &o->opening.institution, &code)))
        return code;
    return o->csv ? hub_wallet_open_table(cli, o->csv, o->opening.institution, &key)
                  : open_one(cli, o);
}

/* ---- show */

static void say_use(const struct hub_cli *cli, const json_t *wallet, const char *name,
                    const char *label)
{
    const json_t *u = json_object_get(wallet, name);
    char used[32], left[32] = "";
    hub_format_yuan(used, hub_json_number(u, "paid_fen", 0));
    const uint64_t rest = hub_json_number(u, "left_fen", UINT64_MAX);
    if (rest != UINT64_MAX)
        hub_format_yuan(left, rest);
    hub_cli_say(cli, "  %s %s%s%s", label, used, *left ? HUB_T(cli, ", left ", "，剩余 ") : "",
                left);
}

static void say_wallet(const struct hub_cli *cli, const json_t *w)
{
    static const char *const tiers[HUB_TIERS] = {"-", "I", "II", "III", "IV"};
    char balance[32], available[32];
    size_t i;
    json_t *flag;
    const uint64_t tier = hub_json_number(w, "tier", 0);
    hub_format_yuan(balance, hub_json_number(w, "balance_fen", 0));
    hub_format_yuan(available, hub_json_number(w, "available_fen", 0));
    hub_cli_say(cli,
                HUB_T(cli, "wallet %s  %s, tier %s, institution %" PRIu64,
                      "钱包 %s  类型 %s，等级 %s，运营机构 %" PRIu64),
                hub_json_text(w, "number"), hub_json_text(w, "kind"),
                tier < HUB_TIERS ? tiers[tier] : "?", hub_json_number(w, "institution", 0));
    hub_cli_say(cli, HUB_T(cli, "  balance %s, available %s", "  余额 %s，可用 %s"), balance,
                available);
    say_use(cli, w, "today", HUB_T(cli, "paid today", "今日已付"));
    say_use(cli, w, "year", HUB_T(cli, "paid this year", "本年已付"));
    say_use(cli, w, "redeem_today", HUB_T(cli, "redeemed today", "今日兑回"));
    say_use(cli, w, "redeem_year", HUB_T(cli, "redeemed this year", "本年兑回"));
    json_array_foreach(json_object_get(w, "flags"), i, flag)
    {
        hub_cli_say(cli, "  %s", json_string_value(flag));
    }
}

static int run_show(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    char path[64], number[24];
    uint64_t n;
    struct hub_reply r;
    int code;
    (void)own, (void)argc;
    if (!hub_parse_wallet(&n, argv[0]))
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(
                cli,
                "'%s' is no wallet number: 00003-0000001896-38139, the last part are check digits",
                "“%s”不是钱包编号：格式为 00003-0000001896-38139，末段为校验码"),
            argv[0]);
    hub_format_wallet(number, n);
    snprintf(path, sizeof path, "/v1/wallets/%s", number);
    if (!hub_cli_get(cli, &r, path, &code))
        return code;
    if (cli->json)
        hub_cli_json(r.json);
    say_wallet(cli, r.json);
    hub_reply_free(&r);
    return HUB_EXIT_OK;
}

static const struct argp_option open_options[] = {
    {"kind", OPT_KIND, "KIND", 0,
     "personal (default), corporate, sub, sub-corporate, hard, fee, reserve", 0},
    {"tier", OPT_TIER, "N", 0,
     "1 to 4 for personal and hard wallets, the parent's for a sub wallet", 0},
    {"owner", OPT_OWNER, "TEXT", 0, "32 hex digits, or a text hashed with --owner-key", 0},
    {"owner-key", OPT_OWNER_KEY, "FILE", 0, "hides who the owner texts mean (wallet owner-key new)",
     0},
    {"reference", OPT_REFERENCE, "TEXT", 0, "names the opening; the same one is not made twice", 0},
    {"parent", OPT_PARENT, "NO", 0, "the wallet that funds a sub wallet", 0},
    {"institution", OPT_INSTITUTION, "N", 0, "default: the signer's", 0},
    {"limit", OPT_LIMIT, "NAME=VALUE", 0,
     "of a corporate wallet, repeatable: single, day, day_count, year, balance, redeem_single, "
     "redeem_day, "
     "redeem_day_count, redeem_year, redeem_year_count; 0 = none allowed",
     0},
    {"no-p2p", OPT_NO_P2P, NULL, 0, "no payments to or from other persons", 0},
    {"holder-key", OPT_HOLDER, "FILE", 0, "self-custody: the holder's key file signs too", 0},
    {"csv", OPT_CSV, "FILE", 0,
     "open many: columns owner, kind, tier[, reference, parent, no_p2p]; results go to "
     "FILE.result.csv; run it "
     "again to go on after an interruption",
     0},
    {0},
};

const struct hub_command hub_wallet_commands[] = {
    {.noun = "wallet",
     .verb = "open",
     .args = "",
     .en = "open a wallet, or all of a table",
     .zh = "开立钱包，或按表格批量开立",
     .examples =
         "  hubledger wallet open --kind corporate --owner 0f..32 digits --key operator.key "
         "--wait\n"
         "  hubledger wallet open --csv enterprises.csv --owner-key owners.key --key operator.key\n"
         "  hubledger wallet open --kind personal --tier 3 --owner 0f.. --holder-key mine.key "
         "--key operator.key",
     .options = open_options,
     .parse = parse,
     .own_bytes = sizeof(struct options),
     .run = run_open},
    {.noun = "wallet",
     .verb = "show",
     .args = "NO",
     .en = "balance, limits and what is left of them",
     .zh = "显示余额、限额及剩余额度",
     .examples = "  hubledger wallet show 00003-0000001896-38139\n"
                 "  hubledger wallet show 00003-0000001896-38139 --json",
     .args_min = 1,
     .args_max = 1,
     .run = run_show},
    {.noun = "wallet",
     .verb = "owner-key",
     .args = "new",
     .en = "make the secret that hides owners' names",
     .zh = "生成隐藏持有人身份的密钥",
     .examples = "  hubledger wallet owner-key new -o owners.key",
     .args_min = 1,
     .args_max = 1,
     .run = run_owner_key},
    {0},
};
