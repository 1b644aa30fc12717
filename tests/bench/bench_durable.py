#!/usr/bin/env python3
"""bench_durable - what it costs that nothing is lost: records/s, and bytes written to disk.

Records of 256 B are made as fast as they are taken, and go into nothing, into the
archive, or wait in the store for a sink that is not there; with the store, without
it, and with `durable = true` at the source. A rate is the difference of a longer run
and a shorter one, so the start costs nothing. Then, in the first round alone, 10
records/s are played for a while with epochs of several lengths, all at the same time.

Bytes are counted where they arrive: each run has a block device of its own (a loop
device with ext4 in a file), for what a system says of a process is not what its file
system writes. Who may not mount gets no bytes, and is told so. The devices live in a
mount namespace of their own and go with it, however this ends.

Prints metric TAB value TAB unit. Not here: what the store does by itself, which its
tests show.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

AFFERENT = os.environ["AFFERENT"]
INSIDE = "AFFERENT_BENCH_INSIDE"
SHORT, LONG = 0.3, 1.2           # seconds of a run at full load
SETTLE, WINDOW = 3.0, 15.3       # of a paced one: three epochs of 5 s, each with its first record
RATE = 10
DEVICE_BYTES = {"full": 6 << 30, "paced": 256 << 20}  # sparse

PIPELINE = """
[pipeline]
name         = "durable"
memory_limit = "64MiB"
commit_every = "{every}"
{store}

[source.made]
{source}
run = {{ {durable}isolation = "thread" }}

[sink.out]
{sink}
from = "made"
run  = {{ isolation = "thread" }}
{edge}
"""

NULL = 'plugin  = "in_null"\nrecords = 0\nsize    = "256B"\nfill    = true'
LINES = 'plugin = "in_file"\npath   = "{lines}"\npace   = "realtime"\nevery  = "100ms"'
NOTHING = 'plugin = "out_null"'
ARCHIVE = 'plugin = "out_lmdb"\npath   = "{disk}/archive.lmdb"\nlimit  = "4GiB"'
AWAY = 'plugin = "out_lmdb"\npath   = "{disk}/nowhere/archive.lmdb"'
SPILL = 'edge = { when_full = "spill" }'
DURABLE = "durable = true, "
NO_STORE = 'store_limit = "0B"'
STORE = 'store_limit = "4GiB"'

# What a case is: sink, store, run of the source, edge of the sink.
FULL = {
    "null_no_store": (NOTHING, NO_STORE, "", ""),
    "null_store": (NOTHING, STORE, "", ""),
    "null_durable": (NOTHING, STORE, DURABLE, ""),
    "archive_no_store": (ARCHIVE, NO_STORE, "", ""),
    "archive_store": (ARCHIVE, STORE, "", ""),
    "archive_durable": (ARCHIVE, STORE, DURABLE, ""),
    "away_spill": (AWAY, STORE, "", SPILL),
}
PACED = {"paced_durable": (NOTHING, STORE, DURABLE, ""), "paced_away": (AWAY, STORE, DURABLE, "")}
EVERY = ("250ms", "1s", "5s")


# ---- devices ----

class Disk:
    """A folder on a device of its own, or, where nobody may mount, just a folder."""

    def __init__(self, folder, name, size, may_mount):
        self.folder = os.path.join(folder, name)
        self.image = self.folder + ".img"
        self.stat = None
        os.mkdir(self.folder)
        if may_mount:
            with open(self.image, "wb") as f:
                f.truncate(size)
            quiet("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image)
            quiet("mount", "-o", "loop,noatime", self.image, self.folder)
            self.stat = f"/sys/dev/block/{device_of(self.folder)}/stat"

    def written(self):
        """Bytes that have arrived; None: not known."""
        if not self.stat:
            return None
        subprocess.run(["sync", "-f", self.folder], check=True)
        with open(self.stat, encoding="ascii") as f:
            return 512 * int(f.read().split()[6])

    def close(self):
        if self.stat:
            quiet("umount", self.folder)
            os.unlink(self.image)
        shutil.rmtree(self.folder, ignore_errors=True)


def quiet(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          check=False)
    if done.returncode != 0:
        sys.exit(f"bench_durable: {words[0]}: {done.stderr.decode().strip()}")


def device_of(folder):
    number = os.stat(folder).st_dev
    return f"{os.major(number)}:{os.minor(number)}"


def may_mount(folder):
    """Tried, since no flag tells: containers say root and refuse."""
    if os.environ.get(INSIDE) != "1" or not shutil.which("mkfs.ext4"):
        return False
    image, place = os.path.join(folder, "try.img"), os.path.join(folder, "try")
    os.mkdir(place)
    with open(image, "wb") as f:
        f.truncate(16 << 20)
    words = (["mkfs.ext4", "-q", "-F", image], ["mount", "-o", "loop", image, place], ["umount", place])
    good = all(subprocess.run(w, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False).returncode == 0 for w in words)
    os.unlink(image)
    os.rmdir(place)
    return good


def namespace_enter():
    """Starts this program again where its mounts are nobody else's, if that is allowed."""
    words = ["unshare", "--mount", "--propagation", "private"]
    if os.environ.get(INSIDE) or not shutil.which("unshare"):
        return
    allowed = subprocess.run([*words, "true"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             check=False).returncode == 0
    os.environ[INSIDE] = "1" if allowed else "0"
    if allowed:
        os.execvp(words[0], [*words, sys.executable, os.path.abspath(__file__)])


# ---- runs ----

def start(disk, case, source, every):
    """Starts a pipeline whose state lies on the disk."""
    sink, store, durable, edge = case
    path, state = os.path.join(disk.folder, "p.toml"), os.path.join(disk.folder, "state")
    os.mkdir(state, 0o700)
    with open(path, "w", encoding="ascii") as f:
        f.write(PIPELINE.format(every=every, store=store, source=source, durable=durable,
                                sink=sink.format(disk=disk.folder), edge=edge))
    with open(os.path.join(disk.folder, "log"), "w", encoding="utf-8") as log:
        return subprocess.Popen([AFFERENT, "run", path, "--quiet", "--json"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=log,
                                env={**os.environ, "STATE_DIRECTORY": state, "RUNTIME_DIRECTORY": state})


def await_source(child):
    """Returns when the source has its thread: what is killed before that may not know how to end."""
    until = time.monotonic() + 20
    while child.poll() is None and time.monotonic() < until:
        for task in os.scandir(f"/proc/{child.pid}/task"):
            try:
                with open(f"{task.path}/comm", encoding="utf-8") as f:
                    if f.read().strip() == "made":
                        return
            except OSError:
                pass  # it has ended meanwhile
        time.sleep(0.002)


def stop(disk, child):
    """Ends it in order. Returns how many records its source made."""
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    out, _ = child.communicate(timeout=60)
    if child.returncode != 0:
        with open(os.path.join(disk.folder, "log"), encoding="utf-8") as log:
            sys.exit(f"bench_durable: exit {child.returncode}\n{log.read()}")
    ledger = json.loads(out)
    return next(n["made"] for n in ledger["nodes"] if n["node"] == "made")


def clear(children, disks):
    for child in children:
        if child.poll() is None:
            child.kill()
            child.wait()
    for disk in disks:
        disk.close()


def full_once(folder, case, mounts, seconds):
    """Returns records made, and bytes written."""
    disk, children = Disk(folder, "full", DEVICE_BYTES["full"], mounts), []
    try:
        before = disk.written()
        children.append(start(disk, case, NULL, "250ms"))
        await_source(children[0])
        time.sleep(seconds)
        made, after = stop(disk, children[0]), disk.written()
        return made, after - before if mounts else None
    finally:
        clear(children, [disk])


def full(folder, name, case, mounts):
    few, wrote_few = full_once(folder, case, mounts, SHORT)
    many, wrote_many = full_once(folder, case, mounts, LONG)
    made = max(many - few, 1)
    print(f"{name}\t{made / (LONG - SHORT):.0f}\trecords/s", flush=True)
    if mounts:
        print(f"{name}_written\t{(wrote_many - wrote_few) / made:.3f}\tB/record", flush=True)


def paced(folder):
    """All at once: each has its device, and they need next to no processor."""
    lines = os.path.join(folder, "lines.txt")
    with open(lines, "w", encoding="ascii") as f:
        f.writelines(f"{i:0255d}\n" for i in range(int(RATE * (SETTLE + WINDOW) * 2)))
    cases = [(f"{name}_{every}", case, every) for name, case in PACED.items() for every in EVERY]
    disks = [Disk(folder, name, DEVICE_BYTES["paced"], True) for name, _, _ in cases]
    children = []
    try:
        for disk, (_, case, every) in zip(disks, cases):
            children.append(start(disk, case, LINES.format(lines=lines), every))
        for child in children:
            await_source(child)
        time.sleep(SETTLE)
        before = [d.written() for d in disks]
        time.sleep(WINDOW)
        after = [d.written() for d in disks]
        for (name, _, _), a, b in zip(cases, after, before):
            print(f"{name}_written\t{(a - b) / (RATE * WINDOW):.0f}\tB/record", flush=True)
        for disk, child in zip(disks, children):
            stop(disk, child)
    finally:
        clear(children, disks)


def main():
    namespace_enter()
    folder = tempfile.mkdtemp(prefix="afferent-bench-")
    try:
        mounts = may_mount(folder)
        if not mounts:
            print("skipped bytes written per record: no block device of its own (needs root, unshare, mkfs.ext4 "
                  "and a loop device)", file=sys.stderr)
        for name, case in FULL.items():
            full(folder, name, case, mounts)
        if mounts and os.environ.get("ROUND", "1") == "1":
            paced(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
