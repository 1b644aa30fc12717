#!/usr/bin/env python3
"""tutorial.py FILE.md - does what a tutorial says, and compares what it shows.

In a fresh folder, from top to bottom: a block ```toml NAME (or ```c NAME, ```make
NAME) is written to that file; a block ```sh is run by `sh -e` with `afferent` on the
PATH; each line of a block ```text behind it must be in what was printed, in order,
where "..." in a line stands for anything. A block ```sh skip is only shown.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^```(\w+)?[ \t]*(.*)$")


def blocks(path):
    """Yields (line, language, argument, text) of each fenced block."""
    start, lang, arg, lines = 0, None, "", []
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            m = FENCE.match(line)
            if not m:
                if lang is not None:
                    lines.append(line)
            elif lang is None:
                start, lang, arg, lines = number, m.group(1) or "", m.group(2).strip(), []
            else:
                yield start, lang, arg, "".join(lines)
                lang = None


def shown(expected, printed):
    """The first expected line that is not in what was printed, or None."""
    rest = printed.splitlines()
    for line in expected.splitlines():
        if not line.strip() or line.strip() == "...":
            continue
        parts = [re.escape(" ".join(p.split())) for p in line.split("...")]
        pattern = re.compile(".*".join(parts))
        for i, got in enumerate(rest):
            if pattern.search(" ".join(got.split())):
                rest = rest[i + 1:]
                break
        else:
            return line
    return None


def main():
    path = os.path.abspath(sys.argv[1])
    folder = tempfile.mkdtemp(prefix="afferent-tutorial-")
    printed = ""
    env = dict(os.environ, STATE_DIRECTORY=os.path.join(folder, "state"), RUNTIME_DIRECTORY=os.path.join(folder, "sockets"))
    try:
        for number, lang, arg, text in blocks(path):
            where = f"{os.path.basename(path)}:{number}"
            if lang == "sh" and arg != "skip":
                run = subprocess.run(["sh", "-e", "-c", text], cwd=folder, env=env, text=True, timeout=120,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, check=False)
                printed = run.stdout
                if run.returncode != 0:
                    sys.exit(f"{where}: exit {run.returncode}\n{text}{printed}")
                print(f"ok {where}")
            elif lang == "text":
                missing = shown(text, printed)
                if missing is not None:
                    sys.exit(f"{where}: not printed: {missing}\nwhat was printed:\n{printed}")
            elif arg and lang in ("toml", "c", "make"):
                with open(os.path.join(folder, arg), "w", encoding="utf-8") as f:
                    f.write(text)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
