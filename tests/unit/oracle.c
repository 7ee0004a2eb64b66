/* The oracle of agreement (tests/support/oracle.h): each invariant is broken once and named. */
#include "tests/support/oracle.h"

#include <criterion/criterion.h>
#include <string.h>

static struct oracle *o;

static struct hub_hash name(char c)
{
    struct hub_hash h = {{(uint8_t)c}};
    return h;
}

static struct hub_subject subject(uint8_t kind, uint64_t view, char block, uint64_t height)
{
    struct hub_subject s = {.kind = kind, .view = view};
    if (kind != HUB_NULLIFY)
        s.block_hash = name(block);
    if (kind == HUB_FINALIZE)
        s.height = height;
    return s;
}

static void block(char hash, uint64_t view, char parent, uint64_t parent_view, uint64_t height)
{
    struct oracle_block b = {name(hash), name(parent), 0, view, parent_view, height, false};
    oracle_block(o, &b);
}

/* Validators 0, 1 and 2 vote, and the certificate of their votes is seen. */
static void certify(uint8_t kind, uint64_t view, char hash, uint64_t height)
{
    struct hub_subject s = subject(kind, view, hash, height);
    for (uint8_t i = 0; i < 3; i++)
        oracle_vote(o, i, &s);
    oracle_certificate(o, &s, 7);
}

static void blames(const char *invariant)
{
    const char *why = oracle_failure(o);
    cr_assert(why && !strncmp(why, invariant, strlen(invariant)), "%s, not: %s", invariant,
              why ? why : "nothing");
}

/* All but validator 3 are liars where a test needs impossible certificates. */
static void open(void)
{
    o = oracle_open(4, 3, 7);
    block('a', 1, 'g', 0, 1);
    block('b', 2, 'a', 1, 2);
    block('x', 1, 'g', 0, 1);
    block('y', 3, 'g', 0, 1);
}
static void close(void)
{
    oracle_close(o);
}
TestSuite(oracle, .init = open, .fini = close);

Test(oracle, has_nothing_against_a_chain_with_a_skipped_view)
{
    block('c', 4, 'b', 2, 3);
    certify(HUB_NOTARIZE, 1, 'a', 1);
    certify(HUB_NOTARIZE, 2, 'b', 2);
    certify(HUB_NULLIFY, 3, 0, 0);
    certify(HUB_NOTARIZE, 4, 'c', 3);
    certify(HUB_FINALIZE, 4, 'c', 3);
    certify(HUB_FINALIZE, 1, 'a', 1);
    struct hub_hash b = name('b');
    oracle_final(o, 3, 2, &b);
    cr_assert_null(oracle_failure(o), "%s", oracle_failure(o));
    cr_assert(oracle_guilty(o) == 0 && !oracle_forked(o));
}

Test(oracle, agreement)
{
    struct hub_hash a = name('a'), x = name('x');
    oracle_final(o, 3, 1, &a);
    oracle_final(o, 3, 1, &x);
    blames("agreement");
    cr_assert(oracle_forked(o));
}

Test(oracle, finalization_ancestry)
{
    block('z', 2, 'x', 1, 2); /* a child of x; a is final */
    certify(HUB_NOTARIZE, 1, 'a', 1);
    certify(HUB_FINALIZE, 1, 'a', 1);
    struct hub_subject s = subject(HUB_FINALIZE, 2, 'z', 2);
    oracle_certificate(o, &s, 7);
    blames("finalization_requires_notarization");
    cr_assert(oracle_forked(o));
}

Test(oracle, no_nullification_in_finalized_view)
{
    certify(HUB_NOTARIZE, 1, 'a', 1);
    certify(HUB_FINALIZE, 1, 'a', 1);
    certify(HUB_NULLIFY, 1, 0, 0);
    blames("no_nullification_in_finalized_view");
    cr_assert_eq(oracle_guilty(o), 7, "NULLIFY and FINALIZE of one view convict");
}

Test(oracle, no_nullification_in_finalized_view_that_was_nullified_before)
{
    certify(HUB_NOTARIZE, 1, 'a', 1);
    certify(HUB_NULLIFY, 1, 0, 0);
    certify(HUB_FINALIZE, 1, 'a', 1);
    blames("no_nullification_in_finalized_view");
}

Test(oracle, no_conflicting_notarization_in_finalized_view)
{
    certify(HUB_NOTARIZE, 1, 'a', 1);
    certify(HUB_FINALIZE, 1, 'x', 1);
    blames("no_conflicting_notarization_in_finalized_view");
}

Test(oracle, no_conflicting_quorum_notarizations)
{
    certify(HUB_NOTARIZE, 1, 'a', 1);
    certify(HUB_NOTARIZE, 1, 'x', 1);
    blames("no_conflicting_quorum_notarizations");
    cr_assert_eq(oracle_guilty(o), 7, "two NOTARIZE convict");
}

Test(oracle, finalization_requires_notarization)
{
    certify(HUB_FINALIZE, 1, 'a', 1);
    blames("finalization_requires_notarization");
}

Test(oracle, certificates_have_a_quorum_of_the_set)
{
    struct hub_subject s = subject(HUB_NULLIFY, 1, 0, 0);
    oracle_certificate(o, &s, 3);
    blames("certificates_are_valid");
    oracle_close(o);
    open();
    oracle_certificate(o, &s, 0x23);
    blames("certificates_are_valid");
}

Test(oracle, certificates_count_only_votes_that_honest_validators_cast)
{
    struct hub_subject s = subject(HUB_NULLIFY, 1, 0, 0);
    oracle_certificate(o, &s, 0xe);
    blames("certificates_are_valid");
}

Test(oracle, honest_votes_do_not_exclude_each_other)
{
    static const struct {
        uint8_t kind[2];
        char block[2];
        bool good;
    } pairs[] = {
        {{HUB_NOTARIZE, HUB_NOTARIZE}, "ax", false}, {{HUB_NOTARIZE, HUB_NOTARIZE}, "aa", true},
        {{HUB_NULLIFY, HUB_FINALIZE}, "aa", false},  {{HUB_FINALIZE, HUB_NULLIFY}, "aa", false},
        {{HUB_FINALIZE, HUB_FINALIZE}, "ax", false}, {{HUB_FINALIZE, HUB_FINALIZE}, "aa", true},
        {{HUB_NOTARIZE, HUB_FINALIZE}, "ax", false}, {{HUB_FINALIZE, HUB_NOTARIZE}, "ax", false},
        {{HUB_NOTARIZE, HUB_FINALIZE}, "aa", true},  {{HUB_NULLIFY, HUB_NOTARIZE}, "aa", true},
        {{HUB_NOTARIZE, HUB_NULLIFY}, "aa", true},   {{HUB_NULLIFY, HUB_NULLIFY}, "aa", true},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        for (int k = 0; k < 2; k++) {
            struct hub_subject s = subject(pairs[i].kind[k], 1, pairs[i].block[k], 1);
            oracle_vote(o, 3, &s);
        }
        cr_assert_eq(oracle_failure(o) == NULL, pairs[i].good, "pair %zu", i);
        cr_assert_eq(oracle_guilty(o), pairs[i].good ? 0 : 8, "pair %zu", i);
        close();
        open();
    }
}

Test(oracle, skips_are_proven)
{
    certify(HUB_NULLIFY, 1, 0, 0);
    certify(HUB_NOTARIZE, 3, 'y', 1); /* past view 2 */
    blames("skips_are_proven");
    close();
    open();
    certify(HUB_NOTARIZE, 2, 'b', 2); /* on a, which is not notarized */
    blames("skips_are_proven");
}

/* 2q - n - 1, counted out by hand for the sizes of the table in docs/protocol.md 1. */
Test(oracle, knows_how_many_liars_can_be_borne)
{
    static const uint8_t n[] = {3, 3, 4, 5, 6, 6, 7, 9, 10, 13, 31},
                         q[] = {3, 2, 3, 4, 5, 4, 5, 7, 7, 9, 21};
    static const int most[] = {2, 0, 1, 2, 3, 1, 2, 4, 3, 4, 10};
    for (size_t i = 0; i < sizeof n; i++)
        cr_assert_eq(oracle_bearable(n[i], q[i]), most[i], "n %u q %u", n[i], q[i]);
}
/* Five validators with quorum 4 from epoch 1 on: the three that were enough are not, and the fifth is one. */
Test(oracle, counts_by_the_set_of_the_epoch)
{
    struct hub_subject s = subject(HUB_NULLIFY, 1, 0, 0);
    struct oracle *grown = oracle_open(5, 3, 31);
    oracle_epoch(grown, 1, 5, 4);
    oracle_certificate(grown, &s, 7);
    s.epoch = 1;
    oracle_certificate(grown, &s, 0x1e);
    cr_assert_null(oracle_failure(grown));
    oracle_certificate(grown, &s, 7);
    cr_assert(strstr(oracle_failure(grown), "3 of 4 signers"), "%s", oracle_failure(grown));
    oracle_close(grown);
}
