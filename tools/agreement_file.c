/* agreement_file.c: a draft from the text file a clerk wrote. The file names everything in words; numbers and
 * times are read here, strictly, and not by libconfuse (whose 010 is eight). */
#include "tools/agreement.h"

#include <confuse.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct source {
    const struct hub_cli *cli;
    const char *path;
    bool bad;
};

#define COMPLAIN(s, en, zh, ...)                                                                   \
    ((s)->bad = true,                                                                              \
     hub_cli_fail((s)->cli, 0, HUB_T((s)->cli, "%s: " en, "%s：" zh), (s)->path, __VA_ARGS__))

static void on_error(cfg_t *cfg, const char *format, va_list args)
{
    fprintf(stderr, "hubledger: %s:%d: ", cfg->filename ? cfg->filename : "", cfg->line);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

/* NULL if the option was left out or is empty. */
static const char *text_of(cfg_t *cfg, const char *name)
{
    const char *text = cfg_getstr(cfg, name);
    return text && *text ? text : NULL;
}

static const char *needed(struct source *s, cfg_t *cfg, const char *name)
{
    const char *text = text_of(cfg, name);
    if (!text)
        COMPLAIN(s, "'%s' is missing", "缺少“%s”", name);
    return text ? text : "";
}

static struct hub_bilingual both(cfg_t *cfg, const char *zh, const char *en)
{
    return (struct hub_bilingual){text_of(cfg, zh), text_of(cfg, en)};
}

/* Place of the word among names; the first one if left out. */
static int choice(struct source *s, cfg_t *cfg, const char *name, const char *const *names)
{
    const char *word = text_of(cfg, name);
    if (!word)
        return 0;
    for (int i = 0; names[i]; i++)
        if (!strcmp(names[i], word))
            return i;
    COMPLAIN(s, "'%s = %s': no such choice", "“%s = %s”：没有此选项", name, word);
    return 0;
}

static uint32_t number_of(struct source *s, cfg_t *cfg, const char *name, uint32_t absent)
{
    const char *text = text_of(cfg, name);
    uint64_t v = absent;
    if (text && !hub_parse_uint(&v, text, UINT32_MAX - 1))
        COMPLAIN(s, "'%s = %s' is no number", "“%s = %s”不是数字", name, text);
    return (uint32_t)v;
}

static bool flag_of(struct source *s, cfg_t *cfg, const char *name, bool absent)
{
    static const char *const words[] = {"true", "false", NULL};
    return text_of(cfg, name) ? choice(s, cfg, name, words) == 0 : absent;
}

static uint64_t time_of(struct source *s, cfg_t *cfg, const char *name, bool end_of_day)
{
    const char *text = text_of(cfg, name);
    uint64_t ms = 0;
    if (text && !hub_parse_time(&ms, text, end_of_day))
        COMPLAIN(s, "'%s = %s' is no date like 2026-05-31 or \"2026-05-31 18:00\"",
                 "“%s = %s”不是日期，应写作 2026-05-31 或 \"2026-05-31 18:00\"", name, text);
    return ms;
}

static uint32_t need_of(struct source *s, cfg_t *cfg, const char *name)
{
    const char *text = text_of(cfg, name);
    if (!text || !strcmp(text, "all"))
        return HUB_NEED_ALL;
    return !strcmp(text, "lead") ? HUB_NEED_LEAD : number_of(s, cfg, name, 0);
}

static void take_parties(struct source *s, cfg_t *cfg, struct hub_draft *d)
{
    const unsigned n = cfg_size(cfg, "party");
    unsigned leads = 0, must_sign = 0;
    if (n > HUB_PARTIES_MAX) {
        COMPLAIN(s, "%u parties; there can be %d", "签约方 %u 个，最多 %d 个", n, HUB_PARTIES_MAX);
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        cfg_t *sec = cfg_getnsec(cfg, "party", i);
        struct hub_draft_party *p = &d->party[d->party_count++];
        p->member = cfg_title(sec);
        p->as = text_of(sec, "as") ? (enum hub_party_as)choice(s, sec, "as", hub_party_as_names)
                                   : HUB_PARTY_PARTY;
        p->must_sign = flag_of(s, sec, "must_sign", p->as != HUB_PARTY_WITNESS);
        must_sign += p->must_sign;
        if (p->as == HUB_PARTY_LEAD) {
            d->lead = p->member;
            leads++;
        }
    }
    if (leads != 1)
        COMPLAIN(s, "%u parties with as = lead; there must be one", "牵头单位 %u 个，应为一个",
                 leads);
    if (must_sign < 2)
        COMPLAIN(s, "%u parties must sign; there must be at least two",
                 "必签方 %u 个，至少应有两个", must_sign);
}

static void take_areas(struct source *s, cfg_t *cfg, struct hub_draft *d)
{
    const unsigned n = cfg_size(cfg, "area");
    if (n > HUB_AREAS_MAX)
        COMPLAIN(s, "%u areas; there can be %d", "合作领域 %u 个，最多 %d 个", n, HUB_AREAS_MAX);
    for (unsigned i = 0; i < n && i < HUB_AREAS_MAX; i++) {
        cfg_t *sec = cfg_getnsec(cfg, "area", i);
        needed(s, sec, "zh");
        d->area[d->area_count++] = (struct hub_draft_area){cfg_title(sec), both(sec, "zh", "en")};
    }
}

static void take_milestones(struct source *s, cfg_t *cfg, struct hub_draft *d)
{
    static const char *const rules[] = {"all", "any", "listed", NULL};
    const unsigned n = cfg_size(cfg, "milestone");
    if (n > HUB_MILESTONES_MAX)
        COMPLAIN(s, "%u milestones; there can be %d", "履约节点 %u 个，最多 %d 个", n,
                 HUB_MILESTONES_MAX);
    for (unsigned i = 0; i < n && i < HUB_MILESTONES_MAX; i++) {
        cfg_t *sec = cfg_getnsec(cfg, "milestone", i);
        struct hub_draft_milestone *m = &d->milestone[d->milestone_count++];
        uint64_t no = 0;
        if (!hub_parse_uint(&no, cfg_title(sec), HUB_MILESTONES_MAX))
            COMPLAIN(s, "milestone %s: a number from 1 to %d", "履约节点 %s：应为 1 至 %d 的编号",
                     cfg_title(sec), HUB_MILESTONES_MAX);
        m->no = (uint32_t)no;
        needed(s, sec, "title_zh");
        m->title = both(sec, "title_zh", "title_en");
        m->owner = needed(s, sec, "owner");
        needed(s, sec, "due");
        m->due_ms = time_of(s, sec, "due", true);
        m->accept = (enum hub_accept)choice(s, sec, "accept", rules);
        m->deemed_days = number_of(s, sec, "deemed_days", 0);
        m->review_days = number_of(s, sec, "review_days", 0);
        for (unsigned j = 0; j < cfg_size(sec, "who") && j < HUB_PARTIES_MAX; j++)
            m->who[m->who_count++] = cfg_getnstr(sec, "who", j);
    }
}

static void take_documents(struct source *s, cfg_t *cfg, struct hub_draft *d,
                           const struct hub_papers *papers)
{
    if (papers->count == 0)
        COMPLAIN(s, "name its documents with %s FILE, the main text first",
                 "请用 %s 文件 提供协议文件，正文在前", "--document");
    for (unsigned i = 0; i < papers->count; i++) {
        const struct hub_paper *p = &papers->paper[i];
        d->document[d->document_count++] = (struct hub_draft_document){
            .name = p->name, .media = p->media, .size = p->size, .sha256 = p->sha256};
    }
    for (unsigned i = 0; i < cfg_size(cfg, "document"); i++) {
        cfg_t *sec = cfg_getnsec(cfg, "document", i);
        bool found = false;
        for (uint32_t j = 0; j < d->document_count; j++)
            if (!strcmp(d->document[j].name, cfg_title(sec))) {
                d->document[j].lang = text_of(sec, "lang");
                d->document[j].media =
                    text_of(sec, "media") ? text_of(sec, "media") : d->document[j].media;
                found = true;
            }
        if (!found)
            COMPLAIN(s, "document '%s' was not given with --document",
                     "未用 --document 提供文件“%s”", cfg_title(sec));
    }
}

static void take_times(struct source *s, cfg_t *cfg, struct hub_draft *d)
{
    const char *effective = text_of(cfg, "effective");
    needed(s, cfg, "sign_by");
    d->sign_by_ms = time_of(s, cfg, "sign_by", true);
    d->expires_ms = time_of(s, cfg, "expires", true);
    if (!effective || !strcmp(effective, "last-signature"))
        d->effective = HUB_EFFECTIVE_LAST_SIGNATURE;
    else if (!strcmp(effective, "notice"))
        d->effective = HUB_EFFECTIVE_NOTICE;
    else
        d->effective_ms = time_of(s, cfg, "effective", false); /* HUB_EFFECTIVE_AT */
    if (d->expires_ms && (d->expires_ms <= d->sign_by_ms || d->expires_ms <= d->effective_ms))
        COMPLAIN(s, "%s must lie behind sign_by and effective", "%s 应晚于签署截止和生效时间",
                 "expires");
}

static void take_rules(struct source *s, cfg_t *cfg, struct hub_draft *d)
{
    static const char *const then[] = {"others-stay", "ends", NULL};
    d->need_amend = need_of(s, cfg, "amend");
    d->need_renew = need_of(s, cfg, "renew");
    d->need_suspend = need_of(s, cfg, "suspend");
    d->need_terminate = need_of(s, cfg, "terminate");
    d->withdraw_allowed = flag_of(s, cfg, "withdraw", false);
    d->withdraw_notice_days = number_of(s, cfg, "withdraw_notice_days", 0);
    d->withdraw_then = (enum hub_withdraw_then)choice(s, cfg, "withdraw_then", then);
    d->dispute = both(cfg, "dispute_zh", "dispute_en");
}

static void take(struct source *s, cfg_t *cfg, struct hub_draft *d, const struct hub_papers *papers,
                 const struct hub_draft_place *place)
{
    static const char *const prevailing[] = {"zh", "en", "equal", NULL};
    static const char *const retention[] = {"permanent", "30", "10", NULL};
    static const char *const visibility[] = {"members", "public", "named", NULL};
    static const uint32_t years[] = {HUB_RETENTION_PERMANENT, 30, 10};
    static const enum hub_visibility seen_by[] = {HUB_VISIBILITY_MEMBERS, HUB_VISIBILITY_PUBLIC,
                                                  HUB_VISIBILITY_NAMED};
    *d = (struct hub_draft){.agreement = place->agreement,
                            .chain = place->chain,
                            .previous = place->previous,
                            .revision = place->revision,
                            .lead = ""};
    d->number = needed(s, cfg, "number");
    needed(s, cfg, "title_zh");
    d->title = both(cfg, "title_zh", "title_en");
    d->place = both(cfg, "place_zh", "place_en");
    d->document_date = needed(s, cfg, "document_date");
    if (place->revision > 1)
        d->change_note = both(cfg, "change_note_zh", "change_note_en");
    d->prevailing = (enum hub_prevailing)choice(s, cfg, "prevailing", prevailing);
    d->retention = years[choice(s, cfg, "retention", retention)];
    d->visibility = seen_by[choice(s, cfg, "visibility", visibility)];
    take_parties(s, cfg, d);
    take_areas(s, cfg, d);
    take_times(s, cfg, d);
    take_milestones(s, cfg, d);
    take_rules(s, cfg, d);
    take_documents(s, cfg, d, papers);
}

#define WORD(name) CFG_STR(name, NULL, CFGF_NONE)
enum { SECTION = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES };

/* Parses the file and encodes while its strings live. */
static bool encode(struct source *s, struct hub_buf *body, struct hub_draft *d,
                   const struct hub_papers *papers, const struct hub_draft_place *place)
{
    cfg_opt_t party[] = {WORD("as"), WORD("must_sign"), CFG_END()};
    cfg_opt_t area[] = {WORD("zh"), WORD("en"), CFG_END()};
    cfg_opt_t document[] = {WORD("lang"), WORD("media"), CFG_END()};
    cfg_opt_t milestone[] = {
        WORD("title_zh"),    WORD("title_en"),    WORD("owner"),
        WORD("due"),         WORD("accept"),      CFG_STR_LIST("who", NULL, CFGF_NONE),
        WORD("deemed_days"), WORD("review_days"), CFG_END()};
    cfg_opt_t options[] = {WORD("number"),
                           WORD("title_zh"),
                           WORD("title_en"),
                           WORD("place_zh"),
                           WORD("place_en"),
                           WORD("document_date"),
                           WORD("sign_by"),
                           WORD("effective"),
                           WORD("expires"),
                           WORD("change_note_zh"),
                           WORD("change_note_en"),
                           WORD("prevailing"),
                           WORD("visibility"),
                           WORD("retention"),
                           WORD("amend"),
                           WORD("renew"),
                           WORD("suspend"),
                           WORD("terminate"),
                           WORD("withdraw"),
                           WORD("withdraw_notice_days"),
                           WORD("withdraw_then"),
                           WORD("dispute_zh"),
                           WORD("dispute_en"),
                           CFG_SEC("party", party, SECTION),
                           CFG_SEC("area", area, SECTION),
                           CFG_SEC("milestone", milestone, SECTION),
                           CFG_SEC("document", document, SECTION),
                           CFG_END()};
    cfg_t *cfg = cfg_init(options, CFGF_NONE);
    if (!cfg) {
        COMPLAIN(s, "%s", "%s", strerror(ENOMEM));
        return false;
    }
    cfg_set_error_function(cfg, on_error);
    const int parsed = cfg_parse(cfg, s->path);
    if (parsed == CFG_FILE_ERROR)
        COMPLAIN(s, "%s", "%s", strerror(errno));
    if (parsed == CFG_SUCCESS) {
        take(s, cfg, d, papers, place);
        if (!s->bad)
            hub_draft_encode(body, d);
    }
    cfg_free(cfg);
    return parsed == CFG_SUCCESS && !s->bad;
}

bool hub_draft_from_file(const struct hub_cli *cli, struct hub_buf *body, const char *path,
                         const struct hub_papers *papers, const struct hub_draft_place *place)
{
    struct source s = {.cli = cli, .path = path};
    struct hub_draft *d = calloc(1, sizeof *d);
    const char *field = NULL;
    const bool ok = d && encode(&s, body, d, papers, place);
    free(d);
    if (!ok)
        return false;
    if (body->full) {
        COMPLAIN(&s, "%s: longer than the 65,535 bytes of a record",
                 "%s：超过单条记录 65,535 字节的上限", hub_result_text(HUB_CODE_too_large)->name);
        return false;
    }
    const uint16_t code = hub_body_check(
        hub_span_of(body), hub_record_types[HUB_TYPE_AGREEMENT_PROPOSE].fields[0].sub, &field);
    if (code != 0)
        COMPLAIN(&s, "%s: %s", "%s：%s", field ? field : "?",
                 HUB_T(cli, hub_result_text(code)->en, hub_result_text(code)->zh));
    return code == 0;
}

bool hub_draft_check(const struct hub_cli *cli, enum hub_record_type_id type, struct hub_span core,
                     const struct hub_hash *kid)
{
    uint8_t bytes[512];
    struct hub_buf protected_ = {.data = bytes, .cap = sizeof bytes};
    const struct hub_record_draft d = {.type = (uint16_t)type,
                                       .kid = *kid,
                                       .chain = cli->genesis->chain,
                                       .seq = 1,
                                       .valid_until_ms = 1};
    hub_record_protected(&protected_, &d);
    const struct hub_record r = {.protected_ = hub_span_of(&protected_), .body = core, .kid = *kid};
    const uint16_t code = hub_record_types[type].check(&r);
    if (code == 0)
        return true;
    const struct hub_result_text *t = hub_result_text(code);
    hub_cli_fail(cli, 0, "%s: %s %s", t->name, HUB_T(cli, t->en, t->zh),
                 HUB_T(cli, "Parties, milestones and dates: docs/agreements.md lists the rules.",
                       "签约方、履约节点与日期的规则见 docs/agreements.md。"));
    return false;
}
