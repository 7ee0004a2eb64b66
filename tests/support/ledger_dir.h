/* ledger_dir.h: temporary directories and made-up journal entries for tests of the store. */
#ifndef TESTS_LEDGER_DIR_H
#define TESTS_LEDGER_DIR_H

#include "node/store.h"

/* A new empty directory under $TMPDIR; out[64]. Removed with all it holds by test_dir_remove. */
void test_dir_make(char out[64]);
void test_dir_remove(const char *dir);

/* A genesis of which only bytes and chain are set: all the store looks at. */
void test_dir_genesis(struct hub_genesis *out, const char *bytes);

struct test_block { /* an encoded block without records */
    struct hub_header header;
    struct hub_hash hash;
    uint8_t bytes[1024];
    size_t len;
};
/* salt makes two blocks of one height and parent differ. */
void test_dir_block(struct test_block *out, const struct hub_genesis *g, uint64_t height,
                    const struct hub_hash *parent, uint64_t salt);

/* A vote for `block` (NULL for nullify) with signature bytes made from its fields. */
struct hub_vote test_dir_vote(uint8_t kind, uint64_t view, const struct test_block *block);
/* A certificate of three signers of four. */
struct hub_certificate test_dir_certificate(uint8_t kind, uint64_t view,
                                            const struct test_block *block);

#endif
