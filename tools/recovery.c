/* recovery.c: `hubledger recovery`: what is left of validators and members writes a recovery epoch (docs/operations.md,
 * "When the quorum is lost for good"). `stand` reads a stopped node's journal; `draft` makes the record of several stands;
 * governors sign with `record cosign`, validators with `recovery cosign`, which silences their node first. */
#include "tools/draft.h"
#include "tools/governance.h"

#include "hub/recovery.h"
#include "ledger/recovery.h"
#include "node/abstain.h"
#include "node/config.h"
#include "node/guard.h"
#include "node/store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STAND_BYTES_MAX = 512, BODY_BYTES_MAX = 8192, CONFIG_ERROR_BYTES = 512 };
static const char stand_mark[] = "hubledger/stand/1";

struct options {
    const char *zh, *en, *with[HUB_COSIGN_MAX];
    unsigned stands;
};
enum { OPT_ZH = 1, OPT_EN, OPT_WITH };

static error_t parse(int key, char *arg, void *own)
{
    struct options *o = own;
    switch (key) {
    case OPT_ZH:
        return o->zh = arg, 0;
    case OPT_EN:
        return o->en = arg, 0;
    case OPT_WITH:
        return o->stands < HUB_COSIGN_MAX ? (o->with[o->stands++] = arg, 0) : EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- a stopped node */

struct stopped {
    struct hub_config cfg;
    struct hub_keyfile key;
    struct hub_store *store;
    struct hub_guard *guard;
    struct hub_ports port;
};

static void let_go(struct stopped *n)
{
    hub_guard_close(n->guard);
    hub_store_close(n->store);
    hub_keyfile_close(&n->key);
}

static int refuse(const struct hub_cli *cli, const char *thing, const char *why)
{
    return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s: %s", thing, hub_cli_why(cli, why));
}

/* All that the daemon opens of its own; the store's lock says that it does not run. */
static int take_hold(struct hub_cli *cli, struct stopped *n, const char *path)
{
    char error[CONFIG_ERROR_BYTES] = "", why[HUB_WHY_BYTES] = "", guard[HUB_GUARD_WHY_BYTES] = "";
    const char *bad = "";
    memset(n, 0, sizeof *n);
    if (!hub_config_read(&n->cfg, error, path))
        return refuse(cli, path, error);
    if (!cli->genesis_path)
        cli->genesis_path = n->cfg.genesis;
    if (!hub_cli_genesis(cli))
        return HUB_EXIT_UNREACHABLE;
    if (hub_keyfile_open(&n->key, n->cfg.key,
                         n->cfg.passphrase_file[0] ? n->cfg.passphrase_file : NULL, &bad) != HUB_OK)
        return refuse(cli, n->cfg.key, bad);
    if (hub_store_open(&n->store, why, n->cfg.data, cli->genesis, HUB_STORE_MAP_BYTES) != HUB_OK)
        return refuse(cli, n->cfg.data, why);
    if (hub_guard_open(&n->guard, guard, n->cfg.guard, &n->key.kid, &cli->genesis->chain) != HUB_OK)
        return refuse(cli, n->cfg.guard, guard);
    hub_store_ports(n->store, &n->port);
    hub_guard_ports(n->guard, &n->port);
    return HUB_EXIT_OK;
}

/* Where a validator stands in the newest epoch: the highest view in which it cast FINALIZE, and the block of that. */
struct stand {
    struct hub_hash chain, kid,
        base; /* base: with view 0, the block that began the epoch; zero: it knows no more */
    uint64_t epoch, view, time_ms; /* time_ms: of the base */
    uint64_t final;                /* view of its newest final block of the epoch; 0: none */
};

static void highest(void *ctx, const struct hub_vote *v)
{
    struct stand *s = ctx;
    if (v->subject.kind == HUB_FINALIZE && v->subject.view > s->view) {
        s->view = v->subject.view;
        s->base = v->subject.block_hash;
    }
}

/* Whose journal may have lost votes cannot say where it stands. */
static int is_whole(const struct hub_cli *cli, struct stopped *n, struct hub_halt *halt)
{
    struct hub_vote_mark mark;
    if (n->port.get_halt(n->store, halt) != HUB_OK)
        return refuse(cli, n->cfg.data, hub_store_why(n->store));
    if (n->port.guard_read(n->guard, &mark) != HUB_OK)
        return refuse(cli, n->cfg.guard, hub_abstain_text(HUB_ABSTAIN_GUARD_MISSING)->en);
    if (n->port.has_mark(n->store, &mark) != HUB_OK)
        return refuse(cli, n->cfg.data, hub_abstain_text(HUB_ABSTAIN_GUARD_AHEAD)->en);
    if (halt->why != HUB_ABSTAIN_NOT && halt->why != HUB_ABSTAIN_RECOVERY)
        return refuse(cli, n->cfg.data,
                      HUB_T(cli, hub_abstain_text(halt->why)->en, hub_abstain_text(halt->why)->zh));
    return HUB_EXIT_OK;
}

/* The guard remembers what was signed with another directory than this one. It is written behind the directory, so what it
 * lacks (signed_ is zero, or its mark is no silence) may be here. */
static int is_that_directory(const struct hub_cli *cli, struct stopped *n,
                             const struct hub_halt *halt, uint64_t epoch)
{
    static const struct hub_hash none;
    struct hub_vote_mark mark;
    if (n->port.guard_read(n->guard, &mark) != HUB_OK)
        return refuse(cli, n->cfg.guard, hub_abstain_text(HUB_ABSTAIN_GUARD_MISSING)->en);
    if (mark.view != HUB_VIEW_SILENT || mark.epoch < epoch ||
        (halt->why == HUB_ABSTAIN_RECOVERY && halt->epoch == mark.epoch &&
         (hub_hash_equal(&mark.signed_, &none) || hub_hash_equal(&mark.signed_, &halt->block))))
        return HUB_EXIT_OK;
    return hub_cli_fail(
        cli, HUB_EXIT_USAGE,
        HUB_T(cli,
              "%s: an older directory: its guard file says that this key has signed a recovery "
              "of epoch %llu. Put back the directory that it signed with",
              "%s：数据目录较旧：保护文件表明该密钥已签署第 %llu "
              "届的恢复记录。请放回签署时的数据目录"),
        n->cfg.data, (unsigned long long)mark.epoch);
}

/* A certificate may tell of more than was executed here. */
static void finalized(void *ctx, const struct hub_certificate *c)
{
    struct stand *s = ctx;
    if (c->subject.kind == HUB_FINALIZE && c->subject.view > s->final)
        s->final = c->subject.view;
}

static int find_stand(const struct hub_cli *cli, struct stopped *n, const struct hub_halt *halt,
                      struct stand *s)
{
    const struct hub_reader r = hub_store_reader(n->store);
    struct hub_header tip, base;
    struct hub_hash tip_hash, hash;
    struct hub_point fin;
    struct hub_edge edge;
    struct hub_span bytes, header_bytes;
    *s = (struct stand){.chain = cli->genesis->chain, .kid = n->key.kid};
    if (hub_read_tip(&r, &fin, &edge) != HUB_OK ||
        hub_read_header(&r, fin.height, &tip, &tip_hash) != HUB_OK)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli,
                                  "%s: nothing is final here: let this node catch up from the "
                                  "others first",
                                  "%s：尚无最终确认的区块：请先让本节点与其他节点同步"),
                            n->cfg.data);
    s->epoch = tip.epoch + hub_header_begins_epoch(&tip);
    s->final = hub_header_begins_epoch(&tip) ? 0 : tip.view;
    const int code = is_that_directory(cli, n, halt, s->epoch);
    if (code != HUB_EXIT_OK)
        return code;
    if (n->port.each_vote(n->store, s->epoch, 0, highest, s) != HUB_OK ||
        n->port.each_certificate(n->store, s->epoch, s->final, finalized, s) != HUB_OK)
        return refuse(cli, n->cfg.data, hub_store_why(n->store));
    if (!s->view && hub_header_begins_epoch(&tip))
        s->base = tip_hash;
    if (!s->view && !hub_header_begins_epoch(&tip))
        return HUB_EXIT_OK; /* others stand higher */
    if (n->port.get_block(n->store, &s->base, &bytes) != HUB_OK ||
        !hub_block_peek(&base, &hash, &header_bytes, bytes))
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE,
                            HUB_T(cli, "%s: the block that this node voted for is damaged",
                                  "%s：本节点所投票的区块已损坏"),
                            n->cfg.data);
    s->time_ms = base.time_ms;
    if (base.flags && base.epoch == s->epoch)
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli,
                  "%s: this node voted FINALIZE on the end of epoch %llu, which may be final "
                  "elsewhere: this case has no recovery; see docs/operations.md",
                  "%s：本节点已对第 %llu "
                  "届的终结区块投出确认票，该届可能已在别处终结：此情形不能恢复，"
                  "见 docs/operations.md"),
            n->cfg.data, (unsigned long long)s->epoch);
    return HUB_EXIT_OK;
}

/* ---- stand */

static int write_stand(struct hub_cli *cli, const struct stand *s)
{
    uint8_t bytes[STAND_BYTES_MAX];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    char kid[65], base[65];
    hub_put_array(&b, 8);
    hub_put_text(&b, stand_mark);
    hub_put_hash(&b, &s->chain);
    hub_put_hash(&b, &s->kid);
    hub_put_uint(&b, s->epoch);
    hub_put_uint(&b, s->view);
    hub_put_hash(&b, &s->base);
    hub_put_uint(&b, s->time_ms);
    hub_put_uint(&b, s->final);
    hub_format_hex(kid, s->kid.b, sizeof s->kid.b);
    hub_format_hex(base, s->base.b, sizeof s->base.b);
    if (!hub_cli_write_file(cli, cli->output, hub_span_of(&b), false))
        return HUB_EXIT_UNREACHABLE;
    hub_cli_say(cli,
                HUB_T(cli, "%s: validator %s, epoch %llu, highest FINALIZE in view %llu, block %s",
                      "%s：共识节点 %s，第 %llu 届，最高确认票在视图 %llu，区块 %s"),
                cli->output, kid, (unsigned long long)s->epoch, (unsigned long long)s->view, base);
    return HUB_EXIT_OK;
}

static int run_stand(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct stopped n;
    struct stand s;
    struct hub_halt halt;
    (void)own, (void)argc;
    if (!cli->output)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "name the file to write with -o", "请用 -o 指定输出文件"));
    int code = take_hold(cli, &n, argv[0]);
    if (code == HUB_EXIT_OK)
        code = is_whole(cli, &n, &halt);
    if (code == HUB_EXIT_OK)
        code = find_stand(cli, &n, &halt, &s);
    if (code == HUB_EXIT_OK)
        code = write_stand(cli, &s);
    let_go(&n);
    return code;
}

/* ---- draft */

static bool read_stand(struct hub_cli *cli, struct stand *s, const char *path)
{
    struct hub_buf file;
    if (!hub_cli_read_file(cli, &file, path, STAND_BYTES_MAX))
        return false;
    struct hub_cbor c = hub_cbor_open(hub_span_of(&file));
    hub_cbor_array(&c, 8, 8);
    hub_cbor_key(&c, stand_mark);
    hub_cbor_hash(&c, &s->chain);
    hub_cbor_hash(&c, &s->kid);
    s->epoch = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    s->view = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    hub_cbor_hash(&c, &s->base);
    s->time_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    s->final = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    const bool good = hub_cbor_done(&c) && hub_hash_equal(&s->chain, &cli->genesis->chain);
    free(file.data);
    if (!good)
        hub_cli_fail(cli, 0,
                     HUB_T(cli, "%s: no file of `hubledger recovery stand`, or of another network",
                           "%s：不是 hubledger recovery stand 生成的文件，或属于另一网络"),
                     path);
    return good;
}

/* What is final was finalized by one at least of n - q + 1 validators; if none of these did, it would be lost. */
static int loses_none(const struct hub_cli *cli, const char *thing, const struct stand *s,
                      uint64_t base_view)
{
    if (s->final <= base_view)
        return HUB_EXIT_OK;
    return hub_cli_fail(cli, HUB_EXIT_USAGE,
                        HUB_T(cli,
                              "%s: a block of view %llu is final there, and these validators voted "
                              "FINALIZE up to view %llu only, so one that did is missing",
                              "%s：视图 %llu "
                              "的区块在该处已最终确认，而这些共识节点的确认票仅到视图 "
                              "%llu：缺少投过票的节点"),
                        thing, (unsigned long long)s->final, (unsigned long long)base_view);
}

/* All of one epoch; *top: the one whose block is the base. */
static int read_stands(struct hub_cli *cli, struct stand *s, const struct options *o,
                       const struct stand **top)
{
    static const struct hub_hash none;
    *top = &s[0];
    for (unsigned i = 0; i < o->stands; i++) {
        if (!read_stand(cli, &s[i], o->with[i]))
            return HUB_EXIT_USAGE;
        if (s[i].epoch != s[0].epoch)
            return hub_cli_fail(
                cli, HUB_EXIT_USAGE,
                HUB_T(cli,
                      "%s stands in epoch %llu, %s in epoch %llu: run the nodes beside each other "
                      "until all are in the newest epoch",
                      "%s 处于第 %llu 届，%s 处于第 %llu "
                      "届：请先让各节点同时运行，直至均进入最新一届"),
                o->with[0], (unsigned long long)s[0].epoch, o->with[i],
                (unsigned long long)s[i].epoch);
        const bool knows = !hub_hash_equal(&s[i].base, &none);
        if (knows && (s[i].view > (*top)->view || hub_hash_equal(&(*top)->base, &none)))
            *top = &s[i];
        if (knows && s[i].view == (*top)->view && !hub_hash_equal(&s[i].base, &(*top)->base))
            return hub_cli_fail(
                cli, HUB_EXIT_USAGE,
                HUB_T(cli,
                      "%s names another block of view %llu: two validators "
                      "contradict each other, so one of them lies",
                      "%s 对视图 %llu 给出另一区块：两个共识节点互相矛盾，其一有误"),
                o->with[i], (unsigned long long)s[i].view);
    }
    int code = HUB_EXIT_OK;
    for (unsigned i = 0; i < o->stands && code == HUB_EXIT_OK; i++)
        code = loses_none(cli, o->with[i], &s[i], (*top)->view);
    return code;
}

static void put_signers(struct hub_buf *b, const struct stand *s, unsigned n)
{
    hub_put_text(b, "signers");
    hub_put_array(b, n);
    for (unsigned i = 0; i < n; i++) {
        hub_put_map(b, 2);
        hub_put_text(b, "kid");
        hub_put_hash(b, &s[i].kid);
        hub_put_text(b, "view");
        hub_put_uint(b, s[i].view);
    }
}

static int put_body(struct hub_cli *cli, struct hub_buf *b, const struct options *o,
                    const struct stand *s, const struct stand *top, unsigned argc, char **argv)
{
    const uint64_t now_ms = (uint64_t)time(NULL) * 1000;
    uint64_t quorum;
    if (!hub_parse_uint(&quorum, argv[0], HUB_VALIDATORS_MAX) || !quorum)
        return hub_cli_fail(cli, HUB_EXIT_USAGE, HUB_T(cli, "'%s' is no quorum", "“%s”不是法定数"),
                            argv[0]);
    hub_put_map(b, 8);
    hub_put_text(b, "base");
    hub_put_hash(b, &top->base);
    hub_put_text(b, "epoch");
    hub_put_uint(b, top->epoch);
    hub_put_text(b, "quorum");
    hub_put_uint(b, quorum);
    hub_put_text(b, "reason");
    hub_put_map(b, o->en ? 2 : 1);
    if (o->en) {
        hub_put_text(b, "en");
        hub_put_text(b, o->en);
    }
    hub_put_text(b, "zh");
    hub_put_text(b, o->zh);
    put_signers(b, s, o->stands);
    hub_put_text(b, "time_ms");
    hub_put_uint(b, now_ms > top->time_ms ? now_ms : top->time_ms + 1);
    hub_put_text(b, "validators");
    hub_put_array(b, argc - 2);
    for (unsigned i = 2; i < argc; i++) {
        struct hub_hash kid;
        if (!hub_kid_of_word(&kid, argv[i]))
            return hub_cli_fail(cli, HUB_EXIT_USAGE,
                                HUB_T(cli, "'%s' is no key id and no key file",
                                      "“%s”既不是密钥标识，也不是密钥文件"),
                                argv[i]);
        hub_put_hash(b, &kid);
    }
    hub_put_text(b, "fault_model");
    hub_put_text(b, argv[1]);
    return HUB_EXIT_OK;
}

static int run_draft(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    static uint8_t bytes[BODY_BYTES_MAX];
    struct hub_buf body = {bytes, 0, sizeof bytes, false};
    struct stand s[HUB_COSIGN_MAX];
    const struct stand *top;
    if (cli->cosigners)
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(
                cli,
                "--cosign-by: the others sign the draft each by itself: governors with record "
                "cosign, validators, which fall silent first, with recovery cosign",
                "--cosign-by：请各方分别签署草稿：治理人用 record cosign；共识节点须先停止投票，用 "
                "recovery cosign"));
    if (!o->zh || !o->stands)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli,
                                  "say why (--reason-zh TEXT) and give the stands of the "
                                  "validators that sign (--with FILE, one each)",
                                  "请说明原因（--reason-zh 文本），并给出各签署共识节点的状态文件"
                                  "（--with 文件，每个一次）"));
    if (!hub_cli_genesis(cli))
        return HUB_EXIT_UNREACHABLE;
    int code = read_stands(cli, s, o, &top);
    if (code == HUB_EXIT_OK)
        code = put_body(cli, &body, o, s, top, argc, argv);
    if (code != HUB_EXIT_OK)
        return code;
    cli->draft = true;
    return hub_cli_sign_and_send(
        cli, &(struct hub_signing){.type = HUB_TYPE_EPOCH_RECOVER, .core = hub_span_of(&body)},
        NULL);
}

/* ---- cosign */

/* The draft says of this node what its journal says. */
static bool agrees(const struct hub_recovery *r, const struct stand *s)
{
    struct hub_hash kid;
    uint64_t view;
    for (uint32_t i = 0; hub_recovery_signer(r, i, &kid, &view); i++)
        if (hub_hash_equal(&kid, &s->kid))
            return r->epoch == s->epoch && view == s->view &&
                   (view < hub_recovery_view(r) || hub_hash_equal(&r->base, &s->base));
    return false;
}

/* Somebody else may have named the base: that it was notarized is not believed, but looked at; and who voted for it may be
 * lost before it signs. */
static bool holds_base(struct stopped *n, const struct hub_recovery *r)
{
    static const uint8_t kinds[] = {HUB_NOTARIZE, HUB_FINALIZE};
    const uint64_t view = hub_recovery_view(r);
    struct hub_certificate c;
    struct hub_span bytes;
    bool held = view == 0;
    for (size_t i = 0; i < sizeof kinds && !held; i++)
        held = n->port.get_certificate(n->store, r->epoch, view, kinds[i], &c) == HUB_OK &&
               hub_hash_equal(&c.subject.block_hash, &r->base) &&
               n->port.get_block(n->store, &r->base, &bytes) == HUB_OK;
    return held;
}

static int may_sign(const struct hub_cli *cli, struct stopped *n, const struct hub_record *record,
                    const struct stand *s, const struct hub_halt *halt)
{
    static const struct hub_hash none; /* what it signed can hold nowhere */
    struct hub_recovery r;
    struct hub_hash what;
    const uint64_t now_ms = (uint64_t)time(NULL) * 1000;
    if (record->type != HUB_TYPE_EPOCH_RECOVER)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "this draft is no recovery: hubledger record cosign",
                                  "该草稿不是恢复记录：请用 hubledger record cosign"));
    hub_recovery_read(&r, record);
    if (!agrees(&r, s))
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli,
                  "the draft does not say where this node stands (epoch %llu, view %llu): make a "
                  "new one with its stand",
                  "草稿与本节点的实际状态（第 %llu 届，视图 %llu）不符：请用其状态文件重新拟稿"),
            (unsigned long long)s->epoch, (unsigned long long)s->view);
    if (r.time_ms > now_ms + HUB_CLOCK_AHEAD_MS)
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli,
                  "the draft is of a time %llu s ahead of this machine's clock, and no block could "
                  "follow it before: set the clocks (chronyd) and make a new one",
                  "草稿时间比本机时钟快 %llu "
                  "秒，此前不会再有区块：请校准各机时钟（chronyd）后重新拟稿"),
            (unsigned long long)(r.time_ms - now_ms) / 1000);
    hub_epoch_recover_what(&what, record);
    if (halt->why == HUB_ABSTAIN_RECOVERY && halt->epoch == s->epoch &&
        !hub_hash_equal(&halt->block, &none) && !hub_hash_equal(&halt->block, &what))
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli,
                                  "this node has signed another recovery of epoch %llu: two of "
                                  "them would be two ledgers",
                                  "本节点已签署第 %llu 届的另一份恢复记录：两份即两本账"),
                            (unsigned long long)s->epoch);
    if (!holds_base(n, &r))
        return hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(
                cli,
                "this node does not hold the base, of view %llu, and its certificate: start it "
                "beside the others until it has, stop it, and sign then",
                "本节点没有基准区块（视图 %llu）及其证书：请与其他节点同时运行取得后，停止节点再签"
                "署"),
            (unsigned long long)hub_recovery_view(&r));
    return loses_none(cli, n->cfg.data, s, hub_recovery_view(&r));
}

/* Durable before the signature is made, in the store and in the guard: from then on this node is silent for the rest of
 * the epoch, also with an older copy of its directory. */
static int fall_silent(struct hub_cli *cli, const struct hub_record *record,
                       const struct hub_keyfile *key, void *ctx)
{
    struct stopped *n = ctx;
    struct hub_vote_mark mark;
    struct hub_halt halt;
    struct stand s;
    (void)key; /* its own: find_stand reads it */
    int code = is_whole(cli, n, &halt);
    if (code == HUB_EXIT_OK)
        code = find_stand(cli, n, &halt, &s);
    if (code == HUB_EXIT_OK)
        code = may_sign(cli, n, record, &s, &halt);
    if (code != HUB_EXIT_OK)
        return code;
    halt = (struct hub_halt){.why = HUB_ABSTAIN_RECOVERY,
                             .epoch = s.epoch,
                             .view = s.view,
                             .time_ms = (uint64_t)time(NULL) * 1000};
    hub_epoch_recover_what(&halt.block, record);
    if (n->port.put_halt(n->store, &halt) != HUB_OK || n->port.commit(n->store) != HUB_OK)
        return refuse(cli, n->cfg.data, hub_store_why(n->store));
    if (n->port.guard_read(n->guard, &mark) != HUB_OK)
        return refuse(cli, n->cfg.guard, hub_abstain_text(HUB_ABSTAIN_GUARD_MISSING)->en);
    mark.epoch = s.epoch;
    mark.view = HUB_VIEW_SILENT;
    mark.signed_ = halt.block;
    n->port.guard_note(n->guard, &mark);
    struct hub_guard *guard = n->guard;
    n->guard = NULL;
    if (!hub_guard_close(guard))
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE,
                            HUB_T(cli,
                                  "%s: the guard file cannot be written: mend or free its volume, "
                                  "and sign then",
                                  "%s：无法写入保护文件：请修复或清理其所在卷后再签署"),
                            n->cfg.guard);
    hub_cli_say(
        cli,
        HUB_T(cli, "this node votes no more in epoch %llu", "本节点不再参加第 %llu 届的任何表决"),
        (unsigned long long)s.epoch);
    return HUB_EXIT_OK;
}

static int run_cosign(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct stopped n;
    int code = take_hold(cli, &n, argv[1]);
    (void)own, (void)argc;
    if (code == HUB_EXIT_OK)
        code = hub_draft_cosign(cli, argv[0], &n.key, fall_silent, &n);
    let_go(&n);
    return code;
}

static const struct argp_option draft_options[] = {
    {"with", OPT_WITH, "FILE", 0, "a file of `recovery stand`, one for each validator that signs",
     0},
    {"reason-zh", OPT_ZH, "TEXT", 0, "why the quorum is given up, in Chinese (required)", 0},
    {"reason-en", OPT_EN, "TEXT", 0, "and in English", 0},
    {0},
};

const struct hub_command hub_recovery_commands[] = {
    {.noun = "recovery",
     .verb = "stand",
     .args = "NODE.CONF",
     .en = "read in a stopped node's journal where its validator stands, into -o FILE",
     .zh = "读取已停止节点的日志，得出其共识状态，写入 -o 文件",
     .examples = "  hubledger recovery stand /etc/hubledger/node.conf -o jiading.stand\n",
     .args_min = 1,
     .args_max = 1,
     .run = run_stand},
    {.noun = "recovery",
     .verb = "draft",
     .args = "QUORUM bft|all-of-3|crash-1of3|single KEY..",
     .en = "the quorum is lost for good: draft the epoch with which the rest goes on, into -o FILE",
     .zh = "法定数永久丧失：拟定其余单位继续运行的恢复届次，写入 -o 文件",
     .examples =
         "  hubledger recovery draft 2 bft jiading-node.key hub-node.key --with jiading.stand "
         "--with hub.stand --reason-zh 两节点机房毁损 --key governor.key -o recovery.draft\n",
     .options = draft_options,
     .parse = parse,
     .own_bytes = sizeof(struct options),
     .args_min = 3,
     .args_max = HUB_CLI_ARGS_MAX,
     .run = run_draft},
    {.noun = "recovery",
     .verb = "cosign",
     .args = "DRAFT NODE.CONF",
     .en = "silence a stopped node for the rest of the epoch, then sign the draft with its key",
     .zh = "使已停止的节点在本届内不再投票，然后以其密钥签署草稿",
     .examples = "  hubledger recovery cosign recovery.draft /etc/hubledger/node.conf\n",
     .args_min = 2,
     .args_max = 2,
     .run = run_cosign},
    {.noun = NULL},
};
