"""What one run costs, and which allocators there are to run with.

A run goes through build/bench/launch, which is tiny, so that the peak memory that the kernel reports is
the program's own (see launch.c).
"""

import collections
import glob
import hashlib
import os
import signal
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build", "bench")
LAUNCH = os.path.join(BUILD, "launch")

# Name and file, as Debian installs them.
DEBIAN_PEERS = [
    ("jemalloc", "libjemalloc.so.2"),
    ("mimalloc", "libmimalloc.so.2.0"),
    ("tcmalloc", "libtcmalloc_minimal.so.4"),
    ("tbbmalloc", "libtbbmalloc_proxy.so.2"),
]

Allocator = collections.namedtuple("Allocator", "name path")  # path: what to preload, "" for none
Run = collections.namedtuple("Run", "status detail wall cpu rss faults digest metrics")


def library(name):
    """The path of an installed shared library, or None."""
    found = [p for d in ("/usr/lib/*-linux-gnu", "/lib/*-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib")
             for p in sorted(glob.glob(os.path.join(d, name)))]
    return found[0] if found else None


def allocators(cmalloc, peers, say):
    """glibc first, then every peer that is there, cmalloc last. peers: "name=/path.so name=/path.so"."""
    found = [Allocator("glibc", "")]
    for name, file in DEBIAN_PEERS:
        path = library(file)
        if path:
            found.append(Allocator(name, path))
        else:
            say(f"{name}: not installed ({file}), left out; `make bench-deps` installs it")
    for word in peers.split():
        name, _, path = word.partition("=")
        if not os.path.isfile(path):
            raise SystemExit(f"bench: PEERS: no such file: {word}")
        found.append(Allocator(name, os.path.abspath(path)))
    if os.path.isfile(cmalloc):
        found.append(Allocator("cmalloc", os.path.abspath(cmalloc)))
    else:
        say(f"cmalloc: {cmalloc} is not there, left out; `make` builds it")
    return found


def environment(extra):
    """The same few variables for everybody; an allocator's own options are let through."""
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C", "LC_ALL": "C", "HOME": BUILD}
    env.update((k, v) for k, v in os.environ.items() if k == "CMALLOC_OPTIONS")
    env.update(extra)
    return env


def parse_cost(path):
    with open(path) as f:
        return dict(line.rstrip("\n").split(" ", 1) for line in f)


def parse_output(data):
    """Split a program's output into what must agree (its digest) and `metric NAME VALUE` lines."""
    metrics, rest = {}, []
    for line in data.split(b"\n"):
        if line.startswith(b"metric "):
            _, name, value = line.decode().split()
            metrics[name] = float(value)
        else:
            rest.append(line)
    return hashlib.sha256(b"\n".join(rest)).hexdigest()[:16], metrics


def last_line(path):
    with open(path, "rb") as f:
        lines = [line for line in f.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def status_of(cost):
    """ok, CRASH, HANG or EXIT, and what there is to say about it."""
    word, _, number = cost["status"].partition(" ")
    if word == "timeout":
        return "HANG", "did not end in time"
    if word == "signal":
        return "CRASH", signal.Signals(int(number)).name
    return ("ok", "") if number == "0" else ("EXIT", f"exit {number}")


def finish(cost_path, out_path, err_path, digest=None):
    """A Run, from what launch and the program have left behind."""
    cost = parse_cost(cost_path)
    status, detail = status_of(cost)
    if status != "ok":
        detail = f"{detail}: {last_line(err_path)}".rstrip(": ")
    with open(out_path, "rb") as f:
        own_digest, metrics = parse_output(f.read())
    return Run(status, detail, float(cost["wall"]), float(cost["user"]) + float(cost["sys"]),
               int(cost["rss"]), int(cost["minflt"]) + int(cost["majflt"]), digest or own_digest, metrics)


def launch_arguments(cost_path, seconds, repeats, preload, command):
    return [LAUNCH, cost_path, str(seconds), str(repeats), preload or "-"] + command


def run_command(command, preload, seconds, repeats=1, env=None):
    """Run a command to its end."""
    paths = [os.path.join(BUILD, "run." + kind) for kind in ("cost", "out", "err")]
    if os.path.exists(paths[0]):
        os.unlink(paths[0])
    with open(paths[1], "wb") as out, open(paths[2], "wb") as err:
        subprocess.run(launch_arguments(paths[0], seconds, repeats, preload, command), stdout=out, stderr=err,
                       stdin=subprocess.DEVNULL, env=environment(env or {}), check=True)
    return finish(*paths)


def really_preloaded(allocator):
    """True if a program under this allocator has its file mapped: ld.so only warns when it cannot."""
    run_command(["/bin/cat", "/proc/self/maps"], allocator.path, 10)
    with open(os.path.join(BUILD, "run.out")) as f:
        return os.path.realpath(allocator.path) in f.read()
