"""What an operator reads of a node: `/v1/status` and `hubledger status --check` in both languages; and whether it is true.
Sampler reads now and then during a random run and judges what must hold whatever else strikes: nobody is called silent,
full or wrong by the clock who was not struck when it is said to have begun, sentence and exit code agree, and a disk
that has been full for some seconds is told."""
import re
import subprocess
import time

from network import BIN

SLACK_S = 4  # how exact "since when" must be
LATE_S = 12  # a struck node may need so long to come back: a start, a dialled link
FAST_S = 65  # so long a leader's wrong clock is told (node/standing.h)
EVERYBODY = ("Partition", "OneWay", "Loss", "KillAll")  # faults that may silence any link


class Reading:
    """What one node says of itself and its network, once."""

    def __init__(self, node):
        self.node = node
        self.status = node.status()
        self.en, self.code = self.words("en")
        self.zh, _ = self.words("zh")

    def words(self, lang):
        done = subprocess.run([f"{BIN}/hubledger", "status", "--check", "--lang", lang, "--node",
                               f"http://{self.node.api[0]}:{self.node.api[1]}"], capture_output=True, text=True)
        return done.stdout + done.stderr, done.returncode

    def told(self):
        """(code, sentence) of each cause, by /v1/status."""
        return [(c["code"], c["level"], c["en"], c["zh"]) for c in (self.status or {}).get("causes", [])]

    def seconds(self, pattern):
        """The number of seconds a sentence tells."""
        found = re.search(pattern, self.en)
        return int(found.group(1)) if found else None


def lacks(reading, code, en, zh, absent=()):
    """What an operator does not find in it, or None."""
    if reading.code != code:
        return f"exit {reading.code}, not {code}"
    for text, words in ((reading.en, en), (reading.zh, zh)):
        for word in words:
            if word not in text:
                return f"does not say '{word}'"
    for word in absent:
        if re.search(r"^" + re.escape(word) if word.endswith(" ") else re.escape(word), reading.en, re.M):
            return f"says '{word}'"
    return None


def about(told, truth):
    """Since when: what is told, and what the harness knows, in seconds."""
    if told is None:
        return "does not say since when"
    return None if abs(told - truth) <= SLACK_S else f"says {told} s, it was {truth:.0f} s"


class Sampler:
    """faults: dicts of kind, members, start, end (None: it holds), what; times of time.monotonic()."""

    def __init__(self, network, faults):
        self.network, self.faults, self.samples, self.problems = network, faults, 0, 0

    def struck(self, kinds, member, begin, end):
        """Did such a fault hold for this member (or for everybody) at some time of begin..end?"""
        return any((kinds is None or f["kind"] in kinds) and (member in f["members"] or f["kind"] in EVERYBODY) and
                   f["start"] <= end and (f["end"] is None or f["end"] + LATE_S >= begin) for f in list(self.faults))

    def sample(self, node):
        """What is untrue in what this node says now, or None."""
        began = time.monotonic()
        reading = Reading(node)
        took = time.monotonic() - began
        if not reading.status or reading.code not in (0, 1):
            return None  # it is down, or too slow to ask
        if took > SLACK_S:
            return None  # the machine is too slow to say what was when
        self.samples += 1
        for code, level, en, zh in reading.told():
            self.problems += level == "problem"
            wrong = self.untrue(node.member, began, code, en) or (None if en and zh else "says nothing")
            if wrong:
                return f"{node.member} says what is not so ({wrong}): {en}"
        return self.code_fits(reading) or self.silent_about(node, reading, began)

    @staticmethod
    def code_fits(reading):
        """The exit code and the marks of its sentences say the same: they were read together."""
        if reading.code not in (0, 1):
            return None  # it has ended meanwhile
        well = re.search(r"^\w+  (in order|catching up)  ", reading.en) is not None
        problems = re.search(r"^! ", reading.en, re.M) is not None
        if (reading.code == 0) != well or well == problems:
            return f"exit {reading.code} beside: {reading.en}"
        return None

    def untrue(self, member, now, code, en):
        if code in ("peer_silent", "no_quorum"):
            for name, ago in re.findall(r"(\w+) \(\d+\), heard last (\d+) s ago", en):
                at = now - int(ago)
                if not (self.struck(None, name, at - SLACK_S, at + SLACK_S) or
                        self.struck(None, member, at - SLACK_S, at + SLACK_S)):
                    return f"nothing struck {name} or {member} {ago} s ago"
        if code == "disk_low" and not self.struck(("DiskFull",), member, now - SLACK_S, now):
            return "its disk is not full"
        if code == "clock_wrong" and not self.struck(("Clock",), member, now - SLACK_S, now):
            return "its clock is right"
        if code == "clock_of_peer":
            name = re.search(r"The clock of (\w+)", en).group(1)
            if not self.struck(("Clock",), name, now - FAST_S, now) and not self.struck(("Clock",), member, now - FAST_S, now):
                return f"the clock of {name} is right"
        return None

    def silent_about(self, node, reading, began):
        """A disk that rests and stays so is told by the node that runs on it."""
        for f in list(self.faults):
            if f["kind"] == "DiskFull" and node.member in f["members"] and re.search(" [48] % left", f["what"]) and \
                    began - f["start"] > SLACK_S and f["end"] is None and "DISK LOW" not in reading.en:
                return f"{node.member} does not say that its disk is low: {reading.en}"
        return None
