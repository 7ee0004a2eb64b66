/* governance_actions.c: the words behind `governance propose`, as the actions of docs/formats.cddl. Each writer puts
 * one map, its fields in the order of their encoding. */
#include "tools/governance.h"

#include "hub/governance.h"
#include "hub/limits.h"
#include "tools/founding.h"

#include <stdlib.h>
#include <string.h>

const char hub_actions_help[] =
    "  admit CARD [validating]\n"
    "  suspend MEMBER REASON\n"
    "  restore MEMBER\n"
    "  remove MEMBER\n"
    "  succeed MEMBER NEW_CODE NAME_ZH [NAME_EN]\n"
    "  validators QUORUM bft|all-of-3|crash-1of3|single KEY..   (key ids or key files)\n"
    "  parameter NAME VALUE\n"
    "  governor MEMBER KEYFILE\n"
    "  version VERSION HEIGHT\n"
    "Several at once are separated by +: remove MEMBER + validators ..";

struct words {
    unsigned n;
    char **word; /* behind the verb */
};

static int bad_value(struct hub_cli *cli, const char *value)
{
    return hub_cli_fail(cli, HUB_EXIT_USAGE,
                        HUB_T(cli, "'%s' is not of the form this action needs:\n%s",
                              "“%s”不符合该事项的格式：\n%s"),
                        value, hub_actions_help);
}

/* ---- admit */

static bool is_node(struct hub_span grant)
{
    struct hub_cbor c;
    uint32_t n = 0;

    return hub_field_array(grant, "roles", &c, &n) && n == 1 &&
           hub_span_equal(hub_cbor_text(&c, 1, 64), hub_text_span("validator"));
}

static int put_card(struct hub_cli *cli, struct hub_buf *b, const struct hub_card *card,
                    bool validating, const char *path)
{
    struct hub_hash kid = {{0}};
    bool found = false;

    for (unsigned i = 0; i < card->grants && !found; i++)
        if (is_node(card->grant[i])) {
            hub_hash_span(&kid, hub_field_span(card->grant[i], "key"));
            found = true;
        }
    if (hub_field_has(card->member, "quota") || card->grants > HUB_ADMIT_KEYS_MAX ||
        (validating && !found))
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli,
                                  "%s: a card for admission has no quota, at most %d keys, and, "
                                  "for `validating`, a validator key",
                                  "%s：用于接纳的名片不得含额度，密钥至多 %d "
                                  "把；validating 须含共识节点密钥"),
                            path, HUB_ADMIT_KEYS_MAX);
    hub_put_map(b, validating ? 3 : 2);
    hub_put_text(b, "keys");
    hub_put_array(b, card->grants);
    for (unsigned i = 0; i < card->grants; i++)
        hub_put_raw(b, card->grant[i]);
    hub_put_text(b, "admit");
    hub_put_raw(b, card->member);
    if (validating) {
        hub_put_text(b, "validator");
        hub_put_hash(b, &kid);
    }
    return HUB_EXIT_OK;
}

static int put_admit(struct hub_cli *cli, struct hub_buf *b, struct words w)
{
    const bool validating = w.n == 2;
    struct hub_buf bytes = {0};
    struct hub_card card;
    const char *why = "";
    int code = HUB_EXIT_UNREACHABLE;

    if (w.n > 2 || (validating && strcmp(w.word[1], "validating") != 0))
        return bad_value(cli, w.word[w.n - 1]);
    if (!hub_cli_read_file(cli, &bytes, w.word[0], HUB_CARD_BYTES_MAX))
        return code;
    if (hub_card_read(&card, &why, hub_span_of(&bytes)))
        code = put_card(cli, b, &card, validating, w.word[0]);
    else
        code = hub_cli_fail(cli, HUB_EXIT_USAGE, "%s: %s", w.word[0], why);
    free(bytes.data);
    return code;
}

/* ---- members */

static int put_suspend(struct hub_cli *cli, struct hub_buf *b, struct words w)
{
    (void)cli;
    hub_put_map(b, 2);
    hub_put_text(b, "reason");
    hub_put_text(b, w.word[1]);
    hub_put_text(b, "suspend");
    hub_put_text(b, w.word[0]);
    return HUB_EXIT_OK;
}

static int put_restore(struct hub_cli *cli, struct hub_buf *b, struct words w)
{
    (void)cli;
    hub_put_map(b, 1);
    hub_put_text(b, "restore");
    hub_put_text(b, w.word[0]);
    return HUB_EXIT_OK;
}

static int put_remove(struct hub_cli *cli, struct hub_buf *b, struct words w)
{
    (void)cli;
    hub_put_map(b, 1);
    hub_put_text(b, "remove");
    hub_put_text(b, w.word[0]);
    return HUB_EXIT_OK;
}

static int put_succeed(struct hub_cli *cli, struct hub_buf *b, struct words w)
{
    (void)cli;
    hub_put_map(b, 3);
    hub_put_text(b, "code");
    hub_put_text(b, w.word[1]);
    hub_put_text(b, "names");
    hub_put_map(b, w.n == 4 ? 2 : 1);
    if (w.n == 4) {
        hub_put_text(b, "en");
        hub_put_text(b, w.word[3]);
    }
    hub_put_text(b, "zh");
    hub_put_text(b, w.word[2]);
    hub_put_text(b, "succeed");
    hub_put_text(b, w.word[0]);
    return HUB_EXIT_OK;
}

static int put_governor(struct hub_cli *cli, struct hub_buf *b, struct words w)
{
    uint8_t cose_key[HUB_COSE_KEY_BYTES];
    struct hub_keyfile k;
    const char *why = "";

    if (hub_keyfile_show(&k, w.word[1], &why) != HUB_OK)
        return hub_cli_fail(cli, HUB_EXIT_UNREACHABLE, "%s: %s", w.word[1], hub_cli_why(cli, why));
    hub_cose_key_encode(cose_key, &k.key);
    hub_put_map(b, 2);
    hub_put_text(b, "key");
    hub_put_map(b, 3);
    hub_put_text(b, "key");
    hub_put_bytes(b, (struct hub_span){cose_key, sizeof cose_key});
    hub_put_text(b, "label");
    hub_put_text(b, k.label);
    hub_put_text(b, "roles");
    hub_put_array(b, 1);
    hub_put_text(b, "governor");
    hub_put_text(b, "governor");
    hub_put_text(b, w.word[0]);
    return HUB_EXIT_OK;
}

/* ---- validators, parameters, versions */

bool hub_kid_of_word(struct hub_hash *kid, const char *text)
{
    struct hub_keyfile k;
    const char *why = "";

    if (hub_parse_hex(kid->b, sizeof kid->b, text))
        return true;
    if (hub_keyfile_show(&k, text, &why) != HUB_OK)
        return false;
    *kid = k.kid;
    return true;
}

static int put_validators(struct hub_cli *cli, struct hub_buf *b, struct words w)
{
    uint64_t quorum;

    if (!hub_parse_uint(&quorum, w.word[0], HUB_VALIDATORS_MAX))
        return bad_value(cli, w.word[0]);
    hub_put_map(b, 3);
    hub_put_text(b, "quorum");
    hub_put_uint(b, quorum);
    hub_put_text(b, "validators");
    hub_put_array(b, w.n - 2);
    for (unsigned i = 2; i < w.n; i++) {
        struct hub_hash kid;

        if (!hub_kid_of_word(&kid, w.word[i]))
            return bad_value(cli, w.word[i]);
        hub_put_hash(b, &kid);
    }
    hub_put_text(b, "fault_model");
    hub_put_text(b, w.word[1]);
    return HUB_EXIT_OK;
}

static int put_parameter(struct hub_cli *cli, struct hub_buf *b, struct words w)
{
    uint64_t value;

    if (!hub_parse_uint(&value, w.word[1], HUB_UINT_MAX))
        return bad_value(cli, w.word[1]);
    hub_put_map(b, 2);
    hub_put_text(b, "value");
    hub_put_uint(b, value);
    hub_put_text(b, "parameter");
    hub_put_text(b, w.word[0]);
    return HUB_EXIT_OK;
}

static int put_version(struct hub_cli *cli, struct hub_buf *b, struct words w)
{
    uint64_t version, height;

    if (!hub_parse_uint(&version, w.word[0], UINT16_MAX))
        return bad_value(cli, w.word[0]);
    if (!hub_parse_uint(&height, w.word[1], HUB_UINT_MAX))
        return bad_value(cli, w.word[1]);
    hub_put_map(b, 2);
    hub_put_text(b, "height");
    hub_put_uint(b, height);
    hub_put_text(b, "version");
    hub_put_uint(b, version);
    return HUB_EXIT_OK;
}

/* ---- all */

static const struct {
    const char *verb;
    unsigned words_min, words_max;
    int (*put)(struct hub_cli *, struct hub_buf *, struct words);
} verbs[] = {
    {"admit", 1, 2, put_admit},         {"suspend", 2, 2, put_suspend},
    {"restore", 1, 1, put_restore},     {"remove", 1, 1, put_remove},
    {"succeed", 3, 4, put_succeed},     {"validators", 3, 2 + HUB_VALIDATORS_MAX, put_validators},
    {"parameter", 2, 2, put_parameter}, {"governor", 2, 2, put_governor},
    {"version", 2, 2, put_version},
};

static int put_action(struct hub_cli *cli, struct hub_buf *out, unsigned n, char **word)
{
    for (size_t i = 0; n > 0 && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].verb, word[0]) == 0 && n - 1 >= verbs[i].words_min &&
            n - 1 <= verbs[i].words_max)
            return verbs[i].put(cli, out, (struct words){n - 1, word + 1});
    return bad_value(cli, n > 0 ? word[0] : "+");
}

int hub_actions_parse(struct hub_cli *cli, struct hub_buf *out, unsigned argc, char **argv)
{
    unsigned count = 1, from = 0;
    int code = HUB_EXIT_OK;

    for (unsigned i = 0; i < argc; i++)
        count += strcmp(argv[i], "+") == 0;
    hub_put_array(out, count);
    for (unsigned i = 0; i <= argc && code == HUB_EXIT_OK; i++)
        if (i == argc || strcmp(argv[i], "+") == 0) {
            code = put_action(cli, out, i - from, argv + from);
            from = i + 1;
        }
    if (code == HUB_EXIT_OK && out->full)
        return hub_cli_fail(cli, HUB_EXIT_USAGE,
                            HUB_T(cli, "the actions take more than %d bytes: make two proposals",
                                  "事项超过 %d 字节，请拆分为多个提案"),
                            HUB_ACTIONS_BYTES_MAX);
    return code;
}
