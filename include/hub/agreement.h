/* agreement.h: cooperation agreements: what the ledger knows of one, how it stands at a moment, and the
 * signatures of its parties (docs/agreements.md, docs/formats.cddl sections 4-6).
 *  1. A row holds what records brought about; what only time brings (lapsed, in force, expired) is
 *     computed by hub_agreement_standing from row and block time, here and nowhere else.
 *  2. A moment is due when block time has reached it: at sign_by itself an agreement has lapsed.
 *  3. A party signs the bytes of the agreement's body, not a record about them: each consent verifies by
 *     itself, and all of one revision make a stand-alone COSE_Sign file.
 * The rules of the record types are in ledger/agreement.c; this header only reads and builds. */
#ifndef HUB_AGREEMENT_H
#define HUB_AGREEMENT_H

#include "hub/member.h"

enum hub_agreement_state {
    HUB_AGREEMENT_PROPOSED,
    HUB_AGREEMENT_REFUSED,
    HUB_AGREEMENT_LAPSED, /* computed, never stored */
    HUB_AGREEMENT_RECALLED,
    HUB_AGREEMENT_SIGNED,   /* by all who must, not yet effective */
    HUB_AGREEMENT_IN_FORCE, /* computed, never stored */
    HUB_AGREEMENT_SUSPENDED,
    HUB_AGREEMENT_EXPIRED, /* computed, never stored */
    HUB_AGREEMENT_TERMINATED
};
extern const char
    *const hub_agreement_state_names[]; /* "proposed" .. "terminated", ends with NULL */

enum hub_decision {
    HUB_DECISION_NONE,
    HUB_DECISION_SIGN,
    HUB_DECISION_REFUSE,
    HUB_DECISION_RETURN
};
extern const char *const hub_decision_names[]; /* "none", "sign", "refuse", "return", NULL */

enum hub_party_as { HUB_PARTY_LEAD, HUB_PARTY_PARTY, HUB_PARTY_WITNESS };
extern const char *const hub_party_as_names[]; /* ends with NULL */
enum hub_effective { HUB_EFFECTIVE_AT, HUB_EFFECTIVE_LAST_SIGNATURE, HUB_EFFECTIVE_NOTICE };
enum hub_visibility { HUB_VISIBILITY_PUBLIC, HUB_VISIBILITY_MEMBERS, HUB_VISIBILITY_NAMED };
extern const char *const hub_visibility_names[]; /* ends with NULL */

struct hub_agreement_party {
    uint32_t member; /* row: the identity, whatever the code is later */
    enum hub_party_as as;
    bool must_sign;
    /* On the current revision. A refusal stands until the party signs: returning the draft afterwards sets
     * `returned` and leaves the decision. */
    enum hub_decision decision;
    bool returned;
    uint64_t at_ms, height; /* of the last decision; 0 = none */
    uint32_t index;         /* of its record in its block */
};

/* A row of HUB_TABLE_AGREEMENTS, decoded; number borrows from the table until its next write. Encoded:
 * [id, state, number, lead, proposer, revision, approved, visibility, effective rule,
 *  [proposed, sign_by, effective, expires], last record,
 *  [[member, as, must_sign, decision, returned, at, height, index], ..]] */
struct hub_agreement {
    uint32_t row;
    struct hub_hash id;
    enum hub_agreement_state state; /* as stored: see invariant 1 */
    struct hub_span number;
    uint32_t lead, proposer;     /* member rows; proposer of the first revision */
    uint32_t revision, approved; /* current; last one signed by all who must, 0 = none */
    enum hub_visibility visibility;
    enum hub_effective effective_rule;
    uint64_t proposed_ms, sign_by_ms;
    uint64_t effective_ms, expires_ms; /* 0 = not known yet, none */
    struct hub_hash last_record;
    uint32_t party_count;
    struct hub_agreement_party party[HUB_PARTIES_MAX];
};
void hub_agreement_get(struct hub_agreement *out, const struct hub_state *s, uint32_t row);
bool hub_agreement_find(struct hub_agreement *out, const struct hub_state *s,
                        const struct hub_hash *id);
/* The state at this block time: the one function that knows what time does to an agreement. */
enum hub_agreement_state hub_agreement_standing(const struct hub_agreement *a, uint64_t time_ms);

/* A row of HUB_TABLE_REVISIONS, written once; spans borrow from the table. Encoded:
 * [id || be32(revision), body, body hash, proposer, proposed, height, index, record, [member, ..]] */
struct hub_revision {
    struct hub_span body; /* the map that the parties sign */
    struct hub_hash hash, record;
    uint32_t proposer; /* member row */
    uint64_t proposed_ms, height;
    uint32_t index;
    uint32_t party_count, party[HUB_PARTIES_MAX]; /* member rows, in the order of the body */
};
bool hub_revision_find(struct hub_revision *out, const struct hub_state *s,
                       const struct hub_hash *agreement, uint32_t revision);

/* A row of HUB_TABLE_CONSENTS: a party's last word on one revision; spans borrow from the table. Encoded:
 * [id || be32(revision) || be32(member), decision, remark, at, height, index, kid, signature or h''] */
struct hub_statement {
    enum hub_decision decision;
    struct hub_span remark; /* empty if none */
    uint64_t at_ms, height;
    uint32_t index;
    struct hub_hash kid;
    struct hub_span signature; /* 64 bytes of a decision to sign, else empty */
};
bool hub_statement_find(struct hub_statement *out, const struct hub_state *s,
                        const struct hub_hash *agreement, uint32_t revision, uint32_t member);

/* ---- everything a screen shows of one agreement (docs/operations.md) */

struct hub_party_view {
    struct hub_agreement_party is;
    struct hub_member member;
    struct hub_span remark;
    bool overdue; /* must sign, has not, and the time is over */
    bool waited;  /* the agreement cannot go on without this party's next step */
};
struct hub_document { /* spans borrow from the body; lang empty if not given */
    struct hub_span name, media, lang;
    uint64_t size;
    struct hub_hash sha256;
};
struct hub_agreement_view { /* borrows from the state until its next write */
    struct hub_agreement is;
    struct hub_revision revision;
    enum hub_agreement_state state; /* at time_ms */
    uint64_t time_ms;
    struct hub_span title_zh, title_en, document_date, place_zh, place_en;
    bool returned;                  /* flag: some party sent the draft back */
    uint32_t must_sign, has_signed; /* of the parties that must: "partly signed 2/3" */
    struct hub_party_view party[HUB_PARTIES_MAX]; /* is.party_count */
    uint32_t document_count;
    struct hub_document document[HUB_DOCUMENTS_MAX];
};
void hub_agreement_read(struct hub_agreement_view *out, const struct hub_state *s, uint32_t row,
                        uint64_t time_ms);
/* What it waits for or what blocks it, in one sentence of plain text appended to out (HUB_SENTENCE_BYTES_MAX
 * suffice: 32 names twice); zh = true for Chinese. */
void hub_agreement_sentence(struct hub_buf *out, const struct hub_agreement_view *v, bool zh);

/* The agreement of docs/operations.md as one JSON object; absent is absent. `blocks` holds the sentence in both
 * languages. A listing gives the same object without parties' remarks, milestones and documents. */
void hub_agreement_json(struct hub_buf *out, const struct hub_agreement_view *v, bool whole);
/* One revision with what each of its parties said to it: {agreement, revision, body_hash, proposer, proposed,
 * record, body, body_cbor, statements: [{member, decision, at, remark, kid, key, signature}]}. body_cbor is the
 * hex of the bytes that are signed: whoever signs hashes these, never the JSON. False if there is none. */
bool hub_revision_json(struct hub_buf *out, const struct hub_state *s,
                       const struct hub_hash *agreement, uint32_t revision);

/* ---- what a signer builds and anybody checks */

/* id = SHA-256("hubledger/agreement/1" || [chain, proposer's kid, nonce]) (docs/formats.cddl). */
void hub_agreement_id(struct hub_hash *out, const struct hub_hash *chain,
                      const struct hub_hash *kid, const uint8_t nonce[16]);

struct hub_consent { /* consent-signature of formats.cddl; borrowed from the bytes decoded */
    struct hub_span protected_, remark;
    struct hub_hash kid;
    const struct hub_signature *signature;
};
/* Protected header {1: -8, 4: kid, -70002: [1, remark]}; remark at most HUB_REMARK_BYTES_MAX. */
void hub_consent_protected(struct hub_buf *out, const struct hub_hash *kid, struct hub_span remark);
/* The bytes a party signs: ["Signature", agreement-protected, sign-protected, h'', body]; out needs
 * body.len + sign_protected.len + 96 bytes. */
void hub_consent_message(struct hub_buf *out, struct hub_span body, struct hub_span sign_protected);
/* The item [protected, {}, signature]. */
void hub_consent_encode(struct hub_buf *out, struct hub_span protected_,
                        const struct hub_signature *signature);
HUB_MUST_USE bool hub_consent_decode(struct hub_consent *out, struct hub_span item);
/* True if key is the one named by kid and its signature stands over this body. */
HUB_MUST_USE bool hub_consent_ok(const struct hub_consent *c, struct hub_span body,
                                 const struct hub_public_key *key);

struct hub_executed { /* executed-agreement of formats.cddl; borrowed from the bytes decoded */
    struct hub_span body;
    uint32_t count;
    struct hub_consent consent[HUB_PARTIES_MAX];
};
/* The stand-alone file of one revision: body and the signatures of all who signed it. HUB_NOT_FOUND if there
 * is no such revision or nobody signed, HUB_LIMIT if out is too small (HUB_EXECUTED_BYTES_MAX suffices). */
HUB_MUST_USE enum hub_status hub_executed_build(struct hub_buf *out, const struct hub_state *s,
                                                const struct hub_hash *agreement,
                                                uint32_t revision);
/* Its beginning, behind which the caller puts that many consents (hub_consent_encode), kids ascending. */
void hub_executed_begin(struct hub_buf *out, struct hub_span body, uint32_t consents);
/* Strict, kids ascending, without the file tag; who the kids belong to and hub_consent_ok for each is the caller's part. */
HUB_MUST_USE bool hub_executed_decode(struct hub_executed *out, struct hub_span bytes);

#endif
