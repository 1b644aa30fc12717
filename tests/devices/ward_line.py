"""ward_line.py - a concentrator's serial line on a pty, and what of it was read.

What a pty took is not what was read from it. The judge needs the latter, and asks
neither the program nor its archive: this side keeps the other end open as well, and
TIOCINQ there says how many bytes wait unread. Between a write and that count lies the
kernel's hand-over from one end to the other. It is given SETTLE_S in which we ran: where
this machine stood still we count STEP_S, since the kernel may have stood as well; and it
begins anew where the buffer behind it (4 KiB) was nearly full. So

    read >= what was written until SETTLE_S ago, less what waits     while a reader lives
    read  = what was written, less what waits                        SETTLE_S after it died

and a frame is one of: read (it must come out), not read, not whole or not right (it
must not), or, where a plug was pulled with bytes on their way, unknown: of those the
first ones may. Of frames that were read right before a kill the same holds, since
they may not have been safe yet.

Not here: what a frame says (ward.py), the verdict (ward_judge.py).
"""

import collections
import fcntl
import os
import pty
import struct
import termios
import time
import tty

from cases import Skip

SETTLE_S = 0.2
STEP_S = 0.02          # the most that counts between two looks
BUFFER = 4096          # what the kernel keeps for a reader
FILL = 3000            # how far we fill it
FULL = BUFFER - 200    # what counts as nearly full


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
        self.read_low = self.settled = 0
        self.looked_s, self.ran_s = time.monotonic(), 0.0
        self.history = collections.deque()  # (when by ran_s, bytes written by then, bytes)

    # ---- the plug ----

    def plug(self):
        try:
            self.fd, self.theirs = pty.openpty()
        except OSError:
            raise Skip("no terminal can be made here (/dev/pts)") from None
        tty.setraw(self.theirs)  # nothing is echoed to us, whoever is late
        os.set_blocking(self.fd, False)
        os.symlink(os.ttyname(self.theirs), self.link + ".new")
        os.rename(self.link + ".new", self.link)

    def pull(self):
        """Gone, with all that is on its way."""
        os.unlink(self.link)
        self.look(time.monotonic())
        self._judge(self.read_low, self.written, None)
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
        """Writes what the line takes, and looks at what was read."""
        if self.fd < 0:
            return
        now = time.monotonic()
        self.look(now)
        room = FILL - self.unread() - sum(n for t, _, n in self.history if t > self.ran_s - 0.01)
        if not self.pending or room <= 0:
            return
        try:
            took = os.write(self.fd, self.pending[:room])
        except BlockingIOError:
            return
        self.pending = self.pending[took:]
        self.written += took
        self.history.append((self.ran_s, self.written, took))

    def unread(self):
        return struct.unpack("i", fcntl.ioctl(self.theirs, termios.TIOCINQ, bytes(4)))[0]

    def look(self, now):
        self.ran_s += min(now - self.looked_s, STEP_S)
        self.looked_s = now
        while self.history and self.history[0][0] <= self.ran_s - SETTLE_S:
            self.settled = self.history.popleft()[1]
        waits = self.unread()
        if waits >= FULL:
            self.history = collections.deque((self.ran_s, upto, n) for _, upto, n in self.history)
            return
        self.read_low = max(self.read_low, self.settled - waits)
        while self.known < len(self.flights) and self.flights[self.known].end <= self.read_low:
            self.flights[self.known].read_s = now
            self.known += 1

    def is_quiet(self):
        """All was written, and all was read."""
        return not self.pending and not self.history and self.read_low == self.written

    # ---- the reader is gone, or the line is at its end ----

    def reader_died(self, safe_before_s=None, lose=False):
        """SETTLE_S after the reader's end. `safe_before_s`: what was read by then must
        come out, of what was read later the first frames may; None: all must. `lose`:
        the line does not keep what was not read."""
        fcntl.ioctl(self.theirs, termios.TIOCNXCL)  # as the last close of a line would do
        waits = self.unread()
        assert waits < FULL, "more was on its way than can be counted"
        self._judge(self.written - waits, self.written - waits, safe_before_s)
        self.settled, self.read_low = self.written, self.written - waits
        self.history.clear()
        if lose:
            termios.tcflush(self.theirs, termios.TCIFLUSH)
            self.read_low = self.written
            self._pass(self.written)

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
