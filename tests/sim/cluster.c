/* cluster.c: the heap of events, the faults that strike in between, and the run. */
#include "sim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { RESUBMIT_MS = 4000, BACK_UP_MS = 4000 };

void sim_trace(const struct sim *s, const char *format, ...)
{
    if (!s->trace)
        return;
    va_list args;
    va_start(args, format);
    printf("%8llu  ", (unsigned long long)s->now_ms);
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

/* ---- heap: smallest (time, number) first */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->number < b->number;
}

static void swap(struct sim_event *a, struct sim_event *b)
{
    struct sim_event t = *a;
    *a = *b;
    *b = t;
}

void sim_push(struct sim *s, const struct sim_event *ev)
{
    if (s->heap_len == s->heap_cap) {
        s->heap_cap = s->heap_cap ? 2 * s->heap_cap : 1024;
        s->heap = realloc(s->heap, s->heap_cap * sizeof *s->heap);
        HUB_ASSERT(s->heap);
    }
    size_t at = s->heap_len++;
    s->heap[at] = *ev;
    s->heap[at].number = s->numbers++;
    for (; at && before(&s->heap[at], &s->heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&s->heap[at], &s->heap[(at - 1) / 2]);
}

static struct sim_event pop(struct sim *s)
{
    struct sim_event top = s->heap[0];
    s->heap[0] = s->heap[--s->heap_len];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < s->heap_len; child++)
            if (before(&s->heap[child], &s->heap[least]))
                least = child;
        if (least == at)
            return top;
        swap(&s->heap[at], &s->heap[least]);
        at = least;
    }
}

void sim_turn_at(struct sim_node *n, uint64_t time_ms)
{
    if (time_ms >= n->turn_ms)
        return;
    n->turn_ms = time_ms;
    sim_push(n->sim, &(struct sim_event){
                         .time_ms = time_ms, .kind = SIM_TURN, .node = n->index, .boot = n->boot});
}

/* ---- faults */

static void later(struct sim *s, enum sim_event_kind kind, uint64_t mean_ms)
{
    uint64_t wait = mean_ms / 2 + sim_below(&s->random[SIM_FAULTS], mean_ms);
    sim_push(s, &(struct sim_event){.time_ms = s->now_ms + wait, .kind = kind});
}

void sim_crash(struct sim_node *n, uint64_t down_ms)
{
    struct sim *s = n->sim;
    sim_trace(s, "node %u crashes", n->index);
    sim_node_down(n);
    s->checker.votes[n->index] = n->journal.safe_votes;
    if (s->plan.wiped == n->index && !n->faulty && !s->healed) {
        bool rolled_back = s->plan.rolled_back && n->journal.old.taken;
        sim_trace(s, "node %u: disk %s", n->index, rolled_back ? "rolled back" : "wiped");
        if (rolled_back)
            sim_journal_roll_back(&n->journal);
        else
            sim_journal_free(&n->journal);
        s->checker.votes[n->index] = n->journal.safe_votes;
        n->faulty = true;
        n->checked_height = 0;
    }
    sim_push(s, &(struct sim_event){.time_ms = s->now_ms + down_ms,
                                    .kind = SIM_BOOT,
                                    .node = n->index,
                                    .boot = n->boot});
}

/* The crash comes some port calls later: anywhere between two effects. */
static void light_fuse(struct sim_node *n)
{
    uint64_t *r = &n->sim->random[SIM_FAULTS];
    bool error = n->sim->plan.io_errors && sim_chance(r, 400);
    n->fuse_kind = error ? SIM_FUSE_ERROR : SIM_FUSE_CRASH;
    n->fuse = (int64_t)sim_below(r, 24);
}

static void on_crash(struct sim *s)
{
    uint64_t *r = &s->random[SIM_FAULTS];
    bool all = sim_chance(r, 100);
    uint8_t one = (uint8_t)sim_below(r, s->plan.n);
    for (uint8_t i = 0; i < s->plan.n; i++)
        if (s->node[i].up && (all || i == one))
            light_fuse(&s->node[i]);
    later(s, SIM_CRASH, s->plan.crash_every_ms);
}

static void on_split(struct sim *s)
{
    uint64_t *r = &s->random[SIM_FAULTS];
    for (uint8_t i = 0; i < s->plan.n; i++)
        s->side[i] = sim_random(r) & 1;
    s->split = true;
    s->one_way = sim_chance(r, 300);
    sim_push(
        s, &(struct sim_event){.time_ms = s->now_ms + 500 + sim_below(r, 4000), .kind = SIM_JOIN});
    later(s, SIM_SPLIT, s->plan.split_every_ms);
}

static void on_heal(struct sim *s)
{
    sim_trace(s, "faults end");
    s->healed = true;
    s->split = false;
    for (uint8_t i = 0; i < s->plan.n; i++) {
        struct sim_node *n = &s->node[i];
        n->fuse = -1;
        if (n->up && n->replica->cons.view > s->progress_view)
            s->progress_view = n->replica->cons.view;
        if (!n->up && !n->gone)
            sim_node_boot(n);
    }
}

/* ---- work */

static void on_submit(struct sim *s, const struct sim_event *ev)
{
    uint64_t *r = &s->random[SIM_WORK];
    struct sim_record *record = &s->record[ev->record];
    struct sim_node *n = &s->node[sim_below(r, s->plan.n)];
    if (s->plan.only >= 0)
        n = &s->node[s->plan.only];
    if (record->final && !sim_chance(r, 300)) /* now and then a final one is replayed */
        return;
    if (n->up) {
        sim_node_submit(n, record);
        record->submitted = true;
    }
    if (s->now_ms < s->plan.limit_ms && !record->final && record->expect != SIM_EXPIRED)
        sim_push(s, &(struct sim_event){.time_ms =
                                            s->now_ms + RESUBMIT_MS / 2 + sim_below(r, RESUBMIT_MS),
                                        .kind = SIM_SUBMIT,
                                        .record = ev->record});
}

static void schedule_work(struct sim *s)
{
    uint64_t *r = &s->random[SIM_WORK];
    for (uint32_t i = 0; i < s->records; i++) {
        bool opening = i <= SIM_WALLETS;
        uint64_t at = opening ? sim_below(r, 1000) : 2000 + sim_below(r, s->plan.work_ms - 2000);
        s->record[i].first_ms = at;
        sim_push(s, &(struct sim_event){.time_ms = at, .kind = SIM_SUBMIT, .record = i});
        if (i && s->record[i].expect == SIM_RIVAL && s->record[i - 1].expect == SIM_RIVAL &&
            !s->record[i - 1].rivals) {
            s->record[i].rivals = i;
            s->record[i - 1].rivals = i + 1;
        }
    }
}

/* ---- run */

void sim_open(struct sim *s, uint64_t seed, const struct sim_plan *plan)
{
    memset(s, 0, sizeof *s);
    s->seed = seed;
    s->plan = *plan;
    for (unsigned i = 0; i < SIM_CONCERNS; i++) {
        uint64_t state = seed * SIM_CONCERNS + i;
        s->random[i] = sim_random(&state);
    }
    sim_real_signatures = plan->real_signatures;
    s->world = sim_world_get(plan->n);
    sim_world_records(s);
    for (uint8_t i = 0; i < plan->n; i++) {
        sim_node_open(&s->node[i], s, i);
        s->node[i].faulty = plan->traitor[i] != NULL;
        uint64_t at = sim_below(&s->random[SIM_FAULTS], 300);
        if (plan->absent != i)
            sim_push(s, &(struct sim_event){.time_ms = at, .kind = SIM_BOOT, .node = i});
    }
    schedule_work(s);
    if (plan->crash_every_ms)
        later(s, SIM_CRASH, plan->crash_every_ms);
    if (plan->split_every_ms)
        later(s, SIM_SPLIT, plan->split_every_ms);
    if (plan->wiped >= 0)
        sim_push(s, &(struct sim_event){.time_ms = BACK_UP_MS, .kind = SIM_BACK_UP});
    sim_push(s, &(struct sim_event){.time_ms = plan->heal_ms, .kind = SIM_HEAL});
}

void sim_close(struct sim *s)
{
    for (size_t i = 0; i < s->heap_len; i++)
        free(s->heap[i].bytes);
    free(s->heap);
    for (uint8_t i = 0; i < s->plan.n; i++) {
        sim_node_close(&s->node[i]);
        free(s->checker.cast[i]);
    }
    for (uint32_t i = 0; i < s->records; i++)
        free(s->record[i].bytes);
}

static void node_event(struct sim *s, const struct sim_event *ev)
{
    struct sim_node *n = &s->node[ev->node];
    switch (ev->kind) {
    case SIM_FRAME:
        if (n->up)
            sim_node_message(n, ev->from, (struct hub_span){ev->bytes, ev->len});
        break;
    case SIM_TURN:
        if (n->up && ev->boot == n->boot && ev->time_ms == n->turn_ms)
            sim_node_turn(n);
        break;
    case SIM_CHECKED:
        if (n->up && ev->boot == n->boot)
            sim_node_checked(n, &ev->hash, ev->good);
        break;
    case SIM_BOOT:
        if (!n->up && !n->gone && ev->boot == n->boot)
            sim_node_boot(n);
        break;
    default:
        break;
    }
}

static void run_event(struct sim *s, const struct sim_event *ev)
{
    switch (ev->kind) {
    case SIM_SUBMIT:
        on_submit(s, ev);
        break;
    case SIM_CRASH:
        if (!s->healed)
            on_crash(s);
        break;
    case SIM_SPLIT:
        if (!s->healed)
            on_split(s);
        break;
    case SIM_JOIN:
        s->split = false;
        break;
    case SIM_HEAL:
        on_heal(s);
        break;
    case SIM_BACK_UP:
        sim_journal_back_up(&s->node[s->plan.wiped].journal);
        break;
    case SIM_SCRIPT:
        if (s->script)
            s->script(s, ev->record);
        break;
    default:
        node_event(s, ev);
    }
}

/* Every record that must be is final, and every node has it. */
bool sim_done(const struct sim *s)
{
    for (uint32_t i = 0; i < s->records; i++)
        if (s->record[i].expect == SIM_VALID && !s->record[i].final)
            return false;
    for (uint8_t i = 0; i < s->plan.n; i++)
        if (!s->node[i].gone && (!s->node[i].up || s->node[i].final_height < s->checker.record_top))
            return false;
    return s->healed;
}

static void say_what_is_missing(struct sim *s)
{
    char *at = s->why;
    size_t room = sizeof s->why;
    uint32_t missing = 0;
    for (uint32_t i = 0; i < s->records; i++)
        missing += s->record[i].expect == SIM_VALID && !s->record[i].final;
    int len = snprintf(at, room,
                       "no progress: %u of %u records not final; node (view, top, fin):", missing,
                       s->records);
    for (uint8_t i = 0; i < s->plan.n && len > 0 && (size_t)len < room; i++) {
        const struct hub_cons *c = &s->node[i].replica->cons;
        len +=
            snprintf(at + len, room - (size_t)len, " %u%s (%llu, %llu, %llu)", i,
                     s->node[i].up ? "" : " down", (unsigned long long)c->view,
                     (unsigned long long)c->top.view, (unsigned long long)s->node[i].final_height);
    }
    s->failed = true;
}

bool sim_run(struct sim *s)
{
    while (s->heap_len && !s->failed) {
        struct sim_event ev = pop(s);
        if (ev.time_ms > s->plan.limit_ms) {
            free(ev.bytes);
            break;
        }
        s->now_ms = ev.time_ms;
        s->events++;
        run_event(s, &ev);
        free(ev.bytes);
        if (s->healed && !s->done_ms && sim_done(s))
            s->done_ms = s->now_ms;
        if (s->done_ms && s->now_ms >= s->done_ms + s->plan.linger_ms)
            break;
    }
    if (!s->failed && !sim_done(s))
        say_what_is_missing(s);
    return !s->failed;
}
