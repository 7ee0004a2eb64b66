// usage: verify.mjs golden.txt. Exits 1 on the first thing that a library sees otherwise than the ledger.
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { COSEKey, Sign, Sign1 } from '@auth0/cose';
import transmute from '@transmute/cose';
import { cdeDecodeOptions, cdeEncodeOptions, decode, encode } from 'cbor2';
import * as cborg from 'cborg';

const golden = new Map(readFileSync(process.argv[2], 'utf8').trim().split('\n').map((line) => line.split(' ')));
const bytesOf = (name) => {
  assert(golden.has(name), `no vector ${name}`);
  return new Uint8Array(Buffer.from(golden.get(name), 'hex'));
};
const namesOf = (pattern) => [...golden.keys()].filter((name) => pattern.test(name));
const equal = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;

// Ed25519 key of a seed, as a JWK; its kid is the hash of the COSE_Key (RFC 9679).
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const keys = new Map(namesOf(/^seed\./).map((name) => {
  const der = Buffer.concat([PKCS8, bytesOf(name)]);
  const jwk = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({ format: 'jwk' });
  const cose = Buffer.concat([Buffer.from('a301012006215820', 'hex'), Buffer.from(jwk.x, 'base64url')]);
  return [createHash('sha256').update(cose).digest('hex'), { name, jwk: { ...jwk, alg: 'EdDSA' } }];
}));
const keyOf = async (kid) => {
  const key = keys.get(Buffer.from(kid).toString('hex'));
  assert(key, 'kid of no known key');
  return COSEKey.fromJWK(key.jwk).toKeyLike();
};
const plain = (bytes) => decode(bytes, { ...cdeDecodeOptions, preferMap: true });
const kidOf = (protectedBytes) => plain(protectedBytes).get(4);

// 1. A strict decoder accepts our encoding, and encoding what it read gives the same bytes.
function roundTrips() {
  const structured = namesOf(/^(genesis|genesis\.signatures|genesis\.epoch|agreement\.(body|executed)|epoch\.1|statement)$|^(record\.[a-z]+\.[a-z]+(\.body)?|header\.\d|block\.\d|result\.\d\.\d|vote\.\w+\.(statement|subject)|certificate\..*|bundle\..*|receipt\.\d)$/);
  for (const name of structured) {
    const bytes = bytesOf(name);
    assert(equal(encode(plain(bytes), cdeEncodeOptions), bytes), `cbor2 writes ${name} otherwise`);
  }
  const untagged = structured.filter((name) => !/^(statement|receipt|agreement\.executed|vote\.\w+\.statement|record\.\w+\.\w+$)/.test(name));
  for (const name of untagged) {
    const bytes = bytesOf(name);
    const value = cborg.decode(bytes, { strict: true, useMaps: true, rejectDuplicateMapKeys: true, allowIndefinite: false });
    assert(equal(cborg.encode(value), bytes), `cborg writes ${name} otherwise`);
  }
  return `${structured.length} items by cbor2, ${untagged.length} by cborg`;
}

async function refuses(what, promise) {
  await assert.rejects(promise, undefined, `${what} verifies and must not`);
}

// 2. Every record is a COSE_Sign1 that @auth0/cose verifies, and no longer when one bit is flipped.
async function records() {
  const names = namesOf(/^record\.[a-z]+\.[a-z]+$/);
  for (const name of names) {
    const bytes = bytesOf(name);
    const record = Sign1.decode(bytes);
    const key = await keyOf(kidOf(record.encodedProtectedHeaders));
    await record.verify(key);
    bytes[bytes.length - 70] ^= 1; // last byte but two of the payload
    await refuses(name, Sign1.decode(bytes).verify(key));
  }
  return `${names.length} by @auth0/cose`;
}

// 3. Co-signatures are those of a COSE_Sign over core, under the record's protected header.
async function cosignatures() {
  let n = 0;
  for (const name of namesOf(/^record\.(key\.add|wallet\.open|currency\.issue|currency\.batch)$/)) {
    const record = Sign1.decode(bytesOf(name));
    const payload = plain(record.payload);
    for (const [header, , signature] of payload.get('cosign')) {
      const sign = Sign.decode(encode(new (decode(bytesOf(name)).constructor)(98, [record.encodedProtectedHeaders, new Map(), payload.get('core'), [[header, new Map(), signature]]])));
      await sign.verify(await keyOf(kidOf(header)));
      await refuses(`${name} with another signer`, sign.verify(await keyOf(kidOf(record.encodedProtectedHeaders))));
      n++;
    }
  }
  return `${n} by @auth0/cose`;
}

// 4. The executed agreement is a stand-alone COSE_Sign file with every party's signature.
async function agreement() {
  const sign = Sign.decode(bytesOf('agreement.executed'));
  const [, , , signatures] = plain(bytesOf('agreement.executed')).contents;
  for (const [header] of signatures)
    await sign.verify(await keyOf(kidOf(header)));
  return `${signatures.length} signatures by @auth0/cose`;
}

// 5. Receipts are inclusion receipts of RFC 9942: @transmute/cose walks the path, @auth0/cose checks the signature
// over the root that it leads to.
const detached = {
  verify: async ({ coseSign1, payload }) => {
    const receipt = Sign1.decode(new Uint8Array(coseSign1));
    await receipt.verify(await keyOf(kidOf(receipt.encodedProtectedHeaders)), { detachedPayload: new Uint8Array(payload) });
    return payload;
  },
};

async function receipts() {
  const statement = bytesOf('statement');
  const record = new Uint8Array(await transmute.receipt.remove(statement));
  const carried = await transmute.receipt.get(statement);
  assert(equal(record, bytesOf('record.currency.batch')), 'the statement without receipts is not the record');
  const entry = await transmute.receipt.leaf(record);
  assert(equal(entry, bytesOf('record.currency.batch.leaf')), 'leaf hashes differ');
  const other = await transmute.receipt.leaf(bytesOf('record.currency.transfer'));
  for (const receipt of [...carried, bytesOf('receipt.0'), bytesOf('receipt.1')]) {
    await transmute.receipt.inclusion.verify({ entry, receipt: new Uint8Array(receipt), verifier: detached });
    await refuses('a receipt for another record', transmute.receipt.inclusion.verify({ entry: other, receipt: new Uint8Array(receipt), verifier: detached }));
  }
  return `${carried.length + 2} by @transmute/cose and @auth0/cose`;
}

for (const [what, check] of Object.entries({ 'deterministic CBOR': roundTrips, records, 'co-signatures': cosignatures, 'executed agreement': agreement, receipts }))
  console.log(`${what}: ${await check()}`);
console.log('interop: OK');
