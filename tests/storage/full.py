#!/usr/bin/python3
"""A volume that fills and is freed, under one of four real nodes (docs/hazards.md H6): at 10 % free it takes no records
from clients, at 5 % it proposes no block, and both again within seconds once space is freed, in the same process; at
2 % it ends with exit code 75, and so does every start until there is room. The others go on all the time.

Without options the volume is made up (preload/fault_at.c answers statvfs); --volume, as root, fills a tmpfs, and at
last to its last byte.
usage: full.py [--volume]"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos"))
from ledger import Key, Ledger, get, post, reserve, submit, wallet_number  # noqa: E402
from network import BIN, EXIT_BROKEN, EXIT_DISK_FULL, Failure, Network, run  # noqa: E402

VICTIM, VOLUME_MIB, SECONDS = 3, 256, 4


class MadeUp:
    def __init__(self, node):
        self.file = os.path.join(node.dir, "free")
        node.env = {"LD_PRELOAD": os.path.abspath(f"{BIN}/fault_at.so"), "FAULT_FREE": self.file}

    def leave(self, percent):
        with open(self.file + ".new", "w", encoding="ascii") as f:
            f.write(str(percent))
        os.rename(self.file + ".new", self.file)

    def close(self):
        pass


class Tmpfs:
    def __init__(self, node):
        self.path = node.data()
        os.mkdir(self.path, 0o750)
        run("mount", "-t", "tmpfs", "-o", f"size={VOLUME_MIB}m,mode=750", "hubfull", self.path)
        self.ballast = os.path.join(self.path, "ballast")

    def leave(self, percent):
        """Of the volume's size, in free space; more than there can be: all of it."""
        with open(self.ballast, "ab") as f:
            os.ftruncate(f.fileno(), 0)
            fs = os.statvfs(self.path)
            fill = fs.f_bavail - fs.f_blocks * percent // 100
            if fill > 0:
                os.posix_fallocate(f.fileno(), 0, fill * fs.f_frsize)

    def close(self):
        run("umount", "-l", self.path, check=False)


def until(what, holds):
    end = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > end:
            raise Failure(f"not after {SECONDS} s: {what}")
        time.sleep(0.05)


class Scene:
    def __init__(self, network, volume):
        self.network, self.volume, self.node = network, volume, network.node[VICTIM]
        self.others = [n.api for n in network.node if n is not self.node]
        self.ledger = Ledger(bytes.fromhex(network.node[0].status()["chain"]))
        self.key = Key(network.key("BANK/operator.key"))
        self.final(self.ledger.issue(Key(network.key("AUTHORITY/issuer-1.key")), 3, 10**9))
        self.wallet = wallet_number(self.final(self.ledger.open_wallet(self.key, 3))["result"]["value"]["wallet"])

    def final(self, record, addresses=None):
        outcome, answer, _ = submit(record, addresses or self.others)
        if outcome != "final" or answer["result"]["code"]:
            raise Failure(f"the other nodes do not go on: {outcome} {answer}")
        return answer

    def pay(self, addresses=None):
        return self.final(self.ledger.transfer(self.key, reserve(3), self.wallet, 1), addresses)

    def refused(self):
        answer = post(self.node.api, self.ledger.transfer(self.key, reserve(3), self.wallet, 1), 1, 3)
        return bool(answer) and answer[0] == 503 and answer[1]["name"] == "disk_low"

    def proposers(self, blocks):
        found = []
        for _ in range(blocks):
            height = self.pay()["height"]
            found.append(get(self.others[0], f"/v1/blocks/{height}")[2]["proposer"])
        return found

    def play(self):
        process = self.node.process
        self.volume.leave(8)
        until("at 8 % free the node refuses records", self.refused)
        self.pay()
        self.volume.leave(4)
        until("at 4 % free it says so", lambda: self.node.status()["disk"] == "no_proposals")
        if VICTIM in self.proposers(10):
            raise Failure("at 4 % free the node proposed a block")
        self.volume.leave(60)
        until("with space freed the node takes records", lambda: not self.refused())
        self.pay([self.node.api])
        if VICTIM not in self.proposers(16):
            raise Failure("with space freed the node proposes no block")
        if self.node.process is not process or not self.node.running():
            raise Failure("the node was started again; it was to go on by itself")
        self.volume.leave(1)
        self.ends("at 1 % free", (EXIT_DISK_FULL,))
        for _ in range(2):
            self.volume.leave(1)  # of the reserve it gave back, nothing is left either
            self.node.start()
            self.ends("a start at 1 % free", (EXIT_DISK_FULL,))
        self.pay()
        if isinstance(self.volume, Tmpfs):
            self.last_byte()
        self.volume.leave(60)
        self.node.start()
        self.node.await_api()
        self.pay([self.node.api])

    def last_byte(self):
        """Full within one second, before the node looks: its next commit fails, or it looks first."""
        self.volume.leave(60)
        self.node.start()
        self.node.await_api()
        self.volume.leave(0)
        for _ in range(20):
            self.pay()
        self.ends("at the last byte", (EXIT_BROKEN, EXIT_DISK_FULL))
        self.node.start()
        self.ends("a start at the last byte", (EXIT_BROKEN, EXIT_DISK_FULL))

    def ends(self, when, codes):
        try:
            code = self.node.process.wait(8)
        except subprocess.TimeoutExpired:
            raise Failure(f"{when} the node does not end") from None
        if code not in codes:
            raise Failure(f"{when} the node ends with {code}, not {codes}: {self.node.last_line()}")


def main():
    real = sys.argv[1:] == ["--volume"]
    if len(sys.argv) > 1 and not real:
        sys.exit(__doc__)
    if real and os.geteuid() != 0:
        sys.exit("full: it mounts a volume: run it as root")
    network = Network(4, "consensus.pace_ms=20")
    volume = (Tmpfs if real else MadeUp)(network.node[VICTIM])
    try:
        volume.leave(60)
        network.start()
        Scene(network, volume).play()
        height, _ = network.same_root()
        network.verify()
        if network.alarms():
            raise Failure(network.alarms()[0])
    except Failure as failure:
        print(f"full: FAILED: {failure}")
        return 1
    finally:
        for n in network.node:
            n.end()
        volume.close()
        network.close()
    print(f"full: {'a tmpfs' if real else 'a made-up volume'} of one node filled and freed; {height} blocks, all agree, audited")
    return 0


if __name__ == "__main__":
    sys.exit(main())
