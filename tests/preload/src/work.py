"""work.py ROUNDS - what Python programs do with memory; prints digests only, the same in every run.

The caller sets PYTHONMALLOC=malloc, so that every object is a malloc of its own, and PYTHONHASHSEED=0.
"""
import array
import collections
import ctypes
import decimal
import gc
import hashlib
import io
import itertools
import json
import os
import pickle
import random
import re
import sqlite3
import subprocess
import sys
import threading
import zlib


def digest(*parts):
    return hashlib.sha1(repr(parts).encode()).hexdigest()


def words(count, seed=1):
    chance = random.Random(seed)
    return ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(1, 40))) for _ in range(count)]


def dictionaries():
    index = collections.defaultdict(list)
    for word in words(20000):
        index[word[:2]].append(word)
    for key in sorted(index)[::3]:
        del index[key]
    return digest(sorted((key, sorted(value)) for key, value in index.items()))


def texts():
    text = " ".join(words(4000, 2))
    pieces = [text[i : i + 997] * (1 + i % 7) for i in range(0, len(text), 131)]
    found = re.findall(r"\b(\w)(\w*)\1\b", text)
    back = json.loads(json.dumps({"text": text, "pieces": pieces[:200]}))
    return digest(found, len("".join(pieces)), back["text"] == text, [len(p) for p in pieces])


def objects():
    class Node:
        def __init__(self, value):
            self.value, self.left, self.right, self.parent = value, None, None, None

    def insert(root, value):
        at = root
        while True:
            side = "left" if value < at.value else "right"
            if getattr(at, side) is None:
                child = Node(value)
                child.parent = at  # a cycle for the collector
                setattr(at, side, child)
                return
            at = getattr(at, side)

    chance = random.Random(3)
    sizes = []
    for _ in range(3):
        root = Node(chance.random())
        for _ in range(4000):
            insert(root, chance.random())
        depth, level = 0, [root]
        while level:
            depth, level = depth + 1, [c for n in level for c in (n.left, n.right) if c]
        sizes.append(depth)
        del root, level
        gc.collect()
    return digest(sizes)


def serialised():
    data = {word: (i, [word] * (i % 9), {"n": i * 0.5}) for i, word in enumerate(words(6000, 4))}
    blob = pickle.dumps(data, 5)
    packed = zlib.compress(blob, 6)
    stream = io.BytesIO(zlib.decompress(packed))
    return digest(pickle.load(stream) == data, len(blob), zlib.crc32(blob))


def database():
    db = sqlite3.connect(":memory:")
    db.execute("create table t(id integer primary key, word text, n integer)")
    db.executemany("insert into t(word, n) values(?, ?)", ((w, len(w)) for w in words(8000, 5)))
    db.execute("create index by_word on t(word)")
    rows = db.execute("select substr(word, 1, 1), count(*), sum(n) from t group by 1 order by 1").fetchall()
    db.close()
    return digest(rows)


def growing():
    numbers = array.array("q")
    lists = [[] for _ in range(64)]
    raw = bytearray()
    for i in range(60000):
        numbers.append(i * i)
        lists[i % 64].append(i)
        raw += b"%d," % i
    buffers = [ctypes.create_string_buffer(1 << (i % 20)) for i in range(60)]
    return digest(sum(numbers), [sum(x) for x in lists], hashlib.sha1(raw).hexdigest(), sum(map(len, buffers)))


def arithmetic():
    decimal.getcontext().prec = 400
    root = decimal.Decimal(2).sqrt()
    big = 1
    for i in range(1, 2500):
        big *= i
    return digest(str(root), big % (10**61 + 7))


def threads():
    results = [None] * 8

    def work(n):
        results[n] = digest(dictionaries() if n % 2 else [len(w) for w in words(3000, n)])

    running = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    churn = [threading.Thread(target=lambda: words(20)) for _ in range(100)]
    for thread in churn:
        thread.start()
    for thread in churn:
        thread.join()
    return digest(results)


def processes():
    """Fork while other threads allocate, and exec by way of posix_spawn or vfork."""
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            words(10)

    helper = threading.Thread(target=busy)
    helper.start()
    outcome = []
    for n in range(10):
        pid = os.fork()
        if pid == 0:
            os._exit(len(words(200, n)[n]) % 100)
        outcome.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    outcome.append(subprocess.run(["echo", "child"], capture_output=True, check=True).stdout)
    outcome.append(subprocess.run([sys.executable, "-c", "print(len(str(2 ** 5000)))"], capture_output=True, check=True).stdout)
    stop.set()
    helper.join()
    return digest(outcome)


def main():
    for number in range(int(sys.argv[1])):
        for part in (dictionaries, texts, objects, serialised, database, growing, arithmetic, threads, processes):
            print(number, part.__name__, part(), flush=True)
    print(digest(list(itertools.islice(itertools.permutations(range(9)), 4000))))


if __name__ == "__main__":
    main()
