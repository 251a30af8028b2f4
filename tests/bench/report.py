"""Medians, ratios, means: the tables of a benchmark, as text, markdown and CSV."""

import collections
import csv
import math
import os
import platform
import statistics
import sys

MAIN_GROUPS = collections.OrderedDict([
    ("single", "single-threaded micro (CPU time)"),
    ("threads", "multi-threaded micro (wall time)"),
    ("programs", "real programs (CPU time)"),
])

# time: median seconds; least: of the best run; spread: see below; rss: median peak KiB
Cell = collections.namedtuple("Cell", "status detail time least spread rss metrics runs")


def geomean(values):
    return math.exp(statistics.fmean(math.log(v) for v in values)) if values else None


def spread(values):
    """How far the runs next to the extremes are apart, relative to the median."""
    ordered = sorted(values)
    inner = ordered[1:-1] if len(ordered) >= 5 else ordered
    middle = statistics.median(ordered)
    return (inner[-1] - inner[0]) / middle if middle else 0.0


def cell(workload, runs):
    bad = next((r for r in runs if r.status != "ok"), None)
    if not runs:
        return Cell("-", "not run", None, None, None, None, {}, 0)
    if bad:
        return Cell(bad.status, bad.detail, None, None, None, None, {}, len(runs))
    times = [r.wall if workload.metric == "wall" else r.cpu for r in runs]
    metrics = {name: statistics.median(r.metrics[name] for r in runs) for name in runs[0].metrics}
    return Cell("ok", "", statistics.median(times), min(times), spread(times),
                statistics.median(r.rss for r in runs), metrics, len(runs))


class Table:
    """Every cell, and the questions that the reports ask of them."""

    def __init__(self, workloads, allocators, results):
        self.results = results
        self.workloads = workloads
        self.names = [a.name for a in allocators]
        self.paths = {a.name: a.path for a in allocators}
        self.cells = {(w.name, n): cell(w, results[w.name, n]) for w in workloads for n in self.names}
        self.peers = [n for n in self.names if n != "cmalloc"]

    def group(self, group):
        return [w for w in self.workloads if w.group == group]

    def main(self):
        return [w for w in self.workloads if w.group in MAIN_GROUPS]

    def ratio(self, workload, name, field, base="glibc"):
        """One allocator's median over another's; None where either has failed."""
        mine, theirs = (getattr(self.cells[workload.name, n], field) for n in (name, base))
        return mine / theirs if mine and theirs else None

    def best_peer(self, workload):
        times = {n: self.cells[workload.name, n].time for n in self.peers}
        times = {n: t for n, t in times.items() if t}
        return min(times, key=times.get) if times else None

    def mean(self, workloads, name, field, base="glibc"):
        """Geometric mean of the ratios, and how many workloads it lacks."""
        ratios = [self.ratio(w, name, field, base) for w in workloads]
        present = [r for r in ratios if r]
        return geomean(present), len(ratios) - len(present)

    def failures(self):
        return [(w, n, self.cells[w.name, n]) for w in self.workloads for n in self.names
                if self.cells[w.name, n].status != "ok"]


# ---------------------------------------------------------------------------------- while running

def progress(number, workload, allocator, run):
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[Kround {number + 1}: {workload.name} {allocator.name} {run.status}")
        sys.stderr.flush()
    elif run.status != "ok":
        print(f"round {number + 1}: {workload.name} {allocator.name}: {run.status} {run.detail}", flush=True)


def round_end(done, wanted, seconds):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
        sys.stderr.flush()
    print(f"round {done} of at most {wanted} done after {seconds / 60:.1f} minutes", flush=True)


def listing(workloads, allocators):
    for a in allocators:
        print(f"allocator  {a.name:12} {a.path or '(no preload)'}")
    for w in workloads:
        print(f"{w.group:10} {w.name:18} {w.about}")


# ----------------------------------------------------------------------------------------- tables

def render(rows, markdown):
    """Lines of a table: the first row is the head; the first column stands to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    edge, gap = ("| ", " | ") if markdown else ("", "  ")
    lines = []
    for n, row in enumerate(rows):
        words = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
        lines.append((edge + gap.join(words) + edge[::-1]).rstrip())
        if n == 0:
            rule = ["-" * w if i == 0 or not markdown else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
            lines.append((edge + gap.join(rule) + edge[::-1]).rstrip())
    return lines


def figure(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def ratio_cell(table, workload, name, best):
    c = table.cells[workload.name, name]
    if c.status != "ok":
        return c.status
    mark = ("*" if name == best else "") + ("~" if c.spread > 0.1 else "")
    time, rss = (table.ratio(workload, name, f) for f in ("time", "rss"))
    return f"{mark}{figure(time)} / {figure(rss)}"


def over_best(table, workload, best):
    if "cmalloc" not in table.names or best is None:
        return []
    return [figure(table.ratio(workload, "cmalloc", "time", best))]


def group_table(table, group):
    others = [n for n in table.names if n != "glibc"]
    head = [group, "glibc s", "MiB"] + others + (["cmalloc/best"] if "cmalloc" in others else [])
    rows = [head]
    for w in table.group(group):
        best, base = table.best_peer(w), table.cells[w.name, "glibc"]
        name = w.name + (" *" if best == "glibc" else "")
        own = [figure(base.time), f"{base.rss / 1024:.1f}"] if base.status == "ok" else [base.status, "-"]
        rows.append([name] + own + [ratio_cell(table, w, n, best) for n in others] + over_best(table, w, best))
    return rows


def mean_cell(table, workloads, name, base="glibc"):
    (time, lacks), (rss, _) = (table.mean(workloads, name, f, base) for f in ("time", "rss"))
    return f"{figure(time, 3)} / {figure(rss, 3)}" + (f" (-{lacks})" if lacks else "")


def mean_table(table, base="glibc", names=None):
    names = names or [n for n in table.names if n != base]
    rows = [["geometric means"] + names]
    for group in list(MAIN_GROUPS) + ["all"]:
        members = table.main() if group == "all" else table.group(group)
        if members:
            rows.append([f"{group} ({len(members)})"] + [mean_cell(table, members, n, base) for n in names])
    return rows


def cmalloc_table(table):
    """cmalloc over each peer, on the workloads that both have completed."""
    rows = [["cmalloc / peer"] + table.peers]
    for group in list(MAIN_GROUPS) + ["all"]:
        members = table.main() if group == "all" else table.group(group)
        if members:
            rows.append([group] + [mean_cell(table, members, "cmalloc", n) for n in table.peers])
    return rows


def slower_lines(table):
    """Workloads in which cmalloc takes more than 1.10 x the time of the best peer."""
    found = []
    for w in table.main():
        best = table.best_peer(w)
        r = table.ratio(w, "cmalloc", "time", best) if best else None
        if r and r > 1.10:
            found.append((r, f"{w.name} {r:.2f} x {best}"))
    return [text for _, text in sorted(found, reverse=True)]


def scaling_tables(table):
    bases = collections.OrderedDict()
    for w in table.group("scaling"):
        bases.setdefault(w.base, []).append(w)
    for base, ws in bases.items():
        rows = [[f"{base}, M ops/s"] + [str(w.threads) for w in ws]]
        for n in table.names:
            cells = [table.cells[w.name, n] for w in ws]
            rows.append([n] + [f"{c.metrics['ops'] / c.time / 1e6:.1f}" if c.status == "ok" else c.status
                               for c in cells])
        yield rows


def metric_table(table, workload, title, digits):
    ok = [n for n in table.names if table.cells[workload.name, n].status == "ok"]
    if not ok:
        return [[title], [workload.name + " failed everywhere"]]
    keys = [k for k in table.cells[workload.name, ok[0]].metrics if k != "ops"]
    rows = [[title] + keys]
    for n in table.names:
        c = table.cells[workload.name, n]
        rows.append([n] + ([figure(c.metrics[k], digits) for k in keys] if c.status == "ok"
                           else [c.status] + [""] * (len(keys) - 1)))
    return rows


def resident_table(table):
    ws = [w for w in table.workloads if any("resident_live_mean" in table.cells[w.name, n].metrics
                                            for n in table.names)]
    if not ws:
        return None
    rows = [["resident / live"] + [f"{w.name} {k}" for w in ws for k in ("mean", "worst")]]
    for n in table.names:
        metrics = [table.cells[w.name, n].metrics for w in ws]
        rows.append([n] + [figure(m.get(f"resident_live_{k}")) for m in metrics for k in ("mean", "worst")])
    return rows


# ------------------------------------------------------------------------------------- the report

def processor():
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def heading(c):
    libc = " ".join(platform.libc_ver())
    lines = [f"{processor()}, {os.cpu_count()} cores, Linux {platform.release()}, {libc}; "
             f"{c['rounds']} runs each, medians; {c['took'] / 60:.1f} minutes"]
    if c["rounds"] < c["wanted"]:
        lines.append(f"Only {c['rounds']} of {c['wanted']} rounds" +
                     (" fitted into the time of a quick run." if c["quick"] else " were finished."))
    if c["others"] > 0.05:
        lines.append(f"Other processes took {c['others']:.0%} of the machine meanwhile: wall times suffer.")
    return lines


LEGEND = ["Cells: time / peak memory, relative to glibc (below 1 is better). * best peer; ~ the runs differ "
          "by over 10 %.", "CRASH, HANG, EXIT, WRONG: no figures, see below; a mean lacks them: (-1)."]


def tables(table):
    """Title and rows of every table, in order."""
    for group, title in MAIN_GROUPS.items():
        if table.group(group):
            yield title, group_table(table, group)
    if table.main() and len(table.names) > 1:
        yield "geometric means, relative to glibc: time / peak memory", mean_table(table)
        if "cmalloc" in table.names:
            yield "cmalloc relative to each peer, where both completed", cmalloc_table(table)
    for rows in scaling_tables(table):
        yield "throughput by threads", rows
    for w in table.group("latency"):
        yield "latency of single calls, ns, a clock read included", metric_table(table, w, w.name, 0)
    if resident_table(table):
        yield "resident memory over live bytes", resident_table(table)
    for w in table.group("memory"):
        yield "resident MiB after memory was freed", metric_table(table, w, w.name, 1)


def report_lines(table, circumstances, markdown):
    lines = heading(circumstances) + LEGEND
    for title, rows in tables(table):
        lines += ["", ("#### " if markdown else "== ") + title, ""] + render(rows, markdown)
    failed = table.failures()
    if failed:
        lines += ["", "Failures:"] + [f"- {w.name}, {n}: {c.status}, {c.detail}" for w, n, c in failed]
    if "cmalloc" in table.names and table.main():
        lines += ["", "Slower than 1.10 x the best peer: " + ("; ".join(slower_lines(table)) or "none")]
    return lines


def write_runs(table, path):
    with open(path, "w", newline="") as f:
        out = csv.writer(f)
        out.writerow("workload group allocator run status wall_s cpu_s peak_kib faults output metrics".split())
        for w in table.workloads:
            for n in table.names:
                for i, r in enumerate(table.results[w.name, n]):
                    metrics = " ".join(f"{k}={v:g}" for k, v in r.metrics.items())
                    out.writerow([w.name, w.group, n, i + 1, r.status, f"{r.wall:.6f}", f"{r.cpu:.6f}", r.rss,
                                  r.faults, r.digest, metrics])


def write_summary(table, path):
    with open(path, "w", newline="") as f:
        out = csv.writer(f)
        out.writerow("workload group metric allocator status runs time_s least_s spread peak_kib time_vs_glibc "
                     "peak_vs_glibc best_peer time_vs_best_peer".split())
        for w in table.workloads:
            best = table.best_peer(w)
            for n in table.names:
                c = table.cells[w.name, n]
                ratios = [table.ratio(w, n, "time"), table.ratio(w, n, "rss"),
                          table.ratio(w, n, "time", best) if best else None]
                ratios = ["" if r is None else f"{r:.4f}" for r in ratios]
                figures = [""] * 4
                if c.status == "ok":
                    figures = [f"{c.time:.6f}", f"{c.least:.6f}", f"{c.spread:.4f}", f"{c.rss:.0f}"]
                out.writerow([w.name, w.group, w.metric, n, c.status, c.runs] + figures + ratios[:2]
                             + [best or "", ratios[2]])


def write_all(table, circumstances, folder):
    print("\n".join(report_lines(table, circumstances, False)))
    with open(os.path.join(folder, "summary.md"), "w") as f:
        f.write("\n".join(report_lines(table, circumstances, True)) + "\n")
    write_runs(table, os.path.join(folder, "runs.csv"))
    write_summary(table, os.path.join(folder, "summary.csv"))
