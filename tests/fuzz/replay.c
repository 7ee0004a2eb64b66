/* replay.c: runs a fuzz target over files, each in a block of exactly its size, so that AddressSanitizer
 * sees a read one byte too far. */
#include "hub/sign.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static bool read_file(uint8_t **data, size_t *size, const char *path)
{
    FILE *f = fopen(path, "rb");
    long end;

    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (end = ftell(f)) < 0) {
        perror(path);
        return false;
    }
    rewind(f);
    *size = (size_t)end;
    *data = malloc(*size > 0 ? *size : 1);
    if (*data == NULL || fread(*data, 1, *size, f) != *size) {
        perror(path);
        return false;
    }
    fclose(f);
    return true;
}

static bool replay(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    uint8_t *data;
    size_t size;
    bool accepted;

    if (!read_file(&data, &size, path))
        return false;
    accepted = fuzz_accepts((struct hub_span){data, size});
    free(data);
    if (strncmp(name, accepted ? "bad-" : "ok-", accepted ? 4 : 3) == 0) {
        fprintf(stderr, "%s: %s\n", path, accepted ? "accepted" : "refused");
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    int wrong = 0;

    if (argc < 2 || hub_crypto_self_test() != HUB_OK) {
        fprintf(stderr, "usage: %s FILE...\n", argv[0]);
        return 64;
    }
    for (int i = 1; i < argc; i++)
        wrong += !replay(argv[i]);
    printf("%d inputs, %d wrong\n", argc - 1, wrong);
    return wrong > 0;
}
