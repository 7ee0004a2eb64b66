/* status.c: how the network and a node are doing, and what runs here. */
#include "tools/cli.h"

#include "hub/version.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
    bool check, watch;
};
enum { OPT_CHECK = 1, OPT_WATCH };
enum { WATCH_S = 2 };

static error_t parse(int key, char *arg, void *own)
{
    struct options *o = own;
    (void)arg;
    if (key == OPT_CHECK)
        return o->check = true, 0;
    if (key == OPT_WATCH)
        return o->watch = true, 0;
    return ARGP_ERR_UNKNOWN;
}

static const char *const state_texts[][3] = {
    {"ok", "in order", "正常"},
    {"syncing", "catching up", "正在同步"},
    {"stuck", "STUCK: work waits, nothing becomes final", "停滞：有待处理事项，但无区块最终确认"},
    {"no_quorum", "NO QUORUM: too few validators are heard",
     "法定数不足：能收到消息的共识节点过少"},
    {"disk_low", "DISK LOW", "磁盘空间不足"},
    {"clock_wrong", "CLOCK WRONG", "时钟错误"},
    {"not_voting", "NOT VOTING: its operator must act", "本节点停止投票：须由运维人员处理"},
};

static const char *state_text(const struct hub_cli *cli, const char *state)
{
    for (size_t i = 0; i < sizeof state_texts / sizeof *state_texts; i++)
        if (!strcmp(state, state_texts[i][0]))
            return HUB_T(cli, state_texts[i][1], state_texts[i][2]);
    return state;
}

/* The state, and every cause in words: what is missing, since when, what to do. */
static void say_standing(const struct hub_cli *cli, const json_t *status)
{
    size_t i;
    json_t *cause;
    hub_cli_say(cli, "%s  %s  %s %s", hub_json_text(status, "member"),
                state_text(cli, hub_json_text(status, "state")), HUB_T(cli, "height", "区块高度"),
                hub_json_text(status, "height"));
    json_array_foreach(json_object_get(status, "causes"), i, cause)
    {
        hub_cli_say(cli, "%s %s", !strcmp(hub_json_text(cause, "level"), "problem") ? "!" : "-",
                    hub_json_text(cause, cli->zh ? "zh" : "en"));
    }
}

static void say_fields(const struct hub_cli *cli, json_t *status)
{
    const char *name;
    json_t *value;
    json_object_foreach(status, name, value)
    {
        if (!strcmp(name, "causes") || !strcmp(name, "why"))
            continue;
        char *text =
            json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        hub_cli_say(cli, "%-18s %s", name, text ? text : json_string_value(value));
        free(text);
    }
}

static int run_status(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    const struct options *o = own;
    struct hub_reply r;
    int code;
    (void)argc, (void)argv;
    do {
        if (!hub_cli_get(cli, &r, "/v1/status", &code))
            return code;
        if (cli->json)
            hub_cli_json(r.json);
        say_standing(cli, r.json);
        if (!o->check && !o->watch)
            say_fields(cli, r.json);
        const char *state = hub_json_text(r.json, "state");
        code = !o->check || !strcmp(state, "ok") || !strcmp(state, "syncing") ? HUB_EXIT_OK
                                                                              : HUB_EXIT_NO_EFFECT;
        hub_reply_free(&r);
        fflush(stdout);
    } while (o->watch && sleep(WATCH_S) == 0);
    return code;
}

static int run_version(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    (void)cli, (void)own, (void)argc, (void)argv;
    puts("hubledger " HUB_VERSION);
    return HUB_EXIT_OK;
}

const struct hub_command hub_status_commands[] = {
    {.noun = "status",
     .verb = "",
     .args = "",
     .en = "how the node and its network are doing, and what is in the way",
     .zh = "节点与网络的状态，以及停滞的原因",
     .examples = "  hubledger status\n  hubledger status --watch\n  hubledger status --check || "
                 "page-somebody",
     .options =
         (const struct argp_option[]){
             {"check", OPT_CHECK, NULL, 0, "for monitoring: exit 1 unless in order or catching up",
              0},
             {"watch", OPT_WATCH, NULL, 0, "again every 2 s, until interrupted", 0},
             {0}},
     .parse = parse,
     .own_bytes = sizeof(struct options),
     .run = run_status},
    {.noun = "version",
     .verb = "",
     .args = "",
     .en = "the release of this program",
     .zh = "程序版本",
     .examples = "  hubledger version",
     .run = run_version},
    {0},
};
