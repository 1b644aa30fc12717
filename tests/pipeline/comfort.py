"""comfort.py - what makes it easy: schema for editors, init, key, manual, completion."""

import json
import os
import stat
import subprocess
import tomllib

import cases
import schema
from cases import ECG, PIPELINES, SOURCE, has


def judged(bench, text):
    """What the schema that is printed says against a pipeline."""
    printed = json.loads(bench.run("schema")[0])
    return schema.problems(printed, tomllib.loads(text))


def the_schema_accepts_every_shipped_pipeline(bench):
    for name in cases.shipped(bench):
        with open(os.path.join(PIPELINES, name), encoding="utf-8") as f:
            assert judged(bench, f.read()) == [], name


def the_schema_refuses_what_check_refuses(bench):
    text = open(ECG, encoding="utf-8").read()
    for old, new, part in [
            ("leads      = 2", "leads = 7", "out of range"),
            ("leads      = 2", "laeds = 2", "unknown key laeds"),
            ('rate       = "360Hz"', "rate = 360", "expected string"),
            ('plugin = "op_qrs"', 'plugin = "op_beets"', "none of the choices"),
            ('from   = "clean"', 'form = "clean"', "from is missing"),
            ('name = "ecg"', 'nmae = "ecg"', "name is missing"),
            ("[sink.archive]", "[sinks.archive]", "unknown key sinks")]:
        assert old in text, old
        changed = text.replace(old, new, 1)
        assert any(part in p for p in judged(bench, changed)), (new, judged(bench, changed))
        bench.run("check", bench.write("bad.toml", changed), code=2)


def the_schema_allows_values_from_outside(bench):
    text = open(ECG, encoding="utf-8").read().replace("leads      = 2", 'leads = "${env:LEADS:-2}"', 1)
    assert judged(bench, text) == []
    bench.run("check", bench.write("outside.toml", text))


def init_lists_what_is_shipped_with_what_it_is_for(bench):
    out, _ = bench.run("init", "--list")
    for name in cases.shipped(bench, PIPELINES):
        assert any(line.startswith(name[:-5] + " ") and len(line.split(None, 1)[1]) > 20
                   for line in out.splitlines()), (name, out)


def init_writes_a_pipeline_that_is_right_under_its_own_name(bench):
    out, _ = bench.run("init", "ward3", "--from", "ecg")
    has(out, "ward3.toml is written, from ecg", "check ward3.toml", "run ward3.toml")
    text = open(bench.path("ward3.toml"), encoding="utf-8").read()
    has(text, 'name = "ward3"', "# ward3.toml - ", "memory_limit")
    assert "ecg.toml" not in text
    has(bench.run("check", "ward3.toml")[0], "ok: ")


def every_shipped_pipeline_can_be_begun_from(bench):
    for i, name in enumerate(cases.shipped(bench, PIPELINES)):
        bench.run("init", f"p{i}", "--from", name[:-5])
        with open(bench.path(f"p{i}.toml"), encoding="utf-8") as f:
            assert tomllib.loads(f.read())["pipeline"]["name"] == f"p{i}"


def init_never_writes_over_a_file_and_guesses_names(bench):
    bench.write("mine.toml", "precious")
    has(bench.run("init", "mine", code=2)[1], "mine.toml cannot be written", "choose another name")
    assert open(bench.path("mine.toml"), encoding="utf-8").read() == "precious"
    has(bench.run("init", "x", "--from", "egc", code=2)[1], 'no shipped pipeline "egc"', "did you mean ecg?")
    has(bench.run("init", "../x", code=2)[1], "no name of a pipeline")
    has(bench.run("init", code=2)[1], "NAME is missing")
    bench.env["AFFERENT_PIPELINES"] = bench.path("nowhere")
    has(bench.run("init", "x", code=2)[1], "AFFERENT_PIPELINES names another folder")


def a_new_key_is_its_owners_alone_and_never_written_over(bench):
    old = os.umask(0)
    try:
        has(bench.run("key", "new", "ward.key")[0], "keep a copy")
    finally:
        os.umask(old)
    path = bench.path("ward.key")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    one = open(path, encoding="utf-8").read()
    words = one.split()
    assert words[:2] == ["afferent-key", "1"] and len(bytes.fromhex(words[2])) == 32 and one.endswith("\n")
    has(bench.run("key", "new", "ward.key", code=2)[1], "never written over")
    assert open(path, encoding="utf-8").read() == one
    bench.run("key", "new", "other.key")
    assert open(bench.path("other.key"), encoding="utf-8").read() != one
    os.symlink(bench.path("target"), bench.path("link.key"))
    bench.run("key", "new", "link.key", code=2)
    assert not os.path.exists(bench.path("target"))
    has(bench.run("key", "new", "no/such.key", code=2)[1], "make the folder first")
    has(bench.run("key", "nwe", code=2)[1], "did you mean new?")


def manual_and_completion_are_what_help_says(_bench):
    done = subprocess.run([os.path.join(SOURCE, "scripts/manual"), os.environ["AFFERENT_BUILDDIR"], "--check"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def bash_completes_verbs_flags_choices_and_files(bench):
    bench.write("ward.toml", "")
    script = os.path.join(SOURCE, "docs/completion/afferent")
    for words, wanted in [(["afferent", "ch"], {"check"}), (["afferent", "run", "--fo"], {"--for"}),
                          (["afferent", "graph", "--format", "d"], {"dot"}), (["afferent", "run", "wa"], {"ward.toml"}),
                          (["afferent", "plugin", "in"], {"info"})]:
        line = " ".join(f'"{w}"' for w in words)
        done = subprocess.run(["bash", "-c", f'. "{script}"; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _afferent; '
                               'printf "%s\\n" "${COMPREPLY[@]}"'], cwd=bench.folder, capture_output=True, text=True,
                              timeout=30, check=False)
        assert set(done.stdout.split()) == wanted, (words, done.stdout, done.stderr)


if __name__ == "__main__":
    cases.main(
        the_schema_accepts_every_shipped_pipeline,
        the_schema_refuses_what_check_refuses,
        the_schema_allows_values_from_outside,
        init_lists_what_is_shipped_with_what_it_is_for,
        init_writes_a_pipeline_that_is_right_under_its_own_name,
        every_shipped_pipeline_can_be_begun_from,
        init_never_writes_over_a_file_and_guesses_names,
        a_new_key_is_its_owners_alone_and_never_written_over,
        manual_and_completion_are_what_help_says,
        bash_completes_verbs_flags_choices_and_files,
    )
