/* SPDX-License-Identifier: Apache-2.0
 *
 * split.h - a body of JSON is checked whole and becomes a line for each object.
 *
 * What was checked here op_json takes: it is the same reader. Line breaks between tokens
 * become blanks, everything else stays as it was written. */
#ifndef IN_HTTP_SPLIT_H
#define IN_HTTP_SPLIT_H

#include "answer.h"

struct json;

/* For texts of up to `most` bytes. NULL: no memory. */
struct json *split_open(size_t most);
void split_close(struct json *json);
/* Bytes that must be there behind a text; one of them is written to. */
size_t split_padding(void);

/* `lines`: an object a line; else an object or an array of objects. *ret_size: the lines, which
 * stand at `text` now. False: *ret_answer says what is wrong and where, and `text` is spoilt. */
bool split_text(struct json *json, char *text, size_t size, bool lines, size_t row_most, size_t *ret_size,
                struct answer *ret_answer);

#endif
