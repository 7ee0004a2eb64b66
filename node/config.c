/* config.c: see config.h. libconfuse reports file and line itself; what it would let pass (expansion of
 * ${X}, octal numbers, the last of repeated values) is refused here. */
#include "node/config.h"

#include "node/guard.h"

#include <confuse.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ERROR_BYTES = 512 };

/* libconfuse's error callback has no context argument: the text of the parse under way. One at a time. */
static char *error_text;

static void on_error(cfg_t *cfg, const char *format, va_list args)
{
    if (error_text[0])
        return; /* the first error is the one to mend */
    int len = snprintf(error_text, ERROR_BYTES,
                       "%s:%d: ", cfg && cfg->filename ? cfg->filename : "configuration",
                       cfg ? cfg->line : 0);
    if (len > 0 && len < ERROR_BYTES)
        vsnprintf(error_text + len, (size_t)(ERROR_BYTES - len), format, args);
}

bool hub_address_ok(const char *address)
{
    const char *colon = strrchr(address, ':');
    if (!colon || colon == address || strlen(address) > HUB_ADDRESS_MAX)
        return false;
    for (const char *p = address; p < colon; p++)
        if (!isalnum((unsigned char)*p) && !strchr(".:[]-", *p))
            return false;
    size_t digits = strspn(colon + 1, "0123456789");
    const long port = strtol(colon + 1, NULL, 10);
    return digits > 0 && digits <= 5 && colon[1 + digits] == 0 && port >= 1 && port <= 65535;
}

/* What libconfuse does not see: `name = 010` is octal to it, ${X} would expand, a repeated option takes the last. */
static bool check_lines(const char *path, char *error)
{
    char line[2048], seen[64][32];
    unsigned count = 0, number = 0, depth = 0;
    struct stat st;
    FILE *f = fopen(path, "r");
    bool ok = true;
    if (f && (fstat(fileno(f), &st) != 0 || S_ISDIR(st.st_mode))) { /* libconfuse would exit */
        fclose(f);
        f = NULL;
        errno = EISDIR;
    }
    if (!f) {
        snprintf(error, ERROR_BYTES, "%s: %s; give the configuration file's path with --config",
                 path, strerror(errno));
        return false;
    }
    while (ok && fgets(line, sizeof line, f)) {
        char name[32] = "", value[1024] = "";
        number++;
        const char *start = line + strspn(line, " \t");
        if (*start == '#' || *start == '\n' || *start == 0)
            continue;
        if (strstr(line, "${")) {
            snprintf(error, ERROR_BYTES,
                     "%s:%u: ${...} is not expanded here; write the value itself", path, number);
            ok = false;
        } else if (sscanf(start, "%31[a-z_] = %1023[^\n]", name, value) == 2) {
            if (value[0] == '0' && isdigit((unsigned char)value[1])) {
                snprintf(error, ERROR_BYTES, "%s:%u: %s = %.20s: a number has no leading zero",
                         path, number, name, value);
                ok = false;
            }
            for (unsigned i = 0; ok && depth == 0 && i < count; i++)
                if (!strcmp(seen[i], name)) {
                    snprintf(error, ERROR_BYTES, "%s:%u: %s is given twice; keep one", path, number,
                             name);
                    ok = false;
                }
            if (depth == 0 && count < 64)
                strcpy(seen[count++], name);
        }
        depth += strchr(start, '{') != NULL;
        depth -= depth > 0 && strchr(start, '}') != NULL;
    }
    if (ok && depth) {
        snprintf(error, ERROR_BYTES, "%s:%u: a section is not closed; add its }", path, number);
        ok = false;
    }
    fclose(f);
    return ok;
}

/* A relative path counts from the configuration file's folder, so that a node's folder can be moved. */
static bool copy_path(char out[HUB_PATH_BYTES_MAX], const char *config_path, const char *value)
{
    const char *slash = strrchr(config_path, '/');
    const int folder = value[0] == '/' || !slash ? 0 : (int)(slash - config_path) + 1;
    const int len = value[0]
                        ? snprintf(out, HUB_PATH_BYTES_MAX, "%.*s%s", folder, config_path, value)
                        : (out[0] = 0, 0);
    return len >= 0 && len < HUB_PATH_BYTES_MAX;
}

static bool fail(char *error, const char *path, const char *option, const char *rule)
{
    snprintf(error, ERROR_BYTES, "%s: %s: %s", path, option, rule);
    return false;
}

/* An empty text is a key of zeros: none. */
static bool take_hex(uint8_t out[HUB_TRANSPORT_KEY_BYTES], const char *text)
{
    memset(out, 0, HUB_TRANSPORT_KEY_BYTES);
    if (!text || !text[0])
        return true;
    if (strlen(text) != 2 * HUB_TRANSPORT_KEY_BYTES ||
        strspn(text, "0123456789abcdef") != 2 * HUB_TRANSPORT_KEY_BYTES)
        return false;
    for (unsigned i = 0; i < HUB_TRANSPORT_KEY_BYTES; i++) {
        const char pair[3] = {text[2 * i], text[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

static bool take_peers(struct hub_config *out, cfg_t *cfg, char *error, const char *path)
{
    if (cfg_size(cfg, "peer") > HUB_VALIDATORS_MAX)
        return fail(error, path, "peer", "at most 64 peers");
    for (unsigned i = 0; i < cfg_size(cfg, "peer"); i++) {
        cfg_t *sec = cfg_getnsec(cfg, "peer", i);
        const char *name = cfg_title(sec), *address = cfg_getstr(sec, "address");
        if (strlen(name) > HUB_NAME_MAX || !name[0])
            return fail(error, path, "peer",
                        "its name is a member code or the first hex digits of a key id");
        if (!address || !hub_address_ok(address))
            return fail(error, path, name, "address must be host:port, port 1 to 65535");
        if (!take_hex(out->peer[out->peers].transport, cfg_getstr(sec, "transport")))
            return fail(error, path, name,
                        "transport is the peer's transport key, 64 hex digits, as `hubledger key "
                        "show` prints it");
        snprintf(out->peer[out->peers].name, sizeof out->peer[0].name, "%s", name);
        snprintf(out->peer[out->peers++].address, sizeof out->peer[0].address, "%s", address);
    }
    return true;
}

static bool take_level(struct hub_config *out, const char *level)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    for (unsigned i = 0; i < 4; i++)
        if (!strcmp(level, names[i]))
            return out->log_level = (enum hub_log_level)i, true;
    return false;
}

static bool take(struct hub_config *out, cfg_t *cfg, char *error, const char *path)
{
    static const char *const needed[] = {"genesis", "data", "key", "listen"};
    const long uplink = cfg_getint(cfg, "uplink_mbit"), threads = cfg_getint(cfg, "threads");
    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < 4; i++)
        if (!cfg_getstr(cfg, needed[i])[0])
            return fail(error, path, needed[i], "is required; see docs/operations.md");
    if (!copy_path(out->genesis, path, cfg_getstr(cfg, "genesis")) ||
        !copy_path(out->data, path, cfg_getstr(cfg, "data")) ||
        !copy_path(out->key, path, cfg_getstr(cfg, "key")) ||
        !copy_path(out->passphrase_file, path, cfg_getstr(cfg, "passphrase_file")) ||
        !copy_path(out->guard, path, cfg_getstr(cfg, "guard")) ||
        (!out->guard[0] && !hub_guard_path(out->guard, sizeof out->guard, out->key)))
        return fail(error, path, "paths", "at most 1,023 bytes each");
    if (!hub_address_ok(cfg_getstr(cfg, "listen")))
        return fail(error, path, "listen",
                    "must be host:port, port 1 to 65535, as in 127.0.0.1:7001");
    if (cfg_getstr(cfg, "api")[0] && !hub_address_ok(cfg_getstr(cfg, "api")))
        return fail(error, path, "api", "must be host:port, port 1 to 65535, as in 127.0.0.1:8001");
    if (cfg_getstr(cfg, "endpoint")[0] && !hub_address_ok(cfg_getstr(cfg, "endpoint")))
        return fail(error, path, "endpoint",
                    "must be host:port, port 1 to 65535, as in 10.0.0.1:7001");
    snprintf(out->listen, sizeof out->listen, "%s", cfg_getstr(cfg, "listen"));
    snprintf(out->endpoint, sizeof out->endpoint, "%s",
             cfg_getstr(cfg, "endpoint")[0] ? cfg_getstr(cfg, "endpoint") : out->listen);
    snprintf(out->api, sizeof out->api, "%s", cfg_getstr(cfg, "api"));
    if (uplink < 1 || uplink > 100000)
        return fail(error, path, "uplink_mbit", "must be 1 to 100000");
    if (threads < 0 || threads > 64)
        return fail(error, path, "threads", "must be 0 (one a core) to 64");
    out->uplink_mbit = (uint32_t)uplink;
    out->threads = (uint32_t)threads;
    out->join_snapshot = !strcmp(cfg_getstr(cfg, "join"), "snapshot");
    if (!out->join_snapshot && strcmp(cfg_getstr(cfg, "join"), "history") != 0)
        return fail(error, path, "join", "must be snapshot or history; see docs/operations.md");
    if (!take_level(out, cfg_getstr(cfg, "log_level")))
        return fail(error, path, "log_level", "must be debug, info, warning or error");
    return take_peers(out, cfg, error, path);
}

bool hub_config_read(struct hub_config *out, char error[512], const char *path)
{
    cfg_opt_t peer[] = {CFG_STR("address", NULL, CFGF_NODEFAULT),
                        CFG_STR("transport", "", CFGF_NONE), CFG_END()};
    cfg_opt_t options[] = {CFG_STR("genesis", "", CFGF_NONE),
                           CFG_STR("data", "", CFGF_NONE),
                           CFG_STR("key", "", CFGF_NONE),
                           CFG_STR("passphrase_file", "", CFGF_NONE),
                           CFG_STR("guard", "", CFGF_NONE),
                           CFG_STR("listen", "", CFGF_NONE),
                           CFG_STR("endpoint", "", CFGF_NONE),
                           CFG_STR("api", "", CFGF_NONE),
                           CFG_STR("log_level", "info", CFGF_NONE),
                           CFG_STR("join", "history", CFGF_NONE),
                           CFG_INT("uplink_mbit", 100, CFGF_NONE),
                           CFG_INT("threads", 0, CFGF_NONE),
                           CFG_SEC("peer", peer, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
                           CFG_END()};
    error[0] = 0;
    if (!check_lines(path, error))
        return false;
    cfg_t *cfg = cfg_init(options, CFGF_NONE);
    error_text = error;
    cfg_set_error_function(cfg, on_error);
    bool ok = cfg_parse(cfg, path) == CFG_SUCCESS;
    if (!ok && !error[0])
        snprintf(error, ERROR_BYTES, "%s: cannot be read as a configuration", path);
    ok = ok && take(out, cfg, error, path);
    cfg_free(cfg);
    error_text = NULL;
    return ok;
}
