/* verified.c: hub_verify for the trials of the store (linked with --wrap=hub_verify): a signature that was found good
 * once, in whatever process of this program, is not computed again. The images of one recording hold the same votes
 * thousands of times over. */
#include "tests/storage/storage.h"

#include <string.h>
#include <sys/mman.h>

enum { PLACES = 1 << 20 }; /* 8 MiB, shared by all processes */

static uint64_t *good; /* SHA-256 of key, signature and message, cut to 64 bits; 0 = none */

void storage_verified_open(void)
{
    good = mmap(NULL, PLACES * sizeof *good, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                0);
    storage_must(good != MAP_FAILED, "memory");
}

bool __real_hub_verify(const struct hub_signature *sig, struct hub_span message,
                       const struct hub_public_key *key);
bool __wrap_hub_verify(const struct hub_signature *sig, struct hub_span message,
                       const struct hub_public_key *key);
bool __wrap_hub_verify(const struct hub_signature *sig, struct hub_span message,
                       const struct hub_public_key *key)
{
    struct hub_hasher h;
    struct hub_hash all;
    hub_hash_init(&h);
    hub_hash_add(&h, key->b, sizeof key->b);
    hub_hash_add(&h, sig->b, sizeof sig->b);
    hub_hash_add(&h, message.data, message.len);
    hub_hash_final(&h, &all);
    const uint64_t name = hub_get_be64(all.b) | 1;
    uint64_t *place = &good[hub_get_be64(all.b + 8) % PLACES];
    if (__atomic_load_n(place, __ATOMIC_RELAXED) == name)
        return true;
    if (!__real_hub_verify(sig, message, key))
        return false;
    __atomic_store_n(place, name, __ATOMIC_RELAXED);
    return true;
}
