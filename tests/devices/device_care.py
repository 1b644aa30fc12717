"""device_care.py - a device misbehaves and is recovered: found, told to reset, well again, and all of it kept.

The device is a stand-in (fake_monitor.py) at the other end of a pty; the pipeline, its
orders to the device's port, and the archive are real.
"""

import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../pipeline"))

import cases
from cases import has
from fake_monitor import FakeMonitor
from serial_line import Line

PIPELINE = """
[pipeline]
name = "device-care"
memory_limit = "128MiB"
commit_every = "100ms"

[source.monitor]
plugin       = "in_serial"
from         = "care.commands"
path         = "${env:AFFERENT_MONITOR}"
subject      = "bed-3"
stream       = "monitor"
framer       = "line"
line         = { end = ["\\r"] }
max_frame    = "64B"
silent_after = "30s"
commands     = { reset = { send = "RESET\\r", expect = ["^OK"], timeout = "1s" } }

[processor.numerics]
plugin = "op_parse"
from   = "monitor"
frames = [{ key = "HR", columns = [{ name = "heart_rate", field = 2, unit = "/min", code = "8867-4" }] }]

[processor.care]
plugin = "op_watch"
from   = { in = "numerics", events = "monitor.events" }
place  = "bed 3"
rules  = [
    { name = "silent", kind = "silent", for = "1s", clear_for = "500ms", command = "reset", retry_every = "4s", command_most = 2, command_within = "10min", severity = "technical", text = "the monitor sends nothing" },
    { name = "bad", kind = "bad_rate", within = "8s", most = 0, command = "reset", retry_every = "20s", severity = "technical", alert = "escalated", text = "the monitor sends nonsense" },
]

[sink.archive]
plugin = "out_lmdb"
from   = ["care", "care.events", "care.alerts", "care.commands", "monitor.results"]
path   = "${env:AFFERENT_ARCHIVE}"
edge   = { when_full = "spill" }

[sink.people]
plugin = "out_alert"
from   = "care.alerts"
to     = ["stderr"]
edge   = { when_full = "spill", priority = "alarm" }
"""


def archived(bench, stream):
    try:
        out, _ = bench.run("query", bench.path("care.toml"), "--stream", stream, "--format", "json")
    except AssertionError:  # the archive is not there yet
        return []
    return [json.loads(line)["values"] for line in out.splitlines()]


def states(bench):
    return [(row["rule"], row["state"]) for row in archived(bench, "device/events")]


def wait_for(what, said):
    """Until `what` gives something true, which is given back."""
    end = time.monotonic() + cases.LIMIT_S / 2
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < end, said()
        time.sleep(0.1)


class Care:
    """The pipeline with a monitor at its line."""

    def __init__(self, bench, broken=False):
        self.bench, self.broken = bench, broken

    def __enter__(self):
        bench = self.bench
        bench.env["AFFERENT_MONITOR"] = bench.path("ttyMonitor")
        path = bench.write("care.toml", PIPELINE)
        self.line = Line(bench.env["AFFERENT_MONITOR"])
        self.run = bench.start("run", path)
        self.line.wait_open(self.run)
        self.monitor = FakeMonitor(self.line, self.broken).__enter__()
        wait_for(lambda: archived(bench, "monitor/rows"), lambda: "no data came")
        return self

    def __exit__(self, kind, *_):
        self.monitor.__exit__()
        if kind is None:
            self.run.send(signal.SIGTERM)
            assert self.run.end() == 0, self.run.said
            has(self.run.said, "balanced: ")
        self.line.__exit__()

    def wait_states(self, *wanted):
        wait_for(lambda: set(wanted) <= set(states(self.bench)), lambda: f"{wanted} are not all in {states(self.bench)}")

    def resets(self):
        return [order for _, order in self.monitor.heard]


def a_silent_monitor_is_reset_and_recovers(bench):
    with Care(bench) as care:
        care.monitor.mode = "silent"
        care.wait_states(("silent", "raised"), ("silent", "commanded"), ("silent", "cleared"))
        assert care.resets() == [b"RESET"], care.resets()
        assert care.monitor.mode == "good"
        care.run.wait_for("the monitor sends nothing [silent] ended")
        before = len(archived(bench, "monitor/rows"))
        wait_for(lambda: len(archived(bench, "monitor/rows")) > before, lambda: "no data came after the reset")
    assert states(bench) == [("silent", "raised"), ("silent", "commanded"), ("silent", "cleared")], states(bench)
    assert [(a["severity"], a["state"]) for a in archived(bench, "device/alerts")] == \
        [("technical", "raised"), ("technical", "ended")]
    assert [(c["command"], c["count"]) for c in archived(bench, "device/commands")] == [("reset", 1)]
    assert [(r["command"], r["outcome"]) for r in archived(bench, "monitor/results")] == [("reset", "done")]


def a_monitor_that_sends_nonsense_is_reset_before_people_are_told(bench):
    with Care(bench) as care:
        care.monitor.mode = "bad"
        care.wait_states(("bad", "raised"), ("bad", "commanded"), ("bad", "cleared"))
        assert b"RESET" in care.resets()
    assert not [a for a in archived(bench, "device/alerts") if a["rule"] == "bad"]


def a_monitor_that_no_command_helps_is_for_people(bench):
    with Care(bench, broken=True) as care:
        care.monitor.mode = "silent"
        care.wait_states(("silent", "escalated"))
        resets = care.resets()
        alerts = [a["state"] for a in archived(bench, "device/alerts")]
        wait_for(lambda: len(archived(bench, "device/alerts")) == 2, lambda: f"alerts: {alerts}")
        care.monitor.mode = "good"
        care.wait_states(("silent", "cleared"))
    assert resets == [b"RESET", b"RESET"], resets
    assert [a["state"] for a in archived(bench, "device/alerts")] == ["raised", "repeated", "ended"]


def what_was_found_outlives_a_run_that_is_killed(bench):
    with Care(bench, broken=True) as care:
        care.monitor.mode = "silent"
        care.wait_states(("silent", "commanded"))
        wait_for(lambda: archived(bench, "device/alerts"), lambda: "no alert")
        time.sleep(0.5)  # a commit later
        care.run.send(signal.SIGKILL)
        care.run.end()
        care.run = bench.start("run", bench.path("care.toml"))
        care.wait_states(("silent", "escalated"))
        care.monitor.mode = "good"
        care.wait_states(("silent", "cleared"))
    found = states(bench)
    assert found.count(("silent", "raised")) == 1 and found.count(("silent", "cleared")) == 1, found
    assert len(care.resets()) <= 3, care.resets()  # one may have been sent again


if __name__ == "__main__":
    cases.main(a_silent_monitor_is_reset_and_recovers, a_monitor_that_sends_nonsense_is_reset_before_people_are_told,
               a_monitor_that_no_command_helps_is_for_people, what_was_found_outlives_a_run_that_is_killed)
