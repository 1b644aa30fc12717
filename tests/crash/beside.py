"""beside.py - the family of plugins that mean harm, each in a process beside a healthy way.

A case is beside.toml, a healthy way that is fed by the clock, and a second way with
one plugin that does one deed of tests/cell/hostile.h, again and again:
    store   in the same pipeline, behind a source of its own with the store behind it
    fan     in the same pipeline, behind a queue of the healthy way's records
    apart   in a pipeline of its own, run by another host on the same machine
    alone   no second way: what the healthy one needs, and how fast it is then
The judge says that the healthy way lost nothing and that all of it was out within a
second of when it was due (not of when it was read: a source that is kept waiting is
late as well). Beside that: what was due was read; no forged record came out; memory
and processes of the host are bounded, it ends in time when asked, its ledger
balances or says what is unsafe, and nothing that it started is left.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time

from bench import Broken, Case, PROGRAM, SOURCE, in_parallel

RATE = 1000
MOST_AT_A_TIME = 4
WITHIN_MS = 1000
# A run that is asked to end gives what does not go on ten seconds, and a wait and a call that are under way.
LIMITS = {"seconds to end": 30, "seconds to end at once": 12, "MiB of the host": 128, "children": 2, "share of a core": 0.5}
ASK_AGAIN_S, PATIENT_EACH, LAST_S, PATIENCE_S = 3, 8, 2, 60
HALVES = {"crash_hostile": 1, "crash_hostile_timer": 2, "crash_hostile_sink": 3, "crash_hostile_source": 4}

# What the log says of a child that did it.
DIES, HANGS, BREAKS = r"its process ended", r"no answer in time", r"it broke the rules"
SURE = {"abort": "SIGABRT", "segfault": "SIGSEGV", "stack": "SIGSEGV", "exit": "exit status 0", "leak": "SIGABRT",
        "loop": HANGS, "blocked": HANGS, "threads": BREAKS, "threads_later": BREAKS, "done_die": DIES,
        **dict.fromkeys(("length", "length_used", "offset", "offset_text", "verdict", "port", "input", "stream", "subject",
                         "time", "schema", "number", "ask", "kind", "release", "status"), BREAKS)}
DEEDS = ("abort", "segfault", "stack", "exit", "loop", "blocked", "leak", "thousand", "threads", "threads_later", "spin",
         "fds", "forks", "scribble", "scribble_long", "flip", "length", "length_used", "offset", "offset_text", "verdict",
         "port", "input", "stream", "subject", "time", "schema", "number", "ask", "kind", "release", "status", "state",
         "truncate", "kill", "ptrace", "exec", "socket", "write_file", "memory", "log", "done_die")
# What a child tries and must not be able to: it aborts where it was.
BARRED = ("forks", "kill", "ptrace", "exec", "socket", "write_file", "memory")
EACH = {"leak": 1, "log": 500}  # records to one with the deed
WHENS = (*(("crash_hostile", when) for when in ("open", "start", "wake", "mark", "drain", "snapshot", "restore", "stop",
                                                "close")),
         ("crash_hostile_timer", "timer"), ("crash_hostile_sink", "record"), ("crash_hostile_sink", "sync"),
         ("crash_hostile_source", "read"), ("crash_hostile_source", "committed"))
# "block": a source of its own and no queue between; the other ways have one, or a host of their own.
WAYS = ("store", "fan", "apart", "block")
AT_THE_END, AT_A_START, AT_END_OF_DATA = ("stop", "close"), ("open", "start", "restore"), ("mark", "drain")
# (plugin, deed, when): each deed at records, an endless loop in each callback.
CASES = (("", "nothing", "record"), *(("crash_hostile", deed, "record") for deed in DEEDS),
         *((plugin, "loop", when) for plugin, when in WHENS),
         ("crash_hostile_sink", "abort", "record"), ("crash_hostile_source", "abort", "read"))
QUICK = ("nothing", "abort", "loop", "thousand", "scribble_long", "length", "spin", "threads")

SOURCE_HALF = """
[source.other]
plugin  = "crash_live"
records = {records}
seed    = 7
rate    = {rate}
pause   = "2ms"
made    = "{far}/made.other"
answers = "{far}/answers.other"
run     = {{ isolation = "thread", durable = {durable} }}
"""
NODE_HALF = """
[{kind}.hostile]
plugin = "{plugin}"
deed   = "{deed}"
when   = "{when}"
every  = {every}
armed  = "{armed}"
run    = {{ isolation = "{isolation}" }}
{joined}
"""
SINK_HALF = """
[sink.other_out]
plugin = "crash_sink"
from   = "hostile"
log    = "{far}/other.log"
run    = {{ isolation = "thread" }}
"""
OTHER_HEAD = """
[pipeline]
name = "other"
memory_limit = "128MiB"
store_limit  = "64MiB"
"""


class Watch:
    """What a host and its children need, looked at while it runs."""

    def __init__(self, process):
        self.process, self.children, self.threads, self.seen, self.cpu = process, 0, 0, {}, 0.0
        self.memory_kib = 0

    def look(self):
        self.cpu = self.seconds(self.process.pid) or self.cpu
        self.memory_kib = max(self.memory_kib, self.peak())
        found = cells(self.process.pid)
        self.seen.update(found)
        self.children = max(self.children, len(found))
        for pid in found:
            self.threads = max(self.threads, int((stat(pid) or ["0"] * 20)[17]))
        return list(found)

    @staticmethod
    def seconds(pid):
        fields = stat(pid)
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0

    def peak(self):
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
                return int(next((line.split()[1] for line in f if line.startswith("VmHWM")), 0))
        except OSError:
            return 0

    def left(self):
        """Those that are still there, as they were. The kernel ends them with their host: a moment later."""
        until = time.monotonic() + LAST_S
        while True:
            found = [pid for pid, began in self.seen.items() if (stat(pid) or [""] * 20)[19] == began]
            if not found or time.monotonic() > until:
                return found
            time.sleep(0.05)


def stat(pid):
    """Fields of /proc/PID/stat from the third on; None: it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rpartition(")")[2].split()
    except OSError:
        return None


def cells(host):
    """Plugins' processes of a host, and when each began; those that are being reaped as well."""
    found = {}
    for task in names(f"/proc/{host}/task"):
        try:
            with open(f"/proc/{host}/task/{task}/children", encoding="ascii") as f:
                pids = f.read().split()
        except OSError:
            continue
        for pid in pids:
            fields = stat(pid)
            if fields:
                found[int(pid)] = fields[19]
    return found


def names(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []


class Beside(Case):
    """One healthy way and one other, and one run of both."""

    def __init__(self, tools, folder, number, what, way, isolation="process"):
        self.plugin, self.deed, self.when = what
        self.way, self.is_patient = way, number % PATIENT_EACH == 3
        super().__init__(tools, folder, "beside", number, CRASH_RATE=RATE, CRASH_DURABLE="true" if number % 4 == 1 else "false",
                         CRASH_EDGE="spill" if number % 4 == 1 else "block")
        self.armed = os.path.join(folder, "armed")
        if way == "alone":
            return
        self.other = os.path.join(folder, "other.toml") if way == "apart" else self.toml
        with open(self.other, "a", encoding="utf-8") as f:
            f.write(self.half(isolation))

    def half(self, isolation):
        kind = {"crash_hostile_sink": "sink", "crash_hostile_source": "source"}.get(self.plugin, "processor")
        joined = {"fan": 'from = "sum"\nedge = { when_full = "spill", buffer = "256KiB" }'}.get(self.way, 'from = "other"')
        parts = [OTHER_HEAD if self.way == "apart" else "", SOURCE_HALF if self.way != "fan" and kind != "source" else "", NODE_HALF,
                 SINK_HALF if kind != "sink" else ""]
        return "".join(parts).format(
            far=self.far, rate=RATE, durable="true" if self.way == "store" else "false", kind=kind, plugin=self.plugin,
            deed=self.deed, when="record" if self.when == "read" and kind != "source" else self.when, armed=self.armed,
            every=EACH.get(self.deed, 25), isolation=isolation, joined="" if kind == "source" else joined,
            records=1500 if self.when in AT_END_OF_DATA else 1000000)

    # ---- the run ----

    def start_all(self):
        """The hosts, each with a watch; that of the healthy way first."""
        watches = [Watch(self.start())]
        if self.way == "apart":
            with open(os.path.join(self.folder, "other.err"), "wb") as log:
                watches.append(Watch(subprocess.Popen([PROGRAM, "run", self.other], env=self.env(), cwd=self.folder,
                                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)))
        return watches

    def pass_time(self, watches, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for watch in watches:
                found = watch.look()
                if watch.process.poll() is not None:
                    raise Broken(f"its host ended with {watch.process.returncode}: {self.where()}\n{self.said()[-600:]}")
            time.sleep(0.05)
        return found

    def said(self):
        text = ""
        for name in (os.path.basename(self.log_path()), "other.err"):
            path = os.path.join(self.folder, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    text += f.read()
        return text

    def wait_for(self, watches, there):
        """A busy machine may take long to start a program."""
        for _ in range(PATIENCE_S * 10):
            if there():
                return
            self.pass_time(watches, 0.1)

    def is_done(self):
        return self.deed == "nothing" or f"crash_hostile does {self.deed} in {self.when}" in self.said()

    def act(self, watches):
        """Lets it do its deed, for long enough that it is found, and done again."""
        self.wait_for(watches, lambda: self.lines("made"))
        self.pass_time(watches, 0.8)
        found = self.pass_time(watches, 0.2)
        open(self.armed, "wb").close()
        if self.when in AT_A_START:
            for pid in found:
                with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                    os.kill(pid, signal.SIGKILL)
        if self.when in AT_THE_END:
            return
        self.wait_for(watches, self.is_done)
        self.pass_time(watches, 6.5 if SURE.get(self.deed) == HANGS else 2)

    def run_all(self):
        watches = self.start_all()
        try:
            self.act(watches)
            asked = time.monotonic()
            for watch in watches:
                watch.process.terminate()
            self.end_all(watches, asked)
        finally:
            for watch in watches:
                if watch.process.poll() is None:
                    watch.process.kill()
                    watch.process.wait()
        return watches, asked

    def end_all(self, watches, asked):
        """By itself, or with a second request, which ends it at once."""
        limit = LIMITS["seconds to end" if self.is_patient else "seconds to end at once"]
        again = not self.is_patient
        while any(watch.process.poll() is None for watch in watches):
            for watch in watches:
                watch.look()
            if again and time.monotonic() > asked + ASK_AGAIN_S:
                again = False
                for watch in watches:
                    watch.process.terminate()
            if time.monotonic() > asked + limit:
                raise Broken(f"does not end within {limit} s: {self.where()}\n{self.said()[-600:]}")
            time.sleep(0.02)
        self.took = time.monotonic() - asked

    # ---- the verdict ----

    def judge_arguments(self, whole):
        far = lambda name: os.path.join(self.far, name)  # noqa: E731
        healthy = ["--made", far("made"), "--all", "--within", str(WITHIN_MS), "--out", far("now.log"), "--out", far("later.log")]
        made = "made" if self.way == "fan" else "made.other"
        if self.plugin == "crash_hostile_source" or not os.path.exists(far(made)):
            return healthy
        return [*healthy, "--within", "0", "--made", far(made), "--out", far("other.log")]

    def check_fed(self, asked):
        """What was due a second before the end was read."""
        lines = self.lines("made")
        due = int((asked - lines[0][5] / 1e9 - WITHIN_MS / 1000) * RATE) if lines else RATE
        if len(lines) < due:
            raise Broken(f"{len(lines)} records were read of {due} that were due: {self.where()}\n{self.said()[-600:]}")

    def check_deed(self):
        said = self.said()
        if not self.is_done():
            raise Broken(f"the deed was not done: {self.where()}\n{said[-600:]}")
        if self.deed in SURE and not re.search(SURE[self.deed], said):
            raise Broken(f"nobody noticed ({SURE[self.deed]}): {self.where()}\n{said[-600:]}")
        if self.deed in BARRED and "SIGABRT" in said:
            raise Broken(f"it was possible: {self.where()}\n{said[-600:]}")

    def check_hosts(self, watches):
        for watch in watches:
            code = watch.process.returncode
            if code not in (0, 1) or (code == 1 and not re.search("(not take|no answer for) what is under way|ending at once", self.said())):
                raise Broken(f"ended with {code}: {self.where()}\n{self.said()[-600:]}")
            if watch.memory_kib > LIMITS["MiB of the host"] * 1024 or watch.children > LIMITS["children"]:
                raise Broken(f"its host had {watch.memory_kib} KiB and {watch.children} children: {self.where()}")
            if watch.left():
                raise Broken(f"processes are left: {watch.left()}: {self.where()}")

    def check_ledger(self, toml):
        done = subprocess.run([PROGRAM, "ledger", toml], env=self.env(), cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=30, check=False)
        last = done.stdout.strip().rpartition("\n")[2]
        if not last.startswith("balanced" if done.returncode == 0 else "UNSAFE") or done.returncode > 1:
            raise Broken(f"ledger ended with {done.returncode}: {self.where()}\n{done.stdout[-600:]}{done.stderr[-200:]}")

    def check(self, watches, asked):
        self.check_fed(asked)
        self.check_deed()
        self.check_hosts(watches)
        self.check_ledger(self.toml)
        if self.way == "apart":
            self.check_ledger(self.other)
        return self.judge()

    def judge(self, whole=True):
        counts, said = self.counts(whole)
        if counts["late"]:
            raise Broken(f"{counts['late']} late, the slowest {counts['slowest_us']} us: {said.strip()}: {self.where()}", counts)
        return super().judge(whole)

    def where(self):
        return f"{self.plugin} {self.deed} in {self.when}, {self.way}, {super().where()}"


class Record:
    """The worst of all cases."""

    def __init__(self):
        self.lock, self.worst, self.places = threading.Lock(), {}, {}

    def note(self, case, watches, counts):
        values = {"latency in ms": counts["slowest_us"] / 1000, "99 % of a case within ms": counts["p99_us"] / 1000,
                  "MiB of a host": max(w.memory_kib for w in watches) / 1024, "children at a time": max(w.children for w in watches),
                  "threads of a child": max(w.threads for w in watches),
                  "seconds to end" if case.is_patient else "seconds to end at once": case.took}
        with self.lock:
            for word, value in values.items():
                if value >= self.worst.get(word, -1):
                    self.worst[word], self.places[word] = value, f"{case.deed} in {case.when}, {case.way}"

    def text(self):
        return [f"{word}: at most {value:.0f} ({self.places[word]})" for word, value in self.worst.items()]


def way_of(number, what):
    if what[1] == "nothing":
        return "alone"
    ways = WAYS
    if what[0] == "crash_hostile_source":
        ways = [w for w in WAYS if w in ("apart", "block")]
    if what[2] in AT_END_OF_DATA:  # the data must end there, and go on in the healthy way
        ways = [w for w in WAYS if w != "fan"]
    return ways[number % len(ways)]


def check_share(case, watch, seconds):
    """The healthy way alone: the load that is promised to be small enough."""
    share = watch.cpu / seconds
    if share > LIMITS["share of a core"]:
        raise Broken(f"the healthy way needs {share:.0%} of a core; that is no fair test: {case.where()}")
    return f"the healthy way alone: {share:.0%} of a core at {RATE} records/s"


def one_case(family, tools, folder, number, what, record):
    case = Beside(tools, os.path.join(folder, f"beside{number}"), number, what, way_of(number, what))
    try:
        began = time.monotonic()
        watches, asked = case.run_all()
        counts = case.check(watches, asked)
        if case.way == "alone":
            family.notes.append(check_share(case, watches[0], asked - began))
        record.note(case, watches, counts)
        family.add(counts)
        family.land(case.way)
        case.close()
    except Broken as e:
        family.fail(*e.args)


# ---- what must be found ----


def freeze(case, watches):
    """A host that stands still for longer than a record may take."""
    case.pass_time(watches, 1)
    watches[0].process.send_signal(signal.SIGSTOP)
    time.sleep(1.4)
    watches[0].process.send_signal(signal.SIGCONT)
    open(case.armed, "wb").close()
    case.pass_time(watches, 1)


def planted(family, tools, folder):
    """Faults that this family must find; each breaks another rule."""
    rows = (("a plugin that crashes in a thread", ("crash_hostile", "segfault", "record"), "thread", None, "host ended with -11"),
            ("a host that stood still", ("", "nothing", "record"), "process", freeze, "late"))
    for number, (name, what, isolation, act, wanted) in enumerate(rows):
        way = "store" if what[0] else "alone"
        case = Beside(tools, os.path.join(folder, f"planted{number}"), 2, what, way, isolation)
        if act:
            case.act = lambda watches, c=case, do=act: do(c, watches)
        try:
            case.check(*case.run_all())
            found = "nothing"
        except Broken as e:
            found = str(e.args[0])
        if wanted not in found:
            family.fail(f"planted: {name}: {wanted} was to be found, and there was: {found}")
        else:
            family.at_call(f"found {name}")
        shutil.rmtree(case.folder, ignore_errors=True)


def build(tools):
    flags = ["-shared", "-fPIC", "-pthread", "-I" + os.path.join(SOURCE, "sdk/include"), "-I" + os.path.join(SOURCE, "runtime")]
    for name, half in HALVES.items():
        tools.build(f"plugins/{name}.so", ["plugins/crash_hostile.c", "../cell/hostile.c"], [*flags, f"-DHOSTILE_PLUGIN={half}"])


def beside(family, tools, folder, workers):
    """All healthy ways at a time need less than the half of a core that one is promised."""
    build(tools)
    record = Record()
    cases = [c for c in CASES if family.wanted >= len(CASES) or (c[1] in QUICK and c[2] == "record" and "sink" not in c[0])]
    cases = (cases * (family.wanted // len(cases) + 1))[:family.wanted]
    if not os.path.exists("/proc/sys/kernel/seccomp"):
        cases = [c for c in cases if c[1] not in BARRED]
        family.notes.append(f"this kernel has no seccomp: without {', '.join(BARRED)}")
        family.wanted = len(cases)
    planted(family, tools, folder)
    in_parallel(family, min(workers, MOST_AT_A_TIME), lambda item: one_case(family, tools, folder, *item, record),
                list(enumerate(cases)))
    family.notes += record.text()
