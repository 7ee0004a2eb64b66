/* bench.h: benchmarks: `build/release/bench [NAME...]`, all without a name. Each prints what it measured; nothing
 * is asserted, speed is the machine's. */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdint.h>

/* Commit latency, checkpoint cost, restart time with 100,000 wallets. */
int bench_store(void);
/* Lone records, transfers and batches on a running network: see network.c; nothing without one. */
int bench_network(void);

/* Monotonic nanoseconds. */
uint64_t bench_now_ns(void);
/* "label  value unit", aligned. */
void bench_line(const char *label, double value, const char *unit);

#endif
