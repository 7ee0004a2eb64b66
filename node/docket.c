/* docket.c: see docket.h. A stored item: be64 epoch || be64 view || validator -> evidence without links. */
#include "node/docket.h"

#include "ledger/evidence_record.h"
#include "node/clock.h"
#include "node/log.h"
#include "node/node.h"
#include "node/own_record.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    EXIT_BROKEN = 70,
    KEY_BYTES = 17,
    TURN_MS = 15000, /* each further node waits so long for those before it */
    AGAIN_MS = 60000
};

static void put_key(uint8_t key[KEY_BYTES], uint64_t epoch, uint64_t view, uint8_t signer)
{
    hub_put_be64(key, epoch);
    hub_put_be64(key + 8, view);
    key[16] = signer;
}

/* The node behind the accused reports at once, the next ones later: seldom two. */
static uint64_t turn_of(const struct hub_node *n, uint8_t signer)
{
    const uint8_t size = n->replica->chain.set.n;
    return n->me < size ? (uint64_t)((n->me + size - 1u - signer % size) % size) * TURN_MS : 0;
}

static void add(struct hub_node *n, const struct hub_offence *o, const struct hub_validators *set)
{
    struct hub_docket *d = &n->docket;
    const struct hub_subject *s = &o->vote[0].subject;
    const uint8_t signer = o->vote[0].signer;
    if (d->count == sizeof d->item / sizeof *d->item)
        return;
    struct hub_docket_item *item = &d->item[d->count++];
    *item = (struct hub_docket_item){.epoch = s->epoch,
                                     .view = s->view,
                                     .kind = o->kind,
                                     .signer = signer,
                                     .kid = set->v[signer].kid,
                                     .due_ms = hub_clock_mono_ms() + turn_of(n, signer)};
    memcpy(item->member, set->v[signer].member, sizeof item->member);
}

/* What the disk gives is checked like what a peer sends; an item that proves nothing any more is passed over. */
static void load_item(struct hub_node *n, struct hub_span bytes)
{
    const struct hub_reader r = hub_store_reader(n->store);
    struct hub_validators set;
    struct hub_evidence e;
    struct hub_offence o;
    const char *why = "not of the expected form";
    struct hub_cbor c;
    if (hub_evidence_decode(&e, bytes)) {
        c = hub_cbor_open(e.epoch);
        hub_cbor_array(&c, 5, 5);
        hub_cbor_item(&c);
        const uint64_t epoch = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
        if (!c.bad && hub_read_set(&r, &n->genesis, epoch, &set) == HUB_OK &&
            hub_evidence_ok(&o, &why, &e, &set)) {
            add(n, &o, &set);
            hub_replica_knows_offence(n->replica, epoch, o.vote[0].subject.view, o.vote[0].signer);
            return;
        }
    }
    HUB_LOG(WARNING, "evidence_damaged", HUB_LOG_TEXT("why", why));
}

enum hub_status hub_docket_load(struct hub_node *n)
{
    const struct hub_reader r = hub_store_reader(n->store);
    uint8_t from[KEY_BYTES + 1] = {0};
    size_t len = KEY_BYTES;
    for (;;) {
        struct hub_span key, value;
        const enum hub_status st =
            hub_env_seek(&r, HUB_MAP_EVIDENCE, (struct hub_span){from, len}, &key, &value);
        if (st == HUB_NOT_FOUND)
            return HUB_OK;
        if (st != HUB_OK && st != HUB_CORRUPT)
            return st;
        if (key.len != KEY_BYTES)
            return HUB_CORRUPT;
        memcpy(from, key.data, KEY_BYTES);
        len = KEY_BYTES + 1; /* the next key is longer than this one or above it */
        if (st == HUB_OK)
            load_item(n, value);
        else
            HUB_LOG(WARNING, "evidence_damaged", HUB_LOG_TEXT("why", "the seal is broken"));
    }
}

void hub_docket_add(struct hub_node *n, const struct hub_offence *o, struct hub_span item)
{
    const struct hub_validators *set = &n->replica->chain.set;
    const struct hub_subject *s = &o->vote[0].subject;
    const uint8_t signer = o->vote[0].signer;
    char kind[4];
    uint8_t key[KEY_BYTES];
    put_key(key, s->epoch, s->view, signer);
    if (hub_env_put(hub_store_env(n->store), HUB_MAP_EVIDENCE, (struct hub_span){key, sizeof key},
                    item) != HUB_OK) {
        HUB_LOG(ERROR, "stopped", HUB_LOG_TEXT("store", hub_store_why(n->store)));
        _exit(EXIT_BROKEN);
    }
    snprintf(kind, sizeof kind, "E%d", (int)o->kind % 10);
    HUB_LOG(ERROR, "evidence", HUB_LOG_TEXT("member", set->v[signer].member),
            HUB_LOG_TEXT("kind", kind), HUB_LOG_TEXT("did", hub_offence_text(o->kind, false)),
            HUB_LOG_NUMBER("epoch", s->epoch), HUB_LOG_NUMBER("view", s->view),
            HUB_LOG_TEXT("remedy", "hubledger evidence list; the members decide what follows"));
    add(n, o, set);
}

bool hub_docket_bytes(const struct hub_node *n, const struct hub_docket_item *item,
                      struct hub_span *bytes)
{
    const struct hub_reader r = hub_store_reader(n->store);
    uint8_t key[KEY_BYTES];
    put_key(key, item->epoch, item->view, item->signer);
    return hub_env_get(&r, HUB_MAP_EVIDENCE, (struct hub_span){key, sizeof key}, bytes) == HUB_OK;
}

static void report(struct hub_node *n, struct hub_docket_item *item)
{
    uint8_t bytes[HUB_EVIDENCE_BYTES_MAX + 64];
    struct hub_buf body = {bytes, 0, sizeof bytes, false};
    struct hub_span evidence;
    uint16_t why = 0;
    if (!hub_docket_bytes(n, item, &evidence))
        return;
    hub_put_map(&body, 1);
    hub_put_text(&body, "evidence");
    hub_put_bytes(&body, evidence);
    HUB_ASSERT(!body.full);
    const enum hub_status st =
        hub_own_record_submit(n, &why, HUB_TYPE_EVIDENCE_REPORT, hub_span_of(&body));
    if (st != HUB_OK)
        HUB_LOG(WARNING, "evidence_not_reported", HUB_LOG_NUMBER("status", st),
                HUB_LOG_NUMBER("code", why));
    else
        hub_replica_on_records(n->replica);
}

/* At most one a turn, and the ledger is looked at only when one is due. */
void hub_docket_tend(struct hub_node *n, uint64_t now_ms)
{
    struct hub_chain *c = &n->replica->chain;
    /* At a start, and while others are ahead, the ledger here may not know yet what it has recorded. */
    if (n->replica->voting == HUB_VOTING_ASKING || hub_replica_is_behind(n->replica))
        return;
    for (uint32_t i = 0; i < n->docket.count; i++) {
        struct hub_docket_item *item = &n->docket.item[i];
        if (item->recorded || now_ms < item->due_ms)
            continue;
        item->due_ms = now_ms + AGAIN_MS;
        if (hub_chain_move(c, &c->final_hash) != HUB_OK)
            return;
        item->recorded = hub_convicted_code(&c->state, item->epoch, item->view, &item->kid) != 0;
        if (!item->recorded)
            report(n, item);
        return;
    }
}
