/* api_submit.c: POST /v1/records: one record or a sequence of entries; each is queued or refused by itself. The
 * answer waits for the signature checks, and with ?wait= for finality. The record id is the idempotency key: the
 * same bytes again get the first outcome. */
#include "node/api_query.h"

#include "node/clock.h"

#include <stdlib.h>
#include <string.h>

static struct hub_query_item **bucket_of(struct hub_api *a, const struct hub_hash *id)
{
    return &a->bucket[hub_get_be32(id->b) % HUB_API_BUCKETS];
}

static void await(struct hub_api *a, struct hub_query_item *item)
{
    struct hub_query_item **b = bucket_of(a, &item->id);
    item->next = *b;
    *b = item;
    item->query->open++;
}

static void stop_awaiting(struct hub_api *a, struct hub_query_item *item)
{
    for (struct hub_query_item **link = bucket_of(a, &item->id); *link; link = &(*link)->next)
        if (*link == item) {
            *link = item->next;
            item->query->open--;
            return;
        }
}

/* Is this id in the log already? */
static bool in_log(struct hub_api *a, const struct hub_hash *id, struct hub_place *place)
{
    const struct hub_reader r = hub_store_reader(a->node->store);
    return hub_find_record(&r, a->node->history, id, place) == HUB_OK;
}

/* What is in the way of an item that the rules do not speak of; NULL: nothing. Where a number was used, it may have been by
 * these very bytes: who has no history that far back must not say that nothing was recorded. */
static const char *obstacle(const struct hub_api *a, const struct hub_query_item *item)
{
    if (item->state == HUB_ITEM_TRY_LATER)
        return a->node->intake.closed ? "disk_low" : "queue_full";
    return item->state == HUB_ITEM_REFUSED && item->why == HUB_CODE_seq_replayed &&
                   a->node->floor.height
               ? "before_history"
               : NULL;
}

static void put_item(struct hub_api *a, struct hub_query *q, const struct hub_query_item *item)
{
    struct hub_place place;
    struct hub_buf *out = &q->out;
    if (item->has_id && item->state != HUB_ITEM_REFUSED && in_log(a, &item->id, &place) &&
        hub_put_outcome(a, out, &place, false, item->known))
        return;
    hub_json_object(out);
    if (item->has_id)
        hub_json_hash_member(out, "record_id", &item->id);
    if (obstacle(a, item)) {
        hub_put_problem_members(out, obstacle(a, item), "");
    } else if (item->state == HUB_ITEM_REFUSED) {
        hub_put_code_members(out, item->why, "");
    } else if (item->state == HUB_ITEM_PASSED) {
        hub_json_string_member(out, "state", "checked");
        hub_json_bool_member(out, "recorded", false);
    } else {
        hub_json_string_member(out, "state", "pending");
        hub_json_bool_member(out, "replayed", item->known);
    }
    hub_json_object_end(out);
}

/* Everything of the request is settled, or its time is up. */
static void finish(struct hub_api *a, struct hub_query *q)
{
    for (struct hub_query **link = &a->waiting; *link; link = &(*link)->next)
        if (*link == q) {
            *link = q->next;
            break;
        }
    for (uint32_t i = 0; i < q->items; i++)
        stop_awaiting(a, &q->item[i]);
    const struct hub_query_item *one = q->item;
    if (q->is_sequence) {
        hub_json_object(&q->out);
        hub_json_key(&q->out, "items");
        hub_json_array(&q->out);
        for (uint32_t i = 0; i < q->items; i++)
            put_item(a, q, &q->item[i]);
        hub_json_array_end(&q->out);
        hub_json_object_end(&q->out);
        hub_answer_json(a, q, 200);
    } else if (obstacle(a, one)) {
        hub_answer_problem(a, q, obstacle(a, one), "");
    } else if (one->state == HUB_ITEM_REFUSED) {
        hub_answer_code(a, q, one->why, "");
    } else {
        put_item(a, q, one);
        hub_answer_json(a, q, one->known || one->state != HUB_ITEM_PENDING ? 200 : 202);
    }
}

/* All rules, on the finalized state, without a trace: 0 or the code. */
static uint16_t try_rules(struct hub_api *a, struct hub_span record, struct hub_span attachment,
                          uint64_t now_wall_ms)
{
    const uint16_t why = hub_intake_check(&a->node->intake, record, attachment, now_wall_ms);
    return why ? why
               : hub_dry_run(a->node->dry_run, &a->node->replica->chain, record, attachment,
                             now_wall_ms);
}

/* One record into the pool, or why not. */
static void submit(struct hub_api *a, struct hub_query_item *item, struct hub_span record,
                   struct hub_span attachment)
{
    struct hub_place place;
    const uint64_t wall = hub_clock_wall_ms();
    const bool dry = hub_query_parameter(item->query, "dry_run") != NULL;
    struct hub_record r;
    uint16_t why = 0;
    if (hub_record_decode(&r, &why, record, attachment, &a->node->genesis.chain) != HUB_OK) {
        item->state = HUB_ITEM_REFUSED;
        item->why = why ? why : HUB_CODE_not_canonical;
        return;
    }
    item->id = r.id;
    item->has_id = true;
    if (in_log(a, &item->id, &place)) {
        item->state = HUB_ITEM_FINAL;
        item->known = true;
        return;
    }
    if (dry || hub_query_parameter(item->query, "check")) {
        item->why = try_rules(a, record, attachment, wall);
        item->state = item->why ? HUB_ITEM_REFUSED : HUB_ITEM_PASSED;
        if (dry || item->why)
            return;
    }
    switch (hub_intake_submit(&a->node->intake, &item->id, &why, record, attachment, true,
                              hub_clock_mono_ms(), wall)) {
    case HUB_OK:
        item->state = HUB_ITEM_CHECKING;
        await(a, item);
        return;
    case HUB_CONFLICT:
        item->state = HUB_ITEM_PENDING;
        item->known = true;
        if (item->query->deadline_ms)
            await(a, item);
        return;
    case HUB_REFUSED:
        item->state = HUB_ITEM_REFUSED;
        item->why = why ? why : HUB_CODE_not_canonical;
        return;
    default:
        item->state = HUB_ITEM_TRY_LATER;
        return;
    }
}

/* The entries of a sequence; false after a problem: nothing of it was taken. */
static bool submit_sequence(struct hub_api *a, struct hub_query *q)
{
    struct hub_cbor c = hub_cbor_open(hub_span_of(&q->body));
    uint32_t count = 0;
    while (!c.bad && c.at < c.end && count < HUB_API_ITEMS_MAX + 1) {
        hub_cbor_array(&c, 2, 2);
        hub_cbor_bytes(&c, 1, HUB_RECORD_BYTES_MAX);
        hub_cbor_bytes(&c, 0, HUB_ATTACHMENT_BYTES_MAX);
        count++;
    }
    if (c.bad || !count || count > HUB_API_ITEMS_MAX) {
        hub_answer_problem(a, q, "bad_request",
                           "expected a CBOR sequence of 1 to 256 entries [record, attachment]");
        return false;
    }
    q->item = calloc(count, sizeof *q->item);
    if (!q->item) {
        hub_answer_problem(a, q, "busy", "");
        return false;
    }
    q->items = count;
    c = hub_cbor_open(hub_span_of(&q->body));
    for (uint32_t i = 0; i < count; i++) {
        hub_cbor_array(&c, 2, 2);
        const struct hub_span record = hub_cbor_bytes(&c, 1, HUB_RECORD_BYTES_MAX);
        q->item[i].query = q;
        submit(a, &q->item[i], record, hub_cbor_bytes(&c, 0, HUB_ATTACHMENT_BYTES_MAX));
    }
    return true;
}

static bool submit_one(struct hub_api *a, struct hub_query *q)
{
    q->item = calloc(1, sizeof *q->item);
    if (!q->item) {
        hub_answer_problem(a, q, "busy", "");
        return false;
    }
    q->items = 1;
    q->item[0].query = q;
    submit(a, &q->item[0], hub_span_of(&q->body), (struct hub_span){(const uint8_t *)"", 0});
    return true;
}

/* "5s" or "800ms" of ?wait=, at most 30 s. */
static bool wait_of(struct hub_query *q, uint64_t *ms)
{
    const char *text = hub_query_parameter(q, "wait");
    char *end;
    *ms = 0;
    if (!text)
        return true;
    const unsigned long v = strtoul(text, &end, 10);
    if (end == text || v > HUB_API_WAIT_MAX_MS || (strcmp(end, "s") != 0 && strcmp(end, "ms") != 0))
        return false;
    *ms = end[0] == 's' ? v * 1000 : v;
    return *ms <= HUB_API_WAIT_MAX_MS;
}

void hub_api_post_records(struct hub_api *a, struct hub_query *q)
{
    uint64_t wait_ms;
    if (!wait_of(q, &wait_ms)) {
        hub_answer_problem(a, q, "bad_parameter", "wait: a time such as 5s, at most 30s");
        return;
    }
    q->deadline_ms = wait_ms ? hub_clock_mono_ms() + wait_ms : 0;
    if (!(q->is_sequence ? submit_sequence(a, q) : submit_one(a, q)))
        return;
    if (!q->open) {
        finish(a, q);
        return;
    }
    q->next = a->waiting;
    a->waiting = q;
}

void hub_submission_settled(struct hub_api *a, const struct hub_hash *id, uint16_t why)
{
    struct hub_query_item *next;
    for (struct hub_query_item *i = *bucket_of(a, id); i; i = next) {
        next = i->next;
        if (i->state != HUB_ITEM_CHECKING || !hub_hash_equal(&i->id, id))
            continue;
        struct hub_query *q = i->query;
        i->state = why ? HUB_ITEM_REFUSED : HUB_ITEM_PENDING;
        i->why = why;
        if (why || !q->deadline_ms)
            stop_awaiting(a, i);
        if (!q->open) {
            finish(a, q);
            next = *bucket_of(a, id); /* finishing may have taken others out of this list */
        }
    }
}

void hub_submission_final(struct hub_api *a, const struct hub_hash *id)
{
    struct hub_query_item *next;
    for (struct hub_query_item *i = *bucket_of(a, id); i; i = next) {
        next = i->next;
        if (!hub_hash_equal(&i->id, id))
            continue;
        i->state =
            HUB_ITEM_FINAL; /* answered by the next hub_submission_tend: the block can be read then */
        stop_awaiting(a, i);
    }
}

void hub_submission_tend(struct hub_api *a, uint64_t now_ms)
{
    struct hub_query *next;
    for (struct hub_query *q = a->waiting; q; q = next) {
        bool checking = false;
        next = q->next;
        for (uint32_t i = 0; i < q->items; i++)
            checking = checking || q->item[i].state == HUB_ITEM_CHECKING;
        if (!q->open || (!checking && q->deadline_ms && now_ms >= q->deadline_ms) ||
            now_ms == UINT64_MAX)
            finish(a, q);
    }
}
