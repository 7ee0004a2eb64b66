/* link.h: the bridge from one epoch to the next (formats.cddl section 9, `link`): who holds the validators of
 * one epoch and a link holds those of the next, whatever brought the link. */
#ifndef HUB_LINK_H
#define HUB_LINK_H

#include "hub/block.h"
#include "hub/recovery.h"
#include "hub/vote.h"

enum hub_verdict {
    HUB_VERDICT_OK,
    HUB_VERDICT_PENDING,      /* fewer good signatures than the quorum */
    HUB_VERDICT_TAMPERED,     /* a hash or a signature of a known validator fails */
    HUB_VERDICT_OTHER_LEDGER, /* another genesis */
    HUB_VERDICT_MALFORMED,
    HUB_VERDICT_OVERRIDE /* holds, but by a recovery that was not accepted here */
};

struct hub_headers { /* first the certified one, each next its parent; borrowed */
    struct hub_span bytes[HUB_BUNDLE_HEADERS_MAX];
    uint32_t n;
};
void hub_headers_read(struct hub_headers *out, struct hub_cbor *c);
void hub_headers_put(struct hub_buf *out, const struct hub_headers *h);
/* Form, chain and parents of all; *first and *last may be the same header. *what names what fails. */
HUB_MUST_USE enum hub_verdict hub_headers_check(const struct hub_headers *h,
                                                const struct hub_hash *chain,
                                                struct hub_header *first,
                                                struct hub_hash *first_hash,
                                                struct hub_header *last, struct hub_hash *last_hash,
                                                const char **what);
/* The certificate finalizes exactly this header, which names the set as its own. */
bool hub_certificate_covers(const struct hub_certificate *c, const struct hub_header *h,
                            const struct hub_hash *hash, const struct hub_validators *set);

struct hub_link {
    struct hub_span next;       /* bytes of the next epoch */
    struct hub_headers headers; /* the last one begins the next epoch */
    struct hub_certificate certificate;
    struct hub_span recovery; /* the record, in place of a certificate; else empty */
};
void hub_link_read(struct hub_link *out, struct hub_cbor *c); /* sets c->bad */
HUB_MUST_USE bool hub_link_decode(struct hub_link *out, struct hub_span bytes);
/* n: validators of the epoch that ends; the certificate is written unless recovery is there. At most
 * HUB_LINK_BYTES_MAX bytes. */
void hub_link_encode(struct hub_buf *out, const struct hub_link *l, uint8_t n);

struct hub_link_facts { /* of a link that holds */
    struct hub_header seal;
    struct hub_hash seal_hash;
    struct hub_validators next;
    bool recovered;
    struct hub_record recovery; /* then: the record; borrowed from the link */
    uint64_t signers;           /* then: bit i = validator i of the epoch that ends signed it */
    bool
        new_keys; /* then: next has some that the epoch that ends has not: no one vouches for their members */
};
/* Headers from the certified one down to the SEAL block, certificate by `set`, the set of the epoch that ends;
 * the next epoch by the hash that SEAL names, its number one more. A recovery: signed by the validators' bench, and
 * accepted; else HUB_VERDICT_OVERRIDE, with all facts. *what names what fails, static storage. */
HUB_MUST_USE enum hub_verdict hub_link_check(struct hub_link_facts *out, const char **what,
                                             const struct hub_link *l,
                                             const struct hub_validators *set,
                                             const struct hub_accepted *accepted);
/* Walks an encoded array of links from *set on: *set is then the newest epoch they lead to. *known (may be NULL):
 * false if the last one is a recovery with new_keys. Then only a certificate over a header of that epoch, which names the
 * hash of the set, shows whose they are. */
HUB_MUST_USE enum hub_verdict hub_links_walk(struct hub_validators *set, const char **what,
                                             struct hub_span links,
                                             const struct hub_accepted *accepted, bool *known);

#endif
