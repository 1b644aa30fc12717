# SPDX-License-Identifier: Apache-2.0
"""Texts of CSV and the rows that python3's csv module reads from them.

Two kinds: what its writer makes of random fields, and random characters that its
strict reader takes without an error. Written to stdout for test_split.c: sizes
are 32-bit little-endian; a case is delimiter, size, text, rows, and for each row
its fields; rows without any field are left out, as op_csv passes over them.

    python3 rows_by_python.py SEED CASES
"""
import csv
import io
import random
import struct
import sys


def number(n):
    return struct.pack("<I", n)


def field_make(rng, delimiter):
    return "".join(rng.choice('ab" \n\r\u00e9\u20ac' + delimiter) for _ in range(rng.choice((0, 1, 1, 2, 3, 9, 70))))


def written(rng, delimiter):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=rng.choice(("\n", "\r\n", "\r")),
                        quoting=rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)))
    for _ in range(rng.randrange(1, 9)):
        writer.writerow([field_make(rng, delimiter) for _ in range(rng.randrange(1, 7))])
    return out.getvalue()


def scrawled(rng, delimiter):
    return "".join(rng.choice('abc""\n\r' + delimiter + delimiter) for _ in range(rng.randrange(1, 40)))


def main():
    rng = random.Random(int(sys.argv[1]))
    left = int(sys.argv[2])
    out = sys.stdout.buffer
    while left:
        delimiter = rng.choice(",;\t")
        text = rng.choice((written, scrawled))(rng, delimiter)
        try:
            rows = [r for r in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if r]
        except csv.Error:
            continue
        raw = text.encode()
        out.write(delimiter.encode() + number(len(raw)) + raw + number(len(rows)))
        for row in rows:
            out.write(number(len(row)))
            for field in row:
                out.write(number(len(field.encode())) + field.encode())
        left -= 1


main()
