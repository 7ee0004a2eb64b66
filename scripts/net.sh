# net.sh: functions for scripts that run a trial network on loopback. Source it; it needs $BIN (build folder)
# and ends every process it started when the script ends, by process id.
#   net_make N DIR [INIT_OPTION...]   keys, genesis, configurations; sets MEMBERS and NET_DIR
#   net_start MEMBER...               starts nodes; net_start alone starts all
#   net_stop MEMBER... / net_kill MEMBER...   SIGTERM / SIGKILL, and waits for the end
#   net_ready                         waits until all started nodes hear a quorum
#   net_api MEMBER                    its URL
#   net_field MEMBER NAME             one member of its /v1/status
#   net_same_root MEMBER...           waits until they agree on height and state root
# For tests:
#   net_test                          a folder $dir that goes at the end, with all nodes; $hub, the command
#   failed TEXT                       ends the test, with the last lines of every node's log
#   record                            one more final record, signed by Xiangcheng's governor
#   exits CODE COMMAND...             it must end with that code; what it says goes to $dir/said
#   refused CODE WORDS COMMAND...     and say that
: "${BIN:=build/release}"
export PATH=/usr/bin:$PATH # the python3 and node that scripts/deps.sh installs, before any other
declare -A NET_PID=()
NET_DIR=
MEMBERS=()

net_free_ports() { # a base with $1 free ports above it, as far as one can know
    python3 - "$1" <<'PY'
import random, socket, sys
n = int(sys.argv[1])
for _ in range(200):
    base = random.randrange(20000, 32000)  # below the range the system hands out by itself
    socks = []
    try:
        for p in range(base, base + n):
            s = socket.socket()
            socks.append(s)
            s.bind(("127.0.0.1", p))
        print(base)
        break
    except OSError:
        pass
    finally:
        for s in socks:
            s.close()
else:
    sys.exit("no free ports")
PY
}

net_make() {
    local n=$1 dir=$2
    shift 2
    NET_DIR=$dir
    NET_PORT=$(net_free_ports $((2 * n)))
    NET_COUNT=$n
    "$BIN/hubledger" network init --local "$n" --dir "$dir" --port "$NET_PORT" "$@" >"$dir.init" || { cat "$dir.init" >&2; return 1; }
    mapfile -t MEMBERS < <(grep -H '^listen' "$dir"/*/node.conf | sort -t: -k3 -n | sed 's|.*/\([A-Z]*\)/node.conf:.*|\1|')
    export HUBLEDGER_GENESIS=$dir/genesis.cbor
    export HUBLEDGER_NODE
    HUBLEDGER_NODE=$(net_api "${MEMBERS[0]}")
}

net_api() {
    sed -n 's|^api = "\(.*\)"|http://\1|p' "$NET_DIR/$1/node.conf"
}

net_start() {
    local m
    for m in "${@:-${MEMBERS[@]}}"; do
        "$BIN/hubledgerd" --config "$NET_DIR/$m/node.conf" 2>>"$NET_DIR/$m/node.log" &
        NET_PID[$m]=$!
        disown $!
    done
}

net_end() { # signal, members...
    local signal=$1 m i
    shift
    for m in "$@"; do
        [ -n "${NET_PID[$m]:-}" ] || continue
        kill "-$signal" "${NET_PID[$m]}" 2>/dev/null || true
    done
    for m in "$@"; do
        [ -n "${NET_PID[$m]:-}" ] || continue
        i=0
        while kill -0 "${NET_PID[$m]}" 2>/dev/null; do
            sleep 0.02
            # A signal that comes while the shell's child is not the node yet is lost.
            [ $((++i % 50)) != 0 ] || kill "-$signal" "${NET_PID[$m]}" 2>/dev/null || true
        done
        unset "NET_PID[$m]"
    done
}
net_stop() { net_end TERM "${@:-${MEMBERS[@]}}"; }
net_kill() { net_end KILL "$@"; }
net_cleanup() { net_end KILL "${!NET_PID[@]}"; }

net_field() {
    curl -s --max-time 5 "$(net_api "$1")/v1/status" | python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2" 2>/dev/null || true
}

net_ready() {
    local m i
    for m in "${!NET_PID[@]}"; do
        for i in $(seq 200); do
            curl -sf --max-time 2 "$(net_api "$m")/health/ready" >/dev/null && break
            kill -0 "${NET_PID[$m]}" 2>/dev/null || { echo "node $m ended: $(tail -n 1 "$NET_DIR/$m/node.log")" >&2; return 1; }
            sleep 0.05
        done
        [ "$i" -lt 200 ] || { echo "node $m is not ready after 10 s" >&2; return 1; }
    done
}

net_same_root() { # waits up to 30 s; prints "height root"
    local i m first state
    for i in $(seq 300); do
        first=
        for m in "$@"; do
            state="$(net_field "$m" height) $(net_field "$m" state_root)"
            [ -n "$first" ] || first=$state
            [ "$state" = "$first" ] || { first=; break; }
        done
        [ -n "$first" ] && [ "$first" != " " ] && { echo "$first"; return 0; }
        sleep 0.1
    done
    echo "nodes do not agree: $(for m in "$@"; do echo "$m $(net_field "$m" height)"; done)" >&2
    return 1
}

# ---- for tests

net_test() {
    dir=$(mktemp -d)
    hub=$BIN/hubledger
    records=0
    trap 'net_cleanup; rm -rf "$dir"' EXIT
}

failed() {
    echo "FAILED: $*" >&2
    [ -z "$NET_DIR" ] || tail -qn 3 "$NET_DIR"/*/node.log >&2 || true
    exit 1
}

record() {
    records=$((records + 1))
    "$hub" key new -o "$dir/k$records" --unprotected -q
    "$hub" key add "$dir/k$records" --role seal --key "$NET_DIR/XIANGCHENG/governor-1.key" --wait=30s -q || failed "record $records"
}

exits() {
    local code=$1 got=0
    shift
    timeout 60 "$@" >"$dir/said" 2>&1 </dev/null || got=$?
    [ "$got" = "$code" ] || failed "expected exit $code, got $got of $*: $(cat "$dir/said")"
}

refused() {
    local words=$2
    exits "$1" "${@:3}"
    grep -qF -- "$words" "$dir/said" || failed "it does not say '$words': ${*:3}: $(cat "$dir/said")"
}
