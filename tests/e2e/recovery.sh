#!/usr/bin/env bash
# Real nodes: records become final, a node is killed and comes back, one loses its disk and catches up, all are
# killed at once; who must not get in does not.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
net_test

net_make 4 "$dir/net"
net_start
net_ready
record
net_same_root "${MEMBERS[@]}" >/dev/null

net_kill CHANGNING
record
record
net_start CHANGNING
net_same_root "${MEMBERS[@]}" >/dev/null || failed "a killed node did not catch up"

net_kill "${MEMBERS[@]}"
net_start
net_ready
record
net_same_root "${MEMBERS[@]}" >/dev/null || failed "after killing all"

# A record that one node took and no other has: whoever waits for it sends it again when that node has forgotten it.
net_stop "${MEMBERS[@]}"
net_start XIANGCHENG
until curl -sf --max-time 2 "$(net_api XIANGCHENG)/health/live" >/dev/null; do sleep 0.05; done
"$hub" currency issue 3 1.00 --key "$dir/net/AUTHORITY/issuer-1.key" --wait=30s >"$dir/waiting" 2>&1 &
waiting=$!
for i in $(seq 200); do
    curl -s "$(net_api XIANGCHENG)/v1/status" | grep -q '"waiting_records":1' && break
    sleep 0.05
done
[ "$i" -lt 200 ] || failed "a node alone took no record: $(cat "$dir/waiting")"
net_kill XIANGCHENG
net_start
wait $waiting || failed "a forgotten record was not sent again: $(cat "$dir/waiting")"

net_stop JIADING
rm -rf "$dir/net/JIADING/data"
net_start JIADING
record
net_same_root "${MEMBERS[@]}" >/dev/null || failed "a node without its data did not catch up"

# A second node on one directory; another genesis; a damaged configuration; a key that is no validator's.
conf=$dir/net/XIANGCHENG/node.conf
refused 69 "another node" "$BIN/hubledgerd" --config "$conf"
net_stop XIANGCHENG
BIN=$BIN "$hub" network init --local 4 --dir "$dir/other" -q --port "$(net_free_ports 8)"
cp -r "$dir/net/XIANGCHENG/data" "$dir/other/XIANGCHENG/data"
refused 65 "genesis" "$BIN/hubledgerd" --config "$dir/other/XIANGCHENG/node.conf"
sed 's/^listen.*/listen = "nowhere"/' "$conf" >"$dir/net/XIANGCHENG/bad.conf"
refused 78 "listen" "$BIN/hubledgerd" --config "$dir/net/XIANGCHENG/bad.conf"
sed 's/^listen/listten/' "$conf" >"$dir/net/XIANGCHENG/bad.conf"
refused 78 "bad.conf:" "$BIN/hubledgerd" --config "$dir/net/XIANGCHENG/bad.conf"
sed 's/node\.key/seal.key/' "$conf" >"$dir/net/XIANGCHENG/bad.conf"
refused 65 "validator" "$BIN/hubledgerd" --config "$dir/net/XIANGCHENG/bad.conf"

net_start XIANGCHENG
net_ready
record
net_same_root "${MEMBERS[@]}" >/dev/null || failed "at the end"
echo "recovery: $records records final on 4 nodes through 6 kills"
