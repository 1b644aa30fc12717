"""zmq.py - three bedside nodes and a ward gateway on the loopback, and what goes wrong there.

Each bed makes records whose bytes are known beforehand; the gateway writes down what comes
to it, and archives it. The conservation judge (tests/crash/judge.c) compares the ends of each
bed: nothing lost, invented or altered, what came twice has its id and its mark, the archive
has each record once.

    ZMQ_KILLS     of each family, 6 by default
    ZMQ_RECORDS   of a bed, while there are kills; 400 by default
    ZMQ_SEED      of what is random, 1 by default
"""

import json
import os
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../pipeline"), os.path.join(HERE, "../crash"), HERE]

import cases
from bench import LINE, OUT, Tools
from cases import Skip

KILLS, RECORDS, SEED = (int(os.environ.get("ZMQ_" + name, preset)) for name, preset in
                        (("KILLS", "6"), ("RECORDS", "400"), ("SEED", "1")))
BEDS = ("bed-1", "bed-2", "bed-3")
WARD = os.path.join(cases.PIPELINES, "ward")
NEEDED = ("crash_source", "crash_sink")
KEPT = {}


class LinkTools(Tools):
    """The judge and the two plugins that this needs; the others would cost seconds."""

    def build(self, name, files, flags):
        if name == "judge" or any(n in name for n in NEEDED):
            return super().build(name, files, flags)
        return None


def tools():
    if not KEPT:
        KEPT["folder"] = tempfile.TemporaryDirectory(prefix="afferent-zmq-")
        KEPT["tools"] = LinkTools(KEPT["folder"].name)
    return KEPT["tools"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listening(port):
    """Once somebody does."""
    end = time.monotonic() + cases.LIMIT_S
    while time.monotonic() < end:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the gateway does not listen")


class Ward:
    """A gateway, its beds, and what their far ends have."""

    def __init__(self, bench, records, extra=""):
        self.bench, self.records, self.extra = bench, records, extra
        listing = subprocess.run([cases.PROGRAM, "plugin", "list"], env=bench.env, capture_output=True, text=True, check=False)
        if "out_zmq" not in listing.stdout:
            raise Skip("this build has no out_zmq")
        bench.env["AFFERENT_PLUGIN_PATH"] = os.environ.get("AFFERENT_PLUGIN_PATH", "") + ":" + tools().plugins
        self.port = free_port()
        for name in ("gateway", *BEDS, "stranger"):
            bench.run("key", "new", "--curve", name)
        self.gateway_toml = self.write_gateway()

    def write_gateway(self):
        peers = ", ".join(f'"{bed}" = "{bed}.pub"' for bed in BEDS)
        return self.bench.write("gateway.toml", f"""
[pipeline]
name = "gateway"
store_limit = "16MiB"
commit_every = "20ms"
[source.beds]
plugin = "in_zmq"
address = "tcp://127.0.0.1:{self.port}"
key = "gateway.key"
prefix = true
peers = {{ {peers} }}
run = {{ isolation = "thread" }}
{self.extra}
[sink.archive]
plugin = "out_lmdb"
from = "beds"
path = "gateway.lmdb"
limit = "64MiB"
[sink.far]
plugin = "crash_sink"
from = "beds"
log = "far.log"
edge = {{ when_full = "spill" }}
run = {{ isolation = "thread" }}
""")

    def bed(self, name, port=0, key="", gateway="gateway.pub", pause="3ms"):
        return self.bench.write(f"{name}.toml", f"""
[pipeline]
name = "{name}"
store_limit = "16MiB"
commit_every = "20ms"
commit_records = 64
[source.in]
plugin = "crash_source"
records = {self.records}
seed = {10 + BEDS.index(name)}
burst = 8
pause = "{pause}"
made = "{name}.made"
answers = "{name}.answers"
run = {{ isolation = "thread" }}
[sink.gateway]
plugin = "out_zmq"
from = "in"
address = "tcp://127.0.0.1:{port or self.port}"
key = "{key or name}.key"
gateway_key = "{gateway}"
edge = {{ when_full = "spill", buffer = "64KiB" }}
run = {{ allow_phi = "a test", isolation = "thread" }}
""")

    def judge(self, name, whole=True):
        """What the judge counts of one bed."""
        path = self.bench.path
        out, archive = path(f"{name}.out"), path(f"{name}.jsonl")
        mine = {(line[2], line[3]) for line in lines(path(f"{name}.made"))}
        with open(out, "wb") as f:
            for line in lines(path("far.log")):
                if line[1] == OUT and ((line[2], line[3]) in mine or not self.is_known(line)):
                    f.write(LINE.pack(*line))
        text, _ = self.bench.run("query", self.gateway_toml, "--format", "json")
        with open(archive, "w", encoding="utf-8") as f:
            f.writelines(row + "\n" for row in text.splitlines() if json.loads(row)["subject"].startswith(name + "/"))
        must = ["--all"] if whole else []
        done = subprocess.run([tools().judge, "--made", path(f"{name}.made"), *must, "--out", out, "--archive", archive],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        return {k: int(v) for k, v in (part.split("=") for part in done.stdout.split())}

    def is_known(self, line):
        """Of any bed: what is of none is given to each judge, as invented."""
        if not hasattr(self, "made"):
            self.made = {(m[2], m[3]) for bed in BEDS for m in lines(self.bench.path(f"{bed}.made"))}
        return (line[2], line[3]) in self.made


def lines(path):
    if not os.path.exists(path):
        return []
    with open(path, "rb") as f:
        data = f.read()
    return [LINE.unpack_from(data, at) for at in range(0, len(data) - LINE.size + 1, LINE.size)]


def end_well(started, name):
    """By itself, and well."""
    code = started.end()
    assert code == 0, f"{name} ended with {code}:\n{started.said}"
    return started.said


def stop(started):
    started.send(15)
    return end_well(started, "the gateway")


def three_beds_are_archived_at_the_gateway_each_record_once(bench):
    ward = Ward(bench, 300)
    gateway = bench.start("run", ward.gateway_toml)
    beds = [bench.start("run", ward.bed(name)) for name in BEDS]
    for name, bed in zip(BEDS, beds):
        assert "balanced" in end_well(bed, name)
    said = stop(gateway)
    assert "refused_keys 0 connections" in said and "malformed 0 messages" in said and "duplicates 0 records" in said, said
    for name in BEDS:
        counts = ward.judge(name)
        assert counts["delivered"] == 600 and counts["resent"] == 0, counts


class Proxy:
    """proxy.py in front of the gateway."""

    def __init__(self, bench, port, *modes):
        self.process = subprocess.Popen([sys.executable, "-B", os.path.join(HERE, "proxy.py"), str(port), *modes],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        bench.started.append(self.process)
        self.port = int(self.process.stdout.readline().split()[1])

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def killed(bench, victims):
    """Kills and starts again, at random; what all said, and what the judge counts of each bed."""
    chance = random.Random(SEED)
    ward = Ward(bench, RECORDS)
    proxy = Proxy(bench, ward.port, "reset:9000", "cut:3000", "reset:30000", "pass", "cut:1500")
    tomls = {name: ward.bed(name, port=proxy.port if name == "bed-3" else 0) for name in BEDS}
    tomls["gateway"] = ward.gateway_toml
    running = {name: bench.start("run", toml) for name, toml in tomls.items()}
    said = ""
    for number in range(KILLS):
        time.sleep(0.03 + 0.12 * chance.random())
        victim = victims[number % len(victims)]
        running[victim].process.kill()
        running[victim].end()
        said += running[victim].said
        running[victim] = bench.start("run", tomls[victim])
    said += "".join(end_well(running[name], name) for name in BEDS)
    said += stop(running["gateway"])
    proxy.close()
    counts = [ward.judge(name) for name in BEDS]
    passed = sum(line[1] == OUT for line in lines(bench.path("far.log")))
    repeated = sum(int(n) for n in re.findall(r"duplicates (\d+) records", said))
    print(f"kills {KILLS}, connections lost {said.count('is lost')}, known again {repeated}, passed on {passed}, marked "
          f"{sum(c['resent'] for c in counts)}")
    assert sum(c["delivered"] for c in counts) == 3 * 2 * RECORDS, counts
    return passed


def kills_of_the_beds_and_hang_ups_bring_each_record_once(bench):
    passed = killed(bench, BEDS)
    assert passed == 3 * RECORDS, passed


def kills_of_either_side_lose_nothing_and_bring_nothing_twice_into_the_archive(bench):
    """The far log alone knows of what a dead gateway passed on before it was safe."""
    killed(bench, (BEDS[0], "gateway", BEDS[1], "gateway", BEDS[2], "gateway"))


def a_gateway_that_is_away_for_long_gets_all_when_it_is_back(bench):
    ward = Ward(bench, 1500)
    bed = bench.start("run", ward.bed("bed-1", pause="0s"))
    bed.wait_for("the gateway is not reached")
    time.sleep(1.2)  # longer than what is told as failing
    gateway = bench.start("run", ward.gateway_toml)
    end_well(bed, "bed-1")
    stop(gateway)
    counts = ward.judge("bed-1")
    assert counts["delivered"] == 3000, counts


def a_gateway_that_is_stuck_bears_that_its_beds_die_and_goes_on(bench):
    """Its messages are full, so nobody reads, when connections break: once that ended the process."""
    ward = Ward(bench, 3000)
    with open(ward.gateway_toml, encoding="utf-8") as f:
        text = f.read().replace('edge = { when_full = "spill" }', 'dead_while = "dead"\nedge = { when_full = "block" }')
    bench.write("gateway.toml", text)
    bench.write("dead", "")
    gateway = bench.start("run", ward.gateway_toml)
    toml = ward.bed("bed-1", pause="0s")
    listening(ward.port)
    for _ in range(2):
        bed = bench.start("run", toml)
        time.sleep(0.4)
        bed.process.kill()
        bed.end()
    bed = bench.start("run", toml)
    time.sleep(0.4)
    assert gateway.process.poll() is None, gateway.end() or gateway.said
    os.unlink(bench.path("dead"))
    end_well(bed, "bed-1")
    stop(gateway)
    assert ward.judge("bed-1")["delivered"] == 6000


def a_key_that_is_not_listed_is_not_heard_and_another_gateway_not_spoken_to(bench):
    ward = Ward(bench, 40)
    gateway = bench.start("run", ward.gateway_toml)
    listening(ward.port)
    stranger = bench.start("run", ward.bed("bed-1", key="stranger"))
    stranger.wait_for("does not know this node's key")
    deceived = bench.start("run", ward.bed("bed-2", gateway="stranger.pub"))
    deceived.wait_for("is gateway_key the key of the one at this address?")
    gateway.wait_for("turned away")
    bench.run("key", "new", "--curve", "bed-1", code=2)  # none is ever written over
    for bed in (stranger, deceived):
        bed.process.kill()
        bed.end()
    end_well(bench.start("run", ward.bed("bed-1")), "bed-1")  # what it kept goes with the right key
    said = stop(gateway)
    assert "received 40 records" in said and "refused_keys 0 " not in said, said
    assert ward.judge("bed-1")["delivered"] == 80
    assert not [line for line in lines(bench.path("far.log")) if not ward.is_known(line)]


def garbage_at_the_door_is_counted_and_disturbs_nobody(bench):
    chance = random.Random(SEED)
    ward = Ward(bench, 200)
    gateway = bench.start("run", ward.gateway_toml)
    bed = bench.start("run", ward.bed("bed-1"))
    bed.wait_for("the gateway is there")
    greeting = struct.pack("B8sB", 0xff, bytes(7) + b"\1", 0x7f) + b"\3\0CURVE" + bytes(47)
    for begin in (b"", b"GET / HTTP/1.1\r\n\r\n", greeting, greeting + b"\4\xff" + bytes(30)):
        with socket.create_connection(("127.0.0.1", ward.port)) as s:
            s.sendall(begin + chance.randbytes(2000))
    end_well(bed, "bed-1")
    stop(gateway)
    assert ward.judge("bed-1")["delivered"] == 400


def the_shipped_ward_brings_signals_numbers_and_alerts_of_three_beds(bench):
    """pipelines/ward as it is, two minutes of three patients as fast as they go."""
    if "out_zmq" not in bench.run("plugin", "list")[0]:
        raise Skip("this build has no out_zmq")
    port = free_port()
    for name in ("gateway", *BEDS):
        bench.run("key", "new", "--curve", name)
    bench.env.update(AFFERENT_KEYS=bench.folder, AFFERENT_LISTEN=f"tcp://127.0.0.1:{port}", AFFERENT_PACE="fast",
                     AFFERENT_GATEWAY=f"tcp://127.0.0.1:{port}", AFFERENT_DURATION="120s")
    gateway = bench.start("run", os.path.join(WARD, "gateway.toml"))
    beds = []
    for name in BEDS:
        bench.env["BED"] = name
        bench.run("check", os.path.join(WARD, "bedside.toml"))
        beds.append(bench.start("run", os.path.join(WARD, "bedside.toml")))
    alarms = sum(end_well(bed, name).count("emergency team") for name, bed in zip(BEDS, beds))
    stop(gateway)
    text, _ = bench.run("query", os.path.join(WARD, "gateway.toml"), "--list", "--format", "json")
    found = {}
    for row in map(json.loads, text.splitlines()):
        found.setdefault(row["subject"], {})[row["schema"]] = row["records"]
    assert {f"Patient of {bed}" for bed in BEDS} <= set(found), found
    for bed in BEDS:
        assert found[f"Patient of {bed}"]["vitals"] == 120 and found[f"Patient of {bed}"]["ecg"] == 480, found
    archived = sum(kinds.get("alerts", 0) for kinds in found.values())
    assert alarms >= 3 and archived >= alarms, (alarms, found)


if __name__ == "__main__":
    cases.main(the_shipped_ward_brings_signals_numbers_and_alerts_of_three_beds,
               three_beds_are_archived_at_the_gateway_each_record_once, kills_of_the_beds_and_hang_ups_bring_each_record_once,
               kills_of_either_side_lose_nothing_and_bring_nothing_twice_into_the_archive,
               a_gateway_that_is_away_for_long_gets_all_when_it_is_back,
               a_gateway_that_is_stuck_bears_that_its_beds_die_and_goes_on,
               a_key_that_is_not_listed_is_not_heard_and_another_gateway_not_spoken_to,
               garbage_at_the_door_is_counted_and_disturbs_nobody)
