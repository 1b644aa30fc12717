"""verbs.py - the command from outside: help, usage, check, plan, graph."""

import json
import os
import shutil
import subprocess

import cases
from cases import ECG, PIPELINES, has

VERBS = ["run", "check", "plan", "graph", "query"]


def every_verb_has_help_with_examples(bench):
    for words in [[], *([v] for v in VERBS)]:
        out, err = bench.run(*words, "--help")
        has(out, "Usage:", "Examples:", "afferent")
        assert err == "", err


def the_plugin_verb_has_help(bench):
    for words in (["plugin"], ["plugin", "list"], ["plugin", "info"]):
        has(bench.run(*words, "--help")[0], "Usage: afferent plugin")


def the_version_is_one_line(bench):
    out, _ = bench.run("--version")
    assert out.startswith("afferent ") and out.count("\n") == 1, out


def an_unknown_verb_or_flag_is_guessed(bench):
    has(bench.run("rnu", code=2)[1], "did you mean run?", "afferent --help")
    has(bench.run("run", ECG, "--fro", "3s", code=2)[1], "did you mean --for?")
    has(bench.run("graph", ECG, "--format", "dto", code=2)[1], "did you mean dot?")
    bench.run(code=2)


def wrong_usage_is_refused_with_what_was_expected(bench):
    has(bench.run("run", code=2)[1], "PIPELINE.toml is missing")
    has(bench.run("run", ECG, "--for", "3", code=2)[1], "has no unit", "such as")
    has(bench.run("run", ECG, "--for", "0s", code=2)[1], "too short")
    has(bench.run("run", ECG, "--for", code=2)[1], "needs a value")
    has(bench.run("run", ECG, "--quiet=yes", code=2)[1], "takes no value")
    has(bench.run("check", ECG, ECG, code=2)[1], "one word too many")
    has(bench.run("query", ECG, "--limit", "-1", code=2)[1], "no number")
    has(bench.run("query", ECG, "--from", "2026-02-30", code=2)[1], "no time")


def flags_stand_before_and_behind_the_pipeline(bench):
    one, _ = bench.run("check", "--explain", ECG)
    other, _ = bench.run("check", ECG, "--explain")
    assert one == other


def every_shipped_pipeline_is_right(bench):
    for name in cases.shipped(bench):
        out, err = bench.run("check", os.path.join(PIPELINES, name))
        has(out, "ok: ")
        assert err == "", err


def check_names_the_place_of_a_mistake_and_run_refuses_it_too(bench):
    path = bench.write("bad.toml", open(ECG, encoding="utf-8").read().replace("leads      = 2", "leads      = 7"))
    out, _ = bench.run("check", path, code=2)
    has(out, "bad.toml:22:", "error: [ecg] leads = 7")
    _, err = bench.run("run", path, code=2)
    assert err == out
    for verb in ("plan", "graph", "query"):
        assert bench.run(verb, path, code=2)[1] == out


def check_gives_json_of_right_and_wrong(bench):
    right = json.loads(bench.run("check", ECG, "--json", "--explain")[0])
    assert right["ok"] and right["node_count"] == len(right["nodes"]) == 4
    assert {e["way"] for e in right["edges"]} == {"fused", "ring"}
    wrong = json.loads(bench.run("check", ECG, "--json", "--set", "ecg.rat=1", code=2)[0])
    assert not wrong["ok"] and wrong["errors"] == len(wrong["messages"]) == 1
    has(wrong["messages"][0], "--set ecg.rat", "did you mean rate?")


def explain_says_where_each_option_comes_from(bench):
    out, _ = bench.run("check", ECG, "--explain", "--set", "ecg.seed=7")
    rows = [line.split() for line in out.splitlines()]
    assert ["seed", "7", "--set"] in rows
    assert ["leads", "2", "line", "22"] in rows
    assert ["subject", '"patient"', "default"] in rows
    assert ["band.low", '"0.5Hz"', "line", "34"] in rows
    has(out, "threads", "fused: a call on thread", "ring: from thread", "nobody else sees it")


def what_comes_from_outside_is_not_shown_but_for_paths(bench):
    bench.env["WHO"] = "somebody"
    text = open(ECG, encoding="utf-8").read().replace("leads      = 2", 'leads = 2\nsubject = "${env:WHO}"')
    out, _ = bench.run("check", bench.write("a.toml", text), "--explain")
    assert "somebody" not in out
    has(out, '"${env:WHO}"', bench.path("archive.lmdb"))


def a_copy_is_planned_and_explained_where_an_editor_is_not_alone(bench):
    text = open(ECG, encoding="utf-8").read().replace('from   = ["clean", "beats"]', 'from = "ecg"')
    text = text.replace("[processor.beats]", "[sink.rest]").replace('plugin = "op_qrs"', 'plugin = "out_null"')
    out, _ = bench.run("check", bench.write("fan.toml", text), "--explain")
    has(out, "one: the reader edits in place what others see too")


def the_plan_adds_up_and_is_held_against_the_limit(bench):
    plan = json.loads(bench.run("plan", ECG, "--json")[0])
    assert plan["total_bytes"] == sum(line["bytes"] for line in plan["memory"])
    assert sorted(sum(plan["threads"], [])) == ["archive", "beats", "clean", "ecg"]
    has(bench.run("plan", ECG)[0], "total", "memory_limit is 32MiB", "thread 0:")
    for verb in ("plan", "run", "check"):
        out, err = bench.run(verb, ECG, "--set", "pipeline.memory_limit=128KiB", code=2)
        has(out + err, "memory_limit")


def the_graph_has_every_node_and_edge_in_each_format(bench):
    text, _ = bench.run("graph", ECG)
    dot, _ = bench.run("graph", ECG, "--format", "dot")
    mermaid, _ = bench.run("graph", ECG, "--format=mermaid")
    for picture in (text, dot, mermaid):
        has(picture, "ecg", "clean", "beats", "archive", "thread 1", "phi")
    assert dot.count(" -> ") == 4 and dot.count("{") == dot.count("}")
    assert mermaid.startswith("flowchart LR\n") and mermaid.count("-->|") + mermaid.count("==>|") == 4
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tsvg"], input=dot.encode(), stdout=subprocess.DEVNULL, check=True)


def a_full_disk_is_an_error_and_a_reader_that_left_is_none(bench):
    with open("/dev/full", "wb") as full:
        has(bench.run("check", ECG, "--explain", code=3, stdout=full)[1], "could not be written")
    read, write = os.pipe()
    os.close(read)
    bench.run("check", ECG, "--explain", stdout=write)
    os.close(write)


if __name__ == "__main__":
    cases.main(every_verb_has_help_with_examples, the_plugin_verb_has_help, the_version_is_one_line,
               an_unknown_verb_or_flag_is_guessed,
               wrong_usage_is_refused_with_what_was_expected, flags_stand_before_and_behind_the_pipeline,
               every_shipped_pipeline_is_right, check_names_the_place_of_a_mistake_and_run_refuses_it_too,
               check_gives_json_of_right_and_wrong, explain_says_where_each_option_comes_from,
               what_comes_from_outside_is_not_shown_but_for_paths,
               a_copy_is_planned_and_explained_where_an_editor_is_not_alone,
               the_plan_adds_up_and_is_held_against_the_limit, the_graph_has_every_node_and_edge_in_each_format,
               a_full_disk_is_an_error_and_a_reader_that_left_is_none)
