/* effects.h: how the parts of the core say what they want done. Private to consensus/. */
#ifndef HUB_EFFECTS_H
#define HUB_EFFECTS_H

#include "hub/simplex.h"

/* A zeroed effect at the end of out. One step never asks for more than fit (limits.h). */
static inline struct hub_effect *hub_effects_add(struct hub_effects *out, enum hub_effect_kind kind)
{
    HUB_ASSERT(out->count < HUB_EFFECTS_MAX);
    struct hub_effect *fx = &out->item[out->count++];
    *fx = (struct hub_effect){.kind = kind};
    return fx;
}

/* True when t has come; else asks to be woken then. UINT64_MAX never comes. */
static inline bool hub_effects_due(struct hub_effects *out, const struct hub_cons *c, uint64_t t)
{
    if (c->now_mono_ms >= t)
        return true;
    if (t < out->wake_ms)
        out->wake_ms = t;
    return false;
}

#endif
