/* A genesis file that is accepted has a set of validators, a chain id over its bytes, and items that
 * are parts of them. */
#include "hub/genesis.h"
#include "tests/fuzz/fuzz.h"

static bool inside(struct hub_span part, struct hub_span whole)
{
    return part.data >= whole.data && part.len <= whole.len &&
           part.data + part.len <= whole.data + whole.len;
}

bool fuzz_accepts(struct hub_span input)
{
    static struct hub_genesis g;
    struct hub_hash chain;
    const char *why = NULL;

    if (hub_genesis_decode(&g, &why, input) != HUB_OK) {
        FUZZ_CHECK(why != NULL);
        return false;
    }
    hub_hash_tagged(&chain, "hubledger/genesis/1", input);
    FUZZ_CHECK(hub_hash_equal(&chain, &g.chain));
    FUZZ_CHECK(inside(g.members, input) && inside(g.keys, input) && inside(g.parameters, input));
    FUZZ_CHECK(g.set.n >= 1 && 2 * g.set.q > g.set.n);
    return true;
}
