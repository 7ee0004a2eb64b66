/* network.h: what the ceremony (network.c) and the trial network (network_trial.c) share. */
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
/* `network init --local`. Returns an enum hub_exit. */
int hub_network_make_trial(struct hub_cli *cli, const struct hub_network_options *o);

#endif
