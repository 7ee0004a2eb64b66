/* agreement_draft.h: writes what the agreement records hold, for those who make them: the body from a plain
 * struct, and the cores of the three records around it. It writes what it is given; whether that keeps
 * the rules is said by hub_body_check and the type's check, which every writer runs before it signs.
 * Texts are UTF-8 with a terminator, borrowed; NULL = the optional field is absent. */
#ifndef HUB_AGREEMENT_DRAFT_H
#define HUB_AGREEMENT_DRAFT_H

#include "hub/agreement.h"

enum { HUB_NEED_ALL = 0, HUB_NEED_LEAD = 255, HUB_RETENTION_PERMANENT = 0 };
enum hub_accept { HUB_ACCEPT_ALL, HUB_ACCEPT_ANY, HUB_ACCEPT_LISTED };
enum hub_prevailing { HUB_PREVAILING_ZH, HUB_PREVAILING_EN, HUB_PREVAILING_EQUAL };
enum hub_withdraw_then { HUB_OTHERS_STAY, HUB_ENDS };

struct hub_bilingual {
    const char *zh, *en; /* en may be NULL; both NULL = absent */
};
struct hub_draft_party {
    const char *member; /* code */
    enum hub_party_as as;
    bool must_sign;
};
struct hub_draft_area {
    const char *code;
    struct hub_bilingual name;
};
struct hub_draft_document {
    const char *name, *media, *lang; /* lang may be NULL */
    uint64_t size;
    struct hub_hash sha256;
};
struct hub_draft_milestone {
    uint32_t no;
    struct hub_bilingual title;
    const char *owner;
    uint64_t due_ms;
    enum hub_accept accept;
    uint32_t who_count; /* of the rule `listed` */
    const char *who[HUB_PARTIES_MAX];
    uint32_t deemed_days, review_days; /* 0 = the default: never, 30 */
};

struct hub_draft { /* agreement-body of docs/agreements.md */
    struct hub_hash agreement, chain;
    const char *number, *lead;
    struct hub_bilingual title, place, dispute, change_note;
    uint32_t party_count, area_count, document_count, milestone_count;
    struct hub_draft_party party[HUB_PARTIES_MAX];
    struct hub_draft_area area[HUB_AREAS_MAX];
    struct hub_draft_document document[HUB_DOCUMENTS_MAX];
    struct hub_draft_milestone milestone[HUB_MILESTONES_MAX];
    uint32_t revision;
    struct hub_hash previous; /* written when revision > 1 */
    enum hub_prevailing prevailing;
    const char *document_date;
    uint64_t sign_by_ms;
    enum hub_effective effective;
    uint64_t effective_ms;                                         /* of HUB_EFFECTIVE_AT */
    uint64_t expires_ms;                                           /* 0 = none */
    uint32_t need_amend, need_renew, need_suspend, need_terminate; /* HUB_NEED_*, or how many */
    bool withdraw_allowed;
    uint32_t withdraw_notice_days;
    enum hub_withdraw_then withdraw_then;
    enum hub_visibility visibility;
    uint32_t retention; /* years 10, 30, or HUB_RETENTION_PERMANENT */
};
/* The body, the bytes every party signs. HUB_RECORD_BYTES_MAX of room suffice. */
void hub_draft_encode(struct hub_buf *out, const struct hub_draft *d);

/* consent-part: the signature item of hub_consent_encode and the hashes of the documents that were reviewed. */
void hub_consent_part_encode(struct hub_buf *out, const struct hub_hash *reviewed, uint32_t count,
                             struct hub_span signature);
/* Cores of the records; part empty = without consent. */
void hub_propose_encode(struct hub_buf *out, struct hub_span body, const uint8_t nonce[16],
                        struct hub_span part);
void hub_amend_encode(struct hub_buf *out, const struct hub_hash *agreement, struct hub_span body,
                      struct hub_span part);
/* remark empty = without; part only for a decision to sign. */
void hub_consent_record_encode(struct hub_buf *out, const struct hub_hash *agreement,
                               uint32_t revision, const struct hub_hash *body_hash,
                               enum hub_decision decision, struct hub_span remark,
                               struct hub_span part);

#endif
