/* standing.h: how this node and its network stand, in words an operator understands: what is missing, who, since
 * when, and what to do. One source for /v1/status, the log and `hubledger status`. */
#ifndef HUB_STANDING_H
#define HUB_STANDING_H

#include "hub/base.h"
#include "hub/limits.h"

struct hub_node;

enum { HUB_CAUSES_MAX = 12, HUB_CAUSE_BYTES = 6144 /* 64 validators by name and address */ };

enum hub_standing_state {
    HUB_STANDING_OK,
    HUB_STANDING_SYNCING,    /* catching up */
    HUB_STANDING_STUCK,      /* work waits, and nothing becomes final */
    HUB_STANDING_NO_QUORUM,  /* too few validators are heard */
    HUB_STANDING_DISK_LOW,   /* takes no records, or proposes nothing */
    HUB_STANDING_NOT_VOTING, /* a validator that abstains until its operator acts */
    HUB_STANDING_STATES
};
extern const char *const hub_standing_names[HUB_STANDING_STATES];

struct hub_cause {
    const char *code;  /* for programs: "peer_silent", "waits_for_leader", .. */
    uint64_t since_ms; /* for how long, ms; UINT64_MAX: not known */
    bool notice;       /* worth knowing, but the network goes on */
    char en[HUB_CAUSE_BYTES], zh[HUB_CAUSE_BYTES];
};
struct hub_standing {
    enum hub_standing_state state;
    uint32_t causes;
    struct hub_cause cause[HUB_CAUSES_MAX]; /* the gravest first */
};

struct hub_standing_facts { /* what hub_standing_tend keeps in the node; monotonic ms */
    struct hub_link_fact {
        uint64_t since_ms, seen_ms; /* seen: the last frame from it, 0 = never */
        const char *address;        /* "" = not dialled; the transport's */
        bool up;                    /* either side reached the other, and still speaks */
    } link[HUB_VALIDATORS_MAX];
    uint64_t epoch, height, looked_ms, told_ms;
    uint64_t work_since_ms; /* work waits and nothing became final; 0: no work */
    bool stuck;
};

/* now_ms: monotonic. Large: on the heap or static. */
void hub_standing_of(struct hub_standing *out, const struct hub_node *n, uint64_t now_ms);
/* A validator this node has not heard of for twice the longest STATUS period, and a second. */
bool hub_standing_silent(const struct hub_node *n, uint8_t validator, uint64_t now_ms);
/* Each turn, cheap: since when links are up or down and work waits; logs a standstill when it begins, then at most
 * once a minute, and its end. */
void hub_standing_tend(struct hub_node *n, uint64_t now_ms);

#endif
