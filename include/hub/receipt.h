/* receipt.h: the bundle that proves one record to a stranger who holds the genesis file (formats.cddl section 9). */
#ifndef HUB_RECEIPT_H
#define HUB_RECEIPT_H

#include "hub/block.h"
#include "hub/genesis.h"
#include "hub/link.h"
#include "hub/merkle.h"

struct
    hub_receipt_facts { /* what may be printed once the verdict is OK; spans borrow from the bundle */
    struct hub_record record;
    struct hub_header header; /* of the block that holds the record */
    uint64_t leaf_index, signers, newest_epoch;
    uint32_t signer_count, quorum, validator_count;
    struct hub_validators set; /* of the newest epoch: signers are its indices */
    uint32_t rows; /* state proofs that were checked, against the certified header's state_root */
    bool has_result, has_entry;
    uint16_t code;
    struct hub_span value;
    uint32_t entry_index;
    struct hub_span entry;
};

/* In the order of the sentence in receipt.c, with nothing but the genesis file. *what names the first thing that
 * failed, static storage, and is untouched when the verdict is OK. The program has run hub_crypto_self_test. */
enum hub_verdict hub_receipt_verify(struct hub_receipt_facts *facts, const char **what,
                                    struct hub_span bundle, const struct hub_genesis *genesis);

struct hub_receipt_parts { /* what a node gathers; all borrowed */
    struct hub_hash chain;
    struct hub_span record;
    struct hub_public_key signer;
    struct hub_span
        links; /* encoded array of `link`, from the first epoch on; empty: no epoch ended yet */
    struct hub_span header
        [HUB_BUNDLE_HEADERS_MAX]; /* first the certified one, last the one that holds the record */
    uint32_t headers;
    const struct hub_certificate *certificate;
    uint8_t validator_count;
    uint64_t tree_size, leaf_index;
    const struct hub_hash *path;
    unsigned path_len;
    struct hub_span result; /* empty: no result proof */
    uint64_t result_index;
    const struct hub_hash *result_path;
    unsigned result_path_len;
    struct hub_span entry; /* empty: no entry proof */
    uint32_t entry_index;
    const struct hub_hash *entry_path;
    unsigned entry_path_len;
};
/* out->full when it does not fit. */
void hub_receipt_encode(struct hub_buf *out, const struct hub_receipt_parts *p);
/* One signer's RFC 9942 receipt (COSE_Sign1 with inclusion proof 396), for `transparent-statement` and
 * for COSE libraries that are not ours. */
void hub_receipt_single(struct hub_buf *out, const struct hub_receipt_parts *p,
                        const struct hub_validators *set, uint8_t signer);
/* The record with receipt[n] (1..64, each from hub_receipt_single) under label 394: `transparent-statement`. The
 * caller gives a record that decodes. */
void hub_statement_encode(struct hub_buf *out, struct hub_span record,
                          const struct hub_span *receipt, uint32_t n);
/* The record inside a transparent statement, or a record as it is: the bytes the log's leaf is made of. False if
 * bytes are neither. */
HUB_MUST_USE bool hub_statement_strip(struct hub_buf *out, struct hub_span bytes);

#endif
