/* log.h: the node's log: one JSON object a line on standard error, so that people read it and machines
 * parse it: {"time":"2026-05-22T10:00:00.000Z","level":"info","event":"block_final","height":31}. Secrets
 * and record bodies are never logged. */
#ifndef HUB_LOG_H
#define HUB_LOG_H

#include "hub/base.h"

enum hub_log_level { HUB_LOG_DEBUG, HUB_LOG_INFO, HUB_LOG_WARNING, HUB_LOG_ERROR };

struct hub_log_field {
    const char *name;
    const char *text; /* NULL: the number */
    uint64_t number;
};
#define HUB_LOG_TEXT(name, value) ((struct hub_log_field){name, value, 0})
#define HUB_LOG_NUMBER(name, value) ((struct hub_log_field){name, NULL, (value)})

/* Lines below this level are dropped; a field that finds no room (2,048 bytes a line) is left out whole. Set once, before threads start. */
void hub_log_open(enum hub_log_level lowest);
void hub_log_write(enum hub_log_level level, const char *event, const struct hub_log_field *field,
                   size_t fields);
#define HUB_LOG(level, event, ...)                                                                 \
    hub_log_write(HUB_LOG_##level, event, (const struct hub_log_field[]){__VA_ARGS__},             \
                  sizeof((const struct hub_log_field[]){__VA_ARGS__}) /                            \
                      sizeof(struct hub_log_field))
/* First 16 hex digits of a hash, for log lines; out[17]. Returns out. */
const char *hub_log_hash(char out[17], const struct hub_hash *h);

#endif
