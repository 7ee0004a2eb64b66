/* snapshot_impl.h: what reading and writing a snapshot share; nobody else includes it. */
#ifndef HUB_NODE_SNAPSHOT_IMPL_H
#define HUB_NODE_SNAPSHOT_IMPL_H

#include "node/snapshot.h"

#include "hub/link.h"

enum {
    HUB_SNAPSHOT_VERSION = 1,
    HUB_SNAPSHOT_MAGIC_BYTES = 24,
    PART_BYTES = 1 << 20,
    PART_BYTES_MAX = PART_BYTES + HUB_ROW_BYTES_MAX + 8,
    PARTS_MAX = 8192 + HUB_TABLES, /* of 1 MiB, the last of a table less: HUB_SNAPSHOT_BYTES_MAX */
    LINKS_BYTES_MAX = HUB_BUNDLE_LINKS_MAX * HUB_LINK_BYTES_MAX + 16,
    MANIFEST_BYTES_MAX = 4 << 20 /* links, 48 bytes a part, 64 headers and a certificate */
};
extern const uint8_t hub_snapshot_magic[HUB_SNAPSHOT_MAGIC_BYTES];

struct hub_snapshot_part {
    uint64_t table, first, count;
    struct hub_hash sha256;
};

struct hub_snapshot_manifest {
    struct hub_edge edge;
    struct hub_hash chain;
    struct hub_span links;          /* encoded array */
    struct hub_snapshot_part *part; /* [parts], owned */
    uint32_t parts;
    uint32_t row_count[HUB_TABLES];
    struct hub_hash table_root[HUB_TABLES];
    struct hub_headers headers; /* first the certified one, last the snapshot's */
    struct hub_certificate certificate;
};

struct hub_snapshot_work { /* of one file, either way */
    FILE *file;
    struct hub_chain *chain;
    const struct hub_genesis *genesis;
    char *why;
    struct hub_snapshot_manifest m;
    struct hub_validators set, next; /* that certified the first header; sealed: the set after it */
    uint8_t *manifest, *part, *block; /* owned buffers */
    struct hub_header header, top_header,
        certified; /* the snapshot's; of the highest block in the file */
    struct hub_hash hash, top_hash, certified_hash;
    uint32_t top; /* place of top_header: headers before it are of TAILs, which certify a SEAL */
    bool sealed;  /* top_header seals its epoch; the last link says what is next */
};

__attribute__((format(printf, 3, 4))) enum hub_status hub_snapshot_say(
    const struct hub_snapshot_work *w, enum hub_status status, const char *format, ...);
bool hub_snapshot_begin(struct hub_snapshot_work *w);
/* Frees the buffers; returns the status. */
enum hub_status hub_snapshot_end(struct hub_snapshot_work *w, enum hub_status status);
/* But rows and bytes, which are counted on the way. */
void hub_snapshot_facts_of(struct hub_snapshot_facts *facts, const struct hub_snapshot_work *w);

#endif
