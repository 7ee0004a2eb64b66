/* agreement.h: the agreement family's part of the table of record types, and what its files share. */
#ifndef LEDGER_AGREEMENT_H
#define LEDGER_AGREEMENT_H

#include "hub/agreement.h"
#include "hub/apply.h"

extern const struct hub_field hub_agreement_propose_fields[], hub_agreement_consent_fields[],
    hub_agreement_amend_fields[];

/* Static rules beyond the fields: 0, or a code of class refused. */
uint16_t hub_agreement_propose_check(const struct hub_record *r);
uint16_t hub_agreement_consent_check(const struct hub_record *r);
uint16_t hub_agreement_amend_check(const struct hub_record *r);

uint16_t hub_agreement_propose_apply(struct hub_apply *a);
uint16_t hub_agreement_consent_apply(struct hub_apply *a);
uint16_t hub_agreement_amend_apply(struct hub_apply *a);

/* Names of body.effective.on; the place of a name + 1 is its enum hub_effective. */
extern const char *const hub_effective_on_names[];
/* Places + 1 are enum hub_decision. */
extern const char *const hub_decision_field_names[];

/* Rows: agreement_row.c. Writing needs row set; adding sets it. */
uint32_t hub_agreement_add(struct hub_state *s, struct hub_agreement *a);
void hub_agreement_put(struct hub_state *s, const struct hub_agreement *a);
void hub_revision_add(struct hub_state *s, const struct hub_hash *agreement, uint32_t revision,
                      const struct hub_revision *r);
/* Adds or replaces the party's word on this revision. */
void hub_statement_put(struct hub_state *s, const struct hub_hash *agreement, uint32_t revision,
                       uint32_t member, const struct hub_statement *w);
/* Lead and number are unique among agreements that were not recalled. HUB_TABLE_REFERENCES holds a row
 * [SHA-256("hubledger/agreement-number/1" || [lead's member row, number]), agreement row] for each pair ever
 * claimed; it is a pointer checked against the agreement, so a changed or recalled number is free again
 * without removing anything. True if another agreement than `own` (row, or UINT32_MAX) has the pair. */
bool hub_agreement_number_taken(const struct hub_state *s, uint32_t lead, struct hub_span number,
                                uint32_t own);
void hub_agreement_number_claim(struct hub_state *s, uint32_t lead, struct hub_span number,
                                uint32_t agreement);

#endif
