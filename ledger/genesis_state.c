/* genesis_state.c: what a genesis file makes of an empty state: its first rows, the log's first two
 * leaves and header 0 (formats.cddl section 2). */
#include "hub/genesis.h"

#include "ledger/epoch.h"
#include "ledger/member.h"
#include "ledger/wallet.h"

#include <string.h>

/* [name, value], in the order of the file. */
static enum hub_status add_parameters(struct hub_state *s, struct hub_span map)
{
    struct hub_cbor c = hub_cbor_open(map);
    uint32_t n = hub_cbor_map(&c, 0, UINT32_MAX);

    for (uint32_t i = 0; i < n; i++) {
        uint8_t bytes[128];
        struct hub_buf row = {bytes, 0, sizeof bytes, false};

        hub_put_array(&row, 2);
        hub_put_text_span(&row, hub_cbor_text(&c, 1, 64));
        hub_put_raw(&row, hub_cbor_item(&c));
        HUB_ASSERT(!row.full && !c.bad);
        if (hub_state_add(s, HUB_TABLE_PARAMETERS, hub_span_of(&row)) == UINT32_MAX)
            return HUB_LIMIT;
    }
    return HUB_OK;
}

void hub_member_from_map(struct hub_member *out, struct hub_span map)
{
    struct hub_span names = hub_field_item(map, "names");
    int kind = hub_field_enum(map, "kind", hub_member_kind_names);
    bool votes = kind == HUB_KIND_DISTRICT || kind == HUB_KIND_HUB;

    HUB_ASSERT(kind >= 0);
    *out = (struct hub_member){
        .code = hub_field_span(map, "code"),
        .name_zh = hub_field_span(names, "zh"),
        .name_en = hub_field_span(names, "en"),
        .contact = hub_field_span(map, "contact"),
        .kind = (enum hub_member_kind)kind,
        .voting = hub_field_bool(map, "voting", votes),
        .institution = hub_field_uint(map, "institution", 0),
        .quota = hub_field_uint(map, "quota", 0),
        .seal_needs = hub_field_uint(map, "seal_needs", 0),
        .governors_needed = hub_field_uint(map, "governors_needed", 1),
    };
}

static enum hub_status add_members(struct hub_state *s, struct hub_span array)
{
    struct hub_cbor c = hub_cbor_open(array);
    uint32_t n = hub_cbor_array(&c, 1, UINT32_MAX);
    enum hub_status status = HUB_OK;

    for (uint32_t i = 0; i < n && status == HUB_OK; i++) {
        struct hub_member m;

        hub_member_from_map(&m, hub_cbor_item(&c));
        if (hub_member_add(s, &m) == UINT32_MAX)
            status = HUB_LIMIT;
    }
    return status;
}

static enum hub_status add_keys(struct hub_state *s, struct hub_span array)
{
    struct hub_cbor c = hub_cbor_open(array);
    uint32_t n = hub_cbor_array(&c, 1, UINT32_MAX);

    for (uint32_t i = 0; i < n; i++) {
        struct hub_member m;
        struct hub_key k;
        struct hub_span code;

        hub_cbor_array(&c, 2, 2);
        code = hub_cbor_text(&c, 1, HUB_MEMBER_CODE_MAX);
        if (!hub_member_find(&m, s, code))
            return HUB_BAD_GENESIS;
        hub_key_from_grant(&k, hub_cbor_item(&c), m.row);
        if (!hub_key_register(s, &k, 0))
            return HUB_BAD_GENESIS; /* more than HUB_GOVERNORS_MAX governors */
        if (k.row == UINT32_MAX)
            return HUB_LIMIT;
    }
    return HUB_OK;
}

/* Without an authority there is no currency, and institutions have no reserve. */
static void add_currency(struct hub_state *s)
{
    struct hub_member m;

    for (int pass = 0; pass < 2; pass++)
        for (uint32_t row = 0; row < s->count[HUB_TABLE_MEMBERS]; row++) {
            hub_member_get(&m, s, row);
            if (pass == 0 && m.kind == HUB_KIND_AUTHORITY)
                hub_wallet_genesis(s, (uint16_t)m.institution, m.quota, true);
            if (pass == 1 && m.kind != HUB_KIND_AUTHORITY && m.institution != 0 &&
                s->count[HUB_TABLE_WALLETS] > 0)
                hub_wallet_genesis(s, (uint16_t)m.institution, m.quota, false);
        }
}

void hub_genesis_name(const struct hub_genesis *g, struct hub_state *s)
{
    HUB_ASSERT(g->name.len <= HUB_NETWORK_NAME_MAX);
    memset(s->network, 0, sizeof s->network);
    memcpy(s->network, g->name.data, g->name.len);
}

enum hub_status hub_genesis_apply(const struct hub_genesis *g, struct hub_state *s)
{
    enum hub_status status = add_parameters(s, g->parameters);

    HUB_ASSERT(s->undo == NULL && s->count[HUB_TABLE_MEMBERS] == 0);
    hub_genesis_name(g, s);
    if (status == HUB_OK)
        status = add_members(s, g->members);
    if (status == HUB_OK)
        status = add_keys(s, g->keys);
    if (status == HUB_OK)
        status = hub_epoch_genesis(s, &g->set);
    if (status == HUB_OK)
        add_currency(s);
    return status;
}

void hub_genesis_header(struct hub_header *out, struct hub_hash *hash, struct hub_edge *edge,
                        const struct hub_genesis *g, struct hub_state *s)
{
    const struct hub_span leaves[2] = {g->bytes, g->parameters};
    uint8_t bytes[HUB_HEADER_BYTES_MAX];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    struct hub_hash leaf;

    memset(edge, 0, sizeof *edge);
    for (int i = 0; i < 2; i++) {
        hub_merkle_leaf(&leaf, leaves[i]);
        hub_merkle_append(edge, &leaf, NULL, NULL);
    }
    memset(out, 0, sizeof *out);
    out->version = 1;
    out->chain = g->chain;
    out->parent = g->chain;
    out->time_ms = g->time_ms;
    out->log_size = edge->size;
    hub_merkle_root(&out->log_root, edge);
    hub_hash_span(&out->records_root, (struct hub_span){NULL, 0});
    out->results_root = out->records_root;
    hub_state_root(s, &out->state_root);
    out->validators = g->set.hash;
    out->next_validators = g->set.hash;
    hub_header_encode(&b, out);
    HUB_ASSERT(!b.full);
    hub_header_hash(hash, hub_span_of(&b));
}
