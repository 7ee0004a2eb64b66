/* csv.h: tables people make with a spreadsheet (RFC 4180, UTF-8 with or without BOM), read row by row in place,
 * and the result files written beside them. The first row names the columns; their order does not matter. */
#ifndef HUB_CSV_H
#define HUB_CSV_H

#include "tools/cli.h"

enum { HUB_CSV_FIELDS_MAX = 32, HUB_CSV_BYTES_MAX = 16 << 20 };

struct
    hub_csv { /* a cursor over the file's bytes, which it changes: quotes are taken out, fields end in NUL */
    char *at, *end;
    unsigned line;            /* of the row read last, from 1 */
    const char *why, *why_zh; /* NULL, or what is wrong in that line; static storage */
    char *field[HUB_CSV_FIELDS_MAX];
    unsigned fields;
    int column[HUB_CSV_FIELDS_MAX]; /* place of each wanted column, -1 = not there */
};
/* text: owned by the caller, at least one byte of room behind len. Reads the header: names ends with NULL, the
 * first `required` of them must be there, and no other column may. False: why says it. */
bool hub_csv_open(struct hub_csv *c, char *text, size_t len, const char *const *names,
                  unsigned required);
/* The next row that is not blank; false at the end, and with why when a row is damaged. */
bool hub_csv_next(struct hub_csv *c);
/* The row's text in the i-th wanted column, without white space around it; "" where the table lacks it. */
const char *hub_csv_get(const struct hub_csv *c, unsigned i);

/* One row: fields[n], quoted where they must be. */
void hub_csv_put(FILE *out, const char *const *fields, unsigned n);
/* Writes `text` (owned by the caller) with a BOM to NAME.result.csv (NAME.csv being path) in place of an older one. */
bool hub_csv_write_result(const struct hub_cli *cli, const char *path, const char *text,
                          size_t len);
/* A result file is there; one is open when a row of it is still "unknown": its run was interrupted. */
bool hub_csv_result_exists(const char *path);
bool hub_csv_result_is_open(const char *path);

#endif
