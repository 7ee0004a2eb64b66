/* space.h: large memory for a test's bytes, zeroed. Mapped, not allocated: pages not touched cost nothing, and the leak
 * checker does not read them when the test ends; so no pointer to allocated memory may lie in it. Its end, rounded up to
 * 64 bytes, lies before a page that nobody may touch. Goes with the process. */
#ifndef TEST_SPACE_H
#define TEST_SPACE_H

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

static inline void *test_space(size_t bytes)
{
    enum { PAGE = 4096, UNIT = 64 };
    const size_t used = (bytes + UNIT - 1) / UNIT * UNIT;
    const size_t pages = (used + PAGE - 1) / PAGE * PAGE;
    uint8_t *p = mmap(NULL, pages + PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED || mprotect(p + pages, PAGE, PROT_NONE) != 0)
        abort();
    return p + pages - used;
}

/* For a test that takes much of it many times; bytes as asked for. */
static inline void test_space_end(void *at, size_t bytes)
{
    enum { PAGE = 4096 };
    uint8_t *p = (uint8_t *)((uintptr_t)at / PAGE * PAGE);

    munmap(p, (bytes + PAGE - 1) / PAGE * PAGE + PAGE);
}

#endif
