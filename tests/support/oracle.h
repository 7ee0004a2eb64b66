/* oracle.h: what agreement means, judged from outside with arithmetic of its own: nothing here calls consensus/.
 * Told of every block, every vote whose signature exists, every certificate and every block that a node holds to be
 * final, it checks (names as in commonware's fuzz/invariants.rs):
 *  1. agreement: all honest nodes have the same final block at a height, and none goes back.
 *  2. finalization_ancestry: finalized blocks lie on one chain, whatever their views.
 *  3. no_nullification_in_finalized_view, in either order of seeing them.
 *  4. no_conflicting_notarization_in_finalized_view.
 *  5. no_conflicting_quorum_notarizations: one notarized block a view.
 *  6. finalization_requires_notarization, of the same block in the same view.
 *  7. certificates_are_valid: at least q signers, all of the set, and each honest one cast this very vote.
 *  8. honest_votes: one of a kind in a view; never NULLIFY and FINALIZE; FINALIZE and NOTARIZE of one block.
 *  9. skips_are_proven: a notarized block's parent is notarized, one lower, and every view between is nullified.
 * Views are those of (epoch, view). Validators keep their numbers over epochs. */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include "hub/vote.h"

struct oracle_block {
    struct hub_hash hash, parent;
    uint64_t epoch, view, parent_view, height;
    bool tail; /* has its parent's height; what is final is the block below all of them */
};

struct oracle;
/* liars: bit i = nothing is demanded of validator i's votes. */
struct oracle *oracle_open(uint8_t n, uint8_t q, uint64_t liars);
/* From this epoch on n validators vote, never more than at the opening, with quorum q. Epochs come in order. */
void oracle_epoch(struct oracle *o, uint64_t epoch, uint8_t n, uint8_t q);
void oracle_close(struct oracle *o);
void oracle_distrust(struct oracle *o, uint8_t validator); /* from now on a liar */
void oracle_block(struct oracle *o, const struct oracle_block *b);
void oracle_vote(struct oracle *o, uint8_t signer, const struct hub_subject *s);
void oracle_certificate(struct oracle *o, const struct hub_subject *s, uint64_t signers);
/* An honest node holds the block of this height to be final; called for heights in any order. */
void oracle_final(struct oracle *o, uint8_t node, uint64_t height, const struct hub_hash *hash);
const char *oracle_failure(const struct oracle *o); /* the first one, or NULL */
/* Two different blocks of one height were final. */
bool oracle_forked(const struct oracle *o);
/* Bit i: validator i signed two votes that exclude each other (E1 to E4). */
uint64_t oracle_guilty(const struct oracle *o);
/* With so many liars or fewer, two quorums of q always share an honest validator. */
int oracle_bearable(uint8_t n, uint8_t q);

#endif
