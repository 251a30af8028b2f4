"""explain.py TABLE <UNTAKEN: each branch that no test takes has its reason in TABLE, or is listed.

UNTAKEN is sum.py's. A line of TABLE that is not empty and does not begin with # is

    file function: reason
    file function "text": reason

The file is named from src/ on; the reason holds for the function's branches, with "text" for those
on lines of the source in which that stands. Ends with 1 if a branch has no reason. Reasons that
nothing needs any more are listed too, but for those that say what it hangs on: "by chance", "by the
machine".
"""
import re
import sys

ENTRY = re.compile(r'(\S+) (\w+|-)(?: "(.*?)")?: (.+)')


def entries(path):
    """(file, function, text, reason, its line in the table) of each."""
    with open(path, encoding="utf-8") as table:
        for number, line in enumerate(table, 1):
            if line.strip() == "" or line.startswith("#"):
                continue
            found = ENTRY.match(line)
            if found is None:
                sys.exit(f"{path}:{number}: not of the form 'file function: reason'")
            yield "src/" + found[1], found[2], found[3] or "", found[4], number


table = list(entries(sys.argv[1]))
needed = set()
count = missing = 0
for line in sys.stdin:
    file, number, function, which, text = line.rstrip("\n").split("\t")
    branches = len(which.split(" ")[0].split(","))
    why = [n for f, g, part, _, n in table if f == file and g == function and part in text]
    needed.update(why)
    count += branches
    if not why:
        missing += branches
        print(f"not explained: {file}:{number}: {function}: {which}: {text}")
for _, _, _, reason, number in table:
    if number not in needed and not re.search(r"\bby (chance|what|how|the|addresses)\b", reason):
        print(f"explains nothing: {sys.argv[1]}:{number}")
print(f"{count} branches not taken, " + (f"{missing} of them not explained" if missing else "all explained"))
sys.exit(missing > 0)
