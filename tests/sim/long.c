/* long.c: healthy clusters for a long simulated time: an idle ledger must not grow, and how fast simulating goes. */
#include "sim.h"

#include <string.h>
#include <time.h>

enum { RECORDS_A_DAY = 3, HEARTBEATS_A_DAY = 144, KIB_A_DAY_MAX = 1024 };
#define DAY_MS UINT64_C(86400000)

static struct sim run;

static void healthy(struct sim_plan *p, uint32_t records, uint64_t ms)
{
    *p = (struct sim_plan){.n = 4,
                           .by_default = true,
                           .delay_ms = 20,
                           .jitter_ms = 20,
                           .records = SIM_WALLETS + 1 + records,
                           .work_ms = ms,
                           .heal_ms = 1,
                           .limit_ms = ms + DAY_MS / 24,
                           .only = -1,
                           .absent = -1};
}

static uint64_t stored_bytes(const struct sim_journal *j, uint8_t n)
{
    static uint8_t bytes[HUB_CERTIFICATE_BYTES_MAX];
    enum { VOTE_BYTES = 160 };
    uint64_t sum = j->now.votes * VOTE_BYTES;
    for (size_t i = 0; i < j->now.blocks; i++)
        sum += j->block[i].len;
    for (size_t i = 0; i < j->now.certificates; i++) {
        struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
        struct hub_certificate c;
        sim_kept_read(&c, &j->certificate[i]);
        hub_certificate_encode(&b, &c, n);
        sum += b.len;
    }
    return sum;
}

bool sim_idle(uint32_t days)
{
    static struct sim_plan p;
    healthy(&p, days * RECORDS_A_DAY, days * DAY_MS);
    sim_open(&run, days, &p);
    bool good = sim_run(&run);
    uint64_t blocks = run.checker.top, kib = stored_bytes(&run.node[0].journal, p.n) >> 10;
    uint64_t most = 2 * (uint64_t)run.records + days * (uint64_t)HEARTBEATS_A_DAY + 2;
    uint64_t views = run.node[0].replica->cons.view;
    if (good && blocks > most)
        sim_fail(&run, "an idle ledger grew: %llu blocks and not at most %llu",
                 (unsigned long long)blocks, (unsigned long long)most);
    if (good && (kib > days * (uint64_t)KIB_A_DAY_MAX || views > 2 * blocks))
        sim_fail(&run, "an idle ledger grew: %llu KiB, %llu views", (unsigned long long)kib,
                 (unsigned long long)views);
    printf("idle, %u days, %u records: %s; %llu blocks, %llu views, %llu KiB stored, %llu events\n",
           days, run.checker.finals, run.failed ? run.why : "ok", (unsigned long long)blocks,
           (unsigned long long)views, (unsigned long long)kib, (unsigned long long)run.events);
    good = !run.failed;
    sim_close(&run);
    return good;
}

bool sim_speed(void)
{
    enum { HOUR_S = 3600 };
    static struct sim_plan p;
    healthy(&p, HOUR_S, HOUR_S * 1000);
    clock_t began = clock();
    sim_open(&run, 1, &p);
    bool good = sim_run(&run);
    double cpu = (double)(clock() - began) / CLOCKS_PER_SEC;
    printf("four nodes, an hour, a record a second: %s; %llu blocks, %llu events in %.2f CPU "
           "seconds: %.0f events, %.2f cluster-hours a second\n",
           good ? "ok" : run.why, (unsigned long long)run.checker.top,
           (unsigned long long)run.events, cpu, (double)run.events / cpu,
           (double)run.now_ms / 3.6e6 / cpu);
    sim_close(&run);
    return good;
}
