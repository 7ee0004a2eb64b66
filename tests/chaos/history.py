"""Judges a history: what clients did, when, and what they were told, against the order the ledger ended with. Shares
nothing with the ledger: balances are computed here, from the clients' own operations.

An operation is a dict:
    kind      issue | open | transfer | other | read
    start     monotonic time in seconds before the first byte was sent
    end       when the outcome was known; None while unknown
    outcome   final | refused | unknown
    id        record id (not for read)
    height, index, code   what a final outcome said
    debit, credit, amount of an issue (credit only) or a transfer; wallet of an open
    wallet, balance, height   of a read: the balance of the wallet as of that height

The order is a list of (height, index, id, code), as the chain holds it.

check() returns what is broken; an empty list means:
  1. strict serializability: the records take effect one after the other in the order; an operation that ended
     before another began stands before it; every transfer's code follows from the balances at its place;
  2. nothing told final is missing or elsewhere, nothing refused is there, nothing is there twice or unasked for;
  3. every read shows the balance that the order gives at its height, and at one node, between its starts, no read
     that began after another had ended shows an earlier height. (A restart may lose what was not yet on that disk,
     never what is final on others.)"""
from bisect import bisect_left, bisect_right
from collections import defaultdict
from itertools import accumulate

INSUFFICIENT_FUNDS = 341


class Book:
    """Balances after each height, from the operations in the order."""

    def __init__(self):
        self.balance = defaultdict(int)
        self.at = defaultdict(list)  # wallet -> [(height, balance after it)], ascending

    def move(self, wallet, fen, height):
        self.balance[wallet] += fen
        self.at[wallet].append((height, self.balance[wallet]))

    def as_of(self, wallet, height):
        moves = self.at[wallet]
        count = bisect_right(moves, height, key=lambda move: move[0])
        return moves[count - 1][1] if count else 0


def check_places(operations, order, broken):
    """Rule 2. Returns the operation of each place, None where nobody asked for the record."""
    asked = {o["id"]: o for o in operations if "id" in o}
    place = {}
    for at, (height, index, record, _) in enumerate(order):
        if record in place:
            broken.append(f"record {record[:12]} is twice in the order, at heights {order[place[record]][0]} and {height}")
        if record not in asked:
            broken.append(f"record {record[:12]} at height {height} was sent by nobody")
        if at and (height, index) <= order[at - 1][:2]:
            broken.append(f"the order goes back at height {height}")
        place.setdefault(record, at)
    for o in asked.values():
        at = place.get(o["id"])
        if o["outcome"] == "final" and at is None:
            broken.append(f"record {o['id'][:12]} was told final at height {o['height']} and is lost")
        elif o["outcome"] == "final" and (o["height"], o["index"], o["code"]) != (order[at][0], order[at][1], order[at][3]):
            broken.append(f"record {o['id'][:12]} was told final as {o['height']}.{o['index']} code {o['code']} "
                          f"and stands at {order[at][0]}.{order[at][1]} code {order[at][3]}")
        elif o["outcome"] == "refused" and at is not None:
            broken.append(f"record {o['id'][:12]} was refused and stands at height {order[at][0]}")
    return [asked.get(record) for _, _, record, _ in order]


def check_real_time(placed, broken):
    """No operation stands before one that had ended when it began: from the back, the earliest end so far."""
    earliest, whose = float("inf"), None
    for o in reversed(placed):
        if o is None:
            continue
        if o["start"] > earliest:
            broken.append(f"record {o['id'][:12]} began after {whose[:12]} had ended and stands before it")
        if o["outcome"] == "final" and o["end"] < earliest:
            earliest, whose = o["end"], o["id"]


def check_balances(order, placed, broken):
    """Executes the order with arithmetic of its own. Returns the book."""
    book = Book()
    for (height, _, record, code), o in zip(order, placed):
        if o is None or o["kind"] not in ("issue", "transfer"):
            continue
        fits = o["kind"] == "issue" or book.balance[o["debit"]] >= o["amount"]
        if fits != (code == 0) or (not fits and code != INSUFFICIENT_FUNDS):
            broken.append(f"record {record[:12]} at height {height} has code {code}, and "
                          f"{'the money was there' if fits else 'the money was not there'}")
        if code == 0:
            book.move(o["credit"], o["amount"], height)
            if o["kind"] == "transfer":
                book.move(o["debit"], -o["amount"], height)
    return book


def check_reads(operations, book, broken):
    """Rule 3."""
    lives = defaultdict(list)  # (node, life) -> its reads, by their ends
    for o in sorted((o for o in operations if o["kind"] == "read" and o["outcome"] == "final"), key=lambda o: o["end"]):
        lives[o["node"], o["life"]].append(o)
        balance = book.as_of(o["wallet"], o["height"])
        if balance != o["balance"]:
            broken.append(f"a read of wallet {o['wallet']} at height {o['height']} shows {o['balance']}, "
                          f"the order gives {balance}")
    for reads in lives.values():
        highest = list(accumulate((o["height"] for o in reads), max))
        for o in reads:
            before = bisect_left(reads, o["start"], key=lambda r: r["end"])
            if before and highest[before - 1] > o["height"]:
                broken.append(f"a read at node {o['node']} shows height {o['height']} after {highest[before - 1]}")


def check(operations, order):
    broken = []
    placed = check_places(operations, order, broken)
    check_real_time(placed, broken)
    book = check_balances(order, placed, broken)
    check_reads(operations, book, broken)
    return broken
