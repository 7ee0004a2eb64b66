/* trace.c: a way to a state, in words. */
#include "search.h"

#include <stdio.h>

enum { WAY_MAX = 4096 };

static void print_action(const struct search *s, const struct action *a)
{
    static const char *const name[] = {"every timer fires",
                                       "crashes and restarts",
                                       "commits",
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

/* The move by which each node state was met first from `from`: silent ones, but for the one that leads to `to`. */
struct way {
    uint32_t *id, *before, *move;
    uint32_t count;
};

static bool met(const struct way *y, uint32_t id)
{
    for (uint32_t i = 0; i < y->count; i++)
        if (y->id[i] == id)
            return true;
    return false;
}

static void find_way(struct search *s, struct way *y, uint32_t from, uint32_t to,
                     const struct moves *can)
{
    y->id[0] = from;
    y->count = 1;
    for (uint32_t at = 0; at < y->count; at++) {
        struct moves m = search_own_and(&s->local[y->id[at]], can, true);
        for (int word = 0; word < WORDS; word++)
            for (uint64_t left = m.bit[word]; left; left &= left - 1) {
                int bit = __builtin_ctzll(left);
                uint32_t next = search_move(s, y->id[at], word, bit);
                bool silent = s->local[next].sent == s->local[from].sent;
                if ((!silent && next != to) || met(y, next) || y->count == WAY_MAX)
                    continue;
                y->id[y->count] = next;
                y->before[y->count] = at;
                y->move[y->count++] = (uint32_t)s->move_of[word][bit];
                if (next == to)
                    return;
            }
    }
    y->count = 0;
}

static void print_way(struct search *s, int node, uint32_t from, uint32_t to,
                      const struct moves *can)
{
    static uint32_t id[WAY_MAX], before[WAY_MAX], move[WAY_MAX];
    struct way y = {id, before, move, 0};
    uint32_t path[WAY_MAX], count = 0;
    find_way(s, &y, from, to, can);
    for (uint32_t at = y.count ? y.count - 1 : 0; at > 0; at = before[at])
        path[count++] = move[at];
    while (count-- > 0) {
        printf("  node %u ", s->who[node]);
        print_action(s, &s->action[path[count]]);
    }
    if (s->local[to].sent != s->local[from].sent)
        print_votes(s, "sends", s->local[to].sent & ~s->local[from].sent);
}

static void print_step(struct search *s, uint64_t from, uint64_t to)
{
    uint32_t a[WORLD_NODES] = {0}, b[WORLD_NODES] = {0};
    const struct local *l[WORLD_NODES];
    struct moves can;
    search_unpack(s, s->state[from], a);
    search_unpack(s, s->state[to], b);
    for (int i = 0; i < s->count; i++)
        l[i] = &s->local[a[i]];
    search_possible(s, l, &can, search_certificates(s, l));
    for (int i = 0; i < s->count; i++)
        if (a[i] != b[i])
            print_way(s, i, a[i], b[i], &can);
}

/* A shortest way to the state. */
void search_print_trace(struct search *s, uint64_t at)
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
