#!/usr/bin/env bash
# Bits flip in blocks and in the newest certificate on a real disk: the node starts all the same, fetches what is damaged
# from its peers, puts it in its place, and the whole directory passes an audit (docs/hazards.md H4).
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
net_test
flip() { # height: one bit in every copy of that block's last bytes in Jiading's database
    curl -sf "$(net_api XIANGCHENG)/v1/blocks/$1?format=cbor" >"$dir/block" || failed "block $1"
    python3 - "$dir/block" "$dir/net/JIADING/data/ledger/data.mdb" <<'PY'
import sys
block = open(sys.argv[1], "rb").read()
data = bytearray(open(sys.argv[2], "rb").read())
part, at, hits = block[-48:], 0, 0
while (at := data.find(part, at)) >= 0:
    data[at + 20] ^= 4
    hits += 1
    at += len(part)
open(sys.argv[2], "r+b").write(data)
sys.exit(0 if hits else f"the block of {len(block)} bytes is not found in the database")
PY
}
flip_newest_certificate() { # of Jiading's, by its key (epoch, view, FINALIZE) and the version in front
    curl -sf "$(net_api XIANGCHENG)/v1/blocks/$(net_field XIANGCHENG height)" >"$dir/block" || failed "newest block"
    python3 - "$dir/block" "$dir/net/JIADING/data/ledger/data.mdb" <<'PY'
import json, os, sys
view = int(json.load(open(sys.argv[1]))["view"])
data = open(sys.argv[2], "rb").read()
part, at, hits = (0).to_bytes(8, "big") + view.to_bytes(8, "big") + bytes([3, 0x84, 1]), 0, 0
file = os.open(sys.argv[2], os.O_RDWR)
while (at := data.find(part, at)) >= 0:
    os.pwrite(file, bytes([data[at + 40] ^ 4]), at + 40)
    hits += 1
    at += len(part)
sys.exit(0 if hits else f"no certificate of view {view} in the database")
PY
}
checkpointed() { # waits until Jiading, idle for 2 s, has written a checkpoint of height $1 or above
    local i
    for i in $(seq 60); do
        rm -f "$dir/probe"
        "$hub" snapshot make "$dir/net/JIADING/data" -o "$dir/probe" --json >"$dir/checkpoint" 2>/dev/null &&
            [ "$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["height"])' "$dir/checkpoint")" -ge "$1" ] && return
        sleep 0.5
    done
    failed "no checkpoint of height $1"
}
spoil_checkpoint() { # Jiading's: its value begins [height, block hash, ..., and so does no other
    python3 - "$dir/checkpoint" "$dir/net/JIADING/data/ledger/data.mdb" <<'PY'
import json, sys
said = json.load(open(sys.argv[1]))
height, block = int(said["height"]), bytes.fromhex(said["block"])
data = bytearray(open(sys.argv[2], "rb").read())
part, at, hits = bytes([0x85, height, 0x58, 0x20]) + block, 0, 0
while (at := data.find(part, at)) >= 0:
    data[at + 10] ^= 4
    hits += 1
    at += len(part)
open(sys.argv[2], "r+b").write(data)
sys.exit(0 if hits else "no checkpoint found")
PY
}
logged() { # words: waits for them in Jiading's log
    local i
    for i in $(seq 200); do
        grep -q "$1" "$dir/net/JIADING/node.log" && return
        sleep 0.1
    done
    failed "the log does not say $1"
}

net_make 4 "$dir/net" --parameter consensus.pace_ms=0
net_start
net_ready
for i in 1 2 3 4 5; do record; done
net_same_root "${MEMBERS[@]}" >/dev/null
height=$(net_field XIANGCHENG height)

# The checkpoint and two blocks are damaged: the start has to replay all, and meets them.
checkpointed 4
net_stop JIADING
spoil_checkpoint
flip 3
flip 4
net_start JIADING
net_same_root "${MEMBERS[@]}" >/dev/null || failed "a start that met damaged blocks did not go on"
[ "$(grep -c store_mended "$dir/net/JIADING/node.log")" -ge 2 ] || failed "the blocks were not put in their place"
grep '"event":"started"' "$dir/net/JIADING/node.log" | tail -n 1 | grep -q '"height":2' || failed "it should have started at height 2"
record

# Below the checkpoint: nobody reads it, but the slow reading of the whole chain.
checkpointed 4
net_stop JIADING
: >"$dir/net/JIADING/node.log"
flip 1
flip 2
net_start JIADING
logged '"event":"store_mended".*"place":1'
logged '"event":"store_mended".*"place":2'

# The newest certificate, under a running node, and nothing else happens: its receipts are complete again.
: >"$dir/net/JIADING/node.log"
flip_newest_certificate
logged '"event":"store_mended".*"certificate of view"'
id=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["records"][0]["record_id"])' "$dir/block")
"$hub" receipt get "$id" --node "$(net_api JIADING)" -o "$dir/receipt" -q || failed "no receipt of the newest record"
"$hub" receipt verify "$dir/receipt" --lang en >"$dir/out" || failed "receipt: $(cat "$dir/out")"
net_stop JIADING
"$BIN/hubledger-verify" --genesis "$dir/net/genesis.cbor" --stopped "$dir/net/JIADING/data" >"$dir/audit" || failed "the audit of the mended directory: $(cat "$dir/audit")"
echo "damage: 4 damaged blocks of $height and the newest certificate fetched and put in place, audit passed"
