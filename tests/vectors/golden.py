#!/usr/bin/python3
"""A second writer of every signed format, from docs/formats.cddl alone: prints golden.txt.

Lines of "name hex". Encoding is cbor2's, signatures and keys are python-cryptography's, hashes hashlib's;
trees are written here from RFC 9162 section 2.1. Nothing is shared with the C code. Keys come from fixed
seeds (SHA-256 of their names), so the file never changes unless a format does.
usage: golden.py > golden.txt; `make test` runs it and compares."""
import hashlib

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = 1779444000000  # 2026-05-22T10:00:00Z


# ---- deterministic CBOR, RFC 8949 4.2.1: keys in bytewise order of their encoding
def ordered(x):
    if isinstance(x, dict):
        return dict(sorted(((k, ordered(v)) for k, v in x.items()), key=lambda kv: cbor2.dumps(kv[0])))
    if isinstance(x, list):
        return [ordered(v) for v in x]
    if isinstance(x, cbor2.CBORTag):
        return cbor2.CBORTag(x.tag, ordered(x.value))
    return x


def enc(x):
    return cbor2.dumps(ordered(x))


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def named_hash(name, data):
    return sha(name.encode(), data)


# ---- RFC 9162 section 2.1
EMPTY = sha()


def leaf_hash(data):
    return sha(b"\0", data)


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def root(leaves):
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha(b"\1", root(leaves[:k]), root(leaves[k:]))


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return path(m, leaves[:k]) + [root(leaves[k:])]
    return path(m - k, leaves[k:]) + [root(leaves[:k])]


# ---- keys
class Key:
    def __init__(self, name):
        self.seed = sha(b"hubledger test key ", name.encode())
        self.private = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.cose = enc({1: 1, -1: 6, -2: self.public})
        self.kid = sha(self.cose)
        show("seed." + name, self.seed)

    def sign(self, *structure):
        return self.private.sign(enc(list(structure)))


def show(name, data):
    print(name, data.hex())


# ---- members and keys
DISTRICTS = ["XIANGCHENG", "CHANGNING", "JIADING"]
NAMES = {"XIANGCHENG": ("相城区", "Xiangcheng District"), "CHANGNING": ("长宁区", "Changning District"),
         "JIADING": ("嘉定区", "Jiading District"), "HONGQIAO": ("虹桥枢纽办", "Hongqiao Hub Office"),
         "AUTHORITY": ("发行机构（模拟）", "Currency Authority (simulated)"), "BANK": ("试点银行（模拟）", "Pilot Bank (simulated)")}
keys = {}


def key(name):
    if name not in keys:
        keys[name] = Key(name)
    return keys[name]


def transport(name):
    return sha(b"hubledger test transport ", name.encode())


def member(code, kind, **more):
    zh, en = NAMES[code]
    return {"code": code, "kind": kind, "names": {"zh": zh, "en": en}, **more}


members = [member(d, "district", contact="office@" + d.lower()) for d in DISTRICTS] + [
    member("HONGQIAO", "hub", governors_needed=1), member("AUTHORITY", "authority", institution=1),
    member("BANK", "institution", institution=3, quota=10**12, voting=False, seal_needs=1)]


def grant(name, roles, **more):
    return {"key": key(name).cose, "label": name, "roles": roles, **more}


grants = []
for m in members:
    code = m["code"]
    grants += [[code, grant(f"{code}.governor{i}", ["governor"])] for i in (1, 2)]
    if m["kind"] in ("district", "hub"):
        grants.append([code, grant(code + ".validator", ["validator"], transport=transport(code))])
    if m["kind"] == "district":
        grants.append([code, grant(code + ".seal", ["seal", "operator"], not_after=NOW + 10**11)])
grants += [["AUTHORITY", grant("AUTHORITY.issuer1", ["issuer"])], ["AUTHORITY", grant("AUTHORITY.issuer2", ["issuer"])],
           ["BANK", grant("BANK.operator", ["operator"], not_before=1000)], ["BANK", grant("BANK.checker", ["checker"])],
           ["HONGQIAO", grant("HONGQIAO.reader", ["reader"], box=sha(b"box"))]]

VALIDATORS = DISTRICTS + ["HONGQIAO"]


def epoch(number, quorum, model, names):
    return [1, number, quorum, model, [[key(n + ".validator").cose, n, transport(n)] for n in names]]


NETWORK = "hongqiao-trial"
epoch0 = epoch(0, 3, "bft", VALIDATORS)
genesis = {"keys": grants, "name": NETWORK, "epoch": epoch0, "suite": 1, "format": 1, "members": members, "time_ms": NOW,
           "parameters": {"consensus.delta_ms": 100, "currency.cosign_issue": 1, "governance.threshold_num": 3,
                          "governance.threshold_den": 4}}
genesis_bytes = enc(genesis)
chain = named_hash("hubledger/genesis/1", genesis_bytes)
E0 = named_hash("hubledger/epoch/1", enc(epoch0))
show("genesis", genesis_bytes)
show("genesis.chain", chain)
show("genesis.epoch", enc(epoch0))
show("genesis.epoch_hash", E0)


def signer_protected(kid, extra=()):
    return enc({1: -8, 4: kid, **dict(extra)})


def genesis_signature(k):
    p = signer_protected(k.kid)
    return [p, {}, k.sign("Signature", b"", p, b"", genesis_bytes)]


voting_governors = sorted((key(f"{c}.governor1") for c in VALIDATORS), key=lambda k: k.kid)
show("genesis.signatures", enc([genesis_signature(k) for k in voting_governors]))


# ---- records
def protected(kind, signer, iss, sub, seq, until=NOW + 3600000):
    return enc({1: -8, 3: f"application/vnd.hubledger.{kind}+cbor", 4: signer.kid, 15: {1: iss, 2: sub},
                -70000: [chain, seq, until]})


def cosignature(p, core, k):
    own = signer_protected(k.kid)
    return [own, {}, k.sign("Signature", p, own, b"", core)]


def record(name, kind, signer, iss, sub, seq, body, cosigned=False, cosigners=()):
    p = protected(kind, signer, iss, sub, seq)
    core = enc(body)
    payload = core
    if cosigned:
        shape = {"core": core}
        if cosigners:
            shape["cosign"] = [cosignature(p, core, k) for k in sorted(cosigners, key=lambda k: k.kid)]
        payload = enc(shape)
    structure = ["Signature1", p, b"", payload]
    data = enc(cbor2.CBORTag(18, [p, {}, payload, signer.sign(*structure)]))
    if name:
        show(f"record.{name}", data)
        show(f"record.{name}.id", sha(enc(structure)))
        show(f"record.{name}.leaf", leaf_hash(data))
        show(f"record.{name}.body", core)
    return {"bytes": data, "id": sha(enc(structure)), "leaf": leaf_hash(data), "signer": signer, "attachment": b""}


def crc16(data):  # CRC-16/IBM-3740
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def wallet(institution, slot):
    six = institution.to_bytes(2, "big") + slot.to_bytes(4, "big")
    return int.from_bytes(six + crc16(six).to_bytes(2, "big"), "big")


def ref(text):
    return sha(text.encode())[:16]


def agreement_id(proposer, nonce):
    return named_hash("hubledger/agreement/1", enc([chain, proposer.kid, nonce]))


def consent_signature(k, body, remark):
    p = signer_protected(k.kid, {-70002: [1, remark]})
    agreement_protected = enc({3: "application/vnd.hubledger.agreement+cbor"})
    return [p, {}, k.sign("Signature", agreement_protected, p, b"", body)]


nonce = ref("nonce")
proposer = key("XIANGCHENG.seal")
agreement = agreement_id(proposer, nonce)
main_text = sha(b"the agreement of 22 May")
agreement_body = {
    "agreement": agreement, "chain": chain, "number": "HQ-2026-1", "lead": "XIANGCHENG",
    "title": {"zh": "区域战略合作框架协议", "en": "Regional Strategic Cooperation Framework Agreement"},
    "parties": [{"member": d, "as": "lead" if d == "XIANGCHENG" else "party", "must_sign": True} for d in DISTRICTS],
    "areas": [{"code": "industry", "name": {"zh": "产业协作", "en": "industrial cooperation"}}], "revision": 1,
    "documents": [{"name": "agreement.pdf", "media": "application/pdf", "size": 123456, "sha256": main_text, "lang": "zh"}],
    "prevailing": "zh", "document_date": "--05-22", "place": {"zh": "上海"}, "sign_by": NOW + 86400000,
    "effective": {"on": "last-signature"}, "expires": NOW + 10**11,
    "milestones": [{"no": 1, "title": {"zh": "试点启动"}, "owner": "XIANGCHENG", "due": NOW + 10**9,
                    "accept": {"rule": "listed", "who": ["CHANGNING"]}, "deemed_days": 30, "review_days": 30}],
    "rules": {"amend": {"need": "all"}, "suspend": {"need": "lead"}, "terminate": {"need": "all"}, "renew": {"need": 2},
              "withdraw": {"allowed": True, "notice_days": 30, "then": "others-stay"}},
    "visibility": "public", "retention": "permanent"}
agreement_bytes = enc(agreement_body)
revision2 = {**agreement_body, "revision": 2, "previous": sha(agreement_bytes), "change_note": {"zh": "修改第三条"},
             "effective": {"at": NOW + 10**9}, "retention": 30}
revision2_bytes = enc(revision2)
show("agreement.body", agreement_bytes)
show("agreement.id", agreement)


def consent(k, body, remark=""):
    return {"signature": consent_signature(k, body, remark), "reviewed": [main_text]}


executed = cbor2.CBORTag(98, [enc({3: "application/vnd.hubledger.agreement+cbor"}), {}, agreement_bytes, [
    consent_signature(k, agreement_bytes, "") for k in sorted((key(d + ".seal") for d in DISTRICTS), key=lambda k: k.kid)]])
show("agreement.executed", enc(executed))

new_key = Key("CHANGNING.new")
owner_key = Key("owner.personal")
operator, checker = key("BANK.operator"), key("BANK.checker")
issuer1, issuer2 = key("AUTHORITY.issuer1"), key("AUTHORITY.issuer2")
governor = key("CHANGNING.governor1")

entries = [wallet(3, 1).to_bytes(8, "big") + wallet(3, 2 + i).to_bytes(8, "big") + (1000 + i).to_bytes(8, "big") + ref(f"pay{i}")
           for i in range(5)]
entry_leaves = [leaf_hash(e) for e in entries]
show("batch.attachment", b"".join(entries))

records = {}


def add(name, *args, **more):
    records[name] = record(name, *args, **more)


add("key.add", "key.add", governor, "CHANGNING", "CHANGNING", 1,
    {"member": "CHANGNING", "key": new_key.cose, "roles": ["seal", "approver"], "label": "new seal", "not_after": NOW + 10**11},
    cosigned=True, cosigners=[new_key, key("CHANGNING.governor2")])
add("key.revoke", "key.revoke", governor, "CHANGNING", "CHANGNING", 2,
    {"kid": key("CHANGNING.seal").kid, "reason": "compromised", "since": NOW - 1000, "note": "遗失 U-Key"},
    cosigned=True)
add("validator.ready", "validator.ready", key("CHANGNING.validator"), "CHANGNING", "CHANGNING", 1,
    {"software": "hubledgerd 1", "protocol": 1, "endpoint": "node.changning.example:7100"})
new_validator = Key("CHANGNING.validator2")
add("validator.replace", "validator.replace", governor, "CHANGNING", "CHANGNING", 3,
    {"old": key("CHANGNING.validator").kid, "reason": "superseded",
     "key": {"key": new_validator.cose, "label": "node 2", "roles": ["validator"], "transport": transport("CHANGNING.2")}},
    cosigned=True, cosigners=[new_validator])
add("key.cancel", "key.cancel", governor, "CHANGNING", "CHANGNING", 4, {"kid": key("CHANGNING.governor2").kid})
proposal = ref("proposal")
admitted = [Key(f"QINGPU.{name}") for name in ("governor1", "governor2", "validator")]
third_governor = Key("JIADING.governor3")
actions = [
    {"admit": {"code": "QINGPU", "kind": "district", "names": {"zh": "青浦区", "en": "Qingpu District"}, "contact": "office@qingpu"},
     "keys": [{"key": k.cose, "label": n, "roles": [r]} | ({"transport": transport("QINGPU")} if r == "validator" else {})
              for k, n, r in zip(admitted, ("one", "two", "node"), ("governor", "governor", "validator"))],
     "validator": admitted[2].kid},
    {"suspend": "HONGQIAO", "reason": "节点长期离线"}, {"restore": "HONGQIAO"}, {"remove": "BANK"},
    {"succeed": "JIADING", "code": "JIADINGNEW", "names": {"zh": "嘉定新区"}},
    {"validators": [key(d + ".validator").kid for d in DISTRICTS], "quorum": 2, "fault_model": "crash-1of3"},
    {"parameter": "record.valid_max_h.money", "value": 48},
    {"governor": "JIADING", "key": {"key": third_governor.cose, "label": "third", "roles": ["governor"]}},
    {"version": 2, "height": 100000}]
add("governance.propose", "governance.propose", governor, "CHANGNING", "governance", 5,
    {"proposal": proposal, "title": {"zh": "接纳青浦区等事项", "en": "Admission of Qingpu and other matters"}, "deadline": NOW + 7 * 86400000,
     "document": sha(b"minutes"), "actions": actions}, cosigned=True, cosigners=[*admitted, third_governor])
actions_hash = named_hash("hubledger/actions/1", enc(actions))
show("proposal.actions_hash", actions_hash)
for n, verb in enumerate(("approve", "reject", "withdraw")):
    add("governance." + verb, "governance." + verb, governor, "CHANGNING", proposal.hex(), 6 + n,
        {"proposal": proposal, "actions_hash": actions_hash} | ({"remark": "不同意中止"} if verb == "reject" else {}),
        cosigned=True, cosigners=[key("CHANGNING.governor2")] if verb == "approve" else [])
add("agreement.propose", "agreement.propose", proposer, "XIANGCHENG", agreement.hex(), 3,
    {"body": agreement_bytes, "nonce": nonce, "consent": consent(proposer, agreement_bytes)}, cosigned=True)
add("agreement.consent", "agreement.consent", key("CHANGNING.seal"), "CHANGNING", agreement.hex(), 4,
    {"agreement": agreement, "revision": 1, "body_hash": sha(agreement_bytes), "decision": "sign", "remark": "同意",
     "consent": consent(key("CHANGNING.seal"), agreement_bytes, "同意")}, cosigned=True)
add("agreement.return", "agreement.consent", key("JIADING.seal"), "JIADING", agreement.hex(), 4,
    {"agreement": agreement, "revision": 1, "body_hash": sha(agreement_bytes), "decision": "return", "remark": "第三条请改"},
    cosigned=True)
add("agreement.amend", "agreement.amend", proposer, "XIANGCHENG", agreement.hex(), 5,
    {"agreement": agreement, "body": revision2_bytes}, cosigned=True)
add("wallet.open", "wallet.open", operator, "BANK", "3", 6,
    {"reference": ref("open"), "institution": 3, "kind": "personal", "tier": 2, "owner": ref("owner"), "key": owner_key.cose,
     "no_p2p": False}, cosigned=True, cosigners=[owner_key])
add("currency.issue", "currency.issue", issuer1, "AUTHORITY", "3", 7,
    {"reference": ref("issue"), "institution": 3, "amount": 10**10, "document": sha(b"order")}, cosigned=True, cosigners=[issuer2])
add("currency.transfer", "currency.transfer", operator, "BANK", str(wallet(3, 1)), 8,
    {"debit": wallet(3, 1), "credit": wallet(3, 2), "amount": 123456, "reference": ref("t"), "purpose": 2})
add("currency.batch", "currency.batch", operator, "BANK", "3", 9,
    {"batch": ref("payroll"), "institution": 3, "purpose": 1, "atomic": False, "count": len(entries),
     "total": sum(1000 + i for i in range(len(entries))), "root": root(entry_leaves), "part": [1, 1],
     "instruction": sha(b"payroll.csv")}, cosigned=True, cosigners=[checker])
records["currency.batch"]["attachment"] = b"".join(entries)
add("currency.redeem", "currency.redeem", operator, "BANK", str(wallet(3, 2)), 10,
    {"wallet": wallet(3, 2), "amount": 500, "reference": ref("redeem")})


# ---- blocks: a log of two genesis leaves, block 1 with two records, block 2 with three, block 3 empty
parameters_bytes = enc(genesis["parameters"])
log = [leaf_hash(genesis_bytes), leaf_hash(parameters_bytes)]

# The state that the genesis file makes: section 13. Limits of the tiers: the published figures, docs/currency.md.
ROLES = ["governor", "seal", "operator", "issuer", "auditor", "checker", "approver", "reader", "recovery", "validator", "observer", "wallet"]
KINDS = ["district", "hub", "authority", "institution", "auditor", "other"]
TIERS = [[None] * 10, [None] * 10, [5000000, 10000000, None, None, 50000000, 5000000, 10000000, 20, 500000000, 1000],
         [500000, 1000000, None, None, 2000000, 500000, 1000000, 10, 50000000, 500],
         [200000, 500000, None, 5000000, 1000000, 200000, 500000, 5, 5000000, 100]]
codes = [m["code"] for m in members]


def member_row(m):
    governors = [i for i, (code, g) in enumerate(grants) if code == m["code"] and "governor" in g["roles"]]
    return enc([m["code"], "", m["names"]["zh"], m["names"].get("en", ""), m.get("contact", ""), KINDS.index(m["kind"]),
                m.get("voting", m["kind"] in ("district", "hub")), False, False, m.get("institution", 0), m.get("quota", 0),
                m.get("seal_needs", 0), m.get("governors_needed", 1), governors, 0, 0])


def key_row(code, g):
    public = cbor2.loads(g["key"])[-2]
    return enc([sha(g["key"]), public, sum(1 << ROLES.index(r) for r in g["roles"]), codes.index(code), 0, g.get("not_before", 0),
                g.get("not_after", 0), 0, 0, 0, bytes(512), g["label"], g.get("box", b""), g.get("transport", b"")])


def wallet_row(institution, kind):
    row = bytearray(128)
    row[110:112] = row[112:114] = institution.to_bytes(2, "big")
    row[114:116] = (1).to_bytes(2, "big")  # the authority's institution
    row[124], row[126] = kind, 1
    return bytes(row)


TABLES = 22
table_rows = {t: [] for t in range(TABLES)}
table_rows[0] = [enc([k, v]) for k, v in cbor2.loads(parameters_bytes).items()]
table_rows[1] = [member_row(m) for m in members]
table_rows[2] = [key_row(*g) for g in grants]
table_rows[3] = [enc([0, enc(epoch0), 0])]  # sealed by no block
table_rows[8] = [wallet_row(1, 0), wallet_row(3, 1)]  # the issuer wallet, the bank's reserve
table_rows[9] = [enc([tier, *limits]) for tier, limits in enumerate(TIERS)]
table_rows[14] = [enc([3, 10**12, 0, 0, 2])]
table_rows[19] = [enc([0, 0, 0, [0] * 8, [1, 1] + [0] * 6])]
for t in range(TABLES):
    for i, r in enumerate(table_rows[t]):
        show(f"row.{t}.{i}", r)
table_roots = [root([leaf_hash(r) for r in table_rows[t]]) for t in range(TABLES)]
state_leaves = [leaf_hash(enc([t, len(table_rows[t]), table_roots[t]])) for t in range(TABLES)]
state_root = root(state_leaves)


def header(height, view, parent, parent_view, count, records_root, results_root, epoch_no=0, validators=None, nxt=None, flags=0):
    here = validators or E0
    return enc([1, chain, epoch_no, view, height, parent, parent_view, NOW + 1000 * height, height % 4, len(log), root(log), count,
                records_root, results_root, state_root, here, nxt or here, flags])


def block_hash(h):
    return named_hash("hubledger/header/1", h)


def result(r, code=0, value=None):
    return enc([r["id"], code, value])


header0 = enc([1, chain, 0, 0, 0, chain, 0, NOW, 0, 2, root(log), 0, EMPTY, EMPTY, state_root, E0, E0, 0])
show("header.0", header0)
show("header.0.hash", block_hash(header0))


def block(height, view, parent, parent_view, names, codes):
    content = [records[n] for n in names]
    log.extend(r["leaf"] for r in content)
    results = [result(r, *c) for r, c in zip(content, codes)]
    h = header(height, view, parent, parent_view, len(content), root([r["leaf"] for r in content]), root([leaf_hash(x) for x in results]))
    show(f"header.{height}", h)
    show(f"header.{height}.hash", block_hash(h))
    show(f"block.{height}", enc([h, [[r["bytes"], r["attachment"]] for r in content]]))
    for i, x in enumerate(results):
        show(f"result.{height}.{i}", x)
    return h, results


header1, results1 = block(1, 1, block_hash(header0), 0, ["key.revoke", "wallet.open"], [(0,), (0, wallet(3, 1))])
NAMES2 = ["currency.transfer", "currency.batch", "agreement.propose"]
header2, results2 = block(2, 3, block_hash(header1), 1, NAMES2, [(331,), (0, [[1, 331], [4, 340]]), (0,)])
header3, _ = block(3, 4, block_hash(header2), 3, [], [])


# ---- votes and certificates
def vote_protected(kid):
    return enc({1: -8, 3: "application/vnd.hubledger.vote+cbor", 4: kid})


def finalize_protected(name, epoch_no, view, height, size, hash_):
    return enc({1: -8, 4: key(name + ".validator").kid, 15: {1: name, 2: NETWORK}, 395: 1,
                -70001: [chain, epoch_no, view, height, size, hash_]})


def vote(name, p, payload):
    structure = ["Signature1", p, b"", payload]
    signature = key(name + ".validator").sign(*structure)
    return enc(structure), signature, enc(cbor2.CBORTag(18, [p, {}, payload, signature]))


def show_vote(label, name, p, payload):
    message, signature, statement = vote(name, p, payload)
    show(f"{label}.message", message)
    show(f"{label}.signature", signature)
    show(f"{label}.statement", statement)


k1 = key("CHANGNING.validator")
show_vote("vote.notarize", "CHANGNING", vote_protected(k1.kid), enc([1, chain, 0, 3, block_hash(header2)]))
show("vote.notarize.subject", enc([1, 0, 3, block_hash(header2)]))
show_vote("vote.nullify", "CHANGNING", vote_protected(k1.kid), enc([2, chain, 0, 2]))
show("vote.nullify.subject", enc([2, 0, 2]))


def finalize(h, names, number=0, skip=()):
    """The certificate of this header by validators[names], without those in skip."""
    f = cbor2.loads(h)
    subject = [3, f[2], f[3], f[4], f[9], f[10], block_hash(h)]
    bits, signatures = 0, b""
    for i, name in enumerate(names):
        if i not in skip:
            p = finalize_protected(name, f[2], f[3], f[4], f[9], block_hash(h))
            bits |= 1 << i
            signatures += vote(name, p, f[10])[1]
    return [1, subject, bits.to_bytes((len(names) + 7) // 8, "little"), signatures]


f3 = cbor2.loads(header3)
show_vote("vote.finalize", "CHANGNING", finalize_protected("CHANGNING", 0, 4, 3, f3[9], block_hash(header3)), f3[10])
show("vote.finalize.subject", enc([3, 0, 4, 3, f3[9], f3[10], block_hash(header3)]))
certificate3 = finalize(header3, VALIDATORS, skip=(2,))
show("certificate.3", enc(certificate3))
show("certificate.3.short", enc(finalize(header3, VALIDATORS, skip=(0, 2))))


# ---- receipts
def result_proof(results, i):
    return [i, path(i, [leaf_hash(x) for x in results]), results[i]]


def state_proof(table, i):
    rows = [leaf_hash(r) for r in table_rows[table]]
    return [table, len(rows), i, table_rows[table][i], path(i, rows), path(table, state_leaves)]


def bundle(name, leaf_index, headers, certificate, links=(), **more):
    size = cbor2.loads(headers[0])[9]
    r = records[name]
    return {"chain": chain, "links": list(links), "record": r["bytes"], "signer": r["signer"].cose, "headers": headers, "version": 1,
            "inclusion": [size, leaf_index, path(leaf_index, log[:size])], "certificate": certificate, **more}


AT = 5  # leaf index of the batch: two genesis leaves, two records of block 1, then the second of block 2
batch_bundle = bundle("currency.batch", AT, [header3, header2], certificate3, result=result_proof(results2, 1),
                      entry=[4, entries[4], path(4, entry_leaves)])
show("bundle.batch", enc(batch_bundle))
show("bundle.plain", enc(bundle("wallet.open", 3, [header3, header2, header1], certificate3)))
show("bundle.rows", enc(bundle("wallet.open", 3, [header3, header2, header1], certificate3, rows=[state_proof(0, 2), state_proof(0, 0)],
                               result=result_proof(results1, 1))))
show("bundle.pending", enc(bundle("wallet.open", 3, [header3, header2, header1], finalize(header3, VALIDATORS, skip=(0, 2)))))


def receipt(name, size, leaf_index, h):
    f = cbor2.loads(h)
    p = finalize_protected(name, f[2], f[3], f[4], f[9], block_hash(h))
    inclusion = enc([size, leaf_index, path(leaf_index, log[:size])])
    return enc(cbor2.CBORTag(18, [p, {396: {-1: [inclusion]}}, None, vote(name, p, f[10])[1]]))


receipts = [receipt(n, 7, AT, header3) for n in ("XIANGCHENG", "CHANGNING", "HONGQIAO")]
show("receipt.0", receipts[0])
show("receipt.1", receipts[1])
inner = cbor2.loads(records["currency.batch"]["bytes"]).value
show("statement", enc(cbor2.CBORTag(18, [inner[0], {394: receipts}, inner[2], inner[3]])))

# ---- the set changes: block 4 seals epoch 0, block 5 is the first of epoch 1, and the first three stay
epoch1 = epoch(1, 3, "all-of-3", DISTRICTS)
E1 = named_hash("hubledger/epoch/1", enc(epoch1))
header4 = header(4, 5, block_hash(header3), 4, 0, EMPTY, EMPTY, nxt=E1, flags=1)
tail4 = header(4, 6, block_hash(header4), 5, 0, EMPTY, EMPTY, nxt=E1, flags=2)
header5 = header(5, 1, block_hash(tail4), 0, 0, EMPTY, EMPTY, epoch_no=1, validators=E1)
link = {"next": enc(epoch1), "headers": [tail4, header4], "certificate": finalize(tail4, VALIDATORS, skip=(1,))}
show("epoch.1", enc(epoch1))
show("bundle.linked", enc(bundle("agreement.propose", 6, [header5, tail4, header4, header3, header2], finalize(header5, DISTRICTS),
                                 links=[link])))
weak = {**link, "certificate": finalize(tail4, VALIDATORS, skip=(1, 2))}
show("bundle.linked.weak", enc(bundle("agreement.propose", 6, [header5, tail4, header4, header3, header2], finalize(header5, DISTRICTS),
                                      links=[weak])))


# ---- what must be refused: genesis files, then bundles
def without(d, k):
    return {a: b for a, b in d.items() if a != k}


# ---- evidence: CHANGNING breaks every rule of its votes in view 3 of epoch 0, and JIADING one in epoch 1
def statement(name, kind, view, hash_=None, epoch_no=0, height=0, size=0, log_root=None):
    if kind == 3:
        p = finalize_protected(name, epoch_no, view, height, size, hash_)
        return vote(name, p, log_root)[2]
    return vote(name, vote_protected(key(name + ".validator").kid), enc([kind, chain, epoch_no, view] + ([hash_] if kind == 1 else [])))[2]


def evidence(kind, votes, epoch_bytes=enc(epoch0), links=(), **more):
    return {"kind": kind, "chain": chain, "epoch": epoch_bytes, "links": list(links), "votes": votes, "version": 1, **more}


f2 = cbor2.loads(header2)
one, two = sorted([block_hash(header2), sha(b"another block")])
size2, root2 = f2[9], f2[10]
W = "CHANGNING"
notarize1, notarize2, nullify3 = statement(W, 1, 3, one), statement(W, 1, 3, two), statement(W, 2, 3)
finalize1, finalize2 = (statement(W, 3, 3, h, 0, 2, size2, root2) for h in (one, two))
impossible = enc([*f2[:6], f2[3], *f2[7:]])  # its parent is of its own view
good_evidence = {
    "e1": evidence(1, [notarize1, notarize2]), "e2": evidence(2, [nullify3, finalize1]), "e3": evidence(3, [finalize1, finalize2]),
    "e4": evidence(4, [notarize2, finalize1]),
    "e5": evidence(5, [statement(W, 1, 3, block_hash(impossible))], header=impossible),
    "e5.view": evidence(5, [statement(W, 1, 9, block_hash(header2))], header=header2),
    "e7": evidence(7, [statement(W, 3, 3, block_hash(header2), 0, 2, size2 + 1, root2)], header=header2),
    "e7.root": evidence(7, [statement(W, 3, 3, block_hash(header2), 0, 2, size2, sha(b"another log"))], header=header2)}
for name, e in good_evidence.items():
    show("evidence." + name, enc(e))
notarize_e1 = [statement("JIADING", 1, 2, h, 1) for h in (one, two)]
linked_evidence = evidence(1, notarize_e1, enc(epoch1), [link])
show("evidence.linked", enc(linked_evidence))


def retold(data, protected=(), unprotected=(), payload=None):
    """The statement with something else written beside the signature, which stays good for the true one."""
    p, u, body, signature = cbor2.loads(data).value
    return enc(cbor2.CBORTag(18, [enc({**cbor2.loads(p), **dict(protected)}), {**u, **dict(unprotected)}, payload or body, signature]))


E1_ITEM = good_evidence["e1"]
add("evidence.report", "evidence.report", key("JIADING.validator"), "JIADING", "evidence", 1, {"evidence": enc(E1_ITEM)})
header_moved = enc([*f2[:6], f2[6], f2[7] + 1, *f2[8:]])
bad_evidence = {
    "trailing": enc(E1_ITEM) + b"\0", "field_missing": enc(without(E1_ITEM, "links")), "field_unknown": enc({**E1_ITEM, "more": 1}),
    "version_2": enc({**E1_ITEM, "version": 2}), "kind_6": enc({**E1_ITEM, "kind": 6}), "kind_0": enc({**E1_ITEM, "kind": 0}),
    "kind_8": enc({**E1_ITEM, "kind": 8}), "kind_of_another": enc({**E1_ITEM, "kind": 3}),
    "header_with_votes": enc({**E1_ITEM, "header": header2}), "one_vote": enc({**E1_ITEM, "votes": [notarize1]}),
    "three_votes": enc({**E1_ITEM, "votes": [notarize1, notarize2, notarize2]}), "order": enc({**E1_ITEM, "votes": [notarize2, notarize1]}),
    "same_vote_twice": enc({**E1_ITEM, "votes": [notarize1, notarize1]}),
    "two_signers": enc({**E1_ITEM, "votes": [notarize1, statement("JIADING", 1, 3, two)]}),
    "two_views": enc({**E1_ITEM, "votes": [notarize1, statement(W, 1, 4, two)]}),
    "two_epochs": enc({**E1_ITEM, "votes": [notarize1, statement(W, 1, 3, two, 1)]}),
    "notarize_and_nullify": enc(evidence(4, [notarize1, nullify3])), "notarize_and_nullify_e2": enc(evidence(2, [notarize1, nullify3])),
    "notarize_and_finalize_of_one_block": enc(evidence(4, [notarize1, finalize1])),
    "finalize_then_later_notarize": enc(evidence(4, [statement(W, 1, 4, two), finalize1])),
    "finalizes_of_one_block": enc(evidence(3, [finalize1, statement(W, 3, 3, one, 0, 3, size2, root2)])),
    "stranger": enc({**E1_ITEM, "votes": [statement("BANK", 1, 3, h) for h in (one, two)]}),
    "signature": enc({**E1_ITEM, "votes": [notarize1, notarize2[:-1] + bytes([notarize2[-1] ^ 1])]}),
    "chain": enc({**E1_ITEM, "chain": sha(b"another ledger")}), "epoch_other": enc({**E1_ITEM, "epoch": enc(epoch(0, 4, "bft", VALIDATORS))}),
    "epoch_without_link": enc(evidence(1, notarize_e1, enc(epoch1))),
    "link_for_nothing": enc({**E1_ITEM, "links": [link]}), "link_weak": enc({**linked_evidence, "links": [weak]}),
    "unprotected": enc({**E1_ITEM, "votes": [notarize1, retold(notarize2, unprotected={4: b"x"})]}),
    "statement_other_type": enc({**E1_ITEM, "votes": [notarize1, retold(notarize2, protected={3: "application/cbor"})]}),
    "statement_other_chain": enc({**E1_ITEM, "votes": [notarize1, retold(notarize2, payload=enc([1, sha(b"x"), 0, 3, two]))]}),
    "header_foreign": enc(evidence(5, [statement(W, 1, 3, block_hash(header2))], header=impossible)),
    "header_foreign_finalize": enc(evidence(7, [statement(W, 3, 3, block_hash(header2), 0, 2, size2, root2)], header=header1)),
    "header_possible": enc(evidence(5, [statement(W, 1, 3, block_hash(header2))], header=header2)),
    "header_of_another": enc({**good_evidence["e5"], "header": header_moved}),
    "header_true": enc(evidence(7, [statement(W, 3, 3, block_hash(header2), 0, 2, size2, root2)], header=header2)),
    "header_nullify": enc(evidence(5, [nullify3], header=impossible)), "header_missing": enc(without(good_evidence["e7"], "header")),
    "header_form": enc({**good_evidence["e7"], "header": header2 + b"\0"})}
for name, data in bad_evidence.items():
    show("bad.evidence." + name, data)


def with_member(i, change):
    return {**genesis, "members": [{**m, **change} if i == j else m for j, m in enumerate(members)]}


def with_grant(change, name="BANK.checker"):
    return {**genesis, "keys": [[c, {**g, **change} if g["label"] == name else g] for c, g in grants]}


def with_epoch(quorum=3, model="bft", names=VALIDATORS, number=0):
    return {**genesis, "epoch": epoch(number, quorum, model, names)}


swapped = epoch(0, 3, "bft", VALIDATORS)
swapped[4][0][2] = transport("nowhere")
foreign = epoch(0, 3, "bft", VALIDATORS)
foreign[4][0][1] = "CHANGNING"
repeated = epoch(0, 3, "bft", VALIDATORS)
repeated[4][3] = repeated[4][0]
not_validator = epoch(0, 3, "bft", VALIDATORS)
not_validator[4][0][0] = key("BANK.operator").cose
low_order = enc({1: 1, -1: 6, -2: b"\1" + bytes(31)})
bad_genesis = {
    "trailing": genesis_bytes + b"\0", "field_missing": enc(without(genesis, "suite")), "field_unknown": enc({**genesis, "more": 1}),
    "format_2": enc({**genesis, "format": 2}), "suite_2": enc({**genesis, "suite": 2}), "name_empty": enc({**genesis, "name": ""}),
    "name_colon": enc({**genesis, "name": "a:b"}), "name_long": enc({**genesis, "name": "x" * 65}),
    "no_members": enc({**genesis, "members": []}), "code_lower": enc(with_member(0, {"code": "xiangcheng"})),
    "code_twice": enc(with_member(1, {"code": "XIANGCHENG"})), "kind_unknown": enc(with_member(0, {"kind": "city"})),
    "no_zh": enc(with_member(0, {"names": {"en": "Xiangcheng"}})), "member_field_unknown": enc(with_member(0, {"phone": "1"})),
    "institution_missing": enc({**genesis, "members": [without(m, "institution") for m in members]}),
    "institution_twice": enc(with_member(5, {"institution": 1})), "authority_twice": enc(with_member(5, {"kind": "authority"})),
    "quota_without_institution": enc(with_member(0, {"quota": 5})), "quota_zero": enc(with_member(5, {"quota": 0})),
    "nobody_votes": enc({**genesis, "members": [{**m, "voting": False} for m in members]}),
    "grant_of_stranger": enc({**genesis, "keys": grants + [["NOBODY", grant("stranger", ["seal"])]]}),
    "grant_twice": enc({**genesis, "keys": grants + [grants[0]]}),
    "grant_form": enc({**genesis, "keys": grants + [["BANK"]]}),
    "role_unknown": enc(with_grant({"roles": ["king"]})), "role_twice": enc(with_grant({"roles": ["checker", "checker"]})),
    "roles_none": enc(with_grant({"roles": []})), "roles_five": enc(with_grant({"roles": ["seal", "operator", "issuer", "auditor", "checker"]})),
    "validator_not_alone": enc(with_grant({"roles": ["checker", "validator"], "transport": transport("x")})),
    "wallet_role": enc(with_grant({"roles": ["wallet"]})), "reader_without_box": enc(with_grant({"roles": ["reader"]})),
    "box_without_reader": enc(with_grant({"box": sha(b"b")})), "transport_without_validator": enc(with_grant({"transport": sha(b"b")})),
    "observer_without_transport": enc(with_grant({"roles": ["observer"]})),
    "governor_ends": enc(with_grant({"not_after": NOW}, "BANK.governor1")),
    "ends_before_it_begins": enc(with_grant({"not_before": NOW, "not_after": NOW})),
    "key_of_low_order": enc(with_grant({"key": low_order})), "key_short": enc(with_grant({"key": key("BANK.checker").cose[:-1]})),
    "one_governor": enc({**genesis, "keys": [g for g in grants if g[1]["label"] != "BANK.governor2"]}),
    "governors_needed_3": enc(with_member(0, {"governors_needed": 3})),
    "parameter_unknown": enc({**genesis, "parameters": {"consensus.luck": 7}}),
    "parameter_low": enc({**genesis, "parameters": {"consensus.delta_ms": 4}}),
    "parameter_high": enc({**genesis, "parameters": {"consensus.delta_ms": 5001}}),
    "parameter_text": enc({**genesis, "parameters": {"consensus.delta_ms": "100"}}),
    "threshold_half": enc({**genesis, "parameters": {"governance.threshold_num": 1, "governance.threshold_den": 2}}),
    "threshold_above_one": enc({**genesis, "parameters": {"governance.threshold_num": 4, "governance.threshold_den": 3}}),
    "epoch_1": enc(with_epoch(number=1)), "quorum_half": enc(with_epoch(quorum=2)), "quorum_5": enc(with_epoch(quorum=5)),
    "bft_of_3": enc(with_epoch(names=DISTRICTS)), "all_of_3_with_2": enc(with_epoch(2, "all-of-3", DISTRICTS)),
    "crash_with_3": enc(with_epoch(3, "crash-1of3", DISTRICTS)), "single_of_4": enc(with_epoch(3, "single")),
    "model_unknown": enc(with_epoch(model="hope")), "validator_twice": enc({**genesis, "epoch": repeated}),
    "validator_transport": enc({**genesis, "epoch": swapped}), "validator_member": enc({**genesis, "epoch": foreign}),
    "validator_role": enc({**genesis, "epoch": not_validator})}
for name, data in bad_genesis.items():
    show("bad.genesis." + name, data)
for name, quorum, model, names in (("all_of_3", 3, "all-of-3", DISTRICTS), ("crash_1of3", 2, "crash-1of3", DISTRICTS),
                                   ("single", 1, "single", DISTRICTS[:1]), ("two", 2, "bft", DISTRICTS[:2]), ("four_of_4", 4, "bft", VALIDATORS)):
    show("good.genesis." + name, enc(with_epoch(quorum, model, names)))

good_signatures = [genesis_signature(k) for k in voting_governors]
stranger = key("stranger")
show("bad.signatures.missing", enc(good_signatures[1:]))
show("bad.signatures.none", enc([]))
show("bad.signatures.unsorted", enc(good_signatures[::-1]))
show("bad.signatures.twice", enc(good_signatures[:1] + good_signatures))
show("bad.signatures.stranger", enc(sorted(good_signatures + [genesis_signature(stranger)], key=lambda s: cbor2.loads(s[0])[4])))
show("bad.signatures.not_governor", enc(sorted(good_signatures + [genesis_signature(checker)], key=lambda s: cbor2.loads(s[0])[4])))
show("bad.signatures.wrong", enc([[s[0], {}, good_signatures[0][2]] for s in good_signatures]))
show("bad.signatures.trailing", enc(good_signatures) + b"\0")


def bad_bundle(name, **changes):
    show("bad.bundle." + name, enc({**batch_bundle, **changes}))


other_header = enc([*cbor2.loads(header2)[:7], NOW, *cbor2.loads(header2)[8:]])
one_bad = [*certificate3[:3], certificate3[3][:64] + bytes(64) + certificate3[3][128:]]
bad_bundle("chain", chain=sha(b"another ledger"))
bad_bundle("version", version=2)
bad_bundle("unknown_field", more=1)
bad_bundle("signer", signer=checker.cose)
bad_bundle("record", record=records["currency.transfer"]["bytes"], signer=operator.cose)
bad_bundle("leaf_index", inclusion=[7, 4, path(AT, log[:7])])
bad_bundle("path_short", inclusion=[7, AT, path(AT, log[:7])[:-1]])
bad_bundle("tree_size", inclusion=[6, AT, path(AT, log[:6])])
bad_bundle("headers_order", headers=[header2, header3])
bad_bundle("headers_other", headers=[header3, other_header])
bad_bundle("headers_above", headers=[header3])
bad_bundle("headers_below", headers=[header3, header2, header1])
bad_bundle("headers_none", headers=[])
bad_bundle("signature", certificate=one_bad)
bad_bundle("nobody", certificate=[1, certificate3[1], b"\x10", certificate3[3][:64]])
bad_bundle("bitmap_long", certificate=[1, certificate3[1], certificate3[2] + b"\0", certificate3[3]])
bad_bundle("notarization", certificate=[1, [1, 0, 4, block_hash(header3)], certificate3[2], certificate3[3]])
bad_bundle("result_of_another", result=result_proof(results2, 0))
bad_bundle("result_code", result=[1, path(1, [leaf_hash(x) for x in results2]), enc([records["currency.batch"]["id"], 0, None])])
bad_bundle("entry_of_another", entry=[4, entries[3], path(4, entry_leaves)])
bad_bundle("entry_index", entry=[3, entries[4], path(4, entry_leaves)])
bad_bundle("rows", rows=[[0, 3, 2, table_rows[0][1], *state_proof(0, 2)[4:]]])
bad_bundle("rows_table", rows=[[1, *state_proof(0, 2)[1:]]])
linked = bundle("agreement.propose", 6, [header5, tail4, header4, header3, header2], finalize(header5, DISTRICTS), links=[link])
for name, changes in {"no_link": {"links": []}, "link_twice": {"links": [link, link]},
                      "link_next": {"links": [{**link, "next": enc(epoch(1, 3, "all-of-3", DISTRICTS[::-1]))}]},
                      "link_weaker_next": {"links": [{**link, "next": enc(epoch(1, 2, "crash-1of3", DISTRICTS))}]},
                      "link_no_seal": {"links": [{**link, "headers": [tail4]}]},
                      "link_header": {"links": [{**link, "headers": [header4]}]}}.items():
    show("bad.linked." + name, enc({**linked, **changes}))

# ---- a recovery epoch: two of the four go on from block 3, which CHANGNING finalized in view 4 and XIANGCHENG in none above 3
SURVIVORS = ["XIANGCHENG", "CHANGNING"]
epoch_r = epoch(1, 2, "bft", SURVIVORS)
ER = named_hash("hubledger/epoch/1", enc(epoch_r))
BENCH = [key(n + ".validator") for n in SURVIVORS]
COUNCIL = [key(n + ".governor1") for n in ("XIANGCHENG", "JIADING")]


def recovery(seq, bench=BENCH, **changes):
    body = {"base": block_hash(header3), "epoch": 0, "quorum": 2, "reason": {"zh": "两节点机房毁损", "en": "two nodes burnt"},
            "signers": [{"kid": BENCH[0].kid, "view": 3}, {"kid": BENCH[1].kid, "view": 4}], "time_ms": NOW + 4000,
            "validators": [k.kid for k in BENCH], "fault_model": "bft", **changes}
    return record(None if seq > 6 else "epoch.recover", "epoch.recover", governor, "CHANGNING", "recovery", seq, body,
                  cosigned=True, cosigners=[*COUNCIL, *bench])


def recovery_link(r, next_=enc(epoch_r), **changes):
    fields = {"height": 4, "view": 5, "parent": block_hash(header3), "parent_view": 4, "count": 1, "records_root": root([r["leaf"]]),
              "results_root": root([leaf_hash(result(r))]), "nxt": ER, "flags": 4, **changes}
    return {"next": next_, "headers": [header(**fields)], "recovery": r["bytes"]}


def other_bytes(next_):  # of the same keys, under a header that commits to them
    return recovery_link(records["epoch.recover"], next_=next_, nxt=named_hash("hubledger/epoch/1", next_))


records["epoch.recover"] = recovery(6)
log.append(records["epoch.recover"]["leaf"])
link_r = recovery_link(records["epoch.recover"])
header_r = link_r["headers"][0]
header5r = header(5, 1, block_hash(header_r), 0, 0, EMPTY, EMPTY, epoch_no=1, validators=ER)


def recovered(link):
    return enc(bundle("agreement.propose", 6, [header5r, header_r, header3, header2], finalize(header5r, SURVIVORS), links=[link]))


show("bundle.recovered", recovered(link_r))
lone = recovery(7, bench=BENCH[:1])
stranger = recovery(8, bench=[BENCH[0], key("HONGQIAO.validator")])
other_set = recovery(9, validators=[key(d + ".validator").kid for d in DISTRICTS[1:]])
for name, bad_link in {"lone": recovery_link(lone), "stranger": recovery_link(stranger), "other_set": recovery_link(other_set),
                       "other_record": {**link_r, "recovery": lone["bytes"]}, "view": recovery_link(records["epoch.recover"], view=6),
                       "no_flag": recovery_link(records["epoch.recover"], flags=1),
                       "base": recovery_link(records["epoch.recover"], parent=block_hash(header2)),
                       "next": recovery_link(records["epoch.recover"], next_=enc(epoch(1, 1, "single", SURVIVORS[:1]))),
                       "member": other_bytes(enc([*epoch_r[:4], [epoch_r[4][0], [epoch_r[4][1][0], "JIADING", epoch_r[4][1][2]]]])),
                       "transport": other_bytes(enc([*epoch_r[:4], [epoch_r[4][0], [*epoch_r[4][1][:2], transport("JIADING")]]])),
                       "two_headers": {**link_r, "headers": [header_r, header3]},
                       "no_recovery": {**link_r, "recovery": records["wallet.open"]["bytes"]}}.items():
    show("bad.recovered." + name, recovered(bad_link))

# CHANGNING lies in the recovery epoch: shown by a file where all of its set were in the one before, not where one was not
lies = [statement(W, 1, 2, h, 1) for h in (one, two)]
mixed = epoch(1, 2, "bft", ["CHANGNING", "QINGPU"])
link_mixed = recovery_link(recovery(10, validators=[key(n + ".validator").kid for n in ("CHANGNING", "QINGPU")]), next_=enc(mixed),
                           nxt=named_hash("hubledger/epoch/1", enc(mixed)))
show("recovered.evidence", enc(evidence(1, lies, enc(epoch_r), [link_r])))
show("recovered.evidence.new_key", enc(evidence(1, lies, enc(mixed), [link_mixed])))

# ---- wire messages about snapshots: the manifest stands for one by its hash
manifest_hash = sha(b"manifest")
show("wire.get_snapshot", enc([16, manifest_hash, 131072]))
show("wire.snapshot", enc([17, manifest_hash, 811, 131082, 131072, bytes(range(10))]))
show("wire.snapshot_none", enc([17, bytes(32), 0, 0, 0, b""]))
