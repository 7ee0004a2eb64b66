/* net.h: a whole small ledger from its genesis file, without a node: keys from fixed seeds, records signed
 * by the library, blocks built by a chain, certificates of all validators. What the tests of apply, chain and
 * the verifier stand on. Owned by the test's process, which ends with it. */
#ifndef TEST_NET_H
#define TEST_NET_H

#include "hub/chain.h"
#include "hub/wallet.h"

enum net_member { /* rows of the members table */
                  NET_XIANGCHENG,
                  NET_CHANGNING,
                  NET_AUTHORITY, /* institution 1 */
                  NET_BANK,      /* institution 2 */
                  NET_MEMBERS
};

enum net_key { /* rows of the keys table, in this order; NET_SPARE and above are not registered */
               NET_XC_GOVERNOR,
               NET_XC_GOVERNOR_2,
               NET_XC_GOVERNOR_3,
               NET_XC_SEAL,
               NET_XC_RECOVERY,
               NET_CN_GOVERNOR,
               NET_CN_GOVERNOR_2,
               NET_CN_SEAL,
               NET_CA_GOVERNOR,
               NET_CA_GOVERNOR_2,
               NET_CA_ISSUER,
               NET_CA_ISSUER_2,
               NET_BK_GOVERNOR,
               NET_BK_GOVERNOR_2,
               NET_BK_OPERATOR,
               NET_BK_LATE, /* operator, valid from an hour after genesis for an hour */
               NET_VALIDATOR,
               NET_SPARE = NET_VALIDATOR + 4,
               NET_KEYS = NET_SPARE + 20
};

#define NET_GENESIS_MS UINT64_C(1795341600000) /* 2026-11-22 10:00 UTC */
enum { NET_HOUR_MS = 3600000, NET_ARENA_BYTES = 8 << 20 };

struct net_key_pair {
    struct hub_public_key key;
    struct hub_hash kid;
    uint8_t secret[HUB_SECRET_BYTES];
};

struct net {
    struct net_key_pair key[NET_KEYS];
    uint64_t seq[NET_KEYS]; /* last number each key used here */
    struct hub_span genesis_bytes;
    struct hub_genesis genesis;
    struct hub_chain *chain;
    uint8_t *arena; /* bytes of records and blocks: never freed */
    size_t used;
    uint64_t references; /* last reference given out */
};

/* hub_crypto_self_test, genesis file, chain at genesis. parameters: pairs of name and value, ending with a NULL
 * name, in the order of their encoding; NULL = none. */
struct net *net_open(const char *const *names, const uint64_t *values);
/* Another chain from the same genesis file. */
struct hub_chain *net_chain(const struct net *net);

/* What a test may change before a record is signed; zero = the usual. */
struct net_wish {
    uint64_t seq, valid_until_ms; /* 0: the signer's next, five hours after genesis */
    const char *iss;              /* NULL: the owner of the signer's key */
    const struct hub_hash *chain; /* NULL: the ledger's */
    enum net_key cosign[4];
    uint32_t cosigns;
    struct hub_span attachment;
};
/* Signs: the bytes of the record, in the arena. wish may be NULL. */
struct hub_span net_sign(struct net *net, enum hub_record_type_id type, enum net_key signer,
                         struct hub_span body, const struct net_wish *wish);
/* Signs, decodes and verifies; ends the process if the library refuses. wish may be NULL. */
struct hub_record net_record(struct net *net, enum hub_record_type_id type, enum net_key signer,
                             struct hub_span body, const struct net_wish *wish);

/* Bodies, in the arena. */
struct hub_span net_body_key_add(struct net *net, enum net_member member, enum net_key key,
                                 const char *role);
struct hub_span net_body_key_revoke(struct net *net, enum net_key key);
struct hub_span net_body_wallet_open(
    struct net *net); /* corporate, no limits; a new owner and reference each time */
struct hub_span net_body_issue(struct net *net, uint64_t amount_fen);
struct hub_span net_body_transfer(struct net *net, uint64_t debit, uint64_t credit,
                                  uint64_t amount_fen);
/* entries[count] of 40 bytes; *attachment gets them. */
struct hub_span net_body_batch(struct net *net, uint64_t debit, const uint64_t *credit,
                               uint32_t count, uint64_t amount_fen, struct hub_span *attachment);

/* Builds a block on `parent` (NULL: the final one) with these records, view the parent's + 1, a second later. */
struct hub_block *net_build(struct net *net, struct hub_chain *chain, const struct hub_hash *parent,
                            const struct hub_record *records, uint32_t count);
/* The same with a view and time of one's own. */
struct hub_block *net_build_at(struct net *net, struct hub_chain *chain,
                               const struct hub_hash *parent, const struct hub_record *records,
                               uint32_t count, uint64_t view, uint64_t time_ms);
/* FINALIZE of this block by these validators (bit i = validator i; 0 = all four). */
struct hub_certificate net_certificate(const struct net *net, const struct hub_block *block,
                                       uint64_t signers);
/* Decodes a block's bytes and verifies its records with the keys of the chain's state at its parent. */
struct hub_block *net_receive(struct net *net, struct hub_chain *chain, struct hub_span bytes);

uint8_t *net_take(struct net *net, size_t len);

#endif
