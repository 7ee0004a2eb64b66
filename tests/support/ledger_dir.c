#define _XOPEN_SOURCE 700 /* nftw */

#include "tests/support/ledger_dir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void test_dir_make(char out[64])
{
    const char *base = getenv("TMPDIR");
    int n = snprintf(out, 64, "%s/hubstore.XXXXXX", base && strlen(base) < 40 ? base : "/tmp");
    if (n >= 64 || !mkdtemp(out)) {
        perror("mkdtemp");
        exit(1);
    }
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void test_dir_remove(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void test_dir_genesis(struct hub_genesis *out, const char *bytes)
{
    memset(out, 0, sizeof *out);
    out->bytes = (struct hub_span){(const uint8_t *)bytes, strlen(bytes)};
    hub_hash_tagged(&out->chain, "hubledger/genesis/1", out->bytes);
}

void test_dir_block(struct test_block *out, const struct hub_genesis *g, uint64_t height,
                    const struct hub_hash *parent, uint64_t salt)
{
    memset(out, 0, sizeof *out);
    out->header = (struct hub_header){.version = 1,
                                      .chain = g->chain,
                                      .epoch = 1,
                                      .view = height,
                                      .height = height,
                                      .parent = *parent,
                                      .parent_view = height - 1,
                                      .time_ms = 1000 + height * 10 + salt,
                                      .log_size = 2};
    hub_hash_span(&out->header.records_root, (struct hub_span){NULL, 0});
    hub_hash_span(&out->header.results_root, (struct hub_span){NULL, 0});
    struct hub_buf b = {out->bytes, 0, sizeof out->bytes, false};
    hub_block_encode(&b, &out->header, NULL, 0);
    out->len = b.len;
    struct hub_span header_bytes;
    if (b.full || !hub_block_peek(&out->header, &out->hash, &header_bytes, hub_span_of(&b)))
        abort();
}

static struct hub_subject subject(uint8_t kind, uint64_t view, const struct test_block *block)
{
    struct hub_subject s = {.kind = kind, .epoch = 1, .view = view};
    if (kind != HUB_NULLIFY)
        s.block_hash = block->hash;
    if (kind == HUB_FINALIZE) {
        s.height = block->header.height;
        s.log_size = block->header.log_size;
        s.log_root = block->header.log_root;
    }
    return s;
}

struct hub_vote test_dir_vote(uint8_t kind, uint64_t view, const struct test_block *block)
{
    struct hub_vote v = {.subject = subject(kind, view, block), .signer = 2};
    for (unsigned i = 0; i < sizeof v.sig.b; i++)
        v.sig.b[i] = (uint8_t)(view * 7 + kind * 31 + i);
    return v;
}

struct hub_certificate test_dir_certificate(uint8_t kind, uint64_t view,
                                            const struct test_block *block)
{
    struct hub_certificate c = {.subject = subject(kind, view, block), .signers = 7};
    for (unsigned i = 0; i < 3; i++)
        memset(c.sig[i].b, (int)(view + i + 1), sizeof c.sig[i].b);
    return c;
}
