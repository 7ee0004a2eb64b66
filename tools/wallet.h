/* wallet.h: opening wallets, one by options or many from a table. */
#ifndef HUB_TOOLS_WALLET_H
#define HUB_TOOLS_WALLET_H

#include "hub/wallet.h"
#include "tools/money.h"

struct hub_opening { /* what wallet.open says, as texts are read */
    uint16_t institution;
    const char *kind;
    uint64_t tier, parent; /* parent 0 = none */
    uint8_t owner[16], reference[16];
    bool has_reference, no_p2p;
    struct hub_limits limits; /* HUB_LIMIT_NONE = not given */
    const struct hub_keyfile *holder;
};
struct hub_owner_key { /* turns an owner's identification into the 16 bytes the ledger keeps */
    struct hub_hash key;
    bool given;
};
/* 32 hex digits are the owner's bytes; other text, which could be a name, needs the owner key:
 * the first 16 bytes of SHA-256("hubledger/owner/1" || key || text). */
bool hub_owner_of(uint8_t out[16], const struct hub_owner_key *key, const char *text);
bool hub_owner_key_read(const struct hub_cli *cli, struct hub_owner_key *out, const char *path);
/* name=value; counts as numbers, all others as amounts; 0 = none allowed. */
bool hub_limit_of(struct hub_limits *out, const char *text);
bool hub_kind_ok(const char *kind);
/* Without a reference of its own an opening is named by what it opens, so that the same one is not made twice. */
void hub_opening_reference(struct hub_opening *o);
void hub_opening_encode(struct hub_buf *out, const struct hub_opening *o);
/* wallet open --csv */
int hub_wallet_open_table(struct hub_cli *cli, const char *path, uint16_t institution,
                          const struct hub_owner_key *key);

#endif
