/* governance.h: proposals: what members decide by vote, and the arithmetic of it (docs/governance.md).
 *  1. One voice a member: entitled are the voting members that are not removed and not concerned; suspended
 *     ones stay in the denominator. Votes are counted at the moment they are asked for, so a vote of a member
 *     that left counts no more.
 *  2. A proposal closes once: enacted, refused, withdrawn or failed. That its deadline has passed is never stored,
 *     but computed from the row and the block's time.
 *  3. What a proposal would do is in its row as it was signed; each vote repeats the hash of it. */
#ifndef HUB_GOVERNANCE_H
#define HUB_GOVERNANCE_H

#include "hub/member.h"

enum hub_proposal_state { /* stored values; LAPSED is computed only */
                          HUB_PROPOSAL_OPEN,
                          HUB_PROPOSAL_ENACTED,
                          HUB_PROPOSAL_REFUSED,
                          HUB_PROPOSAL_WITHDRAWN,
                          HUB_PROPOSAL_FAILED,
                          HUB_PROPOSAL_LAPSED
};
extern const char *const hub_proposal_state_names[]; /* ends with NULL */

enum hub_ballot { HUB_BALLOT_NONE, HUB_BALLOT_APPROVE, HUB_BALLOT_REJECT };

struct hub_vote_cast { /* one member's */
    uint32_t member;   /* row */
    enum hub_ballot ballot;
    uint64_t time_ms, height;
    uint32_t index;
};

struct hub_proposal { /* a decoded row; spans borrow from the table until its next write */
    uint32_t row;
    struct hub_span reference; /* 16 bytes */
    struct hub_span title_zh, title_en, document;
    struct hub_span actions; /* the encoded array */
    struct hub_hash actions_hash;
    uint32_t proposer; /* member row */
    bool of_authority; /* about parameters of the currency authority: its own affair */
    enum hub_proposal_state state;
    uint16_t code; /* of FAILED */
    uint64_t created_ms, deadline_ms, height, closed_ms, closed_height;
    uint32_t index, closed_index;
    uint32_t concerned_count, concerned[HUB_ACTIONS_MAX]; /* member rows */
    uint32_t votes;
    struct hub_vote_cast vote[HUB_VOTERS_MAX];
};
void hub_proposal_get(struct hub_proposal *out, const struct hub_state *s, uint32_t row);
bool hub_proposal_find(struct hub_proposal *out, const struct hub_state *s,
                       struct hub_span reference);
/* LAPSED where the time of an open proposal has passed; else the stored state. */
enum hub_proposal_state hub_proposal_standing(const struct hub_proposal *p, uint64_t time_ms);
bool hub_proposal_concerns(const struct hub_proposal *p, uint32_t member);
enum hub_ballot hub_proposal_ballot(const struct hub_proposal *p, uint32_t member);
/* May this member vote on it, suspension apart? */
bool hub_proposal_entitled(const struct hub_proposal *p, const struct hub_member *m);

struct hub_ballot_count {
    uint32_t entitled, approvals, rejections;
    uint32_t needed; /* ceil(threshold x entitled), and two at least where a member is concerned */
};
void hub_proposal_count(struct hub_ballot_count *out, const struct hub_state *s,
                        const struct hub_proposal *p);

/* NAME-HASH("hubledger/actions/1", the encoded array). */
void hub_actions_hash(struct hub_hash *out, struct hub_span actions);

/* The protocol version in force at a height, by the proposals enacted so far; 1 unless one raised it. */
uint64_t hub_protocol_version(const struct hub_state *s, uint64_t height);

#endif
