/* small_ledger.h: a real ledger of one validator and one bank for tests and benchmarks: genesis, chain, signed
 * records, blocks built and finalized by rule 2 of the design. Aborts on anything unexpected. */
#ifndef TESTS_SMALL_LEDGER_H
#define TESTS_SMALL_LEDGER_H

#include "hub/chain.h"

enum {
    SMALL_BANK = 2,
    SMALL_FIRST_WALLET = 2 /* slots 0 and 1 are the issuer's and the reserve */
};

struct small_signer {
    struct hub_public_key key;
    struct hub_hash kid;
    uint8_t secret[HUB_SECRET_BYTES];
};

struct small_ledger { /* large: on the heap */
    struct hub_genesis genesis;
    struct small_signer validator, issuer, bank;
    uint64_t issuer_seq, bank_seq, time_ms;
    /* Records waiting for the next block. */
    struct hub_record record[HUB_BLOCK_RECORDS_MAX];
    uint32_t records;
    uint8_t record_bytes[HUB_BLOCK_BYTES_MAX];
    size_t record_bytes_len;
    /* The last block made. */
    struct hub_block block;
    struct hub_certificate certificate;
    uint8_t block_bytes[HUB_BLOCK_BYTES_MAX + 4096];
    uint8_t genesis_bytes[HUB_GENESIS_BYTES_MAX];
};

/* seed tells networks apart. The caller frees it. */
struct small_ledger *small_ledger_new(unsigned seed);
/* Row capacities: wallets as given, enough for the rest. */
void small_ledger_caps(uint32_t caps[HUB_TABLES], uint32_t wallets);

/* Each adds one signed record, marked verified; false: the block is full. */
bool small_ledger_issue(struct small_ledger *l, uint64_t amount_fen);
bool small_ledger_open_wallet(struct small_ledger *l);
bool small_ledger_transfer(struct small_ledger *l, uint32_t debit_slot, uint32_t credit_slot,
                           uint64_t amount_fen);

/* Builds a block of the waiting records on the final block, certifies and finalizes it: l->block, l->certificate.
 * All waiting records are in it. */
void small_ledger_block(struct small_ledger *l, struct hub_chain *c, hub_chain_visit *visit,
                        void *ctx);
/* Appends and finalizes a block again, as a restart does. */
void small_ledger_replay(struct hub_chain *c, struct hub_span block,
                         const struct hub_certificate *cert, hub_chain_visit *visit, void *ctx);

#endif
