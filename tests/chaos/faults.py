"""Network namespaces for the nodes of a Network, one volume each, and everything that can be done to them. Needs root.
Names carry this process's id; close() takes everything away again.

A fault is a class: strike() does it, heal() undoes it; `may_end` tells whether it may end a node, and with which exit
codes. Two faults of one kind never hold at once."""
import errno
import itertools
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

from network import EXIT_BROKEN, EXIT_DISK_FULL, Failure, run

TOOLS = {"ip": "iproute2", "tc": "iproute2", "nft": "nftables", "faketime": "faketime", "mount": "mount"}
PEER_PORT, API_PORT = 7101, 7105
VOLUME_MIB = 192
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


def demand_tools():
    if os.geteuid() != 0:
        sys.exit("chaos: it makes network namespaces and mounts: run it as root")
    for tool, package in TOOLS.items():
        if not shutil.which(tool):
            sys.exit(f"chaos: {tool} is missing; install the package {package} (scripts/deps.sh chaos)")


sites = itertools.count()  # more than one in a process, one after the other


class Site:
    """Puts each node of a network into a namespace behind one bridge, its data on a tmpfs of its own."""

    def __init__(self, network):
        self.network, self.made = network, []
        self.name = f"hub{os.getpid()}{chr(97 + next(sites))}"
        net = f"10.{random.SystemRandom().randrange(200, 250)}.{random.SystemRandom().randrange(1, 250)}"
        self.address = [f"{net}.{i + 1}" for i in range(len(network.node))]
        n = len(network.node)
        self.blocked = [set() for _ in range(n)]  # node -> nodes whose packets it does not get
        self.loss, self.reset = [0] * n, [False] * n
        try:
            self.bridge = f"{self.name}b"
            self.do("ip", "link", "add", self.bridge, "type", "bridge", undo=("ip", "link", "del", self.bridge))
            run("ip", "addr", "add", f"{net}.254/24", "dev", self.bridge)
            run("ip", "link", "set", self.bridge, "up")
            for i, node in enumerate(network.node):
                self.place(i, node)
        except Failure:
            self.close()
            raise

    def do(self, *command, undo):
        run(*command)
        self.made.append(undo)

    def space(self, i):
        return f"{self.name}n{i}"

    def place(self, i, node):
        space, veth = self.space(i), f"{self.name}v{i}"
        self.do("ip", "netns", "add", space, undo=("ip", "netns", "del", space))
        run("ip", "link", "add", veth, "type", "veth", "peer", "name", "eth0", "netns", space)
        run("ip", "link", "set", veth, "master", self.bridge, "up")
        run("ip", "-n", space, "addr", "add", f"{self.address[i]}/24", "dev", "eth0")
        run("ip", "-n", space, "link", "set", "eth0", "up")
        run("ip", "-n", space, "link", "set", "lo", "up")
        volume = os.path.join(node.dir, "volume")
        os.mkdir(volume)
        self.do("mount", "-t", "tmpfs", "-o", f"size={VOLUME_MIB}m", self.name, volume, undo=("umount", "-l", volume))
        node.volume, node.clock = volume, os.path.join(node.dir, "clock")
        self.configure(i, node)
        node.prefix = ["ip", "netns", "exec", space]
        set_clock(node, 0)
        node.env = {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": node.clock, "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                    "FAKETIME_CACHE_DURATION": "1"}

    def configure(self, i, node):
        with open(node.conf, encoding="utf-8") as f:
            lines = [line for line in f.read().splitlines() if not re.match(r"(listen|api|data|peer)\b", line)]
        lines += [f'data = "volume/data"', f'listen = "{self.address[i]}:{PEER_PORT}"',
                  f'api = "{self.address[i]}:{API_PORT}"']
        lines += [f'peer {other.member} {{ address = "{self.address[j]}:{PEER_PORT}" }}'
                  for j, other in enumerate(self.network.node) if j != i]
        with open(node.conf, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        node.api = (self.address[i], API_PORT)
        node.data = lambda: os.path.join(node.volume, "data")

    def filter(self, i):
        """Brings the packet filter of node i up to what blocked, loss and reset say. Clients are never filtered."""
        peers = ", ".join(a for j, a in enumerate(self.address) if j != i)
        rules = [f"ip saddr {self.address[j]} drop" for j in sorted(self.blocked[i])]
        if self.loss[i]:
            rules.append(f"ip saddr {{ {peers} }} numgen random mod 100 < {self.loss[i]} drop")
        if self.reset[i]:
            rules.append(f"ip saddr {{ {peers} }} meta l4proto tcp reject with tcp reset")
        text = "flush ruleset\n" + ("table inet chaos {\n chain in {\n  type filter hook input priority 0;\n  " +
                                    "\n  ".join(rules) + "\n }\n}\n" if rules else "")
        done = subprocess.run(["ip", "netns", "exec", self.space(i), "nft", "-f", "-"], input=text, text=True,
                              capture_output=True)
        if done.returncode:
            raise Failure(f"nft: {done.stderr.strip()}")

    def close(self, keep=False):
        """keep: the volumes stay mounted, for whoever looks at them."""
        for node in self.network.node:
            forget_clocks(node)
        for undo in reversed(self.made):
            if not (keep and undo[0] == "umount"):
                run(*undo, check=False)
        self.made = []


def set_clock(node, seconds):
    with open(node.clock + ".new", "w", encoding="utf-8") as f:
        f.write(f"{seconds:+d}\n")
    os.rename(node.clock + ".new", node.clock)


def forget_clocks(node):
    """libfaketime leaves two names of every process that was killed."""
    for pid in node.pids:
        for name in (f"/dev/shm/faketime_shm_{pid}", f"/dev/shm/sem.faketime_sem_{pid}"):
            if os.path.exists(name):
                os.unlink(name)
    node.pids = []


class Fault:
    def __init__(self, site, dice):
        self.site, self.dice, self.nodes = site, dice, site.network.node
        self.count = len(self.nodes)
        self.target = dice.randrange(self.count)
        self.what = ""

    may_end = ()  # exit codes with which a node may end by itself

    def node(self):
        return self.nodes[self.target]

    def name(self):
        return f"{type(self).__name__.lower()} {self.what or self.node().member}"

    def refilter(self):
        for i in range(self.count):
            self.site.filter(i)


class Partition(Fault):
    def strike(self):
        side = set(self.dice.sample(range(self.count), self.dice.randrange(1, self.count // 2 + 1)))
        self.what = "/".join(self.nodes[i].member for i in sorted(side))
        for i in range(self.count):
            self.site.blocked[i] |= set(range(self.count)) - side - {i} if i in side else side
        self.refilter()

    def heal(self):
        for blocked in self.site.blocked:
            blocked.clear()
        self.refilter()


class OneWay(Partition):
    """The target is heard by nobody, or hears nobody."""

    def strike(self):
        others = set(range(self.count)) - {self.target}
        if self.dice.random() < 0.5:
            self.what = f"{self.node().member} is deaf"
            self.site.blocked[self.target] |= others
        else:
            self.what = f"{self.node().member} is mute"
            for i in others:
                self.site.blocked[i].add(self.target)
        self.refilter()


class Loss(Fault):
    def strike(self):
        percent = self.dice.choice([5, 20, 40])
        self.what = f"{percent} % everywhere"
        self.site.loss = [percent] * self.count
        self.refilter()

    def heal(self):
        self.site.loss = [0] * self.count
        self.refilter()


class Reset(Fault):
    def strike(self):
        self.site.reset[self.target] = True
        self.site.filter(self.target)

    def heal(self):
        self.site.reset[self.target] = False
        self.site.filter(self.target)


class Slow(Fault):
    def strike(self):
        rate = self.dice.choice(["256kbit", "1mbit", "4mbit"])
        self.what = f"{self.node().member} {rate}"
        run("tc", "-n", self.site.space(self.target), "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", rate,
            "burst", "16kb", "latency", "300ms")

    def heal(self):
        run("tc", "-n", self.site.space(self.target), "qdisc", "del", "dev", "eth0", "root", check=False)


class Pause(Fault):
    def strike(self):
        if self.node().running():
            self.node().process.send_signal(signal.SIGSTOP)

    def heal(self):
        if self.node().running():
            self.node().process.send_signal(signal.SIGCONT)


class Kill(Fault):
    """SIGKILL; started again when it heals."""

    def strike(self):
        self.node().end()

    def heal(self):
        pass  # the watch starts whatever does not run


class KillAll(Kill):
    def strike(self):
        self.what = "all"
        for n in self.nodes:
            n.killed = True
            if n.running():
                n.process.kill()
        for n in self.nodes:
            if n.process:
                n.process.wait()


class Clock(Fault):
    def strike(self):
        seconds = self.dice.choice([-3600, -120, -5, 5, 120, 3600])
        self.what = f"{self.node().member} {seconds:+d} s"
        set_clock(self.node(), seconds)

    def heal(self):
        set_clock(self.node(), 0)


class Memory(Fault):
    """Runs under a limit near what the node uses: the kernel takes pages away from it again and again, or kills it.
    What a process has cannot be charged anew, so it is started again for this."""
    may_end = (-signal.SIGKILL,)

    def strike(self):
        mib = self.dice.choice([4, 6, 8, 16])
        self.group = memory_group(f"{self.site.name}m{self.target}", mib << 20)
        if self.group:
            self.what = f"{self.node().member} {mib} MiB"
            self.usual = self.node().prefix
            self.node().prefix = ["sh", "-c", f'echo $$ >{self.group.path}/cgroup.procs && exec "$@"', "sh", *self.usual]
            self.node().end()  # the watch starts it again

    def heal(self):
        if self.group:
            self.node().prefix = self.usual
            self.group.close()


class DiskFull(Fault):
    """Fills the volume, to the last byte or to a mark at which the node must rest, and frees it again."""
    may_end = (EXIT_DISK_FULL, EXIT_BROKEN)

    def strike(self):
        left = self.dice.choice([0, 1, 4, 8])  # percent of the volume
        self.what = f"{self.node().member} {left} % left"
        volume = os.statvfs(self.node().volume)
        fill = (volume.f_bavail - volume.f_blocks * left // 100) * volume.f_frsize
        self.ballast = os.path.join(self.node().volume, "ballast")
        with open(self.ballast, "wb") as f:
            try:
                os.posix_fallocate(f.fileno(), 0, max(fill, 1))
            except OSError as error:  # the node took the last of it first: full it is
                if error.errno != errno.ENOSPC:
                    raise

    def heal(self):
        os.unlink(self.ballast)


class MemoryGroup:
    """A group of the memory controller; limit: the name of its file, which the two versions call differently."""

    def __init__(self, path, limit, size):
        self.path, self.limit = path, limit
        os.mkdir(path)
        self.write(limit, size)

    def write(self, name, value):
        with open(os.path.join(self.path, name), "w", encoding="ascii") as f:
            f.write(str(value))

    def close(self):
        """Who is in it goes on without a limit."""
        self.write(self.limit, "-1" if self.limit == "memory.limit_in_bytes" else "max")
        for _ in range(50):
            with open(os.path.join(self.path, "cgroup.procs"), encoding="ascii") as f:
                for pid in f.read().split():
                    with open(os.path.join(os.path.dirname(self.path), "cgroup.procs"), "w", encoding="ascii") as parent:
                        try:
                            parent.write(pid)
                        except OSError:
                            pass  # it has just ended
            try:
                os.rmdir(self.path)
                return
            except OSError:
                time.sleep(0.1)


def memory_group(name, size):
    """None where the system gives none."""
    root = "/sys/fs/cgroup"
    try:
        if os.path.exists(f"{root}/memory/cgroup.procs"):
            return MemoryGroup(f"{root}/memory/{name}", "memory.limit_in_bytes", size)
        with open(f"{root}/cgroup.subtree_control", encoding="ascii") as f:
            return MemoryGroup(f"{root}/{name}", "memory.max", size) if "memory" in f.read() else None
    except OSError:
        return None


KINDS = [Partition, OneWay, Loss, Reset, Slow, Pause, Kill, KillAll, Clock, Memory, DiskFull]
SECONDS = {Reset: (0.2, 1), KillAll: (0.5, 2), Partition: (2, 15), Pause: (1, 12)}  # how long one holds
