#!/usr/bin/env python3
"""Plants the mutants one by one into a copy of the tree and tells which test kills each, and how fast.

usage: run.py [--minutes M] [--only REGEX] [--jobs J] [--named] [--list FILE]...

Each mutant names the tests most likely to notice it; they run first, then all unit tests, the exhaustive checker, the
twins and the simulator. A test that fails, crashes or does not end kills the mutant, if it passes without it. The table
goes to build/mutants/report.txt too. Exit status 1: a mutant lived, or did not build.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
WORK = os.path.join(ROOT, "build/mutants")
TREE = os.path.join(WORK, "tree")
PLANT = os.path.join(ROOT, "tests/mutants/plant.py")

# name: (what make has to build, command from the tree's root, seconds before it counts as hanging)
RELEASE = "build/release"


def test_of(name):
    kind, _, what = name.partition(":")
    if kind == "unit":
        program = f"{RELEASE}/unit-tests"
        pattern = f"{what}/*" if what and "/" not in what else what
        return [program], [program, "--jobs", "1", *(["--filter", pattern] if what else [])], 120 if what else 400
    if kind == "exhaustive":
        program = f"{RELEASE}/exhaustive"
        return [program], [program, *(["run", what, "60"] if what else ["quick"])], 120
    if kind == "sim":
        program = f"{RELEASE}/sim"
        return [program], [program, "--seeds", what or "100"], 300
    if kind == "fork":
        program = f"{RELEASE}/sim"
        return [program], [program, "--accountability", what or "24"], 300
    if kind == "twins":
        program = f"{RELEASE}/twins"
        return [program], [program, "--scenarios", what or "400"], 300
    if kind == "powercut":
        program = f"{RELEASE}/powercut"
        return [program], [program, "--every", "61", "--seeds", "2"], 300
    if kind == "diskerrors":
        program = f"{RELEASE}/powercut"
        return [program], [program, "--errors", "--every", "29", "--seeds", "2"], 300
    if kind == "e2e":
        return ["all"], [f"tests/e2e/{what}.sh"], 300
    sys.exit(f"run.py: no test {name}")


EVERYTHING = ["unit", "exhaustive", "twins", "sim"]


def quiet(command, seconds, cwd):
    """Exit status; 'hangs' when it did not end. Its own process group goes with it."""
    env = dict(os.environ, CCACHE_NOHASHDIR="1")
    process = subprocess.Popen(
        command, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
        return "hangs"


def copy_tree():
    """The tracked files as they stand; files of an earlier run stay what they are, so that little is built again."""
    os.makedirs(TREE, exist_ok=True)
    names = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=True
    ).stdout.decode().split("\0")
    for name in filter(None, names):
        source, target = os.path.join(ROOT, name), os.path.join(TREE, name)
        if not os.path.isfile(source):
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        same = os.path.exists(target) and open(source, "rb").read() == open(target, "rb").read()
        if not same:
            shutil.copy(source, target)


def build(targets, jobs):
    compiler = ["CC=ccache gcc"] if shutil.which("ccache") else []
    return quiet(["make", "-s", f"-j{jobs}", "OPT=-O1", *compiler, *targets], 1800, TREE) == 0


def entries(path):
    """name -> (tests, files, why it may live)"""
    out = {}
    for line in open(path, encoding="utf-8"):
        key, _, value = line.strip().partition(" ")
        if key == "mutant":
            out[value.strip()] = ([], [], [])
            name = value.strip()
        elif key == "kill":
            out[name][0].extend(value.split())
        elif key == "file":
            out[name][1].append(value.strip())
        elif key == "same":
            out[name][2].append(value.strip())
    return out


class Baseline:
    """Whether a test passes without a mutant: asked once."""

    def __init__(self):
        self.known = {}

    def passes(self, test, jobs):
        if test not in self.known:
            targets, command, seconds = test_of(test)
            self.known[test] = build(targets, jobs) and quiet(command, seconds, TREE) == 0
        return self.known[test]


def hunt(tests, jobs):
    """(verdict, test) of the planted mutant."""
    for test in dict.fromkeys(tests):
        targets, command, seconds = test_of(test)
        if not build(targets, jobs):
            return "does not build", test
        status = quiet(command, seconds, TREE)
        if status != 0:
            return ("killed" if status != "hangs" else "killed (hangs)"), test
    return "LIVES", "-"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--list", action="append")
    parser.add_argument("--named", action="store_true", help="only the tests that the mutants name")
    options = parser.parse_args()
    paths = options.list or sorted(glob.glob(f"{ROOT}/tests/mutants/*.txt"))
    end = time.time() + options.minutes * 60
    copy_tree()
    rows, baseline = [], Baseline()
    for path in filter(os.path.exists, paths):
        for name, (tests, files, same) in entries(path).items():
            if not re.search(options.only, name):
                continue
            if time.time() > end:
                rows.append((name, "not run", "-", 0.0))
                continue
            began = time.time()
            clean = {file: open(os.path.join(TREE, file), "rb").read() for file in files}
            if subprocess.run([PLANT, TREE, path, name]).returncode:
                verdict, test = "DOES NOT FIT", "-"
            else:
                verdict, test = hunt(tests if options.named else [*tests, *EVERYTHING], options.jobs)
            seconds = time.time() - began
            if verdict == "LIVES" and same:
                verdict = "equivalent"
            for file, text in clean.items():
                with open(os.path.join(TREE, file), "wb") as out:
                    out.write(text)
            if verdict.startswith("killed") and not baseline.passes(test, options.jobs):
                verdict = f"TEST FAILS WITHOUT IT"
            rows.append((name, verdict, test, seconds))
            print(f"{name:44} {verdict:16} {test:34} {seconds:6.1f} s", flush=True)
    report(rows)
    return any(not verdict.startswith(("killed", "equivalent", "not run")) for _, verdict, _, _ in rows)


def report(rows):
    killed = sum(verdict.startswith("killed") for _, verdict, _, _ in rows)
    lines = [f"{name:44} {verdict:16} {test:34} {seconds:6.1f} s" for name, verdict, test, seconds in rows]
    lines.append(f"{killed} of {len(rows)} mutants killed")
    with open(os.path.join(WORK, "report.txt"), "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")
    print(lines[-1])


sys.exit(main())
