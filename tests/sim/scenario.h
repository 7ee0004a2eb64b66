/* scenario.h: a run with a script: which frames are lost until when, who crashes, what must have come of it. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "sim.h"

struct scenario {
    const char *name;
    void (*set_up)(struct sim_plan *p); /* changes the calm plan of four nodes */
    bool (*lose)(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m);
    void (*script)(struct sim *s, uint32_t step);
    uint64_t step_ms[4];                            /* when script is called; 0 = no more */
    const char *(*verify)(struct sim *s);           /* after the run: NULL, or what is wrong */
    uint32_t runs;                                  /* 0 = one */
    void (*vary)(struct sim_plan *p, uint32_t run); /* after set_up */
};
struct scenarios {
    const struct scenario *list;
    size_t count;
};
/* scenarios_repair.c: only one path can repair; scenarios_field.c: what other projects test. */
extern const struct scenarios sim_scenarios_repair, sim_scenarios_field, sim_scenarios_epoch;

/* The validator that leads a view, and the one that leads `number` views later. */
uint8_t scenario_leader(const struct sim *s, uint64_t view);
uint8_t scenario_other(const struct sim *s, uint64_t view, uint8_t number);
bool scenario_is_vote(const struct hub_message *m, uint8_t kind);
bool scenario_is_certificate(const struct hub_message *m, uint8_t kind);
void scenario_single(struct sim_plan *p); /* one record */
void scenario_fault(struct sim_plan *p, const struct sim_fault *f);

#endif
