/* guard.h: the guard file (docs/hazards.md H12): how far a validator's key has voted, kept apart from the data
 * directory, best on another volume. It can only refuse: a node whose journal lacks what the guard remembers, or that
 * finds no guard, follows and serves but casts no vote.
 *  1. It is born with the key, by the command that makes the key, and says then that the key never voted. A node
 *     never makes one, but at the end of --resume-after-loss. So a lost guard is noticed, not replaced.
 *  2. Two slots of 512 bytes are written in turn, at most once a second, on a thread of its own: never on the path of
 *     a vote. A torn write spoils one slot; the other is at most two writes old. Silence (HUB_VIEW_SILENT) goes into both.
 *  3. It belongs to one key, and from the first start on to one chain.
 *
 *     0 "hubguard"  8 be64 serial  16 kid[32]  48 chain[32]  80 be64 epoch  88 be64 view  96 be64 votes
 *     104 head[32]  136 signed[32]  168 zeros  480 SHA-256("hubledger/guard/1" || bytes 0..479)      slot of serial s: s mod 2 */
#ifndef HUB_GUARD_H
#define HUB_GUARD_H

#include "node/ports.h"

enum { HUB_GUARD_WHY_BYTES = 512, HUB_GUARD_PERIOD_MS = 1000 };

struct hub_guard; /* owned; released by hub_guard_close */

/* Where a key's guard lies unless the configuration says otherwise: KEYFILE.guard. False: path too long. */
HUB_MUST_USE bool hub_guard_path(char *out, size_t cap, const char *keyfile);
/* For the command that makes a validator's key: a guard that says the key never voted; mode 0600, on disk when
 * it returns. HUB_CONFLICT: path exists; HUB_IO. why[HUB_GUARD_WHY_BYTES] gets the sentence. */
HUB_MUST_USE enum hub_status hub_guard_create(const char *path, const struct hub_hash *kid,
                                              char *why);

/* Reads it and starts the thread. A guard that is missing or unreadable opens too: hub_guard_ports answers for it,
 * and path is written by the first note. It is locked meanwhile. HUB_CONFLICT: it is of another key or another chain;
 * HUB_NOT_NOW: another process has it; HUB_IO: no memory or no thread. */
HUB_MUST_USE enum hub_status hub_guard_open(struct hub_guard **out, char *why, const char *path,
                                            const struct hub_hash *kid,
                                            const struct hub_hash *chain);
/* Fills the guard part of p. */
void hub_guard_ports(struct hub_guard *g, struct hub_ports *p);
/* The last write failed: the guard falls behind. */
bool hub_guard_failing(struct hub_guard *g);
/* Writes what waits, at once, and ends the thread. False: the last write failed. NULL is allowed. */
bool hub_guard_close(struct hub_guard *g);

#endif
