"""http_check.py - out_http by the real command: links that fail, deaths, a server that is away.

What arrived is counted at the far end, in what the server wrote down: nothing may be lost, and what
came twice must have the same id and bytes, and be marked as sent before.
"""

import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../pipeline"))

import cases

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
batch_records = 10
batch_time    = "20ms"
{more}
"""


class Peer:
    """A script that prints its port and ends with its stdin."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, arguments[0]), *arguments[1:]],
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


def pipeline(bench, port, path="ok", seconds=600, more=""):
    return bench.write("http.toml", PIPELINE.format(port=port, path=path, seconds=seconds, more=more))


def arrived(log):
    """Each record as it came, in the order of coming."""
    with open(log, encoding="utf-8") as lines:
        return [record for line in lines for record in json.loads(json.loads(line)["body"])]


def judge(log, seconds):
    """Lost, and how many came twice."""
    first, twice = {}, 0
    for record in arrived(log):
        resent = record.pop("resent", False)
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


def a_server_that_is_away_is_said_to_be_and_waited_for(bench):
    log = bench.path("log")
    with Peer("http_server.py", log) as server, Peer("proxy.py", str(server.port), "reset:0") as proxy:
        started = bench.start("run", pipeline(bench, proxy.port, seconds=300))
        started.wait_for("trying again")
        proxy.say("pass")
        assert started.end() == 0
    assert "127.0.0.1" not in started.said, started.said
    judge(log, 300)


cases.main(a_record_arrives_once_on_a_good_link, links_that_fail_cost_no_record, a_node_that_dies_in_mid_request_goes_on,
           a_server_that_is_away_is_said_to_be_and_waited_for)
