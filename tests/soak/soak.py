"""soak.py SECONDS: threads, forks and signals in python3, whose memory must not grow."""
import json
import os
import random
import signal
import sys
import threading
import time

end = time.time() + int(sys.argv[1])
signal.signal(signal.SIGALRM, lambda *_: [bytes(n) for n in range(0, 4000, 100)])
signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
shared = {}


def work():
    for _ in range(300):
        key = random.randrange(200)
        shared[key] = json.loads(json.dumps([random.random()] * random.randrange(1, 400)))
        shared.pop(random.randrange(200), None)


while time.time() < end:
    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    for t in threads:
        t.join()
    if os.waitpid(child, 0)[1] != 0:
        sys.exit("the child has failed")
signal.setitimer(signal.ITIMER_REAL, 0)
