/* chinese.c: every sentence of a key file's troubles is there in Chinese; the list is what its source says. */
#include "tools/cli.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char source[1 << 16];

static void read_source(const char *path)
{
    FILE *f = fopen(path, "r");
    cr_assert(f, "%s: run from the root of the project", path);
    source[fread(source, 1, sizeof source - 1, f)] = 0;
    fclose(f);
}

/* The next text that goes to `why`, either as `why, "..."` or as `*why = "..."`, from *at on; false at the end. */
static bool next_sentence(const char **at, char out[256])
{
    while ((*at = strstr(*at, "why")) != NULL) {
        *at += 3;
        const char *quote = *at + strspn(*at, ", =\n");
        const size_t len = *quote == '"' ? strcspn(quote + 1, "\"") : 0;
        if (!len || quote == *at || len >= 256)
            continue;
        memcpy(out, quote + 1, len);
        out[len] = 0;
        return true;
    }
    return false;
}

Test(chinese, says_all_that_a_key_file_can_say)
{
    const struct hub_cli en = {.zh = false}, zh = {.zh = true};
    unsigned count = 0;
    char sentence[256];

    read_source("crypto/keyfile.c");
    for (const char *at = source; next_sentence(&at, sentence); count++) {
        cr_assert_str_neq(hub_cli_why(&zh, sentence), sentence, "not in Chinese: %s", sentence);
        cr_assert_str_eq(hub_cli_why(&en, sentence), sentence);
    }
    cr_assert_geq(count, 18);
    cr_assert_str_eq(hub_cli_why(&zh, "anything else"), "anything else");
}

/* The next string literal, pieces joined, from *at on; false at the end. Comments of these sources hold no quotes that do
 * not close. */
static bool next_literal(const char **at, char out[512])
{
    size_t len = 0;
    const char *p = strchr(*at, '"');
    if (!p)
        return false;
    while (*p == '"') {
        for (p++; *p && *p != '"' && len < 511; p++)
            out[len++] = *p;
        p += *p == '"';
        *at = p;
        p += strspn(p, " \n");
    }
    out[len] = 0;
    return true;
}

/* "links: too few ..": one word, a colon, and a sentence that ends there. */
static bool is_verdict(const char *text)
{
    const size_t word = strspn(text, "abcdefghijklmnopqrstuvwxyz.");
    return word && strncmp(text + word, ": ", 2) == 0 && strchr(text + word + 2, ' ') &&
           !strchr(text, '%');
}

Test(chinese, says_all_that_a_check_of_a_file_can_say)
{
    static const char *const sources[] = {"ledger/genesis.c",  "ledger/grant.c",
                                          "ledger/link.c",     "ledger/receipt.c",
                                          "ledger/evidence.c", "tools/founding.c"};
    const struct hub_cli zh = {.zh = true};
    unsigned count = 0;
    char sentence[512];

    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        read_source(sources[i]);
        for (const char *at = source; next_literal(&at, sentence);)
            if (is_verdict(sentence)) {
                count++;
                cr_expect_str_neq(hub_cli_why(&zh, sentence), sentence, "%s: not in Chinese: %s",
                                  sources[i], sentence);
            }
    }
    cr_assert_geq(count, 100);
}
