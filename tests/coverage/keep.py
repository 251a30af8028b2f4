"""keep.py TREE: copies of what the library has counted so far, every twenty seconds.

A process that is killed while it writes its counts takes along all that were in the file, and nobody
writes to what is left. A copy is made under the lock that the writers take, as
TREE/build/kept/N/near.gcda (or far.gcda), with its notes beside it; a file that is none is removed.
"""
import fcntl
import os
import sys
import time

os.chdir(sys.argv[1])
last, kept = {}, 0
while True:
    time.sleep(20)
    for folder in "build", "build/tiny", "build/secure", "build/tiny/secure":
        for part in "near", "far":
            try:
                with open(f"{folder}/{part}.gcda", "rb") as counts:
                    fcntl.lockf(counts, fcntl.LOCK_SH)
                    now = counts.read()
            except FileNotFoundError:
                continue
            if now[:4] not in (b"adcg", b"gcda"):
                os.remove(f"{folder}/{part}.gcda")
                continue
            if now == last.get((folder, part)):
                continue
            last[folder, part], kept = now, kept + 1
            os.makedirs(f"build/kept/{kept}")
            os.symlink(os.path.abspath(f"{folder}/{part}.gcno"), f"build/kept/{kept}/{part}.gcno")
            with open(f"build/kept/{kept}/{part}.gcda", "wb") as copy:
                copy.write(now)
