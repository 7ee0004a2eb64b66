/* rules.h: the four decisions of simplex.c's text: N, F, Z and the leader's duty. Each is tried after every
 * event; whether it applies is derived from the state alone. Private to consensus/. */
#ifndef HUB_RULES_H
#define HUB_RULES_H

#include "hub/simplex.h"

/* Rule N for the current view's proposal; marks one that can never be voted for INVALID. */
void hub_rules_notarize(struct hub_cons *c, struct hub_effects *out);
/* Rule F for every view held. */
void hub_rules_finalize(struct hub_cons *c, struct hub_effects *out);
/* The leader of the current view builds. */
void hub_rules_build(struct hub_cons *c, struct hub_effects *out);
/* Rule Z for the current view, when a trigger or a time-out calls for it. */
void hub_rules_nullify(struct hub_cons *c, struct hub_effects *out);

#endif
