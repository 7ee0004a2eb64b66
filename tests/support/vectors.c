#include "tests/support/vectors.h"

#include "tests/support/hex.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VECTORS_MAX = 1024, BYTES_MAX = 1 << 21 };

static struct {
    const char *name;
    struct hub_span bytes;
} vectors[VECTORS_MAX];
static size_t count;

static void load(void)
{
    static char line[1 << 19];
    FILE *f = fopen("tests/vectors/golden.txt", "r");
    uint8_t *store = malloc(BYTES_MAX);
    size_t used = 0;

    cr_assert(f != NULL && store != NULL,
              "tests/vectors/golden.txt: run from the root of the project");
    while (fgets(line, sizeof line, f) != NULL) {
        char *hex = strchr(line, ' ');
        size_t n;

        cr_assert(hex != NULL && count < VECTORS_MAX);
        *hex++ = '\0';
        n = test_unhex(store + used, BYTES_MAX - used, hex);
        vectors[count].name = strdup(line);
        vectors[count].bytes = (struct hub_span){store + used, n};
        used += n;
        count++;
    }
    fclose(f);
}

struct hub_span test_vector(const char *name)
{
    if (count == 0)
        load();
    for (size_t i = 0; i < count; i++)
        if (strcmp(vectors[i].name, name) == 0)
            return vectors[i].bytes;
    cr_assert_fail("no vector %s", name);
    abort();
}

struct hub_hash test_vector_hash(const char *name)
{
    struct hub_span bytes = test_vector(name);
    struct hub_hash h;

    cr_assert_eq(bytes.len, sizeof h.b);
    memcpy(h.b, bytes.data, sizeof h.b);
    return h;
}

void test_vectors_each(const char *prefix, void (*visit)(const char *name, struct hub_span bytes))
{
    size_t visited = 0;

    if (count == 0)
        load();
    for (size_t i = 0; i < count; i++)
        if (strncmp(vectors[i].name, prefix, strlen(prefix)) == 0) {
            visit(vectors[i].name, vectors[i].bytes);
            visited++;
        }
    cr_assert_gt(visited, 0, "no vector begins with %s", prefix);
}

struct test_key test_key(const char *name)
{
    char full[64];
    struct hub_span seed;
    struct test_key k;

    snprintf(full, sizeof full, "seed.%s", name);
    seed = test_vector(full);
    cr_assert_eq(seed.len, HUB_SEED_BYTES);
    hub_key_from_seed(&k.key, k.secret, seed.data);
    hub_kid_of(&k.kid, &k.key);
    return k;
}

bool test_key_of(struct hub_public_key *out, const struct hub_hash *kid)
{
    if (count == 0)
        load();
    for (size_t i = 0; i < count; i++)
        if (strncmp(vectors[i].name, "seed.", 5) == 0) {
            struct test_key k = test_key(vectors[i].name + 5);

            if (hub_hash_equal(&k.kid, kid)) {
                *out = k.key;
                return true;
            }
        }
    return false;
}

struct hub_record_keys test_record_keys(const struct hub_record *r)
{
    struct hub_record_keys keys = {.count = 1};
    struct hub_hash kid;

    cr_assert(test_key_of(&keys.key[0], &r->kid));
    for (uint32_t i = 0; hub_record_cosigner(r, i, &kid); i++) {
        cr_assert(test_key_of(&keys.key[1 + i], &kid));
        keys.count++;
    }
    return keys;
}

struct hub_span test_record_vector(const char *type, const char *part)
{
    char full[96];

    snprintf(full, sizeof full, "record.%s%s", type, part);
    return test_vector(full);
}

struct hub_span test_record_attachment(const char *type)
{
    return strcmp(type, "currency.batch") == 0 ? test_vector("batch.attachment")
                                               : (struct hub_span){NULL, 0};
}

struct hub_record test_record(const char *type)
{
    struct hub_hash chain = test_vector_hash("genesis.chain");
    struct hub_record r;
    uint16_t why = 0;
    enum hub_status status = hub_record_decode(&r, &why, test_record_vector(type, ""),
                                               test_record_attachment(type), &chain);

    cr_assert_eq(status, HUB_OK, "%s: code %u", type, why);
    return r;
}

uint16_t test_record_code(struct hub_span bytes, struct hub_span attachment)
{
    struct hub_hash chain = test_vector_hash("genesis.chain");
    struct hub_record r;
    uint16_t why = 0;

    return hub_record_decode(&r, &why, bytes, attachment, &chain) == HUB_OK ? 0 : why;
}
