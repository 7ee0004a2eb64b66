/* accountability.c: one liar too many, on purpose. 2q - n validators, the fewest that can, vote with either half of the
 * honest ones, which do not hear each other, so that each half finalizes a ledger of its own. Then the halves meet.
 * Demanded: three seeds of four fork, at least (in others the lie comes out before); then every honest node ends with
 * evidence, which holds from the genesis alone, against 2q - n validators; and nobody ever has any against an honest
 * one (docs/protocol.md 9). */
#include "sim.h"

#include <string.h>

enum { SPLIT_MS = 14000, MEET_MS = 40000 };

static bool is_liar(const struct sim *s, uint8_t i)
{
    return s->plan.traitor[i] != NULL;
}

static uint64_t second_half; /* bit i: honest node i is in it */

static bool same_half(uint8_t a, uint8_t b)
{
    return (second_half >> a & 1) == (second_half >> b & 1);
}

/* Another block to the second half, a millisecond younger. */
static void show_two_faces(struct sim_node *n, const struct hub_message *m, struct hub_span frame)
{
    struct hub_header h = m->u.propose.header;
    struct hub_subject other;
    h.time_ms++;
    struct hub_span second = sim_traitor_propose(n, &other, &h, m->u.propose.entries, m);
    for (uint8_t to = 0; to < n->sim->plan.n; to++)
        if (!is_liar(n->sim, to))
            sim_net_put(n->sim, n->index, to, second_half >> to & 1 ? second : frame);
}

/* The liars' own nodes cast no vote and accuse nobody: their keys vote in `mirror`. In odd seeds they propose, with two
 * faces, so that both halves finalize in one view; else honest leaders take the halves apart view by view. */
static bool mute(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    (void)peer;
    if (!hub_message_decode(&m, frame))
        return true;
    if (m.kind == HUB_MSG_PROPOSE && n->sim->seed & 1 && n->sim->now_ms < SPLIT_MS)
        show_two_faces(n, &m, frame);
    return m.kind == HUB_MSG_PROPOSE || m.kind == HUB_MSG_VOTE || m.kind == HUB_MSG_CERT ||
           m.kind == HUB_MSG_EVIDENCE;
}
static const struct sim_adversary colluder = {"colluder", "votes as each half does", mute, true};

/* What an honest node says, all liars say to its half. */
static void mirror(struct sim *s, uint8_t from, const struct hub_subject *subject)
{
    for (uint8_t liar = 0; liar < s->plan.n; liar++)
        for (uint8_t to = 0; is_liar(s, liar) && to < s->plan.n; to++)
            if (!is_liar(s, to) && same_half(from, to))
                sim_traitor_vote(&s->node[liar], to, subject);
}

static bool said(struct hub_subject *out, const struct hub_message *m)
{
    if (m->kind == HUB_MSG_VOTE) {
        *out = m->u.vote.subject;
        return true;
    }
    if (m->kind != HUB_MSG_PROPOSE)
        return false;
    *out = (struct hub_subject){
        .kind = HUB_NOTARIZE, .epoch = m->u.propose.header.epoch, .view = m->u.propose.header.view};
    hub_header_hash(&out->block_hash, m->u.propose.header_bytes);
    return true;
}

static bool divide(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    struct hub_subject subject;
    if (s->now_ms >= SPLIT_MS || is_liar(s, from))
        return false;
    if (!is_liar(s, to))
        return !same_half(from, to);
    uint8_t first = 0; /* a broadcast reaches every liar: heard once */
    while (!is_liar(s, first))
        first++;
    if (to == first && said(&subject, m))
        mirror(s, from, &subject);
    return false;
}

static void plan_of(struct sim_plan *p, uint64_t seed)
{
    static const uint8_t sizes[] = {4, 5, 6, 7, 10};
    uint64_t random = seed;
    *p = (struct sim_plan){.n = sizes[seed % sizeof sizes],
                           .delay_ms = 5 + sim_below(&random, 60),
                           .jitter_ms = sim_below(&random, 40),
                           .only = -1,
                           .absent = -1,
                           .records = 40,
                           .work_ms = SPLIT_MS,
                           .heal_ms = SPLIT_MS,
                           .limit_ms = MEET_MS,
                           .linger_ms = MEET_MS,
                           .safety_only = true,
                           .real_signatures = seed % 8 == 0};
    const struct sim_world *w = sim_world_get(p->n, p->n, false);
    uint8_t liars = (uint8_t)(2 * w->genesis.set.q - p->n), honest = 0;
    for (uint8_t left = liars; left;) {
        uint8_t i = (uint8_t)sim_below(&random, p->n);
        if (!p->traitor[i]) {
            p->traitor[i] = &colluder;
            left--;
        }
    }
    second_half = 0;
    for (uint8_t i = 0; i < p->n; i++)
        if (!p->traitor[i] && honest++ & 1)
            second_half |= UINT64_C(1) << i;
    HUB_ASSERT(honest + liars == p->n && honest / 2 == p->n - w->genesis.set.q);
}

/* The checks of an ordinary run say that the ledger forks, as it must, and stop there: it goes on here. */
static void run(struct sim *s, bool *forked)
{
    do {
        s->failed = false;
        s->why[0] = '\0';
        (void)sim_run(s);
        *forked |= oracle_forked(s->checker.oracle) || strstr(s->why, "FORK") != NULL;
        if (strstr(s->why, "evidence"))
            return; /* sim_check_evidence: one that does not hold, or against an honest node */
    } while (s->failed && s->heap_len && s->now_ms < MEET_MS);
    s->failed = false;
}

static uint64_t convicted_by(const struct sim_node *n)
{
    uint64_t who = 0;
    for (uint32_t i = 0; i < n->replica->accuse.count; i++)
        who |= UINT64_C(1) << n->replica->accuse.known[i].signer;
    return who;
}

static const char *judge(const struct sim *s, bool forked)
{
    static char why[200];
    uint64_t liars = 0;
    uint32_t needed = 0;
    for (uint8_t i = 0; i < s->plan.n; i++)
        if (is_liar(s, i)) {
            liars |= UINT64_C(1) << i;
            needed++;
        }
    if (s->failed)
        return s->why;
    if (!forked)
        needed =
            0; /* a block of a liar's node carried the other half's certificate: the lie came out in time */
    for (uint8_t i = 0; i < s->plan.n; i++) {
        if (is_liar(s, i))
            continue;
        uint64_t who = convicted_by(&s->node[i]);
        uint32_t count = 0;
        for (uint64_t left = who & liars; left; left &= left - 1)
            count++;
        if (who & ~liars || count < needed) {
            snprintf(why, sizeof why, "node %u convicts %llx; the liars are %llx", i,
                     (unsigned long long)who, (unsigned long long)liars);
            return why;
        }
    }
    return NULL;
}

bool sim_accountability(uint64_t from, uint64_t count, bool trace)
{
    static struct sim s;
    static struct sim_plan plan;
    uint64_t failed = 0, items = 0, forks = 0;
    for (uint64_t seed = from; seed < from + count; seed++) {
        bool forked = false;
        plan_of(&plan, seed);
        sim_open(&s, seed, &plan);
        s.trace = trace;
        s.lose = divide;
        run(&s, &forked);
        const char *why = judge(&s, forked);
        items += s.checker.evidence;
        forks += forked;
        failed += why != NULL;
        if (why)
            printf("accountability: seed %llu, n %u: %s\n  again with: sim --accountability 1 "
                   "--from %llu\n",
                   (unsigned long long)seed, plan.n, why, (unsigned long long)seed);
        sim_close(&s);
    }
    printf("accountability: %llu seeds of 2q - n liars, %llu forks, %llu items of evidence, %llu "
           "failed\n",
           (unsigned long long)count, (unsigned long long)forks, (unsigned long long)items,
           (unsigned long long)failed);
    return !failed && 4 * forks >= 3 * count;
}
