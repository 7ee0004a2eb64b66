#!/usr/bin/env bash
# Backups: taken beside the running node, checked from the genesis file on, restored; a node on one does not vote.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
net_test

net_make 4 "$dir/net" --parameter consensus.pace_ms=0
net_start
net_ready
record
record
net_same_root "${MEMBERS[@]}" >/dev/null
exits 3 "$hub" backup "$dir/net/JIADING" -o "$dir/backup" # no data directory: nothing is left behind
exits 0 "$hub" backup "$dir/net/JIADING/data" -o "$dir/backup"
exits 3 "$hub" backup "$dir/net/JIADING/data" -o "$dir/backup" # never over another
record
exits 0 "$hub" restore --verify "$dir/backup"
exits 0 "$hub" restore "$dir/backup" -o "$dir/restored"
curl -sf "$(net_api XIANGCHENG)/v1/blocks/1?format=cbor" >"$dir/block"
cp -r "$dir/backup" "$dir/bad"
python3 - "$dir/block" "$dir/bad/ledger/data.mdb" <<'PY'
import sys
part, data = open(sys.argv[1], "rb").read()[-48:], bytearray(open(sys.argv[2], "rb").read())
data[data.index(part) + 20] ^= 4
open(sys.argv[2], "wb").write(data)
PY
exits 6 "$hub" restore --verify "$dir/bad"
exits 6 "$hub" restore "$dir/bad" -o "$dir/never"
[ ! -e "$dir/never" ] || failed "a damaged backup was restored"

net_stop JIADING
rm -rf "$dir/net/JIADING/data"
mv "$dir/restored" "$dir/net/JIADING/data"
net_start JIADING
record
net_same_root "${MEMBERS[@]}" >/dev/null || failed "a node on a backup does not follow"
[ "$(net_field JIADING voting)" = restored ] || failed "a node on a backup says $(net_field JIADING voting)"
net_stop JIADING
exits 0 "$BIN/hubledger-verify" --genesis "$dir/net/genesis.cbor" --stopped "$dir/net/JIADING/data"
echo "backup: taken beside a running node, damaged one refused, restored one follows and does not vote"
