/* disk.h: the directory of a node: made so that a crash leaves it absent or whole (H2), held by one process
 * (H9), watched for space (H6).
 *   DIR/lock      flock of the running node; holds its process id
 *   DIR/ledger/   the LMDB environment; DIR/ledger.new while it is being made
 *   DIR/snapshot  for peers (offer.h); DIR/joining: of a peer (join.h)
 *   DIR/reserve   space given back when the disk is nearly full, so that the last commits succeed */
#ifndef HUB_DISK_H
#define HUB_DISK_H

#include "hub/base.h"

enum hub_disk_level { /* H6: free space of the volume as this user sees it */
                      HUB_DISK_OK,
                      HUB_DISK_NO_RECORDS,   /* at most 10 % free: take no new records */
                      HUB_DISK_NO_PROPOSALS, /* at most 5 %: propose no block */
                      HUB_DISK_STOP          /* at most 2 %: stop the node cleanly */
};

/* "; ...": what an operator can do about this errno of a call on the directory. Static storage. */
const char *hub_disk_remedy(int code);

enum { HUB_DISK_RESERVE_BYTES = 16 << 20 }; /* one full commit: 8 blocks of 1 MiB and their pages */

/* free and total in any one unit; total 0 is HUB_DISK_STOP. */
enum hub_disk_level hub_disk_level_of(uint64_t free, uint64_t total);
HUB_MUST_USE enum hub_status hub_disk_level(const char *dir, enum hub_disk_level *out);

/* Bytes that may be written before the level is HUB_DISK_OK no more; 0 if it cannot be known. */
uint64_t hub_disk_spare(const char *dir);

/* Makes dir if it is missing (not its parents) and takes DIR/lock. *fd stays open as long as the lock is
 * held. Refuses a directory another process holds, and one on a network file system. why[cap] gets the
 * sentence. HUB_NOT_NOW: held; HUB_IO. */
HUB_MUST_USE enum hub_status hub_disk_lock(const char *dir, int *fd, char *why, size_t cap);

/* An empty directory DIR/name.new, after the name of DIR itself was synced: nothing in a directory is durable
 * before its name is. What a crash left of an earlier DIR/name.new is removed first. */
HUB_MUST_USE enum hub_status hub_disk_stage(const char *dir, const char *name, char *why,
                                            size_t cap);
/* Syncs the files in DIR/name.new and the directory, renames it to DIR/name, syncs DIR. */
HUB_MUST_USE enum hub_status hub_disk_publish(const char *dir, const char *name, char *why,
                                              size_t cap);
bool hub_disk_exists(const char *dir, const char *name);

/* Makes the reserve file if the volume is at HUB_DISK_OK with it, too; gives it back. Both may be repeated. */
HUB_MUST_USE enum hub_status hub_disk_reserve(const char *dir);
void hub_disk_release(const char *dir);

#endif
