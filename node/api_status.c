/* api_status.c: how this node is doing, in words an operator understands, and in numbers for Prometheus. */
#include "node/api_query.h"

#include "hub/version.h"
#include "hub/waiting.h"
#include "node/abstain.h"
#include "node/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint8_t silent_count(const struct hub_node *n, uint64_t now)
{
    uint8_t count = 0;
    for (uint8_t i = 0; i < n->replica->chain.set.n; i++)
        count = (uint8_t)(count + hub_standing_silent(n, i, now));
    return count;
}

static void put_peers(struct hub_buf *out, const struct hub_node *n, uint64_t now)
{
    hub_json_key(out, "peers");
    hub_json_array(out);
    for (uint8_t i = 0; i < n->replica->chain.set.n; i++) {
        const uint64_t seen = hub_transport_seen_ms(n->transport, i);
        if (i == n->me)
            continue;
        hub_json_object(out);
        hub_json_int_member(out, "index", i);
        hub_json_string_member(out, "member", n->replica->chain.set.v[i].member);
        hub_json_bool_member(out, "reachable", !hub_standing_silent(n, i, now) && seen);
        hub_json_u64_member(out, "for_ms", now - n->facts.link[i].since_ms);
        if (seen)
            hub_json_u64_member(out, "last_heard_ms_ago", now - seen);
        hub_json_u64_member(out, "height", n->replica->peer[i].fin.height);
        hub_json_object_end(out);
    }
    hub_json_array_end(out);
}

/* What is in the way, the first of it as "why", then what is only worth knowing. */
static void put_causes(struct hub_buf *out, const struct hub_standing *s)
{
    for (uint32_t i = 0; i < s->causes; i++) {
        const struct hub_cause *c = &s->cause[i];
        if (i == 0 && !c->notice) {
            hub_json_key(out, "why");
            hub_json_object(out);
            hub_json_string_member(out, "en", c->en);
            hub_json_string_member(out, "zh", c->zh);
            hub_json_object_end(out);
        }
    }
    hub_json_key(out, "causes");
    hub_json_array(out);
    for (uint32_t i = 0; i < s->causes; i++) {
        const struct hub_cause *c = &s->cause[i];
        hub_json_object(out);
        hub_json_string_member(out, "code", c->code);
        hub_json_string_member(out, "level", c->notice ? "notice" : "problem");
        if (c->since_ms != UINT64_MAX)
            hub_json_u64_member(out, "for_ms", c->since_ms);
        hub_json_string_member(out, "en", c->en);
        hub_json_string_member(out, "zh", c->zh);
        hub_json_object_end(out);
    }
    hub_json_array_end(out);
}

static void put_members(struct hub_buf *out, const char *key, const struct hub_validators *set,
                        uint64_t who)
{
    hub_json_key(out, key);
    hub_json_array(out);
    for (uint8_t i = 0; i < set->n; i++)
        if (who >> i & 1)
            hub_json_string(out, set->v[i].member);
    hub_json_array_end(out);
}

/* Who voted what in the unfinished views, while work waits. */
static void put_views(struct hub_buf *out, const struct hub_node *n)
{
    static struct hub_waiting w; /* main thread only */
    const struct hub_validators *set = &n->replica->chain.set;
    if (!n->facts.work_since_ms)
        return;
    hub_cons_waiting(&n->replica->cons, hub_clock_wall_ms(), &w);
    hub_json_key(out, "views");
    hub_json_array(out);
    for (uint32_t i = 0; i < w.views; i++) {
        hub_json_object(out);
        hub_json_u64_member(out, "view", w.view[i].view);
        hub_json_string_member(out, "leader", set->v[w.view[i].leader].member);
        put_members(out, "notarize", set, w.view[i].notarize);
        put_members(out, "nullify", set, w.view[i].nullify);
        put_members(out, "finalize", set, w.view[i].finalize);
        hub_json_object_end(out);
    }
    hub_json_array_end(out);
}

/* Whether this node votes, and if not, why and what to do. */
static void put_voting(struct hub_buf *out, const struct hub_node *n)
{
    const struct hub_abstain_text *text = hub_abstain_text(n->replica->permit.why);
    hub_json_string_member(out, "voting", text->name);
    if (n->replica->permit.why == HUB_ABSTAIN_NOT)
        return;
    hub_json_key(out, "voting_why");
    hub_json_object(out);
    hub_json_string_member(out, "en", text->en);
    hub_json_string_member(out, "zh", text->zh);
    hub_json_object_end(out);
}

/* How an empty directory is, or was, filled. */
static void put_join(struct hub_buf *out, const struct hub_node *n)
{
    static const char *const states[] = {"", "asking", "fetching", "checking", "joined", "history"};
    const struct hub_join *j = &n->join;
    if (j->state == HUB_JOIN_OFF)
        return;
    hub_json_key(out, "join");
    hub_json_object(out);
    hub_json_string_member(out, "state", states[j->state]);
    hub_json_u64_member(out, "height", j->height);
    hub_json_u64_member(out, "bytes", j->have);
    hub_json_u64_member(out, "of", j->bytes);
    if (j->state == HUB_JOIN_FETCHING)
        hub_json_string_member(out, "peer", j->name(j->net, j->peer));
    hub_json_object_end(out);
}

void hub_api_get_status(struct hub_api *a, struct hub_query *q)
{
    static const char *const disks[] = {"ok", "no_records", "no_proposals", "stopping"};
    const struct hub_node *n = a->node;
    const struct hub_chain *c = &n->replica->chain;
    const struct hub_validators *set = &n->replica->chain.set;
    const uint64_t now = hub_clock_mono_ms();
    static struct hub_standing standing; /* main thread only */
    struct hub_buf *out = &q->out;
    hub_standing_of(&standing, n, now);
    hub_json_object(out);
    hub_json_string_member(out, "state", hub_standing_names[standing.state]);
    put_causes(out, &standing);
    put_views(out, n);
    hub_json_text_member(out, "network", n->genesis.name);
    hub_json_hash_member(out, "chain", &n->genesis.chain);
    hub_json_string_member(out, "member", n->member);
    hub_json_string_member(out, "role", n->me < set->n ? "validator" : "observer");
    if (n->me < set->n)
        hub_json_int_member(out, "index", n->me);
    if (n->retiring) { /* its key was a validator's */
        hub_json_bool_member(out, "safe_to_retire", n->safe);
    }
    hub_json_string_member(out, "version", HUB_VERSION);
    hub_json_u64_member(out, "height", c->final_header.height);
    hub_json_hash_member(out, "block_hash", &c->final_hash);
    hub_json_hash_member(out, "state_root", &c->final_header.state_root);
    hub_json_u64_member(out, "log_size", c->final_header.log_size);
    hub_json_time_members(out, "time", c->final_header.time_ms);
    hub_json_u64_member(out, "epoch", n->replica->cons.cfg.epoch);
    hub_json_u64_member(out, "view", n->replica->cons.view);
    hub_json_int_member(out, "validators", set->n);
    hub_json_int_member(out, "quorum", set->q);
    hub_json_key(out, "safe_with_byzantine"); /* b_safe = 2q - n - 1 */
    hub_json_int(out, 2 * set->q - set->n - 1);
    hub_json_key(out, "live_with_silent"); /* c_live = n - q */
    hub_json_int(out, set->n - set->q);
    hub_json_int_member(out, "waiting_records", hub_mempool_count(n->pool));
    hub_json_string_member(out, "disk", disks[n->disk]);
    put_voting(out, n);
    put_join(out, n);
    hub_json_u64_member(out, "history_from", n->floor.height + 1); /* 1: all of it */
    hub_json_string_member(out, "guard", hub_guard_failing(n->guard) ? "not_written" : "ok");
    hub_json_u64_member(out, "uptime_s", (now - n->started_ms) / 1000);
    put_peers(out, n, now);
    hub_json_object_end(out);
    hub_answer_json(a, q, 200);
}

/* live: this answer itself. ready: a quorum is heard and this node is not catching up. */
void hub_api_get_health(struct hub_api *a, struct hub_query *q)
{
    const struct hub_node *n = a->node;
    const uint64_t now = hub_clock_mono_ms();
    const bool live = strstr(q->route->path, "live") != NULL;
    const bool ready =
        (unsigned)(n->replica->chain.set.n - silent_count(n, now)) >= n->replica->chain.set.q &&
        !hub_replica_is_behind(n->replica) && !hub_join_busy(&n->join);
    hub_json_object(&q->out);
    hub_json_bool_member(&q->out, live ? "live" : "ready", live || ready);
    hub_json_object_end(&q->out);
    hub_answer_json(a, q, live || ready ? 200 : 503);
}

/* ---- metrics */

static void metric(struct hub_buf *out, const char *name, const char *type, const char *help,
                   uint64_t value)
{
    char text[512];
    snprintf(text, sizeof text,
             "# HELP hubledger_%s %s\n# TYPE hubledger_%s %s\nhubledger_%s %" PRIu64 "\n", name,
             help, name, type, name, value);
    hub_text_put(out, text);
}

static uint64_t resident_bytes(void)
{
    unsigned long long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%llu %llu", &pages, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void hub_api_get_metrics(struct hub_api *a, struct hub_query *q)
{
    const struct hub_node *n = a->node;
    const struct hub_transport_stats t = hub_transport_stats(n->transport);
    const struct hub_env_commits commits = hub_store_commits(n->store);
    const struct hub_chain *c = &n->replica->chain;
    const uint64_t now = hub_clock_mono_ms();
    struct hub_buf *out = &q->out;
    metric(out, "height", "gauge", "Height of the last final block.", c->final_header.height);
    metric(out, "log_size", "gauge", "Leaves of the log, genesis included.",
           c->final_header.log_size);
    metric(out, "view", "gauge", "View of the consensus core.", n->replica->cons.view);
    metric(out, "blocks_final_total", "counter", "Final blocks with records since start.",
           n->final_blocks);
    metric(out, "records_final_total", "counter", "Final records since start.", n->final_records);
    metric(out, "pool_records", "gauge", "Records waiting for a block.",
           hub_mempool_count(n->pool));
    metric(out, "pool_bytes", "gauge", "Bytes of waiting records.", hub_mempool_bytes(n->pool));
    metric(out, "records_admitted_total", "counter", "Records whose signature was good.",
           n->intake.admitted);
    metric(out, "records_refused_total", "counter", "Records refused at the door.",
           n->intake.refused);
    metric(out, "records_turned_away_total", "counter",
           "Records turned away because a queue was full.", n->intake.full);
    metric(out, "peers_silent", "gauge", "Validators not heard of lately.", silent_count(n, now));
    metric(out, "frames_in_total", "counter", "Frames received from peers.", t.frames_in);
    metric(out, "frames_out_total", "counter", "Frames sent to peers.", t.frames_out);
    metric(out, "bytes_in_total", "counter", "Bytes received from peers.", t.bytes_in);
    metric(out, "bytes_out_total", "counter", "Bytes sent to peers.", t.bytes_out);
    metric(out, "frames_dropped_total", "counter",
           "Frames dropped because a peer's queue was full.", t.dropped);
    metric(out, "keys_refused_total", "counter", "Connections refused: key not on the list.",
           t.refused_keys);
    metric(out, "frames_refused_total", "counter", "Frames refused: unlisted or malformed.",
           t.refused_frames);
    metric(out, "commits_total", "counter", "Commits of the store since start.", commits.count);
    metric(out, "commit_microseconds_total", "counter",
           "Time the main thread spent in them: writing pages and syncing.", commits.us);
    metric(out, "disk_level", "gauge", "0 ok, 1 takes no records, 2 proposes nothing, 3 stops.",
           n->disk);
    metric(out, "resident_bytes", "gauge", "Resident memory.", resident_bytes());
    metric(out, "api_requests_total", "counter", "Requests answered by the main thread.",
           a->requests);
    metric(out, "uptime_seconds", "gauge", "Seconds since start.", (now - n->started_ms) / 1000);
    q->content_type = "text/plain; version=0.0.4; charset=utf-8";
    hub_answer_json(a, q, 200);
}
