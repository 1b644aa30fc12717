"""modem.py - in_modem through the whole program, beside the fake modem on a pty.

What the modem got is looked for in the archive: all of it, once, whatever happened
to the program, the line and the modem meanwhile; and what rules say leaves as
messages whose reports come back.
"""

import json
import os
import random
import re
import shutil
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


def children(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
            found += [int(child) for child in file.read().split()]
    return found


def what_came_as_its_process_died_is_taken_at_once(bench):
    """Its port can be had again, and no delete waits for commit_every."""
    path = bench.write("modem.toml", ARCHIVED.replace('-test"', '-test"\ncommit_every = "1min"')
                       .replace('"1s"', '"2s"\nrun = { isolation = "process" }').replace(', "modem.events"', ""))
    fake = Fake(bench)
    run = bench.start("run", path)
    fake.wait(lambda shown: "AT+CESQ" in shown["commands"])
    began = time.monotonic()
    for i in range(3):
        fake.do("sms " + pdu(f"message {i}", i))
        for child in children(run.process.pid):
            os.kill(child, signal.SIGKILL)
        fake.wait(lambda shown: not shown["store"])
    assert time.monotonic() - began < 50
    run.send(signal.SIGTERM)
    assert run.end() == 0, run.said
    got = sorted(row["text"] for row in rows(bench, path, "messages"))
    assert got == ["message 0", "message 1", "message 2"], got


def adapter(bench, name, node):
    """What sysfs shows of a USB modem whose port for commands is now this node; of another one beside it."""
    for usb, product, tty, port in (("1-1", "0125", name, node), ("1-2", "0306", "ttyUSB9", "pts/ptmx")):
        folder, interface = bench.path(f"sys/{usb}"), bench.path(f"sys/{usb}/1.2")
        os.makedirs(interface, exist_ok=True)
        os.makedirs(bench.path(f"sys/class/tty/{tty}"), exist_ok=True)
        for file, text in ((f"{folder}/idVendor", "2c7c"), (f"{folder}/idProduct", product),
                           (f"{interface}/bInterfaceNumber", "02"),
                           (bench.path(f"sys/class/tty/{tty}/uevent"), f"MAJOR=188\nDEVNAME={port}")):
            bench.write(file, text + "\n")
        if not os.path.islink(bench.path(f"sys/class/tty/{tty}/device")):
            os.symlink(interface, bench.path(f"sys/class/tty/{tty}/device"))


def a_modem_that_comes_back_under_another_name_is_found_by_its_usb_id(bench):
    path = bench.write("modem.toml", ARCHIVED.replace('path   = "tty"',
                       'usb = { vendor = "2c7c", product = "0125", interface = 2 }\nsysfs = "sys"'))
    fake = Fake(bench)
    node = lambda: os.readlink(bench.path("tty")).removeprefix("/dev/")
    adapter(bench, "ttyUSB2", node())
    run = bench.start("run", path)
    fake.do("sms " + pdu("before", 0))
    fake.wait(lambda shown: not shown["store"])
    fake.do("hangup")
    shutil.rmtree(bench.path("sys/class/tty/ttyUSB2"))
    run.wait_for("no USB serial device with this id is plugged in; trying again")
    fake.do("sms " + pdu("while it was away", 1))
    held = [os.openpty() for _ in range(2)]  # so that it is another
    fake.do("plug")
    adapter(bench, "ttyUSB5", node())
    fake.wait(lambda shown: not shown["store"])
    for end in sum(held, ()):
        os.close(end)
    run.send(signal.SIGTERM)
    assert run.end() == 0, run.said
    assert sorted(row["text"] for row in rows(bench, path, "messages")) == ["before", "while it was away"]


def why_it_is_tried_again_is_told_as_it_changes(bench):
    path = bench.write("modem.toml", ARCHIVED)
    run = bench.start("run", path)
    run.wait_for("No such file or directory; trying again")
    bench.write("tty", "")
    run.wait_for("is no serial device; trying again")
    has(bench.run("status", path)[0], "[modem] the port: is no serial device")
    os.unlink(bench.path("tty"))
    fake = Fake(bench)
    run.wait_for("works again")
    fake.wait(lambda shown: "AT+CMGL=4" in shown["commands"])
    run.send(signal.SIGTERM)
    assert run.end() == 0, run.said


def results(bench, path, count):
    """What became of commands, once there are so many rows."""
    end = time.monotonic() + cases.LIMIT_S
    while True:
        try:
            found = rows(bench, path, "results")
        except AssertionError:  # no archive yet
            found = []
        if len(found) >= count:
            return found
        assert time.monotonic() < end, found
        time.sleep(0.2)


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
    outcomes = [row["outcome"] for row in results(bench, path, 2)]
    assert outcomes == ["sent", "delivered"], outcomes
    run.send(signal.SIGTERM)
    assert run.end() == 0, run.said
    has(run.said, "balanced: ")


def alert_that_waits(bench, text):
    """A run whose modem is ready, in no network, and holds an alert; and the modem."""
    path = bench.write("alert.toml", text)
    bench.write("numbers.csv", "spo2\n97\n84\n84\n")
    fake = Fake(bench)
    fake.do("set registration 2")
    run = bench.start("run", path)
    fake.wait(lambda shown: "AT+CMGL=4" in shown["commands"])
    end = time.monotonic() + cases.LIMIT_S
    while not re.search(r"^modem +in_modem +\d+ +0 +0 +1 ", bench.run("status", path)[0], re.MULTILINE):
        assert time.monotonic() < end, bench.run("status", path)[0]
        time.sleep(0.1)
    return path, fake, run


def an_alert_whose_numbers_are_taken_away_becomes_a_dead_letter(bench):
    """With the rules that gave it, by a reload and while it does not run."""
    text = ALERTING.replace(" LABEL", "")
    for folder, is_reloaded in (("reload", True), ("restart", False)):
        os.mkdir(bench.path(folder))
        one = cases.Bench(bench.path(folder))
        try:
            path, fake, run = alert_that_waits(one, text)
            if not is_reloaded:
                run.send(signal.SIGTERM)
                assert run.end() == 0, run.said
            alone = text[:text.index("[source.numbers]")] + text[text.index("[source.modem]"):]
            one.write("alert.toml", alone.replace('from     = { commands = "rules.alerts" }', "")
                      .replace('["+391234567"]', "[]"))
            if is_reloaded:
                one.run("reload", path)
            else:
                run = one.start("run", path)
            assert [(row["outcome"], row["why"]) for row in results(one, path, 1)] == [
                ("nobody", "alert_to names no number any more")]
            fake.do("set registration 1")
            run.send(signal.SIGTERM)
            assert run.end() == 0, run.said
            has(run.said, "balanced: ")
            has(one.run("dlq", "ls", path)[0], "nobody")
            assert fake.do("show")["sent"] == []
        finally:
            one.close()


def an_alert_that_waits_goes_to_the_numbers_as_they_are_then(bench):
    text = ALERTING.replace(" LABEL", "")
    path, fake, run = alert_that_waits(bench, text)
    bench.write("alert.toml", text.replace('"+391234567"', '"+3955", "+3966"'))
    bench.run("reload", path)
    fake.do("set registration 1")
    assert [(row["outcome"], row["to"]) for row in results(bench, path, 2)] == [("sent", "+3955"), ("sent", "+3966")]
    run.send(signal.SIGTERM)
    assert run.end() == 0, run.said
    has(run.said, "balanced: ")


def an_alert_that_names_patient_data_does_not_go_out(bench):
    path = bench.write("alert.toml", ALERTING.replace(" LABEL", ', label = "phi"'))
    bench.write("numbers.csv", "spo2\n97\n")
    out, err = bench.run("check", path, code=2)
    has(out + err, "[modem] patient data would leave this node", "column text")


# These take their time, and are run by modem_soak.py.
SLOW = (a_modem_that_comes_back_under_another_name_is_found_by_its_usb_id,
        an_alert_whose_numbers_are_taken_away_becomes_a_dead_letter,
        an_alert_that_waits_goes_to_the_numbers_as_they_are_then)

if __name__ == "__main__":
    cases.main(messages_arrive_once_whatever_happens, what_came_as_its_process_died_is_taken_at_once,
               why_it_is_tried_again_is_told_as_it_changes,
               alerts_of_rules_leave_as_messages_and_reports_come_back,
               an_alert_that_names_patient_data_does_not_go_out)
