#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fake_modem.py - a scripted cellular modem on a pty, for tests. No real one.

It answers AT commands from its state (SIM, registration, signal, a store of
messages, data contexts) and from a table, and is told on its standard input what
to do: inject unsolicited codes at any byte, hang up, fall silent, write garbage,
begin anew in the middle of a command. Each order is answered by a line of JSON.

    fake_modem.py --link /tmp/modem [--pin 1234] [--capacity 20] [--table FILE]

Orders, one a line; texts may hold \\r, \\n, \\x1a and the like:
    code TEXT             an unsolicited code, between line ends
    at N TEXT             the bytes TEXT inside the next reply, before its byte N
    sms PDU               a message comes: into the store, +CMTI; "full" if there is no room
                          (with "set retries on" it comes when there is)
    direct PDU            a message comes as +CMT
    report MR STATUS [DIGITS]  a status report comes as +CDS, or +CDSI by +CNMI
    set NAME VALUE        sim, registration, technology, operator, csq, cesq, area, cell,
                          capacity, reports (status of automatic reports, none: off), cgnsinf,
                          receives (the store that messages come to), retries, announces
                          (RDY when it began anew: on, off), boots (seconds that it takes),
                          cnmi, prompt (it waits for a text of that length), prompts (off: it does
                          not say so), early (on: automatic reports come before the reply to
                          what they are of), eol (what ends its lines)
    raw TEXT              these bytes
    table COMMAND TEXT    the reply to this command from now on, with its result
    fail COMMAND N TEXT   the next N replies to commands that begin so
    silence on|off        commands are read and not answered (texts behind a prompt are)
    garbage N             N bytes of noise
    reset [between]       begins anew at once, with RDY and +CPIN; "busy" if it is to be
                          between commands and a text is awaited
    reset_in COMMAND      begins anew in the middle of the next reply to it
    reset_before COMMAND  begins anew instead of carrying it out
    reset_at body|sent N  begins anew behind N bytes of the next text behind a prompt; or
                          when the network has it, behind N bytes of the reply
    hangup [N]            closes the line, at once or behind N bytes of the next reply
    plug                  the line again, behind the same link
    show                  {"store": ..., "sent": ..., "commands": ...}
    far                   {"left": messages in all stores, "waiting": for room, "sent": ...}
    quit
"""
import argparse
import json
import os
import pty
import random
import select
import termios
import time
import tty

RESULTS = ("OK", "ERROR", "+CME ERROR", "+CMS ERROR", "CONNECT", "NO CARRIER")


def unescape(text):
    return text.encode().decode("unicode_escape")


def digits_swapped(digits):
    digits += "F" if len(digits) % 2 else ""
    return "".join(digits[i + 1] + digits[i] for i in range(0, len(digits), 2))


def destination(pdu):
    """The digits that an SMS-SUBMIT goes to."""
    at = 2 * (1 + int(pdu[:2], 16)) + 4
    count = int(pdu[at:at + 2], 16)
    return digits_swapped(pdu[at + 4:at + 4 + count + count % 2])[:count]


class Sim:
    def __init__(self, pin):
        self.pin = pin
        self.state = "SIM PIN" if pin else "READY"
        self.tries = 3

    def enter(self, pin):
        if self.state != "SIM PIN":
            return "+CME ERROR: 3"
        if pin == self.pin:
            self.state = "READY"
            return "OK"
        self.tries -= 1
        if self.tries == 0:
            self.state = "SIM PUK"
        return "+CME ERROR: 16"


class Store:
    """Messages by index: [status, PDU]."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.messages = {}

    def add(self, pdu, status=0):
        for index in range(1, self.capacity + 1):
            if index not in self.messages:
                self.messages[index] = [status, pdu]
                return index
        return None

    @staticmethod
    def length(pdu):
        return len(pdu) // 2 - 1 - int(pdu[:2], 16)

    def head(self, index, prefix):
        status, pdu = self.messages[index]
        return f"{prefix}{status},,{self.length(pdu)}\r\n{pdu}"


class Modem:
    def __init__(self, options):
        self.sim = Sim(options.pin)
        self.stores = {name: Store(options.capacity) for name in options.stores.split(",")}
        self.first = self.listed = options.stores.split(",", maxsplit=1)[0]
        self.waiting = []  # messages that the network tries again
        self.values = {"registration": "1", "technology": "7", "operator": "Fakenet", "csq": "20,99",
                       "cesq": "99,99,255,255,20,60", "area": "00C3", "cell": "0001A2B3", "reports": "none",
                       "cgnsinf": "1,0,,,,,", "receives": self.first, "retries": "off", "announces": "on",
                       "boots": "0", "prompts": "on", "early": "off"}
        self.table = dict(options.table)
        self.failing = []
        self.echo = True
        self.cnmi = [0, 0, 0, 0, 0]
        self.registering = {"CREG": 0, "CGREG": 0, "CEREG": 0, "C5GREG": 0}
        self.contexts = {}
        self.active = {}
        self.reference = 0
        self.sent = []
        self.commands = []
        self.prompt = None

    @property
    def store(self):
        """The one that is listed."""
        return self.stores[self.listed]

    def begin_anew(self):
        self.echo = True
        self.listed = self.first
        self.cnmi = [0, 0, 0, 0, 0]
        self.active = {}
        self.prompt = None
        self.sim.state = "SIM PIN" if self.sim.pin and self.sim.state == "READY" else self.sim.state

    # ---- answers: a list of lines, the last of them the result

    def answer(self, command):
        self.commands.append(command)
        for entry in self.failing:
            if command.startswith(entry[0]) and entry[1] > 0:
                entry[1] -= 1
                return [entry[2]]
        if command in self.table:
            return self.table[command].split("\n")
        name = command[2:].lstrip()
        for begin, method in self.METHODS:
            if name.startswith(begin):
                return method(self, name[len(begin):])
        return ["ERROR"]

    def basic(self, rest):
        if rest.startswith("E"):
            self.echo = rest != "E0"
        return ["OK"]

    def cpin(self, rest):
        if rest == "?":
            return ["+CME ERROR: 10"] if self.sim.state == "absent" else ["+CPIN: " + self.sim.state, "OK"]
        return [self.sim.enter(rest.strip('="').split('"')[0])]

    def with_sim(self, lines):
        return lines if self.sim.state == "READY" else ["+CME ERROR: 11"]

    def registration(self, name, rest):
        if rest.startswith("="):
            self.registering[name] = 0 if rest == "=?" else int(rest[1:])
            return ["OK"]
        status, n = self.values["registration"], self.registering[name]
        new = name == "C5GREG"
        if new != (int(self.values["technology"]) in (10, 11, 12)):
            status = "0" if name in ("CEREG", "C5GREG") else status
        place = f',"{self.values["area"]}","{self.values["cell"]}",{self.values["technology"]}'
        return [f"+{name}: {n},{status}" + (place if n == 2 and status in ("1", "5") else ""), "OK"]

    def cops(self, rest):
        if rest != "?":
            return ["OK"]
        if self.values["registration"] not in ("1", "5"):
            return ["+COPS: 0", "OK"]
        return [f'+COPS: 0,0,"{self.values["operator"]}",{self.values["technology"]}', "OK"]

    def cpms(self, rest):
        if rest == "=?":
            return ["+CPMS: " + ",".join(["(" + ",".join(f'"{name}"' for name in self.stores) + ")"] * 3), "OK"]
        names = rest[1:].replace('"', "").split(",")
        if rest != "?":
            if set(names) - set(self.stores):
                return ["+CMS ERROR: 302"]
            self.listed = names[0]
            self.values["receives"] = names[2] if len(names) > 2 else self.values["receives"]
        three = [(name, self.stores[name]) for name in (self.listed, self.listed, self.values["receives"])]
        return ["+CPMS: " + ",".join((f'"{name}",' if rest == "?" else "") + f"{len(store.messages)},{store.capacity}"
                                     for name, store in three), "OK"]

    def cnmi_set(self, rest):
        if rest == "=?":
            return ["+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)", "OK"]
        self.cnmi = ([int(n) for n in rest[1:].split(",")] + [0] * 5)[:5]
        return ["OK"]

    def cmgl(self, _rest):
        lines = [self.store.head(i, f"+CMGL: {i},") for i in sorted(self.store.messages)]
        for entry in self.store.messages.values():
            entry[0] = 1 if entry[0] == 0 else entry[0]
        return self.with_sim(lines + ["OK"])

    def cmgr(self, rest):
        index = int(rest[1:])
        return [self.store.head(index, "+CMGR: "), "OK"] if index in self.store.messages else ["+CMS ERROR: 321"]

    def cmgd(self, rest):
        index = int(rest[1:].split(",")[0])
        return ["OK"] if self.store.messages.pop(index, None) else ["+CMS ERROR: 321"]

    def cmgs(self, rest):
        if self.values["registration"] not in ("1", "5"):
            return ["+CMS ERROR: 331"]
        self.prompt = int(rest[1:])
        return None

    def cgdcont(self, rest):
        if rest == "?":
            return [f"+CGDCONT: {text}" for text in self.contexts.values()] + ["OK"]
        self.contexts[rest[1:].split(",")[0]] = rest[1:]
        return ["OK"]

    def cgact(self, rest):
        if rest == "?":
            return [f"+CGACT: {cid},{int(on)}" for cid, on in sorted(self.active.items())] + ["OK"]
        state, cid = rest[1:].split(",")
        if cid not in self.contexts:
            return ["+CME ERROR: 21"]
        self.active[cid] = state == "1"
        return ["OK"]

    METHODS = [
        ("+CPIN", cpin), ("+CIMI", lambda s, r: s.with_sim(["001010123456789", "OK"])),
        ("+CCID", lambda s, r: s.with_sim(["+CCID: 8900100000000000017F", "OK"])),
        ("+C5GREG", lambda s, r: s.registration("C5GREG", r)), ("+CEREG", lambda s, r: s.registration("CEREG", r)),
        ("+CGREG", lambda s, r: s.registration("CGREG", r)), ("+CREG", lambda s, r: s.registration("CREG", r)),
        ("+COPS", cops), ("+CPMS", cpms), ("+CNMI", cnmi_set), ("+CMGL", cmgl), ("+CMGR", cmgr), ("+CMGD", cmgd),
        ("+CMGS", cmgs), ("+CGDCONT", cgdcont), ("+CGACT", cgact), ("+CUSD", lambda s, r: ["OK", '\r\n+CUSD: 0,"Balance 5.00",15']),
        ("+CSQ", lambda s, r: ["+CSQ: " + s.values["csq"], "OK"]),
        ("+CESQ", lambda s, r: ["+CESQ: " + s.values["cesq"], "OK"]),
        ("+CGNSINF", lambda s, r: ["+CGNSINF: " + s.values["cgnsinf"], "OK"]),
        ("+CGMI", lambda s, r: ["Fake", "OK"]), ("+CGMM", lambda s, r: ["Modem 1", "OK"]),
        ("+CGMR", lambda s, r: ["1.0", "OK"]), ("+CGSN", lambda s, r: ["356938035643809", "OK"]),
        ("+CFUN?", lambda s, r: ["+CFUN: 1", "OK"]), ("+CFUN", basic), ("+CSCA?", lambda s, r: ['+CSCA: "+10000",145', "OK"]),
        ("+CCLK?", lambda s, r: ['+CCLK: "26/11/21,17:00:00+04"', "OK"]),
        ("+CMEE", basic), ("+CMGF", basic), ("+CTZR", basic), ("+CLIP", basic), ("+CGEREP", basic), ("+CGNSPWR", basic),
        ("+CSCS", basic), ("+CSMS", lambda s, r: ["+CSMS: 1,1,1", "OK"]), ("+GCAP", lambda s, r: ["+GCAP: +CGSM,+DS,+ES", "OK"]), ("D*99", lambda s, r: ["CONNECT"]),
        ("I", lambda s, r: ["Fake", "Modem 1", "OK"]), ("E", lambda s, r: s.basic("E" + r)), ("V", basic), ("Z", basic),
        ("&", basic), ("H", basic), ("X", basic), ("", lambda s, r: ["OK"] if r == "" else ["ERROR"]),
    ]

    def message_sent(self, pdu):
        """Reply to the text behind a prompt."""
        if len(pdu) // 2 - 1 - int(pdu[:2] or "0", 16) != self.prompt:
            return ["+CMS ERROR: 304"]
        self.reference = (self.reference + 1) % 256
        self.sent.append({"to": destination(pdu), "pdu": pdu, "reference": self.reference})
        return [f"+CMGS: {self.reference}", "OK"]

    def report_pdu(self, reference, status, digits="393491234567"):
        address = f"{len(digits):02X}91{digits_swapped(digits)}"
        return f"0006{reference:02X}{address}6211127100000062111271000000{status:02X}"


class Line:
    """The pty, and what is done to the bytes on it."""

    def __init__(self, link):
        self.link = link
        self.master = -1
        self.inserts = []
        self.hangup_behind = None
        self.out = b""  # what the line has not taken yet
        self.eol = b"\r\n"

    def plug(self):
        self.unplug()
        self.master, slave = pty.openpty()
        tty.setraw(slave, termios.TCSANOW)
        name = os.ttyname(slave)
        os.set_blocking(self.master, False)
        self.out = b""
        self.slave = slave  # kept open, so that the line does not hang up between two users
        os.symlink(name, self.link + ".new")
        os.replace(self.link + ".new", self.link)

    def unplug(self):
        if self.master < 0:
            return
        os.close(self.slave)
        os.close(self.master)
        self.master = -1
        try:
            os.unlink(self.link)
        except FileNotFoundError:
            pass

    def write(self, data):
        self.out += data.replace(b"\r\n", self.eol)
        self.flush()

    def flush(self):
        """As much as the line takes: who does not read must not stop the modem."""
        while self.out and self.master >= 0:
            try:
                self.out = self.out[os.write(self.master, self.out):]
            except BlockingIOError:
                return
            except OSError:
                self.out = b""

    def reply(self, data):
        for at, extra in sorted(self.inserts, reverse=True):
            data = data[:at] + extra + data[at:]
        self.inserts = []
        if self.hangup_behind is not None:
            self.write(data[:self.hangup_behind])
            self.hangup_behind = None
            termios.tcdrain(self.slave)
            self.unplug()
            return
        self.write(data)


class Bench:
    """The modem on its line, with its network, and the test that tells them what to do."""

    def __init__(self, options):
        self.modem = Modem(options)
        self.line = Line(options.link)
        self.silent = False
        self.reset_in = self.reset_before = self.reset_at = None
        self.deaf_until = 0.0
        self.waiting = b""

    # ---- what the host sends

    def host_bytes(self, data):
        if time.monotonic() < self.deaf_until:
            return
        self.waiting += data
        while self.waiting:
            if self.modem.prompt is not None:
                if not self.prompt_bytes():
                    return
                continue
            end = self.waiting.find(b"\r")
            if end < 0:
                self.waiting = self.waiting.lstrip(b"\x1b\x1a\n")
                return
            text, self.waiting = self.waiting[:end], self.waiting[end + 1:]
            self.command(text.decode("latin-1").lstrip("\n\x1b\x1a \0"))

    def prompt_bytes(self):
        """False: more must come."""
        stage, count = self.reset_at or ("", 0)
        if stage == "body" and len(self.waiting) >= count:
            self.reset()
            return False
        ends = [i for i in (self.waiting.find(b"\x1a"), self.waiting.find(b"\x1b")) if i >= 0]
        if not ends:
            return False
        text, end, self.waiting = self.waiting[:min(ends)], self.waiting[min(ends)], self.waiting[min(ends) + 1:]
        lines = self.modem.message_sent(text.decode("latin-1").strip()) if end == 0x1a else ["OK"]
        self.modem.prompt = None
        if stage == "sent" and end == 0x1a:
            self.line.write("".join(f"\r\n{line}\r\n" for line in lines).encode("latin-1")[:count])
            self.reset()
            return False
        steps = [lambda: self.reply("", lines), lambda: self.report_itself(end, lines)]
        for step in reversed(steps) if self.modem.values["early"] == "on" else steps:
            step()
        return True

    def report_itself(self, end, lines):
        if end == 0x1a and lines[-1] == "OK" and self.modem.values["reports"] != "none":
            self.report(self.modem.reference, int(self.modem.values["reports"]), self.modem.sent[-1]["to"])

    def command(self, text):
        if text[:2].upper() != "AT":
            return None
        if self.reset_before is not None and text.startswith(self.reset_before):
            return self.reset()
        lines = self.modem.answer(text)
        if not self.silent:
            self.reply(text, lines)
        return self.network_tries()

    def reply(self, text, lines):
        echo = (text + "\r") if self.modem.echo and text else ""
        if lines is None:
            body = echo + ("\r\n> " if self.modem.values["prompts"] == "on" else "")
        else:
            body = echo + "".join(f"\r\n{line}\r\n" for line in lines)
        if self.reset_in is not None and text.startswith(self.reset_in):
            self.line.write(body[:len(body) // 2].encode("latin-1"))
            self.reset()
            return
        if not self.silent or not text:
            self.line.reply(body.encode("latin-1"))

    # ---- what happens by itself

    def code(self, text):
        self.line.write(f"\r\n{text}\r\n".encode("latin-1"))

    def reset(self):
        self.modem.begin_anew()
        self.reset_in = self.reset_before = self.reset_at = None
        self.waiting = b""
        self.deaf_until = time.monotonic() + float(self.modem.values["boots"])
        if self.modem.values["announces"] == "on":
            self.code("RDY")
            self.code("+CPIN: " + self.modem.sim.state)

    def sms(self, pdu):
        name = self.modem.values["receives"]
        index = self.modem.stores[name].add(pdu)
        if index is None:
            if self.modem.values["retries"] == "on":
                self.modem.waiting.append(pdu)
            return {"full": True}
        if self.modem.cnmi[1] == 1:
            self.code(f'+CMTI: "{name}",{index}')
        return {"index": index}

    order_sms = sms

    def network_tries(self):
        """What found no room comes once there is some."""
        store = self.modem.stores[self.modem.values["receives"]]
        while self.modem.waiting and len(store.messages) < store.capacity:
            self.sms(self.modem.waiting.pop(0))

    def report(self, reference, status, digits="393491234567"):
        pdu = self.modem.report_pdu(reference, status, digits)
        if self.modem.cnmi[3] == 1:
            self.code(f"+CDS: {Store.length(pdu)}\r\n{pdu}")
        else:
            index = self.modem.store.add(pdu)
            if self.modem.cnmi[3] == 2:
                self.code(f'+CDSI: "SM",{index}')

    # ---- orders of the test

    def order_code(self, rest):
        self.code(unescape(rest))

    def order_raw(self, rest):
        self.line.write(unescape(rest).encode("latin-1"))

    def order_at(self, rest):
        at, text = rest.split(" ", 1)
        self.line.inserts.append((int(at), unescape(text).encode("latin-1")))

    def order_direct(self, rest):
        self.code(f"+CMT: ,{Store.length(rest)}\r\n{rest}")

    def order_report(self, rest):
        self.report(*(int(word) for word in rest.split()[:2]), *rest.split()[2:3])

    def order_set(self, rest):
        name, value = rest.split(" ", 1)
        if name == "sim":
            self.modem.sim.state = value
        elif name == "capacity":
            for store in self.modem.stores.values():
                store.capacity = int(value)
        elif name == "cnmi":
            self.modem.cnmi = [int(n) for n in value.split(",")]
        elif name == "eol":
            self.line.eol = unescape(value).encode("latin-1")
        elif name == "prompt":
            self.modem.prompt = int(value)
        else:
            self.modem.values[name] = value
        if name == "registration":
            for domain, n in self.modem.registering.items():
                if n and domain != "C5GREG":
                    self.code(f"+{domain}: {value}")

    def order_table(self, rest):
        command, text = rest.split(" ", 1)
        self.modem.table[command] = unescape(text)

    def order_fail(self, rest):
        command, count, text = rest.split(" ", 2)
        self.modem.failing.append([command, int(count), unescape(text)])

    def order_silence(self, rest):
        self.silent = rest == "on"

    def order_garbage(self, rest):
        self.line.write(random.Random(1).randbytes(int(rest)))

    def order_reset(self, rest):
        if rest == "between" and self.modem.prompt is not None:
            return {"busy": True}
        return self.reset()

    def order_reset_in(self, rest):
        self.reset_in = rest

    def order_reset_before(self, rest):
        self.reset_before = rest

    def order_reset_at(self, rest):
        stage, count = rest.split()
        self.reset_at = (stage, int(count))

    def order_hangup(self, rest):
        if rest:
            self.line.hangup_behind = int(rest)
        else:
            self.line.unplug()

    def order_plug(self, _rest):
        self.waiting = b""
        self.modem.prompt = self.line.hangup_behind = None
        self.line.plug()

    def order_show(self, _rest):
        modem = self.modem
        return {"store": {i: m[1] for i, m in modem.store.messages.items()}, "sent": modem.sent, "commands": modem.commands}

    def order_far(self, _rest):
        return {"left": [m[1] for store in self.modem.stores.values() for m in store.messages.values()],
                "waiting": len(self.modem.waiting), "sent": self.modem.sent}

    def order(self, text):
        verb, _, rest = text.partition(" ")
        method = getattr(self, "order_" + verb, None)
        if not method:
            return {"error": "unknown order"}
        return method(rest) or {"ok": True}

    # ---- the loop

    def run(self):
        self.line.plug()
        print(json.dumps({"ready": self.line.link}), flush=True)
        orders = b""
        while True:
            fds = [self.line.master] if self.line.master >= 0 else []
            ready = select.select([0] + fds, fds if self.line.out else [], [])[0]
            self.line.flush()
            if 0 in ready:
                data = os.read(0, 65536)
                if not data:
                    break
                orders += data
                *lines, orders = orders.split(b"\n")
                for line in lines:
                    if line == b"quit":
                        return
                    print(json.dumps(self.order(line.decode())), flush=True)
            if self.line.master in ready:
                try:
                    self.host_bytes(os.read(self.line.master, 65536))
                except BlockingIOError:
                    pass
                except OSError:
                    self.line.unplug()


def main():
    parser = argparse.ArgumentParser(description="A scripted modem on a pty; orders come on standard input.")
    parser.add_argument("--link", required=True, help="where the port appears")
    parser.add_argument("--pin", default="", help="PIN of the SIM; none: it needs none")
    parser.add_argument("--capacity", type=int, default=20, help="messages that the store holds")
    parser.add_argument("--stores", default="SM", help="the stores; the first is listed until another is chosen")
    parser.add_argument("--table", help="JSON: replies by command, which stand before all others")
    options = parser.parse_args()
    options.table = json.load(open(options.table, encoding="utf-8")) if options.table else {}
    bench = Bench(options)
    try:
        bench.run()
    finally:
        bench.line.unplug()


if __name__ == "__main__":
    main()
