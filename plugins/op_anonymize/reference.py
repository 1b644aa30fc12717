#!/usr/bin/env python3
"""Writes reference.h: pseudonyms, shifts, ids and names that the test compares secret.c with.

Made by hashlib.blake2b and base64 of the standard library from the words in
secret.h and key.h alone. Not here: the test. Run: python3 reference.py > reference.h
"""
import base64
import hashlib

KEY = bytes(range(32))


def le64(n):
    return n.to_bytes(8, "little")


def derive(purpose, project, kind="", key=KEY):
    p, k = project.encode(), kind.encode()
    return hashlib.blake2b(le64(len(p)) + p + le64(len(k)) + k, key=key, digest_size=32,
                           person=purpose.ljust(16, b"\0")).digest()


def keyed(key, data, size=32):
    return hashlib.blake2b(data, key=key, digest_size=size).digest()


def b32(data):
    return base64.b32encode(data).decode().lower().rstrip("=")


def key_id(key=KEY):
    return hashlib.blake2b(b"", key=key, digest_size=16, person=b"aff-anon-keyid1".ljust(16, b"\0")).hexdigest()[:8]


def pseudonym(project, kind, value):
    return key_id() + "-" + b32(keyed(derive(b"aff-anon-kind-1", project, kind), value.encode())[:15])


def shift(project, subject, most):
    h = keyed(derive(b"aff-anon-shift1", project), subject.encode())
    return 1 + int.from_bytes(h[:8], "little") % most


def record_id(project, source, seq):
    h = keyed(derive(b"aff-anon-id-1", project), le64(source) + le64(seq), 16)
    return int.from_bytes(h[:8], "little"), int.from_bytes(h[8:], "little")


def stream(project, subject, name):
    s, n = subject.encode(), name.encode()
    return "s-" + b32(keyed(derive(b"aff-anon-strm-1", project), le64(len(s)) + s + le64(len(n)) + n)[:10])


print("/* SPDX-License-Identifier: Apache-2.0\n *\n * reference.h - written by reference.py; see there. */")
print('#define REFERENCE_KEY "%s"' % KEY.hex())
print('#define REFERENCE_KEY_ID "%s"' % key_id())
print('#define REFERENCE_OTHER_KEY_ID "%s"' % key_id(bytes([255]) * 32))
print("static const struct { const char *project, *kind, *value, *pseudonym; } reference_pseudonyms[] = {")
for row in (("ward-7", "mrn", "4711"), ("ward-8", "mrn", "4711"), ("ward-7", "visit", "4711"), ("ward-7", "mrn", "4712"),
            ("ward-7m", "rn", "4711"), ("ward-7", "subject", "Maria Musterfrau"), ("x", "y", "a" * 300),
            ("ward-7", "mrn", "\u00e4\u20ac")):
    value = "".join(c if c.isascii() else "".join("\\%03o" % b for b in c.encode()) for c in row[2])
    print('    { "%s", "%s", "%s", "%s" },' % (row[0], row[1], value, pseudonym(*row)))
print("};")
print("static const struct { const char *project, *subject; unsigned most, steps; } reference_shifts[] = {")
for row in (("ward-7", "a", 364), ("ward-7", "a", 52), ("ward-7", "b", 364), ("ward-8", "a", 364),
            ("ward-7", "Maria Musterfrau", 36500)):
    print('    { "%s", "%s", %d, %d },' % (*row, shift(*row)))
print("};")
print("static const struct { uint64_t source, seq, new_source, new_seq; } reference_ids[] = {")
for row in ((0, 0), (1, 0), (0, 1), (0x0123456789abcdef, 0xfedcba9876543210)):
    print("    { 0x%xu, 0x%xu, 0x%xu, 0x%xu }," % (*row, *record_id("ward-7", *row)))
print("};")
print("static const struct { const char *subject, *stream, *name; } reference_streams[] = {")
for row in (("", "ecg"), ("", "vitals/latest"), ("a", "ecg"), ("ae", "cg")):
    print('    { "%s", "%s", "%s" },' % (*row, stream("ward-7", *row)))
print("};")
