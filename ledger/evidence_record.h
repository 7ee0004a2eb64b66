/* ledger/evidence_record.h: the record evidence.report and the table of convicted validators.
 *
 *   row [be64 epoch || kid, member code, [1*16 [view, kind, height, index]]]     one a validator and epoch
 *
 *  1. An offence, (epoch, view, validator), is recorded once, and at most HUB_OFFENCES_MAX of one validator in one
 *     epoch: more prove nothing more, and a traitor must not make the ledger grow with every view.
 *  2. The ledger knows its epochs, so an item in a record carries no links; whoever exports one adds them.
 *  3. Nothing follows by itself: no key is revoked, no set changed. Governance acts (docs/governance.md). */
#ifndef HUB_LEDGER_EVIDENCE_RECORD_H
#define HUB_LEDGER_EVIDENCE_RECORD_H

#include "hub/apply.h"
#include "hub/evidence.h"

extern const struct hub_field hub_evidence_report_fields[];
uint16_t hub_evidence_report_check(const struct hub_record *r);
uint16_t hub_evidence_report_apply(struct hub_apply *a);

struct hub_convicted { /* a decoded row; member borrows from the table until its next write */
    uint32_t row, count;
    uint64_t epoch;
    struct hub_hash kid;
    struct hub_span member;
    struct {
        uint64_t view, height; /* height, index: of the record */
        uint32_t index;
        enum hub_offence_kind kind;
    } offence[HUB_OFFENCES_MAX];
};
void hub_convicted_get(struct hub_convicted *out, const struct hub_state *s, uint32_t row);
bool hub_convicted_find(struct hub_convicted *out, const struct hub_state *s, uint64_t epoch,
                        const struct hub_hash *kid);
/* 0 if the offence may still be recorded; else evidence_exists or evidence_enough. */
uint16_t hub_convicted_code(const struct hub_state *s, uint64_t epoch, uint64_t view,
                            const struct hub_hash *kid);

#endif
