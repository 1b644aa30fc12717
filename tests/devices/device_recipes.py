"""device_recipes.py - what docs/guides/devices.md says of devices, word for word, played through ptys.

The guide's blocks of TOML are cut out of it, each becomes a line of one pipeline, and
what its device sends must come out as the guide promises. The devices are made up
here; that of the monitor is in monitor_serial.py.
"""

import json
import os
import re
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../pipeline"))

import cases
from cases import PIPELINES
from serial_line import Line

GUIDE = os.path.join(PIPELINES, "../docs/guides/devices.md")


def blocks():
    with open(GUIDE, encoding="utf-8") as file:
        return re.findall(r"```toml\n(.*?)```", file.read(), re.S)


def block(word):
    """The one block that has this in it."""
    found = [b for b in blocks() if word in b]
    assert len(found) == 1, f"{len(found)} blocks of the guide have {word}"
    return found[0]


def crc_modbus(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return data + struct.pack("<H", crc)


def crc_ccitt(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def nmea(text):
    check = 0
    for byte in text.encode():
        check ^= byte
    return f"${text}*{check:02X}\r\n".encode()


def cobs(data):
    """Of fewer than 254 bytes."""
    return b"\0" + b"".join(bytes([len(part) + 1]) + part for part in data.split(b"\0")) + b"\0"


PRINTED = (b"NPB-295    VERSION 1.0.0    CRC:8F2A  SpO2 Limit: 85-100%\r\n                        ADULT    0SAT-S\r\n"
           b"TIME               %SpO2   BPM    PA\r\n01-Jul-97 16:00:00   100    120    220\r\n"
           b"01-Jul-97 16:00:02    84*   124*    50\r\n01-Jul-97 16:00:04   ---    ---    ---\r\n")
MODBUS = crc_modbus(bytes([1, 3, 4, 1, 2, 0xFF, 0xFE]))
PACKED = (b"\xa5\x01" + struct.pack("<H", 985) + (16500).to_bytes(3, "big") + struct.pack("<f", 93.5) +
          bytes([0x56, 0x34, 0x12, 0x54]))
REGISTERS = 'frames = [{ kind = "binary", endian = "big", columns = [{ name = "a", raw = "u16", at = %d, type = "int" }] }]'


def recipes():
    """Name, framing, map, what the device sends, what comes out."""
    return [
        ("keys", block("strict"), block('from = "HR"'), b"HR=80 SPO2=98% BP=120/80(93)\r\nHR=\x81\r\nSPO2=--- HR=<5\r\n",
         [{"heart_rate": 80, "spo2": 98}, {"heart_rate": None, "spo2": None}]),
        ("printer", "", block("NPB"), PRINTED,
         [{"taken": f"01-Jul-97 16:00:0{at}", "spo2": value, "spo2_alarm": alarm}
          for at, value, alarm in ((0, 100, False), (2, 84, True), (4, None, False))]),
        ("oximeter", block("sync_bits"), block("0x407F"), bytes([0x92, 100, 0x40, 22, 98, 0x83, 90, 1, 72, 97, 0x80, 0, 0x10, 0, 0]),
         [{"pleth": 100, "pulse_rate": 150, "spo2": 98, "sensor_off": False},
          {"pleth": 90, "pulse_rate": 72, "spo2": 97, "sensor_off": False},
          {"pleth": 0, "pulse_rate": None, "spo2": None, "sensor_off": True}]),
        ("nmea", block('start = ["$", "!"]'), None, b"noise" + nmea("GPGGA,1,2") + b"$GPGGA,1*00\r\n" + nmea("GPRMC,3"),
         [{"text": "GPGGA,1,2"}, {"text": "GPRMC,3"}]),
        ("stx", block('"stx_etx"'), None, b"\x02AB\x03\x00\x02AB\x03\x01\x02BA\x03\x00", [{"text": "AB"}, {"text": "BA"}]),
        ("pause", block('"silence"'), REGISTERS % 3, MODBUS, [{"a": 258}]),
        ("length", block("offset = 2, trailer"), REGISTERS % 0, MODBUS + b"\x55" + MODBUS, [{"a": 258}, {"a": 258}]),
        ("packed", block('"cobs"'), block("a5 01"), cobs(PACKED + struct.pack("<H", crc_ccitt(PACKED))),
         [{"spo2": 98.5, "temperature": 36.5, "pressure": 93.5, "serial": 123456, "lead_off": True, "mode": 5}]),
    ]


def nodes(bench, name, framing, columns):
    text = f'[source.{name}]\nplugin = "in_serial"\npath = "{bench.path("tty-" + name)}"\nsubject = "{name}"\n{framing}\n'
    if columns:
        text += f'[processor.{name}-rows]\nplugin = "op_parse"\nfrom = "{name}"\n{columns}\n'
    behind = name + "-rows" if columns else name
    return text + (f'[sink.{name}-out]\nplugin = "out_file"\nfrom = "{behind}"\nformat = "jsonl"\n'
                   f'path = "{bench.path(name + ".jsonl")}"\nedge = {{ when_full = "block" }}\n')


def came(bench, name):
    try:
        with open(bench.path(name + ".jsonl"), encoding="utf-8") as file:
            return [json.loads(line)["data"] for line in file if line.endswith("\n")]
    except OSError:
        return []


def wait_came(bench, name, count):
    end = time.monotonic() + cases.LIMIT_S / 2
    while len(came(bench, name)) < count and time.monotonic() < end:
        time.sleep(0.02)
    return came(bench, name)


def each_recipe_of_the_guide_reads_its_device(bench):
    wanted = recipes()
    text = '[pipeline]\nname = "recipes"\nmemory_limit = "64MiB"\n' + "".join(nodes(bench, *r[:3]) for r in wanted)
    path = bench.write("recipes.toml", text)
    lines = {r[0]: Line(bench.path("tty-" + r[0])) for r in wanted}
    run = bench.start("run", path)
    for name, _, _, sent, _ in wanted:
        lines[name].wait_open(run)
        lines[name].write(sent)
    for name, _, _, _, rows in wanted:
        got = wait_came(bench, name, len(rows))
        assert got == rows, f"{name}: {got}, not {rows}"
    asked = lines["pause"].read(5)
    assert asked.startswith(crc_modbus(bytes([1, 3, 0, 0, 0, 2]))), asked
    run.send(signal.SIGTERM)
    assert run.end() == 0, run.said
    for line in lines.values():
        line.__exit__()


def alternatives():
    """The checksums that stand as comments in the block of STX and ETX, each with a frame."""
    def sum_of(data):
        return sum(data) & 0xFF

    written = re.findall(r"^# +(\{.*?\})(?:, marks = (\{.*?\}))? +#", block('"stx_etx"'), re.M)
    frames = [b"\x02AB%02X\x03" % sum_of(b"\x02AB"), b"\x021H\x17%02X\r\n" % sum_of(b"1H\x17"),
              b"\x02AB\x03" + bytes([-sum_of(b"AB\x03") & 0xFF]), b"\x02AB\x03" + struct.pack(">H", crc_ccitt(b"AB\x03"))]
    assert len(written) == len(frames), written
    return [(f"sum-{i}", f'framer = "stx_etx"\nchecksum = {c}\n' + (f"marks = {m}\n" if m else ""), None, frame,
             [{"text": frame[1:3].decode()}]) for i, ((c, m), frame) in enumerate(zip(written, frames))]


def each_checksum_of_the_guide_is_that_of_its_frame(bench):
    wanted = alternatives()
    path = bench.write("sums.toml", '[pipeline]\nname = "sums"\n' + "".join(nodes(bench, *r[:3]) for r in wanted))
    lines = {r[0]: Line(bench.path("tty-" + r[0])) for r in wanted}
    run = bench.start("run", path)
    for name, _, _, sent, rows in wanted:
        lines[name].wait_open(run)
        lines[name].write(sent)
        got = wait_came(bench, name, len(rows))
        assert got == rows, f"{name}: {got}, not {rows}"
    run.send(signal.SIGTERM)
    assert run.end() == 0, run.said
    for line in lines.values():
        line.__exit__()


if __name__ == "__main__":
    cases.main(each_recipe_of_the_guide_reads_its_device, each_checksum_of_the_guide_is_that_of_its_frame)
