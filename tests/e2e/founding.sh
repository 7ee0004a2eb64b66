#!/usr/bin/env bash
# How a real network begins: four members make cards (one with its node's key under a passphrase), one puts them into a draft, a
# governor of each signs it (two in one file, two in copies), it is sealed, and four nodes join with the invite.
# The cards' and the genesis file's signatures are checked by another library. What must be refused is.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
net_test
hub=$PWD/$BIN/hubledger
port=$(net_free_ports 8)
MEMBERS=(XIANGCHENG CHANGNING JIADING HUBOFFICE)
NET_DIR=$dir
cd "$dir"
echo "correct horse battery staple" >pass
chmod 600 pass

card() { # member, its number
    local key=--unprotected
    [ "$1" != CHANGNING ] || key=--passphrase-file=pass
    "$hub" node new --dir "$1" "$key" --listen "127.0.0.1:$((port + $2))" --api "127.0.0.1:$((port + 4 + $2))" -q
    for k in g1 g2 seal; do "$hub" key new --unprotected --label "$1 $k" -o "$1/$k.key" -q; done
    "$hub" member card --code "$1" --names-zh 虹桥 --names-en "$1" --grant "governor=$1/g1.key" --grant "governor=$1/g2.key" \
        --grant "seal=$1/seal.key" --grant "validator=$1/node.key" --passphrase-file pass \
        --endpoint "127.0.0.1:$((port + $2))" -o "$1.card" -q
}
i=0
for m in "${MEMBERS[@]}"; do
    card "$m" "$i"
    i=$((i + 1))
done
all=()
for m in "${MEMBERS[@]}"; do all+=(--card "$m.card"); done

refused 2 "--card FILE for every member" "$hub" network init --card XIANGCHENG.card -o x.draft
refused 2 "3 validators: all-of-3 or crash-1of3" "$hub" network init "${all[@]:0:6}" --name n -o x.draft
head -c 300 XIANGCHENG.card >short.card
refused 3 "not a member card, or damaged" "$hub" network init --card short.card --name n -o x.draft
sed 's/127.0.0.1/127.0.0.2/' XIANGCHENG.card >changed.card
refused 3 "changed after it was made" "$hub" network init --card changed.card --name n -o x.draft
refused 2 "two members have the same code" "$hub" network init "${all[@]}" --card JIADING.card --name n -o x.draft

"$hub" network init "${all[@]}" --name "hongqiao pilot" -o genesis.draft >init.txt
grep -q "quorum     3 of 4" init.txt || failed "the draft's quorum: $(cat init.txt)"
refused 3 "exists" "$hub" network init "${all[@]}" --name "hongqiao pilot" -o genesis.draft
phrase=$("$hub" network show genesis.draft | sed -n 's/^chain  *\(....\) \(....\).*/\1\2/p')
refused 7 "no governor of XIANGCHENG, CHANGNING, JIADING, HUBOFFICE has signed" "$hub" network seal genesis.draft -o genesis.cbor
refused 2 "does not match" "$hub" network sign genesis.draft --key XIANGCHENG/g1.key --confirm 00000000
refused 2 "no governor key of this draft" "$hub" network sign genesis.draft --key XIANGCHENG/seal.key --confirm "$phrase"
"$hub" network sign genesis.draft --key XIANGCHENG/g1.key --confirm "$phrase" -q
"$hub" network sign genesis.draft --key CHANGNING/g2.key --confirm "$phrase" -q
"$hub" network sign genesis.draft --key JIADING/g1.key --confirm "$phrase" -o jd.draft -q
"$hub" network sign genesis.draft --key HUBOFFICE/g1.key --confirm "$phrase" -o hub.draft -q
refused 7 "no governor of HUBOFFICE has signed" "$hub" network seal genesis.draft jd.draft -o genesis.cbor
"$hub" network init "${all[@]}" --name other -o other.draft -q
refused 3 "another network" "$hub" network seal genesis.draft other.draft -o genesis.cbor
refused 3 "not a genesis draft" "$hub" network seal JIADING.card -o genesis.cbor
"$hub" network seal genesis.draft jd.draft hub.draft -o genesis.cbor -q

/usr/bin/python3 - <<'PY' || failed "another library does not accept the signatures"
import hashlib
import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

def check(signature, outer, payload, grants):
    protected, unprotected, sig = signature
    header = cbor2.loads(protected)
    assert header[1] == -8 and unprotected == {}
    key = {hashlib.sha256(g["key"]).digest(): g["key"] for g in grants}[header[4]]
    point = cbor2.loads(key)[-2]
    Ed25519PublicKey.from_public_bytes(point).verify(sig, cbor2.dumps(["Signature", outer, protected, b"", payload]))

card = cbor2.loads(open("XIANGCHENG.card", "rb").read())
assert card.tag == 98 and cbor2.loads(card.value[0]) == {3: "application/vnd.hubledger.member-card+cbor"}
body = cbor2.loads(card.value[2])
assert body["member"]["code"] == "XIANGCHENG" and len(card.value[3]) == len(body["keys"]) == 4
for s in card.value[3]:
    check(s, card.value[0], card.value[2], body["keys"])
file = open("genesis.cbor", "rb").read()
invite = cbor2.loads(open("genesis.invite", "rb").read())
signatures = cbor2.loads(open("genesis.signatures", "rb").read())
assert invite["genesis"] == file and invite["signatures"] == signatures and len(signatures) == 4
for s in signatures:
    check(s, b"", file, [g for _, g in cbor2.loads(file)["keys"]])
PY

refused 2 "does not match" "$hub" node join genesis.invite --dir XIANGCHENG --confirm nothing
refused 3 "a governor of every voting member must sign" "$hub" node join jd.draft --dir XIANGCHENG --confirm "$phrase"
/usr/bin/python3 - <<'PY'
import cbor2
invite = cbor2.loads(open("genesis.invite", "rb").read())
invite["endpoints"] = {"JIADING": '10.0.0.1:1" } key = "other.key'}
open("evil.invite", "wb").write(cbor2.dumps(invite, canonical=True))
PY
refused 3 "endpoint of JIADING" "$hub" node join evil.invite --dir XIANGCHENG --confirm "$phrase"
for m in "${MEMBERS[@]}"; do "$hub" node join genesis.invite --dir "$m" --confirm "$phrase" -q; done
"$hub" node join genesis.invite --dir JIADING --confirm "$phrase" -q # again: the peers are written anew, once each
[ "$(grep -c '^peer ' JIADING/node.conf)" = 3 ] || failed "peers of a node that joined twice: $(cat JIADING/node.conf)"
"$hub" node new --dir LATE --unprotected -q
"$hub" node join genesis.invite --dir LATE --confirm "$phrase" -q
"$hub" node join genesis.invite --dir LATE --confirm "$phrase" -q # who comes later begins with a snapshot; founders cannot
[ "$(grep -c '^join = "snapshot"' LATE/node.conf)" = 1 ] && ! grep -q '^join' JIADING/node.conf || failed "join: $(cat LATE/node.conf)"
"${hub}d" --check-config --config LATE/node.conf >/dev/null || failed "a late node's configuration is refused"
for m in XIANGCHENG CHANGNING; do "$hub" network sign other.draft --key "$m/g1.key" --confirm "$("$hub" network show other.draft | sed -n 's/^chain  *\(....\) \(....\).*/\1\2/p')" -q; done
cd - >/dev/null
export HUBLEDGER_GENESIS=$dir/genesis.cbor
HUBLEDGER_NODE=$(net_api XIANGCHENG)
export HUBLEDGER_NODE
net_start
net_ready
"$hub" key new -o "$dir/k" --unprotected -q
"$hub" key add "$dir/k" --role seal --key "$dir/XIANGCHENG/g1.key" --wait=20s -q || failed "the new network records nothing"
net_same_root "${MEMBERS[@]}" >/dev/null

# A node moves: what stays behind never votes again, what moved does.
refused 3 "stop the node first" "$hub" node pack --dir "$dir/JIADING" -o "$dir/jd.pack"
net_stop JIADING
"$hub" node pack --dir "$dir/JIADING" -o "$dir/jd.pack" -q
[ "$(stat -c %a "$dir/jd.pack")" = 600 ] || failed "others can read a pack: it holds the key"
head -c 20000 "$dir/jd.pack" >"$dir/short.pack"
refused 3 "" "$hub" node unpack "$dir/short.pack" --dir "$dir/MOVED.short"
net_start JIADING
for _ in $(seq 100); do
    "$hub" status --node "$(net_api JIADING)" >"$dir/left.txt" 2>&1 || true
    ! grep -q "guard" "$dir/left.txt" || break
    sleep 0.1
done
grep -q "guard" "$dir/left.txt" || failed "the folder left behind does not say that it casts no vote: $(cat "$dir/left.txt")"
net_stop JIADING
mv "$dir/JIADING" "$dir/LEFT"
"$hub" node unpack "$dir/jd.pack" --dir "$dir/JIADING" -q
net_stop XIANGCHENG # three are needed: the one that moved must vote
net_start JIADING
HUBLEDGER_NODE=$(net_api CHANGNING)
"$hub" key new -o "$dir/k2" --unprotected -q
"$hub" key add "$dir/k2" --role seal --key "$dir/XIANGCHENG/g1.key" --wait=20s -q || failed "the node that moved does not vote"
net_stop
"$BIN/hubledger-verify" --genesis "$dir/genesis.cbor" --stopped "$dir/JIADING/data" >"$dir/verify.txt" || failed "$(cat "$dir/verify.txt")"
echo "founding.sh: ok"
