/* http.c: the node's API for the command line, over libcurl: http and https only, bounded time and size, no
 * redirects; each --node is tried in turn. */
#include "tools/cli.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES_MAX = 16 << 20, CONNECT_S = 5, TOTAL_S = 60, URL_MAX = 2048 };

static size_t collect(char *data, size_t size, size_t n, void *ctx)
{
    struct hub_buf *b = ctx;
    const size_t len = size * n;
    if (len > ANSWER_BYTES_MAX - b->len)
        return 0; /* ends the transfer */
    if (b->len + len + 1 > b->cap) {
        const size_t cap = (b->len + len + 1) * 2;
        uint8_t *grown = realloc(b->data, cap);
        if (!grown)
            return 0;
        b->data = grown;
        b->cap = cap;
    }
    memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = 0;
    return len;
}

void hub_reply_free(struct hub_reply *r)
{
    json_decref(r->json);
    free(r->body.data); /* NOLINT(clang-analyzer-unix.Malloc): reset below, so never freed twice */
    *r = (struct hub_reply){0};
}

static struct curl_slist *headers_of(const struct hub_cli *cli, const char *content_type)
{
    char line[512];
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* no 100-continue round trip */
    const char *token = getenv("HUBLEDGER_TOKEN");
    if (content_type) {
        snprintf(line, sizeof line, "Content-Type: %s", content_type);
        list = curl_slist_append(list, line);
    }
    if (token && strlen(token) < 256) {
        snprintf(line, sizeof line, "Authorization: Bearer %s", token);
        list = curl_slist_append(list, line);
    }
    return curl_slist_append(list, cli->zh ? "Accept-Language: zh-CN" : "Accept-Language: en");
}

/* One request to one node. True if it answered. */
static bool perform(CURL *curl, const struct hub_cli *cli, struct hub_reply *r, const char *url,
                    const char *content_type, struct hub_span body)
{
    struct curl_slist *headers = headers_of(cli, content_type);
    *r = (struct hub_reply){0};
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TOTAL_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &r->body);
    if (content_type) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)body.data);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    }
    const CURLcode code = curl_easy_perform(curl);
    const char *type = NULL;
    if (code == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &r->status);
        curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
        r->binary = type && !strncmp(type, "application/c", 13); /* cbor, cose */
    }
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        hub_reply_free(r);
        return false;
    }
    if (r->body.len)
        r->json = json_loadb((const char *)r->body.data, r->body.len, JSON_REJECT_DUPLICATES, NULL);
    return true;
}

static bool request(struct hub_cli *cli, struct hub_reply *r, const char *path,
                    const char *content_type, struct hub_span body)
{
    static CURL *
        curl; /* one connection for the many requests of a run; released by the end of the process */
    char url[URL_MAX];
    if (!curl)
        curl = curl_easy_init();
    for (unsigned i = 0; curl && i < cli->nodes; i++) {
        curl_easy_reset(curl);
        const size_t base = strlen(cli->node[i]);
        const int len = snprintf(url, sizeof url, "%.*s%s",
                                 (int)(base && cli->node[i][base - 1] == '/' ? base - 1 : base),
                                 cli->node[i], path);
        if (len < 0 || len >= URL_MAX)
            continue;
        if (perform(curl, cli, r, url, content_type, body) &&
            (r->status != 503 || i + 1 == cli->nodes))
            return true; /* a node that is catching up or has no quorum: another may know more */
        if (i + 1 < cli->nodes)
            hub_reply_free(r);
    }
    return r->status != 0;
}

/* A problem+json answer (RFC 9457), told in the person's language; the exit code it stands for. */
static int problem(const struct hub_cli *cli, const struct hub_reply *r)
{
    const char *lang = HUB_T(cli, "en", "zh");
    const char *text = hub_json_text(r->json, lang), *detail = hub_json_text(r->json, "detail");
    const char *remedy = hub_json_text(json_object_get(r->json, "remedy"), lang);
    const int code = r->status == 404   ? HUB_EXIT_NO_EFFECT
                     : r->status >= 500 ? HUB_EXIT_UNREACHABLE
                                        : HUB_EXIT_REFUSED;
    if (cli->json && r->json)
        hub_cli_json(r->json);
    if (!*text)
        text = hub_json_text(r->json, "title");
    return hub_cli_fail(cli, code, "%s (%s %ld)%s%s%s%s",
                        *text ? text : HUB_T(cli, "the node refused", "节点拒绝了请求"),
                        *hub_json_text(r->json, "name") ? hub_json_text(r->json, "name") : "HTTP",
                        r->status, *detail ? ": " : "", detail,
                        *remedy ? HUB_T(cli, "\n  what to do: ", "\n  处理办法：") : "", remedy);
}

static bool settle(struct hub_cli *cli, struct hub_reply *r, bool answered, int *exit_code)
{
    if (!answered) {
        *exit_code = hub_cli_fail(cli, HUB_EXIT_UNREACHABLE,
                                  HUB_T(cli,
                                        "no node answers at %s; is it running? Name one with "
                                        "--node URL (or HUBLEDGER_NODE)",
                                        "节点 %s 无应答；请确认其已启动，或用 --node "
                                        "URL（或环境变量 HUBLEDGER_NODE）指定节点"),
                                  cli->nodes ? cli->node[0] : "-");
        return false;
    }
    if (r->status >= 200 && r->status < 300 && (r->json || r->binary))
        return true;
    *exit_code =
        r->status >= 200 && r->status < 300
            ? hub_cli_fail(cli, HUB_EXIT_UNREACHABLE,
                           HUB_T(cli,
                                 "what answers at %s is no hubledger node (its answer is "
                                 "no JSON): name one with --node URL",
                                 "%s 的应答不是 JSON，不是 hubledger 节点：请用 --node URL "
                                 "指定节点"),
                           cli->nodes ? cli->node[0] : "-")
            : problem(cli, r);
    hub_reply_free(r);
    return false;
}

bool hub_cli_get(struct hub_cli *cli, struct hub_reply *r, const char *path, int *exit_code)
{
    *r = (struct hub_reply){0};
    return settle(cli, r, request(cli, r, path, NULL, (struct hub_span){0}), exit_code);
}

bool hub_cli_post(struct hub_cli *cli, struct hub_reply *r, const char *path,
                  const char *content_type, struct hub_span body, int *exit_code)
{
    *r = (struct hub_reply){0};
    return settle(cli, r, request(cli, r, path, content_type, body), exit_code);
}

bool hub_cli_try_get(struct hub_cli *cli, struct hub_reply *r, const char *path)
{
    *r = (struct hub_reply){0};
    return request(cli, r, path, NULL, (struct hub_span){0});
}
