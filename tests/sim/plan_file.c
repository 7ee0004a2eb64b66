/* plan_file.c: a plan as text, one thing a line: what is not named is zero, off, or nobody.
 *
 *   seed 4711                     plan fields by name: nodes 4, loss 200, work_ms 18000, ...
 *   node 2 skew_ms drift_ppm traitor's name or -
 *   fault crash 2 4300 500 17     kind, node or all, at_ms, for_ms, what */
#include "sim.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum type { U8, BOOL, U32, U64, INT };
#define FIELD(type, name)                                                                          \
    {                                                                                              \
#name, type, offsetof(struct sim_plan, name)                                               \
    }
static const struct field {
    const char *name;
    enum type type;
    size_t at;
} fields[] = {
    {"nodes", U8, offsetof(struct sim_plan, n)},
    FIELD(BOOL, real_signatures),
    FIELD(BOOL, real_pool),
    FIELD(BOOL, late_checks),
    FIELD(BOOL, uneven),
    FIELD(BOOL, stubborn),
    FIELD(BOOL, stops),
    FIELD(BOOL, resume),
    FIELD(BOOL, safety_only),
    FIELD(U32, loss),
    FIELD(U32, duplicate),
    FIELD(U64, delay_ms),
    FIELD(U64, jitter_ms),
    FIELD(U32, load),
    FIELD(BOOL, by_default),
    FIELD(U32, records),
    FIELD(U64, work_ms),
    FIELD(U64, heal_ms),
    FIELD(U64, limit_ms),
    FIELD(U64, linger_ms),
    FIELD(INT, only),
    FIELD(INT, absent),
    FIELD(U8, rekeyed),
    FIELD(U8, founders),
    FIELD(U8, second),
    FIELD(U8, third),
    {"survivors", U8, offsetof(struct sim_plan, ruin[0].survivors)},
    {"gone_ms", U64, offsetof(struct sim_plan, ruin[0].gone_ms)},
    {"recover_ms", U64, offsetof(struct sim_plan, ruin[0].recover_ms)},
    {"then_survivors", U8, offsetof(struct sim_plan, ruin[1].survivors)},
    {"then_gone_ms", U64, offsetof(struct sim_plan, ruin[1].gone_ms)},
    {"then_recover_ms", U64, offsetof(struct sim_plan, ruin[1].recover_ms)},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static long long value_of(const struct field *f, const struct sim_plan *p)
{
    const uint8_t *at = (const uint8_t *)p + f->at;
    switch (f->type) {
    case U8:
        return *at;
    case BOOL:
        return *(const bool *)at;
    case U32:
        return *(const uint32_t *)(const void *)at;
    case U64:
        return (long long)*(const uint64_t *)(const void *)at;
    case INT:
        return *(const int *)(const void *)at;
    }
    return 0;
}

static void set_value(const struct field *f, struct sim_plan *p, long long value)
{
    uint8_t *at = (uint8_t *)p + f->at;
    switch (f->type) {
    case U8:
        *at = (uint8_t)value;
        break;
    case BOOL:
        *(bool *)at = value != 0;
        break;
    case U32:
        *(uint32_t *)(void *)at = (uint32_t)value;
        break;
    case U64:
        *(uint64_t *)(void *)at = (uint64_t)value;
        break;
    case INT:
        *(int *)(void *)at = (int)value;
        break;
    }
}

static void write_fault(FILE *to, const struct sim_fault *f)
{
    fprintf(to, "fault %s ", sim_fault_names[f->kind]);
    if (f->node == SIM_ALL)
        fprintf(to, "all");
    else
        fprintf(to, "%u", f->node);
    fprintf(to, " %llu %llu %lld\n", (unsigned long long)f->at_ms, (unsigned long long)f->for_ms,
            (long long)f->what);
}

void sim_plan_write(FILE *to, uint64_t seed, const struct sim_plan *p)
{
    fprintf(to, "seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < FIELDS; i++)
        if (value_of(&fields[i], p))
            fprintf(to, "%s %lld\n", fields[i].name, value_of(&fields[i], p));
    for (uint8_t i = 0; i < p->n; i++)
        if (p->skew_ms[i] || p->drift_ppm[i] || p->traitor[i])
            fprintf(to, "node %u %lld %lld %s\n", i, (long long)p->skew_ms[i],
                    (long long)p->drift_ppm[i], p->traitor[i] ? p->traitor[i]->name : "-");
    for (uint32_t i = 0; i < p->faults; i++)
        write_fault(to, &p->fault[i]);
}

static bool read_node(struct sim_plan *p, const char *line)
{
    unsigned node;
    long long skew, drift;
    char traitor[32];
    if (sscanf(line, "node %u %lld %lld %31s", &node, &skew, &drift, traitor) != 4 ||
        node >= SIM_NODES_MAX)
        return false;
    p->skew_ms[node] = skew;
    p->drift_ppm[node] = drift;
    p->traitor[node] = strcmp(traitor, "-") ? sim_adversary_find(traitor) : NULL;
    return p->traitor[node] || !strcmp(traitor, "-");
}

static bool read_fault(struct sim_plan *p, const char *line)
{
    char kind[16], node[8];
    unsigned long long at, during;
    long long what;
    if (sscanf(line, "fault %15s %7s %llu %llu %lld", kind, node, &at, &during, &what) != 5 ||
        p->faults == SIM_FAULTS_MAX)
        return false;
    for (unsigned k = 0; k < SIM_FAULT_KINDS; k++)
        if (!strcmp(kind, sim_fault_names[k])) {
            uint8_t who = strcmp(node, "all") ? (uint8_t)strtoul(node, NULL, 10) : SIM_ALL;
            p->fault[p->faults++] =
                (struct sim_fault){(enum sim_fault_kind)k, who, at, during, what};
            return true;
        }
    return false;
}

static bool read_line(uint64_t *seed, struct sim_plan *p, const char *line)
{
    char name[32];
    long long value;
    if (!strncmp(line, "node ", 5))
        return read_node(p, line);
    if (!strncmp(line, "fault ", 6))
        return read_fault(p, line);
    if (sscanf(line, "%31s %lld", name, &value) != 2)
        return false;
    if (!strcmp(name, "seed")) {
        *seed = (uint64_t)value;
        return true;
    }
    for (size_t i = 0; i < FIELDS; i++)
        if (!strcmp(name, fields[i].name)) {
            set_value(&fields[i], p, value);
            return true;
        }
    return false;
}

bool sim_plan_read(FILE *from, uint64_t *seed, struct sim_plan *p, unsigned *line)
{
    char text[256];
    *p = (struct sim_plan){.only = -1, .absent = -1};
    for (*line = 1; fgets(text, sizeof text, from); ++*line) {
        size_t len = strcspn(text, "#\n");
        text[len] = 0;
        if (strspn(text, " ") != len && !read_line(seed, p, text))
            return false;
    }
    return p->n >= 1 && p->n <= SIM_NODES_MAX && p->limit_ms && p->heal_ms <= p->limit_ms;
}
