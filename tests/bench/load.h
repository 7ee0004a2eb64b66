/* load.h: records signed beforehand by several keys and sent to the nodes of a running network over HTTP. */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include "tools/cli.h"

enum { LOAD_KEYS_MAX = 16, LOAD_NODES_MAX = 8 };

struct load_request { /* entries of one POST */
    uint8_t *data;    /* owned */
    size_t len;
    unsigned records;
};
struct load_stream { /* one key, which sends to one node, in the order of its numbers */
    struct hub_cli cli;
    struct hub_hints hints;
    struct load_request *request; /* owned */
    unsigned requests, room;
    unsigned index;
    struct load *load;
};
struct load {
    const char *node[LOAD_NODES_MAX];
    unsigned nodes, streams, window; /* window: records on the way at most */
    struct load_stream stream[LOAD_KEYS_MAX];
    /* what load_sign makes, set by the caller */
    uint16_t type;
    unsigned count, per_request;
    void (*make)(void *ctx, struct hub_buf *core, struct hub_buf *attachment, uint64_t n);
    void *ctx;
    /* of load_send; counted by its threads */
    _Atomic uint64_t sent, final, put_off;
    _Atomic bool stop, failed;
};
struct load_outcome {
    uint64_t records; /* final */
    double seconds;   /* from the first request to the last of them seen final at the first node */
    uint64_t put_off; /* requests a full queue made wait */
    bool all;         /* whether all that was sent became final */
};

/* nodes: addresses; keys: paths of key files; both separated by blanks, and changed. False after a message. */
bool load_open(struct load *l, char *nodes, char *keys, const char *genesis);
void load_close(struct load *l);
/* Signs records 0..count-1 in turn by the keys, all threads at once. False after a message. */
bool load_sign(struct load *l);
/* Sends what was signed; stops sending after seconds_max and waits for what is on the way. */
bool load_send(struct load *l, double seconds_max, struct load_outcome *out);
/* One record sent alone, the answer waits for finality: nanoseconds, or 0 if it did not become final. */
uint64_t load_alone(struct load *l, unsigned stream, unsigned request, unsigned node);
void load_forget(struct load *l); /* the requests */
/* A number of /metrics of the first node, by its name without hubledger_; 0 if it does not answer. */
uint64_t load_metric(struct load *l, const char *name);
/* Leaves of the log at the first node; 0 if it does not answer. */
uint64_t load_log_size(struct load *l);

#endif
