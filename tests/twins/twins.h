/* twins.h: Twins (Bano et al., arXiv 2004.10617): a liar is two honest copies of one validator that do not know of each
 * other. A scenario says, for each of the first views, who hears whom; afterwards everybody hears everybody, and
 * all records must become final. The nodes are cores over tests/support/cluster.h, which follow the message rules
 * of node/receive.c; what must hold is judged by tests/support/oracle.h.
 * Leaders follow the protocol's own turn; a scenario sets whose turn comes first. */
#ifndef TWINS_H
#define TWINS_H

#include "tests/support/cluster.h"

enum { TWINS_VIEWS_MAX = 6 };

struct twins_scenario {
    uint64_t number;
    uint8_t n, q, twins, views;
    bool control;         /* more twins than can be borne: a fork is looked for */
    uint8_t first_leader; /* of view 1 */
    uint16_t hears[TWINS_VIEWS_MAX]
                  [CLUSTER_NODES]; /* bit i of [v][j]: node j hears i in view v + 1 */
};
/* What a number decides; the same for ever. Every fourth number enumerates the partitions of four validators, one of
 * them a twin, over two and three views; the others are samples: longer ones, masks of recipients, seven validators. */
void twins_scenario_of(struct twins_scenario *out, uint64_t number);
/* n validators of which `twins` lie together; as many as one likes. */
void twins_control(struct twins_scenario *out, uint64_t number, uint8_t n, uint8_t twins);
void twins_print(const struct twins_scenario *sc);

struct twins_result {
    const char *failure; /* NULL: all invariants held, and everything became final */
    bool forked;         /* two blocks of one height were final */
    uint64_t guilty;     /* validators that provably lied */
    uint64_t early;      /* blocks final while views were still scripted */
    uint64_t ms;         /* simulated, until all was final */
};
void twins_run(struct twins_result *out, const struct twins_scenario *sc);

#endif
