/* Good and bad genesis files: tests/vectors/golden.txt, written by python from docs/formats.cddl. */
#include "hub/genesis.h"

#include "tests/support/hex.h"
#include "tests/support/vectors.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct hub_genesis golden(void)
{
    struct hub_genesis g;
    const char *why = "";

    cr_assert_eq(hub_genesis_decode(&g, &why, test_vector("genesis")), HUB_OK, "%s", why);
    return g;
}

Test(genesis, decodes_the_golden_file)
{
    struct hub_genesis g = golden();
    struct hub_hash chain = test_vector_hash("genesis.chain");

    cr_assert(hub_hash_equal(&g.chain, &chain));
    cr_assert(hub_hash_equal(&g.set.chain, &chain));
    cr_assert(hub_span_equal(g.name, test_text("hongqiao-trial")));
    cr_assert_eq(g.time_ms, 1779444000000);
    cr_assert_eq(g.set.n, 4);
    cr_assert_eq(g.set.q, 3);
    cr_assert_str_eq(g.set.v[0].member, "XIANGCHENG");
}

static void accepts(const char *name, struct hub_span bytes)
{
    struct hub_genesis g;
    const char *why = "";

    cr_assert_eq(hub_genesis_decode(&g, &why, bytes), HUB_OK, "%s: %s", name, why);
}

Test(genesis, accepts_every_fault_model)
{
    test_vectors_each("good.genesis.", accepts);
}

/* How the sentence begins, for each bad file. */
static const struct {
    const char *name, *begins;
} sentences[] = {
    {"trailing", "genesis: the file is not one item"},
    {"field_missing", "genesis: must hold keys"},
    {"field_unknown", "genesis: must hold keys"},
    {"format_2", "genesis: format and suite"},
    {"suite_2", "genesis: format and suite"},
    {"name_empty", "genesis: must hold keys"},
    {"name_colon", "name: "},
    {"name_long", "genesis: must hold keys"},
    {"no_members", "members: at least one is needed"},
    {"code_lower", "members: code must"},
    {"code_twice", "members: two members have the same code"},
    {"kind_unknown", "members: kind must"},
    {"no_zh", "members: names.zh"},
    {"member_field_unknown", "members and keys: an entry holds a field"},
    {"institution_missing", "members: an authority or institution needs"},
    {"institution_twice", "members: two members have the same institution"},
    {"authority_twice", "members: there can be only one authority"},
    {"quota_without_institution", "members: quota belongs"},
    {"quota_zero", "members: quota must"},
    {"nobody_votes", "members: at least one must vote"},
    {"grant_of_stranger", "keys: a key belongs to a code"},
    {"grant_twice", "keys: the same key stands twice"},
    {"grant_form", "keys: an entry must be"},
    {"role_unknown", "keys: roles must"},
    {"role_twice", "keys: a role stands twice"},
    {"roles_none", "keys: roles must"},
    {"roles_five", "keys: roles must"},
    {"validator_not_alone", "keys: validator, observer and wallet stand alone"},
    {"wallet_role", "keys: role wallet"},
    {"reader_without_box", "keys: a reader key needs box"},
    {"box_without_reader", "keys: a reader key needs box"},
    {"transport_without_validator", "keys: a validator or observer key needs transport"},
    {"observer_without_transport", "keys: a validator or observer key needs transport"},
    {"governor_ends", "keys: governor, recovery and validator keys"},
    {"ends_before_it_begins", "keys: not_before must lie before"},
    {"key_of_low_order", "keys: key must"},
    {"key_short", "keys: key must"},
    {"one_governor", "keys: every member needs two governor keys"},
    {"governors_needed_3", "keys: every member needs two governor keys"},
    {"parameter_unknown", "parameters: a name is not known"},
    {"parameter_low", "parameters: a value"},
    {"parameter_high", "parameters: a value"},
    {"parameter_text", "parameters: a value"},
    {"threshold_half", "parameters: governance.threshold"},
    {"threshold_above_one", "parameters: governance.threshold"},
    {"epoch_1", "epoch: must be [1, 0,"},
    {"quorum_half", "epoch: quorum must"},
    {"quorum_5", "epoch: quorum must"},
    {"bft_of_3", "epoch: quorum must"},
    {"all_of_3_with_2", "epoch: quorum must"},
    {"crash_with_3", "epoch: quorum must"},
    {"single_of_4", "epoch: quorum must"},
    {"model_unknown", "epoch: must be [1, 0,"},
    {"validator_twice", "epoch: quorum must"},
    {"validator_transport", "epoch: a validator's member or transport"},
    {"validator_member", "epoch: a validator's member or transport"},
    {"validator_role", "epoch: a validator is no key"},
};

static void refuses(const char *name, struct hub_span bytes)
{
    struct hub_genesis g = {.time_ms = 77};
    const char *why = "", *begins = NULL;

    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (strcmp(name + strlen("bad.genesis."), sentences[i].name) == 0)
            begins = sentences[i].begins;
    cr_assert_not_null(begins, "%s: no sentence expected", name);
    cr_assert_eq(hub_genesis_decode(&g, &why, bytes), HUB_BAD_GENESIS, "%s", name);
    cr_assert_eq(strncmp(why, begins, strlen(begins)), 0, "%s: %s", name, why);
    cr_assert_eq(g.time_ms, 77, "%s: output touched", name);
    cr_assert_eq(hub_genesis_decode(&g, NULL, bytes), HUB_BAD_GENESIS);
}

Test(genesis, says_which_rule_a_bad_file_breaks)
{
    test_vectors_each("bad.genesis.", refuses);
}

Test(genesis, refuses_every_truncation)
{
    struct hub_span whole = test_vector("genesis");
    struct hub_genesis g;

    for (size_t n = 0; n < whole.len; n++)
        cr_assert_eq(hub_genesis_decode(&g, NULL, (struct hub_span){whole.data, n}),
                     HUB_BAD_GENESIS);
}

Test(genesis, takes_signatures_of_a_governor_of_every_voting_member)
{
    struct hub_genesis g = golden();
    const char *why = "";

    cr_assert_eq(hub_genesis_signatures_ok(&g, &why, test_vector("genesis.signatures")), HUB_OK,
                 "%s", why);
}

static void refuses_signatures(const char *name, struct hub_span bytes)
{
    struct hub_genesis g = golden();
    const char *why = NULL;

    cr_assert_eq(hub_genesis_signatures_ok(&g, &why, bytes), HUB_BAD_GENESIS, "%s", name);
    cr_assert(why != NULL && strncmp(why, "genesis.signatures: ", 20) == 0, "%s", name);
}

Test(genesis, refuses_other_signatures)
{
    test_vectors_each("bad.signatures.", refuses_signatures);
}

Test(genesis, signatures_do_not_fit_another_file)
{
    struct hub_genesis g;

    cr_assert_eq(hub_genesis_decode(&g, NULL, test_vector("good.genesis.four_of_4")), HUB_OK);
    cr_assert_eq(hub_genesis_signatures_ok(&g, NULL, test_vector("genesis.signatures")),
                 HUB_BAD_GENESIS);
}

/* The state of the golden file in tables just large enough. */
static struct hub_state *applied(const struct hub_genesis *g)
{
    static const uint32_t caps[HUB_TABLES] = {
        [HUB_TABLE_PARAMETERS] = 16,  [HUB_TABLE_MEMBERS] = 16, [HUB_TABLE_KEYS] = 64,
        [HUB_TABLE_EPOCHS] = 1,       [HUB_TABLE_WALLETS] = 8,  [HUB_TABLE_LIMITS] = 8,
        [HUB_TABLE_INSTITUTIONS] = 8, [HUB_TABLE_TOTALS] = 1};
    static struct hub_state s;
    static void *memory;
    size_t bytes = (hub_state_memory_bytes(caps) + 63) / 64 * 64;

    memory = aligned_alloc(64, bytes);
    cr_assert_not_null(memory);
    memset(memory, 0, bytes);
    hub_state_init(&s, memory, caps);
    cr_assert_eq(hub_genesis_apply(g, &s), HUB_OK);
    return &s;
}

Test(genesis, makes_the_golden_rows)
{
    struct hub_genesis g = golden();
    struct hub_state *s = applied(&g);

    for (int t = 0; t < HUB_TABLES; t++)
        for (uint32_t i = 0; i < s->count[t]; i++) {
            char name[32];

            snprintf(name, sizeof name, "row.%d.%u", t, i);
            cr_expect(hub_span_equal(hub_state_row(s, (enum hub_table)t, i), test_vector(name)),
                      "%s", name);
        }
}

Test(genesis, makes_the_golden_header)
{
    struct hub_genesis g = golden();
    struct hub_header h;
    struct hub_hash hash, expected = test_vector_hash("header.0.hash");
    struct hub_edge edge;
    uint8_t bytes[HUB_HEADER_BYTES_MAX];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};

    hub_genesis_header(&h, &hash, &edge, &g, applied(&g));
    hub_header_encode(&out, &h);
    cr_assert(hub_span_equal(hub_span_of(&out), test_vector("header.0")));
    cr_assert(hub_hash_equal(&hash, &expected));
    cr_assert_eq(edge.size, 2);
}
