"""modemmanager_world.py - the real ModemManager on a bus of its own, with a scripted modem.

A private dbus-daemon, the real polkitd (which lets root do all) and the real daemon,
with its plugin "generic" alone so that it is quick. The daemon finds ports by kernel
events that it is told; what it then looks up in /sys/class/tty is a folder of ours,
mounted there in a mount namespace of its own: so it needs root, and nothing outside
of the test's folder is touched.
"""

import os
import shutil
import subprocess
import time

import cases
from cases import LIMIT_S, Skip
from modemmanager_modem import Modem

POLKITD = ["/usr/lib/polkit-1/polkitd", "/usr/libexec/polkit-1/polkitd", "/usr/libexec/polkitd"]
DAEMON = ["/usr/sbin/ModemManager", "/usr/libexec/ModemManager"]
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=PATH</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_destination="*" eavesdrop="true"/><allow receive_sender="*"/></policy></busconfig>
"""
SYSFS = "/sys/class/tty"


def program(name, places=()):
    found = next((p for p in places if os.access(p, os.X_OK)), None) or shutil.which(name)
    if not found:
        raise Skip(f"{name} is not installed")
    return found


def wait_until(what, holds, for_s=LIMIT_S):
    end = time.monotonic() + for_s
    while not holds():
        assert time.monotonic() < end, f"not within {for_s} s: {what}"
        time.sleep(0.02)


class World:
    """All of it; `bench` ends the processes."""

    def __init__(self, bench):
        self.bench, self.bus_process, self.daemon, self.polkit = bench, None, None, None
        self.programs = {n: program(n) for n in ("dbus-daemon", "unshare", "mount", "mmcli", "setpriv")}
        self.programs["polkitd"], self.programs["ModemManager"] = program("polkitd", POLKITD), program("ModemManager", DAEMON)
        if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False, stderr=subprocess.DEVNULL).returncode:
            raise Skip("ModemManager's view of /sys needs root and a mount namespace")
        os.chmod(bench.folder, 0o755)  # polkitd has a user of its own
        self.socket = bench.path("bus")
        bench.env["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={self.socket}"
        self.sys = bench.path("tty")
        self.modem = None

    def start(self, *args, **env):
        log = open(self.bench.path(os.path.basename(args[0]) + ".log"), "ab")
        process = subprocess.Popen(args, env={**self.bench.env, **env}, cwd=self.bench.folder, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log)
        log.close()
        self.bench.started.append(process)
        return process

    def stop(self, process):
        process.kill()
        process.wait(LIMIT_S)

    def start_bus(self):
        self.bench.write("bus.conf", BUS.replace("PATH", self.socket))
        # If this test is killed, so is the bus; who is on it ends then by itself.
        self.bus_process = self.start(self.programs["setpriv"], "--pdeathsig", "KILL", self.programs["dbus-daemon"], "--nofork", "--nopidfile",
                                      "--config-file=" + self.bench.path("bus.conf"))
        wait_until("the bus is there", lambda: os.path.exists(self.socket))
        self.polkit = self.start(self.programs["polkitd"], "--no-debug")

    def stop_bus(self):
        for process in (self.daemon, self.polkit, self.bus_process):
            self.stop(process)
        os.unlink(self.socket)

    def plugins(self):
        """A folder with the daemon's own plugin "generic", and no other."""
        folder = self.bench.path("plugins")
        if not os.path.isdir(folder):
            real = next((os.path.join(root, "libmm-plugin-generic.so") for root, _, files in os.walk("/usr/lib")
                         if "libmm-plugin-generic.so" in files), None)
            if not real:
                raise Skip("ModemManager's plugins are not installed")
            os.mkdir(folder)
            os.symlink(real, os.path.join(folder, os.path.basename(real)))
        return folder

    def add_ports(self):
        """What the kernel would show of a USB modem with two ports."""
        os.makedirs(self.sys, exist_ok=True)
        for name in os.listdir(self.sys):  # the folder itself is mounted
            shutil.rmtree(os.path.join(self.sys, name))
        for name in ("bus/usb", "bus/tty", "bus/option1", "pts"):
            os.makedirs(os.path.join(self.sys, name))
        usb = "usb1/1-1"
        self.link("bus/usb", f"{usb}/subsystem")
        self.file(f"{usb}/idVendor", "1234")
        self.file(f"{usb}/idProduct", "5678")
        for i, port in enumerate(self.modem.ports):
            face = f"{usb}/1-1:1.{i}"
            self.link("bus/usb", f"{face}/subsystem")
            self.link("bus/option1", f"{face}/driver")
            for name, value in (("Class", "ff"), ("SubClass", "ff"), ("Protocol", "ff"), ("Number", f"{i:02x}")):
                self.file(f"{face}/bInterface{name}", value)
            self.link("bus/tty", f"{face}/tty/port/subsystem")
            self.link(f"{face}/tty/port", port.name)

    def link(self, to, name):
        os.makedirs(os.path.join(self.sys, os.path.dirname(name)), exist_ok=True)
        os.symlink(os.path.join(SYSFS, to), os.path.join(self.sys, name))

    def file(self, name, value):
        os.makedirs(os.path.join(self.sys, os.path.dirname(name)), exist_ok=True)
        with open(os.path.join(self.sys, name), "w", encoding="ascii") as file:
            file.write(value + "\n")

    def events(self, action):
        return [f"action={action},subsystem=tty,name={port.name}" for port in self.modem.ports]

    def start_daemon(self):
        if self.modem is None:
            self.modem = Modem()
            self.bench.started.append(Ports(self.modem))
            self.add_ports()
        self.bench.write("events", "\n".join(self.events("add")) + "\n")
        flags = ["--debug", "--test-no-udev", "--test-no-suspend-resume", "--test-no-qrtr", "--no-auto-scan",
                 "--test-plugin-dir=" + self.plugins(), "--initial-kernel-events=" + self.bench.path("events")]
        self.daemon = self.start(self.programs["unshare"], "-m", "sh", "-c",
                                 f'mount --bind "{self.sys}" {SYSFS} && exec "$@"', "sh", self.programs["ModemManager"], *flags)

    def restart_daemon(self):
        self.stop(self.daemon)
        self.start_daemon()

    def unplug(self):
        events = self.events("remove")
        self.modem.unplug()
        self.tell(events)

    def plug(self):
        self.modem.plug()
        self.add_ports()
        self.tell(self.events("add"))

    def tell(self, events):
        for event in events:
            subprocess.run([self.programs["mmcli"], "--report-kernel-event=" + event], env=self.bench.env, check=True,
                           stdout=subprocess.DEVNULL, timeout=LIMIT_S)


class Ports:
    """Ends the scripted modem as the bench ends processes."""

    def __init__(self, modem):
        self.modem = modem

    def poll(self):
        return None

    def kill(self):
        if self.modem.ports:
            self.modem.unplug()

    def wait(self):
        return 0


class Talk:
    """mm_talk, which speaks mm.h by lines; see plugins/in_modem/mm_talk.c."""

    def __init__(self, world, *args):
        build = os.environ.get("AFFERENT_BUILDDIR", os.path.join(cases.SOURCE, "build"))
        path = os.environ.get("MM_TALK", os.path.join(build, "plugins/mm_talk"))
        if not os.access(path, os.X_OK):
            raise Skip("in_modem is built without libmm-glib")
        self.process = subprocess.Popen([path, "poll=1", *args], env=world.bench.env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=open(world.bench.path("talk.log"), "ab"))
        world.bench.started.append(self.process)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.world, self.rest, self.heard, self.state, self.asked = world, b"", [], {}, 0

    def listen(self):
        try:
            some = os.read(self.process.stdout.fileno(), 65536)
        except BlockingIOError:
            some = None
        assert some != b"", self.died()
        *lines, self.rest = (self.rest + (some or b"")).split(b"\n")
        for line in lines:
            kind, *pairs = line.decode().split(" ")
            values = dict(p.split("=", 1) for p in pairs)
            for name in ("words", "number", "text", "trouble", "maker", "model", "firmware", "imei", "imsi", "iccid",
                         "operator", "port", "interface"):
                if name in values:
                    values[name] = bytes.fromhex(values[name]).decode()
            if kind == "state":
                self.state = values
            elif kind != "asked":
                self.heard.append({"kind": kind, **values})

    def died(self):
        with open(self.world.bench.path("talk.log"), encoding="utf-8") as file:
            return f"mm_talk ended with {self.process.wait()}:\n{file.read()}"

    def wait_state(self, **values):
        def holds():
            self.listen()
            return all(self.state.get(k) == str(v) for k, v in values.items())
        try:
            wait_until(f"state with {values}", holds)
        except AssertionError as why:
            raise AssertionError(f"{why}, but {self.state}") from None

    def next(self, kind, for_s=LIMIT_S):
        """The oldest event of this kind that was not taken yet."""
        found = []

        def holds():
            self.listen()
            found.extend([e for e in self.heard if e["kind"] == kind][:1])
            return bool(found)
        try:
            wait_until(f"an event {kind}", holds, for_s)
        except AssertionError as why:
            raise AssertionError(f"{why}, but {self.heard} and {self.state}") from None
        self.heard.remove(found[0])
        return found[0]

    def none(self, kind, for_s):
        end = time.monotonic() + for_s
        while time.monotonic() < end:
            self.listen()
            assert not [e for e in self.heard if e["kind"] == kind], self.heard
            time.sleep(0.05)

    def ask(self, verb, *words):
        self.asked += 1
        self.process.stdin.write(" ".join([verb, str(self.asked), *map(str, words)]).encode() + b"\n")
        self.process.stdin.flush()
        return str(self.asked)

    def forget(self, key):
        self.process.stdin.write(f"forget {key}\n".encode())
        self.process.stdin.flush()

    def reply(self, verb, *words):
        """Asks, and gives the reply to it."""
        number = self.ask(verb, *words)
        reply = self.next("reply")
        assert reply["id"] == number, reply
        return reply

    def end(self):
        """Closes it; how long that took."""
        begin = time.monotonic()
        self.process.stdin.close()
        code = self.process.wait(LIMIT_S)
        assert code == 0, self.died()
        return time.monotonic() - begin
