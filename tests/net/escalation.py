"""escalation.py - the shipped pipeline alerts.toml: who is told of an alarm, when, and what ends it.

The far ends say so: a scripted modem on a pty (its own record of what was sent), an HTTP server's
log, a mail server's. Times of the steps are made short from outside; nothing else is changed.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../pipeline"))
sys.path.insert(0, os.path.join(HERE, "../devices"))

import cases
import modem

ALERTS = os.path.join(cases.PIPELINES, "alerts.toml")
KEPT = {}  # the mail server: its certificates cost seconds
PEOPLE = {"393491110001": "nurse", "393491110002": "doctor", "393491110003": "on-call", "393491110004": "doctor"}
GSM = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§" \
      "¿abcdefghijklmnopqrstuvwxyzäöñüà"


class Peer:
    """A server of this folder, which ends with its stdin."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([sys.executable, "-B", os.path.join(HERE, arguments[0]), *arguments[1:]],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])


class Mails:
    """What the mail server has taken since."""

    def __init__(self):
        if not KEPT:
            KEPT["folder"] = tempfile.TemporaryDirectory(prefix="afferent-mails-")
            KEPT["log"] = os.path.join(KEPT["folder"].name, "log")
            KEPT["server"] = Peer("smtp_server.py", KEPT["log"], KEPT["folder"].name)
        with open(os.path.join(KEPT["folder"].name, "ports"), encoding="ascii") as ports:
            self.port = dict(line.split() for line in ports)["plain"]
        self.before = self.size()

    def size(self):
        return os.path.getsize(KEPT["log"]) if os.path.exists(KEPT["log"]) else 0

    def came(self):
        return self.size() > self.before


def digits_swapped(text):
    return "".join(text[i + 1] + text[i] for i in range(0, len(text), 2)).rstrip("F")


def text_of(pdu):
    """To whom an SMS-SUBMIT goes, the number of its part, and the text in it (GSM 7 bit)."""
    octets = bytes.fromhex(pdu)
    at = 1 + octets[0]
    has_head = octets[at] & 0x40
    size = octets[at + 2]
    to = digits_swapped(pdu[2 * (at + 4):2 * (at + 4) + size + size % 2])
    at += 4 + (size + 1) // 2 + 2
    at += {0: 0, 0x10: 1, 0x18: 7, 0x08: 7}[octets[1 + octets[0]] & 0x18]
    septets, body = octets[at], octets[at + 1:]
    bits = int.from_bytes(body, "little")
    skip = ((body[0] + 1) * 8 + 6) // 7 if has_head else 0
    text = "".join(GSM[bits >> 7 * i & 0x7F] for i in range(skip, septets))
    return to, body[5] if has_head else 1, text


def sms(number, text, second):
    """An SMS-DELIVER."""
    stamp = f"62111271{second // 60 % 10}{second // 600}{second % 10}{second // 10 % 6}00"
    address = number + ("F" if len(number) % 2 else "")
    return f"0004{len(number):02X}91{''.join(address[i + 1] + address[i] for i in range(0, len(address), 2))}" \
           f"0000{stamp}{len(text):02X}{modem.packed(text)}"


class Ward:
    """The pipeline with its three far ends."""

    def __init__(self, bench, **times):
        listing = subprocess.run([cases.PROGRAM, "plugin", "list"], env=bench.env, capture_output=True, text=True, check=False)
        if "out_http" not in listing.stdout or "out_mail" not in listing.stdout:
            raise cases.Skip("this build has no out_http and out_mail (libcurl4-openssl-dev)")
        self.bench, self.fake = bench, modem.Fake(bench)
        self.web, self.mails = bench.path("web.log"), Mails()
        open(self.web, "w", encoding="ascii").close()
        self.server = Peer("http_server.py", self.web)
        bench.started.append(self.server.process)
        bench.env.update(AFFERENT_MODEM=bench.path("tty"), AFFERENT_WEBHOOK=f"http://127.0.0.1:{self.server.port}/ok",
                         AFFERENT_SMTP=f"smtp://127.0.0.1:{self.mails.port}", AFFERENT_NURSE="+39 349 111 0001",
                         AFFERENT_DOCTOR="0039349-1110002", AFFERENT_ON_CALL="+393491110003",
                         AFFERENT_ILL_AT="0s", AFFERENT_ILL_OVER="1ms", AFFERENT_ILL_FOR="1h",
                         AFFERENT_STEP_2=times.get("doctor", "2s"), AFFERENT_STEP_3=times.get("on_call", "1h"))
        self.run, self.file = None, ALERTS

    def start(self):
        self.run = self.bench.start("run", self.file, "--set", "mail.tls=none", "--set", "mail.batch_time=10ms")
        return self.run

    def kill(self):
        self.run.send(signal.SIGKILL)
        self.run.end()

    def stop(self):
        self.run.send(signal.SIGTERM)
        assert self.run.end() == 0, self.run.said
        cases.has(self.run.said, "balanced: ")
        return self.run.said

    def sent(self):
        return [text_of(sent["pdu"]) for sent in self.fake.do("show")["sent"]]

    def told(self):
        """Texts that left as messages, by whom they are for; parts joined."""
        texts = {name: [] for name in PEOPLE.values()}
        for to, part, text in self.sent():
            texts[PEOPLE[to]] += [text] if part == 1 else []
            texts[PEOPLE[to]][-1] += text if part > 1 else ""
        return texts

    def wait(self, what, who, part):
        """Until `who` was sent a message with `part` in it; gives it."""
        end = time.monotonic() + cases.LIMIT_S
        while True:
            found = [text for text in self.told()[who] if part in text]
            if found:
                return found[-1]
            assert time.monotonic() < end, f"{what}: {self.told()}"
            time.sleep(0.05)

    def answer(self, number, text):
        self.fake.do("sms " + sms(number, text, int(time.monotonic()) % 3000))

    def web_rows(self):
        with open(self.web, encoding="utf-8") as lines:
            return [row["data"] for line in lines for row in json.loads(json.loads(line)["body"])]

    def wait_web(self, state, severity):
        end = time.monotonic() + cases.LIMIT_S
        while not [r for r in self.web_rows() if (r["state"], r["severity"]) == (state, severity)]:
            assert time.monotonic() < end, self.web_rows()
            time.sleep(0.05)


def code_of(text):
    return text.split("ok ")[1].split(" ")[0]


def an_answer_by_message_stops_the_steps_and_everybody_reads_who_took_notice(bench):
    ward = Ward(bench, doctor="1s")
    ward.start()
    first = ward.wait("the nurse is told at once", "nurse", "high bed 3")
    cases.has(first, "NEWS2 is ", "emergency team, since 20", "Z. Answer: ok ", "(not for clinical use)")
    assert not ward.told()["doctor"]
    second = ward.wait("the doctor after a while", "doctor", "high bed 3")
    assert code_of(first) == code_of(second), (first, second)
    ward.answer("393491119999", "ok " + code_of(first))  # a number of nobody's
    ward.answer("393491110002", "ok " + code_of(first))
    for who in ("nurse", "doctor"):
        cases.has(ward.wait("who took notice is told", who, "acknowledged"), "Notice taken by doctor")
    ward.wait_web("acknowledged", "high")
    out, _ = bench.run("alert", "ls", ALERTS, "--json")
    assert [a["state"] for a in json.loads(out) if a["severity"] == "high"] == ["acknowledged"], out
    said = ward.stop()
    cases.has(said, "1 stranger", "acknowledged 1, unanswered")
    assert not ward.told()["on-call"] and not ward.mails.came(), ward.told()
    assert all(row["to"] == "screen" for row in ward.web_rows())


def what_falls_due_while_the_node_is_dead_is_told_when_it_is_back(bench):
    """kill -9 between two steps; the last step, by mail as well, is due before it is back."""
    ward = Ward(bench, doctor="2s", on_call="2500ms")
    ward.start()
    first = ward.wait("the nurse is told at once", "nurse", "high bed 3")
    time.sleep(0.8)  # until that is committed
    ward.kill()
    time.sleep(2)
    assert not ward.told()["doctor"], "it was dead too late"
    began = time.monotonic()
    ward.start()
    ward.wait("the doctor is told", "doctor", code_of(first))
    ward.wait("and on-call", "on-call", code_of(first))
    took = time.monotonic() - began
    ward.wait_web("raised", "high")
    end = time.monotonic() + cases.LIMIT_S
    while not ward.mails.came():
        assert time.monotonic() < end, "no mail"
        time.sleep(0.05)
    out, _ = bench.run("alert", "ack", ALERTS, "--rule", "news2-high", "--place", "bed 3", "--by", "Dr. Grey")
    for who in ("nurse", "doctor", "on-call"):
        cases.has(ward.wait("who took notice is told", who, "acknowledged"), "Notice taken by Dr. Grey")
    counts = {who: sum("Answer: ok " + code_of(first) in t for t in texts) for who, texts in ward.told().items()}
    print(f"    told {took:.1f} s after the start; rows of this alarm: {counts}", flush=True)
    assert counts["doctor"] == counts["on-call"] == 1 and counts["nurse"] in (1, 2), counts


def where_the_network_refuses_messages_the_steps_do_not_wait(bench):
    """Its steps are hours apart: by their times nobody else would be told in this test."""
    ward = Ward(bench, doctor="1h", on_call="2h")
    ward.fake.do("fail AT+CMGS 1000 +CMS ERROR: 28")
    ward.start()
    end = time.monotonic() + cases.LIMIT_S
    while not ward.mails.came():
        assert time.monotonic() < end, "no mail to on-call"
        time.sleep(0.05)
    said = ward.stop()
    cases.has(said, "the next step comes at once, for nothing reached nurse", "the next step comes at once, for nothing reached doctor",
              "step 3 goes to on-call")
    assert not any(ward.told().values()), ward.told()
    out, _ = bench.run("query", ALERTS, "--stream", "escalation", "--format", "json")
    rows = [json.loads(line)["values"] for line in out.splitlines()]
    told = [row["to"] for row in rows if row["severity"] == "high" and row["state"] != "ended"]
    assert sorted(told) == ["doctor", "nurse", "on-call", "screen"], rows


def who_corrects_the_pipeline_while_an_alarm_is_on_does_not_end_it(bench):
    """A number and a limit while it runs, then a time while it is dead."""
    ward = Ward(bench, doctor="1h")
    with open(ALERTS, encoding="utf-8") as shipped:
        text = shipped.read()
    ward.file = bench.write("corrected.toml", text)
    ward.start()
    code = code_of(ward.wait("the nurse is told at once", "nurse", "high bed 3"))
    text = text.replace('number = "${env:AFFERENT_DOCTOR:-+39 000 0002}"', 'number = "+39 349 111 0004"')
    text = text.replace('"news2-high",   group = "news2", column = "score", at_least = 7', '"news2-high", group = "news2", column = "score", at_least = 8')
    bench.write("corrected.toml", text)
    bench.run("reload", ward.file)
    assert len([t for t in ward.told()["nurse"] if "Answer: ok " + code in t]) == 1, ward.told()
    ward.kill()
    bench.write("corrected.toml", text.replace('"${env:AFFERENT_STEP_2:-2min}"', '"1s"'))
    ward.start()
    ward.wait("the doctor is told", "doctor", code)
    assert {to for to, _, sms_text in ward.sent() if code in sms_text} == {"393491110001", "393491110004"}, ward.sent()
    assert {code_of(t) for texts in ward.told().values() for t in texts if "high bed 3" in t} == {code}, ward.told()
    bench.run("alert", "ack", ward.file, code, "--by", "Dr. Grey")
    cases.has(ward.wait("the doctor is told who took notice", "doctor", "acknowledged"), code, "Dr. Grey")


if __name__ == "__main__":
    cases.main(where_the_network_refuses_messages_the_steps_do_not_wait,
               an_answer_by_message_stops_the_steps_and_everybody_reads_who_took_notice,
               what_falls_due_while_the_node_is_dead_is_told_when_it_is_back,
               who_corrects_the_pipeline_while_an_alarm_is_on_does_not_end_it)
