#!/usr/bin/env bash
# A lost, rolled-back or copied disk (docs/hazards.md H12): such a node follows and serves, says why it does not vote
# and what to do, and the ways back work.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
net_test
voting() { # member, wanted: waits for its /v1/status to say so
    local i
    for i in $(seq 100); do
        [ "$(net_field "$1" voting)" != "$2" ] || return 0
        sleep 0.1
    done
    failed "$1 should say '$2', says '$(net_field "$1" voting)'"
}
start_with() { # member, option...
    local m=$1
    shift
    "$BIN/hubledgerd" --config "$dir/net/$m/node.conf" "$@" 2>>"$dir/net/$m/node.log" &
    NET_PID[$m]=$!
    disown $!
}
node=$dir/net/JIADING

net_make 4 "$dir/net" --parameter consensus.pace_ms=0
net_start
net_ready
for m in "${MEMBERS[@]}"; do voting "$m" votes; done
record

# An old copy of a directory: the guard is ahead of it.
net_stop JIADING
cp -r "$node/data" "$dir/old"
cp "$node/node.key.guard" "$dir/old.guard"
net_start JIADING
voting JIADING votes
record
record
net_same_root "${MEMBERS[@]}" >/dev/null
echo "$(net_field XIANGCHENG height) $(net_field XIANGCHENG block_hash)" >"$dir/anchor"
net_stop JIADING
mv "$node/data" "$dir/newest"
cp -r "$dir/old" "$node/data"
net_start JIADING
voting JIADING guard_ahead
"$hub" status --node "$(net_api JIADING)" --lang zh | grep -q '守护文件记有' || failed "the command line does not say why in Chinese"
grep -q '"event":"does_not_vote".*guard_ahead' "$node/node.log" || failed "the log does not say why"
record
net_same_root "${MEMBERS[@]}" >/dev/null || failed "an observer does not follow"

# Directory and guard rolled back together: a peer holds votes that both lack, and that is not forgotten.
net_stop JIADING
rm -rf "$node/data"
cp -r "$dir/old" "$node/data"
cp "$node/node.key.guard" "$dir/newest.guard"
cp "$dir/old.guard" "$node/node.key.guard"
net_start JIADING
voting JIADING vote_unknown
net_stop "${MEMBERS[@]}"
net_start JIADING
voting JIADING vote_unknown # alone, from its own disk
net_start XIANGCHENG CHANGNING HUBOFFICE
net_ready

# --resume-after-loss: votes again once the chain is 16 views beyond the last vote its peers know of.
net_stop JIADING
start_with JIADING --resume-after-loss
voting JIADING resuming
for i in $(seq 40); do
    [ "$(net_field JIADING voting)" != votes ] || break
    record
done
view=$(net_field JIADING view) # records alone say little: a late block costs views too
[ "$view" -gt 17 ] || failed "voted again in view $view: 16 views had not passed"
voting JIADING votes
net_stop JIADING CHANGNING
net_start JIADING # without the option: it is one of three, and needed
voting JIADING votes
record
net_start CHANGNING

# The guard is gone: observer; it is not made anew. In its place again: votes.
net_stop JIADING
mv "$node/node.key.guard" "$dir/away"
net_start JIADING
voting JIADING guard_missing
[ ! -e "$node/node.key.guard" ] || failed "a node made a guard for itself"
net_stop JIADING
mv "$dir/away" "$node/node.key.guard"
net_start JIADING
voting JIADING votes

# A second node with this key: an empty directory, the guard copied or not.
mkdir "$dir/clone"
cp "$node/node.key" "$dir/clone/"
sed "s|\.\./genesis|$dir/net/genesis|; s/^listen.*/listen = \"127.0.0.1:$(net_free_ports 1)\"/; /^api/d; s/^log_level.*//" "$node/node.conf" >"$dir/clone/node.conf"
for guard in missing ahead; do
    [ $guard = missing ] || cp "$node/node.key.guard" "$dir/clone/"
    timeout 10 "$BIN/hubledgerd" --config "$dir/clone/node.conf" 2>"$dir/clone.log" & clone=$!
    for i in $(seq 60); do grep -q does_not_vote "$dir/clone.log" && break; sleep 0.1; done
    grep -q "\"why\":\"guard_$guard\"" "$dir/clone.log" || failed "clone with guard $guard: $(cat "$dir/clone.log")"
    kill $clone && wait $clone || true
done

# The anchor: a receipt or a line kept elsewhere.
net_same_root "${MEMBERS[@]}" >/dev/null
net_stop JIADING
start_with JIADING --anchor "$dir/anchor"
voting JIADING votes
net_stop JIADING
sed 's/ ./ 0/; s/.$/0/' "$dir/anchor" | cmp -s - "$dir/anchor" && failed "the other anchor is the same"
sed 's/ ./ 0/; s/.$/0/' "$dir/anchor" >"$dir/other"
rc=0
timeout 10 "$BIN/hubledgerd" --config "$node/node.conf" --anchor "$dir/other" 2>"$dir/refusal" || rc=$?
[ $rc = 65 ] && grep -q "does not contain this anchor" "$dir/refusal" || failed "another anchor: $rc $(cat "$dir/refusal")"
echo "99999 $(cut -d' ' -f2 "$dir/anchor")" >"$dir/later"
start_with JIADING --anchor "$dir/later"
voting JIADING anchor
echo "guard: $records records final through old, lost and copied disks"
