#!/usr/bin/env python3
"""Holds a trace of the data path against the rules of the epoch protocol.

    conform.py TRACE ...          "-" is stdin; exit 1 where a rule is broken
    conform.py --try SIM_EPOCHS   traces of the model: right ones and mistakes

The lines, and who prints each when, are defined in README.md beside this file.
The checker knows the graph from the trace's head and keeps books of its own.

Not here: payloads, marks, what arrived (that is the judge's)."""

import subprocess
import sys

ALL = float("inf")


class Broken(Exception):
    """A rule that does not hold; its number is README's."""


def need(holds, rule, text):
    if not holds:
        raise Broken("rule %d: %s" % (rule, text))


class Lane:
    def __init__(self, number, domain, kind, syncs):
        self.number, self.domain, self.kind, self.syncs = number, domain, kind, syncs
        self.ins, self.outs = [], []
        self.begin(0)

    def begin(self, first):
        self.epoch = self.done = self.told = self.synced = first
        self.snap = None
        self.finished = False
        self.last = None  # of a lane that took back what it did behind this epoch
        self.waiting = {}

    def ended(self):
        """The number below which its epochs have ended, and happened."""
        return self.epoch + self.finished if self.last is None else self.last + 1


class Edge:
    def __init__(self, number, kind, writer, reader, stored):
        self.number, self.kind, self.writer, self.reader = number, kind, writer, reader
        self.stored = stored
        self.begin(0)

    def begin(self, _):
        self.put = {}    # record -> the writer's epoch
        self.taken = {}  # record -> the reader's epoch
        self.last_put = self.last_taken = None


class Checker:
    def __init__(self):
        self.shelves = {}  # what is in the store, by the queue's name: it outlives runs
        self.on_afferent_trace(8)

    def idle(self):
        self.chosen, self.stores, self.removes, self.durable = {}, [], [], False

    # ---- the graph ----

    def on_afferent_trace(self, flight, first=0):
        self.lanes, self.edges, self.cut, self.committed = {}, {}, {}, {}
        self.flight, self.first = flight, first
        self.idle()

    def on_lane(self, number, domain, kind, syncs=0):
        self.lanes[number] = Lane(number, domain, kind, bool(syncs) or kind == "syncs")
        self.lanes[number].begin(self.first)
        self.cut[domain] = self.committed[domain] = self.first

    def on_edge(self, number, kind, name=None, **ends):
        writer, reader = self.lanes[ends["from"]], self.lanes[ends["to"]]
        stored = self.shelves.setdefault(name or number, set())
        edge = self.edges[number] = Edge(number, kind, writer, reader, stored)
        writer.outs.append(edge)
        reader.ins.append(edge)
        need(kind == "queue" or writer.domain == reader.domain, 1, "a ring joins two domains")

    def on_run(self, number):
        for one in list(self.lanes.values()) + list(self.edges.values()):
            one.begin(self.first)
        for domain in self.cut:
            self.cut[domain] = self.committed[domain] = self.first
        self.idle()

    def on_over(self, lane):
        self.lanes[lane].finished = True
        self.lanes[lane].done = ALL

    def on_crash(self):
        pass

    def on_stop(self):
        pass

    # ---- records ----

    def in_flight(self, lane, epoch):
        need(epoch < self.committed[lane.domain] + self.flight, 11,
             "lane %d takes in epoch %d, %d are committed" % (lane.number, epoch, self.committed[lane.domain]))

    def on_put(self, edge, epoch, first, last):
        edge = self.edges[edge]
        writer = edge.writer
        need(not writer.finished and epoch == writer.epoch, 2,
             "lane %d puts for epoch %d in its epoch %d" % (writer.number, epoch, writer.epoch))
        need(edge.last_put in (None, first - 1), 2, "edge %d: record %d is not the next" % (edge.number, first))
        need(writer.snap != epoch, 4, "lane %d puts between snapshot and end of %d" % (writer.number, epoch))
        if writer.kind == "source":
            self.in_flight(writer, epoch)
        for record in range(first, last + 1):
            edge.put[record] = epoch
        edge.last_put = last

    def on_take(self, edge, epoch, first, last):
        edge = self.edges[edge]
        reader = edge.reader
        need(not reader.finished and epoch == reader.epoch, 3,
             "lane %d takes for epoch %d in its epoch %d" % (reader.number, epoch, reader.epoch))
        need(reader.snap != epoch, 4, "lane %d takes between snapshot and end of %d" % (reader.number, epoch))
        need(not reader.syncs or reader.synced <= epoch, 7, "lane %d takes in epoch %d, which is synced" % (
            reader.number, epoch))
        if edge.kind == "queue":
            self.in_flight(reader, epoch)
        elif edge.last_taken is not None:
            need(first == edge.last_taken + 1, 3, "edge %d: record %d is not the next" % (edge.number, first))
        for record in range(first, last + 1):
            self.take_one(edge, record, epoch)
        edge.last_taken = last

    def take_one(self, edge, record, epoch):
        need(record not in edge.taken, 3, "edge %d: record %d is taken twice" % (edge.number, record))
        if edge.kind == "ring":
            put = edge.put.pop(record, None)
            need(put == epoch, 3, "edge %d: record %d of epoch %s is taken in epoch %d" % (
                edge.number, record, put, epoch))
        else:
            edge.taken[record] = epoch

    # ---- epochs ----

    def on_cut(self, domain, epoch):
        need(epoch <= self.cut[domain], 5, "domain %d: %d is cut before %d" % (domain, epoch, self.cut[domain]))
        need(epoch < self.committed[domain] + self.flight, 11,
             "domain %d: %d is cut, %d are committed" % (domain, epoch, self.committed[domain]))
        self.cut[domain] = max(self.cut[domain], epoch + 1)

    def on_snap(self, lane, epoch):
        lane = self.lanes[lane]
        need(epoch == lane.epoch and lane.snap != epoch, 4,
             "lane %d: snapshot of %d in its epoch %d" % (lane.number, epoch, lane.epoch))
        lane.snap = epoch

    def on_end(self, lane, epoch):
        lane = self.lanes[lane]
        need(not lane.finished and epoch == lane.epoch, 5, "lane %d ends %d, its epoch is %d" % (
            lane.number, epoch, lane.epoch))
        need(lane.snap == epoch, 4, "lane %d ends %d without a snapshot of it" % (lane.number, epoch))
        intake = lane.kind == "source" or any(edge.kind == "queue" for edge in lane.ins)
        need(not intake or self.cut[lane.domain] > epoch, 5, "lane %d ends %d, which is not cut" % (
            lane.number, epoch))
        for edge in lane.ins:
            self.ended_on(edge, epoch)
        lane.epoch += 1

    @staticmethod
    def ended_on(edge, epoch):
        if edge.kind == "queue":
            return
        need(edge.writer.finished or edge.writer.epoch > epoch, 3,
             "lane %d ends %d before edge %d did" % (edge.reader.number, epoch, edge.number))
        need(all(put > epoch for put in edge.put.values()), 3, "lane %d ends %d with records left on edge %d" % (edge.reader.number, epoch, edge.number))

    def on_finish(self, lane, epoch):
        lane = self.lanes[lane]
        need(epoch == lane.epoch and lane.snap == epoch, 4, "lane %d finishes without a snapshot" % lane.number)
        for edge in lane.ins:
            need(edge.kind == "queue" or edge.writer.finished, 3, "lane %d finishes before edge %d did" % (
                lane.number, edge.number))
            self.ended_on(edge, epoch)
        lane.finished = True

    def on_abandon(self, lane, last):
        lane = self.lanes[lane]
        need(last < lane.epoch and not lane.outs, 16, "lane %d cannot take back what stands behind %d" % (
            lane.number, last))
        need(last >= self.committed[lane.domain] - 1, 16, "lane %d takes back what is committed" % lane.number)
        for edge in lane.ins:
            need(edge.kind == "queue", 16, "lane %d takes back what came by a ring" % lane.number)
            edge.taken = {record: epoch for record, epoch in edge.taken.items() if epoch <= last}
        lane.waiting = {epoch: n for epoch, n in lane.waiting.items() if epoch <= last}
        lane.finished = True
        lane.last = last

    # ---- sinks ----

    def on_sent(self, lane, epoch, records=1):
        lane = self.lanes[lane]
        need(epoch == lane.epoch, 7, "lane %d sends for %d in its epoch %d" % (lane.number, epoch, lane.epoch))
        lane.waiting[epoch] = lane.waiting.get(epoch, 0) + records

    def on_ack(self, lane, epoch):
        lane = self.lanes[lane]
        need(lane.waiting.get(epoch, 0) > 0, 7, "lane %d: nothing of epoch %d waits for an ack" % (
            lane.number, epoch))
        lane.waiting[epoch] -= 1

    def on_sync(self, lane, count):
        lane = self.lanes[lane]
        need(count <= lane.epoch + 1, 7, "lane %d syncs what it has not taken" % lane.number)
        lane.synced = count

    def on_done(self, lane, count):
        lane = self.lanes[lane]
        need(count >= lane.done, 6, "lane %d: done goes back" % lane.number)
        need(count <= lane.epoch or lane.finished, 6, "lane %d is done with %s, it has ended %d" % (
            lane.number, count, lane.epoch))
        waits = [e for e, n in lane.waiting.items() if n > 0 and e < count]
        need(not waits, 7, "lane %d is done with %s, and epochs %s wait for acks" % (lane.number, count, waits))
        need(not lane.syncs or lane.synced >= min(count, lane.ended()), 7, "lane %d is done before its sync" % lane.number)
        lane.done = count

    # ---- groups ----

    def on_choose(self, domain, count):
        if domain in self.chosen and not self.durable:
            self.idle()  # the group came to nothing: another is made
        need(not self.durable, 8, "domain %d: a group is made before the last one is told" % domain)
        lanes = [lane for lane in self.lanes.values() if lane.domain == domain]
        complete = min(lane.done for lane in lanes)
        complete = self.cut[domain] if complete == ALL else complete
        need(count <= complete, 6, "domain %d: %d chosen, %d are complete" % (domain, count, complete))
        need(count >= self.committed[domain], 8, "domain %d: goes back to %d" % (domain, count))
        self.chosen[domain] = count

    def finished(self, edge, record):
        return edge.taken.get(record, ALL) < self.chosen[edge.reader.domain]

    def written(self, edge, record):
        return record not in edge.put or edge.put[record] < self.chosen[edge.writer.domain]

    def on_store(self, edge, seq):
        self.stores.append((self.edges[edge], seq))
        need(self.chosen and not self.durable, 10, "edge %d: record %d is stored outside a group" % (edge, seq))

    def on_remove(self, edge, seq=None, upto=None):
        seqs = [seq] if upto is None else sorted(s for s in self.edges[edge].stored if s <= upto)
        self.removes += [(self.edges[edge], s) for s in seqs]
        need(self.chosen and not self.durable, 10, "edge %d: records are removed outside a group" % edge)

    def on_durable(self):
        need(self.chosen and not self.durable, 12, "durable without a group")
        queues = [edge for edge in self.edges.values() if edge.kind == "queue"]
        for edge in queues:
            for record in edge.taken:
                need(not self.finished(edge, record) or self.written(edge, record), 9,
                     "edge %d: record %d is finished, and its writer's epoch not committed" % (edge.number, record))
        for edge, seq in self.stores:
            need(self.written(edge, seq) and not self.finished(edge, seq) and seq not in edge.stored, 10,
                 "edge %d: record %d is not to be stored now" % (edge.number, seq))
            edge.stored.add(seq)
        for edge, seq in self.removes:
            need(self.finished(edge, seq), 10, "edge %d: record %d is removed, and not finished" % (edge.number, seq))
            edge.stored.discard(seq)
        for edge in queues:
            for record in edge.put:
                need(not self.written(edge, record) or self.finished(edge, record) or record in edge.stored, 10,
                     "edge %d: record %d should be stored" % (edge.number, record))
            self.forget(edge)
        self.durable = True

    def forget(self, edge):
        for record in [r for r in edge.taken if self.finished(edge, r) and r not in edge.stored]:
            del edge.taken[record]
            edge.put.pop(record, None)

    def on_committed(self, domain, count):
        need(self.durable and self.chosen.get(domain) == count, 12,
             "domain %d: %d is committed, and not durable" % (domain, count))
        self.committed[domain] = count
        del self.chosen[domain]
        if not self.chosen:
            self.idle()

    def on_told(self, lane, count):
        lane = self.lanes[lane]
        need(lane.told < count <= self.committed[lane.domain], 12, "lane %d is told %d, %d are committed" % (
            lane.number, count, self.committed[lane.domain]))
        lane.told = count


def value_of(text):
    return ALL if text == "all" else int(text) if text.isdigit() else text


def check(lines):
    """The number of events; Broken with the line's number in front."""
    checker, number = Checker(), 0
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "afferent-trace":
            words = ["afferent_trace"] + words[2:]
        event = getattr(checker, "on_" + words[0], None)
        try:
            need(event is not None, 0, "no event is called %s" % words[0])
            event(**{k: value_of(v) for k, v in (w.split("=", 1) for w in words[1:])})
        except Broken as broken:
            raise Broken("line %d: %s" % (number, broken)) from None
        except (TypeError, KeyError, ValueError):
            raise Broken("line %d: not a line of a trace" % number) from None
    return number


# ---- the checker itself, tried on the model ----

# By number in `enum mistake` (sim.h): the rule that a trace shows to be broken. The
# others break nothing that is in a trace; the judge catches them.
SEEN = {3: 3, 4: 3, 5: 3, 6: 4, 8: 6, 9: 7, 10: 7, 11: 7, 12: 9, 13: 10, 14: 10, 18: 10, 19: 12, 31: 11}


def trace_of(program, seed, mistake):
    words = [program, "--trace", str(seed), "--mistake", str(mistake)]
    return subprocess.run(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60, check=False,
                          universal_newlines=True).stdout.splitlines()


def try_out(program):
    events = sum(check(trace_of(program, seed, 0)) for seed in range(1, 301))
    print("300 schedules of the right protocol conform, %d events" % events)
    wrong = 0
    for mistake, rule in sorted(SEEN.items()):
        found = None
        for seed in range(1, 2001):
            try:
                check(trace_of(program, seed, mistake))
            except Broken as broken:
                found = str(broken)
                break
        right = found is not None and "rule %d:" % rule in found
        wrong += not right
        print("mistake %2d: %s" % (mistake, found or "NOT SEEN") + ("" if right else "  (expected rule %d)" % rule))
    return 1 if wrong else 0


def main(words):
    if len(words) == 2 and words[0] == "--try":
        return try_out(words[1])
    if not words:
        print(__doc__, file=sys.stderr)
        return 2
    for name in words:
        try:
            with (sys.stdin if name == "-" else open(name, encoding="utf-8")) as lines:
                print("%s: %d events, all rules hold" % (name, check(lines)))
        except Broken as broken:
            print("%s: %s" % (name, broken))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
