/* search.c: breadth first over all tuples of node states that can be reached. A tuple is one 64-bit word; what lies in
 * the network follows from it, because a node's state holds what it has sent. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    UNKNOWN = 0, /* of a move; node states are numbered from 1 */
    WORDS = 5 + 2 * WORLD_NODES,
    MOVES_MAX = 512
};

/* Moves of a node as bits: words of up to 64 of one sort, so that "can happen" and "would change something" meet in
 * one AND. Words: 0 the node's own; 1 PROPOSE (bit 32 + b: and crash); 2 BLOCK; 3, 4 CERTIFICATE; 5 + 2j, 6 + 2j VOTE of j. */
enum { OWN_TICK, OWN_TICK_CRASH, OWN_CRASH, OWN_CRASH_LATER, OWN_BUILT, OWN_BUILT_CRASH };

struct moves {
    uint64_t bit[WORDS];
};

static const char BAD[] =
    "an honest node alarmed, accused one, or cast votes that exclude each other";

struct local { /* what the search needs of a node state */
    uint64_t sent, kept;
    size_t packed; /* offset in the pool */
    uint32_t bodies;
    bool ticks, building, bad;
    struct moves useful;
};

/* What a node can do on its own, given what lies in the network: see `look`. */
struct reach {
    struct moves can, honest;
    uint32_t id;
    uint32_t sends, rests; /* counts, in `reached` from `first` */
    size_t first;
    bool bad;
};

struct search {
    struct world w;
    struct search_result *out;
    uint8_t who[WORLD_NODES]; /* the honest validators */
    int count, bits;
    uint64_t need; /* honest votes that make a certificate */

    struct local *local;
    uint32_t *local_slot; /* open addressing, 0 = free */
    uint32_t locals, locals_cap;
    uint32_t *next; /* [local][move] */
    uint8_t *pool;
    size_t pool_used, pool_cap;
    struct action action[MOVES_MAX];
    int16_t move_of[WORDS][64];
    int moves;

    uint64_t *state; /* in the order found: the queue too */
    uint32_t *parent, *slot;
    uint64_t states, states_cap, slots;
    struct reach *reach;
    uint32_t *reach_slot;
    size_t reaches, reaches_cap;
    uint32_t *list; /* of reaches */
    size_t listed, list_cap;
    uint32_t *found, *mark; /* of one look: node states, and the look that saw each */
    size_t found_cap;
    uint32_t looks;

    uint64_t *seen_sink; /* set of tuples known to escape; 0 = free */
    uint64_t sinks, sinks_cap;
};

static void *grow(void *p, size_t count, size_t item)
{
    p = realloc(p, count * item);
    HUB_ASSERT(p);
    return p;
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* ---- moves */

static void add_move(struct search *s, int word, int bit, struct action a)
{
    HUB_ASSERT(s->moves < MOVES_MAX);
    s->move_of[word][bit] = (int16_t)s->moves;
    s->action[s->moves++] = a;
}

static void add_move_and_crash(struct search *s, int word, int bit, int word2, int bit2,
                               struct action a)
{
    add_move(s, word, bit, a);
    a.crash = true;
    if (s->w.cfg.crashes)
        add_move(s, word2, bit2, a);
}

static bool arrives_alone(const struct world *w, int subject)
{
    return w->cfg.single_votes ||
           (w->cfg.single_nullify && w->subject[subject].kind == HUB_NULLIFY);
}

static void list_moves(struct search *s)
{
    const struct world *w = &s->w;
    add_move_and_crash(s, 0, OWN_TICK, 0, OWN_TICK_CRASH, (struct action){.kind = ACT_TICK});
    if (w->cfg.crashes) {
        add_move(s, 0, OWN_CRASH, (struct action){.kind = ACT_CRASH});
        add_move(s, 0, OWN_CRASH_LATER, (struct action){.kind = ACT_CRASH_LATER});
    }
    add_move_and_crash(s, 0, OWN_BUILT, 0, OWN_BUILT_CRASH, (struct action){.kind = ACT_BUILT});
    for (int b = 0; b < w->blocks; b++) {
        struct action a = {.kind = ACT_PROPOSE, .which = b};
        add_move_and_crash(s, 1, b, 1, 32 + b, a);
        a.kind = ACT_BLOCK;
        add_move_and_crash(s, 2, b, 2, 32 + b, a);
    }
    for (int i = 0; i < w->subjects; i++) {
        if (w->subject[i].view > w->cfg.views)
            continue;
        struct action a = {.kind = ACT_CERTIFICATE, .which = i};
        add_move_and_crash(s, 3, i, 4, i, a);
        a.kind = ACT_VOTE;
        for (uint8_t j = 0; j < w->cfg.n && arrives_alone(w, i); j++) {
            a.signer = j;
            add_move_and_crash(s, 5 + 2 * j, i, 6 + 2 * j, i, a);
        }
    }
}

static void all_moves(const struct search *s, struct moves *out)
{
    for (int word = 0; word < WORDS; word++)
        for (int bit = 0; bit < 64; bit++)
            out->bit[word] |= (uint64_t)(s->move_of[word][bit] >= 0) << bit;
}

/* ---- node states */

static uint64_t hash_bytes(const uint8_t *p, size_t len)
{
    uint64_t h = len, word;
    for (; len >= 8; len -= 8, p += 8) {
        memcpy(&word, p, 8);
        h = mix(h ^ word) + UINT64_C(0x9e3779b97f4a7c15);
    }
    for (; len; len--)
        h = mix(h ^ *p++);
    return h;
}

static const uint8_t *packed(const struct search *s, uint32_t id, size_t *len)
{
    uint32_t bytes;
    memcpy(&bytes, s->pool + s->local[id].packed, sizeof bytes);
    *len = bytes;
    return s->pool + s->local[id].packed + sizeof bytes;
}

static void rehash_locals(struct search *s)
{
    s->locals_cap = s->locals_cap ? 2 * s->locals_cap : 1024;
    s->local = grow(s->local, s->locals_cap, sizeof *s->local);
    s->next = grow(s->next, (size_t)s->locals_cap * (size_t)s->moves, sizeof *s->next);
    free(s->local_slot);
    s->local_slot = calloc((size_t)2 * s->locals_cap, sizeof *s->local_slot);
    HUB_ASSERT(s->local_slot);
    for (uint32_t id = 1; id < s->locals; id++) {
        size_t len;
        const uint8_t *bytes = packed(s, id, &len);
        uint64_t at = hash_bytes(bytes, len);
        while (s->local_slot[at %= 2 * (uint64_t)s->locals_cap])
            at++;
        s->local_slot[at] = id;
    }
}

static void note_local(struct search *s, uint32_t id, const struct node *x)
{
    struct local *l = &s->local[id];
    l->sent = x->sent;
    l->kept = x->kept;
    l->bodies = x->bodies;
    l->ticks = x->core.view <= s->w.cfg.views;
    l->building = x->core.building && x->core.view <= s->w.cfg.views;
    l->bad = x->alarmed || !node_votes_agree(x, &s->w);
    l->useful = (struct moves){{0}};
    all_moves(s, &l->useful);
    memset(&s->next[(size_t)id * (size_t)s->moves], 0, (size_t)s->moves * sizeof *s->next);
}

static uint32_t intern(struct search *s, const struct node *x)
{
    static uint8_t bytes[NODE_PACKED_MAX];
    uint32_t len = (uint32_t)node_pack(x, bytes);
    if (s->locals + 1 >= s->locals_cap)
        rehash_locals(s);
    uint64_t at = hash_bytes(bytes, len);
    for (; s->local_slot[at %= 2 * (uint64_t)s->locals_cap]; at++) {
        size_t have;
        uint32_t id = s->local_slot[at];
        const uint8_t *old = packed(s, id, &have);
        if (have == len && !memcmp(old, bytes, len))
            return id;
    }
    uint32_t id = s->locals++;
    HUB_ASSERT(s->bits == 64 || (uint64_t)id >> s->bits == 0);
    s->local_slot[at] = id;
    if (s->pool_used + len + sizeof len > s->pool_cap) {
        s->pool_cap = 2 * s->pool_cap + NODE_PACKED_MAX + sizeof len;
        s->pool = grow(s->pool, s->pool_cap, 1);
    }
    s->local[id].packed = s->pool_used;
    memcpy(s->pool + s->pool_used, &len, sizeof len);
    memcpy(s->pool + s->pool_used + sizeof len, bytes, len);
    s->pool_used += len + sizeof len;
    note_local(s, id, x);
    return id;
}

static void load(const struct search *s, uint32_t id, struct node *x)
{
    size_t len;
    node_unpack(x, packed(s, id, &len));
}

/* The node state after a move; `id` itself if the move changes nothing. */
static uint32_t move(struct search *s, uint32_t id, int word, int bit)
{
    static struct node x;
    int m = s->move_of[word][bit];
    uint32_t to = s->next[(size_t)id * (size_t)s->moves + (size_t)m];
    if (to != UNKNOWN)
        return to;
    load(s, id, &x);
    to = node_act(&x, &s->w, &s->action[m]) ? intern(s, &x) : id;
    s->next[(size_t)id * (size_t)s->moves + (size_t)m] = to;
    if (to == id)
        s->local[id].useful.bit[word] &= ~(UINT64_C(1) << bit);
    return to;
}

/* ---- tuples */

static uint64_t pack_ids(const struct search *s, const uint32_t id[WORLD_NODES])
{
    uint64_t key = 0;
    for (int i = s->count; i-- > 0;)
        key = (s->bits < 64 ? key << s->bits : 0) | id[i];
    return key;
}

static void unpack_ids(const struct search *s, uint64_t key, uint32_t id[WORLD_NODES])
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
    s->state = grow(s->state, s->states_cap, sizeof *s->state);
    s->parent = grow(s->parent, s->states_cap, sizeof *s->parent);
    free(s->slot);
    s->slot = calloc(s->slots, sizeof *s->slot);
    HUB_ASSERT(s->slot);
    for (uint64_t i = 0; i < s->states; i++) {
        uint64_t at = mix(s->state[i]) & (s->slots - 1);
        while (s->slot[at])
            at = (at + 1) & (s->slots - 1);
        s->slot[at] = (uint32_t)i + 1;
    }
}

static void visit(struct search *s, uint64_t key, uint64_t from)
{
    if (s->states + 1 >= s->states_cap)
        rehash_states(s);
    uint64_t at = mix(key) & (s->slots - 1);
    for (; s->slot[at]; at = (at + 1) & (s->slots - 1))
        if (s->state[s->slot[at] - 1] == key)
            return;
    s->state[s->states] = key;
    s->parent[s->states] = (uint32_t)from;
    s->slot[at] = (uint32_t)++s->states;
}

/* ---- the network */

/* Subjects with at least `need` of these votes: a counter of three bits in three words. */
static uint64_t reached(const uint64_t *votes, int count, uint64_t need)
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

static uint64_t certificates(const struct search *s, const struct local *const l[WORLD_NODES])
{
    uint64_t sent[WORLD_NODES] = {0};
    for (int i = 0; i < s->count; i++)
        sent[i] = l[i]->sent;
    return reached(sent, s->count, s->need);
}

/* What can happen to the nodes in this tuple. */
static void possible(const struct search *s, const struct local *const l[WORLD_NODES],
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
    return UINT64_C(1) << OWN_CRASH | UINT64_C(1) << OWN_CRASH_LATER |
           (l->ticks ? UINT64_C(1) << OWN_TICK | UINT64_C(1) << OWN_TICK_CRASH : 0) |
           (l->building ? UINT64_C(1) << OWN_BUILT | UINT64_C(1) << OWN_BUILT_CRASH : 0);
}

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

/* ---- what one node can do alone */

static void list(struct search *s, uint32_t id)
{
    if (s->listed == s->list_cap) {
        s->list_cap = s->list_cap ? 2 * s->list_cap : 1024;
        s->list = grow(s->list, s->list_cap, sizeof *s->list);
    }
    s->list[s->listed++] = id;
}

/* True the first time in this look. */
static bool meets(struct search *s, uint32_t id)
{
    if (s->locals_cap > s->found_cap) {
        s->found = grow(s->found, s->locals_cap, sizeof *s->found);
        s->mark = grow(s->mark, s->locals_cap, sizeof *s->mark);
        memset(s->mark + s->found_cap, 0, (s->locals_cap - s->found_cap) * sizeof *s->mark);
        s->found_cap = s->locals_cap;
    }
    if (s->mark[id] == s->looks)
        return false;
    s->mark[id] = s->looks;
    return true;
}

static struct moves own_and(const struct local *l, const struct moves *can, bool all)
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

/* Follows every silent move of the node and collects the states right after a move that sends: r->sends of them. */
static void follow(struct search *s, struct reach *r)
{
    size_t count = 0;
    s->looks++;
    (void)meets(s, r->id);
    s->found[count++] = r->id;
    for (size_t at = 0; at < count; at++) {
        uint32_t id = s->found[at];
        struct moves m = own_and(&s->local[id], &r->can, true);
        r->bad |= s->local[id].bad;
        for (int word = 0; word < WORDS; word++)
            for (uint64_t left = m.bit[word]; left; left &= left - 1) {
                uint32_t to = move(s, id, word, __builtin_ctzll(left));
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
        struct moves m = own_and(&s->local[s->found[at]], &r->honest, false);
        if (none(&m))
            list(s, s->found[at]);
    }
    r->rests = (uint32_t)(s->listed - r->first) - r->sends;
}

static void rehash_reaches(struct search *s)
{
    s->reaches_cap = s->reaches_cap ? 2 * s->reaches_cap : 1024;
    s->reach = grow(s->reach, s->reaches_cap, sizeof *s->reach);
    free(s->reach_slot);
    s->reach_slot = calloc(2 * s->reaches_cap, sizeof *s->reach_slot);
    HUB_ASSERT(s->reach_slot);
    for (size_t i = 0; i < s->reaches; i++) {
        const struct reach *r = &s->reach[i];
        uint64_t at = hash_bytes((const uint8_t *)&r->can, 2 * sizeof r->can) ^ mix(r->id);
        while (s->reach_slot[at %= 2 * s->reaches_cap])
            at++;
        s->reach_slot[at] = (uint32_t)i + 1;
    }
}

/* The answer for a node state and a network, kept: it is asked for again and again. */
static struct reach look(struct search *s, uint32_t id, const struct moves *can,
                         const struct moves *honest)
{
    struct reach r = {.id = id, .can = *can, .honest = *honest};
    if (s->reaches + 1 >= s->reaches_cap)
        rehash_reaches(s);
    uint64_t at = hash_bytes((const uint8_t *)&r.can, 2 * sizeof r.can) ^ mix(id);
    for (; s->reach_slot[at %= 2 * s->reaches_cap]; at++) {
        const struct reach *old = &s->reach[s->reach_slot[at] - 1];
        if (old->id == id && !memcmp(&old->can, &r.can, 2 * sizeof r.can))
            return *old;
    }
    r.first = s->listed;
    follow(s, &r);
    s->reach[s->reaches++] = r;
    s->reach_slot[at] = (uint32_t)s->reaches;
    return r;
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
            possible(s, l, &can, kept | reached(sent, s->count, s->w.cfg.q));
            can.bit[0] = l[i]->building ? UINT64_C(1) << OWN_BUILT : 0;
            can.bit[1] = (can.bit[1] & ~s->w.byzantine_blocks) & UINT32_MAX;
            can.bit[2] = (can.bit[1] | bodies) & UINT32_MAX;
            for (int word = 0; word < WORDS; word++) {
                bool crash = word == 4 || (word > 4 && !(word & 1));
                bool lies = word > 4 && !world_honest(&s->w, (uint8_t)((word - 5) / 2));
                uint64_t left = can.bit[word] & l[i]->useful.bit[word];
                if (crash || lies || !left)
                    continue;
                uint32_t to = move(s, id[i], word, __builtin_ctzll(left));
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
            uint64_t at = old[i] ? mix(old[i]) & (s->sinks_cap - 1) : 0;
            while (old[i] && s->seen_sink[at])
                at = (at + 1) & (s->sinks_cap - 1);
            if (old[i])
                s->seen_sink[at] = old[i];
        }
        free(old);
    }
    uint64_t at = mix(key) & (s->sinks_cap - 1);
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
    if (sink_known(s, dead < 0 ? key : mix(key) + (uint64_t)dead + 1))
        return true;
    s->out->closures++;
    for (int i = 0; i < s->count; i++)
        load(s, id[i], &nodes[i]);
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
    out->bit[3] = reached(sent, s->count, s->w.cfg.q);
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
    unpack_ids(s, s->state[at], id);
    for (int i = 0; i < s->count; i++)
        l[i] = &s->local[id[i]];
    uint64_t certificate = certificates(s, l);
    s->out->violation = unsafe(s, l, certificate);
    possible(s, l, &can, certificate);
    honest_moves(s, l, &can, &honest);
    if (s->out->violation)
        return;
    for (int i = 0; i < s->count; i++) {
        r[i] = look(s, id[i], &can, &honest);
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

static void print_action(const struct search *s, const struct action *a)
{
    static const char *const name[] = {"every timer fires",
                                       "crashes and restarts, uncommitted certificates lost",
                                       "crashes and restarts, all committed",
                                       "has built its block",
                                       "receives the proposal, block",
                                       "fetches block",
                                       "receives the certificate",
                                       "receives the vote"};
    printf("%s ", name[a->kind]);
    if (a->kind == ACT_PROPOSE || a->kind == ACT_BLOCK)
        printf("%d of view %u", a->which, (unsigned)s->w.block[a->which].facts.view);
    if (a->kind >= ACT_CERTIFICATE)
        world_print_subject(&s->w, a->which);
    if (a->kind == ACT_VOTE)
        printf(" of %u", a->signer);
    printf("%s\n", a->crash ? ", commits, crashes before sending, restarts" : "");
}

static void print_votes(const struct search *s, const char *what, uint64_t votes)
{
    printf("         %s:", what);
    for (; votes; votes &= votes - 1) {
        printf(" ");
        world_print_subject(&s->w, __builtin_ctzll(votes));
    }
    printf("\n");
}

static void print_step(struct search *s, uint64_t from, uint64_t to)
{
    uint32_t a[WORLD_NODES] = {0}, b[WORLD_NODES] = {0};
    unpack_ids(s, s->state[from], a);
    unpack_ids(s, s->state[to], b);
    for (int i = 0; i < s->count; i++)
        for (int m = 0; a[i] != b[i] && m < s->moves; m++)
            if (s->next[(size_t)a[i] * (size_t)s->moves + (size_t)m] == b[i]) {
                printf("  node %u ", s->who[i]);
                print_action(s, &s->action[m]);
                if (s->local[b[i]].sent != s->local[a[i]].sent)
                    print_votes(s, "sends", s->local[b[i]].sent & ~s->local[a[i]].sent);
                break;
            }
}

/* A shortest way to the state. */
static void print_trace(struct search *s, uint64_t at)
{
    enum { STEPS = 256 };
    uint64_t path[STEPS], count = 0;
    for (; count < STEPS; at = s->parent[at]) {
        path[count++] = at;
        if (at == 0)
            break;
    }
    while (count > 1) {
        print_step(s, path[count - 1], path[count - 2]);
        count--;
    }
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
    list_moves(s);
    for (int i = 0; i < s->count; i++) {
        node_start(&x, &s->w, s->who[i]);
        id[i] = intern(s, &x);
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
        print_trace(&s, at - 1);
    close(&s);
}
