"""in_http.py - in_http beside curl, clients that retry, and peers that mean harm.

What counts is the far end: the lines of a file (in_http_node.py judges them). A client that
got no answer sends again with the same Idempotency-Key, as a client should.

    IN_HTTP_KILLS   of each family, 3 by default
    IN_HTTP_SEED    of what is random, 1 by default
"""

import base64
import concurrent.futures
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../pipeline"), HERE]

import cases
from cases import Skip, has
from in_http_node import JSON, LINES, OTHER, SEED, TOKEN, Clients, Node, check_here, got, judge, pipeline, pki, request, texts, tls_post
from mqtt_broker import free_port, wait_until

KILLS = int(os.environ.get("IN_HTTP_KILLS", "3"))


# ---- the plain way ----


def objects_arrays_and_lines_come_out_as_they_were(bench):
    with Node(bench) as node:
        assert node.post("/bed/7/hr", '{"hr": 1.250}')[::2] == (200, {"status": "committed", "records": 1})
        assert node.post("/bed/7/hr", '[{"a":[1,\n2]}, {"b":"x\\n,]"} ,{}]')[2]["records"] == 3
        assert node.post("/bed/8/hr", '{"c":1}\n\n{"d":"\u00e9"}\r\n{"e":2}'.encode(), LINES)[2]["records"] == 3
        assert node.post("/bed/8/hr", "[]")[2]["records"] == 0
        assert node.post("/bed/8/hr", "{}", "application/fhir+json; charset=utf-8", method="PUT")[0] == 200
        node.stop()
    assert texts(bench) == ['{"hr": 1.250}', '{"a":[1, 2]}', '{"b":"x\\n,]"}', "{}", '{"c":1}', '{"d":"\u00e9"}', '{"e":2}', "{}"]
    assert [(line["subject"], line["stream"]) for line in got(bench)] == [("7", "hr")] * 4 + [("8", "hr")] * 4
    assert len({line["id"] for line in got(bench)}) == 8


def curl_and_the_shipped_pipeline_fill_an_archive(bench):
    check_here(bench)
    if not shutil.which("curl"):
        raise Skip("no curl here")
    port = free_port()
    bench.env.update(AFFERENT_HTTP_LISTEN=f"127.0.0.1:{port}", AFFERENT_HTTP_TOKEN=TOKEN)
    toml = os.path.join(cases.PIPELINES, "from-http.toml")
    run = bench.start("run", toml)
    run.wait_for("listens at")
    for i in range(2):
        done = subprocess.run(["curl", "-sS", "--fail-with-body", "-H", f"Authorization: Bearer {TOKEN}", "-H",
                               f"Content-Type: {JSON}", "-H", "Idempotency-Key: first", "-d",
                               '{"time":"2026-11-22T01:00:00Z","heart_rate":72}', f"http://127.0.0.1:{port}/bed/7/vitals"],
                              capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0 and json.loads(done.stdout)["records"] == 1, done
        assert ("again" in done.stdout) == (i == 1), done
    run.send(signal.SIGTERM)
    assert run.end() == 0, run.said
    has(bench.run("query", toml)[0], "2026-11-22T01:00:00Z", "72")


def pipelined_chunked_and_expected_bodies_are_taken(bench):
    with Node(bench) as node:
        said = node.raw(b"".join(request(body=f'{{"n":{i}}}') for i in range(20)) +
                        request(body='{"n":20}', headers="Connection: close\r\n"))
        assert said.count(b"HTTP/1.1 200 OK") == 21, said
        chunks = '7\r\n{"n":21\r\n1;x="y"\r\n}\r\n0\r\nTrailer: x\r\n\r\n'
        said = node.raw(request(body=chunks, headers="Transfer-Encoding: chunked\r\nConnection: close\r\n", length=False))
        assert b"200 OK" in said, said
        with socket.create_connection(("127.0.0.1", node.port), timeout=10) as s:
            s.sendall(request(body="", headers='Content-Length: 8\r\nExpect: 100-continue\r\nConnection: close\r\n', length=False))
            assert b"100 Continue" in s.recv(4096)
            s.sendall(b'{"n":22}')
            assert b"200 OK" in s.recv(4096)
        node.stop()
    assert texts(bench) == [f'{{"n":{i}}}' for i in range(23)]


def files_and_forms_come_out_whole(bench):
    chance = random.Random(SEED)
    blobs = {f"f{i}.bin": chance.randbytes(size) for i, size in enumerate((0, 1, 1000, 40000, 70001, 32768))}
    with Node(bench, 'block = "16KiB"', routes="""[
            { path = "/put/{subject}/{name}", takes = "files", stream = "{name}" },
            { path = "/form/{subject}", takes = "files", stream = "form/{file}" }]""", reader="web.files") as node:
        for name, blob in blobs.items():
            assert node.post("/put/7/" + name, blob, "application/octet-stream", method="PUT")[0] == 200
            with open(bench.path(name), "wb") as f:
                f.write(blob)
        if shutil.which("curl"):
            form = [part for name in blobs for part in ("-F", f"x=@{bench.path(name)}")]
            done = subprocess.run(["curl", "-sS", "-H", f"Authorization: Bearer {TOKEN}", *form, f"http://127.0.0.1:{node.port}/form/8"],
                                  capture_output=True, text=True, check=False, timeout=30)
            assert '"committed"' in done.stdout, done
        bad = (b'--bb\r\nContent-Disposition: form-data; name="x"\r\n\r\nvalue\r\n--bb--\r\n',
               b'--bb\r\nContent-Disposition: form-data; name="x"; filename="f"\r\n\r\ncut',
               b"--bb--\r\n", b"no form", b"")
        for body in bad:
            status, _, answer = node.post("/form/9", body, "multipart/form-data; boundary=bb")
            assert status == 400, (body, answer)
        many = b"".join(b'--bb\r\nContent-Disposition: form-data; name="x"; filename="f%d"\r\n\r\nx\r\n' % i for i in range(17)) + b"--bb--\r\n"
        assert node.post("/form/9", many, "multipart/form-data; boundary=bb")[0] == 413
        assert node.post("/form/9", b"a=b", "application/x-www-form-urlencoded")[0] == 415
        node.stop()
    files = {}
    for line in got(bench):
        data = line["data"]
        some = base64.b64decode(data["base64"]) if "base64" in data else data.get("text", "").encode()
        files[line["subject"], line["stream"]] = files.get((line["subject"], line["stream"]), b"") + some
    expected = {("7", name): blob for name, blob in blobs.items()}
    if shutil.which("curl"):
        expected.update({("8", "form/" + name): blob for name, blob in blobs.items()})
    assert files == expected, {k: len(v) for k, v in files.items()}


def a_form_that_comes_byte_by_byte_is_the_same(bench):
    body = (b'--bb\r\nContent-Disposition: form-data; name="x"; filename="a"\r\n\r\nhello\r\n'
            b'--bb\r\nContent-Disposition: form-data; name="x"; filename="b"\r\n\r\n\r\n--bb--\r\n')
    head = (f"POST /form/7 HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {TOKEN}\r\nIdempotency-Key: k\r\n"
            f"Content-Type: multipart/form-data; boundary=bb\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode()
    with Node(bench, routes='[{ path = "/form/{subject}", takes = "files", stream = "{file}" }]', reader="web.files") as node:
        for step in (1, len(body)):
            with socket.create_connection(("127.0.0.1", node.port), timeout=10) as s:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                s.sendall(head)
                for at in range(0, len(body), step):
                    s.sendall(body[at:at + step])
                    time.sleep(0.002)
                said = s.recv(4096)
                assert b'"records":2' in said and (b"again" in said) == (step > 1), said
        node.stop()
    assert [(line["stream"], line["data"]["text"]) for line in got(bench)] == [("a", "hello"), ("b", "")], got(bench)


def names_and_times_come_from_path_headers_and_client(bench):
    with Node(bench, 'time_header = "X-Time"', routes='[{ path = "/in/{bed}", subject = "{bed}", stream = "{client}/{header:X-Kind}" }]') as node:
        more = {"X-Kind": "ecg", "X-Time": "1700000000000000000"}
        assert node.post("/in/7%2Fb%C3%A9?query=1", "{}", more=more)[0] == 200
        assert node.post("/in/7", "{}", more=more, token=OTHER)[0] == 200
        assert node.post("/in/7", "{}")[0] == 400, "no header, no stream"
        assert node.post("/in/7", "{}", more=dict(more, **{"X-Time": "now"}))[0] == 400
        assert [node.post(path, "{}", more=more)[0] for path in ("/in/%00", "/in/%zz", "/in/%ff", "/in/" + "a" * 300)] == [400] * 4
        assert [node.post(path, "{}", more=more)[0] for path in ("/in", "/in/", "/in/7/", "/in/7/8", "/IN/7", "//in/7", "/")] == [404] * 7
        status, headers, _ = node.post("/in/7", None, method="GET")
        assert (status, headers["Allow"]) == (405, "POST, PUT")
        assert node.post("/in/7", "{}", method="DELETE")[0] == 405
        node.stop()
    lines = [(line["subject"], line["stream"], line["time"]) for line in got(bench)]
    assert lines == [("7/b\u00e9", "one/ecg", "2023-11-14T22:13:20Z"), ("7", "two/ecg", "2023-11-14T22:13:20Z")], lines


# ---- what is refused ----


def who_has_no_token_is_told_so_and_nothing_else(bench):
    with Node(bench) as node:
        for token in (None, "wrong", TOKEN[:-1], TOKEN + "x", "", TOKEN.upper()):
            status, headers, _ = node.post("/bed/7/hr", "{}", token=token)
            assert status == 401 and headers["WWW-Authenticate"].startswith("Bearer"), token
        assert node.post("/other", "{}", token=None)[0] == 401, "paths are not told to everybody"
        assert node.post("/bed/7/hr", "{}", token=None, more={"Authorization": "Basic b25lOnR3bw=="})[0] == 401
        assert node.post("/health", None, token=None, method="GET")[0] == 200
        node.stop()
        assert TOKEN not in node.run.said and "answered 401" in node.run.said, node.run.said
    assert got(bench) == []


def what_is_wrong_is_said_with_its_place_and_leaves_nothing(bench):
    cases_ = (("", 400, None), ("{", 400, 1), ('{"a":1}{', 400, 1), ('[{"a":1},{"a":01}]', 400, 2), ("[1]", 400, 1), ("7", 400, 1),
              ('{"a":"\xff"}', 400, 1), ("[" * 70 + "]" * 70, 400, 1), ('{"a":1}\n', 200, None), ('[{"a":1}', 400, None),
              ('{"a":"' + "x" * 70000 + '"}', 413, 1), ("[{},]", 400, None), ("[{} {}]", 400, None), ("nul", 400, 1))
    with Node(bench) as node:
        for body, status, row in cases_:
            found, headers, answer = node.post("/bed/7/hr", body.encode("latin-1"))
            assert found == status, (body[:50], answer)
            assert status == 200 or headers["Content-Type"] == "application/problem+json"
            assert row is None or answer["row"] == row, (body[:50], answer)
            assert "xxx" not in json.dumps(answer)
        assert node.post("/bed/7/hr", '{"a":1}\n[{}]\n', LINES)[2]["row"] == 2
        assert node.post("/bed/7/hr", '{"a":1}\n{"b"}\n', LINES)[2]["offset"] == 8
        for type_ in (None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data"):
            assert node.post("/bed/7/hr", "{}", type_)[0] == 415, type_
        assert node.post("/bed/7/hr", "{}", more={"Content-Encoding": "gzip"})[0] == 415
        node.stop()
    assert texts(bench) == ['{"a":1}']


def too_much_is_refused_before_it_is_read(bench):
    with Node(bench, 'max_body = "64KiB"\nmax_row = "1KiB"\nmax_headers = "4KiB"') as node:
        with socket.create_connection(("127.0.0.1", node.port), timeout=10) as s:
            s.sendall(request(body="", headers='Content-Length: 70000\r\nExpect: 100-continue\r\n', length=False))
            said = s.recv(4096)
            assert b"413" in said and b"100 Continue" not in said, said
        assert node.post("/bed/7/hr", "{" + " " * 66000 + "}")[0] == 413
        assert node.post("/bed/7/hr", iter([b" " * 30000] * 5))[0] == 413, "chunked"
        assert node.post("/bed/7/hr", '{"a":"' + "x" * 1100 + '"}')[2]["limit"] == 1024
        assert b"413" in node.raw(request(body="", headers="Content-Length: 99999999999\r\n", length=False))
        assert b"HTTP/1.1 4" in node.raw(request(body="", headers="Content-Length: 99999999999999999999999\r\n", length=False))
        said = node.raw(request(headers="X-Long: " + "y" * 9000 + "\r\n"), wait=1)
        assert b" 431 " in said or b" 413 " in said, said
        said = node.raw(request(path="/" + "y" * 9000))
        assert b" 414 " in said, said
        endless = b"1\r\n \r\n" * 400000
        node.raw(request(body="", headers="Transfer-Encoding: chunked\r\n", length=False) + endless, wait=1)
        assert node.post("/bed/7/hr", "{}")[0] == 200
        node.stop()
    assert texts(bench) == ["{}"]


def smuggled_requests_are_never_taken(bench):
    hidden = request(body='{"hidden":1}').decode()
    shapes = [
        ("cl.te", f"Content-Length: {5 + len(hidden)}\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + hidden),
        ("te.cl", f"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", f"{len(hidden):x}\r\n{hidden}\r\n0\r\n\r\n"),
        ("two lengths", f"Content-Length: 2\r\nContent-Length: {2 + len(hidden)}\r\n", "{}" + hidden),
        ("a list of lengths", f"Content-Length: 2, {2 + len(hidden)}\r\n", "{}" + hidden),
        ("a signed length", "Content-Length: +2\r\n", "{}" + hidden),
        ("a negative length", "Content-Length: -2\r\n", "{}" + hidden),
        ("hex", "Content-Length: 0x2\r\n", "{}" + hidden),
        ("identity", f"Transfer-Encoding: identity\r\n", hidden),
        ("two codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n" + hidden),
        ("a list of codings", "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n" + hidden),
        ("xchunked", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n" + hidden),
        ("a blank before the colon", f"Transfer-Encoding : chunked\r\nContent-Length: {5 + len(hidden)}\r\n", "0\r\n\r\n" + hidden),
        ("a folded line", f"X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: {5 + len(hidden)}\r\n", "0\r\n\r\n" + hidden),
        ("a bad chunk", "Transfer-Encoding: chunked\r\n", "2\r\n{}" + hidden),
        ("a huge chunk", "Transfer-Encoding: chunked\r\n", "ffffffffffffffff1\r\n" + hidden),
        ("no digits", "Transfer-Encoding: chunked\r\n", "\r\n" + hidden),
        ("half a line end", f"X: y\rTransfer-Encoding: chunked\r\nContent-Length: {5 + len(hidden)}\r\n", "0\r\n\r\n" + hidden),
        ("a packed body that says it is not", "Content-Encoding: identity\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n", "{}"),
        ("two times", "Afferent-Time: 1\r\nAfferent-Time: 2\r\nContent-Length: 2\r\n", "{}"),
    ]
    with Node(bench) as node:
        for name, headers, body in shapes:
            said = node.raw(request(body=body, headers=headers, length=False), wait=2, end=True)
            print(f"  {name}: {said[:30]!r}, {said.count(b'HTTP/1.1')} answers")
            assert said.count(b"HTTP/1.1 200") == 0, (name, said)
        old = request(body="2\r\n{}\r\n0\r\n\r\n", headers="Transfer-Encoding: chunked\r\n", length=False).replace(b"HTTP/1.1", b"HTTP/1.0")
        assert b" 400 " in node.raw(old, wait=2, end=True), "no coding in HTTP/1.0"
        assert node.post("/bed/7/hr", '{"last":1}')[0] == 200
        node.stop()
    assert texts(bench) == ['{"last":1}'], texts(bench)


def garbage_and_half_requests_leave_nothing(bench):
    chance = random.Random(SEED)
    whole = request(body='{"half":"' + "x" * 500 + '"}')
    with Node(bench) as node:
        texts_ = [chance.randbytes(chance.randint(0, 3000)) for _ in range(60)]
        texts_ += [whole[:chance.randint(0, len(whole) - 1)] for _ in range(60)]
        for _ in range(200):  # a byte is another one
            at = chance.randrange(len(whole) - 520)
            texts_.append(whole[:at] + bytes([chance.randrange(256)]) + whole[at + 1:])
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda text: node.raw(text, wait=0.2, end=True), texts_))
        node.raw(request(body="{}", headers="Content-Length: 10\r\n", length=False), wait=0.3, end=True)
        node.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), wait=0.3, end=True)
        node.raw(b"GET / HTTP/9.9\r\n\r\n", wait=0.3)
        node.raw(b"POST /bed/7/hr HTTP/1.1\r\n\r\n", wait=0.3)
        assert node.post("/bed/7/hr", '{"last":1}')[0] == 200
        node.stop()
    assert set(texts(bench)) <= {'{"last":1}', '{"half":"' + "x" * 500 + '"}'}


def who_is_slow_is_cut_and_others_are_served(bench):
    with Node(bench, 'request_timeout = "2s"\nmax_connections = 40') as node:
        sockets = [socket.create_connection(("127.0.0.1", node.port), timeout=20) for _ in range(30)]
        text = request(body="{" + " " * 500 + "}")
        begin, at = time.monotonic(), 0
        while time.monotonic() - begin < 1.5:
            for i, s in enumerate(sockets):
                s.send(text[at:at + 1] if i < 20 else text[at * 40:at * 40 + 40])
            at += 1
            assert node.post("/bed/7/hr", "{}")[0] == 200
            time.sleep(0.1)
        for s in sockets:
            said = b""
            try:
                while some := s.recv(4096):
                    said += some
            except ConnectionResetError:
                pass
            assert b"200 OK" not in said, said
        assert time.monotonic() - begin < 6
        node.stop()
    assert set(texts(bench)) == {"{}"}


# ---- TLS ----


def tls_of_its_own_is_1_2_or_later_and_knows_clients(bench):
    folder = pki()
    extra = f"""certificate = "{folder}/good.pem"
key = "{folder}/good.key"
client_ca = "{folder}/ca.pem"
clients = ["client", "old_client", "good"]"""
    with Node(bench, extra, tokens="{}", routes='[{ path = "/bed/{subject}/{stream}", subject = "{client}" }]') as node:
        assert tls_post(node, folder, "client") == 200
        assert tls_post(node, folder, "client", ssl.TLSVersion.TLSv1_2) == 200
        assert tls_post(node, folder, "client", ssl.TLSVersion.TLSv1_3) == 200
        assert tls_post(node, folder, "client", ssl.TLSVersion.TLSv1_1) != 200
        assert tls_post(node, folder) == 403
        assert tls_post(node, folder, "other_client") == 403, "not on the list"
        assert tls_post(node, folder, "old_client") in (403, "SSLError", "ConnectionResetError"), "expired"
        assert tls_post(node, folder, "good") == 403, "a certificate for servers"
        assert tls_post(node, folder, "wrong_client") in (403, "SSLError", "ConnectionResetError"), "of another authority"
        assert b"200" not in node.raw(request(), wait=1, end=True)
        chance = random.Random(SEED)
        for _ in range(20):
            node.raw(b"\x16\x03\x01" + chance.randbytes(200), wait=0.2, end=True)
        assert tls_post(node, folder, "client") == 200
        node.stop()
    assert [line["subject"] for line in got(bench)] == ["client"] * 4


def a_certificate_that_cannot_be_used_is_named(bench):
    folder = pki()
    node = Node(bench, f'certificate = "{folder}/good.pem"\nkey = "{folder}/client.key"')
    run = bench.start("run", node.toml)
    assert run.end() == 2, run.said
    has(run.said, "cannot be used")


def plain_http_is_for_the_loopback(bench):
    check_here(bench)
    toml = pipeline(bench, free_port())
    text = open(toml, encoding="utf-8").read()
    for was, now, words in (("127.0.0.1:", "0.0.0.0:", "without TLS"), ("127.0.0.1:", "*:", "without TLS"),
                            (TOKEN, "short", "shorter than 16"), (OTHER, TOKEN, "same token")):
        bench.write("bad.toml", text.replace(was, now))
        has("".join(bench.run("check", bench.path("bad.toml"), code=2)), words)
    bench.write("bad.toml", text.replace(f'{{ one = "{TOKEN}", two = "{OTHER}" }}', "{}"))
    has("".join(bench.run("check", bench.path("bad.toml"), code=2)), "prove who it is")


# ---- what dies, and what comes again ----


def a_key_is_known_again_and_is_its_clients(bench):
    with Node(bench) as node:
        assert "again" not in node.post("/bed/7/hr", '[{"a":1},{"b":1}]', key="k")[2]
        for key in ("k", '"k"'):
            assert node.post("/bed/7/hr", '[{"a":1},{"b":1}]', key=key)[2] == {"status": "committed", "records": 2, "again": True}
        assert node.post("/bed/7/hr", '{"c":1}', key="k")[0] == 422
        assert node.post("/bed/8/hr", '[{"a":1},{"b":1}]', key="k")[0] == 422
        marked = node.post("/bed/7/hr", '[{"a":1},{"b":1,"resent":true}]', key="k", more={"Afferent-Resent": "1"})
        assert marked[0] == 200 and marked[2]["again"], marked
        assert "again" not in node.post("/bed/7/hr", '{"a":1}', key="k", token=OTHER)[2]
        assert [node.post("/bed/7/hr", "{}", key=key)[0] for key in ('"k', '"k"x', '""', "x" * 300)] == [400] * 4
        for _ in range(2):
            assert "again" not in node.post("/bed/7/hr", '{"d":1}')[2], "without a key each is new"
        node.stop()
        node.start()
        assert node.post("/bed/7/hr", '[{"a":1},{"b":1}]', key="k")[2]["again"]
        node.stop()
    assert texts(bench) == ['{"a":1}', '{"b":1}', '{"a":1}', '{"d":1}', '{"d":1}']


def without_keys_the_content_may_be_one_or_none_is_taken(bench):
    with Node(bench, 'no_key = "body"') as node:
        assert "again" not in node.post("/bed/7/hr", '{"a":1}')[2]
        assert node.post("/bed/7/hr", '{"a":1}')[2]["again"]
        assert "again" not in node.post("/bed/8/hr", '{"a":1}')[2]
        for at in ("1", "2"):  # equal measurements
            assert "again" not in node.post("/bed/8/hr", '{"a":1}', more={"Afferent-Time": at})[2]
            assert node.post("/bed/8/hr", '{"a":1}', more={"Afferent-Time": at})[2]["again"]
        node.stop()
    assert texts(bench) == ['{"a":1}'] * 4
    shutil.rmtree(bench.path("state"))
    with Node(bench, 'no_key = "refuse"') as node:
        assert node.post("/bed/7/hr", '{"a":1}')[0] == 400
        assert node.post("/bed/7/hr", '{"a":1}', key="k")[0] == 200
        node.stop()


def two_hundred_clients_at_once_lose_nothing(bench):
    with Node(bench) as node:
        begin = time.monotonic()
        clients = Clients(node, 200, 10)
        clients.join()
        print(f"  2000 requests of 200 clients in {time.monotonic() - begin:.1f} s")
        node.stop()
    assert judge(bench, clients.answered, clients.sent) == (0, 0, 0)
    assert len(got(bench)) == 2000


def connections_above_the_limits_wait_or_are_refused(bench):
    with Node(bench, 'max_connections = 8\nbuffer = "2MiB"') as node:
        clients = Clients(node, 60, 5)
        clients.join()
        node.stop()
    assert judge(bench, clients.answered, clients.sent) == (0, 0, 0)


def kill_in_mid_flow(node, clients, kills, chance, few, all_of):
    """After `few` (from, to) more answers each, or when all have theirs."""
    for _ in range(kills):
        before, some = len(clients.answered), chance.randint(*few)
        wait_until(lambda: len(clients.answered) > before + some or len(clients.answered) == all_of, lambda: node.run.said)
        time.sleep(chance.random() * 0.02)
        node.kill()
        node.start()


def a_node_that_is_killed_loses_nothing_that_it_answered(bench):
    with Node(bench) as node:
        clients = Clients(node, 12, 60, rows=3)
        kill_in_mid_flow(node, clients, KILLS, random.Random(SEED), (30, 200), 2160)
        clients.join()
        node.stop()
        print(f"  answered as known: {clients.again}")
    assert judge(bench, clients.answered, clients.sent) == (0, 0, 0)


def an_archive_has_each_object_once_though_nobody_gave_it_a_time(bench):
    tail = """[sink.archive]
plugin = "out_lmdb"
from = "web"
path = "archive.lmdb"
run = { isolation = "thread" }"""
    with Node(bench, tail=tail) as node:
        clients = Clients(node, 12, 60)
        kill_in_mid_flow(node, clients, KILLS * 2, random.Random(SEED), (10, 60), 720)
        clients.join()
        node.stop()
    lines = bench.run("query", node.toml, "--format", "json")[0].splitlines()
    kept = [json.loads(line)["hex"] for line in lines]
    print(f"  {len(kept)} records of {len(set(kept))} objects, of which {clients.again} were answered as known")
    assert len(kept) == len(set(kept)) == 720


def a_large_request_that_a_kill_cuts_in_two_is_there_once(bench):
    chance, rows = random.Random(SEED), 4000
    with Node(bench, 'buffer = "16MiB"', head="commit_records = 64") as node:
        clients = Clients(node, 2, 5, rows=rows)
        landed = []
        for _ in range(KILLS * 2):
            before = len(got(bench))
            wait_until(lambda: len(got(bench)) > before + chance.randint(100, rows) or len(clients.answered) == rows * 10,
                       lambda: node.run.said)
            node.kill()
            landed.append(len({line["id"] for line in got(bench)}) % rows)
            node.start()
        clients.join()
        node.stop()
        print("  killed at records", landed)
    assert judge(bench, clients.answered, clients.sent) == (0, 0, 0)


def clients_that_hang_up_and_come_again_make_nothing_twice(bench):
    with Node(bench) as node:
        clients = Clients(node, 10, 40, cut=0.4)
        clients.join()
        print(f"  answered as known: {clients.again}")
        node.stop()
    assert judge(bench, clients.answered, clients.sent) == (0, 0, 0)
    assert len(got(bench)) == 400
    assert clients.again > 10


def a_node_that_is_stopped_in_mid_flow_goes_on(bench):
    with Node(bench) as node:
        clients = Clients(node, 12, 100)
        for _ in range(KILLS):
            before = len(clients.answered)
            wait_until(lambda: len(clients.answered) > before + 100 or len(clients.answered) == 1200, lambda: node.run.said)
            begin = time.monotonic()
            node.stop()
            assert time.monotonic() - begin < 10
            node.start()
        clients.join()
        node.stop()
    assert judge(bench, clients.answered, clients.sent) == (0, 0, 0)
    assert len(got(bench)) == 1200, "stopped in order, nothing comes twice"


def a_node_whose_options_change_goes_on_in_mid_flow(bench):
    with Node(bench) as node:
        clients = Clients(node, 12, 150)
        for remember in (600, 700, 512):
            before = len(clients.answered)
            wait_until(lambda: len(clients.answered) > before + 100, lambda: node.run.said)
            text = open(node.toml, encoding="utf-8").read()
            bench.write("web.toml", "\n".join(line for line in text.split("\n") if "remember" not in line)
                        .replace("routes =", f"remember = {remember}\nroutes ="))
            bench.run("reload", node.toml)
        clients.join()
        node.stop()
    assert judge(bench, clients.answered, clients.sent) == (0, 0, 0)
    assert len(got(bench)) == 1800


def a_full_store_makes_503_and_nothing_is_lost(bench):
    tail = """[sink.far]
plugin = "out_http"
from = "web"
url = "http://127.0.0.1:1/"
edge = { when_full = "spill" }
run = { isolation = "thread", allow_phi = "a test" }"""
    if "out_http" not in bench.run("plugin", "list")[0]:
        raise Skip("this build has no out_http")
    tail = tail.replace("http://", "https://")
    with Node(bench, 'answer_timeout = "700ms"', head='store_limit = "2MiB"\nmax_record = "64KiB"', tail=tail) as node:
        answered, seen = [], []
        for i in range(200):
            body = f'{{"n":{i},"x":"{"y" * 30000}"}}'
            status, headers, answer = node.post("/bed/7/hr", body, key=str(i))
            seen.append(status)
            if status == 200:
                answered.append(body)
            else:
                assert status == 503 and int(headers["Retry-After"]) > 0, answer
            if seen.count(503) == 3:
                break
        assert seen.count(503) == 3 and len(answered) > 10, seen
        assert node.post("/health", None, token=None, method="GET")[0] in (200, 503)
        print(f"  {len(answered)} answered 200, then 503")
        node.stop()
        lines = set(texts(bench))
        assert all(text in lines for text in answered)


cases.main(
    objects_arrays_and_lines_come_out_as_they_were,
    curl_and_the_shipped_pipeline_fill_an_archive,
    pipelined_chunked_and_expected_bodies_are_taken,
    files_and_forms_come_out_whole,
    a_form_that_comes_byte_by_byte_is_the_same,
    names_and_times_come_from_path_headers_and_client,
    who_has_no_token_is_told_so_and_nothing_else,
    what_is_wrong_is_said_with_its_place_and_leaves_nothing,
    too_much_is_refused_before_it_is_read,
    smuggled_requests_are_never_taken,
    garbage_and_half_requests_leave_nothing,
    who_is_slow_is_cut_and_others_are_served,
    tls_of_its_own_is_1_2_or_later_and_knows_clients,
    a_certificate_that_cannot_be_used_is_named,
    plain_http_is_for_the_loopback,
    a_key_is_known_again_and_is_its_clients,
    without_keys_the_content_may_be_one_or_none_is_taken,
    two_hundred_clients_at_once_lose_nothing,
    connections_above_the_limits_wait_or_are_refused,
    a_node_that_is_killed_loses_nothing_that_it_answered,
    an_archive_has_each_object_once_though_nobody_gave_it_a_time,
    a_large_request_that_a_kill_cuts_in_two_is_there_once,
    clients_that_hang_up_and_come_again_make_nothing_twice,
    a_node_that_is_stopped_in_mid_flow_goes_on,
    a_node_whose_options_change_goes_on_in_mid_flow,
    a_full_store_makes_503_and_nothing_is_lost,
)
