/* validators.c: the set of one epoch (formats.cddl section 2). */
#include "hub/vote.h"

#include <string.h>

enum { EPOCH_VERSION = 1 };

const char *const hub_fault_model_names[] = {"bft", "all-of-3", "crash-1of3", "single", NULL};
enum { FAULT_MODELS = sizeof hub_fault_model_names / sizeof hub_fault_model_names[0] - 1 };

uint8_t hub_quorum_default(uint8_t n)
{
    return (uint8_t)(2 * n / 3 + 1);
}

void hub_validators_encode(struct hub_buf *out, const struct hub_validators *set)
{
    uint8_t key[HUB_COSE_KEY_BYTES];

    hub_put_array(out, 5);
    hub_put_uint(out, EPOCH_VERSION);
    hub_put_uint(out, set->epoch);
    hub_put_uint(out, set->q);
    hub_put_text(out, hub_fault_model_names[set->fault_model]);
    hub_put_array(out, set->n);
    for (unsigned i = 0; i < set->n; i++) {
        hub_cose_key_encode(key, &set->v[i].key);
        hub_put_array(out, 3);
        hub_put_bytes(out, (struct hub_span){key, sizeof key});
        hub_put_text(out, set->v[i].member);
        hub_put_bytes(out, (struct hub_span){set->v[i].transport, sizeof set->v[i].transport});
    }
}

static void read_fault_model(struct hub_validators *set, struct hub_cbor *c)
{
    struct hub_span text = hub_cbor_text(c, 1, 16);

    for (unsigned i = 0; i < FAULT_MODELS; i++)
        if (hub_span_equal(text, hub_text_span(hub_fault_model_names[i]))) {
            set->fault_model = (enum hub_fault_model)i;
            return;
        }
    c->bad = true;
}

static bool code_ok(struct hub_span code)
{
    for (size_t i = 0; i < code.len; i++)
        if ((code.data[i] < '0' || code.data[i] > '9') &&
            (code.data[i] < 'A' || code.data[i] > 'Z'))
            return false;
    return true;
}

static void read_validator(struct hub_validators *set, unsigned i, struct hub_cbor *c)
{
    struct hub_span key, member;

    hub_cbor_array(c, 3, 3);
    key = hub_cbor_bytes(c, HUB_COSE_KEY_BYTES, HUB_COSE_KEY_BYTES);
    member = hub_cbor_text(c, 3, HUB_MEMBER_CODE_MAX);
    hub_cbor_copy(c, set->v[i].transport, sizeof set->v[i].transport);
    if (c->bad || !code_ok(member) || !hub_cose_key_decode(&set->v[i].key, key) ||
        !hub_public_key_ok(&set->v[i].key)) {
        c->bad = true;
        return;
    }
    hub_kid_of(&set->v[i].kid, &set->v[i].key);
    memcpy(set->v[i].member, member.data, member.len);
}

/* A signer counts once, and a link belongs to one validator. */
static bool all_distinct(const struct hub_validators *set)
{
    for (unsigned i = 0; i < set->n; i++)
        for (unsigned j = 0; j < i; j++)
            if (hub_hash_equal(&set->v[i].kid, &set->v[j].kid) ||
                memcmp(set->v[i].transport, set->v[j].transport, sizeof set->v[i].transport) == 0)
                return false;
    return true;
}

/* q > n/2, so that two quorums share a signer; and a fault model is a promise the numbers must keep:
 * with b_safe = 2q - n - 1, "bft" says that one traitor at least cannot fork the ledger, and three
 * validators must say in words which of the two imperfect choices they made. */
bool hub_quorum_ok(unsigned n, unsigned q, enum hub_fault_model model)
{
    if (q > n || 2 * q <= n)
        return false;
    switch (model) {
    case HUB_FAULT_SINGLE:
        return n == 1;
    case HUB_FAULT_ALL_OF_3:
        return n == 3 && q == 3;
    case HUB_FAULT_CRASH_1_OF_3:
        return n == 3 && q == 2;
    case HUB_FAULT_BFT:
        return n > 1 && n != 3 && 2 * q - n - 1 >= 1;
    }
    return false;
}

enum hub_status hub_validators_decode(struct hub_validators *out, struct hub_span epoch,
                                      const struct hub_hash *chain, struct hub_span network)
{
    struct hub_cbor c = hub_cbor_open(epoch);
    struct hub_validators set = {.chain = *chain};

    hub_cbor_array(&c, 5, 5);
    hub_cbor_uint(&c, EPOCH_VERSION, EPOCH_VERSION);
    set.epoch = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    set.q = (uint8_t)hub_cbor_uint(&c, 1, HUB_VALIDATORS_MAX);
    read_fault_model(&set, &c);
    set.n = (uint8_t)hub_cbor_array(&c, 1, HUB_VALIDATORS_MAX);
    for (unsigned i = 0; i < set.n && !c.bad; i++)
        read_validator(&set, i, &c);
    if (!hub_cbor_done(&c) || network.len > HUB_NETWORK_NAME_MAX)
        return HUB_BAD_ENCODING;
    if (!hub_quorum_ok(set.n, set.q, set.fault_model) || !all_distinct(&set))
        return HUB_CONFLICT;
    if (network.len > 0) /* no network is named where only the form is asked for */
        memcpy(set.network, network.data, network.len);
    hub_hash_tagged(&set.hash, "hubledger/epoch/1", epoch);
    *out = set;
    return HUB_OK;
}
