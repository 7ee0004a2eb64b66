/* validator.ready and validator.replace, and the rows of epochs they make. Expected codes: docs/governance.md and
 * the order of results.def; quorums and counts of the sets are written out here. */
#include "node/peers.h"
#include "tests/support/council.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct council_plan four = {
    .voters = 4, .validators = 4, .quorum = 3, .model = HUB_FAULT_BFT};

static struct council c;

static uint16_t replace(unsigned member, unsigned old, unsigned key, unsigned transport)
{
    c.cosign[0] = key;
    c.cosigns = 1;
    return council_run(&c, HUB_TYPE_VALIDATOR_REPLACE, council_governor(member),
                       council_replace_body(&c, old, key, transport));
}

static uint16_t replace_own(unsigned member, unsigned spare)
{
    return replace(member, council_validator(member), council_spare(spare), council_spare(spare));
}

static uint16_t ready_with(const char *endpoint)
{
    uint8_t bytes[512];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};

    hub_put_map(&b, 3);
    hub_put_text(&b, "endpoint");
    hub_put_text(&b, endpoint);
    hub_put_text(&b, "protocol");
    hub_put_uint(&b, 1);
    hub_put_text(&b, "software");
    hub_put_text(&b, "test 1");
    return council_run(&c, HUB_TYPE_VALIDATOR_READY, council_validator(0), hub_span_of(&b));
}

/* The one address that nodes would dial by the ledger. */
static const char *dialled(void)
{
    static const uint8_t own[HUB_TRANSPORT_KEY_BYTES];
    static struct hub_transport_peer out[HUB_PEERS_MAX];
    static struct hub_chain chain; /* no set: all validators listen */
    static struct hub_config cfg;
    static bool known[HUB_VALIDATORS_MAX];
    const char *found = "";

    chain.state = c.state;
    chain.final_header.time_ms = c.time_ms;
    hub_peers_fill(out, known, &chain, &cfg, own);
    for (unsigned i = 0; i < HUB_PEERS_MAX; i++)
        if (*out[i].address)
            found = out[i].address;
    return found;
}

/* The thread that serves all links would look a name up, and wait for whoever serves it. */
Test(validator, ready_with_a_name_is_not_dialled)
{
    static const char *const none[] = {"node.example.org:7100", "localhost:7100", "0.0.0.0:7100",
                                       "1.2.3:7100"};

    council_open(&c, &four);
    cr_assert_eq(ready_with("10.0.0.7:7100"), 0);
    cr_assert_str_eq(dialled(), "10.0.0.7:7100");
    cr_assert_eq(ready_with("[2001:db8::7]:7100"), 0);
    cr_assert_str_eq(dialled(), "[2001:db8::7]:7100");
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        cr_assert_eq(ready_with(none[i]), 0, "%s", none[i]);
        cr_assert_str_eq(dialled(), "", "%s", none[i]);
    }
    council_close(&c);
}

Test(validator, ready_keeps_the_newest_of_each_key)
{
    struct hub_ready r;

    council_open(&c, &four);
    cr_assert_not(hub_ready_find(&r, &c.state, &c.kid[council_validator(1)]));
    council_ready(&c, 1, 2);
    c.time_ms += 5000;
    council_ready(&c, 1, 2);
    cr_assert(hub_ready_find(&r, &c.state, &c.kid[council_validator(1)]));
    cr_assert_eq(c.state.count[HUB_TABLE_READY], 1);
    cr_assert(r.member == 1 && r.protocol == 1 && r.height == 2);
    cr_assert_eq(r.time_ms, COUNCIL_START_MS + 7000);
    cr_assert(hub_span_equal(r.endpoint, hub_text_span("10.0.0.1:7100")));
    cr_assert_eq(
        council_run(&c, HUB_TYPE_VALIDATOR_READY, council_governor(0), council_ready_body()),
        HUB_CODE_role_missing);
    council_close(&c);
}

Test(validator, ready_names_a_host_and_a_port)
{
    council_open(&c, &four);
    cr_assert_eq(ready_with("a:1"), 0);
    cr_assert_eq(ready_with("[2001:db8::1]:65535"), 0);
    cr_assert_eq(ready_with("a:0"), COUNCIL_REFUSED + HUB_CODE_body_invalid);
    cr_assert_eq(ready_with("a:65536"), COUNCIL_REFUSED + HUB_CODE_body_invalid);
    cr_assert_eq(ready_with("a:123456"), COUNCIL_REFUSED + HUB_CODE_body_invalid);
    cr_assert_eq(ready_with("host"), COUNCIL_REFUSED + HUB_CODE_body_invalid);
    cr_assert_eq(ready_with("host:"), COUNCIL_REFUSED + HUB_CODE_body_invalid);
    cr_assert_eq(ready_with(":7100"), COUNCIL_REFUSED + HUB_CODE_body_invalid);
    cr_assert_eq(ready_with("host:7a"), COUNCIL_REFUSED + HUB_CODE_body_invalid);
    council_close(&c);
}

Test(validator, ready_counts_for_a_day_of_block_time)
{
    const uint64_t day = 24 * COUNCIL_HOUR_MS;
    struct hub_validators set;
    uint64_t first;

    council_open(&c, &four);
    hub_epoch_newest(&set, &c.state);
    council_ready(&c, 0, 1);
    first = c.time_ms;
    council_ready(&c, 1, 2);
    cr_assert_eq(hub_ready_count(&c.state, &set, first + day - 1, 1), 2);
    cr_assert_eq(hub_ready_count(&c.state, &set, first + day, 1), 1);
    cr_assert_eq(hub_ready_count(&c.state, &set, first + day + 1000, 1), 0);
    cr_assert_eq(hub_ready_count(&c.state, &set, first, 2), 0, "none speaks version 2");
    council_close(&c);
}

Test(validator, replace_appends_the_set_with_the_new_key_in_the_old_ones_place)
{
    struct hub_validators before, after;
    struct hub_epoch_row row;
    struct hub_key k;

    council_open(&c, &four);
    council_ready(&c, 0, 4);
    hub_epoch_newest(&before, &c.state);
    cr_assert_eq(replace_own(2, 0), 0);
    hub_epoch_newest(&after, &c.state);
    cr_assert(after.epoch == 1 && after.n == 4 && after.q == 3);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(hub_hash_equal(&after.v[i].kid, &before.v[i].kid), i != 2);
        cr_assert_str_eq(after.v[i].member, before.v[i].member);
    }
    cr_assert(hub_hash_equal(&after.v[2].kid, &c.kid[council_spare(0)]));
    cr_assert_eq(memcmp(after.v[2].transport, c.kid[council_spare(0)].b, 32), 0);
    cr_assert_eq(c.state.count[HUB_TABLE_EPOCHS], 2);
    hub_epoch_get(&row, &c.state, 0);
    cr_assert(row.number == 0 && row.height == 0);
    hub_epoch_get(&row, &c.state, 1);
    cr_assert(row.number == 1 && row.height == c.height);
    cr_assert(hub_key_find(&k, &c.state, &c.kid[council_validator(2)]));
    cr_assert_eq(hub_key_standing(&k, c.time_ms), HUB_KEY_REVOKED);
    cr_assert(hub_key_find(&k, &c.state, &c.kid[council_spare(0)]));
    cr_assert(k.roles == HUB_ROLE_VALIDATOR && k.member == 2);
    council_close(&c);
}

Test(validator, replace_is_for_own_voting_keys)
{
    council_open(&c, &four);
    council_ready(&c, 0, 4);
    c.cosigns = 0;
    cr_assert_eq(council_run(&c, HUB_TYPE_VALIDATOR_REPLACE, council_governor(0),
                             council_replace_body(&c, council_validator(0), council_spare(0),
                                                  council_spare(0))),
                 HUB_CODE_cosign_missing);
    cr_assert_eq(replace(0, council_validator(1), council_spare(0), council_spare(0)),
                 HUB_CODE_key_not_own);
    cr_assert_eq(replace(0, council_spare(9), council_spare(0), council_spare(0)),
                 HUB_CODE_key_not_own);
    cr_assert_eq(replace(0, council_seal(0), council_spare(0), council_spare(0)),
                 HUB_CODE_validator_unknown);
    cr_assert_eq(replace(0, council_validator(0), council_validator(0), council_validator(0)),
                 HUB_CODE_key_exists, "by itself");
    cr_assert_eq(replace(0, council_validator(0), council_seal(0), council_spare(0)),
                 HUB_CODE_key_exists, "registered with another role");
    cr_assert_eq(replace(0, council_validator(0), council_spare(0), council_validator(1)),
                 HUB_CODE_key_exists, "the transport key of another validator");
    cr_assert_eq(replace(0, council_validator(0), council_spare(0), council_validator(0)), 0,
                 "the same transport key");
    council_close(&c);
}

Test(validator, replace_waits_a_day_for_the_member_and_a_hundred_blocks_for_all)
{
    const uint64_t day = 24 * COUNCIL_HOUR_MS;
    uint64_t first_ms, first_height;

    council_open(&c, &four);
    council_ready(&c, 0, 4);
    cr_assert_eq(replace_own(0, 0), 0);
    first_ms = c.time_ms;
    first_height = c.height;
    cr_assert_eq(replace_own(1, 1), HUB_CODE_ready_missing, "the new node has not reported");
    cr_assert_eq(council_run(&c, HUB_TYPE_VALIDATOR_READY, council_spare(0), council_ready_body()),
                 0);
    cr_assert_eq(replace_own(1, 1), HUB_CODE_height_too_soon);
    c.height = first_height + 98; /* the next record is in block first + 99 */
    cr_assert_eq(replace_own(1, 1), HUB_CODE_height_too_soon);
    cr_assert_eq(replace(0, council_spare(0), council_spare(2), council_spare(2)),
                 HUB_CODE_replace_too_soon, "stands before height_too_soon");
    c.height = first_height + 99;
    cr_assert_eq(replace_own(1, 1), 0);
    c.height += 100;
    c.time_ms = first_ms + day - 1001;
    council_ready(&c, 2, 4);
    cr_assert_eq(replace(0, council_spare(0), council_spare(2), council_spare(2)),
                 HUB_CODE_ready_missing, "two of three, and before replace_too_soon");
    council_close(&c);
}

Test(validator, replace_is_free_again_after_a_day)
{
    const uint64_t day = 24 * COUNCIL_HOUR_MS;
    uint64_t first_ms;

    council_open(&c, &four);
    council_ready(&c, 0, 4);
    cr_assert_eq(replace_own(0, 0), 0);
    first_ms = c.time_ms;
    c.height += 100;
    c.time_ms = first_ms + day - 4001;
    council_ready(&c, 1, 4);
    cr_assert_eq(replace(0, council_spare(0), council_spare(2), council_spare(2)),
                 HUB_CODE_replace_too_soon, "one ms short");
    c.time_ms = first_ms + day - 1000;
    cr_assert_eq(replace(0, council_spare(0), council_spare(2), council_spare(2)), 0);
    council_close(&c);
}

Test(validator, a_quorum_of_all_needs_the_new_key_ready)
{
    const struct council_plan three = {
        .voters = 3, .validators = 3, .quorum = 3, .model = HUB_FAULT_ALL_OF_3};
    struct hub_key k;

    council_open(&c, &three);
    council_ready(&c, 0, 3);
    cr_assert_eq(replace_own(1, 0), HUB_CODE_ready_missing);
    k = (struct hub_key){.kid = c.kid[council_spare(0)],
                         .key = c.key[council_spare(0)],
                         .roles = HUB_ROLE_VALIDATOR,
                         .member = 1,
                         .transport = {c.kid[council_spare(0)].b, 32}};
    hub_key_add(&c.state, &k); /* as key.add does */
    cr_assert_eq(replace_own(1, 0), HUB_CODE_ready_missing, "registered, not ready");
    cr_assert_eq(council_run(&c, HUB_TYPE_VALIDATOR_READY, council_spare(0), council_ready_body()),
                 0);
    cr_assert_eq(replace(2, council_validator(2), council_spare(0), council_spare(0)),
                 HUB_CODE_key_exists, "another member's");
    cr_assert_eq(replace(1, council_validator(1), council_spare(0), council_spare(5)),
                 HUB_CODE_key_exists, "registered with another transport key");
    cr_assert_eq(replace_own(1, 0), 0);
    council_close(&c);
}
