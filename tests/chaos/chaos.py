#!/usr/bin/python3
"""Real nodes under fire: four, then seven, each in a network namespace with a volume of its own; faults of every kind
(faults.py) while clients pay each other, auditors read and members sign agreements, and somebody reads what the nodes
say of themselves (reading.py). Then everything heals, all must agree and say that all is well, the history checker
(history.py) judges what clients saw, and the auditor executes every node's data.
usage: chaos.py [--minutes M] [--nodes N] [--seed S] [--keep]"""
import argparse
import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cbor2  # noqa: E402
from faults import KINDS, SECONDS, Site, demand_tools  # noqa: E402
from history import check  # noqa: E402
from ledger import Key, Ledger, family, get, record_id, reserve, submit, wallet_number, wallet_text  # noqa: E402
from network import BIN, Failure, Network, run  # noqa: E402
from reading import Reading, Sampler, lacks  # noqa: E402

WALLETS, PAYERS, BANK = 6, 4, 3
OF_NODES = ["validator.ready"]  # a node's own records; evidence.report is none that may come: nobody here lies
SIGNERS = ["XIANGCHENG", "CHANGNING", "JIADING"]


class World:
    """One network, its clients and its history."""

    def __init__(self, count, seed, *parameters):
        self.seed, self.stop, self.errors = seed, threading.Event(), []
        self.network = Network(count, *parameters, base="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.site = None
        self.operations, self.struck, self.ended = [], Counter(), Counter()
        self.faults = []  # what held when: see Sampler
        self.sampler = Sampler(self.network, self.faults)
        self.held, self.may_end = set(), {}  # members held down; member -> (codes, until)

    def open(self):
        self.site = Site(self.network)
        for n in self.network.node:
            n.life = 0
            self.start_node(n)
        for n in self.network.node:
            n.await_api(60)
        self.ledger = Ledger(bytes.fromhex(self.network.node[0].status()["chain"]))
        self.operator = Key(self.network.key("BANK/operator.key"))
        self.seals = {m: Key(self.network.key(f"{m}/seal.key")) for m in SIGNERS}
        issue = self.operate("issue", self.ledger.issue(Key(self.network.key("AUTHORITY/issuer-1.key")), BANK, 10**7),
                             credit=reserve(BANK), amount=10**7)
        if issue["outcome"] != "final" or issue["code"]:
            raise Failure(f"money is not issued: {issue}")
        self.wallets = [reserve(BANK)]
        for _ in range(WALLETS):
            answer = self.operate("open", self.ledger.open_wallet(self.operator, BANK))["answer"]
            self.wallets.append(wallet_number(answer["result"]["value"]["wallet"]))

    def start_node(self, node):
        node.life += 1
        node.start()

    def operate(self, kind, record, dice=random, **more):
        nodes = list(self.network.node)
        dice.shuffle(nodes)
        op = {"kind": kind, "id": record_id(record), "start": time.monotonic(), "end": None, "outcome": "unknown", **more}
        self.operations.append(op)
        outcome, answer, _ = submit(record, [n.api for n in nodes])
        if outcome == "final":
            op.update(height=int(answer["height"]), index=answer["index"], code=answer["result"]["code"], answer=answer)
        if outcome != "unknown":
            op.update(end=time.monotonic(), outcome=outcome)
        return op

    # ---- clients

    def pay(self, number):
        dice = random.Random(f"{self.seed} payer {number}")
        while not self.stop.is_set():
            debit, credit = dice.sample(self.wallets, 2)
            if credit == self.wallets[0]:  # a reserve takes money back only by redemption
                debit, credit = credit, debit
            fen = dice.choice([1, 10, 1000, 10**5, 10**6, 6 * 10**6])
            self.operate("transfer", self.ledger.transfer(self.operator, debit, credit, fen), dice, debit=debit,
                         credit=credit, amount=fen)

    def read(self):
        dice = random.Random(f"{self.seed} reader")
        while not self.stop.wait(0.05):
            at = dice.randrange(len(self.network.node))
            node, wallet = self.network.node[at], dice.choice(self.wallets)
            life, start = node.life, time.monotonic()
            answer = get(node.api, f"/v1/wallets/{wallet_text(wallet)}", 2)
            if answer and answer[0] == 200 and node.life == life:
                self.operations.append({"kind": "read", "start": start, "end": time.monotonic(), "outcome": "final",
                                        "wallet": wallet, "balance": int(answer[2]["balance_fen"]), "node": at,
                                        "life": life, "height": int(answer[1]["Hub-Height"])})

    def agree(self):
        """One agreement after the other: signed offline by three members, sent by us."""
        number = 0
        self.agreements = {}
        while not self.stop.wait(1):
            number += 1
            place = os.path.join(self.network.root, f"agreement-{number}")
            os.mkdir(place)
            name, records = self.sign_agreement(place, f"CHAOS-{number}")
            done = [self.operate("other", r) for r in records]
            self.agreements[name] = all(o["outcome"] == "final" and o["code"] == 0 for o in done)

    def sign_agreement(self, place, number):
        with open("docs/examples/agreement.conf", encoding="utf-8") as f:
            text = f.read()
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86400))
        lines = [f'number = {number}' if line.startswith("number") else f"sign_by = {day}" if line.startswith("sign_by")
                 else line for line in text.splitlines()]
        conf, draft, paper = f"{place}/a.conf", f"{place}/a.draft", "docs/examples/agreement.txt"
        with open(conf, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        hub = [f"{BIN}/hubledger", "agreement"]
        common = ["--document", paper, "--lang", "en", "--genesis", self.network.genesis(), "--key"]
        said = run(*hub, "draft", "--from", conf, *common, self.network.key("XIANGCHENG/seal.key"), "-o", draft)
        records = []
        for member in SIGNERS:
            verb = ["propose", draft, "--sign"] if member == SIGNERS[0] else ["sign", draft]
            out = f"{place}/{member}.cbor"
            run(*hub, *verb, *common, self.network.key(f"{member}/seal.key"), "--confirm", f"sign {number}", "--offline",
                "--seq", str(self.seals[member].next_seq()), "-o", out)
            with open(out, "rb") as f:
                records.append(cbor2.loads(f.read())[0])
        return said.split()[3], records

    # ---- faults

    def watch(self):
        """Starts again what has ended, as a service manager does; judges ends that nobody ordered."""
        while not self.stop.wait(0.05):
            for n in self.network.node:
                if n.running() or n.member in self.held:
                    continue
                code, now = n.process.returncode, time.monotonic()
                if not n.killed:
                    codes, until = self.may_end.get(n.member, ((), 0))
                    self.ended[f"{n.member} exit {code}"] += 1
                    if code not in codes or now > until:
                        self.errors.append(f"{n.member} ended by itself with {code}: {n.last_line()}")
                    time.sleep(0.3)
                self.start_node(n)

    def one_fault(self, fault, seconds):
        member = fault.node().member
        down = [n.member for n in self.network.node] if fault.what == "all" else [member]
        kind = type(fault).__name__
        if fault.may_end:
            self.may_end[member] = (fault.may_end, time.monotonic() + seconds + 10)
        if kind in ("Kill", "KillAll"):
            down = [n.member for n in self.network.node] if kind == "KillAll" else [member]
            self.held |= set(down)
        held = {"kind": kind, "members": down, "start": time.monotonic(), "end": None, "what": ""}
        self.faults.append(held)
        fault.strike()
        held["what"], held["start"] = fault.name(), time.monotonic()
        self.struck[kind] += 1
        print(f"  {time.monotonic() - self.began:6.1f} s  {fault.name()}, {seconds:.1f} s", flush=True)
        self.stop.wait(seconds)
        fault.heal()
        held["end"] = time.monotonic()
        self.held -= set(down)

    def strike(self, dice, seconds):
        """One or two faults at a time, of different kinds, with quiet spells."""
        end, active = time.monotonic() + seconds, {}
        while time.monotonic() < end and not self.errors:
            active = {kind: t for kind, t in active.items() if t.is_alive()}
            free = [k for k in KINDS if k not in active and not (k.__name__ in ("Partition", "OneWay") and
                                                                 any(a.__name__ in ("Partition", "OneWay") for a in active))]
            if len(active) < 2 and dice.random() < 0.8:
                kind = dice.choice(free)
                low, high = SECONDS.get(kind, (1, 10))
                t = threading.Thread(target=self.guarded, args=(self.one_fault, kind(self.site, dice),
                                                                dice.uniform(low, high)))
                t.start()
                active[kind] = t
            time.sleep(dice.uniform(0.3, 2.5))
        for t in active.values():
            t.join()

    def guarded(self, work, *args):
        try:
            work(*args)
        except Exception as error:  # a thread's failure is the run's
            self.errors.append(f"{work.__name__}: {type(error).__name__}: {error}")

    def look(self):
        """Reads one node after the other as an operator would; what is not true is the run's failure."""
        at = 0
        while not self.stop.wait(1):
            at += 1
            untrue = self.sampler.sample(self.network.node[at % len(self.network.node)])
            if untrue:
                self.errors.append(untrue)

    def all_well(self, seconds=60):
        """After the faults every node says so, and nothing else."""
        end, said = time.monotonic() + seconds, []
        while time.monotonic() < end:
            said = [(r, lacks(r, 0, ["in order"], ["正常"], absent=["! ", "- "])) for r in map(Reading, self.network.node)]
            if not any(missing for _, missing in said):
                return []
            time.sleep(0.5)
        return [f"{r.node.member} does not say that all is well ({missing}): {r.en}" for r, missing in said if missing]

    # ---- the run and its verdict

    def fire(self, seconds):
        self.began = time.monotonic()
        work = [threading.Thread(target=self.guarded, args=(self.pay, i)) for i in range(PAYERS)]
        work += [threading.Thread(target=self.guarded, args=(f,)) for f in (self.read, self.agree, self.watch, self.look)]
        for t in work:
            t.start()
        try:
            self.strike(random.Random(self.seed), seconds)
            healed = time.monotonic()
            while not self.errors and not any(o["kind"] == "transfer" and o["start"] > healed and o["end"]
                                              for o in self.operations[-200:]):
                if time.monotonic() - healed > 120:
                    self.errors.append("no record becomes final in 120 s after all faults healed")
                time.sleep(0.1)
            self.recovered = time.monotonic() - healed
            time.sleep(2)
        finally:
            self.stop.set()
            for t in work:
                t.join()

    def order(self):
        node, order = self.network.node[0], []
        for height in range(1, int(node.status()["height"]) + 1):
            told, raw = get(node.api, f"/v1/blocks/{height}"), get(node.api, f"/v1/blocks/{height}?format=cbor", raw=True)
            records = [entry[0] for entry in cbor2.loads(raw[2])[1]]
            if [record_id(r) for r in records] != [r["record_id"] for r in told[2]["records"]]:
                raise Failure(f"block {height}: the ids in the answer are not those of its records")
            order += [(height, i, r["record_id"], r["code"])
                      for i, (r, record) in enumerate(zip(told[2]["records"], records))
                      if family(record) not in OF_NODES]
        return order

    def judge(self):
        broken = list(self.errors)
        for n in self.network.node:
            if not n.running():
                self.start_node(n)
                n.await_api(60)
        self.network.same_root(90)
        broken += self.all_well()
        self.history = self.order()
        broken += check(self.operations, self.history)
        broken += self.network.alarms()
        for name, whole in self.agreements.items():
            states = {(get(n.api, f"/v1/agreements/{name}") or (0, 0, {}))[2].get("state") for n in self.network.node}
            if whole and states != {"in_force"}:
                broken.append(f"agreement {name[:12]} was signed by all and is {states}")
        self.network.verify()
        return broken

    def longest_silence(self):
        ends = sorted(o["end"] for o in self.operations if o["kind"] != "read" and o["end"])
        return max((b - a for a, b in zip(ends, ends[1:])), default=0)

    def close(self, keep):
        self.stop.set()
        if keep:
            with open(os.path.join(self.network.root, "history.json"), "w", encoding="utf-8") as f:
                json.dump({"operations": self.operations, "order": getattr(self, "history", [])}, f)
            print(f"kept: {self.network.root}")
        for n in self.network.node:
            n.end(signal.SIGCONT)
            n.end()
        if self.site:
            self.site.close(keep)
        self.network.close(keep)


def trial(count, seconds, options):
    world = World(count, options.seed)
    kept = False
    try:
        print(f"chaos: {count} nodes, seed {options.seed}, {seconds:.0f} s", flush=True)
        world.open()
        world.fire(seconds)
        broken = world.judge()
        outcomes = Counter((o["kind"], o["outcome"]) for o in world.operations)
        print("faults: " + ", ".join(f"{k} {v}" for k, v in sorted(world.struck.items())))
        print("operations: " + ", ".join(f"{kind} {outcome} {n}" for (kind, outcome), n in sorted(outcomes.items())))
        print(f"readings: {world.sampler.samples}, with {world.sampler.problems} problems told")
        print(f"ended by themselves: {dict(world.ended) or 'none'}")
        print(f"{len(world.history)} records in the order; longest time without an outcome {world.longest_silence():.1f} s; "
              f"after the last fault {world.recovered:.1f} s to the next")
        for b in broken[:20]:
            print("BROKEN: " + b)
        kept = bool(broken) and options.keep
        print(f"chaos: {count} nodes, seed {options.seed}: " +
              ("strictly serializable, nothing lost, all agree, audited" if not broken else f"FAILED, {len(broken)} broken"),
              flush=True)
        return not broken
    except Failure as failure:
        kept = options.keep
        print(f"chaos: {count} nodes, seed {options.seed}: FAILED: {failure}", *world.errors[:5], sep="\n  ")
        return False
    finally:
        world.close(kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=4, help="of faults, over all sizes of network (4)")
    parser.add_argument("--nodes", type=int, help="one network of this size instead of four nodes and seven")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="keep the directory of a failed run")
    options = parser.parse_args()
    demand_tools()
    sizes = [options.nodes] if options.nodes else [4, 7]
    good = True
    for count in sizes:
        good &= trial(count, options.minutes * 60 / len(sizes), options)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
