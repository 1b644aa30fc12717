#!/usr/bin/env python3
"""bench_command - the installed program as a whole, from outside.

Prints one line a figure: metric TAB value TAB unit. Pipelines are written to a
fresh folder. What a run needs before its first record is measured by itself, and
subtracted where a rate is given. Not here: parts of the program (bench_chain, bench_handoff).
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

AFFERENT = os.environ["AFFERENT"]
RATE, LEADS, SECONDS = 360, 2, 6000

ECG = """
[pipeline]
name = "bench"

[source.ecg]
plugin = "in_synth"
pace   = "{pace}"

[processor.clean]
plugin = "op_filter"
from   = "ecg"
band   = {{ low = "0.5Hz", high = "40Hz", order = 2 }}

[processor.beats]
plugin = "op_qrs"
from   = "clean"

[sink.out]
plugin = "{sink}"
from   = "beats"
{more}
"""

ARCHIVE = """
[pipeline]
name = "bench"
memory_limit = "64MiB"

[source.made]
plugin  = "in_null"
records = {records}
size    = "256B"

[sink.out]
plugin = "out_lmdb"
from   = "made"
path   = "archive.lmdb"
limit  = "4GiB"
"""


def pss_kib(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            for line in f:
                if line.startswith("Pss:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def run(folder, text, *args, watch=False):
    """Runs a pipeline to its end. Returns wall s, CPU s, peak PSS in KiB."""
    path = os.path.join(folder, "p.toml")
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    began, peak = time.monotonic(), 0
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(os.path.join(folder, "log"), "w", encoding="utf-8") as log:
        child = subprocess.Popen([AFFERENT, "run", path, *args], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=log)
        while watch and child.poll() is None:
            peak = max(peak, pss_kib(child.pid))
            time.sleep(0.005)
        child.wait()
    if child.returncode != 0:
        with open(os.path.join(folder, "log"), encoding="utf-8") as log:
            sys.exit(f"bench_command: exit {child.returncode}\n{log.read()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu, peak


def first_record(folder):
    """Seconds from the start of the program to its first line of output."""
    path = os.path.join(folder, "first.toml")
    with open(path, "w", encoding="ascii") as f:
        f.write('[pipeline]\nname = "first"\n\n[source.made]\nplugin = "in_synth"\npace = "fast"\n\n'
                '[sink.out]\nplugin = "out_file"\nfrom = "made"\npath = "-"\nformat = "jsonl"\n')
    began = time.monotonic()
    child = subprocess.Popen([AFFERENT, "run", path, "--for", "1s"], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    line = child.stdout.readline()
    took = time.monotonic() - began
    child.stdout.read()
    if child.wait() != 0 or not line:
        sys.exit("bench_command: no first record")
    return took


def main():
    folder = tempfile.mkdtemp(prefix="afferent-bench-")
    try:
        fast = ECG.format(pace="fast", sink="out_null", more="")
        short, long = (fast.replace("pace ", f'duration = "{s}s"\npace ') for s in (1, SECONDS))
        start, _, _ = run(folder, short)
        wall, _, _ = run(folder, long)
        print(f"ecg_pipeline\t{RATE * LEADS * SECONDS / (wall - start):.0f}\tsamples/s")
        _, _, peak = run(folder, long, watch=True)
        print(f"ecg_peak_pss\t{peak}\tKiB")
        wall, _, _ = run(folder, ARCHIVE.format(records=400000))
        print(f"archive\t{400000 / (wall - start):.0f}\trecords/s")
        live = ECG.format(pace="realtime", sink="out_lmdb", more='path = "live.lmdb"')
        wall, cpu, _ = run(folder, live, "--for", "5s")
        _, cpu_start, _ = run(folder, live.replace("live.lmdb", "start.lmdb"), "--for", "250ms")
        print(f"realtime_cpu\t{100 * (cpu - cpu_start) / wall:.3f}\t% of one CPU")
        print(f"first_record\t{1000 * first_record(folder):.1f}\tms")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
