/* SPDX-License-Identifier: Apache-2.0
 *
 * text.h - byte strings as they are written in a pipeline.
 *
 * What a device sends and wants is bytes, and TOML has only text. So a string
 * stands for its bytes, and \xHH in it for the byte HH: 'ACK\x06' or
 * "ACK\\x06". \r \n \t and \\ may be written too, as TOML's own strings do.
 *
 * Not here: {name} in what is sent (template.h). */
#ifndef IN_SERIAL_TEXT_H
#define IN_SERIAL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_MARK_MOST = 16 };

/* A short byte string: a mark, a pattern. */
struct mark {
    uint8_t size;
    uint8_t bytes[TEXT_MARK_MOST];
};

/* The bytes that `text` stands for, at most `room` of them. Returns how many, or
 * -1: a backslash that begins nothing known, or too many bytes. */
int64_t text_bytes(const char *text, uint8_t *ret, size_t room);

/* Hex digits in pairs, blanks between pairs allowed: "02 5A 03". As text_bytes. */
int64_t text_hex(const char *text, uint8_t *ret, size_t room);

/* False: not 1 to TEXT_MARK_MOST bytes. */
bool text_mark(const char *text, struct mark *ret);

/* The value of a hex digit, or -1. */
int text_digit(int c);

#endif
