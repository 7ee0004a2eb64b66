/* cluster_net.c: randomness, network and traitors of the simulated cluster. */
#include "cluster_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t cluster_random(struct cluster *k) /* splitmix64 */
{
    uint64_t x = k->random += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

bool cluster_chance(struct cluster *k, uint32_t permille)
{
    return permille && cluster_random(k) % 1000 < permille;
}

void cluster_fail(struct cluster *k, const char *format, ...)
{
    va_list args;
    if (k->failure[0])
        return;
    va_start(args, format);
    vsnprintf(k->failure, sizeof k->failure, format, args);
    va_end(args);
}

/* ---- registry of blocks and certificates */

uint32_t cluster_add_block(struct cluster *k, const struct cluster_block *b)
{
    if (k->blocks == CLUSTER_BLOCKS) {
        cluster_fail(k, "more than %d blocks", CLUSTER_BLOCKS);
        return 0;
    }
    uint32_t i = k->blocks++;
    k->block[i] = *b;
    struct hub_header_facts *f = &k->block[i].facts;
    hub_put_be32(f->hash.b, i + 1); /* the index is the hash */
    hub_put_be64(f->hash.b + 4, k->cfg.seed);
    f->log_size = i + 7;
    f->log_root = f->hash;
    f->log_root.b[31] = 1;
    if (k->oracle)
        oracle_block(k->oracle, &(struct oracle_block){f->hash, f->parent, f->epoch, f->view,
                                                       f->parent_view, f->height, f->tail});
    return i;
}

uint32_t cluster_find_block(const struct cluster *k, const struct hub_hash *hash)
{
    uint32_t i = hub_get_be32(hash->b);
    return i >= 1 && i <= k->blocks ? i - 1 : UINT32_MAX;
}

uint32_t cluster_add_cert(struct cluster *k, const struct hub_subject *s, uint64_t signers)
{
    for (uint32_t i = k->certs; i-- > 0 && k->certs - i < 200;)
        if (k->cert[i].signers == signers && hub_subject_equal(&k->cert[i].subject, s))
            return i;
    if (k->certs == CLUSTER_CERTS) {
        cluster_fail(k, "more than %d certificates", CLUSTER_CERTS);
        return 0;
    }
    k->cert[k->certs] = (struct cluster_cert){*s, signers};
    return k->certs++;
}

/* ---- network */

static bool before(const struct message *a, const struct message *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void push(struct cluster *k, const struct message *m, uint64_t delay_ms)
{
    if (k->queued == QUEUE_MAX)
        return; /* as lost as any other */
    struct message *copy = malloc(sizeof *copy);
    if (!copy)
        abort();
    *copy = *m;
    copy->at_ms = k->now_ms + delay_ms;
    copy->order = k->order++;
    uint32_t i = k->queued++;
    for (; i > 0 && before(copy, k->queue[(i - 1) / 2]); i = (i - 1) / 2)
        k->queue[i] = k->queue[(i - 1) / 2];
    k->queue[i] = copy;
}

static bool lost_by_script(const struct cluster *k, const struct message *m)
{
    struct cluster_link l = {.from = m->from, .to = m->to, .talk = m->type};
    l.view = k->node[m->from].core.view;
    if (m->type == CLUSTER_VOTE || m->type == CLUSTER_CERT) {
        const struct hub_subject *s =
            m->type == CLUSTER_VOTE ? &m->subject : &k->cert[m->cert].subject;
        l.kind = s->kind;
        l.view = s->view;
    } else if (m->type == CLUSTER_PROPOSE) {
        l.view = k->block[m->block].facts.view;
    }
    return k->lose(k->lose_ctx, &l);
}

void cluster_post(struct cluster *k, const struct message *m)
{
    const struct cluster_faults *f = &k->faults;
    k->sent++;
    if (m->from == m->to || cluster_chance(k, f->loss_permille))
        return;
    if (f->groups && (f->groups >> m->from & 1) != (f->groups >> m->to & 1))
        return;
    if (k->lose && lost_by_script(k, m))
        return;
    uint64_t span = f->delay_max_ms - f->delay_min_ms + 1;
    push(k, m, f->delay_min_ms + cluster_random(k) % span);
    if (cluster_chance(k, f->duplicate_permille))
        push(k, m, f->delay_min_ms + cluster_random(k) % span * 3);
}

struct message *cluster_next(struct cluster *k, uint64_t until_ms)
{
    if (!k->queued || k->queue[0]->at_ms > until_ms)
        return NULL;
    struct message *first = k->queue[0], *last = k->queue[--k->queued];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= k->queued)
            break;
        if (child + 1 < k->queued && before(k->queue[child + 1], k->queue[child]))
            child++;
        if (!before(k->queue[child], last))
            break;
        k->queue[i] = k->queue[child];
        i = child;
    }
    if (k->queued)
        k->queue[i] = last;
    return first;
}

/* ---- traitors: they hold every message ever sent, and sign whatever helps them */

static uint64_t newest_view(const struct cluster *k)
{
    uint64_t view = 1;
    for (uint8_t i = 0; i < k->cfg.n; i++)
        if (k->node[i].up && k->node[i].honest && k->node[i].core.view > view)
            view = k->node[i].core.view;
    return view;
}

static void to_some(struct cluster *k, struct message *m)
{
    uint64_t who = cluster_random(k) | cluster_random(k);
    for (uint8_t to = 0; to < k->cfg.n; to++)
        if (who >> to & 1) {
            m->to = to;
            if (m->type == CLUSTER_VOTE)
                oracle_vote(k->oracle, m->signer, &m->subject);
            cluster_post(k, m);
        }
}

static struct hub_subject random_subject(struct cluster *k, uint64_t view)
{
    struct hub_subject s = {.kind = (uint8_t)(1 + cluster_random(k) % 3), .view = view};
    uint32_t found = UINT32_MAX;
    for (uint32_t i = k->blocks; i-- > 0 && k->blocks - i < 12;)
        if (k->block[i].facts.view == view && (found == UINT32_MAX || cluster_chance(k, 400)))
            found = i;
    if (s.kind == HUB_NULLIFY)
        return s;
    const struct hub_header_facts *f = found == UINT32_MAX ? NULL : &k->block[found].facts;
    s.block_hash.b[31] = (uint8_t)cluster_random(k);
    if (f && !cluster_chance(k, 100))
        s.block_hash = f->hash;
    if (s.kind == HUB_FINALIZE && f) {
        s.height = f->height + cluster_chance(k, 100);
        s.log_size = f->log_size;
        s.log_root = f->log_root;
    }
    return s;
}

/* Any block of the last views as parent, justified or not: honest voters must judge. */
static void propose(struct cluster *k, uint8_t me, uint64_t view)
{
    uint32_t back = (uint32_t)(cluster_random(k) % (k->blocks < 4 ? k->blocks : 4));
    const uint32_t parent = k->blocks - 1 - back;
    const struct hub_header_facts *p = &k->block[parent].facts;
    if (p->view >= view)
        return;
    struct cluster_block b = {.parent = parent, .bad = cluster_chance(k, 200), .builder = me};
    b.facts = (struct hub_header_facts){.parent = p->hash,
                                        .view = view,
                                        .parent_view = p->view,
                                        .height = p->height + 1 + cluster_chance(k, 50),
                                        .time_ms = k->now_ms + cluster_random(k) % 8000,
                                        .proposer = me,
                                        .empty = cluster_chance(k, 500)};
    b.bad |= b.facts.height != p->height + 1 || k->block[parent].bad;
    struct message m = {.from = me, .type = CLUSTER_PROPOSE, .block = cluster_add_block(k, &b)};
    for (uint32_t i = k->certs; i-- > 0 && m.just_count < JUST;)
        if (k->certs - i < 40)
            m.just[m.just_count++] = i;
    to_some(k, &m);
}

void cluster_treason(struct cluster *k)
{
    for (uint8_t t = (uint8_t)(k->cfg.n - k->cfg.traitors); t < k->cfg.n; t++) {
        uint64_t view = newest_view(k) + cluster_random(k) % 3;
        view = view > 2 ? view - cluster_random(k) % 3 : view;
        if (hub_cons_leader(&k->node[0].core, view) == t)
            propose(k, t, view);
        struct message m = {.from = t, .type = CLUSTER_VOTE, .signer = t};
        for (int i = 0; i < 3; i++) {
            m.subject = random_subject(k, view);
            to_some(k, &m);
        }
        if (k->certs && cluster_chance(k, 300)) {
            m = (struct message){
                .from = t, .type = CLUSTER_CERT, .cert = (uint32_t)(cluster_random(k) % k->certs)};
            to_some(k, &m);
        }
    }
}
