"""sum.py UNCOVERED <gcov.json...: per file of src/, lines and branches reached in any variant."""
import collections
import json
import sys

lines = collections.defaultdict(dict)
branches = collections.defaultdict(dict)
decoder, text = json.JSONDecoder(), sys.stdin.read()
at = 0
while at < len(text):
    report, at = decoder.raw_decode(text, at)
    while at < len(text) and text[at].isspace():
        at += 1
    for file in report["files"]:
        name = file["file"]
        if not name.startswith("src/"):
            continue
        for line in file["lines"]:
            number = line["line_number"]
            lines[name][number] = lines[name].get(number, 0) + line["count"]
            for i, branch in enumerate(line["branches"]):
                key = (number, i)
                branches[name][key] = branches[name].get(key, 0) + branch["count"]


def share(counts):
    reached = sum(1 for n in counts if n > 0)
    return f"{reached:5}/{len(counts):<5} {100 * reached / len(counts) if counts else 100:5.1f} %"


for name in sorted(lines):
    print(f"{name:32} lines {share(lines[name].values())}   branches {share(branches[name].values())}")
print(f"{'all':32} lines {share([n for f in lines.values() for n in f.values()])}   "
      f"branches {share([n for f in branches.values() for n in f.values()])}")
with open(sys.argv[1], "w", encoding="ascii") as out:
    for name in sorted(lines):
        for number, count in sorted(lines[name].items()):
            if count == 0:
                out.write(f"{name}:{number}\n")
