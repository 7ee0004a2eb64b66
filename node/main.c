/* main.c: hubledgerd: options, configuration, then the node's loop. */
#include "node/node.h"

#include "hub/version.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { EXIT_USAGE = 64, EXIT_CONFIG = 78 };
enum { OPT_ANCHOR = 1, OPT_RESUME, OPT_ACKNOWLEDGE, OPT_RECOVERY, OPT_SNAPSHOT };

struct options {
    const char *config, *snapshot; /* snapshot: the data directory to make one of */
    struct hub_node_options node;
    bool check;
};

static const struct argp_option options[] = {
    {"config", 'c', "FILE", 0, "the node's configuration (docs/operations.md)", 0},
    {"anchor", OPT_ANCHOR, "FILE", 0,
     "a receipt, or a line with height and block hash, kept elsewhere: refuse a chain without it",
     0},
    {"resume-after-loss", OPT_RESUME, NULL, 0,
     "votes were lost: follow, and vote again once the chain has passed them (docs/operations.md)",
     0},
    {"acknowledge-halt", OPT_ACKNOWLEDGE, NULL, 0,
     "the reason why voting was halted is known and mended: vote again", 0},
    {"recovery", OPT_RECOVERY, "FILE", 0,
     "follow the recovery epoch that this file describes, an override of the quorum; repeatable "
     "(docs/operations.md)",
     0},
    {"make-snapshot", OPT_SNAPSHOT, "DATA", 0,
     "what a node starts for its peers: write DATA/snapshot from the last checkpoint, and end", 0},
    {"check-config", 'C', NULL, 0,
     "check the configuration file (not those it names), then end, then end", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case 'c':
        o->config = arg;
        return 0;
    case 'C':
        o->check = true;
        return 0;
    case OPT_ANCHOR:
        o->node.anchor = arg;
        return 0;
    case OPT_RESUME:
        o->node.resume = true;
        return 0;
    case OPT_ACKNOWLEDGE:
        o->node.acknowledge = true;
        return 0;
    case OPT_RECOVERY:
        if (o->node.recoveries == HUB_RECOVERIES_MAX)
            argp_error(state, "--recovery: at most %d files", HUB_RECOVERIES_MAX);
        o->node.recovery[o->node.recoveries++] = arg;
        return 0;
    case OPT_SNAPSHOT:
        o->snapshot = arg;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s': options only; the configuration is named with --config FILE", arg);
        return 0;
    case ARGP_KEY_END:
        if (!o->config && !o->snapshot)
            argp_error(state, "name the configuration: --config FILE");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int say(const char *why)
{
    fprintf(stderr, "hubledgerd: %s\n", why);
    return EXIT_CONFIG;
}

int main(int argc, char **argv)
{
    static struct hub_node node; /* large; one a process */
    char why[HUB_WHY_BYTES + 128] = "";
    struct options o = {0};
    const struct argp argp = {options, parse, NULL, "One node of a hubledger network.",
                              NULL,    NULL,  NULL};
    argp_program_version = "hubledgerd " HUB_VERSION;
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    if (hub_crypto_self_test() != HUB_OK)
        return say("the cryptographic library of this machine decides signatures differently from "
                   "the rule of consensus; refusing to run");
    if (o.snapshot) {
        hub_log_open(HUB_LOG_INFO);
        return hub_offer_make(o.snapshot);
    }
    if (!hub_config_read(&node.cfg, why, o.config))
        return say(why);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* no keys in core files */
    hub_log_open(node.cfg.log_level);
    if (o.check)
        return printf("%s: ok\n", o.config) < 0;
    node.options = o.node;
    int code = hub_node_open(&node, why, sizeof why);
    if (code) {
        say(why);
        return code;
    }
    code = hub_node_run(&node);
    hub_node_close(&node);
    HUB_LOG(INFO, "ended", HUB_LOG_NUMBER("code", (uint64_t)code));
    return code;
}
