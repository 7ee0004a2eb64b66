/* clock.c: see clock.h. */
#include "node/clock.h"

#include <time.h>

static uint64_t read_us(clockid_t id)
{
    struct timespec ts;
    if (clock_gettime(id, &ts) != 0)
        return 0; /* cannot happen for these two ids */
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t hub_clock_mono_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

uint64_t hub_clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

uint64_t hub_clock_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}
