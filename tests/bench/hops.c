/* hops.c: see hops.h. */
#include "tests/bench/hops.h"
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NODES = 4, QUORUM = 3, FRAME_BYTES = 512, CLIENT = NODES };
enum hop { HOP_ASK, HOP_FORWARD, HOP_PROPOSE, HOP_NOTARIZE, HOP_FINALIZE, HOP_ANSWER };

struct frame {
    uint32_t hop, round;
    uint8_t filling[FRAME_BYTES - 8]; /* as long as a record, about */
};
_Static_assert(sizeof(struct frame) == FRAME_BYTES, "one size on the wire");

struct party { /* a node: its own thread */
    pthread_t thread;
    unsigned me;
    int fd[NODES + 1]; /* to each node, -1 for itself; the last to the client */
    uint32_t round;
    unsigned notarized, finalized;
    bool proposed, finalizing, answered;
};

struct bench_hops {
    struct party party[NODES];
    int client[NODES];
    uint32_t round;
    unsigned started;
};

static unsigned asked(uint32_t round)
{
    return round % NODES;
}

static unsigned leader(uint32_t round)
{
    return round / NODES % NODES;
}

static bool put(int fd, enum hop hop, uint32_t round)
{
    const struct frame f = {.hop = hop, .round = round};
    return send(fd, &f, sizeof f, MSG_NOSIGNAL) == (ssize_t)sizeof f;
}

static void put_all(const struct party *p, enum hop hop)
{
    for (unsigned i = 0; i < NODES; i++)
        if (i != p->me)
            put(p->fd[i], hop, p->round);
}

/* Votes count from the first one on, but a node votes only for what it has seen. */
static void advance(struct party *p)
{
    if (p->proposed && p->notarized >= QUORUM && !p->finalizing) {
        p->finalizing = true;
        p->finalized++;
        put_all(p, HOP_FINALIZE);
    }
    if (p->finalizing && p->finalized >= QUORUM && !p->answered && asked(p->round) == p->me) {
        p->answered = true;
        put(p->fd[CLIENT], HOP_ANSWER, p->round);
    }
}

static void propose(struct party *p)
{
    if (leader(p->round) == p->me)
        put_all(p, HOP_PROPOSE);
    p->proposed = true;
    p->notarized++;
    put_all(p, HOP_NOTARIZE);
}

static void take(struct party *p, const struct frame *f)
{
    if (f->round < p->round)
        return; /* a late vote of a round that is over */
    if (f->round > p->round) {
        p->round = f->round;
        p->notarized = p->finalized = 0;
        p->proposed = p->finalizing = p->answered = false;
    }
    p->notarized += f->hop == HOP_NOTARIZE;
    p->finalized += f->hop == HOP_FINALIZE;
    if (f->hop == HOP_ASK && leader(p->round) != p->me)
        put(p->fd[leader(p->round)], HOP_FORWARD, p->round);
    else if (f->hop == HOP_ASK || f->hop == HOP_FORWARD || f->hop == HOP_PROPOSE)
        propose(p);
    advance(p);
}

static void *run(void *arg)
{
    struct party *p = arg;
    struct pollfd watched[NODES + 1];
    for (unsigned i = 0; i <= NODES; i++)
        watched[i] = (struct pollfd){.fd = p->fd[i], .events = POLLIN};
    while (poll(watched, NODES + 1, -1) > 0)
        for (unsigned i = 0; i <= NODES; i++) {
            struct frame f;
            if (!watched[i].revents)
                continue;
            if (recv(p->fd[i], &f, sizeof f, MSG_WAITALL) != (ssize_t)sizeof f)
                return NULL; /* closed: the end */
            take(p, &f);
        }
    return NULL;
}

static void no_delay(int fd)
{
    const int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static bool tcp_pair(int *a, int *b)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    *a = socket(AF_INET, SOCK_STREAM, 0);
    const bool ok = listener >= 0 && *a >= 0 && !bind(listener, (struct sockaddr *)&at, len) &&
                    !listen(listener, 1) && !getsockname(listener, (struct sockaddr *)&at, &len) &&
                    !connect(*a, (struct sockaddr *)&at, len);
    *b = ok ? accept(listener, NULL, NULL) : -1;
    if (listener >= 0)
        close(listener);
    if (*b < 0)
        return false;
    no_delay(*a);
    no_delay(*b);
    return true;
}

static bool connect_all(struct bench_hops *h)
{
    for (unsigned i = 0; i < NODES; i++) {
        h->party[i].me = i;
        h->party[i].fd[i] = -1;
        if (!tcp_pair(&h->client[i], &h->party[i].fd[CLIENT]))
            return false;
        for (unsigned j = i + 1; j < NODES; j++)
            if (!tcp_pair(&h->party[i].fd[j], &h->party[j].fd[i]))
                return false;
    }
    return true;
}

struct bench_hops *bench_hops_open(void)
{
    struct bench_hops *h = calloc(1, sizeof *h);
    bool ok = h && connect_all(h);
    for (unsigned i = 0; ok && i < NODES; i++) {
        ok = pthread_create(&h->party[i].thread, NULL, run, &h->party[i]) == 0;
        h->started += ok;
    }
    if (ok)
        return h;
    if (h)
        bench_hops_close(h);
    return NULL;
}

void bench_hops_close(struct bench_hops *h)
{
    for (unsigned i = 0; i < NODES; i++)
        if (h->client[i] > 0)
            shutdown(h->client[i], SHUT_RDWR);
    for (unsigned i = 0; i < h->started; i++)
        pthread_join(h->party[i].thread, NULL);
    for (unsigned i = 0; i < NODES; i++) {
        if (h->client[i] > 0)
            close(h->client[i]);
        for (unsigned j = 0; j <= NODES; j++)
            if (h->party[i].fd[j] > 0)
                close(h->party[i].fd[j]);
    }
    free(h);
}

uint64_t bench_hops_round(struct bench_hops *h)
{
    struct frame f;
    const uint32_t round = ++h->round;
    const int fd = h->client[asked(round)];
    const uint64_t began = bench_now_ns();
    if (!put(fd, HOP_ASK, round) || recv(fd, &f, sizeof f, MSG_WAITALL) != (ssize_t)sizeof f)
        return 0;
    return bench_now_ns() - began;
}
