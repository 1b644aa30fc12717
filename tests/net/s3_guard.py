#!/usr/bin/env python3
"""s3_guard.py - a door in front of s3rver, for the tests of out_s3.

    s3_guard.py LOG PORT FOLDER      prints "port N", passes to PORT; ends with stdin

s3rver believes any key and any signature: here each request's signature is computed anew by
botocore (python3-botocore), and one that differs gets 403. It also knows no list of uploads and no
end of one: both are answered here, from the folder in which s3rver keeps them (FOLDER/BUCKET).

Each request that is taken is a line of JSON in LOG: method, path, size, sha256 of its body.

Not here: a store that is bad (fake_s3.py), links that fail (proxy.py)."""

import hashlib
import http.client
import http.server
import json
import os
import shutil
import sys
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

import botocore.auth
import botocore.awsrequest
import botocore.credentials

ACCESS, SECRET, REGION = "S3RVER", "S3RVER/secret+key", "eu-test-1"
LOCK = threading.Lock()


class Door(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def log_message(self, *args):
        pass

    def do(self):
        size = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(size)
        if len(self.body) < size:
            self.close_connection = True
            return
        problem = self.problem()
        if problem:
            return self.error(403, problem)
        with LOCK:
            self.server.log.write(json.dumps({"method": self.command, "path": self.path, "size": size,
                                              "sha256": hashlib.sha256(self.body).hexdigest()}) + "\n")
            self.server.log.flush()
        path, _, query = self.path.partition("?")
        words = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        bucket = path.strip("/").split("/")[0]
        if self.command == "GET" and "uploads" in words:
            return self.list_uploads(bucket, words.get("prefix", ""))
        if self.command == "DELETE" and "uploadId" in words:
            return self.abort_upload(bucket, words["uploadId"])
        return self.forward()

    do_GET = do_PUT = do_POST = do_DELETE = do

    def problem(self):
        """By botocore, from what the request says of itself."""
        try:
            kind, rest = self.headers["Authorization"].split(" ", 1)
            said = dict(p.strip().split("=", 1) for p in rest.split(","))
            signed = said["SignedHeaders"].split(";")
        except (AttributeError, KeyError, ValueError):
            return "AccessDenied"
        if kind != "AWS4-HMAC-SHA256" or self.headers["x-amz-content-sha256"] != hashlib.sha256(self.body).hexdigest():
            return "XAmzContentSHA256Mismatch"
        missing = {h.lower() for h in self.headers if h.lower().startswith("x-amz-")} | {"host"}
        if missing - set(signed):
            return "AccessDenied"
        request = botocore.awsrequest.AWSRequest(method=self.command, url=f"http://{self.headers['Host']}{self.path}", data=self.body,
                                                 headers={h: self.headers[h] for h in signed})
        request.context["timestamp"] = self.headers["x-amz-date"]
        auth = botocore.auth.S3SigV4Auth(botocore.credentials.Credentials(ACCESS, SECRET), "s3", REGION)
        words = auth.string_to_sign(request, auth.canonical_request(request))
        if said["Credential"] != auth.scope(request):
            return "InvalidAccessKeyId"
        return None if said["Signature"] == auth.signature(words, request) else "SignatureDoesNotMatch"

    # ---- uploads, as s3rver keeps them ----

    def uploads(self, bucket):
        """(name, key, seconds since 1970) of each."""
        folder = os.path.join(self.server.folder, bucket, "._S3rver_uploads")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            place = os.path.join(folder, name, "key")
            if os.path.exists(place):
                with open(place, encoding="utf-8") as f:
                    yield name, f.read(), os.path.getmtime(place)

    def list_uploads(self, bucket, prefix):
        rows = "".join(f"<Upload><Key>{escape(key)}</Key><UploadId>{name}</UploadId><Initiated>"
                       f"{time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(began))}</Initiated></Upload>"
                       for name, key, began in self.uploads(bucket) if key.startswith(prefix))
        self.answer(200, f'<?xml version="1.0" encoding="UTF-8"?>\n<ListMultipartUploadsResult>{rows}'
                         "<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>".encode())

    def abort_upload(self, bucket, name):
        if name not in [u[0] for u in self.uploads(bucket)]:
            return self.error(404, "NoSuchUpload")
        shutil.rmtree(os.path.join(self.server.folder, bucket, "._S3rver_uploads", name))
        return self.answer(204, b"")

    # ---- the rest ----

    def forward(self):
        store = http.client.HTTPConnection("127.0.0.1", self.server.store, timeout=60)
        try:
            # the signature is of another host and a key that s3rver has not
            headers = {h: v for h, v in self.headers.items() if h.lower() not in ("host", "authorization", "connection")}
            store.request(self.command, self.path, self.body, headers)
            answer = store.getresponse()
            body = answer.read()
        finally:
            store.close()
        self.answer(answer.status, body, [(h, v) for h, v in answer.getheaders() if h.lower() in ("etag", "content-type")])

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def error(self, status, code):
        self.answer(status, f"<Error><Code>{code}</Code></Error>".encode())


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, address):
        pass


def main():
    server = Server(("127.0.0.1", 0), Door)
    server.log = open(sys.argv[1], "a", encoding="utf-8")
    server.store, server.folder = int(sys.argv[2]), sys.argv[3]
    print("port", server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
