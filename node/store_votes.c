#include "node/store_impl.h"

enum {
    VOTE_BYTES_MAX = 512, /* number, hash, subject of at most 120, signature, heads */
    PRUNE_MAX = 64 /* votes forgotten with one tip: more than the views between two finalizations */
};

/* A value is [number, hash of the vote before, subject, signer, signature]; the hash of a vote
 * is SHA-256("hubledger/store/vote/1" || value). */
static void vote_hash(struct hub_hash *out, struct hub_span value)
{
    hub_hash_tagged(out, "hubledger/store/vote/1", value);
}

static bool vote_decode(struct hub_vote *out, uint64_t *number, struct hub_hash *before,
                        struct hub_span value)
{
    struct hub_cbor c = hub_cbor_open(value);
    memset(out, 0, sizeof *out);
    hub_cbor_array(&c, 5, 5);
    *number = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    hub_cbor_hash(&c, before);
    hub_subject_read(&out->subject, &c);
    out->signer = (uint8_t)hub_cbor_uint(&c, 0, HUB_VALIDATORS_MAX - 1);
    hub_cbor_copy(&c, out->sig.b, sizeof out->sig.b);
    return hub_cbor_done(&c);
}

static enum hub_status save_votes(struct hub_store *s)
{
    uint8_t bytes[128];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_put_array(&b, 4);
    hub_put_uint(&b, s->votes.first);
    hub_put_hash(&b, &s->votes.base);
    hub_put_uint(&b, s->votes.next);
    hub_put_hash(&b, &s->votes.head);
    HUB_ASSERT(!b.full);
    return hub_env_put(s->env, HUB_MAP_META, name("votes"), hub_span_of(&b));
}

static bool load_votes(struct hub_store_votes *out, const struct hub_reader *r)
{
    struct hub_span value;
    enum hub_status status = hub_env_get(r, HUB_MAP_META, name("votes"), &value);
    memset(out, 0, sizeof *out);
    if (status == HUB_NOT_FOUND)
        return true;
    if (status)
        return false;
    struct hub_cbor c = hub_cbor_open(value);
    hub_cbor_array(&c, 4, 4);
    out->first = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    hub_cbor_hash(&c, &out->base);
    out->next = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    hub_cbor_hash(&c, &out->head);
    return hub_cbor_done(&c) && out->first <= out->next;
}

/* The own vote with this number, of which key[HUB_VIEW_KEY_BYTES] gets the key. */
static bool vote_numbered(const struct hub_reader *r, uint64_t number,
                          uint8_t key[HUB_VIEW_KEY_BYTES], struct hub_span *value)
{
    uint8_t place[8];
    struct hub_span found;
    hub_put_be64(place, number);
    if (hub_env_get(r, HUB_MAP_VOTE_ORDER, span(place, sizeof place), &found) ||
        found.len != HUB_VIEW_KEY_BYTES)
        return false;
    memcpy(key, found.data, HUB_VIEW_KEY_BYTES);
    return hub_env_get(r, HUB_MAP_VOTE, span(key, HUB_VIEW_KEY_BYTES), value) == HUB_OK;
}

static void note_highest(struct hub_store_votes *votes, const struct hub_subject *s)
{
    if (s->epoch > votes->epoch || (s->epoch == votes->epoch && s->view > votes->view)) {
        votes->epoch = s->epoch;
        votes->view = s->view;
    }
}

/* H4: every own vote is there, is the one that was written, and nothing was added. */
static bool votes_whole(struct hub_store_votes *votes, const struct hub_reader *r)
{
    struct hub_hash at = votes->base;
    for (uint64_t i = votes->first; i < votes->next; i++) {
        uint8_t key[HUB_VIEW_KEY_BYTES], expected[HUB_VIEW_KEY_BYTES];
        struct hub_span value;
        struct hub_vote v;
        struct hub_hash before;
        uint64_t number;
        if (!vote_numbered(r, i, key, &value) || !vote_decode(&v, &number, &before, value))
            return false;
        hub_store_view_key(expected, v.subject.epoch, v.subject.view, v.subject.kind);
        if (number != i || !hub_hash_equal(&before, &at) || memcmp(key, expected, sizeof key) != 0)
            return false;
        vote_hash(&at, value);
        note_highest(votes, &v.subject);
    }
    uint64_t stored, ordered;
    return hub_hash_equal(&at, &votes->head) && !hub_env_count(r, HUB_MAP_VOTE, &stored) &&
           !hub_env_count(r, HUB_MAP_VOTE_ORDER, &ordered) &&
           stored == votes->next - votes->first && ordered == stored;
}

/* Two votes of one validator in one view (docs/protocol.md 9, E1 to E4). */
static bool may_stand_together(const struct hub_subject *a, const struct hub_subject *b)
{
    if (a->kind == b->kind)
        return hub_subject_equal(a, b);
    if (a->kind != HUB_FINALIZE && b->kind != HUB_FINALIZE)
        return true;
    return a->kind != HUB_NULLIFY && b->kind != HUB_NULLIFY &&
           hub_hash_equal(&a->block_hash, &b->block_hash);
}

/* HUB_OK with *known when the same vote is there. */
static enum hub_status vote_allowed(struct hub_store *s, const struct hub_vote *v, bool *known)
{
    const struct hub_reader r = hub_env_reader(s->env);
    *known = false;
    for (uint8_t kind = HUB_NOTARIZE; kind <= HUB_FINALIZE; kind++) {
        uint8_t key[HUB_VIEW_KEY_BYTES];
        struct hub_span value;
        struct hub_vote other;
        struct hub_hash before;
        uint64_t number;
        hub_store_view_key(key, v->subject.epoch, v->subject.view, kind);
        enum hub_status status = hub_env_get(&r, HUB_MAP_VOTE, span(key, sizeof key), &value);
        if (status == HUB_NOT_FOUND)
            continue;
        if (status == HUB_OK && !vote_decode(&other, &number, &before, value))
            status = HUB_CORRUPT;
        if (status)
            return status;
        if (!may_stand_together(&other.subject, &v->subject))
            return hub_store_explain(s->why, HUB_CONFLICT,
                                     "store: a vote of kind %u in epoch %llu, view %llu "
                                     "contradicts the own vote of kind %u recorded there: "
                                     "it is not signed",
                                     v->subject.kind, (unsigned long long)v->subject.epoch,
                                     (unsigned long long)v->subject.view, kind);
        *known |= kind == v->subject.kind;
    }
    return HUB_OK;
}

enum hub_status hub_store_put_vote(void *store, const struct hub_vote *v)
{
    struct hub_store *s = store;
    bool known;
    enum hub_status status = vote_allowed(s, v, &known);
    if (status || known)
        return status;
    uint8_t bytes[VOTE_BYTES_MAX], key[HUB_VIEW_KEY_BYTES], place[8];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_put_array(&b, 5);
    hub_put_uint(&b, s->votes.next);
    hub_put_hash(&b, &s->votes.head);
    hub_subject_encode(&b, &v->subject);
    hub_put_uint(&b, v->signer);
    hub_put_bytes(&b, span(v->sig.b, sizeof v->sig.b));
    HUB_ASSERT(!b.full);
    hub_store_view_key(key, v->subject.epoch, v->subject.view, v->subject.kind);
    hub_put_be64(place, s->votes.next);
    status = hub_env_put(s->env, HUB_MAP_VOTE, span(key, sizeof key), hub_span_of(&b));
    if (status == HUB_OK)
        status = hub_env_put(s->env, HUB_MAP_VOTE_ORDER, span(place, sizeof place),
                             span(key, sizeof key));
    if (status)
        return status;
    vote_hash(&s->votes.head, hub_span_of(&b));
    s->votes.next++;
    note_highest(&s->votes, &v->subject);
    return save_votes(s);
}

enum hub_status hub_store_prune_votes(struct hub_store *s, uint64_t epoch, uint64_t view)
{
    const struct hub_reader r = hub_env_reader(s->env);
    uint64_t before = s->votes.first;
    enum hub_status status = HUB_OK;
    while (status == HUB_OK && s->votes.first < s->votes.next &&
           s->votes.first < before + PRUNE_MAX) {
        uint8_t key[HUB_VIEW_KEY_BYTES], place[8];
        struct hub_span value;
        if (!vote_numbered(&r, s->votes.first, key, &value))
            return hub_store_explain(s->why, HUB_CORRUPT,
                                     "store: own vote number %llu cannot be read",
                                     (unsigned long long)s->votes.first);
        if (hub_get_be64(key) == epoch && hub_get_be64(key + 8) + HUB_STORE_VOTES_KEPT >= view)
            break;
        vote_hash(&s->votes.base, value);
        hub_put_be64(place, s->votes.first++);
        status = hub_env_del(s->env, HUB_MAP_VOTE, span(key, sizeof key));
        if (status == HUB_OK)
            status = hub_env_del(s->env, HUB_MAP_VOTE_ORDER, span(place, sizeof place));
    }
    return status || s->votes.first == before ? status : save_votes(s);
}

enum hub_status hub_store_each_vote(void *store, uint64_t epoch, uint64_t from_view,
                                    hub_store_visit_vote *visit, void *ctx)
{
    struct hub_store *s = store;
    const struct hub_reader r = hub_env_reader(s->env);
    uint8_t from[HUB_VIEW_KEY_BYTES];
    hub_store_view_key(from, epoch, from_view, 0);
    for (;;) {
        struct hub_span key, value;
        struct hub_vote v;
        struct hub_hash before;
        uint64_t number;
        enum hub_status status =
            hub_env_seek(&r, HUB_MAP_VOTE, span(from, sizeof from), &key, &value);
        if (status == HUB_NOT_FOUND || (status == HUB_OK && hub_get_be64(key.data) != epoch))
            return HUB_OK;
        if (status)
            return status;
        if (key.len != HUB_VIEW_KEY_BYTES || !vote_decode(&v, &number, &before, value))
            return hub_store_explain(s->why, HUB_CORRUPT, "store: an own vote cannot be decoded");
        memcpy(from, key.data, sizeof from);
        from[16]++; /* the next kind, or a key between the views */
        visit(ctx, &v);
    }
}

enum hub_status hub_store_check_votes(struct hub_store *s, char why[HUB_WHY_BYTES])
{
    const struct hub_reader r = hub_env_reader(s->env);
    if (load_votes(&s->votes, &r) && votes_whole(&s->votes, &r))
        return HUB_OK;
    return hub_store_explain(why, HUB_CORRUPT,
                             "store: the own votes in %s are not the ones this node wrote, so it "
                             "could sign against itself: keep a copy of "
                             "the directory and give the node a new validator key, or run it with "
                             "an empty directory as an observer",
                             s->dir);
}

/* ---- what the guard is compared with, and why the node may not vote (docs/hazards.md H12) */

enum hub_status hub_store_get_mark(void *store, struct hub_vote_mark *out)
{
    const struct hub_store_votes *v = &((struct hub_store *)store)->votes;
    *out = (struct hub_vote_mark){
        .epoch = v->epoch, .view = v->view, .votes = v->next, .head = v->head};
    return HUB_OK;
}

enum hub_status hub_store_has_mark(void *store, const struct hub_vote_mark *m)
{
    struct hub_store *s = store;
    const struct hub_reader r = hub_env_reader(s->env);
    uint8_t key[HUB_VIEW_KEY_BYTES];
    struct hub_span value;
    struct hub_hash head = s->votes.base;
    if (m->votes > s->votes.next)
        return HUB_NOT_FOUND;
    if (m->votes < s->votes.first)
        return HUB_OK;
    if (m->votes > s->votes.first) {
        if (!vote_numbered(&r, m->votes - 1, key, &value))
            return hub_store_explain(s->why, HUB_CORRUPT,
                                     "store: own vote number %llu cannot be read",
                                     (unsigned long long)(m->votes - 1));
        vote_hash(&head, value);
    }
    return hub_hash_equal(&head, &m->head) ? HUB_OK : HUB_NOT_FOUND;
}

enum hub_status hub_store_put_halt(void *store, const struct hub_halt *h)
{
    struct hub_store *s = store;
    uint8_t bytes[96];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_put_array(&b, 5);
    hub_put_uint(&b, h->why);
    hub_put_uint(&b, h->epoch);
    hub_put_uint(&b, h->view);
    hub_put_uint(&b, h->time_ms);
    hub_put_hash(&b, &h->block);
    HUB_ASSERT(!b.full && h->why < HUB_ABSTAIN_REASONS);
    return hub_env_put(s->env, HUB_MAP_META, name("halt"), hub_span_of(&b));
}

enum hub_status hub_store_get_halt(void *store, struct hub_halt *out)
{
    struct hub_store *s = store;
    const struct hub_reader r = hub_env_reader(s->env);
    struct hub_span value;
    enum hub_status status = hub_env_get(&r, HUB_MAP_META, name("halt"), &value);
    *out = (struct hub_halt){.why = HUB_ABSTAIN_NOT};
    if (status)
        return status == HUB_NOT_FOUND ? HUB_OK : status;
    struct hub_cbor c = hub_cbor_open(value);
    hub_cbor_array(&c, 5, 5);
    out->why = (enum hub_abstain)hub_cbor_uint(&c, 0, HUB_ABSTAIN_REASONS - 1);
    out->epoch = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->view = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->time_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    hub_cbor_hash(&c, &out->block);
    return hub_cbor_done(&c) ? HUB_OK : HUB_CORRUPT;
}
