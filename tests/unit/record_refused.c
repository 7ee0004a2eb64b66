/* What hub_record_decode refuses, envelope to attachment: golden records of tests/vectors/golden.txt, changed. */
#include "hub/record.h"

#include "hub/apply.h"
#include "hub/cose.h"
#include "tests/support/hex.h"
#include "tests/support/vectors.h"

#include <criterion/criterion.h>
#include <string.h>

static uint16_t code_of(struct hub_span bytes)
{
    return test_record_code(bytes, (struct hub_span){NULL, 0});
}

/* ---- refusals of the envelope */

static struct hub_span edited(const char *name, size_t cut, const char *replacement_hex, size_t at)
{
    static uint8_t bytes[HUB_RECORD_BYTES_MAX + 2];
    struct hub_span whole = test_record_vector(name, ""), middle = test_bytes(replacement_hex);

    memcpy(bytes, whole.data, at);
    memcpy(bytes + at, middle.data, middle.len);
    memcpy(bytes + at + middle.len, whole.data + at + cut, whole.len - at - cut);
    return (struct hub_span){bytes, whole.len - cut + middle.len};
}

Test(record, refuses_every_truncation_and_a_trailing_byte)
{
    struct hub_span whole = test_record_vector("currency.transfer", "");

    for (size_t n = 0; n < whole.len; n++)
        cr_assert_eq(code_of((struct hub_span){whole.data, n}), HUB_CODE_not_canonical, "%zu", n);
    cr_assert_eq(code_of(edited("currency.transfer", 0, "00", whole.len)), HUB_CODE_not_canonical);
}

Test(record, refuses_wrong_or_missing_tags_and_arrays)
{
    cr_assert_eq(code_of(edited("currency.transfer", 1, "", 0)), HUB_CODE_not_canonical);
    cr_assert_eq(code_of(edited("currency.transfer", 1, "d862", 0)), HUB_CODE_not_canonical);
    cr_assert_eq(code_of(edited("currency.transfer", 1, "d9d9f7d2", 0)), HUB_CODE_not_canonical);
    cr_assert_eq(code_of(edited("currency.transfer", 1, "d812", 0)), HUB_CODE_not_canonical);
    cr_assert_eq(code_of(edited("currency.transfer", 1, "85", 1)), HUB_CODE_not_canonical);
    cr_assert_eq(code_of(edited("currency.transfer", 1, "9f", 1)), HUB_CODE_not_canonical);
}

/* The parts of the golden transfer, put together again with one of them changed. */
struct parts {
    struct hub_span protected_, unprotected, payload;
    bool detached;
    size_t signature_len;
};

static struct parts transfer_parts(void)
{
    struct hub_record r = test_record("currency.transfer");

    return (struct parts){r.protected_, test_bytes("a0"), r.payload, false, 64};
}

static struct hub_span joined(const struct parts *p)
{
    static uint8_t bytes[HUB_RECORD_BYTES_MAX + 4096];
    static const uint8_t signature[80];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};

    hub_put_tag(&out, 18);
    hub_put_array(&out, 4);
    hub_put_bytes(&out, p->protected_);
    hub_put_raw(&out, p->unprotected);
    if (p->detached)
        hub_put_null(&out);
    else
        hub_put_bytes(&out, p->payload);
    hub_put_bytes(&out, (struct hub_span){signature, p->signature_len});
    cr_assert_not(out.full);
    return hub_span_of(&out);
}

Test(record, refuses_anything_in_the_unprotected_header)
{
    struct parts p = transfer_parts();

    cr_assert_eq(code_of(joined(&p)), 0); /* a signature of zeros is judged later */
    p.unprotected = test_bytes("a10127"); /* alg */
    cr_assert_eq(code_of(joined(&p)), HUB_CODE_not_canonical);
    p.unprotected = test_bytes("a104420102");
    cr_assert_eq(code_of(joined(&p)), HUB_CODE_not_canonical);
    p.unprotected = test_bytes("f6");
    cr_assert_eq(code_of(joined(&p)), HUB_CODE_not_canonical);
    p.unprotected = test_bytes("80");
    cr_assert_eq(code_of(joined(&p)), HUB_CODE_not_canonical);
}

Test(record, refuses_a_detached_payload_and_odd_signatures)
{
    struct parts p = transfer_parts();

    p.detached = true;
    cr_assert_eq(code_of(joined(&p)), HUB_CODE_not_canonical);
    for (size_t n = 62; n <= 66; n++) {
        p = transfer_parts();
        p.signature_len = n;
        cr_assert_eq(code_of(joined(&p)), n == 64 ? 0 : HUB_CODE_not_canonical);
    }
}

Test(record, refuses_more_than_65535_bytes)
{
    static uint8_t filler[HUB_RECORD_BYTES_MAX];
    struct parts p = transfer_parts();
    struct hub_span record;

    p.payload = (struct hub_span){filler, HUB_RECORD_BYTES_MAX - 300};
    while (joined(&p).len < HUB_RECORD_BYTES_MAX)
        p.payload.len++;
    record = joined(&p);
    cr_assert_eq(record.len, HUB_RECORD_BYTES_MAX);
    cr_assert_eq(code_of(record), HUB_CODE_not_canonical); /* read, and its payload is no map */
    p.payload.len++;
    cr_assert_eq(code_of(joined(&p)), HUB_CODE_too_large);
}

/* ---- refusals of the protected header */

struct claims {
    int64_t alg;
    const char *media, *iss, *sub;
    size_t kid_len;
    uint64_t seq, until;
    bool swap, more;
};

static uint16_t header_code(struct claims c)
{
    static uint8_t bytes[512], kid[40];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};
    struct hub_hash chain = test_vector_hash("genesis.chain");
    struct parts p = transfer_parts();

    hub_put_map(&out, c.more ? 6 : 5);
    if (!c.swap) {
        hub_put_uint(&out, 1);
        hub_put_int(&out, c.alg);
    }
    hub_put_uint(&out, 3);
    hub_put_text(&out, c.media);
    if (c.swap) {
        hub_put_uint(&out, 1);
        hub_put_int(&out, c.alg);
    }
    hub_put_uint(&out, 4);
    hub_put_bytes(&out, (struct hub_span){kid, c.kid_len});
    hub_put_uint(&out, 15);
    hub_put_map(&out, 2);
    hub_put_uint(&out, 1);
    hub_put_text(&out, c.iss);
    hub_put_uint(&out, 2);
    hub_put_text(&out, c.sub);
    if (c.more) {
        hub_put_uint(&out, 16);
        hub_put_uint(&out, 0);
    }
    hub_put_int(&out, -70000);
    hub_put_array(&out, 3);
    hub_put_hash(&out, &chain);
    hub_put_uint(&out, c.seq);
    hub_put_uint(&out, c.until);
    p.protected_ = hub_span_of(&out);
    return code_of(joined(&p));
}

static struct claims transfer_claims(void)
{
    static char sub[65];
    struct hub_record r = test_record("currency.transfer");

    cr_assert(hub_record_sub(sub, r.type, r.body, r.iss));
    return (struct claims){.alg = -8,
                           .media = "application/vnd.hubledger.currency.transfer+cbor",
                           .iss = "BANK",
                           .sub = sub,
                           .kid_len = 32,
                           .seq = 1,
                           .until = 1};
}

#define WITH(field, value, code)                                                                   \
    do {                                                                                           \
        struct claims with = transfer_claims();                                                    \
        with.field = (value);                                                                      \
        cr_assert_eq(header_code(with), (code), "%s", #field " = " #value);                        \
    } while (0)

Test(record, refuses_headers_of_another_shape)
{
    WITH(seq, 1, 0);
    WITH(swap, true, HUB_CODE_not_canonical);
    WITH(more, true, HUB_CODE_not_canonical);
    WITH(kid_len, 31, HUB_CODE_not_canonical);
    WITH(kid_len, 33, HUB_CODE_not_canonical);
    WITH(seq, 0, HUB_CODE_not_canonical);
    WITH(seq, HUB_UINT_MAX, 0);
    WITH(seq, HUB_UINT_MAX + 1, HUB_CODE_not_canonical);
    WITH(until, HUB_UINT_MAX, 0);
    WITH(until, HUB_UINT_MAX + 1, HUB_CODE_not_canonical);
    WITH(iss, "", HUB_CODE_not_canonical);
    WITH(iss, "123456789012345678901234567890123", HUB_CODE_not_canonical);
    WITH(iss, "a\nb", HUB_CODE_not_canonical);
}

Test(record, names_unknown_suites_types_and_wrong_subjects)
{
    WITH(alg, -19, HUB_CODE_alg_unknown);
    WITH(alg, -7, HUB_CODE_alg_unknown);
    WITH(alg, 8, HUB_CODE_alg_unknown);
    WITH(media, "application/vnd.hubledger.currency.burn+cbor", HUB_CODE_type_unknown);
    WITH(media, "application/vnd.hubledger.currency.transfer", HUB_CODE_type_unknown);
    WITH(media, "application/vnd.hubledger.+cbor", HUB_CODE_type_unknown);
    WITH(media, "text/vnd.hubledger.currency.transfer+cbor", HUB_CODE_type_unknown);
    WITH(media, "application/cbor", HUB_CODE_type_unknown);
    WITH(sub, "1", HUB_CODE_sub_mismatch);
    WITH(sub, "BANK", HUB_CODE_sub_mismatch);
}

Test(record, refuses_another_chain)
{
    struct hub_hash other = test_vector_hash("genesis.epoch_hash");
    struct hub_record r;
    uint16_t why = 0;

    cr_assert_eq(hub_record_decode(&r, &why, test_record_vector("currency.transfer", ""),
                                   (struct hub_span){NULL, 0}, &other),
                 HUB_REFUSED);
    cr_assert_eq(why, HUB_CODE_chain_mismatch);
}

Test(record, gives_the_first_code_of_the_list_when_several_apply)
{
    struct hub_hash other = test_vector_hash("genesis.epoch_hash");
    struct parts p = transfer_parts();
    struct hub_record r;
    uint16_t why = 0;

    p.payload = test_bytes("a10001");
    cr_assert_eq(hub_record_decode(&r, &why, joined(&p), (struct hub_span){NULL, 0}, &other),
                 HUB_REFUSED);
    cr_assert_eq(why, HUB_CODE_body_invalid);
}

/* ---- refusals of the payload */

static uint16_t payload_code(const char *hex)
{
    struct parts p = transfer_parts();

    p.payload = test_bytes(hex);
    return code_of(joined(&p));
}

Test(record, refuses_payloads_that_are_not_strict)
{
    static const char *const hex[] = {
        "",                           /* nothing */
        "a000",                       /* trailing byte inside the bstr */
        "bf61610100ff",               /* indefinite length */
        "a2616101616102",             /* duplicate key */
        "a2616201616101",             /* order of keys */
        "a16161f90000",               /* float */
        "a16161f7",                   /* undefined */
        "a16161e0",                   /* another simple value */
        "a16161c24101",               /* bignum */
        "a161611817",                 /* not the shortest integer */
        "a1780161f4",                 /* not the shortest length */
        "a16161620000",               /* control characters */
        "a1616161c3",                 /* bad UTF-8 */
        "a1616181818181818181818100", /* depth */
        "a1616144010203",             /* length beyond the buffer */
    };

    for (size_t i = 0; i < sizeof hex / sizeof hex[0]; i++)
        cr_assert_eq(payload_code(hex[i]), HUB_CODE_not_canonical, "%s", hex[i]);
    cr_assert_eq(payload_code("a0"), HUB_CODE_body_invalid);
    cr_assert_eq(payload_code("80"), HUB_CODE_body_invalid);
    cr_assert_eq(payload_code("01"), HUB_CODE_body_invalid);
}

/* The golden key.add with another payload: its own core, and this cosign item (NULL: none). */
static uint16_t cosign_code(const char *name, uint32_t items, struct hub_span cosign)
{
    static uint8_t bytes[8192];
    struct hub_buf payload = {bytes, 0, sizeof bytes, false};
    struct hub_record r = test_record(name);
    struct parts p = {r.protected_, test_bytes("a0"), {NULL, 0}, false, 64};

    hub_put_map(&payload, items);
    hub_put_text(&payload, "core");
    hub_put_bytes(&payload, r.body);
    if (items > 1) {
        hub_put_text(&payload, "cosign");
        hub_put_raw(&payload, cosign);
    }
    p.payload = hub_span_of(&payload);
    return code_of(joined(&p));
}

/* n co-signatures of zeros with the given first byte of each kid. */
static struct hub_span cosigners(const uint8_t *kid_first, uint32_t n)
{
    static uint8_t bytes[4096];
    static const uint8_t zeros[64];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};

    hub_put_array(&out, n);
    for (uint32_t i = 0; i < n; i++) {
        struct hub_hash kid = {{kid_first[i]}};

        hub_put_array(&out, 3);
        hub_put_bytes_head(&out, 38);
        hub_put_map(&out, 2);
        hub_put_uint(&out, 1);
        hub_put_int(&out, -8);
        hub_put_uint(&out, 4);
        hub_put_hash(&out, &kid);
        hub_put_map(&out, 0);
        hub_put_bytes(&out, (struct hub_span){zeros, 64});
    }
    cr_assert_not(out.full);
    return hub_span_of(&out);
}

Test(record, wants_cosigners_in_order_once_and_at_most_sixteen)
{
    static const uint8_t ascending[17] = {1,  2,  3,  4,  5,  6,  7,  8, 9,
                                          10, 11, 12, 13, 14, 15, 16, 17};

    cr_assert_eq(cosign_code("key.add", 1, (struct hub_span){NULL, 0}), 0);
    cr_assert_eq(cosign_code("key.add", 2, cosigners(ascending, 1)), 0);
    cr_assert_eq(cosign_code("key.add", 2, cosigners(ascending, 16)), 0);
    cr_assert_eq(cosign_code("key.add", 2, cosigners(ascending, 17)), HUB_CODE_cosign_invalid);
    cr_assert_eq(cosign_code("key.add", 2, cosigners(ascending, 0)), HUB_CODE_cosign_invalid);
    cr_assert_eq(cosign_code("key.add", 2, cosigners((const uint8_t[]){2, 1}, 2)),
                 HUB_CODE_cosign_invalid);
    cr_assert_eq(cosign_code("key.add", 2, cosigners((const uint8_t[]){1, 1}, 2)),
                 HUB_CODE_cosign_invalid);
    cr_assert_eq(cosign_code("key.add", 2, test_bytes("a0")), HUB_CODE_cosign_invalid);
    cr_assert_eq(cosign_code("key.add", 2, test_bytes("8180")), HUB_CODE_cosign_invalid);
}

Test(record, refuses_the_main_signer_as_cosigner)
{
    struct hub_record r = test_record("key.add");
    struct hub_cosignature own = {.kid = r.kid};
    static uint8_t bytes[4096];
    struct hub_buf payload = {bytes, 0, sizeof bytes, false};
    struct parts p = {r.protected_, test_bytes("a0"), {NULL, 0}, false, 64};

    hub_payload_cosigned(&payload, r.body, &own, 1);
    p.payload = hub_span_of(&payload);
    cr_assert_eq(code_of(joined(&p)), HUB_CODE_cosign_invalid);
    own.kid.b[0] ^= 1;
    payload.len = 0;
    hub_payload_cosigned(&payload, r.body, &own, 1);
    p.payload = hub_span_of(&payload);
    cr_assert_eq(code_of(joined(&p)), 0);
}

Test(record, refuses_cosignatures_on_a_type_of_one_signer)
{
    struct parts p = transfer_parts();
    struct hub_cosignature someone = {.kid = {{1}}};
    static uint8_t bytes[1024];
    struct hub_buf payload = {bytes, 0, sizeof bytes, false};

    hub_payload_cosigned(&payload, test_record("currency.transfer").body, &someone, 1);
    p.payload = hub_span_of(&payload);
    cr_assert_eq(code_of(joined(&p)), HUB_CODE_body_invalid);
}

Test(record, refuses_an_attachment_where_none_belongs)
{
    cr_assert_eq(test_record_code(test_record_vector("currency.transfer", ""), test_bytes("00")),
                 HUB_CODE_batch_length);
    cr_assert_eq(test_record_code(test_record_vector("currency.batch", ""),
                                  (struct hub_span){test_vector("batch.attachment").data, 160}),
                 HUB_CODE_batch_length);
}
