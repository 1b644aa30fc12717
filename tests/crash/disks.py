"""disks.py - families of bad disks: calls that fail, disks that fill, power cuts, damage.

Whatever a disk does, the run goes on by itself or ends with a message, and the next
run has everything. Only damage to what was safe may cost records, and then never
more than it hit: nothing invented, nothing altered.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import power_cut
from bench import Broken, Case, CALLS, FILES, HERE, in_parallel
from deaths import calls_of

ERROR_PIPELINES = ("line", "fan", "live", "acks")
MAY_END = (0, 2, 3)  # 2: a folder that cannot be made
LIMIT_S = 60


def settled(case, ended):
    """A run that met a bad disk: it ended well, or with an error that it said."""
    if ended.code not in MAY_END:
        raise Broken(f"ended with {ended.code}: {case.where()}\n{ended.said[-600:]}")
    if ended.code and len(ended.said.strip()) < 20:
        raise Broken(f"ended with {ended.code} and said nothing: {case.where()}")


# ---- EIO, ENOSPC, short writes at the Nth call ----


def errors(family, tools, folder, workers):
    calls = calls_of(tools, folder)

    def one(number):
        if family.done >= family.wanted:
            return
        chance = random.Random(number)
        pipeline = ERROR_PIPELINES[number % len(ERROR_PIPELINES)]
        case = Case(tools, os.path.join(folder, f"error{number}"), pipeline, number)
        mode = chance.choice(("eio", "enospc", "short"))
        fault = {"mode": mode, "at": chance.randint(1, calls[pipeline]), "for": chance.choice((1, 1, 1, 2, 5, 8))}
        try:
            ended = case.run(fault, limit=LIMIT_S)
            settled(case, ended)
            if ended.side.failed:
                family.land("went on by itself" if ended.code == 0 else "ended with a message")
                family.at_call(f"{mode} {CALLS[ended.side.call]} {FILES[ended.side.file]}")
            if ended.code:
                case.run_to_end()
            family.add(case.judge())
            case.close()
        except Broken as e:
            family.fail(*e.args)

    in_parallel(family, workers, one, range(1, family.wanted * 2))


# ---- a small disk that is filled and emptied ----

CYCLES_A_RUN = 10


def fill(family, tools, folder, workers):
    """Mounts need a name space of their own: this file is started once more inside one."""
    done = subprocess.run(["unshare", "-m", sys.executable, os.path.abspath(__file__), tools.folder, folder, str(family.wanted)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1200, check=False)
    if done.returncode == 77 or "unshare" in done.stderr.split(":")[0]:
        family.skipped = "no right to mount a small disk here"
        return
    for line in done.stdout.splitlines():
        what, _, rest = line.partition(" ")
        if what == "cycle":
            family.land(rest)
        elif what == "counts":
            family.add({k: int(v) for k, v in (p.split("=") for p in rest.split())})
        elif what == "broken":
            family.fail(rest.replace("\\n", "\n"))
    if done.returncode:
        family.fail(f"the inner test ended with {done.returncode}: {done.stderr[-600:]}")


def fill_disk(path):
    """Takes all the room there is. Gives the file's name."""
    filler = os.path.join(path, "filler")
    fd = os.open(filler, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for size in (65536, 4096, 1):
            try:
                while True:
                    os.write(fd, bytes(size))
            except OSError:
                pass
    finally:
        os.close(fd)
    return filler


def fill_one(tools, folder, number):
    """One run over ten fillings of its disk."""
    disk = os.path.join(folder, "disk")
    os.makedirs(disk, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=False).returncode:
        sys.exit(77)
    case = Case(tools, os.path.join(folder, f"fill{number}"), "fan", number, CRASH_RECORDS=4000, CRASH_PAUSE="20ms",
                CRASH_SLOW="0s")
    shutil.rmtree(case.watch)
    os.makedirs(os.path.join(disk, "state"))
    os.symlink(disk, case.watch)
    chance = random.Random(number)
    process = case.start()
    for index in range(CYCLES_A_RUN):
        time.sleep(chance.random() * (0.04 if number % 2 and not index else 0.12))  # some in the middle of a start
        running = process.poll() is None
        filler = fill_disk(disk)
        time.sleep(0.05 + chance.random() * 0.2)
        os.unlink(filler)
        print("cycle", "under load" if running else "behind the end", flush=True)
    ended = case.finish(process, limit=LIMIT_S)
    settled(case, ended)
    if ended.code:
        case.run_to_end()
    print("counts", " ".join(f"{k}={v}" for k, v in case.judge().items()), flush=True)
    subprocess.run(["umount", "-l", disk], check=False)
    case.close()


class BuiltTools:
    """What bench.Tools has built, found again."""

    def __init__(self, folder):
        self.folder = folder
        self.judge, self.plugins = os.path.join(folder, "judge"), os.path.join(folder, "plugins")

    def preload(self, name):
        return os.path.join(self.folder, name)


def fill_inside(tools_folder, folder, cycles):
    for number in range((cycles + CYCLES_A_RUN - 1) // CYCLES_A_RUN):
        try:
            fill_one(BuiltTools(tools_folder), folder, number)
        except Broken as e:
            print("broken", str(e.args[0]).replace("\n", "\\n"), flush=True)


# ---- power cuts ----

STATES_A_TRACE = 60
POWER_PIPELINES = ("line", "fan", "live", "acks", "line", "answering")


def power(family, tools, folder, workers):
    traces = max(1, family.wanted // STATES_A_TRACE)

    def one_trace(number):
        chance = random.Random(number)
        base = os.path.join(folder, f"power{number}")
        pipeline = POWER_PIPELINES[number % len(POWER_PIPELINES)]
        # nothing waits for nothing here: each state is a run of its own
        case = Case(tools, base, pipeline, number, CRASH_FAIL=0, CRASH_SLOW="0s", CRASH_PAUSE="0s")
        trace = os.path.join(folder, f"power{number}.trace")
        try:
            if number % 3 == 0:  # from a store that a kill left behind
                case.run({"mode": "after", "at": chance.randint(40, 120)})
            # a sync that fails is in every fifth trace: what it was to write may be gone
            fault = {"trace": trace}
            if number % 5 == 1:
                fault.update(mode="eio", at=chance.randint(20, 120))
            disk = power_cut.Disk(case.watch, case.far)
            settled(case, case.run(fault))
            states = power_cut.states(disk, trace, STATES_A_TRACE, chance)
            for index, (_, what, state) in enumerate(states):
                one_state(family, case, state, what, os.path.join(folder, f"cut{number}-{index}"))
            case.close()
        except Broken as e:
            family.fail(*e.args)
        finally:
            if os.path.exists(trace):
                os.unlink(trace)

    in_parallel(family, workers, one_trace, range(1, traces + 2))


def one_state(family, case, state, what, kept):
    """In the case's own folder: paths are options, and state of other options is not for it."""
    shutil.rmtree(case.watch)
    shutil.rmtree(case.far)
    power_cut.write_state(case.folder, case.folder, {p: c for p, c in state.items() if p.startswith((case.watch, case.far))})
    os.makedirs(os.path.join(case.watch, "state"), exist_ok=True)
    os.makedirs(case.far, exist_ok=True)
    family.land("after " + what)
    try:
        case.run_to_end()
        family.add(case.judge())
    except Broken as e:
        shutil.copytree(case.folder, kept)
        family.fail(f"{e.args[0]}; kept in {kept}", *e.args[1:])


# ---- damage ----


def mutate(path, chance):
    """One mutation; a word that says which."""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    way = chance.choice(("bit", "byte run", "zero page", "cut", "swapped pages", "old page", "noise page", "meta"))
    page = 4096 * chance.randrange(max(1, len(data) // 4096))
    other = 4096 * chance.randrange(max(1, len(data) // 4096))
    if way == "bit":
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif way == "byte run":
        at = chance.randrange(len(data))
        data[at:at + 16] = chance.randbytes(len(data[at:at + 16]))
    elif way == "zero page":
        data[page:page + 4096] = bytes(4096)
    elif way == "cut":
        del data[chance.randrange(len(data)):]
    elif way == "swapped pages":
        data[page:page + 4096], data[other:other + 4096] = data[other:other + 4096], data[page:page + 4096]
    elif way == "old page":
        data[page:page + 4096] = data[other:other + 4096]
    elif way == "noise page":
        data[page:page + 4096] = chance.randbytes(4096)
    else:
        at = chance.choice((0, 4096)) + chance.randrange(200)
        data[at:at + 8] = chance.randbytes(8)
    with open(path, "wb") as f:
        f.write(data)
    return way


def store_file(case):
    for root, _, files in os.walk(os.path.join(case.watch, "state")):
        if "data.mdb" in files:
            return os.path.join(root, "data.mdb")
    raise Broken(f"no store: {case.where()}")


def damage(family, tools, folder, workers):
    """A store with a queue in it (a dead sink), damaged, and started again."""
    def one(number):
        chance = random.Random(number)
        case = Case(tools, os.path.join(folder, f"damage{number}"), "line", number)
        dead = os.path.join(case.far, "dead")
        open(dead, "wb").close()
        try:
            process = case.start()
            end = time.monotonic() + 20
            while process.poll() is None and len(case.lines("answers.log")) < 2 and time.monotonic() < end:
                time.sleep(0.005)
            time.sleep(chance.random() * 0.05)
            process.send_signal(signal.SIGKILL)
            case.finish(process)
            os.unlink(dead)
            way = mutate(store_file(case), chance)
            ended = case.run()
            if ended.code not in (0, 1):  # 1: the ledger says what was lost
                raise Broken(f"{way}: ended with {ended.code}: {case.where()}\n{ended.said[-600:]}")
            counts, said = case.counts()
            if counts["lost"] and "damaged" not in ended.said:
                raise Broken(f"{way}: {counts['lost']} lost, and nothing was said: {case.where()}")
            family.land(way)
            family.add({k: counts[k] for k in counts if k != "archive_not_once"})
            if any(counts[k] for k in ("invented", "altered", "unmarked", "other_id")):
                raise Broken(f"{way}: {said.strip()}: {case.where()}")
            case.close()
        except Broken as e:
            family.fail(*e.args)

    in_parallel(family, workers, one, range(family.wanted))


if __name__ == "__main__":
    sys.path.insert(0, HERE)
    fill_inside(sys.argv[1], sys.argv[2], int(sys.argv[3]))
