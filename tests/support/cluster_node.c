/* cluster_node.c: one node of the simulated cluster: a replica in miniature around its core. */
#include "cluster_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct hub_effects effects; /* of the step that runs */

static uint64_t wall_ms(const struct cluster *k)
{
    return UINT64_C(1700000000000) + k->now_ms;
}

void cluster_node_feed(struct cluster *k, struct node *x, const struct hub_event *ev)
{
    if (x->inbox_count == INBOX_MAX) {
        cluster_fail(k, "inbox full");
        return;
    }
    x->inbox[x->inbox_count] = *ev;
    x->inbox[x->inbox_count].now_mono_ms = k->now_ms;
    x->inbox[x->inbox_count++].now_wall_ms = wall_ms(k);
}

uint8_t cluster_node_index_of(const struct cluster *k, const struct node *x)
{
    return (uint8_t)(x - k->node);
}

static void post(struct cluster *k, struct node *x, struct message *m, uint8_t to)
{
    if (x->outbox_count == OUTBOX_MAX) {
        cluster_fail(k, "outbox full");
        return;
    }
    m->from = cluster_node_index_of(k, x);
    m->to = to;
    x->outbox[x->outbox_count++] = *m;
}

void cluster_node_post_all(struct cluster *k, struct node *x, struct message *m)
{
    for (uint8_t to = 0; to < k->nodes; to++)
        if (to != cluster_node_index_of(k, x))
            post(k, x, m, to);
}

/* Both halves of a twin answer to its number. */
static void post_validator(struct cluster *k, struct node *x, struct message *m, uint8_t validator)
{
    for (uint8_t to = 0; to < k->nodes; to++)
        if (k->node[to].me == validator && validator != x->me)
            post(k, x, m, to);
}

/* ---- journal */

static bool find_cert(const struct cluster *k, const struct node *x, uint64_t view, uint8_t kind,
                      uint32_t *out)
{
    for (uint32_t i = x->memory.certs; i-- > 0;) {
        const struct hub_subject *s = &k->cert[x->memory.cert[i]].subject;
        if (s->view == view && s->kind == kind) {
            *out = x->memory.cert[i];
            return true;
        }
    }
    return false;
}

static void keep_cert(struct cluster *k, struct node *x, uint32_t cert)
{
    if (x->memory.certs == CLUSTER_CERTS / 4)
        cluster_fail(k, "journal full of certificates");
    else
        x->memory.cert[x->memory.certs++] = cert;
}

static bool conflict(const struct hub_subject *a, const struct hub_subject *b)
{
    bool same = hub_hash_equal(&a->block_hash, &b->block_hash);
    if (a->view != b->view)
        return false;
    if (a->kind == b->kind)
        return !hub_subject_equal(a, b);
    if (a->kind == HUB_NULLIFY || b->kind == HUB_NULLIFY)
        return a->kind == HUB_FINALIZE || b->kind == HUB_FINALIZE;
    return !same;
}

static void journal_vote(struct cluster *k, struct node *x, const struct hub_subject *s)
{
    struct journal *j = &x->memory;
    for (uint32_t i = 0; i < j->votes; i++) {
        if (hub_subject_equal(&j->vote[i], s))
            cluster_fail(k, "node %u votes kind %u twice in view %llu", cluster_node_index_of(k, x),
                         s->kind, (unsigned long long)s->view);
        if (conflict(&j->vote[i], s))
            cluster_fail(k, "node %u signs kinds %u and %u in view %llu",
                         cluster_node_index_of(k, x), j->vote[i].kind, s->kind,
                         (unsigned long long)s->view);
    }
    if (j->votes == CLUSTER_VOTES)
        cluster_fail(k, "journal full of votes");
    else
        j->vote[j->votes++] = *s;
    if (x->fresh_count < HUB_EFFECTS_MAX * 4)
        x->fresh[x->fresh_count++] = *s;
}

/* Votes and certificates are only ever appended. */
static void commit(struct cluster *k, struct node *x)
{
    struct journal *to = &x->disk;
    const struct journal *from = &x->memory;
    for (uint32_t i = to->votes; i < from->votes; i++)
        oracle_vote(k->oracle, x->me, &from->vote[i]);
    memcpy(to->vote + to->votes, from->vote + to->votes,
           (from->votes - to->votes) * sizeof *to->vote);
    memcpy(to->cert + to->certs, from->cert + to->certs,
           (from->certs - to->certs) * sizeof *to->cert);
    memcpy(to->block, from->block, sizeof to->block);
    to->votes = from->votes;
    to->certs = from->certs;
    to->fin = from->fin;
    to->fin_time_ms = from->fin_time_ms;
    to->fin_block = from->fin_block;
}

/* ---- blocks */

/* 1 valid, 0 invalid, -1 no verdict: *missing is the block to fetch, or UINT32_MAX. */
static int verdict(const struct cluster *k, const struct node *x, uint32_t block, uint32_t *missing)
{
    bool bad = false;
    for (uint32_t b = block;; b = k->block[b].parent) {
        const struct cluster_block *at = &k->block[b];
        if (b == x->memory.fin_block)
            return !bad;
        if (at->facts.height <= x->memory.fin.height)
            return 0; /* misses the final block */
        if (!x->held[b] && !x->memory.block[b]) {
            *missing = b;
            return -1;
        }
        bad |= at->bad && at->builder != cluster_node_index_of(k, x);
    }
}

static void answer_block(struct cluster *k, struct node *x, uint32_t block, bool valid)
{
    struct hub_event ev = {.kind = HUB_EV_BLOCK};
    ev.u.block.header = k->block[block].facts;
    ev.u.block.valid = valid;
    cluster_node_feed(k, x, &ev);
}

static void want(struct node *x, uint32_t block)
{
    for (uint32_t i = 0; i < x->wanted_count; i++)
        if (x->wanted[i] == block)
            return;
    if (x->wanted_count == WANTED_MAX)
        memmove(x->wanted, x->wanted + 1, --x->wanted_count * sizeof *x->wanted);
    x->wanted[x->wanted_count++] = block;
}

static void fetch(struct cluster *k, struct node *x, uint32_t block, uint64_t peers)
{
    uint32_t missing = UINT32_MAX;
    int v = verdict(k, x, block, &missing);
    if (v >= 0) {
        answer_block(k, x, block, v);
        return;
    }
    want(x, block);
    for (int i = 0; i < 2; i++) {
        uint8_t to = (uint8_t)(cluster_random(k) % k->cfg.n);
        if (peers)
            while (!(peers >> to & 1))
                to = (uint8_t)((to + 1) % k->cfg.n);
        struct message m = {.type = CLUSTER_GET_BLOCK, .block = missing};
        post_validator(k, x, &m, to);
    }
}

static void got_block(struct cluster *k, struct node *x, uint32_t block)
{
    if (x->held[block])
        return;
    x->held[block] = true;
    uint32_t count = x->wanted_count, list[WANTED_MAX];
    memcpy(list, x->wanted, sizeof list);
    x->wanted_count = 0;
    for (uint32_t i = 0; i < count; i++)
        fetch(k, x, list[i], 0);
}

static void keep_blocks(struct cluster *k, struct node *x, uint32_t block)
{
    for (uint32_t b = block; b != x->memory.fin_block; b = k->block[b].parent) {
        if (k->block[b].facts.height <= x->memory.fin.height) {
            if (x->honest)
                cluster_fail(k, "node %u keeps a block off its final chain",
                             cluster_node_index_of(k, x));
            return;
        }
        if (k->failure[0] || x->memory.block[b])
            return;
        x->memory.block[b] = true;
    }
}

static uint64_t records_above_fin(const struct cluster *k, const struct node *x, uint32_t block)
{
    uint64_t all = 0;
    for (uint32_t b = block; b != x->memory.fin_block && b != 0; b = k->block[b].parent)
        all |= k->block[b].records;
    return all;
}

static uint64_t eligible(const struct cluster *k, const struct node *x, uint32_t parent)
{
    return x->pool & ~x->final_records & ~records_above_fin(k, x, parent);
}

void cluster_node_update_gate(struct cluster *k, struct node *x)
{
    bool gate = eligible(k, x, cluster_find_block(k, hub_cons_base(&x->core))) != 0;
    if (gate == x->gate)
        return;
    x->gate = gate;
    struct hub_event ev = {.kind = HUB_EV_GATE};
    ev.u.gate.has_records = gate;
    cluster_node_feed(k, x, &ev);
}

static void build(struct cluster *k, struct node *x, const struct hub_effect *fx)
{
    uint32_t parent = cluster_find_block(k, &fx->parent), missing;
    struct hub_event ev = {.kind = HUB_EV_BUILT};
    ev.u.built.view = fx->view;
    if (verdict(k, x, parent, &missing) != 1 || k->block[parent].facts.view != fx->first)
        cluster_fail(k, "node %u builds on a parent that is not valid",
                     cluster_node_index_of(k, x));
    uint64_t records = fx->empty ? 0 : eligible(k, x, parent);
    if (k->cfg.one_record)
        records &= ~records + 1;
    if (!fx->empty && !records) {
        cluster_node_update_gate(k, x);
        ev.u.built.outcome = HUB_BUILT_NOTHING;
        cluster_node_feed(k, x, &ev);
        return;
    }
    const struct hub_header_facts *p = &k->block[parent].facts;
    struct cluster_block b = {
        .parent = parent, .records = records, .builder = cluster_node_index_of(k, x)};
    b.bad = cluster_chance(k, k->faults.bad_block_permille);
    b.facts =
        (struct hub_header_facts){.parent = fx->parent,
                                  .view = fx->view,
                                  .parent_view = p->view,
                                  .height = p->height + 1,
                                  .time_ms = p->time_ms < wall_ms(k) ? wall_ms(k) : p->time_ms + 1,
                                  .proposer = x->me,
                                  .empty = records == 0};
    uint32_t i = cluster_add_block(k, &b);
    k->proposed++;
    x->held[i] = true;
    ev.u.built.header = k->block[i].facts;
    cluster_node_feed(k, x, &ev);
}

static void finalize(struct cluster *k, struct node *x, const struct hub_effect *fx)
{
    uint32_t tip = cluster_find_block(k, &fx->block_hash);
    for (uint32_t b = tip; b != x->memory.fin_block; b = k->block[b].parent) {
        uint64_t height = k->block[b].facts.height;
        if (height <= x->memory.fin.height) {
            if (x->honest)
                cluster_fail(k, "node %u finalizes off its final chain",
                             cluster_node_index_of(k, x));
            return;
        }
        if (x->honest)
            oracle_final(k->oracle, cluster_node_index_of(k, x), height, &k->block[b].facts.hash);
        x->final_records |= k->block[b].records;
        x->memory.block[b] = true;
    }
    x->memory.fin = x->core.fin;
    x->memory.fin_time_ms = k->block[tip].facts.time_ms;
    x->memory.fin_block = tip;
}

/* ---- effects */

static void post_cert(struct cluster *k, struct node *x, uint8_t to, uint64_t view, uint8_t kind)
{
    struct message m = {.type = CLUSTER_CERT};
    if (!find_cert(k, x, view, kind, &m.cert))
        return;
    if (to == k->cfg.n)
        cluster_node_post_all(k, x, &m);
    else
        post_validator(k, x, &m, to);
}

static void post_entry(struct cluster *k, struct node *x, uint8_t to, uint64_t view)
{
    static const uint8_t order[3] = {HUB_FINALIZE, HUB_NULLIFY, HUB_NOTARIZE};
    uint32_t cert;
    for (int i = 0; i < 3; i++)
        if (find_cert(k, x, view - 1, order[i], &cert)) {
            post_cert(k, x, to, view - 1, order[i]);
            return;
        }
}

static void post_votes(struct cluster *k, struct node *x, uint8_t kind, uint64_t first,
                       uint64_t last)
{
    for (uint32_t i = 0; i < x->memory.votes; i++) {
        const struct hub_subject *s = &x->memory.vote[i];
        if (s->kind == kind && s->view >= first && s->view <= last) {
            struct message m = {.type = CLUSTER_VOTE, .subject = *s, .signer = x->me};
            cluster_node_post_all(k, x, &m);
        }
    }
}

static void propose(struct cluster *k, struct node *x, const struct hub_effect *fx)
{
    struct message m = {.type = CLUSTER_PROPOSE, .block = cluster_find_block(k, &fx->block_hash)};
    const struct hub_header_facts *f = &k->block[m.block].facts;
    uint32_t cert;
    if (find_cert(k, x, x->core.top.view, HUB_FINALIZE, &cert))
        m.just[m.just_count++] = cert;
    if (find_cert(k, x, f->parent_view, HUB_NOTARIZE, &cert))
        m.just[m.just_count++] = cert;
    for (uint64_t v = f->view - 1; v > f->parent_view && m.just_count < JUST; v--)
        if (find_cert(k, x, v, HUB_NULLIFY, &cert))
            m.just[m.just_count++] = cert;
    cluster_node_post_all(k, x, &m);
}

static void form(struct cluster *k, struct node *x, const struct hub_effect *fx)
{
    struct message m = {.type = CLUSTER_CERT, .cert = cluster_add_cert(k, &fx->subject, fx->peers)};
    oracle_certificate(k->oracle, &fx->subject, fx->peers);
    keep_cert(k, x, m.cert);
    struct hub_event ev = {.kind = HUB_EV_CERTIFICATE};
    ev.u.certificate.subject = fx->subject;
    ev.u.certificate.signers = fx->peers;
    cluster_node_feed(k, x, &ev);
    cluster_node_post_all(k, x, &m);
}

void cluster_node_status(struct cluster *k, struct node *x)
{
    struct message m = {
        .type = CLUSTER_STATUS, .view = x->core.view, .fin = x->core.fin, .top = x->core.top};
    cluster_node_post_all(k, x, &m);
    x->status_ms = k->now_ms + 1000;
}

static void fetch_certs(struct cluster *k, struct node *x, const struct hub_effect *fx)
{
    struct message m = {.type = CLUSTER_GET_CERTS, .first = fx->first, .last = fx->last};
    if (fx->first > fx->last || fx->last - fx->first >= HUB_GET_VIEWS_MAX)
        cluster_fail(k, "node %u asks for views %llu..%llu", cluster_node_index_of(k, x),
                     (unsigned long long)fx->first, (unsigned long long)fx->last);
    uint8_t to = (uint8_t)(fx->peer < k->cfg.n ? fx->peer : cluster_random(k) % k->cfg.n);
    post_validator(k, x, &m, to);
}

static void retry(struct cluster *k, struct node *x, const struct hub_effect *fx)
{
    post_cert(k, x, k->cfg.n, x->core.top.view, HUB_FINALIZE);
    post_entry(k, x, k->cfg.n, fx->view);
    post_cert(k, x, k->cfg.n, fx->view, HUB_NOTARIZE);
    post_votes(k, x, HUB_NOTARIZE, fx->view, fx->view);
    post_votes(k, x, HUB_NULLIFY, fx->view, fx->view);
    post_votes(k, x, HUB_FINALIZE, fx->first, fx->last);
}

static void help(struct cluster *k, struct node *x, const struct hub_effect *fx)
{
    if (x->core.top.view >= fx->first) {
        post_cert(k, x, fx->peer, x->core.top.view, HUB_FINALIZE);
    } else {
        post_cert(k, x, fx->peer, fx->first, HUB_NOTARIZE);
        post_cert(k, x, fx->peer, fx->first, HUB_NULLIFY);
    }
    post_entry(k, x, fx->peer, fx->view);
}

static void run_effect(struct cluster *k, struct node *x, const struct hub_effect *fx)
{
    struct message m = {.type = CLUSTER_VOTE, .subject = fx->subject, .signer = x->me};
    uint32_t block = cluster_find_block(k, &fx->block_hash), missing;
    int v;
    switch (fx->kind) {
    case HUB_FX_KEEP_BLOCK:
        keep_blocks(k, x, block);
        break;
    case HUB_FX_VOTE:
        journal_vote(k, x, &fx->subject);
        cluster_node_post_all(k, x, &m);
        break;
    case HUB_FX_CERTIFICATE:
        form(k, x, fx);
        break;
    case HUB_FX_FINAL:
        finalize(k, x, fx);
        break;
    case HUB_FX_BUILD:
        build(k, x, fx);
        break;
    case HUB_FX_EXECUTE:
        v = verdict(k, x, block, &missing);
        if (v >= 0)
            answer_block(k, x, block, v);
        break;
    case HUB_FX_FETCH_BLOCK:
        if (block != UINT32_MAX)
            fetch(k, x, block, fx->peers);
        break;
    case HUB_FX_PROPOSE:
        propose(k, x, fx);
        break;
    case HUB_FX_FETCH_CERTS:
        fetch_certs(k, x, fx);
        break;
    case HUB_FX_HELP:
        help(k, x, fx);
        break;
    case HUB_FX_RETRY:
        retry(k, x, fx);
        break;
    case HUB_FX_RESEND_FINALIZE:
        post_votes(k, x, HUB_FINALIZE, fx->first, fx->last);
        break;
    case HUB_FX_STATUS:
        cluster_node_status(k, x);
        break;
    case HUB_FX_EVIDENCE:
        k->evidence++;
        if (k->node[fx->peer].honest)
            cluster_fail(k, "evidence against honest node %u", fx->peer);
        break;
    case HUB_FX_ALARM:
        if (x->honest && !k->cfg.unbearable)
            cluster_fail(k, "node %u raises the alarm in view %llu", cluster_node_index_of(k, x),
                         (unsigned long long)fx->view);
        break;
    }
}

/* ---- a turn: steps, one commit, sends, own votes fed back */

void cluster_node_power_off(struct cluster *k, struct node *x)
{
    x->up = false;
    x->restart_ms = k->now_ms + 1 + cluster_random(k) % 4000;
    x->inbox_count = x->outbox_count = x->fresh_count = 0;
}

static void steps(struct cluster *k, struct node *x)
{
    for (uint32_t i = 0; i < x->inbox_count && !k->failure[0]; i++) {
        struct hub_event ev = x->inbox[i];
        hub_cons_step(&x->core, &ev, &effects);
        hub_cons_assert(&x->core);
        x->wake_ms = effects.wake_ms;
        struct hub_effects mine = effects;
        for (uint32_t e = 0; e < mine.count; e++)
            run_effect(k, x, &mine.item[e]);
        if (i + 1 == x->inbox_count)
            cluster_node_update_gate(k, x);
    }
    x->inbox_count = 0;
}

void cluster_node_turn(struct cluster *k, struct node *x)
{
    while (x->inbox_count && !k->failure[0]) {
        uint32_t crash =
            cluster_chance(k, k->faults.crash_permille) ? 1 + (uint32_t)(cluster_random(k) % 3) : 0;
        steps(k, x);
        if (crash == 1) { /* before the commit */
            cluster_node_power_off(k, x);
            return;
        }
        commit(k, x);
        uint32_t send = crash == 2 ? 0 : crash == 3 ? x->outbox_count / 2 : x->outbox_count;
        for (uint32_t i = 0; i < send; i++)
            cluster_post(k, &x->outbox[i]);
        x->outbox_count = 0;
        if (crash) {
            cluster_node_power_off(k, x);
            return;
        }
        if (oracle_failure(k->oracle) && !k->cfg.unbearable)
            cluster_fail(k, "%s", oracle_failure(k->oracle));
        for (uint32_t i = 0; i < x->fresh_count; i++) {
            struct hub_event ev = {.kind = HUB_EV_VOTE};
            ev.u.vote.subject = x->fresh[i];
            ev.u.vote.signer = x->me;
            cluster_node_feed(k, x, &ev);
        }
        x->fresh_count = 0;
    }
}

/* ---- start */

static void feed_certs(struct cluster *k, struct node *x)
{
    uint64_t below = x->memory.fin.view;
    for (;;) { /* by rising view */
        uint64_t next = UINT64_MAX;
        for (uint32_t i = 0; i < x->memory.certs; i++) {
            uint64_t view = k->cert[x->memory.cert[i]].subject.view;
            if (view > below && view < next)
                next = view;
        }
        if (next == UINT64_MAX)
            return;
        for (uint32_t i = 0; i < x->memory.certs; i++) {
            const struct cluster_cert *c = &k->cert[x->memory.cert[i]];
            struct hub_event ev = {.kind = HUB_EV_CERTIFICATE};
            ev.u.certificate.subject = c->subject;
            ev.u.certificate.signers = c->signers;
            if (c->subject.view == next)
                cluster_node_feed(k, x, &ev);
        }
        steps(k, x);
        below = next;
    }
}

static void feed_own_votes(struct cluster *k, struct node *x)
{
    for (uint32_t i = 0; i < x->memory.votes; i++) {
        struct hub_event ev = {.kind = HUB_EV_OWN_VOTE};
        ev.u.vote.subject = x->memory.vote[i];
        ev.u.vote.signer = x->me;
        if (x->memory.vote[i].view > x->memory.fin.view)
            cluster_node_feed(k, x, &ev);
        if (x->inbox_count == INBOX_MAX)
            steps(k, x);
    }
    steps(k, x);
}

static void feed_blocks(struct cluster *k, struct node *x)
{
    for (uint32_t b = 0; b < k->blocks; b++) {
        uint32_t missing;
        if (!x->memory.block[b] || k->block[b].facts.height <= x->memory.fin.height)
            continue;
        if (verdict(k, x, b, &missing) == 1)
            answer_block(k, x, b, true);
        if (x->inbox_count == INBOX_MAX)
            steps(k, x);
    }
    steps(k, x);
}

void cluster_node_start(struct cluster *k, struct node *x)
{
    struct hub_cons_config cfg = {.n = k->cfg.n,
                                  .q = k->cfg.q,
                                  .me = x->me,
                                  .leader_offset = k->cfg.seed,
                                  .delta_ms = k->cfg.delta_ms,
                                  .pace_ms = k->cfg.pace_ms,
                                  .heartbeat_ms = k->cfg.heartbeat_ms,
                                  .jitter_seed = cluster_random(k)};
    memcpy(&x->memory, &x->disk, sizeof x->memory);
    memset(x->held, 0, sizeof x->held);
    x->up = true;
    x->gate = false;
    x->wanted_count = x->inbox_count = x->outbox_count = x->fresh_count = 0;
    x->pool = x->own_pool; /* what others forwarded is lost */
    x->wake_ms = UINT64_MAX;
    x->status_ms = k->now_ms + cluster_random(k) % 1000;
    x->forward_ms = k->now_ms + 500;
    hub_cons_init(&x->core, &cfg, &x->memory.fin, x->memory.fin_time_ms);
    feed_certs(k, x);
    feed_own_votes(k, x);
    feed_blocks(k, x);
    cluster_node_feed(k, x, &(struct hub_event){.kind = HUB_EV_START});
    cluster_node_turn(k, x);
}

/* ---- messages in */

static void take_cert(struct cluster *k, struct node *x, uint32_t cert)
{
    const struct cluster_cert *c = &k->cert[cert];
    if (!hub_cons_wants_certificate(&x->core, &c->subject))
        return;
    keep_cert(k, x, cert);
    struct hub_event ev = {.kind = HUB_EV_CERTIFICATE};
    ev.u.certificate.subject = c->subject;
    ev.u.certificate.signers = c->signers;
    cluster_node_feed(k, x, &ev);
    steps(k, x); /* the next certificate of the message is judged after this one */
}

static void take_vote(struct cluster *k, struct node *x, const struct hub_subject *s,
                      uint8_t signer)
{
    struct hub_event ev = {.kind = HUB_EV_VOTE};
    ev.u.vote.subject = *s;
    ev.u.vote.signer = signer;
    if (hub_cons_wants_vote(&x->core, s, signer)) {
        cluster_node_feed(k, x, &ev);
    } else if (s->view < x->core.view) {
        ev.kind = HUB_EV_LATE_VOTE;
        cluster_node_feed(k, x, &ev);
    }
    steps(k, x);
}

static void take_proposal(struct cluster *k, struct node *x, const struct message *m)
{
    const struct hub_header_facts *f = &k->block[m->block].facts;
    for (uint32_t i = 0; i < m->just_count; i++)
        take_cert(k, x, m->just[i]);
    if (hub_cons_wants_proposal(&x->core, f)) {
        got_block(k, x, m->block);
        struct hub_event ev = {.kind = HUB_EV_PROPOSAL};
        ev.u.proposal.header = *f;
        ev.u.proposal.from = k->node[m->from].me;
        cluster_node_feed(k, x, &ev);
        steps(k, x);
    }
    struct hub_subject s = {.kind = HUB_NOTARIZE, .view = f->view, .block_hash = f->hash};
    take_vote(k, x, &s, f->proposer);
}

static void give_certs(struct cluster *k, struct node *x, const struct message *m)
{
    for (uint64_t v = m->last; v >= m->first && v > 0; v--)
        for (uint8_t kind = HUB_NOTARIZE; kind <= HUB_FINALIZE; kind++)
            post_cert(k, x, k->node[m->from].me, v, kind);
}

void cluster_node_deliver(struct cluster *k, const struct message *m)
{
    struct node *x = &k->node[m->to];
    struct message reply = {.type = CLUSTER_BLOCK, .block = m->block};
    struct hub_event ev = {.kind = HUB_EV_PEER};
    if (!x->up || !x->runs)
        return;
    switch (m->type) {
    case CLUSTER_PROPOSE:
        take_proposal(k, x, m);
        break;
    case CLUSTER_VOTE:
        if (m->signer == x->me)
            break;
        take_vote(k, x, &m->subject, m->signer);
        break;
    case CLUSTER_CERT:
        take_cert(k, x, m->cert);
        break;
    case CLUSTER_STATUS:
        ev.u.peer.peer = k->node[m->from].me;
        ev.u.peer.view = m->view;
        ev.u.peer.period_ms = 1000;
        ev.u.peer.fin = m->fin;
        ev.u.peer.top = m->top;
        cluster_node_feed(k, x, &ev);
        break;
    case CLUSTER_GET_CERTS:
        give_certs(k, x, m);
        break;
    case CLUSTER_GET_BLOCK:
        if (x->held[m->block] || x->memory.block[m->block])
            post(k, x, &reply, m->from);
        break;
    case CLUSTER_BLOCK:
        got_block(k, x, m->block);
        break;
    case CLUSTER_RECORD:
        x->pool |= m->first;
        cluster_node_update_gate(k, x);
        break;
    }
    if (!x->inbox_count) /* an answer without an event leaves by an empty turn */
        cluster_node_feed(k, x, &(struct hub_event){.kind = HUB_EV_TICK});
    cluster_node_turn(k, x);
}
