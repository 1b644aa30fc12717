"""mistakes.py - what the command says to the mistakes that people make.

Each tests/mistakes/NNN-NAME.toml is a pipeline with one mistake; what is said to it
stands in NNN-NAME.expected, with the exit code. The first comment is its title;
directives may follow it: "# args: ..." for another command line than
"check ward.toml", "# env: NAME=VALUE", "# says: N" where one mistake needs N messages,
"# form: short" where a plugin's message does not say "expected".

MISTAKES_UPDATE=1 writes the expected files anew: read the difference. `--page` prints
docs/mistakes.md, which one case here compares.
"""

import json
import os
import re
import shlex
import subprocess
import sys

import cases
from cases import PROGRAM, SOURCE, Skip

FOLDER = os.path.join(SOURCE, "tests/mistakes")
PAGE = os.path.join(SOURCE, "docs/mistakes.md")
TABLE = "patient,heart_rate,spo2\nx,80,97\n"
MODEL = {"afferent_model": 1, "name": "risk", "version": "1", "link": "logistic", "intercept": 0, "names": ["lactate"],
         "means": [0], "scales": [1], "weights": [1]}
# Place, kind, node, then what is wrong; what was expected; what to do.
MESSAGE = re.compile(r"^(\S+\.toml(:\d+:\d+)?|folder|--\w+( \S+)?): (error|warning): (\[[\w-]+\] )?"
                     r"[^;]+; (.+; )?expected .+; .+$")
USAGE = re.compile(r"^afferent \w+: .+; expected .+$")  # and a line that says where help is


class Mistake:
    def __init__(self, file):
        self.name = os.path.basename(file)[:-len(".toml")]
        self.file, self.expected_file = file, file[:-len("toml")] + "expected"
        with open(file, encoding="utf-8") as text:
            self.text = text.read()
        self.lines = self.text.split("\n")
        self.title = self.lines[0].lstrip("# ").rstrip(".")
        self.args = shlex.split(self.directive("args") or "check ward.toml")
        self.env = dict([self.directive("env").split("=", 1)] if self.directive("env") else [])
        self.says = int(self.directive("says") or 1)

    def directive(self, word):
        for line in self.lines:
            if line.startswith(f"# {word}: "):
                return line[len(word) + 4:]
        return None

    def expected(self):
        if not os.path.exists(self.expected_file):
            return ""
        with open(self.expected_file, encoding="utf-8") as text:
            return text.read()

    def __repr__(self):
        return self.name


def mistakes():
    return [Mistake(os.path.join(FOLDER, name)) for name in sorted(os.listdir(FOLDER)) if name.endswith(".toml")]


# ---- the folder in which a mistake is made

def prepare(bench, mistake):
    bench.write("ward.toml", mistake.text)
    bench.write("utf16.toml", mistake.text.encode("utf-16"))
    bench.write("vitals.csv", TABLE)
    bench.write("risk.json", json.dumps(MODEL))
    bench.write("cut.json", json.dumps(MODEL)[:60])
    os.mkdir(bench.path("folder"))
    for name, mode in (("private.csv", 0o600), ("open.key", 0o644), ("ward.key", 0o600)):
        bench.write(name, TABLE)
        os.chmod(bench.path(name), mode)
    if "ward.key" in mistake.text or "open.key" in mistake.text:
        os.unlink(bench.path("ward.key"))
        bench.run("key", "new", bench.path("ward.key"))
        with open(bench.path("ward.key"), "rb") as key:
            bench.write("open.key", key.read())


def installed():
    done = subprocess.run([PROGRAM, "plugin", "list"], capture_output=True, text=True, timeout=cases.LIMIT_S, check=True)
    return done.stdout


def need_plugins(mistake, names):
    """Those that a machine may lack the library for."""
    for plugin in ("op_anonymize", "op_score", "op_json"):
        if f'"{plugin}"' in mistake.text and plugin not in names:
            raise Skip(f"{plugin} is not built here")


# ---- what is said

def messages(said):
    return [line for line in said.split("\n") if re.search(r": (error|warning): ", line) or USAGE.match(line)]


def form_check(mistake, said):
    """Where, what, what was expected, what to do; once."""
    found = messages(said)
    assert len(found) == mistake.says, f"{len(found)} messages, not {mistake.says}"
    for message in found:
        is_short = mistake.directive("form") == "short"
        assert is_short or USAGE.match(message) or MESSAGE.match(message), f"this lacks a part:\n{message}"
        assert "x,80" not in message and len(message) < 900, f"this is too long, or quotes data:\n{message}"


def say(bench, mistake):
    prepare(bench, mistake)
    bench.env.update(mistake.env, LC_ALL="C")
    bench.env.pop("WARD_DATA", None)
    done = subprocess.run([PROGRAM, *mistake.args], env=bench.env, cwd=bench.folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=cases.LIMIT_S, check=False)
    said = done.stdout.decode().replace(os.path.realpath(bench.folder) + "/", "").replace(bench.folder + "/", "")
    return f"{said}exit {done.returncode}\n"


def case_of(mistake, names):
    def case(bench):
        need_plugins(mistake, names)
        said = say(bench, mistake)
        if os.environ.get("MISTAKES_UPDATE"):
            with open(mistake.expected_file, "w", encoding="utf-8") as file:
                file.write(said)
        assert said == mistake.expected(), f"expected:\n{mistake.expected()}but it says:\n{said}"
        form_check(mistake, said)
    case.__name__ = "mistake_" + mistake.name.replace("-", "_")
    return case


# ---- the page

def offending(mistake, said):
    """The line that the first message points to, or what was typed."""
    place = re.search(r"^ward\.toml:(\d+):(\d+): ", said, re.M)
    if mistake.directive("args") and not place:
        return "afferent " + " ".join(mistake.args)
    line = mistake.lines[int(place.group(1)) - 1].strip() if place else ""
    return (line if len(line) < 120 else line[:117] + "...") + (
        "" if not mistake.env else "   " + mistake.directive("env"))


def cell(text):
    return text.replace("|", "\\|")


def code(text):
    ticks = "``" if "`" in text else "`"
    return f"{ticks}{cell(text)}{ticks}" if text else ""


def page():
    out = ["# Mistakes, and what afferent says", "",
           "Made by `tests/pipeline/mistakes.py --page` from `tests/mistakes`, whose pipelines the tests check one by",
           "one: each message here is what the command says. Its parts: the place (file, line, column), the node in",
           "brackets, what is wrong; what was expected; what to do. `check` and `run` refuse alike, with exit code 2;",
           "a warning lets the pipeline run.", "",
           "| | The mistake | What was written | What afferent says |", "|---|---|---|---|"]
    for number, mistake in enumerate(mistakes(), 1):
        said = "<br>".join(cell(m).replace("<", "&lt;") for m in messages(mistake.expected()))
        out.append(f"| {number} | {cell(mistake.title)} | {code(offending(mistake, mistake.expected()))} | {said} |")
    return "\n".join(out) + "\n"


def there_are_fifty_mistakes_and_more(_bench):
    assert len(mistakes()) >= 50
    for mistake in mistakes():
        assert mistake.expected(), f"{mistake.name}.expected is missing"


def the_page_of_mistakes_is_what_the_command_says(_bench):
    with open(PAGE, encoding="utf-8") as file:
        assert file.read() == page(), "docs/mistakes.md differs: mistakes.py --page makes it anew"


if __name__ == "__main__":
    if sys.argv[1:] == ["--page"]:
        sys.stdout.write(page())
        sys.exit(0)
    listed = installed()
    cases.main(*[case_of(m, listed) for m in mistakes()], there_are_fifty_mistakes_and_more,
               the_page_of_mistakes_is_what_the_command_says)
