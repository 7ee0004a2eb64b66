/* api.h: the HTTP interface of a node (docs/operations.md): one thread parses, limits and renders; whatever it
 * needs of the state, the pool or the newest blocks it asks of the main thread, which answers in
 * hub_api_serve. Only api*.c include microhttpd.h.
 *  1. Nothing a client sends reaches the state but through hub_intake_submit.
 *  2. At most HUB_API_WAITING_MAX questions wait (503 beyond), HUB_API_SERVED_MAX are answered a turn.
 *  3. Answers show finalized rows, with the height and time they belong to. */
#ifndef HUB_API_H
#define HUB_API_H

#include "hub/chain.h"

struct hub_node;
struct hub_api;

enum { HUB_API_WAITING_MAX = 256, HUB_API_SERVED_MAX = 32 };

/* Listens on node->cfg.api. On failure why[512] names address, cause and remedy. node is borrowed until close. */
HUB_MUST_USE enum hub_status hub_api_open(struct hub_api **out, char why[512],
                                          struct hub_node *node);
void hub_api_close(struct hub_api *a);
int hub_api_fd(const struct hub_api *a); /* readable while questions wait */
void hub_api_serve(struct hub_api *a);   /* main thread: answers them */
/* Main thread: a block became final; its waiters are answered. applied and block borrowed. */
void hub_api_final(struct hub_api *a, const struct hub_applied *applied, struct hub_span block);
/* Main thread, after each turn: answers whoever waited for what became final, or has waited long enough. */
void hub_api_tend(struct hub_api *a);
/* Main thread: a submitted record's signature was checked: why = 0, or the code it was refused with. */
void hub_api_settled(struct hub_api *a, const struct hub_hash *id, uint16_t why);

#endif
