/* api_query.h: one question on its way from the HTTP thread to the main thread and back, and what the answers
 * share. Private to node/api*.c.
 *
 *   HTTP thread              main thread
 *   reads the request
 *   queues it, suspends  ->  hub_api_serve: route->answer(...)
 *                            may wait for a verifier or for finality
 *   sends, frees         <-  hub_query_done: resumes
 *
 * Whoever holds a query owns it alone: no locks but that of the queue. */
#ifndef HUB_API_QUERY_H
#define HUB_API_QUERY_H

#include "hub/json.h"
#include "node/api.h"
#include "node/node.h"

#include <microhttpd.h>
#include <pthread.h>

enum {
    HUB_API_ANSWER_BYTES =
        1 << 20,                  /* touched as written: 500 outcomes of 1 KiB, or one full block */
    HUB_API_BODY_BYTES = 1 << 20, /* a request: 256 records */
    HUB_API_ITEMS_MAX = 256,      /* records in one request */
    HUB_API_ARG_BYTES = 72,       /* a path part: 64 hex digits */
    HUB_API_PARAMETERS_MAX = 8,
    HUB_API_BUCKETS = 1024,
    HUB_API_WAIT_MAX_MS = 30000,
    HUB_API_SCAN_MAX =
        2000, /* records, heights and KiB of blocks that one listing looks at: some 5 ms */
    HUB_STREAMS_MAX = 32, /* of 256 connections: a dashboard each for 20 offices, and some tools */
    HUB_STREAM_BYTES = 1 << 16, /* handed over at once: 60 events of 1 KiB; 2 MiB for all */
    HUB_STREAM_WORK_MAX = 500,  /* events rendered, or KiB of blocks read, in one turn: 1 to 2 ms */
    HUB_STREAM_HEARTBEAT_MS = 15000, /* below the idle time-outs of proxies, 30 to 60 s */
    HUB_STREAM_LOOK_MS = 1000,       /* a reader that hung up gives its place back in this time */
    HUB_STREAM_SLOW_MS = 30000 /* a reader that takes HUB_STREAM_BYTES slower than this is cut */
};

enum hub_item_state {
    HUB_ITEM_CHECKING,
    HUB_ITEM_REFUSED,
    HUB_ITEM_TRY_LATER,
    HUB_ITEM_PASSED, /* dry run: all rules hold; nothing was queued */
    HUB_ITEM_PENDING,
    HUB_ITEM_FINAL
};

/* One reader of /v1/events. The text belongs to the main thread while sent == ready, and to the HTTP thread
 * until it has sent what was handed over; so a slow reader holds up nobody and costs a bounded text.
 *
 *   FREE -- hub_api_get_events --> OPEN -- request completed (HTTP thread) --> GONE -- next turn --> FREE */
struct hub_stream {
    enum {
        HUB_STREAM_FREE,
        HUB_STREAM_OPEN,
        HUB_STREAM_GONE
    } state;                           /* guarded by the lock of hub_api */
    struct hub_api *api;               /* borrowed */
    struct MHD_Connection *connection; /* borrowed while OPEN */
    size_t ready, sent;                /* guarded: bytes of text handed over, and of these taken */
    bool suspended, ended;             /* guarded: waits for text; the next read is the last */
    int fd;                            /* of the connection; open while OPEN and the lock is held */
    struct hub_buf text;               /* owned from OPEN to FREE */
    /* main thread */
    uint64_t height;   /* of the block whose events come next */
    uint32_t position; /* of the record in it */
    uint64_t n, from;  /* number of that record's first event; the first number not sent yet */
    char type[24];     /* only events of this type, or of this family ("agreement"); "" = all */
    uint64_t spoke_ms, looked_ms; /* when text was handed over, and the socket looked at, last */
};

struct hub_query_item { /* one submitted record */
    struct hub_query *query;
    struct hub_query_item *next; /* in the bucket of its id, while CHECKING or awaited */
    struct hub_hash id;
    enum hub_item_state state;
    uint16_t why;
    bool has_id, known; /* known: it was here before this request */
};

struct hub_query {
    struct hub_query *next; /* queue, or list of waiting ones */
    const struct hub_route *route;
    struct MHD_Connection *connection;
    char arg[2][HUB_API_ARG_BYTES]; /* {} parts of the path */
    struct {
        char name[24], value[104];
    } parameter[HUB_API_PARAMETERS_MAX];
    unsigned parameters;
    bool zh, is_sequence, submitted;
    struct hub_buf body; /* request; owned */
    bool body_too_large;
    /* main thread */
    struct hub_query_item *item; /* owned; items of them */
    uint32_t items, open;        /* open: CHECKING, or awaited and not final */
    uint64_t deadline_ms;        /* 0 = does not wait for finality */
    /* answer */
    unsigned status;
    const char *content_type;
    struct hub_buf out; /* owned */
    uint64_t height, time_ms;
    bool final; /* never changes: an ETag may be given */
    unsigned retry_after_s;
    struct hub_stream *stream; /* the answer is this stream; NULL: it is out */
};

struct hub_route {
    const char *method, *path; /* "/v1/records/{}" */
    void (*answer)(
        struct hub_api *a,
        struct hub_query *q); /* main thread; ends with hub_query_done or keeps it waiting */
};
extern const struct hub_route hub_api_routes[]; /* ends with method NULL */

struct hub_api {
    struct hub_node *node;
    struct MHD_Daemon *daemon;
    int fd;               /* eventfd: questions wait */
    pthread_mutex_t lock; /* guards first, last, queued, stopping */
    struct hub_query *first, *last;
    unsigned queued;
    bool stopping;
    /* main thread */
    struct hub_query *waiting; /* submissions that wait */
    struct hub_query_item *bucket[HUB_API_BUCKETS];
    struct hub_stream stream[HUB_STREAMS_MAX]; /* see there whose each field is */
    unsigned streams, stream_turn;             /* not FREE; whose turn is first */
    uint64_t requests, refused;
};

/* The answer is complete: hands the query back to the HTTP thread. */
void hub_query_done(struct hub_api *a, struct hub_query *q);
/* Value of a query parameter, or NULL. */
const char *hub_query_parameter(const struct hub_query *q, const char *name);
/* The parameter as a number, or `absent` if it is not there. False: it is none, or too large; the caller answers. */
bool hub_query_number(struct hub_query *q, const char *name, uint64_t *out, uint64_t absent,
                      uint64_t max);
/* A part of the path as a hash. False: it is none; the caller answers. */
bool hub_query_hash(struct hub_query *q, unsigned arg, struct hub_hash *out);

/* Answers. Each ends the query. */
void hub_answer_json(struct hub_api *a, struct hub_query *q, unsigned status);
/* RFC 9457: a result code (its texts come from results.def), or a name of the table in api_problem.c. */
void hub_answer_code(struct hub_api *a, struct hub_query *q, uint16_t code, const char *detail);
void hub_answer_problem(struct hub_api *a, struct hub_query *q, const char *name,
                        const char *detail);
/* Members of a problem object into an open object, for one item of many; returns its HTTP status. */
unsigned hub_put_code_members(struct hub_buf *out, uint16_t code, const char *detail);
unsigned hub_put_problem_members(struct hub_buf *out, const char *name, const char *detail);

struct
    hub_found { /* one record of the log, read and decoded; borrowed until the next read of the store */
    struct hub_header header;
    struct hub_hash block_hash;
    struct hub_span header_bytes, block;
    struct hub_record record;
    uint16_t code;
    struct hub_span value, result;
};
/* Members of an outcome, all but failed entries and body, into an open object. */
void hub_put_outcome_members(struct hub_buf *out, const struct hub_found *f,
                             const struct hub_place *place, bool replayed);
/* The next record of a block whose entries and results are being read, into f: header and the like stay. Its sums were
 * checked when the block was applied. False: damaged. */
bool hub_found_next(struct hub_api *a, struct hub_found *f, struct hub_cbor *entries,
                    struct hub_cbor *results);
/* Outcome JSON (an object) of a record in the log. False: not found or damaged. */
bool hub_put_outcome(struct hub_api *a, struct hub_buf *out, const struct hub_place *place,
                     bool with_body, bool replayed);

/* Which validator did what: member, kid, kind (E1 to E7), in words in both languages, epoch, view. */
void hub_put_offence_members(struct hub_buf *out, const char *member, const struct hub_hash *kid,
                             uint64_t epoch, uint64_t view, enum hub_offence_kind kind);

/* The state moved to the finalized block, and its time. */
const struct hub_state *hub_api_state(struct hub_api *a, uint64_t *time_ms);

/* Routes by family. */
void hub_api_post_records(struct hub_api *a, struct hub_query *q);
void hub_api_get_record(struct hub_api *a, struct hub_query *q);
void hub_api_get_records(struct hub_api *a, struct hub_query *q);
void hub_api_get_receipt(struct hub_api *a, struct hub_query *q);
void hub_api_get_block(struct hub_api *a, struct hub_query *q);
void hub_api_get_proposals(struct hub_api *a, struct hub_query *q);
void hub_api_get_proposal(struct hub_api *a, struct hub_query *q);
void hub_api_get_parameters(struct hub_api *a, struct hub_query *q);
void hub_api_get_agreements(struct hub_api *a, struct hub_query *q);
void hub_api_get_agreement(struct hub_api *a, struct hub_query *q);
void hub_api_get_revision(struct hub_api *a, struct hub_query *q);
void hub_api_get_wallet(struct hub_api *a, struct hub_query *q);
void hub_api_get_opening(struct hub_api *a, struct hub_query *q);
void hub_api_get_batch(struct hub_api *a, struct hub_query *q);
void hub_api_get_members(struct hub_api *a, struct hub_query *q);
void hub_api_get_hints(struct hub_api *a, struct hub_query *q);
void hub_api_get_supply(struct hub_api *a, struct hub_query *q);
void hub_api_get_institution(struct hub_api *a, struct hub_query *q);
void hub_api_get_evidence(struct hub_api *a, struct hub_query *q);
void hub_api_get_codes(struct hub_api *a, struct hub_query *q);
void hub_api_get_status(struct hub_api *a, struct hub_query *q);
void hub_api_get_health(struct hub_api *a, struct hub_query *q);
void hub_api_get_metrics(struct hub_api *a, struct hub_query *q);

/* What one final record says (api_facts.c), in the order of its events: record.final, then what it did. From record
 * and result, and, for votes, from the proposal's row, which keeps for ever which record closed it: so it is the
 * same on every node. found, place and state are borrowed. */
struct hub_facts {
    const struct hub_found *found;
    const struct hub_place *place;
    const struct hub_state *state;
    const char *type[4 + HUB_ACTIONS_MAX]; /* of the first events; payments follow */
    uint32_t types, next, count;
    struct hub_cbor failed; /* the failed entries of a batch not reached yet */
    uint64_t failed_entry;  /* UINT64_MAX: none */
    uint16_t failed_code;
};
struct hub_fact {
    const char *type;
    uint32_t entry; /* of a batch */
    uint16_t code;  /* of a failed payment */
};
void hub_facts_open(struct hub_facts *out, const struct hub_found *found,
                    const struct hub_place *place, const struct hub_state *state);
/* The types behind record.final of a governance record or validator.replace that was applied. */
uint32_t hub_facts_of_governance(const char **type, uint32_t max, const struct hub_state *s,
                                 const struct hub_record *r, const struct hub_place *place);
bool hub_facts_next(struct hub_facts *facts, struct hub_fact *out);
/* Its JSON object; at most 4 KiB. */
void hub_fact_put(struct hub_buf *out, const struct hub_facts *facts, const struct hub_fact *fact);

/* Streams (api_events.c). */
void hub_api_get_events(struct hub_api *a, struct hub_query *q);
struct MHD_Response *hub_stream_response(struct hub_stream *s); /* HTTP thread; NULL: no memory */
void hub_stream_gone(struct hub_stream *s); /* HTTP thread: its request is completed */
/* Main thread, after each turn: hands over what became final. now_ms: monotonic. */
void hub_streams_tend(struct hub_api *a, uint64_t now_ms);
void hub_streams_end(struct hub_api *a);  /* every stream ends; before the daemon stops */
void hub_streams_free(struct hub_api *a); /* once it has */
void hub_api_wake(struct hub_api *a);     /* any thread: the main thread takes a turn */

/* Submissions (api_submit.c): called from hub_api_settled, hub_api_final and hub_api_tend. */
void hub_submission_settled(struct hub_api *a, const struct hub_hash *id, uint16_t why);
void hub_submission_final(struct hub_api *a, const struct hub_hash *id);
void hub_submission_tend(struct hub_api *a, uint64_t now_ms);

#endif
