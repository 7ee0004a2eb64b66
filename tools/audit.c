/* audit.c: the walk through a history: windows of frames, each block applied and made final, and what is still
 * checked once that is no longer possible. */
#include "tools/audit_impl.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PROGRESS_MS = 100 };

struct walk {
    struct hub_audit *a;
    struct hub_audit_pool *pool;
    struct hub_audit_window *window[2];
    bool broken;               /* a block could not be applied: nothing behind it can */
    bool last_damaged;         /* the frame before has a finding of its own */
    struct hub_hash last;      /* hash of the header before, as read */
    uint64_t tip;              /* height of the last block applied */
    struct hub_validators set; /* as far as certificates and links lead, also behind damage */
    size_t overrides;
    uint64_t final_with_records;
    uint64_t entries[HUB_UNFINAL_MAX + 1]; /* batch entries of the block in each slot */
    uint64_t told_ms;
    enum hub_status ended; /* what the source said last */
};

/* ---- findings */

/* Room for one more item behind `used`: the list has room for the next power of two. NULL: no memory. */
static void *one_more(void *list, size_t used, size_t item)
{
    if (used > 0 && (used & (used - 1)) != 0)
        return list;
    return realloc(list, (used == 0 ? 1 : 2 * used) * item);
}

static void mark_damaged(struct hub_audit *a, uint64_t height)
{
    struct hub_audit_range *last = a->ranges > 0 ? &a->range[a->ranges - 1] : NULL, *list;

    if (last != NULL && height >= last->from && height <= last->to + 1) {
        if (height > last->to)
            last->to = height;
        return;
    }
    list = one_more(a->range, a->ranges, sizeof *list);
    if (list == NULL)
        return; /* the heights are in the findings all the same */
    a->range = list;
    a->range[a->ranges++] = (struct hub_audit_range){height, height};
}

static struct hub_finding *place_for_finding(struct hub_audit *a)
{
    static struct hub_finding spare;
    struct hub_finding *list;

    if (a->findings >= a->findings_max)
        return &spare;
    list = one_more(a->finding, a->findings, sizeof *list);
    if (list == NULL)
        return &spare;
    a->finding = list;
    return &a->finding[a->findings++];
}

struct hub_finding *hub_audit_add(struct hub_audit *a, enum hub_finding_kind kind, uint64_t height,
                                  uint64_t offset)
{
    struct hub_finding *f = place_for_finding(a);

    a->found++;
    if (kind != HUB_FINDING_END && kind != HUB_FINDING_CHECKPOINT && kind != HUB_FINDING_CURRENCY &&
        kind != HUB_FINDING_OVERRIDE)
        mark_damaged(a, height);
    memset(f, 0, sizeof *f);
    f->kind = kind;
    f->height = height;
    f->offset = offset;
    f->record = f->entry = UINT32_MAX;
    return f;
}

void hub_audit_text(char out[HUB_FINDING_TEXT], const char *text)
{
    snprintf(out, HUB_FINDING_TEXT, "%s", text);
}

void hub_audit_hex(char out[HUB_FINDING_TEXT], const struct hub_hash *hash)
{
    for (size_t i = 0; i < sizeof hash->b; i++)
        snprintf(out + 2 * i, 3, "%02x", hash->b[i]);
}

void hub_audit_number(char out[HUB_FINDING_TEXT], uint64_t number)
{
    snprintf(out, HUB_FINDING_TEXT, "%llu", (unsigned long long)number);
}

void hub_audit_yuan(char out[HUB_FINDING_TEXT], uint64_t fen)
{
    snprintf(out, HUB_FINDING_TEXT, "%llu.%02u", (unsigned long long)(fen / 100),
             (unsigned)(fen % 100));
}

void hub_audit_field(struct hub_finding *f, const char *field)
{
    snprintf(f->field, sizeof f->field, "%s", field);
}

void hub_audit_free(struct hub_audit *a)
{
    free(a->finding);
    free(a->range);
    a->finding = NULL;
    a->range = NULL;
    a->findings = a->ranges = 0;
}

static void count_final(void *ctx, const struct hub_applied *final);
static void count_blocks(struct walk *w);
static void compare_checkpoint(struct walk *w, const struct hub_audit_job *j);

/* ---- one block */

static struct hub_finding *finding_of(struct walk *w, enum hub_finding_kind kind,
                                      const struct hub_audit_job *j)
{
    return hub_audit_add(w->a, kind, j->height, j->offset);
}

static struct hub_finding *refused(struct walk *w, const struct hub_audit_job *j, uint32_t record,
                                   uint16_t code)
{
    struct hub_finding *f = finding_of(w, HUB_FINDING_RECORD, j);

    f->record = record;
    f->code = code;
    f->id = j->block.records[record].id;
    hub_audit_field(f, hub_record_types[j->block.records[record].type].name);
    return f;
}

/* Records the threads could not verify: their key is newer than the book, or the signature is bad. */
static void check_signatures(struct walk *w, struct hub_audit_job *j)
{
    struct hub_chain *c = w->a->chain;

    w->a->signatures += j->block.count;
    for (uint32_t i = 0; i < j->block.count; i++) {
        struct hub_record *r = &j->block.records[i];
        struct hub_record_keys keys;
        uint16_t why = 0;

        if (r->verified)
            continue;
        if (w->broken) {
            if (hub_audit_pool_resolve(w->pool, &keys, r) && !hub_record_verify(r, &why, &keys))
                refused(w, j, i, why);
            continue;
        }
        if (hub_chain_move(c, &j->block.header.parent) != HUB_OK)
            return; /* append will say so */
        why = hub_record_resolve(&keys, &c->state, r);
        if (why == 0)
            (void)!hub_record_verify(r, &why, &keys);
        if (why != 0)
            refused(w, j, i, why);
    }
}

static uint64_t entries_of(const struct hub_block *b)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < b->count; i++)
        n += b->records[i].attachment.len / HUB_BATCH_ENTRY_BYTES;
    return n;
}

static void tell_fault(struct walk *w, const struct hub_audit_job *j, const struct hub_fault *fault)
{
    struct hub_claim claim;

    if (fault->record != UINT32_MAX) {
        struct hub_finding *f = refused(w, j, fault->record, fault->why);

        if (fault->field != NULL) /* a bound of the block, no rule of the record */
            hub_audit_field(f, fault->field);
        return;
    }
    for (unsigned i = 0; hub_fault_claim(&claim, fault, &j->block.header, i); i++) {
        struct hub_finding *f = finding_of(w, HUB_FINDING_CLAIM, j);

        hub_audit_field(f, claim.field);
        if (claim.number) {
            hub_audit_number(f->expected, claim.expected_number);
            hub_audit_number(f->got, claim.got_number);
        } else {
            hub_audit_hex(f->expected, &claim.expected);
            hub_audit_hex(f->got, &claim.got);
        }
    }
}

static void wrong_parent(struct walk *w, const struct hub_audit_job *j, const struct hub_header *h)
{
    struct hub_finding *f = finding_of(w, HUB_FINDING_CLAIM, j);

    hub_audit_field(f, "parent");
    hub_audit_hex(f->expected, &w->last);
    hub_audit_hex(f->got, &h->parent);
}

/* What is found in place of what everybody computes from the record and its base. */
static void wrong_recovery(struct walk *w, const struct hub_audit_job *j, uint16_t code)
{
    struct hub_finding *f = finding_of(w, HUB_FINDING_RECORD, j);

    f->record = 0;
    f->code = code;
    f->id = j->block.records[0].id;
    hub_audit_field(f, hub_record_types[HUB_TYPE_EPOCH_RECOVER].name);
}

/* Final by its record, if people say that they follow it. */
static void apply_recovery(struct walk *w, struct hub_audit_job *j)
{
    static uint8_t bytes[HUB_RECORD_BYTES_MAX + 2 * HUB_HEADER_BYTES_MAX]; /* one walk at a time */
    struct hub_buf built = {bytes, 0, sizeof bytes, false};
    struct hub_chain *c = w->a->chain;
    const struct hub_hash read = j->block.hash;
    const struct hub_record record = j->block.records[0];
    uint16_t code = 0;

    if (record.type != HUB_TYPE_EPOCH_RECOVER) {
        wrong_recovery(w, j, HUB_CODE_recovery_misplaced);
        return;
    }
    if (!hub_is_accepted(&w->a->genesis->accepted, &record.id)) {
        struct hub_finding *f = finding_of(w, HUB_FINDING_OVERRIDE, j);

        f->record = 0;
        f->id = record.id;
        w->overrides++;
        return;
    }
    if (hub_chain_recovery(c, &record, &j->block, &built, &code) != HUB_OK ||
        !hub_hash_equal(&j->block.hash, &read)) {
        wrong_recovery(w, j, code);
        return;
    }
    hub_chain_recover(c, &j->block, count_final, w);
    w->tip = j->height;
    w->a->recoveries++;
    count_blocks(w);
    compare_checkpoint(w, j);
}

static void apply(struct walk *w, struct hub_audit_job *j)
{
    struct hub_chain *c = w->a->chain;
    struct hub_fault fault;

    if (!hub_hash_equal(&j->block.header.parent, &w->last)) {
        wrong_parent(w, j, &j->block.header);
        return;
    }
    if (j->block.header.flags == HUB_FLAG_RECOVERY && j->block.count == 1) {
        apply_recovery(w, j);
        return;
    }
    switch (hub_chain_append(c, &j->block, &fault)) {
    case HUB_OK:
        w->tip = j->height;
        if (j->block.count > 0)
            w->entries[c->at] = entries_of(&j->block);
        break;
    case HUB_LIMIT:
        finding_of(w, HUB_FINDING_NO_CERTIFICATE, j);
        break;
    default:
        tell_fault(w, j, &fault);
    }
}

/* ---- certificates */

static void count_final(void *ctx, const struct hub_applied *final)
{
    struct walk *w = ctx;
    struct hub_cbor c = hub_cbor_open(hub_span_of(&final->results));

    w->final_with_records++;
    w->a->entries += w->entries[final - w->a->chain->slot];
    w->entries[final - w->a->chain->slot] = 0; /* of this block only */
    while (hub_cbor_peek(&c) != HUB_CBOR_END) {
        hub_cbor_array(&c, 3, 3);
        hub_cbor_item(&c);
        if (hub_cbor_uint(&c, 0, UINT16_MAX) == 0)
            w->a->applied++;
        else
            w->a->failed++;
        hub_cbor_item(&c);
        w->a->records++;
    }
}

static void bad_certificate(struct walk *w, const struct hub_audit_job *j,
                            const struct hub_hash *hash)
{
    struct hub_finding *f = finding_of(w, HUB_FINDING_CERTIFICATE, j);
    const struct hub_validators *set = &w->a->chain->set;

    if (!j->certificate_ok) {
        hub_audit_field(f, "certificate");
    } else if (!hub_hash_equal(&j->certificate.subject.block_hash, hash)) {
        hub_audit_field(f, "block_hash");
        hub_audit_hex(f->expected, hash);
        hub_audit_hex(f->got, &j->certificate.subject.block_hash);
    } else {
        hub_audit_field(f, "signatures");
        snprintf(f->expected, sizeof f->expected, "%u / %u", set->q, set->n);
    }
}

static void compare_checkpoint(struct walk *w, const struct hub_audit_job *j)
{
    struct hub_finding *f;

    switch (hub_frames_checkpoint(w->a->frames, w->a->chain)) {
    case HUB_OK:
        w->a->checkpoint_compared = true;
        break;
    case HUB_NOT_FOUND:
        break;
    default:
        f = finding_of(w, HUB_FINDING_CHECKPOINT, j);
        snprintf(f->note, sizeof f->note, "%s", hub_frames_why(w->a->frames));
    }
}

static void count_blocks(struct walk *w)
{
    w->a->blocks = w->a->chain->final_header.height;
    w->a->empty_blocks = w->a->blocks - w->final_with_records;
}

static void make_final(struct walk *w, const struct hub_audit_job *j)
{
    struct hub_chain *c = w->a->chain;

    if (!j->certificate_ok || hub_chain_finalize(c, &j->certificate, count_final, w) != HUB_OK) {
        bad_certificate(w, j, &j->block.hash);
        return;
    }
    count_blocks(w);
    compare_checkpoint(w, j);
}

/* Nothing can be applied any more: is it at least a quorum's certificate over this header? */
static bool certifies(const struct walk *w, const struct hub_audit_job *j,
                      const struct hub_hash *hash)
{
    if (!j->certificate_ok || j->certificate.subject.kind != HUB_FINALIZE ||
        !hub_hash_equal(&j->certificate.subject.block_hash, hash))
        return false;
    /* Of an epoch that no undamaged link leads to nothing can be said. */
    return j->certificate.subject.epoch > w->set.epoch ||
           hub_certificate_ok(&j->certificate, &w->set);
}

/* ---- links */

static void bad_link(struct walk *w, const struct hub_audit_job *j, const char *what)
{
    struct hub_finding *f = finding_of(w, HUB_FINDING_CERTIFICATE, j);

    hub_audit_field(f, "link");
    hub_audit_text(f->got, what);
}

/* A SEAL: final by its own certificate, by the link, or by both, which must lead to the same set. */
static void follow_link(struct walk *w, const struct hub_audit_job *j, const struct hub_hash *hash)
{
    struct hub_chain *c = w->a->chain;
    struct hub_link link;
    struct hub_link_facts facts = {.recovered = false};
    const char *what = "not of the expected form";

    if (j->link_bytes.len == 0)
        return; /* not final then, unless its own certificate says so */
    const bool holds =
        hub_link_decode(&link, hub_span_of(&j->link_bytes)) &&
        hub_link_check(&facts, &what, &link, &w->set, &w->a->genesis->accepted) == HUB_VERDICT_OK;
    if (!holds && !facts.recovered) {
        bad_link(w, j, what);
        return;
    }
    if (!hub_hash_equal(&facts.seal_hash, hash)) {
        bad_link(w, j, "links: of another block");
        return;
    }
    w->set = facts.next; /* also of a recovery that was not accepted: its block told of it */
    if (!holds || w->broken || c->set.epoch == w->set.epoch)
        return;
    if (hub_chain_cross(c, &link, count_final, w) != HUB_OK) {
        bad_link(w, j, "links: does not make its block final");
        return;
    }
    count_blocks(w);
    compare_checkpoint(w, j);
}

/* ---- one frame */

/* What can be said of a header without the state. The blame for a broken link is given to the frame before,
 * if that has a finding already. */
static void check_header(struct walk *w, const struct hub_audit_job *j, const struct hub_header *h,
                         const struct hub_hash *hash)
{
    if (!w->last_damaged && !hub_hash_equal(&h->parent, &w->last))
        wrong_parent(w, j, h);
    if (h->height != j->height) {
        struct hub_finding *f = finding_of(w, HUB_FINDING_CLAIM, j);

        hub_audit_field(f, "height");
        hub_audit_number(f->expected, j->height);
        hub_audit_number(f->got, h->height);
    }
    if (j->certificate_bytes.len > 0 && !certifies(w, j, hash))
        bad_certificate(w, j, hash);
}

static void take_job(struct walk *w, struct hub_audit_job *j)
{
    size_t before = w->a->found;
    struct hub_header header;
    struct hub_hash hash = {{0}};
    struct hub_span header_bytes;
    bool peeked = hub_block_peek(&header, &hash, &header_bytes, hub_span_of(&j->bytes));
    bool was_broken = w->broken;

    w->a->height_read = j->height;
    w->a->bytes_read += j->bytes.len;
    if (j->decoded == HUB_OK)
        check_signatures(w, j);
    else
        hub_audit_explain(w->a, w->pool, j, certifies(w, j, &hash));
    if (!w->broken && w->a->found == before)
        apply(w, j);
    if (w->a->found > before)
        w->broken = true;
    if (!w->broken && j->certificate_bytes.len > 0)
        make_final(w, j); /* a bad certificate breaks nothing: a later one may cover the block */
    if (peeked)
        follow_link(w, j, &hash);
    if (w->set.epoch < w->a->chain->set.epoch)
        w->set = w->a->chain->set; /* a SEAL with its own certificate, and no link behind it */
    if (w->broken)
        w->a->skipped++;
    if (was_broken && peeked)
        check_header(w, j, &header, &hash);
    w->last = hash;
    w->last_damaged = !peeked || w->a->found > before;
}

/* ---- windows */

static bool copy(struct hub_buf *to, struct hub_span from)
{
    if (from.len > to->cap) {
        uint8_t *more = realloc(to->data, from.len);

        if (more == NULL)
            return false;
        to->data = more;
        to->cap = from.len;
    }
    if (from.len > 0)
        memcpy(to->data, from.data, from.len);
    to->len = from.len;
    return true;
}

/* Reads the next frames. False: no memory. */
static bool fill(struct walk *w, struct hub_audit_window *window)
{
    struct hub_chain_frame frame;
    size_t bytes = 0;

    window->jobs = 0;
    while (w->ended == HUB_OK && window->jobs < HUB_WINDOW_JOBS && bytes < HUB_WINDOW_BYTES) {
        struct hub_audit_job *j = &window->job[window->jobs];

        w->ended = hub_frames_next(w->a->frames, &frame);
        if (w->ended != HUB_OK)
            break;
        if (!copy(&j->bytes, frame.block) || !copy(&j->certificate_bytes, frame.certificate) ||
            !copy(&j->link_bytes, frame.link))
            return false;
        j->height = frame.height;
        j->offset = frame.offset;
        j->note[0] = '\0';
        if (frame.block.len == 0)
            snprintf(j->note, sizeof j->note, "%s", hub_frames_why(w->a->frames));
        if (j->block.records == NULL)
            j->block.records = calloc(HUB_BLOCK_RECORDS_MAX, sizeof *j->block.records);
        if (j->block.records == NULL)
            return false;
        bytes += frame.block.len;
        window->jobs++;
    }
    return true;
}

static void tell_progress(struct walk *w)
{
    struct timespec t;
    uint64_t now;

    clock_gettime(CLOCK_MONOTONIC, &t);
    now = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
    if (w->a->progress == NULL || now - w->told_ms < PROGRESS_MS)
        return;
    w->told_ms = now;
    w->a->progress(w->a->ctx, w->a);
}

/* While the threads check one window, the one before is applied. */
static bool walk_windows(struct walk *w)
{
    struct hub_audit_window *checked = w->window[0], *next = w->window[1], *swap;

    if (!fill(w, checked) || !hub_audit_pool_keys(w->pool, &w->a->chain->state))
        return false;
    hub_audit_pool_start(w->pool, checked);
    for (;;) {
        bool good;

        hub_audit_pool_wait(w->pool);
        if (checked->jobs == 0)
            return true;
        good = fill(w, next) && hub_audit_pool_keys(w->pool, &w->a->chain->state);
        if (!good)
            return false;
        hub_audit_pool_start(w->pool, next);
        for (unsigned i = 0; i < checked->jobs; i++) {
            take_job(w, &checked->job[i]);
            tell_progress(w);
        }
        swap = checked;
        checked = next;
        next = swap;
    }
}

static void free_window(struct hub_audit_window *window)
{
    for (unsigned i = 0; window != NULL && i < HUB_WINDOW_JOBS; i++) {
        free(window->job[i].bytes.data);
        free(window->job[i].certificate_bytes.data);
        free(window->job[i].link_bytes.data);
        free(window->job[i].block.records);
    }
    free(window);
}

/* ---- the end */

static void tell_end(struct walk *w)
{
    struct hub_finding *f;

    if (w->ended == HUB_NOT_FOUND)
        return;
    f = hub_audit_add(w->a, HUB_FINDING_END, w->a->height_read, 0);
    snprintf(f->note, sizeof f->note, "%s", hub_frames_why(w->a->frames));
}

static void sum_up(struct walk *w)
{
    struct hub_audit *a = w->a;
    struct hub_chain *c = a->chain;
    bool cut = w->ended == HUB_BAD_ENCODING || w->ended == HUB_IO;

    if (!w->broken && w->tip > c->final_header.height)
        a->not_final = w->tip - c->final_header.height;
    tell_end(w);
    if (hub_chain_move(c, &c->final_hash) == HUB_OK) {
        a->has_currency = c->state.count[HUB_TABLE_WALLETS] > 0;
        if (!hub_wallet_audit(&c->state, &a->supply))
            hub_audit_add(a, HUB_FINDING_CURRENCY, c->final_header.height, 0);
    }
    if (a->found > w->overrides + cut)
        a->verdict = HUB_AUDIT_DAMAGED;
    else if (w->overrides > 0)
        a->verdict = HUB_AUDIT_OVERRIDE;
    else if (cut)
        a->verdict = HUB_AUDIT_UNREADABLE;
    else if (a->height_read > 0 && a->blocks == 0)
        a->verdict = HUB_AUDIT_INCOMPLETE;
}

static bool same_genesis(const struct hub_audit *a)
{
    return hub_span_equal(hub_frames_info(a->frames)->genesis, a->genesis->bytes);
}

enum hub_status hub_audit_run(struct hub_audit *a)
{
    struct walk w = {.a = a, .last = a->chain->final_hash, .set = a->chain->set, .ended = HUB_OK};
    enum hub_status status = HUB_LIMIT;

    a->verdict = HUB_AUDIT_VERIFIED;
    if (!same_genesis(a) || hub_frames_info(a->frames)->first_height != 1) {
        a->verdict = same_genesis(a) ? HUB_AUDIT_INCOMPLETE : HUB_AUDIT_OTHER_GENESIS;
        return HUB_OK;
    }
    w.window[0] = calloc(1, sizeof *w.window[0]);
    w.window[1] = calloc(1, sizeof *w.window[1]);
    w.pool = hub_audit_pool_open(a->jobs, &a->genesis->chain);
    if (w.window[0] != NULL && w.window[1] != NULL && w.pool != NULL && walk_windows(&w)) {
        sum_up(&w);
        status = HUB_OK;
    }
    if (w.pool != NULL)
        hub_audit_pool_close(w.pool);
    free_window(w.window[0]);
    free_window(w.window[1]);
    return status;
}
