/* standing.c: see standing.h. Each cause is one function that writes its sentence in both languages, or nothing. */
#include "node/standing.h"

#include "hub/member.h"
#include "hub/waiting.h"
#include "node/abstain.h"
#include "node/clock.h"
#include "node/log.h"
#include "node/node.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    SILENT_MS = 11000, /* twice the longest STATUS period, and a second */
    ASKING_MS = 10000
};

const char *const hub_standing_names[HUB_STANDING_STATES] = {
    "ok", "syncing", "stuck", "no_quorum", "disk_low", "clock_wrong", "not_voting"};

struct look { /* everything a sentence may need */
    const struct hub_node *n;
    const struct hub_validators *set;
    uint64_t now_ms;
    struct hub_standing *out;
};

/* ---- words */

static void put(char text[HUB_CAUSE_BYTES], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void put(char text[HUB_CAUSE_BYTES], const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;
    va_start(args, format);
    const int wanted = vsnprintf(text + len, HUB_CAUSE_BYTES - len, format, args);
    va_end(args);
    if (wanted < 0 || (size_t)wanted < HUB_CAUSE_BYTES - len)
        return;
    len = HUB_CAUSE_BYTES - 1; /* cut off: not in the middle of a character */
    while (len > 0 && ((uint8_t)text[len - 1] & 0xc0) == 0x80)
        len--;
    text[len > 0 ? len - 1 : 0] = '\0';
}

/* "JIADING (2)"; zh: by the name in the ledger. */
static void put_name(const struct look *l, struct hub_cause *c, uint8_t i)
{
    const char *code = l->set->v[i].member;
    struct hub_member m;
    put(c->en, "%s (%u)", code, i);
    if (hub_member_find(&m, &l->n->replica->chain.state, hub_text_span(code)) && m.name_zh.len)
        put(c->zh, "%.*s（%u）", (int)m.name_zh.len, (const char *)m.name_zh.data, i);
    else
        put(c->zh, "%s（%u）", code, i);
}

static void put_names(const struct look *l, struct hub_cause *c, uint64_t who)
{
    bool first = true;
    for (uint8_t i = 0; i < l->set->n; i++)
        if (who >> i & 1) {
            put(c->en, "%s", first ? "" : ", ");
            put(c->zh, "%s", first ? "" : "、");
            put_name(l, c, i);
            first = false;
        }
    put(c->en, "%s", first ? "nobody" : "");
    put(c->zh, "%s", first ? "无" : "");
}

static void put_heard(const struct look *l, struct hub_cause *c, uint8_t i)
{
    const uint64_t seen = l->n->facts.link[i].seen_ms;
    if (i == l->n->me)
        return;
    if (!seen) {
        put(c->en, ", never heard");
        put(c->zh, "，从未收到其消息");
        return;
    }
    put(c->en, ", heard last %" PRIu64 " s ago", (l->now_ms - seen) / 1000);
    put(c->zh, "，最近一次收到其消息在 %" PRIu64 " 秒前", (l->now_ms - seen) / 1000);
}

/* "Start the node at 10.0.0.3:7400 or mend the link to it." for each of these. */
static void put_addresses(const struct look *l, struct hub_cause *c, uint64_t who)
{
    bool first = true;
    for (uint8_t i = 0; i < l->set->n; i++) {
        const char *address = l->n->facts.link[i].address;
        if (!(who >> i & 1) || !address || !address[0])
            continue;
        put(c->en, "%s%s", first ? " Check those nodes and the links to " : ", ", address);
        put(c->zh, "%s%s", first ? "请检查这些节点及到以下地址的网络：" : "、", address);
        first = false;
    }
    put(c->en, "%s", first ? "" : ".");
    put(c->zh, "%s", first ? "" : "。");
}

static struct hub_cause *cause(struct look *l, const char *code, uint64_t since_ms, bool notice)
{
    struct hub_standing *s = l->out;
    struct hub_cause *c = &s->cause[s->causes < HUB_CAUSES_MAX ? s->causes++ : HUB_CAUSES_MAX - 1];
    c->code = code;
    c->since_ms = since_ms;
    c->notice = notice;
    c->en[0] = c->zh[0] = '\0';
    return c;
}

static void worsen(struct look *l, enum hub_standing_state state)
{
    if (state > l->out->state)
        l->out->state = state;
}

/* ---- facts */

bool hub_standing_silent(const struct hub_node *n, uint8_t validator, uint64_t now_ms)
{
    const uint64_t seen = n->facts.link[validator].seen_ms;
    return validator != n->me && now_ms - (seen ? seen : n->started_ms) > SILENT_MS;
}

static uint64_t silent_of(const struct look *l)
{
    uint64_t silent = 0;
    for (uint8_t i = 0; i < l->set->n; i++)
        if (hub_standing_silent(l->n, i, l->now_ms))
            silent |= UINT64_C(1) << i;
    return silent;
}

static unsigned count(uint64_t who)
{
    unsigned n = 0;
    for (; who; who &= who - 1)
        n++;
    return n;
}

static uint64_t everybody(const struct look *l)
{
    return l->set->n == 64 ? UINT64_MAX : (UINT64_C(1) << l->set->n) - 1;
}

/* ---- causes */

static void look_at_disk(struct look *l)
{
    static const char *const en[] = {"", "takes no new records", "proposes no blocks", "stops"};
    static const char *const zh[] = {"", "不再接收新记录", "不再提议区块", "即将停止"};
    if (l->n->disk == HUB_DISK_OK)
        return;
    const uint64_t for_ms = l->now_ms - l->n->facts.disk_since_ms;
    struct hub_cause *c = cause(l, "disk_low", for_ms, false);
    worsen(l, HUB_STANDING_DISK_LOW);
    put(c->en,
        "The disk under %s is nearly full: this node %s, for %" PRIu64
        " s now. Free space there; it goes on by itself.",
        l->n->cfg.data, en[l->n->disk], for_ms / 1000);
    put(c->zh, "%s 所在磁盘空间不足：本节点%s，已持续 %" PRIu64 " 秒。请释放空间，之后自动恢复。",
        l->n->cfg.data, zh[l->n->disk], for_ms / 1000);
}

static void look_at_clock(struct look *l)
{
    const struct hub_standing_facts *f = &l->n->facts;
    const int64_t behind = hub_standing_clock_behind_ms(f, l->now_ms),
                  off = behind < 0 ? -behind : behind;
    if (!f->clock.since_ms || !hub_standing_clock_wrong(behind))
        return;
    const uint64_t for_ms = l->now_ms - f->clock.since_ms;
    struct hub_cause *c = cause(l, "clock_wrong", for_ms, false);
    worsen(l, HUB_STANDING_CLOCK);
    put(c->en,
        "This machine's clock is %" PRIi64 " s %s the other validators', noticed %" PRIu64
        " s ago: %s. Set it (chronyd); the node goes on by itself.",
        off / 1000, behind > 0 ? "behind" : "ahead of", for_ms / 1000,
        behind > 0 ? "this node cannot vote for their blocks"
                   : "they cannot vote for the blocks of this node");
    put(c->zh,
        "本机时钟比其他共识节点%s %" PRIi64 " 秒（%" PRIu64
        " 秒前发现）：%s。请校准时钟（chronyd），之后自动恢复。",
        behind > 0 ? "慢" : "快", off / 1000, for_ms / 1000,
        behind > 0 ? "本节点无法为其他节点的区块投票" : "其他节点无法为本节点的区块投票");
}

/* A leader too far ahead costs a time-out each turn; the others go on. */
static void look_at_fast_leader(struct look *l)
{
    const struct hub_standing_facts *f = &l->n->facts;
    if (!f->fast.seen_ms || f->clock.since_ms || l->now_ms - f->fast.seen_ms > HUB_FAST_TOLD_MS ||
        f->fast.leader >= l->set->n)
        return;
    struct hub_cause *c = cause(l, "clock_of_peer", l->now_ms - f->fast.since_ms, true);
    put(c->en, "The clock of ");
    put(c->zh, "节点");
    put_name(l, c, f->fast.leader);
    put(c->en,
        " is %" PRIu64 " s ahead of this machine's clock, noticed %" PRIu64
        " s ago: its blocks get no vote, and each of its turns is lost. Its operator must set it "
        "(chronyd).",
        f->fast.ahead_ms / 1000, (l->now_ms - f->fast.since_ms) / 1000);
    put(c->zh,
        "的时钟比本机快 %" PRIu64 " 秒（%" PRIu64
        " 秒前发现）：其区块得不到投票，轮到它提议时均被跳过。须由其运维人员校准时钟（chronyd）。",
        f->fast.ahead_ms / 1000, (l->now_ms - f->fast.since_ms) / 1000);
}

/* Called twice: what an operator must act on comes before what is only worth knowing. */
static void look_at_voting(struct look *l, bool notices)
{
    const enum hub_abstain why = l->n->replica->permit.why;
    const struct hub_abstain_text *text = hub_abstain_text(why);
    const bool young = l->now_ms - l->n->started_ms < ASKING_MS;
    const bool notice =
        why == HUB_ABSTAIN_OBSERVER || why == HUB_ABSTAIN_ASKING || why == HUB_ABSTAIN_LEFT;
    if (why == HUB_ABSTAIN_NOT || (why == HUB_ABSTAIN_ASKING && young) || notice != notices)
        return;
    struct hub_cause *c = cause(l, text->name, UINT64_MAX, notice);
    if (!notice)
        worsen(l, HUB_STANDING_NOT_VOTING);
    put(c->en, "%s", text->en);
    put(c->zh, "%s", text->zh);
}

/* Others go on in an epoch that no quorum of this one began: an operator decides whether this node follows. */
static void look_at_recovery(struct look *l)
{
    const struct hub_replica *r = l->n->replica;
    const struct hub_result_text *why = r->recover.why ? hub_result_text(r->recover.why) : NULL;
    char id[17];
    if (why) {
        struct hub_cause *c = cause(l, "recovery_refused", UINT64_MAX, false);
        worsen(l, HUB_STANDING_NOT_VOTING);
        put(c->en, "The recovery given to this node does not hold on its chain: %s %s", why->en,
            why->remedy_en);
        put(c->zh, "交给本节点的恢复记录在其链上不成立：%s%s", why->zh, why->remedy_zh);
    }
    if (!r->recover.shown_by)
        return;
    struct hub_cause *c = cause(l, "override", UINT64_MAX, false);
    worsen(l, HUB_STANDING_STUCK);
    put(c->en, "Peers follow a recovery epoch, record %s.., an override of the quorum, signed by ",
        hub_log_hash(id, &r->recover.shown));
    put(c->zh, "其他节点已按恢复记录 %s.. 进入恢复届次（替代法定数），签署节点：",
        hub_log_hash(id, &r->recover.shown));
    put_names(l, c, r->recover.shown_by);
    put(c->en,
        ". This node stays where it is. If its member follows it too, get the file from the "
        "others, compare its record id with the members, and start once with --recovery FILE.");
    put(c->zh,
        "。本节点停留原处。如本单位认可，请向其他成员索取该文件，核对记录标识，用 --recovery "
        "文件 启动一次。");
}

static void look_at_links(struct look *l)
{
    const uint64_t silent = silent_of(l);
    const unsigned heard = l->set->n - count(silent);
    const bool quorum = heard >= l->set->q;
    uint64_t since = 0;
    if (!silent)
        return;
    for (uint8_t i = 0; i < l->set->n; i++) {
        const struct hub_link_fact *f = &l->n->facts.link[i];
        if (silent >> i & 1 && l->now_ms - f->since_ms > since)
            since = l->now_ms - f->since_ms;
    }
    struct hub_cause *c = cause(l, quorum ? "peer_silent" : "no_quorum", since, quorum);
    if (!quorum)
        worsen(l, HUB_STANDING_NO_QUORUM);
    put(c->en, "%u of %u validators are heard, %u are needed. Not heard: ", heard, l->set->n,
        l->set->q);
    put(c->zh, "能收到 %u / %u 个共识节点的消息，至少需要 %u 个。未收到：", heard, l->set->n,
        l->set->q);
    bool first = true;
    for (uint8_t i = 0; i < l->set->n; i++) {
        if (!(silent >> i & 1))
            continue;
        put(c->en, "%s", first ? "" : "; ");
        put(c->zh, "%s", first ? "" : "；");
        put_name(l, c, i);
        put_heard(l, c, i);
        first = false;
    }
    put(c->en, ".");
    put(c->zh, "。");
    put_addresses(l, c, silent);
}

static void look_at_sync(struct look *l)
{
    const struct hub_replica *r = l->n->replica;
    uint64_t ahead = 0;
    if (!r->sync.active)
        return;
    for (uint8_t i = 0; i < l->set->n; i++)
        if (r->peer[i].fin.height > ahead)
            ahead = r->peer[i].fin.height;
    struct hub_cause *c = cause(l, "syncing", UINT64_MAX, true);
    worsen(l, HUB_STANDING_SYNCING);
    put(c->en, "This node catches up: height %" PRIu64 " of %" PRIu64 ". Wait.",
        r->chain.final_header.height, ahead);
    put(c->zh, "本节点正在同步：区块高度 %" PRIu64 " / %" PRIu64 "，请等待。",
        r->chain.final_header.height, ahead);
}

/* An empty node with a snapshot on its way. */
static void look_at_join(struct look *l)
{
    const struct hub_join *j = &l->n->join;
    if (j->state == HUB_JOIN_OFF || j->state == HUB_JOIN_JOINED ||
        (j->state == HUB_JOIN_HISTORY && !l->n->replica->sync.active))
        return;
    struct hub_cause *c = cause(l, "joining", UINT64_MAX, true);
    worsen(l, HUB_STANDING_SYNCING);
    if (j->state == HUB_JOIN_HISTORY) {
        put(c->en, "Joined without a snapshot (%s): the whole history is fetched.", j->why);
        put(c->zh, "未能获得可用的状态快照，改为获取全部历史区块。");
    } else if (j->state == HUB_JOIN_ASKING) {
        put(c->en,
            "This node is empty and asks its peers for a snapshot. Wait; their addresses and "
            "links are in the configuration and below.");
        put(c->zh, "本节点尚无数据，正向对端索取状态快照。请等待；对端地址见配置，连接情况见下。");
    } else {
        put(c->en,
            "This node fetches the snapshot of height %" PRIu64 " from %s: %" PRIu64 " of %" PRIu64
            " KiB. Wait.",
            j->height, j->name(j->net, j->peer), j->have / 1024, j->bytes / 1024);
        put(c->zh,
            "正在从 %s 获取高度 %" PRIu64 " 的状态快照：%" PRIu64 " / %" PRIu64 " KiB，请等待。",
            j->name(j->net, j->peer), j->height, j->have / 1024, j->bytes / 1024);
    }
}

/* What stands in the way before votes count. */
static void put_obstacle(const struct look *l, struct hub_cause *c, const struct hub_waiting *w)
{
    char hash[17];
    hub_log_hash(hash, &w->block);
    switch (w->what) {
    case HUB_WAITS_WORK:
    case HUB_WAITS_VOTES:
        break;
    case HUB_WAITS_HALTED:
        c->code = "divergence";
        put(c->en, ": a certified block breaks a rule here, and this node votes no more");
        put(c->zh, "：已有证书的区块在本节点违反规则，本节点停止投票");
        break;
    case HUB_WAITS_OWN_PROPOSAL:
        c->code = "waits_for_own_proposal";
        put(c->en, ": this node leads and has not proposed");
        put(c->zh, "：本节点为本视图提议者，尚未提议");
        break;
    case HUB_WAITS_PROPOSAL:
        c->code = "waits_for_leader";
        put(c->en, ": the leader ");
        put(c->zh, "：提议者");
        put_name(l, c, w->view[0].leader);
        put(c->en, " has not proposed");
        put(c->zh, "尚未提议");
        put_heard(l, c, w->view[0].leader);
        break;
    case HUB_WAITS_CERTIFICATES:
        c->code = "waits_for_certificates";
        put(c->en,
            ": the proposal stands on views %" PRIu64 " to %" PRIu64
            ", of which no certificate is here; it is asked for",
            w->first, w->last);
        put(c->zh, "：提议所依据的视图 %" PRIu64 " 至 %" PRIu64 " 缺少证书，正在索取", w->first,
            w->last);
        break;
    case HUB_WAITS_BLOCK:
        c->code = "waits_for_block";
        put(c->en, ": block %s of view %" PRIu64 ", or one below it, is not here; it is asked of ",
            hash, w->block_view);
        put(c->zh, "：缺少视图 %" PRIu64 " 的区块 %s 或其前序区块，正在向下列节点索取：",
            w->block_view, hash);
        put_names(l, c,
                  l->n->me < l->set->n ? w->holders & ~(UINT64_C(1) << l->n->me) : w->holders);
        break;
    case HUB_WAITS_CLOCK:
        c->code = "clock";
        put(c->en, ": the block of ");
        put(c->zh, "：");
        put_name(l, c, w->view[0].leader);
        put(c->en, " is %" PRIu64 " s ahead of this machine's clock; set both clocks (chronyd)",
            w->ahead_ms / 1000);
        put(c->zh, "的区块时间比本机时钟快 %" PRIu64 " 秒；请校准两台机器的时钟（chronyd）",
            w->ahead_ms / 1000);
        break;
    case HUB_WAITS_REFUSED:
        c->code = "proposal_refused";
        put(c->en, ": the leader's block breaks a rule; its turn is passed on");
        put(c->zh, "：提议者的区块违反规则，将轮换提议者");
        break;
    }
}

static void put_voters(const struct look *l, struct hub_cause *c, const char *kind, const char *zh,
                       uint64_t who)
{
    if (!who)
        return;
    put(c->en, "; %s from ", kind);
    put(c->zh, "；%s：", zh);
    put_names(l, c, who);
}

/* The one look at the core: who voted in the oldest unfinished view, and who did not. */
static void look_at_view(struct look *l)
{
    static struct hub_waiting w; /* main thread only, like its caller */
    const uint64_t since = l->n->facts.work_since_ms;
    if (!since || l->now_ms - since <= HUB_STUCK_MS)
        return;
    hub_cons_waiting(&l->n->replica->cons, hub_clock_wall_ms(), &w);
    const struct hub_waiting_view *v = &w.view[0];
    for (uint32_t i = 1; i < w.views; i++)
        if (w.view[i].certified && (!v->certified || w.view[i].view < v->view))
            v = &w.view[i];
    const bool finalize = v->certified && w.what != HUB_WAITS_BLOCK;
    const uint64_t voted = finalize ? v->finalize : v->notarize | v->nullify;
    const uint64_t missing = everybody(l) & ~voted;
    struct hub_cause *c = cause(l, "waits_for_votes", l->now_ms - since, false);
    worsen(l, HUB_STANDING_STUCK);
    put(c->en, "Nothing became final for %" PRIu64 " s, view %" PRIu64, (l->now_ms - since) / 1000,
        finalize ? v->view : w.view[0].view);
    put(c->zh, "已有 %" PRIu64 " 秒无区块最终确认，视图 %" PRIu64, (l->now_ms - since) / 1000,
        finalize ? v->view : w.view[0].view);
    put_obstacle(l, c, &w);
    if (w.what == HUB_WAITS_HALTED)
        return;
    if (w.what == HUB_WAITS_BLOCK) {
        put(c->en, ". Whoever has it must be reachable.");
        put(c->zh, "。持有该区块的节点须可达。");
        put_addresses(l, c, w.holders & silent_of(l));
        return;
    }
    if (!finalize) {
        put_voters(l, c, "NOTARIZE", "公证票", v->notarize);
        put_voters(l, c, "NULLIFY", "作废票", v->nullify);
    } else {
        put_voters(l, c, "notarized; FINALIZE", "已公证；确认票", v->finalize);
    }
    put(c->en, "; %u of one kind are needed, no vote from ", l->set->q);
    put(c->zh, "；同类票需 %u 张，尚未投票：", l->set->q);
    put_names(l, c, missing);
    put(c->en, ".");
    put(c->zh, "。");
    put_addresses(l, c, missing & silent_of(l));
    if (missing & ~silent_of(l) & ~(l->n->me < l->set->n ? UINT64_C(1) << l->n->me : 0)) {
        put(c->en, " Those that are heard but do not vote: look at `hubledger status` there (disk, "
                   "clock, voting).");
        put(c->zh,
            "能收到消息却不投票的节点：请在该节点查看 hubledger status（磁盘、时钟、投票状态）。");
    }
}

void hub_standing_of(struct hub_standing *out, const struct hub_node *n, uint64_t now_ms)
{
    struct look l = {n, &n->replica->chain.set, now_ms, out};
    out->state = HUB_STANDING_OK;
    out->causes = 0;
    if (hub_join_busy(&n->join)) { /* the replica has not begun: nothing of it counts */
        look_at_join(&l);
        look_at_disk(&l);
        look_at_links(&l);
        return;
    }
    look_at_voting(&l, false);
    look_at_recovery(&l);
    look_at_clock(&l);
    look_at_disk(&l);
    look_at_view(&l);
    look_at_links(&l);
    look_at_voting(&l, true);
    look_at_fast_leader(&l);
    look_at_sync(&l);
    look_at_join(&l);
}
