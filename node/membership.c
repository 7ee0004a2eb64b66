#include "node/membership.h"

#include "ledger/epoch.h"
#include "node/log.h"
#include "node/node.h"
#include "node/peers.h"

enum { PLACE_MS = 1000 };

/* The member that the ledger names as owner of this node's key; a node whose key it does not know yet follows. */
static void find_member(struct hub_node *n)
{
    struct hub_key k;
    n->member[0] = 0;
    if (hub_key_find(&k, &n->replica->chain.state, &n->key.kid))
        hub_key_iss(n->member, &n->replica->chain.state, &k);
}

/* An epoch before this one listed our key: when enough of the new set are in their epoch, it is not needed. */
static bool was_validator(const struct hub_node *n)
{
    const struct hub_chain *c = &n->replica->chain;
    for (uint32_t row = 0; row < c->state.count[HUB_TABLE_EPOCHS]; row++) {
        struct hub_epoch_row epoch;
        struct hub_validators set;
        hub_epoch_get(&epoch, &c->state, row);
        if (hub_validators_decode(&set, epoch.bytes, &c->id, n->genesis.name) == HUB_OK &&
            hub_epoch_index(&set, &n->key.kid) >= 0)
            return true;
    }
    return false;
}

/* Tells the transport; the state stands at the final block. warn: about what the operator may have to add. */
static void place_peers(struct hub_node *n, bool warn)
{
    const struct hub_validators *set = &n->replica->chain.set;
    struct hub_transport_peer peer[HUB_PEERS_MAX];
    bool known[HUB_VALIDATORS_MAX];
    hub_peers_fill(peer, known, &n->replica->chain, &n->cfg, n->key.transport);
    hub_transport_set_peers(n->transport, peer);
    n->peers_stale = false;
    if (!warn)
        return;
    for (unsigned i = 0; i < n->cfg.peers; i++)
        if (!known[i])
            HUB_LOG(WARNING, "peer_unknown", HUB_LOG_TEXT("peer", n->cfg.peer[i].name),
                    HUB_LOG_TEXT("remedy",
                                 "no key on the ledger is meant: correct member code or key id, or "
                                 "add its transport key"));
    for (unsigned i = 0; i < set->n; i++)
        if (i != n->me && !peer[i].address[0])
            HUB_LOG(WARNING, "peer_without_address", HUB_LOG_TEXT("member", set->v[i].member),
                    HUB_LOG_TEXT("remedy", "add a peer section with its address, or let it reach "
                                           "this node"));
}

void hub_membership_enter(struct hub_node *n, const struct hub_validators *set, uint8_t me)
{
    struct hub_chain *c = &n->replica->chain;
    n->me = me;
    n->safe = false;
    if (hub_chain_move(c, &c->final_hash) != HUB_OK)
        return; /* the final block is always held */
    find_member(n);
    n->retiring = me == set->n && was_validator(n);
    place_peers(n, true);
    HUB_LOG(INFO, "epoch", HUB_LOG_NUMBER("epoch", set->epoch),
            HUB_LOG_NUMBER("validators", set->n), HUB_LOG_NUMBER("quorum", set->q),
            HUB_LOG_TEXT("this_node", me < set->n ? "validator" : "observer"));
}

/* A key came to the ledger: its node may have to be let in. A revoked one is looked for once a minute. */
static bool adds_key(const struct hub_undo *log)
{
    enum hub_table t;
    uint32_t row;
    struct hub_span old;
    for (size_t at = 0; hub_undo_next(log, &at, &t, &row, &old);)
        if ((t == HUB_TABLE_KEYS || t == HUB_TABLE_READY) && !old.data)
            return true;
    return false;
}

void hub_membership_final(struct hub_node *n, const struct hub_applied *applied)
{
    n->peers_stale |= adds_key(&applied->undo);
}

/* Who may speak, anew when the ledger may say something else. */
static void tend_peers(struct hub_node *n, uint64_t now_ms)
{
    struct hub_chain *c = &n->replica->chain;
    if (!n->peers_stale || now_ms - n->placed_ms < PLACE_MS ||
        hub_chain_move(c, &c->final_hash) != HUB_OK)
        return;
    n->placed_ms = now_ms;
    find_member(n);
    place_peers(n, false);
}

/* "A removed validator prints it only after STATUS of the new epoch from a quorum of the new set." */
static void tend_retirement(struct hub_node *n)
{
    if (!n->retiring || n->safe || hub_replica_arrived(n->replica) < n->replica->chain.set.q)
        return;
    n->safe = true;
    HUB_LOG(
        INFO, "safe_to_retire", HUB_LOG_NUMBER("epoch", n->replica->chain.set.epoch),
        HUB_LOG_TEXT("en", "a quorum of the new validators is at work: this node may be "
                           "stopped, or go on as an observer"),
        HUB_LOG_TEXT(
            "zh", "新的共识节点已达法定数量并开始工作：本节点可以停机，也可继续作为观察节点运行"));
}

void hub_membership_tend(struct hub_node *n, uint64_t now_ms)
{
    tend_peers(n, now_ms);
    tend_retirement(n);
}
