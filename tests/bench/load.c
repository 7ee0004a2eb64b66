/* load.c: see load.h. */
#include "tests/bench/load.h"
#include "tests/bench/bench.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    POLL_MS = 10,
    PUT_OFF_MS = 20,
    DRAIN_S = 30,
    ANSWER_BYTES = 1 << 20,
    CORE_BYTES = 1024,
    TIMEOUT_S = 60
};

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* ---- HTTP, one handle a thread */

static size_t keep(char *data, size_t size, size_t n, void *ctx)
{
    struct hub_buf *b = ctx;
    const size_t len = size * n;
    if (len >= b->cap - b->len)
        return 0;
    memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = 0;
    return len;
}

/* Status of the answer, 0 if there is none; body = NULL: GET. answer: ANSWER_BYTES. */
static long ask(CURL *curl, struct hub_buf *answer, const char *node, const char *path,
                const struct load_request *body)
{
    char url[256];
    long status = 0;
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/cbor-seq");
    headers = curl_slist_append(headers, "Expect:");
    snprintf(url, sizeof url, "%s%s", node, path);
    answer->len = 0;
    answer->data[0] = 0;
    curl_easy_reset(curl); /* keeps the connection */
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)body->data);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
    }
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    return status;
}

/* The main thread's. */
static CURL *main_curl;
static uint8_t main_bytes[ANSWER_BYTES];
static struct hub_buf main_answer = {.data = main_bytes, .cap = sizeof main_bytes};

uint64_t load_log_size(struct load *l)
{
    if (!main_curl)
        main_curl = curl_easy_init();
    if (!main_curl || ask(main_curl, &main_answer, l->node[0], "/v1/status", NULL) != 200)
        return 0;
    json_t *o = json_loadb((const char *)main_bytes, main_answer.len, 0, NULL);
    const uint64_t size = hub_json_number(o, "log_size", 0);
    json_decref(o);
    return size;
}

uint64_t load_metric(struct load *l, const char *name)
{
    char line[80];
    if (!main_curl)
        main_curl = curl_easy_init();
    if (!main_curl || ask(main_curl, &main_answer, l->node[0], "/metrics", NULL) != 200)
        return 0;
    snprintf(line, sizeof line, "\nhubledger_%s ", name);
    const char *at = strstr((const char *)main_bytes, line);
    return at ? strtoull(at + strlen(line), NULL, 10) : 0;
}

uint64_t load_alone(struct load *l, unsigned stream, unsigned request, unsigned node)
{
    const struct load_request *r = &l->stream[stream].request[request];
    if (!main_curl)
        main_curl = curl_easy_init();
    const uint64_t began = bench_now_ns();
    const long status =
        main_curl ? ask(main_curl, &main_answer, l->node[node], "/v1/records?wait=20s", r) : 0;
    const uint64_t took = bench_now_ns() - began;
    const char *text = (const char *)main_bytes;
    if (status == 200 && strstr(text, "\"final\"") && strstr(text, "\"code\":0"))
        return took;
    fprintf(stderr, "bench: a lone record did not become final: %ld %.300s\n", status, text);
    return 0;
}

/* ---- signing */

static bool add_entry(struct load_stream *s, struct hub_span record, struct hub_span attachment)
{
    const size_t more = record.len + attachment.len + 16;
    struct load_request *r = s->requests ? &s->request[s->requests - 1] : NULL;
    if (!r || r->records == s->load->per_request) {
        HUB_ASSERT(s->requests < s->room);
        r = &s->request[s->requests++];
    }
    uint8_t *grown = realloc(r->data, r->len + more);
    if (!grown)
        return false;
    r->data = grown;
    struct hub_buf b = {.data = grown, .len = r->len, .cap = r->len + more};
    hub_put_array(&b, 2);
    hub_put_bytes(&b, record);
    hub_put_bytes(&b, attachment);
    r->len = b.len;
    r->records++;
    return !b.full;
}

static void *sign_stream(void *arg)
{
    struct load_stream *s = arg;
    struct load *l = s->load;
    uint8_t core_bytes[CORE_BYTES];
    struct hub_buf attachment = {.data = malloc(HUB_ATTACHMENT_BYTES_MAX),
                                 .cap = HUB_ATTACHMENT_BYTES_MAX};
    bool ok = attachment.data != NULL;
    for (unsigned n = s->index; ok && n < l->count; n += l->streams) {
        struct hub_buf core = {.data = core_bytes, .cap = sizeof core_bytes};
        struct hub_signed record;
        attachment.len = 0;
        l->make(l->ctx, &core, &attachment, n);
        const struct hub_signing what = {
            .type = l->type, .core = hub_span_of(&core), .attachment = hub_span_of(&attachment)};
        ok = !core.full && !attachment.full &&
             hub_cli_sign(&s->cli, &record, &what, &s->hints) == HUB_EXIT_OK;
        if (ok) {
            ok = add_entry(s, hub_span_of(&record.bytes), what.attachment);
            free(record.bytes.data);
        }
    }
    free(attachment.data);
    if (!ok)
        l->failed = true;
    return NULL;
}

/* All streams' threads at once; body returns NULL. */
static bool in_threads(struct load *l, void *(*body)(void *), pthread_t thread[LOAD_KEYS_MAX])
{
    for (unsigned i = 0; i < l->streams; i++)
        if (pthread_create(&thread[i], NULL, body, &l->stream[i])) {
            fprintf(stderr, "bench: no thread\n");
            exit(1);
        }
    return true;
}

void load_forget(struct load *l)
{
    for (unsigned i = 0; i < l->streams; i++) {
        struct load_stream *s = &l->stream[i];
        for (unsigned r = 0; r < s->requests; r++)
            free(s->request[r].data);
        free(s->request);
        s->request = NULL;
        s->requests = s->room = 0;
    }
}

bool load_sign(struct load *l)
{
    pthread_t thread[LOAD_KEYS_MAX];
    load_forget(l);
    l->failed = false;
    for (unsigned i = 0; i < l->streams; i++) {
        struct load_stream *s = &l->stream[i];
        int code;
        if (!hub_cli_hints(&s->cli, &s->hints, &code))
            return false;
        s->room = l->count / l->streams / l->per_request + 2;
        s->request = calloc(s->room, sizeof *s->request);
        if (!s->request)
            return false;
    }
    in_threads(l, sign_stream, thread);
    for (unsigned i = 0; i < l->streams; i++)
        pthread_join(thread[i], NULL);
    return !l->failed;
}

/* ---- sending */

/* True when the whole request is queued or in the log; false: try again. */
static bool accepted(struct load *l, long status, const char *text)
{
    if (status == 200 && !strstr(text, "\"status\":"))
        return true;
    if (!strstr(text, "queue_full") && !strstr(text, "\"busy\"")) {
        fprintf(stderr, "bench: refused: %ld %.300s\n", status, text);
        l->failed = true;
    }
    return false;
}

static void *send_stream(void *arg)
{
    struct load_stream *s = arg;
    struct load *l = s->load;
    CURL *curl = curl_easy_init();
    struct hub_buf answer = {.data = malloc(ANSWER_BYTES), .cap = ANSWER_BYTES};
    for (unsigned i = 0; curl && answer.data && i < s->requests && !l->failed; i++) {
        const struct load_request *r = &s->request[i];
        while (l->sent + r->records > l->final + l->window && !l->stop)
            pause_ms(1);
        if (l->stop)
            break;
        l->sent += r->records;
        while (!accepted(l, ask(curl, &answer, l->node[s->index % l->nodes], "/v1/records", r),
                         (const char *)answer.data) &&
               !l->failed) {
            l->put_off++;
            pause_ms(PUT_OFF_MS);
        }
    }
    free(answer.data);
    curl_easy_cleanup(curl);
    return NULL;
}

static uint64_t signed_records(const struct load *l)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < l->streams; i++)
        for (unsigned r = 0; r < l->stream[i].requests; r++)
            sum += l->stream[i].request[r].records;
    return sum;
}

bool load_send(struct load *l, double seconds_max, struct load_outcome *out)
{
    pthread_t thread[LOAD_KEYS_MAX];
    const uint64_t base = load_log_size(l), total = signed_records(l), began = bench_now_ns();
    double seconds = 0;
    *out = (struct load_outcome){0};
    l->sent = l->final = l->put_off = 0;
    l->stop = l->failed = false;
    if (!base)
        return false;
    in_threads(l, send_stream, thread);
    while (!l->failed && seconds < seconds_max + DRAIN_S && (!l->stop || l->final < l->sent)) {
        const uint64_t size = load_log_size(l);
        seconds = (double)(bench_now_ns() - began) / 1e9;
        if (size > base + l->final) {
            l->final = size - base;
            out->seconds = seconds;
        }
        l->stop = l->final >= total || seconds > seconds_max;
        pause_ms(POLL_MS);
    }
    l->stop = true;
    for (unsigned i = 0; i < l->streams; i++)
        pthread_join(thread[i], NULL);
    out->records = l->final;
    out->put_off = l->put_off;
    out->all = l->final >= l->sent;
    return !l->failed && l->final > 0;
}

/* ---- opening */

bool load_open(struct load *l, char *nodes, char *keys, const char *genesis)
{
    char *rest = nodes;
    *l = (struct load){0};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    for (char *t; l->nodes < LOAD_NODES_MAX && (t = strtok_r(rest, " \n", &rest)) != NULL;)
        l->node[l->nodes++] = t;
    rest = keys;
    for (char *t; l->streams < LOAD_KEYS_MAX && (t = strtok_r(rest, " \n", &rest)) != NULL;) {
        struct load_stream *s = &l->stream[l->streams];
        s->cli = (struct hub_cli){
            .node = {l->node[0]}, .nodes = 1, .genesis_path = genesis, .key_path = t};
        s->index = l->streams++;
        s->load = l;
        if (!hub_cli_key(&s->cli) || !hub_cli_genesis(&s->cli))
            return false;
    }
    return l->nodes > 0 && l->streams > 0;
}

void load_close(struct load *l)
{
    load_forget(l);
    for (unsigned i = 0; i < l->streams; i++) {
        hub_keyfile_close(&l->stream[i].cli.key);
        free(l->stream[i].cli.genesis);
        free(l->stream[i].cli.genesis_bytes.data);
    }
    curl_easy_cleanup(main_curl);
    main_curl = NULL;
}
