/* audit.h: checks a whole history from the genesis file alone: every block through hub_chain_append and
 * hub_chain_finalize, the same calls as a node, with signatures checked on all cores beforehand.
 *  1. Nothing the source says is believed: not its genesis, its heights, its checkpoints.
 *  2. Up to the first damage everything is executed. Behind it, what does not need the state is still
 *     checked: form, the chain of hashes, signatures of keys known by then, certificates; so that all damaged
 *     heights are told in one run.
 *  3. Expected is what execution gives or a quorum certified; got is what the source holds. */
#ifndef HUB_AUDIT_H
#define HUB_AUDIT_H

#include "hub/wallet.h"
#include "tools/frames.h"

enum hub_finding_kind {
    HUB_FINDING_UNREADABLE,     /* no bytes for this height */
    HUB_FINDING_FORM,           /* the bytes are no block */
    HUB_FINDING_RECORD,         /* a record that can be in no block here */
    HUB_FINDING_ENTRY,          /* one entry of a batch */
    HUB_FINDING_CLAIM,          /* a header field */
    HUB_FINDING_CERTIFICATE,    /* not a quorum's over this block */
    HUB_FINDING_NO_CERTIFICATE, /* more blocks in a row without one than a node ever has */
    HUB_FINDING_CHECKPOINT,     /* a node's stored state differs from what the blocks give */
    HUB_FINDING_CURRENCY,       /* the sums of all wallets do not balance */
    HUB_FINDING_OVERRIDE, /* a recovery epoch that was not accepted: nothing behind it is executed */
    HUB_FINDING_END       /* of the source: cut, counts, hash */
};

enum { HUB_FINDING_TEXT = 80 };

struct hub_finding {
    enum hub_finding_kind kind;
    uint64_t height, offset; /* offset: of the frame in a file */
    uint32_t record, entry;  /* positions; UINT32_MAX: none */
    struct hub_hash id;      /* of the record, all zero if it cannot be told */
    uint16_t code;           /* result code of a record, else 0 */
    char field[32];
    char expected[HUB_FINDING_TEXT], got[HUB_FINDING_TEXT]; /* empty: nothing to compare */
    char note[HUB_FRAMES_WHY_BYTES];                        /* what the source says */
};

enum hub_audit_verdict { /* and the exit codes of hubledger-verify */
                         HUB_AUDIT_VERIFIED = 0,
                         HUB_AUDIT_DAMAGED = 1,
                         HUB_AUDIT_UNREADABLE = 3, /* cannot be read, or cut inside a frame */
                         HUB_AUDIT_INCOMPLETE =
                             4, /* holds nothing final, does not begin at genesis, or ends too early */
                         HUB_AUDIT_OTHER_GENESIS = 5,
                         HUB_AUDIT_OVERRIDE =
                             7 /* holds up to a recovery epoch that was not accepted */
};

struct hub_audit_range {
    uint64_t from, to; /* heights, both included */
};

struct hub_audit {
    /* What to check: set before hub_audit_run; all borrowed. */
    struct hub_frames *frames;
    const struct hub_genesis *genesis;
    struct hub_chain
        *chain;    /* as hub_chain_init left it; afterwards it stands at the last final block */
    unsigned jobs; /* threads for signatures, 1 to 64 */
    size_t findings_max; /* more are counted, not kept */
    void (*progress)(void *ctx,
                     const struct hub_audit *a); /* about ten times a second; may be NULL */
    void *ctx;

    /* What was found. */
    enum hub_audit_verdict verdict;
    uint64_t height_read;              /* of the last frame */
    uint64_t blocks, empty_blocks;     /* verified and final, genesis not counted */
    uint64_t records, applied, failed; /* in them */
    uint64_t entries;                  /* batch entries in them */
    uint64_t signatures;               /* of records, checked */
    uint64_t bytes_read;               /* of blocks */
    uint64_t not_final;                /* verified blocks above the last certificate */
    uint64_t skipped;                  /* blocks behind the first damage, not executed */
    uint64_t recoveries;               /* epochs that began by a recovery, each accepted */
    bool checkpoint_compared;
    bool has_currency;
    struct hub_supply supply; /* counted over all wallets at the last final block */
    struct hub_finding
        *finding; /* [findings], in order of height; owned, free with hub_audit_free */
    size_t findings, found;
    struct hub_audit_range *range; /* [ranges] damaged heights; owned as well */
    size_t ranges;
};

/* Reads the source to its end. HUB_LIMIT: no memory or threads; else HUB_OK and a->verdict. */
HUB_MUST_USE enum hub_status hub_audit_run(struct hub_audit *a);
void hub_audit_free(struct hub_audit *a);

/* The report: text for people (zh or en), or one JSON object. source and seconds are printed as given. */
void hub_audit_print(FILE *out, const struct hub_audit *a, const char *source, double seconds,
                     bool zh);
HUB_MUST_USE bool hub_audit_json(FILE *out, const struct hub_audit *a, const char *source,
                                 double seconds);

#endif
