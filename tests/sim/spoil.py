#!/usr/bin/env python3
"""Tries the checker (conform.py) on traces of the runtime that are altered.

    spoil.py TRACE     a right trace, in which each event occurs

One line an alteration: what of it the checker saw. Exit 1: it did not see one, or
took it for something else.

Not here: mistakes of the protocol itself (conform.py --try)."""

import sys

from conform import Broken, check


class Trace:
    """Lines of a right trace, and what is altered in them."""

    def __init__(self, lines):
        self.lines = [line for line in lines if line.strip()]
        self.events = []
        for line in self.lines:
            words = line.split()
            self.events.append((words[0], dict(w.split("=", 1) for w in words[1:] if "=" in w)))
        self.edges = {values["number"]: values for name, values in self.events if name == "edge"}
        self.lanes = {values["number"]: values for name, values in self.events if name == "lane"}

    def all(self, event, **like):
        for i, (name, values) in enumerate(self.events):
            if name == event and all(values.get(k) == v for k, v in like.items()):
                yield i

    def next(self, i, *events, **like):
        """The first of them behind line i, in the same run; or None."""
        for k in range(i + 1, len(self.lines)):
            name, values = self.events[k]
            if name == "run":
                return None
            if name in events and all(values.get(key) == v for key, v in like.items()):
                return k
        return None

    def ring(self, i):
        return self.edges[self.events[i][1]["edge"]]["kind"] == "ring"

    def without(self, *gone):
        return [line for i, line in enumerate(self.lines) if i not in gone]

    def moved(self, i, to):
        """Line i stands right behind line `to`, or (i > to) right before it."""
        lines = self.without(i)
        lines.insert(to, self.lines[i])
        return lines

    def changed(self, i, key, value):
        lines = list(self.lines)
        lines[i] = " ".join("%s=%s" % (key, value) if w.startswith(key + "=") else w for w in lines[i].split()) + "\n"
        return lines


def end_behind_next_put(t):
    for i in t.all("end"):
        outs = [n for n, e in t.edges.items() if e["from"] == t.events[i][1]["lane"]]
        puts = [t.next(i, "put", edge=n, epoch=str(int(t.events[i][1]["epoch"]) + 1)) for n in outs]
        puts = [k for k in puts if k is not None]
        if puts:
            yield t.moved(min(puts), i)


def take_behind_end(t):
    for i in t.all("take"):
        values = t.events[i][1]
        k = t.next(i, "end", lane=t.edges[values["edge"]]["to"], epoch=values["epoch"])
        if k is not None:
            yield t.moved(i, k)


def takes_exchanged(t):
    for i in t.all("take"):
        k = t.next(i, "take", edge=t.events[i][1]["edge"], epoch=t.events[i][1]["epoch"])
        if k is not None and t.ring(i):
            lines = list(t.lines)
            lines[i], lines[k] = lines[k], lines[i]
            yield lines


def gone(event):
    def alter(t):
        for i in t.all(event):
            yield t.without(i)
    return alter


def put_gone(t):
    """Of a record that is taken later."""
    for i in t.all("put"):
        if t.ring(i) and t.next(i, "take", edge=t.events[i][1]["edge"]) is not None:
            yield t.without(i)


def take_gone(t):
    for i in t.all("take"):
        if t.ring(i) and t.next(i, "end", "finish", lane=t.edges[t.events[i][1]["edge"]]["to"]) is not None:
            yield t.without(i)


def ack_gone(t):
    """Of an epoch that its lane is done with later."""
    for i in t.all("ack"):
        lane, epoch = t.events[i][1]["lane"], t.events[i][1]["epoch"]
        k = t.next(i, "done", lane=lane)
        while k is not None and t.events[k][1]["count"] != "all" and int(t.events[k][1]["count"]) <= int(epoch):
            k = t.next(k, "done", lane=lane)
        if k is not None:
            yield t.without(i)


def followed(event, *by):
    """Gone where one of the others comes behind it in the same lane's life."""
    def alter(t):
        for i in t.all(event):
            if t.next(i, *by, lane=t.events[i][1]["lane"]) is not None:
                yield t.without(i)
    return alter


def cut_gone(t):
    for i in t.all("cut"):
        same = [k for k in t.all("cut", **t.events[i][1])]
        heads = [n for n, v in t.lanes.items() if v["kind"] == "source" and v["domain"] == t.events[i][1]["domain"]]
        if any(t.next(i, "end", lane=n, epoch=t.events[i][1]["epoch"]) is not None for n in heads):
            yield t.without(*same)


def behind(event, last):
    """The event stands behind the next of another kind."""
    def alter(t):
        for i in t.all(event):
            k = t.next(i, last, **{key: v for key, v in t.events[i][1].items() if key == "lane"})
            if k is not None:
                yield t.moved(i, k)
    return alter


def before(event, first):
    """The event stands before the one of another kind that stood before it."""
    def alter(t):
        for i in t.all(event):
            k = max((k for k in range(i) if t.events[k][0] == first), default=None)
            if k is not None and t.next(k, event) is not None:
                yield t.moved(i, k)
    return alter


def done_before_end(t):
    for i in t.all("end"):
        k = t.next(i, "done", lane=t.events[i][1]["lane"], count=str(int(t.events[i][1]["epoch"]) + 1))
        if k is not None:
            yield t.moved(k, i)


def done_gone(t):
    """The last of a lane before its epoch is in a group."""
    last = {}
    for i, (name, values) in enumerate(t.events):
        if name == "run":
            last = {}
        elif name == "done":
            last[values["lane"]] = i
        elif name == "choose":
            for k in last.values():
                if (t.lanes[t.events[k][1]["lane"]]["domain"], t.events[k][1]["count"]) == (values["domain"], values["count"]):
                    yield t.without(k)


def told_before_committed(t):
    for i in t.all("told"):
        for k in range(i, 0, -1):
            if t.events[k] == ("committed", {"domain": "0", "count": t.events[i][1]["count"]}):
                yield t.moved(i, k)
                break


def chosen_too_high(t):
    for i in t.all("choose"):
        yield t.changed(i, "count", int(t.events[i][1]["count"]) + 100)


def writer_lags(t):
    """A group takes less of a writer than its reader has finished."""
    for i in t.all("choose"):
        if int(t.events[i][1]["count"]) > 1:
            yield t.changed(i, "count", int(t.events[i][1]["count"]) - 1)


def doubled(event):
    def alter(t):
        for i in t.all(event):
            yield t.lines[:i] + [t.lines[i]] + t.lines[i:]
    return alter


def unfinished_removed(t):
    for i in t.all("store"):
        yield t.lines[:i + 1] + ["remove edge=%(edge)s seq=%(seq)s\n" % t.events[i][1]] + t.lines[i + 1:]


def ack_misbooked(t):
    """An ack is booked to an epoch later than its record's."""
    for i in t.all("ack"):
        yield t.changed(i, "epoch", int(t.events[i][1]["epoch"]) + 50)


# What is altered, how, and the rule that a trace shows to be broken by it.
ALTERED = [
    ("an end stands behind the first put of the next epoch", end_behind_next_put, 2),
    ("a put is gone", put_gone, 3),
    ("a take is gone", take_gone, 3),
    ("a take stands behind the end of its epoch", take_behind_end, 3),
    ("two takes are exchanged", takes_exchanged, 3),
    ("a snapshot is gone", followed("snap", "end", "finish"), 4),
    ("a snapshot stands behind its end", behind("snap", "end"), 4),
    ("a cut is gone", cut_gone, 5),
    ("done stands before the end", done_before_end, 6),
    ("a done is gone, and its epoch is chosen", done_gone, 6),
    ("an epoch is chosen that is not complete", chosen_too_high, 6),
    ("an ack is gone", ack_gone, 7),
    ("an ack is booked to another epoch", ack_misbooked, 7),
    ("a sync is gone", followed("sync", "done"), 7),
    ("a writer's epoch is not in the group that its reader's is in", writer_lags, (9, 10)),
    ("a record is not stored", gone("store"), 10),
    ("a record is stored twice", doubled("store"), 10),
    ("a record is removed that nobody has finished", unfinished_removed, 10),
    ("a record is stored behind the commit", behind("store", "durable"), 10),
    ("what a sink gave up is not taken back", gone("abandon"), 6),
    ("durable is gone", gone("durable"), 12),
    ("committed stands before durable", before("committed", "durable"), 12),
    ("a source is told before the commit", told_before_committed, 12),
]
TRIES = 60


def spoil(name):
    with open(name, encoding="utf-8") as lines:
        trace = Trace(lines)
    print("%s: %d events, all rules hold; altered:" % (name, check(trace.lines)))
    wrong = 0
    for text, alter, rules in ALTERED:
        rules = rules if isinstance(rules, tuple) else (rules,)
        found, right = "NOT SEEN", False
        for _, lines in zip(range(TRIES), alter(trace)):
            try:
                check(lines)
            except Broken as broken:
                found = str(broken)
            right = any("rule %d:" % rule in found for rule in rules)
            if right:
                break
        wrong += not right
        print("%s: %s" % (text, found) + ("" if right else "  (expected rule %s)" % rules[0]))
    return 1 if wrong else 0


def main(words):
    if len(words) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    return spoil(words[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
