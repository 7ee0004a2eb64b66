/* rest.c: the search for sinks: every combination of states in which the nodes have nothing left to receive. */
#include "search.h"

#include <stdlib.h>
#include <string.h>

/* True if it was in the set; added if not. */
static bool known(struct set *set, uint64_t key)
{
    HUB_ASSERT(key != 0);
    if (2 * set->count >= set->cap) {
        struct set larger = {.cap = set->cap ? 2 * set->cap : 1024};
        larger.key = calloc(larger.cap, sizeof *larger.key);
        HUB_ASSERT(larger.key);
        for (uint64_t i = 0; i < set->cap; i++)
            if (set->key[i])
                (void)known(&larger, set->key[i]);
        free(set->key);
        *set = larger;
    }
    uint64_t at = search_mix(key) & (set->cap - 1);
    for (; set->key[at]; at = (at + 1) & (set->cap - 1))
        if (set->key[at] == key)
            return true;
    set->key[at] = key;
    set->count++;
    return false;
}

/* Delivers to the living all they can use until nothing changes. Byzantine validators are silent: a certificate is
 * formed of honest votes, or held by a living node. */
static void deliver_all(struct search *s, uint32_t id[WORLD_NODES], int dead)
{
    for (bool again = true; again;) {
        again = false;
        for (int i = 0; i < s->count; i++) {
            const struct local *l[WORLD_NODES];
            uint64_t sent[WORLD_NODES], kept = 0, bodies = 0;
            struct moves can;
            for (int k = 0; k < s->count; k++) {
                l[k] = &s->local[id[k]];
                sent[k] = l[k]->sent;
                kept |= k == dead ? 0 : l[k]->kept;
                bodies |= k == dead ? 0 : l[k]->bodies;
            }
            if (i == dead)
                continue;
            search_possible(s, l, &can, kept | search_reached(sent, s->count, s->w.cfg.q));
            can.bit[0] = l[i]->building ? UINT64_C(1) << OWN_BUILT : 0;
            can.bit[1] = (can.bit[1] & ~s->w.byzantine_blocks) & UINT32_MAX;
            can.bit[2] = (can.bit[1] | bodies) & UINT32_MAX;
            for (int word = 0; word < WORDS; word++) {
                bool crash = word == 4 || (word > 4 && !(word & 1));
                bool lies = word > 4 && !world_honest(&s->w, (uint8_t)((word - 5) / 2));
                uint64_t left = can.bit[word] & l[i]->useful.bit[word];
                if (crash || lies || !left)
                    continue;
                uint32_t to = search_move(s, id[i], word, __builtin_ctzll(left));
                again = true;
                id[i] = to;
                break;
            }
        }
    }
}

/* Of a node that is gone only what it has sent counts: numbers from the upper end stand for that. */
static uint64_t key_of(const struct search *s, const uint32_t id[WORLD_NODES], int dead)
{
    uint32_t named[WORLD_NODES];
    memcpy(named, id, sizeof named);
    if (dead >= 0) {
        uint64_t last = s->bits < 32 ? (UINT64_C(1) << s->bits) - 1 : UINT32_MAX;
        HUB_ASSERT(s->locals + s->sents < last);
        named[dead] = (uint32_t)last - s->local[id[dead]].sent_number;
    }
    return search_pack(s, named);
}

/* False: the nodes other than `dead` can never finalize again. */
static bool escapes(struct search *s, const uint32_t from[WORLD_NODES], int dead)
{
    static struct node nodes[WORLD_NODES];
    static struct world w;
    uint32_t id[WORLD_NODES] = {0};
    for (int i = 0; i < s->count;
         i++) /* nobody crashes any more: what is durable makes no difference */
        id[i] = s->w.cfg.crashes ? search_move(s, from[i], 0, OWN_COMMIT) : from[i];
    if (known(&s->at_rest, key_of(s, id, dead)))
        return true;
    deliver_all(s, id, dead);
    if (known(&s->tried, key_of(s, id, dead)))
        return true;
    s->out->closures++;
    for (int i = 0; i < s->count; i++)
        search_load(s, id[i], &nodes[i]);
    w = s->w;
    bool ok = sink_escapes(&w, nodes, s->count, dead);
    s->w.steps = w.steps;
    return ok;
}

static bool all_escape(struct search *s, const struct reach r[WORLD_NODES], int dead)
{
    uint32_t id[WORLD_NODES] = {0}, at[WORLD_NODES] = {0};
    for (;;) {
        for (int i = 0; i < s->count; i++)
            id[i] = s->list[r[i].first + r[i].sends + at[i]];
        if (!escapes(s, id, dead))
            return false;
        int i = 0;
        while (i < s->count && (i == dead || ++at[i] == r[i].rests))
            at[i++] = 0;
        if (i == s->count)
            return true;
    }
}

/* Tried with each node gone that the quorum can spare, unless all the work would be gone with it. */
const char *search_sinks(struct search *s, const struct reach r[WORLD_NODES])
{
    const struct world_config *cfg = &s->w.cfg;
    bool spare = s->count > cfg->q;
    for (int i = 0; i < s->count; i++)
        if (!r[i].rests)
            return NULL; /* it has something to send first */
    for (int dead = spare ? 0 : -1; dead < (spare ? s->count : 0); dead++) {
        bool work = dead < 0 || cfg->working & ~cfg->byzantine & ~(1 << s->who[dead]);
        if (work && !all_escape(s, r, dead))
            return "a sink: nothing can be finalized any more";
    }
    return NULL;
}
