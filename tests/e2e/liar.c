/* liar.c: a validator that lies on the wire, for tests/e2e/evidence.sh: with the configuration and key of a stopped node
 * it connects to the others and signs NOTARIZE for two blocks of one view, again and again until it is ended.
 * usage: liar NODE.CONF VIEW */
#include "hub/genesis.h"
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

int main(int argc, char **argv)
{
    unsigned ready;
    if (argc != 3 || hub_crypto_self_test() != HUB_OK || !load(argv[1]))
        return complain(
            "usage: liar NODE.CONF VIEW, with the configuration of a stopped validator");
    struct hub_transport *t = connect_to_all();
    if (!t)
        return complain("no network: is the node stopped?");
    for (int i = 0; i < ROUNDS; i++) {
        vote_for(t, strtoull(argv[2], NULL, 10), 0xaa);
        vote_for(t, strtoull(argv[2], NULL, 10), 0xbb);
        if (hub_transport_wait(t, WAIT_MS, NULL, 0, &ready, ignore, NULL) != HUB_OK)
            return complain("the network failed");
    }
    hub_transport_close(t);
    hub_keyfile_close(&key);
    return 0;
}
