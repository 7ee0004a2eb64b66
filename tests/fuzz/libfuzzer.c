/* libfuzzer.c: hands libFuzzer's inputs to the target it is linked with. */
#include "hub/sign.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    return hub_crypto_self_test() == HUB_OK ? 0 : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)fuzz_accepts((struct hub_span){data, size});
    return 0;
}
