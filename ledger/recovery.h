/* ledger/recovery.h: the record type epoch.recover. */
#ifndef HUB_LEDGER_RECOVERY_H
#define HUB_LEDGER_RECOVERY_H

#include "hub/apply.h"

extern const struct hub_field hub_epoch_recover_fields[];
uint16_t hub_epoch_recover_check(const struct hub_record *r);
uint16_t hub_epoch_recover_apply(struct hub_apply *a);

#endif
