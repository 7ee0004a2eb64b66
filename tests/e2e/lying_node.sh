#!/usr/bin/env bash
# What the commands believe of a node: one that lies in its answers gets no signature for what it hides, no success for what
# is no answer, and neither crashes nor keeps them for ever.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
net_test
net=$dir/net
trap 'net_cleanup; kill "$liar" 2>/dev/null; rm -rf "$dir"' EXIT
liar=

net_make 1 "$net"
net_start
net_ready
gov=$net/${MEMBERS[0]}/governor-1.key
node=$HUBLEDGER_NODE
port=$(net_free_ports 1)
echo honest >"$dir/mode"
tests/e2e/lying_node.py "$port" "$node" "$dir/mode" &
liar=$!
export HUBLEDGER_NODE=http://127.0.0.1:$port
for i in $(seq 100); do "$hub" status >/dev/null 2>&1 && break; sleep 0.1; done
lies() { echo "$1" >"$dir/mode"; }

"$hub" governance propose parameter ready.max_age_h 48 --title-zh 提案 --within 2d --key "$gov" --wait --lang en >"$dir/said" || failed "no proposal: $(cat "$dir/said")"
id=$(sed -n 's/^proposal //p' "$dir/said")
vote=("$hub" governance approve "$id" --key "$gov" --yes --wait=20s --lang en)

# A vote is of the bytes that were hashed, and these are shown.
for mode in other_bytes other_hash other_proposal; do
    lies $mode
    refused 6 "nothing was signed" "${vote[@]}"
done
lies time_ahead
refused 3 "set the clock, or ask another node" "${vote[@]}"
lies endless_names
exits 0 "$hub" governance list --lang en
lies shows_another_action
exits 0 "${vote[@]}"
grep -q '"value":"\?48' "$dir/said" && ! grep -q '"value":"\?24' "$dir/said" || failed "it shows what the node made up: $(cat "$dir/said")"

# A proxy's page is no answer.
lies login_page
for command in "status" "governance list" "evidence list" "log" "currency supply" "key hints --for $gov"; do
    # shellcheck disable=SC2086
    refused 3 "is no hubledger node" "$hub" $command --lang en
done
refused 3 "is no hubledger node" "$hub" receipt get "$(printf '0%.0s' $(seq 64))" -o "$dir/receipt" --lang en
[ ! -e "$dir/receipt" ] || failed "the page was kept as a receipt"
refused 3 "is no hubledger node" "$hub" governance propose parameter ready.max_age_h 24 --title-zh x --within 2d --key "$gov" --lang en

lies circle # it says for ever that there is more
exits 0 "$hub" evidence list --lang en

# What is signed is not made a trial by words alone.
lies honest
"$hub" governance propose parameter ready.max_age_h 30 --title-zh 提案 --within 2d --key "$gov" --offline --seq 500 -o "$dir/later" --lang en -q
height=$(net_field "${MEMBERS[0]}" log_size)
exits 0 "$hub" record submit "$dir/later" --dry-run --lang en
refused 2 "leave out --offline and --draft" "$hub" record submit "$dir/later" --draft --lang en
sleep 1
[ "$(net_field "${MEMBERS[0]}" log_size)" = "$height" ] || failed "a trial was recorded"
exits 0 "$hub" record submit "$dir/later" --wait=20s --lang en
[ "$(net_field "${MEMBERS[0]}" log_size)" != "$height" ] || failed "it was not recorded"
echo "lying_node: seven lies, nothing signed for them and nothing believed"
