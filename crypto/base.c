/* base.c: the comparisons that base.h declares. None is used on secrets, so none is constant-time. */
#include "hub/base.h"

#include <string.h>

bool hub_span_equal(struct hub_span a, struct hub_span b)
{
    /* memcmp with a null pointer is undefined even for zero bytes. */
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool hub_hash_equal(const struct hub_hash *a, const struct hub_hash *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}
