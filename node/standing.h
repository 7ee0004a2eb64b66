/* standing.h: how this node and its network stand, in words an operator understands: what is missing, who, since
 * when, and what to do. One source for /v1/status, the log and `hubledger status`. */
#ifndef HUB_STANDING_H
#define HUB_STANDING_H

#include "hub/base.h"
#include "hub/limits.h"

struct hub_node;

enum {
    HUB_STUCK_MS = 5000, /* work that waits so long without a final block is a standstill */
    HUB_CAUSES_MAX = 12,
    HUB_CAUSE_BYTES = 6144,   /* 64 validators by name and address */
    HUB_FAST_TOLD_MS = 60000, /* a leader's turn comes again sooner, when there is work */
    HUB_CLOCK_LOOKS = 3       /* one block may have waited long; three in a row have not */
};

enum hub_standing_state {
    HUB_STANDING_OK,
    HUB_STANDING_SYNCING,   /* catching up */
    HUB_STANDING_STUCK,     /* work waits, and nothing becomes final */
    HUB_STANDING_NO_QUORUM, /* too few validators are heard */
    HUB_STANDING_DISK_LOW,  /* takes no records, or proposes nothing */
    HUB_STANDING_CLOCK,     /* this machine's clock is wrong: it cannot vote, or is not voted for */
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
    struct hub_cause cause[HUB_CAUSES_MAX]; /* problems before notices */
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
    uint64_t disk_since_ms;
    unsigned disk; /* the level since then */
    struct {       /* this machine's clock, by blocks of others as they became final */
        int64_t told_ms[HUB_CLOCK_LOOKS]; /* Unix time by them, less monotonic time; a ring */
        uint64_t looks, since_ms;         /* since_ms: wrong since; 0: right, or not known */
    } clock;
    struct { /* a leader whose block was too far ahead to vote for */
        uint8_t leader;
        uint64_t since_ms, seen_ms, ahead_ms; /* seen_ms 0: none */
    } fast; /* told until a block of it becomes final, or HUB_FAST_TOLD_MS */
};

/* now_ms: monotonic. Large: on the heap or static. */
void hub_standing_of(struct hub_standing *out, const struct hub_node *n, uint64_t now_ms);
/* A validator this node has not heard of for twice the longest STATUS period, and a second. */
bool hub_standing_silent(const struct hub_node *n, uint8_t validator, uint64_t now_ms);
/* How far this machine's clock is behind (> 0) or ahead (< 0) of those by which the others make and accept blocks, ms.
 * Of three looks the least late counts. It follows the clock when somebody sets it. 0: not known. */
int64_t hub_standing_clock_behind_ms(const struct hub_standing_facts *f, uint64_t now_ms);
/* So far behind that this node votes for no block of others, or so far ahead that nobody votes for its own. */
bool hub_standing_clock_wrong(int64_t behind_ms);
/* Each turn, cheap: since when links are up or down, the disk is low, a clock is wrong
 * and work waits; logs a standstill when it begins, then at most
 * once a minute, and its end. */
void hub_standing_tend(struct hub_node *n, uint64_t now_ms);

#endif
