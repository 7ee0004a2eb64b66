#!/usr/bin/env bash
# The HTTP interface of real nodes: every path of docs/operations.md answers as written there, bad input is refused
# with its own name, and events come in order and go on behind a cursor.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
dir=$(mktemp -d)
readers=()
trap 'kill "${readers[@]}" 2>/dev/null || true; net_cleanup; rm -rf "$dir"' EXIT
hub=$BIN/hubledger
asked=0
failed() {
    echo "api.sh: $*" >&2
    [ ! -f "$dir/body" ] || head -c 600 "$dir/body" >&2
    tail -qn 2 "$dir"/net/*/node.log >&2
    exit 1
}

ask() { # HTTP status, name of the problem or '', curl arguments, path
    local want=$1 name=$2 path=${!#} got word
    got=$(curl -s --max-time 20 -D "$dir/head" -o "$dir/body" -w '%{http_code}' "${@:3:$#-3}" "$HUBLEDGER_NODE$path") || true
    asked=$((asked + 1))
    [ "$got" = "$want" ] || failed "$path: $got, not $want"
    grep -qi '^hub-height: [0-9]' "$dir/head" && grep -qi "^hub-chain: $chain" "$dir/head" || failed "$path: no Hub- headers"
    [ -n "$name" ] || return 0
    grep -qi '^content-type: application/problem+json' "$dir/head" || failed "$path: no problem+json"
    for word in "\"name\":\"$name\"" "\"status\":$want" '"zh":"' '"en":"' '"remedy":{"zh":"' '"recorded":false' '"retry":"'; do
        grep -qF "$word" "$dir/body" || failed "$path: the problem lacks $word"
    done
}
post() { # as ask, with a file of one record before the path
    ask "$1" "$2" -H 'Content-Type: application/cose' --data-binary "@$3" "$4"
}
has() { # words the last answer must contain
    local word
    for word in "$@"; do grep -qF -- "$word" "$dir/body" || failed "the answer lacks $word"; done
}
quietly() { "$@" >"$dir/out" 2>&1 || { cat "$dir/out" >&2; failed "$*"; }; }
field() { python3 -c 'import json,sys
v = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."): v = v[int(k)] if isinstance(v, list) else v[k]
print(v)' "$dir/body" "$1"; }
# Entries [record, attachment] as `--offline` writes them: the record alone, and with one byte changed.
python3 - >"$dir/cut.py" <<'PY'
print('''import sys
name, change = sys.argv[1], sys.argv[2:]
entry = open(name, "rb").read()
n = int.from_bytes(entry[2:4], "big") if entry[1] == 0x59 else entry[2]
record = bytearray(entry[4:4 + n] if entry[1] == 0x59 else entry[3:3 + n])
kid = record.index(b"\\x04\\x58\\x20") + 3  # label 4 of the protected header
for what in change:
    record[{"signature": len(record) - 40, "kid": kid}[what]] ^= 1
sys.stdout.buffer.write(record)''')
PY
cut() { python3 "$dir/cut.py" "$@"; }

# ---- a little of everything on the ledger
net_make 4 "$dir/net"
net_start
net_ready
chain=$(net_field XIANGCHENG chain)
chain=${chain:0:8}
curl -sN "$HUBLEDGER_NODE/v1/events?after=0" >"$dir/live" &
readers+=($!)
net=$dir/net number=虹桥合作〔2026〕1号 paper=$dir/agreement.txt
cp docs/examples/agreement.txt "$paper"
sed "s/^sign_by.*/sign_by = $(date -d '+30 days' +%F)/" docs/examples/agreement.conf >"$dir/1.conf"
quietly "$hub" agreement draft --from "$dir/1.conf" --document "$paper" --key "$net/XIANGCHENG/seal.key" -o "$dir/1.draft"
quietly "$hub" agreement propose "$dir/1.draft" --sign --document "$paper" --key "$net/XIANGCHENG/seal.key" --confirm "sign $number" --wait --lang en
ask 200 "" /v1/agreements
id=$(field items.0.id)
quietly "$hub" agreement sign "$id" --document "$paper" --key "$net/CHANGNING/seal.key" --confirm "sign $number" --wait --lang en
quietly "$hub" agreement return "$id" --remark "more on schools" --key "$net/JIADING/seal.key" --wait
operator=$net/BANK/operator.key
quietly "$hub" currency issue 3 50000.00 --key "$net/AUTHORITY/issuer-1.key" --wait
printf 'owner,kind,tier\n%032d,corporate,0\n%032d,personal,4\n%032d,personal,4\n' 1 2 3 >"$dir/staff.csv"
quietly "$hub" wallet open --csv "$dir/staff.csv" --key "$operator"
wallets=($(grep -o '[0-9]\{5\}-[0-9]\{10\}-[0-9]\{5\}' "$dir/staff.result.csv"))
quietly "$hub" pay transfer 30000.00 --from reserve --to "${wallets[0]}" --purpose top-up --key "$operator" --wait
printf 'to,amount_yuan,reference\n%s,1000.00,a\n%s,19000.00,b\n' "${wallets[1]}" "${wallets[2]}" >"$dir/wages.csv" # b: above tier IV
"$hub" pay batch "$dir/wages.csv" --from "${wallets[0]}" --expect-count 2 --expect-total 20000.00 --key "$operator" --cosign-by "$net/BANK/checker.key" >"$dir/out" 2>&1 || [ $? = 1 ] || failed "$(cat "$dir/out")"

# ---- reading, by the table in docs/operations.md
ask 200 "" "/v1/records?type=currency.batch"
has '"failed":1' '"applied":1'
record=$(field items.0.record_id)
ask 200 "" "/v1/records/$record?include=body"
has "$record" '"state":"final"' '"body":{' above_balance_cap
grep -qi '^cache-control: .*immutable' "$dir/head" || failed "a final outcome may be kept"
reference=$(field body.batch) height=$(field height)
ask 200 "" "/v1/records?limit=1"
next=$(field next)
ask 200 "" "/v1/records?limit=1&cursor=$next"
[ "$(field items.0.height).$(field items.0.index)" = "$next" ] || failed "a page goes on where the last ended"
ask 200 "" "/v1/receipts/$record?entry=0"
grep -qi '^content-type: application/cbor' "$dir/head" || failed "a receipt is CBOR"
ask 200 "" "/v1/receipts/$record?format=statement"
ask 200 "" "/v1/blocks/$height"
has "$record" state_root
ask 200 "" "/v1/blocks/$height?format=cbor"
ask 200 "" "/v1/agreements?state=proposed"
has "$id"
ask 200 "" "/v1/agreements/${id:0:12}"
has '"decision":"sign"' '"decision":"return"' "more on schools"
ask 200 "" "/v1/agreements/$id/revisions/1"
has body_cbor
ask 200 "" "/v1/wallets/${wallets[1]}"
has '"balance_fen":"100000"'
ask 200 "" "/v1/batches/3/$reference"
has "$record"
for path in members codes supply institutions/3; do ask 200 "" "/v1/$path"; done
kid=$("$hub" key show "$operator" | grep -o '[0-9a-f]\{64\}' | head -1)
ask 200 "" "/v1/keys/$kid/hints"
has next_seq
seq=$(field next_seq)
ask 200 "" /v1/status
has '"state":"ok"'
for path in /health/live /health/ready /v1/health/ready /metrics /v1/metrics; do ask 200 "" "$path"; done
nothing=$(printf '%064d' 7)
ask 404 record_unknown "/v1/records/$nothing"
ask 400 bad_request /v1/records/xyz
ask 400 bad_parameter "/v1/records?limit=501"
ask 400 bad_parameter "/v1/records?cursor=x"
ask 400 bad_parameter "/v1/proposals?limit=x"
ask 400 bad_parameter "/v1/agreements?limit=501"
ask 400 bad_parameter "/v1/evidence?after=x"
ask 404 not_found /v1/blocks/999999
ask 400 bad_request /v1/blocks/-1
ask 404 not_found "/v1/agreements/$nothing"
ask 400 bad_request /v1/wallets/00003-0000009999-00000 # check digits
ask 404 not_found "/v1/wallets/00003-0000009999-$(python3 -c 'import binascii; print("%05d" % binascii.crc_hqx(bytes([0, 3]) + (9999).to_bytes(4, "big"), 0xffff))')"
ask 404 no_such_path /v1/nothing
ask 404 no_such_path "/v1/records/$nothing/x"
ask 405 method_not_allowed -X POST --data x /v1/status
ask 405 method_not_allowed -X DELETE "/v1/records/$nothing"

# ---- writing
sign() { # FILE SEQ AMOUNT [OPTION...]: a payment signed, not sent
    quietly "$hub" pay transfer "$3" --from "${wallets[0]}" --to "${wallets[1]}" --key "$operator" --offline --seq "$2" -o "$1" "${@:4}"
}
sign "$dir/pay" "$seq" 1.00
cut "$dir/pay" >"$dir/pay.rec"
post 200 "" "$dir/pay.rec" "/v1/records?dry_run=1"
has '"state":"checked"' '"recorded":false'
post 202 "" "$dir/pay.rec" "/v1/records"
has '"state":"pending"'
paid=$(field record_id)
for _ in $(seq 100); do
    post 200 "" "$dir/pay.rec" "/v1/records?wait=5s" # the same bytes: the first outcome
    ! grep -qF '"state":"final"' "$dir/body" || break
done
has "$paid" '"state":"final"' '"replayed":true' '"code":0'
first=$(field height)
post 200 "" "$dir/pay.rec" /v1/records
has '"replayed":true' "\"height\":\"$first\""
sign "$dir/wait" $((seq + 1)) 2.00
cut "$dir/wait" >"$dir/wait.rec"
post 200 "" "$dir/wait.rec" "/v1/records?wait=10s&check=1"
has '"state":"final"' '"replayed":false'
ask 200 "" -H 'Content-Type: application/cbor-seq' --data-binary "@$dir/wait" /v1/records
has '"items":[{' '"replayed":true'

# ---- bad input
sign "$dir/next" $((seq + 2)) 3.00
cut "$dir/next" >"$dir/next.rec"
post 400 bad_parameter "$dir/next.rec" "/v1/records?wait=31s"
ask 415 unsupported_media_type -H 'Content-Type: application/json' --data '{}' /v1/records
head -c 300 /dev/urandom >"$dir/garbage"
post 400 not_canonical "$dir/garbage" /v1/records
head -c 200 "$dir/next.rec" >"$dir/short"
post 400 not_canonical "$dir/short" /v1/records
{ cat "$dir/next.rec"; printf '\0'; } >"$dir/long"
post 400 not_canonical "$dir/long" /v1/records
: >"$dir/empty"
post 400 not_canonical "$dir/empty" /v1/records
head -c 70000 /dev/zero >"$dir/zero"
post 413 too_large "$dir/zero" /v1/records
head -c 1100000 /dev/zero >"$dir/huge"
post 413 body_too_large "$dir/huge" /v1/records
ask 400 bad_request -H 'Content-Type: application/cbor-seq' --data-binary "@$dir/garbage" /v1/records
for _ in $(seq 257); do cat "$dir/next"; done >"$dir/many"
ask 400 bad_request -H 'Content-Type: application/cbor-seq' --data-binary "@$dir/many" /v1/records
cut "$dir/next" signature >"$dir/forged.rec"
post 400 signature_invalid "$dir/forged.rec" "/v1/records?wait=5s"
cut "$dir/next" kid >"$dir/stranger.rec"
post 422 key_unknown "$dir/stranger.rec" /v1/records
sign "$dir/far" $((seq + 100000)) 3.00
cut "$dir/far" >"$dir/far.rec"
post 422 seq_too_far "$dir/far.rec" /v1/records
sign "$dir/spent" "$seq" 4.00 # the number of the first payment, other content
cut "$dir/spent" >"$dir/spent.rec"
post 409 seq_replayed "$dir/spent.rec" /v1/records
sign "$dir/old" $((seq + 2)) 3.00 --valid=1s
sign "$dir/rich" $((seq + 2)) 9999999.00
cut "$dir/rich" >"$dir/rich.rec"
post 422 above_balance_cap "$dir/rich.rec" "/v1/records?check=1"
quietly "$hub" network init --local 4 --dir "$dir/other" -q
quietly "$hub" key add "$dir/other/XIANGCHENG/node.key" --role seal --key "$dir/other/XIANGCHENG/governor-1.key" --genesis "$dir/other/genesis.cbor" --offline --seq 1 -o "$dir/alien"
cut "$dir/alien" >"$dir/alien.rec"
post 400 chain_mismatch "$dir/alien.rec" /v1/records
sleep 1
cut "$dir/old" >"$dir/old.rec"
post 422 expired "$dir/old.rec" /v1/records
post 200 "" "$dir/next.rec" "/v1/records?wait=10s" # after all that, its number is free
has '"state":"final"'

# ---- events
ask 400 bad_parameter "/v1/events?after=now"
net_same_root "${MEMBERS[@]}" >/dev/null || failed "nodes differ"
curl -sN --max-time 1 "$(net_api JIADING)/v1/events?after=0" >"$dir/history" || true
curl -sN --max-time 1 "$(net_api JIADING)/v1/events?type=agreement&after=0" >"$dir/agreements" || true
middle=$(grep '^id:' "$dir/history" | sed -n '9s/^id: //p')
curl -sN --max-time 1 -H "Last-Event-ID: $middle" "$HUBLEDGER_NODE/v1/events?after=0" >"$dir/rest" || true
cat >"$dir/events.py" <<'PY'
import json, sys
def read(name):
    out = []
    for text in open(sys.argv[1] + "/" + name, encoding="utf-8").read().split("\n\n")[:-1]:
        e = dict(line.split(": ", 1) for line in text.split("\n") if not line.startswith(":"))
        if "id" in e:
            out.append((e["id"], e["event"], json.loads(e["data"])))
    return out
live, history, rest, agreements = (read(n) for n in ("live", "history", "rest", "agreements"))
ids = [tuple(map(int, i.split("."))) for i, _, _ in history]
assert ids == sorted(set(ids)), "cursors do not ascend"
assert [h for h, n in ids if n == 0] == sorted({h for h, _ in ids}), "a block's events do not begin at 0"
assert live == history, "live on one node is not the history of another"
at = [i for i, _, _ in history].index(sys.argv[2])
assert rest == history[at + 1:], "the stream does not go on behind the cursor"
assert agreements == [e for e in history if e[1].startswith("agreement.")]
got = [t for _, t, _ in history]
want = {"agreement.proposed": 1, "agreement.signed_by": 2, "agreement.returned_by": 1, "currency.issued": 1,
        "wallet.opened": 3, "payment.posted": 5, "payment.failed": 1}  # top-up, one wage, three payments; one wage
for t, n in want.items():
    assert got.count(t) == n, f"{t}: {got.count(t)}, not {n}"
failed = next(d for _, t, d in history if t == "payment.failed")
assert failed["name"] == "above_balance_cap" and failed["amount_fen"] == "1900000" and failed["entry"] == 1, failed
assert all("body" not in d and d["state"] == "final" for _, t, d in history if t == "record.final")
assert {d["record_id"] for _, _, d in history} >= {sys.argv[3], sys.argv[4]}
print(len(history))
PY
count=$(python3 "$dir/events.py" "$dir" "$middle" "$record" "$paid") || failed "events"

sleep 1.5 # readers that hung up give their places back
for i in $(seq 31); do # with the live one, as many as may
    curl -sN "$HUBLEDGER_NODE/v1/events" >"$dir/reader$i" &
    readers+=($!)
done
for i in $(seq 31); do
    for _ in $(seq 100); do [ ! -s "$dir/reader$i" ] || continue 2; sleep 0.02; done
    failed "reader $i is not served"
done
ask 503 busy /v1/events
net_stop XIANGCHENG # every reader's stream ends, and the node with it
for pid in "${readers[@]}"; do
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || continue 2; sleep 0.02; done
    failed "a reader outlives the node"
done
grep -q '"event":"ended","code":0' "$dir/net/XIANGCHENG/node.log" || failed "the node did not stop in order"
echo "api: $asked requests answered as documented, $count events in order"
