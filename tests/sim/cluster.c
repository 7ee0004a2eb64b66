/* cluster.c: the heap of events, the faults that strike in between, and the run. */
#include "sim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { RESUBMIT_MS = 4000 };

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

/* ---- heap: smallest (time, number) first; the events themselves stay in their slots */

static bool before(const struct sim_heap_item *a, const struct sim_heap_item *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->number < b->number;
}

static uint32_t new_slot(struct sim *s)
{
    if (s->free_slots)
        return s->free_slot[--s->free_slots];
    s->event = sim_grow(s->event, &s->events_cap, s->slots, sizeof *s->event);
    s->free_slot = realloc(s->free_slot, s->events_cap * sizeof *s->free_slot);
    HUB_ASSERT(s->free_slot);
    return s->slots++;
}

void sim_push(struct sim *s, const struct sim_event *ev)
{
    uint32_t slot = new_slot(s);
    s->heap = sim_grow(s->heap, &s->heap_cap, s->heap_len, sizeof *s->heap);
    const struct sim_heap_item item = {ev->time_ms, s->numbers++, slot};
    s->event[slot] = *ev;
    s->event[slot].number = item.number;
    size_t at = s->heap_len++;
    for (; at && before(&item, &s->heap[(at - 1) / 2]); at = (at - 1) / 2)
        s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[at] = item;
}

static struct sim_event pop(struct sim *s)
{
    const uint32_t slot = s->heap[0].slot;
    const struct sim_heap_item last = s->heap[--s->heap_len];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= s->heap_len)
            break;
        if (child + 1 < s->heap_len && before(&s->heap[child + 1], &s->heap[child]))
            child++;
        if (!before(&s->heap[child], &last))
            break;
        s->heap[at] = s->heap[child];
        at = child;
    }
    s->heap[at] = last;
    s->free_slot[s->free_slots++] = slot;
    return s->event[slot];
}

void sim_turn_at(struct sim_node *n, uint64_t time_ms)
{
    if (time_ms >= n->turn_ms)
        return;
    n->turn_ms = time_ms;
    sim_push(n->sim, &(struct sim_event){
                         .time_ms = time_ms, .kind = SIM_TURN, .node = n->slot, .boot = n->boot});
}

void sim_fold(struct sim *s, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    uint64_t h = s->hash;
    for (; len >= 8; at += 8, len -= 8) {
        h = (h ^ hub_get_be64(at)) * 0x9fb21c651e98df25u;
        h ^= h >> 32;
    }
    for (; len; at++, len--)
        h = (h ^ *at) * 0x9fb21c651e98df25u;
    s->hash = h ^ h >> 29;
}

/* ---- crashes */

/* A disk on which something is damaged that only its owner has: whoever finds that replaces it. */
static void replace_damaged_disk(struct sim_node *n)
{
    sim_trace(n->sim, "node %u: the damage is found, the disk replaced", n->index);
    size_t votes = n->journal.now.votes;
    sim_journal_free(&n->journal);
    sim_lost(n, votes);
}

void sim_crash(struct sim_node *n, uint64_t down_ms)
{
    struct sim *s = n->sim;
    sim_trace(s, "node %u%s crashes", n->index, sim_is_clone(n) ? " (clone)" : "");
    size_t votes = n->journal.committed.votes;
    sim_guard_settle(&n->guard, s->now_ms, true);
    if (sim_node_down(n)) {
        sim_lost(n, votes);
        n->journal.damaged_votes |= n->torn;
    }
    if (n->refused)
        replace_damaged_disk(n);
    n->refused = false;
    s->checker.cast[n->slot].votes = n->journal.now.votes;
    sim_push(
        s, &(struct sim_event){
               .time_ms = s->now_ms + down_ms, .kind = SIM_BOOT, .node = n->slot, .boot = n->boot});
}

static void on_heal(struct sim *s)
{
    sim_trace(s, "faults end");
    s->healed = true;
    sim_cut_links(s);
    memset(s->clogged_until_ms, 0, sizeof s->clogged_until_ms);
    for (uint8_t i = 0; i < s->plan.n; i++) {
        struct sim_node *n = &s->node[i];
        n->fuse = -1;
        n->slow_until_ms = n->full_until_ms = n->lies_until_ms = n->jump_until_ms = 0;
        if (n->app != SIM_APP_REFUSES)
            n->app_until_ms = 0;
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
        record->given_to |= (uint64_t)1 << n->index;
    }
    if (s->now_ms < s->plan.limit_ms && !record->final && record->expect != SIM_EXPIRED)
        sim_push(s, &(struct sim_event){.time_ms =
                                            s->now_ms + RESUBMIT_MS / 2 + sim_below(r, RESUBMIT_MS),
                                        .kind = SIM_SUBMIT,
                                        .record = ev->record});
}

static void schedule_work(struct sim *s)
{
    for (uint32_t i = 0; i < s->records; i++)
        sim_push(s, &(struct sim_event){
                        .time_ms = s->record[i].first_ms, .kind = SIM_SUBMIT, .record = i});
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
    s->world = sim_world_get(plan->n, plan->founders ? plan->founders : plan->n, plan->by_default);
    s->set[s->epochs++] = s->world->genesis.set;
    sim_work_write(s);
    s->checker.oracle = oracle_open(plan->n, s->world->genesis.set.q, 0);
    if (plan->founders)
        oracle_epoch(s->checker.oracle, 0, plan->founders, s->world->genesis.set.q);
    sim_audit_open(s);
    for (uint8_t i = 0; i < plan->n; i++) {
        sim_node_open(&s->node[i], s, i, i);
        s->node[i].faulty = plan->traitor[i] != NULL;
        uint64_t at = sim_below(&s->random[SIM_BOOTS], 300);
        if (plan->absent != i)
            sim_push(s, &(struct sim_event){.time_ms = at, .kind = SIM_BOOT, .node = i});
    }
    schedule_work(s);
    sim_schedule_faults(s);
    sim_push(s, &(struct sim_event){.time_ms = plan->heal_ms, .kind = SIM_HEAL});
    for (uint32_t i = 0; i < SIM_RUINS_MAX && plan->ruin[i].survivors; i++) {
        struct sim_event ev = {.time_ms = plan->ruin[i].gone_ms, .kind = SIM_GONE, .record = i};
        sim_push(s, &ev);
        ev.time_ms = plan->ruin[i].recover_ms;
        ev.kind = SIM_RECOVER;
        sim_push(s, &ev);
    }
}

void sim_close(struct sim *s)
{
    for (size_t i = 0; i < s->heap_len; i++)
        free(s->event[s->heap[i].slot].bytes);
    free(s->heap);
    free(s->event);
    free(s->free_slot);
    for (uint8_t i = 0; i <= SIM_CLONE_SLOT; i++) {
        if (s->node[i].sim)
            sim_node_close(&s->node[i]);
        free(s->checker.cast[i].list);
        sim_index_free(&s->checker.cast[i].index);
    }
    free(s->checker.height);
    oracle_close(s->checker.oracle);
    sim_audit_close(s);
    sim_index_free(&s->record_at);
    for (uint32_t i = 0; i < s->records; i++)
        free(s->record[i].bytes);
    free(s->record);
}

/* The node is stopped, or waits for its disk: what comes for it waits in order. */
static void wait_for(struct sim_node *n, const struct sim_event *ev)
{
    struct sim_event again = *ev;
    if (ev->kind == SIM_TURN && (ev->boot != n->boot || ev->time_ms != n->turn_ms))
        return;
    again.time_ms = n->busy_until_ms;
    if (ev->kind == SIM_TURN)
        n->turn_ms = again.time_ms;
    if (ev->len) {
        again.bytes = malloc(ev->len);
        HUB_ASSERT(again.bytes);
        memcpy(again.bytes, ev->bytes, ev->len);
    }
    sim_push(n->sim, &again);
}

static void node_event(struct sim *s, const struct sim_event *ev)
{
    struct sim_node *n = &s->node[ev->node];
    if (n->up && ev->kind != SIM_BOOT && s->now_ms < n->busy_until_ms) {
        wait_for(n, ev);
        return;
    }
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
    case SIM_FAULT:
        if (!s->healed)
            sim_strike(s, ev->record);
        break;
    case SIM_OVER:
        sim_cut_links(s);
        break;
    case SIM_SHOOT:
        sim_journal_shoot(&s->node[ev->node].journal, ev->record);
        sim_guard_settle(&s->node[ev->node].guard, s->now_ms, false);
        s->node[ev->node].guard_shot[ev->record] = s->node[ev->node].guard;
        break;
    case SIM_HEAL:
        on_heal(s);
        break;
    case SIM_GONE:
        sim_gone(s, ev->record);
        break;
    case SIM_RECOVER:
        sim_recover(s, ev->record);
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
bool sim_done(struct sim *s)
{
    for (; s->done_records < s->records; s->done_records++) { /* final is for ever */
        const struct sim_record *r = &s->record[s->done_records];
        if (r->expect == SIM_VALID && !r->final)
            return false;
    }
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

static void fold_event(struct sim *s, const struct sim_event *ev)
{
    uint8_t head[24];
    hub_put_be64(head, ev->time_ms);
    hub_put_be64(head + 8, ev->number);
    hub_put_be64(head + 16, (uint64_t)ev->kind << 32 | (uint64_t)ev->node << 8 | ev->from);
    sim_fold(s, head, sizeof head);
    sim_fold(s, ev->bytes, ev->len);
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
        fold_event(s, &ev);
        run_event(s, &ev);
        free(ev.bytes);
        if (s->healed && !s->done_ms && sim_done(s))
            s->done_ms = s->now_ms;
        if (s->done_ms && s->now_ms >= s->done_ms + s->plan.linger_ms)
            break;
    }
    if (!s->failed && !s->plan.safety_only && !sim_done(s) && !sim_is_stopped(s))
        say_what_is_missing(s);
    if (s->plan.stops && !s->stopped)
        sim_fail(s, "the chain goes on, and was to be stopped by what faults took");
    if (!s->failed)
        sim_audit_end(s);
    return !s->failed;
}
