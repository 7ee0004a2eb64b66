#!/usr/bin/python3
"""How long four real nodes on this machine need to go on, against the bounds of docs/assurance.md: until the next
final record after the leader of the view is killed (two time-outs of a view: 2 s at the defaults); until all go on
after all were killed at once (60 s); until a node is caught up that missed as many blocks as an hour has seconds, at
one block a second (60 s).
usage: recovery_times.py [--blocks N]"""
import argparse
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ledger import Key, Ledger, get, post, reserve, submit, wallet_number  # noqa: E402
from network import Failure, Network  # noqa: E402

KILLS, LEADER_S, ALL_S, GAP_S = 6, 2.0, 60.0, 60.0


class Money:
    """A ledger with something to pay, and a client that pays."""

    def __init__(self, network):
        self.network = network
        self.ledger = Ledger(bytes.fromhex(network.node[0].status()["chain"]))
        self.key = Key(network.key("BANK/operator.key"))
        self.final(self.ledger.issue(Key(network.key("AUTHORITY/issuer-1.key")), 3, 10**9))
        self.wallet = wallet_number(self.final(self.ledger.open_wallet(self.key, 3))["result"]["value"]["wallet"])

    def payment(self):
        return self.ledger.transfer(self.key, reserve(3), self.wallet, 1)

    def final(self, record, nodes=None):
        outcome, answer, _ = submit(record, [n.api for n in nodes or self.network.node], 60)
        if outcome != "final" or answer["result"]["code"]:
            raise Failure(f"no record becomes final: {outcome} {answer}")
        return answer


def leader_killed(network, money):
    """Seconds from the kill to the next final record. Leaders follow each other in the order of validators."""
    height = money.final(money.payment())["height"]
    block = get(network.node[0].api, f"/v1/blocks/{height}")[2]
    time.sleep(0.5)
    n = len(network.node)
    view = max(int(node.status()["view"]) for node in network.node)
    leader = network.node[(block["proposer"] + view - int(block["view"])) % n]
    record = money.payment()
    leader.end()
    killed = time.monotonic()
    money.final(record, [node for node in network.node if node is not leader])
    took = time.monotonic() - killed
    leader.start()
    leader.await_api()
    network.same_root()
    return took


def all_killed(network, money):
    for node in network.node:
        node.killed = True
        node.process.kill()
    for node in network.node:
        node.process.wait()
    began = time.monotonic()
    for node in network.node:
        node.start()
    money.final(money.payment())
    return time.monotonic() - began


def pour(money, nodes, until_height):
    """Records from several hands, as many blocks as they make, until this height."""
    done = threading.Event()

    def hand(i):
        while not done.is_set():
            post(nodes[i % len(nodes)].api, money.payment(), 0, 5)
            time.sleep(0.05)  # some records a block: what is measured is blocks

    hands = [threading.Thread(target=hand, args=(i,)) for i in range(6)]
    for h in hands:
        h.start()
    try:
        while int((nodes[0].status() or {"height": 0})["height"]) < until_height:
            time.sleep(0.2)
    finally:
        done.set()
        for h in hands:
            h.join()


def gap(blocks):
    """(blocks missed, seconds until the node has them and the same state)"""
    network = Network(4, "consensus.pace_ms=0", base="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        network.start()
        money = Money(network)
        late, others = network.node[3], network.node[:3]
        late.end()
        before = int(others[0].status()["height"])
        pour(money, others, before + blocks)
        began = time.monotonic()
        late.start()
        target = int(others[0].status()["height"])
        while int((late.status() or {"height": 0})["height"]) < target:
            if time.monotonic() - began > 4 * GAP_S:
                raise Failure(f"the node does not catch up: {late.status()}")
            time.sleep(0.05)
        took = time.monotonic() - began
        network.same_root()
        return target - before, took
    finally:
        network.close()


def say(text):
    print(text, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--blocks", type=int, default=3600, help="missed by the late node (3600)")
    options = parser.parse_args()
    network = Network(4)
    try:
        network.start()
        money = Money(network)
        kills = [leader_killed(network, money) for _ in range(KILLS)]
        everything = [all_killed(network, money) for _ in range(3)]
        network.same_root()
        network.verify()
    except Failure as failure:
        print(f"recovery times: FAILED: {failure}")
        return 1
    finally:
        network.close()
    say("leader killed: next final record after " + ", ".join(f"{t:.2f}" for t in kills) + f" s (bound {LEADER_S:.0f} s)")
    say("all killed: next final record after " + ", ".join(f"{t:.2f}" for t in everything) + f" s (bound {ALL_S:.0f} s)")
    missed, took = gap(options.blocks)
    say(f"{missed} blocks missed: caught up after {took:.1f} s (bound {GAP_S:.0f} s)")
    good = max(kills) <= LEADER_S and max(everything) <= ALL_S and took <= GAP_S
    say("recovery times: " + ("within their bounds" if good else "FAILED: beyond a bound"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
