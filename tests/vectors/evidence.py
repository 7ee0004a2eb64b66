#!/usr/bin/python3
"""A second judge of evidence (docs/formats.cddl section 10, docs/protocol.md 9): says who is guilty of what, with
nothing but the genesis file. Decoding is cbor2's, signatures are python-cryptography's; nothing is shared with
the C code. usage: evidence.py GENESIS FILE...   or, to judge all of golden.txt: evidence.py --golden"""
import hashlib
import pathlib
import sys

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

EMPTY = hashlib.sha256(b"").digest()
NOTARIZE, NULLIFY, FINALIZE = 1, 2, 3


class Refused(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Refused(why)


def named_hash(name, data):
    return hashlib.sha256(name.encode() + data).digest()


def ordered(x):
    if isinstance(x, dict):
        return dict(sorted(((k, ordered(v)) for k, v in x.items()), key=lambda kv: cbor2.dumps(kv[0])))
    if isinstance(x, list):
        return [ordered(v) for v in x]
    if isinstance(x, cbor2.CBORTag):
        return cbor2.CBORTag(x.tag, ordered(x.value))
    return x


def strict(data, what):
    """The item in these bytes, if they are its one deterministic encoding."""
    try:
        item = cbor2.loads(data)
    except Exception as e:
        raise Refused(f"{what}: no CBOR") from e
    need(cbor2.dumps(ordered(item)) == data, f"{what}: not deterministic, or something behind it")
    return item


HEADER = ("version chain epoch view height parent parent_view time_ms proposer log_size log_root record_count records_root "
          "results_root state_root validators next_validators flags").split()


def header(data):
    items = strict(data, "header")
    need(isinstance(items, list) and len(items) == len(HEADER), "header: form")
    return dict(zip(HEADER, items)), named_hash("hubledger/header/1", data)


class Epoch:
    def __init__(self, data, network, chain):
        self.data, self.network, self.chain = data, network, chain
        version, self.number, self.quorum, self.model, validators = strict(data, "epoch")
        need(version == 1 and 2 * self.quorum > len(validators), "epoch: rules")
        self.keys = [(hashlib.sha256(k).digest(), cbor2.loads(k)[-2], member) for k, member, _ in validators]
        self.hash = named_hash("hubledger/epoch/1", data)

    def vote(self, data):
        """What this statement says and who signed it: (kind, view, block, height, size, root, kid, member)."""
        tag = strict(data, "vote")
        need(getattr(tag, "tag", None) == 18 and len(tag.value) == 4, "vote: no COSE_Sign1")
        protected, unprotected, payload, signature = tag.value
        p = strict(protected, "vote")
        need(unprotected == {} and isinstance(payload, bytes), "vote: form")
        found = [(key, member) for kid, key, member in self.keys if kid == p.get(4)]
        need(found, "vote: nobody of the epoch")
        key, member = found[0]
        if 395 in p:
            chain, epoch, view, height, size, block = p[-70001]
            need(p == {1: -8, 4: p[4], 15: {1: member, 2: self.network}, 395: 1, -70001: p[-70001]}, "vote: protected header")
            said = (FINALIZE, view, block, height, size, payload)
            need(len(payload) == 32, "vote: log root")
        else:
            need(p == {1: -8, 3: "application/vnd.hubledger.vote+cbor", 4: p[4]}, "vote: protected header")
            kind, chain, epoch, view, *block = strict(payload, "vote")
            need(kind in (NOTARIZE, NULLIFY) and len(block) == (kind == NOTARIZE), "vote: payload")
            said = (kind, view, block[0] if block else None, None, None, None)
        need(chain == self.chain and epoch == self.number, "vote: of another ledger or epoch")
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, cbor2.dumps(["Signature1", protected, b"", payload]))
        except InvalidSignature as e:
            raise Refused("vote: signature") from e
        return (*said, p[4], member)

    def finalized(self, certificate):
        """The subject of a FINALIZATION that a quorum of this epoch signed."""
        version, subject, bits, signatures = certificate
        need(version == 1 and subject[0] == FINALIZE and subject[1] == self.number, "link: no finalization of its epoch")
        signers = [i for i in range(8 * len(bits)) if bits[i // 8] >> i % 8 & 1]
        need(len(signers) >= self.quorum and len(signatures) == 64 * len(signers) and signers[-1] < len(self.keys), "link: quorum")
        for place, i in enumerate(signers):
            kid, key, member = self.keys[i]
            _, epoch, view, height, size, root, block = subject
            p = cbor2.dumps(ordered({1: -8, 4: kid, 15: {1: member, 2: self.network}, 395: 1,
                                     -70001: [self.chain, epoch, view, height, size, block]}))
            Ed25519PublicKey.from_public_bytes(key).verify(signatures[64 * place:64 * place + 64],
                                                           cbor2.dumps(["Signature1", p, b"", root]))
        return subject


def follow(epoch, link):
    need(set(link) == {"next", "headers", "certificate"}, "link: form")
    subject = epoch.finalized(link["certificate"])
    headers = [header(h) for h in link["headers"]]
    need(headers[0][1] == subject[6], "link: certificate of another block")
    for (h, _), (_, parent_hash) in zip(headers, headers[1:]):
        need(h["parent"] == parent_hash, "link: headers do not chain")
    seal = headers[-1][0]
    need(seal["flags"] == 1 and seal["next_validators"] == named_hash("hubledger/epoch/1", link["next"]), "link: not sealed")
    following = Epoch(link["next"], epoch.network, epoch.chain)
    need(following.number == epoch.number + 1, "link: epoch number")
    return following


def impossible(h, epoch):
    changes = h["next_validators"] != h["validators"]
    return (h["chain"] != epoch.chain or h["epoch"] != epoch.number or h["validators"] != epoch.hash
            or h["proposer"] >= len(epoch.keys) or h["height"] == 0 or h["parent_view"] >= h["view"]
            or h["log_size"] < h["record_count"] + 2
            or (h["record_count"] == 0 and (h["records_root"], h["results_root"]) != (EMPTY, EMPTY))
            or (h["flags"] == 2 and h["record_count"] > 0)
            or (h["flags"] == 1 and (not changes or h["record_count"] == 0)) or (h["flags"] != 1 and changes))


def offence(votes, head, epoch):
    """1 to 5 or 7, or 0: no offence."""
    (kind, view, block, height, size, root, *signer) = votes[0]
    if head is not None:
        h, hash_ = head
        need(len(votes) == 1 and hash_ == block, "header: not of the block voted for")
        elsewhere = (h["epoch"], h["view"]) != (epoch.number, view)
        if kind == NOTARIZE:
            return 5 if elsewhere or impossible(h, epoch) else 0
        return 7 if elsewhere or (h["height"], h["log_size"], h["log_root"]) != (height, size, root) else 0
    need(len(votes) == 2 and votes[1][1] == view and list(votes[1][6:]) == signer, "votes: not of one signer and view")
    other_kind, other_block = votes[1][0], votes[1][2]
    need((kind, block or b"") < (other_kind, other_block or b""), "votes: order")
    return {(NOTARIZE, NOTARIZE): 1, (NULLIFY, FINALIZE): 2, (FINALIZE, FINALIZE): 3 if block != other_block else 0,
            (NOTARIZE, FINALIZE): 4 if block != other_block else 0}.get((kind, other_kind), 0)


def judge(data, genesis_data):
    genesis = cbor2.loads(genesis_data)
    chain = named_hash("hubledger/genesis/1", genesis_data)
    e = strict(data, "evidence")
    need(isinstance(e, dict), "evidence: form")
    names = {"kind", "chain", "epoch", "links", "votes", "version"} | ({"header"} if e.get("kind") in (5, 7) else set())
    need(set(e) == names and e["version"] == 1 and e["chain"] == chain, "evidence: form, or of another ledger")
    epoch = Epoch(cbor2.dumps(ordered(genesis["epoch"])), genesis["name"], chain)
    for link in e["links"]:
        epoch = follow(epoch, link)
    need(epoch.data == e["epoch"], "epoch: not where the links lead")
    votes = [epoch.vote(v) for v in e["votes"]]
    kind = offence(votes, header(e["header"]) if "header" in e else None, epoch)
    need(kind != 0 and kind == e["kind"], "votes: no such offence")
    return f"E{kind} {votes[0][7]} epoch {epoch.number} view {votes[0][1]}"


def golden():
    wrong, count = 0, 0
    lines = dict(line.split(" ") for line in pathlib.Path(__file__).with_name("golden.txt").read_text().splitlines())
    genesis = bytes.fromhex(lines["genesis"])
    for name, data in lines.items():
        good = name.startswith("evidence.")
        if not good and not name.startswith("bad.evidence."):
            continue
        count += 1
        try:
            verdict = judge(bytes.fromhex(data), genesis)
        except Refused:
            verdict = None
        if (verdict is not None) != good:
            wrong += 1
            print(f"{name}: {verdict}")
    print(f"{count} items judged, {wrong} otherwise than expected")
    return wrong > 0 or count < 40


def main():
    if sys.argv[1:] == ["--golden"]:
        return golden()
    genesis, failed = pathlib.Path(sys.argv[1]).read_bytes(), 0
    for name in sys.argv[2:]:
        try:
            print(judge(pathlib.Path(name).read_bytes(), genesis))
        except Refused as e:
            failed = 1
            print(f"refused: {e}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
