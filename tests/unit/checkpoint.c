/* Checkpoints and the questions answered from them: a restart stands where the node stood, and a checkpoint
 * that is wrong anywhere is left aside. */
#include "node/checkpoint.h"
#include "tests/support/ledger_dir.h"
#include "tests/support/small_ledger.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

enum { MAP_BYTES = 256 << 20, WALLETS = 300, RECORDS_MAX = 4096, BLOCKS_MAX = 64 };

static char dir[64], why[HUB_WHY_BYTES];
static struct small_ledger *ledger;
static struct hub_store *store;
static struct hub_ports ports;
static struct hub_chain *chain;
static struct hub_chain_memory memory;
static struct hub_history *history;
static struct hub_checkpoint_report report;
static uint32_t caps[HUB_TABLES];

/* What the test itself saw go by: the oracle of all questions. */
static struct {
    struct hub_hash id, leaf;
    uint64_t height;
    uint32_t position;
} seen[RECORDS_MAX];
static uint32_t seen_count;
static struct hub_hash log_root[BLOCKS_MAX];
static uint64_t log_size[BLOCKS_MAX];
static uint64_t heights;

static void must(enum hub_status status)
{
    cr_assert_eq(status, HUB_OK, "status %d: %s", (int)status, hub_store_why(store));
}

static void start(void)
{
    cr_assert_eq(hub_store_open(&store, why, dir, &ledger->genesis, MAP_BYTES), HUB_OK, "%s", why);
    hub_store_ports(store, &ports);
    history = hub_history_new();
    chain = calloc(1, sizeof *chain);
    cr_assert(history && chain);
    cr_assert_eq(hub_chain_memory_map(&memory, caps), HUB_OK);
    must(hub_checkpoint_load(store, chain, history, &ledger->genesis, &memory, &report));
}

static void stop(void)
{
    hub_store_close(store);
    hub_history_free(history);
    hub_chain_memory_unmap(&memory);
    free(chain);
}

static void begin(void)
{
    test_dir_make(dir);
    ledger = small_ledger_new(1);
    small_ledger_caps(caps, WALLETS + SMALL_FIRST_WALLET);
    seen_count = 0;
    heights = 0;
    start();
}

static void end(void)
{
    stop();
    free(ledger);
    test_dir_remove(dir);
}

static void take_final(void *ctx, const struct hub_applied *final)
{
    const struct hub_span *block = ctx;
    hub_history_add(history, final, *block);
}

static void keep_certified(void)
{
    const struct hub_block *b = &ledger->block;
    struct hub_point fin = {b->header.view, b->header.height, b->hash};
    must(ports.put_block(store, &b->header, &b->hash, b->bytes));
    must(ports.put_certificate(store, &ledger->certificate, 1));
    must(ports.put_tip(store, &fin, &chain->final_edge));
    must(ports.commit(store));
}

static void take_built(void *ctx, const struct hub_applied *final)
{
    hub_history_add(ctx, final, ledger->block.bytes);
}

/* A final block of the records that wait. */
static void block(void)
{
    for (uint32_t i = 0; i < ledger->records; i++) {
        cr_assert_lt(seen_count, RECORDS_MAX);
        seen[seen_count].id = ledger->record[i].id;
        seen[seen_count].leaf = ledger->record[i].leaf;
        seen[seen_count].height = chain->final_header.height + 1;
        seen[seen_count++].position = i;
    }
    small_ledger_block(ledger, chain, take_built, history);
    heights = chain->final_header.height;
    cr_assert_lt(heights, BLOCKS_MAX);
    log_root[heights] = chain->final_header.log_root;
    log_size[heights] = chain->final_header.log_size;
    keep_certified();
}

static void open_wallets(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        cr_assert(small_ledger_open_wallet(ledger));
    block();
}

static void transfers(unsigned n)
{
    for (unsigned i = 0; i < n;
         i++) /* without money: each is recorded with its code, which is as good here */
        cr_assert(small_ledger_transfer(ledger, SMALL_FIRST_WALLET + i % 40,
                                        SMALL_FIRST_WALLET + (i + 1) % 40, 1 + i));
    block();
}

static void fill(void)
{
    cr_assert(small_ledger_issue(ledger, 1000000));
    block();
    open_wallets(100);
    block(); /* empty */
    transfers(33);
}

/* What a restart does with the blocks above the checkpoint. */
static void catch_up(void)
{
    static uint8_t bytes[HUB_BLOCK_BYTES_MAX];
    for (uint64_t height = report.height + 1; height <= heights; height++) {
        struct hub_span stored, copy;
        struct hub_header header;
        struct hub_hash hash;
        static struct hub_certificate cert;
        struct hub_reader r = hub_store_reader(store);
        must(hub_read_block(&r, height, &stored));
        copy = (struct hub_span){memcpy(bytes, stored.data, stored.len), stored.len};
        must(hub_read_header(&r, height, &header, &hash));
        must(hub_read_final_certificate(&r, &header, &hash, &cert));
        small_ledger_replay(chain, copy, &cert, take_final, &copy);
    }
}

static void all_questions_answered(void)
{
    const struct hub_reader r = hub_store_reader(store);
    struct hub_place place;
    for (uint32_t i = 0; i < seen_count; i++) {
        struct hub_span results, item, bytes, record, attachment;
        struct hub_hash leaf, named;
        must(hub_find_record(&r, history, &seen[i].id, &place));
        cr_assert_eq(place.log_index, i + 2, "two leaves of genesis come first");
        cr_assert_eq(place.height, seen[i].height);
        cr_assert_eq(place.position, seen[i].position);
        must(hub_find_leaf(&r, history, i + 2, &place));
        cr_assert_eq(place.height, seen[i].height);
        cr_assert_eq(place.position, seen[i].position);
        must(hub_find_results(&r, history, place.height, &results));
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
    cr_assert_eq(hub_find_record(&r, history, &unknown, &place), HUB_NOT_FOUND);
    cr_assert_eq(hub_find_leaf(&r, history, 1, &place), HUB_NOT_FOUND, "a leaf of genesis");
    cr_assert_eq(hub_find_leaf(&r, history, seen_count + 2, &place), HUB_NOT_FOUND);
}

/* Paths lead from the leaves that were seen to the roots that headers claim, at every size that was ever final. */
static void all_paths_verify(void)
{
    const struct hub_reader r = hub_store_reader(store);
    struct hub_hash path[64], root;
    unsigned len;
    for (uint64_t height = 1; height <= heights; height++) {
        for (uint64_t i = 2; i < log_size[height]; i += 1 + i / 16) {
            must(hub_log_inclusion(&r, history, path, &len, i, log_size[height]));
            cr_assert(hub_merkle_inclusion_root(&root, &seen[i - 2].leaf, i, log_size[height], path,
                                                len));
            cr_assert(hub_hash_equal(&root, &log_root[height]), "leaf %u at height %u", (unsigned)i,
                      (unsigned)height);
        }
        for (uint64_t from = 1; from <= height; from++) {
            must(hub_log_consistency(&r, history, path, &len, log_size[from], log_size[height]));
            cr_assert(hub_merkle_consistency_ok(&log_root[from], log_size[from], &log_root[height],
                                                log_size[height], path, len));
        }
    }
}

static struct hub_hash state_root(void)
{
    struct hub_hash root;
    hub_state_root(&chain->state, &root);
    return root;
}

/* ---- */
Test(checkpoint, an_empty_store_stands_at_genesis, .init = begin, .fini = end)
{
    cr_assert_eq(report.height, 0);
    cr_assert_not(report.damaged);
    cr_assert_eq(chain->final_header.height, 0);
    cr_assert_eq(hub_history_edge(history)->size, 2);
    struct hub_hash root;
    hub_merkle_root(&root, hub_history_edge(history));
    cr_assert(hub_hash_equal(&root, &chain->final_header.log_root));
}

Test(checkpoint, questions_are_answered_from_memory_and_from_disk_alike, .init = begin, .fini = end)
{
    fill();
    all_questions_answered();
    all_paths_verify();
    must(hub_checkpoint_write(store, chain, history));
    cr_assert_eq(hub_history_size(history).records, 0);
    all_questions_answered();
    all_paths_verify();
    transfers(31);
    open_wallets(65);
    all_questions_answered(); /* some here, some there */
    all_paths_verify();
    must(hub_checkpoint_write(store, chain, history));
    all_questions_answered();
    all_paths_verify();
}

Test(checkpoint, a_restart_stands_where_the_node_stood, .init = begin, .fini = end)
{
    fill();
    must(hub_checkpoint_write(store, chain, history));
    uint64_t at = heights;
    transfers(20);
    open_wallets(7);
    struct hub_hash before = state_root();
    stop();
    start();
    cr_assert_not(report.damaged, "%s", report.why);
    cr_assert_eq(report.height, at);
    cr_assert_eq(chain->final_header.height, at);
    catch_up();
    struct hub_hash after = state_root();
    cr_assert(hub_hash_equal(&before, &after));
    all_questions_answered();
    all_paths_verify();
    transfers(5); /* and goes on */
    must(hub_checkpoint_write(store, chain, history));
    stop();
    start();
    cr_assert_eq(report.height, heights);
    all_questions_answered();
    all_paths_verify();
}

Test(checkpoint, saves_only_what_was_written_since_the_last, .init = begin, .fini = end)
{
    open_wallets(290);
    must(hub_checkpoint_write(store, chain, history));
    cr_assert(small_ledger_transfer(ledger, SMALL_FIRST_WALLET, SMALL_FIRST_WALLET + 100, 1));
    block();
    uint64_t unsaved = 0;
    for (unsigned t = 0; t < HUB_TABLES; t++)
        for (uint32_t row = 0; row < chain->state.count[t]; row++)
            unsaved += chain->state.mem[t].unsaved[row / 64] >> row % 64 & 1;
    cr_assert_gt(unsaved, 0);
    cr_assert_leq(unsaved, 4, "the bank's key, and what one transfer touches; not 290 wallets");
}

Test(checkpoint, holds_the_final_state_while_other_blocks_are_applied, .init = begin, .fini = end)
{
    fill();
    struct hub_hash final = state_root();
    static uint8_t out_bytes[HUB_BLOCK_BYTES_MAX + 4096];
    struct hub_buf out = {out_bytes, 0, sizeof out_bytes, false};
    static struct hub_record records[HUB_BLOCK_RECORDS_MAX];
    struct hub_block above = {.records = records};
    cr_assert(small_ledger_open_wallet(ledger));
    records[0] = ledger->record[0];
    above.count = 1;
    above.header.view = chain->final_header.view + 1;
    above.header.parent_view = chain->final_header.view;
    above.header.time_ms = chain->final_header.time_ms + 50;
    must(hub_chain_build(chain, &chain->final_hash, &above, &out));
    cr_assert_eq(above.count, 1);
    struct hub_hash unfinal = state_root();
    cr_assert_not(hub_hash_equal(&unfinal, &final));
    must(hub_checkpoint_write(store, chain, history));
    must(hub_chain_move(chain, &above.hash));
    struct hub_hash again = state_root();
    cr_assert(hub_hash_equal(&again, &unfinal), "the block above is still there");
    stop();
    start();
    cr_assert_not(report.damaged, "%s", report.why);
    struct hub_hash loaded = state_root();
    cr_assert(hub_hash_equal(&loaded, &final));
}

Test(checkpoint, is_due_by_size_or_when_idle, .init = begin, .fini = end)
{
    cr_assert_not(hub_checkpoint_due(history, true), "nothing to save");
    fill();
    cr_assert(hub_checkpoint_due(history, true));
    cr_assert_not(hub_checkpoint_due(history, false));
    struct hub_history_size size = hub_history_size(history);
    cr_assert_eq(size.blocks, 3, "the empty one adds nothing");
    cr_assert_eq(size.records, 134);
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
            hub_state_add(&chain->state, HUB_TABLE_PROPOSALS, hub_span_of(&b));
        else
            hub_state_put(&chain->state, HUB_TABLE_PROPOSALS, 0, hub_span_of(&b));
        memcpy(expected, bytes, b.len);
        cr_assert(small_ledger_open_wallet(ledger));
        block(); /* whose header claims the state with this row */
        must(hub_checkpoint_write(store, chain, history));
        stop();
        start();
        cr_assert_not(report.damaged, "%s", report.why);
        struct hub_span row = hub_state_row(&chain->state, HUB_TABLE_PROPOSALS, 0);
        cr_assert_eq(row.len, b.len);
        cr_assert_arr_eq(row.data, expected, row.len);
    }
}

/* ---- rot. Each value of the checkpoint's maps is changed in one bit, under a seal that fits, as if the seal had
 * not been there: the state root, the log root or the rows' own form must find it. */
static void change(enum hub_env_map map, struct hub_span key, size_t at)
{
    struct hub_env *env = hub_store_env(store);
    struct hub_reader r = hub_env_reader(env);
    static uint8_t bytes[1 << 20];
    struct hub_span value;
    must(hub_env_get(&r, map, key, &value));
    size_t len = value.len;
    memcpy(bytes, value.data, len);
    bytes[at % len] ^= (uint8_t)(1u << at % 8);
    must(hub_env_put(env, map, key, (struct hub_span){bytes, len}));
    must(ports.commit(store));
}

static void rot_is_found_and_built_again(enum hub_env_map map, struct hub_span key, size_t at)
{
    struct hub_hash before = state_root();
    change(map, key, at);
    stop();
    start();
    cr_assert(report.damaged, "map %d, bit at %zu", (int)map, at);
    cr_assert_not_null(strstr(report.why, "checkpoint"), "%s", report.why);
    cr_assert_eq(report.height, 0);
    catch_up();
    struct hub_hash after = state_root();
    cr_assert(hub_hash_equal(&before, &after));
    must(hub_checkpoint_write(store, chain, history));
    stop();
    start();
    cr_assert_not(report.damaged, "the new one is whole: %s", report.why);
    cr_assert_eq(report.height, heights);
    all_questions_answered();
}

Test(checkpoint, a_changed_row_of_any_table_is_found, .init = begin, .fini = end, .timeout = 60)
{
    fill();
    must(hub_checkpoint_write(store, chain, history));
    for (unsigned t = 0; t < HUB_TABLES; t++) {
        const uint8_t key[7] = {(uint8_t)t};
        if (chain->state.count[t] == 0)
            continue;
        for (size_t at = 0; at < 90; at += 29)
            rot_is_found_and_built_again(HUB_MAP_ROW, (struct hub_span){key, sizeof key}, at);
    }
}

Test(checkpoint, a_changed_or_missing_head_is_found, .init = begin, .fini = end, .timeout = 60)
{
    static const char name[] = "checkpoint";
    const struct hub_span key = {(const uint8_t *)name, sizeof name - 1};
    fill();
    must(hub_checkpoint_write(store, chain, history));
    /* [5, height, hash 32, log size, 64 nodes, counts]: a bit of each but of the nodes beyond the log, which mean nothing */
    static const size_t places[] = {0, 1, 3, 10, 35, 38, 2090, 2095, 2100};
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
        rot_is_found_and_built_again(HUB_MAP_META, key, places[i]);
}

Test(checkpoint, a_lost_node_of_the_log_is_found, .init = begin, .fini = end)
{
    uint8_t key[HUB_NODE_KEY_BYTES];
    fill();
    must(hub_checkpoint_write(store, chain, history));
    struct hub_hash before = state_root();
    hub_node_key(key, 0, log_size[heights] / HUB_NODE_PAGE);
    must(hub_env_del(hub_store_env(store), HUB_MAP_NODE, (struct hub_span){key, sizeof key}));
    must(ports.commit(store));
    stop();
    start();
    cr_assert(report.damaged);
    catch_up();
    struct hub_hash after = state_root();
    cr_assert(hub_hash_equal(&before, &after));
    all_paths_verify();
}

Test(checkpoint, is_not_used_without_a_certificate_that_reaches_it, .init = begin, .fini = end)
{
    fill();
    must(hub_checkpoint_write(store, chain, history));
    uint8_t key[17] = {0};
    hub_put_be64(key, chain->final_header.epoch);
    hub_put_be64(key + 8, chain->final_header.view);
    key[16] = HUB_FINALIZE;
    must(
        hub_env_del(hub_store_env(store), HUB_MAP_CERTIFICATE, (struct hub_span){key, sizeof key}));
    must(ports.commit(store));
    stop();
    start();
    cr_assert(report.damaged);
    cr_assert_not_null(strstr(report.why, "certificate"), "%s", report.why);
}

Test(checkpoint, an_auditor_compares_it_with_what_the_blocks_give, .init = begin, .fini = end)
{
    struct hub_reader r = hub_store_reader(store);
    uint64_t height;
    struct hub_hash hash;
    cr_assert_eq(hub_checkpoint_height(&r, &height, &hash), HUB_NOT_FOUND);
    fill();
    must(hub_checkpoint_write(store, chain, history));
    must(hub_checkpoint_height(&r, &height, &hash));
    cr_assert_eq(height, heights);
    cr_assert(hub_hash_equal(&hash, &chain->final_hash));
    cr_assert_eq(hub_checkpoint_compare(&r, chain, why), HUB_OK, "%s", why);
    const uint8_t key[7] = {HUB_TABLE_WALLETS, 0, 0, 0, 2};
    change(HUB_MAP_ROW, (struct hub_span){key, sizeof key}, 3 * HUB_WALLET_ROW_BYTES + 5);
    cr_assert_eq(hub_checkpoint_compare(&r, chain, why), HUB_CORRUPT);
    cr_assert_not_null(strstr(why, "row 33 of table wallets"), "%s", why);
}
