/* H4: a database that reads but is wrong. One bit of every page of a small environment is flipped, several
 * places a page, and everything is read by a process of its own: what it then holds is what was written, or
 * the damage is told. Nothing is silently wrong, and no crash is without a sentence. */
#include "tests/support/ledger_dir.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MAP_BYTES = 64 << 20,
    BLOCKS = 12,
    PAGE_BYTES = 4096,
    FLIPS_A_PAGE = 9,
    HARMLESS = 0,
    TOLD = 1,
    SILENTLY_WRONG = 2,
    STORE_STOPPED = 70 /* what hub_env's fault handler exits with, having said why */
};

static struct hub_genesis genesis;
static struct test_block block[BLOCKS];
static struct hub_store *store;
static struct hub_ports ports;
static char dir[64], why[HUB_WHY_BYTES];

static uint8_t large[3 * PAGE_BYTES]; /* a value on pages of its own */

static struct hub_span text(const char *s)
{
    return (struct hub_span){(const uint8_t *)s, strlen(s)};
}

static void fill(void)
{
    struct hub_hash parent = genesis.chain;
    for (unsigned i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)(i * 37 + i / 251);
    cr_assert_eq(hub_store_open(&store, why, dir, &genesis, MAP_BYTES), HUB_OK, "%s", why);
    hub_store_ports(store, &ports);
    for (unsigned i = 0; i < BLOCKS; i++) {
        test_dir_block(&block[i], &genesis, i + 1, &parent, 0);
        parent = block[i].hash;
        struct hub_vote v = test_dir_vote(HUB_NOTARIZE, i + 1, &block[i]),
                        f = test_dir_vote(HUB_FINALIZE, i + 1, &block[i]);
        struct hub_certificate c = test_dir_certificate(HUB_FINALIZE, i + 1, &block[i]);
        struct hub_point fin = {i + 1, i + 1, block[i].hash};
        struct hub_edge edge = {.size = 2};
        cr_assert_eq(ports.put_block(store, &block[i].header, &block[i].hash,
                                     (struct hub_span){block[i].bytes, block[i].len}),
                     HUB_OK);
        cr_assert_eq(ports.put_vote(store, &v), HUB_OK);
        cr_assert_eq(ports.put_vote(store, &f), HUB_OK);
        cr_assert_eq(ports.put_certificate(store, &c, 4), HUB_OK);
        if (i < BLOCKS - 2)
            cr_assert_eq(ports.put_tip(store, &fin, &edge), HUB_OK);
        if (i % 3 == 2)
            cr_assert_eq(ports.commit(store), HUB_OK);
    }
    cr_assert_eq(hub_env_put(hub_store_env(store), HUB_MAP_RESULT, text("large"),
                             (struct hub_span){large, sizeof large}),
                 HUB_OK);
    cr_assert_eq(ports.commit(store), HUB_OK);
    hub_store_close(store);
}

/* ---- the reading process: an exit code. Here everything was put, so what is said to be lost is told too. */
static void told(enum hub_status status)
{
    if (status)
        _exit(TOLD);
}

static void same(bool equal)
{
    if (!equal)
        _exit(SILENTLY_WRONG);
}

static void visit_vote(void *ctx, const struct hub_vote *v)
{
    unsigned *seen = ctx;
    uint64_t view = *seen / 2 + 1;
    struct hub_vote expected =
        test_dir_vote(*seen % 2 ? HUB_FINALIZE : HUB_NOTARIZE, view, &block[view - 1]);
    same(hub_subject_equal(&v->subject, &expected.subject) && v->signer == expected.signer &&
         memcmp(v->sig.b, expected.sig.b, sizeof v->sig.b) == 0);
    ++*seen;
}

static void read_all(void)
{
    unsigned votes = 0;
    struct hub_point fin;
    struct hub_edge edge;
    static struct hub_certificate cert;
    told(hub_store_open(&store, why, dir, &genesis, MAP_BYTES));
    hub_store_ports(store, &ports);
    told(ports.each_vote(store, 1, 0, visit_vote, &votes));
    same(votes == 2 * BLOCKS);
    told(ports.get_tip(store, &fin, &edge));
    same(fin.height == BLOCKS - 2 && fin.view == BLOCKS - 2 &&
         hub_hash_equal(&fin.block_hash, &block[BLOCKS - 3].hash) && edge.size == 2);
    for (unsigned i = 0; i < BLOCKS; i++) {
        struct hub_certificate expected = test_dir_certificate(HUB_FINALIZE, i + 1, &block[i]);
        struct hub_span bytes;
        told(ports.get_block(store, &block[i].hash, &bytes));
        same(bytes.len == block[i].len && memcmp(bytes.data, block[i].bytes, bytes.len) == 0);
        told(ports.get_certificate(store, 1, i + 1, HUB_FINALIZE, &cert));
        same(hub_subject_equal(&cert.subject, &expected.subject) &&
             cert.signers == expected.signers &&
             memcmp(cert.sig, expected.sig, sizeof cert.sig) == 0);
        if (i >= BLOCKS - 2)
            continue;
        told(ports.get_block_at(store, i + 1, &bytes));
        same(bytes.len == block[i].len && memcmp(bytes.data, block[i].bytes, bytes.len) == 0);
    }
    struct hub_reader r = hub_store_reader(store);
    struct hub_span value;
    told(hub_env_get(&r, HUB_MAP_RESULT, text("large"), &value));
    same(value.len == sizeof large && memcmp(value.data, large, sizeof large) == 0);
    struct hub_vote lie = test_dir_vote(HUB_NULLIFY, 3, NULL); /* the journal still refuses */
    same(ports.put_vote(store, &lie) != HUB_OK);
    _exit(HARMLESS);
}

static int read_in_child(void)
{
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        alarm(20); /* a loop inside LMDB would be a failure, not a wait */
        read_all();
    }
    int code = 0;
    waitpid(child, &code, 0);
    return WIFEXITED(code) ? WEXITSTATUS(code) : -WTERMSIG(code);
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

Test(store_flips, no_flipped_bit_goes_unseen_or_crashes_without_a_word)
{
    char path[128];
    test_dir_make(dir);
    test_dir_genesis(&genesis, "genesis of a test");
    fill();
    snprintf(path, sizeof path, "%s/ledger/data.mdb", dir);
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    size_t len = (size_t)st.st_size;
    uint8_t *bytes = malloc(len);
    int fd = open(path, O_RDONLY);
    cr_assert_eq(read(fd, bytes, len), (ssize_t)len);
    close(fd);
    cr_assert_eq(read_in_child(), HARMLESS, "the file as it was written");

    /* The page header, the first slots, and places spread over the page; the bit moves with the page. */
    static const unsigned place[FLIPS_A_PAGE] = {2, 10, 12, 16, 19, 1100, 2203, 3307, 4090};
    unsigned told_count = 0, harmless = 0;
    for (size_t page = 0; page < len / PAGE_BYTES; page++) {
        for (unsigned i = 0; i < FLIPS_A_PAGE; i++) {
            size_t at = page * PAGE_BYTES + place[i];
            bytes[at] ^= (uint8_t)(1u << (page + i) % 8);
            write_file(path, bytes, len);
            int code = read_in_child();
            cr_expect(code == HARMLESS || code == TOLD || code == STORE_STOPPED,
                      "page %zu, byte %u, bit %zu: %s %d", page, place[i], (page + i) % 8,
                      code < 0 ? "signal" : "silently wrong, exit code", abs(code));
            told_count += code != HARMLESS;
            harmless += code == HARMLESS;
            bytes[at] ^= (uint8_t)(1u << (page + i) % 8);
        }
    }
    cr_assert_gt(told_count, 50);
    cr_log_info("%u flips told, %u harmless", told_count, harmless);
    free(bytes);
    test_dir_remove(dir);
}
