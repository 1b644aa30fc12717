"""ward_judge.py - the conservation judge of the ward: what went onto the lines against what an archive holds.

It knows no ledger and no metric of the program: it reads what `afferent query --format
json` prints, and what ward_line.py knows of the other end. A frame is named by its bed
and its number there; the rest of a row is its content.
"""

import json


class Verdict:
    def __init__(self):
        self.frames = self.rows = self.streams = self.maybe = self.never = 0
        self.lost, self.invented, self.altered, self.doubled, self.disordered = [], [], [], [], []
        self.unsafe_s = 0.0

    def is_right(self):
        return not (self.lost or self.invented or self.altered or self.doubled or self.disordered)

    def __str__(self):
        return (f"{self.frames} frames that must come out, {self.maybe} that may, {self.never} that must not; "
                f"{self.rows} rows in {self.streams} streams; lost {len(self.lost)}, invented {len(self.invented)}, "
                f"altered {len(self.altered)}, doubled {len(self.doubled)}, out of order {len(self.disordered)}")

    def first(self):
        """What is wrong, a few of each."""
        lists = (("lost", self.lost), ("invented", self.invented), ("altered", self.altered),
                 ("doubled", self.doubled), ("out of order", self.disordered))
        return "; ".join(f"{name}: {found[:4]}" for name, found in lists if found)


def rows_of(text):
    """Each row that `query` printed, and its values without those that are not there."""
    for line in text.splitlines():
        row = json.loads(line)
        if row["schema"] == "rows":
            yield row, {k: v for k, v in row["values"].items() if v is not None}


def judge(lines, text, killed_s=()):
    """`lines`: each WardLine, ended. `killed_s`: when the reader was killed, for the figure."""
    verdict = Verdict()
    must = {key(f): f for line in lines for f in line.must}
    may = {key(f): f for line in lines for tail in line.tails for f, _ in tail}
    never = {key(f) for line in lines for f in line.never}
    seen, streams = {}, {}
    verdict.frames, verdict.maybe, verdict.never = len(must), len(may), len(never)
    for row, values in rows_of(text):
        verdict.rows += 1
        name = key(values)
        streams.setdefault((row["subject"], row["stream"]), []).append((values["seq"], row["time"].rstrip("Z")))
        want = must.get(name) or may.get(name)
        if want is None:
            verdict.invented.append(name + (("never right" if name in never else "never sent"),))
        elif values != want or row["subject"] != want["bed"]:
            verdict.altered.append((name, values, want))
        elif name in seen:
            verdict.doubled.append(name)
        seen[name] = row
    verdict.streams = len(streams)
    verdict.lost = [name for name in must if name not in seen]
    _tails(lines, seen, verdict, killed_s)
    _order(streams, verdict)
    return verdict


def key(frame):
    return frame["bed"], frame["seq"]


def _tails(lines, seen, verdict, killed_s):
    """Of a tail the first ones come out, and behind the first that does not none does."""
    for line in lines:
        for tail in line.tails:
            came = [key(f) in seen for f, _ in tail]
            count = came.index(False) if False in came else len(came)
            verdict.lost += [key(f) for (f, _), c in list(zip(tail, came))[count:] if any(came[count:]) and not c]
            for _, read_s in tail[count:]:
                before = [k - read_s for k in killed_s if read_s is not None and k >= read_s]
                verdict.unsafe_s = max(verdict.unsafe_s, min(before, default=0.0))


def _order(streams, verdict):
    """Later numbers have no earlier time."""
    for name, rows in streams.items():
        last = None
        for seq, time in sorted(rows):
            if last is not None and time < last:
                verdict.disordered.append(name + (seq,))
            last = time
