#include "tools/csv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool bad(struct hub_csv *c, const char *en, const char *zh)
{
    c->why = en;
    c->why_zh = zh;
    return false;
}

/* Behind the opening quote: "" is a quote, a single one ends the field. */
static bool quoted_field(struct hub_csv *c, char **out)
{
    char *to = c->at;
    *out = to;
    for (;;) {
        if (c->at == c->end)
            return bad(c, "a quote is not closed", "引号未闭合");
        if (*c->at == '"' && (++c->at == c->end || *c->at != '"'))
            break;
        if (*c->at == '\n')
            c->line++;
        *to++ = *c->at++;
    }
    if (c->at < c->end && *c->at != ',' && *c->at != '\r' && *c->at != '\n')
        return bad(c, "characters behind a closing quote", "闭合引号后有多余字符");
    *to = 0; /* the closing quote's place, at the latest */
    return true;
}

static void plain_field(struct hub_csv *c, char **out)
{
    *out = c->at;
    while (c->at < c->end && *c->at != ',' && *c->at != '\r' && *c->at != '\n')
        c->at++;
}

/* Reads one row; its separators become NULs once they are passed. */
static bool read_row(struct hub_csv *c)
{
    c->fields = 0;
    c->line++;
    for (;;) {
        if (c->fields == HUB_CSV_FIELDS_MAX)
            return bad(c, "more than 32 columns", "超过 32 列");
        if (c->at < c->end && *c->at == '"') {
            c->at++;
            if (!quoted_field(c, &c->field[c->fields]))
                return false;
        } else {
            plain_field(c, &c->field[c->fields]);
        }
        c->fields++;
        const char separator = c->at < c->end ? *c->at : '\n';
        *c->at = 0; /* at the end: the byte of room behind */
        if (c->at < c->end)
            c->at++;
        if (separator == ',')
            continue;
        if (separator == '\r' && c->at < c->end && *c->at == '\n')
            c->at++;
        return true;
    }
}

static char *trim(char *text)
{
    size_t n;
    text += strspn(text, " \t");
    for (n = strlen(text); n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'); n--)
        text[n - 1] = 0;
    return text;
}

bool hub_csv_next(struct hub_csv *c)
{
    do {
        if (c->why || c->at == c->end || !read_row(c))
            return false;
        for (unsigned i = 0; i < c->fields; i++)
            c->field[i] = trim(c->field[i]);
    } while (c->fields == 1 && !*c->field[0]);
    return true;
}

const char *hub_csv_get(const struct hub_csv *c, unsigned i)
{
    const int at = c->column[i];
    return at >= 0 && (unsigned)at < c->fields ? c->field[at] : "";
}

static bool known_columns(struct hub_csv *c, const char *const *names)
{
    for (unsigned f = 0; f < c->fields; f++) {
        unsigned i = 0;
        while (names[i] && strcmp(names[i], c->field[f]) != 0)
            i++;
        if (!names[i])
            return bad(c, "the first row has a column this command does not know; see --help",
                       "首行含有未知列名；见 --help");
        if (c->column[i] >= 0)
            return bad(c, "the first row names a column twice", "首行列名重复");
        c->column[i] = (int)f;
    }
    return true;
}

bool hub_csv_open(struct hub_csv *c, char *text, size_t len, const char *const *names,
                  unsigned required)
{
    static const char bom[] = "\xef\xbb\xbf";
    *c = (struct hub_csv){.at = text, .end = text + len};
    for (unsigned i = 0; i < HUB_CSV_FIELDS_MAX; i++)
        c->column[i] = -1;
    if (memchr(text, 0, len))
        return bad(c, "not a text file", "不是文本文件");
    if (len >= 3 && !memcmp(text, bom, 3))
        c->at += 3;
    if (!hub_csv_next(c))
        return c->why ? false : bad(c, "the file is empty", "文件为空");
    if (!known_columns(c, names))
        return false;
    for (unsigned i = 0; i < required; i++)
        if (c->column[i] < 0)
            return bad(c, "the first row lacks a column this command needs; see --help",
                       "首行缺少必需的列；见 --help");
    return true;
}

void hub_csv_put(FILE *out, const char *const *fields, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const char *text = fields[i];
        const bool quote = strpbrk(text, ",\"\r\n") != NULL;
        if (i > 0)
            putc(',', out);
        if (quote)
            putc('"', out);
        for (; *text; text++) {
            if (*text == '"')
                putc('"', out);
            putc(*text, out);
        }
        if (quote)
            putc('"', out);
    }
    fputs("\r\n", out);
}

static bool result_path(char *out, size_t cap, const char *path)
{
    const size_t n = strlen(path), ext = n > 4 && !strcmp(path + n - 4, ".csv") ? 4 : 0;
    const int len = snprintf(out, cap, "%.*s.result.csv", (int)(n - ext), path);
    return len > 0 && (size_t)len < cap;
}

bool hub_csv_write_result(const struct hub_cli *cli, const char *path, const char *text, size_t len)
{
    char name[4096];
    if (!result_path(name, sizeof name, path))
        return false;
    struct hub_buf b = {.data = malloc(len + 3), .cap = len + 3};
    if (!b.data)
        return false;
    memcpy(b.data, "\xef\xbb\xbf", 3); /* so that spreadsheets read it as UTF-8 */
    memcpy(b.data + 3, text, len);
    b.len = len + 3;
    const bool ok = hub_cli_write_file(cli, name, hub_span_of(&b), true);
    free(b.data);
    return ok;
}

bool hub_csv_result_exists(const char *path)
{
    char name[4096];
    return result_path(name, sizeof name, path) && access(name, F_OK) == 0;
}

bool hub_csv_result_is_open(const char *path)
{
    char name[4096], line[4096];
    bool open = false;
    FILE *f = result_path(name, sizeof name, path) ? fopen(name, "r") : NULL;
    while (f && !open && fgets(line, sizeof line, f))
        open = strstr(line, ",unknown,") != NULL;
    if (f)
        fclose(f);
    return open;
}
