"""jobs.py - the shipped pipelines on recordings."""

import json
import os
import re
import subprocess
import sys

import cases
from cases import PIPELINES, SOURCE, data, has

BEDSIDE = os.path.join(PIPELINES, "bedside.toml")
ICU = os.path.join(PIPELINES, "icu-news2.toml")
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


def the_icu_pipeline_gives_all_expected_scores(bench):
    expected = os.path.join(data("icu-vitals"), "expected-news2-hourly.tsv")
    bench.env["AFFERENT_DATA"] = os.path.dirname(data("icu-vitals"))
    out, _ = bench.run("run", ICU, "--quiet")
    compare = os.path.join(SOURCE, "tests/pipeline/icu_news2.py")
    done = subprocess.run([sys.executable, compare, bench.write("scores.csv", out), expected],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    has(done.stdout, "9600 of 9600 rows equal")


def bedside(bench, *more):
    """A run of the main job; the alerts it told, without their times."""
    bench.env["AFFERENT_KEY"] = bench.path("bedside.key")
    if not os.path.exists(bench.env["AFFERENT_KEY"]):
        bench.run("key", "new", "bedside.key")
    _, err = bench.run("run", BEDSIDE, "--for", "45s", "--pace", "fast", *more)
    has(err, "balanced: ")
    return [line.split("Z ", 1)[1] for line in err.splitlines() if "not for clinical use" in line], err


def the_bedside_alarms_within_twenty_seconds_and_when_the_probe_falls_off(bench):
    alerts, err = bedside(bench, "--set", "patient.start=2026-03-01T12:00:00Z")
    assert len(alerts) == 3, alerts
    has(alerts[0], "HIGH bed 3: NEWS2 is ", "emergency team", "raised")
    has(alerts[1], "TECHNICAL bed 3: no SpO2", "raised")
    has(alerts[2], "TECHNICAL bed 3: no SpO2", "ended")
    first = re.search(r"12:00:(\d\d)Z HIGH", err)
    assert first and 5 <= int(first[1]) <= 20, err


def the_bedside_archive_has_scores_and_ecg_and_no_name_or_date_of_the_patient(bench):
    bedside(bench, "--set", "patient.start=2026-03-01T12:00:00Z")
    out, _ = bench.run("query", BEDSIDE, "--list", "--format", "json")
    streams = {e["stream"]: e for e in map(json.loads, out.splitlines())}
    assert set(streams) == {"ecg", "news2"} and streams["news2"]["records"] >= 40, out
    assert len({e["subject"] for e in streams.values()}) == 1
    stored = open(os.path.join(bench.env["AFFERENT_ARCHIVE"], "data.mdb"), "rb").read()
    assert b"Model Patient" not in stored and b"latest" not in stored
    assert not any(e["first"].startswith("2026-03-01") for e in streams.values()), out


def the_bedside_gives_the_same_pseudonyms_again_with_the_same_key_alone(bench):
    subjects = []
    for _ in range(3):
        bedside(bench)
        out, _ = bench.run("query", BEDSIDE, "--list", "--format", "json")
        subjects.append({json.loads(line)["subject"] for line in out.splitlines()})
        if len(subjects) == 2:
            os.remove(bench.path("bedside.key"))
    assert len(subjects[1]) == 1 and subjects[0] == subjects[1] and len(subjects[2]) == 2, subjects


def an_alert_that_names_the_patient_is_refused_and_an_open_key_too(bench):
    bedside(bench)
    out, _ = bench.run("check", BEDSIDE, "--set", "alarm.place=bed of {subject}", code=2)
    has(out, "[nurse]", "patient data would leave this node", "subject", "alarm -> nurse")
    os.chmod(bench.path("bedside.key"), 0o644)
    has(bench.run("check", BEDSIDE, code=2)[0], "[pseudonym]", "chmod 600")
    os.remove(bench.path("bedside.key"))
    has(bench.run("check", BEDSIDE, code=2)[0], "[pseudonym]", "afferent key new")


if __name__ == "__main__":
    cases.main(every_record_is_judged_and_the_last_line_says_how_well, the_judgement_comes_as_json_too,
               the_beats_of_a_record_are_archived_once, two_records_are_both_whole_in_one_archive,
               the_icu_pipeline_gives_all_expected_scores,
               the_bedside_alarms_within_twenty_seconds_and_when_the_probe_falls_off,
               the_bedside_archive_has_scores_and_ecg_and_no_name_or_date_of_the_patient,
               the_bedside_gives_the_same_pseudonyms_again_with_the_same_key_alone,
               an_alert_that_names_the_patient_is_refused_and_an_open_key_too)
