/* results.h: the codes a record can get, from results.def, and the texts people see for them. */
#ifndef HUB_RESULTS_H
#define HUB_RESULTS_H

#include "hub/base.h"

enum hub_code {
#define HUB_RESULT(number, name, class, en, zh, remedy_en, remedy_zh) HUB_CODE_##name = number,
#include "hub/results.def"
#undef HUB_RESULT
};

enum hub_code_class {
    HUB_CLASS_ok,
    HUB_CLASS_refused, /* in no block */
    HUB_CLASS_member,  /* this and the following: recorded without effect */
    HUB_CLASS_agreement,
    HUB_CLASS_currency
};

struct hub_result_text {
    uint16_t code;
    enum hub_code_class class;
    const char *name, *en, *zh, *remedy_en, *remedy_zh;
};

/* The row of a code, or NULL if there is none. */
const struct hub_result_text *hub_result_text(uint16_t code);
/* The first of two codes in the order of results.def; 0 is none. */
static inline uint16_t hub_first_code(uint16_t a, uint16_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}
/* The list itself, in order of number; *count rows. */
const struct hub_result_text *hub_result_texts(size_t *count);

#endif
