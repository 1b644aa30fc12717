"""modem_judge.py - the conservation judge of the modem: what its network gave and got against what came out.

It knows no ledger and no metric of the program. In: the messages that the network
handed to the modem, against rows of the archive and lines of a file. Out: the commands
that were given, against what the network got and the rows of results. Two messages that
are equal in all that can be seen count as two.
"""

from collections import Counter


class Verdict:
    def __init__(self):
        self.counts = {}
        self.wrong = {}

    def add(self, name, count):
        self.counts[name] = count

    def blame(self, name, found):
        self.wrong.setdefault(name, []).extend(found)

    def is_right(self):
        return not any(self.wrong.values())

    def table(self):
        rows = list(self.counts.items()) + [(f"  {name}", len(found)) for name, found in self.wrong.items()]
        return "\n".join(f"{name:<52} {count}" for name, count in rows)

    def first(self):
        """What is wrong, a few of each."""
        return "; ".join(f"{name}: {found[:4]}" for name, found in self.wrong.items() if found)


def seen(values):
    """What a message is known by: its text says which it was."""
    return values["text"], values["from"], values["time"], values.get("missing") or 0


def messages(verdict, came, archived, lines, left):
    """`came`: what seen() gives, of each that the network handed over. `archived`: values of
    the archive's rows. `lines`: (id, values) of a file that keeps no record of what it has."""
    want = Counter(came)
    _compare(verdict, "archive", want, Counter(seen(v) for v in archived))
    by_id = {}
    for name, values in lines:
        by_id.setdefault(name, []).append(seen(values))
    verdict.add("lines of the file, with those given twice", len(lines))
    verdict.blame("file: one id for two contents", [name for name, all_of in by_id.items() if len(set(all_of)) > 1])
    _compare(verdict, "file", want, Counter(all_of[0] for all_of in by_id.values()))
    verdict.blame("stuck: left in the modem", left)


def _compare(verdict, where, want, got):
    texts = Counter()
    for name, count in want.items():
        texts[name[0]] += count
    verdict.add(f"messages in the {where}", got.total())
    altered = [name for name in got if name not in want and name[0] in texts]
    verdict.blame(f"{where}: lost", [name for name, count in want.items() if got[name] < count])
    verdict.blame(f"{where}: doubled", [name for name, count in want.items() if got[name] > count])
    verdict.blame(f"{where}: altered", altered)
    verdict.blame(f"{where}: invented", [name for name in got if name not in want and name[0] not in texts])


def commands(verdict, given, results, received, faults):
    """`given`: {id: text}, `received`: texts that the network got, `results`: values of rows.
    A message whose answer was lost is sent again: no more of them than there were faults."""
    got, outcomes = Counter(received), {}
    for row in results:
        outcomes.setdefault(row["id"], []).append(row["outcome"])
    again = sum(count - 1 for count in got.values())
    verdict.add("commands given", len(given))
    verdict.add("messages that the network got", got.total())
    verdict.add("  of these sent again after a lost answer", again)
    verdict.blame("command: stuck, without an outcome", [i for i in given if i not in outcomes])
    verdict.blame("command: given up", [i for i in given if i in outcomes and "sent" not in outcomes[i]])
    verdict.blame("command: said to be sent more often than it was",
                  [i for i, all_of in outcomes.items() if all_of.count("sent") > got[given.get(i)]])
    verdict.blame("command: invented or altered", [text for text in got if text not in given.values()])
    verdict.blame("command: sent again without a fault", [again] if again > faults else [])
