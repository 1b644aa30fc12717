#!/usr/bin/env python3
"""tls_servers.py - servers that a client must not believe, and three that it may.

    tls_servers.py LOG FOLDER      prints "port N" (the good one's), then serves until stdin ends

Certificates are made anew, by the command openssl, in FOLDER: ca.pem is what a client should
trust, client.pem and client.key are its own. FOLDER/ports has a line "name port" for each server:

    good, client_cert (wants one), tls13
    expired, not_yet_valid, wrong_host, self_signed, wrong_ca, weak_key, weak_signature, tls11,
    truncating (in the handshake), plain (no TLS), client_only (a certificate for clients),
    no_chain (its issuer is missing), false_ca (issued by one that may not), cut (in the answer)

Whoever sends a byte of a request to one of them is in LOG: a line "name". Not here: HTTP beyond
one answer (http_server.py)."""

import os
import socket
import ssl
import subprocess
import sys
import threading
import warnings

LOCK = threading.Lock()
CONFIG = """
[ca]
default_ca = own
[own]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
[ca_true]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[ca_false]
basicConstraints = critical,CA:FALSE
[here]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost,IP:127.0.0.1
[elsewhere]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:example.org
[client]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = clientAuth
subjectAltName = DNS:localhost,IP:127.0.0.1
"""
PAST, LATELY, SOON, FUTURE = "20200101000000Z", "20210101000000Z", "20990101000000Z", "20991231000000Z"


class Maker:
    """Keys and certificates in a folder."""

    def __init__(self, folder):
        self.folder = folder
        for name, text in (("index.txt", ""), ("serial", "01\n"), ("own.cnf", CONFIG.format(folder=folder))):
            with open(self.path(name), "w", encoding="utf-8") as f:
                f.write(text)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *arguments):
        done = subprocess.run(("openssl",) + arguments, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit("openssl " + " ".join(arguments) + "\n" + done.stderr)

    def key(self, name, weak=False):
        kind = ("RSA", "-pkeyopt", "rsa_keygen_bits:1024") if weak else ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        self.run("genpkey", "-algorithm", *kind, "-out", self.path(name + ".key"))

    def root(self, name):
        self.key(name)
        self.run("req", "-x509", "-new", "-key", self.path(name + ".key"), "-subj", "/CN=" + name, "-days", "30",
                 "-config", self.path("own.cnf"), "-extensions", "ca_true", "-out", self.path(name + ".pem"))

    def issue(self, name, issuer, extensions="here", start=PAST, end=SOON, md="sha256", weak=False):
        self.key(name, weak)
        self.run("req", "-new", "-key", self.path(name + ".key"), "-subj", "/CN=" + name, "-config", self.path("own.cnf"),
                 "-out", self.path(name + ".csr"))
        self.run("ca", "-batch", "-notext", "-config", self.path("own.cnf"), "-extensions", extensions, "-md", md,
                 "-startdate", start, "-enddate", end, "-cert", self.path(issuer + ".pem"), "-keyfile",
                 self.path(issuer + ".key"), "-in", self.path(name + ".csr"), "-out", self.path(name + ".pem"))

    def self_signed(self, name):
        self.key(name)
        self.run("req", "-x509", "-new", "-key", self.path(name + ".key"), "-subj", "/CN=" + name, "-days", "30",
                 "-config", self.path("own.cnf"), "-extensions", "here", "-out", self.path(name + ".pem"))

    def chain(self, name, issuer):
        with open(self.path(name + ".pem"), "a", encoding="utf-8") as f, open(self.path(issuer + ".pem"), encoding="utf-8") as g:
            f.write(g.read())


def make_all(folder):
    m = Maker(folder)
    m.root("ca")
    m.root("other_ca")
    m.issue("middle", "ca", "ca_true")
    m.issue("false_middle", "ca", "ca_false")
    m.issue("good", "ca")
    m.issue("expired", "ca", start=PAST, end=LATELY)
    m.issue("not_yet_valid", "ca", start=SOON, end=FUTURE)
    m.issue("wrong_host", "ca", "elsewhere")
    m.self_signed("self_signed")
    m.issue("wrong_ca", "other_ca")
    m.issue("weak_key", "ca", weak=True)
    m.issue("weak_signature", "ca", md="sha1")
    m.issue("client_only", "ca", "client")
    m.issue("no_chain", "middle")
    m.issue("false_ca", "false_middle")
    m.chain("false_ca", "false_middle")
    m.issue("client", "ca", "client")
    return m


def context_of(m, name):
    held = name if os.path.exists(m.path(name + ".pem")) else "good"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if name in ("weak_key", "weak_signature", "tls11"):
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if name == "tls11":
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    if name == "tls13":
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(m.path(held + ".pem"), m.path(held + ".key"))
    if name == "client_cert":
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(m.path("ca.pem"))
    return context


def is_whole(request):
    head, end, body = request.partition(b"\r\n\r\n")
    sizes = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return end and len(body) >= sum(sizes)


def talk(connection, name, context, log):
    if name == "truncating":
        connection.recv(1024)
        connection.sendall(b"\x16\x03\x03\x00\x7a\x02\x00")
        return
    if name == "plain":
        connection.recv(1024)
        connection.sendall(b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 2\r\n\r\n{}')
        return
    connection = context.wrap_socket(connection, server_side=True)
    request = b""
    while not is_whole(request):
        some = connection.recv(65536)
        if not some:
            break
        request += some
    if request:
        with LOCK, open(log, "a", encoding="utf-8") as f:
            f.write(name + "\n")
    if name == "cut":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    else:
        connection.sendall(b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}')


def serve(listener, name, context, log):
    def one(connection):
        try:
            connection.settimeout(20)
            talk(connection, name, context, log)
        except OSError:
            pass
        finally:
            connection.close()

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=one, args=(connection,), daemon=True).start()


NAMES = ["good", "client_cert", "tls13", "expired", "not_yet_valid", "wrong_host", "self_signed", "wrong_ca", "weak_key",
         "weak_signature", "tls11", "truncating", "plain", "client_only", "no_chain", "false_ca", "cut"]


def main():
    log, folder = sys.argv[1], sys.argv[2]
    m = make_all(folder)
    ports = []
    for name in NAMES:
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        ports.append((name, listener.getsockname()[1]))
        threading.Thread(target=serve, args=(listener, name, context_of(m, name), log), daemon=True).start()
    with open(os.path.join(folder, "ports"), "w", encoding="utf-8") as f:
        f.writelines(f"{name} {port}\n" for name, port in ports)
    print("port", ports[0][1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
