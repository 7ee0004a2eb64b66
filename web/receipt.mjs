// receipt.mjs: checks a hubledger receipt with WebCrypto and the genesis file, nothing else: no code of the
// ledger, no node, no network. Runs in browsers and in node. The order of the checks is that of docs/protocol.md
// (receipts).

const text = new TextEncoder();

export const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

export function concat(...parts) {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

const same = (a, b) => a.length === b.length && a.every((v, i) => v === b[i]);

// ---- deterministic CBOR (RFC 8949 4.2.1), as far as receipts use it. Maps become Map; integers above 2^53 BigInt.
export class Tagged {
  constructor(tag, value) {
    this.tag = tag;
    this.value = value;
  }
}

export function decode(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const need = (n) => {
    if (n > bytes.length - at) throw new Error("cut short");
  };
  const head = () => {
    need(1);
    const first = bytes[at++], info = first & 31;
    if (info < 24) return [first >> 5, info];
    if (info > 27) throw new Error("indefinite length");
    const size = 1 << (info - 24);
    need(size);
    const value = size === 1 ? bytes[at] : size === 2 ? view.getUint16(at) : size === 4 ? view.getUint32(at) : view.getBigUint64(at);
    const least = [24, 256, 65536, 4294967296][info - 24];
    if (value < least) throw new Error("not the shortest form");
    at += size;
    return [first >> 5, typeof value === "bigint" && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value];
  };
  const item = (depth) => {
    if (depth > 8) throw new Error("nested too deep");
    const [major, n] = head();
    const list = () => Array.from({ length: (need(n), n) }, () => item(depth + 1));
    const slice = () => {
      need(n);
      at += n;
      return bytes.slice(at - n, at);
    };
    switch (major) {
      case 0: return n;
      case 1: return typeof n === "bigint" ? -1n - n : -1 - n;
      case 2: return slice();
      case 3: return new TextDecoder("utf-8", { fatal: true }).decode(slice());
      case 4: return list();
      case 5: {
        const map = new Map();
        let last = null;
        for (let i = 0; i < n; i++) {
          const from = at, key = item(depth + 1), encoded = bytes.slice(from, at);
          if (last && compare(last, encoded) >= 0) throw new Error("keys out of order");
          last = encoded;
          map.set(key, item(depth + 1));
        }
        return map;
      }
      case 6: return new Tagged(n, item(depth + 1));
      default:
        if (n === 20) return false;
        if (n === 21) return true;
        if (n === 22) return null;
        throw new Error("a simple value that is not allowed");
    }
  };
  const value = item(1);
  if (at !== bytes.length) throw new Error("trailing bytes");
  return value;
}

function compare(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

function encodeHead(major, n) {
  const v = BigInt(n);
  const size = v < 24n ? 0 : v < 256n ? 1 : v < 65536n ? 2 : v < 4294967296n ? 4 : 8;
  const out = new Uint8Array(1 + size);
  out[0] = (major << 5) | (size === 0 ? Number(v) : 24 + Math.log2(size));
  for (let i = 0; i < size; i++) out[size - i] = Number((v >> BigInt(8 * i)) & 255n);
  return out;
}

// Integers, strings, bytes, arrays, and maps given as lists of pairs already in order.
function encode(v) {
  if (typeof v === "number" || typeof v === "bigint") return v >= 0 ? encodeHead(0, v) : encodeHead(1, -1n - BigInt(v));
  if (typeof v === "string") return concat(encodeHead(3, text.encode(v).length), text.encode(v));
  if (v instanceof Uint8Array) return concat(encodeHead(2, v.length), v);
  if (v.pairs) return concat(encodeHead(5, v.pairs.length), ...v.pairs.flatMap(([k, x]) => [encode(k), encode(x)]));
  return concat(encodeHead(4, v.length), ...v.map(encode));
}

const ed25519 = (key) => crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
const verify = async (key, signature, message) => crypto.subtle.verify({ name: "Ed25519" }, await ed25519(key), signature, message);

// RFC 9162 2.1.3.2: the root a path leads to; null if its length does not fit.
async function rootOf(leaf, index, size, path) {
  if (index >= size) return null;
  let fn = index, sn = size - 1, r = leaf;
  for (const p of path) {
    if (sn === 0) return null;
    if (fn % 2 === 1 || fn === sn) {
      r = await sha256(concat([1], p, r));
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else {
      r = await sha256(concat([1], r, p));
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 ? r : null;
}

const headerNames = ["version", "chain", "epoch", "view", "height", "parent", "parent_view", "time_ms", "proposer", "log_size", "log_root",
  "record_count", "records_root", "results_root", "state_root", "validators", "next_validators", "flags"];
const readHeader = (bytes) => Object.fromEntries(decode(bytes).map((v, i) => [headerNames[i], v]));

// One epoch: who votes, and how many are enough.
async function readSet(chain, name, [version, epoch, quorum, model, validators]) {
  if (quorum > validators.length || 2 * quorum <= validators.length) throw new Error("an epoch whose quorum is no majority");
  const set = await Promise.all(validators.map(async ([key, member, transport]) => ({ kid: await sha256(key), key: decode(key).get(-2), member, transport })));
  if (new Set(set.map((v) => hex(v.kid))).size !== set.length) throw new Error("an epoch that lists a key twice");
  return { chain, name, version, epoch, quorum, model, validators: set };
}

// The set of the first epoch, from the genesis file.
async function readGenesis(bytes) {
  const genesis = decode(bytes);
  return readSet(await sha256(concat(text.encode("hubledger/genesis/1"), bytes)), genesis.get("name"), genesis.get("epoch"));
}

// What validator v signed when it finalized: an RFC 9942 receipt over the log's root.
function finalizeMessage(set, v, [kind, epoch, view, height, logSize, logRoot, blockHash]) {
  const protectedHeader = encode({ pairs: [
    [1, -8], [4, v.kid], [15, { pairs: [[1, v.member], [2, set.name]] }], [395, 1],
    [-70001, [set.chain, epoch, view, height, logSize, blockHash]],
  ] });
  return encode(["Signature1", protectedHeader, new Uint8Array(0), logRoot]);
}

// Who finalized, by name; a string says what is wrong instead.
async function signersOf(set, [, subject, bitmap, signatures]) {
  const signers = [];
  let at = 0;
  if (bitmap.length !== Math.ceil(set.validators.length / 8)) return "certificate: its bitmap is not of this epoch";
  for (let i = 0; i < 8 * bitmap.length; i++) {
    if (!(bitmap[i >> 3] & (1 << (i & 7)))) continue;
    const v = set.validators[i];
    if (!v || !(await verify(v.key, signatures.slice(at, at + 64), finalizeMessage(set, v, subject))))
      return `certificate: the signature of ${v ? v.member : `validator ${i}`} is not good`;
    signers.push(v.member);
    at += 64;
  }
  return signers;
}

// The last of a chain of headers, first the certified one; null: it is no such chain.
async function lastHeader(list, certified) {
  let want = certified, header = null;
  for (const bytes of list) {
    if (!same(await sha256(concat(text.encode("hubledger/header/1"), bytes)), want)) return null;
    header = readHeader(bytes);
    want = header.parent;
  }
  return header;
}

// A recovery epoch: a record, signed by enough validators of the set that ends, replaces the quorum. Whoever relies on what
// comes after says so: accepted holds the ids of such records, in hex.
async function followRecovery(set, link, accepted) {
  const record = link.get("recovery"), bad = (why) => ["tampered", `links: ${why}`];
  const [protectedHeader, , payload] = decode(record).value;
  const claims = decode(protectedHeader), parts = decode(payload), core = parts.get("core"), body = decode(core);
  if (claims.get(3) !== "application/vnd.hubledger.epoch.recover+cbor" || !same(claims.get(-70000)[0], set.chain) || link.get("headers").length !== 1)
    return ["malformed", "links: a recovery is no record epoch.recover with the header of its block"];
  const header = readHeader(link.get("headers")[0]), signers = body.get("signers");
  const view = Math.max(...signers.map((s) => s.get("view")));
  const next = await sha256(concat(text.encode("hubledger/epoch/1"), link.get("next")));
  if (header.flags !== 4 || !same(header.chain, set.chain) || header.epoch !== set.epoch || body.get("epoch") !== set.epoch ||
      header.time_ms !== body.get("time_ms") || header.parent_view !== view || header.view !== view + 1 || header.proposer !== 0 ||
      header.record_count !== 1 || !same(header.parent, body.get("base")) || !same(header.records_root, await sha256(concat([0], record))) ||
      !same(header.next_validators, next))
    return bad("a recovery's block is not the one that its record describes");
  const good = new Set();
  for (const [signProtected, , signature] of parts.get("cosign") ?? []) {
    const kid = decode(signProtected).get(4), v = set.validators.find((v) => same(v.kid, kid));
    if (v && signers.some((s) => same(s.get("kid"), kid)) &&
        (await verify(v.key, signature, encode(["Signature", protectedHeader, signProtected, new Uint8Array(0), core])))) good.add(v);
  }
  if (good.size < set.validators.length - set.quorum + 1) return ["pending", "links: too few validators of the epoch that ends signed a recovery"];
  const later = await readSet(set.chain, set.name, decode(link.get("next"))), named = body.get("validators");
  if (later.epoch !== set.epoch + 1 || later.quorum !== body.get("quorum") || later.model !== body.get("fault_model") ||
      named.length !== later.validators.length || !named.every((kid, i) => same(kid, later.validators[i].kid)) ||
      !later.validators.every((v) => set.validators.every((was) => !same(was.kid, v.kid) || (was.member === v.member && same(was.transport, v.transport)))))
    return bad("the next validators are not those that a recovery names");
  const id = hex(await sha256(encode(["Signature1", protectedHeader, new Uint8Array(0), payload])));
  return accepted.includes(id) ? [later] : ["override", `links: recovery epoch ${later.epoch}, signed by ${set.validators.filter((v) => good.has(v)).map((v) => v.member).join(", ")}, an override of the quorum: record ${id}`];
}

// From one epoch to the next: a finalization by the set before, headers down to the sealing block, the set it names.
async function follow(set, link, accepted) {
  if (link.has("recovery")) return followRecovery(set, link, accepted);
  const certificate = link.get("certificate"), subject = certificate[1];
  if (subject[0] !== 3 || subject[1] !== set.epoch) return ["tampered", "links: a certificate is no finalization of the epoch that ends"];
  const signers = await signersOf(set, certificate);
  if (typeof signers === "string") return ["tampered", `links: ${signers}`];
  if (signers.length < set.quorum) return ["pending", "links: a certificate has fewer signatures than the quorum"];
  const seal = await lastHeader(link.get("headers"), subject[6]);
  const next = await sha256(concat(text.encode("hubledger/epoch/1"), link.get("next")));
  if (!seal || seal.flags !== 1 || seal.epoch !== set.epoch || !same(seal.next_validators, next))
    return ["tampered", "links: the next validators are not those that were sealed"];
  const later = await readSet(set.chain, set.name, decode(link.get("next")));
  return later.epoch === set.epoch + 1 ? [later] : ["malformed", "links: the next epoch breaks a rule"];
}

// -> { verdict: "ok" | "pending" | "tampered" | "other_ledger" | "malformed" | "override", why, facts }
export async function checkReceipt(bundleBytes, genesisBytes, accepted = []) {
  const say = (verdict, why, facts) => ({ verdict, why, facts });
  let set, bundle;
  try {
    set = await readGenesis(genesisBytes);
    bundle = decode(bundleBytes);
  } catch (e) {
    return say("malformed", e.message);
  }
  if (!same(bundle.get("chain"), set.chain)) return say("other_ledger", "chain: not that of this genesis file");
  for (const link of bundle.get("links")) {
    const [next, why] = await follow(set, link, accepted).catch((e) => ["malformed", e.message]);
    if (typeof next === "string") return say(next, why);
    set = next;
  }

  const record = bundle.get("record"), signer = bundle.get("signer");
  const [recordProtected, , payload, signature] = decode(record).value;
  const claims = decode(recordProtected);
  const kid = await sha256(signer);
  if (!same(kid, claims.get(4))) return say("tampered", "signer: not the key the record names");

  const [treeSize, leafIndex, path] = bundle.get("inclusion");
  const root = await rootOf(await sha256(concat([0], record)), leafIndex, treeSize, path);
  const [, subject] = bundle.get("certificate");
  if (subject[0] !== 3 || subject[1] !== set.epoch) return say("tampered", "certificate: not a finalization of this epoch");
  if (!root || !same(root, subject[5])) return say("tampered", "inclusion: the path does not lead to the certified log root");
  if (treeSize !== subject[4]) return say("tampered", "inclusion: tree size differs from the certified one");

  const signers = await signersOf(set, bundle.get("certificate"));
  if (typeof signers === "string") return say("tampered", signers);
  if (signers.length < set.quorum) return say("pending", `${signers.length} of ${set.quorum} signatures`);

  const header = await lastHeader(bundle.get("headers"), subject[6]);
  if (!header) return say("tampered", "headers: not the certified chain");
  if (leafIndex < header.log_size - header.record_count || leafIndex >= header.log_size)
    return say("tampered", "headers: the last one does not hold the record");
  const toBeSigned = encode(["Signature1", recordProtected, new Uint8Array(0), payload]);
  if (!(await verify(decode(signer).get(-2), signature, toBeSigned))) return say("tampered", "record: its own signature is not good");

  const facts = { recordId: hex(await sha256(toBeSigned)), type: claims.get(3), by: claims.get(15).get(1), height: header.height,
    time: new Date(header.time_ms).toISOString(), signers, quorum: set.quorum, validators: set.validators.length,
    epoch: set.epoch, crashFaultOnly: set.model === "crash-1of3" };
  if (bundle.has("result")) {
    const [index, resultPath, result] = bundle.get("result");
    const resultRoot = await rootOf(await sha256(concat([0], result)), index, header.record_count, resultPath);
    if (!resultRoot || !same(resultRoot, header.results_root)) return say("tampered", "result: not in the block's results");
    facts.code = decode(result)[1];
    if (hex(decode(result)[0]) !== facts.recordId) return say("tampered", "result: of another record");
  }
  return say("ok", "", facts);
}
