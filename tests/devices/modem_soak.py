"""modem_soak.py - in_modem among faults of all kinds, judged at the far ends (modem_judge.py).

The modem is reset in the middle of each kind of command, unplugged, cut off in the
middle of a line, silent, noisy; its store fills up; the program is killed. Meanwhile
messages come and commands are given. What the modem's network handed over must be in
the archive once, what it got must be what was ordered.

    MODEM_SECONDS   of faults, 12 by default
    MODEM_SEED      of all that is random, 1 by default; MODEM_ROUNDS seeds from there on
    MODEM_KEEP      what came out is copied to this folder
"""

import json
import os
import random
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../pipeline"))

import cases
import modem_judge
from modem import SLOW, Fake, packed, rows

SECONDS = float(os.environ.get("MODEM_SECONDS", "12"))
ROUNDS = int(os.environ.get("MODEM_ROUNDS", "1"))
SEED = int(os.environ.get("MODEM_SEED", "1"))
DRAIN_S = float(os.environ.get("MODEM_DRAIN", "180"))  # many times what it takes; a stuck one takes for ever

PIPELINE = """
[pipeline]
name = "modem-soak"

[source.orders]
plugin  = "in_file"
path    = "orders.csv"
subject = "desk"
follow  = true

[processor.rows]
plugin  = "op_csv"
from    = "orders"
columns = [{ name = "command", type = "text" }, { name = "to", type = "text" }, { name = "text", type = "text" },
           { name = "id", type = "int" }]
run     = { clears = ["subject", "times", "names"] }

[source.modem]
plugin  = "in_modem"
path    = "tty"
every   = "1s"
retries = 20
from    = { commands = "rows" }
edge    = { expire = "1h" }

[sink.archive]
plugin = "out_lmdb"
from   = ["modem.data", "modem.results"]
path   = "archive.lmdb"

[sink.file]
plugin = "out_file"
from   = "modem.data"
path   = "data.jsonl"
format = "jsonl"
ids    = true
"""


# ---- messages

def stamp(moment):
    """Seconds since 2026-11-21 17:00 as the service centre writes them; none: zeros, as some do."""
    if moment is None:
        return "00" * 7
    minute, second = moment // 60, moment % 60
    return f"62111271{minute % 10}{minute // 10}{second % 10}{second // 10}00"


def seen(text, digits, moment):
    time_ = None if moment is None else f"2026-11-21T17:{moment // 60:02}:{moment % 60:02}Z"
    return text, "+" + digits, time_, 0


def deliver(text, digits, moment):
    swapped = "".join(digits[i + 1] + digits[i] for i in range(0, 12, 2))
    return f"00040C91{swapped}0000{stamp(moment)}{len(text):02X}{packed(text)}"


def deliver_long(text, digits, moment, reference):
    """Parts of 40 letters each, in UCS-2."""
    swapped = "".join(digits[i + 1] + digits[i] for i in range(0, 12, 2))
    pieces = [text[i:i + 40] for i in range(0, len(text), 40)]
    return [f"00440C91{swapped}0008{stamp(moment)}{6 + 2 * len(piece):02X}050003{reference:02X}{len(pieces):02X}{n + 1:02X}"
            + piece.encode("utf-16-be").hex().upper() for n, piece in enumerate(pieces)]


def unpacked(pdu):
    """The text of an SMS-SUBMIT in the default alphabet."""
    at = 2 * (1 + int(pdu[:2], 16))
    first, count = int(pdu[at:at + 2], 16), int(pdu[at + 4:at + 6], 16)
    at += 8 + count + count % 2 + 4 + (2 if first & 0x18 == 0x10 else 0)
    length, bits = int(pdu[at:at + 2], 16), int.from_bytes(bytes.fromhex(pdu[at + 2:]), "little")
    return "".join(chr(bits >> 7 * i & 0x7f) for i in range(length))


# ---- the world

class World:
    def __init__(self, bench, seed):
        self.bench, self.chance = bench, random.Random(seed)
        self.path = bench.write("soak.toml", PIPELINE)
        bench.write("orders.csv", "command,to,text,id\n")
        self.fake = Fake(bench)
        for setting in ("retries on", "capacity 12", "boots 0.2", "reports 0",
                        "eol " + self.chance.choice(["\\r\\n", "\\r\\n", "\\n", "\\r"]),
                        "early " + self.chance.choice(["on", "off"])):
            self.fake.do("set " + setting)
        self.came, self.given, self.done, self.faults = [], {}, {}, 0
        bench.run("check", self.path)
        self.run = bench.start("run", self.path)

    def message(self):
        """One, a long one, two that are equal, or one without a time. Not equal to one of
        long ago and without a time: whether that was deleted, or this took its place while
        the modem was away, nothing shows."""
        kind = self.chance.choice(["one", "one", "one", "long", "equal", "timeless", "equal and timeless"])
        n, moment = len(self.came), self.chance.randrange(3600)
        digits = self.chance.choice(["393491234567", "391230000001"])
        moment = None if "timeless" in kind else moment
        text = f"message {n}" if kind != "long" else f"long message {n} " + "xyz " * self.chance.randint(8, 22)
        pdus = deliver_long(text, digits, moment, n % 256) if kind == "long" else [deliver(text, digits, moment)]
        self.chance.shuffle(pdus)
        for _ in range(2 if "equal" in kind else 1):
            self.came.append(seen(text, digits, moment))
            for pdu in pdus:
                self.fake.do("sms " + pdu)
                time.sleep(self.chance.choice([0, 0, 0.05]))

    def command(self):
        n = len(self.given) + 1
        self.given[n] = f"order {n}"
        with open(self.bench.path("orders.csv"), "a", encoding="ascii") as file:
            file.write(f"sms,+393491234567,order {n},{n}\n")

    # ---- faults

    def kill(self):
        self.run.send(signal.SIGKILL)
        self.run.end()
        self.run = self.bench.start("run", self.path)

    def plug(self):
        time.sleep(self.chance.uniform(0, 0.5))
        self.fake.do("hangup")
        self.fake.do("plug")

    def unplug(self):
        self.fake.do("hangup")
        self.plug()

    def hang_up_in_a_line(self):
        self.fake.do(f"hangup {self.chance.randint(1, 120)}")
        self.plug()

    def silence(self):
        self.fake.do("silence on")
        time.sleep(self.chance.uniform(0.1, 1.5))
        self.fake.do("silence off")

    def noise(self):
        self.fake.do(f"garbage {self.chance.randint(1, 300)}")

    def code_inside(self):
        self.fake.do(f"at {self.chance.randint(0, 80)} \\r\\nRING\\r\\n")

    def reset(self):
        self.fake.do("reset")

    def reset_in_a_list(self):
        self.fake.do("reset_in AT+CMGL")

    def reset_in_a_delete(self):
        self.fake.do("reset_in AT+CMGD")

    def reset_before_a_delete(self):
        self.fake.do("reset_before AT+CMGD")

    def reset_in_a_prompt(self):
        self.command()
        self.fake.do("reset_in AT+CMGS")

    def reset_in_a_text(self):
        self.command()
        self.fake.do(f"reset_at body {self.chance.randint(1, 30)}")

    def reset_behind_a_text(self):
        """The network has it; of the reply there is nothing, or a part."""
        self.command()
        self.fake.do(f"reset_at sent {self.chance.choice([0, 5, 12])}")

    def reset_without_a_word(self):
        self.fake.do("set announces off")
        while "busy" in self.fake.do("reset between"):  # it would be two minutes until anybody knows
            time.sleep(0.02)
        self.fake.do("set announces on")

    def full_store(self):
        for _ in range(6):
            self.message()

    def lists_fail(self):
        self.fake.do(f"fail AT+CMGL {self.chance.randint(1, 4)} +CMS ERROR: 314")

    def deletes_fail(self):
        self.fake.do(f"fail AT+CMGD {self.chance.randint(1, 4)} +CMS ERROR: 320")

    def network_refuses(self):
        self.command()
        self.fake.do("fail AT+CMGS 1 +CMS ERROR: 332")

    FAULTS = (kill, kill, unplug, hang_up_in_a_line, hang_up_in_a_line, silence, noise, code_inside, reset, reset_in_a_list,
              reset_in_a_delete, reset_before_a_delete, reset_in_a_prompt, reset_in_a_text, reset_behind_a_text,
              reset_without_a_word, full_store, lists_fail, deletes_fail, network_refuses)

    def go(self, seconds):
        """Each kind of fault once, in any order, then any."""
        order = self.chance.sample(self.FAULTS, len(self.FAULTS))
        end = time.monotonic() + seconds
        while time.monotonic() < end or order:
            self.message()
            if self.chance.random() < 0.4:
                self.command()
            time.sleep(self.chance.uniform(0, 0.5))
            fault = order.pop() if order else self.chance.choice(self.FAULTS)
            fault(self)
            self.faults += 1
            self.done[fault.__name__] = self.done.get(fault.__name__, 0) + 1

    # ---- the end

    def outcomes(self):
        try:
            return [row for row in rows(self.bench, self.path, "results") if row["outcome"] != "delivered"]
        except AssertionError:  # no archive yet
            return []

    def drain(self):
        """Without any help: until nothing is left, or nothing more comes of it."""
        end = time.monotonic() + DRAIN_S
        while time.monotonic() < end:
            far = self.fake.do("far")
            if not far["left"] and not far["waiting"] and len({row["id"] for row in self.outcomes()}) == len(self.given):
                return
            assert self.run.process.poll() is None, f"it ended: {self.run.end()}: {self.run.said}"
            time.sleep(0.25)
        print(f"it does not drain; last commands: {self.fake.do('show')['commands'][-30:]}", flush=True)

    def judge(self):
        far, verdict = self.fake.do("far"), modem_judge.Verdict()
        verdict.add("faults", self.faults)
        verdict.add("messages that the network handed over", len(self.came))
        with open(self.bench.path("data.jsonl"), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        modem_judge.messages(verdict, self.came, rows(self.bench, self.path, "messages"),
                             [(line["id"], line["data"]) for line in lines], far["left"] + far["waiting"] * ["waits"])
        modem_judge.commands(verdict, self.given, self.outcomes(), [unpacked(sent["pdu"]) for sent in far["sent"]], self.faults)
        return verdict


def soak(bench, seed):
    world = World(bench, seed)
    world.go(SECONDS)
    began = time.monotonic()
    world.drain()
    drained = time.monotonic() - began
    world.run.send(signal.SIGTERM)
    assert world.run.end() == 0, world.run.said
    if os.environ.get("MODEM_KEEP"):
        shutil.copytree(bench.folder, os.environ["MODEM_KEEP"], symlinks=True, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("tty", "sockets"))
    verdict = world.judge()
    print(f"seed {seed}, drained in {drained:.1f} s\n{verdict.table()}", flush=True)
    assert verdict.is_right(), f"seed {seed}: {verdict.first()}"
    cases.has(world.run.said, "balanced: ")


def the_judge_finds_what_is_planted(_bench):
    one, two = seen("one", "393491234567", 60), seen("two", "393491234567", None)
    right = [dict(zip(("text", "from", "time", "missing"), m)) for m in (one, two, two)]

    def blamed(archived, lines=None, left=(), **commands):
        verdict = modem_judge.Verdict()
        lines = lines or list(enumerate(archived))
        modem_judge.messages(verdict, [one, two, two], archived, lines, left)
        modem_judge.commands(verdict, {1: "a", 2: "b"}, commands.get("results", [{"id": n, "outcome": "sent"} for n in (1, 2)]),
                             commands.get("received", ["a", "b", "b"]), commands.get("faults", 1))
        return {name for name, found in verdict.wrong.items() if found}

    both = lambda word: {f"archive: {word}", f"file: {word}"}
    assert blamed(right) == set()
    assert blamed(right, list(enumerate(right)) + [(1, right[1])]) == set()  # given twice under one id
    assert blamed(right[:2]) == both("lost")
    assert blamed(right + right[:1]) == both("doubled")
    assert blamed([dict(right[0], time=None)] + right[1:]) == both("lost") | both("altered")
    assert blamed(right + [dict(right[0], text="three")]) == both("invented")
    assert blamed(right, list(enumerate(right)) + [(0, right[1])]) == {"file: one id for two contents"}
    assert blamed(right, left=["00"]) == {"stuck: left in the modem"}
    assert blamed(right, results=[{"id": 1, "outcome": "sent"}]) == {"command: stuck, without an outcome"}
    assert blamed(right, received=["b"]) == {"command: said to be sent more often than it was"}
    assert blamed(right, received=["a", "b", "c"]) == {"command: invented or altered"}
    assert blamed(right, faults=0) == {"command: sent again without a fault"}
    assert blamed(right, results=[{"id": 1, "outcome": "failed"}, {"id": 2, "outcome": "sent"}]) == {"command: given up"}


def nothing_is_lost_whatever_happens_to_the_modem(bench):
    for seed in range(SEED, SEED + ROUNDS):
        folder = os.path.join(bench.folder, str(seed))
        os.mkdir(folder)
        one = cases.Bench(folder)
        try:
            soak(one, seed)
        finally:
            one.close()


if __name__ == "__main__":
    cases.main(the_judge_finds_what_is_planted, *SLOW, nothing_is_lost_whatever_happens_to_the_modem)
