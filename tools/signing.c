/* signing.c: the one path of everything that signs: body, number, signatures, then a file or the node, then the
 * outcome. An outcome that was not seen is unknown, never failed: the record id is printed before sending, so
 * asking decides. */
#include "tools/cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CLOCK_APART_MS =
        300000, /* a block may be 5 s ahead of its voters' clocks; the rest is this machine's */
    PROTECTED_BYTES = 512,
    VALID_MONEY_MS = 3600000, /* an hour: less than every network's maximum */
    POLL_MS = 200
};
static const uint64_t VALID_PAPERS_MS =
    UINT64_C(7) * 86400000; /* agreements, governance: people sign by hand */

struct hub_keyfile *hub_cli_key(struct hub_cli *cli)
{
    const char *why = "";
    if (cli->key_is_open)
        return &cli->key;
    if (!cli->key_path)
        hub_cli_fail(
            cli, 0,
            HUB_T(cli, "this signs: name the key file with --key FILE (or HUBLEDGER_KEY)",
                  "此操作需要签名：请用 --key 文件（或环境变量 HUBLEDGER_KEY）指定密钥文件"));
    else if (hub_keyfile_open(&cli->key, cli->key_path, cli->passphrase_file, &why) != HUB_OK)
        hub_cli_fail(cli, 0, HUB_T(cli, "key file %s: %s", "密钥文件 %s：%s"), cli->key_path,
                     hub_cli_why(cli, why));
    else
        cli->key_is_open = true;
    return cli->key_is_open ? &cli->key : NULL;
}

static uint64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* A key that genesis lists has its member's code as iss; for others the node must be asked. */
static bool iss_from_genesis(struct hub_cli *cli, char out[24], const struct hub_hash *kid)
{
    struct hub_cbor c;
    if (!hub_cli_genesis(cli))
        return false;
    c = hub_cbor_open(cli->genesis->keys);
    for (uint32_t n = hub_cbor_array(&c, 1, UINT32_MAX); n && !c.bad; n--) {
        hub_cbor_array(&c, 2, 2);
        const struct hub_span code = hub_cbor_text(&c, 3, HUB_MEMBER_CODE_MAX);
        const struct hub_span grant = hub_cbor_item(&c);
        struct hub_public_key key;
        struct hub_hash id;
        if (c.bad || !hub_cose_key_decode(&key, hub_field_span(grant, "key")))
            continue;
        hub_kid_of(&id, &key);
        if (hub_hash_equal(&id, kid)) {
            snprintf(out, 24, "%.*s", (int)code.len, (const char *)code.data);
            return true;
        }
    }
    hub_cli_fail(cli, 0,
                 HUB_T(cli,
                       "genesis does not list this key, so its owner is not known offline: sign "
                       "with a node reachable",
                       "创世文件未列出此密钥，离线时无法得知其所属；请在可连接节点时签名"));
    return false;
}

bool hub_cli_hints(struct hub_cli *cli, struct hub_hints *out, int *exit_code)
{
    char path[128] = "/v1/keys/";
    struct hub_reply r;
    struct hub_keyfile *key = hub_cli_key(cli);
    *exit_code = HUB_EXIT_UNREACHABLE;
    if (!key)
        return false;
    if (cli->offline) {
        *exit_code = HUB_EXIT_USAGE;
        if (!cli->seq) {
            hub_cli_fail(cli, 0,
                         HUB_T(cli,
                               "--offline needs --seq N, a number this key never used (hubledger "
                               "key hints tells the next)",
                               "--offline 须同时给出 --seq N：此密钥从未用过的序号（hubledger key "
                               "hints 可查下一个）"));
            return false;
        }
        *out = (struct hub_hints){.next_seq = cli->seq, .time_ms = now_ms()};
        return iss_from_genesis(cli, out->iss, &key->kid);
    }
    hub_format_hex(path + strlen(path), key->kid.b, 32);
    strcat(path, "/hints");
    if (!hub_cli_get(cli, &r, path, exit_code))
        return false;
    snprintf(out->iss, sizeof out->iss, "%s", hub_json_text(r.json, "iss"));
    out->next_seq = cli->seq ? cli->seq : hub_json_number(r.json, "next_seq", 0);
    out->time_ms = hub_json_number(r.json, "time_ms", 0);
    hub_reply_free(&r);
    if (!out->iss[0] || !out->next_seq) {
        hub_cli_fail(
            cli, 0,
            HUB_T(cli,
                  "the node's answer to %s has no iss and next_seq: is this a hubledger node of "
                  "the same release?",
                  "节点对 %s 的应答缺少 iss 或 next_seq：请确认是同一版本的 hubledger 节点"),
            path);
        return false;
    }
    if (out->time_ms >
        now_ms() + CLOCK_APART_MS) { /* by it a record would stay valid for longer than was asked */
        hub_cli_fail(
            cli, 0,
            HUB_T(cli,
                  "the node's ledger is %llu s ahead of this machine's clock: set the clock, "
                  "or ask another node (--node)",
                  "节点账本时间比本机时钟快 %llu 秒：请校准时钟，或改用其他节点（--node）"),
            (unsigned long long)(out->time_ms - now_ms()) / 1000);
        return false;
    }
    return true;
}

void hub_signed_free(struct hub_signed *s)
{
    free(s->bytes.data);
    *s = (struct hub_signed){0};
}

/* Adds the co-signature of one key file, opened here unless it is given. */
static bool cosign(const struct hub_cli *cli, struct hub_cosignature *out, struct hub_buf *scratch,
                   struct hub_span protected_, struct hub_span core, const char *path,
                   const struct hub_keyfile *given)
{
    const char *why = "";
    struct hub_keyfile opened = {0};
    const struct hub_keyfile *key = given;
    if (!key) {
        if (hub_keyfile_open(&opened, path, cli->passphrase_file, &why) != HUB_OK) {
            hub_cli_fail(cli, 0, HUB_T(cli, "co-signer's key file %s: %s", "会签密钥文件 %s：%s"),
                         path, hub_cli_why(cli, why));
            return false;
        }
        key = &opened;
    }
    scratch->len = 0;
    hub_cosign(out, scratch, protected_, core, &key->key, key->secrets->sign);
    hub_keyfile_close(&opened);
    return true;
}

/* The payload: the body itself, or {core, ? cosign} with every co-signature over the protected header. */
static bool make_payload(const struct hub_cli *cli, struct hub_buf *payload,
                         struct hub_buf *scratch, struct hub_record_draft *d,
                         const struct hub_signing *what)
{
    struct hub_cosignature cosigned[HUB_CLI_COSIGNERS_MAX + 1];
    uint8_t protected_bytes[PROTECTED_BYTES];
    struct hub_buf protected_ = {.data = protected_bytes, .cap = sizeof protected_bytes};
    uint32_t n = 0;
    if (!hub_record_types[what->type].cosigned) {
        d->payload = what->core;
        return true;
    }
    hub_record_protected(&protected_, d);
    if (what->also && !cosign(cli, &cosigned[n++], scratch, hub_span_of(&protected_), what->core,
                              NULL, what->also))
        return false;
    for (unsigned i = 0; i < cli->cosigners; i++)
        if (!cosign(cli, &cosigned[n++], scratch, hub_span_of(&protected_), what->core,
                    cli->cosign_path[i], NULL))
            return false;
    hub_payload_cosigned(payload, what->core, cosigned, n);
    d->payload = hub_span_of(payload);
    return !payload->full;
}

int hub_cli_sign(struct hub_cli *cli, struct hub_signed *out, const struct hub_signing *what,
                 struct hub_hints *hints)
{
    char sub[65];
    struct hub_keyfile *key = hub_cli_key(cli);
    const struct hub_record_type *type = &hub_record_types[what->type];
    *out = (struct hub_signed){0};
    if (!key || !hub_cli_genesis(cli))
        return HUB_EXIT_UNREACHABLE;
    const struct hub_span iss = {(const uint8_t *)hints->iss, strlen(hints->iss)};
    if (!hub_record_sub(sub, what->type, what->core, iss))
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "%s: the body lacks the field its subject comes from",
                                  "%s：正文缺少主题字段"),
                            type->name);
    const uint64_t valid = cli->valid_ms                      ? cli->valid_ms
                           : type->family == HUB_FAMILY_MONEY ? VALID_MONEY_MS
                                                              : VALID_PAPERS_MS;
    const uint64_t from = hints->time_ms > now_ms() ? hints->time_ms : now_ms();
    struct hub_record_draft d = {.type = what->type,
                                 .kid = key->kid,
                                 .chain = cli->genesis->chain,
                                 .iss = iss,
                                 .sub = {(const uint8_t *)sub, strlen(sub)},
                                 .seq = hints->next_seq,
                                 .valid_until_ms = from + valid};
    struct hub_buf payload = {.data = malloc(HUB_RECORD_BYTES_MAX), .cap = HUB_RECORD_BYTES_MAX};
    struct hub_buf scratch = {.data = malloc(2 * HUB_RECORD_BYTES_MAX),
                              .cap = 2 * (size_t)HUB_RECORD_BYTES_MAX};
    out->bytes =
        (struct hub_buf){.data = malloc(HUB_RECORD_BYTES_MAX), .cap = HUB_RECORD_BYTES_MAX};
    int code = HUB_EXIT_UNREACHABLE;
    if (payload.data && scratch.data && out->bytes.data &&
        make_payload(cli, &payload, &scratch, &d, what)) {
        struct hub_record r;
        uint16_t why = 0;
        scratch.len = 0;
        if (hub_record_build(&out->bytes, &scratch, &d, key->secrets->sign) != HUB_OK)
            code = hub_cli_fail(cli, HUB_EXIT_USAGE,
                                HUB_T(cli, "%s: larger than the 65,535 bytes a record may have",
                                      "%s：超过单条记录 65,535 字节的上限"),
                                type->name);
        else if (hub_record_decode(&r, &why, hub_span_of(&out->bytes), what->attachment,
                                   &d.chain) != HUB_OK) {
            const struct hub_result_text *t = hub_result_text(why);
            code = hub_cli_fail(cli, HUB_EXIT_USAGE, "%s: %s", type->name,
                                t ? HUB_T(cli, t->en, t->zh) : "?");
        } else {
            out->id = r.id;
            hints->next_seq++;
            code = HUB_EXIT_OK;
        }
    }
    free(payload.data);
    free(scratch.data);
    if (code != HUB_EXIT_OK)
        hub_signed_free(out);
    return code;
}

/* A problem in the place of an outcome: the node refused this record; nothing is recorded. */
static bool is_refusal(const json_t *o)
{
    return json_object_get(o, "status") && !json_object_get(o, "state");
}

static int show_refusal(const struct hub_cli *cli, const json_t *o)
{
    const char *lang = HUB_T(cli, "en", "zh");
    const char *remedy = hub_json_text(json_object_get(o, "remedy"), lang);
    if (cli->json)
        hub_cli_json(o);
    return hub_cli_fail(cli, HUB_EXIT_REFUSED, "%s: %s%s%s", hub_json_text(o, "name"),
                        hub_json_text(o, lang), *remedy ? " " : "", remedy);
}

int hub_cli_show_outcome(const struct hub_cli *cli, const json_t *o)
{
    const json_t *result = json_object_get(o, "result");
    const char *state = hub_json_text(o, "state");
    const bool final = !strcmp(state, "final");
    const uint64_t code = hub_json_number(result, "code", 0);
    if (is_refusal(o))
        return show_refusal(cli, o);
    if (cli->json)
        hub_cli_json(o);
    if (!final) {
        hub_cli_say(cli,
                    HUB_T(cli, "%s  %s: not final yet; ask: hubledger record show %s",
                          "%s  %s：尚未最终确认；查询：hubledger record show %s"),
                    hub_json_text(o, "record_id"), *state ? state : "pending",
                    hub_json_text(o, "record_id"));
        return HUB_EXIT_UNKNOWN;
    }
    if (code == 0)
        hub_cli_say(cli, HUB_T(cli, "%s  final at height %s", "%s  已最终确认，高度 %s"),
                    hub_json_text(o, "record_id"), hub_json_text(o, "height"));
    else
        hub_cli_say(cli,
                    HUB_T(cli, "%s  recorded without effect at height %s: %s (%s)",
                          "%s  已记录，未生效，高度 %s：%s（%s）"),
                    hub_json_text(o, "record_id"), hub_json_text(o, "height"),
                    hub_json_text(result, HUB_T(cli, "en", "zh")), hub_json_text(result, "name"));
    return code == 0 ? HUB_EXIT_OK : HUB_EXIT_NO_EFFECT;
}

int hub_cli_submit(struct hub_cli *cli, struct hub_span entries, json_t **items)
{
    struct hub_reply r;
    int code = HUB_EXIT_OK;
    *items = NULL;
    const char *path = cli->dry_run ? "/v1/records?check=1&dry_run=1" : "/v1/records";
    if (!hub_cli_post(cli, &r, path, "application/cbor-seq", entries, &code))
        return code;
    *items = json_incref(json_object_get(r.json, "items"));
    hub_reply_free(&r);
    return *items
               ? HUB_EXIT_OK
               : hub_cli_fail(cli, HUB_EXIT_UNKNOWN,
                              HUB_T(cli, "the node's answer has no items", "节点应答缺少 items"));
}

/* A node that ended before its peers had the record knows it no more; the same bytes are harmless twice. */
static void send_again(struct hub_cli *cli, struct hub_span entry)
{
    struct hub_reply r;
    int code;
    if (hub_cli_post(cli, &r, "/v1/records", "application/cbor-seq", entry, &code))
        hub_reply_free(&r);
}

/* entry: sent again whenever the node does not know the record; empty: never. */
static int await_entry(struct hub_cli *cli, const struct hub_hash *id, struct hub_span entry,
                       uint64_t wait_ms, json_t **outcome)
{
    char path[96] = "/v1/records/";
    const uint64_t end = now_ms() + wait_ms;
    struct hub_reply r;
    *outcome = NULL;
    hub_format_hex(path + strlen(path), id->b, 32);
    for (;;) {
        if (hub_cli_try_get(cli, &r, path)) {
            const char *state = hub_json_text(r.json, "state");
            if (r.status == 200 &&
                (!strcmp(state, "final") || !strcmp(state, "expired_unseen") || now_ms() >= end)) {
                *outcome = json_incref(r.json);
                hub_reply_free(&r);
                return HUB_EXIT_OK;
            }
            if (r.status == 404 && entry.len)
                send_again(cli, entry);
        }
        hub_reply_free(&r);
        if (now_ms() >= end)
            return HUB_EXIT_UNKNOWN;
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
    }
}

int hub_cli_await(struct hub_cli *cli, const struct hub_hash *id, uint64_t wait_ms,
                  json_t **outcome)
{
    return await_entry(cli, id, (struct hub_span){0}, wait_ms, outcome);
}

/* entry = [record, attachment] into a buffer of its own. */
static bool make_entry(struct hub_buf *out, struct hub_span record, struct hub_span attachment)
{
    *out = (struct hub_buf){.cap = record.len + attachment.len + 16};
    out->data = malloc(out->cap);
    if (!out->data)
        return false;
    hub_put_array(out, 2);
    hub_put_bytes(out, record);
    hub_put_bytes(out, attachment);
    return !out->full;
}

/* --offline: the entry into a file, to be sent by `record submit`. */
static int write_entry(struct hub_cli *cli, const struct hub_buf *entry, const char *id,
                       bool by_hand)
{
    if (!cli->output)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "--offline and --draft need -o FILE to write to",
                                  "--offline 与 --draft 须用 -o 文件 指定输出"));
    if (!hub_cli_write_file(cli, cli->output, hub_span_of(entry), false))
        return HUB_EXIT_UNREACHABLE;
    if (cli->draft) {
        hub_cli_say(cli,
                    HUB_T(cli,
                          "%s: a draft, not signed by its maker yet; further signers: hubledger "
                          "record cosign %s; then: hubledger record sign %s",
                          "%s：草稿，拟定人尚未签署；复核人：hubledger record cosign "
                          "%s；最后：hubledger record sign %s"),
                    cli->output, cli->output, cli->output);
        return HUB_EXIT_OK;
    }
    if (by_hand) {
        hub_cli_say(cli,
                    HUB_T(cli,
                          "%s  signed: %s; read this id out to all members, then give the file to "
                          "each node: hubledgerd --recovery %s",
                          "%s  已签名：%s；请向全体成员宣读该标识，再交给每个节点：hubledgerd "
                          "--recovery %s"),
                    id, cli->output, cli->output);
        return HUB_EXIT_OK;
    }
    hub_cli_say(cli,
                HUB_T(cli, "%s  signed, not sent: %s; send it with: hubledger record submit %s",
                      "%s  已签名，未发送：%s；发送：hubledger record submit %s"),
                id, cli->output, cli->output);
    return HUB_EXIT_OK;
}

static int send_entry(struct hub_cli *cli, const struct hub_buf *entry, const struct hub_hash *id,
                      json_t **outcome)
{
    char path[96], hex[65];
    json_t *items = NULL, *o;
    struct hub_reply r;
    int code = HUB_EXIT_OK;
    hub_format_hex(hex, id->b, 32);
    snprintf(path, sizeof path, "/v1/records?check=1%s", cli->dry_run ? "&dry_run=1" : "");
    if (!hub_cli_post(cli, &r, path, "application/cbor-seq", hub_span_of(entry), &code)) {
        if (code == HUB_EXIT_UNREACHABLE) /* it may have arrived */
            hub_cli_fail(cli, 0,
                         HUB_T(cli, "outcome unknown; ask later: hubledger record show %s",
                               "结果未知；请稍后查询：hubledger record show %s"),
                         hex);
        return code == HUB_EXIT_UNREACHABLE ? HUB_EXIT_UNKNOWN : code;
    }
    items = json_incref(json_object_get(r.json, "items"));
    o = items ? json_incref(json_array_get(items, 0)) : json_incref(r.json);
    json_decref(items);
    hub_reply_free(&r);
    if (is_refusal(o)) {
        code = show_refusal(cli, o);
        json_decref(o);
        return code;
    }
    if (cli->dry_run) {
        if (cli->json)
            hub_cli_json(o);
        hub_cli_say(cli,
                    HUB_T(cli, "%s  would be accepted; nothing was sent", "%s  检查通过；未发送"),
                    hex);
        json_decref(o);
        return HUB_EXIT_OK;
    }
    if (cli->wait && strcmp(hub_json_text(o, "state"), "final") != 0) {
        json_t *final = NULL;
        if (await_entry(cli, id, hub_span_of(entry), cli->wait_ms, &final) == HUB_EXIT_OK) {
            json_decref(o);
            o = final;
        }
    }
    code = hub_cli_show_outcome(cli, o);
    if (!cli->wait && code == HUB_EXIT_UNKNOWN)
        code = HUB_EXIT_OK; /* accepted is all that was asked */
    if (outcome)
        *outcome = o;
    else
        json_decref(o);
    return code;
}

int hub_cli_deliver(struct hub_cli *cli, const struct hub_signed *s, struct hub_span attachment,
                    json_t **outcome)
{
    struct hub_buf entry;
    char hex[65];
    int code;
    hub_format_hex(hex, s->id.b, 32);
    if (!make_entry(&entry, hub_span_of(&s->bytes), attachment))
        code = hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, HUB_T(cli, "out of memory", "内存不足"));
    else
        code = cli->offline || cli->draft ? write_entry(cli, &entry, hex, s->by_hand)
                                          : send_entry(cli, &entry, &s->id, outcome);
    free(entry.data);
    return code;
}

int hub_cli_sign_and_send(struct hub_cli *cli, const struct hub_signing *what, json_t **outcome)
{
    struct hub_hints hints;
    struct hub_signed s;
    int code;
    if (outcome)
        *outcome = NULL;
    if (!hub_cli_hints(cli, &hints, &code))
        return code;
    code = hub_cli_sign(cli, &s, what, &hints);
    if (code != HUB_EXIT_OK)
        return code;
    HUB_ASSERT(s.bytes.len > sizeof(struct hub_signature));
    if (cli->draft) /* the signature stands last; whoever made the draft gives it when all others have signed */
        memset(s.bytes.data + s.bytes.len - sizeof(struct hub_signature), 0,
               sizeof(struct hub_signature));
    code = hub_cli_deliver(cli, &s, what->attachment, outcome);
    hub_signed_free(&s);
    return code;
}
