/* draft.h: records that several people sign, each with a key that never leaves his desk. A draft is an entry [record,
 * attachment] whose own signature is 64 zero bytes: every further signer signs its core (record cosign), and the one
 * who made it signs the whole and sends it (record sign). Whoever gets it without that signature refuses it. */
#ifndef HUB_TOOLS_DRAFT_H
#define HUB_TOOLS_DRAFT_H

#include "tools/cli.h"

/* Whether this key may sign: HUB_EXIT_OK, or an exit code after a message. Asked after the signer has said yes. */
typedef int hub_draft_may(struct hub_cli *cli, const struct hub_record *r,
                          const struct hub_keyfile *key, void *ctx);
/* Shows the draft in the file, asks, and adds the co-signature of this key. */
int hub_draft_cosign(struct hub_cli *cli, const char *path, const struct hub_keyfile *key,
                     hub_draft_may *may, void *ctx);
int hub_draft_run_cosign(struct hub_cli *cli, void *own, unsigned argc, char **argv);
int hub_draft_run_sign(struct hub_cli *cli, void *own, unsigned argc, char **argv);

#endif
