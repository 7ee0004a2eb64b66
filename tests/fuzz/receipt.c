/* Input: [genesis file, receipt bundle]. Accepted means the verdict OK: a quorum signed, and the record
 * lies in the block whose height and time would be printed. */
#include "hub/receipt.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepts(struct hub_span input)
{
    static struct hub_genesis genesis;
    struct hub_receipt_facts facts;
    struct hub_cbor c = hub_cbor_open(input);
    struct hub_span file, bundle;
    const char *what = NULL;
    enum hub_verdict verdict;

    hub_cbor_array(&c, 2, 2);
    file = hub_cbor_bytes(&c, 0, SIZE_MAX);
    bundle = hub_cbor_bytes(&c, 0, SIZE_MAX);
    if (!hub_cbor_done(&c) || hub_genesis_decode(&genesis, NULL, file) != HUB_OK)
        return false;
    verdict = hub_receipt_verify(&facts, &what, bundle, &genesis);
    if (verdict != HUB_VERDICT_OK) {
        FUZZ_CHECK(what != NULL);
        return false;
    }
    FUZZ_CHECK(facts.signer_count >= facts.quorum && facts.quorum > facts.validator_count / 2);
    FUZZ_CHECK(facts.leaf_index < facts.header.log_size);
    FUZZ_CHECK(facts.leaf_index + facts.header.record_count >= facts.header.log_size);
    return true;
}
