/* SPDX-License-Identifier: Apache-2.0
 *
 * answer.h - what a client is told: a status, and words that say what is wrong and where.
 *
 * A refusal is an object of problem+json (RFC 9457). Nothing of what was sent is repeated. */
#ifndef IN_HTTP_ANSWER_H
#define IN_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum answer_code {
    ANSWER_NONE,
    ANSWER_SAFE,
    ANSWER_HEALTHY,
    ANSWER_UNHEALTHY,
    ANSWER_FRAMING,
    ANSWER_HEADER_TWICE,
    ANSWER_PATH,
    ANSWER_NAME,
    ANSWER_NO_KEY,
    ANSWER_BAD_KEY,
    ANSWER_BAD_TIME,
    ANSWER_JSON_EMPTY,
    ANSWER_JSON_BAD,
    ANSWER_JSON_UTF8,
    ANSWER_JSON_CUT,
    ANSWER_JSON_TRAILING,
    ANSWER_JSON_DEEP,
    ANSWER_JSON_NO_OBJECT,
    ANSWER_FORM_BAD,
    ANSWER_FORM_FIELD,
    ANSWER_FORM_EMPTY,
    ANSWER_NO_TOKEN,
    ANSWER_WRONG_TOKEN,
    ANSWER_NO_CERTIFICATE,
    ANSWER_NOT_FOUND,
    ANSWER_METHOD,
    ANSWER_SLOW,
    ANSWER_LARGE,
    ANSWER_ROW_LARGE,
    ANSWER_MANY_FILES,
    ANSWER_TYPE_JSON,
    ANSWER_TYPE_FORM,
    ANSWER_CODING,
    ANSWER_KEY_REUSED,
    ANSWER_FULL,
    ANSWER_LATE,
    ANSWER_STOPPING,
    ANSWER_NAMES_FULL,
    ANSWER_CODES
};

struct answer {
    enum answer_code code;
    uint64_t row;      /* which is wrong, from 1; 0: none */
    uint64_t at;       /* its first byte, from 0 */
    uint64_t limit;    /* 0: none */
    uint64_t records;  /* of one that is safe */
    uint64_t set_aside; /* of these */
    bool is_again;
};

enum { ANSWER_ROOM = 512 };

unsigned answer_status(enum answer_code code);
/* Writes the body; its size. */
size_t answer_write(const struct answer *answer, char to[ANSWER_ROOM]);
/* Names and values of headers beside Content-Type, ended by NULL. */
const char *const *answer_headers(enum answer_code code);

#endif
