"""ward_line.py - a concentrator's serial line on a pty, and what of it was read.

What a pty took is not what was read from it. The judge needs the latter, asks neither the
program nor its archive, and trusts no clock: on a busy machine a kernel's worker may hand
bytes over to the other end long after they were written. So this side keeps the other end
open as well, and asks the kernel in two ways, both of which wait for that worker
(drivers/tty/n_tty.c, n_tty_poll and n_tty_read):

    poll says that there is nothing to read     all that was written before was read
    a read of ours, when no reader lives, says   what we got before that was not read,
    that there is nothing                        all the rest was

Both hold while the buffer at that end (4 KiB) was never full: FILL bytes at the most are
written that are not known to be read.

A frame is one of: read (it must come out), not read, not whole or not right (it must
not), or, where a plug was pulled with bytes on their way, unknown: of those the first
ones may. Of frames that were read right before a kill the same holds, since they may not
have been safe yet.

Not here: what a frame says (ward.py), the verdict (ward_judge.py).
"""

import fcntl
import os
import pty
import select
import termios
import time
import tty

from cases import Skip

FILL = 3000


class Sent:
    """A frame on a line, and where it lies among the line's bytes."""

    __slots__ = ("frame", "start", "end", "good", "read_s")

    def __init__(self, frame, start, size, good):
        self.frame, self.start, self.end, self.good, self.read_s = frame, start, start + size, good, None


class WardLine:
    """One line through all its plugs. Nothing here waits."""

    def __init__(self, link):
        self.link, self.fd, self.theirs = link, -1, -1
        self.must = []      # frames that were read and safe
        self.never = []     # frames that nobody can have read whole and right
        self.tails = []     # lists of frames of which the first ones may have come out
        self._begin()

    def _begin(self):
        self.flights = []   # Sent, of this plug, in their order; not judged yet
        self.known = 0      # how many of them are known to be read
        self.pending, self.made, self.written = b"", 0, 0
        self.read = 0       # so many bytes at the least

    # ---- the plug ----

    def plug(self):
        try:
            self.fd, self.theirs = pty.openpty()
        except OSError:
            raise Skip("no terminal can be made here (/dev/pts)") from None
        tty.setraw(self.theirs)  # nothing is echoed to us, whoever is late
        os.set_blocking(self.fd, False)
        os.set_blocking(self.theirs, False)
        self.poll = select.poll()
        self.poll.register(self.theirs, select.POLLIN)
        os.symlink(os.ttyname(self.theirs), self.link + ".new")
        os.rename(self.link + ".new", self.link)

    def pull(self):
        """Gone, with all that is on its way."""
        os.unlink(self.link)
        self.look()
        self._judge(self.read, self.written, None)
        self._pass(self.made)
        self.close()
        self._begin()

    def close(self):
        for fd in (self.fd, self.theirs):
            if fd >= 0:
                os.close(fd)
        self.fd = self.theirs = -1

    # ---- bytes ----

    def send(self, data, frame=None, good=True):
        """Bytes for the line; `good`: they are this frame, whole and right."""
        if frame is not None:
            self.flights.append(Sent(frame, self.made, len(data), good))
        self.made += len(data)
        self.pending += data

    def turn(self):
        """Looks at what was read, and writes what the line takes."""
        if self.fd < 0:
            return
        self.look()
        room = FILL - (self.written - self.read)
        if not self.pending or room <= 0:
            return
        try:
            took = os.write(self.fd, self.pending[:room])
        except BlockingIOError:
            return
        self.pending = self.pending[took:]
        self.written += took

    def look(self):
        if self.poll.poll(0):
            return
        self.read, now = self.written, time.monotonic()
        while self.known < len(self.flights) and self.flights[self.known].end <= self.read:
            self.flights[self.known].read_s = now
            self.known += 1

    def is_quiet(self):
        """All was written, and all was read."""
        return not self.pending and self.read == self.written

    # ---- the reader is gone, or the line is at its end ----

    def _left(self):
        """What nobody read, taken from the line."""
        left = b""
        while True:
            try:
                left += os.read(self.theirs, FILL)
            except BlockingIOError:
                return left

    def reader_died(self, safe_before_s=None, lose=False):
        """Once no reader lives. `safe_before_s`: what was read by then must come out, of
        what was read later the first frames may; None: all must. `lose`: the line does
        not keep what was not read, else the next reader finds it there."""
        fcntl.ioctl(self.theirs, termios.TIOCNXCL)  # as the last close of a line would do
        left = self._left()
        self.read = self.written - len(left)
        self._judge(self.read, self.read, safe_before_s)
        if lose:
            self.read = self.written
            self._pass(self.written)
        elif left:
            assert os.write(self.fd, left) == len(left)

    def _judge(self, low, high, safe_before_s):
        """Frames that end at or below `low` were read; that begin at or above `high`,
        not. Where both are the same, one that lies across was cut by the reader's end."""
        tail, rest = [], []
        for sent in self.flights:
            if sent.start >= high:
                rest.append(sent)
            elif not sent.good or (sent.end > high):
                self.never.append(sent.frame)
            elif sent.end > low or self._unsafe(sent, safe_before_s):
                tail.append(sent)
            else:
                self.must.append(sent.frame)
        self.tails.append([(sent.frame, sent.read_s) for sent in tail])
        self.flights, self.known = rest, 0

    @staticmethod
    def _unsafe(sent, safe_before_s):
        return safe_before_s is not None and (sent.read_s is None or sent.read_s > safe_before_s)

    def _pass(self, upto):
        """What was not read up to there never will be."""
        self.never += [sent.frame for sent in self.flights if sent.start < upto]
        self.flights = [sent for sent in self.flights if sent.start >= upto]
