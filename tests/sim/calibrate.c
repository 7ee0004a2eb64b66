/* calibrate.c: the simulated journal beside the real store: the same calls in the same random order, with commits,
 * restarts and crashes between them, must be answered alike. What they are given is what a node of a run wrote, and
 * statements that contradict it. */
#include "sim.h"

#include "node/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CALLS = 3000 };

struct pair {
    struct sim *sim;
    const struct sim_journal *from; /* what a node wrote */
    struct sim_node *twin;          /* its journal is the simulated one */
    struct hub_store *store;
    struct hub_ports simulated, real;
    char dir[64];
    uint64_t r, calls;
    uint64_t tip; /* height; both have it */
};

static struct sim run;

static bool alike(struct pair *p, const char *call, enum hub_status a, enum hub_status b, bool same)
{
    p->calls++;
    if (a != b || !same)
        printf("calibrate: %s: the journal answers %d, the store %d%s\n", call, (int)a, (int)b,
               same ? "" : ", and something else");
    return a == b && same;
}

/* ---- puts */

static bool one_block(struct pair *p)
{
    const struct sim_block *b = &p->from->block[sim_below(&p->r, p->from->now.blocks)];
    struct hub_span bytes = {b->bytes, b->len};
    return alike(p, "put_block", p->simulated.put_block(p->twin, &b->header, &b->hash, bytes),
                 p->real.put_block(p->store, &b->header, &b->hash, bytes), true);
}

static bool one_vote(struct pair *p)
{
    struct hub_vote v = p->from->vote[sim_below(&p->r, p->from->now.votes)];
    if (sim_chance(&p->r, 300) && v.subject.kind != HUB_NULLIFY)
        v.subject.block_hash.b[0] ^= 1;
    else if (sim_chance(&p->r, 300))
        v.subject = (struct hub_subject){
            .kind = HUB_NULLIFY, .epoch = v.subject.epoch, .view = v.subject.view};
    return alike(p, "put_vote", p->simulated.put_vote(p->twin, &v), p->real.put_vote(p->store, &v),
                 true);
}

static bool one_certificate(struct pair *p)
{
    struct hub_certificate c;
    sim_kept_read(&c, &p->from->certificate[sim_below(&p->r, p->from->now.certificates)]);
    uint8_t n = p->sim->plan.n;
    if (sim_chance(&p->r, 300) && c.subject.kind != HUB_NULLIFY)
        c.subject.block_hash.b[0] ^= 1;
    return alike(p, "put_certificate", p->simulated.put_certificate(p->twin, &c, n),
                 p->real.put_certificate(p->store, &c, n), true);
}

/* The next final block, with what it stands on. */
static bool next_tip(struct pair *p)
{
    const struct sim_block *b = sim_journal_at(p->from, p->tip + 1);
    if (!b)
        return true;
    struct hub_span bytes = {b->bytes, b->len};
    struct hub_point at = {b->header.view, b->header.height, b->hash};
    struct hub_edge edge = {.size = b->header.log_size};
    bool good = alike(p, "put_block", p->simulated.put_block(p->twin, &b->header, &b->hash, bytes),
                      p->real.put_block(p->store, &b->header, &b->hash, bytes), true);
    p->tip++;
    return alike(p, "put_tip", p->simulated.put_tip(p->twin, &at, &edge),
                 p->real.put_tip(p->store, &at, &edge), true) &&
           good;
}

/* ---- gets */

static bool same_bytes(enum hub_status st, struct hub_span a, struct hub_span b)
{
    return st != HUB_OK || (a.len == b.len && !memcmp(a.data, b.data, a.len));
}

static bool read_blocks(struct pair *p)
{
    const struct sim_block *b = &p->from->block[sim_below(&p->r, p->from->now.blocks)];
    struct hub_span x, y;
    enum hub_status s = p->simulated.get_block(p->twin, &b->hash, &x);
    enum hub_status t = p->real.get_block(p->store, &b->hash, &y);
    if (!alike(p, "get_block", s, t, same_bytes(s, x, y)))
        return false;
    uint64_t height = 1 + sim_below(&p->r, p->from->now.heights);
    s = p->simulated.get_block_at(p->twin, height, &x);
    t = p->real.get_block_at(p->store, height, &y);
    return alike(p, "get_block_at", s, t, same_bytes(s, x, y));
}

static bool read_certificate(struct pair *p)
{
    const struct hub_subject *want =
        &p->from->certificate[sim_below(&p->r, p->from->now.certificates)].subject;
    struct hub_certificate x, y;
    enum hub_status s =
        p->simulated.get_certificate(p->twin, want->epoch, want->view, want->kind, &x);
    enum hub_status t = p->real.get_certificate(p->store, want->epoch, want->view, want->kind, &y);
    return alike(p, "get_certificate", s, t,
                 s != HUB_OK ||
                     (hub_subject_equal(&x.subject, &y.subject) && x.signers == y.signers));
}

static bool read_tip(struct pair *p)
{
    struct hub_point x = {0}, y = {0};
    struct hub_edge e, f;
    struct hub_vote_mark a, b;
    enum hub_status s = p->simulated.get_tip(p->twin, &x, &e);
    enum hub_status t = p->real.get_tip(p->store, &y, &f);
    if (!alike(p, "get_tip", s, t,
               x.height == y.height && x.view == y.view && (s || e.size == f.size)))
        return false;
    s = p->simulated.get_mark(p->twin, &a);
    t = p->real.get_mark(p->store, &b);
    return alike(p, "get_mark", s, t, a.epoch == b.epoch && a.view == b.view && a.votes == b.votes);
}

static void add_up(uint64_t *sum, const struct hub_subject *s)
{
    *sum =
        (*sum * 31 + s->view * 4 + s->kind) * 0x9e3779b97f4a7c15u + hub_get_be64(s->block_hash.b);
}

static void add_vote(void *ctx, const struct hub_vote *v)
{
    add_up(ctx, &v->subject);
}

static void add_certificate(void *ctx, const struct hub_certificate *c)
{
    add_up(ctx, &c->subject);
}

/* All of them, in order. */
static bool read_all(struct pair *p)
{
    uint64_t a = 0, b = 0, from = sim_below(&p->r, p->from->now.voted.view + 1);
    enum hub_status s = p->simulated.each_vote(p->twin, 0, from, add_vote, &a);
    enum hub_status t = p->real.each_vote(p->store, 0, from, add_vote, &b);
    if (!alike(p, "each_vote", s, t, a == b))
        return false;
    s = p->simulated.each_certificate(p->twin, 0, from, add_certificate, &a);
    t = p->real.each_certificate(p->store, 0, from, add_certificate, &b);
    return alike(p, "each_certificate", s, t, a == b);
}

/* ---- commits and restarts */

static bool open_store(struct pair *p)
{
    char why[HUB_WHY_BYTES];
    enum { MAP_BYTES = 64 << 20 };
    if (hub_store_open(&p->store, why, p->dir, &p->sim->world->genesis, MAP_BYTES) != HUB_OK) {
        printf("calibrate: %s\n", why);
        return false;
    }
    hub_store_ports(p->store, &p->real);
    return true;
}

static bool commit(struct pair *p)
{
    return alike(p, "commit", p->simulated.commit(p->twin), p->real.commit(p->store), true);
}

static bool restart(struct pair *p)
{
    (void)sim_journal_crash(&p->twin->journal);
    hub_store_close(p->store);
    p->store = NULL;
    p->tip = p->twin->journal.now.has_tip ? p->twin->journal.now.tip.height : 0;
    return open_store(p);
}

static bool one_call(struct pair *p)
{
    static bool (*const calls[])(struct pair * p) = {
        one_block,       one_vote,    one_certificate,  next_tip, one_vote,
        one_certificate, read_blocks, read_certificate, read_tip, read_all};
    if (sim_chance(&p->r, 40))
        return commit(p);
    if (sim_chance(&p->r, 10))
        return restart(p);
    return calls[sim_below(&p->r, sizeof calls / sizeof calls[0])](p);
}

bool sim_calibrate(uint64_t seed)
{
    static struct sim_plan plan;
    static struct sim_node twin;
    plan = (struct sim_plan){.n = 4,
                             .delay_ms = 20,
                             .jitter_ms = 60,
                             .loss = 100,
                             .records = 60,
                             .work_ms = 8000,
                             .heal_ms = 9000,
                             .limit_ms = 60000,
                             .only = -1,
                             .absent = -1};
    sim_open(&run, seed, &plan);
    bool good = sim_run(&run);
    struct pair p = {.sim = &run, .from = &run.node[0].journal, .twin = &twin, .r = seed};
    twin = (struct sim_node){.sim = &run, .fuse = -1, .faulty = true};
    run.checker.cast[0].votes = 0;
    sim_journal_ports(&p.simulated);
    strcpy(p.dir, "/tmp/sim-calibrate-XXXXXX");
    good = good && mkdtemp(p.dir) && open_store(&p);
    for (uint32_t i = 0; i < CALLS && good; i++)
        good = one_call(&p);
    hub_store_close(p.store);
    printf("calibrate, seed %llu: %s, %llu calls, %llu heights\n", (unsigned long long)seed,
           good ? "ok" : "DIFFERENT", (unsigned long long)p.calls, (unsigned long long)p.tip);
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", p.dir);
    if (system(command) != 0)
        good = false;
    sim_journal_free(&twin.journal);
    sim_close(&run);
    return good;
}
