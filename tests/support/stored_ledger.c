#include "tests/support/stored_ledger.h"

#include "tests/support/space.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(struct stored_ledger *s, enum hub_status status, const char *what)
{
    if (status == HUB_OK)
        return;
    fprintf(stderr, "stored ledger: %s: status %d: %s\n", what, (int)status,
            s->store ? hub_store_why(s->store) : "");
    abort();
}

void stored_new(struct stored_ledger *s, const char *dir, unsigned seed, uint32_t wallets)
{
    memset(s, 0, sizeof *s);
    s->dir = dir;
    s->ledger = small_ledger_new(seed);
    small_ledger_caps(s->caps, wallets + SMALL_FIRST_WALLET);
}

void stored_free(struct stored_ledger *s)
{
    free(s->ledger);
}

void stored_start(struct stored_ledger *s)
{
    char why[HUB_WHY_BYTES];
    enum hub_status status =
        hub_store_open(&s->store, why, s->dir, &s->ledger->genesis, HUB_STORE_MAP_BYTES);
    must(s, status, status ? why : "open");
    hub_store_ports(s->store, &s->ports);
    s->history = hub_history_new();
    s->chain = calloc(1, sizeof *s->chain);
    must(s, s->history && s->chain ? hub_chain_memory_map(&s->memory, s->caps) : HUB_LIMIT,
         "memory");
    must(s,
         hub_checkpoint_load(s->store, s->chain, s->history, &s->ledger->genesis, &s->memory,
                             &s->report),
         s->report.why);
}

void stored_stop(struct stored_ledger *s)
{
    hub_store_close(s->store);
    hub_history_free(s->history);
    hub_chain_memory_unmap(&s->memory);
    free(s->chain);
    s->store = NULL;
}

static void take_built(void *ctx, const struct hub_applied *final)
{
    struct stored_ledger *s = ctx;
    hub_history_add(s->history, final, s->ledger->block.bytes);
}

void stored_block(struct stored_ledger *s)
{
    const struct hub_block *b = &s->ledger->block;
    small_ledger_block(s->ledger, s->chain, take_built, s);
    struct hub_point fin = {b->header.view, b->header.height, b->hash};
    s->heights = b->header.height;
    must(s, s->ports.put_block(s->store, &b->header, &b->hash, b->bytes), "block");
    must(s, s->ports.put_certificate(s->store, &s->ledger->certificate, 1), "certificate");
    must(s, s->ports.put_tip(s->store, &fin, &s->chain->final_edge), "tip");
    must(s, s->ports.commit(s->store), "commit");
}

struct replay {
    struct stored_ledger *s;
    struct hub_span block;
};

static void take_replayed(void *ctx, const struct hub_applied *final)
{
    const struct replay *r = ctx;
    hub_history_add(r->s->history, final, r->block);
}

void stored_catch_up(struct stored_ledger *s)
{
    static uint8_t *bytes;
    if (!bytes)
        bytes = test_space(HUB_BLOCK_BYTES_MAX + 4096);
    static struct hub_certificate cert;
    const struct hub_reader r = hub_store_reader(s->store);
    for (uint64_t height = s->report.height + 1; height <= s->heights; height++) {
        struct hub_span stored;
        struct hub_header header;
        struct hub_hash hash;
        must(s, hub_read_block(&r, height, &stored), "block");
        struct replay replay = {s, {memcpy(bytes, stored.data, stored.len), stored.len}};
        must(s, hub_read_header(&r, height, &header, &hash), "header");
        must(s, hub_read_final_certificate(&r, &header, &hash, &cert), "certificate");
        small_ledger_replay(s->chain, replay.block, &cert, take_replayed, &replay);
        if (hub_history_size(s->history).held_bytes >
            2 * HUB_CHECKPOINT_LOG_BYTES) /* as the node does */
            must(s, hub_checkpoint_write_log(s->store, s->history), "log");
    }
}
