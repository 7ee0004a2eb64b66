/* docs/formats.cddl is the normative text of every body; the field tables are what the ledger checks. Each
 * table is rendered as CDDL here and must stand in the document, letter for letter. A table that changes
 * fails this test until the document says the same; the output of the failure is what to write there. */
#include "tests/support/council.h"
#include "tests/support/currency_world.h"
#include "tests/support/desk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Maps that have a rule of their own in the document, by the field that holds them. */
static const struct {
    const char *field, *rule;
} named[] = {{"body", "agreement-body"},   {"consent", "consent-part"},
             {"parties", "party"},         {"areas", "area"},
             {"documents", "document"},    {"milestones", "milestone"},
             {"rules", "agreement-rules"}, {"limits", "limits"},
             {"key", "new-key"},           {"keys", "new-key"},
             {"actions", "action"},        {"admit", "new-member"}};

/* What a table calls RAW because a check function looks at it. */
static const struct {
    const char *field, *type;
} raw[] = {{"signature", "consent-signature"},
           {"need", "\"all\" / \"lead\" / 1..32"},
           {"retention", "\"permanent\" / 30 / 10"}};

static const char *document; /* the whole file */
static char text[1 << 16];
static size_t used;

static void put(const char *s)
{
    size_t n = strlen(s);

    cr_assert_lt(used + n, sizeof text);
    memcpy(text + used, s, n + 1);
    used += n;
}

static void put_number(uint64_t v)
{
    char digits[32];

    snprintf(digits, sizeof digits, "%llu", (unsigned long long)v);
    put(digits);
}

static void put_range(const char *before, uint64_t min, uint64_t max, const char *after)
{
    put(before);
    put_number(min);
    if (min != max) {
        put("..");
        put_number(max);
    }
    put(after);
}

static void put_string(const char *kind, const struct hub_field *f)
{
    put(kind);
    if (f->min == f->max)
        put_range(" .size ", f->min, f->max, "");
    else
        put_range(" .size (", f->min, f->max, ")");
}

static void put_enum(const struct hub_field *f)
{
    for (size_t i = 0; f->names[i] != NULL; i++) {
        put(i > 0 ? " / \"" : "\"");
        put(f->names[i]);
        put("\"");
    }
}

static const char *rule_of(const char *field)
{
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (field != NULL && strcmp(named[i].field, field) == 0)
            return named[i].rule;
    return NULL;
}

static void put_raw_type(const char *field)
{
    for (size_t i = 0; i < sizeof raw / sizeof raw[0]; i++)
        if (strcmp(raw[i].field, field) == 0) {
            put(raw[i].type);
            return;
        }
    cr_assert_fail("RAW field %s has no type in this test", field);
}

static void put_map(const struct hub_field *fields, const char *separator);

/* name: of the field, or of the array that holds this element. */
static void put_type(const struct hub_field *f, const char *name)
{
    static const char *const simple[] = {
        [HUB_FIELD_AMOUNT] = "amount",    [HUB_FIELD_TIME] = "time",
        [HUB_FIELD_WALLET] = "wallet",    [HUB_FIELD_BOOL] = "bool",
        [HUB_FIELD_CODE] = "code",        [HUB_FIELD_DATE] = "date",
        [HUB_FIELD_HASH] = "hash",        [HUB_FIELD_REF] = "ref",
        [HUB_FIELD_COSE_KEY] = "cose-key"};

    switch (f->kind) {
    case HUB_FIELD_UINT:
        put_range("", f->min, f->max, "");
        return;
    case HUB_FIELD_TEXT:
        put_string("tstr", f);
        return;
    case HUB_FIELD_BYTES:
        put_string("bstr", f);
        return;
    case HUB_FIELD_ENUM:
        put_enum(f);
        return;
    case HUB_FIELD_RAW:
        put_raw_type(name);
        return;
    case HUB_FIELD_ARRAY:
        put("[");
        put_number(f->min);
        put("*");
        put_number(f->max);
        put(" ");
        put_type(f->sub, name);
        put("]");
        return;
    case HUB_FIELD_NESTED:
        put("bstr .cbor ");
        put(rule_of(name));
        return;
    case HUB_FIELD_MAP:
        if (rule_of(name) != NULL)
            put(rule_of(name));
        else
            put_map(f->sub, " ");
        return;
    default:
        put(simple[f->kind]);
    }
}

static void put_map(const struct hub_field *fields, const char *separator)
{
    put("{");
    for (const struct hub_field *f = fields; f->name != NULL; f++) {
        put(separator);
        put(f->required ? "\"" : "? \"");
        put(f->name);
        put("\": ");
        put_type(f, f->name);
        put(f[1].name != NULL ? "," : separator[0] == '\n' ? "\n" : " ");
    }
    put("}");
}

static void expect_rule(const char *name, const struct hub_field *fields)
{
    used = 0;
    put("\n");
    put(name);
    put(" = ");
    put_map(fields, "\n  ");
    put("\n");
    cr_expect_not_null(strstr(document, text), "not in docs/formats.cddl:\n%s", text);
}

/* The named maps inside a table; tables are finite trees. */
static void expect_named(const struct hub_field *fields)
{
    const struct hub_field *pending[64];
    size_t n = 0;

    pending[n++] = fields;
    while (n > 0) {
        const struct hub_field *f = pending[--n];

        for (; f->name != NULL; f++) {
            const struct hub_field *map = f->kind == HUB_FIELD_ARRAY ? f->sub : f;

            if (map->kind != HUB_FIELD_MAP && map->kind != HUB_FIELD_NESTED)
                continue;
            if (rule_of(f->name) != NULL)
                expect_rule(rule_of(f->name), map->sub);
            cr_assert_lt(n, 64);
            pending[n++] = map->sub;
        }
    }
}

static void load(void)
{
    static char file[1 << 17];
    FILE *f = fopen("docs/formats.cddl", "r");
    size_t n;

    cr_assert_not_null(f, "docs/formats.cddl: run from the root of the project");
    n = fread(file, 1, sizeof file - 1, f);
    cr_assert(n > 0 && n < sizeof file - 1);
    fclose(f);
    document = file;
}

static const struct parameter {
    const char *name;
    uint64_t min, max;
} parameters[] = {
#define HUB_PARAMETER(id, name, value, min, max) {name, min, max},
#include "hub/parameters.def"
#undef HUB_PARAMETER
};
enum { PARAMETERS = sizeof parameters / sizeof parameters[0] };

/* Encoding order of text keys: shorter first, then bytewise. */
static int by_encoding(const void *a, const void *b)
{
    const struct parameter *x = a, *y = b;
    size_t n = strlen(x->name), m = strlen(y->name);

    return n != m ? (n > m) - (n < m) : strcmp(x->name, y->name);
}

Test(formats, the_document_spells_every_body_as_its_table_does)
{
    load();
    for (size_t t = 0; t < HUB_RECORD_TYPES; t++) {
        char name[64];

        snprintf(name, sizeof name, "%s", hub_record_types[t].name);
        for (char *c = name; *c != '\0'; c++)
            if (*c == '.')
                *c = '-';
        expect_rule(name, hub_record_types[t].fields);
        expect_named(hub_record_types[t].fields);
    }
}

Test(formats, the_document_lists_every_parameter_and_record_type)
{
    struct parameter sorted[PARAMETERS];

    load();
    memcpy(sorted, parameters, sizeof sorted);
    qsort(sorted, PARAMETERS, sizeof sorted[0], by_encoding);
    used = 0;
    put("\nparameters = {");
    for (size_t i = 0; i < PARAMETERS; i++) {
        put("\n  ? \"");
        put(sorted[i].name);
        put_range("\": ", sorted[i].min, sorted[i].max, i + 1 < PARAMETERS ? "," : "\n}\n");
    }
    cr_expect_not_null(strstr(document, text), "not in docs/formats.cddl:\n%s", text);
    used = 0;
    put("\nrecord-type = ");
    for (size_t t = 0; t < HUB_RECORD_TYPES; t++) {
        put(t > 0 ? "\n  / \"application/vnd.hubledger." : "\"application/vnd.hubledger.");
        put(hub_record_types[t].name);
        put("+cbor\"");
    }
    put("\n");
    cr_expect_not_null(strstr(document, text), "not in docs/formats.cddl:\n%s", text);
}

/* ---- rows: every row of two states that used all record types, matched with section 13 by cddl.py */

static void print_rows(FILE *f, const struct hub_state *s)
{
    for (int t = 0; t < HUB_TABLES; t++)
        for (uint32_t i = 0; i < s->count[t]; i++) {
            struct hub_span row = hub_state_row(s, (enum hub_table)t, i);

            fprintf(f, "row.%d.%u ", t, i);
            for (size_t n = 0; n < row.len; n++)
                fprintf(f, "%02x", row.data[n]);
            fprintf(f, "\n");
        }
}

static void expect_rows(const struct hub_state *s)
{
    FILE *f = popen("tests/vectors/cddl.py -", "w");

    cr_assert_not_null(f);
    print_rows(f, s);
    cr_assert_eq(pclose(f), 0, "tests/vectors/cddl.py names the rows that differ");
}

Test(formats, rows_of_agreements_follow_the_document)
{
    struct desk *d = desk_open();
    struct hub_draft draft = desk_draft(d, 1), next;

    cr_assert_eq(desk_propose(d, &draft, 1, XIANGCHENG, true), 0);
    cr_assert_eq(desk_decide(d, &draft.agreement, JIADING, HUB_DECISION_RETURN, "第三条请改"), 0);
    next = desk_next(d, &draft);
    cr_assert_eq(desk_amend(d, &next, XIANGCHENG, true), 0);
    cr_assert_eq(desk_decide(d, &draft.agreement, CHANGNING, HUB_DECISION_SIGN, NULL), 0);
    cr_assert_eq(desk_decide(d, &draft.agreement, JIADING, HUB_DECISION_SIGN, "同意"), 0);
    cr_assert_gt(d->state.count[HUB_TABLE_CONSENTS], 3);
    expect_rows(&d->state);
}

Test(formats, rows_of_the_currency_follow_the_document)
{
    static struct world w;
    struct hub_limits limits = {
        {HUB_LIMIT_NONE, 5000, HUB_LIMIT_NONE, HUB_LIMIT_NONE, 90000, 0, 1, 2, 3, 4}};
    struct world_opening corporate = {
        .institution = WORLD_BANK, .kind = HUB_WALLET_KIND_CORPORATE, .limits = &limits};
    struct world_opening sub = {.institution = WORLD_BANK, .kind = HUB_WALLET_KIND_SUB, .tier = 2};
    struct world_body body;
    uint64_t payer, payee, own;

    world_open(&w, true);
    payer = world_wallet(&w, WORLD_BANK, HUB_WALLET_KIND_PERSONAL, 2);
    payee = world_wallet_of(&w, corporate, KEY_HOLDER);
    sub.parent = payer;
    sub.owner = hub_get_be64(world_read(&w, payer).owner + 8);
    own = world_wallet_of(&w, sub, -1);
    world_fund(&w, payer, 10000);
    body = world_transfer(payer, own, 100, 7);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), 0);
    world_entry(&w, payer, payee, 10);
    body = world_batch(&w, WORLD_BANK, 9, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), 0);
    cr_assert(w.state.count[HUB_TABLE_CHILDREN] > 0 && w.state.count[HUB_TABLE_BATCHES] > 0);
    cr_assert(w.state.count[HUB_TABLE_REFERENCES] > 2 &&
              w.state.count[HUB_TABLE_LIMITS] > HUB_TIERS);
    expect_rows(&w.state);
    world_close(&w);
}

Test(formats, rows_of_governance_follow_the_document)
{
    static const struct council_plan four = {
        .voters = 4, .validators = 4, .quorum = 3, .model = HUB_FAULT_BFT};
    static struct council c;
    uint8_t bytes[128];
    struct hub_buf actions = {bytes, 0, sizeof bytes, false};

    council_open(&c, &four);
    council_ready(&c, 0, 4);
    c.cosigns = 1;
    c.cosign[0] = council_spare(0);
    cr_assert_eq(council_run(&c, HUB_TYPE_VALIDATOR_REPLACE, council_governor(0),
                             council_replace_body(&c, council_validator(0), council_spare(0),
                                                  council_spare(0))),
                 0);
    hub_put_array(&actions, 1);
    hub_put_map(&actions, 3);
    hub_put_text(&actions, "code");
    hub_put_text(&actions, "MERGED");
    hub_put_text(&actions, "names");
    hub_put_map(&actions, 1);
    hub_put_text(&actions, "zh");
    hub_put_text(&actions, "新名");
    hub_put_text(&actions, "succeed");
    hub_put_text(&actions, "MEM3");
    cr_assert_eq(council_run(&c, HUB_TYPE_GOVERNANCE_PROPOSE, council_governor(0),
                             council_propose_body(1, c.time_ms + 48 * COUNCIL_HOUR_MS,
                                                  hub_span_of(&actions))),
                 0);
    for (unsigned m = 0; m < 2; m++)
        cr_assert_eq(council_run(&c, HUB_TYPE_GOVERNANCE_APPROVE, council_governor(m),
                                 council_vote_body(&c, 1)),
                     0);
    cr_assert(c.state.count[HUB_TABLE_PROPOSALS] == 1 && c.state.count[HUB_TABLE_READY] == 4 &&
              c.state.count[HUB_TABLE_EPOCHS] == 2);
    expect_rows(&c.state);
    council_close(&c);
}
