"""reload.py - a running pipeline goes on by its changed file: diff, reload, SIGHUP.

A synthetic ECG in real time goes to an archive and, by way of a rule, to a file of
alerts. Its file is changed while it runs; what is in the archive says whether a sample
was lost or came twice.
"""

import csv
import io
import json
import os
import re
import signal
import time

import cases
from cases import has

FILE = """[pipeline]
name = "change"
store_limit = "64MiB"

[source.ecg]
plugin = "in_synth"
pace = "realtime"

[processor.beats]
plugin = "op_qrs"
from = "ecg"

[processor.alarm]
plugin = "op_alert"
from = { in = "beats" }
place = "bed 3"
rules = [{ name = "fast", column = "heart_rate", at_least = 300, severity = "high", text = "fast" }]

[sink.archive]
plugin = "out_lmdb"
from = ["ecg", "beats"]
path = "archive.lmdb"
limit = "64MiB"

[sink.alerts]
plugin = "out_file"
from = "alarm"
path = "alerts.txt"
"""
MORE = """
[sink.copy]
plugin = "out_file"
from = "beats"
path = "copy.txt"
"""
LOW = FILE.replace("at_least = 300", "at_least = 40")


def started(bench, text=FILE):
    """The file of the run, which is changed, and another by which it is asked."""
    bench.write("change.toml", text)
    run = bench.start("run", bench.path("change.toml"))
    path = bench.write("asked.toml", text)
    made_more(bench, path, run, 0)
    return path, run


def made(bench, path):
    nodes = json.loads(bench.run("status", path, "--json")[0])
    nodes = nodes if isinstance(nodes, list) else [nodes]
    return next(n["records"] for p in nodes for n in p.get("nodes", []) if n["node"] == "ecg")


def made_more(bench, path, run, than):
    """Waits until the source has made more records than that; gives how many."""
    end = time.monotonic() + cases.LIMIT_S
    while True:
        assert run.process.poll() is None and time.monotonic() < end, run.said
        try:
            count = made(bench, path)
        except (AssertionError, StopIteration, KeyError, ValueError):
            count = 0  # its door is not open yet
        if count > than:
            return count
        time.sleep(0.05)


def waits_for(bench, name, part):
    end = time.monotonic() + cases.LIMIT_S
    while not os.path.exists(bench.path(name)) or part not in open(bench.path(name), encoding="utf-8").read():
        assert time.monotonic() < end, f"{part!r} did not come to {name}"
        time.sleep(0.05)


def waits_until(there):
    end = time.monotonic() + cases.LIMIT_S
    while not there():
        assert time.monotonic() < end
        time.sleep(0.05)


def stopped(run):
    run.send(signal.SIGTERM)
    assert run.end() == 0, run.said
    has(run.said, "balanced: ")


def sound(bench, path, run):
    """Every sample is in the archive once: their times rise evenly, at 360 Hz."""
    out = bench.run("query", path, "--samples", "--format", "csv")[0]
    times = [seconds(row["time"]) for row in csv.DictReader(io.StringIO(out)) if row["stream"] == "ecg"]
    steps = [after - before for before, after in zip(times, times[1:])]
    assert len(times) >= 180 and times[0] == 0
    assert all(abs(step - 1 / 360) < 1e-6 for step in steps), (min(steps), max(steps))
    has(run.said, "repeated 0 records")


def seconds(text):
    hours, minutes, rest = re.search(r"(\d+):(\d+):(\d+\.?\d*)Z", text).groups()
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def a_changed_threshold_is_in_force_and_no_sample_is_lost(bench):
    path, run = started(bench)
    bench.write("change.toml", LOW)
    out, _ = bench.run("reload", bench.path("change.toml"))
    has(out, "nodes kept 4; restarted 1: alarm for its options; added 0; removed 0", "intake waited for ")
    waits_for(bench, "alerts.txt", "fast")
    made_more(bench, path, run, made(bench, path))
    stopped(run)
    sound(bench, path, run)


def ten_reloads_in_a_row_of_which_a_third_is_broken_lose_nothing(bench):
    path, run = started(bench)
    for i in range(10):
        if i % 3 == 2:
            bench.write("change.toml", FILE.replace('"op_qrs"', '"op_qsr"'))
            bench.run("reload", bench.path("change.toml"), code=2)
        else:
            bench.write("change.toml", (FILE if i % 2 else LOW) + (MORE if i % 3 else ""))
            has(bench.run("reload", bench.path("change.toml"))[0], "intake waited for ")
        made_more(bench, path, run, made(bench, path))
    stopped(run)
    sound(bench, path, run)


def nodes_in_processes_of_their_own_go_over_as_well(bench):
    alone = 'run = { isolation = "process" }\n'
    text = FILE.replace('from = "ecg"\n', 'from = "ecg"\n' + alone, 1).replace('place = "bed 3"\n', 'place = "bed 3"\n' + alone)
    path, run = started(bench, text)
    for level in (40, 300, 41):
        bench.write("change.toml", text.replace("at_least = 300", f"at_least = {level}"))
        has(bench.run("reload", bench.path("change.toml"))[0], "kept 4; restarted 1: alarm")
        made_more(bench, path, run, made(bench, path))
    stopped(run)
    sound(bench, path, run)


def a_sink_is_added_and_removed(bench):
    path, run = started(bench)
    bench.write("change.toml", FILE + MORE)
    has(bench.run("reload", bench.path("change.toml"))[0], "added 1: copy")
    waits_for(bench, "copy.txt", "\n")
    bench.write("change.toml", FILE)
    has(bench.run("reload", bench.path("change.toml"))[0], "removed 1: copy")
    made_more(bench, path, run, made(bench, path))
    waits_until(lambda: "copy" not in bench.run("ledger", path)[0])
    stopped(run)


def a_file_that_is_wrong_changes_nothing(bench):
    path, run = started(bench)
    bench.write("change.toml", FILE + "x = [\n")
    _, err = bench.run("reload", bench.path("change.toml"), code=2)
    has(err, "change.toml:", "error")
    made_more(bench, path, run, made(bench, path))
    bench.write("change.toml", FILE)
    assert bench.run("reload", bench.path("change.toml"))[0] == "nothing has changed\n"
    stopped(run)


def a_node_that_does_not_open_changes_nothing(bench):
    path, run = started(bench)
    bench.write("change.toml", FILE + MORE.replace("copy.txt", "absent/folder/copy.txt"))
    _, err = bench.run("reload", bench.path("change.toml"), code=3)
    has(err, "[copy]", "the pipeline runs on as it was")
    bench.write("change.toml", FILE)
    count = made(bench, path)
    made_more(bench, path, run, count)
    stopped(run)


def the_name_and_the_store_cannot_be_changed(bench):
    path, run = started(bench)
    bench.write("change.toml", FILE.replace("64MiB", "65MiB", 1))
    _, err = bench.run("reload", bench.path("change.toml"), code=2)
    has(err, "pipeline.store_limit cannot be changed while it runs")
    bench.write("change.toml", FILE)
    stopped(run)


def a_hang_up_reloads_as_well(bench):
    path, run = started(bench)
    bench.write("change.toml", LOW)
    run.send(signal.SIGHUP)
    run.wait_for("restarted 1: alarm")
    bench.write("change.toml", "x = [\n")
    run.send(signal.SIGHUP)
    run.wait_for("change.toml:1:")
    made_more(bench, path, run, made(bench, path))
    stopped(run)


def a_pipeline_that_does_not_run_is_not_reloaded(bench):
    _, err = bench.run("reload", bench.write("change.toml", FILE), code=3)
    has(err, "run")


def diff_says_what_would_change(bench):
    old = bench.write("old.toml", FILE)
    new = bench.write("new.toml", LOW.replace('[sink.alerts]', '[sink.notes]').replace('"64MiB"\n\n[sink', '"32MiB"\n\n[sink')
                      + MORE)
    assert bench.run("diff", old, new, code=1)[0] == (
        "node     kept       ecg\n"
        "node     kept       beats\n"
        "node     restarted  alarm: options\n"
        "node     restarted  archive: options\n"
        "node     added      notes\n"
        "node     added      copy\n"
        "node     removed    alerts\n"
        "edge     kept       ecg.data -> beats.in\n"
        "edge     kept       beats.beats -> alarm.in\n"
        "edge     kept       ecg.data -> archive.in\n"
        "edge     kept       beats.beats -> archive.in\n"
        "edge     added      alarm.alerts -> notes.in\n"
        "edge     added      beats.beats -> copy.in\n"
        "edge     removed    alarm.alerts -> alerts.in\n")
    told = json.loads(bench.run("diff", old, new, "--json", code=1)[0])
    assert told["differs"] and told["reloads"] and told["pipeline"] == []
    assert {"node": "alarm", "change": "restarted", "why": "options"} in told["nodes"]
    assert {"from": "alarm.alerts", "to": "notes.in", "change": "added", "why": None} in told["edges"]


def diff_of_files_that_run_alike_is_empty_handed(bench):
    old = bench.write("old.toml", FILE)
    new = bench.write("new.toml", "# other words\n" + FILE.replace('pace = "realtime"', 'pace = "realtime"\nleads = 2'))
    out, _ = bench.run("diff", old, new)
    assert "restarted" not in out and "added" not in out
    assert not json.loads(bench.run("diff", old, new, "--json")[0])["differs"]
    bench.run("diff", old, bench.write("bad.toml", "x = [\n"), code=2)
    bench.run("diff", old, code=2)


if __name__ == "__main__":
    cases.main(a_changed_threshold_is_in_force_and_no_sample_is_lost,
               ten_reloads_in_a_row_of_which_a_third_is_broken_lose_nothing,
               nodes_in_processes_of_their_own_go_over_as_well, a_sink_is_added_and_removed,
               a_file_that_is_wrong_changes_nothing, a_node_that_does_not_open_changes_nothing,
               the_name_and_the_store_cannot_be_changed, a_hang_up_reloads_as_well,
               a_pipeline_that_does_not_run_is_not_reloaded, diff_says_what_would_change,
               diff_of_files_that_run_alike_is_empty_handed)
