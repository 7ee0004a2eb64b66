/* council.h: the state of a ledger whose members decide by vote: members that vote or do not, with two
 * governors each, validators, and one call a record: a block of its own, without signatures. What the tests of governance stand on. */
#ifndef TEST_COUNCIL_H
#define TEST_COUNCIL_H

#include "hub/vote.h"
#include "hub/governance.h"
#include "ledger/epoch.h"
#include "ledger/member.h"

enum {
    COUNCIL_MAX = 8,
    COUNCIL_KEYS = 96,
    COUNCIL_BODY_MAX = 1 << 16,
    COUNCIL_REFUSED = 1000 /* added to the code of a refusal */
};
#define COUNCIL_START_MS UINT64_C(1779415200000) /* 2026-05-22 10:00 in UTC+8 */
#define COUNCIL_HOUR_MS ((uint64_t)3600 * 1000)

/* Keys: of member m governors 4m and 4m + 1, validator 4m + 2 (of the first `validators` members), seal 4m + 3;
 * from council_spare on they are nobody's. */
struct council {
    struct hub_state state;
    struct hub_undo log;       /* of the last record */
    void *memory, *log_memory; /* test_space */
    size_t memory_bytes;
    uint64_t height, time_ms;
    unsigned members;
    struct hub_public_key key[COUNCIL_KEYS];
    struct hub_hash kid[COUNCIL_KEYS];
    char code[COUNCIL_MAX][16];
    unsigned cosign[HUB_COSIGN_MAX], cosigns; /* of the next record */
    struct hub_hash chain;
    uint64_t seq[COUNCIL_KEYS];
};
struct council_plan {
    unsigned voters,
        others; /* voting members first; the last other is the authority when one is asked for */
    bool authority;
    unsigned validators;
    uint8_t quorum;
    enum hub_fault_model model;
};

void council_open(struct council *c, const struct council_plan *plan);
void council_close(struct council *c);
static inline unsigned council_governor(unsigned member)
{
    return 4 * member;
}
static inline unsigned council_validator(unsigned member)
{
    return 4 * member + 2;
}
static inline unsigned council_seal(unsigned member)
{
    return 4 * member + 3;
}
static inline unsigned council_spare(unsigned i)
{
    return 4 * COUNCIL_MAX + i;
}

/* The record's code; COUNCIL_REFUSED is added where it can be in no block. Each call is a block of its own: height
 * + 1, and time goes on by a second. A record that failed has changed nothing but its number. */
uint16_t council_run(struct council *c, enum hub_record_type_id type, unsigned signer,
                     struct hub_span body);
/* Sets how many governors of a member must sign. */
void council_governors_needed(struct council *c, unsigned member, uint64_t needed);
struct hub_member council_member(const struct council *c, unsigned member);
/* Bodies; the bytes live until the next call. */
struct hub_span council_ready_body(void);
struct hub_span council_replace_body(const struct council *c, unsigned old, unsigned key,
                                     unsigned transport);
/* actions: an encoded array. */
struct hub_span council_propose_body(unsigned number, uint64_t deadline_ms,
                                     struct hub_span actions);
/* Of approve, reject and withdraw: with the hash of the proposal's actions. */
struct hub_span council_vote_body(const struct council *c, unsigned number);
void council_put_ref(struct hub_buf *b, unsigned number);
bool council_proposal(struct hub_proposal *out, const struct council *c, unsigned number);
/* Every one of these members' nodes posts validator.ready. */
void council_ready(struct council *c, unsigned from, unsigned to);
/* One grant: {key, label, roles: [role], ? transport}; transport: number of the key whose id it is, or -1. */
void council_put_grant(struct hub_buf *b, const struct council *c, unsigned key, const char *role,
                       int transport);

#endif
