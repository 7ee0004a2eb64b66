/* standing_facts.c: what hub_standing_tend notes each turn, so that a sentence can say since when; and the log of a
 * standstill. See standing.h. */
#include "node/standing.h"

#include "hub/waiting.h"
#include "node/clock.h"
#include "node/log.h"
#include "node/node.h"

#include <string.h>

enum {
    TELL_MS = 60000,
    LOOK_MS = 250,
    CLOCK_LATE_MS = 60000, /* a block may be final long after it was made: the look is coarse */
    ROWS_LOGGED = 6
};

int64_t hub_standing_clock_behind_ms(const struct hub_standing_facts *f, uint64_t now_ms)
{
    if (f->clock.looks < HUB_CLOCK_LOOKS)
        return 0;
    int64_t told = f->clock.told_ms[0];
    for (uint32_t i = 1; i < HUB_CLOCK_LOOKS; i++)
        if (f->clock.told_ms[i] > told)
            told = f->clock.told_ms[i];
    return told + (int64_t)now_ms - (int64_t)hub_clock_wall_ms();
}

bool hub_standing_clock_wrong(int64_t behind_ms)
{
    return behind_ms > HUB_CLOCK_AHEAD_MS || behind_ms < -CLOCK_LATE_MS;
}

static void note_links(struct hub_node *n, uint64_t now_ms)
{
    struct hub_standing_facts *f = &n->facts;
    const struct hub_validators *set = &n->replica->chain.set;
    const bool first = !f->looked_ms || f->epoch != set->epoch;
    f->epoch = set->epoch;
    for (uint8_t i = 0; i < set->n; i++) {
        f->link[i].seen_ms = hub_transport_seen_ms(n->transport, i);
        f->link[i].address = hub_transport_address(n->transport, i);
        const bool up = f->link[i].seen_ms && !hub_standing_silent(n, i, now_ms);
        if (!first && up == f->link[i].up)
            continue;
        f->link[i].up = up;
        f->link[i].since_ms = now_ms;
        if (!first && i != n->me)
            HUB_LOG(INFO, up ? "link_up" : "link_down", HUB_LOG_TEXT("member", set->v[i].member),
                    HUB_LOG_NUMBER("validator", i));
    }
}

static void note_disk(struct hub_node *n, uint64_t now_ms)
{
    if (n->disk == n->facts.disk)
        return;
    n->facts.disk = n->disk;
    n->facts.disk_since_ms = now_ms;
}

/* A quorum has accepted the time of a block that becomes final; its maker is another machine. While catching up
 * blocks are old. Called before the height is noted. */
static void note_clock(struct hub_node *n, uint64_t now_ms)
{
    struct hub_standing_facts *f = &n->facts;
    const struct hub_header *h = &n->replica->chain.final_header;
    if (h->height > f->height && f->looked_ms && !n->replica->sync.active && h->proposer != n->me) {
        f->clock.told_ms[f->clock.looks++ % HUB_CLOCK_LOOKS] =
            (int64_t)h->time_ms - (int64_t)now_ms;
        if (h->proposer == f->fast.leader)
            f->fast.seen_ms = 0;
    }
    const int64_t behind = hub_standing_clock_behind_ms(f, now_ms);
    const bool wrong = hub_standing_clock_wrong(behind);
    if (wrong == (f->clock.since_ms != 0))
        return;
    f->clock.since_ms = wrong ? now_ms : 0;
    HUB_LOG(WARNING, "clock", HUB_LOG_TEXT("this_machine", wrong ? "wrong" : "right again"),
            HUB_LOG_NUMBER("off_ms", (uint64_t)(behind < 0 ? -behind : behind)));
}

/* The leader of this moment, if its block is from the future. By a clock that is behind everything is. */
static void note_fast_leader(struct hub_node *n, uint64_t now_ms)
{
    static struct hub_waiting w; /* main thread only */
    struct hub_standing_facts *f = &n->facts;
    const struct hub_cons *core = &n->replica->cons;
    if (f->clock.since_ms)
        f->fast.seen_ms = 0;
    if (!core->started || !core->gate_open || f->clock.since_ms)
        return;
    hub_cons_waiting(core, hub_clock_wall_ms(), &w);
    const uint8_t leader = w.view[0].leader;
    if (w.what != HUB_WAITS_CLOCK || leader == n->me)
        return;
    if (!f->fast.seen_ms || f->fast.leader != leader || now_ms - f->fast.seen_ms > HUB_FAST_TOLD_MS)
        f->fast.since_ms = now_ms;
    f->fast.leader = leader;
    f->fast.seen_ms = now_ms;
    f->fast.ahead_ms = w.ahead_ms;
}

static void note_work(struct hub_node *n, uint64_t now_ms)
{
    struct hub_standing_facts *f = &n->facts;
    const uint64_t height = n->replica->chain.final_header.height;
    const bool work = hub_mempool_count(n->pool) > 0 || n->replica->cons.gate_open;
    if (!work)
        f->work_since_ms = 0;
    else if (!f->work_since_ms || height != f->height)
        f->work_since_ms = now_ms;
    f->height = height;
}

/* One letter a validator: who voted what in a view, like "N 0.2. Z .1.. F ....". */
static void put_row(char text[4 * 64 + 16], const struct hub_waiting_view *v, uint8_t n)
{
    const uint64_t who[3] = {v->notarize, v->nullify, v->finalize};
    size_t at = 0;
    for (unsigned kind = 0; kind < 3; kind++) {
        text[at++] = "NZF"[kind];
        text[at++] = ' ';
        for (uint8_t i = 0; i < n; i++)
            text[at++] = who[kind] >> i & 1 ? (char)('0' + i % 10) : '.';
        text[at++] = kind < 2 ? ' ' : '\0';
    }
}

static void tell(const struct hub_node *n, const struct hub_standing *s)
{
    static struct hub_waiting w;
    for (uint32_t i = 0; i < s->causes; i++)
        if (!s->cause[i].notice)
            HUB_LOG(WARNING, "standstill", HUB_LOG_TEXT("code", s->cause[i].code),
                    HUB_LOG_TEXT("why", s->cause[i].en));
    hub_cons_waiting(&n->replica->cons, hub_clock_wall_ms(), &w);
    for (uint32_t i = 0; i < w.views && i < ROWS_LOGGED; i++) {
        char row[4 * 64 + 16];
        put_row(row, &w.view[i], n->replica->chain.set.n);
        HUB_LOG(WARNING, "standstill_view", HUB_LOG_NUMBER("view", w.view[i].view),
                HUB_LOG_NUMBER("leader", w.view[i].leader), HUB_LOG_TEXT("votes", row));
    }
}

void hub_standing_tend(struct hub_node *n, uint64_t now_ms)
{
    static struct hub_standing s; /* main thread only */
    struct hub_standing_facts *f = &n->facts;
    if (f->looked_ms && now_ms - f->looked_ms < LOOK_MS)
        return;
    note_links(n, now_ms);
    note_disk(n, now_ms);
    note_clock(n, now_ms);
    note_fast_leader(n, now_ms);
    note_work(n, now_ms);
    f->looked_ms = now_ms;
    const bool stuck = f->work_since_ms && now_ms - f->work_since_ms > HUB_STUCK_MS;
    if (stuck && (!f->told_ms || now_ms - f->told_ms >= TELL_MS)) {
        hub_standing_of(&s, n, now_ms);
        tell(n, &s);
        f->told_ms = now_ms;
        f->stuck = true;
    }
    if (!stuck && f->stuck) {
        HUB_LOG(INFO, "moving_again", HUB_LOG_NUMBER("height", f->height));
        f->stuck = false; /* told_ms stays: a network that flutters is not told of each second */
    }
}
