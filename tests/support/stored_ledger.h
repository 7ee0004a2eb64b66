/* stored_ledger.h: the small ledger in a data directory, as a node keeps it: store, chain, history, checkpoints.
 * Aborts on anything unexpected. */
#ifndef TESTS_STORED_LEDGER_H
#define TESTS_STORED_LEDGER_H

#include "node/checkpoint.h"
#include "tests/support/small_ledger.h"

struct stored_ledger {
    const char *dir; /* borrowed */
    struct small_ledger *ledger;
    struct hub_store *store;
    struct hub_ports ports; /* the store's part */
    struct hub_chain *chain;
    struct hub_chain_memory memory;
    struct hub_history *history;
    struct hub_checkpoint_report report; /* of the last start */
    uint32_t caps[HUB_TABLES];
    uint64_t heights; /* final ones ever made */
};

/* A ledger for so many wallets; opened in dir by stored_start. */
void stored_new(struct stored_ledger *s, const char *dir, unsigned seed, uint32_t wallets);
void stored_free(struct stored_ledger *s);
/* Opens the directory and loads its checkpoint; what lies above is not replayed yet. */
void stored_start(struct stored_ledger *s);
void stored_stop(struct stored_ledger *s);
/* Makes the waiting records a final block, puts it, its certificate and the tip, and commits. */
void stored_block(struct stored_ledger *s);
/* What a restart does with the blocks above the checkpoint. */
void stored_catch_up(struct stored_ledger *s);

#endif
