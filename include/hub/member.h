/* member.h: parameters, members and keys: the rows every rule reads (docs/keys.md). */
#ifndef HUB_MEMBER_H
#define HUB_MEMBER_H

#include "hub/results.h"
#include "hub/sign.h"
#include "hub/state.h"

enum hub_parameter {
#define HUB_PARAMETER(id, name, value, min, max) HUB_PARAM_##id,
#include "hub/parameters.def"
#undef HUB_PARAMETER
    HUB_PARAM_COUNT
};
/* The parameter's value in this state: its row, or the default. */
uint64_t hub_parameter(const struct hub_state *s, enum hub_parameter p);
/* Number of a name, or -1; *min, *max, *value (default) may be NULL. */
int hub_parameter_named(struct hub_span name, uint64_t *value, uint64_t *min, uint64_t *max);

enum hub_role { /* bits; the names, in this order, are hub_role_names */
                HUB_ROLE_GOVERNOR = 1 << 0,
                HUB_ROLE_SEAL = 1 << 1,
                HUB_ROLE_OPERATOR = 1 << 2,
                HUB_ROLE_ISSUER = 1 << 3,
                HUB_ROLE_AUDITOR = 1 << 4,
                HUB_ROLE_CHECKER = 1 << 5,
                HUB_ROLE_APPROVER = 1 << 6,
                HUB_ROLE_READER = 1 << 7,
                HUB_ROLE_RECOVERY = 1 << 8,
                HUB_ROLE_VALIDATOR = 1 << 9,
                HUB_ROLE_OBSERVER = 1 << 10,
                HUB_ROLE_WALLET = 1 << 11
};
extern const char *const hub_role_names[]; /* ends with NULL */
enum hub_member_kind {
    HUB_KIND_DISTRICT,
    HUB_KIND_HUB,
    HUB_KIND_AUTHORITY,
    HUB_KIND_INSTITUTION,
    HUB_KIND_AUDITOR,
    HUB_KIND_OTHER
};
extern const char *const hub_member_kind_names[]; /* ends with NULL */

struct hub_member { /* a decoded row; spans borrow from the table until its next write */
    uint32_t row;
    struct hub_span birth_code; /* key of the row: the code it was admitted with */
    struct hub_span code, name_zh, name_en, contact;
    enum hub_member_kind kind;
    bool voting, suspended, removed;
    uint64_t institution, quota; /* institution 0 = none */
    uint64_t seal_needs, governors_needed;
    uint32_t governors,
        governor
            [HUB_GOVERNORS_MAX]; /* rows of its governor keys, so that counting them reads no others */
    uint64_t since_ms;           /* of suspended or removed; 0: neither */
    uint64_t replaced_ms;        /* of its last validator.replace; 0: none */
};
void hub_member_get(struct hub_member *out, const struct hub_state *s, uint32_t row);
/* By its code of today; a member that was removed keeps its code. */
bool hub_member_find(struct hub_member *out, const struct hub_state *s, struct hub_span code);
void hub_member_put(struct hub_state *s, const struct hub_member *m); /* m->row must exist */
uint32_t hub_member_add(struct hub_state *s, struct hub_member *m);   /* sets and returns m->row */
/* Member that runs this institution; false if none. */
bool hub_member_of_institution(struct hub_member *out, const struct hub_state *s,
                               uint64_t institution);

enum hub_key_standing {
    HUB_KEY_ACTIVE,
    HUB_KEY_PENDING,
    HUB_KEY_NOT_YET,
    HUB_KEY_ENDED,
    HUB_KEY_REVOKED
};

struct hub_key { /* a decoded row */
    uint32_t row;
    struct hub_hash kid;
    struct hub_public_key key;
    uint16_t roles;
    uint32_t member;            /* row; UINT32_MAX for a wallet key */
    uint64_t wallet;            /* number, for a wallet key; else 0 */
    uint64_t from_ms, until_ms; /* until_ms 0 = no end */
    uint64_t pending_until_ms;  /* governor keys added later: acts from then; 0 = no delay */
    uint64_t revoked_at_ms; /* 0 = never; in the future for a governor key's delayed revocation */
    uint64_t seq_high;
    uint8_t window[HUB_SEQ_WINDOW /
                   8]; /* bit (n mod 4096): number n, seq_high - 4096 < n <= seq_high, was used */
    struct hub_span label, box, transport;
};
void hub_key_get(struct hub_key *out, const struct hub_state *s, uint32_t row);
bool hub_key_find(struct hub_key *out, const struct hub_state *s, const struct hub_hash *kid);
void hub_key_put(struct hub_state *s, const struct hub_key *k); /* k->row must exist */
uint32_t hub_key_add(struct hub_state *s, struct hub_key *k);   /* sets and returns k->row */
enum hub_key_standing hub_key_standing(const struct hub_key *k, uint64_t time_ms);
/* 0, or seq_replayed, seq_too_old, seq_too_far. */
uint16_t hub_key_seq_check(const struct hub_key *k, uint64_t seq);
void hub_key_seq_mark(struct hub_key *k, uint64_t seq);
/* iss of a record by this key: the member's code, or a wallet key's number in decimal. out[24], NUL-terminated. */
void hub_key_iss(char out[24], const struct hub_state *s, const struct hub_key *k);

#endif
