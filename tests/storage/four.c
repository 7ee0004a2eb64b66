#include "tests/storage/four.h"

#include "hub/message.h"
#include "node/guard.h"
#include "node/log.h"
#include "tests/support/net.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FRAMES_MAX = 8192, WALLETS = 8, STEP_LIMIT = 2000000 };

struct four_frame {
    uint64_t at_ms;
    uint8_t from, to;
    uint32_t len;
    uint8_t *bytes; /* owned */
};

/* Small tables: the workload needs no more. */
static const uint32_t caps[HUB_TABLES] = {
    [HUB_TABLE_PARAMETERS] = 64, [HUB_TABLE_MEMBERS] = 16,      [HUB_TABLE_KEYS] = 64,
    [HUB_TABLE_EPOCHS] = 4,      [HUB_TABLE_PROPOSALS] = 4,     [HUB_TABLE_AGREEMENTS] = 4,
    [HUB_TABLE_REVISIONS] = 4,   [HUB_TABLE_MOTIONS] = 4,       [HUB_TABLE_WALLETS] = 64,
    [HUB_TABLE_LIMITS] = 64,     [HUB_TABLE_FREEZES] = 4,       [HUB_TABLE_HOLDS] = 4,
    [HUB_TABLE_ESCROWS] = 4,     [HUB_TABLE_CHILDREN] = 16,     [HUB_TABLE_INSTITUTIONS] = 16,
    [HUB_TABLE_BATCHES] = 16,    [HUB_TABLE_REFERENCES] = 4096, [HUB_TABLE_READY] = 4,
    [HUB_TABLE_ATTESTS] = 4,     [HUB_TABLE_TOTALS] = 4,        [HUB_TABLE_CONSENTS] = 4,
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "four: %s\n", what);
    abort();
}

static void *map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    must(p != MAP_FAILED, "address space");
    return p;
}

void four_fail(struct four *f, const char *format, ...)
{
    va_list args;
    if (f->failure[0])
        return;
    va_start(args, format);
    vsnprintf(f->failure, sizeof f->failure, format, args);
    va_end(args);
}

static uint64_t below(struct four *f, uint64_t n)
{
    uint64_t z = f->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) % n;
}

/* ---- the ledger all use: genesis and signed records, made once a process */

static struct net *net;
static struct hub_record record[FOUR_RECORDS];

static void make_world(void)
{
    static const char *const names[] = {"consensus.pace_ms", "consensus.delta_ms",
                                        "consensus.heartbeat_s", "currency.cosign_issue", NULL};
    static const uint64_t values[] = {20, 100, 5, 0};
    uint32_t n = 0;
    net = net_open(names, values);
    record[n++] =
        net_record(net, HUB_TYPE_CURRENCY_ISSUE, NET_CA_ISSUER, net_body_issue(net, 1000000), NULL);
    for (uint32_t i = 0; i < WALLETS; i++)
        record[n++] =
            net_record(net, HUB_TYPE_WALLET_OPEN, NET_BK_OPERATOR, net_body_wallet_open(net), NULL);
    for (uint64_t i = 0; n < FOUR_RECORDS; i++) /* slot 1 is the bank's reserve */
        record[n++] = net_record(
            net, HUB_TYPE_CURRENCY_TRANSFER, NET_BK_OPERATOR,
            net_body_transfer(net, hub_wallet_number(2, 1),
                              hub_wallet_number(2, (uint32_t)(2 + i % WALLETS)), 100 + i),
            NULL);
}

/* ---- ports */

static uint64_t wall_ms(const struct four *f)
{
    return NET_GENESIS_MS + 1000 + f->now_ms;
}

static bool admitted(const struct hub_state *s, const struct hub_record *r, uint64_t time_ms)
{
    return hub_apply_admit(s, r, time_ms - 1, time_ms) == 0;
}

static bool pool_waiting(void *pool, const struct hub_state *s, uint64_t view, uint64_t now_ms)
{
    const struct four *f = ((struct four_node *)pool)->all;
    (void)view, (void)now_ms;
    for (uint32_t i = f->submitted; i-- > 0;)
        if (admitted(s, &record[i], wall_ms(f)))
            return true;
    return false;
}

static uint32_t pool_take(void *pool, const struct hub_state *s, uint64_t time_ms,
                          struct hub_record *out, uint32_t max, size_t bytes_max)
{
    const struct four *f = ((struct four_node *)pool)->all;
    uint32_t count = 0;
    size_t bytes = 0;
    for (uint32_t i = 0; i < f->submitted && count < max; i++) {
        if (record[i].bytes.len > bytes_max - bytes || !admitted(s, &record[i], time_ms))
            continue;
        bytes += record[i].bytes.len;
        out[count++] = record[i];
    }
    return count;
}

static uint32_t pool_share(void *pool, bool fresh, struct hub_span *r, struct hub_span *attachment,
                           uint32_t max, size_t bytes_max)
{
    (void)pool, (void)fresh, (void)r, (void)attachment, (void)max, (void)bytes_max;
    return 0; /* every node knows every record */
}

static void pool_offer(void *pool, uint8_t peer, struct hub_span r, struct hub_span attachment)
{
    (void)pool, (void)peer, (void)r, (void)attachment;
}

static void pool_check(void *pool, const struct hub_hash *hash, struct hub_record *records,
                       const struct hub_record_keys *keys, uint32_t count)
{
    bool good = true;
    uint16_t why;
    for (uint32_t i = 0; i < count && good; i++)
        good = hub_record_verify(&records[i], &why, &keys[i]);
    hub_replica_on_block_checked(((struct four_node *)pool)->replica, hash, good);
}

static void port_sign(void *signer, struct hub_signature *out, struct hub_span message)
{
    hub_sign(out, net->key[NET_VALIDATOR + ((struct four_node *)signer)->index].secret, message);
}

/* The node's guard for one read or one write: its thread writes while this one waits for its end, so calls are recorded
 * in order. */
static struct hub_guard *open_guard(const struct four_node *n, struct hub_ports *p)
{
    struct hub_guard *g;
    char path[160], why[HUB_GUARD_WHY_BYTES];
    snprintf(path, sizeof path, "%s/%u/guard", n->all->dir, n->index);
    must(hub_guard_open(&g, why, path, &net->key[NET_VALIDATOR + n->index].kid,
                        &net->genesis.chain) == HUB_OK,
         why);
    hub_guard_ports(g, p);
    return g;
}

enum hub_status four_guard(struct four_node *n, struct hub_vote_mark *out)
{
    struct hub_ports p;
    *out = n->all->guard[n->index];
    if (!n->all->guard_beside)
        return HUB_OK;
    struct hub_guard *g = open_guard(n, &p);
    const enum hub_status st = p.guard_read(p.guard, out);
    hub_guard_close(g);
    return st;
}

static enum hub_status guard_read(void *guard, struct hub_vote_mark *out)
{
    return four_guard(guard, out);
}

static void guard_note(void *guard, const struct hub_vote_mark *m)
{
    struct four_node *n = guard;
    struct four *f = n->all;
    const struct disk_mark mark = {.kind = DISK_MARK_GUARD, .votes = *m};
    struct hub_ports p;
    if (f->guard_beside && f->now_ms < n->guard_due_ms)
        return;
    n->guard_due_ms = f->now_ms + HUB_GUARD_PERIOD_MS;
    f->guard[n->index] = *m;
    if (f->guard_beside) {
        struct hub_guard *g = open_guard(n, &p);
        p.guard_note(p.guard, m);
        hub_guard_close(g);
    }
    disk_log_mark(n->index, &mark); /* from now on it is remembered */
}

void four_make_guards(struct four *f)
{
    char path[160], why[HUB_GUARD_WHY_BYTES];
    const int root = open(f->dir, O_RDONLY | O_DIRECTORY);
    must(root >= 0, f->dir);
    for (uint8_t i = 0; i < FOUR; i++) {
        snprintf(path, sizeof path, "%s/%u", f->dir, i);
        must(mkdir(path, 0750) == 0, path);
        snprintf(path, sizeof path, "%s/%u/guard", f->dir, i);
        must(hub_guard_create(path, &net->key[NET_VALIDATOR + i].kid, why) == HUB_OK, why);
    }
    must(fsync(root) == 0 && close(root) == 0, f->dir);
    f->guard_beside = true;
}

static void port_alarm(void *client, const char *what, const struct hub_hash *block)
{
    const struct four_node *n = client;
    (void)block;
    four_fail(n->all, "node %u: alarm: %s", n->index, what);
}

static void port_epoch(void *client, const struct hub_validators *set, uint8_t me)
{
    const struct four_node *n = client;
    if (set->n != FOUR || me != n->index)
        four_fail(n->all, "node %u is number %u of %u", n->index, me, set->n);
}

static void told_final(struct four_node *n, uint64_t height, const struct hub_hash *hash)
{
    static const struct hub_hash none;
    struct four *f = n->all;
    must(height < FOUR_HEIGHTS, "too many heights");
    if (!hub_hash_equal(&f->final[height], &none) && !hub_hash_equal(&f->final[height], hash))
        four_fail(f, "node %u: another block is final at height %llu", n->index,
                  (unsigned long long)height);
    f->final[height] = *hash;
    f->final_max = height > f->final_max ? height : f->final_max;
}

static void port_final(void *client, const struct hub_applied *applied, struct hub_span block)
{
    struct four_node *n = client;
    struct disk_mark mark = {
        .kind = DISK_MARK_FINAL, .height = applied->header.height, .hash = applied->hash};
    hub_history_add(n->history, applied, block);
    told_final(n, mark.height, &mark.hash);
    n->told = mark.height;
    disk_log_mark(n->index, &mark);
}

/* ---- votes that leave a node, in whatever message */

static bool exclude(const struct hub_subject *a, const struct hub_subject *b)
{
    if (a->epoch != b->epoch || a->view != b->view)
        return false;
    if (a->kind == b->kind)
        return !hub_subject_equal(a, b);
    if (a->kind != HUB_FINALIZE && b->kind != HUB_FINALIZE)
        return false;
    return a->kind == HUB_NULLIFY || b->kind == HUB_NULLIFY ||
           !hub_hash_equal(&a->block_hash, &b->block_hash);
}

void four_said(struct four *f, uint8_t node, const struct hub_subject *s)
{
    const struct disk_mark mark = {.kind = DISK_MARK_VOTE, .subject = *s};
    for (uint32_t i = f->said_count[node]; i-- > 0;) {
        if (hub_subject_equal(&f->said[node][i], s))
            return;
        if (exclude(&f->said[node][i], s))
            four_fail(f, "node %u signs votes of kinds %u and %u in view %llu", node,
                      f->said[node][i].kind, s->kind, (unsigned long long)s->view);
    }
    must(f->said_count[node] < FOUR_VOTES, "too many votes");
    f->said[node][f->said_count[node]++] = *s;
    disk_log_mark(node, &mark);
}

static void judge(struct four_node *n, struct hub_span frame)
{
    static struct hub_message m;
    static struct hub_certificate c;
    if (n->failed || (disk_fault_struck() && disk_fault_owner() == n->index))
        four_fail(n->all, "node %u sends after its disk failed", n->index);
    if (!hub_message_decode(&m, frame)) {
        four_fail(n->all, "node %u sends a frame that does not decode", n->index);
        return;
    }
    if (m.kind == HUB_MSG_VOTE && m.u.vote.signer == n->index)
        four_said(n->all, n->index, &m.u.vote.subject);
    if (m.kind == HUB_MSG_CERT && hub_certificate_decode(&c, m.u.certificate) &&
        c.signers >> n->index & 1)
        four_said(n->all, n->index, &c.subject);
    if (m.kind == HUB_MSG_PROPOSE && m.u.propose.header.proposer == n->index) {
        struct hub_subject s = {.kind = HUB_NOTARIZE,
                                .epoch = m.u.propose.header.epoch,
                                .view = m.u.propose.header.view};
        hub_header_hash(&s.block_hash, m.u.propose.header_bytes);
        four_said(n->all, n->index, &s);
    }
}

static void port_send(void *to, int peer, struct hub_span frame)
{
    struct four_node *n = to;
    struct four *f = n->all;
    judge(n, frame);
    for (uint8_t i = 0; i < FOUR; i++) {
        if (i == n->index || (peer >= 0 && peer != i) || below(f, 1000) < f->loss_permille)
            continue;
        if (f->frames == FRAMES_MAX)
            continue; /* a full queue loses, too */
        uint8_t *copy = malloc(frame.len);
        must(copy != NULL, "memory");
        memcpy(copy, frame.data, frame.len);
        f->frame[f->frames++] = (struct four_frame){f->now_ms + 1 + below(f, 4), n->index, i,
                                                    (uint32_t)frame.len, copy};
    }
}

/* ---- nodes */

struct four *four_open(const char *dir, uint64_t seed, uint32_t loss_permille)
{
    if (!net)
        make_world();
    hub_log_open(HUB_LOG_ERROR);
    struct four *f = map(sizeof *f);
    must(snprintf(f->dir, sizeof f->dir, "%s", dir) < (int)sizeof f->dir, "path");
    f->random = seed;
    f->loss_permille = loss_permille;
    f->now_ms = 1000;
    f->frame = map(FRAMES_MAX * sizeof *f->frame);
    for (uint8_t i = 0; i < FOUR; i++) {
        f->node[i] = (struct four_node){.all = f, .index = i};
        f->said[i] = map(FOUR_VOTES * sizeof **f->said);
    }
    return f;
}

void four_kill(struct four *f, uint8_t node)
{
    struct four_node *n = &f->node[node];
    hub_store_close(n->store);
    hub_history_free(n->history);
    if (n->memory.state)
        hub_chain_memory_unmap(&n->memory);
    if (n->replica)
        munmap(n->replica, sizeof *n->replica);
    if (n->work)
        munmap(n->work, hub_replica_memory_bytes());
    *n = (struct four_node){.all = f, .index = node};
}

void four_close(struct four *f)
{
    for (uint8_t i = 0; i < FOUR; i++) {
        four_kill(f, i);
        munmap(f->said[i], FOUR_VOTES * sizeof **f->said);
    }
    for (uint32_t i = 0; i < f->frames; i++)
        free(f->frame[i].bytes);
    munmap(f->frame, FRAMES_MAX * sizeof *f->frame);
    munmap(f, sizeof *f);
}

static void ports(struct four_node *n)
{
    n->port = (struct hub_ports){.net = n, .pool = n, .client = n, .signer = n, .guard = n};
    hub_store_ports(n->store, &n->port);
    n->port.send = port_send;
    n->port.waiting = pool_waiting;
    n->port.take = pool_take;
    n->port.share = pool_share;
    n->port.offer = pool_offer;
    n->port.check = pool_check;
    n->port.final = port_final;
    n->port.alarm = port_alarm;
    n->port.epoch = port_epoch;
    n->port.guard_read = guard_read;
    n->port.guard_note = guard_note;
    n->port.sign = port_sign;
}

static struct hub_now now_of(const struct four *f)
{
    return (struct hub_now){f->now_ms, wall_ms(f)};
}

static enum hub_status boot(struct four *f, struct four_node *n)
{
    char path[160];
    struct hub_checkpoint_report report = {0};
    snprintf(path, sizeof path, "%s/%u", f->dir, n->index);
    enum hub_status st = hub_store_open(&n->store, f->why, path, &net->genesis, FOUR_MAP);
    if (st)
        return st;
    n->replica = map(sizeof *n->replica);
    n->work = map(hub_replica_memory_bytes());
    n->history = hub_history_new();
    must(n->history && hub_chain_memory_map(&n->memory, caps) == HUB_OK, "memory");
    st = hub_checkpoint_load(n->store, &n->replica->chain, n->history, &net->genesis, &n->memory,
                             &report);
    f->rebuilt += report.damaged;
    if (st || (report.damaged && !f->rots)) {
        snprintf(f->why, sizeof f->why, "checkpoint: %.400s", report.why);
        return st ? st : HUB_CORRUPT;
    }
    ports(n);
    const struct hub_replica_config cfg = {.kid = net->key[NET_VALIDATOR + n->index].kid,
                                           .uplink_mbit = 1000,
                                           .jitter_seed = f->random + n->index,
                                           .version = "four",
                                           .memory = n->work};
    st = hub_replica_start(n->replica, &n->port, &cfg, now_of(f));
    if (st)
        snprintf(f->why, sizeof f->why, "replica does not start: %.400s", hub_store_why(n->store));
    return st;
}

enum hub_status four_boot(struct four *f, uint8_t node)
{
    struct four_node *n = &f->node[node];
    four_kill(f, node);
    const enum hub_status st = boot(f, n);
    n->up = st == HUB_OK;
    n->wake_ms = f->now_ms;
    if (st)
        four_kill(f, node);
    return st;
}

static void stop(struct four_node *n, enum hub_status st)
{
    n->failed = true;
    n->stopped = st;
    n->wake_ms = UINT64_MAX;
}

static void turn(struct four_node *n)
{
    struct four *f = n->all;
    struct disk_mark mark = {.kind = DISK_MARK_TIP};
    const enum hub_status st = hub_replica_turn(n->replica, now_of(f), &n->wake_ms);
    if (st) {
        stop(n, st);
        return;
    }
    if (n->replica->may_commit || n->replica->must_commit)
        return;
    mark.height = n->replica->chain.final_header.height;
    disk_log_mark(n->index, &mark); /* nothing waits for a commit: the tip is durable */
}

void four_checkpoint(struct four *f, uint8_t node)
{
    struct four_node *n = &f->node[node];
    if (!n->up || n->failed ||
        hub_checkpoint_due(&n->replica->chain, n->history, true) != HUB_DUE_ALL)
        return;
    const enum hub_status st = hub_checkpoint_write(n->store, &n->replica->chain, n->history);
    if (st)
        stop(n, st);
}

void four_submit(struct four *f, uint32_t records)
{
    f->submitted += records;
    f->submitted = f->submitted > FOUR_RECORDS ? FOUR_RECORDS : f->submitted;
    for (uint8_t i = 0; i < FOUR; i++)
        if (f->node[i].up && !f->node[i].failed) {
            hub_replica_on_records(f->node[i].replica);
            f->node[i].wake_ms = f->now_ms;
        }
}

/* The next thing to happen: a frame (its number) or, FRAMES_MAX + i, a turn of node i. */
static uint32_t next_of(const struct four *f, uint64_t *at_ms)
{
    uint32_t best = UINT32_MAX;
    *at_ms = UINT64_MAX;
    for (uint32_t i = 0; i < f->frames; i++)
        if (f->frame[i].at_ms < *at_ms)
            *at_ms = f->frame[best = i].at_ms;
    for (uint8_t i = 0; i < FOUR; i++)
        if (f->node[i].up && !f->node[i].failed && f->node[i].wake_ms < *at_ms)
            *at_ms = f->node[i].wake_ms, best = FRAMES_MAX + i;
    return best;
}

static void deliver(struct four *f, uint32_t at)
{
    const struct four_frame frame = f->frame[at];
    struct four_node *n = &f->node[frame.to];
    f->frame[at] = f->frame[--f->frames];
    if (n->up && !n->failed) {
        hub_replica_on_message(n->replica, frame.from, (struct hub_span){frame.bytes, frame.len},
                               now_of(f));
        n->wake_ms = f->now_ms;
    }
    free(frame.bytes);
}

void four_run(struct four *f, uint64_t until_ms)
{
    for (uint32_t i = 0; i < STEP_LIMIT && !f->failure[0]; i++) {
        uint64_t at_ms;
        const uint32_t next = next_of(f, &at_ms);
        if (next == UINT32_MAX || at_ms > until_ms)
            break;
        f->now_ms = at_ms > f->now_ms ? at_ms : f->now_ms;
        if (next < FRAMES_MAX)
            deliver(f, next);
        else
            turn(&f->node[next - FRAMES_MAX]);
    }
    f->now_ms = until_ms > f->now_ms ? until_ms : f->now_ms;
}

struct search {
    const struct hub_subject *subject;
    bool found;
};

static void look(void *ctx, const struct hub_vote *v)
{
    struct search *s = ctx;
    s->found |= hub_subject_equal(&v->subject, s->subject);
}

bool four_holds_vote(struct four_node *n, const struct hub_subject *s)
{
    struct search search = {s, false};
    return n->port.each_vote(n->store, s->epoch, s->view, look, &search) == HUB_OK && search.found;
}
