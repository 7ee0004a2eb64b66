/* log.c: every line of the log is one JSON object, however long its texts are. */
#include "node/log.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What is written to the log while `text` is logged between two short fields; release with json_decref. */
static json_t *line_with(const char *text)
{
    FILE *out = tmpfile();
    const int saved = dup(STDERR_FILENO);
    cr_assert(out && saved >= 0 && dup2(fileno(out), STDERR_FILENO) >= 0);
    HUB_LOG(ERROR, "tried", HUB_LOG_TEXT("text", text), HUB_LOG_NUMBER("number", 7));
    cr_assert(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    rewind(out);
    json_error_t error;
    json_t *line = json_loadf(out, 0, &error);
    cr_assert(line, "not JSON: %s", error.text);
    fclose(out);
    return line;
}

Test(log, texts_are_escaped)
{
    json_t *line = line_with("a \"b\" \\ \n 相城区");
    cr_assert_str_eq(json_string_value(json_object_get(line, "text")), "a \"b\" \\ \n 相城区");
    cr_assert_str_eq(json_string_value(json_object_get(line, "event")), "tried");
    cr_assert_eq(json_integer_value(json_object_get(line, "number")), 7);
    json_decref(line);
}

Test(log, a_field_without_room_is_left_out_and_the_line_stays_whole)
{
    static char text[4096];
    bool kept = true;
    for (size_t len = 1800; len < sizeof text; len++) { /* the line ends everywhere once */
        memset(text, 'x', len);
        json_t *line = line_with(text);
        const json_t *got = json_object_get(line, "text");
        cr_assert(!got || json_string_length(got) == len);
        cr_assert(kept || !got, "a longer text fits where a shorter did not");
        cr_assert(got || json_integer_value(json_object_get(line, "number")) == 7);
        kept = got != NULL;
        json_decref(line);
    }
    cr_assert(!kept);
}
