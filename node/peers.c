#include "node/peers.h"

#include "hub/member.h"
#include "ledger/epoch.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

struct table {
    struct hub_transport_peer *out;
    bool *known;
    const struct hub_state *state;
    const struct hub_config *cfg;
    const uint8_t *own;
    unsigned next; /* place of the next that is no validator */
};

static bool same_key(const uint8_t a[HUB_TRANSPORT_KEY_BYTES],
                     const uint8_t b[HUB_TRANSPORT_KEY_BYTES])
{
    return memcmp(a, b, HUB_TRANSPORT_KEY_BYTES) == 0;
}

static bool has_transport(const struct hub_config_peer *p)
{
    static const uint8_t none[HUB_TRANSPORT_KEY_BYTES];
    return !same_key(p->transport, none);
}

static bool is_prefix(const char *digits, const struct hub_hash *kid)
{
    char hex[65];
    const size_t len = strlen(digits);
    for (unsigned i = 0; i < sizeof kid->b; i++)
        snprintf(hex + 2 * i, 3, "%02x", kid->b[i]);
    return len >= 8 && len <= 64 && strncmp(digits, hex, len) == 0;
}

/* A configured peer that carries a key is found by it alone. */
static bool is_meant(const struct hub_config_peer *p, struct hub_span member,
                     const struct hub_hash *kid, const uint8_t key[HUB_TRANSPORT_KEY_BYTES])
{
    if (has_transport(p))
        return same_key(p->transport, key);
    return hub_span_equal(hub_text_span(p->name), member) || is_prefix(p->name, kid);
}

static bool is_numeric(const char *address) /* 10.0.0.2:7101, [2001:db8::1]:7101 */
{
    char host[HUB_ADDRESS_MAX + 1];
    unsigned char bytes[16];
    const char *colon = strrchr(address, ':');
    const bool six = *address == '[';
    if (!colon || (six && colon[-1] != ']'))
        return false;
    snprintf(host, sizeof host, "%.*s", (int)(colon - address) - 2 * six, address + six);
    return inet_pton(six ? AF_INET6 : AF_INET, host, bytes) == 1;
}

static void place(struct table *t, unsigned at, struct hub_span member, const struct hub_hash *kid,
                  const uint8_t key[HUB_TRANSPORT_KEY_BYTES])
{
    struct hub_transport_peer *peer = &t->out[at];
    struct hub_ready ready;
    bool configured = false;
    if (same_key(key, t->own))
        return;
    memcpy(peer->key, key, sizeof peer->key);
    for (unsigned i = 0; i < t->cfg->peers; i++) {
        const struct hub_config_peer *p = &t->cfg->peer[i];
        if (!is_meant(p, member, kid, key))
            continue;
        t->known[i] = true;
        /* A key id or a key says more than a member code, which several machines may share. */
        if (!configured || !hub_span_equal(hub_text_span(p->name), member))
            memcpy(peer->address, p->address, sizeof peer->address);
        configured = true;
    }
    if (!configured && hub_ready_find(&ready, t->state, kid)) {
        snprintf(peer->address, sizeof peer->address, "%.*s", (int)ready.endpoint.len,
                 (const char *)ready.endpoint.data);
        /* The rules of the ledger ask less of it. A name would be looked up, for as long as whoever gave it likes, by the
         * one thread that serves all links. And who listens everywhere did not say where he is. */
        if (!hub_address_ok(peer->address) || !is_numeric(peer->address) ||
            !strncmp(peer->address, "0.0.0.0:", 8) || !strncmp(peer->address, "[::]:", 5))
            peer->address[0] = 0;
    }
}

static bool is_listed(const struct table *t, const uint8_t key[HUB_TRANSPORT_KEY_BYTES])
{
    for (unsigned i = 0; i < HUB_PEERS_MAX; i++)
        if (same_key(t->out[i].key, key))
            return true;
    return same_key(key, t->own);
}

static void place_validators(struct table *t, const struct hub_validators *set)
{
    for (unsigned i = 0; i < set->n; i++)
        place(t, i, hub_text_span(set->v[i].member), &set->v[i].kid, set->v[i].transport);
}

/* Validators to come, that fetch the chain before they vote; those gone, that others may ask; observers. */
static void place_listeners(struct table *t, const struct hub_chain *c)
{
    const struct hub_state *s = &c->state;
    for (uint32_t row = 0; row < s->count[HUB_TABLE_KEYS] && t->next < HUB_PEERS_MAX; row++) {
        struct hub_key k;
        struct hub_member m;
        hub_key_get(&k, s, row);
        if (!(k.roles & (HUB_ROLE_VALIDATOR | HUB_ROLE_OBSERVER)) ||
            k.transport.len != HUB_TRANSPORT_KEY_BYTES || k.member == UINT32_MAX ||
            hub_key_standing(&k, c->final_header.time_ms) != HUB_KEY_ACTIVE ||
            is_listed(t, k.transport.data))
            continue;
        hub_member_get(&m, s, k.member);
        if (m.removed)
            continue; /* its keys act no more */
        place(t, t->next++, m.code, &k.kid, k.transport.data);
    }
}

/* Those the ledger does not know here: how a new node reaches the validators of today. */
static void place_configured(struct table *t)
{
    for (unsigned i = 0; i < t->cfg->peers && t->next < HUB_PEERS_MAX; i++) {
        const struct hub_config_peer *p = &t->cfg->peer[i];
        if (!has_transport(p) || is_listed(t, p->transport))
            continue;
        struct hub_transport_peer *peer = &t->out[t->next++];
        memcpy(peer->key, p->transport, sizeof peer->key);
        memcpy(peer->address, p->address, sizeof peer->address);
        t->known[i] = true;
    }
}

void hub_peers_fill(struct hub_transport_peer out[HUB_PEERS_MAX], bool known[HUB_VALIDATORS_MAX],
                    const struct hub_chain *c, const struct hub_config *cfg,
                    const uint8_t own[HUB_TRANSPORT_KEY_BYTES])
{
    struct table t = {out, known, &c->state, cfg, own, HUB_VALIDATORS_MAX};
    memset(out, 0, HUB_PEERS_MAX * sizeof *out);
    memset(known, 0, HUB_VALIDATORS_MAX * sizeof *known);
    place_validators(&t, &c->set);
    place_configured(&t); /* first: what the operator wrote is not crowded out by the ledger */
    place_listeners(&t, c);
}
