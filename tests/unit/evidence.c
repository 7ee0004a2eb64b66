/* Items of tests/vectors/golden.txt: written by python from docs/formats.cddl, signed by python-cryptography. */
#include "hub/evidence.h"

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

static void convicts(const char *name, struct hub_span bytes)
{
    struct hub_genesis g = golden_genesis();
    struct hub_validators set;
    struct hub_offence o;
    struct hub_evidence e;
    const char *why = "";
    uint8_t again[HUB_BUNDLE_BYTES_MAX / 16];
    struct hub_buf out = {again, 0, sizeof again, false};
    bool linked = strcmp(name, "evidence.linked") == 0;

    cr_assert(hub_evidence_verify(&o, &set, &why, bytes, &g), "%s: %s", name, why);
    cr_assert_str_eq(set.v[o.vote[0].signer].member, linked ? "JIADING" : "CHANGNING", "%s", name);
    cr_assert_eq(o.vote[0].subject.epoch, linked ? 1 : 0);
    if (!linked)
        cr_assert_eq((int)o.kind, name[10] - '0', "%s", name);
    cr_assert(hub_evidence_decode(&e, bytes));
    hub_evidence_encode(&out, &o, &set, e.links);
    cr_assert(hub_span_equal(hub_span_of(&out), bytes), "%s is written otherwise", name);
}

Test(evidence, convicts_the_signer_with_the_genesis_alone)
{
    test_vectors_each("evidence.", convicts);
}

static void acquits(const char *name, struct hub_span bytes)
{
    struct hub_genesis g = golden_genesis();
    struct hub_offence o;
    const char *why = NULL;

    cr_assert_not(hub_evidence_verify(&o, NULL, &why, bytes, &g), "%s", name);
    cr_assert_not_null(why, "%s", name);
}

Test(evidence, acquits_whatever_is_not_a_signed_contradiction)
{
    test_vectors_each("bad.evidence.", acquits);
}

Test(evidence, says_what_is_wrong)
{
    static const char *const cases[][2] = {
        {"kind_6", "evidence: not of the expected form"},
        {"order", "votes: not in the order of kind and block hash"},
        {"notarize_and_nullify",
         "votes: they may stand together, or are another offence than kind says"},
        {"finalize_then_later_notarize",
         "votes: they may stand together, or are another offence than kind says"},
        {"stranger", "votes: signed by no validator of the epoch"},
        {"signature", "votes: a signature is wrong"},
        {"chain", "evidence: of a ledger with another genesis file"},
        {"epoch_other", "epoch: not the validators of this epoch of the ledger"},
        {"link_for_nothing", "epoch: not the validators of this epoch of the ledger"},
        {"link_weak", "links: a certificate has fewer signatures than the quorum"},
        {"header_true", "header: not of the block voted for, or the vote does not belie it"},
    };
    struct hub_genesis g = golden_genesis();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hub_offence o;
        const char *why = "";
        char name[64];

        snprintf(name, sizeof name, "bad.evidence.%s", cases[i][0]);
        cr_assert_not(hub_evidence_verify(&o, NULL, &why, test_vector(name), &g));
        cr_assert_str_eq(why, cases[i][1], "%s: %s", name, why);
    }
}

/* A recovery's link binds the members of those only who were in the set before. */
Test(evidence, of_a_recovery_epoch_convicts_where_its_set_is_known)
{
    struct hub_genesis g = golden_genesis();
    struct hub_validators set;
    struct hub_offence o;
    const char *why = "";

    cr_assert_not(hub_evidence_verify(&o, &set, &why, test_vector("recovered.evidence"), &g));
    cr_assert(strncmp(why, "links: a recovery epoch", 23) == 0, "%s", why);
    g.accepted = hub_accept_all;
    cr_assert(hub_evidence_verify(&o, &set, &why, test_vector("recovered.evidence"), &g), "%s",
              why);
    cr_assert_str_eq(set.v[o.vote[0].signer].member, "CHANGNING");
    cr_assert_not(
        hub_evidence_verify(&o, &set, &why, test_vector("recovered.evidence.new_key"), &g));
    cr_assert_not_null(strstr(why, "on the ledger only"), "%s", why);
}

static struct hub_vote a_vote(uint8_t kind, uint64_t view, uint8_t block)
{
    struct hub_vote v = {.subject = {.kind = kind, .view = view}, .signer = 2};

    if (kind != HUB_NULLIFY)
        memset(v.subject.block_hash.b, block, 32);
    if (kind == HUB_FINALIZE)
        v.subject.height = 5;
    return v;
}

/* The table of docs/protocol.md 9: what a validator may sign in one view is NOTARIZE and NULLIFY in any order, or
 * NOTARIZE and FINALIZE of one block. */
Test(evidence, only_these_pairs_are_offences)
{
    static const struct {
        uint8_t kind[2], block[2];
        int offence;
    } pairs[] = {
        {{1, 1}, {7, 7}, 0}, {{1, 1}, {7, 8}, 1}, {{1, 2}, {7, 0}, 0},
        {{1, 3}, {7, 7}, 0}, {{1, 3}, {7, 8}, 4}, {{2, 2}, {0, 0}, 0},
        {{2, 3}, {0, 7}, 2}, {{3, 3}, {7, 7}, 0}, {{3, 3}, {7, 8}, 3},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct hub_vote a = a_vote(pairs[i].kind[0], 9, pairs[i].block[0]);
        struct hub_vote b = a_vote(pairs[i].kind[1], 9, pairs[i].block[1]), c = b;

        cr_assert_eq((int)hub_offence_of(&a, &b), pairs[i].offence, "%zu", i);
        cr_assert_eq((int)hub_offence_of(&b, &a), pairs[i].offence, "%zu", i);
        c.signer = 1;
        cr_assert_eq((int)hub_offence_of(&a, &c), 0);
        c = b, c.subject.view = 10;
        cr_assert_eq((int)hub_offence_of(&a, &c), 0);
        c = b, c.subject.epoch = 1;
        cr_assert_eq((int)hub_offence_of(&a, &c), 0);
    }
}

/* Header 2 of the golden ledger is possible; each change alone makes it impossible. */
Test(evidence, knows_what_no_header_can_say)
{
    struct hub_genesis g = golden_genesis();
    struct hub_header good, h;
    const char *why = NULL;

    cr_assert(hub_header_decode(&good, test_vector("header.2")));
    cr_assert(hub_header_possible(&good, &g.set, &why) && why == NULL);
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        h = good;                                                                                  \
        change;                                                                                    \
        why = NULL;                                                                                \
        cr_assert_not(hub_header_possible(&h, &g.set, &why), "%s", #change);                       \
        cr_assert_not_null(why);                                                                   \
    } while (0)
    REFUSED(h.chain.b[0] ^= 1);
    REFUSED(h.epoch = 1);
    REFUSED(h.validators.b[0] ^= 1);
    REFUSED(h.proposer = g.set.n);
    REFUSED(h.height = 0);
    REFUSED(h.parent_view = h.view);
    REFUSED(h.log_size = h.record_count + 1u);
    REFUSED(h.record_count = 0);
    REFUSED(h.flags = HUB_FLAG_TAIL);
    REFUSED(h.flags = HUB_FLAG_SEAL);
    REFUSED(h.next_validators.b[0] ^= 1);
#undef REFUSED
    h = good;
    h.flags = HUB_FLAG_SEAL;
    h.next_validators.b[0] ^= 1;
    cr_assert(hub_header_possible(&h, &g.set, NULL));
}

Test(evidence, largest_item_without_links_fits)
{
    static struct hub_validators set;
    uint8_t bytes[HUB_EVIDENCE_BYTES_MAX];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};
    struct hub_offence o = {.kind = HUB_OFFENCE_FINALIZED_TWO};

    memset(&set, 0xff, sizeof set);
    set.epoch = HUB_UINT_MAX, set.n = 64, set.q = 64, set.fault_model = HUB_FAULT_CRASH_1_OF_3;
    memset(set.network, 'n', HUB_NETWORK_NAME_MAX);
    set.network[HUB_NETWORK_NAME_MAX] = '\0';
    for (int i = 0; i < 64; i++) {
        memset(set.v[i].member, 'M', HUB_MEMBER_CODE_MAX);
        set.v[i].member[HUB_MEMBER_CODE_MAX] = '\0';
    }
    for (int i = 0; i < 2; i++) {
        o.vote[i] = (struct hub_vote){.signer = 63};
        o.vote[i].subject = (struct hub_subject){
            3, HUB_UINT_MAX, HUB_UINT_MAX, HUB_UINT_MAX, HUB_UINT_MAX, {{(uint8_t)i}}, {{0}}};
    }
    hub_evidence_encode(&out, &o, &set, (struct hub_span){NULL, 0});
    cr_assert_not(out.full);
    cr_assert_geq(out.len, 64u * 97 + 2 * 300); /* and no bound far above what is needed */
}
