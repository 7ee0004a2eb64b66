/* locals.c: the moves of a node, and its states: numbered, and each move from each computed once. */
#include "search.h"

#include <stdlib.h>
#include <string.h>

void *search_grow(void *p, size_t count, size_t item)
{
    p = realloc(p, count * item);
    HUB_ASSERT(p);
    return p;
}

uint64_t search_mix(uint64_t x)
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
    const uint8_t kind = w->subject[subject].kind;
    return w->cfg.single_votes || (w->cfg.single_nullify && kind == HUB_NULLIFY) ||
           (w->cfg.wrong_numbers && kind == HUB_FINALIZE);
}

void search_list_moves(struct search *s)
{
    const struct world *w = &s->w;
    add_move_and_crash(s, 0, OWN_TICK, 0, OWN_TICK_CRASH, (struct action){.kind = ACT_TICK});
    if (w->cfg.crashes) {
        add_move(s, 0, OWN_CRASH, (struct action){.kind = ACT_CRASH});
        add_move(s, 0, OWN_COMMIT, (struct action){.kind = ACT_COMMIT});
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
        for (uint8_t j = 0; j < w->cfg.n; j++) {
            a.signer = j;
            if (arrives_alone(w, i))
                add_move_and_crash(s, 5 + 2 * j, i, 6 + 2 * j, i, a);
        }
    }
    for (int word = 0; word < WORDS; word++)
        for (int bit = 0; bit < 64; bit++)
            s->all.bit[word] |= (uint64_t)(s->move_of[word][bit] >= 0) << bit;
}

/* Nothing up to the final block, which a restart finds again, is wanted ever again, nor is a certificate that a restart
 * finds. */
static void forget_moves(const struct search *s, const struct node *x, struct moves *ever)
{
    uint64_t blocks = 0, subjects = 0;
    for (int b = 0; b < s->w.blocks; b++)
        blocks |= (uint64_t)(s->w.block[b].facts.view <= x->stored_fin.view) << b;
    for (int i = 0; i < s->w.subjects; i++)
        subjects |= (uint64_t)(s->w.subject[i].view <= x->stored_fin.view) << i;
    for (int word = 1; word <= 2; word++)
        ever->bit[word] &= ~(blocks | blocks << 32);
    for (int word = 3; word < WORDS; word++)
        ever->bit[word] &= ~(word <= 4 ? subjects | x->stored : subjects);
}

/* ---- node states */

uint64_t search_hash(const uint8_t *p, size_t len)
{
    uint64_t h = len, word;
    for (; len >= 8; len -= 8, p += 8) {
        memcpy(&word, p, 8);
        h = search_mix(h ^ word) + UINT64_C(0x9e3779b97f4a7c15);
    }
    for (; len; len--)
        h = search_mix(h ^ *p++);
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
    s->local = search_grow(s->local, s->locals_cap, sizeof *s->local);
    s->next = search_grow(s->next, (size_t)s->locals_cap * (size_t)s->moves, sizeof *s->next);
    free(s->local_slot);
    s->local_slot = calloc((size_t)2 * s->locals_cap, sizeof *s->local_slot);
    HUB_ASSERT(s->local_slot);
    for (uint32_t id = 1; id < s->locals; id++) {
        size_t len;
        const uint8_t *bytes = packed(s, id, &len);
        uint64_t at = search_hash(bytes, len);
        while (s->local_slot[at %= 2 * (uint64_t)s->locals_cap])
            at++;
        s->local_slot[at] = id;
    }
}

/* Few: searched from the end. */
static uint32_t number_of_sent(struct search *s, uint64_t sent)
{
    for (uint32_t i = s->sents; i-- > 0;)
        if (s->sent[i] == sent)
            return i;
    if (s->sents == s->sents_cap) {
        s->sents_cap = s->sents_cap ? 2 * s->sents_cap : 256;
        s->sent = search_grow(s->sent, s->sents_cap, sizeof *s->sent);
    }
    HUB_ASSERT(s->bits == 64 || (uint64_t)s->sents >> s->bits == 0);
    s->sent[s->sents] = sent;
    return s->sents++;
}

static void note_local(struct search *s, uint32_t id, const struct node *x)
{
    struct local *l = &s->local[id];
    l->sent = x->sent;
    l->sent_number = number_of_sent(s, x->sent);
    l->kept = x->kept;
    l->bodies = x->bodies;
    l->ticks = x->core.view <= s->w.cfg.views;
    l->building = x->core.building && x->core.view <= s->w.cfg.views;
    l->bad = x->alarmed || !node_votes_agree(x, &s->w);
    l->ever = s->all;
    forget_moves(s, x, &l->ever);
    l->useful = l->ever;
    memset(&s->next[(size_t)id * (size_t)s->moves], 0, (size_t)s->moves * sizeof *s->next);
}

uint32_t search_intern(struct search *s, const struct node *x)
{
    static uint8_t bytes[NODE_PACKED_MAX];
    uint32_t len = (uint32_t)node_pack(x, bytes);
    if (s->locals + 1 >= s->locals_cap)
        rehash_locals(s);
    uint64_t at = search_hash(bytes, len);
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
        s->pool = search_grow(s->pool, s->pool_cap, 1);
    }
    s->local[id].packed = s->pool_used;
    memcpy(s->pool + s->pool_used, &len, sizeof len);
    memcpy(s->pool + s->pool_used + sizeof len, bytes, len);
    s->pool_used += len + sizeof len;
    note_local(s, id, x);
    return id;
}

void search_load(const struct search *s, uint32_t id, struct node *x)
{
    size_t len;
    node_unpack(x, packed(s, id, &len));
}

/* The node state after a move; `id` itself if the move changes nothing. */
uint32_t search_move(struct search *s, uint32_t id, int word, int bit)
{
    static struct node x;
    int m = s->move_of[word][bit];
    uint32_t to = s->next[(size_t)id * (size_t)s->moves + (size_t)m];
    if (to != UNKNOWN)
        return to;
    search_load(s, id, &x);
    to = node_act(&x, &s->w, &s->action[m]) ? search_intern(s, &x) : id;
    s->next[(size_t)id * (size_t)s->moves + (size_t)m] = to;
    if (to == id)
        s->local[id].useful.bit[word] &= ~(UINT64_C(1) << bit);
    return to;
}
