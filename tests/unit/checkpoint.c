/* Checkpoints and the questions answered from them: a restart stands where the node stood, and a checkpoint
 * that is wrong anywhere is left aside. */
#include "node/scrub.h"
#include "tests/support/ledger_dir.h"
#include "tests/support/space.h"
#include "tests/support/stored_ledger.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WALLETS = 300, RECORDS_MAX = 4096, BLOCKS_MAX = 64 };

static char dir[64], why[HUB_WHY_BYTES];
static struct stored_ledger s;

/* What the test itself saw go by: the oracle of all questions. */
static struct {
    struct hub_hash id, leaf;
    uint64_t height;
    uint32_t position;
} seen[RECORDS_MAX];
static uint32_t seen_count;
static struct hub_hash log_root[BLOCKS_MAX];
static uint64_t log_size[BLOCKS_MAX];

static void must(enum hub_status status)
{
    cr_assert_eq(status, HUB_OK, "status %d: %s", (int)status, hub_store_why(s.store));
}

static void begin(void)
{
    test_dir_make(dir);
    stored_new(&s, dir, 1, WALLETS);
    seen_count = 0;
    stored_start(&s);
}

static void end(void)
{
    stored_stop(&s);
    stored_free(&s);
    test_dir_remove(dir);
}

static void restart(void)
{
    stored_stop(&s);
    stored_start(&s);
}

/* A final block of the records that wait. */
static void block(void)
{
    for (uint32_t i = 0; i < s.ledger->records; i++) {
        cr_assert_lt(seen_count, RECORDS_MAX);
        seen[seen_count].id = s.ledger->record[i].id;
        seen[seen_count].leaf = s.ledger->record[i].leaf;
        seen[seen_count].height = s.chain->final_header.height + 1;
        seen[seen_count++].position = i;
    }
    stored_block(&s);
    cr_assert_lt(s.heights, BLOCKS_MAX);
    log_root[s.heights] = s.chain->final_header.log_root;
    log_size[s.heights] = s.chain->final_header.log_size;
}

static void open_wallets(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        cr_assert(small_ledger_open_wallet(s.ledger));
    block();
}

static void transfers(unsigned n)
{
    for (unsigned i = 0; i < n;
         i++) /* without money: each is recorded with its code, which is as good here */
        cr_assert(small_ledger_transfer(s.ledger, SMALL_FIRST_WALLET + i % 40,
                                        SMALL_FIRST_WALLET + (i + 1) % 40, 1 + i));
    block();
}

static void fill(void)
{
    cr_assert(small_ledger_issue(s.ledger, 1000000));
    block();
    open_wallets(100);
    block(); /* empty */
    transfers(33);
}

static void all_questions_answered(void)
{
    const struct hub_reader r = hub_store_reader(s.store);
    struct hub_place place;
    for (uint32_t i = 0; i < seen_count; i++) {
        struct hub_span results, item, bytes, record, attachment;
        struct hub_hash leaf, named;
        must(hub_find_record(&r, s.history, &seen[i].id, &place));
        cr_assert_eq(place.log_index, i + 2, "two leaves of genesis come first");
        cr_assert_eq(place.height, seen[i].height);
        cr_assert_eq(place.position, seen[i].position);
        must(hub_find_leaf(&r, s.history, i + 2, &place));
        cr_assert_eq(place.height, seen[i].height);
        cr_assert_eq(place.position, seen[i].position);
        must(hub_find_results(&r, s.history, place.height, &results));
        must(hub_result_at(&item, results, place.position));
        struct hub_cbor c = hub_cbor_open(item);
        hub_cbor_array(&c, 3, 3);
        hub_cbor_hash(&c, &named);
        cr_assert(hub_hash_equal(&named, &seen[i].id));
        must(hub_read_block(&r, place.height, &bytes));
        must(hub_block_entry(&record, &attachment, bytes, place.position));
        hub_merkle_leaf(&leaf, record);
        cr_assert(hub_hash_equal(&leaf, &seen[i].leaf));
    }
    struct hub_hash unknown = seen[0].id;
    unknown.b[31] ^= 1; /* the indexed eight bytes agree, the rest does not */
    cr_assert_eq(hub_find_record(&r, s.history, &unknown, &place), HUB_NOT_FOUND);
    cr_assert_eq(hub_find_leaf(&r, s.history, 1, &place), HUB_NOT_FOUND, "a leaf of genesis");
    cr_assert_eq(hub_find_leaf(&r, s.history, seen_count + 2, &place), HUB_NOT_FOUND);
}

/* Paths lead from the leaves that were seen to the roots that headers claim, at every size that was ever final. */
static void all_paths_verify(void)
{
    const struct hub_reader r = hub_store_reader(s.store);
    struct hub_hash path[64], root;
    unsigned len;
    for (uint64_t height = 1; height <= s.heights; height++) {
        for (uint64_t i = 2; i < log_size[height]; i += 1 + i / 16) {
            must(hub_log_inclusion(&r, s.history, path, &len, i, log_size[height]));
            cr_assert(hub_merkle_inclusion_root(&root, &seen[i - 2].leaf, i, log_size[height], path,
                                                len));
            cr_assert(hub_hash_equal(&root, &log_root[height]), "leaf %u at height %u", (unsigned)i,
                      (unsigned)height);
        }
        for (uint64_t from = 1; from <= height; from++) {
            must(hub_log_consistency(&r, s.history, path, &len, log_size[from], log_size[height]));
            cr_assert(hub_merkle_consistency_ok(&log_root[from], log_size[from], &log_root[height],
                                                log_size[height], path, len));
        }
    }
}

static struct hub_hash state_root(void)
{
    struct hub_hash root;
    hub_state_root(&s.chain->state, &root);
    return root;
}

/* ---- */
Test(checkpoint, an_empty_store_stands_at_genesis, .init = begin, .fini = end)
{
    cr_assert_eq(s.report.height, 0);
    cr_assert_not(s.report.damaged);
    cr_assert_eq(s.chain->final_header.height, 0);
    cr_assert_eq(hub_history_edge(s.history)->size, 2);
    struct hub_hash root;
    hub_merkle_root(&root, hub_history_edge(s.history));
    cr_assert(hub_hash_equal(&root, &s.chain->final_header.log_root));
}

Test(checkpoint, questions_are_answered_from_memory_and_from_disk_alike, .init = begin, .fini = end)
{
    fill();
    all_questions_answered();
    all_paths_verify();
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    cr_assert_eq(hub_history_size(s.history).held_records, 0);
    all_questions_answered();
    all_paths_verify();
    transfers(31);
    open_wallets(65);
    all_questions_answered(); /* some here, some there */
    all_paths_verify();
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    all_questions_answered();
    all_paths_verify();
}

Test(checkpoint, a_restart_stands_where_the_node_stood, .init = begin, .fini = end)
{
    fill();
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    uint64_t at = s.heights;
    transfers(20);
    open_wallets(7);
    struct hub_hash before = state_root();
    restart();
    cr_assert_not(s.report.damaged, "%s", s.report.why);
    cr_assert_eq(s.report.height, at);
    cr_assert_eq(s.chain->final_header.height, at);
    stored_catch_up(&s);
    struct hub_hash after = state_root();
    cr_assert(hub_hash_equal(&before, &after));
    all_questions_answered();
    all_paths_verify();
    transfers(5); /* and goes on */
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    restart();
    cr_assert_eq(s.report.height, s.heights);
    all_questions_answered();
    all_paths_verify();
}

Test(checkpoint, saves_only_what_was_written_since_the_last, .init = begin, .fini = end)
{
    open_wallets(290);
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    cr_assert(small_ledger_transfer(s.ledger, SMALL_FIRST_WALLET, SMALL_FIRST_WALLET + 100, 1));
    block();
    uint64_t unsaved = 0;
    for (unsigned t = 0; t < HUB_TABLES; t++)
        for (uint32_t row = 0; row < s.chain->state.count[t]; row++)
            unsaved += s.chain->state.mem[t].unsaved[row / 64] >> row % 64 & 1;
    cr_assert_gt(unsaved, 0);
    cr_assert_leq(unsaved, 4, "the bank's key, and what one transfer touches; not 290 wallets");
}

Test(checkpoint, holds_the_final_state_while_other_blocks_are_applied, .init = begin, .fini = end)
{
    fill();
    struct hub_hash final = state_root();
    enum { ROOM = HUB_BLOCK_BYTES_MAX + 4096 };
    struct hub_buf out = {test_space(ROOM), 0, ROOM, false};
    struct hub_record *records = test_space(HUB_BLOCK_RECORDS_MAX * sizeof *records);
    struct hub_block above = {.records = records};
    cr_assert(small_ledger_open_wallet(s.ledger));
    records[0] = s.ledger->record[0];
    above.count = 1;
    above.header.view = s.chain->final_header.view + 1;
    above.header.parent_view = s.chain->final_header.view;
    above.header.time_ms = s.chain->final_header.time_ms + 50;
    must(hub_chain_build(s.chain, &s.chain->final_hash, &above, &out));
    cr_assert_eq(above.count, 1);
    struct hub_hash unfinal = state_root();
    cr_assert_not(hub_hash_equal(&unfinal, &final));
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    must(hub_chain_move(s.chain, &above.hash));
    struct hub_hash again = state_root();
    cr_assert(hub_hash_equal(&again, &unfinal), "the block above is still there");
    restart();
    cr_assert_not(s.report.damaged, "%s", s.report.why);
    struct hub_hash loaded = state_root();
    cr_assert(hub_hash_equal(&loaded, &final));
}

Test(checkpoint, is_due_by_size_or_when_idle, .init = begin, .fini = end)
{
    cr_assert_eq(hub_checkpoint_due(s.chain, s.history, true), HUB_DUE_NOTHING, "nothing to save");
    fill();
    cr_assert_eq(hub_checkpoint_due(s.chain, s.history, true), HUB_DUE_ALL);
    cr_assert_eq(hub_checkpoint_due(s.chain, s.history, false), HUB_DUE_NOTHING);
    struct hub_history_size size = hub_history_size(s.history);
    cr_assert_eq(size.blocks, 3, "the empty one adds nothing");
    cr_assert_eq(size.held_records, 134);
    must(hub_checkpoint_write_log(s.store, s.history));
    cr_assert_eq(hub_history_size(s.history).held_records, 0);
    cr_assert_eq(hub_checkpoint_due(s.chain, s.history, true), HUB_DUE_ALL,
                 "the rows are still to be saved");
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    cr_assert_eq(hub_checkpoint_due(s.chain, s.history, true), HUB_DUE_NOTHING);
}

/* What is final is written ahead of the checkpoint, and after a crash once more. */
Test(checkpoint, the_log_may_be_saved_ahead_of_the_rows, .init = begin, .fini = end)
{
    fill();
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    uint64_t at = s.heights;
    transfers(37);
    must(hub_checkpoint_write_log(s.store, s.history));
    all_questions_answered();
    all_paths_verify();
    transfers(30);
    all_questions_answered(); /* some in memory, some ahead, some in the checkpoint */
    all_paths_verify();
    must(hub_checkpoint_write_log(s.store, s.history));
    restart();
    cr_assert_eq(s.report.height, at);
    stored_catch_up(&s);
    all_questions_answered();
    all_paths_verify();
    transfers(3);
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    all_questions_answered();
    all_paths_verify();
}

/* Rows longer than a page: written in parts, rewritten shorter. The row is slipped into the state, so its block
 * could not be replayed; loading the checkpoint needs no replay. */
Test(checkpoint, rows_longer_than_a_page_come_back_whole, .init = begin, .fini = end)
{
    static const size_t lengths[] = {5000, 3 * HUB_ROW_PAGE_BYTES - 2, 1000, 20000};
    static uint8_t bytes[20000], expected[20000];
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct hub_buf b = {bytes, 0, lengths[i], false};
        hub_put_array(&b, 2);
        hub_put_uint(&b, 7); /* the key */
        hub_put_bytes_head(&b, lengths[i] - 5);
        while (b.len < lengths[i])
            bytes[b.len] = (uint8_t)(b.len * 13 + i), b.len++;
        if (i == 0)
            hub_state_add(&s.chain->state, HUB_TABLE_PROPOSALS, hub_span_of(&b));
        else
            hub_state_put(&s.chain->state, HUB_TABLE_PROPOSALS, 0, hub_span_of(&b));
        memcpy(expected, bytes, b.len);
        cr_assert(small_ledger_open_wallet(s.ledger));
        block(); /* whose header claims the state with this row */
        must(hub_checkpoint_write(s.store, s.chain, s.history));
        restart();
        cr_assert_not(s.report.damaged, "%s", s.report.why);
        struct hub_span row = hub_state_row(&s.chain->state, HUB_TABLE_PROPOSALS, 0);
        cr_assert_eq(row.len, b.len);
        cr_assert_arr_eq(row.data, expected, row.len);
    }
}

/* ---- rot. Each value of the checkpoint's maps is changed in one bit, under a seal that fits, as if the seal had
 * not been there: the state root, the log root or the rows' own form must find it. */
static void change(enum hub_env_map map, struct hub_span key, size_t at)
{
    struct hub_env *env = hub_store_env(s.store);
    struct hub_reader r = hub_env_reader(env);
    struct hub_span value;
    must(hub_env_get(&r, map, key, &value));
    size_t len = value.len;
    uint8_t *bytes = memcpy(test_space(len), value.data, len);
    bytes[at % len] ^= (uint8_t)(1u << at % 8);
    must(hub_env_put(env, map, key, (struct hub_span){bytes, len}));
    must(s.ports.commit(s.store));
}

static void rot_is_found_and_built_again(enum hub_env_map map, struct hub_span key, size_t at)
{
    struct hub_hash before = state_root();
    change(map, key, at);
    restart();
    cr_assert(s.report.damaged, "map %d, bit at %zu", (int)map, at);
    cr_assert_not_null(strstr(s.report.why, "checkpoint"), "%s", s.report.why);
    cr_assert_eq(s.report.height, 0);
    stored_catch_up(&s);
    struct hub_hash after = state_root();
    cr_assert(hub_hash_equal(&before, &after));
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    restart();
    cr_assert_not(s.report.damaged, "the new one is whole: %s", s.report.why);
    cr_assert_eq(s.report.height, s.heights);
    all_questions_answered();
}

Test(checkpoint, a_changed_row_of_any_table_is_found, .init = begin, .fini = end)
{
    fill();
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    for (unsigned t = 0; t < HUB_TABLES; t++) {
        const uint8_t key[7] = {(uint8_t)t};
        if (s.chain->state.count[t] == 0)
            continue;
        for (size_t at = 0; at < 90; at += 29)
            rot_is_found_and_built_again(HUB_MAP_ROW, (struct hub_span){key, sizeof key}, at);
    }
}

Test(checkpoint, a_changed_or_missing_head_is_found, .init = begin, .fini = end)
{
    static const char name[] = "checkpoint";
    const struct hub_span key = {(const uint8_t *)name, sizeof name - 1};
    fill();
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    /* [5, height, hash 32, log size, 64 nodes, counts]: a bit of each but of the nodes beyond the log, which mean nothing */
    static const size_t places[] = {0, 1, 3, 10, 35, 38, 2090, 2095, 2100};
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
        rot_is_found_and_built_again(HUB_MAP_META, key, places[i]);
}

Test(checkpoint, a_lost_node_of_the_log_is_found, .init = begin, .fini = end)
{
    uint8_t key[HUB_NODE_KEY_BYTES];
    fill();
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    struct hub_hash before = state_root();
    hub_node_key(key, 0, log_size[s.heights] / HUB_NODE_PAGE);
    must(hub_env_del(hub_store_env(s.store), HUB_MAP_NODE, (struct hub_span){key, sizeof key}));
    must(s.ports.commit(s.store));
    restart();
    cr_assert(s.report.damaged);
    stored_catch_up(&s);
    struct hub_hash after = state_root();
    cr_assert(hub_hash_equal(&before, &after));
    all_paths_verify();
}

/* A bit of a stored value flips on the disk, in every copy of its page. */
static void flip(enum hub_env_map map, struct hub_span key)
{
    const struct hub_reader r = hub_store_reader(s.store);
    struct hub_span value;
    char path[128];
    must(hub_env_get(&r, map, key, &value));
    uint8_t part[64], bit;
    const bool small =
        value.len < 32; /* then it lies behind its key, and by itself it would be found elsewhere */
    const size_t before = small ? key.len : 0, rest = sizeof part - before,
                 len = before + (value.len < rest ? value.len : rest);
    memcpy(part, key.data, before);
    memcpy(part + before, value.data, len - before);
    snprintf(path, sizeof path, "%s/ledger/data.mdb", dir);
    const int fd = open(path, O_RDWR);
    struct stat st;
    cr_assert(fd >= 0 && fstat(fd, &st) == 0);
    uint8_t *file = malloc((size_t)st.st_size);
    cr_assert(file && pread(fd, file, (size_t)st.st_size, 0) == st.st_size);
    unsigned hits = 0;
    for (off_t at = 0; at + (off_t)len <= st.st_size; at++) {
        if (memcmp(file + at, part, len) != 0)
            continue;
        bit = file[at + (off_t)before] ^ 4;
        cr_assert_eq(pwrite(fd, &bit, 1, at + (off_t)before), 1);
        hits++;
    }
    cr_assert_geq(hits, 1);
    free(file);
    close(fd);
    cr_assert_eq(hub_env_get(&r, map, key, &value), HUB_CORRUPT);
}

/* Once through all derived maps, at 64 values a call. */
static uint64_t scrub_all(void)
{
    struct hub_scrub at = {.map = 0};
    const struct hub_reader r = hub_store_reader(s.store);
    static const enum hub_env_map maps[] = {HUB_MAP_ROW, HUB_MAP_NODE, HUB_MAP_RECORD,
                                            HUB_MAP_RESULT};
    uint64_t values, calls = 0;
    for (unsigned i = 0; i < 4; i++) {
        must(hub_env_count(&r, maps[i], &values));
        cr_assert_gt(values, 0);
        calls += values / 64 + 2; /* the last of a map, and one that ends at damage */
    }
    for (; calls; calls--)
        must(hub_scrub(&at, s.store, s.chain, s.history));
    return at.damaged;
}

Test(checkpoint, damaged_rows_are_found_and_written_again, .init = begin, .fini = end)
{
    const uint8_t key[7] = {HUB_TABLE_WALLETS};
    fill();
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    cr_assert_eq(scrub_all(), 0);
    flip(HUB_MAP_ROW, (struct hub_span){key, sizeof key});
    cr_assert_eq(scrub_all(), 1);
    restart();
    cr_assert_not(s.report.damaged, "%s", s.report.why);
    cr_assert_eq(s.report.height, s.heights);
}

Test(checkpoint, what_comes_of_the_blocks_is_found_and_built_at_the_next_start, .init = begin,
     .fini = end)
{
    uint8_t node[HUB_NODE_KEY_BYTES], record[HUB_RECORD_KEY_BYTES], result[8];
    fill();
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    hub_node_key(node, 0, 0);
    hub_record_key(record, 2, &seen[0].id);
    hub_put_be64(result, seen[0].height);
    const struct {
        enum hub_env_map map;
        struct hub_span key;
    } parts[] = {{HUB_MAP_NODE, {node, sizeof node}},
                 {HUB_MAP_RECORD, {record, sizeof record}},
                 {HUB_MAP_RESULT, {result, sizeof result}}};
    for (unsigned i = 0; i < 3; i++) {
        flip(parts[i].map, parts[i].key);
        cr_assert_geq(scrub_all(), 1, "map %d", (int)parts[i].map);
        restart();
        cr_assert(s.report.damaged);
        cr_assert_eq(s.report.height, 0, "from genesis");
        stored_catch_up(&s);
        must(hub_checkpoint_write(s.store, s.chain, s.history));
        cr_assert_eq(scrub_all(), 0);
        restart();
        cr_assert_not(s.report.damaged, "%s", s.report.why);
        all_questions_answered();
    }
}

Test(checkpoint, is_not_used_without_a_certificate_that_reaches_it, .init = begin, .fini = end)
{
    fill();
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    uint8_t key[17] = {0};
    hub_put_be64(key, s.chain->final_header.epoch);
    hub_put_be64(key + 8, s.chain->final_header.view);
    key[16] = HUB_FINALIZE;
    must(hub_env_del(hub_store_env(s.store), HUB_MAP_CERTIFICATE,
                     (struct hub_span){key, sizeof key}));
    must(s.ports.commit(s.store));
    restart();
    cr_assert(s.report.damaged);
    cr_assert_not_null(strstr(s.report.why, "certificate"), "%s", s.report.why);
}

Test(checkpoint, an_auditor_compares_it_with_what_the_blocks_give, .init = begin, .fini = end)
{
    struct hub_reader r = hub_store_reader(s.store);
    uint64_t height;
    struct hub_hash hash;
    cr_assert_eq(hub_checkpoint_height(&r, &height, &hash), HUB_NOT_FOUND);
    fill();
    must(hub_checkpoint_write(s.store, s.chain, s.history));
    must(hub_checkpoint_height(&r, &height, &hash));
    cr_assert_eq(height, s.heights);
    cr_assert(hub_hash_equal(&hash, &s.chain->final_hash));
    cr_assert_eq(hub_checkpoint_compare(&r, s.chain, why), HUB_OK, "%s", why);
    const uint8_t key[7] = {HUB_TABLE_WALLETS, 0, 0, 0, 2};
    change(HUB_MAP_ROW, (struct hub_span){key, sizeof key}, 3 * HUB_WALLET_ROW_BYTES + 5);
    cr_assert_eq(hub_checkpoint_compare(&r, s.chain, why), HUB_CORRUPT);
    cr_assert_not_null(strstr(why, "row 33 of table wallets"), "%s", why);
}
