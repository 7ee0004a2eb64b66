/* claims.h: what a header claims against what it should; the words for it are hub/chain.h's. Private to ledger/. */
#ifndef HUB_LEDGER_CLAIMS_H
#define HUB_LEDGER_CLAIMS_H

#include "hub/chain.h"

/* Compares every field; false and the fault told if one is wrong. */
HUB_MUST_USE bool hub_claims_hold(const struct hub_header *want, const struct hub_header *got,
                                  struct hub_fault *fault);

#endif
