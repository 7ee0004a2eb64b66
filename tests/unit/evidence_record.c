/* evidence.report: expected codes and rows are those of docs/formats.cddl sections 4 and 13. */
#include "ledger/evidence_record.h"

#include "tests/support/council.h"

#include <criterion/criterion.h>
#include <string.h>

enum { CULPRIT = 2, REPORTER = 0 };

static struct council c;
static struct hub_validators set;

static void open_court(void)
{
    council_open(&c, &(struct council_plan){
                         .voters = 4, .validators = 4, .quorum = 3, .model = HUB_FAULT_BFT});
    struct hub_epoch_row row;
    hub_epoch_get(&row, &c.state, 0);
    strcpy(c.state.network, "court");
    cr_assert_eq(hub_validators_decode(&set, row.bytes, &c.chain, hub_text_span("court")), HUB_OK);
}

static struct hub_vote vote_of(uint8_t kind, uint64_t view, uint8_t block)
{
    uint8_t bytes[600], seed[HUB_SEED_BYTES] = {'c', (uint8_t)council_validator(CULPRIT)};
    uint8_t secret[HUB_SECRET_BYTES];
    struct hub_buf message = {bytes, 0, sizeof bytes, false};
    struct hub_public_key key;
    struct hub_vote v = {.subject = {.kind = kind, .view = view}, .signer = CULPRIT};

    if (kind != HUB_NULLIFY)
        memset(v.subject.block_hash.b, block, 32);
    hub_key_from_seed(&key, secret, seed);
    hub_vote_message(&message, &set, &v.subject, CULPRIT);
    hub_sign(&v.sig, secret, hub_span_of(&message));
    return v;
}

static struct hub_span body_of(const struct hub_offence *o, struct hub_span links)
{
    static uint8_t bytes[2 * HUB_EVIDENCE_BYTES_MAX], item_bytes[HUB_EVIDENCE_BYTES_MAX];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    struct hub_buf item = {item_bytes, 0, sizeof item_bytes, false};

    hub_evidence_encode(&item, o, &set, links);
    hub_put_map(&b, 1);
    hub_put_text(&b, "evidence");
    hub_put_bytes(&b, hub_span_of(&item));
    cr_assert(!b.full && !item.full);
    return hub_span_of(&b);
}

static uint16_t report(enum hub_offence_kind kind, uint64_t view, unsigned reporter)
{
    struct hub_offence o = {.kind = kind};

    o.vote[0] = kind == HUB_OFFENCE_NULLIFIED_FINALIZED ? vote_of(HUB_NULLIFY, view, 0)
                                                        : vote_of(HUB_NOTARIZE, view, 1);
    o.vote[1] = kind == HUB_OFFENCE_NULLIFIED_FINALIZED ? vote_of(HUB_FINALIZE, view, 1)
                                                        : vote_of(HUB_NOTARIZE, view, 2);
    return council_run(&c, HUB_TYPE_EVIDENCE_REPORT, reporter,
                       body_of(&o, (struct hub_span){NULL, 0}));
}

Test(evidence_record, is_recorded_once_a_view, .init = open_court)
{
    struct hub_convicted row;

    cr_assert_eq(report(HUB_OFFENCE_NOTARIZED_TWO, 7, council_validator(REPORTER)), 0);
    cr_assert(hub_convicted_find(&row, &c.state, 0, &c.kid[council_validator(CULPRIT)]));
    cr_assert_eq(row.count, 1);
    cr_assert_eq(row.offence[0].view, 7);
    cr_assert_eq((int)row.offence[0].kind, 1);
    cr_assert_eq(row.offence[0].height, c.height);
    cr_assert(hub_span_equal(row.member, hub_text_span(c.code[CULPRIT])));
    /* Also by another reporter, and another pair of votes of the same view. */
    cr_assert_eq(report(HUB_OFFENCE_NOTARIZED_TWO, 7, council_validator(1)),
                 HUB_CODE_evidence_exists);
    cr_assert_eq(report(HUB_OFFENCE_NULLIFIED_FINALIZED, 7, council_validator(1)),
                 HUB_CODE_evidence_exists);
    cr_assert_eq(report(HUB_OFFENCE_NULLIFIED_FINALIZED, 8, council_validator(1)), 0);
    cr_assert(hub_convicted_find(&row, &c.state, 0, &c.kid[council_validator(CULPRIT)]));
    cr_assert_eq(row.count, 2);
    cr_assert_eq((int)row.offence[1].kind, 2);
    cr_assert_eq(c.state.count[HUB_TABLE_EVIDENCE], 1);
    cr_assert_not(hub_convicted_find(&row, &c.state, 0, &c.kid[council_validator(REPORTER)]));
    cr_assert_not(hub_convicted_find(&row, &c.state, 1, &c.kid[council_validator(CULPRIT)]));
    council_close(&c);
}

Test(evidence_record, sixteen_of_one_validator_are_enough, .init = open_court)
{
    for (uint64_t view = 1; view <= HUB_OFFENCES_MAX; view++)
        cr_assert_eq(report(HUB_OFFENCE_NOTARIZED_TWO, HUB_UINT_MAX - view, council_validator(0)),
                     0);
    cr_assert_eq(report(HUB_OFFENCE_NOTARIZED_TWO, 5, council_validator(0)),
                 HUB_CODE_evidence_enough);
    council_close(&c);
}

Test(evidence_record, only_a_validator_reports, .init = open_court)
{
    cr_assert_eq(report(HUB_OFFENCE_NOTARIZED_TWO, 7, council_governor(REPORTER)),
                 HUB_CODE_role_missing);
    cr_assert_eq(report(HUB_OFFENCE_NOTARIZED_TWO, 7, council_seal(REPORTER)),
                 HUB_CODE_role_missing);
    cr_assert_eq(report(HUB_OFFENCE_NOTARIZED_TWO, 7, council_validator(CULPRIT)), 0,
                 "who confesses is heard");
    council_close(&c);
}

Test(evidence_record, proves_or_has_no_effect, .init = open_court)
{
    static const uint8_t one_link[] = {0x81, 0xa0};
    struct hub_offence o = {.kind = HUB_OFFENCE_NOTARIZED_TWO,
                            .vote = {vote_of(HUB_NOTARIZE, 7, 1), vote_of(HUB_NOTARIZE, 7, 2)}};
    const struct hub_span none = {NULL, 0};

    cr_assert_eq(council_run(&c, HUB_TYPE_EVIDENCE_REPORT, council_validator(0),
                             body_of(&o, (struct hub_span){one_link, sizeof one_link})),
                 COUNCIL_REFUSED + HUB_CODE_body_invalid);
    o.vote[1].sig.b[5] ^= 1;
    cr_assert_eq(council_run(&c, HUB_TYPE_EVIDENCE_REPORT, council_validator(0), body_of(&o, none)),
                 HUB_CODE_evidence_invalid);
    o.vote[1].sig.b[5] ^= 1;
    strcpy(set.network, "elsewhere"); /* not signed by NOTARIZE: still good */
    cr_assert_eq(council_run(&c, HUB_TYPE_EVIDENCE_REPORT, council_validator(0), body_of(&o, none)),
                 0);
    o = (struct hub_offence){HUB_OFFENCE_NULLIFIED_FINALIZED,
                             {vote_of(HUB_NULLIFY, 9, 0), vote_of(HUB_FINALIZE, 9, 1)},
                             {NULL, 0}};
    cr_assert_eq(council_run(&c, HUB_TYPE_EVIDENCE_REPORT, council_validator(0), body_of(&o, none)),
                 HUB_CODE_evidence_invalid, "a receipt of a network with another name");
    set.q = 4; /* the epoch's number, and another quorum: the votes sign neither */
    o = (struct hub_offence){HUB_OFFENCE_NOTARIZED_TWO,
                             {vote_of(HUB_NOTARIZE, 8, 1), vote_of(HUB_NOTARIZE, 8, 2)},
                             {NULL, 0}};
    cr_assert_eq(council_run(&c, HUB_TYPE_EVIDENCE_REPORT, council_validator(0), body_of(&o, none)),
                 HUB_CODE_evidence_invalid, "other epoch bytes than the ledger's");
    set.epoch = 1; /* an epoch that this ledger does not have */
    o = (struct hub_offence){HUB_OFFENCE_NOTARIZED_TWO,
                             {vote_of(HUB_NOTARIZE, 7, 1), vote_of(HUB_NOTARIZE, 7, 2)},
                             {NULL, 0}};
    cr_assert_eq(council_run(&c, HUB_TYPE_EVIDENCE_REPORT, council_validator(0), body_of(&o, none)),
                 HUB_CODE_evidence_invalid);
    cr_assert_eq(c.state.count[HUB_TABLE_EVIDENCE], 1);
    council_close(&c);
}
