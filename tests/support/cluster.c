/* cluster.c: the simulated cluster: its clockwork, its handles, and a whole random run. */
#include "cluster_impl.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- clockwork */

static void forward(struct cluster *k, struct node *x)
{
    struct message m = {.type = CLUSTER_RECORD, .first = x->own_pool & ~x->final_records};
    if (m.first)
        cluster_node_post_all(k, x, &m);
    x->forward_ms = k->now_ms + 1000;
}

static void clockwork(struct cluster *k, struct node *x)
{
    if (!x->up) {
        if (k->now_ms >= x->restart_ms)
            cluster_node_start(k, x);
        return;
    }
    if (k->now_ms >= x->status_ms)
        cluster_node_status(k, x);
    if (k->now_ms >= x->forward_ms)
        forward(k, x);
    if (k->now_ms >= x->wake_ms || x->outbox_count)
        cluster_node_feed(k, x, &(struct hub_event){.kind = HUB_EV_TICK});
    cluster_node_turn(k, x);
}

static uint64_t next_alarm(const struct cluster *k)
{
    uint64_t t = k->cfg.traitors ? k->traitor_ms : UINT64_MAX;
    for (uint8_t i = 0; i < k->nodes; i++) {
        const struct node *x = &k->node[i];
        uint64_t due = x->wake_ms < x->status_ms ? x->wake_ms : x->status_ms;
        due = due < x->forward_ms ? due : x->forward_ms;
        if (!x->runs)
            continue;
        due = x->up ? due : x->restart_ms;
        t = due < t ? due : t;
    }
    return t;
}

void cluster_run(struct cluster *k, uint64_t ms)
{
    const uint64_t end = k->now_ms + ms;
    while (!k->failure[0]) {
        uint64_t alarm = next_alarm(k), until = alarm < end ? alarm : end;
        struct message *m = cluster_next(k, until);
        if (m) {
            k->now_ms = m->at_ms > k->now_ms ? m->at_ms : k->now_ms;
            cluster_node_deliver(k, m);
            free(m);
            continue;
        }
        if (until >= end)
            break;
        k->now_ms = alarm > k->now_ms ? alarm : k->now_ms;
        if (k->cfg.traitors && k->now_ms >= k->traitor_ms) {
            k->traitor_ms = k->now_ms + 20 + cluster_random(k) % 200;
            cluster_treason(k);
        }
        for (uint8_t i = 0; i < k->nodes; i++)
            if (k->node[i].runs)
                clockwork(k, &k->node[i]);
    }
    k->now_ms = end;
}

/* ---- handles */

static uint64_t liars(const struct cluster_config *cfg)
{
    uint64_t all = (UINT64_C(1) << cfg->n) - 1;
    return all & ~(all >> (cfg->traitors + cfg->twins));
}

struct cluster *cluster_open(const struct cluster_config *cfg)
{
    struct cluster *k = calloc(1, sizeof *k);
    if (!k)
        abort();
    HUB_ASSERT(cfg->n + cfg->twins <= CLUSTER_NODES && !(cfg->twins && cfg->traitors));
    k->cfg = *cfg;
    k->nodes = (uint8_t)(cfg->n + cfg->twins);
    k->random = cfg->seed;
    k->now_ms = 1000;
    k->faults = (struct cluster_faults){.delay_min_ms = 30, .delay_max_ms = 30};
    struct cluster_block genesis = {.facts = {.empty = true}};
    cluster_add_block(k, &genesis);
    k->oracle = oracle_open(cfg->n, cfg->q, liars(cfg));
    for (uint8_t i = 0; i < k->nodes; i++) {
        struct node *x = &k->node[i];
        x->me = (uint8_t)(i < cfg->n ? i : i - cfg->twins);
        x->honest = !(liars(cfg) >> x->me & 1);
        x->runs = x->me + cfg->traitors < cfg->n;
        x->disk.fin = (struct hub_point){.block_hash = k->block[0].facts.hash};
        if (x->runs)
            cluster_node_start(k, x);
    }
    return k;
}

void cluster_close(struct cluster *k)
{
    for (uint32_t i = 0; i < k->queued; i++)
        free(k->queue[i]);
    oracle_close(k->oracle);
    free(k);
}

void cluster_faults(struct cluster *k, const struct cluster_faults *f)
{
    k->faults = *f;
}

void cluster_script(struct cluster *k, cluster_lose *lose, void *ctx)
{
    k->lose = lose;
    k->lose_ctx = ctx;
}

void cluster_submit_alone(struct cluster *k, uint8_t node, uint8_t record)
{
    struct node *x = &k->node[node];
    x->pool |= UINT64_C(1) << record;
    if (x->up) {
        cluster_node_update_gate(k, x);
        cluster_node_turn(k, x);
    }
}

void cluster_submit(struct cluster *k, uint8_t node, uint8_t record)
{
    struct node *x = &k->node[node];
    x->own_pool |= UINT64_C(1) << record;
    cluster_submit_alone(k, node, record);
    if (x->up) {
        forward(k, x);
        cluster_node_feed(k, x, &(struct hub_event){.kind = HUB_EV_TICK});
        cluster_node_turn(k, x);
    }
}

void cluster_crash(struct cluster *k, uint8_t node)
{
    cluster_node_power_off(k, &k->node[node]);
    k->node[node].restart_ms = UINT64_MAX;
}

void cluster_restart(struct cluster *k, uint8_t node)
{
    if (!k->node[node].up && k->node[node].runs)
        cluster_node_start(k, &k->node[node]);
}

uint64_t cluster_now(const struct cluster *k)
{
    return k->now_ms;
}
bool cluster_up(const struct cluster *k, uint8_t node)
{
    return k->node[node].up;
}
const struct hub_cons *cluster_core(const struct cluster *k, uint8_t node)
{
    return &k->node[node].core;
}
uint64_t cluster_final_records(const struct cluster *k, uint8_t node)
{
    return k->node[node].final_records;
}
uint64_t cluster_final_height(const struct cluster *k, uint8_t node)
{
    return k->node[node].memory.fin.height;
}
bool cluster_forked(const struct cluster *k)
{
    return oracle_forked(k->oracle);
}
uint64_t cluster_guilty(const struct cluster *k)
{
    return oracle_guilty(k->oracle);
}
uint8_t cluster_nodes(const struct cluster *k)
{
    return k->nodes;
}
bool cluster_honest(const struct cluster *k, uint8_t node)
{
    return k->node[node].honest;
}
uint32_t cluster_proposed(const struct cluster *k)
{
    return k->proposed;
}
uint32_t cluster_evidence(const struct cluster *k)
{
    return k->evidence;
}
uint64_t cluster_messages(const struct cluster *k)
{
    return k->sent;
}
const char *cluster_failure(const struct cluster *k)
{
    return k->failure[0] ? k->failure : NULL;
}

/* ---- a random run */

static void random_faults(struct cluster *k)
{
    static const uint32_t loss[6] = {0, 0, 50, 200, 400, 600};
    struct cluster_faults f = {.loss_permille = loss[cluster_random(k) % 6],
                               .duplicate_permille = cluster_chance(k, 300) ? 200 : 0,
                               .delay_min_ms = 1,
                               .delay_max_ms = 1 + cluster_random(k) % 400,
                               .crash_permille = cluster_chance(k, 500) ? 8 : 0,
                               .bad_block_permille = cluster_chance(k, 200) ? 100 : 0,
                               .groups = cluster_chance(k, 400) ? cluster_random(k) : 0};
    cluster_faults(k, &f);
}

static bool all_final(const struct cluster *k, uint64_t records)
{
    for (uint8_t i = 0; i < k->nodes; i++)
        if (k->node[i].honest && (k->node[i].final_records & records) != records)
            return false;
    return true;
}

static const char *describe(struct cluster *k, const char *what)
{
    static char text[300];
    snprintf(text, sizeof text, "seed %llu n %u q %u traitors %u: %s",
             (unsigned long long)k->cfg.seed, k->cfg.n, k->cfg.q, k->cfg.traitors, what);
    return text;
}

static const char *judge(struct cluster *k, uint64_t records)
{
    uint32_t honest = (uint32_t)(k->cfg.n - k->cfg.traitors);
    struct cluster_faults none = {.delay_min_ms = 5, .delay_max_ms = 60};
    for (uint32_t phase = 0; phase < 8; phase++) {
        random_faults(k);
        for (uint8_t i = 0; i < 3; i++) {
            uint8_t record = (uint8_t)(phase * 3 + i);
            cluster_submit(k, (uint8_t)(cluster_random(k) % honest), record);
            cluster_run(k, cluster_random(k) % 6000);
        }
    }
    cluster_faults(k, &none);
    for (int s = 0; s < 300 && !k->failure[0] && !all_final(k, records); s++)
        cluster_run(k, 1000);
    if (k->failure[0])
        return k->failure;
    if (!all_final(k, records))
        return "records are not final everywhere 300 s after healing";
    if (k->cfg.traitors)
        return NULL; /* they may keep a network busy; they may not stop it */
    cluster_run(k, 20000);
    uint32_t blocks = k->proposed;
    cluster_run(k, 120000);
    if (k->failure[0])
        return k->failure;
    return k->proposed == blocks ? NULL : "blocks are proposed while there is nothing to do";
}

const char *cluster_random_run(uint64_t seed, uint8_t n, uint8_t q, uint8_t traitors)
{
    struct cluster_config cfg = {
        .seed = seed, .n = n, .q = q, .traitors = traitors, .delta_ms = 100, .pace_ms = 20};
    struct cluster *k = cluster_open(&cfg);
    const char *wrong = judge(k, (UINT64_C(1) << 24) - 1);
    const char *text = wrong ? describe(k, wrong) : NULL;
    cluster_close(k);
    return text;
}
