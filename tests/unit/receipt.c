/* Bundles, receipts and statements: tests/vectors/golden.txt, written by python from docs/formats.cddl. */
#include "hub/receipt.h"

#include "hub/apply.h"
#include "hub/cose.h"
#include "tests/support/hex.h"
#include "tests/support/vectors.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct hub_genesis golden_genesis(void)
{
    struct hub_genesis g;

    cr_assert_eq(hub_genesis_decode(&g, NULL, test_vector("genesis")), HUB_OK);
    return g;
}

static enum hub_verdict verdict_of(struct hub_receipt_facts *facts, const char **what,
                                   struct hub_span bundle)
{
    struct hub_genesis g = golden_genesis();

    *what = "";
    return hub_receipt_verify(facts, what, bundle, &g);
}

Test(receipt, shows_place_time_result_and_entry)
{
    struct hub_receipt_facts f;
    const char *what;
    struct hub_hash id = test_vector_hash("record.currency.batch.id");

    cr_assert_eq(verdict_of(&f, &what, test_vector("bundle.batch")), HUB_VERDICT_OK, "%s", what);
    cr_assert(hub_hash_equal(&f.record.id, &id));
    cr_assert_eq(f.record.type, HUB_TYPE_CURRENCY_BATCH);
    cr_assert_eq(f.header.height, 2);
    cr_assert_eq(f.header.time_ms, 1779444002000);
    cr_assert_eq(f.leaf_index, 5);
    cr_assert_eq(f.signers, 0xb);
    cr_assert_eq(f.signer_count, 3);
    cr_assert_eq(f.quorum, 3);
    cr_assert_eq(f.validator_count, 4);
    cr_assert_eq(f.newest_epoch, 0);
    cr_assert(f.has_result && f.code == 0);
    cr_assert(hub_span_equal(f.value, test_bytes("828201 19014b 8204 190154")));
    cr_assert(f.has_entry && f.entry_index == 4);
    cr_assert(
        hub_span_equal(f.entry, (struct hub_span){test_vector("batch.attachment").data + 160, 40}));
    cr_assert_eq(f.rows, 0);
}

Test(receipt, needs_no_result_and_proves_rows)
{
    struct hub_receipt_facts f;
    const char *what;

    cr_assert_eq(verdict_of(&f, &what, test_vector("bundle.plain")), HUB_VERDICT_OK, "%s", what);
    cr_assert(!f.has_result && !f.has_entry && f.header.height == 1);
    cr_assert_eq(verdict_of(&f, &what, test_vector("bundle.rows")), HUB_VERDICT_OK, "%s", what);
    cr_assert(f.has_result && f.code == 0 && f.rows == 2);
}

Test(receipt, walks_the_links_to_a_later_epoch)
{
    struct hub_receipt_facts f;
    const char *what;

    cr_assert_eq(verdict_of(&f, &what, test_vector("bundle.linked")), HUB_VERDICT_OK, "%s", what);
    cr_assert_eq(f.newest_epoch, 1);
    cr_assert_eq(f.validator_count, 3);
    cr_assert_eq(f.header.height, 2);
}

/* A receipt across a recovery epoch is good for whoever accepts the record, and says so to everybody else. */
Test(receipt, a_recovery_is_followed_only_where_it_was_accepted)
{
    struct hub_genesis g;
    struct hub_receipt_facts f;
    struct hub_hash id[2] = {{{1}}};
    const char *what = "";
    const struct hub_span bundle = test_vector("bundle.recovered");

    cr_assert_eq(hub_genesis_decode(&g, NULL, test_vector("genesis")), HUB_OK);
    cr_assert_eq(hub_receipt_verify(&f, &what, bundle, &g), HUB_VERDICT_OVERRIDE);
    cr_assert(strncmp(what, "links: a recovery epoch", 23) == 0, "%s", what);
    g.accepted = (struct hub_accepted){id, 1, false};
    cr_assert_eq(hub_receipt_verify(&f, &what, bundle, &g), HUB_VERDICT_OVERRIDE);
    memcpy(id[1].b, test_vector("record.epoch.recover.id").data, sizeof id[1].b);
    g.accepted.n = 2;
    cr_assert_eq(hub_receipt_verify(&f, &what, bundle, &g), HUB_VERDICT_OK, "%s", what);
    cr_assert_eq(f.newest_epoch, 1);
    cr_assert_eq(f.validator_count, 2);
    cr_assert_eq(f.header.height, 2);
}

/* Whatever was accepted. */
Test(receipt, a_recovery_that_does_not_hold_is_none)
{
    static const struct {
        const char *name;
        enum hub_verdict verdict;
        const char *begins;
    } broken[] = {
        {"lone", HUB_VERDICT_PENDING, "links: too few validators"},
        {"stranger", HUB_VERDICT_PENDING, "links: too few validators"},
        {"other_set", HUB_VERDICT_TAMPERED, "links: the next validators are not those that a"},
        {"other_record", HUB_VERDICT_TAMPERED, "links: a recovery's block"},
        {"view", HUB_VERDICT_TAMPERED, "links: a recovery's block"},
        {"no_flag", HUB_VERDICT_TAMPERED, "links: a recovery's block"},
        {"base", HUB_VERDICT_TAMPERED, "links: a recovery's block"},
        {"next", HUB_VERDICT_TAMPERED, "links: the next validators"},
        {"member", HUB_VERDICT_TAMPERED, "links: the next validators are not those that a"},
        {"transport", HUB_VERDICT_TAMPERED, "links: the next validators are not those that a"},
        {"two_headers", HUB_VERDICT_MALFORMED, "links: a recovery shows"},
        {"no_recovery", HUB_VERDICT_MALFORMED, "links: a recovery is no record"},
    };
    struct hub_genesis g;

    cr_assert_eq(hub_genesis_decode(&g, NULL, test_vector("genesis")), HUB_OK);
    g.accepted = hub_accept_all;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct hub_receipt_facts f;
        const char *what = "";
        char name[64];

        snprintf(name, sizeof name, "bad.recovered.%s", broken[i].name);
        cr_assert_eq(hub_receipt_verify(&f, &what, test_vector(name), &g), broken[i].verdict,
                     "%s: %s", name, what);
        cr_assert(strncmp(what, broken[i].begins, strlen(broken[i].begins)) == 0, "%s: %s", name,
                  what);
    }
}

Test(receipt, fewer_signatures_than_the_quorum_are_pending)
{
    struct hub_receipt_facts f;
    const char *what;

    cr_assert_eq(verdict_of(&f, &what, test_vector("bundle.pending")), HUB_VERDICT_PENDING);
    cr_assert_eq(f.signer_count, 2);
    cr_assert_eq(verdict_of(&f, &what, test_vector("bundle.linked.weak")), HUB_VERDICT_PENDING);
}

Test(receipt, is_of_one_ledger)
{
    struct hub_genesis g;
    struct hub_receipt_facts f;
    const char *what = "";

    cr_assert_eq(hub_genesis_decode(&g, NULL, test_vector("good.genesis.four_of_4")), HUB_OK);
    cr_assert_eq(hub_receipt_verify(&f, &what, test_vector("bundle.plain"), &g),
                 HUB_VERDICT_OTHER_LEDGER);
}

static const struct {
    const char *name;
    enum hub_verdict verdict;
    const char *begins;
} bad[] = {
    {"bad.bundle.chain", HUB_VERDICT_OTHER_LEDGER, "bundle: of a ledger"},
    {"bad.bundle.version", HUB_VERDICT_MALFORMED, "bundle: not of"},
    {"bad.bundle.unknown_field", HUB_VERDICT_MALFORMED, "bundle: not of"},
    {"bad.bundle.signer", HUB_VERDICT_TAMPERED, "signer: "},
    {"bad.bundle.record", HUB_VERDICT_TAMPERED, "inclusion: the path does not lead"},
    {"bad.bundle.leaf_index", HUB_VERDICT_TAMPERED, "inclusion: the path does not lead"},
    {"bad.bundle.path_short", HUB_VERDICT_MALFORMED, "inclusion: the path does not fit"},
    {"bad.bundle.tree_size", HUB_VERDICT_TAMPERED, "inclusion: tree_size"},
    {"bad.bundle.headers_order", HUB_VERDICT_TAMPERED, "headers: one is not the parent"},
    {"bad.bundle.headers_other", HUB_VERDICT_TAMPERED, "headers: one is not the parent"},
    {"bad.bundle.headers_above", HUB_VERDICT_TAMPERED, "headers: the record is not"},
    {"bad.bundle.headers_below", HUB_VERDICT_TAMPERED, "headers: the record is not"},
    {"bad.bundle.headers_none", HUB_VERDICT_MALFORMED, "bundle: not of"},
    {"bad.bundle.signature", HUB_VERDICT_TAMPERED, "certificate: the signature"},
    {"bad.bundle.nobody", HUB_VERDICT_MALFORMED, "certificate: no finalization"},
    {"bad.bundle.bitmap_long", HUB_VERDICT_MALFORMED, "certificate: no finalization"},
    {"bad.bundle.notarization", HUB_VERDICT_TAMPERED, "inclusion: tree_size"},
    {"bad.bundle.result_of_another", HUB_VERDICT_TAMPERED, "result: not the one"},
    {"bad.bundle.result_code", HUB_VERDICT_TAMPERED, "result: not the one"},
    {"bad.bundle.entry_of_another", HUB_VERDICT_TAMPERED, "entry: not in the batch"},
    {"bad.bundle.entry_index", HUB_VERDICT_TAMPERED, "entry: not in the batch"},
    {"bad.bundle.rows", HUB_VERDICT_TAMPERED, "rows: a row is not"},
    {"bad.bundle.rows_table", HUB_VERDICT_TAMPERED, "rows: a row is not"},
    {"bad.linked.no_link", HUB_VERDICT_MALFORMED, "certificate: no finalization"},
    {"bad.linked.link_twice", HUB_VERDICT_MALFORMED, "links: a certificate is no finalization"},
    {"bad.linked.link_next", HUB_VERDICT_TAMPERED, "links: the next validators"},
    {"bad.linked.link_weaker_next", HUB_VERDICT_TAMPERED, "links: the next validators"},
    {"bad.linked.link_no_seal", HUB_VERDICT_TAMPERED, "links: the next validators"},
    {"bad.linked.link_header", HUB_VERDICT_TAMPERED, "links: a certificate"},
};

static void refuses(const char *name, struct hub_span bytes)
{
    struct hub_receipt_facts f;
    const char *what;
    enum hub_verdict verdict = verdict_of(&f, &what, bytes);

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (strcmp(bad[i].name, name) == 0) {
            cr_assert_eq(verdict, bad[i].verdict, "%s: verdict %d, %s", name, verdict, what);
            cr_assert_eq(strncmp(what, bad[i].begins, strlen(bad[i].begins)), 0, "%s: %s", name,
                         what);
            return;
        }
    cr_assert_fail("%s: no verdict expected", name);
}

Test(receipt, names_the_first_thing_that_fails)
{
    test_vectors_each("bad.bundle.", refuses);
    test_vectors_each("bad.linked.", refuses);
}

Test(receipt, no_truncation_is_accepted)
{
    struct hub_genesis g = golden_genesis();
    struct hub_span whole = test_vector("bundle.batch");
    struct hub_receipt_facts f;
    const char *what;

    for (size_t n = 0; n < whole.len; n++)
        cr_assert_eq(hub_receipt_verify(&f, &what, (struct hub_span){whole.data, n}, &g),
                     HUB_VERDICT_MALFORMED);
}

/* One bit of every byte: no byte of a bundle is without meaning. */
Test(receipt, no_flipped_bit_is_accepted)
{
    static uint8_t bytes[1 << 16];
    struct hub_genesis g = golden_genesis();
    struct hub_span whole = test_vector("bundle.batch");
    struct hub_receipt_facts f;
    const char *what;

    memcpy(bytes, whole.data, whole.len);
    for (size_t i = 0; i < whole.len; i++) {
        uint8_t bit = (uint8_t)(1 << i % 8);

        bytes[i] ^= bit;
        cr_assert_neq(hub_receipt_verify(&f, &what, (struct hub_span){bytes, whole.len}, &g),
                      HUB_VERDICT_OK, "byte %zu", i);
        bytes[i] ^= bit;
    }
}

/* The parts of bundle.batch, computed here from the records, headers and results. */
static struct parts {
    struct hub_receipt_parts p;
    struct hub_certificate certificate;
    struct hub_hash path[64], result_path[64], entry_path[64];
} parts;

static const struct hub_receipt_parts *batch_parts(void)
{
    static const char *const in_log[] = {"key.revoke", "wallet.open", "currency.transfer",
                                         "currency.batch", "agreement.propose"};
    struct hub_genesis g = golden_genesis();
    struct hub_hash log[7], results[3], entries[5];
    char name[64];

    hub_merkle_leaf(&log[0], g.bytes);
    hub_merkle_leaf(&log[1], g.parameters);
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "record.%s.leaf", in_log[i]);
        log[2 + i] = test_vector_hash(name);
        hub_merkle_leaf(&entries[i],
                        (struct hub_span){test_vector("batch.attachment").data + 40 * i, 40});
    }
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "result.2.%d", i);
        hub_merkle_leaf(&results[i], test_vector(name));
    }
    parts.p =
        (struct hub_receipt_parts){.chain = g.chain,
                                   .record = test_vector("record.currency.batch"),
                                   .signer = test_key("BANK.operator").key,
                                   .header = {test_vector("header.3"), test_vector("header.2")},
                                   .headers = 2,
                                   .certificate = &parts.certificate,
                                   .validator_count = 4,
                                   .tree_size = 7,
                                   .leaf_index = 5,
                                   .path = parts.path,
                                   .result = test_vector("result.2.1"),
                                   .result_index = 1,
                                   .result_path = parts.result_path,
                                   .entry = {test_vector("batch.attachment").data + 160, 40},
                                   .entry_index = 4,
                                   .entry_path = parts.entry_path};
    cr_assert(hub_certificate_decode(&parts.certificate, test_vector("certificate.3")));
    hub_merkle_inclusion_of(parts.path, &parts.p.path_len, 5, log, 7);
    hub_merkle_inclusion_of(parts.result_path, &parts.p.result_path_len, 1, results, 3);
    hub_merkle_inclusion_of(parts.entry_path, &parts.p.entry_path_len, 4, entries, 5);
    return &parts.p;
}

Test(receipt, encodes_the_golden_bundle)
{
    static uint8_t bytes[1 << 14];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};

    hub_receipt_encode(&out, batch_parts());
    cr_assert(hub_span_equal(hub_span_of(&out), test_vector("bundle.batch")));
    out = (struct hub_buf){bytes, 0, 1000, false};
    hub_receipt_encode(&out, batch_parts());
    cr_assert(out.full);
}

Test(receipt, single_signers_have_the_golden_rfc_9942_form)
{
    struct hub_genesis g = golden_genesis();
    uint8_t bytes[4096];

    for (uint8_t signer = 0; signer < 2; signer++) {
        struct hub_buf out = {bytes, 0, sizeof bytes, false};

        hub_receipt_single(&out, batch_parts(), &g.set, signer);
        cr_assert(hub_span_equal(hub_span_of(&out),
                                 test_vector(signer == 0 ? "receipt.0" : "receipt.1")));
    }
}

Test(receipt, a_statement_carries_receipts_and_gives_the_record_back)
{
    static const uint8_t signers[] = {0, 1, 3};
    struct hub_genesis g = golden_genesis();
    static uint8_t single[3][2048], bytes[1 << 14], record[4096];
    struct hub_buf out = {bytes, 0, sizeof bytes, false}, back = {record, 0, sizeof record, false};
    struct hub_span receipts[3];

    for (int i = 0; i < 3; i++) {
        struct hub_buf one = {single[i], 0, sizeof single[i], false};

        hub_receipt_single(&one, batch_parts(), &g.set, signers[i]);
        receipts[i] = hub_span_of(&one);
    }
    hub_statement_encode(&out, test_vector("record.currency.batch"), receipts, 3);
    cr_assert(hub_span_equal(hub_span_of(&out), test_vector("statement")));
    cr_assert(hub_statement_strip(&back, hub_span_of(&out)));
    cr_assert(hub_span_equal(hub_span_of(&back), test_vector("record.currency.batch")));
    back.len = 0;
    cr_assert(hub_statement_strip(&back, test_vector("record.currency.batch")));
    cr_assert(hub_span_equal(hub_span_of(&back), test_vector("record.currency.batch")));
}

Test(receipt, strip_takes_no_other_header)
{
    uint8_t bytes[4096];
    struct hub_sign1 s;
    struct hub_buf back = {bytes, 0, sizeof bytes, false}, out;
    static const char *const unprotected[] = {"a10127", "a119018a80", "a119018a8101",
                                              "a119018b8141aa", "a2012719018a8141aa"};
    static uint8_t changed[4096];

    cr_assert(hub_sign1_decode(&s, test_vector("record.currency.transfer")));
    for (size_t i = 0; i < sizeof unprotected / sizeof unprotected[0]; i++) {
        out = (struct hub_buf){changed, 0, sizeof changed, false};
        hub_sign1_encode(&out, s.protected_, test_bytes(unprotected[i]), s.payload, s.signature);
        cr_assert_not(hub_statement_strip(&back, hub_span_of(&out)), "%s", unprotected[i]);
    }
    out.len = 0;
    hub_sign1_encode(&out, s.protected_, test_bytes("a0"), (struct hub_span){NULL, 0}, s.signature);
    cr_assert_not(hub_statement_strip(&back, hub_span_of(&out)));
}
