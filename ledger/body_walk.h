/* body_walk.h: one walk over a body along its field table, used by the strict check and by everything
 * that renders a body. Nested maps, arrays and `bstr .cbor` maps are entered with a stack, so nothing
 * recurses.
 *  1. The walker itself checks the shape: closed maps, required fields, counts, and that a map is a map.
 *     Scalars are the caller's: at HUB_WALK_VALUE it must read exactly one item from walk->at.
 *  2. Tables are static and finite, so the depth is bounded by the tables, not by the bytes. */
#ifndef HUB_LEDGER_BODY_WALK_H
#define HUB_LEDGER_BODY_WALK_H

#include "hub/body.h"

enum { HUB_BODY_LEVELS_MAX = 16 }; /* the deepest table, an agreement's milestones, uses 5 */

enum hub_walk_step {
    HUB_WALK_OPEN,  /* field is a MAP, NESTED or ARRAY that begins */
    HUB_WALK_VALUE, /* field is a scalar or RAW: read it from at */
    HUB_WALK_CLOSE, /* field is the MAP, NESTED or ARRAY that ends */
    HUB_WALK_END,   /* all was read */
    HUB_WALK_BROKEN /* code and name say what */
};

struct hub_body_level {
    const struct hub_field *self; /* what was entered; NULL for the body itself */
    const struct hub_field *next; /* map: the first field that may come; array: the element */
    struct hub_cbor outer;        /* NESTED: where the reading goes on behind it */
    uint32_t left;                /* entries still to come */
};

struct hub_body_walk {
    struct hub_cbor at;
    const struct hub_field *field; /* NULL: the body itself */
    const char *name;              /* of the field, or of the array whose element it is */
    uint16_t code;                 /* HUB_WALK_BROKEN: the result code */
    unsigned depth;
    struct hub_body_level level[HUB_BODY_LEVELS_MAX];
};

/* body must be one strict item (hub_cbor_ok); borrowed as long as the walk. */
void hub_body_walk_init(struct hub_body_walk *w, struct hub_span body,
                        const struct hub_field *fields);
enum hub_walk_step hub_body_walk_next(struct hub_body_walk *w);

#endif
