#!/usr/bin/python3
"""Kills one of four real nodes at every call with which it writes to its disk: preload/fault_at.c makes the k-th
call of a start the node's last, before it is done or after, and the next start is the recovery; for every k of
the start and of the life of some blocks, while clients send records to all nodes. The same with calls that fail:
the node must end by itself with exit code 70 and a sentence. First every call of the creation of a directory.

At the end: every record a client was told is final is final on every node, once; no node ever logged an alarm (two
votes that exclude each other, a vote its journal lacks); the auditor accepts all data directories.
usage: killpoints.py [--minutes M | --trials N] [--seed S]"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos"))
from ledger import Key, Ledger, get, reserve, submit, wallet_number  # noqa: E402
from network import BIN, EXIT_BROKEN, Failure, Network  # noqa: E402

VICTIM = 3
CALLS = 200  # of a start and the life of several blocks
KINDS = ["before", "after", "EIO", "ENOSPC"]


def fault(node, kind, k):
    return {"LD_PRELOAD": os.path.abspath(f"{BIN}/fault_at.so"), "FAULT_DIR": os.path.abspath(node.data()),
            "FAULT_AT": str(k), "FAULT_KIND": kind}


class Clients:
    """Sends small transfers to all nodes in turn; remembers what was told final."""

    def __init__(self, network):
        self.network = network
        chain = bytes.fromhex(network.node[0].status()["chain"])
        self.ledger = Ledger(chain)
        self.operator = Key(network.key("BANK/operator.key"))
        self.acknowledged, self.unknown, self.running = {}, 0, True
        issuer = Key(network.key("AUTHORITY/issuer-1.key"))
        self.must_be_final(self.ledger.issue(issuer, 3, 10**9))
        answer = self.must_be_final(self.ledger.open_wallet(self.operator, 3))
        self.wallet = wallet_number(answer["result"]["value"]["wallet"])
        self.threads = [threading.Thread(target=self.loop, args=(i,)) for i in range(2)]
        for t in self.threads:
            t.start()

    def must_be_final(self, record):
        outcome, answer, _ = submit(record, [n.api for n in self.network.node])
        if outcome != "final" or answer["result"]["code"] != 0:
            raise Failure(f"the first records do not become final: {outcome} {answer}")
        return answer

    def loop(self, first):
        turn = first
        while self.running:
            turn += 1
            nodes = self.network.node[turn % 4:] + self.network.node[:turn % 4]
            record = self.ledger.transfer(self.operator, reserve(3), self.wallet, 1 + turn % 50)
            outcome, answer, _ = submit(record, [n.api for n in nodes])
            if outcome == "final":
                self.acknowledged[answer["record_id"]] = answer["height"]
            else:
                self.unknown += 1
            time.sleep(0.05)  # the victim catches up between its deaths

    def stop(self):
        self.running = False
        for t in self.threads:
            t.join()


def final_records(node):
    """Ids in the order of the chain, as this node tells them."""
    ids = []
    for height in range(1, int(node.status()["height"]) + 1):
        answer = get(node.api, f"/v1/blocks/{height}")
        if not answer or answer[0] != 200:
            raise Failure(f"{node.member}: block {height}: {answer and answer[2]}")
        ids += [r["record_id"] for r in answer[2]["records"]]
    return ids


def check(network, clients):
    acknowledged = list(clients.acknowledged)  # more come meanwhile
    network.same_root()
    for n in network.node:
        ids = Counter(final_records(n))
        twice = [i for i, count in ids.items() if count > 1]
        lost = [i for i in acknowledged if i not in ids]
        if twice or lost:
            raise Failure(f"{n.member}: {len(lost)} acknowledged records lost, {len(twice)} final twice")
    if network.alarms():
        raise Failure("alarm: " + network.alarms()[0])


def trial(network, kind, k):
    """Starts the victim so that its k-th call on its disk is its last, or fails. True: it came to that."""
    node = network.node[VICTIM]
    node.start(**fault(node, kind, k))
    node.killed = True
    try:
        code = node.process.wait(8)
    except subprocess.TimeoutExpired:  # so many calls it does not make in this time
        node.end()
        return False
    want = EXIT_BROKEN if kind.startswith("E") else -9
    if code != want:
        raise Failure(f"{kind} at call {k}: exit {code}, expected {want}: {node.last_line()}")
    if want == EXIT_BROKEN and "store" not in node.last_line():
        raise Failure(f"{kind} at call {k}: no sentence of the store: {node.last_line()}")
    return True


def init_trials(base):
    """Every call of the creation of a data directory; the node starts afterwards as if nothing had been."""
    network, done = Network(4, base=base), 0
    node = network.node[VICTIM]
    try:
        for kind in KINDS:
            for k in range(1, CALLS):
                shutil.rmtree(node.data(), ignore_errors=True)
                node.start(**fault(node, kind, k))
                ended = False
                try:
                    node.await_api()
                except Failure:
                    ended = True
                code = node.process.poll()
                if ended and code != (EXIT_BROKEN if kind.startswith("E") else -9):
                    raise Failure(f"{kind} at call {k} of the first start: exit {code}: {node.last_line()}")
                node.end()
                if not ended:
                    break
                node.start()
                node.await_api()
                node.end()
                done += 1
    finally:
        network.close()
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--trials", type=int)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    began, counts = time.monotonic(), Counter()
    end = began + options.minutes * 60 if options.minutes else None
    points = [(kind, k) for k in range(1, CALLS + 1) for kind in KINDS]
    random.Random(options.seed).shuffle(points)
    if not options.trials or options.trials > 50:
        counts["init"] = init_trials(base)
    network = Network(4, "consensus.pace_ms=20", base=base)
    clients = None
    try:
        network.start()
        clients = Clients(network)
        network.node[VICTIM].end()
        for number, (kind, k) in enumerate(points * 1000):
            if (options.trials and number >= options.trials) or (end and time.monotonic() > end):
                break
            if not end and not options.trials and number == len(points):
                break
            counts[kind if trial(network, kind, k) else "not reached"] += 1
            if number % 25 == 24:
                network.start()
                check(network, clients)
                network.node[VICTIM].end()
        clients.stop()
        network.start()
        check(network, clients)
        network.verify()
    except Failure as failure:
        print(f"killpoints: FAILED, seed {options.seed}: {failure}")
        return 1
    finally:
        if clients:
            clients.running = False
        network.close()
    print(f"killpoints, seed {options.seed}: {counts['init']} ends in the creation of a directory, {counts['before']} "
          f"kills before and {counts['after']} after a call of the store, {counts['EIO']} calls broken, "
          f"{counts['ENOSPC']} full ({counts['not reached']} not reached); {len(clients.acknowledged)} records "
          f"acknowledged, none lost, none twice; {clients.unknown} unknown; no alarm; {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
