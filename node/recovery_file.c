#include "node/recovery_file.h"

#include "hub/apply.h"
#include "hub/recovery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(char *why, const char *reason, const char *detail)
{
    snprintf(why, HUB_RECOVERY_WHY_BYTES, "%s%s%s; give the file that the members signed", reason,
             *detail ? ": " : "", detail);
    return false;
}

/* The record of f->n is one more for the epoch of one before it. */
static bool given_twice(const struct hub_recovery_files *f)
{
    struct hub_recovery own, other;
    hub_recovery_read(&own, &f->record[f->n]);
    for (uint32_t i = 0; i < f->n; i++) {
        hub_recovery_read(&other, &f->record[i]);
        if (other.epoch == own.epoch)
            return true;
    }
    return false;
}

bool hub_recovery_file_add(struct hub_recovery_files *f, char *why, const char *path,
                           const struct hub_hash *chain)
{
    const size_t room = HUB_RECORD_BYTES_MAX + 16;
    struct hub_record *r = &f->record[f->n];
    uint16_t code = 0;
    FILE *in = fopen(path, "rb");
    if (!in)
        return refuse(why, "cannot be read", strerror(errno));
    uint8_t *bytes = f->n < HUB_RECOVERIES_MAX ? malloc(room) : NULL;
    const size_t len = bytes ? fread(bytes, 1, room, in) : 0;
    fclose(in);
    struct hub_cbor c = hub_cbor_open((struct hub_span){bytes, len});
    hub_cbor_array(&c, 2, 2);
    const struct hub_span record = hub_cbor_bytes(&c, 1, HUB_RECORD_BYTES_MAX);
    hub_cbor_bytes(&c, 0, 0);
    bool good = len && hub_cbor_done(&c);
    if (!good)
        refuse(why, "holds no signed record", "");
    else if (hub_record_decode(r, &code, record, (struct hub_span){NULL, 0}, chain) != HUB_OK)
        good = refuse(why, "its record is refused", hub_result_text(code)->en);
    else if (r->type != HUB_TYPE_EPOCH_RECOVER)
        good = refuse(why, "its record is no epoch.recover", hub_record_types[r->type].name);
    else if (given_twice(f))
        good = refuse(why, "another file recovers the same epoch", "");
    if (!good) {
        free(bytes);
        return false;
    }
    f->bytes[f->n] = bytes;
    f->id[f->n++] = r->id;
    return true;
}

void hub_recovery_files_free(struct hub_recovery_files *f)
{
    while (f->n)
        free(f->bytes[--f->n]);
}
