/* governance.h: actions of a proposal from words of the command line. */
#ifndef HUB_TOOLS_GOVERNANCE_H
#define HUB_TOOLS_GOVERNANCE_H

#include "tools/cli.h"

/* Writes the encoded array of the actions in argv, separated by "+"; says itself what is wrong and returns the exit
 * code then, HUB_EXIT_OK otherwise. out: HUB_ACTIONS_BYTES_MAX bytes. */
int hub_actions_parse(struct hub_cli *cli, struct hub_buf *out, unsigned argc, char **argv);
/* The shapes, a line each, for --help and messages. */
extern const char hub_actions_help[];
/* A key id, or the key file it is of. False: neither. */
bool hub_kid_of_word(struct hub_hash *kid, const char *text);

#endif
