/* The invariants see what they must: one damage each, past all rules, is found by the check of the block that
 * wrote it and by the full audit. */
#include "tests/support/currency_world.h"

#include <criterion/criterion.h>
#include <string.h>

struct scene {
    struct world w;
    uint64_t firm, person, sub;
};

/* Issued 5,000: reserve 1,000, firm 3,000, person 600, its sub-wallet 400. */
static void open_scene(struct scene *x)
{
    struct world *w = &x->w;
    struct world_body body;

    memset(x, 0, sizeof *x);
    world_open(w, true);
    x->firm = world_wallet(w, WORLD_BANK, HUB_WALLET_KIND_CORPORATE, 0);
    x->person = world_wallet_of(
        w,
        (struct world_opening){
            .institution = WORLD_BANK, .kind = HUB_WALLET_KIND_PERSONAL, .tier = 1, .owner = 5},
        -1);
    x->sub = world_wallet_of(w,
                             (struct world_opening){.institution = WORLD_BANK,
                                                    .kind = HUB_WALLET_KIND_SUB,
                                                    .tier = 1,
                                                    .owner = 5,
                                                    .parent = x->person},
                             -1);
    world_fund(w, x->firm, 3000);
    world_fund(w, x->person, 1000);
    body = world_transfer(x->person, x->sub, 400, 0);
    cr_assert_eq(world_run(w, KEY_OPERATOR, &body), 0);
    body = world_issue(WORLD_BANK, 1000, 1);
    cr_assert_eq(world_run(w, KEY_ISSUER, &body), 0);
    cr_assert(hub_wallet_audit(&w->state, NULL));
    w->log.len = 0;
    w->height++;
}

/* As a rule writes a wallet. */
static uint8_t *write_row(struct scene *x, uint64_t number)
{
    uint8_t *row = hub_state_wallet_write(&x->w.state, (uint32_t)(number >> 16));

    hub_put_be64(row + HUB_WALLET_LAST_HEIGHT, x->w.height);
    return row;
}

static void add_at(uint8_t *row, enum hub_wallet_offset at, uint64_t amount)
{
    hub_put_be64(row + at, hub_get_be64(row + at) + amount);
}

static void must_be_seen(struct scene *x, const char *what)
{
    cr_assert_not(hub_wallet_invariants_ok(&x->w.state, &x->w.log), "block: %s", what);
    cr_assert_not(hub_wallet_audit(&x->w.state, NULL), "audit: %s", what);
    hub_state_undo_to(&x->w.state, 0);
    cr_assert(hub_wallet_invariants_ok(&x->w.state, &x->w.log), "restored: %s", what);
    cr_assert(hub_wallet_audit(&x->w.state, NULL), "restored: %s", what);
}

Test(wallet_audit, counts_what_is_there)
{
    struct scene x;
    struct hub_supply s, read;

    open_scene(&x);
    cr_assert(hub_wallet_audit(&x.w.state, &s));
    cr_assert_eq(s.issued, 5000);
    cr_assert_eq(s.retired, 0);
    cr_assert_eq(s.balance[HUB_WALLET_KIND_RESERVE], 1000);
    cr_assert_eq(s.balance[HUB_WALLET_KIND_CORPORATE], 3000);
    cr_assert_eq(s.balance[HUB_WALLET_KIND_PERSONAL], 600);
    cr_assert_eq(s.balance[HUB_WALLET_KIND_SUB], 400);
    cr_assert_eq(s.wallets[HUB_WALLET_KIND_RESERVE], 2);
    cr_assert_eq(s.wallets[HUB_WALLET_KIND_SUB], 1);
    cr_assert(hub_supply_read(&read, &x.w.state, NULL, 0));
    cr_assert_eq(memcmp(&read, &s, sizeof s), 0);
    world_close(&x.w);
}

Test(wallet_audit, sees_money_made_lost_and_promised)
{
    struct scene x;
    struct hub_supply totals;
    struct hub_institution bank;

    open_scene(&x);
    add_at(write_row(&x, x.firm), HUB_WALLET_CREDITS_POSTED, 1);
    must_be_seen(&x, "a fen from nowhere");

    add_at(write_row(&x, x.firm), HUB_WALLET_DEBITS_POSTED, 1);
    must_be_seen(&x, "a fen to nowhere");

    add_at(write_row(&x, x.firm), HUB_WALLET_DEBITS_POSTED, 1);
    add_at(write_row(&x, x.person), HUB_WALLET_CREDITS_POSTED, 2);
    must_be_seen(&x, "a payment that grows on its way");

    add_at(write_row(&x, x.firm), HUB_WALLET_DEBITS_POSTED, 3001);
    add_at(write_row(&x, x.person), HUB_WALLET_CREDITS_POSTED, 3001);
    must_be_seen(&x, "a holder below zero");

    add_at(write_row(&x, x.firm), HUB_WALLET_DEBITS_PENDING, 1);
    must_be_seen(&x, "a hold of one side");

    add_at(write_row(&x, x.firm), HUB_WALLET_DEBITS_PENDING, 3001);
    add_at(write_row(&x, x.person), HUB_WALLET_CREDITS_PENDING, 3001);
    must_be_seen(&x, "more promised than held");

    add_at(write_row(&x, x.firm), HUB_WALLET_DEBITS_POSTED, 1);
    add_at(write_row(&x, x.person), HUB_WALLET_CREDITS_POSTED, 1);
    must_be_seen(&x, "a movement between kinds that the totals do not follow");

    cr_assert(hub_supply_read(&totals, &x.w.state, NULL, 0));
    totals.issued++;
    hub_supply_put(&x.w.state, &totals);
    must_be_seen(&x, "totals above the issuer's debt");

    cr_assert(hub_supply_read(&totals, &x.w.state, NULL, 0));
    totals.balance[HUB_WALLET_KIND_PERSONAL]--;
    totals.balance[HUB_WALLET_KIND_CORPORATE]++;
    hub_supply_put(&x.w.state, &totals);
    must_be_seen(&x, "totals of the wrong kind");

    cr_assert(hub_institution_find(&bank, &x.w.state, WORLD_BANK));
    bank.quota = 4999;
    hub_institution_put(&x.w.state, &bank);
    must_be_seen(&x, "issued above the quota");
    world_close(&x.w);
}

Test(wallet_audit, sees_a_wallet_written_twice_once)
{
    struct scene x;

    open_scene(&x);
    for (int i = 0; i < 3; i++) {
        add_at(write_row(&x, x.firm), HUB_WALLET_DEBITS_POSTED, 10);
        add_at(write_row(&x, x.firm), HUB_WALLET_CREDITS_POSTED, 10);
    }
    cr_assert(hub_wallet_invariants_ok(&x.w.state, &x.w.log));
    add_at(write_row(&x, x.firm), HUB_WALLET_CREDITS_POSTED, 1);
    must_be_seen(&x, "the last of several writes");
    world_close(&x.w);
}

/* What only the full audit compares: rows that a block's movements do not tell. */
Test(wallet_audit, full_audit_follows_rows_to_each_other)
{
    static const struct {
        const char *what;
        enum hub_wallet_offset at;
        uint32_t value;
    } damage[] = {
        {"limits that are not there", HUB_WALLET_LIMITS, 99},
        {"a key that is not there", HUB_WALLET_KEY, 99},
        {"another's key", HUB_WALLET_KEY, 1},
        {"a corporate wallet with a parent", HUB_WALLET_PARENT, 1},
    };
    struct scene x;
    struct hub_children children;
    struct hub_institution bank;

    open_scene(&x);
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        hub_put_be32(write_row(&x, x.firm) + damage[i].at, damage[i].value);
        cr_assert_not(hub_wallet_audit(&x.w.state, NULL), "%s", damage[i].what);
        hub_state_undo_to(&x.w.state, 0);
    }
    hub_children_get(&children, &x.w.state, (uint32_t)(x.person >> 16));
    cr_assert_eq(children.total, 400);
    children.total--;
    hub_children_put(&x.w.state, &children);
    cr_assert_not(hub_wallet_audit(&x.w.state, NULL), "sub-wallets");
    hub_state_undo_to(&x.w.state, 0);
    cr_assert(hub_institution_find(&bank, &x.w.state, WORLD_BANK));
    bank.reserve = (uint32_t)(x.firm >> 16) + 1;
    hub_institution_put(&x.w.state, &bank);
    cr_assert_not(hub_wallet_audit(&x.w.state, NULL), "a reserve that is none");
    hub_state_undo_to(&x.w.state, 0);
    bank.reserve = (uint32_t)(world_reserve(&x.w, WORLD_BANK) >> 16) + 1;
    bank.issued++;
    hub_institution_put(&x.w.state, &bank);
    cr_assert_not(hub_wallet_audit(&x.w.state, NULL), "an institution's share");
    hub_state_undo_to(&x.w.state, 0);
    cr_assert(hub_wallet_audit(&x.w.state, NULL));
    world_close(&x.w);
}

Test(wallet_audit, wallets_are_read_as_of_a_finalized_block)
{
    struct scene x;
    struct world_body body;
    struct hub_wallet now, before;
    struct hub_supply supply;
    const struct hub_undo *logs[1];
    uint64_t fresh;

    open_scene(&x);
    fresh = world_wallet(&x.w, WORLD_BANK, HUB_WALLET_KIND_CORPORATE, 0);
    logs[0] = &x.w.log;
    cr_assert_not(hub_wallet_read(&before, &x.w.state, logs, 1, fresh, x.w.time_ms),
                  "not opened yet");
    body = world_transfer(x.sub, x.firm, 100, 0);
    cr_assert_eq(world_run(&x.w, KEY_OPERATOR, &body), 0);
    cr_assert(hub_wallet_read(&now, &x.w.state, NULL, 0, x.person, x.w.time_ms));
    cr_assert(hub_wallet_read(&before, &x.w.state, logs, 1, x.person, x.w.time_ms));
    cr_assert_eq(now.children, 300);
    cr_assert_eq(before.children, 400);
    cr_assert_eq(now.pay_day.sum, 100);
    cr_assert_eq(before.pay_day.sum, 0);
    cr_assert(hub_supply_read(&supply, &x.w.state, logs, 1));
    cr_assert_eq(supply.balance[HUB_WALLET_KIND_SUB], 400);
    world_close(&x.w);
}
