/* A message that is accepted is what the encoder of its kind makes of it. */
#include "hub/message.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void put_propose(struct hub_buf *out, const struct hub_message *m)
{
    size_t cap = m->u.propose.header_bytes.len + m->u.propose.entries.len + 8;
    struct hub_buf block = {malloc(cap), 0, cap, false};

    FUZZ_CHECK(block.data != NULL);
    hub_message_proposed_block(&block, m);
    FUZZ_CHECK(!block.full);
    hub_message_propose(out, hub_span_of(&block), &m->u.propose.signature, m->u.propose.just,
                        m->u.propose.just_count);
    free(block.data);
}

static void put_records(struct hub_buf *out, const struct hub_message *m)
{
    static struct hub_span record[HUB_RECORDS_MESSAGE_MAX], attachment[HUB_RECORDS_MESSAGE_MAX];

    for (uint32_t i = 0; i < m->u.records.count; i++) {
        record[i] = m->u.records.entry[i].record;
        attachment[i] = m->u.records.entry[i].attachment;
    }
    hub_message_records(out, record, attachment, m->u.records.count);
}

static void put_links(struct hub_buf *out, const struct hub_message *m)
{
    struct hub_cbor c = hub_cbor_open(m->u.links);
    uint32_t n = hub_cbor_array(&c, 0, HUB_LINKS_MAX);
    struct hub_span link[HUB_LINKS_MAX];

    for (uint32_t i = 0; i < n; i++)
        link[i] = hub_cbor_item(&c);
    FUZZ_CHECK(hub_cbor_done(&c));
    hub_message_epoch_proof(out, link, n);
}

static void put(struct hub_buf *out, const struct hub_message *m)
{
    switch (m->kind) {
    case HUB_MSG_PROPOSE:
        put_propose(out, m);
        return;
    case HUB_MSG_VOTE:
        hub_message_vote(out, &m->u.vote);
        return;
    case HUB_MSG_CERT:
        hub_message_certificate(out, m->u.certificate);
        return;
    case HUB_MSG_STATUS:
        hub_message_status(out, &m->u.status);
        return;
    case HUB_MSG_GET_CERTS:
        hub_message_get_certs(out, m->u.get_certs.epoch, m->u.get_certs.from, m->u.get_certs.to,
                              m->u.get_certs.kinds);
        return;
    case HUB_MSG_GET_BLOCK:
        hub_message_get_block(out, m->u.get_block.hash, m->u.get_block.count);
        return;
    case HUB_MSG_GET_BLOCKS:
        hub_message_get_blocks(out, m->u.get_blocks.from, m->u.get_blocks.to);
        return;
    case HUB_MSG_BLOCK:
        hub_message_block(out, m->u.block.block, m->u.block.certificate);
        return;
    case HUB_MSG_GET_EPOCHS:
        hub_message_get_epochs(out, m->u.from_epoch);
        return;
    case HUB_MSG_EPOCH_PROOF:
        put_links(out, m);
        return;
    case HUB_MSG_RECORDS:
        put_records(out, m);
        return;
    case HUB_MSG_GET_RECORDS:
        hub_message_get_records(out, m->u.max_bytes);
        return;
    case HUB_MSG_GET_VOTES:
        hub_message_get_votes(out, m->u.get_votes.epoch, m->u.get_votes.signer);
        return;
    case HUB_MSG_EVIDENCE:
        hub_message_evidence(out, m->u.evidence);
        return;
    case HUB_MSG_VOTES:
        hub_message_votes(out, m->u.votes.epoch, m->u.votes.signer, m->u.votes.vote,
                          m->u.votes.count);
        return;
    case HUB_MSG_GET_SNAPSHOT:
        hub_message_get_snapshot(out, &m->u.get_snapshot.id, m->u.get_snapshot.offset);
        return;
    case HUB_MSG_SNAPSHOT:
        hub_message_snapshot(out, &m->u.snapshot);
        return;
    }
    FUZZ_CHECK(false); /* a kind that no writer makes */
}

bool fuzz_accepts(struct hub_span input)
{
    static struct hub_message m;
    struct hub_buf out;

    if (!hub_message_decode(&m, input))
        return false;
    out = (struct hub_buf){malloc(input.len), 0, input.len, false};
    FUZZ_CHECK(out.data != NULL);
    put(&out, &m);
    FUZZ_CHECK(!out.full && hub_span_equal(hub_span_of(&out), input));
    free(out.data);
    return true;
}
