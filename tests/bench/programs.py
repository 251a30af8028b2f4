"""Real programs. Each prints something that depends on all its work, so that outputs can be compared."""

import os
import shutil
import socket
import subprocess
import sys
import time

import measure

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "programs")


def python3():
    """The distribution's python rather than a wrapper script of some version manager."""
    return "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


def commands(inputs, scale):
    """Name, what it stands for, program, arguments, environment."""
    def path(name):
        return os.path.join(inputs, name)

    def script(name):
        return os.path.join(SCRIPTS, name)

    small = str(0.6 * scale)
    return [
        ("python", "python3: objects, dicts, JSON, regular expressions (PYTHONMALLOC=malloc)", python3(),
         [script("work.py"), small], {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}),
        ("g++", "g++ -O1 of a file heavy in templates", "g++",
         ["-std=c++17", "-O1", "-S", "-o", "-", path("heavy.cc")], {}),
        ("sqlite", "sqlite3: indexes, joins, groups, JSON, in memory", "sqlite3",
         [":memory:", ".read " + path("data.sql")], {}),
        ("lua", "lua: tables, closures, strings", "lua", [script("work.lua"), str(scale)], {}),
        ("perl", "perl: hashes, strings, regular expressions", "perl",
         [script("work.pl"), small], {"PERL_HASH_SEED": "0"}),
        ("z3", "z3: arithmetic, arrays and bit-vectors", "z3", [path("solve.smt2")], {}),
        ("ghostscript", "gs: pages of curves, shadings and text", "gs",
         ["-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=ppmraw", "-r60", "-sOutputFile=-",
          path("pages.ps")], {}),
    ]


def missing():
    """Programs that are not installed."""
    names = ["g++", "sqlite3", "lua", "perl", "z3", "gs", "redis-server", "redis-benchmark"]
    return [n for n in names if shutil.which(n) is None]


def connect(port, seconds):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=seconds)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def ask(conn, data, last):
    """Send commands, read until the reply to the last one, which contains `last`; returns the tail."""
    tail = b""
    for start in range(0, len(data), 16384):
        conn.settimeout(60)
        conn.sendall(data[start:start + 16384])
        conn.setblocking(False)
        try:
            while True:  # read what has come, so that the server is never kept waiting
                tail = (tail + conn.recv(1 << 20))[-200:]
        except BlockingIOError:
            pass
    conn.settimeout(60)
    while last not in tail:
        got = conn.recv(1 << 20)
        if not got:
            raise OSError("connection closed")
        tail = (tail + got)[-200:]
    return tail


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def redis_load(port, inputs, requests):
    """redis-benchmark, whose keys are random; then a fixed stream, whose digest has to agree."""
    subprocess.run(["redis-benchmark", "-h", "127.0.0.1", "-p", str(port), "-q", "-P", "16", "-c", "20",
                    "-d", "100", "-r", "50000", "-n", str(requests),
                    "-t", "set,get,incr,lpush,rpush,lpop,sadd,hset,spop,zadd,lrange_100"],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=120,
                   env=measure.environment({}))
    with connect(port, 5) as conn:
        with open(os.path.join(inputs, "commands.resp"), "rb") as f:
            data = f.read()
        ask(conn, b"*1\r\n$8\r\nFLUSHALL\r\n" + data + b"*2\r\n$4\r\nECHO\r\n$7\r\nthe-end\r\n", b"the-end\r\n")
        digest = ask(conn, b"DEBUG DIGEST\r\n", b"\r\n").strip().decode()
        conn.sendall(b"SHUTDOWN NOSAVE\r\n")
        return digest


def run_redis(preload, seconds, inputs, requests):
    """The server runs under the allocator, the client does not; what counts is the server's cost.

    Debian's redis-server is linked with jemalloc: for a run with glibc, libc is preloaded before it.
    """
    paths = [os.path.join(measure.BUILD, "run." + kind) for kind in ("cost", "out", "err")]
    if os.path.exists(paths[0]):
        os.unlink(paths[0])
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
               "--enable-debug-command", "local", "--dir", measure.BUILD]
    digest = problem = None
    with open(paths[1], "wb") as out, open(paths[2], "wb") as err:
        launcher = subprocess.Popen(
            measure.launch_arguments(paths[0], seconds, 1, preload or measure.library("libc.so.6"), command),
            stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=measure.environment({}))
        try:
            connect(port, 10).close()
            digest = redis_load(port, inputs, requests)
        except (OSError, subprocess.SubprocessError) as e:
            problem = str(e)
            time.sleep(0.5)  # if the server has crashed, let it end by itself
            launcher.terminate()
        launcher.wait()
    run = measure.finish(*paths, digest=digest)
    if problem and run.status in ("ok", "HANG"):
        run = run._replace(status="HANG", detail=problem)
    return run
