/* network_seal.c: drafts and invites as files, and from the one to the other: a governor of every voting member signs the
 * draft (`network sign`), `network seal` makes the genesis file and the invite. */
#include "tools/network.h"

#include <stdlib.h>
#include <string.h>

/* ---- files */

bool hub_founding_file_read(const struct hub_cli *cli, struct hub_founding_file *out,
                            const char *path)
{
    const char *why = "";
    if (!hub_cli_read_file(cli, &out->bytes, path, HUB_FOUNDING_BYTES_MAX))
        return false;
    if (hub_founding_read(&out->f, &why, hub_span_of(&out->bytes)))
        return true;
    hub_cli_fail(cli, 0, "%s: %s", path, hub_cli_why(cli, why));
    free(out->bytes.data);
    out->bytes.data = NULL;
    return false;
}

int hub_founding_file_write(const struct hub_cli *cli, const char *path, struct hub_span genesis,
                            struct hub_span endpoints, struct hub_span signatures, bool replace)
{
    struct hub_buf out = {.data = malloc(HUB_FOUNDING_BYTES_MAX), .cap = HUB_FOUNDING_BYTES_MAX};
    const bool ok = out.data && hub_founding_write(&out, genesis, endpoints, signatures) &&
                    hub_cli_write_file(cli, path, hub_span_of(&out), replace);
    free(out.data);
    return ok ? HUB_EXIT_OK : HUB_EXIT_UNREACHABLE;
}

int hub_founding_file_say(const struct hub_cli *cli, const char *path, int code)
{
    struct hub_founding_file file = {0};
    if (code != HUB_EXIT_OK || !hub_founding_file_read(cli, &file, path))
        return code != HUB_EXIT_OK ? code : HUB_EXIT_UNREACHABLE;
    hub_founding_say(cli, &file.f);
    free(file.bytes.data);
    return HUB_EXIT_OK;
}

/* ---- sign */

static bool is_governor(const struct hub_genesis *g, const struct hub_keyfile *key)
{
    struct hub_cbor c = hub_cbor_open(g->keys);
    for (uint32_t n = hub_cbor_array(&c, 0, UINT32_MAX); n > 0; n--) {
        struct hub_hash kid;
        hub_cbor_array(&c, 2, 2);
        hub_cbor_text(&c, 0, SIZE_MAX);
        const struct hub_span grant = hub_cbor_item(&c);
        hub_hash_span(&kid, hub_field_span(grant, "key"));
        if (hub_hash_equal(&kid, &key->kid))
            return (hub_grant_roles(grant) & HUB_ROLE_GOVERNOR) != 0;
    }
    return false;
}

static int sign_draft(struct hub_cli *cli, const char *path, const struct hub_founding *f)
{
    uint8_t one_bytes[128];
    struct hub_buf one = {.data = one_bytes, .cap = sizeof one_bytes};
    struct hub_buf merged = {.data = malloc(HUB_FOUNDING_BYTES_MAX), .cap = HUB_FOUNDING_BYTES_MAX};
    char phrase[9];
    int code = HUB_EXIT_UNREACHABLE;
    const struct hub_keyfile *key = hub_cli_key(cli);
    hub_format_hex(phrase, f->genesis.chain.b, 4);
    if (key && !is_governor(&f->genesis, key))
        code = hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "%s is no governor key of this draft", "%s 不是该草案中的治理密钥"),
            cli->key_path);
    else if (key &&
             !hub_cli_confirm(cli,
                              HUB_T(cli, "You sign for your member that this is the network.",
                                    "您将代表本单位确认：以上即为该网络。"),
                              phrase))
        code = HUB_EXIT_USAGE;
    else if (key && merged.data) {
        hub_genesis_sign(&one, f->genesis.bytes, key);
        if (hub_signatures_merge(&merged, f->signatures, hub_span_of(&one)))
            code = hub_founding_file_write(cli, cli->output ? cli->output : path, f->genesis.bytes,
                                           f->endpoints, hub_span_of(&merged), !cli->output);
    }
    free(merged.data);
    return code;
}

int hub_network_sign(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_founding_file file = {0};
    (void)own, (void)argc;
    if (!hub_founding_file_read(cli, &file, argv[0]))
        return HUB_EXIT_UNREACHABLE;
    hub_founding_say(cli, &file.f);
    const int code = sign_draft(cli, argv[0], &file.f);
    free(file.bytes.data);
    if (code == HUB_EXIT_OK)
        hub_cli_say(cli, HUB_T(cli, "signed into %s", "已签署，写入 %s"),
                    cli->output ? cli->output : argv[0]);
    return code;
}

/* ---- seal */

/* The signatures of all drafts, which must be of one genesis file, into the first's. */
static bool gather(const struct hub_cli *cli, struct hub_founding_file *first, struct hub_buf *all,
                   unsigned argc, char **argv)
{
    struct hub_buf merged = {.data = malloc(HUB_FOUNDING_BYTES_MAX), .cap = HUB_FOUNDING_BYTES_MAX};
    bool ok = merged.data != NULL;
    if (!hub_founding_file_read(cli, first, argv[0])) {
        free(merged.data);
        return false;
    }
    hub_put_raw(all, first->f.signatures);
    for (unsigned i = 1; i < argc && ok; i++) {
        struct hub_founding_file next = {0};
        if (!(ok = hub_founding_file_read(cli, &next, argv[i])))
            break;
        ok = hub_hash_equal(&next.f.genesis.chain, &first->f.genesis.chain);
        if (!ok)
            hub_cli_fail(cli, 0,
                         HUB_T(cli, "%s is a draft of another network than %s",
                               "%s 与 %s 不是同一网络的草案"),
                         argv[i], argv[0]);
        merged.len = 0;
        ok = ok && hub_signatures_merge(&merged, hub_span_of(all), next.f.signatures);
        if (ok) {
            all->len = 0;
            hub_put_raw(all, hub_span_of(&merged));
        }
        free(next.bytes.data);
    }
    free(merged.data);
    return ok && !all->full;
}

/* genesis.cbor, genesis.signatures and the invite, beside each other. */
static int write_sealed(const struct hub_cli *cli, const struct hub_founding *f)
{
    char path[1024], missing[1024];
    const char *base = cli->output;
    const size_t stem =
        strlen(base) - (strlen(base) > 5 && !strcmp(base + strlen(base) - 5, ".cbor") ? 5 : 0);
    if (hub_founding_unsigned(missing, f))
        return hub_cli_fail(cli, HUB_EXIT_COSIGN,
                            HUB_T(cli, "not sealed: no governor of %s has signed yet",
                                  "未封存：%s 的治理密钥尚未签署"),
                            missing);
    if (stem > sizeof path - 16)
        return hub_cli_fail(cli, HUB_EXIT_USAGE, HUB_T(cli, "%s: path too long", "%s：路径过长"),
                            base);
    if (!hub_cli_write_file(cli, base, f->genesis.bytes, false))
        return HUB_EXIT_UNREACHABLE;
    snprintf(path, sizeof path, "%.*s.signatures", (int)stem, base);
    if (!hub_cli_write_file(cli, path, f->signatures, false))
        return HUB_EXIT_UNREACHABLE;
    snprintf(path, sizeof path, "%.*s.invite", (int)stem, base);
    const int code =
        hub_founding_file_write(cli, path, f->genesis.bytes, f->endpoints, f->signatures, false);
    if (code == HUB_EXIT_OK)
        hub_cli_say(cli,
                    HUB_T(cli,
                          "sealed: %s, its signatures, and the invite %s: every node joins "
                          "with hubledger node join %s",
                          "已封存：%s、签名文件及邀请文件 %s；各节点加入：hubledger node join %s"),
                    base, path, path);
    return code;
}

int hub_network_seal(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_founding_file first = {0};
    struct hub_buf all = {.data = malloc(HUB_FOUNDING_BYTES_MAX), .cap = HUB_FOUNDING_BYTES_MAX};
    int code = HUB_EXIT_UNREACHABLE;
    (void)own;
    if (!cli->output) {
        free(all.data);
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "name the genesis file with -o genesis.cbor",
                                  "请用 -o genesis.cbor 指定创世文件"));
    }
    if (all.data && gather(cli, &first, &all, argc, argv)) {
        first.f.signatures = hub_span_of(&all);
        hub_founding_say(cli, &first.f);
        code = write_sealed(cli, &first.f);
    }
    free(first.bytes.data);
    free(all.data);
    return code;
}
