/* founding.h: how a network comes to be. Every member hands in a *card*: who it is, its keys, and a signature by
 * each of them. `network init` puts the cards into a *draft*: the genesis file to be, and the signatures it has
 * so far. A governor of every voting member signs it; sealed, the same file is the *invite* that a node joins
 * with. Formats: docs/formats.cddl section 11. Everything here works on bytes in memory. */
#ifndef HUB_FOUNDING_H
#define HUB_FOUNDING_H

#include "hub/genesis.h"
#include "hub/keyfile.h"

enum {
    HUB_CARD_KEYS_MAX = 12,
    HUB_CARD_BYTES_MAX = 8192, /* 12 keys with roles, labels and signatures take about 4,500 */
    HUB_CARDS_MAX = 64,        /* members a genesis file of 65,535 bytes has room for, and more */
    HUB_ENDPOINT_MAX = 255,
    HUB_FOUNDING_BYTES_MAX =
        HUB_GENESIS_BYTES_MAX + HUB_CARDS_MAX * (4 * 112 + 24 + HUB_ENDPOINT_MAX) + 64
};

struct hub_card_key {
    const struct hub_keyfile *file; /* opened: it signs the card */
    const char *label, *role[4];
    unsigned roles;
};
struct hub_card_text { /* the member as its people wrote it; NULL or 0: not given */
    const char *code, *kind, *zh, *en, *contact, *endpoint;
    uint64_t institution, quota, governors_needed, seal_needs;
    bool seal_needs_given;
};
/* Writes a card, signed by all its keys (1..HUB_CARD_KEYS_MAX). False if out (HUB_CARD_BYTES_MAX) is too small. */
HUB_MUST_USE bool hub_card_write(struct hub_buf *out, const struct hub_card_text *text,
                                 const struct hub_card_key *key, unsigned keys);

struct hub_card {                           /* borrowed from the bytes read */
    struct hub_span member, code, endpoint; /* the encoded map; endpoint empty: none */
    struct hub_span grant[HUB_CARD_KEYS_MAX];
    unsigned grants;
};
/* Form, and a good signature of every key over the card. *why: a sentence, static storage. What a member and
 * a key may be is the genesis file's own check. */
HUB_MUST_USE bool hub_card_read(struct hub_card *out, const char **why, struct hub_span bytes);

struct hub_founding_plan {
    const char *name;
    enum hub_fault_model fault_model; /* bft stands for single where there is one validator */
    uint8_t quorum;                   /* 0: the default of number and fault model */
    uint64_t time_ms;
    struct hub_span parameters; /* an encoded map */
    const struct hub_card *card;
    unsigned cards;
};
/* The genesis file's bytes; validators are the validator keys in order of the cards. *why as above. */
HUB_MUST_USE bool hub_founding_genesis(struct hub_buf *out, const char **why,
                                       const struct hub_founding_plan *plan);

struct hub_founding { /* a draft or an invite, decoded; borrowed */
    struct hub_genesis genesis;
    struct hub_span endpoints,
        signatures; /* an encoded map code => "host:port"; an encoded array */
};
/* Form, the genesis file's rules, and every signature that is there; not that all are. */
HUB_MUST_USE bool hub_founding_read(struct hub_founding *out, const char **why,
                                    struct hub_span bytes);
/* signatures: encoded array; endpoints: encoded map. False if out is too small. */
HUB_MUST_USE bool hub_founding_write(struct hub_buf *out, struct hub_span genesis,
                                     struct hub_span endpoints, struct hub_span signatures);
/* The order of names in an encoded map: RFC 8949 4.2.1, for texts. */
bool hub_name_before(struct hub_span a, struct hub_span b);
/* Encoded map of the cards' endpoints. */
void hub_founding_endpoints(struct hub_buf *out, const struct hub_card *card, unsigned cards);
/* Two arrays of signatures as one, ascending, each kid once. False if out is too small. */
HUB_MUST_USE bool hub_signatures_merge(struct hub_buf *out, struct hub_span a, struct hub_span b);
/* One signature as an array of one, by a key that is opened. */
void hub_genesis_sign(struct hub_buf *out, struct hub_span genesis, const struct hub_keyfile *key);

#endif
