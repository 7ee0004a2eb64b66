#include "node/store_impl.h"

enum { CERTIFICATE_BYTES_MAX = 4400 /* 64 signatures, bitmap, subject, heads */ };

/* ---- certificates */
enum hub_status hub_read_certificate(const struct hub_reader *r, uint64_t epoch, uint64_t view,
                                     uint8_t kind, struct hub_certificate *out)
{
    uint8_t key[HUB_VIEW_KEY_BYTES];
    struct hub_span value;
    struct hub_certificate found;
    hub_store_view_key(key, epoch, view, kind);
    enum hub_status status = hub_env_get(r, HUB_MAP_CERTIFICATE, span(key, sizeof key), &value);
    if (status)
        return status;
    if (!hub_certificate_decode(&found, value) || found.subject.kind != kind ||
        found.subject.epoch != epoch || found.subject.view != view)
        return HUB_CORRUPT;
    *out = found;
    return HUB_OK;
}

enum hub_status hub_read_certificate_raw(const struct hub_reader *r, uint64_t epoch, uint64_t view,
                                         uint8_t kind, struct hub_span *bytes)
{
    uint8_t key[HUB_VIEW_KEY_BYTES];
    hub_store_view_key(key, epoch, view, kind);
    return hub_env_get_unsealed(r, HUB_MAP_CERTIFICATE, span(key, sizeof key), bytes);
}

enum hub_status hub_read_final_certificate(const struct hub_reader *r, const struct hub_header *h,
                                           const struct hub_hash *hash, struct hub_certificate *out)
{
    struct hub_certificate found;
    enum hub_status status = hub_read_certificate(r, h->epoch, h->view, HUB_FINALIZE, &found);
    if (status && status != HUB_CORRUPT)
        return status;
    if (status == HUB_CORRUPT || !hub_hash_equal(&found.subject.block_hash, hash))
        return HUB_NOT_FOUND;
    *out = found;
    return HUB_OK;
}

enum hub_status hub_store_put_certificate(void *store, const struct hub_certificate *c, uint8_t n)
{
    struct hub_store *s = store;
    const struct hub_reader r = hub_env_reader(s->env);
    struct hub_certificate held;
    enum hub_status status =
        hub_read_certificate(&r, c->subject.epoch, c->subject.view, c->subject.kind, &held);
    if (status == HUB_OK && hub_subject_equal(&held.subject, &c->subject))
        return HUB_OK;
    if (status == HUB_OK)
        return hub_store_explain(s->why, HUB_CONFLICT,
                                 "store: two certificates of kind %u in epoch %llu, view %llu "
                                 "certify different blocks: more validators lie "
                                 "than the network tolerates; the node stops",
                                 c->subject.kind, (unsigned long long)c->subject.epoch,
                                 (unsigned long long)c->subject.view);
    if (status != HUB_NOT_FOUND && status != HUB_CORRUPT) /* a damaged one is replaced */
        return status;
    uint8_t bytes[CERTIFICATE_BYTES_MAX], key[HUB_VIEW_KEY_BYTES];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_certificate_encode(&b, c, n);
    HUB_ASSERT(!b.full);
    hub_store_view_key(key, c->subject.epoch, c->subject.view, c->subject.kind);
    if (status == HUB_CORRUPT)
        hub_store_log_mended("certificate of view", NULL, c->subject.view);
    return hub_env_put(s->env, HUB_MAP_CERTIFICATE, span(key, sizeof key), hub_span_of(&b));
}

enum hub_status hub_store_get_certificate(void *store, uint64_t epoch, uint64_t view, uint8_t kind,
                                          struct hub_certificate *out)
{
    struct hub_store *s = store;
    const struct hub_reader r = hub_env_reader(s->env);
    return hub_store_lost(hub_read_certificate(&r, epoch, view, kind, out), "certificate of view",
                          NULL, view);
}

enum hub_status hub_store_each_certificate(void *store, uint64_t epoch, uint64_t from_view,
                                           hub_store_visit_certificate *visit, void *ctx)
{
    struct hub_store *s = store;
    const struct hub_reader r = hub_env_reader(s->env);
    uint8_t from[HUB_VIEW_KEY_BYTES];
    hub_store_view_key(from, epoch, from_view, 0);
    for (;;) {
        struct hub_span key, value;
        struct hub_certificate c;
        enum hub_status status =
            hub_env_seek(&r, HUB_MAP_CERTIFICATE, span(from, sizeof from), &key, &value);
        if (status == HUB_NOT_FOUND || (status != HUB_IO && hub_get_be64(key.data) != epoch))
            return HUB_OK;
        if (status == HUB_IO)
            return status;
        memcpy(from, key.data, sizeof from);
        from[16]++;
        if (status == HUB_OK &&
            hub_certificate_decode(&c, value)) /* a damaged one is as good as lost: peers have it */
            visit(ctx, &c);
    }
}

/* ---- links */
enum hub_status hub_read_link(const struct hub_reader *r, uint64_t epoch, struct hub_span *bytes)
{
    uint8_t key[8];
    hub_put_be64(key, epoch);
    return hub_env_get(r, HUB_MAP_LINK, span(key, sizeof key), bytes);
}

enum hub_status hub_read_links(const struct hub_reader *r, uint64_t epoch, struct hub_buf *out)
{
    struct hub_span link;
    if (epoch > HUB_BUNDLE_LINKS_MAX)
        return HUB_LIMIT;
    hub_put_array(out, (uint32_t)epoch);
    for (uint64_t e = 1; e <= epoch; e++) {
        enum hub_status status = hub_read_link(r, e, &link);
        if (status)
            return status == HUB_NOT_FOUND ? HUB_CORRUPT : status;
        hub_put_raw(out, link);
    }
    return out->full ? HUB_LIMIT : HUB_OK;
}

enum hub_status hub_read_set(const struct hub_reader *r, const struct hub_genesis *genesis,
                             uint64_t epoch, struct hub_validators *out)
{
    *out = genesis->set;
    for (uint64_t e = 1; e <= epoch; e++) {
        struct hub_link link;
        struct hub_link_facts facts;
        struct hub_span bytes;
        const char *what;
        enum hub_status status = hub_read_link(r, e, &bytes);
        if (status == HUB_IO)
            return status;
        if (status || !hub_link_decode(&link, bytes) ||
            hub_link_check(&facts, &what, &link, out, &hub_accept_all) != HUB_VERDICT_OK)
            return HUB_CORRUPT;
        *out = facts.next;
    }
    return HUB_OK;
}

enum hub_status hub_store_put_link(void *store, uint64_t epoch, struct hub_span link)
{
    struct hub_store *s = store;
    uint8_t key[8];
    hub_put_be64(key, epoch);
    const struct hub_reader r = hub_env_reader(s->env);
    struct hub_span held;
    if (hub_read_link(&r, epoch, &held) == HUB_CORRUPT)
        hub_store_log_mended("link to epoch", NULL, epoch);
    return hub_env_put(s->env, HUB_MAP_LINK, span(key, sizeof key), link);
}

enum hub_status hub_store_get_link(void *store, uint64_t epoch, struct hub_span *link)
{
    struct hub_store *s = store;
    const struct hub_reader r = hub_env_reader(s->env);
    return hub_store_lost(hub_read_link(&r, epoch, link), "link to epoch", NULL, epoch);
}
