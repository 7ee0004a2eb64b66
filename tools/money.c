#include "tools/money.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { LOT = 1024, REQUEST = 256, RETRIES = 100, RETRY_MS = 300 };
_Static_assert(REQUEST *(HUB_BULK_CORE_MAX + 3 * 1024) <= HUB_BLOCK_BYTES_MAX,
               "a request fits the node's limit");

bool hub_reference_of(uint8_t out[HUB_REFERENCE_BYTES], const char *text)
{
    static const uint8_t zero[HUB_REFERENCE_BYTES];
    struct hub_hash hash;
    if (!*text)
        return false;
    if (!hub_parse_hex(out, HUB_REFERENCE_BYTES, text)) {
        hub_hash_tagged(&hash, "hubledger/reference/1",
                        (struct hub_span){(const uint8_t *)text, strlen(text)});
        memcpy(out, hash.b, HUB_REFERENCE_BYTES);
    }
    return memcmp(out, zero, sizeof zero) != 0;
}

bool hub_reference_new(uint8_t out[HUB_REFERENCE_BYTES])
{
    return getrandom(out, HUB_REFERENCE_BYTES, 0) == HUB_REFERENCE_BYTES;
}

bool hub_own_institution(struct hub_cli *cli, const char *iss, uint16_t *institution,
                         int *exit_code)
{
    struct hub_reply r;
    json_t *item;
    size_t i;
    uint64_t n = 0;
    if (!hub_cli_get(cli, &r, "/v1/members", exit_code))
        return false;
    json_array_foreach(json_object_get(r.json, "items"), i, item)
    {
        if (!strcmp(hub_json_text(item, "code"), iss))
            n = hub_json_number(item, "institution", 0);
    }
    hub_reply_free(&r);
    *institution = (uint16_t)n;
    if (n > 0 && n <= UINT16_MAX)
        return true;
    *exit_code =
        hub_cli_fail(cli, HUB_EXIT_USAGE,
                     HUB_T(cli,
                           "%s runs no institution: sign with an operator's key of one, or give "
                           "--institution N",
                           "%s 不是运营机构：请使用运营机构操作员密钥，或用 --institution N 指定"),
                     iss);
    return false;
}

bool hub_own_reserve(struct hub_cli *cli, uint64_t *number, int *exit_code)
{
    char path[64];
    uint16_t institution;
    struct hub_hints hints;
    struct hub_reply r;
    if (!hub_cli_hints(cli, &hints, exit_code) ||
        !hub_own_institution(cli, hints.iss, &institution, exit_code))
        return false;
    snprintf(path, sizeof path, "/v1/institutions/%u", institution);
    if (!hub_cli_get(cli, &r, path, exit_code))
        return false;
    const bool found = hub_parse_wallet(number, hub_json_text(r.json, "reserve"));
    hub_reply_free(&r);
    if (!found)
        *exit_code = hub_cli_fail(
            cli, HUB_EXIT_USAGE,
            HUB_T(cli,
                  "institution %u has no reserve wallet yet: hubledger wallet open --kind reserve",
                  "机构 %u 尚无准备金钱包：hubledger wallet open --kind reserve"),
            institution);
    return found;
}

void hub_put_reference(struct hub_buf *b, const char *name,
                       const uint8_t reference[HUB_REFERENCE_BYTES])
{
    hub_put_text(b, name);
    hub_put_bytes(b, (struct hub_span){reference, HUB_REFERENCE_BYTES});
}

void hub_put_field_uint(struct hub_buf *b, const char *name, uint64_t value)
{
    hub_put_text(b, name);
    hub_put_uint(b, value);
}

/* ---- many records */

struct
    lot { /* signed records on their way: a quarter of a key's window, so that none is put off for it */
    struct hub_bulk_item *item[LOT];
    struct hub_signed record[LOT];
    bool settled[LOT];
    unsigned count;
};

static void lot_free(struct lot *l)
{
    for (unsigned i = 0; i < l->count; i++)
        free(l->record[i].bytes.data);
    l->count = 0;
}

static int lot_sign(struct hub_cli *cli, struct lot *l, uint16_t type, struct hub_hints *hints,
                    struct hub_bulk_item *item)
{
    const struct hub_signing what = {.type = type, .core = hub_span_of(&item->core)};
    HUB_ASSERT(item->core.len <= HUB_BULK_CORE_MAX);
    const int code = hub_cli_sign(cli, &l->record[l->count], &what, hints);
    if (code != HUB_EXIT_OK)
        return code;
    item->id = l->record[l->count].id;
    l->item[l->count] = item;
    l->settled[l->count++] = false;
    return HUB_EXIT_OK;
}

/* The entries of the next unsettled records from *at on; which[] says where each stands in the lot. */
static unsigned lot_entries(const struct lot *l, struct hub_buf *out, unsigned which[REQUEST],
                            unsigned *at)
{
    unsigned n = 0;
    out->len = 0;
    for (; *at < l->count && n < REQUEST; ++*at) {
        const struct hub_span bytes = hub_span_of(&l->record[*at].bytes);
        if (l->settled[*at])
            continue;
        hub_put_array(out, 2);
        hub_put_bytes(out, bytes);
        hub_put_bytes(out, (struct hub_span){bytes.data, 0});
        which[n++] = *at;
    }
    HUB_ASSERT(!out->full); /* cores are at most HUB_BULK_CORE_MAX bytes */
    return n;
}

static bool put_off(const json_t *answer)
{
    const uint64_t status = hub_json_number(answer, "status", 0);
    return !json_object_get(answer, "state") && (status == 429 || status == 503);
}

/* What the node took or refused for good is settled; a refusal is its outcome. */
static unsigned take_answers(struct lot *l, const unsigned *which, unsigned n, const json_t *items)
{
    unsigned left = 0;
    for (unsigned i = 0; i < n; i++) {
        json_t *answer = json_array_get(items, i);
        if (put_off(answer)) {
            left++;
            continue;
        }
        l->settled[which[i]] = true;
        if (!json_object_get(answer, "state") || !strcmp(hub_json_text(answer, "state"), "final"))
            l->item[which[i]]->outcome = json_incref(answer);
    }
    return left;
}

/* Sends what is not settled; *left is what the node put off. */
static int lot_send(struct hub_cli *cli, struct lot *l, struct hub_buf *buffer, unsigned *left)
{
    unsigned which[REQUEST], n, at = 0;
    *left = 0;
    while ((n = lot_entries(l, buffer, which, &at)) > 0) {
        json_t *items = NULL;
        const int code = hub_cli_submit(cli, hub_span_of(buffer), &items);
        if (code != HUB_EXIT_OK)
            return code == HUB_EXIT_UNREACHABLE ? HUB_EXIT_UNKNOWN : code;
        *left += take_answers(l, which, n, items);
        json_decref(items);
    }
    return HUB_EXIT_OK;
}

static int lot_await(struct hub_cli *cli, struct lot *l)
{
    for (unsigned i = 0; i < l->count; i++) {
        json_t **outcome = &l->item[i]->outcome;
        if (*outcome)
            continue;
        if (hub_cli_await(cli, &l->item[i]->id, cli->wait_ms, outcome) != HUB_EXIT_OK ||
            strcmp(hub_json_text(*outcome, "state"), "final") != 0)
            return HUB_EXIT_UNKNOWN;
    }
    return HUB_EXIT_OK;
}

static int lot_run(struct hub_cli *cli, struct lot *l, struct hub_buf *buffer)
{
    unsigned left = 1;
    int code = HUB_EXIT_OK;
    for (unsigned i = 0; code == HUB_EXIT_OK && left > 0; i++) {
        if (i == RETRIES)
            return hub_cli_fail(cli, HUB_EXIT_UNKNOWN,
                                HUB_T(cli,
                                      "the node stays busy; run the same command again to go on",
                                      "节点持续繁忙；请重新运行同一命令继续"));
        if (i > 0)
            nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
        code = lot_send(cli, l, buffer, &left);
    }
    return code == HUB_EXIT_OK ? lot_await(cli, l) : code;
}

static void progress(const struct hub_cli *cli, unsigned done, unsigned count)
{
    if (!cli->quiet && isatty(STDERR_FILENO))
        fprintf(stderr, "\r%u/%u%s", done, count, done == count ? "\n" : "");
}

int hub_bulk_run(struct hub_cli *cli, uint16_t type, struct hub_bulk_item *items, unsigned count)
{
    struct lot *l = calloc(1, sizeof *l);
    struct hub_buf buffer = {.data = malloc(HUB_BLOCK_BYTES_MAX), .cap = HUB_BLOCK_BYTES_MAX};
    struct hub_hints hints;
    int code = HUB_EXIT_UNREACHABLE;
    bool go = l && buffer.data && hub_cli_hints(cli, &hints, &code);
    for (unsigned i = 0; go && i < count; i++) {
        code = items[i].core.data ? lot_sign(cli, l, type, &hints, &items[i]) : HUB_EXIT_OK;
        if (code == HUB_EXIT_OK && (l->count == LOT || (i + 1 == count && l->count > 0))) {
            code = lot_run(cli, l, &buffer);
            lot_free(l);
        }
        progress(cli, i + 1, count);
        go = code == HUB_EXIT_OK;
    }
    if (l)
        lot_free(l);
    free(l);
    free(buffer.data);
    return code;
}
