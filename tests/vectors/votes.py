#!/usr/bin/python3
"""A second model of how members decide by vote, from docs/governance.md alone: prints votes.txt, which the unit
test of the same name replays on the ledger's rules. Members are numbers: voters first, then others, of whom the last
is the currency authority where there is one; member 0 runs the only validator. Random, with fixed seeds.
usage: votes.py > votes.txt; `make test` runs it and compares.

Lines, each event with the code that must come out and what the proposal must look like afterwards:
  council VOTERS OTHERS AUTHORITY GOVERNORS-NEEDED      a digit for each member
  tick SECONDS
  propose N BY SIGNERS HOURS ACTION[+ACTION] CODE STATE APPROVALS REJECTIONS ENTITLED NEEDED FAILED-CODE
  approve|reject|withdraw N BY SIGNERS CODE STATE ..      STATE "-": there is no such proposal"""
import copy
import random

COSIGN_MISSING = 103
OK, THRESHOLD_FORM, ROLE_MISSING, SUSPENDED, MEMBER_UNKNOWN, LAST_VOTER, CONCERNED, AUTHORITY, UNKNOWN, CLOSED, VOTED = \
    0, 33, 101, 104, 106, 109, 110, 111, 112, 113, 114
MEMBER_VALIDATES, OUT_OF_RANGE, MEMBER_STATE, ONE_SUSPENDED, EXISTS, NOT_PROPOSER, DEADLINE = 117, 120, 127, 128, 129, 131, 132
KEY_REVOKED = 1015  # refused
GUARDS = {THRESHOLD_FORM, LAST_VOTER, MEMBER_VALIDATES, OUT_OF_RANGE, MEMBER_STATE, ONE_SUSPENDED}
HOUR, DAY = 3600, 86400


class Refusal(Exception):
    pass


class World:
    def __init__(self, voters, others, authority):
        self.n = voters + others
        self.voting = [i < voters for i in range(self.n)]
        self.authority = self.n - 1 if authority else None
        self.suspended, self.removed = set(), set()
        self.threshold = (2, 3)

    def voters(self):
        return [i for i in range(self.n) if self.voting[i] and i not in self.removed]

    def do(self, verb, x):
        if verb == "delay":
            if x > 720:
                raise Refusal(OUT_OF_RANGE)
        elif verb == "hold":
            if not 1 <= x <= 2592000:
                raise Refusal(OUT_OF_RANGE)
        elif verb == "num":
            self.threshold = (x, self.threshold[1])
        elif verb == "den":
            self.threshold = (self.threshold[0], x)
        elif x in self.removed:
            raise Refusal(MEMBER_UNKNOWN)
        elif verb == "restore":
            if x not in self.suspended:
                raise Refusal(MEMBER_STATE)
            self.suspended.remove(x)
        elif x == self.authority:
            raise Refusal(AUTHORITY)
        elif verb == "suspend":
            if x in self.suspended:
                raise Refusal(MEMBER_STATE)
            if self.voting[x] and len(self.voters()) < 5 and any(self.voting[s] for s in self.suspended):
                raise Refusal(ONE_SUSPENDED)
            self.suspended.add(x)
        elif verb == "remove":
            self.removed.add(x)
            self.suspended.discard(x)

    def enact(self, actions):
        """The world afterwards, or Refusal."""
        w = copy.deepcopy(self)
        for verb, x in actions:
            w.do(verb, x)
        num, den = w.threshold
        if num > den or num * 2 <= den:
            raise Refusal(THRESHOLD_FORM)
        if any(verb in ("suspend", "remove") for verb, _ in actions) and len([v for v in w.voters() if v not in w.suspended]) < 2:
            raise Refusal(LAST_VOTER)
        if any(verb == "remove" and x == 0 for verb, x in actions):
            raise Refusal(MEMBER_VALIDATES)
        return w


class Proposal:
    def __init__(self, by, actions, deadline):
        self.by, self.actions, self.deadline = by, actions, deadline
        self.concerned = {x for verb, x in actions if verb in ("suspend", "restore", "remove")}
        self.owned = all(verb == "hold" for verb, _ in actions)
        self.state, self.failed, self.votes = "open", 0, {}

    def entitled(self, w):
        if self.owned:
            return [w.authority] if w.authority is not None else []
        return [v for v in w.voters() if v not in self.concerned]

    def tally(self, w):
        who = self.entitled(w)
        count = {b: sum(self.votes.get(v) == b for v in who) for b in ("approve", "reject")}
        num, den = w.threshold
        needed = -(-len(who) * num // den)
        return count["approve"], count["reject"], len(who), max(needed, 2 if self.concerned else 1)

    def standing(self, now):
        return "lapsed" if self.state == "open" and now >= self.deadline else self.state


class Council:
    def __init__(self, voters, others, authority, needed):
        self.w, self.now, self.proposals, self.needed = World(voters, others, authority), 0, {}, needed
        print("council", voters, others, int(authority), "".join(map(str, needed)))

    def suspended_first(self, by, code):
        """A suspended member's record fails with that, unless a code before it applies."""
        return SUSPENDED if by in self.w.suspended and (code == OK or code > SUSPENDED) else code

    def show(self, words, n, code):
        p = self.proposals.get(n)
        seen = ["-"] if p is None else [p.standing(self.now), *p.tally(self.w), p.failed]
        print(*words, code, *seen)

    def propose(self, n, by, signers, hours, actions):
        w = self.w
        p = Proposal(by, actions, self.now + hours * HOUR)
        self.now += 1
        codes = {COSIGN_MISSING} if signers < self.needed[by] else set()
        if not w.voting[by] and not (p.owned and by == w.authority):
            codes.add(ROLE_MISSING)
        try:
            w.enact(actions)
        except Refusal as r:
            codes |= {r.args[0]} - GUARDS
        if p.concerned and len(p.entitled(w)) < 2:
            codes.add(LAST_VOTER)
        if any(verb == "hold" for verb, _ in actions) and not (p.owned and by == w.authority):
            codes.add(AUTHORITY)
        if n in self.proposals:
            codes.add(EXISTS)
        if not self.now + HOUR <= p.deadline <= self.now + 90 * DAY:
            codes.add(DEADLINE)
        code = self.suspended_first(by, min(codes, default=OK))
        if by in w.removed:
            code = KEY_REVOKED
        if code == OK:
            self.proposals[n] = p
        self.show(["propose", n, by, signers, hours, "+".join(f"{v}:{x}" for v, x in actions)], n, code)

    def vote(self, ballot, n, by, signers):
        self.now += 1
        w, p = self.w, self.proposals.get(n)
        codes = {COSIGN_MISSING} if signers < self.needed[by] else set()
        if p is None:
            codes.add(UNKNOWN)
        else:
            if not p.owned and not w.voting[by]:
                codes.add(ROLE_MISSING)
            if p.standing(self.now) != "open":
                codes.add(CLOSED)
            elif by not in p.entitled(w) and by not in w.removed:
                codes.add(AUTHORITY if p.owned else CONCERNED)
            elif by in p.votes and (p.votes[by] == "approve" or ballot == "reject"):
                codes.add(VOTED)
        code = self.suspended_first(by, min(codes, default=OK))
        if by in w.removed:
            code = KEY_REVOKED
        if code == OK:
            self.count(p, by, ballot)
        self.show([ballot, n, by, signers], n, code)

    def count(self, p, by, ballot):
        p.votes[by] = ballot
        approvals, rejections, entitled, needed = p.tally(self.w)
        if approvals >= needed:
            try:
                self.w, p.state = self.w.enact(p.actions), "enacted"
            except Refusal as r:
                p.state, p.failed = "failed", r.args[0]
        elif entitled - rejections < needed:
            p.state = "refused"

    def withdraw(self, n, by, signers):
        self.now += 1
        w, p = self.w, self.proposals.get(n)
        codes = {UNKNOWN} if p is None else {CLOSED} if p.standing(self.now) != "open" else {NOT_PROPOSER} if p.by != by else set()
        if signers < self.needed[by]:
            codes.add(COSIGN_MISSING)
        code = KEY_REVOKED if by in w.removed else self.suspended_first(by, min(codes, default=OK))
        if code == OK:
            p.state = "withdrawn"
        self.show(["withdraw", n, by, signers], n, code)

    def tick(self, seconds):
        self.now += seconds
        print("tick", seconds)


def random_actions(r, c):
    who = r.choice(sorted(c.w.suspended)) if c.w.suspended and r.random() < 0.4 else r.randrange(c.w.n)
    other = r.randrange(c.w.n)
    return r.choice([[("delay", r.choice([0, 24, 720, 721]))], [("num", 1), ("den", r.choice([1, 2]))], [("num", 2), ("den", 3)],
                     [("num", 3), ("den", r.choice([2, 4]))], [("hold", r.choice([60, 0, 3000000]))], [("hold", 60), ("delay", 24)],
                     *[[("suspend", who)], [("restore", who)], [("remove", who)]] * 3,
                     [("restore", who), ("suspend", other)], [("suspend", who), ("suspend", other)], [("delay", 48), ("remove", who)]])


def scenario(seed):
    r = random.Random(seed)
    voters = r.choice([1, 2, 3, 4, 4, 5, 6])
    others = r.randrange(0, 3)
    c = Council(voters, others, others > 0 and r.random() < 0.7, [r.choice([1, 1, 2]) for _ in range(voters + others)])
    numbers = 0

    def signers(by):
        return r.choice([1, 2]) if r.random() < 0.1 else c.needed[by]

    for _ in range(r.randrange(20, 45)):
        roll = r.random()
        if roll < 0.25 or numbers == 0:
            numbers += 1
            n = numbers if r.random() < 0.9 else r.randrange(1, numbers + 1)
            by = r.choice(c.w.voters() or [0]) if r.random() < 0.8 else r.randrange(c.w.n)
            c.propose(n, by, signers(by), r.choice([1, 2] + [48] * 9 + [2160, 2161]), random_actions(r, c))
        elif roll < 0.30:
            c.tick(r.choice([60, HOUR, DAY]))
        elif roll < 0.34:
            by = r.randrange(c.w.n)
            c.withdraw(r.randrange(1, numbers + 2), by, signers(by))
        else:
            open_now = [n for n, p in c.proposals.items() if p.standing(c.now) == "open"]
            n = r.choice(open_now) if open_now and r.random() < 0.95 else r.randrange(1, numbers + 2)
            by = r.choice(c.w.voters() or [0]) if r.random() < 0.8 else r.randrange(c.w.n)
            c.vote("approve" if r.random() < 0.8 else "reject", n, by, signers(by))


for seed in range(150):
    scenario(seed)
