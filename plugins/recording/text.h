/* SPDX-License-Identifier: Apache-2.0
 *
 * text.h - numbers, words and names out of a header's text.
 *
 * Everything is read strictly and without the process's locale: a number that
 * is out of range or has something behind it is refused, never guessed. */
#ifndef RECORDING_TEXT_H
#define RECORDING_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* A rate in Hz, exact and reduced. */
struct rate {
    uint64_t num;
    uint64_t den;
};

/* Reads at *at and moves it behind what was read. 0, or -1 when there is no such
 * number or it is out of range; then nothing moves. */
int text_int(const char **at, int64_t least, int64_t most, int64_t *ret_value);
int text_real(const char **at, double *ret_value);
/* A positive decimal number as a fraction; more than nine digits behind the
 * point are rounded. Between 1e-6 and 1e7. */
int text_rate(const char **at, struct rate *ret_rate);

/* Skips blanks and gives the next word of the line, copied: 1, or 0 when there is
 * none, or -1 when it is too long for `room`. */
int text_word(const char **at, char *word, size_t room);
const char *text_skip(const char *at);

uint64_t text_gcd(uint64_t a, uint64_t b);

int text_is_utf8(const char *text, size_t length);

/* Copies text as UTF-8: what is not UTF-8 is taken for Latin-1, control bytes
 * become spaces, the first zero ends it. Cuts at `room`, between characters;
 * `to` is ended by a zero. Returns the length. */
size_t text_utf8(char *to, size_t room, const char *from, size_t length);

#endif
