#!/usr/bin/env python3
"""Writes reference.h: coefficients that the test compares design.c with.

Another road to the same filters, in 60 digits: no poles are ever computed. The
Butterworth polynomial comes from its recurrence a[k] = a[k-1] cos((k-1)g)/sin(kg),
g = pi/2n, the frequency transforms and the bilinear transform are substitutions
into it, and what comes out are the two polynomials in 1/z of the whole filter.

Not here: the test itself. Run: python3 reference.py > reference.h
"""
from decimal import Decimal as D, getcontext

getcontext().prec = 80


def sin_cos(x):
    s, c, term, k = D(0), D(0), D(1), 0
    while abs(term) > D(10) ** -75:
        if k % 2:
            s += term if k % 4 == 1 else -term
        else:
            c += term if k % 4 == 0 else -term
        k += 1
        term = term * x / k
    return s, c


def pi():
    """Machin: pi = 16 atan(1/5) - 4 atan(1/239)."""
    def atan_inverse(n):
        total, power, k = D(0), D(1) / n, 0
        while power > D(10) ** -78:
            total += power / (2 * k + 1) * (1 if k % 2 == 0 else -1)
            power /= n * n
            k += 1
        return total
    return 16 * atan_inverse(5) - 4 * atan_inverse(239)


PI = pi()


def warp(hz, rate):
    s, c = sin_cos(PI * D(hz) / D(rate))
    return s / c


def mul(a, b):
    out = [D(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            out[i + j] += x * y
    return out


def power(a, n):
    out = [D(1)]
    for _ in range(n):
        out = mul(out, a)
    return out


def add(a, b):
    n = max(len(a), len(b))
    return [(a[i] if i < len(a) else D(0)) + (b[i] if i < len(b) else D(0)) for i in range(n)]


def butterworth(n):
    g, a = PI / (2 * n), [D(1)]
    for k in range(1, n + 1):
        a.append(a[-1] * sin_cos((k - 1) * g)[1] / sin_cos(k * g)[0])
    return a


def substitute(n, top, bottom):
    """H(s) = 1 / B(s) with s = top / bottom, both polynomials in 1/z."""
    den = [D(0)]
    for k, c in enumerate(butterworth(n)):
        den = add(den, mul([c], mul(power(top, k), power(bottom, n - k))))
    return power(bottom, n), den


def design(kind, n, low, high, q, rate):
    up, down = [D(1), D(-1)], [D(1), D(1)]  # s = up / down
    if kind == "NOTCH":
        s, c = sin_cos(2 * PI * D(low) / D(rate))
        half = sin_cos(PI * D(low) / D(rate) / D(q))
        t = half[0] / half[1]
        return [1 / (1 + t), -2 * c / (1 + t), 1 / (1 + t)], [D(1), -2 * c / (1 + t), (1 - t) / (1 + t)]
    if kind == "LOW":
        w = warp(high, rate)
        num, den = substitute(n, up, mul([w], down))
    elif kind == "HIGH":
        w = warp(low, rate)
        num, den = substitute(n, mul([w], down), up)
    else:
        a, b = warp(low, rate), warp(high, rate)
        quad = add(mul(up, up), mul([a * b], mul(down, down)))
        line = mul([b - a], mul(up, down))
        num, den = substitute(n, quad, line) if kind == "BAND" else substitute(n, line, quad)
    return [x / den[0] for x in num], [x / den[0] for x in den]


CASES = [("LOW", 2, "0", "90", "0", "360"), ("LOW", 1, "0", "40", "0", "360"),
         ("LOW", 5, "0", "40", "0", "250"), ("LOW", 8, "0", "15", "0", "360"),
         ("LOW", 8, "0", "120", "0", "250"), ("HIGH", 1, "0.05", "0", "0", "500"),
         ("HIGH", 2, "0.5", "0", "0", "360"), ("HIGH", 3, "0.67", "0", "0", "1000"),
         ("HIGH", 8, "100", "0", "0", "360"), ("BAND", 1, "5", "15", "0", "200"),
         ("BAND", 2, "0.5", "40", "0", "360"), ("BAND", 3, "5", "15", "0", "200"),
         ("BAND", 3, "0.1", "170", "0", "360"), ("BAND", 8, "8", "20", "0", "128"),
         ("STOP", 1, "48", "52", "0", "360"), ("STOP", 2, "49", "51", "0", "360"),
         ("STOP", 3, "1", "150", "0", "360"), ("STOP", 8, "45", "55", "0", "250"),
         ("NOTCH", 2, "50", "0", "30", "360"), ("NOTCH", 2, "60", "0", "1", "250"),
         ("NOTCH", 2, "16.7", "0", "10", "1000")]


def row(values):
    return "{ " + ", ".join("%.17g" % float(v) for v in values) + " }"


def main():
    print("/* SPDX-License-Identifier: Apache-2.0\n *\n * reference.h - written by reference.py; see there. */")
    print("static const struct reference {")
    print("    struct iir_spec spec;\n    double rate_hz;\n    int terms;")
    print("    double b[17];\n    double a[17];\n} references[] = {")
    for kind, n, low, high, q, rate in CASES:
        num, den = design(kind, n, low, high, q, rate)
        print("    { { IIR_%s, %d, %s, %s, %s }, %s, %d,\n      %s,\n      %s }," % (
            kind, n, low, high, q, rate, len(den), row(num), row(den)))
    print("};")


main()
