"""delivery_verbs.py - what operators type: ledger, dlq, store, status, alert, reload.

A pipeline of a few rows whose third node refuses two of them gives dead letters with
columns of every label; one in real time is asked while it runs.
"""

import json
import os
import re
import signal
import socket
import time

import cases
from cases import has

ROWS = """[pipeline]
name = "rows"
store_limit = "64MiB"
KEY
[source.file]
plugin = "in_file"
path = "rows.csv"

[processor.rows]
plugin = "op_csv"
from = "file"
columns = [
    { name = "action", type = "text" },
    { name = "alert", type = "text" },
    { name = "patient", type = "text", label = "phi" },
    { name = "age", type = "int", label = "quasi" },
    { name = "hr", type = "real", unit = "/min" },
]

[processor.alarm]
plugin = "op_alert"
from = { in = "rows", commands = "rows" }
place = "bed 3"
rules = [{ name = "hr", column = "hr", at_least = 300, severity = "high", text = "high" }]

[sink.out]
plugin = "out_file"
from = "alarm"
path = "out.txt"
"""
CSV = "action,alert,patient,age,hr\nboo,x,Anna Secret,70,60.5\nnod,0123456789abcdef,Bob Secret,71,61\n"

LIVE = """[pipeline]
name = "live"
store_limit = "64MiB"

[source.patient]
plugin = "in_synth"
pace = "realtime"

[sink.out]
plugin = "out_file"
from = "patient"
path = "live.txt"
"""

ALERTS = """[pipeline]
name = "alerts"
store_limit = "64MiB"

[source.patient]
plugin = "in_synth"
signals = ["vitals"]
episodes = [{ at = "3s", for = "20s", kind = "probe_off" }]

[processor.alarm]
plugin = "op_alert"
from = "patient.vitals"
place = "bed 3"
rules = [{ name = "spo2-silent", column = "spo2", absent = "5s", severity = "technical", text = "no SpO2" }]

[sink.archive]
plugin = "out_lmdb"
from = "alarm"
path = "alerts.lmdb"
"""


def at_home(bench):
    """State and sockets of this case alone."""
    for name in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"):
        bench.env.pop(name, None)
    bench.env["STATE_DIRECTORY"] = bench.path("s")


def rows(bench, key=""):
    at_home(bench)
    bench.write("rows.csv", CSV)
    path = bench.write("rows.toml", ROWS.replace("KEY", key))
    bench.run("run", path, "--quiet")
    return path


def live(bench):
    """A run that has committed: one that dies before leaves nothing to tell of."""
    at_home(bench)
    path = bench.write("live.toml", LIVE)
    started = bench.start("run", path, "--quiet")
    end = time.monotonic() + cases.LIMIT_S
    while not re.search(r'"epochs_committed": ?[1-9]', status(bench, path)) and time.monotonic() < end:
        time.sleep(0.05)
    return path, started


def status(bench, path):
    import subprocess
    done = subprocess.run([cases.PROGRAM, "status", path, "--json"], env=bench.env, cwd=bench.folder,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=cases.LIMIT_S, check=False)
    return done.stdout.decode()


def audit(bench, name="rows"):
    path = bench.path(f"s/{name}/audit.log")
    assert os.stat(path).st_mode & 0o7777 == 0o600
    return [json.loads(line) for line in open(path, encoding="utf-8")]


# ---- ledger ----

def the_ledger_of_a_stopped_pipeline_is_in_its_store(bench):
    path = rows(bench)
    out, err = bench.run("ledger", path)
    has(out, "node", "queued", "unsafe", "balanced:", "[alarm] dead: 2 bad_command")
    assert err == "", err
    ledger = json.loads(bench.run("ledger", path, "--json")[0])
    assert ledger["balanced"] and ledger["ended_in_order"] and not ledger["running"]
    alarm = next(n for n in ledger["nodes"] if n["node"] == "alarm")
    assert alarm["dead"] == 2 and alarm["balances"], alarm
    assert sum(alarm["reasons"].values()) >= 2


def a_pipeline_that_never_ran_has_no_ledger(bench):
    at_home(bench)
    path = bench.write("live.toml", LIVE)
    has(bench.run("ledger", path, code=3)[1], "nothing is stored yet", "afferent run")
    has(bench.run("dlq", "ls", path, code=3)[1], "nothing is stored yet")
    has(bench.run("store", "ls", path, code=3)[1], "nothing is stored yet")
    assert not os.path.exists(bench.path("s/live/store")), "a look has made a store"


def a_pipeline_that_stores_nothing_says_so(bench):
    at_home(bench)
    path = bench.write("live.toml", LIVE.replace("64MiB", "0B"))
    has(bench.run("dlq", "ls", path, code=2)[1], "stores nothing", "store_limit")
    has(bench.run("ledger", path, code=3)[1], "does not run")


# ---- dead letters ----

def letters_are_listed_without_what_identifies(bench):
    path = rows(bench)
    out, _ = bench.run("dlq", "ls", path)
    has(out, "number", "alarm", "commands", "bad_command", "(phi)")
    assert "Secret" not in out
    listed = json.loads(bench.run("dlq", "ls", path, "--json")[0])
    assert [l["number"] for l in listed["letters"]] == [1, 2] and listed["unreadable"] == 0
    assert "Secret" not in json.dumps(listed)
    assert bench.run("dlq", "ls", path, "--reason", "no_such")[0] == "no dead letters\n"


def a_letter_is_shown_with_its_columns_masked_by_label(bench):
    path = rows(bench)
    out, _ = bench.run("dlq", "show", path, "1")
    has(out, "letter 1", "bad_command", "hr", "60.5", "/min", "boo", "(phi)")
    assert "Secret" not in out
    assert re.search(r"patient +\(phi\)", out), out
    assert not os.path.exists(bench.path("s/rows/audit.log")), "what was not revealed was audited"
    values = json.loads(bench.run("dlq", "show", path, "1", "--json")[0])[0]["values"]
    assert values["patient"] == "(phi)" and values["hr"] == 60.5 and values["age"] == 70, values


def revealing_is_audited(bench):
    path = rows(bench)
    out, _ = bench.run("dlq", "show", path, "1", "--reveal")
    has(out, "Anna Secret", "60.5")
    bench.run("dlq", "ls", path, "--reveal")
    lines = audit(bench)
    assert [l["verb"] for l in lines] == ["dlq show --reveal", "dlq ls --reveal"], lines
    assert lines[0]["letters"] == [1] and lines[1]["letters"] == [1, 2]
    assert lines[0]["uid"] == os.getuid() and lines[0]["time"].endswith("Z")


def what_cannot_be_audited_is_not_revealed(bench):
    path = rows(bench)
    os.mkdir(bench.path("s/rows/audit.log"))
    out, err = bench.run("dlq", "show", path, "1", "--reveal", code=3)
    assert "Secret" not in out + err
    has(err, "nothing was done")
    bench.run("dlq", "drop", path, "--all", code=3)
    assert len(json.loads(bench.run("dlq", "ls", path, "--json")[0])["letters"]) == 2


def letters_are_dropped_by_number_or_all(bench):
    path = rows(bench)
    out, err = bench.run("dlq", "drop", path, "1", "99", code=1)
    has(err, "letter 99", "no such letter", "1 of 2 dropped")
    has(bench.run("dlq", "drop", path, "--node", "alarm")[0], "1 of 1 dropped")
    assert bench.run("dlq", "ls", path)[0] == "no dead letters\n"
    assert bench.run("dlq", "drop", path, "--all")[0] == "no dead letters\n"
    assert [l["letters"] for l in audit(bench)] == [[1, 99], [2]]


def a_letter_that_is_tried_again_leaves_the_list(bench):
    path = rows(bench)
    has(bench.run("dlq", "retry", path, "1")[0], "1 of 1 tried again")
    assert [l["number"] for l in json.loads(bench.run("dlq", "ls", path, "--json")[0])["letters"]] == [2]


def which_letters_must_be_said(bench):
    path = rows(bench)
    for verb in ("show", "retry", "drop"):
        has(bench.run("dlq", verb, path, code=2)[1], "which letters?", "afferent dlq ls")
        has(bench.run("dlq", verb, path, "x", code=2)[1], "no number of a letter")
        has(bench.run("dlq", verb, path, "1", "--all", code=2)[1], "expected one of both")
    has(bench.run("dlq", "shwo", code=2)[1], "did you mean show?")


# ---- store ----

def a_store_is_listed_and_checked(bench):
    path = rows(bench)
    has(bench.run("store", "ls", path)[0], "stored of 64MiB", "2 dead letters", "ledger", "names", "node/file")
    listed = json.loads(bench.run("store", "ls", path, "--json")[0])
    assert listed["letters"] == 2 and not listed["sealed"] and listed["limit"] > 0, listed
    has(bench.run("store", "check", path)[0], "are whole, 0 are damaged")
    has(bench.run("store", "repair", path)[0], "nothing to repair")


def damage(bench, change):
    """Changes each page of the store that holds a letter."""
    data = bench.path("s/rows/store/data.mdb")
    pages = open(data, "rb").read()
    pages = [pages[i:i + 4096] for i in range(0, len(pages), 4096)]
    assert any(b"Anna Secret" in p for p in pages)
    with open(data, "wb") as file:
        file.write(b"".join(change(p) if b"Anna Secret" in p else p for p in pages))


def a_damaged_store_is_seen_and_repaired(bench):
    path = rows(bench)
    damage(bench, lambda page: bytes(64) + page[64:])
    out, _ = bench.run("store", "check", path, code=1)
    has(out, "damaged", "afferent store repair")
    assert not json.loads(bench.run("store", "check", path, "--json", code=1)[0])["sound"]
    has(bench.run("store", "repair", path)[0], "it was damaged", "set aside")
    has(bench.run("store", "check", path)[0], "0 are damaged")
    assert json.loads(bench.run("store", "repair", path, "--json")[0])["was_sound"]
    assert audit(bench)[-1]["verb"] == "store repair"
    bench.run("dlq", "ls", path)


def a_letter_that_is_damaged_is_told_and_not_shown(bench):
    path = rows(bench)
    damage(bench, lambda page: page.replace(b"Anna Secret", b"Anna Sicret"))
    out, _ = bench.run("store", "check", path, code=1)
    has(out, "1 are damaged")
    assert "Anna" not in out
    out, err = bench.run("dlq", "show", path, "1", "--reveal", code=1)
    has(err, "letter 1")
    assert "Sicret" not in out + err


def a_sealed_store_opens_by_its_key_alone(bench):
    at_home(bench)
    bench.run("key", "new", bench.path("store.key"))
    path = rows(bench, key='store_key = "store.key"\n')
    data = open(bench.path("s/rows/store/data.mdb"), "rb").read()
    assert b"Secret" not in data, "a name stands in the store as it is"
    has(bench.run("dlq", "ls", path)[0], "bad_command")
    assert json.loads(bench.run("store", "ls", path, "--json")[0])["sealed"]
    bench.write("bare.toml", open(path, encoding="utf-8").read().replace('store_key = "store.key"', ""))
    for verb in (["ledger"], ["dlq", "ls"], ["store", "ls"]):
        has(bench.run(*verb, bench.path("bare.toml"), code=2)[1], "sealed", "key")
    has(bench.run("status")[0], "rows: stopped")


# ---- a running one ----

def a_running_pipeline_is_asked_at_its_door(bench):
    path, started = live(bench)
    out, _ = bench.run("status", path)
    has(out, "live: runs for", "ledger balanced", "patient", "in_synth", "control:")
    told = json.loads(bench.run("status", path, "--json")[0])
    assert told["state"] == "running" and told["pid"] == started.process.pid and told["balanced"], told
    every = json.loads(bench.run("status", "--json")[0])
    assert [p["pipeline"] for p in every["pipelines"]] == ["live"], every
    assert json.loads(bench.run("ledger", path, "--json")[0])["running"]
    has(bench.run("store", "check", path, code=2)[1], "the pipeline runs")
    has(bench.run("store", "repair", path, code=2)[1], "the pipeline runs")
    has(bench.run("dlq", "drop", path, "5", code=1)[1], "letter 5", "no such letter")
    has(bench.run("status")[0], "live: runs for")
    started.send(signal.SIGTERM)
    assert started.end() == 0, started.said
    has(bench.run("status", path, code=1)[0], "live: stopped")


def what_is_not_ours_at_the_door_is_counted(bench):
    path, started = live(bench)
    folder = bench.path("s/run")
    door = os.path.join(folder, os.listdir(folder)[0])
    assert os.stat(folder).st_mode & 0o7777 == 0o700 and os.stat(door).st_mode & 0o7777 == 0o600
    for i in range(20):
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(door)
        peer.send(bytes([i]) * 300)
        peer.close()
    end = time.monotonic() + cases.LIMIT_S
    refused = 0
    while refused < 20 and time.monotonic() < end:
        refused = json.loads(bench.run("status", path, "--json")[0])["control"]["refused"]
        time.sleep(0.05)
    assert refused == 20, refused
    started.send(signal.SIGTERM)
    assert started.end() == 0, started.said
    assert os.listdir(folder) == [], "the socket was left behind"
    assert not os.path.exists(bench.path("s/live/control")), "the key was left behind"


def a_run_that_was_killed_is_known_as_such(bench):
    path, started = live(bench)
    started.send(signal.SIGKILL)
    started.end()
    has(bench.run("status", path, code=1)[0], "live: stopped", "did not end in order")
    out = bench.run("ledger", path, code=1 if "UNSAFE" in ledger_text(bench, path) else 0)[0]
    has(out, "the last run did not end in order")


def ledger_text(bench, path):
    import subprocess
    return subprocess.run([cases.PROGRAM, "ledger", path], env=bench.env, cwd=bench.folder, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=cases.LIMIT_S, check=False).stdout.decode()


def what_does_not_run_cannot_be_reloaded(bench):
    path = rows(bench)
    has(bench.run("reload", path, code=3)[1], "does not run")
    bench.write("rows.toml", ROWS.replace("KEY", "").replace("op_csv", "op_cvs"))
    has(bench.run("reload", path, code=2)[1], "did you mean")


# ---- alerts ----

def alerts_in_force_are_read_from_the_archive(bench):
    at_home(bench)
    path = bench.write("alerts.toml", ALERTS)
    bench.run("run", path, "--quiet", "--for", "15s")
    out, _ = bench.run("alert", "ls", path)
    has(out, "spo2-silent", "bed 3", "technical", "raised")
    alert = json.loads(bench.run("alert", "ls", path, "--json")[0])[0]
    assert re.fullmatch("[0-9a-f]{16}", alert["alert"]), alert
    has(bench.run("alert", "ack", path, alert["alert"], code=3)[1], "does not run")


def which_alert_must_be_said(bench):
    at_home(bench)
    path = bench.write("alerts.toml", ALERTS)
    has(bench.run("alert", "ack", path, code=2)[1], "which alert?")
    has(bench.run("alert", "ack", path, "--rule", "x", code=2)[1], "which alert?")
    has(bench.run("alert", "ack", path, "17", code=2)[1], "is no alert")
    has(bench.run("alert", "ls", bench.write("live.toml", LIVE), code=2)[1], "no archive")
    has(bench.run("alert", "lst", code=2)[1], "did you mean ls?")


def every_verb_and_word_has_help(bench):
    for words in (["ledger"], ["dlq"], ["dlq", "ls"], ["dlq", "show"], ["dlq", "retry"], ["dlq", "drop"], ["store"],
                  ["store", "ls"], ["store", "check"], ["store", "repair"], ["status"], ["reload"], ["alert"],
                  ["alert", "ls"], ["alert", "ack"]):
        out, err = bench.run(*words, "--help")
        has(out, "Usage: afferent " + words[0])
        assert err == "", err


if __name__ == "__main__":
    cases.main(
        the_ledger_of_a_stopped_pipeline_is_in_its_store,
        a_pipeline_that_never_ran_has_no_ledger,
        a_pipeline_that_stores_nothing_says_so,
        letters_are_listed_without_what_identifies,
        a_letter_is_shown_with_its_columns_masked_by_label,
        revealing_is_audited,
        what_cannot_be_audited_is_not_revealed,
        letters_are_dropped_by_number_or_all,
        a_letter_that_is_tried_again_leaves_the_list,
        which_letters_must_be_said,
        a_store_is_listed_and_checked,
        a_damaged_store_is_seen_and_repaired,
        a_letter_that_is_damaged_is_told_and_not_shown,
        a_sealed_store_opens_by_its_key_alone,
        a_running_pipeline_is_asked_at_its_door,
        what_is_not_ours_at_the_door_is_counted,
        a_run_that_was_killed_is_known_as_such,
        what_does_not_run_cannot_be_reloaded,
        alerts_in_force_are_read_from_the_archive,
        which_alert_must_be_said,
        every_verb_and_word_has_help,
    )
