#include "tests/bench/bench.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *name;
    int (*run)(void);
} benches[] = {{"store", bench_store}, {"network", bench_network}};

uint64_t bench_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void bench_line(const char *label, double value, const char *unit)
{
    printf("  %-58s %12.3f %s\n", label, value, unit);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int failed = 0, ran = 0;
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
        int wanted = argc < 2;
        for (int a = 1; a < argc; a++)
            wanted |= strcmp(argv[a], benches[i].name) == 0;
        if (!wanted)
            continue;
        printf("%s\n", benches[i].name);
        failed |= benches[i].run();
        ran++;
    }
    if (ran == 0)
        fprintf(stderr, "bench: no benchmark of that name\n");
    return failed || ran == 0;
}
