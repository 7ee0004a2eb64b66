/* audit.c: a chain of its own that nobody votes on: every final block is executed again from genesis, money is
 * counted by plain sums, and at the end receipts are made of what one node's disk holds and verified with nothing
 * but the genesis file. */
#include "sim.h"

#include "hub/agreement.h"
#include "hub/receipt.h"
#include "hub/wallet.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { RECEIPTS_MAX = 16 };

struct final_block {
    uint8_t *bytes, *results;
    size_t len, results_len;
    uint64_t first_leaf; /* in the log */
};

struct sim_auditor {
    struct hub_chain chain;
    void *state_memory, *chain_memory;
    struct hub_record *records;
    struct hub_record_keys keys;
    struct hub_hash *leaf; /* of the log */
    size_t leaves, leaves_cap;
    struct final_block *block; /* by height */
    size_t blocks, blocks_cap;
    uint64_t balance[SIM_WALLETS + SIM_FIRST_WALLET], issued;
    uint32_t opened;
    struct sim *sim; /* while it visits */
};

static void *map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    HUB_ASSERT(p != MAP_FAILED);
    return p;
}

void sim_audit_open(struct sim *s)
{
    static struct sim_auditor *a; /* one for all seeds: its pages are there already */
    if (!a) {
        a = map(sizeof *a);
        a->state_memory = map(hub_state_memory_bytes(sim_table_rows));
        a->chain_memory = map(hub_chain_memory_bytes());
        a->records = map(HUB_BLOCK_RECORDS_MAX * sizeof *a->records);
    }
    memset(a->state_memory, 0, hub_state_memory_bytes(sim_table_rows));
    memset(a->balance, 0, sizeof a->balance);
    a->leaves = a->issued = a->opened = 0;
    s->auditor = a;
    a->sim = s;
    if (hub_chain_init(&a->chain, &s->world->genesis, a->state_memory, sim_table_rows,
                       a->chain_memory) != HUB_OK)
        sim_fail(s, "the auditor does not accept the genesis");
    a->leaf = sim_grow(a->leaf, &a->leaves_cap, 0, sizeof *a->leaf);
    hub_merkle_leaf(&a->leaf[a->leaves++], s->world->genesis.bytes);
    hub_merkle_leaf(&a->leaf[a->leaves++], s->world->genesis.parameters);
    a->block = sim_grow(a->block, &a->blocks_cap, 0, sizeof *a->block);
    a->block[0] = (struct final_block){.first_leaf = 0};
    a->blocks = 1;
}

void sim_audit_close(struct sim *s)
{
    struct sim_auditor *a = s->auditor;
    for (size_t i = 0; i < a->blocks; i++) {
        free(a->block[i].bytes);
        free(a->block[i].results);
    }
    a->blocks = 0;
}

/* ---- money */

static void count(struct sim_auditor *a, const struct sim_record *r, uint16_t code)
{
    struct sim *s = a->sim;
    if (r->act == SIM_TRANSFER && code == 0 &&
        (r->debit >= SIM_FIRST_WALLET + a->opened || r->credit >= SIM_FIRST_WALLET + a->opened ||
         a->balance[r->debit] < r->amount)) {
        sim_fail(s, "a transfer of more than there was took place");
        return;
    }
    if (code != 0)
        return;
    switch (r->act) {
    case SIM_ISSUE:
        a->issued += r->amount;
        a->balance[SIM_RESERVE] += r->amount;
        break;
    case SIM_OPEN:
        a->opened++;
        break;
    case SIM_TRANSFER:
        a->balance[r->debit] -= r->amount;
        a->balance[r->credit] += r->amount;
        break;
    case SIM_BATCH:
        for (uint32_t i = 0; i < HUB_BATCH_ENTRIES_MAX; i++)
            a->balance[SIM_FIRST_WALLET + i % SIM_WALLETS]++;
        a->balance[SIM_RESERVE] -= HUB_BATCH_ENTRIES_MAX;
        break;
    case SIM_PROPOSAL:
        s->agreement[r->agreement].proposed++;
        break;
    case SIM_CONSENT:
        s->agreement[r->agreement].signed_++;
        break;
    case SIM_GOVERNANCE:
        break;
    }
}

/* The state's wallets are what the sums say, and add up to what was issued. */
static void check_balances(struct sim_auditor *a)
{
    uint64_t sum = 0;
    for (uint32_t i = SIM_RESERVE; i < SIM_FIRST_WALLET + a->opened; i++) {
        struct hub_wallet w = {.balance = 0};
        if (!hub_wallet_read(&w, &a->chain.state, NULL, 0, sim_wallet_number(i), SIM_EPOCH_MS) &&
            i != SIM_RESERVE)
            sim_fail(a->sim, "wallet %u is not there", i);
        if (w.balance != a->balance[i])
            sim_fail(a->sim, "wallet %u holds %llu and not %llu", i, (unsigned long long)w.balance,
                     (unsigned long long)a->balance[i]);
        sum += w.balance;
    }
    if (sum != a->issued || !hub_wallet_audit(&a->chain.state, NULL))
        sim_fail(a->sim, "money: %llu in wallets, %llu issued", (unsigned long long)sum,
                 (unsigned long long)a->issued);
}

/* ---- execution */

static void visit(void *ctx, const struct hub_applied *applied)
{
    struct sim_auditor *a = ctx;
    struct hub_cbor c = hub_cbor_open(hub_span_of(&applied->results));
    struct final_block *b = &a->block[applied->header.height];
    b->results = malloc(applied->results.len + 1);
    HUB_ASSERT(b->results && applied->header.height < a->blocks);
    memcpy(b->results, applied->results.data, applied->results.len);
    b->results_len = applied->results.len;
    while (!c.bad && c.at < c.end) {
        struct hub_hash id;
        hub_cbor_array(&c, 3, 3);
        hub_cbor_hash(&c, &id);
        uint16_t code = (uint16_t)hub_cbor_uint(&c, 0, UINT16_MAX);
        hub_cbor_item(&c);
        struct sim_record *r = sim_record_find(a->sim, &id);
        if (r && r->act == SIM_GOVERNANCE)
            sim_trace(a->sim, "governance record of %u: code %u", r->signer->kid.b[0], code);
        if (r)
            count(a, r, code);
    }
}

static void keep(struct sim_auditor *a, const struct sim_block *b, const struct hub_block *decoded)
{
    a->block = sim_grow(a->block, &a->blocks_cap, a->blocks, sizeof *a->block);
    struct final_block *k = &a->block[a->blocks++];
    *k = (struct final_block){.len = b->len, .first_leaf = a->leaves};
    k->bytes = malloc(b->len);
    HUB_ASSERT(k->bytes);
    memcpy(k->bytes, b->bytes, b->len);
    for (uint32_t i = 0; i < decoded->count; i++) {
        a->leaf = sim_grow(a->leaf, &a->leaves_cap, a->leaves, sizeof *a->leaf);
        hub_merkle_leaf(&a->leaf[a->leaves++], decoded->records[i].bytes);
    }
}

/* Final by its record: built again of that, on the same base. */
static void audit_recovery(struct sim_node *n, const struct sim_block *b, struct hub_block *block)
{
    static uint8_t bytes[HUB_RECORD_BYTES_MAX + 2 * HUB_HEADER_BYTES_MAX];
    struct hub_buf built = {.data = bytes, .cap = sizeof bytes};
    struct sim_auditor *a = n->sim->auditor;
    const struct hub_record record = block->records[0];
    uint16_t why;
    if (hub_chain_recovery(&a->chain, &record, block, &built, &why) != HUB_OK ||
        !hub_hash_equal(&block->hash, &b->hash)) {
        sim_fail(n->sim, "recovery block %llu is not what its record describes",
                 (unsigned long long)b->header.height);
        return;
    }
    keep(a, b, block);
    hub_chain_recover(&a->chain, block, visit, a);
    check_balances(a);
}

void sim_audit_block(struct sim_node *n, const struct sim_block *b)
{
    struct sim *s = n->sim;
    struct sim_auditor *a = s->auditor;
    struct hub_block block = {.records = a->records};
    struct hub_certificate c;
    struct hub_fault fault;
    uint32_t bad;
    uint16_t why;
    bool good = hub_block_decode(&block, &bad, &why, (struct hub_span){b->bytes, b->len},
                                 &a->chain.id) == HUB_OK &&
                block.header.height == a->blocks &&
                hub_chain_move(&a->chain, &block.header.parent) == HUB_OK;
    for (uint32_t i = 0; good && i < block.count; i++)
        good = !hub_record_resolve(&a->keys, &a->chain.state, &block.records[i]) &&
               hub_record_verify(&block.records[i], &why, &a->keys);
    if (good && block.header.flags == HUB_FLAG_RECOVERY) {
        audit_recovery(n, b, &block);
        return;
    }
    if (!good || hub_chain_append(&a->chain, &block, &fault) != HUB_OK) {
        sim_fail(s, "final block %llu does not stand when executed again",
                 (unsigned long long)b->header.height);
        return;
    }
    keep(a, b, &block);
    if (block.header.flags == HUB_FLAG_SEAL) {
        struct hub_link link;
        if (!hub_link_decode(&link, sim_journal_link(&n->journal, b->header.epoch + 1)) ||
            hub_chain_cross(&a->chain, &link, visit, a) != HUB_OK)
            sim_fail(s, "the link of node %u does not lead out of epoch %llu", n->index,
                     (unsigned long long)b->header.epoch);
        return;
    }
    if (!sim_journal_certificate(&n->journal, b->header.epoch, b->header.view, HUB_FINALIZE, &c) ||
        !hub_hash_equal(&c.subject.block_hash, &b->hash))
        return; /* final by a later one */
    if (hub_chain_finalize(&a->chain, &c, visit, a) != HUB_OK)
        sim_fail(s, "the certificate of block %llu does not make it final",
                 (unsigned long long)b->header.height);
    else if (!s->failed)
        check_balances(a);
}

/* An agreement is in effect if its proposal and every other party's consent succeeded, and not otherwise. */
static void check_agreements(struct sim_auditor *a)
{
    for (uint32_t i = 1; i <= a->sim->agreements; i++) {
        const struct sim_agreement *g = &a->sim->agreement[i];
        struct hub_agreement row;
        bool all = g->proposed == 1 && g->signed_ + 1 == g->parties;
        bool there = hub_agreement_find(&row, &a->chain.state, &g->id);
        bool in_effect = there && hub_agreement_standing(&row, a->chain.final_header.time_ms) ==
                                      HUB_AGREEMENT_IN_FORCE;
        if (there != (g->proposed == 1) || in_effect != all)
            sim_fail(a->sim, "agreement %u: %u of %u parties signed, and it is %sin effect", i,
                     g->proposed + g->signed_, g->parties, in_effect ? "" : "not ");
    }
}

/* ---- receipts */

struct gathering {
    struct hub_receipt_parts parts;
    struct hub_certificate certificate;
    uint8_t header[HUB_BUNDLE_HEADERS_MAX][HUB_HEADER_BYTES_MAX];
    struct hub_hash path[64], result_path[64], result_leaf[HUB_BLOCK_RECORDS_MAX];
    uint8_t links[(SIM_EPOCHS_MAX - 1) * HUB_LINK_BYTES_MAX + 16];
};

/* The links that lead to the epoch of the certified header. */
static void gather_links(struct gathering *g, const struct sim_journal *j, uint64_t epoch)
{
    struct hub_buf b = {.data = g->links, .cap = sizeof g->links};
    hub_put_array(&b, (uint32_t)epoch);
    for (uint64_t e = 1; e <= epoch; e++)
        hub_put_raw(&b, sim_journal_link(j, e));
    g->parts.links = hub_span_of(&b);
}

/* A SEAL that only a TAIL certifies: the link shows the headers between. */
static bool gather_sealed(struct gathering *g, const struct sim_journal *j, uint32_t below,
                          const struct sim_block *seal)
{
    static struct hub_link link;
    if (!hub_link_decode(&link, sim_journal_link(j, seal->header.epoch + 1)) ||
        link.headers.n + below > HUB_BUNDLE_HEADERS_MAX)
        return false;
    g->certificate = link.certificate;
    for (uint32_t i = 0; i < link.headers.n; i++)
        g->parts.header[i] = link.headers.bytes[i];
    for (uint32_t i = 0; i < below; i++) {
        struct hub_buf out = {.data = g->header[i], .cap = HUB_HEADER_BYTES_MAX};
        const struct sim_block *b = sim_journal_at(j, seal->header.height - 1 - i);
        if (!b)
            return false;
        hub_header_encode(&out, &b->header);
        g->parts.header[link.headers.n + i] = hub_span_of(&out);
    }
    g->parts.headers = link.headers.n + below;
    g->parts.tree_size = seal->header.log_size;
    gather_links(g, j, seal->header.epoch);
    return true;
}

/* Headers from the first certified block at or above the record's, newest first. */
static bool gather_headers(struct gathering *g, const struct sim_journal *j, uint64_t height)
{
    for (uint32_t count = 1; count <= HUB_BUNDLE_HEADERS_MAX; count++) {
        const struct sim_block *top = sim_journal_at(j, height + count - 1);
        if (!top)
            return false;
        const struct hub_header *h = &top->header;
        if (!sim_journal_certificate(j, h->epoch, h->view, HUB_FINALIZE, &g->certificate) ||
            !hub_hash_equal(&g->certificate.subject.block_hash, &top->hash)) {
            if (h->flags == HUB_FLAG_SEAL)
                return gather_sealed(g, j, count - 1, top);
            continue;
        }
        for (uint32_t i = 0; i < count; i++) {
            struct hub_buf out = {.data = g->header[i], .cap = HUB_HEADER_BYTES_MAX};
            const struct sim_block *b = sim_journal_at(j, height + count - 1 - i);
            if (!b)
                return false;
            hub_header_encode(&out, &b->header);
            g->parts.header[i] = hub_span_of(&out);
        }
        g->parts.headers = count;
        g->parts.tree_size = h->log_size;
        gather_links(g, j, h->epoch);
        return true;
    }
    return false;
}

static void gather_result(struct gathering *g, const struct final_block *b, uint64_t position)
{
    struct hub_cbor c = hub_cbor_open((struct hub_span){b->results, b->results_len});
    uint64_t count = 0;
    while (!c.bad && c.at < c.end && count < HUB_BLOCK_RECORDS_MAX) {
        struct hub_span item = hub_cbor_item(&c);
        if (count == position)
            g->parts.result = item;
        hub_merkle_leaf(&g->result_leaf[count++], item);
    }
    g->parts.result_index = position;
    g->parts.result_path = g->result_path;
    hub_merkle_inclusion_of(g->result_path, &g->parts.result_path_len, position, g->result_leaf,
                            count);
}

/* From what n's disk holds, to a stranger with the genesis file. NULL, or what is wrong. */
static const char *check_receipt(struct sim_node *n, const struct sim_record *r)
{
    static struct gathering g;
    static uint8_t bytes[HUB_BUNDLE_BYTES_MAX];
    struct sim_auditor *a = n->sim->auditor;
    const struct final_block *b = &a->block[r->height];
    struct hub_buf out = {.data = bytes, .cap = sizeof bytes};
    struct hub_receipt_facts facts;
    const char *what = "its headers and certificate are not there";
    g.parts = (struct hub_receipt_parts){.chain = n->sim->world->genesis.chain,
                                         .record = {r->bytes, r->len},
                                         .signer = r->signer->key,
                                         .certificate = &g.certificate,
                                         .leaf_index = b->first_leaf + r->position,
                                         .path = g.path};
    if (gather_headers(&g, &n->journal, r->height)) {
        struct hub_validators set;
        sim_set_of(n->sim, g.certificate.subject.epoch, &set);
        g.parts.validator_count = set.n;
        gather_result(&g, b, r->position);
        hub_merkle_inclusion_of(g.path, &g.parts.path_len, g.parts.leaf_index, a->leaf,
                                g.parts.tree_size);
        hub_receipt_encode(&out, &g.parts);
        if (!out.full && hub_receipt_verify(&facts, &what, hub_span_of(&out),
                                            n->sim->recovery.signed_
                                                ? &n->sim->recovery.genesis
                                                : &n->sim->world->genesis) == HUB_VERDICT_OK) {
            bool same =
                hub_hash_equal(&facts.record.id, &r->id) && facts.header.height == r->height;
            return same ? NULL : "it proves another record";
        }
    }
    return what;
}

/* The first node that can gives it: on a disk with a damaged certificate it may have to wait for the next. */
static void demand_receipt(struct sim *s, uint32_t record)
{
    const char *wrong = "nobody is left";
    for (uint8_t k = 0; k < s->plan.n && wrong; k++) {
        struct sim_node *n = &s->node[(record + k) % s->plan.n];
        if (!n->gone && !n->faulty)
            wrong = check_receipt(n, &s->record[record]);
    }
    if (wrong)
        sim_fail(s, "no receipt for final record %u in block %llu: %s", record,
                 (unsigned long long)s->record[record].height, wrong);
}

static bool is_kept(const struct sim *s, uint64_t height)
{
    for (uint8_t i = 0; i < s->plan.n; i++) {
        const struct sim_block *b = sim_journal_at(&s->node[i].journal, height);
        if (b && !b->damaged && !s->node[i].faulty)
            return true;
    }
    return false;
}

void sim_audit_end(struct sim *s)
{
    check_agreements(s->auditor);
    uint32_t left = RECEIPTS_MAX, step = s->records / RECEIPTS_MAX + 1;
    for (uint32_t i = 0; i < s->records && !s->failed; i++) {
        const struct sim_record *r = &s->record[i];
        /* Disks put back beyond b_safe may take the only certificate with them: then the chain stops below. */
        if (r->told_height && !r->final &&
            (!s->plan.safety_only || s->checker.top >= r->told_height))
            sim_fail(s, "record %u was acknowledged and is in no final block", i);
        if (s->stopped && r->told_height && !is_kept(s, r->told_height))
            sim_fail(s, "record %u was acknowledged, and no honest disk holds its block", i);
        if (!r->final || i % step || !left || s->plan.safety_only || s->stopped)
            continue;
        left--;
        demand_receipt(s, i);
    }
}
