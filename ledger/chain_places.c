/* chain_places.c: see chain_places.h. */
#include "ledger/chain_places.h"

struct hub_chain_place hub_place_of_slot(const struct hub_chain *c, int8_t i)
{
    if (i == HUB_SLOT_FINAL)
        return (struct hub_chain_place){&c->final_header, &c->final_hash, HUB_SLOT_FINAL,
                                        HUB_SLOT_FINAL, false};
    HUB_ASSERT(i >= 0 && i < HUB_CHAIN_SLOTS && c->slot[i].used);
    return (struct hub_chain_place){&c->slot[i].header, &c->slot[i].hash, i, c->slot[i].parent,
                                    false};
}

struct hub_chain_place hub_place_of_empty(const struct hub_chain *c, uint32_t i)
{
    const struct hub_empty *e = &c->empty[i];

    return (struct hub_chain_place){&e->header, &e->hash, e->base, e->base, true};
}

bool hub_place_find(const struct hub_chain *c, struct hub_chain_place *out,
                    const struct hub_hash *hash)
{
    if (hub_hash_equal(hash, &c->final_hash)) {
        *out = hub_place_of_slot(c, HUB_SLOT_FINAL);
        return true;
    }
    for (int8_t i = 0; i < HUB_CHAIN_SLOTS; i++)
        if (c->slot[i].used && hub_hash_equal(hash, &c->slot[i].hash)) {
            *out = hub_place_of_slot(c, i);
            return true;
        }
    for (uint32_t i = 0; i < HUB_EMPTY_MAX; i++)
        if (c->empty[i].used && hub_hash_equal(hash, &c->empty[i].hash)) {
            *out = hub_place_of_empty(c, i);
            return true;
        }
    return false;
}

const struct hub_edge *hub_slot_edge(const struct hub_chain *c, int8_t slot)
{
    return slot == HUB_SLOT_FINAL ? &c->final_edge : &c->slot[slot].edge;
}

/* True if slot a is b or an ancestor of b. */
static bool is_above(const struct hub_chain *c, int8_t a, int8_t b)
{
    while (b != a && b != HUB_SLOT_FINAL)
        b = c->slot[b].parent;
    return b == a;
}

void hub_slot_enter(struct hub_chain *c, int8_t target)
{
    int8_t path[HUB_CHAIN_SLOTS], depth = 0;

    while (!is_above(c, c->at, target)) {
        hub_state_swap_back(&c->state, &c->slot[c->at].undo);
        c->at = c->slot[c->at].parent;
    }
    for (int8_t i = target; i != c->at; i = c->slot[i].parent)
        path[depth++] = i;
    while (depth > 0) {
        c->at = path[--depth];
        hub_state_swap_forward(&c->state, &c->slot[c->at].undo);
    }
    HUB_ASSERT(c->at == target);
}

enum hub_status hub_chain_move(struct hub_chain *c, const struct hub_hash *to)
{
    struct hub_chain_place place;

    if (!hub_place_find(c, &place, to))
        return HUB_UNKNOWN_PARENT;
    hub_slot_enter(c, place.state);
    return HUB_OK;
}

const struct hub_header *hub_chain_header(const struct hub_chain *c, const struct hub_hash *hash)
{
    struct hub_chain_place place;

    return hub_place_find(c, &place, hash) ? place.header : NULL;
}

size_t hub_chain_logs(const struct hub_chain *c, const struct hub_undo *logs[HUB_UNFINAL_MAX])
{
    size_t n = 0, at;

    for (int8_t i = c->at; i != HUB_SLOT_FINAL; i = c->slot[i].parent)
        n++;
    HUB_ASSERT(n <= HUB_UNFINAL_MAX);
    at = n;
    for (int8_t i = c->at; i != HUB_SLOT_FINAL; i = c->slot[i].parent)
        logs[--at] = &c->slot[i].undo;
    return n;
}

/* ---- slots */

void hub_slot_free(struct hub_chain *c, int8_t i)
{
    c->slot[i].used = false;
    c->slot[i].undo.len = 0;
    c->slot[i].results.len = 0;
}

int hub_slots_used(const struct hub_chain *c)
{
    int n = 0;

    for (int8_t i = 0; i < HUB_CHAIN_SLOTS; i++)
        n += c->slot[i].used;
    return n;
}

int8_t hub_slot_unused(const struct hub_chain *c)
{
    int8_t i = 0;

    while (i < HUB_CHAIN_SLOTS && c->slot[i].used)
        i++;
    HUB_ASSERT(i < HUB_CHAIN_SLOTS); /* chain.h 1: one is always free */
    return i;
}

int8_t hub_slot_victim(const struct hub_chain *c, int8_t base)
{
    int8_t victim = HUB_SLOT_FINAL;

    for (int8_t i = 0; i < HUB_CHAIN_SLOTS; i++) {
        bool leaf = true;

        if (!c->slot[i].used || is_above(c, i, base))
            continue;
        for (int8_t j = 0; j < HUB_CHAIN_SLOTS; j++)
            if (c->slot[j].used && c->slot[j].parent == i)
                leaf = false;
        if (leaf &&
            (victim == HUB_SLOT_FINAL || c->slot[i].header.view < c->slot[victim].header.view))
            victim = i;
    }
    return victim;
}

bool hub_slots_room(const struct hub_chain *c, int8_t base)
{
    return hub_slots_used(c) < HUB_UNFINAL_MAX || hub_slot_victim(c, base) != HUB_SLOT_FINAL;
}

void hub_slot_give_up(struct hub_chain *c, int8_t victim)
{
    HUB_ASSERT(victim != HUB_SLOT_FINAL && victim != c->at);
    for (uint32_t i = 0; i < HUB_EMPTY_MAX; i++)
        if (c->empty[i].used && c->empty[i].base == victim)
            c->empty[i].used = false;
    hub_slot_free(c, victim);
}
