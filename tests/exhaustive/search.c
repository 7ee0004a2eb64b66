/* search.c: breadth first over all tuples of node states that can be reached. A tuple is one 64-bit word; what lies in
 * the network follows from it, because a node's state holds what it has sent. */
#include "search.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char BAD[] =
    "an honest node alarmed, accused one, or cast votes that exclude each other";

/* ---- tuples */

static uint64_t pack_ids(const struct search *s, const uint32_t id[WORLD_NODES])
{
    uint64_t key = 0;
    for (int i = s->count; i-- > 0;)
        key = (s->bits < 64 ? key << s->bits : 0) | id[i];
    return key;
}

void search_unpack(const struct search *s, uint64_t key, uint32_t id[WORLD_NODES])
{
    for (int i = 0; i < s->count; i++) {
        id[i] = (uint32_t)(s->bits < 64 ? key & ((UINT64_C(1) << s->bits) - 1) : key);
        key = s->bits < 64 ? key >> s->bits : 0;
    }
}

static void rehash_states(struct search *s)
{
    s->states_cap = s->states_cap ? 2 * s->states_cap : 1 << 16;
    s->slots = 2 * s->states_cap;
    s->state = search_grow(s->state, s->states_cap, sizeof *s->state);
    s->parent = search_grow(s->parent, s->states_cap, sizeof *s->parent);
    free(s->slot);
    s->slot = calloc(s->slots, sizeof *s->slot);
    HUB_ASSERT(s->slot);
    for (uint64_t i = 0; i < s->states; i++) {
        uint64_t at = search_mix(s->state[i]) & (s->slots - 1);
        while (s->slot[at])
            at = (at + 1) & (s->slots - 1);
        s->slot[at] = (uint32_t)i + 1;
    }
}

static void visit(struct search *s, uint64_t key, uint64_t from)
{
    if (s->states + 1 >= s->states_cap)
        rehash_states(s);
    uint64_t at = search_mix(key) & (s->slots - 1);
    for (; s->slot[at]; at = (at + 1) & (s->slots - 1))
        if (s->state[s->slot[at] - 1] == key)
            return;
    s->state[s->states] = key;
    s->parent[s->states] = (uint32_t)from;
    s->slot[at] = (uint32_t)++s->states;
}

/* ---- safety */

static const char *forked(const struct search *s, uint64_t certificate)
{
    uint64_t final = certificate & s->w.of_kind[HUB_FINALIZE];
    for (uint64_t left = final; left; left &= left - 1)
        if (final & s->w.conflicts[__builtin_ctzll(left)])
            return "two final blocks that are not on one chain";
    return NULL;
}

static const char *unsafe(const struct search *s, const struct local *const l[WORLD_NODES],
                          uint64_t certificate)
{
    if (s->w.cfg.only_forks)
        return forked(s, certificate);
    for (int i = 0; i < s->count; i++)
        if (l[i]->bad)
            return BAD;
    for (uint64_t left = certificate; left; left &= left - 1) {
        int a = __builtin_ctzll(left);
        if (certificate & s->w.conflicts[a])
            return "two certificates that exclude each other";
        if (s->w.subject[a].kind == HUB_FINALIZE &&
            !(certificate >> s->w.notarize[s->w.subject_block[a]] & 1))
            return "a FINALIZATION without NOTARIZATION";
    }
    return NULL;
}

/* ---- sinks */

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

static bool sink_known(struct search *s, uint64_t key)
{
    if (2 * s->sinks >= s->sinks_cap) {
        uint64_t *old = s->seen_sink, cap = s->sinks_cap;
        s->sinks_cap = cap ? 2 * cap : 1024;
        s->seen_sink = calloc(s->sinks_cap, sizeof *s->seen_sink);
        HUB_ASSERT(s->seen_sink);
        for (uint64_t i = 0; i < cap; i++) {
            uint64_t at = old[i] ? search_mix(old[i]) & (s->sinks_cap - 1) : 0;
            while (old[i] && s->seen_sink[at])
                at = (at + 1) & (s->sinks_cap - 1);
            if (old[i])
                s->seen_sink[at] = old[i];
        }
        free(old);
    }
    uint64_t at = search_mix(key) & (s->sinks_cap - 1);
    for (; s->seen_sink[at]; at = (at + 1) & (s->sinks_cap - 1))
        if (s->seen_sink[at] == key)
            return true;
    s->seen_sink[at] = key;
    s->sinks++;
    return false;
}

/* False: the nodes other than `dead` can never finalize again. */
static bool escapes(struct search *s, const uint32_t from[WORLD_NODES], int dead)
{
    static struct node nodes[WORLD_NODES];
    static struct world w;
    uint32_t id[WORLD_NODES];
    memcpy(id, from, sizeof id);
    deliver_all(s, id, dead);
    uint64_t key = pack_ids(s, id);
    if (sink_known(s, dead < 0 ? key : search_mix(key) + (uint64_t)dead + 1))
        return true;
    s->out->closures++;
    for (int i = 0; i < s->count; i++)
        search_load(s, id[i], &nodes[i]);
    w = s->w;
    bool ok = sink_escapes(&w, nodes, s->count, dead);
    s->w.steps = w.steps;
    return ok;
}

/* Tried with each node gone that the quorum can spare, unless all the work would be gone with it. */
static const char *sunk(struct search *s, const uint32_t id[WORLD_NODES])
{
    const struct world_config *cfg = &s->w.cfg;
    bool spare = s->count > cfg->q;
    for (int dead = spare ? 0 : -1; dead < (spare ? s->count : 0); dead++) {
        bool work = dead < 0 || cfg->working & ~cfg->byzantine & ~(1 << s->who[dead]);
        if (work && !escapes(s, id, dead))
            return "a sink: nothing can be finalized any more";
    }
    return NULL;
}

/* ---- the search */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What honest nodes have brought into the network. */
static void honest_moves(const struct search *s, const struct local *const l[WORLD_NODES],
                         const struct moves *can, struct moves *out)
{
    uint64_t sent[WORLD_NODES];
    for (int i = 0; i < s->count; i++)
        sent[i] = l[i]->sent;
    *out = *can;
    out->bit[1] = out->bit[2] = can->bit[1] & ~s->w.byzantine_blocks & UINT32_MAX;
    out->bit[3] = search_reached(sent, s->count, s->w.cfg.q);
    out->bit[4] = 0;
    for (int j = 0; j < s->w.cfg.n; j++) {
        out->bit[6 + 2 * j] = 0;
        if (!world_honest(&s->w, (uint8_t)j))
            out->bit[5 + 2 * j] = 0;
    }
}

/* Every combination of states in which the nodes have nothing left to receive. */
static const char *sinks(struct search *s, const struct reach r[WORLD_NODES])
{
    uint32_t id[WORLD_NODES] = {0}, at[WORLD_NODES] = {0};
    for (int i = 0; i < s->count; i++)
        if (!r[i].rests)
            return NULL; /* it has something to send first */
    for (;;) {
        for (int i = 0; i < s->count; i++)
            id[i] = s->list[r[i].first + r[i].sends + at[i]];
        const char *violation = sunk(s, id);
        if (violation)
            return violation;
        int i = 0;
        while (i < s->count && ++at[i] == r[i].rests)
            at[i++] = 0;
        if (i == s->count)
            return NULL;
    }
}

static void expand(struct search *s, uint64_t at)
{
    uint32_t id[WORLD_NODES] = {0}, to[WORLD_NODES];
    const struct local *l[WORLD_NODES];
    struct reach r[WORLD_NODES];
    struct moves can, honest;
    search_unpack(s, s->state[at], id);
    for (int i = 0; i < s->count; i++)
        l[i] = &s->local[id[i]];
    uint64_t certificate = search_certificates(s, l);
    s->out->violation = unsafe(s, l, certificate);
    search_possible(s, l, &can, certificate);
    honest_moves(s, l, &can, &honest);
    if (s->out->violation)
        return;
    for (int i = 0; i < s->count; i++) {
        r[i] = search_look(s, id[i], &can, &honest);
        if (r[i].bad && !s->w.cfg.only_forks)
            s->out->violation = BAD;
        memcpy(to, id, sizeof to);
        for (uint32_t k = 0; k < r[i].sends; k++) {
            to[i] = s->list[r[i].first + k];
            visit(s, pack_ids(s, to), at);
        }
    }
    if (!s->out->violation && s->w.cfg.sinks)
        s->out->violation = sinks(s, r);
}

static void open(struct search *s, const struct world_config *cfg)
{
    static struct node x;
    uint32_t id[WORLD_NODES] = {0};
    world_init(&s->w, cfg);
    memset(s->move_of, 0xff, sizeof s->move_of);
    for (uint8_t i = 0; i < cfg->n; i++)
        if (world_honest(&s->w, i))
            s->who[s->count++] = i;
    s->bits = s->count == 1 ? 64 : 64 / s->count;
    s->need = cfg->q - (uint64_t)(cfg->n - s->count);
    s->locals = 1;
    search_list_moves(s);
    for (int i = 0; i < s->count; i++) {
        node_start(&x, &s->w, s->who[i]);
        id[i] = search_intern(s, &x);
    }
    visit(s, pack_ids(s, id), 0);
}

static void close(struct search *s)
{
    free(s->local);
    free(s->local_slot);
    free(s->next);
    free(s->pool);
    free(s->state);
    free(s->parent);
    free(s->slot);
    free(s->seen_sink);
    free(s->reach);
    free(s->reach_slot);
    free(s->list);
    free(s->found);
    free(s->mark);
}

static uint64_t used_bytes(const struct search *s)
{
    return s->states_cap * 20 + s->reaches_cap * (sizeof *s->reach + 8) + s->list_cap * 4 +
           s->pool_cap + s->sinks_cap * 8 +
           (uint64_t)s->locals_cap * (sizeof *s->local + 8 + 4 * (uint64_t)s->moves);
}

void search_run(struct search_result *out, const struct world_config *cfg,
                const struct search_limits *limits)
{
    static struct search s;
    const double began = now();
    uint64_t level = 1, at = 0;
    memset(out, 0, sizeof *out);
    memset(&s, 0, sizeof s);
    s.out = out;
    open(&s, cfg);
    for (; at < s.states && !out->violation; at++) {
        if (at == level) {
            out->depth++;
            level = s.states;
        }
        if (!(at & 0xfff) && (now() - began > limits->seconds || used_bytes(&s) > limits->bytes))
            break;
        expand(&s, at);
    }
    out->complete = at == s.states;
    out->states = s.states;
    out->local_states = s.locals - 1;
    out->steps = s.w.steps;
    out->seconds = now() - began;
    if (out->violation)
        search_print_trace(&s, at - 1);
    close(&s);
}
