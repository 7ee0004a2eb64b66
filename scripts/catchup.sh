#!/usr/bin/env bash
# Measures on this machine how long a node needs that was gone for an hour at one block a second: four nodes on
# loopback, one stopped, BLOCKS blocks made without it, then it is started, once with all its peers and once, from an
# empty directory, while one of its peers is frozen. Then the same after RECORDS single transfers at full throughput.
#   BLOCKS=3600 RECORDS=20000
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/net.sh
root=$(mktemp -d "${TMPDIR:-/tmp}/hubledger-catchup.XXXXXX")
net=
trap 'kill -CONT "${NET_PID[CHANGNING]:-$$}" 2>/dev/null; net_cleanup; rm -rf "$root"' EXIT
quietly() { timeout 60 "$BIN/hubledger" "$@" >"$root/out" 2>&1 || { cat "$root/out" >&2; exit 1; }; }
seconds() { date +%s.%N; }
load() { # wallets, lone records, transfers: through the nodes that run
    local nodes m
    nodes=$(for m in "${!NET_PID[@]}"; do net_api "$m"; done)
    WALLETS=$1 OPEN_SECONDS=120 LONE=$2 LONE_SECONDS=900 TRANSFERS=$3 BATCHES=1 PHASE_SECONDS=120 \
        BENCH_PIDS="${NET_PID[*]}" BENCH_NODES=$nodes BENCH_KEYS="$net/BANK/operator.key $net/BANK/operator-2.key" \
        BENCH_RESULTS=$root/results "$BIN/bench" network >"$root/bench" || { tail -n 5 "$root/bench" >&2; exit 1; }
}
catch_up() { # words: starts JIADING and waits until it stands where XIANGCHENG does
    local began here there from
    there=$(net_field XIANGCHENG height)
    began=$(seconds)
    net_start JIADING
    from=
    while :; do
        here=$(net_field JIADING height)
        [ -n "$from" ] || from=$here
        [ "${here:-0}" -lt "$there" ] || break # empty blocks may follow meanwhile
        sleep 0.1
    done
    echo "$1: from height ${from:-?} to $there in $(awk -v from="$began" -v to="$(seconds)" 'BEGIN { printf "%.1f", to - from }') s (load $(cut -d' ' -f1 /proc/loadavg))"
}

begin() { # a network of four with money, JIADING stopped
    net=$root/$1
    net_make 4 "$net" --parameter consensus.pace_ms=0
    net_start
    net_ready
    quietly currency issue 3 50000000.00 --key "$net/AUTHORITY/issuer-1.key" --wait
    net_stop JIADING
}

begin lone
load 200 "${BLOCKS:-3600}" 1
echo "made $(net_field XIANGCHENG height) blocks without one of four nodes"
catch_up "gone for that long, three peers"
net_stop JIADING
rm -rf "$net/JIADING/data"
kill -STOP "${NET_PID[CHANGNING]}"
catch_up "an empty directory, one of three peers frozen"
kill -CONT "${NET_PID[CHANGNING]}"
net_cleanup

begin full
load 2000 1 "${RECORDS:-20000}"
echo "made $(net_field XIANGCHENG height) blocks, $(net_field XIANGCHENG log_size) records; full throughput: $(sed -n 's/^singles_per_s=//p' "$root/results") records a second"
catch_up "gone while that was made"
