/* checker.c: what must hold at every step, judged from outside: from frames, commits and journals, with
 * arithmetic of its own. */
#include "sim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { BARREN_VIEWS_MAX = 32 };

void sim_fail(struct sim *s, const char *format, ...)
{
    if (s->failed)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(s->why, sizeof s->why, format, args);
    va_end(args);
    s->failed = true;
}

static struct sim_cast *cast_of(struct sim_node *n, const struct hub_subject *s)
{
    struct sim_index *x = &n->sim->checker.cast[n->slot].index;
    uint64_t key = sim_index_key(s->epoch, s->view, 0);
    int64_t at = sim_index_find(x, key);
    if (at < 0) {
        size_t *len = &n->sim->checker.cast[n->slot].len;
        struct sim_cast **list = &n->sim->checker.cast[n->slot].list;
        *list = sim_grow(*list, &n->sim->checker.cast[n->slot].cap, *len, sizeof **list);
        (*list)[*len] = (struct sim_cast){0};
        sim_index_put(x, key, *len);
        at = (int64_t)(*len)++;
    }
    return &n->sim->checker.cast[n->slot].list[at];
}

static void distrust_faulty(struct sim *s)
{
    for (uint8_t i = 0; i < s->plan.n; i++)
        if (s->node[i].faulty)
            oracle_distrust(s->checker.oracle, i);
}

static void ask_oracle(struct sim *s)
{
    const char *wrong = oracle_failure(s->checker.oracle);
    if (wrong)
        sim_fail(s, "%s", wrong);
}

void sim_check_block(struct sim_node *n, const struct hub_header *h, const struct hub_hash *hash)
{
    const struct oracle_block b = {
        *hash, h->parent, h->epoch, h->view, h->parent_view, h->height, h->flags == HUB_FLAG_TAIL};
    oracle_block(n->sim->checker.oracle, &b);
}

/* A copy without the guard never votes, nor one that cannot have heard from q - 1 others of the set it votes in
 * (docs/hazards.md H12). */
static void check_clone(struct sim_node *n, uint64_t epoch)
{
    struct hub_validators set;
    unsigned heard = 0;
    sim_set_of(n->sim, epoch, &set);
    for (uint8_t i = 0; i < set.n; i++)
        heard += i != n->index && n->sim->clone.hears >> i & 1;
    if (!n->sim->clone.guarded || heard + 1 < set.q)
        sim_fail(n->sim, "the clone of node %u votes, having heard %u others%s", n->index, heard,
                 n->sim->clone.guarded ? "" : " and without its guard");
}

void sim_check_commit(struct sim_node *n)
{
    size_t *seen = &n->sim->checker.cast[n->slot].votes;
    for (; *seen < n->journal.committed.votes; (*seen)++) {
        const struct hub_subject *s = &n->journal.vote[*seen].subject;
        if (sim_is_clone(n))
            check_clone(n, s->epoch);
        cast_of(n, s)->journalled[s->kind - 1] = true;
        distrust_faulty(n->sim);
        oracle_vote(n->sim->checker.oracle, n->index, s);
    }
}

static bool same_set(const struct hub_validators *a, const struct hub_validators *b)
{
    bool same = a->n == b->n && a->q == b->q;
    for (uint8_t i = 0; same && i < a->n; i++)
        same = hub_hash_equal(&a->v[i].kid, &b->v[i].kid);
    return same;
}

void sim_check_link(struct sim_node *n, uint64_t epoch, struct hub_span link)
{
    struct sim *s = n->sim;
    struct hub_link l;
    static struct hub_validators set;
    if (!hub_link_decode(&l, link) ||
        hub_validators_decode(&set, l.next, &s->world->genesis.chain, s->world->genesis.name))
        sim_fail(s, "node %u enters epoch %llu by a link that does not decode", n->index,
                 (unsigned long long)epoch);
    else if (epoch < s->epochs && !same_set(&set, &s->set[epoch]))
        sim_fail(s, "FORK: node %u enters another epoch %llu", n->index, (unsigned long long)epoch);
    else if (epoch >= s->epochs && (epoch == SIM_EPOCHS_MAX || !sim_is_planned(s, &set)))
        sim_fail(s, "node %u enters epoch %llu with a set that nobody planned", n->index,
                 (unsigned long long)epoch);
    if (s->failed || epoch < s->epochs)
        return;
    HUB_ASSERT(epoch == s->epochs);
    s->set[s->epochs++] = set;
    oracle_epoch(s->checker.oracle, epoch, set.n, set.q);
    sim_trace(s, "epoch %llu: %u validators, quorum %u", (unsigned long long)epoch, set.n, set.q);
}

/* A statement of n's key leaves n: it stands in the journal, and no earlier one excludes it. */
static void check_statement(struct sim_node *n, const struct hub_subject *s)
{
    static const char *const names[] = {"NOTARIZE", "NULLIFY", "FINALIZE"};
    struct sim_cast *c = cast_of(n, s);
    unsigned kind = s->kind - 1u, z = HUB_NULLIFY - 1, f = HUB_FINALIZE - 1, nz = HUB_NOTARIZE - 1;
    const struct hub_hash *h = &s->block_hash;
    if (!c->journalled[kind])
        sim_fail(n->sim, "node %u sends a %s of view %llu that is not durable", n->index,
                 names[kind], (unsigned long long)s->view);
    if (c->sent[kind] && !hub_hash_equal(&c->block[kind], h))
        sim_fail(n->sim, "node %u signed two %s of view %llu", n->index, names[kind],
                 (unsigned long long)s->view);
    if ((kind == f && c->sent[z]) || (kind == z && c->sent[f]))
        sim_fail(n->sim, "node %u signed NULLIFY and FINALIZE of view %llu", n->index,
                 (unsigned long long)s->view);
    if ((kind == f && c->sent[nz] && !hub_hash_equal(&c->block[nz], h)) ||
        (kind == nz && c->sent[f] && !hub_hash_equal(&c->block[f], h)))
        sim_fail(n->sim, "node %u signed NOTARIZE and FINALIZE of different blocks in view %llu",
                 n->index, (unsigned long long)s->view);
    c->sent[kind] = true;
    c->block[kind] = *h;
}

static void check_certificate(struct sim_node *n, struct hub_span bytes)
{
    const bool unchecked = sim_unchecked_signatures;
    sim_unchecked_signatures = false;
    struct hub_certificate c;
    struct hub_validators set;
    bool good = hub_certificate_decode(&c, bytes);
    if (good)
        sim_set_of(n->sim, c.subject.epoch, &set);
    if (!good || !hub_certificate_ok(&c, &set))
        sim_fail(n->sim, "node %u sends a bad certificate", n->index);
    else if (c.signers >> n->index & 1)
        check_statement(n, &c.subject);
    sim_unchecked_signatures = unchecked;
}

void sim_check_send(struct sim_node *n, struct hub_span frame)
{
    static struct hub_message m;
    if (n->failed)
        sim_fail(n->sim, "node %u sends after its disk failed", n->index);
    if (!hub_message_decode(&m, frame)) {
        sim_fail(n->sim, "node %u sends a frame that does not decode", n->index);
        return;
    }
    if (n->faulty)
        return;
    if (m.kind == HUB_MSG_VOTE && m.u.vote.signer == n->index)
        check_statement(n, &m.u.vote.subject);
    if (m.kind == HUB_MSG_CERT)
        check_certificate(n, m.u.certificate);
    if (m.kind == HUB_MSG_PROPOSE) {
        const struct hub_header *h = &m.u.propose.header;
        struct hub_subject s = {.kind = HUB_NOTARIZE, .epoch = h->epoch, .view = h->view};
        hub_header_hash(&s.block_hash, m.u.propose.header_bytes);
        if (h->proposer == n->index)
            check_statement(n, &s);
        for (uint32_t i = 0; i < m.u.propose.just_count; i++)
            check_certificate(n, m.u.propose.just[i]);
    }
}

/* A certificate with n's own signature may exist only after its vote is durable. */
void sim_check_kept(struct sim_node *n, const struct hub_certificate *c)
{
    if (!n->faulty && c->signers >> n->index & 1 &&
        !cast_of(n, &c->subject)->journalled[c->subject.kind - 1])
        sim_fail(n->sim, "node %u counts its own vote of view %llu before it is durable", n->index,
                 (unsigned long long)c->subject.view);
    distrust_faulty(n->sim);
    oracle_certificate(n->sim->checker.oracle, &c->subject, c->signers);
    ask_oracle(n->sim);
}

void sim_check_acknowledged(struct sim_node *n, const struct hub_applied *applied,
                            struct hub_span block)
{
    const struct sim_block *stored = sim_journal_find(&n->journal, &applied->hash);
    if (stored && !stored->damaged &&
        !hub_span_equal(block, (struct hub_span){stored->bytes, stored->len}))
        sim_fail(n->sim, "node %u makes other bytes final at %llu than it has checked", n->index,
                 (unsigned long long)applied->header.height);
    struct hub_cbor c = hub_cbor_open(hub_span_of(&applied->results));
    while (!c.bad && c.at < c.end) {
        struct hub_hash id;
        hub_cbor_array(&c, 3, 3);
        hub_cbor_hash(&c, &id);
        hub_cbor_item(&c);
        hub_cbor_item(&c);
        struct sim_record *r = sim_record_find(n->sim, &id);
        if (r && r->given_to >> n->index & 1)
            r->told_height = applied->header.height;
    }
}

/* The first node to make a height final brings its records; each may be final once. */
static void count_records(struct sim *s, const struct sim_block *b)
{
    static struct hub_record records[HUB_BLOCK_RECORDS_MAX];
    struct hub_block block = {.records = records};
    uint32_t bad;
    uint16_t why;
    if (hub_block_decode(&block, &bad, &why, (struct hub_span){b->bytes, b->len},
                         &s->world->genesis.chain) != HUB_OK) {
        sim_fail(s, "final block %llu does not decode", (unsigned long long)b->header.height);
        return;
    }
    for (uint32_t i = 0; i < block.count; i++) {
        struct sim_record *r = sim_record_find(s, &block.records[i].id);
        const bool expired = r && r->expect == SIM_EXPIRED && b->header.time_ms >= SIM_EXPIRED_MS;
        if (!r || r->final || expired)
            sim_fail(s, "final block %llu holds a record that is %s",
                     (unsigned long long)b->header.height,
                     !r         ? "nobody's"
                     : r->final ? "final already"
                                : "expired");
        else if (r->rivals && s->record[r->rivals - 1].final)
            sim_fail(s, "two records with one number are final");
        if (r) {
            r->final = true;
            r->height = b->header.height;
            r->position = i;
            s->checker.finals++;
        }
    }
    if (block.count)
        s->checker.record_top = b->header.height;
}

static void check_height(struct sim_node *n, uint64_t height)
{
    struct sim *s = n->sim;
    const struct sim_block *b = sim_journal_at(&n->journal, height);
    if (!b) {
        sim_fail(s, "node %u lacks final block %llu", n->index, (unsigned long long)height);
        return;
    }
    struct sim_checker *k = &s->checker;
    while (k->heights <= height) {
        k->height = sim_grow(k->height, &k->heights_cap, k->heights, sizeof *k->height);
        k->height[k->heights++] = (struct sim_height){0};
    }
    struct sim_height *h = &k->height[height];
    if (!h->known) {
        *h = (struct sim_height){b->hash, b->header.state_root, b->header.log_root, true};
        if (height > s->checker.top)
            s->checker.top = height;
        if (b->header.view > s->progress_view)
            s->progress_view = b->header.view;
        count_records(s, b);
        sim_audit_block(n, b);
    }
    if (!n->faulty)
        oracle_final(k->oracle, n->index, height, &b->hash);
    ask_oracle(s);
    if (!hub_hash_equal(&h->hash, &b->hash))
        sim_fail(s, "FORK: node %u has another final block %llu", n->index,
                 (unsigned long long)height);
    else if (!hub_hash_equal(&h->state_root, &b->header.state_root) ||
             !hub_hash_equal(&h->log_root, &b->header.log_root))
        sim_fail(s, "node %u has other roots at %llu", n->index, (unsigned long long)height);
}

/* Bad signatures of one peer are looked at n times a second, and 8 n times at once (docs/protocol.md 9). */
static void check_tokens(struct sim_node *n)
{
    uint64_t size = n->sim->plan.n, most = size * (n->sim->now_ms / 1000 + 1) + 8 * size;
    for (uint8_t i = 0; i < size; i++) {
        const uint64_t bad = n->replica->peer[sim_peer_of(n, i)].bad_signatures;
        if (bad > most)
            sim_fail(n->sim, "node %u checked %llu bad signatures of node %u", n->index,
                     (unsigned long long)bad, i);
    }
}

/* Where the state stands at the final block, its root and the log's are what the header claims. */
static void check_roots(struct sim_node *n)
{
    struct hub_chain *c = &n->replica->chain;
    struct hub_hash state, log;
    if (c->at >= 0)
        return;
    hub_state_root(&c->state, &state);
    hub_merkle_root(&log, &c->final_edge);
    if (!hub_hash_equal(&state, &c->final_header.state_root) ||
        !hub_hash_equal(&log, &c->final_header.log_root))
        sim_fail(n->sim, "node %u: state or log at height %llu is not what the header claims",
                 n->index, (unsigned long long)c->final_header.height);
}

void sim_check_turn(struct sim_node *n)
{
    const struct hub_chain *c = &n->replica->chain;
    uint64_t height = c->final_header.height;
    hub_cons_assert(&n->replica->cons);
    if (n->sim->healed && !n->sim->plan.safety_only &&
        n->replica->cons.view > n->sim->progress_view + BARREN_VIEWS_MAX && !sim_is_stopped(n->sim))
        sim_fail(n->sim, "node %u: more than %d views without a final block after the faults ended",
                 n->index, BARREN_VIEWS_MAX);
    if (height < n->final_height)
        sim_fail(n->sim, "node %u: final height goes back", n->index);
    if (n->replica->events_lost || n->replica->frames_lost)
        sim_fail(n->sim, "node %u: %llu events and %llu frames found no room", n->index,
                 (unsigned long long)n->replica->events_lost,
                 (unsigned long long)n->replica->frames_lost);
    check_tokens(n);
    while (n->checked_height < height && !n->sim->failed)
        check_height(n, ++n->checked_height);
    if (height > n->final_height && height == n->checked_height &&
        !hub_hash_equal(&c->final_hash, &n->sim->checker.height[height].hash))
        sim_fail(n->sim, "FORK: node %u", n->index);
    if (height > n->final_height)
        check_roots(n);
    n->final_height = height;
}

void sim_check_evidence(struct sim_node *n, const struct hub_offence *o, struct hub_span item)
{
    uint32_t times = 0;
    struct sim *s = n->sim;
    struct hub_offence again;
    struct hub_validators set;
    struct hub_evidence e;
    const char *why = "no evidence";
    const uint8_t guilty = o->vote[0].signer;
    s->checker.evidence++;
    sim_trace(s, "node %u: evidence E%d against node %u, view %llu", n->index, (int)o->kind, guilty,
              (unsigned long long)o->vote[0].subject.view);
    /* Between nodes an item has no links: whoever asks a node for it gets them. */
    sim_set_of(s, o->vote[0].subject.epoch, &set);
    if (!hub_evidence_decode(&e, item) || !hub_evidence_ok(&again, &why, &e, &set))
        sim_fail(s, "node %u: its evidence E%d proves nothing: %s", n->index, (int)o->kind, why);
    for (uint32_t i = 0; i < n->replica->accuse.count; i++) {
        const struct hub_accused *a = &n->replica->accuse.known[i];
        times += a->signer == guilty && a->epoch == o->vote[0].subject.epoch &&
                 a->view == o->vote[0].subject.view;
    }
    if (times != 1)
        sim_fail(s, "node %u: evidence E%d against node %u in view %llu for the %u. time", n->index,
                 (int)o->kind, guilty, (unsigned long long)o->vote[0].subject.view, times);
    if (guilty >= s->plan.n || !s->node[guilty].faulty)
        sim_fail(s, "node %u: evidence E%d against honest node %u", n->index, (int)o->kind, guilty);
}

void sim_check_alarm(struct sim_node *n, const char *what)
{
    struct sim *s = n->sim;
    bool traitor = false;
    for (uint8_t i = 0; i < s->plan.n; i++)
        traitor |= s->node[i].faulty;
    sim_trace(s, "node %u: ALARM: %s", n->index, what);
    if ((strstr(what, "two votes") || strstr(what, "its block does not say")) && traitor)
        return; /* the evidence itself is looked at in sim_check_evidence */
    else if (strstr(what, "breaks a rule here") && n->app == SIM_APP_REFUSES)
        return; /* it is the one whose application errs */
    else if (strstr(what, "was not given") && s->recovery.signed_ && sim_is_clone(n))
        return; /* of a node that is gone: nobody gave it the file */
    else if (!strstr(what, "journal lacks") || !(n->faulty || n->lost))
        sim_fail(s, "node %u raises a false alarm: %s", n->index, what);
}
