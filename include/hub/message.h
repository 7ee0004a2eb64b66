/* message.h: the wire messages between nodes (formats.cddl section 12): one ZeroMQ frame, one message. */
#ifndef HUB_MESSAGE_H
#define HUB_MESSAGE_H

#include "hub/simplex.h"

enum hub_message_kind {
    HUB_MSG_PROPOSE = 1,
    HUB_MSG_VOTE = 2,
    HUB_MSG_CERT = 3,
    HUB_MSG_STATUS = 4,
    HUB_MSG_GET_CERTS = 5,
    HUB_MSG_GET_BLOCK = 6,
    HUB_MSG_GET_BLOCKS = 7,
    HUB_MSG_BLOCK = 8,
    HUB_MSG_GET_EPOCHS = 9,
    HUB_MSG_EPOCH_PROOF = 10,
    HUB_MSG_RECORDS = 11,
    HUB_MSG_GET_RECORDS = 12,
    HUB_MSG_GET_VOTES = 13,
    HUB_MSG_EVIDENCE = 14,
    HUB_MSG_VOTES = 15,
    HUB_MSG_GET_SNAPSHOT = 16,
    HUB_MSG_SNAPSHOT = 17
};
enum {
    HUB_STATUS_WORK_PENDING = 1,
    HUB_STATUS_SYNCING = 2,
    HUB_GET_HASHES_MAX = 64,
    HUB_LINKS_MAX = 64,
    HUB_RECORDS_MESSAGE_MAX = 256
};

struct hub_status_message {
    struct hub_hash chain;
    uint64_t epoch, view, period_ms;
    struct hub_point fin, top;
    uint8_t flags, q, n;
    struct hub_span version;
};

/* What a node has of the file of a snapshot (formats.cddl section 11). bytes 0: none; with a height: one of that
 * height is being made. A piece that is empty, or of another file than was asked for, tells only what there is. */
struct hub_snapshot_message {
    struct hub_hash id; /* SHA-256 of the file's manifest, which names the hash of all the rest */
    uint64_t height, bytes, offset; /* of the state; of the file; of the piece in it */
    struct hub_span piece;          /* at most HUB_SNAPSHOT_PIECE_BYTES, inside the file */
};

struct hub_message { /* a view into the frame; borrowed */
    enum hub_message_kind kind;
    union {
        struct {
            struct hub_span header_bytes; /* inside of the bstr */
            struct hub_span
                entries; /* the encoded array; joined again by hub_message_proposed_block */
            struct hub_header header;
            struct hub_signature signature; /* the leader's NOTARIZE */
            uint32_t just_count;
            struct hub_span just[HUB_JUST_MAX]; /* encoded certificates */
        } propose;
        struct hub_vote vote;
        struct hub_span certificate; /* encoded; hub_certificate_decode */
        struct hub_status_message status;
        struct {
            uint64_t epoch, from, to;
            uint8_t kinds; /* bit kind-1 */
        } get_certs;
        struct {
            uint32_t count;
            struct hub_hash hash[HUB_GET_HASHES_MAX];
        } get_block;
        struct {
            uint64_t from, to;
        } get_blocks;
        struct {
            struct hub_span block, certificate; /* certificate empty = null */
        } block;
        uint64_t from_epoch;   /* GET_EPOCHS */
        struct hub_span links; /* EPOCH_PROOF: the encoded array */
        struct {
            uint32_t count;
            struct {
                struct hub_span record, attachment;
            } entry[HUB_RECORDS_MESSAGE_MAX];
        } records;
        uint64_t max_bytes; /* GET_RECORDS */
        struct {
            uint64_t epoch;
            uint8_t signer;
        } get_votes;
        struct hub_span evidence; /* inside of the bstr */
        struct {
            uint64_t epoch;
            uint8_t signer;
            uint32_t count;
            struct hub_vote
                vote[3]; /* of this epoch and signer, at most one of each kind, by rising kind */
        } votes;
        struct {
            struct hub_hash id; /* zeros: whichever is the newest */
            uint64_t offset;
        } get_snapshot;
        struct hub_snapshot_message snapshot;
    } u;
};
/* Strict: exactly one deterministic item of the shape of its kind, every field in range, nothing behind. Signatures,
 * blocks, certificates, links and evidence inside are not judged. False: *out is not to be used. */
HUB_MUST_USE bool hub_message_decode(struct hub_message *out, struct hub_span frame);
/* The encoded block of a PROPOSE, [header, entries], for hub_block_decode; at most header_bytes.len + entries.len + 8
 * bytes. */
void hub_message_proposed_block(struct hub_buf *out, const struct hub_message *m);

/* block: the encoded block; just: encoded certificates. */
void hub_message_propose(struct hub_buf *out, struct hub_span block,
                         const struct hub_signature *sig, const struct hub_span *just, uint32_t n);
void hub_message_vote(struct hub_buf *out, const struct hub_vote *v);
void hub_message_certificate(struct hub_buf *out, struct hub_span certificate);
void hub_message_status(struct hub_buf *out, const struct hub_status_message *s);
void hub_message_get_certs(struct hub_buf *out, uint64_t epoch, uint64_t from, uint64_t to,
                           uint8_t kinds);
void hub_message_get_block(struct hub_buf *out, const struct hub_hash *hash, uint32_t n);
void hub_message_get_blocks(struct hub_buf *out, uint64_t from, uint64_t to);
void hub_message_block(struct hub_buf *out, struct hub_span block, struct hub_span certificate);
void hub_message_get_epochs(struct hub_buf *out, uint64_t from_epoch);
/* link[n]: encoded links. */
void hub_message_epoch_proof(struct hub_buf *out, const struct hub_span *link, uint32_t n);
void hub_message_records(struct hub_buf *out, const struct hub_span *record,
                         const struct hub_span *attachment, uint32_t n);
void hub_message_get_records(struct hub_buf *out, uint64_t max_bytes);
void hub_message_get_votes(struct hub_buf *out, uint64_t epoch, uint8_t signer);
void hub_message_evidence(struct hub_buf *out, struct hub_span evidence);
/* The whole answer to GET_VOTES in one frame, so that none of it can be lost alone. vote[n]: as in struct
 * hub_message; n = 0: none is held. */
void hub_message_votes(struct hub_buf *out, uint64_t epoch, uint8_t signer,
                       const struct hub_vote *vote, uint32_t n);
void hub_message_get_snapshot(struct hub_buf *out, const struct hub_hash *id, uint64_t offset);
void hub_message_snapshot(struct hub_buf *out, const struct hub_snapshot_message *s);

#endif
