#!/usr/bin/python3
"""The history checker accepts what may happen and refuses what may not: one small history a rule, changed in one way."""
import copy
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from history import check  # noqa: E402


def op(kind, name, start, end, outcome="final", **more):
    return {"kind": kind, "id": name, "start": start, "end": end, "outcome": outcome, **more}


def read(start, end, wallet, balance, height, node=0, life=1):
    return {"kind": "read", "start": start, "end": end, "outcome": "final", "wallet": wallet, "balance": balance,
            "height": height, "node": node, "life": life}


# 1,000 fen are issued to R; R pays A 600; A and R then pay each other at the same time; R pays 900 it does not have.
OPERATIONS = [
    op("issue", "i", 0, 1, credit="R", amount=1000, height=1, index=0, code=0),
    op("transfer", "t1", 2, 3, debit="R", credit="A", amount=600, height=2, index=0, code=0),
    op("transfer", "t2", 4, 6, debit="A", credit="R", amount=100, height=3, index=0, code=0),
    op("transfer", "t3", 4.5, 6, debit="R", credit="A", amount=50, height=3, index=1, code=0),
    op("transfer", "t4", 7, 8, debit="R", credit="A", amount=900, height=4, index=0, code=341),
    op("transfer", "t5", 7, None, "unknown", debit="A", credit="R", amount=1),
    op("transfer", "t6", 7, 7.5, "refused", debit="A", credit="R", amount=1),
    op("other", "o", 9, 10, height=5, index=1, code=0),
    read(3.1, 3.2, "A", 600, 2),
    read(6.1, 6.2, "A", 550, 3),
    read(6.3, 6.4, "A", 0, 1, node=1),
    read(6.5, 6.6, "A", 600, 2, life=2),
]
ORDER = [(1, 0, "i", 0), (2, 0, "t1", 0), (3, 0, "t2", 0), (3, 1, "t3", 0), (4, 0, "t4", 341), (5, 0, "t5", 0),
         (5, 1, "o", 0)]


def change(operations=None, order=None):
    """Both copied, then changed by these functions."""
    ops, places = copy.deepcopy(OPERATIONS), list(ORDER)
    for act, on in ((operations, ops), (order, places)):
        if act:
            act(on)
    return ops, places


def swap(places):
    """t1 and t2 change places in the order, and what clients were told agrees with it."""
    places[1], places[2] = (2, 0, "t2", 341), (3, 0, "t1", 0)


GOOD = {
    "as it was": change(),
    "an unknown operation that never appears": change(order=lambda o: o.remove((5, 0, "t5", 0))),
    "two at the same time the other way round": change(
        lambda ops: (ops[2].update(index=1), ops[3].update(index=0)),
        lambda o: o.__setitem__(slice(2, 4), [(3, 0, "t3", 0), (3, 1, "t2", 0)])),
}
BAD = {
    "lost": change(order=lambda o: o.remove((3, 0, "t2", 0))),
    "twice": change(order=lambda o: o.append((6, 0, "t1", 0))),
    "sent by nobody": change(order=lambda o: o.append((6, 0, "x", 0))),
    "stands at": change(lambda ops: ops[1].update(height=3)),
    "code 0\\b": change(lambda ops: ops[1].update(code=341)),
    "refused and": change(order=lambda o: o.append((6, 0, "t6", 0))),
    "goes back": change(order=lambda o: o.reverse()),
    "had ended": change(lambda ops: (ops[1].update(height=3, code=0), ops[2].update(height=2, code=341)), swap),
    "the money was not there": change(lambda ops: ops[4].update(code=0), lambda o: o.__setitem__(4, (4, 0, "t4", 0))),
    "the money was there": change(lambda ops: ops[1].update(code=341), lambda o: o.__setitem__(1, (2, 0, "t1", 341))),
    "the order gives": change(lambda ops: ops[9].update(balance=600)),
    "the order gives 0": change(lambda ops: ops[10].update(balance=600)),
    "after 3": change(lambda ops: ops.append(read(6.7, 6.8, "A", 600, 2))),
}


def main():
    wrong = []
    for name, (operations, order) in GOOD.items():
        found = check(operations, order)
        if found:
            wrong.append(f"refuses a good history, {name}: {found[0]}")
    for words, (operations, order) in BAD.items():
        found = check(operations, order)
        if not any(words.removesuffix("\\b") in f for f in found):
            wrong.append(f"does not say '{words}': {found}")
    for w in wrong:
        print("history_test:", w)
    print(f"history_test: {len(GOOD)} histories accepted, {len(BAD)} refused" if not wrong else "FAILED")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
