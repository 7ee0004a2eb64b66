#!/usr/bin/python3
"""Why is it stuck: what an operator reads while a fault holds, on four real nodes in network namespaces. One scenario a
fault, always the same: it strikes, `/v1/status` and `hubledger status --check` of the nodes an operator can reach are
read in both languages, and must name who or what is missing, since when, and what to do, with the right exit code; it
heals, and all nodes must say that all is well. What is expected is written here from the fault, not from the answer.
usage: standing.py [--only NAME] [--show]"""
import argparse
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faults import Site, demand_tools, set_clock  # noqa: E402
from ledger import get, post, reserve  # noqa: E402
from network import EXIT_DISK_FULL, Failure, Network  # noqa: E402
from reading import Reading, about, lacks  # noqa: E402
from recovery_times import Money  # noqa: E402

HOUR_S = 3600
TELL_S, WELL_S = 40, 40  # until the fault is told, until it is forgotten
# A peer is silent after 11 s (node/standing.c): until then the node says what it has, which is not wrong.


class Drill:
    """A network with work, its faults and its readers."""

    def __init__(self, show):
        self.show, self.stop = show, threading.Event()
        self.network = Network(4, base="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.site = Site(self.network)
        self.nodes, self.members = self.network.node, self.network.members

    def open(self):
        self.network.start()
        self.money = Money(self.network)
        self.payer = threading.Thread(target=self.pay)
        self.payer.start()
        self.all_well()

    def close(self):
        self.stop.set()
        self.payer.join()
        self.site.close()
        self.network.close()

    def pay(self):
        """Work that waits wherever a node runs, in every part of the network."""
        at = 0
        while not self.stop.wait(0.25):
            at += 1
            # valid also by a clock that is an hour ahead, or its leader finds nothing to propose
            payment = self.money.ledger.transfer(self.money.key, reserve(3), self.money.wallet, 1, 3 * HOUR_S)
            post(self.nodes[at % 4].api, payment, 0, 1)

    def until(self, i, judge, seconds=TELL_S):
        """Reads node i until judge finds nothing missing; what is missing at the end is the failure."""
        end, missing = time.monotonic() + seconds, "nothing was read"
        while time.monotonic() < end:
            reading = Reading(self.nodes[i])
            missing = judge(reading)
            if not missing:
                if self.show:
                    print(f"    {reading.en.strip()}\n    {reading.zh.strip()}".replace("\n", "\n    "), flush=True)
                return reading
            time.sleep(0.3)
        raise Failure(f"{self.members[i]}, after {seconds} s, exit {reading.code}: {missing}\n{reading.en}{reading.zh}")

    def all_well(self):
        for i in range(4):
            self.until(i, lambda r: lacks(r, 0, ["in order"], ["正常"], absent=["! ", "- "]), WELL_S)

    def block(self, side):
        """Nothing passes between these nodes and the others."""
        for i in range(4):
            self.site.blocked[i] = {j for j in range(4) if (j in side) != (i in side)}
            self.site.filter(i)

    def unblock(self):
        for i in range(4):
            self.site.blocked[i].clear()
            self.site.filter(i)


def away(drill, gone, since, readers):
    """One of four is away and the rest go on: a notice that names it, where it lives, and since when."""
    name = drill.members[gone]

    def judge(r):
        return lacks(r, 0, ["in order", "3 of 4 validators are heard, 3 are needed", f"{name} ({gone})",
                            f"{drill.site.address[gone]}:", "Check"], ["能收到 3 / 4", "请检查"], absent=["! "]) or about(
                                r.seconds(rf"{name} \({gone}\), heard last (\d+) s ago"), time.monotonic() - since)
    for reader in readers:
        drill.until(reader, judge)


def cut_off(drill, i, since, missing):
    """A side without a quorum: who is missing, since when nothing became final, and which links to look at."""
    names = [f"{drill.members[m]} ({m})" for m in missing]

    def judge(r):
        return lacks(r, 1, ["NO QUORUM", f"{4 - len(missing)} of 4 validators are heard, 3 are needed",
                            "Nothing became final for", *names, "Check those nodes and the links to",
                            *(f"{drill.site.address[m]}:" for m in missing)],
                     ["法定数不足", f"能收到 {4 - len(missing)} / 4", "无区块最终确认", "请检查"]) or about(
                         r.seconds(r"Nothing became final for (\d+) s"), time.monotonic() - since)
    drill.until(i, judge)


# ---- the faults

def killed(drill):
    drill.nodes[2].end()
    since = time.monotonic()
    away(drill, 2, since, (0, 3))
    drill.nodes[2].start()


def stopped(drill):
    drill.nodes[1].process.send_signal(signal.SIGSTOP)
    since = time.monotonic()
    try:
        away(drill, 1, since, (0, 2))
    finally:
        drill.nodes[1].process.send_signal(signal.SIGCONT)


def partition(drill):
    drill.block({0, 1})
    since = time.monotonic()
    try:
        cut_off(drill, 0, since, [2, 3])
        cut_off(drill, 3, since, [0, 1])
    finally:
        drill.unblock()


def one_way(drill):
    """Hears nobody, though what it says still arrives."""
    drill.site.blocked[3] = {0, 1, 2}
    drill.site.filter(3)
    since = time.monotonic()
    try:
        cut_off(drill, 3, since, [0, 1, 2])
        drill.until(0, lambda r: lacks(r, 0, ["in order", f"{drill.members[3]} (3)"], ["能收到 3 / 4"], absent=["! "]))
    finally:
        drill.unblock()


def leader(drill):
    """The proposer of the newest block is cut off: it says so, and the others go on without it."""
    height = drill.nodes[0].status()["height"]
    lead = get(drill.nodes[0].api, f"/v1/blocks/{height}")[2]["proposer"]
    others = [i for i in range(4) if i != lead]
    drill.block({lead})
    since = time.monotonic()
    try:
        cut_off(drill, lead, since, others)
        away(drill, lead, since, others[:2])
    finally:
        drill.unblock()


def leave_free(node, percent):
    volume = os.statvfs(node.volume)
    ballast = os.path.join(node.volume, "ballast")
    held = os.path.getsize(ballast) if os.path.exists(ballast) else 0
    size = held + (volume.f_bavail - volume.f_blocks * percent // 100) * volume.f_frsize
    with open(ballast, "wb" if not held else "r+b") as f:
        os.posix_fallocate(f.fileno(), 0, max(size, 1))


def disk(drill):
    node = drill.nodes[1]
    data = node.data()
    try:
        for percent, en, zh in ((8, "takes no new records", "不再接收新记录"), (4, "proposes no blocks", "不再提议区块")):
            leave_free(node, percent)
            since = time.monotonic()
            drill.until(1, lambda r: lacks(r, 1, ["DISK LOW", "volume/data", en, "Free space"],
                                           ["磁盘空间不足", zh, "请释放空间"]) or
                        about(r.seconds(r"for (\d+) s"), time.monotonic() - since))
            drill.until(0, lambda r: lacks(r, 0, ["in order"], ["正常"], absent=["! "]))
        leave_free(node, 1)  # it ends in good order; with less, a write may fail first
        since = time.monotonic()
        if node.process.wait(20) != EXIT_DISK_FULL:
            raise Failure(f"a full disk ends the node with {node.process.returncode}, not {EXIT_DISK_FULL}")
        if "free space" not in node.log_text() or "volume" not in node.log_text():
            raise Failure(f"the log of a full disk does not say what to do: {node.last_line()}")
        away(drill, 1, since, (0,))
    finally:
        os.unlink(os.path.join(node.volume, "ballast"))
    node.start()


def wrong_clock(drill, seconds, way, zh, told_by_others):
    set_clock(drill.nodes[2], seconds)
    since = time.monotonic()

    def judge(r):
        off = r.seconds(rf"(\d+) s {way}")
        return (lacks(r, 1, ["CLOCK WRONG", "This machine's clock", "Set it (chronyd)"], ["时钟错误", zh, "请校准时钟"]) or
                (None if off and abs(off - HOUR_S) < 30 else f"says it is {off} s {way}") or
                about(r.seconds(r"noticed (\d+) s ago"), time.monotonic() - since))
    try:
        drill.until(2, judge)
        drill.until(0, lambda r: lacks(r, 0, ["in order", *told_by_others], ["正常"], absent=["! "]))
    finally:
        set_clock(drill.nodes[2], 0)


def slow_clock(drill):
    """An hour behind: it votes for nobody else's block, and its operator must read so. Others cannot know."""
    wrong_clock(drill, -HOUR_S, "behind", "慢", [])


def fast_clock(drill):
    """An hour ahead: nobody votes for its blocks. It and the others must say so, and the network goes on."""
    wrong_clock(drill, HOUR_S, "ahead of", "快",
                [f"The clock of {drill.members[2]} (2) is ", "ahead of this machine's clock", "Its operator must set it"])


SCENARIOS = [killed, stopped, partition, one_way, leader, disk, slow_clock, fast_clock]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", help="one scenario: " + ", ".join(s.__name__ for s in SCENARIOS))
    parser.add_argument("--show", action="store_true", help="print what was read")
    options = parser.parse_args()
    demand_tools()
    failed = 0
    drill = Drill(options.show)
    try:
        drill.open()
        for scenario in SCENARIOS:
            if options.only not in (None, scenario.__name__):
                continue
            began = time.monotonic()
            try:
                scenario(drill)
                told = time.monotonic() - began
                drill.all_well()
                print(f"standing: {scenario.__name__}: told in {told:.0f} s, well in "
                      f"{time.monotonic() - began - told:.0f} s after", flush=True)
            except Failure as failure:
                failed += 1
                print(f"standing: {scenario.__name__}: FAILED: {failure}", flush=True)
                drill.unblock()
                drill.network.start()
    finally:
        drill.close()
    print("standing: " + ("every fault was told, and its end" if not failed else f"FAILED: {failed} scenarios"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
