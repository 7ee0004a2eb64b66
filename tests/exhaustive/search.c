/* search.c: breadth first over all tuples of node states that can be reached. A tuple is one 64-bit word; what lies in
 * the network follows from it, because a node's state holds what it has sent. */
#include "search.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char BAD[] =
    "an honest node alarmed, accused one, or cast votes that exclude each other";

/* ---- tuples */

uint64_t search_pack(const struct search *s, const uint32_t id[WORLD_NODES])
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

static void rehash_layer(struct layer *y)
{
    y->cap = y->cap ? 2 * y->cap : 1 << 10;
    y->key = search_grow(y->key, y->cap, sizeof *y->key);
    y->parent = search_grow(y->parent, y->cap, sizeof *y->parent);
    free(y->slot);
    y->slot = calloc(2 * y->cap, sizeof *y->slot);
    HUB_ASSERT(y->slot);
    for (uint64_t i = 0; i < y->count; i++) {
        uint64_t at = search_mix(y->key[i]) & (2 * y->cap - 1);
        while (y->slot[at])
            at = (at + 1) & (2 * y->cap - 1);
        y->slot[at] = (uint32_t)i + 1;
    }
}

static void visit(struct search *s, uint64_t key, uint64_t parent)
{
    uint32_t id[WORLD_NODES] = {0};
    int sent = 0;
    search_unpack(s, key, id);
    for (int i = 0; i < s->count; i++)
        sent += __builtin_popcountll(s->local[id[i]].sent);
    struct layer *y = &s->layer[sent];
    if (y->count + 1 >= y->cap)
        rehash_layer(y);
    uint64_t at = search_mix(key) & (2 * y->cap - 1);
    for (; y->slot[at]; at = (at + 1) & (2 * y->cap - 1))
        if (y->key[y->slot[at] - 1] == key)
            return;
    y->key[y->count] = key;
    y->parent[y->count] = parent;
    y->slot[at] = (uint32_t)++y->count;
    s->out->found++;
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
    if (certificate & s->w.invalid)
        return "a certificate of an INVALID block";
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

/* ---- the search */

/* Processor time: what else runs on the machine cuts no search short. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
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

static void keep_state(struct search *s, const struct found *f)
{
    if (s->states == s->states_cap) {
        s->states_cap = s->states_cap ? 2 * s->states_cap : 1 << 16;
        s->state = search_grow(s->state, s->states_cap, sizeof *s->state);
        s->parent = search_grow(s->parent, s->states_cap, sizeof *s->parent);
    }
    s->state[s->states] = f->key;
    s->parent[s->states++] = f->parent;
}

static void expand(struct search *s, const struct found *f, const struct moves *can,
                   const struct moves *honest)
{
    uint32_t id[WORLD_NODES] = {0}, to[WORLD_NODES];
    struct reach r[WORLD_NODES];
    keep_state(s, f);
    search_unpack(s, f->key, id);
    for (int i = 0; i < s->count; i++) {
        r[i] = *search_look(s, id[i], can, honest);
        if (r[i].bad && !s->w.cfg.only_forks)
            s->out->violation = BAD;
        memcpy(to, id, sizeof to);
        for (uint32_t k = 0; k < r[i].sends; k++) {
            to[i] = s->list[r[i].first + k];
            visit(s, search_pack(s, to), s->states - 1);
        }
    }
    if (!s->out->violation && s->w.cfg.sinks)
        s->out->violation = search_sinks(s, r);
}

/* A sum of hashes, to compare two searches by. */
static void note_network(struct search *s, const struct local *const l[WORLD_NODES])
{
    uint64_t sent[WORLD_NODES] = {0};
    for (int i = 0; i < s->count; i++)
        sent[i] = l[i]->sent;
    s->out->networks++;
    s->out->digest += search_hash((const uint8_t *)sent, sizeof sent);
}

/* Tuples in which each node has sent the same: what lies in the network is the same for all. */
static void expand_group(struct search *s, struct found *f, size_t count)
{
    uint32_t id[WORLD_NODES] = {0};
    const struct local *l[WORLD_NODES];
    struct moves can, honest;
    search_unpack(s, f->key, id);
    for (int i = 0; i < s->count; i++)
        l[i] = &s->local[id[i]];
    uint64_t certificate = search_certificates(s, l);
    s->out->violation = unsafe(s, l, certificate);
    search_possible(s, l, &can, certificate);
    honest_moves(s, l, &can, &honest);
    if (s->out->violation) {
        keep_state(s, f);
        return;
    }
    note_network(s, l);
    count = search_uncovered(s, f, count, &can, &honest);
    for (size_t i = 0; i < count && !s->out->violation && now() < s->until; i++)
        expand(s, &f[i], &can, &honest); /* where sinks are looked for one takes up to a second */
}

static int by_group(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    int c = (x->group > y->group) - (x->group < y->group);
    return c ? c : (x->key > y->key) - (x->key < y->key);
}

static struct found *take_layer(struct search *s, struct layer *y)
{
    struct found *f = search_grow(NULL, y->count + 1, sizeof *f);
    for (uint64_t i = 0; i < y->count; i++) {
        uint32_t id[WORLD_NODES] = {0};
        search_unpack(s, y->key[i], id);
        for (int k = 0; k < s->count; k++)
            id[k] = s->local[id[k]].sent_number;
        f[i] = (struct found){search_pack(s, id), y->key[i], y->parent[i]};
    }
    qsort(f, y->count, sizeof *f, by_group);
    free(y->key);
    free(y->parent);
    free(y->slot);
    y->key = y->parent = NULL;
    y->slot = NULL;
    y->cap = 0;
    return f;
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
    visit(s, search_pack(s, id), 0);
}

static void close(struct search *s)
{
    free(s->local);
    free(s->local_slot);
    free(s->next);
    free(s->pool);
    free(s->state);
    free(s->parent);
    free(s->sent);
    for (int i = 0; i < LAYERS; i++) {
        free(s->layer[i].key);
        free(s->layer[i].parent);
        free(s->layer[i].slot);
    }
    free(s->tried.key);
    free(s->at_rest.key);
    search_forget_looks(s);
    free(s->found);
    free(s->mark);
}

static uint64_t look_bytes(const struct search *s)
{
    return s->reaches_cap * (sizeof *s->reach + 8) + s->list_cap * 4;
}

static uint64_t used_bytes(const struct search *s)
{
    uint64_t pending = 0;
    for (int i = 0; i < LAYERS; i++)
        pending += s->layer[i].cap * 24;
    return pending + s->states_cap * 16 + look_bytes(s) + s->pool_cap +
           (s->tried.cap + s->at_rest.cap) * 8 +
           (uint64_t)s->locals_cap * (sizeof *s->local + 8 + 4 * (uint64_t)s->moves);
}

/* False: out of time or memory. */
static bool run_layer(struct search *s, struct layer *y, const struct search_limits *limits)
{
    struct found *f = take_layer(s, y);
    uint64_t at = 0, end;
    bool enough = true;
    for (; at < y->count && !s->out->violation && enough; at = end) {
        for (end = at + 1; end < y->count && f[end].group == f[at].group; end++)
            ;
        expand_group(s, f + at, end - at);
        enough = now() < s->until && used_bytes(s) < limits->bytes;
    }
    free(f);
    if (look_bytes(s) > limits->bytes / 4)
        search_forget_looks(s);
    return enough && !s->out->violation;
}

void search_run(struct search_result *out, const struct world_config *cfg,
                const struct search_limits *limits)
{
    static struct search s;
    const double began = now();
    memset(out, 0, sizeof *out);
    memset(&s, 0, sizeof s);
    s.out = out;
    s.until = began + limits->seconds;
    open(&s, cfg);
    int k = 0;
    for (; k < LAYERS && (!s.layer[k].count || run_layer(&s, &s.layer[k], limits)); k++)
        out->depth = s.layer[k].count ? (uint32_t)k : out->depth;
    out->complete = k == LAYERS;
    out->states = s.states;
    out->local_states = s.locals - 1;
    out->steps = s.w.steps;
    out->seconds = now() - began;
    if (out->violation)
        search_print_trace(&s, s.states - 1);
    close(&s);
}
