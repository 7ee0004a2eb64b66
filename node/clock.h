/* clock.h: the node's two clocks and its only source of time. Everything below the node gets time as an input. */
#ifndef HUB_CLOCK_H
#define HUB_CLOCK_H

#include "hub/base.h"

uint64_t hub_clock_mono_ms(void); /* never goes back; for timers */
uint64_t hub_clock_mono_us(void); /* the same clock, for measuring */
uint64_t hub_clock_wall_ms(void); /* Unix ms UTC; for block times */

#endif
