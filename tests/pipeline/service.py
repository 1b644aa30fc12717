"""service.py - a run under a service manager, and `afferent serve`, the service itself.

What systemd would hear is heard by a socket of this test; its unit is judged by
systemd-analyze, which needs no running systemd. A plugin that hangs is built here.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time

import cases
from cases import SOURCE, Skip, has

LIVE = """[pipeline]
name = "NAME"
store_limit = "64MiB"

[source.patient]
plugin = "in_synth"
pace = "realtime"

[sink.out]
plugin = "out_null"
from = "patient"
"""
FILE = """[pipeline]
name = "file"
store_limit = "64MiB"

[source.file]
plugin = "in_file"
path = "PATH"

[sink.out]
plugin = "out_null"
from = "file"
"""
HANG = LIVE.replace("NAME", "hang").replace('"out_null"', '"out_hang"\npath = "PATH"\nrun = { isolation = "thread" }')
WATCHDOG_S = 8
UNIT = os.path.join(SOURCE, "init/afferent.service")


class Manager:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, bench, watchdog_s=0, abstract=False):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"\0afferent-test-{os.getpid()}-{time.monotonic_ns()}" if abstract else bench.path("notify")
        self.socket.bind(name)
        bench.env["NOTIFY_SOCKET"] = name.replace("\0", "@")
        if watchdog_s:
            bench.env["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))
        self.heard = []
        self.rest = []  # heard in one moment with what was waited for, behind it

    def listen(self, for_s):
        """Everything that is said in this time, or was and nobody looked at it."""
        end, heard = time.monotonic() + for_s, []
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                heard += self.socket.recv(4096).decode().split("\n")
            except TimeoutError:
                break
        self.heard += heard
        rest, self.rest = self.rest, []
        return rest + heard

    def wait_for(self, word):
        """Until it was said; what came before. What is said in the same moment, behind it, is for the next."""
        before, end = [], time.monotonic() + cases.LIMIT_S
        while time.monotonic() < end:
            lines = self.listen(0.05)
            for at, line in enumerate(lines):
                if word in line:
                    self.rest = lines[at + 1:]
                    return before + lines[:at]
            before += lines
        raise AssertionError(f"{word} was not said, but: {before}")

    def silence(self, word):
        """The longest time of the next that `word` is not said in: until it stops."""
        end = time.monotonic() + cases.LIMIT_S
        while time.monotonic() < end:
            if not any(word in line for line in self.listen(WATCHDOG_S * 1.5)):
                return
        raise AssertionError(f"{word} does not stop")


def folder(bench, **files):
    os.makedirs(bench.path("p"), exist_ok=True)
    for name, text in files.items():
        bench.write(f"p/{name}.toml", text.replace("NAME", name))
    return bench.path("p")


def pipelines(started):
    """File name -> process, of what a service runs."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
            with open(f"/proc/{pid}/cmdline", encoding="utf-8") as f:
                words = f.read().split("\0")
        except (OSError, IndexError):
            continue
        if parent == started.process.pid and words[1:2] == ["run"]:
            found[os.path.basename(words[2])] = int(pid)
    return found


def wait_until(what, question):
    end = time.monotonic() + cases.LIMIT_S
    while not (answer := question()):
        assert time.monotonic() < end, f"not so: {what}"
        time.sleep(0.05)
    return answer


def hanging(bench):
    """The folder of the plugin that hangs while `stuck` exists."""
    target = bench.path("plugins/out_hang.so")
    os.makedirs(os.path.dirname(target))
    with open(cases.PROGRAM, "rb") as f:
        sanitized = b"__asan_init" in (data := f.read()) or b"__tsan_init" in data
    done = subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-I", os.path.join(SOURCE, "sdk/include"),
                           "-o", target, os.path.join(SOURCE, "tests/pipeline/hang.c")], check=False,
                          capture_output=True) if shutil.which(os.environ.get("CC", "cc").split()[0]) else None
    if done is None or (done.returncode != 0 and sanitized):
        raise Skip("no C compiler here")
    assert done.returncode == 0, done.stderr.decode()
    return os.path.dirname(target), HANG.replace("PATH", bench.path("stuck"))


# ---- a run that is watched ----

def ready_is_said_when_the_missing_input_is_there_and_not_before(bench):
    manager = Manager(bench)
    started = bench.start("run", bench.write("file.toml", FILE.replace("PATH", bench.path("input"))))
    started.wait_for("waiting for it")
    heard = manager.listen(1)
    assert not any("READY" in line for line in heard), heard
    assert any(line.startswith("STATUS=[file]") for line in heard), heard
    bench.write("input", "a\nb\n")
    manager.wait_for("READY=1")
    manager.wait_for("STOPPING=1")
    assert started.end() == 0, started.said
    assert manager.heard.index("READY=1") < manager.heard.index("STOPPING=1")


def an_abstract_socket_is_spoken_to_as_well(bench):
    manager = Manager(bench, abstract=True)
    started = bench.start("run", bench.write("live.toml", LIVE.replace("NAME", "live")))
    manager.wait_for("READY=1")
    started.send(signal.SIGTERM)
    manager.wait_for("STOPPING=1")
    assert started.end() == 0, started.said


def the_environment_of_the_manager_may_be_nonsense(bench):
    pipeline = bench.write("file.toml", FILE.replace("PATH", bench.write("input", "a\n")))
    for socket_name in ("", "@", "relative", "/nowhere/notify", "/" + "x" * 200, "vsock:2:1"):
        bench.env.update(NOTIFY_SOCKET=socket_name, WATCHDOG_USEC="99999999999999999999", WATCHDOG_PID="x",
                         AFFERENT_NOTIFY_FD="1")
        bench.run("run", pipeline, "--quiet", "--fresh")


def the_watchdog_is_fed_while_all_lanes_come_round_and_no_longer(bench):
    plugins, text = hanging(bench)
    manager = Manager(bench, WATCHDOG_S)
    started = bench.start("run", bench.write("hang.toml", text), "--plugin-dir", plugins)
    manager.wait_for("READY=1")
    assert manager.listen(WATCHDOG_S).count("WATCHDOG=1") >= 2, "it is fed too seldom"
    bench.write("stuck", "")
    manager.silence("WATCHDOG=1")
    started.wait_for("a call of a plugin has not returned for 4 s, one of: patient, out")
    os.unlink(bench.path("stuck"))
    manager.wait_for("WATCHDOG=1")
    started.send(signal.SIGTERM)
    manager.wait_for("STOPPING=1")
    assert started.end() == 0, started.said


def a_watchdog_of_another_process_is_not_ours(bench):
    manager = Manager(bench, WATCHDOG_S)
    bench.env["WATCHDOG_PID"] = "1"
    started = bench.start("run", bench.write("live.toml", LIVE.replace("NAME", "live")))
    manager.wait_for("READY=1")
    assert "WATCHDOG=1" not in manager.listen(WATCHDOG_S)
    started.send(signal.SIGTERM)
    assert started.end() == 0


# ---- the service ----

def one_that_is_wrong_or_killed_stops_no_other(bench):
    manager = Manager(bench)
    started = bench.start("serve", folder(bench, one=LIVE, two=LIVE, bad="x = "))
    manager.wait_for("READY=1")
    before = pipelines(started)
    assert sorted(before) == ["one.toml", "two.toml"], before
    started.wait_for("bad.toml: was refused")
    os.kill(before["two.toml"], signal.SIGKILL)
    started.wait_for("two.toml: it was ended by signal 9; it starts again in 1 s")
    started.wait_for("two: going on where the last run stopped")
    after = wait_until("it is started again", lambda: (now := pipelines(started)).get("two.toml") and now)
    assert after["one.toml"] == before["one.toml"] and after["two.toml"] != before["two.toml"]
    bench.write("p/bad.toml", LIVE.replace("NAME", "mended"))
    wait_until("what was mended runs", lambda: "bad.toml" in pipelines(started))
    started.send(signal.SIGTERM)
    manager.wait_for("STOPPING=1")
    assert started.end() == 0, started.said
    assert any("2 running, 1 refused" in line or "1 refused" in line for line in manager.heard), manager.heard


def ready_waits_for_the_source_of_each_pipeline(bench):
    manager = Manager(bench)
    started = bench.start("serve", folder(bench, one=LIVE, late=FILE.replace("PATH", bench.path("input"))))
    started.wait_for("one.toml: runs, every source is open")
    started.wait_for("waiting for it")
    assert "READY=1" not in manager.listen(1)
    bench.write("input", "a\n")
    manager.wait_for("READY=1")
    started.wait_for("late.toml: all its sources have ended")
    assert sorted(pipelines(started)) == ["one.toml"]
    started.send(signal.SIGTERM)
    assert started.end() == 0


def a_pipeline_that_hangs_is_started_again_and_the_others_go_on(bench):
    plugins, text = hanging(bench)
    manager = Manager(bench, WATCHDOG_S)
    started = bench.start("serve", folder(bench, one=LIVE, hang=text), "--plugin-dir", plugins)
    manager.wait_for("READY=1")
    before = pipelines(started)
    bench.write("stuck", "")
    started.wait_for("hang.toml: it hung, and was ended; it starts again")
    os.unlink(bench.path("stuck"))
    started.wait_for("hang: going on where the last run stopped")
    manager.wait_for("WATCHDOG=1")
    assert pipelines(started)["one.toml"] == before["one.toml"]
    started.send(signal.SIGTERM)
    assert started.end() == 0, started.said


def a_hang_up_adds_changes_and_removes(bench):
    manager = Manager(bench)
    started = bench.start("serve", folder(bench, kept=LIVE, changed=LIVE, removed=LIVE))
    manager.wait_for("READY=1")
    before = pipelines(started)
    os.unlink(bench.path("p/removed.toml"))
    folder(bench, added=LIVE, changed=LIVE + "# changed\n")
    started.send(signal.SIGHUP)
    heard = manager.wait_for("READY=1")
    assert "RELOADING=1" in heard and any(re.fullmatch(r"MONOTONIC_USEC=\d+", line) for line in heard), heard
    wait_until("three run", lambda: sorted(pipelines(started)) == ["added.toml", "changed.toml", "kept.toml"])
    assert pipelines(started)["kept.toml"] == before["kept.toml"]
    assert pipelines(started)["changed.toml"] == before["changed.toml"], "it was not reloaded, but started again"
    started.wait_for("changed.toml: its file has changed")
    started.wait_for("removed.toml: its file is gone")
    started.send(signal.SIGTERM)
    assert started.end() == 0, started.said


def a_second_service_is_refused(bench):
    manager = Manager(bench)
    path = folder(bench, one=LIVE)
    started = bench.start("serve", path)
    manager.wait_for("READY=1")
    has(bench.run("serve", path, code=2)[1], "another service", str(started.process.pid), "RUNTIME_DIRECTORY")
    started.send(signal.SIGTERM)
    assert started.end() == 0
    started = bench.start("serve", path)
    manager.wait_for("READY=1")
    started.send(signal.SIGTERM)
    assert started.end() == 0


def pipelines_die_with_a_service_that_is_killed_and_the_next_one_goes_on(bench):
    manager = Manager(bench)
    path = folder(bench, one=LIVE)
    started = bench.start("serve", path)
    manager.wait_for("READY=1")
    (pid,) = pipelines(started).values()
    started.send(signal.SIGKILL)
    started.end()
    wait_until("its pipeline is dead", lambda: not os.path.exists(f"/proc/{pid}"))
    started = bench.start("serve", path)
    started.wait_for("one: going on where the last run stopped")
    started.send(signal.SIGTERM)
    assert started.end() == 0


def a_service_of_which_nothing_can_run_says_so_and_ends(bench):
    has(bench.run("serve", folder(bench, bad="x = "), code=2)[1], "every pipeline was refused")
    has(bench.run("serve", bench.path("nowhere"), code=2)[1], "nowhere", "cannot be read")


def all_files_are_checked_at_once(bench):
    path = folder(bench, one=LIVE, two=LIVE)
    has(bench.run("serve", "--check", path)[0], "ok: ", "one.toml: 2 nodes, 1 edges", "two.toml")
    bench.write("p/.hidden.toml", "x = ")
    bench.run("serve", "--check", path)
    folder(bench, twice=LIVE.replace("NAME", "one"))
    has(bench.run("serve", "--check", path, code=2)[0], "twice.toml: error:", "the same name")
    folder(bench, twice="x = ")
    has(bench.run("serve", "--check", path, code=2)[0], "twice.toml:1:", "ok: ")
    assert not os.path.exists(bench.path("state/one")), "a check has made something"


# ---- the unit ----

def analyze(bench, *args):
    if not shutil.which("systemd-analyze"):
        raise Skip("no systemd-analyze here")
    return subprocess.run(["systemd-analyze", *args], cwd=bench.folder, capture_output=True, text=True,
                          timeout=cases.LIMIT_S, check=False)


def the_unit_is_right(bench):
    with open(UNIT, encoding="utf-8") as f:
        bench.write("afferent.service", f.read().replace("/usr/bin/afferent", os.path.realpath(cases.PROGRAM)))
    done = analyze(bench, "verify", bench.path("afferent.service"))
    assert done.returncode == 0 and done.stdout + done.stderr == "", done.stdout + done.stderr


def the_unit_exposes_little(bench):
    done = analyze(bench, "security", "--offline=true", "--no-pager", UNIT)
    level = re.search(r"exposure level for afferent.service: ([0-9.]+)", done.stdout)
    assert level, done.stdout + done.stderr
    print(f"exposure {level.group(1)}")
    assert float(level.group(1)) <= 1.5, done.stdout


if __name__ == "__main__":
    cases.main(
        ready_is_said_when_the_missing_input_is_there_and_not_before,
        an_abstract_socket_is_spoken_to_as_well,
        the_environment_of_the_manager_may_be_nonsense,
        the_watchdog_is_fed_while_all_lanes_come_round_and_no_longer,
        a_watchdog_of_another_process_is_not_ours,
        one_that_is_wrong_or_killed_stops_no_other,
        ready_waits_for_the_source_of_each_pipeline,
        a_pipeline_that_hangs_is_started_again_and_the_others_go_on,
        a_hang_up_adds_changes_and_removes,
        a_second_service_is_refused,
        pipelines_die_with_a_service_that_is_killed_and_the_next_one_goes_on,
        a_service_of_which_nothing_can_run_says_so_and_ends,
        all_files_are_checked_at_once,
        the_unit_is_right,
        the_unit_exposes_little,
    )
