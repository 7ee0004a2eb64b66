/* key.c: key files, and their registration on the ledger: `key new`, `show`, `hints`, `add`, `revoke`, `cancel`,
 * `replace`. */
#include "tools/cli.h"

#include "node/config.h"
#include "node/guard.h"

#include <stdlib.h>
#include <string.h>

enum { ROLES_MAX = 4, BODY_BYTES = 2048 };

struct options {
    const char *role[ROLES_MAX], *label, *reason, *note, *for_file, *member;
    unsigned roles;
    uint64_t since, not_after;
    bool unprotected;
};
enum {
    OPT_ROLE = 1,
    OPT_LABEL,
    OPT_UNPROTECTED,
    OPT_REASON,
    OPT_SINCE,
    OPT_NOTE,
    OPT_FOR,
    OPT_NOT_AFTER,
    OPT_MEMBER
};

static error_t parse(int key, char *arg, void *own)
{
    struct options *o = own;
    switch (key) {
    case OPT_ROLE:
        for (unsigned i = 0; hub_role_names[i]; i++)
            if (!strcmp(hub_role_names[i], arg) && o->roles < ROLES_MAX)
                return o->role[o->roles++] = hub_role_names[i], 0;
        return EINVAL;
    case OPT_LABEL:
        return o->label = arg, 0;
    case OPT_UNPROTECTED:
        return o->unprotected = true, 0;
    case OPT_REASON:
        return o->reason = arg, 0;
    case OPT_NOTE:
        return o->note = arg, 0;
    case OPT_FOR:
        return o->for_file = arg, 0;
    case OPT_MEMBER:
        return o->member = arg, 0;
    case OPT_SINCE:
        return hub_parse_time(&o->since, arg, false) ? 0 : EINVAL;
    case OPT_NOT_AFTER:
        return hub_parse_time(&o->not_after, arg, true) ? 0 : EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_key(const struct hub_cli *cli, const struct hub_keyfile *k, const char *path)
{
    char kid[65], key[65], transport[65];
    hub_format_hex(kid, k->kid.b, 32);
    hub_format_hex(key, k->key.b, 32);
    hub_format_hex(transport, k->transport, 32);
    if (cli->json)
        hub_cli_json(json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "file", path, "label", k->label,
                               "kid", kid, "key", key, "transport", transport, "unprotected",
                               k->unprotected));
    hub_cli_say(cli,
                HUB_T(cli, "label       %s\nkey id      %s\npublic key  %s\ntransport   %s\n%s",
                      "标签      %s\n密钥标识  %s\n公钥      %s\n传输公钥  %s\n%s"),
                k->label, kid, key, transport,
                k->unprotected ? HUB_T(cli, "UNPROTECTED: for trial networks only",
                                       "未加口令保护：仅限试验网络")
                               : HUB_T(cli, "protected by a passphrase", "已加口令保护"));
}

static int run_new(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    const char *why = "", *path = cli->output;
    struct hub_keyfile shown;
    (void)argc, (void)argv;
    if (!path)
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "name the new file with -o FILE", "请用 -o 文件 指定新密钥文件"));
    if (!cli->passphrase_file && !o->unprotected)
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "give --passphrase-file FILE, or, for a trial network only, --unprotected",
                  "请给出 --passphrase-file 文件；仅试验网络可用 --unprotected"));
    const char *label = o->label ? o->label : o->roles ? o->role[0] : "key";
    const enum hub_status st = o->unprotected
                                   ? hub_keyfile_create_unprotected(path, label, &why)
                                   : hub_keyfile_create(path, label, cli->passphrase_file, &why);
    if (st != HUB_OK || hub_keyfile_show(&shown, path, &why) != HUB_OK)
        return hub_cli_fail(cli, st == HUB_CONFLICT ? HUB_EXIT_USAGE : HUB_EXIT_UNREACHABLE,
                            "%s: %s", path, hub_cli_why(cli, why));
    for (unsigned i = 0; i < o->roles; i++)
        if (!strcmp(o->role[i], "validator") && !hub_cli_guard(cli, path, &shown.kid))
            return HUB_EXIT_UNREACHABLE;
    print_key(cli, &shown, path);
    return HUB_EXIT_OK;
}

/* Made with the key, and only then: a node that finds none knows that it was lost (docs/hazards.md H12). */
bool hub_cli_guard(const struct hub_cli *cli, const char *keyfile, const struct hub_hash *kid)
{
    char path[HUB_PATH_BYTES_MAX], why[HUB_GUARD_WHY_BYTES] = "path too long";
    if (hub_guard_path(path, sizeof path, keyfile) && hub_guard_create(path, kid, why) == HUB_OK)
        return true;
    hub_cli_fail(cli, 0, HUB_T(cli, "%s: %s", "%s：守护文件：%s"), keyfile, why);
    return false;
}

static int run_show(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_keyfile shown;
    const char *why = "";
    (void)own, (void)argc;
    if (hub_keyfile_show(&shown, argv[0], &why) != HUB_OK)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s: %s", argv[0], hub_cli_why(cli, why));
    print_key(cli, &shown, argv[0]);
    return HUB_EXIT_OK;
}

static int run_hints(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    char path[128] = "/v1/keys/";
    struct hub_keyfile shown;
    struct hub_reply r;
    const char *why = "", *file = o->for_file ? o->for_file : cli->key_path;
    int code;
    (void)argc, (void)argv;
    if (!file)
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "whose? name a key file with --for FILE", "请用 --for 文件 指定密钥文件"));
    if (hub_keyfile_show(&shown, file, &why) != HUB_OK)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s: %s", file, hub_cli_why(cli, why));
    hub_format_hex(path + strlen(path), shown.kid.b, 32);
    strcat(path, "/hints");
    if (!hub_cli_get(cli, &r, path, &code))
        return code;
    if (cli->output)
        code = hub_cli_write_file(cli, cli->output, hub_span_of(&r.body), false)
                   ? HUB_EXIT_OK
                   : HUB_EXIT_UNREACHABLE;
    else if (cli->json)
        hub_cli_json(r.json), code = HUB_EXIT_OK;
    else
        hub_cli_say(
            cli, HUB_T(cli, "next sequence number %s  (signs as %s)", "下一个序号 %s（签发者 %s）"),
            hub_json_text(r.json, "next_seq"), hub_json_text(r.json, "iss")),
            code = HUB_EXIT_OK;
    hub_reply_free(&r);
    return code;
}

/* The member the signer belongs to: --member, else what the node says of its key. */
static bool own_member(struct hub_cli *cli, const struct options *o, char out[24], int *code)
{
    struct hub_hints hints;
    if (o->member)
        return snprintf(out, 24, "%s", o->member) < 24;
    if (!hub_cli_hints(cli, &hints, code))
        return false;
    memcpy(out, hints.iss, sizeof hints.iss);
    return true;
}

/* {key, label, roles, member, ? not_after, ? transport}: docs/keys.md key.add, in the order of encoding. */
static void put_add(struct hub_buf *b, const struct options *o, const struct hub_keyfile *k,
                    const char *member)
{
    uint8_t cose_key[HUB_COSE_KEY_BYTES];
    const bool node = !strcmp(o->role[0], "validator") || !strcmp(o->role[0], "observer");
    hub_cose_key_encode(cose_key, &k->key);
    hub_put_map(b, 4u + (o->not_after != 0) + node);
    hub_put_text(b, "key");
    hub_put_bytes(b, (struct hub_span){cose_key, sizeof cose_key});
    hub_put_text(b, "label");
    hub_put_text(b, o->label ? o->label : k->label);
    hub_put_text(b, "roles");
    hub_put_array(b, o->roles);
    for (unsigned i = 0; i < o->roles; i++)
        hub_put_text(b, o->role[i]);
    hub_put_text(b, "member");
    hub_put_text(b, member);
    if (o->not_after) {
        hub_put_text(b, "not_after");
        hub_put_uint(b, o->not_after);
    }
    if (node) {
        hub_put_text(b, "transport");
        hub_put_bytes(b, (struct hub_span){k->transport, HUB_TRANSPORT_BYTES});
    }
}

static int run_add(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    uint8_t bytes[BODY_BYTES];
    struct hub_buf body = {.data = bytes, .cap = sizeof bytes};
    struct hub_keyfile k;
    char member[24];
    const char *why = "";
    int code = HUB_EXIT_USAGE;
    (void)argc;
    if (!o->roles)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "say what it may do: --role ROLE, up to four",
                                  "请用 --role 指定角色，至多四个"));
    if (!own_member(cli, o, member, &code))
        return code;
    if (hub_keyfile_open(&k, argv[0], cli->passphrase_file, &why) != HUB_OK)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s: %s", argv[0], hub_cli_why(cli, why));
    put_add(&body, o, &k, member);
    code = body.full ? HUB_EXIT_USAGE
                     : hub_cli_sign_and_send(cli,
                                             &(struct hub_signing){.type = HUB_TYPE_KEY_ADD,
                                                                   .core = hub_span_of(&body),
                                                                   .also = &k},
                                             NULL);
    hub_keyfile_close(&k);
    return code;
}

/* {kid, ? note, ? since, reason} */
static int run_revoke(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    uint8_t bytes[BODY_BYTES];
    struct hub_buf body = {.data = bytes, .cap = sizeof bytes};
    struct hub_hash kid;
    (void)argc;
    if (!hub_parse_hex(kid.b, sizeof kid.b, argv[0]))
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "'%s' is no key id: 64 hex digits, as `key show` prints",
                                  "“%s”不是密钥标识：应为 64 位十六进制"),
                            argv[0]);
    hub_put_map(&body, 2u + (o->note != NULL) + (o->since != 0));
    hub_put_text(&body, "kid");
    hub_put_hash(&body, &kid);
    if (o->note) {
        hub_put_text(&body, "note");
        hub_put_text(&body, o->note);
    }
    if (o->since) {
        hub_put_text(&body, "since");
        hub_put_uint(&body, o->since);
    }
    hub_put_text(&body, "reason");
    hub_put_text(&body, o->reason ? o->reason : "superseded");
    if (body.full)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "--note: at most 300 bytes", "--note：至多 300 字节"));
    return hub_cli_sign_and_send(
        cli, &(struct hub_signing){.type = HUB_TYPE_KEY_REVOKE, .core = hub_span_of(&body)}, NULL);
}

static bool read_kid(const struct hub_cli *cli, struct hub_hash *kid, const char *text)
{
    if (hub_parse_hex(kid->b, sizeof kid->b, text))
        return true;
    hub_cli_fail(cli, 0,
                 HUB_T(cli, "'%s' is no key id: 64 hex digits, as `key show` prints",
                       "“%s”不是密钥标识：应为 64 位十六进制"),
                 text);
    return false;
}

static int run_cancel(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    uint8_t bytes[64];
    struct hub_buf body = {.data = bytes, .cap = sizeof bytes};
    struct hub_hash kid;
    (void)own, (void)argc;
    if (!read_kid(cli, &kid, argv[0]))
        return HUB_EXIT_USAGE;
    hub_put_map(&body, 1);
    hub_put_text(&body, "kid");
    hub_put_hash(&body, &kid);
    return hub_cli_sign_and_send(
        cli, &(struct hub_signing){.type = HUB_TYPE_KEY_CANCEL, .core = hub_span_of(&body)}, NULL);
}

/* validator.replace: {key: {key, label, roles, transport}, old, reason} */
static void put_replace(struct hub_buf *b, const struct options *o, const struct hub_keyfile *k,
                        const struct hub_hash *old)
{
    uint8_t cose_key[HUB_COSE_KEY_BYTES];
    hub_cose_key_encode(cose_key, &k->key);
    hub_put_map(b, 3);
    hub_put_text(b, "key");
    hub_put_map(b, 4);
    hub_put_text(b, "key");
    hub_put_bytes(b, (struct hub_span){cose_key, sizeof cose_key});
    hub_put_text(b, "label");
    hub_put_text(b, o->label ? o->label : k->label);
    hub_put_text(b, "roles");
    hub_put_array(b, 1);
    hub_put_text(b, "validator");
    hub_put_text(b, "transport");
    hub_put_bytes(b, (struct hub_span){k->transport, HUB_TRANSPORT_BYTES});
    hub_put_text(b, "old");
    hub_put_hash(b, old);
    hub_put_text(b, "reason");
    hub_put_text(b, o->reason ? o->reason : "superseded");
}

static int run_replace(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    uint8_t bytes[BODY_BYTES];
    struct hub_buf body = {.data = bytes, .cap = sizeof bytes};
    struct hub_keyfile k;
    struct hub_hash old;
    const char *why = "";
    int code;
    (void)argc;
    if (!read_kid(cli, &old, argv[0]))
        return HUB_EXIT_USAGE;
    if (hub_keyfile_open(&k, argv[1], cli->passphrase_file, &why) != HUB_OK)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s: %s", argv[1], hub_cli_why(cli, why));
    put_replace(&body, o, &k, &old);
    code = body.full
               ? HUB_EXIT_USAGE
               : hub_cli_sign_and_send(cli,
                                       &(struct hub_signing){.type = HUB_TYPE_VALIDATOR_REPLACE,
                                                             .core = hub_span_of(&body),
                                                             .also = &k},
                                       NULL);
    hub_keyfile_close(&k);
    return code;
}

static const struct argp_option new_options[] = {
    {"role", OPT_ROLE, "ROLE", 0,
     "what it is meant for, a label; with validator the guard file is made too", 0},
    {"label", OPT_LABEL, "TEXT", 0, "what people call it", 0},
    {"unprotected", OPT_UNPROTECTED, NULL, 0, "without a passphrase: trial networks only", 0},
    {0},
};
static const struct argp_option hints_options[] = {
    {"for", OPT_FOR, "FILE", 0, "the key file (default: --key)", 0},
    {0},
};
static const struct argp_option add_options[] = {
    {"role", OPT_ROLE, "ROLE", 0,
     "governor seal operator issuer auditor checker approver recovery validator observer; repeat, "
     "up to 4",
     0},
    {"label", OPT_LABEL, "TEXT", 0, "what people call it (default: the file's label)", 0},
    {"member", OPT_MEMBER, "CODE", 0, "whose key it becomes (default: the signer's member)", 0},
    {"not-after", OPT_NOT_AFTER, "DATE", 0, "last day it may sign", 0},
    {0},
};
static const struct argp_option replace_options[] = {
    {"reason", OPT_REASON, "REASON", 0, "handover, superseded (default), lost or compromised", 0},
    {"label", OPT_LABEL, "TEXT", 0, "what people call the new one (default: the file's label)", 0},
    {0},
};
static const struct argp_option revoke_options[] = {
    {"reason", OPT_REASON, "REASON", 0, "handover, superseded (default), lost or compromised", 0},
    {"since", OPT_SINCE, "TIME", 0, "compromised since", 0},
    {"note", OPT_NOTE, "TEXT", 0, "a remark", 0},
    {0},
};

#define OWN .parse = parse, .own_bytes = sizeof(struct options)
const struct hub_command hub_key_commands[] = {
    {.noun = "key",
     .verb = "new",
     .args = "",
     .en = "make a new key file",
     .zh = "生成新的密钥文件",
     .examples = "  hubledger key new --role seal --label 'seal, 2026' --passphrase-file p.txt -o "
                 "seal.key\n  hubledger key new --unprotected -o trial.key",
     .options = new_options,
     OWN,
     .run = run_new},
    {.noun = "key",
     .verb = "show",
     .args = "FILE",
     .en = "the public part of a key file",
     .zh = "显示密钥文件的公开部分",
     .examples = "  hubledger key show seal.key\n  hubledger key show seal.key --json",
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_show},
    {.noun = "key",
     .verb = "hints",
     .args = "",
     .en = "next sequence number, for signing offline",
     .zh = "下一个序号（供离线签名）",
     .examples =
         "  hubledger key hints --for seal.key\n  hubledger key hints --for seal.key -o hints.json",
     .options = hints_options,
     OWN,
     .run = run_hints},
    {.noun = "key",
     .verb = "add",
     .args = "FILE",
     .en = "register a new key of the own member; signed by a governor and the new key",
     .zh = "登记本单位的新密钥（治理密钥与新密钥共同签名）",
     .examples = "  hubledger key add seal-2.key --role seal --key governor-1.key --wait\n  "
                 "hubledger key add clerk.key --role operator --role checker --key governor-1.key",
     .options = add_options,
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_add},
    {.noun = "key",
     .verb = "revoke",
     .args = "KID",
     .en = "end a key of the own member",
     .zh = "吊销本单位的密钥",
     .examples = "  hubledger key revoke 5f0c.. --reason lost --key governor-1.key --wait",
     .options = revoke_options,
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_revoke},
    {.noun = "key",
     .verb = "cancel",
     .args = "KID",
     .en = "stop the adding or revoking of a governor of the own member, while it waits",
     .zh = "取消本单位待生效的治理密钥增加或撤销",
     .examples = "  hubledger key cancel 5f0c.. --key governor-2.key --wait",
     OWN,
     .args_min = 1,
     .args_max = 1,
     .run = run_cancel},
    {.noun = "key",
     .verb = "replace",
     .args = "OLD_KID NEW_FILE",
     .en = "put a new validator key in the place of the own old one, at most once a day",
     .zh = "更换本单位的共识节点密钥（每天至多一次）",
     .examples =
         "  hubledger key replace 5f0c.. validator-2.key --reason lost --key governor-1.key "
         "--wait",
     .options = replace_options,
     OWN,
     .args_min = 2,
     .args_max = 2,
     .run = run_replace},
    {0},
};
