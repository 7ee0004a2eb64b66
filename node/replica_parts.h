/* replica_parts.h: what the files of the replica call of each other; nobody else includes it. */
#ifndef HUB_NODE_REPLICA_PARTS_H
#define HUB_NODE_REPLICA_PARTS_H

#include "node/replica.h"

/* ---- replica.c */
/* True for HUB_OK; anything else is remembered as the replica's failure. */
bool hub_replica_ok(struct hub_replica *r, enum hub_status st);
/* True for HUB_OK, false for HUB_NOT_FOUND, else as hub_replica_ok. */
bool hub_replica_found(struct hub_replica *r, enum hub_status st);
void hub_replica_push(struct hub_replica *r, const struct hub_event *ev);
/* Steps the core until no event waits, executes blocks, again, at most HUB_TURN_STEPS_MAX times. */
void hub_replica_drain(struct hub_replica *r);
/* Something durable was put; must: it may not be sent before the commit. */
void hub_replica_put(struct hub_replica *r, bool must);
void hub_replica_keep_vote(struct hub_replica *r, const struct hub_vote *v);
/* The votes in a verified certificate answer GET_VOTES, also after a restart. */
void hub_replica_note_signers(struct hub_replica *r, const struct hub_certificate *c);
/* A verified certificate: into the store, and to the core if it wants it. */
void hub_replica_keep_certificate(struct hub_replica *r, const struct hub_certificate *c);
uint8_t hub_replica_n(const struct hub_replica *r);
/* True while the core keeps this view. */
bool hub_replica_view_held(const struct hub_replica *r, uint64_t view);
void hub_replica_set_voting(struct hub_replica *r, enum hub_voting voting);
/* The final block as the core knows it: the SEAL that began the epoch is its view 0. */
struct hub_point hub_replica_fin(const struct hub_replica *r);

/* ---- receive.c */
/* A peer pays for a comparison of a certificate with stored ones. False: it cannot, and there is none. */
bool hub_receive_may_look(struct hub_replica *r, uint8_t peer);

/* ---- start.c */
/* After the commit that ended an epoch: the core of the next one takes over. */
void hub_replica_next_epoch(struct hub_replica *r);

/* ---- mend.c */
/* A final block that should be in the store is not, or not as it was put. */
void hub_mend_height(struct hub_replica *r, uint64_t height);
/* A block from the wire: true if it was one of those, and is in its place again. */
bool hub_mend_receive(struct hub_replica *r, struct hub_span block);
/* The FINALIZATION of the newest final block, and the store has lost it. */
bool hub_mend_wants_certificate(const struct hub_replica *r, const struct hub_subject *s);
/* A verified one came, and is about to be stored. */
void hub_mend_certificate_came(struct hub_replica *r);
/* A link from the wire to the epoch of mend.link, which is put in its place. False: it does not hold. */
bool hub_mend_take_link(struct hub_replica *r, const struct hub_link *l, struct hub_span bytes);
/* Reads on, asks on; returns when it wants to be called again. */
uint64_t hub_mend_timer(struct hub_replica *r);

/* ---- permit.c */
/* At start, the chain being replayed, and when an epoch begins. HUB_CONFLICT: the chain does not contain the anchor. */
enum hub_status hub_permit_begin(struct hub_replica *r);
/* Asks peers for votes of our key: until enough have answered, and now and then for ever. */
void hub_permit_ask(struct hub_replica *r);
/* A peer told all it has of the votes of our key. */
void hub_permit_answered(struct hub_replica *r, uint8_t peer);
/* A verified vote of our own key, told by a peer. */
void hub_permit_vote_told(struct hub_replica *r, const struct hub_vote *v);
/* Something became final. */
void hub_permit_final(struct hub_replica *r);
/* Own votes were committed. */
void hub_permit_voted(struct hub_replica *r);
/* The record can hold nowhere: if this node signed it, it stays silent, and may sign another. */
void hub_permit_recovery_failed(struct hub_replica *r, const struct hub_record *record);
/* Stops voting, also after a restart; what: for the alarm. */
void hub_permit_halt(struct hub_replica *r, enum hub_abstain why, const char *what,
                     const struct hub_hash *block);

/* ---- outbox.c: frames of this turn, sent after its commit. peer -1 = all. */
void hub_outbox_vote(struct hub_replica *r, int peer, const struct hub_vote *v);
void hub_outbox_certificate(struct hub_replica *r, int peer, const struct hub_certificate *c);
/* The stored certificate, if there is one. */
bool hub_outbox_stored(struct hub_replica *r, int peer, uint64_t view, uint8_t kind);
void hub_outbox_status(struct hub_replica *r, int peer);
void hub_outbox_propose(struct hub_replica *r, uint64_t view, const struct hub_hash *hash);
void hub_outbox_help(struct hub_replica *r, uint8_t peer, uint64_t view);
void hub_outbox_retry(struct hub_replica *r, uint64_t view, uint64_t first, uint64_t last);
/* Own journalled votes of these views; kinds: bit kind-1. */
void hub_outbox_own_votes(struct hub_replica *r, uint64_t first, uint64_t last, uint8_t kinds);
void hub_outbox_records(struct hub_replica *r, int peer, bool fresh);
void hub_outbox_get_certs(struct hub_replica *r, int peer, uint64_t first, uint64_t last);
void hub_outbox_get_block(struct hub_replica *r, int peer, const struct hub_hash *hash);
void hub_outbox_get_blocks(struct hub_replica *r, int peer, uint64_t first, uint64_t last);
void hub_outbox_get_votes(struct hub_replica *r, int peer);
void hub_outbox_evidence(struct hub_replica *r, int peer, struct hub_span item);
/* All that is held of a signer's newest votes, in one frame. */
void hub_outbox_votes(struct hub_replica *r, int peer, uint8_t signer);
void hub_outbox_get_records(struct hub_replica *r, int peer);
/* The block of this view, with its FINALIZATION if that is stored. False: not held, or no room for replies. */
bool hub_outbox_block(struct hub_replica *r, int peer, const struct hub_hash *hash,
                      const struct hub_header *h);
/* The links that lead out of this epoch and of later ones. */
void hub_outbox_get_epochs(struct hub_replica *r, int peer, uint64_t from);
void hub_outbox_epoch_proof(struct hub_replica *r, int peer, const struct hub_span *link,
                            uint32_t n);
/* What this node has of the file of a snapshot: also when it has none. */
void hub_outbox_snapshot(struct hub_replica *r, int peer, const struct hub_hash *id,
                         uint64_t offset);
bool hub_outbox_reply_room(const struct hub_replica *r);
void hub_outbox_flush(struct hub_replica *r);

/* ---- bodies.c */
struct hub_body *hub_body_find(struct hub_replica *r, const struct hub_hash *hash);
/* A free body, or that of the least useful block; NULL if all are in use now. Its bytes are empty. */
struct hub_body *hub_body_make(struct hub_replica *r);
/* Copies an encoded block into a body, unless it is held; NULL if it is no block or there is no room. */
struct hub_body *hub_body_put(struct hub_replica *r, struct hub_span bytes);
/* A peer's bytes. Of an applied block they are not looked at again, and its hash covers the header alone: what was checked
 * comes from the store then. Every body of an applied block holds the bytes that were applied. */
struct hub_body *hub_body_take(struct hub_replica *r, struct hub_span bytes,
                               const struct hub_hash *hash);
/* Of a block that was computed here and is not decoded again: what a peer sent under its hash, which covers the header
 * alone, goes. NULL: no place, or that is in use now. */
struct hub_body *hub_body_put_own(struct hub_replica *r, struct hub_span bytes,
                                  const struct hub_hash *hash);
/* As hub_body_find, else copied from the store; NULL if it is nowhere. */
struct hub_body *hub_body_load(struct hub_replica *r, const struct hub_hash *hash);
/* From memory or the store; valid until the next call on either. */
bool hub_body_bytes(struct hub_replica *r, struct hub_span *bytes, const struct hub_hash *hash);
bool hub_body_header(struct hub_replica *r, struct hub_header *out, const struct hub_hash *hash);
/* Puts it into the store, once; durable with the next commit. */
void hub_body_store(struct hub_replica *r, struct hub_body *b);
/* Unless its records are being checked: they point into its bytes. */
void hub_body_forget(struct hub_replica *r, struct hub_body *b);
void hub_body_forget_final(struct hub_replica *r);

/* ---- accuse.c: evidence against validators (docs/protocol.md 9) */
/* Looks at all votes held of a validator in a view. */
void hub_accuse_signer(struct hub_replica *r, uint64_t view, uint8_t signer);
/* A verified vote, and the header of its block: E5 and E7. */
void hub_accuse_header(struct hub_replica *r, const struct hub_vote *v, const struct hub_header *h);
/* A block came: FINALIZEs for it were waiting for its header. */
void hub_accuse_block(struct hub_replica *r, const struct hub_body *b);
/* A verified vote, different from the one of its kind that is kept. */
void hub_accuse_keep_second(struct hub_replica *r, const struct hub_vote *v);
/* A certificate that the core does not want excludes a stored one: worth its signature checks. What the core holds too
 * is told for free, else the peer pays for the look into the store. */
bool hub_accuse_contradicts(struct hub_replica *r, uint8_t peer, const struct hub_subject *c);
/* A verified certificate, against votes and certificates held of its view. True: it excludes a stored one, so more
 * validators lied than the ledger is safe with, and it may not be put beside it. */
bool hub_accuse_certificate(struct hub_replica *r, const struct hub_certificate *c);
enum hub_item_verdict { HUB_ITEM_NEW, HUB_ITEM_KNOWN, HUB_ITEM_WRONG, HUB_ITEM_MALFORMED };
/* An item that a peer gathered: checked, then as if gathered here. */
enum hub_item_verdict hub_accuse_item(struct hub_replica *r, struct hub_span bytes);
/* What a peer says is final: asks it for its certificates if another block is final here. */
void hub_accuse_fork(struct hub_replica *r, uint8_t peer, const struct hub_point *fin);

/* ---- epochs.c */
/* True if a message is of our epoch. Else its sender is told, or asked for, the links between. */
bool hub_epochs_same(struct hub_replica *r, uint8_t peer, uint64_t epoch);
/* EPOCH_PROOF from this epoch on, at most one a second. */
void hub_epochs_tell(struct hub_replica *r, uint8_t peer, uint64_t from);
enum hub_links_verdict { HUB_LINKS_TAKEN, HUB_LINKS_BAD, HUB_LINKS_FORGED };
/* Keeps the link that leads out of our epoch, if it is among these and is good, and the one that the disk damaged. */
enum hub_links_verdict hub_epochs_take(struct hub_replica *r, struct hub_span links);
/* A FINALIZATION over a held block that ends the epoch; the link kept, its SEAL being applied. */
void hub_epochs_finalize(struct hub_replica *r, const struct hub_certificate *c);
void hub_epochs_cross(struct hub_replica *r);
/* At a restart: the applied SEAL of the chain's epoch is final by the stored link. */
enum hub_status hub_epochs_replay(struct hub_replica *r);
/* Of the block that sealed the epoch that votes now; the chain id for the first; of the set where a recovery began
 * it. */
enum hub_status hub_epochs_seal_hash(struct hub_replica *r, struct hub_hash *out);

/* Tip and link in r->proof.bytes go into one commit; the chain stands at the block that ends its epoch. */
void hub_epochs_close(struct hub_replica *r);

/* ---- recover.c (docs/protocol.md 16) */
void hub_recover_begin(struct hub_replica *r); /* with each epoch */
/* The accepted record that ends this epoch, stored or given; NULL: there is none, or it does not hold here. */
const struct hub_record *hub_recover_record(const struct hub_replica *r);
/* The base is applied: the recovery block is final, and the epoch ends. */
void hub_recover_cross(struct hub_replica *r);
/* The base is not: true once a second, for it to be asked for. */
bool hub_recover_asks(struct hub_replica *r);
/* That of a link is nothing new: this node was given it, or said already that peers follow one. */
bool hub_recover_knows(const struct hub_replica *r, struct hub_span record);
/* A peer's link by a recovery, whose form and signatures are good: told to the operator, if it was not accepted. */
void hub_recover_shown(struct hub_replica *r, const struct hub_link_facts *facts);
/* At a restart: a stored recovery block. */
enum hub_status hub_recover_replay(struct hub_replica *r, struct hub_block *block);

/* ---- catchup.c */
/* hub_chain_visit of a replica: a block became final. */
void hub_catchup_visit(void *ctx, const struct hub_applied *applied);
void hub_catchup_want(struct hub_replica *r, const struct hub_hash *hash, uint64_t peers,
                      bool fetch);
/* The next validator in turn that is in `peers`, else any peer heard of lately, else any validator; -1: alone. */
int hub_catchup_next_peer(struct hub_replica *r, uint64_t peers);
/* One bounded piece of work: true if there may be more. */
bool hub_catchup_run(struct hub_replica *r);
/* Applied block with this FINALIZATION: makes it final, with its ancestors. */
void hub_catchup_finalize(struct hub_replica *r, const struct hub_certificate *c);
void hub_catchup_keep_blocks(struct hub_replica *r, const struct hub_hash *hash);
/* Replays stored final blocks from chain.final to the stored tip. */
enum hub_status hub_catchup_replay(struct hub_replica *r);

/* ---- sync.c */
/* Asks for final blocks by height while peers are ahead; returns when it wants to be called again. */
uint64_t hub_sync_timer(struct hub_replica *r);
/* The core waits for this block, or for one above it. */
bool hub_sync_wants(const struct hub_replica *r, const struct hub_hash *hash);
/* A block from the wire: kept when some verdict waits for it, or when this peer was asked for its height. */
struct hub_body *hub_sync_receive(struct hub_replica *r, uint8_t peer, struct hub_span block);
/* Bytes that are not the block their header names: another peer may have it. */
void hub_sync_bad_block(struct hub_replica *r, struct hub_body *b);

#endif
