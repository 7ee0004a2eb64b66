/* Histories as frames: a data directory, the export made of it, and what damage to either looks like. */
#include "tests/support/ledger_dir.h"
#include "tests/support/space.h"
#include "tests/support/stored_ledger.h"
#include "tools/frames.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEIGHTS = 5, FILE_BYTES_MAX = 1 << 20 };

static char dir[64], file[128], why[HUB_FRAMES_WHY_BYTES];
static struct stored_ledger s;
static uint8_t *bytes; /* of the export, FILE_BYTES_MAX of them */
static size_t len;

/* Five heights: an issue, wallets, nothing, transfers, wallets; a checkpoint at the fourth. */
static void begin(void)
{
    bytes = test_space(FILE_BYTES_MAX);
    test_dir_make(dir);
    snprintf(file, sizeof file, "%s/export", dir);
    stored_new(&s, dir, 1, 64);
    stored_start(&s);
    cr_assert(small_ledger_issue(s.ledger, 5000));
    stored_block(&s);
    for (int i = 0; i < 9; i++)
        cr_assert(small_ledger_open_wallet(s.ledger));
    stored_block(&s);
    stored_block(&s);
    for (uint32_t i = 0; i < 7; i++)
        cr_assert(
            small_ledger_transfer(s.ledger, SMALL_FIRST_WALLET + i, SMALL_FIRST_WALLET + i + 1, 1));
    stored_block(&s);
    cr_assert_eq(hub_checkpoint_write(s.store, s.chain, s.history), HUB_OK);
    cr_assert(small_ledger_open_wallet(s.ledger));
    stored_block(&s);
}

static void end(void)
{
    stored_free(&s);
    test_dir_remove(dir);
}

static struct hub_frames *open_source(const char *path)
{
    struct hub_frames *f;
    cr_assert_eq(hub_frames_open(&f, why, path, false), HUB_OK, "%s", why);
    return f;
}

static uint64_t export_to_file(void)
{
    uint64_t frames;
    struct hub_frames *in = open_source(dir);
    FILE *out = fopen(file, "w+");
    cr_assert_not_null(out);
    cr_assert_eq(hub_export_write(out, in, 0, &frames, why, NULL, NULL), HUB_OK, "%s", why);
    hub_frames_close(in);
    rewind(out);
    len = fread(bytes, 1, FILE_BYTES_MAX, out);
    cr_assert(len > 0 && len < FILE_BYTES_MAX);
    fclose(out);
    return frames;
}

static void write_file(const uint8_t *data, size_t n)
{
    FILE *out = fopen(file, "w");
    cr_assert_eq(fwrite(data, 1, n, out), n);
    fclose(out);
}

/* Reads to the end; the status that ended it. */
static enum hub_status drain(struct hub_frames *f, unsigned *frames)
{
    struct hub_chain_frame frame;
    enum hub_status status;
    *frames = 0;
    while ((status = hub_frames_next(f, &frame)) == HUB_OK)
        ++*frames;
    return status;
}

Test(frames, a_directory_gives_every_final_block_with_its_certificate, .init = begin, .fini = end)
{
    struct hub_hash last = s.chain->final_hash;
    stored_stop(&s);
    struct hub_frames *f = open_source(dir);
    struct hub_chain_frame frame;
    cr_assert_eq(hub_frames_info(f)->first_height, 1);
    cr_assert_eq(hub_frames_info(f)->last_height, HEIGHTS);
    cr_assert(hub_span_equal(hub_frames_info(f)->genesis, s.ledger->genesis.bytes));
    for (uint64_t height = 1; height <= HEIGHTS; height++) {
        struct hub_header header;
        struct hub_hash hash;
        struct hub_span header_bytes;
        static struct hub_certificate cert;
        cr_assert_eq(hub_frames_next(f, &frame), HUB_OK);
        cr_assert_eq(frame.height, height);
        cr_assert(hub_block_peek(&header, &hash, &header_bytes, frame.block));
        cr_assert_eq(header.height, height);
        cr_assert(hub_certificate_decode(&cert, frame.certificate));
        cr_assert(hub_hash_equal(&cert.subject.block_hash, &hash));
        if (height == HEIGHTS)
            cr_assert(hub_hash_equal(&hash, &last));
    }
    cr_assert_eq(hub_frames_next(f, &frame), HUB_NOT_FOUND);
    hub_frames_close(f);
}

Test(frames, an_export_holds_the_same_frames_as_the_directory, .init = begin, .fini = end)
{
    stored_stop(&s);
    cr_assert_eq(export_to_file(), HEIGHTS);
    struct hub_frames *a = open_source(dir), *b = open_source(file);
    struct hub_chain_frame one, two;
    cr_assert(hub_span_equal(hub_frames_info(a)->genesis, hub_frames_info(b)->genesis));
    for (uint64_t height = 1; height <= HEIGHTS; height++) {
        cr_assert_eq(hub_frames_next(a, &one), HUB_OK);
        cr_assert_eq(hub_frames_next(b, &two), HUB_OK);
        cr_assert_eq(two.height, height);
        cr_assert(hub_span_equal(one.block, two.block));
        cr_assert(hub_span_equal(one.certificate, two.certificate));
    }
    cr_assert_eq(hub_frames_next(b, &two), HUB_NOT_FOUND, "%s", hub_frames_why(b));
    hub_frames_close(a);
    hub_frames_close(b);
}

/* RFC 8742: a sequence of items, each deterministic CBOR; the last holds the SHA-256 of all before it. */
Test(frames, an_export_is_a_cbor_sequence_that_ends_with_its_hash, .init = begin, .fini = end)
{
    stored_stop(&s);
    export_to_file();
    cr_assert_arr_eq(bytes, "\xd9\xd9\xf7\x85\x70hubledger-export\x01", 22);
    struct hub_cbor c =
        hub_cbor_open((struct hub_span){bytes + 3, len - 3}); /* behind the tag 55799 */
    unsigned items = 0;
    struct hub_span last = {NULL, 0};
    for (; hub_cbor_peek(&c) != HUB_CBOR_END; items++)
        last = hub_cbor_item(&c);
    cr_assert(hub_cbor_done(&c));
    cr_assert_eq(items, 1 + HEIGHTS + 1);
    struct hub_hash hash;
    hub_hash_span(&hash, (struct hub_span){bytes, len - last.len});
    cr_assert_eq(last.len, 1 + 4 + 1 + 2 + 32);
    cr_assert_arr_eq(last.data,
                     "\x83\x63"
                     "end\x05\x58\x20",
                     8);
    cr_assert_arr_eq(last.data + 8, hash.b, 32);
}

Test(frames, no_changed_byte_of_an_export_goes_unseen, .init = begin, .fini = end)
{
    stored_stop(&s);
    export_to_file();
    for (size_t at = 0; at < len; at += at < 64 || at > len - 64 ? 1 : 61) {
        struct hub_frames *f;
        unsigned frames;
        bytes[at] ^= (uint8_t)(1u << at % 8);
        write_file(bytes, len);
        bytes[at] ^= (uint8_t)(1u << at % 8);
        if (hub_frames_open(&f, why, file, false) != HUB_OK)
            continue;
        cr_expect_neq(drain(f, &frames), HUB_NOT_FOUND, "byte %zu", at);
        cr_expect_neq(hub_frames_why(f)[0], 0);
        hub_frames_close(f);
    }
}

Test(frames, a_cut_or_lengthened_export_is_not_whole, .init = begin, .fini = end)
{
    stored_stop(&s);
    export_to_file();
    struct hub_frames *f;
    unsigned frames;
    for (size_t cut = 0; cut<len; cut += cut> len - 64 ? 1 : 37) {
        write_file(bytes, cut);
        if (hub_frames_open(&f, why, file, false) != HUB_OK)
            continue;
        cr_expect_eq(drain(f, &frames), HUB_BAD_ENCODING, "cut at %zu", cut);
        cr_expect_not_null(strstr(hub_frames_why(f), "byte"), "%s", hub_frames_why(f));
        hub_frames_close(f);
    }
    bytes[len] = 0xf6;
    write_file(bytes, len + 1);
    f = open_source(file);
    cr_assert_eq(drain(f, &frames), HUB_CORRUPT);
    cr_assert_eq(frames, HEIGHTS);
    hub_frames_close(f);
}

Test(frames, refuses_what_is_no_export, .init = begin, .fini = end)
{
    stored_stop(&s);
    struct hub_frames *f;
    export_to_file();
    bytes[21] = 2; /* the version */
    write_file(bytes, len);
    cr_assert_eq(hub_frames_open(&f, why, file, false), HUB_BAD_ENCODING);
    cr_assert_not_null(strstr(why, "version 2"), "%s", why);
    write_file((const uint8_t *)"height,record\n1,2\n", 18);
    cr_assert_eq(hub_frames_open(&f, why, file, false), HUB_BAD_ENCODING);
    cr_assert_not_null(strstr(why, "not an export"), "%s", why);
    unlink(file);
    cr_assert_eq(hub_frames_open(&f, why, file, false), HUB_IO);
    cr_assert_eq(mkdir(file, 0750), 0);
    cr_assert_eq(hub_frames_open(&f, why, file, false), HUB_IO);
    cr_assert_not_null(strstr(why, "data directory"), "%s", why);
}

Test(frames, a_missing_block_leaves_a_gap_and_the_stream_goes_on, .init = begin, .fini = end)
{
    const struct hub_reader r = hub_store_reader(s.store);
    struct hub_header header;
    struct hub_hash hash;
    struct hub_chain_frame frame;
    cr_assert_eq(hub_read_header(&r, 3, &header, &hash), HUB_OK);
    cr_assert_eq(hub_env_del(hub_store_env(s.store), HUB_MAP_BLOCK, (struct hub_span){hash.b, 32}),
                 HUB_OK);
    cr_assert_eq(s.ports.commit(s.store), HUB_OK);
    stored_stop(&s);
    struct hub_frames *f = open_source(dir);
    for (uint64_t height = 1; height <= HEIGHTS; height++) {
        cr_assert_eq(hub_frames_next(f, &frame), HUB_OK);
        cr_assert_eq(frame.block.len == 0, height == 3);
        if (height == 3)
            cr_assert_not_null(strstr(hub_frames_why(f), "height 3 is missing"), "%s",
                               hub_frames_why(f));
    }
    hub_frames_close(f);
    uint64_t frames;
    FILE *out = fopen(file, "w");
    f = open_source(dir);
    cr_assert_eq(hub_export_write(out, f, 0, &frames, why, NULL, NULL), HUB_CORRUPT);
    cr_assert_eq(frames, 2);
    fclose(out);
    hub_frames_close(f);
}

/* The auditor's walk: every block of a directory again, and the checkpoint compared at its height. */
static enum hub_status audit(void)
{
    struct hub_frames *f = open_source(dir);
    struct hub_chain *c = calloc(1, sizeof *c);
    struct hub_chain_memory m;
    struct hub_chain_frame frame;
    enum hub_status compared = HUB_NOT_FOUND;
    cr_assert_eq(hub_chain_memory_map(&m, s.caps), HUB_OK);
    cr_assert_eq(hub_chain_init(c, &s.ledger->genesis, m.state, m.caps, m.slots), HUB_OK);
    while (hub_frames_next(f, &frame) == HUB_OK) {
        static struct hub_certificate cert;
        cr_assert(hub_certificate_decode(&cert, frame.certificate));
        small_ledger_replay(c, frame.block, &cert, NULL, NULL);
        enum hub_status status = hub_frames_checkpoint(f, c);
        cr_assert_eq(status != HUB_NOT_FOUND, frame.height == 4);
        if (status != HUB_NOT_FOUND)
            compared = status;
    }
    snprintf(why, sizeof why, "%s", hub_frames_why(f));
    hub_chain_memory_unmap(&m);
    hub_frames_close(f);
    free(c);
    return compared;
}

Test(frames, a_directory_is_audited_and_its_checkpoint_compared, .init = begin, .fini = end)
{
    stored_stop(&s);
    cr_assert_eq(audit(), HUB_OK, "%s", why);
}

Test(frames, a_rotten_checkpoint_is_named_and_the_history_still_stands, .init = begin, .fini = end)
{
    const uint8_t key[7] = {HUB_TABLE_WALLETS};
    const struct hub_reader r = hub_store_reader(s.store);
    static uint8_t page[HUB_ROW_PAGE_BYTES];
    struct hub_span value;
    cr_assert_eq(hub_env_get(&r, HUB_MAP_ROW, (struct hub_span){key, sizeof key}, &value), HUB_OK);
    size_t n = value.len;
    memcpy(page, value.data, n);
    page[2 * HUB_WALLET_ROW_BYTES + 40] ^= 4;
    cr_assert_eq(hub_env_put(hub_store_env(s.store), HUB_MAP_ROW,
                             (struct hub_span){key, sizeof key}, (struct hub_span){page, n}),
                 HUB_OK);
    cr_assert_eq(s.ports.commit(s.store), HUB_OK);
    stored_stop(&s);
    cr_assert_eq(audit(), HUB_CORRUPT);
    cr_assert_not_null(strstr(why, "row 2 of table wallets"), "%s", why);
}

Test(frames, a_running_nodes_directory_is_read_up_to_the_tip_of_the_opening, .init = begin,
     .fini = end)
{
    int opened[2], grown[2];
    char byte = 0;
    cr_assert_eq(pipe(opened) + pipe(grown), 0);
    pid_t child = fork();
    if (child == 0) { /* an auditor of its own process */
        struct hub_frames *f;
        unsigned frames;
        if (hub_frames_open(&f, why, dir, false) || write(opened[1], "o", 1) != 1 ||
            read(grown[0], &byte, 1) != 1)
            _exit(1);
        enum hub_status status = drain(f, &frames);
        _exit(status == HUB_NOT_FOUND && frames == HEIGHTS ? 0 : 2);
    }
    cr_assert_eq(read(opened[0], &byte, 1), 1);
    for (int i = 0; i < 3; i++) {
        cr_assert(small_ledger_open_wallet(s.ledger));
        stored_block(&s);
    }
    cr_assert_eq(write(grown[1], "g", 1), 1);
    int code;
    waitpid(child, &code, 0);
    cr_assert_eq(code, 0);
    stored_stop(&s);
}

Test(frames, a_lock_file_that_cannot_be_written_is_named_with_the_two_ways_out, .init = begin,
     .fini = end)
{
    char path[128];
    stored_stop(&s);
    cr_assert_eq(chmod(dir, 0755), 0);
    snprintf(path, sizeof path, "%s/ledger", dir);
    cr_assert_eq(chmod(path, 0755), 0);
    snprintf(path, sizeof path, "%s/ledger/data.mdb", dir);
    cr_assert_eq(chmod(path, 0444), 0);
    snprintf(path, sizeof path, "%s/ledger/lock.mdb", dir);
    cr_assert_eq(chmod(path, 0400), 0);
    pid_t child = fork();
    if (child == 0) { /* root may write everything: go on as somebody else */
        struct hub_frames *f;
        unsigned frames;
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(1);
        if (hub_frames_open(&f, why, dir, false) != HUB_IO || !strstr(why, "hubledger export") ||
            !strstr(why, "--stopped"))
            _exit(2);
        if (hub_frames_open(&f, why, dir, true) != HUB_OK)
            _exit(3);
        _exit(drain(f, &frames) == HUB_NOT_FOUND && frames == HEIGHTS ? 0 : 4);
    }
    int code;
    waitpid(child, &code, 0);
    cr_assert_eq(code, 0, "exit code %d", WEXITSTATUS(code));
}
