"""s3_check.py - out_s3 by the real command, against s3rver: keys, links that fail, deaths.

What arrived is judged in the store: each record is in an object, one that came twice has the same
id and content and is marked, and no unfinished upload is left. Each signature is computed anew by
botocore (s3_guard.py), since s3rver believes any.

s3rver is a development dependency, not shipped: `npm install s3rver` in a folder of your own, and
AFFERENT_S3RVER=FOLDER/node_modules/s3rver; it is also found in node_modules here and where npm
installs for all. botocore is Debian's python3-botocore. Without one of them the cases are skipped.
"""

import gzip
import hashlib
import http.client
import importlib.util
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../pipeline"))

import cases

STORE = """
const S3rver = require(process.argv[1]);
const all = { port: 0, address: '127.0.0.1', silent: true, directory: process.argv[2], configureBuckets: [{ name: 'ward' }] };
new S3rver(all).run((problem, at) => { if (problem) throw problem; console.log('port', at.port); });
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
"""
SINK = """
plugin = "out_s3"
endpoint   = "http://127.0.0.1:{port}"
bucket     = "ward"
region     = "eu-test-1"
access_key = "S3RVER"
secret_key = "S3RVER/secret+key"
abort_after = "0s"
{more}
"""
VITALS = """
[pipeline]
name = "s3-check"
memory_limit = "64MiB"
commit_every = "20ms"

[source.patient]
plugin   = "in_synth"
signals  = ["vitals"]
start    = "2026-01-01T00:00:00Z"
duration = "{seconds}s"
pace     = "fast"
subject  = {subject}
run      = {{ clears = ["subject", "times", "names"] }}

[sink.cloud]
from   = "patient.vitals"
""" + SINK
LINKED = """
batch_records = 200
batch_time = "200ms"
edge = { links = ["road"], per_day = "BUDGET" }
"""
ROAD = """
[link.road]
metered    = true
technology = "4g"
interface  = "{interface}"
"""
FILES = """
[pipeline]
name = "s3-files"
memory_limit = "256MiB"
max_record   = "16MiB"
commit_every = "20ms"

[source.files]
plugin   = "in_file"
path     = "files"
as       = "whole"
max_size = "16MiB"
run      = {{ clears = ["subject", "times", "names", "payload"] }}

[sink.cloud]
from   = "files"
edge   = {{ buffer = "64MiB" }}
format = "raw"
object = "files/{{subject}}/{{id}}{{suffix}}"
part_bytes = "5MiB"
in_flight  = 2
""" + SINK


def s3rver():
    """Where it is, or a reason to skip."""
    if not importlib.util.find_spec("botocore"):
        raise cases.Skip("no botocore (Debian: python3-botocore)")
    if not shutil.which("node"):
        raise cases.Skip("no node (Debian: nodejs)")
    places = [os.environ.get("AFFERENT_S3RVER", ""), os.path.join(cases.SOURCE, "node_modules/s3rver")]
    if shutil.which("npm"):
        root = subprocess.run(["npm", "root", "-g"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
        places.append(os.path.join(root.stdout.strip(), "s3rver"))
    for place in places:
        if place and os.path.isfile(os.path.join(place, "package.json")):
            return os.path.abspath(place)
    raise cases.Skip("no s3rver (npm install s3rver, then AFFERENT_S3RVER=FOLDER/node_modules/s3rver)")


class Peer:
    """A program that prints its port and ends with its stdin."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Store:
    """s3rver, and the guard in front of it."""

    def __init__(self, bench):
        module = s3rver()
        self.folder, self.log = bench.path("store"), bench.path("guard.log")
        os.makedirs(self.folder)
        self.store = Peer("node", "-e", STORE, module, self.folder)
        self.guard = Peer(sys.executable, os.path.join(HERE, "s3_guard.py"), self.log, str(self.store.port), self.folder)
        self.port = self.guard.port

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.guard.__exit__()
        self.store.__exit__()

    def get(self, path):
        link = http.client.HTTPConnection("127.0.0.1", self.store.port, timeout=30)
        link.request("GET", path)
        answer = link.getresponse()
        body = answer.read()
        link.close()
        assert answer.status == 200, (path, answer.status, body)
        return body, dict((k.lower(), v) for k, v in answer.getheaders())

    def objects(self):
        """(key, bytes, headers) of each, as the store gives them."""
        marker = ""
        while True:
            page = xml.etree.ElementTree.fromstring(self.get("/ward?max-keys=500&marker=" + urllib.parse.quote(marker, safe=""))[0])
            keys = [e.text for e in page.iter() if e.tag.endswith("Key")]
            for key in keys:
                yield key, *self.get("/ward/" + urllib.parse.quote(key))
            if len(keys) < 500:
                return
            marker = keys[-1]

    def requests(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines.read().split("\n")[:-1]]

    def uploads(self):
        folder = os.path.join(self.folder, "ward/._S3rver_uploads")
        return os.listdir(folder) if os.path.isdir(folder) else []


def vitals(bench, port, seconds=600, subject="bed 3", more="batch_records = 10\nbatch_time = \"20ms\"\n"):
    return bench.write("s3.toml", VITALS.format(port=port, seconds=seconds, subject=json.dumps(subject), more=more))


def judge(store, seconds):
    """Lost, and how many are in two objects."""
    first, twice, objects = {}, 0, 0
    for _, body, headers in store.objects():
        objects += 1
        lines = (gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body).decode().split("\n")
        assert lines.pop() == ""
        here = set()
        for record in map(json.loads, lines):
            assert record["id"] not in here, "twice in one object"
            here.add(record["id"])
            marked = record.pop("resent", False)
            if record["id"] in first:
                twice += 1
                assert record == first[record["id"]][0], "the same id with other content"
                assert marked or first[record["id"]][1], "in two objects and not marked"
            first[record["id"]] = record, marked
    lost = seconds - len({r["time"] for r, _ in first.values()})
    print(f"    {len(first)} records in {objects} objects, lost {lost}, in two objects {twice}", flush=True)
    assert lost == 0 and len(first) == seconds and store.uploads() == []
    return twice


def records_are_in_the_store_once_each(bench):
    with Store(bench) as store:
        more = 'batch_records = 50\nbatch_time = "1s"\ncompress = "gzip"\nobject = "{subject}/{date}/{hour}{minute}/{id}{suffix}"\n'
        out, err = bench.run("run", vitals(bench, store.port, more=more))
        cases.has(out + err, "balanced")
        assert judge(store, 600) == 0
        keys = [o[0] for o in store.objects()]
    assert all(k.startswith("bed!203/2026-01-01/00") for k in keys) and len(keys) >= 12, keys


def hostile_names_are_signed_and_stay_in_their_place(bench):
    """In the template what the operator wrote, in data what anybody did."""
    hostile = "../../etc//pass wd\\+%2F\u00fc\u4e2d?uploads&x=1#\x7f\u2028" + "n" * 200
    literal = "a b+c%41/\u00fc\u4e2d=1&2;3,4$5@6'7(8)9!*/~"
    more = f'batch_records = 100\nbatch_time = "1s"\nobject = {json.dumps(literal + "/{subject}/{stream}/{id}{suffix}", ensure_ascii=False)}\n'
    with Store(bench) as store:
        bench.run("run", vitals(bench, store.port, 300, hostile, more))
        assert judge(store, 300) == 0
        keys = [o[0] for o in store.objects()]
    for key in keys:
        assert key.startswith(literal + "/!2E.!2F..!2Fetc!2F!2Fpass!20wd!5C!2B!252F!C3!BC!E4"), key
        assert key.count("/") == literal.count("/") + 3, key
        assert "!~" in key.split("/")[-3]


def links_that_fail_cost_no_record(bench):
    modes = ["pass", "reset:2500", "latency:20", "cut:40", "slow:400000", "half:10", "pass", "black", "reset:0", "cut:0"]
    with Store(bench) as store, Peer(sys.executable, os.path.join(HERE, "proxy.py"), str(store.port), *modes) as proxy:
        more = 'batch_records = 10\nbatch_time = "20ms"\nin_flight = 4\ntimeout = "400ms"\n'
        out, err = bench.run("run", vitals(bench, proxy.port, 100, more=more))
        cases.has(out + err, "balanced")
        judge(store, 100)


def a_node_that_dies_with_objects_under_way_loses_none(bench):
    """kill -9 after each few objects; the next run goes on from the last commit."""
    seconds, deaths = 1200, 0
    with Store(bench) as store:
        toml = vitals(bench, store.port, seconds)
        for turn in range(8):
            before = len(store.requests())
            started = bench.start("run", toml)
            end = time.monotonic() + cases.LIMIT_S
            while len(store.requests()) < before + 3 + turn and started.process.poll() is None and time.monotonic() < end:
                time.sleep(0.002)
            if started.process.poll() is None:
                started.send(signal.SIGKILL)
                deaths += 1
            started.end()
        bench.run("run", toml)
        print(f"    {deaths} deaths", flush=True)
        judge(store, seconds)
    assert deaths >= 5


def files_in_parts(bench, sizes):
    """Files of which most are sent in parts; their hashes by name."""
    chance, hashes = random.Random(6), {}
    os.makedirs(bench.path("files"))
    for i, size in enumerate(sizes):
        content = chance.randbytes(size)
        bench.write(f"files/f{i}.bin", content)
        hashes[f"f{i}"] = hashlib.sha256(content).hexdigest()
    return hashes


def judge_files(store, hashes):
    found = {}
    for key, body, _ in store.objects():
        name = key.split("/")[1]
        assert name not in found, f"{name} is in two objects"
        found[name] = hashlib.sha256(body).hexdigest()
    assert found == hashes, (sorted(found), sorted(hashes))
    assert store.uploads() == [], "an unfinished upload is left"


def a_node_that_dies_in_an_upload_leaves_nothing_behind(bench):
    """kill -9 in the middle of an upload in parts, again and again."""
    hashes, left, deaths = files_in_parts(bench, [12 << 20, 100, 15 << 20, 0, 11 << 20]), 0, 0
    with Store(bench) as store:
        toml = bench.write("files.toml", FILES.format(port=store.port, more=""))
        for turn in range(6):
            before = len(store.requests())
            started = bench.start("run", toml)
            end = time.monotonic() + cases.LIMIT_S
            while len([r for r in store.requests()[before:] if "partNumber=" in r["path"]]) < 1 + turn % 3 and \
                    started.process.poll() is None and time.monotonic() < end:
                time.sleep(0.002)
            if started.process.poll() is None:
                started.send(signal.SIGKILL)
                deaths += 1
            started.end()
            time.sleep(0.1)  # what the store still has in hand
            left = max(left, len(store.uploads()))
        bench.run("run", toml)
        judge_files(store, hashes)
        aborted = sum(r["method"] == "DELETE" for r in store.requests())
    print(f"    {deaths} deaths, {left} uploads left by one of them, {aborted} taken away", flush=True)
    assert deaths >= 3 and left > 0 and aborted > 0


def an_upload_over_a_link_that_breaks_goes_on_where_it_was(bench):
    """Each connection ends after some megabytes; what arrived whole is not sent again."""
    hashes = files_in_parts(bench, [15 << 20])
    modes = ["reset:7000000", "reset:6000000"]
    with Store(bench) as store, Peer(sys.executable, os.path.join(HERE, "proxy.py"), str(store.port), *modes) as proxy:
        bench.run("run", bench.write("files.toml", FILES.format(port=proxy.port, more="")))
        judge_files(store, hashes)
        parts = [r["path"] for r in store.requests() if "partNumber=" in r["path"]]
    assert len({p.split("uploadId=")[1] for p in parts}) == 1 and sorted(set(parts)) == sorted(parts) and len(parts) == 3


class Counter:
    """A way to a port on which each byte is counted: from the client, and to it."""

    def __init__(self, port):
        self.to, self.counts, self.lock = port, [0, 0], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            threading.Thread(target=self.carry, args=(client, server, 0), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, 1), daemon=True).start()

    def carry(self, source, sink, way):
        try:
            while data := source.recv(65536):
                with self.lock:
                    self.counts[way] += len(data)
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.listener.close()


def uplink(bench, toml):
    """What `status` says of it; None: it does not run yet."""
    done = subprocess.run([cases.PROGRAM, "status", "--json", toml], env=bench.env, capture_output=True, check=False, timeout=60)
    return next(iter(json.loads(done.stdout)["uplinks"]), None) if done.returncode == 0 else None


def until(what, true):
    end = time.monotonic() + cases.LIMIT_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def nothing_goes_without_a_link_and_a_budget_holds_with_one(bench):
    """Not even the list of unfinished uploads goes; what goes later is counted as the far end sees it."""
    with Store(bench) as store, Counter(store.port) as way:
        def world(interface, budget):
            toml = vitals(bench, way.port, 600, more=LINKED.replace("BUDGET", budget))
            with open(toml, "a", encoding="utf-8") as f:
                f.write(ROAD.format(interface=interface))
            return toml

        toml = world("nowhere0", "64KiB")
        started = bench.start("run", toml)
        until("it runs", lambda: uplink(bench, toml))
        time.sleep(1.5)  # longer than the sink waits before it looks again
        assert way.counts == [0, 0] and store.requests() == []
        world("lo", "64KiB")
        bench.run("reload", toml)
        until("the budget is spent", lambda: uplink(bench, toml)["waits_for"] == "per_day is spent")
        until("both ends agree", lambda: [uplink(bench, toml)[k] for k in ("sent_bytes", "received_bytes")] == way.counts)
        is_so = uplink(bench, toml)
        print(f"    far end {way.counts}, status {is_so['sent_bytes']}, {is_so['received_bytes']}, "
              f"{len(store.requests())} requests", flush=True)
        assert is_so["counted"] == "wire" and 48 << 10 < sum(way.counts) < 64 << 11
        world("lo", "64MiB")
        bench.run("reload", toml)
        assert started.end() == 0, started.said
        judge(store, 600)


def a_wrong_secret_is_said_and_nothing_is_lost(bench):
    with Store(bench) as store:
        toml = vitals(bench, store.port, 50)
        with open(toml, encoding="utf-8") as f:
            wrong = f.read().replace("S3RVER/secret+key", "S3RVER/secret")
        started = bench.start("run", bench.write("wrong.toml", wrong))
        started.wait_for("check secret_key")
        started.send(signal.SIGKILL)
        started.end()
        assert "S3RVER" not in started.said and store.requests() == []
        bench.run("run", toml)
        assert judge(store, 50) == 0


cases.main(records_are_in_the_store_once_each, hostile_names_are_signed_and_stay_in_their_place, links_that_fail_cost_no_record,
           a_node_that_dies_with_objects_under_way_loses_none, a_node_that_dies_in_an_upload_leaves_nothing_behind,
           an_upload_over_a_link_that_breaks_goes_on_where_it_was,
           nothing_goes_without_a_link_and_a_budget_holds_with_one,
           a_wrong_secret_is_said_and_nothing_is_lost)
