#!/usr/bin/env bash
# Three validators of which one may be down (fault model crash-1of3): when one lies, the others stop voting, serve on, say so,
# stay so over a restart, and vote again once their operators acknowledge it.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
net_test
liar=
trap '[ -z "$liar" ] || kill "$liar" 2>/dev/null || true; net_cleanup; rm -rf "$dir"' EXIT
is() { # member, state: within 20 s
    local i
    for i in $(seq 200); do
        [ "$(net_field "$1" state)" != "$2" ] || return 0
        sleep 0.1
    done
    failed "$1 is $(net_field "$1" state), not $2"
}
record() { # name, wait: prints the exit code
    local rc=0
    "$hub" key new -o "$dir/$1" --unprotected -q
    "$hub" key add "$dir/$1" --role seal --key "$dir/net/${MEMBERS[0]}/governor-1.key" --wait="$2" -q || rc=$?
    echo "$rc"
}

net_make 3 "$dir/net" --fault-model crash-1of3
net_start
net_ready
[ "$(record k1 20s)" = 0 ] || failed "a record in an honest network"
a=${MEMBERS[0]} b=${MEMBERS[1]} c=${MEMBERS[2]}
net_stop "$c"
[ "$(record k2 20s)" = 0 ] || failed "one of three down must not stop the ledger"
"$BIN/liar" "$dir/net/$c/node.conf" "$(($(net_field "$a" view) + 1))" &
liar=$!
is "$a" not_voting
is "$b" not_voting
kill "$liar" 2>/dev/null || true
liar=
height=$(net_field "$a" height)
[ "$(net_field "$a" voting)" = breaker ] || failed "status says $(net_field "$a" voting)"
! "$hub" status --check -q || failed "status --check says all is well"
[ "$(record k3 2s)" = 5 ] || failed "a record became final without voters"

net_kill "$a" "$b"
net_start "$a" "$b"
is "$a" not_voting
is "$b" not_voting
[ "$(net_field "$a" height)" = "$height" ] || failed "the halted node does not serve what it had"

net_stop "$a" "$b"
for m in "$a" "$b"; do
    "$BIN/hubledgerd" --config "$dir/net/$m/node.conf" --acknowledge-halt 2>>"$dir/net/$m/node.log" &
    NET_PID[$m]=$!
    disown $!
done
net_ready
[ "$(record k4 20s)" = 0 ] || failed "no final record after the acknowledgement"
for i in $(seq 300); do
    [ "$("$hub" evidence list --json | grep -c '"state": *"recorded"')" != 1 ] || break
    sleep 0.1
done
[ "$i" -lt 300 ] || failed "the evidence is not recorded: $("$hub" evidence list)"
net_stop "$a"
net_start "$a"
net_ready
[ "$(record k5 20s)" = 0 ] || failed "the recorded evidence halts it again"
echo "breaker: ok"
