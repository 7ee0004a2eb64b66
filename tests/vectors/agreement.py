#!/usr/bin/env python3
"""Makes the golden bytes of tests/unit/agreement_form.c: agreement id, consent, executed agreement.

A second implementation from formats.cddl, with hashlib and the Ed25519 of python3-cryptography.
The signers' seeds are those of RFC 8032 TEST 1 and TEST 2."""
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SEEDS = ["9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"]


def head(major, n):
    for extra, size in ((24, 0), (1 << 8, 1), (1 << 16, 2), (1 << 32, 4)):
        if n < extra:
            return bytes([major << 5 | n]) if size == 0 else \
                bytes([major << 5 | {1: 24, 2: 25, 4: 26}[size]]) + n.to_bytes(size, "big")
    raise ValueError(n)


def integer(n):
    return head(0, n) if n >= 0 else head(1, -1 - n)


def bstr(x):
    return head(2, len(x)) + x


def text(s):
    return head(3, len(s.encode())) + s.encode()


def array(*items):
    return head(4, len(items)) + b"".join(items)


def mapping(*pairs):
    return head(5, len(pairs)) + b"".join(k + v for k, v in pairs)


BODY = mapping((text("a"), integer(1)))
SHARED = mapping((integer(3), text("application/vnd.hubledger.agreement+cbor")))


def consent(seed, remark):
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    cose_key = mapping((integer(1), integer(1)), (integer(-1), integer(6)), (integer(-2), bstr(public)))
    kid = hashlib.sha256(cose_key).digest()
    protected = mapping((integer(1), integer(-8)), (integer(4), bstr(kid)),
                        (integer(-70002), array(integer(1), text(remark))))
    message = array(text("Signature"), bstr(SHARED), bstr(protected), bstr(b""), bstr(BODY))
    return kid, array(bstr(protected), mapping(), bstr(private.sign(message)))


first, second = consent(SEEDS[0], "同意"), consent(SEEDS[1], "")
chain, kid, nonce = bytes([0xc4]) * 32, bytes(range(32)), bytes([7]) * 16
name = b"hubledger/agreement/1" + array(bstr(chain), bstr(kid), bstr(nonce))
print("id", hashlib.sha256(name).hexdigest())
print("consent", first[1].hex())
ordered = [item for _, item in sorted([first, second])]
print("executed", (head(6, 98) + array(bstr(SHARED), mapping(), bstr(BODY), array(*ordered))).hex())

# The largest agreement record within the limits of docs/agreements.md, by arithmetic: agreement.amend, 32
# parties, 32 areas, 16 documents, 32 milestones that list the other 31 parties, own consent with the
# longest remark, 7 co-signatures.


def of(n):
    """Bytes of a string of n bytes, head included."""
    return len(head(2, n)) + n


def pairs(**fields):
    return len(head(5, len(fields))) + sum(of(len(k)) + v for k, v in fields.items())


def items(n, each):
    return len(head(4, n)) + n * each


def bi(n):
    return pairs(zh=of(n), en=of(n))


CODE, HASH, TIME = of(18), of(32), 9
NEED = pairs(need=of(len("lead")))
numbers = [pairs(no=1 if no < 24 else 2, due=TIME, owner=CODE, title=bi(200), deemed_days=3, review_days=2,
                 accept=pairs(who=items(31, CODE), rule=of(len("listed")))) for no in range(1, 33)]
body = pairs(
    lead=CODE, chain=HASH, place=bi(100), title=bi(300), number=of(64), expires=TIME, sign_by=TIME,
    previous=HASH, revision=5, agreement=HASH, retention=of(len("permanent")), prevailing=of(len("equal")),
    visibility=of(len("members")), change_note=bi(1000), document_date=of(10),
    areas=items(32, pairs(code=of(32), name=bi(100))),
    rules=pairs(amend=NEED, renew=NEED, suspend=NEED, terminate=NEED, dispute=bi(300),
                withdraw=pairs(then=of(len("others-stay")), allowed=1, notice_days=3)),
    parties=items(32, pairs(**{"as": of(len("witness")), "member": CODE, "must_sign": 1})) -
    len("witness") + len("lead"),
    documents=items(16, pairs(lang=of(4), name=of(200), size=TIME, media=of(100), sha256=HASH)),
    effective=pairs(on=of(len("last-signature"))),
    milestones=len(head(4, 32)) + sum(numbers))
consent_protected = 1 + (1 + 1) + (1 + HASH) + (5 + 1 + 1 + of(1000))
signature = 1 + of(consent_protected) + 1 + of(64)
core = pairs(body=of(body), agreement=HASH,
             consent=pairs(reviewed=items(16, HASH), seal_ref=HASH, signature=signature))
cosignature = 1 + of(1 + (1 + 1) + (1 + HASH)) + 1 + of(64)
payload = pairs(core=of(core), cosign=items(7, cosignature))
media_type = of(len("application/vnd.hubledger.agreement.amend+cbor"))
protected = 1 + (1 + 1) + (1 + media_type) + (1 + HASH) + (1 + 1 + 1 + CODE + 1 + of(64)) + (5 + 1 + HASH + 9 + 9)
print("largest body", body, "record", 1 + 1 + of(protected) + 1 + of(payload) + of(64))
