/* Thousands of proposals and votes, replayed from tests/vectors/votes.txt: what must come of each is written there by a
 * second model (tests/vectors/votes.py), which knows docs/governance.md and nothing of this code. */
#include "tests/support/council.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct council c;

static void put_action(struct hub_buf *b, const char *verb, uint64_t x)
{
    static const struct {
        const char *verb, *parameter;
    } sets[] = {{"delay", "key.governor_delay_h"},
                {"hold", "hold.max_s"},
                {"num", "governance.threshold_num"},
                {"den", "governance.threshold_den"}};

    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        if (strcmp(verb, sets[i].verb) == 0) {
            hub_put_map(b, 2);
            hub_put_text(b, "value");
            hub_put_uint(b, x);
            hub_put_text(b, "parameter");
            hub_put_text(b, sets[i].parameter);
            return;
        }
    cr_assert_lt(x, c.members);
    hub_put_map(b, strcmp(verb, "suspend") == 0 ? 2 : 1);
    if (strcmp(verb, "suspend") == 0) {
        hub_put_text(b, "reason");
        hub_put_text(b, "offline");
    }
    hub_put_text(b, verb);
    hub_put_text(b, c.code[x]);
}

/* verb:number[+verb:number] */
static struct hub_span actions_of(char *text)
{
    static uint8_t bytes[512];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    char *second = strchr(text, '+');
    char verb[2][16];
    unsigned long long x[2];
    unsigned n = 1;

    cr_assert_eq(sscanf(text, "%15[a-z]:%llu", verb[0], &x[0]), 2);
    if (second != NULL) {
        cr_assert_eq(sscanf(second + 1, "%15[a-z]:%llu", verb[1], &x[1]), 2);
        n = 2;
    }
    hub_put_array(&b, n);
    for (unsigned i = 0; i < n; i++)
        put_action(&b, verb[i], x[i]);
    return hub_span_of(&b);
}

/* STATE APPROVALS REJECTIONS ENTITLED NEEDED FAILED-CODE, or - */
static void expect_standing(unsigned number, const char *seen, const char *line)
{
    struct hub_proposal p;
    struct hub_ballot_count t;
    char text[96];

    if (!council_proposal(&p, &c, number)) {
        cr_assert_str_eq(seen, "-", "%s", line);
        return;
    }
    hub_proposal_count(&t, &c.state, &p);
    snprintf(text, sizeof text, "%s %u %u %u %u %u",
             hub_proposal_state_names[hub_proposal_standing(&p, c.time_ms)], t.approvals,
             t.rejections, t.entitled, t.needed, p.code);
    cr_assert_str_eq(text, seen, "%s", line);
}

static void open_council(const char *line)
{
    struct council_plan plan = {.validators = 1, .quorum = 1, .model = HUB_FAULT_SINGLE};
    char needed[COUNCIL_MAX + 1];
    unsigned authority;

    cr_assert_eq(
        sscanf(line, "council %u %u %u %8s", &plan.voters, &plan.others, &authority, needed), 4);
    plan.authority = authority != 0;
    if (c.memory != NULL)
        council_close(&c);
    council_open(&c, &plan);
    for (unsigned m = 0; m < c.members; m++)
        council_governors_needed(&c, m, (uint64_t)(needed[m] - '0'));
}

/* A record by this many of the member's governors. */
static uint16_t run(enum hub_record_type_id type, unsigned by, unsigned signers,
                    struct hub_span body)
{
    c.cosigns = signers - 1;
    c.cosign[0] = council_governor(by) + 1;
    return council_run(&c, type, council_governor(by), body);
}

static void replay(char *line)
{
    static const struct {
        const char *verb;
        enum hub_record_type_id type;
    } votes[] = {{"approve", HUB_TYPE_GOVERNANCE_APPROVE},
                 {"reject", HUB_TYPE_GOVERNANCE_REJECT},
                 {"withdraw", HUB_TYPE_GOVERNANCE_WITHDRAW}};
    char verb[16], actions[64], seen[96];
    unsigned number, by, signers, hours, code;
    uint16_t got;

    if (sscanf(line, "propose %u %u %u %u %63s %u %95[^\n]", &number, &by, &signers, &hours,
               actions, &code, seen) == 7) {
        got = run(
            HUB_TYPE_GOVERNANCE_PROPOSE, by, signers,
            council_propose_body(number, c.time_ms + hours * COUNCIL_HOUR_MS, actions_of(actions)));
        cr_assert_eq(got, code, "code %u: %s", got, line);
        expect_standing(number, seen, line);
        return;
    }
    cr_assert_eq(
        sscanf(line, "%15s %u %u %u %u %95[^\n]", verb, &number, &by, &signers, &code, seen), 6,
        "%s", line);
    for (size_t i = 0; i < sizeof votes / sizeof votes[0]; i++)
        if (strcmp(verb, votes[i].verb) == 0) {
            got = run(votes[i].type, by, signers, council_vote_body(&c, number));
            cr_assert_eq(got, code, "code %u: %s", got, line);
            expect_standing(number, seen, line);
        }
}

Test(votes, every_vote_ends_as_the_second_model_says)
{
    FILE *f = fopen("tests/vectors/votes.txt", "r");
    char line[256];
    unsigned seconds, lines = 0;

    cr_assert_not_null(f, "tests/vectors/votes.txt: run from the root of the project");
    for (; fgets(line, sizeof line, f) != NULL; lines++) {
        if (strncmp(line, "council", 7) == 0)
            open_council(line);
        else if (sscanf(line, "tick %u", &seconds) == 1)
            c.time_ms += seconds * UINT64_C(1000);
        else
            replay(line);
    }
    cr_assert_gt(lines, 4000);
    fclose(f);
    council_close(&c);
}
