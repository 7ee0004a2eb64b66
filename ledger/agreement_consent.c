/* agreement_consent.c: the parties' own signatures over the agreement, and the file that holds them. */
#include "hub/agreement.h"

#include <string.h>

#include "hub/cose.h"

enum { LABEL_DECISION = -70002, TAG_COSE_SIGN = 98 };

/* {3: "application/vnd.hubledger.agreement+cbor"}, the protected header that all parties share. */
static void agreement_protected(struct hub_buf *out)
{
    hub_put_map(out, 1);
    hub_put_int(out, 3);
    hub_put_text(out, "application/vnd.hubledger.agreement+cbor");
}

void hub_agreement_id(struct hub_hash *out, const struct hub_hash *chain,
                      const struct hub_hash *kid, const uint8_t nonce[16])
{
    uint8_t bytes[96];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_put_array(&b, 3);
    hub_put_hash(&b, chain);
    hub_put_hash(&b, kid);
    hub_put_bytes(&b, (struct hub_span){nonce, 16});
    HUB_ASSERT(!b.full);
    hub_hash_tagged(out, "hubledger/agreement/1", hub_span_of(&b));
}

void hub_consent_protected(struct hub_buf *out, const struct hub_hash *kid, struct hub_span remark)
{
    HUB_ASSERT(remark.len <= HUB_REMARK_BYTES_MAX);
    hub_put_map(out, 3);
    hub_put_int(out, 1);
    hub_put_int(out, -8);
    hub_put_int(out, 4);
    hub_put_hash(out, kid);
    hub_put_int(out, LABEL_DECISION);
    hub_put_array(out, 2);
    hub_put_uint(out, HUB_DECISION_SIGN);
    hub_put_text_span(out, remark);
}

void hub_consent_message(struct hub_buf *out, struct hub_span body, struct hub_span sign_protected)
{
    uint8_t bytes[64];
    struct hub_buf shared = {bytes, 0, sizeof bytes, false};
    agreement_protected(&shared);
    HUB_ASSERT(!shared.full);
    hub_cosign_structure(out, hub_span_of(&shared), sign_protected, body);
}

void hub_consent_encode(struct hub_buf *out, struct hub_span protected_,
                        const struct hub_signature *signature)
{
    hub_put_array(out, 3);
    hub_put_bytes(out, protected_);
    hub_put_map(out, 0);
    hub_put_bytes(out, (struct hub_span){signature->b, sizeof signature->b});
}

static bool protected_decode(struct hub_consent *out, struct hub_span bytes)
{
    struct hub_cbor c = hub_cbor_open(bytes);
    hub_cbor_map(&c, 3, 3);
    hub_cbor_label(&c, 1);
    if (hub_cbor_int(&c) != -8)
        return false;
    hub_cbor_label(&c, 4);
    hub_cbor_hash(&c, &out->kid);
    hub_cbor_label(&c, LABEL_DECISION);
    hub_cbor_array(&c, 2, 2);
    hub_cbor_uint(&c, HUB_DECISION_SIGN, HUB_DECISION_SIGN);
    out->remark = hub_cbor_text(&c, 0, HUB_REMARK_BYTES_MAX);
    out->protected_ = bytes;
    return hub_cbor_done(&c);
}

bool hub_consent_decode(struct hub_consent *out, struct hub_span item)
{
    struct hub_consent got;
    struct hub_cbor c = hub_cbor_open(item);
    hub_cbor_array(&c, 3, 3);
    struct hub_span protected_ = hub_cbor_bytes(&c, 1, HUB_REMARK_BYTES_MAX + 64);
    hub_cbor_map(&c, 0, 0);
    got.signature = (const struct hub_signature *)(const void *)hub_cbor_bytes(&c, 64, 64).data;
    if (!hub_cbor_done(&c) || !protected_decode(&got, protected_))
        return false;
    *out = got;
    return true;
}

bool hub_consent_ok(const struct hub_consent *c, struct hub_span body,
                    const struct hub_public_key *key)
{
    uint8_t bytes[HUB_RECORD_BYTES_MAX + HUB_REMARK_BYTES_MAX + 256];
    struct hub_buf message = {bytes, 0, sizeof bytes, false};
    struct hub_hash kid;
    hub_kid_of(&kid, key);
    if (!hub_hash_equal(&kid, &c->kid))
        return false;
    hub_consent_message(&message, body, c->protected_);
    return !message.full && hub_verify(c->signature, hub_span_of(&message), key);
}

void hub_executed_begin(struct hub_buf *out, struct hub_span body, uint32_t consents)
{
    uint8_t bytes[64];
    struct hub_buf shared = {bytes, 0, sizeof bytes, false};
    agreement_protected(&shared);
    hub_put_tag(out, TAG_COSE_SIGN);
    hub_put_array(out, 4);
    hub_put_bytes(out, hub_span_of(&shared));
    hub_put_map(out, 0);
    hub_put_bytes(out, body);
    hub_put_array(out, consents);
}

/* Signed words on the revision, ascending by kid. */
static uint32_t signed_words(struct hub_statement out[HUB_PARTIES_MAX], const struct hub_state *s,
                             const struct hub_hash *agreement, uint32_t revision,
                             const struct hub_revision *r)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->party_count; i++) {
        struct hub_statement w;
        if (!hub_statement_find(&w, s, agreement, revision, r->party[i]) ||
            w.decision != HUB_DECISION_SIGN)
            continue;
        uint32_t at = n++;
        for (; at > 0 && memcmp(out[at - 1].kid.b, w.kid.b, sizeof w.kid.b) > 0; at--)
            out[at] = out[at - 1];
        out[at] = w;
    }
    return n;
}

enum hub_status hub_executed_build(struct hub_buf *out, const struct hub_state *s,
                                   const struct hub_hash *agreement, uint32_t revision)
{
    struct hub_revision r;
    struct hub_statement words[HUB_PARTIES_MAX];
    uint32_t n = 0;
    if (hub_revision_find(&r, s, agreement, revision))
        n = signed_words(words, s, agreement, revision, &r);
    if (n == 0)
        return HUB_NOT_FOUND;
    hub_executed_begin(out, r.body, n);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t bytes[HUB_REMARK_BYTES_MAX + 64];
        struct hub_buf protected_ = {bytes, 0, sizeof bytes, false};
        struct hub_signature signature;
        HUB_ASSERT(words[i].signature.len == sizeof signature.b);
        memcpy(signature.b, words[i].signature.data, sizeof signature.b);
        hub_consent_protected(&protected_, &words[i].kid, words[i].remark);
        hub_consent_encode(out, hub_span_of(&protected_), &signature);
    }
    return out->full ? HUB_LIMIT : HUB_OK;
}

bool hub_executed_decode(struct hub_executed *out, struct hub_span bytes)
{
    uint8_t expected[64];
    struct hub_buf shared = {expected, 0, sizeof expected, false};
    struct hub_executed got;
    struct hub_cbor c = hub_cbor_open(bytes);
    agreement_protected(&shared);
    hub_cbor_tag(&c, TAG_COSE_SIGN);
    hub_cbor_array(&c, 4, 4);
    if (!hub_span_equal(hub_cbor_bytes(&c, 1, sizeof expected), hub_span_of(&shared)))
        return false;
    hub_cbor_map(&c, 0, 0);
    got.body = hub_cbor_bytes(&c, 1, HUB_RECORD_BYTES_MAX);
    got.count = hub_cbor_array(&c, 1, HUB_PARTIES_MAX);
    for (uint32_t i = 0; i < got.count; i++) {
        if (!hub_consent_decode(&got.consent[i], hub_cbor_item(&c)))
            return false;
        if (i > 0 && memcmp(got.consent[i - 1].kid.b, got.consent[i].kid.b,
                            sizeof got.consent[i].kid.b) >= 0)
            return false;
    }
    if (!hub_cbor_done(&c) || !hub_cbor_ok(got.body))
        return false;
    *out = got;
    return true;
}
