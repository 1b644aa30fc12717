"""modem.py - in_modem through the whole program, beside the fake modem on a pty.

What the modem got is looked for in the archive: all of it, once, whatever happened
to the program, the line and the modem meanwhile; and what rules say leaves as
messages whose reports come back.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../pipeline"))

import cases
from cases import has

FAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake_modem.py")

ARCHIVED = """
[pipeline]
name = "modem-test"

[source.modem]
plugin = "in_modem"
path   = "tty"
every  = "1s"

[sink.archive]
plugin = "out_lmdb"
from   = ["modem.data", "modem.events"]
path   = "archive.lmdb"
"""

ALERTING = """
[pipeline]
name = "alert-test"

[source.numbers]
plugin  = "in_file"
path    = "numbers.csv"
subject = "monitor"
follow  = true

[processor.rows]
plugin  = "op_csv"
from    = "numbers"
columns = [{ name = "spo2", type = "int" LABEL }]

[processor.rules]
plugin = "op_alert"
from   = "rows"
place  = "bed 3"
rules  = [{ name = "low", column = "spo2", below = 90, severity = "high", text = "SpO2 {spo2}" }]

[source.modem]
plugin   = "in_modem"
path     = "tty"
every    = "0s"
from     = { commands = "rules.alerts" }
alert_to = ["+391234567"]

[sink.archive]
plugin = "out_lmdb"
from   = "modem.results"
path   = "archive.lmdb"
"""


class Fake:
    """The fake modem, told what to do line by line."""

    def __init__(self, bench):
        self.process = subprocess.Popen([sys.executable, FAKE, "--link", bench.path("tty"), "--capacity", "60"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        bench.started.append(self.process)
        self.process.stdout.readline()

    def do(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def wait(self, what):
        """Until what the modem shows is so."""
        end = time.monotonic() + cases.LIMIT_S
        while not what(self.do("show")):
            assert time.monotonic() < end, self.do("show")
            time.sleep(0.1)


def packed(text):
    bits = sum(ord(c) << 7 * i for i, c in enumerate(text))
    return bits.to_bytes((7 * len(text) + 7) // 8, "little").hex().upper()


def pdu(text, second):
    """An SMS-DELIVER of plain letters from +393491234567."""
    stamp = f"62111271{second // 60 % 10}{second // 600}{second % 10}{second // 10 % 6}00"
    return f"00040C919343193254760000{stamp}{len(text):02X}{packed(text)}"


def rows(bench, path, stream):
    out, _ = bench.run("query", path, "--stream", stream, "--format", "json")
    return [json.loads(line)["values"] for line in out.splitlines()]


def one_bad_moment(chance, bench, fake, run, path):
    """Something that goes wrong; gives the run that is going then."""
    what = chance.choice(["kill", "hangup", "half a line", "reset", "reset in a list", "codes", "silence"])
    if what == "kill":
        run.send(signal.SIGKILL)
        run.end()
        return bench.start("run", path)
    if what in ("hangup", "half a line"):
        fake.do("hangup" if what == "hangup" else f"hangup {chance.randint(1, 60)}")
        time.sleep(0.3)
        fake.do("hangup")
        fake.do("plug")
    elif what.startswith("reset"):
        fake.do("reset" if what == "reset" else "reset_in AT+CMGL")
    elif what == "codes":
        fake.do(f"at {chance.randint(0, 80)} \\r\\nRING\\r\\n")
    else:
        fake.do("silence on")
        time.sleep(0.2)
        fake.do("silence off")
    return run


def messages_arrive_once_whatever_happens(bench):
    path = bench.write("modem.toml", ARCHIVED)
    chance, fake = random.Random(5), Fake(bench)
    run = bench.start("run", path)
    texts = [f"message {i}" for i in range(30)]
    for i, text in enumerate(texts):
        fake.do("sms " + pdu(text, i))
        time.sleep(chance.uniform(0, 0.4))
        if i % 3 == 2:
            run = one_bad_moment(chance, bench, fake, run, path)
    fake.do("reset")  # whatever was missed is listed again
    fake.wait(lambda shown: not shown["store"])
    run.send(signal.SIGTERM)
    assert run.end() == 0, run.said
    has(run.said, "balanced: ")
    got = sorted(row["text"] for row in rows(bench, path, "messages"))
    assert got == sorted(texts), f"lost {set(texts) - set(got)}, twice or invented {[t for t in got if got.count(t) > 1]}"


def alerts_of_rules_leave_as_messages_and_reports_come_back(bench):
    path = bench.write("alert.toml", ALERTING.replace(" LABEL", ""))
    bench.write("numbers.csv", "spo2\n97\n")
    fake = Fake(bench)
    fake.do("set reports 0")
    run = bench.start("run", path)
    fake.wait(lambda shown: "AT+CMGL=4" in shown["commands"])
    with open(bench.path("numbers.csv"), "a", encoding="ascii") as file:
        file.write("84\n84\n")
    fake.wait(lambda shown: shown["sent"])
    sent = fake.do("show")["sent"][0]
    assert sent["to"] == "391234567" and packed("HIGH bed 3: SpO2 84")[:30] in sent["pdu"], sent
    end = time.monotonic() + cases.LIMIT_S
    while time.monotonic() < end:
        try:
            outcomes = [row["outcome"] for row in rows(bench, path, "results")]
        except AssertionError:  # no archive yet
            outcomes = []
        if len(outcomes) >= 2:
            break
        time.sleep(0.2)
    assert outcomes == ["sent", "delivered"], outcomes
    run.send(signal.SIGTERM)
    assert run.end() == 0, run.said
    has(run.said, "balanced: ")


def an_alert_that_names_patient_data_does_not_go_out(bench):
    path = bench.write("alert.toml", ALERTING.replace(" LABEL", ', label = "phi"'))
    bench.write("numbers.csv", "spo2\n97\n")
    out, err = bench.run("check", path, code=2)
    has(out + err, "[modem] patient data would leave this node", "column text")


if __name__ == "__main__":
    cases.main(messages_arrive_once_whatever_happens,
               alerts_of_rules_leave_as_messages_and_reports_come_back,
               an_alert_that_names_patient_data_does_not_go_out)
