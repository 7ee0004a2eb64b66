/* assert.c: the one handler behind HUB_ASSERT. In the archive of the pure layers, so that they refer
 * to one name instead of to stdio. */
#include "hub/base.h"

#include <stdio.h>
#include <stdlib.h>

void hub_assert_failed(const char *expr, const char *file, int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
    abort();
}
