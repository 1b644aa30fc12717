#!/usr/bin/env python3
"""guides.py - the messages that the guides quote are those that check prints.

    AFFERENT=... AFFERENT_SRCDIR=... AFFERENT_PLUGIN_PATH=... guides.py

Each case below is a pipeline with one mistake: what `afferent check` says of it,
without place and node, must stand in the guide word for word. Of privacy.md's
tables each message must stand in the .expected file of the golden test that its
row names. Of delivery.md also the whole pipeline is accepted, and what `plan` says of
it, and the notes on it when it is changed, stand in the guide.
"""

import os
import re
import subprocess
import sys
import tempfile

SOURCE = os.environ["AFFERENT_SRCDIR"]
AFFERENT = os.environ["AFFERENT"]

ROWS = '''[pipeline]
name = "case"
[source.file]
plugin = "in_file"
path = "v.csv"
[processor.rows]
plugin = "op_csv"
from = "file"
columns = [{columns}]
'''
NUMBERS = ", ".join(f'{{ name = "{n}" }}' for n in ["spo2", "heart_rate", "systolic", "weight", "height"])
WHERE = ROWS.replace("{columns}", NUMBERS + ', { name = "state", type = "text" }') + '''[processor.low]
plugin = "op_where"
from = "rows"
where = 'WHERE'
[sink.out]
plugin = "out_file"
from = "low"
path = "-"
'''
FEATURES = '{ name = "age", unit = "a" }, { name = "lactate_arterial", unit = "mmol/L" }, { name = "shock" }'
SCORE = ROWS + '''[processor.risk]
plugin = "op_score"
from = "rows"
model = "MODEL"
features = { FEATURE }
[sink.out]
plugin = "out_file"
from = "risk"
path = "-"
'''
LACTATE = 'lactate = "lactate_arterial"'
ALERT = ROWS + '''[processor.alarm]
plugin = "op_alert"
from = "rows"
place = "bed 3"
rules = [RULES]
[sink.out]
plugin = "out_alert"
from = "alarm"
'''
VITALS = '{ name = "hr" }, { name = "spo2" }, { name = "score", type = "int" }, { name = "state", type = "text" }'
PAGER = ROWS.replace("{columns}", ", ".join(
    f'{{ name = "{n}", type = "text" }}' for n in ["severity", "rule", "place"]) +
    ', { name = "text", type = "text", label = "LABEL" }') + '''[processor.anon]
plugin = "op_anonymize"
from = { rows = "rows" }
key = "KEY"
project = "p"
columns = { severity = "keep", rule = "keep", place = "keep", TEXT = "keep" }
MORE
[sink.pager]
plugin = "out_alert"
from = "anon.rows"
'''


EDGE = '''[pipeline]
name = "case"
SETTING
[source.patient]
plugin = "in_synth"
signals = ["vitals"]
SOURCE
[sink.screen]
plugin = "out_file"
from = "patient.vitals"
path = "-"
SINK
'''
CIRCLE = '''[processor.alarm]
plugin = "op_alert"
from = { in = "patient.vitals", commands = "escalate.acks" }
place = "bed 3"
rules = [{ name = "spo2-low", column = "spo2", below = 92, severity = "high" }]
ALARM
[processor.escalate]
plugin = "op_escalate"
from = { in = "alarm" }
steps = [{ to = "nurse" }]
people = [{ name = "nurse" }]
'''
NOTES = [  # how the whole pipeline is changed, and what check then says of it
    (["--set", "archive.edge.when_full=block"], "archive may stall"),
    (["--set", "archive.edge.when_full=block", "--set", 'archive.from=["patient", "alarm"]'], "alarms of alarm"),
    (["--set", "archive.edge.when_full=block", "--set", "archive.edge.priority=bulk"], "edge.priority"),
]


def where(text):
    return "expressions.md", WHERE.replace("WHERE", text)


def score(columns=FEATURES, feature=LACTATE, model="sepsis-risk.json"):
    return "models.md", SCORE.replace("{columns}", columns).replace("FEATURE", feature).replace("MODEL", model)


def alert(rules, columns=VITALS):
    return "alerts.md", ALERT.replace("{columns}", columns).replace("RULES", rules)


def anon(label="none", key="ward.key", text="text", more=""):
    toml = PAGER.replace("LABEL", label).replace("KEY", key).replace("TEXT", text).replace("MORE", more)
    return "privacy.md", toml


def edge(setting="", source="", sink=""):
    return "delivery.md", EDGE.replace("SETTING", setting).replace("SOURCE", source).replace("SINK", sink)


def circle(setting="", alarm=""):
    toml = EDGE.replace("SETTING", setting).replace("SOURCE", CIRCLE.replace("ALARM", alarm))
    return "delivery.md", toml.replace("patient.vitals\"\npath", "alarm\"\npath").replace("SINK", "")


def links(sink, cell="metered = true"):
    toml = EDGE.replace("SETTING", f'[link.garage]\n[link.cell]\n{cell}').replace("SOURCE", "")
    return "links.md", toml.replace("SINK", f"edge = {{ {sink} }}")


CASES = [
    where("spo3 < 92"), where("state < 92"), where("1 < spo2 < 92"), where("spo2 < "),
    score(feature=""), score(feature=LACTATE.replace("lactate =", "laktat =")),
    score(columns=FEATURES.replace("mmol/L", "mg/dL")),
    score(columns=FEATURES.replace('"shock"', '"shock", type = "text"')), score(columns=""),
    score(model="c.json"), score(model="key.json"), score(model="count.json"), score(model="scale.json"),
    alert('{ name = "x", column = "hrr", above = 100, severity = "high" }'),
    alert('{ name = "x", column = "hr", above = 1, below = 0, severity = "high" }'),
    alert('{ name = "x", column = "hr", above = 100, clear = 120, severity = "high" }'),
    alert('{ name = "x", column = "state", above = 100, severity = "high" }'),
    alert('{ name = "x", column = "hr", rise = 100, severity = "high" }'),
    alert('{ name = "x", column = "hr", above = 1, group = "g", severity = "high" }, '
          '{ name = "y", column = "hr", absent = "5s", group = "g", severity = "technical" }'),
    alert('{ name = "x", column = "hr", above = 1, severity = "high" }', columns=""),
    anon(key="none.key"), anon(key="k2"), anon(text="txet"),
    anon(more="generalise = { place = { digits = 3 } }"), anon(label="phi"), anon(more='times = "keep"'),
    edge(sink='edge = { expire = "1h" }'), edge('store_limit = "0B"', sink='edge = { when_full = "spill" }'),
    edge(sink="run = { durable = true }"), edge('store_limit = "64KiB"'), edge(source='edge = { buffer = "1MiB" }'),
    edge(source="run = { durable = true }", sink='edge = { when_full = "drop_oldest" }'),
    circle(alarm='edge = { when_full = "block" }'), circle('store_limit = "0B"'),
    links('links = ["gerage"]'), links('metered = "alarm"'), links('links = ["cell"], roaming = "none"'),
    links('links = ["cell"], metered = "none"'), links('links = ["cell"], when_full = "block"'),
    links('links = ["cell"]', 'from = "patient"\nmetered = true'),
    edge('store_key = "none.key"'), edge('store_key = "k2"'),
]
# What the guide calls the files of two of these.
RENAMED = [("none.key", "ward.key"), ("txet", "plcae"), ("did you mean text?", "did you mean place?")]


def guide(name):
    with open(os.path.join(SOURCE, "docs/guides", name), encoding="utf-8") as f:
        return f.read()


def files_write(folder):
    model = re.search(r"```json\n(.*?)```", guide("models.md"), re.S).group(1)
    made = {"v.csv": "a\n1\n", "sepsis-risk.json": model,
            "key.json": model.replace('"version": "2.1",', '"version": "2.1", "colour": 1,'),
            "count.json": model.replace("[60, 2, 0]", "[60, 2]"),
            "scale.json": model.replace("[10, 1, 1]", "[10, 0, 1]")}
    for name, text in made.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)
    for name in ["ward.key", "k2"]:
        subprocess.run([AFFERENT, "key", "new", name], cwd=folder, check=True, capture_output=True)
    os.chmod(os.path.join(folder, "k2"), 0o644)


def check(folder, toml, verb="check", *more):
    with open(os.path.join(folder, "case.toml"), "w", encoding="utf-8") as f:
        f.write(toml)
    run = subprocess.run([AFFERENT, verb, "case.toml", *more], cwd=folder, text=True, timeout=30, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return run.returncode, run.stdout.replace(os.path.realpath(folder) + "/", "").replace(folder + "/", "")


def message_in(guide_name, said):
    """What is between the node and the end; of refusals what is between the guide's two phrases."""
    found = re.search(r"error: \[[\w.]+\] (.*)", said)
    text = found.group(1) if found else said
    text = re.sub(r"^patient data would leave this node: (.*?); expected nothing.*", r"\1", text)
    text = re.sub(r"\b(key|count|scale)\.json", "b.json", text)
    for by, name in RENAMED:
        text = text.replace(by, name)
    return text, text in guide(guide_name)


def golden_rows():
    """(message, test) of privacy.md's tables."""
    for line in guide("privacy.md").splitlines():
        cells = line.split(" | ")
        if line.startswith("| ") and len(cells) == 3 and cells[1].startswith("`"):
            for test in re.findall(r"`(phi_\w+)`", cells[2])[:1]:
                yield cells[1].strip("`"), test


def delivery_faults(folder):
    """Of delivery.md: the whole pipeline, its plan, the notes on it; how many differ."""
    text = guide("delivery.md")
    whole = re.search(r"```toml\n(\[pipeline\].*?)```", text, re.S).group(1)
    code, said = check(folder, whole)
    faults = 0 if code == 0 and "note" not in said else 1
    if faults:
        print(f"delivery.md: exit {code}: {said}")
    shown = re.search(r"^    store_limit is.*?(?=\n\n)", text, re.S | re.M).group(0)
    planned = "\n".join("    " + line for line in check(folder, whole, "plan")[1].splitlines())
    if shown not in planned:
        faults += 1
        print(f"delivery.md: plan says:\n{planned}")
    for sets, begin in NOTES:
        code, said = check(folder, whole, "check", *sets)
        notes = [n for n in re.findall(r"note: \[\w+\] (.*)", said) if n.startswith(begin)]
        if code != 0 or len(notes) != 1 or notes[0] not in text:
            faults += 1
            print(f"delivery.md: {begin}: exit {code}: {said}")
    return faults


def main():
    faults = 0
    with tempfile.TemporaryDirectory(prefix="afferent-guides-") as folder:
        files_write(folder)
        for name, toml in CASES:
            code, said = check(folder, toml)
            text, is_there = message_in(name, said)
            if code != 2 or not is_there:
                faults += 1
                print(f"{name}: exit {code}, and the guide does not have: {text}")
        faults += delivery_faults(folder)
    rows = list(golden_rows())
    for text, test in rows:
        with open(os.path.join(SOURCE, "tests/golden", test + ".expected"), encoding="utf-8") as f:
            if text not in f.read():
                faults += 1
                print(f"privacy.md: {test}.expected does not have: {text}")
    print(f"{len(CASES)} messages and {len(rows)} golden rows, {faults} differ")
    return 1 if faults or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
