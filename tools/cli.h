/* cli.h: what all commands of `hubledger` share: global options, texts in two languages, the node's API, key
 * files, and the one path on which everything that signs goes (online or --offline).
 *
 * A command is a row in the table of its family's file: noun, verb, one line of help in each language, its own
 * options, a function. Families: key.c, governance.c, network.c, member_card.c, node_folder.c, agreement.c, wallet.c, currency.c, pay.c, record.c,
 * receipt.c, export.c, status.c, evidence.c, backup.c, snapshot.c, recovery.c. */
#ifndef HUB_CLI_H
#define HUB_CLI_H

#include "hub/apply.h"
#include "hub/genesis.h"
#include "hub/keyfile.h"
#include "hub/record.h"

#include <argp.h>
#include <jansson.h>
#include <stdio.h>

enum hub_exit {
    HUB_EXIT_OK = 0,
    HUB_EXIT_NO_EFFECT = 1, /* final, recorded without effect */
    HUB_EXIT_USAGE = 2,
    HUB_EXIT_UNREACHABLE = 3, /* cannot reach a node or read a file */
    HUB_EXIT_REFUSED = 4,     /* refused, not recorded */
    HUB_EXIT_UNKNOWN = 5,     /* outcome unknown yet; the record id was printed */
    HUB_EXIT_UNVERIFIED = 6,
    HUB_EXIT_COSIGN = 7 /* needs more co-signatures than were given */
};

enum { HUB_CLI_NODES_MAX = 8, HUB_CLI_COSIGNERS_MAX = HUB_COSIGN_MAX, HUB_CLI_ARGS_MAX = 64 };

struct hub_cli { /* the global options, one a run */
    const char *node[HUB_CLI_NODES_MAX];
    unsigned nodes;
    const char *genesis_path, *key_path, *passphrase_file, *output, *confirm;
    const char *cosign_path[HUB_CLI_COSIGNERS_MAX];
    unsigned cosigners;
    bool json, offline, draft, dry_run, yes, quiet, color, zh, wait;
    uint64_t wait_ms, seq, valid_ms; /* seq, valid_ms: 0 = not given */
    /* Loaded on first use, released at exit. */
    struct hub_buf genesis_bytes;
    struct hub_genesis *genesis;
    struct hub_hash accepted[HUB_RECOVERIES_MAX]; /* recoveries that are followed beside genesis */
    unsigned accepts;
    struct hub_keyfile key;
    bool key_is_open;
};

struct hub_command {
    const char *noun, *verb;
    const char *args;                  /* "ID FILE", for the usage line */
    const char *en, *zh;               /* what it does, one line each */
    const char *examples;              /* three lines, shown behind --help */
    const struct argp_option *options; /* the command's own, or NULL */
    /* Takes one of its own options into `own` (own_bytes, zeroed before); ARGP_ERR_UNKNOWN for others. */
    error_t (*parse)(int key, char *arg, void *own);
    size_t own_bytes;
    unsigned args_min, args_max;
    int (*run)(struct hub_cli *cli, void *own, unsigned argc, char **argv); /* an enum hub_exit */
};
/* Each family's table ends with noun NULL; hubledger.c lists the families. */
extern const struct hub_command hub_key_commands[], hub_network_commands[],
    hub_agreement_commands[], hub_wallet_commands[], hub_currency_commands[], hub_pay_commands[],
    hub_record_commands[], hub_receipt_commands[], hub_export_commands[], hub_status_commands[],
    hub_member_commands[], hub_node_commands[], hub_evidence_commands[], hub_backup_commands[],
    hub_snapshot_commands[], hub_governance_commands[], hub_recovery_commands[];

/* ---- texts */
#define HUB_T(cli, en_text, zh_text) ((cli)->zh ? (zh_text) : (en_text))
/* To standard output, for people; nothing with --quiet or --json. */
void hub_cli_say(const struct hub_cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* To standard error, always: names the thing, the rule and the remedy. Returns exit_code. */
int hub_cli_fail(const struct hub_cli *cli, int exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* One JSON value on a line of standard output. */
void hub_cli_json(const json_t *value);
/* Asks on the terminal for the phrase to be typed; --confirm gives it for scripts; --yes never does. */
bool hub_cli_confirm(const struct hub_cli *cli, const char *prompt, const char *phrase);
/* A yes-or-no question; --yes answers it, and so does a run without a terminal: no. */
bool hub_cli_ask(const struct hub_cli *cli, const char *question);

/* ---- files and values. The first four say themselves what is wrong and return false. */
bool hub_cli_read_file(const struct hub_cli *cli, struct hub_buf *out, const char *path,
                       size_t max); /* out->data is the caller's: free() */
/* SHA-256 of a file of any size. */
bool hub_cli_hash_file(const struct hub_cli *cli, struct hub_hash *out, const char *path);
/* A new file that its owner alone may read. */
bool hub_cli_write_secret(const struct hub_cli *cli, const char *path, struct hub_span bytes);
/* Never replaces a file that is there, unless replace. "-" = standard output. */
bool hub_cli_write_file(const struct hub_cli *cli, const char *path, struct hub_span bytes,
                        bool replace);
/* The guard file of a validator's new key. */
bool hub_cli_guard(const struct hub_cli *cli, const char *keyfile, const struct hub_hash *kid);
bool hub_cli_genesis(struct hub_cli *cli); /* loads --genesis into cli->genesis */
/* "12500.00" (yuan, at most two decimals) or "1250000fen". These are silent: false = not of that form. */
bool hub_parse_amount(uint64_t *fen, const char *text);
/* "2026-05-31" (UTC+8: its last millisecond, or its first), "2026-05-31 18:00", RFC 3339 with Z. */
bool hub_parse_time(uint64_t *ms, const char *text, bool end_of_day);
bool hub_parse_wallet(uint64_t *number, const char *text); /* 00003-0000001896-38139 or decimal */
bool hub_parse_hex(uint8_t *out, size_t n, const char *text);
bool hub_parse_duration(uint64_t *ms, const char *text); /* 500ms, 30s, 5m, 24h, 7d */
bool hub_parse_uint(uint64_t *out, const char *text, uint64_t max);
void hub_format_yuan(char out[32], uint64_t fen);         /* 12,500.00 */
void hub_format_wallet(char out[24], uint64_t number);    /* 00003-0000001896-38139 */
void hub_format_time(char out[64], uint64_t ms, bool zh); /* 2026-05-22 18:00（北京时间） */
void hub_format_hex(char *out, const uint8_t *bytes, size_t n); /* 2n + 1 bytes */
/* Decimal-string members of API answers: a number, or `absent`. */
uint64_t hub_json_number(const json_t *object, const char *name, uint64_t absent);
const char *hub_json_text(const json_t *object, const char *name); /* "" if absent */

/* ---- the node: each --node is tried in turn */
struct hub_reply {
    long status;         /* HTTP; 0 = no node answered */
    json_t *json;        /* owned; NULL if the answer was not JSON */
    struct hub_buf body; /* owned; the bytes as they came */
    bool binary;         /* they are CBOR or COSE, by their media type */
};
void hub_reply_free(struct hub_reply *r);
/* False, after a message, if no node answered, the status is not 2xx, or the answer is neither JSON nor CBOR; *exit_code then says how to end. */
bool hub_cli_get(struct hub_cli *cli, struct hub_reply *r, const char *path, int *exit_code);
bool hub_cli_post(struct hub_cli *cli, struct hub_reply *r, const char *path,
                  const char *content_type, struct hub_span body, int *exit_code);
/* Like hub_cli_get, but silent, and any status is true: for questions whose answer may be no. */
bool hub_cli_try_get(struct hub_cli *cli, struct hub_reply *r, const char *path);

/* ---- signing: the one path of everything that signs */
struct hub_hints { /* GET /v1/keys/{kid}/hints */
    char iss[24];
    uint64_t next_seq, time_ms; /* the next free number; the time of the last block */
};
struct hub_signing {      /* what a command wants signed; everything borrowed */
    uint16_t type;        /* enum hub_record_type_id */
    struct hub_span core; /* the body, encoded */
    struct hub_span attachment;
    const struct hub_keyfile *also; /* a new key that proves its possession, or NULL */
};
struct hub_signed {
    struct hub_buf bytes; /* owned: the record; free() */
    struct hub_hash id;
    bool by_hand; /* given to each node, never sent: a recovery */
};
/* The key file of --key, opened once a run; NULL after a message. */
struct hub_keyfile *hub_cli_key(struct hub_cli *cli);
/* Online from the node; --seq overrides the number, and with --offline the genesis and --seq serve. */
bool hub_cli_hints(struct hub_cli *cli, struct hub_hints *out, int *exit_code);
/* Signs with --key, --cosign-by and `also`; uses and increments hints->next_seq. Returns an enum hub_exit. */
int hub_cli_sign(struct hub_cli *cli, struct hub_signed *out, const struct hub_signing *what,
                 struct hub_hints *hints);
/* Signs, then writes (--offline), checks (--dry-run) or submits, waits (--wait) and shows the outcome.
 * *outcome (may be NULL) gets its JSON, owned by the caller; NULL if there is none. */
int hub_cli_sign_and_send(struct hub_cli *cli, const struct hub_signing *what, json_t **outcome);
/* What was signed: into a file (--offline, --draft) or to the node, as hub_cli_sign_and_send does. */
int hub_cli_deliver(struct hub_cli *cli, const struct hub_signed *s, struct hub_span attachment,
                    json_t **outcome);
/* Submits entries (formats.cddl `entry`, a CBOR sequence); *items gets the array of outcomes, owned by the caller. */
int hub_cli_submit(struct hub_cli *cli, struct hub_span entries, json_t **items);
/* Asks until the record is final or the time is up; *outcome owned by the caller. */
int hub_cli_await(struct hub_cli *cli, const struct hub_hash *id, uint64_t wait_ms,
                  json_t **outcome);
/* One line for people, or the JSON with --json; returns the exit code an outcome stands for. */
int hub_cli_show_outcome(const struct hub_cli *cli, const json_t *outcome);

/* What a lower layer said of a file, in the reader's language; as it is where it has no Chinese. */
const char *hub_cli_why(const struct hub_cli *cli, const char *why);

#endif
