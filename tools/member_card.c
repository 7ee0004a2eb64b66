/* member_card.c: `member card`: who a member is and its keys, in one file that all these keys sign: what it hands
 * in for the founding of a network, or to be admitted to one. */
#include "tools/cli.h"
#include "tools/founding.h"

#include <stdlib.h>
#include <string.h>

struct options {
    struct hub_card_text text;
    const char *grant[HUB_CARD_KEYS_MAX];
    unsigned grants;
};
enum {
    OPT_CODE = 1,
    OPT_KIND,
    OPT_NAMES_ZH,
    OPT_NAMES_EN,
    OPT_CONTACT,
    OPT_INSTITUTION,
    OPT_QUOTA,
    OPT_SEAL_NEEDS,
    OPT_GOVERNORS_NEEDED,
    OPT_ENDPOINT,
    OPT_GRANT
};
static const struct argp_option card_options[] = {
    {"code", OPT_CODE, "CODE", 0, "the member's code: 3 to 18 characters of 0-9 and A-Z", 0},
    {"kind", OPT_KIND, "KIND", 0,
     "district (default), hub, authority, institution, auditor or other", 0},
    {"names-zh", OPT_NAMES_ZH, "TEXT", 0, "its name in Chinese", 0},
    {"names-en", OPT_NAMES_EN, "TEXT", 0, "its name in English", 0},
    {"grant", OPT_GRANT, "ROLE[,ROLE]=KEYFILE", 0,
     "a key and what it may do: governor (two at least), seal, validator (the node's key), ...; "
     "repeatable",
     0},
    {"endpoint", OPT_ENDPOINT, "HOST:PORT", 0, "where peers reach its node", 0},
    {"contact", OPT_CONTACT, "TEXT", 0, "an office, no person", 0},
    {"institution", OPT_INSTITUTION, "N", 0, "number of an authority or operating institution", 0},
    {"quota", OPT_QUOTA, "AMOUNT", 0, "an institution's quota of issued money", 0},
    {"seal-needs", OPT_SEAL_NEEDS, "N", 0, "further signatures its seal needs, 0 to 3", 0},
    {"governors-needed", OPT_GOVERNORS_NEEDED, "N", 0, "governors that must agree, 1 to 3", 0},
    {0},
};

static error_t parse_number(int key, const char *arg, struct options *o)
{
    switch (key) {
    case OPT_INSTITUTION:
        return hub_parse_uint(&o->text.institution, arg, UINT16_MAX) ? 0 : EINVAL;
    case OPT_QUOTA:
        return hub_parse_amount(&o->text.quota, arg) ? 0 : EINVAL;
    case OPT_SEAL_NEEDS:
        o->text.seal_needs_given = true;
        return hub_parse_uint(&o->text.seal_needs, arg, 3) ? 0 : EINVAL;
    case OPT_GOVERNORS_NEEDED:
        return hub_parse_uint(&o->text.governors_needed, arg, 3) ? 0 : EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, void *own)
{
    struct options *o = own;
    switch (key) {
    case OPT_CODE:
        return o->text.code = arg, 0;
    case OPT_KIND:
        return o->text.kind = arg, 0;
    case OPT_NAMES_ZH:
        return o->text.zh = arg, 0;
    case OPT_NAMES_EN:
        return o->text.en = arg, 0;
    case OPT_CONTACT:
        return o->text.contact = arg, 0;
    case OPT_ENDPOINT:
        return strrchr(arg, ':') ? (o->text.endpoint = arg, 0) : EINVAL;
    case OPT_GRANT:
        return o->grants < HUB_CARD_KEYS_MAX && strchr(arg, '=') ? (o->grant[o->grants++] = arg, 0)
                                                                 : EINVAL;
    default:
        return parse_number(key, arg, o);
    }
}

/* "ROLE[,ROLE]" up to the '='. */
static bool parse_roles(struct hub_card_key *out, const char *text, size_t len)
{
    while (len > 0) {
        const size_t word = strcspn(text, ",=");
        const char *found = NULL;
        for (unsigned i = 0; hub_role_names[i]; i++)
            if (strlen(hub_role_names[i]) == word && !memcmp(hub_role_names[i], text, word))
                found = hub_role_names[i];
        if (!found || out->roles == sizeof out->role / sizeof *out->role)
            return false;
        out->role[out->roles++] = found;
        if (word == len)
            break;
        text += word + 1;
        len -= word + 1;
    }
    return out->roles > 0;
}

static bool open_grant(const struct hub_cli *cli, struct hub_card_key *out,
                       struct hub_keyfile *file, const char *text)
{
    const char *equals = strchr(text, '='), *why = "";
    *out = (struct hub_card_key){.file = file};
    if (!parse_roles(out, text, (size_t)(equals - text))) {
        hub_cli_fail(cli, 0,
                     HUB_T(cli, "--grant %s: must be ROLE[,ROLE]=KEYFILE with known roles, up to 4",
                           "--grant %s：应为 角色[,角色]=密钥文件，至多 4 个角色"),
                     text);
        return false;
    }
    if (hub_keyfile_open(file, equals + 1, cli->passphrase_file, &why) != HUB_OK) {
        hub_cli_fail(cli, 0, "%s: %s", equals + 1, hub_cli_why(cli, why));
        return false;
    }
    out->label = file->label;
    return true;
}

static int write_card(const struct hub_cli *cli, const struct options *o,
                      const struct hub_card_key *key)
{
    uint8_t bytes[HUB_CARD_BYTES_MAX];
    struct hub_buf out = {.data = bytes, .cap = sizeof bytes};
    struct hub_card check;
    const char *why = "";
    if (!hub_card_write(&out, &o->text, key, o->grants))
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "the card is longer than %d bytes", "名片超过 %d 字节"),
                            HUB_CARD_BYTES_MAX);
    if (!hub_card_read(&check, &why, hub_span_of(&out)))
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli,
                  "code, kind or a text breaks a rule (docs/governance.md): the "
                  "card would not be accepted",
                  "代码、类别或文本不合规则（见 docs/governance.md），该名片不会被接受"));
    if (!hub_cli_write_file(cli, cli->output, hub_span_of(&out), false))
        return HUB_EXIT_UNREACHABLE;
    hub_cli_say(cli,
                HUB_T(cli, "%s: card of %s with %u keys, signed by each of them",
                      "%s：%s 的名片，含 %u 个密钥，均已签名"),
                cli->output, o->text.code, o->grants);
    return HUB_EXIT_OK;
}

static int run_card(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct options *o = own;
    struct hub_keyfile file[HUB_CARD_KEYS_MAX] = {0};
    struct hub_card_key key[HUB_CARD_KEYS_MAX];
    int code = HUB_EXIT_UNREACHABLE;
    unsigned n = 0;
    (void)argc, (void)argv;
    if (!o->text.code || !o->text.zh || !o->grants || !cli->output)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli,
                                  "give --code, --names-zh, --grant for every key, and -o FILE",
                                  "请给出 --code、--names-zh、各密钥的 --grant 与 -o 文件"));
    if (!o->text.kind)
        o->text.kind = "district";
    while (n < o->grants && open_grant(cli, &key[n], &file[n], o->grant[n]))
        n++;
    if (n == o->grants)
        code = write_card(cli, o, key);
    for (unsigned i = 0; i < o->grants; i++)
        hub_keyfile_close(&file[i]);
    return code;
}

const struct hub_command hub_member_commands[] = {
    {.noun = "member",
     .verb = "card",
     .args = "",
     .en = "a member's names and keys in one file, signed by each key, to found or join a network",
     .zh = "生成成员单位名片：名称与密钥，由各密钥签名，用于创建或加入网络",
     .examples =
         "  hubledger member card --code XIANGCHENG --names-zh 苏州市相城区 --names-en 'Xiangcheng "
         "District' --grant governor=g1.key --grant governor=g2.key --grant seal=seal.key --grant "
         "validator=node/node.key --endpoint 10.0.0.1:7101 --passphrase-file p.txt -o xc.card\n"
         "  hubledger member card --code AUDIT --kind auditor --names-zh 审计机构 --grant "
         "governor=g1.key --grant governor=g2.key --grant auditor=a.key -o audit.card",
     .options = card_options,
     .parse = parse,
     .own_bytes = sizeof(struct options),
     .run = run_card},
    {0},
};
