/* A member card that is accepted names a member and at least one key, all inside its own bytes. */
#include "tests/fuzz/fuzz.h"
#include "tools/founding.h"

static bool inside(struct hub_span part, struct hub_span whole)
{
    return part.data >= whole.data && part.len <= whole.len &&
           part.data + part.len <= whole.data + whole.len;
}

bool fuzz_accepts(struct hub_span input)
{
    struct hub_card card;
    const char *why = NULL;

    if (!hub_card_read(&card, &why, input)) {
        FUZZ_CHECK(why != NULL);
        return false;
    }
    FUZZ_CHECK(card.grants >= 1 && card.code.len >= 3 && inside(card.member, input));
    for (unsigned i = 0; i < card.grants; i++)
        FUZZ_CHECK(inside(card.grant[i], input));
    return true;
}
