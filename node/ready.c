/* ready.c: see ready.h. */
#include "node/ready.h"

#include "hub/version.h"
#include "ledger/epoch.h"
#include "node/clock.h"
#include "node/log.h"
#include "node/own_record.h"

#include <string.h>

enum {
    LOOK_MS = 5000, /* how often the ledger is asked whether it is due */
    AGAIN_MS =
        3600000, /* between two: a clock that runs a day ahead of the others must not fill the ledger */
    HOUR_MS = 3600 * 1000
};

static const char software[] = "hubledgerd " HUB_VERSION;

/* Renewed at three quarters of its age, so that a node that is off for some hours stays ready. The clock counts where it
 * is ahead of block time: an idle ledger makes no blocks. */
static bool is_due(const struct hub_node *n, const struct hub_state *s)
{
    const uint64_t age = hub_parameter(s, HUB_PARAM_READY_MAX_AGE_H) * HOUR_MS;
    const uint64_t block = n->replica->chain.final_header.time_ms, wall = hub_clock_wall_ms();
    const uint64_t now = wall > block ? wall : block;
    struct hub_ready r;
    struct hub_key k;

    if (!hub_key_find(&k, s, &n->key.kid) || (k.roles & HUB_ROLE_VALIDATOR) == 0 ||
        hub_key_standing(&k, block) != HUB_KEY_ACTIVE)
        return false;
    if (!hub_ready_find(&r, s, &n->key.kid))
        return true;
    return !hub_span_equal(r.software, hub_text_span(software)) ||
           r.protocol != HUB_PROTOCOL_VERSION ||
           !hub_span_equal(r.endpoint, hub_text_span(n->cfg.endpoint)) ||
           now >= r.time_ms + age - age / 4;
}

static enum hub_status post(struct hub_node *n, uint16_t *why)
{
    uint8_t bytes[512];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};

    hub_put_map(&b, 3);
    hub_put_text(&b, "endpoint");
    hub_put_text(&b, n->cfg.endpoint);
    hub_put_text(&b, "protocol");
    hub_put_uint(&b, HUB_PROTOCOL_VERSION);
    hub_put_text(&b, "software");
    hub_put_text(&b, software);
    HUB_ASSERT(!b.full);
    return hub_own_record_submit(n, why, HUB_TYPE_VALIDATOR_READY, hub_span_of(&b));
}

void hub_ready_tend(struct hub_node *n, uint64_t now_mono_ms)
{
    struct hub_replica *r = n->replica;
    uint64_t lowest, highest;
    uint16_t why = 0;
    enum hub_status st;

    if (now_mono_ms < n->ready_due_ms)
        return;
    n->ready_due_ms = now_mono_ms + LOOK_MS;
    if (hub_mempool_of_signer(n->pool, &n->key.kid, &lowest, &highest) > 0)
        return; /* one waits for a block */
    if (hub_replica_is_behind(r) || (n->me < r->chain.set.n && r->voting != HUB_VOTING_ALLOWED) ||
        hub_chain_move(&r->chain, &r->chain.final_hash) != HUB_OK || !is_due(n, &r->chain.state))
        return;
    st = post(n, &why);
    if (st == HUB_OK) {
        n->ready_due_ms = now_mono_ms + AGAIN_MS;
        hub_replica_on_records(r);
    } else if (st == HUB_REFUSED) {
        HUB_LOG(WARNING, "ready_not_posted", HUB_LOG_NUMBER("code", why));
    }
}
