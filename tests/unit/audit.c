/* The audit of a small history: sound, and changed in one place after another. */
#include "tests/support/net.h"
#include "tools/audit.h"
#include "tools/frames_impl.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEIGHTS = 7, WALLETS = 10, BATCH_HEIGHT = 2, KEY_HEIGHT = 3, PAY_HEIGHT = 5 };

/* Heights: 1 issue and ten wallets; 2 a batch that tops them up; 3 a new operator key, without a certificate;
 * 4 empty; 5 a wallet opened by the new key, a payment, a payment too large; 6 a batch; 7 empty. */
struct history {
    struct net *net;
    struct hub_buf block[HEIGHTS + 1], certificate[HEIGHTS + 1]; /* by height; [0] unused */
    struct hub_frames frames;                                    /* the same as a source */
    uint64_t next;
    enum hub_status end; /* what the source says behind the last height */
};

static struct hub_buf keep_bytes(struct hub_span bytes)
{
    struct hub_buf b = {malloc(bytes.len + 1), bytes.len, bytes.len + 1, false};

    memcpy(b.data, bytes.data, bytes.len);
    return b;
}

static struct hub_block *add_block(struct history *h, uint64_t height, const struct hub_record *r,
                                   uint32_t count, bool certified)
{
    struct hub_chain *c = h->net->chain;
    static struct hub_hash tip;
    struct hub_block *b = net_build(h->net, c, height == 1 ? NULL : &tip, r, count);
    struct hub_certificate cert = net_certificate(h->net, b, 0);
    uint8_t bytes[8192];
    struct hub_buf out = {bytes, 0, sizeof bytes, false};

    cr_assert_eq(b->count, count);
    tip = b->hash;
    h->block[height] = keep_bytes(b->bytes);
    if (!certified)
        return b;
    cr_assert_eq(hub_chain_finalize(c, &cert, NULL, NULL), HUB_OK);
    hub_certificate_encode(&out, &cert, 4);
    h->certificate[height] = keep_bytes(hub_span_of(&out));
    return b;
}

static enum hub_status next_frame(struct hub_frames *f, struct hub_chain_frame *out)
{
    struct history *h = f->own;

    if (++h->next > HEIGHTS) {
        snprintf(f->why, sizeof f->why, "cut by the test");
        return h->end;
    }
    *out = (struct hub_chain_frame){h->next,
                                    100 * h->next,
                                    hub_span_of(&h->block[h->next]),
                                    hub_span_of(&h->certificate[h->next]),
                                    {NULL, 0}};
    return HUB_OK;
}

static struct hub_record batch(struct history *h, const uint64_t *wallet, uint64_t amount)
{
    struct net_wish wish = {.cosigns = 0};
    struct hub_span body =
        net_body_batch(h->net, hub_wallet_number(2, 1), wallet, WALLETS, amount, &wish.attachment);

    return net_record(h->net, HUB_TYPE_CURRENCY_BATCH, NET_BK_OPERATOR, body, &wish);
}

static struct history *make_history(void)
{
    static const struct hub_frames_kind kind = {next_frame, NULL, NULL};
    const struct net_wish issuers = {.cosign = {NET_CA_ISSUER_2}, .cosigns = 1};
    const struct net_wish new_key = {.cosign = {NET_SPARE}, .cosigns = 1}, bank = {.iss = "BANK"};
    struct history *h = calloc(1, sizeof *h);
    struct net *net = h->net = net_open(NULL, NULL);
    struct hub_record r[1 + WALLETS];
    uint64_t wallet[WALLETS];

    r[0] = net_record(net, HUB_TYPE_CURRENCY_ISSUE, NET_CA_ISSUER, net_body_issue(net, 5000000),
                      &issuers);
    for (uint32_t i = 0; i < WALLETS; i++) {
        r[1 + i] =
            net_record(net, HUB_TYPE_WALLET_OPEN, NET_BK_OPERATOR, net_body_wallet_open(net), NULL);
        wallet[i] = hub_wallet_number(2, 2 + i);
    }
    add_block(h, 1, r, 1 + WALLETS, true);
    r[0] = batch(h, wallet, 12345);
    add_block(h, 2, r, 1, true);
    r[0] = net_record(net, HUB_TYPE_KEY_ADD, NET_BK_GOVERNOR,
                      net_body_key_add(net, NET_BANK, NET_SPARE, "operator"), &new_key);
    add_block(h, 3, r, 1, false);
    add_block(h, 4, NULL, 0, true);
    r[0] = net_record(net, HUB_TYPE_WALLET_OPEN, NET_SPARE, net_body_wallet_open(net), &bank);
    r[1] = net_record(net, HUB_TYPE_CURRENCY_TRANSFER, NET_BK_OPERATOR,
                      net_body_transfer(net, wallet[0], wallet[1], 45), NULL);
    r[2] = net_record(net, HUB_TYPE_CURRENCY_TRANSFER, NET_BK_OPERATOR,
                      net_body_transfer(net, wallet[0], wallet[1], 99999999), NULL);
    add_block(h, 5, r, 3, true);
    r[0] = batch(h, wallet, 7);
    add_block(h, 6, r, 1, true);
    add_block(h, 7, NULL, 0, true);
    h->frames = (struct hub_frames){
        .kind = &kind, .own = h, .info = {.genesis = net->genesis_bytes, .first_height = 1}};
    h->end = HUB_NOT_FOUND;
    return h;
}

/* Runs an audit. What it found is read to the end of the test and then freed. */
static struct hub_audit kept[64];
static unsigned kept_count;

static void audit(struct hub_audit *a)
{
    cr_assert_eq(hub_audit_run(a), HUB_OK);
    cr_assert_lt(kept_count, sizeof kept / sizeof kept[0]);
    kept[kept_count++] = *a;
}

static void free_audits(void)
{
    while (kept_count > 0)
        hub_audit_free(&kept[--kept_count]);
}

TestSuite(audit, .fini = free_audits);

static struct hub_audit run(struct history *h, unsigned jobs)
{
    struct hub_audit a = {.frames = &h->frames,
                          .genesis = &h->net->genesis,
                          .chain = net_chain(h->net),
                          .jobs = jobs,
                          .findings_max = 100};

    h->next = 0;
    audit(&a);
    return a;
}

Test(audit, a_sound_history_is_verified_with_its_counts_and_totals)
{
    struct history *h = make_history();

    for (unsigned jobs = 1; jobs <= 4; jobs += 3) {
        struct hub_audit a = run(h, jobs);

        cr_assert_eq(a.verdict, HUB_AUDIT_VERIFIED);
        cr_assert_eq(a.found, 0);
        cr_assert_eq(a.blocks, 7);
        cr_assert_eq(a.empty_blocks, 2);
        cr_assert_eq(a.records, 11 + 1 + 1 + 3 + 1);
        cr_assert_eq(a.failed, 1); /* the payment too large */
        cr_assert_eq(a.applied, 16);
        cr_assert_eq(a.entries, 20);
        cr_assert_eq(a.signatures, 17);
        cr_assert_eq(a.not_final, 0);
        cr_assert(a.has_currency);
        cr_assert_eq(a.supply.issued, 5000000);
        cr_assert_eq(a.supply.balance[HUB_WALLET_KIND_CORPORATE], 10 * 12345 + 10 * 7);
        cr_assert_eq(a.supply.balance[HUB_WALLET_KIND_RESERVE], 5000000 - 10 * 12345 - 10 * 7);
        cr_assert(hub_hash_equal(&a.chain->final_hash, &h->net->chain->final_hash));
    }
}

/* Place of some bytes in the block of a height. */
static uint8_t *find_bytes(struct history *h, uint64_t height, const void *bytes, size_t len)
{
    struct hub_buf *b = &h->block[height];

    for (size_t i = 0; i + len <= b->len; i++)
        if (memcmp(b->data + i, bytes, len) == 0)
            return b->data + i;
    cr_assert_fail("not in the block");
    return NULL;
}

static uint8_t *batch_amount(struct history *h, uint64_t height, uint64_t amount, unsigned entry)
{
    uint8_t bytes[16];

    hub_put_be64(bytes, hub_wallet_number(2, 2 + entry));
    hub_put_be64(bytes + 8, amount);
    return find_bytes(h, height, bytes, sizeof bytes) + 8;
}

Test(audit, a_changed_amount_of_a_batch_is_named_with_what_it_was)
{
    struct history *h = make_history();
    struct hub_audit a;

    hub_put_be64(batch_amount(h, BATCH_HEIGHT, 12345, 6), 992345);
    a = run(h, 2);
    cr_assert_eq(a.verdict, HUB_AUDIT_DAMAGED);
    cr_assert_eq(a.found, 1);
    cr_assert_eq(a.finding[0].kind, HUB_FINDING_ENTRY);
    cr_assert_eq(a.finding[0].height, BATCH_HEIGHT);
    cr_assert_eq(a.finding[0].offset, 200);
    cr_assert_eq(a.finding[0].record, 0);
    cr_assert_eq(a.finding[0].entry, 6);
    cr_assert_eq(a.finding[0].code, HUB_CODE_batch_root);
    cr_assert_str_eq(a.finding[0].field, "amount");
    cr_assert_str_eq(a.finding[0].expected, "123.45");
    cr_assert_str_eq(a.finding[0].got, "9923.45");
    cr_assert_eq(a.blocks, 1);
    cr_assert_eq(a.skipped, 6);
    cr_assert_eq(a.height_read, 7);
    cr_assert_eq(a.ranges, 1);
    cr_assert(a.range[0].from == 2 && a.range[0].to == 2);
}

Test(audit, a_changed_wallet_number_is_found_by_its_check_digits)
{
    struct history *h = make_history();
    struct hub_audit a;

    batch_amount(h, BATCH_HEIGHT, 12345, 3)[-3] ^= 1;
    a = run(h, 2);
    cr_assert_eq(a.found, 1);
    cr_assert_eq(a.finding[0].entry, 3);
    cr_assert_str_eq(a.finding[0].field, "wallet");
}

Test(audit, a_changed_record_is_named_by_its_place)
{
    struct history *h = make_history();
    const uint8_t amount[] = {'a', 'm', 'o', 'u', 'n', 't', 0x18, 45};
    struct hub_audit a;

    find_bytes(h, PAY_HEIGHT, amount, sizeof amount)[7] = 46;
    a = run(h, 2);
    cr_assert_eq(a.verdict, HUB_AUDIT_DAMAGED);
    cr_assert_eq(a.found, 1);
    cr_assert_eq(a.finding[0].kind, HUB_FINDING_RECORD);
    cr_assert_eq(a.finding[0].height, PAY_HEIGHT);
    cr_assert_eq(a.finding[0].record, 1);
    cr_assert_eq(a.finding[0].code, HUB_CODE_signature_invalid);
    cr_assert_str_eq(a.finding[0].field, "currency.transfer");
    cr_assert_eq(a.blocks, 4);
}

/* The block again with some of its records and a changed header. */
static void rebuild(struct history *h, uint64_t height, uint32_t from, uint32_t count,
                    void (*change)(struct hub_header *))
{
    struct hub_block b = {.records = calloc(HUB_BLOCK_RECORDS_MAX, sizeof(struct hub_record))};
    struct hub_buf out = {malloc(1 << 16), 0, 1 << 16, false};
    uint32_t bad;
    uint16_t why;

    cr_assert_eq(
        hub_block_decode(&b, &bad, &why, hub_span_of(&h->block[height]), &h->net->genesis.chain),
        HUB_OK);
    if (change != NULL)
        change(&b.header);
    hub_block_encode(&out, &b.header, b.records + from, count);
    cr_assert(!out.full);
    h->block[height] = out;
}

Test(audit, a_record_taken_out_is_missed)
{
    struct history *h = make_history();
    struct hub_audit a;

    rebuild(h, PAY_HEIGHT, 0, 2, NULL);
    a = run(h, 2);
    cr_assert_eq(a.found, 1);
    cr_assert_eq(a.finding[0].kind, HUB_FINDING_CLAIM);
    cr_assert_str_eq(a.finding[0].field, "record_count");
    cr_assert_str_eq(a.finding[0].expected, "3", "the header is certified");
    cr_assert_str_eq(a.finding[0].got, "2");
}

static void other_state(struct hub_header *h)
{
    h->state_root.b[0] ^= 1;
}

Test(audit, a_header_with_a_false_claim_is_told_with_expected_and_got)
{
    struct history *h = make_history();
    struct hub_header good;
    struct hub_hash hash;
    struct hub_span bytes;
    struct hub_audit a;
    char hex[65];

    cr_assert(hub_block_peek(&good, &hash, &bytes, hub_span_of(&h->block[PAY_HEIGHT])));
    rebuild(h, PAY_HEIGHT, 0, 3, other_state);
    a = run(h, 2);
    cr_assert_eq(a.found, 1, "the broken link to the next block is blamed on this one");
    cr_assert_eq(a.finding[0].kind, HUB_FINDING_CLAIM);
    cr_assert_eq(a.finding[0].height, PAY_HEIGHT);
    cr_assert_str_eq(a.finding[0].field, "state_root");
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", good.state_root.b[i]);
    cr_assert_str_eq(a.finding[0].expected, hex);
    cr_assert_str_neq(a.finding[0].got, hex);
}

Test(audit, a_history_rewritten_from_a_height_on_breaks_the_link)
{
    struct history *h = make_history();
    struct hub_audit a;

    h->block[4] = h->block[7]; /* an empty block of this ledger, from another place */
    a = run(h, 2);
    cr_assert_eq(a.finding[0].height, 4);
    cr_assert_str_eq(a.finding[0].field, "parent");
    cr_assert_eq(a.blocks, 2, "height 3 has no certificate of its own");
}

Test(audit, a_bad_certificate_is_told_and_the_next_one_covers_the_block)
{
    struct history *h = make_history();
    struct hub_audit a;

    h->certificate[5].data[h->certificate[5].len - 1] ^= 1;
    a = run(h, 2);
    cr_assert_eq(a.verdict, HUB_AUDIT_DAMAGED);
    cr_assert_eq(a.found, 1);
    cr_assert_eq(a.finding[0].kind, HUB_FINDING_CERTIFICATE);
    cr_assert_str_eq(a.finding[0].field, "signatures");
    cr_assert_eq(a.blocks, 7);
    h->certificate[5] = h->certificate[6];
    a = run(h, 2);
    cr_assert_eq(a.found, 1);
    cr_assert_str_eq(a.finding[0].field, "block_hash");
}

Test(audit, all_damaged_heights_are_told_in_one_run)
{
    struct history *h = make_history();
    struct hub_audit a;

    hub_put_be64(batch_amount(h, 2, 12345, 0), 1);
    h->block[4].len = 0;
    hub_put_be64(batch_amount(h, 6, 7, 9), 8);
    h->certificate[7].data[h->certificate[7].len - 1] ^= 1;
    a = run(h, 2);
    cr_assert_eq(a.found, 4);
    cr_assert_eq(a.finding[1].kind, HUB_FINDING_UNREADABLE);
    cr_assert_eq(a.finding[2].kind, HUB_FINDING_ENTRY);
    cr_assert_str_eq(a.finding[2].expected, "0.07");
    cr_assert_eq(a.finding[3].kind, HUB_FINDING_CERTIFICATE);
    cr_assert_eq(a.ranges, 3);
    cr_assert(a.range[0].from == 2 && a.range[0].to == 2);
    cr_assert(a.range[1].from == 4 && a.range[1].to == 4);
    cr_assert(a.range[2].from == 6 && a.range[2].to == 7);
}

Test(audit, blocks_above_the_last_certificate_are_not_final)
{
    struct history *h = make_history();
    struct hub_audit a;

    h->certificate[6].len = h->certificate[7].len = 0;
    a = run(h, 2);
    cr_assert_eq(a.verdict, HUB_AUDIT_VERIFIED);
    cr_assert_eq(a.blocks, 5);
    cr_assert_eq(a.not_final, 2);
    for (int i = 1; i <= HEIGHTS; i++)
        h->certificate[i].len = 0;
    cr_assert_eq(run(h, 2).verdict, HUB_AUDIT_INCOMPLETE, "nothing is final");
}

Test(audit, how_the_source_ends_decides_the_verdict)
{
    struct history *h = make_history();
    uint8_t other[4] = "gen";

    h->end = HUB_BAD_ENCODING;
    cr_assert_eq(run(h, 2).verdict, HUB_AUDIT_UNREADABLE);
    h->end = HUB_CORRUPT;
    cr_assert_eq(run(h, 2).verdict, HUB_AUDIT_DAMAGED);
    h->end = HUB_NOT_FOUND;
    h->frames.info.first_height = 2;
    cr_assert_eq(run(h, 2).verdict, HUB_AUDIT_INCOMPLETE);
    h->frames.info.genesis = (struct hub_span){other, 3};
    cr_assert_eq(run(h, 2).verdict, HUB_AUDIT_OTHER_GENESIS);
}

Test(audit, an_export_file_reads_back_the_same)
{
    struct history *h = make_history();
    char path[] = "/tmp/hub-audit-XXXXXX", why[HUB_FRAMES_WHY_BYTES] = "", line[200];
    FILE *f = fdopen(mkstemp(path), "w+b"), *report = tmpfile();
    struct hub_frames *file;
    struct hub_audit a;
    uint64_t frames;

    h->next = 0;
    cr_assert_eq(hub_export_write(f, &h->frames, 0, &frames, why, NULL, NULL), HUB_OK, "%s", why);
    cr_assert_eq(frames, HEIGHTS);
    fclose(f);
    cr_assert_eq(hub_frames_open(&file, why, path, false), HUB_OK, "%s", why);
    a = (struct hub_audit){.frames = file,
                           .genesis = &h->net->genesis,
                           .chain = net_chain(h->net),
                           .jobs = 2,
                           .findings_max = 9};
    audit(&a);
    cr_assert_eq(a.verdict, HUB_AUDIT_VERIFIED);
    cr_assert_eq(a.blocks, HEIGHTS);
    hub_audit_print(report, &a, path, 0.5, true);
    cr_assert(hub_audit_json(report, &a, path, 0.5));
    rewind(report);
    cr_assert_not_null(fgets(line, sizeof line, report));
    hub_frames_close(file);
    unlink(path);
}

Test(audit, a_file_whose_frames_are_broken_is_read_on_behind_them)
{
    struct history *h = make_history();
    char path[] = "/tmp/hub-audit-XXXXXX", why[HUB_FRAMES_WHY_BYTES] = "";
    FILE *f = fdopen(mkstemp(path), "w+b");
    struct hub_frames *file;
    struct hub_audit a;
    uint64_t frames;
    uint8_t *bytes = malloc(1 << 16), *at = NULL;
    size_t len;

    h->next = 0;
    cr_assert_eq(hub_export_write(f, &h->frames, 0, &frames, why, NULL, NULL), HUB_OK, "%s", why);
    rewind(f);
    len = fread(bytes, 1, 1 << 16, f);
    for (size_t i = 0; i + 64 < len && at == NULL;
         i++) /* where the block of height 3 begins: [block head */
        if (memcmp(bytes + i, h->block[3].data, 64) == 0)
            at = bytes + i;
    cr_assert_not_null(at);
    at[-1] ^= 0x55; /* its length */
    rewind(f);
    cr_assert_eq(fwrite(bytes, 1, len, f), len);
    fclose(f);
    cr_assert_eq(hub_frames_open(&file, why, path, false), HUB_OK, "%s", why);
    a = (struct hub_audit){.frames = file,
                           .genesis = &h->net->genesis,
                           .chain = net_chain(h->net),
                           .jobs = 2,
                           .findings_max = 9};
    audit(&a);
    cr_assert_eq(a.verdict, HUB_AUDIT_DAMAGED);
    cr_assert_eq(a.blocks, 2);
    cr_assert_eq(a.height_read, HEIGHTS);
    cr_assert_eq(a.finding[0].kind, HUB_FINDING_UNREADABLE);
    cr_assert_eq(a.finding[0].height, 3);
    cr_assert_not_null(strstr(a.finding[0].note, "no frame"));
    cr_assert_eq(a.found, 2, "and the hash at the end");
    cr_assert_eq(a.finding[1].kind, HUB_FINDING_END);
    hub_frames_close(file);
    unlink(path);
}

Test(audit, findings_beyond_the_most_are_counted)
{
    struct history *h = make_history();
    struct hub_audit a = {.frames = &h->frames,
                          .genesis = &h->net->genesis,
                          .chain = net_chain(h->net),
                          .jobs = 1,
                          .findings_max = 1};

    h->block[2].len = h->block[4].len = h->block[6].len = 0;
    h->next = 0;
    cr_assert_eq(hub_audit_run(&a), HUB_OK);
    cr_assert_eq(a.found, 3);
    cr_assert_eq(a.findings, 1);
    cr_assert_eq(a.ranges, 3);
    hub_audit_free(&a);
}
