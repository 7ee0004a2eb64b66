/* mempool.c: order, fairness, bounds, ends of the waiting records; and the threads that check them. */
#include "node/mempool.h"

#include "hub/apply.h"
#include "node/verifier.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { NOW_MS = 1000, VALID_MS = 5000000 };

struct signer {
    struct hub_public_key key;
    struct hub_hash kid;
    uint8_t secret[HUB_SECRET_BYTES];
};
static const struct hub_hash chain = {{1, 2, 3}};
static uint8_t record_bytes[1024];

static struct signer signer_of(uint8_t number)
{
    struct signer s;
    const uint8_t seed[HUB_SEED_BYTES] = {number, 7};
    cr_assert_eq(hub_crypto_self_test(), HUB_OK);
    hub_key_from_seed(&s.key, s.secret, seed);
    hub_kid_of(&s.kid, &s.key);
    return s;
}

static struct hub_span text(const char *t)
{
    return (struct hub_span){(const uint8_t *)t, strlen(t)};
}

/* A transfer of one fen, number seq. Valid as form; nothing knows its wallets. */
static struct hub_span transfer(const struct signer *s, uint64_t seq, uint64_t valid_until_ms)
{
    uint8_t body_bytes[128], scratch_bytes[1024];
    char sub[24];
    const uint64_t debit = hub_wallet_number(2, 5), credit = hub_wallet_number(2, 6);
    struct hub_buf body = {.data = body_bytes, .cap = sizeof body_bytes};
    struct hub_buf scratch = {.data = scratch_bytes, .cap = sizeof scratch_bytes};
    struct hub_buf out = {.data = record_bytes, .cap = sizeof record_bytes};
    hub_put_map(&body, 3);
    hub_put_text(&body, "debit");
    hub_put_uint(&body, debit);
    hub_put_text(&body, "amount");
    hub_put_uint(&body, 1);
    hub_put_text(&body, "credit");
    hub_put_uint(&body, credit);
    snprintf(sub, sizeof sub, "%llu", (unsigned long long)debit);
    const struct hub_record_draft d = {.type = HUB_TYPE_CURRENCY_TRANSFER,
                                       .kid = s->kid,
                                       .chain = chain,
                                       .iss = text("BANK"),
                                       .sub = text(sub),
                                       .payload = hub_span_of(&body),
                                       .seq = seq,
                                       .valid_until_ms = valid_until_ms};
    cr_assert_eq(hub_record_build(&out, &scratch, &d, s->secret), HUB_OK);
    return hub_span_of(&out);
}

static struct hub_pool_entry *add(struct hub_mempool *p, const struct signer *s, uint64_t seq,
                                  bool local)
{
    struct hub_pool_entry *e = NULL;
    uint16_t why;
    cr_assert_eq(hub_mempool_add(p, &e, &why, transfer(s, seq, VALID_MS), text(""), local, NOW_MS),
                 HUB_OK, "code %u", why);
    e->keys.count = 1;
    e->keys.key[0] = s->key;
    return e;
}

static struct hub_pool_entry *add_ready(struct hub_mempool *p, const struct signer *s, uint64_t seq)
{
    struct hub_pool_entry *e = add(p, s, seq, true);
    hub_record_trust_cache(&e->record);
    hub_mempool_ready(p, e);
    return e;
}

static struct hub_mempool *open_pool(void)
{
    struct hub_mempool *p;
    cr_assert_eq(hub_mempool_open(&p, &chain), HUB_OK);
    return p;
}

Test(mempool, gives_a_signers_records_in_number_order_and_signers_take_turns)
{
    struct hub_mempool *p = open_pool();
    const struct signer a = signer_of(1), b = signer_of(2);
    struct hub_record out[8];
    static const uint64_t of_a[] = {7, 3, 5};
    for (int i = 0; i < 3; i++)
        add_ready(p, &a, of_a[i]);
    add_ready(p, &b, 100);
    add_ready(p, &b, 99);
    cr_assert_eq(hub_mempool_take(p, out, 8, 1 << 20, NOW_MS, NULL, NULL), 5);
    uint64_t last_a = 0, last_b = 0;
    for (int i = 0; i < 5; i++) {
        uint64_t *last = hub_hash_equal(&out[i].kid, &a.kid) ? &last_a : &last_b;
        cr_assert_gt(out[i].seq, *last);
        *last = out[i].seq;
        if (i < 4) /* three of one, two of the other: they alternate to the end */
            cr_assert_not(hub_hash_equal(&out[i].kid, &out[i + 1].kid), "turn %d", i);
    }
    hub_mempool_close(p);
}

Test(mempool, holds_an_id_once_and_finds_it)
{
    struct hub_mempool *p = open_pool();
    const struct signer a = signer_of(1);
    struct hub_pool_entry *first = add(p, &a, 1, true), *again = NULL;
    uint16_t why;
    const struct hub_hash id = first->record.id;
    cr_assert_eq(
        hub_mempool_add(p, &again, &why, transfer(&a, 1, VALID_MS), text(""), true, NOW_MS),
        HUB_CONFLICT);
    cr_assert_eq(again, first);
    cr_assert_eq(hub_mempool_find(p, &id), first);
    hub_mempool_remove(p, first);
    cr_assert_null(hub_mempool_find(p, &id));
    cr_assert_eq(hub_mempool_count(p), 0);
    cr_assert_eq(hub_mempool_bytes(p), 0);
    hub_mempool_close(p);
}

Test(mempool, refuses_garbage_with_its_code_and_keeps_nothing)
{
    struct hub_mempool *p = open_pool();
    struct hub_pool_entry *e = NULL;
    uint16_t why = 0;
    const struct signer a = signer_of(1);
    cr_assert_eq(hub_mempool_add(p, &e, &why, text("garbage"), text(""), true, NOW_MS),
                 HUB_REFUSED);
    cr_assert_eq(why, HUB_CODE_not_canonical);
    struct hub_span r = transfer(&a, 1, VALID_MS);
    cr_assert_eq(
        hub_mempool_add(p, &e, &why, (struct hub_span){r.data, r.len - 1}, text(""), true, NOW_MS),
        HUB_REFUSED);
    cr_assert_eq(hub_mempool_add(p, &e, &why, r, text("x"), true, NOW_MS), HUB_REFUSED);
    cr_assert_eq(hub_mempool_count(p), 0);
    hub_mempool_close(p);
}

Test(mempool, a_signer_gets_half_a_window_and_no_more)
{
    struct hub_mempool *p = open_pool();
    const struct signer a = signer_of(1), b = signer_of(2);
    struct hub_pool_entry *e = NULL;
    uint16_t why;
    for (uint64_t i = 1; i <= HUB_POOL_SIGNER_MAX; i++)
        add(p, &a, i, false);
    cr_assert_eq(hub_mempool_add(p, &e, &why, transfer(&a, HUB_POOL_SIGNER_MAX + 1, VALID_MS),
                                 text(""), false, NOW_MS),
                 HUB_LIMIT);
    add(p, &b, 1, false); /* another's room is untouched */
    uint64_t lowest, highest;
    cr_assert_eq(hub_mempool_of_signer(p, &a.kid, &lowest, &highest), HUB_POOL_SIGNER_MAX);
    cr_assert(lowest == 1 && highest == HUB_POOL_SIGNER_MAX);
    hub_mempool_close(p);
}

Test(mempool, a_record_being_checked_is_neither_given_nor_shared)
{
    struct hub_mempool *p = open_pool();
    const struct signer a = signer_of(1);
    struct hub_record out[2];
    struct hub_span record[2], attachment[2];
    add(p, &a, 1, true);
    cr_assert_not(hub_mempool_has_work(p, NOW_MS, NULL, NULL));
    cr_assert_eq(hub_mempool_take(p, out, 2, 1 << 20, NOW_MS, NULL, NULL), 0);
    cr_assert_eq(hub_mempool_share(p, true, record, attachment, 2, 65536), 0);
    hub_mempool_close(p);
}

Test(mempool, what_was_handed_out_waits_before_it_is_handed_out_again_and_is_parked_in_the_end)
{
    struct hub_mempool *p = open_pool();
    const struct signer a = signer_of(1);
    struct hub_record out[1];
    uint64_t now = NOW_MS;
    add_ready(p, &a, 1);
    for (int i = 0; i < HUB_POOL_PARK_TRIES; i++) {
        cr_assert(hub_mempool_has_work(p, now, NULL, NULL), "try %d", i);
        cr_assert_eq(hub_mempool_take(p, out, 1, 1 << 20, now, NULL, NULL), 1);
        cr_assert_eq(hub_mempool_take(p, out, 1, 1 << 20, now, NULL, NULL), 0);
        now += HUB_POOL_AGAIN_MS;
    }
    cr_assert_not(hub_mempool_has_work(p, now, NULL, NULL));
    hub_mempool_expire(p, NOW_MS, true); /* a finalization unparks */
    cr_assert(hub_mempool_has_work(p, now, NULL, NULL));
    hub_mempool_close(p);
}

static enum hub_pool_advice advise(void *ctx, const struct hub_record *r)
{
    const uint64_t *drop = ctx;
    return r->seq == *drop ? HUB_POOL_DROP : r->seq > *drop ? HUB_POOL_SKIP : HUB_POOL_TAKE;
}

Test(mempool, takes_what_the_state_admits_and_drops_what_it_never_will)
{
    struct hub_mempool *p = open_pool();
    const struct signer a = signer_of(1);
    struct hub_record out[4];
    uint64_t drop = 2;
    for (uint64_t i = 1; i <= 3; i++)
        add_ready(p, &a, i);
    cr_assert_eq(hub_mempool_take(p, out, 4, 1 << 20, NOW_MS, advise, &drop), 1);
    cr_assert_eq(out[0].seq, 1);
    hub_mempool_expire(p, NOW_MS, false);
    cr_assert_eq(hub_mempool_count(p), 2); /* number 2 is gone, 3 waits */
    hub_mempool_close(p);
}

Test(mempool, forgets_what_no_later_block_can_hold)
{
    struct hub_mempool *p = open_pool();
    const struct signer a = signer_of(1);
    add_ready(p, &a, 1);
    hub_mempool_expire(p, VALID_MS - 1, false);
    cr_assert_eq(hub_mempool_count(p), 1);
    hub_mempool_expire(p, VALID_MS, false);
    cr_assert_eq(hub_mempool_count(p), 0);
    hub_mempool_close(p);
}

Test(mempool, shares_each_local_record_once_and_then_all_in_turn)
{
    struct hub_mempool *p = open_pool();
    const struct signer a = signer_of(1);
    struct hub_span record[8], attachment[8];
    for (uint64_t i = 1; i <= 3; i++)
        add_ready(p, &a, i);
    cr_assert_eq(hub_mempool_share(p, true, record, attachment, 2, 65536), 2);
    cr_assert_eq(hub_mempool_share(p, true, record, attachment, 8, 65536), 1);
    cr_assert_eq(hub_mempool_share(p, true, record, attachment, 8, 65536), 0);
    cr_assert_eq(hub_mempool_share(p, false, record, attachment, 8, 65536), 3);
    cr_assert_eq(hub_mempool_share(p, false, record, attachment, 8, 1), 1,
                 "one alone may exceed the bytes");
    hub_mempool_close(p);
}

Test(mempool, a_ticket_outlives_no_entry)
{
    struct hub_mempool *p = open_pool();
    const struct signer a = signer_of(1);
    struct hub_pool_entry *e = add(p, &a, 1, true);
    const uint64_t ticket = hub_mempool_ticket(p, e);
    cr_assert_eq(hub_mempool_of_ticket(p, ticket), e);
    hub_mempool_remove(p, e);
    cr_assert_null(hub_mempool_of_ticket(p, ticket));
    add(p, &a, 2, true); /* takes the same place */
    cr_assert_null(hub_mempool_of_ticket(p, ticket));
    hub_mempool_close(p);
}

/* ---- verifier */

static bool wait_done(struct hub_verifier *v, uint64_t *ticket, uint16_t *why)
{
    for (int i = 0; i < 500; i++) {
        struct pollfd fd = {hub_verifier_fd(v), POLLIN, 0};
        if (hub_verifier_done(v, ticket, why))
            return true;
        poll(&fd, 1, 10);
    }
    return false;
}

Test(verifier, answers_in_order_and_tells_good_from_bad)
{
    enum { COUNT = 200, BAD = 77 };
    struct hub_mempool *p = open_pool();
    struct hub_verifier *v;
    const struct signer a = signer_of(1), other = signer_of(2);
    cr_assert_eq(hub_verifier_open(&v, 3), HUB_OK);
    for (uint64_t i = 1; i <= COUNT; i++) {
        struct hub_pool_entry *e = add(p, &a, i, true);
        if (i == BAD)
            e->keys.key[0] = other.key;
        cr_assert(hub_verifier_submit(v, &e->record, &e->keys, i));
    }
    for (uint64_t i = 1; i <= COUNT; i++) {
        uint64_t ticket = 0;
        uint16_t why = 1;
        cr_assert(wait_done(v, &ticket, &why));
        cr_assert_eq(ticket, i);
        cr_assert_eq(why != 0, i == BAD);
    }
    hub_verifier_close(v);
    hub_mempool_close(p);
}

Test(verifier, checks_a_block_on_all_threads_and_names_a_bad_record)
{
    enum { COUNT = 150, BAD = 101 };
    static struct hub_record record[COUNT];
    static struct hub_record_keys keys[COUNT];
    struct hub_mempool *p = open_pool();
    struct hub_verifier *v;
    const struct signer a = signer_of(1), other = signer_of(2);
    uint16_t why = 0;
    cr_assert_eq(hub_verifier_open(&v, 2), HUB_OK);
    for (uint32_t i = 0; i < COUNT; i++) {
        record[i] = add(p, &a, i + 1, true)->record;
        keys[i] = (struct hub_record_keys){.count = 1, .key = {i == BAD ? other.key : a.key}};
    }
    cr_assert_eq(hub_verifier_check(v, record, keys, COUNT, &why), BAD);
    cr_assert_neq(why, 0);
    keys[BAD].key[0] = a.key;
    cr_assert_eq(hub_verifier_check(v, record, keys, COUNT, &why), UINT32_MAX);
    for (uint32_t i = 0; i < COUNT; i++) {
        cr_assert(record[i].verified);
        record[i].verified = false;
        keys[i].key[0] = other.key; /* the cache answers, not the key */
    }
    cr_assert_eq(hub_verifier_check(v, record, keys, 1, &why), UINT32_MAX);
    hub_verifier_close(v);
    hub_mempool_close(p);
}
