"""serial_line.py - a serial line for tests: a pty whose other end a program opens as its device.

    with Line(bench.path("ttyMonitor")) as line:      # a link there leads to the pty
        line.wait_open(run)                           # until the program has set its line
        line.play(data, [7, 100, ...], baud=9600)     # written in such pieces

A pty has no parity and no modem lines. Nothing here knows of any protocol.
"""

import os
import pty
import random
import select
import termios
import time

from cases import LIMIT_S, Skip


def cuts(size, way, seed=1):
    """Sizes of pieces: "whole", "bytes", or "random"."""
    if way == "bytes":
        return [1] * size
    chance, pieces = random.Random(seed), []
    while size > 0:
        pieces.append(size if way == "whole" else min(size, chance.randint(1, 700)))
        size -= pieces[-1]
    return pieces


class Line:
    def __init__(self, link):
        try:
            self.fd, self.theirs = pty.openpty()
        except OSError:
            raise Skip("no terminal can be made here (/dev/pts)") from None
        self.link = link
        os.symlink(os.ttyname(self.theirs), link)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.unlink(self.link)
        for fd in (self.fd, self.theirs):
            os.close(fd)

    def wait_open(self, run):
        """A new pty is a terminal with line editing; who reads data, `run`, switches that off."""
        end = time.monotonic() + LIMIT_S
        while termios.tcgetattr(self.theirs)[3] & termios.ICANON:
            assert run.process.poll() is None and time.monotonic() < end, f"nobody opened the line {run.end()}: {run.said}"
            time.sleep(0.01)
        time.sleep(0.1)  # what came before it was set may be thrown away

    def write(self, data):
        end = time.monotonic() + LIMIT_S
        while data:
            assert select.select([], [self.fd], [], max(0, end - time.monotonic()))[1], "nobody reads the line"
            data = data[os.write(self.fd, data[:1024]):]

    def play(self, data, pieces, baud=0):
        """Ten bits a byte, as 8N1 has them; 0: as fast as it is read."""
        at, begin = 0, time.monotonic()
        for size in pieces:
            if baud:
                time.sleep(max(0.0, begin + at * 10 / baud - time.monotonic()))
            self.write(data[at:at + size])
            at += size

    def read(self, wait_s):
        """What the program has sent; nothing after so long."""
        if not select.select([self.fd], [], [], wait_s)[0]:
            return b""
        return os.read(self.fd, 4096)
