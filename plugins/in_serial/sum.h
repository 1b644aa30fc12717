/* SPDX-License-Identifier: Apache-2.0
 *
 * sum.h - checksums of frames, by parameters.
 *
 * Sum and XOR over bytes, and CRCs of 8, 16 and 32 bits in the model of Ross
 * Williams, "A Painless Guide to CRC Error Detection Algorithms" (1993): width,
 * poly, init, reflect in and out, xorout; the names and check values of that
 * model are in Greg Cook's catalogue of parametrised CRC algorithms.
 *
 * Not here: where in a frame the sum stands and what it covers (frame.h). */
#ifndef IN_SERIAL_SUM_H
#define IN_SERIAL_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sum_kind { SUM_NONE, SUM_ADD8, SUM_ADD16, SUM_XOR, SUM_CRC8, SUM_CRC16, SUM_CRC32 };

/* How a checksum is made and written. `negate`: the two's complement is sent (the
 * bytes and the sum add up to 0), applied before xorout. */
struct sum_rule {
    enum sum_kind kind;
    uint32_t poly, init, xorout;
    bool reflect_in, reflect_out, negate;
    bool hex;    /* written as hex digits, two a byte */
    bool little; /* lowest byte first */
};

struct sum {
    struct sum_rule rule;
    unsigned bytes; /* of the value: 1, 2 or 4; 0 with SUM_NONE */
    uint32_t table[256];
};

/* Makes the table; the rule is copied. */
void sum_set(struct sum *s, const struct sum_rule *rule);

/* Begin, add, end: the value over any number of pieces. */
uint32_t sum_begin(const struct sum *s);
uint32_t sum_add(const struct sum *s, uint32_t state, const uint8_t *at, size_t size);
uint32_t sum_end(const struct sum *s, uint32_t state);

/* Bytes on the line: twice `bytes` in hex. */
size_t sum_width(const struct sum *s);

/* Reads the written sum at `at`, of sum_width bytes. False: not hex digits. */
bool sum_read(const struct sum *s, const uint8_t *at, uint32_t *ret);

/* Writes it, in upper-case hex or binary. */
void sum_write(const struct sum *s, uint32_t value, uint8_t *to);

#endif
