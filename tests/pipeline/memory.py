"""memory.py - the real chain allocates nothing once it is warm, and copies nothing.

malloc and its relatives are interposed by a small library put in front of the
program. A run of an hour of patient time must make exactly as many calls as one of ten
minutes: what is left is start and end. The archive's library is counted apart.
"""

import json
import os
import subprocess

import cases
from cases import SOURCE, Skip

CHAIN = """
[pipeline]
name = "memory"

[source.ecg]
plugin = "in_synth"
pace   = "fast"
noise  = 0.02

[processor.clean]
plugin = "op_filter"
from   = "ecg"
band   = { low = "0.5Hz", high = "40Hz", order = 2 }

[processor.beats]
plugin = "op_qrs"
from   = "clean"

[sink.end]
plugin = "PLUGIN"
from   = ["beats", "clean"]
"""
TEN_MINUTES, HOUR = 600, 3600


def interposer(bench):
    """Builds the library; skips where it cannot be put in front of the program."""
    with open(cases.PROGRAM, "rb") as f:
        if b"__asan_init" in f.read():
            raise Skip("the sanitizer has a malloc of its own")
    library = bench.path("count_malloc.so")
    build = subprocess.run([os.environ.get("CC", "cc"), "-O1", "-shared", "-fPIC", "-o", library,
                            os.path.join(SOURCE, "tests/pipeline/count_malloc.c")], check=False)
    if build.returncode != 0:
        raise Skip("no C compiler here")
    return library


def calls(bench, library, pipeline, seconds):
    bench.env["COUNT_MALLOC"] = bench.path("count")
    bench.env["LD_PRELOAD"] = library
    bench.run("run", pipeline, "--quiet", "--set", f'ecg.duration="{seconds}s"')
    del bench.env["LD_PRELOAD"]
    with open(bench.path("count"), encoding="ascii") as f:
        return int(f.read())


def written(bench, text, store=True):
    """Without a store: its library allocates with each commit, and a queue copies."""
    if not store:
        text = text.replace("[pipeline]", '[pipeline]\nstore_limit = "0B"')
    path = bench.path("memory.toml")
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def the_ecg_chain_allocates_nothing_after_warm_up(bench):
    library = interposer(bench)
    pipeline = written(bench, CHAIN.replace("PLUGIN", "out_null"), store=False)
    short, long = (calls(bench, library, pipeline, s) for s in (TEN_MINUTES, HOUR))
    print(f"calls of malloc: {short} in a run of 10 min, {long} in a run of 1 h")
    assert short > 100, "the interposer counts nothing"
    assert long == short, f"{long - short} allocations in 50 more minutes"


def the_archive_allocates_no_more_than_its_commits_need(bench):
    library = interposer(bench)
    pipeline = written(bench, CHAIN.replace("PLUGIN", "out_lmdb") + 'path = "memory.lmdb"\n')
    short, long = (calls(bench, library, pipeline, s) for s in (TEN_MINUTES, HOUR))
    print(f"calls of malloc: {short} in a run of 10 min, {long} in a run of 1 h")
    assert long - short < 200 * 60, "more than the library's few calls a commit"


def the_ecg_chain_copies_no_payload(bench):
    pipeline = written(bench, CHAIN.replace("PLUGIN", "out_null"), store=False)
    out, _ = bench.run("run", pipeline, "--json", "--set", f'ecg.duration="{TEN_MINUTES}s"')
    ledger = json.loads(out)
    nodes = ledger["nodes"]
    assert {n["node"]: n["bytes_copied"] for n in nodes} == dict.fromkeys(("ecg", "clean", "beats", "end"), 0)


if __name__ == "__main__":
    cases.main(the_ecg_chain_allocates_nothing_after_warm_up, the_archive_allocates_no_more_than_its_commits_need,
               the_ecg_chain_copies_no_payload)
