"""monitor_serial.py - a real monitor's capture, played through a serial line into pipelines/monitor-serial.toml.

Every line that the capture's list expects is looked for in the archive, with all its
fields, however the bytes arrive; and the score that is made of them.
"""

import csv
import json
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../pipeline"))

import cases
from cases import PIPELINES, data, has
from serial_line import Line, cuts

PIPELINE = os.path.join(PIPELINES, "monitor-serial.toml")

# Which column each field of a key is, in the order of the fields; None: nothing we keep.
COLUMNS = {
    "HR": ["state", "heart_rate", "message"],
    "RR": ["state", "respiratory_rate", "message"],
    "ETCO2": ["state", "etco2", "message"],
    "SPO2": ["state", "spo2", "pulse_rate"],
    "NIBP": ["state", "systolic", "diastolic", "mean_pressure", "cuff_pulse", "message"],
    "P1": ["state", "p1_systolic", "p1_diastolic", "p1_mean", "message"],
    "P2": ["state", "p2_systolic", "p2_diastolic", "p2_mean", "message"],
    "T1": ["state", "temperature", "message"],
    "T2": ["state", "temperature_2", "message"],
}


def capture():
    with open(os.path.join(data("monitor-serial"), "ivy450c-part1.bin"), "rb") as file:
        return file.read()


def value(column, text):
    """What a field is in a row; None where it has none."""
    if column == "pulse_rate":
        text = text.replace("PR=", "")
    text = text.strip()
    if column == "message" or not text:
        return text or None
    return float(text)


def expected():
    """A row for each line of the list: its sign and its values."""
    rows = []
    with open(os.path.join(data("monitor-serial"), "expected-numerics.tsv"), newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file, delimiter="\t"):
            fields = line["raw_fields"].split(";")
            named = {c: value(c, f) for c, f in zip(COLUMNS[line["key"]], fields)}
            rows.append({"sign": line["key"], **{c: v for c, v in named.items() if v is not None}})
    return rows


def archived(bench, stream, pipeline=PIPELINE):
    """The rows of a stream, in order, without what is missing."""
    out, _ = bench.run("query", pipeline, "--stream", stream, "--format", "json")
    rows = [json.loads(line)["values"] for line in out.splitlines()]
    return [{k: float(v) if type(v) is int else v for k, v in row.items() if v is not None} for row in rows]


def archived_yet(bench, stream):
    try:
        return archived(bench, stream)
    except AssertionError:  # the archive is not there yet
        return []


def wait_archived(bench, stream, count):
    end = time.monotonic() + cases.LIMIT_S / 2
    while True:
        rows = archived_yet(bench, stream)
        if len(rows) >= count or time.monotonic() > end:
            return rows
        time.sleep(0.2)


def played(bench, way, baud=0, seed=1):
    """Plays the capture into the pipeline; gives what it said."""
    recorded = capture()
    bench.env["AFFERENT_MONITOR"] = bench.path("ttyMonitor")
    with Line(bench.env["AFFERENT_MONITOR"]) as line:
        run = bench.start("run", PIPELINE)
        line.wait_open(run)
        line.play(recorded, cuts(len(recorded), way, seed), baud)
        rows = wait_archived(bench, "monitor/numerics", len(expected()))
        run.send(signal.SIGTERM)
        assert run.end() == 0, run.said
    has(run.said, "balanced: ")
    same_rows(rows, expected())


def same_rows(rows, wanted):
    """All of them, as often. Lines that came at one time have no order in an archive."""
    def plain(some):
        return sorted(json.dumps(row, sort_keys=True) for row in some)

    for row, want in zip(plain(rows), plain(wanted)):
        assert row == want, f"{row}, not {want}"
    assert len(rows) == len(wanted), f"{len(rows)} rows, not {len(wanted)}"


def every_line_of_a_monitor_is_archived_at_full_speed(bench):
    played(bench, "whole")


def every_line_of_a_monitor_is_archived_at_the_speed_of_its_line(bench):
    played(bench, "random", baud=9600)


def every_line_of_a_monitor_is_archived_byte_by_byte(bench):
    played(bench, "bytes")


def every_line_of_a_monitor_is_archived_cut_at_random(bench):
    for seed in (1, 2, 3):
        played(bench, "random", seed=seed)
        os.rename(bench.path("archive.lmdb"), bench.path(f"archive-{seed}.lmdb"))


def a_line_that_begins_in_the_middle_of_a_frame_gives_the_others(bench):
    recorded, wanted = capture()[110:], expected()[1:]
    bench.env["AFFERENT_MONITOR"] = bench.path("ttyMonitor")
    with Line(bench.env["AFFERENT_MONITOR"]) as line:
        run = bench.start("run", PIPELINE)
        line.wait_open(run)
        line.play(recorded, cuts(len(recorded), "random"))
        rows = wait_archived(bench, "monitor/numerics", len(wanted))
        run.send(signal.SIGTERM)
        assert run.end() == 0, run.said
    same_rows(rows, wanted)


def from_file(bench):
    """The same pipeline with the capture as one record: what cuts lines is then the map's `split`."""
    with open(PIPELINE, encoding="utf-8") as file:
        text = file.read()
    source = re.compile(r"\[source\.monitor\].*?\n\n", re.S)
    care = re.compile(r"\[processor\.care\].*?\n\n(?=# Lines)", re.S)
    path = os.path.join(data("monitor-serial"), "ivy450c-part1.bin")
    text = source.sub(f'[source.monitor]\nplugin = "in_file"\npath = "{path}"\nas = "whole"\nsubject = "bed-3"\n\n', text)
    text = care.sub("", text).replace('from         = "care"', 'from         = "monitor"\nsplit        = "cr"')
    text = text.replace(', "care.events"]', "]")
    return bench.write("from-file.toml", text[:text.index("# Who is told")])


def a_capture_in_a_file_gives_the_same_rows(bench):
    path = from_file(bench)
    _, err = bench.run("run", path)
    has(err, "balanced: ")
    rows = archived(bench, "file/numerics", path)
    same_rows(rows, expected())
    assert rows == expected(), "the rows of one record are not in their order"


def the_early_warning_score_of_the_monitor_is_archived(bench):
    """RR 35 is 3, SpO2 100 is 0, systolic 121 is 0, pulse 80 is 0; the rest it does not know."""
    played(bench, "whole")
    last = min(archived(bench, "latest/news2"), key=lambda row: row["missing"])
    assert last["score"] == 3 and last["respiration_score"] == 3 and last["spo2_score"] == 0, last
    assert last["systolic_score"] == 0 and last["pulse_score"] == 0 and last["missing"] == 3, last
    assert set(last["missing_names"].split()) == {"oxygen", "consciousness", "temperature"}, last


def a_line_that_is_lost_and_comes_back_is_told_and_archived(bench):
    bench.env["AFFERENT_MONITOR"] = bench.path("ttyMonitor")
    line = Line(bench.env["AFFERENT_MONITOR"])
    run = bench.start("run", PIPELINE, "--set", "monitor.silent_after=60s")
    with line:
        line.wait_open(run)
        line.write(b"HR=1;80;ECG;\r")
        wait_archived(bench, "monitor/numerics", 1)
    run.wait_for("look at its plug")
    with Line(bench.env["AFFERENT_MONITOR"]) as line:
        line.wait_open(run)
        line.write(b"HR=1;81;ECG;\r")
        rows = wait_archived(bench, "monitor/numerics", 2)
        events = wait_archived(bench, "monitor-care/events", 2)
        run.send(signal.SIGTERM)
        assert run.end() == 0, run.said
    assert [row["heart_rate"] for row in rows] == [80, 81], rows
    assert [(e["rule"], e["state"]) for e in events] == [("unplugged", "raised"), ("unplugged", "cleared")], events


def sent_until(bench, line, text, count):
    """Sends it again and again until the care for the line has told so much."""
    for _ in range(cases.LIMIT_S):
        for _ in range(8):
            line.write(text)
            time.sleep(0.1)
        events = archived_yet(bench, "monitor-care/events")
        if len(events) >= count:
            return events
    raise AssertionError(f"{count} events did not come")


def a_monitor_at_another_speed_is_told_and_so_is_its_end(bench):
    bench.env["AFFERENT_MONITOR"] = bench.path("ttyMonitor")
    with Line(bench.env["AFFERENT_MONITOR"]) as line:
        run = bench.start("run", PIPELINE, "--set", "monitor.unreadable_after=500ms")
        line.wait_open(run)
        sent_until(bench, line, b"\xef\xe6k)\xeb\xde", 1)  # no line ends in it
        run.wait_for("cannot be read")
        events = sent_until(bench, line, b"\rHR=1;80;ECG;\r", 2)
        run.send(signal.SIGTERM)
        assert run.end() == 0, run.said
    assert [(e["rule"], e["state"]) for e in events] == [("unreadable", "raised"), ("unreadable", "cleared")], events


def lines_that_nobody_understands_are_told(bench):
    bench.env["AFFERENT_MONITOR"] = bench.path("ttyMonitor")
    with Line(bench.env["AFFERENT_MONITOR"]) as line:
        run = bench.start("run", PIPELINE)
        line.wait_open(run)
        line.write(b"HR=1;80;ECG;\r" + b"PULS:80;\r" * 25)
        run.wait_for("lines are not understood")
        assert [row["heart_rate"] for row in wait_archived(bench, "monitor/numerics", 1)] == [80]
        run.send(signal.SIGTERM)
        assert run.end() == 0, run.said


if __name__ == "__main__":
    cases.main(a_capture_in_a_file_gives_the_same_rows,
               every_line_of_a_monitor_is_archived_at_full_speed,
               every_line_of_a_monitor_is_archived_at_the_speed_of_its_line,
               every_line_of_a_monitor_is_archived_byte_by_byte,
               every_line_of_a_monitor_is_archived_cut_at_random,
               a_line_that_begins_in_the_middle_of_a_frame_gives_the_others,
               the_early_warning_score_of_the_monitor_is_archived,
               a_line_that_is_lost_and_comes_back_is_told_and_archived,
               a_monitor_at_another_speed_is_told_and_so_is_its_end,
               lines_that_nobody_understands_are_told)
