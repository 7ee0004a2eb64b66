/* recovery_file.h: the files of --recovery: records epoch.recover that the operator of this node follows. */
#ifndef HUB_RECOVERY_FILE_H
#define HUB_RECOVERY_FILE_H

#include "hub/record.h"

enum { HUB_RECOVERY_WHY_BYTES = 200 };

struct hub_recovery_files {
    uint32_t n;
    struct hub_record record[HUB_RECOVERIES_MAX]; /* views into bytes */
    struct hub_hash id[HUB_RECOVERIES_MAX];
    uint8_t *bytes[HUB_RECOVERIES_MAX]; /* owned */
};

/* Adds the record in this file, an entry as `hubledger record sign --offline` writes it. Form only: who signed it is
 * judged on its base. False: why holds rule and remedy. */
HUB_MUST_USE bool hub_recovery_file_add(struct hub_recovery_files *f, char *why, const char *path,
                                        const struct hub_hash *chain);
void hub_recovery_files_free(struct hub_recovery_files *f);

#endif
