/* parameter.c: the ledger's parameters: names, ranges and defaults from parameters.def, values from
 * the rows genesis wrote. */
#include "hub/member.h"

#include "hub/cbor.h"

#include <string.h>

static const struct {
    const char *name;
    uint64_t value, min, max;
} parameters[HUB_PARAM_COUNT] = {
#define HUB_PARAMETER(id, name, value, min, max) {name, value, min, max},
#include "hub/parameters.def"
#undef HUB_PARAMETER
};

#define HUB_PARAMETER(id, name, value, min, max)                                                   \
    _Static_assert((value) >= (min) && (value) <= (max), "default of " name " lies in its range");
#include "hub/parameters.def"
#undef HUB_PARAMETER

static struct hub_span name_of(unsigned p)
{
    size_t len = 0;

    while (parameters[p].name[len] != '\0')
        len++;
    return (struct hub_span){(const uint8_t *)parameters[p].name, len};
}

int hub_parameter_named(struct hub_span name, uint64_t *value, uint64_t *min, uint64_t *max)
{
    for (unsigned p = 0; p < HUB_PARAM_COUNT; p++) {
        if (!hub_span_equal(name, name_of(p)))
            continue;
        if (value != NULL)
            *value = parameters[p].value;
        if (min != NULL)
            *min = parameters[p].min;
        if (max != NULL)
            *max = parameters[p].max;
        return (int)p;
    }
    return -1;
}

uint64_t hub_parameter(const struct hub_state *s, enum hub_parameter p)
{
    struct hub_cbor c;
    uint32_t row;
    uint64_t value;

    HUB_ASSERT((unsigned)p < HUB_PARAM_COUNT);
    if (!hub_state_find(s, HUB_TABLE_PARAMETERS, name_of(p), &row))
        return parameters[p].value;
    c = hub_cbor_open(hub_state_row(s, HUB_TABLE_PARAMETERS, row));
    hub_cbor_array(&c, 2, 2);
    hub_cbor_text(&c, 1, 64);
    value = hub_cbor_uint(&c, parameters[p].min, parameters[p].max);
    HUB_ASSERT(hub_cbor_done(&c));
    return value;
}
