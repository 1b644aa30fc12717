#!/usr/bin/env python3
"""fake_fhir.py - what a FHIR R4 server answers to a Bundle, for the tests of out_http. No FHIR server.

    fake_fhir.py LOG               prints "port N", then serves until stdin ends

It knows what it has by identifier, as `ifNoneExist` asks (R4, http.html#ccreate), and checks of each
Observation what the specification wants of all (identifier, status, code, subject, effective time, a
value or why there is none). The path says what goes wrong; words as in http_server.py:

    fhir                      transaction-response: 201 for what is new, 200 for what was there
    partial:WORD:STATUS       entries with WORD in them get that status and an OperationOutcome (partial failure)
    all_or_none:WORD          422 and an OperationOutcome for the whole transaction, where an entry has WORD
    fewer                     an entry too few           outcome     200 with an OperationOutcome instead of a Bundle
    cut                       half of the answer, with its whole length announced

Each Bundle becomes a line of JSON in LOG: path, headers, type, entries: (identifier, new or not)."""

import json
import re
import sys
import threading
import urllib.parse

import http_server
from http_server import LOCK, Handler, Server, note

STORED = {}  # by path, by identifier: a number
SYSTEM = r"[a-z][a-z0-9+.-]*:\S+"
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


class Bad(Exception):
    """Why a Bundle is none."""


def want(holds, why):
    if not holds:
        raise Bad(why)


def check_value(part, why):
    values = [k for k in part if k.startswith("value")]
    want(len(values) <= 1, why + ": several values")
    want(values or "dataAbsentReason" in part, why + ": no value and no reason")
    want(not (values and "dataAbsentReason" in part), why + ": value and reason")
    quantity = part.get("valueQuantity")
    if quantity is not None:
        want(isinstance(quantity.get("value"), (int, float)), why + ": value")
        want(("code" in quantity) == (quantity.get("system") == "http://unitsofmeasure.org"), why + ": unit")
    sampled = part.get("valueSampledData")
    if sampled is not None:
        want(sampled["period"] > 0 and sampled["dimensions"] == 1 and "value" in sampled["origin"], why + ": samples")
        want(all(re.fullmatch(r"[EUL]|-?\d+(\.\d+)?", s) for s in sampled["data"].split(" ")), why + ": data")


def check_concept(concept, why):
    want(concept.get("text") or concept.get("coding"), why + ": empty")
    for coding in concept.get("coding", []):
        want(coding.get("code") and re.fullmatch(SYSTEM, coding.get("system", "")), why + ": coding")


def check_observation(r):
    want(r.get("resourceType") == "Observation", "resourceType")
    want(r.get("status") in ("final", "preliminary"), "status")
    check_concept(r["code"], "code")
    for category in r.get("category", []):
        check_concept(category, "category")
    want(r["subject"]["identifier"].get("value"), "subject")
    want(TIME.match(r["effectiveDateTime"]), "effectiveDateTime")
    if "component" in r:
        want(r["component"] and not any(k.startswith("value") for k in r), "component beside a value")
        for part in r["component"]:
            check_concept(part["code"], "component.code")
            check_value(part, "component")
    else:
        check_value(r, "value")


def check_entry(entry):
    """Its identifier."""
    r, request = entry["resource"], entry["request"]
    want(re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", entry["fullUrl"]), "fullUrl")
    want(request["method"] == "POST" and request["url"] == "Observation", "request")
    check_observation(r)
    name, value = request["ifNoneExist"].split("=", 1)
    system, number = (re.sub(r"\\(.)", r"\1", s) for s in re.split(r"(?<!\\)\|", urllib.parse.unquote(value)))
    want(name == "identifier" and r["identifier"] == [{"system": system, "value": number}], "ifNoneExist")
    return system + "|" + number


def outcome(code, text):
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": text}]}


class Fhir(Handler):
    def do_POST(self):
        words = self.words()
        self.body = self.read_body()
        try:
            bundle = json.loads(self.body)
            want(bundle.get("resourceType") == "Bundle" and bundle.get("type") in ("transaction", "batch"), "Bundle")
            want(self.headers.get("Content-Type") == "application/fhir+json", "Content-Type")
            names = [check_entry(e) for e in bundle["entry"]]
            want(len(set(e["fullUrl"] for e in bundle["entry"])) == len(names), "fullUrl twice")
        except (Bad, KeyError, ValueError, TypeError) as why:
            note(self.server.log, {"path": self.path, "bad": repr(why)})
            return self.fhir_answer(400, outcome("structure", repr(why)))
        if "all_or_none" in words and words["all_or_none"][0] in self.body:
            note(self.server.log, {"path": self.path, "entries": len(names), "none": True})
            return self.fhir_answer(422, outcome("processing", "an entry is not acceptable"))
        return self.store(words, bundle, names)

    def store(self, words, bundle, names):
        word, status = words.get("partial", [None, None])
        entries, said = [], []
        for entry, name in zip(bundle["entry"], names):
            if word and word in json.dumps(entry):
                entries.append({"response": {"status": status, "outcome": outcome("processing", "not acceptable")}})
                continue
            with LOCK:
                stored = STORED.setdefault(self.path, {})
                is_new = name not in stored
                number = stored.setdefault(name, len(stored) + 1)
            said.append([name, is_new])
            entries.append({"response": {"status": "201 Created" if is_new else "200 OK",
                                         "location": f"Observation/{number}/_history/1", "etag": 'W/"1"'}})
        note(self.server.log, {"path": self.path, "type": bundle["type"], "stored": said,
                               "headers": {k.lower(): v for k, v in self.headers.items()}})
        if "outcome" in words:
            return self.fhir_answer(200, outcome("informational", "all fine, or so"))
        if "fewer" in words:
            entries = entries[:-1]
        answer = {"resourceType": "Bundle", "type": bundle["type"] + "-response", "entry": entries}
        if "cut" in words and not self.cut():
            text = json.dumps(answer).encode()
            return self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text[:len(text) // 2])
        return self.fhir_answer(200, answer)

    def cut(self):
        """Once a path."""
        with LOCK:
            http_server.SEEN[self.path] = http_server.SEEN.get(self.path, 0) + 1
            return http_server.SEEN[self.path] > 1

    def fhir_answer(self, status, resource):
        self.answer(status, json.dumps(resource).encode())


def main():
    server = Server(("127.0.0.1", 0), Fhir)
    server.log = open(sys.argv[1], "a", encoding="utf-8")
    print("port", server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
