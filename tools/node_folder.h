/* node_folder.h: what the commands of a node's folder share (node_folder.c, node_pack.c). */
#ifndef HUB_NODE_FOLDER_H
#define HUB_NODE_FOLDER_H

#include "tools/cli.h"

struct hub_node_options {
    const char *dir, *listen, *api, *label;
    bool unprotected;
};
enum { HUB_NODE_PATH_BYTES = 1024 };

/* DIR/file; false after a message. */
bool hub_node_path(const struct hub_cli *cli, char out[HUB_NODE_PATH_BYTES],
                   const struct hub_node_options *o, const char *file);
int hub_node_run_pack(struct hub_cli *cli, void *own, unsigned argc, char **argv);
int hub_node_run_unpack(struct hub_cli *cli, void *own, unsigned argc, char **argv);

#endif
