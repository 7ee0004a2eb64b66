/* evidence_record.c: evidence.report (docs/protocol.md 9). */
#include "ledger/evidence_record.h"

#include "ledger/epoch.h"

#include <string.h>

enum { KEY_BYTES = 8 + 32, NO_LINKS_BYTES = 1 };

_Static_assert(2 + 42 + 20 + 1 + HUB_OFFENCES_MAX * (1 + 9 + 1 + 9 + 5) <= HUB_EVIDENCE_ROW_BYTES,
               "a full row with the longest numbers");

const struct hub_field hub_evidence_report_fields[] = {
    {.name = "evidence",
     .kind = HUB_FIELD_BYTES,
     .required = true,
     .min = 1,
     .max = HUB_EVIDENCE_BYTES_MAX},
    {.name = NULL},
};

uint16_t hub_evidence_report_check(const struct hub_record *r)
{
    struct hub_evidence e;

    return hub_evidence_decode(&e, hub_field_span(r->body, "evidence")) &&
                   e.links.len == NO_LINKS_BYTES
               ? 0
               : HUB_CODE_body_invalid;
}

/* ---- rows */

static void put_key(uint8_t key[KEY_BYTES], uint64_t epoch, const struct hub_hash *kid)
{
    hub_put_be64(key, epoch);
    memcpy(key + 8, kid->b, sizeof kid->b);
}

void hub_convicted_get(struct hub_convicted *out, const struct hub_state *s, uint32_t row)
{
    struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_EVIDENCE, row));
    struct hub_span key;

    memset(out, 0, sizeof *out);
    out->row = row;
    hub_cbor_array(&c, 3, 3);
    key = hub_cbor_bytes(&c, KEY_BYTES, KEY_BYTES);
    out->member = hub_cbor_text(&c, 1, HUB_MEMBER_CODE_MAX);
    out->count = hub_cbor_array(&c, 1, HUB_OFFENCES_MAX);
    for (uint32_t i = 0; i < out->count; i++) {
        hub_cbor_array(&c, 4, 4);
        out->offence[i].view = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
        out->offence[i].kind = (enum hub_offence_kind)hub_cbor_uint(&c, HUB_OFFENCE_NOTARIZED_TWO,
                                                                    HUB_OFFENCE_BELIED_HEADER);
        out->offence[i].height = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
        out->offence[i].index = (uint32_t)hub_cbor_uint(&c, 0, HUB_BLOCK_RECORDS_MAX);
    }
    HUB_ASSERT(hub_cbor_done(&c));
    out->epoch = hub_get_be64(key.data);
    memcpy(out->kid.b, key.data + 8, sizeof out->kid.b);
}

bool hub_convicted_find(struct hub_convicted *out, const struct hub_state *s, uint64_t epoch,
                        const struct hub_hash *kid)
{
    uint8_t key[KEY_BYTES];
    uint32_t row;

    put_key(key, epoch, kid);
    if (!hub_state_find(s, HUB_TABLE_EVIDENCE, (struct hub_span){key, sizeof key}, &row))
        return false;
    hub_convicted_get(out, s, row);
    return true;
}

static void write_row(struct hub_state *s, const struct hub_convicted *c, bool is_new)
{
    uint8_t key[KEY_BYTES], bytes[HUB_EVIDENCE_ROW_BYTES];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};

    put_key(key, c->epoch, &c->kid);
    hub_put_array(&b, 3);
    hub_put_bytes(&b, (struct hub_span){key, sizeof key});
    hub_put_text_span(&b, c->member);
    hub_put_array(&b, c->count);
    for (uint32_t i = 0; i < c->count; i++) {
        hub_put_array(&b, 4);
        hub_put_uint(&b, c->offence[i].view);
        hub_put_uint(&b, c->offence[i].kind);
        hub_put_uint(&b, c->offence[i].height);
        hub_put_uint(&b, c->offence[i].index);
    }
    HUB_ASSERT(!b.full);
    if (is_new)
        hub_state_add(s, HUB_TABLE_EVIDENCE, hub_span_of(&b));
    else
        hub_state_put(s, HUB_TABLE_EVIDENCE, c->row, hub_span_of(&b));
}

uint16_t hub_convicted_code(const struct hub_state *s, uint64_t epoch, uint64_t view,
                            const struct hub_hash *kid)
{
    struct hub_convicted c;

    if (!hub_convicted_find(&c, s, epoch, kid))
        return 0;
    for (uint32_t i = 0; i < c.count; i++)
        if (c.offence[i].view == view)
            return HUB_CODE_evidence_exists;
    return c.count < HUB_OFFENCES_MAX ? 0 : HUB_CODE_evidence_enough;
}

/* ---- the record */

/* The set whose epoch bytes the item carries, if this ledger has that epoch. Its number stands second. */
static bool set_of(struct hub_validators *out, const struct hub_apply *a, struct hub_span epoch)
{
    struct hub_cbor c = hub_cbor_open(epoch);
    struct hub_epoch_row row;
    uint64_t number;

    hub_cbor_array(&c, 5, 5);
    hub_cbor_item(&c);
    number = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    if (c.bad || number >= a->state->count[HUB_TABLE_EPOCHS])
        return false;
    hub_epoch_get(&row, a->state, (uint32_t)number);
    return hub_span_equal(row.bytes, epoch) &&
           hub_validators_decode(out, epoch, &a->chain, hub_text_span(a->state->network)) == HUB_OK;
}

static void add_offence(struct hub_apply *a, const struct hub_validators *set,
                        const struct hub_offence *o)
{
    const struct hub_vote *v = &o->vote[0];
    struct hub_convicted c;
    bool known = hub_convicted_find(&c, a->state, set->epoch, &set->v[v->signer].kid);

    if (!known)
        c = (struct hub_convicted){.epoch = set->epoch, .kid = set->v[v->signer].kid};
    c.member = hub_text_span(set->v[v->signer].member);
    HUB_ASSERT(c.count < HUB_OFFENCES_MAX);
    c.offence[c.count].view = v->subject.view;
    c.offence[c.count].kind = o->kind;
    c.offence[c.count].height = a->height;
    c.offence[c.count++].index = a->index;
    write_row(a->state, &c, !known);
}

uint16_t hub_evidence_report_apply(struct hub_apply *a)
{
    struct hub_evidence e;
    struct hub_offence o;
    struct hub_validators set;
    const char *why;
    uint16_t code;

    if (!hub_evidence_decode(&e, hub_field_span(a->record->body, "evidence")) ||
        !set_of(&set, a, e.epoch) || !hub_evidence_ok(&o, &why, &e, &set))
        return HUB_CODE_evidence_invalid;
    code = hub_convicted_code(a->state, set.epoch, o.vote[0].subject.view,
                              &set.v[o.vote[0].signer].kid);
    if (code == 0)
        add_offence(a, &set, &o);
    return code;
}
