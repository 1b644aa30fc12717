#!/usr/bin/env python3
"""crash_check.py - the proof of delivery: many deaths, bad disks and bad days, one judge.

    crash_check.py [--counts=ci|quick|more] [--only=FAMILY,...] [--workers=N] [--keep=FOLDER]

Each family runs small pipelines with the real command, does something to them, and
lets the conservation judge compare what went in with what came out at the far ends.
The table at the end has a line a family; exit 1 if any rule was broken, or if fewer
cases ran than were asked for. What fails names its folder, which is kept.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback

import beside
import deaths
import disks
import test_judge
import world
from bench import Broken, Family, PROGRAM, Tools

#            name          what                                      quick     ci   more
FAMILIES = (("judge",      test_judge.planted,                          8,     8,     8),
            ("kill",       deaths.kill,                                60,  2000, 20000),
            ("child",      deaths.child,                               10,   100,  1000),
            ("power",      disks.power,                               120,  5000, 50000),
            ("errors",     disks.errors,                               40,  1000, 10000),
            ("fill",       disks.fill,                                 10,   100,  1000),
            ("damage",     disks.damage,                               30,   500,  5000),
            ("sigterm",    deaths.sigterm,                             16,   200,  2000),
            ("sigstop",    deaths.sigstop,                              4,    20,   200),
            ("clock",      world.clocks,                               20,   100,  1000),
            ("reload",     world.reload,                               20,   100,  1000),
            ("beats",      deaths.same_beats,                          10,   100,  1000),
            ("memory",     world.memory,                               60,   800, 20000),
            ("hostile",    world.hostile,                              10,   100,  1000),
            ("beside",     beside.beside,               len(beside.QUICK), len(beside.CASES), 5 * len(beside.CASES)))
COLUMNS = {"quick": 2, "ci": 3, "more": 4}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--counts", choices=COLUMNS, default="ci")
    parser.add_argument("--only", default="", help="families, by name, with commas between")
    parser.add_argument("--workers", type=int, default=2 * (os.cpu_count() or 1), help="cases at a time; they mostly wait")
    parser.add_argument("--keep", help="folder for the cases; what was good is removed there as well")
    return parser.parse_args()


def roomy():
    """Where files are fast: kills do not need a disk, power cuts are made from traces."""
    for folder in (os.environ.get("TMPDIR"), "/dev/shm"):
        if folder and os.path.isdir(folder) and shutil.disk_usage(folder).free > 1 << 30:
            return folder
    return tempfile.gettempdir()


def print_row(family):
    found = family.found
    verdict = "SKIP" if family.skipped else "ok" if family.good else "FAIL"
    print(f"{verdict:4}  {family.name:8} {family.done:6}/{family.wanted:<6} lost {found['lost']}, invented {found['invented']}, "
          f"altered {found['altered']}, unmarked {found['unmarked']}, other id {found['other_id']}, archive not once "
          f"{found['archive_not_once']}; delivered {found['delivered']}, resent {found['resent']}, {family.seconds:.0f} s")
    for word, places in (("landed", family.landed), ("calls", family.calls)):
        if places:
            print(f"      {word}: " + ", ".join(f"{k} {v}" for k, v in sorted(places.items(), key=lambda i: -i[1])))
    for text in family.notes:
        print("      " + text)
    if family.skipped:
        print(f"SKIP crash_{family.name}: {family.skipped}")


def run_family(name, what, wanted, tools, folder, workers):
    family = Family(name, wanted)
    home = os.path.join(folder, name)
    os.makedirs(home, exist_ok=True)
    try:
        what(family, tools, home, workers)
    except Broken as e:
        family.fail(*e.args)
    except Exception:  # a mistake of the test; the other families are run all the same
        family.fail(traceback.format_exc())
    family.close()
    for text in family.broken[:5]:
        print(f"{name}: {text}", flush=True)
    if not family.broken:
        shutil.rmtree(home, ignore_errors=True)
        if not family.skipped and family.done < wanted:
            print(f"{name}: only {family.done} of {wanted} cases ran")
    print_row(family)
    sys.stdout.flush()
    return family


def main():
    options = arguments()
    only = [name for name in options.only.split(",") if name]
    folder = options.keep or tempfile.mkdtemp(prefix="afferent-crash-", dir=roomy())
    os.makedirs(folder, exist_ok=True)
    began = time.monotonic()
    tools = Tools(os.path.join(folder, "tools"))
    print(f"crash-check of {PROGRAM}, counts of \"{options.counts}\", cases in {folder}", flush=True)
    families = [run_family(row[0], row[1], row[COLUMNS[options.counts]], tools, folder, options.workers)
                for row in FAMILIES if not only or row[0] in only]
    print(f"\ncrash-check: {sum(f.done for f in families)} cases in {time.monotonic() - began:.0f} s")
    for family in families:
        print_row(family)
    bad = [f.name for f in families if not f.good]
    if not bad and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    print("crash-check: " + (f"FAILED: {', '.join(bad)}" if bad else "all good"))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
