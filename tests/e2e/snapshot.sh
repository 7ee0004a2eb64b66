#!/usr/bin/env bash
# A new node joins by a snapshot: it has the same roots, votes, gives receipts for what came after, and says that it
# has no history before. A snapshot with any byte changed is refused.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
dir=$(mktemp -d)
trap 'net_cleanup; rm -rf "$dir"' EXIT
hub=$BIN/hubledger
failed() { echo "FAILED: $*" >&2; tail -n 3 "$dir"/net/JIADING/node.log >&2; exit 1; }
keys=0
record() { # one more final record, signed by Xiangcheng's governor
    keys=$((keys + 1))
    "$hub" key new -o "$dir/k$keys" --unprotected -q
    "$hub" key add "$dir/k$keys" --role seal --key "$dir/net/XIANGCHENG/governor-1.key" --wait=30s --json >"$dir/record" || failed "record $keys"
}
exits() { # code, command...
    local code=$1 rc=0
    shift
    timeout 30 "$@" >"$dir/said" 2>&1 || rc=$?
    [ "$rc" = "$code" ] || failed "expected exit $code, got $rc of $*: $(cat "$dir/said")"
}

net_make 4 "$dir/net" --parameter consensus.pace_ms=0
net_start XIANGCHENG CHANGNING HUBOFFICE # Jiading has never run
net_ready
for i in 1 2 3 4 5; do record; done
first=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["record_id"])' "$dir/record")
for i in $(seq 60); do # a checkpoint is written when the node has been idle for 2 s
    "$hub" snapshot make "$dir/net/XIANGCHENG/data" -o "$dir/state" >"$dir/said" 2>&1 && break
    sleep 0.5
done
[ -s "$dir/state" ] || failed "no snapshot: $(cat "$dir/said")"
exits 3 "$hub" snapshot make "$dir/net/XIANGCHENG/data" -o "$dir/state" # never over another
exits 0 "$hub" snapshot load --verify "$dir/state"
height=$("$hub" snapshot load --verify "$dir/state" --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["height"])')
[ "$height" -ge 5 ] || failed "the snapshot is of height $height"

# Changed bytes: forty places over the whole file, and it cut short or grown.
python3 - "$dir/state" "$dir/bad" <<'PY'
import os, sys
data = open(sys.argv[1], "rb").read()
os.mkdir(sys.argv[2])
for i in range(40):
    bad = bytearray(data)
    bad[(len(data) - 1) * i // 39] ^= 1 << i % 8
    open(f"{sys.argv[2]}/{i}", "wb").write(bad)
import hashlib
def string(at):  # the byte string at this place: its first byte, its end
    n, at = data[at] - 0x40, at + 1
    if n >= 24:
        size = 1 << n - 24
        n, at = int.from_bytes(data[at:at + size], "big"), at + size
    return at, at + n
first, last = string(string(24)[1])  # the first part, behind magic and manifest
changed = bytearray(data)
changed[(first + last) // 2] ^= 1
old, new = (hashlib.sha256(d[first:last]).digest() for d in (data, changed))
assert data.count(old) == 1
open(f"{sys.argv[2]}/forged", "wb").write(bytes(changed).replace(old, new))  # a row and its part's hash, both
open(f"{sys.argv[2]}/cut", "wb").write(data[:-1])
open(f"{sys.argv[2]}/grown", "wb").write(data + b"\0")
PY
for bad in "$dir"/bad/*; do exits 6 "$hub" snapshot load --verify "$bad"; done
exits 6 "$hub" snapshot load --verify "$dir/bad/forged"
grep -q "do not give the root" "$dir/said" || failed "a forged row: $(cat "$dir/said")"
exits 6 "$hub" snapshot load "$dir/bad/20" -o "$dir/never"
[ ! -e "$dir/never" ] || failed "a changed snapshot left a directory"
"$hub" network init --local 1 --dir "$dir/other" -q --port "$(net_free_ports 2)"
exits 6 "$hub" snapshot load --verify --genesis "$dir/other/genesis.cbor" "$dir/state"

record # after the snapshot, before the newcomer
exits 0 "$hub" snapshot load "$dir/state" -o "$dir/net/JIADING/data"
net_start JIADING
net_same_root "${MEMBERS[@]}" >/dev/null || failed "a node on a snapshot does not reach the same root"
record
net_same_root "${MEMBERS[@]}" >/dev/null
[ "$(net_field JIADING voting)" = votes ] || failed "the newcomer says $(net_field JIADING voting)"
[ "$(net_field JIADING history_from)" = $((height + 1)) ] || failed "history from $(net_field JIADING history_from)"
curl -sf "$(net_api JIADING)/v1/records" | grep -q "\"height\":\"$((height + 1))\"" || failed "it does not list what it has"
[ "$(curl -s -o "$dir/said" -w '%{http_code}' "$(net_api JIADING)/v1/events?after=1")" = 404 ] &&
    grep -q '"history_from"' "$dir/said" || failed "events of before its history: $(cat "$dir/said")"
newest=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["record_id"])' "$dir/record")
exits 0 "$hub" receipt get "$newest" --node "$(net_api JIADING)" -o "$dir/receipt"
exits 0 "$hub" receipt verify "$dir/receipt"
[ "$(curl -s -o "$dir/answer" -w '%{http_code}' "$(net_api JIADING)/v1/records/$first")" = 404 ] || failed "a record before the snapshot: $(cat "$dir/answer")"
grep -q history_from "$dir/answer" || failed "it does not say where its history begins: $(cat "$dir/answer")"

# It is needed: one of three that run. And it starts again from its own disk.
net_stop JIADING CHANGNING
net_start JIADING
net_ready
record
net_same_root XIANGCHENG JIADING HUBOFFICE >/dev/null || failed "after its restart"
net_stop JIADING
exits 4 "$BIN/hubledger-verify" --genesis "$dir/net/genesis.cbor" --stopped "$dir/net/JIADING/data"
exits 3 "$hub" backup --stopped "$dir/net/JIADING/data" -o "$dir/backup"
grep -q "joined by a snapshot" "$dir/said" || failed "backup: $(cat "$dir/said")"
echo "snapshot: $(stat -c %s "$dir/state") bytes at height $height; 44 changed ones refused; the newcomer votes"
