#!/usr/bin/env bash
# A new node joins by a snapshot, from its peers over the wire or by a file: it has the same roots, votes, gives receipts
# for what came after, and says that it has no history before. A snapshot with any byte changed is refused.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
dir=$(mktemp -d)
liars=
trap 'for p in $liars; do kill "$p" 2>/dev/null || true; done; net_cleanup; rm -rf "$dir"' EXIT
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
"$hub" key new -o "$dir/early" --unprotected -q
"$hub" key add "$dir/early" --role seal --key "$dir/net/XIANGCHENG/governor-1.key" --offline --seq 1000 -o "$dir/early.rec" -q
"$hub" record submit "$dir/early.rec" --wait=30s -q || failed "the record that is sent again later"
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


# The file as a directory: an audit of it is incomplete, and it is no backup.
exits 0 "$hub" snapshot load "$dir/state" -o "$dir/loaded"
exits 4 "$BIN/hubledger-verify" --genesis "$dir/net/genesis.cbor" --stopped "$dir/loaded"
exits 3 "$hub" backup --stopped "$dir/loaded" -o "$dir/backup"
grep -q "joined by a snapshot" "$dir/said" || failed "backup: $(cat "$dir/said")"

# Jiading joins over the wire, from one honest peer that is frozen at first, one that offers rubbish and one that stops
# in the middle; it is killed there, and starts again.
record
newer() { [ "$("$hub" snapshot load --verify "$1" --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["height"])')" -gt "$height" ]; }
for i in $(seq 60); do # until the honest peer has written a newer checkpoint
    rm -f "$dir/newer"
    "$hub" snapshot make "$dir/net/XIANGCHENG/data" -o "$dir/newer" -q && newer "$dir/newer" && break
    sleep 0.3
done
net_stop CHANGNING HUBOFFICE
kill -STOP "${NET_PID[XIANGCHENG]}"
"$BIN/liar" "$dir/net/CHANGNING/node.conf" garbage $((height + 100)) &
liars=$!
"$BIN/liar" "$dir/net/HUBOFFICE/node.conf" stops "$height" "$dir/state" &
liars="$liars $!"
joining=$dir/net/JIADING/data/joining
echo 'join = "snapshot"' >>"$dir/net/JIADING/node.conf"
net_start JIADING
said() { grep -q "$1" "$dir/net/JIADING/node.log"; }
until_said() { # what, the line it is looked for in
    for i in $(seq 150); do said "$1" && return; sleep 0.1; done
    failed "after 15 s the log has no $1"
}
until_said '"event":"join_fetches","peer":"HUBOFFICE"'
said '"event":"join_peer_failed","peer":"CHANGNING","why":"this is no snapshot' || failed "the rubbish is not named"
for i in $(seq 50); do [ -s "$joining" ] && break; sleep 0.1; done
[[ $("$hub" status --node "$(net_api JIADING)" --lang zh) == *"正在从 HUBOFFICE 获取高度 $height 的状态快照"* ]] || failed "status does not tell: $("$hub" status --node "$(net_api JIADING)")"
[ "$(curl -s -o "$dir/answer" -w '%{http_code}' "$(net_api JIADING)/v1/supply")" = 503 ] || failed "it answers from an empty ledger"
net_kill JIADING
kill -CONT "${NET_PID[XIANGCHENG]}"
net_start JIADING
until_said '"event":"join_resumed"'
until_said '"event":"joined"'
said '"event":"join_peer_failed","peer":"HUBOFFICE","why":"it stopped sending"' || failed "who stopped is not named"
said '"event":"join_fetches","peer":"XIANGCHENG"' || failed "it is not from the honest peer"
[ ! -e "$joining" ] || failed "the file is left behind"
kill $liars 2>/dev/null || true
liars=
floor=$(net_field JIADING history_from)
[ "$floor" -gt $((height + 1)) ] || failed "history from $floor, and the newer snapshot is above $height"
net_start CHANGNING HUBOFFICE
net_same_root "${MEMBERS[@]}" >/dev/null || failed "a node on a snapshot does not reach the same root"
record
net_same_root "${MEMBERS[@]}" >/dev/null
[ "$(net_field JIADING voting)" = votes ] || failed "the newcomer says $(net_field JIADING voting)"
curl -sf "$(net_api JIADING)/v1/records" | grep -q "\"height\":\"$floor\"" || failed "it does not list what it has"
[ "$(curl -s -o "$dir/said" -w '%{http_code}' "$(net_api JIADING)/v1/events?after=1")" = 404 ] &&
    grep -q '"history_from"' "$dir/said" || failed "events of before its history: $(cat "$dir/said")"
newest=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["record_id"])' "$dir/record")
exits 0 "$hub" receipt get "$newest" --node "$(net_api JIADING)" -o "$dir/receipt"
exits 0 "$hub" receipt verify "$dir/receipt"
[ "$(curl -s -o "$dir/answer" -w '%{http_code}' "$(net_api JIADING)/v1/records/$first")" = 404 ] || failed "a record before the snapshot: $(cat "$dir/answer")"
grep -q history_from "$dir/answer" || failed "it does not say where its history begins: $(cat "$dir/answer")"
exits 5 "$hub" record submit "$dir/early.rec" --node "$(net_api JIADING)" --lang en
grep -q "before the history that it has" "$dir/said" || failed "a record of before the snapshot, sent again: $(cat "$dir/said")"

# It is needed: one of three that run. And it starts again from its own disk.
net_stop JIADING CHANGNING
net_start JIADING
net_ready
record
net_same_root XIANGCHENG JIADING HUBOFFICE >/dev/null || failed "after its restart"
[ "$(net_field JIADING history_from)" = "$floor" ] || failed "history from $(net_field JIADING history_from)"
[ "$(grep -c '"event":"joined"' "$dir/net/JIADING/node.log")" = 1 ] || failed "it joined twice"
echo "snapshot: $(stat -c %s "$dir/state") bytes at height $height; 44 changed ones refused; by wire from $floor on, past rubbish, a peer that stops and a kill"
