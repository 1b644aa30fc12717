"""peers.py - the other ends of network plugins, for the family `memory`: each answers the least by which a run ends.

A thread serves them on ports of the loopback: http (200 for whatever is sent), smtp, syslog (by TCP), mqtt (3.1.1 and
5: takes what is published; to who subscribes it sends two messages, five seconds of event time apart). The gateway of
out_zmq is another Afferent, with memory enough.

Not here: peers that misbehave, and real ones (tests/net).
"""

import asyncio
import os
import subprocess
import threading
import time

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 13, 14


async def http(reader, writer):
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b"expect: 100-continue" in head:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if b"content-length:" in head:
            await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        writer.write(b'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 0\r\n\r\n')


async def smtp(reader, writer):
    writer.write(b"220 peer\r\n")
    while True:
        word = (await reader.readline())[:4].upper()
        if word == b"DATA":
            writer.write(b"354 go on\r\n")
            await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 peer\r\n")
        if word in (b"QUIT", b""):
            return


async def syslog(reader, _):
    while await reader.read(4096):
        pass


async def packet(reader):
    """Kind, flags, body."""
    first, size, shift = (await reader.readexactly(1))[0], 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return first >> 4, first & 15, await reader.readexactly(size)


def message(number, is_5):
    """In 5 with an event time, by which a run with an end ends."""
    name, value = b"afferent-time", str(1767225600000000000 + number * 5 * 10**9).encode()
    property_ = b"\x26" + len(name).to_bytes(2, "big") + name + len(value).to_bytes(2, "big") + value
    body = b"\0\1t" + number.to_bytes(2, "big") + (bytes([len(property_)]) + property_ if is_5 else b"") + b"x"
    return bytes([PUBLISH << 4 | 2, len(body)]) + body


async def mqtt(reader, writer):
    is_5 = False
    while True:
        kind, flags, body = await packet(reader)
        if kind == CONNECT:
            is_5 = body[6] == 5
            writer.write(bytes([CONNACK << 4, 3, 0, 0, 0] if is_5 else [CONNACK << 4, 2, 0, 0]))
        elif kind == PUBLISH and flags >> 1 & 3:
            at = 2 + int.from_bytes(body[:2], "big")
            writer.write(bytes([PUBACK << 4, 2]) + body[at:at + 2])
        elif kind == SUBSCRIBE:
            writer.write(bytes([SUBACK << 4, 4 if is_5 else 3]) + body[:2] + bytes([0, 1] if is_5 else [1]))
            writer.write(message(1, is_5) + message(2, is_5))
        elif kind == PINGREQ:
            writer.write(bytes([PINGRESP << 4, 0]))
        elif kind == DISCONNECT:
            return


def guarded(serve):
    """One that leaves in the middle is none of ours to tell."""
    async def one(reader, writer):
        try:
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError):
            pass
        finally:
            writer.close()
    return one


ALERTS = """[source.a]
plugin = "in_synth"
signals = ["vitals"]
start = "2026-01-01T00:00:00Z"
pace = "fast"
duration = "3s"
[processor.p]
plugin = "op_alert"
from = "a.vitals"
place = "x"
rules = [{ name = "r", column = "heart_rate", at_least = 1, severity = "high", text = "t" }]
"""
ENDLESS = ("in_http",)  # asked to end


def sink(plugin, options, source="p"):
    return f'[sink.z]\nplugin = "{plugin}"\nfrom = "{source}"\n{options}\n'


def pipelines(ports, door):
    """A small one for each plugin, by its name, without the head."""
    http_, mqtt_ = f"http://127.0.0.1:{ports['http']}", f"mqtt://127.0.0.1:{ports['mqtt']}"
    listens = {
        "in_http": 'listen = "127.0.0.1:0"\nallow_anyone = true\nroutes = [{ path = "/{subject}/{stream}" }]',
        "in_mqtt": f'broker = "{mqtt_}"\nclient_id = "c"\ntopics = ["t"]\nrun = {{ durable = true }}',
        # which ends the run
        "in_zmq": 'address = "tcp://nowhere0:1"\nkey = "gateway.key"\npeers = { bed = "bed.pub" }',
    }
    sends = {
        "out_http": f'url = "{http_}/a"\nbatch_time = "0s"',
        "out_mail": f'url = "smtp://127.0.0.1:{ports["smtp"]}"\ntls = "none"\nsender = "a@b.c"\nto = ["a@b.c"]\nbatch_time = "0s"',
        "out_mqtt": f'broker = "{mqtt_}"\ntopic = "t"',
        "out_s3": f'endpoint = "{http_}"\nbucket = "bed"\naccess_key = "k"\nsecret_key = "s"\naddressing = "path"\nbatch_time = "0s"',
        "out_syslog": f'url = "tcp://127.0.0.1:{ports["syslog"]}"',
        "out_zmq": f'address = "ipc://{door}"\nkey = "bed.key"\ngateway_key = "gateway.pub"',
    }
    made = {name: f'[source.a]\nplugin = "{name}"\n{options}\n' + sink("out_null", "", "a") for name, options in listens.items()}
    made.update((name, ALERTS + sink(name, options)) for name, options in sends.items())
    made["op_escalate"] = (ALERTS + '[processor.e]\nplugin = "op_escalate"\nfrom = "p"\nsteps = [{ to = ["n"] }]\n'
                           'people = [{ name = "n" }]\n' + sink("out_null", "", "e.alerts"))
    return made


class Gateway:
    """What out_zmq sends to; keys are made in the folder. None where this build has no such plugin."""

    def __init__(self, program, folder, plugins):
        self.door, self.process = os.path.join(folder, "door"), None
        if "out_zmq" not in plugins:
            return
        home = os.path.join(folder, "gateway")
        os.makedirs(os.path.join(home, "run"), mode=0o700)
        env = dict(os.environ, STATE_DIRECTORY=home, RUNTIME_DIRECTORY=os.path.join(home, "run"))
        for name in ("gateway", "bed"):
            subprocess.run([program, "key", "new", "--curve", name], env=env, cwd=folder, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        path = os.path.join(folder, "gateway.toml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(f'[pipeline]\nname = "gateway"\n[source.a]\nplugin = "in_zmq"\naddress = "ipc://{self.door}"\n'
                    'key = "gateway.key"\npeers = { bed = "bed.pub" }\n' + sink("out_null", "", "a"))
        with open(os.path.join(home, "log"), "wb") as log:
            self.process = subprocess.Popen([program, "run", path], env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        end = time.monotonic() + 60
        while not os.path.exists(self.door) and self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()


class Peers:
    """Their ports, by name, until close."""

    def __init__(self):
        self.loop, self.ports, ready = asyncio.new_event_loop(), {}, threading.Event()

        async def open_all():
            for serve in (http, smtp, syslog, mqtt):
                server = await asyncio.start_server(guarded(serve), "127.0.0.1", 0)
                self.ports[serve.__name__] = server.sockets[0].getsockname()[1]
            ready.set()

        def run():
            self.loop.run_until_complete(open_all())
            self.loop.run_forever()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        ready.wait()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
