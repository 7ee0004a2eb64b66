/* claims.c: the fields of a header, compared one by one. */
#include "ledger/claims.h"

#include <string.h>

enum { HEADER_FIELDS = 18 };

enum claim_kind { CLAIM_U16, CLAIM_U64, CLAIM_HASH };

/* In the order of formats.cddl `header`: bit i of hub_fault.wrong is row i. */
static const struct {
    const char *name;
    enum claim_kind kind;
    size_t offset;
} header_fields[HEADER_FIELDS] = {
#define FIELD(name, kind)                                                                          \
    {                                                                                              \
#name, kind, offsetof(struct hub_header, name)                                             \
    }
    FIELD(version, CLAIM_U16),
    FIELD(chain, CLAIM_HASH),
    FIELD(epoch, CLAIM_U64),
    FIELD(view, CLAIM_U64),
    FIELD(height, CLAIM_U64),
    FIELD(parent, CLAIM_HASH),
    FIELD(parent_view, CLAIM_U64),
    FIELD(time_ms, CLAIM_U64),
    FIELD(proposer, CLAIM_U16),
    FIELD(log_size, CLAIM_U64),
    FIELD(log_root, CLAIM_HASH),
    FIELD(record_count, CLAIM_U16),
    FIELD(records_root, CLAIM_HASH),
    FIELD(results_root, CLAIM_HASH),
    FIELD(state_root, CLAIM_HASH),
    FIELD(validators, CLAIM_HASH),
    FIELD(next_validators, CLAIM_HASH),
    FIELD(flags, CLAIM_U16),
#undef FIELD
};

static uint64_t number_of(const struct hub_header *h, unsigned i)
{
    const uint8_t *at = (const uint8_t *)h + header_fields[i].offset;
    uint16_t small;
    uint64_t large;

    if (header_fields[i].kind == CLAIM_U16) {
        memcpy(&small, at, sizeof small);
        return small;
    }
    memcpy(&large, at, sizeof large);
    return large;
}

/* The field as 32 bytes: a hash, or a number big-endian. */
static struct hub_hash value_of(const struct hub_header *h, unsigned i)
{
    struct hub_hash v = {{0}};

    if (header_fields[i].kind == CLAIM_HASH)
        memcpy(&v, (const uint8_t *)h + header_fields[i].offset, sizeof v);
    else
        hub_put_be64(v.b + 24, number_of(h, i));
    return v;
}

bool hub_claims_hold(const struct hub_header *want, const struct hub_header *got,
                     struct hub_fault *fault)
{
    uint32_t wrong = 0;

    for (unsigned i = HEADER_FIELDS; i-- > 0;) {
        struct hub_hash expected = value_of(want, i), claimed = value_of(got, i);

        if (hub_hash_equal(&expected, &claimed))
            continue;
        wrong |= (uint32_t)1 << i;
        fault->field = header_fields[i].name; /* the first wrong one is met last */
        fault->expected = expected;
        fault->got = claimed;
    }
    fault->wrong = wrong;
    fault->want = *want;
    return wrong == 0;
}

bool hub_fault_claim(struct hub_claim *out, const struct hub_fault *f,
                     const struct hub_header *header, unsigned i)
{
    unsigned at = 0;

    for (; at < HEADER_FIELDS; at++)
        if ((f->wrong >> at & 1) != 0 && i-- == 0)
            break;
    if (at == HEADER_FIELDS)
        return false;
    memset(out, 0, sizeof *out);
    out->field = header_fields[at].name;
    out->number = header_fields[at].kind != CLAIM_HASH;
    out->expected = value_of(&f->want, at);
    out->got = value_of(header, at);
    if (out->number) {
        out->expected_number = number_of(&f->want, at);
        out->got_number = number_of(header, at);
    }
    return true;
}
