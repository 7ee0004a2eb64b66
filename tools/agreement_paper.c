/* agreement_paper.c: the files of an agreement, and the sheet that is read before signing. */
#include "tools/agreement.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- papers */

static const char *media_of(const char *name)
{
    static const struct {
        const char *suffix, *media;
    } known[] = {
        {".pdf", "application/pdf"},
        {".ofd", "application/ofd"},
        {".txt", "text/plain"},
        {".md", "text/markdown"},
        {".html", "text/html"},
        {".xml", "application/xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
        {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof known / sizeof *known; i++)
        if (!strcmp(dot, known[i].suffix))
            return known[i].media;
    return "application/octet-stream";
}

static bool hash_file(struct hub_paper *p)
{
    static uint8_t bytes[1 << 16];
    struct hub_hasher h;
    FILE *f = fopen(p->path, "rb");
    size_t n;
    if (!f)
        return false;
    hub_hash_init(&h);
    p->size = 0;
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0) {
        hub_hash_add(&h, bytes, n);
        p->size += n;
    }
    const bool ok = !ferror(f);
    fclose(f);
    hub_hash_final(&h, &p->sha256);
    return ok;
}

bool hub_papers_read(const struct hub_cli *cli, struct hub_papers *out, const char *const *paths,
                     unsigned count)
{
    *out = (struct hub_papers){0};
    for (unsigned i = 0; i < count; i++) {
        struct hub_paper *p = &out->paper[out->count++];
        const char *slash = strrchr(paths[i], '/'), *name = slash ? slash + 1 : paths[i];
        p->path = paths[i];
        if (strlen(name) >= sizeof p->name) {
            hub_cli_fail(cli, 0,
                         HUB_T(cli, "%s: the name of a document has at most 200 bytes",
                               "%s：文件名最长 200 字节"),
                         p->path);
            return false;
        }
        memcpy(p->name, name, strlen(name) + 1);
        p->media = media_of(name);
        if (!hash_file(p)) {
            hub_cli_fail(cli, 0, HUB_T(cli, "cannot read %s: %s", "无法读取 %s：%s"), p->path,
                         strerror(errno));
            return false;
        }
    }
    return true;
}

static bool is_paper(const struct hub_papers *p, struct hub_span sha256)
{
    for (unsigned i = 0; i < p->count; i++)
        if (hub_span_equal((struct hub_span){p->paper[i].sha256.b, 32}, sha256))
            return true;
    return false;
}

static bool is_document(struct hub_span body, const struct hub_hash *sha256)
{
    struct hub_cbor c;
    uint32_t n = 0;
    hub_field_array(body, "documents", &c, &n);
    for (uint32_t i = 0; i < n; i++)
        if (hub_span_equal(hub_field_span(hub_cbor_item(&c), "sha256"),
                           (struct hub_span){sha256->b, 32}))
            return true;
    return false;
}

int hub_papers_match(const struct hub_cli *cli, const struct hub_papers *p, struct hub_span body)
{
    struct hub_cbor c;
    uint32_t n = 0;
    for (unsigned i = 0; i < p->count; i++)
        if (!is_document(body, &p->paper[i].sha256))
            return hub_cli_fail(
                cli, HUB_EXIT_UNVERIFIED,
                HUB_T(cli,
                      "%s is not a document of this revision: its SHA-256 is not in "
                      "the agreement. Do not sign; ask the proposer for the file",
                      "%s 不是该版次的文件：其 SHA-256 不在协议之中。请勿签署，"
                      "向发起方索取正确文件"),
                p->paper[i].path);
    hub_field_array(body, "documents", &c, &n);
    for (uint32_t i = 0; i < n; i++) {
        const struct hub_span item = hub_cbor_item(&c), name = hub_field_span(item, "name");
        if (!is_paper(p, hub_field_span(item, "sha256")))
            return hub_cli_fail(cli, HUB_EXIT_USAGE,
                                HUB_T(cli,
                                      "signing needs every document: name the file of '%.*s' with "
                                      "--document FILE",
                                      "签署须提供全部文件：请用 --document 提供“%.*s”"),
                                (int)name.len, (const char *)name.data);
    }
    return HUB_EXIT_OK;
}

/* ---- the sheet */

struct sheet {
    const struct hub_cli *cli;
    FILE *to;
};

static void put_line(const struct sheet *s, const char *en, const char *zh, struct hub_span value)
{
    if (value.len > 0)
        fprintf(s->to, "%s%s%.*s\n", HUB_T(s->cli, en, zh), HUB_T(s->cli, ": ", "："),
                (int)value.len, (const char *)value.data);
}

static void put_time(const struct sheet *s, const char *en, const char *zh, uint64_t ms)
{
    char text[64];
    hub_format_time(text, ms, s->cli->zh);
    put_line(s, en, zh, hub_text_span(text));
}

/* The text in the reader's language, else the one there is. */
static struct hub_span either(const struct sheet *s, struct hub_span bilingual)
{
    const struct hub_span zh = hub_field_span(bilingual, "zh"),
                          en = hub_field_span(bilingual, "en");
    return s->cli->zh || en.len == 0 ? zh : en;
}

static struct hub_span part(struct hub_span body, const char *name)
{
    return hub_field_has(body, name) ? hub_field_item(body, name) : (struct hub_span){NULL, 0};
}

static void put_bilingual(const struct sheet *s, const char *en, const char *zh,
                          struct hub_span body, const char *name)
{
    const struct hub_span map = part(body, name);
    if (map.len == 0)
        return;
    put_line(s, en, zh, hub_field_span(map, "zh"));
    if (hub_field_has(map, "en"))
        put_line(s, en, zh, hub_field_span(map, "en"));
}

static void put_parties(const struct sheet *s, struct hub_span body)
{
    struct hub_cbor c;
    uint32_t n = 0;
    hub_field_array(body, "parties", &c, &n);
    fprintf(s->to, "%s\n", HUB_T(s->cli, "Parties:", "签约方："));
    for (uint32_t i = 0; i < n; i++) {
        const struct hub_span item = hub_cbor_item(&c), code = hub_field_span(item, "member");
        static const char *const zh[] = {"牵头单位", "签约方", "见证方"};
        const int as = hub_field_enum(item, "as", hub_party_as_names);
        fprintf(s->to, "  %-18.*s %s%s\n", (int)code.len, (const char *)code.data,
                HUB_T(s->cli, hub_party_as_names[as], zh[as]),
                hub_field_bool(item, "must_sign", false)
                    ? ""
                    : HUB_T(s->cli, " (signature optional)", "（可不签署）"));
    }
}

static void put_documents(const struct sheet *s, struct hub_span body)
{
    struct hub_cbor c;
    uint32_t n = 0;
    hub_field_array(body, "documents", &c, &n);
    fprintf(s->to, "%s\n", HUB_T(s->cli, "Documents:", "文件："));
    for (uint32_t i = 0; i < n; i++) {
        const struct hub_span item = hub_cbor_item(&c), name = hub_field_span(item, "name");
        char hex[65];
        hub_format_hex(hex, hub_field_span(item, "sha256").data, 32);
        fprintf(s->to, "  %.*s (%" PRIu64 "%s)\n    sha256 %s\n", (int)name.len,
                (const char *)name.data, hub_field_uint(item, "size", 0),
                HUB_T(s->cli, " bytes", " 字节"), hex);
    }
}

static void put_milestones(const struct sheet *s, struct hub_span body)
{
    struct hub_cbor c;
    uint32_t n = 0;
    if (!hub_field_array(body, "milestones", &c, &n) || n == 0)
        return;
    fprintf(s->to, "%s\n", HUB_T(s->cli, "Milestones:", "履约节点："));
    for (uint32_t i = 0; i < n; i++) {
        const struct hub_span item = hub_cbor_item(&c), owner = hub_field_span(item, "owner");
        const struct hub_span title = either(s, hub_field_item(item, "title"));
        char due[64];
        hub_format_time(due, hub_field_uint(item, "due", 0), s->cli->zh);
        fprintf(s->to, "  %" PRIu64 " %.*s  %.*s  %s\n", hub_field_uint(item, "no", 0),
                (int)title.len, (const char *)title.data, (int)owner.len, (const char *)owner.data,
                due);
    }
}

static void put_effective(const struct sheet *s, struct hub_span body)
{
    const struct hub_span map = hub_field_item(body, "effective");
    const char *en = "In force", *zh = "生效";
    if (hub_field_has(map, "at"))
        put_time(s, en, zh, hub_field_uint(map, "at", 0));
    else if (hub_span_equal(hub_field_span(map, "on"), hub_text_span("notice")))
        put_line(s, en, zh,
                 hub_text_span(HUB_T(s->cli, "by the lead's notice", "由牵头单位通知生效")));
    else
        put_line(s, en, zh,
                 hub_text_span(HUB_T(s->cli, "with the last signature", "最后一方签署之时")));
}

static void put_rule(const struct sheet *s, struct hub_span rules, const char *name, const char *zh)
{
    struct hub_cbor c = hub_cbor_open(hub_field_item(hub_field_item(rules, name), "need"));
    if (hub_cbor_peek(&c) == HUB_CBOR_UINT) {
        fprintf(s->to, "  %s%s%" PRIu64 "%s\n", HUB_T(s->cli, name, zh), HUB_T(s->cli, ": ", "："),
                hub_cbor_uint(&c, 0, HUB_PARTIES_MAX),
                HUB_T(s->cli, " parties that must sign", " 个必签方同意"));
        return;
    }
    const bool all = hub_span_equal(hub_cbor_text(&c, 0, 16), hub_text_span("all"));
    fprintf(s->to, "  %s%s%s\n", HUB_T(s->cli, name, zh), HUB_T(s->cli, ": ", "："),
            all ? HUB_T(s->cli, "all", "全体同意") : HUB_T(s->cli, "the lead", "牵头单位决定"));
}

static void put_rules(const struct sheet *s, struct hub_span body)
{
    const struct hub_span rules = hub_field_item(body, "rules");
    const struct hub_span withdraw = hub_field_item(rules, "withdraw");
    fprintf(s->to, "%s\n", HUB_T(s->cli, "Rules:", "规则："));
    put_rule(s, rules, "amend", "补充（变更）");
    put_rule(s, rules, "suspend", "中止");
    put_rule(s, rules, "terminate", "终止（解除）");
    put_rule(s, rules, "renew", "续期");
    if (hub_field_bool(withdraw, "allowed", false))
        fprintf(s->to,
                HUB_T(s->cli, "  withdraw: with %" PRIu64 " days of notice\n",
                      "  退出：提前 %" PRIu64 " 天通知\n"),
                hub_field_uint(withdraw, "notice_days", 0));
    else
        fprintf(s->to, "%s\n", HUB_T(s->cli, "  withdraw: not allowed", "  退出：不允许"));
    put_bilingual(s, "  dispute", "  争议解决", rules, "dispute");
}

void hub_sheet_print(const struct hub_cli *cli, struct hub_span body)
{
    const struct sheet s = {cli, cli->json ? stderr : stdout};
    char hex[65];
    struct hub_hash hash;
    hub_hash_span(&hash, body);
    hub_format_hex(hex, hash.b, 32);
    fprintf(s.to, "%s\n",
            HUB_T(cli, "---- what you are asked to decide on ----", "──── 请审阅 ────"));
    put_bilingual(&s, "Title", "标题", body, "title");
    put_line(&s, "Number", "编号", hub_field_span(body, "number"));
    fprintf(s.to, HUB_T(cli, "Revision: %" PRIu64 "\n", "版次：第 %" PRIu64 " 版\n"),
            hub_field_uint(body, "revision", 0));
    put_bilingual(&s, "Changes", "修改说明", body, "change_note");
    put_parties(&s, body);
    put_line(&s, "Document date (asserted)", "文件日期（所载）",
             hub_field_span(body, "document_date"));
    put_bilingual(&s, "Place (asserted)", "签署地点（所载）", body, "place");
    put_time(&s, "Sign by", "签署截止", hub_field_uint(body, "sign_by", 0));
    put_effective(&s, body);
    if (hub_field_has(body, "expires"))
        put_time(&s, "Expires", "期满", hub_field_uint(body, "expires", 0));
    put_milestones(&s, body);
    put_rules(&s, body);
    put_documents(&s, body);
    put_line(&s, "SHA-256 of this text", "文本哈希（SHA-256）", hub_text_span(hex));
}
