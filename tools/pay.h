/* pay.h: payments: one, or a file of them. */
#ifndef HUB_PAY_H
#define HUB_PAY_H

#include "tools/money.h"

struct hub_pay_batch {                                  /* what the command line says of a file */
    uint64_t from, purpose, expect_count, expect_total; /* wallet number; fen */
    bool has_purpose, atomic;
    const char *instruction; /* a file whose hash is recorded, or NULL */
};
/* Pays a table in batches of up to 1,500. A batch is named by the file's bytes, the paying wallet and its part of
 * the file, so that the same file pays once: parts that are recorded are not sent again. Results: FILE.result.csv. */
int hub_pay_batch(struct hub_cli *cli, const struct hub_pay_batch *b, const char *path);
/* A name or a number up to 899. */
bool hub_purpose_of(uint64_t *out, const char *text);
/* The reference of a part, from 1: SHA-256("hubledger/batch/1" || [file, from, part]), first 16 bytes. */
void hub_batch_reference(uint8_t out[HUB_REFERENCE_BYTES], const struct hub_hash *file,
                         uint64_t from, unsigned part);

#endif
