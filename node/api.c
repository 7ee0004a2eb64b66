/* api.c: the HTTP thread: requests in, answers out. See api.h and api_query.h. */
#include "node/api_query.h"

#include "node/clock.h"
#include "node/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* IDLE_S bounds how long silent clients hold all connections; one that waits for finality is not idle. */
enum { CONNECTIONS_MAX = 256, IDLE_S = 15, CONNECTION_BYTES = 32768, ARGS_MAX = 2 };

const struct hub_route hub_api_routes[] = {
    {"POST", "/v1/records", hub_api_post_records},
    {"GET", "/v1/records", hub_api_get_records},
    {"GET", "/v1/records/{}", hub_api_get_record},
    {"GET", "/v1/receipts/{}", hub_api_get_receipt},
    {"GET", "/v1/blocks/{}", hub_api_get_block},
    {"GET", "/v1/agreements", hub_api_get_agreements},
    {"GET", "/v1/agreements/{}", hub_api_get_agreement},
    {"GET", "/v1/agreements/{}/revisions/{}", hub_api_get_revision},
    {"GET", "/v1/wallets/by-reference/{}/{}", hub_api_get_opening},
    {"GET", "/v1/wallets/{}", hub_api_get_wallet},
    {"GET", "/v1/batches/{}/{}", hub_api_get_batch},
    {"GET", "/v1/members", hub_api_get_members},
    {"GET", "/v1/keys/{}/hints", hub_api_get_hints},
    {"GET", "/v1/proposals", hub_api_get_proposals},
    {"GET", "/v1/proposals/{}", hub_api_get_proposal},
    {"GET", "/v1/parameters", hub_api_get_parameters},
    {"GET", "/v1/supply", hub_api_get_supply},
    {"GET", "/v1/institutions/{}", hub_api_get_institution},
    {"GET", "/v1/status", hub_api_get_status},
    {"GET", "/v1/evidence", hub_api_get_evidence},
    {"GET", "/v1/codes", hub_api_get_codes},
    {"GET", "/v1/events", hub_api_get_events},
    {"GET", "/v1/metrics", hub_api_get_metrics},
    {"GET", "/metrics", hub_api_get_metrics},
    {"GET", "/v1/health/live", hub_api_get_health},
    {"GET", "/health/live", hub_api_get_health},
    {"GET", "/v1/health/ready", hub_api_get_health},
    {"GET", "/health/ready", hub_api_get_health},
    {NULL, NULL, NULL},
};

/* ---- requests */

/* Does the path fit the pattern? Its {} parts go to arg. */
static bool match(const char *pattern, const char *path, char arg[ARGS_MAX][HUB_API_ARG_BYTES])
{
    unsigned args = 0;
    while (*pattern && *path) {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        const size_t len = strcspn(path, "/");
        if (len == 0 || len >= HUB_API_ARG_BYTES || args == ARGS_MAX)
            return false;
        memcpy(arg[args], path, len);
        arg[args++][len] = 0;
        path += len;
        pattern += 2;
    }
    return !*pattern && !*path;
}

static const struct hub_route *find_route(struct hub_query *q, const char *method, const char *path,
                                          bool *path_known)
{
    *path_known = false;
    for (const struct hub_route *r = hub_api_routes; r->method; r++) {
        memset(q->arg, 0, sizeof q->arg);
        if (!match(r->path, path, q->arg))
            continue;
        *path_known = true;
        if (!strcmp(r->method, method))
            return r;
    }
    return NULL;
}

static enum MHD_Result keep_parameter(void *ctx, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    struct hub_query *q = ctx;
    (void)kind;
    if (q->parameters < HUB_API_PARAMETERS_MAX && strlen(name) < sizeof q->parameter[0].name &&
        (!value || strlen(value) < sizeof q->parameter[0].value)) {
        strcpy(q->parameter[q->parameters].name, name);
        strcpy(q->parameter[q->parameters++].value, value ? value : "");
    } else {
        q->parameters = HUB_API_PARAMETERS_MAX + 1; /* too many or too long: refused as a whole */
    }
    return MHD_YES;
}

static const char *header(struct MHD_Connection *c, const char *name)
{
    const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
    return value ? value : "";
}

static bool take_body(struct hub_query *q, const char *data, size_t len)
{
    if (q->body_too_large || len > HUB_API_BODY_BYTES - q->body.len) {
        q->body_too_large = true; /* read on and drop: a client that is cut off cannot read why */
        return true;
    }
    if (q->body.len + len > q->body.cap) {
        const size_t cap = (q->body.len + len) * 2 < HUB_API_BODY_BYTES ? (q->body.len + len) * 2
                                                                        : HUB_API_BODY_BYTES;
        uint8_t *grown = realloc(q->body.data, cap);
        if (!grown)
            return false;
        q->body.data = grown;
        q->body.cap = cap;
    }
    memcpy(q->body.data + q->body.len, data, len);
    q->body.len += len;
    return true;
}

void hub_api_wake(struct hub_api *a)
{
    const uint64_t one = 1;
    if (write(a->fd, &one, sizeof one) < 0 && errno != EAGAIN) /* EAGAIN: awake already */
        HUB_LOG(WARNING, "api_wake", HUB_LOG_TEXT("error", strerror(errno)));
}

/* False: too many wait, or the node stops. */
static bool enqueue(struct hub_api *a, struct hub_query *q)
{
    pthread_mutex_lock(&a->lock);
    const bool room = !a->stopping && a->queued < HUB_API_WAITING_MAX;
    if (room) {
        q->submitted = true;
        q->next = NULL;
        *(a->last ? &a->last->next : &a->first) = q;
        a->last = q;
        a->queued++;
        MHD_suspend_connection(q->connection); /* before the main thread can resume it */
    }
    pthread_mutex_unlock(&a->lock);
    if (room)
        hub_api_wake(a);
    return room;
}

static void add_header(struct MHD_Response *r, const char *name, const char *value)
{
    (void)MHD_add_response_header(r, name, value);
}

static enum MHD_Result send_answer(const struct hub_api *a, struct hub_query *q)
{
    char text[80], chain[9];
    struct MHD_Response *r =
        q->stream ? hub_stream_response(q->stream)
                  : MHD_create_response_from_buffer(q->out.len, q->out.data, MHD_RESPMEM_MUST_COPY);
    if (!r)
        return MHD_NO;
    add_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
               q->content_type ? q->content_type : "application/json; charset=utf-8");
    snprintf(text, sizeof text, "%llu", (unsigned long long)q->height);
    add_header(r, "Hub-Height", text);
    snprintf(text, sizeof text, "%llu", (unsigned long long)q->time_ms);
    add_header(r, "Hub-Time", text);
    for (int i = 0; i < 4; i++)
        snprintf(chain + 2 * i, 3, "%02x", a->node->genesis.chain.b[i]);
    add_header(r, "Hub-Chain", chain);
    add_header(r, "X-Content-Type-Options", "nosniff");
    add_header(r, MHD_HTTP_HEADER_CACHE_CONTROL,
               q->final ? "public, max-age=31536000, immutable" : "no-store");
    if (q->retry_after_s) {
        snprintf(text, sizeof text, "%u", q->retry_after_s);
        add_header(r, MHD_HTTP_HEADER_RETRY_AFTER, text);
    }
    const enum MHD_Result result = MHD_queue_response(q->connection, q->status, r);
    MHD_destroy_response(r);
    return result;
}

/* A problem found on this thread: nothing was asked of the main thread. */
static enum MHD_Result send_problem(struct hub_api *a, struct hub_query *q, const char *name,
                                    const char *detail)
{
    q->out.len = 0;
    hub_json_object(&q->out);
    q->status = hub_put_problem_members(&q->out, name, detail);
    hub_json_object_end(&q->out);
    q->content_type = "application/problem+json; charset=utf-8";
    q->retry_after_s = q->status == 503 || q->status == 429 ? 1 : 0;
    return send_answer(a, q);
}

static enum MHD_Result begin(struct hub_api *a, struct MHD_Connection *c, void **con_cls)
{
    struct hub_query *q = calloc(1, sizeof *q);
    (void)a;
    if (!q)
        return MHD_NO;
    q->connection = c;
    q->out.cap = HUB_API_ANSWER_BYTES;
    q->out.data = malloc(q->out.cap);
    *con_cls = q;
    return q->out.data ? MHD_YES : MHD_NO;
}

/* The whole request is here: to the main thread, or refused at the door. */
static enum MHD_Result dispatch(struct hub_api *a, struct hub_query *q, const char *url,
                                const char *method)
{
    bool path_known;
    MHD_get_connection_values(q->connection, MHD_GET_ARGUMENT_KIND, keep_parameter, q);
    q->zh = !strncmp(header(q->connection, MHD_HTTP_HEADER_ACCEPT_LANGUAGE), "zh", 2);
    const char *last = header(q->connection, "Last-Event-ID");
    if (*last)
        keep_parameter(q, MHD_HEADER_KIND, "last-event-id", last);
    q->is_sequence =
        !strncmp(header(q->connection, MHD_HTTP_HEADER_CONTENT_TYPE), "application/cbor-seq", 20);
    q->route = find_route(q, method, url, &path_known);
    if (!q->route)
        return send_problem(a, q, path_known ? "method_not_allowed" : "no_such_path", url);
    if (q->body_too_large)
        return send_problem(a, q, "body_too_large", "at most 1048576 bytes");
    if (q->parameters > HUB_API_PARAMETERS_MAX)
        return send_problem(a, q, "bad_parameter",
                            "at most 8 parameters, of at most 23 and 103 bytes");
    if (!strcmp(method, "POST") && !q->is_sequence &&
        strncmp(header(q->connection, MHD_HTTP_HEADER_CONTENT_TYPE), "application/cose", 16) != 0)
        return send_problem(a, q, "unsupported_media_type",
                            header(q->connection, MHD_HTTP_HEADER_CONTENT_TYPE));
    return enqueue(a, q) ? MHD_YES : send_problem(a, q, "busy", "256 requests are waiting");
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_len, void **con_cls)
{
    struct hub_api *a = cls;
    struct hub_query *q = *con_cls;
    (void)version;
    if (!q)
        return begin(a, c, con_cls);
    if (*upload_len) {
        const bool ok = take_body(q, upload, *upload_len);
        *upload_len = 0;
        return ok ? MHD_YES : MHD_NO;
    }
    return q->submitted ? send_answer(a, q) : dispatch(a, q, url, method);
}

static void completed(void *cls, struct MHD_Connection *c, void **con_cls,
                      enum MHD_RequestTerminationCode code)
{
    struct hub_query *q = *con_cls;
    (void)cls, (void)c, (void)code;
    if (!q)
        return;
    if (q->stream)
        hub_stream_gone(q->stream);
    free(q->body.data);
    free(q->out.data);
    free(q->item);
    free(q);
    *con_cls = NULL;
}

/* ---- the main thread's side */

void hub_query_done(struct hub_api *a, struct hub_query *q)
{
    q->height = a->node->replica->chain.final_header.height;
    q->time_ms = a->node->replica->chain.final_header.time_ms;
    a->requests++;
    MHD_resume_connection(q->connection);
}

static struct hub_query *dequeue(struct hub_api *a)
{
    pthread_mutex_lock(&a->lock);
    struct hub_query *q = a->first;
    if (q) {
        a->first = q->next;
        if (!a->first)
            a->last = NULL;
        a->queued--;
    }
    pthread_mutex_unlock(&a->lock);
    return q;
}

int hub_api_fd(const struct hub_api *a)
{
    return a->fd;
}

/* An empty node that still fetches a snapshot answers only how it is. */
static bool needs_ledger(const struct hub_route *r)
{
    return r->answer != hub_api_get_status && r->answer != hub_api_get_health &&
           r->answer != hub_api_get_metrics && r->answer != hub_api_get_codes;
}

void hub_api_serve(struct hub_api *a)
{
    uint64_t count;
    if (read(a->fd, &count, sizeof count) < 0 && errno != EAGAIN)
        HUB_LOG(WARNING, "api_wake", HUB_LOG_TEXT("error", strerror(errno)));
    for (unsigned i = 0; i < HUB_API_SERVED_MAX; i++) {
        struct hub_query *q = dequeue(a);
        if (!q)
            break;
        if (hub_join_busy(&a->node->join) && needs_ledger(q->route))
            hub_answer_problem(a, q, "joining", "");
        else
            q->route->answer(a, q);
    }
    pthread_mutex_lock(&a->lock);
    const bool more = a->first != NULL;
    pthread_mutex_unlock(&a->lock);
    if (more)
        hub_api_wake(a);
}

void hub_api_final(struct hub_api *a, const struct hub_applied *applied, struct hub_span block)
{
    struct hub_cbor c = hub_cbor_open(hub_span_of(&applied->results));
    (void)block;
    while (!c.bad && c.at < c.end) {
        struct hub_hash id;
        hub_cbor_array(&c, 3, 3);
        hub_cbor_hash(&c, &id);
        hub_cbor_item(&c);
        hub_cbor_item(&c);
        if (!c.bad)
            hub_submission_final(a, &id);
    }
}

void hub_api_tend(struct hub_api *a)
{
    const uint64_t now_ms = hub_clock_mono_ms();
    hub_submission_tend(a, now_ms);
    hub_streams_tend(a, now_ms);
}

void hub_api_settled(struct hub_api *a, const struct hub_hash *id, uint16_t why)
{
    hub_submission_settled(a, id, why);
}

/* ---- open and close */

static bool parse_address(struct sockaddr_in *out, const char *address)
{
    char host[64];
    const char *colon = strrchr(address, ':');
    if (!colon || (size_t)(colon - address) >= sizeof host)
        return false;
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = 0;
    *out = (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10))};
    return inet_pton(AF_INET, host, &out->sin_addr) == 1;
}

enum hub_status hub_api_open(struct hub_api **out, char why[512], struct hub_node *node)
{
    struct sockaddr_in address;
    struct hub_api *a = calloc(1, sizeof *a);
    if (!a || pthread_mutex_init(&a->lock, NULL)) {
        free(a);
        snprintf(why, 512, "out of memory");
        return HUB_IO;
    }
    a->node = node;
    a->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    /* poll, not epoll: libmicrohttpd 0.9.75 arms epoll edge-triggered and does not see the end of a client
     * whose bytes and hang-up came before it was accepted; 256 such held every connection until IDLE_S. */
    if (a->fd >= 0 && parse_address(&address, node->cfg.api))
        a->daemon = MHD_start_daemon(
            MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, a,
            MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
            (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
            MHD_OPTION_END);
    if (!a->daemon) {
        snprintf(why, 512, "cannot serve HTTP on %s: %s; give an IPv4 address and a free port",
                 node->cfg.api, strerror(errno));
        if (a->fd >= 0)
            close(a->fd);
        pthread_mutex_destroy(&a->lock);
        free(a);
        return HUB_IO;
    }
    *out = a;
    return HUB_OK;
}

void hub_api_close(struct hub_api *a)
{
    struct hub_query *q;
    pthread_mutex_lock(&a->lock);
    a->stopping = true;
    pthread_mutex_unlock(&a->lock);
    while ((q = dequeue(a)) != NULL) /* every suspended connection is resumed before the stop */
        hub_answer_problem(a, q, "stopping", "the node is stopping");
    hub_submission_tend(a, UINT64_MAX);
    hub_streams_end(a);
    MHD_stop_daemon(a->daemon);
    hub_streams_free(a);
    close(a->fd);
    pthread_mutex_destroy(&a->lock);
    free(a);
}
