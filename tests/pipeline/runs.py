"""runs.py - `afferent run` from outside: ends, signals, missing inputs, the ledger."""

import json
import os
import signal
import struct
import subprocess

import cases
from cases import ECG, PIPELINES, has

FILE = os.path.join(PIPELINES, "ecg-file.toml")


def beats(bench, *flags):
    out, _ = bench.run("query", ECG, "--schema", "beats", "--format", "json", *flags)
    return [json.loads(line) for line in out.splitlines()]


def a_run_balances_and_its_beats_are_in_the_archive(bench):
    out, err = bench.run("run", ECG, "--pace", "fast", "--for", "20s")
    assert out == ""
    has(err, "balanced: ", "archive", "heart_rate")
    assert "\r" not in err and "Type next" not in err
    found = beats(bench)
    assert 22 <= len(found) <= 28, len(found)
    rates = [b["values"]["heart_rate"] for b in found if b["values"]["heart_rate"]]
    assert all(65 < r < 85 for r in rates), rates


def the_same_run_twice_is_archived_once(bench):
    bench.run("run", ECG, "--pace", "fast", "--for", "20s")
    once = bench.run("query", ECG, "--samples", "--format", "csv")[0]
    _, err = bench.run("run", ECG, "--pace", "fast", "--for", "20s")
    has(err, "stored 0 records")
    assert bench.run("query", ECG, "--samples", "--format", "csv")[0] == once


def the_ledger_as_json_adds_up(bench):
    out, _ = bench.run("run", ECG, "--pace", "fast", "--for", "10s", "--json", "--quiet")
    books = json.loads(out)
    assert books["balanced"] and not books["cut_off"] and books["error"] is None
    nodes = {n["node"]: n for n in books["nodes"]}
    for n in nodes.values():
        gone = sum(n[k] for k in ("passed", "replaced", "routed", "emitted", "used", "dropped", "dead", "held"))
        assert n["in"] + n["made"] == gone, n
        assert n["bytes_copied"] == 0
    assert nodes["clean"]["in"] == 40 and nodes["archive"]["metrics"]["stored"] == nodes["archive"]["in"]
    assert all(e["put"] == e["taken"] for e in books["edges"])


def quiet_says_nothing_when_all_is_well(bench):
    assert bench.run("run", ECG, "--pace", "fast", "--for", "2s", "--quiet") == ("", "")


def a_terminal_gets_a_live_line_and_ctrl_c_drains(bench):
    run = bench.start_on_terminal("run", ECG)
    run.wait_for("heart rate")
    run.type(b"\x03")
    assert run.end() == 0, run.said
    has(run.said, "records/s", "ledger balanced", "stopping: what is under way is finished", "\nbalanced: ",
        "Type next:", "query " + ECG)
    assert beats(bench)


def sigterm_drains_without_a_terminal(bench):
    run = bench.start("run", FILE, "--set", "ecg.path=" + record(bench, 3600), "--pace", "realtime")
    while not os.path.exists(bench.path("archive.lmdb/data.mdb")):
        assert run.process.poll() is None
    run.send(signal.SIGTERM)
    code = run.end()
    assert code == 0, run.said
    has(run.said, "balanced: ")


def a_full_archive_waits_and_the_second_signal_cuts_off(bench):
    run = bench.start("run", ECG, "--pace", "fast", "--set", "archive.limit=1MiB", "--set", "archive.batch=64KiB")
    run.wait_for("trying again")
    run.send(signal.SIGINT)
    run.wait_for("stopping")
    run.send(signal.SIGINT)
    assert run.end() == 1, run.said
    has(run.said, "ending at once")
    assert "CUT OFF" in run.said and "NOT BALANCED" not in run.said, run.said
    has(bench.run("ledger", ECG)[0], "the last run was told twice to stop, and ended at once: the next goes on from this")
    assert json.loads(bench.run("ledger", ECG, "--json")[0])["end"] == "at_once"
    assert beats(bench)


def record(bench, seconds):
    """A WFDB record of one flat signal, written here; its header's path."""
    os.makedirs(bench.path("records"), exist_ok=True)
    count = seconds * 100
    bench.write("records/r.dat", struct.pack("<h", 0) * count)
    return bench.write("records/r.hea", f"r 1 100 {count}\nr.dat 16 200 16 0 0 0 0 ECG\n")


def a_missing_input_is_waited_for(bench):
    bench.env["AFFERENT_RECORD"] = bench.path("records/r.hea")
    run = bench.start("run", FILE)
    run.wait_for("waiting for it")
    record(bench, 60)
    assert run.end() == 0, run.said
    has(run.said, "it is there now", "balanced: ")
    assert run.said.count("waiting for it") == 1


def waiting_ends_by_a_signal_with_an_error(bench):
    bench.env["AFFERENT_RECORD"] = bench.path("records/r.hea")
    run = bench.start("run", FILE)
    run.wait_for("waiting for it")
    run.send(signal.SIGINT)
    assert run.end() == 3, run.said
    has(run.said, "stopped before it could begin")


def a_hangup_is_ignored_where_nohup_said_so(bench):
    bench.env["AFFERENT_RECORD"] = bench.path("records/r.hea")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run = bench.start("run", FILE)
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    run.wait_for("waiting for it")
    run.send(signal.SIGHUP)
    record(bench, 10)
    assert run.end() == 0, run.said


FULL_DISK = """
mount -t tmpfs -o size=1m tmpfs "$1" || exit 77
"$2" run "$3" --pace fast --for 1h 2>"$4" &
i=0
until grep -q "no space is left" "$4" || [ "$i" -gt 300 ]; do sleep 0.1; i=$((i + 1)); done
mount -o remount,size=64m "$1"
wait $!
"""


def a_full_disk_is_named_and_the_run_goes_on_when_there_is_room(bench):
    folder, log = bench.path("disk"), bench.path("log")
    os.mkdir(folder)
    env = dict(bench.env, AFFERENT_ARCHIVE=os.path.join(folder, "a.lmdb"))
    try:
        done = subprocess.run(["unshare", "-m", "sh", "-c", FULL_DISK, "sh", folder, cases.PROGRAM, ECG, log],
                              env=env, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)
    except FileNotFoundError:
        raise cases.Skip("no unshare here") from None
    if done.returncode in (1, 77) and not os.path.exists(log):
        raise cases.Skip("no right to mount a small disk")
    with open(log, encoding="utf-8") as f:
        said = f.read()
    assert done.returncode == 0, said
    has(said, "no space is left on the archive's disk; nothing was lost", "works again", "balanced: ")

MANY = """
[pipeline]
name = "many"
memory_limit = "{limit}"
[source.files]
plugin = "in_file"
path   = "{path}"
as     = "blocks"
[processor.rows]
plugin  = "op_csv"
from    = "files"
{more}
columns = [{{ name = "bed", type = "text" }}, {{ name = "heart_rate" }}]
[sink.out]
plugin = "out_file"
from   = "rows"
path   = "rows.csv"
"""


def three_thousand_small_files_go_through_a_small_memory_limit(bench):
    os.mkdir(bench.path("in"))
    for i in range(3000):
        bench.write(f"in/{i:04}.csv", "bed,heart_rate\n" + "".join(f"b{k},{60 + k}\n" for k in range(i % 4)))
    path = bench.write("many.toml", MANY.format(limit="32MiB", path="in/*.csv", more=""))
    _, err = bench.run("run", path)
    has(err, "waits for streams to end", "balanced: ")
    rows = open(bench.path("rows.csv"), encoding="utf-8").read().splitlines()
    assert len(rows) - 1 == sum(i % 4 for i in range(3000)), len(rows)


def more_subjects_in_one_file_than_memory_allows_end_the_run_with_what_to_raise(bench):
    bench.write("one.csv", "bed,heart_rate\n" + "".join(f"b{i},{60 + i % 90}\n" for i in range(1500)))
    text = MANY.format(limit="32MiB", path="one.csv", more='subject = "bed"')
    _, err = bench.run("run", bench.write("one.toml", text), code=2)
    has(err, "[rows]", "raise pipeline.memory_limit")
    bench.run("run", bench.write("two.toml", text.replace("32MiB", "256MiB")))


if __name__ == "__main__":
    cases.main(three_thousand_small_files_go_through_a_small_memory_limit,
               more_subjects_in_one_file_than_memory_allows_end_the_run_with_what_to_raise,
               a_run_balances_and_its_beats_are_in_the_archive, the_same_run_twice_is_archived_once,
               the_ledger_as_json_adds_up, quiet_says_nothing_when_all_is_well,
               a_terminal_gets_a_live_line_and_ctrl_c_drains, sigterm_drains_without_a_terminal,
               a_full_archive_waits_and_the_second_signal_cuts_off,
               a_full_disk_is_named_and_the_run_goes_on_when_there_is_room, a_missing_input_is_waited_for,
               waiting_ends_by_a_signal_with_an_error, a_hangup_is_ignored_where_nohup_said_so)
