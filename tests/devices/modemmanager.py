"""modemmanager.py - a modem behind the real ModemManager, as in_modem's backend for it sees it.

The daemon is Debian's; the modem is a script on two ptys. Shown: values, messages in
and out, USSD, a data session, and a pipeline; faults are in modemmanager_faults.py.
"""

import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../pipeline"))

import cases
from cases import Skip, has
from modemmanager_modem import deliver, deliver_long
from modemmanager_world import Talk, World, wait_until

PIPELINE = """
[pipeline]
name = "managed-modem"
store_limit = "64MiB"

[source.numbers]
plugin  = "in_file"
path    = "numbers.csv"
subject = "monitor"
follow  = true

[processor.rows]
plugin  = "op_csv"
from    = "numbers"
columns = [{ name = "spo2", type = "int" }]

[processor.rules]
plugin = "op_alert"
from   = "rows"
place  = "bed 3"
rules  = [{ name = "low", column = "spo2", below = 90, severity = "high", text = "SpO2 {spo2}" }]

[source.modem]
plugin   = "in_modem"
backend  = "modemmanager"
every    = "1s"
from     = { commands = "rules.alerts" }
alert_to = ["+15550002"]
run      = { isolation = "thread" }  # a process of its own has no way to the bus

[sink.archive]
plugin = "out_lmdb"
from   = ["modem.data", "modem.results", "modem.events", "modem.status"]
path   = "archive.lmdb"
"""

NUMBER = "+15550002"
FINE = 0
SIM_READY = 0
STAMP_NS = 1772642405 * 10**9  # 2026-03-04 17:40:05 +01:00


def hexed(text):
    return text.encode().hex()


def ready(bench, *args):
    """A world whose modem is registered, and who looks at it."""
    world = World(bench)
    world.start_bus()
    world.start_daemon()
    talk = Talk(world, *args)
    talk.wait_state(presence="there", usable=1, registration=1)
    return world, talk


def values_of_the_modem_come_up(bench):
    world, talk = ready(bench)
    talk.wait_state(operator="Afferent Mobile", technology=7, rsrp=-91, rsrq=-100, imsi="001010123456789", quality=64)
    want = {"maker": "Afferent test", "model": "Scripted", "firmware": "1.0", "imei": "490154203237518",
            "iccid": "8901002345678901234", "sim": str(SIM_READY), "connected": "0", "trouble": ""}
    assert {k: talk.state[k] for k in want} == want, talk.state
    assert talk.state["port"] in [port.name for port in world.modem.ports]
    world.modem.registered = 5
    world.modem.code('+CREG: 5,"00C3","0000A1B2",7')
    talk.wait_state(registration=5)
    reply = talk.reply("time")
    assert (reply["fault"], reply["clock"]) == ("0", str(1772642400 * 10**9 - 0)), reply
    talk.end()


def messages_come_whole_and_stay_in_the_modem_until_they_are_safe(bench):
    world, talk = ready(bench)
    texts = ["Grüße: {€} [ok]", "Пульс 38 – приходите", "0123456789 " * 40]
    world.modem.receive(deliver(texts[0]))
    world.modem.receive(deliver(texts[1]))
    parts = deliver_long(texts[2], 150)
    world.modem.receive(*reversed(parts[1:]))
    got = {m["text"]: m for m in (talk.next("message"), talk.next("message"))}
    talk.wait_state(incomplete=1)
    world.modem.receive(parts[0])
    last = talk.next("message")
    got[last["text"]] = last
    assert sorted(got) == sorted(texts), got
    for message in got.values():
        assert (message["number"], message["time"], message["zone"]) == (NUMBER, str(STAMP_NS), "60"), message
    assert len(world.modem.store) == 2 + len(parts)
    talk.forget(got[texts[0]]["key"])
    talk.forget(last["key"])
    wait_until("two messages are deleted", lambda: len(world.modem.store) == 1)
    talk.none("message", 1)
    talk.wait_state(incomplete=0)
    talk.end()


def a_long_alert_goes_out_in_parts_and_its_reports_come_back(bench):
    world, talk = ready(bench)
    text = "ALARM Bett 4: Puls 38 {tief} – sofort " * 6
    number = talk.ask("send", NUMBER, 1, hexed(text))
    reply = talk.next("reply")
    assert (reply["id"], reply["fault"]) == (number, "0"), reply
    sent = sorted(world.modem.sent, key=lambda m: m["place"][1])
    assert "".join(m["text"] for m in sent) == text and len(sent) > 1, sent
    # The daemon asks for a report of the last part alone.
    assert {m["number"] for m in sent} == {"15550002"} and [m["report"] for m in sent] == [False] * (len(sent) - 1) + [True], sent
    assert int(reply["reference"]) == sent[-1]["reference"], (reply, sent)
    world.modem.report(sent[-1])
    report = talk.next("report")
    assert (report["id"], report["status"], report["reference"]) == (number, "0", reply["reference"]), report
    talk.forget(report["key"])
    short = talk.reply("send", NUMBER, 1, hexed("kurz"))
    world.modem.report(world.modem.sent[-1], status=0x41)
    report = talk.next("report")
    assert (report["id"], report["status"]) == (short["id"], "65"), report
    talk.end()


def ussd_asks_and_answers(bench):
    _, talk = ready(bench)
    reply = talk.reply("ussd", hexed("*100#"))
    assert (reply["fault"], reply["text"], reply["ussd"]) == ("0", "Balance 12.50", "0"), reply
    reply = talk.reply("ussd", hexed("*101#"))
    assert (reply["fault"], reply["text"], reply["ussd"]) == ("0", "Menu: 1 or 2", "1"), reply
    reply = talk.reply("answer", hexed("1"))
    assert (reply["fault"], reply["text"], reply["ussd"]) == ("0", "You chose 1", "0"), reply
    talk.end()


def a_data_session_is_a_link_by_ppp(bench):
    world, talk = ready(bench)
    reply = talk.reply("connect", "internet")
    assert reply["fault"] == str(FINE), reply
    talk.wait_state(connected=1, ppp=1)
    assert talk.state["interface"] in [port.name for port in world.modem.ports], talk.state
    assert any(line.startswith("ATD*99") for line in world.modem.asked), world.modem.asked
    assert talk.reply("disconnect")["fault"] == str(FINE)
    talk.wait_state(connected=0)
    talk.end()


def rows(bench, path, stream):
    """What the archive has; nothing while there is none."""
    try:
        out, _ = bench.run("query", path, "--stream", stream, "--format", "json")
    except AssertionError:
        return []
    return [json.loads(line)["values"] for line in out.splitlines()]


def a_pipeline_keeps_messages_and_sends_alerts(bench):
    if "modemmanager" not in bench.run("plugin", "info", "in_modem")[0]:
        raise Skip("in_modem has no backend for ModemManager in this build")
    world = World(bench)
    world.start_bus()
    world.start_daemon()
    path, long = bench.write("managed.toml", PIPELINE), "0123456789 " * 40
    numbers = bench.write("numbers.csv", "spo2\n97\n")
    run = bench.start("run", path)
    wait_until("a status of the modem", lambda: any(r.get("registration") == "registered" for r in rows(bench, path, "status")))
    world.modem.receive(deliver("Grüße"), *deliver_long(long, 150))
    wait_until("messages are safe and deleted", lambda: not world.modem.store)
    run.send(signal.SIGKILL)
    run.end()
    world.modem.receive(deliver("meanwhile"), at_once=True)
    run = bench.start("run", path)
    with open(numbers, "a", encoding="ascii") as file:
        file.write("84\n84\n")
    wait_until("the alert was sent", lambda: world.modem.sent)
    assert [(m["number"], m["report"]) for m in world.modem.sent] == [("15550002", True)], world.modem.sent
    has(world.modem.sent[0]["text"], "HIGH bed 3: SpO2 84")
    wait_until("it is told", lambda: rows(bench, path, "results"))
    world.modem.report(world.modem.sent[0])
    wait_until("the report is told", lambda: [r["outcome"] for r in rows(bench, path, "results")] == ["sent", "delivered"])
    wait_until("all is deleted", lambda: not world.modem.store)
    world.unplug()
    wait_until("the loss is told", lambda: "line_lost" in [r["kind"] for r in rows(bench, path, "events")])
    world.plug()
    wait_until("the return is told", lambda: "line_back" in [r["kind"] for r in rows(bench, path, "events")])
    run.send(signal.SIGTERM)
    assert run.end() == 0, run.said
    has(run.said, "balanced: ")
    texts = [r["text"] for r in rows(bench, path, "messages")]
    assert sorted(texts) == sorted(["Grüße", long, "meanwhile"]), texts


if __name__ == "__main__":
    cases.main(
        values_of_the_modem_come_up,
        messages_come_whole_and_stay_in_the_modem_until_they_are_safe,
        a_long_alert_goes_out_in_parts_and_its_reports_come_back,
        ussd_asks_and_answers,
        a_data_session_is_a_link_by_ppp,
        a_pipeline_keeps_messages_and_sends_alerts)
