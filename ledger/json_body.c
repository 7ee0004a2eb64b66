/* json_body.c: bodies, items and result values as JSON. */
#include "hub/json.h"

#include "ledger/body_walk.h"

static void render_uint(struct hub_buf *out, uint64_t v, uint64_t max)
{
    if (max <= UINT32_MAX)
        hub_json_int(out, (int64_t)v);
    else
        hub_json_u64(out, v);
}

/* One scalar field of a checked body. AMOUNT and TIME become two members, but not inside an array. */
static void render_value(struct hub_buf *out, struct hub_cbor *c, const struct hub_field *f)
{
    uint64_t number;

    if (f->name != NULL && f->kind == HUB_FIELD_AMOUNT) {
        hub_json_amount_members(out, f->name, hub_cbor_uint(c, 0, UINT64_MAX));
        return;
    }
    if (f->name != NULL && f->kind == HUB_FIELD_TIME) {
        hub_json_time_members(out, f->name, hub_cbor_uint(c, 0, UINT64_MAX));
        return;
    }
    if (f->name != NULL)
        hub_json_key(out, f->name);
    switch (f->kind) {
    case HUB_FIELD_UINT:
    case HUB_FIELD_AMOUNT:
    case HUB_FIELD_TIME:
        number = hub_cbor_uint(c, 0, UINT64_MAX);
        render_uint(out, number, f->kind == HUB_FIELD_UINT ? f->max : UINT64_MAX);
        return;
    case HUB_FIELD_WALLET:
        hub_json_wallet(out, hub_cbor_uint(c, 0, UINT64_MAX));
        return;
    default:
        hub_json_item(out, hub_cbor_item(c));
    }
}

static void render_open(struct hub_buf *out, const struct hub_field *f)
{
    if (f->name != NULL)
        hub_json_key(out, f->name);
    if (f->kind == HUB_FIELD_ARRAY)
        hub_json_array(out);
    else
        hub_json_object(out);
}

void hub_json_body(struct hub_buf *out, struct hub_span body, const struct hub_field *fields)
{
    struct hub_body_walk w;
    enum hub_walk_step step;

    hub_json_object(out);
    hub_body_walk_init(&w, body, fields);
    do {
        step = hub_body_walk_next(&w);
        if (step == HUB_WALK_OPEN)
            render_open(out, w.field);
        else if (step == HUB_WALK_VALUE)
            render_value(out, &w.at, w.field);
        else if (step == HUB_WALK_CLOSE && w.field->kind == HUB_FIELD_ARRAY)
            hub_json_array_end(out);
        else if (step == HUB_WALK_CLOSE)
            hub_json_object_end(out);
    } while (step != HUB_WALK_END && step != HUB_WALK_BROKEN);
    HUB_ASSERT(step == HUB_WALK_END); /* the caller had the body checked */
    hub_json_object_end(out);
}

struct level {
    uint32_t left; /* children to come; a map's keys and values count separately */
    bool map, at_key;
};

/* Integers as keys are labels: a string of the decimal number. */
static void render_label(struct hub_buf *out, int64_t label)
{
    hub_json_string(out, label < 0 ? "-" : "");
    if (out->full)
        return;
    out->len--; /* reopens the string behind the sign */
    hub_text_put_u64(out, label < 0 ? 0 - (uint64_t)label : (uint64_t)label);
    hub_text_put(out, "\"");
}

static void render_integer(struct hub_buf *out, struct hub_cbor *c, bool key)
{
    uint64_t v;

    if (key) {
        render_label(out, hub_cbor_int(c));
    } else if (hub_cbor_peek(c) == HUB_CBOR_NEGATIVE) {
        hub_json_int(out, hub_cbor_int(c));
    } else {
        v = hub_cbor_uint(c, 0, UINT64_MAX);
        render_uint(out, v, v);
    }
}

/* A scalar; false if the next item is an array or map. */
static bool render_scalar(struct hub_buf *out, struct hub_cbor *c, bool key)
{
    switch (hub_cbor_peek(c)) {
    case HUB_CBOR_UINT:
    case HUB_CBOR_NEGATIVE:
        render_integer(out, c, key);
        return true;
    case HUB_CBOR_BYTES:
        hub_json_hex(out, hub_cbor_bytes(c, 0, SIZE_MAX));
        return true;
    case HUB_CBOR_TEXT:
        hub_json_string_span(out, hub_cbor_text(c, 0, SIZE_MAX));
        return true;
    case HUB_CBOR_SIMPLE:
        if (*c->at == 0xf6) { /* null */
            hub_cbor_null(c);
            hub_json_raw(out, (struct hub_span){(const uint8_t *)"null", 4});
        } else {
            hub_json_bool(out, hub_cbor_bool(c));
        }
        return true;
    default:
        return false;
    }
}

/* Opens an array or map as one more level; a tag is passed over, its content stands for it. */
static bool open_level(struct hub_buf *out, struct hub_cbor *c, struct level *in)
{
    bool map = hub_cbor_peek(c) == HUB_CBOR_MAP;

    *in = (struct level){.map = map, .at_key = map};
    if (map) {
        in->left = 2 * hub_cbor_map(c, 0, UINT32_MAX / 2);
        hub_json_object(out);
    } else {
        in->left = hub_cbor_array(c, 0, UINT32_MAX);
        hub_json_array(out);
    }
    return !c->bad;
}

/* After a child: the colon behind a key, or the turn to the next key. */
static void child_done(struct hub_buf *out, struct level *in)
{
    if (in->map && in->at_key)
        hub_text_put(out, ":");
    in->at_key = in->map && !in->at_key;
    in->left--;
}

void hub_json_item(struct hub_buf *out, struct hub_span item)
{
    struct hub_cbor c = hub_cbor_open(item);
    struct level stack[HUB_CBOR_DEPTH_MAX];
    unsigned depth = 0;

    HUB_ASSERT(hub_cbor_ok(item)); /* the caller had it checked, so the stack is deep enough */
    do {
        if (hub_cbor_peek(&c) == HUB_CBOR_TAG) {
            c.at++; /* tags 18 and 98 take one and two bytes */
            c.at += c.at[-1] == 0xd8;
        } else if (!render_scalar(out, &c, depth > 0 && stack[depth - 1].at_key)) {
            if (!open_level(out, &c, &stack[depth++]))
                return;
        } else if (depth > 0) {
            child_done(out, &stack[depth - 1]);
        }
        while (depth > 0 && stack[depth - 1].left == 0) {
            if (stack[--depth].map)
                hub_json_object_end(out);
            else
                hub_json_array_end(out);
            if (depth > 0)
                child_done(out, &stack[depth - 1]);
        }
    } while (hub_cbor_peek(&c) != HUB_CBOR_END && !c.bad);
}

/* The failed entries of a batch: an array of [entry, code]; false if value is none. */
static bool failed_entries(struct hub_cbor *c, uint32_t *count, struct hub_span value)
{
    *c = hub_cbor_open(value);
    if (hub_cbor_peek(c) != HUB_CBOR_ARRAY)
        return false;
    *count = hub_cbor_array(c, 0, HUB_BATCH_ENTRIES_MAX);
    return !c->bad;
}

bool hub_json_result_value(struct hub_buf *out, const struct hub_record *record, uint16_t code,
                           struct hub_span value)
{
    struct hub_cbor c = hub_cbor_open(value);
    uint32_t failed = 0;
    uint64_t count;

    if (hub_cbor_peek(&c) == HUB_CBOR_UINT) {
        hub_json_object(out);
        hub_json_key(out, "wallet");
        hub_json_wallet(out, hub_cbor_uint(&c, 0, UINT64_MAX));
        hub_json_object_end(out);
        return true;
    }
    if (!failed_entries(&c, &failed, value))
        return false;
    count = hub_field_uint(record->body, "count", failed);
    hub_json_object(out);
    hub_json_key(out, "applied");
    hub_json_int(out, code == 0 ? (int64_t)(count - failed) : 0);
    hub_json_key(out, "failed");
    hub_json_int(out, failed);
    hub_json_object_end(out);
    return true;
}

static void render_failed(struct hub_buf *out, const struct hub_record *record, uint64_t n,
                          uint16_t code)
{
    const struct hub_result_text *text = hub_result_text(code);
    size_t at = (size_t)n * HUB_BATCH_ENTRY_BYTES;

    hub_json_object(out);
    hub_json_key(out, "n");
    hub_json_int(out, (int64_t)n);
    hub_json_key(out, "code");
    hub_json_int(out, code);
    if (text != NULL) {
        hub_json_key(out, "name");
        hub_json_string(out, text->name);
    }
    if (at + HUB_BATCH_ENTRY_BYTES <= record->attachment.len) {
        const uint8_t *entry = record->attachment.data + at; /* debit, credit, amount, reference */

        hub_json_key(out, "to");
        hub_json_wallet(out, hub_get_be64(entry + 8));
        hub_json_amount_members(out, "amount", hub_get_be64(entry + 16));
        hub_json_key(out, "reference");
        hub_json_hex(out, (struct hub_span){entry + 24, 16});
    }
    hub_json_object_end(out);
}

void hub_json_failed_entries(struct hub_buf *out, const struct hub_record *record,
                             struct hub_span value)
{
    struct hub_cbor c;
    uint32_t count = 0;

    hub_json_array(out);
    if (failed_entries(&c, &count, value))
        for (uint32_t i = 0; i < count && !c.bad; i++) {
            uint64_t n;
            uint16_t code;

            hub_cbor_array(&c, 2, 2);
            n = hub_cbor_uint(&c, 0, HUB_BATCH_ENTRIES_MAX - 1);
            code = (uint16_t)hub_cbor_uint(&c, 1, UINT16_MAX);
            if (!c.bad)
                render_failed(out, record, n, code);
        }
    hub_json_array_end(out);
}
