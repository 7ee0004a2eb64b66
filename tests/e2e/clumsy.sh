#!/usr/bin/env bash
# What a clumsy operator does to a node that should start: each time it ends at once, with its exit code and one sentence
# that names the thing, the rule and the remedy; and when all is put back it stands where it stood.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
net_test
daemon=$PWD/$BIN/hubledgerd
[ "${BIN#/}" = "$BIN" ] || daemon=$BIN/hubledgerd
net=$dir/net
home=$net/JIADING
tries=0
ends() { # CODE REGEX [COMMAND...]: the daemon, by that command if one is given, with $home/try.conf
    local code=$1 regex=$2 got=0
    shift 2
    timeout 20 "$@" "$daemon" --config "$home/try.conf" >"$dir/out" 2>&1 || got=$?
    [ "$got" = "$code" ] || failed "exit $got, not $code: $(tail -n 2 "$dir/out" | cut -c1-400)"
    grep -a -v '^{' "$dir/out" >"$dir/said" || true
    [ "$(wc -l <"$dir/said")" = 1 ] || failed "not one sentence: $(cat "$dir/out")"
    grep -a -q "$regex" "$dir/said" || failed "not '$regex': $(cat "$dir/said")"
    tries=$((tries + 1))
}
conf() { # [SED]: the configuration, changed
    sed "${1:-}" "$home/node.conf" >"$home/try.conf"
}
fresh() { # everything as it was
    rm -rf "$home"
    cp -a "$dir/kept" "$home"
    conf
}

net_make 4 "$net" --parameter consensus.pace_ms=0
net_start
net_ready
record
net_same_root "${MEMBERS[@]}" >/dev/null
height=$(net_field JIADING height)

# Two starts, while one runs.
conf
ends 69 "another node (process ${NET_PID[JIADING]}) runs on .*: stop it, or give this node a directory of its own"
conf 's/"data"/"other"/'
ends 69 'guard file .* is in use by another process: two nodes must never run with one key'
conf 's/"data"/"other"\nguard = "nowhere.guard"/'
ends 69 'cannot listen for peers on .* in use; give `listen` an address of this machine and a port that no other'
conf "s/\"data\"/\"other\"\nguard = \"nowhere.guard\"/; s/^listen.*/listen = \"127.0.0.1:$(net_free_ports 1)\"/"
ends 69 'cannot serve HTTP on .* in use; give an IPv4 address and a free port'
net_stop JIADING
cp -a "$home" "$dir/kept"

# Files of somebody else, cut, or gone.
fresh
cp "$net/CHANGNING/node.key" "$home/"
ends 65 'guard file .* is of another key: name the right one with `guard`'
fresh
cp "$home/governor-1.key" "$home/node.key"
rm "$home/node.key.guard"
ends 65 "neither a validator's nor an observer's; give the node's own key"
fresh
conf 's/genesis.cbor/cut.cbor/'
ends 65 "No such file or directory; name the network's genesis file"
head -c 100 "$net/genesis.cbor" >"$net/cut.cbor"
ends 65 'get the file again from another member, and compare its fingerprint'
(net_make 4 "$dir/another" >/dev/null)
conf 's|../genesis.cbor|../../another/genesis.cbor|'
ends 65 'give this network a directory of its own, or the node its right genesis file'

# A database that is none.
for bytes in 1 5000 100000; do
    fresh
    head -c "$bytes" /dev/urandom >"$home/data/ledger/data.mdb"
    ends 70 'Keep a copy of the directory, check the disk, then start with an empty directory'
done

# Places that are not what they should be.
fresh
rm -r "$home/data" && touch "$home/data"
ends 70 'Not a directory; something else stands in the place of a file or folder'
long=$(printf 'a%.0s' $(seq 200))
conf "s|\"data\"|\"$home/$long/$long/$long/$long/data\"|"
ends 70 'No such file or directory; make the folder above it'
if [ "$(id -u)" = 0 ]; then
    fresh
    chmod 755 "$dir" "$net" "$home"
    chown nobody "$home" "$home"/node.key* "$home/data" "$home/data/ledger"
    cp "$daemon" "$dir/daemon" # where nobody can run it
    daemon=$dir/daemon
    ends 70 'Permission denied; it must belong to the user that the node runs as' setpriv --reuid=nobody --clear-groups
fi

# Killed while it starts, and told to stop fifty times: nothing is lost, and it is the node it was.
fresh
for wait in 0.00 0.01 0.02 0.04 0.08 0.16; do
    "$daemon" --config "$home/node.conf" 2>/dev/null &
    disown $!
    sleep "$wait"
    kill -KILL $!
    while kill -0 $! 2>/dev/null; do sleep 0.01; done
done
net_start JIADING
net_same_root "${MEMBERS[@]}" >/dev/null || failed "it differs after kills in its start"
[ "$(net_field JIADING height)" -ge "$height" ] || failed "height $(net_field JIADING height), below $height" # nodes record that they are ready
for _ in $(seq 50); do kill -TERM "${NET_PID[JIADING]}" 2>/dev/null || break; done
net_stop JIADING
tail -n 1 "$home/node.log" | grep -q '"event":"ended","code":0' || failed "a storm of SIGTERM: $(tail -n 1 "$home/node.log")"
"$BIN/hubledger-verify" --genesis "$net/genesis.cbor" --stopped "$home/data" >"$dir/audit" || failed "the audit: $(cat "$dir/audit")"
echo "clumsy: $tries refusals, each with its sentence; 6 kills in a start and a storm of signals lose nothing"
