// usage: node scripts/check-receipt.mjs GENESIS RECEIPT [RECOVERY_ID...]: checks a receipt with WebCrypto (web/receipt.mjs);
// the ids are those of recovery epochs that are followed.
import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto; // node 18 has it, but not as a global
const { checkReceipt } = await import("../web/receipt.mjs");

const [genesis, receipt, ...accepted] = process.argv.slice(2);
if (!receipt) {
  console.error("usage: node scripts/check-receipt.mjs GENESIS RECEIPT [RECOVERY_ID...]");
  process.exit(2);
}
const { verdict, why, facts } = await checkReceipt(new Uint8Array(readFileSync(receipt)), new Uint8Array(readFileSync(genesis)), accepted);
console.log(JSON.stringify({ verdict, ...(why ? { why } : {}), ...facts }));
process.exit(verdict === "ok" ? 0 : 6);
