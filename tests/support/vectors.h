/* vectors.h: tests/vectors/golden.txt, the bytes a second writer gives for every format. */
#ifndef TEST_VECTORS_H
#define TEST_VECTORS_H

#include "hub/record.h"

/* The bytes under a name; aborts the test if there is none. Valid for the process. */
struct hub_span test_vector(const char *name);
struct hub_hash test_vector_hash(const char *name);
/* Calls visit for every name that begins with prefix, in the order of the file. */
void test_vectors_each(const char *prefix, void (*visit)(const char *name, struct hub_span bytes));

/* The key of "seed.<name>". */
struct test_key {
    struct hub_public_key key;
    struct hub_hash kid;
    uint8_t secret[HUB_SECRET_BYTES];
};
struct test_key test_key(const char *name);
/* The key whose kid this is, among all seeds; false if there is none. */
bool test_key_of(struct hub_public_key *out, const struct hub_hash *kid);
/* Keys of a record's signer and co-signers, in order; aborts the test if one is no seed's. */
struct hub_record_keys test_record_keys(const struct hub_record *r);

/* The golden record of this type, or a part of it: ".id", ".leaf", ".body". */
struct hub_span test_record_vector(const char *type, const char *part);
struct hub_span test_record_attachment(const char *type);
/* Decoded; aborts the test if it is refused. */
struct hub_record test_record(const char *type);
/* The code that refuses these bytes; 0 if they are accepted. */
uint16_t test_record_code(struct hub_span bytes, struct hub_span attachment);

#endif
