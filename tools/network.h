/* network.h: what the ceremony (network.c, network_seal.c) and the trial network (network_trial.c) share. */
#ifndef HUB_NETWORK_H
#define HUB_NETWORK_H

#include "tools/cli.h"
#include "tools/founding.h"

enum { HUB_PARAMETER_OPTIONS_MAX = 32, HUB_NETWORK_CARDS_MAX = HUB_CARDS_MAX };

struct hub_network_options {
    const char *dir, *name, *parameter[HUB_PARAMETER_OPTIONS_MAX], *card[HUB_NETWORK_CARDS_MAX];
    uint64_t local, port, quorum;
    unsigned parameters, cards;
    int fault_model; /* enum hub_fault_model + 1; 0 = not given */
    bool no_currency;
};

/* --parameter NAME=VALUE, and `standing` before them, as a map in the order of its encoding. False after a
 * message. */
bool hub_network_put_parameters(struct hub_buf *out, const struct hub_cli *cli,
                                const struct hub_network_options *o, const char *standing);
/* Now, in whole seconds. */
uint64_t hub_network_time_ms(void);
/* The chain id in groups of four digits, to read over the telephone. */
void hub_format_fingerprint(char text[128], const struct hub_hash *chain);
/* Members, validators, quorum, parameters, endpoints, signatures and chain id, on standard output. */
void hub_founding_say(const struct hub_cli *cli, const struct hub_founding *f);
/* Voting members without a signature, comma-separated into text; how many. */
uint32_t hub_founding_unsigned(char text[1024], const struct hub_founding *f);

struct hub_founding_file { /* a draft or invite as read; bytes.data is freed by the reader */
    struct hub_buf bytes;
    struct hub_founding f;
};
/* False after a message; nothing is to be freed then. */
bool hub_founding_file_read(const struct hub_cli *cli, struct hub_founding_file *out,
                            const char *path);
/* replace: over the file of that name, else never. Returns an enum hub_exit. */
int hub_founding_file_write(const struct hub_cli *cli, const char *path, struct hub_span genesis,
                            struct hub_span endpoints, struct hub_span signatures, bool replace);
/* code, or after HUB_EXIT_OK what reading and showing the file gives. */
int hub_founding_file_say(const struct hub_cli *cli, const char *path, int code);

/* `network sign` and `seal` (run of struct hub_command). */
int hub_network_sign(struct hub_cli *cli, void *own, unsigned argc, char **argv);
int hub_network_seal(struct hub_cli *cli, void *own, unsigned argc, char **argv);
/* `network init --local`. Returns an enum hub_exit. */
int hub_network_make_trial(struct hub_cli *cli, const struct hub_network_options *o);

#endif
