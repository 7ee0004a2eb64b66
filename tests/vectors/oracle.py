"""A second implementation of docs/formats.cddl, for tests only: deterministic CBOR (RFC 8949 4.2.1),
COSE_Sign1 with Ed25519 (RFC 9052, RFC 8032 section 6), RFC 9162 trees by their recursive definitions.
Nothing is shared with the C code, and nothing is fast."""
import hashlib
import struct

DEPTH = 8
BAD_CHARACTERS = {
    *range(0x00, 0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF}


class Outside(Exception):
    """A value the format does not have."""


class Tag:
    def __init__(self, tag, value):
        self.tag, self.value = tag, value


# ---- CBOR

def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    for info, code, top in ((24, ">B", 1 << 8), (25, ">H", 1 << 16), (26, ">I", 1 << 32), (27, ">Q", 1 << 64)):
        if n < top:
            return bytes([major << 5 | info]) + struct.pack(code, n)
    raise Outside("integer")


def encode(v, depth=0):
    if v is None or isinstance(v, bool):
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[v]
    if isinstance(v, int):
        return head(0, v) if v >= 0 else head(1, -1 - v)
    if isinstance(v, bytes):
        return head(2, len(v)) + v
    if isinstance(v, str):
        if any(ord(c) in BAD_CHARACTERS for c in v):
            raise Outside("character")
        return head(3, len(v.encode())) + v.encode()
    if depth == DEPTH:
        raise Outside("depth")
    if isinstance(v, (list, tuple)):
        return head(4, len(v)) + b"".join(encode(x, depth + 1) for x in v)
    if hasattr(v, "tag") and v.tag in (18, 98):
        return head(6, v.tag) + encode(v.value, depth + 1)
    if hasattr(v, "items"):
        if any(isinstance(k, bool) for k in v):
            raise NotImplementedError  # python takes True and 1 for one key: no opinion
        pairs = sorted((encode(k, depth + 1), encode(x, depth + 1)) for k, x in v.items())
        return head(5, len(pairs)) + b"".join(k + x for k, x in pairs)
    raise Outside(type(v).__name__)


# ---- Ed25519, after the reference code of RFC 8032 section 6

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P


def recover_x(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P)
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * pow(2, (P - 1) // 4, P) % P
    return P - x if x & 1 != sign else x


BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(s, p):
    q = (0, 1, 1, 0)
    while s > 0:
        if s & 1:
            q = add(q, p)
        p = add(p, p)
        s >>= 1
    return q


def compress(p):
    z = pow(p[2], P - 2, P)
    x, y = p[0] * z % P, p[1] * z % P
    return int.to_bytes(y | (x & 1) << 255, 32, "little")


def expand(seed):
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
    return a, h[32:]


def public_key(seed):
    return compress(multiply(expand(seed)[0], BASE))


def sign(seed, message):
    a, prefix = expand(seed)
    key = compress(multiply(a, BASE))
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
    point = compress(multiply(r, BASE))
    k = int.from_bytes(hashlib.sha512(point + key + message).digest(), "little") % L
    return point + int.to_bytes((r + k * a) % L, 32, "little")


# ---- hashes and trees

def sha256(data):
    return hashlib.sha256(data).digest()


def named(name, data):
    return sha256(name.encode() + data)


def leaf(data):
    return sha256(b"\x00" + data)


def split(n):
    return 1 << (n - 1).bit_length() - 1


def root(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:]))


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return path(m, leaves[:k]) + [root(leaves[k:])]
    return path(m - k, leaves[k:]) + [root(leaves[:k])]


# ---- keys, statements, numbers

def seed_of(name):
    return sha256(("test key " + name).encode())


def cose_key(name):
    return encode({1: 1, -1: 6, -2: public_key(seed_of(name))})


def kid(name):
    return sha256(cose_key(name))


def sign1(signer, protected, payload, unprotected=None, detached=False):
    body = encode(protected)
    signature = sign(seed_of(signer), encode(["Signature1", body, b"", payload]))
    return Tag(18, [body, unprotected or {}, None if detached else payload, signature])


def record(signer, chain, family, iss, sub, body, cosigners=None, seq=1, valid_until_ms=1779500000000):
    """The encoded record. cosigners None: the body is the payload; a list: {core, cosign}."""
    protected = {1: -8, 3: f"application/vnd.hubledger.{family}+cbor", 4: kid(signer), 15: {1: iss, 2: sub},
                 -70000: [chain, seq, valid_until_ms]}
    payload = body
    if cosigners is not None:
        payload = {"core": encode(body)}
        if cosigners:
            cosign = []
            for name in sorted(cosigners, key=kid):
                own = encode({1: -8, 4: kid(name)})
                message = encode(["Signature", encode(protected), own, b"", encode(body)])
                cosign.append([own, {}, sign(seed_of(name), message)])
            payload["cosign"] = cosign
    return encode(sign1(signer, protected, encode(payload)))


def sig_structure(data):
    """Of a tagged COSE_Sign1 that encode() made: [protected, {}, payload, signature]."""
    def string(at):
        info, size = data[at] & 0x1F, 0
        if info >= 24:
            size = 1 << info - 24
            info = int.from_bytes(data[at + 1:at + 1 + size], "big")
        begin = at + 1 + size
        return data[begin:begin + info], begin + info

    assert data[:2] == b"\xd2\x84"
    protected, at = string(2)
    assert data[at] == 0xA0
    payload, _ = string(at + 1)
    return encode(["Signature1", protected, b"", payload])


def crc16(data):
    """CRC-16/IBM-3740."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def wallet_number(institution, slot):
    data = struct.pack(">HI", institution, slot)
    return int.from_bytes(data + struct.pack(">H", crc16(data)), "big")


assert crc16(b"123456789") == 0x29B1  # the check value of the CRC catalogue
assert public_key(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")) == \
    bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")  # RFC 8032 7.1
