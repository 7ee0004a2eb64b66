/* world.c: the genesis of n validators with a small currency. */
#include "sim.h"

#include "hub/genesis.h"

#include <stdlib.h>
#include <string.h>

enum { AUTHORITY = 1, PACE_MS = 50, HEARTBEAT_S = 20, DELTA_MS = 150 };
#define QUOTA 1000000000000u

static void make_signer(struct sim_signer *out, const char *name, unsigned number)
{
    char text[64];
    struct hub_hash seed;
    int len = snprintf(text, sizeof text, "sim key %s %u", name, number);
    hub_hash_span(&seed, (struct hub_span){(const uint8_t *)text, (size_t)len});
    hub_key_from_seed(&out->key, out->secret, seed.b);
    hub_kid_of(&out->kid, &out->key);
    sim_sign_register(&out->key, out->secret);
}

static void put_grant(struct hub_buf *b, const char *code, const struct hub_public_key *key,
                      const char *role, bool transport)
{
    uint8_t cose[HUB_COSE_KEY_BYTES];
    hub_cose_key_encode(cose, key);
    hub_put_array(b, 2);
    hub_put_text(b, code);
    hub_put_map(b, transport ? 4 : 3);
    hub_put_text(b, "key");
    hub_put_bytes(b, (struct hub_span){cose, sizeof cose});
    hub_put_text(b, "label");
    hub_put_text(b, role);
    hub_put_text(b, "roles");
    hub_put_array(b, 1);
    hub_put_text(b, role);
    if (transport) {
        hub_put_text(b, "transport");
        hub_put_bytes(b, (struct hub_span){key->b, sizeof key->b});
    }
}

static void put_governors(struct hub_buf *b, const char *code)
{
    for (unsigned i = 0; i < 2; i++) {
        struct sim_signer governor;
        make_signer(&governor, code, i);
        put_grant(b, code, &governor.key, "governor", false);
    }
}

static void put_member(struct hub_buf *b, const char *code, const char *kind, uint64_t institution)
{
    hub_put_map(b, institution == SIM_BANK ? 5 : institution ? 4 : 3);
    hub_put_text(b, "code");
    hub_put_text(b, code);
    hub_put_text(b, "kind");
    hub_put_text(b, kind);
    hub_put_text(b, "names");
    hub_put_map(b, 1);
    hub_put_text(b, "zh");
    hub_put_text(b, code);
    if (institution == SIM_BANK) {
        hub_put_text(b, "quota");
        hub_put_uint(b, QUOTA);
    }
    if (institution) {
        hub_put_text(b, "institution");
        hub_put_uint(b, institution);
    }
}

const char *sim_member_code(unsigned i)
{
    static char codes[SIM_NODES_MAX][8];
    snprintf(codes[i], sizeof codes[i], "NODE%u", i % 100);
    return codes[i];
}

static void put_keys(struct hub_buf *b, const struct sim_world *w)
{
    hub_put_text(b, "keys");
    hub_put_array(b, 4u * w->n + 6);
    for (uint8_t i = 0; i < w->n; i++) {
        put_governors(b, sim_member_code(i));
        put_grant(b, sim_member_code(i), &w->validator[i].key, "validator", true);
        put_grant(b, sim_member_code(i), &w->seal[i].key, "seal", false);
    }
    put_governors(b, "AUTHORITY");
    put_grant(b, "AUTHORITY", &w->issuer.key, "issuer", false);
    put_governors(b, "BANK");
    put_grant(b, "BANK", &w->operator_.key, "operator", false);
}

static void put_epoch(struct hub_buf *b, const struct sim_world *w)
{
    const uint8_t n = w->founders;
    struct hub_validators set = {.n = n, .q = hub_quorum_default(n)};
    set.fault_model = n == 1 ? HUB_FAULT_SINGLE : n == 3 ? HUB_FAULT_ALL_OF_3 : HUB_FAULT_BFT;
    for (uint8_t i = 0; i < n; i++) {
        set.v[i].key = w->validator[i].key;
        set.v[i].kid = w->validator[i].kid;
        memcpy(set.v[i].transport, w->validator[i].key.b, 32);
        strcpy(set.v[i].member, sim_member_code(i));
    }
    hub_put_text(b, "epoch");
    hub_validators_encode(b, &set);
}

static void put_members(struct hub_buf *b, const struct sim_world *w)
{
    hub_put_text(b, "members");
    hub_put_array(b, w->n + 2u);
    for (uint8_t i = 0; i < w->n; i++)
        put_member(b, sim_member_code(i), "district", 0);
    put_member(b, "AUTHORITY", "authority", AUTHORITY);
    put_member(b, "BANK", "institution", SIM_BANK);
}

/* Short times make short seeds; or those that a network has by default. */
static void put_parameters(struct hub_buf *b, bool by_default)
{
    hub_put_text(b, "parameters");
    hub_put_map(b, by_default ? 1 : 4);
    if (by_default) {
        hub_put_text(b, "currency.cosign_issue");
        hub_put_uint(b, 0);
        return;
    }
    hub_put_text(b, "consensus.pace_ms");
    hub_put_uint(b, PACE_MS);
    hub_put_text(b, "consensus.delta_ms");
    hub_put_uint(b, DELTA_MS);
    hub_put_text(b, "consensus.heartbeat_s");
    hub_put_uint(b, HEARTBEAT_S);
    hub_put_text(b, "currency.cosign_issue");
    hub_put_uint(b, 0);
}

static void make_world(struct sim_world *w, uint8_t n, uint8_t founders, bool by_default)
{
    struct hub_buf b = {.data = w->genesis_bytes, .cap = sizeof w->genesis_bytes};
    w->n = n;
    w->founders = founders;
    for (uint8_t i = 0; i < n; i++) {
        make_signer(&w->validator[i], "validator", n * 100u + i);
        make_signer(&w->spare[i], "spare", n * 100u + i);
        make_signer(&w->governor[i], sim_member_code(i), 0);
    }
    for (uint8_t i = 0; i < n; i++)
        make_signer(&w->seal[i], "seal", n * 100u + i);
    make_signer(&w->issuer, "issuer", n);
    make_signer(&w->operator_, "operator", n);
    hub_put_map(&b, 8);
    put_keys(&b, w);
    hub_put_text(&b, "name");
    hub_put_text(&b, "simulated");
    put_epoch(&b, w);
    hub_put_text(&b, "suite");
    hub_put_uint(&b, 1);
    hub_put_text(&b, "format");
    hub_put_uint(&b, 1);
    put_members(&b, w);
    hub_put_text(&b, "time_ms");
    hub_put_uint(&b, SIM_EPOCH_MS - 10000);
    put_parameters(&b, by_default);
    const char *why = "too long";
    if (b.full || hub_genesis_decode(&w->genesis, &why, hub_span_of(&b)) != HUB_OK) {
        fprintf(stderr, "sim: genesis of %u validators: %s\n", n, why);
        abort();
    }
}

const struct sim_world *sim_world_get(uint8_t n, uint8_t founders, bool by_default)
{
    static struct sim_world *worlds[SIM_NODES_MAX + 1][SIM_NODES_MAX + 1][2];
    struct sim_world **w = &worlds[n][founders][by_default];
    if (!*w) {
        *w = calloc(1, sizeof **w);
        HUB_ASSERT(*w);
        make_world(*w, n, founders, by_default);
    }
    return *w;
}

void sim_set_of(const struct sim *s, uint64_t epoch, struct hub_validators *out)
{
    *out = s->set[epoch < s->epochs ? epoch : s->epochs - 1];
}

static bool is_left(const struct sim *s, uint8_t n)
{
    for (uint32_t i = 0; i < s->recovery.signed_; i++)
        if (n == s->plan.ruin[i].survivors)
            return true;
    return false;
}

bool sim_is_planned(const struct sim *s, const struct hub_validators *set)
{
    const struct sim_plan *p = &s->plan;
    const uint8_t same = p->rekeyed ? s->world->founders : 0;
    const bool sized =
        set->n == p->second || set->n == p->third || set->n == same || is_left(s, set->n);
    bool good = set->n && sized && set->q == hub_quorum_default(set->n);
    for (uint8_t i = 0; good && i < set->n; i++) {
        const struct sim_signer *v =
            i + 1 == p->rekeyed ? &s->world->spare[i] : &s->world->validator[i];
        good = hub_hash_equal(&set->v[i].kid, &v->kid) &&
               !memcmp(&set->v[i].key, &v->key, sizeof v->key);
    }
    return good;
}
