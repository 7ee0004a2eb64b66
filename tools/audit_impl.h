/* audit_impl.h: what tools/audit*.c share. */
#ifndef HUB_AUDIT_IMPL_H
#define HUB_AUDIT_IMPL_H

#include "tools/audit_pool.h"

/* A new finding at the job's height, to be filled in; one that is only counted is written to a spare place. */
struct hub_finding *hub_audit_add(struct hub_audit *a, enum hub_finding_kind kind, uint64_t height,
                                  uint64_t offset);
void hub_audit_text(char out[HUB_FINDING_TEXT], const char *text);
void hub_audit_hex(char out[HUB_FINDING_TEXT], const struct hub_hash *hash);
void hub_audit_number(char out[HUB_FINDING_TEXT], uint64_t number);
void hub_audit_yuan(char out[HUB_FINDING_TEXT], uint64_t fen);
void hub_audit_field(struct hub_finding *f, const char *field);

/* Why a block could not be decoded: names the record, the entry, the field. header_is_certified: a quorum's
 * certificate names the header, so what differs was changed in the records. */
void hub_audit_explain(struct hub_audit *a, const struct hub_audit_pool *pool,
                       const struct hub_audit_job *j, bool header_is_certified);

#endif
