/* node.c: one node: the real replica, chain and core in memory of their own, on the ports of this folder. */
#include "sim.h"

#include <string.h>
#include <sys/mman.h>

enum { DOWN_MS = 500 }; /* of a crash nobody planned: a disk full at start */

/* Small tables: the workload needs no more, and the smaller ones are cleared at every boot. */
const uint32_t sim_table_rows[HUB_TABLES] = {
    [HUB_TABLE_PARAMETERS] = 64, [HUB_TABLE_MEMBERS] = 40,      [HUB_TABLE_KEYS] = 192,
    [HUB_TABLE_EPOCHS] = 4,      [HUB_TABLE_PROPOSALS] = 4,     [HUB_TABLE_AGREEMENTS] = 4,
    [HUB_TABLE_REVISIONS] = 4,   [HUB_TABLE_MOTIONS] = 4,       [HUB_TABLE_WALLETS] = 64,
    [HUB_TABLE_LIMITS] = 64,     [HUB_TABLE_FREEZES] = 4,       [HUB_TABLE_HOLDS] = 4,
    [HUB_TABLE_ESCROWS] = 4,     [HUB_TABLE_CHILDREN] = 16,     [HUB_TABLE_INSTITUTIONS] = 16,
    [HUB_TABLE_BATCHES] = 64,    [HUB_TABLE_REFERENCES] = 4096, [HUB_TABLE_READY] = 32,
    [HUB_TABLE_ATTESTS] = 4,     [HUB_TABLE_TOTALS] = 4,        [HUB_TABLE_CONSENTS] = 16,
    [HUB_TABLE_EVIDENCE] = 64,
};

enum { SWAP_MS = 2000 };

/* The memory of one node, kept from seed to seed: pages that are there already cost no fault. */
struct memory {
    struct hub_replica *replica;
    void *work, *chain, *state;
};

static void *map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    HUB_ASSERT(p != MAP_FAILED);
    return p;
}

static const struct memory *memory_of(uint8_t slot)
{
    static struct memory memory[SIM_NODES_MAX + 1];
    struct memory *m = &memory[slot];
    if (!m->replica)
        *m = (struct memory){.replica = map(sizeof *m->replica),
                             .work = map(hub_replica_memory_bytes()),
                             .chain = map(hub_chain_memory_bytes()),
                             .state = map(hub_state_memory_bytes(sim_table_rows))};
    return m;
}

void sim_node_open(struct sim_node *n, struct sim *s, uint8_t slot, uint8_t index)
{
    const struct memory *m = memory_of(slot);
    *n = (struct sim_node){.sim = s,
                           .index = index,
                           .slot = slot,
                           .fuse = -1,
                           .turn_ms = SIM_NEVER,
                           .down_ms = DOWN_MS};
    n->replica = m->replica;
    n->memory = m->work;
    n->chain_memory = m->chain;
    n->state_memory = m->state;
    memset(n->replica, 0, sizeof *n->replica);
}

void sim_node_close(struct sim_node *n)
{
    sim_pool_clear(&n->pool);
    sim_intake_close(n);
    sim_journal_free(&n->journal);
}

struct hub_now sim_node_now(const struct sim_node *n)
{
    const struct sim *s = n->sim;
    int64_t now = (int64_t)s->now_ms, skew = s->plan.skew_ms[n->index];
    now += now * s->plan.drift_ppm[n->index] / 1000000;
    if (s->now_ms < n->jump_until_ms)
        skew += n->jump_ms;
    return (struct hub_now){.mono_ms = (uint64_t)now + 1000,
                            .wall_ms = (uint64_t)((int64_t)SIM_EPOCH_MS + now + skew)};
}

/* When the node's own clock will have gone on by so much. */
static uint64_t after_ms(const struct sim_node *n, uint64_t own_ms)
{
    uint64_t rate = (uint64_t)(1000000 + n->sim->plan.drift_ppm[n->index]);
    return n->sim->now_ms + (own_ms * 1000000 + rate - 1) / rate;
}

void sim_node_may_crash(struct sim_node *n)
{
    if (n->fuse_kind != SIM_FUSE_CRASH || n->fuse < 0 || n->fuse-- > 0)
        return;
    n->sim->struck[SIM_CRASH]++;
    longjmp(n->crash, 1);
}

bool sim_node_port(struct sim_node *n)
{
    sim_node_may_crash(n);
    if (n->fuse_kind == SIM_FUSE_ERROR && n->fuse >= 0 && n->fuse-- == 0) {
        n->sim->struck[SIM_ERROR]++;
        n->failed = true;
    }
    if (n->sim->now_ms < n->full_until_ms) {
        n->sim->struck[SIM_FULL]++;
        n->failed = true;
    }
    return !n->failed;
}

static void sign_vote(void *signer, struct hub_signature *out, struct hub_span message)
{
    const struct sim_node *n = signer;
    const struct sim_world *w = n->sim->world;
    hub_sign(out, n->new_key ? w->spare[n->index].secret : w->validator[n->index].secret, message);
}

static void alarm(void *client, const char *what, const struct hub_hash *block)
{
    (void)block;
    sim_check_alarm(client, what);
}

static void evidence(void *client, const struct hub_offence *o, struct hub_span item)
{
    sim_check_evidence(client, o, item);
}

static void epoch(void *client, const struct hub_validators *set, uint8_t me)
{
    (void)client, (void)set, (void)me;
}

static void ports(struct hub_ports *p, struct sim_node *n)
{
    *p = (struct hub_ports){.store = n, .net = n, .pool = n, .client = n, .signer = n, .guard = n};
    sim_journal_ports(p);
    sim_net_ports(p);
    if (n->sim->plan.real_pool)
        sim_intake_ports(n, p);
    else
        sim_pool_ports(p);
    p->sign = sign_vote;
    p->alarm = alarm;
    p->evidence = evidence;
    p->epoch = epoch;
}

static void start(struct sim_node *n)
{
    struct hub_replica *r = n->replica;
    struct hub_ports p;
    const struct sim_world *w = n->sim->world;
    n->new_key =
        n->sim->plan.rekeyed == n->index + 1 && n->journal.now.links > 0 && !sim_is_clone(n);
    struct hub_replica_config cfg = {.kid = n->new_key ? w->spare[n->index].kid
                                                       : w->validator[n->index].kid,
                                     .uplink_mbit = 1000,
                                     .jitter_seed = n->sim->seed * 31 + n->index,
                                     .version = "sim",
                                     .recovery = n->sim->recovery.record,
                                     .recoveries = n->sim->recovery.given,
                                     .resume = n->lost && n->sim->plan.resume,
                                     .memory = n->memory};
    ports(&p, n);
    if (n->journal.damaged_votes) { /* hub_store_open reads all own votes, and refuses */
        n->failed = n->refused = true;
        return;
    }
    enum hub_status st = hub_chain_init(&r->chain, &n->sim->world->genesis, n->state_memory,
                                        sim_table_rows, n->chain_memory);
    if (st == HUB_OK)
        st = hub_replica_start(r, &p, &cfg, sim_node_now(n));
    bool damaged = n->journal.damaged_tip || (n->journal.damaged && n->sim->plan.n == 1);
    if (st == HUB_CORRUPT && damaged)
        n->failed = n->refused = true;
    if (st && !n->failed)
        sim_fail(n->sim, "node %u does not start: status %d", n->index, st);
}

/* All volatile state is gone. Block buffers, outbox and undo logs keep what they held, as memory that a process is
 * given may: their lengths say what of them counts. */
static void forget(struct sim_node *n)
{
    memset(n->replica, 0, sizeof *n->replica);
    memset(n->state_memory, 0, hub_state_memory_bytes(sim_table_rows));
}

void sim_node_boot(struct sim_node *n)
{
    forget(n);
    n->up = true;
    n->failed = false;
    n->boot++;
    n->final_height = 0;
    sim_trace(n->sim, "node %u%s boots, tip %llu", n->index, sim_is_clone(n) ? " (clone)" : "",
              (unsigned long long)n->journal.now.tip.height);
    if (setjmp(n->crash)) {
        sim_crash(n, n->down_ms);
        return;
    }
    sim_current = n;
    start(n);
    sim_tamper(n);
    if (n->failed)
        sim_crash(n, n->down_ms);
    else
        sim_turn_at(n, n->sim->now_ms);
}

bool sim_node_down(struct sim_node *n)
{
    n->up = false;
    n->fuse = -1;
    n->turn_ms = SIM_NEVER;
    n->busy_until_ms = 0;
    sim_pool_clear(&n->pool);
    sim_intake_close(n);
    return sim_journal_crash(&n->journal);
}

void sim_node_message(struct sim_node *n, uint8_t from, struct hub_span frame)
{
    if (setjmp(n->crash)) {
        sim_crash(n, n->down_ms);
        return;
    }
    sim_current = n;
    sim_tamper(n);
    hub_replica_on_message(n->replica, sim_peer_of(n, from), frame, sim_node_now(n));
    sim_intake_collect(n);
    sim_turn_at(n, n->sim->now_ms);
}

void sim_node_checked(struct sim_node *n, const struct hub_hash *hash, bool valid)
{
    hub_replica_on_block_checked(n->replica, hash, valid);
    sim_turn_at(n, n->sim->now_ms);
}

/* A while after its key was replaced, its operator stops the node and starts it with the new one. */
static bool swap_key(struct sim_node *n)
{
    if (n->sim->plan.rekeyed != n->index + 1 || n->new_key || !n->journal.now.links ||
        sim_is_clone(n))
        return false;
    if (!n->swap_ms)
        n->swap_ms = n->sim->now_ms + SWAP_MS;
    if (n->sim->now_ms < n->swap_ms)
        return false;
    sim_crash(n, 500);
    return true;
}

void sim_node_turn(struct sim_node *n)
{
    uint64_t wake;
    n->turn_ms = SIM_NEVER;
    if (setjmp(n->crash)) {
        sim_crash(n, n->down_ms);
        return;
    }
    sim_current = n;
    sim_tamper(n);
    enum hub_status st = hub_replica_turn(n->replica, sim_node_now(n), &wake);
    if (st && !n->failed)
        sim_fail(n->sim, "node %u stops: status %d", n->index, st);
    if (st || n->failed) {
        if (!st)
            sim_fail(n->sim, "node %u goes on after its disk failed", n->index);
        sim_crash(n, n->down_ms);
        return;
    }
    sim_check_turn(n);
    if (swap_key(n))
        return;
    uint64_t mono = sim_node_now(n).mono_ms;
    if (wake != SIM_NEVER)
        sim_turn_at(n, after_ms(n, wake > mono ? wake - mono : 1));
}
