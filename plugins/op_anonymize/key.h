/* SPDX-License-Identifier: Apache-2.0
 *
 * key.h - the key file.
 *
 * Format, version 1: one line of ASCII, 79 bytes and a line feed:
 *
 *     afferent-key 1 HEX
 *
 * HEX is 64 hexadecimal digits, the 32 bytes of the key in order; written in
 * lower case, read in either. One space between the words, nothing before, and
 * nothing behind but the line feed, which may be missing. A key of zeros only
 * is refused. The file is a regular one (a link to one will do), belongs to who
 * reads it or to root, and nobody else may read or write it: 0600 or 0400. A
 * file that begins with "afferent-key " and another number is of a later
 * version. */
#ifndef OP_ANONYMIZE_KEY_H
#define OP_ANONYMIZE_KEY_H

#include <afferent/plugin.h>

enum { KEY_BYTES = 32, KEY_TEXT_MOST = 600 };

enum key_fault { KEY_GOOD, KEY_NO_KEY, KEY_OTHER_VERSION, KEY_DAMAGED, KEY_ZERO };

/* `text` needs no zero at its end. */
enum key_fault key_parse(const char *text, size_t size, uint8_t key[KEY_BYTES]);

/* Reads the file. `problem` (KEY_TEXT_MOST bytes) says what is wrong and what to
 * do, never what the file holds. AFF_ERR_IO where another try may help. */
aff_status key_read(const char *path, uint8_t key[KEY_BYTES], char *problem);

#endif
