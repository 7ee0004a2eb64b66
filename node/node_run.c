/* node_run.c: the one loop of the node, and how an empty node passes from a snapshot to the chain. See node.h. */
#include "node/node.h"

#include "node/api.h"
#include "node/clock.h"
#include "node/log.h"
#include "node/membership.h"
#include "node/ready.h"
#include "node/snapshot.h"

#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    EXIT_BROKEN = 70,
    EXIT_DISK_FULL =
        75, /* EX_TEMPFAIL: may be started again at any time, and runs once there is room */
    TEND_MS = 60000,
    DISK_MS = 1000,
    SCRUB_MS = 1000,
    CHECKPOINT_IDLE_MS = 2000,
    WAIT_MAX_MS = 1000
};

static void on_frame(void *ctx, uint8_t peer, struct hub_span frame)
{
    struct hub_node *n = ctx;
    if (hub_join_busy(&n->join))
        hub_join_receive(&n->join, peer, frame, hub_clock_mono_ms());
    else
        hub_replica_on_message(n->replica, peer, frame,
                               (struct hub_now){hub_clock_mono_ms(), hub_clock_wall_ms()});
}

/* Each second: whether the disk still has room (docs/hazards.md H6); a busy node fills a percent in some seconds. */
static enum hub_status tend_disk(struct hub_node *n, uint64_t now_ms)
{
    static const char *const levels[] = {"ok", "takes no new records", "proposes no blocks",
                                         "stops"};
    enum hub_disk_level level = n->disk;
    if (now_ms - n->disk_ms < DISK_MS && n->disk_ms)
        return HUB_OK;
    n->disk_ms = now_ms;
    enum hub_status st = hub_store_disk(n->store, &level);
    if (level != n->disk)
        HUB_LOG(WARNING, "disk", HUB_LOG_TEXT("node", levels[level]),
                HUB_LOG_TEXT("directory", n->cfg.data),
                HUB_LOG_TEXT("remedy", level == HUB_DISK_OK ? "none needed: there is room again"
                                                            : "free space on this volume"));
    n->disk = level;
    n->intake.closed = level >= HUB_DISK_NO_RECORDS;
    n->intake.resting = level >= HUB_DISK_NO_PROPOSALS;
    n->stopping |= level == HUB_DISK_STOP;
    return st;
}

/* Once a minute: dead readers of the store, the reserve, and who may speak. */
static enum hub_status tend(struct hub_node *n, uint64_t now_ms)
{
    if (now_ms - n->tended_ms < TEND_MS && n->tended_ms)
        return HUB_OK;
    n->tended_ms = now_ms;
    n->peers_stale = true;
    return hub_store_tend(n->store, NULL);
}

/* Derived data to disk: when much lies above the last checkpoint, and when nothing goes on. */
static enum hub_status checkpoint(struct hub_node *n, uint64_t now_ms)
{
    const bool idle = now_ms - n->final_ms > CHECKPOINT_IDLE_MS && hub_mempool_count(n->pool) == 0;
    const enum hub_checkpoint_due due = hub_checkpoint_due(&n->replica->chain, n->history, idle);
    if (due == HUB_DUE_NOTHING)
        return HUB_OK;
    const enum hub_status st = due == HUB_DUE_LOG
                                   ? hub_checkpoint_write_log(n->store, n->history)
                                   : hub_checkpoint_write(n->store, &n->replica->chain, n->history);
    HUB_LOG(DEBUG, "checkpoint", HUB_LOG_NUMBER("height", n->replica->chain.final_header.height),
            HUB_LOG_NUMBER("ms", hub_clock_mono_ms() - now_ms));
    return st;
}

/* Each second a little of what is derived is read again. */
static enum hub_status scrub(struct hub_node *n, uint64_t now_ms)
{
    if (now_ms - n->scrubbed_ms < SCRUB_MS)
        return HUB_OK;
    n->scrubbed_ms = now_ms;
    return hub_scrub(&n->scrub, n->store, &n->replica->chain, n->history);
}

/* Verified whole before the first byte goes into the store: only what is proven gets there. Meanwhile nothing else is
 * answered, about a second for 100,000 wallets. */
static bool take_snapshot(struct hub_node *n, char why[HUB_WHY_BYTES])
{
    struct hub_snapshot_facts facts;
    struct hub_chain *c = &n->replica->chain;
    const uint64_t began_ms = hub_clock_mono_ms();
    FILE *file = n->join.file;
    rewind(file);
    if (hub_snapshot_read(file, NULL, c, &n->memory, &n->genesis, &facts, why) != HUB_OK)
        return false;
    rewind(file);
    if (hub_snapshot_read(file, n->store, c, &n->memory, &n->genesis, &facts, why) != HUB_OK) {
        HUB_LOG(ERROR, "stopped", HUB_LOG_TEXT("store", why)); /* H3: it was good a moment ago */
        _exit(EXIT_BROKEN);
    }
    HUB_LOG(INFO, "joined", HUB_LOG_NUMBER("height", facts.height),
            HUB_LOG_NUMBER("rows", facts.rows), HUB_LOG_NUMBER("bytes", n->join.have),
            HUB_LOG_NUMBER("history_from", facts.height + 1),
            HUB_LOG_NUMBER("ms", hub_clock_mono_ms() - began_ms));
    return true;
}

static void joining_turn(struct hub_node *n, uint64_t *wake_ms)
{
    char why[HUB_WHY_BYTES + 128] = "";
    *wake_ms = hub_join_turn(&n->join, hub_clock_mono_ms());
    const bool whole = n->join.state == HUB_JOIN_WHOLE;
    if (whole) {
        const bool good = take_snapshot(n, why);
        hub_join_verdict(&n->join, good, why, hub_clock_mono_ms());
    }
    const bool ended = !hub_join_busy(&n->join);
    const int code = whole || ended ? hub_node_follow(n, ended, why, sizeof why) : 0;
    if (code) {
        HUB_LOG(ERROR, "stopped", HUB_LOG_TEXT("why", why));
        _exit(code);
    }
}

/* What the node does of itself once it follows the chain. */
static enum hub_status follow(struct hub_node *n, uint64_t *wake_ms)
{
    enum hub_status st = hub_replica_turn(
        n->replica, (struct hub_now){hub_clock_mono_ms(), hub_clock_wall_ms()}, wake_ms);
    hub_docket_tend(n, hub_clock_mono_ms());
    hub_ready_tend(n, hub_clock_mono_ms());
    if (st == HUB_OK)
        st = checkpoint(n, hub_clock_mono_ms());
    if (st == HUB_OK)
        st = scrub(n, hub_clock_mono_ms());
    return st;
}

/* For peers that join. A checkpoint that cannot be found is none. */
static void tend_offer(struct hub_node *n)
{
    const struct hub_reader r = hub_store_reader(n->store);
    struct hub_hash block;
    uint64_t height = 0;
    if (n->offer.wanted && hub_checkpoint_height(&r, &height, &block) != HUB_OK)
        height = 0;
    hub_offer_tend(&n->offer, height, n->disk, hub_clock_mono_ms());
}

/* Milliseconds until there is something to do, at most WAIT_MAX_MS. */
static int64_t wait_time(uint64_t wake_ms)
{
    const uint64_t now = hub_clock_mono_ms();
    if (wake_ms <= now)
        return 0;
    return wake_ms - now < WAIT_MAX_MS ? (int64_t)(wake_ms - now) : WAIT_MAX_MS;
}

static void take_inputs(struct hub_node *n, unsigned ready)
{
    struct signalfd_siginfo info;
    if (ready & 1 && read(n->signal_fd, &info, sizeof info) == sizeof info) {
        HUB_LOG(INFO, "stopping", HUB_LOG_NUMBER("signal", info.ssi_signo));
        n->stopping = true;
    }
    if (ready & 2) {
        hub_intake_collect(&n->intake);
        hub_replica_on_records(n->replica);
    }
    if (ready & 4 && n->api)
        hub_api_serve(n->api);
}

int hub_node_run(struct hub_node *n)
{
    uint64_t wake_ms = 0;
    while (!n->stopping) {
        const int fd[] = {n->signal_fd, hub_verifier_fd(n->verifier),
                          n->api ? hub_api_fd(n->api) : -1};
        unsigned ready = 0;
        enum hub_status st = hub_transport_wait(n->transport, wait_time(wake_ms), fd,
                                                n->api ? 3 : 2, &ready, on_frame, n);
        if (st == HUB_OK) {
            take_inputs(n, ready);
            st = tend_disk(n, hub_clock_mono_ms());
            if (st == HUB_OK)
                st = tend(n, hub_clock_mono_ms());
            hub_membership_tend(n, hub_clock_mono_ms());
        }
        if (st == HUB_OK && hub_join_busy(&n->join))
            joining_turn(n, &wake_ms);
        else if (st == HUB_OK)
            st = follow(n, &wake_ms);
        if (n->api)
            hub_api_tend(n->api);
        hub_standing_tend(n, hub_clock_mono_ms());
        tend_offer(n);
        if (st != HUB_OK) { /* H3: nothing is retried, nothing more is sent */
            HUB_LOG(ERROR, "stopped", HUB_LOG_NUMBER("status", st),
                    HUB_LOG_TEXT("store", hub_store_why(n->store)));
            _exit(EXIT_BROKEN);
        }
    }
    return n->disk == HUB_DISK_STOP ? EXIT_DISK_FULL : 0;
}
