#!/usr/bin/python3
"""Writes the seed inputs of the fuzz targets into tests/fuzz/corpus/: shapes of docs/formats.cddl with
made-up hashes and signatures, by a CBOR writer of its own. Inputs that a fuzzer found are kept beside
them under the name it gave them. usage: tests/fuzz/corpus.py"""
import os

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def write(target, name, data):
    os.makedirs(os.path.join(HERE, target), exist_ok=True)
    with open(os.path.join(HERE, target, name), "wb") as f:
        f.write(data)


def cbor_seeds():
    """One of each kind from the vectors that python cbor2 judged: a few good ones, a few bad ones."""
    vectors = os.path.join(HERE, "..", "..", "vectors", "cbor.txt")
    count = {"ok": 0, "bad": 0}
    for line in open(vectors, encoding="ascii"):
        data, verdict = line.split()
        if len(data) > 60 and count[verdict] < 24:
            write("cbor", f"{verdict}-{count[verdict]:02}", bytes.fromhex(data))
            count[verdict] += 1


cbor_seeds()
