/* SPDX-License-Identifier: Apache-2.0
 *
 * lexer.h - the words of an expression, one after another.
 *
 * Not here: what they mean together (parse.c). */
#ifndef OP_WHERE_LEXER_H
#define OP_WHERE_LEXER_H

#include "expr.h"

enum token_kind {
    TOKEN_END,
    TOKEN_INT,
    TOKEN_REAL,
    TOKEN_TEXT,     /* 'a' or "a", a doubled quote stands for one */
    TOKEN_NAME,     /* a word that is no keyword */
    TOKEN_QUOTED,   /* `a name`: always a column */
    TOKEN_OPERATOR, /* what: enum expr_operator; also and, or, not */
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_IN,
    TOKEN_BETWEEN,
    TOKEN_TRUE,
    TOKEN_FALSE,
    TOKEN_MISSING
};

struct token {
    uint8_t kind, what;
    uint32_t at;          /* characters from 1 */
    const char *from;     /* in the source; of what is between the quotes */
    uint32_t length;      /* bytes */
    int64_t integer;
    double real;
};

struct lexer {
    const char *next;
    uint32_t at; /* of next */
    struct token token;
    struct expr_fault *fault;
};

/* Reads the first token. 0 or -1, as lexer_next. */
int lexer_begin(struct lexer *l, const char *text, struct expr_fault *fault);
int lexer_next(struct lexer *l);
/* Whether the token after this one is `in` or `between`. */
bool lexer_peeks_set(const struct lexer *l);

#endif
