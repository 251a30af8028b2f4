#!/usr/bin/env python3
"""price.py: what each switch of the secure variant costs, alone and all together.

CPU time (user and system, of the best of RUNS runs) of some workloads of the benchmark and
of two programs, divided by the default build's; the geometric mean over them. Wants a
quiet machine: `make bench-build all && tests/secure/price.py`.
"""
import math
import os
import resource
import subprocess
import sys

RUNS = int(os.environ.get("RUNS", "3"))
SCALE = os.environ.get("SCALE", "0.3")
OFF = {"seal": "off", "canary": "off", "shuffle": "off", "quarantine": "0", "zero": "off",
       "guard": "off", "constant": "off", "sized": "off"}
BENCH = "build/bench/bench"
WORKLOADS = [[BENCH, name, "-s", SCALE] for name in
             os.environ.get("WORKLOADS", "churn-mixed trees powerlaw strings vectors larson").split()] + [
    [sys.executable, "-c", "import json\nfor r in range(3):\n"
     "    x = [json.loads(json.dumps({str(i): [i] * 3, 'k': 'v' * (i % 90)})) for i in range(30000)]"],
    ["sqlite3", ":memory:", "with recursive n(i) as (select 1 union all select i+1 from n where i<200000) "
     "select count(distinct hex(i * 7919 % 10007)) from n;"],
]


def cpu(command, library, options):
    env = dict(os.environ, LD_PRELOAD=os.path.abspath(library), CMALLOC_OPTIONS=options)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def rows():
    yield "default build", "libcmalloc.so", ""
    yield "all off", "libcmalloc-secure.so", ",".join(f"{k}={v}" for k, v in OFF.items())
    for one in OFF:
        rest = ",".join(f"{k}={v}" for k, v in OFF.items() if k != one)
        yield one, "libcmalloc-secure.so", rest
    yield "all on", "libcmalloc-secure.so", ""


def main():
    configurations = list(rows())
    best = {}
    for _ in range(RUNS):
        for name, library, options in configurations:
            for i, command in enumerate(WORKLOADS):
                seconds = cpu(command, library, options)
                best[name, i] = min(seconds, best.get((name, i), seconds))
    for name, _, _ in configurations:
        ratios = [best[name, i] / best["default build", i] for i in range(len(WORKLOADS))]
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        print(f"| {name} | {mean:.2f} | " + " | ".join(f"{r:.2f}" for r in ratios) + " |")


main()
