/* hubledger.c: the command line of officials and operators: `hubledger NOUN VERB [ARG...] [OPTIONS]`. One table of
 * commands, one argp each; what they share is in cli.h. */
#include "tools/cli.h"

#include <curl/curl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct hub_command *const families[] = {
    hub_network_commands,  hub_member_commands,  hub_node_commands,      hub_key_commands,
    hub_record_commands,   hub_receipt_commands, hub_agreement_commands, hub_wallet_commands,
    hub_currency_commands, hub_pay_commands,     hub_export_commands,    hub_status_commands,
    hub_evidence_commands, hub_backup_commands,  hub_snapshot_commands,  hub_governance_commands,
    hub_recovery_commands,
};
enum { FAMILIES = sizeof families / sizeof *families };

enum {
    OPT_NODE = 0x100,
    OPT_GENESIS,
    OPT_ACCEPT,
    OPT_KEY,
    OPT_PASSPHRASE,
    OPT_JSON,
    OPT_WAIT,
    OPT_OFFLINE,
    OPT_DRAFT,
    OPT_DRY_RUN,
    OPT_COSIGN,
    OPT_SEQ,
    OPT_VALID,
    OPT_LANG,
    OPT_YES,
    OPT_CONFIRM,
    OPT_NO_COLOR
};
static const struct argp_option global_options[] = {
    {NULL, 0, NULL, 0, "Global options:", 90},
    {"node", OPT_NODE, "URL", 0, "the node to ask; repeat for others to try (HUBLEDGER_NODE)", 90},
    {"genesis", OPT_GENESIS, "FILE", 0, "the root of trust (HUBLEDGER_GENESIS)", 90},
    {"accept-recovery", OPT_ACCEPT, "ID", 0,
     "follow the recovery epoch of this record beside genesis; repeatable", 90},
    {"key", OPT_KEY, "FILE", 0, "the key file that signs (HUBLEDGER_KEY)", 90},
    {"passphrase-file", OPT_PASSPHRASE, "FILE", 0, "first line is the passphrase of the key files",
     90},
    {"cosign-by", OPT_COSIGN, "FILE", 0, "a further key file that signs too; repeatable", 90},
    {"json", OPT_JSON, NULL, 0, "JSON on standard output, all else on standard error", 90},
    {"output", 'o', "FILE", 0, "write to FILE; - is standard output", 90},
    {"wait", OPT_WAIT, "TIME", OPTION_ARG_OPTIONAL, "wait for the outcome (default 30s)", 90},
    {"offline", OPT_OFFLINE, NULL, 0, "sign into -o FILE, send nothing; needs --seq and --genesis",
     90},
    {"draft", OPT_DRAFT, NULL, 0,
     "write it into -o FILE for others to sign first (record cosign, record sign)", 90},
    {"dry-run", OPT_DRY_RUN, NULL, 0, "let the node check it; nothing is recorded", 90},
    {"seq", OPT_SEQ, "N", 0, "the record's sequence number (default: next free)", 90},
    {"valid", OPT_VALID, "TIME", 0, "how long it may wait for a block: 30s, 5m, 24h, 7d", 90},
    {"lang", OPT_LANG, "zh|en", 0, "language of texts (default: LANG)", 90},
    {"yes", OPT_YES, NULL, 0, "answer questions with yes; never a signing phrase", 90},
    {"confirm", OPT_CONFIRM, "TEXT", 0, "the signing phrase, for scripts", 90},
    {"no-color", OPT_NO_COLOR, NULL, 0, "no colours (NO_COLOR)", 90},
    {"quiet", 'q', NULL, 0, "say nothing but errors", 90},
    {0},
};

static error_t parse_lang(struct hub_cli *cli, const char *arg)
{
    if (strcmp(arg, "zh") != 0 && strcmp(arg, "en") != 0)
        return EINVAL;
    cli->zh = arg[0] == 'z';
    return 0;
}

static error_t add_node(struct hub_cli *cli, const char *url)
{
    if (cli->nodes == HUB_CLI_NODES_MAX ||
        (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
        return EINVAL;
    cli->node[cli->nodes++] = url;
    return 0;
}

static error_t add_cosigner(struct hub_cli *cli, const char *path)
{
    if (cli->cosigners == HUB_CLI_COSIGNERS_MAX)
        return EINVAL;
    cli->cosign_path[cli->cosigners++] = path;
    return 0;
}

/* Options that take a value and may be wrong: EINVAL then. ARGP_ERR_UNKNOWN: not one of these. */
static error_t parse_value(struct hub_cli *cli, int key, char *arg)
{
    switch (key) {
    case OPT_NODE:
        return add_node(cli, arg);
    case OPT_COSIGN:
        return add_cosigner(cli, arg);
    case OPT_ACCEPT:
        return cli->accepts < HUB_RECOVERIES_MAX &&
                       hub_parse_hex(cli->accepted[cli->accepts++].b, 32, arg)
                   ? 0
                   : EINVAL;
    case OPT_LANG:
        return parse_lang(cli, arg);
    case OPT_WAIT:
        cli->wait = true;
        return !arg || hub_parse_duration(&cli->wait_ms, arg) ? 0 : EINVAL;
    case OPT_SEQ:
        return hub_parse_uint(&cli->seq, arg, HUB_UINT_MAX) && cli->seq ? 0 : EINVAL;
    case OPT_VALID:
        return hub_parse_duration(&cli->valid_ms, arg) && cli->valid_ms ? 0 : EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_flag(struct hub_cli *cli, int key, char *arg)
{
    switch (key) {
    case OPT_GENESIS:
        return cli->genesis_path = arg, 0;
    case OPT_KEY:
        return cli->key_path = arg, 0;
    case OPT_PASSPHRASE:
        return cli->passphrase_file = arg, 0;
    case 'o':
        return cli->output = arg, 0;
    case OPT_CONFIRM:
        return cli->confirm = arg, 0;
    case OPT_JSON:
        return cli->json = true, 0;
    case OPT_DRAFT:
        return cli->draft = true, 0;
    case OPT_OFFLINE:
        return cli->offline = true, 0;
    case OPT_DRY_RUN:
        return cli->dry_run = true, 0;
    case OPT_YES:
        return cli->yes = true, 0;
    case OPT_NO_COLOR:
        return cli->color = false, 0;
    case 'q':
        return cli->quiet = true, 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

enum { OPTIONS_MAX = 64 };

struct run { /* one parse: the command, its own options, its arguments */
    struct hub_cli *cli;
    const struct hub_command *command;
    void *own;
    char *arg[HUB_CLI_ARGS_MAX];
    unsigned args;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct run *run = state->input;
    if (key == ARGP_KEY_ARG) {
        if (run->args == run->command->args_max || run->args == HUB_CLI_ARGS_MAX)
            argp_error(state, "one argument too many: '%s'", arg);
        run->arg[run->args++] = arg;
        return 0;
    }
    if (key == ARGP_KEY_END) {
        if (run->args < run->command->args_min)
            argp_error(state, "an argument is missing; expected: %s", run->command->args);
        return 0;
    }
    error_t e = run->command->parse ? run->command->parse(key, arg, run->own) : ARGP_ERR_UNKNOWN;
    if (e == ARGP_ERR_UNKNOWN)
        e = parse_value(run->cli, key, arg);
    if (e == ARGP_ERR_UNKNOWN)
        e = parse_flag(run->cli, key, arg);
    if (e == EINVAL)
        argp_error(state, "'%s' is no value this option takes; see --help", arg);
    return e;
}

static void list_commands(const struct hub_cli *cli, const char *noun, FILE *out)
{
    for (unsigned f = 0; f < FAMILIES; f++)
        for (const struct hub_command *c = families[f]; c->noun; c++)
            if (!noun || !strcmp(noun, c->noun)) {
                char name[80];
                snprintf(name, sizeof name, "%s%s%s %s", c->noun, *c->verb ? " " : "", c->verb,
                         c->args);
                fprintf(out, "  %-44s %s\n", name, HUB_T(cli, c->en, c->zh));
            }
}

static int usage(const struct hub_cli *cli, const char *noun, FILE *out, int code)
{
    fprintf(
        out,
        HUB_T(
            cli,
            "usage: hubledger NOUN VERB [ARGUMENT...] [OPTION...]\n"
            "The command line of a hubledger network. `hubledger NOUN VERB --help` tells more.\n\n",
            "用法：hubledger 对象 动作 [参数...] [选项...]\n"
            "hubledger 网络的命令行。`hubledger 对象 动作 --help` 查看详情。\n\n"));
    list_commands(cli, noun, out);
    return code;
}

/* The command named by argv[1] and, where it has a verb, argv[2]; *words of them. */
static const struct hub_command *find_command(int argc, char **argv, int *words)
{
    for (unsigned f = 0; f < FAMILIES; f++)
        for (const struct hub_command *c = families[f]; c->noun; c++) {
            const bool verb = *c->verb != 0;
            if (strcmp(argv[1], c->noun) != 0 ||
                (verb && (argc < 3 || strcmp(argv[2], c->verb) != 0)))
                continue;
            *words = verb ? 2 : 1;
            return c;
        }
    return NULL;
}

static bool noun_exists(const char *noun)
{
    for (unsigned f = 0; f < FAMILIES; f++)
        for (const struct hub_command *c = families[f]; c->noun; c++)
            if (!strcmp(noun, c->noun))
                return true;
    return false;
}

static void defaults(struct hub_cli *cli)
{
    const char *lang = getenv("LC_ALL"), *node = getenv("HUBLEDGER_NODE");
    if (!lang || !*lang)
        lang = getenv("LC_MESSAGES");
    if (!lang || !*lang)
        lang = getenv("LANG");
    *cli = (struct hub_cli){.wait_ms = 30000};
    cli->zh = lang && !strncmp(lang, "zh", 2);
    cli->color = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
    cli->genesis_path = getenv("HUBLEDGER_GENESIS");
    cli->key_path = getenv("HUBLEDGER_KEY");
    if (node && *node)
        cli->node[cli->nodes++] = node;
}

/* The command's own options, then the global ones. */
static void merge_options(struct argp_option all[OPTIONS_MAX], const struct argp_option *own)
{
    unsigned n = 0;
    for (; own && (own->name || own->doc); own++) {
        HUB_ASSERT(n + sizeof global_options / sizeof *global_options < OPTIONS_MAX);
        all[n++] = *own;
    }
    memcpy(all + n, global_options, sizeof global_options); /* its end included */
}

static int run_command(struct hub_cli *cli, const struct hub_command *c, int argc, char **argv)
{
    char doc[2048], name[80];
    struct run run = {.cli = cli, .command = c, .own = calloc(1, c->own_bytes ? c->own_bytes : 1)};
    struct argp_option all[OPTIONS_MAX];
    merge_options(all, c->options);
    const struct argp argp = {.options = all, .parser = parse, .args_doc = c->args, .doc = doc};
    const unsigned from_env = cli->nodes;
    if (!run.own)
        return HUB_EXIT_UNREACHABLE;
    snprintf(doc, sizeof doc, "%s\v%s\n%s", HUB_T(cli, c->en, c->zh),
             HUB_T(cli, "Examples:", "示例："), c->examples);
    snprintf(name, sizeof name, "hubledger %s%s%s", c->noun, *c->verb ? " " : "", c->verb);
    argv[0] = name;
    cli->nodes = 0; /* --node replaces the environment's */
    argp_err_exit_status = HUB_EXIT_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &run);
    if (!cli->nodes && from_env)
        cli->nodes = from_env;
    const int code = c->run(cli, run.own, run.args, run.arg);
    free(run.own);
    return code;
}

int main(int argc, char **argv)
{
    struct hub_cli cli;
    int words = 0;
    defaults(&cli);
    for (int i = 1; i + 1 < argc;
         i++) /* the language of help and errors counts from the first word on */
        if (!strcmp(argv[i], "--lang"))
            parse_lang(&cli, argv[i + 1]);
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
        return usage(&cli, NULL, argc < 2 ? stderr : stdout,
                     argc < 2 ? HUB_EXIT_USAGE : HUB_EXIT_OK);
    const struct hub_command *c = find_command(argc, argv, &words);
    if (!c) {
        const bool known = noun_exists(argv[1]);
        if (argc > 2 && known && !strcmp(argv[2], "--help"))
            return usage(&cli, argv[1], stdout, HUB_EXIT_OK);
        hub_cli_fail(&cli, 0,
                     HUB_T(&cli, "no command '%s%s%s'; there are:", "没有命令“%s%s%s”；可用的有："),
                     argv[1], argc > 2 && known ? " " : "", argc > 2 && known ? argv[2] : "");
        return usage(&cli, known ? argv[1] : NULL, stderr, HUB_EXIT_USAGE);
    }
    if (hub_crypto_self_test() != HUB_OK)
        return hub_cli_fail(
            &cli, HUB_EXIT_UNVERIFIED,
            "the cryptographic library of this machine decides differently; refusing to run");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return hub_cli_fail(&cli, HUB_EXIT_UNREACHABLE, "libcurl does not start");
    const int code = run_command(&cli, c, argc - words, argv + words);
    hub_keyfile_close(&cli.key);
    free(cli.genesis);
    free(cli.genesis_bytes.data);
    return fflush(stdout) == 0 ? code : HUB_EXIT_UNREACHABLE;
}
