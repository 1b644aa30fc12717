"""syslog.py - out_syslog by the real command and a real daemon (rsyslogd), which writes what it got as JSON.

By the daemon's socket, UDP, TCP and TLS; and a daemon that begins anew while messages come.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../pipeline"))

import cases
import mail
import tls_servers

RSYSLOGD = shutil.which("rsyslogd", path=os.environ.get("PATH", "") + ":/usr/sbin") or ""
CONFIG = """
global(workDirectory="{folder}" defaultNetstreamDriverCAFile="{folder}/ca.pem"
       defaultNetstreamDriverCertFile="{folder}/{certificate}.pem" defaultNetstreamDriverKeyFile="{folder}/{certificate}.key")
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
module(load="imtcp")
input(type="imuxsock" Socket="{folder}/log")
input(type="imudp" address="127.0.0.1" port="{udp}")
input(type="imtcp" address="127.0.0.1" port="{tcp}")
{tls_input}
template(name="all" type="list" option.jsonf="on") {{
  property(outname="facility" name="syslogfacility-text" format="jsonf")
  property(outname="severity" name="syslogseverity-text" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
  property(outname="msg" name="msg" format="jsonf")
}}
action(type="omfile" file="{folder}/out" template="all" flushOnTXEnd="on" asyncWriting="off")
"""
TLS_INPUT = 'input(type="imtcp" address="127.0.0.1" port="{tls}" streamDriver.name="gtls" streamDriver.mode="1" ' \
            'streamDriver.authMode="anon")'

PIPELINE = """
[pipeline]
name = "syslog-check-{name}"
memory_limit = "64MiB"
commit_every = "20ms"

[source.told]
plugin = "in_file"
path   = "{csv}"
follow = {follow}

[processor.alerts]
plugin  = "op_csv"
from    = "told"
columns = [{columns}]
run     = {{ clears = ["subject", "times", "names"] }}

[sink.log]
plugin = "out_syslog"
from   = "alerts"
url    = "{url}"
hostname = "node7"
{more}
"""


class Daemon:
    """rsyslogd in a folder of the bench."""

    def __init__(self, bench, certificate="good"):
        if not RSYSLOGD:
            raise cases.Skip("no rsyslogd (rsyslog)")
        self.folder = bench.path("rsyslog")
        os.mkdir(self.folder)
        maker = tls_servers.Maker(self.folder)
        maker.root("ca")
        maker.issue("good", "ca")
        maker.issue("expired", "ca", start=tls_servers.PAST, end=tls_servers.LATELY)
        maker.issue("wrong_host", "ca", "elsewhere")
        self.certificate = certificate
        self.ports = {"udp": mail.free_port(), "tcp": mail.free_port(), "tls": mail.free_port()}
        self.has_tls = bool(subprocess.run("ls /usr/lib/*/rsyslog/lmnsd_gtls.so /usr/lib/rsyslog/lmnsd_gtls.so", shell=True,
                                           capture_output=True, check=False).stdout)
        self.start()

    def start(self):
        path = os.path.join(self.folder, "rsyslog.conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(CONFIG.format(folder=self.folder, certificate=self.certificate, **self.ports,
                                  tls_input=TLS_INPUT.format(**self.ports) if self.has_tls else ""))
        self.process = mail.kept(RSYSLOGD, "-n", "-f", path, "-i", os.path.join(self.folder, "pid"))
        end = time.monotonic() + cases.LIMIT_S
        while not self.listens():
            assert self.process.poll() is None and time.monotonic() < end, "rsyslogd does not start"
            time.sleep(0.01)

    def listens(self):
        with open("/proc/net/tcp", encoding="ascii") as f:
            is_up = f":{self.ports['tcp']:04X} 00000000:0000 0A" in f.read()
        return is_up and os.path.exists(os.path.join(self.folder, "log"))

    def stop(self):
        self.process.communicate()
        if os.path.exists(os.path.join(self.folder, "log")):
            os.unlink(os.path.join(self.folder, "log"))

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.stop()

    def url(self, way):
        return f"unix://{self.folder}/log" if way == "unix" else f"{way}://localhost:{self.ports[way]}"

    def got(self):
        try:
            with open(os.path.join(self.folder, "out"), encoding="utf-8") as f:
                return [one for one in map(json.loads, f) if "afferent" in one["app"]]
        except FileNotFoundError:
            return []

    def wait(self, done):
        end = time.monotonic() + cases.LIMIT_S
        while not done(self.got()):
            assert time.monotonic() < end, f"{len(self.got())} messages came"
            time.sleep(0.02)
        return self.got()


def pipeline(bench, daemon, way, csv, follow="false", more=""):
    columns = ", ".join(f'{{ name = "{n}", type = "text" }}' for n in mail.NAMES)
    if way == "tls":
        more += f'ca = "{daemon.folder}/ca.pem"\n'
    return bench.write(f"{way}.toml", PIPELINE.format(name=way, csv=csv, columns=columns, url=daemon.url(way), follow=follow, more=more))


def parameters(data):
    """The values of structured data, by name, as RFC 5424 says that they are read."""
    return {n: re.sub(r'\\(["\\\]])', r"\1", v) for n, v in re.findall(r'([^ =\[\]"]+)="((?:\\.|[^"\\\]])*)"', data)}


def each_way_reaches_a_real_daemon(bench):
    hostile = 'a"b]c\\d = [x@1 y="z"] ä€ end'
    rows = [mail.row(1, text=hostile), mail.row(2, "low")]
    rows[1][1] = "ended"
    csv = mail.alerts(bench, rows)
    with Daemon(bench) as daemon:
        for way in ["unix", "udp", "tcp"] + ["tls"] * daemon.has_tls:
            before = len(daemon.got())
            out, err = bench.run("run", pipeline(bench, daemon, way, csv))
            cases.has(out + err, "balanced")
            first, second = daemon.wait(lambda g: len(g) >= before + 2)[before:]
            assert (first["facility"], first["severity"], second["severity"]) == ("local0", "alert", "notice"), first
            assert first["app"] == "afferent" and first["msg"].endswith(f"high bed 3: {hostile} [hr-high] raised (not for clinical use)"), first
            if way == "unix":
                continue
            said = parameters(first["data"])
            assert said["text"] == hostile and said["severity"] == "high" and said["alert"] == f"{1:016x}", said
            assert (first["host"], first["msgid"]) == ("node7", "alert") and first["data"].count("[") >= 2
        if not daemon.has_tls:
            print("SKIP TLS: no rsyslog-gnutls")


def a_collector_that_does_not_prove_who_it_is_gets_nothing(bench):
    csv = mail.alerts(bench, [mail.row(1)])
    for i, certificate in enumerate(("expired", "wrong_host")):
        with Daemon(bench, certificate) as daemon:
            if not daemon.has_tls:
                raise cases.Skip("no rsyslog-gnutls")
            started = bench.start("run", pipeline(bench, daemon, "tls", csv))
            started.wait_for("does not prove who it is")
            started.send(signal.SIGKILL)
            started.end()
            assert daemon.got() == [] and "heart rate" not in started.said
            assert "localhost" not in started.said
        shutil.rmtree(daemon.folder)


def a_daemon_that_begins_anew_gets_what_comes(bench):
    """While it is away nothing is lost; what was in its own hands when it ended is its own affair, and is printed."""
    csv, count = mail.alerts(bench, [mail.row(i) for i in range(100)]), 100
    with Daemon(bench) as daemon:
        for way in ("unix", "tcp"):
            before = len(daemon.got())
            started = bench.start("run", pipeline(bench, daemon, way, csv, follow="true"))
            daemon.wait(lambda g: len(g) >= before + count)
            daemon.stop()
            with open(csv, "a", encoding="utf-8") as f:
                f.writelines(",".join(mail.row(count + i)) + "\n" for i in range(200))
            count += 200
            started.wait_for("trying again")
            daemon.start()
            got = daemon.wait(lambda g: len({one["msg"] for one in g[before:]}) >= count)[before:]
            started.send(signal.SIGTERM)
            assert started.end() == 0, started.said
            print(f"    {way}: {count} alerts, {len(got)} messages, lost 0", flush=True)


cases.main(each_way_reaches_a_real_daemon, a_collector_that_does_not_prove_who_it_is_gets_nothing,
           a_daemon_that_begins_anew_gets_what_comes)
