#!/usr/bin/env python3
"""keep.py - runs a server until stdin ends, so that a test that is killed leaves none behind.

    keep.py PROGRAM ARGUMENT...      ends with the program's code, or ends it with its children

Servers that change their user forget a parent's death signal (prctl(2)): so it is a process of its own that
notices. Not here: servers of ours, which end with stdin themselves."""

import os
import signal
import subprocess
import sys
import threading

PATIENCE_S = 10


def end(process, number):
    try:
        os.killpg(process.pid, number)
    except OSError:
        pass


def main():
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    # A keyboard's or a runner's signal is for the test, whose end is seen here.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)

    def follow():
        code = process.wait()
        end(process, signal.SIGKILL)
        os._exit(code if code >= 0 else 128 - code)

    waiter = threading.Thread(target=follow, daemon=True)
    waiter.start()
    while os.read(0, 4096):
        pass
    end(process, signal.SIGTERM)
    waiter.join(PATIENCE_S)
    end(process, signal.SIGKILL)
    waiter.join()


if __name__ == "__main__":
    main()
