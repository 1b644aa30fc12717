"""deaths.py - families in which the process dies or is asked to: kill -9, SIGTERM, SIGSTOP.

A case is killed again and again until it ends by itself, and is judged then. Where
each kill landed is read from the fault library's side file.
"""

import os
import random
import signal
import time

from bench import Broken, Case, PHASES, Side, in_parallel

PIPELINES = ("fan", "acks", "live", "answering", "fan", "line")
KILLS_A_CASE = 8
LEAST_SHARE = 0.1


def settings(pipeline, chance):
    """What differs from case to case."""
    if pipeline == "answering":
        durable = chance.random() < 0.5
        return {"CRASH_DURABLE": "true", "CRASH_EDGE": "spill"} if durable else {}
    if pipeline in ("fan", "line"):
        return {"CRASH_SLOW": chance.choice(("0s", "1ms", "4ms"))}
    return {}


class Kills:
    """kill -9 of the host, at calls and at times."""

    def __init__(self, family, tools, folder, calls):
        self.family, self.tools, self.folder, self.calls = family, tools, folder, calls

    def one_case(self, number):
        family = self.family
        if family.done >= family.wanted:
            return
        chance = random.Random(number)
        pipeline = PIPELINES[number % len(PIPELINES)]
        case = Case(self.tools, os.path.join(self.folder, f"kill{number}"), pipeline, number, **settings(pipeline, chance))
        try:
            for _ in range(KILLS_A_CASE):
                if not self.one_kill(case, chance):
                    break
            case.run_to_end()
            family.add(case.judge())
            case.close()
        except Broken as e:
            family.fail(*e.args)

    def one_kill(self, case, chance):
        """False: the run had ended before it was hit."""
        way = chance.random()
        if way < 0.12:
            return self.kill_by_time(case, chance)
        fault = {"mode": chance.choice(("before", "after", "half")),
                 "at": chance.randint(1, max(2, self.calls[case.pipeline] // 2)), "delay_us": 0}
        if way < 0.3:  # inside the window that is short: commit returned, nobody told
            fault = {"mode": "before", "phase": 2, "at": chance.randint(1, 12), "delay_us": chance.choice((0, 200, 2000))}
        ended = case.run(fault)
        if ended.signal != signal.SIGKILL:
            self.must_be_good(case, ended)
            return False
        phase, call = ended.side.place()
        self.family.land(phase)
        self.family.at_call(call)
        return True

    def kill_by_time(self, case, chance):
        process = case.start({"at": 0})
        time.sleep(chance.random() * 0.12)
        process.kill()
        ended = case.finish(process)
        if ended.signal != signal.SIGKILL:
            self.must_be_good(case, ended)
            return False
        self.family.land(PHASES[Side(case.side_path()).phase])
        return True

    def must_be_good(self, case, ended):
        if ended.code:
            raise Broken(f"ended with {ended.code}: {case.where()}\n{ended.said[-600:]}")


def calls_of(tools, folder):
    """How many calls a whole run of each pipeline makes; it must be good without a fault, too."""
    calls = {}
    for number, pipeline in enumerate(sorted(set(PIPELINES))):
        case = Case(tools, os.path.join(folder, "dry-" + pipeline), pipeline, number + 1)
        ended = case.run({"at": 0})
        if ended.code:
            raise Broken(f"without a fault: ended with {ended.code}: {case.where()}\n{ended.said[-900:]}")
        case.judge()
        calls[pipeline] = ended.side.calls
        case.close()
    return calls


# ---- the children ----


def children(process):
    """Plugins that run in processes of their own; not those that only look at a file."""
    found = []
    try:
        for task in os.listdir(f"/proc/{process.pid}/task"):
            with open(f"/proc/{process.pid}/task/{task}/children", encoding="ascii") as f:
                found += [int(pid) for pid in f.read().split()]
        return [pid for pid in found if b"--cell" in open(f"/proc/{pid}/cmdline", "rb").read()]
    except OSError:
        return []


def one_child_case(family, tools, folder, number):
    """Plugins in processes of their own; some of those die, now and then the host does."""
    chance = random.Random(number)
    case = Case(tools, os.path.join(folder, f"child{number}"), "fan", number, CRASH_ISOLATION="process", CRASH_RECORDS=400,
                CRASH_PAUSE="5ms", CRASH_FAIL=0)
    try:
        process = case.start()
        for _ in range(4):
            time.sleep(0.05 + chance.random() * 0.1)
            found = children(process)
            if process.poll() is None and found:
                try:
                    os.kill(chance.choice(found), signal.SIGKILL)
                except ProcessLookupError:
                    continue  # it has ended by itself
                family.land("of a child")
        if chance.random() < 0.3 and process.poll() is None:
            process.kill()
            if case.finish(process).signal == signal.SIGKILL:
                family.land("of the host")
        elif case.finish(process).code:
            raise Broken(f"after the death of children: {case.where()}")
        case.run_to_end()
        family.add(case.judge())
        case.close()
    except Broken as e:
        family.fail(*e.args)


def child(family, tools, folder, workers):
    in_parallel(family, workers, lambda n: one_child_case(family, tools, folder, n) if family.done < family.wanted else None,
                range(1, family.wanted + 1))
    if family.landed.get("of a child", 0) < family.wanted // 4:
        family.skipped = "this afferent runs no plugin in a process of its own"


def kill(family, tools, folder, workers):
    calls = calls_of(tools, folder)
    kills = Kills(family, tools, folder, calls)
    in_parallel(family, workers, kills.one_case, range(1, family.wanted * 2))
    for phase in ("commit", "answer"):
        share = family.landed.get(phase, 0) / max(1, family.done)
        if family.done and share < LEAST_SHARE:
            family.fail(f"only {share:.1%} of the kills landed in {phase}; at least {LEAST_SHARE:.0%} are needed")


# ---- asked to end, stopped for a while ----


def one_sigterm_case(family, tools, folder, number):
    """Ends by SIGTERM again and again; each end must be clean, and what is left goes on."""
    chance = random.Random(number)
    pipeline = PIPELINES[number % len(PIPELINES)]
    case = Case(tools, os.path.join(folder, f"term{number}"), pipeline, number, CRASH_RECORDS=600, CRASH_PAUSE="2ms")
    try:
        for _ in range(8):
            process = case.start()
            time.sleep(0.02 + chance.random() * 0.1)
            process.terminate()
            ended = case.finish(process, limit=20)
            if ended.signal == signal.SIGTERM:  # before it listened
                family.land("before it listened")
            elif ended.code:
                raise Broken(f"SIGTERM: ended with {ended.code}: {case.where()}\n{ended.said[-600:]}")
            else:
                family.land("under load")
        case.run_to_end()
        family.add(case.judge())
        case.close()
    except Broken as e:
        family.fail(*e.args)


def sigterm(family, tools, folder, workers):
    in_parallel(family, workers, lambda n: one_sigterm_case(family, tools, folder, n), range((family.wanted + 7) // 8))


def one_stop_case(family, tools, folder, number):
    chance = random.Random(number)
    case = Case(tools, os.path.join(folder, f"stop{number}"), "fan", number, CRASH_RECORDS=600, CRASH_PAUSE="5ms")
    try:
        process = case.start()
        for _ in range(2):
            time.sleep(0.05 + chance.random() * 0.1)
            if process.poll() is None:
                process.send_signal(signal.SIGSTOP)
                time.sleep(0.2 + chance.random())
                process.send_signal(signal.SIGCONT)
                family.land("under load")
        ended = case.finish(process)
        if ended.code:
            raise Broken(f"SIGSTOP: ended with {ended.code}: {case.where()}\n{ended.said[-600:]}")
        family.add(case.judge())
        case.close()
    except Broken as e:
        family.fail(*e.args)


def sigstop(family, tools, folder, workers):
    in_parallel(family, workers, lambda n: one_stop_case(family, tools, folder, n), range((family.wanted + 1) // 2))


# ---- the same beats ----

ECG_RUN = ()


class Ecg(Case):
    """A modelled patient's beats: killed anywhere they are the same, with the same ids."""

    def judge(self, whole=True):
        raise NotImplementedError

    def dump(self):
        with open(self.query(), encoding="utf-8") as f:
            return sorted(f.read().splitlines())


def same_beats(family, tools, folder, workers):
    template = Ecg(tools, os.path.join(folder, "ecg-whole"), "ecg", 1)
    template.run(args=ECG_RUN)
    whole = template.dump()
    if not any('"beats"' in line for line in whole):
        family.fail(f"no beats without a kill: {template.where()}")
        return
    probe = Ecg(tools, os.path.join(folder, "ecg-probe"), "ecg", 1)
    calls = probe.run({"at": 0}, args=ECG_RUN).side.calls
    probe.close()

    def one(number):
        chance = random.Random(number)
        case = Ecg(tools, os.path.join(folder, f"ecg{number}"), "ecg", 1)
        try:
            for _ in range(5):
                ended = case.run({"mode": chance.choice(("before", "after", "half")), "at": chance.randint(1, calls)},
                                 args=ECG_RUN)
                if ended.signal != signal.SIGKILL:
                    break
                family.land(ended.side.place()[0])
            ended = case.run(args=ECG_RUN)
            found = case.dump()
            lost, more = len(set(whole) - set(found)), len(set(found) - set(whole))
            family.add({"lost": lost, "invented": more, "delivered": len(found), "archive_not_once": len(found) - len(set(found))})
            if found != whole:
                raise Broken(f"other beats than without a kill (exit {ended.code}): {case.where()}")
            case.close()
        except Broken as e:
            family.fail(*e.args)

    def until_enough(number):
        if family.done < family.wanted:
            one(number)

    in_parallel(family, workers, until_enough, range(1, family.wanted * 2))
    template.close()
