/* currency_world.h: a small network with a currency for tests of its rules: an authority (institution 1), two
 * institutions (2 and 3) with their keys, and one call a record: body check, static check, role, apply, as
 * apply.c does for one record of a block of its own, with the invariants checked after each. */
#ifndef TEST_CURRENCY_WORLD_H
#define TEST_CURRENCY_WORLD_H

#include "ledger/wallet.h"

enum world_key {
    KEY_ISSUER,
    KEY_ISSUER_2,
    KEY_ISSUER_3,
    KEY_OPERATOR, /* of institution 2 */
    KEY_OPERATOR_2,
    KEY_CHECKER,
    KEY_SEAL,
    KEY_OTHER_OPERATOR, /* of institution 3 */
    KEY_MEMBERS,        /* those above are registered */
    KEY_HOLDER = KEY_MEMBERS,
    KEY_HOLDER_2,
    WORLD_KEYS
};

enum { WORLD_AUTHORITY = 1, WORLD_BANK = 2, WORLD_OTHER_BANK = 3, WORLD_BODY_MAX = 1024 };
#define WORLD_QUOTA 1000000000000u /* fen, of each institution */

struct world {
    struct hub_state state;
    struct hub_undo log;       /* of the last record */
    void *memory, *log_memory; /* test_space */
    size_t memory_bytes;
    uint64_t height, time_ms;
    struct hub_public_key key[WORLD_KEYS];
    struct hub_hash kid[WORLD_KEYS];
    struct hub_buf value; /* of the last result */
    uint8_t value_bytes[HUB_RECORD_RESULT_BYTES_MAX];
    uint8_t attachment[HUB_BATCH_ENTRIES_MAX * HUB_BATCH_ENTRY_BYTES + 80];
    uint32_t entries;
    uint64_t issue_quorum; /* currency.cosign_issue; set before world_open */
    bool room_out;         /* the last record found no room */
};

/* 2026-05-22 10:00 in UTC+8. */
#define WORLD_TIME 1779415200000u

/* currency false: no authority, no rows. Ends with world_close. */
void world_open(struct world *w, bool currency);
void world_close(struct world *w);

struct world_body { /* a record's body, and further signers */
    enum hub_record_type_id type;
    uint8_t bytes[WORLD_BODY_MAX];
    size_t len;
    enum world_key cosign[4];
    uint32_t cosigns;
};
/* A code; 0 = applied. Nothing is changed on any other. */
uint16_t world_run(struct world *w, enum world_key signer, const struct world_body *body);

/* reference 0 leaves it out where the type allows. */
struct world_body world_issue(uint16_t institution, uint64_t amount, uint64_t reference);
struct world_body world_transfer(uint64_t debit, uint64_t credit, uint64_t amount,
                                 uint64_t reference);
struct world_body world_redeem(uint64_t wallet, uint64_t amount, uint64_t reference);
/* The entries given to world_entry since the last world_batch, with their true count, total and root. */
void world_entry(struct world *w, uint64_t debit, uint64_t credit, uint64_t amount);
struct world_body world_batch(struct world *w, uint16_t institution, uint64_t reference,
                              bool atomic);

struct world_opening {
    uint16_t institution;
    enum hub_wallet_kind kind;
    uint8_t tier;
    uint64_t owner, reference, parent; /* owner and reference: low 8 of 16 bytes */
    const uint8_t *key;                /* COSE_Key or NULL */
    const struct hub_limits *limits;   /* HUB_LIMIT_NONE = absent; NULL = no map */
    bool no_p2p;
};
struct world_body world_opening(const struct world_opening *o);

/* Opens a wallet with a fresh owner and reference; with key >= KEY_MEMBERS its holder's. Fails the test otherwise. */
uint64_t world_wallet(struct world *w, uint16_t institution, enum hub_wallet_kind kind,
                      uint8_t tier);
uint64_t world_wallet_of(struct world *w, struct world_opening o, int key);
/* Issues (when the institution's reserve lacks it) and tops up. */
void world_fund(struct world *w, uint64_t wallet, uint64_t amount);
uint64_t world_reserve(const struct world *w, uint16_t institution);
struct hub_wallet world_read(const struct world *w, uint64_t number);
/* Writes into a row past all rules, as freezes and closings of later records would. */
void world_flags(struct world *w, uint64_t number, uint16_t flags);
uint8_t *world_row(struct world *w, uint64_t number);

#endif
