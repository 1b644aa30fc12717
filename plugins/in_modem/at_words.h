/* SPDX-License-Identifier: Apache-2.0
 *
 * at_words.h - the words that at.c knows lines by. */
#ifndef IN_MODEM_AT_WORDS_H
#define IN_MODEM_AT_WORDS_H

#include "at.h"

/* A final result code; `dials`: one of a call, unsolicited behind other commands. */
struct at_word {
    const char *text;
    enum at_result result;
    bool whole; /* the line is this, and does not just begin with it */
    bool dials;
};

/* NULL: the line is no final result code. */
const struct at_word *at_word_of(const char *line);
/* Whether the line is an unsolicited code that is known by name. */
bool at_is_code(const char *line);
/* Whether such a code has a body in the line behind it. */
bool at_code_has_body(const char *line);

#endif
