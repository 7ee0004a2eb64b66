/* The list of results.def: what API, command line and documents are generated from. */
#include "hub/results.h"

#include <criterion/criterion.h>
#include <string.h>

Test(results, stand_in_order_of_number_and_have_one_name_each)
{
    size_t n;
    const struct hub_result_text *t = hub_result_texts(&n);

    cr_assert_gt(n, 100);
    for (size_t i = 0; i < n; i++) {
        cr_assert(i == 0 || t[i - 1].code < t[i].code, "%s", t[i].name);
        for (size_t j = 0; j < i; j++)
            cr_assert_str_neq(t[i].name, t[j].name);
    }
}

Test(results, every_failure_says_what_and_what_to_do_in_both_languages)
{
    size_t n;
    const struct hub_result_text *t = hub_result_texts(&n);

    for (size_t i = 1; i < n; i++)
        cr_assert(strlen(t[i].en) > 0 && strlen(t[i].zh) > 0 && strlen(t[i].remedy_en) > 0 &&
                      strlen(t[i].remedy_zh) > 0,
                  "%s", t[i].name);
}

Test(results, are_found_by_number)
{
    size_t n;
    const struct hub_result_text *t = hub_result_texts(&n);

    for (uint32_t code = 0; code <= UINT16_MAX; code++) {
        const struct hub_result_text *found = hub_result_text((uint16_t)code), *expected = NULL;

        for (size_t i = 0; i < n; i++)
            if (t[i].code == code)
                expected = &t[i];
        cr_assert_eq(found, expected, "%u", code);
    }
    cr_assert_str_eq(hub_result_text(HUB_CODE_seq_replayed)->name, "seq_replayed");
    cr_assert_eq(hub_result_text(HUB_CODE_seq_replayed)->class, HUB_CLASS_refused);
    cr_assert_eq(hub_result_text(0)->class, HUB_CLASS_ok);
}
