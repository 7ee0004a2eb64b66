/* status.c: how the network and a node are doing, and what runs here. */
#include "tools/cli.h"

#include "hub/version.h"

#include <stdlib.h>

static int run_status(struct hub_cli *cli, void *own, unsigned argc, char **argv)
{
    struct hub_reply r;
    int code;
    (void)own, (void)argc, (void)argv;
    if (!hub_cli_get(cli, &r, "/v1/status", &code))
        return code;
    if (cli->json)
        hub_cli_json(r.json);
    const char *name;
    json_t *value;
    json_object_foreach(r.json, name, value)
    {
        const json_t *words = json_object_get(value, HUB_T(cli, "en", "zh"));
        if (json_is_string(words)) /* a sentence in two languages */
            value = json_object_get(value, HUB_T(cli, "en", "zh"));
        char *text =
            json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        hub_cli_say(cli, "%-18s %s", name, text ? text : json_string_value(value));
        free(text);
    }
    hub_reply_free(&r);
    return HUB_EXIT_OK;
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
     .en = "how the node and its network are doing",
     .zh = "节点与网络的状态",
     .examples = "  hubledger status\n  hubledger status --node http://127.0.0.1:8002\n  hubledger "
                 "status --json",
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
