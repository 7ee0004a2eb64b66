#!/usr/bin/env bash
# Measures on this machine what it costs an empty node to join a ledger: by a peer's snapshot, then by the whole history, in
# one run: seconds until it stands where its peers do, bytes that came over the wire, bytes on its disk. Four nodes on loopback,
# one of them empty; nothing becomes final meanwhile.
#   WALLETS=100000 TRANSFERS=20000 BATCHES=1500   the ledger: wallets, single transfers, batches of up to 1,500 payments
#   SECONDS_MAX=120                               for each part of it, at most
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/net.sh
root=$(mktemp -d "${TMPDIR:-/tmp}/hubledger-join.XXXXXX")
net=$root/net
trap 'net_cleanup; rm -rf "$root"' EXIT
metric() { curl -s --max-time 5 "$(net_api JIADING)/metrics" | sed -n "s/^hubledger_$1 //p"; }
join() { # how: snapshot or history
    local began here=0 there
    rm -rf "$net/JIADING/data"
    sed -i '/^join /d' "$net/JIADING/node.conf"
    echo "join = \"$1\"" >>"$net/JIADING/node.conf"
    net_stop XIANGCHENG CHANGNING HUBOFFICE # what they keep for a validator that is away, 16 MiB each, would count
    net_start XIANGCHENG CHANGNING HUBOFFICE
    net_ready
    there=$(net_field XIANGCHENG height)
    began=$(date +%s.%N)
    net_start JIADING
    while [ "${here:-0}" -lt "$there" ]; do
        sleep 0.1
        here=$(net_field JIADING height)
    done
    took[$1]=$(awk -v from="$began" -v to="$(date +%s.%N)" 'BEGIN { printf "%.1f", to - from }')
    wire[$1]=$(metric bytes_in_total)
    sleep 3 # its checkpoint
    disk[$1]=$(du -sb "$net/JIADING/data/ledger" | cut -f1)
    echo "by $1: ${took[$1]} s, $((wire[$1] >> 10)) KiB over the wire, $((disk[$1] >> 20)) MiB of ledger on disk," \
        "history from $(net_field JIADING history_from) (load $(cut -d' ' -f1 /proc/loadavg))"
    [ "$1" = history ] || grep -q '"event":"joined"' "$net/JIADING/node.log" || { echo "it did not join by a snapshot" >&2; exit 1; }
    net_stop JIADING
}

declare -A took wire disk
net_make 4 "$net" --parameter consensus.pace_ms=0
net_start XIANGCHENG CHANGNING HUBOFFICE
net_ready
"$BIN/hubledger" currency issue 3 50000000.00 --key "$net/AUTHORITY/issuer-1.key" --wait -q
nodes=$(for m in "${!NET_PID[@]}"; do net_api "$m"; done)
WALLETS=${WALLETS:-100000} OPEN_SECONDS=${SECONDS_MAX:-120} LONE=1 LONE_SECONDS=60 TRANSFERS=${TRANSFERS:-20000} \
    BATCHES=${BATCHES:-1500} PHASE_SECONDS=${SECONDS_MAX:-120} BENCH_PIDS="${NET_PID[*]}" BENCH_NODES=$nodes \
    BENCH_KEYS="$net/BANK/operator.key $net/BANK/operator-2.key" BENCH_RESULTS=$root/results \
    "$BIN/bench" network >"$root/bench" || { tail -n 5 "$root/bench" >&2; exit 1; }
sleep 5 # the last checkpoint of the peers
echo "ledger: height $(net_field XIANGCHENG height), $(net_field XIANGCHENG log_size) records, $(sed -n "s|^wallets=||p" "$root/results") wallets"
join snapshot
join history
awk -v t1="${took[snapshot]}" -v t2="${took[history]}" -v b1="${wire[snapshot]}" -v b2="${wire[history]}" \
    'BEGIN { printf "the whole history costs %.1f times the time and %.1f times the bytes\n", t2 / t1, b2 / b1 }'
