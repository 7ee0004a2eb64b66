#!/usr/bin/python3
"""Writes the seed inputs of the fuzz targets into tests/fuzz/corpus/NAME/. They are made by the second
implementation in tests/vectors/oracle.py, so an ok- input that the C code refuses (replay.c checks it)
is a disagreement of two implementations about docs/formats.cddl. bad- inputs must be refused; inputs
that a fuzzer found stand beside them under other names. usage: tests/fuzz/corpus.py"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "vectors"))
from oracle import *  # noqa: E402,F403

EMPTY = sha256(b"")
TIME = 1779444000000  # 2026-05-22T10:00:00Z
CHAIN = b"\x11" * 32  # the chain that the record and block targets expect
NAME = "Hongqiao trial"
DISTRICTS = {"XIANGCHENG": "相城区", "CHANGNING": "长宁区", "JIADING": "嘉定区", "HONGQIAO": "虹桥"}


def write(target, name, data):
    os.makedirs(os.path.join(HERE, "corpus", target), exist_ok=True)
    with open(os.path.join(HERE, "corpus", target, name), "wb") as f:
        f.write(data)


def cbor():
    """Of the vectors that python cbor2 judged, the first long ones of each verdict."""
    count = {"ok": 0, "bad": 0}
    for line in open(os.path.join(HERE, "..", "vectors", "cbor.txt"), encoding="ascii"):
        data, verdict = line.split()
        if len(data) > 60 and count[verdict] < 24:
            write("cbor", f"{verdict}-{count[verdict]:02}", bytes.fromhex(data))
            count[verdict] += 1


# ---- genesis and epoch

def epoch(members, quorum, model):
    return [1, 0, quorum, model,
            [[cose_key(f"{m} validator"), m, sha256(f"{m} transport".encode())] for m in members]]


def genesis():
    members = [{"code": m, "kind": "hub" if m == "HONGQIAO" else "district", "names": {"zh": zh, "en": m.title()}}
               for m, zh in DISTRICTS.items()]
    members.append({"code": "PBC", "kind": "authority", "names": {"zh": "货币主管机构"}, "institution": 1,
                    "voting": False, "quota": 10**12})
    keys = []
    for m in [*DISTRICTS, "PBC"]:
        keys += [[m, {"key": cose_key(f"{m} governor {i}"), "label": f"governor {i}", "roles": ["governor"]}]
                 for i in (1, 2)]
        keys.append([m, {"key": cose_key(f"{m} officer"), "label": "officer", "roles": ["seal", "operator"],
                         "not_before": TIME, "not_after": TIME + 10**11}])
        if m in DISTRICTS:
            keys.append([m, {"key": cose_key(f"{m} validator"), "label": "node", "roles": ["validator"],
                             "transport": sha256(f"{m} transport".encode())}])
    return {"keys": keys, "name": NAME, "epoch": epoch(DISTRICTS, 3, "bft"), "suite": 1, "format": 1,
            "members": members, "time_ms": TIME, "parameters": {"currency.cosign_issue": 0, "hold.max_s": 3600}}


def geneses():
    write("genesis", "ok-four", encode(genesis()))
    for field, value in {"suite": 2, "format": 0, "name": "a:b", "keys": [], "members": [], "time_ms": -1,
                         "epoch": epoch(DISTRICTS, 2, "bft"), "parameters": {"unknown": 1}}.items():
        write("genesis", f"bad-{field}", encode(genesis() | {field: value}))
    write("epoch", "ok-four", encode(epoch(DISTRICTS, 3, "bft")))
    write("epoch", "ok-one", encode(epoch(["JIADING"], 1, "single")))
    three = ["XIANGCHENG", "CHANGNING", "JIADING"]
    write("epoch", "ok-three-all", encode(epoch(three, 3, "all-of-3")))
    write("epoch", "ok-three-crash", encode(epoch(three, 2, "crash-1of3")))
    write("epoch", "bad-three-bft", encode(epoch(three, 3, "bft")))
    write("epoch", "bad-minority", encode(epoch(DISTRICTS, 2, "bft")))
    write("epoch", "bad-repeated", encode(epoch(["JIADING"] * 4, 3, "bft")))


# ---- records

def batch_entries(n):
    return [struct.pack(">QQQ", wallet_number(2, 3), wallet_number(2, 4 + i), 1000 + i) + sha256(bytes([i]))[:16]
            for i in range(n)]


def agreement(chain, agreement_id, revision, parties):
    zh_en = lambda zh, en: {"zh": zh, "en": en}  # noqa: E731
    body = {
        "lead": parties[0], "chain": chain, "place": zh_en("虹桥", "Hongqiao"), "title": zh_en("合作协议", "Agreement"),
        "number": "2026-05-22", "sign_by": TIME + 10**9, "revision": revision, "agreement": agreement_id,
        "parties": [{"as": "lead" if m == parties[0] else "party", "member": m, "must_sign": True} for m in parties],
        "documents": [{"name": "协议.pdf", "size": 12345, "media": "application/pdf", "sha256": sha256(b"paper"),
                       "lang": "zh"}],
        "effective": {"at": TIME + 10**8}, "expires": TIME + 10**11, "retention": "permanent",
        "milestones": [{"no": 1, "due": TIME + 10**10, "owner": parties[1], "title": zh_en("试点", "Pilot"),
                        "accept": {"rule": "listed", "who": [parties[0]]}, "review_days": 10}],
        "prevailing": "zh", "visibility": "members", "document_date": "2026-05-22",
        "rules": {"amend": {"need": "all"}, "renew": {"need": 2}, "suspend": {"need": "lead"},
                  "terminate": {"need": "all"},
                  "withdraw": {"then": "others-stay", "allowed": True, "notice_days": 30}}}
    if revision > 1:
        body |= {"previous": sha256(b"first"), "change_note": zh_en("修改", "changed")}
    return body


def consent_signature(signer, payload, remark=""):
    own = encode({1: -8, 4: kid(signer), -70002: [1, remark]})
    outer = encode({3: "application/vnd.hubledger.agreement+cbor"})
    return [own, {}, sign(seed_of(signer), encode(["Signature", outer, own, b"", payload]))]


def records(chain):
    """name -> (record, attachment): one of each type, and the shapes with co-signatures."""
    wallet, other = wallet_number(2, 3), wallet_number(2, 4)
    officer, ref = "XIANGCHENG officer", b"\x07" * 16
    nonce = b"\x05" * 16
    agreement_id = named("hubledger/agreement/1", encode([chain, kid(officer), nonce]))
    body = encode(agreement(chain, agreement_id, 1, list(DISTRICTS)))
    second = encode(agreement(chain, agreement_id, 2, list(DISTRICTS)))
    consent = {"reviewed": [sha256(b"paper")], "signature": consent_signature(officer, body)}
    entries = batch_entries(5)
    batch = {"root": root([leaf(e) for e in entries]), "batch": ref, "count": 5, "total": 5010, "atomic": False,
             "purpose": 101, "institution": 2, "part": [1, 1], "instruction": sha256(b"order")}
    new = {"key": cose_key("new"), "label": "新印章", "roles": ["seal", "operator"], "member": "XIANGCHENG",
           "not_before": TIME, "not_after": TIME + 10**10}

    def one(family, sub, fields, cosigners=None, iss="XIANGCHENG", signer=officer):
        return record(signer, chain, family, iss, sub, fields, cosigners)

    return {
        "transfer": (one("currency.transfer", str(wallet), {"debit": wallet, "amount": 1250000, "credit": other}), b""),
        "transfer-full": (one("currency.transfer", str(wallet), {
            "debit": wallet, "amount": 10**15, "credit": other, "purpose": 899, "reference": ref}), b""),
        "redeem": (one("currency.redeem", str(wallet), {"amount": 1, "wallet": wallet, "reference": ref}), b""),
        "issue": (one("currency.issue", "2", {
            "amount": 10**9, "reference": ref, "institution": 2, "document": sha256(b"order")}, ["a", "b"]), b""),
        "batch": (one("currency.batch", "2", batch, ["checker"]), b"".join(entries)),
        "wallet-open": (one("wallet.open", "2", {
            "kind": "corporate", "tier": 1, "owner": ref, "reference": ref, "institution": 2,
            "limits": {"single": 10**6, "day": 10**7}}, []), b""),
        "wallet-open-key": (one("wallet.open", "2", {
            "kind": "personal", "tier": 2, "owner": ref, "reference": ref, "institution": 2,
            "key": cose_key("holder")}, ["holder"]), b""),
        "key-add": (one("key.add", "XIANGCHENG", new, ["new", "XIANGCHENG governor 2"]), b""),
        "key-revoke": (one("key.revoke", "XIANGCHENG", {
            "kid": kid("new"), "reason": "compromised", "since": TIME, "note": "丢失"}, []), b""),
        "key-cancel": (one("key.cancel", "XIANGCHENG", {"kid": kid("new")}), b""),
        "governance-propose": (one("governance.propose", "governance", {
            "proposal": ref, "title": {"zh": "提案"}, "deadline": TIME + 10**9, "actions": [
                {"admit": {"code": "QINGPU", "kind": "district", "names": {"zh": "青浦区"}},
                 "keys": [{"key": cose_key(f"QINGPU {i}"), "label": "g", "roles": ["governor"]} for i in (1, 2)]},
                {"parameter": "hold.max_s", "value": 60}, {"suspend": "JIADING", "reason": "离线"},
                {"validators": [kid(f"{m} validator") for m in DISTRICTS], "quorum": 3, "fault_model": "bft"}]},
            ["QINGPU 1", "QINGPU 2"]), b""),
        "governance-approve": (one("governance.approve", ref.hex(), {
            "proposal": ref, "actions_hash": sha256(b"actions"), "remark": "同意"}, ["XIANGCHENG governor 2"]), b""),
        "governance-reject": (one("governance.reject", ref.hex(), {"proposal": ref, "actions_hash": sha256(b"a")}, []), b""),
        "governance-withdraw": (one("governance.withdraw", ref.hex(), {"proposal": ref, "actions_hash": sha256(b"a")}, []), b""),
        "validator-ready": (one("validator.ready", "XIANGCHENG", {
            "software": "hubledgerd 1", "protocol": 1, "endpoint": "10.0.0.1:7100"}), b""),
        "validator-replace": (one("validator.replace", "XIANGCHENG", {
            "key": {"key": cose_key("node 2"), "label": "node 2", "roles": ["validator"],
                    "transport": sha256(b"node 2")},
            "old": kid("XIANGCHENG validator"), "reason": "lost"}, ["node 2"]), b""),
        "agreement-propose": (one("agreement.propose", agreement_id.hex(), {
            "body": body, "nonce": nonce, "consent": consent}, ["second officer"]), b""),
        "agreement-amend": (one("agreement.amend", agreement_id.hex(), {
            "body": second, "agreement": agreement_id}, []), b""),
        "agreement-sign": (one("agreement.consent", agreement_id.hex(), {
            "decision": "sign", "revision": 1, "agreement": agreement_id, "body_hash": sha256(body),
            "consent": consent}, []), b""),
        "agreement-return": (one("agreement.consent", agreement_id.hex(), {
            "decision": "return", "revision": 1, "agreement": agreement_id, "body_hash": sha256(body),
            "remark": "第三条需修改"}, []), b""),
    }


def record_seeds():
    good = records(CHAIN)
    for name, (data, attachment) in good.items():
        write("record", f"ok-{name}", encode([data, attachment]))
    data, attachment = good["batch"]
    write("record", "bad-batch-short", encode([data, attachment[:-40]]))
    write("record", "bad-batch-other", encode([data, attachment[:-1] + b"\x00"]))
    data = good["transfer"][0]
    write("record", "bad-attachment", encode([data, attachment]))
    write("record", "bad-trailing", encode([data + b"\x00", b""]))
    write("record", "bad-untagged", encode([data[1:], b""]))
    write("record", "bad-chain", encode([records(b"\x12" * 32)["transfer"][0], b""]))
    write("record", "bad-signature-length", encode([data.replace(b"\x58\x40", b"\x58\x3f", 1)[:-1], b""]))
    write("record", "bad-unprotected", encode([data.replace(b"\xa0", b"\xa1\x01\x27", 1), b""]))


# ---- blocks, certificates, receipts

def header(**fields):
    order = ["version", "chain", "epoch", "view", "height", "parent", "parent_view", "time_ms", "proposer",
             "log_size", "log_root", "record_count", "records_root", "results_root", "state_root", "validators",
             "next_validators", "flags"]
    return encode([fields[k] for k in order])


def block(chain, entries, **fields):
    leaves = [leaf(data) for data, _ in entries]
    values = {"version": 1, "chain": chain, "epoch": 0, "view": 1, "height": 1, "parent": chain, "parent_view": 0,
              "time_ms": TIME + 1, "proposer": 0, "log_size": 2 + len(entries), "log_root": EMPTY,
              "record_count": len(entries), "records_root": root(leaves), "results_root": EMPTY,
              "state_root": EMPTY, "validators": EMPTY, "next_validators": EMPTY, "flags": 0} | fields
    return header(**values), [list(e) for e in entries]


def block_seeds():
    entries = list(records(CHAIN).values())
    for name, some in {"empty": [], "one": entries[:1], "all": entries}.items():
        write("block", f"ok-{name}", encode(list(block(CHAIN, some))))
    write("block", "bad-count", encode(list(block(CHAIN, entries[:2], record_count=1))))
    write("block", "bad-root", encode(list(block(CHAIN, entries[:2], records_root=EMPTY))))
    write("block", "bad-chain", encode(list(block(b"\x12" * 32, []))))


def certificate(subject, signers, n, signature_of):
    bits = sum(1 << i for i in signers)
    return [1, subject, bits.to_bytes((n + 7) // 8, "little"), b"".join(signature_of(i) for i in sorted(signers))]


def certificate_seeds():
    fake = lambda i: bytes([i + 1]) * 64  # noqa: E731
    notarize, nullify = [1, 0, 7, EMPTY], [2, 0, 7]
    finalize = [3, 0, 7, 5, 12, sha256(b"log"), EMPTY]
    for name, subject in {"notarize": notarize, "nullify": nullify, "finalize": finalize}.items():
        write("certificate", f"ok-{name}", encode(certificate(subject, [0, 2, 3], 4, fake)))
    write("certificate", "ok-all-64", encode(certificate(nullify, range(64), 64, fake)))
    write("certificate", "bad-kind", encode(certificate([4, 0, 7], [0], 4, fake)))
    write("certificate", "bad-none", encode(certificate(nullify, [], 4, fake)))
    write("certificate", "bad-more-bits", encode([1, nullify, b"\x0f", b"".join(map(fake, range(3)))]))
    write("certificate", "bad-version", encode([2, nullify, b"\x07", b"".join(map(fake, range(3)))]))


def receipt_seeds():
    """A whole little history: genesis, one block of several records, three of four signatures."""
    file = encode(genesis())
    chain = named("hubledger/genesis/1", file)
    members = list(DISTRICTS)
    epoch_hash = named("hubledger/epoch/1", encode(genesis()["epoch"]))
    entries = records(chain)
    results = [encode([sha256(sig_structure(data)), 0, None]) for data, _ in entries.values()]
    leaves = [leaf(file), leaf(encode(genesis()["parameters"]))] + [leaf(data) for data, _ in entries.values()]
    first, _ = block(chain, list(entries.values()), log_root=root(leaves), results_root=root([leaf(r) for r in results]),
                     validators=epoch_hash, next_validators=epoch_hash)
    first_hash = named("hubledger/header/1", first)
    second, _ = block(chain, [], height=2, view=3, parent=first_hash, parent_view=1, log_size=len(leaves),
                      log_root=root(leaves), validators=epoch_hash, next_validators=epoch_hash, time_ms=TIME + 2)

    def finalized(view, height, block_hash, signers, root_of=None):
        tail = [view, height, len(leaves)]

        def vote(i):
            protected = {1: -8, 4: kid(f"{members[i]} validator"), 15: {1: members[i], 2: NAME}, 395: 1,
                         -70001: [chain, 0, *tail, block_hash]}
            return sign1(f"{members[i]} validator", protected, root_of or root(leaves)).value[3]
        return certificate([3, 0, *tail, root(leaves), block_hash], signers, 4, vote)

    def bundle(at, **fields):
        name = list(entries)[at]
        signer = cose_key("XIANGCHENG officer")
        return {"chain": chain, "links": [], "record": entries[name][0], "signer": signer, "headers": [first],
                "version": 1, "inclusion": [len(leaves), 2 + at, path(2 + at, leaves)],
                "certificate": finalized(1, 1, first_hash, [0, 1, 3])} | fields

    def put(name, b):
        write("receipt", name, encode([file, encode(b)]))

    result = lambda at: [at, path(at, [leaf(r) for r in results]), results[at]]  # noqa: E731
    batch = list(entries).index("batch")
    five = batch_entries(5)
    put("ok-plain", bundle(0))
    put("ok-all-signatures", bundle(3, certificate=finalized(1, 1, first_hash, [0, 1, 2, 3])))
    put("ok-result", bundle(1, result=result(1)))
    put("ok-entry", bundle(batch, result=result(batch), entry=[2, five[2], path(2, [leaf(e) for e in five])]))
    second_hash = named("hubledger/header/1", second)
    put("ok-covered", bundle(2, headers=[second, first], certificate=finalized(3, 2, second_hash, [1, 2, 3])))
    put("bad-two-signatures", bundle(0, certificate=finalized(1, 1, first_hash, [0, 1])))
    put("bad-signed-root", bundle(0, certificate=finalized(1, 1, first_hash, [0, 1, 3], EMPTY)))
    put("bad-index", bundle(0, inclusion=[len(leaves), 3, path(2, leaves)]))
    put("bad-result", bundle(0, result=result(1)))
    put("bad-entry", bundle(batch, entry=[1, five[2], path(2, [leaf(e) for e in five])]))
    put("bad-signer", bundle(0, signer=cose_key("CHANGNING officer")))
    put("bad-order", bundle(2, headers=[first, second], certificate=finalized(1, 1, first_hash, [1, 2, 3])))


def message_seeds():
    fake = lambda i: bytes([i + 1]) * 64  # noqa: E731
    entries = list(records(CHAIN).values())
    first, body = block(CHAIN, entries[:3])
    nullified = [certificate([2, 0, view], [0, 1, 3], 4, fake) for view in (3, 4, 5)]
    final = certificate([3, 0, 2, 1, 5, EMPTY, EMPTY], [1, 2, 3], 4, fake)
    point = [2, 1, EMPTY]
    good = {
        "propose": [1, first, body, fake(9), nullified + [final]],
        "propose-empty": [1, block(CHAIN, [])[0], [], fake(9), []],
        "vote-notarize": [2, [1, 0, 7, EMPTY], 3, fake(1)],
        "vote-nullify": [2, [2, 0, 7], 0, fake(1)],
        "vote-finalize": [2, [3, 0, 7, 5, 12, EMPTY, EMPTY], 63, fake(1)],
        "certificate": [3, final],
        "status": [4, CHAIN, 0, 7, point, point, 3, 250, 3, 4, "hubledgerd 1.0"],
        "get-certs": [5, 0, 3, 9, 7],
        "get-block": [6, [EMPTY, CHAIN]],
        "get-blocks": [7, 1, 64],
        "block": [8, encode([first, body]), final],
        "block-uncertified": [8, encode([first, body]), None],
        "get-epochs": [9, 0],
        "epoch-proof": [10, [{"next": encode(epoch(DISTRICTS, 3, "bft")), "headers": [first], "certificate": final}]],
        "records": [11, [list(e) for e in entries[:2]]],
        "get-records": [12, 65536],
        "get-votes": [13, 0, 3],
        "get-snapshot": [16, CHAIN, 131072],
        "snapshot": [17, CHAIN, 5, 1000, 900, bytes(100)],
        "snapshot-none": [17, bytes(32), 0, 0, 0, b""],
    }
    for name, value in good.items():
        write("message", f"ok-{name}", encode(value))
    write("message", "bad-kind", encode([15, 0]))
    write("message", "bad-trailing", encode(good["get-epochs"]) + b"\x00")
    write("message", "bad-longer", encode(good["get-votes"] + [0]))
    write("message", "bad-signer", encode([13, 0, 64]))
    write("message", "bad-no-hashes", encode([6, []]))
    write("message", "bad-kinds", encode([5, 0, 3, 9, 8]))
    write("message", "bad-piece", encode([17, CHAIN, 5, 1000, 901, bytes(100)]))


# ---- executed agreements

def executed_seeds():
    body = encode(agreement(CHAIN, sha256(b"agreement"), 1, list(DISTRICTS)))
    shared = encode({3: "application/vnd.hubledger.agreement+cbor"})
    officers = sorted((f"{m} officer" for m in DISTRICTS), key=kid)
    consents = [consent_signature(o, body, "同意" if i else "") for i, o in enumerate(officers)]

    def made(signed, text=body, outer=shared, unprotected=None):
        return encode(Tag(98, [outer, unprotected or {}, text, signed]))

    write("executed", "ok-one", made(consents[:1]))
    write("executed", "ok-all", made(consents))
    write("executed", "ok-long-remark", made([consent_signature(officers[0], body, "x" * 1000)]))
    write("executed", "bad-nobody", made([]))
    write("executed", "bad-order", made(consents[::-1]))
    write("executed", "bad-twice", made([consents[0], consents[0]]))
    write("executed", "bad-type", made(consents, outer=encode({3: "application/cbor"})))
    write("executed", "bad-unprotected", made(consents, unprotected={4: kid(officers[0])}))
    write("executed", "bad-body", made(consents, text=body + b"\x00"))
    write("executed", "bad-trailing", made(consents) + b"\x00")
    write("executed", "bad-remark", made([consent_signature(officers[0], body, "x" * 1001)]))
    refuse = encode({1: -8, 4: kid(officers[0]), -70002: [2, "no"]})
    write("executed", "bad-decision", made([[refuse, {}, consents[0][2]]]))
    write("executed", "bad-signature-length", made([[consents[0][0], {}, consents[0][2] + b"\x00"]]))


def evidence_seeds():
    """The items of golden.txt, with their genesis file."""
    with open(os.path.join(HERE, "..", "vectors", "golden.txt"), encoding="ascii") as f:
        lines = dict(line.split() for line in f)
    for name, data in lines.items():
        for prefix, verdict in (("evidence.", "ok"), ("bad.evidence.", "bad")):
            if name.startswith(prefix):
                write("evidence", f"{verdict}-{name[len(prefix):]}", encode([bytes.fromhex(lines["genesis"]), bytes.fromhex(data)]))


def link_seeds():
    """The links of the receipts of golden.txt, with their genesis file."""
    with open(os.path.join(HERE, "..", "vectors", "golden.txt"), encoding="ascii") as f:
        lines = dict(line.split() for line in f)
    verdicts = {"bundle.linked": "ok", "bundle.linked.weak": "bad", "bad.linked.no_link": "ok"}
    for name, data in lines.items():
        if "linked" in name and "evidence" not in name:
            bundle = bytes.fromhex(data)
            links = bundle[bundle.index(b"\x65links") + 6:bundle.index(b"\x66record")]
            write("link", f"{verdicts.get(name, 'bad')}-{name}", encode([bytes.fromhex(lines["genesis"]), links]))


# ---- governance on the ledger of tests/support/net.c, whose keys are numbered as in net.h

def record_type(name):
    """Its place in record_types.def."""
    with open(os.path.join(HERE, "..", "..", "include", "hub", "record_types.def"), encoding="utf-8") as f:
        return re.findall(r'^HUB_RECORD_TYPE\(\w+, "([\w.]+)"', f.read(), re.M).index(name)


def governance_seeds():
    xc_governor, cn_governor, ca_governor, validator, spare = 0, 5, 8, 16, 20
    now = 1795341600000  # NET_GENESIS_MS

    def net_key(i):
        return encode({1: 1, -1: 6, -2: public_key(b"net" + bytes([i]) + bytes(28))})

    def grant(i, role):
        return {"key": net_key(i), "label": "new", "roles": [role]} | ({"transport": sha256(bytes([i]))} if role == "validator" else {})

    def seed(name, kind, signer, body, cosigner=None):
        write("apply", name, bytes([record_type(kind), signer, 0 if cosigner is None else cosigner + 1, 0, 0]) + encode(body))

    def propose(name, *actions, signer=xc_governor, cosigner=None):
        seed(name, "governance.propose", signer, {"proposal": b"\x07" * 16, "title": {"zh": "提案"}, "deadline": now + 10**8,
                                                  "actions": list(actions)}, cosigner)

    validators = [sha256(net_key(validator + i)) for i in range(4)]
    propose("ok-propose-parameter", {"parameter": "ready.max_age_h", "value": 48})
    propose("ok-propose-currency", {"parameter": "currency.max_amount", "value": 48}, signer=ca_governor)
    propose("ok-propose-validators", {"validators": validators[::-1], "quorum": 3, "fault_model": "bft"})
    propose("ok-propose-remove", {"remove": "BANK"}, {"validators": validators[:3], "quorum": 2, "fault_model": "crash-1of3"})
    propose("ok-propose-suspend", {"suspend": "BANK", "reason": "离线"}, {"restore": "BANK"}, signer=cn_governor)
    propose("ok-propose-succeed", {"succeed": "BANK", "code": "NEWBANK", "names": {"zh": "新银行"}})
    propose("ok-propose-governor", {"governor": "BANK", "key": grant(spare, "governor")}, cosigner=spare)
    propose("ok-propose-version", {"version": 2, "height": 1000})
    propose("bad-propose-shape", {"remove": "BANK", "restore": "BANK"})
    seed("ok-ready", "validator.ready", validator, {"endpoint": "a:1", "protocol": 1, "software": "x"})
    seed("ok-replace", "validator.replace", xc_governor, {"key": grant(spare, "validator"), "old": validators[0], "reason": "lost"}, spare)
    seed("ok-cancel", "key.cancel", xc_governor, {"kid": sha256(net_key(1))})
    seed("ok-approve-unknown", "governance.approve", xc_governor, {"proposal": b"\x08" * 16, "actions_hash": bytes(32)})


# ---- how a network is founded

def cosignature(signer, outer, payload):
    own = encode({1: -8, 4: kid(signer)})
    return [own, {}, sign(seed_of(signer), encode(["Signature", outer, own, b"", payload]))]


def founding_seeds():
    file = genesis()
    member = file["members"][0]
    names = ["XIANGCHENG governor 1", "XIANGCHENG governor 2", "XIANGCHENG officer", "XIANGCHENG validator"]
    grants = [g for m, g in file["keys"] if m == "XIANGCHENG"]
    shared = encode({3: "application/vnd.hubledger.member-card+cbor"})

    def card(body, signers=None, outer=shared, signed=None):
        payload = encode(body)
        return encode(Tag(98, [outer, {}, payload, [cosignature(s, outer, signed or payload)
                                                    for s in sorted(signers or names, key=kid)]]))

    good = {"keys": grants, "member": member, "endpoint": "10.0.0.1:7101"}
    write("card", "ok-four-keys", card(good))
    write("card", "ok-no-endpoint", card({"keys": grants, "member": member}))
    write("card", "ok-one-key", card({"keys": grants[:1], "member": member}, names[:1]))
    write("card", "bad-key-unsigned", card(good, names[:3]))
    write("card", "bad-stranger", card(good, names[:3] + ["CHANGNING governor 1"]))
    write("card", "bad-changed", card(good | {"endpoint": "10.0.0.2:7101"}, signed=encode(good)))
    write("card", "bad-type", card(good, outer=encode({3: "application/cbor"})))
    write("card", "bad-member", card(good | {"member": {"code": "X"}}))
    write("card", "bad-field", card(good | {"zone": 1}))
    write("card", "bad-no-key", card({"keys": [], "member": member}))
    write("card", "bad-order", encode(Tag(98, [shared, {}, encode(good), [
        cosignature(s, shared, encode(good)) for s in sorted(names, key=kid, reverse=True)]])))
    write("card", "bad-trailing", card(good) + b"\x00")

    data = encode(file)
    governors = [f"{m} governor 1" for m in DISTRICTS]

    def draft(signers, endpoints=None, genesis_bytes=data, over=data):
        return encode({"genesis": genesis_bytes, "endpoints": endpoints or {},
                       "signatures": [cosignature(s, b"", over) for s in sorted(signers, key=kid)]})

    write("founding", "ok-unsigned", draft([]))
    write("founding", "ok-two", draft(governors[:2], {"JIADING": "10.0.0.3:7101"}))
    write("founding", "ok-all", draft(governors, {m: "10.0.0.1:7101" for m in DISTRICTS}))
    write("founding", "bad-other-file", draft(governors, over=data[:-1]))
    write("founding", "bad-not-governor", draft(["JIADING officer"]))
    write("founding", "bad-genesis", draft([], genesis_bytes=encode(file | {"suite": 2})))
    write("founding", "bad-endpoint", draft([], {"JIADING": 7101}))
    write("founding", "bad-twice", draft([governors[0], governors[0]]))
    write("founding", "bad-trailing", draft([]) + b"\x00")


cbor()
geneses()
founding_seeds()
record_seeds()
block_seeds()
certificate_seeds()
receipt_seeds()
message_seeds()
executed_seeds()
evidence_seeds()
link_seeds()
governance_seeds()
