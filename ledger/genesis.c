/* genesis.c: reading the genesis file and checking its signatures (formats.cddl section 2). What it
 * makes of an empty state is in genesis_state.c.
 *
 * Checks return NULL, or the sentence that tells the people at a founding ceremony which field breaks
 * which rule. The file is small and read once, so look-ups walk it. */
#include "hub/genesis.h"

#include "hub/cose.h"
#include "ledger/member.h"

#include <string.h>

enum { GOVERNORS_MIN = 2 };

static const struct hub_field names_fields[] = {
    {.name = "en", .kind = HUB_FIELD_TEXT, .min = 1, .max = 100},
    {.name = "zh", .kind = HUB_FIELD_TEXT, .required = true, .min = 1, .max = 100},
    {.name = NULL},
};

const struct hub_field hub_member_fields[] = {
    {.name = "code", .kind = HUB_FIELD_CODE, .required = true},
    {.name = "kind", .kind = HUB_FIELD_ENUM, .required = true, .names = hub_member_kind_names},
    {.name = "names", .kind = HUB_FIELD_MAP, .required = true, .sub = names_fields},
    {.name = "quota", .kind = HUB_FIELD_AMOUNT},
    {.name = "voting", .kind = HUB_FIELD_BOOL},
    {.name = "contact", .kind = HUB_FIELD_TEXT, .min = 1, .max = 200},
    {.name = "seal_needs", .kind = HUB_FIELD_UINT, .min = 0, .max = 3},
    {.name = "institution", .kind = HUB_FIELD_UINT, .min = 1, .max = UINT16_MAX},
    {.name = "governors_needed", .kind = HUB_FIELD_UINT, .min = 1, .max = 3},
    {.name = NULL},
};

/* What hub_body_check names, as people may read it. */
static const struct {
    const char *field, *sentence;
} field_sentences[] = {
    {"code", "members: code must be 3 to 18 characters of 0-9 and A-Z"},
    {"kind", "members: kind must be district, hub, authority, institution, auditor or other"},
    {"names", "members: names must hold zh and may hold en"},
    {"zh", "members: names.zh is required, 1 to 100 bytes without spaces around it"},
    {"en", "members: names.en must be 1 to 100 bytes without spaces around it"},
    {"quota", "members: quota must be 1 fen to 10^15 fen"},
    {"voting", "members: voting must be true or false"},
    {"contact", "members: contact must be 1 to 200 bytes"},
    {"seal_needs", "members: seal_needs must be 0 to 3"},
    {"institution", "members: institution must be 1 to 65535"},
    {"governors_needed", "members: governors_needed must be 1 to 3"},
    {"box", "keys: box must be 32 bytes"},
    {"key", "keys: key must be a COSE_Key of 40 bytes with a valid Ed25519 point"},
    {"label", "keys: label is required, 1 to 64 bytes without spaces around it"},
    {"roles", "keys: roles must name 1 to 4 known roles"},
    {"not_after", "keys: not_after must be a time in milliseconds"},
    {"transport", "keys: transport must be 32 bytes"},
    {"not_before", "keys: not_before must be a time in milliseconds"},
};

static const char *sentence_of(const char *field)
{
    for (size_t i = 0; field != NULL && i < sizeof field_sentences / sizeof field_sentences[0]; i++)
        if (hub_span_equal(hub_text_span(field), hub_text_span(field_sentences[i].field)))
            return field_sentences[i].sentence;
    return "members and keys: an entry holds a field that the format does not know";
}

static const char *check_fields(struct hub_span map, const struct hub_field *fields)
{
    const char *field;

    return hub_body_check(map, fields, &field) == 0 ? NULL : sentence_of(field);
}

/* A cursor at the first item of an encoded array, and how many there are. */
static struct hub_cbor open_array(struct hub_span array, uint32_t *count)
{
    struct hub_cbor c = hub_cbor_open(array);

    *count = hub_cbor_array(&c, 0, UINT32_MAX);
    return c;
}

struct grant { /* one entry of "keys" */
    struct hub_span code, map;
};

static struct grant next_grant(struct hub_cbor *c)
{
    struct grant g;

    hub_cbor_array(c, 2, 2);
    g.code = hub_cbor_text(c, 0, SIZE_MAX);
    g.map = hub_cbor_item(c);
    return g;
}

static bool kind_is(struct hub_span member, enum hub_member_kind kind)
{
    return hub_field_enum(member, "kind", hub_member_kind_names) == (int)kind;
}

/* Districts and the hub vote unless the file says otherwise. */
static bool votes(struct hub_span member)
{
    return hub_field_bool(member, "voting",
                          kind_is(member, HUB_KIND_DISTRICT) || kind_is(member, HUB_KIND_HUB));
}

static bool find_member(struct hub_span *out, const struct hub_genesis *g, struct hub_span code)
{
    uint32_t n;
    struct hub_cbor c = open_array(g->members, &n);

    for (uint32_t i = 0; i < n; i++) {
        struct hub_span member = hub_cbor_item(&c);

        if (hub_span_equal(hub_field_span(member, "code"), code)) {
            *out = member;
            return true;
        }
    }
    return false;
}

static bool grant_kid_is(struct hub_span grant, const struct hub_hash *kid)
{
    struct hub_hash own;

    hub_hash_span(&own, hub_field_span(grant, "key"));
    return hub_hash_equal(&own, kid);
}

static bool find_grant(struct grant *out, const struct hub_genesis *g, const struct hub_hash *kid)
{
    uint32_t n;
    struct hub_cbor c = open_array(g->keys, &n);

    for (uint32_t i = 0; i < n; i++) {
        struct grant k = next_grant(&c);

        if (grant_kid_is(k.map, kid)) {
            *out = k;
            return true;
        }
    }
    return false;
}

static const char *member_rule(struct hub_span member)
{
    bool issues = kind_is(member, HUB_KIND_AUTHORITY) || kind_is(member, HUB_KIND_INSTITUTION);
    bool numbered = hub_field_has(member, "institution");

    if (issues && !numbered)
        return "members: an authority or institution needs its institution number";
    if (hub_field_has(member, "quota") && !numbered)
        return "members: quota belongs to an institution";
    return NULL;
}

/* The member against those before it in the file. */
static const char *member_unlike(struct hub_span member, struct hub_span earlier)
{
    uint64_t number = hub_field_uint(member, "institution", 0);

    if (hub_span_equal(hub_field_span(member, "code"), hub_field_span(earlier, "code")))
        return "members: two members have the same code";
    if (number != 0 && number == hub_field_uint(earlier, "institution", 0))
        return "members: two members have the same institution number";
    if (kind_is(member, HUB_KIND_AUTHORITY) && kind_is(earlier, HUB_KIND_AUTHORITY))
        return "members: there can be only one authority";
    return NULL;
}

static const char *check_members(const struct hub_genesis *g)
{
    uint32_t n, voters = 0;
    struct hub_cbor c = open_array(g->members, &n);

    if (n == 0)
        return "members: at least one is needed";
    for (uint32_t i = 0; i < n; i++) {
        struct hub_span member = hub_cbor_item(&c);
        uint32_t all;
        struct hub_cbor before = open_array(g->members, &all);
        const char *why = check_fields(member, hub_member_fields);

        if (why == NULL)
            why = member_rule(member);
        for (uint32_t j = 0; j < i && why == NULL; j++)
            why = member_unlike(member, hub_cbor_item(&before));
        if (why != NULL)
            return why;
        voters += votes(member);
    }
    return voters > 0 ? NULL : "members: at least one must vote";
}

static const char *genesis_grant_fault(struct hub_span grant)
{
    if ((hub_grant_roles(grant) & HUB_ROLE_WALLET) != 0)
        return "keys: role wallet needs a wallet, and there is none before the first block";
    return hub_grant_fault(grant);
}

static const char *check_grants(const struct hub_genesis *g)
{
    uint32_t n;
    struct hub_cbor c = open_array(g->keys, &n);

    for (uint32_t i = 0; i < n; i++) {
        struct grant k = next_grant(&c), first;
        struct hub_span member;
        struct hub_hash kid;
        const char *why;

        if (c.bad)
            return "keys: an entry must be [member code, key]";
        why = check_fields(k.map, hub_grant_fields);
        if (why == NULL)
            why = genesis_grant_fault(k.map);
        if (why != NULL)
            return why;
        if (!find_member(&member, g, k.code))
            return "keys: a key belongs to a code that is no member";
        hub_hash_span(&kid, hub_field_span(k.map, "key"));
        if (!find_grant(&first, g, &kid) || first.map.data != k.map.data)
            return "keys: the same key stands twice";
    }
    return NULL;
}

static uint32_t governor_count(const struct hub_genesis *g, struct hub_span code)
{
    uint32_t n, governors = 0;
    struct hub_cbor c = open_array(g->keys, &n);

    for (uint32_t i = 0; i < n; i++) {
        struct grant k = next_grant(&c);

        governors +=
            hub_span_equal(k.code, code) && (hub_grant_roles(k.map) & HUB_ROLE_GOVERNOR) != 0;
    }
    return governors;
}

static const char *check_governors(const struct hub_genesis *g)
{
    uint32_t n;
    struct hub_cbor c = open_array(g->members, &n);

    for (uint32_t i = 0; i < n; i++) {
        struct hub_span member = hub_cbor_item(&c);
        uint32_t governors = governor_count(g, hub_field_span(member, "code"));

        /* One lost key must not lose the member. */
        if (governors < GOVERNORS_MIN || governors < hub_field_uint(member, "governors_needed", 1))
            return "keys: every member needs two governor keys, or governors_needed if that is "
                   "more";
        if (governors > HUB_GOVERNORS_MAX)
            return "keys: a member has more than 16 governor keys";
    }
    return NULL;
}

static const char *check_parameters(const struct hub_genesis *g)
{
    struct hub_cbor c = hub_cbor_open(g->parameters);
    uint64_t num = 0, den = 0, min, max;
    uint32_t n = hub_cbor_map(&c, 0, UINT32_MAX);

    (void)hub_parameter_named(hub_text_span("governance.threshold_num"), &num, NULL, NULL);
    (void)hub_parameter_named(hub_text_span("governance.threshold_den"), &den, NULL, NULL);
    for (uint32_t i = 0; i < n; i++) {
        int which = hub_parameter_named(hub_cbor_text(&c, 0, SIZE_MAX), NULL, &min, &max);
        uint64_t value;

        if (c.bad || which < 0)
            return "parameters: a name is not known";
        value = hub_cbor_uint(&c, min, max);
        if (c.bad)
            return "parameters: a value is no whole number or is outside its range";
        if (which == HUB_PARAM_GOVERNANCE_THRESHOLD_NUM)
            num = value;
        if (which == HUB_PARAM_GOVERNANCE_THRESHOLD_DEN)
            den = value;
    }
    if (!hub_cbor_done(&c))
        return "parameters: must be a map";
    return num <= den && 2 * num > den
               ? NULL
               : "parameters: governance.threshold must be more than half and at most all";
}

/* Every validator is a validator key of the list, with the same member and transport key. */
static const char *check_epoch(struct hub_genesis *g, struct hub_span epoch)
{
    enum hub_status status = hub_validators_decode(&g->set, epoch, &g->chain, g->name);

    if (status == HUB_CONFLICT)
        return "epoch: quorum must be more than half, keys distinct, and n and quorum must keep "
               "the "
               "fault model (3 validators: all-of-3 or crash-1of3)";
    if (status != HUB_OK || g->set.epoch != 0)
        return "epoch: must be [1, 0, quorum, fault model, validators] with valid keys";
    for (unsigned i = 0; i < g->set.n; i++) {
        struct grant k;
        struct hub_span transport;

        if (!find_grant(&k, g, &g->set.v[i].kid) ||
            (hub_grant_roles(k.map) & HUB_ROLE_VALIDATOR) == 0)
            return "epoch: a validator is no key with role validator";
        transport = hub_field_span(k.map, "transport");
        if (!hub_span_equal(k.code, hub_text_span(g->set.v[i].member)) ||
            memcmp(transport.data, g->set.v[i].transport, sizeof g->set.v[i].transport) != 0)
            return "epoch: a validator's member or transport key differs from its entry in keys";
    }
    return NULL;
}

static bool name_ok(struct hub_span name)
{
    if (name.len == 0 || name.data[0] == ' ' || name.data[name.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] ==
            ':') /* it is the subject of receipts, and RFC 8392 keeps ':' for URIs */
            return false;
    return true;
}

static const char *read_file(struct hub_genesis *g, struct hub_span *epoch)
{
    struct hub_cbor c = hub_cbor_open(g->bytes);
    uint64_t suite, format;

    if (g->bytes.len > HUB_GENESIS_BYTES_MAX)
        return "genesis: the file is longer than 65,535 bytes";
    if (!hub_cbor_ok(g->bytes))
        return "genesis: the file is not one item of deterministic CBOR";
    hub_cbor_map(&c, 8, 8);
    hub_cbor_key(&c, "keys");
    g->keys = hub_cbor_item(&c);
    hub_cbor_key(&c, "name");
    g->name = hub_cbor_text(&c, 1, HUB_NETWORK_NAME_MAX);
    hub_cbor_key(&c, "epoch");
    *epoch = hub_cbor_item(&c);
    hub_cbor_key(&c, "suite");
    suite = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    hub_cbor_key(&c, "format");
    format = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    hub_cbor_key(&c, "members");
    g->members = hub_cbor_item(&c);
    hub_cbor_key(&c, "time_ms");
    g->time_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    hub_cbor_key(&c, "parameters");
    g->parameters = hub_cbor_item(&c);
    if (!hub_cbor_done(&c))
        return "genesis: must hold keys, name, epoch, suite, format, members, time_ms, parameters";
    if (format != 1 || suite != 1)
        return "genesis: format and suite must be 1; a newer program wrote this file";
    return name_ok(g->name) ? NULL : "name: no colon, and no space around it";
}

enum hub_status hub_genesis_decode(struct hub_genesis *out, const char **why, struct hub_span bytes)
{
    struct hub_genesis g = {.bytes = bytes};
    struct hub_span epoch;
    const char *wrong = read_file(&g, &epoch);

    if (wrong == NULL) {
        hub_hash_tagged(&g.chain, "hubledger/genesis/1", bytes);
        wrong = check_members(&g);
    }
    if (wrong == NULL)
        wrong = check_grants(&g);
    if (wrong == NULL)
        wrong = check_governors(&g);
    if (wrong == NULL)
        wrong = check_parameters(&g);
    if (wrong == NULL)
        wrong = check_epoch(&g, epoch);
    if (wrong != NULL) {
        if (why != NULL)
            *why = wrong;
        return HUB_BAD_GENESIS;
    }
    *out = g;
    return HUB_OK;
}

static const char *check_signature(const struct hub_genesis *g, const struct hub_cosignature *s)
{
    uint8_t bytes[HUB_GENESIS_BYTES_MAX + 128];
    struct hub_buf message = {bytes, 0, sizeof bytes, false};
    struct hub_public_key key;
    struct grant k;

    if (!find_grant(&k, g, &s->kid) || (hub_grant_roles(k.map) & HUB_ROLE_GOVERNOR) == 0)
        return "genesis.signatures: a signature is by no governor key of this genesis file";
    if (!hub_cose_key_decode(&key, hub_field_span(k.map, "key")))
        return "genesis.signatures: the signer's key cannot be read";
    hub_cosign_message(&message, hub_text_span(""), &s->kid, g->bytes);
    HUB_ASSERT(!message.full);
    return hub_verify(&s->sig, hub_span_of(&message), &key)
               ? NULL
               : "genesis.signatures: a signature does not fit this genesis file";
}

static bool member_signed(const struct hub_genesis *g, struct hub_span code,
                          struct hub_span signatures)
{
    uint32_t n;
    struct hub_cbor c = open_array(signatures, &n);
    struct hub_cosignature s;
    struct grant k;

    for (uint32_t i = 0; i < n; i++) {
        hub_cosignature_read(&s, &c);
        if (find_grant(&k, g, &s.kid) && hub_span_equal(k.code, code))
            return true;
    }
    return false;
}

static const char *check_signatures(const struct hub_genesis *g, struct hub_span signatures)
{
    uint32_t n;
    struct hub_cbor c = open_array(signatures, &n);
    struct hub_cosignature s, last = {0};
    const char *why = NULL;

    for (uint32_t i = 0; i < n && why == NULL; i++, last = s) {
        hub_cosignature_read(&s, &c);
        if (c.bad || (i > 0 && memcmp(last.kid.b, s.kid.b, sizeof s.kid.b) >= 0))
            return "genesis.signatures: must be an array of COSE_Signature, sorted by kid, one a "
                   "kid";
        why = check_signature(g, &s);
    }
    if (why == NULL && !hub_cbor_done(&c))
        return "genesis.signatures: must be an array of COSE_Signature and nothing else";
    return why;
}

uint32_t hub_genesis_unsigned(const struct hub_genesis *g, struct hub_span signatures,
                              struct hub_span *code, uint32_t room)
{
    uint32_t n, missing = 0;
    struct hub_cbor members = open_array(g->members, &n);

    for (uint32_t i = 0; i < n; i++) {
        struct hub_span member = hub_cbor_item(&members), name = hub_field_span(member, "code");

        if (!votes(member) || member_signed(g, name, signatures))
            continue;
        if (missing < room)
            code[missing] = name;
        missing++;
    }
    return missing;
}

enum hub_status hub_genesis_signatures_ok(const struct hub_genesis *g, const char **why,
                                          struct hub_span signatures)
{
    const char *wrong = check_signatures(g, signatures);

    if (wrong == NULL && hub_genesis_unsigned(g, signatures, NULL, 0) > 0)
        wrong = "genesis.signatures: a governor of every voting member must sign";
    if (wrong == NULL)
        return HUB_OK;
    if (why != NULL)
        *why = wrong;
    return HUB_BAD_GENESIS;
}

enum hub_status hub_genesis_signature_ok(const struct hub_genesis *g, const char **why,
                                         const struct hub_cosignature *s)
{
    const char *wrong = check_signature(g, s);

    if (wrong == NULL)
        return HUB_OK;
    if (why != NULL)
        *why = wrong;
    return HUB_BAD_GENESIS;
}
