"""http_check.py - out_http by the real command: links that fail, deaths, a server that is away.

What arrived is counted at the far end, in what the server wrote down: nothing may be lost, and what
came twice must have the same id and bytes, and be marked as sent before.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../pipeline"))

import cases
import in_http_node

PIPELINE = """
[pipeline]
name = "http-check"
memory_limit = "64MiB"
commit_every = "20ms"

[source.patient]
plugin   = "in_synth"
signals  = ["vitals"]
start    = "2026-01-01T00:00:00Z"
duration = "{seconds}s"
pace     = "fast"
run      = {{ clears = ["subject", "times", "names"] }}

[sink.cloud]
plugin = "out_http"
from   = "patient.vitals"
url    = "http://127.0.0.1:{port}/{path}"
batch_records = {batch}
batch_time    = "20ms"
{more}
"""


# Another's HTTP/2: that of Node.js. A line for each request, with its version and connection.
HTTP2 = """
const [key, cert, log] = process.argv.slice(1).map(String), fs = require("fs");
const server = require("http2").createSecureServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert), allowHTTP1: true });
let sessions = 0;
server.on("session", session => { session.number = ++sessions; });
server.on("request", (request, answer) => {
    let body = "";
    request.on("data", bytes => { body += bytes; });
    request.on("end", () => {
        fs.appendFileSync(log, JSON.stringify({ version: request.httpVersion, headers: request.headers, body,
                                                connection: request.stream ? request.stream.session.number : 0 }) + "\\n");
        answer.writeHead(200);
        answer.end();
    });
});
server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port));
process.stdin.on("end", () => process.exit()).resume();
"""


class Peer:
    """A script that prints its port and ends with its stdin."""

    def __init__(self, *arguments, command=None):
        self.process = subprocess.Popen(command or [sys.executable, os.path.join(HERE, arguments[0]), *arguments[1:]],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def pipeline(bench, port, path="ok", seconds=600, more="", batch=10):
    return bench.write("http.toml", PIPELINE.format(port=port, path=path, seconds=seconds, more=more, batch=batch))


def requests(log):
    with open(log, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def arrived(log):
    """Each record as it came, in the order of coming, and whether it was marked as sent before."""
    return [(record, "afferent-resent" in r["headers"]) for r in requests(log) for record in json.loads(r["body"])]


def judge(log, seconds):
    """Lost, and how many came twice."""
    first, twice, bodies = {}, 0, {}
    for r in requests(log):
        key = r["headers"]["idempotency-key"]
        assert bodies.setdefault(key, r["body"]) == r["body"], "the same key with other bytes"
    for record, resent in arrived(log):
        if record["id"] not in first:
            first[record["id"]] = record
            continue
        twice += 1
        assert record == first[record["id"]], "the same id with other content"
        assert resent, "came twice and was not marked"
    times = {r["time"] for r in first.values()}
    lost = seconds - len(times)
    print(f"    {len(first)} records, lost {lost}, came twice {twice}", flush=True)
    assert lost == 0 and len(first) == seconds, f"lost {lost} of {seconds}, {len(first)} ids"
    return twice


def a_record_arrives_once_on_a_good_link(bench):
    log = bench.path("log")
    with Peer("http_server.py", log) as server:
        out, err = bench.run("run", pipeline(bench, server.port))
    cases.has(out + err, "balanced")
    assert judge(log, 600) == 0


def a_server_that_offers_http_2_gets_it_on_one_connection(bench):
    if not shutil.which("node"):
        raise cases.Skip("no node here (package nodejs)")
    log, folder = bench.path("log"), in_http_node.pki()
    command = ["node", "-e", HTTP2, f"{folder}/good.key", f"{folder}/good.pem", log]
    with Peer(command=command) as server:
        toml = pipeline(bench, server.port, more=f'in_flight = 4\nca = "{folder}/ca.pem"\n')
        with open(toml, encoding="utf-8") as file:
            text = file.read().replace("http://127.0.0.1", "https://localhost")
        bench.write("http.toml", text)
        out, err = bench.run("run", toml)
    cases.has(out + err, "balanced")
    assert judge(log, 600) == 0
    assert {(r["version"], r["connection"]) for r in requests(log)} == {("2.0", 1)}


def links_that_fail_cost_no_record(bench):
    """Connections are reset, cut in the answer, slow, late, and swallowed, one after the other."""
    log = bench.path("log")
    modes = ["pass", "reset:2500", "latency:20", "cut:40", "slow:200000", "half:10", "pass", "black", "reset:0", "cut:0"]
    with Peer("http_server.py", log) as server, Peer("proxy.py", str(server.port), *modes) as proxy:
        out, err = bench.run("run", pipeline(bench, proxy.port, "close", 100, 'in_flight = 4\ntimeout = "400ms"\n'))
    cases.has(out + err, "balanced")
    assert judge(log, 100) > 0


def a_node_that_dies_in_mid_request_goes_on(bench):
    """kill -9, again and again; the next run goes on from the last commit."""
    log, seconds, deaths = bench.path("log"), 1200, 0
    with Peer("http_server.py", log) as server:
        toml = pipeline(bench, server.port, "slow:25", seconds, "in_flight = 4\n")
        for turn in range(8):
            before = os.path.getsize(log)
            started = bench.start("run", toml)
            end = time.monotonic() + cases.LIMIT_S
            while os.path.getsize(log) == before and started.process.poll() is None and time.monotonic() < end:
                time.sleep(0.002)  # until a request is under way
            time.sleep(0.013 * turn)
            if started.process.poll() is None:
                started.send(signal.SIGKILL)
                deaths += 1
            started.end()
        bench.run("run", toml)
    print(f"    {deaths} deaths", flush=True)
    assert deaths >= 5
    judge(log, seconds)


class Afferent:
    """in_http as the server; each record that comes of it is a line with what it was sent as."""

    def __init__(self, bench):
        self.bench = bench
        self.node = in_http_node.Node(bench, routes='[{ path = "/{subject}/{stream}" }]')

    def __enter__(self):
        self.node.__enter__()
        return self

    def __exit__(self, *why):
        self.node.__exit__(*why)

    def judge(self, seconds, twice_most):
        """out_file writes again what a death of this node left open, with the same id: that is one."""
        lines = {line["id"]: json.loads(line["data"]["text"]) for line in in_http_node.got(self.bench)}
        ids = [record["id"] for record in lines.values()]
        lost, twice = seconds - len(set(ids)), len(ids) - len(set(ids))
        print(f"    {len(ids)} records, lost {lost}, made twice {twice}", flush=True)
        assert lost == 0 and twice <= twice_most


def sender(bench, port, seconds, more, batch=10):
    """To an Afferent that listens."""
    return pipeline(bench, port, "ward/vitals", seconds, more + f'token = "{in_http_node.TOKEN}"\n', batch)


def an_afferent_that_receives_makes_each_record_once(bench):
    """Answers are lost in every way, and the receiver dies."""
    modes = ["pass", "cut:40", "half:10", "pass", "cut:0", "latency:20", "reset:2500", "pass", "reset:0", "pass"]
    with Afferent(bench) as far, Peer("proxy.py", str(far.node.port), *modes) as proxy:
        started = bench.start("run", sender(bench, proxy.port, 400, 'in_flight = 4\ntimeout = "3s"\n'))
        for _ in range(3):
            before = len(in_http_node.got(bench))
            end = time.monotonic() + cases.LIMIT_S
            while len(in_http_node.got(bench)) <= before and started.process.poll() is None and time.monotonic() < end:
                time.sleep(0.005)
            far.node.kill()
            far.node.start()
        assert started.end() == 0, started.said
        far.node.stop()
        far.judge(400, 0)


def a_record_a_request_is_made_once_though_its_sender_dies(bench):
    """kill -9; batches are put together in another way then, one record is always the same."""
    with Afferent(bench) as far:
        toml = sender(bench, far.node.port, 300, "in_flight = 4\n", 1)
        for turn in range(6):
            before = len(in_http_node.got(bench))
            started = bench.start("run", toml)
            end = time.monotonic() + cases.LIMIT_S
            while len(in_http_node.got(bench)) <= before + 5 * turn and started.process.poll() is None and time.monotonic() < end:
                time.sleep(0.002)
            started.send(signal.SIGKILL)
            started.end()
        bench.run("run", toml)
        far.node.stop()
        far.judge(300, 0)


def a_server_that_is_away_is_said_to_be_and_waited_for(bench):
    log = bench.path("log")
    with Peer("http_server.py", log) as server, Peer("proxy.py", str(server.port), "reset:0") as proxy:
        started = bench.start("run", pipeline(bench, proxy.port, seconds=300))
        started.wait_for("trying again")
        proxy.say("pass")
        assert started.end() == 0
    assert "127.0.0.1" not in started.said, started.said
    judge(log, 300)


def a_record_that_a_server_hangs_up_on_holds_up_no_other(bench):
    """It may be the link, so its batch is tried as it is first; then one record after the other."""
    log, word = bench.path("log"), "T00:00:17Z"
    with Peer("http_server.py", log) as server:
        started = bench.start("run", pipeline(bench, server.port, "hangs_up:" + word, 60))
        begin, ids = time.monotonic(), set()
        while len(ids) < 59 and time.monotonic() < begin + cases.LIMIT_S:
            time.sleep(0.1)
            ids = {r["id"] for line in requests(log) if word not in line["body"] for r in json.loads(line["body"])}
        print(f"    {len(ids)} of 59 after {time.monotonic() - begin:.0f} s", flush=True)
        started.send(signal.SIGTERM)
        started.end()
    assert len(ids) == 59


cases.main(a_record_arrives_once_on_a_good_link, a_server_that_offers_http_2_gets_it_on_one_connection,
           links_that_fail_cost_no_record, a_node_that_dies_in_mid_request_goes_on,
           a_server_that_is_away_is_said_to_be_and_waited_for, an_afferent_that_receives_makes_each_record_once,
           a_record_a_request_is_made_once_though_its_sender_dies, a_record_that_a_server_hangs_up_on_holds_up_no_other)
