/* liar.c: a validator that lies on the wire: with the configuration and key of a stopped node it connects to the others.
 *   liar NODE.CONF VIEW                 signs NOTARIZE for two blocks of one view, again and again (evidence.sh)
 *   liar NODE.CONF garbage HEIGHT       offers rubbish as a snapshot of that height (snapshot.sh)
 *   liar NODE.CONF stops HEIGHT FILE    offers the snapshot in FILE as if it were longer, and sends no more than it has */
#include "hub/genesis.h"
#include "hub/hash.h"
#include "hub/keyfile.h"
#include "hub/message.h"
#include "node/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 100, WAIT_MS = 200 };

static struct hub_genesis genesis;
static struct hub_keyfile key;
static struct hub_config cfg;
static uint8_t genesis_bytes[HUB_GENESIS_BYTES_MAX];
static uint8_t me;

static int complain(const char *what)
{
    fprintf(stderr, "liar: %s\n", what);
    return 1;
}

static bool load(const char *conf)
{
    char error[512];
    const char *why = "";
    if (!hub_config_read(&cfg, error, conf))
        return false;
    FILE *f = fopen(cfg.genesis, "rb");
    if (!f)
        return false;
    const size_t len = fread(genesis_bytes, 1, sizeof genesis_bytes, f);
    fclose(f);
    if (hub_genesis_decode(&genesis, &why, (struct hub_span){genesis_bytes, len}) != HUB_OK ||
        hub_keyfile_open(&key, cfg.key, cfg.passphrase_file[0] ? cfg.passphrase_file : NULL,
                         &why) != HUB_OK)
        return false;
    for (me = 0; me < genesis.set.n; me++)
        if (hub_hash_equal(&genesis.set.v[me].kid, &key.kid))
            return true;
    return false;
}

static struct hub_transport *connect_to_all(void)
{
    static struct hub_transport_config t;
    struct hub_transport *transport = NULL;
    const char *why = "";
    memcpy(t.listen, cfg.listen, sizeof t.listen);
    memcpy(t.public_key, key.transport, sizeof t.public_key);
    memcpy(t.secret_key, key.secrets->transport, sizeof t.secret_key);
    for (unsigned i = 0; i < genesis.set.n; i++)
        for (unsigned p = 0; i != me && p < cfg.peers; p++)
            if (!strcmp(cfg.peer[p].name, genesis.set.v[i].member)) {
                memcpy(t.peer[i].key, genesis.set.v[i].transport, sizeof t.peer[i].key);
                memcpy(t.peer[i].address, cfg.peer[p].address, sizeof t.peer[i].address);
            }
    return hub_transport_open(&transport, &why, &t) == HUB_OK ? transport : NULL;
}

static void vote_for(struct hub_transport *t, uint64_t view, uint8_t block)
{
    uint8_t bytes[1024], signed_bytes[600];
    struct hub_buf frame = {bytes, 0, sizeof bytes, false};
    struct hub_buf message = {signed_bytes, 0, sizeof signed_bytes, false};
    struct hub_vote v = {.subject = {.kind = HUB_NOTARIZE, .view = view}, .signer = me};
    memset(v.subject.block_hash.b, block, sizeof v.subject.block_hash.b);
    hub_vote_message(&message, &genesis.set, &v.subject, me);
    hub_sign(&v.sig, key.secrets->sign, hub_span_of(&message));
    hub_message_vote(&frame, &v);
    hub_transport_send(t, -1, hub_span_of(&frame));
}

static void ignore(void *ctx, uint8_t peer, struct hub_span frame)
{
    (void)ctx, (void)peer, (void)frame;
}

/* ---- snapshots */

static struct { /* what is offered; garbage: nothing but 0xff */
    uint8_t bytes[HUB_SNAPSHOT_PIECE_BYTES];
    size_t len;
    struct hub_snapshot_message offer;
} lie;
static struct { /* the last question of each peer, answered after the wait that brought it */
    bool waits;
    uint64_t offset;
} asked[HUB_PEERS_MAX];

static void note_question(void *ctx, uint8_t peer, struct hub_span frame)
{
    static struct hub_message m;
    (void)ctx;
    if (!hub_message_decode(&m, frame) || m.kind != HUB_MSG_GET_SNAPSHOT)
        return;
    asked[peer].waits = true;
    asked[peer].offset = m.u.get_snapshot.offset;
}

static void answer(struct hub_transport *t, uint8_t peer)
{
    static uint8_t bytes[HUB_SNAPSHOT_PIECE_BYTES + 128];
    struct hub_buf frame = {bytes, 0, sizeof bytes, false};
    struct hub_snapshot_message s = lie.offer;
    const bool inside = asked[peer].offset < lie.len;
    asked[peer].waits = false;
    if (asked[peer].offset < s.bytes && !inside)
        return; /* this is where it stops */
    if (inside) {
        s.offset = asked[peer].offset;
        s.piece = (struct hub_span){lie.bytes + s.offset, lie.len - s.offset};
    }
    hub_message_snapshot(&frame, &s);
    hub_transport_send(t, peer, hub_span_of(&frame));
}

/* The manifest is the byte string behind the magic (formats.cddl section 11); its hash is the id. */
static bool read_lie(const char *file)
{
    FILE *f = fopen(file, "rb");
    if (!f)
        return false;
    lie.len = fread(lie.bytes, 1, sizeof lie.bytes, f);
    fclose(f);
    if (lie.len < 27 || lie.bytes[24] != 0x59) /* a head of three bytes: 256 to 65,535 */
        return false;
    const size_t len = (size_t)lie.bytes[25] << 8 | lie.bytes[26];
    if (lie.len < 27 + len)
        return false;
    hub_hash_span(&lie.offer.id, (struct hub_span){lie.bytes + 27, len});
    return true;
}

static int offer_snapshots(struct hub_transport *t, const char *height, const char *file)
{
    unsigned ready;
    memset(lie.bytes, 0xff, sizeof lie.bytes);
    memset(lie.offer.id.b, 0xee, sizeof lie.offer.id.b);
    lie.len = sizeof lie.bytes;
    if (file && !read_lie(file))
        return complain("FILE is no snapshot of at most 128 KiB");
    lie.offer.height = strtoull(height, NULL, 10);
    lie.offer.bytes = lie.len + (1 << 20);
    for (int i = 0; i < 10 * ROUNDS; i++) {
        if (hub_transport_wait(t, WAIT_MS / 4, NULL, 0, &ready, note_question, NULL) != HUB_OK)
            return complain("the network failed");
        for (unsigned peer = 0; peer < HUB_PEERS_MAX; peer++)
            if (asked[peer].waits)
                answer(t, (uint8_t)peer);
    }
    return 0;
}

/* ---- votes */

static int vote_twice(struct hub_transport *t, uint64_t view)
{
    unsigned ready;
    for (int i = 0; i < ROUNDS; i++) {
        vote_for(t, view, 0xaa);
        vote_for(t, view, 0xbb);
        if (hub_transport_wait(t, WAIT_MS, NULL, 0, &ready, ignore, NULL) != HUB_OK)
            return complain("the network failed");
    }
    return 0;
}

int main(int argc, char **argv)
{
    const bool garbage = argc == 4 && !strcmp(argv[2], "garbage");
    const bool stops = argc == 5 && !strcmp(argv[2], "stops");
    if ((argc != 3 && !garbage && !stops) || hub_crypto_self_test() != HUB_OK || !load(argv[1]))
        return complain("usage: liar NODE.CONF VIEW | garbage HEIGHT | stops HEIGHT FILE, with the "
                        "configuration of a stopped validator");
    struct hub_transport *t = connect_to_all();
    if (!t)
        return complain("no network: is the node stopped?");
    const int code = garbage || stops ? offer_snapshots(t, argv[3], stops ? argv[4] : NULL)
                                      : vote_twice(t, strtoull(argv[2], NULL, 10));
    hub_transport_close(t);
    hub_keyfile_close(&key);
    return code;
}
