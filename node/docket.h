/* docket.h: the evidence this node holds against validators: kept in the store, shown, and put on the ledger by
 * whichever node comes first.
 *  1. One item of a validator and view, HUB_OFFENCES_MAX of a validator and epoch: the replica sees to it.
 *  2. Kept before it is told to anybody: the replica commits the store in the turn of its finding.
 *  3. Recorded once: each node waits its turn behind the validator accused, and looks at the ledger first. */
#ifndef HUB_DOCKET_H
#define HUB_DOCKET_H

#include "hub/evidence.h"

struct hub_node;

struct hub_docket_item {
    uint64_t epoch, view;
    uint64_t due_ms; /* monotonic: when this node reports it, unless another has */
    enum hub_offence_kind kind;
    uint8_t signer;
    bool recorded;
    struct hub_hash kid;
    char member[HUB_MEMBER_CODE_MAX + 1];
};
struct hub_docket {
    struct hub_docket_item item[HUB_VALIDATORS_MAX * HUB_OFFENCES_MAX];
    uint32_t count; /* the first found of each run come first; a full docket takes no more */
};

/* From the store, before the replica starts, which is told what needs no second look. HUB_IO. */
HUB_MUST_USE enum hub_status hub_docket_load(struct hub_node *n);
/* A validator was convicted; o and item are borrowed. A store that does not take it ends the process. */
void hub_docket_add(struct hub_node *n, const struct hub_offence *o, struct hub_span item);
/* Reports what is due. Call each turn. */
void hub_docket_tend(struct hub_node *n, uint64_t now_ms);
/* Bytes of an item, borrowed until the next put into the store. */
HUB_MUST_USE bool hub_docket_bytes(const struct hub_node *n, const struct hub_docket_item *item,
                                   struct hub_span *bytes);

#endif
