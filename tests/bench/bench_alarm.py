#!/usr/bin/env python3
"""bench_alarm - how long an alarm takes to the far end while a link of 64 kbit/s is full of waveform.

A line is written to a file that is followed, op_alert makes an alarm of it, a sink sends it over a
link of 8000 B/s, and the far end notes when it came: an HTTP server, a subscriber of a broker
(mosquitto), another Afferent. Beside it runs a signal of more than twice what the link carries.
The link takes from each connection in turn, 1 KiB at a time: what waits, waits in sockets, in the
sink and in the pipeline.

    alone     no waveform
    own       alarms have a sink, and so a connection, of their own
    shared    one sink for both; alarms are of the class alarm, the signal of waveform
    fifo      the same, and both are of one class: who came first goes first

What did not come within WAIT counts as having taken so long. All cases run at the same time, in the
first round alone. Prints metric TAB value TAB unit. Not here: a link that fails (tests/net)."""

import http.server
import json
import os
import selectors
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

AFFERENT = os.environ["AFFERENT"]
SRCDIR = os.environ.get("BENCH_SRCDIR", os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(SRCDIR, "../net"))

RATE, PIECE = 8000, 1024
FILL, EVERY, ALARMS, WAIT = 6.0, 0.5, 20, 12.0
KINDS = ("alone", "own", "shared", "fifo")
SINKS = {  # the signal's rate and leads, so that it is more than twice RATE as this sink writes it
    "http": ("1200Hz", 3), "mqtt": ("300Hz", 1), "zmq": ("4000Hz", 3)}

PIPELINE = """
[pipeline]
name         = "alarm-{name}"
memory_limit = "64MiB"
store_limit  = "64MiB"
commit_every = "100ms"

[source.ecg]
plugin = "in_synth"
rate   = "{rate}"
leads  = {leads}
noise  = 0.2
start  = "now"
run    = {{ clears = ["subject", "times", "names"] }}

[source.lines]
plugin  = "in_file"
path    = "lines.csv"
follow  = true
subject = "bed"

[processor.rows]
plugin  = "op_csv"
from    = "lines"
header  = false
columns = [{{ name = "v", from = "1", type = "int" }}, {{ name = "n", from = "2", type = "int" }}]

[processor.alarm]
plugin = "op_alert"
from   = "rows"
place  = "bed 3"
rules  = [{{ name = "high", column = "v", at_least = 1, severity = "high", text = "{{n}}" }}]
"""
SINK = """
[sink.{name}]
from = {inputs}
edge = {{ when_full = "spill"{edge} }}
run  = {{ isolation = "thread" }}
"""


class Link:
    """A way for all connections together that carries RATE bytes a second upwards."""

    def __init__(self, to):
        self.to, self.stopped, self.carried = to, False, 0
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        threading.Thread(target=self.carry, daemon=True).start()

    def accept(self):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self.to))
        except OSError:  # nobody there yet: it comes again
            client.close()
            return
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(client, selectors.EVENT_READ, server)
        threading.Thread(target=self.back, args=(server, client), daemon=True).start()

    def back(self, server, client):
        try:
            while some := server.recv(65536):
                client.sendall(some)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def carry(self):
        free = time.monotonic()  # when the link has carried what it was given
        while not self.stopped:
            for key, _ in self.selector.select(0.2):
                if key.fileobj is self.listener:
                    self.accept()
                    continue
                try:
                    some = key.fileobj.recv(PIECE)
                    if some:
                        free = max(free, time.monotonic()) + len(some) / RATE
                        time.sleep(max(0, free - time.monotonic()))
                        key.data.sendall(some)
                        self.carried += len(some)
                        continue
                except OSError:
                    pass
                self.selector.unregister(key.fileobj)
                key.data.close()


# ---- far ends: each calls came(text of an alarm) ----

class Web:
    plugin = 'plugin = "out_http"\nurl    = "http://127.0.0.1:{port}/"'
    alarm = "batch_records = 1"

    def __init__(self, folder, came):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                for record in json.loads(body):
                    if record["data"].get("state") == "raised":
                        came(record["data"]["text"])
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        pass


def lines_of(process, came):
    """A record a line."""
    for line in process.stdout:
        if '"raised"' in line:
            row = json.loads(line)
            came(row["data"]["text"])


class Mqtt:
    plugin = 'plugin = "out_mqtt"\nbroker = "mqtt://127.0.0.1:{port}"\ntopic  = "bench/{{stream}}"'
    alarm = ""

    def __init__(self, folder, came):
        import mqtt_broker
        self.broker = mqtt_broker.Broker(folder)
        self.broker.start()
        self.port = self.broker.plain
        self.far = subprocess.Popen(["mosquitto_sub", "-p", str(self.port), "-q", "1", "-t", "bench/alerts", "-F", "%p"],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        mqtt_broker.wait_until(lambda: "Sending SUBACK" in self.broker.said(), "nobody could subscribe")
        threading.Thread(target=lines_of, args=(self.far, came), daemon=True).start()

    def close(self):
        self.far.kill()
        self.broker.stop(kill=True)


class Zmq:
    plugin = ('plugin = "out_zmq"\naddress = "tcp://127.0.0.1:{port}"\nkey = "bed.key"\ngateway_key = "gateway.pub"')
    alarm = ""
    gateway = """
[pipeline]
name = "alarm-gateway"
commit_every = "50ms"
[source.beds]
plugin = "in_zmq"
address = "tcp://127.0.0.1:{port}"
key = "gateway.key"
peers = {{ bed = "bed.pub" }}
[sink.far]
plugin = "out_file"
from = "beds"
path = "-"
format = "jsonl"
"""

    def __init__(self, folder, came):
        for name in ("gateway", "bed"):
            subprocess.run([AFFERENT, "key", "new", "--curve", name], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.far = start(folder, "gateway", self.gateway.format(port=self.port), stdout=subprocess.PIPE)
        threading.Thread(target=lines_of, args=(self.far, came), daemon=True).start()

    def close(self):
        self.far.kill()


FAR = {"http": Web, "mqtt": Mqtt, "zmq": Zmq}


# ---- a case ----

def start(folder, name, toml, stdout=subprocess.DEVNULL):
    path = os.path.join(folder, name + ".toml")
    state = os.path.join(folder, name + ".state")
    os.makedirs(state, 0o700, exist_ok=True)
    with open(path, "w", encoding="ascii") as f:
        f.write(toml)
    with open(os.path.join(folder, name + ".log"), "w", encoding="utf-8") as log:
        return subprocess.Popen([AFFERENT, "run", path, "--quiet"], cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout,
                                stderr=log, text=True,
                                env={**os.environ, "STATE_DIRECTORY": state, "RUNTIME_DIRECTORY": state})


class Case:
    def __init__(self, folder, sink, kind):
        self.name, self.folder = f"{sink}_{kind}", os.path.join(folder, f"{sink}_{kind}")
        os.mkdir(self.folder)
        self.lines = os.path.join(self.folder, "lines.csv")
        open(self.lines, "w", encoding="ascii").close()
        self.given, self.took = {}, {}
        self.far = FAR[sink](self.folder, self.came)
        self.link = Link(self.far.port)
        self.run = start(self.folder, "p", self.toml(sink, kind))

    def toml(self, sink, kind):
        rate, leads = SINKS[sink]
        text = PIPELINE.format(name=self.name, rate=rate, leads=leads)
        plugin = FAR[sink].plugin.format(port=self.link.port)
        if kind in ("shared", "fifo"):
            edge = ', priority = "waveform"' if kind == "fifo" else ""
            return text + SINK.format(name="both", inputs='["ecg", "alarm"]', edge=edge).replace("from", plugin + "\nfrom", 1)
        wave = 'plugin = "out_null"' if kind == "alone" else plugin
        own = plugin + "\n" + FAR[sink].alarm
        return text + SINK.format(name="wave", inputs='"ecg"', edge="").replace("from", wave + "\nfrom", 1) + \
            SINK.format(name="alarms", inputs='"alarm"', edge="").replace("from", own + "\nfrom", 1)

    def came(self, text):
        if text in self.given and text not in self.took:
            self.took[text] = time.monotonic() - self.given[text]

    def raise_one(self, n):
        with open(self.lines, "a", encoding="ascii") as f:
            self.given[str(n)] = time.monotonic()
            f.write(f"1,{n}\n0,{n}\n")

    def close(self):
        """Milliseconds, in order; what did not come counts as WAIT."""
        if self.run.poll() is not None:
            with open(os.path.join(self.folder, "p.log"), encoding="utf-8") as log:
                sys.exit(f"bench_alarm: {self.name} ended\n{log.read()}")
        self.run.send_signal(signal.SIGKILL)
        self.run.wait()
        self.far.close()
        self.link.stopped = True
        return sorted(1000 * self.took.get(n, WAIT) for n in self.given)


def told(name, times):
    print(f"alarm_{name}_median\t{statistics.median(times):.1f}\tms")
    print(f"alarm_{name}_p99\t{times[min(len(times) - 1, int(0.99 * len(times)))]:.1f}\tms")
    print(f"alarm_{name}_max\t{times[-1]:.1f}\tms", flush=True)


def here(sink):
    listing = subprocess.run([AFFERENT, "plugin", "list"], capture_output=True, text=True, check=False).stdout
    if f"out_{sink}" not in listing or (sink == "mqtt" and not (shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
                                                                and shutil.which("mosquitto_sub"))):
        print(f"skipped alarms by out_{sink}: not in this build, or no broker here", file=sys.stderr)
        return False
    return True


def main():
    if os.environ.get("ROUND", "1") != "1":
        return
    folder = tempfile.mkdtemp(prefix="afferent-bench-")
    cases = []
    try:
        cases += [Case(folder, sink, kind) for sink in SINKS if here(sink) for kind in KINDS]
        time.sleep(FILL)
        for n in range(ALARMS):
            for case in cases:
                case.raise_one(n)
            time.sleep(EVERY)
        end = time.monotonic() + WAIT
        while time.monotonic() < end and any(len(c.took) < ALARMS for c in cases):
            time.sleep(0.1)
        for case in cases:
            told(case.name, case.close())
    finally:
        for case in cases:
            if case.run.poll() is None:
                case.run.kill()
            case.far.close()
        if not os.environ.get("KEEP"):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(folder, file=sys.stderr)


if __name__ == "__main__":
    main()
