/* sink.c: whether the ledger can still go on: the nodes run on, beyond the views searched, with a network that
 * delivers every vote by itself and timers that fire when nothing else happens. */
#include "world.h"

enum { ROUNDS = 12 };

struct rest {
    struct world *w;
    struct node *nodes;
    int count, dead;
};

static bool try(struct rest *r, int i, enum action_kind kind, int which, int signer)
{
    struct action a = {.kind = kind, .which = which, .signer = (uint8_t)signer};
    return node_act(&r->nodes[i], r->w, &a);
}

static uint64_t kept_by_any(const struct rest *r)
{
    uint64_t kept = 0;
    for (int i = 0; i < r->count; i++)
        kept |= i == r->dead ? 0 : r->nodes[i].kept;
    return kept;
}

/* Everybody's votes, and what the others keep. */
static bool deliver_statements(struct rest *r, int i)
{
    bool some = false;
    for (int s = 0; s < r->w->subjects; s++) {
        for (int j = 0; j < r->count; j++)
            if (j != i && r->nodes[j].sent >> s & 1)
                some |= try(r, i, ACT_VOTE, s, r->nodes[j].core.cfg.me);
        if (kept_by_any(r) >> s & 1)
            some |= try(r, i, ACT_CERTIFICATE, s, 0);
    }
    return some;
}

static bool deliver_blocks(struct rest *r, int i)
{
    bool some = false;
    for (int b = 0; b < r->w->blocks; b++)
        for (int j = 0; j < r->count; j++) {
            bool leader = r->nodes[j].core.cfg.me == r->w->block[b].facts.proposer;
            if (leader && r->nodes[j].sent >> r->w->notarize[b] & 1)
                some |= try(r, i, ACT_PROPOSE, b, 0);
            if (j != r->dead && r->nodes[j].bodies >> b & 1)
                some |= try(r, i, ACT_BLOCK, b, 0);
        }
    return some;
}

static void deliver_all(struct rest *r)
{
    for (bool some = true; some;) {
        some = false;
        for (int i = 0; i < r->count; i++) {
            if (i == r->dead)
                continue;
            if (r->nodes[i].core.view <= r->w->cfg.views)
                some |= try(r, i, ACT_BUILT, 0, 0);
            some |= deliver_statements(r, i);
            some |= deliver_blocks(r, i);
        }
    }
}

/* The highest view that a living node knows final, its block executed. */
static uint64_t final_view(const struct rest *r)
{
    uint64_t view = 0;
    for (int i = 0; i < r->count; i++)
        if (i != r->dead && r->nodes[i].core.fin.view > view)
            view = r->nodes[i].core.fin.view;
    return view;
}

/* Room for the views to come: blocks up to the one after the highest, NULLIFYs as far as leaders without work can
 * pass their turns on. */
static bool extend(struct rest *r)
{
    uint64_t view = 0;
    for (int i = 0; i < r->count; i++)
        if (r->nodes[i].core.view > view)
            view = r->nodes[i].core.view;
    r->w->cfg.views = (uint8_t)(view + 1);
    while ((uint64_t)r->w->views < view + 2 + r->w->cfg.n) {
        if (r->w->subjects + 8 > WORLD_SUBJECTS || r->w->views == WORLD_VIEWS)
            return false;
        world_add_view(r->w);
    }
    return r->w->subjects + 8 <= WORLD_SUBJECTS && r->w->blocks + 4 <= WORLD_BLOCKS;
}

/* With a block that ends the epoch final, nobody votes any more: the others must be able to learn of it. */
static bool all_ended(const struct rest *r)
{
    for (int i = 0; i < r->count; i++)
        if (i != r->dead && !r->nodes[i].core.ended)
            return false;
    return true;
}

bool sink_escapes(struct world *w, struct node *nodes, int count, int dead)
{
    struct rest r = {w, nodes, count, dead};
    uint64_t before = UINT64_MAX;
    w->cfg.slow_build = false;
    for (int round = 0; round < ROUNDS && extend(&r); round++) {
        deliver_all(&r);
        if (final_view(&r) > before || all_ended(&r))
            return true;
        if (before == UINT64_MAX)
            before = final_view(&r);
        for (int i = 0; i < count; i++)
            if (i != dead)
                (void)try(&r, i, ACT_TICK, 0, 0);
    }
    return false;
}
