/* core.h: one consensus core driven by hand: events in, the effects of the last step out. Block names are letters;
 * leader of view v is validator v mod n. */
#ifndef TESTS_CORE_H
#define TESTS_CORE_H

#include "hub/simplex.h"

enum { CORE_WALL_MS = 1000000 };

struct core {
    struct hub_cons c;
    struct hub_effects fx; /* of the last step */
    uint64_t now_ms, wall_ms;
    uint32_t votes[4]; /* VOTE effects so far, by kind */
};

/* Fresh epoch: fin = (0, 0, block 'g'), delta 250 ms, no pace, no heartbeat. prepare: not started yet. */
void core_prepare(struct core *k, uint8_t n, uint8_t q, uint8_t me);
void core_open(struct core *k, uint8_t n, uint8_t q, uint8_t me);
void core_start(struct core *k);

struct hub_hash core_hash(char name);
/* A block with a record, a child of `parent` proposed in view parent_view. */
struct hub_header_facts core_block(const struct core *k, char name, uint64_t view, char parent,
                                   uint64_t parent_view, uint64_t height);
struct hub_subject core_notarize(const struct hub_header_facts *b);
struct hub_subject core_nullify(uint64_t view);
struct hub_subject core_finalize(const struct hub_header_facts *b);

void core_step(struct core *k, struct hub_event *ev);
void core_tick(struct core *k, uint64_t ms); /* both clocks advance, then a TICK */
void core_vote(struct core *k, struct hub_subject s, uint8_t signer);
void core_own(struct core *k, struct hub_subject s);     /* OWN_VOTE */
void core_certify(struct core *k, struct hub_subject s); /* by q validators that are not us */
void core_propose(struct core *k, const struct hub_header_facts *b);
void core_verdict(struct core *k, const struct hub_header_facts *b, bool valid);
void core_built(struct core *k, const struct hub_header_facts *b, enum hub_built outcome);
void core_gate(struct core *k, bool has_records);
void core_peer(struct core *k, uint8_t peer, uint64_t view, uint64_t top_view);
/* Notarized and VALID, so that the core leaves its view. */
void core_notarized(struct core *k, const struct hub_header_facts *b);

/* Effects of the last step. */
const struct hub_effect *core_effect(const struct core *k,
                                     enum hub_effect_kind kind); /* first, or NULL */
bool core_casts(const struct core *k, struct hub_subject s);
uint32_t core_count(const struct core *k, enum hub_effect_kind kind);

#endif
