"""ward_units.py - concentrators of twenty beds each, made up for tests, and what may go wrong on their lines.

They are stand-ins and prove nothing about any real concentrator. A frame names its bed
and has a number there, so that no two are the same; its values are random.

Not here: which bytes were read (ward_line.py).
"""

import binascii
import time

from ward_line import WardLine

BEDS = 20

SIGNS = {
    "HR": ["heart_rate", "state"],
    "RR": ["respiratory_rate", "state"],
    "SPO2": ["spo2", "pulse_rate", "state"],
    "ART": ["systolic", "diastolic", "mean_pressure", "state"],
    "TEMP": ["temperature", "state"],
}


def framed(content):
    body = content.encode() + b"\x03"
    return b"\x02" + body + b"%04X" % binascii.crc_hqx(body, 0xFFFF)


class Concentrator:
    """Twenty beds on a line: frames as they come, and what may happen to one."""

    def __init__(self, bench, number, chance):
        self.line = WardLine(bench.path(f"ttyWard{number}"))
        self.name, self.chance = f"unit-{number}", chance
        self.beds = [f"bed-{(number - 1) * BEDS + i + 1:03}" for i in range(BEDS)]
        self.seq = dict.fromkeys(self.beds, 0)
        self.due = {bed: 0.0 for bed in self.beds}
        self.every = {bed: 1 / chance.uniform(1, 10) for bed in self.beds}
        self.next_bed = self.wrong = 0
        self.other_half = b""
        bench.env[f"AFFERENT_LINE_{number}"] = self.line.link
        self.line.plug()

    def _frame(self, bed):
        """What the next frame of a bed says, as a row has it, and as it is sent."""
        self.seq[bed] += 1
        sign = self.chance.choice(tuple(SIGNS))
        values = {c: self.chance.randint(200, 3999) / 100 for c in SIGNS[sign][:-1]}
        values["state"] = self.chance.randint(0, 3)
        row = {"sign": sign, "bed": bed, "seq": self.seq[bed], **values}
        return row, framed(";".join([sign, bed, str(self.seq[bed]), *map(str, values.values())]))

    def send(self, bed=None):
        if bed is None:
            self.next_bed = (self.next_bed + 1) % BEDS
            bed = self.beds[self.next_bed]
        row, data = self._frame(bed)
        self.line.send(data, row)

    def send_due(self, at):
        for bed in self.beds:
            if self.due[bed] <= at:
                self.due[bed] = max(self.due[bed] + self.every[bed], at - 1)
                self.send(bed)

    # ---- what goes wrong ----

    def send_wrong(self):
        """One byte of the content or of the checksum is another one: a CRC sees that."""
        row, data = self._frame(self.chance.choice(self.beds))
        at = self.chance.choice([i for i, b in enumerate(data) if b >= 0x20])
        other = self.chance.choice([b for b in b"0123456789;ABCDEF" if b != data[at]])
        self.line.send(data[:at] + bytes([other]) + data[at + 1:], row, good=False)
        self.wrong += 1

    def send_half(self):
        row, data = self._frame(self.chance.choice(self.beds))
        cut = self.chance.randrange(1, len(data))
        self.line.send(data[:cut], row, good=False)
        self.other_half = data[cut:]

    def plug(self):
        """The rest of a frame that was cut comes first, and must not be joined to what was before."""
        self.line.plug()
        self.line.send(self.other_half)
        self.other_half = b""

    def send_garbage(self):
        self.line.send(bytes(self.chance.choices(range(256), k=self.chance.randint(1, 700))))


class Troubles:
    """Lines of which at any moment one is pulled, hangs up in mid-frame, or has garbage on it."""

    def __init__(self, ward):
        self.chance = ward.chance
        self.back = {}    # when a unit's plug comes back
        self.rest = {}    # a unit that sends nothing more, and is pulled then: all of it was read
        self.count = {"pulled": 0, "hung up in mid-frame": 0, "replaced at once": 0, "garbage": 0, "wrong checksum": 0}

    def feed(self, unit, at):
        if unit in self.back:
            if at >= self.back[unit]:
                del self.back[unit]
                unit.plug()
            return
        if unit in self.rest:
            if unit.line.is_quiet():
                self.rest.pop(unit)(unit, at)
            return
        unit.send_due(at)
        if self.chance.random() < 0.03:
            self.chance.choice((self.garbage, self.wrong, self.trouble))(unit, at)

    def trouble(self, unit, at):
        """At once, with bytes on their way, or when all was read."""
        what = self.chance.choice((self.pull, self.hang_up, self.replace))
        if self.chance.random() < 0.5:
            self.rest[unit] = what
        else:
            what(unit, at)

    def garbage(self, unit, _):
        unit.send_garbage()
        self.count["garbage"] += 1

    def wrong(self, unit, _):
        unit.send_wrong()
        self.count["wrong checksum"] += 1

    def pull(self, unit, at):
        unit.line.pull()
        self.back[unit] = at + self.chance.uniform(0.01, 0.6)
        self.count["pulled"] += 1

    def hang_up(self, unit, at):
        unit.send_half()
        unit.line.turn()
        time.sleep(self.chance.uniform(0, 0.02))
        self.pull(unit, at)
        self.count["pulled"] -= 1
        self.count["hung up in mid-frame"] += 1

    def replace(self, unit, _):
        unit.line.pull()
        unit.plug()
        self.count["replaced at once"] += 1

    def end(self):
        for unit in self.back:
            unit.plug()
        self.back.clear()
        self.rest.clear()
