/* intake.c: a node with its own intake and mempool. Its signature threads and clock are simulated: the functions of
 * node/verifier.c and node/clock.c that they call are defined here, ahead of the archive. */
#include "sim.h"

#include "node/clock.h"

#include <stdlib.h>

const struct sim_node *sim_current;

uint64_t hub_clock_mono_ms(void)
{
    return sim_current ? sim_node_now(sim_current).mono_ms : 0;
}

uint64_t hub_clock_mono_us(void)
{
    return hub_clock_mono_ms() * 1000;
}

uint64_t hub_clock_wall_ms(void)
{
    return sim_current ? sim_node_now(sim_current).wall_ms : 0;
}

struct hub_verifier { /* questions wait until somebody collects the answers */
    struct {
        struct hub_record *record;
        const struct hub_record_keys *keys;
        uint64_t ticket;
    } job[HUB_RECORDS_MESSAGE_MAX];
    uint32_t count;
};

bool hub_verifier_submit(struct hub_verifier *v, struct hub_record *record,
                         const struct hub_record_keys *keys, uint64_t ticket)
{
    if (v->count == sizeof v->job / sizeof v->job[0])
        return false;
    v->job[v->count].record = record;
    v->job[v->count].keys = keys;
    v->job[v->count++].ticket = ticket;
    return true;
}

bool hub_verifier_done(struct hub_verifier *v, uint64_t *ticket, uint16_t *why)
{
    if (!v->count)
        return false;
    v->count--;
    *why = 0;
    *ticket = v->job[v->count].ticket;
    if (!hub_record_verify(v->job[v->count].record, why, v->job[v->count].keys))
        HUB_ASSERT(*why);
    return true;
}

static void check(void *pool, const struct hub_hash *hash, struct hub_record *records,
                  const struct hub_record_keys *keys, uint32_t count)
{
    const struct hub_intake *in = pool;
    sim_pool_check(in->ctx, hash, records, keys, count);
}

static void final(void *client, const struct hub_applied *applied, struct hub_span block)
{
    struct sim_node *n = client;
    sim_check_acknowledged(n, applied, block);
    hub_intake_final(&n->intake, applied);
}

void sim_intake_ports(struct sim_node *n, struct hub_ports *p)
{
    n->intake = (struct hub_intake){.chain = &n->replica->chain, .ctx = n};
    n->intake.verifier = calloc(1, sizeof *n->intake.verifier);
    HUB_ASSERT(n->intake.verifier &&
               hub_mempool_open(&n->intake.pool, &n->sim->world->genesis.chain) == HUB_OK);
    hub_intake_ports(&n->intake, p);
    p->check = check;
    p->final = final;
}

void sim_intake_close(struct sim_node *n)
{
    hub_mempool_close(n->intake.pool);
    free(n->intake.verifier);
    n->intake = (struct hub_intake){0};
}

void sim_intake_submit(struct sim_node *n, struct hub_span record, struct hub_span attachment)
{
    struct hub_hash id;
    uint16_t why;
    struct hub_now now = sim_node_now(n);
    sim_current = n;
    enum hub_status st = hub_intake_submit(&n->intake, &id, &why, record, attachment, true,
                                           now.mono_ms, now.wall_ms);
    if (st == HUB_OK)
        sim_intake_collect(n);
}

void sim_intake_collect(struct sim_node *n)
{
    if (!n->intake.verifier || !n->intake.verifier->count)
        return;
    sim_current = n;
    hub_intake_collect(&n->intake);
    hub_replica_on_records(n->replica);
}
