/* SPDX-License-Identifier: Apache-2.0
 *
 * utf16.h - text between UTF-8, as records have it, and UTF-16, as messages do.
 *
 * A short message in "UCS-2" is UTF-16 in fact: phones send pairs of surrogates,
 * and cut a pair between two parts of a long message. So parts are joined as
 * units and turned into UTF-8 only then.
 *
 * Not here: the GSM alphabet (gsm7.h). */
#ifndef IN_MODEM_UTF16_H
#define IN_MODEM_UTF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A unit takes at most three bytes of UTF-8. */
#define UTF8_SIZE(units) ((size_t)(units) * 3)

/* Writes at most `room` bytes of whole characters and returns how many. A
 * surrogate without its other half becomes U+FFFD. */
size_t utf16_to_utf8(const uint16_t *units, size_t count, char *to, size_t room);

/* The other way, at most `room` units of whole characters. Bytes that are not
 * UTF-8 become U+FFFD, one each. */
size_t utf8_to_utf16(const char *text, size_t size, uint16_t *to, size_t room);

/* Whether `at` is between the halves of a pair. */
bool utf16_cuts_pair(const uint16_t *units, size_t count, size_t at);

/* Two digits a byte; false, nothing promised of `to`, where a character is no hex
 * digit, their count is odd, or more than `room` bytes would be written. */
bool hex_read(const char *text, size_t size, uint8_t *to, size_t room);
/* Upper case, without an end. */
void hex_write(const uint8_t *bytes, size_t size, char *to);

/* Four digits a unit, as modems write texts in UCS2. False as above. */
bool hex_read_units(const char *text, size_t size, uint16_t *to, size_t room);

#endif
