/* verifier.c: see verifier.h. */
#include "node/verifier.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job { /* one queued record; record and keys borrowed until its answer is taken */
    struct hub_record *record;
    const struct hub_record_keys *keys;
    uint64_t ticket;
    uint16_t why;
};
struct burst { /* records of one block, shared out in chunks */
    struct hub_record *record;
    const struct hub_record_keys *keys;
    uint32_t count, next, open; /* open: chunks handed out and not finished */
    uint32_t bad;               /* lowest bad index seen, UINT32_MAX = none */
    uint16_t why;
};
/* job[] is a ring: answered <= started <= submitted; answers come in order of submission. */
struct hub_verifier {
    pthread_mutex_t lock;
    pthread_cond_t work, burst_done;
    pthread_t thread[HUB_VERIFIER_THREADS_MAX];
    unsigned threads;
    bool stop;
    struct job job[HUB_VERIFIER_JOBS_MAX];
    bool finished[HUB_VERIFIER_JOBS_MAX];
    uint64_t submitted, started, answered; /* counts since start; index = count mod max */
    struct burst burst;
    int fd;
    struct hub_hash
        *cache; /* 2^HUB_VERIFIER_CACHE_BITS leaves, direct-mapped: a newer one replaces */
};

static size_t cache_slot(const struct hub_hash *leaf)
{
    return hub_get_be32(leaf->b) >> (32 - HUB_VERIFIER_CACHE_BITS);
}

static bool cached(const struct hub_verifier *v, const struct hub_hash *leaf)
{
    return hub_hash_equal(&v->cache[cache_slot(leaf)], leaf);
}

static void check_one(struct hub_record *r, const struct hub_record_keys *keys, uint16_t *why)
{
    *why = 0;
    if (!r->verified && !hub_record_verify(r, why, keys) && *why == 0)
        *why = HUB_CODE_signature_invalid;
}

/* Takes and finishes one chunk of the open burst. Called and returns with the lock held. */
static void work_burst(struct hub_verifier *v)
{
    struct burst *b = &v->burst;
    const uint32_t first = b->next, last = first + HUB_VERIFIER_CHUNK < b->count
                                               ? first + HUB_VERIFIER_CHUNK
                                               : b->count;
    b->next = last;
    b->open++;
    pthread_mutex_unlock(&v->lock);
    uint32_t bad = UINT32_MAX;
    uint16_t why = 0;
    for (uint32_t i = first; i < last && bad == UINT32_MAX; i++) {
        check_one(&b->record[i], &b->keys[i], &why);
        if (why)
            bad = i;
    }
    pthread_mutex_lock(&v->lock);
    if (bad < b->bad)
        b->bad = bad, b->why = why;
    if (--b->open == 0 && b->next == b->count)
        pthread_cond_signal(&v->burst_done);
}

/* Takes up to a chunk of queued jobs and answers them. Called and returns with the lock held. */
static void work_jobs(struct hub_verifier *v)
{
    const uint64_t waiting = v->submitted - v->started;
    const uint64_t share = (waiting + v->threads - 1) / v->threads;
    const uint64_t first = v->started,
                   last = first + (share < HUB_VERIFIER_CHUNK ? share : HUB_VERIFIER_CHUNK);
    v->started = last;
    pthread_mutex_unlock(&v->lock);
    for (uint64_t i = first; i < last; i++) {
        struct job *j = &v->job[i % HUB_VERIFIER_JOBS_MAX];
        check_one(j->record, j->keys, &j->why);
    }
    pthread_mutex_lock(&v->lock);
    for (uint64_t i = first; i < last; i++)
        v->finished[i % HUB_VERIFIER_JOBS_MAX] = true;
    const uint64_t one = 1;
    if (write(v->fd, &one, sizeof one) < 0)
        abort(); /* an eventfd of ours cannot fail below 2^64 answers */
}

static void *run(void *arg)
{
    struct hub_verifier *v = arg;
    pthread_mutex_lock(&v->lock);
    while (!v->stop) {
        if (v->burst.next < v->burst.count)
            work_burst(v);
        else if (v->started < v->submitted)
            work_jobs(v);
        else
            pthread_cond_wait(&v->work, &v->lock);
    }
    pthread_mutex_unlock(&v->lock);
    return NULL;
}

enum hub_status hub_verifier_open(struct hub_verifier **out, unsigned threads)
{
    HUB_ASSERT(threads >= 1 && threads <= HUB_VERIFIER_THREADS_MAX);
    struct hub_verifier *v = calloc(1, sizeof *v);
    if (!v)
        return HUB_IO;
    v->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    v->cache = calloc((size_t)1 << HUB_VERIFIER_CACHE_BITS, sizeof *v->cache);
    if (v->fd < 0 || !v->cache || pthread_mutex_init(&v->lock, NULL) ||
        pthread_cond_init(&v->work, NULL) || pthread_cond_init(&v->burst_done, NULL)) {
        if (v->fd >= 0)
            close(v->fd);
        free(v->cache);
        free(v);
        return HUB_IO;
    }
    for (; v->threads < threads; v->threads++)
        if (pthread_create(&v->thread[v->threads], NULL, run, v)) {
            hub_verifier_close(v);
            return HUB_IO;
        }
    *out = v;
    return HUB_OK;
}

void hub_verifier_close(struct hub_verifier *v)
{
    if (!v)
        return;
    pthread_mutex_lock(&v->lock);
    v->stop = true;
    pthread_cond_broadcast(&v->work);
    pthread_mutex_unlock(&v->lock);
    for (unsigned i = 0; i < v->threads; i++)
        pthread_join(v->thread[i], NULL);
    pthread_mutex_destroy(&v->lock);
    pthread_cond_destroy(&v->work);
    pthread_cond_destroy(&v->burst_done);
    close(v->fd);
    free(v->cache);
    free(v);
}

/* True if record i needs no thread: trusted from the cache now, or verified before. */
static bool settle_from_cache(struct hub_verifier *v, struct hub_record *r)
{
    if (!r->verified && cached(v, &r->leaf))
        hub_record_trust_cache(r);
    return r->verified;
}

uint32_t hub_verifier_check(struct hub_verifier *v, struct hub_record *record,
                            const struct hub_record_keys *keys, uint32_t count, uint16_t *why)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < count; i++)
        left += !settle_from_cache(v, &record[i]);
    *why = 0;
    if (!left)
        return UINT32_MAX;
    pthread_mutex_lock(&v->lock);
    v->burst = (struct burst){.record = record, .keys = keys, .count = count, .bad = UINT32_MAX};
    if (left > HUB_VERIFIER_CHUNK)
        pthread_cond_broadcast(&v->work);
    while (v->burst.next < v->burst.count)
        work_burst(v);
    while (v->burst.open)
        pthread_cond_wait(&v->burst_done, &v->lock);
    const uint32_t bad = v->burst.bad;
    *why = v->burst.why;
    v->burst = (struct burst){0};
    pthread_mutex_unlock(&v->lock);
    for (uint32_t i = 0; i < count; i++)
        if (record[i].verified)
            v->cache[cache_slot(&record[i].leaf)] = record[i].leaf;
    return bad;
}

bool hub_verifier_submit(struct hub_verifier *v, struct hub_record *record,
                         const struct hub_record_keys *keys, uint64_t ticket)
{
    pthread_mutex_lock(&v->lock);
    const bool room = v->submitted - v->answered < HUB_VERIFIER_JOBS_MAX;
    if (room) {
        const uint64_t i = v->submitted++ % HUB_VERIFIER_JOBS_MAX;
        v->job[i] = (struct job){record, keys, ticket, 0};
        v->finished[i] = false;
        pthread_cond_signal(&v->work);
    }
    pthread_mutex_unlock(&v->lock);
    return room;
}

int hub_verifier_fd(const struct hub_verifier *v)
{
    return v->fd;
}

static bool next_answer(struct hub_verifier *v, struct job *out)
{
    pthread_mutex_lock(&v->lock);
    const uint64_t i = v->answered % HUB_VERIFIER_JOBS_MAX;
    const bool ready = v->answered < v->started && v->finished[i];
    if (ready) {
        *out = v->job[i];
        v->answered++;
    }
    pthread_mutex_unlock(&v->lock);
    return ready;
}

bool hub_verifier_done(struct hub_verifier *v, uint64_t *ticket, uint16_t *why)
{
    struct job j;
    uint64_t count;
    /* Drained: clear the signal, then look once more, since an answer may have come in between. */
    if (!next_answer(v, &j) && (read(v->fd, &count, sizeof count) < 0 || !next_answer(v, &j)))
        return false;
    *ticket = j.ticket;
    *why = j.why;
    if (!j.why)
        v->cache[cache_slot(&j.record->leaf)] = j.record->leaf;
    return true;
}
