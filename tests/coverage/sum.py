"""sum.py UNCOVERED UNTAKEN <gcov.json...: per file of src/, lines and branches reached in any variant.

A branch is known by its line, how many branches the line has in that object, and its place among
them: where the variants differ in a line's conditions, each way of compiling it counts by itself.
Those of assertions are left out.

UNCOVERED: file:line of the lines that none has reached. UNTAKEN: the branches that none has taken,
one line of the source each: file, line, function, which of how many, text, between tabs. Of a pair,
the even one is taken when a condition holds.
"""
import collections
import json
import re
import sys

lines = collections.defaultdict(collections.Counter)
branches = collections.defaultdict(collections.Counter)
functions = {}


def assertions(text):
    """The numbers of the lines that belong to a cm_assert(...)."""
    inside, depth = set(), 0
    for number, line in enumerate(text, 1):
        code = line.strip()
        if depth == 0 and not code.startswith("cm_assert("):
            continue
        inside.add(number)
        code = re.sub(r'"([^"\\]|\\.)*"', "", code)
        depth += code.count("(") - code.count(")")
    return inside


def reports(text):
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        report, at = decoder.raw_decode(text, at)
        while at < len(text) and text[at].isspace():
            at += 1
        yield from report["files"]


def share(counts):
    reached = sum(1 for n in counts if n > 0)
    return f"{reached:5}/{len(counts):<5} {100 * reached / len(counts) if counts else 100:5.1f} %"


source, asserted = {}, {}
for file in reports(sys.stdin.read()):
    name = file["file"]
    if not name.startswith("src/"):
        continue
    if name not in source:
        with open(name, encoding="utf-8") as text:
            source[name] = text.read().split("\n")
        asserted[name] = assertions(source[name])
    for line in file["lines"]:
        number = line["line_number"]
        functions[name, number] = line.get("function_name", "-")
        lines[name][number] += line["count"]
        if number in asserted[name]:
            continue
        for i, branch in enumerate(line["branches"]):
            branches[name][number, len(line["branches"]), i] += branch["count"]

for name in sorted(lines):
    print(f"{name:32} lines {share(lines[name].values())}   branches {share(branches[name].values())}")
print(f"{'all':32} lines {share([n for f in lines.values() for n in f.values()])}   "
      f"branches {share([n for f in branches.values() for n in f.values()])}")

with open(sys.argv[1], "w", encoding="ascii") as out:
    for name in sorted(lines):
        for number, count in sorted(lines[name].items()):
            if count == 0:
                out.write(f"{name}:{number}\n")
with open(sys.argv[2], "w", encoding="utf-8") as out:
    for name in sorted(branches):
        untaken = collections.defaultdict(list)
        for (number, of, i), count in sorted(branches[name].items()):
            if count == 0:
                untaken[number, of].append(str(i))
        for (number, of), which in untaken.items():
            out.write(f"{name}\t{number}\t{functions[name, number]}\t{','.join(which)} of {of}"
                      f"\t{source[name][number - 1].strip()}\n")
