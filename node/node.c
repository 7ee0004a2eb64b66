/* node.c: see node.h. Parts are made in an order in which nothing speaks before it may: the store (which refuses
 * a second process and another genesis), then the state, then the network, then clients. */
#include "node/node.h"

#include "hub/version.h"
#include "node/abstain.h"
#include "node/anchor.h"
#include "node/api.h"
#include "node/clock.h"
#include "node/log.h"
#include "node/membership.h"
#include "node/ready.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_BAD_FILE = 65, EXIT_IN_USE = 69, EXIT_BROKEN = 70 };

struct making { /* hub_node_open's state: where a reason goes */
    struct hub_node *n;
    char *why;
    size_t cap;
};

static int refuse(const struct making *m, int code, const char *thing, const char *reason)
{
    snprintf(m->why, m->cap, "%s: %s", thing, reason);
    return code;
}

/* The reason of a lower layer, and what to do about it here. */
static int refuse_why(const struct making *m, int code, const char *thing, const char *reason,
                      const char *remedy)
{
    snprintf(m->why, m->cap, "%s: %s; %s", thing, reason, remedy);
    return code;
}

/* Address space of the maximum size, zeroed and touched only as used. */
static void *reserve(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static int read_genesis(const struct making *m)
{
    struct hub_node *n = m->n;
    const char *why = "";
    const int fd = open(n->cfg.genesis, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return refuse_why(m, EXIT_BAD_FILE, n->cfg.genesis, strerror(errno),
                          "name the network's genesis file with `genesis`");
    n->genesis_bytes.cap = HUB_GENESIS_BYTES_MAX + 1;
    n->genesis_bytes.data = malloc(n->genesis_bytes.cap);
    ssize_t got = 0;
    while (n->genesis_bytes.data && n->genesis_bytes.len < n->genesis_bytes.cap &&
           (got = read(fd, n->genesis_bytes.data + n->genesis_bytes.len,
                       n->genesis_bytes.cap - n->genesis_bytes.len)) > 0)
        n->genesis_bytes.len += (size_t)got;
    close(fd);
    if (!n->genesis_bytes.data || got < 0 || n->genesis_bytes.len > HUB_GENESIS_BYTES_MAX)
        return refuse(m, EXIT_BAD_FILE, n->cfg.genesis,
                      "cannot be read, or is larger than 65,535 bytes");
    if (hub_genesis_decode(&n->genesis, &why, hub_span_of(&n->genesis_bytes)) != HUB_OK)
        return refuse_why(m, EXIT_BAD_FILE, n->cfg.genesis, why,
                          "get the file again from another member, and compare its fingerprint");
    return 0;
}

static int read_recoveries(const struct making *m)
{
    struct hub_node *n = m->n;
    char why[HUB_RECOVERY_WHY_BYTES];
    for (unsigned i = 0; i < n->options.recoveries; i++)
        if (!hub_recovery_file_add(&n->recovery, why, n->options.recovery[i], &n->genesis.chain))
            return refuse(m, EXIT_BAD_FILE, n->options.recovery[i], why);
    n->genesis.accepted = (struct hub_accepted){n->recovery.id, n->recovery.n, false};
    return 0;
}

static int open_key(const struct making *m)
{
    struct hub_node *n = m->n;
    const char *why = "";
    const struct hub_validators *set = &n->genesis.set;
    if (hub_keyfile_open(&n->key, n->cfg.key,
                         n->cfg.passphrase_file[0] ? n->cfg.passphrase_file : NULL, &why) != HUB_OK)
        return refuse(m, EXIT_BAD_FILE, n->cfg.key, why);
    for (unsigned i = 0; i < set->n; i++)
        if (hub_hash_equal(&set->v[i].kid, &n->key.kid) &&
            memcmp(set->v[i].transport, n->key.transport, HUB_TRANSPORT_BYTES) != 0)
            return refuse(m, EXIT_BAD_FILE, n->cfg.key,
                          "its transport key is not the one genesis lists for this validator");
    return 0;
}

/* ---- ports that are the node's own: network, signature check, signer, and what follows a final block */

static void port_send(void *net, int peer, struct hub_span frame)
{
    hub_transport_send(((struct hub_node *)net)->transport, peer, frame);
}

static void port_check(void *pool, const struct hub_hash *hash, struct hub_record *records,
                       const struct hub_record_keys *keys, uint32_t count)
{
    struct hub_intake *in = pool;
    struct hub_node *n = in->ctx;
    uint16_t why;
    const uint32_t bad = hub_verifier_check(n->verifier, records, keys, count, &why);
    if (bad != UINT32_MAX)
        HUB_LOG(WARNING, "block_signature_bad", HUB_LOG_NUMBER("record", bad),
                HUB_LOG_NUMBER("code", why));
    hub_replica_on_block_checked(n->replica, hash, bad == UINT32_MAX);
}

static void port_sign(void *signer, struct hub_signature *out, struct hub_span message)
{
    hub_sign(out, ((struct hub_node *)signer)->key.secrets->sign, message);
}

/* What others recorded counts like what they sent, once the core runs; a replay knows it from the docket. */
static void take_evidence(struct hub_node *n, const struct hub_applied *applied,
                          struct hub_span block)
{
    struct hub_span record, attachment, old;
    enum hub_table t;
    uint32_t row;
    uint16_t why;
    bool any = false;
    for (size_t at = 0; !any && hub_undo_next(&applied->undo, &at, &t, &row, &old);)
        any = t == HUB_TABLE_EVIDENCE;
    for (uint32_t i = 0; any && n->replica->cons.started && i < applied->header.record_count; i++) {
        struct hub_record r;
        if (hub_block_entry(&record, &attachment, block, i) == HUB_OK &&
            hub_record_decode(&r, &why, record, attachment, &n->genesis.chain) == HUB_OK &&
            r.type == HUB_TYPE_EVIDENCE_REPORT)
            hub_replica_on_evidence(n->replica, hub_field_span(r.body, "evidence"));
    }
}

static void port_final(void *client, const struct hub_applied *applied, struct hub_span block)
{
    struct hub_node *n = client;
    n->final_blocks++;
    n->final_records += applied->header.record_count;
    n->final_ms = hub_clock_mono_ms();
    hub_membership_final(n, applied);
    hub_history_add(n->history, applied, block);
    hub_intake_final(&n->intake, applied);
    if (n->api)
        hub_api_final(n->api, applied, block);
    take_evidence(n, applied, block);
    HUB_LOG(DEBUG, "block_final", HUB_LOG_NUMBER("height", applied->header.height),
            HUB_LOG_NUMBER("records", applied->header.record_count));
    /* A replay makes many blocks final before the loop can look after the history. */
    if (hub_history_size(n->history).held_bytes > 2 * HUB_CHECKPOINT_LOG_BYTES &&
        hub_checkpoint_write_log(n->store, n->history) != HUB_OK) {
        HUB_LOG(ERROR, "stopped", HUB_LOG_TEXT("store", hub_store_why(n->store)));
        _exit(EXIT_BROKEN);
    }
}

static void port_alarm(void *client, const char *what, const struct hub_hash *block)
{
    char hash[17] = "";
    (void)client;
    HUB_LOG(ERROR, "alarm", HUB_LOG_TEXT("what", what),
            HUB_LOG_TEXT("block", block ? hub_log_hash(hash, block) : ""));
}

static void port_evidence(void *client, const struct hub_offence *o, struct hub_span item)
{
    hub_docket_add(client, o, item);
}

static void port_epoch(void *client, const struct hub_validators *set, uint8_t me)
{
    hub_membership_enter(client, set, me);
}

static void port_snapshot(void *client, const struct hub_hash *id, uint64_t offset,
                          struct hub_snapshot_message *out)
{
    hub_offer_answer(&((struct hub_node *)client)->offer, id, offset, out);
}

static void settled(void *ctx, const struct hub_hash *id, uint16_t why)
{
    struct hub_node *n = ctx;
    if (n->api)
        hub_api_settled(n->api, id, why);
}

static void fill_ports(struct hub_node *n, struct hub_ports *p)
{
    hub_store_ports(n->store, p);
    hub_guard_ports(n->guard, p);
    hub_intake_ports(&n->intake, p);
    p->check = port_check;
    p->net = p->client = p->signer = n;
    p->send = port_send;
    p->final = port_final;
    p->alarm = port_alarm;
    p->evidence = port_evidence;
    p->epoch = port_epoch;
    p->snapshot = port_snapshot;
    p->sign = port_sign;
}

/* ---- making */

/* To the checkpoint, else to genesis. */
static int load_chain(const struct making *m)
{
    struct hub_node *n = m->n;
    struct hub_checkpoint_report report = {0};
    const struct hub_reader reader = hub_store_reader(n->store);
    if (hub_read_floor(&reader, &n->floor) != HUB_OK)
        return refuse(m, EXIT_BROKEN, n->cfg.data,
                      "where its history begins cannot be read; join again by a snapshot, or start "
                      "with an empty directory");
    const enum hub_status st = hub_checkpoint_load(n->store, &n->replica->chain, n->history,
                                                   &n->genesis, &n->memory, &report);
    if (st != HUB_OK)
        return refuse(m, EXIT_BROKEN, n->cfg.data,
                      report.why[0] ? report.why : "the checkpoint cannot be read");
    if (report.damaged)
        HUB_LOG(WARNING, "checkpoint_damaged", HUB_LOG_TEXT("why", report.why),
                HUB_LOG_TEXT("remedy",
                             "none needed: it is built again from the blocks; check this disk"));
    return 0;
}

static int make_chain(const struct making *m)
{
    struct hub_node *n = m->n;
    n->replica = reserve(sizeof *n->replica);
    n->history = hub_history_new();
    if (!n->replica || !n->history || hub_dry_run_open(&n->dry_run) != HUB_OK ||
        hub_chain_memory_map(&n->memory, NULL) != HUB_OK)
        return refuse(m, EXIT_BROKEN, "memory",
                      "this system gives no address space for the state: raise the limit of "
                      "virtual memory (ulimit -v)");
    return load_chain(m);
}

/* A key that the ledger does not know may be a validator's to come; one that it knows as another's is a mistake. */
static int check_role(const struct making *m)
{
    struct hub_key k;
    if (!hub_key_find(&k, &m->n->replica->chain.state, &m->n->key.kid) ||
        k.roles & (HUB_ROLE_VALIDATOR | HUB_ROLE_OBSERVER))
        return 0;
    return refuse(m, EXIT_BAD_FILE, m->n->cfg.key,
                  "this key is neither a validator's nor an observer's; give the node's own key");
}

static int open_guard(const struct making *m)
{
    struct hub_node *n = m->n;
    char why[HUB_GUARD_WHY_BYTES];
    const enum hub_status st =
        hub_guard_open(&n->guard, why, n->cfg.guard, &n->key.kid, &n->genesis.chain);
    if (st != HUB_OK)
        return refuse(m,
                      st == HUB_CONFLICT  ? EXIT_BAD_FILE
                      : st == HUB_NOT_NOW ? EXIT_IN_USE
                                          : EXIT_BROKEN,
                      "guard", why);
    return 0;
}

/* Why this node does not vote, in full: an operator reads it here first. */
static void log_standing(const struct hub_node *n)
{
    const enum hub_abstain why = n->replica->permit.why;
    const struct hub_abstain_text *text = hub_abstain_text(why);
    if (why > HUB_ABSTAIN_ASKING)
        HUB_LOG(WARNING, "does_not_vote", HUB_LOG_TEXT("why", text->name),
                HUB_LOG_TEXT("en", text->en), HUB_LOG_TEXT("zh", text->zh));
}

static int replica_refused(const struct making *m, enum hub_status st)
{
    const struct hub_node *n = m->n;
    if (st == HUB_CONFLICT && n->options.anchor)
        return refuse(
            m, EXIT_BAD_FILE, n->options.anchor,
            "the chain in this data directory does not contain this anchor: one of them "
            "is of another history. Keep both, run hubledger-verify on the directory, and "
            "ask the other members for their checkpoint of this height");
    if (st == HUB_CORRUPT)
        return refuse(
            m, EXIT_BROKEN, n->cfg.data,
            "the stored blocks do not lead to the stored tip; run hubledger-verify on this "
            "directory, then move it away and start again: the node catches up from its peers");
    return refuse(m, EXIT_BROKEN, n->cfg.data, hub_store_why(n->store));
}

static int start_replica(const struct making *m)
{
    struct hub_node *n = m->n;
    struct hub_ports ports = {0};
    char why[HUB_WHY_BYTES] = "";
    struct hub_replica_config cfg = {.kid = n->key.kid,
                                     .uplink_mbit = n->cfg.uplink_mbit,
                                     .version = HUB_VERSION,
                                     .jitter_seed = hub_get_be64(n->key.kid.b),
                                     .floor = n->floor.height,
                                     .recovery = n->recovery.record,
                                     .recoveries = n->recovery.n,
                                     .resume = n->options.resume,
                                     .acknowledge = n->options.acknowledge,
                                     .memory = reserve(hub_replica_memory_bytes())};
    if (!cfg.memory)
        return refuse(m, EXIT_BROKEN, "memory", "out of address space");
    if (hub_docket_load(n) != HUB_OK)
        return refuse(m, EXIT_BROKEN, n->cfg.data, hub_store_why(n->store));
    if (n->options.anchor && !hub_anchor_read(&cfg.anchor, why, n->options.anchor, &n->genesis))
        return refuse(m, EXIT_BAD_FILE, n->options.anchor, why);
    fill_ports(n, &ports);
    const enum hub_status st = hub_replica_start(
        n->replica, &ports, &cfg, (struct hub_now){hub_clock_mono_ms(), hub_clock_wall_ms()});
    if (st != HUB_OK)
        return replica_refused(m, st);
    log_standing(n);
    return 0;
}

static int make_network(const struct making *m)
{
    struct hub_node *n = m->n;
    struct hub_transport_config t = {0}; /* nobody yet: the replica says who, when it starts */
    const char *why = "";
    int code = 0;
    memcpy(t.listen, n->cfg.listen, sizeof t.listen);
    memcpy(t.public_key, n->key.transport, 32);
    memcpy(t.secret_key, n->key.secrets->transport, 32);
    if (hub_transport_open(&n->transport, &why, &t) != HUB_OK)
        code = refuse_why(m, EXIT_IN_USE, "network", why,
                          "give `listen` an address of this machine and a port that no other "
                          "program uses");
    explicit_bzero(t.secret_key, sizeof t.secret_key);
    return code;
}

static int make_signals(const struct making *m)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 ||
        (m->n->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)) < 0)
        return refuse(m, EXIT_BROKEN, "signals", strerror(errno));
    return 0;
}

static int make_store(const struct making *m)
{
    struct hub_node *n = m->n;
    char why[HUB_WHY_BYTES] = "";
    const enum hub_status st =
        hub_store_open(&n->store, why, n->cfg.data, &n->genesis, HUB_STORE_MAP_BYTES);
    if (st == HUB_OK)
        return 0;
    return refuse(m,
                  st == HUB_NOT_NOW    ? EXIT_IN_USE
                  : st == HUB_CONFLICT ? EXIT_BAD_FILE
                                       : EXIT_BROKEN,
                  "cannot open the ledger", why);
}

static int make_workers(const struct making *m)
{
    struct hub_node *n = m->n;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const unsigned threads = n->cfg.threads                     ? n->cfg.threads
                             : cores > HUB_VERIFIER_THREADS_MAX ? HUB_VERIFIER_THREADS_MAX
                             : cores < 1                        ? 1
                                                                : (unsigned)cores;
    if (hub_mempool_open(&n->pool, &n->genesis.chain) != HUB_OK ||
        hub_verifier_open(&n->verifier, threads) != HUB_OK)
        return refuse(m, EXIT_BROKEN, "workers", "no memory or threads; free some and start again");
    n->intake = (struct hub_intake){.pool = n->pool,
                                    .verifier = n->verifier,
                                    .chain = &n->replica->chain,
                                    .settled = settled,
                                    .ctx = n};
    return 0;
}

static int make_api(const struct making *m)
{
    char why[HUB_WHY_BYTES] = "";
    if (m->n->cfg.api[0] && hub_api_open(&m->n->api, why, m->n) != HUB_OK)
        return refuse(m, EXIT_IN_USE, "api", why);
    return 0;
}

static int make_offer(const struct making *m)
{
    return hub_offer_open(&m->n->offer, m->n->cfg.data, &m->n->genesis) == HUB_OK
               ? 0
               : refuse(m, EXIT_BROKEN, "memory", "no memory for a snapshot's pieces");
}

/* ---- joining by a snapshot: until it has ended the replica does not begin */

static void send_asked(void *net, int peer, struct hub_span frame)
{
    hub_transport_send(((struct hub_node *)net)->transport, peer, frame);
}

static const char *peer_name(void *net, uint8_t peer)
{
    const struct hub_node *n = net;
    if (peer < n->replica->chain.set.n)
        return n->replica->chain.set.v[peer].member;
    return hub_transport_address(n->transport, peer);
}

/* Nothing is final here, and this journal never voted. */
static bool is_empty(struct hub_node *n)
{
    const struct hub_reader r = hub_store_reader(n->store);
    struct hub_ports p = {0};
    struct hub_vote_mark mark;
    struct hub_point tip;
    struct hub_edge edge;
    hub_store_ports(n->store, &p);
    return hub_read_tip(&r, &tip, &edge) == HUB_NOT_FOUND &&
           p.get_mark(n->store, &mark) == HUB_OK && !mark.votes;
}

static int begin_replica(const struct making *m)
{
    struct hub_node *n = m->n;
    const struct hub_validators *set = &n->replica->chain.set;
    if (!n->cfg.join_snapshot || !is_empty(n))
        return start_replica(m);
    uint8_t me = 0;
    while (me < set->n && !hub_hash_equal(&set->v[me].kid, &n->key.kid))
        me++;
    hub_membership_enter(n, set, me);
    n->join.dir = n->cfg.data;
    n->join.genesis = &n->genesis;
    n->join.send = send_asked;
    n->join.name = peer_name;
    n->join.net = n;
    hub_join_begin(&n->join, hub_clock_mono_ms());
    return 0;
}

int hub_node_open(struct hub_node *n, char *why, size_t cap)
{
    static int (*const steps[])(const struct making *) = {
        read_genesis, read_recoveries, open_key,     make_signals, make_store,
        open_guard,   make_chain,      check_role,   make_workers, make_network,
        make_offer,   make_api,        begin_replica};
    const struct making m = {n, why, cap};
    n->signal_fd = -1;
    n->started_ms = hub_clock_mono_ms();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const int code = steps[i](&m);
        if (code) {
            hub_node_close(n);
            return code;
        }
    }
    HUB_LOG(INFO, "started", HUB_LOG_TEXT("version", HUB_VERSION),
            HUB_LOG_TEXT("member", n->member),
            HUB_LOG_NUMBER("height", n->replica->chain.final_header.height),
            HUB_LOG_NUMBER("validators", n->replica->chain.set.n),
            HUB_LOG_NUMBER("quorum", n->replica->chain.set.q));
    return 0;
}

int hub_node_follow(struct hub_node *n, bool follow, char *why, size_t cap)
{
    const struct making m = {n, why, cap};
    int code = load_chain(&m);
    if (code == 0 && follow)
        code = check_role(&m);
    return code == 0 && follow ? start_replica(&m) : code;
}

void hub_node_close(struct hub_node *n)
{
    if (n->api)
        hub_api_close(n->api);
    hub_join_close(&n->join);
    hub_offer_close(&n->offer);
    hub_transport_close(n->transport);
    hub_verifier_close(n->verifier);
    hub_mempool_close(n->pool);
    hub_store_close(n->store);
    hub_guard_close(n->guard);
    hub_history_free(n->history);
    hub_dry_run_close(n->dry_run);
    hub_chain_memory_unmap(&n->memory);
    hub_keyfile_close(&n->key);
    if (n->signal_fd >= 0)
        close(n->signal_fd);
    free(n->genesis_bytes.data);
    hub_recovery_files_free(&n->recovery);
    n->api = NULL, n->transport = NULL, n->verifier = NULL, n->pool = NULL, n->store = NULL;
    n->guard = NULL, n->history = NULL, n->dry_run = NULL;
    n->genesis_bytes = (struct hub_buf){0}; /* what was mapped goes with the process */
}
