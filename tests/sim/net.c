/* net.c: links. A frame is lost, doubled, delayed, overtaken or cut off by a split, as the plan says. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

static bool cut(const struct sim *s, uint8_t from, uint8_t to)
{
    if (!s->split || s->side[from] == s->side[to])
        return false;
    return !s->one_way || s->side[from] == 1;
}

static bool lost_by_script(struct sim *s, uint8_t from, uint8_t to, struct hub_span frame)
{
    static struct hub_message m;
    return s->lose && hub_message_decode(&m, frame) && s->lose(s, from, to, &m);
}

/* See sim_act. */
static bool tells_traitor(struct sim *s, uint8_t to, struct hub_span frame)
{
    static struct hub_message m;
    return s->plan.traitor[to] && hub_message_decode(&m, frame) && m.kind == HUB_MSG_VOTE &&
           m.u.vote.signer == to;
}

static void deliver_later(struct sim *s, uint8_t from, uint8_t to, struct hub_span frame)
{
    uint64_t *r = &s->random[SIM_NET];
    uint64_t delay = s->plan.delay_ms + sim_below(r, s->plan.jitter_ms + 1);
    uint8_t *copy = malloc(frame.len);
    HUB_ASSERT(copy);
    memcpy(copy, frame.data, frame.len);
    sim_push(s, &(struct sim_event){.time_ms = s->now_ms + delay,
                                    .kind = SIM_FRAME,
                                    .node = to,
                                    .from = from,
                                    .bytes = copy,
                                    .len = frame.len});
}

void sim_net_put(struct sim *s, uint8_t from, uint8_t to, struct hub_span frame)
{
    uint64_t *r = &s->random[SIM_NET];
    bool faults = !s->healed;
    bool lost = faults && sim_chance(r, s->plan.loss);
    if (lost || cut(s, from, to) || lost_by_script(s, from, to, frame) ||
        tells_traitor(s, to, frame))
        return;
    deliver_later(s, from, to, frame);
    if (faults && sim_chance(r, s->plan.duplicate))
        deliver_later(s, from, to, frame);
}

static void net_send(void *net, int peer, struct hub_span frame)
{
    struct sim_node *n = net;
    struct sim *s = n->sim;
    sim_node_may_crash(n);
    sim_check_send(n, frame);
    const struct sim_adversary *traitor = s->plan.traitor[n->index];
    if (traitor && (!s->healed || s->plan.stubborn)) {
        uint64_t before = s->numbers;
        bool dealt_with = traitor->act(n, peer, frame);
        s->betrayals += dealt_with || s->numbers > before;
        if (dealt_with)
            return;
    }
    for (uint8_t to = 0; to < s->plan.n; to++)
        if (to != n->index && (peer < 0 || peer == to))
            sim_net_put(s, n->index, to, frame);
}

void sim_net_ports(struct hub_ports *p)
{
    p->send = net_send;
}
