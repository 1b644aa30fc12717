"""test_judge.py - the judge itself is judged: what is planted must be found, and nothing else.
"""

import os
import subprocess

from bench import LINE, OUT, REFUSED, STAMP
from peer import MAGIC, MADE

COUNT, RESENT = 200, 8
NAMES = ("lost", "invented", "altered", "unmarked", "other_id", "archive_not_once", "late")


def line(kind, key, flags=0, spoil=0, id_add=0):
    return LINE.pack(MAGIC, kind, key, 1000 + key + spoil, 7, key + id_add, key * 1000000, 32, flags, 5, 0)


def write(folder, name, lines):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(b"".join(lines))
    return path


def counts(tools, *arguments):
    done = subprocess.run([tools.judge, *arguments], capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, {k: int(v) for k, v in (p.split("=") for p in done.stdout.split())}


def planted(family, tools, folder, workers):
    """Each row: what is wrong with the far end, and what the judge must say of it."""
    del workers
    whole = [line(OUT, key) for key in range(COUNT)]
    rows = {
        "nothing": (whole, {}),
        "a marked repeat": (whole + [line(OUT, 5, RESENT)], {}),
        "a loss": (whole[:77] + whole[78:], {"lost": 1}),
        "an invention": (whole + [line(OUT, COUNT + 3)], {"invented": 1}),
        "an altered payload": (whole[:9] + [line(OUT, 9, 0, 1)] + whole[10:], {"altered": 1, "lost": 1}),
        "an unmarked repeat": (whole + [line(OUT, 5)], {"unmarked": 1}),
        "a repeat with another id": (whole + [line(OUT, 5, RESENT, 0, 1 << 32)], {"other_id": 1}),
        "two records under one id": (whole[:9] + [line(OUT, 9, 0, 0, 1)] + whole[10:], {"other_id": 1}),
        "a torn line": (whole + [b"torn"], {"altered": 1}),
        "a record refused by mistake": (whole[:9] + [line(REFUSED, 9)] + whole[10:], {"altered": 1}),
        "what no sink wrote": (whole + [bytes(LINE.size)], {"invented": 1}),
    }
    made = write(folder, "made", [line(MADE, key) for key in range(COUNT)])
    for name, (lines, wanted) in rows.items():
        code, found = counts(tools, "--made", made, "--all", "--out", write(folder, "out", lines))
        expect(family, name, code, found, wanted)
    archive(family, tools, folder)
    letters(family, tools, folder, made)
    times(family, tools, folder)


def expect(family, name, code, found, wanted):
    said = {k: found.get(k, 0) for k in NAMES if found.get(k, 0)}
    if said != wanted or (code == 1) != bool(wanted):
        family.fail(f"the judge says {said} (exit {code}) of {name}; it is {wanted}")
    family.land("planted" if wanted else "clean")


def archive(family, tools, folder):
    from peer import fnv, payload
    data = [payload(3, key) for key in range(20)]
    stream = fnv(b"s0") & 0xFFFFFFFF
    made = write(folder, "made2", [LINE.pack(MAGIC, MADE, k, fnv(d), 0, 0, k * 1000000, len(d), 0, stream, 0)
                                   for k, d in enumerate(data)])
    text = [f'{{"subject":"c","stream":"s0","time":"1970-01-01T00:00:00.{k:03}Z","id":"{9:016x}-{k:x}","type":"bytes",'
            f'"size":{len(d)},"hex":"{d.hex()}"}}\n'.encode() for k, d in enumerate(data)]
    spoilt = text[4].replace(b'"hex":"04', b'"hex":"05')
    rows = {"an archive": (text, {}), "an archive with a hole": (text[1:], {"lost": 1, "archive_not_once": 1}),
            "an archive with a repeat": (text + text[:1], {"archive_not_once": 1}),
            "an archive with another time": ([text[0].replace(b"00.000", b"01.000")] + text[1:],
                                             {"altered": 1, "lost": 1, "archive_not_once": 1}),
            "an archive with other bytes": (text[:4] + [spoilt] + text[5:], {"altered": 1, "lost": 1, "archive_not_once": 1})}
    for name, (lines, wanted) in rows.items():
        code, found = counts(tools, "--made", made, "--all", "--archive", write(folder, "archive.jsonl", lines))
        expect(family, name, code, found, wanted)


def times(family, tools, folder):
    """Records that fall due each millisecond, and a stamp behind each ten that came."""
    ms, start = 1000000, 5 * 10**9

    def came(stamps):
        lines = []
        for first in range(0, COUNT, 10):
            lines += [line(OUT, key) for key in range(first, first + 10)]
            if first in stamps:
                lines.append(LINE.pack(MAGIC, STAMP, 0, 0, 0, start + stamps[first] * ms, 0, 0, 0, 0, 0))
        return lines

    due = [LINE.pack(MAGIC, MADE, key, 1000 + key, 0, start + key * ms, key * 1000000, 32, 0, 5, 0) for key in range(COUNT)]
    made = write(folder, "made3", due)
    good = {first: first + 15 for first in range(0, COUNT, 10)}
    rows = {"all in time": (good, 20, {}),
            "one batch late": ({**good, 50: 75}, 20, {"late": 5}),  # the stamp of the next covers nothing of it
            "a stamp missing at the end": ({k: v for k, v in good.items() if k < 190}, 20, {"late": 10}),
            "before it was due": ({**good, 190: 120}, 20, {"late": 10}),
            "nobody asks when": ({}, 0, {})}
    for name, (stamps, within, wanted) in rows.items():
        code, found = counts(tools, "--made", made, "--all", "--within", str(within), "--out", write(folder, "out", came(stamps)))
        expect(family, name, code, found, wanted)


def letters(family, tools, folder, made):
    out = write(folder, "out", [line(REFUSED if k % 50 == 49 else OUT, k) for k in range(COUNT)])
    for name, text, wanted in (("letters", "49\n99\n149\n199\n", {}), ("a letter missing", "49\n99\n149\n", {"lost": 1}),
                               ("a letter twice", "49\n99\n149\n199\n49\n", {"unmarked": 1}),
                               ("a letter of nothing", "49\n99\n149\n199\n7\n", {"invented": 1})):
        path = write(folder, "letters", [text.encode()])
        code, found = counts(tools, "--made", made, "--all", "--refuse", "50", "--out", out, "--letters", path)
        expect(family, name, code, found, wanted)
