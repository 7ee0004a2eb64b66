/* disk_image.h: walks a disk_log and builds the directory of a node as a power cut leaves it. */
#ifndef TESTS_DISK_IMAGE_H
#define TESTS_DISK_IMAGE_H

#include "tests/storage/disk_log.h"

enum disk_loss {               /* of what is not durable at the cut */
                 DISK_KEPT,    /* all of it arrived */
                 DISK_LOST,    /* nothing */
                 DISK_SOME,    /* each write or not */
                 DISK_SECTORS, /* each sector or not */
                 DISK_TORN,    /* in order up to one write, of that the first sectors */
                 DISK_ALL_BUT, /* all but one write */
                 DISK_ONE,     /* one write alone */
                 DISK_LOSSES
};

enum { DISK_LIE_OPS = 48 }; /* of a lying disk: so many writes of a file are on their way */

struct disk_file {
    uint8_t *base; /* owned: durable */
    size_t len, cap;
    size_t *pending; /* owned: numbers of operations that may be there or not */
    size_t count, room;
};

struct disk_state {
    const struct disk_log *log; /* borrowed */
    size_t at;                  /* operations that returned */
    bool lies;                  /* syncs are ignored */
    struct disk_file file[DISK_FILES_MAX];
    size_t *names;   /* owned: operations on names, in order */
    bool *name_safe; /* owned */
    size_t name_count, name_room;
};

void disk_state_open(struct disk_state *s, const struct disk_log *log, bool lies);
void disk_state_close(struct disk_state *s);
/* Operation s->at is under way: it counts among what may be lost. Then: it has returned, s->at moves on. */
void disk_state_issue(struct disk_state *s);
void disk_state_return(struct disk_state *s);
/* Something of this owner's could be lost now. */
bool disk_state_open_ends(const struct disk_state *s, uint8_t owner);

/* Makes dir/<owner> as the cut leaves it. False: the owner's directory itself is not there. */
bool disk_image_build(const struct disk_state *s, const char *dir, uint8_t owner,
                      enum disk_loss loss, uint64_t *random);

uint64_t disk_random(uint64_t *state); /* splitmix64 */

#endif
