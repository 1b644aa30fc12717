"""jobs.py - the shipped pipelines on recordings."""

import json
import os
import re

import cases
from cases import PIPELINES, data, has

FILE = os.path.join(PIPELINES, "ecg-file.toml")
EVALUATE = os.path.join(PIPELINES, "evaluate-beats.toml")


def every_record_is_judged_and_the_last_line_says_how_well(bench):
    bench.env["AFFERENT_DATA"] = os.path.dirname(data("mitdb"))
    out, err = bench.run("run", EVALUATE)
    has(err, "balanced: ")
    last = out.splitlines()[-1]
    m = re.fullmatch(r"gross Se=(\d+\.\d\d)% \+P=(\d+\.\d\d)% beats=(\d+) records=(\d+)", last)
    assert m, last
    records = len([n for n in os.listdir(data("mitdb")) if n.endswith(".hea")])
    assert int(m[4]) == records and int(m[3]) > 1000 * records
    assert float(m[1]) >= 99.5 and float(m[2]) >= 99.5, last


def the_judgement_comes_as_json_too(bench):
    bench.env["AFFERENT_DATA"] = os.path.dirname(data("mitdb"))
    out, _ = bench.run("run", EVALUATE, "--json")
    report, at = json.JSONDecoder().raw_decode(out)
    ledger = json.loads(out[at:])
    assert len(report["records"]) == len([n for n in os.listdir(data("mitdb")) if n.endswith(".hea")])
    assert all({"se", "ppv", "tp", "fn", "fp"} <= r["scored"].keys() for r in report["records"])
    assert ledger["balanced"] is True


def the_beats_of_a_record_are_archived_once(bench):
    bench.env["AFFERENT_RECORD"] = os.path.join(data("mitdb"), "101.hea")
    for _ in range(2):
        bench.run("run", FILE, "--quiet")
    out, _ = bench.run("query", FILE, "--list", "--format", "json")
    (stream,) = [json.loads(line) for line in out.splitlines()]
    assert stream["subject"] == "101" and 1860 <= stream["records"] <= 1870, stream


def two_records_are_both_whole_in_one_archive(bench):
    bench.env["AFFERENT_RECORD"] = os.path.join(data("mitdb"), "10[16].hea")
    bench.run("run", FILE, "--quiet")
    out, _ = bench.run("query", FILE, "--list", "--format", "json")
    found = {e["subject"]: e["records"] for e in map(json.loads, out.splitlines())}
    assert set(found) == {"101", "106"} and min(found.values()) > 1800, found


if __name__ == "__main__":
    cases.main(every_record_is_judged_and_the_last_line_says_how_well, the_judgement_comes_as_json_too,
               the_beats_of_a_record_are_archived_once, two_records_are_both_whole_in_one_archive)
