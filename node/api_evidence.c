/* api_evidence.c: GET /v1/evidence: which validators signed what they may not, recorded on the ledger or held by this
 * node, each with the item that proves it (formats.cddl section 10), links included. ?after=N goes on behind the
 * first N. */
#include "node/api_query.h"

#include "ledger/evidence_record.h"

#include <stdio.h>
#include <string.h>

enum { ITEMS_MAX = 50, LINKS_BYTES_MAX = 1 << 18 };

struct listing {
    struct hub_api *a;
    struct hub_query *q;
    uint64_t skip;
    uint32_t shown;
    bool more;
};

/* The item again, with links, so that it verifies from the genesis alone. */
static void put_item(struct hub_api *a, struct hub_buf *out, struct hub_span item)
{
    static uint8_t links_bytes[LINKS_BYTES_MAX], bytes[LINKS_BYTES_MAX + HUB_EVIDENCE_BYTES_MAX];
    struct hub_buf links = {links_bytes, 0, sizeof links_bytes, false};
    struct hub_buf whole = {bytes, 0, sizeof bytes, false};
    const struct hub_reader r = hub_store_reader(a->node->store);
    struct hub_validators set;
    struct hub_evidence e;
    struct hub_offence o;
    struct hub_hash id;
    const char *why;
    if (!hub_evidence_decode(&e, item))
        return;
    struct hub_cbor c = hub_cbor_open(e.epoch);
    hub_cbor_array(&c, 5, 5);
    hub_cbor_item(&c);
    const uint64_t epoch = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    if (hub_read_set(&r, &a->node->genesis, epoch, &set) != HUB_OK ||
        !hub_evidence_ok(&o, &why, &e, &set) || hub_read_links(&r, epoch, &links) != HUB_OK)
        return;
    hub_evidence_encode(&whole, &o, &set, hub_span_of(&links));
    hub_hash_span(&id, hub_span_of(&whole));
    hub_json_hash_member(out, "id", &id);
    hub_json_hex_member(out, "evidence", hub_span_of(&whole));
}

void hub_put_offence_members(struct hub_buf *out, const char *member, const struct hub_hash *kid,
                             uint64_t epoch, uint64_t view, enum hub_offence_kind kind)
{
    char name[4];
    snprintf(name, sizeof name, "E%d", (int)kind % 10);
    hub_json_string_member(out, "member", member);
    hub_json_hash_member(out, "kid", kid);
    hub_json_string_member(out, "kind", name);
    hub_json_string_member(out, "en", hub_offence_text(kind, false));
    hub_json_string_member(out, "zh", hub_offence_text(kind, true));
    hub_json_u64_member(out, "epoch", epoch);
    hub_json_u64_member(out, "view", view);
}

/* True if the next item is to be shown; its object is open then. */
static bool begin(struct listing *l)
{
    if (l->skip) {
        l->skip--;
        return false;
    }
    l->more |= l->shown == ITEMS_MAX || l->q->out.len > l->q->out.cap / 2;
    if (l->more)
        return false;
    l->shown++;
    hub_json_object(&l->q->out);
    return true;
}

static void put_recorded(struct listing *l, const struct hub_convicted *c, uint32_t i)
{
    const struct hub_reader r = hub_store_reader(l->a->node->store);
    struct hub_buf *out = &l->q->out;
    struct hub_span block, record, attachment;
    struct hub_record found;
    uint16_t why;
    char member[HUB_MEMBER_CODE_MAX + 1] = "";
    if (!begin(l))
        return;
    memcpy(member, c->member.data, c->member.len);
    hub_put_offence_members(out, member, &c->kid, c->epoch, c->offence[i].view, c->offence[i].kind);
    hub_json_u64_member(out, "height", c->offence[i].height);
    hub_json_int_member(out, "index", c->offence[i].index);
    if (hub_read_block(&r, c->offence[i].height, &block) == HUB_OK &&
        hub_block_entry(&record, &attachment, block, c->offence[i].index) == HUB_OK &&
        hub_record_decode(&found, &why, record, attachment, &l->a->node->genesis.chain) == HUB_OK &&
        found.type == HUB_TYPE_EVIDENCE_REPORT) {
        hub_json_string_member(out, "state", "recorded");
        hub_json_hash_member(out, "record_id", &found.id);
        put_item(l->a, out, hub_field_span(found.body, "evidence"));
    }
    hub_json_object_end(out);
}

static void put_held(struct listing *l, const struct hub_docket_item *item)
{
    struct hub_buf *out = &l->q->out;
    struct hub_span bytes;
    if (!begin(l))
        return;
    hub_put_offence_members(out, item->member, &item->kid, item->epoch, item->view, item->kind);
    hub_json_string_member(out, "state", "held");
    if (hub_docket_bytes(l->a->node, item, &bytes))
        put_item(l->a, out, bytes);
    hub_json_object_end(out);
}

void hub_api_get_evidence(struct hub_api *a, struct hub_query *q)
{
    struct listing l = {.a = a, .q = q};
    const struct hub_docket *d = &a->node->docket;
    uint64_t time_ms, after;
    if (!hub_query_number(q, "after", &after, 0, HUB_UINT_MAX)) {
        hub_answer_problem(a, q, "bad_parameter", "after: the number an answer gave as next");
        return;
    }
    const struct hub_state *s = hub_api_state(a, &time_ms);
    l.skip = after;
    hub_json_object(&q->out);
    hub_json_key(&q->out, "items");
    hub_json_array(&q->out);
    for (uint32_t row = 0; row < s->count[HUB_TABLE_EVIDENCE]; row++) {
        struct hub_convicted c;
        hub_convicted_get(&c, s, row);
        for (uint32_t i = 0; i < c.count; i++)
            put_recorded(&l, &c, i);
    }
    for (uint32_t i = 0; i < d->count; i++)
        if (hub_convicted_code(s, d->item[i].epoch, d->item[i].view, &d->item[i].kid) !=
            HUB_CODE_evidence_exists)
            put_held(&l, &d->item[i]);
    hub_json_array_end(&q->out);
    if (l.more)
        hub_json_u64_member(&q->out, "next", after + l.shown);
    hub_json_object_end(&q->out);
    hub_answer_json(a, q, 200);
}
