#!/usr/bin/env python3
"""bench_text - how fast rows come out of text: JSON lines and CSV, ours and others'.

One file each of the same vital signs, read to the last row by every program, each
asked for all values of each row (ours: all columns typed) or for a sum over one
column (the peers, who must parse the rest to find it). What a program needs for a
file of one row is measured by itself, and subtracted. Prints metric TAB value TAB
unit. Peers that are not installed print nothing.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

AFFERENT = os.environ["AFFERENT"]
ROWS = 300000

PIPELINE = """
[pipeline]
name = "text"

[source.file]
plugin = "in_file"
path   = "{path}"
as     = "blocks"

[processor.rows]
plugin  = "{plugin}"
from    = "file"
framing = "stream"
time    = {{ from = "time", format = "iso8601" }}
columns = [
  {{ name = "bed", type = "text" }},
  {{ name = "heart_rate", type = "real" }},
  {{ name = "spo2", type = "real" }},
  {{ name = "systolic", type = "real" }},
  {{ name = "temperature", type = "real" }},
  {{ name = "alarm", type = "bool" }},
]

[sink.out]
plugin = "out_null"
from   = "rows"
"""

PYTHON_JSON = "import json,sys\nprint(sum(json.loads(l)['heart_rate'] for l in open(sys.argv[1])))"
PYTHON_CSV = "import csv,sys\nprint(sum(float(r['heart_rate']) for r in csv.DictReader(open(sys.argv[1]))))"


def row(i):
    """Vital signs that wander; made of integers, so that every run has the same file."""
    wander = (i * 2654435761) % 1000
    return {"time": f"2026-03-{1 + i // 86400 % 28:02d}T{i // 3600 % 24:02d}:{i // 60 % 60:02d}:{i % 60:02d}Z",
            "bed": f"ward-{i % 30}", "heart_rate": 60 + wander % 40 + wander % 10 / 10, "spo2": 90 + wander % 11,
            "systolic": 100 + wander % 60, "temperature": 36 + wander % 30 / 10, "alarm": wander % 50 == 0}


def files_write(folder):
    """A file of ROWS rows and one of a single row, in both forms."""
    for name, count in (("long", ROWS), ("short", 1)):
        with open(f"{folder}/{name}.jsonl", "w", encoding="ascii") as f:
            f.writelines(json.dumps(row(i)) + "\n" for i in range(count))
        with open(f"{folder}/{name}.csv", "w", encoding="ascii") as f:
            f.write(",".join(row(0)) + "\n")
            f.writelines(",".join("true" if v is True else "false" if v is False else str(v)
                                  for v in row(i).values()) + "\n" for i in range(count))


def took(words):
    began = time.monotonic()
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          timeout=120, check=False)
    if done.returncode != 0:
        sys.exit(f"bench_text: {words[0]}: exit {done.returncode}\n{done.stderr.decode()}")
    return time.monotonic() - began


def ours(folder, plugin, path):
    pipeline = f"{path}.toml"
    with open(pipeline, "w", encoding="ascii") as f:
        f.write(PIPELINE.format(path=path, plugin=plugin))
    return [AFFERENT, "run", pipeline, "--quiet"]


def measure(metric, words_for, folder, suffix):
    program = words_for(f"{folder}/short.{suffix}")[0]
    if not shutil.which(program):
        print(f"skipped {metric}: no {program}", file=sys.stderr)
        return
    start = took(words_for(f"{folder}/short.{suffix}"))
    whole = took(words_for(f"{folder}/long.{suffix}"))
    size = os.path.getsize(f"{folder}/long.{suffix}")
    print(f"{metric}\t{1e9 * max(whole - start, 1e-6) / size:.3f}\tns/byte", flush=True)
    print(f"{metric}_rate\t{size / 1e6 / max(whole - start, 1e-6):.1f}\tMB/s", flush=True)


def main():
    folder = tempfile.mkdtemp(prefix="afferent-bench-")
    simdjson = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peer_simdjson")
    try:
        files_write(folder)
        measure("json_afferent", lambda p: ours(folder, "op_json", p), folder, "jsonl")
        measure("json_simdjson", lambda p: [simdjson, p], folder, "jsonl")
        measure("json_jq", lambda p: ["jq", "-n", "reduce inputs.heart_rate as $x (0; . + $x)", p], folder, "jsonl")
        measure("json_miller", lambda p: ["mlr", "--ijsonl", "--ojson", "stats1", "-a", "sum", "-f", "heart_rate", p],
                folder, "jsonl")
        measure("json_python", lambda p: [sys.executable, "-c", PYTHON_JSON, p], folder, "jsonl")
        measure("csv_afferent", lambda p: ours(folder, "op_csv", p), folder, "csv")
        measure("csv_miller", lambda p: ["mlr", "--icsv", "--ojson", "stats1", "-a", "sum", "-f", "heart_rate", p],
                folder, "csv")
        measure("csv_python", lambda p: [sys.executable, "-c", PYTHON_CSV, p], folder, "csv")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
