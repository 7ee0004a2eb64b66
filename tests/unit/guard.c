/* The guard file: what it remembers, what a torn or damaged one gives, and whose it is. */
#include "node/guard.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES = 1024, SLOT_BYTES = 512 };

static char dir[64], path[96], why[HUB_GUARD_WHY_BYTES];
static struct hub_hash kid, chain, other;
static struct hub_guard *guard;
static struct hub_ports ports;

static void begin(void)
{
    strcpy(dir, "/tmp/hub-guard-XXXXXX");
    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/node.key.guard", dir);
    memset(kid.b, 1, 32), memset(chain.b, 2, 32), memset(other.b, 3, 32);
}

static void end(void)
{
    hub_guard_close(guard);
    unlink(path);
    rmdir(dir);
}
TestSuite(guard, .init = begin, .fini = end);

static enum hub_status open_guard(const struct hub_hash *k, const struct hub_hash *c)
{
    const enum hub_status st = hub_guard_open(&guard, why, path, k, c);
    if (st == HUB_OK)
        hub_guard_ports(guard, &ports);
    return st;
}

static void close_guard(void)
{
    hub_guard_close(guard);
    guard = NULL;
}

static struct hub_vote_mark mark_of(uint8_t n)
{
    struct hub_vote_mark m = {.epoch = 1, .view = 10u * n, .votes = n};
    memset(m.head.b, n, 32);
    return m;
}

/* Notes a mark and sees it on disk: closing writes what waits. */
static void note(uint8_t n)
{
    const struct hub_vote_mark m = mark_of(n);
    cr_assert_eq(open_guard(&kid, &chain), HUB_OK, "%s", why);
    ports.guard_note(ports.guard, &m);
    close_guard();
}

static void remembers(uint8_t n)
{
    struct hub_vote_mark got;
    cr_assert_eq(open_guard(&kid, &chain), HUB_OK, "%s", why);
    cr_assert_eq(ports.guard_read(ports.guard, &got), HUB_OK);
    const struct hub_vote_mark m = mark_of(n);
    cr_assert(got.epoch == (n ? m.epoch : 0) && got.view == m.view && got.votes == m.votes);
    cr_assert(hub_hash_equal(&got.head, &m.head));
    close_guard();
}

static void flip(off_t at)
{
    uint8_t byte;
    const int fd = open(path, O_RDWR);
    cr_assert(fd >= 0 && pread(fd, &byte, 1, at) == 1);
    byte ^= 4;
    cr_assert(pwrite(fd, &byte, 1, at) == 1);
    close(fd);
}

Test(guard, born_with_the_key_says_it_never_voted)
{
    struct stat st;
    cr_assert_eq(hub_guard_create(path, &kid, why), HUB_OK, "%s", why);
    cr_assert(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    remembers(0);
    cr_assert_eq(hub_guard_create(path, &kid, why), HUB_CONFLICT);
}

Test(guard, remembers_the_newest_of_two_slots)
{
    cr_assert_eq(hub_guard_create(path, &kid, why), HUB_OK);
    for (uint8_t n = 1; n <= 5; n++) {
        note(n);
        remembers(n);
    }
    struct stat st;
    cr_assert(stat(path, &st) == 0 && st.st_size == FILE_BYTES);
}

/* Whatever byte of the newest slot is damaged, the one before answers; never a mixture. */
Test(guard, a_damaged_slot_gives_the_other)
{
    cr_assert_eq(hub_guard_create(path, &kid, why), HUB_OK);
    note(1); /* slot 1 */
    note(2); /* slot 0 */
    for (off_t at = 0; at < SLOT_BYTES; at += 5) {
        flip(at);
        remembers(1);
        flip(at);
    }
    remembers(2);
    flip(100);
    flip(SLOT_BYTES + 100);
    struct hub_vote_mark got;
    cr_assert_eq(open_guard(&kid, &chain), HUB_OK);
    cr_assert_eq(ports.guard_read(ports.guard, &got), HUB_CORRUPT);
}

Test(guard, cut_to_any_length_it_is_older_or_unreadable_never_newer)
{
    cr_assert_eq(hub_guard_create(path, &kid, why), HUB_OK);
    note(1);
    note(2);
    for (off_t len = FILE_BYTES - 1; len >= 0; len -= 73) {
        struct hub_vote_mark got;
        cr_assert_eq(truncate(path, len), 0);
        cr_assert_eq(open_guard(&kid, &chain), HUB_OK);
        const enum hub_status st = ports.guard_read(ports.guard, &got);
        cr_assert(len >= SLOT_BYTES ? st == HUB_OK && got.votes == 2 : st == HUB_CORRUPT);
        close_guard();
    }
}

Test(guard, missing_is_said_and_not_mended_by_opening)
{
    struct hub_vote_mark got;
    cr_assert_eq(open_guard(&kid, &chain), HUB_OK);
    cr_assert_eq(ports.guard_read(ports.guard, &got), HUB_NOT_FOUND);
    close_guard();
    cr_assert_neq(access(path, F_OK), 0);
    note(4); /* only --resume-after-loss gets so far */
    remembers(4);
}

Test(guard, belongs_to_one_key_and_one_chain)
{
    cr_assert_eq(hub_guard_create(path, &kid, why), HUB_OK);
    cr_assert_eq(open_guard(&other, &chain), HUB_CONFLICT);
    cr_assert(strstr(why, "another key"));
    note(1); /* bound to the chain from here on */
    cr_assert_eq(open_guard(&kid, &other), HUB_CONFLICT);
    cr_assert(strstr(why, "another network"));
    remembers(1);
}

Test(guard, is_held_by_one_process)
{
    struct hub_guard *second = NULL;
    cr_assert_eq(hub_guard_create(path, &kid, why), HUB_OK);
    cr_assert_eq(open_guard(&kid, &chain), HUB_OK);
    cr_assert_eq(hub_guard_open(&second, why, path, &kid, &chain), HUB_NOT_NOW);
    cr_assert_not_null(strstr(why, "in use"));
    close_guard();
    cr_assert_eq(open_guard(&kid, &chain), HUB_OK, "free again");
}

Test(guard, silence_outlives_either_slot)
{
    struct hub_vote_mark silent = mark_of(3), got;
    silent.view = HUB_VIEW_SILENT;
    silent.signed_ = kid;
    cr_assert_eq(hub_guard_create(path, &kid, why), HUB_OK);
    note(1);
    cr_assert_eq(open_guard(&kid, &chain), HUB_OK);
    ports.guard_note(ports.guard, &silent);
    close_guard();
    for (off_t slot = 0; slot < 2; slot++) {
        flip(slot * SLOT_BYTES + 100);
        cr_assert_eq(open_guard(&kid, &chain), HUB_OK);
        cr_assert_eq(ports.guard_read(ports.guard, &got), HUB_OK);
        cr_assert_eq(got.view, HUB_VIEW_SILENT, "slot %d", (int)slot);
        cr_assert(hub_hash_equal(&got.signed_, &kid));
        close_guard();
        flip(slot * SLOT_BYTES + 100);
    }
}

/* An epoch that begins while the node runs is compared with what was noted, not with what the start found. */
Test(guard, answers_with_what_was_noted_last)
{
    struct hub_vote_mark got;
    const struct hub_vote_mark m = mark_of(7);
    cr_assert_eq(open_guard(&kid, &chain), HUB_OK);
    cr_assert_eq(ports.guard_read(ports.guard, &got), HUB_NOT_FOUND);
    ports.guard_note(ports.guard, &m);
    cr_assert_eq(ports.guard_read(ports.guard, &got), HUB_OK);
    cr_assert(got.votes == 7 && hub_hash_equal(&got.head, &m.head));
}

Test(guard, writes_at_most_once_a_second_and_the_newest)
{
    struct stat a;
    cr_assert_eq(hub_guard_create(path, &kid, why), HUB_OK);
    cr_assert_eq(open_guard(&kid, &chain), HUB_OK);
    for (uint8_t n = 1; n <= 200; n++) {
        const struct hub_vote_mark m = mark_of(n);
        ports.guard_note(ports.guard, &m);
    }
    close_guard();
    remembers(200);
    /* Two hundred notes made two writes at most: the serial of the newest slot says so. */
    uint8_t serial[8];
    const int fd = open(path, O_RDONLY);
    cr_assert(fd >= 0 && fstat(fd, &a) == 0);
    uint64_t newest = 0;
    for (off_t slot = 0; slot < 2; slot++)
        if (pread(fd, serial, 8, slot * SLOT_BYTES + 8) == 8 && hub_get_be64(serial) > newest)
            newest = hub_get_be64(serial);
    close(fd);
    cr_assert(newest >= 1 && newest <= 2, "%llu writes", (unsigned long long)newest);
}
