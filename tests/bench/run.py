#!/usr/bin/env python3
"""The benchmark: every workload under every allocator that is installed, side by side.

Workloads are run in rounds; in a round each workload is run under A, B, C ... in turn (the turn shifts
by one from round to round), so that whatever else the machine does hits all of them alike. What counts is
the median over the rounds of

  single-threaded workloads, programs: CPU time (user + system), of the program and its children
  workloads of several threads:        wall time
  all:                                 peak resident memory (launch.c)

and the ratio of those medians to glibc's. Outputs are compared with glibc's; a crash, a hang, an error
exit or another output takes the place of the figures in the table.

make bench [QUICK=1] [PEERS="name=/path.so ..."] [ONLY=regex] [RUNS=n] [ALLOCATORS=a,b]
"""

import argparse
import collections
import os
import re
import resource
import subprocess
import sys
import time

import chart
import inputs
import measure
import programs
import report

GROUPS = collections.OrderedDict([("single", "cpu"), ("threads", "wall"), ("programs", "cpu"),
                                  ("scaling", "wall"), ("latency", "none"), ("memory", "none")])
THREADS = [1, 2, 4, 8, 16, 32, 64]
QUICK_THREADS = [1, 2, 16]
QUICK_SECONDS = 270  # no new round begins that would not end by then
# Close kin of workloads that stay: left out of a quick run.
QUICK_WITHOUT = {"lifo-1600", "order-same", "strings", "sharing-passive", "thread-crowd", "drift-threads",
                 "perl", "scale-churn", "scale-prodcons"}

# run(allocator) -> measure.Run; base: the workload that a row of the scaling table belongs to
Workload = collections.namedtuple("Workload", "name group metric about run base threads")


def arguments():
    env = os.environ.get
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default=env("ONLY", ""), help="workloads whose name or group matches this regex")
    p.add_argument("--runs", type=int, default=int(env("RUNS") or 0), help="runs of each (5; quick: 3)")
    p.add_argument("--allocators", default=env("ALLOCATORS", ""), help="names, with commas; glibc is always in")
    p.add_argument("--quick", action="store_true", default=env("QUICK", "0") not in ("", "0"))
    p.add_argument("--peers", default=env("PEERS", ""), help='more allocators: "name=/path.so ..."')
    p.add_argument("--cmalloc", default=os.path.join(measure.TOP, "libcmalloc.so"))
    p.add_argument("--timeout", type=float, default=0, help="seconds for one run (60; quick: 30)")
    p.add_argument("--memory-return", action="store_true", help="also what comes back after a peak, with no further call")
    p.add_argument("--list", action="store_true", help="say what there is, run nothing")
    args = p.parse_args()
    args.runs = args.runs or (3 if args.quick else 5)
    args.timeout = args.timeout or (30 if args.quick else 60)
    args.scale = 0.2 if args.quick else 1
    return args


def micro(name, group, about, args, threads=None):
    scale = args.scale / 2 if group == "scaling" else args.scale  # these are many runs
    command = [os.path.join(measure.BUILD, "bench"), name, "-s", str(scale)]
    command += ["-t", str(threads)] if threads else []
    base = name if group == "scaling" else ""
    return Workload(f"{name}@{threads}" if base else name, group, GROUPS[group], about,
                    lambda a: measure.run_command(command, a.path, args.timeout), base, threads)


def micro_workloads(args):
    listing = subprocess.run([os.path.join(measure.BUILD, "bench"), "list"], check=True, capture_output=True,
                             text=True).stdout
    for line in listing.splitlines():
        name, group, _, about = line.split("\t")
        if group == "scaling":
            for threads in QUICK_THREADS if args.quick else THREADS:
                yield micro(name, group, about, args, threads)
        elif group != "memory" or args.memory_return:
            yield micro(name, group, about, args)


def program_workloads(args):
    folder = inputs.make(os.path.join(measure.BUILD, "inputs-quick" if args.quick else "inputs"), args.scale)
    absent = programs.missing()
    for name in absent:
        print(f"{name}: not installed, left out; `make bench-deps` installs it")

    def add(name, about, run):
        return Workload(name, "programs", "cpu", about, run, "", None)

    starts = 40 if args.quick else 300
    yield add("true", f"start-up: /bin/true, {starts} times",
              lambda a: measure.run_command(["/bin/true"], a.path, args.timeout, repeats=starts))
    for name, about, program, words, env in programs.commands(folder, args.scale):
        if program not in absent:
            yield add(name, about, lambda a, c=[program] + words, e=env:
                      measure.run_command(c, a.path, args.timeout, env=e))
    if not {"redis-server", "redis-benchmark"} & set(absent):
        yield add("redis", "redis-server, the server's cost, under redis-benchmark",
                  lambda a: programs.run_redis(a.path, args.timeout, folder, int(100000 * args.scale)))


def workloads(args):
    everything = list(micro_workloads(args)) + list(program_workloads(args))
    order = list(GROUPS)
    everything.sort(key=lambda w: order.index(w.group))
    if args.quick and not args.only:
        everything = [w for w in everything if (w.base or w.name) not in QUICK_WITHOUT]
    return [w for w in everything if re.search(args.only, f"{w.name} {w.group}")]


def busy_seconds():
    """CPU time that the whole machine has spent working since it started."""
    with open("/proc/stat") as f:
        fields = [int(n) for n in f.readline().split()[1:]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in both)


def one_run(workload, allocator, expected):
    """Run once; `expected` keeps the output of glibc's first run of each workload."""
    run = workload.run(allocator)
    if run.status == "ok" and expected.setdefault(workload.name, run.digest) != run.digest:
        run = run._replace(status="WRONG", detail="output differs from glibc's")
    return run


def one_round(number, todo, allocs, results, expected):
    # In the first round glibc is first: its output is what the others are compared with.
    turn = allocs[number % len(allocs):] + allocs[:number % len(allocs)]
    for workload in todo:
        for allocator in turn:
            runs = results[workload.name, allocator.name]
            if runs and runs[-1].status != "ok":
                continue  # it failed: reported once, not waited for again
            runs.append(one_run(workload, allocator, expected))
            report.progress(number, workload, allocator, runs[-1])


def all_rounds(args, todo, allocs):
    """Returns {(workload, allocator): [Run, ...]} and the circumstances of the whole."""
    results, expected, rounds = collections.defaultdict(list), {}, 0
    start, busy, own = time.monotonic(), busy_seconds(), own_seconds()
    longest = 0
    while rounds < args.runs:
        begin = time.monotonic()
        if args.quick and begin - start + longest > QUICK_SECONDS:
            break
        try:
            one_round(rounds, todo, allocs, results, expected)
        except KeyboardInterrupt:
            print("interrupted: what there is so far")
            break
        longest = max(longest, time.monotonic() - begin)
        rounds += 1
        report.round_end(rounds, args.runs, time.monotonic() - start)
    took = time.monotonic() - start
    others = (busy_seconds() - busy) - (own_seconds() - own)
    share = max(0.0, others) / took / os.cpu_count()
    return results, {"rounds": rounds, "wanted": args.runs, "took": took, "others": share, "quick": args.quick}


def chosen_allocators(args):
    found = measure.allocators(args.cmalloc, args.peers, print)
    wanted = [n for n in args.allocators.split(",") if n]
    unknown = set(wanted) - {a.name for a in found}
    if unknown:
        raise SystemExit(f"bench: no such allocator here: {', '.join(sorted(unknown))}")
    if wanted:
        found = [a for a in found if a.name == "glibc" or a.name in wanted]
    for a in found:
        if a.path and not really_preloaded(a):
            raise SystemExit(f"bench: {a.name}: {a.path} cannot be preloaded")
    return found


def really_preloaded(allocator):
    """A library that crashes even `cat` is kept: that is for the table to show."""
    try:
        return measure.really_preloaded(allocator)
    except (OSError, subprocess.SubprocessError):
        return True


def main():
    args = arguments()
    if not os.path.exists(measure.LAUNCH):
        raise SystemExit("bench: build/bench is not built: run `make bench`")
    todo = workloads(args)
    allocs = chosen_allocators(args)
    if args.list:
        report.listing(todo, allocs)
        return 0
    if not todo:
        raise SystemExit("bench: no workload matches --only")
    results, circumstances = all_rounds(args, todo, allocs)
    table = report.Table(todo, allocs, results)
    report.write_all(table, circumstances, measure.BUILD)
    chart.write(table, os.path.join(measure.BUILD, "chart.svg"))
    print(f"\nWritten to {os.path.relpath(measure.BUILD)}: runs.csv, summary.csv, summary.md, chart.svg")
    return 1 if any(r.status != "ok" for (_, a), runs in results.items() if a == "cmalloc" for r in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
