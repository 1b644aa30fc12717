#!/usr/bin/env python3
"""smtp_server.py - a scripted mail server, for answers that a real one gives seldom.

    smtp_server.py LOG FOLDER      prints "port N" (the good one's), then serves until stdin ends

Certificates are made in FOLDER, as tls_servers.py does; FOLDER/ports has a line "name port" for
each server. By name:

    good             STARTTLS, user "ward", password "geheim"
    direct           the same, TLS from the start
    open             STARTTLS, asks for no name
    plain            no STARTTLS, asks for no name
    no_starttls      no STARTTLS, asks for a name
    starttls_454     offers STARTTLS and refuses it
    stripped         like good, but after STARTTLS it goes on in plain text
    injecting        like good, with answers behind that to STARTTLS, in front of TLS
    away_once        like open, but the first connection gets 421
    quit_mute        like open, but QUIT has no answer
    silent garbage endless no_line greet_421 greet_554 ehlo_550 mail_550 mail_530 mail_421 mail_452 slow_drip
    expired wrong_host self_signed wrong_ca weak_key weak_signature tls11   (STARTTLS)

What a recipient's name begins with says what becomes of its mail: full 452, gone 550, later 451 the
first two times, grey 451 the first time, busy 421, cut (hangs up over the name), mute (no answer to
it), big 552 after the mail, unsure 451 after the first, drop (hangs up in the mail), dropped_once,
slow (an answer after 0.6 s), hang (none).

LOG has a line of JSON for each mail that was taken, and for each password: {"server", "tls", ...}.
Not here: a real server (mail.py has one)."""

import base64
import json
import os
import re
import socket
import sys
import threading
import time

import tls_servers

LOCK = threading.Lock()
SEEN = {}
TLS_NAMES = ["expired", "wrong_host", "self_signed", "wrong_ca", "weak_key", "weak_signature", "tls11"]
ASKS_NOBODY = ("open", "plain", "away_once", "quit_mute")
NAMES = ["good", "direct", "open", "plain", "no_starttls", "starttls_454", "stripped", "injecting", "away_once", "quit_mute",
         "silent", "garbage", "endless", "no_line", "greet_421", "greet_554", "ehlo_550", "mail_550", "mail_530", "mail_421",
         "mail_452", "slow_drip"] + TLS_NAMES


class Session:
    def __init__(self, connection, name, context, log):
        self.socket, self.name, self.context, self.log = connection, name, context, log
        self.tls, self.auth, self.to, self.pending = False, None, None, b""

    def note(self, **what):
        with LOCK, open(self.log, "a", encoding="utf-8") as f:
            f.write(json.dumps({"server": self.name, "tls": self.tls, **what}) + "\n")

    def say(self, text):
        if self.name == "slow_drip":
            for c in text + "\r\n":
                self.socket.sendall(c.encode())
                time.sleep(0.2)
            return
        self.socket.sendall(text.encode() + b"\r\n")

    def line(self):
        while b"\n" not in self.pending:
            some = self.socket.recv(65536)
            if not some:
                raise OSError("gone")
            self.pending += some
        line, self.pending = self.pending.split(b"\n", 1)
        return line.rstrip(b"\r").decode("latin-1")

    def secure(self):
        self.socket = self.context.wrap_socket(self.socket, server_side=True)
        self.tls, self.pending = True, b""

    def is_first(self, what):
        with LOCK:
            SEEN[self.name, what] = SEEN.get((self.name, what), 0) + 1
            return SEEN[self.name, what] == 1

    def begin(self):
        if self.name == "direct":
            self.secure()
        if self.name == "silent":
            self.socket.recv(10)
        elif self.name == "garbage":
            self.socket.sendall(bytes(range(1, 256)) * 40 + b"\n")
        elif self.name in ("endless", "no_line"):
            while True:
                self.socket.sendall((b"220-and so on\r\n" if self.name == "endless" else b"220-") * 100)
        elif self.name == "away_once" and self.is_first("greeted"):
            self.say("421 not now")
        elif self.name.startswith("greet_"):
            self.say(self.name[6:] + " not now")
        else:
            self.say("220 fake ESMTP")
            return True
        return False

    def ehlo(self):
        if self.name == "ehlo_550":
            self.say("550 who are you")
            return
        more = ["fake", "SIZE 1000000"]
        if not self.tls and self.name not in ("plain", "no_starttls"):
            more.append("STARTTLS")
        if self.name not in ASKS_NOBODY:
            more.append("AUTH PLAIN LOGIN")
        for i, word in enumerate(more):
            self.say(f"250{' ' if i + 1 == len(more) else '-'}{word}")

    def starttls(self):
        if self.name == "starttls_454":
            self.say("454 not available")
            return
        self.say("220 go ahead" + ("\r\n235 welcome" if self.name == "injecting" else ""))
        if self.name != "stripped":
            self.secure()

    def login(self, words):
        if len(words) < 3:
            self.say("334 ")
            words.append(self.line())
        user, password = base64.b64decode(words[2]).split(b"\0")[1:]
        self.note(password=password.decode("latin-1"))
        self.auth = user == b"ward" and password == b"geheim"
        self.say("235 welcome" if self.auth else "535 wrong")

    def sender(self):
        code = self.name[5:] if self.name.startswith("mail_") else None
        if not code and not self.auth and self.name not in ASKS_NOBODY:
            code = "530"
        self.say(f"{code} no" if code else "250 fine")

    def recipient(self, text):
        self.to = re.search("<(.*?)>", text).group(1)
        with LOCK:
            times = SEEN[self.name, self.to] = SEEN.get((self.name, self.to), 0) + 1
        if self.to.startswith("full"):
            self.say("452 full")
        elif self.to.startswith("gone"):
            self.say("550 unknown")
        elif (self.to.startswith("later") and times < 3) or (self.to.startswith("grey") and times < 2):
            self.say("451 greylisted")
        elif self.to.startswith("mute"):
            self.line()
        elif self.to.startswith("cut") or self.to.startswith("busy"):
            if self.to.startswith("busy"):
                self.say("421 too many of these")
            raise OSError("cut on purpose")
        else:
            self.say("250 fine")

    def data(self):
        self.say("354 go on")
        lines = []
        with LOCK:
            first = SEEN[self.name, self.to] == 1
        while True:
            line = self.line()
            if self.to.startswith("drop") and (first or not self.to.startswith("dropped_once")):
                raise OSError("dropped on purpose")
            if line == ".":
                break
            lines.append(line[1:] if line.startswith(".") else line)
        if self.to.startswith("big"):
            self.say("552 too big")
        elif self.to.startswith("unsure") and first:
            self.note(to=self.to, data="\n".join(lines))
            self.say("451 perhaps")
        else:
            self.note(to=self.to, data="\n".join(lines), time=time.time())
            if self.to.startswith("hang"):
                time.sleep(30)
            if self.to.startswith("slow"):
                time.sleep(0.6)
            self.say("250 taken")

    def talk(self):
        going = self.begin()
        while going:
            text = self.line()
            words = text.split()
            verb = words[0].upper() if words else ""
            if verb in ("EHLO", "HELO"):
                self.ehlo()
            elif verb == "STARTTLS":
                self.starttls()
            elif verb == "AUTH":
                self.login(words)
            elif verb == "MAIL":
                self.sender()
            elif verb == "RCPT":
                self.recipient(text)
            elif verb == "DATA":
                self.data()
            elif verb == "QUIT" and self.name == "quit_mute":
                self.line()
            elif verb == "QUIT":
                self.say("221 bye")
                going = False
            else:
                self.say("250 whatever" if verb in ("RSET", "NOOP") else "500 what")


def serve(listener, name, context, log):
    def one(connection):
        session = Session(connection, name, context, log)
        try:
            connection.settimeout(60)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session.talk()
        except OSError:
            pass
        finally:
            session.socket.close()

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=one, args=(connection,), daemon=True).start()


def main():
    log, folder = sys.argv[1], sys.argv[2]
    maker = tls_servers.Maker(folder)
    maker.root("ca")
    maker.root("other_ca")
    maker.issue("good", "ca")
    maker.issue("expired", "ca", start=tls_servers.PAST, end=tls_servers.LATELY)
    maker.issue("wrong_host", "ca", "elsewhere")
    maker.self_signed("self_signed")
    maker.issue("wrong_ca", "other_ca")
    maker.issue("weak_key", "ca", weak=True)
    maker.issue("weak_signature", "ca", md="sha1")
    ports = []
    for name in NAMES:
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        ports.append((name, listener.getsockname()[1]))
        context = tls_servers.context_of(maker, name)
        threading.Thread(target=serve, args=(listener, name, context, log), daemon=True).start()
    with open(os.path.join(folder, "ports"), "w", encoding="utf-8") as f:
        f.writelines(f"{name} {port}\n" for name, port in ports)
    print("port", ports[0][1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
