#!/usr/bin/env bash
# Real nodes: a validator signs two blocks of one view on the wire. The others must keep the evidence, record it once,
# tell of it as an event, show and export it as a file that convicts with the genesis alone, by the command line and by
# a second judge that shares no code with it; and a restart must not accuse again.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
net_test
liar=
trap '[ -z "$liar" ] || kill "$liar" 2>/dev/null || true; net_cleanup; rm -rf "$dir"' EXIT
honest=(XIANGCHENG CHANGNING HUBOFFICE)
failed() { echo "FAILED: $*" >&2; "$hub" evidence list >&2 || true; tail -n 3 "$dir"/net/*/node.log >&2; exit 1; }
items() { "$hub" evidence list --json --node "$(net_api "$1")"; }
recorded() { items "$1" | grep -c '"state": *"recorded"' || true; }

net_make 4 "$dir/net"
net_start
net_ready
"$hub" key new -o "$dir/k1" --unprotected -q
"$hub" key add "$dir/k1" --role seal --key "$dir/net/XIANGCHENG/governor-1.key" --wait=20s -q
[ -z "$("$hub" evidence list --json)" ] || failed "evidence against an honest network"

net_stop JIADING
"$BIN/liar" "$dir/net/JIADING/node.conf" "$(($(net_field XIANGCHENG view) + 1))" &
liar=$!
for i in $(seq 300); do
    [ "$(recorded XIANGCHENG)$(recorded CHANGNING)$(recorded HUBOFFICE)" != 111 ] || break
    sleep 0.1
done
[ "$i" -lt 300 ] || failed "not recorded everywhere after 30 s"
kill "$liar" 2>/dev/null || true
liar=

for m in "${honest[@]}"; do
    [ "$(items "$m" | wc -l)" = 1 ] || failed "$m shows $(items "$m")"
    items "$m" | grep '"member": *"JIADING"' | grep -q '"kind": *"E1"' ||
        failed "$m accuses somebody else: $(items "$m")"
done
grep -q '"event":"evidence","member":"JIADING","kind":"E1"' "$dir/net/XIANGCHENG/node.log" || failed "the log does not tell"
curl -sN --max-time 2 "$HUBLEDGER_NODE/v1/events?after=0" >"$dir/events" || true
[ "$(grep -c '^event: evidence.found' "$dir/events")" = 1 ] || failed "one event evidence.found is expected: $(cat "$dir/events")"
grep -A2 '^event: evidence.found' "$dir/events" | grep '"member":"JIADING"' | grep -q '"kind":"E1"' || failed "the event does not name who: $(cat "$dir/events")"

id=$(items XIANGCHENG | python3 -c 'import json,sys; print(json.loads(sys.stdin.readline())["id"])')
"$hub" evidence export "${id:0:12}" -o "$dir/item" -q
[[ $("$hub" evidence verify "$dir/item") == "E1: validator JIADING"* ]] || failed "verify: $("$hub" evidence verify "$dir/item")"
[[ $("$hub" evidence show "${id:0:12}" --lang zh) == *"共识节点 JIADING"*"公证票"* ]] || failed "show, in Chinese"
[[ $(tests/vectors/evidence.py "$dir/net/genesis.cbor" "$dir/item") == "E1 JIADING epoch 0 view "* ]] || failed "the second judge disagrees"
python3 - "$dir/item" <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[-20] ^= 1
open(sys.argv[1] + ".bad", "wb").write(data)
PY
rc=0
"$hub" evidence verify "$dir/item.bad" -q 2>"$dir/err" || rc=$?
[ "$rc" = 6 ] || failed "a changed file is worth $rc"
! tests/vectors/evidence.py "$dir/net/genesis.cbor" "$dir/item.bad" >/dev/null || failed "the second judge takes a changed file"

net_kill XIANGCHENG
net_start XIANGCHENG
net_ready
"$hub" key new -o "$dir/k2" --unprotected -q
"$hub" key add "$dir/k2" --role seal --key "$dir/net/XIANGCHENG/governor-1.key" --wait=20s -q
[ "$(items XIANGCHENG | wc -l)$(recorded XIANGCHENG)" = 11 ] || failed "after a restart: $(items XIANGCHENG)"
curl -sf "$HUBLEDGER_NODE/v1/records?type=evidence.report" >"$dir/records"
[ "$(grep -o '"state":"final"' "$dir/records" | wc -l)" = 1 ] || failed "recorded more than once: $(cat "$dir/records")"
net_stop "${honest[@]}"
"$BIN/hubledger-verify" --genesis "$dir/net/genesis.cbor" --stopped --lang en "$dir/net/XIANGCHENG/data" >"$dir/audit" || failed "the audit: $(cat "$dir/audit")"
grep -q "^evidence       E1: validator JIADING" "$dir/audit" || failed "the audit does not list the evidence: $(cat "$dir/audit")"
echo "evidence: ok"
