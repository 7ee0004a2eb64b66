/* The text file a clerk writes, and the papers an official gives when signing. */
#include "tests/support/desk.h"
#include "tools/agreement.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct hub_cli cli;
static struct hub_genesis genesis;
static struct hub_draft_place place;
static struct hub_keyfile key;
static char directory[] = "/tmp/hub-agreement-XXXXXX";
static char conf_path[64], main_path[64], annex_path[64];
static const uint8_t nonce[16] = {5};

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    cr_assert(fputs(text, f) >= 0 && fclose(f) == 0);
}

static void setup(void)
{
    cr_redirect_stderr();
    cr_assert_not_null(mkdtemp(directory));
    snprintf(conf_path, sizeof conf_path, "%s/a.conf", directory);
    snprintf(main_path, sizeof main_path, "%s/main.pdf", directory);
    snprintf(annex_path, sizeof annex_path, "%s/annex", directory);
    write_text(main_path, "abc"); /* FIPS 180-4, the SHA-256 of which everybody knows */
    write_text(annex_path, "");
    memset(genesis.chain.b, 0xc4, 32);
    cli = (struct hub_cli){.genesis = &genesis};
    key.kid.b[0] = 1;
    place = (struct hub_draft_place){.chain = genesis.chain, .revision = 1};
    hub_agreement_id(&place.agreement, &place.chain, &key.kid, nonce);
}

static void teardown(void)
{
    unlink(conf_path), unlink(main_path), unlink(annex_path), rmdir(directory);
}

TestSuite(agreement_file, .init = setup, .fini = teardown);

static struct hub_papers both_papers(void)
{
    struct hub_papers p;
    const char *paths[] = {main_path, annex_path};
    cr_assert(hub_papers_read(&cli, &p, paths, 2));
    return p;
}

/* Body of the file; false if it was refused. */
static bool read_file(struct hub_buf *body, const char *path)
{
    static uint8_t bytes[HUB_RECORD_BYTES_MAX];
    const struct hub_papers papers = both_papers();
    *body = (struct hub_buf){bytes, 0, sizeof bytes, false};
    return hub_draft_from_file(&cli, body, path, &papers, &place);
}

static bool record_rules_hold(const struct hub_buf *body)
{
    static uint8_t bytes[HUB_RECORD_BYTES_MAX];
    struct hub_buf core = {bytes, 0, sizeof bytes, false};
    hub_propose_encode(&core, hub_span_of(body), nonce, (struct hub_span){NULL, 0});
    return !core.full &&
           hub_draft_check(&cli, HUB_TYPE_AGREEMENT_PROPOSE, hub_span_of(&core), &key.kid);
}

static const char good[] =
    "number = \"HQ-1\"\ntitle_zh = 协议\ndocument_date = --05-22\nsign_by = 2026-12-31\n"
    "party AAA { as = lead }\nparty BBB { }\nparty CCC { as = witness }\n";

static bool text_of_span(struct hub_span s, const char *text)
{
    return hub_span_equal(s, hub_text_span(text));
}

Test(agreement_file, says_what_the_body_holds)
{
    struct hub_buf body;
    struct hub_cbor c;
    uint32_t n = 0;
    write_text(conf_path, good);
    cr_assert(read_file(&body, conf_path));
    cr_assert(record_rules_hold(&body));
    const struct hub_span b = hub_span_of(&body);
    cr_expect(text_of_span(hub_field_span(b, "number"), "HQ-1"));
    cr_expect(text_of_span(hub_field_span(b, "lead"), "AAA"));
    cr_expect(text_of_span(hub_field_span(b, "document_date"), "--05-22"));
    /* The end of 2026-12-31 in Beijing: 2026-12-31T15:59:59.999Z. */
    cr_expect_eq(hub_field_uint(b, "sign_by", 0), 1798732799999u);
    cr_assert(hub_field_array(b, "parties", &c, &n) && n == 3);
    cr_expect(hub_field_bool(hub_cbor_item(&c), "must_sign", false));
    cr_expect(hub_field_bool(hub_cbor_item(&c), "must_sign", false));
    cr_expect_not(hub_field_bool(hub_cbor_item(&c), "must_sign", true), "a witness need not sign");
    cr_assert(hub_field_array(b, "documents", &c, &n) && n == 2);
    const struct hub_span first = hub_cbor_item(&c);
    cr_expect(text_of_span(hub_field_span(first, "name"), "main.pdf"));
    cr_expect(text_of_span(hub_field_span(first, "media"), "application/pdf"));
    cr_expect_eq(hub_field_uint(first, "size", 0), 3);
    /* SHA-256("abc"), FIPS 180-4 */
    cr_expect_eq(hub_field_span(first, "sha256").data[0], 0xba);
    cr_expect_eq(hub_field_span(first, "sha256").data[31], 0xad);
}

Test(agreement_file, the_example_in_docs_is_a_good_one)
{
    struct hub_buf body;
    cr_assert(read_file(&body, "docs/examples/agreement.conf"), "run from the root of the tree");
    cr_expect(record_rules_hold(&body));
}

Test(agreement_file, everything_it_can_say_is_a_good_body)
{
    static char text[4096];
    struct hub_buf body;
    snprintf(text, sizeof text,
             "%stitle_en = T\nplace_zh = 上海\nplace_en = Shanghai\nexpires = 2030-01-01\n"
             "effective = \"2026-06-01 08:00\"\narea eco { zh = 生态 en = Ecology }\n"
             "milestone 2 { title_zh = 节点 owner = AAA due = 2027-01-01 accept = listed who = "
             "{BBB, CCC} "
             "deemed_days = 10 review_days = 20 }\namend = lead\nrenew = 2\nsuspend = "
             "all\nterminate = 1\n"
             "withdraw = true\nwithdraw_notice_days = 30\nwithdraw_then = ends\ndispute_zh = 协商\n"
             "prevailing = equal\nvisibility = named\nretention = 10\n"
             "document main.pdf { lang = both media = \"text/plain\" }\n",
             good);
    write_text(conf_path, text);
    cr_assert(read_file(&body, conf_path));
    cr_expect(record_rules_hold(&body));
}

/* Each line is put behind the good file, or replaces it where it begins with '='. */
Test(agreement_file, what_it_must_not_say_is_refused)
{
    static const char *const bad[] = {
        "=",                                 /* nothing at all */
        "= party",                           /* a torn file */
        "colour = red\n",                    /* a name we do not have */
        "party AAA { }\n",                   /* a party twice */
        "party DDD { as = lead }\n",         /* two leads */
        "party DDD { as = boss }\n",         /* no such part */
        "party DDD { must_sign = maybe }\n", /* neither true nor false */
        "party ddd { }\n",                   /* a code in lower case */
        "sign_by = tomorrow\n",
        "expires = 2026-12-31\n", /* at sign_by */
        "effective = soon\n",
        "document_date = 22.5.\n",
        "retention = 20\n",
        "visibility = secret\n",
        "withdraw_notice_days = 0x10\n",
        "amend = most\n",
        "milestone x { title_zh = t owner = AAA due = 2027-01-01 }\n",
        "milestone 1 { title_zh = t owner = AAA }\n",
        "milestone 33 { title_zh = t owner = AAA due = 2027-01-01 }\n",
        "area eco { en = Ecology }\n",
        "document other.pdf { lang = zh }\n", /* a file that was not given */
        "document main.pdf { lang = fr }\n",
        "=number = N\ntitle_zh = t\ndocument_date = --05-22\nsign_by = 2026-12-31\n"
        "party AAA { as = lead }\nparty BBB { as = witness }\n", /* only one must sign */
        "=number = N\ntitle_zh = t\ndocument_date = --05-22\nsign_by = 2026-12-31\n"
        "party AAA { }\nparty BBB { }\n", /* no lead */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[2048];
        struct hub_buf body;
        const bool whole = bad[i][0] == '=';
        snprintf(text, sizeof text, "%s%s", whole ? "" : good, bad[i] + whole);
        write_text(conf_path, text);
        cr_expect(!read_file(&body, conf_path), "%s", bad[i]);
    }
}

Test(agreement_file, rules_of_the_record_are_told_before_it_is_signed)
{
    static char text[1024];
    struct hub_buf body;
    snprintf(text, sizeof text, "%smilestone 1 { title_zh = t owner = ZZZ due = 2027-01-01 }\n",
             good);
    write_text(conf_path, text);
    cr_assert(read_file(&body, conf_path), "the fields are good");
    cr_expect(!record_rules_hold(&body), "the owner is no party");
    write_text(conf_path, good);
    place.agreement.b[0] ^= 1;
    cr_assert(read_file(&body, conf_path));
    cr_expect(!record_rules_hold(&body), "the id is of another key");
}

Test(agreement_file, signing_takes_each_paper_and_no_other)
{
    struct hub_buf body;
    const char *paths[] = {main_path, annex_path, conf_path}, *missing[] = {"/nowhere"};
    struct hub_papers p;
    write_text(conf_path, good);
    cr_assert(read_file(&body, conf_path));
    cr_assert(hub_papers_read(&cli, &p, paths, 2));
    cr_expect_eq(hub_papers_match(&cli, &p, hub_span_of(&body)), HUB_EXIT_OK);
    cr_assert(hub_papers_read(&cli, &p, paths, 1));
    cr_expect_eq(hub_papers_match(&cli, &p, hub_span_of(&body)), HUB_EXIT_USAGE,
                 "the annex is missing");
    cr_assert(hub_papers_read(&cli, &p, paths, 0));
    cr_expect_eq(hub_papers_match(&cli, &p, hub_span_of(&body)), HUB_EXIT_USAGE);
    cr_assert(hub_papers_read(&cli, &p, paths, 3));
    cr_expect_eq(hub_papers_match(&cli, &p, hub_span_of(&body)), HUB_EXIT_UNVERIFIED,
                 "a paper too many");
    write_text(main_path, "abd"); /* one letter */
    cr_assert(hub_papers_read(&cli, &p, paths, 2));
    cr_expect_eq(hub_papers_match(&cli, &p, hub_span_of(&body)), HUB_EXIT_UNVERIFIED);
    cr_expect(!hub_papers_read(&cli, &p, missing, 1));
}
