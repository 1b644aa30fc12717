/* SPDX-License-Identifier: Apache-2.0
 *
 * split.h - a body that is there whole is checked and taken apart: JSON into a line for each
 * object, a form into its files.
 *
 * JSON that was checked here op_json takes: it is the same reader. Line breaks between tokens
 * become blanks, everything else stays as it was written. Files stay where they stand; in how
 * many pieces a form came makes no difference. Not here: what they are called (talk_head.c). */
#ifndef IN_HTTP_SPLIT_H
#define IN_HTTP_SPLIT_H

#include "answer.h"

struct json;

/* For texts of up to `most` bytes. NULL: no memory. */
struct json *split_open(size_t most);
void split_close(struct json *json);
/* Bytes that must be there behind a text; they are written to. */
size_t split_padding(void);

/* `lines`: an object a line; else an object or an array of objects. *ret_size: the lines, which
 * stand at `text` now. False: *ret_answer says what is wrong and where, and `text` is spoilt. */
bool split_text(struct json *json, char *text, size_t size, bool lines, size_t row_most, size_t *ret_size,
                struct answer *ret_answer);

/* ---- forms: multipart/form-data (RFC 7578; RFC 2046, section 5.1) ---- */

enum { SPLIT_BOUNDARY_MOST = 70 };

struct split_form {
    char delimiter[4 + SPLIT_BOUNDARY_MOST + 1]; /* with the line end before it */
    char *text; /* the body, written to; with size to be set before split_form_next */
    size_t size, at;
    bool is_over;
};

struct split_file {
    char *name; /* in the body */
    size_t at, size;
};

/* The header Content-Type gives the boundary. False: it has none, or none that may be. */
bool split_form_open(struct split_form *form, const char *type);
/* ANSWER_NONE: the next file; its name is NULL: there are no more. */
enum answer_code split_form_next(struct split_form *form, struct split_file *ret_file);

#endif
