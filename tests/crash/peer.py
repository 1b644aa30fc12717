"""peer.py - the peer of crash_answering: asks, asks again what was not answered.

After each death of the host it sends everything that has no answer, in the old
order, and some of what has one, as peers do whose answer was lost on the way.
"""

import functools
import os
import random

from bench import ANSWERED, LINE, REQUEST

MAGIC, MADE = 0x31724661, 1
WORD = (1 << 64) - 1
REQUESTS = 160


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) & WORD
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & WORD
    return x ^ (x >> 31)


def fnv(data):
    total = 0xCBF29CE484222325
    for byte in data:
        total = ((total ^ byte) * 0x100000001B3) & WORD
    return total


def payload(seed, key):
    """As pattern.h makes it."""
    size = 32 + mix(seed ^ mix(key)) % (500 - 32 + 1)
    out = bytearray(key.to_bytes(8, "little") + bytes(8))
    chance = mix((seed + mix(~key & WORD)) & WORD)
    while len(out) < size:
        chance = mix(chance)
        out += chance.to_bytes(8, "little")
    return bytes(out[:size])


@functools.lru_cache(maxsize=64)
def made(seed):
    lines = []
    for key in range(REQUESTS):
        data = payload(seed, key)
        lines.append(LINE.pack(MAGIC, MADE, key, fnv(data), 0, 0, key * 1000000, len(data), 0, fnv(b"s0") & 0xFFFFFFFF, 0))
    return b"".join(lines)


def request(key):
    return LINE.pack(MAGIC, REQUEST, key, 0, 0, 0, 0, 0, 0, 0, 0)


def ask(case):
    """Writes what the peer sends to the next run."""
    path = os.path.join(case.far, "made")
    if not os.path.exists(path):
        with open(path, "wb") as f:
            f.write(made(case.seed))
    answered = {line[2] for line in case.lines("answers.log") if line[1] == ANSWERED}
    chance = random.Random(case.seed * 1000 + case.runs)
    again = chance.sample(sorted(answered), min(3, len(answered)))
    keys = again + [k for k in range(REQUESTS) if k not in answered]
    with open(os.path.join(case.far, "requests"), "wb") as f:
        f.write(b"".join(request(k) for k in keys) + request(WORD))
