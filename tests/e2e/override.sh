#!/usr/bin/env bash
# The quorum is lost for good: two of four nodes are gone. What is left signs a recovery epoch, by hand and file, and goes
# on with nothing lost that was told final. Nobody follows it silently: a node that comes back, receipts and the auditor
# name it, until its record id is accepted.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
net_test
net=$dir/net
gov() { echo "$net/$1/governor-1.key"; }
id_of() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["record_id"])' "$1"; }
until_field() { # MEMBER NAME VALUE: within 30 s
    local i
    for i in $(seq 300); do
        [ "$(net_field "$1" "$2")" = "$3" ] && return 0
        sleep 0.1
    done
    failed "$1: $2 is $(net_field "$1" "$2"), not $3"
}
start_with() { # MEMBER OPTION...
    "$BIN/hubledgerd" --config "$net/$1/node.conf" "${@:2}" 2>>"$net/$1/node.log" &
    NET_PID[$1]=$!
    disown $!
}
issue() { # one more final record, its receipt in $1
    "$hub" currency issue 3 1.00 --key "$net/AUTHORITY/issuer-1.key" --wait=30s --json >"$dir/out" || failed "a record for $1"
    "$hub" receipt get "$(id_of "$dir/out")" -o "$1" -q || failed "no receipt $1"
}
silenced() { # MEMBER DRAFT [EPOCH]: its node falls silent, then signs
    net_stop "$1"
    rm -rf "$dir/before-$1"
    cp -r "$net/$1/data" "$dir/before-$1"
    "$hub" recovery cosign "$2" "$net/$1/node.conf" --yes --lang en >"$dir/said" 2>&1 || failed "$1 does not sign: $(cat "$dir/said")"
    grep -q "votes no more in epoch ${3:-0}" "$dir/said" || failed "$1 says: $(cat "$dir/said")"
    net_start "$1"
}

net_make 4 "$net" --parameter consensus.pace_ms=0
net_start
net_ready
left=(XIANGCHENG CHANGNING)
gone=(JIADING HUBOFFICE)
for i in 1 2 3; do issue "$dir/before$i"; done
net_kill "${gone[@]}"
rm -rf "$net/HUBOFFICE/data" # this one never comes back
for i in 1 2; do # nothing becomes final any more
    "$hub" currency issue 3 2.00 --key "$net/AUTHORITY/issuer-1.key" -q || failed "a record is not taken"
done
sleep 1
stuck=$(net_field XIANGCHENG height)

# What the two remaining stand at: only from a node that does not run.
exits 3 "$hub" recovery stand "$net/XIANGCHENG/node.conf" -o "$dir/none" --lang en
for m in "${left[@]}"; do
    net_stop "$m"
    "$hub" recovery stand "$net/$m/node.conf" -o "$dir/$m.stand" --lang en >"$dir/said" 2>&1 || failed "$m: $(cat "$dir/said")"
    net_start "$m"
done
net_ready || true
for i in $(seq 100); do [ -n "$(net_field XIANGCHENG height)" ] && break; sleep 0.1; done

draft_of() { # SECOND-KEY FILE OPTION...
    "$hub" recovery draft 2 bft "$net/XIANGCHENG/node.key" "$1" --reason-zh 两节点机房毁损 --reason-en "two nodes burnt" \
        --key "$(gov XIANGCHENG)" -o "$2" --lang en "${@:3}"
}
draft() { draft_of "$net/CHANGNING/node.key" "$@"; }
until_logged() { for i in $(seq 300); do grep -q "$2" "$net/$1/node.log" && return 0; sleep 0.1; done; failed "$1 does not log $2"; }
# A slip of the pen: a governor's key in the next set. All sign, and it can hold nowhere; then they may sign another.
draft_of "$(gov CHANGNING)" "$dir/slip" --with "$dir/XIANGCHENG.stand" --with "$dir/CHANGNING.stand" -q || failed "no draft with a slip"
for m in CHANGNING JIADING; do "$hub" record cosign "$dir/slip" --key "$(gov "$m")" --yes -q || failed "$m's governor does not sign the slip"; done
for m in "${left[@]}"; do silenced "$m" "$dir/slip"; done
"$hub" record sign "$dir/slip" --key "$(gov XIANGCHENG)" --yes --offline -o "$dir/slip.recovery" -q || failed "the slip is not signed"
for m in "${left[@]}"; do
    net_stop "$m"
    start_with "$m" --recovery "$dir/slip.recovery"
    until_logged "$m" "does not hold on its chain"
done
net_stop "${left[@]}"
net_start "${left[@]}"
until_field XIANGCHENG voting recovery
# Signed by its maker alone; whoever is given such a file says why, and nothing happens.
draft "$dir/weak" --with "$dir/XIANGCHENG.stand" --with "$dir/CHANGNING.stand" -q || failed "no draft to be left unsigned"
"$hub" record sign "$dir/weak" --key "$(gov XIANGCHENG)" --yes --offline -o "$dir/weak.recovery" -q || failed "the weak one is not signed"
draft "$dir/draft" --with "$dir/XIANGCHENG.stand" --with "$dir/CHANGNING.stand" >"$dir/said" 2>&1 || failed "no draft: $(cat "$dir/said")"
refused 2 "each by itself" "$hub" recovery draft 2 bft "$net/XIANGCHENG/node.key" "$net/CHANGNING/node.key" --with "$dir/XIANGCHENG.stand" \
    --reason-zh x --key "$(gov XIANGCHENG)" --cosign-by "$net/CHANGNING/node.key" -o "$dir/never" --lang en
refused 2 "falls silent before it signs" "$hub" record cosign "$dir/draft" --key "$net/CHANGNING/node.key" --yes --lang en
for m in CHANGNING JIADING; do # their people are well
    "$hub" record cosign "$dir/draft" --key "$(gov "$m")" --yes -q || failed "$m's governor does not sign"
done
for m in "${left[@]}"; do silenced "$m" "$dir/draft"; done
net_stop XIANGCHENG
draft "$dir/other" --offline --seq 900000 --with "$dir/XIANGCHENG.stand" --with "$dir/CHANGNING.stand" -q || failed "no second draft"
refused 2 "has signed another recovery" "$hub" recovery cosign "$dir/other" "$net/XIANGCHENG/node.conf" --yes --lang en
refused 2 "given to each node, not sent" "$hub" record sign "$dir/draft" --key "$(gov XIANGCHENG)" --yes --lang en
"$hub" record sign "$dir/draft" --key "$(gov XIANGCHENG)" --yes --offline -o "$dir/recovery" --json >"$dir/out" || failed "not signed"
recovery=$("$hub" record decode "$dir/recovery" --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["record_id"])')

# Silent they are, whatever the operator says; a file that nobody signed does nothing.
for option in --acknowledge-halt "--recovery=$dir/weak.recovery"; do
    start_with XIANGCHENG "$option"
    until_field XIANGCHENG voting recovery
    net_stop XIANGCHENG
done
exits 65 "$BIN/hubledgerd" --config "$net/XIANGCHENG/node.conf" --recovery "$dir/recovery" --recovery "$dir/weak.recovery"
grep -q "weak.recovery: another file recovers the same epoch" "$dir/said" || failed "two files for one epoch: $(cat "$dir/said")"
echo garbage >"$dir/garbage"
exits 65 "$BIN/hubledgerd" --config "$net/XIANGCHENG/node.conf" --recovery "$dir/garbage"

# Nor does an older directory help: its guard knows.
mv "$net/XIANGCHENG/data" "$dir/signed"
cp -r "$dir/before-XIANGCHENG" "$net/XIANGCHENG/data"
net_start XIANGCHENG
until_field XIANGCHENG voting recovery
net_stop XIANGCHENG
refused 2 "an older directory" "$hub" recovery cosign "$dir/other" "$net/XIANGCHENG/node.conf" --yes --lang en
rm -r "$net/XIANGCHENG/data"
mv "$dir/signed" "$net/XIANGCHENG/data"

# All that follow are given the file.
net_stop CHANGNING
for m in "${left[@]}"; do start_with "$m" --recovery "$dir/recovery"; done
for m in "${left[@]}"; do until_field "$m" epoch 1; done
[ "$(net_field XIANGCHENG validators)" = 2 ] || failed "$(net_field XIANGCHENG validators) validators"
[ "$(net_field XIANGCHENG height)" -ge "$stuck" ] || failed "height $(net_field XIANGCHENG height) after $stuck"
for i in 1 2; do issue "$dir/after$i"; done
net_stop "${left[@]}" # and from then on it is in their own store
net_start "${left[@]}"
for m in "${left[@]}"; do until_field "$m" epoch 1; done
issue "$dir/after3"

# One that was lost comes back: it stays where it was and says why, then follows.
net_start JIADING
until_logged JIADING "peers follow a recovery epoch"
HUBLEDGER_NODE=$(net_api JIADING) "$hub" status --check --lang en >"$dir/said" 2>&1 && failed "Jiading says that all is well: $(cat "$dir/said")"
grep -q "an override of the quorum, signed by XIANGCHENG (0), CHANGNING" "$dir/said" || failed "Jiading says: $(cat "$dir/said")"
[ "$(net_field JIADING epoch)" = 0 ] || failed "Jiading follows silently"
net_stop JIADING
start_with JIADING --recovery "$dir/recovery"
until_field JIADING epoch 1
net_same_root "${left[@]}" JIADING >/dev/null || failed "the nodes differ"
[ "$(net_field JIADING role)" = observer ] || failed "Jiading is $(net_field JIADING role)"
# With an empty directory it joins by a snapshot of those who crossed and were started without the file since; given the file only.
net_stop JIADING
mv "$net/JIADING/data" "$net/JIADING/kept"
echo 'join = "snapshot"' >>"$net/JIADING/node.conf"
: >"$net/JIADING/node.log"
net_start JIADING # a snapshot from beyond the recovery, or one of its base
until_logged JIADING "was not accepted here\|peers follow a recovery epoch"
net_stop JIADING
rm -rf "$net/JIADING/data"
start_with JIADING --recovery "$dir/recovery"
until_logged JIADING '"event":"joined"'
net_same_root "${left[@]}" JIADING >/dev/null || failed "the one that joined differs"
net_stop JIADING
rm -rf "$net/JIADING/data"
mv "$net/JIADING/kept" "$net/JIADING/data"

# Receipts of before are what they were; later ones, and the auditor, name the override.
for i in 1 2 3; do
    "$hub" receipt verify "$dir/before$i" -q || failed "receipt before$i"
    exits 6 "$hub" receipt verify "$dir/after$i" --lang en
    grep -q "OVERRIDE" "$dir/said" || failed "receipt after$i: $(cat "$dir/said")"
    "$hub" receipt verify "$dir/after$i" --accept-recovery "$recovery" -q || failed "receipt after$i is not accepted"
    exits 6 node scripts/check-receipt.mjs "$HUBLEDGER_GENESIS" "$dir/after$i"
    grep -q "signed by XIANGCHENG, CHANGNING, an override of the quorum: record $recovery" "$dir/said" || failed "page, after$i: $(cat "$dir/said")"
    exits 0 node scripts/check-receipt.mjs "$HUBLEDGER_GENESIS" "$dir/after$i" "$recovery"
    exits 6 "$hub" receipt verify "$dir/after$i" --accept-recovery "$(printf '0%.0s' $(seq 64))" -q
done
net_stop "${left[@]}" JIADING
"$hub" export "$net/CHANGNING/data" -o "$dir/export" -q || failed "no export"
python3 -c 'import sys; sys.exit(open(sys.argv[1], "rb").read().count(b"epoch.recover") != 2)' "$dir/export" || failed "no link behind the recovery block"
for source in "$net"/{XIANGCHENG,CHANGNING,JIADING}/data "$dir/export"; do
    exits 7 "$BIN/hubledger-verify" --genesis "$HUBLEDGER_GENESIS" "$source" --lang en
    grep -q "$recovery" "$dir/said" || failed "$source: $(cat "$dir/said")"
    ! grep -q "damaged heights" "$dir/said" || failed "$source is called damaged: $(cat "$dir/said")"
    exits 0 "$BIN/hubledger-verify" --genesis "$HUBLEDGER_GENESIS" "$source" --lang en --accept-recovery "$recovery"
    grep -q "1: an epoch began without a quorum" "$dir/said" || failed "$source: $(cat "$dir/said")"
done

# The recovery epoch loses its quorum as well: one goes on. An older directory of that epoch signs no other one either.
refused 69 "in use by another process" bash -c "exec 9<'$net/XIANGCHENG/node.key.guard'; flock 9; exec '$BIN/hubledgerd' --config '$net/XIANGCHENG/node.conf'"
"$hub" recovery stand "$net/XIANGCHENG/node.conf" -o "$dir/again.stand" -q || failed "no second stand"
for name in again else; do
    "$hub" recovery draft 1 single "$net/XIANGCHENG/node.key" --with "$dir/again.stand" --reason-zh 仅余一节点 --offline --seq $((1000 + ${#name})) \
        --key "$(gov XIANGCHENG)" -o "$dir/$name" -q || failed "no draft $name"
done
for m in CHANGNING JIADING; do "$hub" record cosign "$dir/again" --key "$(gov "$m")" --yes -q || failed "$m's governor does not sign again"; done
silenced XIANGCHENG "$dir/again" 1
net_stop XIANGCHENG
mv "$net/XIANGCHENG/data" "$dir/signed"
mv "$dir/before-XIANGCHENG" "$net/XIANGCHENG/data"
refused 2 "an older directory" "$hub" recovery cosign "$dir/else" "$net/XIANGCHENG/node.conf" --yes --lang en
rm -r "$net/XIANGCHENG/data"
mv "$dir/signed" "$net/XIANGCHENG/data"
"$hub" record sign "$dir/again" --key "$(gov XIANGCHENG)" --yes --offline -o "$dir/second" -q || failed "the second is not signed"
second=$("$hub" record decode "$dir/second" --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["record_id"])')
start_with XIANGCHENG --recovery "$dir/second"
until_field XIANGCHENG epoch 2
issue "$dir/alone"
exits 6 "$hub" receipt verify "$dir/alone" --accept-recovery "$second" --lang en
"$hub" receipt verify "$dir/alone" --accept-recovery "$recovery" --accept-recovery "$second" -q || failed "a receipt over two recoveries"
exits 0 node scripts/check-receipt.mjs "$HUBLEDGER_GENESIS" "$dir/alone" "$recovery" "$second"
curl -sN --max-time 2 "$HUBLEDGER_NODE/v1/events?after=0&type=epoch" >"$dir/events" || true
[ "$(grep -c '^event: epoch.started' "$dir/events")" = 2 ] || failed "two epochs began: $(cat "$dir/events")"
net_stop XIANGCHENG
exits 7 "$BIN/hubledger-verify" --genesis "$HUBLEDGER_GENESIS" "$net/XIANGCHENG/data" --accept-recovery "$recovery"
exits 0 "$BIN/hubledger-verify" --genesis "$HUBLEDGER_GENESIS" "$net/XIANGCHENG/data" --accept-recovery "$recovery" --accept-recovery "$second"
echo "override: two of four lost, two go on from height $stuck, then one; a node that comes back, receipts and audits name it"
