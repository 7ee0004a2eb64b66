/* ledger/recovery.h: the record type epoch.recover. */
#ifndef HUB_LEDGER_RECOVERY_H
#define HUB_LEDGER_RECOVERY_H

#include "hub/apply.h"

extern const struct hub_field hub_epoch_recover_fields[];
uint16_t hub_epoch_recover_check(const struct hub_record *r);
uint16_t hub_epoch_recover_apply(struct hub_apply *a);
/* Of all that its co-signers sign, whoever signed already. */
void hub_epoch_recover_what(struct hub_hash *out, const struct hub_record *r);

#endif
