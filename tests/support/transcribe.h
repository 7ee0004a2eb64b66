/* transcribe.h: the proof of encode(decode(x)) == x for any item. */
#ifndef TEST_TRANSCRIBE_H
#define TEST_TRANSCRIBE_H

#include "hub/cbor.h"

/* Reads one item with the typed readers of cbor.h and appends what its writer makes of the values. */
void test_transcribe(struct hub_buf *out, struct hub_cbor *c);

#endif
