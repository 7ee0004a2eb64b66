/* Input: [genesis file, array of links] as EPOCH_PROOF and receipts carry them. Accepted means that they lead from the
 * genesis set to another; then each is what the encoder makes of it, and every set on the way has a majority. */
#include "hub/genesis.h"
#include "hub/link.h"
#include "tests/fuzz/fuzz.h"

static void check_links(struct hub_span links, const struct hub_genesis *genesis)
{
    static uint8_t storage[HUB_BUNDLE_BYTES_MAX];
    struct hub_cbor c = hub_cbor_open(links);
    uint32_t n = hub_cbor_array(&c, 0, HUB_BUNDLE_LINKS_MAX);
    struct hub_validators set = genesis->set;

    for (uint32_t i = 0; i < n; i++) {
        struct hub_buf out = {storage, 0, sizeof storage, false};
        struct hub_span item = hub_cbor_item(&c);
        struct hub_link_facts facts;
        struct hub_link link;
        const char *what;

        FUZZ_CHECK(hub_link_decode(&link, item));
        FUZZ_CHECK(hub_link_check(&facts, &what, &link, &set, &hub_accept_all) == HUB_VERDICT_OK);
        hub_link_encode(&out, &link, set.n);
        FUZZ_CHECK(hub_span_equal(hub_span_of(&out), item));
        FUZZ_CHECK(facts.next.epoch == set.epoch + 1 && 2 * facts.next.q > facts.next.n);
        FUZZ_CHECK(facts.seal.flags == HUB_FLAG_SEAL);
        set = facts.next;
    }
}

bool fuzz_accepts(struct hub_span input)
{
    static struct hub_genesis genesis;
    struct hub_cbor c = hub_cbor_open(input);
    struct hub_span file, links;
    struct hub_validators set;
    const char *what = NULL;

    hub_cbor_array(&c, 2, 2);
    file = hub_cbor_bytes(&c, 0, SIZE_MAX);
    links = hub_cbor_bytes(&c, 0, SIZE_MAX);
    if (!hub_cbor_done(&c) || hub_genesis_decode(&genesis, NULL, file) != HUB_OK)
        return false;
    set = genesis.set;
    if (hub_links_walk(&set, &what, links, &hub_accept_all, NULL) != HUB_VERDICT_OK) {
        FUZZ_CHECK(what != NULL);
        return false;
    }
    check_links(links, &genesis);
    return true;
}
