/* epoch.c: rows of epochs, and the guards in front of a new one. */
#include "ledger/epoch.h"

#include "hub/cbor.h"

#include <string.h>

#define HOUR_MS ((uint64_t)3600 * 1000)

void hub_epoch_get(struct hub_epoch_row *out, const struct hub_state *s, uint32_t row)
{
    struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_EPOCHS, row));

    hub_cbor_array(&c, 3, 3);
    out->number = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->bytes = hub_cbor_bytes(&c, 1, HUB_EPOCH_BYTES_MAX);
    out->height = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    HUB_ASSERT(hub_cbor_done(&c));
}

void hub_epoch_newest(struct hub_validators *out, const struct hub_state *s)
{
    const struct hub_hash none = {{0}};
    struct hub_epoch_row row;
    enum hub_status status;

    HUB_ASSERT(s->count[HUB_TABLE_EPOCHS] > 0);
    hub_epoch_get(&row, s, s->count[HUB_TABLE_EPOCHS] - 1);
    status = hub_validators_decode(out, row.bytes, &none, (struct hub_span){NULL, 0});
    HUB_ASSERT(status == HUB_OK && out->epoch == row.number);
}

int hub_epoch_index(const struct hub_validators *set, const struct hub_hash *kid)
{
    for (unsigned i = 0; i < set->n; i++)
        if (hub_hash_equal(&set->v[i].kid, kid))
            return (int)i;
    return -1;
}

uint16_t hub_epoch_guard(const struct hub_apply *a, const struct hub_validators *next)
{
    const struct hub_state *s = a->state;
    struct hub_epoch_row newest;

    HUB_ASSERT(next->n > 0 && s->count[HUB_TABLE_EPOCHS] > 0);
    if (!hub_quorum_ok(next->n, next->q, next->fault_model))
        return HUB_CODE_quorum_unsafe;
    if (hub_ready_count(s, next, a->time_ms, 1) < next->q)
        return HUB_CODE_ready_missing;
    hub_epoch_get(&newest, s, s->count[HUB_TABLE_EPOCHS] - 1);
    if (newest.height != 0 && a->height - newest.height < HUB_SEAL_GAP)
        return HUB_CODE_height_too_soon;
    return 0;
}

static bool add_row(struct hub_state *s, const struct hub_validators *set, uint64_t height)
{
    uint8_t epoch_bytes[HUB_EPOCH_BYTES_MAX], row_bytes[HUB_EPOCH_BYTES_MAX];
    struct hub_buf epoch = {epoch_bytes, 0, sizeof epoch_bytes, false};
    struct hub_buf row = {row_bytes, 0, sizeof row_bytes, false};

    hub_validators_encode(&epoch, set);
    hub_put_array(&row, 3);
    hub_put_uint(&row, set->epoch);
    hub_put_bytes(&row, hub_span_of(&epoch));
    hub_put_uint(&row, height);
    HUB_ASSERT(!epoch.full && !row.full);
    return hub_state_add(s, HUB_TABLE_EPOCHS, hub_span_of(&row)) != UINT32_MAX;
}

void hub_epoch_append(struct hub_apply *a, struct hub_validators *next)
{
    struct hub_epoch_row newest;

    hub_epoch_get(&newest, a->state, a->state->count[HUB_TABLE_EPOCHS] - 1);
    HUB_ASSERT(a->height > newest.height);
    next->epoch = newest.number + 1;
    (void)add_row(a->state, next, a->height); /* a full table fails the record: state.h 6 */
}

enum hub_status hub_epoch_genesis(struct hub_state *s, const struct hub_validators *set)
{
    HUB_ASSERT(s->count[HUB_TABLE_EPOCHS] == 0);
    return add_row(s, set, 0) ? HUB_OK : HUB_LIMIT;
}

/* ---- readiness */

void hub_ready_get(struct hub_ready *out, const struct hub_state *s, uint32_t row)
{
    struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_READY, row));

    hub_cbor_array(&c, 8, 8);
    hub_cbor_hash(&c, &out->kid);
    out->member = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    out->software = hub_cbor_text(&c, 1, 32);
    out->protocol = hub_cbor_uint(&c, 1, UINT16_MAX);
    out->endpoint = hub_cbor_text(&c, 1, 255);
    out->time_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->height = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->index = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    HUB_ASSERT(hub_cbor_done(&c));
}

bool hub_ready_find(struct hub_ready *out, const struct hub_state *s, const struct hub_hash *kid)
{
    uint32_t row;

    if (!hub_state_find(s, HUB_TABLE_READY, (struct hub_span){kid->b, sizeof kid->b}, &row))
        return false;
    hub_ready_get(out, s, row);
    return true;
}

uint32_t hub_ready_count(const struct hub_state *s, const struct hub_validators *set,
                         uint64_t time_ms, uint64_t protocol)
{
    const uint64_t age = hub_parameter(s, HUB_PARAM_READY_MAX_AGE_H) * HOUR_MS;
    struct hub_ready ready;
    uint32_t count = 0;

    for (unsigned i = 0; i < set->n; i++)
        if (hub_ready_find(&ready, s, &set->v[i].kid) && time_ms < ready.time_ms + age &&
            ready.protocol >= protocol)
            count++;
    return count;
}
