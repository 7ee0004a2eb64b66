/* What becomes of a record: refused, failed or applied, with which code; the sequence window; keys. */
#include "ledger/member.h"
#include "tests/support/net.h"
#include "tests/support/space.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { REFUSED = 1000 }; /* added to the code of a refusal */

/* Applies one record to the final state as the only one of a block, and takes it back. Parent's and block's
 * time are hours after genesis. 0 = applied, a code = failed, REFUSED + code = refused. */
static unsigned fate_at(struct net *net, struct hub_record r, uint64_t parent_ms, uint64_t block_ms)
{
    static uint8_t results[4096];
    struct hub_state *s = &net->chain->state;
    struct hub_undo log = {malloc(HUB_BLOCK_UNDO_BYTES_MAX), 0, HUB_BLOCK_UNDO_BYTES_MAX, false,
                           false};
    struct hub_header parent = net->chain->final_header;
    struct hub_block block = {.records = &r, .count = 1};
    struct hub_outcome out = {.results = {results, 0, sizeof results, false}};
    struct hub_hash before, after, id;
    uint32_t bad;
    uint16_t why = 0;
    unsigned fate;

    parent.time_ms = NET_GENESIS_MS + parent_ms;
    block.header.height = 1;
    block.header.time_ms = NET_GENESIS_MS + block_ms;
    hub_state_root(s, &before);
    if (hub_state_apply(s, &log, &parent, &net->chain->final_edge, &block, true, &out, &bad,
                        &why) != HUB_OK) {
        cr_assert_eq(bad, 0);
        fate = REFUSED + why;
    } else {
        struct hub_cbor c = hub_cbor_open(hub_span_of(&out.results));

        hub_cbor_array(&c, 3, 3);
        hub_cbor_hash(&c, &id);
        cr_assert(hub_hash_equal(&id, &r.id));
        fate = (unsigned)hub_cbor_uint(&c, 0, UINT16_MAX);
        hub_cbor_item(&c);
        cr_assert(hub_cbor_done(&c));
        cr_assert(fate != 0 || why == 0);
        hub_state_swap_back(s, &log);
    }
    hub_state_root(s, &after);
    cr_assert(hub_hash_equal(&before, &after));
    free(log.log);
    return fate;
}

static unsigned fate(struct net *net, struct hub_record r)
{
    return fate_at(net, r, 0, 1000);
}

static struct hub_record revoke(struct net *net, enum net_key signer, enum net_key key,
                                const struct net_wish *wish)
{
    return net_record(net, HUB_TYPE_KEY_REVOKE, signer, net_body_key_revoke(net, key), wish);
}

Test(apply, a_record_is_refused_with_the_first_code_that_fits)
{
    struct net *net = net_open(NULL, NULL);
    const struct net_wish stranger = {.cosign = {NET_SPARE}, .cosigns = 1};
    const struct net_wish other_iss = {.iss = "CHANGNING"};
    const struct net_wish unknown_and_iss = {.iss = "CHANGNING", .valid_until_ms = 1};
    struct hub_record r = revoke(net, NET_XC_GOVERNOR, NET_XC_SEAL, NULL);

    cr_assert_eq(fate(net, r), 0);
    r.verified = false;
    cr_assert_eq(fate(net, r), REFUSED + HUB_CODE_signature_invalid);
    r = net_record(net, HUB_TYPE_CURRENCY_ISSUE, NET_CA_ISSUER, net_body_issue(net, 1), &stranger);
    cr_assert_eq(fate(net, r), REFUSED + HUB_CODE_cosign_invalid);
    cr_assert_eq(fate(net, revoke(net, NET_XC_GOVERNOR, NET_XC_SEAL, &other_iss)),
                 REFUSED + HUB_CODE_iss_mismatch);
    cr_assert_eq(fate(net, revoke(net, NET_XC_GOVERNOR, NET_XC_SEAL, &unknown_and_iss)),
                 REFUSED + HUB_CODE_iss_mismatch, "before expired");
    cr_assert_eq(fate(net, revoke(net, NET_SPARE, NET_XC_SEAL, NULL)),
                 REFUSED + HUB_CODE_key_unknown);
}

Test(apply, a_key_is_judged_at_the_parents_time)
{
    struct net *net = net_open(NULL, NULL);
    const uint64_t from = NET_HOUR_MS, until = 2 * NET_HOUR_MS;
    struct hub_record r =
        net_record(net, HUB_TYPE_WALLET_OPEN, NET_BK_LATE, net_body_wallet_open(net), NULL);

    cr_assert_eq(fate_at(net, r, from - 1, from + 5), REFUSED + HUB_CODE_key_not_yet_valid);
    cr_assert_eq(fate_at(net, r, from, from + 5), 0);
    cr_assert_eq(fate_at(net, r, until, until + 5), 0);
    cr_assert_eq(fate_at(net, r, until + 1, until + 5), REFUSED + HUB_CODE_key_revoked);
}

Test(apply, validity_is_judged_at_the_blocks_time)
{
    struct net *net = net_open(NULL, NULL);
    const uint64_t ninety_days = UINT64_C(2160) * NET_HOUR_MS, day = 24 * NET_HOUR_MS;
    struct net_wish wish = {.valid_until_ms = NET_GENESIS_MS + 1000};

    cr_assert_eq(fate_at(net, revoke(net, NET_XC_GOVERNOR, NET_XC_SEAL, &wish), 0, 1000),
                 REFUSED + HUB_CODE_expired);
    wish.valid_until_ms++;
    cr_assert_eq(fate_at(net, revoke(net, NET_XC_GOVERNOR, NET_XC_SEAL, &wish), 0, 1000), 0);
    wish.valid_until_ms = NET_GENESIS_MS + 1000 + ninety_days;
    cr_assert_eq(fate_at(net, revoke(net, NET_XC_GOVERNOR, NET_XC_SEAL, &wish), 0, 1000), 0);
    wish.valid_until_ms++;
    cr_assert_eq(fate_at(net, revoke(net, NET_XC_GOVERNOR, NET_XC_SEAL, &wish), 0, 1000),
                 REFUSED + HUB_CODE_valid_until_too_far);
    wish.valid_until_ms = NET_GENESIS_MS + 1000 + day;
    cr_assert_eq(fate(net, net_record(net, HUB_TYPE_WALLET_OPEN, NET_BK_OPERATOR,
                                      net_body_wallet_open(net), &wish)),
                 0);
    wish.valid_until_ms++;
    cr_assert_eq(fate(net, net_record(net, HUB_TYPE_WALLET_OPEN, NET_BK_OPERATOR,
                                      net_body_wallet_open(net), &wish)),
                 REFUSED + HUB_CODE_valid_until_too_far);
}

static void suspend(struct net *net, enum net_member member)
{
    struct hub_member m;

    hub_member_get(&m, &net->chain->state, member);
    m.suspended = true;
    hub_member_put(&net->chain->state, &m);
}

Test(apply, a_role_or_a_suspension_fails_the_record)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_record open =
        net_record(net, HUB_TYPE_WALLET_OPEN, NET_BK_OPERATOR, net_body_wallet_open(net), NULL);
    struct hub_record alone =
        net_record(net, HUB_TYPE_CURRENCY_ISSUE, NET_CA_ISSUER, net_body_issue(net, 1), NULL);

    cr_assert_eq(fate(net, revoke(net, NET_XC_SEAL, NET_XC_SEAL, NULL)), HUB_CODE_role_missing);
    cr_assert_eq(fate(net, open), 0);
    cr_assert_eq(fate(net, alone), HUB_CODE_cosign_missing);
    suspend(net, NET_BANK);
    suspend(net, NET_AUTHORITY);
    suspend(net, NET_XIANGCHENG);
    cr_assert_eq(fate(net, open), HUB_CODE_member_suspended);
    cr_assert_eq(fate(net, alone), HUB_CODE_cosign_missing,
                 "stands before member_suspended in the list");
    cr_assert_eq(fate(net, revoke(net, NET_XC_SEAL, NET_XC_SEAL, NULL)), HUB_CODE_role_missing);
    cr_assert_eq(fate(net, revoke(net, NET_XC_GOVERNOR, NET_XC_SEAL, NULL)), 0,
                 "keys stay in its care");
}

Test(apply, key_add_is_for_the_governor_of_the_member_with_the_new_keys_signature)
{
    struct net *net = net_open(NULL, NULL);
    const struct net_wish with_new = {.cosign = {NET_SPARE}, .cosigns = 1};
    const struct net_wish with_seal = {.cosign = {NET_XC_SEAL}, .cosigns = 1};
    struct hub_span seal = net_body_key_add(net, NET_XIANGCHENG, NET_SPARE, "seal");
    struct hub_span governor = net_body_key_add(net, NET_XIANGCHENG, NET_SPARE, "governor");
    struct hub_span known = net_body_key_add(net, NET_XIANGCHENG, NET_XC_SEAL, "seal");

    cr_assert_eq(fate(net, net_record(net, HUB_TYPE_KEY_ADD, NET_XC_GOVERNOR, seal, &with_new)), 0);
    cr_assert_eq(fate(net, net_record(net, HUB_TYPE_KEY_ADD, NET_XC_GOVERNOR, seal, NULL)),
                 HUB_CODE_cosign_missing);
    cr_assert_eq(fate(net, net_record(net, HUB_TYPE_KEY_ADD, NET_XC_GOVERNOR, seal, &with_seal)),
                 HUB_CODE_cosign_missing);
    cr_assert_eq(fate(net, net_record(net, HUB_TYPE_KEY_ADD, NET_CN_GOVERNOR, seal, &with_new)),
                 HUB_CODE_role_missing);
    cr_assert_eq(fate(net, net_record(net, HUB_TYPE_KEY_ADD, NET_XC_SEAL, seal, &with_new)),
                 HUB_CODE_role_missing);
    cr_assert_eq(fate(net, net_record(net, HUB_TYPE_KEY_ADD, NET_XC_RECOVERY, seal, &with_new)),
                 HUB_CODE_role_missing);
    cr_assert_eq(fate(net, net_record(net, HUB_TYPE_KEY_ADD, NET_XC_RECOVERY, governor, &with_new)),
                 0);
    cr_assert_eq(fate(net, net_record(net, HUB_TYPE_KEY_ADD, NET_XC_GOVERNOR, known, &with_seal)),
                 HUB_CODE_key_exists);
}

Test(apply, key_revoke_is_for_own_keys_and_keeps_two_governors)
{
    struct net *net = net_open(NULL, NULL);

    cr_assert_eq(fate(net, revoke(net, NET_XC_GOVERNOR, NET_CN_SEAL, NULL)), HUB_CODE_key_not_own);
    cr_assert_eq(fate(net, revoke(net, NET_XC_GOVERNOR, NET_SPARE, NULL)), HUB_CODE_key_not_own);
    cr_assert_eq(fate(net, revoke(net, NET_XC_GOVERNOR, NET_XC_GOVERNOR_3, NULL)), 0,
                 "one of three");
    cr_assert_eq(fate(net, revoke(net, NET_CN_GOVERNOR, NET_CN_GOVERNOR_2, NULL)),
                 HUB_CODE_last_governor);
    cr_assert_eq(fate(net, revoke(net, NET_XC_GOVERNOR, NET_VALIDATOR, NULL)),
                 HUB_CODE_member_validates);
}

/* Roles of a grant and which of box, transport, wallet, not_after it carries; not_before is 5. */
static bool grant_is_good(const char *role, const char *second, const char *with,
                          uint64_t not_after)
{
    uint8_t bytes[256], zero[32] = {0};
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    struct hub_record r = {0};
    struct hub_public_key key = {{0}};

    hub_put_map(&b, 5u + (with != NULL) + (not_after != 0));
    if (with != NULL && strcmp(with, "box") == 0) {
        hub_put_text(&b, "box");
        hub_put_bytes(&b, (struct hub_span){zero, 32});
    }
    hub_put_text(&b, "key");
    hub_cose_key_encode(bytes + b.len + 2, &key);
    hub_put_bytes_head(&b, HUB_COSE_KEY_BYTES);
    b.len += HUB_COSE_KEY_BYTES;
    hub_put_text(&b, "label");
    hub_put_text(&b, "x");
    hub_put_text(&b, "roles");
    hub_put_array(&b, second == NULL ? 1 : 2);
    hub_put_text(&b, role);
    if (second != NULL)
        hub_put_text(&b, second);
    hub_put_text(&b, "member");
    hub_put_text(&b, "XIANGCHENG");
    if (with != NULL && strcmp(with, "wallet") == 0) {
        hub_put_text(&b, "wallet");
        hub_put_uint(&b, hub_wallet_number(2, 1));
    }
    if (not_after != 0) {
        hub_put_text(&b, "not_after");
        hub_put_uint(&b, not_after);
    }
    if (with != NULL && strcmp(with, "transport") == 0) {
        hub_put_text(&b, "transport");
        hub_put_bytes(&b, (struct hub_span){zero, 32});
    }
    hub_put_text(&b, "not_before");
    hub_put_uint(&b, 5);
    cr_assert(!b.full && hub_cbor_ok(hub_span_of(&b)));
    r.body = hub_span_of(&b);
    return hub_key_add_check(&r) == 0;
}

Test(apply, key_grants_fit_their_roles)
{
    cr_assert(grant_is_good("seal", NULL, NULL, 0));
    cr_assert(grant_is_good("seal", "operator", NULL, 6));
    cr_assert(!grant_is_good("seal", "seal", NULL, 0), "named twice");
    cr_assert(!grant_is_good("seal", NULL, NULL, 5), "ends before it begins");
    cr_assert(grant_is_good("reader", NULL, "box", 0));
    cr_assert(!grant_is_good("reader", NULL, NULL, 0));
    cr_assert(!grant_is_good("seal", NULL, "box", 0));
    cr_assert(grant_is_good("validator", NULL, "transport", 0));
    cr_assert(!grant_is_good("validator", "seal", "transport", 0), "stands alone");
    cr_assert(!grant_is_good("validator", NULL, NULL, 0));
    cr_assert(!grant_is_good("validator", NULL, "transport", 9), "no end");
    cr_assert(grant_is_good("observer", NULL, "transport", 9));
    cr_assert(!grant_is_good("governor", NULL, NULL, 9), "no end");
    cr_assert(!grant_is_good("recovery", NULL, NULL, 9), "no end");
    cr_assert(grant_is_good("wallet", NULL, "wallet", 0));
    cr_assert(!grant_is_good("wallet", NULL, NULL, 0));
    cr_assert(!grant_is_good("seal", NULL, "wallet", 0));
}

/* ---- many records in a block, through the chain */

static struct hub_key key_now(const struct net *net, enum net_key key)
{
    struct hub_key k;

    cr_assert(hub_key_find(&k, &net->chain->state, &net->key[key].kid));
    return k;
}

Test(apply, a_key_acts_from_the_block_after_the_one_that_adds_it)
{
    struct net *net = net_open(NULL, NULL);
    const struct net_wish with_new = {.cosign = {NET_SPARE}, .cosigns = 1}, bank = {.iss = "BANK"};
    struct hub_record r[3];
    struct hub_block *b;

    r[0] = net_record(net, HUB_TYPE_KEY_ADD, NET_BK_GOVERNOR,
                      net_body_key_add(net, NET_BANK, NET_SPARE, "operator"), &with_new);
    r[1] = net_record(net, HUB_TYPE_WALLET_OPEN, NET_SPARE, net_body_wallet_open(net), &bank);
    b = net_build(net, net->chain, NULL, r, 2);
    cr_assert_eq(b->count, 1, "the leader leaves the second for the next block");
    cr_assert(hub_hash_equal(&b->records[0].id, &r[0].id));
    b = net_build(net, net->chain, &b->hash, r, 2);
    cr_assert_eq(b->count, 1, "now the first is a replay");
    cr_assert(hub_hash_equal(&b->records[0].id, &r[1].id));
}

Test(apply, a_key_revoked_in_a_block_acts_until_its_end)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_record r[3];
    struct hub_block *b;

    r[0] = revoke(net, NET_BK_GOVERNOR, NET_BK_OPERATOR, NULL);
    r[1] = net_record(net, HUB_TYPE_WALLET_OPEN, NET_BK_OPERATOR, net_body_wallet_open(net), NULL);
    r[2] = net_record(net, HUB_TYPE_WALLET_OPEN, NET_BK_OPERATOR, net_body_wallet_open(net), NULL);
    b = net_build(net, net->chain, NULL, r, 2);
    cr_assert_eq(b->count, 2);
    cr_assert_eq(
        hub_apply_admit(&net->chain->state, &r[2], b->header.time_ms, b->header.time_ms + 1),
        HUB_CODE_key_revoked);
    b = net_build(net, net->chain, &b->hash, &r[2], 1);
    cr_assert_eq(b->count, 0);
}

Test(apply, a_governor_key_waits_a_day_in_both_directions)
{
    struct net *net = net_open(NULL, NULL);
    const uint64_t day = 24 * NET_HOUR_MS;
    const struct net_wish with_new = {.cosign = {NET_SPARE}, .cosigns = 1};
    struct hub_span body = net_body_key_add(net, NET_XIANGCHENG, NET_SPARE, "governor");
    struct hub_record r[2] = {net_record(net, HUB_TYPE_KEY_ADD, NET_XC_GOVERNOR, body, &with_new),
                              revoke(net, NET_XC_GOVERNOR, NET_XC_GOVERNOR_2, NULL)};
    struct hub_block *b = net_build(net, net->chain, NULL, r, 2);
    struct hub_key added, revoked;
    uint64_t then = b->header.time_ms + day;

    added = key_now(net, NET_SPARE);
    revoked = key_now(net, NET_XC_GOVERNOR_2);
    cr_assert_eq(hub_key_standing(&added, then - 1), HUB_KEY_PENDING);
    cr_assert_eq(hub_key_standing(&added, then), HUB_KEY_ACTIVE);
    cr_assert_eq(hub_key_standing(&revoked, then - 1), HUB_KEY_ACTIVE);
    cr_assert_eq(hub_key_standing(&revoked, then), HUB_KEY_REVOKED);
    /* With one on its way out and one on its way in, two governors act: none may go. */
    *r = revoke(net, NET_XC_GOVERNOR, NET_XC_GOVERNOR_3, NULL);
    b = net_build(net, net->chain, &b->hash, r, 1);
    added = key_now(net, NET_XC_GOVERNOR_3);
    cr_assert_eq(added.revoked_at_ms, 0);
}

Test(apply, a_recovered_governor_waits_seven_days)
{
    struct net *net = net_open(NULL, NULL);
    const struct net_wish with_new = {.cosign = {NET_SPARE}, .cosigns = 1};
    struct hub_span body = net_body_key_add(net, NET_XIANGCHENG, NET_SPARE, "governor");
    struct hub_record r = net_record(net, HUB_TYPE_KEY_ADD, NET_XC_RECOVERY, body, &with_new);
    struct hub_block *b = net_build(net, net->chain, NULL, &r, 1);

    cr_assert_eq(key_now(net, NET_SPARE).pending_until_ms,
                 b->header.time_ms + UINT64_C(7) * 24 * NET_HOUR_MS);
}

Test(apply, a_member_has_sixteen_governors_at_most)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_record r[14];
    struct hub_block *b;
    struct hub_key none;

    for (unsigned i = 0; i < 14; i++) {
        const struct net_wish with_new = {.cosign = {NET_SPARE + i}, .cosigns = 1};
        struct hub_span body = net_body_key_add(net, NET_XIANGCHENG, NET_SPARE + i, "governor");

        r[i] = net_record(net, HUB_TYPE_KEY_ADD, NET_XC_GOVERNOR, body, &with_new);
    }
    b = net_build(net, net->chain, NULL, r, 13);
    cr_assert_eq(b->count, 13);
    cr_assert_eq(key_now(net, NET_SPARE + 12).member,
                 NET_XIANGCHENG); /* three from genesis and thirteen */
    b = net_build(net, net->chain, &b->hash, &r[13], 1);
    cr_assert_eq(b->count, 1);
    cr_assert(!hub_key_find(&none, &net->chain->state, &net->key[NET_SPARE + 13].kid));
}

Test(apply, a_failed_record_spends_its_number_and_does_nothing_else)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_record r = revoke(net, NET_XC_SEAL, NET_XC_SEAL, NULL);
    struct hub_block *b = net_build(net, net->chain, NULL, &r, 1);
    struct hub_key k = key_now(net, NET_XC_SEAL);

    cr_assert_eq(b->count, 1);
    cr_assert_eq(k.seq_high, r.seq);
    cr_assert_eq(k.revoked_at_ms, 0);
    cr_assert_eq(net_build(net, net->chain, &b->hash, &r, 1)->count, 0, "seq_replayed");
}

/* ---- bounds */

Test(apply, a_record_without_room_for_its_writes_is_left_out_or_makes_the_block_invalid)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_state *s = &net->chain->state;
    struct hub_record r[3] = {revoke(net, NET_XC_SEAL, NET_XC_SEAL, NULL),
                              revoke(net, NET_CN_SEAL, NET_CN_SEAL, NULL),
                              revoke(net, NET_BK_OPERATOR, NET_BK_OPERATOR, NULL)};
    struct hub_record candidates[3];
    /* Each writes its signer's row, which grows by the head of one number at most: 12 bytes and the row. */
    size_t row = hub_state_row(s, HUB_TABLE_KEYS, NET_XC_SEAL).len, room = 2 * (12 + row + 8);
    struct hub_undo log = {malloc(room), 0, room, false, false};
    static uint8_t results[4096];
    struct hub_block block = {.records = candidates, .count = 3};
    struct hub_outcome out = {.results = {results, 0, sizeof results, false}};
    struct hub_hash before, after;
    uint32_t bad = 99;
    uint16_t why = 99;

    memcpy(candidates, r, sizeof r);
    block.header.height = 1;
    block.header.time_ms = NET_GENESIS_MS + 1;
    hub_state_root(s, &before);
    cr_assert_eq(hub_state_apply(s, &log, &net->chain->final_header, &net->chain->final_edge,
                                 &block, true, &out, &bad, &why),
                 HUB_BAD_BLOCK);
    cr_assert_eq(bad, 2);
    cr_assert_eq(why, 0);
    cr_assert_eq(log.len, 0);
    hub_state_root(s, &after);
    cr_assert(hub_hash_equal(&before, &after));
    log.full = false;
    cr_assert_eq(hub_state_apply(s, &log, &net->chain->final_header, &net->chain->final_edge,
                                 &block, false, &out, &bad, &why),
                 HUB_OK);
    cr_assert_eq(block.count, 2);
    cr_assert(!log.full);
}

Test(apply, entries_beyond_the_block_bytes_are_left_out_or_make_the_block_invalid)
{
    const char *const names[] = {"consensus.block_bytes", NULL};
    const uint64_t values[] = {131072};
    struct net *net = net_open(names, values);
    uint64_t credit[HUB_BATCH_ENTRIES_MAX];
    struct hub_record r[3];
    struct hub_block *b, *all;
    struct hub_fault fault;

    for (uint32_t i = 0; i < HUB_BATCH_ENTRIES_MAX; i++)
        credit[i] = hub_wallet_number(2, i + 2);
    for (int i = 0; i < 3; i++) {
        struct net_wish wish = {0};
        struct hub_span body = net_body_batch(net, hub_wallet_number(2, 1), credit,
                                              HUB_BATCH_ENTRIES_MAX, 1, &wish.attachment);

        r[i] = net_record(net, HUB_TYPE_CURRENCY_BATCH, NET_BK_OPERATOR, body, &wish);
    }
    b = net_build(net, net->chain, NULL, r, 3);
    cr_assert_eq(b->count, 2, "two batches of 60,000 bytes fit 131,072, three do not");
    all = calloc(1, sizeof *all);
    *all = *b;
    all->records = r;
    all->count = 3;
    all->header.view++;
    all->header.record_count = 3;
    memset(&all->hash, 7, sizeof all->hash);
    cr_assert_eq(hub_chain_append(net->chain, all, &fault), HUB_BAD_BLOCK);
    cr_assert_eq(fault.record, 2);
    cr_assert_str_eq(fault.field, "block_bytes");
}

/* ---- sequence window */

Test(key, window_edges)
{
    static const struct {
        uint64_t seq;
        uint16_t code;
    } edge[] = {{70000, HUB_CODE_seq_replayed}, /* the highest */
                {70000 - 1, 0},                 /* 1 below */
                {70000 - 4095, 0},              /* the last of the 4,096 */
                {70000 - 4096, HUB_CODE_seq_too_old},
                {1, HUB_CODE_seq_too_old},
                {70000 + 1, 0},
                {70000 + 65536, 0},
                {70000 + 65537, HUB_CODE_seq_too_far},
                {HUB_UINT_MAX, HUB_CODE_seq_too_far}};
    struct hub_key k = {.roles = 1}, fresh = {.roles = 1};

    cr_assert_eq(hub_key_seq_check(&fresh, 1), 0);
    cr_assert_eq(hub_key_seq_check(&fresh, 65536), 0);
    cr_assert_eq(hub_key_seq_check(&fresh, 65537), HUB_CODE_seq_too_far);
    hub_key_seq_mark(&k, 10000);
    hub_key_seq_mark(&k, 70000);
    for (size_t i = 0; i < sizeof edge / sizeof edge[0]; i++)
        cr_assert_eq(hub_key_seq_check(&k, edge[i].seq), edge[i].code, "%zu", i);
}

Test(key, window_agrees_with_a_list_of_all_numbers_used)
{
    enum { NUMBERS = 1 << 20 };
    bool *used = test_space(NUMBERS * sizeof *used);
    struct hub_key k = {.roles = 1};
    uint64_t seed = 88172645463325252u, high = 0, jump[] = {1, 3, 60, 4096, 9000, 65536, 65537};

    for (int i = 0; i < 30000; i++) {
        uint64_t seq;
        uint16_t want = 0;

        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        seq = high + jump[seed % 7] * (seed >> 20 & 1) - (seed >> 21) % 4200;
        if (seq == 0 || seq >= NUMBERS)
            continue;
        if (seq > high)
            want = seq - high > 65536 ? HUB_CODE_seq_too_far : 0;
        else if (seq + 4096 <= high)
            want = HUB_CODE_seq_too_old;
        else if (used[seq])
            want = HUB_CODE_seq_replayed;
        cr_assert_eq(hub_key_seq_check(&k, seq), want, "%d", i);
        if (want != 0)
            continue;
        hub_key_seq_mark(&k, seq);
        used[seq] = true;
        high = seq > high ? seq : high;
    }
    cr_assert(high > 500000);
}

Test(key, rows_read_back_as_written)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_key k = key_now(net, NET_BK_LATE), back;

    cr_assert_eq(k.row, NET_BK_LATE);
    cr_assert_eq(k.member, NET_BANK);
    cr_assert_eq(k.roles, HUB_ROLE_OPERATOR);
    cr_assert_eq(k.from_ms, NET_GENESIS_MS + NET_HOUR_MS);
    cr_assert_eq(k.until_ms, NET_GENESIS_MS + 2 * NET_HOUR_MS);
    cr_assert(hub_span_equal(k.label, hub_text_span("operator")));
    hub_key_seq_mark(&k, 4097);
    k.revoked_at_ms = 5;
    hub_key_put(&net->chain->state, &k);
    back = key_now(net, NET_BK_LATE);
    cr_assert_eq(memcmp(back.window, k.window, sizeof k.window), 0);
    cr_assert_eq(back.seq_high, 4097);
    cr_assert_eq(back.revoked_at_ms, 5);
    cr_assert_eq(hub_key_standing(&back, 4), HUB_KEY_NOT_YET);
    cr_assert_eq(hub_key_standing(&back, 5), HUB_KEY_REVOKED);
}
