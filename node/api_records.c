/* api_records.c: what the log holds: outcomes, listings, blocks, receipts. */
#include "node/api_query.h"

#include "hub/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_result(struct hub_found *f, const struct hub_reader *r,
                        const struct hub_history *h, const struct hub_place *p)
{
    struct hub_span results;
    if (hub_find_results(r, h, p->height, &results) != HUB_OK ||
        hub_result_at(&f->result, results, p->position) != HUB_OK)
        return false;
    struct hub_cbor c = hub_cbor_open(f->result);
    struct hub_hash id;
    hub_cbor_array(&c, 3, 3);
    hub_cbor_hash(&c, &id);
    f->code = (uint16_t)hub_cbor_uint(&c, 0, UINT16_MAX);
    f->value = hub_cbor_item(&c);
    return !c.bad;
}

static bool read_found(struct hub_api *a, struct hub_found *f, const struct hub_place *p)
{
    const struct hub_reader r = hub_store_reader(a->node->store);
    struct hub_span record, attachment;
    uint16_t why;
    return hub_read_block(&r, p->height, &f->block) == HUB_OK &&
           hub_block_peek(&f->header, &f->block_hash, &f->header_bytes, f->block) &&
           hub_block_entry(&record, &attachment, f->block, p->position) == HUB_OK &&
           hub_record_decode(&f->record, &why, record, attachment, &a->node->genesis.chain) ==
               HUB_OK &&
           read_result(f, &r, a->node->history, p);
}

static void put_result(struct hub_buf *out, const struct hub_found *f)
{
    const struct hub_result_text *t = hub_result_text(f->code);
    hub_json_key(out, "result");
    hub_json_object(out);
    hub_json_int_member(out, "code", f->code);
    hub_json_string_member(out, "name", t ? t->name : "?");
    hub_json_string_member(out, "zh", t ? t->zh : "");
    hub_json_string_member(out, "en", t ? t->en : "");
    const size_t before = out->len;
    hub_json_key(out, "value");
    if (!hub_json_result_value(out, &f->record, f->code, f->value))
        out->len = before;
    hub_json_object_end(out);
}

void hub_put_outcome_members(struct hub_buf *out, const struct hub_found *f,
                             const struct hub_place *place, bool replayed)
{
    hub_json_hash_member(out, "record_id", &f->record.id);
    hub_json_string_member(out, "type", hub_record_types[f->record.type].name);
    hub_json_string_member(out, "state", "final");
    put_result(out, f);
    hub_json_u64_member(out, "height", place->height);
    hub_json_int_member(out, "index", place->position);
    hub_json_u64_member(out, "log_index", place->log_index);
    hub_json_time_members(out, "time", f->header.time_ms);
    hub_json_text_member(out, "iss", f->record.iss);
    hub_json_hash_member(out, "kid", &f->record.kid);
    hub_json_u64_member(out, "seq", f->record.seq);
    hub_json_bool_member(out, "replayed", replayed);
}

bool hub_found_next(struct hub_api *a, struct hub_found *f, struct hub_cbor *entries,
                    struct hub_cbor *results)
{
    struct hub_hash id;
    uint16_t why;
    hub_cbor_array(entries, 2, 2);
    const struct hub_span record = hub_cbor_bytes(entries, 1, HUB_RECORD_BYTES_MAX);
    const struct hub_span beside = hub_cbor_bytes(entries, 0, HUB_ATTACHMENT_BYTES_MAX);
    hub_cbor_array(results, 3, 3);
    hub_cbor_hash(results, &id);
    f->code = (uint16_t)hub_cbor_uint(results, 0, UINT16_MAX);
    f->value = hub_cbor_item(results);
    if (entries->bad || results->bad ||
        hub_record_peek(&f->record, &why, record, &a->node->genesis.chain) != HUB_OK)
        return false;
    f->record.attachment = beside;
    return true;
}

static void put_outcome(struct hub_buf *out, const struct hub_found *f,
                        const struct hub_place *place, bool with_body, bool replayed)
{
    hub_json_object(out);
    hub_put_outcome_members(out, f, place, replayed);
    if (f->record.type == HUB_TYPE_CURRENCY_BATCH &&
        (f->code == 0 || f->code == HUB_CODE_batch_aborted)) {
        hub_json_key(out, "entries");
        hub_json_failed_entries(out, &f->record, f->value);
    }
    if (with_body) {
        hub_json_key(out, "body");
        hub_json_body(out, f->record.body, hub_record_types[f->record.type].fields);
    }
    hub_json_object_end(out);
}

bool hub_put_outcome(struct hub_api *a, struct hub_buf *out, const struct hub_place *place,
                     bool with_body, bool replayed)
{
    struct hub_found f;
    if (!read_found(a, &f, place))
        return false;
    put_outcome(out, &f, place, with_body, replayed);
    return true;
}

void hub_api_get_record(struct hub_api *a, struct hub_query *q)
{
    struct hub_hash id;
    struct hub_place place;
    const struct hub_reader r = hub_store_reader(a->node->store);
    const char *include = hub_query_parameter(q, "include");
    if (!hub_query_hash(q, 0, &id)) {
        hub_answer_problem(a, q, "bad_request", "a record id is 64 lower-case hex digits");
        return;
    }
    const enum hub_status st = hub_find_record(&r, a->node->history, &id, &place);
    if (st == HUB_OK &&
        hub_put_outcome(a, &q->out, &place, include && strstr(include, "body"), false)) {
        q->final = true;
        hub_answer_json(a, q, 200);
    } else if (st != HUB_NOT_FOUND) {
        hub_answer_problem(a, q, "damaged", q->arg[0]);
    } else if (hub_mempool_find(a->node->pool, &id)) {
        hub_json_object(&q->out);
        hub_json_string_member(&q->out, "record_id", q->arg[0]);
        hub_json_string_member(&q->out, "state", "pending");
        hub_json_object_end(&q->out);
        hub_answer_json(a, q, 200);
    } else {
        hub_answer_problem(a, q, "record_unknown", q->arg[0]);
    }
}

/* ---- listings */

struct filter {
    const char *type, *member, *sub, *key;
    uint64_t code;
    bool has_code;
};

static bool text_is(struct hub_span s, const char *text)
{
    return !text || (s.len == strlen(text) && memcmp(s.data, text, s.len) == 0);
}

static bool passes(const struct filter *f, const struct hub_found *r)
{
    char kid[65];
    for (unsigned i = 0; f->key && i < 32; i++)
        snprintf(kid + 2 * i, 3, "%02x", r->record.kid.b[i]);
    return (!f->type || !strcmp(hub_record_types[r->record.type].name, f->type)) &&
           text_is(r->record.iss, f->member) && text_is(r->record.sub, f->sub) &&
           (!f->has_code || f->code == r->code) && (!f->key || !strcmp(kid, f->key));
}

/* Cursor "height.position" of the first record not shown yet. */
static bool read_cursor(const char *text, struct hub_place *p)
{
    unsigned long long height;
    unsigned position;
    int used = 0;
    if (sscanf(text, "%20llu.%5u%n", &height, &position, &used) != 2 || text[used])
        return false;
    p->height = height;
    p->position = position;
    return true;
}

struct listing { /* one page */
    struct hub_api *a;
    struct hub_buf *out;
    const struct filter *filter;
    uint64_t limit, shown;
    int work; /* left of it */
};

static bool is_full(const struct listing *l)
{
    return l->shown == l->limit || l->work <= 0 || l->out->len > l->out->cap / 2;
}

/* Records of a block from at->position on. The block is read once. False: damaged. */
static bool list_block(struct listing *l, struct hub_place *at)
{
    const struct hub_reader r = hub_store_reader(l->a->node->store);
    struct hub_found f;
    struct hub_span results_bytes;
    if (hub_read_block(&r, at->height, &f.block) != HUB_OK ||
        !hub_block_peek(&f.header, &f.block_hash, &f.header_bytes, f.block) ||
        hub_find_results(&r, l->a->node->history, at->height, &results_bytes) != HUB_OK)
        return false;
    l->work -= (int)(f.block.len / 1024);
    struct hub_cbor entries = hub_cbor_open(f.block), results = hub_cbor_open(results_bytes);
    hub_cbor_array(&entries, 2, 2);
    hub_cbor_bytes(&entries, 0, HUB_HEADER_BYTES_MAX);
    hub_cbor_array(&entries, 0, HUB_BLOCK_RECORDS_MAX);
    for (uint32_t i = 0; i < at->position; i++) {
        hub_cbor_item(&entries);
        hub_cbor_item(&results);
    }
    for (; at->position < f.header.record_count && !is_full(l); at->position++) {
        l->work--;
        at->log_index = f.header.log_size - f.header.record_count + at->position;
        if (!hub_found_next(l->a, &f, &entries, &results))
            return false;
        if (passes(l->filter, &f)) {
            l->shown++;
            put_outcome(l->out, &f, at, false, false);
        }
    }
    return true;
}

/* *at is then where the next page begins; height 0: there is no more. */
static bool list(struct listing *l, struct hub_place *at, uint64_t to)
{
    const struct hub_reader r = hub_store_reader(l->a->node->store);
    const uint64_t tip = l->a->node->replica->chain.final_header.height;
    for (; at->height <= to && at->height <= tip; at->height++, at->position = 0) {
        struct hub_header h;
        struct hub_hash hash;
        if (is_full(l))
            return true;
        l->work--;
        if (hub_read_header(&r, at->height, &h, &hash) != HUB_OK)
            return false;
        if (at->position < h.record_count) {
            if (!list_block(l, at))
                return false;
            if (at->position < h.record_count)
                return true;
        }
    }
    at->height = 0;
    return true;
}

void hub_api_get_records(struct hub_api *a, struct hub_query *q)
{
    struct hub_place at = {0};
    uint64_t to, limit;
    char next[48];
    const char *cursor = hub_query_parameter(q, "cursor");
    struct filter f = {.type = hub_query_parameter(q, "type"),
                       .member = hub_query_parameter(q, "member"),
                       .sub = hub_query_parameter(q, "sub"),
                       .key = hub_query_parameter(q, "key"),
                       .has_code = hub_query_parameter(q, "code") != NULL};
    if (!hub_query_number(q, "from_height", &at.height, 1, HUB_UINT_MAX) ||
        !hub_query_number(q, "to_height", &to, HUB_UINT_MAX, HUB_UINT_MAX) ||
        !hub_query_number(q, "limit", &limit, 50, 500) || !limit ||
        !hub_query_number(q, "code", &f.code, 0, UINT16_MAX) ||
        (cursor && !read_cursor(cursor, &at))) {
        hub_answer_problem(
            a, q, "bad_parameter",
            "from_height, to_height, code: numbers; limit: 1 to 500; cursor: as an answer gave it");
        return;
    }
    if (at.height <=
        a->node->floor.height) /* what lies below, a node that joined by a snapshot has not */
        at.height = a->node->floor.height + 1, at.position = 0;
    hub_json_object(&q->out);
    hub_json_key(&q->out, "items");
    hub_json_array(&q->out);
    struct listing l = {a, &q->out, &f, limit, 0, HUB_API_SCAN_MAX};
    if (!list(&l, &at, to)) {
        hub_answer_problem(a, q, "damaged", "");
        return;
    }
    hub_json_array_end(&q->out);
    if (at.height) {
        snprintf(next, sizeof next, "%llu.%u", (unsigned long long)at.height, at.position);
        hub_json_string_member(&q->out, "next", next);
    }
    hub_json_u64_member(&q->out, "height", a->node->replica->chain.final_header.height);
    hub_json_object_end(&q->out);
    hub_answer_json(a, q, 200);
}

/* ---- blocks */

static void put_header(struct hub_buf *out, const struct hub_header *h, const struct hub_hash *hash)
{
    const struct {
        const char *name;
        const struct hub_hash *hash;
    } hashes[] = {{"block_hash", hash},
                  {"parent", &h->parent},
                  {"log_root", &h->log_root},
                  {"records_root", &h->records_root},
                  {"results_root", &h->results_root},
                  {"state_root", &h->state_root},
                  {"validators", &h->validators},
                  {"next_validators", &h->next_validators}};
    hub_json_u64_member(out, "height", h->height);
    hub_json_u64_member(out, "epoch", h->epoch);
    hub_json_u64_member(out, "view", h->view);
    hub_json_time_members(out, "time", h->time_ms);
    hub_json_int_member(out, "proposer", h->proposer);
    hub_json_u64_member(out, "log_size", h->log_size);
    hub_json_int_member(out, "record_count", h->record_count);
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
        hub_json_hash_member(out, hashes[i].name, hashes[i].hash);
}

void hub_api_get_block(struct hub_api *a, struct hub_query *q)
{
    const struct hub_reader r = hub_store_reader(a->node->store);
    struct hub_span block, results = {0}, header_bytes;
    struct hub_header h;
    struct hub_hash hash;
    uint64_t height = 0;
    for (const char *p = q->arg[0]; *p; p++) {
        if (*p < '0' || *p > '9' || height > HUB_UINT_MAX / 10) {
            hub_answer_problem(a, q, "bad_request", "a height is a decimal number");
            return;
        }
        height = height * 10 + (uint64_t)(*p - '0');
    }
    if (hub_read_block(&r, height, &block) != HUB_OK ||
        !hub_block_peek(&h, &hash, &header_bytes, block)) {
        hub_answer_problem(a, q, "not_found", "no final block of this height here");
        return;
    }
    if (hub_query_parameter(q, "format") && !strcmp(hub_query_parameter(q, "format"), "cbor")) {
        hub_put_raw(&q->out, block);
        q->content_type = "application/cbor";
        q->final = true;
        hub_answer_json(a, q, 200);
        return;
    }
    hub_json_object(&q->out);
    put_header(&q->out, &h, &hash);
    hub_json_key(&q->out, "records");
    hub_json_array(&q->out);
    if (hub_find_results(&r, a->node->history, height, &results) == HUB_OK) {
        struct hub_cbor c = hub_cbor_open(results);
        while (!c.bad && c.at < c.end) {
            struct hub_hash id;
            hub_cbor_array(&c, 3, 3);
            hub_cbor_hash(&c, &id);
            const uint64_t code = hub_cbor_uint(&c, 0, UINT16_MAX);
            hub_cbor_item(&c);
            hub_json_object(&q->out);
            hub_json_hash_member(&q->out, "record_id", &id);
            hub_json_int_member(&q->out, "code", (int64_t)code);
            hub_json_object_end(&q->out);
        }
    }
    hub_json_array_end(&q->out);
    hub_json_object_end(&q->out);
    q->final = true;
    hub_answer_json(a, q, 200);
}
