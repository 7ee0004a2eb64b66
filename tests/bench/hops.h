/* hops.h: the way of one record to finality without what it is for: four threads exchange the same messages over
 * loopback TCP, without signatures, rules or disk. What the ledger's latency is compared with. */
#ifndef TESTS_BENCH_HOPS_H
#define TESTS_BENCH_HOPS_H

#include <stdbool.h>
#include <stdint.h>

struct bench_hops;
/* NULL: no sockets. The caller closes it. */
struct bench_hops *bench_hops_open(void);
void bench_hops_close(struct bench_hops *h);
/* One round trip: client, its node, the leader, a proposal to all, votes of all to all twice, the answer. The
 * client's node and the leader change from round to round. Nanoseconds; 0 if a socket failed. */
uint64_t bench_hops_round(struct bench_hops *h);

#endif
