/* agreement.h: what the files of the agreement commands share: the paper files beside the ledger, the draft a
 * clerk writes, and the sheet an official reads before signing. */
#ifndef TOOLS_AGREEMENT_H
#define TOOLS_AGREEMENT_H

#include "hub/agreement_draft.h"
#include "tools/cli.h"

/* ---- papers: the files whose hashes an agreement holds */
struct hub_paper {
    const char *path; /* borrowed from the command line */
    char name[201];   /* its last part */
    const char *media;
    uint64_t size;
    struct hub_hash sha256;
};
struct hub_papers {
    unsigned count;
    struct hub_paper paper[HUB_DOCUMENTS_MAX];
};
/* Reads and hashes every file; false after a message. */
bool hub_papers_read(const struct hub_cli *cli, struct hub_papers *out, const char *const *paths,
                     unsigned count);
/* Every document of the body is among the papers and every paper is a document of it; an enum hub_exit,
 * after a message that names the file or document. */
int hub_papers_match(const struct hub_cli *cli, const struct hub_papers *p, struct hub_span body);

/* ---- drafts */
struct hub_draft_place { /* what the file does not say: where the draft stands */
    struct hub_hash agreement, chain, previous;
    uint32_t revision;
};
/* Body from the text file a clerk wrote (docs/agreements.md) and the papers. False after messages. */
bool hub_draft_from_file(const struct hub_cli *cli, struct hub_buf *body, const char *path,
                         const struct hub_papers *papers, const struct hub_draft_place *place);
/* The static rules of the record that this core will be; false after a message. */
bool hub_draft_check(const struct hub_cli *cli, enum hub_record_type_id type, struct hub_span core,
                     const struct hub_hash *kid);

/* ---- texts: one revision's body, from a draft file or from a node */
struct hub_agreement_text {
    struct hub_buf body; /* owned: free(body.data) */
    struct hub_hash id, hash;
    uint32_t revision;
    bool from_file;
    uint8_t nonce[16]; /* of a draft file for agreement.propose */
    bool has_nonce;
};
/* `what` is a draft file that exists, or an agreement on the ledger: its id, its number, or the beginning of its id.
 * revision 0 = the current one. The bytes are checked: strict form, this network's chain, the id and hash
 * the node names. An enum hub_exit, after a message. */
int hub_text_load(struct hub_cli *cli, struct hub_agreement_text *out, const char *what,
                  uint32_t revision);
/* The agreement as the node shows it; *json owned by the caller. An enum hub_exit, after a message. */
int hub_agreement_fetch(struct hub_cli *cli, json_t **json, const char *what);
/* One revision as the node shows it, with the checked bytes of its body. */
int hub_revision_fetch(struct hub_cli *cli, json_t **json, struct hub_agreement_text *out,
                       const char *id, uint32_t revision);
const char *hub_state_words(const struct hub_cli *cli, const char *state);

int hub_agreement_run_show(struct hub_cli *cli, void *own, unsigned argc, char **argv);
int hub_agreement_run_list(struct hub_cli *cli, void *own, unsigned argc, char **argv);
int hub_agreement_run_check(struct hub_cli *cli, void *own, unsigned argc, char **argv);
int hub_agreement_run_export(struct hub_cli *cli, void *own, unsigned argc, char **argv);
struct hub_agreement_options { /* of all commands of the family */
    const char *document[HUB_DOCUMENTS_MAX];
    unsigned documents;
    const char *from, *remark;
    const char *state, *waiting_on, *party, *lead, *number, *area, *due_before;
    uint64_t revision;
    bool sign;
};

/* ---- the sheet */
/* What the body says, for reading before a decision, on standard output (standard error with --json). */
void hub_sheet_print(const struct hub_cli *cli, struct hub_span body);

#endif
