#!/usr/bin/env python3
"""Runs the TOML 1.0.0 list of the toml-test suite against a program that
prints tagged JSON (toml_json). Usage: toml_suite.py PROGRAM [SUITE-FOLDER]

Valid files must load to the same values, invalid ones must be refused by exit
1 with exactly one message that has a place. Exit 0 all passed, 1 not, 77
without the suite."""
import datetime
import json
import math
import os
import re
import subprocess
import sys

CLOCK = r"(\d\d:\d\d:\d\d)(?:\.(\d+))?"


def clock(text):
    seconds, fraction = re.fullmatch(CLOCK, text).groups()
    return seconds, int((fraction or "0")[:9].ljust(9, "0"))


def instant(text):
    """A date-time with offset as (UTC second, nanosecond)."""
    day, time, offset = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)[Tt ](.*?)([Zz]|[+-]\d\d:\d\d)", text).groups()
    seconds, nanosecond = clock(time)
    offset = "+00:00" if offset in "Zz" else offset
    when = datetime.datetime.fromisoformat(f"{day}T{seconds}{offset}")
    zero = datetime.datetime(1, 1, 1, tzinfo=datetime.timezone.utc)
    # Year 0 and 9999 with an offset do not fit into datetime's UTC.
    seconds = (when.replace(tzinfo=datetime.timezone.utc) - zero - when.utcoffset())
    return seconds.days * 86400 + seconds.seconds, nanosecond


def scalar(kind, text):
    if kind == "float":
        value = float(text.replace("_", ""))
        return (kind, "nan") if math.isnan(value) else (kind, value)
    if kind == "integer":
        return kind, int(text)
    if kind == "datetime":
        return kind, instant(text)
    if kind == "datetime-local":
        return kind, text[:10], clock(text[11:])
    if kind == "time-local":
        return kind, clock(text)
    return kind, text


def plain(node):
    """Tagged JSON as something that == compares by value."""
    if isinstance(node, list):
        return [plain(item) for item in node]
    if set(node) == {"type", "value"} and isinstance(node["type"], str):
        return scalar(node["type"], node["value"])
    return {key: plain(value) for key, value in node.items()}


def judge(program, path):
    done = subprocess.run([program, path], capture_output=True, timeout=20)
    if "/valid/" in path:
        if done.returncode != 0:
            return "refused: " + done.stderr.decode("utf-8", "replace").strip()
        with open(path[:-5] + ".json", encoding="utf-8") as file:
            expected = plain(json.load(file))
        found = plain(json.loads(done.stdout.decode("utf-8")))
        return None if found == expected else f"expected {expected}, found {found}"
    if done.returncode != 1:
        return f"accepted, exit {done.returncode}"
    message = done.stderr.decode("utf-8", "replace").rstrip("\n")
    if not re.fullmatch(re.escape(path) + r":[1-9]\d*:[1-9]\d*: error: .+", message):
        return "message has not one line with a place: " + message
    return None


def main():
    program = sys.argv[1]
    root = os.environ.get("AFFERENT_SRCDIR", ".")
    data = os.environ.get("AFFERENT_DATA", os.path.join(root, "../shared/data"))
    suite = sys.argv[2] if len(sys.argv) > 2 else os.path.join(data, "toml-test")
    if not os.path.exists(os.path.join(suite, "index.tsv")):
        print("SKIP toml_suite: no toml-test in AFFERENT_DATA")
        return 77
    counts = {"valid": 0, "invalid": 0}
    failed = 0
    with open(os.path.join(suite, "index.tsv"), encoding="utf-8") as file:
        rows = [line.split("\t") for line in file.read().splitlines()[1:]]
    for name in (row[0] for row in rows if row[1] == "1"):
        problem = judge(program, os.path.join(suite, name))
        counts[name.split("/")[0]] += 1
        if problem:
            failed += 1
            print(f"FAIL {name}: {problem}")
    print(f"toml-test 1.0.0: {counts['valid']} valid, {counts['invalid']} invalid, "
          f"{failed} failed")
    return 1 if failed or not counts["valid"] or not counts["invalid"] else 0


if __name__ == "__main__":
    sys.exit(main())
