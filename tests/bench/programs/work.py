# Objects, dicts, strings, JSON, regular expressions and sorting; prints one digest.
import hashlib
import json
import re
import sys

SCALE = float(sys.argv[1])


class Item:
    def __init__(self, number):
        self.number = number
        self.name = "item-%d" % number
        self.tags = ["tag%d" % (number * k % 97) for k in range(number % 5)]
        self.parent = None


def words(count):
    state = 12345
    for _ in range(count):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        yield "w%x" % (state >> 12)


def main():
    digest = hashlib.sha256()
    items = [Item(n) for n in range(int(60000 * SCALE))]
    for item in items:
        item.parent = items[item.number // 3]
    by_tag = {}
    for item in items:
        for tag in item.tags:
            by_tag.setdefault(tag, []).append((item.name, item.parent.name))
    digest.update(repr(sorted((k, len(v)) for k, v in by_tag.items())).encode())

    counts = {}
    text = " ".join(words(int(200000 * SCALE)))
    for match in re.finditer(r"w([0-9a-f]{2})([0-9a-f]*)", text):
        counts[match.group(1)] = counts.get(match.group(1), 0) + len(match.group(2))
    for word in text.split():
        counts[word] = counts.get(word, 0) + 1
    digest.update(repr(sorted(counts.items())[:1000]).encode())

    records = [{"id": i.number, "name": i.name, "tags": i.tags} for i in items]
    again = json.loads(json.dumps(records))
    again.sort(key=lambda r: (len(r["tags"]), r["name"][::-1]))
    digest.update(json.dumps(again[::100]).encode())

    table = {}
    for n in range(int(150000 * SCALE)):
        table[n * 7919 % 100003, n % 3] = [n, str(n), (n, n + 1)]
        if n > 20000:
            table.pop(((n - 20000) * 7919 % 100003, (n - 20000) % 3), None)
    digest.update(repr(sorted(table)[:1000]).encode())
    print(digest.hexdigest())


main()
