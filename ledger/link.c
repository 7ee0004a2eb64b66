/* link.c: from one epoch to the next, offline. */
#include "hub/link.h"

#include "hub/apply.h"
#include "hub/merkle.h"
#include "ledger/epoch.h"

#include <string.h>

static enum hub_verdict fail(const char **what, enum hub_verdict verdict, const char *text)
{
    *what = text;
    return verdict;
}

/* ---- headers */

void hub_headers_read(struct hub_headers *out, struct hub_cbor *c)
{
    out->n = hub_cbor_array(c, 1, HUB_BUNDLE_HEADERS_MAX);
    for (uint32_t i = 0; i < out->n; i++)
        out->bytes[i] = hub_cbor_bytes(c, 1, HUB_HEADER_BYTES_MAX);
}

void hub_headers_put(struct hub_buf *out, const struct hub_headers *h)
{
    hub_put_array(out, h->n);
    for (uint32_t i = 0; i < h->n; i++)
        hub_put_bytes(out, h->bytes[i]);
}

enum hub_verdict hub_headers_check(const struct hub_headers *h, const struct hub_hash *chain,
                                   struct hub_header *first, struct hub_hash *first_hash,
                                   struct hub_header *last, struct hub_hash *last_hash,
                                   const char **what)
{
    HUB_ASSERT(h->n > 0); /* hub_headers_read takes no empty array */
    for (uint32_t i = 0; i < h->n; i++) {
        struct hub_hash parent = last->parent;

        if (!hub_header_decode(last, h->bytes[i]))
            return fail(what, HUB_VERDICT_MALFORMED, "headers: one is not of the expected form");
        if (!hub_hash_equal(&last->chain, chain))
            return fail(what, HUB_VERDICT_OTHER_LEDGER, "headers: one is of another ledger");
        hub_header_hash(last_hash, h->bytes[i]);
        if (i > 0 && !hub_hash_equal(&parent, last_hash))
            return fail(what, HUB_VERDICT_TAMPERED,
                        "headers: one is not the parent of the one before it");
        if (i == 0) {
            *first = *last;
            *first_hash = *last_hash;
        }
    }
    return HUB_VERDICT_OK;
}

bool hub_certificate_covers(const struct hub_certificate *c, const struct hub_header *h,
                            const struct hub_hash *hash, const struct hub_validators *set)
{
    struct hub_subject of_header = {.kind = HUB_FINALIZE,
                                    .epoch = h->epoch,
                                    .view = h->view,
                                    .height = h->height,
                                    .log_size = h->log_size,
                                    .log_root = h->log_root,
                                    .block_hash = *hash};

    return hub_subject_equal(&c->subject, &of_header) && h->epoch == set->epoch &&
           hub_hash_equal(&h->validators, &set->hash);
}

/* ---- one link */

void hub_link_read(struct hub_link *out, struct hub_cbor *c)
{
    hub_cbor_map(c, 3, 3);
    hub_cbor_key(c, "next");
    out->next = hub_cbor_bytes(c, 1, HUB_EPOCH_BYTES_MAX);
    hub_cbor_key(c, "headers");
    hub_headers_read(&out->headers, c);
    out->recovery = (struct hub_span){NULL, 0};
    if (hub_cbor_has_key(c, "recovery")) {
        memset(&out->certificate, 0, sizeof out->certificate);
        out->recovery = hub_cbor_bytes(c, 1, HUB_RECORD_BYTES_MAX);
        return;
    }
    hub_cbor_key(c, "certificate");
    hub_certificate_read(&out->certificate, c);
}

bool hub_link_decode(struct hub_link *out, struct hub_span bytes)
{
    struct hub_cbor c = hub_cbor_open(bytes);

    hub_link_read(out, &c);
    return hub_cbor_done(&c);
}

void hub_link_encode(struct hub_buf *out, const struct hub_link *l, uint8_t n)
{
    hub_put_map(out, 3);
    hub_put_text(out, "next");
    hub_put_bytes(out, l->next);
    hub_put_text(out, "headers");
    hub_headers_put(out, &l->headers);
    if (l->recovery.len > 0) {
        hub_put_text(out, "recovery");
        hub_put_bytes(out, l->recovery);
        return;
    }
    hub_put_text(out, "certificate");
    hub_certificate_encode(out, &l->certificate, n);
}

static enum hub_verdict check_signatures(const struct hub_certificate *c,
                                         const struct hub_validators *set, const char **what)
{
    unsigned bad, good;

    if (c->subject.kind != HUB_FINALIZE || !hub_certificate_form_ok(c, set))
        return fail(what, HUB_VERDICT_MALFORMED,
                    "links: a certificate is no finalization of the epoch that ends");
    good = hub_certificate_good(c, set, &bad);
    if (bad > 0)
        return fail(what, HUB_VERDICT_TAMPERED,
                    "links: the signature of a validator in a certificate is wrong");
    if (good < set->q)
        return fail(what, HUB_VERDICT_PENDING,
                    "links: a certificate has fewer signatures than the quorum");
    return HUB_VERDICT_OK;
}

static enum hub_verdict check_next(struct hub_link_facts *out, const struct hub_link *l,
                                   const struct hub_validators *set, uint16_t flags,
                                   const char **what)
{
    struct hub_hash next;

    hub_hash_tagged(&next, "hubledger/epoch/1", l->next);
    if (out->seal.flags != flags || out->seal.epoch != set->epoch ||
        !hub_hash_equal(&out->seal.next_validators, &next))
        return fail(what, HUB_VERDICT_TAMPERED,
                    "links: the next validators are not those that were sealed");
    if (hub_validators_decode(&out->next, l->next, &set->chain, hub_text_span(set->network)) !=
            HUB_OK ||
        out->next.epoch != set->epoch + 1)
        return fail(what, HUB_VERDICT_MALFORMED, "links: the next epoch breaks a rule");
    return HUB_VERDICT_OK;
}

/* The block is the one that the record describes, as far as that can be told without the state: its roots are what
 * execution gives. */
static bool describes(const struct hub_record *record, const struct hub_header *h)
{
    struct hub_recovery r;
    struct hub_edge leaves = {0};
    struct hub_hash records_root;

    hub_recovery_read(&r, record);
    hub_merkle_append(&leaves, &record->leaf, NULL, NULL);
    hub_merkle_root(&records_root, &leaves);
    return h->flags == HUB_FLAG_RECOVERY && h->epoch == r.epoch && h->time_ms == r.time_ms &&
           hub_hash_equal(&h->parent, &r.base) && h->parent_view == hub_recovery_view(&r) &&
           h->view == h->parent_view + 1 && h->proposer == 0 && h->record_count == 1 &&
           hub_hash_equal(&h->records_root, &records_root);
}

/* A record names keys; whose they are and by which they are reached, the state says. Whoever has none knows it of those
 * that were in the set before. */
static bool keeps_members(struct hub_link_facts *out, const struct hub_validators *before)
{
    for (uint8_t i = 0; i < out->next.n; i++) {
        const int was = hub_epoch_index(before, &out->next.v[i].kid);

        if (was < 0)
            out->new_keys = true;
        else if (!hub_span_equal(hub_text_span(out->next.v[i].member),
                                 hub_text_span(before->v[was].member)) ||
                 memcmp(out->next.v[i].transport, before->v[was].transport,
                        sizeof before->v[was].transport) != 0)
            return false;
    }
    return true;
}

static enum hub_verdict check_recovery(struct hub_link_facts *out, const struct hub_link *l,
                                       const struct hub_validators *set,
                                       const struct hub_accepted *accepted, const char **what)
{
    struct hub_header same;
    struct hub_hash same_hash;
    enum hub_verdict verdict;
    uint16_t code;

    if (l->headers.n != 1)
        return fail(what, HUB_VERDICT_MALFORMED, "links: a recovery shows the header of its block");
    verdict = hub_headers_check(&l->headers, &set->chain, &same, &same_hash, &out->seal,
                                &out->seal_hash, what);
    if (verdict != HUB_VERDICT_OK)
        return verdict;
    if (hub_record_peek(&out->recovery, &code, l->recovery, &set->chain) != HUB_OK ||
        out->recovery.type != HUB_TYPE_EPOCH_RECOVER)
        return fail(what, HUB_VERDICT_MALFORMED, "links: a recovery is no record epoch.recover");
    if (!describes(&out->recovery, &out->seal))
        return fail(what, HUB_VERDICT_TAMPERED,
                    "links: a recovery's block is not the one that its record describes");
    if (!hub_recovery_signed(&out->recovery, set, &out->signers))
        return fail(what, HUB_VERDICT_PENDING,
                    "links: too few validators of the epoch that ends signed a recovery");
    verdict = check_next(out, l, set, HUB_FLAG_RECOVERY, what);
    if (verdict != HUB_VERDICT_OK)
        return verdict;
    if (!hub_recovery_leads_to(&out->recovery, &out->next) || !keeps_members(out, set))
        return fail(what, HUB_VERDICT_TAMPERED,
                    "links: the next validators are not those that a recovery names");
    out->recovered = true;
    return hub_is_accepted(accepted, &out->recovery.id)
               ? HUB_VERDICT_OK
               : fail(what, HUB_VERDICT_OVERRIDE,
                      "links: a recovery epoch, an override of the quorum, that was not accepted "
                      "here (--accept-recovery; a node: --recovery)");
}

enum hub_verdict hub_link_check(struct hub_link_facts *out, const char **what,
                                const struct hub_link *l, const struct hub_validators *set,
                                const struct hub_accepted *accepted)
{
    struct hub_header first;
    struct hub_hash hash;
    enum hub_verdict verdict;

    memset(out, 0, sizeof *out);
    if (l->recovery.len > 0)
        return check_recovery(out, l, set, accepted, what);
    verdict = hub_headers_check(&l->headers, &set->chain, &first, &hash, &out->seal,
                                &out->seal_hash, what);
    if (verdict == HUB_VERDICT_OK)
        verdict = check_signatures(&l->certificate, set, what);
    if (verdict != HUB_VERDICT_OK)
        return verdict;
    if (!hub_certificate_covers(&l->certificate, &first, &hash, set))
        return fail(what, HUB_VERDICT_TAMPERED,
                    "links: a certificate does not belong to its header");
    return check_next(out, l, set, HUB_FLAG_SEAL, what);
}

enum hub_verdict hub_links_walk(struct hub_validators *set, const char **what,
                                struct hub_span links, const struct hub_accepted *accepted,
                                bool *known)
{
    struct hub_cbor c = hub_cbor_open(links);
    uint32_t n = hub_cbor_array(&c, 0, HUB_BUNDLE_LINKS_MAX);
    enum hub_verdict verdict = HUB_VERDICT_OK;
    struct hub_link_facts facts = {.new_keys = false};
    struct hub_link l;

    for (uint32_t i = 0; i < n && verdict == HUB_VERDICT_OK; i++) {
        hub_link_read(&l, &c);
        if (c.bad)
            break;
        verdict = hub_link_check(&facts, what, &l, set, accepted);
        if (verdict == HUB_VERDICT_OK)
            *set = facts.next;
    }
    if (verdict == HUB_VERDICT_OK && !hub_cbor_done(&c))
        return fail(what, HUB_VERDICT_MALFORMED, "links: not of the expected form");
    if (known != NULL)
        *known = !facts.new_keys;
    return verdict;
}
