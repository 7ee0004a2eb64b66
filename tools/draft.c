/* draft.c: see draft.h. */
#include "tools/draft.h"

#include "hub/cose.h"
#include "hub/json.h"
#include "hub/recovery.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DRAFT_BYTES_MAX = HUB_RECORD_BYTES_MAX + HUB_ATTACHMENT_BYTES_MAX + 64 };

struct draft {
    struct hub_buf file, payload, scratch, out; /* owned */
    struct hub_record record;                   /* a view into file */
};

static void close_draft(struct draft *d)
{
    free(d->file.data);
    free(d->payload.data);
    free(d->scratch.data);
    free(d->out.data);
}

static bool take(struct hub_buf *b, size_t bytes)
{
    *b = (struct hub_buf){.data = malloc(bytes), .cap = bytes};
    return b->data != NULL;
}

static int open_draft(struct hub_cli *cli, struct draft *d, const char *path)
{
    struct hub_cbor c;
    uint16_t why = HUB_CODE_not_canonical;

    *d = (struct draft){0};
    if (!hub_cli_genesis(cli) || !hub_cli_read_file(cli, &d->file, path, DRAFT_BYTES_MAX))
        return HUB_EXIT_UNREACHABLE;
    if (!take(&d->payload, HUB_RECORD_BYTES_MAX + 4096) ||
        !take(&d->scratch, 2 * (size_t)HUB_RECORD_BYTES_MAX) ||
        !take(&d->out, DRAFT_BYTES_MAX + 4096))
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, HUB_T(cli, "out of memory", "内存不足"));
    c = hub_cbor_open(hub_span_of(&d->file));
    hub_cbor_array(&c, 2, 2);
    const struct hub_span bytes = hub_cbor_bytes(&c, 1, HUB_RECORD_BYTES_MAX);
    const struct hub_span attachment = hub_cbor_bytes(&c, 0, HUB_ATTACHMENT_BYTES_MAX);
    if (!hub_cbor_done(&c) ||
        hub_record_decode(&d->record, &why, bytes, attachment, &cli->genesis->chain) != HUB_OK) {
        const struct hub_result_text *t = hub_result_text(why);
        return hub_cli_fail(cli, HUB_EXIT_USAGE, "%s: %s", path,
                            t ? HUB_T(cli, t->en, t->zh) : "?");
    }
    return HUB_EXIT_OK;
}

/* What is about to be signed, from the bytes that are signed. */
static void say_draft(const struct hub_cli *cli, const struct draft *d)
{
    const struct hub_record_type *type = &hub_record_types[d->record.type];
    struct hub_buf text;
    char until[64];

    if (!take(&text, 8 * (size_t)HUB_RECORD_BYTES_MAX))
        return;
    hub_json_body(&text, d->record.body, type->fields);
    hub_format_time(until, d->record.valid_until_ms, cli->zh);
    hub_cli_say(
        cli, HUB_T(cli, "%s by %.*s, to be sent before %s\n%.*s", "%s，%.*s，须在 %s 前提交\n%.*s"),
        type->name, (int)d->record.iss.len, (const char *)d->record.iss.data, until, (int)text.len,
        (const char *)text.data);
    free(text.data);
}

/* The co-signatures the draft has; out[HUB_COSIGN_MAX]. */
static uint32_t read_cosigners(struct hub_cosignature *out, const struct hub_record *r)
{
    struct hub_cbor c = hub_cbor_open(r->cosign);
    const uint32_t n = r->cosign.len ? hub_cbor_array(&c, 1, HUB_COSIGN_MAX) : 0;

    for (uint32_t i = 0; i < n; i++) {
        const bool is = hub_record_cosigner(r, i, &out[i].kid);
        HUB_ASSERT(is); /* the record was decoded */
        hub_cbor_array(&c, 3, 3);
        hub_cbor_item(&c);
        hub_cbor_item(&c);
        hub_cbor_copy(&c, out[i].sig.b, sizeof out[i].sig.b);
    }
    return n;
}

/* The record with this payload and signature, as an entry, in d->out. */
static bool write_record(struct draft *d, struct hub_span payload, const struct hub_signature *sig)
{
    static const uint8_t none = 0xa0; /* the empty map */
    d->scratch.len = d->out.len = 0;
    hub_sign1_encode(&d->scratch, d->record.protected_, (struct hub_span){&none, 1}, payload, sig);
    hub_put_array(&d->out, 2);
    hub_put_bytes(&d->out, hub_span_of(&d->scratch));
    hub_put_bytes(&d->out, d->record.attachment);
    return !d->scratch.full && !d->out.full && d->scratch.len <= HUB_RECORD_BYTES_MAX;
}

/* Its place among the n co-signatures of the draft, or behind them. */
static uint32_t place_of(const struct hub_cosignature *all, uint32_t n, const struct hub_hash *kid)
{
    uint32_t i = 0;
    while (i < n && !hub_hash_equal(&all[i].kid, kid))
        i++;
    return i;
}

/* Asked before `may`, which may bind the key for good. */
static int has_room(struct hub_cli *cli, const struct draft *d, const struct hub_keyfile *key)
{
    struct hub_cosignature all[HUB_COSIGN_MAX + 1];

    if (hub_hash_equal(&key->kid, &d->record.kid))
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "this key made the draft: it signs last, with record sign",
                                  "草稿由该密钥拟定：请在最后用 record sign 签署"));
    if (place_of(all, read_cosigners(all, &d->record), &key->kid) == HUB_COSIGN_MAX)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "the draft has 16 co-signatures, the most there may be",
                                  "草稿已有 16 个复核签名，达到上限"));
    if (cli->output && access(cli->output, F_OK) == 0)
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "%s exists; it is not replaced: name another file or move it away",
                  "%s 已存在，不会覆盖；请另取文件名或先移走"),
            cli->output);
    return HUB_EXIT_OK;
}

static int add_cosigner(struct hub_cli *cli, struct draft *d, const struct hub_keyfile *key,
                        const char *path)
{
    struct hub_cosignature all[HUB_COSIGN_MAX + 1];
    const struct hub_signature unsigned_ = {{0}};
    uint32_t n = read_cosigners(all, &d->record);
    const uint32_t i = place_of(all, n, &key->kid);

    hub_cosign(&all[i], &d->scratch, d->record.protected_, d->record.body, &key->key,
               key->secrets->sign);
    if (i == n)
        n++;
    hub_payload_cosigned(&d->payload, d->record.body, all, n);
    if (d->payload.full || !write_record(d, hub_span_of(&d->payload), &unsigned_))
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "the record would be larger than 65,535 bytes", "记录将超过 65,535 字节"));
    if (!hub_cli_write_file(cli, cli->output ? cli->output : path, hub_span_of(&d->out),
                            cli->output == NULL))
        return HUB_EXIT_UNREACHABLE;
    hub_cli_say(cli, HUB_T(cli, "%s: %u co-signatures", "%s：已有 %u 个复核签名"),
                cli->output ? cli->output : path, n);
    return HUB_EXIT_OK;
}

int hub_draft_cosign(struct hub_cli *cli, const char *path, const struct hub_keyfile *key,
                     hub_draft_may *may, void *ctx)
{
    struct draft d;
    int code = open_draft(cli, &d, path);
    if (code == HUB_EXIT_OK && !hub_record_types[d.record.type].cosigned)
        code = hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "a record of this type has one signer", "此类记录只有一名签署人"));
    if (code == HUB_EXIT_OK)
        code = has_room(cli, &d, key);
    if (code == HUB_EXIT_OK) {
        say_draft(cli, &d);
        code = hub_cli_ask(cli, HUB_T(cli, "sign beside its maker?", "是否复核签署？"))
                   ? may(cli, &d.record, key, ctx)
                   : hub_cli_fail(cli, HUB_EXIT_USAGE,
                                  HUB_T(cli, "nothing was signed", "未签署任何内容"));
    }
    if (code == HUB_EXIT_OK)
        code = add_cosigner(cli, &d, key, path);
    close_draft(&d);
    return code;
}

static int no_validator(struct hub_cli *cli, const struct hub_record *r,
                        const struct hub_keyfile *key, void *path)
{
    if (r->type != HUB_TYPE_EPOCH_RECOVER || !hub_recovery_names(r, &key->kid))
        return HUB_EXIT_OK;
    return hub_cli_fail(
        cli, HUB_EXIT_USAGE,
        HUB_T(cli,
              "a validator falls silent before it signs a recovery: hubledger recovery cosign %s "
              "NODE.CONF, on its own machine",
              "共识节点须先停止投票再签署恢复：请在该节点机器上运行 hubledger recovery cosign %s "
              "节点配置文件"),
        (const char *)path);
}

int hub_draft_run_cosign(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_keyfile *key = hub_cli_key(cli);
    (void)own, (void)argc;
    return key ? hub_draft_cosign(cli, argv[0], key, no_validator, argv[0]) : HUB_EXIT_UNREACHABLE;
}

/* The maker's signature over all, and away with it. */
static int sign_whole(struct hub_cli *cli, struct draft *d, const struct hub_keyfile *key)
{
    struct hub_signature sig;
    struct hub_signed s = {.id = d->record.id};

    d->scratch.len = 0;
    hub_sig_structure(&d->scratch, d->record.protected_, d->record.payload);
    hub_sign(&sig, key->secrets->sign, hub_span_of(&d->scratch));
    if (!write_record(d, d->record.payload, &sig))
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "the record would be larger than 65,535 bytes", "记录将超过 65,535 字节"));
    s.bytes = d->scratch;
    s.by_hand = d->record.type == HUB_TYPE_EPOCH_RECOVER;
    return hub_cli_deliver(cli, &s, d->record.attachment, NULL);
}

int hub_draft_run_sign(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct draft d;
    struct hub_keyfile *key = hub_cli_key(cli);
    int code = key ? open_draft(cli, &d, argv[0]) : HUB_EXIT_UNREACHABLE;
    (void)own, (void)argc;
    if (!key)
        return code;
    if (code == HUB_EXIT_OK && cli->draft)
        code = hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "this signs a draft: leave out --draft", "此命令签署草稿：请去掉 --draft"));
    if (code == HUB_EXIT_OK && d.record.type == HUB_TYPE_EPOCH_RECOVER && !cli->offline)
        code = hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli, "a recovery is given to each node, not sent: add --offline -o FILE",
                  "恢复记录应逐一交给各节点，不能提交：请加 --offline -o 文件"));
    if (code == HUB_EXIT_OK && !hub_hash_equal(&key->kid, &d.record.kid))
        code = hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "another key made the draft: give that one with --key",
                                  "草稿由另一密钥拟定：请用 --key 指定该密钥"));
    if (code == HUB_EXIT_OK) {
        say_draft(cli, &d);
        code = hub_cli_ask(cli, HUB_T(cli, "sign and send?", "是否签署并提交？"))
                   ? sign_whole(cli, &d, key)
                   : hub_cli_fail(cli, HUB_EXIT_USAGE,
                                  HUB_T(cli, "nothing was signed", "未签署任何内容"));
    }
    close_draft(&d);
    return code;
}
