/* audit_report.c: an audit's outcome for people, in Chinese or English, and as JSON. */
#include "tools/audit.h"

#include "hub/json.h"
#include "ledger/evidence_record.h"
#include "tools/cli.h"

#include <stdlib.h>
#include <string.h>

#define T(en_text, zh_text) (zh ? (zh_text) : (en_text))

static const struct {
    const char *name, *en, *zh;
} kinds[] = {
    [HUB_FINDING_UNREADABLE] = {"unreadable", "the block cannot be read", "区块无法读取"},
    [HUB_FINDING_FORM] = {"form", "the bytes are no block", "这些字节不是区块"},
    [HUB_FINDING_RECORD] = {"record", "the record can be in no block here",
                            "该存证记录不可能在此入账"},
    [HUB_FINDING_ENTRY] = {"entry", "an entry of the batch was changed", "批次中的一笔明细被改动"},
    [HUB_FINDING_CLAIM] = {"claim", "the header is not what the blocks give",
                           "区块头与计算结果不符"},
    [HUB_FINDING_CERTIFICATE] = {"certificate", "the certificate is not a quorum's over this block",
                                 "最终性证书不是法定数节点对本区块的签名"},
    [HUB_FINDING_NO_CERTIFICATE] = {"no_certificate",
                                    "too many blocks in a row without a certificate",
                                    "连续过多区块没有最终性证书"},
    [HUB_FINDING_CHECKPOINT] = {"checkpoint", "the stored state is not what the blocks give",
                                "保存的状态与区块计算结果不符"},
    [HUB_FINDING_CURRENCY] = {"currency", "the sums of the wallets do not balance",
                              "各钱包合计不平"},
    [HUB_FINDING_OVERRIDE] = {"override",
                              "a recovery epoch overrides the quorum here; whoever follows it says "
                              "so with --accept-recovery and this record id",
                              "此处以恢复届次替代法定数；认可者请以 --accept-recovery 加此记录标识"
                              "明示"},
    [HUB_FINDING_END] = {"end", "the source does not end as it should", "来源未正常结束"},
};

static const struct {
    enum hub_audit_verdict verdict;
    const char *name, *en, *zh;
} verdicts[] = {
    {HUB_AUDIT_VERIFIED, "verified", "VERIFIED: every block, signature, rule and result holds",
     "核验通过：所有区块、签名、规则与结果均成立"},
    {HUB_AUDIT_DAMAGED, "damaged", "NOT VERIFIED: the history was changed or damaged",
     "核验不通过：历史被改动或损坏"},
    {HUB_AUDIT_UNREADABLE, "unreadable", "NOT VERIFIED: the source cannot be read to its end",
     "核验不通过：来源无法读到结尾"},
    {HUB_AUDIT_INCOMPLETE, "incomplete",
     "INCOMPLETE: the source does not hold a final history from genesis on",
     "不完整：来源不含自创世起的最终历史"},
    {HUB_AUDIT_OVERRIDE, "override",
     "OVERRIDE: everything holds up to a recovery epoch, which was not accepted here",
     "存在恢复届次：此前全部核验通过，其后须先认可该恢复"},
    {HUB_AUDIT_OTHER_GENESIS, "other_genesis", "OTHER LEDGER: the source has another genesis file",
     "不是同一账本：来源的创世文件不同"},
};

static size_t verdict_row(enum hub_audit_verdict v)
{
    size_t i = 0;

    while (verdicts[i].verdict != v)
        i++;
    return i;
}

static uint64_t in_circulation(const struct hub_supply *s)
{
    return s->issued - s->retired;
}

/* ---- text */

static void print_hash(FILE *out, const struct hub_hash *h)
{
    for (size_t i = 0; i < sizeof h->b; i++)
        fprintf(out, "%02x", h->b[i]);
}

static bool is_zero(const struct hub_hash *h)
{
    static const struct hub_hash zero;

    return hub_hash_equal(h, &zero);
}

static void print_finding(FILE *out, const struct hub_finding *f, bool zh)
{
    const struct hub_result_text *code = f->code == 0 ? NULL : hub_result_text(f->code);
    const char *unit = strcmp(f->field, "amount") == 0 ? T(" yuan", " 元") : "";

    fprintf(out, "  ");
    if (f->kind == HUB_FINDING_END)
        fputs(T("end", "结尾"), out);
    else
        fprintf(out, T("height %llu", "高度 %llu"), (unsigned long long)f->height);
    if (f->offset != 0)
        fprintf(out, T(" (byte %llu)", "（字节 %llu）"), (unsigned long long)f->offset);
    if (f->record != UINT32_MAX)
        fprintf(out, T(", record %u", "，第 %u 条记录"), f->record);
    if (f->entry != UINT32_MAX)
        fprintf(out, T(", entry %u", "，第 %u 笔明细"), f->entry);
    if (f->field[0] != '\0')
        fprintf(out, T(", %s", "，%s"), f->field);
    fprintf(out, T(": %s\n", "：%s\n"), zh ? kinds[f->kind].zh : kinds[f->kind].en);
    if (code != NULL)
        fprintf(out, "    %s: %s\n", code->name, zh ? code->zh : code->en);
    if (!is_zero(&f->id)) {
        fputs(T("    record id ", "    记录标识 "), out);
        print_hash(out, &f->id);
        fputc('\n', out);
    }
    if (f->expected[0] != '\0')
        fprintf(out, T("    expected %s%s\n", "    应为 %s%s\n"), f->expected, unit);
    if (f->got[0] != '\0')
        fprintf(out, T("    got      %s%s\n", "    实为 %s%s\n"), f->got, unit);
    if (f->note[0] != '\0')
        fprintf(out, "    %s\n", f->note);
}

static void print_supply(FILE *out, const struct hub_supply *s, bool zh)
{
    uint8_t text[3][32];
    const uint64_t fen[3] = {s->issued, s->retired, in_circulation(s)};
    unsigned long long wallets = 0;

    for (int i = 0; i < 3; i++) {
        struct hub_buf b = {text[i], 0, sizeof text[i] - 1, false};

        hub_text_put_yuan(&b, fen[i]);
        text[i][b.len] = '\0';
    }
    for (unsigned k = 0; k < HUB_WALLET_KINDS; k++)
        wallets += s->wallets[k];
    fprintf(out,
            T("currency       issued %s, retired %s, in circulation %s yuan, %llu wallets\n",
              "货币           发行 %s，回笼 %s，流通 %s 元，钱包 %llu 个\n"),
            (const char *)text[0], (const char *)text[1], (const char *)text[2], wallets);
}

static void print_tip(FILE *out, const struct hub_audit *a, bool zh)
{
    const struct hub_header *h = &a->chain->final_header;
    char text[64];

    hub_format_time(text, h->time_ms, zh);
    fprintf(out, T("verified up to height %llu, %s, block ", "已核验至高度 %llu，%s，区块 "),
            (unsigned long long)h->height, text);
    print_hash(out, &a->chain->final_hash);
    fprintf(out, T("\nlog            %llu leaves, root ", "\n日志           %llu 个叶子，树根 "),
            (unsigned long long)h->log_size);
    print_hash(out, &h->log_root);
    fputs(T("\nstate root     ", "\n状态根         "), out);
    print_hash(out, &h->state_root);
    fputc('\n', out);
}

static void print_counts(FILE *out, const struct hub_audit *a, double seconds, bool zh)
{
    const struct hub_validators *set = &a->chain->set;

    fprintf(out,
            T("blocks         %llu, of them %llu empty\n",
              "区块           %llu 个，其中空块 %llu 个\n"),
            (unsigned long long)a->blocks, (unsigned long long)a->empty_blocks);
    fprintf(out,
            T("records        %llu: %llu applied, %llu without effect; %llu batch entries\n",
              "存证记录       %llu 条：已生效 %llu，未生效 %llu；批次明细 %llu 笔\n"),
            (unsigned long long)a->records, (unsigned long long)a->applied,
            (unsigned long long)a->failed, (unsigned long long)a->entries);
    fprintf(out, T("validators     %u, quorum %u%s\n", "共识节点       %u 个，法定数 %u%s\n"),
            set->n, set->q,
            set->n == 1 ? T(": single signer", "：单一签名人")
            : set->fault_model == HUB_FAULT_CRASH_1_OF_3
                ? T(": crash-fault-only certificates (2 of 3)", "：仅防停机的证书（2/3）")
                : "");
    if (set->epoch > 0)
        fprintf(out,
                T("epochs         %llu changes of validators, each linked to the one before\n",
                  "届次           共识节点变更 %llu 次，逐届核验\n"),
                (unsigned long long)set->epoch);
    if (a->recoveries > 0)
        fprintf(
            out,
            T("recoveries     %llu: an epoch began without a quorum of the one before; accepted "
              "here\n",
              "恢复届次       %llu 次：未经上一届法定数而开始，本次核验已认可\n"),
            (unsigned long long)a->recoveries);
    if (a->has_currency)
        print_supply(out, &a->supply, zh);
    if (a->checkpoint_compared)
        fputs(T("checkpoint     equals the state the blocks give\n",
                "检查点         与区块计算出的状态一致\n"),
              out);
    if (a->not_final > 0)
        fprintf(out,
                T("not final      %llu blocks above the last certificate\n",
                  "未最终确认     最后一张证书之上 %llu 个区块\n"),
                (unsigned long long)a->not_final);
    if (a->skipped > 0)
        fprintf(out,
                T("not executed   %llu blocks, from the first damage on\n",
                  "未执行         自首处损坏起 %llu 个区块\n"),
                (unsigned long long)a->skipped);
    fprintf(out,
            T("checked        %llu signatures of records, %.1f MB, in %.1f s\n",
              "检查           记录签名 %llu 个，%.1f MB，用时 %.1f 秒\n"),
            (unsigned long long)a->signatures, (double)a->bytes_read / 1e6, seconds);
}

/* Validators that signed what they may not: their evidence was verified when its record was executed. */
static void print_evidence(FILE *out, const struct hub_audit *a, bool zh)
{
    const struct hub_state *s = &a->chain->state;

    for (uint32_t row = 0; row < s->count[HUB_TABLE_EVIDENCE]; row++) {
        struct hub_convicted c;

        hub_convicted_get(&c, s, row);
        for (uint32_t i = 0; i < c.count; i++)
            fprintf(
                out,
                T("evidence       E%d: validator %.*s %s: epoch %llu, view %llu; recorded at "
                  "height %llu\n",
                  "违规证据       E%d：共识节点 %.*s %s：届次 %llu，视图 %llu；记录于高度 %llu\n"),
                (int)c.offence[i].kind, (int)c.member.len, (const char *)c.member.data,
                hub_offence_text(c.offence[i].kind, zh), (unsigned long long)c.epoch,
                (unsigned long long)c.offence[i].view, (unsigned long long)c.offence[i].height);
    }
}

static void print_findings(FILE *out, const struct hub_audit *a, bool zh)
{
    if (a->found == 0)
        return;
    fprintf(out, T("findings       %zu\n", "发现问题       %zu 处\n"), a->found);
    for (size_t i = 0; i < a->findings; i++)
        print_finding(out, &a->finding[i], zh);
    if (a->found > a->findings)
        fprintf(out,
                T("  .. and %zu more (--max-findings)\n", "  .. 另有 %zu 处（--max-findings）\n"),
                a->found - a->findings);
    if (a->ranges == 0)
        return;
    fputs(T("damaged heights", "损坏的高度    "), out);
    for (size_t i = 0; i < a->ranges; i++) {
        fprintf(out, " %llu", (unsigned long long)a->range[i].from);
        if (a->range[i].to > a->range[i].from)
            fprintf(out, "-%llu", (unsigned long long)a->range[i].to);
    }
    fputc('\n', out);
}

void hub_audit_print(FILE *out, const struct hub_audit *a, const char *source, double seconds,
                     bool zh)
{
    size_t v = verdict_row(a->verdict);

    fprintf(out, T("network        %.*s, chain ", "网络           %.*s，链标识 "),
            (int)a->genesis->name.len, (const char *)a->genesis->name.data);
    print_hash(out, &a->genesis->chain);
    fprintf(out, T("\nsource         %s\n", "\n来源           %s\n"), source);
    if (a->verdict != HUB_AUDIT_OTHER_GENESIS) {
        print_tip(out, a, zh);
        print_counts(out, a, seconds, zh);
        print_evidence(out, a, zh);
        print_findings(out, a, zh);
    }
    fprintf(out, "%s\n", zh ? verdicts[v].zh : verdicts[v].en);
}

/* ---- JSON */

static void json_text(struct hub_buf *b, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    hub_json_string_member(b, name, value);
}

static void json_finding(struct hub_buf *b, const struct hub_finding *f)
{
    const struct hub_result_text *code = f->code == 0 ? NULL : hub_result_text(f->code);

    hub_json_object(b);
    json_text(b, "kind", kinds[f->kind].name);
    hub_json_u64_member(b, "height", f->height);
    if (f->offset != 0)
        hub_json_u64_member(b, "offset", f->offset);
    if (f->record != UINT32_MAX)
        hub_json_int_member(b, "record", f->record);
    if (f->entry != UINT32_MAX)
        hub_json_int_member(b, "entry", f->entry);
    if (!is_zero(&f->id))
        hub_json_hash_member(b, "record_id", &f->id);
    if (code != NULL) {
        hub_json_int_member(b, "code", f->code);
        json_text(b, "name", code->name);
    }
    json_text(b, "field", f->field);
    json_text(b, "expected", f->expected);
    json_text(b, "got", f->got);
    json_text(b, "note", f->note);
    json_text(b, "en", kinds[f->kind].en);
    json_text(b, "zh", kinds[f->kind].zh);
    hub_json_object_end(b);
}

static void json_tip(struct hub_buf *b, const struct hub_audit *a)
{
    const struct hub_header *h = &a->chain->final_header;

    hub_json_key(b, "verified_up_to");
    hub_json_object(b);
    hub_json_u64_member(b, "height", h->height);
    hub_json_time_members(b, "time", h->time_ms);
    hub_json_hash_member(b, "block", &a->chain->final_hash);
    hub_json_u64_member(b, "log_size", h->log_size);
    hub_json_hash_member(b, "log_root", &h->log_root);
    hub_json_hash_member(b, "state_root", &h->state_root);
    hub_json_object_end(b);
}

static void json_counts(struct hub_buf *b, const struct hub_audit *a)
{
    const struct {
        const char *name;
        uint64_t value;
    } count[] = {{"height_read", a->height_read},   {"blocks", a->blocks},
                 {"empty_blocks", a->empty_blocks}, {"records", a->records},
                 {"applied", a->applied},           {"failed", a->failed},
                 {"entries", a->entries},           {"signatures", a->signatures},
                 {"bytes", a->bytes_read},          {"not_final", a->not_final},
                 {"not_executed", a->skipped}};

    hub_json_key(b, "counts");
    hub_json_object(b);
    for (size_t i = 0; i < sizeof count / sizeof count[0]; i++)
        hub_json_u64_member(b, count[i].name, count[i].value);
    hub_json_object_end(b);
    hub_json_key(b, "validators");
    hub_json_object(b);
    hub_json_int_member(b, "n", a->chain->set.n);
    hub_json_int_member(b, "quorum", a->chain->set.q);
    hub_json_u64_member(b, "epoch", a->chain->set.epoch);
    hub_json_bool_member(b, "crash_fault_only",
                         a->chain->set.fault_model == HUB_FAULT_CRASH_1_OF_3);
    hub_json_bool_member(b, "single_signer", a->chain->set.n == 1);
    hub_json_object_end(b);
    hub_json_bool_member(b, "checkpoint_compared", a->checkpoint_compared);
}

static void json_supply(struct hub_buf *b, const struct hub_supply *s)
{
    hub_json_key(b, "currency");
    hub_json_object(b);
    hub_json_amount_members(b, "issued", s->issued);
    hub_json_amount_members(b, "retired", s->retired);
    hub_json_amount_members(b, "in_circulation", in_circulation(s));
    hub_json_amount_members(b, "pending", s->pending);
    hub_json_key(b, "kinds");
    hub_json_object(b);
    for (unsigned k = 0; k < HUB_WALLET_KINDS; k++) {
        hub_json_key(b, hub_wallet_kind_names[k]);
        hub_json_object(b);
        hub_json_u64_member(b, "wallets", s->wallets[k]);
        hub_json_amount_members(b, "balance", s->balance[k]);
        hub_json_object_end(b);
    }
    hub_json_object_end(b);
    hub_json_object_end(b);
}

static void json_damage(struct hub_buf *b, const struct hub_audit *a)
{
    hub_json_u64_member(b, "found", a->found);
    hub_json_key(b, "findings");
    hub_json_array(b);
    for (size_t i = 0; i < a->findings; i++)
        json_finding(b, &a->finding[i]);
    hub_json_array_end(b);
    hub_json_key(b, "damaged");
    hub_json_array(b);
    for (size_t i = 0; i < a->ranges; i++) {
        hub_json_object(b);
        hub_json_u64_member(b, "from", a->range[i].from);
        hub_json_u64_member(b, "to", a->range[i].to);
        hub_json_object_end(b);
    }
    hub_json_array_end(b);
}

static void json_evidence(struct hub_buf *b, const struct hub_audit *a)
{
    const struct hub_state *s = &a->chain->state;

    hub_json_key(b, "evidence");
    hub_json_array(b);
    for (uint32_t row = 0; row < s->count[HUB_TABLE_EVIDENCE]; row++) {
        struct hub_convicted c;

        hub_convicted_get(&c, s, row);
        for (uint32_t i = 0; i < c.count; i++) {
            char kind[4] = {'E', (char)('0' + c.offence[i].kind), '\0'};

            hub_json_object(b);
            json_text(b, "kind", kind);
            hub_json_text_member(b, "member", c.member);
            hub_json_hash_member(b, "kid", &c.kid);
            hub_json_u64_member(b, "epoch", c.epoch);
            hub_json_u64_member(b, "view", c.offence[i].view);
            hub_json_u64_member(b, "height", c.offence[i].height);
            hub_json_object_end(b);
        }
    }
    hub_json_array_end(b);
}

bool hub_audit_json(FILE *out, const struct hub_audit *a, const char *source, double seconds)
{
    size_t convicted = a->chain->state.count[HUB_TABLE_EVIDENCE] * (size_t)HUB_OFFENCES_MAX;
    size_t cap = 8192 + 4 * strlen(source) + a->findings * 4096 + a->ranges * 64 + convicted * 512;
    struct hub_buf b = {malloc(cap), 0, cap, false};
    size_t v = verdict_row(a->verdict);
    bool good;

    if (b.data == NULL)
        return false;
    hub_json_object(&b);
    json_text(&b, "verdict", verdicts[v].name);
    json_text(&b, "en", verdicts[v].en);
    json_text(&b, "zh", verdicts[v].zh);
    hub_json_text_member(&b, "network", a->genesis->name);
    hub_json_hash_member(&b, "chain", &a->genesis->chain);
    json_text(&b, "source", source);
    if (a->verdict != HUB_AUDIT_OTHER_GENESIS) {
        json_tip(&b, a);
        json_counts(&b, a);
        if (a->has_currency)
            json_supply(&b, &a->supply);
        json_damage(&b, a);
        json_evidence(&b, a);
    }
    hub_json_u64_member(&b, "milliseconds", (uint64_t)(seconds * 1000));
    hub_json_object_end(&b);
    good = !b.full && fwrite(b.data, 1, b.len, out) == b.len && fputc('\n', out) != EOF;
    free(b.data);
    return good;
}
