#include "node/scrub.h"

#include "node/log.h"

#include <string.h>

enum { VALUES = 64 };

static const struct {
    enum hub_env_map map;
    const char *name;
} derived[] = {{HUB_MAP_ROW, "rows of the state"},
               {HUB_MAP_NODE, "nodes of the log"},
               {HUB_MAP_RECORD, "record index"},
               {HUB_MAP_RESULT, "results"}};
enum { MAPS = sizeof derived / sizeof *derived };

static void next_map(struct hub_scrub *at)
{
    at->map = (at->map + 1) % MAPS;
    at->key_len = 0;
}

static void log_damage(const char *what, const char *remedy)
{
    HUB_LOG(WARNING, "store_damaged", HUB_LOG_TEXT("what", what),
            HUB_LOG_TEXT("why", "the disk returned other bytes than were written"),
            HUB_LOG_TEXT("remedy", remedy));
}

static enum hub_status mend(const struct hub_scrub *at, struct hub_store *s, struct hub_chain *c,
                            struct hub_history *h, struct hub_span key)
{
    const struct hub_reader r = hub_store_reader(s);
    const char *what = derived[at->map].name;
    struct hub_floor floor;
    if (derived[at->map].map == HUB_MAP_ROW) {
        log_damage(what, "none needed: they are written again; check this disk");
        hub_checkpoint_rewrite_page(&c->state, key);
        return hub_checkpoint_write(s, c, h);
    }
    if (hub_read_floor(&r, &floor) != HUB_OK || floor.height) {
        log_damage(what, "join again by a snapshot when it suits; check this disk");
        return HUB_OK;
    }
    log_damage(what, "built again from the blocks at the next start, which takes longer: restart "
                     "when it suits; check this disk");
    return hub_checkpoint_give_up(s);
}

enum hub_status hub_scrub(struct hub_scrub *at, struct hub_store *s, struct hub_chain *c,
                          struct hub_history *h)
{
    static const uint8_t lowest[1] = {0};
    const struct hub_reader r = hub_store_reader(s);
    for (uint32_t i = 0; i < VALUES; i++) {
        struct hub_span key, value;
        const struct hub_span from = {at->key_len ? at->key : lowest,
                                      at->key_len ? at->key_len : sizeof lowest};
        const enum hub_status st = hub_env_seek(&r, derived[at->map].map, from, &key, &value);
        if (st == HUB_NOT_FOUND) {
            next_map(at);
            return HUB_OK;
        }
        if (st != HUB_OK && st != HUB_CORRUPT)
            return st;
        if (key.len >=
            sizeof at->key) { /* no key of ours: the rest of this map comes in another round */
            at->damaged++;
            const enum hub_status given_up = mend(at, s, c, h, key);
            next_map(at);
            return given_up;
        }
        memcpy(at->key, key.data, key.len); /* the next key is this one and a zero, or above */
        at->key[key.len] = 0;
        at->key_len = key.len + 1;
        at->damaged += st == HUB_CORRUPT;
        if (st == HUB_CORRUPT)
            return mend(at, s, c, h, (struct hub_span){at->key, key.len});
    }
    return HUB_OK;
}
