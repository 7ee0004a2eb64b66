/* config.c: the node's configuration: what is read, and what is refused with file, line and remedy. */
#include "node/config.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GOOD                                                                                       \
    "genesis = \"g.cbor\"\ndata = \"/var/d\"\nkey = \"k.key\"\nlisten = \"127.0.0.1:7001\"\n"

static bool read_text(struct hub_config *out, char error[512], const char *text)
{
    char path[] = "/tmp/hub-config-XXXXXX";
    const int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    const bool ok = hub_config_read(out, error, path);
    unlink(path);
    return ok;
}

Test(config, reads_every_option_and_resolves_paths)
{
    struct hub_config c;
    char error[512];
    cr_assert(read_text(&c, error,
                        "# a comment\n" GOOD
                        "endpoint = \"node.example:7001\"\napi = \"127.0.0.1:8001\"\nlog_level = "
                        "\"debug\"\njoin = \"snapshot\"\nuplink_mbit = 25\nthreads = 3\n"
                        "peer CHANGNING { address = \"10.0.0.2:7001\" }\npeer 0123abcd { address = "
                        "\"[::1]:9\" }\n"),
              "%s", error);
    cr_assert_str_eq(c.genesis, "/tmp/g.cbor");
    cr_assert_str_eq(c.data, "/var/d");
    cr_assert_str_eq(c.api, "127.0.0.1:8001");
    cr_assert_str_eq(c.endpoint, "node.example:7001");
    cr_assert(c.log_level == HUB_LOG_DEBUG && c.uplink_mbit == 25 && c.threads == 3 &&
              c.peers == 2 && c.join_snapshot);
    cr_assert_str_eq(c.peer[0].name, "CHANGNING");
    cr_assert_str_eq(c.peer[1].address, "[::1]:9");
}

Test(config, refuses_a_directory_and_names_it)
{
    struct hub_config c;
    char error[512] = "";
    cr_assert_not(hub_config_read(&c, error, "/tmp"));
    cr_assert_not_null(strstr(error, "/tmp: Is a directory"), "%s", error);
}

Test(config, has_defaults)
{
    struct hub_config c;
    char error[512];
    cr_assert(read_text(&c, error, GOOD), "%s", error);
    cr_assert(c.log_level == HUB_LOG_INFO && c.uplink_mbit == 100 && c.threads == 0 &&
              c.peers == 0 && !c.api[0] && !c.join_snapshot);
    cr_assert_str_eq(c.endpoint, "127.0.0.1:7001", "as it listens");
}

struct bad {
    char text[256], words[32];
};
ParameterizedTestParameters(config, refuses_and_names_what_is_wrong)
{
    static struct bad bad[] = {
        {"", "genesis"},
        {GOOD "join = \"fast\"\n", "snapshot or history"},
        {"genesis = \"g\"\ndata = \"d\"\nkey = \"k\"\n", "listen"},
        {GOOD "endpoint = \"nowhere\"\n", "endpoint"},
        {GOOD "listne = \"x\"\n", ":5:"},
        {GOOD "threads = 010\n", "leading zero"},
        {GOOD "threads = 65\n", "threads"},
        {GOOD "uplink_mbit = 0\n", "uplink_mbit"},
        {GOOD "data = \"again\"\n", "twice"},
        {GOOD "api = \"${HOME}:1\"\n", "not expanded"},
        {GOOD "api = \"127.0.0.1\"\n", "host:port"},
        {GOOD "api = \"127.0.0.1:70000\"\n", "port"},
        {GOOD "log_level = \"loud\"\n", "log_level"},
        {GOOD "peer X { }\n", "address"},
        {GOOD "peer X { address = \"a:1\" }\npeer X { address = \"a:2\" }\n", ":6:"},
        {GOOD "peer X { address = \"a:1\"\n", ":"},
        {"genesis = \"g\n", ":"},
    };
    return cr_make_param_array(struct bad, bad, sizeof bad / sizeof *bad);
}

ParameterizedTest(struct bad *b, config, refuses_and_names_what_is_wrong)
{
    struct hub_config c;
    char error[512] = "";
    cr_assert_not(read_text(&c, error, b->text), "accepted: %s", b->text);
    cr_assert_not_null(strstr(error, b->words), "'%s' does not say '%s'", error, b->words);
}

Test(config, a_missing_file_is_named)
{
    struct hub_config c;
    char error[512];
    cr_assert_not(hub_config_read(&c, error, "/nonexistent/node.conf"));
    cr_assert_not_null(strstr(error, "/nonexistent/node.conf"));
}
