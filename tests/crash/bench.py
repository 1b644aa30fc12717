"""bench.py - what the crash tests share: the tools, a case in its folder, the judge.

A case is one pipeline with its own state, archive and far ends, run as often as a
test wants, with or without a fault, and judged at the end. Nothing here trusts what
the program says about itself: the judge looks at the far ends only.
"""

import os
import random
import re
import select
import shutil
import signal
import struct
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("AFFERENT_SRCDIR", os.path.join(HERE, "../.."))
BUILD = os.environ.get("AFFERENT_BUILDDIR", os.path.join(SOURCE, "build"))
PROGRAM = os.environ.get("AFFERENT", os.path.join(BUILD, "runtime/afferent"))
PLUGINS = os.environ.get("AFFERENT_PLUGIN_PATH", os.path.join(BUILD, "plugins/.libs"))
LIMIT_S = 60
CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGSYS}

CFLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", "-fvisibility=hidden"]
LIBRARIES = {"fault.so": ["fault.c", "fault_calls.c", "fault_trace.c"], "oom.so": ["oom.c"], "clock.so": ["clock.c"]}
PLUGIN_NAMES = ["crash_source", "crash_live", "crash_answering", "crash_hold", "crash_running", "crash_sink", "crash_acks"]

CALLS = ["none", "write", "sync", "rename", "truncate", "create", "unlink"]
FILES = ["other", "store data", "store beside", "archive", "answer", "far"]
PHASES = ["elsewhere", "commit", "answer"]

LINE = struct.Struct("<IIQQQQqIIII")
OUT, REFUSED, REQUEST, ANSWERED, STAMP = 4, 5, 8, 3, 9


class Broken(Exception):
    """A rule was broken; the text says which, and where to look."""


class Tools:
    """The judge, the fault libraries and the test plugins, built outside the tree."""

    def __init__(self, folder):
        self.folder = folder
        self.compiler = os.environ.get("CC", "cc").split()
        self.plugins = os.path.join(folder, "plugins")
        os.makedirs(self.plugins, exist_ok=True)
        self.judge = self.build("judge", ["judge.c"], [])
        for name, files in LIBRARIES.items():
            self.build(name, files, ["-shared", "-fPIC", "-pthread"])
        for name in PLUGIN_NAMES:
            self.build(f"plugins/{name}.so", [f"plugins/{name}.c"],
                        ["-shared", "-fPIC", "-pthread", "-I" + os.path.join(SOURCE, "sdk/include")])

    def build(self, name, files, flags):
        path = os.path.join(self.folder, name)
        subprocess.run([*self.compiler, *CFLAGS, *flags, *[os.path.join(HERE, f) for f in files], "-o", path], check=True)
        return path

    def preload(self, name):
        return os.path.join(self.folder, name)


def library_limits():
    """A child dumps no core; a hang of the machine is not what is tested."""
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def wait_for(process, limit):
    """True once it has ended. Popen.wait looks every 50 ms; a test of 60 ms cannot wait for that."""
    if process.poll() is not None:
        return True
    fd = os.pidfd_open(process.pid)
    try:
        return bool(select.select([fd], [], [], limit)[0])
    finally:
        os.close(fd)


class Side:
    """What the fault library wrote into its side file."""

    LAYOUT = struct.Struct("<QQQQIIIIII")

    def __init__(self, path):
        try:
            with open(path, "rb") as f:
                fields = self.LAYOUT.unpack(f.read(self.LAYOUT.size))
        except (OSError, struct.error):
            fields = (0,) * 10
        (self.calls, self.commits, self.answers, self.failed, self.phase, self.hit, self.call, self.file, self.at_phase,
         self.mode) = fields

    def place(self):
        """Where the fault was, in words: phase, call and file."""
        return PHASES[self.at_phase], f"{CALLS[self.call]} {FILES[self.file]}"


class Ended:
    """How a run ended."""

    def __init__(self, code, said, side, seconds):
        self.code, self.said, self.side, self.seconds = code, said, side, seconds

    @property
    def signal(self):
        return -self.code if self.code < 0 else 0


class Case:
    """One pipeline with all that it keeps and all that came out of it."""

    def __init__(self, tools, folder, pipeline, seed, **settings):
        self.tools, self.folder, self.pipeline, self.seed = tools, folder, pipeline, seed
        shutil.rmtree(folder, ignore_errors=True)
        self.watch, self.far = os.path.join(folder, "watch"), os.path.join(folder, "far")
        os.makedirs(os.path.join(self.watch, "state"))
        os.makedirs(self.far)
        self.settings = {"CRASH_SEED": str(seed), **{k: str(v) for k, v in settings.items()}}
        self.toml = self.expand(os.path.join(HERE, pipeline + ".toml"))
        self.runs = 0
        self.pids = []
        self.chance = random.Random(seed)

    def expand(self, template, name="pipeline.toml"):
        """The pipeline with its ${env:CRASH_...} filled in here: numbers stand bare."""
        values = {"CRASH_FAR": self.far, "CRASH_WATCH": self.watch, **self.settings}

        def whole(match):
            text = values.get(match[1], match[2] if match[2] is not None else "")
            return text if re.fullmatch(r"\d+|true|false", text) else f'"{text}"'

        with open(template, encoding="utf-8") as f:
            text = f.read()
        text = re.sub(r'"\$\{env:(CRASH_\w+)(?::-([^}]*))?\}"', whole, text)
        text = re.sub(r"\$\{env:(CRASH_\w+)\}", lambda m: values[m[1]], text)
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def env(self, fault=None, libraries=(), more=None):
        env = dict(os.environ, STATE_DIRECTORY=os.path.join(self.watch, "state"),
                   RUNTIME_DIRECTORY=os.path.join(self.folder, "run"), TZ="UTC", HOME=self.folder,
                   AFFERENT_PLUGIN_PATH=PLUGINS + ":" + self.tools.plugins)
        os.makedirs(env["RUNTIME_DIRECTORY"], mode=0o700, exist_ok=True)
        preload = list(libraries)
        if fault is not None:
            preload.append("fault.so")
            env.update(CRASH_FAULT_WATCH=self.watch, CRASH_FAULT_FAR=self.far, CRASH_FAULT_SIDE=self.side_path())
            env.update({"CRASH_FAULT_" + k.upper(): str(v) for k, v in fault.items()})
        if preload:
            env["LD_PRELOAD"] = " ".join(self.tools.preload(p) for p in preload)
        env.update(more or {})
        return env

    def side_path(self):
        return os.path.join(self.folder, "side")

    def log_path(self):
        return os.path.join(self.folder, f"run{self.runs}.log")

    def start(self, fault=None, libraries=(), more=None, args=()):
        """Starts a run; its stderr goes to a file of its own."""
        self.runs += 1
        if self.pipeline == "answering":
            import peer
            peer.ask(self)
        if os.path.exists(self.side_path()):
            os.unlink(self.side_path())
        with open(self.log_path(), "wb") as log:
            process = subprocess.Popen([PROGRAM, "run", self.toml, *args], env=self.env(fault, libraries, more),
                                       cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        self.pids.append(process.pid)
        process.began = time.monotonic()
        return process

    def finish(self, process, limit=LIMIT_S):
        """Waits for a run to end. Never longer than the limit: that is a hang."""
        if not wait_for(process, limit):
            process.kill()
            process.wait()
            raise Broken(f"did not end within {limit} s: {self.where()}")
        code = process.wait()
        with open(self.log_path(), "rb") as f:
            said = f.read().decode("utf-8", "replace")
        ended = Ended(code, said, Side(self.side_path()), time.monotonic() - process.began)
        if ended.signal in CRASHES:
            raise Broken(f"died of {signal.Signals(ended.signal).name}: {self.where()}")
        return ended

    def run(self, fault=None, libraries=(), more=None, args=(), limit=LIMIT_S):
        return self.finish(self.start(fault, libraries, more, args), limit)

    def run_to_end(self, limit=LIMIT_S):
        """The run that ends by itself: with exit 0, or the case is broken."""
        ended = self.run(limit=limit)
        if ended.code:
            raise Broken(f"the last run ended with {ended.code}: {self.where()}\n{ended.said[-600:]}")
        return ended

    def where(self):
        return f"{self.pipeline}, seed {self.seed}, run {self.runs}, {self.folder}"

    # ---- what the far ends say ----

    def lines(self, name):
        path = os.path.join(self.far, name)
        if not os.path.exists(path):
            return []
        with open(path, "rb") as f:
            data = f.read()
        return [LINE.unpack_from(data, at) for at in range(0, len(data) - LINE.size + 1, LINE.size)]

    def query(self):
        """The archive as JSON lines, in a file."""
        path = os.path.join(self.folder, "archive.jsonl")
        with open(path, "wb") as out:
            done = subprocess.run([PROGRAM, "query", self.toml, "--format", "json"], env=self.env(), cwd=self.folder,
                                  stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
        if done.returncode:
            raise Broken(f"query ended with {done.returncode}: {self.where()}\n{done.stderr.decode()[-400:]}")
        return path

    def letters(self, sink):
        """For the judge: the keys of the dead letters, each by the id that the sink refused."""
        done = subprocess.run([PROGRAM, "dlq", "ls", self.toml, "--json"], env=self.env(), cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, check=False)
        if b"there is no verb" in done.stderr:
            return []
        keys = {f"{line[4]:016x}-{line[5]:x}": line[2] for line in self.lines(sink) if line[1] == REFUSED}
        if done.returncode > 1:
            raise Broken(f"dlq ls ended with {done.returncode}: {self.where()}\n{done.stderr.decode()[-400:]}")
        ids = re.findall(r"\b[0-9a-f]{16}-[0-9a-f]+\b", done.stdout.decode())
        path = os.path.join(self.folder, "letters")
        with open(path, "w", encoding="ascii") as f:
            f.writelines(f"{keys.get(i, 99999999)}\n" for i in ids)
        return ["--letters", path]

    def judge_arguments(self, whole):
        far = lambda name: os.path.join(self.far, name)  # noqa: E731
        last = ["--whole-run", str(self.pids[-1])] if whole else []
        if self.pipeline == "fan":
            return ["--made", far("made"), "--all", "--out", far("block.log"), "--refuse", "23", "--out", far("spill.log"),
                    *self.letters("spill.log"), "--refuse", "0",
                    "--made", far("running"), "--all", "--out", far("sums.log"), "--archive", self.query()]
        if self.pipeline == "line":
            return ["--made", far("made"), "--all", "--out", far("spill.log"), "--archive", self.query()]
        if self.pipeline == "acks":
            return ["--made", far("made"), "--all", "--out", far("block.log"), "--refuse", "23", "--out", far("spill.log"),
                    *self.letters("spill.log")]
        return ["--made", far("made"), "--told", far("answers.log"), *last, "--out", far("block.log"),
                "--out", far("spill.log")]

    def judge(self, whole=True):
        """Counts, by the judge; broken where it found anything."""
        counts, said = self.counts(whole)
        if any(counts[k] for k in ("lost", "invented", "altered", "unmarked", "other_id", "archive_not_once")):
            raise Broken(f"{said.strip()}: {self.where()}", counts)
        return counts

    def counts(self, whole=True):
        done = subprocess.run([self.tools.judge, *self.judge_arguments(whole)], capture_output=True, text=True,
                              timeout=LIMIT_S, check=False)
        if done.returncode > 1 or done.returncode < 0:
            raise Broken(f"the judge cannot judge: {done.stderr}: {self.where()}")
        return {k: int(v) for k, v in (part.split("=") for part in done.stdout.split())}, done.stderr + done.stdout

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Family:
    """One row of the table: what was done, where it landed, what the judge found."""

    WORDS = ("lost", "invented", "altered", "unmarked")

    def __init__(self, name, wanted):
        self.name, self.wanted, self.done = name, wanted, 0
        self.landed = {}
        self.calls = {}
        self.found = dict.fromkeys((*self.WORDS, "other_id", "archive_not_once", "delivered", "resent", "letters"), 0)
        self.broken = []
        self.skipped = None
        self.notes = []
        self.began = time.monotonic()
        self.lock = threading.Lock()

    def land(self, place, count=1):
        with self.lock:
            self.landed[place] = self.landed.get(place, 0) + count
            self.done += count

    def at_call(self, call):
        with self.lock:
            self.calls[call] = self.calls.get(call, 0) + 1

    def add(self, counts):
        with self.lock:
            for k in self.found:
                self.found[k] += counts.get(k, 0)

    def fail(self, text, counts=None):
        with self.lock:
            self.broken.append(text)
        if counts:
            self.add(counts)

    def close(self):
        self.seconds = time.monotonic() - self.began

    @property
    def good(self):
        return not self.broken and (self.skipped or self.done >= self.wanted)


ENOUGH = 20  # broken cases of a family; more teach nothing, and a hang costs a minute each


def in_parallel(family, workers, work, items):
    """Calls work(item) for each item on so many threads; the first error of ours ends it."""
    items = list(items)
    lock = threading.Lock()
    errors = []

    def loop():
        while True:
            with lock:
                if not items or errors or len(family.broken) >= ENOUGH:
                    return
                item = items.pop(0)
            try:
                work(item)
            except Exception as e:  # a mistake of the test itself
                errors.append(e)

    threads = [threading.Thread(target=loop) for _ in range(workers)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]
