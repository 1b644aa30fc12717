"""modemmanager_modem.py - a scripted modem for ModemManager: two AT ports on ptys, one SIM, one store of messages.

It answers what the daemon asks when it probes, enables and uses a modem of its plugin
"generic". A fake, named as such: what is real here is the daemon. Values and PDUs are
made by the standards (3GPP TS 27.007, 27.005, 23.040), not taken from our own code.
"""

import fcntl
import os
import pty
import select
import threading
import time
import tty

from cases import LIMIT_S, Skip

ALPHABET = ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
            "¿abcdefghijklmnopqrstuvwxyzäöñüà")
EXTENSION = {"^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65}

ANSWERS = {
    "ATI": "Afferent test modem",
    "AT+CGMI": "Afferent test", "AT+CGMM": "Scripted", "AT+CGMR": "1.0", "AT+CGSN": "490154203237518",
    "AT+GCAP": "+GCAP: +CGSM", "AT+CIMI": "001010123456789", "AT+CFUN?": "+CFUN: 1",
    "AT+CSCS=?": '+CSCS: ("IRA","GSM")', "AT+CSCS?": '+CSCS: "IRA"', "AT+CMGF=?": "+CMGF: (0,1)",
    "AT+CPMS=?": '+CPMS: ("ME"),("ME"),("ME")', "AT+CNMI=?": "+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)",
    "AT+CGDCONT=?": '+CGDCONT: (1-5),"IP",,,(0),(0)', "AT+CGDCONT?": '+CGDCONT: 1,"IP","internet","",0,0',
    "AT+CESQ=?": "+CESQ: (0-63,99),(0-7,99),(0-96,255),(0-49,255),(0-34,255),(0-97,255)",
    "AT+CTZR=?": "+CTZR: (0,1)", "AT+CUSD=?": "+CUSD: (0-2)", "AT+CNUM": '+CNUM: "","+15550001",145', "AT+CSQ": "+CSQ: 20,99",
    "AT+CRSM=176,12258,0,0,10": '+CRSM: 144,0,"981000325476981032F4"',
    "AT+CESQ": "+CESQ: 99,99,255,255,20,50", "AT+CCLK?": '+CCLK: "26/03/04,17:40:00+04"',
}


def semi_octets(digits):
    digits += "F" * (len(digits) % 2)
    return bytes(int(digits[i + 1] + digits[i], 16) for i in range(0, len(digits), 2))


def pack(septets, fill):
    """7 bits a letter, behind `fill` bits that belong to the header."""
    bits = sum(s << (fill + 7 * i) for i, s in enumerate(septets))
    return bits.to_bytes((fill + 7 * len(septets) + 7) // 8, "little")


def unpack(octets, count, fill):
    bits = int.from_bytes(octets, "little")
    return [(bits >> (fill + 7 * i)) & 0x7F for i in range(count)]


def septets_of(text):
    """None where the alphabet does not have all of it."""
    out = []
    for c in text:
        if c in EXTENSION:
            out += [0x1B, EXTENSION[c]]
        elif c in ALPHABET:
            out.append(ALPHABET.index(c))
        else:
            return None
    return out


def text_of(septets):
    back = {v: k for k, v in EXTENSION.items()}
    out, escaped = "", False
    for s in septets:
        if escaped:
            out, escaped = out + back.get(s, " "), False
        elif s == 0x1B:
            escaped = True
        else:
            out += ALPHABET[s]
    return out


STAMP = semi_octets("260304174005") + b"\x40"  # 2026-03-04 17:40:05 +01:00


def deliver(text, number="15550002", header=b""):
    """An SMS-DELIVER, without a service centre in front."""
    udh = bytes([len(header)]) + header if header else b""
    septets = septets_of(text)
    first = bytes([0x44 if header else 0x04, len(number), 0x91]) + semi_octets(number) + b"\0"
    if septets is None:
        body = udh + text.encode("utf-16-be")
        return b"\0" + first + b"\x08" + STAMP + bytes([len(body)]) + body
    fill = -len(udh) * 8 % 7
    length = (len(udh) * 8 + fill) // 7 + len(septets)
    return b"\0" + first + b"\0" + STAMP + bytes([length]) + udh + pack(septets, fill)


def deliver_long(text, size, number="15550002"):
    """The parts of a long message."""
    cut = [text[i:i + size] for i in range(0, len(text), size)]
    return [deliver(part, number, bytes([0, 3, 0x5A, len(cut), i + 1])) for i, part in enumerate(cut)]


def report(reference, number, status):
    """An SMS-STATUS-REPORT."""
    return b"\0\x06" + bytes([reference, len(number), 0x91]) + semi_octets(number) + STAMP + STAMP + bytes([status])


def submitted(pdu):
    """Number, text, whether a report is wanted, and the part's place, of an SMS-SUBMIT."""
    at = 1 + pdu[0]
    flags, digits = pdu[at], pdu[at + 2]
    at += 4
    octets = pdu[at:at + (digits + 1) // 2]
    number = "".join(f"{o & 15:X}{o >> 4:X}" for o in octets)[:digits]
    at += len(octets)
    coding = pdu[at + 1] & 0x0C
    at += 2 + {0x00: 0, 0x10: 1, 0x08: 7, 0x18: 7}[flags & 0x18]
    length, data = pdu[at], pdu[at + 1:]
    udh = 1 + data[0] if flags & 0x40 else 0
    place = tuple(data[udh - 2:udh]) if udh else (1, 1)
    if coding == 0x08:
        return number, data[udh:length].decode("utf-16-be"), bool(flags & 0x20), place
    skipped = (udh * 8 + 6) // 7
    return number, text_of(unpack(data, length, 0)[skipped:]), bool(flags & 0x20), place


class Port:
    def __init__(self):
        try:
            self.fd, self.theirs = pty.openpty()
        except OSError:
            raise Skip("no terminal can be made here (/dev/pts)") from None
        tty.setraw(self.theirs)
        # What is written when nobody reads must not hold the modem up.
        fcntl.fcntl(self.fd, fcntl.F_SETFL, os.O_NONBLOCK)
        self.name = os.ttyname(self.theirs).removeprefix("/dev/")
        self.got, self.asks, self.online = b"", None, False

    def say(self, text):
        try:
            os.write(self.fd, text.encode("latin-1"))
        except OSError:
            pass  # its buffer is full: nobody is there

    def close(self):
        os.close(self.fd)
        os.close(self.theirs)


class Modem:
    def __init__(self):
        self.answers = dict(ANSWERS)
        self.store, self.next_slot = {}, 1
        self.sent, self.reference, self.refuse = [], 0, None
        self.pin, self.pins = None, []
        self.silent, self.asked = False, []
        self.registered, self.operator, self.technology = 1, "Afferent Mobile", 7
        self.ports, self.thread = [], None
        self.lock = threading.RLock()
        self.plug()

    def plug(self):
        self.ports = [Port(), Port()]
        self.over = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def unplug(self):
        self.over = True
        self.thread.join(LIMIT_S)
        for port in self.ports:
            port.close()
        self.ports = []

    def _run(self):
        while not self.over:
            for port in self.ports:
                if not select.select([port.fd], [], [], 0.01)[0]:
                    continue
                try:
                    port.got += os.read(port.fd, 4096)
                except OSError:  # nobody has it open
                    time.sleep(0.01)
                    continue
                with self.lock:
                    self._lines(port)

    def _lines(self, port):
        while port.got:
            end = b"\x1a" if port.asks else b"\r"
            if port.asks and b"\x1b" in port.got:
                port.got, port.asks = b"", None
                port.say("\r\nOK\r\n")
                return
            if end not in port.got:
                return
            line, port.got = port.got.split(end, 1)
            if self.silent:
                continue
            if port.asks:
                port.asks = None
                self._take(port, line.decode("latin-1").strip())
            elif line.strip():
                self._command(port, line.decode("latin-1").strip())

    # --- what it can do

    def _command(self, port, line):
        self.asked.append(line)
        name, _, value = line.partition("=")
        if line in ("ATE0", "ATH", "ATZ") or line.startswith(("ATH", "ATZ")):
            port.online = False
        if self.pin and name not in ("AT", "AT+CPIN?", "AT+CPIN", "AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN", "ATI",
                                     "AT+GCAP", "ATE0", "ATZ", "AT+CMEE", "ATV1", "ATX4", "AT&C1", "AT+CFUN?"):
            port.say("\r\n+CME ERROR: 11\r\n")
        elif name == "AT+CPIN":
            self._unlock(port, value.strip('"'))
        elif line == "AT+CPIN?":
            self._answer(port, "+CPIN: " + ("SIM PIN" if self.pin else "READY"))
        elif name == "AT+CMGS":
            port.asks = True
            port.say("\r\n> ")
        elif name == "AT+CMGL":
            self._answer(port, *(f"+CMGL: {i},1,,{len(p) - 1}\r\n{p.hex().upper()}" for i, p in sorted(self.store.items())))
        elif name == "AT+CMGR" and int(value) in self.store:
            pdu = self.store[int(value)]
            self._answer(port, f"+CMGR: 0,,{len(pdu) - 1}\r\n{pdu.hex().upper()}")
        elif name == "AT+CMGD" and self.store.pop(int(value.split(",")[0]), None):
            self._answer(port)
        elif name == "AT+CUSD" and value.startswith("1,"):
            self._answer(port)
            self._ussd(port, value.split(",")[1].strip('"'))
        elif name.startswith("ATD"):
            port.online = True
            port.say("\r\nCONNECT 150000000\r\n")
        else:
            self._table(port, line)

    def _table(self, port, line):
        state = f'2,{self.registered},"00C3","0000A1B2",{self.technology}'
        full = f"{len(self.store)},20"
        special = {"AT+CPMS?": "+CPMS: " + ",".join([f'"ME",{full}'] * 3), "AT+CREG?": f"+CREG: {state}", "AT+CGREG?": f"+CGREG: {state}", "AT+CEREG?": f"+CEREG: {state}",
                   "AT+COPS?": f'+COPS: 0,0,"{self.operator}",{self.technology}'}
        if line in special or line in self.answers:
            self._answer(port, special.get(line) or self.answers[line])
        elif line.startswith("AT+CPMS="):
            self._answer(port, "+CPMS: " + ",".join([full] * 3))
        elif "=?" in line or line.endswith("?") or line.startswith(("AT+CMGR", "AT+CMGD", "AT%", "AT*", "AT^")):
            port.say("\r\nERROR\r\n")
        else:
            self._answer(port)

    def _answer(self, port, *lines):
        port.say("".join(f"\r\n{line}\r\n" for line in lines) + "\r\nOK\r\n")

    def _unlock(self, port, pin):
        self.pins.append(pin)
        if pin != self.pin:
            port.say("\r\n+CME ERROR: 16\r\n")
            return
        self.pin = None
        self._answer(port)

    def _take(self, port, line):
        if self.refuse is not None:
            port.say(f"\r\n+CMS ERROR: {self.refuse}\r\n")
            return
        self.reference = self.reference % 255 + 1
        number, text, wanted, place = submitted(bytes.fromhex(line))
        self.sent.append({"number": number, "text": text, "report": wanted, "place": place, "reference": self.reference})
        self._answer(port, f"+CMGS: {self.reference}")

    def _ussd(self, port, code):
        """Codes and texts in hex digits of the character set, as the daemon has it."""
        said = {"*100#": (0, "Balance 12.50"), "*101#": (1, "Menu: 1 or 2"), "1": (0, "You chose 1")}
        state, text = said.get(bytes.fromhex(code).decode("ascii"), (4, ""))
        port.say(f'\r\n+CUSD: {state},"{text.encode("ascii").hex().upper()}",15\r\n')

    # --- what the network does

    def receive(self, *pdus, at_once=False):
        """Messages come in, and are told of: one after the other has been read, since the
        daemon overlooks what is told while it reads; or at once."""
        for pdu in pdus:
            with self.lock:
                slot, self.next_slot = self.next_slot, self.next_slot + 1
                self.store[slot] = pdu
                self.code(f'+CMTI: "ME",{slot}')
            end = time.monotonic() + LIMIT_S
            while not at_once and f"AT+CMGR={slot}" not in self.asked:
                assert time.monotonic() < end, "the daemon did not read the message"
                time.sleep(0.01)
            time.sleep(0 if at_once else 0.1)

    def code(self, *lines):
        with self.lock:
            self.ports[0].say("".join(f"\r\n{line}\r\n" for line in lines))

    def report(self, message, status=0):
        pdu = report(message["reference"], message["number"], status)
        self.code(f"+CDS: {len(pdu) - 1}\r\n{pdu.hex().upper()}")
