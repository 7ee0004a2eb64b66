/* repair.h: what keeps a lossy network moving: asking for missing blocks and certificates, helping
 * those behind, resending. Never makes a vote: only the replica's journal is resent (ava-labs#280: a resend path
 * that derived votes signed FINALIZE after NULLIFY). Private to consensus/. */
#ifndef HUB_REPAIR_H
#define HUB_REPAIR_H

#include "hub/simplex.h"

/* Views whose certificates the proposal of the current view lacks; first > last: none. */
struct hub_range hub_repair_proposal_gap(const struct hub_cons *c);
/* Asks for every block that a certificate or the current proposal needs. */
void hub_repair_blocks(struct hub_cons *c, struct hub_effects *out);
/* Makes blocks above `view` that have no verdict yet be asked for at once: their parent may be there now. */
void hub_repair_hurry(struct hub_cons *c, uint64_t view);
/* Asks for certificates: of the proposal's gap, of a peer ahead, of views that we jumped over. */
void hub_repair_certificates(struct hub_cons *c, struct hub_effects *out);
/* Progress was made: the next question is asked at once. */
void hub_repair_reset(struct hub_cons *c);
/* A vote for an old view: its sender lacks what we have. At most one answer a Delta or 250 ms per peer. */
void hub_repair_help(struct hub_cons *c, const struct hub_subject *s, uint8_t peer,
                     struct hub_effects *out);
/* What docs/protocol.md 8 sends when t_r has come, and FINALIZEs at a standstill. */
void hub_repair_retry(struct hub_cons *c, struct hub_effects *out);
void hub_repair_standstill(struct hub_cons *c, struct hub_effects *out);

#endif
