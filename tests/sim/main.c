/* main.c: command line of the simulator.
 *   sim --seed S [-v]            one seed; -v: its plan and every event of note
 *   sim --seeds N [--from S]     seeds S .. S+N-1 (default 1) on all cores, and all scenarios
 *   sim --campaign MINUTES [--from S] [--keep FOLDER]   as many as there is time for; failures are cut down and kept
 *   sim --replay FILE...         plans that were kept: each must pass now
 *   sim --hashes N [--from S]    a hash of all that happened, a line a seed: the same under every compiler
 *   sim --scenario NAME|all [-v]
 *   sim --idle DAYS              four nodes with three records a day: nothing may grow
 *   sim --speed                  an hour with a record a second, timed
 *   sim --calibrate S            the simulated disk beside the real store: the same calls, the same answers
 *   sim --controls               guards taken away: each must be caught
 *   sim --accountability N       forks by one liar too many: who is convicted
 *   --adversary NAME             with seeds: as many validators of that kind as can be borne; `list` names them
 *   --commit NAME                printed with failures */
#include "sim.h"

#include "hub/sign.h"

#include <stdlib.h>
#include <string.h>

static const struct sim_adversary *adversary; /* of the command line, or NULL */

static void plan_of(struct sim_plan *p, uint64_t seed)
{
    sim_plan_of(p, seed);
    if (adversary)
        sim_plan_betray(p, adversary);
}

static bool say(const char *name, uint64_t seed, const struct sim_plan *p, bool trace)
{
    struct sim_result r;
    if (trace)
        sim_plan_write(stdout, seed, p);
    sim_try(&r, seed, p, trace);
    printf("%s: %s at %llu ms, height %llu, %llu records final, %llu events, hash %016llx\n", name,
           r.good && !r.stopped ? "ok" : r.why, (unsigned long long)r.ms,
           (unsigned long long)r.height, (unsigned long long)r.finals, (unsigned long long)r.events,
           (unsigned long long)r.hash);
    fflush(stdout);
    return r.good;
}

static bool run_seed(uint64_t seed, bool trace)
{
    static struct sim_plan plan;
    char name[32];
    snprintf(name, sizeof name, "seed %llu", (unsigned long long)seed);
    plan_of(&plan, seed);
    return say(name, seed, &plan, trace);
}

static bool replay(const char *path, bool trace)
{
    static struct sim_plan plan;
    uint64_t seed = 1;
    unsigned line = 0;
    FILE *from = fopen(path, "r");
    bool good = from && sim_plan_read(from, &seed, &plan, &line);
    if (!good)
        printf("%s:%u: no plan of a run\n", path, line);
    if (from)
        fclose(from);
    return good && say(path, seed, &plan, trace);
}

static void say_hashes(uint64_t from, uint64_t count)
{
    static struct sim_plan plan;
    struct sim_result r;
    for (uint64_t seed = from; seed < from + count; seed++) {
        plan_of(&plan, seed);
        sim_try(&r, seed, &plan, false);
        printf("%llu %016llx\n", (unsigned long long)seed, (unsigned long long)r.hash);
    }
}

/* Ends the program unless there is one. */
static const struct sim_adversary *find_adversary(const char *name)
{
    const struct sim_adversary *found = sim_adversary_find(name);
    for (uint32_t i = 0; !found && i < sim_adversary_count; i++)
        printf("%-18s %s\n", sim_adversaries[i].name, sim_adversaries[i].what);
    if (!found)
        exit(strcmp(name, "list") ? 2 : 0);
    return found;
}

struct wish { /* the command line */
    uint64_t seed, hashes, minutes, days, calibrate, forks;
    struct sim_campaign campaign;
    const char *scenario;
    char **files;
    int file_count;
    bool trace, controls, speed;
};

static bool parse_value(struct wish *w, const char *name, const char *value)
{
    const struct {
        const char *name;
        uint64_t *number;
        const char **text;
    } options[] = {
        {"--seed", &w->seed, NULL},
        {"--seeds", &w->campaign.count, NULL},
        {"--from", &w->campaign.from, NULL},
        {"--campaign", &w->minutes, NULL},
        {"--hashes", &w->hashes, NULL},
        {"--idle", &w->days, NULL},
        {"--accountability", &w->forks, NULL},
        {"--calibrate", &w->calibrate, NULL},
        {"--keep", NULL, &w->campaign.keep},
        {"--commit", NULL, &w->campaign.commit},
        {"--scenario", NULL, &w->scenario},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strcmp(name, options[i].name))
            continue;
        if (options[i].number)
            *options[i].number = strtoull(value, NULL, 10);
        else
            *options[i].text = value;
        return true;
    }
    if (!strcmp(name, "--adversary"))
        adversary = find_adversary(value);
    return adversary && !strcmp(name, "--adversary");
}

static bool parse(struct wish *w, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-v")) {
            w->trace = true;
        } else if (!strcmp(argv[i], "--controls")) {
            w->controls = true;
        } else if (!strcmp(argv[i], "--speed")) {
            w->speed = true;
        } else if (!strcmp(argv[i], "--replay")) {
            w->files = &argv[i + 1];
            w->file_count = argc - i - 1;
            return true;
        } else if (i + 1 == argc || !parse_value(w, argv[i], argv[i + 1])) {
            return false;
        } else {
            i++;
        }
    }
    return argc > 1;
}

int main(int argc, char **argv)
{
    struct wish w = {.campaign = {.plan = plan_of, .from = 1}};
    bool good = true;
    if (!parse(&w, argc, argv) || hub_crypto_self_test() != HUB_OK) {
        fprintf(stderr,
                "usage: sim --seed S | --seeds N | --campaign MINUTES | --hashes N | "
                "--scenario NAME|all | --controls | --accountability N | --idle DAYS | --speed | "
                "--calibrate S | "
                "--replay FILE...\n"
                "  before: -v --from S --adversary NAME|list --keep FOLDER --commit NAME\n");
        return 2;
    }
    w.campaign.seconds = 60 * w.minutes;
    if (w.seed)
        good = run_seed(w.seed, w.trace);
    for (int i = 0; i < w.file_count; i++)
        good = replay(w.files[i], w.trace) && good;
    if (w.controls)
        good = sim_controls() && good;
    if (w.forks)
        good = sim_accountability(w.campaign.from, w.forks, w.trace) && good;
    if (w.days)
        good = sim_idle((uint32_t)w.days) && good;
    if (w.calibrate)
        good = sim_calibrate(w.calibrate) && good;
    if (w.speed)
        good = sim_speed() && good;
    if (w.hashes)
        say_hashes(w.campaign.from, w.hashes);
    if ((w.campaign.count && !adversary) || w.scenario) {
        bool all = !w.scenario || !strcmp(w.scenario, "all");
        good = sim_scenarios(all ? NULL : w.scenario, w.trace);
    }
    if (w.campaign.count || w.minutes)
        good = sim_campaign(&w.campaign, adversary != NULL) && good;
    return good ? 0 : 1;
}
