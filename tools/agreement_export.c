/* agreement_export.c: the stand-alone file: an agreement with the signatures of all its parties, for anybody's COSE
 * library. Every signature is checked before it is written. */
#include "tools/agreement.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One statement of the node's answer as the consent it came from. protected_ keeps the bytes it borrows. */
static bool consent_of(struct hub_consent *out, struct hub_signature *signature,
                       struct hub_buf *protected_, const json_t *statement)
{
    const struct hub_span remark = hub_text_span(hub_json_text(statement, "remark"));
    if (remark.len > HUB_REMARK_BYTES_MAX ||
        !hub_parse_hex(out->kid.b, 32, hub_json_text(statement, "kid")) ||
        !hub_parse_hex(signature->b, 64, hub_json_text(statement, "signature")))
        return false;
    protected_->len = 0;
    hub_consent_protected(protected_, &out->kid, remark);
    out->protected_ = hub_span_of(protected_);
    out->remark = remark;
    out->signature = signature;
    return !protected_->full;
}

static bool consent_stands(const struct hub_consent *c, struct hub_span body,
                           const json_t *statement)
{
    uint8_t cose_key[HUB_COSE_KEY_BYTES];
    struct hub_public_key key;
    return hub_parse_hex(cose_key, sizeof cose_key, hub_json_text(statement, "key")) &&
           hub_cose_key_decode(&key, (struct hub_span){cose_key, sizeof cose_key}) &&
           hub_consent_ok(c, body, &key);
}

/* The statements that sign, ascending by kid; UINT32_MAX if there are more than parties. */
static uint32_t signing(const json_t *json, const json_t *out[HUB_PARTIES_MAX])
{
    uint32_t n = 0;
    size_t i;
    json_t *s;
    json_array_foreach(json_object_get(json, "statements"), i, s)
    {
        uint32_t at = n;
        if (!*hub_json_text(s, "signature"))
            continue;
        if (n == HUB_PARTIES_MAX)
            return UINT32_MAX;
        for (; at > 0 && strcmp(hub_json_text(out[at - 1], "kid"), hub_json_text(s, "kid")) > 0;
             at--)
            out[at] = out[at - 1];
        out[at] = s;
        n++;
    }
    return n;
}

static int assemble(const struct hub_cli *cli, struct hub_buf *out, struct hub_span body,
                    const json_t *json)
{
    const json_t *by[HUB_PARTIES_MAX];
    const uint32_t n = signing(json, by);
    if (n == 0 || n == UINT32_MAX)
        return hub_cli_fail(cli, HUB_EXIT_NO_EFFECT,
                            HUB_T(cli, "nobody has signed this revision", "该版次尚无人签署"));
    hub_executed_begin(out, body, n);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t bytes[HUB_REMARK_BYTES_MAX + 64];
        struct hub_buf protected_ = {.data = bytes, .cap = sizeof bytes};
        struct hub_signature signature;
        struct hub_consent c;
        if (!consent_of(&c, &signature, &protected_, by[i]) || !consent_stands(&c, body, by[i]))
            return hub_cli_fail(
                cli, HUB_EXIT_UNVERIFIED,
                HUB_T(cli,
                      "the node's signature of %s does not verify over the text: "
                      "ask another node (--node)",
                      "节点给出的 %s 的签名对该文本不成立：请改用其他节点（--node）"),
                hub_json_text(by[i], "member"));
        hub_consent_encode(out, c.protected_, &signature);
    }
    return out->full ? hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s", strerror(ENOBUFS))
                     : HUB_EXIT_OK;
}

static int write_out(struct hub_cli *cli, const struct hub_buf *file)
{
    struct hub_executed check;
    if (!hub_executed_decode(&check, hub_span_of(file)))
        return hub_cli_fail(
            cli, HUB_EXIT_UNVERIFIED,
            HUB_T(cli, "the node's answer names a key twice", "节点应答中密钥重复"));
    if (!hub_cli_write_file(cli, cli->output, hub_span_of(file), false))
        return HUB_EXIT_UNREACHABLE;
    if (cli->json) {
        json_t *told = json_pack("{s:s, s:i}", "file", cli->output, "signatures", (int)check.count);
        hub_cli_json(told);
        json_decref(told);
    }
    hub_cli_say(cli, HUB_T(cli, "%s: %u signatures, each checked", "%s：%u 个签名，均已核验"),
                cli->output, check.count);
    return HUB_EXIT_OK;
}

int hub_agreement_run_export(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct hub_agreement_options *o = own;
    struct hub_agreement_text t;
    struct hub_buf file = {.data = malloc(HUB_EXECUTED_BYTES_MAX), .cap = HUB_EXECUTED_BYTES_MAX};
    json_t *agreement, *json = NULL;
    (void)argc;
    if (!cli->output || !file.data) {
        free(file.data);
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "name the file with -o FILE", "请用 -o 文件 指定输出文件"));
    }
    int code = hub_agreement_fetch(cli, &agreement, argv[0]);
    if (code == HUB_EXIT_OK) {
        const uint64_t approved = hub_json_number(agreement, "approved_revision", 0);
        const uint64_t current = hub_json_number(agreement, "revision", 0);
        const uint64_t revision = o->revision ? o->revision : approved ? approved : current;
        code =
            hub_revision_fetch(cli, &json, &t, hub_json_text(agreement, "id"), (uint32_t)revision);
    }
    if (code == HUB_EXIT_OK) {
        code = assemble(cli, &file, hub_span_of(&t.body), json);
        if (code == HUB_EXIT_OK)
            code = write_out(cli, &file);
        free(t.body.data);
    }
    json_decref(json);
    json_decref(agreement);
    free(file.data);
    return code;
}
