/* net.c: links. A frame is lost, doubled, delayed, overtaken or cut off by a split, as the plan says. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

static bool lost_by_script(struct sim *s, uint8_t from, uint8_t to, struct hub_span frame)
{
    static struct hub_message m;
    return s->lose && hub_message_decode(&m, frame) && s->lose(s, from, to, &m);
}

/* See sim_act: evidence and votes of the traitor's key are lost, and an answer about its votes names none. */
static bool tells_traitor(struct sim *s, uint8_t to, struct hub_span *frame)
{
    static struct hub_message m;
    static uint8_t bytes[64];
    if (!s->plan.traitor[to] || !hub_message_decode(&m, *frame))
        return false;
    if (m.kind == HUB_MSG_VOTES && m.u.votes.signer == to) {
        struct hub_buf none = {.data = bytes, .cap = sizeof bytes};
        hub_message_votes(&none, m.u.votes.epoch, to, NULL, 0);
        *frame = hub_span_of(&none);
    }
    return m.kind == HUB_MSG_EVIDENCE || (m.kind == HUB_MSG_VOTE && m.u.vote.signer == to);
}

static uint64_t later_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void deliver_later(struct sim *s, uint8_t from, uint8_t to, struct hub_span frame)
{
    uint64_t jitter = sim_below(&s->random[SIM_DELAY], s->plan.jitter_ms + 1);
    uint64_t delay = s->plan.delay_ms, link = s->seed ^ (uint64_t)from << 8 ^ to;
    if (s->plan.uneven)
        delay *= 1 + sim_random(&link) % 8;
    uint64_t sent = later_of(s->now_ms, s->node[from].busy_until_ms);
    uint64_t at = later_of(sent + delay + jitter, s->clogged_until_ms[from][s->node[to].index]);
    uint8_t *copy = malloc(frame.len);
    HUB_ASSERT(copy);
    memcpy(copy, frame.data, frame.len);
    sim_push(s, &(struct sim_event){.time_ms = at,
                                    .kind = SIM_FRAME,
                                    .node = to,
                                    .from = s->node[from].index,
                                    .bytes = copy,
                                    .len = frame.len});
}

/* Frames for a validator reach its clone as well, from those whom it hears. */
static void reach_clone(struct sim *s, uint8_t from, uint8_t to, struct hub_span frame)
{
    const struct sim_node *c = &s->node[SIM_CLONE_SLOT];
    if (c->sim && c->index == to && s->clone.hears >> from & 1)
        deliver_later(s, from, c->slot, frame);
}

void sim_net_put(struct sim *s, uint8_t from, uint8_t to, struct hub_span frame)
{
    bool faults = !s->healed;
    bool lost = faults && sim_chance(&s->random[SIM_LOSS], s->plan.loss);
    if (lost || s->cut[from] >> to & 1 || lost_by_script(s, from, to, frame) ||
        tells_traitor(s, to, &frame))
        return;
    deliver_later(s, from, to, frame);
    reach_clone(s, from, to, frame);
    if (faults && sim_chance(&s->random[SIM_TWICE], s->plan.duplicate))
        deliver_later(s, from, to, frame);
}

uint8_t sim_peer_of(const struct sim_node *n, uint8_t node)
{
    return node < n->replica->chain.set.n ? node : (uint8_t)(HUB_VALIDATORS_MAX + node);
}

static void net_send(void *net, int peer, struct hub_span frame)
{
    struct sim_node *n = net;
    struct sim *s = n->sim;
    sim_node_may_crash(n);
    sim_check_send(n, frame);
    const struct sim_adversary *traitor = s->plan.traitor[n->index];
    const bool votes = n->index < n->replica->chain.set.n;
    peer -= peer >= HUB_VALIDATORS_MAX ? HUB_VALIDATORS_MAX : 0;
    if (traitor && votes && (!s->healed || s->plan.stubborn)) {
        uint64_t before = s->numbers;
        bool dealt_with = traitor->act(n, peer, frame);
        s->betrayals += dealt_with || s->numbers > before;
        if (dealt_with)
            return;
    }
    for (uint8_t to = 0; to < s->plan.n; to++)
        if (to != n->index && (peer < 0 || peer == to))
            sim_net_put(s, n->slot, to, frame);
}

void sim_net_ports(struct hub_ports *p)
{
    p->send = net_send;
}
