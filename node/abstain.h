/* abstain.h: why a node casts no vote, in words: for the log, /v1/status and the command line. */
#ifndef HUB_ABSTAIN_H
#define HUB_ABSTAIN_H

#include "node/ports.h"

struct hub_abstain_text {
    const char *name;    /* for programs: "guard_missing" */
    const char *en, *zh; /* what is the matter, and what to do */
};
const struct hub_abstain_text *hub_abstain_text(enum hub_abstain why);

#endif
