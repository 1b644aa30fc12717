"""queries.py - `afferent query` from outside: what comes out, in which form."""

import csv
import io
import json
import os

import cases
from cases import ECG, has


def filled(bench, seconds="20s"):
    bench.run("run", ECG, "--pace", "fast", "--for", seconds, "--quiet")


def rows(bench, *flags):
    out, err = bench.run("query", ECG, "--format", "json", *flags)
    assert err == "", err
    return [json.loads(line) for line in out.splitlines()]


def the_list_names_each_stream_and_schema(bench):
    filled(bench)
    found = {e["schema"]: e for e in rows(bench, "--list")}
    assert found["ecg"]["samples"] == 7200 and found["ecg"]["records"] == 80
    assert found["ecg"]["first"] == "1970-01-01T00:00:00Z"
    assert found["beats"]["subject"] == "patient" and found["beats"]["records"] > 20
    has(bench.run("query", ECG, "--list")[0], "subject", "stream", "records", "7200")


def each_stream_has_a_table_of_its_own_columns(bench):
    filled(bench)
    both, _ = bench.run("query", ECG)
    has(both, "rate [Hz]", "heart_rate [/min]", "ecg/beats")
    assert both.count("subject") == 2
    one, _ = bench.run("query", ECG, "--stream", "ecg/beats")
    has(one.splitlines()[0], "rr [ms]", "heart_rate [/min]")
    assert one.count("subject") == 1
    assert all(line == line.rstrip() for line in (both + one).splitlines())


def csv_is_read_back_by_a_csv_reader(bench):
    filled(bench)
    out, _ = bench.run("query", ECG, "--schema", "beats", "--format", "csv")
    table = list(csv.DictReader(io.StringIO(out, newline="")))
    found = rows(bench, "--schema", "beats")
    assert [int(r["sample"]) for r in table] == [r["values"]["sample"] for r in found]
    assert [float(r["rr [ms]"]) for r in table[1:]] == [r["values"]["rr"] for r in found[1:]]
    assert table[0]["rr [ms]"] == "" and found[0]["values"]["rr"] is None


def names_are_quoted_and_cannot_steer_a_terminal(bench):
    name = 'a "b", \\u001b[31mc'
    bench.run("run", ECG, "--pace", "fast", "--for", "5s", "--quiet", "--set", f'ecg.subject="{name}"'.replace('"b"', '\\"b\\"'))
    subject = 'a "b", \x1b[31mc'
    assert rows(bench, "--list")[0]["subject"] == subject
    assert "\x1b" not in bench.run("query", ECG)[0]
    out, _ = bench.run("query", ECG, "--schema", "beats", "--format", "csv", "--subject", subject)
    assert next(csv.DictReader(io.StringIO(out, newline="")))["subject"] == subject


def samples_come_in_their_unit_with_a_time_each(bench):
    filled(bench)
    out, _ = bench.run("query", ECG, "--samples", "--format", "csv")
    table = list(csv.DictReader(io.StringIO(out, newline="")))
    assert len(table) == 7200
    assert table[360]["time"] == "1970-01-01T00:00:01Z" and table[1]["time"] == "1970-01-01T00:00:00.002777778Z"
    leads = [float(r["II [mV]"]) for r in table]
    assert -2 < min(leads) < max(leads) < 2 and max(leads) > 0.3
    planes = [v for r in rows(bench, "--samples") for v in r["channels"][0]["samples"]]
    assert planes == leads


def time_subject_and_limit_narrow_the_answer(bench):
    filled(bench)
    everything = rows(bench)
    part = rows(bench, "--from", "5s", "--to", "1970-01-01T00:00:10Z")
    assert part == [r for r in everything if "00:00:05" <= r["time"][11:19] < "00:00:10"]
    assert rows(bench, "--limit", "7") == everything[:7]
    assert rows(bench, "--subject", "nobody") == [] and rows(bench, "--to", "0s") == []
    assert len(bench.run("query", ECG, "--samples", "--format", "csv", "--limit", "100")[0].splitlines()) == 101


def an_archive_is_read_while_it_is_written(bench):
    run = bench.start("run", ECG)
    seen = []
    while len(seen) < 4:
        assert run.process.poll() is None
        if os.path.exists(bench.path("archive.lmdb/data.mdb")):
            seen = rows(bench)
    run.send(cases.signal.SIGTERM)
    assert run.end() == 0, run.said
    assert rows(bench)[:4] == seen[:4]


def an_archive_that_is_not_there_is_an_error_with_a_hint(bench):
    has(bench.run("query", ECG, code=3)[1], "[archive]", "afferent run")


def a_pipeline_without_an_archive_says_so(bench):
    text = open(ECG, encoding="utf-8").read()
    head = text[:text.index("[sink.archive]")]
    path = bench.write("none.toml", head + '[sink.rest]\nplugin = "out_null"\nfrom = ["clean", "beats"]\n')
    has(bench.run("query", path, code=2)[1], "no sink of this pipeline can be read back")
    two = text + '[sink.second]\nplugin = "out_lmdb"\nfrom = "beats"\npath = "second.lmdb"\n'
    path = bench.write("two.toml", two)
    has(bench.run("query", path, code=2)[1], "--node", "archive, second")
    bench.run("run", path, "--pace", "fast", "--for", "5s", "--quiet")
    out, _ = bench.run("query", path, "--node", "second", "--list", "--format", "json")
    assert [json.loads(line)["schema"] for line in out.splitlines()] == ["beats"]


def damage_is_stepped_over_counted_and_told_by_the_exit_code(bench):
    filled(bench, "600s")
    whole = rows(bench)
    with open(bench.path("archive.lmdb/data.mdb"), "r+b") as file:
        size = file.seek(0, 2)
        for at in range(16 * 4096, size, 16 * 4096):
            file.seek(at + 2000)
            file.write(b"\xa5" * 64)
    out, err = bench.run("query", ECG, "--format", "json", code=1)
    has(err, "damaged", "stepped over")
    good = [json.loads(line) for line in out.splitlines()]
    assert 0 < len(good) < len(whole)
    known = {json.dumps(r, sort_keys=True) for r in whole}
    assert all(json.dumps(r, sort_keys=True) in known for r in good)


if __name__ == "__main__":
    cases.main(the_list_names_each_stream_and_schema, each_stream_has_a_table_of_its_own_columns,
               csv_is_read_back_by_a_csv_reader, names_are_quoted_and_cannot_steer_a_terminal,
               samples_come_in_their_unit_with_a_time_each, time_subject_and_limit_narrow_the_answer,
               an_archive_is_read_while_it_is_written, an_archive_that_is_not_there_is_an_error_with_a_hint,
               a_pipeline_without_an_archive_says_so, damage_is_stepped_over_counted_and_told_by_the_exit_code)
