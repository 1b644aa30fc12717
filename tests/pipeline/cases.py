"""cases.py - what the end-to-end tests share: the program, a folder, the verdicts.

Each case is a function; its name is the sentence it proves. A case gets a `Bench`:
a fresh folder, and ways to start the program there. Verdicts are printed the way
cmocka does, so that one summary reads all tests.
"""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

SOURCE = os.environ.get("AFFERENT_SRCDIR", os.path.join(os.path.dirname(__file__), "../.."))
PROGRAM = os.environ.get("AFFERENT", "afferent")
PIPELINES = os.path.join(SOURCE, "pipelines")
ECG = os.path.join(PIPELINES, "ecg.toml")
LIMIT_S = 60
# Left out where their libraries are not there.
OPTIONAL = {"in_http", "in_mqtt", "op_json", "op_score", "out_http", "out_mail", "out_mqtt", "out_s3", "out_syslog"}


class Skip(Exception):
    """Raised with the reason."""


def data(topic):
    """The folder of shared test data about a topic."""
    folder = os.path.join(os.environ.get("AFFERENT_DATA", os.path.join(SOURCE, "../shared/data")), topic)
    if not os.path.isdir(folder):
        raise Skip(f"no {topic} in AFFERENT_DATA")
    return folder


def has(text, *parts):
    for part in parts:
        assert part in text, f"{part!r} is not in:\n{text}"


def shipped(bench, inside=""):
    """Names of the shipped pipelines of a folder, with "" of all; without those of which this build has no plugin."""
    here = set(re.findall(r"^\w+ +(\w+) ", bench.run("plugin", "list")[0], re.MULTILINE))
    names = []
    for folder, _, files in sorted(os.walk(PIPELINES)):
        if inside and not os.path.samefile(folder, inside):
            continue
        for name in sorted(f for f in files if f.endswith(".toml")):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                missing = set(re.findall(r'^plugin\s*=\s*"(\w+)"', f.read(), re.MULTILINE)) - here
            if missing and missing <= OPTIONAL:
                print(f"SKIP {name}: this build has no {', '.join(sorted(missing))}")
            else:
                names.append(os.path.relpath(os.path.join(folder, name), PIPELINES))
    assert len(names) >= 3
    return names


class Started:
    """A program that runs; what it says on stderr is read while it does."""

    def __init__(self, process, fd):
        self.process, self.fd, self.said = process, fd, ""

    def wait_for(self, part):
        """Reads until `part` was said."""
        end = time.monotonic() + LIMIT_S
        while part not in self.said:
            assert self._read(end), f"{part!r} was not said, but:\n{self.said}"

    def _read(self, end):
        if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
            return False
        try:
            some = os.read(self.fd, 65536)
        except OSError:  # a terminal whose other side is gone
            some = b""
        self.said += some.decode("utf-8", "replace")
        return bool(some)

    def send(self, *signals):
        for number in signals:
            self.process.send_signal(number)

    def type(self, text):
        os.write(self.fd, text)

    def end(self):
        """The exit code, once it has ended; everything it said is in `said`."""
        end = time.monotonic() + LIMIT_S
        while self._read(end):
            pass
        code = self.process.wait(LIMIT_S)
        os.close(self.fd)
        return code


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.env = dict(os.environ, AFFERENT_ARCHIVE=self.path("archive.lmdb"), TZ="UTC",
                        STATE_DIRECTORY=self.path("state"), RUNTIME_DIRECTORY=self.path("sockets"))
        self.env["AFFERENT_PIPELINES"] = PIPELINES
        self.env["AFFERENT_KEY"] = self.write("test.key", f"afferent-key 1 {bytes(range(32)).hex()}\n")
        os.chmod(self.env["AFFERENT_KEY"], 0o600)
        self.started = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def run(self, *args, code=0, stdout=subprocess.PIPE):
        """Runs to the end; the code must be as said. Gives stdout and stderr."""
        done = subprocess.run([PROGRAM, *args], env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=stdout, stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
        out, err = (done.stdout or b"").decode(), done.stderr.decode()
        assert done.returncode == code, f"exit {done.returncode}, not {code}:\n{out}{err}"
        return out, err

    def start(self, *args):
        """Starts it with stderr on a pipe."""
        process = subprocess.Popen([PROGRAM, *args], env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return self._keep(process, os.dup(process.stderr.fileno()))

    def start_on_terminal(self, *args):
        try:
            ours, theirs = pty.openpty()
        except OSError:
            raise Skip("no terminal can be made here (/dev/pts)") from None

        def claim():
            os.setsid()
            import fcntl
            import termios
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

        process = subprocess.Popen([PROGRAM, *args], env=self.env, cwd=self.folder, stdin=theirs, stdout=theirs,
                                   stderr=theirs, preexec_fn=claim)
        os.close(theirs)
        return self._keep(process, ours)

    def _keep(self, process, fd):
        started = Started(process, fd)
        self.started.append(process)
        return started

    def close(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def judge(case):
    """Runs one case; 0, or 1 when it failed."""
    name = case.__name__
    print(f"[ RUN      ] {name}", flush=True)
    bench = Bench(tempfile.mkdtemp(prefix="afferent-test-"))
    try:
        case(bench)
        print(f"[       OK ] {name}")
        return 0
    except Skip as why:
        print(f"SKIP {name}: {why}\n[  SKIPPED ] {name}")
        return 0
    except Exception:
        traceback.print_exc(file=sys.stdout)
        print(f"[  FAILED  ] {name}")
        return 1
    finally:
        bench.close()


def main(*cases):
    # A script may have been started with these ignored; the program is not.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    wanted = sys.argv[1:]
    failed = sum(judge(c) for c in cases if not wanted or c.__name__ in wanted)
    sys.exit(1 if failed else 0)
