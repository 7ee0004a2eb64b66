#include "node/anchor.h"

#include "hub/receipt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES_MAX = 128 };

static bool refuse(char *why, const char *reason, const char *detail)
{
    snprintf(why, HUB_ANCHOR_WHY_BYTES,
             "%s%s%s: give a receipt bundle of this network, or a line "
             "with height and block hash",
             reason, *detail ? ": " : "", detail);
    return false;
}

/* HEIGHT HASH, with at most white space behind. */
static bool read_line(struct hub_point *out, const char *text)
{
    char hex[65] = "";
    int end = 0;
    char digits[17] = "";
    if (sscanf(text, "%16[0-9] %64[0-9a-f] %n", digits, hex, &end) != 2 || strlen(hex) != 64 ||
        text[end] != 0)
        return false;
    const uint64_t height = strtoull(digits, NULL, 10);
    if (!height)
        return false;
    *out = (struct hub_point){.height = height};
    for (size_t i = 0; i < sizeof out->block_hash.b; i++) {
        const char two[3] = {hex[2 * i], hex[2 * i + 1], 0};
        out->block_hash.b[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return true;
}

static bool read_receipt(struct hub_point *out, char *why, struct hub_span bytes,
                         const struct hub_genesis *g)
{
    static struct hub_receipt_facts facts; /* large; once a process */
    uint8_t header[HUB_HEADER_BYTES_MAX];
    struct hub_buf b = {header, 0, sizeof header, false};
    const char *what = "";
    if (hub_receipt_verify(&facts, &what, bytes, g) != HUB_VERDICT_OK)
        return refuse(why, "this receipt does not verify", what);
    hub_header_encode(&b, &facts.header);
    out->view = facts.header.view;
    out->height = facts.header.height;
    hub_header_hash(&out->block_hash, hub_span_of(&b));
    return true;
}

bool hub_anchor_read(struct hub_point *out, char *why, const char *path,
                     const struct hub_genesis *g)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return refuse(why, "cannot be read", strerror(errno));
    uint8_t *bytes = malloc(HUB_BUNDLE_BYTES_MAX + 1);
    const size_t len = bytes ? fread(bytes, 1, HUB_BUNDLE_BYTES_MAX, f) : 0;
    const bool whole = bytes && !ferror(f) && len;
    fclose(f);
    bool ok = false;
    if (whole) {
        bytes[len] = 0;
        ok = (len < LINE_BYTES_MAX && read_line(out, (const char *)bytes)) ||
             read_receipt(out, why, (struct hub_span){bytes, len}, g);
    } else {
        refuse(why, "cannot be read, or is empty", "");
    }
    free(bytes);
    return ok;
}
