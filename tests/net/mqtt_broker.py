"""mqtt_broker.py - a real mosquitto on the loopback, for tests; and one who listens at the far end.

    with Broker(folder, pki) as broker:       # listeners: broker.plain, broker.tls
        broker.stop(kill=True); broker.start()
        with Listener(broker, "ward/#") as far:
            far.wait_count(100)               # far.lines: (topic, properties, payload)

Ports are chosen free, so tests run beside each other. `lines` are more lines of its configuration,
for all listeners. Not here: certificates (tls_servers.py), what bad links do (proxy.py)."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time

LIMIT_S = 60
BROKER = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def is_there():
    return BROKER and shutil.which("mosquitto_sub") and shutil.which("mosquitto_pub") and shutil.which("openssl")


def wait_until(what, why):
    end = time.monotonic() + LIMIT_S
    while not what():
        assert time.monotonic() < end, why() if callable(why) else why
        time.sleep(0.01)


class Broker:
    def __init__(self, folder, pki=None, lines=(), certificate="good", anonymous=True):
        self.folder, self.process = folder, None
        self.plain, self.tls = free_port(), free_port()
        text = ["user root" if os.getuid() == 0 else "", "log_type all", "per_listener_settings false", *lines,
                f"allow_anonymous {'true' if anonymous else 'false'}",
                f"listener {self.plain} 127.0.0.1"]
        if pki:
            text += [f"listener {self.tls} 127.0.0.1", f"cafile {pki}/ca.pem", f"certfile {pki}/{certificate}.pem",
                     f"keyfile {pki}/{certificate}.key"]
        self.config = os.path.join(folder, f"broker{self.plain}.conf")
        self.log = os.path.join(folder, f"broker{self.plain}.log")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("\n".join(text) + "\n")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop(kill=True)

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([BROKER, "-c", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def is_up():
            assert self.process.poll() is None, self.said()
            try:
                socket.create_connection(("127.0.0.1", self.plain), 1).close()
                return True
            except OSError:
                return False

        wait_until(is_up, self.said)

    def stop(self, kill=False):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self.process.wait(LIMIT_S)

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def publish(self, topic, lines, *more):
        """One message a line, each acknowledged before this returns."""
        subprocess.run(["mosquitto_pub", "-p", str(self.plain), "-V", "5", "-q", "1", "-t", topic, "-l", *more],
                       input="".join(line + "\n" for line in lines).encode(), timeout=LIMIT_S, check=True)


class Slowly:
    """proxy.py in front of a broker."""

    def __init__(self, port, *modes):
        self.process = subprocess.Popen([sys.executable, "-B", os.path.join(os.path.dirname(os.path.abspath(__file__)), "proxy.py"), str(port), *modes],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def modes(self, *modes):
        """Of connections to come."""
        print(*modes, file=self.process.stdin, flush=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Listener:
    """mosquitto_sub in a session that the broker keeps: it begins again when the broker is back."""

    def __init__(self, broker, topic, name="far-end"):
        self.broker, self.topic, self.name, self.process = broker, topic, name, None
        self.path = os.path.join(broker.folder, f"{name}.got")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        before = self.subscribed()
        with open(self.path, "ab") as out:
            self.process = subprocess.Popen(
                ["mosquitto_sub", "-p", str(self.broker.plain), "-V", "5", "-q", "1", "-i", self.name, "-c", "-x", "3600",
                 "-t", self.topic, "-F", "%t\t%P\t%p"], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.subscribed() > before, "nobody could subscribe")

    def subscribed(self):
        """How often it was."""
        return self.broker.said().count("Sending SUBACK to " + self.name)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(LIMIT_S)

    @property
    def lines(self):
        with open(self.path, encoding="utf-8") as f:
            return [tuple(line.split("\t", 2)) for line in f.read().split("\n")[:-1]]

    def wait_count(self, count, of=None):
        """Until so many different ids are there."""
        wait_until(lambda: len({ident(line) for line in self.lines}) >= count,
                   lambda: f"{len(self.lines)} of {count} messages came\n" + (of() if of else ""))


def ident(line):
    """The id that a message carries."""
    return next((word.split(":", 1)[1] for word in line[1].split(" ") if word.startswith("afferent-id:")), None)


def is_resent(line):
    return "afferent-resent:1" in line[1].split(" ")
