#!/usr/bin/python3
"""The judge of readings (reading.py) must refuse what is untrue, one thing at a time, and accept what is true."""
import os
import sys
import time
from types import SimpleNamespace

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from reading import Sampler, about, lacks  # noqa: E402

NOW = time.monotonic()
SILENT = "3 of 4 validators are heard, 3 are needed. Not heard: B (1), heard last 20 s ago. Check 10.0.0.2:7101."
FULL = "The disk under /x is nearly full: this node proposes no blocks, for 9 s now. Free space there."
CLOCK = "This machine's clock is 3600 s behind the other validators', noticed 2 s ago: set it."
FAST = "The clock of B (1) is 3600 s ahead of this machine's clock, noticed 2 s ago."


def fault(kind, members, start, end=None, what=""):
    """start, end: seconds before now."""
    return {"kind": kind, "members": members, "start": NOW - start, "end": None if end is None else NOW - end, "what": what}


def reading(en, code):
    return SimpleNamespace(en=en, zh=en, code=code)


def untrue(code, en, *faults):
    return Sampler(None, list(faults)).untrue("A", NOW, code, en) is not None


def disk(en, *faults):
    return Sampler(None, list(faults)).silent_about(SimpleNamespace(member="A"), reading(en, 1), NOW) is not None


FULL_4 = fault("DiskFull", ["A"], 10, what="diskfull A 4 % left")
CASES = [  # what is judged, whether it must be refused
    ("silent, struck then", untrue("peer_silent", SILENT, fault("Kill", ["B"], 21, 5)), False),
    ("silent, the reader was struck", untrue("peer_silent", SILENT, fault("Pause", ["A"], 21, 5)), False),
    ("silent, all links were struck", untrue("no_quorum", SILENT, fault("Partition", ["C"], 21)), False),
    ("silent, never struck", untrue("peer_silent", SILENT), True),
    ("silent, another was struck", untrue("peer_silent", SILENT, fault("Kill", ["C"], 21, 5)), True),
    ("silent, struck later", untrue("no_quorum", SILENT, fault("Kill", ["B"], 10)), True),
    ("silent, struck long before", untrue("no_quorum", SILENT, fault("Kill", ["B"], 90, 60)), True),
    ("disk full", untrue("disk_low", FULL, FULL_4), False),
    ("disk not full", untrue("disk_low", FULL), True),
    ("another's disk full", untrue("disk_low", FULL, fault("DiskFull", ["B"], 10)), True),
    ("clock wrong", untrue("clock_wrong", CLOCK, fault("Clock", ["A"], 10)), False),
    ("clock right", untrue("clock_wrong", CLOCK, fault("Clock", ["B"], 10)), True),
    ("clock was wrong", untrue("clock_wrong", CLOCK, fault("Clock", ["A"], 90, 60)), True),
    ("the other's clock ahead", untrue("clock_of_peer", FAST, fault("Clock", ["B"], 70, 50)), False),
    ("a third's clock ahead", untrue("clock_of_peer", FAST, fault("Clock", ["C"], 10)), True),
    ("full disk told", disk("A  DISK LOW  height 1\n! " + FULL, FULL_4), False),
    ("full disk not told", disk("A  in order  height 1\n", FULL_4), True),
    ("well, exit 0", Sampler.code_fits(reading("A  in order  height 1\n- " + SILENT, 0)) is not None, False),
    ("well, exit 1", Sampler.code_fits(reading("A  in order  height 1\n", 1)) is not None, True),
    ("full, exit 1", Sampler.code_fits(reading("A  DISK LOW  height 1\n! " + FULL, 1)) is not None, False),
    ("full, exit 0", Sampler.code_fits(reading("A  DISK LOW  height 1\n! " + FULL, 0)) is not None, True),
    ("stuck without a sentence", Sampler.code_fits(reading("A  STUCK: x  height 1\n", 1)) is not None, True),
    ("well with a problem", Sampler.code_fits(reading("A  in order  height 1\n! " + FULL, 0)) is not None, True),
    ("all words", lacks(reading("A  in order", 0), 0, ["in order"], ["in"], absent=["! "]) is not None, False),
    ("a word missing", lacks(reading("A  in order", 0), 0, ["B"], []) is not None, True),
    ("a word too many", lacks(reading("A  in order\n! x", 0), 0, [], [], absent=["! "]) is not None, True),
    ("other exit code", lacks(reading("A  in order", 1), 0, [], []) is not None, True),
    ("since when", about(12, 13.0) is not None, False),
    ("since another time", about(12, 30.0) is not None, True),
    ("since never", about(None, 1.0) is not None, True),
]

if __name__ == "__main__":
    wrong = [name for name, refused, must in CASES if refused != must]
    for name in wrong:
        print(f"FAILED: {name}")
    print(f"reading_test: {len(CASES) - len(wrong)} of {len(CASES)} judged rightly")
    sys.exit(1 if wrong else 0)
