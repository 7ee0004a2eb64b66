#include "node/join.h"

#include "node/disk.h"
#include "node/log.h"
#include "node/snapshot.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    ASK_MS = 1000,
    OFFERS_MS = 1000,   /* after the first offer: others may have a newer one */
    GIVE_UP_MS = 30000, /* without an offer that can be taken */
    MAKING_MS = 600000, /* as long as a peer may take to make one */
    WINDOW = 4,         /* pieces under way */
    REQUEST_MS = 34,    /* 29 a second: a peer answers 32 (node/receive.c) */
    RETRY_MS = 2000,    /* a piece was lost, or the peer had no tokens left */
    SILENT_MS = 5000,   /* it is gone */
    GRACE_MS = 30000,   /* before the average counts */
    RATE = 32,          /* bytes a millisecond, at least */
    STRIKES_MAX = 3,
    TELL_MS = 5000,
    FRAME_BYTES = 64,
    ROOM_FACTOR = 3 /* the file, the store that is made of it, and its pages in motion */
};
static const struct hub_hash nothing;

static void forget_file(struct hub_join *j)
{
    if (j->file)
        fclose(j->file);
    j->file = NULL;
    unlink(j->path);
    j->id = nothing;
    j->have = j->look_at = 0;
    j->head_ok = j->resumed = false;
}

/* A file that was begun earlier is kept if its head is whole and proven: else there is not enough of it to know. */
static void take_up(struct hub_join *j)
{
    char why[HUB_WHY_BYTES] = "";
    j->file = fopen(j->path, "r+be");
    if (!j->file)
        return;
    const enum hub_status st = hub_snapshot_head(j->file, j->genesis, &j->id, &j->height, why);
    long size = 0;
    if (st != HUB_OK || fseek(j->file, 0, SEEK_END) != 0 || (size = ftell(j->file)) <= 0) {
        forget_file(j);
        return;
    }
    j->have = (uint64_t)size;
    j->head_ok = j->resumed = true;
    HUB_LOG(INFO, "join_resumed", HUB_LOG_NUMBER("height", j->height),
            HUB_LOG_NUMBER("bytes", j->have));
}

void hub_join_begin(struct hub_join *j, uint64_t now_ms)
{
    snprintf(j->path, sizeof j->path, "%s/joining", j->dir);
    j->state = HUB_JOIN_ASKING;
    j->began_ms = now_ms;
    j->asked_ms = j->offered_ms = j->making_ms = 0;
    take_up(j);
    HUB_LOG(INFO, "join_asks",
            HUB_LOG_TEXT("en", "this directory is empty: peers are asked for a snapshot"),
            HUB_LOG_TEXT("zh", "数据目录为空：正向对端索取状态快照"));
}

bool hub_join_busy(const struct hub_join *j)
{
    return j->state == HUB_JOIN_ASKING || j->state == HUB_JOIN_FETCHING ||
           j->state == HUB_JOIN_WHOLE;
}

void hub_join_close(struct hub_join *j)
{
    if (j->file)
        fclose(j->file);
    j->file = NULL;
}

/* offset HUB_UINT_MAX: lies behind every file, so only what there is is told. */
static void ask(struct hub_join *j, int peer, uint64_t offset)
{
    uint8_t bytes[FRAME_BYTES];
    struct hub_buf frame = {bytes, 0, sizeof bytes, false};
    hub_message_get_snapshot(&frame, &j->id, offset);
    HUB_ASSERT(!frame.full);
    j->send(j->net, peer, hub_span_of(&frame));
}

/* Peers are asked anew; what they offered before may be gone. */
static void ask_again(struct hub_join *j, uint64_t now_ms)
{
    for (uint32_t i = 0; i < HUB_PEERS_MAX; i++)
        j->offer[i].bytes = 0;
    j->state = HUB_JOIN_ASKING;
    j->began_ms = now_ms;
    j->asked_ms = j->offered_ms = j->making_ms = 0;
}

/* The file stays: perhaps this or another peer goes on with it. */
static void leave_peer(struct hub_join *j, uint8_t strikes, const char *what, uint64_t now_ms)
{
    struct hub_join_offer *o = &j->offer[j->peer];
    o->strikes = (uint8_t)(o->strikes + strikes);
    HUB_LOG(WARNING, "join_peer_failed", HUB_LOG_TEXT("peer", j->name(j->net, j->peer)),
            HUB_LOG_TEXT("why", what), HUB_LOG_NUMBER("height", j->height),
            HUB_LOG_NUMBER("bytes", j->have), HUB_LOG_NUMBER("of", j->bytes));
    j->resumed = true;
    ask_again(j, now_ms);
}

static void leave_liar(struct hub_join *j, const char *what, uint64_t now_ms)
{
    leave_peer(j, j->resumed ? 1 : STRIKES_MAX, what, now_ms);
    forget_file(j);
}

static void fall_back(struct hub_join *j, const char *why)
{
    forget_file(j);
    j->why = why;
    j->state = HUB_JOIN_HISTORY;
    HUB_LOG(WARNING, "join_by_history", HUB_LOG_TEXT("why", why),
            HUB_LOG_TEXT("en", "the whole history is fetched instead"),
            HUB_LOG_TEXT("zh", "改为获取全部历史区块"));
}

/* ---- choosing */

static bool usable(const struct hub_join *j, const struct hub_join_offer *o)
{
    return o->bytes && o->height && o->strikes < STRIKES_MAX &&
           o->bytes <= HUB_SNAPSHOT_BYTES_MAX &&
           o->bytes - (o->bytes < j->have ? o->bytes : j->have) <=
               hub_disk_spare(j->dir) / ROOM_FACTOR;
}

static bool better(const struct hub_join *j, const struct hub_join_offer *a,
                   const struct hub_join_offer *b)
{
    const bool goes_on = j->have && hub_hash_equal(&a->id, &j->id);
    const bool other = j->have && hub_hash_equal(&b->id, &j->id);
    if (a->strikes != b->strikes)
        return a->strikes < b->strikes;
    return goes_on != other ? goes_on : a->height > b->height;
}

static void fetch_from(struct hub_join *j, uint8_t peer, uint64_t now_ms)
{
    const struct hub_join_offer *o = &j->offer[peer];
    if (!j->have || !hub_hash_equal(&o->id, &j->id) || o->bytes < j->have)
        forget_file(j);
    if (!j->file && !(j->file = fopen(j->path, "w+be"))) {
        fall_back(j, "the file in the data directory cannot be made");
        return;
    }
    j->peer = peer;
    j->id = o->id;
    j->height = o->height;
    j->bytes = o->bytes;
    j->requested = j->fetch_have = j->have;
    j->fetch_ms = j->progress_ms = j->told_ms = now_ms;
    j->request_ms = 0;
    j->state = HUB_JOIN_FETCHING;
    HUB_LOG(INFO, "join_fetches", HUB_LOG_TEXT("peer", j->name(j->net, peer)),
            HUB_LOG_NUMBER("height", o->height), HUB_LOG_NUMBER("bytes", j->have),
            HUB_LOG_NUMBER("of", o->bytes));
}

static void choose(struct hub_join *j, uint64_t now_ms)
{
    int best = -1;
    for (int i = 0; i < HUB_PEERS_MAX; i++)
        if (usable(j, &j->offer[i]) && (best < 0 || better(j, &j->offer[i], &j->offer[best])))
            best = i;
    if (best >= 0 && now_ms - j->offered_ms >= OFFERS_MS)
        fetch_from(j, (uint8_t)best, now_ms);
    if (best >= 0)
        return;
    const uint64_t patience =
        j->making_ms && now_ms - j->making_ms < GIVE_UP_MS ? MAKING_MS : GIVE_UP_MS;
    if (now_ms - j->began_ms >= patience)
        fall_back(j, "no peer offers a snapshot that can be taken");
}

/* ---- fetching */

static void request_more(struct hub_join *j, uint64_t now_ms)
{
    while (j->requested < j->bytes && now_ms >= j->request_ms &&
           j->requested < j->have + (uint64_t)WINDOW * HUB_SNAPSHOT_PIECE_BYTES) {
        ask(j, j->peer, j->requested);
        j->requested += HUB_SNAPSHOT_PIECE_BYTES;
        j->request_ms = now_ms + REQUEST_MS;
    }
}

static void watch(struct hub_join *j, uint64_t now_ms)
{
    const uint64_t quiet = now_ms - j->progress_ms, since = now_ms - j->fetch_ms;
    if (quiet >= SILENT_MS)
        leave_peer(j, 1, "it stopped sending", now_ms);
    else if (since >= GRACE_MS && j->have - j->fetch_have < since * RATE)
        leave_peer(j, 1, "it sends less than 32 KB a second", now_ms);
    else if (quiet >= RETRY_MS && j->requested > j->have && now_ms >= j->request_ms) {
        j->requested = j->have; /* and again, no more often than this */
        request_more(j, now_ms);
        j->request_ms = now_ms + RETRY_MS;
    }
}

/* As soon as there may be enough of it. */
static void look_at_head(struct hub_join *j, uint64_t now_ms)
{
    char why[HUB_WHY_BYTES] = "";
    struct hub_hash id;
    uint64_t height = 0;
    if (j->head_ok || (j->have < j->look_at && j->have < j->bytes))
        return;
    const enum hub_status st = hub_snapshot_head(j->file, j->genesis, &id, &height, why);
    fseek(j->file, 0, SEEK_END);
    if (st == HUB_NOT_NOW && j->have < j->bytes) {
        j->look_at = 2 * j->have;
        return;
    }
    j->head_ok = st == HUB_OK && height == j->height && hub_hash_equal(&id, &j->id);
    if (!j->head_ok)
        leave_liar(j, st ? why : "the head is not that of what was offered", now_ms);
}

static void take_piece(struct hub_join *j, const struct hub_snapshot_message *s, uint64_t now_ms)
{
    if (s->offset != j->have || !s->piece.len || s->bytes != j->bytes)
        return; /* asked for twice, or one before it was lost: asked for again */
    if (fwrite(s->piece.data, 1, s->piece.len, j->file) != s->piece.len || fflush(j->file) != 0) {
        HUB_LOG(WARNING, "join_file", HUB_LOG_TEXT("path", j->path),
                HUB_LOG_TEXT("error", strerror(errno)));
        fall_back(j, "the file in the data directory cannot be written");
        return;
    }
    j->have += s->piece.len;
    j->progress_ms = now_ms;
    if (j->requested < j->have)
        j->requested = j->have;
    look_at_head(j, now_ms);
    if (j->state == HUB_JOIN_FETCHING && j->have == j->bytes)
        j->state = HUB_JOIN_WHOLE;
}

static void tell(struct hub_join *j, uint64_t now_ms)
{
    if (now_ms - j->told_ms < TELL_MS)
        return;
    j->told_ms = now_ms;
    HUB_LOG(INFO, "join_progress", HUB_LOG_TEXT("peer", j->name(j->net, j->peer)),
            HUB_LOG_NUMBER("height", j->height), HUB_LOG_NUMBER("bytes", j->have),
            HUB_LOG_NUMBER("of", j->bytes));
}

void hub_join_receive(struct hub_join *j, uint8_t peer, struct hub_span frame, uint64_t now_ms)
{
    static struct hub_message m; /* large */
    if (peer >= HUB_PEERS_MAX || !hub_message_decode(&m, frame) || m.kind != HUB_MSG_SNAPSHOT)
        return;
    const struct hub_snapshot_message *s = &m.u.snapshot;
    struct hub_join_offer *o = &j->offer[peer];
    if (j->state == HUB_JOIN_FETCHING && peer == j->peer) {
        if (hub_hash_equal(&s->id, &j->id))
            take_piece(j, s, now_ms);
        else
            leave_peer(j, 1, "it does not have this snapshot any more", now_ms);
        return;
    }
    if (j->state != HUB_JOIN_ASKING)
        return;
    o->id = s->id;
    o->height = s->height;
    o->bytes = s->bytes;
    if (!s->bytes && s->height)
        j->making_ms = now_ms;
    if (!j->offered_ms && usable(j, o))
        j->offered_ms = now_ms;
}

uint64_t hub_join_turn(struct hub_join *j, uint64_t now_ms)
{
    if (j->state == HUB_JOIN_ASKING) {
        if (!j->asked_ms || now_ms - j->asked_ms >= ASK_MS) {
            j->asked_ms = now_ms;
            ask(j, -1, HUB_UINT_MAX);
        }
        choose(j, now_ms);
    }
    if (j->state == HUB_JOIN_FETCHING) {
        request_more(j, now_ms);
        watch(j, now_ms);
        tell(j, now_ms);
    }
    if (j->state == HUB_JOIN_FETCHING && j->have == j->bytes) /* a resumed one may be whole */
        j->state = HUB_JOIN_WHOLE;
    return now_ms + (j->state == HUB_JOIN_FETCHING ? REQUEST_MS : ASK_MS / 4);
}

void hub_join_verdict(struct hub_join *j, bool good, const char *why, uint64_t now_ms)
{
    HUB_ASSERT(j->state == HUB_JOIN_WHOLE);
    if (!good) {
        leave_liar(j, why, now_ms);
        return;
    }
    forget_file(j);
    j->state = HUB_JOIN_JOINED;
}
