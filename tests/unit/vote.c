/* Expected bytes: tests/vectors/golden.txt, written by python from docs/formats.cddl. */
#include "hub/vote.h"

#include "tests/support/hex.h"
#include "tests/support/vectors.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct hub_validators golden_set(void)
{
    struct hub_hash chain = test_vector_hash("genesis.chain");
    struct hub_validators set;

    cr_assert_eq(hub_validators_decode(&set, test_vector("genesis.epoch"), &chain,
                                       test_text("hongqiao-trial")),
                 HUB_OK);
    return set;
}

static struct hub_vote golden_vote(const char *kind)
{
    struct hub_vote v = {.signer = 1}; /* CHANGNING */
    char name[64];
    struct hub_cbor c;

    snprintf(name, sizeof name, "vote.%s.subject", kind);
    c = hub_cbor_open(test_vector(name));
    hub_subject_read(&v.subject, &c);
    cr_assert(hub_cbor_done(&c));
    snprintf(name, sizeof name, "vote.%s.signature", kind);
    memcpy(v.sig.b, test_vector(name).data, sizeof v.sig.b);
    return v;
}

static const char *const kinds[] = {"notarize", "nullify", "finalize"};

Test(vote, signs_and_encodes_the_golden_bytes)
{
    struct hub_validators set = golden_set();

    for (int i = 0; i < 3; i++) {
        struct hub_vote v = golden_vote(kinds[i]);
        uint8_t bytes[1024];
        struct hub_buf out = {bytes, 0, 600, false};
        struct hub_signature sig;
        char name[64];

        cr_assert_eq(v.subject.kind, i + 1);
        hub_vote_message(&out, &set, &v.subject, 1);
        snprintf(name, sizeof name, "vote.%s.message", kinds[i]);
        cr_assert(hub_span_equal(hub_span_of(&out), test_vector(name)), "%s", name);
        hub_sign(&sig, test_key("CHANGNING.validator").secret, hub_span_of(&out));
        cr_assert(memcmp(sig.b, v.sig.b, 64) == 0);
        out = (struct hub_buf){bytes, 0, sizeof bytes, false};
        hub_vote_encode(&out, &set, &v);
        snprintf(name, sizeof name, "vote.%s.statement", kinds[i]);
        cr_assert(hub_span_equal(hub_span_of(&out), test_vector(name)), "%s", name);
        out.len = 0;
        hub_subject_encode(&out, &v.subject);
        snprintf(name, sizeof name, "vote.%s.subject", kinds[i]);
        cr_assert(hub_span_equal(hub_span_of(&out), test_vector(name)), "%s", name);
    }
}

Test(vote, holds_only_for_its_signer_epoch_and_subject)
{
    struct hub_validators set = golden_set();

    for (int i = 0; i < 3; i++) {
        struct hub_vote good = golden_vote(kinds[i]), v = good;

        cr_assert(hub_vote_ok(&v, &set));
        v.signer = 2;
        cr_assert_not(hub_vote_ok(&v, &set));
        v.signer = 4;
        cr_assert_not(hub_vote_ok(&v, &set));
        v = good, v.subject.epoch = 1;
        cr_assert_not(hub_vote_ok(&v, &set));
        v = good, v.subject.view++;
        cr_assert_not(hub_vote_ok(&v, &set));
        v = good, v.sig.b[5] ^= 1;
        cr_assert_not(hub_vote_ok(&v, &set));
    }
    {
        struct hub_vote good = golden_vote("finalize"), v = good;

        v.subject.log_root.b[0] ^= 1;
        cr_assert_not(hub_vote_ok(&v, &set));
        v = good, v.subject.log_size++;
        cr_assert_not(hub_vote_ok(&v, &set));
        v = good, v.subject.height++;
        cr_assert_not(hub_vote_ok(&v, &set));
        v = good, v.subject.block_hash.b[0] ^= 1;
        cr_assert_not(hub_vote_ok(&v, &set));
    }
}

/* A validator keeps its key when the set changes: its votes of the next epoch are none of this one. */
Test(vote, of_another_epoch_by_the_same_key_does_not_hold)
{
    struct hub_validators set = golden_set();
    struct hub_vote v = {.subject = {.kind = HUB_NULLIFY, .epoch = 1, .view = 5}, .signer = 1};
    uint8_t bytes[600];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};

    hub_vote_message(&out, &set, &v.subject, 1);
    hub_sign(&v.sig, test_key("CHANGNING.validator").secret, hub_span_of(&out));
    cr_assert_not(hub_vote_ok(&v, &set));
    set.epoch = 1;
    cr_assert(hub_vote_ok(&v, &set));
}

Test(vote, largest_message_fits_600_bytes)
{
    struct hub_validators set = golden_set();
    struct hub_subject s = {.kind = HUB_FINALIZE,
                            .epoch = HUB_UINT_MAX,
                            .view = HUB_UINT_MAX,
                            .height = HUB_UINT_MAX,
                            .log_size = HUB_UINT_MAX};
    uint8_t bytes[600];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};

    memset(set.network, 'n', HUB_NETWORK_NAME_MAX);
    memset(set.v[0].member, 'M', HUB_MEMBER_CODE_MAX);
    hub_vote_message(&out, &set, &s, 0);
    cr_assert_not(out.full);
}

static bool subject_ok(const char *hex)
{
    struct hub_cbor c = hub_cbor_open(test_bytes(hex));
    struct hub_subject s;

    hub_subject_read(&s, &c);
    return hub_cbor_done(&c);
}

Test(vote, subjects_have_the_length_of_their_kind)
{
    cr_assert(subject_ok("83020001"));
    cr_assert_not(subject_ok("83010001"));
    cr_assert_not(subject_ok("83030001"));
    cr_assert_not(subject_ok("8402000100"));
    cr_assert_not(subject_ok("850200010000"));
    cr_assert_not(subject_ok("83021800"
                             "01"));
    cr_assert_not(subject_ok("8302001b0020000000000000")); /* 2^53 */
    cr_assert(subject_ok("8302001b001fffffffffffff"));
}

static struct hub_certificate golden_certificate(const char *name)
{
    struct hub_certificate c;

    cr_assert(hub_certificate_decode(&c, test_vector(name)));
    return c;
}

Test(certificate, decodes_verifies_and_encodes_the_golden_bytes)
{
    struct hub_validators set = golden_set();
    struct hub_certificate c = golden_certificate("certificate.3");
    uint8_t bytes[1024];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};

    cr_assert_eq(c.signers, 0xb); /* all but number 2 */
    cr_assert(hub_certificate_ok(&c, &set));
    hub_certificate_encode(&out, &c, 4);
    cr_assert(hub_span_equal(hub_span_of(&out), test_vector("certificate.3")));
}

Test(certificate, needs_a_quorum_of_good_signatures_of_this_epoch)
{
    struct hub_validators set = golden_set();
    struct hub_certificate good = golden_certificate("certificate.3"),
                           c = golden_certificate("certificate.3.short");
    unsigned bad;

    cr_assert_not(hub_certificate_ok(&c, &set));
    cr_assert(hub_certificate_form_ok(&c, &set));
    cr_assert_eq(hub_certificate_good(&c, &set, &bad), 2);
    cr_assert_eq(bad, 0);
    c = good, c.sig[1].b[0] ^= 1;
    cr_assert_not(hub_certificate_ok(&c, &set));
    cr_assert_eq(hub_certificate_good(&c, &set, &bad), 2);
    cr_assert_eq(bad, 1);
    c = good, c.subject.epoch = 1;
    cr_assert_not(hub_certificate_ok(&c, &set));
    c = good, c.subject.kind = HUB_NOTARIZE;
    cr_assert_not(hub_certificate_ok(&c, &set));
    /* One validator's signature under another's bit: distinct signers count, not signatures. */
    c = good, c.sig[3] = c.sig[0];
    cr_assert_not(hub_certificate_ok(&c, &set));
    /* More than the quorum, one of them bad: not what honest nodes make. */
    c = good, c.signers |= 4;
    cr_assert_not(hub_certificate_ok(&c, &set));
}

/* The golden certificate with another bitmap and number of signatures. */
static bool decodes(const char *bitmap_hex, unsigned signatures, struct hub_certificate *c)
{
    static const uint8_t zeros[64 * 65];
    uint8_t bytes[8192];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};
    struct hub_certificate golden = golden_certificate("certificate.3");

    hub_put_array(&out, 4);
    hub_put_uint(&out, 1);
    hub_subject_encode(&out, &golden.subject);
    hub_put_bytes(&out, test_bytes(bitmap_hex));
    hub_put_bytes(&out, (struct hub_span){zeros, 64 * signatures});
    cr_assert_not(out.full);
    return hub_certificate_decode(c, hub_span_of(&out));
}

Test(certificate, refuses_counts_that_differ_and_padding)
{
    struct hub_validators set = golden_set();
    struct hub_certificate c;

    cr_assert(decodes("0b", 3, &c));
    cr_assert(hub_certificate_form_ok(&c, &set));
    cr_assert_not(decodes("0b", 2, &c));
    cr_assert_not(decodes("0b", 4, &c));
    cr_assert_not(decodes("00", 0, &c));
    cr_assert_not(decodes("", 1, &c));
    cr_assert_not(decodes("010000000000000000", 1, &c));
    cr_assert(decodes("1b", 4, &c)); /* bit 4 of 4 validators: padding, known with the set */
    cr_assert_not(hub_certificate_form_ok(&c, &set));
    cr_assert(decodes("0b00", 3, &c)); /* too long for 4 validators */
    cr_assert_not(hub_certificate_form_ok(&c, &set));
    cr_assert(decodes("ffffffffffffffff", 64, &c));
    cr_assert_eq(c.signers, UINT64_MAX);
}

Test(certificate, the_bitmap_counts_from_the_least_significant_bit)
{
    struct hub_certificate c;

    cr_assert(decodes("0180", 2, &c));
    cr_assert_eq(c.signers, (uint64_t)1 | (uint64_t)1 << 15);
}

Test(validators, decode_and_encode_the_golden_epoch)
{
    struct hub_validators set = golden_set();
    struct hub_hash hash = test_vector_hash("genesis.epoch_hash");
    uint8_t bytes[1024];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};

    cr_assert(hub_hash_equal(&set.hash, &hash));
    cr_assert_eq(set.n, 4);
    cr_assert_eq(set.q, 3);
    cr_assert_eq(set.fault_model, HUB_FAULT_BFT);
    cr_assert_str_eq(set.v[3].member, "HONGQIAO");
    cr_assert_str_eq(set.network, "hongqiao-trial");
    hub_validators_encode(&out, &set);
    cr_assert(hub_span_equal(hub_span_of(&out), test_vector("genesis.epoch")));
}

/* What decoding says to n of the golden seeds with this quorum and fault model. */
static enum hub_status epoch_status(uint8_t n, uint8_t q, enum hub_fault_model model)
{
    struct hub_validators set = {.n = n, .q = q, .fault_model = model}, back;
    struct hub_hash chain = {{0}};
    uint8_t bytes[8192];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};

    for (uint8_t i = 0; i < n; i++) {
        uint8_t seed[HUB_SEED_BYTES] = {i, 7}, secret[HUB_SECRET_BYTES];

        hub_key_from_seed(&set.v[i].key, secret, seed);
        memset(set.v[i].transport, i + 1, 32);
        memcpy(set.v[i].member, "ABC", 4);
    }
    hub_validators_encode(&out, &set);
    cr_assert_not(out.full);
    return hub_validators_decode(&back, hub_span_of(&out), &chain, test_text("n"));
}

Test(validators, a_quorum_is_more_than_half_and_keeps_the_fault_model)
{
    cr_assert_eq(epoch_status(1, 1, HUB_FAULT_SINGLE), HUB_OK);
    cr_assert_eq(epoch_status(1, 1, HUB_FAULT_BFT), HUB_CONFLICT);
    cr_assert_eq(epoch_status(2, 2, HUB_FAULT_BFT), HUB_OK);
    cr_assert_eq(epoch_status(2, 1, HUB_FAULT_BFT), HUB_CONFLICT);
    cr_assert_eq(epoch_status(2, 2, HUB_FAULT_SINGLE), HUB_CONFLICT);
    cr_assert_eq(epoch_status(3, 3, HUB_FAULT_BFT), HUB_CONFLICT);
    cr_assert_eq(epoch_status(3, 3, HUB_FAULT_ALL_OF_3), HUB_OK);
    cr_assert_eq(epoch_status(3, 2, HUB_FAULT_ALL_OF_3), HUB_CONFLICT);
    cr_assert_eq(epoch_status(3, 2, HUB_FAULT_CRASH_1_OF_3), HUB_OK);
    cr_assert_eq(epoch_status(3, 3, HUB_FAULT_CRASH_1_OF_3), HUB_CONFLICT);
    cr_assert_eq(epoch_status(4, 2, HUB_FAULT_BFT), HUB_CONFLICT);
    cr_assert_eq(epoch_status(4, 3, HUB_FAULT_BFT), HUB_OK);
    cr_assert_eq(epoch_status(4, 5, HUB_FAULT_BFT), HUB_CONFLICT);
    cr_assert_eq(epoch_status(5, 3, HUB_FAULT_BFT),
                 HUB_CONFLICT); /* b_safe = 0: one traitor forks it */
    cr_assert_eq(epoch_status(6, 4, HUB_FAULT_BFT), HUB_OK);
    cr_assert_eq(epoch_status(64, 43, HUB_FAULT_BFT), HUB_OK);
    cr_assert_eq(epoch_status(64, 32, HUB_FAULT_BFT), HUB_CONFLICT);
}

/* floor(2n/3) + 1: the table of docs/protocol.md, so that 2q - n - 1 >= floor((n - 1) / 3). */
Test(validators, default_quorum)
{
    static const uint8_t table[][2] = {{1, 1},   {2, 2},   {3, 3},   {4, 3},  {5, 4},
                                       {6, 5},   {7, 5},   {9, 7},   {10, 7}, {13, 9},
                                       {16, 11}, {19, 13}, {22, 15}, {31, 21}};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        cr_assert_eq(hub_quorum_default(table[i][0]), table[i][1], "n = %u", table[i][0]);
}
