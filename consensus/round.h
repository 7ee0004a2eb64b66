/* round.h: what the core holds of each view: its slot, its tallies, and which certificates exist. Knows no
 * rule of voting and no time. Private to consensus/. */
#ifndef HUB_ROUND_H
#define HUB_ROUND_H

#include "hub/simplex.h"

/* The slot of a view, or NULL. */
struct hub_view *hub_round_find(struct hub_cons *c, uint64_t view);
const struct hub_view *hub_round_get(const struct hub_cons *c, uint64_t view);
/* The slot of a view of the window top.view < view-1 .. view+2, made if there is none; NULL outside the
 * window unless it exists. */
struct hub_view *hub_round_open(struct hub_cons *c, uint64_t view);
/* The slot for a certified block, at any view; NULL if 8 newer views are notarized. */
struct hub_view *hub_round_open_certified(struct hub_cons *c, uint64_t view);
/* After view, top or fin moved: drops slots and certificates that no rule asks for any more. */
void hub_round_prune(struct hub_cons *c);

enum hub_ballot {
    HUB_BALLOT_COUNTED,
    HUB_BALLOT_AGAIN,    /* the same vote */
    HUB_BALLOT_CONFLICT, /* of this kind for another subject; not counted */
    HUB_BALLOT_FULL      /* too many subjects; counted when it comes again and there is room */
};
enum hub_ballot hub_round_count(struct hub_view *v, const struct hub_subject *s, uint8_t signer);
/* The voters of a subject of s->kind that q or more voted for; its other fields go to *s. 0: none. */
uint64_t hub_round_quorum(const struct hub_view *v, struct hub_subject *s, uint8_t q);
/* Everybody whose vote of this kind was counted. */
uint64_t hub_round_voters(const struct hub_view *v, uint8_t kind);
/* The signer's vote for this subject was counted. */
bool hub_round_has_vote(const struct hub_view *v, const struct hub_subject *s, uint8_t signer);
/* The signer's counted votes of OTHER kinds make this one evidence: NULLIFY and FINALIZE (E2), or NOTARIZE and
 * FINALIZE of different blocks (E4). NOTARIZE and NULLIFY together are legal. */
bool hub_round_contradicts(const struct hub_view *v, const struct hub_subject *s, uint8_t signer);

/* NOTARIZATION or FINALIZATION: the block is certified. False: it contradicts one held for another block. */
bool hub_round_certify(struct hub_cons *c, struct hub_view *v, const struct hub_hash *block,
                       uint64_t signers);
/* Hash of the certified block of a view >= top.view, or NULL. */
const struct hub_hash *hub_round_certified(const struct hub_cons *c, uint64_t view);
void hub_round_nullify(struct hub_cons *c, uint64_t view);
/* A NULLIFICATION is held for every view first..last; true when first > last. */
bool hub_round_skipped(const struct hub_cons *c, uint64_t first, uint64_t last);
/* The lowest p >= top.view such that every view of (p, view) is nullified. */
uint64_t hub_round_reach(const struct hub_cons *c, uint64_t view);

static inline bool hub_round_own_vote(const struct hub_view *v)
{
    return v->did_notarize || v->did_nullify || v->did_finalize;
}

#endif
