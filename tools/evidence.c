/* evidence.c: `evidence list`, `show`, `export`, `verify`: what convicts a validator. Checking needs the genesis file
 * and nothing else. */
#include "tools/cli.h"

#include "hub/evidence.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *item, const char *name)
{
    return hub_json_text(item, name);
}

static void say_item(const struct hub_cli *cli, const json_t *item)
{
    hub_cli_say(cli, "%-16.16s  %s  %-18s %s %-4s %s %-8s %-9s %s", text_of(item, "id"),
                text_of(item, "kind"), text_of(item, "member"), HUB_T(cli, "epoch", "届次"),
                text_of(item, "epoch"), HUB_T(cli, "view", "视图"), text_of(item, "view"),
                !strcmp(text_of(item, "state"), "recorded") ? HUB_T(cli, "recorded", "已记录")
                                                            : HUB_T(cli, "held", "待记录"),
                text_of(item, cli->zh ? "zh" : "en"));
}

/* Calls visit for each item of the node, in order, until it says false. */
static int each(struct hub_cli *cli, bool (*visit)(struct hub_cli *, const json_t *, void *),
                void *ctx)
{
    char path[64] = "/v1/evidence";
    uint64_t shown = 0;
    bool go_on = true;
    while (go_on) {
        struct hub_reply r;
        size_t i;
        json_t *item;
        int code;
        if (!hub_cli_get(cli, &r, path, &code))
            return code;
        json_array_foreach(json_object_get(r.json, "items"), i, item)
        {
            go_on = go_on && visit(cli, item, ctx);
        }
        const uint64_t next = hub_json_number(r.json, "next", 0);
        go_on = go_on && next > shown; /* else there is no more, or the node leads in a circle */
        shown = next;
        snprintf(path, sizeof path, "/v1/evidence?after=%" PRIu64, next);
        hub_reply_free(&r);
    }
    return HUB_EXIT_OK;
}

static bool list_item(struct hub_cli *cli, const json_t *item, void *ctx)
{
    ++*(unsigned *)ctx;
    if (cli->json)
        hub_cli_json(item);
    say_item(cli, item);
    return true;
}

static int run_list(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    unsigned count = 0;
    (void)own, (void)argc, (void)argv;
    const int code = each(cli, list_item, &count);
    if (code == HUB_EXIT_OK && !count)
        hub_cli_say(cli, "%s",
                    HUB_T(cli, "no validator is known to have signed what it may not",
                          "未发现任何共识节点签署互相矛盾的内容"));
    return code;
}

/* ---- one item */

struct wanted {
    const char *id; /* the first digits */
    struct hub_buf bytes;
    unsigned found;
};

static bool take_item(struct hub_cli *cli, const json_t *item, void *ctx)
{
    struct wanted *w = ctx;
    const char *hex = text_of(item, "evidence");
    const size_t len = strlen(hex) / 2;
    (void)cli;
    if (strncmp(text_of(item, "id"), w->id, strlen(w->id)) != 0 || !len)
        return true;
    free(w->bytes.data);
    w->bytes = (struct hub_buf){.data = malloc(len), .cap = len, .len = len};
    w->found += w->bytes.data && hub_parse_hex(w->bytes.data, len, hex);
    return true;
}

static int fetch(struct hub_cli *cli, struct hub_buf *out, const char *id)
{
    struct wanted w = {.id = id};
    int code = each(cli, take_item, &w);
    if (code == HUB_EXIT_OK && w.found != 1)
        code = hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            w.found ? HUB_T(cli, "'%s' fits several items; give more digits of the id",
                            "“%s”对应多份证据，请多给几位标识")
                    : HUB_T(cli, "the node holds no evidence '%s'; evidence list shows what it has",
                            "节点没有证据“%s”；已有证据见 evidence list"),
            id);
    if (code != HUB_EXIT_OK) {
        free(w.bytes.data);
        return code;
    }
    *out = w.bytes;
    return code;
}

static int run_export(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_buf bytes = {0};
    char name[64];
    (void)own, (void)argc;
    int code = fetch(cli, &bytes, argv[0]);
    if (code != HUB_EXIT_OK)
        return code;
    snprintf(name, sizeof name, "%.16s.evidence", argv[0]);
    const char *path = cli->output ? cli->output : name;
    code = hub_cli_write_file(cli, path, hub_span_of(&bytes), false) ? HUB_EXIT_OK
                                                                     : HUB_EXIT_UNREACHABLE;
    free(bytes.data);
    if (code == HUB_EXIT_OK && strcmp(path, "-") != 0)
        hub_cli_say(
            cli,
            HUB_T(cli, "%s; anybody can check it: hubledger evidence verify %s --genesis GENESIS",
                  "%s；任何人均可核验：hubledger evidence verify %s --genesis 创世文件"),
            path, path);
    return code;
}

static void say_vote(const struct hub_cli *cli, const struct hub_subject *s)
{
    static const char *const names[] = {"", "NOTARIZE", "NULLIFY", "FINALIZE"};
    char hash[65];
    hub_format_hex(hash, s->block_hash.b, sizeof s->block_hash.b);
    if (s->kind == HUB_NULLIFY)
        hub_cli_say(cli, "  %s", names[s->kind]);
    else
        hub_cli_say(cli, "  %-8s  %s %s", names[s->kind], HUB_T(cli, "block", "区块"), hash);
}

static void show_json(const struct hub_offence *o, const struct hub_validators *set)
{
    char kid[65], kind[4];
    json_t *j = json_object();
    hub_format_hex(kid, set->v[o->vote[0].signer].kid.b, 32);
    snprintf(kind, sizeof kind, "E%d", (int)o->kind % 10);
    json_object_set_new(j, "verdict", json_string("guilty"));
    json_object_set_new(j, "kind", json_string(kind));
    json_object_set_new(j, "member", json_string(set->v[o->vote[0].signer].member));
    json_object_set_new(j, "kid", json_string(kid));
    json_object_set_new(j, "epoch", json_integer((json_int_t)o->vote[0].subject.epoch));
    json_object_set_new(j, "view", json_integer((json_int_t)o->vote[0].subject.view));
    json_object_set_new(j, "en", json_string(hub_offence_text(o->kind, false)));
    json_object_set_new(j, "zh", json_string(hub_offence_text(o->kind, true)));
    hub_cli_json(j);
    json_decref(j);
}

static int verify(struct hub_cli *cli, const char *name, struct hub_span bytes)
{
    struct hub_offence o;
    struct hub_validators set;
    const char *why = "";
    if (!hub_evidence_verify(&o, &set, &why, bytes, cli->genesis))
        return hub_cli_fail(
            cli, HUB_EXIT_UNVERIFIED,
            HUB_T(cli, "%s proves nothing against anybody: %s", "%s 不能证明任何违规：%s"), name,
            hub_cli_why(cli, why));
    if (cli->json)
        show_json(&o, &set);
    hub_cli_say(cli,
                HUB_T(cli, "E%d: validator %s (%u) %s: epoch %" PRIu64 ", view %" PRIu64,
                      "E%d：共识节点 %s（%u）%s：届次 %" PRIu64 "，视图 %" PRIu64),
                (int)o.kind, set.v[o.vote[0].signer].member, o.vote[0].signer,
                hub_offence_text(o.kind, cli->zh), o.vote[0].subject.epoch, o.vote[0].subject.view);
    say_vote(cli, &o.vote[0].subject);
    if (!o.header.len)
        say_vote(cli, &o.vote[1].subject);
    return HUB_EXIT_OK;
}

static int run_show(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_buf bytes = {0};
    (void)own, (void)argc;
    if (!hub_cli_genesis(cli))
        return HUB_EXIT_UNREACHABLE;
    int code = fetch(cli, &bytes, argv[0]);
    if (code == HUB_EXIT_OK)
        code = verify(cli, argv[0], hub_span_of(&bytes));
    free(bytes.data);
    return code;
}

static int run_verify(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    int worst = HUB_EXIT_OK;
    (void)own;
    if (!hub_cli_genesis(cli))
        return HUB_EXIT_UNREACHABLE;
    for (unsigned i = 0; i < argc; i++) {
        struct hub_buf bytes = {0};
        int code = HUB_EXIT_UNREACHABLE;
        if (hub_cli_read_file(cli, &bytes, argv[i], HUB_BUNDLE_BYTES_MAX))
            code = verify(cli, argv[i], hub_span_of(&bytes));
        free(bytes.data);
        worst = code > worst ? code : worst;
    }
    return worst;
}

const struct hub_command hub_evidence_commands[] = {
    {.noun = "evidence",
     .verb = "list",
     .args = "",
     .en = "validators that signed what they may not, recorded or held by the node",
     .zh = "签署了矛盾内容的共识节点：已记录的，及节点所持待记录的",
     .examples =
         "  hubledger evidence list\n  hubledger evidence list --json\n  hubledger evidence "
         "list --lang zh",
     .run = run_list},
    {.noun = "evidence",
     .verb = "show",
     .args = "ID",
     .en = "one item of the node, checked here with the genesis file",
     .zh = "查看节点所持的一份证据，并以创世文件在本机核验",
     .examples = "  hubledger evidence show 5a1b --genesis genesis.cbor",
     .args_min = 1,
     .args_max = 1,
     .run = run_show},
    {.noun = "evidence",
     .verb = "export",
     .args = "ID",
     .en = "writes an item as a file that anybody can check with the genesis file",
     .zh = "导出一份证据文件，任何人凭创世文件即可核验",
     .examples = "  hubledger evidence export 5a1b\n  hubledger evidence export 5a1b -o "
                 "changning.evidence",
     .args_min = 1,
     .args_max = 1,
     .run = run_export},
    {.noun = "evidence",
     .verb = "verify",
     .args = "FILE..",
     .en = "checks evidence files offline: who is guilty of what",
     .zh = "离线核验证据文件：何人违反何规",
     .examples = "  hubledger evidence verify changning.evidence --genesis genesis.cbor",
     .args_min = 1,
     .args_max = HUB_CLI_ARGS_MAX,
     .run = run_verify},
    {0},
};
