"""fake_monitor.py - a monitor made up for tests: it sends lines, misbehaves, and does as it is told.

It is a stand-in and proves nothing about any real monitor. A line of text each
100 ms, `HR=1;80;ok;<CR>`; `RESET<CR>` is answered by `OK<CR>`, and heals it unless it
is `broken`. What it was told is kept in `heard`.
"""

import threading
import time

EVERY_S = 0.1
GOOD = b"HR=1;80;ok;\r"
BAD = b"#" * 100  # no line end within any frame's length


class FakeMonitor:
    def __init__(self, line, broken=False):
        self.line, self.broken = line, broken
        self.mode = "good"  # or "silent", "bad"
        self.heard = []
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()

    def _live(self):
        said = b""
        while not self._ends.is_set():
            if self.mode != "silent":
                self.line.write(GOOD if self.mode == "good" else BAD)
            said += self.line.read(EVERY_S)
            *orders, said = said.split(b"\r")
            for order in orders:
                self._obey(order)
            self._ends.wait(EVERY_S)

    def _obey(self, order):
        self.heard.append((time.monotonic(), order))
        if order != b"RESET":
            return
        if not self.broken:
            self.mode = "good"
        self.line.write(b"\rOK\r")
