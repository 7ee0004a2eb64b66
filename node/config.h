/* config.h: the node's configuration file (libconfuse). What all nodes must agree on is in genesis, never here.
 * Strict: unknown options, repeated options, octal or expanded values are refused with file and line. */
#ifndef HUB_CONFIG_H
#define HUB_CONFIG_H

#include "node/log.h"
#include "node/transport.h"

enum { HUB_PATH_BYTES_MAX = 1024, HUB_NAME_MAX = 64 };

struct hub_config_peer {
    char name[HUB_NAME_MAX +
              1]; /* member code, or the first hex digits (at least 8) of the validator's key id */
    uint8_t transport[HUB_TRANSPORT_KEY_BYTES]; /* its transport key; zero: the ledger has it */
    char address[HUB_ADDRESS_MAX + 1];
};

struct
    hub_config { /* paths are absolute or relative to the configuration file's folder, resolved here */
    char genesis[HUB_PATH_BYTES_MAX], data[HUB_PATH_BYTES_MAX], key[HUB_PATH_BYTES_MAX];
    char passphrase_file[HUB_PATH_BYTES_MAX]; /* empty: the key file is unprotected */
    char guard[HUB_PATH_BYTES_MAX];           /* the guard file; KEY.guard unless it is named */
    char listen[HUB_ADDRESS_MAX + 1], api[HUB_ADDRESS_MAX + 1];
    char endpoint[HUB_ADDRESS_MAX +
                  1]; /* where peers reach it, as told on the ledger; listen unless named */
    enum hub_log_level log_level;
    bool join_snapshot; /* an empty directory is filled by a peer's snapshot, else by all blocks */
    uint32_t uplink_mbit, threads; /* threads 0 = one a core */
    struct hub_config_peer peer[HUB_VALIDATORS_MAX];
    unsigned peers;
};

/* Reads and checks the file. On failure error[512] names file, line, option, rule and remedy. */
HUB_MUST_USE bool hub_config_read(struct hub_config *out, char error[512], const char *path);
/* "host:port" with a port of 1..65535 and a host of letters, digits, dots, colons, brackets or hyphens. */
bool hub_address_ok(const char *address);

#endif
