/* world.c: the blocks and statements that can exist in the views searched. */
#include "world.h"

#include <stdio.h>
#include <string.h>

uint8_t world_leader(const struct world *w, uint64_t view)
{
    return (uint8_t)(view % w->cfg.n);
}

bool world_honest(const struct world *w, uint8_t validator)
{
    return !(w->cfg.byzantine >> validator & 1);
}

/* Genesis is 0xff..., block i is i i i ... */
struct hub_hash world_hash(int block)
{
    struct hub_hash h;
    memset(h.b, block == GENESIS ? 0xff : block, sizeof h.b);
    return h;
}

int world_block_named(const struct hub_hash *h)
{
    return h->b[0] == 0xff ? GENESIS : h->b[0];
}

uint32_t world_chain(const struct world *w, int block)
{
    return block == GENESIS ? 0 : (uint32_t)(w->block[block].ancestors | UINT64_C(1) << block);
}

static int add_subject(struct world *w, const struct hub_subject *s, int block)
{
    HUB_ASSERT(w->subjects < WORLD_SUBJECTS);
    w->subject[w->subjects] = *s;
    w->subject_block[w->subjects] = block;
    w->of_kind[s->kind] |= UINT64_C(1) << w->subjects;
    return w->subjects++;
}

void world_add_view(struct world *w)
{
    HUB_ASSERT(w->views < WORLD_VIEWS);
    uint64_t view = (uint64_t)++w->views;
    w->nullify[view] =
        add_subject(w, &(struct hub_subject){.kind = HUB_NULLIFY, .view = view}, GENESIS);
}

static void add_votes(struct world *w, int block)
{
    const struct hub_header_facts *f = &w->block[block].facts;
    struct hub_subject s = {.kind = HUB_NOTARIZE, .view = f->view, .block_hash = f->hash};
    w->notarize[block] = add_subject(w, &s, block);
    s.kind = HUB_FINALIZE;
    s.height = f->height;
    s.log_size = f->log_size;
    s.log_root = f->log_root;
    w->finalize[block] = add_subject(w, &s, block);
    s.log_size += 5;
    if (w->cfg.wrong_numbers)
        (void)add_subject(w, &s, block);
    for (int i = w->notarize[block]; i < w->subjects; i++)
        w->invalid |= (uint64_t)w->block[block].invalid << i;
}

/* log_size tells the variants of one leader apart. */
int world_block_of(struct world *w, uint64_t view, int parent, int variant)
{
    const bool tail = w->cfg.seals && parent != GENESIS;
    uint64_t height = parent == GENESIS ? 1 : w->block[parent].facts.height + !tail;
    uint64_t log_size = 10 * height + (uint64_t)variant;
    for (int i = 0; i < w->blocks; i++)
        if (w->block[i].facts.view == view && w->block[i].parent == parent &&
            w->block[i].facts.log_size == log_size)
            return i;
    HUB_ASSERT(w->blocks < WORLD_BLOCKS);
    int i = w->blocks++;
    struct world_block *b = &w->block[i];
    memset(b, 0, sizeof *b);
    b->parent = parent;
    b->invalid =
        w->cfg.invalid_blocks && (variant || (parent != GENESIS && w->block[parent].invalid));
    if (parent != GENESIS)
        b->ancestors = w->block[parent].ancestors | UINT64_C(1) << parent;
    b->facts.hash = world_hash(i);
    b->facts.parent = world_hash(parent);
    b->facts.log_root = world_hash(i);
    b->facts.view = view;
    b->facts.parent_view = parent == GENESIS ? 0 : w->block[parent].facts.view;
    b->facts.height = height;
    b->facts.log_size = log_size;
    b->facts.time_ms = NODE_WALL_MS - 1000;
    b->facts.ends_epoch = w->cfg.seals;
    b->facts.tail = tail;
    b->facts.proposer = world_leader(w, view);
    add_votes(w, i);
    return i;
}

int world_subject_named(const struct world *w, const struct hub_subject *s)
{
    int i = 0;
    while (i < w->subjects && !hub_subject_equal(&w->subject[i], s))
        i++;
    HUB_ASSERT(i < w->subjects); /* else it is about a block that does not exist */
    return i;
}

static bool on_one_chain(const struct world *w, int a, int b)
{
    return a == b || w->block[a].ancestors >> b & 1 || w->block[b].ancestors >> a & 1;
}

/* Blocks of one view are on one chain only if they are the same. */
bool world_conflict(const struct world *w, int a, int b)
{
    const struct hub_subject *s = &w->subject[a], *t = &w->subject[b];
    if (s->kind == HUB_FINALIZE && t->kind == HUB_FINALIZE)
        return !on_one_chain(w, w->subject_block[a], w->subject_block[b]);
    if (s->view != t->view || a == b)
        return false;
    if (s->kind == HUB_NULLIFY || t->kind == HUB_NULLIFY)
        return s->kind == HUB_FINALIZE || t->kind == HUB_FINALIZE;
    return w->subject_block[a] != w->subject_block[b];
}

/* E1 to E4: what is evidence against a validator that signed both. */
static bool excludes(const struct world *w, int a, int b)
{
    const struct hub_subject *s = &w->subject[a], *t = &w->subject[b];
    if (a == b || s->view != t->view)
        return false;
    if (s->kind == HUB_NULLIFY || t->kind == HUB_NULLIFY)
        return s->kind == HUB_FINALIZE || t->kind == HUB_FINALIZE;
    return w->subject_block[a] != w->subject_block[b];
}

/* Every block a leader can make of the parents there are; two of the first of its views if it is Byzantine. */
static void add_blocks(struct world *w, uint64_t view)
{
    bool honest = world_honest(w, world_leader(w, view));
    int variants = honest || w->blocks > 2 ? 1 : 2, below = w->blocks;
    for (int parent = GENESIS; parent < below; parent++)
        for (int variant = 0; variant < variants; variant++) {
            int b = world_block_of(w, view, parent, variant);
            if (!honest)
                w->byzantine_blocks |= UINT64_C(1) << b;
        }
}

void world_init(struct world *w, const struct world_config *cfg)
{
    memset(w, 0, sizeof *w);
    w->cfg = *cfg;
    for (uint64_t view = 1; view <= cfg->views; view++) {
        world_add_view(w);
        add_blocks(w, view);
    }
    world_add_view(w); /* a leader without work passes on that view at once */
    for (int a = 0; a < w->subjects; a++)
        for (int b = 0; b < w->subjects; b++) {
            w->conflicts[a] |= (uint64_t)world_conflict(w, a, b) << b;
            w->excluded[a] |= (uint64_t)excludes(w, a, b) << b;
        }
}

void world_print_subject(const struct world *w, int subject)
{
    static const char *const name[4] = {"", "NOTARIZE", "NULLIFY", "FINALIZE"};
    const struct hub_subject *s = &w->subject[subject];
    printf("%s(%u", name[s->kind], (unsigned)s->view);
    if (s->kind != HUB_NULLIFY) {
        int b = w->subject_block[subject], parent = w->block[b].parent;
        printf(", block %d on ", b);
        printf(parent == GENESIS ? "genesis" : "block %d", parent);
    }
    printf(")");
}
