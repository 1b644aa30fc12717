"""world.py - families of the world around: clocks that jump, reloads, no memory, bad files.
"""

import os
import random
import re
import shutil
import signal
import struct
import subprocess
import time

import peers
from bench import Broken, Case, CRASHES, LIMIT_S, PLUGINS, PROGRAM, SOURCE, in_parallel, wait_for

YEARS = 10 * 365 * 86400 * 10**9

# ---- clocks ----


def clocks(family, tools, folder, workers):
    jumps = 10

    def one(number):
        chance = random.Random(number)
        case = Case(tools, os.path.join(folder, f"clock{number}"), ("line", "fan", "live")[number % 3], number,
                    CRASH_RECORDS=500, CRASH_PAUSE="5ms")
        path = os.path.join(case.folder, "clock")
        jump = lambda ns: open(path, "r+b").write(struct.pack("<q", ns))  # noqa: E731
        with open(path, "wb") as f:
            f.write(bytes(8))
        try:
            process = case.start(libraries=("clock.so",), more={"CRASH_CLOCK": path})
            for _ in range(jumps):
                time.sleep(0.02 + chance.random() * 0.04)
                jump(chance.choice((-1, 1)) * chance.randint(1, YEARS))
                family.land("under load" if process.poll() is None else "behind the end")
            ended = case.finish(process)
            if ended.code:
                raise Broken(f"clock: ended with {ended.code}: {case.where()}\n{ended.said[-600:]}")
            family.add(case.judge())
            case.close()
        except Broken as e:
            family.fail(*e.args)

    in_parallel(family, workers, one, range((family.wanted + jumps - 1) // jumps))


# ---- reload ----

BROKEN_WAYS = ("syntax", "unknown plugin", "does not open")


def changed(case, chance):
    """Writes another form of the pipeline; says which. A third are broken."""
    with open(case.toml + ".first", encoding="utf-8") as f:
        text = f.read()
    way = chance.choice(("slow", "fail", "added", "removed", "same", "same", *BROKEN_WAYS))
    if way == "slow":
        text = re.sub(r'slow *= *"[^"]*"', f'slow = "{chance.randint(0, 3)}ms"', text)
    elif way == "fail":
        text = text.replace("fail_every = 7", f"fail_every = {chance.randint(3, 6)}")
    elif way == "added":
        text += '\n[sink.more]\nplugin = "out_null"\nfrom = "in"\n'
    elif way == "syntax":
        text += "\n[sink.more\n"
    elif way == "unknown plugin":
        text += '\n[sink.more]\nplugin = "out_nowhere"\nfrom = "in"\n'
    elif way == "does not open":
        text += '\n[sink.more]\nplugin = "crash_sink"\nfrom = "in"\nlog = "/nowhere/at/all"\nrun = { isolation = "thread" }\n'
    with open(case.toml + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.rename(case.toml + ".new", case.toml)
    return way


def ask_reload(case, process, chance):
    """By the verb or by SIGHUP. The verb's exit code and words; None: SIGHUP has none."""
    if chance and chance.random() < 0.3:
        process.send_signal(signal.SIGHUP)
        time.sleep(0.05)
        return None, ""
    try:
        done = subprocess.run([PROGRAM, "reload", case.toml], env=case.env(), cwd=case.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=30, check=False)
        return done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        raise Broken(f"reload hangs: {case.where()}") from None


def reload(family, tools, folder, workers):
    times = 10
    if b"no verb" in subprocess.run([PROGRAM, "reload", "--help"], capture_output=True, check=False).stderr:
        family.skipped = "this afferent has no verb reload"
        return

    def one(number):
        chance = random.Random(number)
        case = Case(tools, os.path.join(folder, f"reload{number}"), "fan", number, CRASH_RECORDS=6000, CRASH_PAUSE="8ms",
                    CRASH_SLOW="1ms")
        shutil.copy(case.toml, case.toml + ".first")
        try:
            process = case.start()
            time.sleep(0.2)
            if "cannot do that" in ask_reload(case, process, None)[1]:
                family.skipped = "a run of this afferent cannot be reloaded"
            for _ in range(0 if family.skipped else times):
                way = changed(case, chance)
                code, said = ask_reload(case, process, chance)
                if process.poll() is not None or "is ending" in said:
                    break
                family.land(way)
                if code is not None and (code == 0) == (way in BROKEN_WAYS):
                    raise Broken(f"reload ({way}) ended with {code}: {case.where()}\n{said[-400:]}")
            shutil.copy(case.toml + ".first", case.toml)
            ended = case.finish(process)
            if ended.code:
                raise Broken(f"reload: ended with {ended.code}: {case.where()}\n{ended.said[-600:]}")
            family.add(case.judge())
            case.close()
        except Broken as e:
            family.fail(*e.args)
            if process.poll() is None:
                process.kill()
                process.wait()

    in_parallel(family, workers, one, range((2 * family.wanted + times - 1) // times))


# ---- no memory ----

START_S = 15
ASKED_S = 0.6  # of those that end when they are asked to
PACED = ("ecg", "ecg-file", "bedside", "evaluate-beats", "in_mqtt")
SHIPPED = ("ecg", "ecg-file", "bedside", "evaluate-beats", "icu-news2", "monitor-serial", "ward-gateway")
READ_JSON = ("op_json", "op_score")
# A device goes on for ever: one that refuses a setting, as a pty does, ends its run.
REFUSED = {"monitor-serial": ("--set", "monitor.parity=even"), "ward-gateway": ("--set", "line-1.parity=even")}


def edf(path):
    """The smallest recording: one signal, one second."""
    fields = (("0", 8), ("X X X X", 80), ("Startdate X X X X", 80), ("01.01.20", 8), ("00.00.00", 8), ("512", 8), ("", 44),
              ("1", 8), ("1", 8), ("1", 4), ("ECG", 16), ("", 80), ("mV", 8), ("-5", 8), ("5", 8), ("-2048", 8), ("2047", 8),
              ("", 80), ("100", 8), ("", 32))
    with open(path, "wb") as f:
        f.write("".join(text.ljust(width) for text, width in fields).encode() + bytes(200))


def plugin_pipelines(tools, folder, network):
    """Pipelines that open every plugin: those shipped, and one for each that none of them has; `network`: more, whole."""
    pipelines = {name: os.path.join(SOURCE, "pipelines", name + ".toml") for name in SHIPPED}
    used = "".join(open(path, encoding="utf-8").read() for path in pipelines.values())
    more = {
        "in_edf": '[source.a]\nplugin = "in_edf"\npath = "one.edf"\n',
        "in_null": '[source.a]\nplugin = "in_null"\nrecords = 10\n',
        "op_json": '[source.a]\nplugin = "in_file"\npath = "rows.csv"\n[processor.p]\nplugin = "op_json"\nfrom = "a"\n'
                   'columns = [{ name = "x", type = "real" }]\n',
        "op_score": '[source.a]\nplugin = "in_file"\npath = "rows.csv"\nas = "blocks"\n[processor.c]\nplugin = "op_csv"\n'
                    'from = "a"\ncolumns = [{ name = "x", type = "real" }]\n[processor.p]\nplugin = "op_score"\n'
                    'from = "c"\nmodel = "model.json"\n',
        "in_modem": '[source.a]\nplugin = "in_modem"\npath = "${env:CRASH_TTY}"\nflow = "rtscts"\n',
    }
    edf(os.path.join(folder, "one.edf"))
    with open(os.path.join(folder, "rows.csv"), "w", encoding="ascii") as f:
        f.write("x\n1\n")
    with open(os.path.join(folder, "model.json"), "w", encoding="ascii") as f:
        f.write('{ "afferent_model": 1, "name": "m", "version": "1", "link": "linear", "intercept": 0, "names": ["x"], '
                '"means": [0], "scales": [1], "weights": [2] }')
    for name, head in more.items():
        if f'"{name}"' in used:
            continue
        last = "p" if "processor.p" in head else "a"
        path = os.path.join(folder, name + ".toml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(f'[pipeline]\nname = "{name}"\n{head}[sink.z]\nplugin = "out_null"\nfrom = "{last}"\n')
        pipelines[name] = path
    for name, text in network.items():
        pipelines[name] = os.path.join(folder, name + ".toml")
        with open(pipelines[name], "w", encoding="utf-8") as f:
            f.write(f'[pipeline]\nname = "{name}"\n{text}')
    case = Case(tools, os.path.join(folder, "oom-fan"), "fan", 1, CRASH_RECORDS=16)
    pipelines["fan"] = case.toml
    return pipelines, case


FRAME = re.compile(r"^\S+\(\S*\)\s*\[0x[0-9a-f]+\]\n?", re.M)
ZMQ = re.compile(r"\(src/\w+\.[ch]pp:\d+\)")  # libzmq has no other answer to a failed allocation
SYSTEM = ("oom.so", "libc.so", "libstdc++.so", "libgcc_s.so", "ld-linux", "libpthread.so")


def who(frames):
    """The file that the innermost frame is in, but for those that abort, throw and unwind for others."""
    names = [os.path.basename(frame.partition("(")[0]) for frame in frames]
    return next((name for name in names if not name.startswith(SYSTEM)), "")


def ends_of_its_own(code, pipeline, frames, aborts, said):
    """The library that ends the process where memory fails and has no other answer; "": none does. `frames`: of the first
    allocation that failed; `aborts`: of the thread that aborted or faulted, which says who used
    what it was not given, or whose exception it was that nobody caught."""
    if code < 0 and any("libglib" in f for f in frames[:4]):  # g_malloc aborts, or recurses to say so
        return "libglib"
    if code < 0 and any("libsimdjson" in f for f in frames[:12]):  # it goes on with what it was not given
        return "libsimdjson"
    if code not in (-signal.SIGABRT, -signal.SIGSEGV):
        return ""
    whose = who(aborts) or who(frames)  # two that abort at once leave no trace of the second
    if whose.startswith(("libzmq", "libpgm")) or ZMQ.search(said):  # the latter is loaded by the former
        return "libzmq"
    # It promises to throw nothing where it allocates; what its header brings along lies in the plugin, which is loaded from a
    # memfd.
    if whose.startswith("libsimdjson") or (pipeline in READ_JSON and whose.isdigit() and "std::bad_alloc" in said):
        return "libsimdjson"
    return ""


class Starved:
    """Starts of one pipeline with an allocation that fails."""

    def __init__(self, family, tools, folder, name, path):
        self.family, self.tools, self.folder, self.name, self.path = family, tools, folder, name, path

    def start(self, at, times, index):
        """One short run. Exit code, allocations, failures, what was said."""
        line, other = os.openpty()
        try:
            return self.run(at, times, index, os.ttyname(other))
        finally:
            os.close(line)
            os.close(other)

    def run(self, at, times, index, tty):
        home = os.path.join(self.folder, f"oom-{self.name}-{index}")
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(os.path.join(home, "state"))
        os.makedirs(os.path.join(home, "run"), mode=0o700)
        side = os.path.join(home, "side")
        env = dict(os.environ, STATE_DIRECTORY=os.path.join(home, "state"), RUNTIME_DIRECTORY=os.path.join(home, "run"),
                   HOME=home, AFFERENT_PLUGIN_PATH=PLUGINS + ":" + self.tools.plugins, LD_PRELOAD=self.tools.preload("oom.so"),
                   AFFERENT_ARCHIVE=os.path.join(home, "archive.lmdb"), AFFERENT_OUTPUT=os.path.join(home, "out.csv"),
                   AFFERENT_DATA=os.environ.get("AFFERENT_DATA", os.path.join(SOURCE, "../shared/data")),
                   AFFERENT_RECORD=os.path.join(os.environ.get("AFFERENT_DATA", os.path.join(SOURCE, "../shared/data")), "mitdb/101.hea"),
                   CRASH_OOM_AT=str(at), CRASH_OOM_FOR=str(times), CRASH_OOM_SIDE=side, CRASH_OOM_TRACE="1",
                   CRASH_TTY=tty, AFFERENT_MONITOR=tty, AFFERENT_LINE_1=tty)
        args = ["--for", "1s", "--pace", "fast"] if self.name in PACED else REFUSED.get(self.name, ())
        with open(os.path.join(home, "log"), "wb") as log:
            process = subprocess.Popen([PROGRAM, "run", self.path, *args], env=env, cwd=self.folder, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=log)
        asked = self.name in peers.ENDLESS
        waits = not wait_for(process, ASKED_S if asked else START_S)
        if waits:  # for memory, as it says: then it ends when it is asked to
            process.terminate()
        if waits and not wait_for(process, 2 * START_S):
            process.kill()
            process.wait()
            raise Broken(f"no memory at {at} ({times}): hangs: {self.name}, {home}")
        code = process.wait()
        if asked and code == -signal.SIGTERM:  # it was asked before it listens to that
            code = 0
        with open(os.path.join(home, "log"), "rb") as f:
            said = f.read().decode("utf-8", "replace")
        if waits and not asked and "again" not in said and "waits" not in said:
            raise Broken(f"no memory at {at} ({times}): waits and does not say so: {self.name}, {home}")
        with open(side, "rb") as f:
            calls, failed = struct.unpack("<QQ", f.read(16))
        shutil.rmtree(home)
        return code, calls, failed, said

    def one(self, at, times, index):
        try:
            code, _, failed, said = self.start(at, times, index)
            if not failed:
                return
            said, _, end = said.partition("aborts here:\n")
            frames, aborts = FRAME.findall(said), FRAME.findall(end)
            trace, said = "".join(frames[:12] + aborts), FRAME.sub("", said + end)
            whose = ends_of_its_own(code, self.name, frames, aborts, said)
            if whose:
                self.family.at_call(f"{whose} aborted, as it does")
                self.family.land(self.name)
                return
            if code == 127 and "cannot allocate memory for thread-local data" in said:  # the linker's words, at a library's first use
                self.family.at_call("libc ended the process, as it does")
                self.family.land(self.name)
                return
            if code < 0 and -code in CRASHES:
                raise Broken(f"no memory at {at} ({times}): {self.name} died of {signal.Signals(-code).name}: {said.strip()[-200:]}\n{trace}")
            if code not in (0, 1, 2, 3):
                raise Broken(f"no memory at {at} ({times}): {self.name} ended with {code}")
            if code > 0 and len(said.strip()) < 10:
                raise Broken(f"no memory at {at} ({times}): {self.name} ended with {code} and said nothing")
            self.family.land(self.name)
        except Broken as e:
            self.family.land(self.name)
            self.family.fail(*e.args)


def memory(family, tools, folder, workers):
    plugins = subprocess.run([PROGRAM, "plugin", "list"], capture_output=True, text=True, check=False).stdout.split()
    far, gateway = peers.Peers(), peers.Gateway(PROGRAM, folder, plugins)
    try:
        network = peers.pipelines(far.ports, gateway.door)
        starve(family, tools, folder, workers, {name: text for name, text in network.items() if name in plugins})
    finally:
        gateway.close()
        far.close()


def starve(family, tools, folder, workers, network):
    pipelines, case = plugin_pipelines(tools, folder, network)
    work = []
    for name, path in pipelines.items():
        starved = Starved(family, tools, folder, name, path)
        calls = starved.start(0, 0, "dry")[1]
        share = family.wanted // len(pipelines) + 2
        step = max(1, calls // (share + 1))
        for index, at in enumerate(range(1, calls + 1, step)):
            work.append((starved, at + index % step, 1 if index % 4 else 1000000, index))
    in_parallel(family, workers, lambda w: w[0].one(*w[1:]), work)
    case.close()


# ---- hostile files ----


def survives(case, env, number, verb):
    """A source that dies each time it is opened is waited for: then SIGTERM must end the run."""
    with open(os.path.join(case.folder, verb[0] + ".log"), "wb") as log:
        process = subprocess.Popen([PROGRAM, *verb], env=env, cwd=case.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    for limit in (3, 15):
        if wait_for(process, limit):
            break
        process.terminate()
    else:
        process.kill()
        process.wait()
        raise Broken(f"hostile plugin {number}: {verb[0]} hangs: {case.where()}")
    if not 0 <= process.wait() <= 3:
        raise Broken(f"hostile plugin {number}: {verb[0]} ended with {process.returncode}: {case.where()}")


def hostile(family, tools, folder, workers):
    """Truncated and mutated plugins: `plugin list` and `run` survive each.

    Damaged code that passes every check may do anything, so the source runs where
    a foreign plugin runs by default: in a process of its own.
    """
    with open(os.path.join(tools.plugins, "crash_source.so"), "rb") as f:
        good = f.read()

    def one(number):
        chance = random.Random(number)
        case = Case(tools, os.path.join(folder, f"hostile{number}"), "line", number, CRASH_RECORDS=16)
        with open(case.toml, encoding="utf-8") as f:
            text = f.read()
        with open(case.toml, "w", encoding="utf-8") as f:
            assert 'run     = {' in text
            f.write(text.replace('run     = { isolation = "thread" }\n', "", 1))
        plugins = os.path.join(case.folder, "plugins")
        os.makedirs(plugins)
        for name in os.listdir(tools.plugins):
            if name != "crash_source.so":
                os.symlink(os.path.join(tools.plugins, name), os.path.join(plugins, name))
        data = bytearray(good)
        if number % 3 == 0:
            del data[chance.randrange(len(data)):]
        for _ in range(chance.choice((1, 4, 64)) if number % 3 else 0):
            data[chance.randrange(min(len(data), 4096) if chance.random() < 0.5 else len(data))] = chance.randrange(256)
        with open(os.path.join(plugins, "crash_source.so"), "wb") as f:
            f.write(data)
        env = case.env()
        env["AFFERENT_PLUGIN_PATH"] = PLUGINS + ":" + plugins
        try:
            survives(case, env, number, ["plugin", "list"])
            survives(case, env, number, ["run", case.toml])
            family.land("truncated" if number % 3 == 0 else "mutated")
            case.close()
        except Broken as e:
            family.fail(*e.args)

    in_parallel(family, workers, one, range(family.wanted))
