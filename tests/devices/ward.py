"""ward.py - ten concentrators with twenty beds each, on ten ptys, through pipelines/ward-gateway.toml, and judged.

Each frame names its bed and has a number there. The archive is what counts: a frame
that was read from a pty is in it once, as it was sent; one that was not read, was cut,
or has a wrong checksum is not. How we know what was read: ward_line.py. The judge
(ward_judge.py) is shown to find what is planted before anything is judged.

    WARD_SECONDS   of each run at a rate or with faults, 4 by default
    WARD_FRAMES    at full speed, 20000 by default
    WARD_ROUNDS    of faults, of kills and of stops, 2 by default
    WARD_SEED      of all that is random, 1 by default; each case says which it used
"""

import json
import os
import random
import re
import resource
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../pipeline"))

import cases
from cases import PIPELINES, has
from ward_judge import judge, key, rows_of
from ward_line import WardLine
from ward_units import BEDS, Concentrator, Troubles

PIPELINE = os.path.join(PIPELINES, "ward-gateway.toml")
LINES = 10
SECONDS = float(os.environ.get("WARD_SECONDS", "4"))
FRAMES = int(os.environ.get("WARD_FRAMES", "20000"))
ROUNDS = int(os.environ.get("WARD_ROUNDS", "2"))
SEED = int(os.environ.get("WARD_SEED", "1"))
SAFE_S = 1.5   # what was read longer before a kill must be safe: six times commit_every
FRESH_S = 2.0  # what was read longer ago must be in the archive while it runs
STALLS = 10    # both are longer by so many times the longest that machine and disk stood still for us
PROBE_S = 0.2  # so often we sync a file of ours, to see that
BAUD = 115200


class Ward:
    def __init__(self, bench, seed):
        print(f"seed {seed}", flush=True)
        self.bench, self.chance = bench, random.Random(seed)
        self.units = [Concentrator(bench, n, self.chance) for n in range(1, LINES + 1)]
        self.run, self.killed_s = None, []
        self.cpu_s = self.rss = self.before_s = self.began_s = self.stall_s = self.fed_s = 0.0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for unit in self.units:
            unit.line.close()

    def start(self, *sets):
        """Until all lines are read."""
        self.before_s = self.child_s()
        self.run = self.bench.start("run", PIPELINE, *[word for one in sets for word in ("--set", one)])
        for unit in self.units:
            unit.send()
        self.settle()
        self.began_s = self.cpu()

    def go(self, seconds, feed):
        """`feed(unit, at)` gives a line its bytes, `at` seconds after the first begin."""
        probed = last = time.monotonic()
        begin, self.fed_s = last - self.fed_s, self.fed_s + seconds
        with open(self.bench.path("probe"), "wb") as probe:
            while (at := time.monotonic() - begin) < self.fed_s:
                for unit in self.units:
                    feed(unit, at)
                    unit.line.turn()
                assert self.run.process.poll() is None, f"it ended: {self.run.end()}: {self.run.said}"
                if last - probed > PROBE_S:
                    probed = last
                    probe.write(b"x")
                    probe.flush()
                    os.fsync(probe.fileno())
                time.sleep(0.002)
                now = time.monotonic()
                self.stall_s, last = max(self.stall_s, now - last), now

    def patience(self):
        return STALLS * self.stall_s

    def settle(self):
        """Until all that was sent is read."""
        end = time.monotonic() + cases.LIMIT_S / 2
        while not all(unit.line.is_quiet() for unit in self.units):
            assert self.run.process.poll() is None, f"it ended: {self.run.end()}: {self.run.said}"
            assert time.monotonic() < end, f"a line is not read:\n{self.run.said}"
            for unit in self.units:
                unit.line.turn()
            time.sleep(0.002)

    @staticmethod
    def child_s():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def cpu(self):
        """Of the host and the children that it waited for, until now."""
        with open(f"/proc/{self.run.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return sum(int(n) for n in fields[11:15]) / os.sysconf("SC_CLK_TCK")

    def resident(self):
        """The most that it ever had, in MiB."""
        with open(f"/proc/{self.run.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]) / 1024

    def archive_all(self):
        """Until nothing waits in a queue. It is asked for that only to know when to look."""
        end = time.monotonic() + cases.LIMIT_S / 2
        while True:
            status = json.loads(self.bench.run("status", PIPELINE, "--json")[0])
            if not any(edge["queued"] for edge in status["edges"]):
                return
            assert time.monotonic() < end, f"it does not work off what waits: {status['edges']}"
            time.sleep(0.05)

    def freshness(self):
        """How long ago the oldest frame was read that the archive does not have by now."""
        now, there = time.monotonic(), {key(values) for _, values in rows_of(self.query())}
        ages = [now - sent.read_s for unit in self.units for sent in unit.line.flights
                if sent.read_s is not None and key(sent.frame) not in there]
        return max(ages, default=0.0)

    def stop(self, number=signal.SIGTERM, lose=False, feed=None):
        """Ends the reader; afterwards each line knows what was read. `feed`: it stands
        still before, so that it has more to read at its end than it gives out at once."""
        self.rss = self.resident()
        at = time.monotonic()
        if feed:
            self.run.send(signal.SIGSTOP)
            self.go(0.4, feed)
            self.run.send(number, signal.SIGCONT)
        else:
            self.run.send(number)
        code = self.run.end()
        self.cpu_s = self.child_s() - self.before_s - self.began_s
        safe_before_s = None
        if number == signal.SIGKILL:
            self.killed_s.append(at)
            safe_before_s = at - SAFE_S - self.patience()
        else:
            assert code == 0, f"exit {code}:\n{self.run.said}"
            has(self.run.said, "balanced: ")
        for unit in self.units:
            unit.line.reader_died(safe_before_s, lose)
        return code

    def finish(self):
        """All is read, archived, and the end is in order; how late the archive was before."""
        late_s = self.freshness()
        self.settle()
        self.archive_all()
        self.stop()
        return late_s

    def counted(self, metric):
        """A metric of all lines, as the ledger at the end says it."""
        return sum(int(n) for n in re.findall(rf"^  \[line-\d+\].*\b{metric} (\d+)", self.run.said, re.M))

    def query(self, *args):
        return self.bench.run("query", PIPELINE, "--format", "json", *args)[0]

    def judge(self):
        verdict = judge([unit.line for unit in self.units], self.query(), self.killed_s)
        print(verdict, flush=True)
        assert verdict.is_right(), verdict.first()
        return verdict

    def events(self):
        rows = [json.loads(line) for line in self.query("--stream", "line-care/events").splitlines()]
        return [(row["subject"], row["values"]["rule"], row["values"]["state"]) for row in rows]


def figure(ward, verdict, seconds, late_s, what):
    print(f"{what}: {verdict.rows} frames in {seconds:.1f} s ({verdict.rows / seconds:.0f}/s), {verdict.streams} streams; "
          f"CPU {ward.cpu_s:.2f} s, {100 * ward.cpu_s / seconds:.0f} % of a core, "
          f"{ward.cpu_s / verdict.rows * 1e6:.0f} us a frame; "
          f"memory {ward.rss:.0f} MiB; {late_s:.1f} s from line to archive at the most", flush=True)
    assert late_s < FRESH_S + ward.patience(), f"a frame waited for {late_s:.1f} s; the longest stall was {ward.stall_s:.1f} s"


# ---- the judge ----


def planted_text(frames):
    rows = ({"subject": f["bed"], "stream": "line/numerics", "schema": "rows", "values": f,
             "time": f"2026-03-01T00:00:{10 + f['seq'] / 100}Z"} for f in frames)
    return "\n".join(json.dumps(row) for row in rows)


def the_judge_finds_what_is_planted(bench):
    line = WardLine(bench.path("none"))
    line.must = [{"bed": "bed-1", "seq": n, "heart_rate": 80.0} for n in range(20)]
    line.never = [{"bed": "bed-1", "seq": 90, "heart_rate": 80.0}]
    line.tails = [[({"bed": "bed-1", "seq": n, "heart_rate": 80.0}, None) for n in range(30, 34)]]
    good, tail = list(line.must), [f for f, _ in line.tails[0]]
    strange = {"bed": "bed-9", "seq": 1, "heart_rate": 80.0}
    plants = (
        (good, ""), (good + tail, ""), (good + tail[:2], ""),
        (good[:7] + good[8:], "lost"), (good + tail[1:], "lost"), (good + tail[:1] + tail[2:], "lost"),
        (good + line.never, "invented"), (good + [strange], "invented"),
        (good[:-1] + [{**good[-1], "heart_rate": 81.0}], "altered"), (good + good[3:4], "doubled"),
    )
    for frames, what in plants:
        said = judge([line], planted_text(frames)).first()
        assert said.partition(":")[0] == what, f"{said!r}, not {what!r}"
    late = planted_text(good).replace("T00:00:10.05Z", "T00:00:10.99Z")
    assert judge([line], late).first().startswith("out of order")


# ---- rates ----


def two_hundred_streams_at_their_own_rates_come_out_once(bench):
    with Ward(bench, SEED) as ward:
        ward.start()
        ward.go(SECONDS, lambda unit, at: unit.send_due(at))
        late_s = ward.finish()
        verdict = ward.judge()
        assert verdict.streams == LINES * BEDS and not verdict.maybe
        figure(ward, verdict, SECONDS, late_s, "at 1 to 10 a second each")


def lines_at_their_full_baud_rate_come_out_once(bench):
    def feed(unit, at):
        while unit.line.made * 10 / BAUD < at:
            unit.send()

    with Ward(bench, SEED + 1) as ward:
        ward.start()
        ward.go(SECONDS, feed)
        late_s = ward.finish()
        verdict = ward.judge()
        assert not verdict.maybe
        figure(ward, verdict, SECONDS, late_s, f"at {BAUD} baud")


def lines_faster_than_any_baud_rate_come_out_once(bench):
    with Ward(bench, SEED + 2) as ward:
        ward.start()
        begin = time.monotonic()
        while sum(sum(unit.seq.values()) for unit in ward.units) < FRAMES:
            for unit in ward.units:
                while len(unit.line.pending) < 4096:
                    unit.send()
                unit.line.turn()
        ward.settle()
        seconds = time.monotonic() - begin
        late_s = ward.finish()
        verdict = ward.judge()
        assert not verdict.maybe
        figure(ward, verdict, seconds, late_s, "as fast as we can write")


# ---- faults ----


def what_has_a_wrong_checksum_is_counted_and_never_delivered(bench):
    def feed(unit, at):
        if unit.due[unit.beds[0]] <= at:
            unit.chance.choice((unit.send_wrong, unit.send, unit.send))()
        unit.send_due(at)

    with Ward(bench, SEED + 3) as ward:
        ward.start()
        ward.go(SECONDS / 2, feed)
        ward.finish()
        ward.judge()
        wrong, counted = sum(unit.wrong for unit in ward.units), ward.counted("bad_checksum")
        assert wrong == counted > 0, f"{wrong} were wrong, and {counted} counted"
        print(f"{wrong} frames with a wrong checksum: {counted} counted, none delivered", flush=True)


def lines_that_are_pulled_and_come_back_lose_only_what_nobody_read(bench):
    for seed in range(ROUNDS):
        with Ward(bench, SEED + 10 + seed) as ward:
            troubles = Troubles(ward)
            ward.start()
            ward.go(SECONDS, troubles.feed)
            troubles.end()
            ward.go(0.5, lambda unit, at: unit.send_due(at))
            ward.finish()
            verdict = ward.judge()
            assert verdict.frames > verdict.maybe, "nearly nothing was known to be read"
            count, told = troubles.count, ward.counted("lost")
            print(", ".join(f"{n} {what}" for what, n in count.items()) + f"; {told} losses of a line told", flush=True)
            assert 0 < told <= count["pulled"] + count["hung up in mid-frame"] + count["replaced at once"], told
        renew(bench)


def renew(bench):
    """The next ward has an archive and a state of its own."""
    for name in os.listdir(bench.folder):
        if name.startswith(("archive", "state", "ttyWard")):
            os.rename(bench.path(name), bench.path(f"old-{time.monotonic_ns()}-{name}"))


def a_line_that_is_silent_is_told_and_loses_nothing(bench):
    def feed(unit, at):
        if unit.name == "unit-7" or (unit.name == "unit-3" and speaks):
            unit.send_due(at)

    with Ward(bench, SEED + 4) as ward:
        ward.start("line-3.silent_after=1s")
        for speaks, state in ((True, None), (False, "raised"), (True, "cleared")):
            end = time.monotonic() + cases.LIMIT_S / 2
            while True:
                ward.go(0.5, feed)
                told = [event[2] for event in ward.events() if event[:2] == ("unit-3", "silent")]
                if state is None or told[-1:] == [state]:
                    break
                assert time.monotonic() < end, f"{state} is not told: {told}"
        ward.finish()
        ward.judge()
        events = [event for event in ward.events() if event[0] == "unit-3"]
        assert events[:2] == [("unit-3", "silent", "raised"), ("unit-3", "silent", "cleared")], events


def loaded(unit, at):
    """As much as the line carries, of which a part waits to be sent while the reader is away."""
    while unit.line.made * 10 / BAUD < at and not len(unit.line.pending) > 4096:
        unit.send()


def kills_under_load_lose_nothing_that_was_safe(bench):
    with Ward(bench, SEED + 5) as ward:
        for _ in range(ROUNDS):
            ward.start()
            ward.go(ward.chance.uniform(2, 3), loaded)
            ward.stop(signal.SIGKILL, lose=ward.chance.random() < 0.5)
        ward.start()
        ward.finish()
        verdict = ward.judge()
        print(f"{ROUNDS} kills: what was read and not safe was known to be read at most {verdict.unsafe_s * 1000:.0f} ms before",
              flush=True)


def stops_under_load_lose_nothing_that_was_read(bench):
    with Ward(bench, SEED + 6) as ward:
        for _ in range(ROUNDS):
            ward.start()
            ward.go(ward.chance.uniform(0.3, 2), loaded)
            ward.stop(lose=ward.chance.random() < 0.5, feed=ward.chance.choice((None, loaded)))
        ward.start()
        ward.finish()
        assert not ward.judge().maybe


if __name__ == "__main__":
    cases.main(the_judge_finds_what_is_planted,
               two_hundred_streams_at_their_own_rates_come_out_once,
               lines_at_their_full_baud_rate_come_out_once,
               lines_faster_than_any_baud_rate_come_out_once,
               what_has_a_wrong_checksum_is_counted_and_never_delivered,
               lines_that_are_pulled_and_come_back_lose_only_what_nobody_read,
               a_line_that_is_silent_is_told_and_loses_nothing,
               kills_under_load_lose_nothing_that_was_safe,
               stops_under_load_lose_nothing_that_was_read)
