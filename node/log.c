/* log.c: see log.h. A line is built in one buffer and written with one call, so that lines of threads do not mix. */
#include "node/log.h"

#include "node/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 2048 };
static enum hub_log_level lowest_level = HUB_LOG_INFO;

struct line {
    char text[LINE_BYTES];
    size_t len;
    bool full; /* something found no room: what was begun is taken back */
};

void hub_log_open(enum hub_log_level lowest)
{
    lowest_level = lowest;
}

static void add(struct line *l, const char *text)
{
    const size_t len = strlen(text);
    if (len > sizeof l->text - 2 - l->len) { /* room for the end of the line is always left */
        l->full = true;
        return;
    }
    memcpy(l->text + l->len, text, len);
    l->len += len;
}

static void add_escaped(struct line *l, const char *text)
{
    add(l, "\"");
    for (; *text; text++) {
        char one[8] = {*text, 0};
        if (*text == '"' || *text == '\\')
            snprintf(one, sizeof one, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            snprintf(one, sizeof one, "\\u%04x", (unsigned)(unsigned char)*text);
        add(l, one);
    }
    add(l, "\"");
}

static void add_time(struct line *l)
{
    const uint64_t ms = hub_clock_wall_ms();
    const time_t s = (time_t)(ms / 1000);
    struct tm tm;
    char text[64];
    gmtime_r(&s, &tm);
    const size_t len = strftime(text, sizeof text, "{\"time\":\"%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + len, sizeof text - len, ".%03uZ\"", (unsigned)(ms % 1000));
    add(l, text);
}

void hub_log_write(enum hub_log_level level, const char *event, const struct hub_log_field *field,
                   size_t fields)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    struct line l = {.len = 0};
    if (level < lowest_level)
        return;
    add_time(&l);
    add(&l, ",\"level\":\"");
    add(&l, names[level]);
    add(&l, "\",\"event\":");
    add_escaped(&l, event);
    for (size_t i = 0; i < fields; i++) {
        const size_t before = l.len;
        char number[24];
        snprintf(number, sizeof number, "%llu", (unsigned long long)field[i].number);
        add(&l, ",");
        add_escaped(&l, field[i].name);
        add(&l, ":");
        if (field[i].text)
            add_escaped(&l, field[i].text);
        else
            add(&l, number);
        if (l.full) /* a line that is no JSON tells a program nothing */
            l.len = before, l.full = false;
    }
    memcpy(l.text + l.len, "}\n", 2);
    if (write(STDERR_FILENO, l.text, l.len + 2) < 0)
        return; /* nobody is left to tell */
}

const char *hub_log_hash(char out[17], const struct hub_hash *h)
{
    for (int i = 0; i < 8; i++)
        snprintf(out + 2 * i, 3, "%02x", h->b[i]);
    return out;
}
