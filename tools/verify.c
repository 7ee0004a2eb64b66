/* verify.c: hubledger-verify: the audit tool. Needs no node, no network, and no trust but in the genesis file. */
#include "node/checkpoint.h"
#include "tools/audit.h"
#include "tools/cli.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    EXIT_USAGE_ERROR = 2,
    EXIT_UNREADABLE = 3,
    EXIT_SELF_TEST = 6,
    FINDINGS_DEFAULT = 100,
    JOBS_MAX = 64
};
enum { OPT_STOPPED = 256, OPT_REPORT, OPT_LANG, OPT_MAX_FINDINGS, OPT_ACCEPT };

struct options {
    const char *genesis, *source;
    bool stopped, json, zh;
    unsigned long jobs, max_findings;
    struct hub_hash accepted[HUB_RECOVERIES_MAX];
    unsigned accepts;
};

#define T(o, en_text, zh_text) ((o)->zh ? (zh_text) : (en_text))

static bool chinese(const char *lang)
{
    return lang != NULL && strncmp(lang, "zh", 2) == 0;
}

static bool parse_number(unsigned long *out, const char *text, unsigned long max)
{
    char *end;

    errno = 0;
    *out = strtoul(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && text[0] != '-' && *out <= max;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'g':
        o->genesis = arg;
        return 0;
    case 'j':
        if (!parse_number(&o->jobs, arg, JOBS_MAX) || o->jobs == 0)
            argp_error(state, "--jobs: 1 to %d threads, not '%s'", JOBS_MAX, arg);
        return 0;
    case OPT_STOPPED:
        o->stopped = true;
        return 0;
    case OPT_REPORT:
        if (strcmp(arg, "json") != 0 && strcmp(arg, "text") != 0)
            argp_error(state, "--report: json or text, not '%s'", arg);
        o->json = strcmp(arg, "json") == 0;
        return 0;
    case OPT_LANG:
        if (strcmp(arg, "zh") != 0 && strcmp(arg, "en") != 0)
            argp_error(state, "--lang: zh or en, not '%s'", arg);
        o->zh = chinese(arg);
        return 0;
    case OPT_MAX_FINDINGS:
        if (!parse_number(&o->max_findings, arg, 1000000))
            argp_error(state, "--max-findings: 0 to 1000000, not '%s'", arg);
        return 0;
    case OPT_ACCEPT:
        if (o->accepts == HUB_RECOVERIES_MAX || !hub_parse_hex(o->accepted[o->accepts].b, 32, arg))
            argp_error(state, "--accept-recovery: a record id of 64 hex digits, at most %d times",
                       HUB_RECOVERIES_MAX);
        o->accepts++;
        return 0;
    case ARGP_KEY_ARG:
        if (o->source != NULL)
            argp_error(state, "one SOURCE at a time; '%s' is the second", arg);
        o->source = arg;
        return 0;
    case ARGP_KEY_END:
        if (o->genesis == NULL || o->source == NULL)
            argp_error(state, "--genesis FILE and SOURCE are both needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option option_list[] = {
    {"genesis", 'g', "FILE", 0, "the genesis file, the root of trust / 创世文件（信任根）", 0},
    {"jobs", 'j', "N", 0, "threads for signatures (default: all cores) / 核验签名的线程数", 0},
    {"report", OPT_REPORT, "json|text", 0, "form of the report / 报告格式", 0},
    {"max-findings", OPT_MAX_FINDINGS, "N", 0,
     "report at most N findings (default 100) / 最多列出 N 处问题", 0},
    {"stopped", OPT_STOPPED, 0, 0,
     "the node of the data directory does not run: leave its lock file alone / 节点已停止", 0},
    {"accept-recovery", OPT_ACCEPT, "ID", 0,
     "follow the recovery epoch of this record; repeatable / 认可此记录所作的恢复", 0},
    {"lang", OPT_LANG, "zh|en", 0, "language of the report (default: LANG) / 报告语言", 0},
    {0},
};

static const struct argp argp = {
    .options = option_list,
    .parser = parse_option,
    .args_doc = "SOURCE",
    .doc =
        "Checks the whole history of a ledger from its genesis file alone: every block, "
        "signature, rule, result "
        "and certificate. SOURCE is an export file or a node's data directory.\n"
        "用创世文件独立核验账本的全部历史。SOURCE 为导出文件或节点数据目录。"
        "\vExit status: 0 verified, 1 tampering or inconsistency, 2 usage, 3 unreadable or cut, "
        "4 incomplete, "
        "5 another genesis, 6 this machine's signature library decides differently, 7 a recovery "
        "epoch was not accepted.\n\n"
        "  hubledger-verify --genesis genesis.cbor ledger.export\n"
        "  hubledger-verify --genesis genesis.cbor --report json /var/lib/hubledger\n"
        "  hubledger-verify --genesis genesis.cbor --stopped --jobs 4 ./node1/data",
};

static int fail(const struct options *o, int exit_code, const char *what, const char *why)
{
    bool named = strncmp(what, why, strlen(what)) == 0; /* sources name themselves */

    fprintf(stderr, "hubledger-verify: %s%s%s\n", named ? "" : what, named ? "" : T(o, ": ", "："),
            why);
    return exit_code;
}

/* ---- genesis */

static bool read_genesis(const struct options *o, uint8_t bytes[HUB_GENESIS_BYTES_MAX + 1],
                         struct hub_genesis *g, int *exit_code)
{
    FILE *f = fopen(o->genesis, "rb");
    const char *why = "";
    size_t len;

    if (f == NULL) {
        *exit_code = fail(o, EXIT_UNREADABLE, o->genesis, strerror(errno));
        return false;
    }
    len = fread(bytes, 1, HUB_GENESIS_BYTES_MAX + 1, f);
    fclose(f);
    if (hub_genesis_decode(g, &why, (struct hub_span){bytes, len}) != HUB_OK) {
        const struct hub_cli language = {.zh = o->zh};
        *exit_code = fail(o, EXIT_UNREADABLE, o->genesis, hub_cli_why(&language, why));
        return false;
    }
    return true;
}

/* ---- progress: one line on a terminal, nothing elsewhere */

static void show_progress(void *ctx, const struct hub_audit *a)
{
    const struct hub_frames_info *info = hub_frames_info(a->frames);
    uint64_t total = info->bytes > 0 ? info->bytes : info->last_height;
    uint64_t done = info->bytes > 0 ? a->bytes_read : a->height_read;
    unsigned percent = total == 0 ? 0 : (unsigned)(done >= total ? 100 : done * 100 / total);
    char bar[41];

    (void)ctx;
    memset(bar, ' ', sizeof bar - 1);
    memset(bar, '#', percent * (sizeof bar - 1) / 100);
    bar[sizeof bar - 1] = '\0';
    fprintf(stderr, "\r[%s] %3u%%  %llu", bar, percent, (unsigned long long)a->height_read);
    fflush(stderr);
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > JOBS_MAX ? JOBS_MAX : (unsigned)n;
}

/* ---- the run */

static int audit(const struct options *o, struct hub_frames *frames, const struct hub_genesis *g,
                 struct hub_chain *chain)
{
    struct hub_audit a = {
        .frames = frames,
        .genesis = g,
        .chain = chain,
        .jobs = o->jobs == 0 ? cores() : (unsigned)o->jobs,
        .findings_max = o->max_findings,
        .progress = isatty(STDERR_FILENO) ? show_progress : NULL,
    };
    double begin = now_s();
    bool told = true;
    int exit_code;

    if (hub_audit_run(&a) != HUB_OK)
        return fail(o, EXIT_UNREADABLE, o->source,
                    T(o, "not enough memory or threads", "内存或线程不足"));
    if (a.progress != NULL)
        fprintf(stderr, "\r\033[K");
    if (o->json)
        told = hub_audit_json(stdout, &a, o->source, now_s() - begin);
    else
        hub_audit_print(stdout, &a, o->source, now_s() - begin, o->zh);
    if (!told || fflush(stdout) != 0)
        exit_code = fail(o, EXIT_UNREADABLE, "stdout", strerror(errno));
    else
        exit_code = (int)a.verdict;
    hub_audit_free(&a);
    return exit_code;
}

static int verify(const struct options *o, const struct hub_genesis *g)
{
    char why[HUB_FRAMES_WHY_BYTES];
    struct hub_chain *chain = calloc(1, sizeof *chain);
    struct hub_chain_memory memory = {0};
    struct hub_frames *frames = NULL;
    int exit_code = EXIT_UNREADABLE;

    if (chain == NULL || hub_chain_memory_map(&memory, NULL) != HUB_OK)
        exit_code =
            fail(o, EXIT_UNREADABLE, o->source, T(o, "not enough address space", "地址空间不足"));
    else if (hub_chain_init(chain, g, memory.state, NULL, memory.slots) != HUB_OK)
        exit_code = fail(o, EXIT_UNREADABLE, o->genesis,
                         T(o, "more members, keys or parameters than the protocol allows",
                           "成员、密钥或参数超过协议上限"));
    else if (hub_frames_open(&frames, why, o->source, o->stopped) != HUB_OK)
        exit_code = fail(o, EXIT_UNREADABLE, o->source, why);
    else
        exit_code = audit(o, frames, g, chain);
    hub_frames_close(frames);
    hub_chain_memory_unmap(&memory);
    free(chain);
    return exit_code;
}

int main(int argc, char **argv)
{
    static uint8_t bytes[HUB_GENESIS_BYTES_MAX + 1];
    struct options o = {.zh = chinese(getenv("LANG")), .max_findings = FINDINGS_DEFAULT};
    struct hub_genesis g;
    int exit_code;

    argp_err_exit_status = EXIT_USAGE_ERROR;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return EXIT_USAGE_ERROR;
    if (hub_crypto_self_test() != HUB_OK)
        return fail(&o, EXIT_SELF_TEST, "self-test",
                    T(&o,
                      "the signature library of this machine decides known cases differently: use "
                      "another version",
                      "本机签名库对已知用例的判断不同：请更换版本"));
    if (!read_genesis(&o, bytes, &g, &exit_code))
        return exit_code;
    g.accepted = (struct hub_accepted){o.accepted, o.accepts, false};
    return verify(&o, &g);
}
