/* reach.c: what lies in the network follows from what the nodes have sent; what a node can do alone, until it sends,
 * follows from its state and the network. */
#include "search.h"

#include <stdlib.h>
#include <string.h>

/* ---- the network */

/* Subjects with at least `need` of these votes: a counter of three bits in three words. */
uint64_t search_reached(const uint64_t *votes, int count, uint64_t need)
{
    uint64_t ones = 0, twos = 0, fours = 0;
    for (int i = 0; i < count; i++) {
        uint64_t carry = ones & votes[i];
        ones ^= votes[i];
        fours |= twos & carry;
        twos ^= carry;
    }
    return need <= 1   ? ones | twos | fours
           : need == 2 ? twos | fours
           : need == 3 ? (twos & ones) | fours
                       : fours;
}

static uint64_t proposals(const struct search *s, const struct local *const l[WORLD_NODES])
{
    uint64_t out = s->w.byzantine_blocks;
    for (int b = 0; b < s->w.blocks; b++)
        for (int i = 0; i < s->count; i++)
            if (s->who[i] == s->w.block[b].facts.proposer)
                out |= (l[i]->sent >> s->w.notarize[b] & 1) << b;
    return out;
}

uint64_t search_certificates(const struct search *s, const struct local *const l[WORLD_NODES])
{
    uint64_t sent[WORLD_NODES] = {0};
    for (int i = 0; i < s->count; i++)
        sent[i] = l[i]->sent;
    return search_reached(sent, s->count, s->need);
}

/* What can happen to the nodes in this tuple. */
void search_possible(const struct search *s, const struct local *const l[WORLD_NODES],
                     struct moves *out, uint64_t certificate)
{
    uint64_t blocks = proposals(s, l);
    memset(out, 0, sizeof *out);
    out->bit[1] = out->bit[2] = blocks | blocks << 32;
    out->bit[3] = out->bit[4] = certificate;
    for (int j = 0; j < s->w.cfg.n; j++)
        if (!world_honest(&s->w, (uint8_t)j))
            out->bit[5 + 2 * j] = out->bit[6 + 2 * j] = UINT64_MAX;
    for (int i = 0; i < s->count; i++)
        out->bit[5 + 2 * s->who[i]] = out->bit[6 + 2 * s->who[i]] = l[i]->sent;
}

static uint64_t own_moves(const struct local *l)
{
    return UINT64_C(1) << OWN_CRASH | UINT64_C(1) << OWN_COMMIT |
           (l->ticks ? UINT64_C(1) << OWN_TICK | UINT64_C(1) << OWN_TICK_CRASH : 0) |
           (l->building ? UINT64_C(1) << OWN_BUILT | UINT64_C(1) << OWN_BUILT_CRASH : 0);
}

/* ---- what one node can do alone */

static void list(struct search *s, uint32_t id)
{
    if (s->listed == s->list_cap) {
        s->list_cap = s->list_cap ? 2 * s->list_cap : 1024;
        s->list = search_grow(s->list, s->list_cap, sizeof *s->list);
    }
    s->list[s->listed++] = id;
}

/* True the first time in this look. */
static bool meets(struct search *s, uint32_t id)
{
    if (s->locals_cap > s->found_cap) {
        s->found = search_grow(s->found, s->locals_cap, sizeof *s->found);
        s->mark = search_grow(s->mark, s->locals_cap, sizeof *s->mark);
        memset(s->mark + s->found_cap, 0, (s->locals_cap - s->found_cap) * sizeof *s->mark);
        s->found_cap = s->locals_cap;
    }
    if (s->mark[id] == s->looks)
        return false;
    s->mark[id] = s->looks;
    return true;
}

struct moves search_own_and(const struct local *l, const struct moves *can, bool all)
{
    struct moves m = *can;
    m.bit[0] = all ? own_moves(l) : l->building ? UINT64_C(1) << OWN_BUILT : 0;
    for (int word = 0; word < WORDS; word++)
        m.bit[word] &= l->useful.bit[word];
    return m;
}

static bool none(const struct moves *m)
{
    uint64_t any = 0;
    for (int word = 0; word < WORDS; word++)
        any |= m->bit[word];
    return !any;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Follows every silent move of the node and collects the states right after a move that sends: r->sends of them. */
static void follow(struct search *s, struct reach *r)
{
    size_t count = 0;
    s->looks++;
    (void)meets(s, r->id);
    s->found[count++] = r->id;
    for (size_t at = 0; at < count; at++) {
        uint32_t id = s->found[at];
        struct moves m = search_own_and(&s->local[id], &r->can, true);
        r->bad |= s->local[id].bad;
        for (int word = 0; word < WORDS; word++)
            for (uint64_t left = m.bit[word]; left; left &= left - 1) {
                uint32_t to = search_move(s, id, word, __builtin_ctzll(left));
                s->out->transitions += to != id;
                if (to == id || !meets(s, to))
                    continue;
                if (s->local[to].sent == s->local[id].sent)
                    s->found[count++] = to;
                else
                    list(s, to);
            }
    }
    r->sends = (uint32_t)(s->listed - r->first);
    for (size_t at = 0; at < count && s->w.cfg.sinks; at++) {
        struct moves m = search_own_and(&s->local[s->found[at]], &r->honest, false);
        if (none(&m))
            list(s, s->found[at]);
    }
    r->rests = (uint32_t)(s->listed - r->first) - r->sends;
    for (size_t at = 0; at < count; at++)
        list(s, s->found[at]);
    r->silent = (uint32_t)count;
    qsort(s->list + (s->listed - count), count, sizeof *s->list, by_number);
}

static void rehash_reaches(struct search *s)
{
    s->reaches_cap = s->reaches_cap ? 2 * s->reaches_cap : 1024;
    s->reach = search_grow(s->reach, s->reaches_cap, sizeof *s->reach);
    free(s->reach_slot);
    s->reach_slot = calloc(2 * s->reaches_cap, sizeof *s->reach_slot);
    HUB_ASSERT(s->reach_slot);
    for (size_t i = 0; i < s->reaches; i++) {
        const struct reach *r = &s->reach[i];
        uint64_t at = search_hash((const uint8_t *)&r->can, 2 * sizeof r->can) ^ search_mix(r->id);
        while (s->reach_slot[at %= 2 * s->reaches_cap])
            at++;
        s->reach_slot[at] = (uint32_t)i + 1;
    }
}

const struct reach *search_look(struct search *s, uint32_t id, const struct moves *can,
                                const struct moves *honest)
{
    const struct local *l = &s->local[id];
    struct reach r = {.id = id};
    for (int word = 0; word < WORDS; word++) {
        r.can.bit[word] = can->bit[word] & l->ever.bit[word];
        r.honest.bit[word] = s->w.cfg.sinks ? honest->bit[word] & l->ever.bit[word] : 0;
    }
    if (s->reaches + 1 >= s->reaches_cap)
        rehash_reaches(s);
    uint64_t at = search_hash((const uint8_t *)&r.can, 2 * sizeof r.can) ^ search_mix(id);
    for (; s->reach_slot[at %= 2 * s->reaches_cap]; at++) {
        const struct reach *old = &s->reach[s->reach_slot[at] - 1];
        if (old->id == id && !memcmp(&old->can, &r.can, 2 * sizeof r.can))
            return old;
    }
    r.first = s->listed;
    follow(s, &r);
    s->reach[s->reaches++] = r;
    s->reach_slot[at] = (uint32_t)s->reaches;
    return &s->reach[s->reaches - 1];
}

void search_forget_looks(struct search *s)
{
    free(s->reach);
    free(s->reach_slot);
    free(s->list);
    s->reach = NULL;
    s->reach_slot = NULL;
    s->list = NULL;
    s->reaches = s->reaches_cap = 0;
    s->listed = s->list_cap = 0;
}
