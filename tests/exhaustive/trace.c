/* trace.c: a way to a state, in words. */
#include "search.h"

#include <stdio.h>

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
    search_unpack(s, s->state[from], a);
    search_unpack(s, s->state[to], b);
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
