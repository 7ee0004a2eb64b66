#!/usr/bin/env bash
# Real nodes whose validators change: a fifth is added, one is removed, and one gives way to a new machine with a key of
# its own, which joins from genesis. Each old set seals the next; receipts of every epoch verify offline by two programs, and the
# auditor accepts every directory and an export.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
net_test
net=$dir/net
gov() { echo "$net/$1/governor-1.key"; }
kid_of() { "$hub" key show "$1" --json | python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "${2:-kid}"; }
until_field() { # MEMBER NAME VALUE: within 40 s
    local i
    for i in $(seq 400); do
        [ "$(net_field "$1" "$2")" = "$3" ] && return 0
        sleep 0.1
    done
    failed "$1: $2 is $(net_field "$1" "$2"), not $3"
}
until_logged() { # MEMBER EVENT: within 40 s
    local i
    for i in $(seq 400); do
        grep -q "\"event\":\"$2\"" "$net/$1/node.log" && return 0
        sleep 0.1
    done
    failed "$1 does not log $2"
}
records=0
record() { # one more final record; its receipt in $dir/rN
    records=$((records + 1))
    "$hub" currency issue 3 1.00 --key "$net/AUTHORITY/issuer-1.key" --wait=30s --json >"$dir/out" || failed "record $records"
    id=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["record_id"])' "$dir/out")
    "$hub" receipt get "$id" -o "$dir/r$records" -q || failed "no receipt of record $records"
}
blocks() { # so many more: one record, one block
    for _ in $(seq "$1"); do
        "$hub" currency issue 3 0.01 --key "$net/AUTHORITY/issuer-1.key" --wait=30s -q || failed "a record on the way"
    done
}
change_set() { # QUORUM KID...: proposed and approved by three members
    "$hub" governance propose validators "$1" bft "${@:2}" --title-zh 共识节点 --within 2d --key "$(gov XIANGCHENG)" --wait --lang en >"$dir/out" \
        || failed "no proposal: $(cat "$dir/out")"
    local id m
    id=$(sed -n 's/^proposal //p' "$dir/out")
    for m in XIANGCHENG JIADING HUBOFFICE; do
        "$hub" governance approve "$id" --key "$(gov "$m")" --yes --wait -q --lang en >"$dir/out" 2>&1 || failed "$m: $(cat "$dir/out")"
    done
}
# NAME KEY: a new machine's folder; it knows the genesis file and where three validators of today are.
new_node() {
    local port
    port=$(net_free_ports 2)
    mkdir -m 700 "$net/$1"
    mv "$2" "$net/$1/node.key"
    [ ! -e "$2.guard" ] || mv "$2.guard" "$net/$1/node.key.guard"
    {
        printf 'genesis = "../genesis.cbor"\ndata = "data"\nkey = "node.key"\n'
        printf 'listen = "127.0.0.1:%s"\napi = "127.0.0.1:%s"\n' "$port" $((port + 1))
        local m
        for m in XIANGCHENG CHANGNING HUBOFFICE; do
            printf 'peer %s { address = "%s" transport = "%s" }\n' "$m" \
                "$(sed -n 's/^listen = "\(.*\)"/\1/p' "$net/$m/node.conf")" "$(kid_of "$net/$m/node.key" transport)"
        done
    } >"$net/$1/node.conf"
}

net_make 4 "$net" --parameter consensus.pace_ms=0
net_start
net_ready
for i in $(seq 200); do # every node says by itself that it runs
    ready=$(curl -s "$HUBLEDGER_NODE/v1/records?type=validator.ready" | grep -o '"type":"validator.ready"' | wc -l)
    [ "$ready" -ge 4 ] && break
    sleep 0.1
done
[ "$ready" -ge 4 ] || failed "$ready of 4 nodes are ready"
record

# 1. A fifth node: its key comes to the ledger, it follows as observer, then it is one of the set.
"$hub" key new --unprotected --role validator -o "$dir/node5.key" -q
"$hub" key add "$dir/node5.key" --role validator --key "$(gov XIANGCHENG)" --wait=20s -q || failed "the fifth key"
five=$(kid_of "$dir/node5.key")
new_node FIFTH "$dir/node5.key"
net_start FIFTH
until_field FIFTH height "$(net_field XIANGCHENG height)"
[ "$(net_field FIFTH role)" = observer ] || failed "the fifth node is $(net_field FIFTH role)"
kids=()
for m in XIANGCHENG CHANGNING JIADING HUBOFFICE; do kids+=("$(kid_of "$net/$m/node.key")"); done
change_set 4 "${kids[@]}" "$five"
until_field XIANGCHENG epoch 1
until_field FIFTH role validator
[ "$(net_field FIFTH validators)" = 5 ] || failed "$(net_field FIFTH validators) validators"
record
net_stop CHANGNING # four of five are left, the new one among them
record
net_start CHANGNING
blocks 101 # so many lie between two seals

# 2. Jiading's machine is gone, a new one with a key of its own takes its place; Changning's node leaves.
net_stop JIADING
"$hub" key new --unprotected --role validator -o "$dir/jiading2.key" -q
"$hub" key add "$dir/jiading2.key" --role validator --key "$(gov JIADING)" --wait=20s -q || failed "the new key"
six=$(kid_of "$dir/jiading2.key")
"$hub" key new --unprotected --role observer -o "$dir/observer.key" -q
"$hub" key add "$dir/observer.key" --role observer --key "$(gov XIANGCHENG)" --wait=20s -q || failed "the observer's key"
change_set 3 "${kids[0]}" "$six" "${kids[3]}" "$five"
until_field XIANGCHENG epoch 2
until_field CHANGNING role observer
until_logged CHANGNING safe_to_retire
until_field CHANGNING safe_to_retire True
seal=$(net_field XIANGCHENG height) # the last block is the SEAL, and nothing comes after it: a snapshot is made of it
for i in $(seq 100); do
    rm -f "$dir/sealed"
    "$hub" snapshot make "$net/XIANGCHENG/data" -o "$dir/sealed" --json >"$dir/out" 2>&1 && grep -q "\"height\": *\"$seal\"" "$dir/out" && break
    sleep 0.1
done
[ "$i" -lt 100 ] || failed "no snapshot of the SEAL at $seal: $(cat "$dir/out")"
"$hub" snapshot load --verify "$dir/sealed" --lang en >"$dir/out" || failed "the SEAL's snapshot: $(cat "$dir/out")"
new_node OBSERVER "$dir/observer.key"
echo 'join = "snapshot"' >>"$net/OBSERVER/node.conf"
net_start OBSERVER # and by wire
until_field OBSERVER epoch 2
[ "$(net_field OBSERVER history_from)" = $((seal + 1)) ] || failed "the observer's history begins at $(net_field OBSERVER history_from)"
record
until_field OBSERVER height "$(net_field XIANGCHENG height)"
net_stop OBSERVER
new_node JIADING2 "$dir/jiading2.key" # from genesis, by two links
net_start JIADING2
until_field JIADING2 epoch 2
[ "$(net_field JIADING2 role)" = validator ] || failed "the new machine is $(net_field JIADING2 role)"
record

# All restart; the set is the one of the last seal, and goes on. The fifth's disk has damaged both links, so neither its
# checkpoint nor its blocks lead beyond the first seal, until it has them again.
rest=(XIANGCHENG CHANGNING HUBOFFICE JIADING2 FIFTH)
net_stop "${rest[@]}"
python3 - "$net/FIFTH/data/ledger/data.mdb" <<'PY' || failed "no links in the database of the fifth"
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at, hits = 0, 0
while (at := data.find(b"\xa3\x64next", at)) >= 0: # a link is a map of three, "next" first
    data[at + 60] ^= 4
    hits += 1
    at += 5
open(sys.argv[1], "r+b").write(data)
sys.exit(hits < 2)
PY
net_start "${rest[@]}"
net_ready
for m in "${rest[@]}"; do until_field "$m" epoch 2; done
[ "$(grep -c '"event":"store_mended".*"link to epoch"' "$net/FIFTH/node.log")" -ge 2 ] || failed "the links were not put in their place"
record
net_same_root "${rest[@]}" >/dev/null || failed "the nodes differ"

# Offline: every receipt, by our verifier and by the page's; a forged link by neither.
for i in $(seq "$records"); do
    "$hub" receipt verify "$dir/r$i" --lang en >"$dir/out" || failed "receipt $i: $(cat "$dir/out")"
    node scripts/check-receipt.mjs "$HUBLEDGER_GENESIS" "$dir/r$i" >"$dir/out" || failed "the page refuses receipt $i: $(cat "$dir/out")"
done
grep -q '"epoch":2' "$dir/out" || failed "the last receipt is not of epoch 2: $(cat "$dir/out")"
python3 - "$dir/r$records" "$dir/forged" <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[data.index(b"\x64next") + 60] ^= 1 # inside of the next epoch's first key
open(sys.argv[2], "wb").write(data)
PY
"$hub" receipt verify "$dir/forged" -q 2>/dev/null && failed "a forged link passes"
node scripts/check-receipt.mjs "$HUBLEDGER_GENESIS" "$dir/forged" >/dev/null && failed "a forged link passes the page"

net_stop "${rest[@]}"
for m in "${rest[@]}"; do
    "$BIN/hubledger-verify" --genesis "$HUBLEDGER_GENESIS" "$net/$m/data" --lang en >"$dir/out" 2>&1 || failed "$m: $(cat "$dir/out")"
    grep -q "2 changes of validators" "$dir/out" || failed "$m: $(cat "$dir/out")"
done
"$hub" export "$net/FIFTH/data" -o "$dir/export" -q || failed "no export"
"$BIN/hubledger-verify" --genesis "$HUBLEDGER_GENESIS" "$dir/export" --lang en >"$dir/out" 2>&1 || failed "export: $(cat "$dir/out")"
grep -q '"event":"alarm"' "$net"/*/node.log && failed "an alarm"
echo "epoch: a node added, one removed, one on a new machine; $records receipts over 3 epochs and 6 audits"
