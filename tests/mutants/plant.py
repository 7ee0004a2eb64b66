#!/usr/bin/env python3
"""Plants a bug: copies the named mutant's edits into a copy of the tree.

usage: plant.py TREE LIST NAME      edits the files under TREE
       plant.py --names LIST        one name a line
       plant.py --check TREE LIST   every edit of every mutant finds its line; changes nothing

A LIST is a text file of entries:

    mutant NAME
    about  what rule it breaks
    same   why no test can tell it from the code (only for those that live with reason)
    kill   the tests most likely to notice it, cheapest first
    file   consensus/rules.c
    after  a text that some line above contains (only where the old line occurs more than once)
    old    the exact line, without the space around it
    new    what stands there instead; nothing after `new` deletes the line

`file`, `after`, `old`, `new` may repeat. An old line that is not there, or is there twice, is an error: the code moved
on and the mutant has to follow.
"""
import sys


def read_list(path):
    mutants, current = {}, None
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.rstrip("\n")
        if not line.strip() or line.startswith("#"):
            continue
        key, _, value = line.partition(" ")
        value = value.strip()
        if key == "mutant":
            if value in mutants:
                sys.exit(f"{path}:{number}: {value} is there twice")
            current = mutants[value] = {"about": "", "kill": "", "edits": []}
        elif key in ("about", "kill", "same"):
            current[key] = value
        elif key == "file":
            current["edits"].append({"file": value, "after": ""})
        elif key in ("after", "old", "new"):
            edit = current["edits"][-1]
            if key != "new" and "new" in edit:  # a second edit of the same file
                edit = {"file": edit["file"], "after": ""}
                current["edits"].append(edit)
            edit[key] = value
        else:
            sys.exit(f"{path}:{number}: unknown key {key}")
    return mutants


def locate(lines, edit, name):
    start = 0
    if edit["after"]:
        above = [i for i, text in enumerate(lines) if edit["after"] in text]
        if not above:
            sys.exit(f"{name}: {edit['file']} has no line with: {edit['after']}")
        start = above[0] + 1
    found = [i for i in range(start, len(lines)) if lines[i].strip() == edit["old"]]
    if not found or (len(found) > 1 and not edit["after"]):
        sys.exit(f"{name}: {edit['file']} has {len(found)} lines: {edit['old']}")
    return found[0]


def apply(tree, name, mutant, write):
    texts = {}
    for edit in mutant["edits"]:
        path = f"{tree}/{edit['file']}"
        if path not in texts:
            texts[path] = open(path, encoding="utf-8").read().split("\n")
        at = locate(texts[path], edit, name)
        if edit["new"]:
            indent = texts[path][at][: len(texts[path][at]) - len(texts[path][at].lstrip())]
            texts[path][at] = indent + edit["new"]
        else:
            del texts[path][at]
    for path, lines in texts.items() if write else ():
        with open(path, "w", encoding="utf-8") as out:
            out.write("\n".join(lines))


def main(args):
    if len(args) == 2 and args[0] == "--names":
        print("\n".join(read_list(args[1])))
    elif len(args) == 3 and args[0] == "--check":
        mutants = read_list(args[2])
        wrong = 0
        for name, mutant in mutants.items():
            try:
                apply(args[1], name, mutant, write=False)
            except SystemExit as why:
                print(why)
                wrong += 1
        print(f"{len(mutants) - wrong} of {len(mutants)} mutants fit {args[1]}")
        sys.exit(wrong > 0)
    elif len(args) == 3:
        mutants = read_list(args[1])
        if args[2] not in mutants:
            sys.exit(f"{args[1]} has no mutant {args[2]}")
        apply(args[0], args[2], mutants[args[2]], write=True)
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
