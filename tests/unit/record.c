/* Expected bytes, ids and leaves: tests/vectors/golden.txt, written by python from docs/formats.cddl. */
#include "hub/record.h"

#include "hub/apply.h"
#include "hub/cose.h"
#include "tests/support/hex.h"
#include "tests/support/vectors.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    "key.add",           "key.revoke",          "agreement.propose",  "agreement.consent",
    "agreement.return",  "agreement.amend",     "wallet.open",        "currency.issue",
    "currency.transfer", "currency.batch",      "currency.redeem",    "validator.ready",
    "validator.replace", "key.cancel",          "governance.propose", "governance.approve",
    "governance.reject", "governance.withdraw", "evidence.report",    "epoch.recover"};
enum { NAMES = sizeof names / sizeof names[0] };

Test(record, accepts_every_golden_record_and_computes_its_ids)
{
    for (size_t i = 0; i < NAMES; i++) {
        struct hub_record r = test_record(names[i]);
        struct hub_span id = test_record_vector(names[i], ".id"),
                        leaf = test_record_vector(names[i], ".leaf");

        cr_assert(memcmp(r.id.b, id.data, 32) == 0, "%s", names[i]);
        cr_assert(memcmp(r.leaf.b, leaf.data, 32) == 0, "%s", names[i]);
        cr_assert(hub_span_equal(r.body, test_record_vector(names[i], ".body")), "%s", names[i]);
        cr_assert_not(r.verified);
    }
}

Test(record, verifies_every_golden_record)
{
    for (size_t i = 0; i < NAMES; i++) {
        struct hub_record r = test_record(names[i]);
        struct hub_record_keys keys = test_record_keys(&r);
        uint16_t why = 0;

        cr_assert(hub_record_verify(&r, &why, &keys), "%s: code %u", names[i], why);
        cr_assert(r.verified);
    }
}

/* A draft with the golden record's own fields. */
static struct hub_record_draft draft_of(const struct hub_record *r)
{
    return (struct hub_record_draft){.type = r->type,
                                     .kid = r->kid,
                                     .chain = test_vector_hash("genesis.chain"),
                                     .iss = r->iss,
                                     .sub = r->sub,
                                     .payload = r->payload,
                                     .seq = r->seq,
                                     .valid_until_ms = r->valid_until_ms};
}

static const struct {
    const char *record, *signer, *cosigners[4];
} signed_by[] = {
    {"key.add", "CHANGNING.governor1", {"CHANGNING.new", "CHANGNING.governor2"}},
    {"key.revoke", "CHANGNING.governor1", {NULL}},
    {"validator.ready", "CHANGNING.validator", {NULL}},
    {"validator.replace", "CHANGNING.governor1", {"CHANGNING.validator2"}},
    {"key.cancel", "CHANGNING.governor1", {NULL}},
    {"governance.propose",
     "CHANGNING.governor1",
     {"QINGPU.governor1", "QINGPU.governor2", "QINGPU.validator", "JIADING.governor3"}},
    {"governance.approve", "CHANGNING.governor1", {"CHANGNING.governor2"}},
    {"governance.reject", "CHANGNING.governor1", {NULL}},
    {"governance.withdraw", "CHANGNING.governor1", {NULL}},
    {"evidence.report", "JIADING.validator", {NULL}},
    {"epoch.recover",
     "CHANGNING.governor1",
     {"XIANGCHENG.governor1", "JIADING.governor1", "XIANGCHENG.validator", "CHANGNING.validator"}},
    {"agreement.propose", "XIANGCHENG.seal", {NULL}},
    {"wallet.open", "BANK.operator", {"owner.personal"}},
    {"currency.issue", "AUTHORITY.issuer1", {"AUTHORITY.issuer2"}},
    {"currency.transfer", "BANK.operator", {NULL}},
    {"currency.batch", "BANK.operator", {"BANK.checker"}},
};

Test(record, builds_the_golden_bytes)
{
    for (size_t i = 0; i < sizeof signed_by / sizeof signed_by[0]; i++) {
        static uint8_t bytes[4][HUB_RECORD_BYTES_MAX + 512];
        struct hub_buf out = {bytes[0], 0, sizeof bytes[0], false};
        struct hub_buf scratch = {bytes[1], 0, sizeof bytes[1], false};
        struct hub_buf protected_ = {bytes[2], 0, sizeof bytes[2], false};
        struct hub_buf payload = {bytes[3], 0, sizeof bytes[3], false};
        struct hub_record r = test_record(signed_by[i].record);
        struct hub_record_draft d = draft_of(&r);
        struct hub_cosignature cosign[4];
        uint32_t n = 0;

        hub_record_protected(&protected_, &d);
        for (; n < 4 && signed_by[i].cosigners[n] != NULL; n++) {
            struct test_key k = test_key(signed_by[i].cosigners[n]);

            hub_cosign(&cosign[n], &scratch, hub_span_of(&protected_), r.body, &k.key, k.secret);
        }
        if (hub_record_types[r.type].cosigned) {
            hub_payload_cosigned(&payload, r.body, cosign, n);
            d.payload = hub_span_of(&payload);
        }
        cr_assert_eq(hub_record_build(&out, &scratch, &d, test_key(signed_by[i].signer).secret),
                     HUB_OK);
        cr_assert(hub_span_equal(hub_span_of(&out), test_record_vector(signed_by[i].record, "")),
                  "%s", signed_by[i].record);
    }
}

Test(record, computes_the_subject_by_the_rule_of_its_type)
{
    for (size_t i = 0; i < NAMES; i++) {
        struct hub_record r = test_record(names[i]);
        char sub[65];

        cr_assert(hub_record_sub(sub, r.type, r.body, r.iss));
        cr_assert(hub_span_equal(r.sub, test_text(sub)), "%s: %s", names[i], sub);
    }
}

Test(record, peek_needs_no_attachment)
{
    struct hub_hash chain = test_vector_hash("genesis.chain");
    struct hub_public_key key;
    struct hub_record r;
    uint16_t why = 0;

    cr_assert_eq(hub_record_peek(&r, &why, test_record_vector("currency.batch", ""), &chain),
                 HUB_OK);
    cr_assert(test_key_of(&key, &r.kid) && hub_record_signature_ok(&r, &key));
    cr_assert_not(r.verified);
    key = test_key("BANK.checker").key;
    cr_assert_not(hub_record_signature_ok(&r, &key));
    cr_assert_eq(
        test_record_code(test_record_vector("currency.batch", ""), (struct hub_span){NULL, 0}),
        HUB_CODE_batch_length);
}

Test(record, tells_cosigners_and_the_key_it_brings)
{
    struct hub_record r = test_record("key.add");
    struct hub_hash first, second, none;
    struct hub_public_key key, brought = test_key("CHANGNING.new").key;

    cr_assert(hub_record_cosigner(&r, 0, &first) && hub_record_cosigner(&r, 1, &second));
    cr_assert(memcmp(first.b, second.b, 32) < 0);
    cr_assert_not(hub_record_cosigner(&r, 2, &none));
    hub_kid_of(&none, &brought);
    cr_assert(hub_record_brings_key(&r, &none, &key));
    cr_assert(memcmp(key.b, brought.b, 32) == 0);
    cr_assert_not(hub_record_brings_key(&r, &r.kid, &key), "its signer's is no key it brings");
    r = test_record("validator.replace");
    brought = test_key("CHANGNING.validator2").key;
    hub_kid_of(&none, &brought);
    cr_assert(hub_record_brings_key(&r, &none, &key), "inside a nested map");
    cr_assert(memcmp(key.b, brought.b, 32) == 0);
    r = test_record("currency.transfer");
    cr_assert_not(hub_record_cosigner(&r, 0, &first));
    cr_assert_not(hub_record_brings_key(&r, &none, &key));
}

/* ---- signatures */

static uint16_t verify_code(struct hub_span bytes)
{
    struct hub_hash chain = test_vector_hash("genesis.chain");
    struct hub_record r;
    struct hub_record_keys keys;
    uint16_t why = 0;

    if (hub_record_decode(&r, &why, bytes, (struct hub_span){NULL, 0}, &chain) != HUB_OK)
        return why;
    keys = test_record_keys(&r);
    return hub_record_verify(&r, &why, &keys) && r.verified ? 0 : why;
}

Test(record, tells_a_bad_signature_from_a_bad_cosignature)
{
    static uint8_t bytes[4096];
    struct hub_span whole = test_record_vector("key.add", "");
    struct hub_record r = test_record("key.add");

    memcpy(bytes, whole.data, whole.len);
    cr_assert_eq(verify_code((struct hub_span){bytes, whole.len}), 0);
    bytes[whole.len - 1] ^= 1;
    cr_assert_eq(verify_code((struct hub_span){bytes, whole.len}), HUB_CODE_signature_invalid);
    /* A co-signature is inside the payload, so the main signature is made anew over the change. */
    {
        static uint8_t changed[4096], scratch_bytes[4096], record[4096];
        struct hub_buf scratch = {scratch_bytes, 0, sizeof scratch_bytes, false};
        struct hub_buf out = {record, 0, sizeof record, false};
        struct hub_record_draft d = draft_of(&r);

        memcpy(changed, r.payload.data, r.payload.len);
        changed[r.payload.len - 1] ^= 1; /* last byte of the last co-signature */
        d.payload = (struct hub_span){changed, r.payload.len};
        cr_assert_eq(hub_record_build(&out, &scratch, &d, test_key("CHANGNING.governor1").secret),
                     HUB_OK);
        cr_assert_eq(verify_code(hub_span_of(&out)), HUB_CODE_cosign_invalid);
    }
}

Test(record, a_cosignature_cannot_be_moved_to_another_sequence_number)
{
    static uint8_t scratch_bytes[4096], record[4096];
    struct hub_buf scratch = {scratch_bytes, 0, sizeof scratch_bytes, false};
    struct hub_buf out = {record, 0, sizeof record, false};
    struct hub_record r = test_record("key.add");
    struct hub_record_draft d = draft_of(&r);

    cr_assert_eq(hub_record_build(&out, &scratch, &d, test_key("CHANGNING.governor1").secret),
                 HUB_OK);
    cr_assert_eq(verify_code(hub_span_of(&out)), 0);
    out.len = 0;
    d.seq++;
    cr_assert_eq(hub_record_build(&out, &scratch, &d, test_key("CHANGNING.governor1").secret),
                 HUB_OK);
    cr_assert_eq(verify_code(hub_span_of(&out)), HUB_CODE_cosign_invalid);
}

Test(record, no_flipped_bit_is_accepted)
{
    static uint8_t bytes[4096];
    struct hub_span whole = test_record_vector("currency.transfer", "");
    struct hub_hash chain = test_vector_hash("genesis.chain");
    struct hub_public_key key = test_key("BANK.operator").key;

    memcpy(bytes, whole.data, whole.len);
    for (size_t bit = 0; bit < whole.len * 8; bit++) {
        struct hub_record r;
        uint16_t why = 0;

        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (hub_record_decode(&r, &why, (struct hub_span){bytes, whole.len},
                              (struct hub_span){NULL, 0}, &chain) == HUB_OK)
            cr_assert_not(hub_record_signature_ok(&r, &key), "bit %zu", bit);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

Test(record, build_says_when_it_does_not_fit)
{
    static uint8_t big[HUB_RECORD_BYTES_MAX], out_bytes[2 * HUB_RECORD_BYTES_MAX],
        scratch_bytes[2 * HUB_RECORD_BYTES_MAX];
    struct hub_buf out = {out_bytes, 0, sizeof out_bytes, false};
    struct hub_buf scratch = {scratch_bytes, 0, sizeof scratch_bytes, false};
    struct hub_record r = test_record("currency.transfer");
    struct hub_record_draft d = draft_of(&r);
    struct test_key k = test_key("BANK.operator");

    d.payload = (struct hub_span){big, sizeof big};
    cr_assert_eq(hub_record_build(&out, &scratch, &d, k.secret), HUB_LIMIT);
    d.payload = r.payload;
    out = (struct hub_buf){out_bytes, 0, 100, false};
    cr_assert_eq(hub_record_build(&out, &scratch, &d, k.secret), HUB_LIMIT);
    out = (struct hub_buf){out_bytes, 0, sizeof out_bytes, false};
    scratch = (struct hub_buf){scratch_bytes, 0, 100, false};
    cr_assert_eq(hub_record_build(&out, &scratch, &d, k.secret), HUB_LIMIT);
}
