/* intake.h: the way of a record from outside (a client, a peer) into a block: form, standing of its key and
 * number in the state, signature on a verifier thread, then the mempool. It fills the record ports of the
 * replica. What it refuses is recorded nowhere and spends nothing. */
#ifndef HUB_INTAKE_H
#define HUB_INTAKE_H

#include "node/mempool.h"
#include "node/ports.h"
#include "node/verifier.h"

/* A local record's signature was checked: why = 0, it waits in the pool; else it is gone. */
typedef void hub_intake_settled(void *ctx, const struct hub_hash *id, uint16_t why);

struct hub_intake {
    struct hub_mempool *pool;      /* owned by the caller */
    struct hub_verifier *verifier; /* owned by the caller */
    const struct hub_chain *chain; /* borrowed, of the same thread */
    hub_intake_settled *settled;
    void *ctx;
    bool closed;  /* take no records from clients: disk low, or stopping */
    bool resting; /* offer none for a block: disk lower still; others propose */
    bool idle;    /* the last look found no work and nothing came since */
    uint64_t look_again_ms;
    uint64_t admitted, refused, full; /* since start, for metrics */
};

/* From a client (local) or a peer. HUB_OK: queued, settled follows for local ones. HUB_REFUSED: *why.
 * HUB_CONFLICT: in the pool already. HUB_LIMIT: full, or too far ahead of the key's waiting records.
 * HUB_NOT_NOW: closed. *id is set whenever the bytes are a record. */
HUB_MUST_USE enum hub_status hub_intake_submit(struct hub_intake *in, struct hub_hash *id,
                                               uint16_t *why, struct hub_span record,
                                               struct hub_span attachment, bool local,
                                               uint64_t now_mono_ms, uint64_t now_wall_ms);
/* All checks of hub_intake_submit and the signature, now, queuing nothing: 0 or the code. */
uint16_t hub_intake_check(const struct hub_intake *in, struct hub_span record,
                          struct hub_span attachment, uint64_t now_wall_ms);
/* Takes the verifier's answers. Call when its descriptor is readable. */
void hub_intake_collect(struct hub_intake *in);
/* A final block: its records leave the pool, and so does what can no longer be included. */
void hub_intake_final(struct hub_intake *in, const struct hub_applied *applied);

/* The record ports (ports.h), with a struct hub_intake as their context. */
void hub_intake_ports(struct hub_intake *in, struct hub_ports *ports);

#endif
