#!/usr/bin/env bash
# Bytes and connections of strangers on both ports of a running node: it goes on, and so do its clients at once.
set -eu
cd "$(dirname "$0")/../.."
. scripts/net.sh
dir=$(mktemp -d)
trap 'net_cleanup; rm -rf "$dir"' EXIT
net_make 4 "$dir/net"
net_start
net_ready
x=XIANGCHENG
peers=$(sed -n 's/^listen = ".*:\([0-9]*\)"/\1/p' "$dir/net/$x/node.conf")
api=$(net_api $x)

python3 - "$peers" "${api##*:}" <<'PY'
import random, socket, sys
peers, api = int(sys.argv[1]), int(sys.argv[2])
noise = random.Random(1).randbytes

def connect(port):
    return socket.create_connection(("127.0.0.1", port), 5)

def send(port, data):  # an ended connection is an answer, too
    with connect(port) as s:
        try:
            s.sendall(data)
        except OSError:
            pass

def status():
    with connect(api) as s:
        s.settimeout(10)
        s.sendall(b"GET /v1/status HTTP/1.0\r\n\r\n")
        return s.recv(12)

greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"CURVE".ljust(20, b"\0") + bytes(32)
for size in (1, 64, 4096, 1 << 17):
    send(peers, noise(size))
    send(api, noise(size))
send(peers, greeting + b"\x04\xc8\x05HELLO" + noise(194))
send(peers, greeting + b"\x06" + b"\xff" * 8)
# More half-sent requests than the node keeps connections, then all hang up: most of them before they are accepted.
many = []
for _ in range(600):
    many.append(connect(api))
    many[-1].sendall(b"POST /v1/records HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx")
for s in many:
    s.close()
answer = status()
assert answer == b"HTTP/1.1 200", answer
PY

kill -0 "${NET_PID[$x]}"
key=$dir/net/AUTHORITY/issuer-1.key
timeout 30 "$BIN/hubledger" currency issue 3 1.00 --key "$key" --wait -q
net_same_root "${MEMBERS[@]}" >/dev/null
echo "hostile: 600 half-sent requests and noise on both ports of $x, and it serves on"
