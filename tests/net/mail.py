"""mail.py - out_mail by the real command and a real mail server (exim4), which delivers to a folder.

What arrived is judged at the far end, by the Message-ID and the ids of records in each mail: nothing
may be lost, and a mail that came twice must be the same.
"""

import email
import email.policy
import glob
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../pipeline"))

import cases
import tls_servers

EXIM = shutil.which("exim4", path=os.environ.get("PATH", "") + ":/usr/sbin") or ""
CONFIG = """
primary_hostname = localhost
spool_directory = {folder}/spool
log_file_path = {folder}/spool/%slog
pid_file_path = {folder}/spool/pid
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
tls_advertise_hosts = *
tls_certificate = {folder}/{certificate}.pem
tls_privatekey = {folder}/{certificate}.key
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
acl_smtp_rcpt = rcpt
acl_smtp_data = data
never_users =
keep_environment =
smtp_accept_max_per_connection = 1000
begin acl
rcpt:
  require authenticated = *
  deny local_parts = gone
       message = 550 nobody of that name
  defer local_parts = full
       message = 452 the box is full
  accept
data:
  accept
begin routers
all:
  driver = accept
  transport = folder
begin transports
folder:
  driver = appendfile
  maildir_format
  directory = {folder}/mail
  create_directory
  envelope_to_add
  user = {user}
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{ward}}}}{{eq{{$auth3}}{{geheim}}}}}}}}
  server_set_id = $auth2
"""

PIPELINE = """
[pipeline]
name = "mail-check"
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

[sink.mail]
plugin = "out_mail"
from   = "alerts"
url    = "smtp://localhost:{port}"
ca     = "{ca}"
sender = "node7@example.org"
sender_name = "Station 3 Süd"
to     = [{to}]
user   = "ward"
password = "${{file:{password}}}"
mails_per_hour = 3600
{more}
"""
NAMES = ["severity", "state", "rule", "place", "text", "alert"]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def kept(*argv):
    """A server that ends with this process, however that ends; communicate() ends it sooner."""
    return subprocess.Popen([sys.executable, "-B", os.path.join(HERE, "keep.py"), *argv], stdin=subprocess.PIPE,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Exim:
    """A mail server in a folder of the bench."""

    def __init__(self, bench, certificate="good"):
        if not EXIM:
            raise cases.Skip("no exim4 (exim4-daemon-light)")
        self.folder, self.port = bench.path("exim"), free_port()
        os.chmod(bench.folder, 0o755)
        if not os.path.isdir(self.folder):
            for name in ("", "spool", "mail"):
                os.mkdir(os.path.join(self.folder, name))
            maker = tls_servers.Maker(self.folder)
            maker.root("ca")
            maker.issue("good", "ca")
            maker.issue("expired", "ca", start=tls_servers.PAST, end=tls_servers.LATELY)
        self.user = "Debian-exim" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        self.start(certificate)

    def start(self, certificate="good"):
        path = os.path.join(self.folder, "exim.conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(CONFIG.format(folder=self.folder, port=self.port, certificate=certificate, user=self.user))
        if os.getuid() == 0:
            for place, folders, names in os.walk(self.folder):
                for name in [place] + [os.path.join(place, n) for n in folders + names]:
                    shutil.chown(name, self.user, self.user)
            shutil.chown(path, "root", "root")
        self.process = kept(EXIM, "-C", path, "-bdf", "-q1h")
        end = time.monotonic() + cases.LIMIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    raise cases.Skip("exim4 does not start here") from None
                assert time.monotonic() < end, "exim4 does not answer"
                time.sleep(0.01)

    def stop(self):
        self.process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.stop()

    def begun(self):
        """When the latest mail was begun to be written down, half or whole."""
        found = [os.stat(p).st_mtime_ns for p in glob.glob(os.path.join(self.folder, "spool/input/*-D"))]
        return max(found, default=0)

    def count(self):
        """How many mails were delivered, without reading them."""
        return len(glob.glob(os.path.join(self.folder, "mail/new/*")))

    def mails(self):
        found = []
        for path in sorted(glob.glob(os.path.join(self.folder, "mail/new/*"))):
            with open(path, "rb") as f:
                found.append(email.message_from_binary_file(f, policy=email.policy.default))
        return found

    def wait(self, done):
        end = time.monotonic() + cases.LIMIT_S
        while not done(self.mails()):
            assert time.monotonic() < end, f"{len(self.mails())} mails came"
            time.sleep(0.05)
        return self.mails()


class Proxy:
    """proxy.py before a port."""

    def __init__(self, port, *modes):
        self.process = subprocess.Popen([sys.executable, "-B", os.path.join(HERE, "proxy.py"), str(port), *modes],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def alerts(bench, rows, name="alerts.csv"):
    lines = [",".join(NAMES)] + [",".join('"' + str(v).replace('"', '""') + '"' for v in row) for row in rows]
    return bench.write(name, "\n".join(lines) + "\n")


def pipeline(bench, exim, csv, port=0, to=("anna",), follow="false", more=""):
    columns = ", ".join(f'{{ name = "{n}", type = "text" }}' for n in NAMES)
    password = bench.write("password", "geheim")
    os.chmod(password, 0o600)
    return bench.write("mail.toml", PIPELINE.format(csv=csv, columns=columns, port=port or exim.port, password=password,
                                                    ca=os.path.join(exim.folder, "ca.pem"), follow=follow, more=more,
                                                    to=", ".join(f'"{t}@example.org"' for t in to)))


def ids_of(mail):
    return [i.strip() for i in mail["X-Afferent-Id"].split(",")]


def row(number, severity="high", text=None):
    return [severity, "raised", "hr-high", "bed 3", text or f"heart rate {100 + number}", f"{number:016x}"]


# ---- cases ----


def an_alert_arrives_whole_and_signed_for(bench):
    """By STARTTLS with a password; a reader of mails understands it."""
    hostile = "Bcc: evil@example.org\r\nX: ä €😀 =?UTF-8?B?SGE=?= " + "lang " * 30
    csv = alerts(bench, [row(1, text="Herzfrequenz über 131"), row(2, "low", ".\n..\r\nQUIT"), row(3, "medium", hostile)])
    with Exim(bench) as exim:
        out, err = bench.run("run", pipeline(bench, exim, csv, to=("anna", "otto"), more='batch_time = "200ms"\n'))
        mails = exim.wait(lambda m: len(m) == 2)
    cases.has(out + err, "balanced")
    assert sorted(m["Envelope-To"] for m in mails) == ["anna@example.org", "otto@example.org"]
    assert mails[0]["Message-ID"] == mails[1]["Message-ID"] and len(ids_of(mails[0])) == 3
    mail = mails[0]
    assert mail["Subject"] == "high bed 3: Herzfrequenz über 131 (raised) (and 2 more)", mail["Subject"]
    assert mail["From"] == "Station 3 Süd <node7@example.org>" and mail["To"] == "anna@example.org, otto@example.org"
    assert mail["Auto-Submitted"] == "auto-generated" and mail["Importance"] == "high" and not mail["Bcc"] and not mail["X"]
    assert not mail.defects, mail.defects
    assert mail.get_content_type() == "text/plain" and abs(mail["Date"].datetime.timestamp() - time.time()) < 120
    body = mail.get_content().splitlines()
    assert "bed 3: Herzfrequenz über 131" in body[0] and "bed 3: Bcc: evil@example.org X: ä €😀" in body[1], body
    assert body[2].endswith("bed 3: . .. QUIT [hr-high] raised"), body[2]
    assert "Not for clinical use" in "\n".join(body)


def each_address_is_judged_by_itself(bench):
    csv = alerts(bench, [row(1)])
    more = 'batch_time = "10ms"\nretry_for = "1s"\n'
    with Exim(bench) as exim:
        out, err = bench.run("run", pipeline(bench, exim, csv, to=("gone", "full", "anna"), more=more))
        assert [m["Envelope-To"] for m in exim.wait(len)] == ["anna@example.org"]
        cases.has(err, "balanced", "to[0] is refused by the mail server (550)", "could not take a mail in time")
        assert "example.org" not in err and "heart rate" not in err
        toml = pipeline(bench, exim, csv, to=("gone",), more=more)
        with open(toml, encoding="utf-8") as f:
            toml = bench.write("mail2.toml", f.read().replace("mail-check", "mail-check-2"))
        bench.run("run", toml)
        listed = bench.run("dlq", "ls", toml)[0]
    cases.has(listed, "refused", "SMTP 550")


def a_server_that_is_away_is_waited_for(bench):
    csv = alerts(bench, [row(1), row(2)])
    with Exim(bench) as exim:
        exim.stop()
        started = bench.start("run", pipeline(bench, exim, csv, more='batch_time = "10ms"\n'))
        started.wait_for("nothing answers at the server's address")
        exim.start("expired")  # it is back, and is not believed
        time.sleep(1)
        exim.stop()
        exim.start()
        assert started.end() == 0, started.said
        mails = exim.wait(len)
    assert sorted(i for m in mails for i in ids_of(m)) == sorted({i for m in mails for i in ids_of(m)}), "twice"
    assert sum(len(ids_of(m)) for m in mails) == 2
    assert "localhost" not in started.said and "geheim" not in started.said


def a_node_that_dies_in_the_middle_of_a_mail_sends_it_again(bench):
    """kill -9 in DATA and behind its end; at the far end each record is there, and what came twice is the same mail.

    exim4 does not keep a mail whose sender is gone before its answer, so a mail comes twice only where the node dies
    while the answer is on its way."""
    deaths, turns, each = 0, 4, 60
    more = 'batch_time = "50ms"\nbatch_records = 200\nbody = "' + "{text} " * 7 + '"\n'
    with Exim(bench) as exim, Proxy(exim.port) as proxy:
        for turn in range(turns):
            csv = alerts(bench, [row(turn * each + i, text=f"{turn * each + i} {'x' * 180}") for i in range(each)], f"{turn}.csv")
            toml = pipeline(bench, exim, csv, port=proxy.port, more=more)
            with open(toml, encoding="utf-8") as f:
                toml = bench.write("mail.toml", f.read().replace("mail-check", f"mail-check-{turn}"))
            exim.wait(lambda m, before=turn * each: len({i for one in m for i in ids_of(one)}) == before)
            in_data, taken, is_last = exim.begun(), exim.count(), turn + 1 == turns
            proxy.say("latency:250" if is_last else "slow:80000")
            started = bench.start("run", toml)
            end = time.monotonic() + cases.LIMIT_S
            while (exim.count() <= taken if is_last else exim.begun() <= in_data) and time.monotonic() < end:
                time.sleep(0.002)
            time.sleep(0 if is_last else 0.25 * turn)
            started.send(signal.SIGKILL)
            deaths += started.end() == -signal.SIGKILL
            proxy.say("pass")
            bench.run("run", toml)
        mails = exim.wait(lambda m: len({i for one in m for i in ids_of(one)}) == each * turns and len(m) > turns)
    twice, first = 0, {}
    for mail in mails:
        if mail["Message-ID"] in first:
            twice += 1
            assert mail.get_content() == first[mail["Message-ID"]], "the same Message-ID with other content"
        first[mail["Message-ID"]] = mail.get_content()
    texts = {int(n) for t in first.values() for n in re.findall(r"(?m)^(\d+) x", t)}
    print(f"    {deaths} deaths, {each * turns} alerts, {len(mails)} mails, {twice} came twice as the same", flush=True)
    assert texts == set(range(each * turns)), f"lost: {set(range(each * turns)) - texts}"
    assert deaths == turns and twice > 0


if __name__ == "__main__":
    cases.main(an_alert_arrives_whole_and_signed_for, each_address_is_judged_by_itself, a_server_that_is_away_is_waited_for,
               a_node_that_dies_in_the_middle_of_a_mail_sends_it_again)
