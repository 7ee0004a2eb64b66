#!/usr/bin/env bash
# Why is it stuck: four real nodes, two of which hang while records wait. /v1/status, the log and `hubledger status` of a
# node that runs must name who is missing, where, and what to do, in both languages; and say when it goes on again.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
net_test
trap 'for m in CHANGNING JIADING; do kill -CONT "${NET_PID[$m]:-0}" 2>/dev/null || true; done; net_cleanup; rm -rf "$dir"' EXIT
failed() { echo "FAILED: $*" >&2; "$hub" status >&2 || true; exit 1; }
said() { # words...: the status of XIANGCHENG, in people's words, has them all
    local out word
    out=$("$hub" status --check "${lang[@]}" || true)
    for word in "$@"; do
        [[ $out == *"$word"* ]] || failed "no '$word' in: $out"
    done
}
lang=()

net_make 4 "$dir/net"
net_start
net_ready
"$hub" status --check -q || failed "a network in order is not"
"$hub" key new -o "$dir/k1" --unprotected -q
"$hub" key add "$dir/k1" --role seal --key "$dir/net/XIANGCHENG/governor-1.key" --wait=20s -q

kill -STOP "${NET_PID[CHANGNING]}" "${NET_PID[JIADING]}"
"$hub" key new -o "$dir/k2" --unprotected -q
rc=0
"$hub" key add "$dir/k2" --role seal --key "$dir/net/XIANGCHENG/governor-1.key" --wait=1s -q || rc=$?
[ "$rc" = 5 ] || failed "without a quorum the outcome must be unknown, not $rc"
for i in $(seq 300); do
    "$hub" status --check -q || break
    sleep 0.1
done
[ "$i" -lt 300 ] || failed "30 s without a quorum, and status --check says all is well"
for i in $(seq 150); do
    [ "$(net_field XIANGCHENG state)" != no_quorum ] || break
    sleep 0.1
done
said "NO QUORUM" "2 of 4 validators are heard, 3 are needed" "CHANGNING" "JIADING" "127.0.0.1:" "Nothing became final for"
lang=(--lang zh)
said "法定数不足" "能收到 2 / 4 个共识节点的消息" "长宁" "嘉定" "请检查这些节点"
lang=()
grep -q '"event":"standstill"' "$dir/net/XIANGCHENG/node.log" || failed "the log does not tell the standstill"
grep -q '"event":"standstill_view".*"votes":"N ' "$dir/net/XIANGCHENG/node.log" || failed "the log does not show who voted"
for i in $(seq 50); do # the log looks a few times a second, the status when it is asked
    ! grep -q '"event":"link_down","member":"CHANGNING"' "$dir/net/XIANGCHENG/node.log" || break
    sleep 0.1
done
[ "$i" -lt 50 ] || failed "the log does not tell that the link went down"
[ "$(grep -c '"event":"standstill"' "$dir/net/XIANGCHENG/node.log")" -le 4 ] || failed "the log repeats itself"

kill -CONT "${NET_PID[CHANGNING]}" "${NET_PID[JIADING]}"
for i in $(seq 300); do
    ! "$hub" status --check -q || break
    sleep 0.1
done
[ "$i" -lt 300 ] || failed "not in order 30 s after the nodes went on"
for i in $(seq 100); do
    ! grep -q '"event":"moving_again"' "$dir/net/XIANGCHENG/node.log" || break
    sleep 0.1
done
[ "$i" -lt 100 ] || failed "the log does not tell that it goes on"
net_same_root "${MEMBERS[@]}" >/dev/null
echo "standstill: ok"
