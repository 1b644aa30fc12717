#!/usr/bin/env python3
"""link.py - what may leave and by which link, over real interfaces: sinks by the real command.

    link.py [CASE...]            needs the right to make network namespaces, else the cases are skipped
    link.py far LOG [CERT KEY]   the far end, in a namespace of its own
    link.py far -- COMMAND...    the same with another server, which says "port N" as it begins

This process and the node under test live in one network namespace, the server in another; two veth
pairs join them, wifi0 and cell0. A thin link is made by tbf, one that swallows everything by a blackhole
route on the far side. The far end counts each byte of each connection, by the address it came from,
and hands it to http_server.py, which writes down what arrived.
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../pipeline"), HERE]

import cases

CLONE_NEWNET = 0x40000000
SERVER, PORT, INNER = "10.9.9.9", 8080, 18080
NEAR = {"wifi0": "10.9.1.1", "cell0": "10.9.2.1"}
FAR = {"wifi0": "10.9.1.2", "cell0": "10.9.2.2"}


def namespace():
    """This process gets a network of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


# ---- the far end ----

COUNTS = {}  # by the client's address: bytes from it, to it
LOCK = threading.Lock()


def carry(source, sink, address, way):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            with LOCK:
                COUNTS.setdefault(address, [0, 0])[way] += len(data)
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def front(listener, port):
    while True:
        client, (address, _) = listener.accept()
        server = socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=carry, args=(client, server, address, 0), daemon=True).start()
        threading.Thread(target=carry, args=(server, client, address, 1), daemon=True).start()


def far(arguments):
    namespace()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    command = arguments[1:] if arguments[0] == "--" else [sys.executable, os.path.join(HERE, "http_server.py"), *arguments]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = int(server.stdout.readline().split()[1])
    while socket.socket().connect_ex(("127.0.0.1", port)) != 0 and server.poll() is None:
        time.sleep(0.02)
    listener = socket.create_server(("0.0.0.0", PORT))
    threading.Thread(target=front, args=(listener, port), daemon=True).start()
    print("up", flush=True)
    for _ in sys.stdin:
        with LOCK:
            print(json.dumps(COUNTS), flush=True)
    server.kill()


# ---- the world ----


def ip(*words):
    subprocess.run(["ip", *words], check=True, stdout=subprocess.DEVNULL)


class World:
    def __init__(self, bench, tls=False, server=()):
        if not (shutil.which("ip") and shutil.which("tc") and shutil.which("nsenter")):
            raise cases.Skip("no ip, tc or nsenter")
        if not MAY:
            raise cases.Skip("no network namespaces may be made here")
        self.bench, self.log = bench, bench.path("log")
        self.toml, self.links = None, []
        arguments = ["--", *server] if server else [self.log] + (self.certificate() if tls else [])
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), "far", *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "up\n"
        for metric, name in enumerate(NEAR, 1):
            self.join(name, metric)
        self.far("ip", "addr", "add", SERVER + "/32", "dev", "lo")
        open(self.log, "a").close()

    def certificate(self):
        cert, key = self.bench.path("cert.pem"), self.bench.path("key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=far",
                        "-addext", f"subjectAltName=IP:{SERVER}", "-keyout", key, "-out", cert],
                       check=True, stderr=subprocess.DEVNULL)
        return [cert, key]

    def join(self, name, metric):
        try:
            ip("link", "add", name, "type", "veth", "peer", "name", "far_" + name, "netns", str(self.process.pid))
        except subprocess.CalledProcessError:
            raise cases.Skip("no veth links can be made here") from None
        self.links.append(name)
        ip("addr", "add", NEAR[name] + "/24", "dev", name)
        ip("link", "set", name, "up")
        self.far("ip", "addr", "add", FAR[name] + "/24", "dev", "far_" + name)
        self.far("ip", "link", "set", "far_" + name, "up")
        ip("route", "add", SERVER, "via", FAR[name], "dev", name, "metric", str(metric))

    def far(self, *command):
        subprocess.run(["nsenter", "-t", str(self.process.pid), "-n", *command], check=True, stdout=subprocess.DEVNULL)

    def counts(self, name):
        """Bytes that came by this link, and went back."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline()).get(NEAR[name], [0, 0])

    def carrier(self, name, state):
        self.far("ip", "link", "set", "far_" + name, state)
        begin = time.monotonic()
        while (b"state UP" in subprocess.run(["ip", "link", "show", name], capture_output=True, check=True).stdout) != (state == "up"):
            assert time.monotonic() - begin < 20, "the carrier does not change"
            time.sleep(0.02)

    def swallow(self, name, on):
        self.far("ip", "route", "add" if on else "del", "blackhole", NEAR[name] + "/32")

    def thin(self, name, rate):
        subprocess.run(["tc", "qdisc", "add", "dev", name, "root", "tbf", "rate", rate, "burst", "3000", "limit", "20000"],
                       check=True)

    def arrived(self):
        with open(self.log, encoding="utf-8") as lines:
            return [record for line in lines for record in json.loads(json.loads(line)["body"])]

    def status(self):
        out, _ = self.bench.run("status", "--json", self.toml)
        return json.loads(out)["uplinks"][0]

    def told(self):
        try:
            return self.status()
        except (AssertionError, IndexError) as why:
            return why

    def until(self, what, true, limit=60):
        """How many seconds it took."""
        begin = time.monotonic()
        while not true():
            assert time.monotonic() - begin < limit, f"not within {limit} s: {what}; {self.told()}, far end {[self.counts(n) for n in NEAR]}"
            time.sleep(0.05)
        return time.monotonic() - begin

    def __enter__(self):
        return self

    def __exit__(self, *why):
        for name in self.links:
            subprocess.run(["ip", "link", "del", name], check=False)
        self.process.stdin.close()  # it ends its server
        self.process.wait()
        self.process.stdout.close()


PIPELINE = """
[pipeline]
name = "link-check"
memory_limit = "64MiB"
commit_every = "50ms"

[link.wifi]
technology = "wifi"
interface  = "wifi0"
back_after = "1s"

[link.cell]
technology = "4g"
interface  = "cell0"
metered    = {metered}
back_after = "1s"

[source.patient]
plugin  = "in_synth"
signals = [{signals}]
pace    = "realtime"
run     = {{ clears = ["subject", "times", "names", "payload"] }}
{source}

[sink.cloud]
from   = [{origins}]
{sink}
edge   = {{ links = ["wifi", "cell"]{edge} }}
"""


HTTP = """
plugin = "out_http"
url    = "{scheme}://{server}:{port}/ok"
batch_time      = "100ms"
connect_timeout = "1s"
timeout         = "{timeout}"
"""
MQTT = f"""
plugin = "out_mqtt"
broker = "{{scheme}}://{SERVER}:{PORT}"
topic  = "ward/{{{{stream}}}}"
connect_timeout = "2s"
keepalive       = "5s"
"""
ZMQ = f"""
plugin = "out_zmq"
address     = "tcp://{SERVER}:{PORT}"
key         = "bed.key"
gateway_key = "gateway.pub"
"""
GATEWAY = """
[pipeline]
name = "gateway"
[source.beds]
plugin  = "in_zmq"
address = "tcp://127.0.0.1:{port}"
key     = "gateway.key"
peers   = {{ bed = "bed.pub" }}
[sink.none]
plugin = "out_null"
from   = "beds"
"""


def start(world, sink="allow_plain = true", edge="", signals='"vitals", "pleth"', origins='"patient.vitals", "patient"',
          metered="false", scheme="http", timeout="3s", source="", plugin=HTTP):
    sink = plugin.format(server=SERVER, port=PORT, scheme=scheme, timeout=timeout) + sink
    world.toml = world.bench.write("link.toml", PIPELINE.format(
        sink=sink, edge=edge, signals=signals, origins=origins, metered=metered, source=source))
    world.bench.run("check", world.toml)
    started = world.bench.start("run", world.toml)
    world.until("it runs", lambda: runs(world))
    return started


def runs(world):
    """Not before its nodes are open: until then nothing is known of links."""
    done = subprocess.run([cases.PROGRAM, "status", "--json", world.toml], env=world.bench.env, capture_output=True, check=False)
    return done.returncode == 0 and json.loads(done.stdout)["uplinks"]


def stop(started):
    started.send(signal.SIGTERM)
    assert started.end() == 0, started.said


# ---- cases ----


def spend(world, started, budget):
    """Until that much is spent, and nothing is under way any more: then both ends must agree to the byte."""
    world.until("the budget is spent", lambda: world.status()["waits_for"] == "per_day is spent")
    world.until("both ends agree", lambda: world.counts("cell0") == [world.status()[k] for k in ("sent_bytes", "received_bytes")])
    started.wait_for("per_day is spent; what when_spent names goes on")
    status = world.status()
    print(f"    far end {world.counts('cell0')}, status {status['sent_bytes']}, {status['received_bytes']}", flush=True)
    assert status["counted"] == "wire" and status["day_left"] == 0
    assert status["day_bytes"] == sum(world.counts("cell0")) < budget + 40000
    return status["day_bytes"]


def what_is_counted_is_what_the_far_end_sees_with_tls(bench):
    with World(bench, tls=True) as world:
        world.carrier("wifi0", "down")
        started = start(world, sink="skip_verification = true", scheme="https", metered="true", edge=', per_day = "24KiB"')
        spend(world, started, 24 << 10)
        stop(started)


def a_link_without_carrier_is_left_and_come_back_to(bench):
    with World(bench) as world:
        started = start(world)
        world.until("wifi carries", lambda: world.counts("wifi0")[0] > 3000)
        assert world.counts("cell0") == [0, 0]
        world.carrier("wifi0", "down")
        took = world.until("cell carries", lambda: world.counts("cell0")[0] > 0)
        world.carrier("wifi0", "up")
        before = world.counts("wifi0")[0]
        back = world.until("wifi carries again", lambda: world.counts("wifi0")[0] > before)
        print(f"    left after {took:.1f} s, back after {back:.1f} s", flush=True)
        assert took < 10 and back < 20
        stop(started)


def a_link_that_swallows_everything_is_left_and_tried_again_later(bench):
    with World(bench) as world:
        started = start(world)
        world.until("wifi carries", lambda: world.counts("wifi0")[0] > 3000)
        world.swallow("wifi0", True)
        took = world.until("cell carries", lambda: world.counts("cell0")[0] > 0)
        print(f"    left after {took:.1f} s", flush=True)
        assert took < 20
        states = {s["link"]: s["state"] for s in world.status()["states"]}
        assert states == {"wifi": "passed over for a while", "cell": "in use"}, states
        stop(started)


def a_budget_stops_all_but_alarms_and_a_kill_forgets_nothing(bench):
    with World(bench) as world:
        world.carrier("wifi0", "down")
        started = start(world, metered="true", edge=', per_day = "16KiB"')
        spent = spend(world, started, 16 << 10)
        started.send(signal.SIGKILL)
        started.end()
        started = start(world, metered="true", edge=', per_day = "16KiB"')
        world.until("something waits", lambda: world.status()["queued"]["waveform"] > 20)
        after = world.status()
        print(f"    spent {spent}, after the kill {after['day_bytes']}, far end {sum(world.counts('cell0'))}", flush=True)
        assert after["day_bytes"] == sum(world.counts("cell0")) == spent and after["day_left"] == 0
        world.carrier("wifi0", "up")
        world.until("all goes by the other link", lambda: sum(world.status()["queued"].values()) < 5)
        stop(started)


def a_budget_that_is_changed_while_it_runs_counts_on_to_the_byte(bench):
    with World(bench) as world:
        world.carrier("wifi0", "down")
        started = start(world, metered="true", edge=', per_day = "1MiB"')
        world.until("cell carries", lambda: world.counts("cell0")[0] > 3000)
        started.wait_for("link cell is used now")
        with open(world.toml, encoding="utf-8") as file:
            text = file.read()
        before = world.status()["day_bytes"]
        world.bench.write("link.toml", text.replace('per_day = "1MiB"', 'per_day = "24KiB"'))
        world.bench.run("reload", world.toml)
        assert world.status()["per_day"] == 24 << 10 and world.status()["day_bytes"] >= before > 0
        spend(world, started, 24 << 10)
        stop(started)


def alarms_go_first_over_a_thin_link(bench):
    """64 kbit/s, and more waveform than that: what an alarm takes from its cause to the far end."""
    calls = bench.write("calls.csv", "time,level\n")
    source = f"""
[source.calls]
plugin = "in_file"
path   = "{calls}"
follow = true

[source.other]
plugin  = "in_synth"
signals = ["pleth", "pressure", "respiration"]
pace    = "realtime"
run     = {{ clears = ["subject", "times", "names", "payload"] }}

[processor.rows]
plugin  = "op_csv"
from    = "calls"
columns = [{{ name = "level" }}]
time    = {{ from = "time", format = "unix_ms" }}
run     = {{ clears = ["subject", "times", "names", "payload"] }}

[processor.alarm]
plugin = "op_alert"
from   = "rows"
place  = "bed 3"
rules  = [{{ name = "high", column = "level", above = 10, severity = "high", text = "level" }}]
"""
    with World(bench) as world:
        world.carrier("wifi0", "down")
        world.thin("cell0", "64kbit")
        started = start(world, signals='"vitals", "pleth", "pressure", "respiration"', source=source,
                        origins='"alarm", "patient.vitals", "patient", "other"', timeout="60s")
        world.until("waveform waits", lambda: world.status()["queued"]["waveform"] > 30, 120)
        times = []
        for turn in range(4):
            seen = alarms(world)
            with open(calls, "a", encoding="utf-8") as file:
                file.write(f"{int(time.time() * 1000)},{100 if turn % 2 == 0 else 0}\n")
            times.append(world.until("the alarm arrives", lambda: alarms(world) > seen, 90))
        print("    an alarm took " + ", ".join(f"{t:.1f}" for t in times) + " s", flush=True)
        assert max(times) < 20
        assert world.status()["queued"]["waveform"] > 0
        stop(started)


def in_far_end(bench, plugin, command):
    """The server's command, once it is known that it is here. It ends with its namespace's keeper."""
    listing, _ = bench.run("plugin", "list")
    if plugin not in listing:
        raise cases.Skip(f"this build has no {plugin}")
    places = [f"{name}={bench.path('far')}" for name in ("STATE_DIRECTORY", "RUNTIME_DIRECTORY")]
    os.makedirs(bench.path("far"), 0o700, exist_ok=True)
    return ["env", *places, "sh", "-c", f"echo port {INNER}; exec {command} >&2"]


def broker(bench, pki=""):
    import mqtt_broker
    if not mqtt_broker.BROKER:
        raise cases.Skip("no mosquitto here")
    files = f"cafile {pki}/ca.pem\ncertfile {pki}/good.pem\nkeyfile {pki}/good.key\n" if pki else ""
    conf = bench.write("broker.conf", f"user root\nallow_anonymous true\nlistener {INNER} 127.0.0.1\n{files}")
    return in_far_end(bench, "out_mqtt", f"{mqtt_broker.BROKER} -c {conf}")


def gateway(bench):
    for name in ("gateway", "bed"):
        bench.run("key", "new", "--curve", name)
    return in_far_end(bench, "out_zmq", f"{cases.PROGRAM} run --quiet {bench.write('gateway.toml', GATEWAY.format(port=INNER))}")


def follows(bench, server, limit=20, **more):
    """What went is told to the byte; a link that goes down is left, and one that swallows everything."""
    with World(bench, server=server) as world:
        world.carrier("wifi0", "down")
        started = start(world, sink="", metered="true", edge=', per_day = "24KiB"', **more)
        spend(world, started, 24 << 10)
        world.carrier("wifi0", "up")
        world.until("wifi carries", lambda: world.counts("wifi0")[0] > 3000)
        world.swallow("wifi0", True)
        took = world.until("wifi is passed over", lambda: world.status()["in_use"] == "cell")
        print(f"    left after {took:.1f} s", flush=True)
        assert took < limit
        stop(started)


def out_mqtt_goes_by_its_link_and_counts_each_byte(bench):
    follows(bench, broker(bench), plugin=MQTT, scheme="mqtt")


def out_mqtt_does_so_with_tls(bench):
    import tls_servers
    tls_servers.make_all(bench.folder)
    with World(bench, server=broker(bench, bench.folder)) as world:
        world.carrier("wifi0", "down")
        started = start(world, sink="accept_any_server = true", metered="true", edge=', per_day = "24KiB"', plugin=MQTT, scheme="mqtts")
        spend(world, started, 24 << 10)
        stop(started)


def out_zmq_goes_by_its_link_and_counts_each_byte(bench):
    follows(bench, gateway(bench), plugin=ZMQ, limit=40)


def alarms(world):
    return sum(1 for r in world.arrived() if "severity" in json.dumps(r))


if len(sys.argv) > 1 and sys.argv[1] == "far":
    far(sys.argv[2:])
    sys.exit(0)
try:
    namespace()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
    MAY = True
except OSError:
    MAY = False
cases.main(what_is_counted_is_what_the_far_end_sees_with_tls,
           a_link_without_carrier_is_left_and_come_back_to, a_link_that_swallows_everything_is_left_and_tried_again_later,
           a_budget_stops_all_but_alarms_and_a_kill_forgets_nothing,
           a_budget_that_is_changed_while_it_runs_counts_on_to_the_byte, alarms_go_first_over_a_thin_link,
           out_mqtt_goes_by_its_link_and_counts_each_byte, out_mqtt_does_so_with_tls,
           out_zmq_goes_by_its_link_and_counts_each_byte)
