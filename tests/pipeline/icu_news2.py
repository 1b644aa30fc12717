#!/usr/bin/env python3
"""icu_news2.py - compares what icu-news2.toml wrote with the expected scores.

    icu_news2.py SCORES.csv expected-news2-hourly.tsv      ("-" is stdin)

Prints "9600 of 9600 rows equal", or the first rows that differ, and exits 1.
Every score of every row counts, what is missing too, and no row may be there
twice or too many. The expected file has 0 for the sum of nothing; our rows then
have no score, and seven parameters missing.
"""

import csv
import datetime
import sys

PARTS = ["respiration", "spo2", "oxygen", "systolic", "pulse", "consciousness", "temperature"]
SHOWN = 10
EPOCH = datetime.datetime(1970, 1, 1)


def minutes(text):
    """Time since admission, which the pipeline puts at 1970-01-01."""
    return str(int((datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ") - EPOCH).total_seconds()) // 60)


def faults(row, scores):
    """What one of our rows says that does not follow from its scores."""
    absent = [name for name, score in zip(PARTS, scores) if not score]
    known = [int(score) for score in scores if score]
    follows = {"missing_names": row["missing_names"].split() == absent,
               "missing_why": [part.split("=")[0] for part in row["missing_why"].split()] == absent,
               "complete": row["complete"] == ("false" if absent else "true"),
               "score": row["score"] == (str(sum(known)) if known else ""),
               "table": row["table"] == "RCP-2017", "scale": row["scale"] == "1"}
    return [f"{name} does not follow" for name, is_so in follows.items() if not is_so]


def line_of(row):
    """One of our rows as a line of the expected file."""
    scores = [row[name + "_score"] for name in PARTS]
    return scores + [row["score"] or "0", row["missing"]] + faults(row, scores)


def read_scores(file):
    found = {}
    for row in csv.DictReader(file):
        key = (row["subject"], minutes(row["time"]))
        found[key] = line_of(row) + (["twice"] if key in found else [])
    return found


def read_expected(file):
    rows = csv.reader(file, delimiter="\t")
    next(rows)
    return {(row[0], row[1]): row[2:] for row in rows}


def compare(scores, expected):
    """Open files; gives how many rows are equal, how many there should be, and what differs."""
    found, wanted = read_scores(scores), read_expected(expected)
    different = [f"{' '.join(key)}: {found.get(key, 'no row')}, expected {row}"
                 for key, row in wanted.items() if found.get(key) != row]
    different += [f"{' '.join(key)}: not expected" for key in found if key not in wanted]
    return sum(found.get(key) == row for key, row in wanted.items()), len(wanted), different


def main(args):
    if len(args) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with open(0 if args[0] == "-" else args[0], encoding="utf-8", newline="") as scores, \
            open(args[1], encoding="utf-8", newline="") as expected:
        equal, total, different = compare(scores, expected)
    print(f"{equal} of {total} rows equal")
    for line in different[:SHOWN]:
        print(line, file=sys.stderr)
    return 1 if different or not total else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
