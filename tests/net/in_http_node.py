"""in_http_node.py - a node that listens, clients that send to it, and the judge of what came out.

Lost is what was answered 200 and is not there; invented what is there and was never sent;
split what has more than one id. Not here: the cases (in_http.py)."""

import http.client
import json
import os
import random
import shutil
import signal
import socket
import ssl
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../pipeline"), HERE]

import tls_servers
from cases import Skip
from mqtt_broker import free_port

SEED = int(os.environ.get("IN_HTTP_SEED", "1"))
TOKEN, OTHER = "token-of-bed-one-0001", "token-of-bed-two-0002"
JSON, LINES = "application/json", "application/x-ndjson"
PKI = {}


def pipeline(bench, port, extra="", routes='[{ path = "/bed/{subject}/{stream}" }]', run="durable = true, ", tail="",
             tokens=f'{{ one = "{TOKEN}", two = "{OTHER}" }}', head="", reader="web"):
    return bench.write("web.toml", f"""
[pipeline]
name = "web"
commit_every = "20ms"
{head}
[source.web]
plugin = "in_http"
listen = "127.0.0.1:{port}"
tokens = {tokens}
routes = {routes}
{extra}
run = {{ {run}isolation = "thread" }}
[sink.file]
plugin = "out_file"
from = "{reader}"
path = "got.jsonl"
format = "jsonl"
ids = true
run = {{ isolation = "thread" }}
{tail}
""")


def check_here(bench):
    plugins = bench.run("plugin", "list")[0]
    if "in_http" not in plugins:
        raise Skip("this build has no in_http (libmicrohttpd-dev, libgnutls28-dev, libsimdjson-dev)")


class Node:
    """A run that listens."""

    def __init__(self, bench, *args, **options):
        check_here(bench)
        self.bench, self.port = bench, free_port()
        self.toml = pipeline(bench, self.port, *args, **options)
        self.run = None

    def __enter__(self):
        return self.start()

    def start(self):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # of clients whose node is killed; what is started has the default
        self.run = self.bench.start("run", self.toml)
        self.run.wait_for("listens at")
        return self

    def kill(self):
        self.run.send(signal.SIGKILL)
        self.run.end()

    def stop(self):
        self.run.send(signal.SIGTERM)
        assert self.run.end() == 0, self.run.said

    def __exit__(self, *_):
        if self.run.process.poll() is None:
            self.run.process.kill()
            self.run.end()

    def post(self, path, body, type_=JSON, key=None, token=TOKEN, method="POST", more=None, timeout=30):
        """Status, headers, answer."""
        headers = {"Content-Type": type_} if type_ else {}
        headers.update({"Authorization": "Bearer " + token} if token else {})
        headers.update({"Idempotency-Key": key} if key else {})
        headers.update(more or {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, dict(answer.getheaders()), json.loads(text) if text.startswith(b"{") else text.decode()
        finally:
            connection.close()

    def raw(self, data, wait=5, end=False):
        """All that comes back for these bytes, until the node closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            s.settimeout(wait)
            got = b""
            try:
                s.sendall(data)
                if end:
                    s.shutdown(socket.SHUT_WR)
                while True:
                    some = s.recv(65536)
                    if not some:
                        return got
                    got += some
            except OSError:
                return got


def got(bench, name="got.jsonl"):
    path = bench.path(name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f.read().split("\n")[:-1]]


def texts(bench):
    return [line["data"]["text"] for line in got(bench)]


def judge(bench, answered, sent):
    """Lost, invented, split; what was answered is there once, in one form."""
    ids = {}
    lines = got(bench)
    for line in lines:
        ids.setdefault(line["data"]["text"], set()).add(line["id"])
    lost = sum(text not in ids for text in answered)
    invented = sum(text not in sent for text in ids)
    split = sum(len(found) > 1 for found in ids.values())
    print(f"  {len(lines)} lines, {len(ids)} texts of {len(sent)}: lost {lost}, invented {invented}, split {split}, "
          f"twice {len(lines) - len({line['id'] for line in lines})}")
    return lost, invented, split


def request(path="/bed/7/hr", body="{}", headers="", method="POST", length=True):
    size = f"Content-Length: {len(body)}\r\n" if length else ""
    return (f"{method} {path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: {JSON}\r\n"
            f"{size}{headers}\r\n{body}").encode()


class Clients:
    """Send until each of their texts was answered 200, again and again with the same key."""

    def __init__(self, node, clients, each, rows=1, cut=0.0):
        self.node, self.answered, self.sent, self.again, self.lock, self.bad = node, set(), set(), 0, threading.Lock(), []
        self.chance = random.Random(SEED)
        self.cut = cut
        self.threads = [threading.Thread(target=self.client, args=(c, each, rows), daemon=True) for c in range(clients)]
        self.stopped = False
        for t in self.threads:
            t.start()

    def client(self, c, each, rows):
        for n in range(each):
            lines = [f'{{"client":{c},"n":{n},"row":{r}}}' for r in range(rows)]
            with self.lock:
                self.sent.update(lines)
            body = "[" + ",".join(lines) + "]"
            while not self.stopped:
                try:
                    with self.lock:
                        hang_up = self.chance.random() < self.cut
                    if hang_up:
                        self.hang_up(body, f"{c}-{n}")
                        continue
                    status, _, answer = self.node.post("/bed/7/hr", body, key=f"{c}-{n}")
                except (OSError, http.client.HTTPException, ValueError):
                    time.sleep(0.02)
                    continue
                if status == 503:
                    time.sleep(0.05)
                    continue
                with self.lock:
                    if status != 200 or answer["records"] != rows:
                        self.bad.append((status, answer))
                    self.again += "again" in answer
                    self.answered.update(lines)
                break

    def hang_up(self, body, key):
        """Sent whole or in part, and never asked what became of it."""
        text = request(body=body, headers=f"Idempotency-Key: {key}\r\n")
        with self.lock:
            text = text[:self.chance.randint(1, len(text))] if self.chance.random() < 0.5 else text
        with socket.create_connection(("127.0.0.1", self.node.port), timeout=5) as s:
            s.sendall(text)

    def join(self, limit=120):
        end = time.monotonic() + limit
        for t in self.threads:
            t.join(max(0, end - time.monotonic()))
        self.stopped = True
        assert not any(t.is_alive() for t in self.threads), f"{len(self.answered)} of {len(self.sent)}: {self.node.run.said}"
        assert not self.bad, self.bad[:3]


# ---- TLS ----


def pki():
    if not shutil.which("openssl"):
        raise Skip("no openssl here")
    if not PKI:
        import tempfile
        PKI["keep"] = tempfile.TemporaryDirectory(prefix="afferent-in-http-")
        m = tls_servers.make_all(PKI["keep"].name)
        m.issue("other_client", "ca", "client")
        m.issue("old_client", "ca", "client", start=tls_servers.PAST, end=tls_servers.LATELY)
        m.issue("wrong_client", "other_ca", "client")
    return PKI["keep"].name


def tls_post(node, folder, client=None, version=None, token=None):
    context = ssl.create_default_context(cafile=f"{folder}/ca.pem")
    context.check_hostname = False
    if version:
        context.minimum_version = context.maximum_version = version
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if client:
        context.load_cert_chain(f"{folder}/{client}.pem", f"{folder}/{client}.key")
    connection = http.client.HTTPSConnection("127.0.0.1", node.port, timeout=20, context=context)
    try:
        headers = {"Content-Type": JSON}
        headers.update({"Authorization": "Bearer " + token} if token else {})
        connection.request("POST", "/bed/7/hr", "{}", headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as why:
        return type(why).__name__
    finally:
        connection.close()
