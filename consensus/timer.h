/* timer.h: the idle gate and every time-out, in integer milliseconds of the event's monotonic clock.
 * Decides nothing about safety: a wrong clock costs time, never agreement. Private to consensus/. */
#ifndef HUB_TIMER_H
#define HUB_TIMER_H

#include "hub/simplex.h"

#define HUB_NEVER UINT64_MAX

enum {
    HUB_UNFINALIZED_MS = 1000, /* t_f */
    HUB_STANDSTILL_MS = 3000,  /* t_s */
    HUB_RETRY_MS = 1000,       /* t_r, and every repeated question: x 1.5 up to */
    HUB_RETRY_MAX_MS = 10000,
    HUB_OPENED_BY_PEER_MS = 10000, /* one peer's NULLIFY opens the gate at most this often */
    HUB_SILENT_MS = 5000,          /* skip rule: silence of a leader, at least */
    HUB_SKIP_GATE_MS = 1000        /* skip rule: the gate has been open as long */
};

/* t_l and t_a of the current view, backed off; t_l < t_a. */
void hub_timer_view(const struct hub_cons *c, uint64_t *leader_ms, uint64_t *advance_ms);
/* The next wait after `wait`: x 1.5, at most HUB_RETRY_MAX_MS. */
uint64_t hub_timer_longer(uint64_t wait_ms);
/* wait +- 10 %, from the seed, the view and the time: nodes that started together drift apart. */
uint64_t hub_timer_jitter(const struct hub_cons *c, uint64_t wait_ms);

/* A non-empty block above top has been certified for t_f and is not final. */
bool hub_timer_unfinalized(const struct hub_cons *c, struct hub_effects *out);
bool hub_timer_heartbeat(const struct hub_cons *c, struct hub_effects *out);
/* Evaluates the gate of the current view; opening arms t_l and t_a from now, closing disarms them. */
void hub_timer_gate(struct hub_cons *c, struct hub_effects *out);
/* The leader of the current view is silent and enough others are not. */
bool hub_timer_skips_leader(const struct hub_cons *c, struct hub_effects *out);
/* On entering a view: its deadlines are not armed yet. */
void hub_timer_enter(struct hub_cons *c);

#endif
