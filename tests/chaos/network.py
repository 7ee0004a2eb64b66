"""Real nodes of a trial network: made, started, stopped, killed and watched, on loopback or each in a network
namespace of its own. Everything made is ended and removed by close()."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from ledger import get

BIN = os.environ.get("BIN", "build/release")
EXIT_BROKEN, EXIT_DISK_FULL = 70, 75


# Ended from outside, a trial still ends its nodes and takes its mounts and namespaces away.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class Failure(Exception):
    """Something that must hold does not."""


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True)
    if check and done.returncode:
        raise Failure(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def free_ports(n):
    import random
    import socket
    for _ in range(200):
        base = random.randrange(20000, 32000)  # below the range the system hands out by itself
        socks = []
        try:
            for port in range(base, base + n):
                s = socket.socket()
                socks.append(s)
                s.bind(("127.0.0.1", port))
            return base
        except OSError:
            pass
        finally:
            for s in socks:
                s.close()
    raise Failure("no free ports")


class Node:
    def __init__(self, network, member):
        self.network, self.member = network, member
        self.dir = os.path.join(network.dir, member)
        self.conf = os.path.join(self.dir, "node.conf")
        self.process, self.prefix, self.env, self.pids = None, [], {}, []
        self.killed = False  # by us: its end is no surprise
        with open(self.conf, encoding="utf-8") as f:
            host, port = re.search(r'^api = "(.*):(\d+)"', f.read(), re.M).groups()
        self.api = (host, int(port))

    def start(self, **env):
        """env: added to its environment, beside self.env."""
        self.killed = False
        with open(os.path.join(self.dir, "node.log"), "ab") as log:
            self.process = subprocess.Popen([*self.prefix, f"{BIN}/hubledgerd", "--config", self.conf],
                                            stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **self.env, **env})
        self.pids.append(self.process.pid)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def end(self, number=signal.SIGKILL):
        """Sends the signal and waits; the exit code, negative for a signal."""
        if not self.running():
            return None
        self.killed = True
        self.process.send_signal(number)
        if number in (signal.SIGTERM, signal.SIGKILL):
            return self.process.wait(30)
        return None

    def status(self, timeout=2):
        answer = get(self.api, "/v1/status", timeout)
        return answer[2] if answer and answer[0] == 200 else None

    def await_api(self, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answer = get(self.api, "/health/live", 1, raw=True)
            if answer and answer[0] == 200:
                return
            if not self.running():
                raise Failure(f"{self.member} ended with {self.process.returncode}: {self.last_line()}")
            time.sleep(0.02)
        raise Failure(f"{self.member} does not answer after {seconds} s: {self.last_line()}")

    def last_line(self):
        with open(os.path.join(self.dir, "node.log"), encoding="utf-8", errors="replace") as f:
            lines = f.read().splitlines()
        return lines[-1] if lines else "(nothing logged)"

    def log_text(self):
        with open(os.path.join(self.dir, "node.log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def data(self):
        return os.path.join(self.dir, "data")


class Network:
    """members in the order of their validator numbers; addresses: peers and API of each, or None for loopback."""

    def __init__(self, count, *parameters, base=None):
        self.root = tempfile.mkdtemp(prefix="hubchaos.", dir=base)
        self.dir = os.path.join(self.root, "net")
        options = [part for p in ("currency.cosign_issue=0", *parameters) for part in ("--parameter", p)]
        run(f"{BIN}/hubledger", "network", "init", "--local", str(count), "--dir", self.dir, "-q", "--port",
            str(free_ports(2 * count)), *options)
        found = []
        for member in os.listdir(self.dir):
            conf = os.path.join(self.dir, member, "node.conf")
            if os.path.exists(conf):
                with open(conf, encoding="utf-8") as f:
                    found.append((int(re.search(r'^listen = ".*:(\d+)"', f.read(), re.M).group(1)), member))
        self.members = [member for _, member in sorted(found)]
        self.node = [Node(self, member) for member in self.members]

    def key(self, name):
        return os.path.join(self.dir, name)

    def genesis(self):
        return os.path.join(self.dir, "genesis.cbor")

    def start(self):
        for n in self.node:
            if not n.running():
                n.start()
        for n in self.node:
            n.await_api()

    def same_root(self, seconds=60):
        """Waits until all agree on height and state root; returns (height, root)."""
        end, seen = time.monotonic() + seconds, None
        while time.monotonic() < end:
            seen = [n.status() for n in self.node]
            roots = {(s["height"], s["state_root"]) for s in seen if s}
            if all(seen) and len(roots) == 1:
                return roots.pop()
            time.sleep(0.1)
        raise Failure("nodes do not agree: " + ", ".join(
            f"{n.member} {s and s['height'] + ' ' + s['state']}" for n, s in zip(self.node, seen)))

    def verify(self):
        """The auditor on every node's data, node running or not."""
        for n in self.node:
            flags = [] if n.running() else ["--stopped"]
            run(f"{BIN}/hubledger-verify", "--genesis", self.genesis(), *flags, n.data())

    def alarms(self):
        """Lines no node may ever log: evidence, a vote its journal lacks, a block that breaks a rule."""
        return [f"{n.member}: {line}" for n in self.node for line in n.log_text().splitlines() if '"event":"alarm"' in line]

    def close(self, keep=False):
        for n in self.node:
            n.end(signal.SIGCONT)
            n.end()
        if not keep:
            shutil.rmtree(self.root, ignore_errors=True)
