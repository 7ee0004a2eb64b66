/* Expected bytes and hashes: tests/vectors/golden.txt, written by python from docs/formats.cddl. */
#include "hub/block.h"

#include "tests/support/hex.h"
#include "tests/support/space.h"
#include "tests/support/vectors.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct hub_span numbered(const char *what, int i, const char *more)
{
    char name[64];

    snprintf(name, sizeof name, "%s.%d%s", what, i, more);
    return test_vector(name);
}

Test(header, decodes_hashes_and_encodes_the_golden_bytes)
{
    for (int i = 0; i <= 3; i++) {
        struct hub_span bytes = numbered("header", i, "");
        uint8_t again[HUB_HEADER_BYTES_MAX];
        struct hub_buf out = {again, 0, sizeof again, false};
        struct hub_header h;
        struct hub_hash hash;

        cr_assert(hub_header_decode(&h, bytes));
        cr_assert_eq(h.height, (uint64_t)i);
        hub_header_encode(&out, &h);
        cr_assert(hub_span_equal(hub_span_of(&out), bytes));
        hub_header_hash(&hash, bytes);
        cr_assert(memcmp(hash.b, numbered("header", i, ".hash").data, 32) == 0);
    }
}

Test(header, refuses_values_out_of_range)
{
    static const struct hub_header least = {.version = 1};
    uint8_t bytes[HUB_HEADER_BYTES_MAX];
    struct hub_header h, back;
#define ACCEPTS(field, value, want)                                                                \
    do {                                                                                           \
        struct hub_buf out = {bytes, 0, sizeof bytes, false};                                      \
        h = least;                                                                                 \
        h.field = (value);                                                                         \
        hub_header_encode(&out, &h);                                                               \
        cr_assert_eq(hub_header_decode(&back, hub_span_of(&out)), (want), #field " = " #value);    \
    } while (0)
    ACCEPTS(version, 1, true);
    ACCEPTS(version, 0, false);
    ACCEPTS(version, 2, false);
    ACCEPTS(flags, 2, true);
    ACCEPTS(flags, 3, false);
    ACCEPTS(proposer, 63, true);
    ACCEPTS(proposer, 64, false);
    ACCEPTS(record_count, UINT16_MAX, true);
    ACCEPTS(height, HUB_UINT_MAX, true);
    ACCEPTS(height, HUB_UINT_MAX + 1, false);
    ACCEPTS(time_ms, HUB_UINT_MAX + 1, false);
    ACCEPTS(view, HUB_UINT_MAX + 1, false);
    ACCEPTS(log_size, HUB_UINT_MAX + 1, false);
}

struct decoded {
    enum hub_status status;
    struct hub_block block;
    uint32_t bad_record;
    uint16_t why;
};

static struct decoded decode(struct hub_span bytes)
{
    static struct hub_record *records; /* of the last block decoded */
    if (!records)
        records = test_space(HUB_BLOCK_RECORDS_MAX * sizeof *records);
    struct hub_hash chain = test_vector_hash("genesis.chain");
    struct decoded d = {.block.records = records};

    d.status = hub_block_decode(&d.block, &d.bad_record, &d.why, bytes, &chain);
    return d;
}

static const uint32_t counts[] = {2, 3, 0};

Test(block, decodes_and_encodes_the_golden_bytes)
{
    for (int i = 1; i <= 3; i++) {
        struct hub_span bytes = numbered("block", i, ""), header_bytes;
        static uint8_t again[1 << 16];
        struct hub_buf out = {again, 0, sizeof again, false};
        struct decoded d = decode(bytes);
        struct hub_header h;
        struct hub_hash hash;

        cr_assert_eq(d.status, HUB_OK, "block %d: record %u, code %u", i, d.bad_record, d.why);
        cr_assert_eq(d.block.count, counts[i - 1]);
        cr_assert(memcmp(d.block.hash.b, numbered("header", i, ".hash").data, 32) == 0);
        hub_block_encode(&out, &d.block.header, d.block.records, d.block.count);
        cr_assert(hub_span_equal(hub_span_of(&out), bytes));
        cr_assert(hub_block_peek(&h, &hash, &header_bytes, bytes));
        cr_assert(hub_span_equal(header_bytes, numbered("header", i, "")));
        cr_assert(hub_hash_equal(&hash, &d.block.hash));
    }
}

Test(block, results_have_the_golden_bytes)
{
    static const uint8_t failed[] = {0x82, 0x82, 0x01, 0x19, 0x01, 0x4b,
                                     0x82, 0x04, 0x19, 0x01, 0x54};
    uint8_t bytes[128];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};
    struct hub_hash id = test_vector_hash("record.currency.transfer.id");

    hub_result_encode(&out, &id, 331, (struct hub_span){NULL, 0});
    cr_assert(hub_span_equal(hub_span_of(&out), test_vector("result.2.0")));
    id = test_vector_hash("record.currency.batch.id");
    out.len = 0;
    hub_result_encode(&out, &id, 0, (struct hub_span){failed, sizeof failed});
    cr_assert(hub_span_equal(hub_span_of(&out), test_vector("result.2.1")));
}

Test(block, refuses_every_truncation_and_a_trailing_byte)
{
    static uint8_t bytes[1 << 16];
    struct hub_span whole = test_vector("block.1");
    struct decoded d;

    for (size_t n = 0; n < whole.len; n++) {
        d = decode((struct hub_span){whole.data, n});
        cr_assert_eq(d.status, HUB_BAD_ENCODING, "%zu", n);
    }
    memcpy(bytes, whole.data, whole.len);
    cr_assert_eq(decode((struct hub_span){bytes, whole.len + 1}).status, HUB_BAD_ENCODING);
}

/* Block 2 with a changed header or other records. */
static struct decoded rebuilt(void (*change)(struct hub_header *h, struct hub_record *records,
                                             uint32_t *count))
{
    static uint8_t bytes[1 << 17];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};
    struct decoded d = decode(test_vector("block.2"));

    cr_assert_eq(d.status, HUB_OK);
    change(&d.block.header, d.block.records, &d.block.count);
    hub_block_encode(&out, &d.block.header, d.block.records, d.block.count);
    return decode(hub_span_of(&out));
}

static void drop_last(struct hub_header *h, struct hub_record *r, uint32_t *count)
{
    (void)h, (void)r;
    --*count;
}

static void swap_first(struct hub_header *h, struct hub_record *r, uint32_t *count)
{
    struct hub_record first = r[0];

    (void)h, (void)count;
    r[0] = r[1];
    r[1] = first;
}

static void count_wrong(struct hub_header *h, struct hub_record *r, uint32_t *count)
{
    (void)r, (void)count;
    h->record_count = 2;
}

static void other_chain(struct hub_header *h, struct hub_record *r, uint32_t *count)
{
    (void)r, (void)count;
    h->chain.b[0] ^= 1;
}

static void lose_attachment(struct hub_header *h, struct hub_record *r, uint32_t *count)
{
    (void)h, (void)count;
    r[1].attachment.len = 0;
}

static void edit_attachment(struct hub_header *h, struct hub_record *r, uint32_t *count)
{
    static uint8_t entries[200];

    (void)h, (void)count;
    memcpy(entries, r[1].attachment.data, sizeof entries);
    entries[23] ^= 1; /* one fen of the first amount */
    r[1].attachment.data = entries;
}

Test(block, names_what_is_wrong)
{
    struct decoded d = rebuilt(drop_last);

    cr_assert(d.status == HUB_BAD_BLOCK && d.bad_record == UINT32_MAX && d.why == 0);
    d = rebuilt(swap_first);
    cr_assert(d.status == HUB_BAD_BLOCK && d.bad_record == UINT32_MAX && d.why == 0);
    d = rebuilt(count_wrong);
    cr_assert(d.status == HUB_BAD_BLOCK && d.bad_record == UINT32_MAX && d.why == 0);
    d = rebuilt(other_chain);
    cr_assert(d.status == HUB_BAD_BLOCK && d.bad_record == UINT32_MAX &&
              d.why == HUB_CODE_chain_mismatch);
    d = rebuilt(lose_attachment);
    cr_assert(d.status == HUB_BAD_BLOCK && d.bad_record == 1 && d.why == HUB_CODE_batch_length);
    d = rebuilt(edit_attachment);
    cr_assert(d.status == HUB_BAD_BLOCK && d.bad_record == 1 && d.why == HUB_CODE_batch_root);
}

static void too_many_bytes(struct hub_header *h, struct hub_record *r, uint32_t *count)
{
    (void)h;
    for (uint32_t i = 3; i < 4000; i++)
        r[i] = r[2];
    *count = 4000;
}

Test(block, refuses_bodies_over_one_mebibyte)
{
    enum { ROOM = 1 << 24 };
    struct hub_buf out = {test_space(ROOM), 0, ROOM, false};
    struct decoded d = decode(test_vector("block.2"));

    too_many_bytes(&d.block.header, d.block.records, &d.block.count);
    hub_block_encode(&out, &d.block.header, d.block.records, d.block.count);
    cr_assert_not(out.full);
    d = decode(hub_span_of(&out));
    cr_assert(d.status == HUB_BAD_BLOCK && d.why == HUB_CODE_too_large);
}
