/* agreement_show.c: agreements as a node shows them: find, show, list, check a paper, export the signatures. */
#include "tools/agreement.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, PAGES_MAX = 1000, DRAFT_BYTES_MAX = 1 << 16 };

const char *hub_state_words(const struct hub_cli *cli, const char *state)
{
    static const char *const words[][3] = {{"proposed", "proposed", "已发起"},
                                           {"refused", "refused", "有签约方不同意"},
                                           {"lapsed", "lapsed", "逾期失效"},
                                           {"recalled", "recalled", "已撤回"},
                                           {"signed", "signed, not yet in force", "已签署，待生效"},
                                           {"in_force", "in force", "生效履行中"},
                                           {"suspended", "suspended", "中止"},
                                           {"expired", "expired", "期满"},
                                           {"terminated", "terminated", "终止（解除）"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i][0], state))
            return HUB_T(cli, words[i][1], words[i][2]);
    return state;
}

static const char *either(const struct hub_cli *cli, const json_t *bilingual)
{
    const char *en = hub_json_text(bilingual, "en");
    return cli->zh || !*en ? hub_json_text(bilingual, "zh") : en;
}

/* ---- find */

/* name=value behind path, percent-encoded (RFC 3986: all but unreserved characters). */
static void add_query(char path[PATH_BYTES], const char *name, const char *value)
{
    size_t n = strlen(path);
    if (!value)
        return;
    n += (size_t)snprintf(path + n, PATH_BYTES - n, "%c%s=", strchr(path, '?') ? '&' : '?', name);
    for (; *value && n + 4 < PATH_BYTES; value++) {
        const unsigned char c = (unsigned char)*value;
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                           (c >= 'a' && c <= 'z') || strchr("-._~", c);
        n += (size_t)snprintf(path + n, PATH_BYTES - n, plain ? "%c" : "%%%02X", c);
    }
}

static bool is_hex(const char *text)
{
    return strspn(text, "0123456789abcdef") == strlen(text);
}

/* Ids on one page whose number is `what` or that begin with it; the first is kept. */
static unsigned match_page(const json_t *page, const char *what, char id[65])
{
    const bool prefix = strlen(what) >= 4 && is_hex(what);
    unsigned found = 0;
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(page, "items"), i, item)
    {
        const char *own = hub_json_text(item, "id");
        if (strcmp(hub_json_text(item, "number"), what) != 0 &&
            !(prefix && !strncmp(own, what, strlen(what))))
            continue;
        if (strlen(own) == 64 && ++found == 1)
            memcpy(id, own, 65);
    }
    return found;
}

/* Walks the listing; *matches agreements fit. number: let the node look for it. */
static int search(struct hub_cli *cli, const char *what, bool number, char id[65],
                  unsigned *matches)
{
    char cursor[256] = "", other[65];
    *matches = 0;
    for (unsigned pages = 0; pages < PAGES_MAX; pages++) {
        char path[PATH_BYTES] = "/v1/agreements?limit=500";
        struct hub_reply r;
        int code;
        add_query(path, "number", number ? what : NULL);
        add_query(path, "cursor", *cursor ? cursor : NULL);
        if (!hub_cli_get(cli, &r, path, &code))
            return code;
        *matches += match_page(r.json, what, *matches ? other : id);
        snprintf(cursor, sizeof cursor, "%s", hub_json_text(r.json, "next"));
        hub_reply_free(&r);
        if (!*cursor)
            break;
    }
    return HUB_EXIT_OK;
}

static int resolve(struct hub_cli *cli, const char *what, char id[65])
{
    unsigned matches = 0;
    if (strlen(what) == 64 && is_hex(what)) {
        memcpy(id, what, 65);
        return HUB_EXIT_OK;
    }
    int code = strlen(what) > HUB_AGREEMENT_NUMBER_MAX ? HUB_EXIT_OK
                                                       : search(cli, what, true, id, &matches);
    if (code == HUB_EXIT_OK && matches == 0 && is_hex(what) && strlen(what) >= 4)
        code = search(cli, what, false, id, &matches);
    if (code != HUB_EXIT_OK || matches == 1)
        return code;
    return hub_cli_fail(
        cli, HUB_EXIT_USAGE,
        matches == 0 ? HUB_T(cli,
                             "no agreement has the number or id '%s'; see: hubledger "
                             "agreement list",
                             "没有编号或标识为“%s”的协议；请用 hubledger agreement list 查看")
                     : HUB_T(cli, "several agreements fit '%s'; give the whole id",
                             "有多份协议符合“%s”；请给出完整标识"),
        what);
}

int hub_agreement_fetch(struct hub_cli *cli, json_t **json, const char *what)
{
    char id[65], path[96];
    struct hub_reply r;
    int code = resolve(cli, what, id);
    *json = NULL;
    if (code != HUB_EXIT_OK)
        return code;
    snprintf(path, sizeof path, "/v1/agreements/%s", id);
    if (!hub_cli_get(cli, &r, path, &code))
        return code;
    *json = json_incref(r.json);
    hub_reply_free(&r);
    return HUB_EXIT_OK;
}

/* ---- texts */

static int no_memory(const struct hub_cli *cli)
{
    return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s", strerror(ENOMEM));
}

/* The body is strict, of this network, and says which revision of what it is. */
static int check_text(struct hub_cli *cli, struct hub_agreement_text *t, const char *source)
{
    const struct hub_field *fields = hub_record_types[HUB_TYPE_AGREEMENT_PROPOSE].fields[0].sub;
    const struct hub_span body = hub_span_of(&t->body);
    if (!hub_cli_genesis(cli))
        return HUB_EXIT_UNREACHABLE;
    if (hub_body_check(body, fields, NULL) != 0)
        return hub_cli_fail(cli, HUB_EXIT_UNVERIFIED,
                            HUB_T(cli, "%s: not the text of an agreement", "%s：不是协议文本"),
                            source);
    if (!hub_span_equal(hub_field_span(body, "chain"),
                        (struct hub_span){cli->genesis->chain.b, 32}))
        return hub_cli_fail(cli, HUB_EXIT_UNVERIFIED,
                            HUB_T(cli, "%s: an agreement of another ledger than --genesis",
                                  "%s：不是 --genesis 所指账本的协议"),
                            source);
    memcpy(t->id.b, hub_field_span(body, "agreement").data, 32);
    hub_hash_span(&t->hash, body);
    t->revision = (uint32_t)hub_field_uint(body, "revision", 0);
    return HUB_EXIT_OK;
}

static int load_draft(struct hub_cli *cli, struct hub_agreement_text *out, const char *path)
{
    struct hub_buf file;
    if (!hub_cli_read_file(cli, &file, path, DRAFT_BYTES_MAX))
        return HUB_EXIT_UNREACHABLE;
    const struct hub_span core = hub_span_of(&file);
    const bool proposal =
        hub_body_check(core, hub_record_types[HUB_TYPE_AGREEMENT_PROPOSE].fields, NULL) == 0;
    int code = HUB_EXIT_OK;
    if (!proposal)
        code = hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "%s is no draft made by: hubledger agreement draft",
                                  "%s 不是 hubledger agreement draft 生成的草案"),
                            path);
    if (code == HUB_EXIT_OK) {
        const struct hub_span body = hub_field_span(core, "body");
        out->body = (struct hub_buf){.data = malloc(body.len), .len = body.len, .cap = body.len};
        out->from_file = out->has_nonce = true;
        memcpy(out->nonce, hub_field_span(core, "nonce").data, sizeof out->nonce);
        if (out->body.data) {
            memcpy(out->body.data, body.data, body.len);
            code = check_text(cli, out, path);
        } else {
            code = no_memory(cli);
        }
    }
    free(file.data);
    return code;
}

/* body_cbor is what counts; it must hash to what the node calls it and be the revision that was asked for. */
static int take_revision(struct hub_cli *cli, struct hub_agreement_text *out, const json_t *json,
                         const char *id, uint32_t revision)
{
    const char *hex = hub_json_text(json, "body_cbor");
    char own[65];
    struct hub_hash said = {{0}};
    out->body = (struct hub_buf){
        .data = malloc(strlen(hex) / 2 + 1), .len = strlen(hex) / 2, .cap = strlen(hex) / 2};
    if (!out->body.data)
        return no_memory(cli);
    int code = HUB_EXIT_UNVERIFIED;
    if (hub_parse_hex(out->body.data, out->body.len, hex) &&
        hub_parse_hex(said.b, 32, hub_json_text(json, "body_hash")))
        code = check_text(cli, out, id);
    if (code != HUB_EXIT_OK)
        return code;
    hub_format_hex(own, out->id.b, 32);
    if (strcmp(own, id) != 0 || out->revision != revision || !hub_hash_equal(&said, &out->hash))
        return hub_cli_fail(cli, HUB_EXIT_UNVERIFIED,
                            HUB_T(cli,
                                  "the node's text of %s is not revision %u of it: ask another "
                                  "node (--node)",
                                  "节点给出的 %s 文本不是第 %u 版：请改用其他节点（--node）"),
                            id, revision);
    return HUB_EXIT_OK;
}

int hub_revision_fetch(struct hub_cli *cli, json_t **json, struct hub_agreement_text *out,
                       const char *id, uint32_t revision)
{
    char path[128];
    struct hub_reply r;
    int code;
    *json = NULL;
    *out = (struct hub_agreement_text){0};
    snprintf(path, sizeof path, "/v1/agreements/%s/revisions/%u", id, revision);
    if (!hub_cli_get(cli, &r, path, &code))
        return code;
    code = take_revision(cli, out, r.json, id, revision);
    if (code == HUB_EXIT_OK)
        *json = json_incref(r.json);
    else
        free(out->body.data);
    hub_reply_free(&r);
    return code;
}

int hub_text_load(struct hub_cli *cli, struct hub_agreement_text *out, const char *what,
                  uint32_t revision)
{
    json_t *agreement, *json;
    *out = (struct hub_agreement_text){0};
    if (access(what, R_OK) == 0) {
        const int loaded = load_draft(cli, out, what);
        if (loaded != HUB_EXIT_OK)
            free(out->body.data);
        return loaded;
    }
    int code = hub_agreement_fetch(cli, &agreement, what);
    if (code != HUB_EXIT_OK)
        return code;
    if (revision == 0)
        revision = (uint32_t)hub_json_number(agreement, "revision", 0);
    code = hub_revision_fetch(cli, &json, out, hub_json_text(agreement, "id"), revision);
    json_decref(json);
    json_decref(agreement);
    return code;
}

/* ---- show, list */

static void say_time(const struct hub_cli *cli, const json_t *j, const char *name, const char *en,
                     const char *zh)
{
    const uint64_t ms = hub_json_number(j, name, 0);
    char text[64];
    if (ms == 0)
        return;
    hub_format_time(text, ms, cli->zh);
    hub_cli_say(cli, "%-12s %s", HUB_T(cli, en, zh), text);
}

static void say_party(const struct hub_cli *cli, const json_t *p)
{
    static const char *const words[][4] = {{"sign", "+", "signed", "已签署"},
                                           {"refuse", "x", "refused", "不同意"},
                                           {"return", "<", "sent back", "退回修改"},
                                           {"none", ".", "not yet", "未表态"}};
    const char *decision = hub_json_text(p, "decision"), *remark = hub_json_text(p, "remark");
    const uint64_t at = hub_json_number(p, "at_ms", 0);
    char when[64] = "";
    size_t i = 0;
    while (i < 3 && strcmp(words[i][0], decision) != 0)
        i++;
    if (at)
        hub_format_time(when, at, cli->zh);
    hub_cli_say(
        cli, "  %s %s (%s)  %s%s%s%s%s%s%s%s", words[i][1],
        either(cli, json_object_get(p, "names")), hub_json_text(p, "member"),
        HUB_T(cli, words[i][2], words[i][3]), *when ? "  " : "", when,
        json_is_true(json_object_get(p, "must_sign")) ? ""
                                                      : HUB_T(cli, "  (optional)", "（可不签署）"),
        json_is_true(json_object_get(p, "overdue")) ? HUB_T(cli, "  LATE", "  逾期") : "",
        *remark ? HUB_T(cli, "  \"", "  “") : "", remark, *remark ? HUB_T(cli, "\"", "”") : "");
}

static void say_agreement(const struct hub_cli *cli, const json_t *a)
{
    size_t i;
    json_t *item;
    hub_cli_say(cli, "%s  %s", hub_json_text(a, "number"),
                either(cli, json_object_get(a, "title")));
    hub_cli_say(cli, HUB_T(cli, "%s, revision %" PRIu64 "  %s", "%s，第 %" PRIu64 " 版  %s"),
                hub_state_words(cli, hub_json_text(a, "state")), hub_json_number(a, "revision", 0),
                hub_json_text(a, "id"));
    hub_cli_say(cli, "%s", either(cli, json_object_get(a, "blocks")));
    say_time(cli, a, "sign_by_ms", "sign by", "签署截止");
    say_time(cli, a, "effective_ms", "in force", "生效");
    say_time(cli, a, "expires_ms", "expires", "期满");
    json_array_foreach(json_object_get(a, "parties"), i, item)
    {
        say_party(cli, item);
    }
    json_array_foreach(json_object_get(a, "documents"), i, item)
    {
        hub_cli_say(cli, "  %s  sha256 %.16s..", hub_json_text(item, "name"),
                    hub_json_text(item, "sha256"));
    }
    json_array_foreach(json_object_get(a, "milestones"), i, item)
    {
        char due[64];
        hub_format_time(due, hub_json_number(item, "due_ms", 0), cli->zh);
        hub_cli_say(cli, "  %" PRIu64 " %s  %s  %s%s", hub_json_number(item, "no", 0),
                    either(cli, json_object_get(item, "title")), hub_json_text(item, "owner"), due,
                    json_is_true(json_object_get(item, "overdue")) ? HUB_T(cli, "  LATE", "  逾期")
                                                                   : "");
    }
}

int hub_agreement_run_show(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    json_t *a;
    (void)own, (void)argc;
    const int code = hub_agreement_fetch(cli, &a, argv[0]);
    if (code != HUB_EXIT_OK)
        return code;
    if (cli->json)
        hub_cli_json(a);
    say_agreement(cli, a);
    json_decref(a);
    return HUB_EXIT_OK;
}

static void say_item(const struct hub_cli *cli, const json_t *a)
{
    char waiting[256] = "";
    size_t i, n = 0;
    json_t *code;
    json_array_foreach(json_object_get(a, "waiting_on"), i, code)
    {
        const char *text = json_string_value(code);
        if (text && n + strlen(text) + 3 < sizeof waiting)
            n += (size_t)snprintf(waiting + n, sizeof waiting - n, "%s%s", n ? ", " : "", text);
    }
    hub_cli_say(cli, "%.8s  %s  %s  %s %" PRIu64 "/%" PRIu64 "%s%s", hub_json_text(a, "id"),
                hub_json_text(a, "number"), either(cli, json_object_get(a, "title")),
                hub_state_words(cli, hub_json_text(a, "state")), hub_json_number(a, "signed", 0),
                hub_json_number(a, "must_sign", 0), n ? HUB_T(cli, "  waiting on ", "  等待 ") : "",
                waiting);
}

int hub_agreement_run_list(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct hub_agreement_options *o = own;
    char cursor[256] = "";
    (void)argc, (void)argv;
    for (unsigned pages = 0; pages < PAGES_MAX; pages++) {
        char path[PATH_BYTES] = "/v1/agreements?limit=500";
        struct hub_reply r;
        size_t i;
        json_t *item;
        int code;
        add_query(path, "state", o->state);
        add_query(path, "waiting_on", o->waiting_on);
        add_query(path, "party", o->party);
        add_query(path, "lead", o->lead);
        add_query(path, "number", o->number);
        add_query(path, "area", o->area);
        add_query(path, "due_before", o->due_before);
        add_query(path, "cursor", *cursor ? cursor : NULL);
        if (!hub_cli_get(cli, &r, path, &code))
            return code;
        json_array_foreach(json_object_get(r.json, "items"), i, item)
        {
            if (cli->json)
                hub_cli_json(item);
            say_item(cli, item);
        }
        snprintf(cursor, sizeof cursor, "%s", hub_json_text(r.json, "next"));
        hub_reply_free(&r);
        if (!*cursor)
            break;
    }
    return HUB_EXIT_OK;
}

/* ---- check: is this the paper we signed? */

/* Name of the document with this hash in the body, or an empty span. */
static struct hub_span document_named(struct hub_span body, const struct hub_hash *sha256)
{
    struct hub_cbor c;
    uint32_t n = 0;
    hub_field_array(body, "documents", &c, &n);
    for (uint32_t i = 0; i < n; i++) {
        const struct hub_span item = hub_cbor_item(&c);
        if (hub_span_equal(hub_field_span(item, "sha256"), (struct hub_span){sha256->b, 32}))
            return hub_field_span(item, "name");
    }
    return (struct hub_span){NULL, 0};
}

static void say_check(const struct hub_cli *cli, const struct hub_paper *p, uint32_t revision,
                      uint32_t approved, uint32_t current, struct hub_span name)
{
    const bool yes = revision > 0 && revision == (approved ? approved : current);
    if (cli->json) {
        json_t *told = json_pack("{s:s, s:b, s:i, s:i}", "file", p->path, "match", yes, "revision",
                                 (int)revision, "approved_revision", (int)approved);
        hub_cli_json(told);
        json_decref(told);
    }
    if (revision == 0)
        hub_cli_say(
            cli,
            HUB_T(cli, "NO  %s is in no revision of this agreement", "否  %s 不属于本协议任何版次"),
            p->path);
    else if (!yes)
        hub_cli_say(cli,
                    HUB_T(cli, "NO  %s is '%.*s' of revision %u, which was replaced",
                          "否  %s 是已被取代的版次中的“%.*s”（第 %u 版）"),
                    p->path, (int)name.len, (const char *)name.data, revision);
    else if (approved)
        hub_cli_say(cli,
                    HUB_T(cli, "YES %s is '%.*s' of revision %u, signed by all who must",
                          "是  %s 即“%.*s”，第 %u 版，必签方均已签署"),
                    p->path, (int)name.len, (const char *)name.data, revision);
    else
        hub_cli_say(
            cli,
            HUB_T(cli, "YES %s is '%.*s' of revision %u, the current draft; not signed by all yet",
                  "是  %s 即“%.*s”，第 %u 版（现行草案，尚未全部签署）"),
            p->path, (int)name.len, (const char *)name.data, revision);
}

/* The newest revision that holds the paper wins; 0 is said if none does. */
static int check_paper(struct hub_cli *cli, const json_t *a, const struct hub_paper *p)
{
    const uint32_t current = (uint32_t)hub_json_number(a, "revision", 0);
    const uint32_t approved = (uint32_t)hub_json_number(a, "approved_revision", 0);
    for (uint32_t n = current; n > 0; n--) {
        struct hub_agreement_text t;
        json_t *json;
        const int code = hub_revision_fetch(cli, &json, &t, hub_json_text(a, "id"), n);
        if (code != HUB_EXIT_OK)
            return code;
        json_decref(json);
        const struct hub_span name = document_named(hub_span_of(&t.body), &p->sha256);
        if (name.len > 0)
            say_check(cli, p, n, approved, current, name);
        free(t.body.data);
        if (name.len > 0)
            return n == (approved ? approved : current) ? HUB_EXIT_OK : HUB_EXIT_UNVERIFIED;
    }
    say_check(cli, p, 0, approved, current, (struct hub_span){NULL, 0});
    return HUB_EXIT_UNVERIFIED;
}

int hub_agreement_run_check(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_papers papers;
    json_t *a;
    (void)own;
    if (argc - 1 > HUB_DOCUMENTS_MAX)
        return hub_cli_fail(cli, HUB_EXIT_USAGE, HUB_T(cli, "at most %d files", "最多 %d 个文件"),
                            HUB_DOCUMENTS_MAX);
    if (!hub_papers_read(cli, &papers, (const char *const *)argv + 1, argc - 1))
        return HUB_EXIT_UNREACHABLE;
    int code = hub_agreement_fetch(cli, &a, argv[0]);
    if (code != HUB_EXIT_OK)
        return code;
    for (unsigned i = 0; i < papers.count; i++) {
        const int one = check_paper(cli, a, &papers.paper[i]);
        code = one > code ? one : code;
    }
    json_decref(a);
    return code;
}
