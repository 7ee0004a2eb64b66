// usage: node scripts/check-receipt.mjs GENESIS RECEIPT: checks a receipt with WebCrypto (web/receipt.mjs).
import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto; // node 18 has it, but not as a global
const { checkReceipt } = await import("../web/receipt.mjs");

const [genesis, receipt] = process.argv.slice(2);
if (!receipt) {
  console.error("usage: node scripts/check-receipt.mjs GENESIS RECEIPT");
  process.exit(2);
}
const { verdict, why, facts } = await checkReceipt(new Uint8Array(readFileSync(receipt)), new Uint8Array(readFileSync(genesis)));
console.log(JSON.stringify({ verdict, ...(why ? { why } : {}), ...facts }));
process.exit(verdict === "ok" ? 0 : 6);
