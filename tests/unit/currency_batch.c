/* Batches: form, uniqueness, entries alone and all or none, the largest one, and running out of room. */
#include "tests/support/currency_world.h"

#include <criterion/criterion.h>
#include <string.h>

/* The value [[entry, code], ...] of the last result; returns how many, the first `max` of them in out. */
static uint32_t failures(const struct world *w, uint32_t out[][2], uint32_t max)
{
    struct hub_cbor c = hub_cbor_open(hub_span_of(&w->value));
    uint32_t n = hub_cbor_array(&c, 0, HUB_BATCH_ENTRIES_MAX);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t pair[2];

        hub_cbor_array(&c, 2, 2);
        pair[0] = (uint32_t)hub_cbor_uint(&c, 0, HUB_BATCH_ENTRIES_MAX - 1);
        pair[1] = (uint32_t)hub_cbor_uint(&c, 1, UINT16_MAX);
        if (i < max)
            memcpy(out[i], pair, sizeof pair);
    }
    cr_assert(hub_cbor_done(&c));
    return n;
}

static uint64_t firm(struct world *w, uint64_t amount)
{
    uint64_t number = world_wallet(w, WORLD_BANK, HUB_WALLET_KIND_CORPORATE, 0);

    if (amount > 0)
        world_fund(w, number, amount);
    return number;
}

/* Overwrites the value of an integer field of a batch body: one byte, or the eight of a longer head. */
static uint8_t *field_at(struct world_body *body, const char *name)
{
    struct hub_cbor value;

    cr_assert(hub_cbor_find(&value, (struct hub_span){body->bytes, body->len}, name));
    return body->bytes + (value.at - body->bytes);
}

Test(batch, form_is_judged_before_any_effect)
{
    struct world w = {0};
    struct world_body body;
    uint64_t from, to;

    world_open(&w, true);
    from = firm(&w, 1000), to = firm(&w, 0);

    body = world_batch(&w, WORLD_BANK, 1, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_batch_empty);

    for (int i = 0; i <= HUB_BATCH_ENTRIES_MAX; i++)
        world_entry(&w, from, to, 1);
    body = world_batch(&w, WORLD_BANK, 1, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_batch_too_large);

    world_entry(&w, from, to, 1);
    body = world_batch(&w, WORLD_BANK, 1, false);
    world_entry(&w, from, to, 1);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_batch_length,
                 "an entry more than counted");

    world_entry(&w, from, to, 1);
    body = world_batch(&w, WORLD_BANK, 1, false);
    w.attachment[39] ^= 1; /* a payee's reference */
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_batch_root);

    world_entry(&w, from, to, 1);
    body = world_batch(&w, WORLD_BANK, 1, false);
    *field_at(&body, "total") = 2;
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_totals_mismatch);

    world_entry(&w, from, to, 0);
    body = world_batch(&w, WORLD_BANK, 1, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_amount_zero);

    world_entry(&w, from, to, HUB_AMOUNT_MAX + 1);
    body = world_batch(&w, WORLD_BANK, 1, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_amount_above_max);

    world_entry(&w, from, from, 1);
    body = world_batch(&w, WORLD_BANK, 1, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_same_wallet);

    world_entry(&w, from, to ^ 1, 1);
    body = world_batch(&w, WORLD_BANK, 1, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_check_digits);

    world_entry(&w, from, to ^ 1, 1);
    world_entry(&w, from, to, 0);
    body = world_batch(&w, WORLD_BANK, 1, false);
    *field_at(&body, "total") = 2;
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_amount_zero,
                 "the first of the list wins");
    cr_assert_eq(world_read(&w, from).balance, 1000);
    world_close(&w);
}

Test(batch, entries_succeed_or_fail_alone)
{
    struct world w = {0};
    struct world_body body;
    uint32_t failed[4][2];
    uint64_t from, to;
    struct hub_posting found;
    uint8_t reference[16] = {[15] = 1};

    world_open(&w, true);
    from = firm(&w, 100), to = firm(&w, 0);
    world_entry(&w, from, to, 60);
    world_entry(&w, from, to, 60);
    world_entry(&w, from, hub_wallet_number(WORLD_BANK, 999), 1);
    world_entry(&w, from, to, 40);
    body = world_batch(&w, WORLD_BANK, 1, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), 0);
    cr_assert_eq(failures(&w, failed, 4), 2);
    cr_assert_eq(failed[0][0], 1);
    cr_assert_eq(failed[0][1], HUB_CODE_insufficient_funds);
    cr_assert_eq(failed[1][0], 2);
    cr_assert_eq(failed[1][1], HUB_CODE_credit_unknown);
    cr_assert_eq(world_read(&w, from).balance, 0);
    cr_assert_eq(world_read(&w, to).balance, 100);
    cr_assert(hub_batch_find(&found, &w.state, WORLD_BANK, reference));
    cr_assert_eq(found.height, w.height);
    cr_assert(hub_wallet_audit(&w.state, NULL));
    world_close(&w);
}

Test(batch, an_atomic_batch_pays_all_or_nobody)
{
    struct world w = {0};
    struct world_body body;
    uint32_t failed[4][2];
    struct hub_hash before, after;
    uint64_t from, to;

    world_open(&w, true);
    from = firm(&w, 100), to = firm(&w, 0);
    hub_state_root(&w.state, &before);
    world_entry(&w, from, to, 60);
    world_entry(&w, from, to, 60);
    world_entry(&w, from, to, 40);
    body = world_batch(&w, WORLD_BANK, 1, true);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_batch_aborted);
    cr_assert_eq(failures(&w, failed, 4), 1, "the first failure is named");
    cr_assert_eq(failed[0][0], 1);
    cr_assert_eq(failed[0][1], HUB_CODE_insufficient_funds);
    hub_state_root(&w.state, &after);
    cr_assert(hub_hash_equal(&before, &after));

    world_entry(&w, from, to, 60);
    world_entry(&w, from, to, 40);
    body = world_batch(&w, WORLD_BANK, 1, true);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), 0, "the reference was not used up");
    cr_assert_eq(failures(&w, failed, 4), 0);
    cr_assert_eq(world_read(&w, to).balance, 100);
    world_close(&w);
}

Test(batch, a_reference_pays_once_for_each_institution)
{
    struct world w = {0};
    struct world_body body, again;
    uint64_t from, to;

    world_open(&w, true);
    from = firm(&w, 100), to = firm(&w, 0);
    world_entry(&w, from, to, 10);
    body = world_batch(&w, WORLD_BANK, 7, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), 0);
    world_entry(&w, from, to, 10);
    cr_assert_eq(world_run(&w, KEY_OPERATOR_2, &body), HUB_CODE_batch_exists,
                 "the same file by another clerk");
    world_entry(&w, to, from, 3);
    again = world_batch(&w, WORLD_BANK, 7, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &again), HUB_CODE_batch_exists,
                 "another content under its name");
    world_entry(&w, to, from, 3);
    again = world_batch(&w, WORLD_OTHER_BANK, 7, false);
    cr_assert_eq(world_run(&w, KEY_OTHER_OPERATOR, &again), 0, "another institution");
    cr_assert_eq(world_read(&w, to).balance, 10, "whose operator may not spend from here");
    world_close(&w);
}

Test(batch, its_institution_is_the_signers_and_large_ones_need_a_second_signature)
{
    struct world w = {0};
    struct world_body body;
    uint64_t from, to;

    world_open(&w, true);
    from = firm(&w, 30000000), to = firm(&w, 0);
    world_entry(&w, from, to, 10);
    body = world_batch(&w, WORLD_BANK, 1, false);
    cr_assert_eq(world_run(&w, KEY_CHECKER, &body), HUB_CODE_role_missing);
    world_entry(&w, from, to, 10);
    cr_assert_eq(world_run(&w, KEY_OTHER_OPERATOR, &body), HUB_CODE_not_custodian);

    world_entry(&w, from, to, 10000000);
    body = world_batch(&w, WORLD_BANK, 1, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), 0, "currency.cosign_above itself needs none");
    world_entry(&w, from, to, 10000001);
    body = world_batch(&w, WORLD_BANK, 2, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_cosign_missing);
    body.cosign[body.cosigns++] = KEY_SEAL;
    world_entry(&w, from, to, 10000001);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_cosign_role);
    body.cosign[0] = KEY_OTHER_OPERATOR;
    world_entry(&w, from, to, 10000001);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_cosign_role, "of another member");
    body.cosign[0] = KEY_CHECKER;
    world_entry(&w, from, to, 10000001);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), 0);
    world_close(&w);
}

Test(batch, fifteen_hundred_entries_pay_fifteen_hundred_wallets)
{
    struct world w = {0};
    struct world_body body;
    static uint64_t to[HUB_BATCH_ENTRIES_MAX];
    uint32_t failed[1][2];
    uint64_t from;

    world_open(&w, true);
    from = firm(&w, 1500 * 1501 / 2);
    for (uint32_t i = 0; i < HUB_BATCH_ENTRIES_MAX; i++)
        to[i] =
            world_wallet(&w, i % 2 ? WORLD_BANK : WORLD_OTHER_BANK, HUB_WALLET_KIND_PERSONAL, 4);
    for (uint32_t i = 0; i < HUB_BATCH_ENTRIES_MAX; i++)
        world_entry(&w, from, to[i], i + 1);
    body = world_batch(&w, WORLD_BANK, 1, true);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), 0);
    cr_assert_eq(failures(&w, failed, 1), 0);
    for (uint32_t i = 0; i < HUB_BATCH_ENTRIES_MAX; i++)
        cr_assert_eq(world_read(&w, to[i]).balance, i + 1);
    cr_assert_eq(world_read(&w, from).balance, 0);
    cr_assert_eq(world_read(&w, from).pay_day.count, 1500);
    cr_assert_leq(w.log.len, (size_t)HUB_RECORD_UNDO_BYTES_MAX);
    cr_assert(hub_wallet_audit(&w.state, NULL));
    world_close(&w);
}

/* Every entry fails: the longest value a result can have. */
Test(batch, fifteen_hundred_failures_fit_the_result)
{
    struct world w = {0};
    struct world_body body;
    uint32_t failed[1][2];
    uint64_t from, to;

    world_open(&w, true);
    from = firm(&w, 0), to = firm(&w, 0);
    for (uint32_t i = 0; i < HUB_BATCH_ENTRIES_MAX; i++)
        world_entry(&w, from, to, 1);
    body = world_batch(&w, WORLD_BANK, 1, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), 0);
    cr_assert_not(w.value.full);
    cr_assert_eq(failures(&w, failed, 1), 1500);
    world_close(&w);
}

/* A block's log may end anywhere inside a batch, and the state must be as before. The balance covers one
 * entry: judged by rows that were not written, all of them would seem to be. */
Test(batch, running_out_of_room_leaves_nothing_behind)
{
    struct world w = {0};
    struct world_body body;
    struct hub_hash before, after;
    uint64_t from, to;

    world_open(&w, true);
    from = firm(&w, 100), to = firm(&w, 0);
    hub_state_root(&w.state, &before);
    for (size_t room = 0; room < 900; room += 60) {
        for (int atomic = 0; atomic < 2; atomic++) {
            for (int i = 0; i < 8; i++)
                world_entry(&w, i % 2 ? to : from, i % 2 ? from : to, 100);
            body = world_batch(&w, WORLD_BANK, 1, atomic);
            w.log.cap = room;
            world_run(&w, KEY_OPERATOR, &body);
            cr_assert(w.room_out, "%zu", room);
            w.log.cap = HUB_BLOCK_UNDO_BYTES_MAX;
            hub_state_root(&w.state, &after);
            cr_assert(hub_hash_equal(&before, &after), "%zu", room);
        }
    }
    world_close(&w);
}
