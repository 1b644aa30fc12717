#!/usr/bin/env python3
"""fake_s3.py - a small S3 store in memory, for the tests of out_s3. Good and bad.

    fake_s3.py LOG      prints "port N", then serves until stdin ends

It has objects, uploads in parts, their list and their end, and checks each signature (AWS
Signature Version 4) by an implementation of its own, of the standard library. What it does else
is said by the name of the bucket, made of words joined by points, each with its argument behind a
hyphen; any other name is a bucket that works:

    fail-503-SlowDown        the first requests for an object get that status and code
    after-1                  with Retry-After
    times-2                  so many of them (1); times-0: all
    only-part                those of one kind: put, create, part, complete, abort, list
    halfway                  with an answer that is cut; the object is there all the same
    complain                 200, and the document is an error (of a completed upload)
    garbage, bomb            200, and the answer is nonsense, or a bomb of entities
    old, young               has two unfinished uploads of ours and one of a stranger already
    slow-50                  each answer so many ms later

Each request is a line of JSON in LOG: method, path, kind, key, headers, size,
body (text; unpacked where it is gzip), problem (of the signature); and before the answer a line says
what is in the bucket then: objects, uploads, and how often each object was put.

Not here: a real store (s3_check.py has one), TLS, links that fail."""

import base64
import datetime
import email.utils
import gzip
import hashlib
import hmac
import http.server
import json
import sys
import threading
import time
import urllib.parse

ACCESS, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session/token+1=="
LOCK = threading.RLock()
OBJECTS, UPLOADS, COUNTS, PUTS, SEEDED = {}, {}, {}, {}, set()
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
NS = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


# ---- signatures ----

def digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature_of(method, path, query, headers, signed, scope, date, payload):
    """By the S3 API reference: the path as it came, names and values of the query escaped anew."""
    pairs = sorted((urllib.parse.quote(k, safe="-_.~"), urllib.parse.quote(v, safe="-_.~"))
                   for k, v in urllib.parse.parse_qsl(query, keep_blank_values=True))
    canonical = "\n".join([method, urllib.parse.quote(urllib.parse.unquote_to_bytes(path), safe="/-_.~"),
                           "&".join(f"{k}={v}" for k, v in pairs),
                           *(f"{n}:{' '.join(headers[n].split())}" for n in signed), "", ";".join(signed), payload])
    words = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + SECRET).encode()
    for part in scope.split("/"):
        key = digest(key, part)
    return digest(key, words).hex()


def signature_problem(method, target, headers, body):
    path, _, query = target.partition("?")
    try:
        kind, rest = headers["authorization"].split(" ", 1)
        said = dict(p.strip().split("=", 1) for p in rest.split(","))
        key, _, scope = said["Credential"].partition("/")
        signed = said["SignedHeaders"].split(";")
        date, payload = headers["x-amz-date"], headers["x-amz-content-sha256"]
    except (KeyError, ValueError):
        return "AccessDenied"
    then = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    needed = {"host", *(h for h in headers if h.startswith("x-amz-")), *({"content-type"} & set(headers))}
    if kind != "AWS4-HMAC-SHA256" or scope.split("/")[0] != date[:8] or signed != sorted(signed) or needed - set(signed):
        return "AuthorizationHeaderMalformed"
    if scope.split("/")[1] != "eu-test-1":
        return "AuthorizationHeaderMalformed"
    if key != ACCESS:
        return "InvalidAccessKeyId"
    if abs((datetime.datetime.now(datetime.timezone.utc) - then).total_seconds()) > 900:
        return "RequestTimeTooSkewed"
    if payload != hashlib.sha256(body).hexdigest():
        return "XAmzContentSHA256Mismatch"
    if headers.get("x-amz-checksum-sha256", base64.b64encode(hashlib.sha256(body).digest()).decode()) != \
            base64.b64encode(hashlib.sha256(body).digest()).decode():
        return "BadDigest"
    if said["Signature"] != signature_of(method, path, query, headers, signed, scope, date, payload):
        return "SignatureDoesNotMatch"
    return "InvalidToken" if headers.get("x-amz-security-token", TOKEN) != TOKEN else None


# ---- the store ----

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def log_message(self, *args):
        pass

    def do(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.names = {k.lower(): v for k, v in self.headers.items()}
        path, _, query = self.path.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        problem = signature_problem(self.command, self.path, self.names, self.body)
        host = self.names.get("host", "").split(":")[0]
        if host.endswith(".localhost"):
            self.bucket, self.key = host.removesuffix(".localhost"), urllib.parse.unquote(path[1:], "utf-8", "surrogateescape")
        else:
            self.bucket, _, key = path[1:].partition("/")
            self.key = urllib.parse.unquote(key, "utf-8", "surrogateescape")
        self.words = {w.partition("-")[0]: w.partition("-")[2] for w in self.bucket.split(".")}
        plain = gzip.decompress(self.body) if self.names.get("content-encoding") == "gzip" and self.kind() == "put" else self.body
        self.note({"method": self.command, "path": self.path, "kind": self.kind(), "key": self.key, "headers": self.names,
                   "size": len(self.body), "body": plain[:4096].decode("utf-8", "replace"), "problem": problem})
        time.sleep(int(self.words.get("slow", 0)) / 1000)
        if problem:
            return self.error(400 if problem[0] == "X" else 403, problem)
        with LOCK:
            self.act()

    def state(self):
        self.note({"objects": sum(b == self.bucket for b, _ in OBJECTS),
                   "uploads": sum(u[0] == self.bucket for u in UPLOADS.values()),
                   "puts": {key: n for (b, key), n in PUTS.items() if b == self.bucket}})

    def note(self, line):
        with LOCK:
            self.server.log.write(json.dumps(line) + "\n")
            self.server.log.flush()

    do_GET = do_PUT = do_POST = do_DELETE = do

    def kind(self):
        if self.command == "GET":
            return "list"
        if self.command == "POST":
            return "create" if "uploads" in self.query else "complete"
        return "abort" if self.command == "DELETE" else "part" if "partNumber" in self.query else "put"

    def is_bad(self):
        kind = self.kind()
        if kind in ("abort", "list") and self.words.get("only") != kind or self.words.get("only", kind) != kind:
            return False
        turn = COUNTS[self.bucket, kind] = COUNTS.get((self.bucket, kind), 0) + 1
        return turn <= int(self.words.get("times") or 1) or self.words.get("times") == "0"

    def act(self):
        kind = self.kind()
        if ({"old", "young"} & set(self.words)) and self.bucket not in SEEDED:
            SEEDED.add(self.bucket)
            began = time.time() - (86400 * 2 if "old" in self.words else 5)
            for key, name in (("ward/0123456789abcdef-1.bin", "a"), ("ward/0123456789abcdef-2.bin", "b&<"), ("ward/stranger.iso", "c")):
                UPLOADS[name] = (self.bucket, key, {}, began)
        if "fail" in self.words and self.is_bad():
            status, _, code = self.words["fail"].partition("-")
            headers = [("Retry-After", self.words["after"])] if "after" in self.words else []
            return self.error(int(status), code, headers)
        return getattr(self, "act_" + kind)()

    def act_put(self):
        if "garbage" in self.words and self.is_bad():
            return self.answer(200, b"<html><p>Sign in to use this network")
        OBJECTS[self.bucket, self.key] = (self.body, self.names)
        PUTS[self.bucket, self.key] = PUTS.get((self.bucket, self.key), 0) + 1
        if "halfway" in self.words and self.is_bad():
            self.state()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            self.close_connection = True
            return
        self.answer(200, b"", [("ETag", f'"{hashlib.md5(self.body).hexdigest()}"')])

    def act_create(self):
        if ("garbage" in self.words or "bomb" in self.words) and self.is_bad():
            bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' \
                   "<InitiateMultipartUploadResult><UploadId>&b;</UploadId></InitiateMultipartUploadResult>"
            return self.answer(200, (XML + bomb if "bomb" in self.words else "<html><p>hello").encode())
        name = f"up+load/{len(UPLOADS) + len(OBJECTS)}=&{time.time_ns()}"
        UPLOADS[name] = (self.bucket, self.key, {}, time.time())
        self.names_of(name).update(self.names)
        quoted = name.replace("&", "&amp;")
        self.answer(200, f"{XML}<InitiateMultipartUploadResult{NS}><Bucket>{self.bucket}</Bucket><Key>k</Key>"
                         f"<UploadId>{quoted}</UploadId></InitiateMultipartUploadResult>".encode())

    def names_of(self, name):
        return UPLOADS[name][2].setdefault("headers", {})

    def act_part(self):
        if self.query["uploadId"] not in UPLOADS:
            return self.error(404, "NoSuchUpload")
        UPLOADS[self.query["uploadId"]][2][int(self.query["partNumber"])] = self.body
        return self.answer(200, b"", [("ETag", f'"{hashlib.md5(self.body).hexdigest()}"')])

    def act_complete(self):
        if self.query["uploadId"] not in UPLOADS:
            return self.error(404, "NoSuchUpload")
        if ("complain" in self.words or "garbage" in self.words) and self.is_bad():
            return self.error(200, "InternalError") if "complain" in self.words else self.answer(200, b"<html><p>hello")
        parts = UPLOADS[self.query["uploadId"]][2]
        headers, numbers = parts.pop("headers"), sorted(parts)
        said = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>\"{hashlib.md5(parts[n]).hexdigest()}\"</ETag>" for n in numbers)
        body = self.body.decode()
        for n in numbers:
            body = body.replace(f"<ChecksumSHA256>{base64.b64encode(hashlib.sha256(parts[n]).digest()).decode()}</ChecksumSHA256>", "")
        sizes = [len(parts[n]) for n in numbers]
        if numbers != list(range(1, len(numbers) + 1)) or min(sizes[:-1] or [5 << 20]) < 5 << 20 or \
                said not in body.replace("</Part>", ""):
            parts["headers"] = headers
            return self.error(400, "InvalidPart")
        OBJECTS[self.bucket, self.key] = (b"".join(parts[n] for n in numbers), headers)
        PUTS[self.bucket, self.key] = PUTS.get((self.bucket, self.key), 0) + 1
        del UPLOADS[self.query["uploadId"]]
        return self.answer(200, f"  \n{XML}<CompleteMultipartUploadResult{NS}><Key>k</Key><ETag>&quot;x-2&quot;</ETag>"
                                "</CompleteMultipartUploadResult>".encode())

    def act_abort(self):
        if UPLOADS.pop(self.query["uploadId"], None) is None:
            return self.error(404, "NoSuchUpload")
        return self.answer(204)

    def act_list(self):
        """One upload a page, so that pages are walked."""
        mine = sorted((u[1], name) for name, u in UPLOADS.items() if u[0] == self.bucket and u[1].startswith(self.query["prefix"]))
        after = (self.query.get("key-marker", ""), self.query.get("upload-id-marker", ""))
        left = [m for m in mine if m > after]
        rows = ""
        for key, name in left[:1]:
            began = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(UPLOADS[name][3]))
            quoted = name.replace("&", "&amp;").replace("<", "&lt;")
            rows += f"<Upload><Key>{key}</Key><UploadId>{quoted}</UploadId><Initiator><ID>x</ID></Initiator>" \
                    f"<Initiated>{began}</Initiated></Upload><NextKeyMarker>{key}</NextKeyMarker>" \
                    f"<NextUploadIdMarker>{quoted}</NextUploadIdMarker>"
        self.answer(200, f"{XML}<ListMultipartUploadsResult{NS}><Bucket>{self.bucket}</Bucket>{rows}"
                         f"<IsTruncated>{'true' if len(left) > 1 else 'false'}</IsTruncated></ListMultipartUploadsResult>".encode())

    # ---- answers ----

    def answer(self, status, body=b"", headers=()):
        self.state()
        self.send_response_only(status)
        self.send_header("Date", email.utils.formatdate(usegmt=True))
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def error(self, status, code, headers=()):
        message = "<Message>no</Message>" if code else ""
        body = f"{XML}<Error><Code>{code}</Code>{message}<RequestId>1</RequestId></Error>" if code else ""
        self.answer(status, body.encode(), headers)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, address):
        pass


def main():
    server = Server(("127.0.0.1", 0), Handler)
    server.log = open(sys.argv[1], "a", encoding="utf-8")
    print("port", server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
