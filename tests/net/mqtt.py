"""mqtt.py - out_mqtt and in_mqtt beside a real mosquitto, with what goes wrong on the way.

What counts is the far end: which messages a subscriber has, which lines a file. Lost is what
was made and is not there, invented what is there and was not made, altered what is there in
another form, and a second one must have the id of the first and, from out_mqtt, its mark.

    MQTT_KILLS   of each family, 3 by default
    MQTT_SEED    of what is random, 1 by default
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../pipeline"), HERE]

import cases
import tls_servers
from cases import Skip, has
from mqtt_broker import Broker, Listener, Slowly, free_port, ident, is_resent, is_there, wait_until

KILLS, SEED = int(os.environ.get("MQTT_KILLS", "3")), int(os.environ.get("MQTT_SEED", "1"))
NAMES = ("good", "expired", "not_yet_valid", "wrong_host", "self_signed", "wrong_ca")
PKI = {}


def pki(bench):
    """Certificates, made once."""
    if not is_there():
        raise Skip("no mosquitto, mosquitto_pub, mosquitto_sub or openssl here (packages mosquitto, mosquitto-clients)")
    plugins = subprocess.run([cases.PROGRAM, "plugin", "list"], env=bench.env, capture_output=True, text=True, check=False).stdout
    if "out_mqtt" not in plugins or "in_mqtt" not in plugins:
        raise Skip("this build has no out_mqtt and in_mqtt (libmosquitto-dev, libpaho-mqtt-dev)")
    if not PKI:
        import tempfile
        PKI["keep"] = tempfile.TemporaryDirectory(prefix="afferent-mqtt-")
        tls_servers.make_all(PKI["keep"].name)
    return PKI["keep"].name


def rows(count):
    return "n,hr\n" + "".join(f"{i},{60 + i % 40}.5\n" for i in range(count))


def sender(bench, folder, port, extra="", source="", name="out"):
    """rows.csv, to a broker."""
    return bench.write(f"{name}.toml", f"""
[pipeline]
name = "{name}"
commit_every = "20ms"
commit_records = 16
[source.rows]
plugin = "in_file"
path = "rows.csv"
as = "lines"
{source}
[processor.table]
plugin = "op_csv"
from = "rows"
columns = [{{ name = "n", type = "int" }}, {{ name = "hr", type = "real", unit = "/min" }}]
[sink.broker]
plugin = "out_mqtt"
from = "table"
broker = "mqtts://localhost:{port}"
ca = "{folder}/ca.pem"
topic = "ward/{{subject}}/{{stream}}"
edge = {{ when_full = "spill" }}
run = {{ allow_phi = "a test", isolation = "thread" }}
{extra}
""")


def receiver(bench, folder, port, extra="", name="in", topics='["ward/#"]'):
    """From a broker into got.jsonl."""
    return bench.write(f"{name}.toml", f"""
[pipeline]
name = "{name}"
commit_every = "20ms"
[source.broker]
plugin = "in_mqtt"
broker = "mqtts://localhost:{port}"
ca = "{folder}/ca.pem"
client_id = "gateway"
topics = {topics}
subject = "{{2}}"
stream = "{{3}}"
run = {{ durable = true, isolation = "thread" }}
{extra}
[sink.file]
plugin = "out_file"
from = "broker"
path = "got.jsonl"
format = "jsonl"
ids = true
run = {{ isolation = "thread" }}
""")


def got(bench, name="got.jsonl"):
    path = bench.path(name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f.read().split("\n")[:-1]]


def judge_messages(lines, count, broker=None):
    """Of what a subscriber has of rows(count). Gives lost, invented, altered, unmarked. What the broker
    itself sent to the subscriber a second time (DUP in its log) has no mark of the sender."""
    found, first, altered, unmarked, twice = {}, {}, 0, 0, 0
    for line in lines:
        row = json.loads(line[2])
        n = row["data"]["n"]
        altered += row["data"]["hr"] != 60.5 + n % 40 or row["id"] != ident(line)
        if ident(line) in first:
            twice += 1
            unmarked += not is_resent(line)
            altered += first[ident(line)] != line[2]
        first.setdefault(ident(line), line[2])
        found.setdefault(n, set()).add(ident(line))
    unmarked = max(0, unmarked - (broker.said().count("Sending PUBLISH to far-end (d1,") if broker else 0))
    lost = sum(n not in found for n in range(count))
    invented = sum(n not in range(count) for n in found) + sum(len(ids) - 1 for ids in found.values())
    print(f"  {len(lines)} messages: lost {lost}, invented {invented}, altered {altered}, unmarked {unmarked}, twice {twice}")
    return lost, invented, altered, unmarked


def judge_lines(lines, texts):
    """Of what in_mqtt handed on. A second line must be the first one."""
    by_id, by_text = {}, {}
    altered = 0
    for line in lines:
        text = line["data"].get("text")
        altered += by_id.setdefault(line["id"], text) != text
        by_text.setdefault(text, set()).add(line["id"])
    lost = sum(text not in by_text for text in texts)
    invented = sum(text not in set(texts) for text in by_text) + sum(len(ids) - 1 for ids in by_text.values())
    print(f"  {len(lines)} lines: lost {lost}, invented {invented}, altered {altered}, twice {len(lines) - len(by_id)}")
    return lost, invented, altered


# ---- the plain way ----


def rows_go_through_a_broker_and_come_out_as_they_were(bench):
    folder = pki(bench)
    bench.write("rows.csv", rows(200))
    with Broker(bench.folder, folder) as broker:
        to_file = bench.start("run", receiver(bench, folder, broker.tls))
        wait_until(lambda: "Sending SUBACK to gateway" in broker.said(), broker.said)
        bench.run("run", sender(bench, folder, broker.tls))
        wait_until(lambda: len(got(bench)) >= 200, lambda: to_file.said + broker.said()[-2000:])
        to_file.send(signal.SIGTERM)
        assert to_file.end() == 0, to_file.said
    texts = [json.loads(line["data"]["text"]) for line in got(bench)]
    assert [text["data"] for text in texts] == [{"n": i, "hr": 60.5 + i % 40} for i in range(200)]
    assert [text["time"] for text in texts] == [line["time"] for line in got(bench)], "the event time is the record's"
    assert {(line["subject"], line["stream"]) for line in got(bench)} == {("rows", "file/rows")}
    assert len({line["id"] for line in got(bench)}) == 200


def version_3_1_1_works_as_well(bench):
    folder = pki(bench)
    bench.write("rows.csv", rows(50))
    with Broker(bench.folder, folder) as broker:
        to_file = bench.start("run", receiver(bench, folder, broker.tls, 'version = "3.1.1"'))
        wait_until(lambda: "Sending SUBACK to gateway" in broker.said(), broker.said)
        bench.run("run", sender(bench, folder, broker.tls, 'version = "3.1.1"'))
        wait_until(lambda: len(got(bench)) >= 50, lambda: to_file.said + broker.said()[-2000:])
    assert sorted(json.loads(line["data"]["text"])["data"]["n"] for line in got(bench)) == list(range(50))


def a_broker_that_takes_one_at_a_time_gets_all(bench):
    folder = pki(bench)
    bench.write("rows.csv", rows(300))
    with Broker(bench.folder, folder, ["max_inflight_messages 1"]) as broker, Listener(broker, "ward/#") as far:
        bench.run("run", sender(bench, folder, broker.tls))
        far.wait_count(300)
        assert judge_messages(far.lines, 300) == (0, 0, 0, 0)


def a_client_certificate_and_a_password_open_the_door(bench):
    folder = pki(bench)
    bench.write("rows.csv", rows(5))
    words = bench.path("words")
    subprocess.run(["mosquitto_passwd", "-b", "-c", words, "ward", "right"], check=True, capture_output=True)
    os.chmod(words, 0o644)
    login = f'user = "ward"\npassword = "right"\ncertificate = "{folder}/client.pem"\nkey = "{folder}/client.key"'
    with Broker(bench.folder, folder, [f"password_file {words}"], anonymous=False) as broker:
        with open(broker.config, "a", encoding="utf-8") as f:
            f.write("require_certificate true\n")
        broker.stop()
        broker.start()
        bench.run("run", sender(bench, folder, broker.tls, login))
        assert "u'ward'" in broker.said(), broker.said()


# ---- who is refused ----


def is_waiting(run, words):
    run.wait_for(words)
    run.send(signal.SIGKILL)
    run.end()


def a_wrong_password_is_named_and_nothing_is_lost(bench):
    folder = pki(bench)
    bench.write("rows.csv", rows(5))
    words = bench.path("words")
    subprocess.run(["mosquitto_passwd", "-b", "-c", words, "ward", "right"], check=True, capture_output=True)
    os.chmod(words, 0o644)
    with Broker(bench.folder, folder, [f"password_file {words}"], anonymous=False) as broker:
        for pipeline in (sender(bench, folder, broker.tls, 'user = "ward"\npassword = "wrong-secret"'),
                         receiver(bench, folder, broker.tls, 'user = "ward"\npassword = "wrong-secret"')):
            run = bench.start("run", pipeline)
            run.wait_for("the broker refuses the connection: not authorised")
            run.send(signal.SIGKILL)
            run.end()
            assert "wrong-secret" not in run.said, run.said
        bench.run("run", sender(bench, folder, broker.tls, 'user = "ward"\npassword = "right"'))


def bad_servers_are_told_nothing(bench):
    folder = pki(bench)
    bench.write("rows.csv", rows(5))
    for name in NAMES[1:]:
        with Broker(bench.folder, folder, certificate=name) as broker:
            is_waiting(bench.start("run", sender(bench, folder, broker.tls)), "no TLS with the broker")
            is_waiting(bench.start("run", receiver(bench, folder, broker.tls)), "no TLS with the broker")
            assert "New client connected" not in broker.said(), name


def any_server_is_taken_only_where_the_option_says_so(bench):
    folder = pki(bench)
    bench.write("rows.csv", rows(5))
    with Broker(bench.folder, folder, certificate="self_signed") as broker:
        toml = sender(bench, folder, broker.tls, "accept_any_server = true")
        text = open(toml, encoding="utf-8").read().replace(f'ca = "{folder}/ca.pem"\n', "")
        out, said = bench.run("check", bench.write("any.toml", text), code=2)
        has(out + said, "run.allow_phi is given, but nothing proves who is at the other end")


def a_topic_that_is_not_allowed_makes_dead_letters_of_those_alone(bench):
    folder = pki(bench)
    bench.write("rows.csv", rows(10))
    rules = bench.write("rules", "topic read #\ntopic write other/#\n")
    with Broker(bench.folder, folder, [f"acl_file {rules}"]) as broker:
        _, said = bench.run("run", sender(bench, folder, broker.tls))
        has(said, "refused 10", "not authorised")
        out, _ = bench.run("dlq", "ls", bench.path("out.toml"))
        assert out.count("broker") >= 10, out
        assert out.count("not authorised") == 10, out


def too_large(bench, limit, extra, name):
    """Of 20 rows the eighth is too large for the broker: it alone is a dead letter."""
    folder = pki(bench)
    bench.write("rows.csv", "n,note\n" + "".join(f"{i},{'x' * (900 if i == 7 else 9)}\n" for i in range(20)))
    with Broker(bench.folder, folder, [limit]) as broker, Listener(broker, "ward/#", name) as far:
        toml = sender(bench, folder, broker.tls, extra, name=name)
        with open(toml, encoding="utf-8") as f:
            text = f.read().replace('name = "hr", type = "real", unit = "/min"', 'name = "note", type = "text"')
        bench.write(name + ".toml", text)
        _, said = bench.run("run", toml)
        wait_until(lambda: len({json.loads(line[2])["data"]["n"] for line in far.lines}) >= 19, said)
        assert {json.loads(line[2])["data"]["n"] for line in far.lines} == {i for i in range(20) if i != 7}, limit
        has(said, "refused 1" if limit.startswith("message") or extra else "refused 0")
        out, _ = bench.run("dlq", "ls", toml)
        assert sum("broker" in line and "20" in line for line in out.split("\n")) == 1, out


def what_is_too_large_for_the_broker_is_set_aside_alone(bench):
    too_large(bench, "max_packet_size 700", "", "announced")
    too_large(bench, "message_size_limit 600", "", "answered")


def one_that_ends_each_connection_is_set_aside_alone(bench):
    """Version 3.1.1 has no reasons: the broker ends the connection, and again."""
    too_large(bench, "max_packet_size 700", 'version = "3.1.1"', "ended")


# ---- what dies ----


def a_sender_that_is_killed_loses_nothing(bench):
    folder, count, chance = pki(bench), 1500, random.Random(SEED)
    bench.write("rows.csv", rows(count))
    with Broker(bench.folder, folder) as broker, Listener(broker, "ward/#") as far, Slowly(broker.tls, "slow:300000") as way:
        toml = sender(bench, folder, way.port)
        landed = []
        for _ in range(KILLS):
            run = bench.start("run", toml)
            before = len(far.lines)
            wait_until(lambda: len(far.lines) > before + chance.randint(1, 150) or run.process.poll() is not None, broker.said)
            run.send(signal.SIGKILL)
            run.end()
            landed.append(len(far.lines))
        print("  killed behind messages", landed)
        _, said = bench.run("run", toml)
        far.wait_count(count, lambda: said)
        assert judge_messages(far.lines, count) == (0, 0, 0, 0), said


def a_broker_that_is_stopped_and_comes_back_gets_the_rest(bench):
    folder, count, chance = pki(bench), 1500, random.Random(SEED)
    bench.write("rows.csv", rows(count))
    lines = ["persistence true", f"persistence_location {bench.folder}/", "autosave_interval 1", "autosave_on_changes true"]
    with Broker(bench.folder, folder, lines) as broker, Listener(broker, "ward/#") as far, Slowly(broker.tls, "slow:300000") as way:
        run = bench.start("run", sender(bench, folder, way.port))
        for _ in range(KILLS):
            before = len(far.lines)
            wait_until(lambda: len(far.lines) > before + chance.randint(1, 150) or run.process.poll() is not None, broker.said)
            broker.stop()
            time.sleep(0.3)
            broker.start()
        assert run.end() == 0, run.said
        far.wait_count(count, lambda: run.said)
        assert judge_messages(far.lines, count, broker) == (0, 0, 0, 0), run.said


def a_broker_that_is_killed_loses_at_most_what_it_had_taken(bench):
    folder, count, chance = pki(bench), 1500, random.Random(SEED)
    bench.write("rows.csv", rows(count))
    lines = ["persistence true", f"persistence_location {bench.folder}/", "autosave_interval 1", "autosave_on_changes true"]
    with Broker(bench.folder, folder, lines) as broker, Listener(broker, "ward/#") as far, Slowly(broker.tls, "slow:300000") as way:
        run = bench.start("run", sender(bench, folder, way.port))
        for _ in range(KILLS):
            before = len(far.lines)
            wait_until(lambda: len(far.lines) > before + chance.randint(1, 150) or run.process.poll() is not None, broker.said)
            # A broker that forgot the far end's session hands on nothing until that one is back.
            sessions = far.subscribed()
            way.modes("reset:0")
            broker.stop(kill=True)
            broker.start()
            wait_until(lambda: far.subscribed() > sessions, broker.said)
            way.modes("slow:300000")
        assert run.end() == 0, run.said
        time.sleep(0.5)
        lost, invented, altered, unmarked = judge_messages(far.lines, count, broker)
        acked = broker.said().count("Sending PUBACK to auto-")
        assert (invented, altered, unmarked) == (0, 0, 0), run.said
        assert acked >= count and lost <= KILLS * 100, (lost, acked)


def a_receiver_that_is_killed_loses_nothing(bench):
    folder, count, chance = pki(bench), 600, random.Random(SEED)
    texts = [f"message {i}" for i in range(count)]
    with Broker(bench.folder, folder, ["max_queued_messages 100000"]) as broker:
        toml = receiver(bench, folder, broker.tls)
        run = bench.start("run", toml)
        wait_until(lambda: "Sending SUBACK to gateway" in broker.said(), broker.said)
        for turn in range(KILLS):
            came, some = publish_share(bench, broker, texts, turn), chance.randint(1, 60)
            wait_until(lambda: len(got(bench)) > came + some, lambda: run.said)
            time.sleep(chance.random() * 0.01)
            run.send(signal.SIGKILL)
            run.end()
            run = bench.start("run", toml)
        wait_until(lambda: len({line["data"]["text"] for line in got(bench)}) >= count, lambda: run.said)
        run.send(signal.SIGTERM)
        assert run.end() == 0, run.said
        print("  ", [line for line in run.said.split("\n") if "again" in line])
    assert judge_lines(got(bench), texts) == (0, 0, 0)


def publish_share(bench, broker, texts, turn):
    """A share of the texts for each of KILLS turns: so there is something to wait for in each, however quick the receiver
    was in those before. Gives how many lines had come by then."""
    came, share = len(got(bench)), len(texts) // KILLS
    broker.publish("ward/bed-1/note", texts[turn * share:(turn + 1) * share])
    return came


ARCHIVE = """[sink.archive]
plugin = "out_lmdb"
from = "broker"
path = "archive.lmdb"
run = { isolation = "thread" }
"""


def archived(bench, toml):
    """Texts in the archive, as often as they are there."""
    lines = bench.run("query", toml, "--format", "json")[0].splitlines()
    return [bytes.fromhex(json.loads(line)["hex"]).decode() for line in lines]


def an_archive_has_each_message_once_though_nobody_gave_it_a_time(bench):
    folder, count, chance = pki(bench), 100 * KILLS, random.Random(SEED)
    texts = [f"message {i}" for i in range(count)]
    with Broker(bench.folder, folder, ["max_queued_messages 100000"]) as broker:
        toml = receiver(bench, folder, broker.tls)
        with open(toml, "a", encoding="utf-8") as f:
            f.write(ARCHIVE)
        run = bench.start("run", toml)
        wait_until(lambda: "Sending SUBACK to gateway" in broker.said(), broker.said)
        for turn in range(KILLS):
            came = publish_share(bench, broker, texts, turn)
            for _ in range(4):
                some = chance.randint(1, 20)
                wait_until(lambda: len(got(bench)) >= came + some, lambda: run.said)
                time.sleep(chance.random() * 0.005)
                run.send(signal.SIGKILL)
                run.end()
                run = bench.start("run", toml)
                came += some
        wait_until(lambda: len({line["data"]["text"] for line in got(bench)}) >= count, lambda: run.said)
        run.send(signal.SIGTERM)
        assert run.end() == 0, run.said
    lines = got(bench)
    times = {line["id"]: line["time"] for line in lines}
    assert all(times[line["id"]] == line["time"] for line in lines), "one id, one time"
    kept = archived(bench, toml)
    print(f"  {len(kept)} in the archive; {len(lines) - len(times)} came to the file twice")
    assert sorted(kept) == sorted(texts)


def a_broker_that_stops_while_messages_wait_gives_them_to_the_receiver_later(bench):
    folder, count = pki(bench), 100 * KILLS
    texts = [f"message {i}" for i in range(count)]
    lines = ["persistence true", f"persistence_location {bench.folder}/", "max_queued_messages 100000"]
    with Broker(bench.folder, folder, lines) as broker:
        run = bench.start("run", receiver(bench, folder, broker.tls))
        wait_until(lambda: "Sending SUBACK to gateway" in broker.said(), broker.said)
        for turn in range(KILLS):
            came = publish_share(bench, broker, texts, turn)
            wait_until(lambda: len(got(bench)) > came + 20, lambda: run.said)
            broker.stop()
            broker.start()
        wait_until(lambda: len({line["data"]["text"] for line in got(bench)}) >= count, lambda: run.said + broker.said()[-3000:])
        run.send(signal.SIGTERM)
        assert run.end() == 0, run.said
    assert judge_lines(got(bench), texts) == (0, 0, 0)


def a_receiver_that_is_stopped_in_mid_flow_goes_on_where_it_was(bench):
    folder, count = pki(bench), 120 * KILLS
    texts = [f"message {i}" for i in range(count)]
    with Broker(bench.folder, folder, ["max_queued_messages 100000"]) as broker:
        toml = receiver(bench, folder, broker.tls)
        run = bench.start("run", toml)
        wait_until(lambda: "Sending SUBACK to gateway" in broker.said(), broker.said)
        for turn in range(KILLS):
            came = publish_share(bench, broker, texts, turn)
            wait_until(lambda: len(got(bench)) > came + 20, lambda: run.said)
            begin = time.monotonic()
            run.send(signal.SIGTERM)
            assert run.end() == 0 and time.monotonic() - begin < 15, run.said
            run = bench.start("run", toml)
        wait_until(lambda: len(got(bench)) >= count, lambda: run.said)
        run.send(signal.SIGTERM)
        assert run.end() == 0, run.said
    lines = got(bench)
    assert judge_lines(lines, texts) == (0, 0, 0)
    assert len(lines) == count, "stopped in order, nothing comes twice"


def a_receiver_whose_options_change_goes_on_in_mid_flow(bench):
    folder, count = pki(bench), 3000
    texts = [f"message {i}" for i in range(count)]
    with Broker(bench.folder, folder, ["max_queued_messages 100000"]) as broker:
        toml = receiver(bench, folder, broker.tls, "remember = 512")
        run = bench.start("run", toml)
        wait_until(lambda: "Sending SUBACK to gateway" in broker.said(), broker.said)
        broker.publish("ward/bed-1/note", texts)
        wait_until(lambda: len(got(bench)) > 20, lambda: run.said)
        with open(toml, encoding="utf-8") as f:
            text = f.read()
        bench.write("in.toml", text.replace("remember = 512", "remember = 600"))
        bench.run("reload", toml)
        wait_until(lambda: len({line["data"]["text"] for line in got(bench)}) >= count, lambda: f"{len(got(bench))}: {run.said}")
        run.send(signal.SIGTERM)
        assert run.end() == 0, run.said
    assert judge_lines(got(bench), texts) == (0, 0, 0)


def a_time_that_is_none_is_not_made_up(bench):
    folder = pki(bench)
    with Broker(bench.folder, folder) as broker:
        toml = receiver(bench, folder, broker.tls)
        run = bench.start("run", toml)
        wait_until(lambda: "Sending SUBACK to gateway" in broker.said(), broker.said)
        for time_ in ("12:30", "-1", "1700000000000000000", "9223372036854775808"):
            broker.publish("ward/bed-1/note", ["at " + time_], "-D", "publish", "user-property", "afferent-time", time_)
        wait_until(lambda: bench.run("dlq", "ls", toml)[0].count("bad_time") == 3, lambda: run.said)
        run.send(signal.SIGTERM)
        assert run.end() == 0, run.said
    assert [(line["data"]["text"], line["time"]) for line in got(bench)] == [("at 1700000000000000000", "2023-11-14T22:13:20Z")]


def two_receivers_in_one_process_do_not_stand_still(bench):
    folder = pki(bench)
    texts = [f"message {i}" for i in range(100)]
    with Broker(bench.folder, folder) as broker:
        toml = receiver(bench, folder, broker.tls, topics='["ward/one"]')
        with open(toml, encoding="utf-8") as f:
            text = f.read()
        second = text[text.index("[source.broker]"):text.index("[sink.file]")]
        for was, now in (("source.broker", "source.other"), ('"gateway"', '"gateway-2"'), ("ward/one", "ward/two")):
            second = second.replace(was, now)
        text = text.replace("durable = true, ", "").replace('from = "broker"', 'from = ["broker", "other"]') + second.replace("durable = true, ", "")
        bench.write("in.toml", text.replace('subject = "{2}"', 'subject = "bed"').replace('stream = "{3}"', 'stream = "{2}"'))
        run = bench.start("run", toml)
        wait_until(lambda: broker.said().count("Sending SUBACK to gateway") == 2, lambda: run.said + broker.said())
        senders = [subprocess.Popen(["mosquitto_pub", "-p", str(broker.plain), "-V", "5", "-q", "1", "-t", f"ward/{name}", "-l"],
                                    stdin=subprocess.PIPE) for name in ("one", "two")]
        for sender_, name in zip(senders, ("one", "two")):
            sender_.communicate("".join(f"{name} {text}\n" for text in texts).encode(), timeout=60)
        wait_until(lambda: len(got(bench)) >= 200, lambda: f"{len(got(bench))}: {run.said}")
        run.send(signal.SIGTERM)
        assert run.end() == 0, run.said
    assert judge_lines(got(bench), [f"{name} {text}" for name in ("one", "two") for text in texts]) == (0, 0, 0)


def links_that_break_lose_nothing(bench):
    """Resets, orderly ends and silences in the middle of what is sent, by proxy.py."""
    folder, count = pki(bench), 400
    bench.write("rows.csv", rows(count))
    with Broker(bench.folder, folder) as broker, Listener(broker, "ward/#") as far, \
            Slowly(broker.tls, "reset:20000", "cut:9000", "reset:3000", "reset:60000", "cut:12000", "pass") as way:
        _, said = bench.run("run", sender(bench, folder, way.port))
        far.wait_count(count, lambda: said)
        assert judge_messages(far.lines, count, broker) == (0, 0, 0, 0), said
        has(said, "refused 0")


def few_answers(listener):
    """A broker of 3.1.1 that answers for one topic of each packet, whatever was asked, and sends a message."""
    with listener, listener.accept()[0] as s:
        for head in iter(lambda: s.recv(2), b""):
            body = s.recv(head[1]) if head[1] else b""
            if head[0] == 0x10:
                s.sendall(b"\x20\2\0\0")
            elif head[0] == 0x82:
                s.sendall(b"\x90\3" + body[:2] + b"\1" + b"\x32\x0a\0\5a/b/c" + body[:2] + b"x")


def a_broker_that_answers_for_fewer_topics_than_asked_ends_nothing(bench):
    """The library does not say how many answers there were: once that was a read of memory that is none."""
    pki(bench)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    threading.Thread(target=few_answers, args=(listener,), daemon=True).start()
    toml = receiver(bench, "", port, 'version = "3.1.1"', topics='["a/#", "b/#"]')
    with open(toml, encoding="utf-8") as f:
        text = f.read().replace("mqtts://", "mqtt://").replace('ca = "/ca.pem"\n', "")
    process = bench.start("run", bench.write("in.toml", text.replace("localhost", "127.0.0.1")))
    wait_until(lambda: process.process.poll() is not None or got(bench), "nothing came")
    process.send(signal.SIGTERM)
    assert process.end() == 0, process.said


cases.main(
    rows_go_through_a_broker_and_come_out_as_they_were,
    version_3_1_1_works_as_well,
    a_broker_that_takes_one_at_a_time_gets_all,
    a_client_certificate_and_a_password_open_the_door,
    a_wrong_password_is_named_and_nothing_is_lost,
    bad_servers_are_told_nothing,
    any_server_is_taken_only_where_the_option_says_so,
    a_topic_that_is_not_allowed_makes_dead_letters_of_those_alone,
    what_is_too_large_for_the_broker_is_set_aside_alone,
    one_that_ends_each_connection_is_set_aside_alone,
    a_sender_that_is_killed_loses_nothing,
    a_broker_that_is_stopped_and_comes_back_gets_the_rest,
    a_broker_that_is_killed_loses_at_most_what_it_had_taken,
    a_receiver_that_is_killed_loses_nothing,
    an_archive_has_each_message_once_though_nobody_gave_it_a_time,
    a_broker_that_stops_while_messages_wait_gives_them_to_the_receiver_later,
    a_receiver_that_is_stopped_in_mid_flow_goes_on_where_it_was,
    a_receiver_whose_options_change_goes_on_in_mid_flow,
    a_time_that_is_none_is_not_made_up,
    two_receivers_in_one_process_do_not_stand_still,
    links_that_break_lose_nothing,
    a_broker_that_answers_for_fewer_topics_than_asked_ends_nothing,
)
