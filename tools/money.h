/* money.h: what the commands about wallets and payments share: business references, the signer's institution,
 * and many records signed and sent one after another. */
#ifndef HUB_MONEY_H
#define HUB_MONEY_H

#include "tools/cli.h"

enum { HUB_REFERENCE_BYTES = 16, HUB_BULK_CORE_MAX = 1024 };

/* 32 hex digits are the reference itself; any other text its first 16 bytes of
 * SHA-256("hubledger/reference/1" || text). False if empty or, by a chance nobody will see, zero. */
bool hub_reference_of(uint8_t out[HUB_REFERENCE_BYTES], const char *text);
/* A new random one. */
bool hub_reference_new(uint8_t out[HUB_REFERENCE_BYTES]);
/* Institution of the signer's member, from the node: its iss is a member code of /v1/members. */
bool hub_own_institution(struct hub_cli *cli, const char *iss, uint16_t *institution,
                         int *exit_code);
/* The reserve wallet of the signer's institution, which operators call "reserve". */
bool hub_own_reserve(struct hub_cli *cli, uint64_t *number, int *exit_code);
/* name, then 16 bytes. */
void hub_put_reference(struct hub_buf *b, const char *name,
                       const uint8_t reference[HUB_REFERENCE_BYTES]);
void hub_put_field_uint(struct hub_buf *b, const char *name, uint64_t value);

/* One of many: signed by hub_bulk_run, which also fills in what became of it. */
struct hub_bulk_item {
    struct hub_buf core; /* owned by the caller; data NULL = nothing to do for this one */
    struct hub_hash id;
    json_t *outcome; /* owned by the caller; NULL: not seen */
};
/* Signs and sends items of one type with consecutive numbers, a thousand at a time, waits for each lot, and sends again
 * what a busy node put off. Stops at the first lot whose outcome is not seen in time: a rerun goes on from there.
 * An enum hub_exit; progress on a terminal. */
int hub_bulk_run(struct hub_cli *cli, uint16_t type, struct hub_bulk_item *items, unsigned count);

#endif
