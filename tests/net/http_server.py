#!/usr/bin/env python3
"""http_server.py - a scripted HTTP server, for the tests of out_http. Good and bad.

    http_server.py LOG [CERT KEY [CA]]      prints "port N", then serves until stdin ends

With CERT it speaks TLS; with CA it wants a client's certificate. What it does is said by the
path of the request, which is made of words, each with its argument behind a colon:

    ok                        200
    status:422                that status            for:N      only the first N requests of this path
    bad:WORD:422              422 where the body has WORD, else 200
    multi:WORD:422            207, each record of the JSON list with a status of its own, by WORD
    after:SECONDS             with Retry-After       after_date:SECONDS   the same as a date
    together:N                200 to each of N requests, when all N are there
    half, long, short, huge, garbage, nothing, early, close, slow:MS, redirect:PORT
    headers:MEGABYTES         200, and headers without end
    hangs_up:WORD             no answer where the body has WORD, else 200
    busy                      no answer to the first, 409 to the second request with a key, then 200
    bearer:TOKEN              401 without it         basic:USER-PASSWORD
    token:SECONDS             an OAuth token that holds for so long: t1, t2, ...
    valid                     401 for a bearer that is no token of ours, or has expired
    revoke:N                  401 for the N-th request, whatever it bears

Each request becomes a line of JSON in LOG before it is answered, so that the far end can be
counted: method, path, headers, body (text; unpacked where it is gzip), the connection's number.

Not here: what a FHIR server answers (fake_fhir.py), links that fail (proxy.py)."""

import base64
import email.utils
import gzip
import http.server
import json
import ssl
import sys
import threading
import time

LOCK = threading.Lock()
SEEN = {}  # requests by path
TOKENS = {}  # until when each holds
CONNECTIONS = [0]
BARRIERS = {}


def note(log, line):
    with LOCK:
        log.write(json.dumps(line) + "\n")
        log.flush()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 20

    def log_message(self, *args):
        pass

    def setup(self):
        super().setup()
        with LOCK:
            CONNECTIONS[0] += 1
            self.number = CONNECTIONS[0]

    # ---- a request ----

    def words(self):
        return {w.split(":")[0]: w.split(":")[1:] for w in self.path.split("?")[0].strip("/").split("/") if w}

    def read_body(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return body.decode("utf-8", "replace")

    def do_POST(self):
        words = self.words()
        if "early" in words:
            return self.early()
        self.body = self.read_body()
        with LOCK:
            self.turn = SEEN[self.path] = SEEN.get(self.path, 0) + 1
        note(self.server.log, {"method": self.command, "path": self.path, "connection": self.number,
                               "headers": {k.lower(): v for k, v in self.headers.items()}, "body": self.body})
        if "for" in words and self.turn > int(words["for"][0]):
            words = {"ok": []}
        for word, arguments in words.items():
            act = getattr(self, "act_" + word, None)
            if act:
                return act(*arguments, **({"words": words} if word == "status" else {}))
        return self.answer(200)

    do_PUT = do_POST

    def answer(self, status, body=b"{}", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def raw(self, data):
        """Bytes as they are, then the end of the connection."""
        self.wfile.write(data)
        self.wfile.flush()
        self.close_connection = True

    # ---- what it may do ----

    def act_ok(self):
        self.answer(200)

    def act_status(self, status, words):
        headers = []
        if "after" in words:
            headers.append(("Retry-After", words["after"][0]))
        if "after_date" in words:
            headers.append(("Retry-After", email.utils.formatdate(time.time() + float(words["after_date"][0]), usegmt=True)))
        self.answer(int(status), headers=headers)

    def act_bad(self, word, status):
        self.answer(int(status) if word in self.body else 200)

    def act_multi(self, word, status):
        rows = [{"id": r["id"], "status": int(status) if word in json.dumps(r) else 201} for r in json.loads(self.body)]
        self.answer(207, json.dumps(rows[::-1]).encode())

    def act_half(self):
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Le")

    def act_long(self):
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}")

    def act_short(self):
        """More than it says, and then the next answer would begin in the middle."""
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" + b"x" * 500)

    def act_huge(self, megabytes="64"):
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
        try:
            for _ in range(int(megabytes)):
                self.wfile.write(b" " * 1000000)
        except OSError:
            pass

    def act_headers(self, megabytes):
        self.raw(b"HTTP/1.1 200 OK\r\n")
        try:
            for i in range(int(megabytes) * 1000):
                self.wfile.write(f"X-{i}: ".encode() + b"x" * 990 + b"\r\n")
        except OSError:
            pass

    def act_hangs_up(self, *words):
        if ":".join(words) in self.body:
            self.close_connection = True
        else:
            self.answer(200)

    def act_busy(self):
        with LOCK:
            key = self.headers.get("Idempotency-Key")
            turn = SEEN[key] = SEEN.get(key, 0) + 1
        if turn == 1:
            self.close_connection = True
        else:
            self.answer(409 if turn == 2 else 200)

    def act_garbage(self):
        self.raw(b"SSH-2.0-OpenSSH_9.2\r\n" + bytes(range(256)))

    def act_nothing(self):
        self.close_connection = True

    def act_close(self):
        """Says that it keeps the connection, and closes it."""
        self.answer(200)
        self.close_connection = True

    def act_slow(self, ms):
        time.sleep(int(ms) / 1000)
        self.answer(200)

    def act_together(self, number):
        with LOCK:
            barrier = BARRIERS.setdefault(self.path, threading.Barrier(int(number)))
        try:
            barrier.wait(20)
            self.answer(200)
        except threading.BrokenBarrierError:
            self.answer(400)

    def act_redirect(self, port):
        self.answer(307, headers=[("Location", f"http://127.0.0.1:{port}/ok")])

    def early(self):
        """The answer before the request was read."""
        note(self.server.log, {"method": self.command, "path": self.path, "headers": {}, "body": "", "connection": self.number})
        self.raw(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    # ---- who is it ----

    def bearer(self):
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def act_bearer(self, token):
        self.answer(200 if self.bearer() == token else 401)

    def act_basic(self, pair):
        wanted = "Basic " + base64.b64encode(pair.replace("-", ":").encode()).decode()
        self.answer(200 if self.headers.get("Authorization") == wanted else 401)

    def act_token(self, seconds):
        with LOCK:
            name = f"t{len(TOKENS) + 1}"
            TOKENS[name] = time.monotonic() + int(seconds)
        self.answer(200, json.dumps({"access_token": name, "token_type": "Bearer", "expires_in": int(seconds)}).encode())

    def act_valid(self):
        self.answer(200 if TOKENS.get(self.bearer(), 0) > time.monotonic() else 401)

    def act_revoke(self, turn):
        self.answer(401 if self.turn == int(turn) else 200)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, address):
        pass


def main():
    server = Server(("127.0.0.1", 0), Handler)
    server.log = open(sys.argv[1], "a", encoding="utf-8")
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        if len(sys.argv) > 4:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(sys.argv[4])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print("port", server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
