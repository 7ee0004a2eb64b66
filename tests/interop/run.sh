#!/usr/bin/env bash
# Records, co-signed records, agreements and receipts, verified by libraries that are not ours.
# The unit tests show that the ledger writes exactly these bytes (tests/vectors/golden.txt).
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p build/interop
cp tests/interop/package.json tests/interop/verify.mjs build/interop/
(cd build/interop && npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock)
node build/interop/verify.mjs tests/vectors/golden.txt
