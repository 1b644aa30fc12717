/* SPDX-License-Identifier: Apache-2.0
 *
 * grammar.h - the parts of JSON's grammar that are checked by hand. */
#ifndef JSON_GRAMMAR_H
#define JSON_GRAMMAR_H

#include <stdbool.h>

static inline bool json_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The grammar of RFC 8259, section 6. */
static inline bool json_number_ok(const char *at, const char *end)
{
    if (at < end && *at == '-')
        at++;
    if (at == end || !json_digit(*at))
        return false;
    if (*at == '0' && at + 1 < end && json_digit(at[1]))
        return false;
    while (at < end && json_digit(*at))
        at++;
    if (at < end && *at == '.') {
        if (++at == end || !json_digit(*at))
            return false;
        while (at < end && json_digit(*at))
            at++;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        if (at == end || !json_digit(*at))
            return false;
        while (at < end && json_digit(*at))
            at++;
    }
    return at == end;
}

static inline bool json_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

#endif
