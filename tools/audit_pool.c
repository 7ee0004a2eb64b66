/* audit_pool.c: see audit_pool.h. */
#include "tools/audit_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 64, CHUNK = 32 /* records a thread takes at a time */ };

struct book_key {
    struct hub_hash kid;
    struct hub_public_key key;
};

struct hub_audit_pool {
    pthread_t thread[THREADS_MAX];
    unsigned threads;
    struct hub_hash chain;
    pthread_barrier_t start, decoded, done;
    bool stop;
    struct hub_audit_window *window;
    atomic_uint next_job, next_chunk;
    /* The key book: keys in the order of their rows, found by an open-addressing table of place + 1. */
    struct book_key *key;
    uint32_t *index;
    uint32_t keys, cap; /* cap: a power of two; the index has twice as many places */
};

/* ---- key book */

static uint32_t place_of(const struct hub_audit_pool *p, const struct hub_hash *kid)
{
    uint32_t at = hub_get_be32(kid->b) & (2 * p->cap - 1);

    while (p->index[at] != 0 && !hub_hash_equal(&p->key[p->index[at] - 1].kid, kid))
        at = (at + 1) & (2 * p->cap - 1);
    return at;
}

static bool grow_book(struct hub_audit_pool *p)
{
    uint32_t cap = p->cap == 0 ? 256 : 2 * p->cap;
    struct book_key *key = realloc(p->key, cap * sizeof *key);
    uint32_t *index = calloc(2 * (size_t)cap, sizeof *index);

    if (key != NULL)
        p->key = key;
    if (key == NULL || index == NULL) {
        free(index);
        return false;
    }
    free(p->index);
    p->index = index;
    p->cap = cap;
    for (uint32_t i = 0; i < p->keys; i++)
        p->index[place_of(p, &p->key[i].kid)] = i + 1;
    return true;
}

bool hub_audit_pool_keys(struct hub_audit_pool *p, const struct hub_state *s)
{
    struct hub_key k;

    while (p->keys < s->count[HUB_TABLE_KEYS]) {
        if (p->keys == p->cap && !grow_book(p))
            return false;
        hub_key_get(&k, s, p->keys);
        p->key[p->keys] = (struct book_key){k.kid, k.key};
        p->keys++;
        p->index[place_of(p, &k.kid)] = p->keys;
    }
    return true;
}

static bool find_key(const struct hub_audit_pool *p, struct hub_public_key *out,
                     const struct hub_hash *kid)
{
    uint32_t at = place_of(p, kid);

    if (p->index[at] == 0)
        return false;
    *out = p->key[p->index[at] - 1].key;
    return true;
}

bool hub_audit_pool_resolve(const struct hub_audit_pool *p, struct hub_record_keys *out,
                            const struct hub_record *r)
{
    struct hub_hash kid;

    out->count = 1;
    if (!find_key(p, &out->key[0], &r->kid))
        return false;
    for (uint32_t i = 0; i < HUB_COSIGN_MAX && hub_record_cosigner(r, i, &kid); i++, out->count++) {
        if (!find_key(p, &out->key[out->count], &kid) &&
            !hub_record_brings_key(r, &kid, &out->key[out->count]))
            return false;
    }
    return true;
}

/* ---- threads */

static void decode(const struct hub_audit_pool *p, struct hub_audit_job *j)
{
    struct hub_record *records = j->block.records;

    memset(&j->block, 0, sizeof j->block);
    j->block.records = records;
    j->bad_record = UINT32_MAX;
    j->why = 0;
    j->decoded = HUB_NOT_FOUND;
    if (j->bytes.len > 0)
        j->decoded =
            hub_block_decode(&j->block, &j->bad_record, &j->why, hub_span_of(&j->bytes), &p->chain);
    j->certificate_ok = j->certificate_bytes.len > 0 &&
                        hub_certificate_decode(&j->certificate, hub_span_of(&j->certificate_bytes));
}

static uint32_t chunks_of(const struct hub_audit_job *j)
{
    return j->decoded == HUB_OK ? (j->block.count + CHUNK - 1) / CHUNK : 0;
}

static void verify_chunk(const struct hub_audit_pool *p, struct hub_audit_job *j, uint32_t chunk)
{
    struct hub_record_keys keys;
    uint16_t why;

    for (uint32_t i = chunk * CHUNK; i < j->block.count && i < (chunk + 1) * CHUNK; i++)
        if (hub_audit_pool_resolve(p, &keys, &j->block.records[i]))
            (void)!hub_record_verify(&j->block.records[i], &why,
                                     &keys); /* the main thread sees `verified` */
}

/* Chunk number `at` of the whole window. */
static bool verify_some(const struct hub_audit_pool *p, uint32_t at)
{
    for (unsigned i = 0; i < p->window->jobs; i++) {
        uint32_t chunks = chunks_of(&p->window->job[i]);

        if (at < chunks) {
            verify_chunk(p, &p->window->job[i], at);
            return true;
        }
        at -= chunks;
    }
    return false;
}

static void *work(void *ctx)
{
    struct hub_audit_pool *p = ctx;

    for (;;) {
        unsigned at;

        pthread_barrier_wait(&p->start);
        if (p->stop)
            return NULL;
        while ((at = atomic_fetch_add(&p->next_job, 1)) < p->window->jobs)
            decode(p, &p->window->job[at]);
        pthread_barrier_wait(&p->decoded);
        while (verify_some(p, atomic_fetch_add(&p->next_chunk, 1)))
            continue;
        pthread_barrier_wait(&p->done);
    }
}

void hub_audit_pool_start(struct hub_audit_pool *p, struct hub_audit_window *w)
{
    p->window = w;
    atomic_store(&p->next_job, 0);
    atomic_store(&p->next_chunk, 0);
    pthread_barrier_wait(&p->start);
}

void hub_audit_pool_wait(struct hub_audit_pool *p)
{
    pthread_barrier_wait(&p->done);
}

struct hub_audit_pool *hub_audit_pool_open(unsigned threads, const struct hub_hash *chain)
{
    struct hub_audit_pool *p = calloc(1, sizeof *p);

    if (p == NULL)
        return NULL;
    p->chain = *chain;
    threads = threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads;
    pthread_barrier_init(&p->start, NULL, threads + 1);
    pthread_barrier_init(&p->decoded, NULL, threads);
    pthread_barrier_init(&p->done, NULL, threads + 1);
    while (p->threads < threads && pthread_create(&p->thread[p->threads], NULL, work, p) == 0)
        p->threads++;
    if (p->threads == threads)
        return p;
    /* Threads that did start wait for a full barrier: they end with the process, which cannot go on. */
    return NULL;
}

void hub_audit_pool_close(struct hub_audit_pool *p)
{
    p->stop = true;
    pthread_barrier_wait(&p->start);
    for (unsigned i = 0; i < p->threads; i++)
        pthread_join(p->thread[i], NULL);
    pthread_barrier_destroy(&p->start);
    pthread_barrier_destroy(&p->decoded);
    pthread_barrier_destroy(&p->done);
    free(p->key);
    free(p->index);
    free(p);
}
