/* founding.c: member cards, genesis drafts and invites: their bytes. */
#include "tools/founding.h"

#include "hub/cose.h"
#include "hub/member.h"

#include <string.h>

enum {
    TAG_COSE_SIGN = 98,
    LABEL_CONTENT_TYPE = 3,
    MESSAGE_BYTES = HUB_CARD_BYTES_MAX + 256,
    SIGNATURES_MAX = 4 * HUB_CARDS_MAX /* several governors of a member may sign */
};
static const char card_type[] = "application/vnd.hubledger.member-card+cbor";

static void put_pair(struct hub_buf *b, const char *name, const char *text)
{
    hub_put_text(b, name);
    hub_put_text(b, text);
}

static void put_number(struct hub_buf *b, const char *name, uint64_t value)
{
    if (!value)
        return;
    hub_put_text(b, name);
    hub_put_uint(b, value);
}

/* formats.cddl `member`, its keys in order of their encoding. */
static void put_member(struct hub_buf *b, const struct hub_card_text *t)
{
    hub_put_map(b, 3u + (t->quota != 0) + (t->contact != NULL) + t->seal_needs_given +
                       (t->institution != 0) + (t->governors_needed != 0));
    put_pair(b, "code", t->code);
    put_pair(b, "kind", t->kind);
    hub_put_text(b, "names");
    hub_put_map(b, 1u + (t->en != NULL));
    if (t->en)
        put_pair(b, "en", t->en);
    put_pair(b, "zh", t->zh);
    put_number(b, "quota", t->quota);
    if (t->contact)
        put_pair(b, "contact", t->contact);
    if (t->seal_needs_given) {
        hub_put_text(b, "seal_needs");
        hub_put_uint(b, t->seal_needs);
    }
    put_number(b, "institution", t->institution);
    put_number(b, "governors_needed", t->governors_needed);
}

static bool has_role(const struct hub_card_key *k, const char *role)
{
    for (unsigned i = 0; i < k->roles; i++)
        if (!strcmp(k->role[i], role))
            return true;
    return false;
}

/* formats.cddl `key-grant`: a node's key brings its transport key, a reader's its own as box. */
static void put_grant(struct hub_buf *b, const struct hub_card_key *k)
{
    const struct hub_span transport = {k->file->transport, HUB_TRANSPORT_BYTES};
    const bool node = has_role(k, "validator") || has_role(k, "observer");
    const bool reader = has_role(k, "reader");
    uint8_t cose_key[HUB_COSE_KEY_BYTES];
    hub_cose_key_encode(cose_key, &k->file->key);
    hub_put_map(b, 3u + node + reader);
    if (reader) {
        hub_put_text(b, "box");
        hub_put_bytes(b, transport);
    }
    hub_put_text(b, "key");
    hub_put_bytes(b, (struct hub_span){cose_key, sizeof cose_key});
    put_pair(b, "label", k->label);
    hub_put_text(b, "roles");
    hub_put_array(b, k->roles);
    for (unsigned i = 0; i < k->roles; i++)
        hub_put_text(b, k->role[i]);
    if (node) {
        hub_put_text(b, "transport");
        hub_put_bytes(b, transport);
    }
}

/* The header that all signatures of a card stand on: {3: its media type}. */
static struct hub_span card_protected(uint8_t bytes[64])
{
    struct hub_buf b = {.data = bytes, .cap = 64};
    hub_put_map(&b, 1);
    hub_put_uint(&b, LABEL_CONTENT_TYPE);
    hub_put_text(&b, card_type);
    HUB_ASSERT(!b.full);
    return hub_span_of(&b);
}

bool hub_card_write(struct hub_buf *out, const struct hub_card_text *text,
                    const struct hub_card_key *key, unsigned keys)
{
    uint8_t payload_bytes[HUB_CARD_BYTES_MAX], header_bytes[64], message_bytes[MESSAGE_BYTES];
    struct hub_buf payload = {.data = payload_bytes, .cap = sizeof payload_bytes};
    struct hub_buf message = {.data = message_bytes, .cap = sizeof message_bytes};
    const struct hub_span header = card_protected(header_bytes);
    struct hub_cosignature s[HUB_CARD_KEYS_MAX];

    HUB_ASSERT(keys >= 1 && keys <= HUB_CARD_KEYS_MAX);
    hub_put_map(&payload, 2u + (text->endpoint != NULL));
    hub_put_text(&payload, "keys");
    hub_put_array(&payload, keys);
    for (unsigned i = 0; i < keys; i++)
        put_grant(&payload, &key[i]);
    hub_put_text(&payload, "member");
    put_member(&payload, text);
    if (text->endpoint)
        put_pair(&payload, "endpoint", text->endpoint);
    if (payload.full)
        return false;
    for (unsigned i = 0; i < keys; i++)
        hub_cosign(&s[i], &message, header, hub_span_of(&payload), &key[i].file->key,
                   key[i].file->secrets->sign);
    hub_cosignatures_sort(s, keys);
    hub_put_tag(out, TAG_COSE_SIGN);
    hub_put_array(out, 4);
    hub_put_bytes(out, header);
    hub_put_map(out, 0);
    hub_put_bytes(out, hub_span_of(&payload));
    hub_put_array(out, keys);
    for (unsigned i = 0; i < keys; i++)
        hub_cosignature_put(out, &s[i]);
    return !out->full;
}

static const struct hub_field grant = {.kind = HUB_FIELD_MAP, .sub = hub_grant_fields};
static const struct hub_field card_fields[] = {
    {.name = "keys",
     .kind = HUB_FIELD_ARRAY,
     .required = true,
     .min = 1,
     .max = HUB_CARD_KEYS_MAX,
     .sub = &grant},
    {.name = "member", .kind = HUB_FIELD_MAP, .required = true, .sub = hub_member_fields},
    {.name = "endpoint", .kind = HUB_FIELD_TEXT, .min = 3, .max = HUB_ENDPOINT_MAX},
    {.name = NULL},
};

static bool read_card_body(struct hub_card *card, struct hub_span payload)
{
    struct hub_cbor keys;
    const char *field;
    uint32_t n = 0;
    if (hub_body_check(payload, card_fields, &field) != 0 ||
        !hub_field_array(payload, "keys", &keys, &n))
        return false;
    for (card->grants = 0; card->grants < n; card->grants++)
        card->grant[card->grants] = hub_cbor_item(&keys);
    card->member = hub_field_item(payload, "member");
    card->code = hub_field_span(card->member, "code");
    card->endpoint = hub_field_span(payload, "endpoint");
    return true;
}

/* The key of the grant whose kid this is. */
static bool key_of(struct hub_public_key *out, const struct hub_card *card,
                   const struct hub_hash *kid)
{
    for (unsigned i = 0; i < card->grants; i++) {
        struct hub_hash own;
        const struct hub_span cose_key = hub_field_span(card->grant[i], "key");
        hub_hash_span(&own, cose_key);
        if (hub_hash_equal(&own, kid))
            return hub_cose_key_decode(out, cose_key);
    }
    return false;
}

bool hub_card_read(struct hub_card *out, const char **why, struct hub_span bytes)
{
    static const char damaged[] =
        "not a member card, or damaged: let its member make it anew (hubledger member card)";
    uint8_t header_bytes[64], message_bytes[MESSAGE_BYTES];
    const struct hub_span header = card_protected(header_bytes);
    struct hub_cosignature s, last = {0};
    struct hub_card card = {0};

    *why = damaged;
    if (bytes.len > HUB_CARD_BYTES_MAX || !hub_cbor_ok(bytes))
        return false;
    struct hub_cbor c = hub_cbor_open(bytes);
    hub_cbor_tag(&c, TAG_COSE_SIGN);
    hub_cbor_array(&c, 4, 4);
    if (!hub_span_equal(hub_cbor_bytes(&c, header.len, header.len), header))
        return false;
    hub_cbor_map(&c, 0, 0);
    const struct hub_span payload = hub_cbor_bytes(&c, 1, HUB_CARD_BYTES_MAX);
    const uint32_t n = hub_cbor_array(&c, 1, HUB_CARD_KEYS_MAX);
    if (c.bad || !read_card_body(&card, payload))
        return false;
    *why = "every key of the card must sign it, once, in order of kid";
    if (n != card.grants)
        return false;
    for (uint32_t i = 0; i < n; i++, last = s) {
        struct hub_buf message = {.data = message_bytes, .cap = sizeof message_bytes};
        struct hub_public_key key;
        hub_cosignature_read(&s, &c);
        if (c.bad || (i > 0 && memcmp(last.kid.b, s.kid.b, sizeof s.kid.b) >= 0) ||
            !key_of(&key, &card, &s.kid))
            return false;
        hub_cosign_message(&message, header, &s.kid, payload);
        if (message.full || !hub_verify(&s.sig, hub_span_of(&message), &key)) {
            *why = "a signature does not fit the card: it was changed after it was made";
            return false;
        }
    }
    if (!hub_cbor_done(&c))
        return false;
    *out = card;
    return true;
}

/* The validators of the first epoch: the cards' validator keys, in order. */
static const char *put_epoch(struct hub_buf *out, const struct hub_founding_plan *plan)
{
    struct hub_validators set = {.fault_model = plan->fault_model};
    for (unsigned i = 0; i < plan->cards; i++)
        for (unsigned j = 0; j < plan->card[i].grants; j++) {
            const struct hub_card *card = &plan->card[i];
            const struct hub_span transport = hub_field_span(card->grant[j], "transport");
            const struct hub_span key = hub_field_span(card->grant[j], "key");
            if ((hub_grant_roles(card->grant[j]) & HUB_ROLE_VALIDATOR) == 0)
                continue;
            if (set.n == HUB_VALIDATORS_MAX)
                return "epoch: more than 64 validators";
            if (transport.len != HUB_TRANSPORT_BYTES ||
                !hub_cose_key_decode(&set.v[set.n].key, key) ||
                card->code.len > HUB_MEMBER_CODE_MAX)
                return "keys: a validator key needs transport";
            memcpy(set.v[set.n].transport, transport.data, HUB_TRANSPORT_BYTES);
            memcpy(set.v[set.n++].member, card->code.data, card->code.len);
        }
    if (set.n == 0)
        return "epoch: no card brings a key with role validator";
    if (set.n == 1 && plan->fault_model == HUB_FAULT_BFT)
        set.fault_model = HUB_FAULT_SINGLE;
    set.q = plan->quorum                                ? plan->quorum
            : set.fault_model == HUB_FAULT_CRASH_1_OF_3 ? 2
                                                        : hub_quorum_default(set.n);
    hub_validators_encode(out, &set);
    return NULL;
}

bool hub_founding_genesis(struct hub_buf *out, const char **why,
                          const struct hub_founding_plan *plan)
{
    struct hub_genesis checked;
    unsigned keys = 0;
    for (unsigned i = 0; i < plan->cards; i++)
        keys += plan->card[i].grants;
    hub_put_map(out, 8);
    hub_put_text(out, "keys");
    hub_put_array(out, keys);
    for (unsigned i = 0; i < plan->cards; i++)
        for (unsigned j = 0; j < plan->card[i].grants; j++) {
            hub_put_array(out, 2);
            hub_put_text_span(out, plan->card[i].code);
            hub_put_raw(out, plan->card[i].grant[j]);
        }
    put_pair(out, "name", plan->name);
    hub_put_text(out, "epoch");
    if ((*why = put_epoch(out, plan)) != NULL)
        return false;
    hub_put_text(out, "suite");
    hub_put_uint(out, 1);
    hub_put_text(out, "format");
    hub_put_uint(out, 1);
    hub_put_text(out, "members");
    hub_put_array(out, plan->cards);
    for (unsigned i = 0; i < plan->cards; i++)
        hub_put_raw(out, plan->card[i].member);
    hub_put_text(out, "time_ms");
    hub_put_uint(out, plan->time_ms);
    hub_put_text(out, "parameters");
    hub_put_raw(out, plan->parameters);
    *why = "genesis: the file would be longer than 65,535 bytes";
    return !out->full && hub_genesis_decode(&checked, why, hub_span_of(out)) == HUB_OK;
}

bool hub_name_before(struct hub_span a, struct hub_span b)
{
    return a.len != b.len ? a.len < b.len : memcmp(a.data, b.data, a.len) < 0;
}

void hub_founding_endpoints(struct hub_buf *out, const struct hub_card *card, unsigned cards)
{
    const struct hub_card *by[HUB_CARDS_MAX];
    unsigned n = 0;
    HUB_ASSERT(cards <= HUB_CARDS_MAX);
    for (unsigned i = 0; i < cards; i++) { /* in order of their encoding: shorter first */
        unsigned at = n;
        if (!card[i].endpoint.len)
            continue;
        for (; at > 0 && hub_name_before(card[i].code, by[at - 1]->code); at--)
            by[at] = by[at - 1];
        by[at] = &card[i];
        n++;
    }
    hub_put_map(out, n);
    for (unsigned i = 0; i < n; i++) {
        hub_put_text_span(out, by[i]->code);
        hub_put_text_span(out, by[i]->endpoint);
    }
}

bool hub_founding_write(struct hub_buf *out, struct hub_span genesis, struct hub_span endpoints,
                        struct hub_span signatures)
{
    hub_put_map(out, 3);
    hub_put_text(out, "genesis");
    hub_put_bytes(out, genesis);
    hub_put_text(out, "endpoints");
    hub_put_raw(out, endpoints);
    hub_put_text(out, "signatures");
    hub_put_raw(out, signatures);
    return !out->full;
}

static bool endpoints_ok(struct hub_span map)
{
    struct hub_cbor c = hub_cbor_open(map);
    const uint32_t n = hub_cbor_map(&c, 0, HUB_CARDS_MAX);
    for (uint32_t i = 0; i < n; i++) {
        hub_cbor_text(&c, 3, HUB_MEMBER_CODE_MAX);
        hub_cbor_text(&c, 3, HUB_ENDPOINT_MAX);
    }
    return hub_cbor_done(&c);
}

static const char *check_signatures(const struct hub_founding *f)
{
    struct hub_cbor c = hub_cbor_open(f->signatures);
    const uint32_t n = hub_cbor_array(&c, 0, SIGNATURES_MAX);
    struct hub_cosignature s, last = {0};
    const char *why = NULL;
    for (uint32_t i = 0; i < n; i++, last = s) {
        hub_cosignature_read(&s, &c);
        if (c.bad || (i > 0 && memcmp(last.kid.b, s.kid.b, sizeof s.kid.b) >= 0))
            return "signatures: must be COSE_Signatures, sorted by kid, one a kid";
        if (hub_genesis_signature_ok(&f->genesis, &why, &s) != HUB_OK)
            return why;
    }
    return hub_cbor_done(&c) ? NULL : "signatures: must be an array of COSE_Signature";
}

bool hub_founding_read(struct hub_founding *out, const char **why, struct hub_span bytes)
{
    struct hub_founding f = {0};
    *why = "not a genesis draft or invite, or damaged: ask its sender for it again";
    if (bytes.len > HUB_FOUNDING_BYTES_MAX || !hub_cbor_ok(bytes))
        return false;
    struct hub_cbor c = hub_cbor_open(bytes);
    hub_cbor_map(&c, 3, 3);
    hub_cbor_key(&c, "genesis");
    const struct hub_span genesis = hub_cbor_bytes(&c, 1, HUB_GENESIS_BYTES_MAX);
    hub_cbor_key(&c, "endpoints");
    f.endpoints = hub_cbor_item(&c);
    hub_cbor_key(&c, "signatures");
    f.signatures = hub_cbor_item(&c);
    if (!hub_cbor_done(&c) || !endpoints_ok(f.endpoints) ||
        hub_genesis_decode(&f.genesis, why, genesis) != HUB_OK ||
        (*why = check_signatures(&f)) != NULL)
        return false;
    *out = f;
    return true;
}

bool hub_signatures_merge(struct hub_buf *out, struct hub_span a, struct hub_span b)
{
    struct hub_cosignature s[2 * SIGNATURES_MAX];
    const struct hub_span from[2] = {a, b};
    uint32_t n = 0, kept = 0;
    for (int i = 0; i < 2; i++) {
        struct hub_cbor c = hub_cbor_open(from[i]);
        for (uint32_t left = hub_cbor_array(&c, 0, SIGNATURES_MAX); left > 0; left--)
            hub_cosignature_read(&s[n++], &c);
        if (!hub_cbor_done(&c))
            return false;
    }
    hub_cosignatures_sort(s, n);
    for (uint32_t i = 0; i < n; i++)
        if (i == 0 || !hub_hash_equal(&s[i].kid, &s[kept - 1].kid))
            s[kept++] = s[i];
    if (kept > SIGNATURES_MAX)
        return false;
    hub_put_array(out, kept);
    for (uint32_t i = 0; i < kept; i++)
        hub_cosignature_put(out, &s[i]);
    return !out->full;
}

void hub_genesis_sign(struct hub_buf *out, struct hub_span genesis, const struct hub_keyfile *key)
{
    uint8_t bytes[HUB_GENESIS_BYTES_MAX + 256];
    struct hub_buf message = {.data = bytes, .cap = sizeof bytes};
    struct hub_cosignature s;
    hub_cosign(&s, &message, hub_text_span(""), genesis, &key->key, key->secrets->sign);
    hub_put_array(out, 1);
    hub_cosignature_put(out, &s);
}
