"""A client of a hubledger network that shares nothing with the C code: records from docs/formats.cddl, written with
cbor2 and python-cryptography, sent over HTTP. Every operation is timed and its outcome is one of

    final    a node said that the record is final: height, place and result code are known
    refused  the first node asked said that the record can be in no block: it must never appear
    unknown  anything else, for ever: the record may or may not appear
"""
import base64
import hashlib
import http.client
import itertools
import json
import os
import time

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def ordered(x):
    """Maps in bytewise order of their encoded keys (RFC 8949 4.2.1)."""
    if isinstance(x, dict):
        return dict(sorted(((k, ordered(v)) for k, v in x.items()), key=lambda kv: cbor2.dumps(kv[0])))
    if isinstance(x, list):
        return [ordered(v) for v in x]
    if isinstance(x, cbor2.CBORTag):
        return cbor2.CBORTag(x.tag, ordered(x.value))
    return x


def encode(x):
    return cbor2.dumps(ordered(x))


def sha256(data):
    return hashlib.sha256(data).digest()


def record_id(record):
    """Of the encoded record: the hash of what its signature covers."""
    protected, _, payload, _ = cbor2.loads(record).value
    return sha256(encode(["Signature1", protected, b"", payload])).hex()


def family(record):
    """The kind of record, as "currency.transfer"."""
    return cbor2.loads(cbor2.loads(record).value[0])[3].removeprefix("application/vnd.hubledger.").removesuffix("+cbor")


class Key:
    """An unprotected key file of a trial network."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines()
        assert lines[0] == "hubledger key file, format 1" and "UNPROTECTED" in lines[5], path
        self.private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(lines[6]))
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.kid = sha256(encode({1: 1, -1: 6, -2: self.public}))
        assert f"kid: {self.kid.hex()}" == lines[2], path
        self.numbers = itertools.count(1)  # next() of it is atomic

    def next_seq(self):
        return next(self.numbers)


class Ledger:
    """What a record must carry beyond its body. chain: 32 bytes."""

    def __init__(self, chain):
        self.chain = chain

    def record(self, key, family, iss, sub, body, cosigned=False, valid_s=3600):
        protected = encode({1: -8, 3: f"application/vnd.hubledger.{family}+cbor", 4: key.kid, 15: {1: iss, 2: sub},
                            -70000: [self.chain, key.next_seq(), int((time.time() + valid_s) * 1000)]})
        payload = encode({"core": encode(body)} if cosigned else body)
        signature = key.private.sign(encode(["Signature1", protected, b"", payload]))
        return encode(cbor2.CBORTag(18, [protected, {}, payload, signature]))

    def issue(self, key, institution, fen):
        body = {"amount": fen, "reference": os.urandom(16), "institution": institution}
        return self.record(key, "currency.issue", "AUTHORITY", str(institution), body, cosigned=True)

    def open_wallet(self, key, institution):
        body = {"kind": "corporate", "tier": 0, "owner": os.urandom(16), "reference": os.urandom(16),
                "institution": institution}
        return self.record(key, "wallet.open", "BANK", str(institution), body, cosigned=True)

    def transfer(self, key, debit, credit, fen, valid_s=3600):
        body = {"debit": debit, "amount": fen, "credit": credit}
        return self.record(key, "currency.transfer", "BANK", str(debit), body, valid_s=valid_s)


def get(address, path, timeout=5, raw=False):
    """(status, headers, parsed body) or None when there was no answer."""
    link = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        body = answer.read()
        return answer.status, answer.headers, body if raw else json.loads(body)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        link.close()


def post(address, record, wait_s, timeout):
    link = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        link.request("POST", f"/v1/records?wait={wait_s}s", record, {"Content-Type": "application/cose"})
        answer = link.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        link.close()


def submit(record, addresses, patience_s=20.0):
    """Sends one record until a node says what became of it, the same bytes to one node after the other.
    Returns (outcome, answer of the node, position of that node in addresses)."""
    end = time.monotonic() + patience_s
    asked = 0
    while True:
        at = asked % len(addresses)
        answer = post(addresses[at], record, 3, 4)
        asked += 1
        if answer and answer[1].get("state") == "final":
            return "final", answer[1], at
        if answer and asked == 1 and answer[1].get("recorded") is False and answer[1].get("retry") == "never":
            return "refused", answer[1], at
        if time.monotonic() > end:
            return "unknown", None, None
        if not answer or answer[0] >= 400:
            time.sleep(0.1)


def wallet_text(number):
    """A wallet number as people write it: institution, slot, check digits."""
    return f"{number >> 48:05d}-{number >> 16 & 0xFFFFFFFF:010d}-{number & 0xFFFF:05d}"


def wallet_number(text):
    a, b, c = (int(part) for part in text.split("-"))
    return a << 48 | b << 16 | c


def crc16(data):
    """CRC-16/IBM-3740."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def reserve(institution):
    """The wallet an issue is credited to: slot 1."""
    data = institution.to_bytes(2, "big") + (1).to_bytes(4, "big")
    return int.from_bytes(data + crc16(data).to_bytes(2, "big"), "big")
