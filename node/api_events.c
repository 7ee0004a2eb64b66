/* api_events.c: GET /v1/events: final facts as server-sent events (WHATWG HTML 9.2), each with its cursor
 * <height>.<n>, n counting the events of a block from 0, so that a reader goes on anywhere it left off, at any node.
 * Live and past events are read from the stored blocks in the same way; see struct hub_stream for who owns what. */
#include "node/api_query.h"

#include "node/clock.h"
#include "node/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    BLOCK_BYTES_WORK = 1024
}; /* reading so many bytes of a block costs about what an event costs */

/* ---- HTTP thread */

static ssize_t read_stream(void *cls, uint64_t at, char *out, size_t max)
{
    struct hub_stream *s = cls;
    struct hub_api *a = s->api;
    ssize_t taken = 0;
    bool drained = false;
    (void)at;
    pthread_mutex_lock(&a->lock);
    if (s->ended || a->stopping) {
        taken = MHD_CONTENT_READER_END_OF_STREAM; /* what is cut off is resumed by cursor */
    } else if (s->ready == s->sent) {
        s->suspended = true;
        MHD_suspend_connection(s->connection);
    } else {
        const size_t n = s->ready - s->sent < max ? s->ready - s->sent : max;
        memcpy(out, s->text.data + s->sent, n);
        s->sent += n;
        drained = s->sent == s->ready;
        taken = (ssize_t)n;
    }
    pthread_mutex_unlock(&a->lock);
    if (drained)
        hub_api_wake(a);
    return taken;
}

struct MHD_Response *hub_stream_response(struct hub_stream *s)
{
    struct MHD_Response *r =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, read_stream, s, NULL);
    if (r) /* asks proxies not to hold events back */
        (void)MHD_add_response_header(r, "X-Accel-Buffering", "no");
    return r;
}

void hub_stream_gone(struct hub_stream *s)
{
    pthread_mutex_lock(&s->api->lock);
    s->state = HUB_STREAM_GONE;
    s->suspended = false;
    pthread_mutex_unlock(&s->api->lock);
}

/* ---- main thread: opening */

/* "<height>.<n>": behind this event; "<height>": behind this block. */
static bool read_cursor(struct hub_stream *s, const char *text)
{
    unsigned long long height, n;
    int used = 0;
    if (strspn(text, "0123456789.") != strlen(text))
        return false;
    if (sscanf(text, "%16llu.%16llu%n", &height, &n, &used) == 2 && used && !text[used]) {
        s->height = height;
        s->from = n + 1;
        return true;
    }
    used = 0;
    if (sscanf(text, "%16llu%n", &height, &used) != 1 || text[used])
        return false;
    s->height = height + 1;
    return true;
}

static struct hub_stream *free_stream(struct hub_api *a)
{
    struct hub_stream *found = NULL;
    pthread_mutex_lock(&a->lock);
    for (unsigned i = 0; i < HUB_STREAMS_MAX && !found; i++)
        if (a->stream[i].state == HUB_STREAM_FREE)
            found = &a->stream[i];
    pthread_mutex_unlock(&a->lock);
    return found;
}

/* False: no memory. The slot is free, so that nobody else looks at it. */
static bool open_stream(struct hub_api *a, struct hub_stream *s, struct hub_query *q,
                        const struct hub_stream *wanted)
{
    uint8_t *text = malloc(HUB_STREAM_BYTES);
    if (!text)
        return false;
    pthread_mutex_lock(&a->lock);
    *s = *wanted;
    s->state = HUB_STREAM_OPEN;
    s->api = a;
    s->connection = q->connection;
    s->fd = MHD_get_connection_info(q->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    s->text.data = text;
    s->text.cap = HUB_STREAM_BYTES;
    hub_text_put(&s->text, "retry: 2000\n\n"); /* ms until a browser tries again */
    s->ready = s->text.len;
    s->spoke_ms = hub_clock_mono_ms();
    pthread_mutex_unlock(&a->lock);
    a->streams++;
    return true;
}

void hub_api_get_events(struct hub_api *a, struct hub_query *q)
{
    /* A browser that reconnects asks the same address again: what it read last comes in the header. */
    const char *last = hub_query_parameter(q, "last-event-id");
    const char *after = last ? last : hub_query_parameter(q, "after");
    const char *type = hub_query_parameter(q, "type");
    struct hub_stream wanted = {.height = a->node->replica->chain.final_header.height + 1};
    if ((after && !read_cursor(&wanted, after)) || (type && strlen(type) >= sizeof wanted.type)) {
        hub_answer_problem(a, q, "bad_parameter",
                           "after, Last-Event-ID: the id of an event, or a height; type: such as "
                           "record.final, or a family such as agreement");
        return;
    }
    if (type)
        strcpy(wanted.type, type);
    if (!wanted.height) /* genesis has no records */
        wanted.height = 1, wanted.from = 0;
    if (wanted.height <= a->node->floor.height) {
        hub_answer_problem(a, q, "not_found", "after: a height that this node has the history of");
        return;
    }
    struct hub_stream *s = free_stream(a);
    if (!s || !open_stream(a, s, q, &wanted)) {
        hub_answer_problem(a, q, "busy", "32 readers of events are connected");
        return;
    }
    q->stream = s;
    q->content_type = "text/event-stream; charset=utf-8";
    hub_answer_json(a, q, 200);
}

/* ---- main thread: filling */

struct block_read {  /* the block several streams are at: read once a turn */
    uint64_t height; /* 0: none yet */
    struct hub_found found;
    struct hub_span results;
};

enum fill { FILL_ON, FILL_FULL, FILL_DAMAGED };

static enum hub_status read_block(struct hub_api *a, struct block_read *b, uint64_t height,
                                  int *work)
{
    const struct hub_reader r = hub_store_reader(a->node->store);
    struct hub_found *f = &b->found;
    b->height = 0;
    --*work;
    enum hub_status st = hub_read_header(&r, height, &f->header, &f->block_hash);
    if (st == HUB_OK && f->header.record_count) {
        st = hub_read_block(&r, height, &f->block);
        if (st == HUB_OK && !hub_block_peek(&f->header, &f->block_hash, &f->header_bytes, f->block))
            st = HUB_CORRUPT;
        if (st == HUB_OK)
            st = hub_find_results(&r, a->node->history, height, &b->results);
        if (st == HUB_OK)
            *work -= (int)(f->block.len / BLOCK_BYTES_WORK);
    }
    if (st == HUB_OK)
        b->height = height;
    return st;
}

static bool wants(const struct hub_stream *s, const char *type)
{
    const size_t len = strlen(s->type);
    return !len || (!strncmp(type, s->type, len) && (!type[len] || type[len] == '.'));
}

static void put_event(struct hub_buf *out, uint64_t n, const struct hub_facts *facts,
                      const struct hub_fact *fact)
{
    char head[96];
    snprintf(head, sizeof head,
             "id: %llu.%llu\nevent: %s\ndata: ", (unsigned long long)facts->place->height,
             (unsigned long long)n, fact->type);
    hub_text_put(out, head);
    hub_fact_put(out, facts, fact);
    hub_text_put(out, "\n\n");
}

/* Events of the record at s->position from s->from on; then s is at the next record. */
static enum fill fill_record(struct hub_stream *s, const struct hub_found *f, int *work)
{
    const struct hub_place place = {.log_index =
                                        f->header.log_size - f->header.record_count + s->position,
                                    .height = f->header.height,
                                    .position = s->position};
    struct hub_facts facts;
    struct hub_fact fact;
    uint64_t n = s->n, time_ms;
    hub_facts_open(&facts, f, &place, hub_api_state(s->api, &time_ms));
    for (; hub_facts_next(&facts, &fact); n++) {
        const size_t before = s->text.len;
        if (n < s->from || !wants(s, fact.type))
            continue;
        put_event(&s->text, n, &facts, &fact);
        --*work;
        if (s->text.full) {
            s->text.len = before;
            s->text.full = false;
            return before ? FILL_FULL : FILL_DAMAGED; /* one event fits many times */
        }
        s->from = n + 1;
    }
    --*work;
    s->position++;
    s->n = n;
    return FILL_ON;
}

/* Events of the block that was read, as far as text and work allow; at its end s is at the next block. */
static enum fill fill_block(struct hub_api *a, struct hub_stream *s, struct block_read *b,
                            int *work)
{
    struct hub_found *f = &b->found;
    if (f->header.record_count) {
        struct hub_cbor entries = hub_cbor_open(f->block), results = hub_cbor_open(b->results);
        hub_cbor_array(&entries, 2, 2);
        hub_cbor_bytes(&entries, 0, HUB_HEADER_BYTES_MAX);
        hub_cbor_array(&entries, 0, HUB_BLOCK_RECORDS_MAX);
        for (uint32_t i = 0; i < s->position; i++) {
            hub_cbor_item(&entries);
            hub_cbor_item(&results);
        }
        while (s->position < f->header.record_count) {
            if (*work <= 0)
                return FILL_ON;
            if (!hub_found_next(a, f, &entries, &results))
                return FILL_DAMAGED;
            const enum fill done = fill_record(s, f, work);
            if (done != FILL_ON)
                return done;
        }
    }
    s->height++;
    s->position = 0;
    s->n = s->from = 0;
    return FILL_ON;
}

/* Fills an idle stream's text. False: what is stored cannot be read, the stream ends. */
static bool fill(struct hub_api *a, struct hub_stream *s, struct block_read *b, int *work)
{
    const uint64_t tip = a->node->replica->chain.final_header.height;
    enum fill done = FILL_ON;
    while (done == FILL_ON && s->height <= tip && *work > 0) {
        if (b->height != s->height) {
            const enum hub_status st = read_block(a, b, s->height, work);
            if (st == HUB_NOT_FOUND)
                return true; /* not stored yet */
            if (st != HUB_OK)
                return false;
        }
        done = fill_block(a, s, b, work);
    }
    return done != FILL_DAMAGED;
}

/* ---- main thread: each turn */

static void release(struct hub_api *a, struct hub_stream *s)
{
    free(s->text.data);
    *s = (struct hub_stream){.state = HUB_STREAM_FREE};
    a->streams--;
}

/* The stream's next read is the last. Called with the lock held. */
static void end(struct hub_stream *s)
{
    s->ended = true;
    if (s->suspended) {
        s->suspended = false;
        MHD_resume_connection(s->connection);
    }
}

static void hand_over(struct hub_api *a, struct hub_stream *s, bool readable, uint64_t now_ms)
{
    pthread_mutex_lock(&a->lock);
    if (s->state == HUB_STREAM_OPEN && !readable) {
        end(s);
    } else if (s->state == HUB_STREAM_OPEN) {
        s->ready = s->text.len;
        s->sent = 0;
        s->spoke_ms = now_ms;
        if (s->suspended) {
            s->suspended = false;
            MHD_resume_connection(s->connection);
        }
    }
    pthread_mutex_unlock(&a->lock);
}

/* Did the reader hang up? Nobody waits on the socket of a suspended connection, so we look. Lock held. */
static bool hung_up(struct hub_stream *s, uint64_t now_ms)
{
    char byte;
    if (!s->suspended || now_ms - s->looked_ms < HUB_STREAM_LOOK_MS)
        return false;
    s->looked_ms = now_ms;
    const ssize_t got = recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

/* Is the text ours? Releases what is gone, and ends a reader that hung up or takes too long. */
static bool idle(struct hub_api *a, struct hub_stream *s, uint64_t now_ms)
{
    pthread_mutex_lock(&a->lock);
    const bool gone = s->state == HUB_STREAM_GONE;
    const bool open = s->state == HUB_STREAM_OPEN && !s->ended;
    const bool slow = s->sent < s->ready && now_ms - s->spoke_ms > HUB_STREAM_SLOW_MS;
    if (open && (slow || hung_up(s, now_ms)))
        end(s);
    const bool ours = open && !s->ended && s->sent == s->ready;
    if (gone)
        release(a, s);
    pthread_mutex_unlock(&a->lock);
    return ours;
}

void hub_streams_tend(struct hub_api *a, uint64_t now_ms)
{
    struct block_read b = {.height = 0};
    int work = HUB_STREAM_WORK_MAX;
    bool more = false;
    if (!a->streams)
        return;
    a->stream_turn++; /* another begins each turn, so that one far behind does not starve the rest */
    for (unsigned i = 0; i < HUB_STREAMS_MAX; i++) {
        struct hub_stream *s = &a->stream[(a->stream_turn + i) % HUB_STREAMS_MAX];
        if (!idle(a, s, now_ms))
            continue;
        s->text.len = 0;
        const bool readable = fill(a, s, &b, &work);
        if (!readable)
            HUB_LOG(ERROR, "events_unreadable", HUB_LOG_NUMBER("height", s->height));
        if (!s->text.len && now_ms - s->spoke_ms >= HUB_STREAM_HEARTBEAT_MS)
            hub_text_put(&s->text, ":\n\n");
        if (s->text.len || !readable)
            hand_over(a, s, readable, now_ms);
        more = more || work <= 0;
    }
    if (more)
        hub_api_wake(a);
}

void hub_streams_end(struct hub_api *a)
{
    pthread_mutex_lock(&a->lock);
    for (unsigned i = 0; i < HUB_STREAMS_MAX; i++)
        if (a->stream[i].state == HUB_STREAM_OPEN)
            end(&a->stream[i]);
    pthread_mutex_unlock(&a->lock);
}

void hub_streams_free(struct hub_api *a)
{
    for (unsigned i = 0; i < HUB_STREAMS_MAX; i++)
        if (a->stream[i].state != HUB_STREAM_FREE)
            release(a, &a->stream[i]);
}
