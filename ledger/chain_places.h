/* ledger/chain_places.h: the blocks a chain holds in memory, and the state moved between them. The final block, slots
 * for blocks with records (chain.h 1), and empty blocks, which have the state of the block they stand on. */
#ifndef HUB_LEDGER_CHAIN_PLACES_H
#define HUB_LEDGER_CHAIN_PLACES_H

#include "hub/chain.h"

enum { HUB_CHAIN_SLOTS = HUB_UNFINAL_MAX + 1, HUB_SLOT_FINAL = -1 };

struct hub_chain_place { /* pointers borrow from the chain, until it changes */
    const struct hub_header *header;
    const struct hub_hash *hash;
    int8_t state; /* slot whose state and log the block has */
    int8_t below; /* nearest ancestor with records, the block itself not counted */
    bool empty;
};

/* i: a used slot, or HUB_SLOT_FINAL. */
struct hub_chain_place hub_place_of_slot(const struct hub_chain *c, int8_t i);
struct hub_chain_place hub_place_of_empty(const struct hub_chain *c, uint32_t i);
bool hub_place_find(const struct hub_chain *c, struct hub_chain_place *out,
                    const struct hub_hash *hash);

const struct hub_edge *hub_slot_edge(const struct hub_chain *c, int8_t slot);
/* The state as of this slot: undoes to the common ancestor and redoes from there. */
void hub_slot_enter(struct hub_chain *c, int8_t target);
void hub_slot_free(struct hub_chain *c, int8_t i);
int hub_slots_used(const struct hub_chain *c);
int8_t hub_slot_unused(const struct hub_chain *c);
/* The slot to give up for a child of `base`, HUB_SLOT_FINAL if there is none: no ancestor of the child, nothing
 * with records on it, lowest view. */
int8_t hub_slot_victim(const struct hub_chain *c, int8_t base);
/* Is there a slot for a block with records on `base`, be it a victim's? */
bool hub_slots_room(const struct hub_chain *c, int8_t base);
/* Frees the slot and the empty blocks on it. */
void hub_slot_give_up(struct hub_chain *c, int8_t victim);

#endif
