"""kept.py - what is kept and what may go: lines of docs/what-can-be-lost.md that no other
test shows, by the real command.

A file of rows goes into an archive, and beside it to one whose folder is not there, so
that what is for it waits. Runs are killed, edges taken out, folders deleted.
"""

import json
import os
import shutil
import signal
import subprocess
import time

import cases
from cases import has

ROWS = 40
FILE = """[pipeline]
name = "kept"
{store}

[source.file]
plugin = "in_file"
path = "rows.txt"
every = "20ms"
pace = "{pace}"

[sink.archive]
plugin = "out_lmdb"
from = "file"
path = "kept.lmdb"
"""
OTHER = """
[sink.other]
plugin = "out_lmdb"
from = "file"
path = "away/other.lmdb"
edge = {{ when_full = "spill"{more} }}
"""


def pipeline(bench, store="", pace="fast", other=None):
    """`other`: more for its edge; None: there is no such sink."""
    bench.write("rows.txt", "".join(f"row {i}\n" for i in range(ROWS)))
    text = FILE.format(store=store, pace=pace)
    return bench.write("kept.toml", text + ("" if other is None else OTHER.format(more=other)))


def archived(bench, path, sink):
    """The rows in an archive, in order."""
    lines = bench.run("query", path, "--node", sink, "--format", "json")[0].splitlines()
    return sorted(json.dumps(json.loads(line), sort_keys=True) for line in lines)


def each_once(rows):
    return len(rows) == ROWS and len(set(rows)) == ROWS


def ledger(bench, path):
    done = subprocess.run([cases.PROGRAM, "ledger", path, "--json"], env=bench.env, cwd=bench.folder, check=False,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=cases.LIMIT_S)
    return json.loads(done.stdout) if done.returncode == 0 else None


def other_edge(books):
    return next(e for e in books["edges"] if e["to"] == "other")


def wait_until(bench, path, true_of):
    end = time.monotonic() + cases.LIMIT_S
    while time.monotonic() < end:
        books = ledger(bench, path)
        if books and true_of(books):
            return
        time.sleep(0.05)
    raise AssertionError(f"it never came to that; the ledger says:\n{ledger(bench, path)}")


def stop(run, number):
    run.send(number)
    return run.end()


# ---- the cases ----


def without_a_store_a_file_is_read_anew_and_archived_once(bench):
    path = pipeline(bench, store='store_limit = "0B"', pace="realtime")
    run = bench.start("run", path)
    time.sleep(0.5)
    assert stop(run, signal.SIGKILL) == -signal.SIGKILL
    assert not os.path.exists(bench.path("state/kept"))
    bench.run("run", path, "--quiet")
    assert each_once(archived(bench, path, "archive"))


def a_state_folder_that_is_deleted_costs_no_row_of_a_file(bench):
    path = pipeline(bench, pace="realtime")
    run = bench.start("run", path)
    wait_until(bench, path, lambda books: books["from_sources"] > 0)
    assert stop(run, signal.SIGKILL) == -signal.SIGKILL
    shutil.rmtree(bench.path("state/kept"))
    bench.run("run", path, "--quiet")
    assert each_once(archived(bench, path, "archive"))


def what_waits_for_an_edge_that_was_taken_out_is_delivered_when_it_is_back(bench):
    path = pipeline(bench, other="")
    run = bench.start("run", path)
    wait_until(bench, path, lambda books: other_edge(books)["queued"] == ROWS)
    assert stop(run, signal.SIGTERM) == 0
    pipeline(bench)
    bench.run("run", path, "--quiet")
    has(bench.run("store", "ls", path)[0], "file.data>other.in")
    os.mkdir(bench.path("away"))
    pipeline(bench, other="")
    bench.run("run", path, "--quiet")
    assert each_once(archived(bench, path, "other"))


def a_file_that_is_another_after_a_kill_is_read_though_all_was_read(bench):
    path = pipeline(bench, other="")
    run = bench.start("run", path)
    wait_until(bench, path, lambda books: other_edge(books)["queued"] == ROWS)
    assert stop(run, signal.SIGKILL) == -signal.SIGKILL
    os.mkdir(bench.path("away"))
    bench.write("more.txt", "".join(f"more {i}\n" for i in range(ROWS)))
    bench.write("kept.toml", open(path, encoding="utf-8").read().replace("rows.txt", "more.txt"))
    bench.run("run", path, "--quiet")
    for sink in ("archive", "other"):
        rows = archived(bench, path, sink)
        assert len(rows) == len(set(rows)) == 2 * ROWS, f"{len(rows)} rows in {sink}"


def a_followed_file_that_path_names_no_more_is_nobody_elses(bench):
    path = pipeline(bench)
    text = open(path, encoding="utf-8").read().replace('every = "20ms"\npace = "fast"', "follow = true")
    bench.write("kept.toml", text)
    run = bench.start("run", path)
    wait_until(bench, path, lambda books: books["from_sources"] == ROWS)
    assert stop(run, signal.SIGKILL) == -signal.SIGKILL
    with open(bench.path("rows.txt"), "a", encoding="utf-8") as rows:
        rows.write("of the first patient\n")
    bench.write("more.txt", "".join(f"more {i}\n" for i in range(ROWS)))
    bench.write("kept.toml", text.replace("rows.txt", "more.txt"))
    run = bench.start("run", path)
    wait_until(bench, path, lambda books: books["from_sources"] >= 2 * ROWS)
    assert stop(run, signal.SIGTERM) == 0
    subjects = [json.loads(row)["subject"] for row in archived(bench, path, "archive")]
    assert subjects.count("more") == subjects.count("rows") == ROWS


def status_says_how_old_the_first_in_line_is_and_what_expired(bench):
    path = pipeline(bench, other=', expire = "1s"')
    text = open(path, encoding="utf-8").read()
    bench.write("kept.toml", text.replace('every = "20ms"\npace = "fast"', "follow = true"))
    run = bench.start("run", path)
    wait_until(bench, path, lambda books: other_edge(books)["queued"] == ROWS)
    waits = json.loads(bench.run("status", path, "--json")[0])
    assert [e["oldest_age_seconds"] >= 0 for e in waits["edges"] if e["to"] == "other.in"] == [True], waits
    time.sleep(1.2)
    os.mkdir(bench.path("away"))
    wait_until(bench, path, lambda books: other_edge(books)["expired"] == ROWS)
    told = json.loads(bench.run("status", path, "--json")[0])
    assert {n["node"]: n["expired"] for n in told["nodes"]} == {"file": 0, "archive": 0, "other": ROWS}, told
    assert stop(run, signal.SIGTERM) == 0


def what_is_older_than_expire_when_its_turn_comes_is_counted_and_not_delivered(bench):
    path = pipeline(bench, other=', expire = "1s"')
    run = bench.start("run", path)
    wait_until(bench, path, lambda books: other_edge(books)["queued"] == ROWS)
    time.sleep(1.2)
    os.mkdir(bench.path("away"))
    assert run.end() == 0, run.said
    assert other_edge(ledger(bench, path))["expired"] == ROWS
    assert archived(bench, path, "other") == []
    assert each_once(archived(bench, path, "archive"))


if __name__ == "__main__":
    cases.main(
        without_a_store_a_file_is_read_anew_and_archived_once,
        a_state_folder_that_is_deleted_costs_no_row_of_a_file,
        what_waits_for_an_edge_that_was_taken_out_is_delivered_when_it_is_back,
        a_file_that_is_another_after_a_kill_is_read_though_all_was_read,
        a_followed_file_that_path_names_no_more_is_nobody_elses,
        status_says_how_old_the_first_in_line_is_and_what_expired,
    what_is_older_than_expire_when_its_turn_comes_is_counted_and_not_delivered,
    )
