#!/usr/bin/env bash
# One real node, and everything an operator does with money: issue, wallets from a table, wages from a table,
# the same file again, limits, self-custody, redemption; then the verifier executes all of it once more.
set -uo pipefail
cd "$(dirname "$0")/../.."
bin=$PWD/build/release
dir=$(mktemp -d)
port=$((20000 + $$ % 20000))
node=""

stop() {
    [ -z "$node" ] || { kill "$node" 2>/dev/null && wait "$node"; }
    rm -rf "$dir"
}
trap stop EXIT

fail() {
    echo "money.sh: $*" >&2
    [ ! -f "$dir/out" ] || sed 's/^/  | /' "$dir/out" >&2
    [ ! -f "$dir/node.log" ] || tail -3 "$dir/node.log" >&2
    exit 1
}

# expect EXIT TEXT COMMAND...: runs hubledger; its exit code and a text it must say.
expect() {
    local want=$1 text=$2
    shift 2
    "$bin/hubledger" "$@" --lang en >"$dir/out" 2>&1
    local got=$?
    [ "$got" = "$want" ] || fail "exit $got, not $want: hubledger $*"
    grep -qF -- "$text" "$dir/out" || fail "does not say '$text': hubledger $*"
}
number() { grep -o '[0-9]\{5\}-[0-9]\{10\}-[0-9]\{5\}' "$dir/out" | tail -1; }
balance() { # balance WALLET YUAN
    expect 0 "balance $2," wallet show "$1"
}

expect 0 "hubledgerd" network init --local 1 --dir "$dir/net" --port "$port" --parameter currency.cosign_issue=1
cd "$dir" || exit 1
export HUBLEDGER_NODE=http://127.0.0.1:$((port + 1)) HUBLEDGER_GENESIS=$dir/net/genesis.cbor
"$bin/hubledgerd" --config net/XIANGCHENG/node.conf >node.log 2>&1 &
node=$!
for _ in $(seq 50); do
    "$bin/hubledger" status >/dev/null 2>&1 && break
    sleep 0.2
done
issuer=net/AUTHORITY/issuer-1.key second=net/AUTHORITY/issuer-2.key
export HUBLEDGER_KEY=net/BANK/operator.key

# Issue: one signature is too few, two do, and the reference issues once.
bank=$("$bin/hubledger" wallet open --kind fee --owner "$(printf '%032d' 1)" --wait --lang en | grep -o '0000[0-9]-' | head -1)
bank=$((10#${bank%-}))
expect 4 cosign_missing currency issue "$bank" 1000000.00 --ref first --key "$issuer" --wait
expect 0 final currency issue "$bank" 1000000.00 --ref first --key "$issuer" --cosign-by "$second" --wait
expect 4 reference_exists currency issue "$bank" 1000000.00 --ref first --key "$issuer" --cosign-by "$second" --wait
expect 4 role_missing currency issue "$bank" 1.00 --cosign-by "$second" --wait

# Wallets: a name needs the owner key; forty of a table; run again, none is opened twice.
expect 2 owner-key wallet open --owner Zhang --tier 3 --wait
expect 0 secret wallet owner-key new -o owners.key
{
    printf '\xef\xbb\xbfowner,kind,tier\r\n"Suzhou, first",corporate,0\r\n'
    for i in $(seq 39); do printf 'clerk %s,personal,4\r\n' "$i"; done
} >staff.csv
expect 0 "40 opened, 0 were open already" wallet open --csv staff.csv --owner-key owners.key
expect 0 "0 opened, 40 were open already" wallet open --csv staff.csv --owner-key owners.key
printf 'clerk 40,personal,4\r\nclerk 40,personal,4\r\n' >>staff.csv
expect 2 "line 43: opens the same" wallet open --csv staff.csv --owner-key owners.key
grep -rq clerk net/XIANGCHENG/data && fail "an owner's name went to the ledger"
numbers=($(grep -o '[0-9]\{5\}-[0-9]\{10\}-[0-9]\{5\}' staff.result.csv))
[ ${#numbers[@]} = 40 ] || fail "${#numbers[@]} wallets in staff.result.csv, not 40"
firm=${numbers[0]} clerk=${numbers[1]}

# Top-up from the reserve; wages for all clerks, two of whom would hold more than tier IV may (10,000 yuan).
expect 0 "reserve wallet 0000$bank-" currency supply "$bank"
reserve=$(number)
expect 0 final pay transfer 200000.00 --from reserve --to "$firm" --purpose top-up --wait
expect 0 final pay transfer 9000.00 --from "$firm" --to "$clerk" --wait
balance "$reserve" 800,000.00
{
    echo to,amount_yuan,reference
    for i in $(seq 1 39); do echo "${numbers[i]},1500.00,EMP$i"; done
} >wages.csv
pay=(pay batch wages.csv --from "$firm" --expect-total 58500.00 --purpose wages)
expect 2 "expected were 38 payments" "${pay[@]}" --expect-count 38
expect 1 "38 paid, 57,000.00 yuan; 1 without effect" "${pay[@]}" --expect-count 39
grep -q ",1500.00,EMP1,340,above_balance_cap," wages.result.csv || fail "the failed payment is not named"
balance "$firm" 134,000.00
expect 4 "it is not paid again" "${pay[@]}" --expect-count 39
cp wages.csv copy.csv
expect 4 batch_exists pay batch copy.csv --from "$firm" --expect-count 39 --expect-total 58500.00
sed -i s/,ok,/,unknown,/ wages.result.csv # as an interrupted run leaves it
expect 1 "38 paid" "${pay[@]}" --expect-count 39
balance "$firm" 134,000.00
sed 's/EMP/AGAIN/' wages.csv >again.csv
expect 4 batch_aborted pay batch again.csv --from "$firm" --expect-count 39 --expect-total 58500.00 --atomic
balance "$firm" 134,000.00
seq 1 1501 | awk -v to="${numbers[2]}" 'BEGIN { print "to,amount_yuan,reference" } { print to ",0.01,P" $1 }' >many.csv
expect 0 "1501 paid, 15.01 yuan" pay batch many.csv --from "$firm" --expect-count 1501 --expect-total 15.01
balance "${numbers[2]}" 1,515.01

# Limits of tier IV, payments and redemptions apart.
expect 4 above_payment_limit pay transfer 2000.01 --from "$clerk" --to "$firm" --wait
expect 0 final pay transfer 2000.00 --from "$clerk" --to "$firm" --ref rent --wait
expect 4 reference_exists pay transfer 1.00 --from "$clerk" --to "$firm" --ref rent --wait
expect 4 above_redeem_single currency redeem "$clerk" 2000.01 --wait
expect 0 final currency redeem "$clerk" 2000.00 --wait
balance "$clerk" 5,000.00

# Self-custody: the holder's key opens with the operator's, and alone it spends.
expect 0 "key id" key new --role wallet --unprotected -o mine.key
expect 0 "wallet 0000$bank-" wallet open --kind personal --tier 2 --owner "$(printf '%032d' 2)" --holder-key mine.key --wait
mine=$(number)
expect 0 final pay transfer 100.00 --from "$firm" --to "$mine" --wait
expect 4 not_holder pay transfer 1.00 --from "$mine" --to "$firm" --wait
expect 0 final pay transfer 1.00 --from "$mine" --to "$firm" --key mine.key --wait

# Signed without a node, sent later.
next=$("$bin/hubledger" key hints --for "$HUBLEDGER_KEY" --json | grep -o '"next_seq":"[0-9]*"' | grep -o '[0-9]*')
expect 0 "signed, not sent" pay transfer 5.00 --from "$firm" --to "$mine" --offline --seq "$next" -o later.cbor
balance "$mine" 99.00
expect 0 final record submit later.cbor --wait
balance "$mine" 104.00

expect 0 "balances of all wallets = outstanding" currency supply
kill "$node" && wait "$node"
node=""
"$bin/hubledger-verify" --genesis "$HUBLEDGER_GENESIS" --stopped --lang en net/XIANGCHENG/data >out 2>&1 || fail "verifier"
echo "money.sh: ok"
