#!/usr/bin/python3
"""Second opinion on deterministic CBOR: writes cbor.txt, lines of "hex ok" or "hex bad".

Bytes are ok when python's cbor2 reads them and a writer of RFC 8949 4.2.1, written here and sharing
nothing with ledger/cbor.c, gives the same bytes back, within the subset of docs/formats.cddl.
usage: cbor.py > cbor.txt; `make test` runs it and compares."""
import random
import sys

import cbor2

from oracle import Outside, encode


def verdict(data):
    try:
        value = cbor2.loads(data)
    except Exception:  # whatever it cannot read is no item
        return False
    try:
        return encode(value) == data
    except (Outside, UnicodeError):
        return False


CHARACTERS = "aZ 09\"\\üß水协议数字\u200f\U00010151\U0010ffff"
EDGES = [0, 1, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**53 - 1, 2**53, 2**63 - 1, 2**64 - 1]


def value(r, depth):
    kind = r.randrange(8 if depth < 7 else 5)
    if kind == 0:
        return r.choice(EDGES)
    if kind == 1:
        return -1 - r.choice(EDGES)
    if kind == 2:
        return r.randbytes(r.choice([0, 1, 2, 23, 24, 32]))
    if kind == 3:
        return "".join(r.choice(CHARACTERS) for _ in range(r.randrange(10)))
    if kind == 4:
        return r.choice([False, True, None])
    if kind == 5:
        return [value(r, depth + 1) for _ in range(r.randrange(4))]
    if kind == 6:
        keys = [0, 1, 24, 256, -1, -25, -70000, "to", "ref", "from", "amount", "", b"", b"k"]
        return {k: value(r, depth + 1) for k in r.sample(keys, r.randrange(5))}
    return cbor2.CBORTag(r.choice([18, 98]), value(r, depth + 1))


def mutated(r, data):
    data = bytearray(data)
    for _ in range(r.choice([1, 1, 1, 2, 3])):
        at = r.randrange(len(data))
        how = r.randrange(5)
        if how == 0:
            data[at] ^= 1 << r.randrange(8)
        elif how == 1:
            data[at] = r.choice([0x18, 0x19, 0x1b, 0x5f, 0x7f, 0x9f, 0xbf, 0xc2, 0xd8, 0xf7, 0xf9, 0xff, 0x80, 0xa0])
        elif how == 2:
            data.insert(at, r.choice([0x00, 0x18, 0x38, 0x58, 0x78, 0x81, 0xa1, 0xd2, 0xff]))
        elif how == 3 and len(data) > 1:
            del data[at]
        else:
            data += data[at:at + 1]
    return bytes(data)


def main():
    r = random.Random(1896)
    seen = set()
    out = []
    while len(out) < 2400:
        data = encode(value(r, 0))
        for d in (data, mutated(r, data), mutated(r, data)):
            if not d or len(d) > 300 or d in seen:
                continue
            seen.add(d)
            try:
                out.append(f"{d.hex()} {'ok' if verdict(d) else 'bad'}")
            except NotImplementedError:
                continue
    sys.stdout.write("\n".join(out) + "\n")


main()
