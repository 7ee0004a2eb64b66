/* results.c: the list of results.def as a table. */
#include "hub/results.h"

static const struct hub_result_text texts[] = {
#define HUB_RESULT(number, name, class, en, zh, remedy_en, remedy_zh)                              \
    {number, HUB_CLASS_##class, #name, en, zh, remedy_en, remedy_zh},
#include "hub/results.def"
#undef HUB_RESULT
};

const struct hub_result_text *hub_result_text(uint16_t code)
{
    size_t low = 0, high = sizeof texts / sizeof texts[0];

    while (low < high) { /* the list stands in order of number */
        size_t middle = (low + high) / 2;

        if (texts[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sizeof texts / sizeof texts[0] && texts[low].code == code ? &texts[low] : NULL;
}

const struct hub_result_text *hub_result_texts(size_t *count)
{
    *count = sizeof texts / sizeof texts[0];
    return texts;
}
