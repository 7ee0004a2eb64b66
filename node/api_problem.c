/* api_problem.c: errors as problem+json (RFC 9457), in English and Chinese, each with its remedy. */
#include "node/api_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Problems of the door, not of the ledger: they have no result code. */
static const struct problem {
    const char *name;
    unsigned status;
    const char *retry, *en, *zh, *remedy_en, *remedy_zh;
} problems[] = {
    {"no_such_path", 404, "never", "There is no such path.", "没有此路径。",
     "See docs/operations.md for the paths.", "可用路径见 docs/operations.md。"},
    {"method_not_allowed", 405, "never", "This path takes another method.", "此路径不支持该方法。",
     "GET reads; POST /v1/records submits.", "读取用 GET，提交用 POST /v1/records。"},
    {"unsupported_media_type", 415, "never",
     "The body must be application/cose or application/cbor-seq.",
     "请求体须为 application/cose 或 application/cbor-seq。",
     "Send one record as application/cose, or entries as application/cbor-seq.",
     "单条记录用 application/cose，多条用 application/cbor-seq。"},
    {"body_too_large", 413, "never", "The request is too large.", "请求体过大。",
     "Send at most 256 records and 1 MiB in one request.", "每次请求至多 256 条记录、1 MiB。"},
    {"bad_request", 400, "never", "The request is not of the expected form.", "请求格式不正确。",
     "Correct what the detail names.", "请按 detail 所示改正。"},
    {"bad_parameter", 400, "never", "A parameter has a value it cannot have.", "参数取值不正确。",
     "Correct the parameter that the detail names.", "请改正 detail 所示的参数。"},
    {"record_unknown", 404, "same", "This node has never seen that record.",
     "本节点从未见过该记录。",
     "Once block time is past its valid_until it can never be included; until then send the same "
     "bytes again.",
     "区块时间超过其有效期后将不可能再入账；此前可重发相同的字节。"},
    {"not_final", 409, "same", "That record is not final yet.", "该记录尚未最终确认。",
     "Ask again in a moment.", "请稍后再查。"},
    {"not_found", 404, "never", "There is no such thing on this ledger.", "账本上没有该对象。",
     "Check the number or id.", "请核对编号或标识。"},
    {"queue_full", 429, "same",
     "The queue is full, or this number is too far ahead of the key's waiting records.",
     "队列已满，或该序号超前于待处理记录过多。",
     "Wait for earlier records to become final, then send the same bytes again.",
     "请等待先前记录最终确认后，重发相同的字节。"},
    {"busy", 503, "same", "Too many requests are waiting.", "等待处理的请求过多。",
     "Send the same request again in a second.", "请一秒后重发。"},
    {"disk_low", 503, "same", "This node takes no records: its disk is nearly full.",
     "本节点磁盘空间不足，暂不接收记录。", "Use another node; tell its engineer.",
     "请改用其他节点，并通知节点工程师。"},
    {"joining", 503, "same", "This node has no ledger yet: it fetches a snapshot from its peers.",
     "本节点尚无账本：正在从对端获取状态快照。",
     "Use another node, or wait; `hubledger status` says how far it is.",
     "请改用其他节点或稍候；进度见 hubledger status。"},
    {"before_history", 503, "same",
     "This node joined by a snapshot, and the answer may lie before the history that it has.",
     "本节点由状态快照加入，所查结果可能早于其保有的历史。",
     "Ask a node whose history_from in /v1/status is 1.",
     "请改用 /v1/status 中 history_from 为 1 的节点。"},
    {"stopping", 503, "same", "This node is stopping.", "本节点正在停止。", "Use another node.",
     "请改用其他节点。"},
    {"too_large_to_show", 507, "never", "The answer is larger than 1 MiB.", "应答超过 1 MiB。",
     "Ask for less: a smaller limit.", "请减小 limit。"},
    {"damaged", 500, "same", "What this node has stored does not match its hash.",
     "本节点存储的数据与其哈希不符。", "Use another node; its engineer runs hubledger-verify.",
     "请改用其他节点；工程师应运行 hubledger-verify。"},
};

static const struct problem *find(const char *name)
{
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
        if (!strcmp(problems[i].name, name))
            return &problems[i];
    HUB_ASSERT(false); /* names are ours */
    return NULL;
}

static void put_texts(struct hub_buf *out, const char *en, const char *zh, const char *remedy_en,
                      const char *remedy_zh, const char *detail)
{
    hub_json_string_member(out, "zh", zh);
    hub_json_string_member(out, "en", en);
    if (detail && *detail)
        hub_json_string_member(out, "detail", detail);
    hub_json_key(out, "remedy");
    hub_json_object(out);
    hub_json_string_member(out, "zh", remedy_zh);
    hub_json_string_member(out, "en", remedy_en);
    hub_json_object_end(out);
}

unsigned hub_put_problem_members(struct hub_buf *out, const char *name, const char *detail)
{
    const struct problem *p = find(name);
    char type[64] = "/v1/codes#";
    strcat(type, p->name);
    hub_json_string_member(out, "type", type);
    hub_json_string_member(out, "title", p->en);
    hub_json_int_member(out, "status", p->status);
    hub_json_string_member(out, "name", p->name);
    put_texts(out, p->en, p->zh, p->remedy_en, p->remedy_zh, detail);
    if (strcmp(name, "before_history") != 0) /* it cannot tell */
        hub_json_bool_member(out, "recorded", false);
    hub_json_string_member(out, "retry", p->retry);
    return p->status;
}

/* 400: form and static codes; 409: the number is spent; 422: refused by the state. */
static unsigned status_of(uint16_t code)
{
    switch (code) {
    case HUB_CODE_seq_replayed:
        return 409;
    case HUB_CODE_iss_mismatch:
    case HUB_CODE_key_unknown:
    case HUB_CODE_key_pending:
    case HUB_CODE_key_not_yet_valid:
    case HUB_CODE_key_revoked:
    case HUB_CODE_seq_too_old:
    case HUB_CODE_seq_too_far:
    case HUB_CODE_expired:
    case HUB_CODE_valid_until_too_far:
        return 422;
    case HUB_CODE_too_large:
        return 413;
    default: {
        const struct hub_result_text *t = hub_result_text(code);
        return t && t->class == HUB_CLASS_refused ? 400 : 422;
    }
    }
}

unsigned hub_put_code_members(struct hub_buf *out, uint16_t code, const char *detail)
{
    const struct hub_result_text *t = hub_result_text(code);
    const unsigned status = status_of(code);
    char type[64] = "/v1/codes#";
    HUB_ASSERT(t);
    strncat(type, t->name, sizeof type - sizeof "/v1/codes#");
    hub_json_string_member(out, "type", type);
    hub_json_string_member(out, "title", t->en);
    hub_json_int_member(out, "status", status);
    hub_json_int_member(out, "code", code);
    hub_json_string_member(out, "name", t->name);
    put_texts(out, t->en, t->zh, t->remedy_en, t->remedy_zh, detail);
    hub_json_bool_member(out, "recorded", false);
    hub_json_string_member(
        out, "retry",
        code == HUB_CODE_key_pending || code == HUB_CODE_key_not_yet_valid ? "same" : "new");
    return status;
}

static void finish_problem(struct hub_api *a, struct hub_query *q)
{
    hub_json_object_end(&q->out);
    q->content_type = "application/problem+json; charset=utf-8";
    q->retry_after_s = q->status == 429 || q->status == 503 ? 1 : 0;
    q->final = false;
    a->refused++;
    hub_query_done(a, q);
}

void hub_answer_code(struct hub_api *a, struct hub_query *q, uint16_t code, const char *detail)
{
    q->out.len = 0, q->out.full = false;
    hub_json_object(&q->out);
    q->status = hub_put_code_members(&q->out, code, detail);
    finish_problem(a, q);
}

/* What is not found here may lie before this node's history: it joined by a snapshot. */
static void put_history_from(struct hub_buf *out, uint64_t height)
{
    char en[160], zh[160];
    snprintf(en, sizeof en,
             "This node joined by a snapshot and has records from height %llu on: ask another node "
             "for older ones.",
             (unsigned long long)height);
    snprintf(zh, sizeof zh, "本节点由快照加入，仅持有高度 %llu 起的记录：更早的请查询其他节点。",
             (unsigned long long)height);
    hub_json_u64_member(out, "history_from", height);
    hub_json_key(out, "history");
    hub_json_object(out);
    hub_json_string_member(out, "en", en);
    hub_json_string_member(out, "zh", zh);
    hub_json_object_end(out);
}

void hub_answer_problem(struct hub_api *a, struct hub_query *q, const char *name,
                        const char *detail)
{
    q->out.len = 0, q->out.full = false;
    hub_json_object(&q->out);
    q->status = hub_put_problem_members(&q->out, name, detail);
    if (q->status == 404 && a->node->floor.height)
        put_history_from(&q->out, a->node->floor.height + 1);
    finish_problem(a, q);
}

void hub_answer_json(struct hub_api *a, struct hub_query *q, unsigned status)
{
    if (q->out.full) {
        hub_answer_problem(a, q, "too_large_to_show", "");
        return;
    }
    q->status = status;
    hub_query_done(a, q);
}

const char *hub_query_parameter(const struct hub_query *q, const char *name)
{
    for (unsigned i = 0; i < q->parameters; i++)
        if (!strcmp(q->parameter[i].name, name))
            return q->parameter[i].value;
    return NULL;
}

bool hub_query_number(struct hub_query *q, const char *name, uint64_t *out, uint64_t absent,
                      uint64_t max)
{
    const char *text = hub_query_parameter(q, name);
    uint64_t v = 0;
    if (!text) {
        *out = absent;
        return true;
    }
    for (const char *p = text; *p; p++) {
        const uint64_t digit = (uint64_t)(*p - '0');
        if (*p < '0' || *p > '9' || digit > max || v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return *text && v <= max;
}

bool hub_query_hash(struct hub_query *q, unsigned arg, struct hub_hash *out)
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(q->arg[arg]) != 64)
        return false;
    for (unsigned i = 0; i < 64; i++) {
        const char *at = strchr(digits, q->arg[arg][i]);
        if (!at)
            return false;
        out->b[i / 2] = (uint8_t)(i % 2 ? out->b[i / 2] | (at - digits) : (at - digits) << 4);
    }
    return true;
}

void hub_api_get_codes(struct hub_api *a, struct hub_query *q)
{
    size_t count;
    const struct hub_result_text *t = hub_result_texts(&count);
    static const char *const classes[] = {"ok", "refused", "member", "agreement", "currency"};
    hub_json_object(&q->out);
    hub_json_key(&q->out, "items");
    hub_json_array(&q->out);
    for (size_t i = 0; i < count; i++) {
        hub_json_object(&q->out);
        hub_json_int_member(&q->out, "code", t[i].code);
        hub_json_string_member(&q->out, "name", t[i].name);
        hub_json_string_member(&q->out, "class", classes[t[i].class]);
        hub_json_string_member(&q->out, "en", t[i].en);
        hub_json_string_member(&q->out, "zh", t[i].zh);
        hub_json_key(&q->out, "remedy");
        hub_json_object(&q->out);
        hub_json_string_member(&q->out, "en", t[i].remedy_en);
        hub_json_string_member(&q->out, "zh", t[i].remedy_zh);
        hub_json_object_end(&q->out);
        hub_json_object_end(&q->out);
    }
    hub_json_array_end(&q->out);
    hub_json_object_end(&q->out);
    hub_answer_json(a, q, 200);
}
